"""The disclosure rule on a store: what pages and files let out, and that they let out the same."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cspmap.analysis.disclosure import round_counts
from cspmap.errors import UserError
from cspmap.exports.area_figures import list_figure_caveats, work_out_figures
from cspmap.exports.extract import extract_counts
from cspmap.exports.files import tabulate
from cspmap.exports.incident_rows import list_incidents
from cspmap.exports.published import WITHHELD, describe_rule, publish
from cspmap.exports.request import Request
from cspmap.partnership import Disclosure
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import Store

SPAN = Span.parse("2023-10..2023-12")
LEVELS = ("lsoa21", "ward", "hex", "area")


def keep(query: Query, **values: Any) -> Query:
    """The same store under a disclosure rule."""
    store = query.store
    ruled = replace(store.partnership, disclosure=Disclosure(**values))
    return Query(Store(store.root, store.version, ruled))


@pytest.fixture(scope="module")
def hiding(query: Query) -> Query:
    return keep(query, rule="suppress", threshold=5)


@pytest.fixture(scope="module")
def rounding(query: Query) -> Query:
    return keep(query, rule="round", base=5)


def select(query: Query, level: str = "ward", **values: Any) -> Selection:
    return Selection.default(query.store).change(**{"span": SPAN, "level": level, **values})


def test_without_a_rule_everything_is_as_counted(query: Query) -> None:
    selection, published = select(query), publish(query)
    counted = query.count_areas(selection)
    assert published.count_areas(selection)[counted.columns.tolist()].equals(counted)
    assert not published.count_areas(selection)[WITHHELD].any()
    assert describe_rule(query.store.partnership.disclosure) == ""


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("crimes", [(), ("burglary",), ("acquisitive",), ("robbery", "drugs")])
def test_small_counts_are_withheld_with_all_that_is_worked_out_from_them(
    query: Query, hiding: Query, level: str, crimes: tuple[str, ...]
) -> None:
    selection = select(hiding, level, crimes=crimes)
    true, areas = query.count_areas(selection), work_out_figures(hiding, selection).areas
    small = true["count"].between(1, 4)
    hidden = areas[WITHHELD]
    assert hidden[small].all()
    assert areas.loc[~hidden, "count"].tolist() == true.loc[~hidden, "count"].tolist()
    for column in ("count", "rate", "smoothed", "share", "difference", "percent", "p"):
        assert areas.loc[hidden, column].isna().all(), column
    assert set(areas.loc[hidden | areas[f"{WITHHELD}_before"], "verdict"]) <= {"not known"}
    # The areas' sum is known, so one withheld alone would be too.
    total = true["count"].sum()
    if hidden.any() and total >= 5:
        assert hidden.sum() > 1
        assert true.loc[hidden, "count"].sum() >= 5


def test_areas_made_of_wards_do_not_give_a_ward_away(query: Query, hiding: Query) -> None:
    partnership = hiding.store.partnership
    for crimes in ((), ("burglary",), ("drugs",), ("robbery",), ("vehicle-crime",)):
        wards, areas = (
            work_out_figures(hiding, select(hiding, level, crimes=crimes)).areas for level in ("ward", "area")
        )
        for area in partnership.areas:
            inside = wards["name"].isin(area.members) | wards["code"].isin(area.members)
            shown = not areas.loc[areas["code"] == area.code, WITHHELD].item()
            assert not shown or wards.loc[inside, WITHHELD].sum() != 1


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("by", [(), ("crime_type",), ("month",)])
def test_tables_panels_and_files_withhold_the_same(hiding: Query, level: str, by: tuple[Any, ...]) -> None:
    selection, published = select(hiding, level), publish(hiding)
    frame = extract_counts(hiding, selection, by=by)
    assert frame["count"].isna().tolist() == frame[WITHHELD].tolist()
    assert frame.loc[frame[WITHHELD], "rate"].isna().all()
    for code, rows in frame.groupby("code"):
        if by == ("crime_type",):
            here = published.count_types(selection, code=str(code))
        elif by == ("month",):
            here = published.count_months(selection, SPAN, code=str(code))
        else:
            here = published.count_areas(selection).query("code == @code")
        assert rows[WITHHELD].tolist() == here[WITHHELD].tolist()
        assert (
            rows["count"].astype("Float64").fillna(-1).tolist() == here["count"].astype("Float64").fillna(-1).tolist()
        )


def test_which_areas_are_shown_makes_no_difference(hiding: Query) -> None:
    whole = extract_counts(hiding, select(hiding), by=["crime_type"]).set_index(["code", "crime_type"])
    some = extract_counts(hiding, select(hiding, areas=("w2",)), by=["crime_type"]).set_index(["code", "crime_type"])
    assert some[WITHHELD].equals(whole.loc[some.index, WITHHELD])


def test_months_beside_a_period_whose_sum_is_shown_do_not_give_one_away(query: Query, hiding: Query) -> None:
    selection, published = select(hiding), publish(hiding)
    areas = published.count_areas(selection).set_index("code")
    for code in areas.index:
        months = published.count_months(selection, Span.parse("2022-10..2024-04"), code=code)
        true = query.count_months(selection, Span.parse("2022-10..2024-04"), code=code)
        assert months.loc[true["count"].between(1, 4).fillna(False), WITHHELD].all()
        inside = months[months["month"].between(str(SPAN.first), str(SPAN.last))]
        assert inside[WITHHELD].sum() != 1 or areas.loc[code, WITHHELD]
        # Not loaded is not withheld.
        assert not months.loc[true["count"].isna(), WITHHELD].any()


def test_streets_with_few_incidents_are_not_listed(query: Query, hiding: Query) -> None:
    selection = select(hiding, span=Span.parse("2023-01..2024-04"))
    streets = publish(hiding).list_locations(selection, code="w1")
    assert (streets["count"] >= 5).all()
    rest = int(query.count_areas(selection).set_index("code")["count"]["w1"] - streets["count"].sum())
    assert rest == 0 or rest >= 5


def test_a_total_that_is_small_itself_is_withheld_and_so_is_what_would_give_it_back(query: Query) -> None:
    strict = keep(query, rule="suppress", threshold=100)
    selection = select(strict, crimes=("robbery",))
    figures = work_out_figures(strict, selection)
    assert 0 < query.count_coverage(selection).inside < 100
    assert figures.withheld_now
    assert figures.areas["count"].isna().all() or (figures.areas["count"].fillna(0) == 0).all()
    assert not [line for line in list_figure_caveats(strict, selection, figures) if "no location" in line]
    assert tabulate(strict, Request(selection))["share_without_location"].isna().all()


@pytest.mark.parametrize("level", LEVELS)
def test_rounded_counts_are_multiples_everywhere(query: Query, rounding: Query, level: str) -> None:
    selection, published = select(rounding, level), publish(rounding)
    true = query.count_areas(selection)
    figures = work_out_figures(rounding, selection)
    assert figures.areas["count"].tolist() == round_counts(true["count"].to_numpy(), 5).tolist()
    assert figures.areas["p"].isna().all()
    assert (extract_counts(rounding, selection, by=["month"])["count"] % 5 == 0).all()
    assert set(extract_counts(rounding, selection)["rounded_to"]) == {5}
    code = str(true["code"].iloc[0])
    for frame in (
        published.count_types(selection, code=code),
        published.count_months(selection, SPAN, code=code),
        published.count_types(selection),
        published.list_locations(selection, code=code),
    ):
        assert (frame["count"] % 5 == 0).all()
    assert figures.now.total % 5 == 0
    people = figures.areas["denominator"].astype(float)
    known = people.to_numpy() > 0
    rates = (1000 * figures.areas["count"].astype(float) / people).to_numpy()
    assert np.allclose(figures.areas["rate"].astype(float).to_numpy()[known], rates[known], equal_nan=True)


def test_a_rounding_is_no_change(query: Query, rounding: Query) -> None:
    selection = select(rounding)
    rounded, true = work_out_figures(rounding, selection).areas, work_out_figures(query, selection).areas
    assert rounded["verdict"].tolist() == true["verdict"].replace("no incidents", "too few to say").tolist()


@pytest.mark.parametrize("rule", ["suppress", "round"])
def test_single_incidents_are_refused_where_counts_are_kept_back(query: Query, rule: str) -> None:
    with pytest.raises(UserError, match="single incidents would give them back; extract counts instead"):
        list_incidents(keep(query, rule=rule), select(query))


def test_the_rule_is_stated_beside_the_figures(hiding: Query, rounding: Query) -> None:
    for query, words in ((hiding, "Counts from 1 to 4 are withheld"), (rounding, "rounded to the nearest 5")):
        selection = select(query)
        caveats = list_figure_caveats(query, selection, work_out_figures(query, selection))
        assert [line for line in caveats if words in line]


def test_a_period_of_which_nothing_is_loaded_is_not_known_rather_than_withheld(hiding: Query) -> None:
    august = select(hiding, span=Span.parse("2023-08..2023-08"))
    frame = publish(hiding).count_areas(august)
    assert frame["count"].isna().all()
    assert not frame[WITHHELD].any()
    assert isinstance(frame, pd.DataFrame)


def test_any_table_is_protected_with_its_totals(query: Query, hiding: Query, rounding: Query) -> None:
    counts = pd.Series([9, 2, 6, 30, 0])
    flags = publish(hiding).protect(counts)
    # The 2 is small, and the 6 goes with it, as the total is shown.
    assert flags.tolist() == [False, True, True, False, False, False]
    assert publish(hiding).let_out(counts, flags[:-1]).isna().tolist() == flags[:-1].tolist()
    assert not publish(query).protect(counts).any()
    assert not publish(rounding).protect(np.array([[1, 2], [3, np.nan]])).any()
    assert publish(query).let_out(counts).equals(counts)
    assert publish(rounding).let_out(counts).tolist() == [10, 0, 5, 30, 0]
