"""Claims about checkpoints over HTTP, and made each day by the service itself."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from eventsourcing.persistence import OperationalError

from ledger.checkpoints import Checkpoints, Made, Overtaken
from ledger.checkpoints.merkle import extends, includes
from ledger.checkpoints.notes import Key, Signer, read
from service.access.principals import Scope
from service.checkpoints.anchoring import Anchoring
from service.checkpoints.signing import BadKey, signer_of
from tests.support.service import FUND, NEW_FUND, House, house, opening


def gift(village: House, fund: str = FUND) -> None:
    village.recorded(f"/funds/{fund}/donations", {"source": "business", "pot": "activity", "amount": 1_000})


def made(village: House, token: str | None = None) -> Any:
    return village.client.post("/v1/checkpoints", json={}, headers=village.headers(token))


# --- over HTTP --------------------------------------------------------------------------------------------------------


def test_an_inspector_has_a_checkpoint_made_and_asking_twice_makes_one(village: House) -> None:
    first, again = made(village, village.issue("inspector")), made(village, village.issue("admin"))

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.text == again.text == village.get("/checkpoints/1").text
    assert first.headers["Location"] == again.headers["Location"] == "/v1/checkpoints/1"
    assert first.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert first.headers["Cache-Control"] == "no-store"
    note = read(first.text)
    assert (note.number, note.size, note.funds, note.made_at) == (1, 2, 2, village.clock())
    key = Key.read(village.get("/checkpoints/key").text)
    assert key.has_signed(first.text)
    gift(village)
    assert made(village).status_code == 201


def test_a_body_that_says_something_is_refused(village: House) -> None:
    answer = village.client.post("/v1/checkpoints", json={"fund": FUND}, headers=village.headers())

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "unknown-field")


def test_checkpoints_are_listed_page_by_page(village: House) -> None:
    for _ in range(3):
        gift(village)
        village.clock.pass_days(1)
        assert made(village).status_code == 201

    first = village.get("/checkpoints?limit=2").json()
    rest = village.get(f"/checkpoints?limit=2&cursor={first['next']}").json()

    assert [item["number"] for item in first["items"] + rest["items"]] == [3, 2, 1]
    assert rest["next"] is None
    assert first["key"] == village.get("/checkpoints/key").text.strip()
    shown = read(village.get("/checkpoints/3").text)
    assert first["items"][0] == {
        "number": 3,
        "origin": "microfund",
        "size": 4,
        "root": base64.b64encode(shown.root).decode(),
        "made_at": "2024-06-18T03:00:00Z",
        "funds": 2,
        "entries": shown.entries,
    }
    for cursor in ("abc", "-1", "9" * 30):
        assert village.get(f"/checkpoints?cursor={cursor}").status_code in (400, 422)


def test_a_funds_head_is_proved_with_a_few_hashes(village: House) -> None:
    made(village)
    gift(village)
    made(village)

    for number in (1, 2):
        proved = village.get(f"/funds/{FUND}/checkpoints/{number}").json()
        note = read(proved["note"])
        hashes = [base64.b64decode(one) for one in proved["proof"]]
        assert includes(note.root, note.size, proved["index"], proved["leaf"].encode(), hashes)
        assert proved["leaf"] == f"{FUND} {proved['version']} {proved['head']}"
        for asked in (f"head={proved['head']}", f"code={proved['check_code']}"):
            found = village.get(f"/funds/{FUND}/verification?{asked}").json()
            assert found["matches_version"] == proved["version"]
    proof = village.get("/checkpoints/2/consistency?from=1").json()
    hashes = [base64.b64decode(one) for one in proof["proof"]]
    old, new = read(village.get("/checkpoints/1").text), read(village.get("/checkpoints/2").text)
    assert (proof["from"]["size"], proof["to"]["size"]) == (old.size, new.size)
    assert extends(old.root, old.size, new.root, new.size, hashes)


def test_what_does_not_exist_is_not_found(village: House) -> None:
    made(village)
    village.recorded("/funds", opening("LS-LB-MAUSON"))

    for path in (
        "/checkpoints/2",
        "/checkpoints/0",
        "/checkpoints/last",
        "/checkpoints/1/consistency?from=2",
        f"/funds/{FUND}/checkpoints/2",
        "/funds/LS-LB-MAUSON/checkpoints/1",
    ):
        assert village.get(path).status_code == 404, path
    assert village.get("/checkpoints/2").json()["code"] == "checkpoint-not-found"


def test_a_proof_names_no_fund_out_of_scope(village: House) -> None:
    made(village)
    token = village.issue("reporter", scope=Scope(funds=(FUND,)))

    answers = [
        village.get(path, token)
        for path in (
            "/checkpoints",
            "/checkpoints/1",
            "/checkpoints/key",
            "/checkpoints/1/consistency?from=1",
            f"/funds/{FUND}/checkpoints/1",
        )
    ]

    assert [answer.status_code for answer in answers] == [200] * 5
    assert not any(NEW_FUND in answer.text for answer in answers)
    assert village.get(f"/funds/{NEW_FUND}/checkpoints/1", token).status_code == 404


def test_nothing_is_signed_over_a_fund_that_was_cut_short_and_it_is_named_to_whom_it_concerns(village: House) -> None:
    made(village)
    gift(village)
    village.state.ledger.database.execute("DELETE FROM stored_events WHERE originator_id = :fund", fund=NEW_FUND)

    seen = made(village)
    unseen = made(village, village.issue("inspector", scope=Scope(funds=(FUND,))))

    assert (seen.status_code, seen.json()["code"]) == (409, "funds-changed")
    assert (seen.json()["count"], seen.json()["funds"]) == (1, [NEW_FUND])
    assert (unseen.json()["count"], unseen.json()["funds"]) == (1, [])
    assert village.get("/checkpoints").json()["items"][0]["number"] == 1


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("DELETE FROM checkpoint_leaves", "leaves-changed"),
        ("UPDATE checkpoints SET note = replace(note, 'funds 2', 'funds 3')", "signed-by-another-key"),
    ],
)
def test_nothing_is_signed_over_what_was_not_signed_before(village: House, sql: str, code: str) -> None:
    made(village)
    village.state.ledger.database.execute(sql)

    answer = made(village)

    assert (answer.status_code, answer.json()["code"]) == (409, code)


# --- the key --------------------------------------------------------------------------------------------------------


def spoil(key: Path) -> None:
    key.write_text("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")


def lose(key: Path) -> None:
    key.unlink()


def exchange(key: Path) -> None:
    other = Ed25519PrivateKey.generate()
    key.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@pytest.mark.parametrize(
    ("harm", "status", "trouble"),
    [
        (spoil, 503, "holds no private key in PEM"),
        (lose, 503, "is not there, and checkpoint 1 was signed with it"),
        (exchange, 409, "is another one than that which signed checkpoint 1"),
    ],
)
def test_a_key_that_is_harmed_signs_nothing_and_stands_in_readyz_at_once(
    village: House, harm: Callable[[Path], None], status: int, trouble: str
) -> None:
    first, key = made(village), Path(village.state.settings.checkpoint_key)
    village.anchoring.look()
    held = key.read_bytes()
    gift(village)

    harm(key)
    harmed = key.read_bytes() if key.exists() else None
    refused, listed, ready = made(village), village.get("/checkpoints"), village.client.get("/readyz")

    assert refused.status_code == status
    assert status != 503 or (refused.json()["code"], refused.headers["Retry-After"]) == (
        "checkpoint-key-unusable",
        "60",
    )
    assert (listed.status_code, [item["number"] for item in listed.json()["items"]]) == (200, [1])
    assert ready.status_code == 200, "everything but signing goes on"
    assert trouble in ready.json()["checkpoint"]["trouble"]
    assert str(key) not in ready.text
    assert (key.read_bytes() if key.exists() else None) == harmed, "nothing is made in its place"

    key.write_bytes(held)
    assert made(village).status_code == 201
    assert village.client.get("/readyz").json()["checkpoint"]["trouble"] is None
    assert Key.read(village.get("/checkpoints/key").text).has_signed(first.text)


def test_no_key_is_made_by_asking_whether_the_service_is_ready(sqlite_url: str, tmp_path: Path) -> None:
    with house(sqlite_url, checkpoint_key=str(tmp_path / "checkpoint.pem")) as empty:
        assert empty.client.get("/readyz").json()["checkpoint"]["trouble"] is None
        assert not (tmp_path / "checkpoint.pem").exists()


# --- each day ---------------------------------------------------------------------------------------------------------


class Bad(Checkpoints):
    """Checkpoints of a database that is away, or overtaken, as long as there is something to raise."""

    def __init__(self, village: House, *errors: Exception) -> None:
        super().__init__(village.state.ledger.database, village.state.ledger.recorder)
        self.errors = list(errors)

    def make(self, signer: Signer, now: datetime, *, after_another_key: bool = False) -> Made:
        if self.errors:
            raise self.errors.pop(0)
        return super().make(signer, now, after_another_key=after_another_key)


def anchoring(village: House, checkpoints: Checkpoints | None = None) -> Anchoring:
    signer = partial(signer_of, village.state.settings, village.checkpoints)
    return Anchoring(checkpoints or village.checkpoints, signer, village.clock, 60.0)


def test_the_service_makes_one_checkpoint_each_village_day_however_many_copies_run(village: House) -> None:
    copies = [anchoring(village) for _ in range(3)]

    for _ in range(3):
        gift(village)
        for _ in range(2):
            for copy in copies:
                copy.look()
                gift(village)
        village.clock.pass_days(1)

    listed = village.checkpoints.listed(most=9)
    assert [str(one.checkpoint.made_at.date()) for one in listed] == ["2024-06-17", "2024-06-16", "2024-06-15"]
    assert {copy.made_at for copy in copies} == {listed[0].checkpoint.made_at}


def test_the_day_turns_in_the_village(village: House) -> None:
    village.clock.now = datetime(2024, 6, 15, 16, 59, tzinfo=UTC)
    copy = anchoring(village)
    copy.look()
    gift(village)
    copy.look()
    assert len(village.checkpoints.listed(most=9)) == 1

    village.clock.now = datetime(2024, 6, 15, 17, 0, tzinfo=UTC)
    copy.look()

    assert len(village.checkpoints.listed(most=9)) == 2


@pytest.mark.parametrize(
    "error", [OperationalError("disk full"), RuntimeError("a bug"), BadKey("no-key", Path("key.pem"))], ids=repr
)
def test_a_failure_is_shown_and_the_next_look_makes_up_for_it(village: House, error: Exception) -> None:
    copy = anchoring(village, Bad(village, error, error))
    village.app.state.anchoring = copy

    copy.look()
    copy.look()
    troubled = village.client.get("/readyz").json()["checkpoint"]
    copy.look()
    healed = village.client.get("/readyz").json()["checkpoint"]

    told = error.why if isinstance(error, BadKey) else type(error).__name__
    assert troubled == {"made_at": None, "trouble": told}
    assert healed == {"made_at": "2024-06-15T03:00:00Z", "trouble": None}


def test_a_changed_fund_is_shown_by_the_service_itself(village: House) -> None:
    made(village)
    village.clock.pass_days(1)
    village.state.ledger.database.execute("DELETE FROM stored_events WHERE originator_id = :fund", fund=NEW_FUND)

    village.anchoring.look()

    assert village.client.get("/readyz").json()["checkpoint"]["trouble"] == "FundsChanged"


def test_a_copy_that_was_overtaken_finds_the_others_checkpoint(village: House) -> None:
    copy = anchoring(village, Bad(village, Overtaken()))

    copy.look()
    assert (copy.trouble, copy.made_at) == (None, None)
    made(village)
    copy.look()

    assert (copy.trouble, copy.made_at) == (None, village.clock())
    assert len(village.checkpoints.listed(most=9)) == 1


def test_a_service_without_funds_waits_for_the_first(sqlite_url: str) -> None:
    with house(sqlite_url) as empty:
        empty.anchoring.look()
        assert empty.client.get("/readyz").json()["checkpoint"] == {"made_at": None, "trouble": None}
        assert (made(empty).status_code, made(empty).json()["code"]) == (409, "nothing-to-vouch-for")
        empty.recorded("/funds", opening())
        empty.anchoring.look()
        assert len(empty.checkpoints.listed(most=9)) == 1


def test_the_thread_looks_by_itself_and_stops(village: House) -> None:
    signer = partial(signer_of, village.state.settings, village.checkpoints)
    with Anchoring(village.checkpoints, signer, village.clock, 0.01) as running:
        while running.made_at is None:
            assert running.trouble is None
    assert len(village.checkpoints.listed(most=9)) == 1
