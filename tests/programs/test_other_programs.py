"""An independent model: hledger and Beancount sum our journal once more, per account and month.

Both are programs of other people, run as programs; what they read are random funds, and the 24 clubs of the demo.
All funds of a kind go through each program in one run, each beneath an account of its own name.
"""

import csv
import io
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.application import Ledger
from ledger.days import add_months
from ledger.events import Entry
from ledger.exports import CLASSES, account_of, beancount_ledger, hledger_journal
from tests.support.histories import random_fund
from tests.support.jobs import IS_LONG
from tests.support.keys import key_for

RANDOM_FUNDS = 200 if IS_LONG else 70

Funds = Mapping[str, Sequence[Entry]]
Monthly = dict[tuple[str, str], int]
"""Đồng by account, in lower case with the fund second, and month."""


def program(name: str) -> str:
    """Where a program is, among the environment's own or the machine's. A skip without it, but a failure in CI."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    found = shutil.which(name, path=path)
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{name} is missing")
        pytest.skip(f"{name} is missing")
    return found


def run(name: str, *arguments: str | Path, succeeds: bool = True) -> str:
    """What a program answers; it must succeed, or must not."""
    ran = subprocess.run([program(name), *arguments], capture_output=True, text=True, encoding="utf-8", check=False)
    assert (ran.returncode == 0) == succeeds, ran.stderr[:2000]
    return ran.stdout


def beneath(account: str, fund: str) -> str:
    """An account of one fund among those of many: `assets:ls-0001:revolving:cash`."""
    top, rest = account.split(":", 1)
    return f"{top}:{fund}:{rest}".lower()


class Books(NamedTuple):
    """Many funds: their entries by fund, and the files in which the two programs read them."""

    funds: Funds
    journal: Path
    beancount: Path

    def movements(self) -> Monthly:
        """What each account moved by in each month, from the events' legs; nought too, where things evened out."""
        moved: Counter[tuple[str, str]] = Counter()
        for fund, entries in self.funds.items():
            for event in (entry.event for entry in entries):
                for leg in event.legs():
                    moved[beneath(account_of(leg), fund), f"{event.on:%Y-%m}"] += leg.amount
        return moved

    def balances(self, months: Sequence[str]) -> Monthly:
        """What each account holds at the end of each of these months, from its first movement on."""
        moved: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for (account, month), amount in self.movements().items():
            moved[account][month] = amount
        return {
            (account, month): balance
            for account, by_month in moved.items()
            for month, balance in zip(months, accumulate(by_month.get(month, 0) for month in months), strict=True)
            if month >= min(by_month)
        }


def random_books() -> Funds:
    """Random funds."""
    return {fund.id: tuple(fund.pending) for fund in (random_fund(seed, 80) for seed in range(RANDOM_FUNDS))}


def demo_books(database: Path) -> Funds:
    """All 24 clubs of the demo, each with its first 500 entries, about five months."""
    ledger = Ledger(url := f"sqlite:///{database}", register_key=key_for(url))
    books = {fund: tuple(ledger.entries(fund, upto=500)) for fund in ledger.funds()}
    ledger.close()
    return books


@pytest.fixture(
    scope="module", params=[pytest.param(f"{RANDOM_FUNDS} random funds", marks=pytest.mark.long), "24 demo clubs"]
)
def books(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Books:
    """Many funds, written for both programs."""
    is_demo = request.param == "24 demo clubs"
    funds = demo_books(request.getfixturevalue("demo_database")) if is_demo else random_books()
    assert len(funds) == int(request.param.split()[0])
    return written(funds, tmp_path_factory.mktemp("books"))


def written(funds: Funds, home: Path) -> Books:
    """The journals of funds in one file for each program, each fund beneath its name; Beancount's with our balances."""
    made = Books(funds, home / "funds.journal", home / "funds.beancount")
    with made.journal.open("w", encoding="utf-8") as file:
        for fund, entries in funds.items():
            text = "".join(hledger_journal(entries))
            file.write(re.sub(rf"^(account |    )({'|'.join(CLASSES)}):", rf"\1\2:{fund}:", text, flags=re.MULTILINE))
    with made.beancount.open("w", encoding="utf-8") as file:
        for fund, entries in funds.items():
            text = "".join(beancount_ledger(entries))
            file.write(re.sub(rf"\b({'|'.join(CLASSES).title()}):", rf"\1:{fund}:", text))
        file.writelines(assertions(made))
    return made


def assertions(books: Books) -> Iterator[str]:
    """Our balance of every account at the end of every month in which it moved, for Beancount to compare with its own.

    An assertion holds for the beginning of its day, so it is dated the day after the month.
    """
    movements = books.movements()
    balances = books.balances(sorted({month for _, month in movements}))
    names = {fund.lower(): fund for fund in books.funds}
    for account, month in movements:
        top, fund, *rest = account.split(":")
        parts = [top.capitalize(), names[fund], *(part.replace("_", "-").capitalize() for part in rest)]
        following = add_months(date.fromisoformat(f"{month}-01"), 1)
        yield f"{following} balance {':'.join(parts)}  {balances[account, month]} VND\n"


# --- hledger ----------------------------------------------------------------------------------------------------------


def test_hledgers_balances_per_account_and_month_are_ours_with_all_its_strictness(books: Books) -> None:
    options = ("--strict", "--monthly", "--historical", "--flat", "--no-total", "--output-format", "csv")
    answer = run("hledger", "--file", books.journal, "balance", *options)
    (_, *months), *rows = csv.reader(io.StringIO(answer))
    theirs = {
        (account.lower(), month): amount
        for account, *cells in rows
        for month, cell in zip(months, cells, strict=True)
        if (amount := int(cell.removesuffix(" VND")))
    }
    assert theirs == {key: amount for key, amount in books.balances(months).items() if amount}
    assert len(theirs) > 5_000


# --- beancount --------------------------------------------------------------------------------------------------------


def test_beancount_finds_no_fault_and_its_balances_per_account_and_month_are_ours(books: Books) -> None:
    run("bean-check", books.beancount)


def test_beancounts_sums_per_account_and_month_are_ours(books: Books) -> None:
    query = "SELECT account, year, month, sum(number) AS moved GROUP BY account, year, month"
    rows = csv.DictReader(io.StringIO(run("bean-query", "--format", "csv", books.beancount, query)))
    theirs = {
        (row["account"].lower().replace("-", "_"), f"{int(row['year']):04d}-{int(row['month']):02d}"): int(row["moved"])
        for row in rows
    }
    ours = {(account.replace("-", "_"), month): amount for (account, month), amount in books.movements().items()}
    assert theirs == ours


# --- both -------------------------------------------------------------------------------------------------------------


def test_an_amount_changed_in_the_journal_is_found(tmp_path: Path) -> None:
    fund = random_fund(1)
    for name, text, arguments in (
        ("hledger", "".join(hledger_journal(fund.pending)), ("check", "--strict", "--file")),
        ("bean-check", "".join(beancount_ledger(fund.pending)), ()),
    ):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        run(name, *arguments, path)
        path.write_text(re.sub(r"(\d) VND$", r"\g<1>1 VND", text, count=1, flags=re.MULTILINE), encoding="utf-8")
        run(name, *arguments, path, succeeds=False)


def test_a_balance_that_is_off_by_one_dong_is_found(tmp_path: Path) -> None:
    fund = random_fund(1)
    path = written({fund.id: fund.pending}, tmp_path).beancount
    run("bean-check", path)
    said, last = path.read_text(encoding="utf-8").rsplit("  ", 1)
    assert last.endswith(" VND\n")
    path.write_text(f"{said}  {int(last.split()[0]) + 1} VND\n", encoding="utf-8")
    run("bean-check", path, succeeds=False)
