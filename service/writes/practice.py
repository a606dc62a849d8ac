"""A club to practise on: made up, opened with a dozen members and some months of books in one act, one for each person.

Its people bear names that nobody has, and it lies nowhere: so no scope but the one of all funds, and whoever made it,
holds it. Its books are recorded through the same bodies and decisions as any club's.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from ledger.aggregates.fund import Fund
from ledger.days import add_months, civil_day
from ledger.events import Request as RequestMark
from ledger.jobs import Job, Recorded
from ledger.refusals import FundExists
from service.access.places import Places
from service.access.principals import Principal
from service.http.body import Dated
from service.http.state import AppState
from service.writes.bodies.club import NewFund, NewMember
from service.writes.bodies.governance import OfficeTerm
from service.writes.bodies.loans import Approval, Disbursement, LoanRequest, Repayment
from service.writes.bodies.money import Contribution, Donation
from service.writes.calls import RequestContext, call_of
from service.writes.recording import recorded_job
from service.writes.table import WRITES

DUES: Final = 10_000

ROLL: Final = (
    ("Nông Thị Tập", "female", 1952),
    ("Hoàng Văn Thử", "male", 1955),
    ("Lý Thị Ví Dụ", "female", 1958),
    ("Vi Văn Mẫu", "male", 1949),
    ("Triệu Thị Nháp", "female", 1961),
    ("Lương Văn Luyện", "male", 1957),
    ("Hà Thị Giả Sử", "female", 1963),
    ("Bế Văn Tạm", "male", 1954),
    ("Đàm Thị Thí Dụ", "female", 1966),
    ("Chu Văn Làm Quen", "male", 1959),
    ("Nông Thị Tập", "female", 1960),
    ("Lộc Văn Học", "male", 1970),
)
"""Names that say that they are none, two of them alike; sex, year of birth."""

BEHIND: Final = frozenset({5, 9})
"""Who has not paid last month's dues."""


class _Told(NamedTuple):
    """Something that was recorded: in which body, about which numbers of its path."""

    body: type[Dated]
    fields: dict[str, Any]
    numbers: tuple[int, ...] = ()


async def own_practice_club(principal: Principal, places: Places) -> str | None:
    """The code of the club that a person practises on; None before there is one."""
    for code in principal.practice_codes:
        if await places.place_of(code):
            return code
    return None


async def ready_practice_club(context: RequestContext, places: Places, *, state: AppState) -> str:
    """The code of the club that the one who asks practises on, made now unless there is one. Raises what the writer
    raises."""
    if own := await own_practice_club(context.principal, places):
        return own
    try:
        return (await _opened(context, state)).fund
    except FundExists:  # Asked for twice at once.
        return context.principal.practice_codes[0]


async def _opened(context: RequestContext, state: AppState) -> Recorded:
    """Open it with all that is in its books, in one act. Raises `FundExists`."""
    code, today = context.principal.practice_codes[0], civil_day(context.at)
    calls = [
        call_of(_decides(told.body), told.numbers, body.facts(), body, code, today)
        for told in _life(code, today)
        for body in (told.body.model_validate(told.fields),)
    ]

    def decide(fund: Fund) -> None:
        for number, call in enumerate(calls):
            # Each has a mark of its own: a receipt tells the whole act that its entry was recorded in.
            mark = RequestMark(f"{code}-{number}", "") if number and context.mark else context.mark
            call.make(fund, context.metadata(code, call, mark), context.approval)

    job = Job(
        fund=code,
        decide=decide,
        request=context.mark,
        texts=tuple(text for call in calls for text in call.texts.values()),
        opens=True,
        several=True,
        facts=len(calls) + 1,  # To open a fund is two.
        dry_run=context.dry_run,
    )
    return await recorded_job(state, job)


def _decides(body: type[Dated]) -> Any:
    return next(write.decide for write in WRITES if write.body is body)


def _life(code: str, today: date) -> Iterator[_Told]:
    """What its books hold, so that there is something of each kind to do today, which is the day of its meeting."""
    first, before, last = (add_months(today, -months).isoformat() for months in (3, 2, 1))
    lately = (today - timedelta(days=9)).isoformat()
    yield _Told(NewFund, _club(code, first, today.day))
    for number, (name, sex, born) in enumerate(ROLL, start=1):
        person = {"name": name, "sex": sex, "birth_year": born, "poverty": "none", "household": f"H{number}"}
        yield _Told(NewMember, person | {"on": first})
    for number, office in enumerate(("chair", "treasurer"), start=1):
        yield _Told(OfficeTerm, {"member": number, "office": office, "on": first})
    gift = {"source": "benefactor", "donor": "Nhà hảo tâm Ví Dụ", "on": first}
    yield _Told(Donation, gift | {"pot": "revolving", "amount": 6_000_000})
    for day in (first, before, last):
        for member in range(1, len(ROLL) + 1):
            if day != last or member not in BEHIND:
                dues = {"member": member, "kind": "dues", "amount": DUES, "for_month": day[:7], "on": day}
                yield _Told(Contribution, dues)
    # Of two loans that run one has an instalment due today; a third is to be handed out, a fourth decided upon.
    yield from _lent(1, before, member=3, principal=1_200_000, term_months=6, purpose="livestock")
    yield _Told(Repayment, {"amount": 212_000, "on": last}, (1,))
    yield from _lent(2, lately, member=6, principal=2_000_000, term_months=10, purpose="small_business")
    yield from _granted(3, today.isoformat(), member=8, principal=1_000_000, term_months=5, purpose="crops")
    wish = {"member": 10, "principal": 1_500_000, "term_months": 10, "purpose": "trade", "guarantor": 2}
    yield _Told(LoanRequest, wish | {"on": today.isoformat()})


def _granted(loan: int, on: str, **asked: Any) -> Iterator[_Told]:
    yield _Told(LoanRequest, asked | {"on": on})
    yield _Told(Approval, {"on": on}, (loan,))


def _lent(loan: int, on: str, **asked: Any) -> Iterator[_Told]:
    yield from _granted(loan, on, **asked)
    yield _Told(Disbursement, {"on": on}, (loan,))


def _club(code: str, on: str, meeting_day: int) -> dict[str, Any]:
    return {
        "fund": code,
        "club": "Câu lạc bộ để tập",
        "commune": "xã Ví Dụ",
        "province": "Ví Dụ",
        "founded_on": on,
        "on": on,
        "practice": True,
        "bylaws": {
            "monthly_rate_ppm": 10_000,
            "interest_method": "reducing",
            "repayment_mode": "equal_principal",
            "max_principal": 5_000_000,
            "max_term_months": 12,
            "min_membership_months": 1,
            "one_open_loan_per_household": True,
            "interest_to_activity_ppm": 300_000,
            "monthly_dues": DUES,
            "meeting_day": meeting_day,
            "two_person_approval": False,
        },
    }
