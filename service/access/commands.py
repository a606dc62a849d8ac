"""`microfund token`: tokens, the keys to the service, made and ended."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Annotated

import typer

from service.access.principals import ROLES, Principals, Scope
from service.terminal import Mistake, errors, ledger_of, load_settings, say

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
) -> None:
    """Make a principal and print their token, once."""
    unknown = sorted(set(role) - set(ROLES))
    if unknown:
        raise Mistake(f"there is no role {', '.join(unknown)}; the roles are {', '.join(ROLES)}")
    scope = Scope(everything=everything, province=province, district=district, commune=commune, funds=tuple(fund))
    if not scope.is_well_formed:
        raise Mistake(
            "a scope is one of: --all, --province (--district and --commune only with it), or one --fund and more"
        )
    with ledger_of(load_settings(), "make") as ledger:
        say(
            Principals(ledger).issue(
                datetime.now(UTC),
                name=name,
                roles=frozenset(known for known in ROLES if known in role),
                scope=scope,
                members=dict(_memberships(member)),
            )
        )


def _memberships(given: Iterable[str]) -> Iterator[tuple[str, int]]:
    for text in given:
        fund, _, number = text.rpartition(":")
        if not fund or not (number.isascii() and number.isdecimal()):
            raise Mistake("a membership is given as FUND:NUMBER, such as LS-CL-MAIPHA:3")
        yield fund, int(number)


@token.command("revoke")
def token_revoke(revoked: Annotated[str, typer.Argument(metavar="TOKEN")]) -> None:
    """End a token's validity; services forget it within seconds."""
    with ledger_of(load_settings(), "write") as ledger:
        if not Principals(ledger).revoke(datetime.now(UTC), revoked):
            raise Mistake("that is no valid token")
    errors.print("revoked")
