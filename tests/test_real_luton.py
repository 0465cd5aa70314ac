"""The main job on real input: three years of Luton's recorded crime, to the numbers that were counted by hand."""

from pathlib import Path

import pandas as pd
import pytest

from cspmap.build import BuildSummary, build_store
from cspmap.exports.extract import extract_counts
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection

ROOT = Path(__file__).resolve().parent.parent
THREE_YEARS = Span(Month(2021, 5), Month(2024, 4))
LAST_YEAR = Span(Month(2023, 5), Month(2024, 4))


@pytest.fixture(scope="session")
def luton(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> BuildSummary:
    toml = ROOT / "docs" / "partnerships" / "luton.toml"
    return build_store(toml, data=shared_data, root=tmp_path_factory.mktemp("luton"))


@pytest.fixture(scope="session")
def query(luton: BuildSummary) -> Query:
    return Query(luton.store)


def select(query: Query, level: str, span: Span = LAST_YEAR) -> Selection:
    return Selection.default(query.store).change(span=span, level=level)


def count(query: Query, level: str, span: Span) -> dict[str, int]:
    frame = query.count_areas(select(query, level, span))
    return {str(name): int(number) for name, number in zip(frame["name"], frame["count"], strict=True)}


def test_three_years_are_read(luton: BuildSummary) -> None:
    early, late = luton.sources
    assert (len(early.months), len(late.months)) == (5, 36)
    assert (late.rows, late.repeated, late.unlocated) == (182_113, 184, 6_381)
    assert late.inside == pytest.approx(65_663, abs=5)
    assert luton.rows == early.rows + 182_113


def test_areas_of_the_strategy_in_the_year_to_april_2024(query: Query) -> None:
    expected = {"South": 8_671, "Central": 4_331, "East": 3_138, "West": 2_902, "North": 2_877}
    found = count(query, "area", LAST_YEAR)
    assert found.keys() == expected.keys()
    assert all(abs(found[name] - number) <= 3 for name, number in expected.items()), found


def test_wards_cover_what_the_strategy_prints(query: Query) -> None:
    wards = query.store.areas[query.store.areas["layer"] == "ward"]
    assert len(wards) == 19
    assert wards["hectares"].sum() == pytest.approx(4_336, abs=0.5)


@pytest.mark.parametrize(("level", "areas"), [("ward25", 20), ("lsoa21", 125), ("lsoa11", 121), ("area", 5)])
def test_every_level_answers_with_the_same_total(query: Query, level: str, areas: int) -> None:
    """Within half a per cent: boundaries of other years are generalised otherwise at the town's edge."""
    for span in (THREE_YEARS, LAST_YEAR):
        found, wards = count(query, level, span), count(query, "ward", span)
        assert len(found) == areas
        assert sum(found.values()) == pytest.approx(sum(wards.values()), rel=0.005)
    assert sum(count(query, "area", LAST_YEAR).values()) == sum(count(query, "ward", LAST_YEAR).values())


def test_months_of_2018_and_19_lie_beside_the_later_ones_in_their_own_vintage(query: Query) -> None:
    months = query.store.read_table("months").set_index("month")
    vintages = months["lsoa_vintage"].to_dict()
    assert {month for month, vintage in vintages.items() if vintage == "lsoa11"} == {
        "2018-10",
        "2018-11",
        "2018-12",
        "2019-01",
        "2019-02",
    }
    assert sum(vintage == "lsoa21" for vintage in vintages.values()) == 36
    gap = Span(Month(2019, 3), Month(2021, 4))
    assert query.missing_months(Span(Month(2018, 10), Month(2024, 4))) == tuple(gap)
    early = Span(Month(2018, 10), Month(2019, 2))
    assert sum(count(query, "lsoa21", early).values()) == pytest.approx(10_845, abs=20)


def test_published_lsoa_disagrees_with_the_point_as_often_as_streets_are_borders(query: Query) -> None:
    months = query.store.read_table("months")
    share = months["lsoa_disagree"].sum() / months["lsoa_compared"].sum()
    assert 0.03 < share < 0.07


def test_nothing_is_lost_on_the_way(query: Query) -> None:
    coverage = query.count_coverage(select(query, "ward"), span=THREE_YEARS)
    assert coverage.recorded == 182_113 - 184
    assert coverage.recorded == coverage.inside + coverage.outside + coverage.unlocated
    assert (coverage.missing, coverage.own) == ((), False)


def test_residents_and_households_of_luton(query: Query) -> None:
    held = query.store.denominators
    sums = held.groupby(["layer", "denominator"])["value"].sum()
    assert sums["lsoa21", "residents"] == pytest.approx(226_951, rel=0.01)
    assert sums["lsoa11", "households"] == pytest.approx(74_293, rel=0.001)
    for level in ("ward", "ward25", "area", "lsoa11"):
        assert sums[level, "residents"] == pytest.approx(sums["lsoa21", "residents"], rel=0.01)


def test_extract_gives_the_same_figures(query: Query) -> None:
    frame = extract_counts(query, select(query, "area"), by=["month", "crime_type"])
    sums = frame.groupby("name")["count"].sum()
    assert {str(name): int(number) for name, number in sums.items()} == count(query, "area", LAST_YEAR)
    assert set(frame["months_missing"]) == {0}
    burglary = frame[frame["crime_type"] == "Burglary"]
    assert set(burglary["rate_per"]) == {"1,000 households (2011)"}
    expected = 1000 * burglary["count"].astype(float) / burglary["population"]
    pd.testing.assert_series_equal(burglary["rate"], expected, check_names=False, check_exact=False, atol=0.001)


def test_building_again_changes_nothing(luton: BuildSummary, shared_data: Path) -> None:
    toml = ROOT / "docs" / "partnerships" / "luton.toml"
    again = build_store(toml, data=shared_data, root=luton.store.root)
    assert (again.changed, again.store.version, again.months_read) == (False, luton.store.version, 0)
