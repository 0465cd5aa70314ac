"""Tables of targets on a page: as printed, their faults, drafts, and methods side by side."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from cspmap.goals import TOGETHER
from cspmap.sources.target_file import tabulate_targets
from cspmap.targets import Target, TargetTable
from cspmap.views.target_controls import METHODS

_TOGETHER = "Small areas together"
_NUMBER = partial(st.column_config.NumberColumn, format="localized")
FAULT_COLUMNS: dict[str, Any] = {
    "kind": None,
    "indicator": "Indicator",
    "area": "Area",
    "figure": "Figure",
    "period": "Period",
    "printed": _NUMBER("Printed"),
    "recomputed": _NUMBER("Recomputed"),
    "difference": _NUMBER("Difference"),
    "carried_from": "Carried from",
    "sentence": "In words",
    "table": None,
    "document": "Document",
    "page": "Page",
}
PRINTED_COLUMNS: dict[str, Any] = {
    "indicator_name": st.column_config.TextColumn("Indicator", pinned=True),
    "area": "Area",
    "baseline_period": "Baseline of",
    "baseline": _NUMBER("Baseline"),
    "kind": "Kind",
    "percent": st.column_config.NumberColumn("%", width=60),
    "percent_on": st.column_config.TextColumn("% of", width=75),
    "target": _NUMBER("Target"),
    "due": "Due by the end of",
    "document": "Document",
    "page": "Page",
    "owner": "Owner",
    "note": "Note",
    "direction": "Better is",
    "unit": "Unit",
    "crimes": "Measured by",
    "indicator_parts": "Sum of",
    "area_parts": "Made of",
    "overall_percent": "Overall %",
    "overall_percent_on": "Overall % of",
    "printed_due": "Printed as",
}
METHOD_COLUMNS: dict[str, Any] = {
    "name": "Area",
    "count": _NUMBER("Baseline"),
    **{str(method): _NUMBER(words) for method, words in METHODS.items()},
}


def show_printed(targets: Sequence[Target]) -> None:
    """Targets as they were printed, each with its document and page."""
    printed = tabulate_targets(TargetTable("printed", tuple(targets)))[list(PRINTED_COLUMNS)]
    st.dataframe(printed, hide_index=True, column_config=PRINTED_COLUMNS, placeholder="–")


def show_draft(table: TargetTable) -> None:
    """The targets of a draft with an indicator a row and an area a column."""
    wide = lay_out_draft(table)
    columns = {name: _NUMBER(name) for name in wide.columns}
    st.dataframe(wide, column_config=columns, height="content", placeholder="–")
    if _TOGETHER in wide:
        st.caption(
            "– is an area too small for a target of its own: it carries one together with the others in its row."
        )


def lay_out_draft(table: TargetTable) -> pd.DataFrame:
    """The targets of a table with an indicator a row and an area a column: whole numbers.

    What several areas carry together stands in a last column, and is missing in theirs.
    """
    rows = [(target.indicator.name, target.area.name, int(target.value or 0)) for target in table.targets]
    frame = pd.DataFrame(rows, columns=["Indicator", "area", "target"])
    together = frame["area"].str.contains(TOGETHER, regex=False)
    small = {name for names in frame.loc[together, "area"] for name in names.split(TOGETHER)}
    frame.loc[together, "area"] = _TOGETHER
    wide = frame.pivot(index="Indicator", columns="area", values="target")
    alone = dict.fromkeys(frame.loc[~together, "area"])
    columns = [*alone, *sorted(small - alone.keys()), *([_TOGETHER] if small else [])]
    wide = wide.reindex(columns=columns).loc[list(dict.fromkeys(frame["Indicator"]))].rename_axis(columns=None)
    return wide.astype("Int64") if small else wide
