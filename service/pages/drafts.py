"""What was typed into a form and is not recorded yet, kept an hour so that the page which reads it back can be reached
by GET: then neither Back nor a reload asks to send anything again.
"""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from ledger.database import Database
from ledger.register import Register
from service.pages.typed import Typed

KEPT: Final = timedelta(hours=1)


class Drafts:
    """The drafts of one database, each under the key its form will be recorded with. Names and notes may be in them, so
    they are encrypted like the register. Methods block."""

    def __init__(self, database: Database, register: Register) -> None:
        self._database = database
        self._register = register

    def keep(self, key: str, whose: str, where: str, typed: Typed, now: datetime) -> None:
        """Keep what somebody typed at an address, and forget all that is too old."""
        with self._database.transaction() as transaction:
            transaction.execute("DELETE FROM form_drafts WHERE until < :now", now=now.isoformat())
            transaction.execute(
                "INSERT INTO form_drafts VALUES (:key, :whose, :where_typed, :typed, :until) "
                "ON CONFLICT (key) DO UPDATE SET typed = excluded.typed, until = excluded.until "
                "WHERE form_drafts.principal = excluded.principal",
                key=key,
                whose=whose,
                where_typed=where,
                typed=self._register.sealed(f"{whose}\n{key}", msgspec.json.encode(typed).decode()),
                until=(now + KEPT).isoformat(),
            )

    def find(self, key: str, whose: str, where: str, now: datetime) -> Typed | None:
        """What was typed there under this key by the same person, if it is not too long ago."""
        rows = self._database.query(
            "SELECT typed FROM form_drafts WHERE key = :key AND principal = :whose AND address = :where_typed "
            "AND until >= :now",
            key=key,
            whose=whose,
            where_typed=where,
            now=now.isoformat(),
        )
        text = self._register.unsealed(f"{whose}\n{key}", rows[0]["typed"]) if rows else None
        return msgspec.json.decode(text, type=Typed) if text else None
