"""What every command of `microfund` speaks through: results to standard output, all else to standard error.

Whoever types a command waits for all that it imports, so each imports what only it needs when it is run.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Final, Literal, NoReturn

import typer
from rich.console import Console

from ledger.events import NO_HEAD

if TYPE_CHECKING:
    from ledger.application import Ledger
    from ledger.database import Access
    from ledger.history import Verification
    from ledger.projections.read_model import ReadModel
    from service.settings import Settings

BROKEN: Final = 1
WRONG_USE: Final = 2
"""Exit codes beside 0: a history does not hold together; the command cannot be carried out as given."""

Language = Annotated[Literal["vi", "en"], typer.Option("--lang", help="In which to say it.")]
"""The language of results, Vietnamese unless English is asked for."""

errors = Console(stderr=True, highlight=False, soft_wrap=True)


class Mistake(Exception):
    """A command that cannot be carried out, in words for whoever gave it."""


def give_up(error: Exception) -> NoReturn:
    """Say what went wrong in one sentence, and end."""
    # Bytes that are no UTF-8 come from a terminal of another encoding; no database stores or finds them.
    said = "an argument is not text in UTF-8" if isinstance(error, UnicodeEncodeError) else str(error)
    errors.print(said, markup=False)
    sys.exit(WRONG_USE)


def load_settings() -> "Settings":
    """The settings as the process finds them. Raises `BadSettings`."""
    from service import settings

    return settings.load_settings()


@contextmanager
def ledger_of(settings: "Settings", access: "Access") -> Iterator["Ledger"]:
    """The ledger of the settings' database, opened for what the command does with it and closed at the end."""
    from ledger.application import Ledger
    from ledger.database import UNHURRIED_SECONDS

    ledger = Ledger(settings.database, access, max_cached_entries=settings.max_cached_entries)
    ledger.database.seconds = UNHURRIED_SECONDS  # A command may have the whole log to go through.
    try:
        yield ledger
    finally:
        ledger.close()


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; yields the function that says how much is done, and of how much."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=errors) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def say(text: str) -> None:
    """A line of result."""
    sys.stdout.write(f"{text}\n")


def tell(key: str, language: str, /, **facts: object) -> None:
    """A line of result in the reader's language: the catalogue's phrase of this key."""
    from service.words import catalogue

    say(catalogue.phrase(key, language, **facts))


def tell_verification(name: str, found: "Verification", language: str) -> None:
    """A line of result about one history."""
    if found.valid:
        code = found.check_code if found.head != NO_HEAD else "-"
        tell("verified.intact", language, name=name, entries=found.entries, check_code=code)
    else:
        tell("verified.broken", language, name=name, version=found.first_broken, entries=found.entries)


def tell_losses(ledger: "Ledger", fund: str | None, language: str) -> None:
    """What the service found gone from the log: of one fund, or of all. A history that has lost its end looks whole."""
    for loss in ledger.losses.found():
        if fund in (None, loss.fund):
            tell("verified.lost", language, fund=loss.fund, first=loss.first, last=loss.last)


def read_model_of(ledger: "Ledger") -> "ReadModel":
    from ledger.projections.read_model import ReadModel

    return ReadModel(ledger.database)
