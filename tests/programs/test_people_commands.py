"""Claims about people let in at the command line, and about what holds in every copy of the service within seconds."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from service.access.sessions import COOKIE
from tests.support.commands import command
from tests.support.microfund import served
from tests.support.people import OURS
from tests.support.service import FUND, house, settle_in

CODE = re.compile("[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}")
TREASURER = ("people", "invite", "--name", "Lành Thị Điệp", "--role", "treasurer", "--fund", FUND)


def test_somebody_is_invited_listed_and_ended_by_whoever_runs_the_service(database_url: str) -> None:
    invited = command(database_url, *TREASURER)
    code = CODE.findall(invited.stdout)
    assert invited.returncode == 0
    assert f"http://127.0.0.1:8000/open/{code[0]}" in invited.stdout
    assert {"█", "▄", "▀"} <= set(invited.stdout)
    assert "Lành Thị Điệp (thủ quỹ)" in invited.stdout

    listed = command(database_url, "people", "list", "--lang", "en").stdout
    person = listed.split()[0]
    assert f"{person} Lành Thị Điệp: treasurer, for {FUND}; phones in use: 0" in listed
    again = command(database_url, "people", "invite", person, MICROFUND_ORIGIN="https://so-quy.example")
    assert f"https://so-quy.example/open/{CODE.findall(again.stdout)[0]}" in again.stdout

    assert command(database_url, "people", "revoke", person).returncode == 0
    assert command(database_url, "people", "revoke", person).returncode == 2
    assert command(database_url, "people", "revoke", "p000000000000").returncode == 2
    assert command(database_url, "people", "invite", person).returncode == 2
    assert "access ended" in command(database_url, "people", "list", "--lang", "en").stdout
    log = command(database_url, "people", "log", "--lang", "en").stdout
    assert [line.split(" ", 3)[3] for line in log.splitlines()] == [
        f"the operator of the service admitted Lành Thị Điệp: treasurer, for {FUND}.",
        "the operator of the service invited Lành Thị Điệp.",
        "the operator of the service invited Lành Thị Điệp.",
        "the operator of the service ended the access of Lành Thị Điệp.",
    ]


def test_tokens_are_given_and_ended_in_the_same_log(sqlite_url: str) -> None:
    token = command(sqlite_url, "token", "issue", "--name", "Báo cáo", "--role", "reporter", "--all").stdout.strip()
    revoked = command(sqlite_url, "token", "revoke", token)
    assert (revoked.returncode, "đã thu hồi mã truy cập" in revoked.stderr) == (0, True)
    assert command(sqlite_url, "token", "revoke", token).returncode == 2

    said = command(sqlite_url, "people", "log", "--lang", "en").stdout
    assert "issued a token to p" in said
    assert "revoked the token of p" in said
    assert token not in command(sqlite_url, "history", "people").stdout
    with house(sqlite_url) as running:
        settle_in(running)
        assert [item["type"] for item in running.get("/people/log").json()["items"]] == ["TokenRevoked", "TokenIssued"]


def test_the_peoples_log_is_verified_by_itself_and_with_all(sqlite_url: str, tmp_path: Path) -> None:
    with house(sqlite_url) as running:
        settle_in(running)
        assert command(sqlite_url, "verify", "--people").returncode == 2
    command(sqlite_url, *TREASURER)

    for words in (("--people",), ("--all",), ("people",)):
        said = command(sqlite_url, "verify", *words)
        assert said.returncode == 0
        assert "people: " in said.stdout
    with house(sqlite_url) as running:
        running.state.ledger.database.execute(
            "UPDATE stored_events SET state = CAST(REPLACE(CAST(state AS TEXT), 'treasurer', 'inspector') AS BLOB) "
            "WHERE originator_id = 'people' AND originator_version = 1"
        )
    for words in (("--people",), ("--all",)):
        assert command(sqlite_url, "verify", *words).returncode == 1
    assert command(sqlite_url, "people", "list").returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ("invite",),
        ("invite", "p000000000000", "--name", "x"),
        ("invite", "--name", "x", "--role", "owner", "--all"),
        ("invite", "--name", "x", "--role", "chair"),
        ("invite", "--name", "x", "--role", "chair", "--commune", "Mai Pha"),
        ("invite", "--name", "x", "--role", "chair", "--all", "--member", "1"),
        ("revoke", "p000000000000"),
    ],
    ids=str,
)
def test_what_cannot_be_done_is_said_in_a_sentence(sqlite_url: str, words: tuple[str, ...]) -> None:
    command(sqlite_url, "token", "issue", "--name", "x", "--role", "admin", "--all")
    said = command(sqlite_url, "people", *words)
    assert said.returncode == 2
    assert said.stderr.strip()
    assert "Traceback" not in said.stderr


# --- several copies of the service --------------------------------------------------------------------------------


@contextmanager
def two_copies(url: str) -> Iterator[tuple[httpx.Client, httpx.Client]]:
    with (
        served(url) as one,
        served(url) as other,
        httpx.Client(base_url=one, timeout=30) as first,
        httpx.Client(base_url=other, timeout=30) as second,
    ):
        yield first, second


def test_who_is_let_in_by_one_copy_is_known_to_the_other_and_out_of_both_within_five_seconds(
    database_url: str,
) -> None:
    with house(database_url) as running:
        settle_in(running)
        token = running.issue("admin")
    code = CODE.findall(command(database_url, *TREASURER).stdout)[0]
    bearer = {"Authorization": f"Bearer {token}"}

    with two_copies(database_url) as (one, other):
        accepted = one.post("/v1/invitations/accept", json={"code": code}, headers=OURS)
        assert accepted.status_code == 201
        person = accepted.json()["person"]
        phone = {"Cookie": f"{COOKIE}={accepted.cookies[COOKIE]}"}
        assert other.post("/v1/invitations/accept", json={"code": code}, headers=OURS).status_code == 404
        for copy in (one, other):
            assert copy.get(f"/v1/funds/{FUND}/members", headers=phone).status_code == 200

        change = {"roles": ["reporter"]}
        other.post(f"/v1/people/{person}/changes", json=change, headers=bearer | {"Idempotency-Key": "changing-0001"})
        assert other.get(f"/v1/funds/{FUND}/members", headers=phone).status_code == 403
        assert within_five_seconds(one, f"/v1/funds/{FUND}/members", phone, 403)
        assert one.get(f"/v1/funds/{FUND}", headers=phone).status_code == 200

        (listed,) = other.get(f"/v1/people/{person}/phones", headers=bearer).json()["items"]
        assert other.delete(f"/v1/phones/{listed['phone']}", headers=bearer).status_code == 200
        assert other.get("/v1/session", headers=phone).status_code == 401
        assert within_five_seconds(one, "/v1/session", phone, 401)


def within_five_seconds(client: httpx.Client, path: str, headers: dict[str, str], status: int) -> bool:
    """Whether a copy answers with this status soon enough; what was asked before the end does not count."""
    end = time.monotonic() + 5
    while True:
        asked_at = time.monotonic()
        if client.get(path, headers=headers).status_code == status:
            return True
        if asked_at > end:
            return False
        time.sleep(0.05)
