"""`microfund import`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from service.terminal import Language, Mistake, give_up, ledger_of, load_settings, say


def import_books(
    files: Annotated[list[Path], typer.Argument(help="One workbook, or three CSV files or their directory.")] = [],  # noqa: B006  # typer reads it only.
    fund: Annotated[str, typer.Option(help="The fund, opened and still without members.")] = "",
    template: Annotated[
        Path | None, typer.Option(help="Write an empty FILE.xlsx, or a directory of CSV files.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be recorded.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Record without asking.")] = False,
    language: Language = "vi",
) -> None:
    """Take over an old club's books from the sheets of the template."""
    from service.takeover.importing import NotTakenOver, import_command, template_command

    if (template is None) != bool(files and fund):
        raise Mistake("what-to-import")
    try:
        if template is not None:
            say(template_command(template, language))
            return
        agrees = (lambda _: False) if dry_run else (lambda question: yes or typer.confirm(question, err=True))
        with ledger_of(load_settings(), "read" if dry_run else "write") as ledger:
            import_command(ledger, fund, files, now=datetime.now(UTC), say=say, agrees=agrees, language=language)
    except NotTakenOver as error:
        give_up(str(error))
