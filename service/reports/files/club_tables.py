"""The tables of a report that are about the clubs: what each did, lent, holds and was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

from ledger.chart import POTS
from ledger.reports.indicators import READINGS
from service.reports.files.figures import Cell, Count, ReportWords, plus, share_of
from service.reports.files.table import Column, Table, at, checked, club, code, number, share, text

FEW: Final = 8
"""The width of a column of small numbers."""


def share_at(*path: str, width: int = FEW) -> Column:
    """A column of the share that stands under these names, called by the last of them."""
    of = at(*path)
    return share(path[-1], lambda row: share_of(of(row)), width)


def _clubs(words: ReportWords, key: str, *columns: Column) -> Table:
    return Table(key, (club(words), *columns), words.report["by_club"], [words.report["total"]])


def clubs_members(words: ReportWords) -> Table:
    """Every club, where it lies, and who its members are."""
    return _clubs(
        words,
        "members",
        code("fund", 18, lambda row: row.get("fund")),
        text("commune", 18, lambda row: row.get("commune")),
        text("district", 18, lambda row: row.get("district")),
        number("members", at("members"), FEW + 2),
        *map(share_at, ("women", "older", "younger", "hardship")),
        number("volunteers", at("volunteers"), FEW + 2),
    )


def clubs_verdicts(words: ReportWords) -> Table:
    """Of how many members each club is the lender, and whether it does what the plan asks."""

    def truth(key: str, *path: str) -> Column:
        of = at(*path)
        return text(key, 12, lambda row: _truth(words, of(row)))

    return _clubs(
        words,
        "verdicts",
        truth("both_pots", "both_pots"),
        truth("full_activities", "full_activities"),
        text("well_managed", 12, lambda row: _truth(words, row["well_managed"].get("met", row["well_managed"]))),
        text("failed", 36, lambda row: failed_tests(words, row)),
        *(truth(f"good_{reading}", "good_clubs", reading) for reading in READINGS),
        *map(share_at, ("borrowing_current", "borrowing_in_period", "borrowing_ever")),
        number("areas", lambda row: row["areas"] if row.get("fund") else None, FEW + 2),
    )


def clubs_life(words: ReportWords) -> Table:
    """The meetings of each club, mutual help, and how its books are looked after."""
    counts = ("months_closed", "counts", "differences", "corrections")
    return _clubs(
        words,
        "life",
        number("meetings", at("meetings", "held"), 10),
        number("meeting_months", at("meetings", "months"), 10),
        share_at("attendance"),
        number("help_times", lambda row: plus(*(kind["times"] for kind in row["mutual_help"].values())), 10),
        number("help_worth", lambda row: plus(*(kind["worth"] for kind in row["mutual_help"].values()))),
        *(number(name, at("oversight", name), 10) for name in counts),
        number("inspections", lambda row: plus(*row["oversight"]["inspections"].values()), 10),
        number("late_median", at("oversight", "days_late", "median"), 10),
        number("late_p90", at("oversight", "days_late", "p90"), 10),
    )


def _truth(words: ReportWords, figure: Any) -> Cell:
    """Of a club whether it is so; of all together, how many of how many clubs."""
    return share_of(figure) if isinstance(figure, Mapping) else words.truth(figure)


def failed_tests(words: ReportWords, row: Mapping[str, Any]) -> str:
    """Which tests of good management a club fails."""
    return ", ".join(words.word("word.well_managed", test) for test in row["well_managed"].get("failed") or ())


# --- loans --------------------------------------------------------------------------------------------------------


def lending(words: ReportWords) -> Table:
    """What each club lent and got back, and what is owed and late."""
    moved = ("disbursed", "principal", "interest", "outstanding", "overdue")
    return Table(
        "lending",
        (
            club(words),
            number("loans", at("lending", "loans"), FEW),
            *(number(name, at("lending", name)) for name in moved),
            share_at("lending", "par30", width=16),
            *(number(name, at("lending", name)) for name in ("written_off", "recovered")),
        ),
        words.report["by_club"],
        [words.report["total"]],
    )


def overdue(words: ReportWords) -> Table:
    """What is late of each club's loans, and what was given up."""
    kept = ("club", "outstanding", "overdue", "par30", "written_off", "recovered")
    return lending(words).only(*kept)._replace(key="overdue")


GROUPINGS: Final = {
    "by_purpose": "word.purpose",
    "by_sex": "word.sex",
    "by_age": "report_file.age",
    "by_poverty": "word.poverty",
}
"""How loans are grouped, and the words of each group."""


def lending_groups(words: ReportWords) -> Table:
    """Loans by purpose, and by sex, age and poverty of the borrower."""
    lent = words.report["total"]["lending"]
    return Table(
        "lending_groups",
        (
            text("group", 34, at("group")),
            number("loans", at("loans"), FEW),
            number("disbursed", at("disbursed")),
            number("outstanding", at("outstanding")),
        ),
        [
            {"group": f"{words.phrase(f'grouping.{grouping}')}: {words.word(enumeration, group)}", **figures}
            for grouping, enumeration in GROUPINGS.items()
            for group, figures in (lent[grouping] or {}).items()  # The public may not see every grouping.
        ],
    )


# --- the two pots -------------------------------------------------------------------------------------------------


def pots(words: ReportWords) -> Table:
    """Each pot of each club: opening plus received less paid is closing, of which so much in the box, at the bank, with
    borrowers and in goods."""
    return Table(
        "pots",
        (
            club(words),
            text("pot", 20, lambda row: words.word("word.pot", row["pot"])),
            number("opening", at("opening")),
            number("received", at("received", "total")),
            number("paid", at("paid", "total")),
            number("closing", at("closing", "total")),
            Column("check", "check", 10, check_of_pot),
            number("cash", at("closing", "cash")),
            number("bank", at("closing", "bank")),
            number("lent", at("closing", "loans")),
            number("equipment", at("closing", "equipment")),
        ),
        [pot for row in words.report["by_club"] for pot in _pots(row)],
        list(_pots(words.report["total"])),
        adds=("opening", "received", "paid", "closing"),
    )


def _pots(row: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    return ({"fund": row.get("fund"), "pot": pot, **row["pots"][pot]} for pot in POTS)


def check_of_pot(pot: Mapping[str, Any]) -> Count:
    """Nought where opening and received are as much as paid and closing."""
    return checked(pot["opening"], pot["received"]["total"], pot["paid"]["total"], pot["closing"]["total"])


PARTS: Final = {"donations": "word.source", "expenses": "word.activity"}
"""What the parts of an account are called."""


def pot_accounts(words: ReportWords) -> Table:
    """What came into the pots and went out of them, by account; donations by source, expenses by activity."""
    of_pots = words.report["total"]["pots"]
    keys = dict.fromkeys(key for pot in POTS for key in _moved(of_pots[pot]))
    sides = [key for side in ("received", "paid") for key in keys if key[0] == side]
    moved: dict[str, Any] = {pot: _moved(of_pots[pot]) for pot in POTS}

    def said(key: tuple[str, str, str]) -> str:
        return f"{words.phrase(f'side.{key[0]}')}: {words.word('word.account', key[1])}"

    def amount(pot: str) -> Column:
        return number(pot, lambda key: moved[pot].get(key, 0))

    return Table(
        "pot_accounts",
        (
            text("account", 34, said),
            text("part", 30, lambda key: words.word(PARTS[key[1]], key[2]) if key[2] else ""),
            *map(amount, POTS),
        ),
        sides,
    )


def _moved(pot: Mapping[str, Any]) -> dict[tuple[str, str, str], Count]:
    """What was moved of a pot: by side, account, and part of it if it has parts."""
    found: dict[tuple[str, str, str], Count] = {}
    for side in ("received", "paid"):
        for account, moved in pot[side].items():
            if isinstance(moved, Mapping):
                found |= {(side, account, part): amount for part, amount in moved.items() if part != "total"}
            elif account != "total":
                found[side, account, ""] = moved
    return found


# --- gifts --------------------------------------------------------------------------------------------------------


def sources(words: ReportWords) -> Table:
    """What came from whom, in cash and in kind."""
    return _sources(words, "sources", words.report["total"]["sources"])


def sources_by_club(words: ReportWords) -> Table:
    """The same of each club."""
    rows = [{"fund": row["fund"], **given} for row in words.report["by_club"] for given in row["sources"]]
    return _sources(words, "sources_by_club", rows)


def _source(words: ReportWords) -> Column:
    return text("source", 48, lambda row: words.word("word.source", row["source"]) if "source" in row else "")


def _sources(words: ReportWords, key: str, rows: Sequence[Any]) -> Table:
    sums = {name: plus(*(row[name] for row in rows)) for name in ("cash", "in_kind")}
    return Table(
        key,
        (
            club(words),
            _source(words),
            text("origin", 14, lambda row: _origin(words, row)),
            number("in_cash", at("cash")),
            number("in_kind", at("in_kind")),
            number("both", lambda row: plus(row["cash"], row["in_kind"])),
        ),
        rows,
        [sums],
    )


def _origin(words: ReportWords, row: Mapping[str, Any]) -> str:
    if "foreign" not in row:
        return ""
    return words.said("origin.foreign" if row["foreign"] else "origin.domestic")


def gifts(words: ReportWords) -> Table:
    """Every gift in kind, with the document it came by."""
    given = words.report["total"]["in_kind"]
    return Table(
        "gifts",
        (
            _source(words),
            club(words),
            Column("on", "day", 12, lambda row: date.fromisoformat(row["on"]) if "on" in row else None),
            code("document", 26, lambda row: row.get("document")),
            number("worth", at("value")),
        ),
        given["gifts"],
        [{"value": given["total"]}],
    )
