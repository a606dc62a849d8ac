"""A log's events by version: the latest in memory, older ones read from the log when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, overload

from ledger.events import Event

Read = Callable[[int, int], list[Event]]
"""Reads the events of a log between two versions, both included; all of them, or it raises."""

HELD: Final = 8
"""How many events stay in memory when older ones can be read: a request that comes again is mostly one of the last."""

BLOCK: Final = 32
"""How many events are read for the sake of one."""

CHUNK: Final = 256
"""How many events are read at once where many are gone through."""

Runs = tuple[int, ...]
"""Versions in ascending order, as the first and the last of each run: mostly one or two runs, however many they are."""


def with_next(runs: Runs, version: int) -> Runs:
    """The runs with one more version, later than all of them."""
    if runs and runs[-1] == version - 1:
        return (*runs[:-1], version)
    return (*runs, version, version)


def versions_in(runs: Runs) -> Iterator[int]:
    """The versions that runs stand for."""
    for first, last in zip(runs[::2], runs[1::2], strict=True):
        yield from range(first, last + 1)


class Entries(Sequence[Event]):
    """The events of a log in order; that of version n is `entries[n - 1]`. Without `read`, all stay in memory; with it,
    the first `unheld` are only in the log."""

    __slots__ = ("_block", "_read", "held", "unheld")

    def __init__(self, read: Read | None = None, unheld: int = 0) -> None:
        self._read = read
        self.unheld = unheld
        self._block: tuple[int, list[Event]] = (0, [])
        self.held: list[Event] = []
        """Those in memory, to which the next one is added."""

    @overload
    def __getitem__(self, at: int) -> Event: ...

    @overload
    def __getitem__(self, at: slice) -> list[Event]: ...

    def __getitem__(self, at: int | slice) -> Event | list[Event]:
        if isinstance(at, slice):
            start, stop, step = at.indices(len(self))
            return self._between(start, stop) if step == 1 else [self[index] for index in range(start, stop, step)]
        index = at + len(self) if at < 0 else at
        if not 0 <= index < len(self):
            raise IndexError(at)
        return self.held[index - self.unheld] if index >= self.unheld else self._between(index, index + 1)[0]

    def between(self, first: int, last: int) -> list[Event]:
        """The events of versions that follow each other, both included."""
        return self._between(first - 1, last)

    def _between(self, start: int, stop: int) -> list[Event]:
        unheld = self.unheld
        if unheld <= start <= stop:
            return self.held[start - unheld : stop - unheld]
        held, older = self.held[: max(stop - unheld, 0)], min(stop, unheld)
        if start >= older:
            return []
        if start // BLOCK == (older - 1) // BLOCK:
            return self._of_block(start, older) + held
        assert self._read
        return self._read(start + 1, older) + held

    def _of_block(self, start: int, stop: int) -> list[Event]:
        """Some events of one block, which is remembered: the lines of a sheet that is sent again follow each other."""
        first, events = self._block
        begins = start - start % BLOCK
        if first != begins or stop > begins + len(events):
            assert self._read
            events = self._read(begins + 1, min(begins + BLOCK, self.unheld))
            self._block = (begins, events)
        return events[start - begins : stop - begins]

    def __len__(self) -> int:
        return self.unheld + len(self.held)

    def __iter__(self) -> Iterator[Event]:
        for start in range(0, self.unheld, CHUNK):
            yield from self._between(start, min(start + CHUNK, self.unheld))
        yield from self.held

    def __reversed__(self) -> Iterator[Event]:
        yield from reversed(self.held)
        yield from self.before(self.unheld + 1)

    def before(self, version: int) -> Iterator[Event]:
        """The events before a version, the latest first."""
        end = version - 1
        while end > 0:
            start = max(end - CHUNK // 4, 0) if end <= self.unheld else self.unheld
            yield from reversed(self._between(start, end))
            end = start

    def of(self, runs: Runs) -> Iterator[Event]:
        """The events of some versions."""
        for first, last in zip(runs[::2], runs[1::2], strict=True):
            yield from self.between(first, last)

    def let_go(self) -> bool:
        """Hold the latest only, once there are some more; answers whether there were."""
        self._block = (0, [])
        if not self._read or len(self.held) <= 4 * HELD:
            return False
        self.unheld += len(self.held) - HELD
        del self.held[:-HELD]
        return True

    def __copy__(self) -> Entries:
        twin = Entries(self._read, self.unheld)
        twin.held = self.held.copy()
        return twin

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Iterable) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # It changes.
