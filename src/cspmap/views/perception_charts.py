"""Charts of indicators: series over the years with their margins of error, and single figures side by side."""

import pandas as pd

from cspmap.exports.published import WITHHELD
from cspmap.views.charts import GREY, INK, Chart, Spec
from cspmap.views.figures import mark_withheld
from cspmap.views.palettes import CATEGORICAL

_AXIS = {"labelColor": INK, "titleColor": INK, "labelLimit": 260}
# Room for the figures of both charts, so that their years stand above each other.
_EDGE = 46
_DOT = {"type": "circle", "size": 60, "opacity": 1, "color": CATEGORICAL[0]}
_TEXT = {"field": "value", "type": "quantitative", "format": ",.4~g"}
_FIGURE = (
    {"field": "value", "type": "quantitative", "title": "Figure", "format": ",.4~g"},
    {"field": "margin_words", "type": "nominal", "title": "Margin of error"},
)


def draw_series(rows: pd.DataFrame, *, most: float) -> Chart:
    """The readings of one series over the years; a bar about a dot is its margin of error.

    `rows` are those of `perceptions.list_readings` of one indicator, answer and area with a period and a value; `most`
    is the top of the scale, so that series beside each other have the same one.
    """
    frame = rows[["period", "value", "low", "high", "margin_words"]].astype({"low": float, "high": float})
    x = {"field": "period", "type": "ordinal", "title": None, "axis": {**_AXIS, "labelAngle": 0}}
    scale = {"domain": [min(0.0, float(frame["value"].min())), most]}
    y = {"field": "value", "type": "quantitative", "title": None, "scale": scale,
         "axis": {**_AXIS, "tickCount": 4, "minExtent": 28}}  # fmt: skip
    tooltip = [{"field": "period", "type": "ordinal", "title": "When"}, *_FIGURE]
    layers: list[Spec] = [
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "color": GREY, "strokeWidth": 2, "aria": False},
            "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {"mark": {"type": "line", "color": CATEGORICAL[0]}, "encoding": {"x": x, "y": y}},
        {"mark": _DOT, "encoding": {"x": x, "y": y, "tooltip": tooltip}},
        {"mark": {"type": "text", "dy": -11, "color": INK}, "encoding": {"x": x, "y": y, "text": _TEXT}},
    ]
    return Chart(frame, {"height": 140, "layer": layers})


def draw_figures(rows: pd.DataFrame) -> Chart:
    """Single readings side by side as bars, in their order; the figure stands at its end.

    `rows` are some of `perceptions.list_readings` with a value, all of one unit. A bar is named by what tells it from
    the others: its area, its answer or its indicator.
    """
    named = next((column for column in ("name", "answer") if rows[column].nunique() > 1), "area")
    frame = rows[[named, "value", "low", "high", "margin_words"]].astype({"low": float, "high": float})
    frame = frame.rename(columns={named: "series"})
    y = {"field": "series", "type": "nominal", "title": None, "sort": None, "axis": {**_AXIS, "labelOverlap": False}}
    x = {"field": "value", "type": "quantitative", "title": None, "axis": {**_AXIS, "tickCount": 5}}
    tooltip = [{"field": "series", "type": "nominal", "title": "What"}, *_FIGURE]
    bars = {"type": "bar", "color": CATEGORICAL[0], "height": 14}
    texts: list[Spec] = [
        {
            "transform": [{"filter": f"datum.value {sign} 0"}],
            "mark": {"type": "text", "align": align, "dx": shift, "color": INK},
            "encoding": {"x": x, "y": y, "text": _TEXT},
        }
        for sign, align, shift in ((">=", "left", 4), ("<", "right", -4))
    ]
    margins: Spec = {
        "transform": [{"filter": "isValid(datum.low)"}],
        "mark": {"type": "rule", "color": CATEGORICAL[3], "strokeWidth": 3, "aria": False},
        "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y},
    }
    layers = [{"mark": bars, "encoding": {"x": x, "y": y, "tooltip": tooltip}}, margins, *texts]
    return Chart(frame, {"height": max(80, 30 * len(frame)), "layer": layers})


def draw_said(rows: pd.DataFrame, span: tuple[str, str]) -> Chart:
    """What was said of one subject over the years of `span` (first and last day): a dot a reading, in per cent."""
    frame = rows.assign(
        date=pd.to_datetime(rows["first"] + "-01"),
        until=pd.to_datetime(rows["last"] + "-01") + pd.offsets.MonthEnd(0),
    )[["date", "until", "value", "low", "high", "period", "margin_words"]]
    frame["middle"] = frame["date"] + (frame["until"] - frame["date"]) / 2
    x = _time(span)
    y = {"field": "value", "type": "quantitative", "title": "% said so", "scale": {"domain": [0, 100]},
         "axis": {**_AXIS, "tickCount": 4, "minExtent": _EDGE, "maxExtent": _EDGE}}  # fmt: skip
    tooltip = [{"field": "period", "type": "nominal", "title": "When"}, *_FIGURE]
    layers: list[Spec] = [
        {
            "mark": {"type": "rule", "color": CATEGORICAL[2], "strokeWidth": 3},
            "encoding": {"x": {**x, "field": "date"}, "x2": {"field": "until"}, "y": y, "tooltip": tooltip},
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "color": GREY, "strokeWidth": 2, "aria": False},
            "encoding": {"x": {**x, "field": "middle"}, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "text", "dy": -9, "color": INK},
            "encoding": {"x": {**x, "field": "middle"}, "y": y, "text": _TEXT},
        },
    ]
    return Chart(frame, {"height": 150, "layer": layers})


def draw_recorded(months: pd.DataFrame, span: tuple[str, str]) -> Chart:
    """Recorded incidents by month over the same years; a month that is not loaded breaks the line.

    `months` has columns month ("YYYY-MM"), count (NA where the month is not loaded) and withheld. A month whose count
    is withheld has a dotted band.
    """
    date = pd.to_datetime(months["month"] + "-01")
    frame = pd.DataFrame(
        {
            "date": date,
            "end": date + pd.offsets.MonthBegin(1),
            "count": months["count"].astype("Float64").astype(float),
            WITHHELD: months[WITHHELD],
        }
    )
    y = {"field": "count", "type": "quantitative", "title": "Recorded a month", "scale": {"zero": True},
         "axis": {**_AXIS, "tickCount": 4, "minExtent": _EDGE, "maxExtent": _EDGE}}  # fmt: skip
    tooltip = [
        {"field": "date", "type": "temporal", "title": "Month", "format": "%B %Y"},
        {"field": "count", "type": "quantitative", "title": "Incidents", "format": ",.0f"},
    ]
    mark = {"type": "line", "color": CATEGORICAL[0], "point": True, "invalid": "break-paths-show-domains"}
    line: Spec = {"mark": mark, "encoding": {"x": {**_time(span), "field": "date"}, "y": y, "tooltip": tooltip}}
    return mark_withheld(Chart(frame, {"height": 150, "layer": [line]}))


def _time(span: tuple[str, str]) -> Spec:
    scale = {"type": "utc", "domain": list(span)}
    return {"type": "temporal", "title": None, "scale": scale, "axis": {**_AXIS, "format": "%Y", "tickCount": "year"}}
