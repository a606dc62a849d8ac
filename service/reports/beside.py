"""What a report's files say beside it: the plan, the year before, and what has changed since the last report.

All of it follows from the question and the position, so that a file is the same bytes when it is asked for again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.reports.frozen import Frozen, frozen_reports
from ledger.reports.periods import preset_period
from ledger.reports.report import Report, ReportQuestion
from service.reports.asking import Books, ask_report, restatement
from service.reports.files import SHOWN_BESIDE
from service.reports.files.figures import Beside

YEARLY: Final = ("nd09-year", "year")


def beside(at: Books, asked: ReportQuestion, report: Report, form: str, number: str | None, *, public: bool) -> Beside:
    """What stands beside a report in a form. The public sees one report alone: of two, figures that are hidden could be
    worked out. Blocks."""
    told = Beside(asked.plan, number)
    if public or form not in SHOWN_BESIDE:
        return told
    position = report["position"]
    return told._replace(last_year=_last_year(at, asked, position), restated=_restated(at, asked, position))


def _last_year(at: Books, asked: ReportQuestion, position: int) -> Report | None:
    period = asked.period
    if period.preset not in YEARLY:
        return None
    before = preset_period(period.preset, period.until.year - 1)
    return ask_report(at, asked._replace(period=before), position, position)


def _restated(at: Books, asked: ReportQuestion, position: int) -> Mapping[str, Any] | None:
    """What has changed of the last report on a period before, that was frozen before this position."""
    reports = (each for each in frozen_reports(at.ledger.database) if _is_before(each, asked, position))
    last = max(reports, key=lambda each: (each.asked.period.until, each.position), default=None)
    return restatement(at, last, position, position) if last else None


def _is_before(frozen: Frozen, asked: ReportQuestion, position: int) -> bool:
    """Whether a report is about the same clubs in a period before, and was frozen by then."""
    earlier = frozen.asked
    same = (earlier.plan.code, earlier.scope, earlier.threshold) == (asked.plan.code, asked.scope, asked.threshold)
    return same and earlier.period.until < asked.period.until and frozen.position <= position
