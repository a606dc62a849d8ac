"""Which requests a log has answered: every key, for ever, in four bytes each.

The latest keys are kept as they are. Of older ones only the part of the log is known where their first fact lies; that
there is one, the log's own line says and nothing else.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Iterator
from hashlib import blake2b
from typing import Final

BLOCK_BITS: Final = 5
"""An old key is known to lie within 32 versions, as many as are read for the sake of one."""

SPAN_BITS: Final = 15
"""So many versions share one sorted column, in which a key has ten bits for its block beside 22 of its hash: one new
key in some hundreds, at most, is looked for in the log in vain."""

PLACE_BITS: Final = SPAN_BITS - BLOCK_BITS


def _hash_of(key: str) -> int:
    digest = blake2b(key.encode(), digest_size=4).digest()
    return int.from_bytes(digest) >> PLACE_BITS << PLACE_BITS


class Requests(dict[str, int]):
    """The version of each request's first fact by its key, as far as these were not packed."""

    __slots__ = ("_columns",)

    def __init__(self, columns: tuple[bytes, ...] = ()) -> None:
        super().__init__()
        self._columns = tuple(array("I", column) for column in columns)

    def blocks(self, key: str) -> Iterator[range]:
        """The versions among which the first fact of an old request may lie, oldest first: none, for nearly every
        new key."""
        if not self._columns:
            return
        hashed = _hash_of(key)
        for span, column in enumerate(self._columns):
            for place in range(bisect_left(column, hashed), len(column)):
                if column[place] - hashed >> PLACE_BITS:
                    break
                block = (span << PLACE_BITS) + column[place] - hashed
                yield range((block << BLOCK_BITS) + 1, ((block + 1) << BLOCK_BITS) + 1)

    def let_go(self) -> None:
        """Keep what is known in short of all keys, and no key as it is."""
        if not self:
            return
        columns = [column[:] for column in self._columns]  # A copy, for trials share them.
        for key, version in self.items():
            span, place = divmod(version - 1, 1 << SPAN_BITS)
            while span >= len(columns):
                columns.append(array("I"))
            insort(columns[span], _hash_of(key) + (place >> BLOCK_BITS))
        self._columns = tuple(columns)
        self.clear()

    def packed(self) -> tuple[bytes, ...]:
        """All keys as columns."""
        self.let_go()
        return tuple(column.tobytes() for column in self._columns)

    def __copy__(self) -> Requests:
        twin = Requests()
        twin.update(self)
        twin._columns = self._columns  # Never changed in place.
        return twin

    copy = __copy__
