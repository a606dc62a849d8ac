"""The text of a checkpoint: a signed note (C2SP signed-note) in the form of a log's tree head (C2SP tlog-checkpoint).

A few lines to mail or to print, which other programs read and verify as well:

    so-quy.example                                  the log: its origin, and the name of its key
    4217                                            how many leaves its tree has
    qINS1GRFhWHwdkUeqLEoP4yEMkTBBzxBkGwGQlVlVcs=    the tree's root
    number 12                                       ours: the checkpoint's number, its instant in UTC,
    made 2026-11-25T16:40:40Z                       how many funds the tree's leaves name,
    funds 24                                        and how many entries all its logs had together
    entries 151234

    — so-quy.example jzg4Wq…                        the key's id (4 bytes) and its Ed25519 signature, in Base64
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import UTC, datetime
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ledger.faults import Fault

ED25519 = b"\x01"
"""The kind of signature, as the format numbers it."""
NAME = r"[A-Za-z0-9._:/-]{1,80}"
"""What a key may be named: something like an address without `https://`; the format forbids spaces and plus signs."""


class NotACheckpoint(Fault, ValueError):
    """The text is no checkpoint, or the key no key; it says why."""

    area = "checkpoint"


class Checkpoint(NamedTuple):
    """What a checkpoint says. `entries` are those of all logs at the heads that the leaves name last; `funds` is how
    many of these logs are funds."""

    origin: str
    size: int
    root: bytes
    number: int
    made_at: datetime
    funds: int
    entries: int

    def text(self) -> str:
        """The lines that are signed."""
        return (
            f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\nnumber {self.number}\n"
            f"made {self.made_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}\nfunds {self.funds}\nentries {self.entries}\n"
        )


_NUMBER = r"(0|[1-9][0-9]{0,17})"
_TEXT = re.compile(
    rf"({NAME})\n{_NUMBER}\n([A-Za-z0-9+/]{{43}}=)\nnumber {_NUMBER}\n"
    rf"made (\d{{4}}-\d{{2}}-\d{{2}}T\d{{2}}:\d{{2}}:\d{{2}}Z)\nfunds {_NUMBER}\nentries {_NUMBER}\n",
    re.ASCII,
)
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)")
"""Whoever signs beside us may be named in any script; the format forbids only spaces and plus signs."""


class Key(NamedTuple):
    """A public key, as it is handed out: `name+id+key`, the id in hex and the key in Base64."""

    name: str
    public: Ed25519PublicKey

    @classmethod
    def read(cls, text: str) -> Key:
        """The key of a text. Raises `NotACheckpoint`."""
        name, _, rest = text.strip().partition("+")
        id_in_hex, _, encoded = rest.partition("+")
        known = _decoded(encoded)
        if not re.fullmatch(NAME, name) or known[:1] != ED25519 or len(known) != 33:
            raise NotACheckpoint("key-form")
        key = cls(name, Ed25519PublicKey.from_public_bytes(known[1:]))
        if key.id.hex() != id_in_hex:
            raise NotACheckpoint("key-id")
        return key

    @property
    def id(self) -> bytes:
        """Four bytes that tell the keys of one name apart."""
        return hashlib.sha256(f"{self.name}\n".encode() + ED25519 + self.public.public_bytes_raw()).digest()[:4]

    def __str__(self) -> str:
        encoded = base64.b64encode(ED25519 + self.public.public_bytes_raw()).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    def has_signed(self, note: str) -> bool:
        """Whether a note bears this key's signature, and none under its name and id that is not valid."""
        text, signatures = _parted(note)
        named = [match for signature in signatures if (match := _SIGNATURE.fullmatch(signature))]
        own = [signed for match in named if match[1] == self.name and (signed := _decoded(match[2]))[:4] == self.id]
        try:
            for signed in own:
                self.public.verify(signed[4:], text.encode())
        except InvalidSignature:
            return False
        return bool(own)


class Signer(NamedTuple):
    """A name and the private key that signs under it."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> Key:
        """What others verify with."""
        return Key(self.name, self.private.public_key())

    def signed(self, checkpoint: Checkpoint) -> str:
        """The note: the checkpoint's text and its signature."""
        text = checkpoint.text()
        signature = base64.b64encode(self.key.id + self.private.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"


def read(note: str) -> Checkpoint:
    """What a note says, whoever signed it. Raises `NotACheckpoint` for anything but exactly our form of it."""
    text, signatures = _parted(note)
    lines = _TEXT.fullmatch(text)
    if lines is None or not all(_SIGNATURE.fullmatch(signature) for signature in signatures):
        raise NotACheckpoint("form")
    origin, size, root, number, made_at, funds, entries = lines.groups()
    try:
        instant = datetime.fromisoformat(made_at)
    except ValueError:
        raise NotACheckpoint("instant") from None
    checkpoint = Checkpoint(origin, int(size), _decoded(root), int(number), instant, int(funds), int(entries))
    if checkpoint.text() != text:
        raise NotACheckpoint("lines")
    return checkpoint


def as_written(note: str) -> str:
    """A note as it was before the post, or an editor, changed how its lines end: no line of ours ends in a space."""
    lines = note.removeprefix("\ufeff").rstrip().split("\n")
    return "".join(line.rstrip(" \t\r") + "\n" for line in lines)


def _parted(note: str) -> tuple[str, list[str]]:
    """The text, its last newline included, and the lines of signatures."""
    text, blank, signatures = note.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise NotACheckpoint("parts")
    return f"{text}\n", signatures[:-1].split("\n")


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotACheckpoint("base64") from None
