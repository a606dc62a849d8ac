"""The two pots, where money and goods came from, and what was given in kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, get_args

from ledger.chart import ACCOUNTS, ASSETS, POTS
from ledger.events import DonationReceived, InKindDonationReceived
from ledger.events.money import Activity, DonationSource
from ledger.reports.club import ClubAt, Reported, once
from ledger.reports.shares import summed

CASH: Final = DonationReceived.__name__
GOODS: Final = InKindDonationReceived.__name__
HELD: Final = tuple(account for account in ACCOUNTS if account in ASSETS)
MONEY: Final = ("cash", "bank", "loans")
SOURCES: Final[tuple[str, ...]] = get_args(DonationSource)
ACTIVITIES: Final[tuple[str, ...]] = get_args(Activity)
ORDER: Final = ("opening", "received", "paid", "closing", "total", *ACCOUNTS, *SOURCES, *ACTIVITIES)


def pots(club: ClubAt) -> dict[str, Any]:
    """Of each pot: opening + received − paid = closing, to the đồng; all are assets."""
    return {pot: _pot(club, pot) for pot in POTS}


def pots_of_all(_: Sequence[Reported], figures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The pots of all clubs added up, in the order of the chart."""
    return {pot: _in_order(summed([figure[pot] for figure in figures])) for pot in POTS} if figures else {}


def _in_order(table: dict[str, Any]) -> dict[str, Any]:
    known = sorted(table, key=ORDER.index)
    return {name: _in_order(table[name]) if isinstance(table[name], dict) else table[name] for name in known}


Sums = dict[str, int]
Sides = dict[str, dict[tuple[str, str], int]]


@once
def _moved(club: ClubAt) -> dict[str, Sides]:
    """By pot and side, what was moved in the period of each account and part."""
    moved: dict[str, Sides] = {pot: {"held": {}, "received": {}, "paid": {}} for pot in POTS}
    for each in club.moved:
        sums, of = moved[each.pot][each.side], (each.account, each.part)
        sums[of] = sums.get(of, 0) + each.amount
    return moved


def _pot(club: ClubAt, pot: str) -> dict[str, Any]:
    sums, before = _moved(club)[pot], club.opening
    opening: Sums = {account: before.get((pot, account), 0) for account in HELD}
    closing: Sums = {account: opening[account] + sums["held"].get((account, ""), 0) for account in HELD}
    by_source: Sums = {}
    for sign, _, gift in club.flows(CASH):
        if gift.pot == pot:
            by_source[gift.part or ""] = by_source.get(gift.part or "", 0) + sign * (gift.amount or 0)
    expenses = {part: amount for (account, part), amount in sums["paid"].items() if account == "expenses"}
    return {
        "opening": sum(opening.values()),
        "received": _side(sums["received"]) | _parts("donations", by_source, SOURCES),
        "paid": _side(sums["paid"]) | _parts("expenses", expenses, ACTIVITIES),
        "closing": {"total": sum(closing.values()), **closing},
    }


def _side(sums: dict[tuple[str, str], int]) -> dict[str, Any]:
    """What came in, or went out, by account, in the order of the chart."""
    by_account: Sums = {}
    for (account, _), amount in sums.items():
        by_account[account] = by_account.get(account, 0) + amount
    return {"total": sum(by_account.values()), **_but_nothing(by_account, ACCOUNTS)}


def _parts(account: str, by_part: Sums, order: Sequence[str]) -> dict[str, Any]:
    """An account with the parts of its sum, if anything was moved under it."""
    parts = _but_nothing(by_part, order)
    return {account: {"total": sum(parts.values()), **parts}} if parts else {}


def _but_nothing(sums: Sums, order: Sequence[str]) -> Sums:
    """The sums that there are, in this order."""
    return {name: sums[name] for name in sorted(sums, key=order.index) if sums[name]}


@once
def both_pots(club: ClubAt) -> bool:
    """Whether each pot held money and moved in the period, under bylaws in force, with something in the revolving pot
    at the end (plan 47, I.2)."""
    moved = _moved(club)["revolving"]["held"]
    capital = sum(club.opening.get(("revolving", account), 0) + moved.get((account, ""), 0) for account in MONEY)
    return club.has_bylaws and capital > 0 and all(_lived(club, pot) for pot in POTS)


def _lived(club: ClubAt, pot: str) -> bool:
    """Whether a pot held money at the end of some day, and its box or its bank account moved."""
    by_day: dict[str, Sums] = defaultdict(dict)
    for moved in club.moved:
        if moved.pot == pot and moved.side == "held" and moved.account in MONEY:
            sums = by_day[moved.on_day]
            sums[moved.account] = sums.get(moved.account, 0) + moved.amount
    holding = sum(club.opening.get((pot, account), 0) for account in MONEY)
    most, has_moved = holding, False
    for day in sorted(by_day):
        holding += sum(by_day[day].values())
        most = max(most, holding)
        has_moved = has_moved or any(by_day[day].get(account) for account in ("cash", "bank"))
    return most > 0 and has_moved


def sources(club: ClubAt) -> list[dict[str, Any]]:
    """What came from whom, in cash and in kind."""
    sums: dict[tuple[str, bool], dict[str, int]] = {}
    for sign, _, gift in club.flows(CASH, GOODS):
        row = sums.setdefault((gift.part or "", bool(gift.is_foreign)), {"cash": 0, "in_kind": 0})
        row["cash" if gift.fact == CASH else "in_kind"] += sign * (gift.amount or 0)
    return source_rows(sums)


def source_rows(sums: dict[tuple[str, bool], dict[str, int]]) -> list[dict[str, Any]]:
    """Sums by source as rows, in the order of the sources, those from abroad after those at home."""
    order = sorted(sums, key=lambda key: (SOURCES.index(key[0]), key[1]))
    rows = [{"source": source, "foreign": foreign, **sums[source, foreign]} for source, foreign in order]
    return [row for row in rows if row["cash"] or row["in_kind"]]


def in_kind(club: ClubAt) -> dict[str, Any]:
    """Every gift in kind with its document; one that was undone in the period stands once more, below zero."""
    gifts = [
        {"on": told.on_day, "source": gift.part, "document": gift.document, "value": sign * (gift.amount or 0)}
        for sign, told, gift in club.flows(GOODS)
    ]
    return {"gifts": gifts, "total": sum(gift["value"] for gift in gifts)}


def evidenced(club: ClubAt, source: str, document: str) -> int:
    """What was given in kind by a source under a document, from the beginning to the end of the period."""
    gifts = ((sign, gift) for sign, gift in club.all_flows(GOODS) if (gift.part, gift.document) == (source, document))
    return sum(sign * (gift.amount or 0) for sign, gift in gifts)
