"""What a file of recorded crime by partnership comes to, whatever its layout."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

NEGATIVE = "a count below 0, as offences were cancelled or moved to another period"
COLUMNS = {
    **dict.fromkeys(("code", "name", "force", "offence", "per"), "str"),
    "total": "bool",
    "year": "str",
    **dict.fromkeys(("count", "before", "percent", "rate", "people"), "float64"),
    "marks": "str",
}


@dataclass(frozen=True)
class Fault:
    """Something in a file that does not add up, in a sentence, and the force whose partnerships it touches."""

    force: str
    words: str


@dataclass(frozen=True)
class RecordedCrime:
    """Recorded crime by partnership and offence, and what in it does not add up.

    `frame` has columns code (of the partnership), name, force, offence, per ("residents" or "households"), total (of
    all recorded crime), year (its last month, YYYY-MM), count, before (of the year before), percent (the published
    change), rate (per 1,000), people (what it is per) and marks: why a figure is missing, or is below 0. Rows are in
    the published order; missing figures are NaN, never 0.
    """

    frame: "pd.DataFrame"
    faults: tuple[Fault, ...]


def make_frame(rows: Iterable[Mapping[str, object]], *, year: str = "") -> "pd.DataFrame":
    """Rows with the columns of `RecordedCrime.frame` but total and, where it is given here, year."""
    import pandas as pd

    listed = [{"year": year, **row} for row in rows]
    frame = pd.DataFrame(listed, columns=[name for name in COLUMNS if name != "total"])
    frame["total"] = frame["offence"].astype("str").str.casefold().str.startswith("total recorded crime")
    return frame[list(COLUMNS)].astype(COLUMNS)
