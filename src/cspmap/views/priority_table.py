"""The scanning chart on a page: live, with the group's decision beside every line, and as once published."""

from typing import Any

import pandas as pd
import streamlit as st

from cspmap.analysis.priorities import CRITERIA
from cspmap.exports.published import WITHHELD
from cspmap.exports.scan_rows import WITHHELD_CHANGE
from cspmap.priorities import MARKS, ScanningChart
from cspmap.views.priority_words import (
    CHOICES,
    CRITERION_NAMES,
    format_harm,
    format_mark,
    format_rate_of,
    format_ratio,
    list_sentences,
    summarise_trend,
)
from cspmap.views.words import escape_markdown, format_count, format_moment, format_percent

_MARKED = "X"


def show_ranking(chart: pd.DataFrame) -> None:
    """The live chart as a table, the highest score first."""
    st.dataframe(lay_out_chart(chart), hide_index=True, column_config=COLUMNS, height="content", placeholder="–")


COLUMNS: dict[str, Any] = {
    "Rank": st.column_config.NumberColumn(width=55, pinned=True),
    "Category": st.column_config.TextColumn(pinned=True),
    "Score": st.column_config.ProgressColumn(format="%.0f", min_value=0, max_value=100, width=95),
    "Incidents": st.column_config.NumberColumn(format="localized"),
    "Per 1,000": st.column_config.TextColumn(width=125),
    "Reason": st.column_config.TextColumn(width="large"),
}


def lay_out_chart(chart: pd.DataFrame) -> pd.DataFrame:
    """The rows of `scanning.rank_categories` as they are shown; marks are an X or nothing, as in a printed chart."""
    rows = chart.to_dict("records")
    none = "not published" if chart["peers"].notna().any() else "not loaded"
    table = pd.DataFrame(
        {
            "Rank": chart["rank"].array,
            "Category": chart["name"].array,
            "Score": chart["score"].array,
            "Decision": [CHOICES[row["choice"] or "open"] for row in rows],
            "Incidents": chart["count"].array,
            "Share of all": [WITHHELD if row.get(WITHHELD) else format_percent(100 * row["share"]) for row in rows],
            "Per 1,000": [format_rate_of(row) for row in rows],
            CRITERION_NAMES["peers"]: [format_ratio(row["peers"], otherwise=none) for row in rows],
            "On last year": [summarise_trend(row) for row in rows],
            "Next year": [_name_range(row) for row in rows],
            CRITERION_NAMES["harm"]: [format_harm(row["harm"]) for row in rows],
        }
    )
    for mark in MARKS:
        table[CRITERION_NAMES[mark]] = [format_mark(row[mark]) for row in rows]
    table["Score rests on"] = [f"{format_percent(100 * row['known'], digits=0)} of the weight" for row in rows]
    if WITHHELD in chart:
        hidden = zip(chart[WITHHELD], chart[WITHHELD_CHANGE], strict=True)
        table["Withheld"] = ["count" if count else "change" if change else "" for count, change in hidden]
    table["Reason"] = [row["reason"] for row in rows]
    table["Set by"] = [_name_saved(row) for row in rows]
    return table


def show_points(chart: pd.DataFrame) -> None:
    """What each score is made of: the points that each column gives, which add up to it."""
    st.markdown("**What each score is made of**")
    table = lay_out_points(chart)
    columns: dict[str, Any] = {str(name): st.column_config.NumberColumn(format="%.1f") for name in table}
    columns |= {"Score": st.column_config.NumberColumn(format="%.1f"), "Category": COLUMNS["Category"]}
    st.dataframe(table, hide_index=True, column_config=columns, height="content", placeholder="–")
    st.caption(
        "Points: 100 x weight x part / the weight of all that is known of the category; a row adds up to its score. "
        "“–”: not known or not set, so left out with its weight. A column without a weight is not shown."
    )


def lay_out_points(chart: pd.DataFrame) -> pd.DataFrame:
    """A row a category: its name and score, and the points of each criterion that gives any category some."""
    names = [name for name in CRITERIA if chart[f"points_{name}"].notna().any()]
    table = pd.DataFrame({"Category": chart["name"].array, "Score": chart["score"].array})
    for name in names:
        table[CRITERION_NAMES[name]] = chart[f"points_{name}"].array
    return table


def _name_range(row: dict[Any, Any]) -> str:
    if pd.isna(row["projected"]):
        return WITHHELD if row.get(WITHHELD_CHANGE) else "not known"
    return f"{format_count(row['projected'])} ({format_count(row['low'])} to {format_count(row['high'])})"


def _name_saved(row: dict[Any, Any]) -> str:
    return f"{row['who']}, {format_moment(row['saved_at'])}" if row["saved_at"] else ""


def show_sentences(chart: pd.DataFrame) -> None:
    """A sentence a category: why it ranks where it does."""
    lines = [f"- **{escape_markdown(name)}.** {escape_markdown(words)}" for _, name, words in list_sentences(chart)]
    st.markdown("\n".join(lines))


def show_published(chart: ScanningChart) -> None:
    """A published chart with its headings, marks and actions as printed."""
    st.markdown(f"**{escape_markdown(chart.title)}**")
    table = pd.DataFrame(
        [
            {
                "Category": row.category,
                **{heading: _MARKED if heading in row.marked else "" for heading in chart.headings},
                "Comment": row.comment,
                "Action": row.action,
            }
            for row in chart.rows
        ]
    )
    st.dataframe(
        table,
        hide_index=True,
        height="content",
        column_config={
            "Category": st.column_config.TextColumn(pinned=True),
            "Comment": st.column_config.TextColumn(width=230),
        },
    )
    sources = dict.fromkeys(f"{row.document}, {row.page}" for row in chart.rows)
    st.caption(
        escape_markdown(
            f"Categories, headings, marks and actions as printed; comments in short. Source: {'; '.join(sources)}. "
            "Its marks are no figures, and do not compare with those of the live chart."
        )
    )
