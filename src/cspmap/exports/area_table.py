"""The table behind a map as a file: the same figures, with everything that must travel with them in columns."""

import pandas as pd

from cspmap.exports.extract import RATE_DECIMALS, SHARE_DECIMALS, count_whole
from cspmap.exports.published import give_share
from cspmap.partnership import Denominator, Disclosure
from cspmap.partnership_parts import NO_RULE
from cspmap.selection import Selection
from cspmap.totals import Coverage

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


# Counts stay whole; the decimals of the others are as many as the figures can keep.
_WHOLE = ("count", "before", "difference", "decile")
_DECIMALS = {
    "rate": RATE_DECIMALS,
    "smoothed": RATE_DECIMALS,
    "share": SHARE_DECIMALS,
    "percent": 2,
    "score": 3,
    "fifth": SHARE_DECIMALS,
}
_DIGITS_OF_P = 3


def tabulate_areas(
    areas: pd.DataFrame,
    selection: Selection,
    *,
    now: Coverage,
    before: Coverage,
    per: Denominator,
    crimes: str = "",
    notice: str = "",
    rule: Disclosure = NO_RULE,
) -> pd.DataFrame:
    """The figures of the areas shown, one row each.

    `areas` is as `analysis.area_figures.compute_figures` gives, with the columns of a deprivation edition where one is
    loaded. The figures (`FIGURES`, as far as they are there) are followed by population, rate_per, population_method,
    period, compared_with, months_missing, months_missing_before, share_without_location, deprivation_edition, `crimes`
    (what is counted, in words) and, where the partnership has one, its `notice`. Where its disclosure `rule` withholds
    counts, withheld and withheld_before say which; where it rounds them, rounded_to says how.

    Counts and populations are whole; rates, smoothed rates and scores have three decimals, shares four, percentages
    two, and p three significant digits.
    """
    shown = areas[areas["code"].isin(selection.areas)] if selection.areas else areas
    table = shown[[column for column in FIGURES if column in shown]].copy()
    for column in (name for name in _WHOLE if name in table):
        table[column] = count_whole(table[column])
    table = table.round({column: digits for column, digits in _DECIMALS.items() if column in table})
    table["p"] = table["p"].map(lambda p: float(f"{p:.{_DIGITS_OF_P}g}"), na_action="ignore")
    table["population"] = count_whole(shown["denominator"])
    given, refused = f"1,000 {per.name} ({per.year})", f"not given: too few {per.name} ({per.year})"
    table["rate_per"] = shown["suppressed"].map({False: given, True: refused})
    table["population_method"] = shown["denominator_method"]
    table["period"] = str(selection.span)
    table["compared_with"] = str(selection.before)
    table["months_missing"] = len(now.missing)
    table["months_missing_before"] = len(before.missing)
    table["share_without_location"] = round(give_share(now, rule), SHARE_DECIMALS)
    for column in ("withheld", "withheld_before"):
        if column in shown and rule.rule == "suppress":
            table[column] = shown[column]
    if rule.rule == "round":
        table["rounded_to"] = rule.base
    if selection.edition is not None:
        table["deprivation_edition"] = selection.edition
    if crimes:
        table["crimes"] = crimes
    if notice:
        table["notice"] = notice
    return table
