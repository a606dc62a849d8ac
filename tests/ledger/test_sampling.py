"""Claims about samples: drawn by lot from a public number, the same by everybody, and recorded by the fund itself."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from typer.testing import CliRunner

from ledger.events import Draw, InspectionMade, decode, drawn, encode
from ledger.refusals import EntryNotFound
from ledger.sampling import in_order_of_lot
from service import command_line
from service.access.principals import Scope
from service.terminal import Mistake
from tests.support.histories import random_fund
from tests.support.service import FUND, NAME, OTHER_FUND, House, house, settle_in
from tests.support.village import (
    day,
    gives,
    joins,
    lends,
    lines,
    metadata,
    refused,
    repays,
    spends,
    undoes,
    village,
    whole_life,
)

SEED = "XSMB-2024-03-10-48213"
PAGE = (Path(__file__).parents[2] / "docs" / "verify.md").read_text(encoding="utf-8")

# --- the lot ----------------------------------------------------------------------------------------------------------


def test_the_order_is_that_of_sha256sum_and_sort() -> None:
    # for fund in LS-A LS-B LS-C LS-D LS-E; do printf "$SEED|$fund" | sha256sum | sed "s/-/$fund/"; done | sort
    assert in_order_of_lot(SEED, ["LS-A", "LS-B", "LS-C", "LS-D", "LS-E"]) == ["LS-D", "LS-C", "LS-A", "LS-B", "LS-E"]


def test_the_order_in_which_the_clubs_are_listed_does_not_matter() -> None:
    clubs = ["LS-A", "LS-B", "LS-C", "LS-D"]
    assert len({tuple(in_order_of_lot(SEED, listed)) for listed in permutations(clubs)}) == 1
    assert len(in_order_of_lot(SEED, clubs * 2)) == 4


def test_over_many_lotteries_every_club_and_every_pair_of_clubs_comes_up_alike() -> None:
    clubs = ["LS-A", "LS-B", "LS-C", "LS-D", "LS-E", "LS-F"]
    draws = [in_order_of_lot(f"XSMB-{number:05}", clubs) for number in range(3_000)]
    for ways, bound, counted in (
        (6, 20, Counter(order[0] for order in draws)),
        (6, 20, Counter(order[5] for order in draws)),
        (15, 36, Counter(frozenset(order[:2]) for order in draws)),
    ):
        expected = len(draws) // ways
        assert len(counted) == ways
        # Chi-square, in whole numbers: with one less degree of freedom than ways, a thousandth of all tries is above.
        assert sum((times - expected) ** 2 for times in counted.values()) <= bound * expected


def test_another_number_draws_otherwise() -> None:
    fund = random_fund(2)
    draws = {drawn(Draw(seed=f"XSMB-{number}", vouchers=5), fund.entries).vouchers for number in range(20)}
    assert len(draws) == 20


def test_the_same_number_draws_otherwise_in_another_club() -> None:
    one, other = (drawn(Draw(seed=SEED, vouchers=10), random_fund(seed).entries) for seed in (2, 4))
    assert one.vouchers != other.vouchers


# --- what is drawn from -----------------------------------------------------------------------------------------------


def test_a_reversed_voucher_can_be_drawn_and_its_reversal_is_no_voucher_of_its_own() -> None:
    fund = village(spends(300_000, on="2024-02-05"), undoes(on="2024-02-06"))
    sample = drawn(Draw(seed=SEED, vouchers=9), fund.entries)
    assert (sample.of_vouchers, sorted(sample.vouchers)) == (3, ["PC-2024-0001", "PT-2024-0001", "PT-2024-0002"])


def test_loans_are_those_handed_out_or_taken_over_never_those_only_asked_for() -> None:
    taken_over = whole_life()
    disbursed = {event.loan for event in taken_over.entries if event.name == "LoanDisbursed"}  # type: ignore[attr-defined]
    old = {loan.loan for event in taken_over.entries for loan in getattr(event, "loans", ())}
    sample = drawn(Draw(seed=SEED, loans=99), taken_over.entries)
    assert old
    assert disbursed
    assert set(sample.loans) == disbursed | old
    assert sample.of_loans == len(sample.loans) < len(taken_over.loans)


def test_only_entries_of_the_days_asked_for_are_drawn() -> None:
    fund = village(lends(1, on="2024-01-15"), spends(300_000, on="2024-02-05"), repays(1, 60_000, on="2024-02-29"))
    on = day("2024-02-05")
    sample = drawn(Draw(seed=SEED, vouchers=9, loans=9, since=on, until=on), fund.entries)
    assert (sample.of_vouchers, sample.vouchers, sample.loans) == (1, ("PC-2024-0002",), ())


def test_what_comes_later_changes_no_draw_from_what_was_known() -> None:
    fund = random_fund(5)
    known = drawn(Draw(seed=SEED, vouchers=4, loans=2, known_version=80), fund.entries)
    assert known == drawn(Draw(seed=SEED, vouchers=4, loans=2), fund.entries[:80])
    assert known.known_version == 80


# --- on record --------------------------------------------------------------------------------------------------------


def test_the_fund_keeps_the_number_what_it_drew_from_and_what_it_drew() -> None:
    fund = village(lends(1, on="2024-01-15"), lends(2, on="2024-01-15"), spends(300_000, on="2024-02-05"))
    before = fund.version
    made = fund.note_inspection(metadata("2024-03-11"), kind="sample", sample=Draw(seed=SEED, vouchers=2, loans=1))
    assert made.sample == drawn(Draw(seed=SEED, vouchers=2, loans=1, known_version=before), fund.entries)
    assert (made.sample.known_version, made.sample.of_vouchers, made.sample.of_loans) == (before, 5, 2)
    assert decode(lines(fund)[-1]) == made
    assert not made.legs()


def test_nothing_can_be_drawn_from_entries_that_are_not_there_yet() -> None:
    fund = village()
    with refused(fund, EntryNotFound, version=fund.version + 1):
        fund.note_inspection(
            metadata("2024-03-11"), kind="sample", sample=Draw(seed=SEED, known_version=fund.version + 1)
        )


def test_an_inspection_from_before_there_were_samples_is_still_read_and_written_as_it_was() -> None:
    fund = village()
    fund.note_inspection(metadata("2024-03-11"), kind="focal")
    line = lines(fund)[-1]
    made = decode(line)
    assert b"sample" not in line
    assert isinstance(made, InspectionMade)
    assert made.sample is None
    assert encode(made) == line


# --- over HTTP --------------------------------------------------------------------------------------------------------

LOT = {"seed": SEED, "vouchers": 3, "loans": 1}
QUERY = f"seed={SEED}&vouchers=3&loans=1"


def test_what_the_inspector_drew_is_what_is_recorded_though_entries_came_between(village: House) -> None:
    looked_at = village.get(f"/funds/{FUND}/sample?{QUERY}").json()
    village.recorded(f"/funds/{FUND}/expenses", {"activity": "culture", "amount": 50_000, "on": "2024-06-15"})
    body = {"kind": "sample", "sample": LOT | {"known_version": looked_at["known_version"]}, "on": "2024-06-15"}
    recorded = village.recorded(f"/funds/{FUND}/inspections", body)

    kept = kept_sample(village, recorded["version"])
    assert kept == {
        "seed": SEED,
        "known_version": looked_at["known_version"],
        "of_vouchers": looked_at["of_vouchers"],
        "vouchers": [voucher["voucher"] for voucher in looked_at["vouchers"]],
        "of_loans": looked_at["of_loans"],
        "loans": [loan["loan"] for loan in looked_at["loans"]],
    }
    assert village.get(f"/funds/{FUND}/sample?{QUERY}&known_version={looked_at['known_version']}").json() == looked_at
    known = kept["known_version"]
    assert recorded["sentence"] == (
        "Ngày 15/06/2024, đoàn kiểm tra đã giám sát mẫu quỹ của câu lạc bộ. Theo số công khai XSMB-2024-03-10-48213, "
        f"đã rút thăm 3 trong 7 phiếu thu, phiếu chi và 1 trong 2 khoản vay của sổ đến bút toán số {known}."
    )


def kept_sample(village: House, version: int) -> dict[str, Any]:
    """The sample in the line of an inspection."""
    (line,) = village.state.ledger.recorder.lines(FUND, version - 1, version)
    sample: dict[str, Any] = json.loads(line)["sample"]
    return sample


def test_each_voucher_and_loan_drawn_is_where_the_answer_says(village: House) -> None:
    looked_at = village.get(f"/funds/{FUND}/sample?seed={SEED}&vouchers=200&loans=200").json()
    assert len(looked_at["vouchers"]) == looked_at["of_vouchers"]
    for voucher in looked_at["vouchers"]:
        entry = village.get(f"/funds/{FUND}/entries/{voucher['version']}").json()
        assert {name: entry[name] for name in voucher} == voucher
    for loan in looked_at["loans"]:
        entry = village.get(f"/funds/{FUND}/entries/{loan['version']}").json()
        assert (entry["type"], entry["loan"], entry["on"]) == ("LoanDisbursed", loan["loan"], loan["on"])


def test_an_inspection_sent_twice_draws_once_and_a_dry_run_never(village: House) -> None:
    body = {"kind": "sample", "sample": LOT, "on": "2024-06-15"}
    before = village.entries()
    tried = village.post(f"/funds/{FUND}/inspections?dry_run=true", body).json()
    assert village.entries() == before

    first = village.post(f"/funds/{FUND}/inspections", body, key="inspection-0001")
    village.recorded(f"/funds/{FUND}/expenses", {"activity": "culture", "amount": 50_000, "on": "2024-06-15"})
    again = village.post(f"/funds/{FUND}/inspections", body, key="inspection-0001")

    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.json() == first.json()
    assert tried["sentence"] == first.json()["sentence"]
    assert village.entries() == before + 2


def test_nobody_brings_a_sample_of_their_own(village: House) -> None:
    for chosen in ({"loans": [1]}, {"drawn": ["PT-2024-0001"]}, {"of_vouchers": 2}):
        answer = village.post(f"/funds/{FUND}/inspections", {"kind": "sample", "sample": LOT | chosen})
        assert answer.status_code == 422, chosen


WRONG: tuple[tuple[dict[str, object], str, str], ...] = (
    ({"seed": NAME}, "/sample/seed", "not-well-formed"),
    ({"seed": "HoangThiSam"}, "/sample/seed", "not-well-formed"),
    ({"seed": "XSMB|48213"}, "/sample/seed", "not-well-formed"),
    ({"seed": "123"}, "/sample/seed", "not-well-formed"),
    ({"vouchers": 0, "loans": 0}, "/sample", "field-missing"),
    ({"vouchers": 201}, "/sample/vouchers", "number-out-of-range"),
    ({"vouchers": "3"}, "/sample/vouchers", "not-an-integer"),
    ({"from": "2024-03-02", "to": "2024-03-01"}, "/sample", "period-upside-down"),
)


def test_a_lot_that_says_too_little_or_could_name_somebody_is_refused(village: House) -> None:
    for lot, pointer, code in WRONG:
        answer = village.post(f"/funds/{FUND}/inspections", {"kind": "sample", "sample": LOT | lot})
        found = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
        assert (answer.status_code, found) == (422, [(pointer, code)])


def test_a_draw_upside_down_or_without_a_number_is_refused(village: House) -> None:
    at = f"/funds/{FUND}/sample"
    assert village.get(f"{at}?seed={SEED}&from=2024-03-02&to=2024-03-01").json()["code"] == "period-upside-down"
    assert village.get(f"{at}?vouchers=3").status_code == 422
    assert village.get(f"{at}?seed={quote(NAME)}").status_code == 422


# --- clubs ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def two_villages(database_url: str) -> Iterator[House]:
    with house(database_url) as running:
        settle_in(running)
        settle_in(running, OTHER_FUND, district="Văn Quan")
        yield running


def test_clubs_are_drawn_from_those_in_scope_only(two_villages: House) -> None:
    everywhere, of_one_district = (
        two_villages.issue("inspector", scope=scope)
        for scope in (Scope(province="Lạng Sơn"), Scope(province="Lạng Sơn", district="Văn Quan"))
    )
    ask = f"/sample?seed={SEED}&clubs=2"

    all_of_them = two_villages.get(ask, everywhere).json()
    assert all_of_them["clubs"] == in_order_of_lot(SEED, [FUND, OTHER_FUND])
    assert all_of_them["of"] == 2
    listed = subprocess.run(["sha256sum"], input=f"{FUND}\n{OTHER_FUND}\n", capture_output=True, text=True, check=True)
    assert all_of_them["population"] == listed.stdout.split()[0]
    assert two_villages.get(f"/sample?seed={SEED}&clubs=1", everywhere).json()["clubs"] == all_of_them["clubs"][:1]

    assert two_villages.get(ask, of_one_district).json()["clubs"] == [OTHER_FUND]
    assert two_villages.get(f"{ask}&district={quote('Lạng Sơn')}", everywhere).json()["clubs"] == [FUND]
    assert two_villages.get(f"{ask}&district={quote('Lạng Sơn')}", of_one_district).json()["of"] == 0


# --- by hand, and on the command line ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [None, 3, 6])
@pytest.mark.parametrize("page", PAGE.split("\n---\n"), ids=["vi", "en"])
def test_the_commands_of_the_page_draw_what_the_fund_draws(tmp_path: Path, page: str, seed: int | None) -> None:
    fund = whole_life() if seed is None else random_fund(seed)
    (tmp_path / "history.ndjson").write_bytes(b"".join(line + b"\n" for line in lines(fund)))
    blocks = re.findall(r"^```bash runnable\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (block,) = (block for block in blocks if "draw()" in block)
    asked = block.replace("head -n 20", f"head -n {fund.version}")
    ran = subprocess.run(["bash", "-eu"], input=asked, cwd=tmp_path, capture_output=True, text=True, check=True)

    sample = drawn(Draw(seed=SEED, vouchers=3, loans=1), fund.entries)
    assert len(sample.vouchers) == 3
    assert ran.stdout.split() == [
        *(f"{fund.id}/{voucher}" for voucher in sample.vouchers),
        *(f"{fund.id}/loan/{loan}" for loan in sample.loans),
    ]


def test_the_command_line_draws_the_same_from_the_database_and_from_a_file(
    settled_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROFUND_DATABASE", f"sqlite:///{settled_database}")
    run = CliRunner().invoke
    file = tmp_path / "history.ndjson"
    file.write_bytes(run(command_line.app, ["history", FUND]).stdout_bytes)
    lot = ["--seed", SEED, "--vouchers", "2", "--loans", "1", "--known-version", "14"]

    said = [run(command_line.app, ["sample", what, *lot]).stdout for what in (FUND, str(file))]

    assert said[0] == said[1]
    entries = [decode(line) for line in file.read_bytes().splitlines()]
    sample = drawn(Draw(seed=SEED, vouchers=2, loans=1, known_version=14), entries)
    assert re.findall(r"^P[TC]-\S+", said[0], re.MULTILINE) == list(sample.vouchers)
    assert re.findall(r"^khoản vay số (\d+)", said[0], re.MULTILINE) == [str(loan) for loan in sample.loans]
    clubs = run(command_line.app, ["sample", "--seed", SEED, "--clubs", "1"]).stdout.splitlines()
    assert clubs[0].startswith("1 trong 2 câu lạc bộ")
    assert len(clubs) == 2


def test_the_command_line_draws_from_no_broken_history_and_by_no_name(
    settled_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MICROFUND_DATABASE", f"sqlite:///{settled_database}")
    broken = tmp_path / "history.ndjson"
    broken.write_bytes(b"".join(line + b"\n" for line in lines(village(joins(), gives(1)))[1:]))
    for words in ([str(broken), "--seed", SEED], ["LS-NO-SUCH", "--seed", SEED], [FUND, "--seed", NAME]):
        refusal = CliRunner().invoke(command_line.app, ["sample", *words, "--vouchers", "1"]).exception
        assert isinstance(refusal, Mistake)
