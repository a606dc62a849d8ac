"""A receipt as a text to send: one that fits a single message without marks, and one that fits with them.

It names nobody: the club, the day, what, how much, what is left, the voucher and the check code.
"""

import unicodedata
from typing import Any, Final

from ledger.aggregates.fund import Fund
from ledger.events import (
    AdvanceRepaid,
    CashCounted,
    ContributionReceived,
    EntryReversed,
    Event,
    IncomeReceived,
    LoanRepaid,
    LoanWrittenOff,
    SavingsSetOff,
    SavingsWithdrawn,
)
from service.words import catalogue, wording

PLAIN: Final = 160
"""Characters of a message in the GSM alphabet (3GPP TS 23.038), which has no Vietnamese marks."""
MARKED: Final = 70
"""Characters of a message in UCS-2, which has."""


def receipt_texts(fund: Fund, event: Event, code: str, language: str) -> dict[str, str]:
    """The receipt of a fund's last entry, as `plain` and, in a language with marks, as `marked`. Where not all of it
    fits a message with marks, the club goes first, then the month, what is left, and the year; of a club to practise on
    the number, too, for what is only practice says so before anything else."""
    on = wording.day(event.on, language)[:-4] + f"{event.on:%y}"
    stamp = f"{catalogue.render('page.practice-stamp', language)} " if fund.opened.practice else ""
    what = catalogue.phrase(f"page.receipt.line.{_kind(event)}", language)
    amount = amount_of(event)
    month = (
        wording.month(event.for_month, language) if isinstance(event, ContributionReceived) and event.for_month else ""
    )
    left = _left(fund, event, language)
    number = getattr(event, "voucher", None) or catalogue.phrase("page.receipt.entry", language, version=event.version)
    middle = [what, month, "" if amount is None else _dong(amount, language)]
    facts = {"club": event.fund, "on": on, "code": code}
    facts["what"] = ", ".join(each for each in (" ".join(filter(None, middle)), left, number) if each)
    texts = {"plain": without_marks(stamp + catalogue.phrase("page.receipt.text", language, **facts))}
    shorter = [on, what, month, middle[2], left, number, code.replace("-", "")]
    if without_marks(" ".join(shorter)) != " ".join(shorter):
        texts["marked"] = stamp + _fitted(event.fund, shorter, MARKED - len(stamp))
    return texts


def _fitted(club: str, parts: list[str], room: int) -> str:
    """The parts with the club, or as many of them as there is room for."""
    on, what, _, amount, left, number, code = parts
    day_and_month = on.rpartition("/")[0]  # The voucher's number has the year.
    tries = (
        [club, *parts],
        parts,
        [on, what, amount, left, number, code],
        [on, what, amount, number, code],
        [day_and_month, what, amount, number, code],
        [day_and_month, what, amount, code],
    )
    texts = [" ".join(filter(None, each)) for each in tries]
    return next((text for text in texts if len(text) <= room), texts[-1])


def _kind(event: Event) -> str:
    return f"{event.name}.{event.kind}" if isinstance(event, ContributionReceived | IncomeReceived) else event.name


def amount_of(event: Event) -> int | None:
    """The one amount that an entry is about, in đồng; None if it is about none."""
    if isinstance(event, CashCounted):
        return event.counted
    if isinstance(event, EntryReversed):
        return sum(leg.amount for leg in event.posted if leg.amount > 0) or None
    found: Any = (getattr(event, name, None) for name in ("amount", "principal"))
    return next((amount for amount in found if amount is not None), None)


def _left(fund: Fund, event: Event, language: str) -> str:
    """What is left after it: of a debt, of savings."""
    match event:
        case LoanRepaid() | SavingsSetOff() | LoanWrittenOff() | AdvanceRepaid():
            name, left = "debt", event.outstanding
        case SavingsWithdrawn():
            name, left = "savings", event.savings_left
        case ContributionReceived(kind="savings"):
            name, left = "savings", -fund.balances.get(("revolving", "savings", event.member), 0)
        case _:
            return ""
    return catalogue.phrase(f"page.receipt.left.{name}", language, amount=_dong(left, language))


def _dong(amount: int, language: str) -> str:
    """As short as an amount can be written: no space before its unit."""
    return wording.dong(amount, language).replace(wording.NO_BREAK, "" if language == "vi" else " ")


def without_marks(text: str) -> str:
    """Text in letters that the GSM alphabet has."""
    bare = (letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))
    return "".join(bare).replace("đ", "d").replace("Đ", "D").replace(wording.NO_BREAK, " ")
