"""`microfund upgrade`: a database made what this version of the program needs."""

from typing import TYPE_CHECKING, Annotated

import typer

from service.terminal import BROKEN, Language, ledger_of, load_settings, progress, tell

if TYPE_CHECKING:
    from service.operations.upgrading import Outstanding


def upgrade(
    check: Annotated[
        bool, typer.Option("--check", help="Only say what would be done; exit code 1 if anything.")
    ] = False,
    language: Language = "vi",
) -> None:
    """Bring the tables of a database to this version. The log itself is never rewritten; cut off, type it again."""
    from service.operations.upgrading import bring_up, outstanding

    settings = load_settings()
    with ledger_of(settings, "read") as ledger:
        found = outstanding(ledger)
    _tell(found, language)
    if check:
        raise typer.Exit(BROKEN if found else 0)
    with ledger_of(settings, "write") as ledger, progress("events") as show:
        last, done = ledger.recorder.max_notification_id() or 0, 0
        times = 2 if found.states else 1  # Once more for the states.

        def applied(events: int) -> None:
            nonlocal done
            done += events
            show(done, times * last)

        bring_up(ledger, applied)
    with ledger_of(settings, "read") as ledger:
        found = outstanding(ledger)
    tell("upgrade.done", language, schema=found.reached)


def _tell(found: "Outstanding", language: str) -> None:
    if not found:
        tell("upgrade.nothing", language, schema=found.reached)
    for number, about in enumerate(found.steps, found.reached + 1):
        tell("upgrade.step", language, number=number, about=about)
    if found.read_model:
        tell("upgrade.read-model", language)
    if found.states:
        tell("upgrade.states", language, states=found.states)
