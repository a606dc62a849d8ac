"""Clients that mean no good, or are very slow: a process of its own, so that who is measured does not wait for them.

`python -m scripts.fault_trials.nuisance PORT SECONDS [CERTIFICATE]` says at its end what became of them.
"""

import http.client
import json
import socket
import ssl
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import msgspec

SILENT, SLOW = 500, 60
HEADER_BYTES = 10 * 1024 * 1024
CODES_PER_SECOND = 17
"""A thousand a minute."""


class Suffered(msgspec.Struct):
    """Who of the silent and slow is still connected at the end, and the statuses that the others were answered with; 0
    is a connection that ended without any."""

    still_open: int
    huge_headers: dict[int, int]
    wrong_codes: dict[int, int]


class Nuisance:
    """All of them together at one port; with TLS if there is a certificate to trust."""

    def __init__(self, port: int, certificate: str | None) -> None:
        self._port = port
        self._huge, self._codes = Counter[int](), Counter[int]()
        self._is_over = threading.Event()
        self._trusting = ssl.create_default_context(cafile=certificate) if certificate else None
        tls = partial(http.client.HTTPSConnection, context=self._trusting)
        self._connect = tls if certificate else http.client.HTTPConnection

    def go_on(self, seconds: float) -> Suffered:
        """Be a nuisance for so long."""
        quiet = [socket.create_connection(("127.0.0.1", self._port), timeout=10) for _ in range(SILENT)]
        slow = [self._line() for _ in range(SLOW)]
        doing = (partial(self._dribble, slow), self._send_much, self._guess)
        threads = [threading.Thread(target=each, daemon=True) for each in doing]
        for thread in threads:
            thread.start()
        self._is_over.wait(seconds)
        self._is_over.set()
        for thread in threads:
            thread.join(30)
        return Suffered(sum(map(_is_open, [*quiet, *slow])), dict(self._huge), dict(self._codes))

    def _line(self) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        return self._trusting.wrap_socket(line, server_hostname="127.0.0.1") if self._trusting else line

    def _dribble(self, slow: list[socket.socket]) -> None:
        for byte in b"GET /v1/funds HTTP/1.1\r\nHost: quy\r\nX-Slow: " + b"a" * 10_000:
            for each in slow:
                with suppress(OSError):
                    each.sendall(bytes([byte]))
            if self._is_over.wait(1):
                return

    def _send_much(self) -> None:
        while not self._is_over.wait(0.5):
            with self._asking(self._huge) as asking:
                asking.request("GET", "/v1/funds", headers={"X-Large": "a" * HEADER_BYTES})
                self._huge[asking.getresponse().status] += 1

    def _guess(self) -> None:
        said = {"Content-Type": "application/json", "Origin": f"https://127.0.0.1:{self._port}"}
        number = 0
        while not self._is_over.wait(1 / CODES_PER_SECOND):
            number += 1
            with self._asking(self._codes) as asking:
                body = json.dumps({"code": f"{number:04d}-{number:04d}-{number:04d}"})
                asking.request("POST", "/v1/invitations/accept", body, said)
                self._codes[asking.getresponse().status] += 1

    @contextmanager
    def _asking(self, statuses: Counter[int]) -> Iterator[http.client.HTTPConnection]:
        asking = self._connect("127.0.0.1", self._port, timeout=10)
        try:
            yield asking
        except (OSError, http.client.HTTPException):
            statuses[0] += 1
        finally:
            asking.close()


def _is_open(line: socket.socket) -> bool:
    line.settimeout(0)
    try:
        while line.recv(1 << 12):
            pass
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False
    return False


if __name__ == "__main__":
    port, seconds, *certificate = sys.argv[1:]
    suffered = Nuisance(int(port), certificate[0] if certificate else None).go_on(float(seconds))
    sys.stdout.buffer.write(msgspec.json.encode(suffered))
