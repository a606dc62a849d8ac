"""What was found of one thing that matters: well, to be seen to, or dangerous."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

Level = Literal["well", "warning", "danger"]


class Finding(NamedTuple):
    """One thing: its words are in the catalogue under `doctor.CODE`, with why it matters and what to do unless all is
    well."""

    level: Level
    code: str
    facts: dict[str, Any]


def well(code: str, /, **facts: Any) -> Finding:
    """Nothing to do."""
    return Finding("well", code, facts)


def warning(code: str, /, **facts: Any) -> Finding:
    """It works, and is to be seen to."""
    return Finding("warning", code, facts)


def danger(code: str, /, **facts: Any) -> Finding:
    """It does not work, or entries or names may be lost."""
    return Finding("danger", code, facts)
