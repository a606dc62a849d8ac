"""What an inspector types: a history printed, verified, compared and exported, and its red flags."""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.days import civil_day
from ledger.events import is_fund
from ledger.events.people import PEOPLE
from ledger.history import Verification
from ledger.refusals import FundNotFound
from service.inspection import arguments
from service.inspection.paper_references import PaperReference
from service.terminal import (
    BROKEN,
    Language,
    Mistake,
    ledger_of,
    load_settings,
    of_file,
    progress,
    read_model_of,
    say,
    tell,
    tell_differing_states,
    tell_losses,
    tell_verification,
)

if TYPE_CHECKING:
    from ledger.application import Ledger


def history(
    fund: str,
    known_at: Annotated[
        datetime | None,
        typer.Option(parser=arguments.instant, metavar="INSTANT", help="Only what was recorded by then."),
    ] = None,
    language: Language = "vi",
) -> None:
    """Print a fund's lines as they are stored, oldest first."""
    with ledger_of(load_settings(), "read") as ledger:
        found = False
        for entry in ledger.entries(fund):
            found = True
            if known_at is not None and entry.event.recorded_at > known_at:
                break
            sys.stdout.buffer.write(entry.line + b"\n")
        if not found:
            raise Mistake("no-fund", fund=fund)


def verify(
    what: Annotated[
        str | None, typer.Argument(metavar="FUND | FILE.ndjson", help="A fund, or a file of lines.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every fund of the database, and its other logs.")] = False,
    people: Annotated[bool, typer.Option("--people", help="The log of who may log in, and who let them.")] = False,
    projections: Annotated[
        bool, typer.Option("--projections", help="Every table of the read model, compared with a fresh replay.")
    ] = False,
    code: Annotated[str | None, typer.Option(help="Which entry does this check code belong to?")] = None,
    head: Annotated[str | None, typer.Option(help="Which entry does this printed head belong to?")] = None,
    voucher: Annotated[str | None, typer.Option(help="Which entries bear this number, such as PT-2024-0001?")] = None,
    language: Language = "vi",
) -> None:
    """Check that a history holds together: exit code 0 if it does, 1 if not, naming the first broken line; also 1 if
    what was asked for on paper is not in it."""
    if [what is not None, everything, people, projections].count(True) != 1:
        raise Mistake("what-to-verify")
    what = PEOPLE if people else what
    paper, differing = PaperReference.read(code, head, voucher), 0
    if paper.is_given and what is None:
        raise Mistake("paper-of-one")
    if projections:
        _verify_projections(language)
        return
    if what is not None and (what.endswith(".ndjson") or Path(what).is_file()):
        verified = [(what, paper.walk(_lines_of(Path(what), language)))]
    else:
        with ledger_of(load_settings(), "read") as ledger:
            tell_losses(ledger, what, language)
            logs = ledger.logs() if what is None else [what]
            verified = list(_verified(ledger, logs, paper))
            differing = tell_differing_states(ledger, logs, language)
    for name, found in verified:
        tell_verification(name, found, language)
        for sentence in paper.sentences(found, language):
            say(sentence)
    if differing or not all(found.valid and paper.is_found(found) for _, found in verified):
        raise typer.Exit(BROKEN)


def _verify_projections(language: str) -> None:
    """Compare the read model's rows with a replay of each fund, and say up to which position that holds."""
    from ledger.projections.batch import ReadModelBroken
    from ledger.projections.proof import divergences

    with ledger_of(load_settings(), "read") as ledger:
        read_model, funds, found = read_model_of(ledger), ledger.funds(), 0
        read_model.check_tables()
        position = read_model.position
        if funds and not position:
            raise ReadModelBroken("not-made")
        with progress("funds") as show:
            for done, fund in enumerate(funds, start=1):
                for difference in divergences(ledger, [fund]):
                    row = {"table": difference.table, "key": str(difference.key)}
                    tell("verified.other_row", language, fund=fund, **row)
                    found += 1
                show(done, len(funds))
    if found:
        raise typer.Exit(BROKEN)
    tell("verified.every_row", language, funds=len(funds), position=position)


def _lines_of(file: Path, language: str) -> Iterator[bytes]:
    try:
        with file.open("rb") as lines:
            for line in lines:
                yield line.removesuffix(b"\n")
    except OSError as error:
        raise of_file(file, error, language) from None


def _verified(ledger: "Ledger", logs: list[str], paper: PaperReference) -> Iterator[tuple[str, Verification]]:
    with progress("funds") as show:
        for done, log in enumerate(logs, start=1):
            lines = ledger.recorder.lines(log, 0, None)
            if not lines:
                raise Mistake("nobody-admitted") if log == PEOPLE else Mistake("no-fund", fund=log)
            yield log, paper.walk(lines)
            show(done, len(logs))


def flags(
    fund: Annotated[str | None, typer.Argument()] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every fund, the one with most flags first.")] = False,
    language: Language = "vi",
) -> None:
    """Say what an inspector should ask about: red flags, each with its rule in words and the entries behind it."""
    from ledger.aggregates.log import BrokenChain
    from service.access.tokens import Principals
    from service.inspection.flag_service import FlagService

    if (fund is None) is not everything:
        raise Mistake("what-flags")
    settings, today = load_settings(), civil_day(datetime.now(UTC))
    with ledger_of(settings, "read") as ledger:
        flag_service = FlagService(ledger, Principals(ledger), settings.flag)
        try:
            for line in (
                flag_service.worst_first(today, language) if fund is None else flag_service.page(fund, today, language)
            ):
                say(line)
        except FundNotFound:
            raise Mistake("no-fund", fund=fund) from None
        except BrokenChain as error:
            raise Mistake("broken-chain", fund=error.fund, version=error.version) from None


class Format(StrEnum):
    """Programs of plain-text accounting that can read an export."""

    hledger = "hledger"
    beancount = "beancount"


def export(
    fund: Annotated[str | None, typer.Argument(help="A fund, unless --parquet gives all of them.")] = None,
    format: Annotated[Format, typer.Option(help="For which program.")] = Format.hledger,
    parquet: Annotated[
        Path | None, typer.Option(help="The folder of a data set of all funds, to begin or to add to.")
    ] = None,
    since: Annotated[
        int | None, typer.Option(min=0, help="The position after which the data set goes on; by default its end.")
    ] = None,
    language: Language = "vi",
) -> None:
    """Print a fund's journal as plain-text accounting, for hledger or Beancount to add up on their own; or add all
    funds to a data set of Parquet files, for DuckDB, Polars or Apache Spark to count in."""
    from ledger.exports import beancount_ledger, hledger_journal

    if (fund is None) is (parquet is None) or (since is not None and parquet is None):
        raise Mistake("what-to-export")
    if parquet is not None:
        _add_to_data_set(parquet, since, language)
        return
    assert fund is not None
    write = {Format.hledger: hledger_journal, Format.beancount: beancount_ledger}[format]
    with ledger_of(load_settings(), "read") as ledger:
        entries = list(ledger.entries(fund)) if is_fund(fund) else []
        if not entries:
            raise Mistake("no-fund", fund=fund)
        for text in write(entries):
            sys.stdout.write(text)


def _add_to_data_set(folder: Path, since: int | None, language: str) -> None:
    try:
        from ledger.data_set import export as add_to
    except ModuleNotFoundError:
        raise Mistake("no-parquet") from None
    with ledger_of(load_settings(), "read") as ledger:
        try:
            added = add_to(read_model_of(ledger), folder, since)
        except OSError as error:
            raise of_file(folder, error, language) from None
    tell("exported.data-set", language, **added._asdict())


def diff(
    fund: str,
    start: Annotated[
        str, typer.Argument(metavar="FROM", help="DAY, DAY@INSTANT or DAY@VERSION; all days without DAY.")
    ],
    end: Annotated[str, typer.Argument(metavar="[TO]", help="The same; by default FROM's day as known now.")] = "",
    language: Language = "vi",
    most: Annotated[int, typer.Option(min=1, help="How many entries to show, of each figure and in all.")] = 20,
) -> None:
    """Say why the books say something else: each figure that differs, and the entries that make it so."""
    from ledger.aggregates.log import BrokenChain
    from service.inspection.difference_table import print_difference

    with ledger_of(load_settings(), "read") as ledger:
        try:
            print_difference(ledger.replayed(fund), start, end, language, most)
        except FundNotFound:
            raise Mistake("no-fund", fund=fund) from None
        except BrokenChain as error:
            raise Mistake("broken-chain", fund=error.fund, version=error.version) from None
