"""The plan's 24 clubs, made up and believable, recorded through the same decisions as real requests.

`fill` lets every club live month by month and records what it tells, some hundred jobs a batch. With the same seed, the
same clubs and the same day, the same lines come out.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from random import Random

import msgspec

from ledger.application import Ledger
from ledger.days import add_months
from ledger.faults import Fault
from ledger.refusals import Refusal
from service.access.principals import Principal
from service.demo.diary import Told, instant
from service.demo.life import Life
from service.demo.places import CLUBS
from service.demo.spending import Spender
from service.demo.staff import Board, Province
from service.demo.village import Village

__all__ = ["DatabaseNotEmpty", "Summary", "fill"]

SEED = 47
BATCH = 400
"""Jobs that share a commit."""
FIRST_DAY = date(2016, 1, 1)


class DatabaseNotEmpty(Fault):
    """There are funds in the database already; the demo fills only an empty one, and changes nothing here."""

    area = "demo"


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What was made: how many clubs, members and events, the province's spending among them; how many refusals by their
    code, and who acted in it.

    The first of the principals are the province's administrator, inspector and reporter; then come each club's chair
    and treasurer. `member` is of the first club, and acts in nothing.
    """

    clubs: int
    members: int
    events: int
    refusals: dict[str, int]
    principals: tuple[Principal, ...]
    member: Principal


def fill(
    ledger: Ledger,
    *,
    today: date,
    seed: int = SEED,
    clubs: int = len(CLUBS),
    since: date = FIRST_DAY,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Fill an empty database with the first `clubs` of the plan's clubs, and their lives from `since` until yesterday.

    A club founded before `since` opens its fund then. The first club, whose people are let in, meets on the day of the
    month that it is: its meeting is due today. `progress` is called after every batch with the months lived by
    all clubs together, and how many there will be. Raises `DatabaseNotEmpty`.
    """
    if there := ledger.funds():
        raise DatabaseNotEmpty("not-empty", funds=len(there))
    random = Random(seed)  # noqa: S311  # Repeatable on purpose; nothing here is a secret.
    province = Province(random, today)
    lives = [
        Life(club, Board(club, random), random.getrandbits(64), opened_on, province)
        for club in (CLUBS[0].meeting_on(today.day), *CLUBS[1:clubs])
        if (opened_on := max(club.begins_on, since)) < today
    ]
    spender = Spender(province.reporter.id, since)
    refusals: Counter[str] = Counter()
    months = list(_months(min(life.opened_on for life in lives), today))
    to_live, lived = sum(life.has_begun(month) for month in months for life in lives), 0
    for month in months:
        lived += sum(life.has_begun(month) for life in lives)
        for batch in _batches(lives, spender, month, min(add_months(month, 1), today)):
            refusals.update(_record(ledger, batch))
            if progress:
                progress(lived, to_live)
    return Summary(
        clubs=len(lives),
        members=sum(len(life.village.roll) for life in lives),
        events=spender.version + sum(life.village.version for life in lives),
        refusals=dict(refusals),
        principals=(
            province.admin,
            province.inspector,
            province.reporter,
            *(person for life in lives for person in (life.village.board.chair, life.village.board.treasurer)),
        ),
        member=lives[0].village.board.member,
    )


def _months(first: date, today: date) -> Iterator[date]:
    """The first days of the months from that of `first` to that of `today`."""
    month = first.replace(day=1)
    while month <= today:
        yield month
        month = add_months(month, 1)


Line = tuple[Told, Village | Spender]


def _batches(lives: Sequence[Life], spender: Spender, month: date, until: date) -> Iterator[Sequence[Line]]:
    """What all clubs and the province tell in a month before the day `until` begins, in the order it reaches the
    service."""
    for life in lives:
        life.live(month)
    tellers: tuple[Village | Spender, ...] = (*(life.village for life in lives), spender)
    told = [(line, teller) for teller in tellers for line in teller.diary.told_before(instant(until, 0))]
    told.sort(key=lambda line: line[0].at)
    for start in range(0, len(told), BATCH):
        yield told[start : start + BATCH]


def _record(ledger: Ledger, batch: Sequence[Line]) -> Iterator[str]:
    """Record a batch and let each teller know what became of it; answers the codes of the refusals."""
    outcomes = ledger.record([line.job for line, _ in batch])
    for (_, teller), outcome in zip(batch, outcomes, strict=True):
        if isinstance(outcome, Refusal):
            yield outcome.code
        elif isinstance(outcome, Exception):
            raise outcome
        else:
            teller.hear(outcome)
