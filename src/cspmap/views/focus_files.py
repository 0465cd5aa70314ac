"""Focus areas as files: a table of their units, or outlines for a map."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from cspmap.exports.extract import count_whole
from cspmap.exports.published import WITHHELD, Published
from cspmap.focus_area import HOUSEHOLDS, RESIDENTS, Aim, Catch, ChosenArea, FocusGround, join_units
from cspmap.focus_published import WEIGHTED, WITHHELD_WEIGHTED, publish_units


def tabulate_units(ground: FocusGround, aim: Aim, areas: Sequence[ChosenArea], published: Published) -> pd.DataFrame:
    """One row for each unit of each area.

    Columns: area (1 is the first), code, name, count, weighted (only where the aim has weights), residents,
    households, hectares, period. Where the partnership withholds small counts, withheld (and withheld_weighted) tell
    which are empty for that; where it rounds them, rounded_to has the base.
    """
    units, names = publish_units(ground, aim, published), ground.names
    hectares = pd.Series(ground.units.geometry.area.to_numpy() / 10_000, index=list(ground.codes))
    parts = []
    for number, area in enumerate(areas, 1):
        codes = list(area.codes)
        columns: dict[str, Any] = {
            "area": number,
            "code": codes,
            "name": [names[code] for code in codes],
            "count": units.loc[codes, "count"].astype("Int64").array,
        }
        if aim.weighted:
            columns[WEIGHTED] = units.loc[codes, WEIGHTED].to_numpy()
        for key in (RESIDENTS, HOUSEHOLDS):
            if key in ground.people:
                columns[key] = count_whole(ground.people.loc[codes, key]).array
        columns["hectares"] = hectares.loc[codes].round(2).to_numpy()
        columns["period"] = str(aim.span)
        if published.hides:
            columns |= {name: units.loc[codes, name].to_numpy() for name in _list_flags(aim)}
        if published.rounds:
            columns["rounded_to"] = published.rule.base
        parts.append(pd.DataFrame(columns))
    return pd.concat(parts, ignore_index=True)


def _list_flags(aim: Aim) -> tuple[str, ...]:
    return (WITHHELD, WITHHELD_WEIGHTED) if aim.weighted else (WITHHELD,)


def summarise_area(area: ChosenArea) -> dict[str, Any]:
    """The figures of an area as plain values for a file; shares are 0 to 1, and None is not known, or withheld where
    `withheld` (or `later_withheld`) says so.
    """
    later = area.later
    summary: dict[str, Any] = {
        "units": list(area.codes),
        "period": str(area.catch.span),
        "captured": area.catch.captured,
        "share": _round(area.catch.share),
        "later_period": None if later is None else str(later.span),
        "later_captured": None if later is None else later.captured,
        "later_share": None if later is None else _round(later.share),
        "km2": round(area.figures.km2, 4),
        "km2_share": _round(area.figures.km2_share),
    }
    for key, (total, share) in area.people.items():
        summary[key] = None if total is None else round(total)
        summary[f"{key}_share"] = _round(share)
    told = {WITHHELD: area.catch, f"later_{WITHHELD}": later}
    summary |= {name: True for name, part in told.items() if isinstance(part, Catch) and part.withheld}
    figures = area.figures
    return summary | {"compactness": round(figures.compactness, 4), "one_piece": figures.connected}


def write_outlines(ground: FocusGround, properties: Sequence[dict[str, Any]], caveats: Sequence[str]) -> str:
    """Areas as GeoJSON in WGS84, each one feature around its `units`; the caveats stand in a member of that name."""
    import geopandas as gpd

    shapes = gpd.GeoSeries([join_units(ground, one["units"]) for one in properties], crs=ground.units.crs)
    outlines = shapes.to_crs("EPSG:4326").set_precision(1e-6)
    features = [
        {"type": "Feature", "properties": one, "geometry": shape.__geo_interface__}
        for one, shape in zip(properties, outlines, strict=True)
    ]
    collection = {"type": "FeatureCollection", "caveats": list(caveats), "features": features}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def _round(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
