"""Everything that is recorded: one table of the writes, and the one way all of them go.

A row names the path, the body, the roles and the method of `Fund` that decides. The way: admitted, parsed, validated,
handed to the writer, answered with what the log then holds.
"""

import asyncio
import inspect
import re
from collections.abc import Callable
from contextlib import nullcontext
from typing import Annotated, Final, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Request, Response

from ledger.aggregates.fund import Fund
from ledger.days import civil_day
from ledger.jobs import Job, Recorded
from ledger.refusals import MemberNotFound, OutOfOrder
from service.access.principals import Place, Principal, Role
from service.access.roles import COUNTERS, DECIDERS, ERASERS, INSPECTORS, OPENERS, WRITERS, admitted
from service.http.body import Dated
from service.http.direct_routes import DirectRoute, body_of, fitted, path_of
from service.http.fields import FundCode, PathNumber
from service.http.parsing import StrictRoute, accept_language
from service.http.refusals import Forbidden
from service.http.state import Desk, desk_of
from service.words.wording import language_of
from service.writes.answers import answer
from service.writes.bodies import club, governance, loans, money, opening
from service.writes.bodies.meeting_lines import Reversal
from service.writes.headers import KNOWN, Fact, Sent, fact_of, line_fact, sent_as, sent_directly

router = APIRouter(prefix="/v1", route_class=StrictRoute)


class Write(NamedTuple):
    """One kind of fact that can be recorded, and who may."""

    path: str
    body: type[Dated]
    decide: Callable[..., object]
    roles: frozenset[Role] = WRITERS
    facts: int = 1
    """How many it may record at most; with several it is tried on a copy first, and recorded as one act or not."""


MOST_OF_A_SHEET: Final = 501
"""A sheet's lines and its attendance."""

FUND: Final = "/funds/{fund}"
LOAN: Final = FUND + "/loans/{loan}"

WRITES: Final = (
    Write("/funds", club.NewFund, Fund.open, OPENERS),
    Write(FUND + "/bylaws", club.NewBylaws, Fund.adopt_bylaws, DECIDERS),
    Write(FUND + "/members", club.NewMember, Fund.join),
    Write(FUND + "/members/{member}/changes", club.MemberChange, Fund.change_member),
    Write(FUND + "/members/{member}/departure", club.Departure, Fund.leave),
    Write(FUND + "/members/{member}/return", club.Return, Fund.take_back),
    Write(FUND + "/members/{member}/forgiven-dues", club.DuesForgiveness, Fund.forgive_dues, DECIDERS),
    Write(FUND + "/contributions", money.Contribution, Fund.receive_contribution),
    Write(FUND + "/donations", money.Donation, Fund.receive_donation),
    Write(FUND + "/in-kind-donations", money.InKindDonation, Fund.receive_in_kind_donation),
    Write(FUND + "/expenses", money.Expense, Fund.pay_expense),
    Write(FUND + "/loans", loans.LoanRequest, Fund.request_loan),
    Write(LOAN + "/approval", loans.Approval, Fund.approve_loan, DECIDERS),
    Write(LOAN + "/rejection", loans.Rejection, Fund.reject_loan, DECIDERS),
    Write(LOAN + "/disbursement", loans.Disbursement, Fund.disburse_loan),
    Write(LOAN + "/repayments", loans.Repayment, Fund.repay_loan),
    Write(LOAN + "/set-off", loans.SetOff, Fund.set_off_savings),
    Write(LOAN + "/waiver", loans.Waiver, Fund.waive_interest, DECIDERS),
    Write(FUND + "/entries/{version}/reversal", Reversal, Fund.reverse_entry),
    Write(FUND + "/withdrawals", money.Withdrawal, Fund.withdraw_savings),
    Write(FUND + "/incomes", money.Income, Fund.receive_income),
    Write(FUND + "/pot-transfers", money.PotTransfer, Fund.transfer_between_pots),
    Write(FUND + "/bank-movements", money.BankMovement, Fund.move_by_bank),
    Write(FUND + "/advances", money.Advance, Fund.receive_advance),
    Write(FUND + "/advances/{advance}/repayments", money.AdvanceRepayment, Fund.repay_advance),
    Write(LOAN + "/rescheduling", loans.Rescheduling, Fund.reschedule_loan, DECIDERS),
    Write(LOAN + "/write-off", loans.WriteOff, Fund.write_off_loan, DECIDERS),
    Write(LOAN + "/recoveries", loans.Recovery, Fund.recover_loan),
    Write(FUND + "/meetings/{version}/reversal", governance.MeetingReversal, Fund.undo_meeting, facts=MOST_OF_A_SHEET),
    Write(FUND + "/meetings/{version}/attendance", governance.Attendance, Fund.correct_attendance),
    Write(FUND + "/cash-counts", governance.CashCount, Fund.count_cash, COUNTERS),
    Write(FUND + "/periods", governance.PeriodClosing, Fund.close_period, DECIDERS),
    Write(FUND + "/periods/reopening", governance.PeriodReopening, Fund.reopen_period, DECIDERS),
    Write(FUND + "/offices", governance.OfficeTerm, Fund.take_office),
    Write(FUND + "/opening-balances", opening.OpeningBalances, Fund.declare_opening_balances),
    Write(FUND + "/opening-balances/corrections", opening.OpeningCorrection, Fund.correct_opening_balances),
    Write(FUND + "/inspections", governance.Inspection, Fund.note_inspection, INSPECTORS),
    Write(FUND + "/dissolution", governance.Dissolution, Fund.dissolve, DECIDERS),
)


def job_of(fund: str, facts: list[Fact], sent: Sent, *, opens: bool = False, most: int = 1) -> Job:
    """The job that records these facts together, or none of them; one of them may come to `most` events."""

    def decide(aggregate: Fund) -> None:
        with aggregate.one_act() if len(facts) > 1 else nullcontext():
            for fact in facts:
                fact.decide(aggregate, sent.stamp(fund, fact), *fact.numbers, **fact.facts)

    return Job(
        fund=fund,
        decide=decide,
        request=sent.mark,
        texts=tuple(text for fact in facts for text in fact.texts.values()),
        expected_version=sent.expected_version,
        opens=opens,
        several=max(len(facts), most) > 1,
        facts=max(len(facts), most),
        dry_run=sent.dry_run,
    )


# --- the one way --------------------------------------------------------------------------------------------------


def _add(write: Write) -> None:
    """Make the route of one row."""
    admit = admitted(write.roles)

    async def record(request: Request) -> Response:
        sent_body = await body_of(request, KNOWN)
        await admit(request)
        fund, numbers = path_of(request)
        sent, body = sent_directly(request), fitted(write.body, sent_body)
        desk = desk_of(request)
        today = civil_day(sent.at)
        if isinstance(body, club.NewFund):
            fund = body.fund
            await _refuse_foreign_fund(desk, sent.principal, body)
            if (on := body.on or today) < body.founded_on:
                raise OutOfOrder(on=on, earliest=body.founded_on)
        facts = [fact_of(write.decide, numbers, body.facts(), body, fund, today)]
        if isinstance(body, Reversal) and body.replacement:
            facts.append(line_fact(body.replacement, fund, facts[0].on))
        recorded = await desk.writer.record(
            job_of(fund, facts, sent, opens=isinstance(body, club.NewFund), most=write.facts)
        )
        desk.acknowledged = max(desk.acknowledged, recorded.position or 0)
        return _response(recorded, sent, request)

    record.__signature__ = _described(write)  # type: ignore[attr-defined]
    router.add_api_route(
        write.path,
        record,
        methods=["POST"],
        status_code=201,
        name=write.body.__name__,
        operation_id=write.body.__name__,
        summary=inspect.getdoc(write.body),
        response_model=None,
        route_class_override=DirectRoute,
    )


def _described(write: Write) -> inspect.Signature:
    """What a write reads, for the API's document: the path's numbers, the body and the headers."""
    types = {"fund": FundCode}
    parameters = {"request": Request, "sent": Annotated[Sent, Depends(sent_as)], "body": write.body}
    parameters |= {name: types.get(name, PathNumber) for name in re.findall(r"{(\w+)}", write.path)}
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
            for name, annotation in parameters.items()
        ]
    )


async def _refuse_foreign_fund(desk: Desk, principal: Principal, body: club.NewFund) -> None:
    """A fund is opened in scope, under a code that no fund out of scope has. Raises `Forbidden` alike for both.

    It is judged before the fund is asked anything: which keys that one knows is nobody's business here.
    """
    places = (Place(body.province, body.district), await desk.place_of(body.fund))
    if not all(principal.scope.holds(body.fund, place) for place in places if place):
        raise Forbidden


def _response(recorded: Recorded, sent: Sent, request: Request) -> Response:
    language = language_of(accept_language(request.scope))
    headers = {"ETag": f'"{recorded.version}"', "Content-Language": language}
    if recorded.replayed:
        headers["Idempotency-Replayed"] = "true"
    status = 200 if sent.dry_run else 201
    return Response(msgspec.json.encode(answer(recorded, language)), status, headers, "application/json")


for _write in WRITES:
    _add(_write)


# --- erasing ------------------------------------------------------------------------------------------------------


@router.delete(FUND + "/members/{member}/person", dependencies=[Depends(admitted(ERASERS))])
async def erase_person(request: Request, fund: FundCode, member: PathNumber) -> Response:
    """Erase a member's name and phone, and what was noted with their entries; no event, sum or hash changes."""
    desk = desk_of(request)
    erased = await asyncio.to_thread(_erase, desk, fund, member)
    return Response(
        msgspec.json.encode({"fund": fund, "member": member, "erased": erased}), media_type="application/json"
    )


def _erase(desk: Desk, fund: str, member: int) -> int:
    events = [entry.event for entry in desk.ledger.entries(fund)]
    theirs = [event for event in events if getattr(event, "member", None) == member]
    if not theirs:
        raise MemberNotFound(member=member)
    return desk.ledger.register.erase(fund, [digest for event in theirs for digest in (event.texts or {}).values()])
