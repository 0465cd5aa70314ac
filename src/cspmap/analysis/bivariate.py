"""Two figures of an area in one class: thirds of the one crossed with thirds of the other."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cspmap.analysis.breaks import Breaks, class_breaks
from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.errors import UserError

# Classes a side. More than nine colours are not told apart (Trumbo 1981).
SIDE = 3


@dataclass(frozen=True, eq=False)
class Crossed:
    """Areas in `SIDE` x `SIDE` classes, in the order that they were given in.

    `across` and `up` are the breaks of the two figures, lowest first. `cells` number the classes: `SIDE` x the class
    of `up` + that of `across`, 0 where both are lowest, `SIDE` x `SIDE` - 1 where both are highest; -1 where either
    figure is missing. Where a figure has too few distinct values for three classes, its highest classes stay empty.
    """

    across: Breaks
    up: Breaks
    cells: NDArray[np.intp]

    @property
    def sizes(self) -> NDArray[np.intp]:
        """How many areas each class holds."""
        return np.bincount(self.cells[self.cells >= 0], minlength=SIDE * SIDE).astype(np.intp)


def cross_classes(across: Array | Column, up: Array | Column) -> Crossed:
    """Class areas by thirds of each of two figures (quantiles), of those areas for which both are known.

    Raises UserError where the two are not of as many areas.

    Source: Trumbo, B. E. (1981), "A theory for coloring bivariate statistical maps", The American Statistician 35(4),
    220-226.
    """
    one, other = as_floats(across), as_floats(up)
    if one.shape != other.shape:
        raise UserError(f"The two figures are of {one.size:,} and {other.size:,} areas; give both of the same areas.")
    known = np.isfinite(one) & np.isfinite(other)
    breaks = [class_breaks(np.where(known, values, np.nan), scheme="quantile", k=SIDE) for values in (one, other)]
    column, row = (_classify(each, values, known) for each, values in zip(breaks, (one, other), strict=True))
    return Crossed(breaks[0], breaks[1], np.where(known, SIDE * row + column, -1).astype(np.intp))


def _classify(breaks: Breaks, values: Floats, known: NDArray[np.bool_]) -> NDArray[np.intp]:
    return breaks.classify(np.where(known, values, np.nan))
