"""Claims about vouchers: per fund, kind and year of the day, without gaps, never reused (`domain.md` §3)."""

from collections import defaultdict
from contextlib import suppress

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger.events import EntryReversed, Event, Voucher
from ledger.refusals import InsufficientFunds, Refusal
from tests.support.village import (
    OPENED,
    Act,
    day,
    given,
    gives,
    last,
    lends,
    lines,
    metadata,
    pays,
    refused,
    repays,
    replayed,
    spends,
    undoes,
    village,
)


def voucher(event: Event) -> str | None:
    assert isinstance(event, Voucher)
    return event.voucher


def test_cash_in_bears_a_receipt_and_cash_out_a_payment_voucher_each_with_its_own_numbers():
    fund = given(gives(1_000_000), gives(500_000, pot="activity"))
    spends(1_000, on=OPENED)(fund)
    gives(1)(fund)
    spends(1_000, on=OPENED, pot="revolving")(fund)
    assert [voucher(event) for event in fund.entries[2:]] == [
        "PT-2024-0001",
        "PT-2024-0002",
        "PC-2024-0001",
        "PT-2024-0003",
        "PC-2024-0002",
    ]


def test_every_year_begins_at_one_and_a_late_entry_takes_the_next_number_of_its_own_year():
    fund = village(gives(1, on="2025-01-05"), gives(1, on="2024-12-31"), gives(1, on="2025-12-31"))
    assert [voucher(event) for event in fund.entries[-3:]] == ["PT-2025-0001", "PT-2024-0003", "PT-2025-0002"]


def test_a_reversal_keeps_the_wrong_number_in_view_and_the_number_is_not_given_again():
    fund = village(spends(1_000, on="2024-02-05"))
    undoes(on="2024-02-05")(fund)
    undone = last(fund)
    assert isinstance(undone, EntryReversed)
    assert undone.voucher == "PC-2024-0001"
    spends(100, on="2024-02-05")(fund)
    assert voucher(last(fund)) == "PC-2024-0002"


def test_the_number_of_a_payment_that_was_refused_goes_to_the_next_one():
    fund = village(spends(1_000, on="2024-02-05"))
    with refused(fund, InsufficientFunds):
        spends(10**9, on="2024-02-05")(fund)
    spends(100, on="2024-02-05")(fund)
    assert voucher(last(fund)) == "PC-2024-0002"


WITHOUT: dict[str, Act] = {
    "a loan handed out at the bank": lambda fund: lends_at_the_bank(fund),
    "an expense paid by the bank": lambda fund: fund.pay_expense(
        metadata("2024-02-06"), activity="training", amount=1_000, pot="revolving", place="bank"
    ),
    "interest the bank gave": lambda fund: fund.receive_income(
        metadata("2024-02-06"), kind="bank_interest", pot="revolving", amount=1_000, place="bank"
    ),
}


def lends_at_the_bank(fund) -> None:
    fund.request_loan(metadata("2024-02-06"), member=4, principal=1_000, term_months=2, purpose="trade")
    fund.approve_loan(metadata("2024-02-06", by="chair"), 1)
    fund.disburse_loan(metadata("2024-02-06"), 1, place="bank")


@pytest.mark.parametrize("act", WITHOUT)
def test_what_moves_no_cash_bears_no_voucher(act):
    fund = village(lambda fund: fund.move_to_bank(metadata("2024-02-05"), pot="revolving", amount=5_000_000))
    WITHOUT[act](fund)
    assert voucher(last(fund)) is None


def test_money_that_changes_pots_stays_in_the_box_and_bears_no_voucher():
    fund = village()
    moved = fund.transfer_between_pots(metadata("2024-02-05"), source="activity", target="revolving", amount=1_000)
    assert not isinstance(moved, Voucher)


def test_money_between_box_and_bank_leaves_and_enters_the_box():
    fund = village()
    assert voucher(fund.move_to_bank(metadata("2024-02-05"), pot="revolving", amount=1_000)) == "PC-2024-0001"
    assert voucher(fund.fetch_from_bank(metadata("2024-02-05"), pot="revolving", amount=1_000)) == "PT-2024-0003"


def test_a_repayment_is_one_receipt_though_it_goes_to_both_pots():
    fund = village(lends(4, 1_000_000, on="2024-02-05"), repays(1, 20_000, on="2024-03-05"))
    assert voucher(last(fund)) == "PT-2024-0003"


def test_the_ten_thousandth_voucher_has_five_figures():
    fund = village()
    fund.last_vouchers["PT-2024-"] = "PT-2024-9999"
    gives(1)(fund)
    assert voucher(last(fund)) == "PT-2024-10000"
    gives(1)(fund)
    assert voucher(last(fund)) == "PT-2024-10001"


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["gives", "spends", "pays", "undoes"]),
        st.dates(OPENED, day("2026-03-31")),
        st.integers(1, 400_000),
    ),
    max_size=25,
)


@drawn(ACTS)
def test_whatever_is_told_in_whatever_order_no_series_has_a_gap(acts):
    fund = village()
    for act, on, amount in acts:
        with suppress(Refusal):
            {
                "gives": gives(amount, pot="activity", on=on),
                "spends": spends(amount, on=on),
                "pays": pays(1, "savings", amount, on=on),
                "undoes": undoes(on=on),
            }[act](fund)
    series = defaultdict(list)
    for event in replayed(lines(fund)).entries:
        if isinstance(event, Voucher) and event.voucher:
            kind, year, number = event.voucher.split("-")
            cash = sum(leg.amount for leg in event.legs() if leg.account == "cash")
            assert (year, kind) == (str(event.on.year), "PT" if cash > 0 else "PC")
            series[kind, year].append(int(number))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in series.values())
