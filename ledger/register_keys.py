"""The keys that the register is encrypted with: a file of their own, outside the database whose names they open.

One key a line; the first is for what is written, all are for what is read. The file is looked at anew whenever it has
changed, so that a key may be changed while the service runs.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from functools import cached_property
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.private_files import is_private, keep_private, make_private, replace_private

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
"""AES-256 in GCM with a random nonce for each text: good for 2^32 texts under one key (NIST SP 800-38D, 8.3)."""

log = logging.getLogger("microfund")


class Key:
    """One key. `id` tells which one a text was encrypted with, and nothing about the key."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.id = hashlib.sha256(b"microfund register key\n" + raw).hexdigest()[:8]

    @cached_property
    def cipher(self) -> AESGCM:
        return AESGCM(self.raw)


class KeyRing:
    """Keys as they were read from the file at one moment; `trouble` says why there are none."""

    def __init__(self, keys: list[Key], trouble: str | None = None) -> None:
        self.keys = keys
        self.trouble = trouble
        self._by_id = {key.id: key for key in keys}

    def __contains__(self, id: str) -> bool:
        return id in self._by_id

    def encrypt(self, about: str, text: str) -> str:
        """A text under the first key: `ID.BASE64`. It opens only together with what it is `about`."""
        key, nonce = self.keys[0], secrets.token_bytes(NONCE_BYTES)
        sealed = nonce + key.cipher.encrypt(nonce, text.encode(), about.encode())
        return f"{key.id}.{base64.b64encode(sealed).decode()}"

    def decrypt(self, about: str, encrypted: str) -> str | None:
        """The text; None if its key is not here, or it is not what was encrypted."""
        id, _, sealed = encrypted.partition(".")
        if id not in self._by_id:
            return None
        raw = base64.b64decode(sealed)
        try:
            return self._by_id[id].cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError):
            log.warning("a text of the register is not what was encrypted")
            return None


class KeyFile:
    """The file of the keys."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ring = KeyRing([], "is not there")
        self._stamp: tuple[int, int, int] | None = None

    def ring(self) -> KeyRing:
        """The keys as the file has them now."""
        try:
            stat = self.path.stat()
        except OSError as error:
            is_missing = isinstance(error, FileNotFoundError)
            return KeyRing([], "is not there" if is_missing else f"cannot be read: {error.strerror}")
        stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
        if stamp != self._stamp:
            keep_private(self.path)
            self._ring = self._read()
            self._stamp = stamp
        return self._ring

    def _read(self) -> KeyRing:
        try:
            lines = self.path.read_bytes().split()
            keys = [Key(base64.b64decode(line, validate=True)) for line in lines]
        except OSError as error:
            return KeyRing([], f"cannot be read: {error.strerror}")
        except ValueError:
            return KeyRing([], "holds no keys")
        if not keys or any(len(key.raw) != KEY_BYTES for key in keys):
            return KeyRing([], "holds no keys")
        return KeyRing(keys)

    def is_private(self) -> bool:
        """Whether nobody but its owner may open the file."""
        return is_private(self.path)

    def make(self) -> None:
        """Make a key if there is no file. Raises `OSError`."""
        make_private(self.path, _lines([_new()]))

    def put_new_first(self) -> None:
        """A new key for what is written from now on; those before still open what they did. Raises `OSError`."""
        replace_private(self.path, _lines([_new(), *self.ring().keys]))

    def drop_all_but_first(self) -> None:
        """Forget the keys that nothing is encrypted with any more. Raises `OSError`."""
        replace_private(self.path, _lines(self.ring().keys[:1]))


def _new() -> Key:
    return Key(secrets.token_bytes(KEY_BYTES))


def _lines(keys: list[Key]) -> bytes:
    return b"".join(base64.b64encode(key.raw) + b"\n" for key in keys)
