"""A database is brought to this version whole, whatever cuts it off meanwhile, and no line of the log is touched."""

import random
import shutil
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from ledger.application import Ledger
from ledger.events import DonationReceived
from ledger.projections import batch
from ledger.projections.proof import divergences
from ledger.projections.read_model import ReadModel
from ledger.schema import STEPS
from scripts.golden import RELEASES, age, unpack
from service.operations.upgrading import outstanding
from tests.support.commands import Said, command
from tests.support.jobs import FUND, IS_LONG, one_fund
from tests.support.keys import key_for
from tests.support.processes import bring_up_to_date, let_begin, start

LAST = len(STEPS)
KILLS = 20 if IS_LONG else 5


@pytest.fixture
def aged(tmp_path: Path) -> str:
    """The URL of the first release's database, its read model of another version and its schema a step behind."""
    url = unpack(RELEASES[0], tmp_path)
    shutil.copy(tmp_path / "register.key", key_for(url))
    age(tmp_path / "ledger.db")
    return url


def log_of(url: str) -> list[tuple[object, ...]]:
    with closing(Ledger(url, "read")) as ledger:
        return ledger.database.values(
            "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events ORDER BY 1"
        )


@pytest.mark.long
def test_an_upgrade_that_is_killed_again_and_again_ends_whole(aged: str) -> None:
    draw, log = random.Random(8), log_of(aged)
    for _ in range(KILLS):
        program = start(bring_up_to_date, aged)
        let_begin([program])
        with suppress(EOFError):
            for _ in range(draw.randrange(4)):
                program.line.recv()
        time.sleep(draw.uniform(0, 0.2))  # Somewhere within the next transaction.
        program.kill()

    said = command(aged, "upgrade", "--lang", "en")

    assert (said.returncode, said.stdout.splitlines()[-1]) == (
        0,
        f"done: schema {LAST}; not a letter of the log was changed",
    )
    with closing(Ledger(aged, "read")) as ledger:
        assert not outstanding(ledger)
        assert list(divergences(ledger)) == []
    assert log_of(aged) == log


def run(url: str, *words: str) -> Said:
    return command(url, "upgrade", *words, "--lang", "en")


def test_what_an_upgrade_would_do_is_said_first_and_changes_nothing(aged: str) -> None:
    file = Path(aged.removeprefix("sqlite:///"))
    before = file.read_bytes()
    said = run(aged, "--check")
    assert said.returncode == 1
    assert f"lacks step 9: {STEPS[8].about}" in said.stdout
    assert "the read model is to be made anew" in said.stdout
    assert file.read_bytes() == before


def test_a_database_of_this_version_needs_nothing(database_url: str) -> None:
    with one_fund(database_url):
        pass
    assert run(database_url).returncode == 0
    said = run(database_url, "--check")
    assert (said.returncode, f"schema {LAST}" in said.stdout) == (0, True)


def test_tables_of_another_version_are_made_anew(database_url: str) -> None:
    with one_fund(database_url) as ledger:
        assert run(database_url).returncode == 0
        ledger.database.execute("UPDATE read_model SET shape = 'of last year'")
    assert run(database_url, "--check").returncode == 1
    assert run(database_url).returncode == 0
    assert run(database_url, "--check").returncode == 0


def test_states_that_another_version_kept_are_kept_anew(database_url: str) -> None:
    """Else the evening after an upgrade would begin with a replay of every club's years."""
    with one_fund(database_url) as ledger:
        assert run(database_url).returncode == 0
        ledger.kept_states.keep(ledger.replayed(FUND))
        ledger.database.execute("UPDATE kept_states SET form = 'of last year'")
        assert ledger.kept_states.find(FUND) is None
        said = run(database_url, "--check")
        assert (said.returncode, "the states of 1 funds are to be kept anew" in said.stdout) == (1, True)
        assert run(database_url).returncode == 0
        kept = ledger.kept_states.find(FUND)
        assert kept
        assert kept.head == ledger.replayed(FUND).head

        ledger.database.execute("UPDATE kept_states SET form = 'of last year'")
        ledger.database.execute("DELETE FROM stored_events WHERE originator_version = 2")
        assert ledger.kept_states.foreign()
        run(database_url)
        assert ledger.kept_states.foreign() == [], "of a broken history none is kept"
    assert run(database_url, "--check").returncode == 0


def test_funds_that_an_earlier_version_could_not_show_are_tried_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tables looked the same: what was wrong was only how they were filled."""
    with one_fund(database_url) as ledger:
        model = ReadModel(ledger.database)
        model.create_tables()
        with monkeypatch.context() as earlier:
            earlier.setattr("ledger.projections.batch._project", stumble_at_gifts(batch._project))
            model.catch_up()
        assert [row["fund"] for row in model.parked()] == [FUND]
        assert run(database_url, "--check").returncode == 1
        assert run(database_url).returncode == 0
        assert (model.parked(), list(divergences(ledger))) == ([], [])
    assert run(database_url, "--check").returncode == 0


def stumble_at_gifts(project: Any) -> Any:
    def projected(last: Any, lines: Any, kept: Any) -> Any:
        if any(isinstance(line.event, DonationReceived) for line in lines):
            raise ValueError
        return project(last, lines, kept)

    return projected


def test_an_older_program_refuses_a_newer_database_in_words(database_url: str) -> None:
    with one_fund(database_url) as ledger:
        ledger.database.execute(f"UPDATE settings SET value = '{LAST + 1}' WHERE name = 'schema'")
    for words in (("upgrade",), ("upgrade", "--check"), ("verify", "--all")):
        said = command(database_url, *words, "--lang", "en")
        assert (said.returncode, f"the database has schema {LAST + 1}" in said.stderr) == (2, True)
