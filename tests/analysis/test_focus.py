"""Suggested focus areas from layers, counts and budgets; figures of areas, by hand."""

import time
from math import pi
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from cspmap.analysis.contiguity import find_contiguity
from cspmap.analysis.focus import Progress, describe_area, start_suggestion, suggest
from cspmap.errors import UserError


def make_layer(width: int, height: int, side: float = 1000.0) -> gpd.GeoDataFrame:
    """Squares named by letter from west to east and number from south to north: a1, a2, b1."""
    cells = [(f"{chr(97 + x)}{y + 1}", x, y) for x in range(width) for y in range(height)]
    shapes = [box(x * side, y * side, (x + 1) * side, (y + 1) * side) for _, x, y in cells]
    return gpd.GeoDataFrame({"code": [code for code, _, _ in cells]}, geometry=shapes, crs=27700)


def by_code(layer: gpd.GeoDataFrame, values: list[Any]) -> pd.Series:
    return pd.Series(values, index=layer["code"], dtype="float64")


LAYER = make_layer(3, 2)
#  2  9  0        a2 b2 c2
#  1  5  8        a1 b1 c1
WEIGHTS = pd.Series({"a1": 1.0, "a2": 2.0, "b1": 5.0, "b2": 9.0, "c1": 8.0, "c2": 0.0})
PEOPLE = pd.Series({"a1": 100, "a2": 200, "b1": 300, "b2": 400, "c1": 500, "c2": 500})


def test_figures_of_an_area_by_hand() -> None:
    found = describe_area(LAYER, ["c1", "b1"], WEIGHTS, residents=PEOPLE)
    assert found.codes == ("b1", "c1")
    assert (found.captured, found.share) == (13, 13 / 25)
    assert (found.km2, found.km2_share, found.unit_share) == (2, 2 / 6, 2 / 6)
    assert (found.residents, found.residents_share) == (800, 800 / 2000)
    assert found.outline_km == 6
    assert found.compactness == pytest.approx(4 * pi * 2 / 36)
    assert found.times_even == pytest.approx(13 / 25 * 3)
    assert found.connected
    assert found.words == "52 % of the total on 33 % of the land, with 40 % of residents"


def test_figures_say_what_is_not_known() -> None:
    weights, people = WEIGHTS.drop("a1").replace({5.0: np.nan}), PEOPLE.drop("c2")
    found = describe_area(LAYER, ["a1", "b1", "c2"], weights, residents=people)
    assert found.unknown == ("a1", "b1")
    assert (found.captured, found.share) == (0, 0)
    assert (found.residents, found.residents_share) == (None, None)
    assert not found.connected
    assert describe_area(LAYER, ["a1"], WEIGHTS, residents=people).residents == 100
    assert describe_area(LAYER, ["a1"], WEIGHTS, residents=people).residents_share is None
    assert describe_area(LAYER, ["a1"], WEIGHTS * 0).words == "nothing is counted anywhere"


@pytest.mark.parametrize(("codes", "said"), [(["x9"], "x9 is not one"), ([], "No area is chosen")])
def test_figures_of_what_is_not_there_are_refused(codes: list[str], said: str) -> None:
    with pytest.raises(UserError, match=said):
        describe_area(LAYER, codes, WEIGHTS)


def test_the_best_area_by_units_residents_and_land() -> None:
    budgets: list[dict[str, Any]] = [{"budget": 3}, {"budget": 1299, "by": "residents"}, {"budget": 3, "by": "km2"}]
    for options in budgets:
        found = suggest(LAYER, WEIGHTS, residents=PEOPLE, **options)
        assert [area.figures.codes for area in found.areas] == [("b1", "b2", "c1")]
        assert found.areas[0].proven
        assert found.areas[0].gap == 0
        assert found.ended == "complete"
    poorer = suggest(LAYER, WEIGHTS, 899, by="residents", residents=PEOPLE).areas[0].figures
    assert poorer.codes == ("a1", "b1", "b2")


def test_what_is_included_and_avoided() -> None:
    assert suggest(LAYER, WEIGHTS, 3, include=["a1"]).areas[0].figures.codes == ("a1", "b1", "b2")
    assert suggest(LAYER, WEIGHTS, 3, avoid=["b1"]).areas[0].figures.codes == ("b2", "c1", "c2")
    both = suggest(LAYER, WEIGHTS, 4, include=["a1", "c2"]).areas[0].figures
    assert both.codes == ("a1", "b1", "b2", "c2")


def test_units_that_add_nothing_are_left_out() -> None:
    layer = make_layer(4, 1)
    assert suggest(layer, by_code(layer, [0, 3, 4, 0]), 4).areas[0].figures.codes == ("b1", "c1")


def test_alternatives_really_differ() -> None:
    rng = np.random.default_rng(5)
    layer = make_layer(6, 6)
    weights = by_code(layer, rng.gamma(0.5, 20, 36).tolist())
    people = by_code(layer, rng.integers(50, 400, 36).tolist())
    found = suggest(layer, weights, 1500, by="residents", residents=people, alternatives=3, overlap=0.4)
    assert len(found.areas) == 4
    worth = [area.figures.captured for area in found.areas]
    assert worth == sorted(worth, reverse=True)
    for number, area in enumerate(found.areas):
        for earlier in found.areas[:number]:
            shared = set(area.figures.codes) & set(earlier.figures.codes)
            assert people[list(shared)].sum() <= 0.4 * people[list(earlier.figures.codes)].sum()


def test_alternatives_run_out() -> None:
    found = suggest(LAYER, WEIGHTS, 6, alternatives=5, overlap=0)
    assert [area.figures.codes for area in found.areas] == [("a1", "a2", "b1", "b2", "c1")]
    assert found.ended == "no further area"


def test_compactness_makes_the_outline_shorter() -> None:
    layer = make_layer(6, 6)
    weights = by_code(layer, np.random.default_rng(8).gamma(0.7, 20, 36).tolist())
    outlines, captured = [], []
    for compactness in (0, 0.1, 0.3, 0.6):
        area = suggest(layer, weights, 9, compactness=compactness).areas[0]
        assert area.proven
        outlines.append(area.figures.outline_km)
        captured.append(area.figures.captured)
    assert outlines == sorted(outlines, reverse=True)
    assert captured == sorted(captured, reverse=True)
    assert outlines[-1] < outlines[0]


def test_units_that_are_not_known_take_no_part() -> None:
    weights = WEIGHTS.copy()
    weights["b1"] = np.nan
    people = PEOPLE.drop("a1")
    found = suggest(LAYER, weights, 2000, by="residents", residents=people)
    assert found.unknown == ("a1", "b1")
    assert found.areas[0].figures.codes == ("a2", "b2", "c1", "c2")


@settings(deadline=None, max_examples=40)
@given(st.data(), st.booleans(), st.sampled_from(["units", "residents"]))
def test_an_area_is_never_broken_and_keeps_its_budget(data: st.DataObject, included: bool, by: Any) -> None:
    """Equality with complete enumeration is tested on the search itself; this is the way there and back."""
    layer = make_layer(5, 4)
    weights = by_code(layer, data.draw(st.lists(st.integers(0, 50), min_size=20, max_size=20)))
    weights.iloc[7] = 30
    people = by_code(layer, data.draw(st.lists(st.integers(1, 300), min_size=20, max_size=20)))
    include = [data.draw(st.sampled_from(layer["code"].tolist()))] if included else []
    budget = data.draw(st.integers(1, 20)) * (300 if by == "residents" else 1)
    found = suggest(layer, weights, budget, by=by, residents=people, include=include, alternatives=1).areas
    for area in found:
        codes = list(area.figures.codes)
        assert find_contiguity(layer).is_connected(codes)
        assert set(include) <= set(codes)
        assert (len(codes) if by == "units" else people[codes].sum()) <= budget
        assert area.figures.captured == weights[codes].sum()
        assert area.proven


ISLANDS = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=[box(0, 0, 10, 10), box(900, 0, 910, 10)], crs=27700)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": WEIGHTS.replace({8.0: -1.0})}, "c1 has a weight below zero"),
        ({"weights": WEIGHTS * 0}, "nothing to capture"),
        ({"weights": pd.Series({"z": 1.0})}, "weights name z"),
        ({"budget": 0}, "budget cannot be 0"),
        ({"budget": float("nan")}, "budget cannot be nan"),
        ({"budget": 0.5}, "No area fits within a budget of 0.5 units"),
        ({"by": "residents"}, "needs the residents"),
        ({"by": "residents", "residents": PEOPLE * -1}, "fewer than no residents"),
        ({"include": ["x"]}, "x is not one of the areas"),
        ({"avoid": ["x"]}, "x is not one of the areas"),
        ({"include": ["a1"], "avoid": ["a1"]}, "both to be included and to be avoided"),
        ({"include": ["a1"], "weights": WEIGHTS.drop("a1")}, "a1 cannot be included"),
        ({"include": ["a1", "a2", "b1"], "budget": 2}, "use more than the budget"),
        ({"include": ["a1", "c2"], "budget": 3}, "No contiguous area within the budget"),
        ({"include": ["a1", "c1"], "avoid": ["b1", "b2"], "budget": 6}, "do not hang together"),
        ({"compactness": -0.1}, "Compactness cannot be -0.1"),
        ({"alternatives": -1}, "cannot be -1 alternatives"),
        ({"overlap": 1.0}, "cannot share 1 of their units"),
        ({"units": ISLANDS, "weights": pd.Series({"a": 1, "b": 1}), "include": ["a", "b"]}, "do not hang together"),
    ],
)
def test_mistakes_are_told_in_a_sentence(options: dict[str, Any], said: str) -> None:
    given_options = {"units": LAYER, "weights": WEIGHTS, "budget": 3, **options}
    with pytest.raises(UserError, match=said):
        suggest(**given_options)


HARD = make_layer(20, 20)
NOISE = by_code(HARD, np.random.default_rng(4).gamma(1.0, 10.0, 400).tolist())


def test_a_search_without_time_says_how_far_off_it_may_be() -> None:
    told: list[Progress] = []
    found = suggest(HARD, NOISE, 40, alternatives=2, seconds=0.3, on_progress=told.append)
    assert found.ended == "out of time"
    assert len(found.areas) == 1
    assert not found.areas[0].proven
    assert found.areas[0].gap > 0
    assert "another area might be worth up to" in found.areas[0].words
    assert told
    assert suggest(HARD, NOISE, 40, should_stop=lambda: True).ended == "stopped"


def test_a_job_answers_as_suggest_does() -> None:
    with start_suggestion(LAYER, WEIGHTS, 3, alternatives=1) as job:
        found = job.result(timeout=60)
    expected = suggest(LAYER, WEIGHTS, 3, alternatives=1)
    assert (found.areas, found.ended) == (expected.areas, expected.ended)


def test_a_job_shows_progress_and_can_be_stopped() -> None:
    with start_suggestion(HARD, NOISE, 40, seconds=300) as job:
        deadline = time.monotonic() + 60
        while job.progress is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert job.progress is not None
        assert job.progress.bound > job.progress.value > 0
        with pytest.raises(TimeoutError):
            job.result(timeout=0)
        assert not job.done
        job.stop()
        found = job.result(timeout=30)
    assert found.ended == "stopped"
    assert find_contiguity(HARD).is_connected(found.areas[0].figures.codes)


def test_a_job_can_be_killed() -> None:
    with start_suggestion(HARD, NOISE, 40, seconds=300) as job:
        job.kill()
        job.kill()
        job.stop()
        assert job.done
        with pytest.raises(UserError, match="ended without an answer"):
            job.result()


def test_a_job_tells_of_mistakes_at_once_and_of_what_cannot_be_found() -> None:
    with pytest.raises(UserError, match="budget cannot be 0"):
        start_suggestion(LAYER, WEIGHTS, 0)
    with (
        start_suggestion(LAYER, WEIGHTS, 3, include=["a1", "c2"]) as job,
        pytest.raises(UserError, match="No contiguous area within the budget"),
    ):
        job.result(timeout=60)


def test_luton_is_proven(shared_data: Path) -> None:
    """Recorded crime of Luton's 125 LSOAs in 2023 by published code: 12 of them, with two alternatives."""
    layer = gpd.read_file(shared_data / "boundaries" / "luton-lsoa-2021.geojson").to_crs(27700)
    layer = layer.rename(columns={"LSOA21CD": "code"}).sort_values("code", ignore_index=True)
    with ZipFile(shared_data / "police" / "bedfordshire-2021-05-to-2024-04.zip") as archive:
        names = [name for name in archive.namelist() if name.startswith("2023-") and name.endswith("-street.csv")]
        codes = pd.concat([pd.read_csv(archive.open(name), usecols=["LSOA code"])["LSOA code"] for name in names])
    weights = codes.value_counts().reindex(layer["code"], fill_value=0).astype(float)
    found = suggest(layer, weights, 12, alternatives=2)
    assert [area.proven for area in found.areas] == [True] * 3
    best = found.areas[0].figures
    assert len(best.codes) == 12
    assert best.connected
    # The twelve heaviest LSOAs, contiguous or not, hold more; what greedy growth reaches is no more than the best.
    heaviest = weights.nlargest(12).sum()
    contiguity = find_contiguity(layer)
    grown = {weights.idxmax()}
    while len(grown) < 12:
        places = [contiguity.codes.index(code) for code in grown]
        beside = {contiguity.codes[other] for place in places for other in contiguity.neighbours[place]} - grown
        grown.add(weights[sorted(beside)].idxmax())
    assert weights[sorted(grown)].sum() <= best.captured <= heaviest
