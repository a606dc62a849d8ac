"""The service as people start it, in a process of its own that may be killed."""

import json
import os
import socket
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.jobs import DAY, FUND


class Service:
    """`microfund serve` in a process of its own, and one client of it."""

    def __init__(self, url: str, token: str, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from service.command_line import main; main()", "serve", "--port", str(self.port)],
            cwd=Path(__file__).parents[2],
            env={**os.environ, "MICROFUND_DATABASE": url, **settings},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr
        assert any("running on" in line for line in self.process.stderr)

    def ready(self) -> Any:
        """What `/readyz` says."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", "/readyz")
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def ask(self, method: str, path: str, body: object = None, key: str = "") -> tuple[int, Any, bool]:
        """One request on a connection of its own; answers status, body, and whether it is a replay."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            headers = self._headers | ({"Idempotency-Key": key} if key else {})
            connection.request(method, f"/v1/funds/{FUND}/{path}", json.dumps(body) if body else None, headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read()), answer.getheader("Idempotency-Replayed") == "true"
        finally:
            connection.close()

    def give(self, key: str) -> tuple[int, Any, bool]:
        """Post a gift of 1 đ."""
        return self.ask(
            "POST", "donations", {"source": "community", "pot": "activity", "amount": 1, "on": str(DAY)}, key
        )

    def kill(self) -> None:
        """End it at once, whatever it is doing."""
        self.process.kill()
        self.process.wait()
        assert self.process.stderr
        self.process.stderr.close()
