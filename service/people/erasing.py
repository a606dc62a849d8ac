"""A person of the directory erased from the register: roles and log stay, and nobody knows any more who it was."""

import asyncio

from ledger.aggregates.people import People
from ledger.events.people import PEOPLE
from ledger.refusals import PersonNotFound
from service.access.approval import Approval, approved
from service.access.delegation import is_oneself, refuse_changing, sees
from service.access.principals import Principal
from service.people.acts import At


async def erase(at: At, by: Principal, approval: Approval, person: str) -> int:
    """Erase name and phone of a person, what their phones are called and what was noted with them; answers how many
    texts there were. Somebody whose access the actor may give, or oneself. Raises `PersonNotFound`, `Forbidden`,
    `FundNotFound`, `PinRequired`, `PinWrong`, `PinLocked`."""

    def erased(approval: Approval) -> int:
        people = at.access.directory.people()
        _refuse(at, people, by, person)
        approval.require()
        theirs = [entry for entry in people.entries if getattr(entry, "person", None) == person]
        return at.state.ledger.register.erase(PEOPLE, [d for event in theirs for d in (event.texts or {}).values()])

    async def act(approval: Approval) -> int:
        return await asyncio.to_thread(erased, approval)

    return await approved(at.access.pins, approval, act)


def _refuse(at: At, people: People, by: Principal, person: str) -> None:
    theirs, places = people.person(person), at.access.places.known
    if is_oneself(by, theirs):
        return
    if not sees(by, theirs.scope, places):
        raise PersonNotFound
    refuse_changing(by, theirs, places)
