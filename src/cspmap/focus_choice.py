"""What the page of focus areas shows, frozen, and round-tripped through its address."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from cspmap.errors import SelectionError, quote_briefly
from cspmap.focus_area import Aim
from cspmap.query import Query
from cspmap.selection import Selection

if TYPE_CHECKING:
    from cspmap.store import Store

_WEIGHTS = "weights"
MOST_WEIGHT = 100_000.0


@dataclass(frozen=True)
class FocusChoice:
    """`selection` has the level, the period, what is counted and, as `areas`, the chosen units (empty: none).

    `weights` are pairs of a crime type's key and what an incident of it counts, where that is not 1.
    """

    selection: Selection
    weights: tuple[tuple[str, float], ...] = ()

    @classmethod
    def default(cls, store: "Store") -> Self:
        """All crime of the latest year, on the first level that is a map of places."""
        selection = Selection.default(store)
        return cls(selection.change(level=store.counted_level(selection.level)))

    @classmethod
    def from_query(cls, query: Mapping[str, str], store: "Store") -> Self:
        """Read a link's parameters; raises SelectionError in one sentence where the store does not hold what it asks.

        A level that only redraws another on hexagons stands for that other one.
        """
        usual = cls.default(store).selection
        selection = Selection.from_query({"level": usual.level} | {k: v for k, v in query.items() if v.strip()}, store)
        selection = replace(selection, level=store.counted_level(selection.level), chosen=None)
        pairs = dict(
            read_weight(*part.rpartition(":")[::2], store)
            for part in query.get(_WEIGHTS, "").split(",")
            if part.strip()
        )
        return cls(selection, tuple(pairs.items()))

    def to_query(self) -> dict[str, str]:
        """As parameters of a link; `from_query` reads them back exactly."""
        kept = ("period", "crime", "level", "areas")
        query = {key: text for key, text in self.selection.to_query().items() if key in kept}
        if self.weights:
            query[_WEIGHTS] = ",".join(f"{key}:{_write_weight(weight)}" for key, weight in self.weights)
        return query

    def aim(self, query: Query) -> Aim:
        """What the area is to catch."""
        return Aim(self.selection.span, query.crime_types(self.selection), self.weights)


def read_weight(key: str, number: str, store: "Store") -> tuple[str, float]:
    """A crime type and what an incident of it counts; raises SelectionError where either cannot be."""
    types = [kind.key for kind in store.partnership.crime_types]
    if key not in types:
        raise SelectionError(
            f"There is no crime type {quote_briefly(key)} to weigh; choose one of: {', '.join(types)}."
        )
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not 0 <= weight <= MOST_WEIGHT:
        raise SelectionError(
            f"The weight of {key} is {quote_briefly(number)}; write a number from 0 to {MOST_WEIGHT:,.0f}."
        )
    return key, weight


def _write_weight(weight: float) -> str:
    return repr(float(weight)).removesuffix(".0")
