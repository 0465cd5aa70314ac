"""Rates beside each other as dots with their intervals, the highest on top."""

import pandas as pd

from cspmap.views.charts import GREY, INK, Chart, Spec
from cspmap.views.palettes import CATEGORICAL

OWN, OTHER = CATEGORICAL[3], CATEGORICAL[0]
_BAND = "#DDE6EE"
_LINE, _AXIS = 24, 75


def draw_rates(
    rates: pd.DataFrame,
    *,
    title: str,
    centre: tuple[str, float],
    own: str | None = None,
    bounds: tuple[float, float] | None = None,
) -> Chart:
    """Rates with their 95 % intervals, one line each in the order given.

    `rates` has columns name (no two alike), rate, low and high; those without a rate are left out. `centre` is a name
    and a rate that all are held against, `bounds` what lies about it, `own` the name that stands out.
    """
    frame = rates.loc[rates["rate"].notna(), ["name", "rate", "low", "high"]].astype({"rate": "float64"})
    frame = frame.assign(mark=frame["name"] == own)
    names = frame["name"].tolist()
    y = {
        "field": "name",
        "type": "nominal",
        "sort": names,
        "title": None,
        "axis": {"labelColor": INK, "labelLimit": 190, "labelOverlap": False, "labelFlush": False},
    }
    x = {
        "field": "rate",
        "type": "quantitative",
        "title": title,
        "axis": {"labelColor": INK, "titleColor": INK, "tickCount": 8},
        "scale": {"zero": False, "nice": True},
    }
    colour = {"condition": {"test": "datum.mark", "value": OWN}, "value": OTHER}
    number = {"type": "quantitative", "format": ",.2f"}
    tooltip = [
        {"field": "name", "type": "nominal", "title": "Area"},
        {"field": "rate", "title": "Rate", **number},
        {"field": "low", "title": "At least", **number},
        {"field": "high", "title": "At most", **number},
    ]
    layers: list[Spec] = []
    if bounds is not None and all(pd.notna(end) for end in bounds):
        band = {"type": "rect", "color": _BAND, "aria": False}
        layers.append({"mark": band, "encoding": {"x": {**x, "datum": bounds[0]}, "x2": {"datum": bounds[1]}}})
        del layers[-1]["encoding"]["x"]["field"]
    if pd.notna(centre[1]):
        rule = {"type": "rule", "color": INK, "strokeDash": [5, 3], "strokeWidth": 1.5}
        text = {"type": "text", "align": "left", "dx": 5, "y": 8, "color": INK, "text": centre[0]}
        # Of one row, or they would be drawn once for each rate.
        once = {"values": [{"centre": float(centre[1])}]}
        at = {"x": {**x, "field": "centre"}}
        layers += [{"data": once, "mark": mark, "encoding": at} for mark in (rule, text)]
    span = {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, "color": colour, "tooltip": tooltip}
    layers += [
        {"mark": {"type": "rule", "strokeWidth": 2}, "encoding": span},
        {
            "mark": {"type": "point", "filled": True, "opacity": 1, "stroke": "#FFFFFF"},
            "encoding": {
                "x": x,
                "y": y,
                "color": colour,
                # Not by colour alone.
                "shape": {"condition": {"test": "datum.mark", "value": "diamond"}, "value": "circle"},
                "size": {"condition": {"test": "datum.mark", "value": 210}, "value": 95},
                "tooltip": tooltip,
            },
        },
    ]
    config = {"view": {"stroke": GREY, "strokeOpacity": 0.3}}
    return Chart(frame, {"height": _AXIS + _LINE * max(len(frame), 2), "layer": layers, "config": config})
