"""The naive way to build: read every CSV, geopandas.sjoin with every layer, count by area, month and crime type.

python naive_build.py ARCHIVE BOUNDARIES OUT [MONTHS]: the first MONTHS files of the archive, or all of them.
"""

import sys
import zipfile
from pathlib import Path

import geopandas as gpd
import pandas as pd

LAYERS = ("luton-lsoa-2021", "luton-lsoa-2011", "luton-wards-2013", "luton-wards-2025")
WARDS = "luton-wards-2013"
AREAS = {
    "South": ["Dallow", "Farley", "South"],
    "East": ["Crawley", "Round Green", "Stopsley", "Wigmore"],
    "North": ["Bramingham", "Icknield", "Limbury", "Northwell", "Sundon Park"],
    "Central": ["Barnfield", "Biscot", "High Town", "Saints"],
    "West": ["Challney", "Leagrave", "Lewsey"],
}


def build(archive: Path, boundaries: Path, out: Path, *, months: int | None) -> None:
    with zipfile.ZipFile(archive) as members:
        names = sorted(name for name in members.namelist() if name.endswith("-street.csv"))[:months]
        crimes = pd.concat([pd.read_csv(members.open(name)) for name in names], ignore_index=True)
    named = crimes[crimes["Crime ID"].notna()].drop_duplicates("Crime ID", keep="last")
    crimes = pd.concat([named, crimes[crimes["Crime ID"].isna()]])
    points = gpd.GeoDataFrame(
        crimes, geometry=gpd.points_from_xy(crimes["Longitude"], crimes["Latitude"]), crs=4326
    ).to_crs(27700)
    area_of_ward = {ward: area for area, wards in AREAS.items() for ward in wards}
    for layer in LAYERS:
        areas = gpd.read_file(boundaries / f"{layer}.geojson").to_crs(27700)
        joined = gpd.sjoin(points, areas, predicate="within")
        code = next(name for name in areas.columns if name.endswith("CD"))
        count(joined, code, out / f"{layer}.parquet")
        if layer == WARDS:
            count(joined.assign(area=joined["WD13NM"].map(area_of_ward)), "area", out / "areas.parquet")
    points.to_parquet(out / "incidents.parquet")


def count(joined: pd.DataFrame, column: str, path: Path) -> None:
    joined.groupby([column, "Month", "Crime type"]).size().rename("count").reset_index().to_parquet(path)


if __name__ == "__main__":
    given = sys.argv[1:]
    build(Path(given[0]), Path(given[1]), Path(given[2]), months=int(given[3]) if given[3:] else None)
