"""Claims about bad input: every write answers it with a 4xx problem of a stable code, and records nothing."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from service.http.parsing import MAX_BODY, MAX_DEPTH
from tests.support.cases import case
from tests.support.service import FUND, OTHER_FUND, SOUND, House, house, opening, path_of, settle_in


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One village for all: nothing that is tried here may leave a trace in it."""
    with house(f"sqlite:///{tmp_path_factory.mktemp('village') / 'fund.db'}") as running:
        settle_in(running)
        settle_in(running, OTHER_FUND)
        yield running


def raw(sound: dict[str, Any], **changes: str) -> bytes:
    """A body with fields as they are written here, whether JSON has such a form or not."""
    fields = {name: json.dumps(value) for name, value in sound.items()} | changes
    return ("{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}").encode(
        "utf-8", "surrogatepass"
    )


def number_field(sound: dict[str, Any]) -> str | None:
    """A field of the body that holds a number."""
    may_be_zero = "monthly_rate_ppm"
    return next((name for name, value in sound.items() if type(value) is int and name != may_be_zero), None)


WRONG_NUMBERS = {
    "zero": "0",
    "negative": "-1",
    "fraction": "0.5",
    "float": "1.0",
    "exponent": "1e2",
    "text": '"1000"',
    "underscored": '"1_000"',
    "boolean": "true",
    "10^13": "10000000000000",
    "2^63": "9223372036854775808",
    "a thousand digits": "1" * 1000,
    "NaN": "NaN",
    "Infinity": "Infinity",
    "-Infinity": "-Infinity",
    "1E400": "1E400",
    "null": "null",
    "list": "[1]",
}
WRONG_DAYS = {
    "30 February": '"2024-02-30"',
    "13th month": '"2024-13-01"',
    "future": '"2031-01-01"',
    "tomorrow": '"2024-06-16"',
    "before the fund": '"2020-01-01"',
    "basic form": '"20240515"',
    "week": '"2024-W20-3"',
    "with a time": '"2024-05-15T00:00:00Z"',
    "Arabic digits": '"٢٠٢٤-٠٥-١٥"',
    "number": "20240515",
    "text": '"hôm qua"',
    "year 1": '"0001-01-01"',
}
WRONG_TEXTS = {
    "NUL": '"\\u0000"',
    "tab": '"a\\tb"',
    "bidi override": '"\u202eabc"',
    "bidi isolate": '"\u2066abc"',
    "zero width space": '"a\u200bb"',
    "byte order mark": '"\ufeffabc"',
    "line separator": '"a\u2028b"',
    "lone surrogate": '"\\ud800"',
    "Hangul filler": '"\u3164"',
    "filler within": '"Sầm\u1160"',
    "empty Braille cell": '"\u2800"',
    "joiner alone": '"\u200d"',
    "mark alone": '" \u0301"',
    "noncharacter": '"Sầm\ufffe"',
    "unassigned": '"Sầm\u0378"',
    "private use": '"Sầm\ue000"',
    "what was lost": '"S\ufffdm"',
    "a spreadsheet's end of line": '"Sầm_x000D_"',
    "heap of marks": '"a' + "\u0335" * 5 + '"',
    "too long": '"' + "a" * 201 + '"',
    "number": "5",
}
WRONG_BODIES = {
    "nothing": b"",
    "not JSON": b"amount=1000",
    "half": b'{"amount":',
    "two values": b"{}{}",
    "list": b"[]",
    "text": b'"abc"',
    "null": b"null",
    "raw NUL": b'{"note":"\x00"}',
    "key twice": b'{"on":"2024-05-15","on":"2024-05-16"}',
    "key twice inside": b'{"replacement":{"amount":1,"amount":2}}',
    "BOM": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "Latin-1": '{"note":"é"}'.encode("latin-1"),
    "raw surrogate": b'{"note":"\xed\xa0\x80"}',
    "deep list": b'{"note":' + b"[" * 30_000,
    "deep object": b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1),
    "5 MB": b'{"note":"' + b"a" * 5_000_000 + b'"}',
    "one byte too many": b'"' + b"a" * (MAX_BODY - 1) + b'"',
}

BODY_CODES = {
    **dict.fromkeys(["list", "text", "null"], (422, "invalid-fields")),
    **dict.fromkeys(["key twice", "key twice inside"], (400, "duplicate-key")),
    **dict.fromkeys(["UTF-16", "Latin-1", "raw surrogate"], (400, "invalid-utf8")),
    **dict.fromkeys(["deep list", "deep object"], (400, "too-deep")),
    **dict.fromkeys(["5 MB", "one byte too many"], (413, "body-too-large")),
}


def refused(village: House, template: str, body: bytes, fund: str = FUND, **headers: str) -> dict[str, Any]:
    """The problem a body is answered with; nothing may be recorded and nothing repeated."""
    before = village.entries()
    sent = {"Content-Type": "application/json", "Idempotency-Key": village.key()} | headers
    answer = village.client.post(f"/v1{path_of(template, fund)}", content=body, headers=village.headers() | sent)
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "code"} <= problem.keys()
    assert problem["status"] == answer.status_code
    assert problem["code"] == problem["code"].lower()
    assert village.entries() == before
    return problem


@pytest.mark.parametrize("template", [path for path, body in SOUND.items() if number_field(body)])
def test_a_number_is_a_whole_number_within_its_bounds(village: House, template: str) -> None:
    field = number_field(SOUND[template])
    assert field

    for wrong, number in WRONG_NUMBERS.items():
        with case(wrong):
            problem = refused(village, template, raw(SOUND[template], **{field: number}))
            if problem["code"] == "invalid-fields":
                assert {error["pointer"] for error in problem["errors"]} == {f"/{field}"}
                assert {error["code"] for error in problem["errors"]} <= {
                    "not-an-integer",
                    "amount-out-of-range",
                    "number-out-of-range",
                }
            else:
                assert problem["code"] in ("not-a-number", "birth-year-implausible", "member-not-found")


NO_SUCH_DAY = {
    "not-a-day",
    "day-too-early",
    "future-day",
    "before-fund-opened",
    "out-of-order",
    "member-not-on-roll",
    "books-have-begun",
    "still-member",
    "meeting-not-found",
    "unknown-field",  # What takes no day knows none.
}


@pytest.mark.parametrize("template", SOUND)
def test_a_day_is_a_real_one_that_has_come(village: House, template: str) -> None:
    for wrong, day in WRONG_DAYS.items():
        if (template, wrong) == ("/funds", "before the fund"):
            continue  # Nothing is before a fund that does not exist yet.
        with case(wrong):
            problem = refused(village, template, raw(SOUND[template], on=day))
            assert NO_SUCH_DAY & {problem["code"], *(error["code"] for error in problem.get("errors", ()))}


@pytest.mark.parametrize(
    ("template", "field"),
    [
        ("/funds", "club"),
        ("/funds/{fund}/members", "name"),
        ("/funds/{fund}/members", "phone"),
        ("/funds/{fund}/contributions", "note"),
        ("/funds/{fund}/donations", "donor"),
        ("/funds/{fund}/expenses", "note"),
        ("/funds/{fund}/loans/{loan}/rejection", "reason"),
        ("/funds/{fund}/entries/{version}/reversal", "note"),
    ],
)
def test_text_shows_all_it_is(village: House, template: str, field: str) -> None:
    for wrong, text in WRONG_TEXTS.items():
        with case(wrong):
            error = refused(village, template, raw(SOUND[template], **{field: text}))["errors"][0]
            assert error["pointer"] == f"/{field}"
            assert error["code"] in (
                "text-not-allowed", "text-too-long", "text-empty", "text-of-a-spreadsheet", "not-a-name", "wrong-type"
            )  # fmt: skip


@pytest.mark.parametrize("name", ["-", "...", "?", "1955", "0912 345 678", "👍"])
@pytest.mark.parametrize(
    ("template", "field"),
    [("/funds/{fund}/members", "name"), ("/funds", "commune"), ("/funds/{fund}/donations", "donor")],
)
def test_a_name_has_a_letter(village: House, template: str, field: str, name: str) -> None:
    problem = refused(village, template, raw(SOUND[template], **{field: json.dumps(name)}))

    assert [(error["pointer"], error["code"]) for error in problem["errors"]] == [(f"/{field}", "not-a-name")]


@pytest.mark.parametrize("template", SOUND)
def test_a_body_is_one_json_object_of_bearable_size(village: House, template: str) -> None:
    for wrong, body in WRONG_BODIES.items():
        with case(wrong):
            problem = refused(village, template, body)
            assert (problem["status"], problem["code"]) == BODY_CODES.get(wrong, (400, "malformed-json"))


@pytest.mark.parametrize("template", SOUND)
def test_an_unknown_field_is_refused_and_not_repeated(village: House, template: str) -> None:
    ours = refused(village, template, raw(SOUND[template], surplus="1"))
    theirs = refused(village, template, raw(SOUND[template], **{"Bà Sầm ở Mai Pha": "1"}))
    hidden = refused(village, template, raw(SOUND[template], **{"\\ud800": "1"}))

    assert [(error["pointer"], error["code"]) for error in ours["errors"]] == [("/surplus", "unknown-field")]
    assert [(error["pointer"], error["code"]) for error in theirs["errors"]] == [("", "unknown-field")]
    assert [(error["pointer"], error["code"]) for error in hidden["errors"]] == [("", "text-not-allowed")]
    assert "Sầm" not in json.dumps(theirs, ensure_ascii=False)


@pytest.mark.parametrize("template", SOUND)
def test_only_json_is_taken(village: House, template: str) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""):
        with case(kind):
            problem = refused(village, template, raw(SOUND[template]), **{"Content-Type": kind})
            assert (problem["status"], problem["code"]) == (415, "unsupported-media-type")


@pytest.mark.parametrize("fund", ["NO-SUCH-FUND", "ls-cl-maipha", "A", "X" * 25, "%00", "..%2F..", "F%C3%A2"])
def test_an_unknown_fund_is_not_found(village: House, fund: str) -> None:
    for template in (path for path in SOUND if "{fund}" in path):
        with case(template):
            problem = refused(village, template, raw(SOUND[template]), fund)
            assert (problem["status"], problem["code"]) in ((404, "fund-not-found"), (404, "not-found"))


@pytest.mark.parametrize("number", ["0", "-1", "1.0", "+1", "1_0", "abc", "٣", "9" * 12, "1e1", "%20"])
def test_a_number_in_a_path_is_its_digits(village: House, number: str) -> None:
    before = village.entries()
    for template in (path for path in SOUND if path.count("{") == 2):
        with case(template):
            answer = village.post(re.sub(r"{\w+}", number, template.replace("{fund}", FUND)), SOUND[template])
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
            assert village.entries() == before


@pytest.mark.parametrize(
    ("template", "field", "code"),
    [
        ("/funds/{fund}/contributions", "member", "member-not-found"),
        ("/funds/{fund}/loans", "member", "member-not-found"),
        ("/funds/{fund}/loans", "guarantor", "member-not-found"),
    ],
)
def test_an_unknown_member_is_not_found(village: House, template: str, field: str, code: str) -> None:
    assert refused(village, template, raw(SOUND[template], **{field: "99"}))["code"] == code


@pytest.mark.parametrize(
    "wrong",
    [
        {"fund": '"ab"'},
        {"fund": '"LS CL"'},
        {"fund": '"LS-CL-MÃ"'},
        {"plan": '"kế hoạch"'},
        {"plan": '"so 47"'},
        {"founded_on": '"2024-02-30"'},
        {"bylaws": "{}"},
        {"bylaws": "5"},
        {"bylaws": json.dumps(opening()["bylaws"] | {"interest_method": "monthly"})},
        {"bylaws": json.dumps(opening()["bylaws"] | {"meeting_day": 32})},
        {"bylaws": json.dumps(opening()["bylaws"] | {"one_open_loan_per_household": 1})},
        {"bylaws": json.dumps(opening()["bylaws"] | {"monthly_rate_ppm": 16_667})},
    ],
    ids=str,
)
def test_a_fund_is_opened_with_sound_bylaws_and_codes(village: House, wrong: dict[str, str]) -> None:
    problem = refused(village, "/funds", raw(SOUND["/funds"], **wrong))

    assert {error["pointer"].split("/")[1] for error in problem["errors"]} == set(wrong)


@pytest.mark.parametrize("household", ['"H 1"', '"Hộ-1"', '""', '"' + "H" * 25 + '"', "0.5", "true", "-1", "[]"])
def test_a_household_is_a_code_and_no_place_for_a_name(village: House, household: str) -> None:
    problem = refused(village, "/funds/{fund}/members", raw(SOUND["/funds/{fund}/members"], household=household))

    assert problem["errors"][0]["pointer"] == "/household"


def test_a_query_parameter_that_nobody_knows_records_nothing(village: House) -> None:
    before = village.entries()
    path, body = f"/funds/{FUND}/contributions", SOUND["/funds/{fund}/contributions"]

    misspelt = village.post(f"{path}?dryrun=true", body)
    twice = village.post(f"{path}?dry_run=true&dry_run=false", body)
    other = village.post(f"{path}?dry_run=yes", body)

    assert [answer.status_code for answer in (misspelt, twice, other)] == [422] * 3
    assert village.entries() == before
