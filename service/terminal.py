"""What every command of `microfund` speaks through: results to standard output, all else to standard error.

Whoever types a command waits for all that it imports, so each imports what only it needs when it is run.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

import typer
from rich.console import Console

from ledger.events import NO_HEAD
from ledger.faults import Fault

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
"""The language of results and of what goes wrong, Vietnamese unless English is asked for: every command takes it."""

errors = Console(stderr=True, highlight=False, soft_wrap=True)


class Mistake(Fault):
    """A command that cannot be carried out as it was given."""

    area = "command"


def of_file(file: object, error: Exception, language: str) -> Mistake:
    """What is wrong with a file, with its name."""
    return Mistake("of-file", file=str(file), what=said_of(error, language))


def give_up(said: str, exit_code: int = WRONG_USE) -> NoReturn:
    """Say what went wrong in one sentence, and end."""
    errors.print(said, markup=False)
    sys.exit(exit_code)


def said_of(error: Exception, language: str) -> str:
    """What went wrong, in the reader's language."""
    from ledger.refusals import Refusal
    from service.words import catalogue

    if isinstance(error, Refusal):  # As the service says it.
        return catalogue.render(f"refusal.{error.code}.detail", language, **error.facts)
    if isinstance(error, ExceptionGroup):
        return "; ".join(said_of(each, language) for each in error.exceptions)
    area, code, facts = _named(error)
    known = {name: fact if isinstance(fact, str | int) else str(fact) for name, fact in facts.items()}
    said = catalogue.phrase(f"mistake.{area}.{code}", language, **known)
    if area == "key":
        return catalogue.phrase("mistake.key.of-file", language, what=said, **known)
    if isinstance(error, typer.TyperException) and (context := vars(error).get("ctx")):
        return catalogue.phrase("mistake.usage.help", language, said=said, command=context.command_path)
    return said


def _named(error: Exception) -> tuple[str, str, dict[str, Any]]:
    """The area, the code and the facts of whatever a command may fail by."""
    match error:
        case Fault():
            return error.area, error.code, error.facts
        case typer.TyperException():
            return "usage", *_usage(error)
        case UnicodeDecodeError():
            return "command", "not-utf8", {}
        case UnicodeEncodeError():
            # Bytes that are no UTF-8 come from a terminal of another encoding; no database stores or finds them.
            return "command", "argument-not-utf8", {}
        case FileNotFoundError():
            return "command", "no-such-file", {}
        case IsADirectoryError():
            return "command", "is-folder", {}
        case PermissionError():
            return "command", "not-permitted", {}
        case OSError():
            return "command", "unreadable", {"why": error.strerror or type(error).__name__}
        case _:
            return "storage", "gone" if type(error).__name__ == "DatabaseFileGone" else "trouble", {"why": str(error)}


def _usage(error: typer.TyperException) -> tuple[str, dict[str, str]]:
    """What Typer objects to, by its kind: its own words are English."""
    kind, given = type(error).__name__, vars(error)
    if kind in ("NoSuchOption", "BadOptionUsage"):
        return ("no-option" if kind == "NoSuchOption" else "needs-value"), {"name": given["option_name"]}
    if param := given.get("param"):
        name = param.get_error_hint().strip("'")
        if kind == "MissingParameter":
            return "missing", {"name": name}
        return "bad-value", {"name": name, "expected": param.display_type(given["ctx"])}
    if named := re.search("No such command '([^']*)'", error.message):
        return "no-command", {"name": named[1]}
    return ("too-much" if "extra argument" in error.message else "other"), {}


def load_settings() -> "Settings":
    """The settings as the process finds them. Raises `BadSettings`."""
    from service import settings

    return settings.load_settings()


@contextmanager
def ledger_of(settings: "Settings", access: "Access") -> Iterator["Ledger"]:
    """The ledger of the settings' database, opened for what the command does with it and closed at the end."""
    from ledger.application import Ledger
    from ledger.database import UNHURRIED_SECONDS

    ledger = Ledger(
        settings.database,
        access,
        max_cached_entries=settings.max_cached_entries,
        register_key=Path(settings.register_key),
    )
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
    """What was found about one history; of one that is only practice, that it is, first."""
    if found.practice:
        tell("verified.practice", language, name=name)
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


def tell_differing_states(ledger: "Ledger", logs: list[str], language: str) -> int:
    """Which kept states are not what a replay makes them, and how many these are."""
    differing = [found for found in ledger.prove_states(logs) if found]
    for found in differing:
        parts = ", ".join(found.parts)
        tell("verified.other_state", language, fund=found.log, version=found.version, parts=parts)
    return len(differing)


def read_model_of(ledger: "Ledger") -> "ReadModel":
    from ledger.projections.read_model import ReadModel

    return ReadModel(ledger.database)
