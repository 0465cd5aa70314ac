"""Counts and rates as a file: tidy, with period, denominator, method and gaps beside every figure."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from cspmap.analysis.measures import rate
from cspmap.query import Query
from cspmap.selection import Selection

if TYPE_CHECKING:
    import geopandas as gpd

By = Literal["month", "crime_type"]

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def extract_counts(query: Query, selection: Selection, *, by: Sequence[By] = ()) -> pd.DataFrame:
    """Counts and rates of every area of the selection's level over its span.

    One row an area, or an area and month, crime type or both. Columns: code, name, those of `by` (the crime type by
    its name), count, population, rate, rate_per, months_missing, period, population_method,
    share_without_location. `population` is residents or households as `rate_per` says; `rate` is over the whole
    period of the row, and missing where fewer than the partnership's smallest denominator live there.
    """
    partnership = query.store.partnership
    cells = query.count_cells(selection, by)
    cells = cells.merge(_read_denominators(query, selection), on="code", how="left")
    kinds = {kind.key: kind.denominator for kind in partnership.crime_types}
    usual = query.denominator(selection).key
    per = cells["crime_type"].map(kinds) if "crime_type" in by else pd.Series(usual, index=cells.index)
    people, method = pd.Series(float("nan"), index=cells.index), pd.Series("", index=cells.index)
    for item in partnership.denominators:
        people = people.mask(per == item.key, cells[f"{item.key}_value"])
        method = method.mask(per == item.key, cells[f"{item.key}_method"])
    named = {item.key: f"1,000 {item.name} ({item.year})" for item in partnership.denominators}
    coverage = query.count_coverage(selection)
    frame = cells[["code", "name", *by, "count"]].copy()
    if "crime_type" in by:
        frame["crime_type"] = frame["crime_type"].map(partnership.name_crime)
    frame["population"] = people.round(1)
    enough = people.mask(people < partnership.smallest_denominator)
    frame["rate"] = rate(frame["count"].astype("Float64").astype(float), enough).round(3)
    frame["rate_per"] = per.map(named)
    frame["months_missing"] = len(coverage.missing)
    frame["period"] = str(selection.span)
    frame["population_method"] = method
    share = coverage.unlocated_share
    frame["share_without_location"] = float("nan") if share is None else round(share, 4)
    return frame


def _read_denominators(query: Query, selection: Selection) -> pd.DataFrame:
    level = query.store.counted_level(selection.level)
    held = query.store.denominators
    wide = held[held["layer"] == level].pivot_table(
        index="code", columns="denominator", values=["value", "method"], aggfunc="first", dropna=False
    )
    wide.columns = [f"{denominator}_{field}" for field, denominator in wide.columns]
    return wide.reset_index()


def write_csv(frame: pd.DataFrame) -> str:
    """A table as CSV text that opens safely in a spreadsheet: no cell of text is taken for a formula."""
    safe = frame.copy()
    for column in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[column]):
            safe[column] = safe[column].map(_neutralise, na_action="ignore")
    text: str = safe.to_csv(index=False, lineterminator="\n")
    return text


def _neutralise(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA_STARTS) else value


def write_geojson(frame: pd.DataFrame, layer: "gpd.GeoDataFrame", caveats: Sequence[str]) -> str:
    """A table by area as GeoJSON (WGS84) with the areas' outlines; the caveats stand in a member of that name."""
    joined = layer[["code", "geometry"]].merge(frame, on="code").to_crs("EPSG:4326")
    joined.geometry = joined.geometry.set_precision(1e-6)
    collection = json.loads(joined.to_json(drop_id=True))
    collection = {"type": collection.pop("type"), "caveats": list(caveats), **collection}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":"))
