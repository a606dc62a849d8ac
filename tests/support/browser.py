"""A real browser, in a process of its own that can be ended at any moment and started again with what it had kept."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, Playwright

from service.access.sessions import COOKIE

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


class Phone:
    """A phone in a browser that others use as well: a context of its own."""

    def __init__(self, browser: Browser | None, origin: str, session: str | None) -> None:
        self._browser = browser
        self._origin = origin
        self.session = session
        self.faults: list[str] = []

    def open(self, width: int = 360, height: int = 740) -> Page:
        """Answer an empty page of it."""
        self.context = self._begun()
        if self.session:
            self.log_in(self.session)
        page = self.context.pages[0] if self.context.pages else self.context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        return page

    def _begun(self) -> BrowserContext:
        assert self._browser
        return self._browser.new_context()

    def log_in(self, session: str) -> None:
        """Give it the cookie of a session. A browser that is killed may not have written its cookies down yet."""
        self.session = session
        secure = self._origin.replace("http:", "https:")  # A browser takes a cookie for TLS alone from there.
        self.context.add_cookies(
            [{"name": COOKIE, "value": session, "url": secure, "secure": True, "httpOnly": True, "sameSite": "Lax"}]
        )

    def kill(self) -> None:
        """End it, and forget what it had kept."""
        self.context.close()


class MortalPhone(Phone):
    """A browser in a process of its own, with a profile that outlives it."""

    def __init__(self, playwright: Playwright, profile: Path, origin: str, session: str | None) -> None:
        super().__init__(None, origin, session)
        self._playwright = playwright
        self._profile = profile
        self._process: subprocess.Popen[bytes] | None = None

    def _begun(self) -> BrowserContext:
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
        return self._browser.contexts[0]

    def kill(self) -> None:
        """End it at once, all its processes."""
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None
            if self._browser:
                with suppress(Error):
                    self._browser.close()


Kind = TypeVar("Kind", bound=Phone)


@contextmanager
def used(own: Kind) -> Iterator[Kind]:
    """A phone until the end of the block. What its scripts threw fails the test."""
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
