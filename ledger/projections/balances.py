"""Balances: what each account of each pot holds, now and at the end of any day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from ledger.chart import ACCOUNTS, ASSETS, LIABILITIES, POTS, Account, Pot
from ledger.money import MAX_AMOUNT
from ledger.projections.funds import DAYS_MOVED, held_on
from ledger.projections.tables import LoggedEvent, LooksBack, Reader, SumKey, Sums, Table, until

BALANCES = Table(
    "balances",
    columns="fund TEXT NOT NULL, pot TEXT NOT NULL, account TEXT NOT NULL, part TEXT NOT NULL, amount BIGINT NOT NULL",
    key="fund, pot, account, part",
)
"""What every account holds now; `part` is what lies beneath it (a loan's number, an activity), or empty."""


# --- how they change --------------------------------------------------------------------------------------------------


def _moved(events: Iterable[LoggedEvent]) -> dict[SumKey, int]:
    """How a fund's events move its balances. Raises `OverflowError` for a leg no fund could have posted."""
    changes: dict[SumKey, int] = defaultdict(int)
    for _, _, legs, _ in events:
        for leg in legs:
            if abs(leg.amount) > MAX_AMOUNT:
                raise OverflowError
            changes[leg.pot, leg.account, "" if leg.of is None else str(leg.of)] += leg.amount
    return changes


SUMS: Final = Sums(BALANCES, _moved)


# --- queries ----------------------------------------------------------------------------------------------------------


def balances(reader: Reader, fund: str, as_of: date | None = None) -> dict[str, Any]:
    """A fund's position in đồng: `{cash, pots: {revolving: {cash, bank, loans, equipment, savings, advances, equity},
    activity: {…}}}`.

    Liabilities are positive; `equity` = assets − liabilities; the outer `cash` is what both boxes hold.
    """
    held = _held(reader, fund, as_of)
    pots = {pot: _position(held, pot) for pot in POTS}
    return {"cash": sum(held.get((pot, "cash"), 0) for pot in POTS), "pots": pots}


def trial_balance(reader: Reader, fund: str, as_of: date | None = None) -> dict[str, Any]:
    """Every account that is not zero: `{rows: [{pot, account, debit, credit}], debit, credit}`; the sums are equal."""
    held = _held(reader, fund, as_of)
    rows: list[dict[str, Any]] = [
        {"pot": pot, "account": account, "debit": max(amount, 0), "credit": max(-amount, 0)}
        for pot in POTS
        for account in ACCOUNTS
        if (amount := held.get((pot, account), 0))
    ]
    debit, credit = (sum(row[side] for row in rows) for side in ("debit", "credit"))
    return {"rows": rows, "debit": debit, "credit": credit}


def books_have_begun(reader: Reader, fund: str) -> bool:
    """Whether money was recorded, or an old club's books taken over: neither is done a second time (`domain.md` §3)."""
    begun = (
        "SELECT 1 FROM legs WHERE fund = :fund "
        "UNION ALL SELECT 1 FROM entries WHERE fund = :fund AND type = 'OpeningBalancesDeclared' LIMIT 1"
    )
    return bool(reader.query(begun, fund=fund))


def savings(reader: Reader, fund: str, as_of: date | None = None) -> dict[int, int]:
    """What each member has saved, by number, in đồng; of those who ever did."""
    held = held_on(reader, [fund], as_of, parts=True)
    rows = reader.query(
        f"SELECT part, CAST(SUM(amount) AS BIGINT) AS amount FROM {held} AND fund = :fund AND account = 'savings' "
        "GROUP BY part",
        fund=fund,
        until=until(as_of),
    )
    return {int(row["part"]): -row["amount"] for row in rows}


def _position(held: Mapping[tuple[Pot, Account], int], pot: Pot) -> dict[str, int]:
    assets: dict[str, int] = {account: held.get((pot, account), 0) for account in ACCOUNTS if account in ASSETS}
    liabilities: dict[str, int] = {
        account: -held.get((pot, account), 0) for account in ACCOUNTS if account in LIABILITIES
    }
    return {**assets, **liabilities, "equity": sum(assets.values()) - sum(liabilities.values())}


def _held(reader: Reader, fund: str, as_of: date | None) -> dict[tuple[Pot, Account], int]:
    """The balance of each account, debits positive; the parts beneath an account together."""
    looks_for_itself = as_of is None or isinstance(reader, LooksBack)
    amounts = f"{held_on(reader, [fund], as_of)} AND fund = :fund" if looks_for_itself else HELD
    rows = reader.query(
        f"SELECT pot, account, CAST(SUM(amount) AS BIGINT) AS amount FROM {amounts} GROUP BY pot, account",
        fund=fund,
        until=until(as_of),
    )
    return {(row["pot"], row["account"]): row["amount"] for row in rows}


_LATER: Final = "EXISTS (SELECT 1 FROM funds WHERE fund = :fund AND latest_on > :until)"
HELD: Final = (
    f"(SELECT pot, account, amount FROM balances WHERE fund = :fund AND NOT {_LATER} UNION ALL "
    f"SELECT pot, account, amount FROM {DAYS_MOVED} WHERE fund = :fund AND on_day <= :until AND {_LATER}) held"
)
"""`held_on` of one fund, where no other way would be shorter: asked in one statement."""
