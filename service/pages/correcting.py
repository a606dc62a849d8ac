"""Correcting an entry in one act: why, and the form of its kind filled in as it was recorded. Both entries stay."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request

from ledger.aggregates.fund import Fund, is_reversible
from ledger.events import (
    BankDeposited,
    BankWithdrawn,
    Event,
    InKindDonationReceived,
    LoanRepaid,
    MeetingHeld,
    PotTransferred,
)
from ledger.refusals import AlreadyReversed, EntryNotFound, NotReversible
from service.access.roles import WRITERS
from service.http.fields import PathNumber
from service.http.state import AppState
from service.inspection.entry_details import entry_effect
from service.pages.club import CLUB
from service.pages.forms import FORMS, REPLACEMENT, Form, types_of, write_at
from service.pages.layout import PageRoute, language_for
from service.pages.steps import Asking, add_form
from service.pages.typed import Typed, typed_of
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import Answer
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
    language = language_for(request)
    fund = await asyncio.to_thread(query.state.ledger.replayed, query.fund)
    if version > fund.version:
        raise EntryNotFound(version=version)
    event = fund.entries[version - 1]
    if version in fund.reversed_by and "key" not in request.query_params and request.method == "GET":
        # Whoever sends a form is answered by the writer, which knows whether it was this very form.
        raise AlreadyReversed(version=version, reversed_by=fund.reversed_by[version])
    form = correction_of(event)

    def fill(book: Book) -> Answer:
        ledger = query.state.ledger
        then = ledger.replayed(query.fund, upto=version)
        effect = entry_effect(then, query.as_of, language, ledger.register.texts)
        return {"version": version, "sentence": effect["sentence"], "is_meeting": isinstance(event, MeetingHeld)}

    return Asking(
        f"/clubs/{query.fund}/entries/{version}/correction",
        "correction",
        form,
        numbers={"version": version},
        known=await asyncio.to_thread(_as_recorded, query.state, fund, event, form, language),
        template="correction",
        fill=fill,
    )


def _as_recorded(state: AppState, fund: Fund, event: Event, form: Form, language: str) -> Typed:
    """The form of the replacement filled in with the entry, and the day on which both count."""
    known: dict[str, Any] = {}
    is_open = fund.closed_through is None or event.on > fund.closed_through
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


add_form(router, CLUB + "/entries/{version}/correction", _correction, WRITERS)
