import json
import shutil
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shapely import Geometry, GeometryCollection, LineString, MultiPolygon, Point, Polygon, box

from cspmap.codes import CSP, LAD, LSOA11, LSOA21, OA11, CodeType, ward
from cspmap.errors import PartnershipError, SourceError, UserError
from cspmap.partnership import Area
from cspmap.periods import Month
from cspmap.sources.boundaries import BoundaryFile, dissolve_areas, list_members, note_left_out, read_boundaries

EAST, NORTH = 508_000, 222_000
CODES = ["E05000003", "E05000001", "E05000002"]
NAMES = ["Marsh", "Hill", "Dale"]


def square(column: int, row: int = 0, *, side: float = 1_000) -> Polygon:
    """A square of 100 ha, unless `side` says otherwise, on a grid near Luton."""
    west, south = EAST + column * 1_000, NORTH + row * 1_000
    return box(west, south, west + side, south + side)


def make_frame(shapes: Sequence[Geometry | None] | None = None, **columns: list[Any]) -> gpd.GeoDataFrame:
    """Three wards in a row, in British National Grid, out of the order of their codes."""
    shapes = [square(2), square(0), square(1)] if shapes is None else shapes
    columns = columns or {"WD25CD": CODES[: len(shapes)], "WD25NM": NAMES[: len(shapes)]}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs="EPSG:27700")


def write_geojson(path: Path, frame: gpd.GeoDataFrame, **members: Any) -> Path:
    """GeoJSON as text, its coordinates those of the frame, with any further members such as crs."""
    document = json.loads(frame.to_json(to_wgs84=False, drop_id=True))
    document.pop("crs", None)
    path.write_text(json.dumps({**document, **members}), encoding="utf-8")
    return path


def name_crs(name: str) -> dict[str, Any]:
    return {"type": "name", "properties": {"name": name}}


BNG = name_crs("urn:ogc:def:crs:EPSG::27700")


def complaint(path: Path, **options: Any) -> str:
    with pytest.raises(SourceError) as error:
        read_boundaries(path, **options)
    return str(error.value)


def assert_is_three_wards(file: BoundaryFile) -> None:
    frame = file.frame
    assert list(frame.columns) == ["code", "name", "geometry"]
    assert list(frame.index) == [0, 1, 2]
    assert list(frame["code"]) == sorted(CODES)
    assert list(frame["name"]) == ["Hill", "Dale", "Marsh"]
    assert frame.crs == "EPSG:27700"
    assert set(frame.geom_type) == {"Polygon"}
    expected = [square(0), square(1), square(2)]
    assert (shapely.hausdorff_distance(frame.geometry.to_numpy(), expected) < 0.01).all()
    assert file.code_type == ward(2025)
    assert file.notes == ()


def save_geojson(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    return write_geojson(folder / "wards.geojson", frame.to_crs(4326))


def save_geojson_in_grid(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    return write_geojson(folder / "wards.json", frame, crs=BNG)


def save_geojson_of_2008(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    return write_geojson(folder / "wards.geojson", frame.to_crs(4326), crs=name_crs("urn:ogc:def:crs:OGC:1.3:CRS84"))


def save_geopackage(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    path = folder / "wards.gpkg"
    frame.to_file(path, layer="wards")
    gpd.GeoDataFrame({"note": ["x"]}, geometry=[Point(EAST, NORTH)], crs=27700).to_file(path, layer="points")
    return path


def save_geopackage_in_web_mercator(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.to_crs(3857).to_file(folder / "wards.gpkg")
    return folder / "wards.gpkg"


def save_shapefile(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    frame.to_file(folder / "wards.shp")
    return folder / "wards.shp"


def save_shapefile_in_folder(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    (folder / "deep" / "er").mkdir(parents=True)
    save_shapefile(folder / "deep" / "er", frame)
    return folder / "deep"


def zip_folder(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, file.relative_to(folder))
        archive.writestr("__MACOSX/._wards.shp", b"left by a Mac")
    return target


def save_zipped_shapefile(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    (folder / "inner" / "c#").mkdir(parents=True)
    save_shapefile(folder / "inner" / "c#", frame)
    (folder / "inner" / "c#").rename(folder / "inner" / "c# d!")
    return zip_folder(folder / "inner", folder / "the wards! (2025).ZIP")


def save_zipped_geojson(folder: Path, frame: gpd.GeoDataFrame) -> Path:
    (folder / "inner").mkdir()
    save_geojson_in_grid(folder / "inner", frame)
    return zip_folder(folder / "inner", folder / "wards.zip")


@pytest.mark.parametrize(
    "save",
    [
        save_geojson,
        save_geojson_in_grid,
        save_geojson_of_2008,
        save_geopackage,
        save_geopackage_in_web_mercator,
        save_shapefile,
        save_shapefile_in_folder,
        save_zipped_shapefile,
        save_zipped_geojson,
    ],
)
def test_every_format_and_coordinate_system_gives_the_same_layer(
    tmp_path: Path, save: Callable[[Path, gpd.GeoDataFrame], Path]
) -> None:
    assert_is_three_wards(read_boundaries(save(tmp_path, make_frame())))


def test_a_shapefile_with_extensions_in_capitals_is_read(tmp_path: Path) -> None:
    save_shapefile(tmp_path, make_frame())
    for file in list(tmp_path.iterdir()):
        file.rename(file.with_suffix(file.suffix.upper()))
    assert_is_three_wards(read_boundaries(tmp_path / "wards.SHP"))


def test_multipolygons_of_one_part_come_out_as_polygons(tmp_path: Path) -> None:
    frame = make_frame([MultiPolygon([shape]) for shape in make_frame().geometry])
    assert_is_three_wards(read_boundaries(save_geopackage(tmp_path, frame)))


# What cannot be opened.


@pytest.mark.parametrize("suffix", [".prj", ".dbf", ".shx"])
@pytest.mark.parametrize("zipped", [False, True])
def test_a_shapefile_without_one_of_its_files_says_which(tmp_path: Path, suffix: str, zipped: bool) -> None:
    (tmp_path / "in").mkdir()
    path = save_shapefile(tmp_path / "in", make_frame())
    path.with_suffix(suffix).unlink()
    if zipped:
        path = zip_folder(tmp_path / "in", tmp_path / "wards.zip")
    whole = "put all files of the shapefile together: .shp, .shx, .dbf and .prj."
    assert (
        complaint(path)
        == {
            ".prj": f"{path.name}: it does not say which coordinate system it is in; "
            "save it again with one, such as EPSG:27700, or add the .prj file that belongs to a shapefile.",
            ".dbf": f"{path.name}: the shapefile lacks its .dbf file, which holds the codes and names; {whole}",
            ".shx": f"{path.name}: the shapefile lacks its .shx file, which holds the index of its shapes; {whole}",
        }[suffix]
    )


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_a_geopackage_without_a_coordinate_system_is_not_guessed_at(tmp_path: Path) -> None:
    make_frame().set_crs(None, allow_override=True).to_file(tmp_path / "wards.gpkg")
    assert "wards.gpkg: it does not say which coordinate system it is in; " in complaint(tmp_path / "wards.gpkg")


@pytest.mark.parametrize("member", [None, "EPSG:27700", {"type": "name"}, name_crs("nonsense"), {"properties": None}])
def test_a_crs_member_that_names_no_system_is_not_guessed_at(tmp_path: Path, member: object) -> None:
    path = write_geojson(tmp_path / "w.geojson", make_frame().to_crs(4326), crs=member)
    assert complaint(path) == (
        f"w.geojson: its crs member names no known coordinate system ({json.dumps(member)}); "
        "save the file again in a known one, such as EPSG:27700."
    )


def test_an_attribute_called_crs_is_no_crs_member(tmp_path: Path) -> None:
    frame = make_frame(WD25CD=CODES, WD25NM=NAMES, crs=["nonsense"] * 3)
    assert_is_three_wards(read_boundaries(save_geojson(tmp_path, frame)))


def test_several_layers_of_polygons_are_listed(tmp_path: Path) -> None:
    for layer in ("wards", "districts"):
        make_frame().to_file(tmp_path / "all.gpkg", layer=layer)
    assert complaint(tmp_path / "all.gpkg") == (
        "all.gpkg: it holds 2 layers of polygons (wards, districts); save the one that is wanted as a file of its own."
    )


def test_a_file_of_points_says_so(tmp_path: Path) -> None:
    make_frame([Point(EAST, NORTH)] * 3).to_file(tmp_path / "points.gpkg")
    assert complaint(tmp_path / "points.gpkg") == (
        "points.gpkg: it holds no polygons, only Point; give the boundaries of areas."
    )


@pytest.mark.parametrize("zipped", [False, True])
def test_several_files_are_listed(tmp_path: Path, zipped: bool) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a", "b", "c", "d"):
        (folder / f"{name}.geojson").touch()
    path = zip_folder(folder, tmp_path / "all.zip") if zipped else folder
    told = complaint(path).removeprefix(f"{path.name}: ")
    expected = "it holds 4 boundary files (a.geojson, b.geojson, c.geojson and 1 more); keep one of them in it."
    # The Mac's shadow file in the zip file is not one of them.
    assert told == expected


FORMATS = "give GeoJSON (.geojson, .json), GeoPackage (.gpkg) or shapefile (.shp, its folder, or either zipped)."


def test_a_folder_without_boundaries_says_so(tmp_path: Path) -> None:
    (tmp_path / "readme.txt").touch()
    assert complaint(tmp_path) == f"{tmp_path.name}: there is no boundary file in it; {FORMATS}"


def test_other_kinds_of_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "wards.kml").touch()
    assert complaint(tmp_path / "wards.kml") == (
        f"wards.kml: it is not a kind of boundary file that is read here; {FORMATS}"
    )


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert complaint(tmp_path / "wards.gpkg") == "wards.gpkg: it is not there; check the name."


def test_a_damaged_zip_file_is_told(tmp_path: Path) -> None:
    path = save_zipped_shapefile(tmp_path, make_frame())
    path.write_bytes(path.read_bytes()[:-40])
    assert complaint(path) == (
        f"{path.name}: it cannot be opened as a zip file (File is not a zip file); fetch or make it again."
    )


def test_a_path_that_the_reader_would_misread_is_told(tmp_path: Path) -> None:
    path = save_geopackage(tmp_path, make_frame()).rename(tmp_path / "new!.gpkg")
    assert complaint(path) == "new!.gpkg: there is an exclamation mark in its name or its folder's; rename it."
    assert_is_three_wards(read_boundaries(save_geojson(tmp_path, make_frame()).rename(tmp_path / "new!.geojson")))


@pytest.mark.parametrize("cut", [0, 200])
def test_a_file_that_was_cut_short_is_told(tmp_path: Path, cut: int) -> None:
    path = save_geojson(tmp_path, make_frame())
    path.write_bytes(path.read_bytes()[:cut])
    told = complaint(path)
    assert told.startswith("wards.geojson: it cannot be read as boundaries (")
    assert told.endswith(f"); {FORMATS}")
    assert "\n" not in told


def test_a_damaged_geopackage_is_told(tmp_path: Path) -> None:
    path = save_geopackage(tmp_path, make_frame())
    path.write_bytes(b"SQLite format 3\0" + bytes(2_000))
    assert complaint(path).startswith("wards.gpkg: it cannot be read as boundaries (")


def test_json_that_tells_gdal_to_run_something_is_not_obeyed(tmp_path: Path) -> None:
    other = save_geojson(tmp_path, make_frame())
    command = f"gdal vector pipeline ! read {other} ! write --of stream x"
    path = tmp_path / "pipeline.json"
    path.write_text(json.dumps({"type": "gdal_streamed_alg", "command_line": command}))
    assert complaint(path).startswith("pipeline.json: it cannot be read as boundaries (")


def test_an_empty_file_has_no_areas(tmp_path: Path) -> None:
    path = tmp_path / "none.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    assert complaint(path) == "none.geojson: it holds no areas; give a file with at least one."


# Codes and names.


@pytest.mark.parametrize(
    ("columns", "kind", "code"),
    [
        ({"LAD25CD": ["E06000032"], "WD25CD": ["E05014735"]}, ward(2025), "E05014735"),
        ({"LAD11CD": ["E06000032"], "OA11CD": ["E00079367"]}, OA11, "E00079367"),
        ({"LSOA21CD": ["E01015693"], "OA11CD": ["E00079367"], "WD25CD": ["E05014735"]}, OA11, "E00079367"),
        ({"WD25CD": ["E05014735"], "LSOA21CD": ["E01015693"]}, LSOA21, "E01015693"),
        ({"code": ["E01015693"], "LAD24CD": ["E06000032"]}, LAD, "E06000032"),
        ({"lsoa11cd": ["E01015693"]}, LSOA11, "E01015693"),
        ({"Code": ["E22000010"]}, CSP, "E22000010"),
        ({"code": ["E01033801"]}, LSOA21, "E01033801"),
        ({"code": ["beat-1"]}, None, "beat-1"),
        ({"code": [12]}, None, "12"),
        ({"code": [12.0]}, None, "12"),
        ({"code": [" a1 "]}, None, "a1"),
    ],
)
def test_the_column_of_the_smallest_areas_is_found_and_tells_the_kind(
    tmp_path: Path, columns: dict[str, list[Any]], kind: CodeType | None, code: str
) -> None:
    file = read_boundaries(save_geojson(tmp_path, make_frame([square(0)], **columns)))
    assert (file.code_type, list(file.frame["code"])) == (kind, [code])


@pytest.mark.parametrize(
    ("columns", "name"),
    [
        ({"WD25CD": ["E05014735"], "LAD25NM": ["Luton"], "WD25NM": ["Barnfield"]}, "Barnfield"),
        ({"wd25cd": ["E05014735"], "wd25nm": ["Barnfield"]}, "Barnfield"),
        ({"OA11CD": ["E00079367"], "LAD11NM": ["Luton"]}, "E00079367"),
        ({"CODE": ["b1"], "Name": ["Beat one"]}, "Beat one"),
    ],
)
def test_the_column_of_names_goes_with_the_codes(tmp_path: Path, columns: dict[str, list[str]], name: str) -> None:
    assert list(read_boundaries(save_geojson(tmp_path, make_frame([square(0)], **columns))).frame["name"]) == [name]


def test_columns_can_be_named(tmp_path: Path) -> None:
    frame = make_frame(WD25CD=["x", "y", "z"], beat=CODES, title=NAMES)
    path = save_geojson(tmp_path, frame)
    file = read_boundaries(path, code_column="beat", name_column="title", codes="ward25")
    assert_is_three_wards(file)
    assert complaint(path, code_column="beet") == "wards.geojson: it has no column 'beet'; did you mean beat?"
    assert complaint(path, code_column="beat", name_column="qq") == (
        "wards.geojson: it has no column 'qq'; name one of WD25CD, beat, title."
    )


def test_without_a_known_column_there_is_no_guess(tmp_path: Path) -> None:
    assert complaint(save_geojson(tmp_path, make_frame(id=CODES, label=NAMES))) == (
        "wards.geojson: none of its columns is known to hold codes (id, label); "
        'name the one that does, as code_column = "...".'
    )


def test_two_columns_for_the_same_areas_need_a_choice(tmp_path: Path) -> None:
    frame = make_frame([square(0)], LSOA11CD=["E01015741"], LSOA21CD=["E01033801"])
    path = save_geojson(tmp_path, frame)
    assert complaint(path) == (
        "wards.geojson: the columns LSOA11CD and LSOA21CD could all be its codes; "
        'name one of them, such as code_column = "LSOA11CD".'
    )
    assert list(read_boundaries(path, codes="lsoa21").frame["code"]) == ["E01033801"]
    assert read_boundaries(path, code_column="LSOA11CD").code_type == LSOA11


@pytest.mark.parametrize(
    ("codes", "words", "example"),
    [
        (["E01015693", "E01015741"], "LSOA", "lsoa21"),
        (["E05014735", "E05014736"], "ward", "ward25"),
        (["E00079367", "E00079368"], "output area", "oa21"),
    ],
)
def test_codes_of_an_open_year_are_noted(tmp_path: Path, codes: list[str], words: str, example: str) -> None:
    file = read_boundaries(save_geojson(tmp_path, make_frame([square(0), square(1)], code=codes)))
    assert file.code_type is None
    assert file.notes == (
        f'Its {words} codes could be of more than one year; write which, such as codes = "{example}".',
    )


def test_a_kind_of_code_that_the_column_contradicts_is_refused(tmp_path: Path) -> None:
    assert complaint(save_geojson(tmp_path, make_frame()), codes="ward13") == (
        "wards.geojson: its column WD25CD holds ward 2025 codes, but ward 2013 codes are asked for; "
        'write codes = "ward25", or give the right file.'
    )


def test_an_unknown_kind_of_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        read_boundaries(save_geojson(tmp_path, make_frame()), codes="parish")
    assert str(error.value) == "There is no kind of code 'parish'; write one such as lsoa21 or ward25."


def test_all_faults_of_a_file_are_told_together(tmp_path: Path) -> None:
    shapes = [square(0), None, Polygon(), square(1), box(0, 6_000_000, 1, 6_000_001), Point(EAST, NORTH)]
    codes = ["a", "b", "c", "a", "e,f", None]
    frame = make_frame(shapes, code=codes)
    assert complaint(write_geojson(tmp_path / "w.geojson", frame, crs=BNG)).splitlines() == [
        "w.geojson: column code is blank in row 6; give every area a code.",
        "w.geojson: column code gives a more than once; keep one row for each area, or name another code_column.",
        "w.geojson: the code 'e,f' has a comma in it; use codes without commas.",
        "w.geojson: b, c, row 6 cover no ground; give each area a polygon, or take it out.",
        "w.geojson: read as OSGB36 / British National Grid, e,f would lie outside the United Kingdom "
        "(a corner is at x 1, y 6e+06); check that x and y are not swapped and that the file states the coordinate "
        "system it is in.",
    ]


def test_codes_of_another_kind_are_refused(tmp_path: Path) -> None:
    frame = make_frame(WD25CD=["E05000001", "E06000032", ""], WD25NM=NAMES)
    assert complaint(save_geojson(tmp_path, frame)) == (
        "wards.geojson: column WD25CD is blank in row 3; give every area a code."
    )
    frame = make_frame(WD25CD=["E05000001", "E06000032", "Hill"], WD25NM=NAMES)
    assert complaint(save_geojson(tmp_path, frame)) == (
        "wards.geojson: column WD25CD should hold ward 2025 codes, but E06000032, Hill are none; "
        "correct them, or name another code_column."
    )


def test_codes_of_2021_under_the_heading_of_2011_are_refused(tmp_path: Path) -> None:
    frame = make_frame([square(0), square(1)], LSOA11CD=["E01015693", "E01033801"])
    assert complaint(save_geojson(tmp_path, frame)) == (
        "wards.geojson: its codes are said to be of LSOAs of 2011, but some were first given in 2021; "
        'name the column of the 2011 codes, or write codes = "lsoa21".'
    )


def test_areas_without_a_name_take_their_code(tmp_path: Path) -> None:
    file = read_boundaries(save_geojson(tmp_path, make_frame(WD25CD=CODES, WD25NM=["Marsh", " ", None])))
    assert list(file.frame["name"]) == ["E05000001", "E05000002", "Marsh"]
    assert file.notes == ("E05000001, E05000002 have no name; the code stands for it.",)


# Where the areas lie.


@pytest.mark.parametrize("swapped", [False, True])
def test_coordinates_in_another_system_than_stated_are_refused(tmp_path: Path, swapped: bool) -> None:
    frame = make_frame()
    if swapped:
        frame = frame.to_crs(4326)
        frame = frame.set_geometry(shapely.transform(frame.geometry.to_numpy(), lambda xy: xy[:, ::-1]), crs=4326)
    x, y = shapely.get_coordinates(frame.geometry)[0]
    # Without a crs member GeoJSON is in longitude and latitude.
    assert complaint(write_geojson(tmp_path / "w.geojson", frame)) == (
        f"w.geojson: read as WGS 84, its areas lie outside the United Kingdom (a corner is at x {x:g}, y {y:g}); "
        "check that x and y are not swapped and that the file states the coordinate system it is in."
    )


@pytest.mark.parametrize(
    ("place", "longitude", "latitude"),
    [
        ("Fermanagh", -8.17, 54.45),
        ("Scilly", -6.36, 49.86),
        ("Lowestoft", 1.76, 52.48),
        ("Unst", -0.85, 60.85),
        ("St Kilda", -8.63, 57.82),
    ],
)
def test_the_corners_of_the_kingdom_are_inside_it(
    tmp_path: Path, place: str, longitude: float, latitude: float
) -> None:
    shape = box(longitude, latitude, longitude + 0.01, latitude + 0.01)
    path = write_geojson(tmp_path / "w.geojson", make_frame([shape], code=[place]))
    assert list(read_boundaries(path).frame["code"]) == [place]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    epsg=st.sampled_from([4326, 4258, 3857, 3034, 32630]),
    corners=st.lists(
        st.tuples(st.integers(100_000, 600_000), st.integers(50_000, 900_000)), min_size=1, max_size=8, unique=True
    ),
)
def test_reprojection_keeps_codes_with_their_areas(tmp_path: Path, epsg: int, corners: list[tuple[int, int]]) -> None:
    shapes = [box(x, y, x + 500, y + 500) for x, y in corners]
    codes = [f"{x}-{y}" for x, y in corners]
    path = write_geojson(
        tmp_path / "w.geojson", make_frame(shapes, code=codes).to_crs(epsg), crs=name_crs(f"EPSG:{epsg}")
    )
    frame = read_boundaries(path).frame
    assert list(frame["code"]) == sorted(codes)
    for code, shape in zip(frame["code"], frame.geometry, strict=True):
        x, y = map(int, code.split("-"))
        assert abs(shape.bounds[0] - x) < 0.05
        assert abs(shape.bounds[1] - y) < 0.05


def test_points_and_areas_are_brought_to_the_grid_in_the_same_way(tmp_path: Path) -> None:
    longitude, latitude = -0.41, 51.88
    shape = box(longitude, latitude, longitude + 0.01, latitude + 0.01)
    grid = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:27700", always_xy=True).transform(longitude, latitude)
    path = tmp_path / "w.geojson"
    for dimensions in (2, 3):
        for crs in (None, "urn:ogc:def:crs:OGC:1.3:CRS84", "EPSG:4326"):
            frame = make_frame([shapely.force_3d(shape, 90.0) if dimensions == 3 else shape], code=["a"])
            write_geojson(path, frame, **({"crs": name_crs(crs)} if crs else {}))
            corners = shapely.get_coordinates(read_boundaries(path).frame.geometry)
            assert np.hypot(*(corners - grid).T).min() < 1e-6


# Repairs and notes.


def read_shapes(folder: Path, *shapes: Geometry) -> BoundaryFile:
    codes = [chr(ord("a") + number) for number in range(len(shapes))]
    return read_boundaries(write_geojson(folder / "w.geojson", make_frame(list(shapes), code=codes), crs=BNG))


def test_an_outline_that_crosses_itself_is_repaired_and_named(tmp_path: Path) -> None:
    bow_tie = Polygon([(EAST, NORTH), (EAST + 200, NORTH + 200), (EAST + 200, NORTH), (EAST, NORTH + 200)])
    file = read_shapes(tmp_path, square(5), bow_tie)
    assert file.frame.geometry.is_valid.all()
    assert file.frame.area[1] == pytest.approx(20_000)
    assert file.notes == (
        "Outlines that crossed or touched themselves were repaired: b.",
        "Made of several separate parts: b.",
    )


def test_a_spike_is_repaired_to_the_polygon_it_stands_on(tmp_path: Path) -> None:
    corners = list(square(0).exterior.coords)
    spiked = Polygon([corners[0], (EAST + 1_900, NORTH + 500), *corners[:4]])
    file = read_shapes(tmp_path, spiked)
    assert set(file.frame.geom_type) == {"Polygon"}
    assert file.notes[0] == "Outlines that crossed or touched themselves were repaired: a."


def test_what_collapses_to_a_line_covers_no_ground(tmp_path: Path) -> None:
    flat = Polygon([(EAST, NORTH), (EAST + 100, NORTH), (EAST + 200, NORTH)])
    with pytest.raises(SourceError) as error:
        read_shapes(tmp_path, square(0), flat)
    assert str(error.value) == "w.geojson: b covers no ground; give each area a polygon, or take it out."


def test_a_ring_left_open_is_closed(tmp_path: Path) -> None:
    path = write_geojson(tmp_path / "w.geojson", make_frame([square(0)], code=["a"]), crs=BNG)
    document = json.loads(path.read_text())
    document["features"][0]["geometry"]["coordinates"][0].pop()
    path.write_text(json.dumps(document))
    file = read_boundaries(path)
    assert file.frame.area[0] == pytest.approx(1_000_000)
    assert file.notes == ("Rings that did not end where they began were closed.",)


def test_points_and_lines_among_polygons_are_dropped(tmp_path: Path) -> None:
    mixed = GeometryCollection([square(0), LineString([(EAST, NORTH), (EAST + 50, NORTH)]), MultiPolygon([square(2)])])
    file = read_shapes(tmp_path, mixed, square(1))
    assert list(file.frame.geom_type) == ["MultiPolygon", "Polygon"]
    assert file.frame.area[0] == pytest.approx(2_000_000)
    assert file.notes == (
        "Points or lines among its polygons were dropped: a.",
        "Made of several separate parts: a.",
    )


def test_heights_are_dropped(tmp_path: Path) -> None:
    file = read_shapes(tmp_path, shapely.force_3d(square(0), 120.0))
    assert not file.frame.has_z.any()
    assert file.notes == ("Heights in the coordinates were dropped.",)


def test_areas_that_lie_over_each_other_are_named_the_worst_first(tmp_path: Path) -> None:
    file = read_shapes(tmp_path, square(0, side=1_100), square(1, side=1_001), square(2), square(1, 1))
    # The overlaps of b with c and d, a metre wide, are below both limits.
    assert file.notes == (
        "Areas lie over each other, where an incident counts in the first alone: a and b by 10.01 ha, "
        "a and d by 1.00 ha (over 1,000 m² or 1% of the smaller).",
    )


@pytest.mark.parametrize(("width", "noted"), [(0.9, False), (1.1, True)])
def test_overlaps_are_noted_from_a_thousand_square_metres(tmp_path: Path, width: float, noted: bool) -> None:
    file = read_shapes(tmp_path, box(EAST, NORTH, EAST + 1_000 + width, NORTH + 1_000), square(1))
    assert bool(file.notes) is noted


@pytest.mark.parametrize(("width", "noted"), [(0.05, False), (0.15, True)])
def test_small_areas_overlap_by_their_share(tmp_path: Path, width: float, noted: bool) -> None:
    one, other = box(EAST, NORTH, EAST + 10 + width, NORTH + 10), box(EAST + 10, NORTH, EAST + 20, NORTH + 10)
    assert bool(read_shapes(tmp_path, one, other).notes) is noted


@pytest.mark.parametrize(("side", "notes"), [
    (30, ()),
    (40, ("No area covers these gaps among them: 0.16 ha at easting 508520, northing 222520 (over 1,000 m²).",)),
])  # fmt: skip
def test_holes_that_no_area_covers_are_noted(tmp_path: Path, side: float, notes: tuple[str, ...]) -> None:
    hole = box(EAST + 500, NORTH + 500, EAST + 500 + side, NORTH + 500 + side)
    assert read_shapes(tmp_path, square(0).difference(hole), square(1)).notes == notes
    # A hole that another area fills is none.
    assert read_shapes(tmp_path, square(0).difference(hole), hole).notes == ()


# Real files.

REAL = [
    ("luton-wards-2013.geojson", 19, ward(2013), 4_335.9),
    ("luton-wards-2025.geojson", 20, ward(2025), 4_336.5),
    ("luton-lsoa-2011.geojson", 121, LSOA11, 4_336.2),
    ("luton-lsoa-2021.geojson", 125, LSOA21, 4_336.2),
    ("luton-oa-2011.geojson", 589, OA11, 4_336.2),
]


@pytest.mark.parametrize(("name", "areas", "kind", "hectares"), REAL)
def test_real_layers_of_luton(shared_data: Path, name: str, areas: int, kind: CodeType, hectares: float) -> None:
    file = read_boundaries(shared_data / "boundaries" / name)
    assert (len(file.frame), file.code_type) == (areas, kind)
    assert round(float(file.frame.area.sum()) / 10_000, 1) == hectares
    assert all(note.startswith("Made of several separate parts: E0") for note in file.notes)


def test_real_wards_carry_their_names(shared_data: Path) -> None:
    frame = read_boundaries(shared_data / "boundaries" / "luton-wards-2025.geojson").frame
    names = dict(zip(frame["code"], frame["name"], strict=True))
    assert (names["E05014735"], names["E05014743"], names["E05014754"]) == ("Barnfield", "High Town", "Wigmore")


def test_real_wards_are_the_same_from_every_format(shared_data: Path, tmp_path: Path) -> None:
    real = shared_data / "boundaries" / "luton-wards-2013.geojson"
    expected = read_boundaries(real).frame
    raw = gpd.read_file(real).to_crs(27700)
    raw.to_file(tmp_path / "wards.gpkg")
    raw.to_file(tmp_path / "wards.shp")
    shutil.copy(real, tmp_path / "copy.geojson")
    for name in ("wards.gpkg", "wards.shp", "copy.geojson"):
        frame = read_boundaries(tmp_path / name).frame
        assert frame[["code", "name"]].equals(expected[["code", "name"]])
        assert frame.geometry.geom_equals_exact(expected.geometry, 0.001).all()


# Areas made of wards.


def make_wards() -> gpd.GeoDataFrame:
    """Four wards in a row, a to d, 100 ha each; two of them are called Abbey."""
    return gpd.GeoDataFrame(
        {"code": ["W1", "W2", "W3", "W4"], "name": ["Hill", "Abbey", "Abbey", "Marsh"]},
        geometry=[square(column) for column in range(4)],
        crs="EPSG:27700",
    )


def area(name: str, *members: str, first: str | None = None, last: str | None = None) -> Area:
    ends = [None if text is None else Month.parse(text) for text in (first, last)]
    return Area("area", name.lower(), name, members, *ends)


def test_areas_are_the_union_of_wards_given_by_name_or_code_in_any_case() -> None:
    frame = dissolve_areas(make_wards(), [area("South", "MARSH ", "w3"), area("North", "hill", "W2")])
    assert list(frame.columns) == ["code", "name", "geometry"]
    assert list(frame["code"]) == ["north", "south"]
    assert list(frame["name"]) == ["North", "South"]
    assert frame.crs == "EPSG:27700"
    assert frame.geometry[0].equals(box(EAST, NORTH, EAST + 2_000, NORTH + 1_000))
    assert frame.geometry[1].equals(box(EAST + 2_000, NORTH, EAST + 4_000, NORTH + 1_000))


def test_an_area_is_drawn_as_it_was_latest_whatever_the_order_in_the_file() -> None:
    old, new = area("North", "Hill", last="2023-04"), area("North", "W2", "W3", first="2023-05")
    for areas in ([old, new], [new, old]):
        frame = dissolve_areas(make_wards(), areas)
        assert list(frame["code"]) == ["north"]
        assert frame.area[0] == pytest.approx(2_000_000)


def test_members_are_listed_with_their_months() -> None:
    members = list_members(
        make_wards(), [area("North", "Hill", "W2", last="2023-04"), area("South", "Hill", "Marsh", first="2023-05")]
    )
    assert list(members.columns) == ["code", "area", "first", "last"]
    assert members.to_numpy().tolist() == [
        ["W1", "north", None, Month(2023, 4)],
        ["W2", "north", None, Month(2023, 4)],
        ["W1", "south", Month(2023, 5), None],
        ["W4", "south", Month(2023, 5), None],
    ]


def test_a_ward_named_and_given_by_code_is_a_member_once() -> None:
    assert list(list_members(make_wards(), [area("North", "Hill", "W1")])["code"]) == ["W1"]


def test_faults_of_areas_are_told_together() -> None:
    areas = [area("North", "Hil", "Abbey"), area("South", "Zeal", "W4"), area("East", "marsh")]
    with pytest.raises(PartnershipError) as error:
        dissolve_areas(make_wards(), areas)
    assert str(error.value).splitlines() == [
        "[[areas]] 'North': there is no 'Hil' in the layer it is made of; did you mean Hill?",
        "[[areas]] 'North': 'Abbey' is the name of W2 and W3; give the code instead.",
        "[[areas]] 'South': there is no 'Zeal' in the layer it is made of; name some of Abbey, Abbey, Hill, Marsh.",
        "[[areas]] 'South' and 'East': 'Marsh' (W4) is in both in the same months; "
        "leave it in one, or give from and to.",
    ]


def test_wards_in_no_area_are_named() -> None:
    areas = [area("North", "Hill", last="2020-01"), area("North", "W2", first="2020-02")]
    assert note_left_out(make_wards(), areas) == ("2 of 4 are in no area: Abbey, Marsh.",)
    assert note_left_out(make_wards(), [*areas, area("South", "W3", "Marsh")]) == ()


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=20, unique=True).flatmap(
        lambda cells: st.tuples(st.just(cells), st.lists(st.integers(0, 3), min_size=len(cells), max_size=len(cells)))
    )
)
def test_dissolving_conserves_the_ground(drawn: tuple[list[tuple[int, int]], list[int]]) -> None:
    cells, areas_of = drawn
    owned = list(zip(cells, areas_of, strict=True))
    codes = [f"{column}-{row}" for column, row in sorted(cells)]
    wards = gpd.GeoDataFrame(
        {"code": codes, "name": codes}, geometry=[square(*cell) for cell in sorted(cells)], crs="EPSG:27700"
    )
    areas = [
        area(f"Area{number}", *(f"{column}-{row}" for (column, row), of in owned if of == number))
        for number in sorted(set(areas_of))
    ]
    frame = dissolve_areas(wards, areas)
    assert list(frame["code"]) == [f"area{number}" for number in sorted(set(areas_of))]
    assert frame.area.sum() == pytest.approx(1_000_000 * len(cells))
    assert len(list_members(wards, areas)) == len(cells)


def test_the_areas_of_luton_cover_it_whole(shared_data: Path) -> None:
    wards = read_boundaries(shared_data / "boundaries" / "luton-wards-2013.geojson").frame
    areas = [
        area("South", "Dallow", "Farley", "South"),
        area("East", "Crawley", "Round Green", "Stopsley", "Wigmore"),
        area("North", "Bramingham", "Icknield", "Limbury", "Northwell", "Sundon Park"),
        area("Central", "Barnfield", "Biscot", "High Town", "Saints"),
        area("West", "Challney", "Leagrave", "Lewsey"),
    ]
    frame = dissolve_areas(wards, areas)
    assert list(frame["code"]) == ["central", "east", "north", "south", "west"]
    assert round(float(frame.area.sum()) / 10_000, 1) == 4_335.9
    assert note_left_out(wards, areas) == ()
