"""Charts as pure functions: a tidy frame in, a chart out, in the terms of Vega-Lite (vega.github.io/vega-lite)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from cspmap.frames import add_columns
from cspmap.views.palettes import CATEGORICAL

# Of all text in a chart: the framework's own grey is too faint to be read by everyone.
INK = "#46525E"
GREY = "#8A97A5"
# A band over each month whose figure is missing, so that it is not taken for a zero.
_MISSING = "#E4E7EB"

NOW, BEFORE = "This period", "Comparison"
_AXIS = {"labelColor": INK}

Spec = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """What is drawn (a tidy frame) and how (a Vega-Lite specification without data)."""

    frame: pd.DataFrame
    spec: Spec

    def show(self) -> None:
        """Draw it where the page is."""
        st.vega_lite_chart(self.frame, self.spec, width="stretch")


def draw_trend(months: pd.DataFrame, *, height: int = 170) -> Chart:
    """Monthly counts as a line with points; a missing month breaks the line and is shaded.

    `months` has columns month ("YYYY-MM"), count (NA where the month is not loaded) and period (one of NOW, BEFORE
    or "Earlier").
    """
    x = {**_field("date", "temporal"), "axis": {**_AXIS, "format": "%b %y", "tickCount": 6, "labelOverlap": True}}
    y = {**_field("count", "quantitative"), "scale": {"zero": True}, "axis": _AXIS}
    colour = {
        **_field("period", "nominal"),
        "scale": {"domain": ["Earlier", BEFORE, NOW], "range": [GREY, CATEGORICAL[3], CATEGORICAL[0]]},
        "legend": {"orient": "top", "direction": "horizontal", "labelColor": INK},
    }
    tooltip = [
        _tell("date", "temporal", "Month", "%B %Y"),
        _tell("count", "quantitative", "Incidents", ",.0f"),
        _tell("period", "nominal", "Period"),
    ]
    line = {"type": "line", "color": GREY, "strokeWidth": 1.5, "invalid": "break-paths-show-domains"}
    points = {"type": "circle", "size": 42, "opacity": 1}
    return Chart(
        _date_months(months, "count"),
        {
            "height": height,
            "layer": [
                _shade_missing("count"),
                {"mark": line, "encoding": {"x": x, "y": y}},
                {"mark": points, "encoding": {"x": x, "y": y, "color": colour, "tooltip": tooltip}},
            ],
        },
    )


def draw_mix(mix: pd.DataFrame, *, here: str, whole: str | None = None) -> Chart:
    """Each crime type's share of the incidents `here` as a bar and, if it is named, of the `whole` as a tick.

    `mix` has columns crime_type (names), share and share_whole (0 to 1).
    """
    order = mix.sort_values("share", ascending=False)["crime_type"].tolist()
    y = {
        **_field("crime_type", "nominal"),
        "sort": order,
        "axis": {**_AXIS, "labelLimit": 170, "labelOverlap": False},
    }
    share = {**_field("share", "quantitative"), "axis": {**_AXIS, "format": "%", "tickCount": 4}}
    tooltip = [_tell("crime_type", "nominal", "Crime"), _tell("share", "quantitative", here, ".1%")]
    bars: Spec = {
        "mark": {"type": "bar", "color": CATEGORICAL[0], "height": 9},
        "encoding": {"x": share, "y": y, "tooltip": tooltip},
    }
    layers = [bars]
    if whole is not None:
        tooltip.append(_tell("share_whole", "quantitative", whole, ".1%"))
        ticks = {"type": "tick", "color": CATEGORICAL[3], "thickness": 3, "height": 15}
        layers.append({"mark": ticks, "encoding": {"x": _field("share_whole", "quantitative"), "y": y}})
    frame = mix[["crime_type", "share", "share_whole"]]
    return Chart(frame, {"height": max(90, 21 * len(mix)), "layer": layers})


def draw_quality(months: pd.DataFrame, column: str, title: str) -> Chart:
    """One figure of the quality report by month as bars; a missing month is shaded. `months` has month, `column`."""
    frame = _date_months(months[["month", column]], column)
    subtitle = "Shaded: not known" if frame[column].isna().any() else ""
    bars = {
        "mark": {"type": "bar", "color": CATEGORICAL[0]},
        "encoding": {
            "x": {
                **_field("date", "temporal"),
                "timeUnit": "yearmonth",
                "axis": {**_AXIS, "format": "%b %y", "labelOverlap": True},
            },
            "y": {**_field(column, "quantitative"), "axis": _AXIS},
            "tooltip": [
                _tell("date", "temporal", "Month", "%B %Y"),
                _tell(column, "quantitative", title, ",.4~g"),
            ],
        },
    }
    heading = {"text": title, "subtitle": subtitle}
    return Chart(frame, {"height": 200, "title": heading, "layer": [_shade_missing(column), bars]})


def _date_months(months: pd.DataFrame, column: str) -> pd.DataFrame:
    """The months with the first day of each (`date`) and of the next (`end`), and the figure as a plain number."""
    starts = np.array(months["month"].tolist(), dtype="datetime64[M]")
    figures = months[column].to_numpy(dtype=float, na_value=np.nan)
    dates = {"date": starts.astype("datetime64[s]"), "end": (starts + np.timedelta64(1, "M")).astype("datetime64[s]")}
    return add_columns(months, **dates, **{column: figures})


def _shade_missing(column: str) -> Spec:
    return {
        "transform": [{"filter": f"!isValid(datum['{column}'])"}],
        # Without a name for a screen reader, which hears of missing months from the table and the words beside it.
        "mark": {"type": "rect", "color": _MISSING, "aria": False},
        "encoding": {
            "x": _field("date", "temporal"),
            "x2": {"field": "end"},
            "tooltip": [_tell("date", "temporal", "Missing, not zero", "%B %Y")],
        },
    }


def _field(name: str, kind: str) -> Spec:
    return {"field": name, "type": kind, "title": None}


def _tell(name: str, kind: str, title: str, form: str | None = None) -> Spec:
    """A line of a tooltip."""
    return {"field": name, "type": kind, "title": title, **({"format": form} if form else {})}
