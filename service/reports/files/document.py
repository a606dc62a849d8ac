"""The report as an office files it (Decree 30/2020/NĐ-CP): what it says, in which order; not yet how it looks.

What a clerk has to judge is left open: issuer, number, day and signature, the reasons of what is not reached, what is
to be done, and proposals. Facts for these parts are proposed from the books.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from ledger.reports.report import Report
from service.reports.files import about
from service.reports.files.club_tables import (
    check_of_pot,
    clubs_life,
    clubs_members,
    clubs_verdicts,
    gifts,
    lending,
    lending_groups,
    pots,
    sources,
)
from service.reports.files.figures import ALONE, Beside, ReportWords, is_number, plus, share_of
from service.reports.files.plan_tables import (
    budget,
    compared,
    definitions,
    found,
    heads,
    required,
    restated,
    restated_said,
    targets,
)
from service.reports.files.table import Table


class Heading(NamedTuple):
    """A heading: of a part (1), or of a section within (2)."""

    level: int
    text: str


class Paragraph(NamedTuple):
    """A paragraph, or one item of a list."""

    text: str
    is_item: bool = False


class Blank(NamedTuple):
    """Lines for the clerk to write on."""

    lines: int


class Figures(NamedTuple):
    """A table, with its number and title."""

    title: str
    table: Table


Block = Heading | Paragraph | Blank | Figures


class Annex(NamedTuple):
    """An annex, on sheets that lie across."""

    name: str
    title: str
    blocks: Sequence[Block]


class Document(NamedTuple):
    """The whole document."""

    words: ReportWords
    subject: str
    opening: str
    blocks: Sequence[Block]
    closing: str
    recipients: Sequence[str]
    annexes: Sequence[Annex]
    footer: str


def document_of(report: Report, language: str, beside: Beside = ALONE) -> Document:
    """The report as a document."""
    words = ReportWords(report, language, beside)
    numbers = iter(range(1, 100))
    parts = (_general(words), _results(words), _left_open(words), _restated(words))
    plan, facts = beside.plan, {"period": words.period(), "plan": words.plan}
    number = f"{words.said('numbered', number=beside.number)} · " if beside.number else ""
    until = words.day(report["period"]["to"])
    return Document(
        words,
        words.said("paper.subject", **facts),
        words.said("paper.opening", **facts, issuer=plan.issuer, title=plan.title)
        if plan
        else words.said("paper.opening_short", **facts),
        [_numbered(words, block, numbers) for part in parts for block in part],
        words.said("paper.closing", period=words.period()),
        _recipients(words),
        [
            Annex(
                words.said("paper.annex", number="I" * rank),
                title,
                [_numbered(words, block, numbers) for block in blocks],
            )
            for rank, (title, blocks) in enumerate(_annexes(words), 1)
        ],
        number + words.said("footer", code=report["report_code"], until=until),
    )


def _numbered(words: ReportWords, block: Block, numbers: Iterator[int]) -> Block:
    if not isinstance(block, Figures):
        return block
    return block._replace(title=words.said("paper.sheet", number=str(next(numbers)), title=block.title))


def _table(words: ReportWords, table: Table) -> Figures:
    return Figures(words.said(f"table.{table.key}"), table)


def _recipients(words: ReportWords) -> list[str]:
    """Whom the report goes to: as the plan says, else a line to fill in; the archive is last."""
    plan = words.beside.plan
    named = list(plan.recipients) if plan and plan.recipients else ["………", words.said("paper.archive")]
    return [f"{name};" for name in named[:-1]] + [f"{named[-1]}."]


# --- I ------------------------------------------------------------------------------------------------------------


def _general(words: ReportWords) -> Iterator[Block]:
    report, total, clubs = words.report, words.report["total"], words.report["clubs"]
    yield Heading(1, words.said("part_of.general"))
    since, until = words.day(report["period"]["from"]), words.day(report["period"]["to"])
    facts = {"since": since, "until": until, "known": about.known(words)}
    yield _said(words, "basis", **facts, definitions=report["definitions"], code=report["report_code"])
    missing = about.missing(words)
    yield _said(
        words,
        "scope",
        scope=about.scope(words),
        counted=words.number(clubs["counted"]),
        expected=words.number(clubs["expected"]),
        missing=words.phrase("text.missing", clubs=missing) if missing else words.phrase("about.none_missing"),
    )
    if clubs["broken"]:
        yield _said(words, "broken", clubs=words.clubs(clubs["broken"]))
    if clubs["silent"]:
        yield _said(words, "silent", clubs=about.silent(words))
    founded, maintained = words.number(clubs["founded"]), words.number(clubs["maintained"])
    yield _said(words, "founded", founded=founded, maintained=maintained)
    shares = {name: _share(words, name) for name in ("women", "older", "younger", "hardship")}
    counts = {name: words.number(total[name]) for name in ("members", "volunteers")}
    yield _said(words, "members", **shares, **counts, age=str(report["scope"]["threshold"]))


def _said(words: ReportWords, key: str, **facts: str) -> Paragraph:
    return Paragraph(words.said(f"text.{key}", **facts))


def _share(words: ReportWords, indicator: str) -> str:
    return words.share(share_of(words.report["total"][indicator]))


# --- II -----------------------------------------------------------------------------------------------------------


def _results(words: ReportWords) -> Iterator[Block]:
    yield Heading(1, words.said("part_of.results"))
    for name, section in _SECTIONS.items():
        yield Heading(2, words.said(f"part_of.{name}"))
        yield from section(words)


def _targets(words: ReportWords) -> Iterator[Block]:
    judged = [row for row in words.report["targets"] if row["met"] is not None]
    met = words.number(sum(row["met"] for row in judged))
    yield _said(words, "targets", judged=words.number(len(judged)), met=met)
    kept = ("rank", "indicator", "required", "result", "clubs_of", "met")
    yield _table(words, targets(words).only(*kept))
    yield _management(words)
    if table := compared(words):
        yield _table(words, table)


def _management(words: ReportWords) -> Paragraph:
    """How many clubs are well managed, and which tests how many others fail."""
    failed = Counter(test for row in words.report["by_club"] for test in row["well_managed"].get("failed") or ())
    managed = _share(words, "well_managed")
    if not failed:
        return _said(words, "management_all", managed=managed)
    tests = (
        words.phrase("text.test_failed", test=words.word("word.well_managed", test), clubs=words.number(clubs))
        for test, clubs in failed.most_common()
    )
    return _said(words, "management", managed=managed, tests="; ".join(tests))


def _lending(words: ReportWords) -> Iterator[Block]:
    lent = words.report["total"]["lending"]
    moved, owed = ("disbursed", "principal", "interest"), ("outstanding", "overdue", "written_off", "recovered")
    amounts = {name: words.dong(lent[name]) for name in (*moved, *owed)}
    yield _said(words, "lent", **amounts, loans=words.number(lent["loans"]))
    yield _said(words, "owed", **amounts, par30=words.share(share_of(lent["par30"])))
    readings = ("current", "in_period", "ever")
    yield _said(words, "borrowing", **{name: _share(words, f"borrowing_{name}") for name in readings})
    if (groups := lending_groups(words)).rows:
        yield _table(words, groups)


def _pots(words: ReportWords) -> Iterator[Block]:
    yield _said(words, "pots", both=_share(words, "both_pots"))
    table = pots(words)
    if all(check_of_pot(pot) == 0 for pot in (*table.rows, *table.sums)):
        yield _said(words, "pots_add_up")
    of_all = table.only("pot", "opening", "received", "paid", "closing")._replace(rows=table.sums, sums=())
    yield _table(words, of_all)


def _sources(words: ReportWords) -> Iterator[Block]:
    given = words.report["total"]["sources"]
    sums = {name: words.dong(plus(*(row[name] for row in given))) for name in ("cash", "in_kind")}
    yield _said(words, "raised", **sums)
    if given:
        yield _table(words, sources(words).without("club"))


def _gifts(words: ReportWords) -> Iterator[Block]:
    given = words.report["total"]["in_kind"]
    if given["gifts"]:
        yield _said(words, "gifts", gifts=words.number(len(given["gifts"])), total=words.dong(given["total"]))
        yield _table(words, gifts(words))
    else:
        yield _said(words, "no_gifts")
    if words.report["total"]["budget"]:
        yield _table(words, budget(words))
    else:
        yield _said(words, "no_budget")


def _meetings(words: ReportWords) -> Iterator[Block]:
    total = words.report["total"]
    held = {name: words.number(total["meetings"][name]) for name in ("held", "months")}
    yield _said(words, "meetings", **held, attendance=_share(words, "attendance"))
    yield _said(words, "activities", full=_share(words, "full_activities"))
    kinds = [
        words.phrase(
            "text.help_kind",
            kind=words.word("word.help", kind),
            times=words.number(given["times"]),
            worth=words.dong(given["worth"]),
        )
        for kind, given in total["mutual_help"].items()
        if given["times"]
    ]
    yield _said(words, "help", kinds="; ".join(kinds)) if kinds else _said(words, "no_help")


def _oversight(words: ReportWords) -> Iterator[Block]:
    told = words.report["total"]["oversight"]
    counts = ("months_closed", "counts", "differences", "corrections")
    yield _said(words, "oversight", **{name: words.number(told[name]) for name in counts})
    yield _said(words, "inspections", **{kind: words.number(made) for kind, made in told["inspections"].items()})
    if told["days_late"]["median"] is not None:
        yield _said(words, "late", **{name: words.number(days) for name, days in told["days_late"].items()})


_SECTIONS: Final = {
    "targets": _targets,
    "lending": _lending,
    "pots": _pots,
    "sources": _sources,
    "gifts": _gifts,
    "meetings": _meetings,
    "oversight": _oversight,
}


# --- III to V, and what was restated ------------------------------------------------------------------------------

MOST_NAMED: Final = 8
"""So many clubs are named in a sentence; more stand in the annex."""


def _left_open(words: ReportWords) -> Iterator[Block]:
    """What was not reached, for the clerk to explain; and room for what is to be done and proposed."""
    yield Heading(1, words.said("part_of.shortcomings"))
    facts = list(_shortcomings(words))
    yield _said(words, "facts" if facts else "no_facts")
    yield from (Paragraph(fact, is_item=True) for fact in facts)
    yield Blank(3)
    for part in ("direction", "proposals"):
        yield Heading(1, words.said(f"part_of.{part}"))
        yield Blank(4)


def _shortcomings(words: ReportWords) -> Iterator[str]:
    for row in words.report["targets"]:
        if row["met"] is False:
            facts = {
                "target": words.word("indicator", f"{row['id']}.name"),
                "found": words.text(found(row)),
                "required": required(words, row),
            }
            failing = row["failing"]
            if failing:
                yield words.said("text.not_met", **facts, clubs=_named(words, failing, row["clubs"]))
            else:
                yield words.said("text.not_met_in_all", **facts)
    if words.report["clubs"]["silent"]:
        yield words.said("text.silent", clubs=about.silent(words))
    if plan := words.beside.plan:
        late = [row["fund"] for row in words.report["by_club"] if _is_late(row, plan.well_managed.par30_percent)]
        if late:
            yield words.said("text.at_risk", percent=str(plan.well_managed.par30_percent), clubs=words.clubs(late))


def _named(words: ReportWords, failing: Sequence[str], clubs: int) -> str:
    if len(failing) <= MOST_NAMED:
        return words.clubs(failing)
    return words.phrase("text.most_clubs", failing=words.number(len(failing)), clubs=words.number(clubs))


def _is_late(row: Report, percent: int) -> bool:
    risk = row["lending"]["par30"]
    above, below = risk["numerator"], risk["denominator"]
    return is_number(above) and is_number(below) and 100 * above > percent * below


def _restated(words: ReportWords) -> Iterator[Block]:
    yield Heading(1, words.said("part_of.restated"))
    yield Paragraph(restated_said(words))
    table = restated(words)
    if table and table.rows:
        yield _table(words, table)


# --- annexes ------------------------------------------------------------------------------------------------------


MOST_CLUBS: Final = 100
"""So many clubs have their rows in the document; more have them in the spreadsheet only, whose code is the same."""


def _annexes(words: ReportWords) -> Iterator[tuple[str, list[Block]]]:
    """Every club's figures, and what the report rests on."""
    recompute = Paragraph(words.said("about.recompute", last=about.last_line(words)))
    proof: list[Block] = [_table(words, definitions(words)), recompute]
    clubs = len(words.report["by_club"])
    if clubs > MOST_CLUBS:
        facts = {"clubs": words.number(clubs), "code": words.report["report_code"]}
        yield words.said("text.annex_proof"), [_said(words, "by_club_elsewhere", **facts), *proof]
        return
    by_club = (clubs_members(words).without("fund"), clubs_verdicts(words), clubs_life(words))
    yield words.said("text.annex_by_club"), [_table(words, table) for table in by_club]
    money = (lending(words), pots(words))
    yield words.said("text.annex_money"), [_table(words, table) for table in money]
    yield words.said("text.annex_proof"), [*proof, _table(words, heads(words))]
