"""The keys: there, for their owner only, and not where the database is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ledger.application import Ledger
from ledger.checkpoints import Checkpoints
from ledger.private_files import is_private
from service.checkpoints.signing import key_trouble
from service.operations.doctor.finding import Finding, danger, warning, well
from service.settings import Settings

REGISTER, CHECKPOINT = "MICROFUND_REGISTER_KEY", "MICROFUND_CHECKPOINT_KEY"


def of_keys(ledger: Ledger, settings: Settings, database: Path | None) -> Iterator[Finding]:
    """Both keys. Whoever would look into one that others may open would also close it to them: so it is not opened."""
    for name, file in ((REGISTER, Path(settings.register_key)), (CHECKPOINT, Path(settings.checkpoint_key))):
        if not is_private(file):
            yield warning("key-open", name=name, file=str(file))
        elif name == REGISTER and ledger.register.trouble():
            yield danger("register-key", file=str(file))
        elif name == CHECKPOINT and (trouble := key_trouble(settings, Checkpoints(ledger.database, ledger.recorder))):
            yield danger("checkpoint-key", trouble=trouble)
        elif not file.exists():
            yield well("key-not-yet", name=name)
        elif database and file.resolve().parent == database.resolve().parent:
            yield warning("key-beside", name=name, folder=str(database.resolve().parent))
        else:
            yield well("key", name=name)
