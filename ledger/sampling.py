"""A sample that nobody chose: drawn by lot from a public number, so that anybody can draw it again.

The seed is made public by somebody else and was not known before, such as the result of a day's lottery that was named
in advance. Items are put in order of the SHA-256 of `seed|item`, in hex; the first of them are the sample. `sha256sum`
and `sort` do the same (`docs/verify.md`).
"""

from collections.abc import Iterable
from hashlib import sha256
from heapq import nsmallest


def in_order_of_lot(seed: str, items: Iterable[str], most: int | None = None) -> list[str]:
    """Every item once, in the order in which they are drawn, or as many as are wanted; the order they come in does not
    matter."""
    ordered = ((sha256(f"{seed}|{item}".encode()).digest(), item) for item in set(items))
    lots = sorted(ordered) if most is None else nsmallest(most, ordered)
    return [item for _, item in lots]
