"""Hotspots as files: the places of a layer with their outlines, how they were found, and every caveat."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cspmap.exports.extract import SHARE_DECIMALS, write_geojson
from cspmap.exports.published import WITHHELD
from cspmap.hotspot_layers import HotspotLayer
from cspmap.hotspot_score import Score

if TYPE_CHECKING:
    import geopandas as gpd

_HECTARE_DECIMALS = 2
_PEAK_DECIMALS = 3


def tabulate_hotspots(layer: HotspotLayer, score: Score, *, name: str, crimes: str) -> pd.DataFrame:
    """The hotspots of a layer, one row each, that with the most incidents first.

    Columns: rank, code, area, street, cells (of clusters: locations), hectares, count, share (of all incidents inside
    the partnership), peak (the highest score), period, layer (its `name`), crimes (what is counted, in words); then,
    the same in every row, how the layer was scored: own_score (whether by its own later months or a step earlier),
    train, test, caught, pai, pei, baseline. Figures that are not known are empty. Where the partnership withholds small
    counts, a last column, withheld, tells of which places they are; where it rounds them, rounded_to has the base.
    """
    table = pd.DataFrame(layer.places.drop(columns="geometry"))
    table["count"] = table["count"].round().astype("Int64")
    digits = {"hectares": _HECTARE_DECIMALS, "share": SHARE_DECIMALS, "peak": _PEAK_DECIMALS}
    table = table.round(digits).assign(
        period=str(layer.choice.span), layer=name, crimes=crimes, own_score=score.own is not None
    )
    known = score.shown
    table["train"] = None if known is None else str(known.train)
    table["test"] = None if known is None else str(known.test)
    for column, figure in (("caught", "hit_rate"), ("pai", "pai"), ("pei", "pei"), ("baseline", "baseline")):
        table[column] = float("nan") if known is None else round(getattr(known, figure), SHARE_DECIMALS)
    if layer.rule.rule == "suppress":
        table[WITHHELD] = table["count"].isna()
    if layer.rule.rule == "round":
        table["rounded_to"] = layer.rule.base
    return table


def write_hotspots_geojson(table: pd.DataFrame, layer: HotspotLayer, caveats: Sequence[str]) -> str:
    """The table with its outlines as GeoJSON (WGS84); the caveats stand in a member of that name."""
    return write_geojson(table, layer.places[["code", "geometry"]], caveats)


def write_hotspots_geopackage(table: pd.DataFrame, layer: HotspotLayer, caveats: Sequence[str]) -> bytes:
    """The table with its outlines as a GeoPackage (EPSG:27700) of one layer, `hotspots`.

    The caveats are the layer's description, and stand beside every row in a column of that name.
    """
    frame = _join(table, layer).assign(caveats=" ".join(caveats))
    with tempfile.TemporaryDirectory(prefix="cspmap-") as folder:
        path = Path(folder) / "hotspots.gpkg"
        frame.to_file(path, driver="GPKG", layer="hotspots", engine="pyogrio", description=" ".join(caveats))
        return path.read_bytes()


def _join(table: pd.DataFrame, layer: HotspotLayer) -> "gpd.GeoDataFrame":
    import geopandas as gpd

    shapes = layer.places.set_index("code").geometry.reindex(table["code"])
    return gpd.GeoDataFrame(table.copy(), geometry=shapes.to_numpy(), crs=layer.places.crs)
