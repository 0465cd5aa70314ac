"""Suggested focus areas: from a layer, its counts and a budget to contiguous areas, and whether any could be better.

`suggest` answers when it is done. `start_suggestion` (module `job`) answers at once and works in a process of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from cspmap.analysis.contiguity import Contiguity, find_contiguity, flood
from cspmap.analysis.focus.figures import SQUARE_KILOMETRE, AreaFigures, describe_area
from cspmap.analysis.focus.problem import SLACK, Limit, Problem
from cspmap.analysis.focus.search import Found, Progress, Watch, find_best
from cspmap.analysis.measures import Column, Floats, as_floats
from cspmap.errors import UserError

if TYPE_CHECKING:
    import geopandas as gpd

By: TypeAlias = Literal["units", "residents", "km2"]
SECONDS = 30.0
OVERLAP = 0.5


@dataclass(frozen=True)
class SuggestedArea:
    """One suggested area. `gap` is how much more another might be worth, as a share of what this one captures."""

    figures: AreaFigures
    proven: bool
    gap: float

    @property
    def words(self) -> str:
        """Whether it is the best, as a sentence."""
        if self.proven:
            return "No other area that keeps the rules is worth more."
        most = max(self.gap, 0.001)
        return f"The search ended early: another area might be worth up to {100 * most:.1f} % more."


@dataclass(frozen=True)
class Suggestion:
    """Suggested areas, the best first; each later one shares at most the agreed part with each before it.

    `ended` says why there are no more: all that were asked for were found, no further area keeps the rules, time ran
    out, or someone stopped it. `unknown` are the units that could not take part, as their weight or cost is not known.
    """

    areas: tuple[SuggestedArea, ...]
    ended: Literal["complete", "no further area", "out of time", "stopped"]
    unknown: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Prepared:
    """A question put into numbers, and what is needed to put the answer into words."""

    problem: Problem
    units: gpd.GeoDataFrame
    weights: Column
    residents: Column | None
    contiguity: Contiguity
    unknown: tuple[str, ...]

    def describe(self, answer: Answer) -> Suggestion:
        """The areas that a search found, with their figures."""
        areas = []
        for found in answer.found:
            codes = [self.contiguity.codes[unit] for unit in found.units]
            figures = describe_area(
                self.units, codes, self.weights, residents=self.residents, contiguity=self.contiguity
            )
            # The proof rests on this too: never hand on a broken area.
            assert figures.connected
            gap = 0.0 if found.proven else (found.bound - found.value) / max(figures.captured, SLACK)
            areas.append(SuggestedArea(figures, found.proven, gap))
        return Suggestion(tuple(areas), answer.ended, self.unknown, answer.seconds)


@dataclass(frozen=True)
class Answer:
    """What a search for one or several areas found."""

    found: tuple[Found, ...]
    ended: Literal["complete", "no further area", "out of time", "stopped"]
    seconds: float


def suggest(
    units: gpd.GeoDataFrame,
    weights: Column,
    budget: float,
    *,
    by: By = "units",
    residents: Column | None = None,
    include: Collection[str] = (),
    avoid: Collection[str] = (),
    compactness: float = 0.0,
    alternatives: int = 0,
    overlap: float = OVERLAP,
    contiguity: Contiguity | None = None,
    seconds: float = SECONDS,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Suggestion:
    """The contiguous set of units that holds the most within a budget, and others that really differ from it.

    - `units`: a layer (code, geometry) in EPSG:27700; `weights`: what to capture (incidents, or incidents weighted by
      harm), a Series by code, 0 or more
    - `budget`: how many units, residents or km², as `by` says; residents are a Series by code, and are told of the
      areas whenever they are given
    - `include`, `avoid`: codes that every area must and must not hold
    - `compactness`: 0 or more; each km of outline counts against an area as much as `compactness` x (all weight / km of
      the layer's own outline), so that 0.1 gives up little for a rounder area and 1 much
    - `alternatives`: how many further areas; each shares at most `overlap` (0 to 1) of what an earlier one uses of
      the budget
    - `seconds`, `should_stop`: end the search early, with the best area so far and what another might still be worth;
      `on_progress` is told a few times a second

    Units whose weight or cost is missing take no part (they are in `unknown`). Where two areas are worth the same
    either may be returned.

    Raises UserError for negative weights, a budget that nothing fits into, codes that are not in the layer, units to
    include that no area within the budget can join, and options out of their range.
    """
    prepared = prepare(
        units,
        weights,
        budget,
        by=by,
        residents=residents,
        include=include,
        avoid=avoid,
        compactness=compactness,
        contiguity=contiguity,
    )
    check_alternatives(alternatives, overlap)
    watch = Watch(seconds, should_stop, on_progress)
    return prepared.describe(search(prepared.problem, watch, alternatives=alternatives, overlap=overlap))


def search(problem: Problem, watch: Watch, *, alternatives: int = 0, overlap: float = OVERLAP) -> Answer:
    """Find the best area, then the best of those that differ enough from all before, and so on.

    Raises UserError where not even one area keeps the rules.
    """
    begin = time.monotonic()
    found: list[Found] = []
    for number in range(1 + alternatives):
        left = Watch(watch.seconds - (time.monotonic() - begin), watch.should_stop, watch.on_progress)
        best = find_best(_differ(problem, found, overlap), left, area=number + 1)
        spent = time.monotonic() - begin
        if best is not None and (number == 0 or any(problem.weights[unit] for unit in best.units)):
            found.append(best)
        if watch.should_stop():
            return Answer(_require(found), "stopped", spent)
        if spent > watch.seconds:
            return Answer(_require(found), "out of time", spent)
        if len(found) <= number:
            return Answer(_require(found), "no further area", spent)
    return Answer(tuple(found), "complete", time.monotonic() - begin)


def check_alternatives(alternatives: int, overlap: float) -> None:
    """Raise UserError where these options are out of their range."""
    if alternatives < 0:
        raise UserError(f"There cannot be {alternatives} alternatives; ask for 0 or more.")
    if not 0 <= overlap < 1:
        raise UserError(f"Alternatives cannot share {overlap:g} of their units; choose 0 or more and less than 1.")


def prepare(
    units: gpd.GeoDataFrame,
    weights: Column,
    budget: float,
    *,
    by: By = "units",
    residents: Column | None = None,
    include: Collection[str] = (),
    avoid: Collection[str] = (),
    compactness: float = 0.0,
    contiguity: Contiguity | None = None,
) -> Prepared:
    """The question as numbers; arguments and errors as `suggest` has them."""
    if contiguity is None:
        contiguity = find_contiguity(units)
    codes = contiguity.codes
    weight = _match(weights, codes, "weights")
    if (weight < 0).any():
        where = codes[int(np.flatnonzero(weight < 0)[0])]
        raise UserError(f"Area {where} has a weight below zero; choose crime types or harm weights without negatives.")
    if not np.nansum(weight) > 0:
        raise UserError("There is nothing to capture: every count is zero or not known; choose more months or types.")
    cost = _cost(units, by, residents, codes)
    if not 0 < budget < np.inf:
        raise UserError(f"The budget cannot be {budget:g}; choose more than 0.")
    if not 0 <= compactness < np.inf:
        raise UserError(f"Compactness cannot be {compactness:g}; choose 0 (does not matter) or more.")
    unknown = np.isnan(weight) | np.isnan(cost)
    place = {code: number for number, code in enumerate(codes)}
    wanted, unwanted = (_place(given, place) for given in (include, avoid))
    _check_include(wanted, unwanted, unknown, codes)
    own, shared = _price_outline(contiguity, compactness * float(np.nansum(weight)))
    problem = Problem(
        weights=tuple(np.nan_to_num(weight).tolist()),
        neighbours=contiguity.neighbours,
        limits=(Limit(tuple(np.nan_to_num(cost).tolist()), float(budget)),),
        include=wanted,
        avoid=tuple(sorted({*unwanted, *np.flatnonzero(unknown).tolist()})),
        outlines=own,
        borders=shared,
    )
    _check_fits(problem, by)
    listed = tuple(codes[number] for number in np.flatnonzero(unknown).tolist())
    return Prepared(problem, units, weights, residents, contiguity, listed)


def _match(values: Column, codes: tuple[str, ...], what: str) -> Floats:
    strangers = values.index.difference(list(codes))
    if len(strangers):
        raise UserError(f"The {what} name {strangers[0]}, which is not one of the areas; use one layer for both.")
    return as_floats(values.reindex(list(codes)))


def _cost(units: gpd.GeoDataFrame, by: By, residents: Column | None, codes: tuple[str, ...]) -> Floats:
    if by == "units":
        return np.ones(len(codes))
    if by == "km2":
        land: Floats = units.geometry.area.to_numpy() / SQUARE_KILOMETRE
        return land
    if residents is None:
        raise UserError("A budget of residents needs the residents of every area; choose another kind of budget.")
    people = _match(residents, codes, "residents")
    if (people < 0).any():
        raise UserError(f"Area {codes[int(np.flatnonzero(people < 0)[0])]} has fewer than no residents; correct it.")
    return people


def _place(given: Iterable[str], place: dict[str, int]) -> tuple[int, ...]:
    strangers = [code for code in given if code not in place]
    if strangers:
        raise UserError(f"{strangers[0]} is not one of the areas of the layer; choose from them.")
    return tuple(sorted({place[code] for code in given}))


def _check_include(
    wanted: tuple[int, ...], unwanted: tuple[int, ...], unknown: np.ndarray[Any, Any], codes: tuple[str, ...]
) -> None:
    both = sorted(set(wanted) & set(unwanted))
    if both:
        raise UserError(f"{codes[both[0]]} is both to be included and to be avoided; choose one.")
    missing = [unit for unit in wanted if unknown[unit]]
    if missing:
        raise UserError(f"{codes[missing[0]]} cannot be included: its figures are not known; leave it out.")


def _price_outline(contiguity: Contiguity, price: float) -> tuple[tuple[float, ...], tuple[tuple[float, ...], ...]]:
    """What the outline of each unit, and each border, costs; nothing at all where the price is 0."""
    if not price:
        return (), ()
    each = price / contiguity.measure_outline(contiguity.codes)
    return (
        tuple(each * metres for metres in contiguity.outlines),
        tuple(tuple(each * metres for metres in row) for row in contiguity.borders),
    )


def _check_fits(problem: Problem, by: By) -> None:
    budget, avoided = problem.budget, set(problem.avoid)
    if problem.include:
        usable = set(range(len(problem))) - avoided
        if not flood([problem.include[0]], problem.neighbours, usable).issuperset(problem.include):
            raise UserError("The areas to include do not hang together, whatever lies between them; drop one.")
        if not budget.allows(sum(budget.costs[unit] for unit in problem.include)):
            raise UserError("The areas to include use more than the budget; raise it or drop one.")
    elif not any(budget.allows(cost) for unit, cost in enumerate(budget.costs) if unit not in avoided):
        raise UserError(f"No area fits within a budget of {budget.most:g} {by}; raise it.")


def _differ(problem: Problem, found: list[Found], overlap: float) -> Problem:
    """The problem with a limit on what is shared with each area found before."""
    costs = problem.budget.costs
    limits = []
    for area in found:
        inside = set(area.units)
        shared = tuple(cost if unit in inside else 0.0 for unit, cost in enumerate(costs))
        limits.append(Limit(shared, overlap * sum(shared)))
    return replace(problem, limits=(*problem.limits, *limits))


def _require(found: list[Found]) -> tuple[Found, ...]:
    if not found:
        raise UserError(
            "No contiguous area within the budget holds all that is to be included; raise the budget, include fewer, "
            "or give the search more time."
        )
    return tuple(found)
