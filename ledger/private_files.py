"""Files that only their owner may open: the database holds names, and the checkpoint key signs for the service."""

import logging
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

FOR_ITS_OWNER: Final = 0o600

log = logging.getLogger("microfund")


def is_private(path: Path) -> bool:
    """Whether nobody but its owner may open a file; one that is not there is nobody's."""
    try:
        return not path.stat().st_mode & 0o077
    except OSError:
        return True


def keep_private(path: Path) -> None:
    """Take a file's permissions from everybody but its owner, and say so; left as it is where that is not allowed."""
    if is_private(path):
        return
    with suppress(OSError):
        path.chmod(FOR_ITS_OWNER)
        log.warning("others could read %s; now its owner only can (0600)", path)


def make_private(path: Path, content: bytes) -> None:
    """Make a file, whole and on disk, unless there is one: of two processes that do this at once, the second finds the
    first one's file there and leaves it. Raises `OSError`."""
    with _draft(path, content) as draft, suppress(FileExistsError):
        os.link(draft, path)


def replace_private(path: Path, content: bytes) -> None:
    """Put a file in the place of another, whole and on disk: whoever opens it finds the one or the other. Raises
    `OSError`."""
    with _draft(path, content) as draft:
        draft.replace(path)


def append_private(path: Path, line: bytes) -> None:
    """Add a line to a file, on disk when this returns; the file is made if there is none. Raises `OSError`."""
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FOR_ITS_OWNER)
    with open(descriptor, "ab", buffering=0) as file:
        file.write(line)
        os.fsync(file.fileno())
    if is_new:
        sync_folder(path)


@contextmanager
def _draft(path: Path, content: bytes) -> Iterator[Path]:
    """A file of this content under another name beside it, until the end of the block."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_ITS_OWNER)
    try:
        with open(descriptor, "wb") as writing:
            writing.write(content)
            writing.flush()
            os.fsync(writing.fileno())
        yield draft
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path)


def sync_folder(path: Path) -> None:
    """See to it that the name of a file, as it was made or changed, is on disk. Raises `OSError`."""
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
