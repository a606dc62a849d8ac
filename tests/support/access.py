"""Who may what, by the contract: a row for every route of the API's document, and how each is asked without a trace."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from service.access.principals import Role, Scope
from tests.support.people import Caller, accepted, admitted, cookie_of
from tests.support.service import FUND, NO_SUCH, OTHER_FUND, SOUND, House

BOARD: Final[frozenset[Role]] = frozenset({"treasurer", "chair"})
CHAIR: Final[frozenset[Role]] = frozenset({"chair"})
PEOPLE: Final[frozenset[Role]] = BOARD | {"inspector"}
FIGURES: Final[frozenset[Role]] = PEOPLE | {"reporter", "admin"}
MEMBER: Final[frozenset[Role]] = frozenset({"member"})
ANYBODY: Final[frozenset[Role]] = FIGURES | MEMBER
GIVERS: Final[frozenset[Role]] = frozenset({"admin", "chair"})
DIRECTORY: Final[frozenset[Role]] = GIVERS | {"inspector"}

Route = tuple[str, str]

MAY: dict[tuple[str, str], frozenset[Role]] = {
    ("get", "/v1/funds"): FIGURES,
    ("get", "/v1/borrowing"): FIGURES,
    ("get", "/v1/feed"): PEOPLE,
    ("get", "/v1/sample"): frozenset({"inspector"}),
    ("get", "/v1/funds/{fund}"): FIGURES | MEMBER,
    ("get", "/v1/funds/{fund}/balances"): FIGURES,
    ("get", "/v1/funds/{fund}/trial-balance"): FIGURES,
    ("get", "/v1/funds/{fund}/borrowing"): FIGURES,
    ("get", "/v1/funds/{fund}/members"): PEOPLE,
    ("get", "/v1/funds/{fund}/members/{member}"): PEOPLE | MEMBER,
    ("get", "/v1/funds/{fund}/members/{member}/person"): PEOPLE | MEMBER,  # All of them are that member.
    ("get", "/v1/funds/{fund}/readers"): DIRECTORY,
    ("get", "/v1/funds/{fund}/loans"): FIGURES,
    ("get", "/v1/funds/{fund}/loans/{loan}"): FIGURES,
    ("get", "/v1/funds/{fund}/entries"): PEOPLE,
    ("get", "/v1/funds/{fund}/entries/{version}"): PEOPLE,
    ("get", "/v1/funds/{fund}/diff"): PEOPLE,
    ("get", "/v1/funds/{fund}/cash-book"): FIGURES,
    ("get", "/v1/funds/{fund}/history"): PEOPLE,
    ("get", "/v1/funds/{fund}/verification"): FIGURES | MEMBER,
    ("get", "/v1/funds/{fund}/sheet"): PEOPLE,
    ("get", "/v1/funds/{fund}/dues"): PEOPLE,
    ("get", "/v1/funds/{fund}/cash-counts"): FIGURES,
    ("get", "/v1/funds/{fund}/sample"): PEOPLE,
    ("get", "/v1/funds/{fund}/flags"): PEOPLE,
    ("get", "/v1/flags"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/vouchers/{voucher}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/cash-book"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/loan-book"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/members/{member}"): PEOPLE | MEMBER,
    ("get", "/v1/funds/{fund}/papers/cash-counts/{version}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/in-kind-donations/{version}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/pot-transfers/{version}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/reversals/{version}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/write-offs/{version}"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/loans/{loan}/request"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/loans/{loan}/note"): PEOPLE,
    ("get", "/v1/funds/{fund}/papers/meeting-sheet"): PEOPLE,
    ("delete", "/v1/funds/{fund}/members/{member}/person"): frozenset({"chair", "admin"}),
    ("get", "/v1/checkpoints"): FIGURES,
    ("get", "/v1/checkpoints/key"): FIGURES,
    ("get", "/v1/checkpoints/{number}"): FIGURES,
    ("get", "/v1/checkpoints/{number}/consistency"): FIGURES,
    ("get", "/v1/funds/{fund}/checkpoints/{number}"): FIGURES,
    ("post", "/v1/checkpoints"): frozenset({"admin", "inspector"}),
    ("post", "/v1/funds"): frozenset(),
    ("post", "/v1/funds/{fund}/bylaws"): CHAIR,
    ("post", "/v1/funds/{fund}/members"): BOARD,
    ("post", "/v1/funds/{fund}/place"): frozenset({"admin"}),
    ("post", "/v1/funds/{fund}/members/{member}/changes"): BOARD,
    ("post", "/v1/funds/{fund}/members/{member}/departure"): BOARD,
    ("post", "/v1/funds/{fund}/members/{member}/return"): BOARD,
    ("post", "/v1/funds/{fund}/members/{member}/forgiven-dues"): CHAIR,
    ("post", "/v1/funds/{fund}/contributions"): BOARD,
    ("post", "/v1/funds/{fund}/donations"): BOARD,
    ("post", "/v1/funds/{fund}/in-kind-donations"): BOARD,
    ("post", "/v1/funds/{fund}/expenses"): BOARD,
    ("post", "/v1/funds/{fund}/loans"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/approval"): CHAIR,
    ("post", "/v1/funds/{fund}/loans/{loan}/rejection"): CHAIR,
    ("post", "/v1/funds/{fund}/loans/{loan}/disbursement"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/repayments"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/set-off"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/waiver"): CHAIR,
    ("post", "/v1/funds/{fund}/meetings/{version}/reversal"): BOARD,
    ("post", "/v1/funds/{fund}/meetings/{version}/attendance"): BOARD,
    ("post", "/v1/funds/{fund}/entries/{version}/reversal"): BOARD,
    ("post", "/v1/funds/{fund}/withdrawals"): BOARD,
    ("post", "/v1/funds/{fund}/incomes"): BOARD,
    ("post", "/v1/funds/{fund}/pot-transfers"): BOARD,
    ("post", "/v1/funds/{fund}/bank-movements"): BOARD,
    ("post", "/v1/funds/{fund}/advances"): BOARD,
    ("post", "/v1/funds/{fund}/advances/{advance}/repayments"): BOARD,
    ("post", "/v1/funds/{fund}/loans/{loan}/rescheduling"): CHAIR,
    ("post", "/v1/funds/{fund}/loans/{loan}/write-off"): CHAIR,
    ("post", "/v1/funds/{fund}/loans/{loan}/recoveries"): BOARD,
    ("post", "/v1/funds/{fund}/cash-counts"): PEOPLE,
    ("post", "/v1/funds/{fund}/periods"): CHAIR,
    ("post", "/v1/funds/{fund}/periods/reopening"): CHAIR,
    ("post", "/v1/funds/{fund}/offices"): BOARD,
    ("post", "/v1/funds/{fund}/opening-balances"): BOARD,
    ("post", "/v1/funds/{fund}/opening-balances/corrections"): BOARD,
    ("post", "/v1/funds/{fund}/inspections"): frozenset({"inspector"}),
    ("post", "/v1/funds/{fund}/activities"): BOARD,
    ("post", "/v1/funds/{fund}/mutual-help"): BOARD,
    ("post", "/v1/funds/{fund}/dissolution"): CHAIR,
    ("post", "/v1/funds/{fund}/meetings"): BOARD,
    ("post", "/v1/people"): GIVERS,
    ("get", "/v1/people"): DIRECTORY,
    ("get", "/v1/people/log"): DIRECTORY,
    ("get", "/v1/people/{person}"): DIRECTORY,
    ("get", "/v1/people/{person}/phones"): DIRECTORY,
    ("post", "/v1/people/{person}/changes"): GIVERS,
    ("post", "/v1/people/{person}/revocation"): GIVERS,
    ("post", "/v1/people/{person}/invitations"): GIVERS,
    ("post", "/v1/people/{person}/pin-reset"): CHAIR,
    ("delete", "/v1/people/{person}/person"): GIVERS,
    ("delete", "/v1/phones/{phone}"): GIVERS,
    ("get", "/v1/plans"): FIGURES,
    ("get", "/v1/plans/{plan}"): FIGURES,
    ("get", "/v1/plans/{plan}/spending"): FIGURES,
    # Whoever has to do with one club only does not spend for a province.
    ("post", "/v1/plans/{plan}/spending"): frozenset(),
    ("post", "/v1/plans/{plan}/spending/{version}/reversal"): frozenset(),
    ("get", "/v1/report"): FIGURES,
    ("get", "/v1/report/rows"): FIGURES,
    ("get", "/v1/reports"): FIGURES,
    ("post", "/v1/reports"): frozenset({"reporter", "admin"}),
    ("get", "/v1/reports/{report}"): FIGURES,
    ("get", "/v1/reports/{report}/restatement"): FIGURES,
    ("get", "/v1/session"): ANYBODY,
    ("delete", "/v1/session"): ANYBODY,
    ("put", "/v1/session/pin"): ANYBODY,
}
"""Who may, by the contract; a route that is not listed here fails the first claim of the matrix."""

AT_THE_DOOR: Final[dict[Route, frozenset[Role]]] = {
    ("post", "/v1/funds"): frozenset({"admin"}),
    ("post", "/v1/people/{person}/pin-reset"): GIVERS,
    ("delete", "/v1/people/{person}/person"): ANYBODY,
    ("delete", "/v1/phones/{phone}"): ANYBODY,
}
"""Where more roles are let in than may, since it depends on whom it is about: on the place of the new fund, on the role
of the person, on who it is, on whose phone it is."""

CHECKPOINT: Final = ("post", "/v1/checkpoints")
"""Records nothing in any fund, and so has no dry run."""
PLAN: Final = "VN-LS-47-2022"
MEETING: Final = {"held_on": "2024-05-15", "present": [1, 2], "lines": []}
BODIES: Final[dict[str, Any]] = {
    "/v1/people/{person}/changes": {"name": "Vi Thị Lan"},
    "/v1/funds/{fund}/meetings": MEETING,
    "/v1/plans/{plan}/spending": {"line": "training", "amount": 9_000_000, "document": "214/QĐ-SLĐTBXH"},
    "/v1/plans/{plan}/spending/{version}/reversal": {"reason": "Ghi nhầm"},
    "/v1/reports": {"plan": PLAN, "preset": "half-1", "year": 2024},
}

CLUBS: Final = ("own", "other", "none")
FUND_OF: Final = {"own": FUND, "other": OTHER_FUND, "none": NO_SUCH}
CREDENTIALS: Final = ("bearer", "cookie", "nothing")

NOT_FOUND: Final = frozenset({"fund-not-found", "person-not-found", "phone-not-found"})
"""What is answered about another club and about none; anything else that is not there is missed after letting in."""


class Case(NamedTuple):
    """Who asks for what, about which club, and by what they are known."""

    route: Route
    role: Role
    club: str
    credential: str

    @property
    def expected(self) -> str:
        """What they are answered, by the contract."""
        if self.credential == "nothing":
            return "unauthorized"
        if self.role not in AT_THE_DOOR.get(self.route, MAY[self.route]):
            return "forbidden"
        if self.club != "own":
            return "not found"
        return "admitted" if self.role in MAY[self.route] else "forbidden"


def cases(route: Route) -> list[Case]:
    """Every role × own, other and no club × bearer, cookie and nothing; what names no club is asked about the own."""
    clubs = CLUBS if names_a_club(route) else ("own",)
    return [Case(route, role, club, by) for role in sorted(ANYBODY) for club in clubs for by in CREDENTIALS]


def names_a_club(route: Route) -> bool:
    """Whether a route is about a club, or about somebody or something of one."""
    return route == ("post", "/v1/people") or any(name in route[1] for name in ("{fund}", "{person}", "{phone}"))


class Callers:
    """For each role a token and a phone, all of the one club; and in each of the two clubs a treasurer to ask about."""

    def __init__(self, house: House) -> None:
        self.house = house
        scope, members = Scope(funds=(FUND,)), {FUND: 1}
        self.tokens = {role: house.issue(role, scope=scope, members=members) for role in ANYBODY}
        self.persons = {role: admitted(house, role, members=members) for role in ANYBODY}
        self.phones = {role: self.phone_of(self.persons[role]) for role in ANYBODY}
        self.about = {
            "own": admitted(house, "treasurer"),
            "other": admitted(house, "treasurer", scope={"funds": [OTHER_FUND]}),
            "none": "p000000000000",
        }

    def phone_of(self, person: str) -> Caller:
        answer = accepted(self.house, str(self.house.recorded(f"/people/{person}/invitations")["code"]))
        return Caller(self.house, person, cookie_of(answer))

    def headers(self, case: Case) -> dict[str, str]:
        """What makes them known."""
        if case.credential == "nothing":
            return {}
        if case.credential == "bearer":
            return {"Authorization": f"Bearer {self.tokens[case.role]}"}
        is_spent = case.route == ("delete", "/v1/session")
        phone = self.phone_of(self.persons[case.role]) if is_spent else self.phones[case.role]
        return phone.headers()

    def asked(self, case: Case) -> Any:
        """The answer; a write is a dry run of something sound, an erasure is of nobody."""
        method, template = case.route
        path, client = self._path(case), self.house.client
        if method != "post":
            told = {"pin": "285714"} if method == "put" else None
            return client.request(method, path, headers=self.headers(case), json=told)
        dry_run = "" if case.route == CHECKPOINT else "?dry_run=true"
        return client.post(f"{path}{dry_run}", json=self._body(template, case), headers=self.headers(case))

    def _path(self, case: Case) -> str:
        method, template = case.route
        named = {
            "fund": FUND_OF[case.club],
            "person": self.about[case.club],
            "member": "99" if method == "delete" else "1",
            "plan": PLAN,
            "report": "R-2024-0001",
        }
        if "{phone}" in template:
            named["phone"] = self._phone(case)
        path = re.sub(r"{(\w+)}", lambda name: named.get(name[1], "1"), template)
        if template.endswith("/verification"):
            path += "?code=AAAA-BBBB-CCCC-DDDD"
        return path

    def _phone(self, case: Case) -> str:
        if case.club == "none":
            return "h000000000000"
        person = self.about[case.club]
        self.phone_of(person)
        return str(self.house.get(f"/people/{person}/phones").json()["items"][-1]["phone"])

    def _body(self, template: str, case: Case) -> Any:
        if template == "/v1/people":
            return {"name": "Vi Thị Lan", "roles": ["treasurer"], "scope": {"funds": [FUND_OF[case.club]]}}
        return BODIES.get(template) or SOUND.get(template.removeprefix("/v1"), {})


def outcome(answer: Any) -> str:
    """What somebody was answered, in the words of `Case.expected`."""
    status = answer.status_code
    code = answer.json()["code"] if status >= 400 else ""
    if code in ("unauthorized", "forbidden"):
        return str(code)
    if status in (401, 405) or status >= 500 or (status == 403 and code != "pin-required"):
        return f"{status} {code}"
    return "not found" if code in NOT_FOUND else "admitted"
