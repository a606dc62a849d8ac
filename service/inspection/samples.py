"""Samples drawn by lot from a public number: clubs to visit, and the vouchers and loans to look at there."""

import hashlib
from collections.abc import Iterator, Sequence

from ledger.chart import cash_movement
from ledger.events import Draw, Entry, Voucher, check_code, decode, drawn, head_of
from ledger.events.inspections import drawn_from, loans_in, vouchers_in
from ledger.projections import journal
from ledger.projections.tables import Reader
from ledger.sampling import in_order_of_lot
from ledger.storage.lines import Lines
from service.reads.query import Answer
from service.words import catalogue


def clubs_answer(seed: str, codes: Sequence[str], clubs: int) -> Answer:
    """What is drawn from these funds, and what pins them."""
    listed = "".join(f"{code}\n" for code in sorted(codes))
    return {
        "of": len(codes),
        "population": hashlib.sha256(listed.encode()).hexdigest(),
        "clubs": in_order_of_lot(seed, codes, clubs),
    }


def entries_answer(draw: Draw, entries: Sequence[Entry]) -> Answer:
    """What is drawn from a fund's entries, with where each is found; and the head that pins what it was drawn from."""
    events = [entry.event for entry in entries]
    sample, head = drawn(draw, events), head_of(entries[-1].line)
    vouchers, loans = vouchers_in(events), loans_in(events)
    return {
        "fund": events[0].fund,
        "seed": draw.seed,
        "known_version": sample.known_version,
        "head": head,
        "check_code": check_code(head),
        "from": draw.since,
        "to": draw.until,
        "of_vouchers": sample.of_vouchers,
        "vouchers": [_voucher(vouchers[number]) for number in sample.vouchers],
        "of_loans": sample.of_loans,
        "loans": [{"loan": n, "version": loans[n].version, "on": loans[n].on} for n in sample.loans],
    }


def told_answer(draw: Draw, fund: str, reader: Reader, recorder: Lines) -> Answer:
    """The same off the tables, for whoever does not need every entry read: only what is drawn is."""
    version = draw.known_version
    assert version, "the draw is pinned"
    of = journal.drawn_from(reader, fund, version, draw.since, draw.until)
    sample = drawn_from(draw, fund, version, of.vouchers, of.loans)

    def line(number: int) -> bytes:
        return recorder.lines(fund, number - 1, number)[0]

    vouchers = [decode(line(of.vouchers[number])) for number in sample.vouchers]
    loans = [(number, decode(line(of.loans[number]))) for number in sample.loans]
    head = head_of(line(version))
    return {
        "fund": fund,
        "seed": draw.seed,
        "known_version": version,
        "head": head,
        "check_code": check_code(head),
        "from": draw.since,
        "to": draw.until,
        "of_vouchers": sample.of_vouchers,
        "vouchers": [_voucher(event) for event in vouchers if isinstance(event, Voucher)],
        "of_loans": sample.of_loans,
        "loans": [{"loan": number, "version": event.version, "on": event.on} for number, event in loans],
    }


def _voucher(event: Voucher) -> Answer:
    amount = abs(cash_movement(event.legs()))
    return {"voucher": event.voucher, "version": event.version, "type": event.name, "on": event.on, "amount": amount}


# --- on the command line ------------------------------------------------------------------------------------------


def clubs_drawn(seed: str, codes: Sequence[str], clubs: int, language: str) -> Iterator[str]:
    """The clubs drawn, line by line."""
    answer = clubs_answer(seed, codes, clubs)
    facts = {"drawn": len(answer["clubs"]), "of": answer["of"], "population": answer["population"]}
    yield catalogue.phrase("sample.clubs", language, **facts)
    yield from answer["clubs"]


def entries_drawn(draw: Draw, entries: Sequence[Entry], language: str) -> Iterator[str]:
    """The vouchers and loans drawn, line by line."""
    answer = entries_answer(draw, entries)
    yield catalogue.phrase("sample.entries", language, **answer)
    for kind in ("vouchers", "loans"):
        yield catalogue.phrase(f"sample.{kind}", language, drawn=len(answer[kind]), of=answer[f"of_{kind}"])
        for item in answer[kind]:
            yield catalogue.phrase(f"sample.{kind.removesuffix('s')}", language, **item)
