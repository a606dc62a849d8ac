"""Databases that several sections measure on, made when the first of them asks."""

import time
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from eventsourcing.persistence import StoredEvent

from ledger.aggregates.fund import Fund
from ledger.events import Entry
from scripts.benchmarks.histories import MEMBERS, gifts_only, lived, retold, rows_of, store
from scripts.benchmarks.load import KEY
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.workshop import Engine, Program, Workshop, issue_token, opened_ledger, read_model_of

CLUBS = 24
AFTER_MEMBERS = range(10, 20, 3)
"""How many events a club of the country has after its members have joined."""
PROVINCES = {"Lạng Sơn": 24, "Thanh Hóa": 2_400}
"""Clubs by province; the country's others lie in Nghệ An."""


GIFTS = "LS-GIFTS"
"""The fund that was given gifts only, as many as the largest of the library's clubs."""


def code_of(size: int) -> str:
    """The code of the fund of so many events."""
    return f"LS-{size}"


@cache
def fund_of(size: int) -> Fund:
    """A fund of so many events."""
    return lived(code_of(size), size)


def sized_funds(shop: Workshop, scale: Scale, engine: Engine) -> str:
    """A database with one fund of each size, and one of gifts only."""

    def make() -> str:
        url = shop.database(engine)
        with opened_ledger(url) as ledger:
            store(ledger, rows_of(ledger, gifts_only(GIFTS, scale.library_sizes[-1]).pending))
            for size in {*scale.fund_sizes, scale.large_fund}:
                store(ledger, rows_of(ledger, fund_of(size).pending))
        return url

    return shop.once(f"funds {engine}", make)


def province_codes() -> list[str]:
    """The codes of a province's clubs."""
    return [f"LS-{number:02d}" for number in range(1, CLUBS + 1)]


@cache
def province_entries(events: int) -> list[list[Entry]]:
    """24 clubs that lived alike, each with so many events."""
    return [lived(code, events).pending for code in province_codes()]


def province(shop: Workshop, scale: Scale, engine: Engine) -> str:
    """A database with the 24 clubs of a province; the read model is not made yet."""

    def make() -> str:
        url = shop.database(engine)
        with opened_ledger(url) as ledger:
            for entries in province_entries(scale.province_events):
                store(ledger, rows_of(ledger, entries))
        return url

    return shop.once(f"province {engine}", make)


def country_codes(clubs: int) -> list[str]:
    """The codes of all clubs of a country."""
    return [f"VN-{number:05d}" for number in range(1, clubs + 1)]


def country_rows(clubs: int, *, members: int) -> Iterator[StoredEvent]:
    """All clubs of a country, a few dozens of events each: some lives, told again under other codes and places."""
    lives = [lived("VN-00000", members + more, members=members).pending for more in AFTER_MEMBERS]
    places = [name for name, many in PROVINCES.items() for _ in range(many)]
    for number, code in enumerate(country_codes(clubs)):
        place = places[number] if number < len(places) else "Nghệ An"
        yield from retold(lives[number % len(lives)], code, place, f"{place} {number % 12 + 1}")


class Country(NamedTuple):
    """A database with all clubs of a country and their tables: how many events, and how long that took."""

    url: str
    events: int
    stored_in_seconds: float
    rebuilt_in_seconds: float


def country(shop: Workshop, scale: Scale, engine: Engine) -> Country:
    """All clubs of a country, in tables made anew."""

    def make() -> Country:
        url = shop.database(engine)
        with opened_ledger(url) as ledger:
            began = time.perf_counter()
            events = store(ledger, country_rows(scale.country_clubs, members=scale.country_members))
            stored_in = time.perf_counter() - began
            began = time.perf_counter()
            read_model_of(ledger).rebuild()
            return Country(url, events, stored_in, time.perf_counter() - began)

    return shop.once(f"country {engine}", make)


class Served(NamedTuple):
    """A service of ours and what opens it."""

    url: str
    program: Program
    headers: dict[str, str]


def served(shop: Workshop, engine: Engine) -> Served:
    """A service with 24 clubs that have just been founded, to record on; it runs until the end."""

    def start() -> Served:
        url = shop.database(engine)
        with opened_ledger(url) as ledger:
            for code in province_codes():
                store(ledger, rows_of(ledger, lived(code, 2 * MEMBERS).pending))
        program = shop.keep(shop.service(url))
        return Served(url, program, {"Authorization": f"Bearer {token_for(url)}", "Idempotency-Key": KEY})

    return shop.once(f"served {engine}", start)


def token_for(database_url: str) -> str:
    """A token for everything in a database."""
    with opened_ledger(database_url) as ledger:
        return issue_token(ledger)
