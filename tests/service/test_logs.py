"""Claims about the service's log: a line of JSON each, with the request's id, and nothing of what was sent."""

import asyncio
import io
import json
import logging
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.http.logs import write_log_to
from tests.support.service import FUND, NAME, House, house


class Terminal(io.StringIO):
    """A stream that somebody looks at."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """The log of this process; what its set-up changes for the whole process is put back."""
    root = logging.getLogger()
    handlers, level, hooks = list(root.handlers), root.level, (sys.excepthook, threading.excepthook)
    for handler in handlers:
        root.removeHandler(handler)  # Else they would be closed.
    stream = io.StringIO()
    write_log_to(stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    sys.excepthook, threading.excepthook = hooks


def lines(written: io.StringIO) -> list[dict[str, object]]:
    """What was told of requests or of what happened; not by the tests' own client, nor of the test's files."""
    told = [json.loads(line) for line in written.getvalue().splitlines()]
    return [line for line in told if line["logger"] != "httpx2" and "(0600)" not in line["event"]]


def test_a_refusal_is_one_line_of_json_with_the_id_that_its_answer_bears(written: io.StringIO, village: House) -> None:
    answer = village.get("/funds/LS-NO-SUCH")
    (line,) = lines(written)
    told = {name: line[name] for name in ("event", "level", "method", "route", "status", "code")}
    assert told == {
        "event": "request", "level": "info", "method": "GET", "route": "/v1/funds/{fund}", "status": 404,
        "code": answer.json()["code"],
    }  # fmt: skip
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert set(line) - set(told) == {"timestamp", "logger", "seconds", "request_id"}


def test_every_answer_bears_an_id_of_its_own(village: House) -> None:
    answers = [
        village.get(f"/funds/{FUND}"),
        village.client.get("/v1/funds"),
        village.client.get("/open"),
        village.client.get("/static/pages.css"),
        village.client.get("/no-such-page"),
        village.client.get("/v1/c\u0301"),
        village.client.request("BREW", "/v1/funds", headers=village.headers()),
        village.post(f"/funds/{FUND}/donations", {"amount": "much"}),
    ]
    ids = [answer.headers["X-Request-Id"] for answer in answers]
    assert len({*ids}) == len(answers)
    assert {answer.status_code for answer in answers} >= {200, 401, 404, 405, 422}


@pytest.mark.parametrize("given", ["a", "3f2a9c0e-5d7b-4c1a-9e8f-0a1b2c3d4e5f", "Z" * 64])
def test_an_id_that_a_proxy_gives_is_kept(village: House, given: str) -> None:
    assert village.get("/funds", X_Request_Id=given).headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "Sầm".encode(), "a" * 65, "a b", "a\tb", 'a"', "a_b"])
def test_an_id_that_could_harm_a_line_is_made_anew(village: House, given: str | bytes) -> None:
    headers = {name.encode(): value.encode() for name, value in village.headers().items()}
    sent = given.encode() if isinstance(given, str) else given
    answer = village.client.get("/v1/funds", headers=headers | {b"X-Request-Id": sent})
    assert re.fullmatch("[0-9a-f]{12}-[0-9]+", answer.headers["X-Request-Id"])


def test_of_two_ids_neither_counts(village: House) -> None:
    headers = [*village.headers().items(), ("X-Request-Id", "one"), ("X-Request-Id", "two")]
    assert village.client.get("/v1/funds", headers=headers).headers["X-Request-Id"] not in ("one", "two")


@pytest.mark.parametrize(("which", "told"), [("all", [200, 404]), ("notable", [404]), ("none", [])])
def test_which_requests_are_told_is_a_setting(
    written: io.StringIO, settled_database: Path, tmp_path: Path, which: str, told: list[int]
) -> None:
    copied = tmp_path / "fund.db"
    copied.write_bytes(settled_database.read_bytes())
    with house(f"sqlite:///{copied}", log_requests=which) as running:
        running.get("/funds")
        running.get("/nothing")
    assert [line["status"] for line in lines(written) if line["event"] == "request"] == told


def test_a_slow_answer_is_told(written: io.StringIO, settled_database: Path, tmp_path: Path) -> None:
    copied = tmp_path / "fund.db"
    copied.write_bytes(settled_database.read_bytes())
    with house(f"sqlite:///{copied}", slow_seconds=1e-9) as running:
        running.get("/funds")
    assert [line["status"] for line in lines(written)] == [200]


def test_all_that_is_logged_while_answering_bears_the_id_and_no_message_of_an_exception(
    written: io.StringIO, village: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        logging.getLogger("some.library").warning("it stumbles", exc_info=ValueError(NAME))
        raise RuntimeError(NAME)

    monkeypatch.setattr(village.state.ledger, "record", stumble)
    monkeypatch.setattr(type(village.state), "today", stumble)
    answer = village.get(f"/funds/{FUND}/balances")
    told = [line for line in lines(written) if line.get("request_id") == answer.headers["X-Request-Id"]]

    assert answer.status_code == 500
    assert [line["event"].partition("\n")[0] for line in told] == ["it stumbles", "RuntimeError", "request"]  # type: ignore[attr-defined]
    assert (told[0]["exception"], told[2]["level"], told[2]["code"]) == ("ValueError", "error", "internal-error")
    assert NAME not in written.getvalue()


def test_what_ends_a_thread_or_a_task_is_told_without_what_it_says(written: io.StringIO) -> None:
    def fall() -> None:
        raise RuntimeError(NAME)

    async def forget() -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": "Task exception was never retrieved", "exception": RuntimeError(NAME), "future": NAME}
        )

    thread = threading.Thread(target=fall)
    thread.start()
    thread.join()
    asyncio.run(forget())
    of_thread, of_task = lines(written)
    assert (of_thread["event"], of_thread["exception"]) == ("a thread ends", "RuntimeError")
    assert "in fall" in str(of_thread["traceback"])
    assert (of_task["event"], of_task["exception"]) == ("Task exception was never retrieved", "RuntimeError")
    assert NAME not in written.getvalue()


def test_at_a_terminal_the_log_is_for_a_person(written: io.StringIO) -> None:
    terminal = Terminal()
    write_log_to(terminal)
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    assert "Started server process [7]" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    assert written.getvalue() == ""
