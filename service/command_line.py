"""`microfund` on the command line: results to standard output, all else to standard error."""

import gc
import sys
from datetime import UTC, datetime
from importlib.metadata import version as distribution_version
from itertools import pairwise
from typing import Annotated, Final

import typer

from ledger.days import civil_day
from ledger.faults import Fault
from service.access.commands import token
from service.checkpoints import commands as checkpoint_commands
from service.inspection.commands import diff, export, flags, history, verify
from service.inspection.sample_commands import sample
from service.operations.backup_commands import backup, drill, restore
from service.operations.commands import rebuild
from service.operations.doctor_commands import doctor
from service.operations.register_commands import register
from service.operations.upgrade_commands import upgrade
from service.people import commands as people_commands
from service.reports.commands import report
from service.takeover.commands import import_books
from service.terminal import (
    BROKEN,
    Language,
    Mistake,
    give_up,
    ledger_of,
    load_settings,
    progress,
    read_model_of,
    said_of,
    say,
    tell,
)

app = typer.Typer(
    name="microfund",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.add_typer(token, name="token")
app.add_typer(register, name="register")
app.add_typer(people_commands.app, name="people")
app.command()(sample)
app.add_typer(checkpoint_commands.app, name="checkpoint")


@app.callback(invoke_without_command=True)
def about(
    *, version: Annotated[bool, typer.Option("--version", help="Say which version this is, and end.")] = False
) -> None:
    """The ledger of village self-help clubs."""
    if version:
        say(f"microfund {distribution_version('microfund')}")
        raise typer.Exit


def main() -> None:
    """Run a command; what went wrong is said in one sentence, without a traceback."""
    try:
        ended = app(prog_name="microfund", standalone_mode=False)
    except typer.TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # What there is was shown already.
            sys.exit(error.exit_code)
        give_up(said_of(error, _language()), error.exit_code)
    except typer.Abort:
        give_up(said_of(Mistake("broken-off"), _language()), BROKEN)
    except Exception as error:
        if not isinstance(error, _faults()):
            raise
        give_up(said_of(error, _language()))
    sys.exit(ended or 0)


def _language() -> str:
    """The language that `--lang` asks for, wherever it stands: what went wrong may have gone wrong before it."""
    words = [part for word in sys.argv[1:] for part in word.split("=", 1)]
    return "en" if ("--lang", "en") in pairwise(words) else "vi"


def _faults() -> tuple[type[Exception], ...]:
    """What is wrong with the command, the settings, the key or the database."""
    from eventsourcing.persistence import PersistenceError

    from ledger.refusals import Refusal
    from service.settings import BadSettings

    return Fault, Refusal, BadSettings, PersistenceError, UnicodeEncodeError


# --- the service --------------------------------------------------------------------------------------------------


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65_535)] = None,
    language: Language = "vi",
) -> None:
    """Run the service."""
    # Requests leave no cycles of objects worth looking for among all the entries in memory after every few hundred; nor
    # does loading the program, a tenth of whose time that would take.
    gc.set_threshold(50_000, 20, 100)
    import uvicorn

    from service.app import create_app
    from service.http.logs import write_log_to
    from service.reports.state import plans_of

    settings = load_settings()
    plans_of(settings)
    with ledger_of(settings, "write") as ledger:  # What is wrong with the database is said before anything is begun.
        read_model_of(ledger).create_tables()
    service = create_app(settings)
    write_log_to(sys.stderr)
    uvicorn.run(
        service,
        host=host or settings.host,
        port=port or settings.port,
        log_config=None,
        proxy_headers=False,  # Any peer on this machine could say where it comes from; see `http/addresses.py`.
        access_log=False,  # Addresses with their queries are nobody's business; see `http/logs.py`.
        server_header=False,
        timeout_graceful_shutdown=10,
        h11_max_incomplete_event_size=64 * 1024,
    )


@app.command()
def demo(language: Language = "vi") -> None:
    """Fill an empty database with the plan's 24 clubs, and say how to log in: an invitation for one person of each
    role, and tokens for programs."""
    from service.access.operator import Operator
    from service.demo import fill
    from service.demo.reporting import ways_to_the_report

    settings, now = load_settings(), datetime.now(UTC)
    with ledger_of(settings, "make") as ledger:
        with progress("months of 24 clubs") as show:
            made = fill(ledger, today=civil_day(now), progress=show)
        read_model_of(ledger).rebuild()  # The first page that somebody opens would else come from half-filled tables.
        operator = Operator(ledger, lambda: now)
        acting = made.principals[:DEMO_TOKENS]
        tokens = [(principal, operator.issue_token(principal)) for principal in acting]
        tell("demo.made", language, clubs=made.clubs, members=made.members, events=made.events)
        for principal in (*acting, made.member):
            person = operator.admit(principal.name, principal.roles, principal.scope, principal.members)
            people_commands.tell_invitation(ledger, settings, operator.invite(person).code, person, language)
    tell("demo.next", language)
    service = f"http://{settings.host}:{settings.port}"
    tell("demo.for-programs", language)
    for principal, issued in tokens:
        say(f"{issued}  {principal.name} ({', '.join(sorted(principal.roles))})")
    say(f"curl -H 'Authorization: Bearer {tokens[-1][1]}' {service}/v1/funds")
    tell("report.how", language)
    for way in ways_to_the_report(civil_day(now), service, tokens[REPORTER][1]):
        say(way)


REPORTER: Final = 2
DEMO_TOKENS: Final = 5
"""The province's three, then the chair and the treasurer of the first club; `token issue` makes others."""


# --- the books ----------------------------------------------------------------------------------------------------


app.command()(history)
app.command()(verify)
app.command()(flags)
app.command()(export)
app.command()(diff)
app.command()(report)
app.command("import")(import_books)
app.command()(rebuild)


# --- for whoever runs it ------------------------------------------------------------------------------------------


app.command()(doctor)
app.command()(backup)
app.command()(restore)
app.command()(drill)
app.command()(upgrade)


if __name__ == "__main__":
    main()
