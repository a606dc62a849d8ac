"""`microfund doctor`: one page, a line for each thing that matters."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from service.terminal import Language, ledger_of, load_settings, said_of, say

if TYPE_CHECKING:
    from service.operations.doctor.finding import Finding

MARKS: Final = {"well": "✓", "warning": "!", "danger": "✗"}
EXIT_CODES: Final = {"well": 0, "warning": 1, "danger": 2}


def doctor(
    stanza: Annotated[
        str, typer.Option(help="PostgreSQL only: the database's name in pgBackRest's configuration.")
    ] = "microfund",
    language: Language = "vi",
) -> None:
    """Say everything an operator must know in one page: what is well (✓), to be seen to (!) or dangerous (✗), why it
    matters and what to do. Exit code 0, 1 or 2, by the worst of it. Changes nothing."""
    from eventsourcing.persistence import PersistenceError

    from ledger.faults import Fault
    from service.operations.doctor.examining import examine, of_program
    from service.operations.doctor.finding import danger

    settings, worst = load_settings(), 0

    def show(finding: "Finding") -> None:
        nonlocal worst
        worst = max(worst, EXIT_CODES[finding.level])
        _show(finding, language)

    show(of_program())
    try:
        with ledger_of(settings, "read") as ledger:
            for finding in examine(ledger, settings, datetime.now(UTC), stanza):
                show(finding)
    except (Fault, PersistenceError) as error:
        show(danger("database", what=said_of(error, language)))
    raise typer.Exit(worst)


def _show(finding: "Finding", language: str) -> None:
    from service.words import catalogue

    def part(name: str) -> str:
        return catalogue.render(f"doctor.{finding.code}.{name}", language, **finding.facts)

    say(f"{MARKS[finding.level]} {part('what')}")
    if finding.level != "well":
        say(f"    {part('why')}")
        say(f"    → {part('do')}")
