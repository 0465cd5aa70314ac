"""Names of points in a chart lie neither over each other, nor over other points, nor over a line."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cspmap.views.label_places import SIDES, place_labels

UP, ACROSS = (0.0, 100.0), (0.0, 640.0)


def place(*points: tuple[float, float, str], line: float = -50.0) -> list[str]:
    frame = pd.DataFrame(points, columns=["x", "y", "name"])
    lines = [pd.Series(line, index=frame.index)]
    return place_labels(frame, pd.Series(True, index=frame.index), across=ACROSS, up=UP, height=300, lines=lines)


def test_a_name_goes_to_the_right_where_there_is_room() -> None:
    assert place((100, 50, "Alone")) == ["right"]
    assert place((630, 50, "At the edge")) == ["left"]
    assert place((100, 50, "First"), (120, 50, "Second")) == ["left", "right"]


def test_a_name_leaves_a_line_alone() -> None:
    assert place((300, 49, "Luton (simulated)"), line=50.0) == ["above"]


def test_one_without_room_is_not_named() -> None:
    crowd = [(300 + 3 * step, 50, "A long name of an area") for step in range(12)]
    sides = place(*crowd)
    assert "" in sides
    assert sides[0] != ""


def test_those_that_are_not_to_be_named_are_not() -> None:
    frame = pd.DataFrame({"x": [10.0, 90.0], "y": [20.0, 70.0], "name": ["One", "Two"]})
    named = pd.Series([False, True])
    assert place_labels(frame, named, across=ACROSS, up=UP, height=300) == ["", "right"]
    assert place_labels(frame.iloc[:0], named.iloc[:0], across=ACROSS, up=UP, height=300) == []


@given(
    st.lists(
        st.tuples(st.floats(0, 640), st.floats(0, 100), st.text("abcdefgh ", min_size=1, max_size=20)), max_size=15
    )
)
def test_names_never_lie_over_each_other(points: list[tuple[float, float, str]]) -> None:
    sides = place(*points)
    boxes = []
    for (x, y, name), side in zip(points, sides, strict=True):
        if not side:
            continue
        assert side in SIDES
        length, at = 6.0 * len(name), 300 - 3 * y
        left = {"right": x + 7, "left": x - 7 - length}.get(side, x - length / 2)
        top = at - 6 + {"above": -13, "below": 13}.get(side, 0)
        boxes.append((left, top, left + length, top + 12))
    for number, one in enumerate(boxes):
        for other in boxes[:number]:
            apart = one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
            # To a rounding.
            assert apart or min(one[2] - other[0], other[2] - one[0], one[3] - other[1], other[3] - one[1]) < 1e-6
