"""Check codes from the paper book: how often one may ask about them, and how they are read as they were written."""

import re
from itertools import product
from typing import Final

from service.access.throttle import Bound
from service.settings import Settings

WRITTEN_AS: Final = {"0": "O", "8": "B", "1": "IL"}
"""Digits that no code has, and the letters that they were written or read for."""

MOST_DOUBTS: Final = 6
"""Ones in a code that are tried both ways."""


def checks(settings: Settings) -> Bound:
    """How often one address may ask whether a code belongs to a fund, wherever it asks."""
    return Bound("check", settings.checks_per_minute, 60)


def readings(written: str) -> list[str]:
    """The codes (16 letters, no hyphens) that something written by hand may be: with small letters, spaces, and digits
    in the place of letters. None if it is no code."""
    marks = re.sub(r"[\s.-]", "", written).upper()
    if len(marks) != 16 or sum(len(WRITTEN_AS.get(mark, mark)) > 1 for mark in marks) > MOST_DOUBTS:
        return []
    codes = ("".join(letters) for letters in product(*(WRITTEN_AS.get(mark, mark) for mark in marks)))
    return [code for code in codes if re.fullmatch("[A-Z2-7]{16}", code)]
