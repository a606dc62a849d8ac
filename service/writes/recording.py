"""The one way a write is carried out, whoever asks for it: a route, or a page.

Admitted, parsed and validated it is already; here the facts of the body become one job of the writer, with the PIN that
came along where the act needs one, and what else must follow from what was recorded is seen to.
"""

from ledger.days import civil_day
from ledger.events import OfficeLeft
from ledger.jobs import Recorded
from ledger.refusals import OutOfOrder
from service.access.approval import Approval, approved
from service.access.phones import end_phones_of_treasurer
from service.access.places import Places
from service.access.principals import Place, Principal
from service.access.state import AccessState
from service.http.body import Dated
from service.http.refusals import Forbidden
from service.http.state import AppState
from service.writes.bodies import club
from service.writes.bodies.meeting_lines import Reversal
from service.writes.facts import Sent, fact_of, job_of, line_fact
from service.writes.table import Write


async def carry_out(
    state: AppState,
    access: AccessState,
    write: Write,
    sent: Sent,
    body: Dated,
    fund: str,
    numbers: tuple[int, ...],
) -> Recorded:
    """Record what a body tells. `fund` and `numbers` are what the write's path names. Raises the fund's refusals,
    `Forbidden`, `PinRequired`, `PinWrong`, `PinLocked`, `StorageUnavailable` and `QueueFull`."""
    today = civil_day(sent.at)
    if isinstance(body, club.NewFund):
        fund = body.fund
        await _refuse_foreign_fund(access.places, sent.principal, body)
        if (on := body.on or today) < body.founded_on:
            raise OutOfOrder(on=on, earliest=body.founded_on)
    facts = [fact_of(write.decide, numbers, body.facts(), body, fund, today)._replace(pin=write.pin)]
    if isinstance(body, Reversal) and body.replacement:
        facts.append(line_fact(body.replacement, fund, facts[0].on))

    async def record(approval: Approval) -> Recorded:
        told = sent._replace(approval=approval)
        return await state.writer.record(
            job_of(fund, facts, told, opens=isinstance(body, club.NewFund), most=write.facts)
        )

    recorded = await approved(access.pins, sent.approval, record)
    state.acknowledged = max(state.acknowledged, recorded.position or 0)
    if not sent.dry_run:
        for event in recorded.events:
            if isinstance(event, OfficeLeft) and event.office == "treasurer":
                await end_phones_of_treasurer(state, access, event)
    return recorded


async def _refuse_foreign_fund(known: Places, principal: Principal, body: club.NewFund) -> None:
    """A fund is opened in scope, under a code that no fund out of scope has. Raises `Forbidden` alike for both.

    It is judged before the fund is asked anything: which keys that one knows is nobody's business here.
    """
    places = (Place(body.province, body.district, body.commune), await known.place_of(body.fund))
    if not all(principal.scope.holds(body.fund, place) for place in places if place):
        raise Forbidden
