"""Too much at once: nobody waits without end, nobody is starved, and what was refused can be sent again."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence

import httpx
import pytest

from ledger import writer
from ledger.application import Ledger
from ledger.jobs import Job, Outcome, Recorded
from ledger.writer import QueueFull, Writer
from tests.support.commands import command
from tests.support.jobs import gift, opened, opening, recorded
from tests.support.microfund import served
from tests.support.service import FUND

QUAN_LAC, MAI_PHA = "LS-QUAN-LAC", "LS-MAI-PHA"


class Gated(Ledger):
    """A ledger that records only while its gate is open, and remembers what it was given together."""

    def __init__(self, database_url: str) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.batches: list[list[str]] = []
        super().__init__(database_url)

    def record(self, jobs: Sequence[Job]) -> list[Outcome]:
        assert self.gate.wait(30)
        self.batches.append([job.fund for job in jobs])
        return super().record(jobs)


@pytest.fixture
def ledger(database_url: str) -> Iterator[Gated]:
    """A ledger with two clubs."""
    ledger = Gated(database_url)
    for outcome in ledger.record([opening(QUAN_LAC), opening(MAI_PHA)]):
        recorded(outcome)
    ledger.batches.clear()
    yield ledger
    ledger.close()


def gifts(fund: str, count: int, *, facts: int = 1) -> list[Job]:
    """Gifts to a club, each with a key of its own."""
    return [gift(f"{fund}-{number:04}", fund=fund, facts=facts) for number in range(count)]


def posted(ledger: Gated, jobs: Sequence[Job]) -> list[Recorded | BaseException]:
    """What became of jobs that all came while the first of them was being recorded."""

    async def post() -> list[Recorded | BaseException]:
        with Writer(ledger) as writer:
            ledger.gate.clear()
            first = asyncio.ensure_future(writer.record(jobs[0]))
            await asyncio.sleep(0)
            while writer.waiting:
                await asyncio.sleep(0)
            others = [asyncio.ensure_future(writer.record(job)) for job in jobs[1:]]
            await asyncio.sleep(0)
            ledger.gate.set()
            return await asyncio.gather(first, *others, return_exceptions=True)

    return asyncio.run(post())


def test_a_full_queue_refuses_at_once_and_records_all_that_waited(
    ledger: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING", 20)
    answers = posted(ledger, [*gifts(QUAN_LAC, 18), *gifts(MAI_PHA, 18)])
    refused = [answer for answer in answers if isinstance(answer, QueueFull)]
    assert len(refused) == 36 - 1 - 20
    assert ledger.replayed(QUAN_LAC).version + ledger.replayed(MAI_PHA).version == 4 + 1 + 20


def test_what_was_refused_for_a_full_queue_is_recorded_once_when_sent_again(
    ledger: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = gifts(QUAN_LAC, 12)
    with monkeypatch.context() as narrow:
        narrow.setattr(writer, "MOST_WAITING", 5)
        assert sum(isinstance(answer, QueueFull) for answer in posted(ledger, jobs)) == 12 - 1 - 5
    assert all(isinstance(answer, Recorded) for answer in posted(ledger, jobs))
    assert ledger.replayed(QUAN_LAC).version == 2 + 12


def test_one_clubs_flood_leaves_room_for_the_others(ledger: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_OF_ONE_FUND", 10)
    flood, other = posted(ledger, gifts(QUAN_LAC, 30)), posted(ledger, [*gifts(QUAN_LAC, 31)[30:], *gifts(MAI_PHA, 5)])
    assert sum(isinstance(answer, QueueFull) for answer in flood) == 30 - 1 - 10
    assert all(isinstance(answer, Recorded) for answer in other)


def test_clubs_take_turns_whoever_came_first(ledger: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LARGEST_BATCH", 8)
    answers = posted(ledger, [*gifts(QUAN_LAC, 60), *gifts(MAI_PHA, 3)])
    assert all(isinstance(answer, Recorded) for answer in answers)
    waited = [batch.count(MAI_PHA) for batch in ledger.batches[1:]]
    assert waited[0] == 3, "three of the first eight are the other club's, although sixty-odd came before them"
    assert sum(waited) == 3
    entries = [answer.events[0].version for answer in answers if isinstance(answer, Recorded)]
    assert entries[:60] == list(range(3, 63)), "each club's own stay in the order they came"


def test_long_sheets_make_short_batches(ledger: Gated, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "LARGEST_BATCH", 100)
    posted(ledger, [*gifts(QUAN_LAC, 6, facts=60), *gifts(MAI_PHA, 6, facts=60)])
    assert [len(batch) for batch in ledger.batches] == [1, 2, 2, 2, 2, 2, 1]
    monkeypatch.setattr(writer, "LARGEST_BATCH", 1)
    ledger.batches.clear()
    posted(ledger, [gift(f"sheet-{number:04}", fund=QUAN_LAC, facts=500) for number in range(3)])
    assert [len(batch) for batch in ledger.batches] == [1, 1, 1]


def test_a_writer_told_to_stop_records_what_waits(ledger: Gated) -> None:
    async def post() -> list[Recorded]:
        with Writer(ledger) as writer:
            ledger.gate.clear()
            waiting = [asyncio.ensure_future(writer.record(job)) for job in gifts(QUAN_LAC, 20)]
            await asyncio.sleep(0)
            ledger.gate.set()
        return await asyncio.gather(*waiting)

    assert len(asyncio.run(post())) == 20
    assert ledger.replayed(QUAN_LAC).version == 22


def test_slow_and_huge_requests_keep_nobody_else_waiting(sqlite_url: str) -> None:
    """Forty clients that never finish what they began, and one that sends far too much; a treasurer goes on."""
    with opened(sqlite_url) as ledger:
        recorded(ledger.record([opening(FUND)])[0])
    token = command(sqlite_url, "token", "issue", "--name", "Thủ quỹ", "--role", "treasurer", "--all").stdout.strip()
    with served(sqlite_url) as address:
        port = int(address.rsplit(":", 1)[1])
        begun = (
            f"POST /v1/funds/{FUND}/donations HTTP/1.1\r\nHost: quy\r\nAuthorization: Bearer {token}\r\n"
            "Idempotency-Key: never-ends\r\nContent-Type: application/json\r\nContent-Length: 60000\r\n\r\n{"
        )
        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
        for connection in slow:
            connection.sendall(begun.encode())
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=60) as treasurer:
            gift = {"source": "community", "pot": "activity", "amount": 50_000}
            for number in range(20):
                answer = treasurer.post(
                    f"/v1/funds/{FUND}/donations", json=gift, headers={"Idempotency-Key": f"gift-{number:04}"}
                )
                assert answer.status_code == 201
            huge = treasurer.post(
                f"/v1/funds/{FUND}/donations",
                content=b" " * 5_000_000,
                headers={"Idempotency-Key": "huge-0001", "Content-Type": "application/json"},
            )
            assert (huge.status_code, huge.json()["code"]) == (413, "body-too-large")
        for connection in slow:
            connection.close()
