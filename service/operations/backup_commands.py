"""`microfund backup`, `restore` and `drill`: the books copied while they are kept, brought back, and that practised."""

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from service.terminal import BROKEN, Language, Mistake, give_up, load_settings, of_file, progress, said_of, tell

if TYPE_CHECKING:
    from ledger.checkpoints.notes import Key
    from service.operations.backups import Backup
    from service.operations.restoring import Comparison
    from service.settings import Settings

SQLITE = "sqlite:///"
Stanza = Annotated[str, typer.Option(help="PostgreSQL only: the database's name in pgBackRest's configuration.")]


def backup(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where backups lie: a folder of its own is added for this one.")
    ] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Then delete the oldest until so many are left.")] = None,
    stanza: Stanza = "microfund",
    language: Language = "vi",
) -> None:
    """Back the books up while the service runs, and check the copy: every chain, the people's log, the last checkpoint.

    Keys never go along: keep copies of them elsewhere. On PostgreSQL pgBackRest does it, where it is configured.
    """
    from service.operations import backups, notes

    settings, now = load_settings(), datetime.now(UTC)
    if not settings.database.startswith(SQLITE):
        _by_pgbackrest(settings, stanza, language)
        return
    if folder is None:
        raise Mistake("backup-where")
    with _told(folder, language), progress("logs") as show:
        made = backups.make(
            settings.database.removeprefix(SQLITE), _erasures(settings), folder, _key_of(settings), now, show
        )
        dropped = backups.drop_all_but(folder, keep) if keep else 0
    notes.leave(settings.database, notes.BACKUP, notes.Note(now, made.manifest.position))
    tell("backup.made", language, **_facts(made))
    if dropped:
        tell("backup.dropped", language, count=dropped)
    tell("backup.without-keys", language)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A backup, or a folder of backups: then the newest.")],
    into: Annotated[
        Path | None, typer.Option(help="The file of the new database; by default that of MICROFUND_DATABASE.")
    ] = None,
    language: Language = "vi",
) -> None:
    """Make a database of a backup, under a name that nothing has. A backup that is not what it was is refused; what was
    erased since is taken out again; what was revoked since holds again, and is to be revoked anew."""
    from service.operations import backups, restoring

    settings = load_settings()
    if into is None and not settings.database.startswith(SQLITE):
        raise Mistake("restore-postgres")
    target = into or Path(settings.database.removeprefix(SQLITE))
    with _told(folder, language), progress("logs") as show:
        found = backups.found(folder)
        with restoring.living(settings.database) as living:
            compared = restoring.compare(found.manifest.logs, living) if living else None
        erased = restoring.restore(found, target, Path(settings.register_key), _key_of(settings), show)
    tell("restore.done", language, path=str(target), **_facts(found))
    if erased:
        tell("restore.erased", language, texts=erased)
    _tell_comparison(compared, language)
    tell("restore.revoked", language)


def drill(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="A backup, or a folder of backups: then the newest.")
    ] = None,
    moment: Annotated[
        str | None, typer.Option("--at", help="PostgreSQL only: as of a moment, such as '2026-11-29 19:00:00+00'.")
    ] = None,
    stanza: Stanza = "microfund",
    language: Language = "vi",
) -> None:
    """Practise: restore a backup into a scratch place (TMPDIR), check it, compare it with the living log up to where it
    goes, say how long it took; then take it away again. Exit code 1 if the two do not agree.

    On PostgreSQL pgBackRest restores, and a server of its own is started on that for a while: run it where the database
    is, as the user that PostgreSQL runs as."""
    from service.operations import backups, restoring

    settings, began = load_settings(), time.monotonic()
    if folder is None:
        if settings.database.startswith(SQLITE):
            raise Mistake("backup-where")
        _drill_by_pgbackrest(settings, stanza, moment, language)
        return
    with _told(folder, language), progress("logs") as show, TemporaryDirectory(prefix="microfund-drill-") as scratch:
        found = backups.found(folder)
        restoring.restore(found, Path(scratch) / backups.DATABASE, Path(settings.register_key), _key_of(settings), show)
        milliseconds = round((time.monotonic() - began) * 1000)
        with restoring.living(settings.database) as living:
            compared = restoring.compare(found.manifest.logs, living) if living else None
    tell("drill.done", language, milliseconds=milliseconds, **_facts(found))
    _end_drill(settings, compared, found.manifest.position, language)


def _end_drill(settings: "Settings", compared: "Comparison | None", position: int, language: str) -> None:
    """Say how what was restored stands beside the living log, and note a drill that was a good one."""
    from service.operations import notes

    _tell_comparison(compared, language)
    if compared and compared.apart:
        raise typer.Exit(BROKEN)
    if compared:
        notes.leave(settings.database, notes.DRILL, notes.Note(datetime.now(UTC), position))


def _tell_comparison(compared: "Comparison | None", language: str) -> None:
    if compared is None:
        tell("restore.nobody-asked", language)
        return
    for log in compared.apart:
        tell("restore.apart", language, log=log.log, version=log.version)
    tell("restore.since", language, entries=compared.since)


def _facts(found: "Backup") -> dict[str, object]:
    """What is said of a backup."""
    made = found.manifest
    return {
        "folder": str(found.folder),
        "entries": made.entries,
        "logs": len(made.logs),
        "position": made.position,
        "made_at": f"{made.made_at:%Y-%m-%dT%H:%M:%SZ}",
    }


def _erasures(settings: "Settings") -> Path:
    return Path(settings.register_key).with_suffix(".erasures")


def _key_of(settings: "Settings") -> "Key | None":
    """What checkpoints must be signed with, where the key is at hand."""
    from service.checkpoints.signing import kept_signer

    return kept_signer(settings).key if Path(settings.checkpoint_key).exists() else None


@contextmanager
def _told(folder: Path, language: str) -> Iterator[None]:
    """Whatever is wrong with a backup is said in one sentence; exit code 1 if it is broken."""
    from service.operations.contents import BrokenBackup

    try:
        yield
    except BrokenBackup as broken:
        give_up(said_of(broken, language), BROKEN)
    except OSError as error:
        raise of_file(error.filename or folder, error, language) from None


def _by_pgbackrest(settings: "Settings", stanza: str, language: str) -> None:
    from service.operations import notes, pgbackrest

    made = pgbackrest.back_up(stanza, datetime.now(UTC))
    notes.leave(settings.database, notes.BACKUP, notes.Note(made.at, 0))
    tell("backup.by-pgbackrest", language, label=made.label, at=f"{made.at:%Y-%m-%dT%H:%M:%SZ}")
    tell("backup.without-keys", language)


def _drill_by_pgbackrest(settings: "Settings", stanza: str, moment: str | None, language: str) -> None:
    from ledger.application import Ledger
    from service.operations import contents, pgbackrest_drill, restoring

    began = time.monotonic()
    with TemporaryDirectory(prefix="microfund-drill-") as scratch, _told(Path(scratch), language):
        with (
            pgbackrest_drill.restored(stanza, moment, Path(scratch), settings.database) as url,
            closing(Ledger(url, "read")) as ledger,
            progress("logs") as show,
        ):
            found = contents.checked(ledger, _key_of(settings), show)
        milliseconds = round((time.monotonic() - began) * 1000)
    with restoring.living(settings.database) as living:
        compared = restoring.compare(found.logs, living) if living else None
    facts = {"entries": found.entries, "logs": len(found.logs), "position": found.position}
    tell("drill.by-pgbackrest", language, milliseconds=milliseconds, **facts)
    _end_drill(settings, compared, found.position, language)
