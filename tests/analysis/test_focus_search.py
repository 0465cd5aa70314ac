"""The exact search against looking at every area there is, on graphs small enough for that."""

import json
from itertools import count, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.contiguity import flood
from cspmap.analysis.focus.cuts import find_cuts
from cspmap.analysis.focus.heuristics import find_articulations
from cspmap.analysis.focus.problem import Limit, Problem
from cspmap.analysis.focus.search import Progress, Watch, find_best

Graph = tuple[tuple[int, ...], ...]


def make_grid(width: int, height: int) -> Graph:
    """Squares beside one another, numbered row by row."""
    return tuple(
        tuple(
            sorted(
                (y + down) * width + x + right
                for right, down in ((0, 1), (1, 0), (0, -1), (-1, 0))
                if 0 <= x + right < width and 0 <= y + down < height
            )
        )
        for y in range(height)
        for x in range(width)
    )


def list_areas(graph: Graph) -> list[frozenset[int]]:
    """Every set of units that hangs together, grown from its smallest ones."""
    layer = {frozenset([unit]) for unit in range(len(graph))}
    found: list[frozenset[int]] = []
    while layer:
        found += layer
        layer = {area | {other} for area in layer for unit in area for other in graph[unit] if other not in area}
    return found


def enumerate_best(problem: Problem) -> float | None:
    """The greatest value of all areas that keep the rules, None where none does."""
    areas = filter(problem.is_choice, list_areas(problem.neighbours))
    return max(map(problem.value, areas), default=None)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Grids, and any graph of up to nine units, in one part or several."""
    if draw(st.booleans()):
        return make_grid(draw(st.integers(1, 4)), draw(st.integers(1, 3)))
    size = draw(st.integers(1, 9))
    pairs = [(one, other) for one in range(size) for other in range(one)]
    edges = draw(st.sets(st.sampled_from(pairs))) if pairs else set()
    return tuple(
        tuple(sorted(other for pair in edges if unit in pair for other in pair if other != unit))
        for unit in range(size)
    )


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    graph = draw(graphs())
    size = len(graph)
    whole = draw(st.booleans())
    weight = st.integers(0, 30).map(float) if whole else st.floats(0, 30).map(lambda value: round(value, 3))
    cost = draw(st.sampled_from([st.just(1.0), st.integers(0, 9).map(float), st.integers(1, 400).map(float)]))
    costs = tuple(draw(st.lists(cost, min_size=size, max_size=size)))
    limits = [Limit(costs, draw(st.integers(1, max(1, int(sum(costs))))))]
    if draw(st.booleans()):
        shared = tuple(cost if draw(st.booleans()) else 0.0 for cost in costs)
        limits.append(Limit(shared, sum(shared) * draw(st.floats(0, 0.8))))
    units = st.sets(st.integers(0, size - 1), max_size=3)
    include = draw(units) if draw(st.booleans()) else set()
    avoid = (draw(units) if draw(st.booleans()) else set()) - include
    outlines: tuple[float, ...] = ()
    borders: tuple[tuple[float, ...], ...] = ()
    if draw(st.booleans()):
        price = draw(st.floats(0.01, 3))
        outlines = (4 * price,) * size
        borders = tuple((price,) * len(row) for row in graph)
    weights = tuple(draw(st.lists(weight, min_size=size, max_size=size)))
    return Problem(weights, graph, tuple(limits), tuple(sorted(include)), tuple(sorted(avoid)), outlines, borders)


@settings(deadline=None, max_examples=300)
@given(problems())
def test_the_search_equals_complete_enumeration(problem: Problem) -> None:
    found, best = find_best(problem), enumerate_best(problem)
    if best is None:
        assert found is None
        return
    assert found is not None
    assert found.proven
    assert problem.is_choice(found.units)
    assert found.value == pytest.approx(problem.value(found.units), abs=1e-6)
    assert found.value == pytest.approx(best, rel=2e-6, abs=2e-6)
    assert found.bound == pytest.approx(found.value)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 40), min_size=16, max_size=16), st.integers(2, 12))
def test_the_search_equals_complete_enumeration_on_sixteen_squares(weights: list[int], budget: int) -> None:
    problem = Problem(tuple(map(float, weights)), make_grid(4, 4), (Limit((1.0,) * 16, budget),))
    found = find_best(problem)
    assert found is not None
    assert found.proven
    assert found.value == enumerate_best(problem)


#  The heaviest square is a trap: beside it lies little, while a rich street starts two squares away.
TRAP = """
  33  6  4  0  0
   6  4  0  0  0
   0  0  1 13 14
   0  0  0  0 13
   0  0 14  1 12
"""


def take_greedily(problem: Problem, budget: int) -> float:
    """Start with the heaviest, then always add the heaviest beside the area."""
    area = {int(np.argmax(problem.weights))}
    while len(area) < budget:
        beside = {other for unit in area for other in problem.neighbours[unit]} - area
        area.add(max(beside, key=lambda unit: problem.weights[unit]))
    return problem.value(area)


def test_where_greedy_fails_the_search_does_not() -> None:
    problem = Problem(tuple(map(float, TRAP.split())), make_grid(5, 5), (Limit((1.0,) * 25, 6),))
    found = find_best(problem)
    assert found is not None
    # The street 13 14 13 12 1 14 against the heap 33 6 6 4 4 and whatever is next to it.
    assert (take_greedily(problem, 6), found.value, found.proven) == (53, 67, True)
    assert {problem.weights[unit] for unit in found.units} == {1, 12, 13, 14}


def make_noise(seed: int, side: int = 14, budget: int = 20) -> Problem:
    """Weights without any pattern: the hardest there is, far from crime."""
    weights = np.random.default_rng(seed).gamma(1.0, 10.0, side * side)
    return Problem(tuple(weights.tolist()), make_grid(side, side), (Limit((1.0,) * side**2, budget),))


def test_a_search_without_time_still_has_an_area_and_an_honest_bound() -> None:
    problem = make_noise(1)
    early, late = find_best(problem, Watch(seconds=0)), find_best(make_noise(1, 14, 12))
    assert early is not None
    assert problem.is_choice(early.units)
    assert not early.proven
    assert early.bound > early.value
    assert late is not None
    assert late.value <= early.bound


@settings(deadline=None)
@given(problems(), st.integers(0, 4))
def test_a_search_that_was_stopped_claims_no_more_than_it_knows(problem: Problem, patience: int) -> None:
    calls = count()
    found, best = find_best(problem, Watch(should_stop=lambda: next(calls) >= patience)), enumerate_best(problem)
    if found is not None:
        assert best is not None
        assert problem.is_choice(found.units)
        assert found.value <= best + 1e-6
        assert found.bound >= best - 2e-6 * max(1.0, abs(best))
        if found.proven:
            assert found.value == pytest.approx(best, rel=2e-6, abs=2e-6)


def test_a_search_ends_when_told_to() -> None:
    calls = count()
    found = find_best(make_noise(2), Watch(should_stop=lambda: next(calls) > 40))
    assert found is not None
    assert not found.proven
    assert next(calls) < 60


def test_progress_closes_in() -> None:
    told: list[Progress] = []
    find_best(make_noise(3), Watch(seconds=2, on_progress=told.append), area=2)
    assert told
    assert {progress.area for progress in told} == {2}
    assert all(progress.bound >= progress.value - 1e-6 for progress in told)
    assert all(later.value >= earlier.value for earlier, later in pairwise(told))
    assert 0 <= told[-1].gap < 1


@settings(deadline=None)
@given(problems())
def test_a_problem_survives_a_journey_as_text(problem: Problem) -> None:
    assert Problem.from_dict(json.loads(json.dumps(problem.to_dict()))) == problem


@settings(deadline=None)
@given(graphs(), st.data())
def test_cuts_hold_for_every_area_and_are_broken(graph: Graph, data: st.DataObject) -> None:
    share = np.array([data.draw(st.sampled_from([0, 0, 0.25, 0.5, 0.75, 1])) for _ in graph])
    share[0] = 1.0
    areas = [area for area in list_areas(graph) if 0 in area]
    cuts = find_cuts(share, 0, graph)
    for separator, unit in cuts:
        assert share[list(separator)].sum() < share[unit]
        assert all(unit not in area or area & set(separator) for area in areas)
    if set(np.unique(share)) <= {0.0, 1.0}:
        chosen = set(np.flatnonzero(share).tolist())
        assert bool(cuts) == (flood([0], graph, chosen) != chosen)


def test_a_fraction_that_two_ways_carry_is_no_broken_cut() -> None:
    """On a ring of four a quarter and a half each way carry three quarters to the far unit, and no more."""
    ring = ((1, 3), (0, 2), (1, 3), (0, 2))
    assert find_cuts(np.array([1, 0.25, 0.75, 0.5]), 0, ring) == []
    assert find_cuts(np.array([1, 0.25, 0.80, 0.5]), 0, ring) == [((1, 3), 2)]


@settings(deadline=None)
@given(graphs())
def test_articulations_are_what_an_area_falls_apart_without(graph: Graph) -> None:
    area = flood([0], graph, range(len(graph)))
    found = find_articulations(graph, area, 0)
    for unit in area - {0}:
        rest = area - {unit}
        assert (unit in found) == (flood([0], graph, rest) != rest)
    assert 0 in found
