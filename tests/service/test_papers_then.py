"""Claims about papers of the past: printed anew, a paper says what it said then, and says that it is of then."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tests.service.test_papers import AT, code_of, read
from tests.support.service import CONTRIBUTION_VERSION, FUND, House, house, settle_in

PAPERS = (
    "vouchers/PT-2024-0003?",
    "cash-book?from=2024-01-01&",
    "loan-book?",
    "members/1?",
    "cash-counts/{count}?",
)


@pytest.fixture
def village(tmp_path: Any) -> Iterator[House]:
    with house(f"sqlite:///{tmp_path / 'fund.db'}") as running:
        settle_in(running)
        yield running


def come_late(village: House) -> None:
    """An hour later much of what was printed is no longer what the book says, and the count itself is undone."""
    version = village.get(AT).json()["version"]
    village.clock.now += timedelta(hours=1)
    village.recorded(f"{AT}/entries/{version}/reversal", {"reason": "other", "on": "2024-06-15"})
    village.recorded(f"{AT}/entries/{CONTRIBUTION_VERSION}/reversal", {"reason": "wrong_member", "on": "2024-05-15"})
    village.recorded(
        f"{AT}/contributions",
        {"member": 2, "kind": "dues", "amount": 10_000, "on": "2024-03-15", "for_month": "2024-03"},
    )
    village.recorded(f"{AT}/loans/1/repayments", {"amount": 470_000, "on": "2024-05-20"})
    village.recorded(f"{AT}/loans/1/rescheduling", {"term_months": 6, "reason": "Mất mùa", "on": "2024-05-21"})


def test_a_paper_asked_for_as_it_was_known_is_the_one_that_was_printed_then(village: House) -> None:
    count = {"counted": 91_300_000, "reason": "periodic", "witnesses": [2], "on": "2024-05-15"}
    version = village.recorded(f"{AT}/cash-counts", count)["version"]
    instant = village.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    papers = [paper.format(count=version) for paper in PAPERS]
    then = {paper: read(village, paper) for paper in papers}

    come_late(village)

    by_version = f"Theo sổ đã ghi đến bút toán số {version}; bản in này không có những bút toán ghi sau đó. "
    by_instant = by_version.replace("đến bút", "đến lúc 10:00 ngày 15/06/2024, tức đến bút")
    for paper in papers:
        known = read(village, f"{paper}known_version={version}")
        assert known.count(by_version) == 1
        assert known.replace(by_version, "") == then[paper] != read(village, paper)
        assert read(village, f"{paper}known_at={instant}").replace(by_instant, "") == then[paper]
        assert f"sổ lúc in: đến bút toán số {version}" in known
        if not paper.startswith(("vouchers", "cash-counts")):  # Those bear the check code of their entry.
            assert f"đến bút toán số {version}, mã kiểm tra {code_of(village, version)}" in known
    today = read(village, "loan-book?known_at=9999-12-31T23:59:59Z")
    assert "Theo sổ đã ghi đến lúc 11:00 ngày 15/06/2024, tức" in today, "nothing is known of later yet"
    english = read(village, f"loan-book?known_version={version}", Accept_Language="en")
    assert f"As known at entry no. {version}: what was recorded later is not on this paper." in english


def test_a_paper_of_now_does_not_speak_of_then(village: House) -> None:
    for paper in (*PAPERS[:4], "meeting-sheet?"):
        assert "Theo sổ đã ghi đến" not in read(village, paper)


def test_a_paper_of_a_day_holds_nothing_of_a_later_one(village: House) -> None:
    counted = village.recorded(f"{AT}/cash-counts", {"counted": 91_310_000, "reason": "periodic", "on": "2024-05-15"})

    for paper in ("vouchers/PT-2024-0003?as_of=2024-03-14", f"cash-counts/{counted['version']}?as_of=2024-05-14"):
        assert village.get(f"{AT}/papers/{paper}").status_code == 404
    assert "Số dư cuối kỳ 100.000.000" in read(village, "cash-book?from=2024-01-01&as_of=2024-02-14")


def test_nothing_is_printed_of_what_nobody_had_heard_yet(village: House) -> None:
    for query in ("known_at=2024-06-15T00:00:00Z", f"known_version={CONTRIBUTION_VERSION - 1}"):
        assert village.get(f"{AT}/papers/vouchers/PT-2024-0003?{query}").status_code == 404


def test_the_sheet_for_a_meeting_is_of_now_and_takes_no_other_moment(village: House) -> None:
    for query in ("as_of=2024-05-15", "known_version=9", "known_at=2024-06-15T03:00:00Z"):
        refused = village.get(f"{AT}/papers/meeting-sheet?{query}")
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "unknown-field")


def test_the_dues_of_a_month_are_told_as_they_were_known_before_late_ones_came(village: House) -> None:
    version = village.get(AT).json()["version"]
    paid = {"member": 2, "kind": "dues", "amount": 10_000, "on": "2024-03-20", "for_month": "2024-03"}
    village.recorded(f"{AT}/contributions", paid)

    now, then, before = (
        village.get(f"/funds/{FUND}/dues?as_of=2024-03-31{known}").json()
        for known in ("", f"&known_version={version}", "&known_version=12")
    )

    assert (now["version"], then["version"], before["version"]) == (version + 1, version, 12)
    assert [told["items"][-1]["paid"] for told in (now, then, before)] == [20_000, 10_000, 0]
