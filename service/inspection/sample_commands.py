"""`microfund sample`: clubs, or a fund's vouchers and loans, drawn by lot."""

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from ledger.events import Draw, Entry, decode, is_fund
from ledger.history import verify
from service.bounds import SEED
from service.inspection import arguments
from service.terminal import Language, Mistake, ledger_of, load_settings, say


def sample(
    seed: Annotated[str, typer.Option(help="A number that somebody else made public and nobody knew before.")],
    what: Annotated[str | None, typer.Argument(metavar="[FUND | FILE.ndjson]", help="A fund's entries.")] = None,
    clubs: Annotated[int, typer.Option(min=0, help="How many clubs of the database, if no fund is named.")] = 0,
    vouchers: Annotated[int, typer.Option(min=0, help="How many vouchers of the fund.")] = 0,
    loans: Annotated[int, typer.Option(min=0, help="How many loans of the fund.")] = 0,
    known_version: Annotated[int | None, typer.Option(min=1, help="Of its entries up to this one.")] = None,
    since: Annotated[
        date | None, typer.Option("--from", parser=arguments.day, metavar="DAY", help="Of this day and later.")
    ] = None,
    until: Annotated[
        date | None, typer.Option("--to", parser=arguments.day, metavar="DAY", help="Of this day and earlier.")
    ] = None,
    language: Language = "vi",
) -> None:
    """Draw clubs, or a fund's vouchers and loans, by lot: whoever has the seed and the books draws the same."""
    from service.inspection.samples import clubs_drawn, entries_drawn

    if not re.fullmatch(SEED, seed):
        raise Mistake("seed")
    if what is None:
        with ledger_of(load_settings(), "read") as ledger:
            drawn_lines = clubs_drawn(seed, ledger.clubs(), clubs, language)
    else:
        days = {"since": since, "until": until}
        draw = Draw(seed=seed, vouchers=vouchers, loans=loans, known_version=known_version, **days)
        drawn_lines = entries_drawn(draw, _intact(what)[:known_version], language)
    for line in drawn_lines:
        say(line)


def _intact(what: str) -> list[Entry]:
    """The entries of a fund or of a file of lines, which must hold together."""
    if what.endswith(".ndjson") or Path(what).is_file():
        lines = Path(what).read_bytes().removesuffix(b"\n").split(b"\n") if Path(what).is_file() else []
    else:
        with ledger_of(load_settings(), "read") as ledger:
            lines = ledger.recorder.lines(what, 0, None)
    found = verify(lines)
    if not (found.valid and found.fund and is_fund(found.fund)):
        raise Mistake("not-intact", what=what)
    return [Entry(decode(line), line) for line in lines]
