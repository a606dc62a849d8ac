"""strace: what a process writes to its files, recorded whole; or what of it fails, as a full or a broken disk would.

It is attached to a process that runs and taken away again, so that the fault begins and ends when a row says so.
"""

import re
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scripts.fault_trials.trial import LeftOut, needs

CALLS = "openat,pwrite64,write,ftruncate,fsync,fdatasync,unlink,rename"
LONGEST = 1 << 20
"""Bytes of one write that are recorded; SQLite writes a page at a time."""


class Call(NamedTuple):
    """A system call on a file, in the order in which they began; `ended` counts in the same order."""

    name: str
    path: str
    began_at: float
    began: int
    ended: int
    bytes: bytes = b""
    offset: int = 0


@contextmanager
def attached(pids: Sequence[int], said: Path, *options: str) -> Iterator[None]:
    """strace on processes, their threads and what they start, until the end of the block; what it says is in the file
    `said`. Raises `LeftOut` where it is missing or may not look."""
    needs("strace")
    named = [word for pid in pids for word in ("-p", str(pid))]
    said.unlink(missing_ok=True)
    command = ["strace", "-f", "-y", "-ttt", "-o", str(said), *options, *named]
    tracer = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for pid in pids:
            _until_attached(pid, tracer)
        yield
    finally:
        tracer.send_signal(signal.SIGINT)
        tracer.communicate(timeout=30)


def _until_attached(pid: int, tracer: "subprocess.Popen[bytes]") -> None:
    give_up_at = time.monotonic() + 15
    while any(_traced_by(status) != tracer.pid for status in Path(f"/proc/{pid}/task").glob("*/status")):
        if tracer.poll() is not None or time.monotonic() > give_up_at:
            tracer.kill()
            _, why = tracer.communicate()
            raise LeftOut(f"strace cannot look at a process here: {why.decode()[-200:]}")
        time.sleep(0.005)


def _traced_by(status: Path) -> int:
    try:
        said = re.search(r"TracerPid:\t(\d+)", status.read_text())
    except OSError:  # The thread has ended meanwhile.
        return 0
    return int(said[1]) if said else 0


def recording(folder: Path) -> Sequence[str]:
    """The options that record what is done to the files of a folder."""
    return ("-e", f"trace={CALLS}", "-e", "signal=none", "-xx", "-s", str(LONGEST), *only(kept_in(folder)))


def spoiling(files: Iterable[Path], calls: str, error: str, when: str) -> Sequence[str]:
    """The options that let calls on files fail: the `when`th of each thread, or all from there on, as in `3+`."""
    inject = f"inject={calls}:error={error}:when={when}"
    return ("-e", f"trace={calls}", "-e", "signal=none", "-e", inject, *only(files))


def failed_calls_in(said: Path) -> int:
    """How many calls strace says that it let fail."""
    return said.read_text("ascii", "replace").count("(INJECTED)") if said.exists() else 0


def kept_in(folder: Path) -> list[Path]:
    """A database's folder and its files, but for that which is worth nothing after the power is back."""
    return [folder, *(path for path in sorted(folder.iterdir()) if path.suffix != ".db-shm")]


def only(files: Iterable[Path]) -> Iterator[str]:
    """The options that look at these files alone."""
    for path in files:
        yield from ("-P", str(path))


# --- what was recorded ------------------------------------------------------------------------------------------------

LINE = re.compile(r"^(\d+) +(\d+\.\d+) (.*)$")
RESUMED = re.compile(r"^<\.\.\. (\w+) resumed>(.*)$")
WHOLE = re.compile(r"^(\w+)\((.*)\) += (-?\d+)")
FILE = re.compile(r"^(?:AT_FDCWD(?:<[^>]*>)?|\d+<([^>]*)>)")
TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def calls_in(said: Path) -> list[Call]:
    """What strace recorded and what did not fail, in order of its beginning."""
    open_calls: dict[str, tuple[int, float, str]] = {}
    found: list[Call] = []
    with said.open("r", encoding="ascii") as lines:
        for number, line in enumerate(lines):
            if not (parts := LINE.match(line)):
                continue
            thread, at, text = parts[1], float(parts[2]), parts[3]
            began = number
            if text.endswith(" <unfinished ...>"):
                open_calls[thread] = (number, at, text.removesuffix(" <unfinished ...>"))
                continue
            if resumed := RESUMED.match(text):
                began, at, start = open_calls.pop(thread)
                text = start + resumed[2]
            if call := _call(text, at, began, number):
                found.append(call)
    return sorted(found, key=lambda call: call.began)


def _call(text: str, at: float, began: int, ended: int) -> Call | None:
    parts = WHOLE.match(text)
    if not parts or int(parts[3]) < 0:
        return None
    name, told = parts[1], parts[2]
    texts = TEXT.findall(told)
    if name in ("unlink", "openat"):
        if name == "openat" and "O_CREAT" not in told:
            return None
        return Call(name, _bytes(texts[0]).decode(), at, began, ended)
    file = FILE.match(told)
    assert file
    assert file[1], text[:200]
    last = told.rpartition(", ")[2]
    if name == "pwrite64":
        return Call(name, _path(file[1]), at, began, ended, _bytes(texts[0])[: int(parts[3])], int(last))
    if name == "ftruncate":
        return Call(name, _path(file[1]), at, began, ended, offset=int(last))
    assert name in ("fsync", "fdatasync"), text[:200]
    return Call(name, _path(file[1]), at, began, ended)


def _bytes(escaped: str) -> bytes:
    return bytes.fromhex(escaped.replace("\\x", ""))


def _path(shown: str) -> str:
    return _bytes(shown).decode() if shown.startswith("\\x") else shown
