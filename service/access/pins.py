"""PINs, which a person approves with: six digits beside the phone, so that a phone left lying decides nothing.

Six digits are guessed soon by who may try: after five wrong ones in a row nothing is tried any more until another
person resets it. A try is counted before it is judged, in one statement, so that many at once have five between them,
and a restart forgives none.
"""

import hashlib
import hmac
import secrets
from itertools import pairwise
from typing import Final

from ledger.database import Database
from service.http.refusals import PinLocked, PinRequired, PinTooSimple, PinWrong

MOST_TRIES: Final = 5
COST: Final = {"n": 2**14, "r": 8, "p": 1}
"""Of scrypt: 16 MiB and some tens of milliseconds for each try."""

_TRY: Final = "UPDATE pins SET tries = tries + 1 WHERE person = :person AND tries < :most"
_SET: Final = (
    "INSERT INTO pins VALUES (:person, :salt, :digest, 0) ON CONFLICT (person) DO UPDATE "
    "SET salt = excluded.salt, digest = excluded.digest, tries = 0"
)


def refuse_simple(pin: str) -> None:
    """Raises `PinTooSimple` for one digit repeated, and for a run up or down."""
    steps = {int(second) - int(first) for first, second in pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise PinTooSimple


class Pins:
    """The PINs of one database. Methods block, for as long as a digest is meant to take."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def is_set(self, person: str) -> bool:
        """Whether a person has a PIN."""
        return bool(self._database.query("SELECT 1 FROM pins WHERE person = :person", person=person))

    def check(self, person: str, pin: str) -> None:
        """Judge a try. Raises `PinRequired` when no PIN was set, `PinWrong`, `PinLocked`."""
        counted = self._database.execute(_TRY, person=person, most=MOST_TRIES)
        rows = self._database.query("SELECT salt, digest, tries FROM pins WHERE person = :person", person=person)
        if not rows:
            raise PinRequired
        (row,) = rows
        if not counted:
            raise PinLocked
        if not hmac.compare_digest(_digest(pin, row["salt"]), row["digest"]):
            raise PinWrong(tries_left=MOST_TRIES - row["tries"])
        # Only of the PIN that was judged: it may have been reset meanwhile, or set anew.
        self._database.execute(
            "UPDATE pins SET tries = 0 WHERE person = :person AND salt = :salt", person=person, salt=row["salt"]
        )

    def set(self, person: str, pin: str) -> None:
        """Keep a new PIN in place of any other."""
        salt = secrets.token_hex(16)
        self._database.execute(_SET, person=person, salt=salt, digest=_digest(pin, salt))

    def remove(self, person: str) -> None:
        """Let a person have no PIN: they choose a new one."""
        self._database.execute("DELETE FROM pins WHERE person = :person", person=person)


def _digest(pin: str, salt: str) -> str:
    return hashlib.scrypt(pin.encode(), salt=bytes.fromhex(salt), dklen=32, **COST).hex()
