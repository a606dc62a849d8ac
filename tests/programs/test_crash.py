"""A process killed at any moment, and a disk that is full: what was acknowledged is there, once, and nothing else is.

The child writes every acknowledgement to a journal, synced, before it goes on; what the journal says is compared with
what the log holds after each kill.
"""

import json
import os
import random
import threading
import time
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.history import verify
from ledger.jobs import Recorded, StorageUnavailable
from ledger.projections.proof import divergences
from service.access.principals import Scope
from service.access.tokens import Principals
from tests.support import microfund
from tests.support.jobs import DAY, FUND, IS_LONG, NOW, expense, gift, opened, opening, recorded, stored
from tests.support.processes import acknowledge, let_begin, start

KILLS = 50 if IS_LONG else 10
SERVICE_KILLS = 10 if IS_LONG else 2


def acknowledged(journal: Path) -> dict[str, int]:
    """The versions by key that the child was told of; a last line cut off by the kill was not yet written down."""
    lines = journal.read_text().splitlines(keepends=True)
    return {key: int(version) for line in lines if line.endswith("\n") for key, version in [line.split()]}


@pytest.mark.long
def test_what_was_acknowledged_before_a_kill_is_there_once_and_its_key_is_known(
    database_url: str, tmp_path: Path
) -> None:
    draw = random.Random(9)
    journal = tmp_path / "journal"
    with opened(database_url) as ledger:
        recorded(ledger.record([opening()])[0])
    grown = []
    for life in range(KILLS):
        program = start(acknowledge, database_url, journal, f"life-{life}")
        let_begin([program])
        for _ in range(draw.randrange(1, 25)):
            program.line.recv()
        time.sleep(draw.uniform(0, 0.02))  # Somewhere within the next batches.
        program.kill()
        promised = acknowledged(journal)
        with opened(database_url) as ledger:
            lines = stored(ledger)
            fund = ledger.replayed(FUND)
            keys = [event.request.key for event in fund.entries[2:] if event.request]
            assert verify(lines).valid
            assert len(keys) == len(set(keys)) == len(lines) - 2
            assert {key: fund.requests[key] for key in promised} == promised
            unsaid = set(keys) - set(promised)
            assert len(unsaid) in (0, 5), "a batch is there whole or not at all"
            asked = draw.sample(sorted(promised), 20) + sorted(unsaid)
            again = [recorded(each) for each in ledger.record([gift(key) for key in asked])]
            assert all(answer.replayed for answer in again)
            assert [answer.version for answer in again] == [fund.requests[key] for key in asked]
            assert stored(ledger) == lines
        for key in sorted(unsaid):
            with journal.open("a") as late:
                late.write(f"{key} {fund.requests[key]}\n")
        grown.append(len(lines))
    assert grown == sorted(set(grown))


# --- over HTTP --------------------------------------------------------------------------------------------------------


class Service(microfund.Service):
    """`microfund serve` in a process of its own, and people who post to it until it dies."""

    def __init__(self, url: str, token: str) -> None:
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._home = TemporaryDirectory()
        super().__init__(os.environ | {"MICROFUND_DATABASE": url}, Path(self._home.name), Path(self._home.name))

    def ready(self) -> Any:
        """What `/readyz` says."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/readyz")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any, bool]:
        """One request on a connection of its own; answers status, body, and whether it is a replay."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = self._headers | ({"Idempotency-Key": key} if key else {})
            connection.request(method, f"/v1/funds/{FUND}/{path}", json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.getheader("Idempotency-Replayed") == "true"
        finally:
            connection.close()

    def give(self, key: str) -> tuple[int, Any, bool]:
        """Post a gift of 1 đ."""
        return self.ask(
            "POST", "donations", {"source": "community", "pot": "activity", "amount": 1, "on": str(DAY)}, key
        )

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        super().kill()
        self._home.cleanup()


def post_until_it_dies(service: Service, name: str, told: dict[str, int], heard: threading.Semaphore) -> None:
    for number in count():
        key = f"{name}-{number:06d}"
        try:
            status, answer, is_replay = service.give(key)
        except (OSError, HTTPException, ValueError):
            return
        assert (status, is_replay) == (201, False), answer
        told[key] = answer["version"]
        heard.release()


@pytest.mark.long
def test_what_the_service_answered_before_a_kill_is_there_once_and_is_answered_again(database_url: str) -> None:
    draw = random.Random(11)
    told: dict[str, int] = {}
    with opened(database_url) as ledger:
        recorded(ledger.record([opening()])[0])
        token = Principals(ledger).issue(
            NOW, name="Thủ quỹ", roles=frozenset({"treasurer"}), scope=Scope(everything=True), members={}
        )
    for life in range(SERVICE_KILLS):
        service, heard = Service(database_url, token), threading.Semaphore(0)
        posting = [
            threading.Thread(target=post_until_it_dies, args=(service, f"life-{life}-{n}", told, heard))
            for n in range(4)
        ]
        for thread in posting:
            thread.start()
        for _ in range(draw.randrange(20, 1_000 if IS_LONG else 60)):
            assert heard.acquire(timeout=30)
        service.kill()
        for thread in posting:
            thread.join()
        with opened(database_url) as ledger:
            fund = ledger.replayed(FUND)
            keys = [event.request.key for event in fund.entries[2:] if event.request]
            assert verify(stored(ledger)).valid
            assert len(keys) == len(set(keys)) == fund.version - 2
            assert {key: fund.requests[key] for key in told} == told
    with opened(database_url) as ledger:
        fund = ledger.replayed(FUND)
    service = Service(database_url, token)
    unsaid = set(fund.requests) - set(told) - {"opening-0001"}
    for key in [*draw.sample(sorted(told), 10), *sorted(unsaid)]:
        status, answer, is_replay = service.give(key)
        assert (status, is_replay, answer["version"]) == (201, True, fund.requests[key])
    status, figures, _ = service.ask("GET", f"balances?min_position={fund.version}")
    assert (status, figures["version"], figures["cash"]) == (200, fund.version, fund.version - 2)
    assert service.ask("GET", "verification")[1]["valid"]
    service.kill()
    with opened(database_url) as ledger:
        assert list(divergences(ledger)) == [], "the read model caught up with nothing lost and nothing twice"


def test_sixteen_clients_with_the_same_and_with_other_requests_lose_and_double_nothing(database_url: str) -> None:
    with opened(database_url) as ledger:
        recorded(ledger.record([opening()])[0])
        token = Principals(ledger).issue(
            NOW, name="Thủ quỹ", roles=frozenset({"treasurer"}), scope=Scope(everything=True), members={}
        )
    service, answers = Service(database_url, token), list[tuple[str, int, int, bool]]()

    def post(client: int) -> None:
        keys = [f"shared-{number:04d}" for number in range(10)] + [f"own-{client}-{number:04d}" for number in range(10)]
        random.Random(client).shuffle(keys)
        for key in keys:
            status, answer, is_replay = service.give(key)
            answers.append((key, status, answer["version"], is_replay))

    clients = [threading.Thread(target=post, args=(client,)) for client in range(16)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    service.kill()

    assert {status for _, status, _, _ in answers} == {201}
    with opened(database_url) as ledger:
        fund = ledger.replayed(FUND)
        assert fund.version == 2 + 10 + 16 * 10
        assert {(key, version) for key, _, version, _ in answers} == {
            (key, fund.requests[key]) for key in fund.requests if key != "opening-0001"
        }
        assert sum(not is_replay for _, _, _, is_replay in answers) == 10 + 16 * 10


# --- a full disk ------------------------------------------------------------------------------------------------------


def fill(ledger: Ledger, pages: int | None) -> None:
    """Let the file grow by so many pages and no further, on every connection there is; None takes the limit away."""
    pool: Any = ledger.recorder.datastore.pool
    for connection in pool._pool:
        (size,) = connection._sqlite_conn.execute("PRAGMA page_count").fetchone()
        limit = 1 << 30 if pages is None else size + pages
        connection._sqlite_conn.execute(f"PRAGMA max_page_count = {limit}")


@pytest.mark.parametrize("pages", range(6))
def test_a_full_disk_is_said_to_be_full_and_nothing_is_half_written(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, pages: int
) -> None:
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0.0)
    with opened(sqlite_url) as ledger:
        for outcome in ledger.record([opening(), *(gift(f"gift-{number:04d}") for number in range(20))]):
            recorded(outcome)
        before = stored(ledger)
        fill(ledger, pages)
        jobs = [gift(f"late-{number:04d}") for number in range(200)]
        outcomes = ledger.record([*jobs, expense("expense-0001", 10**6)])
        assert {type(outcome) for outcome in outcomes} == {StorageUnavailable}
        assert "full" in str(outcomes[0])
        assert stored(ledger) == before
        fill(ledger, None)
        answers = [recorded(each) for each in ledger.record(jobs)]
        assert [(answer.version, answer.replayed) for answer in answers] == [(23 + n, False) for n in range(200)]
        assert verify(stored(ledger)).valid


def test_while_the_disk_is_full_what_fits_is_still_recorded(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.application.PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr("ledger.application.SHORT_PATIENCE_SECONDS", 0.0)
    with opened(sqlite_url) as ledger:
        recorded(ledger.record([opening()])[0])
        fill(ledger, 3)
        outcomes = [ledger.record([gift(f"gift-{number:04d}")])[0] for number in range(100)]
        kept = [outcome for outcome in outcomes if isinstance(outcome, Recorded)]
        assert 0 < len(kept) < 100
        assert [event.request for event in ledger.replayed(FUND).entries[2:]] == [
            kept_.events[0].request for kept_ in kept
        ]
        assert verify(stored(ledger)).valid
