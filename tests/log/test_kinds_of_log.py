"""Claims about logs that are no funds: chained, stored, checked and signed like a fund, and never taken for one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.aggregates import kinds
from ledger.aggregates.fund import Fund
from ledger.aggregates.kinds import begun, kind_of, replay
from ledger.aggregates.log import BrokenChain
from ledger.application import Ledger
from ledger.checkpoints import Checkpoints, Made
from ledger.checkpoints.notes import read
from ledger.checkpoints.vouching import Mismatch
from ledger.events import Event, encode, is_fund
from ledger.history import verify
from ledger.jobs import Job
from ledger.projections.proof import divergences
from ledger.refusals import FundNotFound, FundsChanged, IdempotencyKeyReused, NothingChanged, VersionMismatch
from tests.support.diary import (
    DAYS,
    DIARIES,
    DIARY,
    UPPER_DIARY,
    Diary,
    WeatherNoted,
    note_days,
    noted,
    noting,
    rewrite,
)
from tests.support.jobs import DAY, FUND, gift, joining, one_fund, opened, opening, recorded, stored
from tests.support.sealing import NOW, SIGNER, found
from tests.support.tables import following, in_turn, random_funds, rows, store, store_line


@pytest.fixture(autouse=True)
def a_kind_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program knows diaries, for as long as a claim about them is tried."""
    monkeypatch.setitem(kinds.OTHERS, "diary", DIARIES)


@pytest.fixture
def ledger(database_url: str) -> Iterator[Ledger]:
    """A ledger with one fund of three entries and two diaries of five."""
    with one_fund(database_url) as ledger:
        note_days(ledger, DAYS)
        note_days(ledger, DAYS, log=UPPER_DIARY)
        yield ledger


# --- told apart -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("log", "kind"),
    [
        (FUND, kinds.FUNDS),
        ("ABC", kinds.FUNDS),
        ("2016-03-01", kinds.FUNDS),
        (DIARY, DIARIES),
        (UPPER_DIARY, DIARIES),
        ("DIARY", kinds.FUNDS),
        ("Diary", None),
        ("diary:", None),
        ("diary:a b", None),
        ("diary:a:b", None),
        ("diaries", None),
        (":ABC", None),
        ("fund:ABC", None),
        ("AB", None),
        ("A" * 25, None),
        (f"{FUND}\n", None),
        ("", None),
    ],
)
def test_the_id_of_a_log_tells_its_kind(log: str, kind: kinds.Kind | None) -> None:
    assert kind_of(log) is kind
    assert is_fund(log) is (kind is kinds.FUNDS)


def test_a_log_begins_as_what_its_kind_is_replayed_into() -> None:
    assert isinstance(begun(FUND), Fund)
    assert isinstance(begun(UPPER_DIARY), Diary)
    with pytest.raises(AssertionError):
        begun("almanac")


def test_only_funds_are_listed_as_funds(ledger: Ledger) -> None:
    assert ledger.funds() == [FUND]
    assert ledger.logs() == [FUND, DIARY, UPPER_DIARY]


def test_no_diary_is_replayed_as_a_fund(ledger: Ledger) -> None:
    with pytest.raises(FundNotFound):
        ledger.replayed(DIARY)


def test_what_is_asked_of_a_fund_is_never_decided_by_a_diary(ledger: Ledger) -> None:
    asked = [joining("joining-0001", fund=DIARY), opening("diary:MOI"), noting("note-0001", log=FUND)]
    assert [type(outcome) for outcome in ledger.record(asked)] == [FundNotFound] * 3
    assert ledger.logs() == [FUND, DIARY, UPPER_DIARY]
    assert (len(stored(ledger)), len(stored(ledger, DIARY))) == (3, DAYS)


# --- recorded and read again ------------------------------------------------------------------------------------------


def test_a_diary_is_chained_like_a_fund_and_replayed(ledger: Ledger) -> None:
    diary = replay(None, ledger.entries(DIARY))
    assert isinstance(diary, Diary)
    assert (diary.id, diary.version, diary.weather[DAY]) == (DIARY, DAYS, "nắng")
    assert [event.name for event in diary.entries] == ["WeatherNoted"] * DAYS
    assert all(line.startswith(b'{"type":"WeatherNoted","fund":"diary","version":') for line in stored(ledger, DIARY))
    found = verify(stored(ledger, DIARY))
    assert (found.fund, found.valid, found.entries, found.head) == (DIARY, True, DAYS, diary.head)


def test_an_answer_says_what_was_noted_and_nothing_about_members(ledger: Ledger) -> None:
    answer = recorded(ledger.record([noting("late-0001", "bão")])[0])
    assert (answer.fund, answer.version, answer.position) == (DIARY, DAYS + 1, 3 + 2 * DAYS + 1)
    assert (answer.members, answer.loans, answer.warnings) == ({}, {}, {})
    assert isinstance(answer.events[0], WeatherNoted)
    assert answer.events[0].member == 7


def test_a_request_sent_again_is_answered_again(ledger: Ledger) -> None:
    first, again = (recorded(ledger.record([noting("late-0001", "bão")])[0]) for _ in range(2))
    assert (first.replayed, again.replayed, again.position) == (False, True, first.position)
    (reused,) = ledger.record([noting("late-0001", "nắng")])
    assert isinstance(reused, IdempotencyKeyReused)


def test_a_refusal_and_a_dry_run_leave_no_trace(ledger: Ledger) -> None:
    outcomes = ledger.record([noting("late-0001", "nắng"), noting("late-0002", "bão", dry_run=True)])
    assert isinstance(outcomes[0], NothingChanged)
    assert recorded(outcomes[1]).version == DAYS + 1
    assert len(stored(ledger, DIARY)) == DAYS
    (stale,) = ledger.record([noting("late-0003", "bão", expected_version=2)])
    assert isinstance(stale, VersionMismatch)


def test_an_act_of_a_diary_is_tried_on_a_copy(ledger: Ledger) -> None:
    twice = noting("twice-0001", "bão", several=True)

    def decide(diary: Diary) -> None:
        twice.decide(diary)
        twice.decide(diary)  # Refused by then, when the first has been noted.

    (refused,) = ledger.record([Job(fund=DIARY, decide=decide, request=twice.request, aggregate=Diary, several=True)])
    assert isinstance(refused, NothingChanged)
    assert recorded(ledger.record([twice])[0]).version == DAYS + 1


def test_funds_and_diaries_share_a_batch_and_two_processes_the_diary(ledger: Ledger, database_url: str) -> None:
    with opened(database_url, max_cached_entries=1) as other:
        for number in range(3):
            for process, weather in ((ledger, "bão"), (other, "lốc")):
                batch = [gift(f"{weather}-{number:05}"), noting(f"{weather}-{number:05}", weather)]
                for outcome in process.record(batch):
                    recorded(outcome)
    assert verify(stored(ledger)).entries == 3 + 6
    assert verify(stored(ledger, DIARY)).entries == DAYS + 6


# --- a line of another kind -------------------------------------------------------------------------------------------


def test_a_diary_line_in_a_fund_breaks_the_fund_there(ledger: Ledger) -> None:
    fund = ledger.replayed(FUND)
    store_line(ledger, FUND, 4, encode(strayed(FUND, 4, fund.head)))
    with pytest.raises(BrokenChain) as broken:
        ledger.replayed(FUND)
    assert (broken.value.fund, broken.value.version) == (FUND, 4)
    model = following(ledger)
    model.catch_up()
    assert [(row["fund"], row["version"]) for row in model.parked()] == [(FUND, 4)]


def test_a_funds_line_in_a_diary_breaks_the_diary_there(ledger: Ledger) -> None:
    line = stored(ledger)[2].replace(FUND.encode(), DIARY.encode())
    store_line(ledger, DIARY, DAYS + 1, line)
    with pytest.raises(BrokenChain) as broken:
        replay(None, ledger.entries(DIARY))
    assert (broken.value.fund, broken.value.version) == (DIARY, DAYS + 1)


def strayed(fund: str, version: int, prev: str) -> Event:
    """A diary's event that fits a fund's chain."""
    event = noted(fund, 1)[0].event
    return WeatherNoted(
        fund=fund,
        version=version,
        prev=prev,
        on=event.on,
        recorded_at=event.recorded_at,
        recorded_by="x",
        weather="bão",
    )


# --- the read model ---------------------------------------------------------------------------------------------------


def test_the_read_model_passes_over_diaries_and_goes_on(database_url: str) -> None:
    """Followed in batches that hold both, nothing but diaries, and nothing but funds; and rebuilt."""
    entries = in_turn(random_funds(), noted(DIARY, 300))
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, entries)
        store(ledger, noted(UPPER_DIARY, 120))
        model.catch_up()
        while model.advance(50):
            pass
        followed = rows(ledger.database)

        assert model.lag() == 0
        assert model.position == len(entries) + 120
        assert {row[0] for row in followed["funds"]} == {
            entry.event.fund for entry in entries if is_fund(entry.event.fund)
        }
        assert all(row[0] not in (DIARY, UPPER_DIARY) for table in followed.values() for row in table)
        assert model.parked() == []
        assert list(divergences(ledger)) == []
        assert model.rebuild() == len(entries) + 120
        assert rows(ledger.database) == followed


def test_a_log_that_holds_only_diaries_is_followed_and_rebuilt(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = following(ledger)
        note_days(ledger, DAYS)
        assert [model.advance(2) for _ in range(4)] == [2, 2, 1, 0]
        assert model.rebuild() == DAYS
        assert (model.position, rows(ledger.database)["funds"]) == (DAYS, [])


# --- checkpoints ------------------------------------------------------------------------------------------------------


def test_a_checkpoint_vouches_for_diaries_and_counts_them_as_no_funds(
    ledger: Ledger, checkpoints: Checkpoints, first: Made
) -> None:
    vouched = checkpoints.heads(1)
    assert [(leaf.fund, leaf.version) for leaf in vouched] == [(FUND, 3), (DIARY, DAYS), (UPPER_DIARY, DAYS)]
    assert vouched[1].head == verify(stored(ledger, DIARY)).head
    assert (first.checkpoint.funds, first.checkpoint.entries) == (1, 3 + 2 * DAYS)
    assert read(first.note) == first.checkpoint
    assert checkpoints.inclusion(UPPER_DIARY, 1).leaf == vouched[2]
    assert found(checkpoints, first) == []


def test_a_diary_that_moved_is_signed_again(ledger: Ledger, checkpoints: Checkpoints, first: Made) -> None:
    recorded(ledger.record([noting("late-0001", "bão")])[0])
    second = checkpoints.make(SIGNER, NOW)
    assert (second.is_new, second.checkpoint.size) == (True, first.checkpoint.size + 1)
    assert not checkpoints.make(SIGNER, NOW).is_new
    assert found(checkpoints, first) == found(checkpoints, second) == []


def test_a_diary_rewritten_with_all_its_hashes_is_found(ledger: Ledger, checkpoints: Checkpoints, first: Made) -> None:
    rewrite(ledger, DIARY, [entry.line for entry in noted(DIARY, DAYS)])
    assert verify(stored(ledger, DIARY)).valid
    assert found(checkpoints, first) == [Mismatch("rewritten", DIARY, DAYS, 0)]
    with pytest.raises(FundsChanged) as refused:
        checkpoints.make(SIGNER, NOW)
    assert refused.value.facts == {"count": 1, "funds": (DIARY,)}


def test_logs_are_vouched_for_before_there_is_any_fund(database_url: str) -> None:
    with opened(database_url) as ledger:
        note_days(ledger, DAYS)
        made = Checkpoints(ledger.database, ledger.recorder).make(SIGNER, NOW)
        assert (made.checkpoint.funds, made.checkpoint.entries) == (0, DAYS)
        assert found(Checkpoints(ledger.database, ledger.recorder), made) == []


# --- the program of a club that knows no diaries ----------------------------------------------------------------------


def test_a_program_that_does_not_know_the_kind_leaves_it_alone_and_vouches_for_it(
    ledger: Ledger, checkpoints: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(kinds.OTHERS, "diary")
    assert ledger.funds() == [FUND]
    assert list(ledger.entries(DIARY)) == []
    assert verify(ledger.recorder.lines(DIARY, 0, None)).entries == DAYS
    made = checkpoints.make(SIGNER, NOW)
    assert (made.checkpoint.funds, made.checkpoint.entries) == (1, 3 + 2 * DAYS)
    model = following(ledger)
    assert model.catch_up() == 3 + 2 * DAYS
    assert model.parked() == []
