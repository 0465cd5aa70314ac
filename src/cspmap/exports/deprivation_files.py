"""Deprivation and crime as files: with edition, period, denominator, method and gaps beside every figure."""

import pandas as pd

from cspmap.analysis.bivariate import SIDE
from cspmap.deprivation_view import DeprivationPicture
from cspmap.exports.extract import RATE_DECIMALS, SHARE_DECIMALS, count_whole
from cspmap.exports.published import give_share
from cspmap.partnership import Disclosure
from cspmap.partnership_parts import NO_RULE

_SHARES = {
    "tenth": "share_in_most_deprived_tenth",
    "fifth": "share_in_most_deprived_fifth",
    "covered": "share_covered",
}
_LIMITS = ["lower_998", "lower_95", "upper_95", "upper_998"]


def tabulate_picture(
    picture: DeprivationPicture, place: str, crimes: str, *, rule: Disclosure = NO_RULE
) -> pd.DataFrame:
    """The areas, the most deprived first.

    Columns: code, name, count, population, rate, rate_per, score, rank, decile, the shares of residents in England's
    most deprived tenth and fifth and of those covered, third_deprivation and third_rate (1 lowest to 3), expected
    (usual for places as deprived), ratio, its four limits, standing, and what travels with them. Where the disclosure
    `rule` withholds counts, withheld says of which areas; where it rounds, rounded_to says how.
    """
    areas, cells = picture.areas, pd.Series(picture.crossed.cells, index=picture.areas.index)
    classed = cells.where(cells >= 0).astype("Int64")
    table = areas[["code", "name"]].assign(
        count=count_whole(areas["count"]),
        population=count_whole(areas["people"]),
        rate=areas["rate"].round(RATE_DECIMALS),
        rate_per=areas["suppressed"].map(
            {
                False: f"1,000 {picture.per.name} ({picture.per.year})",
                True: f"not given: too few {picture.per.name} ({picture.per.year})",
            }
        ),
        score=areas["score"].round(3),
        rank=count_whole(areas["rank"]),
        decile=count_whole(areas["decile"]),
        **{new: areas[old].round(SHARE_DECIMALS) for old, new in _SHARES.items()},
        third_deprivation=classed % SIDE + 1,
        third_rate=classed // SIDE + 1,
        expected=areas["expected"].round(1),
        ratio=areas["ratio"].round(3),
        **{name: areas[name].round(1) for name in _LIMITS},
        standing=areas["standing"].mask(areas["withheld"]),
        deprivation_method=areas["method"],
        population_method=areas["people_method"],
    )
    order = areas["deprived"].sort_values(ascending=False, kind="stable").index
    if rule.rule == "suppress":
        table["withheld"] = areas["withheld"]
    return _add_context(table.loc[order], picture, place, crimes, rule)


def tabulate_fifths(
    picture: DeprivationPicture, place: str, crimes: str, *, rule: Disclosure = NO_RULE
) -> pd.DataFrame:
    """Rates by fifth: fifth, lsoas, population, count, rate, low, high, usual, and what travels with them.

    What the disclosure `rule` does is told as in `tabulate_picture`.
    """
    table = picture.fifths.reset_index().rename(columns={"places": "lsoas", "people": "population"})
    table = table.assign(count=count_whole(table["count"]), population=count_whole(table["population"]))
    table = table.round(dict.fromkeys(("rate", "low", "high", "usual"), RATE_DECIMALS))
    table = table.assign(rate_per=f"1,000 {picture.per.name} ({picture.per.year})")
    if rule.rule != "suppress":
        table = table.drop(columns="withheld")
    return _add_context(table, picture, place, crimes, rule)


def tabulate_editions(editions: pd.DataFrame) -> pd.DataFrame:
    """Areas by edition, a row each: `deprivation_view.compare_editions` with whole places and rounded shares."""
    table = editions.rename(columns=_SHARES).round({"score": 3, **dict.fromkeys(_SHARES.values(), SHARE_DECIMALS)})
    return table.assign(place=count_whole(table["place"])).rename(columns={"kind": "placed_by"})


def _add_context(
    table: pd.DataFrame, picture: DeprivationPicture, place: str, crimes: str, rule: Disclosure
) -> pd.DataFrame:
    rounded = {"rounded_to": rule.base} if rule.rule == "round" else {}
    return table.assign(
        deprivation_edition=picture.choice.edition,
        domain=picture.choice.domain,
        crimes=crimes,
        partnership=place,
        period=str(picture.choice.span),
        months_missing=len(picture.coverage.missing),
        share_without_location=round(give_share(picture.coverage, rule), SHARE_DECIMALS),
        **rounded,
    )
