"""A backup that counts is whole: made at any moment of a busy service, refused with any bit of it flipped, and brought
back beside what there is, never over it."""

import hashlib
import json
import random
import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.history import verify
from ledger.sqlite_engine import sqlite
from ledger.storage.sqlite_connections import JOURNAL_MODE
from service.access.principals import Scope
from service.access.tokens import Principals
from service.operations import notes
from service.words import catalogue
from tests.programs.test_crash import Service, post_until_it_dies
from tests.support.commands import Said, command
from tests.support.jobs import FUND, IS_LONG, NOW, gift, one_fund, opened, opening, recorded, stored
from tests.support.keys import key_for, registered
from tests.support.service import FUND as VILLAGE
from tests.support.service import House, house

MOMENTS = 20 if IS_LONG else 3
FLIPS = 200 if IS_LONG else 12
"""Bits flipped in each file of a backup."""


class Home:
    """Where a database, its keys and its backups lie."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"sqlite:///{folder / 'fund.db'}"
        self.backups = folder / "backups"

    def run(self, *words: str) -> Said:
        """What `microfund` answers to these words, in English."""
        key = str(self.folder / "keys" / "checkpoint.pem")
        return command(self.url, *words, "--lang", "en", MICROFUND_CHECKPOINT_KEY=key)

    def backed_up(self) -> Path:
        """The folder of a backup made now."""
        said = self.run("backup", str(self.backups))
        assert said.returncode == 0, said.stderr
        return Path(said.stdout.splitlines()[0].rpartition(": ")[2])

    def restored(self, backup: Path, name: str = "restored.db") -> str:
        """The URL of a new database made of a backup."""
        said = self.run("restore", str(backup), "--into", str(self.folder / name))
        assert said.returncode == 0, said.stderr
        return f"sqlite:///{self.folder / name}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """A place for one fund with its opening, and a gift."""
    (tmp_path / "keys").mkdir()
    found = Home(tmp_path)
    with one_fund(found.url):
        pass
    return found


def donate(url: str, many: int, name: str = "later") -> None:
    with opened(url) as ledger:
        for outcome in ledger.record([gift(f"{name}-{number:04d}") for number in range(many)]):
            recorded(outcome)


def edit(file: Path, *statements: str) -> None:
    """Change a database behind the program's back."""
    with closing(sqlite.connect(file)) as books:
        for statement in statements:
            assert books.execute(statement).rowcount > 0
        books.commit()


# --- while others record ----------------------------------------------------------------------------------------------


def missing(url: str, promised: dict[str, int]) -> set[str]:
    """What of these acknowledged gifts a database does not hold; its history must be whole."""
    with closing(Ledger(url, "read")) as ledger:
        assert verify(stored(ledger)).valid
        requests = ledger.replayed(FUND).requests
    return {key for key, version in promised.items() if requests.get(key) != version}


@pytest.mark.long
def test_a_backup_at_any_moment_holds_all_that_was_acknowledged_before_and_a_copied_file_does_not(home: Home) -> None:
    draw, told, heard = random.Random(17), dict[str, int](), threading.Semaphore(0)
    with opened(home.url) as ledger:
        scope = Scope(everything=True)
        token = Principals(ledger).issue(NOW, name="Thủ quỹ", roles=frozenset({"treasurer"}), scope=scope, members={})
    service = Service(home.url, token)
    posting = [
        threading.Thread(target=post_until_it_dies, args=(service, f"client-{number}", told, heard))
        for number in range(4)
    ]
    for thread in posting:
        thread.start()
    lacking = held = 0
    for moment in range(MOMENTS):
        for _ in range(draw.randrange(5, 40)):
            assert heard.acquire(timeout=60)
        before = dict(told)
        shutil.copyfile(home.folder / "fund.db", home.folder / f"copied-{moment}.db")
        with closing(sqlite.connect(home.folder / f"copied-{moment}.db")) as copied:
            end = copied.execute("SELECT MAX(originator_version) FROM stored_events WHERE originator_id = ?", (FUND,))
            lacking += end.fetchone()[0] < max(before.values())
        backup = home.backed_up()
        url = home.restored(backup, f"restored-{moment}.db")
        held = json.loads((backup / "manifest.json").read_bytes())["logs"][FUND]["version"]
        upto = {key: version for key, version in told.copy().items() if version <= held}
        assert before.items() <= upto.items()
        assert missing(url, upto) == set()
    service.kill()
    for thread in posting:
        thread.join()
    if JOURNAL_MODE == "wal":
        assert lacking, "the control: what lies in the write-ahead log is not in the file"
    said = home.run("restore", str(home.backups), "--into", str(home.folder / "last.db"))
    with closing(Ledger(home.url, "read")) as living:
        lacks = living.replayed(FUND).version - held
    assert f"it lacks {lacks} entries" in said.stdout


def test_a_backup_of_a_busy_service_is_served_and_gives_the_same_figures(village: House, tmp_path: Path) -> None:
    home, asked = Home(tmp_path), f"/funds/{VILLAGE}/balances?min_position={village.entries()}"
    (tmp_path / "keys").mkdir()
    figures = village.get(asked).json()
    url = home.restored(home.backed_up())
    with house(url) as restored:
        assert restored.get(asked).json() == figures


# --- a backup that is not what it was ---------------------------------------------------------------------------------


def flipped(file: Path, draw: random.Random) -> Iterator[None]:
    """A file with one bit flipped, here and there; as it was again afterwards."""
    whole = file.read_bytes()
    for place in (0, len(whole) - 1, *(draw.randrange(len(whole)) for _ in range(FLIPS))):
        changed = bytearray(whole)
        changed[place] ^= 1 << draw.randrange(8)
        file.write_bytes(changed)
        yield
    file.write_bytes(whole)


@pytest.mark.long
def test_a_backup_with_one_flipped_bit_anywhere_is_refused(home: Home) -> None:
    draw, target = random.Random(3), home.folder / "restored.db"
    with opened(home.url) as ledger:
        ledger.register.erase(FUND, ["0" * 64])
    backup = home.backed_up()
    names = {path.name for path in backup.iterdir()}
    assert names == {"ledger.db", "erasures", "manifest.json", "manifest.json.sha256"}
    for name in sorted(names):
        for _ in flipped(backup / name, draw):
            said = home.run("restore", str(backup), "--into", str(target))
            assert (said.returncode, "BROKEN" in said.stderr, target.exists()) == (1, True, False), (name, said)
        (backup / name).rename(backup / "away")
        assert home.run("drill", str(backup)).returncode == 1
        (backup / "away").rename(backup / name)
    assert home.run("restore", str(backup), "--into", str(target)).returncode == 0, "the control: as it was, it serves"


def sealed_anew(backup: Path, **changes: Any) -> None:
    """Make the sums of a backup fit what lies there, and its manifest say something else."""
    manifest = json.loads((backup / "manifest.json").read_bytes())
    for name, kept in manifest["files"].items():
        content = (backup / name).read_bytes()
        kept |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    (backup / "manifest.json").write_text(json.dumps(manifest | changes))
    digest = hashlib.sha256((backup / "manifest.json").read_bytes()).hexdigest()
    (backup / "manifest.json.sha256").write_text(f"{digest}  manifest.json\n")


def refusal(home: Home, backup: Path) -> str:
    said = home.run("restore", str(backup), "--into", str(home.folder / "restored.db"))
    assert (said.returncode, (home.folder / "restored.db").exists()) == (1, False)
    return said.stderr


def test_a_changed_line_is_found_by_its_chain_though_every_sum_fits(home: Home) -> None:
    donate(home.url, 3)
    backup = home.backed_up()
    edit(
        backup / "ledger.db",
        "UPDATE stored_events SET state = CAST(REPLACE(state, '\"amount\":1000', '\"amount\":9000') AS BLOB) "
        "WHERE originator_version = 3",
    )
    sealed_anew(backup)
    assert catalogue.phrase("mistake.backup.chain", "en", log=FUND, version=4) in refusal(home, backup)


def test_a_tail_that_is_gone_is_found_by_the_manifest_and_by_the_checkpoint(home: Home) -> None:
    donate(home.url, 3)
    assert home.run("checkpoint", "make").returncode == 0
    backup = home.backed_up()
    manifest = json.loads((backup / "manifest.json").read_bytes())
    edit(backup / "ledger.db", "DELETE FROM stored_events WHERE originator_version > 4")
    sealed_anew(backup)
    assert "checkpoint 1" in refusal(home, backup)

    edit(backup / "ledger.db", "DELETE FROM checkpoints", "DELETE FROM checkpoint_leaves")
    sealed_anew(backup, checkpoint=None)
    assert catalogue.phrase("mistake.backup.manifest", "en") in refusal(home, backup)
    assert manifest["logs"][FUND]["version"] == 6


def test_books_that_are_broken_are_not_backed_up_and_what_there_was_is_kept(home: Home) -> None:
    donate(home.url, 3)
    first = home.backed_up()
    edit(home.folder / "fund.db", "DELETE FROM stored_events WHERE originator_version = 3")

    said = home.run("backup", str(home.backups), "--keep", "1")

    assert (said.returncode, "BROKEN" in said.stderr) == (1, True)
    assert [path for path in home.backups.iterdir() if path.name != ".lock"] == [first]


def test_a_checkpoint_of_another_key_is_no_backup(home: Home) -> None:
    assert home.run("checkpoint", "make").returncode == 0
    (home.folder / "keys" / "checkpoint.pem").unlink()
    home.backed_up()  # Where the key is elsewhere, nobody asks who signed.
    other = Home(home.folder / "other")
    (other.folder / "keys").mkdir(parents=True)
    with one_fund(other.url):
        pass
    other.run("checkpoint", "make")
    shutil.copy(other.folder / "keys" / "checkpoint.pem", home.folder / "keys")
    said = home.run("backup", str(home.backups))
    assert (said.returncode, "signature" in said.stderr) == (1, True)


def test_what_was_cut_off_counts_for_nothing_and_is_cleared_away(home: Home) -> None:
    begun = home.backups / ".begun-20260101T000000.000000Z"
    begun.mkdir(parents=True)
    shutil.copy(home.folder / "fund.db", begun / "ledger.db")
    assert home.run("restore", str(home.backups), "--into", str(home.folder / "restored.db")).returncode == 2
    made = home.backed_up()
    assert [path for path in home.backups.iterdir() if path.name != ".lock"] == [made]


# --- what is in it, and what is not -----------------------------------------------------------------------------------


def test_no_key_goes_along_and_only_the_owner_may_look(home: Home) -> None:
    home.run("checkpoint", "make")
    backup = home.backed_up()
    keys = [key_for(home.url), home.folder / "keys" / "checkpoint.pem"]
    secrets = [line for key in keys for line in key.read_bytes().splitlines() if b"-----" not in line]
    assert len(secrets) == 2
    for path in backup.iterdir():
        assert not any(secret in path.read_bytes() for secret in secrets)
        assert path.stat().st_mode & 0o077 == 0
    assert backup.stat().st_mode & 0o077 == home.backups.stat().st_mode & 0o077 == 0


def test_the_oldest_are_deleted_when_so_many_are_kept(home: Home) -> None:
    made = [home.backed_up() for _ in range(3)]
    assert home.run("backup", str(home.backups), "--keep", "2").returncode == 0
    left = sorted(path for path in home.backups.iterdir() if path.name != ".lock")
    assert (len(left), left[0]) == (2, made[2])


# --- brought back -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal"])
def test_nothing_is_ever_restored_over(home: Home, ending: str) -> None:
    backup = home.backed_up()
    there = home.folder / f"restored.db{ending}"
    there.write_bytes(b"")
    said = home.run("restore", str(backup), "--into", str(home.folder / "restored.db"))
    assert (said.returncode, there.read_bytes()) == (2, b"")
    assert catalogue.phrase("mistake.backup.target-there", "en", path=str(there)) in said.stderr
    over = home.run("restore", str(backup))
    assert (over.returncode, str(home.folder / "fund.db") in over.stderr) == (2, True)


def test_what_was_erased_since_the_backup_stays_erased(village: House, tmp_path: Path) -> None:
    home = Home(tmp_path)
    (tmp_path / "keys").mkdir()
    backup = home.backed_up()
    ledger = village.state.ledger
    (row,) = ledger.database.query("SELECT digest FROM register WHERE fund = :fund LIMIT 1", fund=VILLAGE)
    name = ledger.register.texts([row["digest"]])[row["digest"]]
    assert ledger.register.erase(VILLAGE, [row["digest"]]) == 1

    said = home.run("restore", str(backup), "--into", str(tmp_path / "restored.db"))

    assert "erased again 1 " in said.stdout
    with closing(Ledger(f"sqlite:///{tmp_path / 'restored.db'}", "read", register_key=key_for(home.url))) as restored:
        assert name not in registered(restored)
    with closing(sqlite.connect(f"file:{backup / 'ledger.db'}?immutable=1", uri=True)) as kept:
        found = kept.execute("SELECT COUNT(*) FROM register WHERE digest = ?", (row["digest"],)).fetchone()
    assert found == (1,), "the control: the backup itself has it"


def test_what_only_the_backup_knows_to_be_erased_is_told_beside_the_key_again(home: Home) -> None:
    with opened(home.url) as ledger:
        ledger.register.erase(FUND, ["a" * 64])
    backup = home.backed_up()
    beside = key_for(home.url).with_suffix(".erasures")
    beside.unlink()
    home.restored(backup)
    assert beside.read_bytes() == (backup / "erasures").read_bytes()
    home.restored(backup, "again.db")
    assert beside.read_bytes() == (backup / "erasures").read_bytes(), "and once only"


def test_a_restored_database_says_how_far_it_goes_and_what_it_lacks(home: Home) -> None:
    backup = home.backed_up()
    donate(home.url, 7)
    said = home.run("restore", str(backup), "--into", str(home.folder / "restored.db")).stdout
    assert "3 entries of 1 logs, up to position 3" in said
    assert "it lacks 7 entries" in said
    (home.folder / "fund.db").rename(home.folder / "lost.db")
    assert "the living log cannot be asked" in home.run("restore", str(backup)).stdout
    with closing(Ledger(home.url, "read")) as ledger:
        assert ledger.replayed(FUND).version == 3


# --- practised --------------------------------------------------------------------------------------------------------


def test_a_drill_compares_with_the_living_log_leaves_nothing_and_is_noted(home: Home, monkeypatch: Any) -> None:
    scratch = home.folder / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    home.backed_up()
    donate(home.url, 2)
    said = home.run("drill", str(home.backups))
    assert (said.returncode, list(scratch.iterdir())) == (0, [])
    assert "3 entries of 1 logs" in said.stdout
    assert "it lacks 2 entries" in said.stdout
    with closing(Ledger(home.url, "read")) as ledger:
        noted = notes.find(ledger, notes.DRILL)
    assert noted is not None
    assert noted.position == 3


def test_a_drill_finds_that_the_living_log_is_another_one(home: Home) -> None:
    home.backed_up()
    (home.folder / "fund.db").unlink()
    with opened(home.url) as ledger:
        recorded(ledger.record([opening()])[0])
        recorded(ledger.record([gift("another-0001", 77)])[0])
    said = home.run("drill", str(home.backups))
    assert (said.returncode, f"{FUND}: version 3 of the backup is NOT in the living log" in said.stdout) == (1, True)
    with closing(Ledger(home.url, "read")) as ledger:
        assert notes.find(ledger, notes.DRILL) is None
