import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.analysis.bivariate import SIDE, cross_classes
from cspmap.errors import UserError

VALUES = st.one_of(st.none(), st.integers(0, 9).map(float))


def test_by_hand() -> None:
    crossed = cross_classes([1, 2, 3, 4, 5, 6], [60, 50, 40, 30, 20, 10])
    # Thirds of six are pairs; the one falls as the other rises.
    assert crossed.cells.tolist() == [6, 6, 4, 4, 2, 2]
    assert crossed.sizes.tolist() == [0, 0, 2, 0, 2, 0, 2, 0, 0]


def test_thirds_are_of_the_areas_that_have_both() -> None:
    crossed = cross_classes([1, 2, 3, 100, None, 200], [1, 2, 3, None, 5, np.nan])
    assert crossed.cells.tolist() == [0, 4, 8, -1, -1, -1]
    assert crossed.across.upper[-1] == 3


def test_thirds_agree_with_pandas() -> None:
    rng = np.random.default_rng(5)
    across, up = rng.gamma(2, 10, 125), rng.gamma(1, 50, 125)
    column, row = (pd.qcut(values, SIDE, labels=False) for values in (across, up))
    assert cross_classes(across, up).cells.tolist() == (SIDE * row + column).tolist()


def test_too_few_values_leave_classes_empty() -> None:
    assert cross_classes([5, 5, 5], [1, 2, 2]).cells.tolist() == [0, 3, 3]
    assert cross_classes([], []).sizes.tolist() == [0] * 9
    assert cross_classes([None], [1]).cells.tolist() == [-1]


def test_figures_of_different_areas_are_refused() -> None:
    with pytest.raises(UserError, match="of 2 and 3 areas"):
        cross_classes([1, 2], [1, 2, 3])


@settings(deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES), max_size=30))
def test_a_class_never_falls_as_its_figure_rises(pairs: list[tuple[float | None, float | None]]) -> None:
    across, up = [one for one, _ in pairs], [other for _, other in pairs]
    cells = cross_classes(across, up).cells
    for values, part in ((across, cells % SIDE), (up, cells // SIDE)):
        held = sorted((value, int(cls)) for value, cls, cell in zip(values, part, cells, strict=True) if cell >= 0)
        assert [cls for _, cls in held] == sorted(cls for _, cls in held)
    assert [cell < 0 for cell in cells] == [one is None or other is None for one, other in pairs]
