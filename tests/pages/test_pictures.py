"""Claims about pictures: what they show, that nothing gets into them, and that the pages' policy lets them be shown."""

import re
from datetime import date
from xml.etree import ElementTree

import pytest

from service.pages.pictures import SIDE, WIDTH, bar, line, plane, sparkline

JANUARY, MARCH, JUNE = date(2024, 1, 1), date(2024, 3, 1), date(2024, 6, 1)
PICTURES = {
    "bar": bar("dư nợ", 30, 60, 20),
    "line": line("tiền trong hộp", [1, 3, 2]),
    "sparkline": sparkline("tiền trong hộp", []),
    "plane": plane("hai ngày", [(MARCH, MARCH)], [(JANUARY, JUNE)], (JUNE, JUNE), JANUARY, JUNE),
}


def parsed(picture: str) -> ElementTree.Element:
    return ElementTree.fromstring(picture)  # noqa: S314  # Our own.


def shapes(picture: str, tag: str) -> list[dict[str, str]]:
    return [each.attrib for each in parsed(picture).iter(tag)]


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_says_what_it_is_and_needs_no_style(kind: str) -> None:
    root = parsed(PICTURES[kind])

    assert (root.attrib["role"], root.attrib["class"]) == ("img", kind)
    assert root.attrib["aria-label"]
    for each in root.iter():
        assert each.tag not in ("style", "script", "text")
        assert not [name for name in each.attrib if name == "style" or name.startswith("on")]
        assert {each.attrib.get(name, "none") for name in ("fill", "stroke")} <= {"none", "currentColor"}


def test_a_label_stays_a_label() -> None:
    hostile = '"><script>alert(1)</script>'

    assert parsed(bar(hostile, 1, 2)).attrib["aria-label"] == hostile


@pytest.mark.parametrize(
    ("amount", "whole", "length"),
    [(0, 10, 0), (5, 10, WIDTH // 2), (10, 10, WIDTH), (12, 10, WIDTH), (1, 0, 0), (-3, 10, 0)],
)
def test_a_bar_is_as_long_as_its_share(amount: int, whole: int, length: int) -> None:
    (drawn,) = shapes(bar("x", amount, whole), "rect")

    assert int(drawn["width"]) == max(length - 2, 0)


def test_a_target_that_is_missed_leaves_the_bar_empty() -> None:
    fills = [shapes(bar("x", amount, 100, 50), "rect")[0]["fill"] for amount in (49, 50, 51)]

    assert fills == ["none", "currentColor", "currentColor"]
    assert f"M{WIDTH // 2} 0v16" in [each["d"] for each in shapes(bar("x", 49, 100, 50), "path")]


def test_a_line_rises_where_amounts_do_and_shows_where_zero_is() -> None:
    (drawn,) = shapes(line("x", [-10, 0, 10]), "polyline")
    places = [tuple(map(int, point.split(","))) for point in drawn["points"].split()]
    (zero, *_) = shapes(line("x", [-10, 0, 10]), "path")

    assert [x for x, _ in places] == sorted(x for x, _ in places)
    assert places[0][1] > places[1][1] > places[2][1]
    assert zero["d"] == f"M0 {places[1][1]}h{WIDTH}"
    assert len(shapes(line("x", [7]), "circle")) == 1


def test_what_was_dated_back_stands_above_the_diagonal_whenever_it_happened() -> None:
    def squares(happened: date) -> list[tuple[int, int]]:
        picture = plane("x", [], [(happened, JUNE)], (JUNE, JUNE), JANUARY, JUNE)
        return [(int(x), int(y)) for x, y in re.findall(r"M(\d+) (\d+)h5", picture)]

    ((right, up),) = squares(MARCH)
    assert up < SIDE - right, "above, where the axis is turned upside down"
    assert squares(date(1990, 1, 1)) == [(0, 0)], "what happened before all that is drawn stands on the edge"


def test_days_that_fall_together_are_one_dot() -> None:
    many = [(JUNE, JUNE)] * 10_000
    picture = plane("x", many, [], (JUNE, JUNE), JANUARY, JUNE)

    assert len(picture) < 1_000
