"""Claims about what a running service keeps of reports: what was told of clubs, and that changed lines are found."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.reports.report import ReportQuestion
from service.reports.asking import At, ask_report
from service.reports.questions import period_of
from service.reports.state import MOST_TOLD, TRUSTED_SECONDS, ReportState
from tests.support.reporting import EVERYTHING, OF_THE_PROVINCE
from tests.support.service import FUND, OTHER_FUND, House, house, settle_in

HALF = ReportQuestion(OF_THE_PROVINCE, period_of("half-1", 2024, None, None, at="/"), EVERYTHING)


@pytest.fixture
def village(database_url: str) -> Iterator[House]:
    with house(database_url) as running:
        settle_in(running)
        settle_in(running, OTHER_FUND)
        running.get(f"/funds/{OTHER_FUND}")  # Waits until the tables have it all.
        yield running


def test_what_was_told_of_a_club_is_worked_out_anew_when_its_book_goes_on(village: House) -> None:
    reports = village.app.state.reports
    at = At(village.state, reports)

    before = ask_report(at, HALF, 0)
    kept = dict(reports.told)
    assert ask_report(at, HALF, 0) == before
    village.recorded(
        f"/funds/{FUND}/donations", {"source": "business", "pot": "activity", "amount": 70_000, "on": "2024-06-14"}
    )
    village.get(f"/funds/{FUND}")
    after = ask_report(at, HALF, 0)

    told = {key.club.fund for key in reports.told.keys() - kept.keys()}
    assert told == {FUND}
    assert all(reports.told[key] is kept[key] for key in kept)
    report_anew = ReportState(village.state.settings, village.state.ledger.database)
    with report_anew:
        assert ask_report(At(village.state, report_anew), HALF, 0) == after
    assert [row["cash"] for row in after["total"]["sources"]] != [row["cash"] for row in before["total"]["sources"]]


def test_what_was_kept_longest_ago_is_forgotten_first(village: House) -> None:
    reports = village.app.state.reports
    told: Any = {number: number for number in range(MOST_TOLD)}

    reports.keep(told)
    reports.keep({"new": "new"})

    assert len(reports.told) == MOST_TOLD
    assert next(iter(reports.told)) == 1
    assert list(reports.told)[-1] == "new"


def test_a_line_that_was_changed_behind_the_service_is_found_beside_the_answers(village: House) -> None:
    class Clock:
        now = 1_000.0

    ledger = village.state.ledger
    with ReportState(village.state.settings, ledger.database, lambda: Clock.now) as reports:
        at = At(village.state, reports)
        assert ask_report(at, HALF, 0)["clubs"]["broken"] == []
        (line,) = ledger.recorder.lines(FUND, 2, 3)
        with ledger.database.transaction() as transaction:
            transaction.execute(
                "UPDATE stored_events SET state = :line WHERE originator_id = :fund AND originator_version = 3",
                line=line.replace(b'"on":"20', b'"on":"19', 1),
                fund=FUND,
            )
        assert ask_report(at, HALF, 0)["clubs"]["broken"] == []
        Clock.now += TRUSTED_SECONDS + 1
        ask_report(at, HALF, 0)
        reports._aside.submit(int).result()  # What was begun before it is done.
        assert ask_report(at, HALF, 0)["clubs"]["broken"] == [FUND]
