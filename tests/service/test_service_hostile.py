"""Claims about hostile requests: every parameter and every field of the API's document, tried with what is no text, no
day and no number. None is a fault of the service, and none records anything."""

import base64
import json
import pathlib
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import pytest

from ledger.days import civil_day, last_asked
from tests.support.commands import command
from tests.support.documented import api_document
from tests.support.service import FUND, OPENED_ON, SOUND, House, found_anew, house, path_of, settle_in

TEXTS: Final = {
    "NUL": "%00",
    "NUL amid": "a%00b",
    "tab": "%09",
    "not UTF-8": "%ff%fe",
    "surrogate": "%ed%a0%80",
    "noncharacter": quote("\uffff"),
    "filler": quote("\u3164"),
    "bidi override": quote("\u202e"),
    "empty": "",
    "long": "a" * 3000,
}
NUMBERS: Final = {
    "2^63": "9223372036854775808",
    "10^18 - 1": "9" * 18,
    "999999999": "999999999",
    "a thousand digits": "9" * 1000,
    "other digits": quote("٣"),
}
FAR: Final = {
    "last day": "9999-12-31",
    "last day but a year": "9998-12-31",
    "first day": "0001-01-01",
    "last instant": "9999-12-31T23:59:59Z",
    "last instant in the west": "9999-12-31T23:59:59-12:00",
    "first instant in the east": quote("0001-01-01T00:00:00+14:00"),
    "last point": quote("9999-12-31@9999-12-31T23:59:59-12:00"),
    "far knowledge": quote("2024-01-10@9999-12-31T23:59:59-12:00"),
    "first point": quote("0001-01-01@0001-01-01T00:00:00+14:00"),
}


def sealed(page: str) -> str:
    return base64.urlsafe_b64encode(page.encode()).decode().rstrip("=")


CURSORS: Final = {
    "after 2^63": sealed('[9223372036854775808,5,"2023-01-01"]'),
    "version 2^63": sealed('[1,9223372036854775808,"2023-01-01"]'),
    "below zero": sealed('[-1,-5,"2023-01-01"]'),
    "last day": sealed('[1,5,"9999-12-31"]'),
    "first day": sealed('[1,5,"0001-01-01"]'),
    "of another list": sealed('{"a":1}'),
    "of the journal, beyond all": "999999999999999.9999-99-99.999999999999999",
    "of a difference, beyond all": "999999999.999999999.999999999",
    "of checkpoints, beyond all": "9" * 17,
}

NEEDED: Final = {
    "fund": FUND,
    "plan": "VN-LS-47-2022",
    "code": "AAAA-AAAA-AAAA-AAAA",
    "seed": "XSMB-48213",
    "clubs": "1",
    "from": "2024-01-10",
}
"""Of the parameters that some route cannot do without, values that make sense there."""
IN_PATHS: Final = {
    "fund": FUND, "member": 1, "loan": 1, "version": 13, "advance": 1, "number": 1, "voucher": "PT-2024-0001",
    "person": "p" + "0" * 12, "phone": "h" + "0" * 12, "plan": "VN-LS-47-2022", "report": "R-2024-0001",
}  # fmt: skip


@pytest.fixture
def village(database_url: str) -> Iterator[House]:
    with house(database_url, read_wait_seconds=0.01, checks_per_minute=10_000) as running:
        settle_in(running)
        found_anew(running)
        assert running.client.post("/v1/checkpoints", json={}, headers=running.headers()).status_code == 201
        yield running


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in api_document()["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def kinds_of(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The schemas that a value may have, but for null."""
    return [kind for kind in schema.get("anyOf", [schema]) if kind.get("type") != "null"]


def is_about_time(schema: Mapping[str, Any]) -> bool:
    return any("date" in kind.get("format", "") or "DAY" in kind.get("description", "") for kind in kinds_of(schema))


def hostile(parameter: Mapping[str, Any]) -> Mapping[str, str]:
    """What a parameter is tried with beside texts, as it is written in an address."""
    if parameter["name"] == "cursor":
        return CURSORS
    return FAR if is_about_time(parameter["schema"]) else NUMBERS


def address_of(path: str, operation: Mapping[str, Any], **given: str) -> str:
    """The address of an operation with all it needs, and what is given here as it is written."""
    parameters = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    query = {each["name"]: NEEDED[each["name"]] for each in parameters if each["required"]}
    query |= {name: text for name, text in given.items() if any(each["name"] == name for each in parameters)}
    address = re.sub(r"{(\w+)}", lambda name: given.get(name[1], str(IN_PATHS[name[1]])), path)
    return f"{address}?{'&'.join(f'{name}={text}' for name, text in query.items())}"


def asked(house: House, method: str, path: str, address: str) -> Any:
    body = json.dumps(SOUND.get(path.removeprefix("/v1"), {})).encode() if method == "post" else None
    return house.client.request(
        method, address, content=body, headers=house.headers() | {"Content-Type": "application/json"}
    )


def test_no_parameter_is_too_strange_to_answer(village: House) -> None:
    before, faults = village.entries(), []
    for method, path, operation in operations():
        for parameter in operation.get("parameters", ()):
            if parameter["in"] == "header":
                continue
            tried = dict[str, str]() if method == "post" else dict(hostile(parameter))  # A write's paths are numbers.
            if village.state.ledger.database.is_postgres:  # SQLite holds every text that PostgreSQL can hold.
                tried |= TEXTS
            for what, text in tried.items():
                answer = asked(village, method, path, address_of(path, operation, **{parameter["name"]: text}))
                if answer.status_code >= 500 and answer.json()["code"] != "position-not-reached":
                    faults.append((method, path, parameter["name"], what))
                elif answer.status_code >= 400:
                    assert answer.headers["Content-Type"] == "application/problem+json"
    assert faults == []
    assert village.entries() == before


# --- days ---------------------------------------------------------------------------------------------------------


def test_one_may_ask_ten_years_ahead_and_not_a_day_further(sqlite_url: str) -> None:
    with house(sqlite_url, read_wait_seconds=30) as village:
        settle_in(village)
        last = last_asked(civil_day(village.clock()))
        asked_about_days = 0
        for method, path, operation in operations():
            for parameter in operation.get("parameters", ()):
                if parameter["in"] != "query" or not is_about_time(parameter["schema"]):
                    continue
                if (name := parameter["name"]) == "known_at":
                    continue  # What is known at an instant to come is what is known now.
                asked_about_days += 1
                for day, allowed in ((last, True), (last + timedelta(days=1), False)):
                    # A period must not begin after its end, wherever that is.
                    ends = {"to": str(last), "as_of": str(last)}
                    later = ends if name == "from" else {"from": NEEDED["from"]}
                    address = address_of(path, operation, **later | {name: str(day)})
                    answer = asked(village, method, path, address)
                    codes = [error["code"] for error in answer.json().get("errors", ())] if not allowed else []
                    assert codes == ([] if allowed else ["day-too-far"]), address
                    assert answer.status_code in ((200, 404) if allowed else (422,)), (address, answer.text)
    assert str(last) == "2034-06-15"
    assert asked_about_days > 30


@pytest.mark.parametrize(
    "words",
    [
        ("diff", FUND, "9999-12-31"),
        ("diff", FUND, "2024-06-15", "9999-12-31@9999-12-31T23:59:59-12:00"),
        ("sample", "--seed", "XSMB-48213", FUND, "--vouchers", "1", "--to", "9999-12-31"),
    ],
)
def test_a_command_asks_no_further_ahead(settled_database: pathlib.Path, words: tuple[str, ...]) -> None:
    refused = command(f"sqlite:///{settled_database}", *words)

    assert (refused.returncode, refused.stdout) == (2, "")
    assert "chỉ hỏi được đến ngày 20" in refused.stderr


# --- bodies -------------------------------------------------------------------------------------------------------

WORDS: Final = ("9999-12-31", "9998-12-31", "0001-01-01", "1900-01-01", "\0", "\u3164", "\uffff", "", "a" * 300)
VALUES: Final = (
    *map(json.dumps, WORDS),
    '{"\\ud800": 1}', '{"\\u0000": 1}', "9223372036854775808", "-1", "1e300", "null", "[]", "{}", "true",
)  # fmt: skip
"""What every field is tried with, as JSON."""

LINE: Final = {"type": "contribution", "member": 1, "kind": "dues", "amount": 5_000, "on": "2024-05-15"}
RICHER: Final[dict[str, dict[str, Any]]] = {
    "/funds/{fund}/entries/{version}/reversal": {"replacement": LINE},
    "/funds/{fund}/meetings": {
        "held_on": "2024-05-15",
        "present": [1, 2],
        "by_proxy": [],
        "lines": [LINE | {"key": "line-0001"}],
    },
    "/funds/{fund}/opening-balances": {
        "loans": [
            {
                "member": 1,
                "principal": 5_000_000,
                "outstanding": 2_916_000,
                "disbursed_on": OPENED_ON,
                "term_months": 12,
                "purpose": "livestock",
            }
        ]
    },
}
"""Fields within fields that no example has, or that fit the village better."""

Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> Iterator[Path]:
    """Where a body holds what is no object and no list."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        yield from leaves(item, (*path, step))
    if not items and path:
        yield path


def with_hole(value: Any, path: Path) -> Any:
    """A body with a hole for something else."""
    if not path:
        return HOLE
    copied = dict(value) if isinstance(value, dict) else dict(enumerate(value))
    copied[path[0]] = with_hole(copied.get(path[0]), path[1:])
    return copied if isinstance(value, dict) else list(copied.values())


HOLE: Final = "here"


def bodies() -> Iterator[tuple[str, str, str]]:
    """Of each write bodies that are sound, and rich in fields, but for one field; and which that is."""
    document = api_document()
    for template in [*SOUND, "/funds/{fund}/meetings"]:
        content = document["paths"][f"/v1{template}"]["post"]["requestBody"]["content"]
        schema = document["components"]["schemas"][content["application/json"]["schema"]["$ref"].rpartition("/")[2]]
        sound = schema["examples"][0] | SOUND.get(template, {}) | RICHER.get(template, {})
        for field in sorted({*leaves(sound), *((name,) for name in schema["properties"])}, key=str):
            holed = json.dumps(with_hole(sound, field))
            for value in VALUES:
                yield template, holed.replace(f'"{HOLE}"', value), f"{field}: {value}"
        yield template, f'{{"\\ud800": 1, {json.dumps(sound)[1:]}', "a surrogate among the fields"


def test_no_field_is_too_strange_to_answer(sqlite_url: str) -> None:
    with house(sqlite_url) as village:
        settle_in(village)
        found_anew(village)
        before, faults = village.entries(), []
        headers = village.headers() | {"Content-Type": "application/json"}
        for template, body, what in bodies():
            path = f"/v1{path_of(template)}?dry_run=true"
            if village.client.post(path, content=body.encode(), headers=headers).status_code >= 500:
                faults.append((template, what))
        assert faults == []
        assert village.entries() == before
