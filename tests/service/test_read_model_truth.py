"""Claims about figures while the tables are behind, made anew or of another log: right at their position, or none."""

import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.database import Transaction
from ledger.projections.read_model import MOST_TRIES, BeingRebuilt, ReadModel, ReadModelBroken, Unsettled
from ledger.projections.tables import Reader
from service.access.principals import Scope
from tests.support.jobs import opened
from tests.support.service import FUND, House, house
from tests.support.tables import following, in_turn, random_funds, rows, store
from tests.support.waiting import until

AT = f"/funds/{FUND}"


def members_at(reader: Reader, position: int) -> tuple[int, int, int]:
    """Two figures of all funds together, by two statements, and the position they are said to be of."""
    people = reader.query("SELECT COUNT(*) AS figure FROM members")[0]["figure"]
    entries = reader.query("SELECT COUNT(*) AS figure FROM entries")[0]["figure"]
    return position, people, entries


def truth(ledger: Ledger) -> dict[int, tuple[int, int]]:
    """The same figures at every position, counted from the log alone."""
    at = "notification_id" if ledger.database.is_postgres else "rowid"
    told, people = {0: (0, 0)}, 0
    log = ledger.database.query(f"SELECT {at} AS position, topic FROM stored_events ORDER BY 1")
    for entries, row in enumerate(log, 1):
        people += row["topic"] == "MemberJoined"
        told[row["position"]] = (people, entries)
    return told


@contextmanager
def beside(work: Any) -> Iterator[None]:
    """Something done by another thread meanwhile, over and over."""
    stopping = threading.Event()
    failed: list[BaseException] = []

    def run() -> None:
        try:
            while not stopping.is_set():
                work()
        except BaseException as error:  # noqa: BLE001  # Told below.
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()
    assert not failed, failed


def test_every_figure_given_while_the_tables_are_made_anew_is_the_logs_at_its_position(database_url: str) -> None:
    """A writer and a rebuild beside the reader; most answers may be refused, none may be wrong."""
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, random_funds())
        model.catch_up()
        answers: list[tuple[int, int, int]] = []

        def look() -> None:
            try:
                answers.append(model.ask(members_at))
            except ReadModelBroken:
                refused.append(1)

        refused: list[int] = []
        other = ReadModel(ledger.database)
        with beside(look):
            until(lambda: answers)
            for _ in range(3):
                other.rebuild()
            before = len(answers)
            until(lambda: len(answers) > before)

        told = truth(ledger)
        assert [answer for answer in answers if told[answer[0]] != answer[1:]] == []
        assert refused


def test_the_position_that_memory_has_would_have_vouched_for_empty_tables(database_url: str) -> None:
    """The control: asked as before, without a look at where the tables stand, a rebuild gives other figures."""
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, random_funds())
        model.catch_up()
        remembered = model.position
        model._clear("rebuilding by somebody")

        with ledger.database.transaction(commit=False) as tables:
            wrong = members_at(tables, remembered)

        assert truth(ledger)[remembered] != wrong[1:]
        with pytest.raises(BeingRebuilt):
            model.ask(members_at)


def test_a_rebuild_that_was_killed_leaves_no_figures_until_it_is_done_again(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, random_funds())
        model.catch_up()
        whole = rows(ledger.database)
        model._clear("rebuilding and killed")

        with pytest.raises(BeingRebuilt):
            model.ask(members_at)
        model.rebuild()

        assert rows(ledger.database) == whole
        assert model.ask(members_at)[1:] == truth(ledger)[model.position]


def test_a_rebuild_amid_a_question_changes_no_figure_of_it(postgres_url: str) -> None:
    with opened(postgres_url) as ledger:
        model = following(ledger)
        store(ledger, random_funds())
        model.catch_up()
        reading, go_on = threading.Event(), threading.Event()

        def slow(reader: Reader, position: int) -> tuple[int, int, int]:
            members = reader.query("SELECT COUNT(*) AS figure FROM members")[0]["figure"]
            reading.set()
            go_on.wait(60)
            return position, members, reader.query("SELECT COUNT(*) AS figure FROM legs")[0]["figure"]

        go_on.set()
        alone = model.ask(slow)
        reading.clear()
        go_on.clear()
        with ThreadPoolExecutor(1) as asking:
            found = asking.submit(model.ask, slow)
            assert reading.wait(60)
            ReadModel(ledger.database).rebuild()
            go_on.set()
            assert found.result(60) == alone


def test_after_a_lost_tail_no_fund_is_answered_for_until_the_tables_are_made_anew(database_url: str) -> None:
    with opened(database_url) as ledger:
        model = following(ledger)
        store(ledger, random_funds())
        model.catch_up()
        at = "notification_id" if ledger.database.is_postgres else "rowid"
        ledger.database.execute(f"DELETE FROM stored_events WHERE {at} = (SELECT MAX({at}) FROM stored_events)")

        with pytest.raises(ReadModelBroken):
            model.ask(members_at)
        model.rebuild()

        assert model.ask(members_at)[1:] == truth(ledger)[model.position]


def test_what_changes_all_the_time_is_not_asked_for_ever(postgres_url: str) -> None:
    with opened(postgres_url) as ledger:
        model = following(ledger)
        entries = iter(in_turn(random_funds()))
        asked: list[int] = []

        def restless(reader: Reader, position: int) -> None:
            asked.append(position)
            store(ledger, [next(entries)])
            model.advance()
            reader.query("SELECT fund FROM funds")

        with pytest.raises(Unsettled):
            model.ask(restless)
        assert len(asked) == MOST_TRIES


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_a_service_says_that_its_figures_are_being_made_anew(village: House) -> None:
    village.state.read_model._clear("rebuilding by somebody")

    for path in ("/funds", "/borrowing", AT, f"{AT}/balances", f"{AT}/papers/cash-book", "/flags"):
        answer = village.get(path)
        assert (answer.status_code, answer.json()["code"]) == (503, "figures-not-ready"), path
        assert int(answer.headers["Retry-After"]) > 0

    assert why_not_ready(village) == "BeingRebuilt"
    assert village.post(f"{AT}/donations", DONATION).status_code == 201, "recording goes on"
    village.state.read_model.rebuild()
    assert village.get(f"{AT}/balances").status_code == 200
    until(lambda: village.client.get("/readyz").status_code == 200)
    assert why_not_ready(village) is None


def why_not_ready(village: House) -> str | None:
    """What `/readyz` says of the read model; None if it is ready."""
    answer = village.client.get("/readyz")
    trouble: str | None = answer.json()["read_model"]["trouble"]
    assert (answer.status_code, "Retry-After" in answer.headers) == ((503, True) if trouble else (200, False))
    return trouble


DONATION = {"source": "member", "pot": "activity", "amount": 1_000, "on": "2024-05-15"}


def test_a_service_that_starts_on_a_filled_log_gives_no_figure_of_a_part_of_it(
    settled_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(settled_database, tmp_path / "fund.db")
    url = f"sqlite:///{tmp_path / 'fund.db'}"
    with opened(url) as ledger:
        model = ReadModel(ledger.database)
        whole = model.position
        model._clear("")  # As a new database, with a log that was there before.
    monkeypatch.setattr(ReadModel, "advance", lambda *_: 0)
    with house(url, read_wait_seconds=0.05) as behind:
        answer = behind.get(f"{AT}/balances")
        assert (answer.status_code, answer.json()["code"]) == (503, "position-not-reached")
        assert answer.json()["min_position"] == whole
        assert why_not_ready(behind) == "CatchingUp"

    monkeypatch.undo()
    with house(url) as again:
        assert again.get(f"{AT}/balances").json()["position"] >= whole


def test_the_feed_is_not_read_from_beyond_its_end(village: House) -> None:
    end = village.entries()

    beyond = village.get(f"/feed?after={end + 4}")

    assert (beyond.status_code, beyond.json()["code"], beyond.json()["position"]) == (409, "position-beyond-end", end)
    assert village.get(f"/feed?after={end}").json() == {"items": [], "next": end}


def test_who_waits_for_the_feed_is_let_go_when_the_token_is_revoked(village: House) -> None:
    token = village.issue("inspector", scope=Scope(everything=True))
    end = village.entries()
    answers: list[Any] = []
    asker = threading.Thread(
        target=lambda: answers.append(village.get(f"/feed?after={end}&wait=30", token=token)), daemon=True
    )
    asker.start()
    village.principals.revoke(village.clock(), token)
    asker.join(10)

    assert not asker.is_alive()
    assert answers[0].status_code == 401


def test_a_check_code_is_looked_up_by_the_same_work_in_a_fund_that_exists_and_in_none(
    village: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = village.get(AT).json()["check_code"]
    asked: list[str] = []
    run = Transaction.query

    def counted(self: Transaction, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        if threading.current_thread().name != "follower":  # It looks about by itself, whoever asks.
            asked.append(sql)
        return run(self, sql, **parameters)

    monkeypatch.setattr(Transaction, "query", counted)
    there = village.client.get(f"/v1/check?fund={FUND}&code={code}")
    statements, asked[:] = list(asked), []
    nowhere = village.client.get(f"/v1/check?fund=LS-NOWHERE&code={code}")

    assert there.json() == {"fund": FUND, "matches": True, "on": there.json()["on"]}
    assert nowhere.json() == {"fund": "LS-NOWHERE", "matches": False, "on": None}
    assert asked == statements
    assert len(statements) < 5
