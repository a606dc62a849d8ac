"""What tests of pages share: one driver and one browser, and one club founded for all of a worker's tests."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.support.browser import FLAGS, chromium
from tests.support.sheet import Founded, found


@pytest.fixture(scope="package")
def playwright() -> Iterator[Any]:
    """What drives browsers, where there is one. It keeps an event loop; beside it no test elsewhere could begin one."""
    chromium()
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Any) -> Iterator[Any]:
    """A browser whose phones are contexts; what outlives a browser is tried with one of its own."""
    own = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
    yield own
    own.close()


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Founded:
    """A club with twelve members, two of one name, and a treasurer's phones."""
    return found(tmp_path_factory.mktemp("club") / "fund.db")
