"""Sums over parts of a list of counts, of which some are withheld: which of the sums would give one of them back.

For a table whose counts are published as they are, some withheld by `disclosure.suppress`, and whose rows are summed in
another way beside it: LSOAs in fifths of deprivation, say.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cspmap.analysis.disclosure import Counts, Flags, Indices


def withhold_sums(
    counts: npt.ArrayLike,
    withheld: npt.ArrayLike,
    parts: Sequence[int],
    *,
    threshold: int,
    groups: Sequence[int] | None = None,
) -> Flags:
    """Which sums over parts to withhold, one flag a part.

    `counts` are whole numbers, 0 or more, `withheld` says which of them are not published, `parts` which part (0 ...)
    each is in, -1 for none. `groups` has for each the number of the published subtotal that it is in as well, one
    number for all whose subtotal is not published; without it the total alone is published.

    A published sum, less the counts in it that are published, gives the sum of those that are not. It is published
    only where, in each group, those are none, or two at least, one of them above 1, which add up to the threshold: then
    1 may go from one to another and no sum is any different. What is in no published part is the rest of the total,
    and the same holds of it: more parts are withheld, the smallest first, until it does. With no part published the
    rest is all there is, which is for `suppress` to have seen to.
    """
    values, hidden = np.asarray(counts, dtype=np.int64), np.asarray(withheld, dtype=bool)
    part = np.asarray(parts, dtype=np.intp)
    group = np.zeros(len(values), dtype=np.intp) if groups is None else np.asarray(groups, dtype=np.intp)
    number = int(part.max(initial=-1)) + 1
    sums = np.array([values[part == each].sum() for each in range(number)])
    gone = np.array(
        [bool(_find_open(values, hidden & (part == each), group, threshold).size) for each in range(number)]
    )
    while True:
        rest = (part < 0) | np.isin(part, np.flatnonzero(gone))
        open_groups = _find_open(values, hidden & rest, group, threshold)
        more = [each for each in np.unique(part[hidden & ~rest & np.isin(group, open_groups)]) if each >= 0]
        if not more:
            return np.asarray(gone, dtype=bool)
        gone[min(more, key=lambda each: (sums[each], each))] = True


def _find_open(values: Counts, hidden: Flags, group: Indices, threshold: int) -> Indices:
    """The groups in which the sum of what is hidden would tell too much of it."""
    return np.array(
        [
            each
            for each in np.unique(group[hidden])
            for some in [values[hidden & (group == each)]]
            if len(some) < 2 or some.max() < 2 or some.sum() < threshold
        ],
        dtype=np.intp,
    )
