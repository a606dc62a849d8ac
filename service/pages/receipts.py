"""The receipt of an entry: what was recorded, what belongs to the same act, and a text of it to send."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response

from ledger.aggregates.fund import Fund, is_reversible
from ledger.events import EntryReversed, MeetingHeld, check_code, head_of
from ledger.projections import journal
from ledger.projections.tables import Reader
from service.access.roles import DECIDERS, READERS, WRITERS, admitted
from service.http.fields import PathNumber
from service.inspection.entry_details import EntryWords, Texts, entry_effect
from service.pages.club import CLUB, club_page
from service.pages.layout import PageRoute, language_for
from service.pages.receipt_texts import receipt_texts
from service.papers.printing import Book
from service.reads.dependencies import AtPoint
from service.reads.query import Answer
from service.words import catalogue

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAPERS: Final[Mapping[str, str]] = {
    "CashCounted": "cash-counts/{version}",
    "InKindDonationReceived": "in-kind-donations/{version}",
    "PotTransferred": "pot-transfers/{version}",
    "EntryReversed": "reversals/{version}",
    "LoanRequested": "loans/{loan}/request",
    "LoanDisbursed": "loans/{loan}/note",
    "LoanWrittenOff": "write-offs/{version}",
}
"""The paper of an entry beside its voucher, by the entry's type: its address below that of the club's papers."""


@router.get(CLUB + "/entries/{version}", dependencies=[Depends(admitted(READERS))], name="one_entry")
async def entry(request: Request, query: AtPoint, version: PathNumber) -> Response:
    """One entry: the receipt of what was recorded, in words and with its codes."""
    language = language_for(request)

    def ask(book: Book) -> Answer | None:
        found = journal.entry(book.reader, query.fund, version)
        if found is None:
            return None
        ledger = query.state.ledger
        fund = ledger.replayed(query.fund, upto=version)
        (line,) = ledger.recorder.lines(query.fund, version - 1, version)
        event, code = fund.entries[-1], check_code(head_of(line))
        texts = receipt_texts(fund, event, code, language)
        return {
            "entry": found,
            "effect": entry_effect(fund, query.as_of, language, ledger.register.texts),
            "sentences": _sentences(fund, language, ledger.register.texts),
            "code": code,
            "correction": _correction(book.reader, query.fund, found),
            "papers": _papers(found),
            "texts": texts,
            "sms": {name: f"sms:?body={quote(text)}" for name, text in texts.items()},
            "can_be_corrected": is_reversible(event) or isinstance(event, MeetingHeld),
            "names": {},
        }

    roles = query.principal.roles
    return await club_page(
        request,
        query,
        "entry",
        ask,
        records=bool(roles & WRITERS),
        decides=bool(roles & DECIDERS),
        replayed=request.query_params.get("replayed"),
    )


def _papers(entry: Answer) -> dict[str, str]:
    """The papers of an entry, by what they are called in the catalogue."""
    papers = {}
    if entry["voucher"] and entry["type"] != EntryReversed.__name__:  # A reversal bears the voucher it undoes.
        papers["voucher"] = f"vouchers/{entry['voucher']}"
    if entry["type"] in PAPERS:
        papers[entry["type"]] = PAPERS[entry["type"]].format(**entry)
    return papers


def _sentences(fund: Fund, language: str, texts: Texts) -> list[str]:
    """What the act said whose last entry this is; of a whole sheet that was undone, one sentence for all its lines."""
    last = fund.entries[-1]
    act = [last]
    for event in reversed(fund.entries[:-1]):
        if not last.request or not event.request or event.request.key != last.request.key:
            break
        act.insert(0, event)
    if isinstance(last, EntryReversed) and last.entry == MeetingHeld.__name__:
        return [catalogue.sentence("EntryReversed.meeting", language, on=last.on, lines=len(act) - 1)]
    words = EntryWords(fund, language, texts, act, ())
    return [words.sentence(event) for event in act]


def _correction(reader: Reader, fund: str, found: Answer) -> Answer | None:
    """The correction that an entry has a part in, as the wrong one, the reversal or the right one: `{wrong, reversal,
    right}`; `right` is None if the wrong one was only undone. None for an entry of no correction."""
    before = journal.entry(reader, fund, found["version"] - 1) if found["version"] > 1 else None
    if found["type"] == EntryReversed.__name__:
        reversal: Any = found
    elif found["reversed_by"]:
        reversal = journal.entry(reader, fund, found["reversed_by"])
    elif before and before["type"] == EntryReversed.__name__ and before["request_key"] == found["request_key"]:
        reversal = before
    else:
        return None
    after = journal.entry(reader, fund, reversal["version"] + 1)
    is_right = after and after["request_key"] == reversal["request_key"] and after["type"] != EntryReversed.__name__
    wrong = journal.entry(reader, fund, reversal["reverses"])
    return {"wrong": wrong, "reversal": reversal, "right": after if is_right else None}
