"""Charts of targets: the way to each target month by month, and how areas stand beside each other."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from cspmap.analysis.control_chart import funnel_limits, funnel_overdispersion
from cspmap.board import Board, trace_board
from cspmap.exports.published import WITHHELD
from cspmap.views.charts import GREY, INK, Chart, Spec
from cspmap.views.label_places import Side, place_labels
from cspmap.views.palettes import CATEGORICAL, SPECIAL

_AXIS = {"labelColor": INK, "titleColor": INK}
_MOST_NAMED = 8
_LIMITS = ("lower_998", "lower_95", "upper_95", "upper_998")
_SIDES: dict[Side, Spec] = {
    "right": {"align": "left", "dx": 7},
    "left": {"align": "right", "dx": -7},
    "above": {"align": "center", "dy": -12},
    "below": {"align": "center", "dy": 13},
}
# How far the limits of a funnel plot reach beyond its areas, and in how many steps they are drawn.
_SIDE, _STEPS = 0.85, 60
SO_FAR, ON_COURSE, LAST_YEAR, HEADING = "So far", "On course", "Last year", "Heading for"
_LINES = {
    SO_FAR: (CATEGORICAL[0], [1, 0]),
    ON_COURSE: (CATEGORICAL[3], [6, 3]),
    LAST_YEAR: (GREY, [2, 2]),
    HEADING: (CATEGORICAL[0], [2, 3]),
}


def trace_line(board: Board, label: tuple[str, str]) -> pd.DataFrame:
    """The trajectory of a line of a board, long: date, line (what is drawn), count, low, high.

    Where months are withheld, rows of the line WITHHELD more, without a count, each with the `end` of its month.
    """
    course = trace_board(board, label)
    # From the last month known on.
    ahead = course["actual"].isna() | course["actual"].shift(-1).isna()
    projected = course["projected"].where(ahead)
    drawn = {
        SO_FAR: course["actual"],
        ON_COURSE: course["expected"],
        LAST_YEAR: course["last_year"],
        HEADING: projected,
    }
    dates = pd.to_datetime(course["month"].astype(str) + "-01")
    frame = pd.concat(
        [pd.DataFrame({"date": dates, "line": name, "count": counts}) for name, counts in drawn.items()],
        ignore_index=True,
    )
    heading = frame["line"] == HEADING
    for side in ("low", "high"):
        frame.loc[heading, side] = course[side].where(projected.notna()).to_numpy()
    if course[WITHHELD].any():
        starts = dates[course[WITHHELD]]
        frame = pd.concat(
            [frame, pd.DataFrame({"date": starts, "end": starts + pd.offsets.MonthBegin(), "line": WITHHELD})],
            ignore_index=True,
        )
    return frame


def draw_trajectory(traced: pd.DataFrame, *, height: int = 170) -> Chart:
    """The chart of `trace_line`: counts added up from the start of the period."""
    x = {"field": "date", "type": "temporal", "title": None, "axis": {**_AXIS, "format": "%b", "tickCount": 4}}
    # Room for the longest number, which may come in another typeface than the one that is measured.
    y = {"field": "count", "type": "quantitative", "title": None, "axis": {**_AXIS, "tickCount": 4, "minExtent": 40}}
    names = list(_LINES)
    colour = {
        "field": "line",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": names, "range": [_LINES[name][0] for name in names]},
    }
    dash = {
        "field": "line",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": names, "range": [_LINES[name][1] for name in names]},
    }
    tooltip = [
        {"field": "date", "type": "temporal", "title": "By the end of", "format": "%B %Y"},
        {"field": "line", "type": "nominal", "title": "Line"},
        {"field": "count", "type": "quantitative", "title": "Incidents", "format": ",.0f"},
    ]
    band: Spec = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "area", "opacity": 0.15, "color": CATEGORICAL[0]},
        "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
    }
    lines: Spec = {
        "mark": {"type": "line", "strokeWidth": 2, "invalid": "break-paths-show-domains", "tooltip": True},
        "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash, "tooltip": tooltip},
    }
    hidden = WITHHELD in set(traced["line"])
    shown = {**lines, "transform": [{"filter": f"datum.line != '{WITHHELD}'"}]} if hidden else lines
    return Chart(traced, {"height": height, "layer": [*([_mark_months(x)] if hidden else []), band, shown]})


def _mark_months(x: Spec) -> Spec:
    """A band over each month that is withheld."""
    look = SPECIAL["suppressed"]
    return {
        "transform": [{"filter": f"datum.line == '{WITHHELD}'"}],
        "mark": {"type": "rect", "color": look.fill, "stroke": look.ink, "strokeDash": [1, 3]},
        "encoding": {
            "x": x,
            "x2": {"field": "end"},
            "tooltip": [{"field": "date", "type": "temporal", "title": "Withheld", "format": "%B %Y"}],
        },
    }


@dataclass(frozen=True)
class Funnel:
    """Areas beside what they would have at the rate of all, and the limits about it.

    `areas` has columns name, people, count, expected, ratio (100 is as expected) and the limits of `funnel_limits`, as
    ratios, about chance and the differences usual between areas; `limits` those of any expected count between.
    """

    areas: pd.DataFrame
    limits: pd.DataFrame


def compare_areas(counts: pd.Series, people: pd.Series, names: pd.Series) -> Funnel:
    """Compare areas by their counts and how many people live in them, all three by area code."""
    people = people.where(people > 0)
    expected = people * counts.where(people.notna()).sum() / people.sum()
    spread = funnel_overdispersion(counts, expected)

    def limit(values: pd.Series) -> pd.DataFrame:
        limits = funnel_limits(values, overdispersion=spread)
        return 100 * limits.drop(columns="expected").div(values, axis=0)

    frame = pd.DataFrame({"name": names, "people": people.round(), "count": counts, "expected": expected})
    frame["ratio"] = 100 * counts / expected
    frame = frame.join(limit(expected)).dropna(subset="ratio").sort_values("expected")
    known = frame["expected"] if len(frame) else pd.Series([1.0])
    steps = pd.Series(np.geomspace(_SIDE * known.min(), known.max() / _SIDE, _STEPS), name="expected")
    return Funnel(frame, limit(steps).assign(expected=steps))


def draw_funnel(
    funnel: Funnel, *, per: str, expected: str = "Incidents expected at the rate of all", height: int = 360
) -> Chart:
    """The funnel plot of `compare_areas`, or of areas beside what is `expected` of them otherwise."""
    x = {
        "field": "expected",
        "type": "quantitative",
        "title": expected,
        "axis": {**_AXIS, "tickCount": 8},
        "scale": {"zero": False, "nice": False},
    }
    title = f"Against expected by {per} (100 = as expected)"
    area = [{"filter": "isValid(datum.name)"}]
    points: Spec = {
        "transform": area,
        "mark": {"type": "circle", "size": 70, "opacity": 1, "color": CATEGORICAL[0]},
        "encoding": {
            "x": x,
            "y": {"field": "ratio", "type": "quantitative", "title": title, "axis": _AXIS},
            "tooltip": [
                {"field": "name", "type": "nominal", "title": "Area"},
                {"field": "count", "type": "quantitative", "title": "Incidents", "format": ",.0f"},
                {"field": "expected", "type": "quantitative", "title": "Expected", "format": ",.0f"},
            ],
        },
    }
    labels: list[Spec] = [
        {
            "transform": [{"filter": f"datum.side == '{side}'"}],
            "mark": {"type": "text", "color": INK, **look},
            "encoding": {"x": x, "y": {"field": "ratio", "type": "quantitative"}, "text": {"field": "name"}},
        }
        for side, look in _SIDES.items()
    ]
    limits: list[Spec] = [
        {
            "transform": [{"filter": "!isValid(datum.name)"}],
            "mark": {"type": "line", "color": GREY, "strokeDash": [4, 3] if "95" in name else [1, 0]},
            "encoding": {"x": x, "y": {"field": name, "type": "quantitative"}},
        }
        for name in _LIMITS
    ]
    even: Spec = {"mark": {"type": "rule", "color": INK}, "encoding": {"y": {"datum": 100}}}
    frame = pd.concat([_name_areas(funnel, height), funnel.limits], ignore_index=True)
    return Chart(frame, {"height": height, "layer": [*limits, even, points, *labels]})


def _name_areas(funnel: Funnel, height: int) -> pd.DataFrame:
    """The areas with the `side` that their name goes on; of many areas only those are named that stand out."""
    areas = funnel.areas
    off = (areas["ratio"] - 100).abs().sort_values(ascending=False, kind="stable")
    ordered = areas.loc[off.index]
    beyond = (ordered["ratio"] < ordered["lower_95"]) | (ordered["ratio"] > ordered["upper_95"])
    named = beyond if len(areas) > _MOST_NAMED else pd.Series(True, index=ordered.index)
    ends = funnel.limits["expected"].min(), funnel.limits["expected"].max()
    tops = [funnel.limits["upper_998"].max(), areas["ratio"].max()]
    points = ordered.rename(columns={"expected": "x", "ratio": "y"})
    # The axis and its title take some of the height.
    plot = 0.8 * height
    up = (0.0, float(np.nanmax(tops)))
    lines = [ordered[name] for name in _LIMITS] + [pd.Series(100.0, index=ordered.index)]
    sides = place_labels(points, named, across=ends, up=up, height=plot, lines=lines)
    return areas.assign(side=pd.Series(sides, index=ordered.index, dtype="str"))
