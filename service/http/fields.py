"""The fields of request bodies and paths: their form, their bounds, and how the API's document shows them.

Each refuses with a stable code of ours that has words in the catalogue, never with a library's message.
"""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from ledger.differences import End
from ledger.events import FUND_CODE
from ledger.events.club import household_key
from ledger.money import MAX_AMOUNT
from service.bounds import CHECK_CODE, EARLIEST, HEAD, MAX_TEXT, SEED, VOUCHER, fault_of_words, has_a_letter

MOST_ITEMS: Final = 500
"""The longest page of a list."""
MOST_FUNDS: Final = 50
"""The longest page of a list for which each fund has to be folded from its log."""

MOST_DRAWN: Final = 200
"""More than anybody looks at in one inspection."""


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`; JSON integers only."""

    least: int
    most: int
    code: str = "number-out-of-range"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._bounded, core_schema.int_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}

    def _bounded(self, number: int) -> int:
        if not self.least <= number <= self.most:
            raise PydanticCustomError(self.code, "out of range", {"least": self.least, "most": self.most})
        return number


@dataclass(frozen=True)
class OneOf:
    """One of a few whole numbers; JSON integers only."""

    values: tuple[int, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._listed, core_schema.int_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "integer", "enum": list(self.values)}

    def _listed(self, number: int) -> int:
        if number not in self.values:
            raise PydanticCustomError(
                "value-not-allowed", "none of these", {"allowed": ", ".join(map(str, self.values))}
            )
        return number


@dataclass(frozen=True)
class Code:
    """Text of one form, in which nothing can be said about anybody."""

    pattern: str
    code: str = "not-well-formed"

    @cached_property
    def _form(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._well_formed, core_schema.str_schema(strict=True))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"type": "string", "pattern": f"^{self.pattern}$"}

    def _well_formed(self, text: str) -> str:
        if not self._form.fullmatch(text):
            raise PydanticCustomError(self.code, "not well formed")
        return text


@dataclass(frozen=True)
class Enumerated:
    """One of the values that are known when the program starts."""

    values: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.values))


@dataclass(frozen=True)
class Some:
    """A list of `least` to `most` items."""

    most: int
    least: int = 1

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._bounded, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return handler(schema) | {"minItems": self.least, "maxItems": self.most}

    def _bounded(self, items: list[Any]) -> list[Any]:
        if not self.least <= len(items) <= self.most:
            bounds = {"least": self.least, "most": self.most}
            raise PydanticCustomError("list-out-of-range", "too few or too many", bounds)
        return items


_WRITTEN_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def _day(value: object) -> date:
    try:
        # Other forms of ISO 8601, such as 20240305, are days to Python and mistakes to a reader.
        written = isinstance(value, str) and _WRITTEN_DAY.fullmatch(value)
        day = date.fromisoformat(written[0] if written else "")
    except ValueError:
        raise PydanticCustomError("not-a-day", "not a day") from None
    if day < EARLIEST:
        raise PydanticCustomError("day-too-early", "too early", {"earliest": EARLIEST})
    return day


def _instant(value: object) -> datetime:
    instant: datetime | None
    try:
        instant = datetime.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise PydanticCustomError("not-an-instant", "not an instant")
    return instant


def _said(text: str) -> str:
    text = unicodedata.normalize("NFC", text).strip()
    if code := fault_of_words(text):
        raise PydanticCustomError(code, "no words", {"most": MAX_TEXT})
    return text


def _named(text: str) -> str:
    if not has_a_letter(text):
        raise PydanticCustomError("not-a-name", "no letter")
    return text


def _as_text(value: object) -> object:
    """Clubs that number their households may send the number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > 0 else value


def digits(text: object) -> object:
    """The digits of a path or a query; `int` would also take signs, spaces and underscores."""
    if isinstance(text, str):
        if not re.fullmatch(r"0|[1-9]\d{0,17}", text, re.ASCII):
            raise PydanticCustomError("not-an-integer", "not a number")
        return int(text)
    return text


def end_of(text: object) -> End:
    """A point in both times written `DAY`, `DAY@INSTANT` or `DAY@VERSION`; without the day it is of all days, without
    the rest of what is known now. Raises `PydanticCustomError`."""
    not_a_point = PydanticCustomError("not-a-point", "not a point in both times")
    written = _POINT.fullmatch(text) if isinstance(text, str) else None
    if not written:
        raise not_a_point
    day, version, instant = written.groups()
    try:
        return End(_day(day) if day else None, int(version) if version else _instant(instant) if instant else None)
    except PydanticCustomError:  # It would speak of a part of what was written only.
        raise not_a_point from None


_POINT = re.compile(r"(?=.)([^@]*)(?:@(?:(0|[1-9]\d{0,8})|([^@]+)))?", re.ASCII)


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Instant = Annotated[datetime, BeforeValidator(_instant), WithJsonSchema({"type": "string", "format": "date-time"})]
PointText = Annotated[
    End,
    PlainValidator(end_of),
    WithJsonSchema(
        {
            "type": "string",
            "description": "DAY, DAY@INSTANT or DAY@VERSION: what had happened by the end of that day, of what the "
            "service knew at that instant (or that version of the fund). Without the day: all days; without @: what is "
            "known now. The + of an instant's offset is written %2B.",
            "examples": ["2024-12-31", "2024-12-31@2025-01-05T08:00:00Z", "2024-12-31@412", "@412"],
        }
    ),
]
Words = Annotated[str, AfterValidator(_said), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_TEXT})]
Name = Annotated[Words, AfterValidator(_named)]
"""Of a person, a club, a place or a giver."""
Amount = Annotated[int, Whole(1, MAX_AMOUNT, "amount-out-of-range")]
AmountOrNothing = Annotated[int, Whole(0, MAX_AMOUNT, "amount-out-of-range")]
Number = Annotated[int, Whole(1, 999_999_999)]
PathNumber = Annotated[int, Whole(1, 999_999_999), BeforeValidator(digits)]
Position = Annotated[int, Whole(0, 10**18 - 1), BeforeValidator(digits)]
Limit = Annotated[int, Whole(1, MOST_ITEMS, "limit-invalid"), BeforeValidator(digits)]
FundLimit = Annotated[int, Whole(1, MOST_FUNDS, "limit-invalid"), BeforeValidator(digits)]
WaitSeconds = Annotated[int, Whole(0, 30), BeforeValidator(digits)]
Cursor = Annotated[str, Code("[A-Za-z0-9_.~-]{1,400}", "cursor-invalid")]
CheckCode = Annotated[str, Code(CHECK_CODE)]
Head = Annotated[str, Code(HEAD)]
VoucherNumber = Annotated[str, Code(VOUCHER)]
FundCode = Annotated[str, Code(FUND_CODE)]
Month = Annotated[str, Code("(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])", "not-a-month")]
Drawn = Annotated[int, Whole(0, MOST_DRAWN), BeforeValidator(digits)]
Seed = Annotated[str, Code(SEED)]
"""A public number, such as a lottery's result; it has a digit and no space, so that it is no place for a name."""
Household = Annotated[
    str,
    Code("[A-Za-z0-9-]{1,24}"),
    BeforeValidator(_as_text),
    AfterValidator(household_key),
    WithJsonSchema({"type": ["string", "integer"], "pattern": "^[A-Za-z0-9-]{1,24}$", "minimum": 1}),
]
Reference = Annotated[str, Code(r"(?=\S*[0-9])[\w./-]{1,60}")]
"""The number of a paper, such as `12/QĐ-UBND`; it has a digit and no space, so that it is no place for a name."""
