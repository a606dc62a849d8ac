"""A mapping most of which lies packed: of an old fund's loans and days, an entry concerns a few.

Values that belong together share a page. A page is bytes until one of its values is asked for, and is packed again
when the fund's state is kept. Once open, a value is found as fast as in any dictionary.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, ItemsView, Iterable, Iterator, KeysView, ValuesView
from typing import Any, Final, NamedTuple, Self, TypeVar

import msgspec

K = TypeVar("K")
V = TypeVar("V")
Page = str | int
Packed = dict[Page, bytes]

EFFORT: Final = 6
"""How hard zlib tries: a page is packed once in hundreds of entries, and lies in memory until then."""


_encode = msgspec.msgpack.Encoder().encode


class Paging(NamedTuple):
    """How a mapping is cut into pages: by what of a key, and how a page is written and read."""

    page_of: Callable[[Any], Page]
    encode: Callable[[dict[Any, Any]], bytes]
    decode: Callable[[bytes], dict[Any, Any]]
    absent: Any = None
    """What is found for a key that is not there; None: a `KeyError`."""
    twin_of: Callable[[Any], Any] | None = None
    """What copies a value, if it is changed in place."""

    @classmethod
    def of(cls, keys: Any, values: Any, page_of: Callable[[Any], Page], absent: Any = None) -> Paging:
        """Of a mapping from such keys to such values, written as it is."""
        return cls(page_of, _encode, msgspec.msgpack.Decoder(dict[keys, values]).decode, absent)

    @classmethod
    def in_columns(
        cls,
        form: Any,
        page_of: Callable[[Any], Page],
        apart: Callable[[dict[Any, Any]], Any],
        together: Callable[[Any], dict[Any, Any]],
        absent: Any = None,
    ) -> Paging:
        """Of a mapping that is taken apart into columns of such a form: like beside like takes half the bytes."""
        decode = msgspec.msgpack.Decoder(form).decode
        return cls(page_of, lambda values: _encode(apart(values)), lambda packed: together(decode(packed)), absent)


class Pages(dict[K, V]):
    """The mapping. Looking one key up opens its page, going through all of it opens every page."""

    __slots__ = ("_packed", "_paging")

    def __init__(self, paging: Paging, packed: Packed | None = None) -> None:
        super().__init__()
        self._paging = paging
        self._packed = packed or {}

    # --- looking up -----------------------------------------------------------------------------------------------

    def __missing__(self, key: K) -> V:
        if self._packed and self._open(self._paging.page_of(key)) and dict.__contains__(self, key):
            return self[key]
        if self._paging.absent is None:
            raise KeyError(key)
        absent: V = self._paging.absent
        return absent

    def __contains__(self, key: object) -> bool:
        if dict.__contains__(self, key):
            return True
        page = self._paging.page_of(key) if self._packed else None
        return page is not None and self._open(page) and dict.__contains__(self, key)

    def get(self, key: K, default: Any = None) -> Any:
        """The value of a key, or what is given for one that is not there."""
        return dict.__getitem__(self, key) if key in self else default

    def _open(self, page: Page) -> bool:
        """Unpack a page; what has been set since it was packed stands."""
        packed = self._packed.pop(page, None)
        if packed is not None:
            for key, value in self._paging.decode(zlib.decompress(packed)).items():
                dict.setdefault(self, key, value)
        return packed is not None

    # --- taking out, and going through all ------------------------------------------------------------------------

    def pop(self, key: K, *default: Any) -> Any:
        """Take a key out. The built-in's `del` does not see what lies packed, and with one of our own Python would look
        for the method at each assignment, which makes those three times as dear."""
        return dict.pop(self, key) if key in self else dict.pop(self, key, *default)

    def _all(self) -> Self:
        for page in list(self._packed):
            self._open(page)
        return self

    def __iter__(self) -> Iterator[K]:
        return dict.__iter__(self._all())

    def __len__(self) -> int:
        return dict.__len__(self._all())

    def __bool__(self) -> bool:
        return bool(self._packed) or dict.__len__(self) > 0

    def __eq__(self, other: object) -> bool:
        return dict.__eq__(self._all(), other._all() if isinstance(other, Pages) else other)

    def __ne__(self, other: object) -> bool:  # The dictionary's own would not open a page.
        return not self == other

    __hash__ = None  # It changes.

    def keys(self) -> KeysView[K]:  # type: ignore[override]  # The built-in's view is a class of its own.
        """All keys."""
        return dict.keys(self._all())

    def values(self) -> ValuesView[V]:  # type: ignore[override]  # As above.
        """All values."""
        return dict.values(self._all())

    def items(self) -> ItemsView[K, V]:  # type: ignore[override]  # As above.
        """All keys with their values."""
        return dict.items(self._all())

    # --- copying and packing --------------------------------------------------------------------------------------

    def __copy__(self) -> Self:
        twin = type(self)(self._paging, self._packed.copy())
        values: Iterable[V] = dict.values(self)
        if self._paging.twin_of:
            values = map(self._paging.twin_of, values)
        dict.update(twin, zip(dict.keys(self), values, strict=True))
        return twin

    copy = __copy__

    def packed(self) -> Packed:
        """All of it as pages, none of which is open any more: each is packed anew that was."""
        open_pages: dict[Page, dict[K, V]] = defaultdict(dict)
        for page in {self._paging.page_of(key) for key in dict.__iter__(self)}:
            self._open(page)
        for key, value in dict.items(self):
            open_pages[self._paging.page_of(key)][key] = value
        for page, values in open_pages.items():
            self._packed[page] = zlib.compress(self._paging.encode(values), EFFORT)
        dict.clear(self)
        return self._packed.copy()

    @property
    def lying_open(self) -> dict[K, V]:
        """The values that are unpacked, and may have changed since they were packed."""
        return dict(zip(dict.keys(self), dict.values(self), strict=True))

    def count_open(self) -> int:
        """How many these are."""
        return dict.__len__(self)
