"""The pictures of the README, three pages of the demo as a phone shows them, taken from the running service; and those
of the icon for home screens, from its drawing.

    scripts/demo --no-serve && .venv/bin/python -m scripts.pictures

Needs Chromium. It works on a copy of `demo.db`, which stays as it is.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from service.pages.meeting import ICONS

HOME = Path(__file__).parent.parent
PICTURES = HOME / "docs" / "pictures"
STATIC = HOME / "service" / "pages" / "static"
CHROMIUM = "/usr/bin/chromium"
MICROFUND = str(HOME / ".venv" / "bin" / "microfund")
PORT = 8799
CLUB = "LS-MAI-PHA"
PHONE = ViewportSize(width=360, height=740)


@contextmanager
def served(database: Path) -> Iterator[str]:
    """The demo served on this machine; gives the code of an invitation for its treasurer."""
    settings = {**os.environ, "MICROFUND_DATABASE": f"sqlite:///{database}", "MICROFUND_PORT": str(PORT)}
    invite = [MICROFUND, "people", "invite", "--name", "Nông Thị Hoa", "--role", "treasurer", "--fund", CLUB]
    said = subprocess.run(invite, env=settings, check=True, capture_output=True, text=True).stdout
    link = next(word for word in said.split() if "/open/" in word)
    service = subprocess.Popen([MICROFUND, "serve", "--port", str(PORT)], env=settings, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                if urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=2).status == 200:
                    break
            except OSError:
                time.sleep(0.2)
        yield link.rpartition("/")[2]
    finally:
        service.terminate()
        service.wait()


def take(page: Page, code: str) -> None:
    """Open the phone, look at three pages, and keep a picture of each."""
    at = f"http://127.0.0.1:{PORT}"
    page.goto(f"{at}/open/{code}")
    page.click("[data-act=continue]")
    page.wait_for_selector("[data-page=home]")
    page.screenshot(path=PICTURES / "home.png")
    page.goto(f"{at}/clubs/{CLUB}/entries/new/contribution?member=1&kind=savings")
    page.fill("[name=amount]", "50000")
    page.click("[data-act=continue]")
    page.wait_for_selector("[data-page=check]")
    page.screenshot(path=PICTURES / "check.png")
    page.goto(f"{at}/clubs/{CLUB}/meeting")
    page.wait_for_selector("[data-member]")
    page.screenshot(path=PICTURES / "meeting.png")


def draw_icons(browser: Browser) -> None:
    """The icon on paper, as large as home screens want it; a corner of it stays free for their own rounding."""
    drawing = (STATIC / "icon.svg").read_text("utf-8")
    for size in ICONS:
        page = browser.new_page(viewport=ViewportSize(width=size, height=size))
        page.set_content(f"<body style='margin:0;padding:12%;box-sizing:border-box;background:#fffdf6'>{drawing}")
        page.screenshot(path=STATIC / f"icon-{size}.png")
        page.close()


def main() -> None:
    """Take the pictures anew."""
    demo = HOME / "demo.db"
    if not demo.exists():
        sys.exit("there is no demo.db: run scripts/demo --no-serve")
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "demo.db"
        for file in demo.parent.glob("demo.db*"):
            shutil.copy(file, copied.with_name(file.name))
        with served(copied) as code, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
            take(browser.new_page(viewport=PHONE, locale="vi-VN"), code)
            draw_icons(browser)
            browser.close()


if __name__ == "__main__":
    main()
