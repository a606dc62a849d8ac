"""What an old checkpoint says of the database today: every fund that is no longer what it vouches for.

Nothing stored is taken on trust: the signature is checked, the leaves are hashed up to the root that was signed, and
each fund's lines are read and hashed from the first one on. A fund rewritten with all its hashes made to fit, cut short
or gone is found, for its head at that version was signed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from ledger.checkpoints import Checkpoints
from ledger.checkpoints.merkle import root_of
from ledger.checkpoints.notes import Checkpoint, Key, read
from ledger.history import follow
from ledger.refusals import Refusal

Kind = Literal["signature", "note", "leaves", "broken", "rewritten", "truncated", "vanished"]


class Mismatch(NamedTuple):
    """What does not fit. For a fund: `version` is the first that cannot be right, `intact` the last still vouched for.

    `signature`: not signed by this key. `note`: the database keeps another checkpoint, or none, under this number.
    `leaves`: those stored are not those that were signed. `broken`: a line does not follow from the one before it.
    `rewritten`: another head stands at that version. `truncated`: that version is missing. `vanished`: no line is left.
    """

    kind: Kind
    fund: str | None = None
    version: int | None = None
    intact: int = 0


def mismatches(
    checkpoints: Checkpoints,
    note: str,
    key: Key | None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Mismatch]:
    """Compare a checkpoint with the database; without a key nobody asks who signed it. Raises `NotACheckpoint` for a
    text that is none."""
    checkpoint = read(note)
    if key and (checkpoint.origin != key.name or not key.has_signed(note)):
        yield Mismatch("signature")
    if not _is_kept(checkpoints, checkpoint):
        yield Mismatch("note")
    leaves = checkpoints.leaves(0, checkpoint.size)
    if (len(leaves), root_of([leaf.hash() for leaf in leaves])) != (checkpoint.size, checkpoint.root):
        yield Mismatch("leaves")
    vouched: dict[str, dict[int, str]] = defaultdict(dict)
    for leaf in leaves:
        vouched[leaf.fund][leaf.version] = leaf.head
    for done, fund in enumerate(sorted(vouched), 1):
        if found := _changed(checkpoints, fund, vouched[fund]):
            yield found
        progress(done, len(vouched))


def _is_kept(checkpoints: Checkpoints, checkpoint: Checkpoint) -> bool:
    try:
        return checkpoints.one(checkpoint.number).checkpoint == checkpoint
    except Refusal:
        return False


def _changed(checkpoints: Checkpoints, fund: str, vouched: dict[int, str]) -> Mismatch | None:
    """Follow a fund's lines up to the last version vouched for."""
    version, intact, last = 0, 0, max(vouched)
    for version, head in enumerate(follow(checkpoints.lines(fund, 0, last), fund), 1):
        if version in vouched:
            if vouched[version] != head:
                return Mismatch("rewritten", fund, version, intact)
            intact = version
    if version == last:
        return None
    if next(checkpoints.lines(fund, version, last), None) is not None:
        return Mismatch("broken", fund, version + 1, intact)
    return Mismatch("truncated" if version else "vanished", fund, version + 1, intact)
