"""Claims about correcting on a page: one act, the form filled in, and both entries stay."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.events import EVENT_TYPES
from service.pages.correcting import LINE_OF
from service.writes.table import LINES
from tests.support.pages import Browser, Opened
from tests.support.people import PIN, calling
from tests.support.service import FUND, MEETING_VERSION, NAME, NEW_FUND, House, found_anew, house, settle_in

RECORDED: dict[str, tuple[str, dict[str, Any]]] = {
    "contribution": (
        "contributions",
        {"member": 1, "kind": "dues", "amount": 10_000, "for_month": "2024-04", "paid_by": 2, "note": "Con trai nộp"},
    ),
    "withdrawal": ("withdrawals", {"member": 1, "amount": 50_000, "paid_by": "Hoàng Văn Lẻ"}),
    "donation": (
        "donations",
        {
            "source": "foreign_org",
            "foreign": True,
            "donor": "Ông A",
            "document": "7/BB",
            "pot": "activity",
            "amount": 5,
        },
    ),
    "income": ("incomes", {"kind": "bank_interest", "pot": "revolving", "place": "bank", "amount": 9_000}),
    "expense": ("expenses", {"activity": "health", "pot": "revolving", "amount": 80_000, "note": "Thuốc"}),
    "pot_transfer": ("pot-transfers", {"from": "activity", "to": "revolving", "amount": 200_000}),
    "bank_movement": ("bank-movements", {"direction": "deposit", "pot": "activity", "amount": 700_000}),
    "in_kind_donation": (
        "in-kind-donations",
        {
            "source": "mass_org",
            "items": [
                {"what": "loa kéo", "quantity": 2, "unit": "bộ", "value": 12_000_000},
                {"what": "ghế", "quantity": 40, "unit": "cái", "value": 4_000_000},
            ],
        },
    ),
    "advance": ("advances", {"source": "community", "lender": NAME, "amount": 3_000_000}),
    "advance_repayment": ("advances/1/repayments", {"amount": 100_000}),
    "repayment": ("loans/1/repayments", {"amount": 470_000}),
    "set_off": ("loans/1/set-off", {"amount": 20_000}),
    "recovery": ("loans/4/recoveries", {"amount": 30_000}),
    "disbursement": ("loans/2/disbursement", {"place": "cash"}),
    "activity": ("activities", {"area": "health", "participants": 31, "volunteers": 4, "note": "Khám mắt"}),
    "mutual_help": ("mutual-help", {"kind": "goods", "quantity": 20, "unit": "kg gạo", "people": 2, "worth": 400_000}),
}
"""An entry by each kind of line; requests for loans have no reversal."""


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}") as running:
        settle_in(running)
        found_anew(running)
        yield running


def correction(version: int, fund: str = FUND) -> str:
    return f"/clubs/{fund}/entries/{version}/correction"


def recorded(club: House, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = club.recorded(f"/funds/{FUND}/{path}", body | {"on": "2024-06-10"})
    return answer


def legs(club: House, version: int) -> Any:
    return club.get(f"/funds/{FUND}/entries/{version}").json()["legs"]


def test_every_line_but_a_request_can_take_the_place_of_an_entry() -> None:
    assert RECORDED.keys() == LINES.keys() - {"loan"}
    assert set(LINE_OF.values()) == LINES.keys()
    assert LINE_OF.keys() <= EVENT_TYPES.keys()


@pytest.mark.parametrize("kind", RECORDED)
def test_an_entry_is_entered_again_just_as_it_was_if_nothing_is_changed_in_the_form(club: House, kind: str) -> None:
    """Only its own fields can show that the form was filled in with all of them."""
    path, body = RECORDED[kind]
    wrong = recorded(club, path, body)
    browser, at = Browser(club), correction(wrong["version"])

    form = browser.open(at)
    assert (form.status, form.values("data-page")) == (200, ["correction"])
    check = browser.follow(browser.send(f"{at}/check", form.form | {"reason": "other", "note": "Ghi lại"}))
    receipt = browser.follow(browser.send(at, check.form))

    right = int(str(receipt.values("data-version")[0]))
    assert club.get(f"/funds/{FUND}/entries/{wrong['version']}").json()["reversed_by"] == right - 1
    were, are = legs(club, wrong["version"]), legs(club, right)
    assert [leg | {"of": None} for leg in are] == [leg | {"of": None} for leg in were], "an advance gets a new number"
    events = [entry.event for entry in club.state.ledger.entries(FUND)]
    sent, again = events[wrong["version"] - 1], events[right - 1]
    kept: tuple[str, ...] = ("on", "member", "loan", "kind", "for_month", "place", "paid_by", "source", "document")
    kept += ("items", "foreign", "area", "participants", "volunteers", "quantity", "unit", "people", "worth")
    assert [getattr(sent, name, None) for name in kept] == [getattr(again, name, None) for name in kept]
    known = club.state.ledger.register.texts
    told, told_again = (
        {name: known([digest])[digest] for name, digest in (event.texts or {}).items()} for event in (sent, again)
    )
    assert told == told_again


def test_a_corrected_amount_leaves_both_vouchers_in_the_book_and_names_them(club: House) -> None:
    wrong = recorded(club, "expenses", {"activity": "culture", "amount": 15_000})
    browser, at = Browser(club), correction(wrong["version"])
    form = browser.open(at)
    assert form.form["replacement.amount"] == "15.000"

    typed = form.form | {"reason": "wrong_amount", "replacement.amount": "51.000"}
    check = browser.follow(browser.send(f"{at}/check", typed))
    done = browser.send(at, check.form)
    receipt = browser.follow(done)

    (right,) = receipt.values("data-voucher")
    said = f"Đã ghi số âm cho {wrong['voucher']} và ghi lại đúng là {right}"
    assert said in receipt.words.replace(" .", ".")
    assert "Cả hai đều còn trong sổ." in receipt.words
    reversal = int(str(receipt.values("data-version")[0])) - 1
    for version in (wrong["version"], reversal):
        assert said in browser.open(f"/clubs/{FUND}/entries/{version}").words
    for _ in range(2):
        again = browser.follow(browser.send(at, check.form))
        assert (again.values("data-voucher"), again.values("data-replayed")) == ([right], ["true"])
    refused = browser.open(at)
    assert (refused.status, refused.values("data-error")) == (409, ["already-reversed"])


def test_an_entry_is_only_undone_if_that_is_what_was_asked(club: House) -> None:
    wrong = recorded(club, "expenses", {"activity": "culture", "amount": 16_000})
    browser, at = Browser(club), correction(wrong["version"])

    typed = browser.open(at).form | {"reason": "duplicate", "only_undo": "true", "replacement.amount": "rất nhiều"}
    check = browser.follow(browser.send(f"{at}/check", typed))
    receipt = browser.follow(browser.send(at, check.form))

    assert receipt.values("data-corrected") == ["false"]
    last = club.get(f"/funds/{FUND}/entries/{receipt.values('data-version')[0]}").json()
    assert (last["type"], last["reverses"]) == ("EntryReversed", wrong["version"])


def test_what_no_line_can_replace_is_only_undone_and_what_cannot_be_undone_says_so(club: House) -> None:
    counted = recorded(club, "cash-counts", {"counted": 1, "reason": "periodic"})
    browser = Browser(club)

    form = browser.open(correction(counted["version"]))
    assert [name for name in form.form if name.startswith("replacement")] == []
    at = correction(counted["version"])
    check = browser.follow(browser.send(f"{at}/check", form.form | {"reason": "wrong_amount"}))
    assert browser.follow(browser.send(at, check.form)).values("data-corrected") == ["false"]

    for version, code in ((1, "not-reversible"), (3, "not-reversible"), (999_999, "entry-not-found")):
        refused = browser.open(correction(version))
        assert refused.values("data-error") == [code]
        assert refused.of("a")[0]["href"] == f"/clubs/{FUND}/entries/{version}"
    assert "correction" not in browser.open(f"/clubs/{FUND}/entries/3").text


def test_a_mistake_in_the_right_entry_is_shown_at_its_field_and_nothing_is_undone(club: House) -> None:
    wrong = recorded(club, "expenses", {"activity": "culture", "amount": 17_000})
    browser, at = Browser(club), correction(wrong["version"])
    typed = browser.open(at).form | {"note": "Thừa một số 0", "replacement.amount": "0"}

    refused = browser.send(f"{at}/check", typed)

    assert refused.status == 422
    assert {its.get("id") for its in refused.of("p") if "data-error" in its} == {
        "wrong-reason",
        "wrong-replacement.amount",
    }
    assert (refused.form["note"], refused.form["replacement.amount"]) == ("Thừa một số 0", "0")
    assert club.get(f"/funds/{FUND}/entries/{wrong['version']}").json()["reversed_by"] is None


def test_an_entry_of_a_closed_period_is_corrected_on_a_day_that_is_open(club: House) -> None:
    old = club.recorded(f"/funds/{FUND}/expenses", {"activity": "culture", "amount": 18_000, "on": "2024-02-20"})
    club.recorded(f"/funds/{FUND}/periods", {"through": "2024-02-29", "on": "2024-06-10"})
    browser, at = Browser(club), correction(old["version"])

    form = browser.open(at)

    assert (form.form["on"], form.form["replacement.on"]) == ("", "")
    typed = form.form | {"reason": "wrong_amount", "replacement.amount": "19.000"}
    check = browser.follow(browser.send(f"{at}/check", typed))
    assert browser.follow(browser.send(at, check.form)).status == 200


def test_a_whole_sheet_is_undone_in_one_act(club: House) -> None:
    browser, at = Browser(club), correction(MEETING_VERSION, NEW_FUND)

    form = browser.open(at)
    check = browser.follow(browser.send(f"{at}/check", form.form | {"reason": "wrong_date"}))
    receipt = browser.follow(browser.send(at, check.form))

    assert receipt.aloud == check.aloud
    assert "cả phiếu ghi buổi sinh hoạt" in receipt.aloud[0]
    assert club.get(f"/funds/{NEW_FUND}/entries/{MEETING_VERSION}").json()["reversed_by"] is not None


def test_somebody_elses_entry_needs_a_pin_and_a_wrong_pin_records_nothing(club: House) -> None:
    phone = calling(club, "treasurer").choose_pin()
    browser = Browser(club, phone=phone)
    theirs = recorded(club, "expenses", {"activity": "culture", "amount": 21_000})
    own = phone.post(f"/funds/{FUND}/expenses", {"activity": "culture", "amount": 22_000}).json()

    def checked(version: int) -> Opened:
        at = correction(version)
        typed = browser.open(at).form | {"reason": "wrong_amount", "replacement.amount": "23.000"}
        return browser.follow(browser.send(f"{at}/check", typed))

    assert "pin" not in checked(own["version"]).form
    check, at, before = checked(theirs["version"]), correction(theirs["version"]), club.entries()
    for pin, code in (("", "pin-required"), ("111222", "pin-wrong")):
        refused = browser.send(at, check.form | {"pin": pin})
        assert (refused.status, refused.values("data-error")) == (403, [code])
        assert {**refused.form, "pin": ""} == {**check.form, "pin": ""}
        assert pin == "" or pin not in refused.text
    assert club.entries() == before
    assert browser.follow(browser.send(at, check.form | {"pin": PIN})).values("data-corrected") == ["true"]
