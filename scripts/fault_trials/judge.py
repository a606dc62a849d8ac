"""What the log holds beside what people were told: read when all is over, by nobody who took part."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import msgspec

from ledger.application import Ledger
from ledger.history import verify
from ledger.projections.proof import divergences
from scripts.benchmarks.workshop import opened_ledger, read_model_of
from scripts.fault_trials.crowd import UNSETTLED
from scripts.fault_trials.trial import Figures

KINDS = {"DonationReceived": "donations", "ExpensePaid": "expenses"}

Thing = tuple[str, str, int]
"""A fund, a kind of act and its amount."""


class Told(msgspec.Struct):
    """What one act came to, as its person knows."""

    thing: Thing
    acknowledged: set[tuple[int, float]] = msgspec.field(default_factory=set)
    """Versions, each with when the answer came."""
    last: int = 0
    """The status of the last answer, 0 for none."""


def told_in(journal: Path) -> dict[int, Told]:
    """What a journal says, by the number of the act. A last line that is cut off is left out."""
    acts: dict[int, Told] = {}
    for line in journal.read_text("utf-8").splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        said: dict[str, Any] = json.loads(line)
        if "asked" in said:
            acts.setdefault(said["asked"], Told((said["fund"], said["kind"], said["amount"])))
            continue
        act = acts[said["told"]]
        act.last = said["status"]
        if said["status"] == 201:
            act.acknowledged.add((said["version"], said["at"]))
    return acts


def by_then(acts: dict[int, Told], moment: float) -> dict[int, Told]:
    """The same acts as far as a moment goes: what was not acknowledged before it may or may not be in the log."""
    return {
        number: act if any(at < moment for _, at in act.acknowledged) else Told(act.thing)
        for number, act in acts.items()
    }


def things_in(fund: str, lines: Iterable[bytes]) -> dict[int, Thing]:
    """What people recorded, by version."""
    read = (json.loads(line) for line in lines)
    return {line["version"]: (fund, KINDS[line["type"]], line["amount"]) for line in read if line["type"] in KINDS}


def judged(database_url: str, journal: Path, but: Collection[str] = ()) -> Figures:
    """Compare the journal with the log of all funds but these, and the figures that are read with a replay of it."""
    with opened_ledger(database_url) as ledger:
        funds = [fund for fund in ledger.funds() if fund not in but]
        histories = {fund: ledger.recorder.lines(fund, 0, None) for fund in funds}
        figures = compared(histories, told_in(journal))
        figures.wrong += proved(ledger, funds)
    return figures


def compared(histories: dict[str, list[bytes]], acts: dict[int, Told]) -> Figures:
    """Count what is lost, doubled and found though refused in these lines of each fund, whose chains must be whole."""
    figures, where = Figures(), defaultdict[Thing, list[int]](list)
    for fund, lines in histories.items():
        if not (found := verify(lines)).valid:
            figures.wrong.append(f"the chain of {fund} is broken at {found.first_broken}")
        figures.wrong += overdrawn(fund, lines)
        for version, thing in things_in(fund, lines).items():
            where[thing].append(version)
    for act in acts.values():
        versions = where.pop(act.thing, [])
        figures.acknowledged += bool(act.acknowledged)
        figures.doubled += max(len(versions) - 1, 0)
        if act.acknowledged and not versions:
            figures.lost += 1
        elif any(version not in versions for version, _ in act.acknowledged):
            figures.wrong.append(f"{act.thing} was told to be another entry than it is")
        is_refused = act.last not in UNSETTLED and not act.acknowledged
        figures.refused_but_found += is_refused and bool(versions)
    if where:
        figures.wrong.append(f"{len(where)} entries that nobody asked for")
    return figures


def overdrawn(fund: str, lines: Iterable[bytes]) -> list[str]:
    """Where a fund was to pay more than it had ever received, in the order of its lines."""
    held, found = 0, []
    for version, (_, kind, amount) in things_in(fund, lines).items():
        held += amount if kind == "donations" else -amount
        if held < 0:
            found.append(f"{fund} is overdrawn at {version}")
    return found


def proved(ledger: Ledger, funds: Iterable[str] | None = None) -> list[str]:
    """Where the tables are not what a replay of the log makes them, once they have caught up."""
    model = read_model_of(ledger)
    model.create_tables()
    model.catch_up()
    tables = Counter(found.table for found in divergences(ledger, funds))
    return [f"{count} rows of {table} are not what a replay makes them" for table, count in tables.items()]
