"""A small made partnership: four square wards, eight LSOAs, incidents by the dozen, as the publishers' own files."""

import csv
import hashlib
import io
import json
import random
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from pyproj import Transformer
from shapely import box

from cspmap.build import BuildSummary, build_store
from cspmap.store import TABLES, Store

WEST, SOUTH, SIDE = 508_000.0, 222_000.0, 1000.0

# Two rows of two wards, each of two LSOAs side by side; their codes were new in 2021.
WARDS = {"w1": "Ash", "w2": "Beech", "w3": "Cedar", "w4": "Dale"}
LSOAS = {ward: (f"E010338{2 * row:02d}", f"E010338{2 * row + 1:02d}") for row, ward in enumerate(WARDS, 10)}
RESIDENTS = {code: 1000 + 100 * row for row, code in enumerate(code for pair in LSOAS.values() for code in pair)}
HOUSEHOLDS = {code: people // 2 for code, people in RESIDENTS.items()}

ASB = "Anti-social behaviour"
KINDS = (ASB, "Burglary", "Drugs", "Robbery", "Vehicle crime")

COLUMNS = (
    *("Crime ID", "Month", "Reported by", "Falls within", "Longitude", "Latitude", "Location", "LSOA code"),
    *("LSOA name", "Crime type", "Last outcome category", "Context"),
)

_TO_DEGREES = Transformer.from_crs(27700, 4326, always_xy=True)

TOML = """
[partnership]
name = "Exampleton Community Safety Partnership"
place = "Exampleton"
boundary = "ward"
licences = ["Made up for tests."]

[[layers]]
key = "lsoa21"
name = "LSOA"
plural = "LSOAs"
file = "lsoas.geojson"

[[layers]]
key = "ward"
name = "Ward"
file = "wards.geojson"

[[layers]]
key = "hex"
name = "Hexagon"
file = "wards.hexjson"
figures_of = "ward"
hexmap = {{ easting = 509000, northing = 223000, hectares = 400 }}

[[layers]]
key = "area"
name = "Area"
made_of = "ward"

{areas}

[[crime_groups]]
key = "acquisitive"
name = "Acquisitive crime"
types = ["burglary", "robbery", "vehicle-crime"]

[[denominators]]
key = "residents"
name = "residents"
year = 2022
layer = "lsoa21"
file = "people.csv"
source = "Made residents"
code_column = "code"
value_column = "residents"

[[denominators]]
key = "households"
name = "households"
year = 2021
layer = "lsoa21"
file = "people.csv"
source = "Made households"
code_column = "code"
value_column = "households"

[[deprivation]]
year = 2025
layer = "lsoa21"
file = "deprivation.csv"
source = "Made deprivation"

{incidents}
"""

AREAS = """
[[areas]]
name = "Left"
wards = ["Ash", "Cedar"]

[[areas]]
name = "Right"
wards = ["Beech", "Dale"]
"""

POLICE = """
[[incidents]]
format = "police.uk"
file = "{file}"
force = "bedfordshire"
covers = "{covers}"
source = "{source}"
"""


@dataclass(frozen=True)
class Incident:
    """One row to publish. `lsoa` is where its point lies: an LSOA, "outside" the partnership, or None: unlocated."""

    kind: str
    lsoa: str | None
    identifier: str | None = None
    step: int = 0
    outcome: str = ""

    @property
    def ward(self) -> str | None:
        """The ward that its point lies in."""
        return next((ward for ward, codes in LSOAS.items() if self.lsoa in codes), None)


def name_id(number: int) -> str:
    """A crime identifier as the publisher writes them."""
    return hashlib.sha256(str(number).encode()).hexdigest()


def make_incidents(seed: int, size: int) -> list[Incident]:
    """A month's worth at random: every tenth without a location, every tenth outside, ASB without identifier."""
    chance = random.Random(seed)
    places = [None, "outside", *[code for pair in LSOAS.values() for code in pair]]
    rows = []
    for number in range(size):
        kind = chance.choice(KINDS)
        identifier = None if kind == ASB else name_id(seed * 100_000 + number)
        rows.append(Incident(kind, chance.choice(places), identifier, chance.randrange(5)))
    return rows


def ward_box(ward: str) -> tuple[float, float, float, float]:
    """West, south, east and north of a ward in EPSG:27700."""
    row, column = divmod(list(WARDS).index(ward), 2)
    west, south = WEST + column * SIDE, SOUTH + row * SIDE
    return west, south, west + SIDE, south + SIDE


def lsoa_box(code: str) -> tuple[float, float, float, float]:
    """West, south, east and north of an LSOA in EPSG:27700."""
    ward = next(ward for ward, codes in LSOAS.items() if code in codes)
    west, south, _, north = ward_box(ward)
    west += LSOAS[ward].index(code) * SIDE / 2
    return west, south, west + SIDE / 2, north


def locate(incident: Incident) -> tuple[float, float] | None:
    """Longitude and latitude of an incident, well inside its LSOA or 5 km away from all."""
    if incident.lsoa is None:
        return None
    west, south = (WEST - 5000, SOUTH) if incident.lsoa == "outside" else lsoa_box(incident.lsoa)[:2]
    longitude, latitude = _TO_DEGREES.transform(west + 50 + 20 * incident.step, south + 500)
    return round(longitude, 6), round(latitude, 6)


def write_street_csv(month: str, incidents: Sequence[Incident]) -> str:
    """A month's street-level file as data.police.uk publishes it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in incidents:
        point = locate(row)
        lsoa = "E01017000" if row.lsoa == "outside" else row.lsoa
        place: list[object] = ["", "", "No Location", "", ""]
        if point is not None:
            place = [*point, f"On or near Street {row.step}", lsoa, f"Name of {lsoa}"]
        force = "Bedfordshire Police"
        writer.writerow([row.identifier or "", month, force, force, *place, row.kind, row.outcome, ""])
    return text.getvalue()


def write_archive(path: Path, months: Mapping[str, Sequence[Incident]]) -> None:
    """Street-level files of several months in the layout of the publisher's archive; the same bytes for the same."""
    with zipfile.ZipFile(path, "w") as archive:
        for month, incidents in months.items():
            name = f"{month}/{month}-bedfordshire-street.csv"
            archive.writestr(zipfile.ZipInfo(name, (2024, 6, 1, 0, 0, 0)), write_street_csv(month, incidents))


@dataclass
class Made:
    """The partnership's folder: change `months` (by archive), then `build`."""

    folder: Path
    root: Path
    months: dict[str, dict[str, list[Incident]]] = field(default_factory=dict)
    covers: dict[str, str] = field(default_factory=dict)
    areas: str = AREAS

    @classmethod
    def begin(cls, folder: Path) -> "Made":
        """Write the files that stay as they are."""
        made = cls(folder / "data", folder / "store")
        made.folder.mkdir(parents=True)
        wards = {"code": list(WARDS), "name": list(WARDS.values())}
        shapes = [box(*ward_box(ward)) for ward in WARDS]
        gpd.GeoDataFrame(wards, geometry=shapes, crs=27700).to_file(made.folder / "wards.geojson")
        codes = list(RESIDENTS)
        lsoas = {"LSOA21CD": codes, "LSOA21NM": [f"Exampleton {code}" for code in codes]}
        shapes = [box(*lsoa_box(code)) for code in codes]
        gpd.GeoDataFrame(lsoas, geometry=shapes, crs=27700).to_file(made.folder / "lsoas.geojson")
        hexes = {ward: {"n": name, "q": row % 2, "r": row // 2} for row, (ward, name) in enumerate(WARDS.items())}
        (made.folder / "wards.hexjson").write_text(json.dumps({"layout": "odd-r", "hexes": hexes}), "utf-8")
        people = {"code": codes, "residents": RESIDENTS.values(), "households": HOUSEHOLDS.values()}
        pd.DataFrame(people).to_csv(made.folder / "people.csv", index=False)
        index = "Index of Multiple Deprivation (IMD)"
        deprivation = {
            "LSOA code (2021)": codes,
            "LSOA name (2021)": codes,
            "Local Authority District code (2024)": "E06000999",
            "Local Authority District name (2024)": "Exampleton",
            f"{index} Score": [40.5 - 5 * row for row in range(len(codes))],
            f"{index} Rank (where 1 is most deprived)": [100 + 4000 * row for row in range(len(codes))],
            f"{index} Decile (where 1 is most deprived 10% of LSOAs)": [1 + row for row in range(len(codes))],
        }
        pd.DataFrame(deprivation).to_csv(made.folder / "deprivation.csv", index=False)
        return made

    @property
    def toml(self) -> Path:
        """The partnership file."""
        return self.folder / "partnership.toml"

    def save(self) -> None:
        """Write the archives and the partnership file that lists them in order."""
        for name, months in self.months.items():
            write_archive(self.folder / name, months)
        sources = [
            POLICE.format(file=name, covers=self.covers.get(name, "force"), source=f"Made {name}")
            for name in self.months
        ]
        self.toml.write_text(TOML.format(areas=self.areas, incidents="".join(sources)), "utf-8")

    def build(self, root: Path | None = None) -> BuildSummary:
        """Save, and build the store (or another)."""
        self.save()
        return build_store(self.toml, data=None, root=root or self.root)


def find_row(table: pd.DataFrame, **where: object) -> dict[str, Any]:
    """The one row of a table in which columns have these values."""
    for column, value in where.items():
        table = table[table[column] == value]
    (row,) = table.to_dict("records")
    return {str(column): value for column, value in row.items()}


def read_all(store: Store) -> dict[str, pd.DataFrame | bytes]:
    """Everything that a version holds, to be compared: tables, layers, incidents by month, boundaries."""
    found: dict[str, pd.DataFrame | bytes] = {name: store.read_table(name) for name in TABLES}
    for layer in store.partnership.layers:
        found[f"layer {layer.key}"] = pd.DataFrame(store.read_layer(layer.key).to_wkb())
        found[f"web {layer.key}"] = (store.web / f"{layer.key}.json").read_bytes()
    for month in store.months:
        found[f"incidents {month}"] = pd.read_parquet(store.folder / "incidents" / f"{month}.parquet")
    return found


def assert_same(one: Store, other: Store) -> None:
    """Two versions hold the same, to the last row."""
    first, second = read_all(one), read_all(other)
    assert first.keys() == second.keys()
    for name, table in first.items():
        twin = second[name]
        if isinstance(table, bytes) or isinstance(twin, bytes):
            assert table == twin, name
        else:
            pd.testing.assert_frame_equal(table, twin, obj=name)
