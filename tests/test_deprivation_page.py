"""Deprivation and crime without a browser: what stands on the screen, what a link opens, what goes into files."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.deprivation_view import DeprivationChoice, DeprivationPicture, compare_editions, make_picture, read_ground
from cspmap.errors import UserError
from cspmap.exports.deprivation_files import tabulate_editions, tabulate_fifths, tabulate_picture
from cspmap.exports.extract import write_csv
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.store import open_store
from cspmap.views.deprivation_charts import draw_curve, draw_fifths, draw_scatter, name_points, shape_funnel
from cspmap.views.deprivation_map import find_class, shade_picture
from cspmap.views.deprivation_words import (
    compare_words,
    describe_curve,
    describe_fifths,
    describe_standing,
    describe_worth,
    format_deprived,
    list_deprivation_caveats,
    name_class,
)
from cspmap.views.map import MapView, encode_view
from cspmap.views.palettes import bivariate_palette, faded_palette

ROOT = Path(__file__).resolve().parent.parent
NOTICE = "Example: illustrative geography, simulated incidents. Only what a named document prints is real."
YEAR = Span(Month(2007, 4), Month(2008, 3))

OpenPage = Callable[..., AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    """Runs the page on a store, with the parameters of a link."""

    def run(store: Path, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(ROOT / "pages" / "deprivation.py"), default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception
        return page

    return run


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


def picture_of(query: Query, level: str = "hexagon", *crimes: str, span: Span = YEAR) -> DeprivationPicture:
    choice = DeprivationChoice(span=span, level=level, edition=2019, crimes=crimes)
    return make_picture(query, read_ground(query, level, 2019), choice)


def read_words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.subheader, *page.error]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def read_table(page: AppTest, place: int = -1) -> pd.DataFrame:
    frame = page.dataframe[place].value
    return frame if isinstance(frame, pd.DataFrame) else frame.data


# ---- what is worked out ----------------------------------------------------------------------------------------------


def test_figures_of_areas_are_those_of_the_store(query: Query) -> None:
    picture = picture_of(query, "ward", "robbery")
    counted = query.count_areas(picture.choice.selection).set_index("code")
    areas = picture.areas.set_index("code")
    assert areas["count"].tolist() == counted["count"].reindex(areas.index).astype(float).tolist()
    assert areas["people"].tolist() == pytest.approx(counted["denominator"].reindex(areas.index).tolist())
    assert (areas["rate"] - 1000 * areas["count"] / areas["people"]).abs().max() < 1e-9
    held = query.read_deprivation("ward", 2019).set_index("code")
    assert areas["score"].equals(held["score"].reindex(areas.index))
    assert picture.kind == "score"


def test_rates_by_fifth_add_up_to_everything_inside(query: Query) -> None:
    picture = picture_of(query)
    assert picture.fifths["count"].sum() == picture.coverage.inside
    assert picture.fifths["people"].sum() == pytest.approx(184_371)
    assert picture.curve.incidents == picture.coverage.inside
    # Whatever the level, they are of the places that deprivation is published for.
    assert picture_of(query, "area").fifths.equals(picture.fifths)


def test_an_area_is_expected_to_have_what_its_places_are(query: Query) -> None:
    """Wards here are made of whole hexagons, so what is usual of theirs adds up to what is of the ward."""
    hexagons, wards = picture_of(query).areas, picture_of(query, "ward").areas
    own = hexagons.groupby(hexagons["code"].str.replace(r"-\d+$", "", regex=True))["expected"].sum()
    found = wards.set_index(wards["code"].str.removeprefix("luton-"))["expected"]
    assert found.to_dict() == pytest.approx(own.to_dict())


def test_households_are_what_burglary_is_per(query: Query) -> None:
    picture = picture_of(query, "hexagon", "domestic-burglary")
    assert picture.per.key == "households"
    assert picture.fifths["people"].sum() == pytest.approx(74_293)


def test_a_period_or_an_edition_that_is_not_there_is_told(query: Query, awkward_store: Path) -> None:
    with pytest.raises(UserError, match="The Indices of Deprivation 2025 are not loaded"):
        read_ground(query, "ward", 2025)
    gone = Span(Month(2005, 4), Month(2006, 3))
    with pytest.raises(UserError, match="No month of the year to March 2006 is loaded; choose other months"):
        picture_of(Query(open_store(awkward_store)), "ward", span=gone)


def test_editions_stand_in_rows_of_their_own(query: Query) -> None:
    table = compare_editions(query, "ward")
    assert set(table["edition"]) == {2019}
    assert table["place"].tolist() == sorted(range(1, 20))
    assert table["score"].is_monotonic_decreasing
    # The example follows the strategy's words: the largest areas of deprivation lie in these four.
    assert set(table["name"].head(4)) == {"South", "High Town", "Dallow", "Biscot"}
    assert list(tabulate_editions(table))[-3:] == ["placed_by", "share_covered", "method"]


# ---- the map ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("faded", [False, True])
def test_map_and_legend_have_the_same_classes(query: Query, faded: bool) -> None:
    picture = picture_of(query)
    areas, legend = shade_picture(picture, query.store.partnership, faded=faded, shown=(8,))
    assert [entry.colour for entry in legend.classes] == list(faded_palette() if faded else bivariate_palette())
    assert legend.grid is not None
    fills = [area.fill for area in areas]
    assert legend.grid.sizes == tuple(fills.count(number) for number in range(9))
    assert sum(legend.grid.sizes) == 123
    assert legend.grid.shown == (8,)
    assert "Thirds of the areas by deprivation score (" in legend.rule
    assert encode_view(MapView("Luton", "x.json", areas, legend)).count('"sizes"') == 1
    worst = picture.areas.sort_values(["score"]).iloc[-1]
    number = find_class(picture, worst["code"])
    assert number is not None
    assert number % 3 == 2
    assert find_class(picture, None) is None


def test_rates_that_are_refused_have_no_class(awkward_store: Path) -> None:
    query = Query(open_store(awkward_store))
    picture = picture_of(query, "ward")
    areas, _ = shade_picture(picture, query.store.partnership, faded=False)
    looks = {area.code: area.fill for area in areas}
    assert {code for code, fill in looks.items() if fill == "suppressed"} == {
        "luton-bramingham",
        "luton-crawley",
        "luton-stopsley",
    }


# ---- words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (2.0, "twice"),
        (1.94, "1.9 times"),
        (3.456, "3.5 times"),
        (3.02, "3 times"),
        (1.0, "about"),
        (0.5, "50 % of"),
        (0.0, "0 % of"),
    ],
)
def test_comparisons_in_words(ratio: float, words: str) -> None:
    assert compare_words(ratio) == words


def test_an_area_beside_what_is_usual() -> None:
    row = pd.Series({"name": "South 1", "count": 84.0, "expected": 42.0, "ratio": 2.0, "standing": "more"})
    assert describe_standing(row) == (
        "South 1 saw twice what places as deprived usually see (84 where 42 would be usual)."
    )
    assert describe_worth("more") == "Few such areas differ so much: 1 in 40 would be that high."
    assert describe_standing(row.replace({"more": "not known"})) == (
        "South 1: what places as deprived usually see is not known here."
    )


def test_figures_as_people_read_them() -> None:
    assert format_deprived(34.21, "score") == "34.2"
    assert format_deprived(0.1534, "score") == "0.153"
    assert format_deprived(-5210, "rank") == "rank 5,210"
    assert format_deprived(0.452, "fifth") == "45 %"
    assert format_deprived(float("nan"), "score") == "not known"
    assert name_class(8) == "Higher rate, most deprived third"
    assert name_class(0) == "Lower rate, least deprived third"


def test_nothing_says_why(query: Query) -> None:
    picture = picture_of(query, "ward")
    said = " ".join(
        [
            *list_deprivation_caveats(picture, query.store.partnership),
            describe_fifths(picture),
            describe_curve(picture.curve, "residents"),
            *(describe_standing(row) for _, row in picture.areas.iterrows()),
        ]
    )
    assert not re.search(r"\bcaus|\bbecause\b|\bdue to\b|leads? to|driven by|results? in", said, re.IGNORECASE)
    assert "The index itself counts recorded crime, so some agreement with it is built in" in said
    assert "does not say why" in said


def test_fifths_in_words(query: Query) -> None:
    figures = r"[\d.]+ per 1,000 residents \([\d.]+ to [\d.]+\)"
    assert re.fullmatch(
        rf"Most deprived fifth: {figures}. Fourth fifth: {figures}. The first is [\d.]+ times the second. "
        r"No place here is in England's least deprived fifth.",
        describe_fifths(picture_of(query)),
    )


def test_curve_in_words(query: Query) -> None:
    picture = picture_of(query)
    words = describe_curve(picture.curve, "residents")
    assert re.fullmatch(
        r"The most deprived places, where a fifth of residents are, saw \d+ % of [\d,]+ incidents. Concentration index "
        r"−?0\.\d\d \(95 % range −?0\.\d\d to −?0\.\d\d\): .+\.",
        words,
    )


# ---- charts ----------------------------------------------------------------------------------------------------------


def test_charts_hold_the_figures(query: Query) -> None:
    picture = picture_of(query)
    points = name_points(picture, colours=bivariate_palette(), area="south-01")
    assert len(points) == 123
    assert points.loc[points["open"], "label"].tolist() == ["South 1"]
    assert (points["label"] != "").sum() <= 13
    assert draw_scatter(points, picture).frame is points
    assert len(name_points(picture_of(query, "ward"), colours=bivariate_palette())["label"].unique()) == 19
    drawn = draw_fifths(picture).frame["rate"]
    assert drawn.to_numpy() == pytest.approx(picture.fifths["rate"].to_numpy(), nan_ok=True)
    assert len(draw_curve(picture.curve, per="residents").frame) == 124
    funnel = shape_funnel(picture)
    assert len(funnel.areas) == 123
    usual = picture.areas["standing"].eq("as usual").sum()
    inside = funnel.areas["ratio"].between(funnel.areas["lower_95"], funnel.areas["upper_95"])
    assert inside.sum() == usual


# ---- files -----------------------------------------------------------------------------------------------------------


def test_files_carry_everything(query: Query) -> None:
    picture = picture_of(query, "ward", "robbery")
    caveats = list_deprivation_caveats(picture, query.store.partnership)
    table = pd.read_csv(io.StringIO(write_csv(tabulate_picture(picture, "Luton", "Robbery"), caveats)))
    assert len(table) == 19
    assert table["score"].is_monotonic_decreasing
    assert set(table["deprivation_edition"]) == {2019}
    assert set(table["period"]) == {"2007-04..2008-03"}
    assert set(table["rate_per"]) == {"1,000 residents (2005)"}
    assert table["caveats"].str.contains("One|Editions differ", regex=True).all()
    assert set(table["third_deprivation"]) == {1, 2, 3}
    assert np.allclose(table["ratio"], table["count"] / table["expected"], atol=0.02)
    fifths = tabulate_fifths(picture, "Luton", "Robbery")
    assert fifths["fifth"].tolist() == [1, 2, 3, 4, 5]
    assert fifths["count"].sum() == picture.coverage.inside


# ---- the page --------------------------------------------------------------------------------------------------------


def test_page_opens_on_the_map(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store)
    words = read_words(page)
    assert NOTICE in words
    assert "**Deprivation and recorded incidents in Luton, year to March 2008.**" in words
    assert "of Luton's residents live in England's most deprived fifth" in words
    assert "More or less than places as deprived usually see" in words
    assert len(read_table(page)) == 123
    buttons: list[Any] = list(page.get("download_button"))
    assert [button.label for button in buttons] == ["CSV"]


@pytest.mark.parametrize("tab", ["Scatter", "By fifth", "Who it falls on", "More or less than usual", "Index years"])
def test_every_tab_opens_from_a_link(tab: str, open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, tab=tab, level="Ward", crime="Robbery")
    assert "**Deprivation and robbery in Luton" in read_words(page)
    assert not page.error


def test_ticked_classes_filter_the_table(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, level="Ward")
    before = read_table(page)
    page.multiselect("shown").select(name_class(8)).run()
    after = read_table(page)
    assert set(after["class"]) == {name_class(8)}
    assert len(after) == (before["class"] == name_class(8)).sum()


def test_legend_of_the_map_filters_and_a_click_opens_an_area(open_page: OpenPage, example_store: Path) -> None:
    page = open_page(example_store, level="Ward")
    page.session_state["deprivation-map"] = {"shown": [8, 7, 99], "nonce": "1-1"}
    page.run()
    assert page.multiselect("shown").value == [name_class(7), name_class(8)]
    assert set(read_table(page)["class"]) <= {name_class(7), name_class(8)}
    page.session_state["deprivation-map"] = {"area": "luton-dallow", "nonce": "1-2"}
    page.run()
    assert [heading.value for heading in page.subheader] == ["Dallow"]
    assert "Dallow saw" in read_words(page)


def test_a_period_that_is_not_loaded_is_told_on_the_page(open_page: OpenPage, awkward_store: Path) -> None:
    page = open_page(awkward_store)
    page.select_slider("months").set_range("2005-04", "2006-03").run()
    assert "No month of the year to March 2006 is loaded; choose other months." in read_words(page)


def test_names_are_shown_as_they_are(open_page: OpenPage, awkward_store: Path, awkward_place: str) -> None:
    page = open_page(awkward_store)
    raw: list[Any] = [
        part.value for part in (*page.markdown, *page.caption, *page.subheader) if awkward_place in str(part.value)
    ]
    assert raw == []
