"""One sum split into parts, of which some are withheld: more of them withheld, until the total gives none back."""

import numpy as np
import numpy.typing as npt

from cspmap.analysis.disclosure import Flags


def withhold_split(counts: npt.ArrayLike, rest: npt.ArrayLike, withheld: npt.ArrayLike, *, threshold: int) -> Flags:
    """Which parts of a sum to withhold, the flag of the sum itself last.

    `counts` are the parts, whole numbers of 0 or more, and `rest` what everything else has of each, so that the two
    make up totals that are known. `withheld` says which must not be shown, the sum itself last.

    Shown beside its sum, a part that is withheld alone is what the other parts leave. So at least two are withheld,
    which add up to the threshold here and, where there is anything, in the rest: the smallest of the others go with
    them, and where there are none left the sum. Where the sum is withheld, so is one part at least.
    """
    values, others = np.asarray(counts, dtype=np.int64), np.asarray(rest, dtype=np.int64)
    gone = np.asarray(withheld, dtype=bool).copy()
    parts = gone[:-1]
    small = (values > 0) & (values < threshold) | (others > 0) & (others < threshold)
    parts |= small
    gone[-1] |= bool(0 < values.sum() < threshold) or bool(0 < others.sum() < threshold)
    while _tells(values[parts], others[parts], gone[-1], threshold=threshold):
        left = np.flatnonzero(~parts & (values > 0))
        if not len(left):
            if gone[-1]:
                break
            gone[-1] = True
            continue
        parts[left[np.argmin(values[left])]] = True
    return gone


def _tells(values: npt.NDArray[np.int64], rest: npt.NDArray[np.int64], whole: bool, *, threshold: int) -> bool:
    """Whether what is withheld could be had: of parts beside their sum, or of a withheld sum from its parts."""
    if whole:
        return not len(values)
    if not len(values):
        return False
    return len(values) < 2 or values.sum() < threshold or 0 < rest.sum() < threshold
