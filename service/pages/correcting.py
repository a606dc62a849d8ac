"""Correcting an entry in one act: why, and the form of its kind filled in as it was recorded. Both entries stay."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request

from ledger.aggregates.fund import is_reversible
from ledger.events import (
    BankDeposited,
    BankWithdrawn,
    Event,
    InKindDonationReceived,
    LoanRepaid,
    MeetingHeld,
    PotTransferred,
)
from ledger.projections import journal
from ledger.projections.tables import Reader
from ledger.refusals import AlreadyReversed, EntryNotFound, NotReversible
from service.access.roles import WRITERS
from service.http.fields import PathNumber
from service.http.state import AppState
from service.pages.club import CLUB
from service.pages.forms import FORMS, REPLACEMENT, Form, types_of, write_at
from service.pages.layout import PageRoute, language_for
from service.pages.steps import Asking, add_form
from service.pages.typed import Typed, typed_of
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.people import with_names
from service.reads.query import Answer, FundQuery
from service.writes.table import ON_SHEETS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LINE_OF: Final[Mapping[str, str]] = {event: what for what in ON_SHEETS for event in types_of(what)}
"""The line that can take an entry's place, by the entry's type. What is not listed is only undone."""

NAMED_OTHERWISE: Final = {"source": "from", "target": "to"}
"""Fields of a transfer, by the names that events have for them."""

WHY: Final = ("reason",)
ALSO: Final = ("note", "on")


def correction_of(event: Event) -> Form:
    """The form by which an entry is corrected. Raises `NotReversible`."""
    if isinstance(event, MeetingHeld):
        return Form(write_at("meetings/{version}/reversal"), WHY, ALSO)
    if not is_reversible(event):
        raise NotReversible(version=event.version, entry=event.name)
    line = LINE_OF.get(event.name)
    return Form(write_at("entries/{version}/reversal"), WHY, ALSO, FORMS[line] if line else None)


async def _correction(request: Request, query: AtPoint, version: PathNumber) -> Asking:
    """How this entry is corrected. Raises `EntryNotFound`, `AlreadyReversed` and `NotReversible`."""
    found = await asyncio.to_thread(query.ask, lambda reader: _found(query, reader, version))
    entry, closed_through = found.figures["entry"], found.figures["closed_through"]
    if entry is None:
        raise EntryNotFound(version=version)
    if entry["reversed_by"] and "key" not in request.query_params and request.method == "GET":
        # Whoever sends a form is answered by the writer, which knows whether it was this very form.
        raise AlreadyReversed(version=version, reversed_by=entry["reversed_by"])
    event = await asyncio.to_thread(_event, query.state, query.fund, version)
    form = correction_of(event)
    is_open = closed_through is None or event.on > closed_through

    def fill(book: Book) -> Answer:
        return with_names(
            query, book.reader, {"wrong_one": entry, "is_meeting": isinstance(event, MeetingHeld)}, [entry]
        )

    return Asking(
        f"/clubs/{query.fund}/entries/{version}/correction",
        "correction",
        form,
        numbers={"version": version},
        known=await asyncio.to_thread(_as_recorded, query.state, event, form, is_open, language_for(request)),
        template="correction",
        fill=fill,
    )


def _found(query: FundQuery, reader: Reader, version: int) -> Answer:
    """An entry as the journal has it, and up to which day the books are closed."""
    last = journal.entries(reader, query.fund, types=("PeriodClosed", "PeriodReopened"), limit=1)["items"]
    closing: Any = _event(query.state, query.fund, last[0]["version"]) if last else None
    closed_through = getattr(closing, "through", None) or getattr(closing, "closed_through", None)
    return {"entry": journal.entry(reader, query.fund, version), "closed_through": closed_through}


def _event(state: AppState, fund: str, version: int) -> Event:
    (entry,) = state.ledger.entries(fund, after=version - 1, upto=version)
    return entry.event


def _as_recorded(state: AppState, event: Event, form: Form, is_open: bool, language: str) -> Typed:
    """The form of the replacement filled in with the entry, and the day on which both count, if it is still open."""
    known: dict[str, Any] = {}
    if is_open and not isinstance(event, MeetingHeld):
        known["on"] = event.on
    if form.replacement:
        known |= {f"{REPLACEMENT}{name}": value for name, value in _fields_of(state, event).items()}
        if not is_open:
            del known[f"{REPLACEMENT}on"]
    return typed_of(form.every_question(), known, language)


def _fields_of(state: AppState, event: Event) -> dict[str, Any]:
    """An entry in the fields of the line that it came from."""
    fields: dict[str, Any] = msgspec.structs.asdict(event)
    if isinstance(event, PotTransferred):
        fields = {NAMED_OTHERWISE.get(name, name): value for name, value in fields.items()}
    if isinstance(event, BankDeposited | BankWithdrawn):
        fields["direction"] = "deposit" if isinstance(event, BankDeposited) else "withdrawal"
    if isinstance(event, LoanRepaid):
        fields["settle"] = event.forgiven > 0
    if isinstance(event, InKindDonationReceived):
        fields["items"] = [msgspec.structs.asdict(item) for item in event.items]
    digests = event.texts or {}
    texts = state.ledger.register.texts(digests.values())
    return fields | {kind: texts[digest] for kind, digest in digests.items() if digest in texts}


add_form(router, CLUB + "/entries/{version}/correction", _correction, WRITERS, name="one_entry")
