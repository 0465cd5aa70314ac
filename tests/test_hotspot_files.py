"""Hotspots as files, from the terminal, and handed over."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner, Result
from streamlit.testing.v1 import AppTest

from cspmap.cli import main
from cspmap.exports.extract import write_csv
from cspmap.exports.hotspot_files import tabulate_hotspots, write_hotspots_geojson, write_hotspots_geopackage
from cspmap.hotspot_ground import BY_RULE, lay_ground, read_points
from cspmap.hotspot_layers import HotspotChoice, HotspotLayer, make_layer
from cspmap.hotspot_score import Score, score_layer
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.store import open_store
from cspmap.views.hand_over import FOCUS_OUTLINE, make_outline

YEAR = Span.parse("2006-04..2007-03")
CAVEATS = ["Simulated, all of it.", "=1+1 is no formula"]

Found = tuple[HotspotLayer, Score, pd.DataFrame]


@pytest.fixture(scope="module")
def found(example_store: Path) -> Found:
    recorded = read_points(query := Query(open_store(example_store)))
    layer = make_layer(lay_ground(query, recorded, BY_RULE), recorded, HotspotChoice(YEAR))
    score = score_layer(layer, recorded)
    return layer, score, tabulate_hotspots(layer, score, name="Expected incidents", crimes="Recorded incidents")


# Tables


def test_table_has_the_places_and_their_score(found: Found) -> None:
    layer, score, table = found
    assert score.own is not None
    assert table.columns.tolist() == [
        *("rank", "code", "area", "street", "cells", "hectares", "count", "share", "peak", "period", "layer", "crimes"),
        *("own_score", "train", "test", "caught", "pai", "pei", "baseline"),
    ]
    assert table["count"].tolist() == layer.places["count"].astype(int).tolist()
    assert table["share"].tolist() == pytest.approx(layer.places["share"].tolist(), abs=5e-5)
    first = table.iloc[0]
    assert (first["period"], first["train"], first["test"]) == (str(YEAR), str(YEAR), "2007-04..2007-06")
    assert first["own_score"]
    assert first["caught"] == pytest.approx(score.own.hit_rate, abs=5e-5)
    assert table["train"].max() < table["test"].min()


def test_score_that_is_not_known_is_empty_and_not_zero(found: Found) -> None:
    layer, _, _ = found
    table = tabulate_hotspots(layer, Score(None, None, "no later months are loaded"), name="x", crimes="y")
    assert table[["train", "test", "caught", "pai", "pei", "baseline"]].isna().all(axis=None)
    assert not table["own_score"].any()


def test_csv_is_safe_in_a_spreadsheet(found: Found) -> None:
    _, _, table = found
    text = write_csv(table.assign(street="=HYPERLINK(1)", area="@sum"), CAVEATS[1:])
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(table)
    assert {row["street"] for row in rows} == {"'=HYPERLINK(1)"}
    assert {row["area"] for row in rows} == {"'@sum"}
    assert {row["caveats"] for row in rows} == {"'=1+1 is no formula"}


def test_geojson_has_the_outlines_in_degrees_and_the_caveats(found: Found) -> None:
    layer, _, table = found
    collection = json.loads(write_hotspots_geojson(table, layer, CAVEATS))
    assert collection["caveats"] == CAVEATS
    drawn = gpd.GeoDataFrame.from_features(collection, crs=4326).to_crs(27700)
    assert drawn["rank"].tolist() == table["rank"].tolist()
    gaps = drawn.geometry.symmetric_difference(layer.places.geometry, align=False).area
    assert (gaps < 0.001 * layer.places.area).all()


def test_geopackage_has_the_outlines_in_metres_and_the_caveats(found: Found, tmp_path: Path) -> None:
    layer, _, table = found
    file = tmp_path / "hotspots.gpkg"
    file.write_bytes(write_hotspots_geopackage(table, layer, CAVEATS))
    read = gpd.read_file(file)
    assert gpd.list_layers(file)["name"].tolist() == ["hotspots"]
    assert read.crs.to_epsg() == 27700
    assert read.geometry.geom_equals(layer.places.geometry, align=False).all()
    assert read["count"].tolist() == table["count"].tolist()
    assert set(read["caveats"]) == {" ".join(CAVEATS)}


def test_files_without_a_hotspot_are_whole_too(found: Found, tmp_path: Path) -> None:
    layer, score, _ = found
    none = replace(layer, places=layer.places.head(0))
    table = tabulate_hotspots(none, score, name="x", crimes="y")
    assert json.loads(write_hotspots_geojson(table, none, CAVEATS))["features"] == []
    file = tmp_path / "none.gpkg"
    file.write_bytes(write_hotspots_geopackage(table, none, CAVEATS))
    assert gpd.read_file(file).empty


# The terminal


def call(store: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["hotspots", "--store", str(store), *arguments])


def read_rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_command_writes_what_the_page_shows(example_store: Path, found: Found) -> None:
    _, score, table = found
    said = call(example_store, "--from", "2006-04", "--to", "2007-03")
    assert said.exit_code == 0, said.output
    rows = read_rows(said.stdout)
    assert [row["code"] for row in rows] == table["code"].tolist()
    assert [int(row["count"]) for row in rows] == table["count"].tolist()
    assert score.words in said.stderr.splitlines()


def test_every_setting_of_the_command_is_heard(example_store: Path) -> None:
    said = call(
        example_store,
        "--layer",
        "significance",
        "--level",
        "ward",
        "--alpha",
        "0.2",
        "--crime",
        "robbery",
        "--uncorrected",
    )
    assert "Getis-Ord Gi* in wards" in said.stderr
    assert "p at most 0.2, not corrected" in said.stderr
    assert "Robbery in Luton" in said.stderr
    said = call(example_store, "--shape", "square", "--width", "400", "--bandwidth", "700", "--coverage", "0.05")
    assert "squares of 400 m" in said.stderr
    assert "bandwidth 700 m, as chosen" in said.stderr
    assert "cover 5 % of the partnership" in said.stderr
    assert "within 100 m" in call(example_store, "--layer", "clusters", "--reach", "100").stderr
    change = call(example_store, "--layer", "change", "--compare", "previous", "--from", "2008-01")
    assert "January 2008 to March 2008 against October 2007 to December 2007." in change.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--crime", "murder"), "The crime type asked for is 'murder', which is not held here"),
        (("--level", "wards"), "The level asked for is 'wards'"),
        (("--from", "2010-01", "--to", "2010-02"), "No month of January 2010 to February 2010 is loaded"),
        (("--width", "0"), "A cell cannot be 0 m wide"),
        (("--coverage", "3"), "Hotspots cannot cover 3 of the area"),
        (("--bandwidth", "-3"), "A bandwidth cannot be -3 m"),
        (("--format", "gpkg"), "A GeoPackage cannot be printed; name a file for it with --out."),
        (("--out", "/nowhere/at/all.csv"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(
    arguments: tuple[str, ...], sentence: str, example_store: Path
) -> None:
    said = call(example_store, *arguments)
    assert said.exit_code == 1
    assert sentence in said.stderr
    assert len(said.stderr.splitlines()) == 1
    assert not said.stdout


def test_command_writes_files_whole(example_store: Path, tmp_path: Path) -> None:
    for kind in ("csv", "geojson", "gpkg"):
        file = tmp_path / f"hotspots.{kind}"
        said = call(example_store, "--format", kind, "--out", str(file))
        assert said.exit_code == 0, said.output
        assert not said.stdout
        read = pd.read_csv(file) if kind == "csv" else gpd.read_file(file)
        assert len(read) == 7
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hotspots.csv", "hotspots.geojson", "hotspots.gpkg"]


# Handing over


def test_outline_is_a_feature_in_degrees() -> None:
    shape = shapely.box(507_000, 222_000, 508_000, 223_000)
    feature = make_outline("Hotspot 1: South", shape, "How it was found.")
    assert feature["properties"] == {"name": "Hotspot 1: South", "about": "How it was found."}
    assert json.loads(json.dumps(feature))["type"] == "Feature"
    drawn = gpd.GeoDataFrame.from_features([feature], crs=4326).to_crs(27700).geometry.iloc[0]
    assert drawn.symmetric_difference(shape).area < 0.01 * shape.area


def offer() -> None:
    import os
    from pathlib import Path

    import shapely

    from cspmap.periods import Span
    from cspmap.selection import Selection
    from cspmap.store import open_store
    from cspmap.views.hand_over import offer_focus

    shape = shapely.box(507_000, 222_000, 508_000, 223_000)
    selection = Selection(Span.parse("2006-04..2007-03"), "ward", crimes=("robbery",))
    store = open_store(Path(os.environ["HANDED_STORE"]))
    offer_focus("South", shape, "Found.", selection=selection, store=store, key="focus")


def test_button_hands_the_outline_over_and_turns_to_the_page(
    monkeypatch: pytest.MonkeyPatch, example_store: Path
) -> None:
    monkeypatch.setenv("HANDED_STORE", str(example_store))
    turned: list[tuple[str, Any]] = []
    monkeypatch.setattr("cspmap.views.hand_over.has_focus_page", lambda: True)
    monkeypatch.setattr("streamlit.switch_page", lambda page, query_params: turned.append((page, query_params)))
    app = AppTest.from_function(offer).run()
    assert FOCUS_OUTLINE not in app.session_state
    app.button("focus").click().run()
    # What was counted there goes along; the level is the focus page's own to choose.
    assert turned == [("pages/focus.py", {})]
    chosen = app.session_state["focus-choice"].selection
    assert (str(chosen.span), chosen.crimes) == ("2006-04..2007-03", ("robbery",))
    assert app.session_state["focus-version"] == open_store(example_store).version
    assert app.session_state[FOCUS_OUTLINE]["properties"]["name"] == "South"
    assert app.session_state[FOCUS_OUTLINE]["geometry"]["type"] == "Polygon"


def test_without_that_page_the_outline_is_offered_as_a_file(
    monkeypatch: pytest.MonkeyPatch, example_store: Path
) -> None:
    monkeypatch.setenv("HANDED_STORE", str(example_store))
    monkeypatch.setattr("cspmap.views.hand_over.has_focus_page", lambda: False)
    app = AppTest.from_function(offer).run()
    assert not app.exception
    assert [button.proto.label for button in app.get("download_button")] == ["Outline as GeoJSON"]
    assert not app.button
