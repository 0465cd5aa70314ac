"""The panel of the focus page: what the chosen area comes to."""

from typing import Any, Literal

import pandas as pd
import streamlit as st

from cspmap.analysis.change import poisson_change
from cspmap.exports.published import WITHHELD, publish
from cspmap.focus_area import HOUSEHOLDS, RESIDENTS, Aim, ChosenArea, FocusGround
from cspmap.focus_choice import FocusChoice
from cspmap.focus_published import publish_months
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.charts import BEFORE, NOW, draw_trend
from cspmap.views.figures import mark_withheld
from cspmap.views.focus_load import list_targets
from cspmap.views.focus_words import describe_caught, describe_later, describe_shape, format_share
from cspmap.views.tables import name_withheld
from cspmap.views.words import (
    describe_change,
    describe_missing,
    escape_markdown,
    explain_incomparable,
    format_count,
    format_percent,
    format_rate,
    name_comparison,
    name_crimes,
    the,
)

TREND_MONTHS = 36
# More of them than this scroll.
MOST_ROWS = 5
_TYPE_COLUMNS: dict[str, Any] = {
    "name": st.column_config.TextColumn("Crime", pinned=True, width=150),
    "count": st.column_config.NumberColumn("Incidents", format="localized", width=70),
    "share": st.column_config.NumberColumn("Of all", format="percent", width=60),
    "before": st.column_config.NumberColumn("Before", format="localized", width=60),
    "withheld": st.column_config.TextColumn("Withheld", width=90),
}
_TARGET_COLUMNS: dict[str, Any] = {
    "rating": st.column_config.TextColumn("Rating", width=60),
    "indicator": "Indicator",
    "area": "Area",
    "covered": st.column_config.NumberColumn("Of it inside", format="percent"),
    "value": st.column_config.NumberColumn("Target", format="localized"),
    "actual": st.column_config.NumberColumn("So far", format="localized"),
    "words": "In words",
    "table": "From",
}


def show_panel(
    query: Query, ground: FocusGround, choice: FocusChoice, aim: Aim, area: ChosenArea, *, what: str
) -> None:
    """Figures of the ticked units together."""
    partnership, selection = query.store.partnership, choice.selection
    plural = partnership.find_layer(ground.level).plural
    st.subheader(escape_markdown(f"{len(area.codes)} of {len(ground.codes)} {plural}"), anchor=False)
    gaps = describe_missing(query.missing_months(selection.span), selection.span.words)
    if gaps:
        st.markdown(f":orange-background[:material/warning: {escape_markdown(gaps)}]")
    st.write(escape_markdown(f"{describe_caught(area, what)} {describe_later(area.later)}"))
    with st.container(horizontal=True):
        st.metric("Incidents", WITHHELD if area.withheld else format_count(area.count), width="content")
        for key in (RESIDENTS, HOUSEHOLDS):
            if key in area.people:
                st.metric(key.capitalize(), format_count(area.people[key][0]), width="content")
        st.metric("km²", format_rate(area.figures.km2, digits=2), width="content")
    tabs = st.tabs(["Crime", "Trend", "Place", "Targets"], on_change="rerun", key="focus-panel")
    crime, trend, place, targets = tabs
    if crime.open:
        with crime:
            _show_types(query, selection, area)
    with trend:
        if trend.open:
            _show_trend(query, ground, selection, aim, area)
    with place:
        if place.open:
            _show_place(ground, area)
    with targets:
        if targets.open:
            _show_targets(query, ground, area, aim)


def _show_types(query: Query, selection: Selection, area: ChosenArea) -> None:
    names = [query.store.partnership.name_crime(key) for key in area.types["crime_type"]]
    table = area.types.assign(name=names).sort_values("count", ascending=False)
    flags = zip(table[WITHHELD], table[f"{WITHHELD}_before"], strict=True)
    table[WITHHELD] = [name_withheld(*pair) for pair in flags]
    why = explain_incomparable(query.count_coverage(selection), query.count_coverage(selection, span=selection.before))
    hides = publish(query).hides
    shown = [name for name in _TYPE_COLUMNS if not (why and name == "before") and (hides or name != WITHHELD)]
    st.dataframe(
        table[shown],
        hide_index=True,
        column_config=_TYPE_COLUMNS,
        placeholder="–",
        height=_choose_height(len(table)),
    )
    before = selection.before.words
    against = f"No figures of {the(before)} beside them: {why}." if why else f"Before: {before}."
    told = f"Of all: of everything in {query.store.partnership.place}. {against}"
    st.caption(escape_markdown(told.strip()))


def _show_trend(query: Query, ground: FocusGround, selection: Selection, aim: Aim, area: ChosenArea) -> None:
    span, before = selection.span, selection.before
    loaded = query.store.months
    first = max(loaded[0], min(before.first, span.last - (TREND_MONTHS - 1)))
    months = publish_months(ground, aim, area.codes, Span(first, span.last), selection, publish(query))
    period = [_name_period(month, selection) for month in months["month"]]
    chart = draw_trend(months.assign(period=period))
    if WITHHELD in months and months[WITHHELD].any():
        mark_withheld(chart).show()
        st.caption("Dotted: withheld, as the count is small or would give a small one away.")
    else:
        chart.show()
    now, earlier = query.count_coverage(selection), query.count_coverage(selection, span=before)
    why = explain_incomparable(now, earlier)
    if area.withheld or area.withheld_before:
        why = "a count is withheld"
    elif publish(query).rounds and not (area.count or area.before):
        why = why or "both are small enough to round to none"
    change = poisson_change(None if why else area.before, area.count)
    sentence = describe_change(
        name_crimes(selection, query.store.partnership),
        change.before,
        change.after,
        change.verdict if why else area.verdict or change.verdict,
        name_comparison(selection),
        plural=len(selection.crimes) != 1,
        why=why,
    )
    st.write(escape_markdown(sentence))


def _name_period(month: str, selection: Selection) -> str:
    for name, span in ((NOW, selection.span), (BEFORE, selection.before)):
        if str(span.first) <= month <= str(span.last):
            return name
    return "Earlier"


def _show_place(ground: FocusGround, area: ChosenArea) -> None:
    score, fifth = area.deprivation["score"], area.deprivation["fifth"]
    lines = [describe_shape(area.figures)]
    residents = area.people.get(RESIDENTS, (None, None))[1]
    lines.append(
        f"{format_share(area.figures.km2_share)} of the land, {format_share(residents)} of residents, "
        f"{format_share(area.figures.unit_share)} of the units."
    )
    if ground.edition is None:
        lines.append("No Indices of Deprivation are loaded.")
    else:
        lines.append(
            f"Indices of Deprivation {ground.edition}: mean score {format_rate(score)} (higher is more deprived); "
            f"{format_percent(None if fifth is None else 100 * fifth, digits=0)} of residents live in England's most "
            "deprived fifth."
        )
    st.markdown("\n".join(f"- {escape_markdown(line)}" for line in lines))
    names = ground.names
    st.dataframe(
        pd.DataFrame({"Area": [names[code] for code in area.codes], "Code": area.codes}), hide_index=True, height=170
    )


def _show_targets(query: Query, ground: FocusGround, area: ChosenArea, aim: Aim) -> None:
    lines = list_targets(query, ground, area.codes, aim.types)
    if lines.empty:
        st.write("No target is set for these crimes in the areas that it reaches into.")
        return
    one = len(lines) == 1
    st.write(f"{len(lines)} {'target is' if one else 'targets are'} for an area that it reaches into.")
    st.dataframe(
        lines.sort_values(["covered", "indicator"], ascending=[False, True])[list(_TARGET_COLUMNS)],
        hide_index=True,
        column_config=_TARGET_COLUMNS,
        placeholder="–",
        height=_choose_height(len(lines)),
    )


def _choose_height(rows: int) -> int | Literal["content"]:
    """Of a table: as much as its rows need, or where they are many as much as stands beside the map."""
    return 240 if rows > MOST_ROWS else "content"
