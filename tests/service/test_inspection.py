"""Claims about what an inspector may ask: why the books say something else now, and what one entry did to them."""

import hashlib
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.aggregates.fund import Fund
from ledger.differences import End
from service.command_line import app
from service.inspection.entry_details import difference_answer, entry_effect, nobody
from service.terminal import Mistake
from service.words.wording import LANGUAGES
from tests.support.histories import random_fund
from tests.support.jobs import opened
from tests.support.service import FUND, NAME, House
from tests.support.tables import store
from tests.support.village import FUND as BANG_MAC
from tests.support.village import pays, undoes, whole_life
from tests.support.village import village as village_of

AT = f"/funds/{FUND}"
THEN = "2024-05-15"


def read(village: House, path: str, **headers: str) -> dict[str, Any]:
    answer = village.get(path, **headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def corrected_late(village: House) -> int:
    """A gift of 50,000 was written down as 500,000, and weeks later put right; the version before that."""
    village.clock.pass_days(1)
    gift = {"type": "donation", "source": "member", "pot": "activity", "amount": 50_000, "on": "2024-05-10"}
    wrong = {name: value for name, value in gift.items() if name != "type"} | {"amount": 500_000}
    version: int = village.recorded(f"{AT}/donations", wrong)["version"]
    village.clock.pass_days(40)
    correction = {"reason": "wrong_amount", "on": "2024-05-10", "replacement": gift}
    village.recorded(f"{AT}/entries/{version}/reversal", correction)
    return version


# --- differences ----------------------------------------------------------------------------------------------------


def test_the_books_say_something_else_about_a_day_because_of_these_entries(village: House) -> None:
    version = corrected_late(village)

    found = read(village, f"{AT}/diff?from={THEN}@{version}&to={THEN}")

    assert (found["from"], found["to"]) == (
        {"as_of": THEN, "known_version": version},
        {"as_of": THEN, "known_version": version + 2},
    )
    assert [(each["label"], each["difference"]) for each in found["figures"]] == [
        ("Tiền mặt (cả hai quỹ)", -450_000),
        ("Tiền mặt (quỹ hoạt động)", -450_000),
        ("Vốn của quỹ hoạt động", -450_000),
        ("Ủng hộ, tài trợ (quỹ hoạt động)", -450_000),
    ]
    for each in found["figures"]:
        assert each["entries"] == [
            {"version": version + 1, "amount": -500_000},
            {"version": version + 2, "amount": 50_000},
        ]
        assert each["from"] + each["difference"] == each["to"]
    reversal, replacement = found["entries"]
    assert (reversal["reverses"], reversal["in"], reversal["why"]) == (version, "to", "recorded_later")
    assert (reversal["days_late"], replacement["days_late"]) == (77, 77)
    assert replacement["recorded_by"] == read(village, f"{AT}/entries/{version}")["recorded_by"]
    assert "50.000 đ (Năm mươi nghìn đồng)" in replacement["sentence"]
    assert (found["count"], found["next"]) == (2, None)


def test_figures_at_both_ends_are_those_the_balances_show_there(village: House) -> None:
    found = read(village, f"{AT}/diff?from=2024-02-01@14&to={THEN}")
    ends = {
        "from": read(village, f"{AT}/balances?as_of=2024-02-01&known_version=14")["pots"],
        "to": read(village, f"{AT}/balances?as_of={THEN}")["pots"],
    }
    shown = {
        (each["figure"]["pot"], each["figure"]["name"]): (each["from"], each["to"])
        for each in found["figures"]
        if each["figure"]["of"] is None and each["figure"]["name"] in ends["to"].get(each["figure"]["pot"], ())
    }

    assert shown == {
        (pot, name): (ends["from"][pot][name], ends["to"][pot][name])
        for pot in ends["to"]
        for name in ends["to"][pot]
        if ends["from"][pot][name] != ends["to"][pot][name]
    }
    assert ("revolving", "loans") in shown


def test_without_a_second_end_it_is_what_is_known_now_of_the_same_day(village: House) -> None:
    version = corrected_late(village)

    assert read(village, f"{AT}/diff?from={THEN}@{version}") == read(
        village, f"{AT}/diff?from={THEN}@{version}&to={THEN}"
    )
    assert read(village, f"{AT}/diff?from={THEN}")["figures"] == []


def test_an_end_may_be_an_instant_before_the_fund_was_heard_of(village: House) -> None:
    instant = village.clock().isoformat().replace("+00:00", "Z")
    corrected_late(village)

    from_nothing = read(village, f"{AT}/diff?from=@2020-01-01T00:00:00Z")
    from_then = read(village, f"{AT}/diff?from={THEN}@{instant}")

    assert from_nothing["from"] == {"as_of": None, "known_version": 0}
    assert {each["from"] for each in from_nothing["figures"]} == {0}
    assert {each["figure"]["name"] for each in from_nothing["figures"]} >= {"cash", "members", "savings"}
    assert from_then["count"] == 3


def test_the_entries_come_in_pages_that_keep_the_view_of_the_first(village: House) -> None:
    whole = read(village, f"{AT}/diff?from=@0")
    paged: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = read(village, f"{AT}/diff?from=@0&limit=6{cursor and f'&cursor={cursor}'}")
        paged += [entry["version"] for entry in page["entries"]]
        assert (page["figures"], page["count"]) == (whole["figures"], whole["count"])
        cursor = page["next"]
        village.recorded(f"{AT}/donations", {"source": "member", "pot": "activity", "amount": 1_000})

    assert paged == [entry["version"] for entry in whole["entries"]] == list(range(1, whole["count"] + 1))
    assert village.get(f"{AT}/diff?from=@0&cursor=1.2").json()["code"] == "cursor-invalid"


def test_a_difference_is_told_in_the_readers_language(village: House) -> None:
    found = read(village, f"{AT}/diff?from=@12&to=@14", accept_language="en")

    assert [each["label"] for each in found["figures"]][-1] == f"Savings of Mrs {NAME} (member no. 1)"
    assert found["entries"][0]["sentence"].startswith(f"On 15/03/2024, Mrs {NAME} (member no. 1) paid dues of")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("fund", [whole_life(), random_fund(3)], ids=lambda fund: str(fund.id))
def test_whatever_can_happen_is_told_in_a_difference_and_alone(fund: Fund, language: str) -> None:
    whole = difference_answer(
        fund, End(None, 0).among(fund.entries), End().among(fund.entries), language, nobody, limit=9_999
    )
    last = entry_effect(fund, fund.entries[-1].on, language, nobody)

    assert [entry["version"] for entry in whole["entries"]] == list(range(1, fund.version + 1))
    assert all(entry["sentence"].endswith(".") for entry in whole["entries"])
    assert len({each["label"] for each in whole["figures"]}) == len(whole["figures"]), "no two figures are called alike"
    assert last["sentence"] == whole["entries"][-1]["sentence"]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "from=",
        "from=@",
        "from=2024-02-30",
        "from=20240203",
        "from=2024-02-03@",
        "from=2024-02-03@soon",
        "from=2024-02-03@2024-02-03T10:00:00",
        "from=2024-02-03@-1",
        "from=2024-02-03@01",
        "from=2024-02-03@1@2",
        "from=2024-02-03@9999999999",
        "from=2024-02-03&to=x",
        "from=2024-02-03&until=2024-03-03",
    ],
)
def test_an_end_that_makes_no_sense_is_refused(village: House, query: str) -> None:
    answer = village.get(f"{AT}/diff?{query}")

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-fields")
    assert {error["code"] for error in answer.json()["errors"]} <= {"not-a-point", "field-missing", "unknown-field"}


# --- one entry ------------------------------------------------------------------------------------------------------


def test_an_entry_is_opened_with_all_that_proves_it(village: House) -> None:
    entry = read(village, f"{AT}/entries/12")
    lines = village.state.ledger.recorder.lines(FUND, 0, None)

    assert entry["line"].encode() == lines[11]
    assert entry["hash"] == hashlib.sha256(lines[11]).hexdigest() == read(village, f"{AT}/entries/13")["prev"]
    assert entry["prev"] == read(village, f"{AT}/entries/11")["hash"]
    assert entry["neighbours"] == {"previous": 11, "next": 13}
    assert entry["days_late"] == 121
    assert entry["sentence"].startswith("Ngày 15/02/2024, giải ngân khoản vay số 1 cho bà Hoàng Thị Sầm")
    assert entry["bylaws"] == read(village, f"{AT}?as_of=2024-02-15&known_version=12")["bylaws"]


def test_the_figures_before_and_after_an_entry_are_what_was_known_before_and_after_it(village: House) -> None:
    for version in (2, 4, 5, 12, 14, 18, 19):
        entry = read(village, f"{AT}/entries/{version}")
        sides = {
            "before": read(village, f"{AT}/balances?known_version={version - 1}"),
            "after": read(village, f"{AT}/balances?known_version={version}"),
        }
        for each in entry["figures"]:
            name, pot, of = (each["figure"][part] for part in ("name", "pot", "of"))
            for side, balances in sides.items():
                if (name, pot) == ("cash", "both"):
                    assert each[side] == balances["cash"]
                elif of is None and name in balances["pots"].get(pot, ()):
                    assert each[side] == balances["pots"][pot][name]
        touched = {(leg["account"], leg["pot"]) for leg in entry["legs"]}
        assert touched <= {(each["figure"]["name"], each["figure"]["pot"]) for each in entry["figures"]}


def test_the_bylaws_of_an_entry_are_those_known_when_it_was_recorded(village: House) -> None:
    village.recorded(f"{AT}/bylaws", read(village, AT)["bylaws"] | {"monthly_dues": 20_000, "on": "2024-03-01"})

    told_before, first, second = read(village, f"{AT}/entries/13"), read(village, f"{AT}/entries/1"), read(village, AT)

    assert told_before["on"] == "2024-03-15"
    assert told_before["bylaws"]["monthly_dues"] == 10_000, "in force on its day, but nobody had told yet"
    assert first["bylaws"] is None
    assert second["bylaws"]["monthly_dues"] == 20_000


def test_an_entry_is_seen_from_both_clocks(village: House) -> None:
    version = corrected_late(village)

    now = read(village, f"{AT}/entries/{version}")
    then = read(village, f"{AT}/entries/{version}?known_version={version}")

    assert (now["reversed_by"], then["reversed_by"]) == (version + 1, None)
    assert (now["neighbours"]["next"], then["neighbours"]["next"]) == (version + 1, None)
    assert village.get(f"{AT}/entries/{version}?known_version={version - 1}").status_code == 404
    assert village.get(f"{AT}/entries/{version}?as_of=2024-05-09").status_code == 404
    early = read(village, f"{AT}/entries/12?as_of=2024-02-15")
    assert early["figures"] == read(village, f"{AT}/entries/12")["figures"]


# --- the command line -----------------------------------------------------------------------------------------------


@pytest.fixture
def told_late(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """A club's books on disk: dues entered, undone and entered again; the version before that."""
    fund = village_of(pays(4, "dues", 500_000, on="2024-01-15"))
    then = fund.version
    undoes(then, on="2024-01-15")(fund)
    pays(4, "dues", 50_000, on="2024-01-15")(fund)
    with opened(sqlite_url) as ledger:
        store(ledger, fund.pending)
    monkeypatch.setenv("MICROFUND_DATABASE", sqlite_url)
    return then


def told(*arguments: str) -> str:
    ran = CliRunner().invoke(app, ["diff", BANG_MAC, *arguments])
    assert ran.exit_code == 0, ran.output
    return ran.output


def test_the_command_line_tells_a_difference_in_vietnamese(told_late: int) -> None:
    text = told(f"2024-01-31@{told_late}")

    assert f"Mốc đầu: việc xảy ra đến hết ngày 31/01/2024, theo sổ ghi đến bút toán số {told_late}\n" in text
    assert "Số bút toán chỉ thấy ở một mốc: 2; số liệu khác nhau: 4." in text
    assert [cell.strip() for cell in text.partition("Tiền mặt (cả hai quỹ)")[2].splitlines()[0].split("│")[1:4]] == [
        "21.500.000 đ",
        "21.050.000 đ",
        "-450.000 đ",
    ]
    assert f"Bút toán số {told_late + 1}, ghi muộn 897 ngày" in text
    assert "thành viên số 4 đã nộp hội phí 50.000 đ" in " ".join(text.replace("│", " ").split())


def test_the_command_line_tells_it_in_english_and_counts_what_it_leaves_out(told_late: int) -> None:
    text = told("@0", "@99", "--lang", "en", "--most", "1")

    assert "From: what happened on any day, as recorded up to entry no. 0\n" in text
    cash = text.partition("Cash (both funds)")[2].splitlines()
    assert "+21,050,000 VND" in cash[0]
    assert "+20,000,000 VND" in cash[1]
    assert "And 4 other entries" in cash[2]
    assert "+1,050,000 VND" in cash[2]
    assert f"And {told_late + 1} other entries" in text.splitlines()[-2]


def test_the_command_line_says_when_nothing_differs_and_when_an_end_is_none(told_late: int) -> None:
    assert "Hai mốc không có gì khác nhau." in told("2024-01-31")
    for arguments in ((BANG_MAC, "yesterday"), (BANG_MAC, "2024-01-31", "2024-01-31@"), ("LS-NO-SUCH", "2024-01-31")):
        ran = CliRunner().invoke(app, ["diff", *arguments])
        assert ran.exit_code != 0
        assert isinstance(ran.exception, Mistake)
        assert ran.exception.code in ("point", "no-fund")
