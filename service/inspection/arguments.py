"""Days and instants that a command is given, read as the service prints them: in JSON, in a stored line, on paper.

Read by the same parsers as those of requests, which take long to import and so are imported when something is given.
"""

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from ledger.days import civil_day, last_asked
from service.terminal import Mistake

if TYPE_CHECKING:
    from ledger.differences import End

_ON_PAPER: Final = re.compile(r"(?<!\d)(\d\d)/(\d\d)/(\d{4})(?!\d)", re.ASCII)


def day(text: str) -> date:
    """A day such as 2024-12-31 or 31/12/2024. Raises `Mistake`."""
    from pydantic import TypeAdapter, ValidationError

    from service.http.fields import Day

    try:
        return _near(TypeAdapter(Day).validate_python(_as_iso(text)))
    except ValidationError:
        raise Mistake("day", text=text) from None


def instant(text: str) -> datetime:
    """An instant such as 2024-12-31T08:00:00.123456Z. Raises `Mistake`."""
    from pydantic import TypeAdapter, ValidationError

    from service.http.fields import Instant

    try:
        return TypeAdapter(Instant).validate_python(text.strip())
    except ValidationError:
        raise Mistake("instant", text=text) from None


def point(text: str) -> "End":
    """A point in both times: DAY, DAY@INSTANT or DAY@VERSION. Raises `Mistake`."""
    from pydantic_core import PydanticCustomError

    from service.http.fields import end_of

    try:
        end = end_of(_as_iso(text))
    except PydanticCustomError:
        raise Mistake("point", text=text) from None
    if end.as_of is not None:
        _near(end.as_of)
    return end


def _near(day: date) -> date:
    """The day, if one may ask about it. Raises `Mistake`."""
    latest = last_asked(civil_day(datetime.now(UTC)))
    if day > latest:
        raise Mistake("day-too-far", day=day, latest=latest)
    return day


def _as_iso(text: str) -> str:
    """The text with its days turned round, as papers and sentences write them."""
    return _ON_PAPER.sub(r"\3-\2-\1", text.strip())
