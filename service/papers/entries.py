"""An entry as its paper shows it: what is stored, what was written beside it, what proves it, and what became of it."""

from datetime import date
from typing import TypeVar

from ledger.events import Event, check_code, head_of
from ledger.projections import journal
from service.access.readers import showing
from service.papers.printing import Book
from service.reads.query import Answer

E = TypeVar("E", bound=Event)


def entry_of(book: Book, version: int, kind: type[E]) -> tuple[E, Answer] | None:
    """The entry of this kind with this version, and what its paper says of it: `line` (its line of the journal),
    `dated`, `written` (the texts about people that the register still has), `version`, `code`, `recorded_at` and
    `undone_by`. None if there is none by the end of the day the book is seen from."""
    line = journal.entry(book.reader, book.fund, version)
    if line is None or line["on"] > book.as_of.isoformat():
        return None
    stored = next(book.state.ledger.entries(book.fund, after=version - 1, upto=version))
    event = stored.event
    if not isinstance(event, kind):
        return None
    with showing([line["member"]]):
        texts = book.state.ledger.register.texts((event.texts or {}).values())
    return event, {
        "line": line,
        "dated": event.on,
        "written": {name: texts[digest] for name, digest in (event.texts or {}).items() if digest in texts},
        "version": version,
        "code": check_code(head_of(stored.line)),
        "recorded_at": event.recorded_at,
        "undone_by": _undone_by(book, line["reversed_by"]),
    }


def _undone_by(book: Book, version: int | None) -> Answer | None:
    """The reversal with this version, and what was entered in its place."""
    reversal = journal.entry(book.reader, book.fund, version) if version else None
    return reversal and reversal | {
        "on": date.fromisoformat(reversal["on"]),
        "instead": entered_instead(book, reversal),
    }


def entered_instead(book: Book, reversal: Answer) -> Answer | None:
    """What was entered in place of the reversed entry, if that was done in the same act: it comes right after it."""
    following = journal.entry(book.reader, book.fund, reversal["version"] + 1)
    if following is None or following["reverses"] or reversal["request_key"] is None:
        return None
    return following if following["request_key"] == reversal["request_key"] else None
