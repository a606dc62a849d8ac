"""A country's clubs as a data set: exported, and its borrowing rates by DuckDB, Apache Spark and our own report."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ledger import data_set
from ledger.projections import borrowing
from ledger.projections.funds import FundFilter
from scripts.benchmarks.histories import UNTIL
from scripts.benchmarks.report import Report
from scripts.benchmarks.scale import Scale
from scripts.benchmarks.stock import country
from scripts.benchmarks.workshop import Workshop, opened_ledger, read_model_of

SECTION = "statistics"
PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
BLOCKS: dict[str, str] = dict(
    re.findall(r"```(?:sql|python) (\w+)\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
)
RATES = BLOCKS["borrowing"].replace("2026-06-30", UNTIL.isoformat())


def measure(shop: Workshop, scale: Scale, report: Report) -> None:
    """Export a country, and let each engine count; where one is not installed, the report says so."""
    books = country(shop, scale, "SQLite")
    folder = shop.home / "books"
    with opened_ledger(books.url) as ledger:
        model = read_model_of(ledger)
        began = time.perf_counter()
        exported = data_set.export(model, folder)
        seconds = time.perf_counter() - began
        size = sum(path.stat().st_size for path in folder.rglob("*.parquet"))
        about = {"seconds": seconds, "files": exported.files, "bytes": size}
        report.figure(SECTION, f"export of {scale.country_clubs:,} clubs", rate=exported.entries / seconds, **about)
        began = time.perf_counter()
        ours = borrowing.borrowing(model.database, FundFilter(), UNTIL)
        report.figure(SECTION, "borrowing rates by our own report", ms=(time.perf_counter() - began) * 1000)
    expected = (ours["members"], ours["current"]["borrowers"], ours["ever"]["borrowers"])
    for name, counted in (("DuckDB", _in_duckdb), ("Apache Spark", _in_spark)):
        try:
            ask = counted(folder, exported.position)
        except ModuleNotFoundError:
            report.figure(SECTION, f"{name} is not installed")
            continue
        began = time.perf_counter()
        members, current, _, ever = ask(RATES)
        report.figure(SECTION, f"borrowing rates by {name}", ms=(time.perf_counter() - began) * 1000)
        if (members, current, ever) != expected:
            report.refused(name, {f"{(members, current, ever)} instead of {expected}": 1})


def _views(block: str, folder: Path, position: int) -> str:
    text = BLOCKS[block].replace("books/", f"{folder}/").replace("position=POSITION", f"position={position:012}")
    return text.replace("POSITION", str(position))


def _in_duckdb(folder: Path, position: int) -> Callable[[str], Any]:
    import duckdb

    session = duckdb.connect()
    session.execute(_views("duckdb", folder, position))
    return lambda sql: session.sql(sql).fetchall()[0]


def _in_spark(folder: Path, position: int) -> Callable[[str], Any]:
    from pyspark.sql import SparkSession

    if not shutil.which("java"):
        raise ModuleNotFoundError("Apache Spark needs a Java runtime")
    builder = (
        SparkSession.builder.master("local[2]")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.ui.enabled", "false")
    )
    spark = (
        builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
    )
    exec(_views("spark", folder, position), {"spark": spark})  # noqa: S102  # What the page says, word for word.
    return lambda sql: tuple(spark.sql(sql).collect()[0])
