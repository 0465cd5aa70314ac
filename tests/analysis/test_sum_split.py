"""Parts of a sum that are withheld: what whoever sees the rest can work out."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cspmap.analysis.sum_split import withhold_split

COUNTS = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 40), st.booleans()), min_size=1, max_size=8)


@given(COUNTS, st.booleans(), st.sampled_from([3, 5, 10]))
def test_no_part_is_left_over(rows: list[tuple[int, int, bool]], whole: bool, threshold: int) -> None:
    here, rest, asked = (np.array(column) for column in zip(*rows, strict=True))
    flags = withhold_split(here, rest, [*asked, whole], threshold=threshold)
    gone = flags[:-1]
    assert gone[asked].all()
    assert gone[(here > 0) & (here < threshold)].all()
    assert gone[(rest > 0) & (rest < threshold)].all()
    assert flags[-1] >= whole
    if flags[-1]:
        assert gone.any() or not here.any()
    elif gone.any():
        assert gone.sum() >= 2
        assert here[gone].sum() >= threshold
        assert not 0 < rest[gone].sum() < threshold


def test_what_is_safe_is_shown() -> None:
    assert not withhold_split([12, 0, 30], [40, 7, 0], [False] * 4, threshold=5).any()
    # The 2 is small, and the 6 is the least that keeps it from being what is left of the sum.
    split = withhold_split([9, 2, 6, 30], [50] * 4, [False] * 5, threshold=5)
    assert split.tolist() == [False, True, True, False, False]
    # With nothing to hide behind, the sum goes as well.
    assert withhold_split([2, 0], [50, 50], [False] * 3, threshold=5).tolist() == [True, False, True]
