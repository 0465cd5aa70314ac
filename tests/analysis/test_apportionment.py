"""Whole numbers shared out, one way and two ways: worked cases, the rules for ties, and what always holds."""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cspmap.analysis.apportionment import apportion, apportion_table
from cspmap.analysis.two_way import TwoWayTotals
from cspmap.errors import UserError
from cspmap.sources.target_file import read_targets
from cspmap.targets import TargetTable, parse_period

ROOT = Path(__file__).resolve().parents[2]
AREAS = ("South", "East", "North", "Central", "West")
EXACT = ("theft-of-vehicle", "domestic-burglary", "theft-of-cycle")


@pytest.fixture(scope="module")
def luton() -> TargetTable:
    return read_targets(ROOT / "data" / "targets" / "luton-2005-08.csv")


def list_figures(table: TargetTable, indicator: str, areas: Sequence[str], figure: str) -> list[int]:
    due = parse_period("2007-08")
    targets = [table.find(indicator, area, due) for area in areas]
    return [int(getattr(target, figure)) for target in targets]


# One way


def test_the_largest_remainders_are_rounded_up() -> None:
    # Quotas 1.43, 2.86, 5.71: two are over, for 0.86 and 0.71.
    assert apportion(10, [1, 2, 4]).tolist() == [1, 3, 6]
    # The textbook case of Hare quotas: 4.71, 1.57, 1.62, 1.21, 0.60, 0.30 of ten seats.
    assert apportion(10, [47_000, 16_000, 15_900, 12_000, 6_000, 3_100]).tolist() == [5, 2, 1, 1, 1, 0]


@pytest.mark.parametrize("indicator", EXACT)
def test_luton_shared_its_targets_out_in_proportion_to_the_areas_baselines(luton: TargetTable, indicator: str) -> None:
    (target,) = list_figures(luton, indicator, ["Luton"], "value")
    baselines = list_figures(luton, indicator, AREAS, "baseline")
    assert apportion(target, baselines).tolist() == list_figures(luton, indicator, AREAS, "value")


def test_every_printed_area_target_of_luton_is_within_one(luton: TargetTable) -> None:
    for kind in luton.indicators[:-1]:
        (target,) = list_figures(luton, kind.key, ["Luton"], "value")
        shared = apportion(target, list_figures(luton, kind.key, AREAS, "baseline"))
        assert shared.sum() == target
        assert np.abs(shared - list_figures(luton, kind.key, AREAS, "value")).max() <= 1, kind.key


def test_the_town_total_gives_east_2001_where_2027_is_printed(luton: TargetTable) -> None:
    (total,) = list_figures(luton, "total", ["Luton"], "value")
    shared = apportion(total, list_figures(luton, "total", AREAS, "baseline"))
    # 12,450 x 2,255 / 14,032 = 2,000.77
    assert shared.tolist() == [4_498, 2_001, 2_027, 1_948, 1_976]
    assert list_figures(luton, "total", ["East"], "value") == [2_027]


def test_ties_go_to_the_larger_weight_then_to_the_earlier() -> None:
    # Quotas 1.5 and 0.5: the same remainder, so the larger weight has it.
    assert apportion(2, [1, 3]).tolist() == [0, 2]
    # Quotas 0.5, 1.5, 0.5, 1.5: two are over, both for the larger weights.
    assert apportion(4, [1, 3, 1, 3]).tolist() == [0, 2, 0, 2]
    assert apportion(1, [5, 5, 5]).tolist() == [1, 0, 0]
    assert apportion(2, [5, 5, 5]).tolist() == [1, 1, 0]


def test_weights_are_taken_exactly_as_given() -> None:
    # In floating point 3 x 0.1 / 0.3 is not 1: here these are the numbers that floats are, and decimals are decimals.
    assert apportion(3, [Decimal("0.1"), Decimal("0.1"), Decimal("0.1")]).tolist() == [1, 1, 1]
    assert apportion(1, [Fraction(1, 3), Fraction(1, 3) + Fraction(1, 10**30)]).tolist() == [0, 1]
    large = 2**53
    assert apportion(1, [large, large + 1]).tolist() == [0, 1]


def test_a_series_keeps_its_index_and_anything_else_is_an_array() -> None:
    shared = apportion(10, pd.Series([1, 2, 4], index=["a", "b", "c"]))
    pd.testing.assert_series_equal(shared, pd.Series([1, 3, 6], index=["a", "b", "c"]))
    assert apportion(10, np.array([1.0, 2.0, 4.0])).dtype == np.int64
    assert apportion(0, []).tolist() == []
    assert apportion(0, [0, 0]).tolist() == [0, 0]
    assert apportion(7, [0, 2, 0]).tolist() == [0, 7, 0]


@pytest.mark.parametrize(
    ("total", "weights", "told"),
    [
        (-1, [1], "-1 cannot be shared out; give a whole number"),
        (1.5, [1], "1.5 cannot be shared out"),
        (math.nan, [1], "nan cannot be shared out"),
        (5, [0, 0], "5 cannot be shared out: no weight is above zero"),
        (5, [], "5 cannot be shared out: no weight is above zero"),
        (5, [1, -2], "The weight of number 2 is -2"),
        (5, [1, math.nan], "The weight of number 2 is missing"),
        (5, [None, 1], "The weight of number 1 is missing"),
        (5, [1, math.inf], "The weight of number 2 is inf"),
        (5, pd.Series([1, None], index=["Dallow", "Farley"], dtype="Int64"), "The weight of Farley is missing"),
    ],
)
def test_what_cannot_be_shared_out_is_said_in_a_sentence(total: Any, weights: Any, told: str) -> None:
    with pytest.raises(UserError) as caught:
        apportion(total, weights)
    assert told in str(caught.value)


WEIGHTS = st.lists(st.integers(0, 10**6) | st.floats(0, 1e6), min_size=1, max_size=60).filter(any)


@given(st.integers(0, 10**7), WEIGHTS)
def test_parts_add_up_and_are_the_quota_rounded_up_or_down(total: int, weights: list[float]) -> None:
    shared = apportion(total, weights).tolist()
    assert sum(shared) == total
    whole = sum(map(Fraction, weights))
    for part, weight in zip(shared, weights, strict=True):
        quota = total * Fraction(weight) / whole
        assert math.floor(quota) <= part <= math.ceil(quota)


@given(st.integers(0, 500), st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any), st.randoms())
def test_order_decides_only_between_equal_weights(total: int, weights: list[int], random: Any) -> None:
    order = list(range(len(weights)))
    random.shuffle(order)
    first = apportion(total, weights)
    second = apportion(total, [weights[place] for place in order])
    # Parts of equal weights may swap; what each weight gets altogether may not.
    assert sorted(zip(weights, first.tolist(), strict=True)) == sorted(
        zip([weights[place] for place in order], second.tolist(), strict=True)
    )


def test_thousands_of_areas() -> None:
    weights = np.random.default_rng(1).gamma(0.5, size=5_000)
    shared = apportion(123_457, weights)
    quotas = 123_457 * weights / weights.sum()
    assert shared.sum() == 123_457
    assert np.abs(shared - quotas).max() < 1


# Two ways


def test_a_table_keeps_its_rows_and_columns() -> None:
    """Cox (1987): rounding each cell by itself would lose the margins; worked by hand.

    Weights 1.4 1.3 0.3 / 0.4 0.3 1.3 / 0.2 1.4 0.4 fit rows 3, 2, 2 and columns 2, 3, 2 as they are. Rounded down, they
    are 1 1 0 / 0 0 1 / 0 1 0, so one more is needed in every row and column. Of the six ways to choose these, two have
    the largest fractions together, .4 + .3 + .4.
    """
    weights = [[1.4, 1.3, 0.3], [0.4, 0.3, 1.3], [0.2, 1.4, 0.4]]
    result = apportion_table([3, 2, 2], [2, 3, 2], weights)
    assert not result.fitted
    np.testing.assert_allclose(result.unrounded, weights)
    fractions = np.array([[0.4, 0.3, 0.3], [0.4, 0.3, 0.3], [0.2, 0.4, 0.4]])
    up = result.cells - np.floor(result.unrounded + 1e-9)
    assert up.sum(axis=0).tolist() == up.sum(axis=1).tolist() == [1, 1, 1]
    assert (up * fractions).sum() == pytest.approx(1.1)
    assert "largest remainder both ways" in result.method


def test_weights_that_do_not_fit_are_fitted_and_that_is_said() -> None:
    """Iterative proportional fitting by hand: for 2 x 2 the odds ratio stays and the margins are met.

    Weights 1 1 / 1 3 (odds ratio 3), rows 10 and 20, columns 12 and 18: x (20 - 12 + x) = 3 (10 - x) (12 - x) has the
    solution x = (74 - sqrt(74^2 - 4 * 2 * 360)) / 4 = 5.7594... in the first cell.
    """
    result = apportion_table([10, 20], [12, 18], [[1, 1], [1, 3]])
    first = (74 - math.sqrt(74**2 - 4 * 2 * 360)) / 4
    assert result.fitted
    assert "iterative proportional fitting" in result.method
    np.testing.assert_allclose(result.unrounded, [[first, 10 - first], [12 - first, 8 + first]], rtol=1e-9)
    assert result.cells.tolist() == [[6, 4], [6, 14]]


def test_luton_two_ways(luton: TargetTable) -> None:
    """Areas by crime types, both kinds of total shared out first: all 15 of them are kept exactly."""
    types = [kind.key for kind in luton.indicators[:-1]]
    columns = np.array([list_figures(luton, key, ["Luton"], "value")[0] for key in types])
    baselines = np.array([list_figures(luton, key, AREAS, "baseline") for key in types]).T
    printed = np.array([list_figures(luton, key, AREAS, "value") for key in types]).T
    weights = baselines / baselines.sum(axis=0) * columns
    rows = apportion(int(columns.sum()), weights.sum(axis=1))
    result = apportion_table(rows, columns, weights)
    assert columns.sum() == 12_452
    assert result.cells.sum(axis=0).tolist() == columns.tolist()
    assert result.cells.sum(axis=1).tolist() == rows.tolist()
    assert np.abs(result.cells - printed).max() <= 1


def test_labels_travel_and_totals_are_matched_by_them() -> None:
    weights = pd.DataFrame([[1.0, 0.0], [2.0, 3.0]], index=["N", "S"], columns=["theft", "robbery"])
    rows, columns = pd.Series({"S": 5, "N": 1}), pd.Series({"robbery": 3, "theft": 3})
    result = apportion_table(rows, columns, weights)
    expected = pd.DataFrame([[1, 0], [2, 3]], index=["N", "S"], columns=["theft", "robbery"])
    pd.testing.assert_frame_equal(result.cells, expected)
    assert isinstance(result.unrounded, pd.DataFrame)
    with pytest.raises(UserError, match="There is no row total for S"):
        apportion_table(rows.drop("S"), columns, weights)


@pytest.mark.parametrize(
    ("rows", "columns", "weights", "told"),
    [
        ([12_450], [12_000, 452], [[1, 1]], "The row totals add up to 12,450 and the column totals to 12,452"),
        ([1, 1], [2], [[1]], "There are 2 row totals for 1 rows"),
        ([1], [1], [[-1]], "The weight in row 1, column 1 is -1"),
        ([1], [1], [[math.nan]], "The weight in row 1, column 1 is nan"),
        ([1], [1], [1], "must be a table"),
        ([1.5], [1.5], [[1]], "1.5 cannot be shared out"),
        ([1, 0], [1], [[0], [0]], "no weight is above zero"),
        ([1, 1], [1, 1], [[0, 0], [1, 1]], "Row 1 is to add up to 1 and all its weights are zero"),
        ([1, 1], [2, 0], [[0, 1], [1, 1]], "No table with zeros where the weights are zero has these totals"),
        ([5, 5], [1, 9], [[1, 1], [1, 0]], "No table with zeros where the weights are zero has these totals"),
    ],
)
def test_what_no_table_can_have_is_said_in_a_sentence(rows: Any, columns: Any, weights: Any, told: str) -> None:
    with pytest.raises(UserError) as caught:
        apportion_table(rows, columns, weights)
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_cells_that_can_only_be_zero_become_zero() -> None:
    # The second row can have nothing in the first column, so that the second column is hers and the first cell all.
    result = apportion_table([4, 6], [4, 6], [[1, 1], [0, 1]])
    assert result.cells.tolist() == [[4, 0], [0, 6]]
    np.testing.assert_allclose(result.unrounded, [[4, 0], [0, 6]], atol=1e-6)


def test_cells_that_can_be_filled_by_a_long_way_round_are_filled() -> None:
    """Rows 1 to 3 share columns 1 to 3 in a ring; what the first row could have of the fourth is all the fourth row's.

    By symmetry every cell of the ring is 1. To see that one is possible takes a chain through all three rows.
    """
    weights = [[1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 1, 0], [0, 0, 0, 1]]
    result = apportion_table([2, 2, 2, 5], [2, 2, 2, 5], weights)
    np.testing.assert_allclose(result.unrounded, np.multiply(weights, [1, 1, 1, 0]) + np.diag([0, 0, 0, 5]), atol=1e-6)
    assert result.fitted


@st.composite
def two_way_cases(draw: st.DrawFn) -> tuple[list[int], list[int], list[list[float]]]:
    """Totals of a real table, and weights that are zero at most where it is, so that they can be fitted."""
    height, width = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    counts = st.integers(0, 20) | st.just(0)
    table = draw(st.lists(st.lists(counts, min_size=width, max_size=width), min_size=height, max_size=height))
    weight = st.floats(0.01, 100) | st.integers(1, 3).map(float)
    weights = [[draw(weight) if cell else draw(st.just(0.0) | weight) for cell in row] for row in table]
    return [sum(row) for row in table], [sum(column) for column in zip(*table, strict=True)], weights


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(two_way_cases())
def test_rows_and_columns_always_add_up(case: tuple[list[int], list[int], list[list[float]]]) -> None:
    rows, columns, weights = case
    if sum(rows) and not any(map(any, weights)):
        return
    result = apportion_table(rows, columns, weights)
    cells = result.cells
    assert cells.sum(axis=1).tolist() == rows
    assert cells.sum(axis=0).tolist() == columns
    assert (cells >= 0).all()
    assert (cells[np.array(weights) == 0] == 0).all()
    assert np.abs(cells - result.unrounded).max() < 1 + 1e-6
    whole = np.abs(result.unrounded - np.rint(result.unrounded)) < 1e-8
    assert (cells == np.rint(result.unrounded))[whole].all()
    assert TwoWayTotals(np.array(rows), np.array(columns)).miss(result.unrounded) < 0.01


@settings(deadline=None)
@given(two_way_cases())
def test_no_other_rounding_has_larger_remainders(case: tuple[list[int], list[int], list[list[float]]]) -> None:
    """The sum of fractions rounded up is the optimum of the linear programme, whose corners are whole."""
    rows, columns, weights = case
    if not sum(rows) or not any(map(any, weights)):
        return
    result = apportion_table(rows, columns, weights)
    whole = np.abs(result.unrounded - np.rint(result.unrounded)) <= 1e-7
    down = np.where(whole, np.rint(result.unrounded), np.floor(result.unrounded))
    places = np.argwhere(~whole)
    if not len(places):
        assert (result.cells == down).all()
        return
    margins = np.zeros((len(rows) + len(columns), len(places)))
    for number, (row, column) in enumerate(places):
        margins[row, number] = margins[len(rows) + column, number] = 1
    left = np.concatenate([rows - down.sum(axis=1), columns - down.sum(axis=0)])
    fractions = (result.unrounded - down)[~whole]
    best = linprog(-fractions, A_eq=margins, b_eq=left, bounds=(0, 1))
    assert best.status == 0
    assert best.fun is not None
    assert (fractions * (result.cells - down)[~whole]).sum() == pytest.approx(-best.fun, abs=1e-6)


@given(st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 4), st.integers(0, 15))
def test_it_is_refused_exactly_where_there_is_no_table(a: int, b: int, c: int, d: int, zeros: int) -> None:
    """Against a search through all 2 x 2 tables."""
    if a + b != c + d or not a + b:
        return
    weights = [[float(not zeros & 1), float(not zeros & 2)], [float(not zeros & 4), float(not zeros & 8)]]
    open_cells = [range(a + b + 1) if weight else range(1) for row in weights for weight in row]
    there_is = any(w + x == a and y + z == b and w + y == c and x + z == d for w, x, y, z in product(*open_cells))
    if there_is:
        assert apportion_table([a, b], [c, d], weights).cells.sum() == a + b
    else:
        with pytest.raises(UserError):
            apportion_table([a, b], [c, d], weights)


@given(st.permutations(range(5)), st.permutations(range(4)))
def test_the_order_of_rows_and_columns_does_not_matter_where_the_best_is_unique(
    rows: list[int], columns: list[int]
) -> None:
    weights = np.random.default_rng(7).gamma(1.0, size=(5, 4))
    row_totals = apportion(100, weights.sum(axis=1))
    column_totals = apportion(100, weights.sum(axis=0))
    straight = apportion_table(row_totals, column_totals, weights).cells
    turned = apportion_table(row_totals[rows], column_totals[columns], weights[np.ix_(rows, columns)]).cells
    assert (straight[np.ix_(rows, columns)] == turned).all()


@pytest.mark.parametrize("shape", [(3_000, 14), (14, 3_000), (1_000, 1), (1, 1_000)])
def test_thousands_of_areas_two_ways(shape: tuple[int, int]) -> None:
    draws = np.random.default_rng(3)
    weights = draws.gamma(0.5, size=shape) * (draws.random(shape) > 0.2) + (np.add.outer(*map(np.arange, shape)) == 0)
    rows, columns = apportion(50_000, weights.sum(axis=1)), apportion(50_000, weights.sum(axis=0))
    result = apportion_table(rows, columns, weights)
    assert (result.cells.sum(axis=1) == rows).all()
    assert (result.cells.sum(axis=0) == columns).all()
    assert np.abs(result.cells - result.unrounded).max() < 1
    assert (result.cells[weights == 0] == 0).all()
