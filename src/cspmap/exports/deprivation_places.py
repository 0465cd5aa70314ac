"""What the disclosure rule lets out of the places that the Indices of Deprivation are published for, and of fifths.

Whatever is worked out from many places at once (what is usual of a fifth, the concentration curve) rests on counts that
anybody could work out from what is published: those of single places as far as they are, and the sums of fifths. So it
cannot give back more.
"""

import numpy as np
import pandas as pd

from cspmap.analysis.deprivation import find_fifth
from cspmap.analysis.disclosure import Flags, round_counts
from cspmap.analysis.inequality import FIFTHS
from cspmap.exports.published import publish
from cspmap.query import Query
from cspmap.selection import Selection

_NONE = -1


def let_out_places(
    query: Query, selection: Selection, places: pd.DataFrame, true: pd.Series
) -> tuple[pd.Series, pd.Series]:
    """Counts of the places to work on, and which fifths' sums are withheld (by fifth, 1 to 5).

    `places` has a row a place of the selection's level: code, decile, people, suppressed, and count and withheld as
    they are let out; `true` are its counts before that. Where the rule withholds, each withheld count is its share, by
    people, of what is withheld in its fifth, or in all fifths that are withheld together: sums that are known anyway.
    NaN where those are withheld too. Where the rule rounds, the rounded counts are brought to the rounded sum of their
    fifth in the same way. Without a rule they are the counts themselves.
    """
    published, gone = publish(query), pd.Series(False, index=pd.Index(FIFTHS, name="fifth"))
    parts = _number_parts(places, places["decile"])
    if published.rounds:
        return _bring_to_sums(places, true, parts, base=published.rule.base), gone
    if not places["withheld"].any():
        return true, gone
    usual = _number_parts(places, _read_usual(query, selection.level, places["code"]))
    flags = _flag_sums(query, selection, places["code"], usual)
    counts = places["count"].astype("Float64").astype(float)
    if not publish(query).flag(selection)[-1]:
        counts = _share_out(places, true, usual.where(~usual.isin(np.flatnonzero(flags)), _NONE))
    if usual.equals(parts):
        return counts, gone | flags
    # Places divided in another way: of two sums over nearly the same places the difference would be a place's count.
    inside = places["withheld"].groupby(parts).any()
    return counts, pd.Series([bool(inside.get(number, False)) for number in range(len(FIFTHS))], index=gone.index)


def let_out_areas(query: Query, selection: Selection, areas: pd.DataFrame, true: pd.Series) -> pd.Series:
    """Counts of the areas of any level to tell by how much areas usually differ: as `let_out_places`, over all of them.

    Without those that are withheld, only the ends would be left, and areas would seem to differ far more than they do.
    """
    if not areas["withheld"].any() or publish(query).flag(selection)[-1]:
        return areas["count"]
    return _share_out(areas, true, pd.Series(_NONE, index=areas.index))


def _number_parts(places: pd.DataFrame, decile: pd.Series) -> pd.Series:
    """The fifth of each place that takes part, from 0; -1 where it takes none."""
    fifth = pd.Series(find_fifth(decile), index=places.index)
    part = fifth.notna() & (places["people"] > 0) & ~places["suppressed"]
    return (fifth - 1).where(part, _NONE).astype(int)


def _read_usual(query: Query, layer: str, codes: pd.Series) -> pd.Series:
    """The decile by which places of a layer are put in fifths whose sums are published: overall, latest edition."""
    year = max(item.year for item in query.store.partnership.deprivation if item.layer == layer)
    held = query.read_deprivation(layer, year).set_index("code")["decile"]
    return pd.Series(held.reindex(codes).to_numpy(), index=codes.index)


def _flag_sums(query: Query, selection: Selection, codes: pd.Series, parts: pd.Series) -> Flags:
    """Which fifths' sums are withheld, beside the places' own counts."""
    flags = np.zeros(len(FIFTHS), dtype=bool)
    found = publish(query).flag_sums(selection, pd.Series(parts.to_numpy(), index=codes))
    flags[: len(found)] = found
    return flags


def _share_out(places: pd.DataFrame, true: pd.Series, parts: pd.Series) -> pd.Series:
    """Counts, those withheld as shares by people of their sum over each part."""
    hidden = places["withheld"]
    weight = places["people"].where(places["people"] > 0)
    weight = weight.fillna(weight.mean()).fillna(1.0).where(hidden, 0.0)
    share = weight / weight.groupby(parts).transform("sum")
    return true.where(~hidden, share * true.where(hidden, 0.0).groupby(parts).transform("sum"))


def _bring_to_sums(places: pd.DataFrame, true: pd.Series, parts: pd.Series, *, base: int) -> pd.Series:
    """Rounded counts, more or less of them by people so that they add up to the rounded sum of each part."""
    rounded = places["count"].astype("Float64").astype(float)
    sums = true.groupby(parts).transform("sum")
    sums = pd.Series(round_counts(sums.fillna(0).to_numpy().round().astype(np.int64), base), index=true.index)
    held = rounded.groupby(parts).transform("sum")
    weight = places["people"].where(places["people"] > 0).fillna(0.0)
    weight = weight / weight.groupby(parts).transform("sum")
    return (rounded + weight * (sums - held)).where(sums >= held, rounded * sums / held)
