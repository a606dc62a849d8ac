"""Claims about clubs for practice: they are in nothing that is said of several clubs, and never become real ones."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.events import EVENT_TYPES
from ledger.projections.proof import divergences
from service.access.principals import Scope
from service.writes.table import WRITES
from tests.support.access import MAY
from tests.support.commands import command
from tests.support.pages import Browser
from tests.support.service import FUND, OTHER_FUND, SOUND, House, house, opening, settle_in

PRACTICE = "TAP-MAIPHA"
PLAN = "VN-LS-47-2022"
HALF_YEAR = f"?plan={PLAN}&from=2024-01-01&to=2024-06-30"
ASKED = {"/v1/sample": "?seed=XSMB-2024-48213&clubs=5", "/v1/report": HALF_YEAR}
OF_NO_CLUB = ("/v1/plans", "/v1/reports", "/v1/report/rows")
"""Plans; the list of reports, each about what it was asked; and the rows of the report that is asked for anyway."""
ACROSS = sorted(
    f"{path}{ASKED.get(path, '')}"
    for method, path in MAY
    if method == "get"
    and "{" not in path
    and not path.startswith(("/v1/checkpoints", "/v1/people", "/v1/session", *OF_NO_CLUB))
)
"""What is asked about several clubs, by the API's own list of routes."""
MOVING_ON = ("position", "recorded_until", "next")
"""What tells of the log alone: it moves on with every entry, also one that is nobody's business."""


@pytest.fixture
def villages(database_url: str) -> Iterator[House]:
    with house(database_url) as running:
        settle_in(running, plan=PLAN)
        settle_in(running, OTHER_FUND, district="Văn Quan", plan=PLAN)
        yield running


def open_club(villages: House, fund: str = PRACTICE) -> None:
    """A club with loans and money, that lies where a real one does; for practice, if its code says so."""
    villages.recorded("/funds", opening(fund, plan=PLAN, practice=fund == PRACTICE))
    at = f"/funds/{fund}"
    for sex in ("female", "male"):
        villages.recorded(f"{at}/members", {"sex": sex, "birth_year": 1950, "poverty": "poor", "on": "2024-01-10"})
    villages.recorded(f"{at}/donations", {"source": "business", "pot": "revolving", "amount": 9_000_000})
    for number in (1, 2):
        loan = {"member": number, "principal": 2_000_000, "term_months": 6, "purpose": "trade"}
        villages.recorded(f"{at}/loans", loan)
        villages.recorded(f"{at}/loans/{number}/approval")
        villages.recorded(f"{at}/loans/{number}/disbursement")


def said_of_clubs(villages: House, tokens: list[str], url: str) -> dict[tuple[str, str], Any]:
    """Everything that is said of several clubs, to each of some principals and at the command line."""
    said: dict[tuple[str, str], Any] = {}
    for token in tokens:
        for path in (
            *ACROSS,
            "/v1/funds?province=Lạng Sơn",
            "/v1/borrowing?commune=Mai Pha",
            "/v1/borrowing?purpose=any",
        ):
            answer = villages.client.get(path, headers=villages.headers(token))
            assert answer.status_code == 200, answer.text
            said[token, path] = {name: what for name, what in answer.json().items() if name not in MOVING_ON}
        said[token, "/clubs"] = Browser(villages, token).open("/clubs").values("data-club")
    for words in (("flags", "--all"), ("sample", "--seed", "XSMB-2024-48213", "--clubs", "5")):
        told = command(url, *words)
        assert told.returncode == 0, told.stderr
        said["command", words[0]] = told.stdout
    return said


def test_a_practice_club_is_in_nothing_that_is_said_of_several_clubs(villages: House, database_url: str) -> None:
    scopes = (
        Scope(everything=True),
        Scope(province="Lạng Sơn"),
        Scope(province="Lạng Sơn", district="Lạng Sơn"),
        Scope(funds=(FUND, PRACTICE)),
    )
    tokens = [villages.issue("inspector", scope=scope) for scope in scopes]
    before = said_of_clubs(villages, tokens, database_url)
    assert {"/v1/funds", "/v1/borrowing", "/v1/flags", "/v1/feed"} <= {path for _, path in before}
    assert before[tokens[0], "/v1/borrowing"]["funds"] == 2

    open_club(villages)

    assert said_of_clubs(villages, tokens, database_url) == before
    # A real club with the same books is in all of it.
    open_club(villages, "LS-CL-THAT")
    after = said_of_clubs(villages, tokens[:1], database_url)
    assert {asked for asked, what in after.items() if what == before[asked]} == set()


def test_what_is_asked_of_a_practice_club_itself_is_answered_as_of_any(villages: House) -> None:
    open_club(villages)

    told, real = (villages.get(f"/funds/{fund}").json() for fund in (PRACTICE, FUND))
    assert (told["practice"], real["practice"]) == (True, False)
    assert (told["members"], told["loans"], told["outstanding"], told["cash"]) == (2, 2, 4_000_000, 5_000_000)
    past = villages.get(f"/funds/{PRACTICE}?as_of=2024-02-01").json()
    assert (past["practice"], past["members"], past["cash"]) == (True, 2, 0)
    assert villages.get(f"/funds/{PRACTICE}/borrowing").json()["current"]["borrowers"] == 2
    assert villages.get(f"/funds/{PRACTICE}/balances?known_version=5").json()["cash"] == 9_000_000
    assert villages.get(f"/funds/{PRACTICE}/verification").json()["practice"] is True
    assert villages.get(f"/funds/{FUND}/verification").json()["practice"] is False


def test_the_code_says_whether_a_club_is_for_practice(villages: House) -> None:
    before = villages.entries()
    for body, code in (
        (opening("LS-CL-TAP", practice=True), "practice-code-needed"),
        (opening("TAPMAIPHA", practice=True), "practice-code-needed"),
        (opening("TAP-MAIPHA"), "practice-code-reserved"),
        (opening("TAP-MAIPHA", practice=False), "practice-code-reserved"),
    ):
        answer = villages.post("/funds", body)

        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert [error["pointer"] for error in answer.json()["errors"]] == ["/fund"]
        assert "bắt đầu bằng TAP-" in answer.json()["detail"]
        assert "with TAP-" in villages.post("/funds", body, Accept_Language="en").json()["detail"]
    assert villages.entries() == before


def test_the_line_of_a_real_club_says_nothing_of_practice(villages: House) -> None:
    open_club(villages)
    real, practice = (next(villages.state.ledger.entries(fund)).line for fund in (FUND, PRACTICE))
    assert b"practice" not in real
    assert b'"practice":true' in practice


def test_no_route_makes_a_practice_club_a_real_one(villages: House) -> None:
    """Only its opening says what it is, and it is opened once."""
    telling = [name for name, event in EVENT_TYPES.items() if "practice" in event.__struct_fields__]
    assert telling == ["FundOpened"]
    assert [write.path for write in WRITES if "practice" in write.body.model_fields] == ["/funds"]
    open_club(villages)
    before = villages.entries()

    for write in WRITES:
        path = write.path.format(fund=PRACTICE, member=1, loan=1, advance=1, version=3)
        body = opening(PRACTICE) if write.path == "/funds" else SOUND.get(write.path, {"reason": "Sai"})
        for sent in (body, body | {"practice": False}):
            assert villages.post(path, sent).status_code < 500

    assert villages.entries() > before
    assert villages.post("/funds", opening(PRACTICE, practice=True)).json()["code"] == "fund-exists"
    assert villages.get(f"/funds/{PRACTICE}").json()["practice"] is True


def test_the_proof_of_the_tables_knows_which_club_is_for_practice(villages: House) -> None:
    open_club(villages)
    villages.get(f"/funds/{PRACTICE}")
    ledger = villages.state.ledger
    assert list(divergences(ledger)) == []

    ledger.database.execute("UPDATE funds SET practice = 0 WHERE fund = :fund", fund=PRACTICE)

    assert [(found.fund, found.table) for found in divergences(ledger)] == [(PRACTICE, "funds")]
