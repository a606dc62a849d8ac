"""The doctor says what is well, what is to be seen to and what is dangerous, in both languages, and changes nothing."""

import ast
import shutil
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.database import Row
from ledger.projections.read_model import ReadModel
from ledger.sqlite_engine import sqlite
from ledger.storage.sqlite_connections import JOURNAL_MODE
from scripts.fault_trials.cut_line import set_for_database
from service.operations import notes
from service.operations.doctor import care, engine, reach
from service.operations.doctor.examining import examine
from service.operations.doctor.finding import Finding, Level
from service.settings import Settings
from service.words import catalogue
from tests.service.test_doctor_standbys import SAFE
from tests.support.commands import Said, command
from tests.support.jobs import FUND, NOW, gift, one_fund, opened, recorded
from tests.support.keys import KEY, key_for

HOME = Path(__file__).parents[2]
ROOM = shutil.disk_usage("/")._replace(free=1 << 40)


class Patient:
    """A database with one fund, everything around it as it should be, and what the doctor says of it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.keys = url, folder / "keys"
        self.keys.mkdir()
        (self.keys / "register.key").write_bytes(KEY)
        (self.keys / "register.key").chmod(0o600)
        self.settings = {
            "MICROFUND_REGISTER_KEY": str(self.keys / "register.key"),
            "MICROFUND_CHECKPOINT_KEY": str(self.keys / "checkpoint.pem"),
            "MICROFUND_ORIGIN": "https://so-quy.example",
            "MICROFUND_PROXIES": "127.0.0.1",
        }
        with one_fund(url) as ledger:
            model = ReadModel(ledger.database)
            model.create_tables()
            model.catch_up()
        assert command(url, "checkpoint", "make", **self.settings).returncode == 0
        for name in (notes.BACKUP, notes.DRILL):
            notes.leave(url, name, notes.Note(datetime.now(UTC), 3))

    def says(self, *words: str, **settings: str) -> Said:
        return command(self.url, "doctor", *words, **(self.settings | settings))

    def findings(self) -> list[Finding]:
        """What it finds, without words."""
        with pytest.MonkeyPatch.context() as settings:
            for name, value in self.settings.items():
                settings.setenv(name, value)
            given = Settings(database=self.url)
        with closing(Ledger(self.url, "read", register_key=Path(given.register_key))) as ledger:
            return list(examine(ledger, given, datetime.now(UTC), "microfund"))

    def change(self, statement: str) -> None:
        with closing(Ledger(self.url, "write")) as ledger:
            ledger.database.execute(statement)


@pytest.fixture
def patient(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Patient:
    (tmp_path / "mounts").write_text("none / ext4 rw 0 0\n")  # Wherever the tests' own files lie.
    monkeypatch.setattr(engine, "MOUNTS", tmp_path / "mounts")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: ROOM)
    monkeypatch.setattr(reach, "_is_synchronised", lambda: True)
    found = Patient(database_url, tmp_path)
    if not database_url.startswith("sqlite"):
        pretend_pgbackrest(tmp_path, monkeypatch, INFO % int(datetime.now(UTC).timestamp()))
    return found


INFO = (
    '[{"name": "microfund", "status": {"code": 0, "message": "ok"}, '
    '"backup": [{"label": "20260101-000000F", "error": false, "timestamp": {"start": 1, "stop": %d}}]}]'
)


def pretend_pgbackrest(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str, exit_code: int = 0) -> Path:
    """A program of that name which answers so, and writes down what it was told."""
    program = folder / "bin" / "pgbackrest"
    program.parent.mkdir(exist_ok=True)
    told = folder / "told"
    program.write_text(f"#!/bin/sh\necho \"$@\" >> '{told}'\ncat <<'END'\n{answer}\nEND\nexit {exit_code}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    return told


def marked(said: Said, mark: str) -> list[str]:
    return [line for line in said.stdout.splitlines() if line.startswith(mark)]


OF_TEST_SERVERS = {"postgres-alone", "postgres-old", "postgres-checksums"}
"""What is not as it should be with the PostgreSQL that tests start."""


def test_where_all_is_well_every_line_says_so(patient: Patient) -> None:
    found = [finding for finding in patient.findings() if finding.code not in OF_TEST_SERVERS]
    assert {finding.level for finding in found} == {"well"}, found
    said = patient.says()
    assert len(marked(said, "✓")) >= len(found)
    assert said.returncode == bool(marked(said, "!"))


def test_it_changes_nothing(patient: Patient) -> None:
    def held() -> list[Row]:
        with closing(Ledger(patient.url, "read")) as ledger:
            return ledger.database.query("SELECT name, value FROM settings ORDER BY name")

    before = held(), {path: path.stat() for path in patient.keys.iterdir()}
    (patient.keys / "register.key").chmod(0o644)
    patient.says()
    assert (patient.keys / "register.key").stat().st_mode & 0o777 == 0o644
    (patient.keys / "register.key").chmod(0o600)
    assert held() == before[0]
    assert {path: path.stat().st_mtime_ns for path in patient.keys.iterdir()} == {
        path: stat.st_mtime_ns for path, stat in before[1].items()
    }


def old(name: str, days: int) -> Callable[[Patient], None]:
    return lambda patient: notes.leave(patient.url, name, notes.Note(datetime.now(UTC) - timedelta(days=days), 1))


def forget(name: str) -> Callable[[Patient], None]:
    return lambda patient: patient.change(f"DELETE FROM settings WHERE name = '{name}'")


def changing(statement: str) -> Callable[[Patient], None]:
    return lambda patient: patient.change(statement)


def without_checkpoint_key(patient: Patient) -> None:
    (patient.keys / "checkpoint.pem").unlink()


def another_register_key(patient: Patient) -> None:
    patient.change("INSERT INTO settings VALUES ('register_key', '00000000')")


def open_key(patient: Patient) -> None:
    (patient.keys / "checkpoint.pem").chmod(0o640)


def setting(**changes: str) -> Callable[[Patient], None]:
    def change(patient: Patient) -> None:
        patient.settings = {name: value for name, value in (patient.settings | changes).items() if value}

    return change


ILLS: dict[str, tuple[Level, Callable[[Patient], object]]] = {
    "schema-behind": ("warning", changing("UPDATE settings SET value = '8' WHERE name = 'schema'")),
    "read-model-broken": ("danger", changing("UPDATE read_model SET shape = 'of last year'")),
    "read-model-behind": ("warning", changing("UPDATE read_model SET position = 0")),
    "states-foreign": (
        "warning",
        changing(f"INSERT INTO kept_states VALUES ('{FUND}', 3, 'x', 'of last year', '', 0)"),
    ),
    "parked": ("danger", changing(f"INSERT INTO parked VALUES ('{FUND}', 3, 3, 'ValueError')")),
    "lost": ("danger", changing(f"INSERT INTO losses VALUES ('{FUND}', 4, 9)")),
    "register-key": ("danger", another_register_key),
    "checkpoint-key": ("danger", without_checkpoint_key),
    "key-open": ("warning", open_key),
    "checkpoint-none": ("warning", changing("DELETE FROM checkpoints")),
    "checkpoint-changed": ("danger", changing("UPDATE checkpoints SET note = 'x'")),
    "drill-none": ("warning", forget(notes.DRILL)),
    "drill-old": ("warning", old(notes.DRILL, 93)),
    "origin-unset": ("warning", setting(MICROFUND_ORIGIN="")),
    "no-tls": ("danger", setting(MICROFUND_ORIGIN="http://so-quy.example")),
    "proxies-unset": ("warning", setting(MICROFUND_PROXIES="")),
    "listens-openly": ("warning", setting(MICROFUND_HOST="0.0.0.0")),  # noqa: S104  # What it warns of.
}
"""What can be wrong on either engine, and what makes it so."""


@pytest.mark.parametrize("code", ILLS)
def test_what_is_wrong_is_found(patient: Patient, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    level, make_ill = ILLS[code]
    monkeypatch.setattr("service.operations.doctor.tables.LAG_COUNTED", 1)
    assert code not in {finding.code for finding in patient.findings()}
    make_ill(patient)
    assert [finding.level for finding in patient.findings() if finding.code == code] == [level]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_what_is_wrong_is_told_with_why_it_matters_and_what_to_do(patient: Patient, language: str) -> None:
    lose = ILLS["lost"][1]
    lose(patient)
    said = patient.says("--lang", language)
    lines = said.stdout.splitlines()
    words = {part: catalogue.render(f"doctor.lost.{part}", language, fund=FUND, first=4, last=9) for part in PARTS}
    at = lines.index(f"✗ {words['what']}")
    assert (said.returncode, lines[at + 1 : at + 3]) == (2, [f"    {words['why']}", f"    → {words['do']}"])


def test_a_database_that_cannot_be_opened_is_told_like_all_else(tmp_path: Path) -> None:
    said = command(f"sqlite:///{tmp_path / 'none.db'}", "doctor", "--lang", "en")
    assert (said.returncode, len(marked(said, "✗")), (tmp_path / "none.db").exists()) == (2, 1, False)


def test_a_clock_that_is_behind_the_last_entry_is_dangerous(patient: Patient) -> None:
    with closing(Ledger(patient.url, "read")) as ledger:
        (found,) = reach.of_clock(ledger, NOW - timedelta(minutes=10))
    assert (found.level, found.code, found.facts) == ("danger", "clock-behind", {"seconds": 600})


def test_a_clock_that_nothing_keeps_right_is_to_be_seen_to(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_is_synchronised", lambda: False)
    assert ("warning", "clock-free") in {(finding.level, finding.code) for finding in patient.findings()}


def test_a_checkpoint_is_old_once_something_was_recorded_after_it(patient: Patient) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    with opened(patient.url) as ledger:
        assert care.of_checkpoint(ledger, later).code == "checkpoint"
        recorded(ledger.record([gift("gift-0001")])[0])
        assert care.of_checkpoint(ledger, later)[:2] == ("warning", "checkpoint-old")
        assert care.of_checkpoint(ledger, datetime.now(UTC)).code == "checkpoint"


# --- SQLite's file --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("code", "free"),
    [("disk-full", 50 << 20), ("disk-little", 500 << 20), ("disk", 5 << 30)],
    ids=lambda value: str(value),
)
def test_a_disk_without_room_is_found(patient: Patient, code: str, free: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: ROOM._replace(free=free))
    assert code in {finding.code for finding in patient.findings()}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_the_file_lies_on_and_who_may_open_it_is_found(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path(patient.url.removeprefix("sqlite:///"))
    for kind, code in (("tmpfs", "forgetful-disk"), ("nfs4", "shared-disk")):
        (tmp_path / "mounts").write_text(f"none / ext4 rw 0 0\nnone {file.parent.resolve()} {kind} rw 0 0\n")
        monkeypatch.setattr(engine, "MOUNTS", tmp_path / "mounts")
        assert code in {finding.code for finding in patient.findings()}
    file.chmod(0o644)
    assert "database-open" in {finding.code for finding in patient.findings()}
    patient.settings["MICROFUND_REGISTER_KEY"] = str(key_for(patient.url))
    assert "key-beside" in {finding.code for finding in patient.findings()}
    monkeypatch.setattr(engine, "has_wal_reset_race", lambda _: True)
    assert "sqlite-race" in {finding.code for finding in patient.findings()}
    with closing(sqlite.connect(file)) as books:
        books.execute("PRAGMA journal_mode=DELETE" if JOURNAL_MODE == "wal" else "PRAGMA journal_mode=WAL")
    assert "sqlite-journal" in {finding.code for finding in patient.findings()}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_backup_that_is_old_or_was_never_made_is_found(patient: Patient) -> None:
    old(notes.BACKUP, 3)(patient)
    assert "backup-old" in {finding.code for finding in patient.findings()}
    forget(notes.BACKUP)(patient)
    assert "backup-none" in {finding.code for finding in patient.findings()}


# --- PostgreSQL's server ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
@pytest.mark.parametrize("setting", ["synchronous_commit", "fsync", "full_page_writes"])
def test_settings_that_may_lose_entries_are_found(
    patient: Patient, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = dict(SAFE) | {setting: "off"}
    found = list(engine.of_settings(shown))
    assert [(f.level, f.facts) for f in found if f.code == "postgres-may-lose"] == [("danger", {"setting": setting})]
    if setting == "synchronous_commit":  # The one that may be set for one database, as here.
        set_for_database(patient.url, "synchronous_commit = off")
        assert "postgres-may-lose" in {finding.code for finding in patient.findings()}


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_pgbackrest_is_asked_and_what_it_lacks_is_found(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def codes() -> set[str]:
        return {finding.code for finding in patient.findings()}

    assert "backup" in codes()
    assert "--stanza=microfund info --output=json" in (tmp_path / "told").read_text()
    pretend_pgbackrest(tmp_path, monkeypatch, INFO % 1)
    assert "backup-old" in codes()
    pretend_pgbackrest(tmp_path, monkeypatch, INFO.replace("false", "true") % 1)
    assert "backup-none" in codes()
    pretend_pgbackrest(tmp_path, monkeypatch, '[{"name": "microfund", "status": {"code": 1, "message": "missing"}}]')
    assert "pgbackrest" in codes()
    (tmp_path / "bin" / "pgbackrest").unlink()
    assert shutil.which("pgbackrest") or "pgbackrest" in codes()


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_pgbackrest_is_driven_by_the_same_word(
    patient: Patient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = pretend_pgbackrest(tmp_path, monkeypatch, INFO % 1_780_000_000)
    said = command(patient.url, "backup", "--stanza", "microfund", "--lang", "en")
    assert (said.returncode, "20260101-000000F" in said.stdout) == (0, True)
    assert "--stanza=microfund --type=full backup" in told.read_text(), "the last one of all is months old"
    pretend_pgbackrest(tmp_path, monkeypatch, INFO % int(datetime.now(UTC).timestamp()))
    command(patient.url, "backup", "--lang", "en")
    assert "--stanza=microfund --type=incr backup" in told.read_text()
    failed = pretend_pgbackrest(tmp_path, monkeypatch, "ERROR: [082]: no archive", exit_code=82)
    said = command(patient.url, "backup", "--lang", "en")
    assert (said.returncode, "no archive" in said.stderr, failed) == (2, True, told)
    other = command(patient.url, "backup", "--stanza", "another", "--lang", "en")
    assert other.returncode == 2
    assert command(patient.url, "restore", str(tmp_path), "--lang", "en").returncode == 2
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    said = command(patient.url, "backup", "--lang", "en")
    assert (said.returncode, "archive_command" in said.stderr) == (2, True)


# --- nothing is left out ----------------------------------------------------------------------------------------------

PARTS = ("what", "why", "do")


def made() -> set[tuple[str, str]]:
    """The level and the code of every finding that the source makes; `backup` and `drill` are aged by name."""
    found = {("warning", f"{what}-old") for what in ("backup", "drill")}
    found |= {("well", what) for what in ("backup", "drill", "sessions", "tokens")}
    for path in [*(HOME / "service/operations/doctor").glob("*.py"), HOME / "service/operations/doctor_commands.py"]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Name(id="well" | "warning" | "danger" as level), args=[ast.Constant(value=code)]
                ):
                    found.add((level, str(code)))
    return found


def test_every_finding_has_its_words_and_no_words_lack_a_finding() -> None:
    expected = {f"doctor.{code}.what" for _, code in made()}
    expected |= {f"doctor.{code}.{part}" for level, code in made() if level != "well" for part in PARTS}
    assert {key for key in catalogue.every_key() if key.startswith("doctor.")} == expected
