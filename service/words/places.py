"""Where a club lies, as it is said and printed: `xã Vân Nham, huyện Hữu Lũng, tỉnh Lạng Sơn`, since July 2025 without
a district.

Names are kept as they were told, best with their kind, which nobody could guess: a commune, a ward or a township. Of a
province alone the kind is known.
"""

from typing import Final

from service.words import catalogue
from service.words.catalogue import word

UNITS: Final = tuple(key.removeprefix("word.unit.") for key in catalogue.every_key() if key.startswith("word.unit."))
CITIES: Final = frozenset({"Hà Nội", "Huế", "Hải Phòng", "Đà Nẵng", "Hồ Chí Minh", "Cần Thơ"})
"""Those of the first level: their kind is city, and that of all others province."""


def place(commune: str | None, district: str | None, province: str, language: str) -> str:
    """A place in one line, from the commune up, amid a sentence."""
    of_first_level = "city" if province in CITIES else "province"
    named = [_named(name, None, language) for name in (commune, district) if name]
    return ", ".join([*named, _named(province, of_first_level, language)])


def _named(name: str, kind: str | None, language: str) -> str:
    """A name with its kind: the one it was told with, else the one given, else none."""
    for unit in UNITS:
        told = f"{word('unit', unit, 'vi')} "
        if name.casefold().startswith(told):
            name, kind = name[len(told) :], unit
            break
    if kind is None or name.startswith("TP"):
        return name
    return f"{word('unit', kind, language)} {name}" if language == "vi" else f"{name} {word('unit', kind, language)}"
