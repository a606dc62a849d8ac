"""The ledger as a whole: loads funds and other logs, decides jobs, commits a batch in one transaction.

Everything that records goes through `Ledger.record`: many jobs, one commit. Whatever happens in between (another
process was faster, the connection broke during COMMIT) ends in the same place: go back to what is stored, look each
request's key up, and only then decide again. Where another process was only faster, the logs as they were before the
batch are still true, and the lines since are all that is read; after any doubt they are forgotten and loaded anew.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path
from typing import cast

from eventsourcing.application import Application
from eventsourcing.persistence import IntegrityError, InterfaceError, JSONTranscoder, OperationalError
from eventsourcing.utils import Environment, EnvType

from ledger.aggregates.fund import Fund
from ledger.aggregates.kinds import begun, replay
from ledger.aggregates.log import Log
from ledger.batch import Batch
from ledger.database import EVENTS_TABLE, Access, Database
from ledger.events import Entry, FundOpened, PlaceChanged, decode, is_fund
from ledger.health import Health, is_of_the_disk
from ledger.jobs import Job, Outcome, Recorded, StorageUnavailable
from ledger.kept_states import Difference
from ledger.logs_in_memory import LogsInMemory
from ledger.losses import LastLine, Losses, MissingLine
from ledger.refusals import FundNotFound, IdempotencyKeyReused, Refusal, VersionMismatch
from ledger.register import Register
from ledger.schema import refuse_newer, upgrade
from ledger.storage import Recorder, environment
from ledger.storage.lines import LineMapper, LineStore
from ledger.storage.postgres_sessions import ReadOnlyDatabase
from ledger.storage.sqlite_file import DatabaseFileGone

SELECT_LOGS = f"SELECT DISTINCT originator_id AS log FROM {EVENTS_TABLE} ORDER BY 1"
SELECT_PLACE_CHANGES = f"SELECT state FROM {EVENTS_TABLE} WHERE originator_id = :fund AND topic = 'PlaceChanged'"
PATIENCE_SECONDS: float = 5
"""How long a batch is tried again before the storage counts as away: with the last try, ten seconds at most."""
SHORT_PATIENCE_SECONDS = 0.5
"""The same while the storage is known to be away: whoever comes then is told soon."""
TRIES_OF_A_DISK = 2
"""How often a batch is tried again where the disk is full or broken: whoever frees it needs longer than people wait,
and all who come meanwhile wait behind this batch."""
CONTENDED_BATCHES = 32
"""For so many batches after another process was faster, this one looks first what others have recorded, and keeps the
logs as they are stored: two that write to the same funds in turn would else load them anew each time."""
PASSING = (IntegrityError, OperationalError, InterfaceError)
"""What another try may mend: another process was faster, or the storage is away, locked or full for a while."""


class _Bug(Exception):
    """A job failed otherwise than by a refusal; the others are decided again without it."""

    def __init__(self, index: int, cause: Exception) -> None:
        super().__init__(index)
        self.index = index
        self.cause = cause


class _Overtaken(IntegrityError):
    """Another process has recorded on the same logs meanwhile; memory holds nothing but what is stored."""


class Ledger(Application[str]):
    """All logs of one database. `record` belongs to one thread at a time; the reading methods to any."""

    name = "ledger"
    recorder: Recorder

    def __init__(
        self,
        database_url: str,
        access: Access = "make",
        *,
        max_cached_entries: int = 300_000,
        register_key: Path | None = None,
    ) -> None:
        """`register_key` is the file of the key that names are encrypted with; without one none can be recorded."""
        super().__init__(environment(database_url, access))
        self.database = Database(self.recorder.datastore, access)
        self.register = Register(self.database, register_key)
        self.health = Health(self.database)
        self.losses = Losses(self.database)
        self._logs = LogsInMemory(self.entries, self.entries_since, self.database, max_cached_entries)
        self.kept_states = self._logs.kept_states
        self._contended = 0
        """For how many batches more others are expected to write to the same logs."""
        self.request_secret = self._prepare()

    # --- the library's extension points ---------------------------------------------------------------------------

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """The settings as given; the environment of the process is the edge's business."""
        return Environment(name, env or {})

    def construct_mapper(self) -> LineMapper:
        """Events are stored as their lines; the library's transcoder has nothing to do."""
        return LineMapper(JSONTranscoder())

    def construct_event_store(self) -> LineStore:
        """Lines are read without the library's row objects in between."""
        return LineStore(self.mapper, self.recorder)

    def _prepare(self) -> bytes:
        """Bring the tables up to date, unless they are only read; answers the secret that keys digests of requests.

        A plain digest of a body with a name and a birth year could be guessed back; a keyed one cannot.
        """
        may_write = self.database.access != "read"
        if may_write:
            upgrade(self.database, self.register.encrypted)
            self.register.replay_erasures()
        with self.database.transaction(commit=may_write) as transaction:
            if may_write:
                transaction.execute(
                    "INSERT INTO settings VALUES ('request_secret', :secret) ON CONFLICT DO NOTHING",
                    secret=secrets.token_hex(32),
                )
            stored = {row["name"]: row["value"] for row in transaction.query("SELECT name, value FROM settings")}
        refuse_newer(int(stored["schema"]))
        return bytes.fromhex(stored["request_secret"])

    # --- reading --------------------------------------------------------------------------------------------------

    def entries(self, fund: str, *, after: int = 0, upto: int | None = None) -> Iterator[Entry]:
        """The stored entries of a fund, or of another log, in order and straight from the database."""
        return cast("Iterator[Entry]", self.events.get(fund, gt=after, lte=upto))

    def entries_since(self, after: dict[str, int]) -> Iterator[Entry]:
        """The stored entries of several logs, each from a version on, by one statement; those of a log in order."""
        return cast("LineStore", self.events).since(after)

    def place_of(self, fund: str) -> FundOpened | PlaceChanged | None:
        """What says where a club lies now, straight from the log; None if there is no such fund."""
        opened = self._opened(fund)
        if opened is None:
            return None
        changes = (decode(row["state"]) for row in self.database.query(SELECT_PLACE_CHANGES, fund=fund))
        told: list[FundOpened | PlaceChanged] = [opened]
        told += (change for change in changes if isinstance(change, PlaceChanged))
        return max(told, key=lambda event: (event.on, event.version))

    def _opened(self, fund: str) -> FundOpened | None:
        first = next((entry.event for entry in self.entries(fund, upto=1)), None) if is_fund(fund) else None
        return first if isinstance(first, FundOpened) else None

    def is_for_practice(self, fund: str) -> bool:
        """Whether a fund is there to practise on; straight from the log, and it never changes."""
        opened = self._opened(fund)
        return opened is not None and opened.practice

    def replayed(self, fund: str, *, upto: int | None = None) -> Fund:
        """A fund built anew from the log, its chain checked. Raises `FundNotFound`, `BrokenChain`."""
        replayed = replay(None, self.entries(fund, upto=upto))
        if not isinstance(replayed, Fund):
            raise FundNotFound(fund=fund)
        return replayed

    def funds(self) -> list[str]:
        """The codes of all funds, in order; those for practice too."""
        return [log for log in self.logs() if is_fund(log)]

    def clubs(self) -> list[str]:
        """The codes of the funds of real clubs, in order: those that questions across clubs are about."""
        return [fund for fund in self.funds() if not self.is_for_practice(fund)]

    def logs(self) -> list[str]:
        """The ids of all logs: the codes of the funds in order, and then the others."""
        return sorted((row["log"] for row in self.database.query(SELECT_LOGS)), key=is_fund, reverse=True)

    # --- recording ------------------------------------------------------------------------------------------------

    def record(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Decide each job in turn and commit all they record in one transaction.

        Answers one outcome per job: `Recorded`, or the exception to raise. What was recorded is durable when this
        returns, and a refused job has left no trace.
        """
        failed: dict[int, Outcome] = {}
        self.losses.doubted.clear()
        give_up_at = time.monotonic() + (SHORT_PATIENCE_SECONDS if self.health.trouble else PATIENCE_SECONDS)
        for attempt in count():
            try:
                decided = self._decide_and_commit([(i, job) for i, job in enumerate(jobs) if i not in failed])
                return [failed[i] if i in failed else decided[i] for i in range(len(jobs))]
            except _Bug as bug:
                failed[bug.index] = bug.cause
                self._forget([job.fund for job in jobs])
            except _Overtaken as error:
                if time.monotonic() > give_up_at:
                    return [failed.get(i, StorageUnavailable(str(error))) for i in range(len(jobs))]
                if attempt and len(jobs) > 1:
                    # Who decides longer than others take from commit to commit would be overtaken for ever.
                    half = len(jobs) // 2
                    return self.record(jobs[:half]) + self.record(jobs[half:])
            except PASSING as error:
                self._forget([job.fund for job in jobs])
                # Nobody knows whether the commit took place, or the log has lost what was decided on. Only the log can
                # tell. Where a server only reads, another one may have taken over.
                is_hopeless = (
                    isinstance(error, DatabaseFileGone)
                    or (attempt and isinstance(error, ReadOnlyDatabase))
                    or (attempt >= TRIES_OF_A_DISK and is_of_the_disk(error))
                )
                if is_hopeless or time.monotonic() > give_up_at:
                    self.health.failed(error)
                    unavailable = StorageUnavailable(str(error))
                    return [failed.get(i, unavailable) for i in range(len(jobs))]
                pause = 0.002 if isinstance(error, IntegrityError) else 0.05 * 2 ** min(attempt, 5)
                time.sleep(random.uniform(0, pause))  # noqa: S311  # Keeps processes out of step; no secret.
            except Exception as error:  # noqa: BLE001  # Its own caller gets it.
                self._forget([job.fund for job in jobs])
                # No waiting mends this, and it may be one job's alone: the others are recorded without it.
                if len(jobs) == 1:
                    return [error]
                return [failed[i] if i in failed else self.record([job])[0] for i, job in enumerate(jobs)]
        raise AssertionError

    def _forget(self, logs: Iterable[str]) -> None:
        for code in logs:
            if log := self._logs.forget(code):
                self.losses.doubted[code] = log

    def _go_back(self, batch: Batch) -> None:
        """Leave of the logs in memory only what is stored."""
        self._forget(batch.built_on.keys() - batch.before.keys())
        for log in batch.before.values():
            self._logs.put(log)

    def _decide_and_commit(self, jobs: Sequence[tuple[int, Job]]) -> dict[int, Outcome]:
        batch = Batch()
        outcomes: dict[int, Outcome] = {}
        self._logs.forget_doubted()
        if self._contended:
            self._logs.catch_up(*self._logs.held({job.fund for _, job in jobs}))
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
                self._forget([job.fund])
                outcomes[index] = bug
        try:
            self._commit(batch)
        except MissingLine:
            raise
        except IntegrityError as error:
            self._contended = CONTENDED_BATCHES
            self._go_back(batch)
            raise _Overtaken from error
        self._contended = max(self._contended - 1, 0)
        return outcomes

    def _decide(self, job: Job, batch: Batch) -> Recorded:
        fund = self._load(job)
        if job.dry_run and fund.id not in batch.built_on:
            self._logs.catch_up(fund)
        try:
            return self._decide_on(fund, job, batch)
        except Refusal:
            # Memory may be behind another process: a refusal is only given on what the log holds now. Where the batch
            # has decided on this fund already, a stale memory makes the commit fail, and all is decided again.
            if fund.id in batch.built_on or not self._logs.catch_up(fund):
                raise
            return self._decide_on(fund, job, batch)

    def _load(self, job: Job) -> Log:
        if job.fund in self._logs.cache:
            log: Log | None = self._logs.get(job.fund)
        else:
            log = self._logs.load(job.fund)
            self.losses.compare(job.fund, log)
        if log is None and job.opens:
            log = begun(job.fund, self._logs.reader_of(job.fund))
        if not isinstance(log, job.aggregate):
            raise FundNotFound(fund=job.fund)
        return log

    def _decide_on(self, fund: Log, job: Job, batch: Batch) -> Recorded:
        if job.request and (earlier := fund.recorded_request(job.request.key)):
            if earlier.digest != job.request.digest:
                raise IdempotencyKeyReused(key=job.request.key, version=earlier.last)
            return batch.note(fund, job, earlier.first, earlier.last, replayed=True)
        if job.expected_version not in (None, fund.version):
            raise VersionMismatch(expected=job.expected_version, version=fund.version)
        if job.texts:
            self.register.prepare()
        first = fund.version + 1
        is_stored = fund.id not in batch.built_on
        trial = fund.fork() if job.several or job.dry_run or (self._contended and is_stored) else fund
        try:
            job.decide(trial)
        except Refusal:
            assert not fund.pending, "a job that may record some facts and then refuse says `several`"
            raise
        if trial.pending and not job.dry_run:
            assert job.request, "only a dry run may come without a key"
            if fund.version and is_stored and trial is not fund:
                batch.before[fund.id] = fund
            self._logs.put(trial)
            batch.add(trial, job)
        return batch.note(trial, job, first, trial.version)

    def _commit(self, batch: Batch) -> None:
        """Store the batch in one transaction, then complete what was recorded with positions and names."""
        rows = [self.mapper.to_stored_event(entry) for entry in batch.entries]
        built_on = [line for line in batch.built_on.values() if line.version]
        positions = (
            self.recorder.insert_events(rows, texts=self.register.encrypted(batch.texts), built_on=built_on)
            if rows
            else ()
        )
        assert positions is not None
        if rows:
            self.health.stored()
        at = {
            (row.originator_id, row.originator_version): position for row, position in zip(rows, positions, strict=True)
        }
        texts = self.register.texts(
            digest for each in batch.uncommitted for digest in (*each.names.values(), *each.donors.values())
        )
        for each in batch.uncommitted:
            recorded = each.recorded
            if not each.is_dry_run:
                line = LastLine(recorded.fund, recorded.version, recorded.head)
                recorded.position = at.get(line[:2]) or self.recorder.confirmed(line)
                self.losses.note(*line)
            known = texts | each.unregistered
            recorded.names = {number: known[digest] for number, digest in each.names.items() if digest in known}
            recorded.donors = {version: known[digest] for version, digest in each.donors.items() if digest in known}
        for log in batch.built_on:
            self._logs.settle(log)
        self._logs.shrink()

    def keep_state(self) -> None:
        """Keep the state of a fund that has grown since that was last done; between two batches, where nobody waits for
        it. A batch makes at most about one of them due."""
        self._logs.keep_next()

    def forget(self, log: str) -> None:
        """Take a log out of memory: it is loaded anew when it is needed next. For the thread that records."""
        self._logs.forget(log)

    def prove_states(self, funds: Iterable[str] | None = None) -> Iterator[Difference | None]:
        """Compare the kept states of these funds, or of all whose states were not compared yet, with a replay of each,
        one at a time. A fund whose state differs is loaded anew before anything more is decided. For any thread."""
        for fund in self.kept_states.unproved() if funds is None else funds:
            difference = self.kept_states.difference(fund, partial(self._replayed_upto, fund))
            if difference:
                self._logs.doubted.add(fund)
            yield difference

    def _replayed_upto(self, fund: str, version: int) -> Fund:
        return self.replayed(fund, upto=version)
