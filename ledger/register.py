"""The erasable register: names, phones and free text about people, beside the log and never in it.

An event carries a salted digest of each text. Salt and text are encrypted with a key that is not in the database: who
has a copy of it has no name, and nothing to test a guess against. Erasing deletes both: no event, sum or hash changes,
and nobody can test a guess against the digest any more (Law 91/2025/QH15, right to erasure; `domain.md` §7).
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import unicodedata
from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from eventsourcing.persistence import OperationalError

from ledger.database import Database, Transaction
from ledger.erasures import Erasure, ErasureFile
from ledger.refusals import RegisterKeyUnusable
from ledger.register_keys import KeyFile, KeyRing

log = logging.getLogger("microfund")

RETRY_SECONDS: Final = 60
"""A key is put right by a person, not by waiting."""
AT_ONCE: Final = 1_000
"""How many texts are written anew in one transaction."""

KEEP: Final = "INSERT INTO register VALUES (:fund, :digest, :encrypted)"
DELETE: Final = "DELETE FROM register WHERE fund = :fund AND digest = :digest"
REPLACE: Final = "UPDATE register SET encrypted = :encrypted WHERE fund = :fund AND digest = :digest"
COUNT_OTHERS: Final = "SELECT COUNT(*) AS texts FROM register WHERE encrypted NOT LIKE :own"
SELECT_OTHERS: Final = (
    "SELECT fund, digest, encrypted FROM register WHERE digest > :after AND encrypted NOT LIKE :own "
    "ORDER BY digest LIMIT :most"
)
SELECT_KEY: Final = "SELECT value FROM settings WHERE name = 'register_key'"
NOTE_KEY: Final = "INSERT INTO settings VALUES ('register_key', :key) ON CONFLICT (name)"


class Text(NamedTuple):
    """A text about people, with the salt of its digest."""

    fund: str
    digest: str
    salt: str
    text: str


def written(fund: str, text: str, *, salt: str | None = None) -> Text:
    """A text in NFC, ready to be registered under its digest. The salt is a fresh one unless the text is made up and
    its digest must come out the same every time."""
    text = unicodedata.normalize("NFC", text)
    salt = salt or secrets.token_hex(16)
    return Text(fund, hashlib.sha256(f"{salt}{text}".encode()).hexdigest(), salt, text)


def folded(text: str) -> str:
    """The key to search by: case and diacritics do not count, so `hoang thi sam` finds `Hoàng Thị Sầm`.

    `đ` is a letter of its own to Unicode, not a `d` with a mark, and is folded by name.
    """
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).replace("đ", "d")


class Encrypted(NamedTuple):
    """A row of the register as it is stored: salt and text under a key that is not in the database."""

    fund: str
    digest: str
    encrypted: str


class Register:
    """The texts of all funds, encrypted at rest. Without the key none can be read, and none recorded."""

    def __init__(self, database: Database, keys: Path | None) -> None:
        """`keys` is the file of the keys, beside which erasures are told; without one the register stays shut."""
        self._database = database
        self._keys = KeyFile(keys) if keys else None
        self._erasures = ErasureFile(keys.with_suffix(".erasures")) if keys else None
        self._written_with: str | None = None
        """The key that the database was last seen to be written with; None before the first text."""
        self.on_read: Callable[[], None] = lambda: None
        """Called whenever texts were read, by whomever and for whatever."""

    @cached_property
    def _has_table(self) -> bool:
        """Who only reads may find a database of before that there was a register under a key."""
        return self._database.access != "read" or self._database.has("register")

    # --- reading --------------------------------------------------------------------------------------------------

    def texts(self, digests: Iterable[str]) -> dict[str, str]:
        """The texts still registered under these digests; what was erased, or cannot be opened, is missing."""
        wanted = list(dict.fromkeys(digests))
        ring = self._ring()
        if not wanted or not ring.keys or not self._has_table:
            return {}
        rows = self._database.select_in("SELECT fund, digest, encrypted FROM register WHERE digest IN", wanted)
        opened = {row["digest"]: opened for row in rows if (opened := _opened(ring, Encrypted(**row)))}
        if opened:
            self.on_read()
        return {digest: text for digest, (_, text) in opened.items()}

    def trouble(self) -> str | None:
        """Why names cannot be read or recorded; None while all is well, or no key was needed yet."""
        ring, written_with = self._ring(), self._stored_key(self._database)
        if written_with is None:
            return None if self._may_make_key() else ring.trouble
        if written_with in ring:
            return None
        return ring.trouble or "holds another key than the one the register was written with"

    def findings(self) -> list[str]:
        """What an operator should know of the key."""
        found = []
        if trouble := self.trouble():
            about = f"the register's key (MICROFUND_REGISTER_KEY) {trouble}"
            found.append(f"{about}: people are shown by number, and no name is recorded")
        if self._keys and not self._keys.is_private():
            found.append("others than its owner may open the file MICROFUND_REGISTER_KEY: chmod 600")
        return found

    # --- writing --------------------------------------------------------------------------------------------------

    def prepare(self, at: Transaction | None = None) -> None:
        """See to it that texts can be encrypted: the first of all makes the key. Raises `RegisterKeyUnusable`."""
        if self._written_with and self._written_with in self._ring():
            return
        tables = at or self._database
        if (written_with := self._stored_key(tables)) is None:
            if self._database.access == "read":
                return  # Something is only tried: whoever records it will make the key.
            written_with = self._begin(tables)
        if written_with not in self._ring():
            raise RegisterKeyUnusable(retry_after=RETRY_SECONDS)
        self._written_with = written_with

    def encrypted(self, texts: Iterable[Text], at: Transaction | None = None) -> list[Encrypted]:
        """Texts as they are stored; `at` is the transaction they are stored in, if one has begun. Raises
        `RegisterKeyUnusable`."""
        texts = list(texts)
        if not texts:
            return []
        self.prepare(at)
        ring = self._ring()
        return [_encrypted(ring, text) for text in texts]

    def sealed(self, about: str, text: str) -> str:
        """A text that is kept elsewhere for a while, encrypted like those of the register; it opens only as `about` the
        same. Raises `RegisterKeyUnusable`."""
        self.prepare()
        return self._ring().encrypt(about, text)

    def unsealed(self, about: str, sealed: str) -> str | None:
        """Such a text again; None if no key here opens it."""
        return self._ring().decrypt(about, sealed)

    def erase(self, fund: str, digests: Iterable[str]) -> int:
        """Delete texts and their salts for good; answers how many there were. Raises `OperationalError` when that
        cannot be told outside the database, and then nothing is deleted."""
        digests = list(dict.fromkeys(digests))
        if digests and self._erasures:
            try:
                self._erasures.append(fund, digests)
            except OSError as error:
                log.warning("%s cannot be written: %s", self._erasures.path, error.strerror)
                raise OperationalError("an erasure cannot be told outside the database") from error
        return self._delete([Erasure(fund, tuple(digests))])

    def replay_erasures(self) -> int:
        """Take out again what was erased before: a restored backup has it. Answers how many texts that were. Raises
        `OSError`."""
        return self._delete(self._erasures.read()) if self._erasures else 0

    def _delete(self, erasures: Iterable[Erasure]) -> int:
        digests = [(erasure.fund, digest) for erasure in erasures for digest in erasure.digests]
        there = self._database.select_in("SELECT fund, digest FROM register WHERE digest IN", [d for _, d in digests])
        doomed = {(row["fund"], row["digest"]) for row in there}.intersection(digests)
        if doomed:
            with self._database.transaction() as transaction:
                transaction.execute_many(DELETE, [{"fund": fund, "digest": digest} for fund, digest in sorted(doomed)])
            self._database.scrub()
        return len(doomed)

    # --- the key --------------------------------------------------------------------------------------------------

    def _ring(self) -> KeyRing:
        return self._keys.ring() if self._keys else KeyRing([], "is not named")

    def _stored_key(self, tables: Database | Transaction) -> str | None:
        rows = tables.query(SELECT_KEY)
        return rows[0]["value"] if rows else None

    def _may_make_key(self) -> bool:
        return self._keys is not None and not self._keys.path.exists()

    def _begin(self, tables: Database | Transaction) -> str:
        """Note the key that the first text is written with, made now if there is none; answers which it is."""
        if self._keys is None:
            raise RegisterKeyUnusable(retry_after=RETRY_SECONDS)
        try:
            self._keys.make()
        except OSError as error:
            log.warning("MICROFUND_REGISTER_KEY: %s cannot be made: %s", self._keys.path, error.strerror)
            raise RegisterKeyUnusable(retry_after=RETRY_SECONDS) from None
        if not (keys := self._ring().keys):
            raise RegisterKeyUnusable(retry_after=RETRY_SECONDS)
        tables.execute(f"{NOTE_KEY} DO NOTHING", key=keys[0].id)
        return self._stored_key(tables) or keys[0].id

    def rotate(self, *, is_lost: bool = False, on_done: Callable[[int], None] = lambda _: None) -> int:
        """Write all with a new key; one that was begun and cut off is gone on with. Answers how many texts were
        written anew. The key before stays in the file, for copies of the service that still write with it and for
        backups. With `is_lost`, begin a new key though the one before is gone, and what it opens with it. Raises
        `RegisterKeyUnusable`, `OSError`."""
        if self._keys is None or (self.trouble() and not is_lost):
            raise RegisterKeyUnusable(retry_after=RETRY_SECONDS)
        current = self._ring().keys[:1]
        if not current:
            self._keys.make()
        elif is_lost or not self._count_others(current[0].id):
            self._keys.put_new_first()
        key = self._ring().keys[0].id
        self._database.execute(f"{NOTE_KEY} DO UPDATE SET value = excluded.value", key=key)
        return self._write_anew(on_done)

    def drop_old_keys(self, on_done: Callable[[int], None] = lambda _: None) -> int:
        """Take the keys before out of the file, once nothing is encrypted with them any more: older backups cannot be
        opened then. Answers how many texts still had to be written anew. Raises `RegisterKeyUnusable`, `OSError`."""
        if self._keys is None or self.trouble():
            raise RegisterKeyUnusable(retry_after=RETRY_SECONDS)
        written = self._write_anew(on_done)
        self._keys.drop_all_but_first()
        return written

    def _count_others(self, key: str) -> int:
        rows = self._database.query(
            "SELECT COUNT(*) AS texts FROM register WHERE encrypted NOT LIKE :own", own=f"{key}.%"
        )
        return int(rows[0]["texts"])

    def _write_anew(self, on_done: Callable[[int], None]) -> int:
        """Encrypt with the first key what is under others that are known, in transactions of some texts each."""
        ring, after, written = self._ring(), "", 0
        own = f"{ring.keys[0].id}.%"
        while rows := self._database.query(SELECT_OTHERS, own=own, after=after, most=AT_ONCE):
            after = rows[-1]["digest"]
            old = [Encrypted(**row) for row in rows]
            anew = [
                _encrypted(ring, Text(row.fund, row.digest, *opened)) for row in old if (opened := _opened(ring, row))
            ]
            with self._database.transaction() as transaction:
                transaction.execute_many(REPLACE, [row._asdict() for row in anew])
            written += len(anew)
            on_done(written)
        self._database.scrub()
        return written


def _encrypted(ring: KeyRing, text: Text) -> Encrypted:
    about = f"{text.fund}\n{text.digest}"
    return Encrypted(text.fund, text.digest, ring.encrypt(about, f"{text.salt}\n{text.text}"))


def _opened(ring: KeyRing, row: Encrypted) -> tuple[str, str] | None:
    """Salt and text of a row."""
    opened = ring.decrypt(f"{row.fund}\n{row.digest}", row.encrypted)
    if opened is None:
        return None
    salt, _, text = opened.partition("\n")
    return salt, text
