"""The panel beside the map: one area, or the partnership as a whole."""

import pandas as pd
import streamlit as st

from cspmap.analysis.change import poisson_change
from cspmap.analysis.measures import rate
from cspmap.exports.published import WITHHELD, publish
from cspmap.frames import add_columns
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.totals import Coverage
from cspmap.views.charts import BEFORE, NOW, draw_mix, draw_trend
from cspmap.views.figures import Figures, mark_withheld
from cspmap.views.words import (
    describe_change,
    describe_duration,
    describe_unlocated,
    escape_markdown,
    explain_incomparable,
    format_count,
    format_percent,
    format_rate,
    join_words,
    name_comparison,
    name_crimes,
)

TREND_MONTHS = 36


def show_panel(query: Query, selection: Selection, area: pd.Series | None, figures: Figures) -> None:
    """Figures, trend, mix, streets and deprivation of `area`, a row of the figures' areas; None is the whole."""
    now, before, per = figures.now, figures.before, figures.per
    partnership = query.store.partnership
    hidden, gone = (
        (figures.withheld_now, figures.withheld_before)
        if area is None
        else (bool(area["withheld"]), bool(area["withheld_before"]))
    )
    code = None if area is None else str(area["code"])
    place = escape_markdown(partnership.place)
    name = partnership.place if area is None else str(area["name"])
    count, earlier = (_total(now), _total(before)) if area is None else (area["count"], area["before"])
    st.subheader(escape_markdown(name), anchor=False)
    with st.container(horizontal=True):
        st.metric("Incidents", WITHHELD if hidden else format_count(count), width="content")
        told = WITHHELD if hidden else _describe_rate(query, selection, area, now)
        st.metric(f"per 1,000 {per.name}", told, width="content")
        if area is not None:
            share = WITHHELD if hidden else format_percent(100 * area["share"])
            st.metric(f"of {place}'s", share, width="content")
    st.caption(f"Counts and rates are {describe_duration(now)}.")
    why = "a count is withheld" if hidden or gone else explain_incomparable(now, before)
    change = poisson_change(None if why else _number(earlier), _number(count))
    judged = figures.verdict if area is None else area["verdict"] if "rounded" in area else None
    crimes, against = name_crimes(selection, partnership), name_comparison(selection)
    sentence = describe_change(
        crimes,
        change.before,
        change.after,
        judged or change.verdict,
        against,
        plural=len(selection.crimes) != 1,
        why=why,
    )
    st.write(escape_markdown(sentence))
    # Only the open tab is worked out: the others' questions would take half the time of every filter.
    tabs = st.tabs(["Trend", "Crime types", "Streets", "Deprivation"], on_change="rerun", key="panel")
    trend, mix, streets, deprivation = tabs
    if trend.open:
        with trend:
            _show_trend(query, selection, code)
    with mix:
        if mix.open:
            _show_mix(query, selection, code, name, None if hidden else _number(count))
    with streets:
        if streets.open:
            _show_streets(query, selection, code)
    with deprivation:
        if deprivation.open:
            _show_deprivation(query, selection, code)
    if not figures.withheld_now:
        st.caption(escape_markdown(describe_unlocated(now, partnership.place)))


def _describe_rate(query: Query, selection: Selection, area: pd.Series | None, now: Coverage) -> str:
    if area is not None:
        return "not shown" if area["suppressed"] else format_rate(area["rate"])
    people = query.count_people(selection)
    return format_rate(rate(now.total, people) if people is not None and now.loaded else None)


def _show_trend(query: Query, selection: Selection, code: str | None) -> None:
    months = _trend(query, selection, code)
    mark_withheld(draw_trend(months)).show()
    if months[WITHHELD].any():
        st.caption("Dotted: withheld, as the count is small or would give a small one away.")


def _trend(query: Query, selection: Selection, code: str | None) -> pd.DataFrame:
    """Enough months to show both periods, and three years where they are loaded."""
    last = selection.span.last
    first = min(selection.before.first, selection.span.first, last - (TREND_MONTHS - 1))
    months = publish(query).count_months(selection, Span(max(first, query.store.months[0]), last), code=code)
    now, before = str(selection.span.first), (str(selection.before.first), str(selection.before.last))
    inside = [
        NOW if now <= month else BEFORE if before[0] <= month <= before[1] else "Earlier"
        for month in months["month"].tolist()
    ]
    return add_columns(months, period=inside)


def _show_mix(query: Query, selection: Selection, code: str | None, name: str, total: float | None) -> None:
    """The crime types' shares; where small counts are withheld, of the `total` of those selected."""
    partnership, published = query.store.partnership, publish(query)
    if published.hides and total is None:
        st.write("Withheld, as there are too few incidents.")
        return
    whole = published.count_types(selection)
    here = whole if code is None else published.count_types(selection, code=code)
    over = total if published.hides else None
    town = published.count_coverage(selection).total if published.hides else None
    mix = pd.DataFrame(
        {
            "crime_type": [partnership.name_crime(key) for key in here["crime_type"]],
            "share": _shares(here["count"], over),
            "share_whole": _shares(whole["count"], town),
            "count": here["count"],
            "before": here["before"],
        }
    )
    if mix["share"].isna().all():
        st.write("No incidents in this period.")
        return
    if code is None:
        draw_mix(mix, here=name).show()
    else:
        draw_mix(mix, here=name, whole=partnership.place).show()
        st.caption(f"Bars: {escape_markdown(name)}. Ticks: {escape_markdown(partnership.place)} as a whole.")
    if here[WITHHELD].any():
        st.caption(escape_markdown(f"Withheld: {join_words(mix.loc[here[WITHHELD], 'crime_type'])}."))


def _shares(counts: pd.Series, total: float | None) -> pd.Series:
    """Parts of a total, by default their sum."""
    values = counts.astype("Float64").astype(float)
    over = values.sum() if total is None else total
    return values / over if over else values * float("nan")


def _show_streets(query: Query, selection: Selection, code: str | None) -> None:
    published = publish(query)
    streets = published.list_locations(selection, code=code)
    if published.hides:
        st.caption(f"Streets with fewer than {published.rule.threshold} incidents are not listed.")
    if streets.empty:
        st.write("None that can be listed in this period." if published.hides else "None in this period.")
        return
    st.dataframe(
        streets[["location", "count"]],
        hide_index=True,
        column_config={"location": "Published location", "count": st.column_config.NumberColumn("Incidents")},
    )
    st.caption(
        "A published location stands for its neighbourhood: incidents are moved to the nearest of a fixed list of "
        "places. The list was renewed in July 2022, so streets before and after do not compare."
        if any(source.format == "police.uk" for source in query.store.partnership.incidents)
        else "Streets as the source names them."
    )


def _show_deprivation(query: Query, selection: Selection, code: str | None) -> None:
    if selection.edition is None:
        st.write("No Indices of Deprivation are loaded.")
        return
    if code is None:
        st.write("Choose an area to see how deprived it is, or choose deprivation as the measure to map it.")
        return
    table = query.read_deprivation(selection.level, selection.edition)
    rows = table[table["code"] == code].to_dict("records")
    if not rows:
        st.write(f"Deprivation {selection.edition}: not known.")
        return
    row = rows[0]
    if pd.notna(row["decile"]):
        st.write(f"**Decile {row['decile']:.0f}** of 10, where 1 is the most deprived tenth of England.")
    else:
        share = format_percent(100 * row["fifth"], digits=0)
        st.write(f"**{share}** of residents live in England's most deprived fifth.")
    if pd.notna(row["score"]):
        st.write(f"**Score {row['score']:.1f}**: higher is more deprived.")
    st.caption(escape_markdown(f"Indices of Deprivation {selection.edition}, {row['method']}."))


def _total(coverage: Coverage) -> int | None:
    """The partnership's incidents; not known, rather than none, where no month is loaded."""
    return coverage.total if coverage.loaded else None


def _number(value: object) -> float | None:
    return None if pd.isna(value) else float(value)  # type: ignore[arg-type,call-overload]
