"""What may be sent to undo an entry or a whole sheet."""

from typing import TYPE_CHECKING, Any

from ledger.events.corrections import ReversalReason
from service.http.body import Dated, example
from service.http.fields import Words

if TYPE_CHECKING:
    AnyLine = Dated


class Reversal(Dated):
    """An entry is undone, and in the same act entered anew as it should have been; both or neither.

    The replacement happened on the day of the reversal, unless it names its own.
    """

    model_config = example(
        reason="wrong_amount",
        on="2026-02-15",
        replacement={"type": "contribution", "member": 1, "kind": "dues", "amount": 20_000, "on": "2026-02-15"},
    )
    PERSONAL = ("note",)

    reason: ReversalReason
    note: Words | None = None
    replacement: "AnyLine | None" = None
    """What `AnyLine` is, the table of writes says, which this body is a row of."""

    def facts(self) -> dict[str, Any]:
        return {"reason": self.reason}


class MeetingReversal(Dated):
    """A whole sheet is undone: its live lines and its attendance, in one act, on the day of the meeting unless `on`
    says otherwise. The sheet's name is free again; the keys of its lines stay spent."""

    model_config = example(reason="wrong_date")
    PERSONAL = ("note",)

    reason: ReversalReason
    note: Words | None = None

    def facts(self) -> dict[str, Any]:
        return {"reason": self.reason, "as_held": self.on is None}
