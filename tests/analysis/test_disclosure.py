"""What is withheld cannot be had back: against linear algebra and integer programming over small tables."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import linalg, optimize

from cspmap.analysis.disclosure import add_totals, round_counts, suppress
from cspmap.errors import UserError

Numbers = Any


def list_sums(shape: Sequence[int], groups: Sequence[int] | None) -> Numbers:
    """Every published total as a row: the total 1, its parts -1, over the table with its totals laid flat."""
    full = add_totals(np.zeros(shape, dtype=int), groups=groups).shape
    number = np.arange(np.prod(full)).reshape(full)
    rows = []
    for axis in range(len(shape)):
        size = shape[axis]
        subtotals: list[tuple[int, list[int]]] = [(full[axis] - 1, list(range(size)))]
        if axis == 0 and groups is not None:
            subtotals += [(size + one, [i for i in range(size) if groups[i] == one]) for one in range(max(groups) + 1)]
        for total, parts in subtotals:
            for rest in itertools.product(*(range(full[other]) for other in range(len(shape)) if other != axis)):
                row = np.zeros(number.size)
                for place in parts:
                    row[number[(*rest[:axis], place, *rest[axis:])]] -= 1
                row[number[(*rest[:axis], total, *rest[axis:])]] += 1
                rows.append(row)
    return np.array(rows)


def find_exposed(counts: Numbers, withheld: Numbers, groups: Sequence[int] | None) -> list[int]:
    """Withheld cells that the totals give back exactly: those in which nothing that keeps all totals can differ."""
    sums = list_sums(counts.shape, groups)[:, withheld.ravel()]
    if not sums.shape[1]:
        return []
    free = linalg.null_space(sums)
    return [int(cell) for cell in np.flatnonzero((np.abs(free) < 1e-9).all(axis=1))]


def find_range(counts: Numbers, withheld: Numbers, groups: Sequence[int] | None, cell: int) -> tuple[float, float]:
    """The least and the most that a withheld cell can be, counts being whole and not negative."""
    sums, values = list_sums(counts.shape, groups), add_totals(counts, groups=groups).ravel()
    hidden = withheld.ravel()
    left = sums[:, hidden]
    right = -(sums[:, ~hidden] @ values[~hidden])
    keep = (left != 0).any(axis=1)
    aim = np.zeros(left.shape[1])
    aim[cell] = 1
    ends = []
    for sign in (1, -1):
        found = optimize.milp(
            sign * aim,
            integrality=np.ones(len(aim), dtype=np.int64),
            bounds=optimize.Bounds(0, 10_000),
            constraints=optimize.LinearConstraint(left[keep], right[keep], right[keep]),
        )
        assert found.success
        ends.append(float(round(sign * found.fun)))
    return ends[0], ends[1]


def check_published(counts: Numbers, threshold: int, groups: Sequence[int] | None = None) -> None:
    try:
        withheld = suppress(counts, threshold=threshold, groups=groups)
    except UserError:
        assert counts.ndim == 3
        assume(False)
    values = add_totals(counts, groups=groups)
    small = (values > 0) & (values < threshold)
    assert withheld[small].all()
    hidden = np.flatnonzero(withheld.ravel())
    told = [hidden[cell] for cell in find_exposed(counts, withheld, groups)]
    assert (values.ravel()[told] == 0).all(), "a withheld count can be worked out by subtraction"
    # A total that is all zero gives its zeros away, and they tell of nobody.
    for cell, place in enumerate(hidden):
        if values.ravel()[place]:
            low, high = find_range(counts, withheld, groups, cell)
            assert low < high
    for row in list_sums(counts.shape, groups):
        total, parts = int(np.flatnonzero(row == 1)[0]), np.flatnonzero(row == -1)
        held = values.ravel()[parts][withheld.ravel()[parts]]
        if not withheld.ravel()[total] and held.sum() > 0:
            assert len(held) > 1
            assert held.sum() >= threshold


COUNTS = st.integers(0, 9) | st.integers(0, 60) | st.just(0)


@st.composite
def tables(draw: Any, *most: int) -> Numbers:
    shape = [draw(st.integers(1, size)) for size in most]
    return np.array(draw(st.lists(COUNTS, min_size=int(np.prod(shape)), max_size=int(np.prod(shape))))).reshape(shape)


@settings(deadline=None, max_examples=150)
@given(tables(8), st.integers(3, 10))
def test_a_list_gives_nothing_back(counts: Numbers, threshold: int) -> None:
    check_published(counts, threshold)


@settings(deadline=None, max_examples=120)
@given(tables(5, 5), st.integers(3, 10))
def test_a_table_gives_nothing_back(counts: Numbers, threshold: int) -> None:
    check_published(counts, threshold)


@settings(deadline=None, max_examples=60)
@given(tables(3, 3, 3), st.integers(3, 7))
def test_a_table_split_three_ways_gives_nothing_back(counts: Numbers, threshold: int) -> None:
    check_published(counts, threshold)


def test_what_subtotals_withhold_adds_up_to_the_threshold_beside_the_total() -> None:
    check_published(np.array([[0, 4], [0, 1], [0, 2]]), 4, groups=[0, 1, 0])


@settings(deadline=None, max_examples=80)
@given(tables(6, 3), st.integers(3, 7), st.data())
def test_subtotals_give_nothing_back(counts: Numbers, threshold: int, data: Any) -> None:
    number = data.draw(st.integers(1, min(3, len(counts))))
    rest = data.draw(st.lists(st.integers(0, number - 1), min_size=len(counts) - number, max_size=len(counts) - number))
    check_published(counts, threshold, groups=[*range(number), *rest])


def test_a_lone_pair_does_not_give_both_away() -> None:
    """Two that add up to 2 are 1 and 1: a third goes with them."""
    withheld = suppress([1, 1, 9, 30], threshold=5)
    assert withheld.tolist() == [True, True, True, False, False]


def test_zeros_stay_and_large_counts_are_not_touched_without_need() -> None:
    withheld = suppress([[0, 12, 40], [9, 0, 31]], threshold=5)
    assert not withheld.any()
    assert suppress([0, 3, 7, 0, 90], threshold=5).tolist() == [False, True, True, False, False, False]


def test_a_total_that_is_small_itself_is_withheld() -> None:
    assert suppress([0, 3, 0], threshold=5).tolist() == [False, True, False, True]


def test_two_blocks_joined_by_a_single_cell_do_not_give_it_back() -> None:
    """Each row and column of this pattern has two withheld, and yet the one in the middle could be worked out."""
    counts = np.full((4, 4), 20)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1), (2, 2), (2, 3), (3, 2), (3, 3), (1, 2)):
        counts[row, column] = 3
    check_published(counts, 5)


def test_a_year_of_wards_is_protected_and_its_total_stays() -> None:
    random = np.random.default_rng(3)
    counts = random.poisson(random.gamma(2, 3, (19, 1, 14)) * np.ones((1, 12, 1)))
    withheld = suppress(counts, threshold=5)
    values = add_totals(counts)
    assert withheld[(values > 0) & (values < 5)].all()
    assert not withheld[-1, -1, -1]
    assert withheld.mean() < 0.4


def test_a_table_too_thin_to_be_protected_is_refused() -> None:
    random = np.random.default_rng(3)
    counts = random.poisson(random.gamma(0.7, 1.2, (60, 1, 14)) * np.ones((1, 12, 1)))
    with pytest.raises(UserError, match="leave out a split, or choose a longer period or larger areas"):
        suppress(counts, threshold=5)


def test_rounding_takes_each_count_by_itself() -> None:
    assert round_counts([0, 1, 2, 3, 7, 8, 12], 5).tolist() == [0, 0, 0, 5, 5, 10, 10]
    assert round_counts([4, 5, 15], 10).tolist() == [0, 10, 20]


def test_a_threshold_that_hides_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="hides nothing"):
        suppress([1, 2], threshold=2)
