"""`microfund token`: tokens, the keys to the service, made and ended."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from service.access.principals import ROLES, Principal, Role, Scope, new_id
from service.terminal import Language, Mistake, errors, ledger_of, load_settings, say

token = typer.Typer(help="Tokens, the keys to the service.", no_args_is_help=True)


@token.command("issue")
def token_issue(
    name: Annotated[str, typer.Option(help="Whose it is; never shown in the books.")],
    role: Annotated[list[str], typer.Option(help=f"One of {', '.join(ROLES)}; may be given several times.")],
    fund: Annotated[list[str], typer.Option(help="In scope: this fund; may be given several times.")] = [],  # noqa: B006  # typer reads it only.
    province: Annotated[str | None, typer.Option(help="In scope: the funds of this province.")] = None,
    district: Annotated[str | None, typer.Option(help="In scope: the funds of this district only.")] = None,
    commune: Annotated[str | None, typer.Option(help="In scope: the funds of this commune only.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="In scope: all funds.")] = False,
    member: Annotated[list[str], typer.Option(help="FUND:NUMBER, if they are a member themselves.")] = [],  # noqa: B006  # typer reads it only.
    language: Language = "vi",
) -> None:
    """Make a principal and print their token, once."""
    from service.access.operator import Operator

    roles = roles_given(role)
    scope = scope_given(everything=everything, province=province, district=district, commune=commune, funds=fund)
    principal = Principal(id=new_id(), name=name, roles=roles, scope=scope, members=dict(memberships(member)))
    with ledger_of(load_settings(), "make") as ledger:
        say(Operator(ledger, lambda: datetime.now(UTC)).issue_token(principal))


def roles_given(given: Iterable[str]) -> frozenset[Role]:
    """Roles as they were typed."""
    unknown = sorted(set(given) - set(ROLES))
    if unknown:
        raise Mistake("no-role", unknown=", ".join(unknown), roles=", ".join(ROLES))
    return frozenset(known for known in ROLES if known in given)


def scope_given(**given: Any) -> Scope:
    """A scope as it was typed."""
    scope = Scope(**given)
    if not scope.is_well_formed:
        raise Mistake("scope")
    return scope


def memberships(given: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Which member somebody is, as it was typed."""
    for text in given:
        fund, _, number = text.rpartition(":")
        if not fund or not (number.isascii() and number.isdecimal()):
            raise Mistake("membership")
        yield fund, int(number)


@token.command("revoke")
def token_revoke(revoked: Annotated[str, typer.Argument(metavar="TOKEN")], language: Language = "vi") -> None:
    """End a token's validity; services forget it within seconds."""
    from service.access.operator import Operator
    from service.words.catalogue import phrase

    with ledger_of(load_settings(), "write") as ledger:
        if not Operator(ledger, lambda: datetime.now(UTC)).revoke_token(revoked):
            raise Mistake("no-token")
    errors.print(phrase("token.revoked", language))
