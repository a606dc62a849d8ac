"""Claims about one person with several tokens: where two persons are asked for, the tokens of one member are one."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from service.access.principals import Principal
from tests.support.service import BYLAWS, FUND, NAME, OPENED_ON, OTHER_FUND, House, house, opening

ON = "2024-05-15"
LOANS = f"/funds/{FUND}/loans"


@pytest.fixture
def village(database_url: str) -> Iterator[House]:
    """A fund whose bylaws ask for two persons, with three members and a request for a loan."""
    with house(database_url) as running:
        running.recorded("/funds", opening(bylaws=BYLAWS | {"two_person_approval": True}))
        member = {"sex": "female", "birth_year": 1955, "poverty": "none", "on": OPENED_ON}
        for _ in range(3):
            running.recorded(f"/funds/{FUND}/members", member | {"name": NAME})
        gift = {"source": "business", "pot": "revolving", "amount": 50_000_000, "on": OPENED_ON}
        running.recorded(f"/funds/{FUND}/donations", gift)
        loan = {"member": 3, "principal": 5_000_000, "term_months": 12, "purpose": "crops", "on": OPENED_ON}
        running.recorded(LOANS, loan)
        yield running


def approved_by(village: House, members: dict[str, int]) -> None:
    chair = village.issue("chair", members=members)
    village.recorded(f"{LOANS}/1/approval", {"on": ON}, token=chair)


def disbursed_by(village: House, members: dict[str, int]) -> Any:
    treasurer = village.issue("treasurer", members=members)
    return village.post(f"{LOANS}/1/disbursement", {"on": ON}, treasurer)


def test_who_approved_with_one_token_does_not_pay_out_with_another(village: House) -> None:
    approved_by(village, {FUND: 1})
    before = village.entries()

    refused = disbursed_by(village, {FUND: 1, OTHER_FUND: 2})

    assert (refused.status_code, refused.json()["code"]) == (422, "same-person-approved")
    assert village.entries() == before
    assert disbursed_by(village, {FUND: 2, OTHER_FUND: 1}).status_code == 201


def test_tokens_without_a_member_or_of_one_number_in_another_fund_are_two_persons(village: House) -> None:
    approved_by(village, {OTHER_FUND: 1})

    assert disbursed_by(village, {OTHER_FUND: 1}).status_code == 201


def test_a_meetings_sheet_is_no_way_around_it(village: House) -> None:
    approved_by(village, {FUND: 1})
    treasurer = village.issue("treasurer", members={FUND: 1})
    line = {"type": "disbursement", "key": "20240515-01", "loan": 1}
    sheet = {"held_on": ON, "present": [1, 2], "mode": "partial", "lines": [line]}

    told = village.recorded(f"/funds/{FUND}/meetings", sheet, token=treasurer)

    assert told["lines"][0]["problem"]["code"] == "same-person-approved"


def test_a_revoked_token_still_tells_who_approved(village: House) -> None:
    chair = village.issue("chair", members={FUND: 1})
    village.recorded(f"{LOANS}/1/approval", {"on": ON}, token=chair)
    village.principals.revoke(village.clock(), chair)

    assert disbursed_by(village, {FUND: 1}).status_code == 422


def test_whose_other_tokens_are_whose_is_looked_up_and_not_stored(village: House) -> None:
    first, second = (village.issue("chair", members={FUND: 1}) for _ in range(2))
    holders = [village.principals.holder(token) for token in (first, second)]
    stored = village.state.ledger.database.query("SELECT principal FROM principals")

    assert holders[0] is not None
    assert holders[1] is not None
    assert holders[0].aliases == {FUND: frozenset({holders[1].id})}
    assert holders[1].aliases == {FUND: frozenset({holders[0].id})}
    assert not any(msgspec.json.decode(row["principal"], type=Principal).aliases for row in stored)


def test_a_household_is_recorded_in_capitals_however_it_was_typed(village: House) -> None:
    member = {"sex": "male", "birth_year": 1960, "poverty": "none", "household": "h-12a", "on": OPENED_ON}
    village.recorded(f"/funds/{FUND}/members", member)
    village.recorded(f"/funds/{FUND}/members/1/changes", {"household": "h-12A", "on": ON})

    fund = village.state.ledger.replayed(FUND)
    assert {fund.members[1].household, fund.members[4].household} == {"H-12A"}
