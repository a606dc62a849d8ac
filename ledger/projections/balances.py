"""Balances: what each account of each pot holds, now and at the end of any day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

from ledger.chart import ACCOUNTS, ASSETS, LIABILITIES, POTS, Account, Pot
from ledger.money import MAX_AMOUNT
from ledger.projections.funds import MOVED, held_on
from ledger.projections.tables import LoggedEvent, LooksBack, Reader, SumKey, Sums, Table, until

BALANCES = Table(
    "balances",
    columns="fund TEXT NOT NULL, pot TEXT NOT NULL, account TEXT NOT NULL, part TEXT NOT NULL, amount BIGINT NOT NULL",
    key="fund, pot, account, part",
)
"""What every account holds now; `part` is what lies beneath it (a loan's number, an activity), or empty."""


# --- how they change --------------------------------------------------------------------------------------------------


def _moved(events: Iterable[LoggedEvent]) -> dict[SumKey, int]:
    """How a fund's events move its balances. Raises `OverflowError` for a leg no fund could have posted."""
    changes: dict[SumKey, int] = defaultdict(int)
    for _, _, legs, _ in events:
        for leg in legs:
            if abs(leg.amount) > MAX_AMOUNT:
                raise OverflowError
            changes[leg.pot, leg.account, "" if leg.of is None else str(leg.of)] += leg.amount
    return changes


SUMS: Final = Sums(BALANCES, _moved)


class AsOf(NamedTuple):
    """A fund at the end of a day; without one, of all days."""

    fund: str
    day: date | None


# --- queries ----------------------------------------------------------------------------------------------------------


def balances(reader: Reader, fund: str, as_of: date | None = None) -> dict[str, Any]:
    """A fund's position in đồng: `{cash, pots: {revolving: {cash, bank, loans, equipment, savings, advances, equity},
    activity: {…}}}`.

    Liabilities are positive; `equity` = assets − liabilities; the outer `cash` is what both boxes hold.
    """
    return _balances(_held(reader, fund, as_of))


def balances_of_several(reader: Reader, asked: Sequence[AsOf]) -> dict[AsOf, dict[str, Any]]:
    """The same of several funds, each on its day, asked in one statement."""
    return {each: _balances(held) for each, held in _held_by(reader, asked).items()}


def _balances(held: Mapping[tuple[Pot, Account], int]) -> dict[str, Any]:
    pots = {pot: _position(held, pot) for pot in POTS}
    return {"cash": sum(held.get((pot, "cash"), 0) for pot in POTS), "pots": pots}


def trial_balance(reader: Reader, fund: str, as_of: date | None = None) -> dict[str, Any]:
    """Every account that is not zero: `{rows: [{pot, account, debit, credit}], debit, credit}`; the sums are equal."""
    held = _held(reader, fund, as_of)
    rows: list[dict[str, Any]] = [
        {"pot": pot, "account": account, "debit": max(amount, 0), "credit": max(-amount, 0)}
        for pot in POTS
        for account in ACCOUNTS
        if (amount := held.get((pot, account), 0))
    ]
    debit, credit = (sum(row[side] for row in rows) for side in ("debit", "credit"))
    return {"rows": rows, "debit": debit, "credit": credit}


def books_have_begun(reader: Reader, fund: str) -> bool:
    """Whether money was recorded, or an old club's books taken over: neither is done a second time (`domain.md` §3)."""
    begun = (
        "SELECT 1 FROM legs WHERE fund = :fund "
        "UNION ALL SELECT 1 FROM entries WHERE fund = :fund AND type = 'OpeningBalancesDeclared' LIMIT 1"
    )
    return bool(reader.query(begun, fund=fund))


def savings(reader: Reader, fund: str, as_of: date | None = None) -> dict[int, int]:
    """What each member has saved, by number, in đồng; of those who ever did."""
    held = held_on(reader, [fund], as_of, parts=True)
    rows = reader.query(
        f"SELECT part, CAST(SUM(amount) AS BIGINT) AS amount FROM {held} AND fund = :fund AND account = 'savings' "
        "GROUP BY part",
        fund=fund,
        until=until(as_of),
    )
    return {int(row["part"]): -row["amount"] for row in rows}


def _position(held: Mapping[tuple[Pot, Account], int], pot: Pot) -> dict[str, int]:
    assets: dict[str, int] = {account: held.get((pot, account), 0) for account in ACCOUNTS if account in ASSETS}
    liabilities: dict[str, int] = {
        account: -held.get((pot, account), 0) for account in ACCOUNTS if account in LIABILITIES
    }
    return {**assets, **liabilities, "equity": sum(assets.values()) - sum(liabilities.values())}


Held = dict[tuple[Pot, Account], int]
"""The balance of each account, debits positive; the parts beneath an account together."""


def _held(reader: Reader, fund: str, as_of: date | None) -> Held:
    if as_of and not isinstance(reader, LooksBack):
        return _held_by(reader, [AsOf(fund, as_of)])[AsOf(fund, as_of)]
    rows = reader.query(
        f"SELECT pot, account, CAST(SUM(amount) AS BIGINT) AS amount FROM {held_on(reader, [fund], as_of)} "
        "AND fund = :fund GROUP BY pot, account",
        fund=fund,
    )
    return {(row["pot"], row["account"]): row["amount"] for row in rows}


def _held_by(reader: Reader, asked: Sequence[AsOf]) -> dict[AsOf, Held]:
    """Of each fund what it held on its day: what is kept, once its latest entry has happened, and before that what each
    day moved."""
    # The database prepares each shape of a statement once: filled up to a power of two, shapes are few.
    rows = range(1 << (len(asked) - 1).bit_length())
    values = ", ".join(f"(:fund_{row}, :until_{row}, {row})" for row in rows)
    padded = dict(enumerate([*asked, *[AsOf("", None)] * (len(rows) - len(asked))]))
    found = reader.query(
        f"WITH asked(fund, until, number) AS (VALUES {values}) "
        "SELECT number, pot, account, CAST(SUM(amount) AS BIGINT) AS amount FROM asked a "
        "JOIN funds f ON f.fund = a.fund AND f.latest_on <= a.until JOIN balances b ON b.fund = a.fund "
        "GROUP BY number, pot, account UNION ALL "
        f"SELECT number, pot, account, CAST(SUM({MOVED}) AS BIGINT) FROM asked a "
        "JOIN funds f ON f.fund = a.fund AND f.latest_on > a.until JOIN account_days d ON d.fund = a.fund "
        "AND d.on_day <= a.until GROUP BY number, pot, account",
        **{f"fund_{row}": each.fund for row, each in padded.items()},
        **{f"until_{row}": until(each.day) for row, each in padded.items()},
    )
    held: dict[AsOf, Held] = {each: {} for each in asked}
    for row in found:
        held[asked[row["number"]]][row["pot"], row["account"]] = row["amount"]
    return held
