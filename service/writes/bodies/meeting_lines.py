"""Lines: what a meeting's sheet has many of, and what may take the place of a reversed entry.

A line is the body of a write with its `type` beside it, and it names in itself what a path would name elsewhere.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, Union

from pydantic import Field

from ledger.aggregates.fund import Fund
from ledger.events.corrections import ReversalReason
from ledger.meeting import Turn
from service.http.body import Dated, example
from service.http.fields import Code, Number, Words
from service.writes.bodies import loans, money

LineKey = Annotated[str, Code("[A-Za-z0-9_-]{8,64}")]


class LineKind(NamedTuple):
    """What a line may be: the body it extends, the method that decides, the number it names itself, and when its turn
    comes on a sheet that is taken in part."""

    body: type[Dated]
    decide: Callable[..., object]
    number: str | None = None
    turn: Turn = "receipt"


LINE_KINDS: Final[Mapping[str, LineKind]] = {
    "contribution": LineKind(money.Contribution, Fund.receive_contribution),
    "withdrawal": LineKind(money.Withdrawal, Fund.withdraw_savings, turn="payment"),
    "donation": LineKind(money.Donation, Fund.receive_donation),
    "in_kind_donation": LineKind(money.InKindDonation, Fund.receive_in_kind_donation),
    "income": LineKind(money.Income, Fund.receive_income),
    "expense": LineKind(money.Expense, Fund.pay_expense, turn="payment"),
    "pot_transfer": LineKind(money.PotTransfer, Fund.transfer_between_pots, turn="move"),
    "bank_movement": LineKind(money.BankMovement, Fund.move_by_bank, turn="move"),
    "advance": LineKind(money.Advance, Fund.receive_advance),
    "advance_repayment": LineKind(money.AdvanceRepayment, Fund.repay_advance, "advance", "payment"),
    "loan": LineKind(loans.LoanRequest, Fund.request_loan),
    "disbursement": LineKind(loans.Disbursement, Fund.disburse_loan, "loan", "payment"),
    "repayment": LineKind(loans.Repayment, Fund.repay_loan, "loan"),
    "set_off": LineKind(loans.SetOff, Fund.set_off_savings, "loan", "move"),
    "recovery": LineKind(loans.Recovery, Fund.recover_loan, "loan"),
}


def _model(kind: str, of: LineKind) -> type[Dated]:
    """The body with the marks of a line. Its key is needed only on a meeting's sheet."""
    marks: dict[str, Any] = {"type": Literal[kind], "key": LineKey | None}
    if of.number:
        marks[of.number] = Number
    schema: Any = of.body.model_config["json_schema_extra"]
    fields = {
        "__annotations__": marks,
        "__module__": __name__,
        "__doc__": of.body.__doc__,
        "key": None,
        "model_config": example(type=kind, **({of.number: 1} if of.number else {}), **schema["examples"][0]),
    }
    make: Any = type(of.body)
    line: type[Dated] = make(f"{of.body.__name__}Line", (of.body,), fields)
    return line


LINES: Final[Mapping[str, type[Dated]]] = {kind: _model(kind, of) for kind, of in LINE_KINDS.items()}
if TYPE_CHECKING:
    Line = Dated
else:
    Line = Annotated[Union[tuple(LINES.values())], Field(discriminator="type")]  # noqa: UP007  # Made of a table.


def call_of(line: Any) -> tuple[Callable[..., object], tuple[int, ...], dict[str, Any]]:
    """The method that decides a line, the number it names, and its other arguments."""
    kind = LINE_KINDS[line.type]
    facts = line.facts()
    return kind.decide, (facts.pop(kind.number),) if kind.number else (), facts


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
    replacement: Line | None = None

    def facts(self) -> dict[str, Any]:
        return {"reason": self.reason}
