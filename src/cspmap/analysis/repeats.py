"""Repeat locations: the streets with the most incidents, what share of all they have, and whether they stay so."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.change import e_test
from cspmap.analysis.measures import as_floats
from cspmap.analysis.snapping import CAVEAT, RENEWED, crosses_renewal, describe_renewal
from cspmap.errors import UserError
from cspmap.periods import Month, Span

_PLACE = ["location", "easting", "northing"]
_COLUMNS = (*_PLACE, "month", "count")


@dataclass(frozen=True, eq=False)
class Repeats:
    """The locations with the most incidents.

    `frame`: one row a location, the most incidents first (then by name and position): location, easting, northing
    (metres), count, share (of all incidents with a location, 0 to 1), cumulative_share, months (loaded months with
    an incident), count_earlier and count_later (in the two halves that `earlier` and `later` name), persists, p.
    `flagged`: whether the span runs across the renewal of the list of places. `words` and `cautions` are sentences.
    """

    frame: pd.DataFrame
    incidents: float
    locations: int
    earlier: Span | None
    later: Span | None
    flagged: bool
    span: Span
    words: str
    cautions: tuple[str, ...]


def repeat_locations(
    counts: pd.DataFrame,
    loaded: Sequence[Month],
    *,
    most: int = 20,
    snapped: bool = True,
    renewed: Month = RENEWED,
) -> Repeats:
    """The `most` street locations with the most incidents, and whether each is among the most in either half.

    `counts` has location (text), easting, northing (metres), month ("YYYY-MM") and count, in any number of rows a
    location; rows without a location or position count nowhere. A location is a name at one point, so two streets
    of one name stay apart. `loaded` are the months of the span that are loaded; others are missing, not zero.

    The loaded months are cut into two halves of as many months each (of an odd number the middle one is left out).
    A location persists where, in both halves, it has two or more incidents and is among the `most` (or level with
    the last of them). p is the E-test's of its two counts. Both are missing with fewer than two months.

    `snapped` says that points are data.police.uk's: moved to a fixed list of places, renewed in the month
    `renewed`. A span across that month is flagged, and halves are made of the months from then on, so that a street
    is not found gone because its point was moved.

    Raises UserError where a column is absent, no month is loaded, or incidents are from a month that is not.
    """
    if not loaded:
        raise UserError("No month of the period is loaded; choose a period with at least one.")
    for column in _COLUMNS:
        if column not in counts:
            raise UserError(f"The incidents have no column {column!r}; give location, position, month and count.")
    months = sorted(loaded)
    strangers = set(counts["month"]) - {str(month) for month in months}
    if strangers:
        raise UserError(f"There are incidents of {min(strangers)}, a month that is not said to be loaded.")
    span = Span(months[0], months[-1])
    flagged = snapped and crosses_renewal(span, renewed=renewed)
    held = counts.dropna(subset=_PLACE)
    frame = held.groupby(_PLACE, as_index=False, sort=True).agg(count=("count", "sum"))
    frame = frame[frame["count"] > 0]
    total = float(frame["count"].sum())
    comparable = [month for month in months if month >= renewed] if flagged else months
    size = len(comparable) // 2
    earlier, later = comparable[:size], comparable[len(comparable) - size :]
    number = len(frame)
    frame = _add_months(frame, held)
    frame = _add_halves(frame, held, earlier, later, most)
    frame = frame.sort_values(["count", *_PLACE], ascending=[False, True, True, True], ignore_index=True)
    frame["share"] = frame["count"] / total if total else np.nan
    frame["cumulative_share"] = frame["share"].cumsum()
    frame = frame.head(most)[
        [*_PLACE, "count", "share", "cumulative_share", "months", "count_earlier", "count_later", "persists"]
    ]
    frame["p"] = e_test(as_floats(frame["count_earlier"]), as_floats(frame["count_later"]))
    return Repeats(
        frame=frame,
        incidents=total,
        locations=number,
        earlier=Span(earlier[0], earlier[-1]) if size else None,
        later=Span(later[0], later[-1]) if size else None,
        flagged=flagged,
        span=span,
        words=_describe(frame, total, number, span),
        cautions=_caution(span, snapped=snapped, flagged=flagged, renewed=renewed, halves=size > 0),
    )


def keep_locations(repeats: Repeats, frame: pd.DataFrame, few: NDArray[np.bool_]) -> Repeats:
    """The same with some of its locations alone, as `frame` has them, where small counts are not given out.

    Months with an incident go, as they bound a count from below; of locations with `few` in a part of the period also
    the counts of the halves and what follows from them.
    """
    halves = ["count_earlier", "count_later", "p"]
    shown = frame.assign(
        cumulative_share=frame["share"].cumsum(),
        persists=frame["persists"].mask(few),
        **{name: frame[name].mask(few) for name in halves},
    ).drop(columns="months")
    words = _describe(shown, repeats.incidents, repeats.locations, repeats.span)
    return replace(repeats, frame=shown, words=words)


def _add_months(frame: pd.DataFrame, held: pd.DataFrame) -> pd.DataFrame:
    seen = held[held["count"] > 0].groupby(_PLACE)["month"].nunique().rename("months")
    return frame.merge(seen, on=_PLACE, how="left")


def _add_halves(
    frame: pd.DataFrame, held: pd.DataFrame, earlier: Sequence[Month], later: Sequence[Month], most: int
) -> pd.DataFrame:
    if not earlier:
        nobody_knows = pd.array([pd.NA] * len(frame), dtype="boolean")
        return frame.assign(count_earlier=np.nan, count_later=np.nan, persists=nobody_knows)
    for name, part in (("count_earlier", earlier), ("count_later", later)):
        inside = held[held["month"].isin([str(month) for month in part])]
        sums = inside.groupby(_PLACE)["count"].sum().rename(name)
        frame = frame.merge(sums, on=_PLACE, how="left")
        frame[name] = frame[name].fillna(0)
    among = [
        (frame[name] >= 2) & (frame[name].rank(method="min", ascending=False) <= most)
        for name in ("count_earlier", "count_later")
    ]
    frame["persists"] = (among[0] & among[1]).astype("boolean")
    return frame


def _describe(frame: pd.DataFrame, total: float, number: int, span: Span) -> str:
    if frame.empty:
        return f"No incident of {span.words} has a location."
    first = "1 location has" if len(frame) == 1 else f"{len(frame)} locations have"
    known = frame["persists"].notna()
    lasting = int(frame["persists"].fillna(False).sum())
    number_staying = {0: "None of them is", 1: "1 of them is"}.get(lasting, f"{lasting} of them are")
    stay = f" {number_staying} among the most in both halves of the period." if known.any() else ""
    return (
        f"{first} {100 * frame['cumulative_share'].iloc[-1]:.0f} % of the {total:,.0f} incidents with a location in "
        f"{span.words}, out of {number:,} locations with any.{stay}"
    )


def _caution(span: Span, *, snapped: bool, flagged: bool, renewed: Month, halves: bool) -> tuple[str, ...]:
    said = [CAVEAT] if snapped else []
    if flagged:
        said.append(describe_renewal(span, renewed=renewed))
        said.append(f"Whether a street persists is judged from {renewed.words} on.")
    if not halves:
        said.append("Too few months are loaded to say which locations persist.")
    return tuple(said)
