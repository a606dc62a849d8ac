"""A real browser, and a real server process that can be stopped, started, and made to die at the worst moment."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import BrowserContext, Error, Page, Playwright

from service.app import create_app
from service.pages.layout import ASSETS
from service.settings import Settings
from tests.support.processes import Program, start

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


def chromium() -> str:
    """Where Chromium is. Skips the test where there is none, and fails it in CI, which installs it."""
    if CHROMIUM is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing, and in CI nothing may be left out")
        pytest.skip("needs Chromium (on Debian: apt install chromium)")
    return CHROMIUM


# --- the server -------------------------------------------------------------------------------------------------------


def serve(line: Connection, database: str, port: int, dies: str, changes: Sequence[tuple[str, str, str]]) -> None:
    """Serve a database. While the file `dies` is there, the process ends itself by SIGKILL when it has recorded a
    meeting and is about to answer. `changes` are made in scripts before they are given out: asset, old, new."""
    for name, old, new in changes:
        assert old in ASSETS[name].decode()
        ASSETS[name] = ASSETS[name].replace(old.encode(), new.encode())
    app = create_app(Settings(database=database, checkpoint_key=f"{database.removeprefix('sqlite:///')}.pem"))

    async def mortal(scope: Any, receive: Any, send: Any) -> None:
        async def answered(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] == 201 and Path(dies).exists():
                Path(dies).unlink()
                os.kill(os.getpid(), signal.SIGKILL)
            await send(message)

        await app(scope, receive, answered if scope["type"] == "http" and scope["method"] == "POST" else send)

    uvicorn.run(mortal, host="127.0.0.1", port=port, log_level="error", access_log=False)


class Server:
    """A server process at one address; `stop` kills it, `start` starts another one there."""

    def __init__(self, database: str, home: Path, changes: Sequence[tuple[str, str, str]] = ()) -> None:
        self._database = database
        self._dies = home / "dies"
        self._changes = changes
        self._program: Program | None = None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it can be reached."""
        self.stop()
        self._program = start(serve, self._database, self.port, str(self._dies), self._changes)
        while not self._can_be_reached():
            assert self._program.process.is_alive()
            time.sleep(0.02)

    def stop(self) -> None:
        """End it at once."""
        if self._program:
            self._program.kill()
            self._program = None

    def die_before_answering(self) -> None:
        """Let it die when it has recorded the next write, before it says so."""
        self._dies.touch()

    @property
    def has_died(self) -> bool:
        """Whether it ended by itself."""
        return self._program is not None and not self._program.process.is_alive()

    def _can_be_reached(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


# --- the browser ------------------------------------------------------------------------------------------------------


class Phone:
    """A browser in a process of its own, with a profile that outlives it."""

    def __init__(self, playwright: Playwright, profile: Path, token: str) -> None:
        self._playwright = playwright
        self._profile = profile
        self.token = token
        self._process: subprocess.Popen[bytes] | None = None
        self.faults: list[str] = []

    def open(self, width: int = 360, height: int = 740) -> Page:
        """Start the browser, and answer an empty page of it."""
        port = self._profile / "DevToolsActivePort"
        port.unlink(missing_ok=True)
        words = [chromium(), *FLAGS, "--remote-debugging-port=0", f"--user-data-dir={self._profile}", "about:blank"]
        self._process = subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while not (port.exists() and "\n" in port.read_text()):
            assert self._process.poll() is None
            time.sleep(0.02)
        self._browser = self._playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port.read_text().split()[0]}")
        self.context: BrowserContext = self._browser.contexts[0]
        self.log_in(self.token)
        page = self.context.pages[0] if self.context.pages else self.context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def log_in(self, token: str) -> None:
        """From now on every request bears this token."""
        self.context.set_extra_http_headers({"Authorization": f"Bearer {token}"})

    def kill(self) -> None:
        """End it at once, all its processes."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            with suppress(Error):
                self._browser.close()


@contextmanager
def phone(playwright: Playwright, profile: Path, token: str) -> Iterator[Phone]:
    """A phone until the end of the block. What its scripts threw fails the test."""
    own = Phone(playwright, profile, token)
    try:
        yield own
        assert own.faults == []
    finally:
        own.kill()


def wait_until(page: Page, holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something holds that is to be seen outside the page, and let the page go on meanwhile."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        page.wait_for_timeout(50)


def moments(seed: int, kills: int) -> list[int]:
    """When to kill, in milliseconds after the tap: half of them within the first tenth of a second."""
    drawn = random.Random(seed)
    return [drawn.randrange(0, 100) if kill % 2 else drawn.randrange(0, 400) for kill in range(kills)]
