"""Which clusters of high or low counts are more than chance: Getis-Ord Gi*, with false discoveries controlled."""

from collections.abc import Sequence
from math import erfc, sqrt

import numpy as np
import pandas as pd

from cspmap.analysis.hotspots.layer import Hotspots, describe_missing, join_sentences
from cspmap.analysis.hotspots.nearby import Neighbours
from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.errors import UserError
from cspmap.periods import Month

ALPHA = 0.05


def gi_star(
    counts: Array | Column,
    neighbours: Neighbours,
    *,
    alpha: float = ALPHA,
    correct: bool = True,
    missing: Sequence[Month] = (),
) -> Hotspots:
    """Cells in the midst of more, or fewer, incidents than chance would put together: Getis-Ord Gi*.

    With binary weights, a cell its own neighbour, over the k_i cells around and including cell i of n, and x the
    counts, m their mean and s their standard deviation (dividing by n)::

        z_i = (sum_j x_j - k_i m) / (s sqrt((n k_i - k_i^2) / (n - 1)))

    p is two-sided, from the normal distribution, which is rough where most cells are empty. q is p corrected for
    testing every cell (`benjamini_hochberg`): calling hot what has q <= alpha lets about alpha of the cells called
    hot be false. Weights must not be standardised by row with this formula, as a common library does unless told
    otherwise: on 36 squares that makes 1.21 of a z of 4.14.

    `counts` are in the order of the neighbours' cells, or a Series by their codes; a missing count leaves its cell,
    and those around it, untested. Frame: code, count, around (sum over the cell and its neighbours), z, p, q,
    score (z), hot and cold (by q, or by p where not `correct`). z is NaN where every count is the same, and for a
    cell whose neighbours are all the cells there are.

    Raises UserError where the counts are not those of the cells, or `alpha` is not between 0 and 1.

    Sources: Ord, J. K. and Getis, A. (1995), "Local spatial autocorrelation statistics", Geographical Analysis 27,
    286-306; Caldas de Castro, M. and Singer, B. H. (2006), "Controlling the false discovery rate: a new application
    to account for multiple and dependent tests in local statistics of spatial association", Geographical Analysis
    38, 180-208.
    """
    if not 0 < alpha < 1:
        raise UserError(f"A level of significance cannot be {alpha:g}; choose one between 0 and 1, such as 0.05.")
    values = _align(counts, neighbours)
    around = neighbours.add_up(values)
    z = _standardise(values, around, as_floats(neighbours.sizes))
    p = _two_sided(z)
    q = benjamini_hochberg(p)
    real = (q if correct else p) <= alpha
    frame = pd.DataFrame(
        {
            "code": neighbours.codes,
            "count": values,
            "around": around,
            "z": z,
            "p": p,
            "q": q,
            "score": z,
            "hot": real & (z > 0),
            "cold": real & (z < 0),
        }
    )
    rule = (
        f"false discoveries held to {100 * alpha:g} % (Benjamini-Hochberg)"
        if correct
        else f"p at most {alpha:g}, not corrected for testing {int(np.isfinite(p).sum()):,} cells"
    )
    words = join_sentences(
        f"Getis-Ord Gi* in {neighbours.words}, all with equal weight.",
        neighbours.rule,
        f"Hot or cold: {rule}.",
        describe_missing(missing),
    )
    cautions = () if np.isfinite(z).any() else ("No cell stands out: all have the same count, or too few are left.",)
    return Hotspots(frame, words, cautions)


def benjamini_hochberg(p: Array | Column) -> Floats:
    """The smallest false discovery rate at which each test would count as real.

    With the m p values that are known in rising order, `q_(i) = min over j >= i of m p_(j) / j`. Missing stays
    missing and is not counted among the tests.

    Source: Benjamini, Y. and Hochberg, Y. (1995), "Controlling the false discovery rate: a practical and powerful
    approach to multiple testing", Journal of the Royal Statistical Society B 57, 289-300.
    """
    values = as_floats(p)
    q = np.full(values.shape, np.nan)
    known = np.flatnonzero(np.isfinite(values))
    order = known[np.argsort(values[known], kind="stable")]
    stepped = values[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(stepped[::-1])[::-1], 1.0)
    return q


def _align(counts: Array | Column, neighbours: Neighbours) -> Floats:
    if isinstance(counts, pd.Series) and not counts.index.equals(neighbours.codes):
        strangers = counts.index.symmetric_difference(neighbours.codes)
        if len(strangers) or counts.index.has_duplicates:
            raise UserError("The counts are not those of the cells; count the incidents in the same cells.")
        counts = counts.reindex(neighbours.codes)
    values = as_floats(counts)
    if values.shape != (len(neighbours),):
        raise UserError(
            f"There are {values.size:,} counts for {len(neighbours):,} cells; count the incidents in the same cells."
        )
    return values


def _standardise(values: Floats, around: Floats, size: Floats) -> Floats:
    known = np.isfinite(values)
    n = int(known.sum())
    z = np.full(values.shape, np.nan)
    spread = values[known].std() if n > 1 else 0.0
    # A spread of next to nothing beside the mean is a rounding error of equal counts.
    if n < 2 or not spread > 1e-12 * np.abs(values[known]).max():
        return z
    variance = (n * size - size**2) / (n - 1)
    tested = known & (variance > 0)
    z[tested] = (around[tested] - size[tested] * values[known].mean()) / (spread * np.sqrt(variance[tested]))
    return z


def _two_sided(z: Floats) -> Floats:
    # Many cells share a z (the empty ones), so each is worked out once.
    distinct, where = np.unique(np.abs(z), return_inverse=True)
    p = np.array([erfc(value / sqrt(2)) for value in distinct.tolist()])
    return p[where]
