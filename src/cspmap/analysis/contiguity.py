"""Which areas of a layer lie side by side, and how much border they share."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.areal import WORKING_CRS
from cspmap.errors import UserError

if TYPE_CHECKING:
    import geopandas as gpd

Rule: TypeAlias = Literal["border", "corner"]

# Metres of border below which two areas only meet at a corner: coordinates are rounded to about that.
SHORTEST_BORDER = 1.0


@dataclass(frozen=True, eq=False)
class Contiguity:
    """The areas of a layer as a graph, in the order of the layer.

    `neighbours[i]` are the places of the areas beside area i, rising, never i itself; `borders[i]` the metres of
    outline shared with each of them (0 where they meet at a corner only); `outlines[i]` the metres of its whole
    outline, holes included.
    """

    codes: tuple[str, ...]
    neighbours: tuple[tuple[int, ...], ...]
    borders: tuple[tuple[float, ...], ...]
    outlines: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def islands(self) -> tuple[str, ...]:
        """The areas that have no neighbour."""
        return tuple(code for code, beside in zip(self.codes, self.neighbours, strict=True) if not beside)

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The areas in groups that hang together, the largest group first; one group where all do."""
        left = set(range(len(self)))
        found = []
        while left:
            part = flood([min(left)], self.neighbours, left)
            left -= part
            found.append(tuple(self.codes[place] for place in sorted(part)))
        return tuple(sorted(found, key=lambda part: (-len(part), part)))

    def is_connected(self, codes: Collection[str]) -> bool:
        """Whether areas hang together through shared borders; one alone does, none does not."""
        place = {code: number for number, code in enumerate(self.codes)}
        inside = {place[code] for code in codes}
        return bool(inside) and flood([min(inside)], self.neighbours, inside) == inside

    def measure_outline(self, codes: Collection[str]) -> float:
        """Metres of outline of areas taken together, holes included."""
        inside = {number for number, code in enumerate(self.codes) if code in set(codes)}
        shared = sum(
            metres
            for place in inside
            for other, metres in zip(self.neighbours[place], self.borders[place], strict=True)
            if other in inside
        )
        return sum(self.outlines[place] for place in inside) - shared


def find_contiguity(units: gpd.GeoDataFrame, *, rule: Rule = "border") -> Contiguity:
    """Which areas lie side by side: those that share a border of a metre or more or, by "corner", touch at all.

    `units` is a layer: code and polygons in EPSG:27700 with the same vertices along a shared border, as ONS publishes
    them (its generalised boundaries too). Raises UserError for another CRS or none.
    """
    import shapely

    if units.crs is None or units.crs.to_epsg() != WORKING_CRS:
        got = "none" if units.crs is None else units.crs.name
        raise UserError(
            f"Neighbours are found on the British National Grid (EPSG:{WORKING_CRS}), got {got}; reproject first."
        )
    shapes: NDArray[Any] = units.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    once = one < other
    one, other = one[once], other[once]
    # Along the outline of one: where generalised areas overlap by a sliver, what they share is no line.
    shared = shapely.length(shapely.intersection(shapely.boundary(shapes[one]), shapes[other]))
    metres = np.where(shared >= SHORTEST_BORDER, shared, 0.0)
    kept = metres > 0 if rule == "border" else np.ones(len(metres), dtype=bool)
    beside: list[dict[int, float]] = [{} for _ in shapes]
    for first, second, length in zip(one[kept].tolist(), other[kept].tolist(), metres[kept].tolist(), strict=True):
        beside[first][second] = beside[second][first] = length
    ordered = [dict(sorted(each.items())) for each in beside]
    return Contiguity(
        codes=tuple(units["code"]),
        neighbours=tuple(tuple(each) for each in ordered),
        borders=tuple(tuple(each.values()) for each in ordered),
        outlines=tuple(shapely.length(shapes).tolist()),
    )


def flood(
    start: Collection[int], neighbours: tuple[tuple[int, ...], ...] | list[tuple[int, ...]], inside: Collection[int]
) -> set[int]:
    """The places reached from `start` by stepping between neighbours that are `inside`; `start` among them."""
    seen = set(start)
    queue = list(start)
    while queue:
        for place in neighbours[queue.pop()]:
            if place in inside and place not in seen:
                seen.add(place)
                queue.append(place)
    return seen
