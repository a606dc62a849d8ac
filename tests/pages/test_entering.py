"""Claims about recording on a page: asked, read back, recorded once, whatever is pressed how often."""

from collections.abc import Iterator

import pytest

from ledger.events import EVENT_TYPES
from service.pages.forms import EVERYDAY, FORMS, types_of
from service.pages.typed import MORE_ROWS
from tests.support.pages import Browser, Fields, Opened
from tests.support.service import BYLAWS, FUND, NAME, NEW_FUND, OTHER_FUND, House, found_anew, house, opening, settle_in

ANSWERS: dict[str, Fields] = {
    "contribution": {"member": "1", "kind": "dues", "for_month": "2024-05", "amount": "10.000", "paid_by": "2"},
    "repayment": {"loan": "1", "amount": "470.000"},
    "expense": {"activity": "culture", "amount": "350.000", "note": "Trà và bánh", "pot": "activity", "place": "cash"},
    "donation": {"source": "business", "donor": "Công ty Hữu Lũng", "pot": "revolving", "amount": "5.000.000"},
    "loan": {"member": "2", "principal": "2.000.000", "term_months": "6", "purpose": "crops", "guarantor": "1"},
    "disbursement": {"loan": "2", "place": "cash"},
    "withdrawal": {"member": "1", "amount": "100.000"},
    "income": {"kind": "collective", "pot": "activity", "amount": "450.000"},
    "in_kind_donation": {
        "source": "state_budget",
        "items.0.what": "loa kéo",
        "items.0.quantity": "2",
        "items.0.unit": "bộ",
        "items.0.value": "12.000.000",
    },
    "bank_movement": {"direction": "deposit", "pot": "revolving", "amount": "5.000.000"},
    "pot_transfer": {"from": "activity", "to": "revolving", "amount": "200.000"},
    "advance": {"source": "mass_org", "lender": NAME, "amount": "2.000.000"},
    "advance_repayment": {"advance": "1", "amount": "400.000"},
    "set_off": {"loan": "1", "amount": "100.000"},
    "recovery": {"loan": "4", "amount": "100.000"},
    "activity": {"area": "culture", "participants": "40", "volunteers": "0"},
    "mutual_help": {"kind": "labour", "quantity": "6", "unit": "công", "people": "2", "worth": "1.200.000"},
    "member": {"name": "Triệu Thị Én", "sex": "female", "birth_year": "1960", "poverty": "none", "household": "H7"},
    "departure": {"member": "2", "reason": "moved"},
    "return": {"member": "2"},
    "forgiven_dues": {"member": "2", "months": ["2024-03", "2024-04"], "reason": "Ốm"},
    "change": {"member": "1", "poverty": "poor"},
    "office": {"member": "2", "office": "treasurer"},
    "waiver": {"loan": "1", "amount": "10.000", "reason": "Nhà bị lũ"},
    "rescheduling": {"loan": "1", "term_months": "6", "reason": "Mất mùa"},
    "write_off": {"loan": "1", "reason": "Họp đã biểu quyết"},
    "opening_balances": {
        "on": "2024-01-10",
        "pots.revolving.cash": "4.500.000",
        "pots.revolving.bank": "10.000.000",
        "pots.activity.cash": "1.200.000",
        "pots.activity.bank": "0",
        "loans.0.member": "1",
        "loans.0.principal": "5.000.000",
        "loans.0.outstanding": "2.916.000",
        "loans.0.disbursed_on": "2023-08-10",
        "loans.0.term_months": "12",
        "loans.0.purpose": "livestock",
        "loans.0.monthly_rate_ppm": "0,8",
        "savings.0.member": "2",
        "savings.0.amount": "500.000",
        "advances.0.source": "elderly_association",
        "advances.0.amount": "2.000.000",
        "equipment.0.what": "loa kéo",
        "equipment.0.quantity": "1",
        "equipment.0.unit": "bộ",
        "equipment.0.value": "6.000.000",
        "document": "01/BBBG",
    },
    "period": {"through": "2024-02-29"},
    "reopening": {"from": "2024-01-15", "reason": "Tìm thấy phiếu chi"},
}
"""What a treasurer answers each form of a fund as `settle_in` leaves it."""

IN_ANOTHER_FUND = {"return": NEW_FUND, "opening_balances": NEW_FUND}


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}") as running:
        settle_in(running)
        found_anew(running)
        running.recorded("/funds", opening(OTHER_FUND))
        yield running


def address_of(what: str) -> str:
    return f"/clubs/{IN_ANOTHER_FUND.get(what, FUND)}/entries/new/{what}"


def answered(form: Opened, answers: Fields) -> Fields:
    """A form with these answers, and nothing else that it did not ask."""
    names = set(form.values("name"))
    assert answers.keys() <= names
    return form.form | answers


def test_every_form_has_its_answers_here() -> None:
    assert ANSWERS.keys() == FORMS.keys()
    assert set(EVERYDAY) <= FORMS.keys()
    assert {event for what in FORMS for event in types_of(what)} <= EVENT_TYPES.keys()


# The last ones change what the others rest upon: interest that is paid, a closed period, a member who leaves.
LAST = ("repayment", "set_off", "rescheduling", "recovery", "write_off", "departure", "period", "reopening")


@pytest.mark.parametrize("what", [*(what for what in FORMS if what not in LAST), *LAST])
def test_every_kind_of_entry_is_read_back_and_recorded_once(club: House, what: str) -> None:
    browser, at = Browser(club), address_of(what)
    form = browser.open(at)
    typed = answered(form, ANSWERS[what])
    before = club.entries()

    to_check = browser.send(f"{at}/check", typed)
    check = browser.follow(to_check)
    assert (check.status, check.values("data-page")) == (200, ["check"])
    assert club.entries() == before, "a dry run records nothing"
    done = browser.send(at, check.form)
    receipt = browser.follow(done)
    recorded = club.entries()
    assert (receipt.status, receipt.values("data-page")) == (200, ["entry"])
    assert recorded > before

    for _ in range(2):  # Back, and pressed again; pressed twice.
        again = browser.follow(browser.send(at, check.form))
        assert again.values("data-replayed") == ["true"]
        assert again.values("data-version") == receipt.values("data-version")
    assert browser.follow(done).values("data-version") == receipt.values("data-version"), "the receipt reloaded"
    back = browser.follow(to_check)
    assert (back.status, back.values("data-page"), back.values("data-replayed")) == (200, ["check"], ["true"])
    assert club.entries() == recorded

    assert " ".join(receipt.aloud) == " ".join(check.aloud), "what was read aloud is what was recorded"
    version = receipt.values("data-version")[0]
    path = f"/funds/{IN_ANOTHER_FUND.get(what, FUND)}/entries/{version}"
    assert club.get(path).json()["type"] in types_of(what)


@pytest.mark.parametrize("what", FORMS)
def test_an_empty_form_says_at_each_field_what_is_missing_and_keeps_what_was_typed(club: House, what: str) -> None:
    # An old book is taken over once, and by now it was.
    at = old_book(OTHER_FUND) if what == "opening_balances" else address_of(what)
    browser = Browser(club)
    form = browser.open(at)
    text = next((name for name in ("note", "reason", "donor", "lender", "name", "document") if name in form.form), None)
    typed = {name: "" if name != "key" else value for name, value in form.form.items()} | (
        {text: "Viết rồi"} if text else {}
    )

    refused = browser.send(f"{at}/check", typed)

    assert refused.status == 422
    assert refused.values("data-page") == ["form"]
    assert refused.of("div")[0].get("role") == "alert" or "alert" in refused.values("role")
    wrong = [its["id"] for its in refused.of("p") if "data-error" in its]
    assert wrong
    described = {its.get("aria-describedby") for _, its in refused.found if its.get("aria-invalid") == "true"}
    assert described <= set(wrong)
    assert refused.form.get("key") == typed["key"]
    if text:
        assert refused.form[text] == "Viết rồi"


def test_the_same_form_with_something_else_in_it_asks_whether_to_record_one_more(club: House) -> None:
    browser, at = Browser(club), address_of("contribution")
    typed = answered(browser.open(at), {"member": "2", "kind": "fine", "amount": "50.000"})
    recorded = browser.follow(browser.send(at, typed))
    before = club.entries()

    other = browser.send(at, typed | {"amount": "60.000"})

    assert (other.status, other.values("data-act")) == (409, ["again"])
    assert "50.000\u00a0đ" in other.words
    assert club.entries() == before
    assert other.form["key"] != typed["key"]
    check = browser.follow(browser.send(f"{at}/check", other.form))
    second = browser.follow(browser.send(at, check.form))
    assert second.values("data-voucher") != recorded.values("data-voucher")
    assert club.entries() == before + 1


def test_an_amount_is_read_with_dots_or_commas_and_one_that_is_chosen_yields_to_one_that_is_typed(club: House) -> None:
    browser, at = Browser(club), address_of("contribution")
    form = browser.open(f"{at}?member=1")
    assert form.form["proposal"] == str(BYLAWS["monthly_dues"])

    def amount(**typed: str) -> list[str | None]:
        check = browser.follow(browser.send(f"{at}/check", {**form.form, "kind": "dues", **typed}))
        return [its.get("value") for its in check.of("input") if its.get("name") == "amount"]

    assert amount(amount="") == ["10000"]
    assert amount(amount="20.000") == ["20.000"]
    assert amount(amount="1,000") == ["1,000"]
    assert amount(amount="20\u00a0000 đ") == ["20\u00a0000 đ"]


def test_an_amount_ten_times_the_usual_is_asked_about_once_and_never_refused(club: House) -> None:
    for _ in range(8):
        club.recorded(f"/funds/{FUND}/expenses", {"activity": "health", "amount": 50_000, "on": "2024-06-10"})
    browser, at = Browser(club), address_of("expense")
    typed = answered(browser.open(at), {"activity": "health", "amount": "500.000", "note": "Thuốc"})

    check = browser.follow(browser.send(f"{at}/check", typed))

    assert check.values("data-warning") == ["amount-unusual"]
    assert "Gấp 10\u00a0lần mức thường là 50.000\u00a0đ. Đúng 500.000\u00a0đ chứ?" in check.words
    assert browser.follow(browser.send(at, check.form)).values("data-voucher") != []


def test_what_looks_entered_twice_is_shown_beside_what_was_entered_first(club: House) -> None:
    body = {"activity": "visit_gift", "amount": 120_000, "on": "2024-06-11"}
    first = club.recorded(f"/funds/{FUND}/expenses", body)
    browser, at = Browser(club), address_of("expense")
    typed = answered(browser.open(at), {"activity": "visit_gift", "amount": "120.000", "on": "2024-06-11"})

    check = browser.follow(browser.send(f"{at}/check", typed))

    assert "possible-duplicate" in check.values("data-warning")
    assert f"/clubs/{FUND}/entries/{first['version']}" in [link.get("href") for link in check.of("a")]


def test_what_was_typed_is_kept_for_its_own_writer_and_an_hour_only(club: House) -> None:
    browser, other = Browser(club), Browser(club, club.issue("treasurer"))
    at = address_of("expense")
    typed = answered(browser.open(at), {"activity": "health", "amount": "71.000", "note": "Thuốc"})
    to_check = browser.send(f"{at}/check", typed)
    check = to_check.answer.headers["Location"]

    assert browser.open(check).form["note"] == "Thuốc"
    assert browser.open(f"{at}?key={typed['key']}").form["note"] == "Thuốc"
    assert other.open(check).status == 303
    assert "note" in other.open(f"{at}?key={typed['key']}").form
    assert other.open(f"{at}?key={typed['key']}").form["note"] == ""
    club.clock.pass_days(1)
    try:
        assert browser.open(check).status == 303
    finally:
        club.clock.pass_days(-1)


def test_whoever_may_not_record_is_not_asked(club: House) -> None:
    for role in ("inspector", "reporter", "admin", "member"):
        browser = Browser(club, club.issue(role))
        assert browser.open(address_of("expense")).status == 403
        assert browser.send(address_of("expense"), {"key": "a" * 8, "amount": "1"}).status == 403
    treasurer = Browser(club, club.issue("treasurer"))
    assert treasurer.open(address_of("write_off")).status == 403
    assert f"/clubs/{FUND}/entries/new/write_off" not in treasurer.open(f"/clubs/{FUND}/entries/new").text


# --- an old club's books ------------------------------------------------------------------------------------------

OLD_BOOK = ANSWERS["opening_balances"]


def old_book(fund: str) -> str:
    return f"/clubs/{fund}/entries/new/opening_balances"


def test_an_old_book_is_offered_until_there_is_money_in_the_new_one(club: House) -> None:
    browser = Browser(club)
    offered = [
        old_book(fund) in browser.open(f"/clubs/{fund}/entries/new").values("href") for fund in (OTHER_FUND, FUND)
    ]
    assert offered == [True, False]
    too_late = browser.open(old_book(FUND))
    assert (too_late.values("data-page"), too_late.values("data-error")) == (["form"], ["books-have-begun"])
    assert too_late.forms == []
    refused = browser.send(f"{old_book(FUND)}/check", OLD_BOOK | {"key": "too-late-1"})
    assert (refused.status, refused.values("data-page")) == (409, ["form"])


def test_an_old_book_says_when_the_members_are_missing_whose_loans_are_in_it(club: House) -> None:
    browser = Browser(club)
    assert browser.open(old_book(OTHER_FUND)).values("data-missing") == ["members"]

    refused = browser.send(f"{old_book(OTHER_FUND)}/check", OLD_BOOK | {"key": "nobody-there"})

    assert (refused.status, refused.values("data-error")[0]) == (422, "member-not-found")
    assert refused.form["loans.0.principal"] == OLD_BOOK["loans.0.principal"]


def test_more_rows_come_with_what_was_typed_and_empty_rows_between_are_closed_up(club: House) -> None:
    browser, at = Browser(club), old_book(OTHER_FUND)
    form = browser.open(at)
    rows = sum(name is not None and name.endswith(".term_months") for name in form.values("name"))
    before = club.entries()

    more = browser.send(f"{at}/check", form.form | {"loans.1.member": "7", "document": "01/BBBG", "more": "loans"})
    shown = browser.follow(more)

    assert more.answer.headers["Location"].endswith(f"#loans.{rows}")
    assert sum(name is not None and name.endswith(".term_months") for name in shown.values("name")) == rows + MORE_ROWS
    assert (shown.form["loans.0.member"], shown.form["document"]) == ("7", "01/BBBG")
    assert club.entries() == before
    wrong = browser.send(f"{at}/check", shown.form | {"loans.3.member": "8", "loans.3.principal": "năm triệu"})
    assert wrong.status == 422
    assert "wrong-loans.1.principal" in wrong.values("id"), "what is wrong stands in the row that it is shown in"
    assert wrong.form["loans.1.principal"] == "năm triệu"


def test_a_figure_of_the_old_box_is_never_left_out_by_mistake(club: House) -> None:
    browser, at = Browser(club), old_book(OTHER_FUND)
    typed = browser.open(at).form | {"on": "2024-01-10", "pots.revolving.cash": "1.000.000"}

    refused = browser.send(f"{at}/check", typed)

    assert [its["id"] for its in refused.of("p") if "data-error" in its] == [
        "wrong-pots.revolving.bank",
        "wrong-pots.activity.cash",
        "wrong-pots.activity.bank",
    ]
