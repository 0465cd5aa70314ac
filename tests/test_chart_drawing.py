"""Charts drawn as SVG: gaps stay gaps, nothing is left out, and no text gets out of its place."""

import math
import re
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cspmap.briefing.chart_drawing import (
    DOTTED,
    SHADED,
    choose_ticks,
    draw_chart,
    find_unknown,
    format_value,
    split_runs,
)
from cspmap.briefing.screen import BarsFigure, Line, TrendFigure
from cspmap.briefing.svg import DARK, LIGHT, break_text, clean_text, measure_text
from cspmap.views.palettes import contrast_ratio
from cspmap.views.words import NOT_KNOWN

SVG = "{http://www.w3.org/2000/svg}"
MONTHS = tuple(f"2006-{month:02d}" for month in range(1, 13))


def make_trend(*values: float | None, lines: tuple[Line, ...] = (), title: str = "All crime") -> TrendFigure:
    shown = (Line("This year", tuple(values)), *lines)
    return TrendFigure(title, MONTHS[: len(values)], shown, "incidents a month", "All crime by month.")


def read(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def read_texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in read(svg).iter(f"{SVG}text")]


def draw(figure: TrendFigure | BarsFigure, *, width: float = 480, height: float = 300, dark: bool = False) -> str:
    return draw_chart(figure, width=width, height=height, text_size=12, dark=dark)


def test_a_missing_month_breaks_the_line_and_is_shaded() -> None:
    svg = draw(make_trend(10, 12, None, 11, 9))
    root = read(svg)
    assert [len(line.attrib["points"].split()) for line in root.iter(f"{SVG}polyline")] == [2, 2]
    assert len(list(root.iter(f"{SVG}circle"))) == 4
    # One shade in the chart and one in the key.
    assert sum(box.attrib["fill"] == LIGHT.shade for box in root.iter(f"{SVG}rect")) == 2
    assert SHADED in read_texts(svg)


def test_nothing_is_shaded_where_all_is_known() -> None:
    svg = draw(make_trend(10, 0, 11))
    assert SHADED not in read_texts(svg)
    assert not list(read(svg).iter(f"{SVG}rect"))


def test_a_month_known_on_both_sides_of_gaps_is_still_seen() -> None:
    root = read(draw(make_trend(None, 7, None)))
    assert not list(root.iter(f"{SVG}polyline"))
    assert len(list(root.iter(f"{SVG}circle"))) == 1


def test_months_to_come_are_not_shaded() -> None:
    course = Line("On course", (10, 20, 30, 40), "dashed")
    assert find_unknown(make_trend(8, None, 25, None, lines=(course,))) == [False, True, False, False]
    assert find_unknown(make_trend(8, None, 25, None)) == [False, True, False, True]


def test_a_withheld_month_is_dotted_and_not_unknown() -> None:
    line = Line("This year", (10, None, None, None, 9), withheld=frozenset({1, 2}))
    figure = TrendFigure("All crime", MONTHS[:5], (line,), "incidents", "All crime by month.")
    assert find_unknown(figure) == [False, False, False, True, False]
    svg = draw(figure)
    assert {DOTTED, SHADED} <= set(read_texts(svg))
    dotted = [box for box in read(svg).iter(f"{SVG}rect") if "stroke-dasharray" in box.attrib]
    # One for the two months together, and one in the key.
    assert len(dotted) == 2
    assert line.write_values("{:.0f}".format) == ["10", "withheld", "withheld", NOT_KNOWN, "9"]
    nothing = TrendFigure("All crime", MONTHS[:2], (Line("A", (None, None), withheld=frozenset({0, 1})),), "", "None.")
    assert "withheld" in read_texts(draw(nothing))
    assert NOT_KNOWN not in read_texts(draw(nothing))
    assert DOTTED not in read_texts(draw(make_trend(10, None, 9)))


def test_where_nothing_is_known_the_chart_says_so() -> None:
    svg = draw(make_trend(None, None))
    assert NOT_KNOWN in read_texts(svg)
    assert find_unknown(make_trend(None, math.nan)) == [True, True]


def test_a_band_is_drawn_between_its_edges() -> None:
    low, high = Line("Range", (5, 6, None), "band-low"), Line("Range", (9, 12, 13), "band-high")
    root = read(draw(make_trend(7, 8, 9, lines=(low, high))))
    (band,) = root.iter(f"{SVG}polygon")
    assert len(band.attrib["points"].split()) == 4
    assert "Range" in read_texts(draw(make_trend(7, 8, 9, lines=(low, high))))


def test_bars_that_are_not_known_say_so_and_zero_is_zero() -> None:
    figure = BarsFigure("Areas", ("North", "South", "East"), (12, None, 0), "incidents", "Incidents by area.")
    texts = read_texts(draw(figure))
    assert [texts.count(text) for text in ("12", NOT_KNOWN, "0")] == [1, 1, 1]


def test_bars_beside_others_have_a_key() -> None:
    figure = BarsFigure("Mix", ("A", "B"), (1, 2), "%", "Mix.", "Here", (2.5, None), "Town")
    assert {"Here", "Town"} <= set(read_texts(draw(figure)))


def test_every_one_of_many_bars_is_named() -> None:
    names = tuple(f"Area number {number} with a rather long name to it" for number in range(60))
    svg = draw(BarsFigure("Many", names, tuple(range(60)), "incidents", "Many."))
    words = " ".join(read_texts(svg))
    assert all(f"number {number} " in words for number in range(60))


@pytest.mark.parametrize("dark", [False, True])
def test_inks_can_be_read_on_their_ground(dark: bool) -> None:
    inks, ground = (DARK, "#0B1016") if dark else (LIGHT, "#FFFFFF")
    assert contrast_ratio(inks.text, ground) >= 7
    assert contrast_ratio(inks.muted, ground) >= 4.5
    assert min(contrast_ratio(colour, ground) for colour in inks.lines) >= 2.8
    assert inks.text in draw(make_trend(1, 2), dark=dark)


def test_hostile_text_is_text() -> None:
    hostile = "<script>alert(1)</script>\x00\x1b \" ' & ]]>"
    svg = draw(make_trend(1, 2, title=hostile, lines=(Line(hostile, (1, 2), "dashed"),)))
    assert "<script" not in svg
    assert clean_text(hostile) in read_texts(svg)


@given(st.text())
def test_any_text_makes_a_picture_that_can_be_read(text: str) -> None:
    bars = BarsFigure(text, (text or "x",), (1.0,), text, text)
    for figure in (make_trend(1, 2, title=text), bars):
        assert read(draw(figure)).attrib["aria-label"] == clean_text(figure.alt)


@given(st.text(min_size=1), st.floats(20, 300))
def test_broken_text_is_whole_and_fits(text: str, width: float) -> None:
    lines = break_text(text, width, 12)
    assert "".join("".join(lines).split()) == "".join(clean_text(text).split())
    assert all(measure_text(line, 12) <= width for line in lines)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
@example(0.0, 5e-324)
def test_ticks_are_even_few_and_enclose(one: float, other: float) -> None:
    low, high = min(one, other, 0.0), max(one, other, 0.0)
    ticks = choose_ticks(low, high)
    steps = {round(after - before, 6) for before, after in pairwise(ticks)}
    assert 2 <= len(ticks) <= 7
    assert len(steps) == 1
    assert ticks[0] <= low + 1e-6
    assert ticks[-1] >= high - 1e-6


def test_ticks_by_hand() -> None:
    assert choose_ticks(0, 87) == [0, 20, 40, 60, 80, 100]
    assert choose_ticks(0, 4) == [0, 1, 2, 3, 4]
    assert choose_ticks(-12, 30) == [-20, -10, 0, 10, 20, 30]


def test_values_as_people_write_them() -> None:
    assert [format_value(value) for value in (0, 1584, 3.25, -2, 12345.6)] == ["0", "1,584", "3.2", "−2", "12,346"]


@given(st.lists(st.one_of(st.none(), st.integers(0, 9))))
def test_runs_hold_what_is_known_and_nothing_else(values: list[float | None]) -> None:
    runs = split_runs(values)
    assert [place for run in runs for place in run] == [
        place for place, value in enumerate(values) if value is not None
    ]
    assert all(after[0] - before[-1] > 1 for before, after in pairwise(runs))


def test_drawn_text_stays_on_the_picture() -> None:
    svg = draw(make_trend(*range(12), title="A title that is long " * 6), width=300, height=220)
    places = [float(place) for place in re.findall(r'<text x="([0-9.]+)"', svg)]
    assert min(places) >= 0
    assert max(places) <= 300
