"""The Merkle tree of RFC 9162, section 2.1: one root over a list that only grows, and short proofs about it.

A root of 32 bytes pins every leaf and the order of all. That one leaf is in the tree, and that a tree is an earlier one
with leaves appended, is proved with about log2(size) hashes. Whoever verifies needs nothing but SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf's bytes. Its prefix differs from a node's, so that no leaf can pass for a node."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of a node with two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over the hashes of leaves, in their order (section 2.1.1)."""
    if not hashes:
        return hashlib.sha256().digest()
    while len(hashes) > 1:
        hashes = _level_above(hashes)
    return hashes[0]


def _level_above(hashes: Sequence[bytes]) -> list[bytes]:
    """The next level of the tree; a last node without a sibling goes up as it is."""
    above = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=False)]
    return above + list(hashes[len(above) * 2 :])


def inclusion_proof(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """What is needed beside the leaf `index` (from 0) to compute the root over `hashes` (section 2.1.3.1)."""
    assert 0 <= index < len(hashes)
    proof = []
    while len(hashes) > 1:
        if (sibling := index ^ 1) < len(hashes):
            proof.append(hashes[sibling])
        hashes, index = _level_above(hashes), index // 2
    return proof


def includes(root: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of this root and size has these leaf bytes at `index` (section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    here, last, found = index, size - 1, leaf_hash(leaf)
    for sibling in proof:
        if last == 0:
            return False
        if here & 1 or here == last:
            found = node_hash(sibling, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and found == root


def consistency_proof(hashes: Sequence[bytes], size: int) -> list[bytes]:
    """What shows that the tree over the first `size` hashes is the beginning of the tree over all (section 2.1.4.1)."""
    assert 0 < size <= len(hashes)
    return _subproof(hashes, size, is_whole=True)


def _subproof(hashes: Sequence[bytes], size: int, *, is_whole: bool) -> list[bytes]:
    """`is_whole` says that the verifier knows the root of the first `size` hashes already: it is the old tree's."""
    if size == len(hashes):
        return [] if is_whole else [root_of(hashes)]
    split = 1 << (len(hashes) - 1).bit_length() - 1
    if size <= split:
        return [*_subproof(hashes[:split], size, is_whole=is_whole), root_of(hashes[split:])]
    return [*_subproof(hashes[split:], size - split, is_whole=False), root_of(hashes[:split])]


def extends(old_root: bytes, old_size: int, root: bytes, size: int, proof: Sequence[bytes]) -> bool:
    """Whether the proof shows that the tree of `root` and `size` is the old one, appended to (section 2.1.4.2)."""
    if not 0 < old_size <= size:
        return False
    if old_size == size:
        return not proof and old_root == root
    hashes = list(proof)
    if old_size & (old_size - 1) == 0:
        hashes.insert(0, old_root)
    if not hashes:
        return False
    here, last = old_size - 1, size - 1
    while here & 1:
        here, last = here >> 1, last >> 1
    found_old = found = hashes[0]
    for sibling in hashes[1:]:
        if last == 0:
            return False
        if here & 1 or here == last:
            found_old, found = node_hash(sibling, found_old), node_hash(sibling, found)
            while not here & 1 and here:
                here, last = here >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        here, last = here >> 1, last >> 1
    return last == 0 and (found_old, found) == (old_root, root)
