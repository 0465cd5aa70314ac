"""Where the names of points in a chart go, so that they lie neither over each other nor over a line."""

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

Side: TypeAlias = Literal["right", "left", "above", "below"]
SIDES: tuple[Side, ...] = get_args(Side)

# Pixels of the plot that is reckoned with: names that have room there have more on a wider screen.
_WIDTH = 640
_LETTER, _LINE, _GAP, _DOT = 6.0, 12.0, 7.0, 5.0
_Box: TypeAlias = tuple[float, float, float, float]


def place_labels(
    points: pd.DataFrame,
    named: pd.Series,
    *,
    across: tuple[float, float],
    up: tuple[float, float],
    height: float,
    lines: Sequence[pd.Series] = (),
) -> list[str]:
    """On which side of each point its name goes; "" where it is not named, or no side has room.

    `points` has columns x, y and name, `named` says which of them are to be named, the most important first in the
    order of the rows. `across` and `up` are the ends of the two scales, `height` that of the plot in pixels, `lines`
    the heights at which lines pass each point, in y. A name keeps clear of them where it can, and of points and other
    names always: one that finds no room is left out, and its point tells its name.
    """
    wide, tall = max(across[1] - across[0], 1e-9), max(up[1] - up[0], 1e-9)
    x = (points["x"].to_numpy(dtype=float) - across[0]) / wide * _WIDTH
    y = height - (points["y"].to_numpy(dtype=float) - up[0]) / tall * height
    taken: list[_Box] = [(a - _DOT, b - _DOT, a + _DOT, b + _DOT) for a, b in zip(x, y, strict=True)]
    passing = [height - (each.to_numpy(dtype=float) - up[0]) / tall * height for each in lines]
    sides: list[str] = [""] * len(points)
    for row in np.flatnonzero(named.to_numpy(dtype=bool)):
        length = _LETTER * len(str(points["name"].iloc[row]))
        others = [other for place, other in enumerate(taken) if place != row]
        struck = [(-np.inf, at[row] - 1, np.inf, at[row] + 1) for at in passing]
        boxes: dict[Side, _Box] = {side: _lay(side, float(x[row]), float(y[row]), length) for side in SIDES}
        room = [
            side
            for side, box in boxes.items()
            if box[0] >= 0 and box[2] <= _WIDTH and not any(_overlap(box, other) for other in others)
        ]
        if room:
            best = min(room, key=lambda side: any(_overlap(boxes[side], line) for line in struck))
            sides[row] = best
            taken.append(boxes[best])
    return sides


def _lay(side: Side, x: float, y: float, length: float) -> _Box:
    if side == "right":
        return (x + _GAP, y - _LINE / 2, x + _GAP + length, y + _LINE / 2)
    if side == "left":
        return (x - _GAP - length, y - _LINE / 2, x - _GAP, y + _LINE / 2)
    middle = y - _GAP - _LINE / 2 if side == "above" else y + _GAP + _LINE / 2
    return (x - length / 2, middle - _LINE / 2, x + length / 2, middle + _LINE / 2)


def _overlap(one: _Box, other: _Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
