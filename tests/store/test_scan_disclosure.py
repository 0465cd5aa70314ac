"""The scanning chart, a survey and published crime beside the store's counts, under the disclosure rule."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cspmap.analysis.priorities import WEIGHTS
from cspmap.exports.area_figures import work_out_figures
from cspmap.exports.priority_table import tabulate_chart
from cspmap.exports.published import publish
from cspmap.exports.scan_rows import WITHHELD_CHANGE, let_out_scan
from cspmap.indicators import Measure
from cspmap.partnership import Disclosure
from cspmap.peers import Beside, _hides_rest, rank_areas
from cspmap.perceptions import RECORDED_WITHHELD, _count_recorded
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.scanning import rank_categories, scan_categories
from cspmap.selection import Selection
from cspmap.store import Store
from cspmap.views.compare_files import tabulate_ranked
from cspmap.views.compare_words import describe_beside
from cspmap.views.perception_charts import draw_recorded
from cspmap.views.priority_table import lay_out_chart, lay_out_points
from cspmap.views.priority_words import list_scan_caveats, list_sentences

YEAR = Span.parse("2023-05..2024-04")
TYPES = ("anti-social-behaviour", "burglary", "drugs", "robbery", "vehicle-crime", "acquisitive")
TOLD = ("count", "share", "rate", "last_year", "now_compared", "percent", "p", "projected", "low", "high", "rise")


def keep(query: Query, **values: Any) -> Query:
    """The same store under a disclosure rule."""
    store = query.store
    return Query(Store(store.root, store.version, replace(store.partnership, disclosure=Disclosure(**values))))


def list_types(query: Query, year: Span) -> pd.Series:
    counts = {key: query.count_coverage(select(query, key), span=year).total for key in TYPES}
    return pd.Series(counts)


def select(query: Query, key: str) -> Selection:
    return Selection.default(query.store).change(crimes=(key,))


@pytest.mark.parametrize("year", [YEAR, Span.parse("2023-01..2023-12")])
@pytest.mark.parametrize("threshold", [5, 100, 160, 190, 1000])
def test_small_counts_of_the_partnership_are_withheld(query: Query, threshold: int, year: Span) -> None:
    hiding = keep(query, rule="suppress", threshold=threshold)
    true = list_types(query, year)
    scan = scan_categories(hiding, TYPES, year)
    rows = scan.rows
    gone, change = rows["withheld"], rows[WITHHELD_CHANGE]
    assert gone[true.between(1, threshold - 1)].all()
    assert rows.loc[gone, list(TOLD)].isna().all().all()
    assert rows.loc[change, list(TOLD[3:])].isna().all().all()
    assert rows.loc[~gone, "count"].tolist() == true[~gone].astype(float).tolist()
    single = gone.drop("acquisitive")
    # The types add up to what is shown for all.
    assert single.sum() != 1
    assert gone["acquisitive"] or not single[["burglary", "robbery", "vehicle-crime"]].any()
    chart = rank_categories(hiding, scan, {}, WEIGHTS)
    table = tabulate_chart(chart, year, WEIGHTS, rule=hiding.store.partnership.disclosure).set_index("category")
    hidden = table["withheld"].astype(bool)
    worked_out = ["count", "rate", "part_volume", "points_volume", "part_trend", "part_forecast"]
    assert table.loc[hidden, worked_out].isna().all().all()
    shown = lay_out_chart(chart).set_index("Category")
    for key, name, sentence in list_sentences(chart):
        if gone[key]:
            assert "count withheld" in sentence
            assert [shown.loc[name, column] for column in ("Share of all", "Per 1,000", "Next year")] == [
                "withheld"
            ] * 3
            assert f"{true[key]:,}" not in sentence
        if change[key] and pd.notna(chart["rank"][key]):
            assert "on last year and next year's range withheld" in sentence
    assert len(lay_out_points(chart)) == len(TYPES)
    caveats = list_scan_caveats(hiding, scan, WEIGHTS)
    assert any(f"Counts from 1 to {threshold - 1} are withheld" in line for line in caveats)


@pytest.mark.parametrize("base", [5, 10])
def test_figures_are_of_rounded_counts(query: Query, base: int) -> None:
    rounding = keep(query, rule="round", base=base)
    true, rows = scan_categories(query, TYPES, YEAR).rows, scan_categories(rounding, TYPES, YEAR).rows
    for name in ("count", "last_year", "now_compared", "projected", "low", "high"):
        assert (rows[name].dropna() % base == 0).all()
        assert ((rows[name] - true[name]).abs().dropna() <= base / 2).all()
    assert rows["p"].isna().all()
    assert rows["evidence"].tolist() == true["evidence"].tolist()
    assert np.allclose((10 * rows["rise"].dropna()) % 1, 0)
    chart = rank_categories(rounding, scan_categories(rounding, TYPES, YEAR), {}, WEIGHTS)
    largest = chart["count"].max()
    assert chart["part_volume"].to_numpy() == pytest.approx((chart["count"] / largest).to_numpy())
    assert set(tabulate_chart(chart, YEAR, WEIGHTS, rule=rounding.store.partnership.disclosure)["rounded_to"]) == {base}


def test_without_a_rule_nothing_is_added(query: Query) -> None:
    rows = scan_categories(query, TYPES, YEAR).rows
    assert rows["count"].tolist() == list_types(query, YEAR).astype(float).tolist()
    assert not {"withheld", WITHHELD_CHANGE} & set(rows)
    chart = rank_categories(query, scan_categories(query, TYPES, YEAR), {}, WEIGHTS)
    assert not {"withheld", "rounded_to"} & set(tabulate_chart(chart, YEAR, WEIGHTS))


@given(now=st.integers(0, 60), compared=st.integers(0, 60), before=st.integers(0, 60))
def test_what_is_compared_gives_no_small_count_away(query: Query, now: int, compared: int, before: int) -> None:
    hiding = keep(query, rule="suppress", threshold=5)
    figures = dict.fromkeys((*TOLD, "months_seen"), 50.0)
    figures |= {"count": float(max(now, compared)), "now_compared": float(compared), "last_year": float(before)}
    rows = pd.DataFrame(figures, index=["burglary"]).assign(evidence="normal variation")
    found = let_out_scan(hiding, rows, YEAR).loc["burglary"]
    few = any(0 < value < 5 for value in (before, compared, max(now, compared) - compared))
    assert found[WITHHELD_CHANGE] or not few


def test_crime_beside_a_survey_is_the_sum_of_months_that_are_shown(query: Query) -> None:
    measure = Measure("fear", "Fear", "survey", crimes=("robbery",))
    period = Span.parse("2024-01..2024-04")
    true = float(_count_recorded(query, measure, period)["recorded"])  # type: ignore[arg-type]
    assert true == query.count_coverage(select(query, "robbery"), span=period).total
    hiding = keep(query, rule="suppress", threshold=10)
    months = publish(hiding).count_months(select(hiding, "robbery"), period)
    found = _count_recorded(hiding, measure, period)
    assert np.isnan(found["recorded"]) == months["withheld"].any()  # type: ignore[call-overload]
    strict = _count_recorded(keep(query, rule="suppress", threshold=1000), measure, period)
    assert strict["recorded_words"] == RECORDED_WITHHELD
    rounded = _count_recorded(keep(query, rule="round", base=10), measure, period)
    assert rounded["recorded"] == 10 * np.floor(true / 10 + 0.5)
    drawn = draw_recorded(publish(hiding).count_months(select(hiding, "robbery"), YEAR), ("2023-05-01", "2024-05-01"))
    assert drawn.frame["withheld"].any()
    assert drawn.frame.loc[drawn.frame["withheld"], "count"].isna().all()
    assert not drawn.frame["count"].between(1, 9).any()


def test_all_but_one_type_does_not_give_that_type_away(query: Query) -> None:
    loaded = query.count_coverage(select(query, "acquisitive"), span=YEAR)
    assert not _hides_rest(query, loaded)
    few = list_types(query, YEAR)["anti-social-behaviour"]
    assert _hides_rest(keep(query, rule="suppress", threshold=few + 1), loaded)
    beside = Beside(YEAR, 900.0, loaded, withheld=True)
    assert beside.difference is beside.percent is None
    words = describe_beside(beside, "Exampleton", police_uk=True)
    assert words.endswith("recorded crime is 900; the count of incidents loaded for it is withheld.")


@pytest.mark.parametrize("rule", ["suppress", "round"])
def test_own_areas_beside_each_other_are_told_as_the_rule_lets_out(query: Query, rule: str) -> None:
    ruled = keep(query, rule=rule, threshold=40)
    selection = select(ruled, "burglary").change(level="lsoa21", span=YEAR)
    figures = work_out_figures(ruled, selection)
    table = tabulate_ranked(rank_areas(figures.areas), selection, ruled.store.partnership, figures)
    if rule == "round":
        assert set(table["rounded_to"]) == {5}
        assert (table["count"] % 5 == 0).all()
        return
    hidden = table["withheld"]
    assert hidden.any()
    assert table.loc[hidden, ["count", "rate", "rate_low", "rate_high", "rank", "rank_first"]].isna().all().all()
