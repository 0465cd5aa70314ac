"""Charts of hotspots: how unevenly incidents lie, and when in the week they happen."""

from collections.abc import Mapping

import pandas as pd

from cspmap.analysis.accuracy import Concentration
from cspmap.analysis.aoristic import WEEKDAYS, WeekHours
from cspmap.exports.published import WITHHELD
from cspmap.views.charts import GREY, INK, Chart, Spec
from cspmap.views.palettes import CATEGORICAL, SPECIAL, ordered_palette

_AXIS = {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"}


def draw_lorenz(found: Mapping[str, Concentration], *, height: int = 260) -> Chart:
    """The Lorenz curve of each kind of unit, named as its key: units from the most incidents down."""
    frame = pd.concat([one.curve.assign(units=name) for name, one in found.items()], ignore_index=True)
    x, y = (
        {
            "field": field,
            "type": "quantitative",
            "scale": {"domain": [0, 1]},
            "title": title,
            "axis": {**_AXIS, "format": "%", "tickCount": 5},
        }
        for field, title in (("share_units", "Share of units"), ("share_incidents", "Share of incidents"))
    )
    colour = {
        "field": "units",
        "type": "nominal",
        "title": None,
        "scale": {"domain": list(found), "range": list(CATEGORICAL[: len(found)])},
        "legend": {"orient": "top", "labelColor": INK},
    }
    tooltip = [
        {"field": "units", "type": "nominal", "title": "Units"},
        {"field": "share_units", "type": "quantitative", "title": "Units", "format": ".1%"},
        {"field": "share_incidents", "type": "quantitative", "title": "Incidents", "format": ".1%"},
    ]
    even = {
        "data": {"values": [{"share_units": 0, "share_incidents": 0}, {"share_units": 1, "share_incidents": 1}]},
        "mark": {"type": "line", "color": GREY, "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": x, "y": y},
    }
    curves = {
        "mark": {"type": "line", "strokeWidth": 2.5, "interpolate": "linear"},
        "encoding": {"x": x, "y": y, "color": colour, "tooltip": tooltip},
    }
    return Chart(frame, {"height": height, "layer": [even, curves]})


def draw_week(hours: WeekHours, *, height: int = 230) -> Chart:
    """Incidents by hour (across) and weekday (down), the darker the more."""
    frame = hours.frame.assign(until=hours.frame["hour"] + 1)
    cells = {
        "mark": {"type": "rect", "stroke": "#FFFFFF", "strokeWidth": 1},
        "encoding": {
            "x": {
                "field": "hour",
                "type": "ordinal",
                "title": "Hour of the day",
                "axis": {**_AXIS, "labelAngle": 0, "labelOverlap": True},
            },
            "y": {"field": "weekday", "type": "nominal", "sort": list(WEEKDAYS), "title": None, "axis": _AXIS},
            "color": {
                "field": "weight",
                "type": "quantitative",
                "title": "Incidents",
                "scale": {"range": list(ordered_palette(6)), "domainMin": 0},
                "legend": {"labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"},
            },
            "tooltip": [
                {"field": "weekday", "type": "nominal", "title": "Day"},
                {"field": "hour", "type": "quantitative", "title": "From hour"},
                {"field": "until", "type": "quantitative", "title": "to"},
                {"field": "weight", "type": "quantitative", "title": "Incidents", "format": ",.1f"},
            ],
        },
    }
    return Chart(frame, {"height": height, "layer": [cells, *_mark_hours(hours)]})


def _mark_hours(hours: WeekHours) -> list[Spec]:
    """The hours that are withheld, in a look of their own, if any are."""
    if WITHHELD not in hours.frame or not hours.frame[WITHHELD].any():
        return []
    look = SPECIAL["suppressed"]
    place = {"field": "hour", "type": "ordinal"}
    day = {"field": "weekday", "type": "nominal", "sort": list(WEEKDAYS)}
    told = [
        {"field": "weekday", "type": "nominal", "title": "Withheld"},
        {"field": "hour", "type": "quantitative", "title": "From hour"},
    ]
    return [
        {
            "transform": [{"filter": f"datum.{WITHHELD}"}],
            "mark": {"type": "rect", "color": look.fill, "stroke": look.ink, "strokeDash": [1, 3]},
            "encoding": {"x": place, "y": day, "tooltip": told},
        }
    ]
