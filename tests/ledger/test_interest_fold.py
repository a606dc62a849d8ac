"""Interest worked out a second time, by other arithmetic from the stored lines alone, agrees to the đồng.

`support/interest.py` shares no code with the ledger. Here it is checked by hand, told lives of loans in which all
happens that interest depends on, and shown kernels broken on purpose, which it must find.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from ledger import terms
from ledger.aggregates.fund import Fund
from ledger.aggregates.loan import Loan
from ledger.events import InterestWaived, LoanRepaid, LoanRescheduled, LoanWrittenOff, SavingsSetOff
from ledger.money import share
from ledger.refusals import Refusal
from ledger.terms import Repayment
from tests.support.histories import random_fund
from tests.support.interest import Debt, unlike
from tests.support.village import OPENED, day, given, gives, joins, lends, lines, metadata, pays, repays, undoes

LIVES = range(120)
STEPS = 24


def a_loans_life(seed: int) -> Fund:
    """A fund that lends to three members and hears of all that can happen to a loan, in any order of days."""
    random = Random(seed)  # Repeatable on purpose.
    pick = random.choice
    rules: dict[str, Any] = {
        "monthly_rate_ppm": pick((6_500, 9_999, 10_000, 16_666)),
        "interest_method": pick(("reducing", "flat")),
        "repayment_mode": pick(("equal_principal", "bullet", "interest_at_maturity")),
        "interest_rounding": pick((1, 100, 500, 1_000)),
        "interest_to_activity_ppm": pick((0, 333_333, 500_000, 1_000_000)),
        "two_person_approval": False,
    }
    fund = given(*[joins() for _ in range(3)], gives(90_000_000), **rules)
    for member in (1, 2, 3):
        pays(member, "savings", 2_000_000)(fund)
        principal = random.randint(1, 9_000) * 1_000 + pick((0, 0, 1, 499))
        lends(member, principal, months=pick((1, 3, 6, 12)), on=OPENED + timedelta(random.randint(0, 40)))(fund)
    for _ in range(STEPS):
        with suppress(Refusal):
            happens(fund, random)
    return fund


def happens(fund: Fund, random: Random) -> None:
    """One more thing that happens to one of the loans, told late or not."""
    number = random.randint(1, 3)
    loan = fund.loan(number)
    assert loan.disbursed_on
    on = loan.disbursed_on + timedelta(random.choice((0, 28, 29, 30, 31, 59, 60, 91, random.randint(0, 500))))
    amount, told = random.randint(1, 900_000), metadata(on)
    match random.choice("pppppPsswwrrgurr"):
        case "p":
            fund.repay_loan(told, number, amount=amount)
            earlier = max(on - timedelta(random.randint(20, 70)), loan.disbursed_on)
            fund.repay_loan(metadata(earlier), number, amount=fund.loan(number).outstanding // 2)
        case "P":
            rest = random.choice((0, 0, 1, 700))
            fund.repay_loan(told, number, amount=loan.standing(on).settlement_amount - rest, settle=bool(rest))
        case "s":
            fund.set_off_savings(told, number, amount=amount // 3)
        case "w":
            fund.waive_interest(told, number, amount=random.randint(1, max(loan.standing(on).interest_due, 1)))
        case "r":
            fund.reschedule_loan(told, number, term_months=random.choice((1, 6, 12)), override=True)
        case "g":
            fund.write_off_loan(told, number, amount=min(amount, loan.outstanding - 1))
        case "u":
            undone = {event.reverses for event in fund.entries if event.name == "EntryReversed"}  # type: ignore[attr-defined]
            of_loans = (LoanRepaid, SavingsSetOff, InterestWaived, LoanRescheduled, LoanWrittenOff)
            undoable = [e for e in fund.entries if isinstance(e, of_loans) and e.version not in undone]
            if undoable:
                wrong = random.choice(undoable)
                undoes(wrong.version, on=wrong.on)(fund)


def days_of(fund: Fund) -> list[date]:
    """Some days to look at a fund's loans: the ends of months and those around them, and long after."""
    last = max(event.on for event in fund.entries)
    return [OPENED + timedelta(n) for n in range(0, (last - OPENED).days + 60, 23)] + [last, last + timedelta(400)]


def found(seeds: Any) -> Iterator[str]:
    for seed in seeds:
        fund = a_loans_life(seed)
        yield from (f"life {seed}: {what}" for what in unlike(fund, days_of(fund)))


def test_both_agree_to_the_dong_on_every_figure_of_the_lives_of_360_loans():
    assert list(found(LIVES)) == []


def test_both_agree_on_the_loans_of_random_clubs_taken_over_books_among_them():
    for seed in range(0, 150, 5):
        fund = random_fund(seed)
        last = max(event.on for event in fund.entries)
        assert list(unlike(fund, [last, last - timedelta(31)])) == [], seed


def test_in_these_lives_happens_all_that_interest_depends_on():
    seen: Counter[str] = Counter()
    for seed in LIVES:
        fund = a_loans_life(seed)
        latest: dict[int, date] = {}
        for event in fund.entries:
            seen[event.name] += 1
            seen["rest forgiven"] += bool(getattr(event, "forgiven", 0))
            seen["credit carried"] += getattr(event, "interest_carried", 0) < 0
            seen["debt carried"] += getattr(event, "interest_carried", 0) > 0
            if isinstance(event, LoanRepaid | SavingsSetOff):
                seen["told late"] += event.on < latest.get(event.loan, event.on)
                latest[event.loan] = max(event.on, latest.get(event.loan, event.on))
        seen[f"rounding {fund.bylaws_on(OPENED).interest_rounding}"] += 1
    wanted = (
        ["LoanRepaid", "SavingsSetOff", "InterestWaived", "LoanRescheduled", "LoanWrittenOff", "EntryReversed"]
        + ["rest forgiven", "credit carried", "debt carried", "told late"]
        + [f"rounding {step}" for step in (1, 100, 500, 1_000)]
    )
    assert {what: seen[what] for what in wanted if seen[what] < 10} == {}


def test_the_fold_by_hand_what_is_paid_ahead_is_used_up_first():
    fund = given(joins(), gives(9_000_000), monthly_rate_ppm=10_000, two_person_approval=False)
    lends(1, 6_000_000, months=6, on="2024-01-10")(fund)
    repays(1, 1_200_000, on="2024-03-20")(fund)
    repays(1, 3_060_000, on="2024-02-16")(fund)
    fund.reschedule_loan(metadata("2024-04-10", reason="aa11"), 1, term_months=6)
    debt = Debt([json.loads(line) for line in lines(fund)], 1)
    assert debt.owed(day("2024-04-10")) == (1_920_000, -70_800, 0)
    assert debt.owed(day("2024-07-10")) == (1_920_000, -13_200, 0)
    assert debt.owed(day("2024-07-11")).settlement == 1_920_000 + 19_200 - 13_200


# --- kernels broken on purpose ----------------------------------------------------------------------------------------


def rounds_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.terms.share", lambda base, ppm, step=1: base * ppm // 1_000_000 // step * step)


def rounds_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.terms.share", lambda base, ppm, step=1: share(base, ppm, 1))


def forgets_the_credit(monkeypatch: pytest.MonkeyPatch) -> None:
    phase = Loan.phase
    monkeypatch.setattr(Loan, "phase", lambda loan, on: (p := phase(loan, on))._replace(carried=max(p.carried, 0)))


def sees_only_what_was_told_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    standing = terms.standing
    in_order = lambda past: [r for i, r in enumerate(past) if not any(r.on < other.on for other in past[:i])]  # noqa: E731
    monkeypatch.setattr(
        "ledger.aggregates.loan.standing",
        lambda of, start, past, on, **rest: standing(of, start, in_order(list(past)), on, **rest),
    )


def takes_no_notice_of_waivers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(InterestWaived, "reduction", lambda event: Repayment(event.on, 0, 0))


def lets_a_write_off_run_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Loan, "given_up", lambda loan, event: loan.reduced(event.version, Repayment(event.on, 0, 0)))


def splits_a_set_off_as_principal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SavingsSetOff, "reduction", lambda event: Repayment(event.on, event.amount, 0))


@pytest.mark.parametrize(
    "broken",
    [
        rounds_down,
        rounds_to_one,
        forgets_the_credit,
        sees_only_what_was_told_in_order,
        takes_no_notice_of_waivers,
        lets_a_write_off_run_on,
        splits_a_set_off_as_principal,
    ],
    ids=lambda broken: broken.__name__,
)
def test_the_fold_finds_a_broken_kernel(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    broken(monkeypatch)
    assert any(found(range(40)))
