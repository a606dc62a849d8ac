"""The private key that checkpoints are signed with: a file of its own, outside the database it vouches for.

Whoever can change the database should not be able to sign for it. The file is made at first use, for its owner only;
copies of the service share one file.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from ledger.notes import Signer
from service.settings import Settings


class BadKey(Exception):
    """The file of the checkpoint key cannot be used; it says why."""


def signer_of(settings: Settings) -> Signer:
    """The key of the settings, made now if there is none yet. Raises `BadKey`."""
    file = Path(settings.checkpoint_key)
    try:
        if not file.exists():
            _make(file)
        return Signer(settings.checkpoint_name, _read(file))
    except OSError as error:
        raise BadKey(f"MICROFUND_CHECKPOINT_KEY: {file}: {error.strerror}") from None


def _read(file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise BadKey(f"MICROFUND_CHECKPOINT_KEY: {file} holds no private key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"MICROFUND_CHECKPOINT_KEY: {file} holds a key of another kind than Ed25519")
    return key


def _make(file: Path) -> None:
    """Write a new key under another name, whole and on disk, and only then give it its own: of two processes that do
    this at once, the second finds the first one's file there and leaves it."""
    text = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as writing:
            writing.write(text)
            writing.flush()
            os.fsync(writing.fileno())
        with suppress(FileExistsError):
            os.link(draft, file)
    finally:
        draft.unlink()
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
