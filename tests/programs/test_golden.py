"""What a released version left behind: this one opens it, brings it up to date, finds it whole and answers the same."""

import json
from pathlib import Path

import pytest

from ledger.application import Ledger
from ledger.sqlite_engine import sqlite
from scripts.golden import RELEASES, unpack
from scripts.golden_database import REPORT, figures
from tests.support.commands import Said, command
from tests.support.keys import registered


@pytest.fixture(params=RELEASES, ids=lambda release: release.name)
def release(request: pytest.FixtureRequest) -> Path:
    """The folder of a released version."""
    folder: Path = request.param
    return folder


@pytest.fixture
def home(release: Path, tmp_path: Path) -> Path:
    """Where a copy of what it left behind lies."""
    unpack(release, tmp_path)
    return tmp_path


def run(home: Path, *words: str) -> Said:
    return command(
        f"sqlite:///{home / 'ledger.db'}",
        *words,
        MICROFUND_REGISTER_KEY=str(home / "register.key"),
        MICROFUND_CHECKPOINT_KEY=str(home / "checkpoint.pem"),
    )


def test_there_is_what_a_release_left_behind() -> None:
    assert "release-0.1.0" in [release.name for release in RELEASES]


def test_what_a_release_left_behind_is_brought_up_to_date_found_whole_and_answers_the_same(
    release: Path, home: Path
) -> None:
    kept = json.loads((release / "figures.json").read_text("utf-8"))
    (home / "note.txt").write_text("\n".join(kept["checkpoint"]) + "\n", "utf-8")

    upgraded = run(home, "upgrade")

    assert upgraded.returncode == 0, upgraded.stderr
    assert run(home, "upgrade", "--check").returncode == 0
    assert run(home, "verify", "--all").returncode == 0
    assert run(home, "verify", "--projections").returncode == 0
    assert run(home, "checkpoint", "verify", str(home / "note.txt"), "--key", kept["checkpoint_key"]).returncode == 0
    answered = figures(home)
    assert answered["logs"] == kept["logs"]
    assert set(kept["report"]) - set(answered["report"]) == set(), "figures may be added, none may change"
    with_names = Ledger(f"sqlite:///{home / 'ledger.db'}", "read", register_key=home / "register.key")
    assert len(registered(with_names)) > 100
    with_names.close()


def test_a_figure_that_became_another_one_would_be_found(release: Path, home: Path) -> None:
    kept = json.loads((release / "figures.json").read_text("utf-8"))
    books = sqlite.connect(home / "ledger.db")
    assert books.execute("DELETE FROM stored_events WHERE topic = 'LoanRepaid'").rowcount > 0
    books.commit()
    books.close()
    run(home, "rebuild")

    with pytest.raises(AssertionError):
        figures(home)
    assert run(home, "verify", "--all").returncode == 1
    assert len(run(home, *REPORT).stdout.splitlines()) < len(kept["report"])
