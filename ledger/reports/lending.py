"""What was lent, what came back, and what is late; by purpose, and by who borrowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple, get_args

from ledger.database import Row
from ledger.events import EntryReversed, LoanDisbursed, LoanRecovered, LoanWrittenOff
from ledger.events.loans import Purpose
from ledger.projections.loan_account import PAR_DAYS, REPAYING, Account
from ledger.reports.club import ClubAt, once
from ledger.reports.people import POVERTIES, SEXES, band_of, bands
from ledger.reports.shares import share

PURPOSES: Final[tuple[str, ...]] = get_args(Purpose)


class _Flow(NamedTuple):
    """What a loan moved in the period; what was undone in it counts against it."""

    loans: int = 0
    disbursed: int = 0
    principal: int = 0
    interest: int = 0
    written_off: int = 0
    recovered: int = 0


@once
def lending(club: ClubAt) -> dict[str, Any]:
    """The flows of the period, and what is outstanding and late at its end."""
    flows = {number: _flow(facts, club) for number, facts in club.loan_facts.items()}
    outstanding = overdue = at_risk = 0
    owed: dict[int, int] = {}
    for account in club.running:
        late = account.late(club.period.until)
        assert late
        outstanding += account.outstanding
        overdue += late.overdue_principal
        at_risk += account.outstanding if late.days_late > PAR_DAYS else 0
        owed[account.number] = account.outstanding
    total = _Flow(*map(sum, zip(*flows.values(), strict=True))) if flows else _Flow()
    figures: dict[str, Any] = {name: getattr(total, name) for name in ("loans", "disbursed", "principal", "interest")}
    figures |= {"outstanding": outstanding, "overdue": overdue, "par30": share(at_risk, outstanding)}
    figures |= {"written_off": total.written_off, "recovered": total.recovered}
    for name, groups in _groups(club).items():
        figures[name] = {group: {"loans": 0, "disbursed": 0, "outstanding": 0} for group in groups}
    for number, facts in club.loan_facts.items():
        flow, left = flows[number], owed.get(number, 0)
        if flow.loans or flow.disbursed or left:
            for name, group in _groups_of(Account(facts).asked, club):
                sums = figures[name][group]
                sums["loans"] += flow.loans
                sums["disbursed"] += flow.disbursed
                sums["outstanding"] += left
    return figures


def _groups(club: ClubAt) -> dict[str, tuple[str, ...]]:
    return {"by_purpose": PURPOSES, "by_sex": SEXES, "by_age": bands(club.threshold), "by_poverty": POVERTIES}


def _groups_of(asked: Row, club: ClubAt) -> Iterator[tuple[str, str]]:
    """Into which group a loan falls: by what it is for, and by its borrower as they stood, or last stood."""
    yield "by_purpose", asked["purpose"]
    borrower = club.people[asked["member"]]
    yield "by_sex", borrower.sex
    yield "by_age", band_of(borrower, club)
    yield "by_poverty", borrower.poverty


def _flow(facts: list[Row], club: ClubAt) -> _Flow:
    """What a loan moved in the period."""
    since = club.period.since.isoformat()
    by_version = {fact["version"]: fact for fact in facts}
    moved = [_Flow()]
    for fact in facts:
        if fact["on_day"] >= since:
            if fact["fact"] == EntryReversed.__name__:
                undone = by_version.get(fact["reverses"])
                moved.append(_Flow(*(-each for each in _moved(undone))) if undone else _Flow())
            else:
                moved.append(_moved(fact))
    return _Flow(*map(sum, zip(*moved, strict=True)))


def _moved(fact: Row) -> _Flow:
    kind = fact["fact"]
    if kind == LoanDisbursed.__name__:
        return _Flow(loans=1, disbursed=fact["principal"])
    if kind in REPAYING:
        # What comes off the loan beyond the principal repaid was forgiven.
        forgiven = -fact["change"] - fact["principal"]
        return _Flow(principal=fact["principal"], interest=fact["interest"], written_off=forgiven)
    if kind == LoanWrittenOff.__name__:
        return _Flow(written_off=fact["principal"])
    if kind == LoanRecovered.__name__:
        return _Flow(recovered=fact["principal"])
    return _Flow()
