"""Hotspots as colours, words, pictures and steps in time."""

import base64
import io
import json
import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cspmap.analysis.accuracy import concentration
from cspmap.analysis.aoristic import week_hours
from cspmap.analysis.hotspots import flag_hot
from cspmap.hotspot_ground import BY_RULE, Ground, Recorded, lay_ground, read_points
from cspmap.hotspot_layers import (
    LAYERS,
    PLAYED,
    HotspotChoice,
    HotspotLayer,
    LayerKey,
    make_layer,
    rank_cells,
    start_tally,
)
from cspmap.hotspot_score import score_layer
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.store import open_store
from cspmap.views.degrees import as_geojson, to_degrees
from cspmap.views.hotspot_charts import draw_lorenz, draw_week
from cspmap.views.hotspot_frames import name_step, play_layer
from cspmap.views.hotspot_load import select
from cspmap.views.hotspot_map import draw_locations, draw_places
from cspmap.views.hotspot_picture import encode_png, fit_raster, paint_density, settle_metres
from cspmap.views.hotspot_shading import BANDS, PALETTE, Bands, fill_cells, find_bands, shade_cells
from cspmap.views.hotspot_words import describe_hold, list_hotspot_caveats, list_score, name_hotspots, name_place
from cspmap.views.map import Frames, Legend, LegendClass, MapView, Picture, Place, encode_view
from cspmap.views.palettes import OUTLINE, contrast_ratio

YEAR = Span.parse("2006-04..2007-03")


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


@pytest.fixture(scope="module")
def recorded(query: Query) -> Recorded:
    return read_points(query)


@pytest.fixture(scope="module")
def ground(query: Query, recorded: Recorded) -> Ground:
    return lay_ground(query, recorded, BY_RULE)


@pytest.fixture(scope="module")
def layers(ground: Ground, recorded: Recorded) -> dict[LayerKey, HotspotLayer]:
    return {name: make_layer(ground, recorded, HotspotChoice(YEAR, layer=name)) for name in LAYERS}


# ---- bands ----------------------------------------------------------------------------------------------------------


def test_bands_of_a_hundred_cells_of_one_size() -> None:
    bands = find_bands(np.arange(1.0, 101.0), np.ones(100))
    assert bands.bounds == (100, 99, 96, 91, 76)
    assert np.bincount(bands.classify(np.arange(1.0, 101.0))).tolist() == [1, 1, 3, 5, 15, 75]
    assert [one.label for one in bands.classes] == [
        "top 1 %: 100 or more",
        "to 2 %: 99 to 100",
        "to 5 %: 96 to 99",
        "to 10 %: 91 to 96",
        "to 25 %: 76 to 91",
        "the rest: under 76",
    ]
    assert [one.colour for one in bands.classes] == list(PALETTE)


def test_bounds_have_as_many_digits_as_tell_them_apart() -> None:
    assert [one.label for one in Bands((0.31, 0.3, 0.2, 0.1, 0.1)).classes][:2] == [
        "top 1 %: 0.31 or more",
        "to 2 %: 0.30 to 0.31",
    ]
    assert Bands((5, 5, 3, 2, 1)).classes[1].label == "to 2 %: none"


def test_where_nothing_is_above_zero_nothing_has_a_band() -> None:
    bands = find_bands(np.array([0.0, 0.0, np.nan]), np.ones(3))
    assert bands.classes == ()
    assert bands.classify(np.array([0.0, np.nan])).tolist() == [5, 5]


@given(
    arrays(np.float64, st.integers(1, 40), elements=st.integers(0, 6).map(float)),
    st.integers(0, 1000),
)
def test_bands_never_cover_more_than_their_share(values: np.ndarray, seed: int) -> None:
    areas = np.random.default_rng(seed).uniform(1, 3, len(values))
    band = find_bands(values, areas).classify(values)
    for value in set(values):
        assert len(set(band[values == value])) == 1, "equal values are in one band"
    for one, other in pairwise(sorted(set(values))):
        assert band[values == one].max() >= band[values == other].max()
    if (values > 0).any():
        for number, share in enumerate(BANDS):
            inside = (band <= number) & (values > 0)
            alone = values[inside].min() == values.max()
            assert alone or areas[inside].sum() <= share * areas.sum() * (1 + 1e-6)
        assert not band[values == values.max()].any(), "the highest is in the first"


def test_what_is_hot_is_what_the_second_band_holds(layers: dict[LayerKey, HotspotLayer]) -> None:
    layer = layers["expected"]
    fills = fill_cells("expected", layer.frame, layer.ground.cells.area)[0]
    hot = flag_hot(layer.frame["score"], layer.ground.cells.area)
    assert [fill in (0, 1) for fill in fills] == hot.tolist()


# ---- cells as areas of the map --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LAYERS)
def test_every_cell_has_a_colour_and_words(name: LayerKey, layers: dict[LayerKey, HotspotLayer]) -> None:
    layer = layers[name]
    areas, legend = shade_cells(layer)
    assert [area.code for area in areas] == layer.frame["code"].tolist()
    assert all(area.tooltip for area in areas)
    assert all(contrast_ratio(OUTLINE, one.colour) >= 3 for one in legend.classes)
    view = MapView(place="Luton", layer="x.json", areas=areas, legend=legend, places=draw_places(layer))
    assert json.loads(encode_view(view))["legend"]["title"].endswith("year to March 2007")


def test_cells_say_what_was_found(layers: dict[LayerKey, HotspotLayer]) -> None:
    said = {
        name: [area.tooltip for area in shade_cells(layer)[0]][int(layer.frame["score"].argmax())]
        for name, layer in layers.items()
    }
    row = layers["expected"].frame.sort_values("score").iloc[-1]
    assert said["expected"] == (f"{row['count']:.0f} incidents", f"expected: {row['expected']:.1f}")
    assert re.fullmatch(r"hot \(z \d+\.\d, q under 0\.001\)", said["significance"][2])
    assert said["dual"][1].endswith("per 1,000 residents")
    assert said["persistence"][1:] == ("Persistent", "hot in 4 spans")
    assert re.fullmatch(r"\d+ to \d+", said["change"][0])


def test_too_few_residents_and_no_incident_look_their_own_way(layers: dict[LayerKey, HotspotLayer]) -> None:
    frame = layers["dual"].frame.assign(score=[np.nan, 0.0, *layers["dual"].frame["score"][2:]])
    fills = fill_cells("dual", frame, layers["dual"].ground.cells.area)[0]
    assert fills[:2] == ["suppressed", "zero"]


def test_colours_of_significance_are_by_q_and_side() -> None:
    frame = pd.DataFrame(
        {
            "q": [0.001, 0.03, 0.5, 0.03, 0.001, np.nan],
            "z": [5.0, 3.0, 1.0, -3.0, -5.0, np.nan],
            "hot": [True, True, False, False, False, False],
            "cold": [False, False, False, True, True, False],
        }
    )
    fills, classes, _ = fill_cells("significance", frame, np.ones(6))
    assert fills == [0, 1, 2, 3, 4, "missing"]
    assert classes[2].label == "no more than chance"


def test_colours_of_change_and_of_lasting_are_by_kind() -> None:
    verdicts = ["up", "normal variation", "down", "too few to say", "no incidents", "not known"]
    fills, _, _ = fill_cells("change", pd.DataFrame({"verdict": verdicts}), np.ones(6))
    assert fills == [0, 1, 2, "suppressed", "zero", "missing"]
    kinds = ["never", "former", "intermittent", "emerging", "persistent"]
    fills, classes, _ = fill_cells("persistence", pd.DataFrame({"trajectory": kinds}), np.ones(5))
    assert [classes[int(fill)].label for fill in fills] == [
        "Never hot",
        "F: Former",
        "O: On and off",
        "E: Emerging",
        "P: Persistent",
    ]


def test_kinds_of_lasting_are_lettered_on_the_map(layers: dict[LayerKey, HotspotLayer]) -> None:
    areas, _ = shade_cells(layers["persistence"])
    kinds = dict(zip(layers["persistence"].frame["code"], layers["persistence"].frame["trajectory"], strict=True))
    letters = {"persistent": "P", "emerging": "E", "intermittent": "O", "former": "F", "never": ""}
    assert all(area.mark == letters[kinds[area.code]] for area in areas)
    assert {area.mark for area in areas} > {"P", ""}


# ---- places ---------------------------------------------------------------------------------------------------------


def test_places_are_drawn_where_they_are(layers: dict[LayerKey, HotspotLayer]) -> None:
    layer = layers["expected"]
    drawn = draw_places(layer)
    shapes = gpd.GeoSeries([shapely.geometry.shape(dict(place.geometry)) for place in drawn], crs=4326).to_crs(27700)
    true = layer.places.geometry
    assert (shapes.symmetric_difference(true, align=False).area < 0.02 * true.area).all()
    assert [place.mark for place in drawn] == [str(rank) for rank in layer.places["rank"]]
    for place in drawn:
        west, _, east, north = shapely.geometry.shape(dict(place.geometry)).bounds
        assert place.label == pytest.approx(((west + east) / 2, north), abs=3e-4)
    assert drawn[0].name == name_place(layer.places.iloc[0].to_dict())
    assert drawn[0].tooltip[0].startswith(f"{layer.places['count'].iloc[0]:,.0f} incidents, ")


def test_no_place_draws_nothing(ground: Ground, recorded: Recorded) -> None:
    assert draw_places(make_layer(ground, recorded.of([]), HotspotChoice(YEAR))) == ()


def test_locations_are_points_with_their_ranks() -> None:
    frame = pd.DataFrame(
        {"location": ["A", "B"], "easting": 507_900.0, "northing": [222_900.0, 223_000.0], "count": 3.0}
    )
    first, second = draw_locations(frame)
    assert (first.geometry["type"], first.mark, second.name) == ("Point", "1", "B")
    assert first.geometry["coordinates"] == pytest.approx((-0.4330, 51.8935), abs=0.001)


def test_degrees_are_those_of_another_projection_library_call() -> None:
    square = shapely.box(507_000, 222_000, 508_000, 223_000)
    (ours,) = to_degrees([square])
    theirs = gpd.GeoSeries([square], crs=27700).to_crs(4326).iloc[0]
    assert shapely.hausdorff_distance(ours, theirs) < 1e-5
    assert as_geojson(ours)["type"] == "Polygon"


# ---- the picture ----------------------------------------------------------------------------------------------------


def read_picture(url: str) -> Image.Image:
    assert url.startswith("data:image/png;base64,")
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA")


def test_png_has_the_pixels_it_was_given() -> None:
    indices = np.array([[0, 1, 2], [2, 1, 0]], dtype=np.uint8)
    image = Image.open(io.BytesIO(encode_png(indices, ["#112233", "#AABBCC"]))).convert("RGBA")
    clear, one, two = (0, 0, 0, 0), (0x11, 0x22, 0x33, 255), (0xAA, 0xBB, 0xCC, 255)
    assert [image.getpixel((x, y)) for y in range(2) for x in range(3)] == [clear, one, two, two, one, clear]


@given(arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.integers(0, 6)))
def test_any_picture_can_be_read_back(indices: np.ndarray) -> None:
    image = Image.open(io.BytesIO(encode_png(indices, PALETTE)))
    assert (np.asarray(image) == indices).all()


def test_picture_is_clear_outside_and_darkest_where_density_is_highest(
    layers: dict[LayerKey, HotspotLayer], recorded: Recorded
) -> None:
    layer = layers["density"]
    picture, legend = paint_density(layer, recorded)
    image = read_picture(picture.url)
    raster = fit_raster(layer.ground, settle_metres(start_tally(layer.ground, recorded, layer.choice), layer.choice))
    assert image.size == (raster.x.shape[1], raster.x.shape[0])
    pixels = np.asarray(image)
    assert ((pixels[..., 3] == 255) == raster.inside).all()
    shares = []
    for one in legend.classes:
        colour = [int(one.colour[at : at + 2], 16) for at in (1, 3, 5)]
        shares.append(float(((pixels[..., :3] == colour).all(axis=-1) & raster.inside).sum() / raster.inside.sum()))
    assert sum(shares) == pytest.approx(1)
    assert np.cumsum(shares)[:5] == pytest.approx(BANDS, abs=0.002)
    # The darkest pixels lie in or beside the cells of the highest density.
    darkest = [int(legend.classes[0].colour[at : at + 2], 16) for at in (1, 3, 5)]
    dark = (pixels[..., :3] == darkest).all(axis=-1) & raster.inside
    top = layer.ground.cells.frame.geometry[layer.frame["score"] >= layer.frame["score"].quantile(0.97)]
    near = shapely.intersects_xy(top.union_all().buffer(300), raster.x[dark], raster.y[dark])
    assert near.mean() > 0.95


def test_picture_lies_between_its_bounds(layers: dict[LayerKey, HotspotLayer], recorded: Recorded) -> None:
    picture, _ = paint_density(layers["density"], recorded)
    south, west, north, east = picture.bounds
    bounds = gpd.GeoSeries([layers["density"].ground.cells.boundary], crs=27700).to_crs(4326).total_bounds
    assert (west, south, east, north) == pytest.approx(tuple(bounds), abs=0.002)


def test_narrow_bandwidth_gets_more_pixels(ground: Ground) -> None:
    assert fit_raster(ground, 400).x.shape < fit_raster(ground, 60).x.shape
    assert fit_raster(ground, 400) is fit_raster(ground, 400), "laid once"


def test_picture_of_nothing_is_the_lightest(ground: Ground, recorded: Recorded) -> None:
    layer = make_layer(ground, recorded.of([]), HotspotChoice(YEAR, layer="density"))
    picture, legend = paint_density(layer, recorded.of([]))
    assert legend.classes == ()
    colours = {colour for _, colour in read_picture(picture.url).getcolors() or []}
    assert colours == {(0, 0, 0, 0), (*(int(PALETTE[-1][at : at + 2], 16) for at in (1, 3, 5)), 255)}


# ---- month by month -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLAYED)
def test_each_step_is_its_own_months(name: LayerKey, layers: dict[LayerKey, HotspotLayer], recorded: Recorded) -> None:
    layer = layers[name]
    played = play_layer(layer, recorded, months=3)
    assert len(played.frames.names) == 12
    assert played.frames.names[0] == "3 months to April 2006"
    metres = settle_metres(start_tally(layer.ground, recorded, layer.choice), layer.choice)
    span = Span.parse("2006-05..2006-07")
    if name == "density":
        assert played.picture is not None
        assert len(played.frames.pictures) == 12
        images = [read_picture(url) for url in played.frames.pictures if url]
        assert {image.size for image in images} == {read_picture(played.picture.url).size}
        assert len(set(played.frames.pictures)) == 12
        return
    frame = rank_cells(layer.ground, recorded, replace(layer.choice, span=span, bandwidth=metres)).frame
    step = played.frames.fills[3]
    known = [number for number, fill in enumerate(step) if isinstance(fill, int)]
    score = frame["score"].to_numpy()[known]
    by_fill = [score[np.array([step[number] for number in known]) == fill] for fill in range(6)]
    filled = [values for values in by_fill if len(values)]
    assert all(high.min() >= low.max() for high, low in pairwise(filled)), "darker is higher within a step"


def test_steps_share_one_scale(layers: dict[LayerKey, HotspotLayer], recorded: Recorded) -> None:
    """The same fill means the same range in every step, so that a quiet month looks quiet."""
    layer = layers["expected"]
    played = play_layer(layer, recorded, months=1)
    metres = settle_metres(start_tally(layer.ground, recorded, layer.choice), layer.choice)
    ranges: dict[int, list[float]] = {}
    for span, step in zip((Span(month, month) for month in YEAR), played.frames.fills, strict=True):
        frame = rank_cells(layer.ground, recorded, replace(layer.choice, span=span, bandwidth=metres)).frame
        for fill, score in zip(step, frame["score"], strict=True):
            if isinstance(fill, int):
                ranges.setdefault(fill, []).append(score)
    assert sorted(ranges) == [0, 1, 2, 3, 4, 5]
    assert all(min(ranges[one]) >= max(ranges[one + 1]) for one in range(5))


def test_step_with_a_month_that_is_not_loaded_is_missing(awkward_store: Path) -> None:
    query = Query(open_store(awkward_store))
    recorded = read_points(query)
    ground = lay_ground(query, recorded, BY_RULE)
    span = Span.parse("2005-02..2005-05")
    for name in ("expected", "density"):
        layer = make_layer(ground, recorded, HotspotChoice(span, layer=name))
        frames = play_layer(layer, recorded, months=2).frames
        assert frames.names[1:3] == ("2 months to March 2005", "2 months to April 2005: not loaded")
        if name == "expected":
            assert set(frames.fills[2]) == set(frames.fills[3]) == {"missing"}
            assert "missing" not in frames.fills[1]
        else:
            assert frames.pictures[2:] == (None, None)
            assert all(frames.pictures[:2])


def test_steps_are_named_by_their_last_month() -> None:
    assert name_step(Span.parse("2006-05..2006-05"), known=True) == "May 2006"
    assert name_step(Span.parse("2006-03..2006-05"), known=False) == "3 months to May 2006: not loaded"


# ---- what the map is sent -------------------------------------------------------------------------------------------

LEGEND = Legend("Incidents", "Two.", (LegendClass("#FFEEAA", "few"), LegendClass("#225588", "many")))


def make_view(**changes: object) -> MapView:
    from cspmap.views.map import AreaStyle

    areas = (AreaStyle("a", 0), AreaStyle("b", 1))
    return MapView(**{"place": "Luton", "layer": "x", "areas": areas, "legend": LEGEND, **changes})  # type: ignore[arg-type]


def test_map_is_sent_pictures_places_and_steps() -> None:
    place = Place("p", "Place", {"type": "Point", "coordinates": [0.5, 51.0]}, (0.5, 51.0), ("3 incidents",), "1")
    frames = Frames(("May", "June"), fills=((0, 1), ("missing", "zero")))
    picture = Picture("data:image/png;base64,AA==", (51.0, -1.0, 52.0, 1.0), 0.5)
    sent = json.loads(encode_view(make_view(picture=picture, places=(place,), frames=frames, lines="y")))
    assert sent["picture"] == ["data:image/png;base64,AA==", [[51.0, -1.0], [52.0, 1.0]], 0.5]
    assert sent["places"] == [
        ["p", "Place", "1", ["3 incidents"], [0.5, 51.0], {"type": "Point", "coordinates": [0.5, 51.0]}]
    ]
    assert sent["frames"] == {"names": ["May", "June"], "fills": ["01", "mz"], "pictures": None}
    assert sent["lines"] == "y"
    plain = json.loads(encode_view(make_view()))
    assert (plain["picture"], plain["places"], plain["frames"], plain["lines"]) == (None, [], None, None)


def test_steps_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 steps are named, and 1 are given"):
        encode_view(make_view(frames=Frames(("May", "June"), fills=((0, 1),))))
    with pytest.raises(ValueError, match="a step has 1 fills, the view 2 areas"):
        encode_view(make_view(frames=Frames(("May",), fills=((0,),))))
    with pytest.raises(ValueError, match="none of the legend's 2"):
        encode_view(make_view(frames=Frames(("May",), fills=((0, 2),))))


# ---- words and charts -----------------------------------------------------------------------------------------------


def test_heading_says_what_when_and_how(layers: dict[LayerKey, HotspotLayer], query: Query) -> None:
    partnership = query.store.partnership
    layer = layers["change"]
    said = name_hotspots(layer, partnership, select(query, layer.choice))
    assert said == "Recorded incidents in Luton, year to March 2007, compared with the year to March 2006: change"


def test_hold_is_told_in_numbers(layers: dict[LayerKey, HotspotLayer]) -> None:
    layer = layers["expected"]
    held, number = layer.places["count"].sum(), len(layer.places)
    said = describe_hold(layer)
    assert said.startswith(f"{number} hotspots hold {held:,.0f} of {layer.total:,.0f} incidents (")
    one = replace(layer, places=layer.places.head(1))
    assert describe_hold(one).startswith("1 hotspot holds ")
    none = replace(layer, places=layer.places.head(0))
    assert describe_hold(none) == f"No place stands out among {layer.total:,.0f} incidents."


def test_score_is_told_beside_its_baseline(layers: dict[LayerKey, HotspotLayer], recorded: Recorded) -> None:
    score = score_layer(layers["expected"], recorded)
    assert score.own is not None
    told = list_score(score.own)
    assert told["caught"] == f"{100 * score.own.hit_rate:.0f} %"
    assert told["baseline"] == f"{100 * score.own.baseline:.0f} %"
    assert told["PAI"] == f"{score.own.pai:.1f}"


def test_caveats_have_all_that_must_be_known(
    layers: dict[LayerKey, HotspotLayer], recorded: Recorded, query: Query
) -> None:
    layer = layers["expected"]
    selection = select(query, layer.choice)
    coverage = query.count_coverage(selection)
    score = score_layer(layer, recorded)
    said = list_hotspot_caveats(layer, query.store.partnership, selection, coverage=coverage, score=score, snapped=True)
    assert said[0] == query.store.partnership.notice
    for sentence in (layer.words, score.words):
        assert sentence in said
    assert any(sentence.startswith(f"{coverage.unlocated:,} incidents") for sentence in said)
    assert said[-1].startswith("Published points are moved")


def test_lorenz_curves_run_from_nothing_to_all() -> None:
    chart = draw_lorenz(
        {"wards": concentration([5, 0, 5], units="wards"), "cells": concentration([1, 9], units="cells")}
    )
    for name, curve in chart.frame.groupby("units"):
        assert curve["share_incidents"].iloc[[0, -1]].tolist() == [0, 1], name
        assert curve["share_incidents"].is_monotonic_increasing
    assert set(chart.frame["units"]) == {"wards", "cells"}


def test_hours_are_drawn_by_hour_and_day() -> None:
    times = pd.DataFrame({"occurred_from": [pd.Timestamp("2024-01-02 13:10")], "occurred_to": [pd.NaT]})
    frame = draw_week(week_hours(times)).frame
    assert len(frame) == 168
    assert frame[frame["weight"] > 0][["weekday", "hour", "until", "weight"]].to_numpy().tolist() == [
        ["Tuesday", 13, 14, 1.0]
    ]
