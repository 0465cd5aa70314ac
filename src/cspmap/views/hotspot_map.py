"""The places of hotspots on the map: outlines to choose, locations as points, and the one that is chosen."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cspmap.exports.published import WITHHELD
from cspmap.hotspot_layers import HotspotLayer
from cspmap.views.degrees import as_geojson, to_degrees
from cspmap.views.hotspot_words import name_place, name_street
from cspmap.views.map import Place
from cspmap.views.words import count_incidents, format_percent, format_rate


def draw_places(layer: HotspotLayer) -> tuple[Place, ...]:
    """The hotspots as outlines to choose, each with its rank and what a pointer says of it."""
    import shapely

    shapes = layer.places.geometry.to_numpy()
    bounds = shapely.bounds(shapes).reshape(-1, 4)
    tops = to_degrees(shapely.points((bounds[:, 0] + bounds[:, 2]) / 2, bounds[:, 3]))
    rows = layer.places.drop(columns="geometry").to_dict("records")
    return tuple(
        Place(
            code=row["code"],
            name=name_place(row),
            geometry=as_geojson(outline),
            label=(top.x, top.y),
            tooltip=tell_place(row),
            mark=str(row["rank"]),
        )
        for row, outline, top in zip(rows, to_degrees(shapes), tops, strict=True)
    )


def tell_place(row: Mapping[Any, Any]) -> tuple[str, ...]:
    """What a pointer says of a place under its name."""
    share = "" if pd.isna(row["share"]) else f", {format_percent(100 * row['share'])} of all"
    street = name_street(row)
    counted = f"count {WITHHELD}" if pd.isna(row["count"]) else f"{count_incidents(row['count'])}{share}"
    return (counted, f"{format_rate(row['hectares'])} hectares", *([street] if street else []))


def draw_locations(repeats: pd.DataFrame) -> tuple[Place, ...]:
    """Repeat locations as points with their ranks. `repeats` has location, easting, northing and count."""
    import shapely

    points = to_degrees(shapely.points(repeats["easting"], repeats["northing"]))
    return tuple(
        Place(
            code=f"location-{rank}",
            name=str(row["location"]),
            geometry=as_geojson(point),
            label=(point.x, point.y),
            tooltip=(count_incidents(row["count"]),),
            mark=str(rank),
        )
        for rank, (row, point) in enumerate(zip(repeats.to_dict("records"), points, strict=True), start=1)
    )
