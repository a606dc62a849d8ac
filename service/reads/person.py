"""All that is kept about a member: what the fund knows, what the register has, and who may act in their name."""

from typing import Any

from ledger.refusals import MemberNotFound
from service.access.tokens import Principals
from service.http.state import AppState


def person_of(state: AppState, principals: Principals, fund: str, number: int) -> dict[str, Any]:
    """What the route answers, without those who looked. Raises `FundNotFound`, `MemberNotFound`."""
    replayed = state.ledger.replayed(fund)
    member = replayed.members.get(number)
    if member is None:
        raise MemberNotFound(member=number)
    theirs = [event for event in replayed.entries if getattr(event, "member", None) == number]
    texts = state.ledger.register.texts(digest for event in theirs for digest in (event.texts or {}).values())
    linked = principals.of_member(fund, number)
    names = principals.names(linked)
    written = [
        {"version": event.version, "kind": kind, "text": texts[digest]}
        for event in theirs
        for kind, digest in (event.texts or {}).items()
        if digest in texts
    ]
    return {
        "fund": fund,
        "member": number,
        "sex": member.sex,
        "birth_year": member.birth_year,
        "poverty": member.poverty,
        "household": member.household,
        "joined_on": member.joined_on,
        "left_on": member.left_on,
        "texts": written,
        "entries": [{"version": event.version, "type": event.name, "on": event.on} for event in theirs],
        "principals": [
            {"principal": id, "name": names.get(id), "roles": roles} for id, roles in sorted(linked.items())
        ],
    }
