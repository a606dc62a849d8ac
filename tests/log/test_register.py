"""What is personal lies beside the log: it can be found, and erased, and no line, sum or hash knows of it."""

import unicodedata
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.history import verify
from ledger.register import Text, folded, written
from tests.support.jobs import FUND, gift, job, joining, opened, opening, recorded, stored

NAME = "Hoàng Thị Sầm"
PHONE = "0912 345 678"
NOTE = "Nộp thay chị Đặng Thị Phấn"
OTHER = "LS-BACSON-02"


def recorded_people(ledger: Ledger, fund: str = FUND) -> dict[str, Text]:
    """A member with name and phone, and a gift with a note, recorded; answers the register's rows by kind."""
    texts = {kind: written(fund, text) for kind, text in (("name", NAME), ("phone", PHONE), ("note", NOTE))}
    person = {kind: texts[kind] for kind in ("name", "phone")}
    jobs = [opening(fund), joining("joining-0001", fund=fund, texts=person)]
    jobs.append(gift("gift-0001", 5_000, fund=fund, texts={"note": texts["note"]}))
    for outcome in ledger.record(jobs):
        recorded(outcome)
    return texts


def test_nothing_personal_is_in_a_line_and_all_of_it_is_in_the_register(database_url: str) -> None:
    with opened(database_url) as ledger:
        texts = recorded_people(ledger)
        lines = b"\n".join(stored(ledger)).decode()
        for canary in (NAME, PHONE, NOTE, "Sầm", "Phấn", "0912 3", "0912345", *(text.salt for text in texts.values())):
            assert canary not in lines
            assert folded(canary) not in folded(lines)
        assert all(text.digest in lines for text in texts.values())
        found = ledger.register.texts(text.digest for text in texts.values())
        assert found == {texts["name"].digest: NAME, texts["phone"].digest: PHONE, texts["note"].digest: NOTE}


def test_erasing_a_person_changes_no_line_no_sum_and_no_hash(database_url: str) -> None:
    with opened(database_url) as ledger:
        texts = recorded_people(ledger)
        lines, before = stored(ledger), ledger.replayed(FUND)
        assert ledger.register.erase(FUND, [text.digest for text in texts.values()]) == 3
        after = ledger.replayed(FUND)
        assert stored(ledger) == lines
        assert (after.head, after.balances, after.members) == (before.head, before.balances, before.members)
        assert verify(lines).valid
        assert ledger.register.texts(text.digest for text in texts.values()) == {}
        assert ledger.database.query("SELECT * FROM register") == []
        assert ledger.register.erase(FUND, [texts["name"].digest]) == 0
        assert recorded(ledger.record([joining("joining-0001", texts={"name": written(FUND, NAME)})])[0]).names == {}
        assert ledger.database.query("SELECT * FROM register") == []


def test_a_text_is_found_by_its_digest_without_reading_those_of_all_clubs(database_url: str) -> None:
    texts = [{"fund": f"F-{number % 7}", "digest": f"{number:064x}", "encrypted": "-"} for number in range(3_000)]
    with opened(database_url) as ledger, ledger.database.transaction(commit=False) as transaction:
        transaction.execute_many("INSERT INTO register VALUES (:fund, :digest, :encrypted)", texts)
        transaction.execute("ANALYZE register")
        explain = "EXPLAIN" if ledger.database.is_postgres else "EXPLAIN QUERY PLAN"
        plan = transaction.query(f"{explain} SELECT fund, digest, encrypted FROM register WHERE digest IN ('a', 'b')")
    assert "register_by_digest" in str(plan)


def test_erasing_in_one_fund_touches_no_other(database_url: str) -> None:
    with opened(database_url) as ledger:
        mine, theirs = recorded_people(ledger), recorded_people(ledger, OTHER)
        assert ledger.register.erase(FUND, [theirs["name"].digest, mine["name"].digest, mine["name"].digest]) == 1
        assert ledger.register.texts([theirs["name"].digest, mine["name"].digest]) == {theirs["name"].digest: NAME}


def test_what_is_erased_is_gone_from_the_files_at_once(sqlite_url: str) -> None:
    files = Path(sqlite_url.removeprefix("sqlite:///")).parent

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in files.iterdir())

    with opened(sqlite_url) as ledger:
        texts = recorded_people(ledger)
        held = [row["encrypted"].encode() for row in ledger.database.query("SELECT encrypted FROM register")]
        assert all(encrypted in on_disk() for encrypted in held)
        ledger.register.erase(FUND, [text.digest for text in texts.values()])
        remains = on_disk()
    assert not any(encrypted in remains for encrypted in held)


def test_texts_are_stored_with_their_event_or_not_at_all(database_url: str) -> None:
    with opened(database_url) as ledger:
        recorded(ledger.record([opening()])[0])
        note = {"note": written(FUND, NOTE)}
        refused = job("e-1", lambda f, s: f.pay_expense(s, activity="health", amount=1), texts=note)
        outcomes = ledger.record([refused, gift("gift-0001", texts=note, dry_run=True)])
        assert type(outcomes[0]).__name__ == "InsufficientFunds"
        assert ledger.database.query("SELECT * FROM register") == []
        recorded(ledger.record([gift("gift-0001", texts=note)])[0])
        recorded(ledger.record([gift("gift-0001", texts={"note": written(FUND, NOTE)})])[0])
        assert [row["digest"] for row in ledger.database.query("SELECT digest FROM register")] == [note["note"].digest]


def test_an_answer_knows_the_names_before_and_after_they_are_registered(database_url: str) -> None:
    with opened(database_url) as ledger:
        recorded(ledger.record([opening()])[0])
        person = {"name": written(FUND, NAME)}
        (dry,) = ledger.record([joining("joining-0001", texts=person, dry_run=True)])
        first, dues = ledger.record(
            [
                joining("joining-0001", texts=person),
                job("dues-0001", lambda f, s: f.receive_contribution(s, member=1, kind="dues", amount=1)),
            ]
        )
        (again,) = ledger.record([joining("joining-0001", texts={"name": written(FUND, NAME)})])
        assert [recorded(each).names for each in (dry, first, dues, again)] == [{1: NAME}] * 4
        ledger.register.erase(FUND, [person["name"].digest])
        (erased,) = ledger.record([joining("joining-0001", texts={"name": written(FUND, NAME)})])
        assert recorded(erased).names == {}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Đặng Thị Phấn", "dang thi phan"),
        ("đường", "duong"),
        ("Nguyễn", "nguyen"),
        ("ĐẶNG", "dang"),
        ("Sầm", "sam"),
        ("Straße", "strasse"),
        ("0912 345", "0912 345"),
    ],
)
def test_case_and_marks_do_not_count_in_a_search(text: str, key: str) -> None:
    assert folded(text) == folded(unicodedata.normalize("NFD", text)) == key


def test_the_same_text_is_salted_anew_each_time_and_kept_composed() -> None:
    one, other = written(FUND, unicodedata.normalize("NFD", NAME)), written(FUND, NAME)
    assert one.text == other.text == NAME
    assert one.digest != other.digest
    assert one.salt != other.salt
    assert len(bytes.fromhex(one.salt)) >= 16
