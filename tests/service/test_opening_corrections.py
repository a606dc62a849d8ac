"""Claims about old books that were taken over wrongly and are put right over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.service import OPENED_ON, House, house, opening

AT = "/funds/LS-OLD-BOOK"
LATER = "2024-02-10"


def old_loan(outstanding: int, member: int = 1) -> dict[str, Any]:
    return {
        "member": member,
        "principal": 1_000_000,
        "outstanding": outstanding,
        "disbursed_on": "2023-10-10",
        "term_months": 12,
        "purpose": "livestock",
        "next_due_on": "2024-02-10",
    }


def books(*loans: dict[str, Any], cash: int, **more: Any) -> dict[str, Any]:
    pots = {"revolving": {"cash": cash, "bank": 0}, "activity": {"cash": 40_000, "bank": 0}}
    savings = [{"member": 2, "amount": 150_000}]
    return {"pots": pots, "savings": savings, "loans": list(loans), "on": OPENED_ON} | more


WRONG = books(old_loan(600_000), cash=500_000)
RIGHT = books(old_loan(700_000), old_loan(300_000, 2), cash=420_000, reason="Ghi sót khoản vay của bà Sầm")


@pytest.fixture
def club(database_url: str) -> Iterator[House]:
    """A club of two members whose old book was declared, with mistakes."""
    with house(database_url) as running:
        running.recorded("/funds", opening("LS-OLD-BOOK"))
        for _ in range(2):
            person = {"sex": "female", "birth_year": 1955, "poverty": "none", "on": OPENED_ON}
            running.recorded(f"{AT}/members", person)
        running.recorded(f"{AT}/opening-balances", WRONG)
        yield running


def standing(club: House, day: str = OPENED_ON) -> dict[str, int]:
    pot = club.get(f"{AT}/balances?as_of={day}").json()["pots"]["revolving"]
    return {account: pot[account] for account in ("cash", "loans", "savings", "equity")}


def test_the_whole_declaration_is_told_anew_and_only_the_difference_is_posted(club: House) -> None:
    assert standing(club) == {"cash": 500_000, "loans": 600_000, "savings": 150_000, "equity": 950_000}

    tried = club.post(f"{AT}/opening-balances/corrections?dry_run=true", RIGHT)
    told = club.recorded(f"{AT}/opening-balances/corrections", RIGHT, key="correction-1")
    again = club.post(f"{AT}/opening-balances/corrections", RIGHT, key="correction-1")

    assert (tried.status_code, tried.json()["sentence"]) == (200, told["sentence"])
    assert told["sentence"].startswith("Số dư chuyển từ sổ cũ ngày 10/01/2024 được ghi lại cho đúng: tiền mặt 460.000")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert standing(club) == {"cash": 420_000, "loans": 1_000_000, "savings": 150_000, "equity": 1_270_000}
    entry = club.get(f"{AT}/entries/{told['version']}").json()
    moved = {(leg["account"], leg["of"]): leg["debit"] - leg["credit"] for leg in entry["legs"]}
    assert moved == {
        ("cash", None): -80_000,
        ("loans", 1): 100_000,
        ("loans", 2): 300_000,
        ("opening", None): -320_000,
    }
    assert "Sầm" not in club.get(f"{AT}/history").text
    assert club.get(f"{AT}/verification").json()["valid"]


def test_a_loan_with_entries_of_its_own_keeps_what_was_declared_until_they_are_reversed(club: House) -> None:
    paid = club.recorded(f"{AT}/loans/1/repayments", {"amount": 100_000, "on": LATER})

    refused = club.post(f"{AT}/opening-balances/corrections", RIGHT)
    english = club.post(f"{AT}/opening-balances/corrections", RIGHT, accept_language="en")

    assert (refused.status_code, refused.json()["code"]) == (409, "loan-has-entries")
    assert (refused.json()["loan"], refused.json()["version"]) == (1, paid["version"])
    assert "Xin ghi số âm các bút toán của khoản vay này" in refused.json()["detail"]
    assert "reverse them, correct the opening balances, then enter them again" in english.json()["detail"]
    assert standing(club)["cash"] == 500_000

    # The remedy: reverse, correct, enter again.
    club.recorded(f"{AT}/entries/{paid['version']}/reversal", {"reason": "other", "on": LATER})
    club.recorded(f"{AT}/opening-balances/corrections", RIGHT)
    club.recorded(f"{AT}/loans/1/repayments", {"amount": 107_000, "on": LATER})

    # Of the interest of 7,000 the activity pot has 30 %.
    assert standing(club, LATER) == {"cash": 524_900, "loans": 900_000, "savings": 150_000, "equity": 1_274_900}


def test_what_leaves_a_loan_with_entries_alone_is_put_right_all_the_same(club: House) -> None:
    club.recorded(f"{AT}/loans/1/repayments", {"amount": 100_000, "on": LATER})
    right = books(old_loan(600_000), old_loan(300_000, 2), cash=420_000, reason="Ghi sót một khoản vay")

    told = club.recorded(f"{AT}/opening-balances/corrections", right)

    assert told["type"] == "OpeningBalancesCorrected"
    assert standing(club)["loans"] == 900_000


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"on": LATER}, 422, "out-of-order"),
        ({"reason": None}, 422, "invalid-fields"),
        ({"loans": [old_loan(600_000) | {"next_due_on": "2024-02-11"}]}, 422, "invalid-fields"),
    ],
    ids=str,
)
def test_a_correction_is_of_the_opening_day_with_a_reason_and_believable(
    club: House, changes: dict[str, Any], status: int, code: str
) -> None:
    body = {name: value for name, value in (RIGHT | changes).items() if value is not None}

    answer = club.post(f"{AT}/opening-balances/corrections", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert standing(club)["cash"] == 500_000


def test_without_an_old_book_there_is_nothing_to_put_right(club: House) -> None:
    club.recorded("/funds", opening("LS-NEW-BOOK"))

    answer = club.post("/funds/LS-NEW-BOOK/opening-balances/corrections", books(cash=1_000, reason="Nhầm", savings=[]))

    assert (answer.status_code, answer.json()["code"]) == (409, "no-opening-balances")
