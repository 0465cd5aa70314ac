"""What the disclosure rule lets out of tables on the hotspots page that are not counts by cell: parts of a place,
street locations, hours of the week."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from cspmap.analysis.aoristic import HOURS_A_DAY, WEEKDAYS, WeekHours
from cspmap.analysis.disclosure import Flags
from cspmap.analysis.repeats import Repeats, keep_locations
from cspmap.exports.published import WITHHELD, Published, publish
from cspmap.hotspot_layers import NOWHERE, HotspotLayer
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection

TOO_FEW = "Withheld, as there are too few incidents."
_HOUR_FEW = "Withheld, as too few incidents fall in each hour."
_MIDNIGHT = (
    "Many are recorded at midnight exactly, which often stands for a time that is not known: do not trust the hour "
    "after midnight."
)


def flag_types(query: Query, layer: HotspotLayer, place: Sequence[str], here: pd.Series) -> Flags:
    """Which counts of a place by crime type are withheld. `place` are the codes of its cells, `here` all its types."""
    published, selection = publish(query), _select(query, layer)
    if not published.hides:
        return np.zeros(len(here), dtype=bool)
    if layer.choice.cells.level is not None:
        return published.flag_split(selection, place, "crime_type")[:-1]
    return _flag_parts(published, here, query.count_types(selection).set_index("crime_type")["count"][here.index])


def flag_months(query: Query, layer: HotspotLayer, place: Sequence[str], here: pd.Series, span: Span) -> Flags:
    """Which counts of a place by month of a span are withheld: those of the period beside its sum, and the others."""
    published, selection, gone = publish(query), _select(query, layer), np.zeros(len(here), dtype=bool)
    if not published.hides:
        return gone
    if layer.choice.cells.level is not None:
        return published.flag_months(selection, place, span)
    whole = query.count_months(selection, span)["count"]
    now = np.array([month in selection.span for month in span])
    for part in (now, ~now):
        some = part & here.notna().to_numpy()
        gone[some] = _flag_parts(published, here[some], whole[some])
    return gone


def _select(query: Query, layer: HotspotLayer) -> Selection:
    """What a layer counts; the areas of a level are withheld as everywhere else."""
    choice = layer.choice
    return Selection(
        span=choice.span, level=choice.cells.level or query.store.partnership.boundary, crimes=choice.crimes
    )


def _flag_parts(published: Published, here: pd.Series, whole: pd.Series) -> Flags:
    """Beside the same parts of the partnership as a `whole`, and all their sums."""
    parts, all_of_them = (values.to_numpy(dtype=np.float64, na_value=np.nan) for values in (here, whole))
    flags: Flags = published.protect(np.stack([parts, all_of_them - parts]))[0, :-1]
    return flags


def fill_withheld(counts: pd.Series, total: float) -> pd.Series:
    """Counts with the average of those that are withheld (missing) in the place of each; they add up to `total`."""
    known = counts.astype("Float64").astype(float)
    missing = known.isna()
    # Another level may count a little more, where its borders lie a little further out.
    return known.fillna(max(total - known.sum(), 0.0) / missing.sum()) if missing.any() else known


def list_safe(locations: pd.DataFrame, layer: HotspotLayer, published: Published) -> Flags:
    """Which street locations may be listed with their counts beside the counts of the layer's cells.

    `locations` has easting, northing and count, one row each, all that there are in the cells they lie in. Those with
    fewer incidents than the threshold are not listed, nor is any in a cell whose count is withheld, nor the last of a
    cell in which all others together would be known to have so few.
    """
    threshold, count = published.rule.threshold, locations["count"].to_numpy(dtype=np.float64)
    x, y = (locations[name].to_numpy(dtype=np.float64) for name in ("easting", "northing"))
    cell, gone = layer.ground.cells.find(x, y), layer.frame[WITHHELD].to_numpy(dtype=bool)
    listed: Flags = (count >= threshold) & (cell != NOWHERE)
    listed[listed] = ~gone[cell[listed]]
    for number in np.unique(cell[listed]):
        inside = cell == number
        rest = count[inside & ~listed].sum()
        if 0 < rest < threshold:
            shown = np.flatnonzero(inside & listed)
            # Of several the last, as wherever locations are listed.
            listed[shown[::-1][np.argmin(count[shown[::-1]])]] = False
    return listed


def keep_repeats(repeats: Repeats, counts: pd.DataFrame, layer: HotspotLayer, published: Published) -> Repeats:
    """Repeat locations as the rule lets them out; `counts` are those of all locations, by month."""
    place = ["location", "easting", "northing"]
    if published.hides:
        sums = counts.dropna(subset=place).groupby(place).agg(count=("count", "sum")).reset_index()
        safe = sums.loc[list_safe(sums, layer, published)]
        listed = repeats.frame.merge(safe[place].assign(listed=True), on=place, how="left")["listed"].notna()
        frame = repeats.frame[listed.to_numpy()].reset_index(drop=True)
        halves = frame[["count_earlier", "count_later"]]
        left = frame["count"] - halves.sum(axis=1)
        # Both halves or none: with the whole beside them, either would give the other.
        parts = [*(halves[name] for name in halves), left]
        few = np.any([(part > 0) & (part < published.rule.threshold) for part in parts], axis=0)
        return keep_locations(repeats, frame, few)
    frame = repeats.frame.assign(
        **{name: _round(published, repeats.frame[name]) for name in ("count", "count_earlier", "count_later")}
    )
    total = float(_round(published, pd.Series([repeats.incidents])).iloc[0])
    frame = frame[frame["count"] > 0].reset_index(drop=True)
    share = frame["count"] / total
    frame = frame.assign(share=share, cumulative_share=share.cumsum().clip(upper=1), p=np.nan)
    return keep_locations(replace(repeats, incidents=total), frame, np.zeros(len(frame), dtype=bool))


def keep_hours(hours: WeekHours, published: Published) -> WeekHours | str:
    """Hours of the week as the rule lets them out, or why none of them can be shown."""
    weight = hours.frame["weight"]
    cautions = (_MIDNIGHT,) if hours.cautions else ()
    shared = "those with a span of time are shared out evenly over it (aoristic)"
    if published.rounds:
        counted = int(_round(published, pd.Series([hours.counted])).iloc[0])
        frame = hours.frame.assign(weight=_round(published, weight))
        words = f"{counted:,} incidents by hour and weekday: {shared}."
        return replace(hours, frame=frame, counted=counted, left_out={}, words=words, cautions=cautions)
    # A part of an incident is somebody's, so it counts as a whole one.
    known = np.where(weight > 1e-9, np.maximum(np.floor(weight + 1e-9), 1), 0).reshape(len(WEEKDAYS), HOURS_A_DAY)
    gone = published.protect(known)[:-1, :-1].ravel()
    if gone[known.ravel() > 0].all():
        return _HOUR_FEW
    left = sum(hours.left_out.values())
    told = "how many have no time that can be used is withheld" if 0 < left < published.rule.threshold else ""
    number = "Incidents" if told else f"{hours.counted:,} incidents"
    words = f"{number} by hour and weekday: {'; '.join(filter(None, (shared, told)))}."
    frame = hours.frame.assign(weight=published.let_out(weight, gone), **{WITHHELD: gone})
    return replace(hours, frame=frame, left_out={}, words=words, cautions=cautions)


def _round(published: Published, counts: pd.Series) -> pd.Series:
    known: Any = np.rint(counts.astype(float))
    return published.let_out(known)
