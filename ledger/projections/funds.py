"""Funds: which there are, where they stand, and their key figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec

from ledger.database import Row, Transaction
from ledger.events import NO_HEAD, BylawsAdopted, FundOpened, PlaceChanged, check_code
from ledger.projections.tables import LAST_DAY, LoggedEvent, LooksBack, Reader, Rows, Table, until

FUNDS = Table(
    "funds",
    columns="fund TEXT NOT NULL, club TEXT NOT NULL, founded_on TEXT NOT NULL, opened_on TEXT NOT NULL, plan TEXT, "
    "practice BIGINT NOT NULL, version BIGINT NOT NULL, head TEXT NOT NULL, latest_on TEXT NOT NULL",
    key="fund",
)
"""Every fund, and up to where the read model has it; `practice` is 1 for a club to practise on, else 0; `latest_on` is
the latest day anything happened."""

PLACES = Table(
    "places",
    columns="fund TEXT NOT NULL, on_day TEXT NOT NULL, version BIGINT NOT NULL, commune TEXT NOT NULL, district TEXT, "
    "province TEXT NOT NULL",
    key="fund, on_day, version",
)
"""Where each club lies, and from which day; the place it was opened in is its place on all days before. Of several the
one with the latest day, then the latest version, is in force."""

BYLAWS = Table(
    "bylaws",
    columns="fund TEXT NOT NULL, version BIGINT NOT NULL, on_day TEXT NOT NULL, rules TEXT NOT NULL",
    key="fund, version",
)
"""Every set of bylaws, as JSON; of several the one with the latest day, then the latest version, is in force."""


class Area(NamedTuple):
    """Places from a province down: all that meet every condition given. `Area()` is everywhere."""

    province: str | None = None
    district: str | None = None
    commune: str | None = None


EVERYWHERE: Final = Area()


class FundFilter(NamedTuple):
    """The funds a question is about: all that meet every condition given. `FundFilter()` is all clubs.

    Clubs for practice are in no answer about several clubs, whoever asks and whatever the scope; only what is asked
    about a fund by its code is answered of them, too: `FundFilter.exactly`.

    `area` is where they lay on the day asked about, for a figure of a place is that of its own time. `now_in` is where
    they lie now: that goes by who may ask, whatever the day.
    """

    funds: Sequence[str] | None = None
    area: Area = EVERYWHERE
    now_in: Area = EVERYWHERE
    with_practice: bool = False

    @classmethod
    def exactly(cls, funds: Sequence[str]) -> FundFilter:
        """These funds by their codes, be they for practice or not."""
        return cls(funds, with_practice=True)

    def sql(self, as_of: date | None = None) -> tuple[str, Row]:
        """The conditions on a table's `fund`, to follow a `WHERE …`, and their parameters."""
        parameters: Row = {f"fund_{number}": fund for number, fund in enumerate(self.funds or ())}
        sql = ""
        if self.funds is not None:
            names = ", ".join(f":{name}" for name in parameters)
            sql += f" AND fund IN ({names})" if parameters else " AND 1 = 0"
        if not self.with_practice:
            sql += " AND fund NOT IN (SELECT fund FROM funds WHERE practice = 1)"
        for when, area, day in (("then", self.area, until(as_of)), ("now", self.now_in, LAST_DAY)):
            units = {f"{name}_{when}": value for name, value in area._asdict().items() if value is not None}
            if units:
                lying = "".join(f" AND p.{name.partition('_')[0]} = :{name}" for name in units)
                sql += f" AND fund IN (SELECT p.fund FROM {_place_on(f'day_{when}')}{lying})"
                parameters |= {**units, f"day_{when}": day}
        return sql, parameters


def _place_on(day: str) -> str:
    """The place of each fund in force on a day, a parameter: `places p WHERE …`."""
    return (
        f"places p WHERE p.on_day <= :{day} AND NOT EXISTS (SELECT 1 FROM places later WHERE later.fund = p.fund "
        f"AND later.on_day <= :{day} AND (later.on_day, later.version) > (p.on_day, p.version))"
    )


# --- how they change --------------------------------------------------------------------------------------------------


class Last(NamedTuple):
    """Up to where a fund has been projected."""

    version: int = 0
    head: str = NO_HEAD
    latest_on: date = date.min


def lasts(reader: Reader, codes: Sequence[str], parked: str) -> tuple[dict[str, Last], set[str]]:
    """Where these funds stand, new ones included, and which of them are in the table `parked`."""
    names = {f"f{number}": code for number, code in enumerate(codes)}
    listed = ", ".join(f":{name}" for name in names)
    rows = reader.query(
        f"SELECT fund, version, head, latest_on FROM funds WHERE fund IN ({listed}) "
        f"UNION ALL SELECT fund, 0, NULL, NULL FROM {parked} WHERE fund IN ({listed})",
        **names,
    )
    known = {
        row["fund"]: Last(row["version"], row["head"], date.fromisoformat(row["latest_on"]))
        for row in rows
        if row["head"]
    }
    return {code: known.get(code, Last()) for code in codes}, {row["fund"] for row in rows if not row["head"]}


def _opened(events: Iterable[LoggedEvent]) -> Rows:
    """A fund's opening; how far it has come is noted by `rows`."""
    return [
        (
            event.fund,
            event.club,
            event.founded_on.isoformat(),
            on,
            event.plan,
            int(event.practice),
            0,
            NO_HEAD,
            "",
        )
        for event, on, *_ in events
        if isinstance(event, FundOpened)
    ]


def _lain(events: Iterable[LoggedEvent]) -> Rows:
    """Where a club lies, and since when."""
    return [
        (
            event.fund,
            EVER if isinstance(event, FundOpened) else on,
            event.version,
            event.commune,
            event.district,
            event.province,
        )
        for event, on, *_ in events
        if isinstance(event, (FundOpened, PlaceChanged))
    ]


EVER: Final = date.min.isoformat()
"""Since when a club has lain where it was opened: figures of a day before that are asked for by the same place."""


def _adopted(events: Iterable[LoggedEvent]) -> Rows:
    """The bylaws adopted."""
    return [
        (event.fund, event.version, on, msgspec.json.encode(msgspec.structs.asdict(event.bylaws)).decode())
        for event, on, *_ in events
        if isinstance(event, BylawsAdopted)
    ]


ADDED: Final = {FUNDS: _opened, PLACES: _lain, BYLAWS: _adopted}
"""The rows that events add, by table."""


def rows(opened: Rows, reached: Mapping[str, Last]) -> Rows:
    """The rows of funds just opened, with how far each has come by now."""
    known = len(FUNDS.names) - len(Last._fields)
    lasts_of = ((row, reached[row[0]]) for row in opened)
    return [(*row[:known], last.version, last.head, last.latest_on.isoformat()) for row, last in lasts_of]


def write(transaction: Transaction, reached: Mapping[str, Last]) -> None:
    """Note how far each fund has come."""
    transaction.execute_many(
        "UPDATE funds SET version = :version, head = :head, latest_on = :latest_on WHERE fund = :fund",
        [{"fund": code, **last._asdict(), "latest_on": last.latest_on.isoformat()} for code, last in reached.items()],
    )


# --- queries ----------------------------------------------------------------------------------------------------------

FIGURES = {
    "members": "SELECT fund, COUNT(*) AS figure FROM member_spells WHERE from_day <= :until AND until_day > :until",
    "loans": "SELECT fund, COUNT(*) AS figure FROM loan_spells WHERE from_day <= :until AND until_day > :until",
    "outstanding": "SELECT fund, CAST(SUM(amount) AS BIGINT) AS figure FROM {held} AND account = 'loans'",
    "cash": "SELECT fund, CAST(SUM(amount) AS BIGINT) AS figure FROM {held} AND account = 'cash'",
}
"""The key figures of funds on a day."""


def fund(reader: Reader, code: str, as_of: date | None = None) -> dict[str, Any] | None:
    """One fund with its key figures, None if there is none.

    `{fund, club, commune, district, province, founded_on, opened_on, plan, practice, version, head, check_code,
    latest_on, members, loans, outstanding, cash, bylaws}`. The place is that of `as_of`; `district` is None since there
    are none. `version`, `head` and `check_code` are the read model's; `bylaws` are those in force at `as_of` (None
    before the first), `members` are on the roll and `loans` have `outstanding` principal at `as_of`; `cash` is in both
    boxes together, in đồng.
    """
    page = funds(reader, FundFilter.exactly([code]), as_of)["items"]
    if not page:
        return None
    in_force = reader.query(
        "SELECT rules FROM bylaws WHERE fund = :fund AND on_day <= :until ORDER BY on_day DESC, version DESC LIMIT 1",
        fund=code,
        until=until(as_of),
    )
    return {**page[0], "bylaws": msgspec.json.decode(in_force[0]["rules"]) if in_force else None}


def funds(
    reader: Reader, scope: FundFilter, as_of: date | None = None, *, after: str = "", limit: int = 100
) -> dict[str, Any]:
    """The funds in scope by code, each as `fund` has it but without bylaws: `{"items": […], "next": code or None}`.

    `next` is the `after` of the next page.
    """
    conditions, parameters = scope.sql(as_of)
    rows = reader.query(
        "SELECT f.fund, f.club, p.commune, p.district, p.province, f.founded_on, f.opened_on, f.plan, f.practice, "
        "f.version, f.head, f.latest_on FROM "
        f"(SELECT * FROM funds WHERE fund > :after{conditions} ORDER BY fund LIMIT :limit) f, "
        f"{_place_on('as_of')} AND p.fund = f.fund ORDER BY f.fund",
        after=after,
        limit=limit + 1,
        as_of=until(as_of),
        **parameters,
    )
    figures = _figures(reader, [row["fund"] for row in rows[:limit]], as_of)
    items = [
        {**row, "practice": row["practice"] == 1, "check_code": check_code(row["head"]), **figures[row["fund"]]}
        for row in rows[:limit]
    ]
    return {"items": items, "next": items[-1]["fund"] if len(rows) > limit else None}


def count(reader: Reader, scope: FundFilter, as_of: date | None = None) -> int:
    """How many funds there are in scope."""
    conditions, parameters = scope.sql(as_of)
    return int(reader.query(f"SELECT COUNT(*) AS funds FROM funds WHERE 1 = 1{conditions}", **parameters)[0]["funds"])


def codes(reader: Reader, scope: FundFilter) -> list[str]:
    """The codes of all funds in scope, in order."""
    conditions, parameters = scope.sql()
    rows = reader.query(f"SELECT fund FROM funds WHERE 1 = 1{conditions} ORDER BY fund", **parameters)
    return [row["fund"] for row in rows]


MOVED = "CASE side WHEN 'received' THEN -amount ELSE amount END"
"""What a day moved on an account, debits positive, in SQL about `account_days`."""
DAYS_MOVED = f"(SELECT fund, on_day, pot, account, {MOVED} AS amount FROM account_days) moved"


def held_on(reader: Reader, codes: Sequence[str], as_of: date | None, *, parts: bool = False) -> str:
    """Where the amounts are that make the balances of these funds on a day: with its condition, in SQL. With their
    `parts`, if what lies beneath an account is asked for.

    Once the latest entry has happened, the balances kept are the answer; before, what each day moved is added up.
    """
    if as_of is not None and isinstance(reader, LooksBack):
        return reader.held_on(until(as_of))
    conditions, parameters = FundFilter.exactly(codes).sql()
    later = f"SELECT fund FROM funds WHERE latest_on > :until{conditions} LIMIT 1"
    is_past = as_of is not None and reader.query(later, until=until(as_of), **parameters)
    if not is_past:
        return "balances WHERE 1 = 1"
    return f"{'legs' if parts else DAYS_MOVED} WHERE on_day <= :until"


Standing = dict[str, Any]
"""Where the read model has a fund: `{fund, version, head, position, parked}`. `parked` is None or `{version, why}`:
from that version on, nothing is in any figure."""


def standing(reader: Reader, code: str) -> Standing | None:
    """Where a fund stands; None if there is none."""
    sql, parameters = standings_asked([code])
    found = reader.query(f"SELECT m.position, f.* FROM read_model m JOIN ({sql}) f ON 1 = 1", **parameters)
    return standing_in(found[0]) if found else None


def standings_asked(codes: Sequence[str]) -> tuple[str, Row]:
    """What asks where these funds stand, of those that there are: SQL, and its parameters."""
    # The database prepares each shape of a statement once: filled up to a power of two, shapes are few.
    conditions, parameters = FundFilter.exactly(
        [*codes, *[""] * ((1 << (len(codes) - 1).bit_length()) - len(codes))]
    ).sql()
    sql = (
        "SELECT s.fund, s.version, s.head AS fund_head, p.version AS stuck, p.why "
        f"FROM (SELECT fund, version, head FROM funds WHERE 1 = 1{conditions}) s LEFT JOIN parked p ON p.fund = s.fund"
    )
    return sql, parameters


def standing_in(row: Row) -> Standing:
    """Where a fund stands, as such a row tells it, together with the position."""
    parked = {"version": row["stuck"], "why": row["why"]} if row["stuck"] else None
    return {
        "fund": row["fund"],
        "version": row["version"],
        "head": row["fund_head"],
        "position": row["position"],
        "parked": parked,
    }


def _figures(reader: Reader, codes: Sequence[str], as_of: date | None) -> dict[str, dict[str, int]]:
    """The key figures of these funds."""
    conditions, parameters = FundFilter.exactly(codes).sql()
    figures: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(FIGURES, 0))
    held = held_on(reader, codes, as_of)
    for name, sql in FIGURES.items():
        for row in reader.query(f"{sql.format(held=held)}{conditions} GROUP BY fund", until=until(as_of), **parameters):
            figures[row["fund"]][name] = row["figure"]
    return figures
