"""The power fails: of what SQLite wrote, only what it had synced is certain to be on the disk.

strace records what the service writes while people record. At any call the disk may hold, of all that was not synced
before it, any part in any order, and of a page any of its sectors. Such images are made and opened by the ledger's own
code: each must hold whatever was acknowledged before that call.
"""

import os
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from ledger.application import Ledger
from scripts.fault_trials.books import found
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.judge import Told, by_then, compared, proved, told_in
from scripts.fault_trials.service import Service
from scripts.fault_trials.tracing import Call, attached, calls_in, recording
from scripts.fault_trials.trial import FILE_ONLY, Figures, Ground, Row

DATABASE = "ledger.db"
SECTOR = 512
NEARLY_FULL = 3_700_000
"""Bytes of a write-ahead log that is soon written back into the database, at a thousand pages."""
PROVED_EVERY = 25
"""Of so many images, the read tables of one are compared with a replay."""


class Disk:
    """What is certain to be on it, and what may be, by file."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.certain = {path: bytearray(content) for path, content in files.items()}
        self._pending: dict[str, list[Call]] = defaultdict(list)
        self._syncing: list[Call] = []

    def see(self, call: Call) -> None:
        """Let a call happen."""
        if call.name in ("fsync", "fdatasync"):
            self._syncing.append(call)
        elif call.name in ("openat", "unlink"):
            if call.name == "unlink" or call.path not in self.certain:
                self._pending[os.path.dirname(call.path)].append(call)
        else:
            self._pending[call.path].append(call)

    def settle(self, before: int) -> None:
        """Make certain what was synced by a sync that ended before this place in the recording."""
        for sync in [sync for sync in self._syncing if sync.ended < before]:
            self._syncing.remove(sync)
            kept = self._pending.pop(sync.path, [])
            for call in kept:
                if call.ended < sync.began:
                    _do(self.certain, call)
                else:
                    self._pending[sync.path].append(call)

    @property
    def uncertain(self) -> int:
        """How many writes may or may not be on it."""
        return sum(map(len, self._pending.values()))

    def image(self, draw: Random) -> dict[str, bytearray]:
        """A state that the disk may be found in."""
        files = {path: bytearray(content) for path, content in self.certain.items()}
        share = draw.choice((0.0, 1.0, draw.random()))
        kept = [call for calls in self._pending.values() for call in calls if draw.random() < share]
        if draw.random() < 0.5:
            draw.shuffle(kept)
        for call in kept:
            if call.bytes and draw.random() < 0.3:
                for part in _torn(call, draw):
                    _do(files, part)
            else:
                _do(files, call)
        return files


def _torn(call: Call, draw: Random) -> Iterable[Call]:
    """Some of the sectors that a write covers."""
    start, end = call.offset, call.offset + len(call.bytes)
    for sector in range(start - start % SECTOR, end, SECTOR):
        if draw.random() < 0.5:
            first, last = max(sector, start), min(sector + SECTOR, end)
            yield call._replace(offset=first, bytes=call.bytes[first - start : last - start])


def _do(files: dict[str, bytearray], call: Call) -> None:
    match call.name:
        case "openat":
            files.setdefault(call.path, bytearray())
        case "unlink":
            files.pop(call.path, None)
        case "ftruncate" if (content := files.get(call.path)) is not None:
            del content[call.offset :]
            content.extend(bytes(call.offset - len(content)))
        case "pwrite64" if (content := files.get(call.path)) is not None:
            content.extend(bytes(max(call.offset - len(content), 0)))
            content[call.offset : call.offset + len(call.bytes)] = call.bytes


# --- the trial --------------------------------------------------------------------------------------------------------


def recorded(ground: Ground, guard: str | None) -> tuple[dict[str, bytes], list[Call], dict[int, Told]]:
    """Let people record under strace: which files lay there before, what was written, what was told."""
    folder, said = ground.folder(), ground.folder()
    url = f"sqlite:///{folder / DATABASE}"
    token = found(url)
    log = folder / f"{DATABASE}-wal"
    with (
        Service(ground.shop, url, guard=guard) as service,
        Crowd([service.port], token, said / "journal", ground.draw, people=4).at_work() as crowd,
    ):
        while log.exists() and log.stat().st_size < NEARLY_FULL:  # So that it is checkpointed, and begun anew, in time.
            crowd.wait_for(20)
        with attached([service.pid], said / "strace", *recording(folder)):
            service.freeze()
            before = {str(path): path.read_bytes() for path in folder.iterdir() if path.suffix != ".db-shm"}
            service.thaw()
            crowd.wait_for(ground.size.writes)
    return before, calls_in(said / "strace"), told_in(said / "journal")


def powerless(ground: Ground, images: int, guard: str | None = None) -> Figures:
    """Make so many images of what the disk may hold, and open each."""
    before, calls, acts = recorded(ground, guard)
    disk = Disk(before)
    cuts = sorted(ground.draw.randrange(len(calls)) for _ in range(images))
    figures = Figures(trials=images, acknowledged=sum(bool(act.acknowledged) for act in acts.values()))
    losing = most = seen = 0
    for number, cut in enumerate(cuts):
        for call in calls[seen:cut]:
            disk.settle(call.began)
            disk.see(call)
        seen = cut
        disk.settle(calls[cut].began)
        most = max(most, disk.uncertain)
        image = looked_into(
            disk.image(ground.draw), by_then(acts, calls[cut].began_at), is_proved=number % PROVED_EVERY == 0
        )
        losing += not image.holds
        figures.lost += image.lost
        figures.doubled += image.doubled
        figures.wrong += image.wrong
    pages = sum(call.name == "pwrite64" and call.path.endswith(".db") for call in calls)
    figures.more = {
        "calls": len(calls),
        "of them into the database itself": pages,
        "most writes in doubt": most,
        "images that lose": losing,
    }
    return figures


def looked_into(image: dict[str, bytearray], told: dict[int, Told], *, is_proved: bool) -> Figures:
    """Open an image as the service would after the power is back. In memory where that can be: it is looked at once."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # A folder of its own is made there.
    with TemporaryDirectory(dir=memory) as folder:
        for path, content in image.items():
            file = Path(folder) / Path(path).name
            file.write_bytes(content)
            file.chmod(0o600)
        try:
            ledger = Ledger(f"sqlite:///{folder}/{DATABASE}", "write")
        except Exception as error:  # noqa: BLE001  # Whatever it is: an image that does not open has lost everything.
            lost = sum(bool(act.acknowledged) for act in told.values())
            return Figures(lost=lost, wrong=[f"an image does not open: {error!r}"[:200]])
        with closing(ledger):
            histories = {fund: ledger.recorder.lines(fund, 0, None) for fund in ledger.funds()}
            figures = compared(histories, told)
            if is_proved:
                figures.wrong += proved(ledger)
    return figures


ROW = Row(
    name="power",
    fault="the power fails: unsynced writes dropped, reordered, torn",
    engines=FILE_ONLY,
    trial=lambda ground: powerless(ground, ground.size.images),
    control=lambda ground: powerless(ground, ground.size.images // 6, "every-commit-synced"),
    without="synchronous=NORMAL",
)
