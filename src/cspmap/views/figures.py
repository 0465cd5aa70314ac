"""Everything that a page shows of a selection's areas, worked out once and shared by all viewers."""

from dataclasses import replace

import pandas as pd
import streamlit as st

from cspmap.exports.area_figures import Figures, work_out_figures
from cspmap.exports.published import WITHHELD
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.charts import Chart
from cspmap.views.palettes import SPECIAL

__all__ = ["Figures", "find_area", "load_figures", "mark_withheld", "warm_up"]


def warm_up(query: Query) -> None:
    """Load before the first viewer comes what the first viewer would wait for: libraries, tables, the first figures.

    The component that shows the map is left out: it tells the server of its files only when a page first loads it.
    """
    import folium.plugins  # noqa: F401

    import cspmap.views.boards  # noqa: F401

    load_figures(query, Selection.default(query.store))


def find_area(areas: pd.DataFrame, code: str | None) -> pd.Series | None:
    """The row of one area, None where none is named."""
    return None if code is None else areas[areas["code"] == code].iloc[0]


def load_figures(query: Query, selection: Selection) -> Figures:
    """The figures of every area of the selection's level; which of them are shown, and how, makes no difference."""
    same = selection.change(chosen=None, areas=(), measure="rate", scheme="quantile", classes=5)
    return _work_out(query, query.store.version, same)


@st.cache_resource(max_entries=256, show_spinner=False)
def _work_out(_query: Query, version: str, selection: Selection) -> Figures:
    return work_out_figures(_query, selection)


def mark_withheld(chart: Chart) -> Chart:
    """A chart of months with a look of their own for those whose count is withheld, apart from what is not loaded."""
    if not chart.frame[WITHHELD].any():
        return chart
    look = SPECIAL["suppressed"]
    band = {
        "transform": [{"filter": f"datum.{WITHHELD}"}],
        "mark": {"type": "rect", "color": look.fill, "stroke": look.ink, "strokeDash": [1, 3]},
        "encoding": {
            "x": {"field": "date", "type": "temporal", "title": None},
            "x2": {"field": "end"},
            "tooltip": [{"field": "date", "type": "temporal", "title": "Withheld", "format": "%B %Y"}],
        },
    }
    first, *rest = chart.spec["layer"]
    return replace(chart, spec={**chart.spec, "layer": [first, band, *rest]})
