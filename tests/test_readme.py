"""The README's sessions are run as they stand, against a real service, and must print what the README shows."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parent.parent
SESSIONS = re.findall(r"^```console\n(.*?)^```$", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
STEPS = [
    (command, shown)
    for session in SESSIONS
    for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", session, re.MULTILINE)
]
END_OF_STEP = "-- end of step --"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A service on a database of its own in an empty directory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen(["microfund", "serve", "--port", str(port)], cwd=tmp_path, env=environment())
    address = f"http://127.0.0.1:{port}"
    try:
        until_ready(f"{address}/readyz", running)
        yield address
    finally:
        running.terminate()
        running.wait(30)


def environment() -> dict[str, str]:
    beside_python = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": f"{beside_python}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def until_ready(address: str, running: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + 60
    while running.poll() is None and time.monotonic() < give_up_at:
        try:
            urlopen(address, timeout=1).close()  # noqa: S310  # Our own service on this machine.
        except (URLError, TimeoutError):
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the service did not become ready")


def test_a_newcomers_first_five_minutes_are_as_the_readme_shows_them(server: str, tmp_path: Path) -> None:
    commands = [command.replace("http://127.0.0.1:8000", server) for command, _ in STEPS]
    script = "".join(f"{command}\necho\necho '{END_OF_STEP}'\n" for command in commands)

    session = subprocess.run(
        ["bash"],
        input=script,
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    said = [step.strip() for step in session.stdout.split(END_OF_STEP)]
    for (command, shown), found in zip(STEPS, said, strict=False):
        # Dots stand for what differs from run to run, such as a check code.
        expected = re.escape(shown.strip()).replace(r"\.\.\.\.", "....")
        if command.startswith("microfund rebuild"):
            expected, found = "", ""  # It speaks to standard error, below.
        assert re.fullmatch(expected, found), f"{command}\nshows: {found}\n{session.stderr[-2000:]}"
    assert "rebuilt from 8 events" in session.stderr
    assert len(said) == len(STEPS) + 1
