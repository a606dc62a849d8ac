"""The erasable register: names, phones and free text about people, beside the log and never in it.

An event carries a salted digest of each text. Erasing deletes text and salt: no event, sum or hash changes, and nobody
can test a guess against the digest any more (Law 91/2025/QH15, right to erasure; `domain.md` §7).
"""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from typing import NamedTuple

from ledger.database import Database


class Text(NamedTuple):
    """A row of the register. `folded` is the text as a search compares it."""

    fund: str
    digest: str
    salt: str
    text: str
    folded: str


def written(fund: str, text: str, *, salt: str | None = None) -> Text:
    """A text in NFC, ready to be registered under its digest. The salt is a fresh one unless the text is made up and
    its digest must come out the same every time."""
    text = unicodedata.normalize("NFC", text)
    salt = salt or secrets.token_hex(16)
    return Text(fund, hashlib.sha256(f"{salt}{text}".encode()).hexdigest(), salt, text, folded(text))


def folded(text: str) -> str:
    """The key to search by: case and diacritics do not count, so `hoang thi sam` finds `Hoàng Thị Sầm`.

    `đ` is a letter of its own to Unicode, not a `d` with a mark, and is folded by name.
    """
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).replace("đ", "d")


class Register:
    """The texts of all funds."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.on_read: Callable[[], None] = lambda: None
        """Called whenever texts were read, by whomever and for whatever."""

    def texts(self, digests: Iterable[str]) -> dict[str, str]:
        """The texts still registered under these digests; what was erased is missing."""
        wanted = list(dict.fromkeys(digests))
        rows = self._database.select_in("SELECT digest, text FROM texts WHERE digest IN", wanted)
        if rows:
            self.on_read()
        return {row["digest"]: row["text"] for row in rows}

    def erase(self, fund: str, digests: Iterable[str]) -> int:
        """Delete texts and their salts for good; answers how many there were."""
        with self._database.transaction() as transaction:
            erased = sum(
                transaction.execute(
                    "DELETE FROM texts WHERE fund = :fund AND digest = :digest", fund=fund, digest=digest
                )
                for digest in dict.fromkeys(digests)
            )
        self._database.scrub()
        return erased
