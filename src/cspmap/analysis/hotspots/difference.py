"""Where incidents have become more or fewer between two spans, cell by cell, with false discoveries controlled."""

import numpy as np
import pandas as pd

from cspmap.analysis.change import ALPHA, SMALLEST_TOTAL, e_test
from cspmap.analysis.hotspots.layer import Hotspots, join_sentences
from cspmap.analysis.hotspots.significance import benjamini_hochberg
from cspmap.analysis.measures import Column, as_floats
from cspmap.errors import UserError


def change_between(
    before: Column, after: Column, *, months_before: int, months_after: int, alpha: float = ALPHA
) -> Hotspots:
    """Compare two spans cell by cell with the E-test, corrected for testing every cell.

    `before` and `after` are counts by cell code; `months_before` and `months_after` how many months of each span
    are loaded, which the test takes into account: a span with a month missing is not a quieter one. Where they
    differ, the words say so. Only cells with at least 4 incidents in both spans together are tested, the fewest
    that could ever be told from chance.

    Frame: code, before, after, difference (incidents a month), percent (of the rate a month; NaN where there were
    none before), p (`change.e_test`), q (`benjamini_hochberg`), verdict (as in `change.poisson_change`, but by q),
    score (difference), hot (up by more than chance).

    Raises UserError where the spans do not list the same cells, or one holds no month.
    """
    if not before.index.equals(after.index):
        raise UserError("The two spans are not counted in the same cells; count both in one grid.")
    if months_before < 1 or months_after < 1:
        raise UserError("One of the two spans holds no month; choose spans of which at least one month is loaded.")
    old, new = as_floats(before), as_floats(after)
    known = (old >= 0) & (new >= 0)
    total = np.where(known, old + new, np.nan)
    tested = total >= SMALLEST_TOTAL
    p = np.full(old.shape, np.nan)
    p[tested] = e_test(old[tested], new[tested], exposure_before=months_before, exposure_after=months_after)
    q = benjamini_hochberg(p)
    slow, fast = old / months_before, new / months_after
    difference = np.where(known, fast - slow, np.nan)
    percent = np.full(old.shape, np.nan)
    np.divide(100 * difference, slow, out=percent, where=known & (slow > 0))
    verdict = np.select(
        [~known, total == 0, ~tested, (q <= alpha) & (difference > 0), q <= alpha],
        ["not known", "no incidents", "too few to say", "up", "down"],
        "normal variation",
    )
    frame = pd.DataFrame(
        {
            "code": before.index,
            "before": old,
            "after": new,
            "difference": difference,
            "percent": percent,
            "p": p,
            "q": q,
            "verdict": verdict,
            "score": difference,
            "hot": verdict == "up",
        }
    )
    words = join_sentences(
        "Change between two spans: the E-test cell by cell, with false discoveries held to "
        f"{100 * alpha:g} % over the {int(tested.sum()):,} cells with enough incidents (Benjamini-Hochberg).",
        "" if months_before == months_after else _describe_unequal(months_before, months_after),
    )
    return Hotspots(frame, words)


def _describe_unequal(before: int, after: int) -> str:
    return (
        f"{before} and {after} months are loaded, so incidents a month are compared; "
        "months that one span lacks may have been busier or quieter than the rest."
    )
