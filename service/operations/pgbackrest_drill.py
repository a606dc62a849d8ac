"""A backup of pgBackRest restored for practice: into a scratch place, under a PostgreSQL server of its own that nobody
else reaches and that archives nothing. Run as the user that PostgreSQL runs as, on the database's server."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from service.operations import pgbackrest
from service.operations.backups import CannotBackUp

WHERE_SERVERS_LIE: Final = ("/usr/lib/postgresql/{version}/bin", "/usr/pgsql-{version}/bin", "/usr/local/pgsql/bin")
"""As Debian, Red Hat and PostgreSQL's own instructions have it; beside what is on the path."""
SETTINGS: Final = {
    # All that the copy may have been told itself, by files beside its data or by ALTER SYSTEM, is another server's.
    "listen_addresses": "",
    "archive_mode": "off",
    "synchronous_standby_names": "",
    "ssl": "off",
    "shared_preload_libraries": "",
    "logging_collector": "off",
    "log_destination": "stderr",
    # It is reached once all of the archive is in it, and has not to be as large as the server that it is a copy of.
    "hot_standby": "off",
}
ASK_SECONDS: Final = 0.2


@contextmanager
def restored(stanza: str, moment: str | None, scratch: Path, database_url: str) -> Iterator[str]:
    """The URL of the same database as it is restored into a scratch folder, until the end of the block: with all
    that was archived, or as of a moment. Raises `CannotBackUp`."""
    data, program = scratch / "data", _server(pgbackrest.version_of(stanza))
    data.mkdir(mode=0o700)
    pgbackrest.restore(stanza, data, moment)
    (scratch / "server.conf").write_text("")
    (scratch / "hba.conf").write_text("local all all trust\n")  # The folder is entered by its owner alone.
    own = {"config_file": scratch / "server.conf", "hba_file": scratch / "hba.conf", "unix_socket_directories": scratch}
    words = [f"-c {name}='{value}'" for name, value in {**SETTINGS, **own}.items()]
    try:
        _run(program, data, "-l", str(scratch / "log"), "-o", " ".join(words), "-w", "start")
        url = _beside(database_url, scratch)
        # Meanwhile it reads the archive, and takes nobody in; where that does not lead to what was asked for, it ends.
        while _run(program, data, "status") and not _is_open(url):
            time.sleep(ASK_SECONDS)
        if not _run(program, data, "status"):
            raise CannotBackUp("drill-server", said=_why(scratch / "log"))
        yield url
    finally:
        _run(program, data, "-m", "immediate", "-w", "stop")


def _run(program: str, data: Path, *words: str) -> bool:
    """Whether it went well. Nothing is captured: the server would keep a pipe open, and this would wait for its end."""
    ran = subprocess.run(  # noqa: S603  # PostgreSQL's own program, with words of ours.
        [program, "-D", str(data), *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
    )
    return ran.returncode == 0


def _is_open(url: str) -> bool:
    with suppress(psycopg.OperationalError):
        psycopg.connect(url).close()
        return True
    return False


def _beside(database_url: str, folder: Path) -> str:
    """The URL of the same database, as the same user, at a server in this folder."""
    said = conninfo_to_dict(database_url)
    user, name = (quote(str(said.get(part, "postgres")), safe="") for part in ("user", "dbname"))
    return f"postgresql://{user}@/{name}?host={quote(str(folder), safe='')}&port=5432"


def _server(version: str) -> str:
    """The program that starts a server of this version. Raises `CannotBackUp`."""
    for folder in WHERE_SERVERS_LIE:
        program = Path(folder.format(version=version)) / "pg_ctl"
        if program.exists():
            return str(program)
    if program_on_path := shutil.which("pg_ctl"):
        return program_on_path
    raise CannotBackUp("no-server", version=version)


def _why(log: Path) -> str:
    """The last of what a server said that is not only to be noted."""
    lines = log.read_text("utf-8", "replace").splitlines() if log.exists() else []
    bad = [line for line in lines if "FATAL" in line or "ERROR" in line]
    return (bad or lines or ["-"])[-1]
