"""Hit rate, PAI and PEI on later months, and concentration, by hand and by other ways of working them out."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cspmap.analysis.accuracy import catch, concentration, hit_rate, measure_accuracy, pai, pei, score_hotspots
from cspmap.errors import UserError
from cspmap.periods import Span

TRAIN, TEST = Span.parse("2022-05..2023-04"), Span.parse("2023-05..2023-07")


def test_pai_by_hand() -> None:
    # Chainey and others' own reading: 25 % of crime in 50 % of the area is 0.5, 20 % in 1 % is 20.
    assert pai(25, 100, 50, 100) == pytest.approx(0.5)
    assert pai(20, 100, 1, 100) == pytest.approx(20)
    assert hit_rate(20, 80) == 0.25


def test_undefined_figures_are_nan() -> None:
    assert np.isnan(hit_rate(0, 0))
    assert np.isnan(pai(0, 0, 1, 10))
    assert np.isnan(pai(0, 5, 0, 10))
    assert np.isnan(pai(0, 5, 1, 0))
    assert np.isnan(pei(0, 0, [1, 2], [1, 1]))
    assert np.isnan(pei(0, 1, [0, 0], [1, 1]))
    assert np.isnan(pei(0, 1, [], []))


def test_pei_by_hand() -> None:
    counts, areas = [10, 6, 4, 0], [1.0, 1, 2, 4]
    assert pei(10, 1, counts, areas) == 1
    assert pei(6, 1, counts, areas) == 0.6
    # Three of area: the first two cells and half of the third, so 18 at most.
    assert pei(9, 3, counts, areas) == pytest.approx(0.5)
    assert pei(20, 8, counts, areas) == 1


CELLS = st.lists(st.tuples(st.integers(0, 9), st.integers(1, 6)), min_size=1, max_size=7)


@settings(deadline=None)
@given(CELLS, st.data())
def test_nothing_beats_the_best_and_the_best_is_a_linear_programme(cells: list[tuple[int, int]], data: Any) -> None:
    counts, areas = (np.array(values, dtype=float) for values in zip(*cells, strict=True))
    budget = data.draw(st.floats(0.1, float(areas.sum())))
    most = catch(counts / areas, counts, areas, [budget])[0]
    solved = linprog(-counts, A_ub=[areas], b_ub=[budget], bounds=[(0, 1)] * len(counts))
    assert most == pytest.approx(-float(solved.fun or 0), abs=1e-6)
    for size in range(1, len(cells) + 1):
        for chosen in combinations(range(len(cells)), size):
            picked = list(chosen)
            efficiency = pei(counts[picked].sum(), areas[picked].sum(), counts, areas)
            assert np.isnan(efficiency) or efficiency <= 1 + 1e-9


def test_catch_takes_cells_by_score_and_the_last_in_part() -> None:
    scores, counts, areas = [3, 2, 1], [4, 10, 6], [1.0, 2, 1]
    assert catch(scores, counts, areas, [0, 0.5, 1, 2, 3, 4, 9]).tolist() == [0, 2, 4, 9, 14, 20, 20]


def test_cells_of_one_score_count_as_one_and_missing_ones_come_last() -> None:
    scores, counts, areas = [1, 1, np.nan, 0, np.nan], [8, 0, 100, 1, 20], [1.0, 1, 1, 1, 1]
    assert catch(scores, counts, areas, [1, 2, 3, 4, 5]).tolist() == [4, 8, 9, 69, 129]


@settings(deadline=None)
@given(CELLS, st.randoms())
def test_order_of_cells_does_not_matter(cells: list[tuple[int, int]], random: Any) -> None:
    rows = [(count % 3, count, area) for count, area in cells]
    shuffled = rows.copy()
    random.shuffle(shuffled)
    budgets = [0.5, 1, 3, 10]
    one, other = (np.array(listed, dtype=float).T for listed in (rows, shuffled))
    assert catch(one[0], one[1], one[2], budgets) == pytest.approx(catch(other[0], other[1], other[2], budgets))


def test_measure_accuracy_by_hand() -> None:
    scores = {"density": [9, 1, 5, 0], "last period's counts": [1, 9, 5, 0]}
    counts, areas = [50, 10, 40, 0], [100.0, 100, 200, 600]
    table = measure_accuracy(scores, counts, areas, train=TRAIN, test=TEST, shares=[0.1, 0.2])
    assert table["method"].tolist() == ["density", "density", "last period's counts", "last period's counts"]
    assert table["share_area"].tolist() == [0.1, 0.2, 0.1, 0.2]
    assert table["hits"].tolist() == pytest.approx([50, 70, 10, 30])
    assert table["hit_rate"].tolist() == pytest.approx([0.5, 0.7, 0.1, 0.3])
    assert table["pai"].tolist() == pytest.approx([5, 3.5, 1, 1.5])
    assert table["pei"].tolist() == pytest.approx([1, 1, 0.2, 30 / 70])
    assert set(table["incidents"]) == {100}
    assert set(zip(table["train"], table["test"], strict=True)) == {("2022-05..2023-04", "2023-05..2023-07")}


@pytest.mark.parametrize("test", ["2022-05..2023-04", "2023-04..2023-06", "2021-01..2021-12"])
def test_hotspots_are_never_scored_on_what_they_were_made_from(test: str) -> None:
    span = Span.parse(test)
    with pytest.raises(UserError, match="does not come after; choose later months"):
        measure_accuracy({"a": [1]}, [1], [1], train=TRAIN, test=span)
    with pytest.raises(UserError, match="does not come after; choose later months"):
        score_hotspots([True], [1], [1], [1], train=TRAIN, test=span)


def test_score_of_a_layer_beside_the_baseline() -> None:
    hot, last = [True, False, True, False], [5, 40, 30, 0]
    counts, areas = [50, 10, 40, 0], [100.0, 100, 200, 600]
    score = score_hotspots(hot, last, counts, areas, train=TRAIN, test=TEST)
    assert (score.hits, score.incidents) == (90, 100)
    assert [score.share_area, score.hit_rate, score.pai, score.pei] == pytest.approx([0.3, 0.9, 3, 1])
    # In as much area last period's counts take the second cell and the third: 50.
    assert (score.baseline_hits, score.baseline) == (50, 0.5)
    assert score.words == (
        "Hotspots of year to April 2023 caught 90 % of the 100 incidents of May 2023 to July 2023 in 30.0 % of the "
        "area (PAI 3.0, 100 % of the most that could have been); last period's counts alone caught 50 % in as much."
    )


@pytest.mark.parametrize(
    ("hot", "counts", "words"),
    [([False, False], [3, 4], "no cell is hot"), ([True, False], [0, 0], "no incidents are recorded")],
)
def test_what_cannot_be_scored_says_so(hot: list[bool], counts: list[int], words: str) -> None:
    score = score_hotspots(hot, [1, 1], counts, [1.0, 1], train=TRAIN, test=TEST)
    assert words in score.words
    assert np.isnan(score.pai)


def test_other_cells_are_refused() -> None:
    with pytest.raises(UserError, match="of 1, 2 and 2 cells"):
        measure_accuracy({"a": [1]}, [1, 2], [1, 2], train=TRAIN, test=TEST)
    with pytest.raises(UserError, match="of 1, 2 and 2 cells"):
        score_hotspots([True, False], [1], [1, 2], [1, 2], train=TRAIN, test=TEST)


def gini_by_differences(values: Any) -> float:
    """Half the mean absolute difference of all pairs over the mean: the definition, in another form."""
    array = np.asarray(values, dtype=float)
    return float(np.abs(array[:, None] - array[None, :]).mean() / (2 * array.mean()))


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), min_size=1, max_size=40).filter(sum))
def test_gini_is_half_the_mean_difference(counts: list[int]) -> None:
    found = concentration(counts)
    assert found.gini == pytest.approx(gini_by_differences(counts), abs=1e-12)
    n, c = len(counts), sum(counts)
    assert -1e-9 <= found.generalised_gini <= 1
    if c >= n:
        assert found.generalised_gini == pytest.approx(found.gini, abs=1e-12)
    assert found.generalised_gini <= found.gini + 1e-12
    # The area between the curve and that of one incident a unit at most (Bernasco and Steenbeek's figure), doubled.
    lorenz = np.append(0.0, np.cumsum(np.sort(counts)) / c)
    steps = np.arange(n + 1) / n
    evenest = np.maximum(0.0, (steps - 1) * max(n / c, 1) + 1)
    size = min(1.0, c / n)
    between = np.trapezoid(evenest, steps) - np.trapezoid(lorenz, steps)
    assert found.generalised_gini == pytest.approx(2 * between / size, abs=1e-9)


def test_concentration_by_hand() -> None:
    found = concentration([0, 10, 30, 60], units="streets")
    # (2 (1 x 0 + 2 x 0.1 + 3 x 0.3 + 4 x 0.6) - 5) / 4
    assert found.gini == pytest.approx(0.5)
    assert found.half == 0.25
    assert found.curve["share_units"].tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert found.curve["share_incidents"].tolist() == pytest.approx([0, 0.6, 0.9, 1, 1])
    assert found.words == "Half of the 100 incidents are in 25.0 % of the 4 streets."
    assert concentration([50, 50]).half == 0.5
    assert concentration([1, 1, 1]).half == pytest.approx(2 / 3)


def test_more_places_than_crimes() -> None:
    """Three crimes in three of a hundred places lie as evenly as they can; the plain Gini calls that 0.97."""
    even = concentration([1, 1, 1] + [0] * 97)
    assert [even.gini, even.generalised_gini] == pytest.approx([0.97, 0])
    # All of four crimes in one of ten places: 1 - 1/c.
    assert concentration([4] + [0] * 9).generalised_gini == pytest.approx(0.75)


def test_no_incidents_and_no_units() -> None:
    for counts in ([0, 0, 0], []):
        found = concentration(counts)
        assert np.isnan([found.gini, found.generalised_gini, found.half]).all()
        assert found.words == f"There are no incidents in the {len(counts)} units."
        assert len(found.curve) == 1


@pytest.mark.parametrize("bad", [-1.0, float("nan")])
def test_missing_units_are_not_empty_ones(bad: float) -> None:
    with pytest.raises(UserError, match="missing or below zero"):
        concentration(pd.Series([1.0, bad]))
