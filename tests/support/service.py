"""A service in the test's own process, and a village with something in its books."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
import uvicorn
from fastapi import FastAPI

from ledger.application import Ledger
from ledger.checkpoints import Checkpoints
from service.access.principals import Role, Scope
from service.access.tokens import Principals
from service.app import create_app
from service.checkpoints.anchoring import Anchoring
from service.http.state import AppState
from service.inspection.flag_service import FlagService
from service.settings import Settings
from service.writes.table import WRITES
from tests.support.client import ORIGIN, Running, running
from tests.support.documented import is_documented
from tests.support.keys import key_for

FUND = "LS-CL-MAIPHA"
OTHER_FUND = "LS-VQ-DIEMHE"
NEW_FUND = "LS-VL-TANMY"
NO_SUCH = "LS-NO-SUCH"
OPENED_ON = "2024-01-10"
NAME = "Hoàng Thị Sầm"

BYLAWS: dict[str, Any] = {
    "monthly_rate_ppm": 10_000,
    "interest_method": "reducing",
    "repayment_mode": "equal_principal",
    "max_principal": 10_000_000,
    "max_term_months": 24,
    "min_membership_months": 0,
    "one_open_loan_per_household": False,
    "interest_to_activity_ppm": 300_000,
    "monthly_dues": 10_000,
    "meeting_day": 15,
    "two_person_approval": False,
}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2024, 6, 15, 3, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    def pass_days(self, days: int) -> None:
        self.now += timedelta(days=days)


class House:
    """A running service, seen by one who holds tokens."""

    def __init__(self, app: FastAPI, service: Running, client: httpx2.Client, clock: Clock) -> None:
        self.app = app
        self.service = service
        self.client = client
        self.clock = clock
        self._keys = 0
        self._visit = uuid4().hex
        self.token = self.issue("admin", "treasurer", "chair", "inspector")

    @property
    def state(self) -> AppState:
        state: AppState = self.app.state.own
        return state

    @property
    def principals(self) -> Principals:
        principals: Principals = self.app.state.principals
        return principals

    @property
    def checkpoints(self) -> Checkpoints:
        checkpoints: Checkpoints = self.app.state.checkpoints
        return checkpoints

    @property
    def anchoring(self) -> Anchoring:
        anchoring: Anchoring = self.app.state.anchoring
        return anchoring

    @property
    def flag_service(self) -> FlagService:
        flag_service: FlagService = self.app.state.flag_service
        return flag_service

    def issue(self, *roles: Role, scope: Scope | None = None, members: dict[str, int] | None = None) -> str:
        return self.principals.issue(
            self.clock(),
            name="Ban Chủ nhiệm",
            roles=frozenset(roles),
            scope=scope or Scope(everything=True),
            members=members or {},
        )

    def headers(self, token: str | None = None, **headers: str) -> dict[str, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return {"Authorization": f"Bearer {token or self.token}", **named}

    def key(self) -> str:
        self._keys += 1
        return f"{self._visit}-{self._keys:06}"

    def post(
        self, path: str, body: Any = None, token: str | None = None, key: str | None = None, **headers: str
    ) -> Any:
        headers = self.headers(token, **headers)
        return self.client.post(
            f"/v1{path}", json=body or {}, headers={"Idempotency-Key": key or self.key(), **headers}
        )

    def get(self, path: str, token: str | None = None, **headers: str) -> Any:
        return self.client.get(f"/v1{path}", headers=self.headers(token, **headers))

    def recorded(self, path: str, body: Any = None, **how: Any) -> Any:
        answer = self.post(path, body, **how)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def entries(self) -> int:
        """How many events the whole log holds."""
        return self.state.ledger.recorder.max_notification_id() or 0


@contextmanager
def house(database_url: str, **settings: Any) -> Iterator[House]:
    """A service on a database, until the end of the block."""
    clock = Clock()
    if (file := database_url.removeprefix("sqlite:///")) != database_url:
        settings.setdefault("checkpoint_key", f"{file}.pem")
    settings.setdefault("register_key", str(key_for(database_url)))
    if not _is_made(database_url):  # A service makes no database.
        Ledger(database_url).close()
    app = create_app(Settings(database=database_url, **settings), now=clock)
    with (
        running(app) as service,
        httpx2.Client(
            transport=service,
            base_url=ORIGIN,
            follow_redirects=True,
            event_hooks={"response": [is_documented]},
        ) as client,
    ):
        yield House(app, service, client, clock)


@contextmanager
def served(house: House) -> Iterator[str]:
    """The house's own service, where a browser reaches it; its origin, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Without a `log_config` it leaves the loggers of this process as they are, for the tests that come after.
    server = uvicorn.Server(uvicorn.Config(house.app, "127.0.0.1", port, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _is_made(database_url: str) -> bool:
    if database_url.startswith("sqlite:///"):
        return Path(database_url.removeprefix("sqlite:///")).exists()
    with psycopg.connect(database_url) as database:
        return database.execute("SELECT to_regclass('settings') IS NOT NULL").fetchone() == (True,)


def opening(fund: str = FUND, **changes: Any) -> dict[str, Any]:
    return {
        "fund": fund,
        "club": "Câu lạc bộ Mai Pha",
        "commune": "Mai Pha",
        "district": "Lạng Sơn",
        "province": "Lạng Sơn",
        "founded_on": OPENED_ON,
        "on": OPENED_ON,
        "bylaws": BYLAWS,
    } | changes


def settle_in(house: House, fund: str = FUND, **place: str) -> None:
    """A fund with two members, money in both pots, and a loan in each state: 1 running, 2 approved, 3 requested,
    4 written off."""
    house.recorded("/funds", opening(fund, **place))
    at = f"/funds/{fund}"
    member = {"sex": "female", "birth_year": 1955, "poverty": "near_poor", "on": OPENED_ON}
    house.recorded(f"{at}/members", member | {"name": NAME, "phone": "0912 345 678", "household": "H1"})
    house.recorded(f"{at}/members", member | {"name": "Nông Văn Tài", "sex": "male", "household": 2})
    for pot in ("revolving", "activity"):
        house.recorded(f"{at}/donations", {"source": "business", "pot": pot, "amount": 50_000_000, "on": OPENED_ON})
    loan = {"member": 1, "principal": 5_000_000, "term_months": 12, "purpose": "livestock", "on": "2024-02-15"}
    for _ in range(3):
        house.recorded(f"{at}/loans", loan)
    for number in (1, 2):
        house.recorded(f"{at}/loans/{number}/approval", {"on": "2024-02-15"})
    house.recorded(f"{at}/loans/1/disbursement", {"on": "2024-02-15"})
    house.recorded(f"{at}/contributions", {"member": 1, "kind": "dues", "amount": 10_000, "on": "2024-03-15"})
    house.recorded(f"{at}/contributions", {"member": 1, "kind": "savings", "amount": 300_000, "on": "2024-03-15"})
    house.recorded(f"{at}/advances", {"source": "community", "amount": 1_000_000, "on": "2024-03-15"})
    house.recorded(f"{at}/loans", loan)
    house.recorded(f"{at}/loans/4/approval", {"on": "2024-02-15"})
    house.recorded(f"{at}/loans/4/disbursement", {"on": "2024-02-15"})
    house.recorded(f"{at}/loans/4/write-off", {"on": "2024-03-15", "reason": "Họp đã biểu quyết"})
    house.recorded(f"{at}/periods", {"through": "2024-01-31"})


def found_anew(house: House) -> None:
    """A fund with a member, another who left, a meeting, and no money yet."""
    house.recorded("/funds", opening(NEW_FUND))
    member = {"sex": "male", "birth_year": 1950, "poverty": "none", "on": OPENED_ON}
    for _ in range(2):
        house.recorded(f"/funds/{NEW_FUND}/members", member)
    house.recorded(f"/funds/{NEW_FUND}/members/2/departure", {"reason": "moved", "on": "2024-03-15"})
    house.recorded(f"/funds/{NEW_FUND}/meetings", {"held_on": "2024-04-15", "present": [1], "lines": []})


CONTRIBUTION_VERSION = 13
"""The version of the dues in `settle_in`."""

MEETING_VERSION = 6
"""The version of the meeting in `found_anew`."""

SOUND: dict[str, dict[str, Any]] = {
    "/funds": opening("LS-LB-MAUSON"),
    "/funds/{fund}/bylaws": BYLAWS | {"on": "2024-05-01"},
    "/funds/{fund}/place": {"commune": "phường Đông Kinh", "province": "Lạng Sơn", "on": "2024-05-15"},
    "/funds/{fund}/members": {"sex": "male", "birth_year": 1960, "poverty": "none", "on": "2024-05-15"},
    "/funds/{fund}/members/{member}/changes": {"poverty": "poor", "on": "2024-05-15"},
    "/funds/{fund}/members/{member}/departure": {"reason": "moved", "on": "2024-05-15"},
    "/funds/{fund}/members/{member}/return": {"on": "2024-05-15"},
    "/funds/{fund}/members/{member}/forgiven-dues": {"months": ["2024-03"], "reason": "Ốm", "on": "2024-05-15"},
    "/funds/{fund}/contributions": {"member": 1, "kind": "dues", "amount": 10_000, "on": "2024-05-15"},
    "/funds/{fund}/donations": {"source": "business", "pot": "activity", "amount": 500_000, "on": "2024-05-15"},
    "/funds/{fund}/in-kind-donations": {
        "source": "state_budget",
        "items": [{"what": "loa kéo", "quantity": 2, "unit": "bộ", "value": 12_000_000}],
        "on": "2024-05-15",
    },
    "/funds/{fund}/expenses": {"activity": "culture", "amount": 300_000, "on": "2024-05-15"},
    "/funds/{fund}/loans": {
        "member": 2,
        "principal": 2_000_000,
        "term_months": 6,
        "purpose": "crops",
        "on": "2024-05-15",
    },
    "/funds/{fund}/loans/{loan}/approval": {"on": "2024-05-15"},
    "/funds/{fund}/loans/{loan}/rejection": {"on": "2024-05-15", "reason": "Chờ đợt sau"},
    "/funds/{fund}/loans/{loan}/disbursement": {"on": "2024-05-15"},
    "/funds/{fund}/loans/{loan}/repayments": {"amount": 470_000, "on": "2024-05-15"},
    "/funds/{fund}/loans/{loan}/set-off": {"amount": 100_000, "on": "2024-05-15"},
    "/funds/{fund}/loans/{loan}/waiver": {"amount": 50_000, "reason": "Nhà bị lũ", "on": "2024-05-15"},
    "/funds/{fund}/meetings/{version}/reversal": {"reason": "wrong_date"},
    "/funds/{fund}/meetings/{version}/attendance": {"present": [1], "reason": "Ghi nhầm"},
    "/funds/{fund}/entries/{version}/reversal": {"reason": "wrong_amount", "on": "2024-05-15"},
    "/funds/{fund}/withdrawals": {"member": 1, "amount": 100_000, "on": "2024-05-15"},
    "/funds/{fund}/incomes": {"kind": "collective", "pot": "activity", "amount": 450_000, "on": "2024-05-15"},
    "/funds/{fund}/pot-transfers": {"from": "activity", "to": "revolving", "amount": 200_000, "on": "2024-05-15"},
    "/funds/{fund}/bank-movements": {
        "direction": "deposit",
        "pot": "revolving",
        "amount": 5_000_000,
        "on": "2024-05-15",
    },
    "/funds/{fund}/advances": {"source": "mass_org", "lender": NAME, "amount": 2_000_000, "on": "2024-05-15"},
    "/funds/{fund}/advances/{advance}/repayments": {"amount": 400_000, "on": "2024-05-15"},
    "/funds/{fund}/loans/{loan}/rescheduling": {"term_months": 6, "reason": "Mất mùa", "on": "2024-05-15"},
    "/funds/{fund}/loans/{loan}/write-off": {"reason": "Họp đã biểu quyết", "on": "2024-05-15"},
    "/funds/{fund}/loans/{loan}/recoveries": {"amount": 100_000, "on": "2024-05-15"},
    "/funds/{fund}/cash-counts": {
        "notes": {"500000": 180, "100000": 3},
        "reason": "periodic",
        "witnesses": [2],
        "on": "2024-05-15",
    },
    "/funds/{fund}/periods": {"through": "2024-02-29", "on": "2024-05-15"},
    "/funds/{fund}/periods/reopening": {"from": "2024-01-15", "reason": "Tìm thấy phiếu chi", "on": "2024-05-15"},
    "/funds/{fund}/offices": {"member": 2, "office": "treasurer", "on": "2024-05-15"},
    "/funds/{fund}/opening-balances": {
        "pots": {"revolving": {"cash": 4_000_000, "bank": 0}, "activity": {"cash": 900_000}},
        "savings": [{"member": 1, "amount": 200_000}],
        "on": OPENED_ON,
    },
    "/funds/{fund}/inspections": {"kind": "sample", "finding": "Sổ khớp", "on": "2024-05-15"},
    "/funds/{fund}/activities": {"area": "health", "participants": 2, "volunteers": 1, "on": "2024-05-15"},
    "/funds/{fund}/mutual-help": {
        "kind": "labour",
        "quantity": 3,
        "unit": "công",
        "people": 1,
        "worth": 600_000,
        "on": "2024-05-15",
    },
    "/funds/{fund}/dissolution": {"document": "03/QĐ-UBND", "on": "2024-05-15"},
}
"""A body for each write that a fund as `settle_in` leaves it accepts."""

LOANS = {"approval": 3, "rejection": 3, "disbursement": 2, "repayments": 1, "recoveries": 4}
BEFORE_MONEY = ("/opening-balances", "/dissolution", "/return", "/meetings/{version}/reversal", "/attendance")
"""How writes end that only a fund as `found_anew` leaves it accepts."""


def path_of(template: str, fund: str | None = None) -> str:
    """The address of a write in a fund that accepts it."""
    last = template.rpartition("/")[2]
    fund = fund or (NEW_FUND if template.endswith(BEFORE_MONEY) else FUND)
    version = MEETING_VERSION if "/meetings/" in template else CONTRIBUTION_VERSION
    return template.format(fund=fund, member=2, loan=LOANS.get(last, 1), version=version, advance=1)


OF_OLD_BOOKS = "/funds/{fund}/opening-balances/corrections"
"""Only what was taken over is put right: neither of the two funds has an old book."""

ALL_WRITES = [write.path for write in WRITES if write.path != OF_OLD_BOOKS]
