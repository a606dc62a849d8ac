"""Claims about the journal we export: what it says of each entry, each account and each pot, and what it never says."""

import re
from collections.abc import Iterator

import pytest

from ledger.chart import ACCOUNTS, ASSETS, LIABILITIES, POTS, Leg
from ledger.events import check_code
from ledger.exports import CLASS_OF, CLASSES, account_of, beancount_ledger, hledger_journal
from tests.support.histories import random_fund
from tests.support.village import whole_life


def test_each_pot_is_whole_by_itself_in_each_transaction() -> None:
    for text in paragraphs("".join(hledger_journal(random_fund(0).pending))):
        for pot in POTS:
            postings = re.findall(rf"^    \w+:{pot}:\S+  (-?\d+) VND$", text, re.MULTILINE)
            assert sum(map(int, postings)) == 0


def paragraphs(journal: str) -> Iterator[str]:
    """The transactions, with the accounts declared before them."""
    yield from journal.split("\n\n")


def test_a_transaction_names_its_voucher_its_version_and_its_check_code() -> None:
    fund = whole_life()
    undone = next(event for event in fund.entries if event.name == "EntryReversed")
    code = check_code(fund.entries[undone.version].prev)
    wrong = fund.entries[undone.reverses - 1]  # type: ignore[attr-defined]  # The name says what it is.
    in_hledger = f"{undone.on} ({wrong.voucher}) EntryReversed {undone.version}\n"  # type: ignore[attr-defined]
    in_beancount = f'{undone.on} * "EntryReversed {undone.version}" ^{wrong.voucher}\n'  # type: ignore[attr-defined]
    assert in_hledger + f"    ; version:{undone.version}, check:{code}\n" in "".join(hledger_journal(fund.pending))
    assert f'{in_beancount}  version: {undone.version}\n  check: "{code}"\n' in "".join(beancount_ledger(fund.pending))


def test_a_fund_that_has_only_opened_has_an_empty_journal() -> None:
    opening = random_fund(0).pending[:2]
    assert list(hledger_journal(opening)) == ["commodity 1000. VND\n"]
    assert list(beancount_ledger(opening)) == list(beancount_ledger([])) == ['option "operating_currency" "VND"\n']


def test_every_account_of_the_chart_is_in_one_class() -> None:
    assert tuple(account for accounts in CLASSES.values() for account in accounts) == ACCOUNTS == tuple(CLASS_OF)
    assert set(CLASSES["assets"]) == ASSETS
    assert set(CLASSES["liabilities"]) == LIABILITIES


@pytest.mark.parametrize(
    ("leg", "account"),
    [
        (Leg("revolving", "cash", 1), "assets:revolving:cash"),
        (Leg("revolving", "loans", 1, 7), "assets:revolving:loans:l7"),
        (Leg("revolving", "savings", -1, 12), "liabilities:revolving:savings:m12"),
        (Leg("revolving", "advances", -1, 2), "liabilities:revolving:advances:a2"),
        (Leg("activity", "in_kind", -1), "equity:activity:in_kind"),
        (Leg("activity", "bank_interest", -1), "income:activity:bank_interest"),
        (Leg("activity", "expenses", 1, "home_care"), "expenses:activity:home_care"),
        (Leg("revolving", "write_offs", 1), "expenses:revolving:write_offs"),
    ],
)
def test_an_account_says_class_pot_and_what_it_is_of(leg: Leg, account: str) -> None:
    assert account_of(leg) == account


def test_nothing_of_the_register_and_no_free_text_is_exported() -> None:
    fund = whole_life()
    digests = {digest for event in fund.entries for digest in (event.texts or {}).values()}
    free = {"QĐ 12", "QĐ 99", "Biên bản 01", "Ti vi 43 inch", *digests}
    assert len(digests) > 5
    for text in ("".join(hledger_journal(fund.pending)), "".join(beancount_ledger(fund.pending))):
        assert not [word for word in free if word in text]
        assert text.isascii()
