"""The partnership beside others: on the bundled example, on real tables, and where figures are missing or odd."""

import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gamma

from cspmap.analysis.area_figures import compute_figures
from cspmap.build import build_store
from cspmap.errors import SelectionError, UserError
from cspmap.peer_group import PeerGroup
from cspmap.peers import (
    Beside,
    Offence,
    compare_group,
    compare_offences,
    compare_totals,
    find_offence,
    find_year,
    list_among,
    list_offences,
    rank_areas,
)
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.sources.recorded_crime import read_recorded_crime
from cspmap.sources.recorded_crime_frame import NEGATIVE, make_frame
from cspmap.store import open_store
from cspmap.totals import Coverage
from cspmap.views.compare_files import tabulate_members, tabulate_offences
from cspmap.views.compare_words import (
    describe_beside,
    describe_standing,
    describe_year_on_year,
    list_peer_caveats,
    list_reasons,
    summarise_places,
)

ROOT = Path(__file__).resolve().parent.parent
TOTAL = "Total recorded crime (excluding fraud)"


@pytest.fixture(scope="module")
def example(example_store: Path) -> Query:
    return Query(open_store(example_store))


@pytest.fixture(scope="module")
def luton(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Query:
    toml = ROOT / "docs" / "partnerships" / "luton.toml"
    return Query(build_store(toml, data=shared_data, root=tmp_path_factory.mktemp("luton")).store)


def make_query(*rows: dict[str, Any], members: tuple[str, ...] = ("B", "C", "D")) -> Query:
    """A query with just these rows of recorded crime; the partnership is A."""
    usual = {"force": "F", "offence": "Total recorded crime", "per": "residents", "year": "2024-12", "marks": ""}
    numbers = {"count": math.nan, "before": math.nan, "percent": math.nan, "rate": math.nan, "people": 1000.0}
    frame = make_frame([{**usual, **numbers, "name": f"Place {row['code']}", **row} for row in rows])
    group = PeerGroup(Path("file.csv"), "the source", members, "Our family", "the Home Office")
    partnership = SimpleNamespace(csp="A", recorded_crime=group, place="Place A", notice="")
    return cast(Query, SimpleNamespace(store=SimpleNamespace(partnership=partnership, recorded_crime=frame)))


def line(code: str, count: float, before: float, **values: Any) -> dict[str, Any]:
    return {
        "code": code,
        "count": count,
        "before": before,
        "rate": count,
        "percent": 100 * (count - before) / before,
    } | values


# ---- Made-up tables ----------------------------------------------------------------------------------------------


def test_group_by_hand() -> None:
    query = make_query(line("A", 40, 30), line("B", 20, 20), line("C", 30, 20), line("D", 90, 80), line("E", 1, 1))
    peers = compare_group(query, find_offence(query, None))
    assert list(peers.members.index) == ["D", "A", "C", "B"]
    assert list(peers.members["rank"]) == [1, 2, 3, 4]
    assert (peers.bounds.mean, peers.bounds.number) == (45, 4)
    deviation = math.sqrt((45**2 + 5**2 + 15**2 + 25**2) / 3)
    assert peers.bounds.upper == pytest.approx(45 + deviation)
    assert list(peers.members["position"]) == ["above", "within", "within", "within"]
    assert peers.line["low"] == pytest.approx(gamma.ppf(0.025, 40))
    assert peers.line["high"] == pytest.approx(gamma.ppf(0.975, 41))
    # 72.4 is inside the bounds, so chance could have put D above them.
    assert not peers.members["firm"]["D"]
    assert peers.year == Span(Month(2024, 1), Month(2024, 12))


def test_force_is_all_of_the_force_and_nobody_else() -> None:
    query = make_query(line("A", 4, 3), line("B", 2, 2, force="G"), line("E", 3, 2))
    assert sorted(compare_group(query, find_offence(query, None), among="force").members.index) == ["A", "E"]
    assert list_among(query) == ["group", "force"]
    assert list_among(make_query(line("A", 4, 3), members=())) == ["force"]


def test_year_before_has_rates_of_its_own_and_no_change() -> None:
    query = make_query(line("A", 40, 30), line("B", 20, 24), line("C", 30, 12))
    peers = compare_group(query, find_offence(query, None), year="before")
    assert peers.members["rate"].to_dict() == {"A": 30, "B": 24, "C": 12}
    assert peers.members["percent"].isna().all()
    assert set(peers.members["verdict"]) == {"not known"}
    assert peers.year == Span(Month(2023, 1), Month(2023, 12))
    assert find_year(query) == Span(Month(2024, 1), Month(2024, 12))
    assert describe_year_on_year(peers.line) == "The year before is not given here."
    assert any("worked out here" in caveat for caveat in list_peer_caveats(peers, query.store.partnership))


def test_missing_and_negative_figures_stay_and_take_no_part() -> None:
    query = make_query(
        line("A", 40, 30),
        line("B", -2, 20, rate=-2.0, marks=NEGATIVE),
        line("C", 30, 20, rate=math.nan, percent=math.nan, marks="rate not available"),
        line("D", math.nan, 20),
    )
    peers = compare_group(query, find_offence(query, None))
    assert peers.bounds.number == 1
    assert peers.members["count"].to_dict() == pytest.approx({"A": 40, "B": -2, "C": 30, "D": math.nan}, nan_ok=True)
    assert peers.members["rank"].notna().sum() == 1
    assert peers.members.loc[["B", "C", "D"], ["rate", "low", "high"]].isna().all(axis=None)
    assert peers.members.loc["C", "percent_low":"percent_high"].isna().all()
    told = list_peer_caveats(peers, query.store.partnership)
    assert f"Place B: {NEGATIVE}." in told
    assert "Place C: rate not available." in told


def test_rate_that_is_not_given_is_said() -> None:
    query = make_query(line("A", 40, 30, rate=math.nan), line("B", 20, 20), line("C", 30, 20))
    peers = compare_group(query, find_offence(query, None))
    assert describe_standing(peers, "Hill") == "The rate of Hill is not given for the year to December 2024."
    assert peers.members.index[-1] == "A"


def test_every_offence_is_the_same_as_one_by_one() -> None:
    rows = [
        line(code, count, 20.0, offence=offence, per=per)
        for code, count in (("A", 30.0), ("B", 25.0), ("C", 44.0), ("D", 60.0))
        for offence, per in (
            ("Total recorded crime", "residents"),
            ("Burglary", "residents"),
            ("Burglary", "households"),
        )
    ]
    query = make_query(*rows)
    frame = compare_offences(query).set_index("offence")
    assert list(frame.index) == ["Total recorded crime", "Burglary", "Burglary, per 1,000 households"]
    for offence in list_offences(query):
        peers, row = compare_group(query, offence), frame.loc[offence.words]
        for column in ("count", "rate", "low", "high", "rank", "percent", "p", "verdict", "position", "firm"):
            assert row[column] == peers.line[column]
        assert (row["mean"], row["lower"], row["upper"]) == (peers.bounds.mean, peers.bounds.lower, peers.bounds.upper)


def test_offence_that_is_not_there() -> None:
    query = make_query(line("A", 40, 30), line("A", 4, 3, offence="Robbery"))
    assert find_offence(query, " robbery ") == Offence("Robbery", "residents")
    assert find_offence(query, None).total
    with pytest.raises(SelectionError, match="no offence 'arson'; choose one of: Total recorded crime; Robbery"):
        find_offence(query, "arson")


def test_without_a_table_the_sentence_says_what_to_do() -> None:
    query = make_query()
    assert list_offences(query) == []
    for ask in (lambda: find_offence(query, None), lambda: compare_offences(query)):
        with pytest.raises(UserError, match=r"Name the published file in a \[recorded_crime\] table"):
            ask()


# ---- In words ------------------------------------------------------------------------------------------------------


def test_standing_in_words() -> None:
    query = make_query(line("A", 400, 300), line("B", 200, 200), line("C", 200, 200), line("D", 100, 80))
    peers = compare_group(query, find_offence(query, None))
    assert describe_standing(peers, "Hill") == (
        "Hill: 400 offences in the year to December 2024, 400.0 per 1,000 residents (361.8 to 441.2 allowing for "
        "chance). The highest of 4, and chance alone would not change that. The mean of the 4 is 225.0, the bounds "
        "99.2 to 350.8: Hill is above them, even allowing for chance."
    )
    assert describe_year_on_year(peers.line) == (
        "Up 33.3 % on the year before (300 to 400; +15 % to +55 % allowing for chance). That is more than chance would "
        "explain."
    )
    other = SimpleNamespace(**{**peers.__dict__, "line": peers.members.loc["B"]})
    said = describe_standing(cast(Any, other), "Dale")
    assert "Joint 2nd highest of 4, and 2nd to 3rd allowing for chance." in said
    assert "Dale is within them." in said


def test_change_in_words_where_there_is_little_to_say() -> None:
    told = pd.Series({"before": 5.0, "count": 6.0, "percent": np.nan, "verdict": "normal variation"})
    assert describe_year_on_year(told) == (
        "Up on the year before (5 to 6; so few that no percentage is given). That is within normal variation."
    )
    level = pd.Series({"before": 6.0, "count": 6.0, "percent": 0.0, "verdict": "normal variation"})
    assert describe_year_on_year(level) == "Level with the year before (6 to 6)."
    odd = pd.Series({"before": -1.0, "count": 6.0, "percent": np.nan, "verdict": "not known"})
    assert describe_year_on_year(odd) == "The count cannot be compared with the year before (-1 to 6)."


def make_beside(recorded: float | None, inside: int, *, missing: int = 0, unlocated: int = 0) -> Beside:
    span = Span(Month(2023, 1), Month(2023, 12))
    absent = tuple(span)[:missing]
    return Beside(span, recorded, Coverage(span, absent, inside + unlocated, inside, 0, unlocated, 0))


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        (
            make_beside(1000, 950),
            "is 1,000; there are 950 on data.police.uk inside Hill, 50 fewer (−5.0 %).",
        ),
        (make_beside(1000, 1100), "there are 1,100 on data.police.uk inside Hill, 100 more (+10 %)."),
        (make_beside(1000, 1000), "there are as many, 1,000 on data.police.uk, inside Hill."),
        (make_beside(None, 950), "recorded crime is not given; there are 950 on data.police.uk inside Hill."),
        (make_beside(1000, 0, missing=12), "no month of it is loaded here, so nothing stands beside it."),
        (
            make_beside(1000, 90, missing=11),
            "1 of its 12 months is loaded here, so nothing stands beside it. 11",
        ),
    ],
)
def test_two_sources_in_words(beside: Beside, said: str) -> None:
    assert said in describe_beside(beside, "Hill", police_uk=True)
    assert (beside.difference is None) == (beside.recorded is None or bool(beside.loaded.missing))


def test_reasons_name_what_is_without_a_location() -> None:
    partnership = cast(Any, SimpleNamespace(place="Hill"))
    reasons = list_reasons(make_beside(1000, 950, unlocated=20), partnership, police_uk=True)
    assert any("20 of the force's incidents of that year have no location" in reason for reason in reasons)
    assert not any("force" in reason for reason in list_reasons(None, partnership, police_uk=False))
    assert not any("police.uk" in reason for reason in list_reasons(None, partnership, police_uk=False))


# ---- The bundled example ---------------------------------------------------------------------------------------------


def test_example_stands_in_its_simulated_group(example: Query) -> None:
    peers = compare_group(example, find_offence(example, None))
    assert len(peers.members) == 8
    assert peers.line["name"] == "Luton (simulated)"
    assert peers.line["rate"] == pytest.approx(1000 * peers.line["count"] / 184_371, abs=0.001)
    assert peers.members["rate"].is_monotonic_decreasing
    force = compare_group(example, find_offence(example, "Domestic Burglary, per 1,000 households"), among="force")
    assert len(force.members) == 3


def test_example_has_its_two_sources(example: Query) -> None:
    latest, before = compare_totals(example)
    assert (latest.span.last, before.span.last) == (Month(2008, 3), Month(2007, 3))
    assert latest.loaded.total == 12_952
    assert latest.difference == 12_952 - 13_066
    assert "in the incidents loaded inside Luton" in describe_beside(latest, "Luton", police_uk=False)


def test_files_hold_what_the_page_shows(example: Query) -> None:
    partnership = example.store.partnership
    peers = compare_group(example, find_offence(example, "Robbery"))
    table = tabulate_members(peers, partnership)
    assert list(table["code"]) == list(peers.members.index)
    assert table["count"].tolist() == peers.members["count"].tolist()
    assert table["rate"].tolist() == peers.members["rate"].round(3).tolist()
    assert set(table["year"]) == {"2007-04..2008-03"}
    assert {"rate_low", "rank_first", "mean_rate", "lower_bound", "rate_per", "source"} <= set(table)
    offences = compare_offences(example)
    assert len(tabulate_offences(offences, peers, partnership)) == len(offences) == 12
    assert summarise_places(offences).startswith(
        "Of 12 rates 12 lie within the group's bounds, 0 above them and 0 below"
    )


def test_own_areas_beside_each_other() -> None:
    """By hand: 50 and 20 of 1,000, one with too few people and one not known."""
    counts = pd.DataFrame(
        {
            "code": list("abcd"),
            "name": list("ABCD"),
            "hectares": 1.0,
            "count": pd.array([20, 50, 9, pd.NA], dtype="Int64"),
            "before": pd.array([20, 50, 9, 1], dtype="Int64"),
            "denominator": [1000.0, 1000.0, 5.0, 1000.0],
            "denominator_method": "as published",
        }
    )
    areas = compute_figures(counts, total=79, comparable=True, smallest=100)
    ranked = rank_areas(areas).set_index("code")
    assert list(ranked.index) == ["b", "a", "c", "d"]
    assert list(ranked["rank"][:2]) == [1, 2]
    assert ranked.loc[["c", "d"], ["low", "high", "rank", "first", "last"]].isna().all(axis=None)
    assert ranked["high"]["b"] == pytest.approx(gamma.ppf(0.975, 51))
    assert ranked[["first", "last"]].to_numpy()[0].tolist() == [1, 1]


# ---- Real tables -----------------------------------------------------------------------------------------------------


def test_luton_as_published(luton: Query) -> None:
    peers = compare_group(luton, find_offence(luton, None))
    assert (peers.line["count"], peers.line["before"]) == (20_031, 18_991)
    assert round(peers.line["rate"], 2) == 88.25
    assert round(peers.line["percent"], 2) == 5.48
    assert (peers.line["rank"], len(peers.members)) == (9, 9)
    force = compare_group(luton, find_offence(luton, TOTAL), among="force")
    assert force.members["count"].sum() == 20_031 + 15_910 + take_bedford(luton)


def take_bedford(luton: Query) -> float:
    table = luton.store.recorded_crime
    return float(table.loc[(table["name"] == "Bedford") & table["total"], "count"].iloc[0])


def test_luton_by_two_sources(luton: Query) -> None:
    """Calendar 2023 is wholly loaded; of 2024 four months are, so nothing is held against it."""
    latest, before = compare_totals(luton)
    assert (latest.recorded, latest.loaded.loaded, latest.difference) == (20_031, 4, None)
    assert before.recorded == 18_991
    assert before.loaded.total == pytest.approx(17_917, abs=10)
    assert before.percent == pytest.approx(-5.7, abs=0.1)
    assert before.loaded.unlocated == 2_459


def test_every_partnership_of_the_tables_can_be_compared(shared_data: Path) -> None:
    """Each with those of its force, whatever is not given of it, in words too."""
    file = shared_data / "recorded-crime" / "policeforceareatablesyedecember2024.xlsx"
    frame = read_recorded_crime(file).frame
    totals = frame[frame["total"]].reset_index(drop=True)
    assert len(totals) == 314
    for force, members in totals.groupby("force"):
        first = members["code"].iloc[0]
        partnership = SimpleNamespace(csp=first, recorded_crime=PeerGroup(file, "ONS"), place="", notice="")
        query = cast(Query, SimpleNamespace(store=SimpleNamespace(partnership=partnership, recorded_crime=totals)))
        peers = compare_group(query, find_offence(query, None), among="force")
        assert set(peers.members.index) == set(members["code"]), force
        for own, name in zip(members["code"], members["name"], strict=True):
            each = replace(peers, own=own)
            assert each.line["name"] == name
            start = "The rate of City of London is not given" if own == "E22000180" else f"{name}: "
            assert describe_standing(each, name).startswith(start)
            assert describe_year_on_year(each.line)
