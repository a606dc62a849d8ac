"""A village to test with: what happened in the club of Bằng Mạc, in as few words as a claim needs.

*Given* acts, *when* a decision, *then* facts or a refusal:

    fund = village(lends(1, 5_000_000, on="2024-01-31"))
    with refused(fund, Overpayment, settlement_amount=5_050_000):
        fund.repay_loan(metadata("2024-02-10"), 1, amount=5_050_001)

The members, by number:

    1  Hoàng Thị Sầm, the chair
    2  Lý Văn Páo, the treasurer
    3  Triệu Thị Mẩy, a home-care volunteer
    4  Nông Thị Lả
    5  Vi Văn Đức, of the same household as Nông Thị Lả
"""

from __future__ import annotations

import os
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from datetime import UTC, date, datetime
from typing import Any

import pytest

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.aggregates.kinds import replay
from ledger.aggregates.loan import Loan
from ledger.events import Bylaws, Entry, Event, Item, OldLoan, OpeningPot, OpeningSavings, Request, decode
from ledger.refusals import Refusal

FUND = "LS-BANG-MAC"
OPENED = date(2024, 1, 1)
HEARD = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)
"""When the service heard of it all, unless a claim is about that instant."""

CLUB = {
    "club": "CLB Liên thế hệ tự giúp nhau thôn Nà Pe",
    "commune": "Bằng Mạc",
    "district": "Chi Lăng",
    "province": "Lạng Sơn",
    "founded_on": date(2016, 10, 1),
    "plan": "47/KH-UBND",
}

Act = Callable[[Fund], object]

DRAWN_ANEW = "MICROFUND_TEST_HISTORIES" in os.environ
"""Whether random examples are drawn anew; otherwise they are the same every time, here and in CI."""


def day(text: str | date) -> date:
    """A day, as a date or written `2024-01-31`."""
    return text if isinstance(text, date) else date.fromisoformat(text)


def metadata(
    on: str | date,
    *,
    by: str = "treasurer",
    member: int | None = None,
    aliases: frozenset[str] = frozenset(),
    at: datetime = HEARD,
    key: str | None = None,
    **texts: str,
) -> EntryMetadata:
    """Who tells of a fact and when. `key` is its request's, `texts` the digests of what was written."""
    request = Request(key, f"digest of {key}") if key else None
    return EntryMetadata(
        on=day(on),
        recorded_at=at,
        recorded_by=by,
        member=member,
        aliases=aliases,
        request=request,
        texts=texts or None,
    )


def bylaws(**rules: Any) -> Bylaws:
    """The club's bylaws, but for the rules given: 1 % a month, a third of the interest to the activity pot."""
    usual: dict[str, Any] = {
        "monthly_rate_ppm": 10_000,
        "interest_method": "reducing",
        "repayment_mode": "equal_principal",
        "max_principal": 10_000_000,
        "max_term_months": 24,
        "min_membership_months": 0,
        "one_open_loan_per_household": False,
        "interest_to_activity_ppm": 300_000,
        "monthly_dues": 10_000,
        "meeting_day": 5,
        "two_person_approval": False,
    }
    return Bylaws(**usual | rules)


# --- given --------------------------------------------------------------------------------------------------------


def given(*acts: Act, **rules: Any) -> Fund:
    """A fund with nothing but its bylaws, to which these acts happened."""
    fund = Fund(FUND)
    fund.open(metadata(OPENED, by="admin"), bylaws=bylaws(**rules), **CLUB)
    for act in acts:
        act(fund)
    return fund


def village(*acts: Act, **rules: Any) -> Fund:
    """A fund of five members with 20,000,000 đ to lend and 1,000,000 đ to spend, to which these acts happened."""
    return given(*FIVE_MEMBERS, gives(20_000_000), gives(1_000_000, pot="activity"), *acts, **rules)


def joins(*, on: str | date = OPENED, birth_year: int = 1955, **person: Any) -> Act:
    """The next member joins."""
    person = {"sex": "female", "poverty": "none"} | person
    return lambda fund: fund.join(metadata(on), birth_year=birth_year, **person)


FIVE_MEMBERS = (
    joins(birth_year=1958),
    joins(birth_year=1961, sex="male"),
    joins(birth_year=1949, poverty="near_poor"),
    joins(birth_year=1952, poverty="poor", household="H4"),
    joins(birth_year=1950, sex="male", poverty="poor", household="H4"),
)


def leaves(member: int, on: str | date, reason: str = "moved") -> Act:
    """A member leaves."""
    return lambda fund: fund.leave(metadata(on), member, reason)


def gives(amount: int, *, pot: Any = "revolving", on: str | date = OPENED) -> Act:
    """A benefactor gives cash."""
    return lambda fund: fund.receive_donation(metadata(on), source="benefactor", pot=pot, amount=amount)


def pays(member: int, kind: Any, amount: int, *, on: str | date = OPENED) -> Act:
    """A member contributes."""
    return lambda fund: fund.receive_contribution(metadata(on), member=member, kind=kind, amount=amount)


def spends(amount: int, *, on: str | date, pot: Any = "activity") -> Act:
    """The club pays for something."""
    return lambda fund: fund.pay_expense(metadata(on), activity="visit_gift", amount=amount, pot=pot)


def asks(member: int, principal: int = 1_000_000, *, months: int = 12, on: str | date = OPENED) -> Act:
    """A member asks for a loan."""
    return lambda fund: fund.request_loan(
        metadata(on), member=member, principal=principal, term_months=months, purpose="livestock"
    )


def grants(loan: int, *, on: str | date = OPENED, **decision: Any) -> Act:
    """The chair grants a loan."""
    return lambda fund: fund.approve_loan(metadata(on, by="chair", member=1), loan, **decision)


def hands_out(loan: int, *, on: str | date = OPENED, **decision: Any) -> Act:
    """The treasurer hands out a loan."""
    return lambda fund: fund.disburse_loan(metadata(on, member=2), loan, **decision)


def lends(member: int, principal: int = 1_000_000, *, months: int = 12, on: str | date) -> Act:
    """A member asks for a loan and gets it, all on one day. Nobody grants their own: here an inspector's clerk does."""

    def lend(fund: Fund) -> None:
        number = len(fund.loans) + 1
        asks(member, principal, months=months, on=on)(fund)
        fund.approve_loan(metadata(on, by="deputy"), number)
        hands_out(number, on=on)(fund)

    return lend


def repays(loan: int, amount: int, *, on: str | date) -> Act:
    """A loan is repaid in part or whole."""
    return lambda fund: fund.repay_loan(metadata(on), loan, amount=amount)


def undoes(version: int | None = None, *, on: str | date, reason: Any = "wrong_amount") -> Act:
    """An entry is reversed; without a version, the last one."""
    return lambda fund: fund.reverse_entry(metadata(on), version or fund.version, reason=reason)


def adopts(*, on: str | date, **rules: Any) -> Act:
    """The club adopts new bylaws."""
    return lambda fund: fund.adopt_bylaws(metadata(on), bylaws(**rules))


# --- when and then ------------------------------------------------------------------------------------------------


@contextmanager
def refused(fund: Fund, rule: type[Refusal], /, **facts: Any) -> Iterator[None]:
    """What is done inside is refused by exactly this rule, with these facts among others, and leaves no trace."""
    before = state(fund)
    with pytest.raises(Refusal) as refusal:
        yield
    assert type(refusal.value) is rule, refusal.value
    assert {name: refusal.value.facts.get(name) for name in facts} == facts
    assert state(fund) == before


def state(fund: Fund) -> dict[str, Any]:
    """All a fund knows, to compare; independent of what happens to the fund afterwards."""
    known = {
        name: copy(value) if isinstance(value, dict | list | set | array) else value
        for name, value in vars(fund).items()
    }
    known["daily"] = {key: list(daily.movements()) for key, daily in fund.daily.items()}
    known["balances"] = dict(fund.balances.items())
    known["entries"] = list(fund.entries)
    # What waits for its commit, was looked up, is shared, or is worked out of the loans when it is asked for.
    for passing in ("pending", "said", "copied", "over_from"):
        known.pop(passing, None)
    return known


def lines(fund: Fund) -> list[bytes]:
    """The lines of all that was decided."""
    return [entry.line for entry in fund.pending]


def replayed(stored: list[bytes]) -> Fund:
    """The fund that these lines make. Raises `BrokenChain`."""
    fund = replay(None, (Entry(decode(line), line) for line in stored))
    assert isinstance(fund, Fund)
    return fund


def last(fund: Fund) -> Event:
    """The latest entry."""
    return fund.entries[-1]


def held(fund: Fund, pot: str, account: str) -> int:
    """A balance, with all that lies beneath the account."""
    return sum(amount for key, amount in fund.balances.items() if key[:2] == (pot, account))


def posted(event: Event) -> dict[tuple[object, ...], int]:
    """An event's legs as a bookkeeper writes them: pot, account and what it is of, if anything."""
    legs: dict[tuple[object, ...], int] = defaultdict(int)
    for leg in event.legs():
        legs[leg.pot, leg.account, *([] if leg.of is None else [leg.of])] += leg.amount
    return dict(legs)


def loan_of(fund: Fund, number: int = 1) -> Loan:
    """A loan of the fund."""
    return fund.loan(number)


def whole_life() -> Fund:
    """A fund to which everything has happened that can, from the taking over of its old book to its end."""
    fund = given(*FIVE_MEMBERS)
    tv = (Item("Ti vi 43 inch", 1, "chiếc", 6_500_000), Item("Ghế nhựa", 40, "chiếc", 3_600_000))
    old_book: dict[str, Any] = {
        "revolving": OpeningPot(9_000_000, 2_000_000),
        "activity": OpeningPot(500_000, 0),
        "equipment": tv[:1],
        "loans": (
            OldLoan(
                member=2,
                principal=3_000_000,
                outstanding=1_000_000,
                disbursed_on=date(2023, 5, 20),
                term_months=12,
                purpose="crops",
            ),
        ),
        "advances": (("elderly_care_fund", 4_000_000),),
    }
    savings = (OpeningSavings(3, 200_000), OpeningSavings(1, 50_000))
    fund.declare_opening_balances(
        metadata("2024-01-02", note="5d1e"), savings=savings[:1], document="Biên bản 01", **old_book
    )
    fund.correct_opening_balances(
        metadata("2024-01-02", reason="cc33"), savings=savings, document="Biên bản 02", **old_book
    )
    fund.take_office(metadata("2024-01-02"), member=1, office="chair")
    fund.change_member(metadata("2024-01-03", name="9c2f"), 3, poverty="poor", household="H3")
    fund.receive_in_kind_donation(metadata("2024-01-04"), source="state_budget", items=tv, document="QĐ 12")
    for kind, amount in (("dues", 10_000), ("share", 100_000), ("savings", 300_000), ("fine", 5_000)):
        fund.receive_contribution(
            metadata("2024-01-05", key=f"sheet-0001-{kind}", note="77aa"),
            member=4,
            kind=kind,  # type: ignore[arg-type]
            amount=amount,
            for_month="2024-01" if kind == "dues" else None,
        )
    fund.receive_donation(metadata("2024-01-06"), source="foreign_org", foreign=True, pot="activity", amount=2_000_000)
    fund.receive_income(metadata("2024-01-06"), kind="collective", pot="activity", amount=150_000)
    fund.pay_expense(metadata("2024-01-07"), activity="visit_gift", amount=120_000)
    fund.withdraw_savings(metadata("2024-01-08"), member=4, amount=100_000)
    fund.transfer_between_pots(metadata("2024-01-09"), source="activity", target="revolving", amount=250_000)
    fund.move_to_bank(metadata("2024-01-10"), pot="revolving", amount=3_000_000)
    fund.fetch_from_bank(metadata("2024-01-11"), pot="revolving", amount=1_500_000)
    fund.receive_advance(metadata("2024-01-12"), source="credit_fund", amount=5_000_000)
    fund.repay_advance(metadata("2024-01-13"), 2, amount=1_000_000)
    for member, months in ((3, 12), (4, 30), (5, 12)):
        asks(member, 2_000_000, months=months, on="2024-01-14")(fund)
    fund.reject_loan(metadata("2024-01-15", reason="0b0b"), 4)
    fund.approve_loan(metadata("2024-01-15", by="chair", member=1), 2)
    fund.approve_loan(metadata("2024-01-15", by="chair", member=1, reason="e1e1"), 3, override=True)
    hands_out(2, on="2024-01-15")(fund)
    hands_out(3, on="2024-01-15", place="bank")(fund)
    repays(2, 187_000, on="2024-02-15")(fund)
    undoes(on="2024-02-16")(fund)
    fund.waive_interest(metadata("2024-02-17", reason="ee11"), 2, amount=5_000)
    fund.set_off_savings(metadata("2024-02-17"), 2, amount=15_000)
    fund.reschedule_loan(metadata("2024-02-20", reason="aa11"), 2, term_months=6)
    fund.write_off_loan(metadata("2024-03-01", reason="aa22"), 2)
    fund.recover_loan(metadata("2024-03-02"), 2, amount=50_000)
    fund.leave(metadata("2024-03-03"), 5, "died")
    fund.leave(metadata("2024-03-03"), 4, "moved")
    fund.take_back(metadata("2024-03-04"), 4)
    fund.forgive_dues(metadata("2024-03-04", reason="ff22"), 4, months=("2024-02",))
    fund.hold_meeting(
        metadata("2024-03-05", key="sheet-0002"), sheet="2024-03-05", present=[1, 2], by_proxy=[3], book_opening=0
    )
    fund.correct_attendance(metadata("2024-03-06", reason="ab12"), fund.version, present=[1, 2, 4], by_proxy=[3])
    fund.count_cash(
        metadata("2024-03-05"), reason="surprise", counted=fund.cash_at(day("2024-03-05")) - 4_000, witnesses=[1]
    )
    fund.note_inspection(metadata("2024-03-06", finding="beef"), kind="sample")
    fund.hold_activity(metadata("2024-03-06", note="ac01"), area="health", participants=3, volunteers=1)
    fund.give_mutual_help(metadata("2024-03-06"), kind="labour", quantity=3, unit="công", people=1, worth=600_000)
    fund.change_place(metadata("2024-03-06"), commune="phường Đông Kinh", province="Lạng Sơn", document="1672/NQ")
    fund.adopt_bylaws(metadata("2024-03-07"), bylaws(monthly_rate_ppm=8_000))
    fund.close_period(metadata("2024-03-08"), through=day("2024-01-31"))
    fund.reopen_period(metadata("2024-03-09", reason="cafe"), since=day("2024-01-15"))
    fund.leave_office(metadata("2024-03-10"), member=1, office="chair")
    settle_all(fund, "2024-03-15")
    fund.dissolve(metadata("2024-03-15"), document="QĐ 99")
    return fund


def settle_all(fund: Fund, on: str | date) -> None:
    """Every loan, saving and advance is paid back."""
    for loan in list(fund.loans.values()):
        if loan.status == "running":
            fund.repay_loan(metadata(on), loan.number, amount=loan.standing(day(on)).settlement_amount)
    for (_, account, number), amount in sorted(fund.balances.items(), key=str):
        if account == "savings" and amount:
            fund.withdraw_savings(metadata(on), member=number, amount=-amount)  # type: ignore[arg-type]
        if account == "advances" and amount:
            fund.repay_advance(metadata(on), number, amount=-amount)  # type: ignore[arg-type]


def borrowing_village() -> Fund:
    """Of four on the roll in June 2026: one owes, two were lent to within the year, three have ever been.

    Hoàng Thị Sầm's loan of 2024 is repaid. Lý Văn Páo's, of last August, is repaid, too. Triệu Thị Mẩy's, of December,
    runs, and so does her second, for consumption. Vi Văn Đức, who had one of last July, has left; Nông Thị Lả never
    borrowed, for hers was a mistake and undone.
    """
    fund = village(
        lends(1, 1_200_000, on="2024-02-01"),
        repays(1, 1_212_000, on="2024-03-01"),
        lends(5, 600_000, on="2025-07-10"),
        lends(2, 1_200_000, on="2025-08-01"),
        repays(3, 1_212_000, on="2025-09-01"),
        lends(3, 1_200_000, on="2025-12-01"),
        leaves(5, "2026-01-15"),
        lends(4, 700_000, on="2026-02-01"),
        undoes(on="2026-02-03"),
    )
    fund.request_loan(metadata("2026-03-01"), member=3, principal=500_000, term_months=6, purpose="other")
    grants(6, on="2026-03-01")(fund)
    hands_out(6, on="2026-03-01")(fund)
    return fund
