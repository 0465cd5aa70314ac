"""The way to a target: what to expect by each month of its period, and what was counted by then, this year and last."""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import numpy as np
import pandas as pd

from cspmap.analysis.measures import Floats
from cspmap.analysis.targets.month_model import SCATTER, Scatter, fit_months, weigh_months
from cspmap.analysis.targets.month_table import MonthTable, lay_out_months
from cspmap.analysis.targets.outturn import INTERVAL, project_months
from cspmap.errors import UserError
from cspmap.periods import Month, Span

Path: TypeAlias = Literal["seasonal", "straight"]
PATHS: tuple[Path, ...] = get_args(Path)

# Fewer known months before a period than these cannot tell a season: months then differ by their length alone.
SEASON_MONTHS = 12


def share_months(table: MonthTable, *, path: Path = "seasonal", usual: Floats | None = None) -> Floats:
    """Each month's share of a target's period, (series, months of the period); a row sums to 1.

    "seasonal": a month's usual share, by what is `usual` (None: as `weigh_usual` finds it). "straight": the same share
    for every month.
    """
    size = (len(table.names), len(table.span))
    if path == "straight":
        return np.full(size, 1 / size[1])
    weights = (weigh_usual(table) if usual is None else usual)[:, table.before :]
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def weigh_usual(table: MonthTable, *, scatter: Scatter = SCATTER) -> Floats:
    """What is usual in every month of the table against the average month, (series, months).

    From the length of the month and the season that the months before the period show, drawn towards none as far as
    they scatter (`month_model.fit_months`). What happens in the period does not move it. Where fewer than
    SEASON_MONTHS of the months before are known, from the length alone.
    """
    before = table.counts[:, : table.before]
    season = fit_months(before, table.months[: table.before], scatter=scatter).season
    enough = np.isfinite(before).sum(axis=1) >= SEASON_MONTHS
    calendar = [month.month - 1 for month in table.months]
    return np.where(enough[:, None], season[:, calendar], 1.0) * weigh_months(table.months)


def compare_last_year(table: MonthTable) -> pd.DataFrame:
    """The months of the period so far beside the same months the year before: columns now, before, months.

    Only months known in both are counted, `months` of them; where there are none both sums are missing. Months so
    many that a year before would overlap them are compared with those a whole number of years earlier that are clear.
    """
    elapsed = table.elapsed
    back = 12 * max(1, -(-elapsed // 12))
    now = table.inside[:, :elapsed]
    start = table.before - back
    before = table.counts[:, start : start + elapsed]
    both = np.isfinite(now) & np.isfinite(before)
    number = both.sum(axis=1)
    sums = [np.where(number > 0, np.where(both, part, 0.0).sum(axis=1), np.nan) for part in (now, before)]
    return pd.DataFrame({"now": sums[0], "before": sums[1], "months": number}, index=table.names)


def trace_target(
    counts: pd.Series,
    span: Span,
    value: float | None,
    *,
    as_at: Month | None = None,
    path: Path = "seasonal",
    interval: float = INTERVAL,
) -> pd.DataFrame:
    """All that a chart of one target's trajectory shows, month by month, each summed from the start of the period.

    `counts` are labelled "YYYY-MM", missing where missing (as `lay_out_months` takes them). One row a month of the
    period. Columns: month; expected (on course for the target `value`; NaN where None); actual (NaN from the first
    month that is missing or has not come: a sum over a gap would be too low); last_year (the same months a year
    before, NaN from its first gap); projected, low and high (`outturn.project_months`).
    """
    table = lay_out_months(counts.to_frame("count"), span, as_at=as_at)
    shares = share_months(table, path=path)[0]
    back = 12 * -(-len(span) // 12)
    start = table.before - back
    last_year = table.counts[0, start : start + len(span)]
    frame = project_months(table, interval=interval)
    frame.insert(1, "expected", np.cumsum(shares) * (np.nan if value is None else value))
    frame.insert(2, "actual", np.cumsum(table.inside[0]))
    frame.insert(3, "last_year", np.cumsum(last_year))
    return frame


def draw_milestones(baseline: float, value: float, years: int) -> list[float]:
    """Yearly milestones on a straight line from a baseline year to the target's year, which is the last of them.

    Raises UserError where there is not at least one year to draw them over.
    """
    if years < 1:
        raise UserError(f"Milestones need at least one year between baseline and target, got {years}.")
    return [baseline + (value - baseline) * year / years for year in range(1, years)] + [value]


def read_milestone(milestones: Mapping[Month, float], month: Month) -> float | None:
    """What milestones of a measured figure ask for in a month: on the straight line between the two about it.

    The first should be the baseline: before it nothing is asked (None). After the last its value holds.
    """
    due = sorted(milestones)
    if not due or month < due[0]:
        return None
    return float(np.interp(month.ordinal, [each.ordinal for each in due], [milestones[each] for each in due]))
