"""What any area made of units comes to: how much it holds, of how much, on how much of the land."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from math import pi
from typing import TYPE_CHECKING

import numpy as np

from cspmap.analysis.contiguity import Contiguity, find_contiguity
from cspmap.analysis.measures import Column, Floats, as_floats
from cspmap.errors import UserError

if TYPE_CHECKING:
    import geopandas as gpd

SQUARE_KILOMETRE = 1e6


@dataclass(frozen=True)
class AreaFigures:
    """An area beside the whole layer; every share is 0 to 1, None where it cannot be known.

    `captured` is the weight (incidents, or harm) in the area and `share` its part of all that is known. `residents` are
    None where they are not given, or not known of a unit of the area. `compactness` is 4 pi x area / outline^2: 1 for
    a circle, 0.79 for a square, near 0 for a thread (Polsby and Popper 1991). `unknown` units have no known weight.
    """

    codes: tuple[str, ...]
    captured: float
    share: float | None
    unit_share: float
    km2: float
    km2_share: float
    residents: float | None
    residents_share: float | None
    outline_km: float
    compactness: float
    connected: bool
    unknown: tuple[str, ...] = ()

    @property
    def times_even(self) -> float | None:
        """How many times as much it holds as an even spread would give it: the predictive accuracy index."""
        return self.share / self.km2_share if self.share is not None and self.km2_share else None

    @property
    def words(self) -> str:
        """The shares as part of a sentence: "33 % of the total on 8.1 % of the land, with 9.0 % of residents"."""
        if self.share is None:
            return "nothing is counted anywhere"
        text = f"{_percent(self.share)} of the total on {_percent(self.km2_share)} of the land"
        return text if self.residents_share is None else f"{text}, with {_percent(self.residents_share)} of residents"


def describe_area(
    units: gpd.GeoDataFrame,
    codes: Collection[str],
    weights: Column,
    *,
    residents: Column | None = None,
    contiguity: Contiguity | None = None,
) -> AreaFigures:
    """The figures of an area made of `codes`, also for weights of other months than it was chosen by.

    `units`: a layer (code, geometry) in EPSG:27700. `weights` and `residents` are Series by code; a code that is not in
    them, or missing, is not known and is not counted as 0. `contiguity` saves working it out again. Raises UserError
    where a code is not in the layer, or none is given.
    """
    listed = units["code"].tolist()
    wanted = set(codes)
    strangers = sorted(wanted.difference(listed))
    if strangers or not wanted:
        what = f"{strangers[0]} is not one of the areas" if strangers else "No area is chosen"
        raise UserError(f"{what}; choose from the areas of the layer.")
    if contiguity is None:
        contiguity = find_contiguity(units)
    inside = units["code"].isin(wanted).to_numpy()
    weight = as_floats(weights.reindex(listed))
    land = units.geometry.area.to_numpy() / SQUARE_KILOMETRE
    people = None if residents is None else as_floats(residents.reindex(listed))
    total = float(np.nansum(weight))
    captured = float(np.nansum(weight[inside]))
    outline = contiguity.measure_outline(wanted)
    living = _sum_known(people, inside)
    everybody = _sum_known(people, np.ones(len(inside), dtype=bool))
    chosen = tuple(code for code, kept in zip(listed, inside.tolist(), strict=True) if kept)
    return AreaFigures(
        codes=chosen,
        captured=captured,
        share=captured / total if total else None,
        unit_share=len(chosen) / len(listed),
        km2=float(land[inside].sum()),
        km2_share=float(land[inside].sum() / land.sum()),
        residents=living,
        residents_share=living / everybody if living is not None and everybody else None,
        outline_km=outline / 1000,
        compactness=4 * pi * float(land[inside].sum()) * SQUARE_KILOMETRE / outline**2,
        connected=contiguity.is_connected(wanted),
        unknown=tuple(code for code, value in zip(chosen, weight[inside], strict=True) if np.isnan(value)),
    )


def _sum_known(values: Floats | None, inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float | None:
    """The sum where every value is known."""
    if values is None or np.isnan(values[inside]).any():
        return None
    return float(values[inside].sum())


def _percent(share: float) -> str:
    """0.331 -> "33 %", 0.0812 -> "8.1 %"."""
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.1f} %"
