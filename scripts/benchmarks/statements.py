"""What the database allows: lines sent to PostgreSQL by psycopg alone, over as many connections as there are clients.

Run as `python -m scripts.benchmarks.statements` it reads `Statements` from each line of standard input and answers an
`Outcome`. One row per transaction goes in with INSERT, several with COPY; the table has the shape of the log, and
nobody locks it.
"""

import asyncio
import time
from itertools import count

import msgspec
import psycopg
from eventsourcing.persistence import StoredEvent

from ledger.database import EVENTS_TABLE
from scripts.benchmarks.load import Outcome, obey, outcome_from, outcome_of

TABLE = "bare_lines"
COLUMNS = "originator_id, originator_version, topic, state"
MAKE_TABLE = f"CREATE TABLE IF NOT EXISTS {TABLE} (LIKE {EVENTS_TABLE} INCLUDING ALL)"
INSERT = f"INSERT INTO {TABLE} ({COLUMNS}) VALUES (%s, %s, %s, %s)"
COPY = f"COPY {TABLE} ({COLUMNS}) FROM STDIN"


class Statements(msgspec.Struct, kw_only=True):
    """The rows of one transaction, `(topic, line)`, to be stored again and again for so many seconds."""

    database_url: str
    connections: int
    seconds: float
    rows: list[tuple[str, bytes]]
    fund_prefix: str


def run(statements: Statements) -> Outcome:
    """Have a process of its own do it; an answer is a transaction."""
    return outcome_from("statements", statements)


def rows_of(stored: list[StoredEvent]) -> list[tuple[str, bytes]]:
    """Stored rows as they are sent again."""
    return [(row.topic, row.state) for row in stored]


async def _client(statements: Statements, fund: str, ready: asyncio.Barrier) -> list[float]:
    latencies: list[float] = []
    connection = await psycopg.AsyncConnection.connect(statements.database_url, autocommit=True)
    async with connection, connection.cursor() as cursor:
        await ready.wait()
        until = time.perf_counter() + statements.seconds
        versions = count(1)
        while (began := time.perf_counter()) < until:
            rows = [(fund, next(versions), topic, line) for topic, line in statements.rows]
            if len(rows) == 1:
                await cursor.execute(INSERT, rows[0], prepare=True)
            else:
                async with cursor.copy(COPY) as copy:
                    for row in rows:
                        await copy.write_row(row)
            latencies.append(time.perf_counter() - began)
    return latencies


async def _stored(statements: Statements) -> Outcome:
    async with await psycopg.AsyncConnection.connect(statements.database_url, autocommit=True) as connection:
        await connection.execute(MAKE_TABLE)
    ready = asyncio.Barrier(statements.connections + 1)
    clients = [
        asyncio.create_task(_client(statements, f"{statements.fund_prefix}-{number}", ready))
        for number in range(statements.connections)
    ]
    await ready.wait()
    began = time.perf_counter()
    latencies = [each for client in clients for each in await client]
    return outcome_of(latencies, time.perf_counter() - began, {})


if __name__ == "__main__":
    obey(Statements, _stored)
