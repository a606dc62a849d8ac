"""Claims about reading: each figure at its point in both times, pages that agree, the log byte for byte."""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.projections.follower import Follower
from tests.support.service import CONTRIBUTION_VERSION, FUND, NAME, OPENED_ON, OTHER_FUND, House, house, settle_in

AT = f"/funds/{FUND}"


@pytest.fixture
def village(database_url: str) -> Iterator[House]:
    with house(database_url, read_wait_seconds=30) as running:
        settle_in(running)
        yield running


@pytest.fixture
def sqlite_village(sqlite_url: str) -> Iterator[House]:
    with house(sqlite_url, read_wait_seconds=30) as running:
        settle_in(running)
        yield running


@pytest.fixture(scope="module")
def resting_village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A village in which nothing is recorded any more."""
    with house(f"sqlite:///{tmp_path_factory.mktemp('village') / 'fund.db'}") as running:
        settle_in(running)
        yield running


def read(village: House, path: str) -> dict[str, Any]:
    answer = village.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


def test_a_read_has_what_was_just_acknowledged(village: House) -> None:
    for _ in range(5):
        written = village.recorded(f"{AT}/donations", {"source": "member", "pot": "activity", "amount": 1_000})
        answer = village.get(f"{AT}/balances")
        assert answer.json()["version"] == written["version"]
        assert answer.json()["position"] >= written["position"]
        assert answer.headers["ETag"] == f'"{written["version"]}"'


def test_balances_hold_at_the_end_of_any_day(village: House) -> None:
    opened = read(village, f"{AT}/balances?as_of={OPENED_ON}")
    lent = read(village, f"{AT}/balances?as_of=2024-02-15")

    assert opened["as_of"] == OPENED_ON
    assert opened["cash"] == 100_000_000
    assert opened["pots"]["revolving"] == {
        "cash": 50_000_000,
        "bank": 0,
        "loans": 0,
        "equipment": 0,
        "savings": 0,
        "advances": 0,
        "equity": 50_000_000,
    }
    assert lent["pots"]["revolving"]["loans"] == 10_000_000


def test_what_was_known_then_is_told_apart_from_what_had_happened(village: House) -> None:
    village.clock.pass_days(10)
    then = village.clock().isoformat().replace("+00:00", "Z")
    before = read(village, f"{AT}/balances?as_of=2024-05-15")
    village.clock.pass_days(1)
    village.recorded(f"{AT}/donations", {"source": "member", "pot": "activity", "amount": 7, "on": "2024-05-10"})

    now = read(village, f"{AT}/balances?as_of=2024-05-15")
    known = read(village, f"{AT}/balances?as_of=2024-05-15&known_at={then}")
    by_version = read(village, f"{AT}/balances?as_of=2024-05-15&known_version={before['version']}")

    assert now["cash"] == before["cash"] + 7
    assert known["pots"] == by_version["pots"] == before["pots"]
    assert known["version"] == before["version"]
    assert village.get(f"{AT}/balances?known_at=2020-01-01T00:00:00Z").status_code == 404


@pytest.mark.parametrize(
    "query",
    [
        "as_of=2024-02-30",
        "as_of=20240230",
        "known_at=yesterday",
        "known_at=2024-06-01T00:00:00",
        "known_version=0",
        "known_version=1.0",
        "min_position=-1",
        "min_position=1_0",
        "asof=2024-01-01",
    ],
)
def test_a_point_that_makes_no_sense_is_refused(resting_village: House, query: str) -> None:
    answer = resting_village.get(f"{AT}/balances?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-fields")


def test_a_position_that_does_not_come_is_not_waited_for_without_end(sqlite_url: str) -> None:
    with house(sqlite_url, read_wait_seconds=0.05) as village:
        settle_in(village)
        answer = village.get(f"{AT}/balances?min_position=1000")

        assert (answer.status_code, answer.json()["code"]) == (503, "position-not-reached")
        assert answer.json()["min_position"] == 1000
        assert int(answer.headers["Retry-After"]) > 0


def test_reads_go_on_when_the_read_model_stands_still_and_say_where(sqlite_url: str) -> None:
    with house(sqlite_url, read_wait_seconds=0.05) as village:
        settle_in(village)
        assert village.state.follower.wait_for(village.entries(), 30)
        before = read(village, f"{AT}/balances")
        village.state.follower.__exit__()
        village.recorded(f"{AT}/donations", {"source": "member", "pot": "activity", "amount": 1_000})

        after = read(village, f"{AT}/balances")
        assert (after["position"], after["cash"]) == (before["position"], before["cash"])

        village.state.follower = Follower(village.state.read_model).__enter__()
        assert village.state.follower.wait_for(village.entries(), 30)
        caught_up = read(village, f"{AT}/balances?min_position={village.entries()}")
        assert caught_up["cash"] == before["cash"] + 1_000
        village.state.follower.__exit__()
        # The app ends the follower it began with; that one has stopped already.


def test_the_trial_balance_balances(village: House) -> None:
    found = read(village, f"{AT}/trial-balance")

    assert found["debit"] == found["credit"] == sum(row["debit"] for row in found["rows"]) > 0


def test_the_roll_and_the_passbook_bear_names(village: House) -> None:
    roll = read(village, f"{AT}/members")
    member = read(village, f"{AT}/members/1")

    assert [(person["member"], person["name"]) for person in roll["items"]] == [(1, NAME), (2, "Nông Văn Tài")]
    assert roll["items"][1]["household"] == "2"
    assert member["phone"] == "0912 345 678"
    assert [line["amount"] for line in member["lines"] if line["part"] == "dues"] == [10_000]
    assert {loan["loan"] for loan in member["loans"]} == {1, 2, 3, 4}
    assert village.get(f"{AT}/members/9").status_code == 404


def test_the_loan_book_has_every_loan_with_its_standing(village: House) -> None:
    book = read(village, f"{AT}/loans?as_of=2024-06-15")
    running = read(village, f"{AT}/loans?status=running")
    one = read(village, f"{AT}/loans/1?as_of=2024-03-15")

    assert [loan["status"] for loan in book["items"]] == ["running", "approved", "requested", "written_off"]
    assert [loan["loan"] for loan in running["items"]] == [1]
    assert (one["outstanding"], one["settlement_amount"]) == (5_000_000, 5_050_000)
    assert [line["number"] for line in one["plan"]] == list(range(1, 13))
    assert book["names"] == {"1": NAME}
    assert village.get(f"{AT}/loans/9").status_code == 404
    assert village.get(f"{AT}/loans?status=lost").json()["errors"][0]["code"] == "value-not-allowed"


def test_an_entry_is_told_with_its_legs_and_what_was_noted(village: House) -> None:
    noted = village.recorded(f"{AT}/expenses", {"activity": "culture", "amount": 1_000, "note": "Trà và bánh"})

    entry = read(village, f"{AT}/entries/{noted['version']}")

    assert entry["texts"] == {"note": "Trà và bánh"}
    assert entry["check_code"] == noted["check_code"]
    assert sum(leg["debit"] - leg["credit"] for leg in entry["legs"]) == 0
    assert village.get(f"{AT}/entries/999").status_code == 404


def test_pages_agree_with_one_another_whatever_is_recorded_meanwhile(village: House) -> None:
    whole = read(village, f"{AT}/entries?order=asc&limit=500")["items"]
    paged: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = read(village, f"{AT}/entries?order=asc&limit=4{cursor and f'&cursor={cursor}'}")
        paged += page["items"]
        cursor = page["next"]
        village.recorded(f"{AT}/donations", {"source": "member", "pot": "activity", "amount": 1_000})

    assert [entry["version"] for entry in paged] == [entry["version"] for entry in whole]


def test_pages_of_the_loan_book_keep_the_view_of_the_first(village: House) -> None:
    first = read(village, f"{AT}/loans?limit=1")
    village.recorded(f"{AT}/loans/2/disbursement", {})
    village.clock.pass_days(40)

    second = read(village, f"{AT}/loans?limit=1&cursor={first['next']}")

    assert (second["items"][0]["loan"], second["items"][0]["status"]) == (2, "approved")
    assert (second["as_of"], second["version"]) == (first["as_of"], first["version"])


@pytest.mark.parametrize("path", ["/funds", f"{AT}/members", f"{AT}/loans", f"{AT}/entries", f"{AT}/cash-book"])
@pytest.mark.parametrize(
    "query", ["cursor=%00", "cursor=!", "cursor=WzFd", "cursor=" + "a" * 500, "limit=0", "limit=501"]
)
def test_a_strange_cursor_or_limit_is_refused(resting_village: House, path: str, query: str) -> None:
    answer = resting_village.get(f"{path}?{query}")

    if query == "cursor=WzFd" and path == "/funds":
        assert answer.json()["items"] == []
        return
    assert answer.status_code in (400, 422), answer.text
    codes = {error["code"] for error in answer.json().get("errors", ())} | {answer.json()["code"]}
    assert codes & {"cursor-invalid", "limit-invalid", "text-not-allowed"}


def test_the_journal_is_filtered_by_what_is_asked(village: House) -> None:
    dues = read(village, f"{AT}/entries?type=ContributionReceived&member=1&from=2024-03-01&to=2024-03-31")
    loan = read(village, f"{AT}/entries?loan=1&order=asc")

    assert [entry["part"] for entry in dues["items"]] == ["savings", "dues"]
    assert [entry["type"] for entry in loan["items"]] == ["LoanRequested", "LoanApproved", "LoanDisbursed"]
    assert village.get(f"{AT}/entries?type=Nothing").json()["code"] == "invalid-fields"


def test_the_cash_book_runs_from_opening_to_closing(village: House) -> None:
    book = read(village, f"{AT}/cash-book?from=2024-02-01&to=2024-03-31&pot=revolving")

    assert book["opening"] == 50_000_000
    assert book["opening"] + sum(line["received"] - line["paid"] for line in book["items"]) == book["closing"]
    assert village.get(f"{AT}/cash-book?from=2024-03-01&to=2024-02-01").json()["code"] == "period-upside-down"


def test_borrowing_is_told_in_three_readings(village: House) -> None:
    settle_in(village, OTHER_FUND, district="Văn Quan")

    own, all_of_them = read(village, f"{AT}/borrowing"), read(village, "/borrowing?purpose=any&threshold=55")

    for found, members in ((own, 2), (all_of_them, 4)):
        assert {found[reading]["members"] for reading in ("current", "in_period", "ever")} == {members}
    assert (own["current"]["borrowers"], own["current"]["percent"]) == (1, "50.0")
    assert all_of_them["funds"] == 2


def test_the_history_is_the_stored_lines_byte_for_byte(village: House) -> None:
    answer = village.get(f"{AT}/history")

    lines = answer.content.split(b"\n")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    assert lines.pop() == b""
    assert lines == village.state.ledger.recorder.lines(FUND, 0, None)
    head = "0" * 64
    for line in lines:
        assert json.loads(line)["prev"] == head
        head = hashlib.sha256(line).hexdigest()
    assert read(village, f"{AT}/verification")["head"] == head


def test_a_check_code_is_found_in_the_version_it_belongs_to(village: House) -> None:
    code = read(village, f"{AT}/entries/{CONTRIBUTION_VERSION}")["check_code"]

    found = read(village, f"{AT}/verification?code={code}")
    lost = read(village, f"{AT}/verification?code=AAAA-AAAA-AAAA-AAAA")

    assert (found["valid"], found["matches_version"]) == (True, CONTRIBUTION_VERSION)
    assert lost["matches_version"] is None
    assert village.get(f"{AT}/verification?code=abc").json()["code"] == "invalid-fields"


def test_a_printed_head_is_found_in_the_version_it_belongs_to(village: House) -> None:
    line = village.get(f"{AT}/history").content.split(b"\n")[CONTRIBUTION_VERSION - 1]
    head = hashlib.sha256(line).hexdigest()

    found = read(village, f"{AT}/verification?head={head}")
    lost = read(village, f"{AT}/verification?head={'0' * 64}")

    assert (found["valid"], found["matches_version"]) == (True, CONTRIBUTION_VERSION)
    assert lost["matches_version"] is None
    assert village.get(f"{AT}/verification?head=ABC").json()["code"] == "invalid-fields"
    both = village.get(f"{AT}/verification?head={head}&code=AAAA-AAAA-AAAA-AAAA")
    assert (both.status_code, both.json()["errors"][0]["pointer"]) == (422, "?head")


def test_an_inspector_with_a_paper_receipt_finds_its_entry_and_what_became_of_it(village: House) -> None:
    entry = read(village, f"{AT}/entries/{CONTRIBUTION_VERSION}")
    voucher = entry["entry"]["voucher"] if "entry" in entry else entry["voucher"]
    before = read(village, f"{AT}/verification?voucher={voucher}")["bearers"]
    undone = village.recorded(
        f"{AT}/entries/{CONTRIBUTION_VERSION}/reversal", {"reason": "wrong_amount", "on": "2024-05-15"}
    )

    after = read(village, f"{AT}/verification?voucher={voucher}")["bearers"]

    bearer = {
        "version": CONTRIBUTION_VERSION,
        "type": "ContributionReceived",
        "on": "2024-03-15",
        "check_code": entry["check_code"],
        "reverses": None,
        "reversed_by": None,
    }
    reversal = {
        "version": undone["version"],
        "type": "EntryReversed",
        "on": "2024-05-15",
        "check_code": undone["check_code"],
        "reverses": CONTRIBUTION_VERSION,
        "reversed_by": None,
    }
    assert before == [bearer]
    assert after == [bearer | {"reversed_by": undone["version"]}, reversal]
    assert read(village, f"{AT}/verification?voucher=PT-1999-0001")["bearers"] == []
    assert read(village, f"{AT}/verification")["bearers"] is None
    assert village.get(f"{AT}/verification?voucher=PT-1999-1").json()["code"] == "invalid-fields"


def test_the_feed_goes_on_where_it_ended(village: House) -> None:
    first = read(village, "/feed?limit=3")
    rest = read(village, f"/feed?after={first['next']}&limit=500")

    positions = [item["position"] for item in first["items"] + rest["items"]]
    assert len(first["items"]) == 3
    assert positions == sorted(set(positions))
    assert len(positions) == rest["next"] == village.entries()
    assert NAME not in json.dumps(rest, ensure_ascii=False)
    assert read(village, f"/feed?after={rest['next']}")["items"] == []


def test_a_waiting_feed_is_woken_by_the_next_entry(sqlite_village: House) -> None:
    import threading

    answers: list[dict[str, Any]] = []
    last = sqlite_village.entries()
    waiting = threading.Thread(target=lambda: answers.append(read(sqlite_village, f"/feed?after={last}&wait=30")))
    waiting.start()

    written = sqlite_village.recorded(f"{AT}/donations", {"source": "member", "pot": "activity", "amount": 1_000})
    waiting.join(timeout=30)

    assert [item["position"] for item in answers[0]["items"]] == [written["position"]]


def test_what_another_process_opened_is_read_here(sqlite_url: str) -> None:
    with house(sqlite_url, read_wait_seconds=30) as one, house(sqlite_url, read_wait_seconds=30) as other:
        settle_in(one)
        position = one.entries()
        token = one.token

        answer = other.get(f"{AT}/balances?min_position={position}", token)

        assert answer.status_code == 200
        assert answer.json()["version"] == len(list(one.state.ledger.entries(FUND)))
