"""The books as a data set of Parquet files, for whoever counts beyond one database: DuckDB, Polars, Apache Spark.

    entries/province=…/month=…/SINCE-POSITION.parquet    every entry, with its line as it is stored
    legs/province=…/month=…/SINCE-POSITION.parquet       what each entry does to the books
    state/position=POSITION/TABLE.parquet                members on the roll and loans by stretches of days, as of then
    manifest-POSITION.json                               what belongs to it up to there, and which heads it holds

Each export adds files and changes none. What no manifest names does not count: the next export takes away what one that
was cut off has left behind. `province` is where the club lay when the entry was recorded, `month` that month
in the village. No club for practice and nothing of the register is in it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from ledger.database import EVENTS_TABLE, Row
from ledger.days import civil_day_text
from ledger.events import NO_HEAD, decode, head_of, is_fund
from ledger.faults import Fault
from ledger.projections import funds, loans, members
from ledger.projections.read_model import ReadModel
from ledger.projections.tables import Reader, Table

FORMAT: Final = 1
AT_ONCE: Final = 200_000
"""Lines read at a time; a file holds no more."""

Part = tuple[str, str, str]
"""A table, a province and a month."""

STATE: Final[dict[Table, str]] = {
    funds.FUNDS: "fund, club, opened_on, version, head",
    funds.PLACES: "fund, on_day, version, commune, district, province",
    members.MEMBER_SPELLS: "fund, member, from_day, until_day, sex, birth_year, poverty",
    loans.LOAN_SPELLS: "fund, loan, from_day, until_day, member, purpose",
    loans.LOAN_RECEIPTS: "fund, loan, version, member, purpose, received_on, from_day, until_day",
}
"""The read tables that change, and what of them is given out; days are ISO text, as in the database."""

ENTRIES: Final = pa.schema(
    [
        ("position", pa.int64()),
        ("fund", pa.string()),
        ("version", pa.int32()),
        ("type", pa.string()),
        ("on_day", pa.date32()),
        ("recorded_at", pa.timestamp("us", tz="UTC")),
        ("head", pa.string()),
        ("line", pa.string()),
    ]
)
LEGS: Final = pa.schema(
    [
        ("position", pa.int64()),
        ("fund", pa.string()),
        ("version", pa.int32()),
        ("leg", pa.int32()),
        ("on_day", pa.date32()),
        ("pot", pa.string()),
        ("account", pa.string()),
        ("part", pa.string()),
        ("amount", pa.int64()),
    ]
)


def _schema(table: Table, columns: str) -> pa.Schema:
    types = dict(column.split()[:2] for column in table.columns.split(", "))
    return pa.schema([(name, pa.int64() if types[name] == "BIGINT" else pa.string()) for name in columns.split(", ")])


SCHEMAS: Final = {
    "entries": ENTRIES,
    "legs": LEGS,
    **{table.name: _schema(table, columns) for table, columns in STATE.items()},
}


class NotThisLog(Fault):
    """A data set cannot be continued: it was made from another log, or ends elsewhere."""

    area = "data-set"


class Exported(NamedTuple):
    """What an export added: entries after the position `since`, up to `position`, in so many files."""

    since: int
    position: int
    entries: int
    files: int


def export(read_model: ReadModel, folder: Path, since: int | None = None) -> Exported:
    """Add to a data set what was recorded after its end, up to where the read model is; from `since` on if the data set
    is empty. Raises `NotThisLog`, and `ReadModelBroken`."""
    manifests = [json.loads(file.read_bytes()) for file in sorted(folder.glob("manifest-*.json"))]
    begin = _begin(read_model, manifests[-1] if manifests else None, since)
    position, state = read_model.ask(_state)
    if position <= begin:
        return Exported(begin, begin, 0, 0)
    _clear(folder, {name for manifest in manifests for name in manifest["files"]})
    practice = {row["fund"] for row in read_model.database.query("SELECT fund FROM funds WHERE practice = 1")}
    provinces = _provinces(state["places"])
    files, entries, start = {}, 0, begin
    while lines := _lines(read_model, start, position):
        end = lines[-1][0]
        for (name, province, month), rows in sorted(_parts(lines, practice, provinces).items()):
            path = f"{name}/province={_in_path(province)}/month={month}/{start:012}-{end:012}.parquet"
            files[path] = _written(folder.joinpath(path), pa.Table.from_pylist(rows, schema=SCHEMAS[name]))
            entries += len(rows) if name == "entries" else 0
        start = end
    for name, rows in state.items():
        path = f"state/position={position:012}/{name}.parquet"
        files[path] = _written(folder.joinpath(path), pa.Table.from_pylist(rows, schema=SCHEMAS[name]))
    manifest = {
        "format": FORMAT,
        "since": begin,
        "position": position,
        "head": _head_at(read_model, position),
        "funds": {row["fund"]: {"version": row["version"], "head": row["head"]} for row in state["funds"]},
        "files": files,
    }
    _whole(
        folder.joinpath(f"manifest-{position:012}.json"), json.dumps(manifest, ensure_ascii=False, indent=1).encode()
    )
    return Exported(begin, position, entries, len(files))


# --- where it goes on ---------------------------------------------------------------------------------------------


def _begin(read_model: ReadModel, before: Row | None, since: int | None) -> int:
    """After which position an export begins. Raises `NotThisLog`."""
    if before is None:
        return since or 0
    end: int = before["position"]
    if since is not None and since != end:
        raise NotThisLog("ends-elsewhere", position=end, since=since)
    if _head_at(read_model, end) != before["head"]:
        raise NotThisLog("another-log", position=end)
    return end


def _head_at(read_model: ReadModel, position: int) -> str:
    lines = _lines(read_model, position - 1, position)
    return head_of(lines[0][3]) if lines else NO_HEAD


# --- what is in it ------------------------------------------------------------------------------------------------


def _state(tables: Reader, position: int) -> tuple[int, dict[str, list[Row]]]:
    """The tables that change, all of one moment, and the position they are at."""
    real = "fund NOT IN (SELECT fund FROM funds WHERE practice = 1)"
    found = {
        table.name: tables.query(f"SELECT {columns} FROM {table.name} WHERE {real}")  # Names of our own.
        for table, columns in STATE.items()
    }
    return position, {name: sorted(rows, key=lambda row: [*map(str, row.values())]) for name, rows in found.items()}


def _provinces(places: Iterable[Row]) -> Mapping[str, list[tuple[str, str]]]:
    """By fund, from which days it lay in which provinces, the latest first."""
    told: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for place in sorted(places, key=lambda place: (place["on_day"], place["version"]), reverse=True):
        told[place["fund"]].append((place["on_day"], place["province"]))
    return told


def _province(told: list[tuple[str, str]], day: str) -> str:
    return next((province for on, province in told if on <= day), told[-1][1])


def _lines(read_model: ReadModel, after: int, upto: int) -> list[tuple[int, str, int, bytes]]:
    """The next lines of the log, by position: position, log, version and the line."""
    at = "notification_id" if read_model.database.is_postgres else "rowid"
    found = (
        f"SELECT {at}, originator_id, originator_version, state FROM {EVENTS_TABLE} "  # Names of our own.
        f"WHERE {at} > :after AND {at} <= :upto ORDER BY {at} LIMIT :most"
    )
    return read_model.database.values(found, after=after, upto=upto, most=AT_ONCE)


def _parts(
    lines: Iterable[tuple[int, str, int, bytes]],
    practice: set[str],
    provinces: Mapping[str, list[tuple[str, str]]],
) -> dict[Part, list[Row]]:
    """The rows that lines come to, by table, province and month: what one file holds."""
    parts: dict[Part, list[Row]] = defaultdict(list)
    for position, fund, version, line in lines:
        if not is_fund(fund) or fund in practice:
            continue
        event = decode(line)
        day = civil_day_text(event.recorded_at)
        place = _province(provinces[fund], day), day[:7]
        key = {"position": position, "fund": fund, "version": version, "on_day": event.on}
        told = {"type": event.name, "recorded_at": event.recorded_at, "head": head_of(line), "line": line.decode()}
        parts["entries", *place].append(key | told)
        parts["legs", *place] += [
            key
            | {"leg": number, "pot": leg.pot, "account": leg.account, "part": str(leg.of or ""), "amount": leg.amount}
            for number, leg in enumerate(event.legs(), 1)
        ]
    return parts


# --- how it is written --------------------------------------------------------------------------------------------


def _clear(folder: Path, known: set[str]) -> None:
    """Take away what an export that was cut off has left behind: it would be counted twice."""
    for kind in ("*.parquet", "*.half"):
        for path in folder.rglob(kind):
            if path.relative_to(folder).as_posix() not in known:
                path.unlink()


def _in_path(name: str) -> str:
    """A province's name as a folder; what no file system would take is left out."""
    return re.sub(r"[/\\=%\x00-\x1f]", " ", name)


def _written(path: Path, table: pa.Table) -> dict[str, Any]:
    """Write a file, and say what is in it: `{rows, sha256}`."""
    sink = pa.BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    content = sink.getvalue().to_pybytes()
    _whole(path, content)
    return {"rows": table.num_rows, "sha256": hashlib.sha256(content).hexdigest()}


def _whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there whole or not at all, whatever happens meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.replace(path)
