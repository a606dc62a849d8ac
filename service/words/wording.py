"""How amounts, days and shares are written and read aloud in a village meeting.

Library defaults for Vietnamese give neither `120.000.000 đ` nor `dd/mm/yyyy`, and the usual packages spell
amounts wrongly, so every form is written out here. All functions are pure, take a language (`vi` or `en`) and
raise `KeyError` for any other.
"""

import re
from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from typing import Final

LANGUAGES: Final = ("vi", "en")
"""The languages spoken; the first is the default, and wins when a reader likes both equally."""

WORDS_LIMIT: Final = 10**18
"""Amounts from here on have no agreed wording in Vietnamese, so they are refused rather than guessed."""


# Amounts in figures

UNITS: Final = {"vi": "đ", "en": "VND"}
NO_BREAK: Final = "\u00a0"
"""Between a figure and its unit, so that no line ends between them."""


@lru_cache(maxsize=4_096)  # As below: the same dues are told all evening.
def dong(amount: int, language: str) -> str:
    """Write whole đồng in figures: `120.000.000 đ` or `120,000,000 VND`; below zero `âm 5.000 đ` or `-5,000 VND`."""
    figures = count(abs(amount), language)
    below = {"vi": "âm ", "en": "-"}[language] if amount < 0 else ""
    return f"{below}{figures}{NO_BREAK}{UNITS[language]}"


def dong_on_paper(amount: int, language: str) -> str:
    """The same as accountants print it: below zero in brackets, `(1.500 đ)` (Law on Accounting 2015, article 27)."""
    return f"({dong(-amount, language)})" if amount < 0 else dong(amount, language)


def figures_on_paper(amount: int, language: str) -> str:
    """The same without its unit, which a table names once for all its cells: `(1.500)`."""
    return f"({count(-amount, language)})" if amount < 0 else count(amount, language)


def count(number: int, language: str) -> str:
    """Write how many there are: `11.939` or `11,939`. A number that is a name, such as an entry's, stays plain."""
    return f"{number:,}".replace(",", {"vi": ".", "en": ","}[language])


# Amounts in words


@lru_cache(maxsize=4_096)  # The same dues and instalments are read aloud all evening.
def in_words(amount: int, language: str) -> str:
    """Spell whole đồng in words: `Một trăm hai mươi triệu đồng`, `One hundred twenty million dong`.

    The Vietnamese rules:

    - Figures are read in groups of three: *tỷ*, *triệu*, *nghìn*, units. A group of zeros is left out.
    - What stands before *tỷ* is itself a number of up to nine figures: *một nghìn một trăm tỷ*.
    - Every group but the first names its hundreds, if need be *không trăm*, so that no zero can be
      overheard: 1.050.000 is *một triệu không trăm năm mươi nghìn*.
    - A zero ten before a unit is *linh*: 105 is *một trăm linh năm*.
    - After *mươi*, one is *mốt*; after *mười* and *mươi*, five is *lăm*. Four stays *bốn*.

    English does without "and" and joins tens and units by a hyphen. Raises `ValueError` from 10^18 on.
    """
    if abs(amount) >= WORDS_LIMIT:
        raise ValueError("the amount is too large to be put into words")
    speak, zero, minus, unit = {
        "vi": (_vietnamese, "không", "âm", "đồng"),
        "en": (_english, "zero", "minus", "dong"),
    }[language]
    spoken = [*speak(abs(amount)), unit] if amount else [zero, unit]
    return capitalised(" ".join([minus, *spoken] if amount < 0 else spoken))


def capitalised(text: str) -> str:
    """Raise the first letter only; `str.capitalize` would lower the names that follow."""
    return text[:1].upper() + text[1:]


_DIGITS: Final = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_SCALES: Final = ((10**9, "tỷ"), (10**6, "triệu"), (10**3, "nghìn"))


def _vietnamese(number: int, inside: bool = False) -> Iterator[str]:
    """Yield the words of a positive number; `inside` says that a larger group was spoken before it."""
    for scale, name in _SCALES:
        if number >= scale:
            yield from _vietnamese(number // scale, inside)
            yield name
            number, inside = number % scale, True
    if number:
        yield from _vietnamese_group(number, inside)


def _vietnamese_group(number: int, inside: bool) -> Iterator[str]:
    """Yield the words of 1 to 999; inside a larger number the hundreds are named even when they are zero."""
    hundreds, tens, units = number // 100, number // 10 % 10, number % 10
    if hundreds or inside:
        yield from (_DIGITS[hundreds], "trăm")
    if tens > 1:
        yield from (_DIGITS[tens], "mươi")
    elif tens == 1:
        yield "mười"
    elif units and (hundreds or inside):
        yield "linh"
    if units == 1 and tens > 1:
        yield "mốt"
    elif units == 5 and tens:
        yield "lăm"
    elif units:
        yield _DIGITS[units]


# fmt: off
_ENGLISH_UNITS: Final = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen",
    "eighteen", "nineteen",
)
_ENGLISH_TENS: Final = (
    "zero", "ten", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
)
# fmt: on
_ENGLISH_SCALES: Final = (
    (10**15, "quadrillion"),
    (10**12, "trillion"),
    (10**9, "billion"),
    (10**6, "million"),
    (10**3, "thousand"),
    (10**2, "hundred"),
)


def _english(number: int) -> Iterator[str]:
    """Yield the words of a positive number."""
    for scale, name in _ENGLISH_SCALES:
        if number >= scale:
            yield from _english(number // scale)
            yield name
            number %= scale
    if number >= 20:
        tens = _ENGLISH_TENS[number // 10]
        yield f"{tens}-{_ENGLISH_UNITS[number % 10]}" if number % 10 else tens
    elif number:
        yield _ENGLISH_UNITS[number]


# Days, months, shares and rates

# Both languages write the day first today; this is where another language would differ.
_DAY: Final = {"vi": "{0.day:02}/{0.month:02}/{0.year:04}", "en": "{0.day:02}/{0.month:02}/{0.year:04}"}
_MONTH: Final = {"vi": "{0.month:02}/{0.year:04}", "en": "{0.month:02}/{0.year:04}"}
_DECIMAL_SIGN: Final = {"vi": ",", "en": "."}


@lru_cache(maxsize=4_096)  # An evening is mostly of one day.
def day(on: date, language: str) -> str:
    """Write a day as dd/mm/yyyy."""
    return _DAY[language].format(on)


def month(year_and_month: str, language: str = "vi") -> str:
    """Write a month given as `2024-03` as 03/2024; anything else is a `ValueError`."""
    return _MONTH[language].format(date.fromisoformat(f"{year_and_month}-01"))


def percent(numerator: int, denominator: int, language: str) -> str | None:
    """Write a share with one decimal, half up: `33,3%` or `33.3%`; `None` when there is nothing to share.

    Shares are of people or of đồng outstanding, so a negative one is a mistake of ours: `ValueError`.
    """
    if numerator < 0 or denominator < 0:
        raise ValueError("a share is never negative")
    sign = _DECIMAL_SIGN[language]
    if denominator == 0:
        return None
    tenths = (2 * 1000 * numerator + denominator) // (2 * denominator)
    return f"{tenths // 10}{sign}{tenths % 10}%"


def rate(rate_ppm: int, language: str) -> str:
    """Write a rate in parts per million exactly, without idle zeros: 10_000 is `1%`, 12_500 is `1,25%`."""
    if rate_ppm < 0:
        raise ValueError("a rate is never negative")
    whole, rest = divmod(rate_ppm, 10_000)
    decimals = f"{rest:04}".rstrip("0")
    return f"{whole}{_DECIMAL_SIGN[language] if decimals else ''}{decimals}%"


# The reader's language

ACCEPT_LANGUAGE_LIMIT: Final = 1000
"""No browser sends more characters than this; a longer header is not read at all."""

_LANGUAGE_RANGE: Final = re.compile(
    r"(?P<primary>\*|[a-z]{1,8})(?:-[a-z0-9]{1,8})*"
    r"(?:[ \t]*;[ \t]*q=(?P<q>0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?",
    re.ASCII | re.IGNORECASE,
)


def language_of(accept_language: str | None) -> str:
    """Choose `vi` or `en` by the q-values of an Accept-Language header (RFC 9110, section 12.5.4).

    Whatever cannot be read is passed over. With nothing to choose by, the answer is Vietnamese, because the
    treasurers are.
    """
    if accept_language is None or len(accept_language) > ACCEPT_LANGUAGE_LIMIT:
        return LANGUAGES[0]
    weights: dict[str, int] = {}
    for element in accept_language.split(","):
        if found := _LANGUAGE_RANGE.fullmatch(element.strip(" \t")):
            primary = found["primary"].lower()
            weights[primary] = max(weights.get(primary, 0), _thousandths(found["q"] or "1"))
    for_any_other = weights.get("*", 0)
    return max(LANGUAGES, key=lambda language: weights.get(language, for_any_other))


def _thousandths(quality: str) -> int:
    """Read a q-value without floats: `1` is 1000 and `0.25` is 250."""
    return int(quality.replace(".", "").ljust(4, "0"))
