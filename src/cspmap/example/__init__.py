"""The bundled example: Luton's published facts on a geography of our own making, with simulated incidents.

`write_example` writes every generated file byte for byte from two masters, the drawing of the hexagons and the
published targets. What is published, what is illustrative and what is simulated: docs/example.md.
"""

from pathlib import Path

from cspmap.example.geography import (
    HOUSEHOLDS,
    RESIDENTS,
    format_deprivation,
    format_households,
    format_residents,
    format_wards,
    place_layout,
)
from cspmap.example.incidents import simulate_year
from cspmap.example.layout import format_hexjson, read_layout
from cspmap.example.peers import simulate_peers
from cspmap.example.places import place_points, weigh_hexagons
from cspmap.example.totals import YEARS, read_published, total_year

LAYOUT = Path("geo", "luton-hexagons.txt")
TARGETS = Path("data", "published", "luton-2005-08.csv")
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
    published = read_published(root / TARGETS)
    texts[Path("data", "recorded-crime.csv")] = simulate_peers(
        total_year(published, YEARS[-1]),
        total_year(published, YEARS[-2]),
        residents=RESIDENTS,
        households=HOUSEHOLDS,
        seed=SEED,
    )
    points = place_points(hexagons, places, seed=SEED)
    weights = weigh_hexagons(hexagons, seed=SEED)
    for year in YEARS:
        texts[Path("data", "incidents", f"{year}.csv")] = simulate_year(
            year, total_year(published, year), hexagons, points, weights, seed=SEED
        )
    for path, text in texts.items():
        target = (out or root) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode())
    return list(texts)
