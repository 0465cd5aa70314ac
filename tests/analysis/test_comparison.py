"""A partnership in its group: mean and bounds by hand, ranks, and their spans against chances worked out exactly."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta

from cspmap.analysis.comparison import GroupBounds, rank_in_group, rank_spans, within_group
from cspmap.errors import UserError

RATES = st.lists(st.one_of(st.floats(0, 500), st.just(math.nan)), max_size=20)


def test_bounds_by_hand() -> None:
    """2, 4, 4, 4, 5, 5, 7, 9: mean 5, squares of the distances 32, so a deviation of the root of 32 / 7."""
    bounds = within_group([2, 4, 4, 4, 5, 5, 7, 9])
    assert (bounds.number, bounds.mean) == (8, 5)
    assert bounds.deviation == pytest.approx(math.sqrt(32 / 7))
    assert (bounds.lower, bounds.upper) == pytest.approx((5 - 2.1380899, 5 + 2.1380899))
    assert [bounds.place(rate) for rate in (2, 2.87, 7.13, 9, None, math.nan)] == [
        "below",
        "within",
        "within",
        "above",
        "not known",
        "not known",
    ]
    assert bounds.place(bounds.upper) == bounds.place(bounds.lower) == "within"


def test_mean_weighs_every_member_the_same() -> None:
    """As HMIC's comparator does it: the sum of the rates over the number of those in the group."""
    assert within_group(pd.Series([88.25, 52.77, 80.93])).mean == pytest.approx((88.25 + 52.77 + 80.93) / 3)


def test_what_is_missing_or_negative_takes_no_part() -> None:
    bounds = within_group(pd.Series([10, pd.NA, -3, 20, 30], dtype="Float64"))
    assert (bounds.number, bounds.mean, bounds.deviation) == (3, 20, 10)


def test_too_few_have_a_mean_and_no_bounds() -> None:
    bounds = within_group([10, 20])
    assert (bounds.number, bounds.mean) == (2, 15)
    assert math.isnan(bounds.lower)
    assert bounds.place(10) == "not known"
    assert math.isnan(within_group([]).mean)


def test_lower_bound_is_never_below_nothing() -> None:
    assert within_group([0, 0, 30], multiple=2).lower == 0


def test_bounds_of_no_width_are_refused() -> None:
    with pytest.raises(UserError, match="cannot be 0"):
        within_group([1, 2, 3], multiple=0)


@given(RATES)
def test_all_equal_are_within_and_scale_makes_no_difference(rates: list[float]) -> None:
    bounds, larger = within_group(rates), within_group([rate * 8 for rate in rates])
    places = [bounds.place(rate) for rate in rates]
    if bounds.deviation > 1e-9:
        assert places == [larger.place(rate * 8) for rate in rates]
    assert (bounds.number == 0) == math.isnan(bounds.mean)
    equal = GroupBounds(3, 5.0, 0.0, 5.0, 5.0)
    assert equal.place(5.0) == "within"


def test_equal_rates_share_the_better_rank() -> None:
    ranks = rank_in_group(pd.Series([30.0, 50.0, 50.0, np.nan, 10.0, -1.0], index=list("abcdef")))
    assert ranks.astype(object).where(ranks.notna(), None).to_dict() == {
        "a": 3,
        "b": 1,
        "c": 1,
        "d": None,
        "e": 4,
        "f": None,
    }


@given(RATES)
def test_ranks_count_those_that_are_higher(rates: list[float]) -> None:
    ranks = rank_in_group(rates)
    for place, rate in enumerate(rates):
        if math.isnan(rate):
            assert pd.isna(ranks[place])
        else:
            assert ranks[place] == 1 + sum(other > rate for other in rates)


def test_rank_of_two_by_the_exact_chance() -> None:
    """Of two, the chance that the first is higher is that of a beta; where 2.5 % or more lies there, both are open."""
    people = 10_000
    for first, second in ((100, 130), (100, 128), (100, 127), (100, 124), (100, 160)):
        higher = float(beta.sf(0.5, first + 0.5, second + 0.5))
        spans = rank_spans(pd.Series([first, second], index=["a", "b"]).astype(float), people)
        if higher > 0.031:
            assert spans.to_numpy()[0].tolist() == [1, 2], (first, second, higher)
        elif higher < 0.02:
            assert spans.to_numpy()[0].tolist() == [2, 2], (first, second, higher)


def test_ranks_that_chance_cannot_change() -> None:
    counts = pd.Series({"large": 20_000.0, "middle": 10_000.0, "small": 5_000.0})
    spans = rank_spans(counts, pd.Series(200_000.0, index=counts.index))
    assert spans["first"].tolist() == spans["last"].tolist() == [1, 2, 3]


def test_few_incidents_leave_every_rank_open() -> None:
    spans = rank_spans(pd.Series([1.0, 0.0, 2.0, 1.0, np.nan, -1.0, 3.0]), pd.Series([1000.0] * 6 + [0.0]))
    assert spans["first"].tolist()[:4] == [1, 1, 1, 1]
    assert spans["last"].tolist()[:4] == [4, 4, 4, 4]
    assert spans.iloc[4:].isna().all(axis=None)


@settings(deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=12))
def test_spans_are_ranks_and_the_same_every_time(counts: list[int]) -> None:
    values = pd.Series(counts, dtype="float64")
    spans = rank_spans(values, 1000.0)
    assert spans.equals(rank_spans(values, 1000.0))
    assert (spans["first"] >= 1).all()
    assert (spans["first"] <= spans["last"]).all()
    assert (spans["last"] <= len(counts)).all()
