"""The comparisons as tables on the page: the same figures as their charts, sortable."""

from typing import Any

import pandas as pd
import streamlit as st

from cspmap.analysis.change import Verdict
from cspmap.peers import Peers
from cspmap.periods import Span
from cspmap.views.compare_words import choose_digits, name_places
from cspmap.views.tables import WORDS_OF_VERDICT, name_withheld

_COUNT: Any = st.column_config.NumberColumn("Offences", format="localized")


def _number(label: str, form: str, **more: Any) -> Any:
    return st.column_config.NumberColumn(label, format=form, **more)


def show_members(peers: Peers) -> None:
    """A row a partnership, the highest rate first."""
    members = peers.members
    table = members.assign(
        ranks=_join_ranks(members),
        place=name_places(members),
        worth=members["verdict"].map(_name_verdict),
    )
    columns: dict[str, Any] = {
        "name": st.column_config.TextColumn("Partnership", pinned=True),
        "rate": _number(f"Per 1,000 {peers.offence.per}", f"%.{choose_digits(peers) + 1}f"),
        "low": _number("At least", f"%.{choose_digits(peers) + 1}f", help="95 % interval of the rate"),
        "high": _number("At most", f"%.{choose_digits(peers) + 1}f", help="95 % interval of the rate"),
        "rank": _number("Rank", "%d", help="1 is the highest rate"),
        "ranks": st.column_config.TextColumn("Ranks allowing for chance"),
        "place": st.column_config.TextColumn("Against the bounds"),
        "count": _COUNT,
        "before": _number("Year before", "localized"),
        "percent": _number("Change %", "%.1f"),
        "percent_low": _number("Change from", "%.1f"),
        "percent_high": _number("Change to", "%.1f"),
        "worth": st.column_config.TextColumn("Evidence of change"),
        "people": _number(peers.offence.per.capitalize(), "localized"),
        "marks": st.column_config.TextColumn("Not given, and notes", width="large"),
    }
    _show(table, columns, most=12)


def show_offences(offences: pd.DataFrame) -> None:
    """A row an offence, as published."""
    table = offences.assign(
        place=name_places(offences),
        worth=offences["verdict"].map(_name_verdict),
        of=offences["rank"].astype("str").replace("<NA>", "–") + " of " + offences["number"].astype("str"),
    )
    columns: dict[str, Any] = {
        "offence": st.column_config.TextColumn("Offence", pinned=True),
        "count": _COUNT,
        "rate": _number("Per 1,000", "%.3f", help="Residents, unless the offence says households"),
        "low": _number("At least", "%.3f", help="95 % interval of the rate"),
        "high": _number("At most", "%.3f", help="95 % interval of the rate"),
        "mean": _number("Mean of the group", "%.3f"),
        "lower": _number("Lower bound", "%.3f"),
        "upper": _number("Upper bound", "%.3f"),
        "place": st.column_config.TextColumn("Against the bounds"),
        "of": st.column_config.TextColumn("Rank"),
        "percent": _number("Change %", "%.1f"),
        "percent_low": _number("Change from", "%.1f"),
        "percent_high": _number("Change to", "%.1f"),
        "worth": st.column_config.TextColumn("Evidence of change"),
        "marks": st.column_config.TextColumn("Not given, and notes", width="large"),
    }
    _show(table, columns, most=30)


def show_totals(table: pd.DataFrame) -> None:
    """A row a year: recorded crime beside the incidents loaded; `table` is `compare_files.tabulate_sources`."""
    columns: dict[str, Any] = {
        "period": st.column_config.TextColumn("Year", pinned=True),
        "recorded_crime": _number("Recorded crime", "localized"),
        "incidents_loaded": _number("Incidents loaded", "localized", help="All but anti-social behaviour"),
        "difference": _number("Difference", "localized"),
        "percent": _number("In %", "%.1f", help="Of recorded crime"),
        "months_loaded": _number("Months loaded", "%d"),
        "without_location": _number("Without a location", "localized", help="Of all places that the source covers"),
    }
    if "withheld" in table and table["withheld"].any():
        columns["withheld"] = st.column_config.CheckboxColumn("Withheld")
    _show(table.assign(period=[Span.parse(text).words for text in table["period"]]), columns, most=3)


def show_ranked(areas: pd.DataFrame, *, per: str) -> None:
    """A row an area of the partnership, the highest rate first."""
    columns: dict[str, Any] = {
        "name": st.column_config.TextColumn("Area", pinned=True),
        "rate": _number(f"Per 1,000 {per}", "%.1f"),
        "low": _number("At least", "%.1f", help="95 % interval of the rate"),
        "high": _number("At most", "%.1f", help="95 % interval of the rate"),
        "rank": _number("Rank", "%d", help="1 is the highest rate"),
        "ranks": st.column_config.TextColumn("Ranks allowing for chance"),
        "count": _number("Incidents", "localized"),
        "denominator": _number(per.capitalize(), "localized"),
        "before": _number("Year before", "localized"),
        "percent": _number("Change %", "%.1f"),
        "worth": st.column_config.TextColumn("Evidence of change"),
    }
    table = areas.assign(ranks=_join_ranks(areas), worth=areas["verdict"].map(_name_verdict))
    hidden = [name_withheld(*flags) for flags in zip(areas["withheld"], areas["withheld_before"], strict=True)]
    if any(hidden):
        table["hidden"] = hidden
        columns["hidden"] = st.column_config.TextColumn("Withheld")
    _show(table.round({"denominator": 0}), columns, most=14)


def _show(table: pd.DataFrame, columns: dict[str, Any], *, most: int) -> None:
    height: Any = "content" if len(table) <= most else 35 * (most + 1)
    shown = table[list(columns)]
    st.dataframe(shown, hide_index=True, column_config=columns, width="stretch", height=height, placeholder="–")


def _join_ranks(frame: pd.DataFrame) -> list[str]:
    """ "3 to 5", "2" where chance leaves one open, "" where there is no rank."""
    pairs = zip(frame["first"], frame["last"], strict=True)
    return ["" if pd.isna(first) else str(first) if first == last else f"{first} to {last}" for first, last in pairs]


def _name_verdict(verdict: Verdict) -> str:
    return WORDS_OF_VERDICT[verdict]
