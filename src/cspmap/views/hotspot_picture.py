"""The density of incidents as one picture over the map, in the colours of its bands."""

import base64
import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.hotspots import Raster, density_surface
from cspmap.analysis.hotspots.density import SQUARE_KILOMETRE, choose_bandwidth
from cspmap.analysis.hotspots.points import place_points
from cspmap.analysis.measures import Floats
from cspmap.hotspot_counts import Tally
from cspmap.hotspot_ground import Ground, Recorded
from cspmap.hotspot_layers import HotspotChoice, HotspotLayer, start_tally
from cspmap.periods import Span
from cspmap.views.choropleth import Choropleth, state_rule
from cspmap.views.hotspot_shading import PALETTE, Bands, find_bands
from cspmap.views.map import Legend, Picture

OPACITY = 0.85
# On the longer side; more where the bandwidth is narrow for the size of the partnership.
PIXELS, MOST_PIXELS = 320, 1_600
# Pixels to a bandwidth; two are the least that can be.
_FINE = 3


def paint_density(layer: HotspotLayer, recorded: Recorded) -> tuple[Picture, Legend]:
    """The density of a layer's incidents as one picture, and what its colours mean."""
    tally = start_tally(layer.ground, recorded, layer.choice)
    metres = settle_metres(tally, layer.choice)
    raster = fit_raster(layer.ground, metres)
    density = spread_points(tally, layer.choice.span, raster, metres)
    bands = band_pixels([density], raster)
    rule = "By rank: the ground that is highest, up to so much of the area together."
    legend = Legend(f"Incidents per km², {layer.choice.span.words}", rule, bands.classes)
    return Picture(paint(density, bands), raster.bounds, OPACITY), state_rule(Choropleth((), legend), layer.rule).legend


def settle_metres(tally: Tally, choice: HotspotChoice) -> float:
    """The bandwidth in metres: as chosen, or by rule from the whole period."""
    if choice.bandwidth is not None:
        return choice.bandwidth
    cells = tally.ground.cells
    return choose_bandwidth(place_points(tally.during(choice.span), cells), cells).metres


def fit_raster(ground: Ground, metres: float) -> Raster:
    """The pixels of a picture that shows a bandwidth as it is."""
    west, south, east, north = ground.cells.boundary.bounds
    pixels = np.ceil(_FINE * max(east - west, north - south) / metres)
    return ground.lay_pixels(int(np.clip(pixels, PIXELS, MOST_PIXELS)))


def spread_points(tally: Tally, span: Span, raster: Raster, metres: float) -> Floats:
    """Incidents per km² of a span at each pixel, NaN outside the partnership."""
    return density_surface(tally.during(span), tally.ground.cells, raster, metres).density * SQUARE_KILOMETRE


def band_pixels(densities: Sequence[Floats], raster: Raster) -> Bands:
    """The bands of the pixels of one or several pictures of one raster together."""
    inside = [density[raster.inside] for density in densities]
    areas = np.tile(raster.area[raster.inside], len(inside))
    return find_bands(np.concatenate(inside) if inside else np.array([]), areas)


def paint(density: Floats, bands: Bands) -> str:
    """Densities (NaN outside) as the data URL of a picture: each pixel in the colour of its band, clear outside."""
    # Colour 0 is clear.
    indices = np.where(np.isnan(density), 0, 1 + bands.classify(density))
    picture = encode_png(indices.astype(np.uint8), PALETTE)
    return f"data:image/png;base64,{base64.b64encode(picture).decode()}"


def encode_png(indices: NDArray[np.uint8], colours: Sequence[str]) -> bytes:
    """A picture as PNG with a palette; index 0 is clear, 1 the first of the colours ("#RRGGBB").

    Source: W3C, Portable Network Graphics (PNG) Specification, third edition, colour type 3.
    """
    height, width = indices.shape
    # Each line starts with its filter, none.
    lines = np.concatenate([np.zeros((height, 1), dtype=np.uint8), indices], axis=1).tobytes()
    palette = bytes.fromhex("000000" + "".join(colour[1:] for colour in colours))
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            _chunk(b"PLTE", palette),
            _chunk(b"tRNS", b"\x00"),
            _chunk(b"IDAT", zlib.compress(lines, 9)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
