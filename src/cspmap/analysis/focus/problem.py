"""The choice of one contiguous area as numbers: what each unit is worth, what it costs, and what it borders on."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Self, TypeAlias

from cspmap.analysis.contiguity import flood

Neighbours: TypeAlias = tuple[tuple[int, ...], ...]

# Sums of costs are compared with this much slack, as a share of the limit, so that rounding decides nothing.
SLACK = 1e-9


@dataclass(frozen=True)
class Limit:
    """Costs of the chosen units (one of each unit of the problem) may add up to at most `most`."""

    costs: tuple[float, ...]
    most: float

    def allows(self, used: float) -> bool:
        """Whether so much keeps the limit."""
        return used <= self.most + SLACK * max(abs(self.most), 1.0)


@dataclass(frozen=True)
class Problem:
    """Choose units that hang together, within all limits, with the greatest value.

    The value of a set of units is the sum of their `weights` (0 or more) less what its outline costs: `outlines` are
    the costs of each unit's whole outline, `borders` those of the part shared with each neighbour, in the order of
    `neighbours`; both are all 0 where the outline does not matter. The first limit is the budget. Units to `include`
    are in every choice, those to `avoid` in none.
    """

    weights: tuple[float, ...]
    neighbours: Neighbours
    limits: tuple[Limit, ...]
    include: tuple[int, ...] = ()
    avoid: tuple[int, ...] = ()
    outlines: tuple[float, ...] = ()
    borders: tuple[tuple[float, ...], ...] = ()

    def __len__(self) -> int:
        return len(self.weights)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`, also after a journey as JSON."""
        return cls(
            weights=tuple(values["weights"]),
            neighbours=tuple(tuple(row) for row in values["neighbours"]),
            limits=tuple(Limit(tuple(limit["costs"]), limit["most"]) for limit in values["limits"]),
            include=tuple(values["include"]),
            avoid=tuple(values["avoid"]),
            outlines=tuple(values["outlines"]),
            borders=tuple(tuple(row) for row in values["borders"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain lists and numbers."""
        return asdict(self)

    @property
    def budget(self) -> Limit:
        """The first limit."""
        return self.limits[0]

    @cached_property
    def beside(self) -> tuple[dict[int, float], ...]:
        """For each unit what the outline saves where a neighbour is chosen too: twice the cost of their border."""
        if not self.borders:
            return tuple({} for _ in self.weights)
        pairs = zip(self.neighbours, self.borders, strict=True)
        return tuple({place: 2 * cost for place, cost in zip(*pair, strict=True)} for pair in pairs)

    @cached_property
    def alone(self) -> tuple[float, ...]:
        """What each unit is worth by itself: its weight less the cost of its outline."""
        if not self.outlines:
            return self.weights
        return tuple(weight - cost for weight, cost in zip(self.weights, self.outlines, strict=True))

    def gain(self, unit: int, chosen: Collection[int]) -> float:
        """By how much the value of the chosen units rises with one more."""
        return self.alone[unit] + sum(saved for place, saved in self.beside[unit].items() if place in chosen)

    def value(self, chosen: Collection[int]) -> float:
        """The value of a set of units."""
        saved = sum(saved for unit in chosen for place, saved in self.beside[unit].items() if place in chosen)
        return sum(self.alone[unit] for unit in chosen) + saved / 2

    def use(self, chosen: Collection[int]) -> list[float]:
        """What a set of units uses of each limit."""
        return [sum(limit.costs[unit] for unit in chosen) for limit in self.limits]

    def is_choice(self, chosen: Collection[int]) -> bool:
        """Whether a set of units hangs together and keeps every rule."""
        inside = set(chosen)
        return (
            bool(inside)
            and inside.issuperset(self.include)
            and inside.isdisjoint(self.avoid)
            and all(limit.allows(used) for limit, used in zip(self.limits, self.use(inside), strict=True))
            and flood([min(inside)], self.neighbours, inside) == inside
        )
