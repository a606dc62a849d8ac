"""The service is killed at any moment while sixteen people record, and started again."""

import time
from statistics import median

from scripts.fault_trials.books import found
from scripts.fault_trials.crowd import Crowd
from scripts.fault_trials.judge import judged
from scripts.fault_trials.service import Service, seconds_of_an_interpreter
from scripts.fault_trials.trial import BOTH, Figures, Ground, Row


def killed(ground: Ground, kills: int, *, new_key_each_try: bool = False) -> Figures:
    """Kill the service so often; people ask again under the same key, or under a new one."""
    url, journal = ground.shop.database(ground.engine), ground.folder() / "journal"
    token, figures = found(url), Figures()
    service = Service(ground.shop, url, anew=True)
    with service:
        crowd = Crowd([service.port], token, journal, ground.draw, new_key_each_try=new_key_each_try)
        with crowd.at_work():
            for _ in range(kills):
                crowd.wait_for(ground.draw.randrange(20, 250))
                time.sleep(ground.draw.uniform(0, 0.02))  # Somewhere within the next batches.
                service.kill()
                again = time.monotonic()
                service.start()
                figures.first_good_writes.append(crowd.first_good_write(again))
            crowd.wait_for(20)
    figures.add(judged(url, journal))
    figures.trials = kills
    figures.more["starts of an interpreter that a restart takes"] = round(
        median(figures.first_good_writes) / seconds_of_an_interpreter()
    )
    return figures


ROW = Row(
    name="kill",
    fault="kill -9 of the service under 16 clients",
    engines=BOTH,
    trial=lambda ground: killed(ground, ground.size.kills),
    control=lambda ground: killed(ground, max(ground.size.kills // 2, 2), new_key_each_try=True),
    without="a new key at each try",
)
