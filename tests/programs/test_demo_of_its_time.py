"""Claims about the demo's life: no warning without a slip, sums that can be paid, names of their time; and that now and
then everything happens that can happen to a fund."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

import msgspec
import pytest

from ledger.aggregates.fund import Fund
from ledger.aggregates.kinds import replay
from ledger.aggregates.log import Log
from ledger.aggregates.warnings import warnings
from ledger.application import Ledger
from ledger.days import civil_day
from ledger.events import (
    EVENT_TYPES,
    CashCounted,
    ContributionReceived,
    DonationReceived,
    Entry,
    EntryReversed,
    Event,
    LoanRepaid,
    LoanRescheduled,
    LoanWrittenOff,
    MemberJoined,
    MemberReturned,
    OpeningBalancesCorrected,
    OpeningBalancesDeclared,
    PlaceChanged,
    SavingsSetOff,
    encode,
)
from service.demo import Summary
from service.demo.places import CLUBS
from service.demo.staff import CHAIR, TREASURER
from tests.conftest import DEMO_TODAY
from tests.support.demo import Filled, filled


@pytest.fixture(scope="module")
def province(demo_database: Path) -> Iterator[Filled]:
    """All clubs, for the two years that begin with the months in which the last four were founded."""
    summary = msgspec.json.decode(demo_database.with_suffix(".summary").read_bytes(), type=Summary)
    ledger = Ledger(f"sqlite:///{demo_database}")
    yield Filled(ledger, summary, DEMO_TODAY)
    ledger.close()


def warned(fund: Fund) -> Iterator[tuple[Event, str]]:
    """The warnings that came with each answer, when the club told what it told."""
    book: Log | None = None
    for _, entries in groupby((Entry(event, encode(event)) for event in fund.entries), lambda each: each.event.request):
        told = list(entries)
        book = replay(book, told)
        assert isinstance(book, Fund)
        for entry in told:
            yield from ((entry.event, found.code) for found in warnings(book, entry.event))


def test_the_life_of_a_carefully_kept_club_raises_no_warning_and_elsewhere_only_slips_do(province):
    keeping = {club.code: club.keeping for club in CLUBS}
    for fund in province.funds:
        undone = {event.reverses for event in fund.entries if isinstance(event, EntryReversed)}
        unslipped = [
            (event, code)
            for event, code in warned(fund)
            if event.version not in undone and civil_day(event.recorded_at) - event.on < timedelta(days=9)
        ]
        if keeping[fund.id] != "bad":
            assert unslipped == [], fund.id
        if keeping[fund.id] == "careful":
            assert list(warned(fund)) == [], fund.id
    assert Counter(keeping.values()) == {"careful": 8, "usual": 15, "bad": 1}


def test_in_a_carefully_kept_club_no_sum_is_one_that_no_note_can_pay(province):
    careful = {club.code for club in CLUBS if club.keeping == "careful"}
    sums = [
        leg.amount for event in province.events if event.fund in careful for leg in event.legs()
        if leg.account in ("cash", "loans", "savings") and not isinstance(event, LoanRepaid)
    ]  # fmt: skip
    sums += [event.amount for event in province.events if event.fund in careful and isinstance(event, LoanRepaid)]

    assert len(sums) > 5_000
    assert [amount for amount in sums if amount % 500] == []


def test_the_chair_is_retired_and_others_than_the_board_watch_the_counting(province):
    for fund in province.funds:
        chair = next(event for event in fund.entries if isinstance(event, MemberJoined) and event.member == CHAIR)
        assert (
            60 <= fund.opened.founded_on.year - chair.birth_year + (chair.on.year - fund.opened.founded_on.year) <= 68
        )
        counts = [event for event in fund.entries if isinstance(event, CashCounted)]
        assert all(len(set(event.witnesses) - {CHAIR, TREASURER}) == 2 for event in counts)


# --- before and since July 2025 ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Twelve clubs from half a year before districts ended and communes were merged until half a year after."""
    home: Path = tmp_path_factory.mktemp("reform")
    made = filled(f"sqlite:///{home / 'fund.db'}", date(2026, 1, 20), clubs=12, since=date(2025, 5, 1))
    yield made
    made.ledger.close()


def test_every_club_moved_with_its_commune_on_the_day_of_the_reform(reform):
    for fund in reform.funds:
        club = next(club for club in CLUBS if club.code == fund.id)
        (moved,) = [event for event in fund.entries if isinstance(event, PlaceChanged)]
        assert (moved.on, moved.document, moved.province) == (date(2025, 7, 1), "1672/NQ-UBTVQH15", "Lạng Sơn")
        assert (fund.opened.commune, fund.opened.district) == (f"xã {club.commune}", club.district)
        assert (moved.commune, moved.district) == (club.merged_into or fund.opened.commune, None)
        assert moved.recorded_by == reform.summary.principals[0].id


def test_a_club_that_begins_after_the_reform_never_had_a_district(sqlite_url):
    made = filled(sqlite_url, date(2025, 10, 1), clubs=1, since=date(2025, 8, 1))
    (fund,) = made.funds
    assert (fund.opened.commune, fund.opened.district) == ("phường Đông Kinh", None)
    assert not any(isinstance(event, PlaceChanged) for event in fund.entries)
    made.ledger.close()


def test_donors_and_offices_are_those_of_their_time(reform, province):
    donors = {
        is_late: {text for fund in reform.funds for text in donors_of(reform, fund, is_late)}
        for is_late in (False, True)
    }
    assert any("huyện" in donor for donor in donors[False])
    assert not [donor for donor in donors[True] if "huyện" in donor or "thị trấn" in donor or "thành phố" in donor]
    assert any("phường" in donor for donor in donors[True])
    assert [made.summary.principals[1].name for made in (province, reform)] == [
        "Cán bộ kiểm tra, Sở LĐTBXH",
        "Cán bộ kiểm tra, Sở Y tế",
    ]
    front = {"political_org"} & {event.source for event in reform.events if isinstance(event, DonationReceived)}
    assert not front, "the Fatherland Front goes with the mass organisations"


def donors_of(made: Filled, fund: Fund, is_late: bool) -> Iterator[str]:
    """The names of donors before the reform or since."""
    for event in fund.entries:
        if isinstance(event, DonationReceived) and event.texts and (event.on >= date(2025, 7, 1)) is is_late:
            yield from made.ledger.register.texts([event.texts["donor"]]).values()


# --- now and then ---------------------------------------------------------------------------------------------------

NEVER = {"FundDissolved": "the plan's clubs go on: one that was wound up would be one too few of its 24"}
"""Events that do not happen in the demo, and why."""


def test_everything_that_can_happen_to_a_fund_happens_in_the_demo_but_for_what_is_named(province, reform):
    told = {event.name for made in (province, reform) for event in made.events}

    assert told | NEVER.keys() == EVENT_TYPES.keys()
    assert not told & NEVER.keys()


OTHERWISE: dict[str, Callable[[Fund, Event], bool]] = {
    "a rest that no note can pay is let go": lambda fund, e: isinstance(e, LoanRepaid) and 0 < e.forgiven < 1_000,
    "a loan is repaid at the bank": lambda fund, e: isinstance(e, LoanRepaid) and e.place == "bank",
    "a neighbour brings a repayment": lambda fund, e: isinstance(e, LoanRepaid) and e.paid_by is not None,
    "who is present brings another's dues": lambda fund, e: isinstance(e, ContributionReceived) and bool(e.paid_by),
    "a half is written off": lambda fund, e: isinstance(e, LoanWrittenOff) and e.outstanding > 0,
    "the rest of it is planned anew": lambda fund, e: (
        isinstance(e, LoanRescheduled) and e.override is None and bool(fund.loans[e.loan].write_offs)
    ),
    "the savings of one who left pay a loan": lambda fund, e: (
        isinstance(e, SavingsSetOff) and (fund.members[e.member].left_on or e.on) < e.on
    ),
    "a whole sheet is undone": lambda fund, e: isinstance(e, EntryReversed) and e.entry == "MeetingHeld",
    "old loans come with a book": lambda fund, e: isinstance(e, OpeningBalancesDeclared) and len(e.loans) > 5,
}


@pytest.mark.parametrize("what", OTHERWISE)
def test_so_do_the_ways_in_which_it_can_happen(province, what):
    assert any(OTHERWISE[what](fund, event) for fund in province.funds for event in fund.entries)


def test_who_came_back_has_the_old_number_and_pays_dues_again(province):
    returned = [(fund, event) for fund in province.funds for event in fund.entries if isinstance(event, MemberReturned)]

    paid_again = [
        (fund.id, event.member)
        for fund, event in returned
        for dues in fund.entries
        if isinstance(dues, ContributionReceived) and dues.member == event.member and dues.on > event.on
    ]
    assert len({(fund.id, event.member) for fund, event in returned}) == len(returned) > 3
    assert len(set(paid_again)) > 1


def test_a_club_with_an_old_book_balances_after_it_was_put_right(province):
    (fund,) = [fund for fund in province.funds if fund.id == "LS-HOP-THANH"]
    declared = next(event for event in fund.entries if isinstance(event, OpeningBalancesDeclared))
    (corrected,) = [event for event in fund.entries if isinstance(event, OpeningBalancesCorrected)]

    assert (declared.on, declared.version) < (corrected.on, corrected.version)
    assert declared.on == corrected.on == fund.opened.on
    assert {(leg.account, leg.amount) for leg in corrected.posted} == {("savings", -200_000), ("opening", 200_000)}
    assert {loan.loan for loan in declared.loans} <= fund.loans.keys()
    assert corrected.texts
