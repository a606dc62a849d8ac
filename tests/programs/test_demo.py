"""Claims about the demo: the plan's figures, believable books, and nothing that a real request could not have made."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from ledger.application import Ledger
from ledger.days import civil_day
from ledger.events import (
    CashCounted,
    EntryReversed,
    Event,
    InKindDonationReceived,
    LoanApproved,
    LoanDisbursed,
    LoanRejected,
    LoanRepaid,
    MemberJoined,
    MemberLeft,
)
from ledger.flags import Thresholds, flags
from ledger.history import verify
from service.access.tokens import Principals
from service.demo import DatabaseNotEmpty, Summary, fill
from service.demo.diary import instant
from service.demo.places import BADLY_KEPT, CLUBS, WITHOUT_REVOLVING_POT
from tests.conftest import DEMO_TODAY
from tests.support.demo import Filled, filled
from tests.support.keys import key_for, registered

AUTUMN = date(2022, 9, 15)
CODES = {club.commune: club.code for club in CLUBS}


@pytest.fixture(scope="module")
def province(demo_database: Path) -> Iterator[Filled]:
    """All clubs, for the two years that begin with the months in which the last four were founded."""
    summary = msgspec.json.decode(demo_database.with_suffix(".summary").read_bytes(), type=Summary)
    ledger = Ledger(url := f"sqlite:///{demo_database}", register_key=key_for(url))
    yield Filled(ledger, summary, DEMO_TODAY)
    ledger.close()


@pytest.fixture(scope="module")
def three_years(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Four clubs for three years: a usual one, the badly kept one, the one that does not lend, and a new one."""
    home: Path = tmp_path_factory.mktemp("three-years")
    made = filled(f"sqlite:///{home / 'fund.db'}", date(2024, 4, 1), clubs=4, since=date(2021, 4, 1))
    yield made
    made.ledger.close()


def heads(ledger: Ledger) -> dict[str, str]:
    return {code: ledger.replayed(code).head for code in ledger.funds()}


# --- the same for everybody -------------------------------------------------------------------------------------------


def test_the_same_seed_tells_the_same_lines_on_every_engine(database_url, tmp_path):
    # Given a village, when it is made anew, here on the other engine, then every line of it is the same.
    first = filled(database_url, date(2022, 7, 1), clubs=2, since=date(2022, 4, 1))
    again = filled(f"sqlite:///{tmp_path / 'again.db'}", date(2022, 7, 1), clubs=2, since=date(2022, 4, 1))
    other = filled(f"sqlite:///{tmp_path / 'other.db'}", date(2022, 7, 1), clubs=2, since=date(2022, 4, 1), seed=48)

    assert heads(first.ledger) == heads(again.ledger)
    assert first.summary == again.summary
    assert not set(heads(first.ledger).values()) & set(heads(other.ledger).values())
    for made in (first, again, other):
        made.ledger.close()


def test_what_was_told_by_a_day_is_not_changed_by_what_comes_later(sqlite_url, tmp_path):
    # Given the demo of one day, when it is made a month later, then its books go on where they were.
    early = filled(sqlite_url, date(2022, 6, 10), clubs=2, since=date(2022, 4, 1))
    late = filled(f"sqlite:///{tmp_path / 'late.db'}", date(2022, 7, 10), clubs=2, since=date(2022, 4, 1))

    for code in early.ledger.funds():
        lines = [entry.line for entry in early.ledger.entries(code)]
        assert lines == [entry.line for entry in late.ledger.entries(code, upto=len(lines))]
        assert late.ledger.replayed(code).version > len(lines)
    early.ledger.close()
    late.ledger.close()


def test_a_database_with_funds_is_left_as_it_is(sqlite_url):
    made = filled(sqlite_url, date(2022, 5, 1), clubs=1, since=date(2022, 4, 1))
    before = heads(made.ledger)

    with pytest.raises(DatabaseNotEmpty, match="funds = 1"):
        fill(made.ledger, today=AUTUMN)

    assert heads(made.ledger) == before
    made.ledger.close()


def test_progress_rises_to_the_end(sqlite_url):
    told: list[tuple[int, int]] = []
    made = filled(
        sqlite_url,
        date(2022, 7, 20),
        clubs=4,
        since=date(2022, 4, 1),
        progress=lambda done, total: told.append((done, total)),
    )

    done = [done for done, _ in told]
    assert done == sorted(done)
    assert {total for _, total in told} == {done[-1]} == {3 * 4 + 3}  # April to July; the new club is of May.
    made.ledger.close()


# --- the plan's figures -----------------------------------------------------------------------------------------------


def test_twenty_clubs_are_of_2016_to_2020_and_four_of_2022(province):
    funds = province.funds

    founded = Counter(fund.opened.founded_on.year for fund in funds)
    assert len(funds) == province.summary.clubs == 24
    assert sum(founded[year] for year in range(2016, 2021)) == 20
    assert founded[2022] == 4
    assert {fund.opened.plan for fund in funds} == {"VN-LS-47-2022"}
    assert {fund.opened.province for fund in funds} == {"Lạng Sơn"}
    assert len({fund.opened.district for fund in funds}) == 11, "the city and all ten districts"


def test_each_new_club_was_given_thirty_million_in_kind_and_no_other_club_anything(province):
    gifts = [event for event in province.events if isinstance(event, InKindDonationReceived)]

    assert [gift.amount for gift in gifts] == [30_000_000] * 4
    assert {gift.fund for gift in gifts} == {club.code for club in CLUBS if club.is_new}
    assert {(gift.source, gift.foreign, gift.document) for gift in gifts} == {
        ("state_budget", False, "8668/QĐ-SLĐTBXH")
    }


def test_both_pots_are_there_and_moved_but_for_one_club(province):
    for fund in province.funds:
        moved = {pot for (pot, account, _), amount in fund.balances.items() if account == "cash" and amount}
        only_activity = fund.id == CODES[WITHOUT_REVOLVING_POT]
        assert moved == ({"activity"} if only_activity else {"revolving", "activity"}), fund.id
        has_just_begun = fund.opened.on > province.today - timedelta(weeks=8)
        assert bool(fund.loans) is not only_activity or has_just_begun


def test_most_clubs_keep_within_the_plans_bands(province):
    within: Counter[str] = Counter()
    for fund in province.funds:
        roll = [member for member in fund.members.values() if member.left_on is None]
        women = sum(member.sex == "female" for member in roll)
        elderly = sum(province.today.year - member.birth_year >= 60 for member in roll)
        within["size"] += 50 <= len(roll) <= 70
        within["women"] += 60 * len(roll) <= 100 * women <= 70 * len(roll)
        within["elderly"] += 60 * len(roll) <= 100 * elderly <= 70 * len(roll)
        volunteers = sum(office == "volunteer" for office, _ in fund.offices)
        within["volunteers"] += volunteers >= 5

    assert within["size"] >= 22
    assert within["women"] >= 17
    assert within["elderly"] >= 17
    assert within["volunteers"] == 24


def test_the_bylaws_show_every_mode_with_every_method():
    assert len({(club.bylaws.repayment_mode, club.bylaws.interest_method) for club in CLUBS if club.lends}) == 6


# --- believable books -------------------------------------------------------------------------------------------------


def test_every_history_is_whole(province):
    for code in province.ledger.funds():
        assert verify(entry.line for entry in province.ledger.entries(code)).valid


def test_hardly_anything_is_refused(province, three_years):
    for made in (province, three_years):
        told = sum(1 for log in made.ledger.logs() for _ in made.ledger.recorder.lines(log, 0, 100_000))
        assert made.summary.events == told
        assert 200 * sum(made.summary.refusals.values()) < made.summary.events


def test_nothing_is_told_before_it_happened_nor_after_yesterday(three_years):
    for event in three_years.events:
        assert event.on <= civil_day(event.recorded_at)
        assert event.recorded_at < instant(three_years.today, 0)


def test_the_log_is_in_the_order_in_which_things_were_told(three_years):
    notifications = three_years.ledger.recorder.select_notifications(None, 100_000)

    told = [datetime.fromisoformat(json.loads(row.state)["recorded_at"]) for row in notifications]
    assert len(told) == three_years.summary.events
    assert told == sorted(told)


def test_nothing_written_about_people_is_in_any_line(three_years):
    texts = registered(three_years.ledger)
    lines = b"\n".join(entry.line for code in three_years.ledger.funds() for entry in three_years.ledger.entries(code))

    assert len(texts) > 100
    assert not [text for text in texts if text.encode() in lines]


def test_every_member_has_a_name_in_the_register(three_years):
    for fund in three_years.funds:
        digests = [event.texts["name"] for event in fund.entries if isinstance(event, MemberJoined) and event.texts]
        assert len(digests) == len(fund.members)
        assert three_years.ledger.register.texts(digests).keys() == set(digests)


def test_loans_run_late_are_settled_refused_and_granted_against_the_rules(three_years):
    events = list(three_years.events)
    loans = [(fund, loan) for fund in three_years.funds for loan in fund.loans.values()]

    assert {loan.status for _, loan in loans} >= {"running", "settled", "rejected"}
    assert any(isinstance(event, LoanRejected) for event in events)
    assert any(isinstance(event, LoanApproved) and event.override for event in events)
    assert {loan.conditions.repayment_mode for _, loan in loans if loan.conditions} >= {"equal_principal", "bullet"}
    assert any(loan.disbursed_on and loan.standing(three_years.today).interest_due for _, loan in loans)
    assert all(2_000_000 <= loan.principal <= 10_000_000 for _, loan in loans)


def test_loans_outlive_their_borrowers(province):
    paid_after_death = [
        event
        for fund in province.funds
        for left in fund.entries
        if isinstance(left, MemberLeft) and left.reason == "died"
        for event in fund.entries
        if isinstance(event, LoanRepaid) and event.member == left.member and event.on > left.on
    ]
    assert paid_after_death
    assert all("paid_by" in (event.texts or {}) for event in paid_after_death)


def test_the_bylaws_were_changed_once_and_older_loans_kept_their_terms(three_years):
    (fund,) = [fund for fund in three_years.funds if fund.id == CODES[BADLY_KEPT]]

    (_, _, first), (changed_on, _, second) = fund.bylaws
    assert first.repayment_mode != second.repayment_mode
    granted = [event for event in fund.entries if isinstance(event, LoanApproved)]
    assert {event.repayment_mode for event in granted if event.on < changed_on} == {first.repayment_mode}
    assert {event.repayment_mode for event in granted if event.on >= changed_on} == {second.repayment_mode}


def test_the_badly_kept_club_stands_out(three_years):
    def share(events: Sequence[Event], what: Sequence[bool]) -> int:
        return 10_000 * sum(what) // len(events)

    def by_club(mark) -> dict[str, int]:
        return {fund.id: share(fund.entries, [mark(event) for event in fund.entries]) for fund in three_years.funds}

    worst = CODES[BADLY_KEPT]
    reversals = by_club(lambda event: isinstance(event, EntryReversed))
    late = by_club(lambda event: civil_day(event.recorded_at) - event.on > timedelta(days=7))
    wrong = by_club(lambda event: isinstance(event, CashCounted) and event.difference != 0)
    for marks in (reversals, late, wrong):
        assert max(marks, key=lambda code: marks[code]) == worst
    for fund in three_years.funds:
        one_hand = {event.recorded_by for event in fund.entries if isinstance(event, LoanApproved | LoanDisbursed)}
        assert (len(one_hand) == 1) is (fund.id == worst) or not fund.loans


def flagged(made: Filled) -> dict[str, Counter[str]]:
    """How many red flags each club raises, by rule."""
    return {fund.id: Counter(flag.rule for flag in flags(fund, Thresholds(), made.today)) for fund in made.funds}


def test_the_badly_kept_club_lights_up_by_nearly_every_rule(three_years):
    found = flagged(three_years)[CODES[BADLY_KEPT]]

    assert sum(found.values()) >= 30
    assert set(found) >= {"late-entries", "before-inspection", "reversals-by-person", "same-day-loan", "lapping"}
    assert len(found) >= 8


def test_the_well_kept_clubs_stay_quiet(province, three_years):
    for made in (province, three_years):
        found = flagged(made)
        assert max(found, key=lambda code: sum(found[code].values())) == CODES[BADLY_KEPT]
        del found[CODES[BADLY_KEPT]]
        assert sum(sum(of_club.values()) for of_club in found.values()) <= len(found) // 12


# --- who may log in ---------------------------------------------------------------------------------------------------


def test_who_recorded_is_among_the_principals_and_can_log_in(three_years):
    known = {principal.id for principal in three_years.summary.principals}
    assert {event.recorded_by for event in three_years.events} <= known

    roles = [min(principal.roles) for principal in three_years.summary.principals]
    assert roles[:5] == ["admin", "inspector", "reporter", "chair", "treasurer"]
    principals = Principals(three_years.ledger)
    for principal in three_years.summary.principals:
        holder = principals.holder(principals.admit(instant(three_years.today, 8), principal))
        assert holder == msgspec.structs.replace(principal, name="")  # The name lies in the register.
