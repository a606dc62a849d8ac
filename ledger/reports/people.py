"""Who is in the club, and who of them borrows (`domain.md` §5 and §6)."""

from __future__ import annotations

from bisect import bisect
from datetime import timedelta
from typing import Final

from ledger.days import add_months
from ledger.events import PRODUCTION
from ledger.reports.club import ClubAt, Person, once
from ledger.reports.shares import Share, share

SEXES: Final = ("female", "male")
POVERTIES: Final = ("poor", "near_poor", "hardship", "none")


def bands(threshold: int) -> tuple[str, ...]:
    """The bands of age, the first of them under the threshold."""
    return (f"under_{threshold}", f"{threshold}_69", "70_79", "80_plus")


def band_of(person: Person, club: ClubAt) -> str:
    """The band of a member's age: the year of the period's end less the year of birth."""
    age = club.period.until.year - person.birth_year
    return bands(club.threshold)[bisect((club.threshold, 70, 80), age)]


def members(club: ClubAt) -> int:
    """How many are on the roll."""
    return len(club.roll)


def women(club: ClubAt) -> Share:
    """Women among them."""
    return share([person.sex for person in club.roll].count("female"), members(club))


def older(club: ClubAt) -> Share:
    """Those who have reached the threshold of age."""
    return share(_older(club), members(club))


def younger(club: ClubAt) -> Share:
    """Those who have not."""
    return share(members(club) - _older(club), members(club))


@once
def _older(club: ClubAt) -> int:
    born_by = club.period.until.year - club.threshold
    return len([person for person in club.roll if person.birth_year <= born_by])


def hardship(club: ClubAt) -> Share:
    """The poor, the nearly poor and those in hardship."""
    return share(members(club) - [person.poverty for person in club.roll].count("none"), members(club))


@once
def borrowing_current(club: ClubAt) -> Share:
    """Those who owe principal of a loan for production."""
    return _borrowers(club, {loan.asked["member"] for loan in club.running if loan.asked["purpose"] in PRODUCTION})


@once
def borrowing_in_period(club: ClubAt) -> Share:
    """Those who received a loan for production in the twelve months up to the end of the period."""
    since = (add_months(club.period.until, -12) + timedelta(days=1)).isoformat()
    return _borrowers(club, {r.member for r in club.receipts if r.purpose in PRODUCTION and r.received_on >= since})


@once
def borrowing_ever(club: ClubAt) -> Share:
    """Those who ever received a loan for production."""
    return _borrowers(club, {receipt.member for receipt in club.receipts if receipt.purpose in PRODUCTION})


def _borrowers(club: ClubAt, borrowers: set[int]) -> Share:
    return share(len(borrowers.intersection(person.member for person in club.roll)), members(club))


def volunteers(club: ClubAt) -> int:
    """How many hold the office of a volunteer."""
    return len(club.holders.get("volunteer", ()))
