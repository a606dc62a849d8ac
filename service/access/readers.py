"""The log of readers: whoever is shown a person's name, phone, note or passbook leaves a row.

The register itself says when a text of it was read (`Register.on_read`), and what was read while a request was answered
was shown by that answer. So no route has to think of it, and none can forget. What the answer to one's own write says
is looked up by the ledger's writer, outside of any request, and leaves no row.
"""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timedelta
from itertools import count
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.database import Database
from service.access.batches import Batches
from service.access.principals import ROLES, Principal
from service.access.roles import READERS

BATCH_SECONDS: Final = 0.5
"""With the commit, what was shown is on disk within a second."""
MOST_WAITING: Final = 100_000
MONTH: Final = timedelta(days=30.5)
PURGE_EVERY: Final = timedelta(days=1)

COLUMNS: Final = ("id", "at", "fund", "principal", "role", "what", "member")
INSERT: Final = f"INSERT INTO readers ({', '.join(COLUMNS)}) VALUES (:{', :'.join(COLUMNS)}) ON CONFLICT DO NOTHING"  # noqa: S608  # Names of our own.
SELECT: Final = (
    "SELECT id, at, principal, role, what, member FROM readers WHERE fund = :fund AND id < :before {about}"
    "ORDER BY id DESC LIMIT :most"
)
ABOUT: Final = "AND (member = :member OR member IS NULL) "
PURGE: Final = "DELETE FROM readers WHERE id < :before"
NO_END: Final = "~"
"""After every id."""


class Shown:
    """What the answer to one request shows of people: anything at all, and of whom, as far as its route says."""

    def __init__(self) -> None:
        self.is_any = False
        self.members: set[int | None] = set()
        """None stands for anybody: what was read, and nobody said whose it is."""
        self.about: Iterable[int | None] = (None,)

    def note(self) -> None:
        """Note that a person is shown."""
        self.is_any = True
        self.members.update(self.about)

    @property
    def member(self) -> int | None:
        """The member shown, if it is one alone."""
        return next(iter(self.members)) if len(self.members) == 1 else None


_shown: ContextVar[Shown | None] = ContextVar("shown", default=None)


def note_shown() -> None:
    """Note that the answer being made shows a person, if one is being made."""
    if shown := _shown.get():
        shown.note()


@contextmanager
def showing(members: Iterable[int | None]) -> Iterator[None]:
    """Say whose texts are read meanwhile."""
    shown = _shown.get() or Shown()
    outer, shown.about = shown.about, list(members)
    try:
        yield
    finally:
        shown.about = outer


@contextmanager
def to_themselves() -> Iterator[None]:
    """What is read meanwhile answers one's own write, or is one's own: nobody else is shown."""
    token = _shown.set(None)
    try:
        yield
    finally:
        _shown.reset(token)


class Looked(NamedTuple):
    """A row of the log: who saw what, and of which member; None for several or all. `fund` is empty for none."""

    id: str
    at: str
    fund: str
    principal: str
    role: str
    what: str
    member: int | None


class ReaderLog:
    """The rows of one database; kept so many months."""

    def __init__(self, database: Database, now: Callable[[], datetime], months: int) -> None:
        self._database = database
        self._now = now
        self._kept = MONTH * months
        self._order = count()
        """Of rows of one instant; what follows it tells copies of the service apart."""
        self._purged_at: datetime | None = None
        self._batches = Batches("readers", self._store, BATCH_SECONDS, MOST_WAITING)

    def __enter__(self) -> Self:
        self._purge()
        self._batches.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._batches.__exit__(kind, error, at)

    def note(self, principal: Principal, what: str, fund: str, shown: Shown) -> None:
        """Have a row stored; does not block."""
        at = self._now().isoformat(timespec="microseconds")
        id = f"{at} {next(self._order):08x}{secrets.token_hex(2)}"
        self._batches.add(Looked(id, at, fund, principal.id, _role(principal), what, shown.member))

    def flush(self) -> None:
        """Wait until all that was noted is stored."""
        self._batches.flush()

    def rows(self, fund: str, *, member: int | None = None, before: str = NO_END, most: int) -> list[dict[str, Any]]:
        """Who looked, latest first: in a fund, or at one member of it, be it among others."""
        about = {} if member is None else {"member": member}
        sql = SELECT.format(about=ABOUT if about else "")
        return self._database.query(sql, fund=fund, before=before, most=most, **about)

    def _store(self, rows: list[Looked]) -> None:
        with self._database.transaction() as transaction:
            transaction.execute_many(INSERT, [row._asdict() for row in rows])
        if self._purged_at is None or self._now() - self._purged_at > PURGE_EVERY:
            self._purge()

    def _purge(self) -> None:
        self._database.execute(PURGE, before=(self._now() - self._kept).isoformat(timespec="microseconds"))
        self._purged_at = self._now()


def _role(principal: Principal) -> str:
    """The role of a principal that sees people, the first of several."""
    return min(principal.roles, key=lambda role: (role not in READERS, ROLES.index(role)))


class ReaderNotes:
    """The ring around routes that notes whom their answers show; stands behind the authentication."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what its answer shows before any of it leaves."""
        if scope["type"] != "http" or (principal := scope.get("principal")) is None:
            return await self._app(scope, receive, send)
        shown = Shown()

        async def noted(message: Message) -> None:
            if message["type"] == "http.response.start" and shown.is_any and not _is_problem(message):
                log: ReaderLog = scope["app"].state.reader_log
                log.note(principal, scope["route"].name, scope.get("path_params", {}).get("fund", ""), shown)
            await send(message)

        token = _shown.set(shown)
        try:
            return await self._app(scope, receive, noted)
        finally:
            _shown.reset(token)


def _is_problem(message: Message) -> bool:
    """Whether an answer is a problem, which names nobody; a page that is refused may show people all the same."""
    return (b"content-type", b"application/problem+json") in message.get("headers", ())
