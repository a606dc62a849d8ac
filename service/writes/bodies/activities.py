"""What may be sent about what a club does beside money."""

from typing import Annotated

from ledger.events.activities import Area, HelpKind
from service.http.body import Dated, example
from service.http.fields import Amount, Number, Whole, Words

People = Annotated[int, Whole(1, 100_000)]


class Activity(Dated):
    """The club did something in one of its areas: how many took part."""

    model_config = example(area="health", participants=46, volunteers=5, on="2026-01-15")
    PERSONAL = ("note",)

    area: Area
    participants: People
    volunteers: Annotated[int, Whole(0, 100_000)] | None = None
    note: Words | None = None


class MutualHelp(Dated):
    """Members helped others: how much of what, for how many people, and of what worth, if a figure was put on it."""

    model_config = example(kind="labour", quantity=12, unit="công", people=3, worth=2_400_000, on="2026-01-15")
    PERSONAL = ("note",)

    kind: HelpKind
    quantity: Number
    unit: Words
    people: People
    worth: Amount | None = None
    note: Words | None = None
