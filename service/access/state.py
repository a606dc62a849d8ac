"""What is at hand about who asks: who may log in, the tokens, the phones and the PINs, and where each fund is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from ledger.application import Ledger
from service.access.directory import Directory
from service.access.pins import Pins
from service.access.places import Places
from service.access.sessions import Sessions
from service.access.tokens import Principals
from service.http.state import at_once


class AccessState:
    """The parts of a running service that know people and programs."""

    def __init__(self, ledger: Ledger, now: Callable[[], datetime]) -> None:
        self.directory = Directory(ledger)
        self.principals = Principals(ledger, self.directory)
        self.sessions = Sessions(ledger.database, self.directory, self.principals, now)
        self.pins = Pins(ledger.database)
        self.places = Places(ledger)

    def look_anew(self) -> None:
        """Who may what has changed: in this process that holds at once."""
        self.sessions.forget()
        self.principals.forget()


def access_of(request: Request) -> AccessState:
    """What the service a request came to knows about people."""
    access: AccessState = request.app.state.access
    return access


AtAccess = Annotated[AccessState, Depends(at_once(access_of))]
