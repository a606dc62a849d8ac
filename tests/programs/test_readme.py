"""The README's sessions are run as they stand, against a real service, and must print what the README shows."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SERVE = "```sh\nmicrofund serve\n```"
SESSIONS = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


def steps(text: str) -> list[tuple[str, str]]:
    """The commands in a part of the README, and what they are shown to print."""
    return [step for session in SESSIONS.findall(text) for step in STEP.findall(session)]


BEFORE, STEPS = (steps(part) for part in README.split(SERVE))
END_OF_STEP = "-- end of step --"


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """A service on the database in this directory."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    running = subprocess.Popen(["microfund", "serve", "--port", str(port)], cwd=directory, env=environment())
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


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_newcomers_first_five_minutes_are_as_the_readme_shows_them(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = run([*(command for command, _ in BEFORE), f"declare -p ADMIN > {kept}"], tmp_path)
    assert [shown for _, shown in BEFORE] == [""]
    with served(tmp_path) as server:
        commands = [command.replace("http://127.0.0.1:8000", server) for command, _ in STEPS]
        session = run(commands, tmp_path, f"source {kept}\n")

    assert first.returncode == 0, first.stderr
    said = [step.strip() for step in session.stdout.split(END_OF_STEP)]
    for (command, shown), found in zip(STEPS, said, strict=False):
        # Dots stand for what differs from run to run, such as a check code.
        expected = re.escape(shown.strip()).replace(r"\.\.\.\.", "....")
        if command.startswith("microfund rebuild"):
            expected, found = "", ""  # It speaks to standard error, below.
        assert re.fullmatch(expected, found), f"{command}\nshows: {found}\n{session.stderr[-2000:]}"
    assert "rebuilt from 13 events" in session.stderr
    assert len(said) == len(STEPS) + 1


def run(commands: Sequence[str], directory: Path, begin: str = "") -> subprocess.CompletedProcess[str]:
    """Type commands into bash, one after another."""
    return subprocess.run(
        ["bash"],
        input=begin + "".join(f"{command}\necho\necho '{END_OF_STEP}'\n" for command in commands),
        cwd=directory,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
