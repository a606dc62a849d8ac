"""When the lines of `ledger/` are counted, and when not: to count them more than doubles what runs meanwhile.

Coverage looks at every call, wherever it leads. So the ledger is imported while it counts, and then all that tests need
besides while it does not, before `tests/conftest.py` would.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pkgutil import walk_packages

from coverage import Coverage

import ledger


@contextmanager
def counting_no_lines() -> Iterator[None]:
    """Counts no lines until the end of the block."""
    if (counting := Coverage.current()) is None:
        yield
        return
    counting.stop()
    try:
        yield
    finally:
        counting.start()


for _module in walk_packages(ledger.__path__, "ledger."):
    import_module(_module.name)
with counting_no_lines():
    import_module("tests.support.service")
