"""Claims about how a body is read: sound JSON as it is, everything else refused, whatever bytes come."""

import json
import unicodedata
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.bounds import PLAIN
from service.http.parsing import MAX_DEPTH, parse
from service.http.refusals import DuplicateKey, InvalidFields, InvalidUtf8, MalformedJson, NotANumber, TooDeep
from service.writes.bodies.club import NewMember

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text("aăâbcđ ệ漢Ж", max_size=20),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text("abc_", max_size=5), children, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_sound_json_is_read_as_it_is(value: Any) -> None:
    assert parse(json.dumps(value, ensure_ascii=False).encode()) == value


PLAIN_TEXT = st.text("aệ,:[]{} \n\u0301\u202e", max_size=8) | st.sampled_from(["a" * 200, "a" * 201])
NESTED = st.integers(0, MAX_DEPTH + 1).map(lambda levels: json.loads("[" * levels + "1" + "]" * levels))


@given(st.dictionaries(PLAIN_TEXT, JSON | PLAIN_TEXT | NESTED, max_size=3))
def test_a_body_is_judged_alike_whether_it_is_looked_at_as_a_whole_or_value_by_value(value: Any) -> None:
    def judged(body: str) -> Any:
        try:
            return parse(body.encode())
        except (InvalidFields, TooDeep) as refusal:
            return refusal

    as_a_whole, by_value = json.dumps([value], ensure_ascii=False), json.dumps([value, "\\"])
    one, other = judged(as_a_whole), judged(by_value)
    if isinstance(one, list) and isinstance(other, list):
        assert one == other[:1]
    else:
        assert repr(one) == repr(other)


@given(
    st.binary(max_size=60) | st.text('{}[]",:\\u0d8e1-.NaIfinty \u202e\ufeff', max_size=40).map(lambda t: t.encode())
)
def test_no_bytes_are_too_strange_to_answer(body: bytes) -> None:
    with suppress(MalformedJson, InvalidUtf8, DuplicateKey, NotANumber, TooDeep, InvalidFields):
        parse(body)


@given(st.text(max_size=60))
def test_text_that_is_taken_is_composed_and_shows_all_it_is(text: str) -> None:
    try:
        taken = parse(json.dumps(text).encode())
    except InvalidFields:
        return
    assert unicodedata.is_normalized("NFC", taken)
    assert not {unicodedata.category(letter) for letter in taken} & {"Cc", "Cs", "Zl", "Zp"}


NAMES = [
    "Nguyễn Thị Ánh", "Nguye\u0302\u0303n Thi\u0323 A\u0301nh", "Y Bhăm Êban", "H'Hen Niê", "ꪼꪕ ꪒꪾ", "𡗶", "Лê",
    "គង់ សុភាព", "علی\u200cرضا", "ธีรพงษ์", "ສົມສັກ", "မောင်မောင်", "हर्षवर्धन", "ශ්\u200dරී", "김민준",
    "葛\U000e0100城", "ᠪᠠᠶ\u180bᠠᠷ", "א",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_names_in_any_script_are_taken(name: str) -> None:
    assert parse(json.dumps(name).encode()) == unicodedata.normalize("NFC", name)
    assert NewMember.model_validate({"name": name, "sex": "male", "birth_year": 1950, "poverty": "none"}).name


def test_letters_that_are_not_looked_at_one_by_one_all_show_what_they_are() -> None:
    plain = [letter for letter in map(chr, range(0x11_0000)) if PLAIN.fullmatch(letter)]

    assert set("Nguyễn Thị Ánh, 2 kg; ỹ Ỹ ơ ư đ") <= set(plain)
    assert {unicodedata.category(letter)[0] for letter in plain} == set("LNPSZ")


def test_depth_is_counted_in_the_json_and_not_in_its_text() -> None:
    assert parse(b'"' + b"[" * 100 + b'"') == "[" * 100
    assert parse(b'["\\"' + b"{" * 100 + b'"]') == ['"' + "{" * 100]
    with pytest.raises(TooDeep):
        parse(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))
    parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
