"""Claims about the language of the commands an inspector runs: Vietnamese, and English for whoever asks for it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from ledger.checkpoints.vouching import Kind
from ledger.sqlite_engine import sqlite
from service.words import catalogue
from tests.support.commands import command
from tests.support.service import CONTRIBUTION_VERSION, FUND, NEW_FUND, found_anew, house, settle_in

Run = Callable[..., tuple[int, list[str]]]
CODE = re.compile(r"[A-Z2-7]{4}(-[A-Z2-7]{4}){3}")


def in_language(language: str) -> list[str]:
    """How a language is asked for: Vietnamese need not be."""
    return [] if language == "vi" else ["--lang", language]


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the books of two funds lie; in one, dues were reversed."""
    home = tmp_path_factory.mktemp("village")
    with house(f"sqlite:///{home / 'fund.db'}") as running:
        settle_in(running)
        found_anew(running)
        running.recorded(f"/funds/{FUND}/entries/{CONTRIBUTION_VERSION}/reversal", {"reason": "duplicate"})
    return home


@pytest.fixture
def village(settled: Path, tmp_path: Path) -> Path:
    """Where a copy of these books lies."""
    shutil.copy(settled / "fund.db", tmp_path)
    return tmp_path


@pytest.fixture
def run(village: Path) -> Run:
    """A command of `microfund` on those books: its exit code, and its result line by line."""

    def answered(*words: str) -> tuple[int, list[str]]:
        database, key = f"sqlite:///{village / 'fund.db'}", str(village / "key.pem")
        said = command(database, *words, MICROFUND_CHECKPOINT_KEY=key)
        return said.returncode, said.stdout.splitlines()

    return answered


VERIFIED = {
    ("vi", "--voucher", "PT-2024-0003"): (
        0,
        "sổ nguyên vẹn, 21 bút toán, mã kiểm tra ....",
        "PT-2024-0003: bút toán số 13, thu đóng góp ngày 15/03/2024, mã kiểm tra ...., ĐÃ GHI SỐ ÂM ở bút toán số 21",
        "PT-2024-0003: bút toán số 21, ghi số âm ngày 15/06/2024, mã kiểm tra ....",
    ),
    ("en", "--voucher", "PT-2024-0003"): (
        0,
        "intact, 21 entries, check code ....",
        "PT-2024-0003: version 13, contribution received on 15/03/2024, check code ...., REVERSED by version 21",
        "PT-2024-0003: version 21, entry reversed on 15/06/2024, check code ....",
    ),
    ("vi", "--head", "0" * 64, "--voucher", "PC-1999-0001"): (
        1,
        "sổ nguyên vẹn, 21 bút toán, mã kiểm tra ....",
        f"{'0' * 64}: KHÔNG thuộc bút toán nào",
        "PC-1999-0001: KHÔNG bút toán nào mang số phiếu này",
    ),
    ("en", "--head", "0" * 64, "--voucher", "PC-1999-0001"): (
        1,
        "intact, 21 entries, check code ....",
        f"{'0' * 64}: belongs to NO version",
        "PC-1999-0001: borne by NO entry",
    ),
}
"""What `microfund verify` is asked, and the exit code and the lines it answers; check codes are dots."""


@pytest.mark.parametrize("asked", VERIFIED, ids=str)
def test_what_verify_finds_is_said_in_the_readers_language(run: Run, asked: tuple[str, ...]) -> None:
    language, *on_paper = asked

    exit_code, lines = run("verify", FUND, *on_paper, *in_language(language))

    code, first, *others = VERIFIED[asked]
    assert (exit_code, [CODE.sub("....", line) for line in lines]) == (code, [f"{FUND}: {first}", *others])


def test_a_checkpoint_that_holds_and_one_that_does_not_are_told_in_both_languages(run: Run, village: Path) -> None:
    (village / "note.txt").write_text("\n".join(run("checkpoint", "make")[1]) + "\n", "utf-8")
    _, listed = run("checkpoint", "list")
    _, [holds] = run("checkpoint", "verify", str(village / "note.txt"))

    assert re.fullmatch(r"1 \S+Z 2 quỹ 27 bút toán", listed[0])
    assert re.fullmatch(r"mốc niêm phong số 1, lập lúc \S+Z: sổ của cả 2 quỹ vẫn đúng như khi ký", holds)

    books = sqlite.connect(village / "fund.db")
    books.execute("DELETE FROM stored_events WHERE originator_id = ?", (NEW_FUND,))
    books.execute("DELETE FROM stored_events WHERE originator_version > 9")
    books.commit()
    books.close()
    verify = ("checkpoint", "verify", str(village / "note.txt"))

    assert run(*verify) == (
        1,
        [
            f"{FUND}: sổ BỊ CẮT BỚT, mất từ bút toán số 10 trở đi",
            f"{NEW_FUND}: sổ ĐÃ MẤT, không còn bút toán nào",
        ],
    )
    assert run(*verify, "--lang", "en") == (
        1,
        [
            f"{FUND}: CUT SHORT, version 10 and later ones are missing",
            f"{NEW_FUND}: GONE, none of its entries is left",
        ],
    )
    assert {f"checkpoint.{kind}" for kind in get_args(Kind)} < set(catalogue.every_key())
