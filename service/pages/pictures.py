"""Pictures of figures as SVG within a page: bars with a target, lines, sparklines, and the plane of the two times.

They hold shapes only, as presentation attributes in the colour of the text, so that the pages' policy lets them be
shown and a printer without colours prints them. All words stand beside them in the page, where they are as large as
other words: a sentence, and the same numbers as a table. `label` is what a screen reader says of one.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from markupsafe import Markup

SIDE: Final = 240
"""How wide and high the plane is, in units of its own. Days fall into so many steps, so that its size is bounded."""
WIDTH: Final = 240
HIGH: Final = 80
ROOM: Final = 6
"""Left free around a line, for its first and last point."""


def _svg(label: str, width: int, height: int, shapes: str, *, kind: str) -> Markup:
    """A picture. `shapes` are ours; `label` is not to be trusted. Bars are as long as there is room."""
    ratio = "none" if kind == "bar" else "xMinYMid"
    head = '<svg class="{}" role="img" aria-label="{}" viewBox="0 0 {} {}" fill="none" stroke="currentColor"'
    head += f' preserveAspectRatio="{ratio}">'
    return Markup(head).format(kind, label, width, height) + Markup(shapes) + Markup("</svg>")  # noqa: S704  # Numbers.


# --- bars ---------------------------------------------------------------------------------------------------------


def bar(label: str, amount: int, whole: int, target: int | None = None) -> Markup:
    """A bar of `amount` out of `whole`, with a mark at the target; filled if the target is met, or if there is none."""
    at, mark = _along(amount, whole, WIDTH), target is not None and _along(target, whole, WIDTH)
    fill = "currentColor" if target is None or amount >= target else "none"
    shapes = (
        f'<path d="M0 8h{WIDTH}" opacity=".4"/><rect x="1" y="2" width="{max(at - 2, 0)}" height="12" fill="{fill}"/>'
    )
    shapes += f'<path d="M{mark} 0v16" stroke-width="3"/>' if mark is not False else ""
    return _svg(label, WIDTH, 16, shapes, kind="bar")


def _along(amount: int, whole: int, length: int) -> int:
    return min(max(amount, 0) * length // whole, length) if whole > 0 else 0


# --- lines --------------------------------------------------------------------------------------------------------


def line(label: str, amounts: Sequence[int]) -> Markup:
    """Amounts one after the other, above a line at zero; the first and the last are marked."""
    return _line(label, amounts, HIGH, "line")


def sparkline(label: str, amounts: Sequence[int]) -> Markup:
    """The same as small as a word, to stand beside its first and last amount."""
    return _line(label, amounts, 24, "sparkline")


def _line(label: str, amounts: Sequence[int], height: int, kind: str) -> Markup:
    if not amounts:
        return _svg(label, WIDTH, height, "", kind=kind)
    least, most = min(0, *amounts), max(0, *amounts)
    high, across = height - 2 * ROOM, WIDTH - 2 * ROOM
    steps = max(len(amounts) - 1, 1)
    points = [
        (ROOM + place * across // steps, ROOM + high - (amount - least) * high // max(most - least, 1))
        for place, amount in enumerate(amounts)
    ]
    zero = ROOM + high - (0 - least) * high // max(most - least, 1)
    drawn = " ".join(f"{x},{y}" for x, y in points)
    shapes = f'<path d="M0 {zero}h{WIDTH}" opacity=".5"/><polyline points="{drawn}" stroke-width="2"/>'
    shapes += "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="currentColor"/>' for x, y in {points[0], points[-1]})
    return _svg(label, WIDTH, height, shapes, kind=kind)


# --- the plane ----------------------------------------------------------------------------------------------------


def plane(
    label: str,
    prompt: Iterable[tuple[date, date]],
    late: Iterable[tuple[date, date]],
    moment: tuple[date, date],
    since: date,
    until: date,
) -> Markup:
    """Entries by the day they happened, to the right, and the day the book heard of them, upwards; those that came
    `late` are larger. What came at once lies on the diagonal; nothing that was dated back can hide, for it lies above,
    and what had happened before `since`, where both axes begin, on the left edge. They end at `until`.

    Two lines go through the `moment` looked from: what is to their left and below them is in view.
    """
    span = max((until - since).days, 1)

    def along(day: date) -> int:
        return min(max((day - since).days, 0) * SIDE // span, SIDE)

    def at(dot: tuple[date, date]) -> tuple[int, int]:
        return along(dot[0]), SIDE - along(dot[1])

    def drawn(some: Iterable[tuple[date, date]], size: int) -> str:
        dots = "".join(f"M{x} {y}h{size}" for x, y in sorted({at(dot) for dot in some}))
        return f'<path transform="translate(-{size / 2} 0)" d="{dots}" stroke-width="{size}"/>'

    x, y = at(moment)
    edge = SIDE + 2 * ROOM
    shapes = (
        f'<g transform="translate({ROOM} {ROOM})"><path d="M0 0v{SIDE}h{SIDE}" stroke-width="2"/>'
        f'<path d="M0 {SIDE}L{SIDE} 0" opacity=".5"/>'
        f'<path d="M{x} 0v{SIDE}M0 {y}h{SIDE}" stroke-dasharray="5 4"/>'
        f"{drawn(prompt, 2)}{drawn(late, 5)}</g>"
    )
    return _svg(label, edge, edge, shapes, kind="plane")
