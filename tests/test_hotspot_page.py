"""The hotspots page as it is run, without a browser: what it says is what was counted."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.cli import main
from cspmap.hotspot_ground import BY_RULE, lay_ground, read_points
from cspmap.hotspot_layers import HotspotChoice, HotspotLayer, make_layer
from cspmap.hotspot_score import score_layer
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.views.hotspot_controls import AUTOMATIC, MONTHLY, MOST_CELLS, WIDTHS
from cspmap.views.hotspot_words import LAYER_NAMES, describe_hold, name_place
from cspmap.views.words import escape_markdown

ROOT = Path(__file__).resolve().parent.parent
OpenPage = Callable[..., AppTest]
LAST = Span.parse("2007-04..2008-03")


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Runs the page on a store; parameters of its address by keyword, lists where they are repeated."""

    def run(store: Path, **query: str | list[str]) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(ROOT / "pages" / "hotspots.py"), default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()

    return run


@pytest.fixture(scope="module")
def layer(example_store: Path) -> HotspotLayer:
    query = Query(open_store(example_store))
    recorded = read_points(query)
    return make_layer(lay_ground(query, recorded, BY_RULE), recorded, HotspotChoice(LAST))


@pytest.fixture(scope="module")
def luton(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of real Luton, whose incidents carry months alone."""
    store = tmp_path_factory.mktemp("luton") / "store"
    partnership = ROOT / "docs" / "partnerships" / "luton.toml"
    done = CliRunner().invoke(main, ["build", str(partnership), "--data", str(shared_data), "--store", str(store)])
    assert done.exit_code == 0, done.output
    return store


def read_words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.subheader, *page.error]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def read_metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: str(metric.value) for metric in page.metric}


def test_page_opens_on_the_default_layer_of_the_latest_year(
    open_page: OpenPage, example_store: Path, layer: HotspotLayer
) -> None:
    page = open_page(example_store)
    assert not page.exception
    words = read_words(page)
    assert "**Recorded incidents in Luton, year to March 2008: expected incidents**" in words
    assert describe_hold(layer) in words
    assert layer.words in words
    assert page.selectbox("layer").value == "Expected incidents"
    table = page.dataframe[0].value
    assert table["count"].tolist() == layer.places["count"].tolist()
    assert [button.proto.label for button in page.get("download_button")] == ["CSV", "GeoJSON", "GeoPackage"]


def test_score_stands_beside_the_layer_train_before_test(
    open_page: OpenPage, example_store: Path, layer: HotspotLayer
) -> None:
    page = open_page(example_store)
    words = read_words(page)
    assert "Not known yet: no later months are loaded. Found in the same way a step earlier:" in words
    score = score_layer(layer, read_points(layer.ground.query))
    assert score.earlier is not None
    assert score.earlier.words in words
    assert words.index("year to December 2007") < words.index("January 2008 to March 2008")
    assert read_metrics(page) == {
        "Caught": f"{100 * score.earlier.hit_rate:.0f} %",
        "Count alone": f"{100 * score.earlier.baseline:.0f} %",
        "PAI": f"{score.earlier.pai:.1f}",
        "PEI": f"{score.earlier.pei:.2f}",
    }
    known = open_page(example_store, months=["January 2007", "December 2007"])
    assert "Not known yet" not in read_words(known)
    assert score.earlier.words in read_words(known)


@pytest.mark.parametrize("name", LAYER_NAMES.values())
def test_every_layer_says_how_it_was_made(name: str, open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, layer=name, tab="About these figures")
    assert not page.exception
    words = read_words(page)
    assert f": {name[:1].lower()}{name[1:]}**" in words
    assert any(said in words for said in ("Silverman", "Benjamini-Hochberg", "DBSCAN", "spans of 3 months"))
    assert "have no location" in words


def test_settings_are_in_the_address_and_heard(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(
        example_store,
        layer="Density",
        crime=["Robbery", "Wounding"],
        cells="Squares of one width",
        width="400 m",
        bandwidth="750 m",
        coverage="5 %",
    )
    words = read_words(page)
    assert "**Robbery and Wounding in Luton, year to March 2008: density**" in words
    assert "squares of 400 m: quartic kernel density" in words
    assert "bandwidth 750 m, as chosen" in words
    assert "cover 5 % of the partnership" in words
    own = open_page(example_store, cells="Own wards")
    assert "Incidents expected per km² in wards" in read_words(own)
    assert not own.exception


def test_setting_or_place_that_means_nothing_is_as_if_not_there(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, width="-3 m", at="nowhere")
    assert not page.exception
    assert "**Recorded incidents in Luton, year to March 2008: expected incidents**" in read_words(page)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"months": ["May 2019", "April 2020"]},
            "The period asked for has 'May 2019', but April 2003 to March 2008 is loaded; choose months within that.",
        ),
        ({"months": ["x", "March 2008"]}, "The period asked for has 'x', but April 2003 to March 2008 is loaded"),
        ({"months": ["March 2008"]}, "The period asked for names 1 month; name its first and its last"),
        ({"crime": ["Robbery", "nonsense"]}, "The crime type asked for is 'nonsense', which is not held here; try"),
        ({"crime": "robbery"}, "The crime type asked for is 'robbery', which is not held here; try Robbery"),
        ({"layer": "Densities"}, "The layer asked for is 'Densities', which is not held here; try Density"),
        ({"cells": "Own streets"}, "The cells asked for is 'Own streets', which is not held here"),
    ],
)
def test_address_that_asks_for_what_is_not_held_is_told_so(
    asked: dict[str, str | list[str]], said: str, open_page: OpenPage, example_store: Path
) -> None:
    page = open_page(example_store, **asked)
    assert not page.exception
    assert said in read_words(page)
    assert len(page.error) == 1
    assert "Store version" in read_words(page)
    page.button[0].click().run()
    assert not page.error
    assert "year to March 2008: expected incidents**" in read_words(page)


def test_link_opens_the_same_view(open_page: OpenPage, example_store: Path, layer: HotspotLayer) -> None:
    asked: dict[str, str | list[str]] = {
        "months": ["April 2006", "March 2007"],
        "crime": ["Robbery", "Wounding"],
        "layer": "More than chance",
        "cells": "Squares of one width",
        "width": "400 m",
        "alpha": "10 %",
        "corrected": "false",
        "tab": "Concentration",
    }
    page = open_page(example_store, **asked)
    (code,) = page.code
    linked = parse_qs(urlsplit(str(code.value)).query)
    assert {key: linked[key] for key in asked} == {
        key: [value] if isinstance(value, str) else value for key, value in asked.items()
    }
    again = open_page(example_store, **linked)
    assert again.code[0].value == code.value
    assert read_words(again) == read_words(page)
    row = layer.places.iloc[1]
    place = parse_qs(urlsplit(str(open_page(example_store, at=row["code"]).code[0].value)).query)
    assert place["at"] == [row["code"]]
    assert place["months"] == ["April 2007", "March 2008"]


def test_open_place_has_the_figures_of_its_row(open_page: OpenPage, example_store: Path, layer: HotspotLayer) -> None:
    row = layer.places.iloc[1].to_dict()
    member = layer.frame["code"][layer.place_of == 1].iloc[-1]
    for code in (row["code"], member):
        page = open_page(example_store, at=code)
        assert [heading.value for heading in page.subheader] == [escape_markdown(name_place(row))]
        assert read_metrics(page) == {
            "Incidents": f"{row['count']:,.0f}",
            "of Luton's": f"{100 * row['share']:.1f} %",
            "hectares": f"{row['hectares']:.1f}",
        }
        assert f"Busiest: {row['street']}" in read_words(page)
    page.button[0].click().run()
    assert [heading.value for heading in page.subheader] == ["Luton"]


def test_cell_in_no_hotspot_can_be_looked_at(open_page: OpenPage, example_store: Path, layer: HotspotLayer) -> None:
    cold = layer.frame[~layer.frame["hot"] & (layer.frame["count"] > 0)].iloc[0]
    page = open_page(example_store, at=cold["code"])
    assert read_metrics(page)["Incidents"] == f"{cold['count']:,.0f}"
    place = layer.ground.names[layer.frame["code"].tolist().index(cold["code"])]
    assert [heading.value for heading in page.subheader] == [place]


def test_tabs_of_a_place_count_what_lies_in_it(open_page: OpenPage, example_store: Path, layer: HotspotLayer) -> None:
    row = layer.places.iloc[0]
    streets = open_page(example_store, at=row["code"], about="Streets").dataframe[0].value
    assert streets["location"].iloc[0] == row["street"]
    assert streets["count"].is_monotonic_decreasing
    areas = open_page(example_store, at=row["code"], about="Areas").dataframe[0].value
    wards = areas[areas["level"] == "Ward"]
    assert wards["part"].sum() == pytest.approx(1, abs=0.02)
    assert wards["name"].iloc[0] == row["area"].split(", ")[0]
    assert areas.loc[areas["level"] == "Hexagon", "decile"].between(1, 10).all()
    assert not open_page(example_store, at=row["code"], about="Trend").exception


def test_month_by_month_is_offered_where_it_can_be_made(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, show=MONTHLY)
    assert not page.exception
    assert page.selectbox("step").value == "3"
    assert "show" not in {box.key for box in open_page(example_store, layer="Change").selectbox}


def test_repeat_locations_are_those_with_the_most_incidents(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, tab="Repeat locations")
    table = page.dataframe[0].value
    store = open_store(example_store)
    streets = Query(store).list_locations(Selection.default(store).change(level="ward"), most=20)
    assert table["count"].tolist() == streets["count"].tolist()
    assert "20 locations have" in read_words(page)
    page.toggle("locations-on-map").set_value(True).run()
    assert not page.exception


def test_concentration_is_told_in_words(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, tab="Concentration", crime="Domestic Burglary")
    words = read_words(page)
    table = page.dataframe[0].value
    assert table["units"].tolist() == ["hexagons", "wards", "hexagons of 300 m"]
    assert f"Half of domestic Burglary is in **{100 * table['half'][1]:.1f} %** of the 19 wards." in words
    store = open_store(example_store)
    selection = Selection.default(store).change(level="ward", crimes=("domestic-burglary",))
    counts = Query(store).count_areas(selection)["count"].sort_values(ascending=False).cumsum()
    fewest = int((counts < counts.iloc[-1] / 2).sum()) + 1
    assert table["half"][1] == pytest.approx(fewest / 19)


def test_hours_are_shown_where_incidents_carry_them(
    open_page: OpenPage, example_store: Path, layer: HotspotLayer
) -> None:
    whole = open_page(example_store, tab="Days and hours")
    assert f"{layer.total:,.0f} incidents by hour and weekday" in read_words(whole)
    assert whole.dataframe[0].value.to_numpy().sum() == pytest.approx(layer.total, abs=10)
    row = layer.places.iloc[0]
    place = open_page(example_store, tab="Days and hours", at=row["code"])
    assert f"{row['count']:,.0f} incidents by hour and weekday" in read_words(place)


def test_months_alone_have_no_hours_and_the_page_says_why(open_page: OpenPage, luton: Path) -> None:
    page = open_page(luton, tab="Days and hours")
    assert not page.exception
    assert "These incidents carry no time of day, as published ones give only their month" in read_words(page)


def test_real_points_carry_their_caveats(open_page: OpenPage, luton: Path) -> None:
    page = open_page(luton, tab="Repeat locations", months=["May 2021", "April 2024"])
    words = read_words(page)
    assert "Published points are moved to the nearest of a fixed list of places" in words
    assert "The list of places was renewed in July 2022" in words
    assert "judged from July 2022 on" in words


def test_missing_months_are_missing_and_not_zero(open_page: OpenPage, awkward_store: Path) -> None:
    page = open_page(awkward_store, months=["January 2005", "December 2005"])
    assert "9 months are missing from the year to December 2005" in read_words(page)
    gone = open_page(awkward_store, months=["May 2005", "February 2006"])
    assert not gone.exception
    assert "No month of May 2005 to February 2006 is loaded" in read_words(gone)
    assert len(gone.error) == 1
    assert "Store version" in read_words(gone)


def test_a_hostile_place_is_only_text(open_page: OpenPage, awkward_store: Path, awkward_place: str) -> None:
    page = open_page(awkward_store)
    raw = [part.value for part in (*page.markdown, *page.caption, *page.subheader) if awkward_place in part.value]
    assert raw == []
    assert awkward_place in read_words(page)


def test_no_more_cells_are_offered_than_a_browser_draws(open_page: OpenPage, luton: Path) -> None:
    page = open_page(luton)
    hectares = Query(open_store(luton)).store.areas.query("layer == 'ward'")["hectares"].sum()
    widths = [int(option.removesuffix(" m").replace(",", "")) for option in page.selectbox("width").options[1:]]
    assert widths == [width for width in WIDTHS if 10_000 * hectares / width**2 <= MOST_CELLS]
    assert page.selectbox("width").options[0] == AUTOMATIC
