"""Hotspots of a choice on the bundled example, held against the incidents counted by other means."""

from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from cspmap.analysis.hotspots import COVERAGE
from cspmap.errors import SelectionError, UserError
from cspmap.hotspot_ground import BY_RULE, CellChoice, Ground, Recorded, lay_ground, read_points
from cspmap.hotspot_layers import LAYERS, HotspotChoice, HotspotLayer, LayerKey, choose_roll, find_areas, make_layer
from cspmap.hotspot_score import score_layer
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

YEAR = Span.parse("2006-04..2007-03")
LAST = Span.parse("2007-04..2008-03")


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
def gapped(awkward_store: Path) -> tuple[Query, Recorded, Ground]:
    """The example without the year to March 2006."""
    query = Query(open_store(awkward_store))
    recorded = read_points(query)
    return query, recorded, lay_ground(query, recorded, BY_RULE)


@pytest.fixture(scope="module")
def incidents(example_store: Path) -> gpd.GeoDataFrame:
    """Every incident inside the town as a point, read from the store's own files."""
    store = open_store(example_store)
    rows = pd.concat([pd.read_parquet(file) for file in sorted(store.folder.glob("incidents/*.parquet"))])
    rows = rows[rows["in_ward"].notna() & ~rows["superseded"]]
    points = gpd.points_from_xy(rows["easting"], rows["northing"])
    return gpd.GeoDataFrame(rows[["month", "crime_type", "location"]], geometry=points, crs=27700)


def count_in(incidents: gpd.GeoDataFrame, outline: object, span: Span, crime: str | None = None) -> int:
    some = incidents[incidents["month"].between(str(span.first), str(span.last))]
    some = some if crime is None else some[some["crime_type"] == crime]
    return int(some.within(outline).sum())


def make(ground: Ground, recorded: Recorded, layer: LayerKey, **settings: object) -> HotspotLayer:
    return make_layer(ground, recorded, HotspotChoice(YEAR, layer=layer, **settings))  # type: ignore[arg-type]


# What is recorded


def test_points_of_some_crimes_in_some_months(query: Query, recorded: Recorded) -> None:
    robbery = recorded.of(["robbery"])
    selection = Selection(YEAR, "ward", crimes=("robbery",))
    assert robbery.during(YEAR)["count"].sum() == query.count_coverage(selection).inside
    assert set(robbery.during(YEAR)["month"]) <= {str(month) for month in YEAR}
    assert recorded.during(Span.parse("2020-01..2020-05")).empty
    assert not recorded.snapped


def test_missing_months_are_told_from_loaded_ones(gapped: tuple[Query, Recorded, Ground]) -> None:
    _, recorded, _ = gapped
    span = Span.parse("2005-02..2005-05")
    assert [str(month) for month in recorded.loaded(span)] == ["2005-02", "2005-03"]
    assert [str(month) for month in recorded.missing(span)] == ["2005-04", "2005-05"]


def test_width_by_rule_holds_two_locations_whatever_the_crime(ground: Ground, recorded: Recorded) -> None:
    places = recorded.points[["easting", "northing"]].drop_duplicates()
    assert ground.cells.lattice is not None
    area = ground.cells.area.sum()
    assert ground.cells.lattice.area == pytest.approx(2 * area / len(places), rel=0.4)
    assert f"{len(places):,} locations" in ground.cells.rule


def test_own_areas_are_cells_of_their_own_names(query: Query, recorded: Recorded) -> None:
    wards = lay_ground(query, recorded, CellChoice(level="ward"))
    assert wards.names == list(query.store.read_layer("ward")["name"])
    layer = make(wards, recorded, "expected", coverage=0.05)
    counts = query.count_areas(Selection(YEAR, "ward")).set_index("code")["count"]
    assert layer.frame.set_index("code")["count"].to_dict() == counts.to_dict()


def test_cells_are_named_after_the_ward_that_they_lie_in(ground: Ground) -> None:
    middles = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*ground.cells.centres), crs=27700).sjoin(
        ground.boundary, predicate="within"
    )
    known = middles["name"].groupby(level=0).first()
    assert len(known) > 0.9 * len(ground.cells)
    assert known.tolist() == [ground.names[number] for number in known.index]


def test_residents_add_up_to_the_towns(ground: Ground) -> None:
    assert ground.residents.sum() == pytest.approx(184_371, rel=0.001)


# Layers and places


@pytest.mark.parametrize("name", LAYERS)
def test_places_hold_what_lies_in_their_outlines(
    name: LayerKey, ground: Ground, recorded: Recorded, incidents: gpd.GeoDataFrame
) -> None:
    layer = make(ground, recorded, name)
    places, total = layer.places, count_in(incidents, ground.cells.boundary.buffer(1), YEAR)
    assert layer.total == total
    assert places["rank"].tolist() == list(range(1, len(places) + 1))
    assert places["count"].is_monotonic_decreasing
    for place in places.itertuples():
        held = count_in(incidents, place.geometry, YEAR)
        assert getattr(place, "count") == held  # noqa: B009 - count is a method of tuples
        assert place.share == pytest.approx(held / total)
        assert place.hectares == pytest.approx(place.geometry.area / 10_000)
    if name not in ("change", "significance"):
        assert len(places) >= 1


@pytest.mark.parametrize("name", ["expected", "significance"])
def test_every_hot_cell_is_in_the_place_around_it(name: LayerKey, ground: Ground, recorded: Recorded) -> None:
    layer = make(ground, recorded, name)
    assert layer.place_of is not None
    hot = layer.frame["hot"].to_numpy(dtype=bool)
    assert ((layer.place_of >= 0) == hot).all()
    for row, place in enumerate(layer.places.itertuples()):
        members = layer.place_of == row
        assert members.sum() == place.cells
        assert ground.cells.area[members].sum() / 10_000 == pytest.approx(place.hectares)
        peak = layer.frame[members].sort_values("score").iloc[-1]
        assert (place.code, place.peak) == (peak["code"], peak["score"])
        for code in layer.frame.loc[members, "code"]:
            assert layer.find_place(code) == row
    cold = layer.frame.loc[~hot, "code"].iloc[0]
    assert layer.find_place(cold) == layer.find_place("nowhere") == layer.find_place(None) == -1


def test_places_are_named_after_their_wards_and_busiest_street(
    ground: Ground, recorded: Recorded, incidents: gpd.GeoDataFrame, query: Query
) -> None:
    layer = make(ground, recorded, "expected")
    place = layer.places.iloc[0]
    inside = incidents[incidents.within(place["geometry"]) & incidents["month"].between("2006-04", "2007-03")]
    assert place["street"] == inside["location"].value_counts().index[0]
    wards = query.store.read_layer("ward")
    shares = wards.set_index("name").intersection(place["geometry"]).area / place["geometry"].area
    assert place["area"].split(", ") == shares[shares >= 0.1].sort_values(ascending=False).index.tolist()
    lies = find_areas(place["geometry"], wards)
    assert lies["part"].sum() == pytest.approx(1)
    assert lies.set_index("name")["part"].to_dict() == pytest.approx(shares[shares > 0].to_dict())


def test_points_are_located_in_the_places_that_hold_them(ground: Ground, recorded: Recorded) -> None:
    names: tuple[LayerKey, ...] = ("expected", "clusters")
    for name in names:
        layer = make(ground, recorded, name)
        points = recorded.during(YEAR)
        rows = layer.locate(points["easting"].to_numpy(), points["northing"].to_numpy())
        held = points["count"].groupby(rows).sum()
        assert held.drop(-1).tolist() == layer.places["count"].tolist()


def test_coverage_bounds_what_is_hot(ground: Ground, recorded: Recorded) -> None:
    area = ground.cells.area.sum() / 10_000
    for coverage in (COVERAGE, 0.10):
        places = make(ground, recorded, "expected", coverage=coverage).places
        assert 0.5 * coverage < places["hectares"].sum() / area <= coverage


def test_settings_reach_the_method(ground: Ground, recorded: Recorded) -> None:
    assert "bandwidth 900 m, as chosen" in make(ground, recorded, "density", bandwidth=900.0).words
    assert "within 90 m" in make(ground, recorded, "clusters", reach=90.0).words
    assert "held to 1 %" in make(ground, recorded, "significance", alpha=0.01).words
    assert "not corrected" in make(ground, recorded, "significance", correct=False).words
    change = make(ground, recorded, "change", comparison="previous")
    assert change.words.startswith("Year to March 2007 against the year to March 2006.")


def test_how_long_hotspots_last_is_told_by_years_where_there_are_two() -> None:
    assert choose_roll(Span.parse("2005-01..2006-12")) == (12, 3)
    assert choose_roll(Span.parse("2006-01..2006-12")) == (3, 3)
    assert choose_roll(Span.parse("2006-01..2006-03")) == (1, 1)


def test_too_short_a_period_for_that_is_told(ground: Ground, recorded: Recorded) -> None:
    with pytest.raises(UserError, match="3 spans or more, got 2"):
        make_layer(ground, recorded, HotspotChoice(Span.parse("2007-01..2007-02"), layer="persistence"))


def test_a_period_of_which_nothing_is_loaded_is_told(ground: Ground, recorded: Recorded) -> None:
    with pytest.raises(SelectionError, match="No month of the year to March 2010 is loaded"):
        make_layer(ground, recorded, HotspotChoice(Span.parse("2009-04..2010-03")))
    with pytest.raises(SelectionError, match="Nothing is loaded for the year to March 2003"):
        make_layer(ground, recorded, HotspotChoice(Span.parse("2003-04..2004-03"), layer="change"))


def test_no_incident_makes_no_hotspot(ground: Ground, recorded: Recorded) -> None:
    nothing = recorded.of([])
    for name in LAYERS:
        layer = make_layer(ground, nothing, HotspotChoice(YEAR, layer=name))
        assert layer.places.empty
        assert layer.total == 0
        shown = score_layer(layer, nothing)
        assert "cannot be scored" in shown.words


def test_missing_months_are_said(gapped: tuple[Query, Recorded, Ground]) -> None:
    _, recorded, ground = gapped
    layer = make_layer(ground, recorded, HotspotChoice(Span.parse("2005-01..2005-06")))
    assert "Months missing, not counted as zero: April 2005, May 2005, June 2005." in layer.words


# The score


def test_score_is_of_later_months_counted_by_hand(
    ground: Ground, recorded: Recorded, incidents: gpd.GeoDataFrame
) -> None:
    layer = make(ground, recorded, "expected")
    score = score_layer(layer, recorded)
    assert score.earlier is None
    assert score.own is not None
    assert (score.own.train, score.own.test) == (YEAR, Span.parse("2007-04..2007-06"))
    hits = sum(count_in(incidents, outline, score.own.test) for outline in layer.places.geometry)
    total = count_in(incidents, ground.cells.boundary.buffer(1), score.own.test)
    share = layer.places["hectares"].sum() / (ground.cells.area.sum() / 10_000)
    assert (score.own.hits, score.own.incidents) == (hits, total)
    assert score.own.hit_rate == pytest.approx(hits / total)
    assert score.own.pai == pytest.approx(hits / total / share)
    assert score.words == score.own.words


def test_score_of_clusters_is_of_their_outlines(
    ground: Ground, recorded: Recorded, incidents: gpd.GeoDataFrame
) -> None:
    layer = make(ground, recorded, "clusters")
    own = score_layer(layer, recorded).own
    assert own is not None
    outline = layer.places.union_all()
    assert own.hits == count_in(incidents, outline, own.test)
    assert own.share_area == pytest.approx(outline.area / ground.cells.area.sum())
    # The baseline takes whole cells by their counts, as it does beside any other layer.
    cells = make(ground, recorded, "expected")
    density = cells.frame["count"].to_numpy() / ground.cells.area
    order = np.argsort(-density, kind="stable")
    covered = np.cumsum(ground.cells.area[order]) / ground.cells.area.sum()
    whole = order[covered <= own.share_area]
    later = [count_in(incidents, ground.cells.frame.geometry.iloc[cell], own.test) for cell in whole]
    assert sum(later) <= own.baseline_hits <= sum(later) + own.incidents * 0.05


def test_score_is_not_known_where_nothing_later_is_loaded(ground: Ground, recorded: Recorded) -> None:
    for name in LAYERS:
        score = score_layer(make_layer(ground, recorded, HotspotChoice(LAST, layer=name)), recorded)
        assert score.own is None
        assert score.why == "no later months are loaded"
        assert score.earlier is not None
        assert (score.earlier.train, score.earlier.test) == (
            Span.parse("2007-01..2007-12"),
            Span.parse("2008-01..2008-03"),
        )
        assert score.words.startswith("How well these hotspots catch later incidents is not known yet: no later months")
        earlier = make_layer(ground, recorded, HotspotChoice(score.earlier.train, layer=name))
        own = score_layer(earlier, recorded).own
        assert own is not None
        assert (own.hits, own.words) == (score.earlier.hits, score.earlier.words)


def test_a_step_earlier_starts_where_something_is_loaded(ground: Ground, recorded: Recorded) -> None:
    everything = HotspotChoice(Span(recorded.months[0], recorded.months[-1]))
    score = score_layer(make_layer(ground, recorded, everything), recorded)
    assert score.earlier is not None
    assert score.earlier.train == Span.parse("2003-04..2007-12")


def test_a_gap_after_the_period_is_not_jumped(gapped: tuple[Query, Recorded, Ground]) -> None:
    _, recorded, ground = gapped
    layer = make_layer(ground, recorded, HotspotChoice(Span.parse("2004-04..2005-03")))
    score = score_layer(layer, recorded)
    assert score.own is None
    assert score.why == "none of the 3 months after them is loaded"
    assert score.earlier is not None
    assert score.earlier.test == Span.parse("2005-01..2005-03")
    cut = score_layer(make_layer(ground, recorded, HotspotChoice(Span.parse("2004-02..2005-01"))), recorded)
    assert cut.own is not None
    assert cut.own.test == Span.parse("2005-02..2005-03"), "the months up to the gap"


def test_with_too_few_months_there_is_no_score_at_all(ground: Ground, recorded: Recorded) -> None:
    month = Month(2004, 5)
    few = replace(recorded, points=recorded.during(Span(month, month)), months=(month,))
    score = score_layer(make_layer(ground, few, HotspotChoice(Span(month, month))), few)
    assert score.shown is None
    assert score.words.endswith("not known yet: no later months are loaded.")


def test_renewal_of_the_list_of_places_is_said_for_published_points_alone(ground: Ground) -> None:
    months = tuple(Span.parse("2022-01..2022-12"))
    points = pd.DataFrame(
        {
            "easting": 507_900.0,
            "northing": 222_900.0,
            "month": [str(month) for month in months],
            "crime_type": "robbery",
        }
    ).assign(count=1.0)
    choice = HotspotChoice(Span(months[0], months[-1]))
    for snapped in (True, False):
        layer = make_layer(ground, Recorded(points, months, snapped), choice)
        assert any("renewed in July 2022" in caution for caution in layer.cautions) == snapped
