"""A line to PostgreSQL that can be cut at the worst moment."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import psycopg

OF_A_LINE = (b'"recorded_by":', b'"recorded_by":'.hex().encode())
"""What a message to PostgreSQL has in it that stores a line: entries are stored and committed by one message."""


class CutLine:
    """Forwards connections to PostgreSQL over a Unix socket, and cuts them when told."""

    def __init__(self, url: str, directory: Path) -> None:
        parts = urlsplit(url)
        host = parse_qs(parts.query).get("host", [parts.hostname or "127.0.0.1"])[0]
        port = parts.port or 5432
        self._server: str | tuple[str, int] = f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)
        login = parts.netloc.rpartition("@")[0] or "postgres"
        self.url = f"postgresql://{login}@{parts.path}?host={quote(str(directory), safe='')}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(directory / ".s.PGSQL.5432"))
        self._listener.listen()
        self._cut: str | None = None
        self._lock = threading.Lock()
        self._ends: list[socket.socket] = []
        self._is_down = False
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut_at_commit(self, when: str) -> None:
        """Cut the connection that commits next: `before` the server hears of it, or `after`, before its answer."""
        self._cut = when

    def swallow_at_commit(self) -> None:
        """Let the next commit reach the server, and its answer go nowhere: the line stays open, and silent."""
        self._cut = "swallow"

    def go_down(self) -> None:
        """Cut every connection and refuse new ones."""
        self._is_down = True
        _shut(*self._ends)

    def come_back(self) -> None:
        """Let new connections through again."""
        self._is_down = False

    def close(self) -> None:
        """Stop listening and cut what is left."""
        _shut(self._listener, *self._ends)
        for end in (self._listener, *self._ends):
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                if self._is_down:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX if isinstance(self._server, str) else socket.AF_INET)
                server.connect(self._server)
                self._ends += (client, server)
                is_silent, is_swallowed = threading.Event(), threading.Event()
                line = (client, server, is_silent, is_swallowed)
                threading.Thread(target=self._ask, args=line, daemon=True).start()
                threading.Thread(target=self._answer, args=line, daemon=True).start()

    def _ask(
        self, client: socket.socket, server: socket.socket, is_silent: threading.Event, is_swallowed: threading.Event
    ) -> None:
        with suppress(OSError):
            while piece := client.recv(1 << 16):
                cut = self._cut_for(piece)
                if cut == "before":
                    break
                if cut == "after":
                    is_silent.set()
                if cut == "swallow":
                    is_swallowed.set()
                server.sendall(piece)
        if not is_silent.is_set():
            _shut(client, server)

    def _cut_for(self, piece: bytes) -> str | None:
        with self._lock:
            if self._cut is None or not any(mark in piece for mark in OF_A_LINE):
                return None
            cut, self._cut = self._cut, None
            self.cuts += 1
            return cut

    @staticmethod
    def _answer(
        client: socket.socket, server: socket.socket, is_silent: threading.Event, is_swallowed: threading.Event
    ) -> None:
        with suppress(OSError):
            while (piece := server.recv(1 << 16)) and not is_silent.is_set():
                if not is_swallowed.is_set():
                    client.sendall(piece)
        _shut(client, server)


def _shut(*ends: socket.socket) -> None:
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def set_for_database(url: str, setting: str) -> None:
    """Give a PostgreSQL database a setting that holds for every new connection."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET {setting}")
