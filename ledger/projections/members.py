"""The roll: who was a member, and as what, on any day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import cache
from typing import Any, get_args

from ledger.chart import Legs
from ledger.database import Row
from ledger.events import EntryReversed, Event, MemberChanged, MemberJoined, MemberLeft, MemberReturned
from ledger.events.club import household_key
from ledger.projections.tables import FOREVER, History, Reader, Rows, Table, until

MEMBER_FACTS = Table(
    "member_facts",
    columns="fund TEXT NOT NULL, member BIGINT NOT NULL, version BIGINT NOT NULL, fact TEXT NOT NULL, "
    "on_day TEXT NOT NULL, sex TEXT, birth_year BIGINT, poverty TEXT, household TEXT, reason TEXT, reverses BIGINT, "
    "name TEXT, phone TEXT",
    key="fund, member, version",
)
"""What was recorded of each member; what a fact does not say is null. `name` and `phone` are digests."""

MEMBERS = Table(
    "members",
    columns="fund TEXT NOT NULL, member BIGINT NOT NULL, joined_on TEXT NOT NULL, left_on TEXT, leaving_reason TEXT, "
    "name TEXT, phone TEXT, sex TEXT NOT NULL, birth_year BIGINT NOT NULL, poverty TEXT NOT NULL, household TEXT",
    key="fund, member",
)
"""Every member as they stand, or last stood."""

MEMBER_SPELLS = Table(
    "member_spells",
    columns="fund TEXT NOT NULL, member BIGINT NOT NULL, from_day TEXT NOT NULL, until_day TEXT NOT NULL, "
    "sex TEXT NOT NULL, birth_year BIGINT NOT NULL, poverty TEXT NOT NULL, household TEXT",
    key="fund, member, from_day",
    indexes=("(sex, poverty, birth_year, from_day, until_day)",),
)
"""The stretches on the roll without a change: of each member, at most one holds on any day. All of a country's members
are counted from the index alone."""

DESCRIBED = ("sex", "birth_year", "poverty", "household")


# --- how they change --------------------------------------------------------------------------------------------------


OfMember = MemberJoined | MemberChanged | MemberLeft | MemberReturned | EntryReversed

COMING_AND_GOING = frozenset({MemberLeft.__name__, MemberReturned.__name__})
"""What is told of the roll and may be reversed."""


def _rows(event: OfMember, on: str, _: Legs) -> Iterable[tuple[Any, ...]]:
    """The fact an event tells of a member."""
    if not _is_of_the_roll(event):
        return ()
    described = _reader(type(event))(event)
    texts = event.texts or {}
    return (
        (event.fund, event.member, event.version, event.name, on, *described, texts.get("name"), texts.get("phone")),
    )


@cache
def _reader(kind: type[Event]) -> Callable[[Event], tuple[Any, ...]]:
    return kind.reader(*DESCRIBED, "reason", "reverses")


def _is_of_the_roll(event: OfMember) -> bool:
    return not isinstance(event, EntryReversed) or event.entry in COMING_AND_GOING


def _touched(event: OfMember, _: bool) -> Iterable[int]:
    return (event.member,) if event.member is not None and _is_of_the_roll(event) else ()


def _derive(facts: Sequence[Row]) -> dict[Table, Rows]:
    """The spells of a member, in order of the days things happened: a change told late holds from its own day."""
    if not facts:
        return {}
    undone = {fact["reverses"] for fact in facts if fact["reverses"]}
    live = (fact for fact in facts if not fact["reverses"] and fact["version"] not in undone)
    joined, *later = sorted(live, key=lambda fact: (fact["on_day"], fact["version"]))
    assert joined["fact"] == MemberJoined.__name__, "a member begins by joining"
    who = (joined["fund"], joined["member"])
    now = {name: joined[name] for name in (*DESCRIBED, "name", "phone")}
    spells: Rows = []
    from_day, left = joined["on_day"], None

    def close(day: str) -> None:
        if from_day < day:
            spells.append((*who, from_day, day, *(now[name] for name in DESCRIBED)))

    for fact in later:
        if left is None:
            close(fact["on_day"])
        from_day = fact["on_day"]
        if fact["fact"] == MemberLeft.__name__:
            left = fact
        elif fact["fact"] == MemberReturned.__name__:
            left = None
        now |= {name: fact[name] for name in now if fact[name] is not None}
    if left is None:
        close(FOREVER)
    leaving = (left["on_day"], left["reason"]) if left else (None, None)
    described = (now[name] for name in ("name", "phone", *DESCRIBED))
    return {MEMBERS: [(*who, joined["on_day"], *leaving, *described)], MEMBER_SPELLS: spells}


HISTORY = History(
    facts=MEMBER_FACTS,
    owner="member",
    derived=(MEMBERS, MEMBER_SPELLS),
    facts_of=dict.fromkeys(get_args(OfMember), _rows),
    touched=dict.fromkeys(get_args(OfMember), _touched),
    derive=_derive,
)


# --- queries ----------------------------------------------------------------------------------------------------------

AS_THEN = """
SELECT m.member, COALESCE(s.sex, m.sex) AS sex, COALESCE(s.birth_year, m.birth_year) AS birth_year,
    COALESCE(s.poverty, m.poverty) AS poverty,
    CASE WHEN s.fund IS NULL THEN m.household ELSE s.household END AS household, m.joined_on,
    CASE WHEN s.until_day <= :day THEN s.until_day WHEN m.left_on <= :day THEN m.left_on END AS left_on,
    CASE WHEN m.left_on <= :day THEN m.leaving_reason END AS leaving_reason, m.name, m.phone
FROM members m
"""


def roll(
    reader: Reader,
    fund: str,
    as_of: date | None = None,
    *,
    sex: str | None = None,
    poverty: str | None = None,
    household: str | None = None,
    after: int = 0,
    limit: int = 500,
) -> dict[str, Any]:
    """The members on the roll at the end of a day, by number: `{"items": […], "next": number or None}`.

    An item is `{member, sex, birth_year, poverty, household, joined_on, left_on, leaving_reason, name, phone}`, as
    things stood then; `name` and `phone` are digests to look up in the register, always the latest. Whoever left on
    the day is off the roll at its end.
    """
    wanted = {"sex": sex, "poverty": poverty, "household": household_key(household) if household else None}
    compared = {"household": "UPPER(s.household)"}
    conditions = "".join(
        f" AND {compared.get(name, f's.{name}')} = :{name}" for name, value in wanted.items() if value is not None
    )
    items = reader.query(
        f"{AS_THEN} JOIN member_spells s ON s.fund = m.fund AND s.member = m.member "
        "WHERE m.fund = :fund AND s.from_day <= :day AND s.until_day > :day AND m.member > :after"
        f"{conditions} ORDER BY m.member LIMIT :limit",
        fund=fund,
        day=until(as_of),
        after=after,
        limit=limit + 1,
        **wanted,
    )
    return {"items": items[:limit], "next": items[limit - 1]["member"] if len(items) > limit else None}


def member(reader: Reader, fund: str, number: int, as_of: date | None = None) -> dict[str, Any] | None:
    """One member as in `roll`, on the roll or not (then as they last stood); None before they joined."""
    items = reader.query(
        f"{AS_THEN} LEFT JOIN member_spells s ON s.fund = m.fund AND s.member = m.member AND s.from_day = "
        "(SELECT MAX(from_day) FROM member_spells WHERE fund = :fund AND member = :number AND from_day <= :day) "
        "WHERE m.fund = :fund AND m.member = :number AND m.joined_on <= :day",
        fund=fund,
        number=number,
        day=until(as_of),
    )
    return items[0] if items else None


def names(reader: Reader, fund: str, numbers: Iterable[int]) -> dict[int, str]:
    """The digests of these members' names, of those who have one."""
    wanted = set(numbers)
    rows = reader.query("SELECT member, name FROM members WHERE fund = :fund AND name IS NOT NULL", fund=fund)
    return {row["member"]: row["name"] for row in rows if row["member"] in wanted}


def born(reader: Reader, fund: str) -> dict[int, tuple[str | None, int]]:
    """Of everybody who ever was a member, the digest of the name and the year of birth: what tells two of one name
    apart."""
    rows = reader.query("SELECT member, name, birth_year FROM members WHERE fund = :fund", fund=fund)
    return {row["member"]: (row["name"], row["birth_year"]) for row in rows}
