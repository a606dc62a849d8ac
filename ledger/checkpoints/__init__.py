"""Checkpoints: one signature over the heads of all funds and other logs: no history is rewritten unseen behind it.

The heads are the leaves of a tree that only grows (RFC 9162): a checkpoint appends a leaf for each fund whose head has
moved since its last one, in order of the funds' codes, and signs the tree's size and root. The last leaf of each fund
is its head. A leaf is the text `FUND VERSION HEAD`, the head in hex. A log of another kind has its leaves like a fund,
under its id; only the number of funds leaves it out.

Leaves and notes lie beside the log and are no read model: a rebuild leaves them alone. Whoever holds an old note need
not trust them either: `ledger.checkpoints.vouching` compares it with what is stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from eventsourcing.persistence import IntegrityError

from ledger.checkpoints.merkle import consistency_proof, extends, includes, inclusion_proof, leaf_hash, root_of
from ledger.checkpoints.notes import Checkpoint, Signer, read
from ledger.database import NO_LINE
from ledger.events import NO_HEAD, head_of, is_fund
from ledger.history import follow
from ledger.refusals import (
    CheckpointNotFound,
    FundsChanged,
    LeavesChanged,
    NothingToVouchFor,
    SignedByAnotherKey,
)

if TYPE_CHECKING:
    from ledger.database import Database
    from ledger.storage.lines import Lines

LEAF = ("number", "fund", "version", "head")
SELECT_LEAVES = (
    "SELECT fund, version, head FROM checkpoint_leaves WHERE number >= :first AND number < :end ORDER BY number"
)
SELECT_VERSIONS = "SELECT originator_id AS fund, MAX(originator_version) AS version FROM stored_events GROUP BY 1"
SELECT_LAST_VOUCHED = (
    "SELECT originator_id AS fund, originator_version AS version, state AS line FROM stored_events "
    "JOIN (SELECT fund, MAX(version) AS version FROM checkpoint_leaves GROUP BY fund) AS vouched "
    "ON originator_id = fund AND originator_version = vouched.version"
)
SELECT_NOTES = "SELECT number, note FROM checkpoints WHERE number < :before ORDER BY number DESC LIMIT :most"
LINES_AT_ONCE = 1_000
NO_END = 2**62


class Leaf(NamedTuple):
    """That a fund had this head at this version."""

    fund: str
    version: int
    head: str

    def text(self) -> str:
        """The leaf as it is hashed."""
        return f"{self.fund} {self.version} {self.head}"

    def hash(self) -> bytes:
        """The leaf's hash in the tree."""
        return leaf_hash(self.text().encode())


class Made(NamedTuple):
    """A note and what it says. `is_new` is whether it was signed just now: nothing new needs no new signature."""

    note: str
    checkpoint: Checkpoint
    is_new: bool


class Inclusion(NamedTuple):
    """A fund's last leaf in a checkpoint's tree, its place there from 0, and what proves it."""

    made: Made
    leaf: Leaf
    place: int
    proof: list[bytes]


class Overtaken(Exception):
    """Another process made a checkpoint at the same time; this one was not kept."""


class Checkpoints:
    """The checkpoints kept in a database, over the log whose lines lie beside them. Methods block; all raise the event
    store's `PersistenceError`s."""

    def __init__(self, database: Database, log: Lines) -> None:
        self._database = database.unhurried()
        self._log = log

    # --- making ---------------------------------------------------------------------------------------------------

    def make(self, signer: Signer, now: datetime, *, after_another_key: bool = False) -> Made:
        """Vouch for the heads of all funds as they are now; the latest checkpoint again if none has moved.

        What is stored is read and hashed again before it is signed: the leaves must have the root of the last
        checkpoint, that must bear this signer's signature (or another's, if a change of keys is meant), and each
        fund's lines must follow from the head its last leaf names. Otherwise nothing is signed. Raises
        `NothingToVouchFor`, `FundsChanged`, `LeavesChanged`, `SignedByAnotherKey` and `Overtaken`.
        """
        last = self.latest()
        try:
            leaves = self._trusted(last, signer, after_another_key=after_another_key)
            heads = {leaf.fund: leaf for leaf in leaves}
            moved = self._moved(heads)
        except (LeavesChanged, FundsChanged):
            # What was read before and after another process's checkpoint does not fit together; no false alarm.
            if self.latest() != last:
                raise Overtaken from None
            raise
        if last and not moved:
            return last
        heads |= {leaf.fund: leaf for leaf in moved}
        if not heads:
            raise NothingToVouchFor
        checkpoint = Checkpoint(
            origin=signer.name,
            size=len(leaves) + len(moved),
            root=_root([*leaves, *moved]),
            number=last.checkpoint.number + 1 if last else 1,
            made_at=now.replace(microsecond=0),
            funds=sum(map(is_fund, heads)),
            entries=sum(leaf.version for leaf in heads.values()),
        )
        return Made(self._keep(signer, checkpoint, moved), checkpoint, is_new=True)

    def _trusted(self, last: Made | None, signer: Signer, *, after_another_key: bool) -> list[Leaf]:
        """The stored leaves, if they are those that were signed last."""
        if last and not after_another_key and not signer.key.has_signed(last.note):
            raise SignedByAnotherKey(number=last.checkpoint.number)
        leaves = self.leaves(0, NO_END)
        signed = (last.checkpoint.size, last.checkpoint.root) if last else (0, root_of([]))
        if (len(leaves), _root(leaves)) != signed:
            raise LeavesChanged(number=last.checkpoint.number if last else 0)
        return leaves

    def _moved(self, heads: dict[str, Leaf]) -> list[Leaf]:
        """New leaves for the funds whose head has moved, in order of their codes. Raises `FundsChanged`."""
        versions = {row["fund"]: int(row["version"]) for row in self._database.query(SELECT_VERSIONS)}
        vouched = self._database.query(SELECT_LAST_VOUCHED)
        stand = {(row["fund"], row["version"], head_of(row["line"] or NO_LINE)) for row in vouched}
        changed = [fund for fund, leaf in heads.items() if leaf not in stand]
        moved = []
        for fund in sorted(versions.keys() - changed):
            last = heads.get(fund, Leaf(fund, 0, NO_HEAD))
            if last.version < versions[fund]:
                head = self._head(last, versions[fund])
                if head is None:
                    changed.append(fund)
                else:
                    moved.append(Leaf(fund, versions[fund], head))
        if changed:
            raise FundsChanged(count=len(changed), funds=tuple(sorted(changed)))
        return moved

    def _head(self, last: Leaf, version: int) -> str | None:
        """The head at a version, if the lines after the last leaf lead there."""
        heads = list(follow(self.lines(last.fund, last.version, version), *last))
        return heads[-1] if len(heads) == version - last.version else None

    def lines(self, fund: str, after: int, upto: int) -> Iterator[bytes]:
        """A fund's stored lines after a version, a stretch at a time."""
        for start in range(after, upto, LINES_AT_ONCE):
            yield from self._log.lines(fund, start, min(start + LINES_AT_ONCE, upto))

    def _keep(self, signer: Signer, checkpoint: Checkpoint, moved: Sequence[Leaf]) -> str:
        """Store the leaves, read them back, and only then sign; all in one transaction. Raises `Overtaken`."""
        first = checkpoint.size - len(moved)
        rows = [(number, *leaf) for number, leaf in enumerate(moved, first)]
        try:
            with self._database.transaction() as transaction:
                transaction.insert("checkpoint_leaves", LEAF, rows)
                stored = transaction.query(SELECT_LEAVES, first=first, end=NO_END)
                assert [tuple(row.values()) for row in stored] == list(moved), "what is stored is what was meant"
                note = signer.signed(checkpoint)
                transaction.insert("checkpoints", ("number", "note"), [(checkpoint.number, note)])
        except IntegrityError:
            raise Overtaken from None
        return note

    # --- reading --------------------------------------------------------------------------------------------------

    def latest(self) -> Made | None:
        """The last checkpoint, None if there is none."""
        return next(iter(self.listed(most=1)), None)

    def listed(self, *, before: int = NO_END, most: int) -> list[Made]:
        """Checkpoints before a number, the newest first. Raises `LeavesChanged` for a row that holds none."""
        rows = self._database.query(SELECT_NOTES, before=before, most=most)
        return [_made(row["number"], row["note"]) for row in rows]

    def one(self, number: int) -> Made:
        """A checkpoint by its number. Raises `CheckpointNotFound`."""
        found = self.listed(before=number + 1, most=1)
        if not found or found[0].checkpoint.number != number:
            raise CheckpointNotFound(number=number)
        return found[0]

    def leaves(self, first: int, end: int) -> list[Leaf]:
        """The stored leaves from one place in the tree up to another."""
        rows = self._database.query(SELECT_LEAVES, first=first, end=end)
        return [Leaf(row["fund"], row["version"], row["head"]) for row in rows]

    def heads(self, number: int) -> list[Leaf]:
        """The head of every fund as a checkpoint vouches for it, in order of the funds' codes."""
        leaves = self.leaves(0, self.one(number).checkpoint.size)
        return sorted({leaf.fund: leaf for leaf in leaves}.values())

    def inclusion(self, fund: str, number: int) -> Inclusion:
        """What shows a fund's head in a checkpoint. Raises `CheckpointNotFound` also for a fund that opened after it,
        and `LeavesChanged` if the stored leaves prove nothing any more."""
        made = self.one(number)
        size, root = made.checkpoint.size, made.checkpoint.root
        leaves = self.leaves(0, size)
        index = next((place for place in reversed(range(len(leaves))) if leaves[place].fund == fund), None)
        if index is None:
            raise CheckpointNotFound(number=number)
        proof = inclusion_proof([leaf.hash() for leaf in leaves], index)
        if not includes(root, size, index, leaves[index].text().encode(), proof):
            raise LeavesChanged(number=number)
        return Inclusion(made, leaves[index], index, proof)

    def consistency(self, number: int, since: int) -> tuple[Made, Made, list[bytes]]:
        """An earlier checkpoint, a later one, and what shows that the later tree is the earlier one, appended to.
        Raises `CheckpointNotFound` and `LeavesChanged`."""
        old, new = self.one(min(since, number)), self.one(max(since, number))
        hashes = [leaf.hash() for leaf in self.leaves(0, new.checkpoint.size)]
        proof = consistency_proof(hashes, old.checkpoint.size) if len(hashes) >= old.checkpoint.size else []
        if not extends(old.checkpoint.root, old.checkpoint.size, new.checkpoint.root, new.checkpoint.size, proof):
            raise LeavesChanged(number=new.checkpoint.number)
        return old, new, proof


def _root(leaves: Sequence[Leaf]) -> bytes:
    return root_of([leaf.hash() for leaf in leaves])


def _made(number: int, note: str) -> Made:
    try:
        checkpoint = read(note)
    except ValueError:
        raise LeavesChanged(number=number) from None
    if checkpoint.number != number:
        raise LeavesChanged(number=number)
    return Made(note, checkpoint, is_new=False)
