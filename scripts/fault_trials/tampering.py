"""What may be done to a history behind the log's back, drawn at random: edits, deletions, swaps, insertions, cuts; and
by a careful forger, who recomputes every later version and hash."""

import random
import re

from ledger.application import Ledger
from ledger.events import head_of

Lines = list[bytes]


def rewritten(ledger: Ledger, fund: str, lines: Lines) -> None:
    """Put other lines in the place of a fund's own, as somebody with the file or the superuser's password could."""
    rows = [(fund, number, "", line) for number, line in enumerate(lines, 1)]
    with ledger.database.transaction() as transaction:
        transaction.execute("DELETE FROM stored_events WHERE originator_id = :fund", fund=fund)
        transaction.insert("stored_events", ("originator_id", "originator_version", "topic", "state"), rows)


def chained(lines: Lines, start: int) -> Lines:
    """The lines with the hashes recomputed from the place `start` on, as a careful forger would."""
    forged = lines[:start]
    for line in lines[start:]:
        forged.append(re.sub(rb'"prev":"[0-9a-f]{64}"', b'"prev":"%s"' % head_of(forged[-1]).encode(), line))
    return forged


def renumbered(lines: Lines, start: int) -> Lines:
    """The lines with versions and hashes recomputed from the place `start` on."""
    numbers = range(start + 1, len(lines) + 1)
    counted = [
        re.sub(rb'"version":\d+', b'"version":%d' % number, line)
        for number, line in zip(numbers, lines[start:], strict=True)
    ]
    return chained(lines[:start] + counted, start)


def swapped(lines: Lines, one: int, other: int) -> Lines:
    changed = lines.copy()
    changed[one], changed[other] = changed[other], changed[one]
    return changed


def edited(draw: random.Random, lines: Lines) -> Lines:
    place = draw.randrange(len(lines))
    line = bytearray(lines[place])
    line[draw.randrange(len(line))] = draw.randrange(256)
    return [*lines[:place], bytes(line), *lines[place + 1 :]]


def cut(draw: random.Random, lines: Lines) -> Lines:
    start = draw.randrange(len(lines))
    return lines[:start] + lines[start + draw.randrange(1, 4) :]


def shortened(draw: random.Random, lines: Lines) -> Lines:
    return lines[: draw.randrange(len(lines))]


def mixed(draw: random.Random, lines: Lines) -> Lines:
    return swapped(lines, draw.randrange(len(lines)), draw.randrange(len(lines)))


def inserted(draw: random.Random, lines: Lines) -> Lines:
    place = draw.randrange(len(lines) + 1)
    return [*lines[:place], draw.choice(lines), *lines[place:]]


def forged(draw: random.Random, lines: Lines) -> Lines:
    changed = draw.choice((cut, mixed, inserted))(draw, lines)
    return renumbered(changed, draw.randrange(1, 3)) if len(changed) > 3 else changed


def left_alone(_: random.Random, lines: Lines) -> Lines:
    return lines


WAYS = (edited, edited, cut, shortened, mixed, inserted, forged, left_alone)
"""Half of them are found by whoever looks; the careful ones only by whoever holds an older code."""
