"""The register under its key: who has the database without the key has no name; a key may be changed and be lost."""

from contextlib import suppress
from pathlib import Path

import pytest
from eventsourcing.persistence import OperationalError

from ledger import register as registers
from ledger.application import Ledger
from ledger.erasures import ErasureFile
from ledger.refusals import RegisterKeyUnusable
from ledger.register import Text, written
from ledger.register_keys import KeyFile
from tests.log.test_register import NAME, NOTE, PHONE, recorded_people
from tests.log.test_schema import at_step
from tests.support.jobs import FUND, gift, joining, opened, recorded
from tests.support.keys import registered

ALL = {NAME, PHONE, NOTE}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A place for a key that is not there yet, apart from the database."""
    (tmp_path / "keys").mkdir()
    return tmp_path / "keys" / "register.key"


def stored(ledger: Ledger) -> str:
    """All that the database has beside the log."""
    tables = ("register", "settings", "principals", "tokens")
    return "\n".join(str(ledger.database.query(f"SELECT * FROM {table}")) for table in tables)


def test_the_first_name_makes_the_key_outside_the_database_for_its_owner_only(database_url: str, key: Path) -> None:
    with opened(database_url, register_key=key) as ledger:
        assert not key.exists()
        texts = recorded_people(ledger)
        assert (oct(key.stat().st_mode & 0o777), registered(ledger)) == ("0o600", ALL)
        held = stored(ledger)
    for text in texts.values():
        assert not any(secret in held for secret in (text.text, text.salt))
    assert not any(line in held for line in key.read_text().split())


def test_without_the_key_numbers_stand_and_no_name_is_taken(database_url: str, key: Path) -> None:
    with opened(database_url, register_key=key) as ledger:
        recorded_people(ledger)
    key.rename(key.with_name("elsewhere"))

    with opened(database_url, register_key=key) as ledger:
        assert registered(ledger) == set()
        assert ledger.register.trouble() == "is not there"
        outcomes = ledger.record(
            [joining("joining-0002", texts={"name": written(FUND, NAME)}), joining("joining-0003"), gift("gift-0002")]
        )
        assert [type(outcome) for outcome in outcomes[:1]] == [RegisterKeyUnusable]
        assert [recorded(outcome).names for outcome in outcomes[1:]] == [{}, {}]
        assert not key.exists(), "none is made in the place of a lost one"

        key.with_name("elsewhere").rename(key)
        assert (ledger.register.trouble(), registered(ledger)) == (None, ALL), "put back, and no restart"
        recorded(ledger.record([joining("joining-0002", texts={"name": written(FUND, NAME)})])[0])


@pytest.mark.parametrize("content", [b"", b"no key\n", b"c2hvcnQ=\n", b"\xff\xfe"])
def test_a_file_that_holds_no_key_is_not_overwritten(sqlite_url: str, key: Path, content: bytes) -> None:
    key.write_bytes(content)
    with opened(sqlite_url, register_key=key) as ledger:
        assert ledger.register.trouble() == "holds no keys"
        with pytest.raises(RegisterKeyUnusable):
            ledger.register.encrypted([written(FUND, NAME)])
    assert key.read_bytes() == content


def test_another_key_opens_nothing_and_writes_nothing(database_url: str, key: Path) -> None:
    other = key.with_name("other.key")
    KeyFile(other).make()
    with opened(database_url, register_key=key) as ledger:
        recorded_people(ledger)
    with opened(database_url, register_key=other) as ledger:
        assert ledger.register.trouble() == "holds another key than the one the register was written with"
        assert registered(ledger) == set()
        with pytest.raises(RegisterKeyUnusable):
            ledger.register.encrypted([written(FUND, NAME)])


def test_a_row_opens_in_its_own_place_only(database_url: str, key: Path) -> None:
    with opened(database_url, register_key=key) as ledger:
        texts = recorded_people(ledger)
        name, phone = texts["name"].digest, texts["phone"].digest
        (row,) = ledger.database.query("SELECT encrypted FROM register WHERE digest = :digest", digest=name)
        ledger.database.execute("UPDATE register SET encrypted = :e WHERE digest = :d", e=row["encrypted"], d=phone)
        assert registered(ledger) == {NAME, NOTE}


def test_processes_that_begin_at_once_have_one_key(key: Path) -> None:
    files = [KeyFile(key) for _ in range(3)]
    for file in files:
        file.make()
    assert len({file.ring().keys[0].id for file in files}) == 1


# --- changing the key ---------------------------------------------------------------------------------------------


def test_a_changed_key_opens_all_and_a_service_that_runs_takes_it_at_once(database_url: str, key: Path) -> None:
    with opened(database_url, register_key=key) as running, opened(database_url, register_key=key) as command:
        recorded_people(running)
        before = key.read_text()

        assert command.register.rotate() == 3
        assert key.read_text().split()[1:] == before.split()
        assert (registered(running), registered(command)) == (ALL, ALL)
        recorded(running.record([joining("joining-0002", texts={"name": written(FUND, "Nông Văn Tài")})])[0])

        assert command.register.drop_old_keys() == 0
        assert len(key.read_text().split()) == 1
        assert registered(running) == {*ALL, "Nông Văn Tài"}
        recorded(running.record([joining("joining-0003", texts={"name": written(FUND, "Lý Thị Hoa")})])[0])
    key.write_text(before)
    with opened(database_url, register_key=key) as ledger:
        assert registered(ledger) == set(), "the key of before opens nothing any more"


def test_a_change_that_is_killed_anywhere_loses_nothing_and_is_gone_on_with(
    database_url: str, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registers, "AT_ONCE", 1)

    def killed_after(rows: int):
        def on_done(written: int) -> None:
            if written == rows:
                raise KeyboardInterrupt

        return on_done

    with opened(database_url, register_key=key) as ledger:
        recorded_people(ledger)
        for rows in (1, 1):
            with suppress(KeyboardInterrupt):
                ledger.register.rotate(on_done=killed_after(rows))
            assert registered(ledger) == ALL
    with opened(database_url, register_key=key) as ledger:
        ledger.register.rotate()
        keys = key.read_text().split()
        assert len(keys) == 2, "one new key, however often it was begun"
        assert ledger.register.drop_old_keys() == 0
        assert registered(ledger) == ALL


def test_a_change_killed_before_the_database_knows_of_the_new_key_shuts_nothing(sqlite_url: str, key: Path) -> None:
    with opened(sqlite_url, register_key=key) as ledger:
        recorded_people(ledger)
        KeyFile(key).put_new_first()
        recorded(ledger.record([joining("joining-0002", texts={"name": written(FUND, "Lý Thị Hoa")})])[0])
        assert registered(ledger) == {*ALL, "Lý Thị Hoa"}
        ledger.register.rotate()
        ledger.register.drop_old_keys()
        assert registered(ledger) == {*ALL, "Lý Thị Hoa"}


def test_no_key_is_changed_while_the_one_before_is_missing_unless_it_is_given_up(database_url: str, key: Path) -> None:
    with opened(database_url, register_key=key) as ledger:
        recorded_people(ledger)
    lost = key.rename(key.with_name("lost.key")).read_text()
    with opened(database_url, register_key=key) as ledger:
        with pytest.raises(RegisterKeyUnusable):
            ledger.register.rotate()
        assert ledger.register.rotate(is_lost=True) == 0
        recorded(ledger.record([joining("joining-0002", texts={"name": written(FUND, "Lý Thị Hoa")})])[0])
        assert registered(ledger) == {"Lý Thị Hoa"}
        key.write_text(key.read_text() + lost)
        assert registered(ledger) == {*ALL, "Lý Thị Hoa"}, "found again, and added to the file"


def test_what_is_erased_while_the_key_is_changed_does_not_come_back(sqlite_url: str, key: Path, monkeypatch) -> None:
    monkeypatch.setattr(registers, "AT_ONCE", 1)
    with opened(sqlite_url, register_key=key) as ledger:
        texts = recorded_people(ledger)
        digests = [text.digest for text in texts.values()]

        def erase(_: int) -> None:
            ledger.register.erase(FUND, digests)

        assert ledger.register.rotate(on_done=erase) < 3
        assert registered(ledger) == set()


# --- databases of before ------------------------------------------------------------------------------------------


@pytest.fixture
def of_before(database_url: str, key: Path) -> str:
    """A database whose names lie open, and whose principal is called by name."""
    with at_step(database_url, 2) as old:
        rows = [written(FUND, text) for text in sorted(ALL)]
        for row in rows:
            old.execute(
                "INSERT INTO texts VALUES (:fund, :digest, :salt, :text, :folded)", **row._asdict(), folded=row.text
            )
    return database_url


def test_names_of_before_are_encrypted_and_gone_from_the_file(of_before: str, key: Path, tmp_path: Path) -> None:
    with opened(of_before, register_key=key) as ledger:
        assert registered(ledger) == ALL
        assert not ledger.database.has("texts")
        assert not ledger.database.query("SELECT 1 FROM settings WHERE name = 'scrub'")
        if not ledger.database.is_postgres:
            remains = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
            assert not [text for text in ALL if text.encode() in remains]


def test_names_of_before_are_all_encrypted_or_none(of_before: str, key: Path, monkeypatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(registers.Register, "encrypted", killed)
        with pytest.raises(KeyboardInterrupt):
            Ledger(of_before, register_key=key)
    with opened(of_before, register_key=key) as ledger:
        assert registered(ledger) == ALL


def test_who_only_reads_a_database_of_before_sees_numbers(sqlite_url: str, key: Path) -> None:
    with at_step(sqlite_url, 2):
        pass
    KeyFile(key).make()
    with opened(sqlite_url, access="read", register_key=key) as ledger:
        assert ledger.register.texts(["digest"]) == {}


# --- erasures -----------------------------------------------------------------------------------------------------


def erasures(key: Path) -> Path:
    return key.with_suffix(".erasures")


def test_an_erasure_survives_a_backup_that_brings_the_name_back(database_url: str, key: Path) -> None:
    with opened(database_url, register_key=key) as ledger:
        texts = recorded_people(ledger)
        backup = ledger.database.query("SELECT * FROM register")
        assert ledger.register.erase(FUND, [texts["name"].digest]) == 1
        with ledger.database.transaction() as restoring:
            restoring.execute("DELETE FROM register")
            restoring.execute_many("INSERT INTO register VALUES (:fund, :digest, :encrypted)", backup)
        assert registered(ledger) == ALL

    with opened(database_url, register_key=key) as ledger:
        assert registered(ledger) == {PHONE, NOTE}
        assert len(ledger.database.query("SELECT digest FROM register")) == 2
        assert ledger.register.replay_erasures() == 0


def test_erasures_are_told_in_digests_alone_and_for_the_owner_alone(sqlite_url: str, key: Path) -> None:
    with opened(sqlite_url, register_key=key) as ledger:
        texts = recorded_people(ledger)
        ledger.register.erase(FUND, [text.digest for text in texts.values()])
    told = erasures(key).read_text()
    assert oct(erasures(key).stat().st_mode & 0o777) == "0o600"
    for text in texts.values():
        assert text.digest in told
        assert not any(secret in told for secret in (text.text, text.salt))


def test_what_cannot_be_told_outside_the_database_is_not_erased(sqlite_url: str, key: Path) -> None:
    with opened(sqlite_url, register_key=key) as ledger:
        texts = recorded_people(ledger)
        erasures(key).mkdir()
        with pytest.raises(OperationalError):
            ledger.register.erase(FUND, [texts["name"].digest])
        assert registered(ledger) == ALL
        erasures(key).rmdir()
        assert ledger.register.erase(FUND, [texts["name"].digest]) == 1


def test_a_line_cut_off_by_a_crash_hides_none_after_it(sqlite_url: str, key: Path) -> None:
    with opened(sqlite_url, register_key=key) as ledger:
        texts = recorded_people(ledger)
        erasures(key).write_bytes(b'\n{"fund":"LS-BACS')
        ledger.register.erase(FUND, [texts["name"].digest])
        told = list(ErasureFile(erasures(key)).read())
    assert [erasure.digests for erasure in told] == [(texts["name"].digest,)]


def test_a_restored_name_of_another_fund_stays(sqlite_url: str, key: Path) -> None:
    text = Text(FUND, "d" * 64, "salt", NAME)
    with opened(sqlite_url, register_key=key) as ledger:
        for fund in (FUND, "LS-BACSON-02"):
            (row,) = ledger.register.encrypted([text._replace(fund=fund)])
            ledger.database.execute("INSERT INTO register VALUES (:fund, :digest, :encrypted)", **row._asdict())
        ledger.register.erase(FUND, [text.digest])
        ledger.register.replay_erasures()
        assert [row["fund"] for row in ledger.database.query("SELECT fund FROM register")] == ["LS-BACSON-02"]
