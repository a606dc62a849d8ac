"""What tests of checkpoints share: three funds, who signs, and what is found when a note is compared with the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.application import Ledger
from ledger.checkpoints import Checkpoints, Made, Overtaken
from ledger.checkpoints.notes import Key, Signer
from ledger.checkpoints.vouching import Mismatch, mismatches
from tests.support.jobs import FUND, gift, joining, opened, opening, recorded
from tests.support.processes import wait_to_begin

OTHER, THIRD = "LS-BACSON-02", "LS-BACSON-03"
FUNDS = [FUND, OTHER, THIRD]
NOW = datetime(2026, 6, 6, 3, 0, tzinfo=UTC)
SIGNER = Signer("so-quy.example/bac-son", Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = Signer(SIGNER.name, Ed25519PrivateKey.from_private_bytes(bytes(32)))


def record(ledger: Ledger, fund: str, *amounts: int, key: str = "gift") -> None:
    for number, amount in enumerate(amounts):
        recorded(ledger.record([gift(f"{key}-{number:08}", amount, fund=fund)])[0])


@contextmanager
def three_funds(database_url: str) -> Iterator[Ledger]:
    """A ledger with three funds of twelve entries each."""
    with opened(database_url) as ledger:
        for fund in FUNDS:
            jobs = [opening(fund), joining("joining-0001", fund=fund)]
            jobs += [gift(f"gift-{number:04}", 1_000 + number, fund=fund) for number in range(9)]
            for outcome in ledger.record(jobs):
                recorded(outcome)
        yield ledger


def found(checkpoints: Checkpoints, made: Made, key: Key = SIGNER.key) -> list[Mismatch]:
    return list(mismatches(checkpoints, made.note, key))


def kinds(checkpoints: Checkpoints, made: Made) -> set[tuple[str, str | None]]:
    return {(mismatch.kind, mismatch.fund) for mismatch in found(checkpoints, made)}


def vouch_each(line: Connection, url: str, fund: str) -> None:
    """A program that records some gifts and makes a checkpoint after each; reports whether each was new."""
    with opened(url) as ledger:
        wait_to_begin(line)
        for number in range(8):
            recorded(ledger.record([gift(f"maker-{number:04}", 3, fund=fund)])[0])
            try:
                line.send(Checkpoints(ledger.database, ledger.recorder).make(SIGNER, datetime.now(UTC)).is_new)
            except Overtaken:
                line.send(None)
