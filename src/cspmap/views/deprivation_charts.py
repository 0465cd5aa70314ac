"""Charts of deprivation and crime: areas by both, rates by fifth with their ranges, and the concentration curve."""

import numpy as np
import pandas as pd

from cspmap.analysis.control_chart import funnel_limits
from cspmap.analysis.inequality import DeprivationCurve
from cspmap.deprivation_view import DeprivationPicture, Kind
from cspmap.views.charts import GREY, INK, Chart, Spec
from cspmap.views.deprivation_words import FIFTH_NAMES, STANDINGS, name_index
from cspmap.views.palettes import CATEGORICAL, OUTLINE, SPECIAL
from cspmap.views.target_charts import Funnel

_AXIS = {"labelColor": INK, "titleColor": INK}
# Names of more areas than these would lie over each other: then only those are named that differ most from usual.
MOST_NAMED, MOST_BEYOND = 25, 12
_SIDE, _STEPS = 0.85, 60


def name_points(picture: DeprivationPicture, *, colours: tuple[str, ...], area: str | None = None) -> pd.DataFrame:
    """The areas as points: name, x (deprivation), rate, count, standing, colour, label (empty where none is put).

    Areas that lack either figure are left out; the order puts those that are named on top.
    """
    found = picture.crossed.cells
    areas = picture.areas.assign(colour=[colours[cell] if cell >= 0 else SPECIAL["missing"].fill for cell in found])
    areas = areas[found >= 0]
    named = pd.Series(True, index=areas.index)
    if len(areas) > MOST_NAMED:
        beyond = areas["standing"].isin(["more", "far more", "fewer", "far fewer"])
        # As far from usual as a share of it, whichever way; none of all is as far as it gets.
        off = np.abs(np.log(areas["ratio"].clip(lower=0.01))).where(beyond, 0.0)
        named = beyond & (off.rank(ascending=False, method="first") <= MOST_BEYOND)
    named |= areas["code"] == area
    scale = -1 if picture.kind == "rank" else 1
    frame = pd.DataFrame(
        {
            "name": areas["name"],
            "x": scale * areas["deprived"],
            "rate": areas["rate"],
            "count": areas["count"].astype(float),
            "standing": areas["standing"].map(STANDINGS),
            "colour": areas["colour"],
            "label": areas["name"].where(named, ""),
            "open": areas["code"] == area,
        }
    )
    return frame.sort_values("label", kind="stable", ignore_index=True)


def draw_scatter(points: pd.DataFrame, picture: DeprivationPicture, *, height: int = 400) -> Chart:
    """The points of `name_points`: deprivation across, always more deprived to the right, and the rate upwards."""
    kinds: dict[Kind | None, str] = {
        "score": "Score (higher is more deprived)",
        "rank": "Rank in England (1 is the most deprived)",
        "fifth": "Share of residents in England's most deprived fifth",
        None: "Not known",
    }
    x: Spec = {
        "field": "x",
        "type": "quantitative",
        "title": f"{name_index(picture)}: {kinds[picture.kind]}",
        "axis": {**_AXIS, **({"format": "%"} if picture.kind == "fifth" else {})},
        "scale": {"zero": False, "nice": True, "reverse": picture.kind == "rank", "padding": 14},
    }
    y: Spec = {
        "field": "rate",
        "type": "quantitative",
        "title": f"Incidents per 1,000 {picture.per.name}",
        "axis": _AXIS,
        "scale": {"zero": True},
    }
    tooltip = [
        {"field": "name", "type": "nominal", "title": "Area"},
        {"field": "count", "type": "quantitative", "title": "Incidents", "format": ",.0f"},
        {"field": "rate", "type": "quantitative", "title": f"Per 1,000 {picture.per.name}", "format": ",.1f"},
        {
            "field": "x",
            "type": "quantitative",
            "title": "Deprivation",
            "format": ".0%" if picture.kind == "fifth" else ",.4~g",
        },
        {"field": "standing", "type": "nominal", "title": "For places as deprived"},
    ]
    marks: Spec = {
        "mark": {"type": "circle", "size": 90, "opacity": 1, "stroke": OUTLINE},
        "encoding": {
            "x": x,
            "y": y,
            "fill": {"field": "colour", "type": "nominal", "scale": None},
            "strokeWidth": {"condition": {"test": "datum.open", "value": 3}, "value": 0.8},
            "tooltip": tooltip,
        },
    }
    labels: Spec = {
        "transform": [{"filter": "datum.label != ''"}],
        "mark": {"type": "text", "align": "left", "dx": 8, "color": INK},
        "encoding": {"x": x, "y": y, "text": {"field": "label"}},
    }
    return Chart(points, {"height": height, "layer": [marks, labels]})


def draw_fifths(picture: DeprivationPicture, *, height: int = 230) -> Chart:
    """Rates by fifth of England as bars with their 95 % ranges; a fifth of which there is no place has none."""
    frame = picture.fifths.reset_index()
    frame = frame.assign(name=[FIFTH_NAMES[int(fifth) - 1] for fifth in frame["fifth"]])
    y: Spec = {
        "field": "name",
        "type": "nominal",
        "title": None,
        "sort": list(FIFTH_NAMES),
        "axis": {**_AXIS, "labelLimit": 170},
    }
    x: Spec = {
        "field": "rate",
        "type": "quantitative",
        "title": f"Incidents per 1,000 {picture.per.name}, with 95 % ranges",
        "axis": _AXIS,
        "scale": {"zero": True},
    }
    tooltip = [
        {"field": "name", "type": "nominal", "title": "Fifth of England"},
        {"field": "rate", "type": "quantitative", "title": "Rate", "format": ",.1f"},
        {"field": "low", "type": "quantitative", "title": "from", "format": ",.1f"},
        {"field": "high", "type": "quantitative", "title": "to", "format": ",.1f"},
        {"field": "count", "type": "quantitative", "title": "Incidents", "format": ",.0f"},
        {"field": "places", "type": "quantitative", "title": "LSOAs"},
    ]
    bars: Spec = {
        "mark": {"type": "bar", "color": CATEGORICAL[0], "height": 16},
        "encoding": {"x": x, "y": y, "tooltip": tooltip},
    }
    ranges: Spec = {
        "mark": {"type": "errorbar", "color": CATEGORICAL[3], "thickness": 2, "ticks": {"color": CATEGORICAL[3]}},
        "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y},
    }
    columns = ["name", "rate", "low", "high", "count", "places"]
    return Chart(frame[columns].astype({"count": float}), {"height": height, "layer": [bars, ranges]})


def draw_curve(curve: DeprivationCurve, *, per: str, height: int = 330) -> Chart:
    """The concentration curve beside the diagonal of all bearing as much."""

    def axis(field: str, title: str) -> Spec:
        return {
            "field": field,
            "type": "quantitative",
            "title": title,
            "axis": {**_AXIS, "format": "%"},
            "scale": {"domain": [0, 1]},
        }

    x = axis("share_people", f"Share of {per}, from the most deprived place on")
    y = axis("share_incidents", "Share of incidents")
    tooltip = [
        {"field": "share_people", "type": "quantitative", "title": f"Share of {per}", "format": ".1%"},
        {"field": "share_incidents", "type": "quantitative", "title": "Share of incidents", "format": ".1%"},
    ]
    ends = [{"share_people": 0, "share_incidents": 0}, {"share_people": 1, "share_incidents": 1}]
    layers: list[Spec] = [
        {
            "data": {"values": ends},
            "mark": {"type": "line", "color": GREY, "strokeDash": [5, 4]},
            "encoding": {"x": x, "y": y},
        },
        {
            "mark": {"type": "line", "color": CATEGORICAL[0], "strokeWidth": 2.5, "point": {"size": 16}},
            "encoding": {"x": x, "y": y, "tooltip": tooltip},
        },
    ]
    return Chart(curve.curve, {"height": height, "layer": layers})


def shape_funnel(picture: DeprivationPicture) -> Funnel:
    """The areas beside what is usual, as the funnel plot of targets draws them: 100 is as usual."""
    areas = picture.areas.dropna(subset="ratio")
    limits = ["lower_998", "lower_95", "upper_95", "upper_998"]
    frame = areas[["name", "count", "expected", *limits]].astype({"count": float})
    frame = frame.assign(ratio=100 * areas["ratio"], people=areas["people"])
    frame[limits] = 100 * frame[limits].div(frame["expected"], axis=0)
    known = frame["expected"] if len(frame) else pd.Series([1.0])
    steps = pd.Series(np.geomspace(_SIDE * known.min(), known.max() / _SIDE, _STEPS), name="expected")
    drawn = 100 * funnel_limits(steps, overdispersion=picture.spread)[limits].div(steps, axis=0)
    return Funnel(frame.sort_values("expected"), drawn.assign(expected=steps))
