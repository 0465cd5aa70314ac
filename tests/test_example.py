"""The bundled example: its map, its published facts, and that every generated file can be written again."""

import csv
import math
from collections import Counter
from datetime import datetime
from itertools import combinations, pairwise
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, contains_properly, points

from cspmap.errors import SourceError
from cspmap.example import LAYOUT, TARGETS, write_example
from cspmap.example.__main__ import main
from cspmap.example.geography import CENTRE, HECTARES, outline, share_out
from cspmap.example.layout import Hexagon, read_layout
from cspmap.sources.hexmap import read_hexmap

ROOT = Path(__file__).resolve().parent.parent
YEARS = ("2003-04", "2004-05", "2005-06", "2006-07", "2007-08")

# Membership of the five areas, as the strategy prints it.
AREAS = {
    "South": {"Dallow", "Farley", "South"},
    "East": {"Crawley", "Round Green", "Stopsley", "Wigmore"},
    "North": {"Bramingham", "Icknield", "Limbury", "Northwell", "Sundon Park"},
    "Central": {"Barnfield", "Biscot", "High Town", "Saints"},
    "West": {"Challney", "Leagrave", "Lewsey"},
}


@pytest.fixture(scope="module")
def hexagons() -> list[Hexagon]:
    return read_layout(ROOT / LAYOUT)


@pytest.fixture(scope="module")
def layer() -> gpd.GeoDataFrame:
    return read_hexmap(ROOT / "geo" / "luton-hexagons.hexjson", centre=CENTRE, hectares=HECTARES)


@pytest.fixture(scope="module")
def wards() -> gpd.GeoDataFrame:
    return gpd.read_file(ROOT / "geo" / "luton-wards.geojson").set_index("name")


@pytest.fixture(scope="module")
def incidents(layer: gpd.GeoDataFrame) -> pd.DataFrame:
    """All incidents with the hexagon, ward and area that their point lies strictly inside."""
    frames = [
        pd.read_csv(ROOT / "data" / "incidents" / f"{year}.csv", dtype={"Easting": "Int64", "Northing": "Int64"})
        for year in YEARS
    ]
    frame = pd.concat(frames, keys=YEARS, names=["year", None]).reset_index(level=0)
    for end in ("from", "to"):
        frame[end] = pd.to_datetime(frame[f"Committed {end}"], format="%d/%m/%Y %H:%M")
    spots = frame[["Easting", "Northing"]].dropna().drop_duplicates().astype(float)
    at = points(spots.to_numpy())
    inside = {index: contains_properly(shape, at) for index, shape in layer.geometry.items()}
    spots["hexagon"] = pd.DataFrame(inside).idxmax(axis=1).map(layer["code"]).to_numpy()
    assert pd.DataFrame(inside).sum(axis=1).eq(1).all()
    frame = frame.merge(spots.astype({"Easting": "Int64", "Northing": "Int64"}), how="left", on=["Easting", "Northing"])
    area_of = {ward: area for area, names in AREAS.items() for ward in names}
    frame["ward"] = frame["hexagon"].map(layer.set_index("code")["ward_name"])
    frame["area"] = frame["ward"].map(area_of)
    return frame


@pytest.fixture(scope="module")
def published() -> dict[tuple[str, str], int]:
    with (ROOT / TARGETS).open(encoding="utf-8", newline="") as stream:
        return {(row["crime_type"], row["area"]): int(row["baseline_2004_05"]) for row in csv.DictReader(stream)}


def test_every_generated_file_is_written_again_byte_for_byte(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["--from", str(ROOT), "--out", str(tmp_path)])
    written = capsys.readouterr().out.split()
    assert len(written) == 11
    for path in written:
        assert (tmp_path / path).read_bytes() == (ROOT / path).read_bytes(), path
        assert b"\r" not in (tmp_path / path).read_bytes()


def test_example_is_written_in_place_by_default(tmp_path: Path) -> None:
    for path in (LAYOUT, TARGETS):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes((ROOT / path).read_bytes())
    for path in write_example(tmp_path):
        assert (tmp_path / path).is_file()


def test_bundled_files_stay_small() -> None:
    assert sum(path.stat().st_size for path in (ROOT / "data").rglob("*.csv")) < 7_000_000


# The map


def test_map_covers_the_printed_area_in_one_piece(layer: gpd.GeoDataFrame, wards: gpd.GeoDataFrame) -> None:
    assert len(layer) == 123
    for shapes in (layer.geometry, wards.geometry):
        whole = shapes.union_all()
        assert whole.area / 10_000 == pytest.approx(4_336, abs=0.01)
        assert isinstance(whole, Polygon)
        assert len(whole.interiors) == 0
        assert (whole.centroid.x, whole.centroid.y) == pytest.approx(CENTRE, abs=0.1)


def test_wards_are_the_dissolved_hexagons(layer: gpd.GeoDataFrame, wards: gpd.GeoDataFrame) -> None:
    dissolved = layer.dissolve("ward_name")
    assert len(wards) == 19
    assert wards.crs.to_epsg() == 27700
    for name, shape in wards.geometry.items():
        assert shape.is_valid
        assert shape.exterior.is_ccw
        assert shape.symmetric_difference(dissolved.geometry[name]).area == pytest.approx(0, abs=1e-6)


def test_wards_and_areas_are_contiguous_without_holes(wards: gpd.GeoDataFrame) -> None:
    assert {name: set(group.index) for name, group in wards.groupby("area")} == AREAS
    for shape in [*wards.geometry, *wards.dissolve("area").geometry]:
        assert isinstance(shape, Polygon)
        assert len(shape.interiors) == 0


def test_codes_are_plainly_not_official(layer: gpd.GeoDataFrame, wards: gpd.GeoDataFrame) -> None:
    assert layer["code"].is_unique
    row = layer.set_index("code").loc["high-town-03"]
    assert (row["name"], row["ward"], row["ward_name"]) == ("High Town 3", "luton-high-town", "High Town")
    assert not layer["code"].str.match(r"[EW]\d{8}").any()
    assert wards["code"].str.startswith("luton-").all()


def test_hexagons_are_numbered_as_one_reads(hexagons: list[Hexagon]) -> None:
    for before, after in pairwise(hexagons):
        if before.ward == after.ward:
            assert (-before.r, before.q) < (-after.r, after.q)


def test_wards_lie_where_residents_expect_them(wards: gpd.GeoDataFrame) -> None:
    middle = wards.geometry.centroid
    assert set(middle.x.nsmallest(4).index) == {"Lewsey", "Leagrave", "Challney", "Sundon Park"}
    assert middle.x.idxmax() == "Wigmore"
    assert middle.y.idxmax() == "Bramingham"
    assert set(middle.y.nsmallest(3).index) == {"Farley", "South", "Dallow"}
    assert middle.x["South"] > middle.x["Farley"]
    assert middle.y["Stopsley"] > middle.y["Round Green"] > middle.y["Crawley"]


def neighbours(shapes: gpd.GeoSeries, *, longer_than: float) -> set[tuple[str, str]]:
    # Generalised boundaries may leave slits, so both sides are widened by a metre; half of the overlap is border.
    wide = shapes.buffer(1)
    return {
        (a, b) for a, b in combinations(sorted(wide.index), 2) if wide[a].intersection(wide[b]).area / 2 > longer_than
    }


def test_map_keeps_the_real_wards_neighbours_and_places(wards: gpd.GeoDataFrame, shared_data: Path) -> None:
    real = gpd.read_file(shared_data / "boundaries" / "luton-wards-2013.geojson")
    real = real.to_crs(27700).set_index("WD13NM")
    touching, drawn = neighbours(real.geometry, longer_than=100), neighbours(wards.geometry, longer_than=100)
    assert len(touching) == 40
    assert len(touching & drawn) / len(touching) >= 0.95
    assert len(drawn - touching) / len(drawn) <= 0.05
    away = wards.geometry.centroid.distance(real.geometry.centroid.reindex(wards.index))
    assert away.mean() < 400
    assert away.max() < 1_000


def test_hexagons_are_in_proportion_to_residents(
    wards: gpd.GeoDataFrame, layer: gpd.GeoDataFrame, shared_data: Path
) -> None:
    real = gpd.read_file(shared_data / "boundaries" / "luton-wards-2013.geojson").to_crs(27700)
    lsoas = gpd.read_file(shared_data / "boundaries" / "luton-lsoa-2011.geojson").to_crs(27700)
    census = pd.read_csv(
        shared_data / "population" / "census-2011-lsoa-population-households-bedfordshire.csv", thousands=","
    )
    lsoas = lsoas.merge(census, left_on="LSOA11CD", right_on="LSOA Code")
    lsoas["density"] = lsoas["Persons"] / lsoas.area
    pieces = gpd.overlay(lsoas[["density", "geometry"]], real[["WD13NM", "geometry"]], keep_geom_type=True)
    residents = (pieces["density"] * pieces.area).groupby(pieces["WD13NM"]).sum()
    due = residents / residents.sum() * 123
    assert (layer["ward_name"].value_counts() - due).abs().max() < 1


@pytest.mark.parametrize(
    ("drawing", "complaint"),
    [
        ("Aa  Bb\n  Xx\n", r"row 2 of the drawing: 'Xx' at character 3"),
        ("Aa  Bb\nAa\n", r"row 1 of the drawing: 'Aa' at character 1"),
    ],
)
def test_faulty_drawing_is_refused(drawing: str, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "map.txt"
    path.write_text(f"# words\nAa  luton-a  Aa  South\nBb  luton-b  Bb  East\n\n{drawing}")
    with pytest.raises(SourceError, match=complaint):
        read_layout(path)


def test_outline_of_a_ring_is_refused() -> None:
    square = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
    block = [
        [(x + column, y + row) for x, y in square] for column in range(3) for row in range(3) if (column, row) != (1, 1)
    ]
    with pytest.raises(ValueError, match="without holes"):
        outline(block)
    assert len(outline(block[:3])) == 9


# Residents, households, deprivation


def test_residents_and_households_add_up(layer: gpd.GeoDataFrame) -> None:
    for stem, total, each in (("residents", 184_371, 1_500), ("households", 74_293, 604)):
        frame = pd.read_csv(ROOT / "data" / f"{stem}.csv")
        assert frame["code"].tolist() == layer["code"].tolist()
        assert frame[stem].sum() == total
        assert (frame[stem] - each).abs().max() <= 2


@given(st.integers(0, 10_000), st.lists(st.integers(1, 50), min_size=1, max_size=20))
def test_shares_add_up_and_stay_near_proportion(total: int, weights: list[int]) -> None:
    shares = share_out(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - total * weight / sum(weights)) < 1


def test_largest_remainder_gets_the_odd_one() -> None:
    assert share_out(10, [1, 2, 4]) == [1, 3, 6]  # 1.43, 2.86, 5.71


def test_deprivation_follows_the_strategy(layer: gpd.GeoDataFrame) -> None:
    frame = pd.read_csv(ROOT / "data" / "deprivation.csv")
    assert frame.columns.tolist() == [
        "LSOA code (2011)",
        "LSOA name (2011)",
        "Local Authority District code (2019)",
        "Local Authority District name (2019)",
        "Index of Multiple Deprivation (IMD) Score",
        "Index of Multiple Deprivation (IMD) Rank (where 1 is most deprived)",
        "Index of Multiple Deprivation (IMD) Decile (where 1 is most deprived 10% of LSOAs)",
    ]
    assert frame["LSOA code (2011)"].tolist() == layer["code"].tolist()
    score, rank, decile = (frame.iloc[:, column] for column in (4, 5, 6))
    assert decile.tolist() == [math.ceil(place / 3_284.4) for place in rank]
    assert rank.is_unique
    by_score = frame.assign(score=score, rank=rank).sort_values("score", ascending=False)
    assert by_score["rank"].is_monotonic_increasing
    by_ward = score.groupby(layer["ward_name"]).mean()
    assert set(by_ward.nlargest(4).index) == {"South", "High Town", "Dallow", "Biscot"}
    pockets = set(layer["ward_name"][decile <= 2]) - {"South", "High Town", "Dallow", "Biscot"}
    assert pockets == {"Northwell", "Sundon Park", "Lewsey", "Leagrave", "Farley"}
    assert frame["Local Authority District name (2019)"].eq("Luton (synthetic)").all()


# Incidents


def test_2004_05_is_the_published_baseline(incidents: pd.DataFrame, published: dict[tuple[str, str], int]) -> None:
    year = incidents[incidents["year"] == "2004-05"]
    counts = Counter(zip(year["Offence"], year["area"], strict=True))
    of_areas = {key: count for key, count in published.items() if key[0] != "TOTAL" and key[1] != "Luton"}
    assert len(of_areas) == 50
    assert {key: counts[key] for key in of_areas} == of_areas
    # Checked against the printed page, not against the file.
    assert counts["Theft of Vehicle", "South"] == 252
    assert counts["Domestic Burglary", "East"] == 443
    assert counts["Robbery", "West"] == 59
    assert year["area"].value_counts()["South"] == 5_070


def test_what_no_area_holds_has_no_location(incidents: pd.DataFrame) -> None:
    year = incidents[incidents["year"] == "2004-05"]
    assert year.loc[year["hexagon"].isna(), "Offence"].value_counts().to_dict() == {
        "Theft from Vehicle": 162,
        "Common Assault": 145,
        "Robbery": 109,
        "Domestic Burglary": 107,
        "Theft of Vehicle": 50,
        "Vehicle Interference": 38,
    }
    unlocated = incidents["hexagon"].isna()
    assert (incidents["Easting"].isna() == unlocated).all()
    assert (incidents["Street"].isna() == unlocated).all()
    assert unlocated.groupby(incidents["year"]).mean().between(0.039, 0.043).all()


def test_2003_04_is_the_level_that_the_targets_imply(incidents: pd.DataFrame) -> None:
    # Target over (1 - reduction), worked by hand from the printed page: 708 / 0.55, 2,338 / 0.70, ...
    assert incidents.loc[incidents["year"] == "2003-04", "Offence"].value_counts().to_dict() == {
        "Criminal Damage": 3_913,
        "Theft from Vehicle": 3_340,
        "Domestic Burglary": 2_752,
        "Wounding": 2_263,
        "Theft of Vehicle": 1_287,
        "Theft from Person": 969,
        "Common Assault": 625,
        "Robbery": 544,
        "Vehicle Interference": 340,
        "Theft of Cycle": 195,
    }


def test_some_targets_are_met_and_some_are_missed(incidents: pd.DataFrame) -> None:
    targets = pd.read_csv(ROOT / TARGETS).set_index(["area", "crime_type"])["target_2007_08"]
    targets.index.names = ["area", "Offence"]
    last = incidents[incidents["year"] == "2007-08"]
    areas = last.groupby(["area", "Offence"]).size()
    town = last.groupby("Offence").size()
    ratio = pd.concat([areas, pd.concat({"Luton": town}, names=["area"])]) / targets.drop("TOTAL", level=1)
    met, level, missed = (ratio <= 1).sum(), ratio.between(1, 1.02).sum(), (ratio > 1.02).sum()
    assert min(met, missed) >= 20
    assert level >= 5
    assert {(ratio["Luton"] <= 1).any(), (ratio["Luton"] > 1.02).any()} == {True}


def test_points_are_whole_metres_with_one_street_each(incidents: pd.DataFrame) -> None:
    spots = incidents[["Easting", "Northing", "Street", "hexagon"]].dropna().drop_duplicates()
    assert len(spots) == 123 * 8
    assert spots["Street"].is_unique
    assert spots["hexagon"].value_counts().eq(8).all()
    assert spots["Street"].str.contains("'").any()
    assert spots["Street"].str.fullmatch(r"[A-Z][A-Za-z' ]+").all()


def test_crime_numbers_are_unique_and_times_lie_in_their_year(incidents: pd.DataFrame) -> None:
    assert incidents["Crime number"].is_unique
    assert (incidents["to"] >= incidents["from"]).all()
    assert (incidents["to"] - incidents["from"]).max() <= pd.Timedelta(hours=16)
    for year, group in incidents.groupby("year"):
        start = int(str(year)[:4])
        assert group["from"].between(datetime(start, 4, 1), datetime(start + 1, 3, 31, 23, 59)).all()
        assert group["from"].is_monotonic_increasing
        assert group["from"].dt.to_period("M").nunique() == 12


def test_crimes_have_their_seasons_and_hours(incidents: pd.DataFrame) -> None:
    month = incidents["from"].dt.month
    summer = incidents[month.isin([6, 7, 8])]["Offence"].value_counts()
    winter = incidents[month.isin([11, 12, 1])]["Offence"].value_counts()
    assert summer["Domestic Burglary"] < 0.8 * winter["Domestic Burglary"]
    for kind in ("Criminal Damage", "Wounding"):
        assert summer[kind] > 1.2 * winter[kind]
    assert summer["Theft of Cycle"] > 2 * winter["Theft of Cycle"]
    # Where the moment is known, it falls as the audit found: noon to 8 pm and midnight to 1 am.
    seen = incidents[(incidents["Offence"] == "Domestic Burglary") & (incidents["from"] == incidents["to"])]
    hour = seen["from"].dt.hour
    assert (hour.between(12, 19) | (hour == 0)).mean() > 0.6
    overnight = incidents[incidents["Offence"] == "Theft from Vehicle"]
    assert (overnight["to"] - overnight["from"] > pd.Timedelta(hours=4)).mean() > 0.7


def test_the_audits_hotspots_are_hot(incidents: pd.DataFrame) -> None:
    ranked = incidents.groupby(["Offence", "hexagon"]).size().groupby(level=0, group_keys=False)
    hottest = {kind: set(counts.nlargest(8).index.get_level_values(1)) for kind, counts in ranked}
    for kind in ("Wounding", "Common Assault", "Robbery", "Theft from Person"):
        assert {"south-01", "south-04"} <= hottest[kind]
    for kind in ("Theft of Vehicle", "Theft from Vehicle", "Wounding"):
        assert "wigmore-07" in hottest[kind]
    homes = incidents[incidents["Offence"] == "Domestic Burglary"]["hexagon"].value_counts(normalize=True)
    assert homes.max() < 0.02  # the audit found no geographic pattern


def test_a_few_streets_hold_much_of_the_crime(incidents: pd.DataFrame) -> None:
    streets = incidents["Street"].value_counts(normalize=True)
    assert 0.08 < streets.head(10).sum() < 0.2
    assert streets.head(200).sum() > 0.5


def test_documentation_quotes_the_figures_as_they_are(
    incidents: pd.DataFrame, layer: gpd.GeoDataFrame, published: dict[tuple[str, str], int]
) -> None:
    text = (ROOT / "docs" / "example.md").read_text(encoding="utf-8")
    for year, count in incidents["year"].value_counts().items():
        assert f"| {year} | {count:,} |" in text
    for ward, count in layer["ward_name"].value_counts().items():
        assert f"| {ward} | {count} |" in text
    unlocated = incidents[(incidents["year"] == "2004-05") & incidents["hexagon"].isna()]["Offence"].value_counts()
    for (kind, area), town in published.items():
        if area == "Luton" and kind != "TOTAL":
            areas = sum(published[kind, name] for name in AREAS)
            held = f"{town - areas} without location" if town > areas else f"{areas:,} in the town"
            assert f"| {kind} | {town:,} | {areas:,} | {held} |" in text
            assert unlocated.get(kind, 0) == max(0, town - areas)
    by_street = incidents["Street"].value_counts()
    half = int((by_street.cumsum() < by_street.sum() / 2).sum()) + 1
    assert f"Half of the incidents are at {half} of them" in text.replace("\n  ", " ")
