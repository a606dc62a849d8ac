"""The attendance of a club's meetings, and what was written down wrongly of one and put right."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from ledger.aggregates.fund import EntryMetadata, Fund
from ledger.events import Request
from ledger.meeting import Sheet, SheetLine
from service.demo.closings import close, close_again, reopen
from service.demo.places import Keeping
from service.demo.village import Village

OVERSEES: dict[Keeping, float] = {"careful": 0.01, "usual": 0.03, "bad": 0.03}
"""How likely somebody who came is noted as absent, and says so some days later."""
MISTAKES_THE_DAY: dict[Keeping, float] = {"careful": 0, "usual": 0.008, "bad": 0.008}
"""How likely a sheet is begun under another day, and undone."""
SEEN_IN_THE_REPORT = 0.08
"""How likely the year's report shows that December's attendance was noted wrongly, when the year is closed already."""

BEGUN_LINES = 5
"""How far a sheet under a wrong day comes before somebody sees it."""

OVERSEEN_REASON = "Có mặt mà bị ghi sót, thành viên báo lại"
WRONG_DAY_REASON = "Mở nhầm tờ của ngày khác"
REOPENING_REASON = "Sửa danh sách có mặt buổi tháng 12 bị ghi sót"


class Noted(NamedTuple):
    """A meeting's attendance as it was told; `key` is that of its request."""

    key: str
    on: date
    present: tuple[int, ...]
    by_proxy: tuple[int, ...]
    absent: tuple[int, ...]


class Minutes:
    """Who came to one club's meetings."""

    def __init__(self, village: Village) -> None:
        self._village = village
        self._december: Noted | None = None

    def hold(
        self,
        lines: Iterator[datetime],
        on: date,
        present: Sequence[int],
        by_proxy: Sequence[int],
        *,
        is_written: bool,
    ) -> None:
        """Note who came, if anybody does; now and then somebody was overlooked."""
        village = self._village
        at, by = next(lines), village.treasurer
        absent = tuple(member.number for member in village.roll if member.number not in (*present, *by_proxy))
        is_one_overseen = bool(absent) and village.chance(OVERSEES[village.club.keeping])
        if not is_written:
            return
        key = village.diary.tell(at, on, by, hold_meeting, present=present, by_proxy=by_proxy)
        noted = Noted(key, on, tuple(present), tuple(by_proxy), absent)
        if is_one_overseen:
            noted = self._correct(at + timedelta(days=village.random.randint(1, 6)), noted)
        if on.month == 12:
            self._december = noted

    def _correct(self, at: datetime, noted: Noted) -> Noted:
        village, overseen = self._village, self._village.random.choice(noted.absent)
        present = (*noted.present, overseen)
        village.diary.tell(
            at,
            noted.on,
            village.treasurer,
            correct_attendance,
            texts={"reason": OVERSEEN_REASON},
            key=noted.key,
            present=present,
            by_proxy=noted.by_proxy,
        )
        return noted._replace(present=present, absent=tuple(each for each in noted.absent if each != overseen))

    def close_year(self, lines: Iterator[datetime], on: date, through: date) -> None:
        """Close a year; if the report shows a mistake in it, December is opened again for as long as that takes."""
        village, december = self._village, self._december
        tell, by = village.diary.tell, village.chair
        tell(next(lines), on, by, close, through=through)
        if december and december.absent and december.on.year == through.year and village.chance(SEEN_IN_THE_REPORT):
            since, texts = through.replace(day=1), {"reason": REOPENING_REASON}
            tell(next(lines), on, by, reopen, texts=texts, since=since)
            self._correct(next(lines), december)
            tell(next(lines), on, by, close_again)

    def mistake_the_day(self, lines: Iterator[datetime], on: date, present: Sequence[int], month: str) -> None:
        """Begin the sheet under the day of a week ago, and undo it as a whole."""
        village = self._village
        if not village.chance(MISTAKES_THE_DAY[village.club.keeping]):
            return
        held_on, by = on - timedelta(days=7), village.treasurer
        dues = {"kind": "dues", "amount": village.bylaws.monthly_dues, "for_month": month}
        begun = [{"member": member, **dues} for member in present[:BEGUN_LINES]]
        key = village.diary.tell(next(lines), held_on, by, hold_sheet, several=True, dues=begun)
        texts = {"note": WRONG_DAY_REASON}
        village.diary.tell(next(lines), held_on, by, undo_sheet, several=True, texts=texts, key=key)


def hold_meeting(fund: Fund, metadata: EntryMetadata, *, present: Sequence[int], by_proxy: Sequence[int]) -> None:
    """Keep a meeting's attendance; the club counted what the books say."""
    before = fund.cash_at(metadata.on - timedelta(days=1))
    fund.hold_meeting(
        metadata,
        sheet=metadata.on.isoformat(),
        present=present,
        by_proxy=by_proxy,
        opening_cash=before,
        closing_cash=fund.cash_at(metadata.on),
        book_opening=before,
    )


def correct_attendance(fund: Fund, metadata: EntryMetadata, *, key: str, **attendance: Any) -> None:
    """Note anew who came to a meeting."""
    fund.correct_attendance(metadata, fund.version_of(key) or 0, **attendance)


def hold_sheet(fund: Fund, metadata: EntryMetadata, *, dues: Sequence[dict[str, Any]]) -> None:
    """Record a sheet as a whole, each line under a key of its own, as a phone sends it."""
    assert metadata.request
    whole, name = metadata.request, metadata.on.isoformat()
    lines = [
        SheetLine(
            msgspec.structs.replace(metadata, request=Request(f"{whole.key}-{number}", whole.digest, name)),
            lambda fund, line, facts=facts: fund.receive_contribution(line, **facts),  # type: ignore[misc]
        )
        for number, facts in enumerate(dues, 1)
    ]
    present = tuple(facts["member"] for facts in dues)
    Sheet(name=name, metadata=metadata, lines=tuple(lines), present=present).hold(fund)


def undo_sheet(fund: Fund, metadata: EntryMetadata, *, key: str) -> None:
    """Undo a sheet, on the day it bears."""
    fund.undo_meeting(metadata, fund.version_of(key) or 0, reason="wrong_date", as_held=True)
