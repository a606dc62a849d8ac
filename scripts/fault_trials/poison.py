"""A line that no projection can read: its fund is parked and reported, the others go on, and a newer version heals it.

A gift is recorded as usual, by a version of the program whose read model cannot apply it; and rows that are no lines at
all are put into the logs of other clubs, behind the program's back.
"""

import time
from collections.abc import Sequence
from typing import Any

from eventsourcing.persistence import StoredEvent

from scripts.benchmarks.workshop import opened_ledger
from scripts.fault_trials.altered import POISON
from scripts.fault_trials.books import DAY, FUNDS, found
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.judge import judged
from scripts.fault_trials.programs import Forked
from scripts.fault_trials.service import Service, ask
from scripts.fault_trials.trial import BOTH, Figures, Ground, Row

ROWS = (b"\x00\xff", b'{"type":"FundStolen"}', b"", b'{"type":"DonationReceived","amount":1e999}')
"""What is put into the log of a club each."""
STRICKEN, WELL = FUNDS[0], FUNDS[1:]
PATIENCE_SECONDS = 8.0


def poisoned(ground: Ground, guard: str) -> Figures:
    """Let people record while one fund after another cannot be shown further; and upgrade, if the others go on."""
    url, journal = ground.shop.database(ground.engine), ground.folder() / "journal"
    spoilt = [f"LS-SPOILT-{number}" for number in range(1, ground.size.poisons + 1)]
    token, figures = found(url, (*FUNDS, *spoilt)), Figures(trials=1 + len(spoilt))
    headers = {"Authorization": f"Bearer {token}"}
    with (
        Service(ground.shop, url, guard=guard) as service,
        Crowd([service.port], token, journal, ground.draw, people=4, funds=WELL, pause_seconds=0.05).at_work() as crowd,
    ):
        crowd.wait_for(10)
        gift = {"source": "community", "pot": "activity", "amount": POISON, "on": DAY}
        keyed = headers | {"Idempotency-Key": "poison-0001"}
        given = ask(service.port, "POST", f"/v1/funds/{STRICKEN}/donations", gift, keyed)
        _spoil(url, spoilt)
        crowd.wait_for(20)
        figures.wrong += _parked(service, 1 + len(spoilt))
        figures.wrong += _shown(service, headers, crowd.gift().body.get("position"))
    if given[0] != 201:
        figures.wrong.append(f"the gift is answered {given}")
    if figures.holds:
        figures.wrong += _healed(ground, url, headers, len(spoilt))
    figures.add(judged(url, journal, but=(STRICKEN, *spoilt)))
    return figures


def _shown(service: Service, headers: dict[str, str], position: object) -> list[str]:
    """What is wrong with the figures: those of the others up to this position, and of the stricken fund up to where it
    can be read, which is said."""
    for fund in WELL:
        shown = ask(service.port, "GET", f"/v1/funds/{fund}/balances?min_position={position}", headers=headers)
        if shown[0] != 200 or shown[1].get("parked"):
            return [f"the figures of {fund} stand still: {shown[0]}"]
    shown = ask(service.port, "GET", f"/v1/funds/{STRICKEN}/balances", headers=headers)
    return [] if shown[0] == 200 and shown[1].get("parked") else [f"of the stricken fund is said {shown[:2]}"]


def _spoil(url: str, funds: Sequence[str]) -> None:
    with opened_ledger(url) as ledger:
        for fund, row in zip(funds, ROWS, strict=False):
            ledger.recorder.insert_events(
                [StoredEvent(fund, 1 + ledger.replayed(fund).version, "DonationReceived", row)]
            )


def _parked(service: Service, funds: int) -> list[str]:
    """Wait until so many funds are said to be parked, and nothing else to be wrong."""
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    ready: Any = None
    while time.monotonic() < give_up_at:
        ready = service.ready()
        if ready[0] == 200 and ready[1]["read_model"]["parked"] == funds:
            return []
        time.sleep(0.1)
    return [f"/readyz answers {ready[0]}: {ready[1]['read_model']}"]


def _healed(ground: Ground, url: str, headers: dict[str, str], spoilt: int) -> list[str]:
    """Upgrade to the version that is whole: only what is no line at all stays parked."""
    said = ground.folder() / "said"
    upgrade = Forked(("upgrade", "--lang", "en"), {"MICROFUND_DATABASE": url}, ground.shop.home, said)
    if code := upgrade.ended():
        return [f"the upgrade ends with {code}: {said.read_text('utf-8')}"]
    with Service(ground.shop, url) as service:
        shown = ask(service.port, "GET", f"/v1/funds/{STRICKEN}/balances", headers=headers)
        whole = shown[0] == 200 and not shown[1].get("parked") and shown[1]["cash"] == POISON
        return [*_parked(service, spoilt), *([] if whole else [f"after the upgrade {STRICKEN} shows {shown[:2]}"])]


ROW = Row(
    name="poison",
    fault="a line that no projection can read",
    engines=BOTH,
    trial=lambda ground: poisoned(ground, "every-gift-read"),
    control=lambda ground: poisoned(ground, "poison-parked"),
    without="a read model that parks no fund",
    is_about_storage=False,
)
