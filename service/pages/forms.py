"""One pattern for all forms: which questions a form asks.

The fields are those of the body models (`service/writes/bodies`), which alone decide what is right; here stands only in
which order they are asked, and by which kind of element.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from types import UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ledger.chart import Place, Pot
from ledger.events.activities import Area, HelpKind
from ledger.events.club import LeavingReason, Poverty, Sex
from ledger.events.corrections import ReversalReason
from ledger.events.governance import CountedPot, CountReason, Office
from ledger.events.inspections import InspectionKind
from ledger.events.loans import Purpose
from ledger.events.money import Activity, ContributionKind, DonationSource, IncomeKind
from ledger.money import MAX_AMOUNT
from ledger.refusals import NotFound
from ledger.terms import InterestMethod, RepaymentMode
from service.http.body import Dated
from service.http.fields import OneOf, Whole
from service.writes.table import LINES, ON_SHEETS, WRITES, Write

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
    InspectionKind: "inspection",
    InterestMethod: "interest_method",
    RepaymentMode: "repayment_mode",
    Area: "area",
    HelpKind: "help",
    Literal["deposit", "withdrawal"]: "direction",
}
"""By which words of the catalogue the values of a field are shown."""

WHO: Final = ("member", "guarantor", "paid_by")
"""Fields that name a member: chosen from the roll."""

Kind = Literal[
    "amount",
    "number",
    "rate",
    "day",
    "month",
    "months",
    "choice",
    "yes",
    "member",
    "members",
    "loan",
    "advance",
    "text",
    "rows",
]


class Question(NamedTuple):
    """One field of a form: its name, by which kind of element it is asked, and what may be chosen; of a list, `parts`
    are what is asked in each row."""

    name: str
    kind: Kind
    is_required: bool = True
    options: tuple[str, ...] = ()
    words: str = ""
    default: Any = None
    parts: tuple["Question", ...] = ()

    @property
    def field(self) -> str:
        """The body's field, whatever it is nested in."""
        return self.name.rpartition(".")[2]


class Form(NamedTuple):
    """What one kind of write asks: first what is always needed, and then, folded away, what is rarely needed.

    `replacement` is the form of the line that may come with a reversal: its fields stand within the body. `needed` are
    fields that nobody leaves out on a form, although a program may: of a nought, too, somebody has to think.
    """

    write: Write
    asked: tuple[str, ...]
    folded: tuple[str, ...] = ("on",)
    replacement: "Form | None" = None
    needed: tuple[str, ...] = ()

    def questions(self, prefix: str = "") -> tuple[tuple[Question, ...], tuple[Question, ...]]:
        """The form's own questions: those that are always shown, and those that are folded away."""
        asked, more = (tuple(self._question(name, prefix) for name in names) for names in (self.asked, self.folded))
        return asked, more

    def _question(self, name: str, prefix: str) -> Question:
        asked = question(self.body, name)
        return asked._replace(name=f"{prefix}{name}", is_required=asked.is_required or name in self.needed)

    def every_question(self, *, replaces: bool = True) -> Iterator[Question]:
        """All its questions, with those of what `replaces` an entry."""
        for part in self.questions():
            yield from part
        if self.replacement and replaces:
            for part in self.replacement.questions(REPLACEMENT):
                yield from part

    @property
    def body(self) -> type[Dated]:
        """The body with the numbers of its path as fields; a line has them, since it names them itself."""
        return LINES[self.write.line.type] if self.write.line else self.write.body


REPLACEMENT: Final = "replacement."
"""What the names of a replacement's fields begin with."""


def _line(kind: str, *asked: str, folded: Sequence[str] = ()) -> Form:
    return Form(ON_SHEETS[kind], asked, ("on", *folded))


def write_at(path: str) -> Write:
    """The write at an address below that of the fund."""
    (write,) = (write for write in WRITES if write.path == f"/funds/{{fund}}/{path}")
    return write


def _other(path: str, *asked: str, folded: Sequence[str] = ()) -> Form:
    return Form(write_at(path), asked, ("on", *folded))


BY_HAND: Final = ("place", "paid_by")
BOXES: Final = tuple(f"pots.{pot}.{place}" for pot in get_args(Pot) for place in get_args(Place))
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
    "activity": _line("activity", "area", "participants", folded=("volunteers", "note")),
    "mutual_help": _line("mutual_help", "kind", "quantity", "unit", "people", folded=("worth", "note")),
    "member": _other("members", "name", "sex", "birth_year", "poverty", "household", "phone"),
    "departure": _other("members/{member}/departure", "member", "reason"),
    "return": _other("members/{member}/return", "member"),
    "forgiven_dues": _other("members/{member}/forgiven-dues", "member", "months", "reason"),
    "change": _other(
        "members/{member}/changes", "member", folded=("name", "phone", "sex", "birth_year", "poverty", "household")
    ),
    "office": _other("offices", "member", "office", folded=("until",)),
    "waiver": _other("loans/{loan}/waiver", "loan", "amount", "reason"),
    "rescheduling": _other("loans/{loan}/rescheduling", "loan", "term_months", "reason", folded=("override.reason",)),
    "write_off": _other("loans/{loan}/write-off", "loan", "reason", folded=("amount",)),
    "opening_balances": Form(
        write_at("opening-balances"),
        ("on", *BOXES, "loans", "savings", "advances", "equipment"),
        ("document",),
        needed=("on", *BOXES),
    ),
    "period": _other("periods", "through"),
    "reopening": _other("periods/reopening", "from", "reason"),
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


def question(body: type[BaseModel], name: str) -> Question:
    """How a field of a body is asked; dots lead to the fields of its parts."""
    field = _field(body, name)
    if field is None:  # A number of the path, which the body of no line has.
        return Question(name, "loan" if name == "loan" else "member")
    kind = _kind_of(name, field)
    annotation = _without_none(field.annotation)
    options = tuple(map(str, _listed(field))) if kind == "choice" else ()
    words = ENUMERATIONS.get(annotation, "") if kind == "choice" else ""
    default = None if field.is_required() else field.default
    return Question(name, kind, field.is_required(), options, words, default, _parts(annotation))


ONLY_CHECKED: Final = frozenset({"next_due_on"})
"""Fields that say nothing new: a program may have its own reckoning checked by them."""


def _parts(annotation: Any) -> tuple[Question, ...]:
    """What is asked in each row of a list of things; nothing of any other field."""
    if get_origin(annotation) is not list or not is_body(thing := get_args(annotation)[0]):
        return ()
    return tuple(question(thing, name) for name in thing.model_fields if name not in ONLY_CHECKED)


def is_body(annotation: Any) -> bool:
    """Whether a field is made of fields of its own."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _field(body: type[BaseModel], name: str) -> FieldInfo | None:
    own, _, rest = name.partition(".")
    field = {field.alias or own: field for own, field in body.model_fields.items()}.get(own)
    if field is None or not rest:
        return field
    within = _without_none(field.annotation)
    if get_origin(within) is dict:
        return FieldInfo.from_annotated_attribute(get_args(within)[1], None)
    return _field(within, rest)


def _listed(field: FieldInfo) -> Sequence[Any]:
    """What one of may be chosen."""
    found = next((mark.values for mark in _metadata(field) if isinstance(mark, OneOf)), None)
    return found or get_args(_without_none(field.annotation))


def _kind_of(name: str, field: FieldInfo) -> Any:
    annotation = _without_none(field.annotation)
    if name in WHO:
        return "member"
    if name in ("loan", "advance", "months"):
        return name
    if _parts(annotation):
        return "rows"
    if name == "witnesses":
        return "members"
    if name == "for_month":
        return "month"
    if name.endswith("_ppm"):
        return "rate"
    if get_origin(annotation) is Literal or any(isinstance(mark, OneOf) for mark in _metadata(field)):
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
