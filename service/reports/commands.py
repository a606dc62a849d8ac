"""`microfund report`: a plan's report on the command line, for jobs."""

import sys
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from service.inspection import arguments
from service.terminal import Language, Mistake, errors, ledger_of, load_settings, read_model_of

if TYPE_CHECKING:
    from ledger.reports.periods import Period


def report(
    plan: Annotated[str, typer.Option(help="The code of the plan.")],
    preset: Annotated[str | None, typer.Option(help="nd09-h1, nd09-year, half-1, half-2 or year.")] = None,
    year: Annotated[int | None, typer.Option(min=2000, max=2199, help="Of the preset.")] = None,
    since: Annotated[
        date | None, typer.Option("--from", parser=arguments.day, metavar="DAY", help="The first day.")
    ] = None,
    until: Annotated[
        date | None, typer.Option("--to", parser=arguments.day, metavar="DAY", help="The last day.")
    ] = None,
    province: Annotated[str | None, typer.Option(help="Only the clubs of this province.")] = None,
    district: Annotated[str | None, typer.Option(help="Only those of this district of it.")] = None,
    commune: Annotated[str | None, typer.Option(help="Only those of this commune of it.")] = None,
    threshold: Annotated[int, typer.Option(help="From which age on one is older: 60 or 55.")] = 60,
    known_position: Annotated[int | None, typer.Option(min=0, help="As of this position of the log.")] = None,
    form: Annotated[str, typer.Option("--format", help="In which form.")] = "json",
    public: Annotated[bool, typer.Option("--public", help="Without counts of fewer than five people.")] = False,
    freeze: Annotated[bool, typer.Option("--freeze", help="Keep it for ever, under a number.")] = False,
    language: Language = "vi",
) -> None:
    """Print the report of a plan; with --freeze it is frozen first, and its number told."""
    from ledger.events.people import Scope
    from ledger.plans import plan_of
    from ledger.reports.public import public as for_the_public
    from ledger.reports.report import ReportQuestion
    from service.reports.asking import Opened, ask_report
    from service.reports.beside import beside
    from service.reports.files import FORMATS
    from service.reports.freezing import keep_for_operator
    from service.reports.state import ReportState, plans_of

    if form not in FORMATS:
        raise Mistake("no-format", form=form, formats=", ".join(FORMATS))
    if threshold not in (60, 55):
        raise Mistake("threshold")
    settings = load_settings()
    if (district or commune) and not province:
        raise Mistake("scope")
    scope = Scope(province=province, district=district, commune=commune) if province else Scope(everything=True)
    period = _period(preset, year, since, until)
    asked = ReportQuestion(plan_of(plans_of(settings), plan), period, scope, threshold)
    with (
        ledger_of(settings, "write" if freeze else "read") as ledger,
        ReportState(settings, ledger.database) as reports,
    ):
        read_model = read_model_of(ledger)
        read_model.check_tables()
        if freeze:
            read_model.catch_up()
        elif known_position is None and (behind := read_model.lag()):
            errors.print(phrase("report.behind", language, entries=behind))

        if known_position is not None and known_position > (now := read_model.position):
            raise Mistake("no-position", position=now)
        books, number = Opened(ledger, read_model, reports), None
        found = ask_report(books, asked, 0, None if freeze else known_position, anew=freeze)
        if freeze:
            frozen = keep_for_operator(ledger, asked, found, datetime.now(UTC))
            errors.print(phrase("report.frozen", language, report=frozen.report, report_code=frozen.report_code))
            number = frozen.report
        told = beside(books, asked, found, form, number, public=public)
    content = FORMATS[form].make(for_the_public(found) if public else found, language, told)
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def _period(preset: str | None, year: int | None, since: date | None, until: date | None) -> "Period":
    """The period as it was typed."""
    from ledger.plans import PRESETS
    from ledger.reports.periods import Period, preset_period

    if preset is not None and preset not in PRESETS:
        raise Mistake("no-preset", preset=preset, presets=", ".join(PRESETS))
    if preset and year and not (since or until):
        return preset_period(preset, year)
    if since and until and since <= until and not (preset or year):
        return Period(since, until)
    raise Mistake("report-period")


def phrase(key: str, language: str, **facts: object) -> str:
    """What is said beside the result."""
    from service.words import catalogue

    return catalogue.phrase(key, language, **facts)
