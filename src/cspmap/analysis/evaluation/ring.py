"""The streets next door: the ring around an area in which displaced crime would be looked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cspmap.analysis.areal import WORKING_CRS
from cspmap.errors import UserError

if TYPE_CHECKING:
    import geopandas as gpd

CODE = "buffer"


def buffer_ring(area: gpd.GeoDataFrame, metres: float, boundary: gpd.GeoDataFrame | None = None) -> gpd.GeoDataFrame:
    """All within `metres` of an area, without the area and what lies outside the `boundary`.

    `area` and `boundary` are one or several polygons in EPSG:27700 each. One row: code "buffer", geometry. Raises
    UserError for another CRS or none, a width that is not above zero, and where nothing of the ring is left.
    """
    import geopandas as gpd

    for frame in (area, boundary):
        if frame is not None and (frame.crs is None or frame.crs.to_epsg() != WORKING_CRS):
            got = "none" if frame.crs is None else frame.crs.name
            raise UserError(f"Buffers need the British National Grid (EPSG:{WORKING_CRS}), got {got}; reproject first.")
    if not 0 < metres < float("inf"):
        raise UserError(f"A buffer cannot be {metres:g} m wide; choose more than 0.")
    inner = area.geometry.union_all()
    ring = inner.buffer(metres).difference(inner)
    if boundary is not None:
        ring = ring.intersection(boundary.geometry.union_all())
    if not ring.area > 0:
        raise UserError("Nothing lies around the area inside the boundary; do without a buffer.")
    return gpd.GeoDataFrame({"code": [CODE]}, geometry=[ring], crs=area.crs)
