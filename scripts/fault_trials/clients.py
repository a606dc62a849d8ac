"""A treasurer works while others send nothing, a byte a second, headers of 10 MB, and wrong codes without end; behind
nginx as `deploy/` sets it."""

import subprocess
import sys
import time
from contextlib import ExitStack
from functools import partial
from http.client import HTTPConnection, HTTPSConnection

import msgspec

from scripts.benchmarks.load import percentile
from scripts.fault_trials.books import found
from scripts.fault_trials.crowd import Connect, Crowd
from scripts.fault_trials.front import Front
from scripts.fault_trials.judge import judged
from scripts.fault_trials.nuisance import Suffered
from scripts.fault_trials.service import Service
from scripts.fault_trials.trial import FILE_ONLY, Figures, Ground, Row, needs

ALONE_SECONDS, TOGETHER_SECONDS = 4.0, 14.0
"""nginx gives a request's head 10 s to come; later than that, nobody who has sent none should be connected."""
UNNOTICED_SECONDS = 0.25
"""What a person who waits for an answer does not notice, however soon it comes otherwise."""
MOST_TIMES_SLOWER = 3


def bothered(ground: Ground, rounds: int, *, behind_nginx: bool = True) -> Figures:
    """A treasurer records alone, and then with all of them there; so often."""
    needs("nginx")
    needs("openssl")
    url, home = ground.shop.database(ground.engine), ground.folder()
    token, figures = found(url), Figures(trials=rounds)
    alone, together = list[float](), list[float]()
    with Service(ground.shop, url, MICROFUND_PROXIES="127.0.0.1") as service, ExitStack() as running:
        front = Front(home, [service.port, service.port]) if behind_nginx else None
        port: int = service.port
        connect: Connect = HTTPConnection
        if front:
            running.callback(front.kill)
            port, connect = front.port, partial(HTTPSConnection, context=front.trusting)
        treasurer = Crowd([port], token, home / "journal", ground.draw, people=1, pause_seconds=0.01, connect=connect)
        with treasurer.at_work():
            treasurer.wait_for(20)
            for _ in range(rounds):
                before = len(treasurer.taken)
                time.sleep(ALONE_SECONDS)
                alone += treasurer.taken[before:]
                before = len(treasurer.taken)
                suffered = _nuisance(port, front)
                together += treasurer.taken[before:]
                figures.wrong += _wrong_in(suffered)
    strange = {status: count for status, count in treasurer.statuses.items() if status not in (201, 422)}
    figures.wrong += [f"the treasurer is answered {strange}"] if strange else []
    usual, then = percentile(alone, 99), percentile(together, 99)
    if then > max(MOST_TIMES_SLOWER * usual, UNNOTICED_SECONDS):
        figures.wrong.append(f"99 of 100 answers within {usual * 1000:.0f} ms, and then {then * 1000:.0f} ms")
    figures.add(judged(url, home / "journal"))
    figures.more = {"p99 alone, ms": usual * 1000, "p99 among them, ms": then * 1000, "times": then / usual}
    return figures


def _nuisance(port: int, front: Front | None) -> Suffered:
    words = [str(port), str(TOGETHER_SECONDS), *([str(front.certificate)] if front else [])]
    command = [sys.executable, "-m", "scripts.fault_trials.nuisance", *words]
    said = subprocess.run(command, check=True, capture_output=True, timeout=TOGETHER_SECONDS + 60).stdout
    return msgspec.json.decode(said, type=Suffered)


def _wrong_in(suffered: Suffered) -> list[str]:
    """What they got away with."""
    wrong = []
    if suffered.still_open:
        wrong.append(f"{suffered.still_open} silent or slow sockets are open after {TOGETHER_SECONDS:.0f} s")
    if reached := {status: count for status, count in suffered.huge_headers.items() if status not in (0, 400, 431)}:
        wrong.append(f"headers of 10 MB are answered {reached}")
    if failed := {status: count for status, count in suffered.wrong_codes.items() if status >= 500 or not status}:
        wrong.append(f"wrong codes are answered {failed}")
    return wrong


ROW = Row(
    name="clients",
    fault="500 silent sockets, a byte a second, 10 MB headers, 1,000 wrong codes a minute",
    engines=FILE_ONLY,
    trial=lambda ground: bothered(ground, ground.size.rounds_of_clients),
    control=lambda ground: bothered(ground, 1, behind_nginx=False),
    without="no nginx before the service",
)
