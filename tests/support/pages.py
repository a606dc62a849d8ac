"""Pages as a browser without scripts works them: opened, filled in, sent."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from tests.support.people import Caller
from tests.support.service import House

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"

Fields = dict[str, str | list[str]]
"""What a form sends, by the names of its fields."""


class Opened(HTMLParser):
    """A page that was opened: its elements with their attributes, and what its forms would send as they stand."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer
        self.status: int = answer.status_code
        self.text: str = answer.text
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[Fields] = []
        self.aloud: list[str] = []
        self._selected: str | None = None
        self._reads_aloud = False
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        its = dict(attrs)
        self.found.append((tag, its))
        name, value = its.get("name"), its.get("value") or ""
        self._reads_aloud = its.get("class") == "aloud"
        if self._reads_aloud:
            self.aloud.append("")
        if tag == "form":
            self.forms.append({})
        elif tag == "select":
            self._selected = name
        elif tag == "option" and "selected" in its and self._selected:
            self._send(self._selected, value)
        elif tag == "input" and name and (its.get("type") not in ("radio", "checkbox") or "checked" in its):
            self._send(name, value)

    def handle_endtag(self, tag: str) -> None:
        self._reads_aloud = self._reads_aloud and tag != "p"

    def handle_data(self, data: str) -> None:
        if self._reads_aloud:
            self.aloud[-1] += data

    def _send(self, name: str, value: str) -> None:
        fields = self.forms[-1]
        had = fields.get(name)
        fields[name] = value if had is None else [*([had] if isinstance(had, str) else had), value]

    def of(self, *tags: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of these kinds."""
        return [its for tag, its in self.found if tag in tags]

    def values(self, attribute: str) -> list[str | None]:
        """What an attribute is, wherever it is there."""
        return [its[attribute] for _, its in self.found if attribute in its]

    @property
    def form(self) -> Fields:
        """What the last form of the page would send."""
        return self.forms[-1]

    @property
    def words(self) -> str:
        """What there is to read."""
        body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", self.text, flags=re.DOTALL)
        return re.sub(r"[ \t\n]+", " ", re.sub(r"<[^>]+>", " ", body)).strip()


class Browser:
    """Somebody who works the pages of a house: with a token, or on their phone."""

    def __init__(self, house: House, token: str | None = None, phone: Caller | None = None) -> None:
        self._client = house.client
        self._headers = {"Accept": BROWSER} | (phone.headers() if phone else house.headers(token))

    def open(self, address: str) -> Opened:
        """The page at an address."""
        return Opened(self._client.get(address, headers=self._headers, follow_redirects=False))

    def send(self, address: str, fields: Fields) -> Opened:
        """What a form that is sent there is answered; a redirect is not followed."""
        return Opened(self._client.post(address, data=fields, headers=self._headers, follow_redirects=False))

    def follow(self, answer: Opened) -> Opened:
        """The page that an answer leads to."""
        assert answer.status == 303, answer.words
        return self.open(answer.answer.headers["Location"])
