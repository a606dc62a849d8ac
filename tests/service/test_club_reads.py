"""Claims about what a read of one club waits for, and what it asks of the tables."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.projections import balances
from tests.support.service import FUND, OTHER_FUND, House, house, settle_in

AT = f"/funds/{FUND}"


@pytest.fixture
def village(database_url: str) -> Iterator[House]:
    """Two clubs that keep books alike."""
    with house(database_url, read_wait_seconds=30) as running:
        for fund in (FUND, OTHER_FUND):
            settle_in(running, fund)
        yield running


def test_whoever_asks_about_a_club_waits_for_its_entries_and_not_for_those_of_others(
    village: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited_for: list[int] = []
    reached = village.state.follower.reached

    async def watched(position: int, timeout: float) -> bool:
        waited_for.append(position)
        return await reached(position, timeout)

    gift = {"source": "member", "pot": "activity", "amount": 1_000}
    own = village.recorded(f"{AT}/donations", gift)["position"]
    others = village.recorded(f"/funds/{OTHER_FUND}/donations", gift)["position"]
    monkeypatch.setattr(village.state.follower, "reached", watched)
    for path in (f"{AT}/balances", AT, f"{AT}/members", f"{AT}/sheet", "/funds", "/borrowing"):
        assert village.get(path).status_code == 200

    assert waited_for == [own] * 4 + [others] * 2


def test_the_same_books_are_not_asked_twice_and_others_are(village: House, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = balances.balances

    def counted(reader: Any, fund: str, as_of: Any) -> Any:
        asked.append(str(as_of))
        return ask(reader, fund, as_of)

    monkeypatch.setattr(balances, "balances", counted)
    first = [village.get(f"{AT}/balances?as_of={day}").json() for day in ("2024-02-15", "2024-03-15", "2024-02-15")]
    assert asked == ["2024-02-15", "2024-03-15"]
    assert first[0] == first[2] != first[1]

    village.recorded(f"{AT}/donations", {"source": "member", "pot": "activity", "amount": 1_000, "on": "2024-02-10"})
    later = village.get(f"{AT}/balances?as_of=2024-02-15").json()
    assert later["cash"] == first[0]["cash"] + 1_000

    with village.state.ledger.database.transaction() as tables:
        tables.execute("UPDATE balances SET amount = amount + 7 WHERE account = 'cash' AND pot = 'activity'")
    changed = village.get(f"{AT}/balances?as_of=2024-12-30").json()
    village.state.read_model.rebuild()
    rebuilt = village.get(f"{AT}/balances?as_of=2024-12-30").json()
    assert changed["cash"] == rebuilt["cash"] + 7
