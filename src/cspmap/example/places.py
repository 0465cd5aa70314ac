"""Where the example's incidents happen: made-up street points, and how hot each hexagon is for which crime."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cspmap.example.layout import Hexagon
from cspmap.sources.hexmap import Corners

POINTS_PER_HEXAGON = 8
# Points keep clear of the hexagon's edge (share of its size) and of each other (metres).
_REACH = 0.93
_SPACING = 110

# Every name is made up of a first part, a second and a kind; a few places have names of their own.
_FIRSTS = (
    "Amber", "Brindle", "Corbel", "Dapple", "Ember", "Fettle", "Gable", "Heron", "Inkle", "Jasper", "Kestrel",
    "Lantern", "Mallow", "Nettle", "Orchil", "Pebble",
)  # fmt: skip
_SECONDS = ("bourne", "combe", "dene", "garth", "hurst", "mere", "stow", "wick")
_KINDS = ("Road", "Street", "Avenue", "Close", "Way", "Lane", "Drive", "Rise")
_NAMED: Mapping[str, Sequence[str]] = {
    "south-01": ("Draper's Arcade", "Bus Station Forecourt", "Corn Market Yard"),
    "south-02": ("Railway Forecourt",),
    "south-04": ("Old Brewery Court",),
    "high-town-04": ("Saddler's Row",),
    "farley-07": ("King's Furlong",),
    "wigmore-06": ("Long Stay Car Park", "Hangar Row"),
    "wigmore-07": ("Airport Terminal Forecourt", "Short Stay Car Park"),
}

# Hotspots that the strategy's audit names: the town centre with its surrounds, and the airport.
_TOWN_CENTRE: Mapping[str, int] = {"south-01": 10, "south-02": 5, "south-04": 6, "high-town-04": 3, "biscot-10": 3}
_AIRPORT: Mapping[str, int] = {"wigmore-06": 4, "wigmore-07": 8, "south-06": 4}
_RETAIL: Mapping[str, int] = {"south-01": 60, "south-02": 14, "south-04": 20, "leagrave-06": 5, "saints-05": 4}
_HOTSPOTS: Mapping[str, Mapping[str, int]] = {
    "Theft of Vehicle": {**_AIRPORT, "south-02": 3},
    "Theft from Vehicle": {**_AIRPORT, "south-01": 5, "south-02": 4, "south-04": 4},
    "Vehicle Interference": {**_AIRPORT, "south-01": 4},
    "Domestic Burglary": {},
    "Theft of Cycle": {"south-01": 8, "south-02": 6, "high-town-04": 3},
    "Theft from Person": _RETAIL,
    "Criminal Damage": {"south-01": 4, "south-04": 3, "northwell-03": 3, "lewsey-08": 2},
    "Common Assault": {**_TOWN_CENTRE, "wigmore-07": 5},
    "Wounding": {**_TOWN_CENTRE, "wigmore-07": 5},
    "Robbery": {**_TOWN_CENTRE, "biscot-09": 4},
}

# Hexagons that grow hotter or cool down over the five years, whatever the crime: per cent of their usual weight.
_DRIFTS: Mapping[str, tuple[int, int, int, int, int]] = {
    "lewsey-07": (60, 80, 140, 220, 320),
    "round-green-06": (90, 100, 130, 180, 240),
    "northwell-04": (320, 260, 160, 90, 60),
    "dallow-06": (260, 220, 150, 100, 80),
}

# How the crimes of a hexagon spread over its points, busiest first. Homes are burgled everywhere.
_CONCENTRATED = (38, 19, 12, 9, 7, 6, 5, 4)
_EVEN = (16, 14, 13, 12, 12, 11, 11, 11)


@dataclass(frozen=True)
class Point:
    """A street point: whole metres in EPSG:27700, and the name of the street."""

    easting: int
    northing: int
    street: str


def place_points(hexagons: Sequence[Hexagon], places: Mapping[str, Corners], *, seed: int) -> dict[str, list[Point]]:
    """The street points of each hexagon by its code, strictly inside it; every street is at one point only."""
    draws = random.Random(seed)  # noqa: S311 - a simulation that must repeat, not a secret
    stems = [first + second for first in _FIRSTS for second in _SECONDS][: len(hexagons)]
    streets = [f"{stem} {kind}" for kind in _KINDS for stem in stems]
    streets.sort(key=lambda _: draws.random())
    points: dict[str, list[Point]] = {}
    for hexagon in hexagons:
        spots = _scatter(places[hexagon.code], draws)
        own = [streets.pop() for _ in spots]
        named = _NAMED.get(hexagon.code, ())
        own[: len(named)] = named
        points[hexagon.code] = [Point(*spot, street) for spot, street in zip(spots, own, strict=True)]
    return points


def _scatter(ring: Corners, draws: random.Random) -> list[tuple[int, int]]:
    """Spots in whole metres inside a pointy-topped hexagon, none near another."""
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    middle_x, middle_y = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    half_width, radius = (max(xs) - min(xs)) / 2, (max(ys) - min(ys)) / 2
    spots: list[tuple[int, int]] = []
    while len(spots) < POINTS_PER_HEXAGON:
        dx = (2 * draws.random() - 1) * _REACH * half_width
        dy = (2 * draws.random() - 1) * _REACH * radius
        spot = round(middle_x + dx), round(middle_y + dy)
        # The slanting side falls by half the radius over the half width.
        inside = abs(dy) <= _REACH * radius - abs(dx) / half_width * radius / 2
        clear = all((spot[0] - x) ** 2 + (spot[1] - y) ** 2 >= _SPACING**2 for x, y in spots)
        if inside and clear:
            spots.append(spot)
    return spots


def weigh_hexagons(hexagons: Sequence[Hexagon], *, seed: int) -> dict[tuple[str, str], list[int]]:
    """By crime type and hexagon code, a whole weight for each of the five years.

    A chance weight (some places are simply busier; burglary hardly so) times the hotspots and drifts above.
    """
    draws = random.Random(seed)  # noqa: S311 - a simulation that must repeat, not a secret
    weights: dict[tuple[str, str], list[int]] = {}
    for hexagon in hexagons:
        busy = draws.random()
        for crime_type, hotspots in _HOTSPOTS.items():
            own = (busy + draws.random()) / 2
            chance = 100 + int(40 * own) if crime_type == "Domestic Burglary" else 30 + int(400 * own * own * own)
            usual = chance * hotspots.get(hexagon.code, 1)
            drift = _DRIFTS.get(hexagon.code, (100,) * 5)
            weights[crime_type, hexagon.code] = [usual * percent // 100 for percent in drift]
    return weights


def weigh_points(crime_type: str) -> tuple[int, ...]:
    """How a crime type spreads over the points of a hexagon, in their order."""
    return _EVEN if crime_type == "Domestic Burglary" else _CONCENTRATED
