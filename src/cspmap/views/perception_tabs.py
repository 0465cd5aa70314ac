"""What the perceptions page shows in each of its tabs."""

from typing import Any

import pandas as pd
import streamlit as st

from cspmap.exports.published import WITHHELD, describe_rule, publish
from cspmap.perceptions import judge_targets, list_beside, list_readings
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection, choose_held
from cspmap.views.perception_charts import draw_figures, draw_recorded, draw_said, draw_series
from cspmap.views.perception_words import (
    APART,
    describe_beside,
    describe_margins,
    describe_questions,
    describe_series,
    list_sources,
)
from cspmap.views.words import escape_markdown

_SERIES = ["table", "indicator", "answer", "area"]
_MOST_WHOLE = 100.0
COLUMNS: dict[str, Any] = {
    "topic": "Topic",
    "name": st.column_config.TextColumn("Indicator", width="large"),
    "answer": "Answer",
    "area": "Area",
    "period": "When",
    "value": st.column_config.NumberColumn("Figure", format="%.4g"),
    "unit": "Unit",
    "sample": st.column_config.NumberColumn("Asked", format="localized"),
    "margin_words": "Margin of error",
    "before": st.column_config.NumberColumn("Before", format="%.4g"),
    "before_period": "Before when",
    "change_words": "Change",
    "question": "Question",
    "survey": "Who asked or counted",
    "document": "Document",
    "page": "Page",
    "note": "Note",
}
TARGET_COLUMNS: dict[str, Any] = {
    "rating": st.column_config.TextColumn("Rating", width=60),
    "indicator": st.column_config.TextColumn("Indicator", width="large"),
    "area": "Area",
    "due": "Due by the end of",
    "value": st.column_config.NumberColumn("Target", format="%.4g"),
    "actual": st.column_config.NumberColumn("Latest reading", format="%.4g"),
    "month": "Of",
    "words": "In words",
    "document": "Document",
    "page": "Page",
}


@st.cache_resource(max_entries=4, show_spinner=False)
def load_readings(_query: Query, version: str) -> pd.DataFrame:
    """Every reading of a store, worked out once. Not to be changed."""
    return list_readings(_query.store.indicators)


@st.cache_resource(max_entries=4, show_spinner=False)
def load_beside(_query: Query, version: str) -> pd.DataFrame:
    """Every reading that recorded crime can be set beside, worked out once. Not to be changed."""
    return list_beside(_query)


@st.cache_resource(max_entries=4, show_spinner=False)
def load_judged(_query: Query, version: str) -> pd.DataFrame:
    """The targets that readings measure, worked out once. Not to be changed."""
    return judge_targets(_query.store.targets, _query.store.indicators)


def show_topic(rows: pd.DataFrame) -> None:
    """One heading of one document: its figures in sentences and charts, questions, margins and sources."""
    known = rows[rows["value"].notna()]
    series = [group for _, group in rows.groupby(_SERIES, sort=False)]
    st.markdown("\n".join(f"- {escape_markdown(describe_series(group))}" for group in series))
    margins = describe_margins(rows)
    if margins:
        st.markdown(f":orange-background[:material/warning: {escape_markdown(margins)}]")
    lasting = [group for group in series if (group["value"].notna() & group["period"].ne("")).sum() > 1]
    if lasting:
        percent = rows["unit"].eq("percent").all()
        columns = st.columns(3)
        for place, group in enumerate(lasting):
            drawn = group[group["value"].notna()].sort_values("last", kind="stable")
            most = _MOST_WHOLE if percent else float(known["value"].max()) * 1.15
            with columns[place % len(columns)]:
                st.markdown(f"**{escape_markdown(str(drawn['name'].iloc[0]))}**")
                draw_series(drawn, most=most).show()
    elif len(known):
        for _, group in known.groupby("unit", sort=False):
            draw_figures(group).show()
    for sentence in describe_questions(rows):
        st.markdown(escape_markdown(sentence))
    show_table(rows)
    st.caption(escape_markdown("Source: " + "; ".join(list_sources(rows)) + "."))


def show_table(rows: pd.DataFrame) -> None:
    """Readings as a table, with the document and page of each."""
    table = rows[list(COLUMNS)]
    empty = {name: None for name in COLUMNS if name != "value" and table[name].isin(["", None]).all()}
    if table["topic"].nunique() == 1:
        empty["topic"] = None
    st.dataframe(table, hide_index=True, column_config={**COLUMNS, **empty}, placeholder="–")


def show_beside(query: Query) -> None:
    """What was said of a subject above what was recorded of it, and why the two are not the same."""
    found = load_beside(query, query.store.version)
    if found.empty:
        st.write("No indicator that is loaded has recorded crime of the same subject beside it.")
        return
    subjects = list(dict.fromkeys(found["name"]))
    for asked in st.query_params.get_all("subject"):
        choose_held("subject", asked, subjects)
    # The one with most readings of known years first: it has something to be seen.
    dated = found[found["period"] != ""]["name"].value_counts()
    usual = str(dated.index[0]) if len(dated) else subjects[0]
    subject = st.selectbox("Subject", subjects, subjects.index(usual), key="subject", bind="query-params", width=420)
    rows = found[found["name"] == (subject or usual)]
    st.info(APART, icon=":material/compare_arrows:")
    place = query.store.partnership.place
    st.markdown("\n".join(f"- {escape_markdown(describe_beside(row.to_dict(), place))}" for _, row in rows.iterrows()))
    timed = rows[rows["period"] != ""]
    loaded = Span(query.store.months[0], query.store.months[-1])
    if len(timed):
        first = min(loaded.first, *(Month.parse(text) for text in timed["first"]))
        last = max(loaded.last, *(Month.parse(text) for text in timed["last"]))
        span = (first.first_day.isoformat(), (last + 1).first_day.isoformat())
        st.markdown("**What was said**, in per cent of those asked; a bar is the year that it is of")
        draw_said(timed, span).show()
        words = escape_markdown(str(timed["crime_words"].iloc[0]))
        st.markdown(f"**What was recorded**: {words}, incidents a month where loaded")
        selection = Selection.default(query.store).change(crimes=tuple(timed["crimes"].iloc[0]))
        months = publish(query).count_months(selection, loaded)
        draw_recorded(months, span).show()
        if months[WITHHELD].any():
            st.caption("Dotted: withheld, as the count is small or would give a small one away.")
        rule = describe_rule(query.store.partnership.disclosure)
        if rule:
            st.caption(escape_markdown(rule))
    margins = describe_margins(rows)
    if margins:
        st.markdown(f":orange-background[:material/warning: {escape_markdown(margins)}]")
    st.caption(escape_markdown("Source of what was said: " + "; ".join(list_sources(rows)) + "."))


def show_targets(query: Query) -> None:
    """Targets of what is asked or returned now and then, held against the readings that are loaded."""
    judged = load_judged(query, query.store.version)
    if judged.empty:
        st.write("No table of targets that is loaded sets any for an indicator that is loaded.")
        return
    lines = [
        f"- **{row['rating']} · {escape_markdown(str(row['indicator']))}**, {escape_markdown(str(row['area']))}: "
        f"{escape_markdown(str(row['sentence']))}"
        for _, row in judged.iterrows()
    ]
    st.markdown("\n".join(lines))
    st.dataframe(
        judged[list(TARGET_COLUMNS)], hide_index=True, column_config=TARGET_COLUMNS, placeholder="–", height="content"
    )
    st.caption(
        "A target is measured by readings of the indicator of the same key in the same area. “?” where there is no "
        "reading to judge it by."
    )
