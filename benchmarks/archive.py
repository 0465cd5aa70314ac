"""An archive in the layout of data.police.uk's, of any length, from a seed: for builds larger than the real files.

python archive.py BOUNDARIES OUT ROWS MONTHS: points within the LSOAs of BOUNDARIES, the last month April 2024.
"""

import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv

FORCE = "bedfordshire"
POINTS_AN_LSOA = 80
UNLOCATED = 0.03
REPEATED = 0.001

ASB = "Anti-social behaviour"
SHARES = {
    ASB: 0.3,
    "Bicycle theft": 0.01,
    "Burglary": 0.05,
    "Criminal damage and arson": 0.07,
    "Drugs": 0.03,
    "Other crime": 0.02,
    "Other theft": 0.07,
    "Possession of weapons": 0.01,
    "Public order": 0.06,
    "Robbery": 0.01,
    "Shoplifting": 0.06,
    "Theft from the person": 0.01,
    "Vehicle crime": 0.07,
    "Violence and sexual offences": 0.23,
}
OUTCOMES = [
    "Investigation complete; no suspect identified",
    "Unable to prosecute suspect",
    "Status update unavailable",
    "Under investigation",
    "Local resolution",
]

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Places:
    """Points that incidents are put on, and how likely each is. The last is no place at all."""

    columns: dict[str, pa.Array]
    shares: npt.NDArray[np.float64]


def write_archive(boundaries: Path, out: Path, *, rows: int, months: int) -> None:
    """Write the archive: `rows` rows, evenly over `months` months."""
    generator = np.random.default_rng(2024)
    places = make_places(boundaries, generator)
    kinds, kind_shares = pa.array(SHARES), np.array(list(SHARES.values()))
    sizes = np.full(months, rows // months)
    sizes[: rows % months] += 1
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for number, size in enumerate(sizes):
            at = 2024 * 12 + 3 - (months - 1 - number)
            month = f"{at // 12:04}-{at % 12 + 1:02}"
            place = generator.choice(len(places.shares), int(size), p=places.shares)
            kind = generator.choice(len(kinds), int(size), p=kind_shares)
            table = make_month(month, places, place, kinds.take(pa.array(kind)), generator)
            with archive.open(f"{month}/{month}-{FORCE}-street.csv", "w") as file:
                csv.write_csv(table, file, csv.WriteOptions(quoting_style="none", quoting_header="none"))


def make_places(boundaries: Path, generator: np.random.Generator) -> Places:
    """The same number of points in every LSOA, most of them quiet and a few very busy."""
    codes: list[str] = []
    names: list[str] = []
    longitudes: list[npt.NDArray[np.float64]] = []
    latitudes: list[npt.NDArray[np.float64]] = []
    for file in sorted(boundaries.glob("*-lsoa-2021.geojson")):
        for area in gpd.read_file(file).itertuples():
            sampled = gpd.GeoSeries([area.geometry]).sample_points(POINTS_AN_LSOA, rng=generator)
            xy = sampled.get_coordinates().to_numpy().round(6)
            longitudes.append(xy[:, 0])
            latitudes.append(xy[:, 1])
            codes += [area.LSOA21CD] * len(xy)
            names += [area.LSOA21NM] * len(xy)
    busy = generator.lognormal(0, 1.5, len(codes))
    return Places(
        {
            "Longitude": pa.array([*np.concatenate(longitudes), None], pa.float64()),
            "Latitude": pa.array([*np.concatenate(latitudes), None], pa.float64()),
            "Location": pa.array([*(f"On or near Street {number % 9000}" for number in range(len(codes))), None]),
            "LSOA code": pa.array([*codes, None]),
            "LSOA name": pa.array([*names, None]),
        },
        np.append(busy / busy.sum() * (1 - UNLOCATED), UNLOCATED),
    )


def make_month(month: str, places: Places, place: Ints, kind: pa.Array, generator: np.random.Generator) -> pa.Table:
    """One month's rows in the publisher's columns; anti-social behaviour has neither identifier nor outcome."""
    size = len(place)
    asb = pa.compute.equal(kind, ASB)
    at = {name: column.take(pa.array(place)) for name, column in places.columns.items()}
    force = pa.array(["Bedfordshire Police"]).take(pa.array(np.zeros(size, dtype=np.int8)))
    outcome = pa.array(OUTCOMES).take(pa.array(generator.integers(len(OUTCOMES), size=size)))
    nothing = pa.nulls(size, pa.string())
    return pa.table(
        {
            "Crime ID": pa.compute.if_else(asb, nothing, make_ids(size, generator)),
            "Month": pa.array([month]).take(pa.array(np.zeros(size, dtype=np.int8))),
            "Reported by": force,
            "Falls within": force,
            "Longitude": at["Longitude"],
            "Latitude": at["Latitude"],
            "Location": at["Location"].fill_null("No Location"),
            "LSOA code": at["LSOA code"],
            "LSOA name": at["LSOA name"],
            "Crime type": kind,
            "Last outcome category": pa.compute.if_else(asb, nothing, outcome),
            "Context": nothing,
        }
    )


def make_ids(size: int, generator: np.random.Generator) -> pa.Array:
    """Identifiers of 64 hexadecimal digits, a few of them the same."""
    digits = pa.py_buffer(generator.bytes(32 * size).hex().encode())
    offsets = pa.py_buffer(np.arange(0, 64 * size + 1, 64, dtype=np.int32))
    ids = pa.StringArray.from_buffers(size, offsets, digits)
    chosen = np.arange(size)
    repeats = generator.random(size) < REPEATED
    chosen[repeats] = generator.integers(size, size=repeats.sum())
    return ids.take(pa.array(chosen))


if __name__ == "__main__":
    given = sys.argv[1:]
    write_archive(Path(given[0]), Path(given[1]), rows=int(given[2]), months=int(given[3]))
