"""Claims about what the service says: figures, words, days, shares, languages and messages."""

import csv
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.register import folded
from service import catalogue, wording

GOLDEN_AMOUNTS = [
    (int(row["amount"]), row["in_words"])
    for row in csv.DictReader(
        (Path(__file__).parent / "golden" / "amounts_in_words.csv").read_text("utf-8").splitlines()
    )
]

# Whole groups of zeros and single figures amid zeros are where spelling goes wrong, so they are drawn often.
GROUPS = st.one_of(st.sampled_from([0, 1, 5, 10, 11, 15, 21, 100, 101, 105]), st.integers(0, 999))
AMOUNTS = st.one_of(
    st.integers(0, 10**15),
    st.lists(GROUPS, min_size=1, max_size=5).map(
        lambda groups: sum(group * 1000**place for place, group in enumerate(groups))
    ),
)


# Amounts


@pytest.mark.parametrize(("amount", "words"), GOLDEN_AMOUNTS)
def test_amounts_are_spelled_as_in_the_golden_list(amount: int, words: str) -> None:
    assert wording.in_words(amount, "vi") == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (1_001_000_000, "Một tỷ không trăm linh một triệu đồng"),
        (10_010_010, "Mười triệu không trăm mười nghìn không trăm mười đồng"),
        (10**12, "Một nghìn tỷ đồng"),
        (10**12 + 1, "Một nghìn tỷ không trăm linh một đồng"),
        (1_005_000_000_000, "Một nghìn không trăm linh năm tỷ đồng"),
        (1_000_015_000_000, "Một nghìn tỷ không trăm mười lăm triệu đồng"),
        (10**15, "Một triệu tỷ đồng"),
        (-50_000, "Âm năm mươi nghìn đồng"),
    ],
)
def test_large_and_negative_amounts_follow_the_same_rules(amount: int, words: str) -> None:
    assert wording.in_words(amount, "vi") == words


DIGITS = {
    "không": 0, "một": 1, "mốt": 1, "hai": 2, "ba": 3, "bốn": 4, "năm": 5, "lăm": 5, "sáu": 6, "bảy": 7,
    "tám": 8, "chín": 9,
}  # fmt: skip


def amount_spoken(words: str) -> int:
    """Read Vietnamese words back, from the largest scale down, by a way of its own."""
    spoken, unit = words.lower().rsplit(" ", 1)
    assert unit == "đồng"
    return number_spoken(spoken.split())


def number_spoken(words: list[str]) -> int:
    for name, scale in (("tỷ", 10**9), ("triệu", 10**6), ("nghìn", 10**3), ("trăm", 100)):
        if name in words:
            place = words.index(name)
            return number_spoken(words[:place]) * scale + number_spoken(words[place + 1 :])
    match words:
        case []:
            return 0
        case ["linh", unit]:
            return DIGITS[unit]
        case ["mười", *unit]:
            return 10 + number_spoken(unit)
        case [ten, "mươi", *unit]:
            return 10 * DIGITS[ten] + number_spoken(unit)
        case [unit]:
            return DIGITS[unit]
    raise AssertionError(f"not a number: {words}")


@given(AMOUNTS)
@example(10**15)
@example(1_000_000_000_001)
def test_the_words_say_exactly_the_amount(amount: int) -> None:
    assert amount_spoken(wording.in_words(amount, "vi")) == amount


@given(AMOUNTS)
def test_every_group_after_the_first_names_its_hundreds(amount: int) -> None:
    words = wording.in_words(amount, "vi").lower().split()[:-1]
    for place, name in enumerate(words[:-1]):
        if name in ("tỷ", "triệu", "nghìn") and words[place + 1] != "tỷ":
            assert words[place + 2] == "trăm"


@given(AMOUNTS)
def test_one_five_and_zero_tens_take_their_own_words(amount: int) -> None:
    words = f" {wording.in_words(amount, 'vi').lower()} "
    for wrong in (
        "mươi một ",
        "mươi năm ",
        "mười năm ",
        "mười mốt ",
        "linh lăm ",
        "linh mốt ",
        "mươi không ",
        "lẻ ",
    ):
        assert f" {wrong}" not in words


def test_an_amount_too_large_for_words_is_refused() -> None:
    assert wording.in_words(10**18 - 1, "vi").startswith("Chín trăm chín mươi chín triệu")
    for language in wording.LANGUAGES:
        with pytest.raises(ValueError, match="too large"):
            wording.in_words(10**18, language)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "Zero dong"),
        (21, "Twenty-one dong"),
        (115, "One hundred fifteen dong"),
        (120_000_000, "One hundred twenty million dong"),
        (1_000_000_001, "One billion one dong"),
        (1_100_000_000_000, "One trillion one hundred billion dong"),
        (10**15, "One quadrillion dong"),
        (-417_000, "Minus four hundred seventeen thousand dong"),
    ],
)
def test_english_amounts_are_spelled_without_and(amount: int, words: str) -> None:
    assert wording.in_words(amount, "en") == words


def test_figures_are_grouped_as_each_language_does() -> None:
    assert wording.dong(120_000_000, "vi") == "120.000.000 đ"
    assert wording.dong(120_000_000, "en") == "120,000,000 VND"
    assert wording.dong(-50_000, "vi") == "-50.000 đ"
    assert wording.dong(0, "vi") == "0 đ"
    assert wording.dong(999, "en") == "999 VND"


def test_a_language_nobody_speaks_is_an_error() -> None:
    with pytest.raises(KeyError):
        wording.dong(1, "fr")
    with pytest.raises(KeyError):
        wording.in_words(1, "fr")


# Days, shares and rates


def test_days_and_months_are_written_day_first() -> None:
    assert wording.day(date(2024, 3, 5), "vi") == wording.day(date(2024, 3, 5), "en") == "05/03/2024"
    assert wording.month("2024-03") == wording.month("2024-03", "en") == "03/2024"
    for wrong in ("2024-13", "2024", "2024-3", ""):
        with pytest.raises(ValueError, match=r".+"):
            wording.month(wrong)


def test_a_share_is_rounded_half_up_to_one_decimal() -> None:
    assert wording.percent(1, 3, "vi") == "33,3%"
    assert wording.percent(1, 3, "en") == "33.3%"
    assert wording.percent(2, 3, "vi") == "66,7%"
    assert wording.percent(1, 2000, "vi") == "0,1%"
    assert wording.percent(1, 2001, "vi") == "0,0%"
    assert wording.percent(50, 50, "vi") == "100,0%"
    assert wording.percent(0, 50, "vi") == "0,0%"


def test_a_share_of_nothing_is_not_zero_percent() -> None:
    assert wording.percent(0, 0, "vi") is None


def test_a_negative_share_or_rate_is_an_error() -> None:
    for numerator, denominator in ((-1, 50), (1, -50)):
        with pytest.raises(ValueError, match="never negative"):
            wording.percent(numerator, denominator, "vi")
    with pytest.raises(ValueError, match="never negative"):
        wording.rate(-1, "vi")


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_share_is_never_more_than_half_a_tenth_off(numerator: int, denominator: int) -> None:
    written = wording.percent(numerator, denominator, "en")
    assert written is not None
    tenths = int(written.rstrip("%").replace(".", ""))
    assert -denominator < 2 * (tenths * denominator - 1000 * numerator) <= denominator


@pytest.mark.parametrize(
    ("rate_ppm", "written"),
    [(10_000, "1%"), (12_500, "1,25%"), (16_666, "1,6666%"), (0, "0%"), (1, "0,0001%"), (1_000_000, "100%")],
)
def test_a_rate_is_written_exactly(rate_ppm: int, written: str) -> None:
    assert wording.rate(rate_ppm, "vi") == written
    assert wording.rate(rate_ppm, "en") == written.replace(",", ".")


# The reader's language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "vi"),
        ("", "vi"),
        ("en", "en"),
        ("EN-gb", "en"),
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en-US,en;q=0.9,vi;q=0.8", "en"),
        ("vi;q=0.1, en;q=0.11", "en"),
        ("en;q=0.5, vi;q=0.500", "vi"),
        ("fr, de;q=0.9", "vi"),
        ("fr, en;q=0.2", "en"),
        ("*", "vi"),
        ("en, *;q=0.5", "en"),
        ("vi;q=0.2, *", "en"),
        ("vi;q=0, *;q=0.1", "en"),
        ("en;q=0", "vi"),
        ("en \t; \tQ=1.000", "en"),
        (",, en ,,", "en"),
        ("en;q=2", "vi"),
        ("en;q=-1", "vi"),
        ("en;q=0.1234", "vi"),
        ("en;q=٠", "vi"),
        ("english-is-a-language", "vi"),
        ("en" + "," * 10_000, "vi"),
    ],
)
def test_the_language_follows_the_readers_weights(header: str | None, language: str) -> None:
    assert wording.language_of(header) == language


@given(st.text(max_size=2000))
def test_no_header_is_too_strange_to_answer(header: str) -> None:
    assert wording.language_of(header) in wording.LANGUAGES


# Text


def test_a_search_needs_neither_marks_nor_capitals() -> None:
    assert folded("Hoàng Thị Sầm") == "hoang thi sam"
    assert folded("ĐẶNG VĂN ĐƯỜNG") == "dang van duong"
    assert folded("Lường Thị Ửng") == folded(unicodedata.normalize("NFD", "lường thị ửng"))


@given(st.text())
def test_folding_does_not_depend_on_how_marks_were_typed(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(text)


@given(st.text())
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert folded(folded(text)) == folded(text)


# The catalogue

ENUMERATIONS = {
    "owed": "loans savings advances",
    "source": "state_budget political_org mass_org business benefactor elderly_care_fund "
    "social_security_fund credit_fund other_local_fund programme elderly_association member "
    "better_off_member community anonymous foreign_org foreign_individual",
    "pot": "revolving activity both",
    "place": "cash bank",
    "purpose": "trade livestock crops small_business other",
    "activity": "administration training health home_care community rights culture visit_gift other",
    "contribution": "dues share savings fine",
    "income": "collective bank_interest other",
    "direction": "deposit withdrawal",
    "sex": "female male",
    "poverty": "poor near_poor hardship none",
    "office": "chair deputy_chair secretary accountant treasurer volunteer",
    "leaving": "moved resigned excluded died",
    "loan_status": "requested approved rejected running settled written_off",
    "interest_method": "reducing flat",
    "repayment_mode": "equal_principal bullet interest_at_maturity",
    "reversal": "wrong_amount wrong_member duplicate wrong_date other",
    "count": "periodic surprise handover",
    "inspection": "sample focal complaint",
    "line_status": "recorded replayed refused",
    "role": "admin treasurer chair inspector reporter",
    "event": "FundOpened BylawsAdopted OpeningBalancesDeclared MemberJoined MemberChanged MemberLeft "
    "OfficeTaken OfficeLeft ContributionReceived SavingsWithdrawn DonationReceived InKindDonationReceived "
    "IncomeReceived ExpensePaid PotTransferred BankDeposited BankWithdrawn AdvanceReceived AdvanceRepaid "
    "LoanRequested LoanApproved LoanRejected LoanDisbursed LoanRepaid LoanRescheduled LoanWrittenOff "
    "LoanRecovered CashCounted MeetingHeld EntryReversed PeriodClosed PeriodReopened InspectionMade "
    "FundDissolved",
    "account": "cash bank loans equipment savings advances equity opening contributions donations in_kind "
    "transfers interest fines collective bank_interest recoveries other_income cash_over expenses "
    "write_offs cash_short",
    "kind": "text integer boolean object list",
}
SAMPLES: dict[str, object] = {
    "": "bà Hoàng Thị Sầm (thành viên số 12)",
    "dong": 417_000,
    "words": 417_000,
    "rate": 10_000,
    "day": date(2024, 3, 5),
    "month": "2024-03",
}


def sample(form: str) -> object:
    """Give a fact that a template can put into this form."""
    if form == "codes":
        return [key.removeprefix("reason.") for key in catalogue.every_key() if key.startswith("reason.")]
    if form.startswith("word."):
        return ENUMERATIONS[form.removeprefix("word.")].split()[0]
    return SAMPLES[form]


def spoken(key: str, language: str) -> str:
    return catalogue.render(key, language, **{name: sample(form) for name, form in catalogue.fields(key, language)})


@pytest.mark.parametrize("key", catalogue.every_key())
def test_both_languages_ask_for_the_same_facts(key: str) -> None:
    assert catalogue.fields(key, "vi") == catalogue.fields(key, "en")


@pytest.mark.parametrize("language", wording.LANGUAGES)
@pytest.mark.parametrize("key", catalogue.every_key())
def test_every_template_can_be_said(key: str, language: str) -> None:
    text = spoken(key, language)
    assert text == text.strip() != ""
    assert text[0] == text[0].upper()
    assert "  " not in text
    assert not any(left_over in text for left_over in ("{member", ":dong", ":word", "None"))


@pytest.mark.parametrize("language", wording.LANGUAGES)
@pytest.mark.parametrize("key", [key for key in catalogue.every_key() if key.startswith(("sentence.", "voucher."))])
def test_every_sentence_ends_as_one(key: str, language: str) -> None:
    assert spoken(key, language).endswith(".")


def test_every_text_and_its_source_file_are_composed() -> None:
    for name in ("messages.toml", "wording.py", "catalogue.py"):
        text = (Path(catalogue.__file__).parent / name).read_text("utf-8")
        assert unicodedata.is_normalized("NFC", text)


def test_every_refusal_has_a_title_and_a_detail() -> None:
    refusals = [key for key in catalogue.every_key() if key.startswith("refusal.")]
    codes = {key.split(".")[1] for key in refusals}
    assert sorted(refusals) == sorted(f"refusal.{code}.{part}" for code in codes for part in ("detail", "title"))
    assert not any(catalogue.fields(key, "vi") for key in refusals if key.endswith(".title"))


def test_every_value_of_every_enumeration_has_its_word() -> None:
    for enumeration, values in ENUMERATIONS.items():
        listed = [key for key in catalogue.every_key() if key.startswith(f"word.{enumeration}.")]
        assert listed == [f"word.{enumeration}.{value}" for value in values.split()]


def test_every_event_has_its_sentence() -> None:
    told = {key.split(".")[1] for key in catalogue.every_key() if key.startswith("sentence.")}
    assert told == set(ENUMERATIONS["event"].split())


def test_a_receipt_is_read_out_with_the_amount_in_words_and_its_voucher() -> None:
    assert catalogue.sentence(
        "ContributionReceived.dues_for_month",
        "vi",
        member="bà Hoàng Thị Sầm (thành viên số 12)",
        amount=20_000,
        on=date(2024, 3, 5),
        for_month="2024-03",
        voucher="PT-2024-0001",
    ) == (
        "Ngày 05/03/2024, bà Hoàng Thị Sầm (thành viên số 12) đã nộp hội phí tháng 03/2024 là 20.000 đ "
        "(Hai mươi nghìn đồng). Phiếu thu số PT-2024-0001."
    )


def test_a_repayment_is_read_out_with_its_split_and_what_is_left() -> None:
    assert catalogue.sentence(
        "LoanRepaid.running",
        "en",
        member="member no. 12",
        loan=3,
        amount=467_000,
        principal=417_000,
        interest=50_000,
        outstanding=4_583_000,
        on=date(2024, 3, 5),
        voucher=None,
    ) == (
        "On 05/03/2024, member no. 12 repaid 467,000 VND (Four hundred sixty-seven thousand dong) "
        "of loan no. 3: principal 417,000 VND and interest 50,000 VND; "
        "4,583,000 VND (Four million five hundred eighty-three thousand dong) is outstanding."
    )


def test_a_payment_by_the_bank_has_no_voucher_to_read_out() -> None:
    assert catalogue.sentence(
        "ExpensePaid",
        "vi",
        pot="activity",
        place="bank",
        activity="visit_gift",
        amount=300_000,
        on=date(2024, 3, 5),
        voucher=None,
    ) == (
        "Ngày 05/03/2024, quỹ hoạt động chi 300.000 đ (Ba trăm nghìn đồng) cho thăm hỏi, tặng quà, "
        "bằng tiền gửi ngân hàng."
    )


def test_a_reversal_names_the_wrong_voucher_once() -> None:
    assert catalogue.sentence(
        "EntryReversed.voucher_entry",
        "vi",
        voucher="PT-2024-0001",
        amount=50_000,
        reason="wrong_amount",
        on=date(2024, 3, 5),
    ) == ("Ngày 05/03/2024, ghi số âm chứng từ PT-2024-0001, số tiền 50.000 đ (Năm mươi nghìn đồng), vì sai số tiền.")


def test_words_keep_their_small_letters_amid_a_sentence() -> None:
    assert catalogue.word("pot", "activity", "vi") == "quỹ hoạt động"
    assert catalogue.render("word.pot.activity", "vi") == "Quỹ hoạt động"


def test_braces_in_a_fact_are_not_a_template() -> None:
    assert catalogue.render("person.unnamed", "vi", number="{name.__class__}") == "Thành viên số {name.__class__}"


def test_an_unknown_key_or_a_missing_fact_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        catalogue.render("refusal.no-such-code.detail", "vi")
    with pytest.raises(KeyError):
        catalogue.render("person.female", "vi", number=12)
    with pytest.raises(KeyError):
        catalogue.render("person.unnamed", "fr", number=12)


@pytest.mark.parametrize("fact", [None, True, 1.5, date(2024, 3, 5), ["12"]])
def test_a_fact_of_the_wrong_kind_is_never_read_out(fact: object) -> None:
    with pytest.raises(TypeError):
        catalogue.render("person.unnamed", "vi", number=fact)


@pytest.mark.parametrize(
    "template",
    ["{member.name}", "{member[0]}", "{0}", "{}", "{member!r}", "{member:>20}", "{member:{member}}"],
)
def test_a_template_reaches_no_further_than_the_facts(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue._ENTRIES, "trial", {"vi": template, "en": template})
    with pytest.raises((KeyError, ValueError)):
        catalogue.render("trial", "vi", member="thành viên số 12")


def test_reasons_are_listed_in_the_readers_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(catalogue._ENTRIES, "trial", {"vi": "vì: {reasons:codes}.", "en": "because: {reasons:codes}."})
    reasons = ("membership-too-short", "household-has-open-loan")
    assert catalogue.render("trial", "vi", reasons=reasons) == (
        "Vì: chưa đủ số tháng tham gia theo quy chế; gia đình đang có khoản vay chưa trả hết."
    )
    with pytest.raises(KeyError):
        catalogue.render("trial", "en", reasons=["no-such-reason"])
    with pytest.raises(TypeError):
        catalogue.render("trial", "en", reasons="membership-too-short")


def test_an_entry_without_both_languages_is_not_loaded() -> None:
    with pytest.raises(ValueError, match=r"word\.sex\.female"):
        dict(catalogue._entries({"word": {"sex": {"female": {"vi": "nữ"}}}}))
