"""Phones ended by what has happened, rather than by somebody who ends them: a log-out, a treasurer who goes."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime

from ledger.aggregates.log import EntryMetadata
from ledger.aggregates.people import People
from ledger.days import civil_day
from ledger.events import OfficeLeft, Request
from ledger.events.people import PEOPLE, EndReason
from ledger.jobs import Job, Recorded
from service.access.state import AccessState
from service.http.state import AppState


def unkeyed(at: datetime, by: str, texts: dict[str, str] | None = None) -> EntryMetadata:
    """The metadata of an act that carries no key: it is done once, however often it is asked for."""
    mark = Request(secrets.token_hex(16), "")
    return EntryMetadata(on=civil_day(at), recorded_at=at, recorded_by=by, request=mark, texts=texts)


async def end_phones(
    state: AppState, access: AccessState, by: str, phones: Sequence[str], reason: EndReason
) -> Recorded:
    """End phones, whosever they are. Raises `PhoneNotFound` for one that has been ended."""
    metadata = unkeyed(state.now(), by)

    def decide(people: People) -> None:
        people.end_phones(metadata, phones=phones, reason=reason)

    many = len(phones)
    job = Job(fund=PEOPLE, decide=decide, request=metadata.request, aggregate=People, several=many > 1, facts=many)
    recorded = await state.writer.record(job)
    access.look_anew()
    return recorded


async def end_phones_of_treasurer(state: AppState, access: AccessState, left: OfficeLeft) -> None:
    """End the phones of a treasurer who has left the office: the box is somebody else's now. Phones that were opened
    since stay, should the same request be answered again."""
    people = await asyncio.to_thread(access.directory.people)
    phones = [phone.id for phone in people.phones_of_treasurer(left.fund, left.member, left.recorded_at)]
    if phones:
        await end_phones(state, access, left.recorded_by, phones, "handover")
