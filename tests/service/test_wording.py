"""Claims about how the service says things: figures, words, days, shares, and in which language."""

import csv
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.register import folded
from service.words import wording

GOLDEN_AMOUNTS = [
    (int(row["amount"]), row["in_words"])
    for row in csv.DictReader(
        (Path(__file__).parents[1] / "golden" / "amounts_in_words.csv").read_text("utf-8").splitlines()
    )
]

# Whole groups of zeros and single figures amid zeros are where spelling goes wrong, so they are drawn often.
GROUPS = st.one_of(st.sampled_from([0, 1, 5, 10, 11, 15, 21, 100, 101, 105]), st.integers(0, 999))
AMOUNTS = st.one_of(
    st.integers(0, 10**15),
    st.lists(GROUPS, min_size=1, max_size=5).map(
        lambda groups: sum(group * 1000**place for place, group in enumerate(groups))
    ),
)


# Amounts


@pytest.mark.parametrize(("amount", "words"), GOLDEN_AMOUNTS)
def test_amounts_are_spelled_as_in_the_golden_list(amount: int, words: str) -> None:
    assert wording.in_words(amount, "vi") == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (1_001_000_000, "Một tỷ không trăm linh một triệu đồng"),
        (10_010_010, "Mười triệu không trăm mười nghìn không trăm mười đồng"),
        (10**12, "Một nghìn tỷ đồng"),
        (10**12 + 1, "Một nghìn tỷ không trăm linh một đồng"),
        (1_005_000_000_000, "Một nghìn không trăm linh năm tỷ đồng"),
        (1_000_015_000_000, "Một nghìn tỷ không trăm mười lăm triệu đồng"),
        (10**15, "Một triệu tỷ đồng"),
        (-50_000, "Âm năm mươi nghìn đồng"),
    ],
)
def test_large_and_negative_amounts_follow_the_same_rules(amount: int, words: str) -> None:
    assert wording.in_words(amount, "vi") == words


DIGITS = {
    "không": 0, "một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "năm": 5, "lăm": 5, "sáu": 6, "bảy": 7,
    "tám": 8, "chín": 9,
}  # fmt: skip


def amount_spoken(words: str) -> int:
    """Read Vietnamese words back, from the largest scale down, by a way of its own."""
    spoken, unit = words.lower().rsplit(" ", 1)
    assert unit == "đồng"
    return number_spoken(spoken.split())


def number_spoken(words: list[str]) -> int:
    for name, scale in (("tỷ", 10**9), ("triệu", 10**6), ("nghìn", 10**3), ("trăm", 100)):
        if name in words:
            place = words.index(name)
            return number_spoken(words[:place]) * scale + number_spoken(words[place + 1 :])
    match words:
        case []:
            return 0
        case ["linh", unit]:
            return DIGITS[unit]
        case ["mười", *unit]:
            return 10 + number_spoken(unit)
        case [ten, "mươi", *unit]:
            return 10 * DIGITS[ten] + number_spoken(unit)
        case [unit]:
            return DIGITS[unit]
    raise AssertionError(f"not a number: {words}")


@given(AMOUNTS)
@example(10**15)
@example(1_000_000_000_001)
def test_the_words_say_exactly_the_amount(amount: int) -> None:
    assert amount_spoken(wording.in_words(amount, "vi")) == amount


@given(AMOUNTS)
def test_every_group_after_the_first_names_its_hundreds(amount: int) -> None:
    words = wording.in_words(amount, "vi").lower().split()[:-1]
    for place, name in enumerate(words[:-1]):
        if name in ("tỷ", "triệu", "nghìn") and words[place + 1] != "tỷ":
            assert words[place + 2] == "trăm"


@given(AMOUNTS)
def test_one_five_and_zero_tens_take_their_own_words(amount: int) -> None:
    words = f" {wording.in_words(amount, 'vi').lower()} "
    for wrong in (
        "mươi một ",
        "mươi năm ",
        "mười năm ",
        "mười mốt ",
        "linh lăm ",
        "linh mốt ",
        "mươi không ",
        "lẻ ",
    ):
        assert f" {wrong}" not in words


def test_an_amount_too_large_for_words_is_refused() -> None:
    assert wording.in_words(10**18 - 1, "vi").startswith("Chín trăm chín mươi chín triệu")
    for language in wording.LANGUAGES:
        with pytest.raises(ValueError, match="too large"):
            wording.in_words(10**18, language)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "Zero dong"),
        (21, "Twenty-one dong"),
        (115, "One hundred fifteen dong"),
        (120_000_000, "One hundred twenty million dong"),
        (1_000_000_001, "One billion one dong"),
        (1_100_000_000_000, "One trillion one hundred billion dong"),
        (10**15, "One quadrillion dong"),
        (-417_000, "Minus four hundred seventeen thousand dong"),
    ],
)
def test_english_amounts_are_spelled_without_and(amount: int, words: str) -> None:
    assert wording.in_words(amount, "en") == words


def test_figures_are_grouped_as_each_language_does() -> None:
    assert wording.dong(120_000_000, "vi") == "120.000.000 đ"
    assert wording.dong(120_000_000, "en") == "120,000,000 VND"
    assert wording.dong(-50_000, "vi") == "âm 50.000 đ"
    assert wording.dong(0, "vi") == "0 đ"
    assert wording.dong(999, "en") == "999 VND"


def test_a_language_nobody_speaks_is_an_error() -> None:
    with pytest.raises(KeyError):
        wording.dong(1, "fr")
    with pytest.raises(KeyError):
        wording.in_words(1, "fr")


# Days, shares and rates


def test_days_and_months_are_written_day_first() -> None:
    assert wording.day(date(2024, 3, 5), "vi") == wording.day(date(2024, 3, 5), "en") == "05/03/2024"
    assert wording.month("2024-03") == wording.month("2024-03", "en") == "03/2024"
    for wrong in ("2024-13", "2024", "2024-3", ""):
        with pytest.raises(ValueError, match=r".+"):
            wording.month(wrong)


def test_a_share_is_rounded_half_up_to_one_decimal() -> None:
    assert wording.percent(1, 3, "vi") == "33,3%"
    assert wording.percent(1, 3, "en") == "33.3%"
    assert wording.percent(2, 3, "vi") == "66,7%"
    assert wording.percent(1, 2000, "vi") == "0,1%"
    assert wording.percent(1, 2001, "vi") == "0,0%"
    assert wording.percent(50, 50, "vi") == "100,0%"
    assert wording.percent(0, 50, "vi") == "0,0%"


def test_a_share_of_nothing_is_not_zero_percent() -> None:
    assert wording.percent(0, 0, "vi") is None


def test_a_negative_share_or_rate_is_an_error() -> None:
    for numerator, denominator in ((-1, 50), (1, -50)):
        with pytest.raises(ValueError, match="never negative"):
            wording.percent(numerator, denominator, "vi")
    with pytest.raises(ValueError, match="never negative"):
        wording.rate(-1, "vi")


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_share_is_never_more_than_half_a_tenth_off(numerator: int, denominator: int) -> None:
    written = wording.percent(numerator, denominator, "en")
    assert written is not None
    tenths = int(written.rstrip("%").replace(".", ""))
    assert -denominator < 2 * (tenths * denominator - 1000 * numerator) <= denominator


@pytest.mark.parametrize(
    ("rate_ppm", "written"),
    [(10_000, "1%"), (12_500, "1,25%"), (16_666, "1,6666%"), (0, "0%"), (1, "0,0001%"), (1_000_000, "100%")],
)
def test_a_rate_is_written_exactly(rate_ppm: int, written: str) -> None:
    assert wording.rate(rate_ppm, "vi") == written
    assert wording.rate(rate_ppm, "en") == written.replace(",", ".")


# The reader's language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "vi"),
        ("", "vi"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en-US,en;q=0.9,vi;q=0.8", "en"),
        ("vi;q=0.1, en;q=0.11", "en"),
        ("en;q=0.5, vi;q=0.500", "vi"),
        ("fr, de;q=0.9", "vi"),
        ("fr, en;q=0.2", "en"),
        ("*", "vi"),
        ("en, *;q=0.5", "en"),
        ("vi;q=0.2, *", "en"),
        ("vi;q=0, *;q=0.1", "en"),
        ("en;q=0", "vi"),
        ("en \t; \tQ=1.000", "en"),
        (",, en ,,", "en"),
        ("en;q=2", "vi"),
        ("en;q=-1", "vi"),
        ("en;q=0.1234", "vi"),
        ("en;q=٠", "vi"),
        ("english-is-a-language", "vi"),
        ("en" + "," * 10_000, "vi"),
    ],
)
def test_the_language_follows_the_readers_weights(header: str | None, language: str) -> None:
    assert wording.language_of(header) == language


@given(st.text(max_size=2000))
def test_no_header_is_too_strange_to_answer(header: str) -> None:
    assert wording.language_of(header) in wording.LANGUAGES


# Text


def test_a_search_needs_neither_marks_nor_capitals() -> None:
    assert folded("Hoàng Thị Sầm") == "hoang thi sam"
    assert folded("ĐẶNG VĂN ĐƯỜNG") == "dang van duong"
    assert folded("Lường Thị Ửng") == folded(unicodedata.normalize("NFD", "lường thị ửng"))


@given(st.text())
def test_folding_does_not_depend_on_how_marks_were_typed(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(text)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)
