"""Whoever follows a reference arrives: files, sections and clauses of the plan that docstrings, comments and pages name
are there, and what the contracts list is what the code has. Users of the API are sent to none of them.
"""

import ast
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from ledger.chart import ACCOUNTS
from ledger.events import EVENT_TYPES, Bylaws
from ledger.events.money import Activity, DonationSource
from tests.support.documented import api_document

HOME = next(folder for folder in Path(__file__).resolve().parents if (folder / "pyproject.toml").exists())
PARTS = ("ledger", "service", "scripts", "tests", "docs")
SOURCES = [path for part in PARTS[:-1] for path in sorted((HOME / part).rglob("*")) if path.is_file()]
PROGRAMS = [path for path in SOURCES if path.suffix == ".py" or (path.parent.name == "scripts" and not path.suffix)]
PAGES = sorted([*HOME.glob("*.md"), *(HOME / "docs").glob("*.md")])
DOMAIN, API = ((HOME / "docs" / name).read_text("utf-8") for name in ("domain.md", "api.md"))


def astray(paths: Iterable[Path], found_in: Callable[[Path], Iterable[str]]) -> dict[str, list[str]]:
    """The files that have something they should not, with what it is."""
    return {str(path.relative_to(HOME)): found for path in paths if (found := list(found_in(path)))}


# --- what refers ------------------------------------------------------------------------------------------------------


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


@cache
def prose(path: Path) -> str:
    """What a file says to whoever reads it: a page whole, of a program its docstrings and comments."""
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        return text
    comments = " ".join(re.findall(r"(?:^|\s)# (.*)", text))
    if path.suffix != ".py" and "python" not in text.partition("\n")[0]:
        return comments
    docstrings = [node.value.value for node in ast.walk(ast.parse(text)) if is_text(node)]  # type: ignore[attr-defined]
    return "\n".join([*docstrings, comments])


# --- whether it leads somewhere ---------------------------------------------------------------------------------------


@cache
def sections(page: Path) -> set[str]:
    """The numbers of a page's headings."""
    return set(re.findall(r"^#+ (\d+)\. ", page.read_text("utf-8"), re.MULTILINE))


@cache
def anchors(page: Path) -> set[str]:
    """What a page's headings can be linked by."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def clauses() -> set[str]:
    """The clauses of the plan, as `III.2`."""
    part, found = "", set()
    for line in (HOME / "docs" / "plan-47-2022.txt").read_text("utf-8").splitlines():
        if begins := re.match(r"([IVX]+)\. ", line):
            part = begins[1]
        elif begins := re.match(r"(\d)\. ", line):
            found.add(f"{part}.{begins[1]}")
    return found


CLAUSES = clauses()
PAGE = re.compile(r"([\w/-]+\.md)(?:`|\]\([^)]*\))?((?:,? (?:and )?§\d+)*)")
PLAN = re.compile(r"plan 47, ([IVX]+\.\d+)(?: and ([IVX]+\.\d+))?")
PLACE = re.compile(rf"(?<![\w./-])(?:{'|'.join(PARTS)})/[\w./-]*\w")
LINK = re.compile(r"\]\(([^)#\s]*)#?([^)\s]*)\)")
OWN = re.compile(r"(?<!\d, )(?:section|phần) (\d+)\b")


def page_of(name: str) -> Path | None:
    return next((path for path in (HOME / name, HOME / "docs" / name) if path.is_file()), None)


def dangling(text: str, page: Path | None = None) -> Iterator[str]:
    """The references in a text that lead nowhere; `page` is the file that the text is the whole of, if it is one."""
    flowing = re.sub(r"\s+", " ", text)
    for name, numbers in PAGE.findall(flowing):
        there = page_of(name)
        known = sections(there) if there else set()
        if there is None or not set(re.findall(r"\d+", numbers)) <= known:
            yield f"{name}{numbers}"
    yield from (clause for pair in PLAN.findall(flowing) for clause in pair if clause and clause not in CLAUSES)
    yield from (place for place in PLACE.findall(flowing) if not (HOME / place).exists())
    if page is not None:
        for target, anchor in LINK.findall(text):
            there = (page.parent / target) if target else page
            is_there = target.startswith("https://") or there.is_file()
            if not is_there or (anchor and anchor not in anchors(there)):
                yield f"{target}#{anchor}"
        yield from (number for number in OWN.findall(flowing) if number not in sections(page))


def test_what_docstrings_and_comments_name_is_there():
    said = "\n".join(prose(path) for path in PROGRAMS)
    assert len(PAGE.findall(said)) > 20, "there are references to follow"
    assert len(PLAN.findall(said)) > 5
    assert astray(PROGRAMS, lambda path: dangling(prose(path))) == {}


def test_what_pages_name_is_there():
    assert len(PLACE.findall("\n".join(prose(path) for path in PAGES))) > 10, "there are references to follow"
    assert astray(PAGES, lambda path: dangling(prose(path), path)) == {}


@pytest.mark.parametrize(
    "broken",
    [
        "as `domain.md` §11 says",
        "as `domain.md` §3\n    and §40 say",
        "as `rules.md` says",
        "what a club is (plan 47, I.2 and II.9)",
        "what a club is (plan 47, VII.1)",
        "see `ledger/nothing.py`",
        "see [the rules](rules.md)",
        "see [the rules](domain.md#no-such-heading)",
        "see section 40",
    ],
)
def test_control_a_reference_that_leads_nowhere_is_found(broken: str):
    assert list(dangling(broken, HOME / "docs" / "api.md")) != []


def test_control_references_that_lead_somewhere_are_left_alone():
    sound = (
        "`domain.md` §3 and §4, [it](domain.md#10-words), plan 47, I.2 and II.3, `ledger/events/`, RFC 9162, section 2"
    )
    assert list(dangling(sound, HOME / "docs" / "api.md")) == []


# --- users of the API are sent to none of them ------------------------------------------------------------------------

INSIDE = re.compile(r"\w\.md\b|§|\bplan 47\b|(?<![\w./-])(?:ledger|service|tests)/\w")


def texts(node: object) -> Iterator[str]:
    """Every string of a JSON document."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from (key, *texts(value))
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def test_the_documentation_of_the_api_refers_to_nothing_of_the_house():
    document = api_document()
    assert [text for text in texts(document) if INSIDE.search(text)] == []
    assert len(list(texts(document))) > 1_000


def test_no_message_refers_to_anything_of_the_house():
    catalogues = [tomllib.loads(path.read_text("utf-8")) for path in SOURCES if path.suffix == ".toml"]
    assert catalogues
    assert [text for text in texts(catalogues) if INSIDE.search(text)] == []


def answers(path: Path) -> Iterator[str]:
    """What a program may say to its users: its texts but for docstrings."""
    nodes = list(ast.walk(ast.parse(path.read_text("utf-8"))))
    told = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    constants = (node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in told)
    return (text for text in constants if isinstance(text, str))


def test_no_answer_refers_to_a_page_of_the_house():
    programs = [path for path in PROGRAMS if path.relative_to(HOME).parts[0] in ("ledger", "service")]
    page = re.compile(r"\w\.md\b|§\d")
    assert astray(programs, lambda path: (text for text in answers(path) if page.search(text))) == {}


# --- the contracts list what the code has -----------------------------------------------------------------------------

BYLAWS = (field.encode_name for field in msgspec.structs.fields(Bylaws))
LISTED = (*EVENT_TYPES, *ACCOUNTS, *get_args(Activity), *BYLAWS)


def test_the_rules_name_every_event_account_activity_and_bylaw():
    assert [name for name in LISTED if f"`{name}`" not in DOMAIN] == []


def test_the_rules_name_every_source_of_a_donation():
    (listed,) = re.findall(r"^Donation sources: `([^`]+)`", DOMAIN, re.MULTILINE)
    assert re.split(r",\s+", listed) == list(get_args(DonationSource))


SHORT = {"fund": "F", "member": "M", "loan": "L", "version": "V", "advance": "A", "voucher": "PT", "number": "N"}
SHORT |= {"person": "P", "phone": "X", "plan": "P", "report": "R"}


def test_the_contract_names_every_address():
    addresses = api_document()["paths"]
    assert len(addresses) > 50
    for address in addresses:
        written = re.sub(r"\{(\w+)\}", lambda found: SHORT[found[1]], address)
        assert f"`{written.removeprefix('/v1/')}`" in API or f"`DELETE {written}`" in API, address
