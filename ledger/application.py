"""The ledger as a whole: loads funds, decides jobs, commits a batch in one transaction.

Everything that records goes through `Ledger.record`: many jobs, one commit. Whatever happens in between (another
process was faster, the connection broke during COMMIT) ends in the same place: forget the funds, load them anew, look
each request's key up, and only then decide again.
"""

from __future__ import annotations

import random
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any, NamedTuple, cast

import msgspec
from eventsourcing.application import AggregateNotFoundError, Application, Cache
from eventsourcing.persistence import IntegrityError, InterfaceError, JSONTranscoder, OperationalError
from eventsourcing.utils import Environment, EnvType

from ledger.aggregates.fund import BrokenChain, Fund
from ledger.aggregates.loan import Loan
from ledger.aggregates.roll import Member
from ledger.database import EVENTS_TABLE, Database, UnsafeStorage
from ledger.events import Entry, Event, Request, head_of
from ledger.losses import LastLine, Losses, MissingLine
from ledger.postgres_sessions import ReadOnlyDatabase
from ledger.refusals import FundNotFound, IdempotencyKeyReused, Refusal, VersionMismatch
from ledger.register import Register, Text
from ledger.storage import LineMapper, LineStore, Recorder, environment

SCHEMA = "1"
SELECT_FUNDS = f"SELECT DISTINCT originator_id AS fund FROM {EVENTS_TABLE} ORDER BY 1"
PATIENCE_SECONDS: float = 5
"""How long a batch is tried again before the storage counts as away: with the last try, ten seconds at most."""
PASSING = (IntegrityError, OperationalError, InterfaceError)
"""What another try may mend: another process was faster, or the storage is away, locked or full for a while."""


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One request to record, ready to be decided.

    `decide` calls the fund's public methods. `several` says that it may record some facts and then refuse: it is tried
    on a copy first; `facts` says how many it may record. Only a dry run may come without a request's key. `speaks_of`
    names the events the answer is about, where these are not just the ones recorded: it is asked after the decision,
    and when the request is answered again.
    """

    fund: str
    decide: Callable[[Fund], object]
    request: Request | None
    speaks_of: Callable[[Fund], Sequence[Event]] | None = None
    texts: tuple[Text, ...] = ()
    expected_version: int | None = None
    opens: bool = False
    several: bool = False
    facts: int = 1
    dry_run: bool = False


class Recorded(msgspec.Struct, kw_only=True):
    """What a job recorded (or would record), and where.

    `version` is the fund's after it. A meeting's sheet sent again may record nothing: then there are no events.
    `position` is that version's place in the whole log, None for a dry run. `members` and `loans` are those the
    events speak of, as they stand now; `names` and `donors` (by the event's version) as far as the register has them.
    `duplicates` are earlier entries that say the same as an event, by its version.
    """

    fund: str
    version: int
    events: tuple[Event, ...]
    head: str
    replayed: bool = False
    position: int | None = None
    members: dict[int, Member] = {}
    loans: dict[int, Loan] = {}
    names: dict[int, str] = {}
    donors: dict[int, str] = {}
    duplicates: dict[int, int] = {}


class StorageUnavailable(Exception):
    """The database is away or full. Whether anything was recorded is unknown: the same request may be sent again."""


Outcome = Recorded | Exception


class FundCache(Cache[str, Fund]):
    """Funds in memory, the least recently used forgotten first, bounded by the entries they hold together."""

    def __init__(self, max_entries: int) -> None:
        super().__init__()
        self.cache: OrderedDict[str, Fund] = OrderedDict()
        self._max_entries = max_entries

    def get(self, key: str, *, evict: bool = False) -> Fund:
        """A fund, from now on the most recently used. Raises `KeyError`."""
        fund = self.cache.pop(key)
        if not evict:
            self.cache[key] = fund
        return fund

    def put(self, key: str, value: Fund | None) -> None:
        """Keep a fund in memory."""
        assert value is not None
        self.cache[key] = value

    def shrink(self) -> None:
        """Forget funds until the rest fit; the last one always stays."""
        held = sum(fund.version for fund in self.cache.values())
        while held > self._max_entries and len(self.cache) > 1:
            held -= self.cache.popitem(last=False)[1].version


class _Answer(NamedTuple):
    """An answer that waits for the commit: digests of names by member, and of donors by version."""

    recorded: Recorded
    names: dict[int, str]
    donors: dict[int, str]
    unregistered: dict[str, str]
    is_dry_run: bool


class _Batch:
    """What one transaction will hold, and the answers that wait for it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.texts: list[Text] = []
        self.built_on: dict[str, LastLine] = {}
        self.answers: list[_Answer] = []

    def add(self, fund: Fund, job: Job) -> None:
        """Take over what a fund has decided and not yet committed."""
        first = fund.pending[0].event
        self.built_on.setdefault(fund.id, LastLine(fund.id, first.version - 1, first.prev))
        self.entries += fund.pending
        self.texts += job.texts
        fund.pending = []

    def answer(self, fund: Fund, job: Job, first: int, last: int, *, replayed: bool = False) -> Recorded:
        """The answer made of a fund's events from version `first` to `last`."""
        events = tuple(fund.entries[first - 1 : last])
        head = fund.head if last == fund.version else fund.entries[last].prev
        spoken_of = job.speaks_of(fund) if job.speaks_of else events
        members = {number: fund.members[number] for number in _numbers(spoken_of, "member")}
        loans = {number: fund.loans[number] for number in _numbers(spoken_of, "loan")}
        recorded = Recorded(
            fund=fund.id,
            version=last,
            events=events,
            head=head,
            replayed=replayed,
            members=members,
            loans=loans,
            duplicates={e.version: earlier for e in spoken_of if (earlier := fund.possible_duplicate(e))},
        )
        names = {number: member.name for number, member in members.items() if member.name}
        donors = {event.version: event.texts["donor"] for event in spoken_of if event.texts and "donor" in event.texts}
        texts = {text.digest: text.text for text in job.texts}
        self.answers.append(_Answer(recorded, names, donors, texts, job.dry_run and not replayed))
        return recorded


def _numbers(events: Iterable[Event], field: str) -> set[int]:
    """The members or loans that events speak of."""
    return {number for event in events if (number := getattr(event, field, None)) is not None}


class _Bug(Exception):
    """A job failed otherwise than by a refusal; the others are decided again without it."""

    def __init__(self, index: int, cause: Exception) -> None:
        super().__init__(index)
        self.index = index
        self.cause = cause


def replay(fund: Fund | None, entries: Iterable[Entry]) -> Fund | None:
    """Apply entries to a fund, which the first of them begins. Raises `BrokenChain`."""
    for entry in entries:
        if fund is None:
            fund = Fund(entry.event.fund)
        try:
            fund.apply(entry)
        except (ArithmeticError, LookupError, ValueError) as error:
            # Changed so that it cannot even be applied; what follows would have shown it by its hash.
            raise BrokenChain(fund.id, entry.event.version) from error
    return fund


class Ledger(Application[str]):
    """All funds of one database. `record` belongs to one thread at a time; the reading methods to any."""

    name = "ledger"
    recorder: Recorder

    def __init__(self, database_url: str, *, max_cached_entries: int = 300_000) -> None:
        super().__init__(environment(database_url))
        self.database = Database(self.recorder.datastore)
        self.register = Register(self.database)
        self.losses = Losses(self.database)
        self._funds = FundCache(max_cached_entries)
        self.repository.cache = cast("Any", self._funds)  # The library cannot know that all aggregates are funds.
        self.request_secret = self._prepare()

    # --- the library's extension points ---------------------------------------------------------------------------

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """The settings as given; the environment of the process is the edge's business."""
        keep_funds = {"AGGREGATE_CACHE_FASTFORWARD": "n", "DEEPCOPY_FROM_AGGREGATE_CACHE": "n"}
        return Environment(name, {**(env or {}), **keep_funds})

    def construct_mapper(self) -> LineMapper:
        """Events are stored as their lines; the library's transcoder has nothing to do."""
        return LineMapper(JSONTranscoder())

    def construct_event_store(self) -> LineStore:
        """Lines are read without the library's row objects in between."""
        return LineStore(self.mapper, self.recorder)

    def _prepare(self) -> bytes:
        """Fill the settings table; answers the secret that keys the digests of request bodies.

        A plain digest of a body with a name and a birth year could be guessed back; a keyed one cannot.
        """
        with self.database.transaction() as transaction:
            for name, value in (("schema", SCHEMA), ("request_secret", secrets.token_hex(32))):
                transaction.execute(
                    "INSERT INTO settings VALUES (:name, :value) ON CONFLICT DO NOTHING", name=name, value=value
                )
            stored = {row["name"]: row["value"] for row in transaction.query("SELECT name, value FROM settings")}
        if stored["schema"] != SCHEMA:
            raise UnsafeStorage(f"the database has schema {stored['schema']}; this program knows schema {SCHEMA}")
        return bytes.fromhex(stored["request_secret"])

    # --- reading --------------------------------------------------------------------------------------------------

    def entries(self, fund: str, *, after: int = 0, upto: int | None = None) -> Iterator[Entry]:
        """A fund's stored entries in order, straight from the log."""
        return cast("Iterator[Entry]", self.events.get(fund, gt=after, lte=upto))

    def replayed(self, fund: str, *, upto: int | None = None) -> Fund:
        """A fund built anew from the log, its chain checked. Raises `FundNotFound`, `BrokenChain`."""
        replayed = replay(None, self.entries(fund, upto=upto))
        if replayed is None:
            raise FundNotFound(fund=fund)
        return replayed

    def funds(self) -> list[str]:
        """The codes of all funds, in order."""
        return [row["fund"] for row in self.database.query(SELECT_FUNDS)]

    # --- recording ------------------------------------------------------------------------------------------------

    def record(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Decide each job in turn and commit all they record in one transaction.

        Answers one outcome per job: `Recorded`, or the exception to raise. What was recorded is durable when this
        returns, and a refused job has left no trace.
        """
        failed: dict[int, Outcome] = {}
        self.losses.doubted.clear()
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        for attempt in count():
            try:
                decided = self._decide_and_commit([(i, job) for i, job in enumerate(jobs) if i not in failed])
                return [failed[i] if i in failed else decided[i] for i in range(len(jobs))]
            except _Bug as bug:
                failed[bug.index] = bug.cause
                self._forget(jobs)
            except PASSING as error:
                self._forget(jobs)
                # Another process was faster, or nobody knows whether the commit took place, or the log has lost what
                # was decided on. Only the log can tell. Where a server only reads, another one may have taken over.
                if time.monotonic() > give_up_at or (attempt and isinstance(error, ReadOnlyDatabase)):
                    unavailable = StorageUnavailable(str(error))
                    return [failed.get(i, unavailable) for i in range(len(jobs))]
                pause = 0.002 if isinstance(error, IntegrityError) else 0.05 * 2 ** min(attempt, 5)
                time.sleep(random.uniform(0, pause))  # noqa: S311  # Keeps processes out of step; no secret.
            except Exception as error:  # noqa: BLE001  # Its own caller gets it.
                self._forget(jobs)
                # No waiting mends this, and it may be one job's alone: the others are recorded without it.
                if len(jobs) == 1:
                    return [error]
                return [failed[i] if i in failed else self.record([job])[0] for i, job in enumerate(jobs)]
        raise AssertionError

    def _forget(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            if fund := self._funds.cache.pop(job.fund, None):
                self.losses.doubted[job.fund] = fund

    def _decide_and_commit(self, jobs: Sequence[tuple[int, Job]]) -> dict[int, Outcome]:
        batch = _Batch()
        outcomes: dict[int, Outcome] = {}
        for index, job in jobs:
            try:
                outcomes[index] = self._decide(job, batch)
            except Refusal as refusal:
                outcomes[index] = refusal
            except PASSING:
                raise
            except Exception as bug:
                if job.fund in batch.built_on:
                    raise _Bug(index, bug) from bug
                self._forget([job])
                outcomes[index] = bug
        self._commit(batch)
        return outcomes

    def _decide(self, job: Job, batch: _Batch) -> Recorded:
        fund = self._load(job)
        if job.dry_run and fund.id not in batch.built_on:
            self._catch_up(fund)
        try:
            return self._decide_on(fund, job, batch)
        except Refusal:
            # Memory may be behind another process: a refusal is only given on what the log holds now. Where the batch
            # has decided on this fund already, a stale memory makes the commit fail, and all is decided again.
            if fund.id in batch.built_on or not self._catch_up(fund):
                raise
            return self._decide_on(fund, job, batch)

    def _load(self, job: Job) -> Fund:
        is_remembered = job.fund in self._funds.cache
        try:
            fund: Fund | None = self.repository.get(job.fund, projector_func=replay)
        except AggregateNotFoundError:
            fund = None
        if not is_remembered:
            self.losses.compare(job.fund, fund)
        if fund is None and not job.opens:
            raise FundNotFound(fund=job.fund)
        return fund or Fund(job.fund)

    def _catch_up(self, fund: Fund) -> bool:
        """Apply what others have recorded since; answers whether there was anything. Raises `MissingLine` if the log
        has lost what is remembered: nothing may be said that rests on it."""
        version = fund.version
        entries = self.entries(fund.id, after=max(version - 1, 0))
        if version and ((last := next(entries, None)) is None or head_of(last.line) != fund.head):
            raise MissingLine
        replay(fund, entries)
        return fund.version > version

    def _decide_on(self, fund: Fund, job: Job, batch: _Batch) -> Recorded:
        if job.request and (answered := fund.answered(job.request.key)):
            if answered.digest != job.request.digest:
                raise IdempotencyKeyReused(key=job.request.key, version=answered.last)
            return batch.answer(fund, job, answered.first, answered.last, replayed=True)
        if job.expected_version not in (None, fund.version):
            raise VersionMismatch(expected=job.expected_version, version=fund.version)
        first = fund.version + 1
        trial: Fund = fund.fork() if job.several or job.dry_run else fund
        try:
            job.decide(trial)
        except Refusal:
            assert not fund.pending, "a job that may record some facts and then refuse says `several`"
            raise
        if trial.pending and not job.dry_run:
            assert job.request, "only a dry run may come without a key"
            self._funds.put(trial.id, trial)
            batch.add(trial, job)
        return batch.answer(trial, job, first, trial.version)

    def _commit(self, batch: _Batch) -> None:
        """Store the batch in one transaction, then complete the answers with positions and names."""
        rows = [self.mapper.to_stored_event(entry) for entry in batch.entries]
        built_on = [line for line in batch.built_on.values() if line.version]
        positions = self.recorder.insert_events(rows, texts=batch.texts, built_on=built_on) if rows else ()
        assert positions is not None
        at = {
            (row.originator_id, row.originator_version): position for row, position in zip(rows, positions, strict=True)
        }
        texts = self.register.texts(
            digest for answer in batch.answers for digest in (*answer.names.values(), *answer.donors.values())
        )
        for answer in batch.answers:
            recorded = answer.recorded
            if not answer.is_dry_run:
                line = LastLine(recorded.fund, recorded.version, recorded.head)
                recorded.position = at.get(line[:2]) or self.recorder.confirmed(line)
                self.losses.note(*line)
            known = texts | answer.unregistered
            recorded.names = {number: known[digest] for number, digest in answer.names.items() if digest in known}
            recorded.donors = {version: known[digest] for version, digest in answer.donors.items() if digest in known}
        self._funds.shrink()
