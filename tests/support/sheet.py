"""A club whose meetings are recorded on the sheet, and what its treasurer does there."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from ledger.application import Ledger
from tests.support.browser import Phone, wait_until
from tests.support.keys import key_for
from tests.support.people import admitted, invited, let_in
from tests.support.servers import Server
from tests.support.service import FUND, OPENED_ON, House, house, opening

MEMBERS = 12
BORROWERS = (11, 12)
"""Each has one loan, of the same number as its place here."""
PATH = f"/clubs/{FUND}/meeting"


class Founded(NamedTuple):
    """A club's database, and what opens it: the session of a phone of the treasurer, and a code for another."""

    file: Path
    session: str
    code: str


class Village:
    """A copy of the club with a server that serves it."""

    def __init__(self, founded: Founded, home: Path, changes: tuple[tuple[str, str, str], ...] = ()) -> None:
        file = shutil.copy(founded.file, home / "fund.db")
        self.url = f"sqlite:///{file}"
        self.session = founded.session
        self.code = founded.code
        self.server = Server(self.url, home, changes)
        self.sheet = self.server.origin + PATH

    def paid(self) -> Counter[tuple[int, int]]:
        """How often the book has which member's payment of which amount."""
        return Counter((event.member, event.amount) for event in self.events("ContributionReceived"))

    def meetings(self) -> list[Any]:
        """The meetings the book has."""
        return self.events("MeetingHeld")

    def events(self, kind: str) -> list[Any]:
        """The book's entries of a kind."""
        ledger = Ledger(self.url, register_key=key_for(self.url))
        try:
            return [event for event in ledger.replayed(FUND).entries if type(event).__name__ == kind]
        finally:
            ledger.close()


def _settle(club: House) -> None:
    club.recorded("/funds", opening())
    member = {"sex": "female", "poverty": "none", "on": OPENED_ON}
    for number in range(MEMBERS):
        name = f"Hoàng Thị {'Sầm' if number < 2 else chr(65 + number)}"
        club.recorded(f"/funds/{FUND}/members", member | {"name": name, "birth_year": 1950 + number})
    gift = {"source": "business", "pot": "revolving", "amount": 20_000_000, "on": OPENED_ON}
    club.recorded(f"/funds/{FUND}/donations", gift)
    for loan, borrower in enumerate(BORROWERS, 1):
        asked = {"member": borrower, "principal": 3_000_000, "term_months": 6, "purpose": "livestock", "on": OPENED_ON}
        club.recorded(f"/funds/{FUND}/loans", asked)
        club.recorded(f"/funds/{FUND}/loans/{loan}/approval", {"on": OPENED_ON})
        club.recorded(f"/funds/{FUND}/loans/{loan}/disbursement", {"on": OPENED_ON})
    club.clock.now = datetime.now(UTC)


def found(file: Path) -> Founded:
    """Found the club."""
    with house(f"sqlite:///{file}") as club:
        _settle(club)
        treasurer = admitted(club, "treasurer")
        return Founded(file, let_in(club, treasurer).cookie, invited(club, treasurer))


# --- what a treasurer does ------------------------------------------------------------------------------------------


def opened(own: Phone, address: str) -> Any:
    page = own.open()
    page.goto(address)
    page.wait_for_selector("[data-member='1']")
    return page


def kept_for_later(page: Any) -> None:
    """Wait until the phone can open the sheet without a network."""
    wait_until(
        page, lambda: page.evaluate("navigator.serviceWorker.ready.then(() => !!navigator.serviceWorker.controller)")
    )


def come(page: Any, member: int) -> None:
    page.click(f"[data-member='{member}'] [data-cell=present]")
    page.wait_for_selector(f"[data-member='{member}'] [aria-pressed=true]")


def pay(page: Any, member: int, amount: int) -> None:
    cell = f"[data-member='{member}'] [data-cell=dues]"
    page.click(cell)
    page.fill("dialog[open] [name=amount]", str(amount))
    page.click("dialog[open] [data-act=continue]")
    if page.locator("dialog[open] .wrong:visible").count():  # Ten times the usual is asked about, once.
        page.click("dialog[open] [data-act=continue]")
    page.wait_for_selector(f"{cell}[data-state=draft]")


def review(page: Any) -> None:
    page.click("footer [data-act=continue]")
    page.wait_for_selector("[data-act=record]:visible")


def record(page: Any) -> None:
    review(page)
    page.click("[data-act=record]")


def is_in_the_book(page: Any, lines: int) -> None:
    page.wait_for_selector("[role=status][data-waiting='0']", state="attached")
    wait_until(page, lambda: page.locator("[data-state=sent], [data-state=had]").count() == lines)


def is_saved(page: Any, lines: int) -> None:
    page.wait_for_selector(f"[role=status][data-waiting='{lines}']")
