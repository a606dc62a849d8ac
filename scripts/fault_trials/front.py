"""nginx with the file of `deploy/`, on ports and in a folder of its own, before two copies of the service."""

import os
import re
import signal
import socket
import ssl
import subprocess
import time
from collections import defaultdict
from collections.abc import Sequence
from http.client import HTTPSConnection
from pathlib import Path

from scripts.benchmarks.workshop import ROOT, free_port

UPSTREAMS = ("127.0.0.1:8001", "127.0.0.1:8002")
"""The copies that the file names."""


class Front:
    """Runs from the moment it can be reached; `plain` is its port without TLS, `port` the one with it."""

    def __init__(self, home: Path, copies: Sequence[int]) -> None:
        self.plain, self.port = free_port(), free_port()
        self._log = home / "microfund.log"
        if os.geteuid() == 0:  # Its workers are nobody, who must get to where bodies wait.
            for folder in (home, *home.parents[:2]):
                folder.chmod(folder.stat().st_mode | 0o055)  # What else others may there is left: one may be /tmp.
        self._write_configuration(home, copies)
        _make_certificate(home)
        self.certificate = home / "certificate.pem"
        self.trusting = ssl.create_default_context(cafile=self.certificate)
        start = ["nginx", "-p", str(home), "-e", str(home / "errors"), "-c", str(home / "nginx.conf")]
        subprocess.run([*start, "-t", "-q"], check=True)
        self._process = subprocess.Popen(start)
        give_up_at = time.monotonic() + 30
        with socket.socket() as probe:
            while probe.connect_ex(("127.0.0.1", self.port)):
                assert self._process.poll() is None, (home / "errors").read_text()
                assert time.monotonic() < give_up_at, "nginx cannot be reached"
                time.sleep(0.01)

    def _write_configuration(self, home: Path, copies: Sequence[int]) -> None:
        said = (ROOT / "deploy" / "nginx.conf").read_text()
        here = {upstream: f"127.0.0.1:{port}" for upstream, port in zip(UPSTREAMS, copies, strict=True)}
        here |= {
            "listen 80;": f"listen 127.0.0.1:{self.plain};",
            "listen 443 ssl;": f"listen 127.0.0.1:{self.port} ssl;",
            "/etc/ssl/certs/microfund.pem": str(home / "certificate.pem"),
            "/etc/ssl/private/microfund.key": str(home / "key.pem"),
            "/var/log/nginx/": f"{home}/",
        }
        for theirs, ours in here.items():
            assert theirs in said
            said = said.replace(theirs, ours)
        (home / "microfund.conf").write_text(said)
        temporary = "".join(f"{kind}_temp_path {home}/{kind}; " for kind in ("client_body", "proxy"))
        (home / "nginx.conf").write_text(
            f"daemon off; pid {home}/pid; worker_rlimit_nofile 8192; events {{ worker_connections 4096; }} "
            f"http {{ {temporary}include {home}/microfund.conf; }}"
        )

    def stop(self) -> None:
        """Let it finish what it does, and say so in its log."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()

    def kill(self) -> None:
        """End it whatever lines are open."""
        self._process.terminate()
        self._process.wait(30)

    def connection(self) -> HTTPSConnection:
        """A line to it."""
        return HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.trusting)

    def reached(self) -> dict[str, list[str]]:
        """By fund, where its requests were sent to in order, two copies where the first did not answer. Stops it."""
        self.stop()
        found = defaultdict(list)
        for line in self._log.read_text().splitlines():
            said = re.fullmatch(r'\S+ [A-Z]+ \d+ [0-9.]+s fund "(.*)" at (.*) id [0-9a-f]{32}', line)
            assert said
            found[said[1]].append(said[2])
        return found


def _make_certificate(home: Path) -> None:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", home / "key.pem", "-out", home / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
