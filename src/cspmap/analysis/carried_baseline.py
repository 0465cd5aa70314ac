"""A baseline counted in areas that are no more, carried to those of today, such as old wards to new ones."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cspmap.analysis.apportionment import apportion
from cspmap.analysis.areal import interpolate
from cspmap.errors import UserError

if TYPE_CHECKING:
    from geopandas import GeoDataFrame


@dataclass(frozen=True)
class CarriedBaseline:
    """A baseline by the new areas.

    `frame`: one row a new area, in their order, with `code`, `count` (Int64, missing where no old area reaches it) and
    `share_covered`, the share (0 to 1) of its ground that lies in old areas. The counts and `outside`, what lies in
    none of the new areas, add up to the old baseline. `words` say how it was carried, and belong beside every figure
    made from it.
    """

    frame: pd.DataFrame
    outside: int
    words: str


def carry_baseline(
    old: "GeoDataFrame", new: "GeoDataFrame", *, column: str = "count", weights: "GeoDataFrame | None" = None
) -> CarriedBaseline:
    """Carry the counts in `column` of the old areas to the new ones, in whole numbers.

    Each old area's count is split by where its residents live (`weights`: smaller units with a column `weight`), or
    by area without them, as `areal.interpolate` does; the results are rounded by largest remainder, so that the total
    is conserved. Incidents are not spread as residents are, so a carried baseline is an estimate, best replaced by
    a count of the points themselves where there are any.

    Frames are GeoDataFrames in EPSG:27700 with a unique `code`. Raises UserError as `areal.interpolate` does, and where
    a count is missing, negative or not whole.
    """
    counts = pd.to_numeric(old[column], errors="coerce").astype(float)
    bad = np.flatnonzero(~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))))
    if bad.size:
        raise UserError(
            f"Area {old['code'].iloc[bad[0]]} has a baseline of {old[column].iloc[bad[0]]}; "
            "give each area a whole number of zero or more."
        )
    carried = interpolate(old, new, extensive=[column], weights=weights)
    reached = carried.frame[column].notna()
    outside = float(carried.uncovered[column].sum())
    shared = apportion(int(counts.sum()), [*carried.frame.loc[reached, column], outside])
    frame = pd.DataFrame({"code": new["code"].to_numpy()})
    frame["count"] = pd.Series(shared[:-1], index=frame.index[reached], dtype="Int64")
    frame["share_covered"] = carried.frame["share_covered"]
    how = "where residents live" if weights is not None else "area"
    return CarriedBaseline(frame, int(shared[-1]), f"estimated: carried from earlier boundaries by {how}")
