"""Claims about the throttle: what was tried is counted wherever and whenever the service runs, and by where from."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from typing import Any, cast

import pytest
from eventsourcing.persistence import OperationalError

from ledger.application import Ledger
from service.access.throttle import BATCH_SECONDS, MOST_WAITING, Bound, Throttle
from service.http.addresses import address_of, neighbourhood
from service.http.refusals import TooManyRequests
from service.settings import BadSetting, BadSettings, load_settings
from tests.support.jobs import opened
from tests.support.service import FUND, Clock, House, house

CODES = Bound("codes", most=10, seconds=900)
HERE, THERE = "203.0.113.7", "203.0.113.8"


@contextmanager
def throttle_of(ledger: Ledger, clock: Clock) -> Iterator[Throttle]:
    with Throttle(ledger.database, clock) as throttle:
        yield throttle


def refused(work: Callable[[], Coroutine[Any, Any, object]]) -> int | None:
    """After how many seconds something may be tried again; None if it was let through."""
    try:
        asyncio.run(work())
    except TooManyRequests as refusal:
        return cast("int", refusal.facts["retry_after"])
    return None


def let_through(throttle: Throttle, times: int, *counted_by: str, bound: Bound = CODES) -> int:
    """How many of so many tries at once are let through."""

    async def tries() -> list[object]:
        return await asyncio.gather(
            *(throttle.attempt(bound, *counted_by) for _ in range(times)), return_exceptions=True
        )

    answers = asyncio.run(tries())
    assert all(isinstance(answer, TooManyRequests) for answer in answers if isinstance(answer, Exception))
    return sum(not isinstance(answer, Exception) for answer in answers)


def stored(ledger: Ledger) -> int:
    return len(ledger.database.query("SELECT key FROM attempts"))


def test_ten_of_many_tries_at_once_are_let_through_and_a_restart_forgives_none(database_url: str) -> None:
    clock = Clock()
    with opened(database_url) as ledger, throttle_of(ledger, clock) as throttle:
        assert let_through(throttle, 40, HERE) == 10
    with opened(database_url) as ledger, throttle_of(ledger, clock) as throttle:
        assert let_through(throttle, 40, HERE) == 0
        assert let_through(throttle, 1, THERE) == 1


def test_two_copies_of_the_service_let_no_more_through_than_one(database_url: str) -> None:
    clock = Clock()
    with (
        opened(database_url) as one,
        opened(database_url) as other,
        throttle_of(one, clock) as first,
        throttle_of(other, clock) as second,
    ):

        async def tries() -> list[object]:
            both = [throttle.attempt(CODES, HERE) for throttle in (first, second) * 20]
            return await asyncio.gather(*both, return_exceptions=True)

        answers = asyncio.run(tries())
    assert sum(not isinstance(answer, Exception) for answer in answers) == 10


def test_a_try_is_possible_again_when_the_first_is_over_and_not_before(database_url: str) -> None:
    clock = Clock()
    with opened(database_url) as ledger, throttle_of(ledger, clock) as throttle:
        assert let_through(throttle, 1, HERE) == 1
        clock.pass_seconds(100)
        assert let_through(throttle, 20, HERE) == 9
        assert refused(lambda: throttle.attempt(CODES, HERE)) == 800
        clock.pass_seconds(799)
        assert let_through(throttle, 20, HERE) == 0
        clock.pass_seconds(2)
        assert let_through(throttle, 20, HERE) == 1
        clock.pass_seconds(901)
        assert let_through(throttle, 1, HERE) == 1
        assert stored(ledger) == 1, "what is over is not kept"


def test_each_of_the_things_a_try_is_counted_by_can_refuse_it(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, throttle_of(ledger, Clock()) as throttle:
        assert [let_through(throttle, 2, f"203.0.113.{n}", "one code") for n in range(5)] == [2] * 5
        assert let_through(throttle, 1, THERE, "one code") == 0
        assert let_through(throttle, 1, THERE, "another code") == 1
        assert let_through(throttle, 1, "one code", bound=Bound("other", 1, 60)) == 1, "bounds are counted apart"


def test_who_is_refused_writes_nothing_and_does_not_wait_longer_for_trying_on(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, throttle_of(ledger, Clock()) as throttle:
        let_through(throttle, 10, HERE)
        before, wait = stored(ledger), refused(lambda: throttle.attempt(CODES, HERE))
        assert let_through(throttle, 150, HERE) == 0
        assert (stored(ledger), refused(lambda: throttle.attempt(CODES, HERE))) == (before, wait)


def test_what_was_right_is_counted_no_longer(database_url: str) -> None:
    async def right(throttle: Throttle) -> None:
        await throttle.forgive(await throttle.attempt(CODES, HERE, "code"))

    with opened(database_url) as ledger, throttle_of(ledger, Clock()) as throttle:
        let_through(throttle, 9, HERE, "code")
        for _ in range(3):
            asyncio.run(right(throttle))
        assert let_through(throttle, 2, HERE, "code") == 1


def test_many_tries_are_a_few_transactions_of_the_logs_only_writer(sqlite_url: str, monkeypatch) -> None:
    begun = []

    with opened(sqlite_url) as ledger:
        transaction = ledger.database.transaction

        def counted(**how: bool) -> Any:
            begun.append(how)
            return transaction(**how)

        monkeypatch.setattr(ledger.database, "transaction", counted)
        with throttle_of(ledger, Clock()) as throttle:

            async def flood() -> list[object]:
                tries = [throttle.attempt(CODES, f"203.0.{n // 250}.{n % 250}") for n in range(MOST_WAITING)]
                return await asyncio.gather(*tries)

            began = time.monotonic()
            asyncio.run(flood())
            took = time.monotonic() - began
            # One that came first, and all the others; on a busy machine those of as many batches as it took.
            assert len(begun) <= 2 + took / BATCH_SECONDS
    assert BATCH_SECONDS >= 0.1


def test_more_than_can_wait_are_refused_at_once(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, throttle_of(ledger, Clock()) as throttle:

        async def flood() -> list[object]:
            tries = [throttle.attempt(CODES, f"2001:db8:{n:x}::") for n in range(3 * MOST_WAITING)]
            return await asyncio.gather(*tries, return_exceptions=True)

        answers = asyncio.run(flood())
        refusals = [answer for answer in answers if isinstance(answer, TooManyRequests)]
        assert {refusal.facts["retry_after"] for refusal in refusals} == {1}
        assert MOST_WAITING <= len(answers) - len(refusals) < 3 * MOST_WAITING


def test_who_leaves_before_the_answer_takes_it_from_nobody_and_is_counted(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, throttle_of(ledger, Clock()) as throttle:

        async def leave() -> None:
            leaving = [asyncio.ensure_future(throttle.attempt(CODES, HERE)) for _ in range(4)]
            await asyncio.sleep(0)
            for task in leaving:
                task.cancel()
            await asyncio.gather(*leaving, return_exceptions=True)

        asyncio.run(leave())
        assert let_through(throttle, 20, HERE) == 6


def test_nobodys_address_is_stored(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger, throttle_of(ledger, Clock()) as throttle:
        let_through(throttle, 1, HERE)
        assert HERE not in str(ledger.database.query("SELECT * FROM attempts"))


def test_while_nothing_can_be_stored_nothing_is_let_through(village: House, monkeypatch) -> None:
    def away(**_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(village.state.ledger.database, "transaction", away)
    query = {"fund": FUND, "code": "VVFP-HHXA-H3BA-NZIX"}
    assert village.client.get("/v1/check", params=query).status_code == 503


# --- addresses ----------------------------------------------------------------------------------------------------

PROXIES = (ip_network("10.0.0.0/8"), ip_network("::1/128"))


def seen(peer: str | None, *headers: tuple[str, str], proxies=PROXIES) -> str:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return address_of({"client": peer and (peer, 4711), "headers": raw}, proxies)


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ([], "10.0.0.1"),
        ([("x-forwarded-for", HERE)], HERE),
        ([("x-forwarded-for", f"{THERE}, {HERE}")], HERE),
        ([("x-forwarded-for", THERE), ("x-forwarded-for", HERE)], HERE),
        ([("x-forwarded-for", f"{THERE},{HERE} , 10.0.0.2")], HERE),
        ([("x-forwarded-for", "10.0.0.3, 10.0.0.2")], "10.0.0.3"),
        ([("x-forwarded-for", f"{HERE}:4711")], HERE),
        ([("x-forwarded-for", "2001:db8::7")], "2001:db8::7"),
        ([("x-forwarded-for", "[2001:db8::7]:4711")], "2001:db8::7"),
        ([("x-forwarded-for", "::ffff:203.0.113.7")], HERE),
        ([("x-forwarded-for", f"{THERE}, unknown, 10.0.0.2")], "10.0.0.2"),
        ([("x-forwarded-for", f"{THERE}, 0x7f.1")], "10.0.0.1"),
        ([("x-forwarded-for", f"{THERE},")], "10.0.0.1"),
        ([("forwarded", f"for={HERE}")], HERE),
        ([("forwarded", f"for={THERE}, FOR={HERE};proto=https")], HERE),
        ([("forwarded", f'for={THERE}, proto=https;For="{HERE}:4711";by=10.0.0.1')], HERE),
        ([("forwarded", 'for="[2001:db8::7]:4711"')], "2001:db8::7"),
        ([("forwarded", f'for={THERE}, for="203.0.113\\.7"')], HERE),
        ([("forwarded", f'for={THERE}, for="_x,for={HERE}"')], "10.0.0.1"),
        ([("forwarded", f'for={THERE}, for="{HERE}')], "10.0.0.1"),
        ([("forwarded", f"for={THERE}, for=_hidden")], "10.0.0.1"),
        ([("forwarded", f"for={THERE}, for={HERE};for={HERE}")], "10.0.0.1"),
        ([("forwarded", f"for={THERE}, by={HERE}")], "10.0.0.1"),
        ([("forwarded", f"for={THERE}, for = {HERE}")], "10.0.0.1"),
        ([("forwarded", f"for={HERE}"), ("x-forwarded-for", THERE)], HERE),
    ],
)
def test_a_named_proxy_is_believed_and_what_was_sent_to_it_is_not(headers, address: str) -> None:
    assert seen("10.0.0.1", *headers) == address


@pytest.mark.parametrize("name", ["forwarded", "x-forwarded-for"])
def test_a_header_of_a_peer_that_is_no_named_proxy_counts_for_nothing(name: str) -> None:
    value = f"for={THERE}" if name == "forwarded" else THERE
    assert seen(HERE, (name, value)) == HERE
    assert seen("10.0.0.1", (name, value), proxies=()) == "10.0.0.1"
    assert seen(None, (name, value)) == ""


def test_a_household_with_ipv6_is_counted_as_one() -> None:
    assert neighbourhood("2001:db8:1:2:3::4") == neighbourhood("2001:db8:1:2:ffff::") != neighbourhood("2001:db8:1:3::")
    assert neighbourhood(HERE) == HERE
    assert neighbourhood("") == ""


def test_a_spoofed_header_does_not_get_around_the_check(sqlite_url: str) -> None:
    with house(sqlite_url, checks_per_minute=3, proxies="10.0.0.0/8") as running:
        query = {"fund": FUND, "code": "VVFP-HHXA-H3BA-NZIX"}
        statuses = [
            running.client.get("/v1/check", params=query, headers={"X-Forwarded-For": f"203.0.113.{n}"}).status_code
            for n in range(5)
        ]
        assert statuses == [200, 200, 200, 429, 429]


def test_proxies_are_named_by_address_or_network(monkeypatch) -> None:
    monkeypatch.setenv("MICROFUND_PROXIES", "127.0.0.1, 10.0.0.0/8,::1")
    assert load_settings().proxies == (ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("::1"))
    monkeypatch.setenv("MICROFUND_PROXIES", "nginx.example")
    with pytest.raises(BadSettings) as wrong:
        load_settings()
    (fault,) = wrong.value.exceptions
    assert isinstance(fault, BadSetting)
    assert (fault.code, fault.facts) == ("networks", {"name": "MICROFUND_PROXIES"})
