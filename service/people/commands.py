"""`microfund people`: who may log in, as whoever runs the service sets it up."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from service.access.commands import memberships, roles_given, scope_given
from service.terminal import Language, Mistake, ledger_of, load_settings, say, tell

if TYPE_CHECKING:
    from ledger.aggregates.people import People
    from ledger.application import Ledger
    from service.settings import Settings

app = typer.Typer(help="People who log in: invited, listed, ended, and the log of that.", no_args_is_help=True)


Person = Annotated[str, typer.Argument(help="As `microfund people list` names them.")]


@app.command()
def invite(
    person: Annotated[str | None, typer.Argument(help="Somebody who is in the directory already.")] = None,
    name: Annotated[str | None, typer.Option(help="Of somebody new.")] = None,
    phone: Annotated[str | None, typer.Option(help="Their number; only for whoever reads the directory.")] = None,
    role: Annotated[list[str], typer.Option(help="May be given several times.")] = [],  # noqa: B006  # typer reads it only.
    fund: Annotated[list[str], typer.Option(help="In scope: this fund; may be given several times.")] = [],  # noqa: B006  # typer reads it only.
    province: Annotated[str | None, typer.Option(help="In scope: the funds of this province.")] = None,
    district: Annotated[str | None, typer.Option(help="In scope: the funds of this district only.")] = None,
    commune: Annotated[str | None, typer.Option(help="In scope: the funds of this commune only.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="In scope: all funds.")] = False,
    member: Annotated[list[str], typer.Option(help="FUND:NUMBER, if they are a member themselves.")] = [],  # noqa: B006  # typer reads it only.
    language: Language = "vi",
) -> None:
    """Let somebody open the books on one phone: prints a link, a code and a QR that work once, for seven days."""
    from service.access.operator import Operator

    if (person is None) == (name is None):
        raise Mistake("whom-to-invite")
    scope = {"everything": everything, "province": province, "district": district, "commune": commune, "funds": fund}
    new = None if name is None else (name, roles_given(role), scope_given(**scope), dict(memberships(member)), phone)
    settings = load_settings()
    with ledger_of(settings, "make" if new else "write") as ledger:
        operator = Operator(ledger, lambda: datetime.now(UTC))
        invited = operator.admit(*new) if new else str(person)
        tell_invitation(ledger, settings, operator.invite(invited).code, invited, language)


def tell_invitation(ledger: "Ledger", settings: "Settings", code: str, person: str, language: str) -> None:
    """Print an invitation: whom it is for, the code, the link and its QR."""
    import sys

    import segno

    from service.people.telling import roles_told

    theirs = _people(ledger).person(person)
    texts = ledger.register.texts(theirs.texts.values())
    link = f"{settings.origin or f'http://{settings.host}:{settings.port}'}/open/{code}"
    name = texts.get(theirs.texts.get("name", ""), person)
    tell("people.invited", language, name=name, roles=roles_told(theirs.roles, language), code=code)
    tell("people.link", language, link=link)
    segno.make(link, error="m").terminal(out=sys.stdout, compact=True)


@app.command("list")
def list_people(language: Language = "vi") -> None:
    """Print who has access or had it, with their roles and how many phones they use."""
    from service.people.telling import roles_told, scope_told

    with ledger_of(load_settings(), "read") as ledger:
        people = _people(ledger)
        names = _names(ledger, people)
        for person in people.persons.values():
            key = "people.listed_ended" if person.has_ended else "people.listed"
            tell(
                key,
                language,
                person=person.id,
                name=names.get(person.id, "-"),
                roles=roles_told(person.roles, language),
                scope=scope_told(person.scope, language),
                phones=len(people.phones_of(person.id)),
            )
        if not people.persons:
            tell("people.nobody", language)


def _people(ledger: "Ledger") -> "People":
    from ledger.aggregates.log import BrokenChain
    from service.access.directory import Directory

    try:
        return Directory(ledger).people()
    except BrokenChain as error:
        raise Mistake("broken-chain", fund=error.fund, version=error.version) from None


def _names(ledger: "Ledger", people: "People") -> dict[str, str]:
    """The names of people by their ids, as far as the register has them."""
    digests = {person.id: person.texts.get("name", "") for person in people.persons.values()}
    texts = ledger.register.texts(digests.values())
    return {person: texts[digest] for person, digest in digests.items() if digest in texts}


@app.command()
def revoke(person: Person, reason: str | None = None, language: Language = "vi") -> None:
    """End a person's access, with all their phones; every copy of the service knows within five seconds."""
    from service.access.operator import Operator

    with ledger_of(load_settings(), "write") as ledger:
        Operator(ledger, lambda: datetime.now(UTC)).revoke(person, reason)
    tell("people.revoked", language, person=person)


@app.command()
def log(language: Language = "vi") -> None:
    """Print what gave, changed or ended access, oldest first; `microfund verify --people` says whether it is whole."""
    from ledger.days import VILLAGE_TIME
    from service.people.telling import line_told
    from service.words import catalogue

    with ledger_of(load_settings(), "read") as ledger:
        people = _people(ledger)
        names, entries = _names(ledger, people), people.entries
        for event in entries:
            at = event.recorded_at.astimezone(VILLAGE_TIME)
            instant = catalogue.phrase("paper.instant", language, time=f"{at:%H:%M}", on=at.date())
            told = line_told(event, names, language)
            say(catalogue.render("people.line", language, version=event.version, at=instant, told=told))
        if not entries:
            tell("people.nobody", language)
