"""Claims about dues: what each month asked of each member, by the bylaws of that month, and what came for it."""

from ledger.aggregates.fund import Fund
from ledger.projections.dues import monthly_dues
from tests.support.service import FUND, House
from tests.support.tables import book
from tests.support.village import bylaws, day, joins, leaves, metadata, undoes, village

# The village opened on 01/01/2024; it meets on the 5th and asks for 10,000 đ a month.


def owed(fund: Fund, on: str, member: int = 4) -> dict[str, int]:
    """What a member owes by month."""
    asked = monthly_dues(book(fund), fund.id, day(on), member=member)
    return {dues.month: dues.owed for dues in asked if dues.owed}


def pays_dues(fund: Fund, on: str, amount: int, for_month: str | None = None) -> int:
    return fund.receive_contribution(metadata(on), member=4, kind="dues", amount=amount, for_month=for_month).version


def test_a_month_is_owed_from_its_meeting_day_on() -> None:
    fund = village()

    assert owed(fund, "2024-02-04") == {"2024-01": 10_000}
    assert owed(fund, "2024-02-05") == {"2024-01": 10_000, "2024-02": 10_000}


def test_dues_count_for_the_month_they_name_and_else_for_the_month_they_were_paid_in() -> None:
    fund = village()
    pays_dues(fund, "2024-02-05", 10_000, for_month="2024-01")
    pays_dues(fund, "2024-02-20", 4_000)

    assert owed(fund, "2024-02-28") == {"2024-02": 6_000}


def test_paying_too_much_for_one_month_pays_no_other() -> None:
    fund = village()
    pays_dues(fund, "2024-01-05", 50_000, for_month="2024-01")

    assert owed(fund, "2024-02-28") == {"2024-02": 10_000}


def test_a_month_is_asked_for_by_the_bylaws_of_its_own_meeting_day() -> None:
    fund = village(lambda fund: fund.adopt_bylaws(metadata("2024-02-06"), bylaws(monthly_dues=20_000)))

    assert owed(fund, "2024-03-31") == {"2024-01": 10_000, "2024-02": 10_000, "2024-03": 20_000}


def test_only_who_was_on_the_roll_on_the_meeting_day_owes_the_month() -> None:
    fund = village(joins(on="2024-02-10"), leaves(4, "2024-03-05"))

    assert owed(fund, "2024-03-31", member=6) == {"2024-03": 10_000}
    assert owed(fund, "2024-03-31") == {"2024-01": 10_000, "2024-02": 10_000}


def test_reversed_dues_are_owed_again_from_the_day_of_the_reversal() -> None:
    fund = village()
    version = pays_dues(fund, "2024-01-05", 10_000)
    undoes(version, on="2024-01-20")(fund)

    assert owed(fund, "2024-01-19") == {}
    assert owed(fund, "2024-01-20") == {"2024-01": 10_000}


def test_a_meeting_day_that_a_month_lacks_is_its_last_day() -> None:
    fund = village(meeting_day=31)

    assert owed(fund, "2024-02-28") == {"2024-01": 10_000}
    assert owed(fund, "2024-02-29") == {"2024-01": 10_000, "2024-02": 10_000}


def test_the_sheet_tells_who_owes_what_and_what_should_lie_in_the_box(village: House) -> None:
    sheet = village.get(f"/funds/{FUND}/sheet?on=2024-04-15").json()

    sam = sheet["roll"][0]
    assert (sam["member"], sam["name"], sam["savings"]) == (1, "Hoàng Thị Sầm", 300_000)
    assert [month["month"] for month in sam["dues_owed"]] == ["2024-02", "2024-04"]  # Of the last three months.
    assert sheet["closing_cash"] == 91_310_000
    assert sheet["loans"] == [
        {
            "loan": 1,
            "member": 1,
            "outstanding": 5_000_000,
            "due": 934_000,
            "principal_due": 834_000,
            "interest_due": 100_000,
            "settlement_amount": 5_100_000,
        }
    ]
    assert sheet["check_code"] == village.get(f"/funds/{FUND}").json()["check_code"]


def test_dues_are_summed_by_month_for_the_whole_club(village: House) -> None:
    items = village.get(f"/funds/{FUND}/dues?as_of=2024-03-31").json()["items"]

    assert items == [
        {"month": "2024-01", "members": 2, "expected": 20_000, "paid": 0, "members_paid_up": 0},
        {"month": "2024-02", "members": 2, "expected": 20_000, "paid": 0, "members_paid_up": 0},
        {"month": "2024-03", "members": 2, "expected": 20_000, "paid": 10_000, "members_paid_up": 1},
    ]
