"""The PIN that an act of weight asks for when it comes from a phone: whether it was given, and whether it is right.

A decision says that it needs one by asking `Approval.require`, on what it has decided upon; only then is a PIN judged,
away from the writer, and the decision asked again. So no try is spent on what needs none, is not allowed, or has been
recorded already.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, NamedTuple, TypeVar

from fastapi import Header
from starlette.types import Scope

from service.access.pins import Pins
from service.http.parsing import header
from service.http.refusals import PinRequired

T = TypeVar("T")


class Approval(NamedTuple):
    """What came with an act: whose phone it came from, if any, and the PIN. A token needs none, nor does a dry run."""

    person: str | None = None
    pin: str | None = None
    is_given: bool = False

    def require(self) -> None:
        """The act needs a PIN. Raises `PinRequired`."""
        if self.person is not None and not self.is_given:
            raise PinRequired


NOT_NEEDED = Approval()

ApprovalPin = Annotated[str | None, Header(description="The six digits that an act of weight needs from a phone.")]
"""The header that brings a PIN, for the API's document."""


def approval_of(scope: Scope) -> Approval:
    """What a request brings along: nothing is asked of one that came with a token."""
    session = scope.get("session")
    return Approval(session.principal.id, header(scope, b"approval-pin")) if session else NOT_NEEDED


async def approved(pins: Pins, approval: Approval, act: Callable[[Approval], Awaitable[T]]) -> T:
    """Carry out an act, and once more with the PIN that came with it if it turns out to need one. Raises
    `PinRequired`, `PinWrong`, `PinLocked` and what the act raises."""
    try:
        return await act(approval)
    except PinRequired:
        if approval.person is None or approval.pin is None:
            raise
    await asyncio.to_thread(pins.check, approval.person, approval.pin)
    return await act(approval._replace(is_given=True))
