"""What every method of finding hotspots returns, and which cells of it are called hot."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.measures import Array, Column, Floats, as_floats
from cspmap.errors import UserError
from cspmap.periods import Month

# Share of the partnership's area that the hottest cells of a layer may cover, where nobody chooses otherwise.
COVERAGE = 0.02


@dataclass(frozen=True, eq=False)
class Hotspots:
    """A layer of hotspots.

    `frame`: one row a cell, in the order of the cells, with at least `code`, `score` (what cells are ranked by;
    NaN where it is not known) and `hot`. `words` states the method and its settings in sentences; `cautions` are
    what a reader must know before acting on it, a sentence each.
    """

    frame: pd.DataFrame
    words: str
    cautions: tuple[str, ...] = ()


def flag_hot(score: Array | Column, area: Array | Column, *, coverage: float = COVERAGE) -> NDArray[np.bool_]:
    """The cells with the highest scores that together cover at most `coverage` (0 to 1) of the area.

    `area` is each cell's (one unit throughout). Cells of equal score are taken or left together, so that the order
    of the cells does not matter. The highest are always taken, even where they alone cover more; but nothing is hot
    where the score is not above zero or not known, nor anywhere if every cell has the same score.

    Raises UserError where `coverage` is not above 0 and at most 1.
    """
    if not 0 < coverage <= 1:
        raise UserError(f"Hotspots cannot cover {coverage:g} of the area; choose a share above 0 and up to 1.")
    scores, areas = as_floats(score), as_floats(area)
    hot = np.zeros(scores.shape, dtype=bool)
    known = np.flatnonzero(np.isfinite(scores) & (scores > 0))
    # Scores that differ by rounding alone are the same.
    if not known.size or (np.isfinite(scores).all() and np.ptp(scores) <= 1e-9 * scores.max()):
        return hot
    order, ends, covered = rank_blocks(scores[known], areas[known])
    taken = max(1, int(np.searchsorted(covered, coverage * areas.sum() * (1 + 1e-9), side="right")))
    hot[known[order[: ends[taken - 1]]]] = True
    return hot


def rank_blocks(scores: Floats, areas: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats]:
    """Cells from the highest score down, in blocks of equal score.

    Returns the order of the cells, the position in it at which each block ends, and the area covered by then.
    """
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1) + 1
    return order, ends, np.cumsum(areas[order])[ends - 1]


def describe_missing(missing: Sequence[Month]) -> str:
    """The months that a layer was made without, in a sentence; empty where there are none."""
    if not missing:
        return ""
    shown = ", ".join(month.words for month in missing[:4])
    more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
    return f"Months missing, not counted as zero: {shown}{more}."


def join_sentences(*sentences: str) -> str:
    """Those that say something, one after another."""
    return " ".join(sentence for sentence in sentences if sentence)


def format_metres(metres: float) -> str:
    """250.0 -> "250 m", 1234.5 -> "1,234 m"."""
    return f"{metres:,.0f} m"
