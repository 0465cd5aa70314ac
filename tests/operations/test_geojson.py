"""Operations as GeoJSON and back, to the last bit, and files that are broken or somebody else's."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cspmap.errors import SourceError
from cspmap.operations import Operation, Outline, Units, read_geojson, read_outline, write_geojson, write_outline
from cspmap.operations.document import encode_value

from .made import OCTANS, SQUARE
from .strategies import any_operations, outlines

SQUARE_JSON = {"type": "Polygon", "coordinates": [[[-0.5, 51.5], [-0.25, 51.5], [-0.25, 51.75], [-0.5, 51.5]]]}
TRIANGLE = Outline(((((-0.5, 51.5), (-0.25, 51.5), (-0.25, 51.75), (-0.5, 51.5)),),))


def collect(*features: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": features})


def feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": {"name": "Octans", **properties}}


def refuse(text: str | bytes) -> list[str]:
    with pytest.raises(SourceError) as caught:
        read_geojson(text, name="focus.geojson")
    return str(caught.value).splitlines()


@given(st.lists(any_operations, min_size=1, max_size=3, unique_by=lambda operation: operation.id))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_round_trip_is_exact(operations: list[Operation]) -> None:
    text = write_geojson(operations)
    for read in (read_geojson(text), read_geojson(text.encode())):
        assert read == tuple(operations)
        # Unlike ==, this tells 0.0 from -0.0.
        assert repr(encode_value(read)) == repr(encode_value(operations))


@given(outlines())
@settings(deadline=None)
def test_outlines_are_geojson_that_others_read(outline: Outline) -> None:
    import shapely

    shape = shapely.geometry.shape(write_outline(outline))
    parts = shapely.get_parts(shape)
    assert [tuple(part.exterior.coords) for part in parts] == [polygon[0] for polygon in outline.polygons]
    assert [[tuple(hole.coords) for hole in part.interiors] for part in parts] == [
        list(polygon[1:]) for polygon in outline.polygons
    ]


def test_every_float_survives() -> None:
    """Neighbours of a position, a hair's breadth apart."""
    west, south = -0.41, 51.87
    ring = [(west, south), (math.nextafter(west, 0), south), (math.nextafter(west, 0), math.nextafter(south, 90))]
    text = write_geojson([replace(OCTANS, area=Outline((((*ring, ring[0]),),)))])
    coordinates = json.loads(text)["features"][0]["geometry"]["coordinates"]
    assert [tuple(position) for position in coordinates[0][:3]] == ring


def test_file_is_what_others_read() -> None:
    collection = json.loads(write_geojson([OCTANS, replace(OCTANS, area=SQUARE, id="0" * 32)]))
    assert collection["type"] == "FeatureCollection"
    units, drawn = collection["features"]
    assert (units["id"], units["geometry"]) == (OCTANS.id, None)
    assert units["properties"]["area"] == {"kind": "units", "level": "lsoa", "codes": ["E01015700", "E01015701"]}
    assert drawn["geometry"] == {
        "type": "Polygon",
        "coordinates": [[[-0.5, 51.5], [-0.25, 51.5], [-0.25, 51.75], [-0.5, 51.75], [-0.5, 51.5]]],
    }
    assert "area" not in drawn["properties"]
    assert (drawn["properties"]["name"], drawn["properties"]["start"]) == ("Octans", "2023-01-01")


def test_units_may_be_lent_a_shape_that_is_not_read_back() -> None:
    text = write_geojson([OCTANS], shapes={OCTANS.id: SQUARE})
    assert json.loads(text)["features"][0]["geometry"]["type"] == "Polygon"
    assert read_geojson(text) == (OCTANS,)


def test_no_operations_are_a_collection_still() -> None:
    assert json.loads(write_geojson([])) == {"type": "FeatureCollection", "features": []}


def test_file_of_another_program_needs_a_name_alone() -> None:
    square = {"type": "Polygon", "coordinates": [[[0, 51, 12.5], [1, 51, 12.5], [1, 52, 0], [0, 51, 12.5]]]}
    first, second = read_geojson(collect({**feature(square), "id": 1}, {**feature(square, lead="Ames"), "id": 1}))
    assert first.area == Outline(((((0.0, 51.0), (1.0, 51.0), (1.0, 52.0), (0.0, 51.0)),),))
    assert (first.name, first.status, first.version) == ("Octans", "draft", 0)
    assert first.id != second.id, "their numbers are not identifiers"
    single = json.dumps({"type": "Feature", "geometry": square, "properties": {"name": "Octans"}})
    assert read_geojson(single)[0].area == first.area
    assert read_geojson("\ufeff" + single)[0].area == read_geojson(b"\xef\xbb\xbf" + single.encode())[0].area


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not GeoJSON, as it cannot be read from line 1, column 1 on"),
        ('{"type":\n "FeatureCollection"', "is not GeoJSON, as it cannot be read from line 2, column 21 on"),
        (b"\xff\xfe{", "is not UTF-8 text at byte 1"),
        ("[" * 100_000, "holds lists within lists beyond all measure"),
        ('{"a": ' + "9" * 5_000 + "}", "holds a number of thousands of digits"),
        ("[]", "is not a GeoJSON FeatureCollection"),
        ('"FeatureCollection"', "is not a GeoJSON FeatureCollection"),
        (json.dumps(SQUARE_JSON), "is not a GeoJSON FeatureCollection"),
        ('{"type": "Topology"}', "is not a GeoJSON FeatureCollection"),
        ('{"type": "FeatureCollection"}', "has no list of features"),
        ('{"type": "FeatureCollection", "features": {}}', "has no list of features"),
    ],
)
def test_file_that_is_no_geojson(text: str | bytes, said: str) -> None:
    assert refuse(text) == [f"focus.geojson: {said}; save it as a GeoJSON FeatureCollection."]


def test_file_without_features() -> None:
    assert refuse(collect()) == ["focus.geojson: has no features; put at least one in."]


@pytest.mark.parametrize(
    ("system", "fits"),
    [
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}, True),
        ({"type": "name", "properties": {"name": "EPSG:4326"}}, True),
        (None, True),
        ({"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}, False),
        ({"properties": 1}, False),
        ("EPSG:4326", False),
    ],
)
def test_other_reference_systems_are_refused(system: Any, fits: bool) -> None:
    text = json.dumps({"type": "FeatureCollection", "crs": system, "features": [feature(SQUARE_JSON)]})
    if fits:
        assert read_geojson(text)[0].area == TRIANGLE
    else:
        assert refuse(text) == ["focus.geojson: is not in longitude and latitude; save it in WGS84 (EPSG:4326)."]


def test_all_problems_of_a_file_are_told_together() -> None:
    features = [
        feature(SQUARE_JSON),
        "feature",
        {"type": "Feature", "geometry": SQUARE_JSON, "properties": None},
        {"type": "Feature", "geometry": None, "properties": {"nmae": "Octans"}},
        feature(SQUARE_JSON, start="1/5/2023", status="over", goals=[{"kind": "crime", "crimes": [], "fall": 20}]),
        feature({"type": "Point", "coordinates": [0, 51]}, name="A\nB"),
        feature(None, status="running"),
        feature(SQUARE_JSON, name="", lead=7, actions=[{"text": "x"}, {"text": "y", "due": "soon"}]),
        {**feature(), "id": OCTANS.id},
        {**feature(end="2022-01-01", start="2023-01-01", notes=7), "id": OCTANS.id},
        feature(meeting=[{"text": "x", "said": "soon", "kind": "wish"}, {"text": "y", "said": "2026-11-21"}, 7]),
        feature(meeting=[{"text": "x", "said": "2026-11-21", "subject": "area:south"}]),
        feature(meeting={}, status="running", buffer_metres=0),
    ]
    where = "focus.geojson, feature"
    write_date = "write a date from 1900 to 2200 as YYYY-MM-DD, such as 2024-04-30"
    options = "'draft' or 'running' or 'ended' or 'judged' or 'cancelled'"
    assert refuse(collect(*features)) == [
        f"{where} 2: is not a GeoJSON feature; save it as a GeoJSON FeatureCollection.",
        f"{where} 3: has no properties; give it at least a name.",
        f"{where} 4: there is no key 'nmae' here; did you mean name?",
        f"{where} 4, name: is missing; fill it in.",
        f"{where} 5 (\"Octans\"), goals 1: there is no key 'fall' here; take it out, or read it with a newer version "
        "of cspmap.",
        f'{where} 5 ("Octans"), goals 1, change percent: is missing; fill it in.',
        f"{where} 5 (\"Octans\"), status: is 'over'; write {options}.",
        f"{where} 5 (\"Octans\"), start: is '1/5/2023'; {write_date}.",
        f'{where} 6 ("A B"): has a Point for a geometry; draw a polygon.',
        f'{where} 7 ("Octans"): is running, but has no area; give it one or make its status draft.',
        f'{where} 7 ("Octans"): is running, but has no start; give it one or make its status draft.',
        f"{where} 8, name: is blank; fill it in.",
        f"{where} 8, lead: is 7; write a text.",
        f"{where} 8, actions 2, due: is 'soon'; {write_date}.",
        f'{where} 10 ("Octans"), notes: is 7; write a text.',
        f'{where} 10 ("Octans"): ends on 2022-01-01, before it starts on 2023-01-01; put the dates in order.',
        f"{where} 11 (\"Octans\"), meeting 1, said: is 'soon'; {write_date}.",
        f"{where} 11 (\"Octans\"), meeting 1, kind: is 'wish'; write 'action' or 'decision'.",
        f'{where} 11 ("Octans"), meeting 3: is not a table of keys and values; write it as one.',
        f'{where} 12 ("Octans"), meeting 1: has a subject; leave it to the operation that it stands with.',
        f'{where} 13 ("Octans"), buffer metres: is 0; write a number from 1 to 20,000.',
        f'{where} 13 ("Octans"): is running, but has no area; give it one or make its status draft.',
        f'{where} 13 ("Octans"): is running, but has no start; give it one or make its status draft.',
        f'{where} 13 ("Octans"), meeting: is a table; write a list.',
        f"{where} 10: has the id of feature 9; keep one of them.",
    ]


NO_POLYGON = "has coordinates that are no polygon's; draw a polygon"
RING = [[0, 51], [1, 51], [1, 52], [0, 51]]


@pytest.mark.parametrize(
    ("geometry", "said"),
    [
        ("x", "has no geometry that can be read; draw a polygon"),
        ({"type": ["Polygon"]}, "has no geometry that can be read; draw a polygon"),
        ({"type": "Polygon"}, NO_POLYGON),
        (
            {"type": "Polygon", "coordinates": [[0, 51]]},
            NO_POLYGON,
        ),
        (
            {"type": "Polygon", "coordinates": ["abc"]},
            NO_POLYGON,
        ),
        (
            {"type": "Polygon", "coordinates": [[[True, 51], *RING]]},
            NO_POLYGON,
        ),
        (
            {"type": "Polygon", "coordinates": [[["0", 51], *RING]]},
            NO_POLYGON,
        ),
        (
            {"type": "Polygon", "coordinates": [[[math.nan, 51], *RING]]},
            NO_POLYGON,
        ),
        (
            {"type": "Polygon", "coordinates": [[[10**400, 51], *RING]]},
            NO_POLYGON,
        ),
        (
            {"type": "Polygon", "coordinates": [[[0, 51, 2, 3], *RING]]},
            NO_POLYGON,
        ),
        (
            {"type": "MultiPolygon", "coordinates": 3},
            NO_POLYGON,
        ),
        ({"type": "Polygon", "coordinates": []}, "the area has no outline; draw one"),
        ({"type": "MultiPolygon", "coordinates": []}, "the area has no outline; draw one"),
        ({"type": "MultiPolygon", "coordinates": [[RING], []]}, "the area has no outline; draw one"),
        (
            {"type": "Polygon", "coordinates": [RING[:3]]},
            "the area has a ring of 3 positions; draw at least three corners and end where it starts",
        ),
        (
            {"type": "Polygon", "coordinates": [[*RING[:3], [0, 50]]]},
            "the area has a ring that is not closed; end it with the position that it starts with",
        ),
        (
            {
                "type": "Polygon",
                "coordinates": [[[508000, 221000], [509000, 221000], [509000, 222000], [508000, 221000]]],
            },
            "the area has the position 508000.0, 221000.0, which is not longitude and latitude; save it in WGS84 "
            "(EPSG:4326)",
        ),
        (
            {"type": "Polygon", "coordinates": [[[0, 51], [1, 52], [1, 51], [0, 52], [0, 51]]]},
            "the area crosses or touches itself near longitude 0.50000, latitude 51.50000; draw it again without that",
        ),
        (
            {"type": "Polygon", "coordinates": [[[0, 51], [1, 51], [0, 51], [0, 51]]]},
            "the area crosses or touches itself near longitude 0.00000, latitude 51.00000; draw it again without that",
        ),
    ],
)
def test_geometry_that_is_no_area(geometry: Any, said: str) -> None:
    assert refuse(collect(feature(geometry))) == [f'focus.geojson, feature 1 ("Octans"): {said}.']


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["Feature", "Polygon"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["type", "features", "geometry", "coordinates", "properties", "id", "name", "area", "goals"]
            )
            | st.text(),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(json_values, st.booleans())
@settings(max_examples=300, deadline=None)
def test_whatever_is_in_a_file_is_read_or_told_in_sentences(value: Any, wrap: bool) -> None:
    text = collect(value) if wrap else json.dumps(value)
    for read in (read_geojson, read_outline):
        try:
            read(text)
        except SourceError as error:
            for problem in error.problems:
                assert "\n" not in problem.what + problem.fix


def test_outline_out_of_any_geojson() -> None:
    expected = read_outline(json.dumps(SQUARE_JSON))
    assert expected == TRIANGLE
    assert read_outline(json.dumps({"type": "Feature", "properties": None, "geometry": SQUARE_JSON})) == expected
    west = [[[-2.0, 51.0], [-1.0, 51.0], [-1.0, 52.0], [-2.0, 51.0]]]
    both = read_outline(
        collect(feature(SQUARE_JSON, colour="red"), feature({"type": "MultiPolygon", "coordinates": [west]}))
    )
    assert both.polygons == (*TRIANGLE.polygons, (tuple(map(tuple, west[0])),))
    assert read_outline(json.dumps(write_outline(both))) == both


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '{"type": "Point", "coordinates": [0, 51]}',
            "x has a Point for a geometry; draw a polygon.",
        ),
        ("[]", "x is not a GeoJSON FeatureCollection; give a polygon as GeoJSON, with longitude before latitude."),
        (
            "{",
            "x is not GeoJSON, as it cannot be read from line 1, column 2 on; give a polygon as GeoJSON, with "
            "longitude before latitude.",
        ),
        (collect(feature()), "x has no geometry that can be read; draw a polygon."),
        (collect(feature(SQUARE_JSON), 7), "Feature 2 of x has no geometry that can be read; draw a polygon."),
        (
            collect({**feature(), "geometry": {"type": "MultiPolygon", "coordinates": []}}),
            "x has no outline; draw one.",
        ),
    ],
)
def test_what_holds_no_outline(text: str, said: str) -> None:
    with pytest.raises(SourceError) as caught:
        read_outline(text, name="x")
    assert str(caught.value) == said


def test_polygons_with_a_border_in_common_become_one() -> None:
    east, west = ([[[x, 51], [x + 1, 51], [x + 1, 52], [x, 52], [x, 51]]] for x in (0, -1))
    outline = read_outline(
        collect(feature({"type": "Polygon", "coordinates": east}), feature({"type": "Polygon", "coordinates": west}))
    )
    assert len(outline.polygons) == 1
    assert {(-1.0, 51.0), (1.0, 51.0), (1.0, 52.0), (-1.0, 52.0)} <= set(outline.polygons[0][0])
    # In an operation's own outline that would be a change that nobody made, so it is refused there.
    apart = {"type": "MultiPolygon", "coordinates": [east, west]}
    (problem,) = refuse(collect(feature(apart)))
    assert "the area crosses or touches itself near longitude 0.00000" in problem


def test_units_in_a_foreign_file_are_read_by_their_codes() -> None:
    (operation,) = read_geojson(collect(feature(area={"kind": "units", "level": "ward", "codes": ["E05002268"]})))
    assert operation.area == Units("ward", ("E05002268",))
