"""The loan book: every loan's terms, plan and standing at the end of any day."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any, get_args

import msgspec

from ledger.chart import Legs
from ledger.database import Row
from ledger.events import (
    EntryReversed,
    Event,
    InterestWaived,
    LoanApproved,
    LoanDisbursed,
    LoanRecovered,
    LoanRejected,
    LoanRepaid,
    LoanRequested,
    LoanRescheduled,
    LoanWrittenOff,
    OpeningBalancesCorrected,
    OpeningBalancesDeclared,
    OpeningBooks,
    SavingsSetOff,
)
from ledger.projections.loan_account import OPENING, Account, as_declared
from ledger.projections.tables import FOREVER, History, Reader, Rows, Table, percent, until

LOAN_FACTS = Table(
    "loan_facts",
    columns="fund TEXT NOT NULL, loan BIGINT NOT NULL, version BIGINT NOT NULL, fact TEXT NOT NULL, "
    "on_day TEXT NOT NULL, change BIGINT NOT NULL, member BIGINT, reverses BIGINT, principal BIGINT, interest BIGINT, "
    "term_months BIGINT, purpose TEXT, guarantor BIGINT, received_on TEXT, monthly_rate_ppm BIGINT, "
    "interest_method TEXT, repayment_mode TEXT, interest_to_activity_ppm BIGINT, interest_rounding BIGINT, "
    "outstanding BIGINT, override_rules TEXT",
    key="fund, loan, version",
    indexes=("(fund, member)",),
)
"""What happened to each loan; what a fact does not say is null.

`change` is what it does to the principal outstanding, `received_on` the day the money was handed out (before the books
for a loan that was taken over); a rescheduling's `principal` and `interest` are the sums it plans anew and carries.
"""

LOAN_RECEIPTS = Table(
    "loan_receipts",
    columns="fund TEXT NOT NULL, loan BIGINT NOT NULL, version BIGINT NOT NULL, member BIGINT NOT NULL, "
    "purpose TEXT NOT NULL, received_on TEXT NOT NULL, from_day TEXT NOT NULL, until_day TEXT NOT NULL",
    key="fund, loan, version",
)
"""Who received a loan, and when. `from_day` is the day it stands in the books, `until_day` that of its reversal."""

LOAN_SPELLS = Table(
    "loan_spells",
    columns="fund TEXT NOT NULL, loan BIGINT NOT NULL, from_day TEXT NOT NULL, until_day TEXT NOT NULL, "
    "member BIGINT NOT NULL, purpose TEXT NOT NULL",
    key="fund, loan, from_day",
)
"""The stretches in which principal was outstanding at the end of every day."""


# --- how they change --------------------------------------------------------------------------------------------------

OPENINGS = (OpeningBalancesDeclared, OpeningBalancesCorrected)

_FILLED = LOAN_FACTS.names[LOAN_FACTS.names.index("member") :]

OfLoan = (
    LoanRequested
    | LoanApproved
    | LoanRejected
    | LoanDisbursed
    | LoanRepaid
    | LoanRescheduled
    | LoanWrittenOff
    | LoanRecovered
    | SavingsSetOff
    | InterestWaived
    | EntryReversed
)


def _rows(event: OfLoan, on: str, legs: Legs) -> Iterable[tuple[Any, ...]]:
    """The fact an event tells of a loan."""
    if event.loan is None:
        return ()
    values: dict[str, object] = {}
    if isinstance(event, LoanDisbursed):
        values = {"received_on": on}
    elif isinstance(event, LoanRescheduled):
        values = {"principal": event.outstanding, "interest": event.interest_carried}
    elif isinstance(event, LoanWrittenOff | LoanRecovered):
        values = {"principal": event.amount}
    elif isinstance(event, InterestWaived):
        values = {"interest": event.amount}
    if isinstance(event, LoanApproved | LoanRescheduled) and event.override:
        values["override_rules"] = json.dumps(event.override.rules)
    return (_row(event, on, legs, event.loan, event, values),)


def _old_loans(event: OpeningBooks, on: str, legs: Legs) -> Iterable[tuple[Any, ...]]:
    """Loans that were running when the club's books were taken over; put right, also those that never were."""
    for old in event.loans:
        values: dict[str, object] = {"received_on": old.disbursed_on.isoformat(), "interest": old.interest_owed or None}
        yield _row(event, on, legs, old.loan, old, values)
    for gone in _posted_to(legs) - {old.loan for old in event.loans}:
        yield _row(event, on, legs, gone, event, {})


def _posted_to(legs: Legs) -> set[int]:
    return {leg.of for leg in legs if leg.account == "loans" and isinstance(leg.of, int)}


def _row(
    event: Event, on: str, legs: Legs, loan: int, source: msgspec.Struct, values: dict[str, object]
) -> tuple[Any, ...]:
    change = sum(leg.amount for leg in legs if leg.account == "loans" and leg.of == loan)
    facts = [getattr(source, field) if field else None for field in _fields(type(source))]
    for name, value in values.items():
        facts[_FILLED.index(name)] = value
    return (event.fund, loan, event.version, event.name, on, change, *facts)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[str | None, ...]:
    """Of the columns that a fact may fill, those that this kind does, under the same name; None for the others."""
    known = {field.name for field in msgspec.structs.fields(kind)}
    return tuple(name if name in known else None for name in _FILLED)


def _touched(event: LoanDisbursed | LoanWrittenOff | EntryReversed, _: bool) -> Iterable[int]:
    """The loan whose spells or receipts an event may change."""
    return () if event.loan is None else (event.loan,)


def _touched_by_repayment(event: LoanRepaid | SavingsSetOff, is_late: bool) -> Iterable[int]:
    """A repayment that leaves principal outstanding cuts no spell, unless it is values late: then later days count."""
    return (event.loan,) if is_late or not event.outstanding else ()


def _derive(facts: Sequence[Row]) -> dict[Table, Rows]:
    """A loan's receipts, and the stretches its principal was outstanding, by the days things happened."""
    if not facts:
        return {}
    openings = [fact for fact in facts if fact["fact"] in OPENING]
    if openings and not openings[-1]["purpose"]:
        return {}  # The old books were put right: there never was such a loan.
    asked = as_declared(openings) or facts[0]
    assert asked["purpose"], "a loan begins with its request, or with the books"
    who = (asked["member"], asked["purpose"])
    key = (asked["fund"], asked["loan"])
    undone = {fact["reverses"]: fact["on_day"] for fact in facts if fact["reverses"]}
    receipts: Rows = []
    changes: dict[str, int] = defaultdict(int)
    for fact in facts:
        changes[fact["on_day"]] += fact["change"]
        if fact["received_on"] and (fact is asked or fact not in openings):
            until_day = undone.get(fact["version"], FOREVER)
            receipts.append((*key, fact["version"], *who, fact["received_on"], fact["on_day"], until_day))
    spells: Rows = []
    outstanding, from_day = 0, None
    for day in sorted(changes):
        outstanding += changes[day]
        if outstanding > 0 and from_day is None:
            from_day = day
        elif outstanding <= 0 and from_day is not None:
            spells.append((*key, from_day, day, *who))
            from_day = None
    if from_day is not None:
        spells.append((*key, from_day, FOREVER, *who))
    return {LOAN_RECEIPTS: receipts, LOAN_SPELLS: spells}


HISTORY = History(
    facts=LOAN_FACTS,
    owner="loan",
    derived=(LOAN_RECEIPTS, LOAN_SPELLS),
    facts_of={**dict.fromkeys(get_args(OfLoan), _rows), **dict.fromkeys(OPENINGS, _old_loans)},
    touched={
        **dict.fromkeys((LoanDisbursed, LoanWrittenOff, EntryReversed), _touched),
        **dict.fromkeys((LoanRepaid, SavingsSetOff), _touched_by_repayment),
        **dict.fromkeys(OPENINGS, lambda event, _: {old.loan for old in event.loans} | _posted_to(event.legs())),
    },
    derive=_derive,
)


# --- queries ----------------------------------------------------------------------------------------------------------


def loan_book(
    reader: Reader,
    fund: str,
    as_of: date,
    *,
    status: str | None = None,
    member: int | None = None,
    after: int = 0,
    limit: int = 500,
) -> dict[str, Any]:
    """The loans there were at the end of `as_of`, by number: `{"items": […], "next": number or None}`.

    An item is `{loan, member, principal, term_months, purpose, guarantor, status, requested_on, approved_on,
    rejected_on, disbursed_on, maturity, term_months_in_force, times_rescheduled, rescheduled_on, monthly_rate_ppm,
    interest_method, repayment_mode, interest_to_activity_ppm, interest_rounding, override, principal_repaid,
    interest_paid, closed_on, outstanding, interest_due, settlement_amount, overdue_principal, days_late, par30,
    par30_first_plan}`. Amounts in đồng; `settlement_amount` is None unless the loan is running, `closed_on` (the day on
    which nothing was owed any more) unless it is settled or written off.
    `term_months` is what was asked for; the term in force counts from `rescheduled_on` if the loan was planned anew,
    else from the day it was handed out, and is None before. `status` is one of `requested, approved, rejected, running,
    settled, written_off`; `override` lists the rules of the bylaws that were set aside.
    """
    items = [
        account.summary(as_of)
        for account in _accounts(reader, fund, as_of, _which(status, member), member=member, after=after)
        if status in (None, account.status) and member in (None, account.asked["member"])
    ]
    return {"items": items[:limit], "next": items[limit - 1]["loan"] if len(items) > limit else None}


def closed(reader: Reader, fund: str, as_of: date, most: int) -> dict[str, Any]:
    """The loans that nobody owes or waits for, settled, written off or rejected: `{loans, latest}`, how many, and so
    many of the latest, by number downwards, as in `loan_book`."""
    rejected = _accounts(reader, fund, as_of, WAITING, after=0)
    settled = reader.query(
        f"SELECT DISTINCT loan FROM ({RECEIVED}) received WHERE NOT {RUNNING}", fund=fund, until=until(as_of)
    )
    numbers = [row["loan"] for row in settled] + [each.number for each in rejected if each.status == "rejected"]
    latest = set(sorted(numbers)[-most:])
    newest = _accounts(reader, fund, as_of, "loan > :after", after=min(latest, default=1) - 1) if latest else []
    items = [account.summary(as_of) for account in newest if account.number in latest]
    return {"loans": len(numbers), "latest": items[::-1]}


def loan(reader: Reader, fund: str, number: int, as_of: date) -> dict[str, Any] | None:
    """One loan as in `loan_book`, None if there was none. Also `interest_begun`, `interest_ahead` (paid and not yet
    accrued), `interest_waived`, `written_off`, `recovered`,
    `plan: [{number, due_on, principal, interest}]` (in force at `as_of`; before disbursement empty),
    `repayments: [{version, on, principal, interest}]` (live ones), `reschedulings: [{version, on, term_months,
    outstanding, interest_carried}]`, and the cost of a year in ppm: `nominal_yearly_ppm` (the rate as agreed, times
    twelve) beside `effective_yearly_ppm` (the rate on the reducing balance that the plan comes to, times twelve).
    """
    for account in _accounts(reader, fund, as_of, "loan = :number", number=number):
        return account.summary(as_of) | account.particulars(as_of)
    return None


def due(reader: Reader, fund: str, as_of: date) -> list[dict[str, int]]:
    """The loans that run at the end of `as_of` with what is due by then: `{loan, member, outstanding, due,
    principal_due, interest_due, settlement_amount}`, in đồng; `due` is the principal and the interest together."""
    return [
        {"loan": each.number, "member": each.asked["member"], **each.due(as_of)}
        for each in _accounts(reader, fund, as_of, RUNNING)
    ]


def portfolio(reader: Reader, fund: str, as_of: date) -> dict[str, Any]:
    """The running loans together: `{loans, borrowers, outstanding, interest_due, overdue_principal, late_loans, par30,
    par30_first_plan}`, each of the last two `{numerator, denominator, percent}`.

    PAR30 is the principal of loans more than 30 days late ÷ all outstanding: by the plan in force, and by the plan
    first agreed, so that planning anew cannot hide what is late.
    """
    running = [each.summary(as_of) for each in _accounts(reader, fund, as_of, RUNNING)]
    outstanding = sum(each["outstanding"] for each in running)
    return {
        "loans": len(running),
        "borrowers": len({each["member"] for each in running}),
        "outstanding": outstanding,
        "interest_due": sum(each["interest_due"] for each in running),
        "overdue_principal": sum(each["overdue_principal"] for each in running),
        "late_loans": sum(each["days_late"] > 0 for each in running),
        **{name: _at_risk(running, name, outstanding) for name in ("par30", "par30_first_plan")},
    }


def _at_risk(running: Sequence[dict[str, Any]], name: str, outstanding: int) -> dict[str, Any]:
    late = sum(each["outstanding"] for each in running if each[name])
    return {"numerator": late, "denominator": outstanding, "percent": percent(late, outstanding)}


# Which of a fund's loans: what is asked much is about those that run, a few dozens of an old club's hundreds.
RUNNING = "loan IN (SELECT loan FROM loan_spells WHERE fund = :fund AND from_day <= :until AND until_day > :until)"
RECEIVED = "SELECT loan FROM loan_receipts WHERE fund = :fund AND from_day <= :until AND until_day > :until"
WAITING = f"loan NOT IN ({RECEIVED})"
OF_MEMBER = "loan IN (SELECT loan FROM loan_facts WHERE fund = :fund AND member = :member)"


def _which(status: str | None, member: int | None) -> str:
    """Where all loans of this status and member are among, and as few others as the tables can tell."""
    narrow = {"running": RUNNING, "requested": WAITING, "approved": WAITING, "rejected": WAITING}.get(status or "")
    return " AND ".join(each for each in ("loan > :after", narrow, OF_MEMBER if member is not None else None) if each)


def _accounts(reader: Reader, fund: str, as_of: date, which: str, **parameters: int | None) -> list[Account]:
    """Some loans of a fund, by number, from what had happened by the end of `as_of`."""
    facts: dict[int, list[Row]] = defaultdict(list)
    for fact in reader.query(
        f"SELECT * FROM loan_facts WHERE fund = :fund AND on_day <= :until AND {which} ORDER BY loan, version",
        fund=fund,
        until=until(as_of),
        **parameters,
    ):
        facts[fact["loan"]].append(fact)
    return [Account(its) for its in facts.values()]
