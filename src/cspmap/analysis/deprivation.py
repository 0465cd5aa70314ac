"""Deprivation of areas larger than the LSOAs it is published for.

Ranks and deciles say where an LSOA stands in England; they do not add up and are never averaged here. What can be
said of a larger area is its population-weighted mean score, and how many of its residents live in the most
deprived tenth or fifth of LSOAs. The deprivation of an LSOA itself is what was published and needs no function.
"""

import numpy as np
import pandas as pd

from cspmap.analysis.measures import Array, Column, Floats, as_floats, share
from cspmap.errors import UserError

# Shares of residents by fifth of England's LSOAs, the most deprived first.
FIFTHS = ("share_in_worst_fifth", *(f"share_in_fifth_{number}" for number in (2, 3, 4, 5)))


def find_fifth(decile: Array | Column) -> Floats:
    """The fifth of England's LSOAs that a decile is half of: 1, most deprived, to 5; missing stays missing."""
    return np.asarray(np.ceil(as_floats(decile) / 2))


def aggregate(scores: pd.DataFrame, table: pd.DataFrame, population: Column) -> pd.DataFrame:
    """Deprivation of each larger area.

    - `scores`: one row an LSOA, with `code`, `decile` (1, most deprived, to 10) and, where published, `score`
    - `table`: which LSOAs make up which area, with `source_code` (LSOA), `target_code` and, unless LSOAs belong
      wholly, `share` of the LSOA's residents in the area (0 to 1), as `areal.correspondence` gives
    - `population`: residents by LSOA code, preferably of the year of the indices; of a domain that is of some residents
      alone (children, say), those

    With `w` = residents x share, returns one row for each area, the index named `code` and sorted:

    - residents: sum of w, over the LSOAs whose residents are known
    - mean_score: sum of w x score / sum of w; NaN where the file has no scores (IoD2019 File 1)
    - share_in_worst_tenth, share_in_worst_fifth: share of residents (0 to 1) in LSOAs of decile 1, and of
      deciles 1 and 2
    - share_in_fifth_2 to share_in_fifth_5: share of residents in LSOAs of deciles 3 and 4, and so on
    - share_covered: share of residents (0 to 1) in LSOAs whose deprivation is known; the figures above are over these
      residents
    - lsoas_missing: number of LSOAs of the area, whole or in part, without deprivation or residents

    Figures are NaN where no resident is covered. Raises UserError where an LSOA occurs twice, a column is missing,
    a decile is not 1 to 10 or a population is negative.

    Source: the "average score" and "proportion in the most deprived 10 per cent" summaries for larger areas in
    Ministry of Housing, Communities and Local Government (2019), "The English Indices of Deprivation 2019:
    Research Report"; the proportions here are of residents, not of LSOAs.
    """
    _check(scores, table, population)
    lsoas = table["source_code"]
    published = scores.set_index("code").reindex(lsoas)
    shares = as_floats(table["share"]) if "share" in table else np.ones(len(table))
    weight = as_floats(population.reindex(lsoas)) * shares
    decile = as_floats(published["decile"])
    has_scores = "score" in published and bool(published["score"].notna().any())
    # Without scores their place is taken by NaN, so that the mean is NaN and not 0.
    score = as_floats(published["score"]) if has_scores else np.full(len(table), np.nan)
    covered = np.isfinite(weight) & np.isfinite(decile) & (np.isfinite(score) | (not has_scores))
    fifth = find_fifth(decile)
    codes, area = np.unique(table["target_code"].to_numpy(dtype=object), return_inverse=True)

    def add_up(amounts: Floats) -> Floats:
        return np.bincount(area, weights=amounts, minlength=len(codes)).astype(np.float64)

    people = add_up(np.where(covered, weight, 0.0))
    # Residents that are not known are left out, as the coverage is of those known.
    residents = add_up(np.nan_to_num(weight))
    return pd.DataFrame(
        {
            "residents": residents,
            "mean_score": share(add_up(np.where(covered, weight * score, 0.0)), people) if has_scores else np.nan,
            "share_in_worst_tenth": share(add_up(np.where(covered & (decile <= 1), weight, 0.0)), people),
            **{
                name: share(add_up(np.where(covered & (fifth == place), weight, 0.0)), people)
                for place, name in enumerate(FIFTHS, 1)
            },
            "share_covered": share(people, residents),
            "lsoas_missing": add_up((~covered).astype(np.float64)).astype(np.int64),
        },
        index=pd.Index(codes, dtype="str", name="code"),
    )


def _check(scores: pd.DataFrame, table: pd.DataFrame, population: Column) -> None:
    needed = ((scores, "scores", ("code", "decile")), (table, "membership", ("source_code", "target_code")))
    for frame, what, columns in needed:
        for column in columns:
            if column not in frame:
                raise UserError(f"The deprivation {what} table has no column {column!r}; add it.")
    for codes, what in ((pd.Index(scores["code"]), "deprivation scores"), (population.index, "populations")):
        if codes.has_duplicates:
            raise UserError(f"LSOA {codes[codes.duplicated()][0]} occurs twice in the {what}; keep one row for each.")
    decile = as_floats(scores["decile"])
    wrong = np.isfinite(decile) & ~np.isin(decile, np.arange(1, 11))
    if wrong.any():
        raise UserError(
            f"LSOA {scores['code'][wrong].iloc[0]} has a deprivation decile of {decile[wrong][0]:g}; "
            "deciles run from 1 to 10."
        )
    negative = as_floats(population) < 0
    if negative.any():
        raise UserError(f"LSOA {population.index[negative][0]} has a population below zero; correct it.")
