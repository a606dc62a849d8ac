"""The house holds its own rules: who imports whom, how long a file may be, whole đồng only, words for everything.

The rules stand in `DECISIONS.md` and at the top of the packages; each is checked in the source itself.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

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
TREES = {path: ast.parse(path.read_text("utf-8")) for path in LEDGER}


def named(paths: list[Path]) -> dict[str, Path]:
    return {str(path.relative_to(HOME)): path for path in paths}


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


@pytest.mark.parametrize("path", named(LEDGER))
def test_the_ledger_knows_neither_the_web_nor_the_service(path):
    assert [name for name in imports(TREES[HOME / path]) if within(name, *OUTSIDE)] == []


@pytest.mark.parametrize("path", OWN)
def test_the_lowest_row_rests_on_the_standard_library_alone(path):
    ours = [name for name in imports(TREES[HOME / path]) if within(name, "ledger")]
    assert [name for name in ours if not within(name, *OWN[path])] == []
    assert [name for name in imports(TREES[HOME / path]) if within(name, "eventsourcing", "psycopg", "sqlite3")] == []


@pytest.mark.parametrize("path", [path for path in named(LEDGER) if path.startswith("ledger/events/")])
def test_events_rest_on_the_lowest_row(path):
    ours = [name for name in needed(TREES[HOME / path]) if within(name, "ledger")]
    assert [name for name in ours if not within(name, "ledger.events", *LOWEST)] == []


@pytest.mark.parametrize("path", [path for path in named(LEDGER) if path.startswith("ledger/aggregates/")])
def test_aggregates_rest_on_events_and_the_lowest_row(path):
    ours = [name for name in imports(TREES[HOME / path]) if within(name, "ledger")]
    assert [name for name in ours if not within(name, "ledger.aggregates", "ledger.events", *LOWEST)] == []
    assert [name for name in imports(TREES[HOME / path]) if within(name, "eventsourcing", "psycopg", "sqlite3")] == []


BENEATH = {
    "log": (),
    "member": (),
    "loan": (),
    "state": ("log", "member", "loan"),
    "books": ("log", "state"),
    "roll": ("log", "member", "loan", "state", "books"),
    "lending": ("log", "member", "loan", "state", "books"),
    "governance": ("log", "member", "loan", "state", "books"),
    "activities": ("log", "state", "books"),
}
"""The parts of a fund, and which others each may know: decisions stand side by side, on the state and the books."""


@pytest.mark.parametrize("part", BENEATH)
def test_decisions_stand_beside_one_another_on_the_state(part):
    ours = imports(TREES[HOME / f"ledger/aggregates/{part}.py"])
    others = [name for name in ours if within(name, "ledger.aggregates")]
    assert [name for name in others if name.split(".")[2] not in BENEATH[part]] == []


@pytest.mark.parametrize("path", [path for path in named(LEDGER) if path.startswith("ledger/projections/")])
def test_projections_never_know_the_aggregates(path):
    assert [name for name in imports(TREES[HOME / path]) if within(name, "ledger.aggregates")] == []


@pytest.mark.parametrize("path", [path for path in named(LEDGER) if path.startswith("ledger/flags/")])
def test_flags_are_folded_from_the_log_alone(path):
    ours = [name for name in imports(TREES[HOME / path]) if within(name, "ledger")]
    beneath = ("ledger.flags", "ledger.aggregates", "ledger.events", *LOWEST)
    assert [name for name in ours if not within(name, *beneath)] == []


# Clocks, the environment, fractions

CLOCKS = {"now", "utcnow", "today", "fromtimestamp", "time", "time_ns", "localtime", "gmtime"}
PATIENCE = {("ledger/application.py", "time.monotonic"), ("ledger/application.py", "time.sleep")}
"""Waiting for a storage that is away is measured, not told: no instant comes out of it."""


def calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", named(LEDGER))
def test_the_ledger_looks_at_no_clock_and_no_environment(path):
    tree = TREES[HOME / path]
    looks = [call for call in calls(tree) if re.fullmatch(r"(datetime|date|time|datetime\.\w+)\.\w+", call)]
    assert [call for call in looks if call.rpartition(".")[2] in CLOCKS] == []
    assert [name for name in imports(tree) if within(name, "os.environ", "os.getenv", "dotenv")] == []
    assert [ast.unparse(node) for node in ast.walk(tree) if ast.unparse(node) in ("os.environ", "os.getenv")] == []


@pytest.mark.parametrize("path", [path for path in named(KERNEL) if "aggregates" in path or "events" in path])
def test_a_decision_never_waits_nor_draws_lots(path):
    assert [name for name in imports(TREES[HOME / path]) if within(name, "time", "random", "secrets", "uuid")] == []


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


@pytest.mark.parametrize("path", named(LEDGER))
def test_there_is_no_float_near_money(path):
    found = [each for each in fractions(TREES[HOME / path]) if (path, each) not in SECONDS]
    assert [each for each in found if path != DISCOUNTING or "Decimal" not in each] == []


def test_floats_and_clocks_would_be_found():
    suspect = ast.parse("x = 1.5; y = float(x); z = x / 2; z /= 2; w = 7 // 2; t = datetime.now(UTC); u = round(x)")
    assert len(list(fractions(suspect))) == 5
    assert "datetime.now" in calls(suspect)


# Evolving

JUDGING = {"Raise", "Try", "Assert"}


@pytest.mark.parametrize("path", [path for path in named(LEDGER) if path.startswith("ledger/events/")])
def test_what_an_event_does_to_the_fund_never_refuses(path):
    for node in ast.walk(TREES[HOME / path]):
        if isinstance(node, ast.FunctionDef) and node.name in ("evolve", "revoke", "legs"):
            assert not {type(inner).__name__ for inner in ast.walk(node)} & JUDGING, node.name


# Size and leftovers

LONGEST = 400
LONGER: dict[str, str] = {}
"""Files that may be longer, each with its reason."""


@pytest.mark.parametrize("path", named([*LEDGER, *SERVICE, *SCRIPTS, *TESTS]))
def test_no_file_eats_the_project(path):
    length = len((HOME / path).read_text("utf-8").splitlines())
    assert (length <= LONGEST) is (path not in LONGER), f"{length} lines"


@pytest.mark.parametrize("path", named([*LEDGER, *SERVICE, *SCRIPTS]))
def test_nothing_is_left_for_later_in_a_comment(path):
    leftover = re.compile("TODO|FIXME")
    assert leftover.findall((HOME / path).read_text("utf-8")) == []


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
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Raise) and node.exc is not None:
                call = node.exc
                name = ast.unparse(call.func if isinstance(call, ast.Call) else call)
                facts = {word.arg for word in call.keywords if word.arg} if isinstance(call, ast.Call) else set()
                if isinstance(getattr(refusals, name, None), type):
                    yield f"{path.relative_to(HOME)}:{node.lineno}", name, facts
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                name = ast.unparse(node.value.func)
                if isinstance(getattr(refusals, name, None), type):
                    yield (
                        f"{path.relative_to(HOME)}:{node.lineno}",
                        name,
                        {word.arg or "" for word in node.value.keywords},
                    )


RAISED = {where: (name, facts) for where, name, facts in raised()}


def test_every_refusal_has_a_code_of_its_own():
    assert len(REFUSALS) == len(list(every_refusal()))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in REFUSALS)


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_is_told_in_both_languages(code):
    for language in ("vi", "en"):
        for part in ("title", "detail"):
            assert (f"refusal.{code}.{part}" in catalogue.every_key()) is True
            catalogue.fields(f"refusal.{code}.{part}", language)


@pytest.mark.parametrize("where", RAISED)
def test_a_refusal_gives_all_the_facts_its_words_name(where):
    name, facts = RAISED[where]
    code = getattr(refusals, name).code
    spoken = {fact for language in ("vi", "en") for fact, _ in catalogue.fields(f"refusal.{code}.detail", language)}
    assert spoken <= facts, name


@pytest.mark.parametrize("code", REFUSALS)
def test_every_refusal_is_given_somewhere_and_tried(code):
    name = REFUSALS[code].__name__
    assert name in {name for name, _ in RAISED.values()}
    tests = (path.read_text("utf-8") for path in Path(__file__).parent.rglob("test_*.py") if path != Path(__file__))
    assert any(re.search(rf"\b{name}\b[,)\]]", text) or f'"{code}"' in text for text in tests)


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_event_has_a_sentence_and_a_name_in_both_languages(name):
    keys = [key for key in catalogue.every_key() if key == f"sentence.{name}" or key.startswith(f"sentence.{name}.")]
    assert keys
    for language in ("vi", "en"):
        assert all(catalogue.fields(key, language) is not None for key in keys)
        assert catalogue.word("event", name, language)
