"""The books are backed up and restored while people record; and backups in which one bit is another."""

import os
import shutil
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from ledger.application import Ledger
from scripts.fault_trials.books import found
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.judge import by_then, compared, told_in
from scripts.fault_trials.service import Service
from scripts.fault_trials.trial import FILE_ONLY, Figures, Ground, Row
from service.operations import backups, restoring
from service.operations.contents import BrokenBackup

Restore = Callable[[Path, Path], None]
"""How a database that is written to is brought to another place."""


def backed_up(database: Path, target: Path) -> None:
    """As `microfund backup` and `microfund restore` do it."""
    made = _made(database, target.with_suffix(".backups"))
    restoring.restore(made, target, _register_key(), None)


def copied(database: Path, target: Path) -> None:
    """As somebody does it who does not know that SQLite keeps a log beside the file."""
    shutil.copyfile(database, target)


def _made(database: Path, folder: Path) -> backups.Backup:
    return backups.make(str(database), _register_key().with_suffix(".erasures"), folder, None, datetime.now(UTC))


def _register_key() -> Path:
    return Path(os.environ["MICROFUND_REGISTER_KEY"])


def restored(ground: Ground, restore: Restore) -> Figures:
    """Back up and restore at random moments, and compare each restored log with what had been told by then."""
    folder, other = ground.folder(), ground.folder()
    database, moments = folder / "ledger.db", list[float]()
    token, figures = found(f"sqlite:///{database}"), Figures(trials=ground.size.restores)
    with (
        Service(ground.shop, f"sqlite:///{database}") as service,
        Crowd([service.port], token, other / "journal", ground.draw, people=4).at_work() as crowd,
    ):
        for number in range(ground.size.restores):
            crowd.wait_for(ground.draw.randrange(5, 40))
            moments.append(time.time())
            restore(database, other / f"{number}.db")
    acts = told_in(other / "journal")
    for number, moment in enumerate(moments):
        with closing(Ledger(f"sqlite:///{other / f'{number}.db'}", "read")) as ledger:
            histories = {fund: ledger.recorder.lines(fund, 0, None) for fund in ledger.funds()}
        one = compared(histories, by_then(acts, moment))
        figures.lost += one.lost
        figures.doubled += one.doubled
        figures.wrong += one.wrong
    figures.acknowledged = sum(bool(act.acknowledged) for act in acts.values())
    return figures


def spoilt(ground: Ground) -> Figures:
    """Flip one bit of a backup at a time: each must be found, and the backup serve when all is as it was."""
    folder, figures = ground.folder(), Figures(trials=ground.size.flips)
    database = folder / "ledger.db"
    found(f"sqlite:///{database}")
    made = _made(database, folder / "backups")
    files = sorted(made.folder.iterdir())
    for _ in range(ground.size.flips):
        file = ground.draw.choice(files)
        _flip(file, ground.draw, figures, made.folder)
    restoring.restore(backups.found(made.folder), folder / "restored.db", _register_key(), None)
    return figures


def _flip(file: Path, draw: Random, figures: Figures, backup: Path) -> None:
    content = file.read_bytes()
    place, bit = draw.randrange(len(content)), 1 << draw.randrange(8)
    file.write_bytes(content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :])
    try:
        backups.found(backup)
    except BrokenBackup:
        pass
    else:
        figures.wrong.append(f"bit {bit} of byte {place} of {file.name} is overlooked")
    file.write_bytes(content)


def trial(ground: Ground) -> Figures:
    """Both."""
    figures, flips = restored(ground, backed_up), spoilt(ground)
    figures.wrong += flips.wrong
    figures.more = {"flipped bits": flips.trials, "overlooked": len(flips.wrong)}
    return figures


ROW = Row(
    name="backup",
    fault="backed up and restored at random moments under load; one bit of a backup flipped",
    engines=FILE_ONLY,
    trial=trial,
    control=lambda ground: restored(ground, copied),
    without="the file copied alone",
)
