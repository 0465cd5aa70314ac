"""Counts and rates as a file: tidy, with period, denominator, method and gaps beside every figure."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, get_args

import pandas as pd

from cspmap.analysis.measures import rate
from cspmap.errors import SelectionError
from cspmap.exports.published import WITHHELD, By, describe_rule, give_share, hides_total, publish
from cspmap.periods import Span, name_months
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.words import describe_denominator, describe_unlocated, join_words, list_caveats, name_crimes, the

if TYPE_CHECKING:
    import geopandas as gpd

# More digits than these would promise what counts of this size cannot keep.
RATE_DECIMALS = 3
SHARE_DECIMALS = 4

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def extract_counts(query: Query, selection: Selection, *, by: Sequence[By] = ()) -> pd.DataFrame:
    """Counts and rates of every area of the selection's level over its span.

    One row an area, or an area and month, crime type or both. Columns: code, name, those of `by` (the crime type by
    its name), count, population, rate, rate_per, months_missing, period, population_method, share_without_location
    and, unless it is split by crime type, crimes: what is counted, in words. `population` is residents or households
    as `rate_per` says, to the nearest whole one; `rate` is over the whole period, or month, of the row, to three
    decimals. Where fewer than the partnership's smallest denominator live there it is suppressed: empty, with
    `rate_per` saying so. A count that is not known is empty, never 0: a month that is not loaded has rows too.
    Where the partnership withholds small counts, a last column, withheld, tells which are empty for that; where it
    rounds them, rounded_to has the base.

    Raises SelectionError where no month of the span is loaded.
    """
    partnership = query.store.partnership
    columns = [column for column in get_args(By) if column in by]
    published, rule = publish(query), partnership.disclosure
    coverage = published.count_coverage(selection)
    if not coverage.loaded:
        raise SelectionError(_describe_loaded(query, selection.span))
    cells = published.count_cells(selection, columns)
    absent = [str(month) for month in coverage.missing]
    if "month" in columns:
        cells = _add_months(cells, absent)
    kinds = {kind.key: kind.denominator for kind in partnership.crime_types}
    cells["denominator"] = (
        cells["crime_type"].map(kinds) if "crime_type" in columns else query.denominator(selection).key
    )
    cells = cells.merge(query.read_denominators(selection.level), on=["code", "denominator"], how="left")
    people, least = cells["value"], partnership.smallest_denominator
    per = {item.key: f"1,000 {item.name} ({item.year})" for item in partnership.denominators}
    refused = {item.key: f"not given: under {least:,} {item.name} ({item.year})" for item in partnership.denominators}
    frame = cells[["code", "name", *columns, "count"]].copy()
    if "crime_type" in columns:
        frame["crime_type"] = frame["crime_type"].map(partnership.name_crime)
    frame["population"] = count_whole(people)
    frame["rate"] = rate(frame["count"], people.mask(people < least)).round(RATE_DECIMALS)
    frame["rate_per"] = cells["denominator"].map(per).mask(people < least, cells["denominator"].map(refused))
    frame["months_missing"] = frame["month"].isin(absent).astype(int) if "month" in columns else len(absent)
    frame["period"] = str(selection.span)
    frame["population_method"] = cells["method"]
    frame["share_without_location"] = round(give_share(coverage, rule), SHARE_DECIMALS)
    if "crime_type" not in columns:
        frame["crimes"] = name_crimes(selection, partnership)
    if published.hides:
        frame[WITHHELD] = cells[WITHHELD]
    if published.rounds:
        frame["rounded_to"] = rule.base
    return frame


def count_whole(values: pd.Series) -> pd.Series:
    """Residents or households to the nearest whole one; missing stays missing."""
    return values.astype("Float64").round().astype("Int64")


def _add_months(cells: pd.DataFrame, absent: Sequence[str]) -> pd.DataFrame:
    """Counts by month with rows for the months that are not loaded: what was counted then is not known."""
    others = cells.drop(columns=["month", "count", WITHHELD]).drop_duplicates()
    blank = others.merge(pd.DataFrame({"month": pd.array(list(absent), dtype="str")}), how="cross")
    blank = blank.assign(count=pd.array([pd.NA] * len(blank), dtype="Int64"), **{WITHHELD: False})
    whole = pd.concat([cells, blank[cells.columns]], ignore_index=True)
    return whole.sort_values(["code", "month"], kind="stable", ignore_index=True)


def _describe_loaded(query: Query, span: Span) -> str:
    loaded = name_months(query.store.months)
    return f"No month of {the(span.words)} is loaded, only {loaded}; ask for months of those."


def describe_exceptions(query: Query, selection: Selection) -> list[str]:
    """Where rates by crime type are per something else than the rest: a sentence for each such denominator."""
    partnership, usual = query.store.partnership, query.denominator(selection)
    held = query.read_denominators(selection.level)
    chosen = [kind for kind in partnership.crime_types if kind.key in query.crime_types(selection)]
    sentences = []
    for item in partnership.denominators:
        names = [kind.name for kind in chosen if kind.denominator == item.key]
        if item != usual and names:
            methods = held.loc[held["denominator"] == item.key, "method"]
            sentences.append(describe_denominator(item, methods, crimes=join_words(names)))
    return sentences


def list_count_caveats(query: Query, selection: Selection, *, by: Sequence[By] = (), rates: bool = True) -> list[str]:
    """Everything that travels with counts by area, a sentence each; what `rates` are per only where there are any."""
    partnership = query.store.partnership
    coverage = publish(query).count_coverage(selection)
    denominator, held = query.denominator(selection), query.read_denominators(selection.level)
    methods = held.loc[held["denominator"] == denominator.key, "method"]
    sentences = list_caveats(
        selection, partnership, now=coverage, before=None, denominator=denominator, methods=methods
    )
    if not rates:
        sentences.remove(describe_denominator(denominator, methods))
    if hides_total(coverage, partnership.disclosure):
        # With the share without a location it would give the count back.
        sentences.remove(describe_unlocated(coverage, partnership.place))
    if rates and "crime_type" in by:
        sentences.extend(describe_exceptions(query, selection))
    rule = describe_rule(partnership.disclosure)
    return [*sentences, rule] if rule else sentences


def write_csv(frame: pd.DataFrame, caveats: Sequence[str] = ()) -> str:
    """A table as CSV text that opens safely in a spreadsheet: no cell of text is taken for a formula.

    The `caveats`, if there are any, stand in a last column of that name beside every row, so that no part of the
    file goes without them.
    """
    safe = frame.assign(caveats=" ".join(caveats)) if caveats else frame.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = safe[column].map(neutralise, na_action="ignore")
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text


def neutralise(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula with an apostrophe before it; all else as it is."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_STARTS) else value


def write_geojson(
    frame: pd.DataFrame, layer: "gpd.GeoDataFrame", caveats: Sequence[str], *, readme: Mapping[str, str] | None = None
) -> str:
    """A table by area as GeoJSON (WGS84) with the areas' outlines.

    The caveats stand in a member of that name, and so does the `readme`, if there is one.
    """
    joined = layer[["code", "geometry"]].merge(frame, on="code").to_crs("EPSG:4326")
    joined.geometry = joined.geometry.set_precision(1e-6)
    collection = json.loads(joined.to_json(drop_id=True))
    about = {} if readme is None else {"readme": dict(readme)}
    collection = {"type": collection.pop("type"), "caveats": list(caveats), **about, **collection}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":"))
