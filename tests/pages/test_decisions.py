"""Claims about what the board decides on pages: loan requests, the count of the box, bylaws."""

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.events.governance import NOTES
from service.pages.counting import slip_of
from tests.support.pages import Browser, Fields, Opened
from tests.support.people import PIN, calling
from tests.support.service import FUND, House, house, settle_in

APPROVALS = f"/clubs/{FUND}/approvals"
COUNT = f"/clubs/{FUND}/cash-count"
BYLAWS = f"/clubs/{FUND}/bylaws"


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path_factory.mktemp('club') / 'fund.db'}") as running:
        settle_in(running)
        yield running


def requested(club: House, principal: int = 1_000_000, **more: object) -> str:
    body = {"member": 2, "principal": principal, "term_months": 6, "purpose": "crops", "on": "2024-06-01", **more}
    return str(club.recorded(f"/funds/{FUND}/loans", body)["loan"])


def form_of(page: Opened, loan: str) -> Fields:
    (form,) = (form for form in page.forms if form.get("loan") == loan)
    return form


def state(club: House, loan: str) -> str:
    return str(club.get(f"/funds/{FUND}/loans/{loan}").json()["status"])


# --- loan requests ------------------------------------------------------------------------------------------------


def test_each_request_says_whether_it_meets_the_bylaws(club: House) -> None:
    sound, large = requested(club), requested(club, 90_000_000)

    page = Browser(club).open(APPROVALS)

    verdicts = dict(zip(page.values("data-loan"), page.values("data-verdict"), strict=True))
    assert (verdicts[sound], verdicts[large]) == ("sound", "not-eligible")
    assert "số tiền vay vượt mức cao nhất của quy chế" in page.words
    assert page.values("data-act").count("override") == 1


@pytest.mark.parametrize(
    ("act", "principal", "more", "becomes"),
    [
        ("approve", 1_000_000, {}, "approved"),
        ("override", 90_000_000, {"override.reason": "Cả buổi đã đồng ý"}, "approved"),
        ("reject", 1_000_000, {"reason": "Chờ đợt sau"}, "rejected"),
    ],
)
def test_a_decision_is_recorded_once_however_often_it_is_sent(
    club: House, act: str, principal: int, more: Fields, becomes: str
) -> None:
    browser, loan = Browser(club), requested(club, principal)
    sent = form_of(browser.open(APPROVALS), loan) | {"act": act} | more

    receipt = browser.follow(browser.send(APPROVALS, sent))

    assert (receipt.values("data-page"), state(club, loan)) == (["entry"], becomes)
    before = club.entries()
    again = browser.follow(browser.send(APPROVALS, sent))
    assert (again.values("data-replayed"), again.values("data-version")) == (["true"], receipt.values("data-version"))
    assert club.entries() == before
    assert loan not in browser.open(APPROVALS).values("data-loan")


def test_what_the_bylaws_forbid_is_refused_without_a_reason_and_what_was_typed_stays(club: House) -> None:
    browser, loan = Browser(club), requested(club, 90_000_000)
    form = form_of(browser.open(APPROVALS), loan)

    refused = browser.send(APPROVALS, form | {"act": "approve", "reason": "Chưa quyết"})
    assert (refused.status, "not-eligible" in refused.values("data-error")) == (422, True)
    assert form_of(refused, loan)["reason"] == "Chưa quyết"
    for act, field in (("override", "override.reason"), ("reject", "reason")):
        refused = browser.send(APPROVALS, form | {"act": act})
        wrong = [its["id"] for its in refused.of("p") if its.get("data-error") == "field-missing"]
        assert wrong == [f"wrong-{loan}-{field}"]
    assert state(club, loan) == "requested"


def test_a_second_thought_about_a_decided_request_is_asked_about(club: House) -> None:
    browser, loan = Browser(club), requested(club)
    form = form_of(browser.open(APPROVALS), loan)
    browser.follow(browser.send(APPROVALS, form | {"act": "approve"}))

    asked = browser.send(APPROVALS, form | {"act": "reject", "reason": "Nghĩ lại"})

    assert (asked.status, asked.values("data-act")) == (409, ["again"])
    assert browser.follow(browser.send(APPROVALS, asked.form)).status == 200
    assert state(club, loan) == "rejected"


def test_from_a_phone_a_decision_needs_the_pin(club: House) -> None:
    browser, loan = Browser(club, phone=calling(club, "chair").choose_pin()), requested(club)
    form = form_of(browser.open(APPROVALS), loan)
    assert form["pin"] == ""

    for pin, code in (("", "pin-required"), ("111222", "pin-wrong")):
        refused = browser.send(APPROVALS, form | {"act": "reject", "reason": "Chờ đợt sau", "pin": pin})
        assert (refused.status, code in refused.values("data-error")) == (403, True)
        assert form_of(refused, loan)["reason"] == "Chờ đợt sau"
        assert form_of(refused, loan)["pin"] == ""
    assert state(club, loan) == "requested"
    browser.follow(browser.send(APPROVALS, form | {"act": "reject", "reason": "Chờ đợt sau", "pin": PIN}))
    assert state(club, loan) == "rejected"


def test_nobody_but_the_chair_decides(club: House) -> None:
    for role in ("treasurer", "inspector", "reporter", "admin"):
        browser = Browser(club, club.issue(role))
        assert browser.open(APPROVALS).status == 403
        assert browser.send(APPROVALS, {"act": "approve", "loan": "3", "key": "k" * 20}).status == 403
    assert Browser(club).send(APPROVALS, {"act": "steal", "loan": "3", "key": "k" * 20}).status == 404


# --- the count ----------------------------------------------------------------------------------------------------


def box(club: House) -> int:
    return int(club.get(f"/funds/{FUND}").json()["cash"])


def in_notes(amount: int) -> Fields:
    notes: Fields = {}
    for note in NOTES:
        pieces, amount = divmod(amount, note)
        notes |= {f"notes.{note}": str(pieces)} if pieces else {}
    assert amount == 0
    return notes


def test_the_book_is_shown_beside_the_count_only_when_all_is_counted(club: House) -> None:
    browser, expected = Browser(club), box(club)

    form = browser.open(COUNT)
    assert form.values("data-figure") == []
    check = browser.follow(
        browser.send(f"{COUNT}/check", form.form | in_notes(expected - 10_000) | {"witnesses": ["1", "2"]})
    )

    figures = dict(zip(check.values("data-figure"), check.values("data-value"), strict=True))
    assert figures == {"counted": str(expected - 10_000), "expected": str(expected), "difference": "-10000"}
    assert check.values("data-slip") == ["dues"]
    assert "alert" not in check.values("role")
    assert box(club) == expected, "nothing is recorded yet"
    receipt = browser.follow(browser.send(COUNT, check.form))
    assert box(club) == expected - 10_000
    version = receipt.values("data-version")[0]
    counted: Any = list(club.state.ledger.entries(FUND))[int(str(version)) - 1].event
    assert (counted.witnesses, counted.reason, counted.notes["500000"]) == ((1, 2), "periodic", expected // 500_000)
    assert f"/v1/funds/{FUND}/papers/cash-counts/{version}" in [link.get("href") for link in receipt.of("a")]


def test_a_count_of_nothing_is_asked_again_and_an_empty_box_is_a_count(club: House) -> None:
    browser = Browser(club)
    form = browser.open(COUNT).form

    refused = browser.send(f"{COUNT}/check", form)
    assert (refused.status, "Xin ghi số tờ" in refused.words) == (422, True)
    wrong = browser.send(f"{COUNT}/check", form | {"notes.500000": "ba", "notes.10000": "7"})
    assert [its["id"] for its in wrong.of("p") if "data-error" in its] == ["wrong-notes.500000"]
    assert (wrong.form["notes.500000"], wrong.form["notes.10000"]) == ("ba", "7")
    empty = browser.follow(browser.send(f"{COUNT}/check", form | {"notes.500000": "0"}))
    assert dict(zip(empty.values("data-figure"), empty.values("data-value"), strict=True))["counted"] == "0"


@pytest.mark.parametrize(
    ("difference", "slip"),
    [(0, None), (10_000, "dues"), (-10_000, "dues"), (-9_000, "digits"), (45_000, "digits"), (20_000, None), (5, None)],
)
def test_a_difference_is_named_by_the_slip_it_looks_like(difference: int, slip: str | None) -> None:
    assert slip_of(difference, dues=10_000) == slip


def test_a_handover_needs_a_pin_and_a_count_as_usual_does_not(club: House) -> None:
    browser = Browser(club, phone=calling(club, "treasurer").choose_pin())
    form = browser.open(COUNT).form | in_notes(box(club))

    usual = browser.follow(browser.send(f"{COUNT}/check", form))
    handover = browser.follow(browser.send(f"{COUNT}/check", form | {"reason": "handover"}))

    assert ("pin" in usual.form, "pin" in handover.form) == (False, True)
    assert browser.send(COUNT, handover.form | {"pin": "999111"}).status == 403
    assert browser.follow(browser.send(COUNT, handover.form | {"pin": PIN})).values("data-page") == ["entry"]


# --- bylaws -------------------------------------------------------------------------------------------------------


def test_bylaws_are_told_in_plain_words_and_new_ones_begin_with_those_in_force(club: House) -> None:
    browser = Browser(club)
    page = browser.open(BYLAWS)
    assert "Lãi suất cho vay 1% một tháng." in page.words
    assert (page.form["monthly_rate_ppm"], page.form["max_principal"]) == ("1", "10.000.000")

    wrong = browser.send(f"{BYLAWS}/check", page.form | {"monthly_rate_ppm": "1200"})
    assert (wrong.status, "Xin ghi phần trăm từ 0 đến 100" in wrong.words) == (422, True)
    changed = page.form | {"monthly_rate_ppm": "1,25", "one_open_loan_per_household": "true", "meeting_day": "20"}
    check = browser.follow(browser.send(f"{BYLAWS}/check", changed))
    browser.follow(browser.send(BYLAWS, check.form))

    in_force = club.get(f"/funds/{FUND}").json()["bylaws"]
    assert (in_force["monthly_rate_ppm"], in_force["one_open_loan_per_household"]) == (12_500, True)
    assert (in_force["meeting_day"], in_force["interest_to_activity_ppm"]) == (20, 300_000)
    assert "Lãi suất cho vay 1,25% một tháng." in browser.open(BYLAWS).words


def test_everybody_of_the_club_reads_the_bylaws_and_the_chair_alone_writes_them(club: House) -> None:
    for role in ("treasurer", "inspector", "reporter", "admin", "member"):
        browser = Browser(club, club.issue(role, members={FUND: 1} if role == "member" else {}))
        page = browser.open(BYLAWS)
        assert (page.status, page.forms) == (200, [])
        assert browser.send(f"{BYLAWS}/check", {"key": "k" * 20}).status == 403
        assert browser.send(BYLAWS, {"key": "k" * 20}).status == 403
