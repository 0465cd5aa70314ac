"""The map's palettes, its boundary files, and what it sends to the browser."""

import gzip
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, box
from streamlit.testing.v1 import AppTest

from cspmap.views import palettes
from cspmap.views.assets import layer_url
from cspmap.views.boundaries import write_layer
from cspmap.views.map import (
    OPENSTREETMAP,
    AreaStyle,
    Legend,
    LegendClass,
    MapView,
    draw_map,
    encode_view,
)
from cspmap.views.palettes import (
    CATEGORICAL,
    OUTLINE,
    SPECIAL,
    contrast_ratio,
    diverging_palette,
    ordered_palette,
    relative_luminance,
    text_on,
)

# Linear RGB as seen without red or without green receptors: Viénot, Brettel & Mollon (1999), "Digital video
# colourmaps for checking the legibility of displays by dichromats".
PROTANOPIA = ((0.11238, 0.88762, 0.0), (0.11238, 0.88762, 0.0), (0.00401, -0.00401, 1.0))
DEUTERANOPIA = ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0))

WORDS = Legend(
    "Crimes per 1,000",
    "Two classes.",
    (LegendClass("#FFEEAA", "0 to 5"), LegendClass("#225588", "6 to 9")),
)


# ---- palettes --------------------------------------------------------------------------------------------------------


def test_contrast_of_known_colours() -> None:
    assert contrast_ratio("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast_ratio("#FFFFFF", "#FFFFFF") == pytest.approx(1.0)
    # (0x77 / 255 + 0.055) / 1.055 = 0.49446, to the power 2.4 is 0.18448; 1.05 / 0.23448 = 4.478.
    assert contrast_ratio("#777777", "#FFFFFF") == pytest.approx(4.478, abs=0.001)


def test_luminance_weighs_the_channels() -> None:
    assert [relative_luminance(colour) for colour in ("#FF0000", "#00FF00", "#0000FF")] == pytest.approx(
        [0.2126, 0.7152, 0.0722]
    )


def test_text_is_black_on_light_and_white_on_dark() -> None:
    assert text_on("#F8EBB5") == "#000000"
    assert text_on("#12436D") == "#FFFFFF"


@given(st.from_regex(r"#[0-9A-F]{6}", fullmatch=True))
def test_text_on_any_colour_is_readable(colour: str) -> None:
    assert contrast_ratio(text_on(colour), colour) >= 4.5


def test_sampling_a_palette_at_its_ends_gives_the_anchors_back() -> None:
    assert (ordered_palette(2)[0], ordered_palette(2)[1]) == ("#F8EBB5", "#2B6CA3")
    assert diverging_palette(3) == ("#1F6E9C", "#F5F2EC", "#B0561E")


def see(colour: str, matrix: tuple[tuple[float, ...], ...]) -> float:
    """The luminance of a colour for an eye that lacks one kind of receptor."""
    red, green, blue = np.array(matrix) @ palettes._linear_rgb(colour)
    return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)


@pytest.mark.parametrize("k", range(2, 11))
@pytest.mark.parametrize("matrix", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_ordered_palette_darkens_for_every_eye(k: int, matrix: Any) -> None:
    seen = [see(colour, matrix) for colour in ordered_palette(k)]
    assert len(set(ordered_palette(k))) == k
    assert all((one + 0.05) / (other + 0.05) > 1.1 for one, other in pairwise(seen))


@pytest.mark.parametrize("k", [3, 5, 7, 9])
@pytest.mark.parametrize("matrix", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_diverging_palette_darkens_to_both_ends(k: int, matrix: Any) -> None:
    seen = [see(colour, matrix) for colour in diverging_palette(k)]
    middle = k // 2
    assert seen[: middle + 1] == sorted(seen[: middle + 1])
    assert seen[middle:] == sorted(seen[middle:], reverse=True)


def blueness(colour: str, matrix: Any) -> float:
    red, green, blue = np.array(matrix) @ palettes._linear_rgb(colour)
    return float(blue - (red + green) / 2)


@pytest.mark.parametrize("matrix", [PROTANOPIA, DEUTERANOPIA])
def test_fall_and_rise_differ_for_a_colour_blind_eye(matrix: Any) -> None:
    assert blueness(diverging_palette(7)[0], matrix) > 0.1
    assert blueness(diverging_palette(7)[-1], matrix) < -0.05


def test_outline_stands_out_from_every_fill() -> None:
    fills = {colour for k in range(2, 11) for colour in ordered_palette(k)}
    fills |= {colour for k in (3, 5, 7, 9) for colour in diverging_palette(k)}
    fills |= {look.fill for look in SPECIAL.values()}
    assert min(contrast_ratio(OUTLINE, fill) for fill in fills) >= 3.0


def test_special_looks_are_told_apart_without_colour() -> None:
    assert len({(look.pattern, look.fill if look.pattern is None else None) for look in SPECIAL.values()}) == 4
    assert all(contrast_ratio(look.ink, look.fill) >= 3.0 for look in SPECIAL.values() if look.ink)
    assert SPECIAL["zero"].fill not in {colour for k in range(2, 11) for colour in ordered_palette(k)}


def test_categories_are_the_published_ones() -> None:
    assert CATEGORICAL == ("#12436D", "#28A197", "#801650", "#F46A25")


@pytest.mark.parametrize("k", [0, 1, 11])
def test_ordered_palette_refuses_other_numbers_of_classes(k: int) -> None:
    with pytest.raises(ValueError, match="2 to 10 classes"):
        ordered_palette(k)


@pytest.mark.parametrize("k", [1, 4, 11])
def test_diverging_palette_refuses_even_and_other_numbers(k: int) -> None:
    with pytest.raises(ValueError, match="3, 5, 7 or 9"):
        diverging_palette(k)


# ---- boundary files --------------------------------------------------------------------------------------------------


def make_frame(*shapes: Any, crs: int = 27700) -> gpd.GeoDataFrame:
    codes = [f"A{number}" for number in range(len(shapes))]
    return gpd.GeoDataFrame({"code": codes, "name": [f"Área {code}" for code in codes]}, geometry=list(shapes), crs=crs)


def read_shapes(path: Path) -> dict[str, Any]:
    features = json.loads(path.read_text("utf-8"))["features"]
    return {feature["properties"]["code"]: feature for feature in features}


def wavy_neighbours() -> gpd.GeoDataFrame:
    """Two areas that share a line of 400 points, which goes to and fro by 2 m."""
    line = [(505000.0 + 2 * (step % 2), 220000.0 + 5 * step) for step in range(400)]
    top, bottom = line[-1][1], line[0][1]
    west = Polygon([*line, (504000, top), (504000, bottom)])
    east = Polygon([*line, (506000, top), (506000, bottom)])
    return make_frame(west, east)


def test_neighbours_keep_one_line_between_them(tmp_path: Path) -> None:
    write_layer(wavy_neighbours(), tmp_path / "layer.json")
    west, east = (
        shapely.geometry.shape(feature["geometry"]) for feature in read_shapes(tmp_path / "layer.json").values()
    )
    assert shapely.get_num_coordinates(west) < 40
    assert west.intersection(east).area == 0
    assert shapely.coverage_is_valid([west, east])
    assert shapely.union(west, east).geom_type == "Polygon"


def test_simplified_boundary_stays_near_the_true_one(tmp_path: Path) -> None:
    frame = wavy_neighbours()
    write_layer(frame, tmp_path / "layer.json")
    drawn = gpd.read_file(tmp_path / "layer.json").to_crs(27700)
    assert drawn.geometry.iloc[0].hausdorff_distance(frame.geometry.iloc[0]) < 6


def test_coordinates_are_wgs84_to_about_a_metre(tmp_path: Path) -> None:
    # Ordnance Survey's worked example of the projection: E 651409.903, N 313177.270 is 52.65757 N, 1.71792 E in
    # OSGB36, which lies about 100 m from the same figures in WGS84 (52.65798 N, 1.71605 E).
    write_layer(make_frame(box(651409.903, 313177.270, 651509.903, 313277.270)), tmp_path / "layer.json")
    ring = read_shapes(tmp_path / "layer.json")["A0"]["geometry"]["coordinates"][0][0]
    south_west = min(ring, key=sum)
    assert south_west == pytest.approx([1.71605, 52.65798], abs=0.00005)
    assert all(re.fullmatch(r"-?\d+\.\d{1,5}", repr(value)) for point in ring for value in point)


def test_label_lies_inside_a_bent_area_and_in_its_largest_part(tmp_path: Path) -> None:
    horseshoe = box(500000, 200000, 503000, 203000) - box(501000, 201000, 502000, 203000)
    island = box(510000, 200000, 510100, 200100)
    write_layer(make_frame(shapely.union(horseshoe, island)), tmp_path / "layer.json")
    feature = read_shapes(tmp_path / "layer.json")["A0"]
    label = shapely.Point(feature["properties"]["label"])
    parts = shapely.get_parts(shapely.geometry.shape(feature["geometry"]))
    assert [part.contains(label) for part in sorted(parts, key=lambda part: part.area)] == [False, True]


def test_holes_are_kept(tmp_path: Path) -> None:
    hole = box(501000, 201000, 502000, 202000)
    write_layer(make_frame(box(500000, 200000, 503000, 203000) - hole, hole), tmp_path / "layer.json")
    features = read_shapes(tmp_path / "layer.json")
    assert len(features["A0"]["geometry"]["coordinates"][0]) == 2


def test_same_frame_gives_same_bytes_with_names_as_they_are(tmp_path: Path) -> None:
    write_layer(wavy_neighbours(), tmp_path / "one.json")
    write_layer(wavy_neighbours(), tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert "Área A1".encode() in (tmp_path / "one.json").read_bytes()


def test_layer_in_another_crs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="EPSG:27700"):
        write_layer(make_frame(box(0, 50, 1, 51), crs=4326), tmp_path / "layer.json")


def test_area_without_a_polygon_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="A1 has no polygon"):
        write_layer(make_frame(box(0, 0, 9, 9), Polygon()), tmp_path / "layer.json")


def test_real_lsoas_are_small_and_leave_no_gap(shared_data: Path, tmp_path: Path) -> None:
    (source,) = (shared_data / "boundaries").glob("*luton*lsoa-2021.geojson")
    frame = gpd.read_file(source).to_crs(27700)
    frame = frame.rename(columns={"LSOA21CD": "code", "LSOA21NM": "name"})
    write_layer(frame, tmp_path / "lsoa.json")
    assert len((tmp_path / "lsoa.json").read_bytes()) < 110_000
    assert len(gzip.compress((tmp_path / "lsoa.json").read_bytes())) < 20_000
    drawn = gpd.read_file(tmp_path / "lsoa.json").geometry.to_numpy()
    assert len(drawn) == 125
    assert shapely.coverage_is_valid(drawn, gap_width=0.0001)


def test_address_of_a_layer_changes_with_the_file(tmp_path: Path) -> None:
    path = tmp_path / "ward.json"
    path.write_text("{}")
    first = layer_url(path)
    path.write_text("{ }")
    assert re.fullmatch(r"\.\./cspmap\.views\.assets\.layers-[0-9a-f]{12}/ward\.json\?v=\w+-2", first)
    assert layer_url(path) != first


# ---- what is sent ----------------------------------------------------------------------------------------------------


def make_view(*areas: AreaStyle, **changes: Any) -> MapView:
    return MapView(**{"place": "Luton", "layer": "../x/ward.json", "areas": areas, "legend": WORDS, **changes})


def test_view_carries_classes_and_texts() -> None:
    payload = json.loads(encode_view(make_view(AreaStyle("E1", 1, ("12 crimes", "up")), AreaStyle("E2", "missing"))))
    assert payload["areas"] == {"E1": [1, "", "12 crimes", "up"], "E2": ["missing", ""]}
    assert payload["legend"]["classes"] == [["#FFEEAA", "0 to 5"], ["#225588", "6 to 9"]]
    assert payload["selected"] is None
    assert payload["tiles"] is None


def test_class_that_the_legend_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="E1 has class 2, the legend has 2"):
        encode_view(make_view(AreaStyle("E1", 2)))


HOSTILE = st.text(alphabet=st.sampled_from("{}%#<>/'\"\\`$_-!\n\u2028é a0"), max_size=20)


@given(HOSTILE)
def test_any_text_arrives_as_it_was_and_is_no_code(text: str) -> None:
    encoded = encode_view(make_view(AreaStyle("E1", 0, (text,)), attribution=text))
    assert json.loads(encoded)["areas"]["E1"] == [0, "", text]
    assert json.loads(encoded)["attribution"] == text
    assert not re.search(r"\{\{|\{%|\{#|<|\n|\u2028", encoded)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What streamlit-folium was given, call by call."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr("streamlit_folium._component_func", lambda **arguments: calls.append(arguments))
    return calls


def test_nothing_but_the_one_call_changes_between_runs(sent: list[dict[str, Any]]) -> None:
    draw_map(make_view(AreaStyle("E1", 0)), key="map", height=500)
    draw_map(
        make_view(AreaStyle("E9", 1), layer="../x/lsoa.json", selected="E9", tiles=OPENSTREETMAP), key="map", height=500
    )
    first, second = sent
    changed = {name for name in first if first[name] != second[name]} - {"on_change"}
    assert changed == {"feature_group"}
    assert first["returned_objects"] == []


def test_hostile_text_passes_through_streamlit_folium_unharmed(sent: list[dict[str, Any]]) -> None:
    texts = ("{{'x'}} {% raw %} {# #}", "map_div_0 </script>", "feature_group_0 _abc123 \\' \" `${1}`")
    draw_map(make_view(AreaStyle("E1", 0, texts)), key="map", height=500)
    call = re.search(r"= cspmap\.show\(map_div, (\{.*\})\);", sent[0]["feature_group"])
    assert call
    assert json.loads(call[1])["areas"]["E1"] == [0, "", *texts]


def test_every_script_and_style_comes_from_the_app(sent: list[dict[str, Any]]) -> None:
    draw_map(make_view(), key="map", height=500)
    files = [*sent[0]["js_links"], *sent[0]["css_links"]]
    assert [re.sub(r"\?v=[\w.]+$", "", file) for file in files] == [
        "../cspmap.views.assets.leaflet/leaflet.js",
        "../cspmap.views.assets.web/cspmap-parts.js",
        "../cspmap.views.assets.web/cspmap-draw.js",
        "../cspmap.views.assets.web/cspmap-map.js",
        "../cspmap.views.assets.leaflet/leaflet.css",
        "../cspmap.views.assets.web/cspmap-map.css",
        "../cspmap.views.assets.web/cspmap-draw.css",
    ]
    assert "://" not in sent[0]["script"] + sent[0]["header"]


def test_a_map_of_125_areas_is_a_few_kilobytes(sent: list[dict[str, Any]]) -> None:
    areas = [AreaStyle(f"E0101{n:05}", n % 2, (f"{n * 7} crimes", "12.3 per 1,000")) for n in range(125)]
    draw_map(make_view(*areas), key="map", height=500)
    assert len(sent[0]["feature_group"]) < 8_000


def show_events() -> None:
    import streamlit as st

    from cspmap.views.map import take_event

    st.write(str(take_event(key="map")))


def test_an_event_is_taken_once() -> None:
    app = AppTest.from_function(show_events)
    app.session_state["map"] = {"area": "E1", "nonce": "1"}
    assert app.run().markdown[0].value == "MapEvent(area='E1')"
    assert app.run().markdown[0].value == "None"


def test_leaving_an_area_is_an_event() -> None:
    app = AppTest.from_function(show_events)
    app.session_state["map"] = {"area": None, "nonce": "2"}
    assert app.run().markdown[0].value == "MapEvent(area=None)"
