"""Claims about the log of readers: no route of the API's document shows a person without leaving a row, and none that
shows nobody leaves one."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from eventsourcing.persistence import OperationalError

from service.access import batches
from service.access.principals import Scope
from service.access.readers import BATCH_SECONDS, ReaderLog, Shown
from service.words import catalogue, wording
from service.writes.table import WRITES
from tests.support.documented import api_document
from tests.support.jobs import opened
from tests.support.people import OURS, admitted, calling, invited, let_in
from tests.support.service import ALL_WRITES, FUND, NAME, NEW_FUND, OTHER_FUND, SOUND, Clock, House, house, path_of

F = f"/v1/funds/{FUND}"
LABEL = "Máy của bà Sầm"
PHONE = "0912 345 678"
COUNTED = 21
"""The version of the count that `watched` records."""
CODE = "VVFP-HHXA-H3BA-NZIX"
PLAN = "VN-LS-47-2022"
HALF_YEAR = f"plan={PLAN}&preset=half-1&year=2024"

SHOWS: dict[str, tuple[str, int | None]] = {
    "/v1/funds/{fund}/members": (f"{F}/members", None),
    "/v1/funds/{fund}/members/{member}": (f"{F}/members/1", 1),
    "/v1/funds/{fund}/members/{member}/person": (f"{F}/members/1/person", 1),
    "/v1/funds/{fund}/loans": (f"{F}/loans", 1),
    "/v1/funds/{fund}/loans/{loan}": (f"{F}/loans/1", 1),
    "/v1/funds/{fund}/entries": (f"{F}/entries", None),
    "/v1/funds/{fund}/entries/{version}": (f"{F}/entries/3", 1),
    "/v1/funds/{fund}/cash-book": (f"{F}/cash-book?from=2024-01-01&to=2024-06-15", 1),
    "/v1/funds/{fund}/sheet": (f"{F}/sheet", None),
    "/v1/funds/{fund}/diff": (f"{F}/diff?from=2024-01-01&to=2024-06-15", None),
    "/v1/funds/{fund}/papers/vouchers/{voucher}": (f"{F}/papers/vouchers/PC-2024-0001", 1),
    "/v1/funds/{fund}/papers/cash-book": (f"{F}/papers/cash-book?from=2024-01-01&to=2024-06-15", 1),
    "/v1/funds/{fund}/papers/loan-book": (f"{F}/papers/loan-book", 1),
    "/v1/funds/{fund}/papers/members/{member}": (f"{F}/papers/members/1", 1),
    "/v1/funds/{fund}/papers/cash-counts/{version}": (f"{F}/papers/cash-counts/{COUNTED}", 2),
    "/v1/funds/{fund}/papers/meeting-sheet": (f"{F}/papers/meeting-sheet", None),
    "/v1/funds/{fund}/papers/loans/{loan}/request": (f"{F}/papers/loans/1/request", 1),
    "/v1/funds/{fund}/papers/loans/{loan}/note": (f"{F}/papers/loans/1/note", 1),
    "/v1/funds/{fund}/papers/write-offs/{version}": (f"{F}/papers/write-offs/19", 1),
    "/v1/funds/{fund}/papers/in-kind-donations/{version}": (f"{F}/papers/in-kind-donations/{COUNTED + 1}", None),
    "/v1/funds/{fund}/papers/reversals/{version}": (f"{F}/papers/reversals/{COUNTED + 3}", 1),
    "/v1/funds/{fund}/readers": (f"{F}/readers", None),
    "/v1/people": ("/v1/people", None),
    "/v1/people/{person}": ("/v1/people/{person}", None),
    "/v1/people/{person}/phones": ("/v1/people/{person}/phones", None),
}
"""Routes that show persons, with an address where they do, and the member their row is about: None for several."""

SHOWS_NONE = {
    "/healthz": "/healthz",
    "/readyz": "/readyz",
    "/metrics": "/metrics",
    "/v1/funds": "/v1/funds",
    "/v1/funds/{fund}": F,
    "/v1/funds/{fund}/balances": f"{F}/balances",
    "/v1/funds/{fund}/trial-balance": f"{F}/trial-balance",
    "/v1/funds/{fund}/borrowing": f"{F}/borrowing",
    "/v1/funds/{fund}/dues": f"{F}/dues",
    "/v1/funds/{fund}/cash-counts": f"{F}/cash-counts",
    "/v1/funds/{fund}/history": f"{F}/history",
    "/v1/funds/{fund}/verification": f"{F}/verification?code={CODE}",
    "/v1/funds/{fund}/flags": f"{F}/flags",
    "/v1/funds/{fund}/sample": f"{F}/sample?seed=20240615&vouchers=3&loans=2",
    "/v1/funds/{fund}/checkpoints/{number}": f"{F}/checkpoints/1",
    "/v1/funds/{fund}/papers/pot-transfers/{version}": f"{F}/papers/pot-transfers/{COUNTED + 2}",
    "/v1/borrowing": "/v1/borrowing",
    "/v1/check": f"/v1/check?fund={FUND}&code={CODE}",
    "/v1/checkpoints": "/v1/checkpoints",
    "/v1/checkpoints/key": "/v1/checkpoints/key",
    "/v1/checkpoints/{number}": "/v1/checkpoints/1",
    "/v1/checkpoints/{number}/consistency": "/v1/checkpoints/1/consistency?from=1",
    "/v1/feed": "/v1/feed",
    "/v1/flags": "/v1/flags",
    "/v1/people/log": "/v1/people/log",
    "/v1/session": "/v1/session",
    "/v1/sample": "/v1/sample?seed=20240615&clubs=1",
    "/v1/plans": "/v1/plans",
    "/v1/plans/{plan}": f"/v1/plans/{PLAN}",
    "/v1/plans/{plan}/spending": f"/v1/plans/{PLAN}/spending",
    "/v1/report": f"/v1/report?{HALF_YEAR}",
    "/v1/report/rows": f"/v1/report/rows?{HALF_YEAR}",
    "/v1/reports": "/v1/reports",
    "/v1/reports/{report}": "/v1/reports/R-2024-0001",
    "/v1/reports/{report}/restatement": "/v1/reports/R-2024-0001/restatement",
}
"""Routes that show nobody, with an address where there would be something to show."""

DOCUMENT = api_document()["paths"]
READS = sorted(path for path, operations in DOCUMENT.items() if "get" in operations)
OTHERS = {(method, path) for path, operations in DOCUMENT.items() for method in operations if method != "get"}


@pytest.fixture(scope="module")
def watched_database(settled_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file of a village with a counted box and a checkpoint, in which no row has been left yet."""
    file = Path(shutil.copy(settled_database, tmp_path_factory.mktemp("watched") / "fund.db"))
    with house(f"sqlite:///{file}") as village:
        begin_to_watch(village)
    return file


@pytest.fixture
def watched(watched_database: Path, tmp_path: Path) -> Iterator[House]:
    """A running service on a copy of it."""
    for file in watched_database.parent.glob("fund.db*"):
        shutil.copy(file, tmp_path)
    with house(f"sqlite:///{tmp_path / 'fund.db'}") as running:
        yield running


def begin_to_watch(village: House) -> None:
    count = village.recorded(f"/funds/{FUND}/cash-counts", SOUND["/funds/{fund}/cash-counts"])
    assert count["version"] == COUNTED
    goods = SOUND["/funds/{fund}/in-kind-donations"] | {"donor": NAME}
    assert village.recorded(f"/funds/{FUND}/in-kind-donations", goods)["version"] == COUNTED + 1
    village.recorded(f"/funds/{FUND}/pot-transfers", SOUND["/funds/{fund}/pot-transfers"])
    reversal = {"reason": "wrong_amount", "note": NAME, "on": "2024-05-15"}
    assert village.recorded(f"/funds/{FUND}/entries/13/reversal", reversal)["version"] == COUNTED + 3
    assert village.post("/checkpoints").status_code in (200, 201)
    village.recorded("/reports", {"plan": PLAN, "preset": "half-1", "year": 2024})
    code = invited(village, admitted(village, "treasurer", name=NAME, phone=PHONE))
    opened_phone = village.client.post("/v1/invitations/accept", json={"code": code, "label": LABEL}, headers=OURS)
    assert opened_phone.status_code == 201
    assert village.get(f"/funds/{FUND}/balances?min_position={village.entries()}").status_code == 200
    assert stored(village) == []


def stored(house: House) -> list[dict[str, Any]]:
    """All rows of the log, the latest first, once those that waited are on disk."""
    log: ReaderLog = house.app.state.reader_log
    log.flush()
    return house.state.ledger.database.query("SELECT * FROM readers ORDER BY id DESC")


def test_every_read_of_the_document_has_been_decided_on() -> None:
    assert sorted([*SHOWS, *SHOWS_NONE]) == READS


def test_all_else_of_the_document_answers_ones_own_write() -> None:
    writes = {("post", f"/v1{write.path}") for write in WRITES}
    assert OTHERS - writes == {
        ("post", "/v1/funds/{fund}/meetings"),
        ("post", "/v1/checkpoints"),
        ("post", "/v1/practice"),
        ("post", "/v1/plans/{plan}/spending"),
        ("post", "/v1/plans/{plan}/spending/{version}/reversal"),
        ("post", "/v1/reports"),
        ("delete", "/v1/funds/{fund}/members/{member}/person"),
        ("post", "/v1/people"),
        ("post", "/v1/people/{person}/changes"),
        ("post", "/v1/people/{person}/revocation"),
        ("post", "/v1/people/{person}/invitations"),
        ("post", "/v1/people/{person}/pin-reset"),
        ("post", "/v1/invitations/accept"),
        ("put", "/v1/session/pin"),
        ("delete", "/v1/people/{person}/person"),
        ("delete", "/v1/session"),
        ("delete", "/v1/phones/{phone}"),
    }


@pytest.mark.parametrize("path", SHOWS)
def test_who_is_shown_a_person_leaves_a_row(watched: House, path: str) -> None:
    address, member = SHOWS[path]
    token = watched.issue("chair")
    chair = watched.principals.holder(token)
    assert chair
    (person,) = watched.app.state.access.directory.people().persons
    watched.get(f"/funds/{FUND}/dues")
    watched.get(f"/funds/{FUND}/sheet")
    assert len(stored(watched)) == 1, "for the log itself to have a name to show"

    answer = watched.client.get(address.format(person=person), headers=watched.headers(token))

    assert answer.status_code == 200, answer.text
    assert any(name in answer.text for name in (NAME, "Nông Văn Tài", "Ban Chủ nhiệm", LABEL))
    row = stored(watched)[0]
    assert row["id"].startswith(row["at"])
    what = DOCUMENT[path]["get"]["operationId"].partition("_v1_")[0]
    fund = FUND if "{fund}" in path else ""
    assert (row["fund"], row["principal"], row["role"], row["member"]) == (fund, chair.id, "chair", member)
    assert row["what"] == what
    for language in wording.LANGUAGES:
        assert catalogue.render(f"reader.{row['what']}", language)


def test_who_reads_the_note_of_a_report_leaves_a_row_for_it_may_name_somebody(watched: House) -> None:
    watched.recorded("/reports", {"plan": PLAN, "preset": "half-1", "year": 2024, "note": f"Bà {NAME} đề nghị"})

    assert NAME in watched.get("/reports").text

    assert [(row["what"], row["fund"], row["member"]) for row in stored(watched)] == [("list_reports", "", None)]


@pytest.mark.parametrize("path", SHOWS_NONE)
def test_who_is_shown_nobody_leaves_none(watched: House, path: str) -> None:
    answer = watched.client.get(SHOWS_NONE[path], headers=watched.headers())

    assert answer.status_code in (200, 503), answer.text
    assert not any(text in answer.text for text in (NAME, PHONE, "Nông Văn Tài"))
    assert stored(watched) == []


@pytest.mark.parametrize("path", [*ALL_WRITES, "/funds/{fund}/meetings"])
def test_the_answer_to_ones_own_write_counts_for_nothing(village: House, path: str) -> None:
    village.recorded(path_of(path), SOUND.get(path, {"held_on": "2024-05-15", "present": [1], "lines": []}))
    village.post("/checkpoints")
    village.client.delete(f"{F}/members/1/person", headers=village.headers())
    assert stored(village) == []


def test_neither_does_what_is_done_about_people_and_ones_own_session(village: House) -> None:
    person = calling(village, "treasurer").choose_pin()
    village.recorded(f"/people/{person.person}/changes", {"name": "Nông Thị Hoa", "phone": "0987 111 222"})
    village.recorded(f"/people/{person.person}/pin-reset")
    told = person.get("/session").json()
    assert told["name"] == "Nông Thị Hoa"
    village.client.delete(f"/v1/phones/{told['phone']['phone']}", headers=village.headers())
    let_in(village, person.person).ask("DELETE", "/session")
    village.recorded(f"/people/{person.person}/revocation")
    village.client.delete(f"/v1/people/{person.person}/person", headers=village.headers())
    assert stored(village) == []


def test_who_may_not_see_names_and_who_is_refused_leave_no_row(watched: House) -> None:
    reporter, elsewhere = watched.issue("reporter"), watched.issue("chair", scope=Scope(funds=(OTHER_FUND,)))
    assert watched.get(f"/funds/{FUND}/loans", reporter).status_code == 200
    assert watched.get(f"/funds/{FUND}/members", reporter).status_code == 403
    assert watched.get(f"/funds/{FUND}/members", elsewhere).status_code == 404
    assert watched.get(f"/funds/{FUND}/members/77").status_code == 404
    assert watched.get(f"/funds/{FUND}/papers/members/77").status_code == 404
    assert stored(watched) == []


def test_a_passbook_counts_even_when_its_name_was_erased(watched: House) -> None:
    assert watched.client.delete(f"{F}/members/1/person", headers=watched.headers()).status_code == 200
    for address in (f"/funds/{FUND}/members/1", f"/funds/{FUND}/papers/members/1"):
        assert NAME not in watched.get(address).text
    assert [(row["what"], row["member"]) for row in stored(watched)] == [("passbook", 1), ("one_member", 1)]


def test_a_meetings_sheet_counts_once_a_fetch_and_a_look_without_a_body_too(watched: House) -> None:
    watched.get(f"/funds/{FUND}/sheet")
    watched.client.head(f"{F}/sheet", headers=watched.headers())
    assert [row["what"] for row in stored(watched)] == ["meeting_sheet"] * 2


# --- who may see the log ------------------------------------------------------------------------------------------


def test_the_log_is_told_latest_first_in_pages_in_words_and_with_names(watched: House) -> None:
    for number in range(5):
        watched.clock.pass_seconds(1)
        watched.get(f"/funds/{FUND}/members/{number % 2 + 1}")
    stored(watched)

    first = watched.get(f"/funds/{FUND}/readers?limit=3").json()
    rest = watched.get(f"/funds/{FUND}/readers?cursor={first['next']}", Accept_Language="en").json()

    items = [*first["items"], *rest["items"]]
    assert [item["member"] for item in items] == [1, 2, 1, 2, 1]
    assert [item["at"] for item in items] == sorted((item["at"] for item in items), reverse=True)
    assert items[0] | {"principal": "", "at": ""} == {
        "at": "",
        "principal": "",
        "name": "Ban Chủ nhiệm",
        "role": "treasurer",
        "what": "one_member",
        "title": "Sổ theo dõi của thành viên",
        "member": 1,
    }
    assert items[-1]["title"] == "A member's passbook"
    assert rest["next"] is None


@pytest.mark.parametrize(
    ("role", "status"), [("chair", 200), ("inspector", 200), ("admin", 200), ("treasurer", 403), ("reporter", 403)]
)
def test_chairs_inspectors_and_admins_see_who_looked(watched: House, role: Any, status: int) -> None:
    assert watched.get(f"/funds/{FUND}/readers", watched.issue(role)).status_code == status


def test_a_cursor_that_is_none_of_ours_is_refused(watched: House) -> None:
    for cursor in ("x", "AAAA", "fg"):
        assert watched.get(f"/funds/{FUND}/readers?cursor={cursor}").json()["code"] == "cursor-invalid"


def test_no_fund_shows_the_readers_of_another(watched: House) -> None:
    watched.get(f"/funds/{FUND}/members")
    stored(watched)
    assert watched.get(f"/funds/{NEW_FUND}/readers").json()["items"] == []


# --- all that is kept about a person ------------------------------------------------------------------------------


def test_a_member_sees_all_that_is_kept_about_them_and_who_looked(watched: House) -> None:
    own = watched.issue("treasurer", members={FUND: 1})
    watched.get(f"/funds/{FUND}/members")
    watched.get(f"/funds/{FUND}/members/2")
    watched.get(f"/funds/{FUND}/members/1")
    stored(watched)

    told = watched.get(f"/funds/{FUND}/members/1/person", own).json()

    assert {text["kind"]: text["text"] for text in told["texts"] if text["version"] == 3} == {
        "name": NAME,
        "phone": PHONE,
    }
    assert (told["sex"], told["birth_year"], told["household"]) == ("female", 1955, "H1")
    assert {entry["type"] for entry in told["entries"]} >= {"MemberJoined", "ContributionReceived", "LoanRequested"}
    assert [one["roles"] for one in told["principals"]] == [["treasurer"]]
    assert [row["what"] for row in told["readers"]["items"]] == ["one_member", "fund_members"]


def test_nobody_but_the_member_and_the_chair_sees_it(watched: House) -> None:
    at = f"/funds/{FUND}/members/1/person"
    assert watched.get(at, watched.issue("chair")).status_code == 200
    for roles, members in [(("treasurer",), {FUND: 2}), (("inspector",), {}), (("treasurer",), {OTHER_FUND: 1})]:
        assert watched.get(at, watched.issue(*roles, members=members)).status_code == 403  # type: ignore[arg-type]
    assert watched.get(f"/funds/{FUND}/members/77/person").status_code == 404


# --- how rows are kept --------------------------------------------------------------------------------------------


@contextmanager
def log_of(database_url: str, clock: Clock) -> Iterator[tuple[ReaderLog, Any]]:
    with opened(database_url) as ledger, ReaderLog(ledger.database, clock, months=24) as log:
        yield log, ledger.database


def shown() -> Shown:
    shown = Shown()
    shown.note()
    return shown


def test_rows_are_kept_for_the_months_that_are_set(database_url: str) -> None:
    clock = Clock()
    with house(database_url) as running:
        chair = running.principals.holder(running.issue("chair"))
        assert chair
    for days in (0, 700, 40):
        clock.pass_days(days)
        with log_of(database_url, clock) as (log, _):
            log.note(chair, "one_member", FUND, shown())
    with log_of(database_url, clock) as (log, database):
        assert len(database.query("SELECT id FROM readers")) == 2
        clock.pass_days(710)
        log.note(chair, "one_member", FUND, shown())
        log.flush()
        assert len(database.query("SELECT id FROM readers")) == 2, "those of before are gone while the service runs on"


def test_what_was_shown_is_stored_within_a_second_and_when_the_service_ends(database_url: str) -> None:
    assert BATCH_SECONDS < 1
    with house(database_url) as running:
        running.recorded("/funds", {**SOUND["/funds"], "fund": FUND})
        running.recorded(f"/funds/{FUND}/members", SOUND["/funds/{fund}/members"] | {"name": NAME})
        running.get(f"/funds/{FUND}/members?min_position={running.entries()}")
    with house(database_url) as running:
        assert [row["what"] for row in running.state.ledger.database.query("SELECT what FROM readers")] == [
            "fund_members"
        ]


def test_rows_that_cannot_be_stored_now_are_stored_later(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with house(sqlite_url) as running:
        chair = running.principals.holder(running.issue("chair"))
        assert chair
    monkeypatch.setattr(batches, "RETRY_SECONDS", 0.01)
    with log_of(sqlite_url, Clock()) as (log, database):
        transaction, left = database.transaction, [OperationalError(), OperationalError()]

        def failing(**how: Any) -> Any:
            if left:
                raise left.pop()
            return transaction(**how)

        monkeypatch.setattr(database, "transaction", failing)
        log.note(chair, "one_member", FUND, shown())
        log.flush()
        monkeypatch.undo()
        assert [row["what"] for row in log.rows(FUND, most=9)] == ["one_member"]
