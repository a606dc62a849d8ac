"""An upgrade of a released version's books is killed at any moment, again and again, and ends whole."""

import shutil
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from ledger.application import Ledger
from ledger.schema import STEPS
from ledger.sqlite_engine import sqlite
from scripts.fault_trials.judge import proved
from scripts.fault_trials.programs import Forked
from scripts.fault_trials.trial import FILE_ONLY, Figures, Ground, Row
from scripts.golden import RELEASES, age, unpack
from service.operations.upgrading import bring_up, outstanding

LAST = len(STEPS)
PROVED_EVERY = 5
LOG = "SELECT rowid, originator_id, originator_version, topic, state FROM stored_events ORDER BY 1"


class Books:
    """The database of the first release, a step behind."""

    def __init__(self, folder: Path) -> None:
        self.url, self.file = unpack(RELEASES[0], folder), folder / "ledger.db"
        self.said = folder / "said"
        self._key = folder / "register.key"
        self._environment = {"MICROFUND_DATABASE": self.url, "MICROFUND_REGISTER_KEY": str(self._key)}
        self._fresh = folder / "fresh.db"
        self._taken_up = 0
        age(self.file)
        shutil.copyfile(self.file, self._fresh)

    def put_back(self) -> None:
        """As it was before any upgrade."""
        for ending in ("", "-wal", "-shm", "-journal"):
            self.file.with_name(f"{self.file.name}{ending}").unlink(missing_ok=True)
        shutil.copyfile(self._fresh, self.file)
        self.file.chmod(0o600)

    def asked(self, statement: str) -> list[Any]:
        """Look into the database, or change it, behind the program's back."""
        with closing(sqlite.connect(self.file)) as books:
            found = list(map(tuple, books.execute(statement)))
            books.commit()
        return found

    def begun(self) -> Forked:
        """`microfund upgrade`, which has said what it is going to do."""
        self.said.unlink(missing_ok=True)
        begun = Forked(("upgrade", "--lang", "en"), self._environment, self.file.parent, self.said)
        while begun.is_alive() and not (self.said.exists() and self.said.stat().st_size):
            time.sleep(0.002)
        return begun

    def finished(self) -> bool:
        """Whether nothing is left to be done."""
        with closing(Ledger(self.url, "read")) as ledger:
            return not outstanding(ledger)

    def taken_up(self) -> list[str]:
        """Do what is left, as the next `microfund upgrade` would; answers what is wrong then. Of some, every row of the
        tables is compared with a replay, which takes longer than all else."""
        with closing(Ledger(self.url, "write", register_key=self._key)) as ledger:
            bring_up(ledger, lambda _: None)
            left = outstanding(ledger)
            self._taken_up += 1
            rows = proved(ledger) if self._taken_up % PROVED_EVERY == 1 else []
            return [*([f"an upgrade leaves {left}"] if left else []), *rows]


def killed(ground: Ground, kills: int, take_up: Callable[[Books], list[str]] = Books.taken_up) -> Figures:
    """Kill it so often, each time on books as they were released, and take it up again."""
    books, figures = Books(ground.folder()), Figures(trials=kills)
    log, whole, began = books.asked(LOG), books.begun(), time.monotonic()
    code = whole.ended()
    takes, in_between = time.monotonic() - began, 0
    figures.wrong += [f"an upgrade ends with {code}: {books.said.read_text()}"] if code else []
    for _ in range(kills):
        books.put_back()
        running = books.begun()
        time.sleep(ground.draw.uniform(0, takes))
        running.kill()
        in_between += not books.finished()
        figures.wrong += take_up(books)
        figures.wrong += ["the log was changed"] if books.asked(LOG) != log else []
    figures.more = {"killed in between": in_between}
    return figures


def trial(ground: Ground) -> Figures:
    """And an older program refuses a newer database, in words."""
    figures, books = killed(ground, ground.size.upgrades), Books(ground.folder())
    books.asked(f"UPDATE settings SET value = '{LAST + 1}' WHERE name = 'schema'")
    code, said = books.begun().ended(), books.said.read_text("utf-8")
    if code != 2 or f"schema {LAST + 1}" not in said:
        figures.wrong.append(f"a newer database is answered with {code}: {said}")
    return figures


def left_there(books: Books) -> list[str]:
    """Take nothing up again."""
    return [] if books.finished() else ["the books are unfinished"]


ROW = Row(
    name="upgrade",
    fault="an upgrade of released books killed at any moment",
    engines=FILE_ONLY,
    trial=trial,
    control=lambda ground: killed(ground, max(ground.size.upgrades // 4, 2), left_there),
    without="nobody types the upgrade again",
)
