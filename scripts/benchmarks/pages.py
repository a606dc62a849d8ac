"""People's phones: what their log-in by cookie costs beside a program's token, and how soon the pages they ask for most
are answered, on a province's books."""

import json
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import UTC, datetime
from http.client import HTTPConnection

from scripts.benchmarks.histories import UNTIL
from scripts.benchmarks.load import KEY, Load, Outcome, ask
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import province, province_codes, token_for
from scripts.benchmarks.workshop import ENGINES, Engine, Program, Workshop, opened_ledger, read_model_of
from service.access.operator import Operator
from service.access.principals import Scope
from service.access.sessions import COOKIE

SECTION = "pages"
CONNECTIONS = 8
MOST_MS = 50
"""What a page may take at the service, p99, asked for by one phone."""
GIFT = f'{{"source":"business","pot":"revolving","amount":5000000,"on":"{UNTIL}"}}'


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Ask and record with a token and with a cookie in turn, then look at pages."""
    for engine in ENGINES[: scale.engines]:
        url = province(shop, scale, engine)
        with opened_ledger(url) as ledger:
            read_model = read_model_of(ledger)
            read_model.create_tables()
            read_model.catch_up()
            operator = Operator(ledger, lambda: datetime.now(UTC))
            person = operator.admit("Bench", frozenset({"chair"}), Scope(everything=True), {})
            code = operator.invite(person).code
        token = token_for(url)
        with shop.service(url) as service:
            doors = {
                "token": {"Authorization": f"Bearer {token}"},
                "cookie": {"Cookie": f"{COOKIE}={_accepted(service, code)}", "Sec-Fetch-Site": "same-origin"},
            }
            _compare(service, scale, report, engine, doors)
            _look(service, scale, report, engine, doors["cookie"])


def _accepted(service: Program, code: str) -> str:
    """Open a phone with an invitation; answers what its cookie holds."""
    with closing(HTTPConnection("127.0.0.1", service.port)) as asking:
        headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
        asking.request("POST", "/v1/invitations/accept", json.dumps({"code": code}), headers)
        cookie: str = asking.getresponse().headers["Set-Cookie"]
    return cookie.partition(";")[0].partition("=")[2]


def _compare(
    service: Program, scale: Scale, report: Report, engine: Engine, doors: Mapping[str, Mapping[str, str]]
) -> None:
    codes, rounds = province_codes(), 3 * scale.rounds

    def read(headers: Mapping[str, str], _: str) -> Outcome:
        paths = [f"/v1/funds/{code}/balances?as_of={UNTIL}" for code in codes]
        return ask(
            Load(port=service.port, connections=CONNECTIONS, seconds=seconds, paths=paths, headers=dict(headers))
        )

    def post(headers: Mapping[str, str], prefix: str) -> Outcome:
        return ask(
            Load(
                port=service.port,
                connections=CONNECTIONS,
                seconds=seconds,
                method="POST",
                paths=[f"/v1/funds/{code}/donations" for code in codes],
                bodies=(GIFT,),
                headers={**headers, "Content-Type": "application/json", "Idempotency-Key": KEY},
                key_prefix=prefix,
                expects=201,
            )
        )

    kinds: dict[str, Callable[[Mapping[str, str], str], Outcome]] = {"reads": read, "posts": post}
    for kind, ask_once in kinds.items():
        rates: dict[str, list[float]] = {name: [] for name in doors}
        for round_ in range(rounds + 1):
            seconds = scale.round_seconds / 2 if round_ else scale.warm_up_seconds
            for name in sorted(doors, reverse=bool(round_ % 2)):
                outcome = ask_once(doors[name], f"{name}{round_}x")
                report.refused(f"{kind} by {name}", outcome.unexpected)
                if round_:
                    rates[name].append(outcome.rate)
        ratios = [ours / theirs for ours, theirs in zip(rates["cookie"], rates["token"], strict=True)]
        report.ratio(SECTION, f"{kind} by cookie ÷ by token, {engine}", ratios, 0.97)


def _look(service: Program, scale: Scale, report: Report, engine: Engine, headers: Mapping[str, str]) -> None:
    pages = {
        "home": "/clubs/{code}",
        "passbook": "/clubs/{code}/members/1",
        "sheet's shell": "/clubs/{code}/meeting",
        "sheet": f"/v1/funds/{{code}}/sheet?on={UNTIL}",
    }
    for name, path in pages.items():
        paths = [path.format(code=code) for code in province_codes()]
        looking = Load(port=service.port, connections=1, seconds=scale.read_seconds, paths=paths, headers=dict(headers))
        ask(looking)
        outcome = ask(looking)
        report.refused(name, outcome.unexpected)
        report.figure(
            SECTION, name, engine=engine,
            rate=outcome.rate, unit="pages", p50_ms=outcome.p50_ms, p99_ms=outcome.p99_ms, pages=outcome.answered,
        )  # fmt: skip
        report.ratio(SECTION, f"p99 in ms of the {name}, {engine}", [outcome.p99_ms], MOST_MS, "at most")
