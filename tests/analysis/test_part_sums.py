"""Sums beside withheld counts: nothing that is published gives one back, which a linear program is asked about."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from cspmap.analysis.disclosure import suppress
from cspmap.analysis.part_sums import withhold_sums


def find_reach(row: int, counts: np.ndarray, hidden: np.ndarray, sums: list[np.ndarray]) -> float:
    """How far apart the least and the greatest value are that a count may have, by all that is published.

    `sums` are the rows of each published sum. Whoever looks knows that what is withheld is 1 or more, unless a zero is.
    """
    least = 0 if (counts[hidden] == 0).any() else 1
    bounds = [(least, None) if gone else (value, value) for value, gone in zip(counts, hidden, strict=True)]
    rows, told = [each.astype(float) for each in sums], [float(counts[each].sum()) for each in sums]
    cost = np.zeros(len(counts))
    cost[row] = 1
    ends: list[Any] = [linprog(sign * cost, A_eq=rows or None, b_eq=told or None, bounds=bounds) for sign in (1, -1)]
    if any(end.status == 3 for end in ends):
        return float("inf")
    assert all(end.success for end in ends)
    return float(-ends[1].fun - ends[0].fun)


@given(st.data())
def test_no_withheld_count_is_given_back(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 14))
    counts = np.array(data.draw(st.lists(st.integers(0, 12), min_size=size, max_size=size)))
    parts = data.draw(st.lists(st.integers(-1, 4), min_size=size, max_size=size))
    groups = data.draw(st.none() | st.lists(st.integers(0, 2), min_size=size, max_size=size))
    threshold = data.draw(st.integers(3, 6))
    if groups is not None:
        numbers = {number: place for place, number in enumerate(sorted(set(groups)))}
        groups = [numbers[number] for number in groups]
    flags = suppress(counts, threshold=threshold, groups=groups)
    hidden, total = flags[:size], flags[-1]
    own = [np.array(groups) == each for each in range(max(groups) + 1)] if groups is not None else []
    shown = [not flags[size + each] for each in range(len(own))]
    labels = None if groups is None else [each if shown[each] else -1 for each in groups]
    gone = withhold_sums(counts, hidden, parts, threshold=threshold, groups=labels)
    sums = [np.array(parts) == part for part in range(len(gone)) if not gone[part]]
    sums += [each for each, is_shown in zip(own, shown, strict=True) if is_shown]
    sums += [] if total else [np.ones(size, dtype=bool)]
    for part in range(len(gone)):
        assert gone[part] or not 0 < counts[np.array(parts) == part].sum() < threshold
    for row in np.flatnonzero(hidden & (counts > 0)):
        assert find_reach(int(row), counts, hidden, sums) > 0.5


def test_a_part_with_one_withheld_count_goes_and_takes_another_along() -> None:
    counts, parts = [3, 20, 4, 3, 30, 2, 9, 40], [0, 0, 1, 1, 1, 2, 2, 3]
    hidden = [True, False, True, True, False, True, True, False]
    # The first would give its 3 back; the rest of the total would as well, so the smallest that helps goes too.
    assert withhold_sums(counts, hidden, parts, threshold=5).tolist() == [True, False, True, False]


@pytest.mark.parametrize("counts", [[1, 1, 1, 9], [1, 1, 1, 1]])
def test_ones_that_add_up_to_the_threshold_are_known_to_be_ones(counts: list[int]) -> None:
    assert withhold_sums(counts, [True] * 3 + [False], [0, 0, 0, 1], threshold=3).tolist() == [True, False]


def test_nothing_withheld_withholds_no_sum() -> None:
    assert not withhold_sums([0, 7, 8], [False] * 3, [0, 0, 1], threshold=5).any()
    assert withhold_sums([], [], [], threshold=5).tolist() == []
