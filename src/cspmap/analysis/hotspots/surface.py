"""Kernel density as a small picture: a regular raster that a web map can lay over the town."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.areal import WORKING_CRS
from cspmap.analysis.hotspots.density import settle_bandwidth, spread
from cspmap.analysis.hotspots.nearby import NearbyIndex
from cspmap.analysis.hotspots.points import place_points
from cspmap.analysis.measures import Floats
from cspmap.errors import UserError

if TYPE_CHECKING:
    import pandas as pd

    from cspmap.analysis.hotspots.cells import Cells

# Pixels on the longer side, where nobody chooses: about 30 m each over a town of ten kilometres.
PIXELS = 320
_MOST_PIXELS = 4_000
# A picture must be finer than the kernel that it shows, else incidents fall between its pixels.
_PIXELS_A_BANDWIDTH = 2


@dataclass(frozen=True, eq=False)
class Raster:
    """The pixels of a picture over a partnership; lay it once and use it for every month.

    `x`, `y` (easting, northing, metres) are the pixels' centres and `area` (m²) what they cover on the ground; one
    row a line of pixels from north to south, each from west to east. `inside` is whether the centre lies in the
    partnership. `bounds`: south, west, north and east edges in degrees (WGS84).
    """

    x: Floats
    y: Floats
    area: Floats
    inside: NDArray[np.bool_]
    bounds: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Surface:
    """A density for each pixel of a raster: incidents per m² on the ground, NaN outside the partnership.

    `bounds` are the raster's. The picture is regular on a web map (Web Mercator, EPSG:3857), where it can be laid
    between its bounds as it is.
    """

    density: Floats
    bounds: tuple[float, float, float, float]
    words: str


def lay_raster(cells: Cells, *, pixels: int = PIXELS) -> Raster:
    """Pixels over the partnership that cells cover, `pixels` of them on the longer side.

    A web map stretches a picture between its corners in Web Mercator, so that is where the raster is regular; on
    the ground its lines run at a slight angle to the grid's, and centres and areas are worked out for each pixel.

    Raises UserError where `pixels` is not between 2 and 4,000.
    """
    import shapely
    from pyproj import Transformer

    if not 2 <= pixels <= _MOST_PIXELS:
        raise UserError(f"A picture cannot have {pixels:,} pixels on a side; choose 2 to {_MOST_PIXELS:,}.")
    transformer = Transformer.from_crs(WORKING_CRS, 3857, always_xy=True)
    west, south, east, north = transformer.transform_bounds(*cells.boundary.bounds)
    step = max(east - west, north - south) / pixels
    columns, rows = (int(np.ceil((high - low) / step - 1e-9)) for low, high in ((west, east), (south, north)))
    web_x, web_y = west + step * np.arange(columns + 1), north - step * np.arange(rows + 1)
    net_x, net_y = np.meshgrid(web_x, web_y)
    corner_x, corner_y = transformer.transform(net_x, net_y, direction="INVERSE")
    x, y, area = _measure_pixels(np.asarray(corner_x), np.asarray(corner_y))
    shapely.prepare(cells.boundary)
    to_degrees = Transformer.from_crs(3857, 4326, always_xy=True)
    (left, right), (bottom, top) = to_degrees.transform([web_x[0], web_x[-1]], [web_y[-1], web_y[0]])
    inside = np.asarray(shapely.intersects_xy(cells.boundary, x, y))
    return Raster(x, y, area, inside, (bottom, left, top, right))


def density_surface(points: pd.DataFrame, cells: Cells, raster: Raster, bandwidth: float | None = None) -> Surface:
    """The density that `kernel_density` works out for cells, for the pixels of a picture instead.

    `cells` say which incidents are inside and, without a bandwidth, the least one; `raster` is `lay_raster`'s of
    them. Raises UserError where the bandwidth is not above zero, or less than two pixels.
    """
    placed = place_points(points, cells)
    chosen = settle_bandwidth(bandwidth, placed, cells)
    x, y, area = (values[raster.inside] for values in (raster.x, raster.y, raster.area))
    least = _PIXELS_A_BANDWIDTH * float(np.sqrt(raster.area.max()))
    if chosen.metres < least:
        raise UserError(
            f"A bandwidth of {chosen.metres:g} m is too narrow for a picture with pixels of {least / 2:,.0f} m; "
            f"choose {np.ceil(least):,.0f} m or more, or more pixels."
        )
    density = np.full(raster.x.shape, np.nan)
    density[raster.inside], _ = spread(placed.x, placed.y, placed.count, NearbyIndex(x, y, chosen.metres), area)
    words = f"Incidents per km²: quartic kernel density, corrected at the edge of the partnership, {chosen.words}."
    return Surface(density, raster.bounds, words)


def _measure_pixels(x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
    """Centre (easting, northing) and area (m²) of the pixels between a net of corners on the ground."""
    middle_x, middle_y = ((a[:-1, :-1] + a[1:, :-1] + a[:-1, 1:] + a[1:, 1:]) / 4 for a in (x, y))
    one_x, one_y, two_x, two_y = (
        x[1:, 1:] - x[:-1, :-1],
        y[1:, 1:] - y[:-1, :-1],
        x[1:, :-1] - x[:-1, 1:],
        y[1:, :-1] - y[:-1, 1:],
    )
    # The area of a quadrilateral is half the cross product of its diagonals.
    area: Floats = np.abs(one_x * two_y - one_y * two_x) / 2
    return middle_x, middle_y, area
