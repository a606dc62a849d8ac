"""What this version of the program needs to be otherwise in a database, and how that is done; the log stays."""

from __future__ import annotations

from typing import NamedTuple

from ledger.application import Ledger
from ledger.projections.read_model import Progress, ReadModel, ReadModelBroken
from ledger.schema import SELECT_REACHED, STEPS


class Outstanding(NamedTuple):
    """The steps that the schema lacks, as each says what it is about; why the read model must be made anew, as a code,
    `parked` where funds were left behind, None if it need not; and how many funds' states another version kept."""

    reached: int
    steps: list[str]
    read_model: str | None
    states: int

    def __bool__(self) -> bool:
        return bool(self.steps or self.read_model or self.states)


def outstanding(ledger: Ledger) -> Outstanding:
    """What an upgrade would do; changes nothing."""
    reached = int(ledger.database.query(SELECT_REACHED)[0]["value"])
    steps = [step.about for step in STEPS[reached:]]
    return Outstanding(reached, steps, _why_anew(ReadModel(ledger.database)), len(ledger.kept_states.foreign()))


def _why_anew(model: ReadModel) -> str | None:
    try:
        model.check_tables()
        parked = model.ask(lambda tables, _: model.parked(tables))
    except ReadModelBroken as broken:
        return broken.code
    return "parked" if parked else None


def bring_up(ledger: Ledger, progress: Progress) -> int:
    """Make the read model and the kept states what this version needs, of a ledger that was opened to write, and so has
    its schema already; answers how many entries were gone through. Killed at any moment, it is begun anew by the next
    one. Funds that an earlier version had to leave behind are tried again: tables of the same shape may be filled by
    better code."""
    gone_through = _make_read_model(ReadModel(ledger.database), progress)
    for foreign in ledger.kept_states.foreign():
        entries = ledger.kept_states.renew(foreign, ledger.replayed)
        progress(entries)
        gone_through += entries
    return gone_through


def _make_read_model(model: ReadModel, progress: Progress) -> int:
    try:
        model.create_tables()
        caught_up = model.catch_up(progress)
    except ReadModelBroken:
        return model.rebuild(progress)
    return model.rebuild(progress) if model.parked() else caught_up
