"""The way from files to the log: what would be recorded is said, and recorded once somebody agrees."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from ledger.application import Ledger
from ledger.chart import Pot
from ledger.days import civil_day
from ledger.events import OpeningBalancesDeclared, OpeningPot, check_code
from ledger.jobs import Recorded, StorageUnavailable
from ledger.refusals import Refusal
from service.http.problems import problem, refusal_for
from service.takeover.forms import LANGUAGE, Finding
from service.takeover.reading import Takeover, read
from service.takeover.recording import RowsRefused, take_over
from service.takeover.template import write_template
from service.words import catalogue


def summary(recorded: Recorded, language: str = LANGUAGE) -> list[str]:
    """What a takeover records, line by line, to be compared with the old book before anything is recorded."""
    opening = recorded.events[-1]
    assert isinstance(opening, OpeningBalancesDeclared)
    equity: dict[Pot, int] = {leg.pot: -leg.amount for leg in opening.legs() if leg.account == "opening"}
    said: list[tuple[str, dict[str, Any]]] = [
        ("members", {"members": len(recorded.events) - 1, "on": opening.on}),
        ("savings", {"savers": len(opening.savings), "amount": sum(saved.amount for saved in opening.savings)}),
        ("loans", {"loans": len(opening.loans), "amount": sum(loan.outstanding for loan in opening.loans)}),
        ("advances", {"advances": len(opening.advances), "amount": sum(lent.amount for lent in opening.advances)}),
        ("equipment", {"items": len(opening.equipment), "amount": sum(item.value for item in opening.equipment)}),
    ]
    pots: tuple[tuple[Pot, OpeningPot], ...] = (("revolving", opening.revolving), ("activity", opening.activity))
    for pot, held in pots:
        said.append(("pot", {"pot": pot, "cash": held.cash, "bank": held.bank, "equity": equity.get(pot, 0)}))
    return [catalogue.render(f"takeover.summary.{name}", language, **facts) for name, facts in said]


class NotTakenOver(Exception):
    """Nothing was recorded, and why, in words for whoever brought the files."""


OPERATOR: Final = "command-line"
"""Who records where no token is asked for: whoever may open the database."""


def template_command(path: Path, language: str = LANGUAGE) -> str:
    """`microfund import --template`: a workbook, or a directory of CSV files; answers what to say.

    Raises `NotTakenOver` where nothing may be written, or something lies already.
    """
    try:
        write_template(path, "xlsx" if path.suffix.lower() == ".xlsx" else "csv")
    except OSError:
        raise NotTakenOver(_said("not-written", language, path=str(path))) from None
    return _said("written", language, path=str(path))


def import_command(
    ledger: Ledger,
    fund: str,
    paths: Sequence[Path],
    *,
    now: datetime,
    say: Callable[[str], None],
    agrees: Callable[[str], bool],
    language: str = LANGUAGE,
) -> None:
    """`microfund import`: say what would be recorded, ask, record. Raises `NotTakenOver`.

    `say` takes a line of the answer; `agrees` is asked the question whether to record.
    """
    takeover = read(paths, civil_day(now))
    if isinstance(takeover, list):
        raise _not_taken_over(takeover, language)
    trial = _recorded(ledger, fund, takeover, now, language, dry_run=True)
    if trial.replayed:
        say(_said("replayed", language, fund=fund, check_code=check_code(trial.head)))
        return
    noted = (note.message(language) for note in takeover.notes)
    for line in (*noted, _said("would-record", language, fund=fund), *summary(trial, language)):
        say(line)
    if not agrees(_said("question", language, fund=fund)):
        say(_said("nothing-recorded", language))
        return
    recorded = _recorded(ledger, fund, takeover, now, language, dry_run=False)
    say(_said("recorded", language, fund=fund, check_code=check_code(recorded.head)))


def _recorded(
    ledger: Ledger, fund: str, takeover: Takeover, now: datetime, language: str, *, dry_run: bool
) -> Recorded:
    try:
        return take_over(ledger, fund, takeover, recorded_at=now, recorded_by=OPERATOR, dry_run=dry_run)
    except RowsRefused as refused:
        raise _not_taken_over(refused.findings, language) from None
    except (Refusal, StorageUnavailable) as error:
        raise NotTakenOver(problem(refusal_for(error), language)["detail"]) from None


def _not_taken_over(findings: Sequence[Finding], language: str) -> NotTakenOver:
    lines = [finding.message(language) for finding in findings]
    return NotTakenOver("\n".join((*lines, _said("found", language, count=len(findings)))))


def _said(name: str, language: str, /, **facts: object) -> str:
    return catalogue.render(f"takeover.{name}", language, **facts)
