"""The panel beside the map of hotspots: all of them with their score, or one place."""

from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from cspmap.analysis.snapping import CAVEAT, describe_renewal
from cspmap.exports.published import WITHHELD, publish
from cspmap.hotspot_layers import NOWHERE, HotspotLayer, find_areas, find_cell
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.charts import NOW, draw_mix, draw_trend
from cspmap.views.figures import mark_withheld
from cspmap.views.hand_over import offer_focus
from cspmap.views.hotspot_load import Found
from cspmap.views.hotspot_rule import TOO_FEW, flag_months, flag_types, list_safe
from cspmap.views.hotspot_words import (
    SCORE_WORDS,
    describe_hold,
    describe_worse,
    list_score,
    name_place,
    name_street,
    tell_number,
)
from cspmap.views.words import escape_markdown, format_percent, format_rate, join_words

TREND_MONTHS = 36
# A part smaller than this is the edge of a line on the map.
_SLIVER = 0.01


@dataclass(frozen=True)
class Chosen:
    """The place whose panel is open: a hotspot, or a cell that is in none.

    `count` and `share` are NaN where withheld, `outline` is in EPSG:27700, `cells` are the codes of its cells, none
    where it is not made of cells.
    """

    code: str
    name: str
    street: str
    count: float
    share: float
    hectares: float
    outline: Any
    cells: tuple[str, ...]


def find_chosen(layer: HotspotLayer, code: str | None) -> Chosen | None:
    """The place that a code means in a layer: a hotspot, that of a cell in it, or a cell; None where it means none."""
    number = layer.find_place(code)
    if number != NOWHERE:
        row = layer.places.iloc[number].to_dict()
        name, street, outline = name_place(row), name_street(row), row["geometry"]
        inside = () if layer.place_of is None else tuple(layer.frame["code"][layer.place_of == number])
        return Chosen(row["code"], name, street, row["count"], row["share"], row["hectares"], outline, inside)
    cell = NOWHERE if code is None else find_cell(layer.ground, code)
    if cell == NOWHERE:
        return None
    frame = layer.ground.cells.frame
    count = float(layer.frame["count"].iloc[cell])
    share = count / layer.total if layer.total else float("nan")
    hectares = float(frame["area"].iloc[cell]) / 10_000
    shape = frame.geometry.iloc[cell]
    return Chosen(str(code), layer.ground.names[cell], "", count, share, hectares, shape, (str(code),))


def show_summary(found: Found, place: str) -> None:
    """All hotspots together, and how well they catch later incidents."""
    st.subheader(escape_markdown(place), anchor=False)
    st.write(escape_markdown(describe_hold(found.layer)))
    st.markdown("**Score on later months**")
    score = found.score
    if score.shown is not None:
        if score.own is None:
            st.write(escape_markdown(f"Not known yet: {score.why}. Found in the same way a step earlier:"))
        words = list_score(score.shown)
        if pd.isna(score.shown.pei) and found.layer.rule.rule == "suppress":
            words["PEI"] = WITHHELD
        with st.container(horizontal=True):
            for label, (name, meaning) in SCORE_WORDS.items():
                st.metric(name, words[label], width="content", help=meaning)
        worse = describe_worse(score.shown)
        if worse:
            st.markdown(f":orange-background[:material/warning: {escape_markdown(worse)}]")
    st.caption(escape_markdown(score.words if score.shown is None else score.shown.words))


def show_place(query: Query, found: Found, selection: Selection, chosen: Chosen, *, snapped: bool) -> None:
    """One place: figures, and behind tabs what happened there, on which streets, since when, and in which areas."""
    place = escape_markdown(query.store.partnership.place)
    st.subheader(escape_markdown(chosen.name), anchor=False)
    if chosen.street:
        st.caption(escape_markdown(f"Busiest: {chosen.street}"))
    with st.container(horizontal=True):
        hidden = pd.isna(chosen.count)
        st.metric("Incidents", tell_number(chosen.count), width="content")
        share = WITHHELD if hidden else format_percent(100 * chosen.share)
        st.metric(f"of {place}'s", share, width="content")
        st.metric("hectares", format_rate(chosen.hectares), width="content")
    about = f"{chosen.name}. {found.layer.words}"
    offer_focus(chosen.name, chosen.outline, about, selection=selection, store=query.store, key="focus")
    tabs = st.tabs(["Crime types", "Streets", "Trend", "Areas"], key="about", bind="query-params")
    mix, streets, trend, areas = tabs
    if areas.open:
        with areas:
            _show_areas(query, chosen)
        return
    if hidden:
        for tab in (mix, streets, trend):
            with tab:
                st.write(TOO_FEW)
        return
    points = load_place_points(query, query.store.version, selection, chosen.code, chosen.outline)
    with mix:
        if mix.open:
            _show_mix(query, selection, points, found.layer, chosen)
    with streets:
        if streets.open:
            _show_streets(query, selection, points, found.layer, snapped=snapped)
    with trend:
        if trend.open:
            _show_trend(query, selection, points, found.layer, chosen, snapped=snapped)


@st.cache_resource(max_entries=64, show_spinner=False)
def load_place_points(_query: Query, version: str, selection: Selection, code: str, _outline: Any) -> pd.DataFrame:
    """Incidents of every crime type in a place, by month, type and location, over the span of its trend."""
    return _query.count_points(
        selection.change(crimes=()),
        span=find_trend(_query, selection),
        outline=_outline,
        by=("month", "crime_type", "location"),
    )


def find_trend(query: Query, selection: Selection) -> Span:
    """The months of a trend: three years, or the whole period where it is longer."""
    first = min(selection.span.first, selection.span.last - (TREND_MONTHS - 1))
    return Span(max(first, query.store.months[0]), selection.span.last)


def _during(points: pd.DataFrame, span: Span) -> pd.DataFrame:
    return points[points["month"].between(str(span.first), str(span.last))]


def _of(query: Query, selection: Selection, points: pd.DataFrame) -> pd.DataFrame:
    return points[points["crime_type"].isin(query.crime_types(selection))]


def _show_mix(query: Query, selection: Selection, points: pd.DataFrame, layer: HotspotLayer, chosen: Chosen) -> None:
    partnership, published = query.store.partnership, publish(query)
    whole, town = count_whole(query, selection)
    here = _during(points, selection.span).groupby("crime_type")["count"].sum().reindex(whole.index).fillna(0)
    if not here.sum():
        st.write("No incidents in this period.")
        return
    gone = flag_types(query, layer, chosen.cells, here)
    shown = published.let_out(here, gone)
    # Where some are withheld, their sum is known: that of the place.
    over = here.sum() if published.hides else shown.sum()
    mix = pd.DataFrame(
        {
            "crime_type": [partnership.name_crime(key) for key in whole.index],
            "share": (shown / over).to_numpy(),
            "share_whole": (whole / town).to_numpy(),
        }
    )
    draw_mix(mix, here=chosen.name, whole=partnership.place).show()
    every = "" if published.hides else "All crime types. "
    st.caption(f"{every}Bars: {escape_markdown(chosen.name)}. Ticks: {escape_markdown(partnership.place)} as a whole.")
    if gone.any():
        st.caption(escape_markdown(f"Withheld: {join_words(mix.loc[gone, 'crime_type'])}."))


def count_whole(query: Query, selection: Selection) -> tuple[pd.Series, float]:
    """The partnership's incidents of each crime type that is shown of a place, and what their shares are of."""
    published = publish(query)
    counts = published.count_types(selection).set_index("crime_type")["count"].astype("Float64").astype(float)
    return counts, published.count_coverage(selection).total if published.hides else counts.sum()


def _show_streets(
    query: Query, selection: Selection, points: pd.DataFrame, layer: HotspotLayer, *, snapped: bool
) -> None:
    published = publish(query)
    inside = _of(query, selection, _during(points, selection.span))
    streets = inside.groupby(["location", "easting", "northing"]).agg(count=("count", "sum")).reset_index()
    streets = streets.sort_values(["count", "location"], ascending=[False, True])
    if published.hides:
        streets = streets[list_safe(streets, layer, published)]
        st.caption(f"Streets with fewer than {published.rule.threshold} incidents are not listed.")
    streets = streets.assign(count=published.let_out(streets["count"]))
    streets = streets[streets["count"] > 0]
    if streets.empty:
        none = "None that can be listed" if published.hides else "No incident with a named location"
        st.write(f"{none} in this period.")
        return
    st.dataframe(
        streets[["location", "count"]].head(10),
        hide_index=True,
        column_config={
            "location": "Published location" if snapped else "Street",
            "count": st.column_config.NumberColumn("Incidents", format="localized"),
        },
    )
    if snapped:
        st.caption(CAVEAT)


def _show_trend(
    query: Query, selection: Selection, points: pd.DataFrame, layer: HotspotLayer, chosen: Chosen, *, snapped: bool
) -> None:
    months = count_trend(query, selection, points, layer, chosen)
    chart = draw_trend(months)
    if WITHHELD in months:
        chart = mark_withheld(chart)
    chart.show()
    if WITHHELD in months and months[WITHHELD].any():
        st.caption("Dotted: withheld, as the count is small or would give a small one away.")
    span = find_trend(query, selection)
    if snapped and describe_renewal(span):
        st.caption(describe_renewal(span))


def count_trend(
    query: Query, selection: Selection, points: pd.DataFrame, layer: HotspotLayer, chosen: Chosen
) -> pd.DataFrame:
    """Incidents of a place by month, as `draw_trend` takes them; where small counts are withheld, which are."""
    counts = _of(query, selection, points).groupby("month")["count"].sum()
    span, published = find_trend(query, selection), publish(query)
    held = set(query.store.months)
    values = [int(counts.get(str(month), 0)) if month in held else pd.NA for month in span]
    months = pd.DataFrame(
        {
            "month": [str(month) for month in span],
            "count": pd.array(values, dtype="Int64"),
            "period": [NOW if month in selection.span else "Earlier" for month in span],
        }
    )
    gone = flag_months(query, layer, chosen.cells, months["count"], span)
    months["count"] = published.let_out(months["count"], gone)
    return months.assign(**{WITHHELD: gone}) if published.hides else months


def _show_areas(query: Query, chosen: Chosen) -> None:
    partnership = query.store.partnership
    edition = max((item.year for item in partnership.deprivation), default=None)
    tables = []
    for layer in partnership.layers:
        if layer.figures_of is not None:
            continue
        lies = find_areas(chosen.outline, query.store.read_layer(layer.key))
        lies = lies[lies["part"] >= _SLIVER].assign(level=layer.name)
        if edition is not None:
            held = query.read_deprivation(layer.key, edition)[["code", "decile", "score", "fifth"]]
            lies = lies.merge(held, on="code", how="left")
        tables.append(lies)
    table = pd.concat(tables, ignore_index=True).drop(columns="code")
    first = ["level", "name", "part"]
    st.dataframe(
        table[[*first, *(name for name in table if name not in first)]],
        hide_index=True,
        placeholder="–",
        column_config={
            "level": "Level",
            "name": "Area",
            "part": st.column_config.NumberColumn("Of the place", format="percent"),
            "decile": st.column_config.NumberColumn("Decile", format="%.0f", help="1 is the most deprived tenth."),
            "score": st.column_config.NumberColumn("Score", format="%.1f", help="Higher is more deprived."),
            "fifth": st.column_config.NumberColumn("In most deprived fifth", format="percent"),
        },
    )
    about = "" if edition is None else f" Indices of Deprivation {edition}: of each area, not of the place alone."
    st.caption(f"How much of the place lies in each area.{about}")
