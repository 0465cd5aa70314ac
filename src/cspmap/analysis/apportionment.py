"""Whole numbers shared out so that the parts always add up to the whole: one way, and in two ways at once.

Sources: Balinski, M. L. and Young, H. P. (1982), "Fair Representation", for the method of largest remainders (Hare
quota); Cox, L. H. (1987), "A constructive procedure for unbiased controlled rounding", Journal of the American
Statistical Association 82, 520-524, for why a table can always be rounded within its margins; Deming, W. E. and
Stephan, F. F. (1940), "On a least squares adjustment of a sampled frequency table when the expected marginal totals are
known", Annals of Mathematical Statistics 11, 427-444, for the proportional fit.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.measures import Column, Floats
from cspmap.analysis.two_way import TwoWayTotals, fit_margins, round_within_margins
from cspmap.errors import UserError

Wholes: TypeAlias = NDArray[np.int64]
Number: TypeAlias = int | float | Decimal | Fraction
Weights: TypeAlias = Sequence[Number] | NDArray[Any]

_EXACT_WORDS = "largest remainder both ways"
_FITTED_WORDS = "weights fitted to the totals (iterative proportional fitting), then largest remainder both ways"


@overload
def apportion(total: int, weights: Column) -> Column: ...
@overload
def apportion(total: int, weights: Weights) -> Wholes: ...
def apportion(total: int, weights: Weights | Column) -> Wholes | Column:
    """Whole numbers in proportion to `weights` that add up to `total`: largest remainder, Hare quota.

    Each part is its quota `total x weight / sum of weights` without the fraction; what is left over goes, one each, to
    the parts with the largest fractions, of equal fractions to the larger weight, of equal weights to the earlier. So
    every part is within 1 of its quota, and one whose quota is whole is exactly that. Weights are taken exactly as
    given, not rounded on the way.

    A sequence or array in, an array (int64) out; a Series in, a Series with its index out. Raises UserError where the
    total is not a whole number of zero or more, a weight is missing or negative, or there is something to share out and
    no weight above zero.
    """
    whole = _check_total(total)
    labels = weights.index if isinstance(weights, pd.Series) else None
    exact = _take_exactly(weights, labels)
    whole_weight = sum(exact)
    if whole and not whole_weight:
        raise UserError(f"{whole:,} cannot be shared out: no weight is above zero; give at least one.")
    parts, remainders = [0] * len(exact), [0] * len(exact)
    if whole:
        for place, weight in enumerate(exact):
            parts[place], remainders[place] = divmod(whole * weight, whole_weight)
    best_first = sorted(range(len(exact)), key=lambda place: (-remainders[place], -exact[place], place))
    for place in best_first[: whole - sum(parts)]:
        parts[place] += 1
    shared = np.array(parts, dtype=np.int64)
    return shared if labels is None else pd.Series(shared, index=labels)


@dataclass(frozen=True)
class ApportionedTable:
    """A table of whole numbers whose rows and columns all add up, and the table it was rounded from.

    `cells` are whole numbers and `unrounded` the same table before rounding, each cell within 1 of the other: arrays,
    or DataFrames where the weights were one. `fitted` says whether the weights had to be fitted to the totals first;
    `method` is the whole in words.
    """

    cells: Any
    unrounded: Any
    fitted: bool
    method: str


def apportion_table(
    row_totals: Sequence[int] | Wholes | Column,
    column_totals: Sequence[int] | Wholes | Column,
    weights: Sequence[Sequence[float]] | NDArray[Any] | pd.DataFrame,
) -> ApportionedTable:
    """Whole numbers in proportion to `weights` (rows x columns) whose every row **and** column adds up exactly.

    The weights, scaled to the sum of the totals, are the unrounded table. Where its rows and columns do not already add
    up to the totals it is fitted to them by iterative proportional fitting, which keeps what the weights say of the
    odds between cells, and the result says so. The rounding is a controlled one: every cell becomes the whole
    number just below or just above its unrounded value, one that is whole stays, a weight of zero stays zero, and of
    all tables like that it is one in which the fractions of the cells rounded up add up to the most, the largest
    remainder in two ways. It is found as a flow of least cost and always exists. Where several tables are equally
    good, the order of rows and columns decides.

    Totals that are Series are matched to the labels of a DataFrame of weights. Raises UserError where the totals
    do not agree with each other or the shape, are not whole numbers of zero or more, a weight is missing or negative,
    or no table with these zeros has these totals.
    """
    frame = weights if isinstance(weights, pd.DataFrame) else None
    table = _check_table(weights)
    totals = TwoWayTotals(
        rows=_list_totals(row_totals, table.shape[0], None if frame is None else frame.index, "row"),
        columns=_list_totals(column_totals, table.shape[1], None if frame is None else frame.columns, "column"),
    )
    if totals.rows.sum() != totals.columns.sum():
        raise UserError(
            f"The row totals add up to {totals.rows.sum():,} and the column totals to {totals.columns.sum():,}; "
            "make them agree."
        )
    unrounded, fitted = fit_margins(table, totals)
    cells: Any = round_within_margins(unrounded, totals)
    shown: Any = unrounded
    if frame is not None:
        cells = pd.DataFrame(cells, index=frame.index, columns=frame.columns)
        shown = pd.DataFrame(unrounded, index=frame.index, columns=frame.columns)
    return ApportionedTable(cells, shown, fitted, _FITTED_WORDS if fitted else _EXACT_WORDS)


def _check_total(total: Any) -> int:
    whole = int(total) if math.isfinite(total) else -1
    if whole != total or whole < 0:
        raise UserError(f"{total} cannot be shared out; give a whole number of zero or more.")
    return whole


def _take_exactly(weights: Weights | Column, labels: pd.Index | None) -> list[int]:
    """The weights as whole numbers in the same proportion."""
    values = weights.tolist() if isinstance(weights, np.ndarray | pd.Series) else list(weights)
    exact: list[Fraction] = []
    for place, value in enumerate(values):
        # pd.NA is neither a number nor comparable.
        if value is None or value is pd.NA or not math.isfinite(value) or value < 0:
            named = f"number {place + 1}" if labels is None else labels[place]
            got = "missing" if value is None or value is pd.NA or math.isnan(value) else f"{value}"
            raise UserError(f"The weight of {named} is {got}; give every part a weight of zero or more.")
        exact.append(Fraction(value))
    scale = math.lcm(*(value.denominator for value in exact))
    return [value.numerator * (scale // value.denominator) for value in exact]


def _check_table(weights: Any) -> Floats:
    table: Floats = np.asarray(weights, dtype=np.float64)
    if table.ndim != 2:
        raise UserError("The weights must be a table with rows and columns; give one row for each row total.")
    bad = np.argwhere(~(np.isfinite(table) & (table >= 0)))
    if bad.size:
        row, column = bad[0]
        raise UserError(
            f"The weight in row {row + 1}, column {column + 1} is {table[row, column]:g}; "
            "give every cell a weight of zero or more."
        )
    return table


def _list_totals(totals: Any, size: int, labels: pd.Index | None, noun: str) -> Wholes:
    if isinstance(totals, pd.Series) and labels is not None:
        missing = labels.difference(totals.index)
        if len(missing):
            raise UserError(f"There is no {noun} total for {missing[0]}; give one for each {noun}.")
        totals = totals.reindex(labels)
    listed = np.array([_check_total(total) for total in totals], dtype=np.int64)
    if len(listed) != size:
        raise UserError(f"There are {len(listed)} {noun} totals for {size} {noun}s; give one for each.")
    return listed
