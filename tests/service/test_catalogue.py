"""Claims about the catalogue of words: whole in both languages, filled in by facts, read aloud as sentences."""

import tomllib
import unicodedata
from datetime import date
from pathlib import Path

import pytest

from service.words import catalogue, wording

ENUMERATIONS = {
    "owed": "loans savings advances",
    "source": "state_budget political_org mass_org business benefactor elderly_care_fund "
    "social_security_fund credit_fund other_local_fund programme elderly_association member "
    "better_off_member community anonymous foreign_org foreign_individual",
    "support": "state_budget political_org mass_org business benefactor elderly_care_fund "
    "social_security_fund credit_fund other_local_fund programme elderly_association member "
    "better_off_member community anonymous foreign_org foreign_individual",
    "purpose_phrase": "trade livestock crops small_business other",
    "counted_pot": "revolving activity both",
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
    "role": "admin treasurer chair inspector reporter member",
    "phone_end": "logged_out revoked handover",
    "approver": "account office",
    "event": "FundOpened BylawsAdopted OpeningBalancesCorrected OpeningBalancesDeclared "
    "MemberJoined MemberChanged MemberLeft "
    "OfficeTaken OfficeLeft ContributionReceived SavingsWithdrawn DonationReceived InKindDonationReceived "
    "IncomeReceived ExpensePaid PotTransferred BankDeposited BankWithdrawn AdvanceReceived AdvanceRepaid "
    "LoanRequested LoanApproved LoanRejected LoanDisbursed LoanRepaid LoanRescheduled LoanWrittenOff "
    "LoanRecovered CashCounted MeetingHeld EntryReversed PeriodClosed PeriodReopened InspectionMade "
    "MemberReturned DuesForgiven SavingsSetOff InterestWaived AttendanceCorrected FundDissolved PlaceChanged "
    "ActivityHeld MutualHelpGiven",
    "area": "economic health home_care mutual_help rights culture resources learning",
    "help": "labour money goods skill",
    "unit": "province city district urban_district town township commune ward special_zone",
    "account": "cash bank loans equipment savings advances equity opening contributions donations in_kind "
    "transfers interest fines collective bank_interest recoveries other_income cash_over expenses "
    "write_offs cash_short",
    "kind": "text integer boolean object list",
}
SAMPLES: dict[str, object] = {
    "": "bà Hoàng Thị Sầm (thành viên số 12)",
    "dong": 417_000,
    "words": 417_000,
    "count": 11_939,
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


def test_both_languages_ask_for_the_same_facts() -> None:
    assert [key for key in catalogue.every_key() if catalogue.fields(key, "vi") != catalogue.fields(key, "en")] == []


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_template_can_be_said(language: str) -> None:
    for key in catalogue.every_key():
        text = spoken(key, language)
        assert text == text.strip() != "", key
        assert text[0] == text[0].upper(), key
        assert "  " not in text, key
        assert not any(left_over in text for left_over in ("{member", ":dong", ":word", "None")), key


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_sentence_ends_as_one(language: str) -> None:
    sentences = [key for key in catalogue.every_key() if key.startswith(("sentence.", "voucher."))]
    assert [key for key in sentences if not spoken(key, language).endswith(".")] == []


def test_every_text_and_its_source_file_are_composed() -> None:
    programs = [Path(str(module.__file__)) for module in (wording, catalogue)]
    assert [
        path for path in (*catalogue.FILES, *programs) if not unicodedata.is_normalized("NFC", path.read_text("utf-8"))
    ] == []


def test_no_entry_stands_in_two_files() -> None:
    keys = [key for file in catalogue.FILES for key, _ in catalogue._entries(tomllib.loads(file.read_text("utf-8")))]
    assert len(keys) == len(set(keys)) == len(catalogue.every_key())


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
        "Ngày 05/03/2024, bà Hoàng Thị Sầm (thành viên số 12) đã nộp hội phí tháng 03/2024 là 20.000 đ "
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
        "On 05/03/2024, member no. 12 repaid 467,000 VND (Four hundred sixty-seven thousand dong) "
        "of loan no. 3: principal 417,000 VND and interest 50,000 VND; "
        "4,583,000 VND (Four million five hundred eighty-three thousand dong) is outstanding."
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
        "Ngày 05/03/2024, quỹ hoạt động chi 300.000 đ (Ba trăm nghìn đồng) cho thăm hỏi, tặng quà, "
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
    ) == ("Ngày 05/03/2024, ghi số âm phiếu số PT-2024-0001, số tiền 50.000 đ (Năm mươi nghìn đồng), vì sai số tiền.")


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
