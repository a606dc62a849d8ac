"""Three copies of the service on one PostgreSQL: one is killed, another stands still for a while and goes on."""

import time
from contextlib import ExitStack
from typing import Any

from scripts.benchmarks.workshop import opened_ledger
from scripts.fault_trials.books import FUNDS, found
from scripts.fault_trials.crowd import Crowd, spending
from scripts.fault_trials.judge import judged
from scripts.fault_trials.service import Service, ask
from scripts.fault_trials.trial import SERVER_ONLY, Figures, Ground, Row

PATIENCE_SECONDS = 3.0
"""How long people wait for an answer before they ask another copy."""
CATCHING_UP_SECONDS = 30.0
"""How long after the last entry a copy may say that its figures are not there yet."""


def shared(ground: Ground, frozen_seconds: float, *, new_key_each_try: bool = False) -> Figures:
    """Let people record at all three, on boxes that are empty half of the time."""
    url, journal = ground.shop.database(ground.engine), ground.folder() / "journal"
    token, figures = found(url), Figures(trials=2)
    with ExitStack() as running:
        copies = [running.enter_context(Service(ground.shop, url)) for _ in range(3)]
        crowd = Crowd(
            [copy.port for copy in copies],
            token,
            journal,
            ground.draw,
            people=12,
            acting=spending,
            patience_seconds=PATIENCE_SECONDS,
            new_key_each_try=new_key_each_try,
        )
        with crowd.at_work():
            crowd.wait_for(60)
            copies[0].kill()
            figures.first_good_writes.append(crowd.first_good_write(time.monotonic()))
            crowd.wait_for(30)
            copies[0].start()
            copies[1].freeze()
            still_until = time.monotonic() + frozen_seconds
            figures.first_good_writes.append(crowd.first_good_write(time.monotonic()))
            time.sleep(max(still_until - time.monotonic(), 0))
            copies[1].thaw()
            copies[0].until_ready()
            crowd.wait_for(60)
        strange = {status: count for status, count in crowd.statuses.items() if status not in (0, 201, 422, 503)}
        figures.wrong += [f"answers {strange}"] if strange else []
        figures.wrong += behind(url, token, copies)
    figures.add(judged(url, journal))
    return figures


def behind(url: str, token: str, copies: list[Service]) -> list[str]:
    """Which copies do not show what the log holds at its end."""
    with opened_ledger(url) as ledger:
        versions = {fund: ledger.replayed(fund).version for fund in FUNDS}
        last = ledger.recorder.max_notification_id()
    headers, wrong, until = {"Authorization": f"Bearer {token}"}, [], time.monotonic() + CATCHING_UP_SECONDS

    def balances(copy: Service, fund: str) -> Any:
        while True:
            told = ask(copy.port, "GET", f"/v1/funds/{fund}/balances?min_position={last}", headers=headers)[:2]
            if told[0] != 503 or time.monotonic() > until:
                return told

    for fund, version in versions.items():
        shown = [balances(copy, fund) for copy in copies]
        if any(each != shown[0] for each in shown) or shown[0][0] != 200 or shown[0][1]["version"] != version:
            wrong.append(f"of {fund} at {version} the copies show {shown}")
    return wrong


ROW = Row(
    name="copies",
    fault="of three copies on one database, one is killed, one frozen",
    engines=SERVER_ONLY,
    trial=lambda ground: shared(ground, ground.size.frozen_seconds),
    control=lambda ground: shared(ground, 2 * PATIENCE_SECONDS, new_key_each_try=True),
    without="a new key at each try",
)
