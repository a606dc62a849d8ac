"""What tests of red flags share: the flags of one rule, and a club that enters things when they happen."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import Event
from ledger.flags import Flag, Thresholds, flags
from service.inspection.flag_service import flag_answer
from tests.support.village import CLUB, FUND, Act, bylaws, day, metadata

END = date(2024, 7, 15)


def raised(
    fund: Fund, rule: str, on: date | str = END, linked: dict[str, int] | None = None, **limits: int
) -> list[Flag]:
    """The flags of one rule, which the reader can be told of in both languages."""
    thresholds = Thresholds(**limits)
    found = [each for each in flags(fund, thresholds, day(on), linked) if each.rule == rule]
    for each in found:
        assert all(1 <= version <= fund.version for version in each.versions)
        for language in ("vi", "en"):
            assert flag_answer(each, thresholds, language)["finding"]
    return found


def behind(fund: Fund, flag: Flag) -> list[Event]:
    """The entries behind a flag."""
    return [fund.entries[version - 1] for version in flag.versions]


def evening(on: str | date, late: int = 0) -> datetime:
    return datetime.combine(day(on) + timedelta(days=late), time(13), UTC)


def said(on: str | date, late: int = 0, by: str = "treasurer") -> EntryMetadata:
    """Told on the evening of the day itself, or so many days later."""
    return metadata(on, at=evening(on, late), by=by)


def prompt(*acts: Act) -> Fund:
    """A club of five members that opened in 2024 and enters things when they happen."""
    fund = Fund(FUND)
    fund.open(said("2024-01-01", by="admin"), bylaws=bylaws(), **CLUB)
    for number in range(5):
        fund.join(said("2024-01-01"), birth_year=1950 + number, sex="female", poverty="none")
    fund.receive_donation(said("2024-01-01"), source="benefactor", pot="activity", amount=5_000_000)
    for act in acts:
        act(fund)
    return fund


def spends(on: str | date, late: int = 0, amount: int = 20_000, by: str = "treasurer") -> Act:
    return lambda fund: fund.pay_expense(said(on, late, by), activity="culture", amount=amount)


def days(first: str, number: int) -> Iterator[date]:
    return (day(first) + timedelta(days=later) for later in range(number))


def counted(on: str) -> Act:
    return lambda fund: fund.count_cash(said(on), reason="periodic", counted=fund.cash_at(day(on)), witnesses=[1])
