"""The journal as plain-text accounting, for hledger and for Beancount: other people's programs sum it once more.

One transaction for each event that moves money, from the event's own legs, dated the day it happened, with its
voucher, its version and the check code of its line, so that any figure leads back to the log. Every account lies under
its pot, and each transaction balances within each pot. Members, loans and advances go by number: nothing personal is
in here, and nothing of the register. Amounts are whole đồng, debits positive.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ledger.chart import Account, Leg, Legs
from ledger.events import Entry, check_code, head_of

CLASSES: dict[str, tuple[Account, ...]] = {
    "assets": ("cash", "bank", "loans", "equipment"),
    "liabilities": ("savings", "advances"),
    "equity": ("opening", "contributions", "donations", "in_kind", "transfers"),
    "income": ("interest", "fines", "collective", "bank_interest", "recoveries", "other_income", "cash_over"),
    "expenses": ("expenses", "write_offs", "cash_short"),
}
"""The five classes that both programs know, and the accounts of the chart in each."""

CLASS_OF: dict[Account, str] = {account: name for name, accounts in CLASSES.items() for account in accounts}
PREFIX: dict[Account, str] = {"loans": "l", "savings": "m", "advances": "a"}
"""What a number beneath an account counts: loan, member, advance."""


def hledger_journal(entries: Iterable[Entry]) -> Iterator[str]:
    """A fund's journal for hledger, piece by piece, in the order of recording.

    Accounts as `liabilities:revolving:savings:m12`. The voucher is the transaction's code; a reversal bears the code
    of what it reverses.
    """
    yield "commodity 1000. VND\n"
    for entry, legs, new_accounts in _moving(entries):
        event, voucher = entry.event, _voucher(entry)
        lines = [
            *(f"account {account}" for account in new_accounts),
            f"{event.on} {f'({voucher}) ' if voucher else ''}{event.name} {event.version}",
            f"    ; version:{event.version}, check:{check_code(head_of(entry.line))}",
            *(f"    {account_of(leg)}  {leg.amount} VND" for leg in legs),
        ]
        yield "\n" + "\n".join(lines) + "\n"


def beancount_ledger(entries: Iterable[Entry]) -> Iterator[str]:
    """A fund's ledger for Beancount, piece by piece, in the order of recording.

    Accounts as `Liabilities:Revolving:Savings:M12`, open from the day the fund opened, for an entry may come late. A
    voucher is a link, so that a reversal is found beside what it reverses.
    """
    yield 'option "operating_currency" "VND"\n'
    entries = iter(entries)
    opened = next(entries, None)  # A fund's first entry opens it and moves nothing.
    for entry, legs, new_accounts in _moving(entries):
        assert opened
        event, voucher = entry.event, _voucher(entry)
        lines = [
            *(f"{opened.event.on} open {_in_beancount(account)} VND" for account in new_accounts),
            f'{event.on} * "{event.name} {event.version}"{f" ^{voucher}" if voucher else ""}',
            f"  version: {event.version}",
            f'  check: "{check_code(head_of(entry.line))}"',
            *(f"  {_in_beancount(account_of(leg))}  {leg.amount} VND" for leg in legs),
        ]
        yield "\n" + "\n".join(lines) + "\n"


def _moving(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Legs, list[str]]]:
    """The entries that move money, with their legs and the accounts not met before."""
    known: set[str] = set()
    for entry in entries:
        if legs := entry.event.legs():
            new_accounts = [account for account in dict.fromkeys(map(account_of, legs)) if account not in known]
            known.update(new_accounts)
            yield entry, legs, new_accounts


def _voucher(entry: Entry) -> str | None:
    """The voucher an entry bears; a reversal's is that of the wrong entry."""
    return getattr(entry.event, "voucher", None)


def account_of(leg: Leg) -> str:
    """The account a leg posts to, from its class down: `assets:revolving:loans:l7`, `expenses:activity:health`."""
    path = [CLASS_OF[leg.account], leg.pot]
    if leg.account != path[0] or leg.of is None:
        path.append(leg.account)
    if leg.of is not None:
        path.append(f"{PREFIX.get(leg.account, '')}{leg.of}")
    return ":".join(path)


def _in_beancount(account: str) -> str:
    """An account in Beancount's alphabet: each part begins with a capital, and there is no underscore."""
    return ":".join(part.capitalize() for part in account.replace("_", "-").split(":"))
