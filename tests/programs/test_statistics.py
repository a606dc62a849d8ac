"""Claims about the data set of `docs/statistics.md`: other engines count in it, and come to our figures."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger import data_set
from ledger.chart import ACCOUNTS, ASSETS, LIABILITIES
from ledger.data_set import Exported, NotThisLog, export
from ledger.events import NO_HEAD, head_of
from ledger.projections import balances, borrowing
from ledger.projections.funds import FundFilter
from ledger.projections.read_model import ReadModel
from tests.support.demo import filled
from tests.support.jobs import IS_LONG
from tests.support.tables import following

duckdb = pytest.importorskip("duckdb")

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
BLOCKS = dict(re.findall(r"```(?:sql|python) (\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
AS_OF = date(2026, 6, 30)
"""The day that the page asks about."""

Ask = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadModel]:
    """Three clubs of the demo, and one to practise on, which nobody may count."""
    url = f"sqlite:///{tmp_path_factory.mktemp('books') / 'demo.db'}"
    demo = filled(url, date(2026, 8, 20), clubs=3, since=date(2025, 3, 1))
    with closing(demo.ledger):
        model = following(demo.ledger)
        model.catch_up()
        yield model


@pytest.fixture(scope="module")
def books(model: ReadModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("statistics") / "books"
    export(model, folder)
    return folder


def filled_in(block: str, books: Path) -> str:
    """A block of the page for one data set."""
    position = json.loads(max(books.glob("manifest-*.json")).read_bytes())["position"]
    text = BLOCKS[block].replace("books/", f"{books}/").replace("position=POSITION", f"position={position:012}")
    return text.replace("POSITION", str(position))


@pytest.fixture(scope="module")
def in_duckdb(books: Path) -> Iterator[Ask]:
    with duckdb.connect() as session:
        session.execute(filled_in("duckdb", books))
        yield lambda sql: session.sql(sql).fetchall()


@pytest.fixture(scope="module")
def in_spark(books: Path) -> Iterator[Ask]:
    if not IS_LONG:
        pytest.skip("a Java runtime takes as long to start as a tenth of the suite: scripts/test --long")
    sql = pytest.importorskip("pyspark.sql", reason="Apache Spark is not installed")
    if not shutil.which("java"):
        pytest.skip("Apache Spark needs a Java runtime")
    builder = sql.SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false")
    builder = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
    spark = builder.config("spark.sql.shuffle.partitions", "2").getOrCreate()
    try:
        exec(filled_in("spark", books), {"spark": spark})  # noqa: S102  # What the page says, word for word.
        yield lambda text: [tuple(row) for row in spark.sql(text).collect()]
    finally:
        spark.stop()


# --- the same figures -------------------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("engine", ["in_duckdb", "in_spark"])
def test_another_engine_comes_to_our_balances_and_borrowing_rates(
    engine: str, request: pytest.FixtureRequest, model: ReadModel, books: Path
) -> None:
    ask: Ask = request.getfixturevalue(engine)
    held = {(fund, pot, account): int(amount) for fund, pot, account, amount in ask(filled_in("balances", books))}
    funds = {fund for fund, *_ in held}
    assert len(funds) == 3
    for fund in funds:
        for pot, ours in balances.balances(model.database, fund, AS_OF)["pots"].items():
            theirs = {account: held.get((fund, pot, account), 0) for account in ACCOUNTS}
            assert {account: ours[account] for account in ACCOUNTS if account in ASSETS} == {
                account: theirs[account] for account in ACCOUNTS if account in ASSETS
            }
            assert {account: ours[account] for account in ACCOUNTS if account in LIABILITIES} == {
                account: -theirs[account] for account in ACCOUNTS if account in LIABILITIES
            }
            assert sum(theirs.values()) == 0, "each pot's legs balance"
    rates = borrowing.borrowing(model.database, FundFilter(), AS_OF)
    ((members, current, in_period, ever),) = ask(filled_in("borrowing", books))
    assert (members, current, in_period, ever) == (
        rates["members"],
        *(rates[reading]["borrowers"] for reading in borrowing.READINGS),
    )
    assert 0 < current < members


def test_the_lines_in_the_data_set_are_whole_histories(model: ReadModel, books: Path, in_duckdb: Ask) -> None:
    rows = in_duckdb(f"SELECT fund, version, head, line FROM '{books}/entries/*/*/*.parquet' ORDER BY fund, version")
    heads = {fund: NO_HEAD for fund, *_ in rows}
    for fund, _, head, line in rows:
        assert json.loads(line)["prev"] == heads[fund]
        heads[fund] = head_of(line.encode())
        assert heads[fund] == head
    manifest = json.loads(max(books.glob("manifest-*.json")).read_bytes())
    assert {fund: told["head"] for fund, told in manifest["funds"].items()} == heads


# --- adding to it -----------------------------------------------------------------------------------------------------


def told(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_an_export_adds_files_and_changes_none(
    model: ReadModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = model.position // 2
    ask = model.ask
    monkeypatch.setattr(model, "ask", lambda question: ask(lambda tables, _: question(tables, half)))
    first = export(model, tmp_path)
    before = told(tmp_path)
    monkeypatch.undo()
    assert export(model, tmp_path) == Exported(half, model.position, model_entries(model) - first.entries, len(
        set(told(tmp_path)) - set(before)
    ) - 1)  # fmt: skip
    assert {name: content for name, content in told(tmp_path).items() if name in before} == before
    assert export(model, tmp_path) == Exported(model.position, model.position, 0, 0)


def model_entries(model: ReadModel) -> int:
    real = "SELECT COUNT(*) AS n FROM entries WHERE fund NOT IN (SELECT fund FROM funds WHERE practice = 1)"
    return int(model.database.query(real)[0]["n"])


def test_an_export_cut_off_is_done_again_without_what_it_left_behind(
    model: ReadModel, books: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, whole = iter(range(12)), data_set._whole

    def cut_off(path: Path, content: bytes) -> None:
        if next(written, None) is None:
            (tmp_path / "begun.half").write_bytes(content[:100])
            raise OSError("no space left")
        whole(path.with_name(f"0-{path.name}"), content)  # Left under a name that the next one does not write.

    monkeypatch.setattr(data_set, "_whole", cut_off)
    with pytest.raises(OSError, match="no space"):
        export(model, tmp_path)
    assert not list(tmp_path.glob("manifest-*"))
    monkeypatch.undo()
    export(model, tmp_path)
    assert told(tmp_path) == told(books)


def test_a_data_set_goes_on_from_its_end_and_with_its_own_log_only(model: ReadModel, books: Path) -> None:
    with pytest.raises(NotThisLog) as refused:
        export(model, books, since=7)
    assert refused.value.code == "ends-elsewhere"
    (path,) = books.glob("manifest-*.json")
    manifest = json.loads(path.read_bytes())
    path.write_text(json.dumps(manifest | {"head": "0" * 64}), encoding="utf-8")
    try:
        with pytest.raises(NotThisLog) as refused:
            export(model, books)
    finally:
        path.write_text(json.dumps(manifest, ensure_ascii=False, indent=1), encoding="utf-8")
    assert refused.value.code == "another-log"


def test_nobody_is_named_in_it(books: Path, in_duckdb: Ask) -> None:
    columns = {name for path in books.rglob("*.parquet") for name, *_ in in_duckdb(f"DESCRIBE SELECT * FROM '{path}'")}
    assert not columns & {"name", "phone", "note", "text", "texts", "household"}
