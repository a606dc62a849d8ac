"""What must hold for the whole book, whatever happened: told of 150 random histories, and of kernels broken on purpose.

Each invariant is a function that returns findings. It is computed from the entries alone, the slow and plain way, and
compared with what the fund keeps. Beneath, each is shown a kernel with one rule taken out, and must find it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import accumulate

import pytest

from ledger import refusals
from ledger.aggregates.fund import REVERSIBLE_MEMOS, Fund
from ledger.aggregates.governance import SEVERAL_HOLDERS
from ledger.chart import ASSETS, LIABILITIES, NEVER_NEGATIVE, POTS, Key, Leg
from ledger.events import (
    EVENT_TYPES,
    CashCounted,
    ContributionReceived,
    EntryReversed,
    LoanRepaid,
    MeetingHeld,
    OpeningBooks,
    OpeningSavings,
    PeriodClosed,
    PeriodReopened,
    SavingsSetOff,
    SavingsWithdrawn,
    Voucher,
    decode,
    encode,
)
from ledger.history import verify
from ledger.refusals import Refusal
from tests.support import broken_kernels
from tests.support.cases import case
from tests.support.histories import History, random_fund, random_history
from tests.support.village import lines, replayed, state

SEEDS = range(150)
Findings = Iterator[str]


def movements(fund: Fund) -> dict[Key, dict[date, int]]:
    """What each account was moved by, day by day, from the events' legs alone."""
    moved: dict[Key, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for event in fund.entries:
        for leg in event.legs():
            moved[leg.pot, leg.account, leg.of][event.on] += leg.amount
    return moved


def total(fund: Fund, account: str, pot: str | None = None) -> int:
    """The balance of an account by the legs alone."""
    legs = (leg for event in fund.entries for leg in event.legs())
    return sum(leg.amount for leg in legs if leg.account == account and pot in (None, leg.pot))


# --- the invariants ---------------------------------------------------------------------------------------------------


def each_event_balances_within_each_pot(fund: Fund) -> Findings:
    """Debits equal credits, for each pot by itself."""
    for event in fund.entries:
        for pot in POTS:
            if off := sum(leg.amount for leg in event.legs() if leg.pot == pot):
                yield f"version {event.version} {event.name}: the {pot} pot is off by {off}"


def no_guarded_account_is_below_zero_on_any_day(fund: Fund) -> Findings:
    """Cash, bank, loans, equipment, savings and advances, at the end of every day; and the fund keeps the same sums."""
    for key, by_day in movements(fund).items():
        if key[1] not in NEVER_NEGATIVE:
            continue
        days = sorted(by_day)
        for day, balance in zip(days, accumulate(by_day[day] for day in days), strict=True):
            if balance * NEVER_NEGATIVE[key[1]] < 0:
                yield f"{key} stands at {balance} on {day}"
            if fund.daily[key].at(day) != balance:
                yield f"{key} is kept as {fund.daily[key].at(day)} on {day}, not {balance}"


def the_balances_kept_are_the_journals(fund: Fund) -> Findings:
    """The fund's running balances against the sums of all legs; assets are what is owed and the club's own."""
    journal = {key: amount for key, by_day in movements(fund).items() if (amount := sum(by_day.values()))}
    kept = {key: amount for key, amount in fund.balances.items() if amount}
    if journal != kept:
        yield f"{set(journal.items()) ^ set(kept.items())}"


def the_loan_book_is_the_loans_account(fund: Fund) -> Findings:
    """Outstanding principal, loan by loan, whatever was reversed, rescheduled or given up."""
    for number, loan in fund.loans.items():
        account = sum(
            leg.amount for e in fund.entries for leg in e.legs() if (leg.account, leg.of) == ("loans", number)
        )
        if account != loan.outstanding:
            yield f"loan {number}: {loan.outstanding} outstanding, {account} in its account"
    if total(fund, "loans") != sum(loan.outstanding for loan in fund.loans.values()):
        yield "the loan book and the loans account differ"


def a_loans_standing_agrees_with_its_outstanding(fund: Fund) -> Findings:
    """The fold by days and the sum of splits are two ways to one figure."""
    today = max(event.on for event in fund.entries)
    for loan in fund.loans.values():
        if loan.status in ("running", "settled") and loan.standing(today).outstanding != loan.outstanding:
            yield f"loan {loan.number} stands at {loan.standing(today).outstanding}, not {loan.outstanding}"


def each_repayment_is_split_without_remainder(fund: Fund) -> Findings:
    """Principal and interest are the amount; both pots' parts of the interest are the interest."""
    for event in fund.entries:
        if isinstance(event, LoanRepaid | SavingsSetOff):
            paid_from = event.place if isinstance(event, LoanRepaid) else "savings"
            brought = sum(leg.amount for leg in event.legs() if leg.account == paid_from)
            if not event.amount == event.principal + event.interest == brought:
                yield f"version {event.version}: {event.amount} was split into {event.principal} and {event.interest}"


def savings_are_what_each_member_brought_and_did_not_take_back(fund: Fund) -> Findings:
    """By member, from the live facts rather than from their legs."""
    saved: Counter[int] = Counter()
    taken_over: tuple[OpeningSavings, ...] = ()
    for event in fund.entries:
        if event.version in fund.reversed_by:
            continue
        if isinstance(event, ContributionReceived) and event.kind == "savings":
            saved[event.member] += event.amount
        elif isinstance(event, SavingsWithdrawn | SavingsSetOff):
            saved[event.member] -= event.amount
        elif isinstance(event, OpeningBooks):
            saved.subtract({saver.member: saver.amount for saver in taken_over})
            taken_over = event.savings
            saved.update({saver.member: saver.amount for saver in taken_over})
    kept = {key[2]: -amount for key, amount in fund.balances.items() if key[1] == "savings"}
    for member in fund.members:
        if saved[member] != kept.get(member, 0):
            yield f"member {member}: {saved[member]} by the facts, {kept.get(member, 0)} in the account"


def vouchers_are_numbered_without_gaps(fund: Fund) -> Findings:
    """Each series from 0001, one by one, in the order of recording; and just where cash moves through the box."""
    last: Counter[str] = Counter()
    for event in fund.entries:
        if not isinstance(event, Voucher):
            continue
        cash = sum(leg.amount for leg in event.legs() if leg.account == "cash")
        series = f"{'PT' if cash > 0 else 'PC'}-{event.on.year}-"
        last[series] += bool(cash)
        if event.voucher != (f"{series}{last[series]:04d}" if cash else None):
            yield f"version {event.version} bears {event.voucher}"


def a_reversal_negates_what_it_reverses(fund: Fund) -> Findings:
    """Leg by leg, once, not before the day it happened, with the wrong voucher's number in view."""
    reversed_once = set()
    for event in fund.entries:
        if isinstance(event, EntryReversed):
            original = fund.entries[event.reverses - 1]
            negated = tuple(Leg(leg.pot, leg.account, -leg.amount, leg.of) for leg in original.legs())
            if event.legs() != negated or event.reverses in reversed_once or event.on < original.on:
                yield f"version {event.version} does not undo version {event.reverses}"
            if event.voucher != getattr(original, "voucher", None) or event.entry != original.name:
                yield f"version {event.version} names another voucher or type than version {event.reverses}"
            reversed_once.add(event.reverses)


def closed_days_stay_as_they_were_certified(fund: Fund) -> Findings:
    """No entry goes to a closed day, and a period is closed with the balances that the journal had by then."""
    closed_through: date | None = None
    journal: dict[tuple[str, str], Counter[date]] = defaultdict(Counter)
    for event in fund.entries:
        if closed_through and event.on <= closed_through and not isinstance(event, PeriodReopened):
            yield f"version {event.version} is dated {event.on}, in a closed period"
        if isinstance(event, PeriodClosed):
            closed_through = event.through
            by_then = {key: sum(n for day, n in days.items() if day <= event.through) for key, days in journal.items()}
            certified = {(leg.pot, leg.account): leg.amount for leg in event.balances}
            guarded = {key: sum_ for key, sum_ in by_then.items() if sum_ and key[1] in ASSETS | LIABILITIES}
            if certified != guarded:
                yield f"version {event.version} certifies {certified}, not {guarded}"
        elif isinstance(event, PeriodReopened):
            closed_through = event.since - timedelta(days=1)
        for leg in event.legs():
            journal[leg.pot, leg.account][event.on] += leg.amount


def counts_and_meetings_state_the_box_as_it_was_booked(fund: Fund) -> Findings:
    """Expected cash by the legs recorded before, up to the day; a count leaves the box as it was counted."""
    box: dict[tuple[str, date], int] = defaultdict(int)

    def booked(day: date, pots: tuple[str, ...]) -> int:
        return sum(amount for (pot, on), amount in box.items() if pot in pots and on <= day)

    for event in fund.entries:
        if isinstance(event, CashCounted):
            pots = POTS if event.pot == "both" else (event.pot,)
            if event.expected != booked(event.on, pots) or event.difference != event.counted - event.expected:
                yield f"version {event.version} expects {event.expected}"
        for leg in event.legs():
            if leg.account == "cash":
                box[leg.pot, event.on] += leg.amount
        if isinstance(event, CashCounted) and event.pot == "both" and booked(event.on, POTS) != event.counted:
            yield f"version {event.version} does not leave the box as counted"
        if isinstance(event, MeetingHeld) and event.book_closing != booked(event.on, POTS):
            yield f"version {event.version} closes with {event.book_closing}"


def one_member_holds_each_office_of_the_board(fund: Fund) -> Findings:
    """Only of home-care volunteers there are several."""
    holders = Counter(office for office, _ in fund.offices)
    for office, several in holders.items():
        if several > 1 and office not in SEVERAL_HOLDERS:
            yield f"{several} members are {office}"


def the_lines_alone_give_the_live_fund(fund: Fund) -> Findings:
    """Every attribute of a fund replayed from its bytes; each line is its event; the chain is whole."""
    stored = lines(fund)
    again, live = state(replayed(stored)), state(fund)
    for name in live:
        if again[name] != live[name]:
            yield f"{name} differs after a replay"
    if any(encode(decode(line)) != line for line in stored) or not verify(stored).valid:
        yield "the lines are not what was encoded"


def a_dissolved_fund_is_empty(fund: Fund) -> Findings:
    """Nothing is left, nothing is owed, and nothing follows."""
    if fund.dissolved:
        left = {key: amount for key, amount in fund.balances.items() if key[1] in ASSETS | LIABILITIES and amount}
        later = [event.version for event in fund.entries if event.on > fund.dissolved.on]
        if left or later or fund.entries[-1] is not fund.dissolved:
            yield f"{left} left; {later} dated later"


INVARIANTS: tuple[Callable[[Fund], Findings], ...] = (
    each_event_balances_within_each_pot,
    no_guarded_account_is_below_zero_on_any_day,
    the_balances_kept_are_the_journals,
    the_loan_book_is_the_loans_account,
    a_loans_standing_agrees_with_its_outstanding,
    each_repayment_is_split_without_remainder,
    savings_are_what_each_member_brought_and_did_not_take_back,
    vouchers_are_numbered_without_gaps,
    a_reversal_negates_what_it_reverses,
    closed_days_stay_as_they_were_certified,
    counts_and_meetings_state_the_box_as_it_was_booked,
    one_member_holds_each_office_of_the_board,
    the_lines_alone_give_the_live_fund,
    a_dissolved_fund_is_empty,
)


def test_all_of_them_hold_for_every_random_history() -> None:
    for invariant in INVARIANTS:
        with case(invariant.__name__):
            assert {seed: found for seed in SEEDS if (found := list(invariant(random_fund(seed))))} == {}


# --- the histories are worth something --------------------------------------------------------------------------------

OF_CHECKPOINTS = {"CheckpointNotFound", "FundsChanged", "LeavesChanged", "NothingToVouchFor", "SignedByAnotherKey"}
OF_ACCESS = {"AccessHasEnded", "InvitationNotValid", "PersonNotFound", "PhoneNotFound", "RegisterKeyUnusable"}
ELSEWHERE = {"AmountNotPositive", "FundNotFound", "VersionMismatch", "IdempotencyKeyReused", "LinesRefused"}
"""Refusals of what no history asks for, of the ledger around the fund and of a meeting's sheet, tested there."""
OF_PRACTICE = {"PracticeCodeNeeded", "PracticeCodeReserved"}
OF_REPORTS = {"PlanNotFound", "BudgetLineNotFound", "ReportNotFound"}


def test_the_histories_show_every_event_and_every_refusal_of_the_fund() -> None:
    events, refused = Counter[str](), Counter[str]()
    for seed in SEEDS:
        history = random_history(seed)
        events.update(event.name for event in history.fund.entries)
        refused += history.refused
    leaves = {kind.__name__ for kind in vars(refusals).values() if isinstance(kind, type) and is_leaf(kind)}
    assert set(events) == set(EVENT_TYPES)
    assert set(refused) == leaves - ELSEWHERE - OF_CHECKPOINTS - OF_ACCESS - OF_PRACTICE - OF_REPORTS


def is_leaf(kind: type) -> bool:
    """Whether it is a refusal that is raised, not one that others are made from."""
    return issubclass(kind, Refusal) and not kind.__subclasses__()


def test_the_histories_reverse_every_kind_of_entry_that_can_be_reversed() -> None:
    reversed_kinds = {e.entry for seed in SEEDS for e in random_fund(seed).entries if isinstance(e, EntryReversed)}
    never = {"EntryReversed", "OpeningBalancesDeclared", "OpeningBalancesCorrected", "FundDissolved"}
    moving = {event.name for seed in SEEDS for event in random_fund(seed).entries if event.legs()}
    memos = {kind.__name__ for kind in REVERSIBLE_MEMOS}
    assert reversed_kinds == moving - never | memos | {"MeetingHeld"}


def test_every_sixth_history_ends_with_the_fund_wound_up() -> None:
    assert [seed for seed in SEEDS if random_fund(seed).dissolved] == [seed for seed in SEEDS if seed % 6 == 0]


def test_the_same_seed_tells_the_same_lines() -> None:
    assert lines(History(3).told(60).fund) == lines(History(3).told(60).fund)


def test_a_fork_shares_nothing_that_may_change() -> None:
    fund = random_fund(0)
    twin, before = random_fund(0).fork(), state(fund)
    for value in vars(twin).values():
        if isinstance(value, dict | set | list):
            value.clear()
    assert state(fund) == before


# --- each invariant can fail ------------------------------------------------------------------------------------------


BROKEN: tuple[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[Fund], Findings]], ...] = (
    (broken_kernels.unbalanced, each_event_balances_within_each_pot),
    (broken_kernels.overdrawn, no_guarded_account_is_below_zero_on_any_day),
    (broken_kernels.late_entries_unseen, no_guarded_account_is_below_zero_on_any_day),
    (broken_kernels.balances_forget, the_balances_kept_are_the_journals),
    (broken_kernels.reversed_repayments_live_on, the_loan_book_is_the_loans_account),
    (broken_kernels.standing_forgets_the_last_day, a_loans_standing_agrees_with_its_outstanding),
    (broken_kernels.interest_is_lost, each_repayment_is_split_without_remainder),
    (broken_kernels.savings_of_somebody_else, savings_are_what_each_member_brought_and_did_not_take_back),
    (broken_kernels.vouchers_skip, vouchers_are_numbered_without_gaps),
    (broken_kernels.reversals_repeat, a_reversal_negates_what_it_reverses),
    (broken_kernels.closed_periods_take_entries, closed_days_stay_as_they_were_certified),
    (broken_kernels.counts_expect_todays_cash, counts_and_meetings_state_the_box_as_it_was_booked),
    (broken_kernels.offices_are_shared, one_member_holds_each_office_of_the_board),
    (broken_kernels.a_decision_changes_the_fund_itself, the_lines_alone_give_the_live_fund),
    (broken_kernels.dissolved_with_money_left, a_dissolved_fund_is_empty),
)


@pytest.mark.parametrize(("broken", "invariant"), BROKEN, ids=[broken.__name__ for broken, _ in BROKEN])
def test_a_broken_kernel_is_found(
    broken: Callable[[pytest.MonkeyPatch], None],
    invariant: Callable[[Fund], Findings],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken(monkeypatch)
    assert any(list(invariant(History(seed).told(150).fund)) for seed in range(0, 60, 3))


def test_every_invariant_has_a_kernel_that_breaks_it() -> None:
    assert {invariant for _, invariant in BROKEN} == set(INVARIANTS)
