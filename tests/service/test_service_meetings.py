"""The meeting over HTTP: a sheet is one act, each of its lines answers for itself, and nothing is recorded twice."""

from typing import Any

from tests.support.service import FUND, SOUND, House, opening

MEETINGS = f"/funds/{FUND}/meetings"


def line(number: int, **fields: Any) -> dict[str, Any]:
    return {"type": "contribution", "key": f"line-{number:04}", "member": 1, "kind": "dues", "amount": 10_000} | fields


def sheet(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"held_on": "2024-05-15", "present": [1], "by_proxy": [2], "lines": list(lines)} | fields


def test_a_sheet_is_one_act_and_every_line_is_said(village: House) -> None:
    before = village.entries()
    repayment = {"type": "repayment", "key": "line-0002", "loan": 1, "amount": 470_000}

    answer = village.recorded(MEETINGS, sheet(line(1), repayment))

    assert village.entries() == before + 3
    assert answer["totals"] == {"recorded": 2, "replayed": 0, "refused": 0}
    assert answer["versions"] == [answer["version"] - 2, answer["version"] - 1, answer["version"]]
    assert [told["status"] for told in answer["lines"]] == ["recorded", "recorded"]
    assert "bà Hoàng Thị Sầm (thành viên số 1)" in answer["lines"][0]["sentence"]
    assert answer["lines"][1]["split"] == {"principal": 320_000, "interest": 150_000, "interest_to_activity": 45_000}
    assert answer["sentence"].startswith("Ngày 15/05/2024, câu lạc bộ họp sinh hoạt: có mặt 1 thành viên")


def test_one_refused_line_keeps_the_whole_sheet_out_and_is_named(village: House) -> None:
    before = village.entries()
    dear = {"type": "expense", "key": "line-0002", "activity": "culture", "amount": 900_000_000}

    answer = village.post(MEETINGS, sheet(line(1), dear, line(3, member=9)))

    assert (answer.status_code, answer.json()["code"]) == (422, "lines-refused")
    told = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert told == [("/lines/1", "insufficient-funds"), ("/lines/2", "member-not-found")]
    assert village.entries() == before


def test_a_line_that_cannot_be_read_is_named_by_its_field(village: House) -> None:
    before = village.entries()

    answer = village.post(MEETINGS, sheet(line(1), line(2, amount=0), line(3, key=None), line(4, kind="tax")))

    told = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert answer.status_code == 422
    assert told == [
        ("/lines/1/amount", "amount-out-of-range"),
        ("/lines/2/key", "field-missing"),
        ("/lines/3/kind", "value-not-allowed"),
    ]
    assert village.entries() == before


def test_asked_for_what_it_can_a_sheet_is_recorded_without_its_bad_lines(village: House) -> None:
    lines = (line(1), line(2, amount=0), line(3, member=9))

    answer = village.recorded(MEETINGS, sheet(*lines, mode="partial"), key="the-meeting")
    again = village.post(MEETINGS, sheet(*lines, mode="partial"), key="the-meeting")

    assert [told["status"] for told in answer["lines"]] == ["recorded", "refused", "refused"]
    assert [told.get("problem", {}).get("code") for told in answer["lines"]] == [
        None,
        "invalid-fields",
        "member-not-found",
    ]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [told["status"] for told in again.json()["lines"]] == ["recorded", "refused", "refused"]
    assert again.json()["lines"][2]["problem"]["code"] == "member-not-found"


def test_the_same_request_again_is_the_first_answer_again(village: House) -> None:
    first = village.post(MEETINGS, sheet(line(1), line(2, kind="savings")), key="the-meeting")
    before = village.entries()

    again = village.post(MEETINGS, sheet(line(1), line(2, kind="savings")), key="the-meeting")

    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert village.entries() == before


def test_the_same_sheet_under_another_key_changes_nothing_and_says_so(village: House) -> None:
    village.recorded(MEETINGS, sheet(line(1)))
    before = village.entries()

    again = village.recorded(MEETINGS, sheet(line(1)))

    assert village.entries() == before
    assert again["totals"] == {"recorded": 0, "replayed": 1, "refused": 0}
    assert [warning["code"] for warning in again["warnings"]] == ["nothing-new"]


def test_a_corrected_resend_adds_only_what_is_new(village: House) -> None:
    village.recorded(MEETINGS, sheet(line(1), line(2, member=9), mode="partial"))
    before = village.entries()

    again = village.recorded(MEETINGS, sheet(line(1), line(3, member=2)))

    assert [told["status"] for told in again["lines"]] == ["replayed", "recorded"]
    assert village.entries() == before + 1


def test_a_lines_key_counts_in_the_whole_fund(village: House) -> None:
    village.recorded(f"/funds/{FUND}/contributions", {"member": 1, "kind": "dues", "amount": 5}, key="line-0001")
    before = village.entries()

    answer = village.post(MEETINGS, sheet(line(1)))

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "idempotency-key-reused"
    assert village.entries() == before


def test_an_expense_stands_above_the_dues_that_pay_for_it_in_a_fund_with_nothing_in_its_box(village: House) -> None:
    empty = "/funds/LS-EMPTY-BOX"
    village.recorded("/funds", opening("LS-EMPTY-BOX"))
    for _ in range(2):
        village.recorded(f"{empty}/members", SOUND["/funds/{fund}/members"] | {"on": "2024-01-15"})
    visit = {"type": "expense", "key": "line-0002", "activity": "visit_gift", "amount": 100_000}

    answer = village.recorded(f"{empty}/meetings", sheet(visit, line(1, amount=100_000), held_on="2024-03-15"))

    assert [told["status"] for told in answer["lines"]] == ["recorded", "recorded"]
    assert village.get(f"{empty}/balances?as_of=2024-03-15").json()["cash"] == 0


def test_a_lines_key_on_next_months_sheet_is_a_key_that_was_used(village: House) -> None:
    dues = {"type": "contribution", "key": "line-00001", "member": 1, "kind": "dues", "amount": 20_000}
    village.recorded(MEETINGS, sheet(dues, held_on="2024-02-15"))

    answer = village.post(MEETINGS, sheet(dues, held_on="2024-03-15"))

    assert answer.status_code == 422
    assert [error["code"] for error in answer.json()["errors"]] == ["idempotency-key-reused"]


def test_a_second_sheet_of_the_day_is_allowed_and_warned_of(village: House) -> None:
    village.recorded(MEETINGS, sheet(line(1), sheet="morning"))

    answer = village.recorded(MEETINGS, sheet(line(2, member=2), sheet="evening"))

    assert [(told["code"], told["sheets"]) for told in answer["warnings"]] == [("other-sheet-same-day", ["morning"])]


def test_the_same_fact_under_another_key_is_recorded_and_asked_about(village: House) -> None:
    first = village.recorded(MEETINGS, sheet(line(1), line(2)))
    single = {"member": 1, "kind": "dues", "amount": 10_000, "on": "2024-05-15"}

    second = village.recorded(f"/funds/{FUND}/contributions", single)

    assert first["lines"][1]["possible_duplicate_of"] == first["lines"][0]["version"]
    assert second["possible_duplicate_of"] == first["lines"][0]["version"]


def test_the_counted_box_is_compared_with_the_book(village: House) -> None:
    book = 91_310_000

    answer = village.recorded(MEETINGS, sheet(line(1), opening_cash=book, closing_cash=book + 9_000))

    assert answer["cash"]["opening"] == {"counted": book, "book": book, "difference": 0}
    assert answer["cash"]["closing"] == {"counted": book + 9_000, "book": book + 10_000, "difference": -1_000}


def test_nobody_present_or_somebody_twice_is_no_meeting(village: House) -> None:
    before = village.entries()

    twice = village.post(MEETINGS, sheet(line(1), present=[1, 2]))
    nobody = village.post(MEETINGS, sheet(line(1), present=[]))
    stranger = village.post(MEETINGS, sheet(line(1), present=[7]))

    assert [answer.json()["code"] for answer in (twice, nobody, stranger)] == [
        "named-twice",
        "invalid-fields",
        "member-not-found",
    ]
    assert village.entries() == before


def test_a_dry_run_of_a_sheet_records_nothing(village: House) -> None:
    before = village.entries()

    answer = village.post(f"{MEETINGS}?dry_run=true", sheet(line(1), line(2, member=2)))

    assert (answer.status_code, answer.json()["totals"]["recorded"]) == (200, 2)
    assert answer.json()["check_code"] is None
    assert village.entries() == before


def test_a_hundred_and_twenty_lines_are_one_commit(village: House) -> None:
    before = village.entries()

    answer = village.recorded(MEETINGS, sheet(*(line(number, amount=1_000 + number) for number in range(120))))

    assert answer["totals"]["recorded"] == 120
    assert village.entries() == before + 121
    assert answer["lines"][119]["voucher"] == "PT-2024-0125"


# What a count certifies


def counted(village: House, on: str, **how: Any) -> Any:
    book = village.get(f"/funds/{FUND}/balances?as_of={on}").json()["cash"]
    count = {"counted": book, "reason": "surprise", "on": on, "witnesses": [2]}
    return village.recorded(f"/funds/{FUND}/cash-counts", count | how)


def test_an_entry_slipped_in_before_a_count_is_in_view_from_then_on(village: House) -> None:
    count = counted(village, "2024-05-20")
    income = {"kind": "collective", "pot": "activity", "amount": 40_000}
    slipped = village.recorded(f"/funds/{FUND}/incomes", income | {"on": "2024-05-19"})
    village.recorded(f"/funds/{FUND}/incomes", income | {"on": "2024-05-21"})
    moved = {"from": "revolving", "to": "activity", "amount": 1_000, "on": "2024-05-18"}
    village.recorded(f"/funds/{FUND}/pot-transfers", moved)

    (told,) = village.get(f"/funds/{FUND}/cash-counts").json()["items"]

    assert (told["version"], told["difference"], told["counted"]) == (count["version"], 0, count["counted"])
    assert told["recorded_after"] == [{"version": slipped["version"], "amount": 40_000}]


def test_a_count_of_one_pot_is_touched_by_what_moves_between_the_pots(village: House) -> None:
    book = village.get(f"/funds/{FUND}/balances?as_of=2024-05-20").json()["pots"]["activity"]["cash"]
    counted(village, "2024-05-20", pot="activity", counted=book)
    moved = {"from": "revolving", "to": "activity", "amount": 1_000, "on": "2024-05-18"}
    transfer = village.recorded(f"/funds/{FUND}/pot-transfers", moved)

    (told,) = village.get(f"/funds/{FUND}/cash-counts").json()["items"]

    assert told["recorded_after"] == [{"version": transfer["version"], "amount": 1_000}]


def test_a_difference_found_by_a_count_is_answered_and_posted(village: House) -> None:
    book = village.get(f"/funds/{FUND}/balances?as_of=2024-05-20").json()["cash"]

    count = counted(village, "2024-05-20", counted=book - 25_000)

    assert (count["expected"], count["counted"], count["difference"]) == (book, book - 25_000, -25_000)
    assert "thiếu 25.000 đ" in count["sentence"]
    assert village.get(f"/funds/{FUND}/balances").json()["cash"] == book - 25_000
