"""Scores of the scanning chart against hand-worked ones, and what must hold of any."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cspmap.analysis.change import e_test
from cspmap.analysis.priorities import CRITERIA, MOST_WEIGHT, WEIGHTS, Criterion, measure_trend, score_categories
from cspmap.errors import UserError
from cspmap.periods import Month, Span
from cspmap.priorities import MARKS

YEAR = Span.parse("2007-04..2008-03")


def make_figures(**columns: object) -> pd.DataFrame:
    """Three categories: large and steady, middling and rising, small and falling."""
    usual: dict[str, object] = {
        "count": [400.0, 200.0, 100.0],
        "evidence": ["normal variation", "real rise", "real fall"],
        "rise": [0.5, 0.8, 0.2],
        "peers": [np.nan] * 3,
        "harm": [np.nan] * 3,
        **{mark: [False] * 3 for mark in MARKS},
    }
    return pd.DataFrame({**usual, **columns}, index=["large", "rising", "small"])


def weigh(**weights: float) -> dict[Criterion, float]:
    return {name: weights.get(name, 0.0) for name in CRITERIA}


def test_the_marks_are_those_of_the_group() -> None:
    assert CRITERIA[-len(MARKS) :] == MARKS
    assert set(WEIGHTS) == set(CRITERIA)


def test_worked_by_hand() -> None:
    figures = make_figures(national_target=[False, False, True])
    found = score_categories(figures, weigh(volume=2, trend=1, forecast=1, national_target=1))
    # large: (2 x 1 + 0 + 0 + 0) / 5; rising: (2 x 0.5 + 1 + 0.6 + 0) / 5; small: (2 x 0.25 + 0 + 0 + 1) / 5.
    assert found["score"].loc["large"] == pytest.approx(40)
    assert found["score"].loc["rising"] == pytest.approx(52)
    assert found["score"].loc["small"] == pytest.approx(30)
    assert list(found.index) == ["rising", "large", "small"]
    assert found["rank"].tolist() == [1, 2, 3]
    assert (found["known"] == 1).all()


def test_harm_and_peers() -> None:
    figures = make_figures(harm=[1.0, 10.0, 5.0], peers=[2.5, 1.25, 0.9])
    found = score_categories(figures, weigh(harm=1, peers=1))
    assert [found[name].loc["large"] for name in ("peers", "harm")] == [1.0, pytest.approx(400 / 2000)]
    assert [found[name].loc["rising"] for name in ("peers", "harm")] == [pytest.approx(0.25), 1.0]
    assert [found[name].loc["small"] for name in ("peers", "harm")] == [0.0, pytest.approx(500 / 2000)]


def test_what_is_not_known_is_left_out_and_not_zero() -> None:
    figures = make_figures(harm=[np.nan, 1.0, 1.0])
    found = score_categories(figures, weigh(volume=1, harm=1))
    assert found["score"].loc["large"] == 100
    assert found["known"].loc["large"] == 0.5
    assert np.isnan(found["harm"].loc["large"])
    nothing = score_categories(make_figures(), weigh(harm=1))
    assert nothing["score"].isna().all()
    assert nothing["rank"].isna().all()


def test_a_possible_rise_is_worth_half_and_none_nothing() -> None:
    evidence = ["possible rise", "too few to say", "not known"]
    found = score_categories(make_figures(evidence=evidence), weigh(trend=1))
    assert found["trend"].loc["large"] == 0.5
    assert found["trend"].loc["rising"] == 0
    assert np.isnan(found["trend"].loc["small"])


def test_equal_scores_share_a_rank() -> None:
    found = score_categories(make_figures(count=[300.0, 300.0, 100.0]), weigh(volume=1))
    assert found["rank"].tolist() == [1, 1, 3]


def test_weights_that_cannot_be() -> None:
    with pytest.raises(UserError, match="Every weight is 0"):
        score_categories(make_figures(), weigh())
    for wrong in (-1.0, MOST_WEIGHT + 1, float("nan")):
        with pytest.raises(UserError, match="weight of volume"):
            score_categories(make_figures(), weigh(volume=wrong))


_known = st.floats(0, 1)


@given(
    counts=st.lists(st.none() | st.integers(0, 5000), min_size=1, max_size=8),
    weights=st.lists(st.sampled_from([0.0, 0.5, 1.0, 3.0]), min_size=len(CRITERIA), max_size=len(CRITERIA)),
    data=st.data(),
)
@settings(deadline=None)
def test_scores_stay_in_bounds_and_do_not_hang_on_scale_or_order(
    counts: list[int | None], weights: list[float], data: st.DataObject
) -> None:
    size = len(counts)

    def draw(values: st.SearchStrategy[Any]) -> list[Any]:
        return [np.nan if each is None else each for each in data.draw(st.lists(values, min_size=size, max_size=size))]

    figures = pd.DataFrame(
        {
            "count": pd.array(counts, dtype="Float64").astype(float),
            "evidence": draw(st.sampled_from(["real rise", "possible rise", "normal variation", "not known"])),
            "rise": draw(st.none() | _known),
            "peers": draw(st.none() | st.floats(0, 5)),
            "harm": draw(st.none() | st.floats(0, 100)),
        },
        index=[f"c{number}" for number in range(size)],
    )
    figures = figures.assign(**{str(mark): draw(st.booleans()) for mark in MARKS})
    chosen: dict[Criterion, float] = dict(zip(CRITERIA, weights, strict=True))
    if not any(weights):
        return
    found = score_categories(figures, chosen)
    known = found["score"].dropna()
    assert known.between(0, 100 + 1e-9).all()
    assert found["known"].between(0, 1).all()
    assert found["score"].isna().equals(found["known"] == 0)
    assert known.round(6).is_monotonic_decreasing
    # Twice every weight is the same chart, and so are the categories in another order.
    doubled = score_categories(figures, {name: weight / 2 for name, weight in chosen.items()})
    turned = score_categories(figures.iloc[::-1], chosen)
    for other in (doubled, turned):
        np.testing.assert_allclose(other["score"].reindex(found.index), found["score"])
        assert other["rank"].reindex(found.index).equals(found["rank"])


@given(place=st.integers(0, 2), mark=st.sampled_from(MARKS))
@settings(deadline=None)
def test_a_mark_never_lowers_a_rank(place: int, mark: str) -> None:
    figures = make_figures()
    marked = figures.copy()
    marked.iloc[place, list(figures.columns).index(mark)] = True
    key = str(figures.index[place])
    before, after = score_categories(figures, WEIGHTS), score_categories(marked, WEIGHTS)
    assert after["score"].loc[key] > before["score"].loc[key]
    assert after["rank"].loc[key] <= before["rank"].loc[key]


# Trend and forecast


def make_months(mean: float, *, rise: float = 1.0, seed: int = 1) -> pd.Series:
    span = Span(Month(2004, 4), YEAR.last)
    rng = np.random.default_rng(seed)
    means = [mean * (rise if month in YEAR else 1.0) for month in span]
    return pd.Series(rng.poisson(means).astype(float), index=[str(month) for month in span])


def test_trend_is_the_e_test_of_the_year_against_the_year_before() -> None:
    counts = pd.DataFrame({"steady": make_months(50), "rising": make_months(50, rise=1.8, seed=2)})
    found = measure_trend(counts, YEAR)
    for key in ("steady", "rising"):
        series = counts[key]
        now, before = series[[str(month) for month in YEAR]].sum(), series[[str(m) for m in YEAR.shift(-12)]].sum()
        assert [found[name].loc[key] for name in ("count", "last_year")] == [now, before]
        assert found["p"].loc[key] == pytest.approx(e_test(float(before), float(now)))
    assert found["evidence"].loc["rising"] == "real rise"
    assert found["evidence"].loc["steady"] == "normal variation"


def test_forecast_is_about_the_level_and_its_range_holds_it() -> None:
    found = measure_trend(pd.DataFrame({"steady": make_months(50, seed=5)}), YEAR).loc["steady"]
    assert found["low"] < found["projected"] < found["high"]
    assert found["projected"] == pytest.approx(600, rel=0.06)
    # The chance of more than the year's own count, from the normal that the range of four in five spans.
    spread = (found["high"] - found["low"]) / (2 * stats.norm.ppf(0.9))
    by_hand = stats.norm.sf((found["count"] + 0.5 - found["projected"]) / spread)
    assert found["rise"] == pytest.approx(by_hand, abs=0.04)


def test_later_months_change_nothing() -> None:
    counts = pd.DataFrame({"one": make_months(30)})
    later = pd.concat([counts, pd.DataFrame({"one": [900.0]}, index=["2008-04"])])
    pd.testing.assert_frame_equal(measure_trend(counts, YEAR), measure_trend(later, YEAR))


def test_missing_months_are_missing() -> None:
    counts = pd.DataFrame({"some": make_months(30), "none": make_months(30)})
    counts.loc["2007-06", "some"] = np.nan
    counts.loc[[str(month) for month in YEAR], "none"] = np.nan
    found = measure_trend(counts, YEAR)
    assert found["months_missing"].loc["some"] == 1
    assert found["months_compared"].loc["some"] == 11
    assert np.isnan(found["rise"].loc["some"])
    assert np.isnan(found["count"].loc["none"])
    assert found["evidence"].loc["none"] == "not known"
