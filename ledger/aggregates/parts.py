"""The parts of a fund's state of which there are ever more: what they hold, and how they are cut into pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from itertools import accumulate, chain, islice
from typing import Final, TypeVar
from zlib import crc32

import msgspec

from ledger.aggregates.entries import Runs
from ledger.aggregates.loan import Loan
from ledger.aggregates.member import Member
from ledger.aggregates.pages import Page, Paging
from ledger.chart import Key
from ledger.days import DailyBalance, Stretch, steps
from ledger.terms import Repayment

T = TypeVar("T")


class Meeting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A meeting that was held, and is not undone: where it stands in the log, and where who came was noted anew."""

    version: int
    on: date
    meeting: int
    corrected_by: int | None = None


class DuesPaid(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a member has paid for a month, in đồng, and the entries that say so; reversed ones do not count."""

    amount: int = 0
    versions: tuple[int, ...] = ()


def _of_account(key: Key) -> Page:
    """The boxes together, and what lies beneath an account by dozens."""
    _, account, of = key
    return f"{account} {of >> 5}" if isinstance(of, int) else ""


def _of_months(key: tuple[int, str]) -> Page:
    """Members mostly pay for the same month at a meeting: a quarter is little enough to be opened at once."""
    _, month = key
    return f"{month[:4]}{sum(month[5:] > last for last in ('03', '06', '09'))}"


def _of_sheet(sheet: str) -> Page:
    return crc32(sheet.encode()) & 7


_day = lru_cache(4_096)(date.fromordinal)


def _shared(values: Iterable[T]) -> Iterator[T]:
    """The same values, like ones as one: each takes memory for itself as it was read."""
    one_of: dict[T, T] = {}
    return (one_of.setdefault(value, value) for value in values)


Repaid = tuple[list[int], list[int], list[int], list[int], list[int]]
"""How many repayments each loan has, and their versions, days, principal and interest; versions and days as what they
are more than the one before."""


def _loans_apart(loans: dict[int, Loan]) -> tuple[dict[int, Loan], Repaid]:
    bare = {number: msgspec.structs.replace(loan, repayments={}) for number, loan in loans.items()}
    repaid = [item for loan in loans.values() for item in loan.repayments.items()]
    return bare, (
        [len(loan.repayments) for loan in loans.values()],
        steps(version for version, _ in repaid),
        steps(repayment.on.toordinal() for _, repayment in repaid),
        [repayment.principal for _, repayment in repaid],
        [repayment.interest for _, repayment in repaid],
    )


def _loans_together(columns: tuple[dict[int, Loan], Repaid]) -> dict[int, Loan]:
    bare, (counts, versions, days, principal, interest) = columns
    repayments = map(Repayment, map(_day, accumulate(days)), _shared(principal), _shared(interest))
    repaid = zip(accumulate(versions), repayments, strict=True)
    return {
        number: msgspec.structs.replace(loan, repayments=dict(islice(repaid, count)))
        for (number, loan), count in zip(bare.items(), counts, strict=True)
    }


Paid = tuple[list[int], list[str], list[int], list[int], list[int]]
"""Members, months, amounts in đồng, how many entries say so, and their versions as `Repaid` has them."""


def _dues_apart(dues: dict[tuple[int, str], DuesPaid]) -> Paid:
    return (
        [member for member, _ in dues],
        [month for _, month in dues],
        [paid.amount for paid in dues.values()],
        [len(paid.versions) for paid in dues.values()],
        steps(version for paid in dues.values() for version in paid.versions),
    )


def _dues_together(columns: Paid) -> dict[tuple[int, str], DuesPaid]:
    members, months, amounts, counts, apart = columns
    versions = accumulate(apart)
    return {
        (member, month): DuesPaid(amount, tuple(islice(versions, count)))
        for member, month, amount, count in zip(members, _shared(months), _shared(amounts), counts, strict=True)
    }


Moved = tuple[list[Key], list[int], list[int], list[int], dict[int, tuple[int, tuple[Stretch, ...]]]]
"""Accounts, on how many of the latest days each moved, these days as `Repaid` has them, and what each brought, in đồng.
Of those that have more, by their place: what they hold in all, and the days that lie packed."""


def _daily_apart(daily: dict[Key, DailyBalance]) -> Moved:
    packed = [(balance.total, *balance.packed()) for balance in daily.values()]
    return (
        list(daily),
        [len(days) for _, _, days, _ in packed],
        steps(chain.from_iterable(days for _, _, days, _ in packed)),
        list(chain.from_iterable(moved for _, _, _, moved in packed)),
        {place: (total, past) for place, (total, past, _, _) in enumerate(packed) if past},
    )


def _daily_together(columns: Moved) -> dict[Key, DailyBalance]:
    keys, counts, apart, moved, older = columns
    days, amounts = accumulate(apart), iter(moved)
    balances = {
        key: DailyBalance.unpacked(islice(days, count), islice(amounts, count))
        for key, count in zip(keys, counts, strict=True)
    }
    for place, (total, past) in older.items():
        balances[keys[place]].rest_on(past, total)
    return balances


Lived = tuple[list[int], list[int], list[int]]
"""Days as `Repaid` has them, how many versions the runs of each have, and these, as versions are there."""


def _days_apart(days: dict[date, Runs]) -> Lived:
    return (
        steps(day.toordinal() for day in days),
        [len(runs) for runs in days.values()],
        steps(chain.from_iterable(days.values())),
    )


def _days_together(columns: Lived) -> dict[date, Runs]:
    days, counts, apart = columns
    versions = accumulate(apart)
    return {_day(day): tuple(islice(versions, count)) for day, count in zip(accumulate(days), counts, strict=True)}


BALANCES: Final = Paging.of(Key, int, _of_account, absent=0)
DAILY: Final = Paging.in_columns(Moved, _of_account, _daily_apart, _daily_together)
LOANS: Final = Paging.in_columns(
    tuple[dict[int, Loan], Repaid], lambda number: number >> 5, _loans_apart, _loans_together
)
MEMBERS: Final = Paging.of(int, Member, lambda number: number >> 3)
DUES: Final = Paging.in_columns(Paid, _of_months, _dues_apart, _dues_together, absent=DuesPaid())
DAYS: Final = Paging.in_columns(Lived, lambda day: day.toordinal() >> 7, _days_apart, _days_together, absent=())
AMOUNTS: Final = Paging.of(str, bytearray, lambda kind: kind)._replace(twin_of=bytearray)
MEETINGS: Final = Paging.of(str, Meeting, _of_sheet)
SHEETS: Final = Paging.of(str, Runs, _of_sheet, absent=())
REVERSED: Final = Paging.of(int, int, lambda version: version >> 10)
