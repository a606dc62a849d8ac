"""Claims about days: anniversaries, today in the village, and balances by the day things happened."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger import days
from ledger.days import DailyBalance, add_months, civil_day, whole_months
from ledger.refusals import BeforeFundOpened, FutureDay
from tests.support.village import OPENED, day, given, metadata, pays, refused, village

# Anniversaries


@pytest.mark.parametrize(
    ("start", "months", "then"),
    [
        ("2024-01-31", 0, "2024-01-31"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2024-01-31", 2, "2024-03-31"),
        ("2023-01-31", 1, "2023-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2024-11-30", 1, "2024-12-30"),
        ("2024-12-05", 1, "2025-01-05"),
        ("2024-08-31", 18, "2026-02-28"),
    ],
)
def test_an_anniversary_is_counted_from_the_first_day_and_clamped_to_its_month(start, months, then):
    assert add_months(day(start), months) == day(then)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        ("2024-01-15", "2024-01-15", 0),
        ("2024-01-15", "2024-02-14", 0),
        ("2024-01-15", "2024-02-15", 1),
        ("2024-01-31", "2024-02-28", 0),
        ("2024-01-31", "2024-02-29", 1),
        ("2024-02-29", "2025-02-27", 11),
        ("2024-02-29", "2025-02-28", 12),
        ("2024-12-31", "2025-01-30", 0),
    ],
)
def test_a_month_is_whole_on_its_anniversary_and_not_the_day_before(start, end, months):
    assert whole_months(day(start), day(end)) == months


@drawn(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.integers(0, 400))
def test_as_many_months_are_whole_as_anniversaries_have_come(start, days):
    end = start + timedelta(days)
    months = whole_months(start, end)
    assert add_months(start, months) <= end < add_months(start, months + 1)


# Today in the village


@pytest.mark.parametrize(
    ("instant", "today"),
    [
        ("2024-03-04T16:59:59.999999", "2024-03-04"),
        ("2024-03-04T17:00:00", "2024-03-05"),
        ("2024-03-04T23:59:59", "2024-03-05"),
        ("2024-03-05T00:00:00", "2024-03-05"),
        ("2024-03-05T16:59:59", "2024-03-05"),
    ],
)
def test_the_village_is_a_day_ahead_of_utc_until_seven_in_the_morning(instant, today):
    assert civil_day(datetime.fromisoformat(instant).replace(tzinfo=UTC)) == day(today)


def test_an_entry_after_midnight_in_the_village_may_be_dated_that_day_though_utc_is_still_at_yesterday():
    just_after_midnight = datetime(2024, 3, 4, 17, 0, tzinfo=UTC)
    fund = village()
    fund.receive_contribution(metadata("2024-03-05", at=just_after_midnight), member=1, kind="dues", amount=10_000)
    assert fund.entries[-1].on == day("2024-03-05")


def test_an_entry_before_midnight_in_the_village_may_not_be_dated_tomorrow():
    just_before_midnight = datetime(2024, 3, 4, 16, 59, 59, tzinfo=UTC)
    with pytest.raises(FutureDay) as refusal:
        metadata("2024-03-05", at=just_before_midnight)
    assert refusal.value.facts == {"on": day("2024-03-05"), "today": day("2024-03-04")}


def test_the_day_in_the_village_does_not_depend_on_the_clock_the_instant_was_told_by():
    in_hanoi = datetime(2024, 3, 5, 0, 30, tzinfo=timezone(timedelta(hours=7)))
    in_honolulu = in_hanoi.astimezone(timezone(timedelta(hours=-10)))
    assert civil_day(in_hanoi) == civil_day(in_honolulu) == day("2024-03-05")


# The life of the fund


def test_nothing_is_entered_before_the_day_the_fund_opened():
    fund = village()
    with refused(fund, BeforeFundOpened, on=OPENED - timedelta(1), opened_on=OPENED):
        fund.receive_donation(metadata(OPENED - timedelta(1)), source="community", pot="activity", amount=1_000)
    fund.receive_donation(metadata(OPENED), source="community", pot="activity", amount=1_000)


def test_an_entry_told_late_keeps_its_own_day_and_the_instant_it_was_heard():
    fund = village(pays(1, "dues", 10_000, on="2024-05-05"))
    heard = datetime(2026, 7, 1, 1, 2, 3, tzinfo=UTC)
    late = fund.pay_expense(metadata("2024-02-05", at=heard), activity="culture", amount=50_000)
    assert (late.on, late.recorded_at) == (day("2024-02-05"), heard)


def test_the_service_never_hears_of_an_entry_before_the_one_it_follows():
    """Another process's clock may be behind; the log's instants still never go back."""
    noon, a_minute_before = datetime(2024, 6, 1, 5, 0, tzinfo=UTC), datetime(2024, 6, 1, 4, 59, tzinfo=UTC)
    fund = given()
    opened = fund.entries[-1].recorded_at
    later = max(noon, opened)
    fund.receive_donation(metadata(OPENED, at=later), source="community", pot="activity", amount=1)
    fund.receive_donation(metadata(OPENED, at=a_minute_before), source="community", pot="activity", amount=2)
    assert [event.recorded_at for event in fund.entries[-2:]] == [later, later]


# Balances by day

MOVEMENTS = st.lists(
    st.tuples(st.dates(date(2024, 1, 1), date(2024, 1, 20)), st.integers(-9, 9)), min_size=0, max_size=25
)
DAYS = st.dates(date(2023, 12, 28), date(2024, 1, 25))


def naive_balances(movements: list[tuple[date, int]]) -> dict[date, int]:
    """The balance at the end of every day there is, by adding up everything up to it."""
    days = (date(2023, 12, 28) + timedelta(n) for n in range(30))
    return {each: sum(amount for on, amount in movements if on <= each) for each in days}


def balance_of(movements: list[tuple[date, int]]) -> DailyBalance:
    balance = DailyBalance()
    for on, amount in movements:
        balance.add(on, amount)
    return balance


@drawn(MOVEMENTS, DAYS)
def test_the_balance_of_a_day_is_the_sum_of_all_that_happened_up_to_it(movements, on):
    assert balance_of(movements).at(on) == naive_balances(movements)[on]


@drawn(MOVEMENTS, DAYS, st.sampled_from([1, -1]))
def test_the_worst_day_is_the_first_of_the_lowest_from_a_day_on(movements, on, sign):
    onwards = [(balance * sign, each) for each, balance in naive_balances(movements).items() if each >= on]
    assert balance_of(movements).worst_from(on, sign) == min(onwards)


@drawn(MOVEMENTS)
def test_a_copy_of_a_balance_goes_its_own_way(movements):
    balance = balance_of(movements)
    twin = balance.copy()
    twin.add(date(2024, 1, 10), 100)
    assert balance.at(date(2024, 1, 25)) == sum(amount for _, amount in movements)
    assert twin.at(date(2024, 1, 25)) == balance.total + 100
    assert balance.at(date(2024, 1, 9)) == twin.at(date(2024, 1, 9))


@pytest.fixture(scope="module", autouse=True)
def packed_soon() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(days, "STRETCH", 3)
        yield


def packed_at_times(movements: list[tuple[date, int]], every: int) -> DailyBalance:
    """A balance whose earlier days lie packed, time and again."""
    balance = DailyBalance()
    for number, (on, amount) in enumerate(movements):
        balance.add(on, amount)
        if number % every == 0:
            balance.packed()
    return balance


@drawn(MOVEMENTS, DAYS, st.sampled_from([1, -1]), st.integers(1, 9))
def test_a_balance_of_which_days_lie_packed_answers_like_any_other(movements, on, sign, every):
    whole = balance_of(movements)
    assert packed_at_times(movements, every).total == whole.total
    assert packed_at_times(movements, every).at(on) == whole.at(on)
    assert packed_at_times(movements, every).worst_from(on, sign) == whole.worst_from(on, sign)
    assert packed_at_times(movements, every).copy() == whole
    assert list(packed_at_times(movements, every).movements()) == list(whole.movements())


@drawn(MOVEMENTS, MOVEMENTS, st.booleans())
def test_several_movements_at_once_are_those_one_after_the_other(earlier, movements, unpacked):
    balance = packed_at_times(earlier, 4)
    if unpacked:
        past, latest, moved = balance.packed()
        balance, total = DailyBalance.unpacked(latest, moved), balance.total
        balance.rest_on(past, total)
    balance.add_all([number for on, amount in movements for number in (on.toordinal(), amount)])
    assert balance == balance_of([*earlier, *movements])
    assert balance.total == sum(amount for _, amount in [*earlier, *movements])


def test_days_lie_packed_but_for_the_latest_and_only_those_asked_for_are_unpacked() -> None:
    balance = balance_of([(date(2024, 1, 1) + timedelta(number), 1) for number in range(20)])
    past, latest, _ = balance.packed()
    assert (len(past), len(latest)) == (5, 5)
    assert balance.at(date(2024, 1, 14)) == 14
    past, latest, _ = balance.packed()
    assert (len(past), len(latest)) == (5, 5), "packed as before"
    twin = balance.copy()
    twin.add(date(2024, 1, 14), 1)
    assert (twin.at(date(2024, 1, 14)), balance.at(date(2024, 1, 14))) == (15, 14)
