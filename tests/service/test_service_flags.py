"""Claims about red flags as people meet them: over the service, on the command line, by settings."""

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.flags import RULES, Thresholds
from service import command_line, terminal
from service.access.principals import Scope
from service.inspection.flag_keeper import BUSY_SHARE, SHARE_OF_TIME, FlagKeeper
from service.inspection.flag_service import FlagService
from service.settings import load_settings
from tests.support.service import FUND, NAME, NEW_FUND, OTHER_FUND, House, settle_in

AT = f"/funds/{FUND}"


def read(village: House, path: str, token: str | None = None, **headers: str) -> dict[str, Any]:
    answer = village.get(path, token, **headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    found: dict[str, Any] = answer.json()
    return found


def items(village: House, rule: str, **query: Any) -> list[dict[str, Any]]:
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return [item for item in read(village, f"{AT}/flags?{asked}")["items"] if item["rule"] == rule]


def test_a_flag_is_told_with_its_rule_in_words_what_was_found_and_the_entries(village: House) -> None:
    # The village's book was entered in June for what had happened since January.
    vietnamese = read(village, f"{AT}/flags")
    english = village.get(f"{AT}/flags", Accept_Language="en")

    (late,) = [item for item in vietnamese["items"] if item["rule"] == "late-entries"]
    assert late["title"] == "Ghi sổ muộn nhiều lần"
    assert "hơn 14 ngày" in late["why"]
    assert (
        late["finding"]
        == "Trong tháng 06/2024 có 8 bút toán ghi muộn, ghi trong 1 ngày khác nhau; khoản muộn nhất muộn 157 ngày."
    )
    assert late["facts"] == {"month": "2024-06", "entries": 8, "sittings": 1, "most_days": 157}
    entries = read(village, f"{AT}/entries?order=asc")["items"]
    assert {entry["type"] for entry in entries if entry["version"] in late["versions"]} > {"LoanDisbursed"}
    assert english.headers["Content-Language"] == "en"
    assert english.json()["items"][0]["title"] == "Entered late, again and again"
    assert vietnamese["note"] == "Đây là những điều cần hỏi cho rõ, chưa phải là lỗi của ai."
    assert NAME not in str(vietnamese)


def test_the_rules_that_found_nothing_are_told_as_well_with_the_thresholds(village: House) -> None:
    found = read(village, f"{AT}/flags")

    assert [rule["rule"] for rule in found["rules"]] == list(RULES)
    assert sum(rule["flags"] for rule in found["rules"]) == len(found["items"])
    assert found["thresholds"]["late_days"] == Thresholds().late_days
    assert found["version"] == read(village, f"{AT}/balances")["version"]


def test_flags_hold_at_a_point_in_both_times(village: House) -> None:
    version = read(village, f"{AT}/flags")["version"]
    for _ in range(3):
        village.recorded(f"{AT}/loans", {"member": 2, "principal": 90_000_000, "term_months": 6, "purpose": "crops"})
        number = read(village, f"{AT}/loans")["items"][-1]["loan"]
        village.recorded(f"{AT}/loans/{number}/approval", {"override": {"reason": "Họp nhất trí"}})

    assert [item["facts"]["overrides"] for item in items(village, "overrides")] == [3]
    assert items(village, "overrides", known_version=version) == []
    assert items(village, "overrides", as_of="2024-05-31") == []
    assert len(items(village, "overrides", known_version=version + 6)) == 1


def test_an_approver_who_is_linked_to_a_member_is_known_by_the_account(village: House) -> None:
    kin = {"sex": "male", "birth_year": 1950, "poverty": "none", "household": "H1"}
    member = village.recorded(f"{AT}/members", kin)["member"]
    chair = village.issue("chair", scope=Scope(funds=(FUND,)), members={FUND: 1})
    village.recorded(f"{AT}/loans", {"member": member, "principal": 1_000_000, "term_months": 6, "purpose": "crops"})
    number = read(village, f"{AT}/loans")["items"][-1]["loan"]
    village.recorded(f"{AT}/loans/{number}/approval", token=chair)

    (flag,) = items(village, "approver-household")

    assert (flag["facts"]["approver"], flag["facts"]["borrower"], flag["facts"]["known_by"]) == (1, member, "account")
    assert "theo chính người đã duyệt" in flag["finding"]


# --- which clubs to begin with ----------------------------------------------------------------------------------------


def test_the_clubs_in_scope_are_told_with_the_worst_first(village: House) -> None:
    village.clock.pass_days(300)
    settle_in(village, OTHER_FUND, district="Văn Quan")

    everywhere = read(village, "/flags")
    district = village.issue("inspector", scope=Scope(province="Lạng Sơn", district="Văn Quan"))
    one = read(village, "/flags", district)

    counts = [item["flags"] for item in everywhere["items"]]
    assert counts == sorted(counts, reverse=True)
    assert {item["fund"] for item in everywhere["items"]} == {FUND, OTHER_FUND, NEW_FUND}
    assert [item["fund"] for item in one["items"]] == [OTHER_FUND]
    for item in everywhere["items"]:
        alone = read(village, f"/funds/{item['fund']}/flags")
        assert item["flags"] == sum(item["by_rule"].values()) == len(alone["items"])
        assert item["version"] == alone["version"]


def test_pages_of_clubs_hold_each_once_and_no_page_folds_the_whole_country(village: House) -> None:
    first = read(village, "/flags?limit=1")
    second = read(village, f"/flags?limit=1&cursor={first['next']}")

    assert [page["items"][0]["fund"] for page in (first, second)] == sorted([FUND, NEW_FUND])
    assert second["next"] is None
    assert village.get("/flags?limit=51").json()["errors"][0]["code"] == "limit-invalid"


def change_history(village: House) -> None:
    """Somebody rewrites the new club's bylaws in the database, and not the hash that the next line has of them."""
    village.state.ledger.database.execute(
        "UPDATE stored_events SET state = CAST(replace(CAST(state AS TEXT), '10000', '10001') AS BLOB) "
        "WHERE originator_id = :fund AND originator_version = 2",
        fund=NEW_FUND,
    )


def test_a_fund_whose_history_was_changed_comes_before_all_others_and_hides_none(village: House) -> None:
    change_history(village)

    broken, sound = read(village, "/flags")["items"]

    assert (broken["fund"], broken["flags"], broken["broken"]) == (NEW_FUND, None, 3)
    assert (sound["fund"], sound["flags"]) == (FUND, len(read(village, f"{AT}/flags")["items"]))
    assert village.get(f"/funds/{NEW_FUND}/flags").json()["code"] == "history-broken"


def test_what_was_found_is_kept_until_something_is_recorded(village: House) -> None:
    flag_service, stands, day = village.flag_service, read(village, AT), village.state.today()

    first = flag_service.flags(FUND, stands["version"], stands["head"], day)

    assert flag_service.flags(FUND, stands["version"], stands["head"], day) is first
    village.recorded(f"{AT}/donations", {"source": "member", "pot": "activity", "amount": 1_000})
    now = read(village, AT)
    assert flag_service.flags(FUND, now["version"], now["head"], day) is not first


# --- settings and the command line ------------------------------------------------------------------------------------


def test_flags_are_looked_for_before_anybody_asks_and_again_only_where_something_is_new(village: House) -> None:
    keeper = keeper_of(village)
    clubs = [club["fund"] for club in read(village, "/flags")["items"]]
    village.app.state.flag_service = fresh = FlagService(village.state.ledger, village.principals, Thresholds())

    assert len(list(keeper.look())) == len(clubs)
    assert list(keeper.look()) == []
    village.recorded(f"{AT}/donations", {"source": "business", "pot": "activity", "amount": 70_000, "on": "2024-06-14"})
    read(village, AT)  # Waits until the tables have it.
    assert len(list(keeper.look())) == 1

    fresh.look = None  # type: ignore[assignment]  # Nothing is left to be looked for.
    assert [club["fund"] for club in read(village, "/flags")["items"]] == clubs


def keeper_of(village: House) -> FlagKeeper:
    """One that has been there since the service began, and has looked up just now."""
    keeper = FlagKeeper(
        village.state, lambda: village.app.state.flag_service, lambda: village.app.state.metrics.waited_for
    )
    keeper.pause(0, SHARE_OF_TIME)
    return keeper


def test_who_looks_for_flags_gives_way_to_whoever_records_or_asks(village: House) -> None:
    keeper = keeper_of(village)
    gift = {"source": "business", "pot": "activity", "amount": 70_000, "on": "2024-06-14"}
    for ask in (lambda: village.recorded(f"{AT}/donations", gift), lambda: read(village, AT)):
        assert keeper.pause(2, SHARE_OF_TIME) == 2 * (SHARE_OF_TIME - 1)
        ask()
        assert keeper.pause(2, SHARE_OF_TIME) == 2 * (BUSY_SHARE - 1)
    for path in ("/healthz", "/readyz", "/metrics"):
        assert village.client.get(path).status_code == 200
    assert keeper.pause(2, SHARE_OF_TIME) == 2 * (SHARE_OF_TIME - 1), "nobody waits for a monitor's answer"


def test_a_broken_history_does_not_keep_the_others_from_being_looked_at(village: House) -> None:
    village.app.state.flag_service = FlagService(village.state.ledger, village.principals, Thresholds())
    village.state.ledger.database.execute(
        "DELETE FROM stored_events WHERE originator_id = :fund AND originator_version = 2", fund=FUND
    )
    keeper = keeper_of(village)

    looked_at = len(list(keeper.look()))

    assert looked_at == len(read(village, "/flags")["items"])
    assert len(list(keeper.look())) == 1


def test_thresholds_are_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROFUND_FLAG_LATE_DAYS", "30")
    monkeypatch.setenv("MICROFUND_FLAG_CASH_HIGH_DONG", "5000000")

    assert load_settings().flag == Thresholds(late_days=30, cash_high_dong=5_000_000)


@pytest.fixture
def command(village: House, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setenv("MICROFUND_DATABASE", village.state.settings.database)
    return lambda *words: CliRunner().invoke(command_line.app, ["flags", *words])


def test_the_command_line_tells_of_one_fund_and_of_all(command: Callable[..., Any]) -> None:
    one, english, everything = command(FUND), command(FUND, "--lang", "en"), command("--all")

    assert "Ghi sổ muộn nhiều lần (1)" in one.stdout
    assert "[bút toán số" in one.stdout
    assert english.stdout.startswith("Entered late, again and again (1)\n  In one month,")
    assert english.stdout.endswith("These are questions to ask, not accusations.\n")
    assert everything.stdout.splitlines()[0].startswith(f"{FUND}: ")
    assert "ghi sổ muộn nhiều lần: 1; " in everything.stdout
    assert everything.stdout.splitlines()[1] == f"{NEW_FUND}: 0"
    assert command(NEW_FUND).stdout == "Không có điều gì cần hỏi thêm.\n"


@pytest.mark.parametrize("words", [(), (FUND, "--all"), ("LS-NO-SUCH",)], ids=str)
def test_a_command_that_names_no_fund_of_ours_is_a_mistake(command: Callable[..., Any], words: tuple[str, ...]) -> None:
    assert isinstance(command(*words).exception, terminal.Mistake)


def test_the_command_line_shows_broken_funds_first(village: House, command: Callable[..., Any]) -> None:
    change_history(village)

    said = [command("--all", "--lang", language).stdout.splitlines()[0] for language in ("vi", "en")]

    assert said == [
        f"{NEW_FUND}: sổ KHÔNG KHỚP từ bút toán số 3, 2 bút toán trước đó còn nguyên vẹn",
        f"{NEW_FUND}: BROKEN at version 3, 2 entries before it are intact",
    ]
    assert isinstance(command(NEW_FUND).exception, terminal.Mistake)
