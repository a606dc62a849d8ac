"""Vietnamese typed in the encodings of before Unicode, and read as if it were Unicode: `NguyÔn V¨n`, `Nguyeãn Vaên`.

Old spreadsheets keep the bytes of TCVN3 (the fonts whose names begin with .Vn) or of VNI, and show them as Vietnamese
only in those fonts. A text is recognised by what it becomes: as it stands, some word of it is no Vietnamese syllable;
converted, every word is one. So names of other languages (`François`, `K'Brơi`) are left in peace.
"""

import re
import unicodedata
from collections.abc import Callable
from itertools import product
from typing import Final

_TCVN3: Final = dict(
    zip(
        "µ¶·¸¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ¨©ª«¬\u00ad®¡¢£¤¥¦§",
        "àảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵăâêôơưđĂÂÊÔƠƯĐ",
        strict=True,
    )
)  # fmt: skip
_VNI_LETTERS: Final = dict(zip("ôöñíìæóòîÔÖÑÍÌÆÓÒÎ", "ơưđíìỉĩịỵƠƯĐÍÌỈĨỊỴ", strict=True))
_VNI_MARKS: Final = {
    "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ù": "\u0301", "ï": "\u0323",
    "â": "\u0302", "à": "\u0302\u0300", "å": "\u0302\u0309", "ã": "\u0302\u0303", "á": "\u0302\u0301",
    "ä": "\u0302\u0323", "ê": "\u0306", "è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303",
    "é": "\u0306\u0301", "ë": "\u0306\u0323",
}  # fmt: skip
"""What VNI writes behind a vowel: a tone, or a circumflex or breve with its tone."""

_TONELESS: Final = {
    unicodedata.normalize("NFC", vowel + tone): vowel
    for vowel, tone in product("aăâeêioôơuưy", ("", "\u0300", "\u0309", "\u0303", "\u0301", "\u0323"))
}
"""Each vowel with a tone, and without it."""

_SYLLABLE: Final = re.compile(
    "(?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnpqrstvx])?"
    "(?:(?:[aăâeêioôơuưy]|i?ê|yê|oo|o[aăe]|u[âêôơy]|uyê|ươ)(?:ch|ng|nh|[cmnpt])"
    "|[aeêioôơuưy]|[aâ][uy]|a[io]|eo|êu|i[au]|iêu|yêu|o[aei]|[ôơ]i|oa[ioy]|oeo|u[aêiơy]|uâ?y|uy[au]|uôi|ư[aiu]|ươ[iu])"
)
"""A syllable without its tone: an initial, then a vowel that takes a final consonant, or one that stands open."""


def legacy_encoding(text: str) -> str | None:
    """The encoding a text was typed in, by its usual name; None for what is Unicode, or may be."""
    words = re.findall(r"[^\s!-@\[-`{-~]+", unicodedata.normalize("NFC", text))
    if any(letter > "\u00ff" for word in words for letter in word) or all(map(_is_syllable, words)):
        return None
    encodings: dict[str, Callable[[str], str]] = {"TCVN3 (ABC)": _from_tcvn3, "VNI": _from_vni}
    return next((name for name, to in encodings.items() if all(_is_syllable(to(word)) for word in words)), None)


def _from_tcvn3(word: str) -> str:
    return "".join(_TCVN3.get(letter, letter) for letter in word)


def _from_vni(word: str) -> str:
    converted = ""
    for letter in word:
        before = unicodedata.normalize("NFD", converted[-1:])[:1].lower()
        mark = _VNI_MARKS.get(letter.lower()) if before and before in "aeouy" else None
        converted = unicodedata.normalize("NFC", converted + (mark or _VNI_LETTERS.get(letter, letter)))
    return converted


def _is_syllable(word: str) -> bool:
    """Whether a word is a Vietnamese syllable, in small letters, in capitals or with a capital."""
    if word not in (word.lower(), word.upper(), word[:1].upper() + word[1:].lower()):
        return False
    toneless = "".join(_TONELESS.get(letter, letter) for letter in word.lower())
    return _SYLLABLE.fullmatch(toneless) is not None
