"""The clock of the service's machine jumps an hour ahead, over midnight in the village, and back.

libfaketime stands between the service and its clock, and reads from a file how wrong that is.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from ledger.days import civil_day
from scripts.benchmarks.workshop import opened_ledger
from scripts.fault_trials.books import FUNDS, found
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.judge import judged
from scripts.fault_trials.service import Service, ask
from scripts.fault_trials.trial import BOTH, Figures, Ground, LeftOut, Row

LIBRARIES = tuple(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
VILLAGE_HOURS = 7
"""Ahead of UTC."""
AT_ONCE_SECONDS = 0.3
"""How soon after the file has changed the service has looked at it again."""


class Clock:
    """What the service takes the time to be: the true one, and so many seconds more."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead = 0.0
        self.set(0)

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a process that goes by it."""
        if not LIBRARIES:
            raise LeftOut("libfaketime is not installed")
        return {
            "LD_PRELOAD": str(LIBRARIES[0]),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def set(self, ahead: float) -> None:
        """Let it be so many seconds ahead, or behind."""
        self._ahead = ahead
        drafted = self._file.with_suffix(".draft")
        drafted.write_text(f"{ahead:+.3f}\n")
        drafted.rename(self._file)
        time.sleep(AT_ONCE_SECONDS)

    def now(self) -> datetime:
        """What it says."""
        return datetime.now(UTC) + timedelta(seconds=self._ahead)

    def until_midnight(self) -> float:
        """By how much it must be ahead to be a second before midnight in the village."""
        now = datetime.now(UTC) + timedelta(hours=VILLAGE_HOURS)
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return (midnight - now).total_seconds() - 1


def jumped(ground: Ground, rounds: int, guard: str | None = None) -> Figures:
    """Let people record while the clock jumps to and fro."""
    url, folder = ground.shop.database(ground.engine), ground.folder()
    clock, token = Clock(folder / "clock"), found(url)
    headers, figures = {"Authorization": f"Bearer {token}"}, Figures()
    with (
        Service(ground.shop, url, guard=guard, anew=True, **clock.settings) as service,
        Crowd([service.port], token, folder / "journal", ground.draw, people=4, pause_seconds=0.02).at_work() as crowd,
    ):
        for _ in range(rounds):
            for ahead in (3_600.0, 0.0, clock.until_midnight(), -3_600.0, 0.0):
                clock.set(ahead)
                crowd.wait_for(10)
                figures.wrong += _no_day_to_come(service, clock, headers, ground.draw)
                figures.trials += 1
        crowd.finish()
        figures.wrong += in_order(url) or known_then(url, service, headers)
    figures.add(judged(url, folder / "journal"))
    return figures


def _no_day_to_come(service: Service, clock: Clock, headers: dict[str, str], draw: Random) -> list[str]:
    """Whether an entry of the service's own tomorrow is refused."""
    tomorrow = civil_day(clock.now() + timedelta(days=1, minutes=1))
    gift = {"source": "community", "pot": "activity", "amount": 1, "on": str(tomorrow)}
    keyed = headers | {"Idempotency-Key": f"tomorrow-{draw.randrange(10**12):012d}"}
    status, told, _ = ask(service.port, "POST", f"/v1/funds/{FUNDS[0]}/donations", gift, keyed)
    return [] if status == 422 else [f"an entry of {tomorrow} is answered {status} {told} at {clock.now()}"]


def in_order(url: str) -> list[str]:
    """Where an entry was recorded before the one before it, or before the day that it is of."""
    wrong = []
    for fund, lines in _lines(url).items():
        recorded = [(line["version"], datetime.fromisoformat(line["recorded_at"]), line["on"]) for line in lines]
        wrong += [f"{fund} at {b[0]}: recorded before its forerunner" for a, b in pairwise(recorded) if b[1] < a[1]]
        wrong += [f"{fund} at {version}: of {on}" for version, at, on in recorded if on > str(civil_day(at))]
    return wrong


def known_then(url: str, service: Service, headers: dict[str, str]) -> list[str]:
    """Where what was known at an instant is not all that was recorded by then."""
    wrong = []
    for fund, lines in _lines(url).items():
        instants = [datetime.fromisoformat(line["recorded_at"]) for line in lines]
        for instant in instants[2 :: max(len(instants) // 10, 1)]:
            asked = f"/v1/funds/{fund}/balances?known_at={instant.isoformat().replace('+00:00', 'Z')}"
            status, told, _ = ask(service.port, "GET", asked, headers=headers)
            version = sum(each <= instant for each in instants)
            if status != 200 or told["version"] != version:
                wrong.append(f"{fund} known at {instant} is {status} {told}, and not of version {version}")
    return wrong


def _lines(url: str) -> dict[str, list[dict[str, Any]]]:
    with opened_ledger(url) as ledger:
        return {fund: [json.loads(line) for line in ledger.recorder.lines(fund, 0, None)] for fund in FUNDS}


ROW = Row(
    name="clock",
    fault="the service's clock jumps an hour ahead, over midnight in the village, and back",
    engines=BOTH,
    trial=lambda ground: jumped(ground, ground.size.jumps),
    control=lambda ground: jumped(ground, 1, "recorded-in-order"),
    without="entries recorded when the clock says",
    is_about_storage=False,
)
