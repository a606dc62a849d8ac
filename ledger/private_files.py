"""Files that only their owner may open: the database holds names, and the checkpoint key signs for the service."""

import logging
from contextlib import suppress
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
