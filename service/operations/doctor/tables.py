"""Whether the tables are those of this version, follow the log, and hold all of it."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.application import Ledger
from ledger.projections.read_model import LAG_COUNTED, ReadModel, ReadModelBroken
from service.operations.doctor.finding import Finding, danger, warning, well
from service.operations.upgrading import outstanding


def of_schema(ledger: Ledger) -> Finding:
    """The tables that no replay could make anew. A schema that is newer than this program is refused before."""
    found = outstanding(ledger)
    if found.steps:
        return warning("schema-behind", reached=found.reached, steps="; ".join(found.steps))
    return well("schema", reached=found.reached)


def of_read_model(ledger: Ledger) -> Iterator[Finding]:
    """The tables that figures come from."""
    model = ReadModel(ledger.database)
    try:
        model.check_tables()
        position, parked = model.ask(lambda tables, position: (position, model.parked(tables)))
    except ReadModelBroken as broken:
        yield danger("read-model-broken", code=broken.code)
        return
    if parked:
        yield danger("parked", funds=len(parked))
    lag = model.lag()
    facts = {"position": position, "lag": lag}
    yield warning("read-model-behind", **facts) if lag >= LAG_COUNTED else well("read-model", **facts)


def of_states(ledger: Ledger) -> Iterator[Finding]:
    """The states that spare a fund's first entry of an evening a replay."""
    if foreign := len(ledger.kept_states.foreign()):
        yield warning("states-foreign", states=foreign)


def of_losses(ledger: Ledger) -> Iterator[Finding]:
    """What was acknowledged once and is gone."""
    lost = ledger.losses.found()
    for loss in lost:
        yield danger("lost", fund=loss.fund, first=loss.first, last=loss.last)
    if not lost:
        yield well("nothing-lost")
