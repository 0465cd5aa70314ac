"""The bundled example: Luton's published facts on a geography of our own making, with simulated incidents.

`write_example` writes every generated file byte for byte from two masters, the drawing of the hexagons and the
published targets. What is published, what is illustrative and what is simulated: docs/example.md.
"""

from pathlib import Path

from cspmap.example.geography import (
    format_deprivation,
    format_households,
    format_residents,
    format_wards,
    place_layout,
)
from cspmap.example.layout import format_hexjson, read_layout

LAYOUT = Path("geo", "luton-hexagons.txt")
SEED = 2005


def write_example(root: Path, *, out: Path | None = None) -> list[Path]:
    """Write the example's generated files below `out` from the masters below `root` (by default the same).

    Returns the files written, relative to `out`. Raises SourceError if the drawing has a fault.
    """
    hexagons = read_layout(root / LAYOUT)
    places = place_layout(hexagons)
    texts = {
        Path("geo", "luton-hexagons.hexjson"): format_hexjson(hexagons),
        Path("geo", "luton-wards.geojson"): format_wards(hexagons, places),
        Path("data", "residents.csv"): format_residents(hexagons),
        Path("data", "households.csv"): format_households(hexagons),
        Path("data", "deprivation.csv"): format_deprivation(hexagons, seed=SEED),
    }
    for path, text in texts.items():
        target = (out or root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    return list(texts)
