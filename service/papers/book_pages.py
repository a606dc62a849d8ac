"""The pages of a cash book, each with the sums carried to it and from it.

Where a page ends is decided here and not by what lays it out, for the sums at the foot of a page must be those of its
lines, on paper from a browser as well as in a PDF. Heights are taken rather too large, in tenths of a millimetre.
"""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

Line = Mapping[str, Any]

LINE: Final = 43
PADDING: Final = 19
"""A row of one line is `LINE + PADDING` high."""

COLUMNS: Final = {"matter": 59, "remark": 19}
"""How many letters fit on a line of the columns whose texts wrap; a capital counts as two."""

FIRST_ROOM: Final = 1_000
ROOM: Final = 1_500
"""What rows may fill of the first page, beneath the club's name and the title, and of any other."""
ENDING: Final = 480
"""What the last sums and the signatures take of that."""


class Sums(NamedTuple):
    """What was received and paid since the period began, and what lay in the box; in đồng."""

    received: int
    paid: int
    balance: int

    def after(self, line: Line) -> "Sums":
        """The sums with one more line."""
        return Sums(self.received + line["received"], self.paid + line["paid"], line["balance"])


class Page(NamedTuple):
    """A page: its lines, and the sums before the first and after the last of them."""

    before: Sums
    lines: Sequence[Line]
    after: Sums


def in_pages(opening: int, lines: Sequence[Line]) -> list[Page]:
    """The lines of a period in pages, at least one; the last has room for what ends a book, and a line to end with."""
    pages: list[list[Line]] = [[]]
    left = FIRST_ROOM
    for line in lines:
        height = _height(line)
        if height > left and pages[-1]:
            pages.append([])
            left = ROOM
        pages[-1].append(line)
        left -= height
    if left < ENDING and pages[-1]:
        pages.append([pages[-1].pop()])
    return _summed(Sums(0, 0, opening), pages)


def _height(line: Line) -> int:
    return LINE * max(_lines(line[column], letters) for column, letters in COLUMNS.items()) + PADDING


def _lines(text: str, letters: int) -> int:
    """How many lines a text takes. A word too long for one begins a new line, as browsers do it."""
    widened = "".join(letter * 2 if letter.isupper() else letter for letter in text)
    wrapped = textwrap.wrap(widened, letters, break_long_words=False)
    return max(1, sum(-(-len(line) // letters) for line in wrapped))


def _summed(sums: Sums, pages: Sequence[Sequence[Line]]) -> list[Page]:
    summed = []
    for lines in pages:
        before = sums
        for line in lines:
            sums = sums.after(line)
        summed.append(Page(before, lines, sums))
    return summed
