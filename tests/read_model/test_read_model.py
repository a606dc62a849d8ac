"""Claims about how the tables follow the log: nothing lost, nothing twice, and everything found by a replay."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from ledger.aggregates.fund import Fund
from ledger.application import Ledger
from ledger.projections.batch import TABLES
from ledger.projections.follower import Follower
from ledger.projections.knowledge import Known
from ledger.projections.proof import Divergence, divergences
from ledger.projections.read_model import LAG_COUNTED, BeingRebuilt, ReadModel, ReadModelBroken
from ledger.projections.tables import FOREVER
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.tables import Killed, advanced, following, in_turn, random_funds, rows, store
from tests.support.village import lends, repays, undoes, village

# --- live = rebuilt = replayed ----------------------------------------------------------------------------------------


def test_what_was_followed_live_is_what_is_rebuilt_and_what_is_replayed(database_url: str) -> None:
    entries, random = random_funds(), Random(7)
    with opened(database_url) as ledger:
        model = following(ledger)
        for start in range(0, len(entries), 200):
            store(ledger, entries[start : start + 200])
            advanced(model, iter(lambda: random.randint(1, 60), 0))
        live = rows(ledger.database)

        assert model.lag() == 0
        assert [row for row in live["entries"] if row[0] == "LS-0001"]
        assert list(divergences(ledger)) == []
        assert model.rebuild() == len(entries)
        assert rows(ledger.database) == live


def test_one_entry_at_a_time_makes_the_rows_that_one_large_batch_makes(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, random_fund(5).pending)
        advanced(model, iter(lambda: 1, 0))
        one_by_one = rows(ledger.database)

        model.rebuild()

        assert rows(ledger.database) == one_by_one


def test_a_repayment_told_late_cuts_the_stretch_a_loan_was_owed_in_two(sqlite_url: str) -> None:
    """On 6 February all was repaid; on the 10th some of it turned out to be a mistake; then the 6th was told."""
    fund = village(
        lends(1, 1_000_000, on="2024-01-31"),
        repays(1, 600_000, on="2024-02-05"),
        undoes(on="2024-02-10"),
        repays(1, 400_000, on="2024-02-06"),
        monthly_rate_ppm=0,
    )
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, fund.pending)
        advanced(model, iter(lambda: 1, 0))

        spells = ledger.database.query("SELECT from_day, until_day FROM loan_spells ORDER BY from_day")
        assert [tuple(spell.values()) for spell in spells] == [("2024-01-31", "2024-02-06"), ("2024-02-10", FOREVER)]
        assert list(divergences(ledger)) == []


def test_both_engines_make_the_same_rows(sqlite_url: str, postgres_url: str) -> None:
    made = []
    for url in (sqlite_url, postgres_url):
        with opened(url) as ledger:
            store(ledger, random_funds())
            model = following(ledger)
            model.catch_up()
            made.append(rows(ledger.database))

    assert made[0] == made[1]


def test_catching_up_says_how_far_it_is(sqlite_url: str) -> None:
    told: list[int] = []
    with opened(sqlite_url) as ledger:
        store(ledger, random_funds())
        model = following(ledger)

        assert model.lag() == min(len(random_funds()), LAG_COUNTED)
        assert model.catch_up(told.append) == sum(told) == len(random_funds())
        assert model.lag() == 0


def test_what_was_known_at_a_version_is_what_the_tables_held_then(sqlite_url: str) -> None:
    entries = random_fund(4).pending
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        for version in (1, 40, 90, len(entries)):
            store(ledger, entries[model.position : version])
            model.catch_up()

            assert rows(Known(ledger.entries("LS-0004", upto=version))) == rows(ledger.database)


# --- a change to the tables is found ----------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [table.name for table in TABLES if table.name != "parked"])
def test_a_row_that_is_missing_from_a_table_is_found(table: str, sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        store(ledger, random_fund(2).pending)
        following(ledger).catch_up()
        key = next(made for made in TABLES if made.name == table).key
        ledger.database.execute(f"DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} LIMIT 1)")

        assert table in {found.table for found in divergences(ledger)}


def test_a_changed_sum_and_a_fund_left_out_are_found(sqlite_url: str) -> None:
    with opened(sqlite_url) as ledger:
        store(ledger, in_turn(random_fund(2).pending, random_fund(3).pending))
        following(ledger).catch_up()
        ledger.database.execute("UPDATE balances SET amount = amount + 1 WHERE fund = 'LS-0002' AND account = 'cash'")
        for table in TABLES:
            ledger.database.execute(f"DELETE FROM {table.name} WHERE fund = 'LS-0003'")

        found = list(divergences(ledger))

        assert {(each.fund, each.table) for each in found} == {("LS-0002", "balances"), ("LS-0003", "entries")}
        assert found[-1] == Divergence("LS-0003", "entries", ("LS-0003", 1), None, {"type": "FundOpened"})


class Miscounting(Ledger):
    """A ledger whose funds have a đồng too many."""

    def replayed(self, fund: str, *, upto: int | None = None) -> Fund:
        """The fund, and a đồng more."""
        found = super().replayed(fund, upto=upto)
        found.balances["activity", "cash", None] += 1
        return found


def test_tables_that_agree_with_each_other_and_not_with_the_fund_are_found(sqlite_url: str) -> None:
    ledger = Miscounting(sqlite_url)
    store(ledger, random_fund(2).pending)
    following(ledger).catch_up()
    found = list(divergences(ledger))
    ledger.close()

    assert [(each.table, each.key[1:]) for each in found] == [("balances", ("activity", "cash", ""))]


# --- rebuilding -------------------------------------------------------------------------------------------------------


def broken_off(ledger: Ledger) -> ReadModel:
    """A read model whose rebuild ended in its middle."""
    model = following(ledger)

    def stop(_: int) -> None:
        raise Killed

    with pytest.raises(Killed):
        model.rebuild(stop)
    return model


def test_a_rebuild_that_was_broken_off_is_seen_and_mended_by_the_next_one(database_url: str) -> None:
    entries = random_funds()
    with opened(database_url) as ledger:
        store(ledger, entries)
        model = broken_off(ledger)

        assert model.position == 0
        with pytest.raises(BeingRebuilt):
            model.advance()
        assert model.rebuild() == len(entries)
        assert list(divergences(ledger)) == []


def test_a_follower_waits_for_the_end_of_a_rebuild_and_goes_on(database_url: str) -> None:
    entries = random_funds()
    with opened(database_url) as ledger, opened(database_url) as other:
        store(ledger, entries)
        broken_off(ledger)

        with Follower(following(other)) as follower:
            assert not follower.wait_for(len(entries), 1)
            assert follower.trouble == "BeingRebuilt"
            following(ledger).rebuild()
            assert follower.wait_for(len(entries), 30)
            assert follower.trouble is None


def test_what_is_deleted_is_overwritten_but_not_the_tables_that_are_made_anew(sqlite_url: str) -> None:
    """Who records waits while they are dropped: of a country's tables, gigabytes would be written over."""
    file = Path(sqlite_url.removeprefix("sqlite:///"))
    log = file.with_name(f"{file.name}-wal")
    with opened(sqlite_url) as ledger:
        model = following(ledger)
        store(ledger, random_funds())
        model.catch_up()
        ledger.database.scrub()
        before = log.stat().st_size

        model._clear("rebuilding by somebody")

        assert log.stat().st_size - before < file.stat().st_size / 4
        assert ledger.database.query("PRAGMA secure_delete") == [{"secure_delete": 1}]
        model.rebuild()
        assert list(divergences(ledger)) == []


def test_a_rebuild_overtaken_by_another_one_writes_nothing_more(database_url: str) -> None:
    entries = random_funds()
    with opened(database_url) as ledger, opened(database_url) as other:
        store(ledger, entries)
        first, second = following(ledger), following(other)

        with pytest.raises(ReadModelBroken, match="another-rebuild"):
            first.rebuild(lambda _: second.rebuild())
        assert second.position == len(entries)
        assert list(divergences(ledger)) == []


def test_what_is_recorded_during_a_rebuild_is_followed_at_its_end(database_url: str) -> None:
    entries = random_funds()
    with opened(database_url) as ledger:
        store(ledger, entries[:-5])
        late = [entries[-5:]]

        assert following(ledger).rebuild(lambda _: store(ledger, late.pop()) if late else None) == len(entries)
        assert list(divergences(ledger)) == []
