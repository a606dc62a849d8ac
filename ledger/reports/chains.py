"""Whether the stored lines of the funds hold together: every line of the log is read and hashed.

The read model was made of lines that did; what was changed in the log since is only found by looking.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from ledger.database import EVENTS_TABLE, NO_LINE, Transaction

LINES_AT_ONCE = 5_000
_PREV = b'"prev":"'
_NONE = b"0" * 64


@dataclass
class Chains:
    """What is known of the chains of all logs, up to a position of the log: by log, its last line's version and hash,
    and the first version that does not follow."""

    position: int = 0
    heads: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    breaks: dict[str, int] = field(default_factory=dict)

    def follow(self, tables: Transaction, upto: int) -> None:
        """Read on, up to a position."""
        at = tables.position_column
        sql = (
            f"SELECT {at}, originator_id, originator_version, state FROM {EVENTS_TABLE} "
            f"WHERE {at} > :after AND {at} <= :upto ORDER BY {at} LIMIT {LINES_AT_ONCE}"
        )
        while rows := tables.values(sql, after=self.position, upto=upto):
            for position, log, version, stored in rows:
                line = stored or NO_LINE
                before, head = self.heads.get(log, (0, _NONE))
                # `prev` is the fourth field, and nothing before it can hold a quotation mark.
                start = line.find(_PREV, 0, 200) + len(_PREV)
                if (version != before + 1 or line[start : start + 64] != head) and log not in self.breaks:
                    self.breaks[log] = version if version == before + 1 else before + 1
                self.heads[log] = version, hashlib.sha256(line).hexdigest().encode()
                self.position = position
        self.position = max(self.position, upto)

    def broken_at(self, fund: str, version: int, head: str) -> int | None:
        """The first version at which a fund's lines do not hold together, or are not those that its figures were made
        of, up to a version and with the hash of the line there; None if there is none."""
        if fund in self.breaks:
            return self.breaks[fund]
        stored, its_head = self.heads.get(fund, (0, _NONE))
        if stored < version:
            return stored + 1
        return version if stored == version and its_head.decode() != head else None
