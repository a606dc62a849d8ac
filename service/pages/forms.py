"""One pattern for all forms: which questions a form asks, how what was typed becomes the body of a write, and what was
wrong with which field.

The fields are those of the body models (`service/writes/bodies`), which alone decide what is right; here stands only in
which order they are asked, and by which kind of element.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic.fields import FieldInfo

from ledger.chart import Place, Pot
from ledger.events.club import LeavingReason, Poverty, Sex
from ledger.events.corrections import ReversalReason
from ledger.events.governance import CountedPot, CountReason, Office
from ledger.events.loans import Purpose
from ledger.events.money import Activity, ContributionKind, DonationSource, IncomeKind
from ledger.money import MAX_AMOUNT
from ledger.refusals import NotFound
from service.bounds import fault
from service.http.body import Dated
from service.http.fields import Whole
from service.http.parsing import MAX_BODY
from service.http.refusals import BodyTooLarge, FieldError, InvalidFields, InvalidUtf8, UnsupportedMediaType
from service.writes.table import LINES, ON_SHEETS, WRITES, Write

Typed = dict[str, str]
"""What was typed into a form, by the names of its fields; of a list, several lines in one text."""

ENUMERATIONS: Final[Mapping[Any, str]] = {
    ContributionKind: "contribution",
    IncomeKind: "income",
    Activity: "activity",
    DonationSource: "source",
    Pot: "pot",
    CountedPot: "pot",
    CountReason: "count",
    Place: "place",
    Purpose: "purpose",
    Sex: "sex",
    Poverty: "poverty",
    LeavingReason: "leaving",
    Office: "office",
    ReversalReason: "reversal",
    Literal["deposit", "withdrawal"]: "direction",
}
"""By which words of the catalogue the values of a field are shown."""

WHO: Final = ("member", "guarantor", "paid_by")
"""Fields that name a member: chosen from the roll."""

ITEMS: Final = 4
"""Lines of a list that a form shows when nothing was typed yet."""


Kind = Literal[
    "amount", "number", "day", "month", "months", "choice", "yes", "member", "loan", "advance", "text", "items"
]


class Question(NamedTuple):
    """One field of a form: its name, by which kind of element it is asked, and what may be chosen."""

    name: str
    kind: Literal[
        "amount", "number", "day", "month", "months", "choice", "yes", "member", "loan", "advance", "text", "items"
    ]
    is_required: bool = True
    options: tuple[str, ...] = ()
    words: str = ""
    default: Any = None

    @property
    def field(self) -> str:
        """The body's field, whatever it is nested in."""
        return self.name.rpartition(".")[2]


class Form(NamedTuple):
    """What one kind of entry asks: first what is always needed, and then, folded away, what is rarely needed."""

    write: Write
    asked: tuple[str, ...]
    folded: tuple[str, ...] = ("on",)
    is_line: bool = False

    def questions(self, prefix: str = "") -> tuple[tuple[Question, ...], tuple[Question, ...]]:
        """The questions that are always shown, and those that are folded away."""
        asked, more = (
            tuple(question(self.body, name, prefix) for name in names) for names in (self.asked, self.folded)
        )
        return asked, more

    @property
    def body(self) -> type[Dated]:
        """The body with the numbers of its path as fields; a line has them, since it names them itself."""
        return LINES[self.write.line.type] if self.write.line else self.write.body


def _line(kind: str, *asked: str, folded: Sequence[str] = ()) -> Form:
    return Form(ON_SHEETS[kind], asked, ("on", *folded), is_line=True)


def _other(path: str, *asked: str, folded: Sequence[str] = ()) -> Form:
    (write,) = (write for write in WRITES if write.path == f"/funds/{{fund}}/{path}")
    return Form(write, asked, ("on", *folded))


BY_HAND: Final = ("place", "paid_by")
FORMS: Final[Mapping[str, Form]] = {
    "contribution": _line("contribution", "member", "kind", "for_month", "amount", folded=(*BY_HAND, "note")),
    "repayment": _line("repayment", "loan", "amount", folded=(*BY_HAND, "settle")),
    "expense": _line("expense", "activity", "amount", "note", folded=("pot", "place")),
    "donation": _line("donation", "source", "donor", "pot", "amount", folded=("foreign", "document")),
    "loan": _line("loan", "member", "principal", "term_months", "purpose", "guarantor"),
    "disbursement": _line("disbursement", "loan", folded=("place",)),
    "withdrawal": _line("withdrawal", "member", "amount", folded=BY_HAND),
    "income": _line("income", "kind", "pot", "amount", folded=("place",)),
    "in_kind_donation": _line("in_kind_donation", "source", "donor", "items", folded=("pot", "foreign", "document")),
    "bank_movement": _line("bank_movement", "direction", "pot", "amount"),
    "pot_transfer": _line("pot_transfer", "from", "to", "amount"),
    "advance": _line("advance", "source", "lender", "amount"),
    "advance_repayment": _line("advance_repayment", "advance", "amount"),
    "set_off": _line("set_off", "loan", "amount"),
    "recovery": _line("recovery", "loan", "amount"),
    "member": _other("members", "name", "sex", "birth_year", "poverty", "household", "phone"),
    "departure": _other("members/{member}/departure", "member", "reason"),
    "return": _other("members/{member}/return", "member"),
    "forgiven_dues": _other("members/{member}/forgiven-dues", "member", "months", "reason"),
    "office": _other("offices", "member", "office", folded=("until",)),
    "waiver": _other("loans/{loan}/waiver", "loan", "amount", "reason"),
    "rescheduling": _other("loans/{loan}/rescheduling", "loan", "term_months", "reason"),
    "write_off": _other("loans/{loan}/write-off", "loan", "reason", folded=("amount",)),
}
"""By the API's type of line, or the last step of its path."""

EVERYDAY: Final = ("contribution", "repayment", "expense", "donation", "loan", "disbursement")
"""What is recorded most, shown first in the chooser."""


def types_of(what: str) -> tuple[str, ...]:
    """The types of event that a form records, by the method that decides. Raises `NotFound`."""
    if what not in FORMS:
        raise NotFound
    recorded = get_type_hints(FORMS[what].write.decide)["return"]
    return tuple(event.__name__ for event in get_args(recorded) or (recorded,))


# --- from the body's fields to questions ------------------------------------------------------------------------------


def question(body: type[Dated], name: str, prefix: str = "") -> Question:
    """How a field of a body is asked."""
    known = {field.alias or own: field for own, field in body.model_fields.items()}
    if name not in known:  # A number of the path, which the body of no line has.
        return Question(f"{prefix}{name}", "loan" if name == "loan" else "member")
    field = known[name]
    kind = _kind_of(name, field)
    annotation = _without_none(field.annotation)
    options = tuple(map(str, get_args(annotation))) if kind == "choice" else ()
    return Question(
        f"{prefix}{name}",
        kind,
        field.is_required(),
        options,
        ENUMERATIONS[annotation] if kind == "choice" else "",
        None if field.is_required() else field.default,
    )


def _kind_of(name: str, field: FieldInfo) -> Any:
    annotation = _without_none(field.annotation)
    if name in WHO:
        return "member"
    if name in ("loan", "advance", "months", "items"):
        return name
    if name == "for_month":
        return "month"
    if get_origin(annotation) is Literal:
        return "choice"
    if annotation is bool:
        return "yes"
    if annotation is date:
        return "day"
    if annotation is int:
        bounds = (bound for bound in _metadata(field) if isinstance(bound, Whole))
        return "amount" if any(bound.most == MAX_AMOUNT for bound in bounds) else "number"
    return "text"


def _metadata(field: FieldInfo) -> Iterator[Any]:
    yield from field.metadata
    for part in get_args(field.annotation):
        if get_origin(part) is Annotated:
            yield from get_args(part)[1:]


def _without_none(annotation: Any) -> Any:
    """The type of a field that may be left out; what is said beside the type is left aside."""
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(part for part in get_args(annotation) if part is not type(None))
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


# --- from what was typed to a body ------------------------------------------------------------------------------------


async def typed_in(request: Request) -> Typed:
    """The fields of a form that was sent. Raises `UnsupportedMediaType`, `BodyTooLarge`, `InvalidUtf8`, and
    `InvalidFields` for text that cannot be shown. A field that is there several times is a list, a line each."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType
    sent = b""
    async for chunk in request.stream():
        sent += chunk
        if len(sent) > MAX_BODY:
            raise BodyTooLarge(most_kib=MAX_BODY // 1024)
    try:
        pairs = parse_qsl(sent.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=2_000)
    except ValueError:
        raise InvalidUtf8 from None
    typed: Typed = {}
    for name, value in pairs:
        if code := fault(value.replace("\r\n", " ")) or fault(name):
            raise InvalidFields([FieldError("", code, {})])
        typed[name] = f"{typed[name]}\n{value}" if name in typed else value
    return typed


def body_of(form: Form, typed: Typed, prefix: str = "") -> dict[str, Any]:
    """The fields of a body as JSON has them. What cannot be read as its kind stays text, for the model to refuse; what
    was left empty is left out."""
    body: dict[str, Any] = {}
    for asked in (asked for part in form.questions(prefix) for asked in part):
        if asked.kind == "items":
            body[asked.field] = _items(typed, asked.name)
        elif (value := _value(asked, typed.get(asked.name, ""))) is not None:
            body[asked.field] = value
    return body


def _value(asked: Question, text: str) -> Any:
    text = text.strip()
    if not text:
        return None
    match asked.kind:
        case "amount":
            return _whole(re.sub(r"[.\s\u00a0đ]", "", text))
        case "number" | "member" | "loan" | "advance":
            return _whole(text)
        case "yes":
            return text == "true"
        case "months":
            return text.split("\n")
    return text


def _whole(text: str) -> int | str:
    return int(text) if re.fullmatch(r"\d{1,18}", text, re.ASCII) else text


def _items(typed: Typed, name: str) -> list[dict[str, Any]]:
    """A list of things, `items.0.what` and so on; rows that are all empty are left out."""
    rows: dict[int, dict[str, Any]] = {}
    for key, text in typed.items():
        if (
            found := re.fullmatch(rf"{re.escape(name)}\.(\d{{1,2}})\.(what|quantity|unit|value)", key)
        ) and text.strip():
            kind: Any = {"quantity": "number", "value": "amount"}.get(found[2], "text")
            rows.setdefault(int(found[1]), {})[found[2]] = _value(Question(key, kind), text)
    return [rows[index] for index in sorted(rows)]


def wrong_fields(errors: Sequence[Mapping[str, Any]], prefix: str = "") -> dict[str, Any]:
    """What is wrong with which field of a form, by its name: the errors of a problem with JSON pointers."""
    return {f"{prefix}{error['pointer'].strip('/').replace('/', '.')}": error for error in errors}
