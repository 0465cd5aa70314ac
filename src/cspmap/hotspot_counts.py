"""Incidents by cell as the partnership's disclosure rule lets them out, and what hotspots are found from.

Where there is a rule, hotspots are found from counts by cell that could be published: rounded, or with the average of
all that are withheld in the place of each of these, so that their sum stays. Such a count lies in the middle of its
cell. Scores, colours, outlines and pictures that are made of nothing else cannot tell more than these counts do,
however they are taken apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots import count_points
from cspmap.analysis.measures import Floats
from cspmap.exports.published import Published, publish
from cspmap.hotspot_ground import Ground, Recorded
from cspmap.periods import Span
from cspmap.selection import Selection


@dataclass(frozen=True, eq=False)
class Counted:
    """Incidents of a span in each cell, in the order of the cells.

    `shown` are as they may be shown, NaN where `withheld`; `taken` are what rates and densities are worked out from,
    `judged` what is held against chance: not rounded. `total` is that of all cells, as it may be shown.
    """

    shown: Floats
    taken: Floats
    judged: Floats
    withheld: NDArray[np.bool_]
    total: float

    def by_code(self, values: Floats, ground: Ground) -> pd.Series:
        """Values of the cells by their codes."""
        return pd.Series(values, index=ground.cells.codes, name="count")


class Tally:
    """The incidents of a choice of crimes and cells, counted span by span; each span once."""

    def __init__(self, ground: Ground, recorded: Recorded, *, crimes: Sequence[str], level: str | None) -> None:
        self.ground, self.recorded = ground, recorded
        self.published: Published = publish(ground.query)
        self._crimes, self._level = tuple(crimes), level
        self._found: dict[Span, Counted] = {}

    @property
    def ruled(self) -> bool:
        """Whether counts may not be shown as they are."""
        return self.published.hides or self.published.rounds

    def during(self, span: Span) -> pd.DataFrame:
        """The points of a span to work rates and densities out from: easting, northing, count."""
        if not self.ruled:
            return self.recorded.during(span)
        taken = self.count(span).taken
        x, y = self.ground.middles
        points = pd.DataFrame({"easting": x, "northing": y, "count": taken})
        return points[taken > 0].reset_index(drop=True)

    def count(self, span: Span) -> Counted:
        """The counts of a span."""
        if span not in self._found:
            self._found[span] = self._count(span)
        return self._found[span]

    def read(self, span: Span) -> Floats:
        """The counts of a span as they are, for nobody to see."""
        return count_points(self.recorded.during(span), self.ground.cells).to_numpy(dtype=np.float64)

    def publish_sum(self, number: float) -> float:
        """A count that stands by itself, rounded where the rule rounds."""
        return float(self.published.let_out(pd.Series([round(number)])).iloc[0])

    def describe(self, span: Span) -> str:
        """What rates and densities are worked out from, in sentences; empty where from the counts as they are."""
        counted, middle = self.count(span), "as if incidents lay in the middle of their cells"
        if self.published.rounds:
            return f"Hotspots are found from rounded counts, {middle}."
        if not counted.withheld.any():
            return f"Hotspots are found {middle}." if self.published.hides else ""
        number, average = int(counted.withheld.sum()), float(counted.taken[counted.withheld][0])
        return (
            f"The counts of {number:,} of the {len(counted.withheld):,} cells are withheld. Hotspots are found as if "
            f"each of those had {average:.1f} incidents, their average, and {middle}."
        )

    def _count(self, span: Span) -> Counted:
        counts = self.read(span)
        nowhere = np.zeros(len(counts), dtype=bool)
        if self.published.hides:
            return self._hide(counts, span)
        if self.published.rounds:
            rounded = self.published.let_out(pd.Series(counts)).to_numpy(dtype=np.float64)
            return Counted(rounded, rounded, counts, nowhere, self.publish_sum(float(counts.sum())))
        return Counted(counts, counts, counts, nowhere, float(counts.sum()))

    def _hide(self, counts: Floats, span: Span) -> Counted:
        withheld, all_of_it = self._flag(counts, span)
        average = 0.0 if all_of_it or not withheld.any() else float(counts[withheld].mean())
        taken = np.where(withheld, average, counts)
        total = float("nan") if all_of_it else float(counts.sum())
        return Counted(np.where(withheld, np.nan, counts), taken, taken, withheld, total)

    def _flag(self, counts: Floats, span: Span) -> tuple[NDArray[np.bool_], bool]:
        """Which cells are withheld, and whether the total is; areas of a level are those that are everywhere else."""
        if self._level is None:
            flags = self.published.protect(counts)
            return flags[:-1], bool(flags[-1])
        store = self.ground.query.store
        flags = self.published.flag(Selection(span=span, level=self._level, crimes=self._crimes))
        held = pd.Index(store.areas.loc[store.areas["layer"] == self._level, "code"])
        return flags[held.get_indexer(self.ground.cells.codes)], bool(flags[-1])
