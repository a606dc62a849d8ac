"""The tables beside the log that no replay could make anew, made and changed in numbered steps.

A database says in its settings which step it has reached; whoever opens it to write takes the steps that it lacks, each
in a transaction of its own. A step that anybody's database may have taken is never changed: what is to be different
is one more step at the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from ledger.database import EVENTS_TABLE, Database, Transaction, UnsafeStorage
from ledger.events.people import PEOPLE
from ledger.register import KEEP, Encrypted, Text, written

CREATE_SETTINGS = "CREATE TABLE IF NOT EXISTS settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
SELECT_REACHED = "SELECT value FROM settings WHERE name = 'schema'"
NOTE_REACHED = "INSERT INTO settings VALUES ('schema', :step) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
SELECT_SCRUB = "SELECT 1 FROM settings WHERE name = 'scrub'"
NOTE_SCRUB = "INSERT INTO settings VALUES ('scrub', 'due') ON CONFLICT DO NOTHING"
# PostgreSQL's IF NOT EXISTS fails when two processes start at once.
IN_TURN = "SELECT pg_advisory_xact_lock(hashtext('microfund schema'))"


Encrypt = Callable[[Iterable[Text], Transaction], list[Encrypted]]


class Step(NamedTuple):
    """One change of the tables: what it is about, its statements, and what then fills them from what there was, given
    what encrypts texts of the register; it answers whether it deleted something that must be gone from the disk."""

    about: str
    statements: tuple[str, ...]
    fill: Callable[[Transaction, Encrypt], bool] = lambda *_: False


def _link_members(transaction: Transaction, _: Encrypt) -> bool:
    """Until then the links of principals to members stood within the principals alone."""
    for row in transaction.query("SELECT id, principal FROM principals"):
        for fund, member in msgspec.json.decode(row["principal"]).get("members", {}).items():
            transaction.execute(
                "INSERT INTO memberships VALUES (:id, :fund, :member) ON CONFLICT DO NOTHING",
                id=row["id"],
                fund=fund,
                member=member,
            )
    return False


def _encrypt_texts(transaction: Transaction, encrypt: Encrypt) -> bool:
    """Until then names lay open. The pages of a dropped table are overwritten (`secure_delete`), like deleted rows."""
    rows = transaction.query("SELECT fund, digest, salt, text FROM texts")
    encrypted = encrypt((Text(**row) for row in rows), transaction)
    transaction.execute_many(KEEP, [row._asdict() for row in encrypted])
    transaction.execute("DROP TABLE texts")
    return _encrypt_names(transaction, encrypt) or bool(rows)


def _encrypt_names(transaction: Transaction, encrypt: Encrypt) -> bool:
    """The names of principals as well. Their table is made anew: PostgreSQL keeps the old text of a changed row."""
    principals = [
        msgspec.json.decode(row["principal"]) for row in transaction.query("SELECT principal FROM principals")
    ]
    transaction.execute("DROP TABLE principals")
    transaction.execute("CREATE TABLE principals (id TEXT PRIMARY KEY, principal TEXT NOT NULL, name TEXT NOT NULL)")
    names = [written(PEOPLE, principal["name"]) for principal in principals]
    transaction.execute_many(KEEP, [row._asdict() for row in encrypt(names, transaction)])
    transaction.execute_many(
        "INSERT INTO principals VALUES (:id, :principal, :name)",
        [
            {
                "id": principal["id"],
                "principal": msgspec.json.encode(principal | {"name": ""}).decode(),
                "name": name.digest,
            }
            for principal, name in zip(principals, names, strict=True)
        ],
    )
    return bool(names)


STEPS: Final = (
    Step(
        "the register of texts about people, and checkpoints with their leaves",
        (
            "CREATE TABLE IF NOT EXISTS texts (fund TEXT NOT NULL, digest TEXT NOT NULL, salt TEXT NOT NULL, "
            "text TEXT NOT NULL, folded TEXT NOT NULL, PRIMARY KEY (fund, digest))",
            "CREATE TABLE IF NOT EXISTS checkpoints (number BIGINT PRIMARY KEY, note TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS checkpoint_leaves (number BIGINT PRIMARY KEY, fund TEXT NOT NULL, "
            "version BIGINT NOT NULL, head TEXT NOT NULL)",
        ),
    ),
    Step(
        "what is gone from the log; principals with their tokens, and which of them are one member",
        (
            "CREATE TABLE IF NOT EXISTS losses (fund TEXT NOT NULL, first_version BIGINT NOT NULL, "
            "last_version BIGINT NOT NULL, PRIMARY KEY (fund, first_version, last_version))",
            "CREATE TABLE IF NOT EXISTS principals (id TEXT PRIMARY KEY, principal TEXT NOT NULL)",
            "CREATE TABLE IF NOT EXISTS tokens (digest TEXT PRIMARY KEY, principal TEXT NOT NULL, "
            "issued_at TEXT NOT NULL, revoked_at TEXT)",
            "CREATE TABLE IF NOT EXISTS memberships (principal TEXT NOT NULL, fund TEXT NOT NULL, "
            "member BIGINT NOT NULL, PRIMARY KEY (principal, fund))",
            "CREATE INDEX IF NOT EXISTS memberships_by_member ON memberships (fund, member)",
        ),
        _link_members,
    ),
    Step(
        "how often something was tried, by digests of who tried it",
        (
            "CREATE TABLE IF NOT EXISTS attempts (key TEXT NOT NULL, attempt TEXT NOT NULL, until TEXT NOT NULL, "
            "PRIMARY KEY (key, attempt))",
            "CREATE INDEX IF NOT EXISTS attempts_by_end ON attempts (until)",
        ),
    ),
    Step(
        "what people log in and approve with, each kept as a digest: sessions of phones, codes of invitations, PINs",
        (
            "CREATE TABLE sessions (digest TEXT PRIMARY KEY, phone TEXT NOT NULL, last_seen TEXT NOT NULL)",
            "CREATE UNIQUE INDEX sessions_by_phone ON sessions (phone)",
            "CREATE TABLE invitation_codes (digest TEXT PRIMARY KEY, invitation TEXT NOT NULL)",
            "CREATE TABLE pins (person TEXT PRIMARY KEY, salt TEXT NOT NULL, digest TEXT NOT NULL, "
            "tries BIGINT NOT NULL)",
        ),
    ),
    Step(
        "who was shown a person",
        (
            "CREATE TABLE IF NOT EXISTS readers (id TEXT PRIMARY KEY, at TEXT NOT NULL, fund TEXT NOT NULL, "
            "principal TEXT NOT NULL, role TEXT NOT NULL, what TEXT NOT NULL, member BIGINT)",
            "CREATE INDEX IF NOT EXISTS readers_by_fund ON readers (fund, id)",
        ),
    ),
    Step(
        "the register, under a key that is not in the database",
        (
            "CREATE TABLE register (fund TEXT NOT NULL, digest TEXT NOT NULL, encrypted TEXT NOT NULL, "
            "PRIMARY KEY (fund, digest))",
        ),
        _encrypt_texts,
    ),
    Step(
        "where a club has moved to is found in the log without reading all that it holds of the club",
        (f"CREATE INDEX IF NOT EXISTS place_changes ON {EVENTS_TABLE} (originator_id) WHERE topic = 'PlaceChanged'",),
    ),
    Step(
        "what was typed into forms and is not recorded yet",
        (
            "CREATE TABLE form_drafts (key TEXT PRIMARY KEY, principal TEXT NOT NULL, address TEXT NOT NULL, "
            "typed TEXT NOT NULL, until TEXT NOT NULL)",
        ),
    ),
    Step(
        "reports that were frozen, as the bytes they were, with the question that they answered",
        (
            "CREATE TABLE reports (report TEXT PRIMARY KEY, year BIGINT NOT NULL, serial BIGINT NOT NULL, "
            "plan TEXT NOT NULL, question TEXT NOT NULL, note TEXT, position BIGINT NOT NULL, "
            "report_code TEXT NOT NULL, digest TEXT NOT NULL, frozen_at TEXT NOT NULL, frozen_by TEXT NOT NULL, "
            "request_key TEXT NOT NULL UNIQUE, request_digest TEXT NOT NULL, content TEXT NOT NULL)",
        ),
    ),
    Step(
        "states of funds, kept so that a decision needs no history; a replay could make them anew, if not soon",
        (
            "CREATE TABLE kept_states (log TEXT PRIMARY KEY, version BIGINT NOT NULL, head TEXT NOT NULL, "
            "form TEXT NOT NULL, state BYTEA NOT NULL, is_proved BIGINT NOT NULL)",
        ),
    ),
    Step(
        "a text of the register is found by its digest without reading all texts of all clubs",
        ("CREATE INDEX register_by_digest ON register (digest)",),
    ),
)


def upgrade(database: Database, encrypt: Encrypt, steps: tuple[Step, ...] = STEPS) -> None:
    """Take the steps that a database lacks. Killed in between, it goes on where it was. Raises `UnsafeStorage` for a
    database that has taken more steps than this program knows."""
    while _take_next(database, encrypt, steps):
        pass
    if database.query(SELECT_SCRUB):
        database.scrub()
        database.execute("DELETE FROM settings WHERE name = 'scrub'")


def refuse_newer(reached: int, steps: tuple[Step, ...] = STEPS) -> None:
    """Raises `UnsafeStorage` for a database that has taken more steps than this program knows."""
    if reached > len(steps):
        raise UnsafeStorage("schema-newer", reached=reached, known=len(steps))


def _take_next(database: Database, encrypt: Encrypt, steps: tuple[Step, ...]) -> bool:
    """Take one step; answers whether there was one to take."""
    with database.transaction() as transaction:
        if database.is_postgres:
            transaction.query(IN_TURN)
        transaction.execute(CREATE_SETTINGS)
        reached = next((int(row["value"]) for row in transaction.query(SELECT_REACHED)), 0)
        refuse_newer(reached, steps)
        if reached == len(steps):
            return False
        for statement in steps[reached].statements:
            transaction.execute(statement)
        if steps[reached].fill(transaction, encrypt):
            transaction.execute(NOTE_SCRUB)
        transaction.execute(NOTE_REACHED, step=str(reached + 1))
    return True
