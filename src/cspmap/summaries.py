"""The small tables of a store: counts by area, month and crime type, denominators, deprivation, quality."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cspmap.analysis import areal
from cspmap.analysis import deprivation as deprived
from cspmap.codes import LSOA11, LSOA21, recognise_lsoa_vintage
from cspmap.errors import Problem, SourceError, UserError
from cspmap.layers import LayerSet
from cspmap.partnership import Layer, Partnership
from cspmap.periods import Month
from cspmap.sources.denominators import read_denominator
from cspmap.sources.deprivation import COUNTED, OVERALL, Indices, read_indices
from cspmap.sources.lookups import read_retired_lsoas
from cspmap.sources.recorded_crime import read_members

if TYPE_CHECKING:
    import duckdb

# How the areas of one layer correspond to those of another, by the keys of both.
Overlap = Callable[[str, str], pd.DataFrame]

AS_PUBLISHED = "as published"

# So many incidents, and none of them in the partnership, are no chance but a mistake.
TELLING = 50

# A unit covered to within this share counts as wholly covered: boundary files are generalised differently, and
# ONS's generalised ones run tens of metres off the full ones.
SLIVER = 0.1

_VINTAGES = {LSOA11.key: LSOA11, LSOA21.key: LSOA21}

# The table of deprivation, and what it calls the figures of `deprivation.aggregate`.
_FIGURES = ("score", "rank", "decile", "tenth", "fifth", "fifth_2", "fifth_3", "fifth_4", "fifth_5", "covered")
_DEPRIVATION = {
    "layer": "str",
    "code": "str",
    "edition": "int64",
    "domain": "str",
    **dict.fromkeys(_FIGURES, "float64"),
    "method": "str",
}
_SUMMARIES = {
    "mean_score": "score",
    "share_in_worst_tenth": "tenth",
    "share_covered": "covered",
    **dict(zip(deprived.FIFTHS, _FIGURES[4:9], strict=True)),
}
_PEOPLE = {
    "everybody": "residents as the Indices count them",
    "children": "children under 16 as the Indices count them",
    "older": "residents of 60 and over as the Indices count them",
    "working age": "residents of working age as the Indices count them",
}


@dataclass(frozen=True)
class Surroundings:
    """What incidents are set beside: tables by their names, plain notes on what was found, and the codes of LSOAs that
    were in use in 2011 and no longer are.
    """

    tables: dict[str, pd.DataFrame]
    notes: list[str]
    retired: frozenset[str]


def gather_surroundings(partnership: Partnership, layers: LayerSet) -> Surroundings:
    """Residents and households, deprivation and other partnerships' crime; nothing is written.

    Raises SourceError where one of their files is at fault.
    """

    @cache
    def overlap(source: str, target: str) -> pd.DataFrame:
        return areal.correspondence(layers.frames[source], layers.frames[target])

    denominators, notes = _spread_denominators(partnership, layers, overlap)
    deprivation, said = _spread_deprivation(partnership, layers, overlap, denominators)
    recorded, faults = read_members(partnership.recorded_crime, partnership.csp)
    tables = {"denominators": denominators, "deprivation": deprivation, "recorded_crime": recorded}
    lookup = partnership.lookups.lsoa11_to_lsoa21
    retired = read_retired_lsoas(lookup) if lookup else frozenset()
    return Surroundings(tables, [*notes, *said, *faults], retired)


def write_summaries(
    folder: Path, partnership: Partnership, layers: LayerSet, sources: Mapping[Month, int], surroundings: Surroundings
) -> None:
    """Write every table of a version but the incidents themselves.

    `sources` gives for each loaded month the number of the incident source that it came from.
    """
    import duckdb

    _write_areas(folder, layers)
    with duckdb.connect() as engine:
        _tally(engine, folder, layers)
        _write_cube(engine, folder, layers)
        _write_months(engine, folder, partnership, layers, sources, surroundings.retired)
    _check_place(folder, partnership)
    for name, frame in surroundings.tables.items():
        _write(folder, name, frame)


def _write(folder: Path, name: str, frame: pd.DataFrame) -> None:
    frame.to_parquet(folder / f"{name}.parquet", index=False)


def _write_areas(folder: Path, layers: LayerSet) -> None:
    tables = []
    for key, frame in layers.frames.items():
        measured = frame.assign(hectares=frame.area / 10_000)
        measured.to_parquet(folder / "layers" / f"{key}.parquet", index=False)
        tables.append(pd.DataFrame(measured[["code", "name", "hectares"]]).assign(layer=key))
    _write(folder, "areas", pd.concat(tables, ignore_index=True)[["layer", "code", "name", "hectares"]])


def _tally(engine: "duckdb.DuckDBPyConnection", folder: Path, layers: LayerSet) -> None:
    """Number of rows (`n`) that are alike in all that is counted by, so that the incidents are read only once."""
    areas = ", ".join(f'"in_{key}"' for key in (*layers.read, *layers.members))
    engine.execute(
        f"""CREATE TABLE tally AS
        SELECT month, crime_type, lsoa_code, superseded, longitude IS NOT NULL AS located,
            incident_id IS NOT NULL AS identified, {areas}, count(*) AS n
        FROM read_parquet('{_sql(folder / "incidents" / "*.parquet")}') GROUP BY ALL"""
    )


def _write_cube(engine: "duckdb.DuckDBPyConnection", folder: Path, layers: LayerSet) -> None:
    """Counts by layer, area, month and crime type; what has no count there has no row."""
    counted = [*layers.read, *layers.members]
    parts = " UNION ALL ".join(
        f"SELECT '{key}' AS layer, \"in_{key}\" AS code, month, crime_type, sum(n)::BIGINT AS count FROM tally "
        f'WHERE NOT superseded AND "in_{key}" IS NOT NULL GROUP BY ALL'
        for key in counted
    )
    engine.execute(
        f"COPY (FROM ({parts}) ORDER BY layer, code, month, crime_type) TO '{_sql(folder / 'cube.parquet')}'"
    )


def _write_months(
    engine: "duckdb.DuckDBPyConnection",
    folder: Path,
    partnership: Partnership,
    layers: LayerSet,
    sources: Mapping[Month, int],
    retired: frozenset[str],
) -> None:
    """`totals` (by month and crime type) and `months` (the quality of each month)."""
    origins = [partnership.incidents[number] for number in sources.values()]
    engine.register(
        "origin",
        pd.DataFrame(
            {
                "month": [str(month) for month in sources],
                "source": [origin.source for origin in origins],
                "own": [origin.covers == "partnership" for origin in origins],
            }
        ),
    )
    inside = f'"in_{partnership.boundary}" IS NOT NULL'
    counts = f"""
        {_count("NOT superseded")} AS recorded,
        {_count(f"NOT superseded AND {inside}")} AS inside,
        {_count(f"NOT superseded AND located AND NOT {inside}")} AS outside,
        {_count("NOT superseded AND NOT located")} AS unlocated"""
    engine.execute(
        f"COPY (SELECT month, crime_type, {counts}, any_value(own) AS own FROM tally JOIN origin USING (month) "
        f"GROUP BY ALL ORDER BY ALL) TO '{_sql(folder / 'totals.parquet')}'"
    )
    vintage = _recognise_vintages(engine, retired)
    engine.register("vintage", vintage)
    compared = " ".join(
        f"WHEN '{kind.key}' THEN \"in_{key}\""
        for key, kind in layers.code_types.items()
        if kind and kind.key in _VINTAGES
    )
    by_point = f"CASE lsoa_vintage {compared} END" if compared else "NULL::VARCHAR"
    engine.execute(
        f"""COPY (
            SELECT month, any_value(source) AS source, any_value(own) AS own, {_count("true")} AS rows,
                {_count("superseded")} AS repeated,
                {_count("NOT superseded AND NOT identified")} AS without_id, {counts},
                any_value(lsoa_vintage) AS lsoa_vintage,
                {_count(f"NOT superseded AND lsoa_code IS NOT NULL AND {by_point} IS NOT NULL")} AS lsoa_compared,
                {_count(f"NOT superseded AND lsoa_code <> {by_point}")} AS lsoa_disagree
            FROM tally JOIN origin USING (month) JOIN vintage USING (month) GROUP BY month ORDER BY month
        ) TO '{_sql(folder / "months.parquet")}'"""
    )


def _count(condition: str) -> str:
    """How many rows meet a condition, out of the tally."""
    return f"coalesce(sum(n) FILTER ({condition}), 0)::BIGINT"


def _check_place(folder: Path, partnership: Partnership) -> None:
    """Refuse a source of many incidents, none of which lies in the partnership: they are of somewhere else, or swapped.

    A file alone cannot tell, since an easting and a northing of one place, swapped, are often those of another.
    """
    months = pd.read_parquet(folder / "months.parquet")
    problems = []
    for source, rows in months.groupby("source", sort=False):
        located = int((rows["recorded"] - rows["unlocated"]).sum())
        if located >= TELLING and not rows["inside"].sum():
            what = f"none of its {located:,} located incidents lies in {partnership.place}"
            fix = "check that its columns of positions are not swapped, and that the boundaries are of the same place"
            problems.append(Problem(str(source), what, fix))
    if problems:
        raise SourceError(problems)


def _recognise_vintages(engine: "duckdb.DuckDBPyConnection", retired: frozenset[str]) -> pd.DataFrame:
    """Each month's LSOA vintage, told from its codes: "lsoa11", "lsoa21", "mixed", or none where it cannot be told."""
    rows = engine.execute("SELECT month, list(DISTINCT lsoa_code) FROM tally GROUP BY month").fetchall()
    found: dict[str, str | None] = {}
    for month, codes in rows:
        try:
            kind = recognise_lsoa_vintage((code for code in codes if code), retired=retired)
        except UserError:
            found[month] = "mixed"
        else:
            found[month] = kind.key if kind else None
    return pd.DataFrame({"month": list(found), "lsoa_vintage": pd.array(list(found.values()), dtype="str")})


def _spread_denominators(
    partnership: Partnership, layers: LayerSet, overlap: Overlap
) -> tuple[pd.DataFrame, list[str]]:
    """Residents and households of every counted layer: as published on their own, interpolated to the others."""
    tables, notes = [], []
    for item in partnership.denominators:
        published = read_denominator(item).set_index("code")["value"]
        home = layers.frames[item.layer].assign(
            value=published.reindex(layers.frames[item.layer]["code"]).to_numpy(dtype=float)
        )
        absent = int(home["value"].isna().sum())
        if absent:
            notes.append(f"{item.file.name}: {absent} of {len(home)} areas have no {item.name} there.")
        spread = {item.layer: (home[["code", "value"]], AS_PUBLISHED)}
        for key, frame in layers.read.items():
            if key != item.layer:
                table = overlap(item.layer, key)
                result = areal.interpolate(home, frame, extensive=["value"], table=table, sliver=SLIVER)
                method = f"shared out by area from {partnership.find_layer(item.layer).plural}"
                spread[key] = (result.frame[["code", "value"]], method)
                lost = float(result.uncovered["value"].sum())
                if lost >= 1:
                    notes.append(
                        f"{lost:,.0f} {item.name} of {partnership.find_layer(item.layer).plural} lie in none of the "
                        f"{partnership.find_layer(key).plural}."
                    )
        for layer in partnership.layers:
            if layer.made_of is not None:
                parts, method = spread[layer.made_of]
                spread[layer.key] = (_add_members(parts, layer, layers), method)
        for key, (values, method) in spread.items():
            tables.append(values.assign(layer=key, denominator=item.key, year=item.year, method=method))
    frame = pd.concat(tables, ignore_index=True)
    return frame[["layer", "code", "denominator", "value", "year", "method"]], notes


def _add_members(values: pd.DataFrame, layer: Layer, layers: LayerSet) -> pd.DataFrame:
    joined = layers.drawn_members(layer.key).merge(values, on="code")
    return joined.groupby("area")["value"].sum(skipna=False).rename_axis("code").reset_index()


def _spread_deprivation(
    partnership: Partnership, layers: LayerSet, overlap: Overlap, denominators: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Deprivation of every counted layer by edition and domain: as published on its LSOAs, weighted on the others."""
    tables: list[pd.DataFrame] = []
    notes: list[str] = []
    residents = partnership.denominators[0]
    for item in partnership.deprivation:
        home = layers.frames[item.layer]
        indices = read_indices(item)
        held = denominators[(denominators["layer"] == item.layer) & (denominators["denominator"] == residents.key)]
        others = [key for key in layers.frames if key != item.layer and partnership.find_layer(key).figures_of is None]
        for domain, published in indices.scores.groupby("domain", sort=False):
            scores = published[published["code"].isin(home["code"])]
            if domain == OVERALL and len(scores) < len(home):
                absent = len(home) - len(scores)
                notes.append(f"{item.file.name}: {absent} of {len(home)} areas have no deprivation there.")
            people, words = _count_people(indices, str(domain), held.set_index("code")["value"], residents.name)
            spread = {item.layer: _publish(scores)}
            method = f"mean of {partnership.find_layer(item.layer).plural}, weighted by {words}"
            for key in others:
                summary = deprived.aggregate(scores, overlap(item.layer, key), people).reset_index()
                spread[key] = {_SUMMARIES.get(str(name), str(name)): column for name, column in summary.items()}
                spread[key] |= {"rank": np.nan, "decile": np.nan, "method": method}
            tables += [
                pd.DataFrame({name: {**found, **same}[name] for name in _DEPRIVATION})
                for key, found in spread.items()
                for same in ({"layer": key, "edition": item.year, "domain": str(domain)},)
            ]
    if not tables:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in _DEPRIVATION.items()}), notes
    return pd.concat(tables, ignore_index=True).astype(_DEPRIVATION), notes


def _publish(scores: pd.DataFrame) -> dict[str, Any]:
    """The figures of LSOAs themselves as columns, each wholly in its own tenth and fifth."""
    fifth = deprived.find_fifth(scores["decile"])
    return {
        **{str(name): column for name, column in scores.items()},
        "tenth": (scores["decile"] <= 1).astype(float),
        **{_SUMMARIES[name]: (fifth == place).astype(float) for place, name in enumerate(deprived.FIFTHS, 1)},
        "covered": 1.0,
        "method": AS_PUBLISHED,
    }


def _count_people(indices: Indices, domain: str, residents: pd.Series, name: str) -> tuple[pd.Series, str]:
    """What a domain is weighted by, by LSOA: those that it is of, as its file counts them, else the residents."""
    people = indices.people.set_index("code")
    for kind in (COUNTED.get(domain, "everybody"), "everybody"):
        if kind in people:
            return people[kind], _PEOPLE[kind]
    return residents, name


def _sql(path: Path) -> str:
    return str(path).replace("'", "''")
