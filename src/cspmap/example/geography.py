"""What the example says of its hexagons: wards dissolved from them, residents, households, deprivation."""

import csv
import io
import itertools
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from cspmap.analysis.apportionment import apportion
from cspmap.example.layout import Hexagon
from cspmap.sources.hexmap import Corners, place_hexagons

# The middle of the hexagons, a round point near where Luton's residents are centred, and the town's hectares and
# residents as the Community Safety Strategy for Luton 2005 to 2008 prints them (page 19).
CENTRE = (507_900, 222_900)
HECTARES = 4_336
RESIDENTS = 184_371
# 2011 Census, as in Luton Council's ward profile of April 2019.
HOUSEHOLDS = 74_293

# Synthetic scores. The strategy names the largest areas of deprivation (South, High Town, Dallow, Biscot) and
# pockets in others; the levels are ours.
_WARD_SCORES: Mapping[str, int] = {
    "Barnfield": 14, "Biscot": 38, "Bramingham": 13, "Challney": 24, "Crawley": 17, "Dallow": 41,
    "Farley": 25, "High Town": 36, "Icknield": 12, "Leagrave": 23, "Lewsey": 22, "Limbury": 16,
    "Northwell": 24, "Round Green": 19, "Saints": 26, "South": 39, "Stopsley": 13, "Sundon Park": 18,
    "Wigmore": 14,
}  # fmt: skip
_POCKETS: Mapping[str, int] = {
    "northwell-03": 24, "northwell-04": 27, "sundon-park-04": 20, "lewsey-07": 22, "lewsey-08": 18,
    "leagrave-01": 17, "farley-01": 21, "farley-04": 14,
}  # fmt: skip
# How a score becomes a rank: a rounded curve of our own through (score, share of England's areas that score more).
_RANK_CURVE = (
    (90, 0),
    (46, 10),
    (35, 20),
    (27, 30),
    (22, 40),
    (18, 50),
    (14, 60),
    (11, 70),
    (8, 80),
    (6, 90),
    (0, 100),
)
_ENGLAND_LSOAS = 32_844

_DEPRIVATION_HEADER = (
    "LSOA code (2011)",
    "LSOA name (2011)",
    "Local Authority District code (2019)",
    "Local Authority District name (2019)",
    "Index of Multiple Deprivation (IMD) Score",
    "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)",
    "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
)


def format_csv(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV with line feeds, the same on every machine."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in whole numbers in proportion to `weights` (`analysis.apportionment.apportion`)."""
    shares: list[int] = apportion(total, weights).tolist()
    return shares


def place_layout(hexagons: Sequence[Hexagon]) -> dict[str, Corners]:
    """The corners of each hexagon over the real town, by code (EPSG:27700)."""
    cells = [(hexagon.q, hexagon.r) for hexagon in hexagons]
    corners = place_hexagons(cells, layout="odd-r", centre=CENTRE, hectares=HECTARES)
    return {hexagon.code: ring for hexagon, ring in zip(hexagons, corners, strict=True)}


def format_residents(hexagons: Sequence[Hexagon]) -> str:
    """The town's residents spread evenly: what an equal-population map means."""
    residents = share_out(RESIDENTS, [1] * len(hexagons))
    return format_csv(("code", "residents"), zip((hexagon.code for hexagon in hexagons), residents, strict=True))


def format_households(hexagons: Sequence[Hexagon]) -> str:
    """The town's households, as evenly as its residents."""
    households = share_out(HOUSEHOLDS, [1] * len(hexagons))
    return format_csv(("code", "households"), zip((hexagon.code for hexagon in hexagons), households, strict=True))


def format_deprivation(hexagons: Sequence[Hexagon], *, seed: int) -> str:
    """Synthetic deprivation in the first seven columns of the Indices of Deprivation 2019, File 7."""
    draws = random.Random(seed)  # noqa: S311 - a simulation that must repeat, not a secret
    scores = {
        hexagon.code: _WARD_SCORES[hexagon.ward.name] + _POCKETS.get(hexagon.code, 0) + 8 * (draws.random() - 0.5)
        for hexagon in hexagons
    }
    ranks: dict[str, int] = {}
    for code in sorted(scores, key=lambda code: -scores[code]):
        # No two areas share a rank: where the curve gives the same one, the lower score takes the next.
        ranks[code] = max(_rank(scores[code]), max(ranks.values(), default=0) + 1)
    return format_csv(
        _DEPRIVATION_HEADER,
        (
            (
                hexagon.code,
                hexagon.name,
                "luton-example",
                "Luton (synthetic)",
                f"{scores[hexagon.code]:.3f}",
                ranks[hexagon.code],
                -(-ranks[hexagon.code] * 10 // _ENGLAND_LSOAS),
            )
            for hexagon in hexagons
        ),
    )


def _rank(score: float) -> int:
    for (above, share_above), (below, share_below) in itertools.pairwise(_RANK_CURVE):
        if score >= below:
            share = share_above + (above - score) / (above - below) * (share_below - share_above)
            return max(1, round(share / 100 * _ENGLAND_LSOAS))
    return _ENGLAND_LSOAS


def format_wards(hexagons: Sequence[Hexagon], places: Mapping[str, Corners]) -> str:
    """The wards as GeoJSON in EPSG:27700, each the outline of its hexagons."""
    wards = sorted({hexagon.ward for hexagon in hexagons}, key=lambda ward: ward.code)
    features = [
        {
            "type": "Feature",
            "properties": {"code": ward.code, "name": ward.name, "area": ward.area},
            "geometry": {
                "type": "Polygon",
                "coordinates": [outline([places[hexagon.code] for hexagon in hexagons if hexagon.ward == ward])],
            },
        }
        for ward in wards
    ]
    lines = ",\n".join(json.dumps(feature, separators=(",", ":")) for feature in features)
    crs = '{"type":"name","properties":{"name":"urn:ogc:def:crs:EPSG::27700"}}'
    return f'{{"type":"FeatureCollection","name":"luton-wards","crs":{crs},"features":[\n{lines}\n]}}\n'


def outline(rings: Sequence[Corners]) -> list[Any]:
    """The closed outline, anticlockwise, of polygons that touch along whole edges and leave no hole.

    An edge between two of them occurs once each way and cancels; what is left is the outline.
    """
    edges = {(a, b) for ring in rings for a, b in zip(ring, ring[1:] + ring[:1], strict=True)}
    following = {a: b for a, b in edges if (b, a) not in edges}
    start = point = min(following)
    path = [start]
    while (point := following.pop(point)) != start:
        path.append(point)
    if following:
        raise ValueError(f"the polygons do not make one piece without holes, got {len(following)} edges over")
    return [list(corner) for corner in [*path, start]]
