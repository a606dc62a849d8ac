"""What a donation over HTTP is measured against: a server that only answers, an echo of the body by FastAPI, and the
event-sourcing library used as its tutorial shows.

Run as `python -m scripts.benchmarks.rivals nothing|echo|tutorial --port N`; the tutorial finds its database in the
environment, as the library does. The latter two run under uvicorn as our service does.
"""

import asyncio
import sys
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import uvicorn
import uvloop
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from fastapi import FastAPI
from pydantic import BaseModel


class Donation(BaseModel):
    """The body, as our service takes it."""

    source: str
    pot: str
    amount: int
    on: str


# --- the load generator's own ceiling ---------------------------------------------------------------------------------


class Nothing(asyncio.Protocol):
    """Answers each request with the same bytes: whatever is measured then is the client's own cost."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """A request, small enough to come in one piece."""
        status = b"200 OK" if data.startswith(b"GET") else b"201 Created"
        self._transport.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")


async def _nothing(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Nothing, "127.0.0.1", port)
    await server.serve_forever()


# --- the ceiling ------------------------------------------------------------------------------------------------------


def echo() -> FastAPI:
    """The least that FastAPI does: JSON in, the same JSON out."""
    app = FastAPI()

    @app.get("/readyz")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/donations", status_code=201)
    async def receive_donation(body: Donation) -> Donation:
        return body

    return app


# --- what a user would otherwise write --------------------------------------------------------------------------------


class Club(Aggregate):
    """A club's money as the tutorial would keep it: its state changes in decorated methods."""

    @event("Opened")
    def __init__(self, name: str) -> None:
        self.name = name
        self.balances: dict[str, int] = {}
        self.donations = 0

    @event("DonationReceived")
    def receive_donation(self, source: str, pot: str, amount: int, on: str) -> None:
        """Take a gift."""
        if amount < 1:
            raise ValueError("a gift is at least one đồng")
        self.balances[pot] = self.balances.get(pot, 0) + amount
        self.donations += 1


class Clubs(Application[UUID]):
    """All clubs, with the library's own transcoder, mapper and recorders."""

    def receive_donation(self, club_id: UUID, **gift: Any) -> int:
        """Record a gift; answers the club's version."""
        club: Club = self.repository.get(club_id)
        club.receive_donation(**gift)
        self.save(club)
        return club.version


def tutorial() -> FastAPI:
    """The library behind FastAPI's sync routes. No two clients may change a club at once: a conflict is a 500 here."""
    clubs, app = Clubs(), FastAPI()

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/clubs/{club_id}/donations", status_code=201)
    def receive_donation(club_id: UUID, body: Donation) -> dict[str, Any]:
        version = clubs.receive_donation(club_id, **body.model_dump())
        return {"club": str(club_id), "version": version, **body.model_dump()}

    return app


def library_settings(url: str) -> dict[str, str]:
    """The library's environment for a database, its own defaults otherwise."""
    if url.startswith("sqlite"):
        return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": url.removeprefix("sqlite:///")}
    parts = urlsplit(url)
    return {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": parts.path.lstrip("/"),
        "POSTGRES_HOST": parts.hostname or parse_qs(parts.query)["host"][0],
        "POSTGRES_PORT": str(parts.port or 5432),
        "POSTGRES_USER": parts.username or "postgres",
        "POSTGRES_PASSWORD": parts.password or "",
    }


if __name__ == "__main__":
    _, name, _, port = sys.argv
    if name == "nothing":
        uvloop.run(_nothing(int(port)))
    else:
        app = {"echo": echo, "tutorial": tutorial}[name]()
        uvicorn.run(app, port=int(port), access_log=False, server_header=False, log_level="warning")
