"""How long anything may be and how it is written; the command line knows it without the bodies of requests."""

import re
import unicodedata
from datetime import date
from typing import Final

CHECK_CODE: Final = "[A-Z2-7]{4}(-[A-Z2-7]{4}){3}"
HEAD: Final = "[0-9a-f]{64}"
VOUCHER: Final = "P[TC]-[0-9]{4}-[0-9]{4,9}"
SEED: Final = "(?=[^0-9]*[0-9])[A-Za-z0-9._:-]{4,64}"

EARLIEST: Final = date(1900, 1, 1)
"""No day before this is believed."""

MOST_MEMBERS = 500
"""More than any club has."""

MAX_TEXT: Final = 200
"""The longest text, in characters."""
MAX_MARKS: Final = 4
"""Combining marks in a row; no writing system needs more, and heaps of them bury the lines around."""

_JOINERS: Final = "\u200c\u200d"
"""Invisible, but names in several scripts need them."""
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc\ufffd")
"""Letters, marks and signs by their category that show nothing (fillers, the empty Braille cell), or stand in for
what was lost on the way."""
_REFUSED: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Controls, surrogates, what is private, separators of lines; and what Unicode has not assigned: noncharacters show
nothing, and only of assigned characters is it promised that text in NFC stays so, on which digests rest."""
_PLAIN_LETTERS: Final = " -~\u00c0-\u024f\u1e00-\u1eff"
PLAIN: Final = re.compile(f"[{_PLAIN_LETTERS}]*")
"""ASCII as it is printed, and the Latin letters of Vietnam and Europe: they need not be looked at one by one."""
PLAIN_JSON: Final = re.compile(f"[\t\n\r{_PLAIN_LETTERS}]*")
"""The same with the space that may stand between values."""
_SPREADSHEET: Final = re.compile(r"_x[0-9A-F]{4}_", re.IGNORECASE)
"""How workbooks write a control character, such as `_x000D_` for the end of a line."""


def is_readable(text: str) -> bool:
    """No control, surrogate, line separator, unassigned or invisible character, and no heap of combining marks."""
    if PLAIN.fullmatch(text):
        return True
    marks = 0
    for letter in text:
        category = unicodedata.category(letter)
        if category in _REFUSED or letter in _BLANK or (category == "Cf" and letter not in _JOINERS):
            return False
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > MAX_MARKS:
            return False
    return True


def fault(text: str) -> str | None:
    """The code of what is wrong with a text wherever it stands; None if nothing is."""
    if not is_readable(text):
        return "text-not-allowed"
    return "text-too-long" if len(text) > MAX_TEXT else None


def fault_of_words(text: str) -> str | None:
    """The same for what a person wrote to be read: it must also show something, and not be a workbook's code."""
    if all(_shows_nothing(letter) for letter in text):
        return "text-empty"
    return "text-of-a-spreadsheet" if _SPREADSHEET.search(text) else fault(text)


def has_a_letter(text: str) -> bool:
    """Whether there is a letter in it, of any script; every name has one."""
    return any(unicodedata.category(letter)[0] == "L" for letter in text)


def _shows_nothing(letter: str) -> bool:
    """Spaces, joiners, and marks with nothing to stand on."""
    return letter in _JOINERS or unicodedata.category(letter)[0] in "ZM"
