"""Many cases of one claim in one test, where a test for each would cost more than the cases themselves."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def case(*named: object) -> Iterator[None]:
    """One of them: what fails in it tells which it is."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"the case: {', '.join(map(str, named))}")
        raise
