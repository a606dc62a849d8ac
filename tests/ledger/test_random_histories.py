"""Random histories: whatever a club tells, late, wrong and twice, its books stay sound after every step.

The suite takes 2,500 steps, and `scripts/test --long` 10,000, in parts that several processes share.
`MICROFUND_TEST_HISTORIES` says how many histories each part tries, drawn anew; without it they are the same ones every
time.
"""

import inspect
import os
import re
from collections.abc import Callable, Iterable
from typing import ClassVar

import hypothesis
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from ledger.aggregates.fund import Fund
from ledger.events import EVENT_TYPES
from ledger.refusals import Refusal
from tests.support import broken_kernels
from tests.support.bookkeeper import MOVES_NOTHING, check_books, check_replay, check_settlement
from tests.support.histories import History as Club
from tests.support.jobs import IS_LONG
from tests.support.random_steps import History
from tests.support.village import DRAWN_ANEW, whole_life

PARTS = 2 if IS_LONG else 1
STEPS = 5_000 if IS_LONG else 2_500
"""How many each part takes, or some more."""
STEPS_OF_A_HISTORY = 40
HISTORIES = int(os.environ.get("MICROFUND_TEST_HISTORIES", "140" if IS_LONG else "60"))
MORE = 20
"""That many histories are added, and that many times at most, until there are enough steps and every type of event:
what is drawn depends on the modules a worker has loaded, too."""


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_the_books_stay_sound_through_thousands_of_random_steps_with_every_type_of_event(part: int) -> None:
    class Part(History):
        steps = 0
        events: ClassVar[set[str]] = set()

    tried = settings(
        max_examples=HISTORIES,
        stateful_step_count=STEPS_OF_A_HISTORY,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    run_state_machine_as_test(Part if DRAWN_ANEW else hypothesis.seed(part)(Part), settings=tried)
    if not DRAWN_ANEW:
        for more in range(1, MORE + 1):
            if Part.steps >= STEPS and Part.events | {"FundOpened"} == set(EVENT_TYPES):
                break
            another = hypothesis.seed(part + PARTS * more)(Part)
            run_state_machine_as_test(another, settings=settings(tried, max_examples=MORE))
        assert Part.steps >= STEPS
        assert Part.events | {"FundOpened"} == set(EVENT_TYPES)


# --- the bookkeeper's own test ------------------------------------------------------------------------------------


def test_our_own_bookkeeper_agrees_on_a_life_in_which_everything_happens():
    life = whole_life()
    check_books(life)
    check_replay(life)
    assert {event.name for event in life.entries} >= MOVES_NOTHING


def test_every_decision_of_the_fund_is_tried_in_random_histories():
    decisions = {
        name
        for name, method in inspect.getmembers(Fund, inspect.isfunction)
        if not name.startswith("_") and "metadata" in inspect.signature(method).parameters
    }
    tried = set(re.findall(r"\bfund\.(\w+)", inspect.getsource(History)))
    by_another = {"move_to_bank", "fetch_from_bank"}  # Two names for what `move_by_bank` does.
    assert decisions - tried - by_another == set()


@pytest.mark.parametrize(
    "broken",
    [
        broken_kernels.unbalanced,
        broken_kernels.overdrawn,
        broken_kernels.late_entries_unseen,
        broken_kernels.balances_forget,
        broken_kernels.reversed_repayments_live_on,
        broken_kernels.standing_forgets_the_last_day,
        broken_kernels.interest_is_lost,
        broken_kernels.savings_of_somebody_else,
        broken_kernels.vouchers_skip,
        broken_kernels.reversals_repeat,
        broken_kernels.a_decision_changes_the_fund_itself,
        broken_kernels.settlement_is_a_month_short,
    ],
    ids=lambda broken: broken.__name__,
)
def test_our_own_bookkeeper_finds_a_broken_kernel(
    broken: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    check_all(range(0, 15, 3))
    broken(monkeypatch)
    with pytest.raises((AssertionError, pytest.fail.Exception, Refusal)):
        check_all(range(0, 60, 3))


def check_all(seeds: Iterable[int]) -> None:
    """What is looked at after every step above, on histories that are told to their end."""
    for seed in seeds:
        history = Club(seed).told(150)
        check_books(history.fund)
        check_replay(history.fund)
        if not history.fund.dissolved:
            check_settlement(history.fund, history.today, history.fund.loans)
