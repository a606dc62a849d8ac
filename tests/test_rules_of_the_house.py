"""The house holds its own rules: who imports whom, how long a file may be, whole đồng only, words for everything.

The rules stand in `DECISIONS.md` and at the top of the packages; each is checked in the source itself.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from ledger import refusals
from ledger.events import EVENT_TYPES
from ledger.refusals import Conflict, NotFound, Refusal
from service.words import catalogue

HOME = Path(__file__).parent.parent
LEDGER = sorted((HOME / "ledger").rglob("*.py"))
SERVICE = sorted((HOME / "service").rglob("*.py"))
SCRIPTS = [path for path in sorted((HOME / "scripts").iterdir()) if path.is_file()]
TESTS = sorted((HOME / "tests").rglob("*.py"))
KERNEL = [path for path in LEDGER if path.parent.name != "projections"]


def named(paths: list[Path], part: str = "") -> list[str]:
    """Their names from the house's root; of a part of it alone, if one is given."""
    return [name for path in paths if (name := str(path.relative_to(HOME))).startswith(part)]


@cache
def parsed(path: str) -> ast.Module:
    return ast.parse((HOME / path).read_text("utf-8"))


def astray(paths: Iterable[str], found_in: Callable[[str], Iterable[object]]) -> dict[str, list[object]]:
    """The files that have something they should not, with what it is."""
    return {path: found for path in paths if (found := list(found_in(path)))}


def imported(path: str, *packages: str) -> list[str]:
    """What a file imports of these packages."""
    return [name for name in imports(parsed(path)) if within(name, *packages)]


def imports(tree: ast.AST) -> Iterator[str]:
    """The modules and names a file imports, dotted: `ledger.events.base.Event`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def needed(tree: ast.Module) -> Iterator[str]:
    """What a file imports to run; what only a type checker reads is left out."""
    pruned = ast.parse(ast.unparse(tree))
    for node in ast.walk(pruned):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return imports(pruned)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


# Who imports whom

OUTSIDE = (
    "fastapi",
    "starlette",
    "pydantic",
    "pydantic_settings",
    "typer",
    "rich",
    "jinja2",
    "uvicorn",
    "service",
    "tests",
)
LOWEST = ("ledger.money", "ledger.days", "ledger.refusals", "ledger.chart", "ledger.terms", "ledger.sampling")
OWN = {
    "ledger/money.py": (),
    "ledger/days.py": (),
    "ledger/refusals.py": (),
    "ledger/chart.py": (),
    "ledger/sampling.py": (),
    "ledger/terms.py": LOWEST,
}


def test_the_ledger_knows_neither_the_web_nor_the_service():
    assert astray(named(LEDGER), lambda path: imported(path, *OUTSIDE)) == {}


STORAGE = ("eventsourcing", "psycopg", "sqlite3")


def beyond(names: Iterable[str], *allowed: str) -> list[str]:
    """Those of our own names that are of none of the packages allowed, and whatever stores."""
    ours = [name for name in names if within(name, "ledger", *STORAGE)]
    return [name for name in ours if not within(name, *allowed)]


def test_the_lowest_row_rests_on_the_standard_library_alone():
    assert astray(OWN, lambda path: beyond(imports(parsed(path)), *OWN[path])) == {}


def test_events_rest_on_the_lowest_row():
    found = astray(named(LEDGER, "ledger/events/"), lambda path: beyond(needed(parsed(path)), "ledger.events", *LOWEST))
    assert found == {}


def test_aggregates_rest_on_events_and_the_lowest_row():
    allowed = ("ledger.aggregates", "ledger.events", *LOWEST)
    found = astray(named(LEDGER, "ledger/aggregates/"), lambda path: beyond(imports(parsed(path)), *allowed))
    assert found == {}


BENEATH = {
    "entries": (),
    "requests": (),
    "pages": (),
    "posting": (),
    "usual": (),
    "duplicates": (),
    "log": ("entries", "requests"),
    "member": (),
    "loan": (),
    "parts": ("entries", "member", "loan", "pages"),
    "state": ("entries", "log", "member", "loan", "pages", "parts", "posting", "usual", "duplicates"),
    "books": ("log", "state"),
    "roll": ("log", "member", "loan", "state", "books"),
    "lending": ("log", "member", "loan", "state", "books"),
    "governance": ("log", "member", "loan", "state", "books"),
    "activities": ("log", "state", "books"),
}
"""The parts of a fund, and which others each may know: decisions stand side by side, on the state and the books."""


def test_decisions_stand_beside_one_another_on_the_state():
    def others(part: str) -> list[str]:
        names = imported(f"ledger/aggregates/{part}.py", "ledger.aggregates")
        return [name for name in names if name.split(".")[2] not in BENEATH[part]]

    assert astray(BENEATH, others) == {}


def test_projections_never_know_the_aggregates():
    assert astray(named(LEDGER, "ledger/projections/"), lambda path: imported(path, "ledger.aggregates")) == {}


def test_flags_are_folded_from_the_log_alone():
    beneath = ("ledger.flags", "ledger.aggregates", "ledger.events", *LOWEST)
    found = astray(named(LEDGER, "ledger/flags/"), lambda path: beyond(imported(path, "ledger"), *beneath))
    assert found == {}


# Clocks, the environment, fractions

CLOCKS = {"now", "utcnow", "today", "fromtimestamp", "time", "time_ns", "localtime", "gmtime"}
PATIENCE = {("ledger/application.py", "time.monotonic"), ("ledger/application.py", "time.sleep")}
"""Waiting for a storage that is away is measured, not told: no instant comes out of it."""


def outward_looks(tree: ast.AST) -> Iterator[str]:
    """Where a file looks at a clock or the environment."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            is_of_time = re.fullmatch(r"(datetime|date|time|datetime\.\w+)\.\w+", call)
            if is_of_time and call.rpartition(".")[2] in CLOCKS:
                yield call
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv"):
            yield ast.unparse(node)
    yield from (name for name in imports(tree) if within(name, "os.environ", "os.getenv", "dotenv"))


def test_the_ledger_looks_at_no_clock_and_no_environment():
    assert astray(named(LEDGER), lambda path: outward_looks(parsed(path))) == {}


def test_a_decision_never_waits_nor_draws_lots():
    deciding = [path for path in named(KERNEL) if "aggregates" in path or "events" in path]
    assert astray(deciding, lambda path: imported(path, "time", "random", "secrets", "uuid")) == {}


SECONDS = {
    ("ledger/application.py", "0.5"),
    ("ledger/application.py", "0.002"),
    ("ledger/application.py", "0.05"),
    ("ledger/storage/postgres_sessions.py", "0.1"),
    ("ledger/storage/postgres.py", "float(LOCK_SECONDS)"),
    ("ledger/storage/sqlite_connections.py", "float(LOCK_SECONDS)"),
    ("ledger/storage/sqlite_connections.py", "0.05"),
    ("ledger/projections/read_model.py", "60.0"),
    ("ledger/projections/read_model.py", "0.1"),
    ("ledger/projections/follower.py", "0.5"),
    ("ledger/projections/follower.py", "0.25"),
}
"""The only numbers with a fraction are pauses in seconds."""
DISCOUNTING = "ledger/projections/loan_account.py"
"""Looks for a yearly rate in whole ppm by discounting, in exact decimals; no amount is made of them."""


def fractions(tree: ast.AST) -> Iterator[str]:
    """Literals, conversions and divisions that give a float."""
    for node in ast.walk(tree):
        is_literal = isinstance(node, ast.Constant) and isinstance(node.value, float | complex)
        is_conversion = isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "float",
            "Decimal",
            "round",
            "Fraction",
        )
        is_division = isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div)
        if is_literal or is_conversion or is_division:
            yield ast.unparse(node)


def test_there_is_no_float_near_money():
    def near_money(path: str) -> list[str]:
        found = [each for each in fractions(parsed(path)) if (path, each) not in SECONDS]
        return [each for each in found if path != DISCOUNTING or "Decimal" not in each]

    assert astray(named(LEDGER), near_money) == {}


def test_floats_and_clocks_would_be_found():
    fractional = ast.parse("x = 1.5; y = float(x); z = x / 2; z /= 2; w = 7 // 2; u = round(x)")
    outward = ast.parse(
        "import os.environ; t = datetime.now(UTC); d = date.today(); h = os.environ['HOME']; date(1, 1, 1)"
    )
    assert len(list(fractions(fractional))) == 5
    assert len(list(outward_looks(outward))) == 4


# Evolving

JUDGING = {"Raise", "Try", "Assert"}


def test_what_an_event_does_to_the_fund_never_refuses():
    def judging(path: str) -> Iterator[str]:
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef) and node.name in ("evolve", "revoke", "legs"):
                yield from (node.name for inner in ast.walk(node) if type(inner).__name__ in JUDGING)

    assert astray(named(LEDGER, "ledger/events/"), judging) == {}


# Size and leftovers

LONGEST = 400
LONGER: dict[str, str] = {}
"""Files that may be longer, each with its reason."""


def test_no_file_eats_the_project():
    paths = named([*LEDGER, *SERVICE, *SCRIPTS, *TESTS])
    lengths = {path: len((HOME / path).read_text("utf-8").splitlines()) for path in paths}
    assert {path: length for path, length in lengths.items() if (length > LONGEST) is not (path in LONGER)} == {}


def test_nothing_is_left_for_later_in_a_comment():
    leftover = re.compile("TODO|FIXME")
    paths = named([*LEDGER, *SERVICE, *SCRIPTS])
    assert astray(paths, lambda path: leftover.findall((HOME / path).read_text("utf-8"))) == {}


# Words for everything


def every_refusal(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    for child in kind.__subclasses__():
        if child.__module__ == refusals.__name__:
            if child not in (NotFound, Conflict):
                yield child
            yield from every_refusal(child)


REFUSALS = {kind.code: kind for kind in every_refusal()}


def raised() -> Iterator[tuple[str, str, set[str]]]:
    """Each place in the ledger that raises a refusal: where, which, and the facts it gives."""
    for path in named(LEDGER):
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Raise) and node.exc is not None:
                call = node.exc
                name = ast.unparse(call.func if isinstance(call, ast.Call) else call)
                facts = {word.arg for word in call.keywords if word.arg} if isinstance(call, ast.Call) else set()
                if isinstance(getattr(refusals, name, None), type):
                    yield f"{path}:{node.lineno}", name, facts
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                name = ast.unparse(node.value.func)
                if isinstance(getattr(refusals, name, None), type):
                    yield (
                        f"{path}:{node.lineno}",
                        name,
                        {word.arg or "" for word in node.value.keywords},
                    )


def test_every_refusal_has_a_code_of_its_own():
    assert len(REFUSALS) == len(list(every_refusal()))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in REFUSALS)


def test_every_refusal_is_told_in_both_languages():
    keys = {f"refusal.{code}.{part}" for code in REFUSALS for part in ("title", "detail")}
    assert keys - set(catalogue.every_key()) == set()
    for language in ("vi", "en"):
        for key in keys:
            catalogue.fields(key, language)


def spoken(refusal: str) -> set[str]:
    """The facts that a refusal's words name, in either language."""
    key = f"refusal.{getattr(refusals, refusal).code}.detail"
    return {fact for language in ("vi", "en") for fact, _ in catalogue.fields(key, language)}


def test_a_refusal_gives_all_the_facts_its_words_name():
    silent = {where: (name, missing) for where, name, facts in raised() if (missing := spoken(name) - facts)}
    assert silent == {}


def test_every_refusal_is_given_somewhere_and_tried():
    tests = [path for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__)]
    said = "\n".join(path.read_text("utf-8") for path in tests)
    words, quoted = set(re.findall(r"\b(\w+)\b[,)\]]", said)), set(re.findall(r'"([a-z-]+)"', said))
    names = {kind.__name__: code for code, kind in REFUSALS.items()}

    assert names.keys() - {name for _, name, _ in raised()} == set()
    assert {name for name, code in names.items() if name not in words and code not in quoted} == set()


def test_every_event_has_a_sentence_and_a_name_in_both_languages():
    for name in EVENT_TYPES:
        sentence = f"sentence.{name}"
        keys = [key for key in catalogue.every_key() if key == sentence or key.startswith(f"{sentence}.")]
        assert keys, name
        for language in ("vi", "en"):
            assert all(catalogue.fields(key, language) is not None for key in keys)
            assert catalogue.word("event", name, language), name
