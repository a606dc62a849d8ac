"""The one catalogue of everything the service says to people, in Vietnamese and English.

The files of `messages/` hold an entry for every refusal, every sentence read aloud to the meeting, every word of an
enumeration, paper and page. An entry is a table with exactly the keys `vi` and `en`, which name the same facts; its key
is the dotted path to that table, such as `refusal.overpayment.detail`, and stands in one file only. Entries are
written in small letters where they stand amid a sentence. Templates name facts in braces:

===================== ============================================ ===========================
`{amount:dong}`       an amount in figures                         `50.000 đ`
`{amount:words}`      the same in words                            `Năm mươi nghìn đồng`
`{entries:count}`     how many; a name such as `no. 11939` is plain `11.939`
`{on:day}`            a `date`                                     `05/03/2024`
`{for_month:month}`   a month given as `2024-03`                   `03/2024`
`{rate_ppm:rate}`     a rate in parts per million                  `1,25%`
`{pot:word.pot}`      the word of an enumeration's value           `quỹ hoạt động`
`{reasons:codes}`     the entries `reason.<code>`, joined by "; "
`{member}`            text or a whole number, as it is
===================== ============================================ ===========================

Facts are never templates themselves, and a template reaches neither into attributes nor into items of a fact.
"""

import string
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Final

from service.words import wording


def render(key: str, language: str, /, **facts: object) -> str:
    """Say the entry `key` with these facts, beginning with a capital.

    An unknown key or language, or a fact the template names and nobody gave, raises `KeyError`. Facts that
    the template does not name are passed over, so an event's fields may be given whole.
    """
    return wording.capitalised(_fill(key, language, facts))


def sentence(name: str, language: str, /, **facts: object) -> str:
    """Say what happened, for the meeting: the entry `sentence.<name>`, then the voucher's number, if any.

    `voucher` (`PT-2024-0001` or `PC-2024-0001`) may be absent or `None`: money moved by the bank has none. A
    reversal speaks of the wrong voucher's number itself, so there it is not added again.
    """
    return told(name, language, facts)


def told(name: str, language: str, facts: Mapping[str, object]) -> str:
    """The same with the facts as one mapping: a sheet has a hundred sentences, and an event a dozen facts."""
    key = f"sentence.{name}"
    spoken = wording.capitalised(_fill(key, language, facts))
    voucher = facts.get("voucher")
    if voucher is None or ("voucher", "") in fields(key, language):
        return spoken
    kind = str(voucher).partition("-")[0]
    return f"{spoken} {wording.capitalised(_fill(f'voucher.{kind}', language, facts))}"


def phrase(key: str, language: str, /, **facts: object) -> str:
    """Say the entry `key` amid a sentence: as `render`, with the small letters it has in the file."""
    return _fill(key, language, facts)


def word(enumeration: str, value: str, language: str) -> str:
    """Give the word for one value of an enumeration, in the small letters it has amid a sentence."""
    return _fill(f"word.{enumeration}.{value}", language, {})


def every_key() -> AbstractSet[str]:
    """Every key of the catalogue, in the order of the files."""
    return _ENTRIES.keys()


@cache
def fields(key: str, language: str) -> frozenset[tuple[str, str]]:
    """Name the facts an entry asks for, each with its form: `("amount", "dong")`."""
    return frozenset((name, form) for _, name, form in _taken_apart(_ENTRIES[key][language]) if name is not None)


def _fill(key: str, language: str, facts: Mapping[str, object]) -> str:
    """Fill a template part by part. `str.format` would also reach into attributes and items of a fact."""
    spoken: list[str] = []
    for text, name, say in _parts(_ENTRIES[key][language], language):
        spoken.append(text)
        if name is not None:
            spoken.append(say(facts[name]))
    return "".join(spoken)


@cache
def _parts(template: str, language: str) -> tuple[tuple[str, str | None, Callable[[object], str]], ...]:
    """A template taken apart: text, after it the name of a fact, and what says that in the form asked for."""
    return tuple((text, name, _sayer(form, language)) for text, name, form in _taken_apart(template))


def _taken_apart(template: str) -> Iterator[tuple[str, str | None, str]]:
    """Text, and after it the name and the form of a fact."""
    for text, name, form, conversion in string.Formatter().parse(template):
        if conversion:
            raise ValueError(f"the template {template!r} may not show a fact as Python does, by !{conversion}")
        yield text, name, form or ""


def _sayer(form: str, language: str) -> Callable[[object], str]:
    """What puts a fact into a form; a fact of another kind raises `TypeError`."""
    match form:
        case "":
            return _plain
        case "dong":
            return lambda fact: wording.dong(_whole(fact), language)
        case "words":
            return lambda fact: wording.in_words(_whole(fact), language)
        case "count":
            return lambda fact: wording.count(_whole(fact), language)
        case "rate":
            return lambda fact: wording.rate(_whole(fact), language)
        case "day":
            return lambda fact: wording.day(_date(fact), language)
        case "month":
            return lambda fact: wording.month(_text(fact), language)
        case "codes":
            return lambda fact: "; ".join(_fill(f"reason.{code}", language, {}) for code in _codes(fact))
    if form.startswith("word."):
        return lambda fact: _fill(f"{form}.{_text(fact)}", language, {})
    raise ValueError(f"a template asks for the unknown form {form!r}")


# A fact of the wrong kind is a mistake of ours. Saying "None" or "True" to a meeting would hide it.


def _plain(fact: object) -> str:
    return fact if isinstance(fact, str) else str(_whole(fact))


def _whole(fact: object) -> int:
    if isinstance(fact, bool) or not isinstance(fact, int):
        raise TypeError(f"a whole number is expected, not {type(fact).__name__}")
    return fact


def _text(fact: object) -> str:
    if not isinstance(fact, str):
        raise TypeError(f"text is expected, not {type(fact).__name__}")
    return fact


def _date(fact: object) -> date:
    if not isinstance(fact, date):
        raise TypeError(f"a day is expected, not {type(fact).__name__}")
    return fact


def _codes(fact: object) -> Iterable[str]:
    if isinstance(fact, str) or not isinstance(fact, Iterable):
        raise TypeError(f"a list of codes is expected, not {type(fact).__name__}")
    return [_text(code) for code in fact]


def _entries(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, dict[str, str]]]:
    """Walk the file down to its entries; an entry without both languages raises `ValueError`."""
    if not table.keys().isdisjoint(wording.LANGUAGES):
        if set(table) != set(wording.LANGUAGES):
            raise ValueError(f"the entry {'.'.join(path)} needs exactly the languages {wording.LANGUAGES}")
        yield ".".join(path), dict(table)
        return
    for name, child in table.items():
        yield from _entries(child, (*path, name))


FILES: Final = sorted(Path(__file__).with_name("messages").glob("*.toml"))
_ENTRIES: Final = {
    key: texts for file in FILES for key, texts in _entries(tomllib.loads(file.read_text(encoding="utf-8")))
}
