"""The months of an operation's area beside the course that was to be expected."""

from typing import Any

import numpy as np
import pandas as pd

from cspmap.exports.published import WITHHELD
from cspmap.periods import Span
from cspmap.views.charts import GREY, INK, Chart, Spec
from cspmap.views.figures import mark_withheld
from cspmap.views.palettes import CATEGORICAL

RECORDED, EXPECTED = "Recorded", "Expected"
_MISSING, _SPAN = "#E4E7EB", "#DCEBE9"
_AXIS = {"labelColor": INK}


def draw_course(course: pd.DataFrame, span: Span, *, height: int = 260) -> Chart:
    """Recorded and expected months with the interval of the expected ones; the `span` judged has a ground of its own.

    `course` is an evaluation's: month, count, expected, low, high and, where small counts are withheld, withheld. A
    month that is not known is shaded and breaks the line.
    """
    starts = np.array(course["month"].tolist(), dtype="datetime64[M]")
    dates = {"date": starts.astype("datetime64[s]"), "end": (starts + np.timedelta64(1, "M")).astype("datetime64[s]")}
    frame = (
        course[["count", "expected", "low", "high"]]
        .astype(float)
        .assign(
            **dates,
            inside=[str(span.first) <= month <= str(span.last) for month in course["month"]],
            # Numbers the runs of months with an expectation: the band is not drawn across a gap.
            run=course["low"].isna().cumsum(),
        )
    )
    x: Spec = {
        **_field("date", "temporal"),
        "axis": {**_AXIS, "format": "%b %y", "tickCount": 8, "labelOverlap": True},
    }
    y: Spec = {**_field("count", "quantitative"), "scale": {"zero": True}, "axis": _AXIS}
    tooltip = [
        {"field": "date", "type": "temporal", "title": "Month", "format": "%B %Y"},
        {"field": "count", "type": "quantitative", "title": RECORDED, "format": ",.0f"},
        {"field": "expected", "type": "quantitative", "title": EXPECTED, "format": ",.1f"},
        {"field": "low", "type": "quantitative", "title": "At least", "format": ",.0f"},
        {"field": "high", "type": "quantitative", "title": "At most", "format": ",.0f"},
    ]
    rising: dict[str, Any] = {"x": _field("date", "temporal"), "x2": {"field": "end"}}
    # A month that is withheld has a ground of its own.
    known = "isValid(datum['count'])"
    if WITHHELD in course:
        frame[WITHHELD] = course[WITHHELD]
        known += f" || datum.{WITHHELD}"
    chart = Chart(
        frame,
        {
            "height": height,
            "layer": [
                {
                    # One rectangle: those of single months would show seams.
                    "transform": [
                        {"filter": "datum.inside"},
                        {
                            "aggregate": [
                                {"op": "min", "field": "date", "as": "first"},
                                {"op": "max", "field": "end", "as": "last"},
                            ]
                        },
                    ],
                    "mark": {"type": "rect", "color": _SPAN, "aria": False},
                    "encoding": {"x": _field("first", "temporal"), "x2": {"field": "last"}},
                },
                {
                    "transform": [{"filter": f"!({known})" if WITHHELD in course else f"!{known}"}],
                    "mark": {"type": "rect", "color": _MISSING, "aria": False},
                    "encoding": {
                        **rising,
                        "tooltip": [
                            {"field": "date", "type": "temporal", "title": "Missing, not zero", "format": "%B %Y"}
                        ],
                    },
                },
                {
                    "transform": [{"filter": "isValid(datum.low)"}],
                    "mark": {"type": "area", "opacity": 0.18, "color": CATEGORICAL[3]},
                    "encoding": {
                        "x": x,
                        "y": {**y, "field": "low"},
                        "y2": {"field": "high"},
                        "detail": {"field": "run", "type": "nominal"},
                    },
                },
                {
                    "mark": {
                        "type": "line",
                        "strokeDash": [6, 3],
                        "color": CATEGORICAL[3],
                        "invalid": "break-paths-show-domains",
                    },
                    "encoding": {"x": x, "y": {**y, "field": "expected"}},
                },
                {
                    "mark": {"type": "line", "color": GREY, "strokeWidth": 1.5, "invalid": "break-paths-show-domains"},
                    "encoding": {"x": x, "y": y},
                },
                {
                    "mark": {"type": "circle", "size": 46, "opacity": 1, "color": CATEGORICAL[0]},
                    "encoding": {"x": x, "y": y, "tooltip": tooltip},
                },
            ],
        },
    )
    return mark_withheld(chart) if WITHHELD in course else chart


def _field(name: str, kind: str) -> Spec:
    return {"field": name, "type": kind, "title": None}
