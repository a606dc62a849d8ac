"""The code of an invitation: short enough to read aloud, long enough that nobody guesses one; and its QR.

Twelve letters of the check codes' alphabet are 60 bits. With ten wrong ones in a quarter of an hour, an address would
try for some ten thousand million years; what is stored is a SHA-256, and only for a week worth anything.
"""

import base64
import hashlib
import re
import secrets
from io import BytesIO
from typing import Final

CODE: Final = "[A-Z2-7]{4}(-[A-Z2-7]{4}){2}"
_MENDED: Final = str.maketrans("018", "OIB")
"""Digits that the alphabet lacks, as people read the letters they look like."""


def new_code() -> str:
    """A code that nobody has had, `XXXX-XXXX-XXXX`."""
    letters = base64.b32encode(secrets.token_bytes(8)).decode()[:12]
    return "-".join((letters[:4], letters[4:8], letters[8:]))


def digest_of(typed: str) -> str:
    """What is stored of a code, however it is typed: in small letters, with spaces, with a 0 for an O."""
    letters = re.sub("[^A-Z0-9]", "", typed.upper()).translate(_MENDED)
    return hashlib.sha256(letters.encode()).hexdigest()


def qr_of(link: str) -> str:
    """The QR of a link, as an SVG to show on a page or to print."""
    import segno

    drawn = BytesIO()
    segno.make(link, error="m").save(drawn, kind="svg", xmldecl=False, svgns=True, omitsize=True, border=4)
    return drawn.getvalue().decode().strip()
