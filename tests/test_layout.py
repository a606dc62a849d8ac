"""The rooms of the service keep their order: a part imports only what stands before it, and few know the frameworks.

`python -m scripts.imports` draws the picture.
"""

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from scripts.imports import circles, edges

HOME = Path(__file__).parent.parent
SERVICE = {str(path.relative_to(HOME)): path for path in sorted((HOME / "service").rglob("*.py"))}

PARTS = (
    "bounds", "settings", "words", "templating", "terminal",
    "http",
    "access",
    "writes", "reads",
    "people", "papers", "checkpoints", "inspection", "takeover", "operations",
    "reports",
    "pages",
    "demo", "app", "command_line",
)  # fmt: skip
"""The parts of the service, each above those before it."""

WEB = ("fastapi", "starlette")
KNOWS_THE_WEB = ("http", "access", "pages", "app")
"""Parts that are about HTTP as such, and pages, which are routes. Elsewhere it is `routes.py` and the like, and
`dependencies.py`, which says what several routes read of a request."""
TERMINAL = ("typer",)
KNOWS_THE_TERMINAL = ("terminal", "command_line")
"""Elsewhere it is `commands.py` and the like."""


def part_of(path: str) -> str:
    return Path(path).parts[1].removesuffix(".py")


@cache
def imported(path: Path) -> list[str]:
    """What a file imports anywhere in it, dotted; also within functions, and what only a type checker reads."""
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return names


def foreign(path: str, names: Iterable[str]) -> list[str]:
    """Those imports of a file that are of its own part's followers, or of no part at all."""
    own = PARTS.index(part_of(path))
    ours = [name.split(".")[1] for name in names if name.startswith("service.")]
    return sorted({part for part in ours if part not in PARTS or PARTS.index(part) > own})


def knows(path: Path, frameworks: tuple[str, ...]) -> bool:
    return any(name.partition(".")[0] in frameworks for name in imported(path))


def test_a_part_imports_only_what_stands_before_it():
    parts = [path for path in SERVICE if path != "service/__init__.py"]
    assert {path: found for path in parts if (found := foreign(path, imported(SERVICE[path])))} == {}


def test_an_import_against_the_order_would_be_found():
    names = ("service.access.roles.admitted", "service.http.fields.Day", "service.words.catalogue", "ledger.money.PPM")
    assert foreign("service/http/state.py", names) == ["access"]
    assert foreign("service/words/catalogue.py", ("service.cellar.wine",)) == ["cellar"]


def test_only_routes_know_the_web():
    def may(path: str) -> bool:
        name = Path(path).stem
        return part_of(path) in KNOWS_THE_WEB or name in ("routes", "dependencies") or name.endswith("_routes")

    assert [path for path in SERVICE if knows(SERVICE[path], WEB) and not may(path)] == []


def test_only_commands_know_the_terminal():
    def may(path: str) -> bool:
        name = Path(path).stem
        return part_of(path) in KNOWS_THE_TERMINAL or name == "commands" or name.endswith("_commands")

    assert [path for path in SERVICE if knows(SERVICE[path], TERMINAL) and not may(path)] == []


def test_pages_never_import_a_route():
    pages = [path for path in SERVICE if part_of(path) == "pages"]
    words = [word for path in pages for name in imported(SERVICE[path]) for word in name.split(".")]
    assert [word for word in words if word == "routes" or word.endswith("_routes")] == []


def test_no_modules_import_each_other_but_events_and_what_they_change_and_only_in_annotations():
    """Why these may, `DECISIONS.md` says."""
    assert circles(edges(running=True)) == []
    wanted, *of_others = sorted(circles(edges()), key=lambda circle: (-len(circle), circle))
    kinds = ("people", "spending")
    assert of_others == [(f"ledger.aggregates.{kind}", f"ledger.events.{kind}") for kind in kinds]
    assert {name.rpartition(".")[0] or name for name in wanted} == {"ledger.aggregates", "ledger.events", "ledger"}
    assert {name for name in wanted if name.startswith("ledger.aggregates.")} == {
        f"ledger.aggregates.{name}"
        for name in ("duplicates", "entries", "loan", "log", "member", "parts", "posting", "state", "usual")
    }


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [("b", "c")]
