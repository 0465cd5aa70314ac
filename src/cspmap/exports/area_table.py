"""The table behind a map as a file: the same figures, with everything that must travel with them in columns."""

import pandas as pd

from cspmap.partnership import Denominator
from cspmap.query import Coverage
from cspmap.selection import Selection

FIGURES = (
    "code",
    "name",
    "count",
    "rate",
    "smoothed",
    "share",
    "before",
    "difference",
    "percent",
    "p",
    "verdict",
    "score",
    "decile",
    "fifth",
)


def tabulate_areas(
    areas: pd.DataFrame, selection: Selection, *, now: Coverage, before: Coverage, per: Denominator, notice: str = ""
) -> pd.DataFrame:
    """The figures of the areas shown, one row each.

    `areas` is as `analysis.area_figures.compute_figures` gives, with the columns of a deprivation edition where one is
    loaded. The figures (`FIGURES`, as far as they are there) are followed by population, rate_per, population_method,
    period, compared_with, months_missing, months_missing_before, share_without_location, deprivation_edition and, where
    the partnership has one, its `notice`.
    """
    shown = areas[areas["code"].isin(selection.areas)] if selection.areas else areas
    table = shown[[column for column in FIGURES if column in shown]].copy()
    table["population"] = shown["denominator"].round(1)
    given, refused = f"1,000 {per.name} ({per.year})", f"not given: too few {per.name} ({per.year})"
    table["rate_per"] = shown["suppressed"].map({False: given, True: refused})
    table["population_method"] = shown["denominator_method"]
    table["period"] = str(selection.span)
    table["compared_with"] = str(selection.before)
    table["months_missing"] = len(now.missing)
    table["months_missing_before"] = len(before.missing)
    table["share_without_location"] = now.unlocated_share
    if selection.edition is not None:
        table["deprivation_edition"] = selection.edition
    if notice:
        table["notice"] = notice
    return table
