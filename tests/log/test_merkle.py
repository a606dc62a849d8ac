"""Claims about the tree of checkpoints: the roots that everybody computes, and no proof of what is not so.

The eight inputs and their roots are those of Certificate Transparency's reference implementation, which others' trees
are tested with as well.
"""

import random
import re
from collections.abc import Iterator, Sequence
from functools import cache

import pytest

from ledger.checkpoints.merkle import (
    consistency_proof,
    extends,
    includes,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)

INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = re.findall(
    "[0-9a-f]{64}",
    """
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""",
)
"""The roots over the first 0 to 8 inputs."""
MOST = 130

Proof = Sequence[bytes]


def leaves(count: int) -> list[bytes]:
    return [b"LS-MAI-PHA %d" % number for number in range(count)]


@cache
def hashes(count: int) -> list[bytes]:
    return [leaf_hash(leaf) for leaf in leaves(count)]


def by_definition(some: Sequence[bytes]) -> bytes:
    """The tree's root as section 2.1.1 defines it: split at the largest power of two below the size."""
    if len(some) == 1:
        return some[0]
    split = max(2**power for power in range(9) if 2**power < len(some))
    return node_hash(by_definition(some[:split]), by_definition(some[split:]))


@pytest.mark.parametrize("size", range(9))
def test_the_roots_are_those_of_certificate_transparency(size: int):
    assert root_of([leaf_hash(bytes.fromhex(text)) for text in INPUTS[:size]]).hex() == ROOTS[size]


def test_proofs_are_those_of_certificate_transparency():
    known = [leaf_hash(bytes.fromhex(text)) for text in INPUTS]
    assert [step.hex()[:8] for step in inclusion_proof(known, 0)] == ["96a296d2", "5f083f0a", "6b47aaf2"]
    assert [step.hex()[:8] for step in inclusion_proof(known, 5)] == ["bc1a0643", "ca854ea1", "d37ee418"]
    assert inclusion_proof(known[:3], 2) == [bytes.fromhex(ROOTS[2])]
    assert inclusion_proof(known[:1], 0) == consistency_proof(known, 8) == []
    assert [step.hex()[:8] for step in consistency_proof(known, 1)] == ["96a296d2", "5f083f0a", "6b47aaf2"]
    assert [step.hex()[:8] for step in consistency_proof(known, 6)] == ["0ebc5d34", "ca854ea1", "d37ee418"]


@pytest.mark.no_cover  # What it repeats is covered below.
def test_every_leaf_of_every_size_is_proved():
    for size in range(1, MOST):
        some = hashes(MOST)[:size]
        root = root_of(some)
        assert root == by_definition(some)
        for index, leaf in enumerate(leaves(size)):
            assert includes(root, size, index, leaf, inclusion_proof(some, index))


@pytest.mark.no_cover  # What it repeats is covered below.
def test_every_tree_is_proved_to_extend_each_earlier_one():
    roots = [root_of(hashes(MOST)[:size]) for size in range(MOST)]
    for size in range(1, MOST):
        for old in range(1, size + 1):
            proof = consistency_proof(hashes(MOST)[:size], old)
            assert extends(roots[old], old, roots[size], size, proof)
            assert len(proof) <= size.bit_length() + 1


# --- forged proofs ----------------------------------------------------------------------------------------------------


def flipped(one: bytes) -> Iterator[bytes]:
    for bit in range(len(one) * 8):
        yield (int.from_bytes(one) ^ 1 << bit).to_bytes(len(one))


def forged(proof: Proof) -> Iterator[Proof]:
    """Each bit of each hash flipped; hashes dropped, doubled, moved, cut, and added at either end or in between."""
    for place, step in enumerate(proof):
        yield from ([*proof[:place], other, *proof[place + 1 :]] for other in flipped(step))
        yield [*proof[:place], *proof[place + 1 :]]
        yield [*proof[:place], step, *proof[place:]]
        yield [*proof[:place], step[:-1], *proof[place + 1 :]]
        yield [*proof[:place], b"", *proof[place:]]
        for other in range(place):
            if proof[other] != step:
                yield [
                    *proof[:other], step, *proof[other + 1 : place], proof[other], *proof[place + 1 :]
                ]  # fmt: skip
    yield [*proof, bytes(32)]
    yield [bytes(32), *proof]


SIZES = [1, 2, 3, 4, 5, 7, 8, 11]


@pytest.mark.parametrize("size", SIZES)
def test_a_forged_inclusion_is_refused(size: int):
    some = hashes(size)
    root = root_of(some)
    for index, leaf in enumerate(leaves(size)):
        proof = inclusion_proof(some, index)
        assert not any(includes(root, size, index, leaf, forgery) for forgery in forged(proof))
        assert not any(includes(other, size, index, leaf, proof) for other in flipped(root))
        assert not any(includes(root, size, index, other, proof) for other in flipped(leaf))
        assert not any(includes(root, size, other, leaf, proof) for other in range(-2, size + 3) if other != index)


@pytest.mark.parametrize("size", range(1, 20))
def test_no_size_but_its_own_has_the_shape_of_a_proof_for_a_leaf_at_its_end(size: int):
    """Shapes may agree at other sizes, where the path from leaf to root is the same; the signed size settles it."""
    some = hashes(size)
    proof = inclusion_proof(some, size - 1)
    wrong = [0, -1, *range(1, size), 2 * size + 2, 4 * size]
    assert not any(includes(root_of(some), other, size - 1, leaves(size)[-1], proof) for other in wrong)


def test_a_node_does_not_pass_for_a_leaf():
    one, other, *_ = hashes(4)
    root = root_of(hashes(4))
    assert not includes(root, 2, 0, b"\x01" + one + other, [root_of(hashes(4)[2:])])
    assert not includes(root, 2, 0, one + other, [root_of(hashes(4)[2:])])


@pytest.mark.parametrize("size", SIZES)
def test_a_forged_consistency_is_refused(size: int):
    root = root_of(hashes(size))
    for old in range(1, size + 1):
        proof, old_root = consistency_proof(hashes(size), old), root_of(hashes(size)[:old])
        assert not any(extends(old_root, old, root, size, forgery) for forgery in forged(proof))
        assert not any(extends(other, old, root, size, proof) for other in flipped(old_root))
        assert not any(extends(old_root, old, other, size, proof) for other in flipped(root))
        for other in range(-1, size + 2):
            assert other == old or not extends(old_root, other, root, size, proof)
    assert not extends(root, size, root, size - 1, [])
    assert not extends(root_of([]), 0, root, size, [])


def test_a_rewritten_tree_extends_no_earlier_one():
    draw = random.Random(9162)
    for _ in range(300):
        size = draw.randrange(2, MOST)
        old = draw.randrange(1, size + 1)
        some = hashes(MOST)[:size]
        old_root, place = root_of(some[:old]), draw.randrange(old)
        some = [*some[:place], leaf_hash(b"LS-MAI-PHA forged"), *some[place + 1 :]]
        assert not extends(old_root, old, root_of(some), size, consistency_proof(some, old))
