"""Hour by weekday, where incidents carry times: spans from-to are shared out over the hours they cover."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cspmap.analysis.measures import Floats, as_floats
from cspmap.errors import UserError

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
HOURS_A_DAY, HOURS_A_WEEK = 24, 168
# A span longer than a week says nothing about the hour or the day.
LONGEST = float(HOURS_A_WEEK)
# Midnight to the second is what systems write for "not known"; more than so many of them are not chance.
_MIDNIGHTS = 0.1
# Incidents worked out together, to bound the memory: each takes a row of 168 numbers.
_BATCH = 20_000


@dataclass(frozen=True, eq=False)
class WeekHours:
    """Incidents by hour and weekday.

    `frame`: one row an hour of the week, Monday midnight first: weekday (name), hour (0 to 23: from that hour to
    the next), weight (incidents, in parts). The weights add up to `counted`. `left_out` counts by reason, in words,
    the incidents that are in no hour.
    """

    frame: pd.DataFrame
    counted: int
    left_out: Mapping[str, int]
    words: str
    cautions: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """The weights with a row an hour and a column a weekday, Monday first."""
        return self.frame.pivot(index="hour", columns="weekday", values="weight")[list(WEEKDAYS)]


def week_hours(incidents: pd.DataFrame, *, longest: float = LONGEST) -> WeekHours:
    """How incidents lie over the hours of the week, each weighing 1 in all.

    `incidents` has occurred_from and occurred_to (local date-times, missing where not known). An incident with both
    is spread evenly over the time between, each hour of the week having the part of that time which lies in it; one
    whose two times are the same, or with one of them alone, is in that hour. Left out are incidents without a time,
    with a span that ends before it starts, and with one longer than `longest` hours. Hours are those of the clock:
    the night when the clocks change is taken to have 24.

    Raises UserError where no incident carries a time, as with months alone, or a column is absent.

    Source: Ratcliffe, J. H. (2002), "Aoristic signatures and the spatio-temporal analysis of high volume crime
    patterns", Journal of Quantitative Criminology 18, 23-43.
    """
    for column in ("occurred_from", "occurred_to"):
        if column not in incidents:
            raise UserError(f"The incidents have no column {column!r}; give when each began and ended.")
    start, end = _hours(incidents["occurred_from"]), _hours(incidents["occurred_to"])
    untimed = np.isnan(start) & np.isnan(end)
    if untimed.all():
        raise UserError(
            "These incidents carry no time of day, as published ones give only their month; "
            "load a force's own extract with dates and times to see hours and weekdays."
        )
    start, end = np.where(np.isnan(start), end, start), np.where(np.isnan(end), start, end)
    backwards = end < start
    long = end - start > longest
    used = ~(untimed | backwards | long)
    weight = np.zeros(HOURS_A_WEEK, dtype=np.float64)
    chosen = np.flatnonzero(used)
    for first in range(0, len(chosen), _BATCH):
        batch = chosen[first : first + _BATCH]
        weight += share_out(start[batch], end[batch]).sum(axis=0)
    frame = pd.DataFrame(
        {
            "weekday": np.repeat(np.array(WEEKDAYS, dtype=object), HOURS_A_DAY),
            "hour": np.tile(np.arange(HOURS_A_DAY), len(WEEKDAYS)),
            "weight": weight,
        }
    )
    left_out = {
        "without a time": int(untimed.sum()),
        "ending before they start": int(backwards.sum()),
        f"longer than {longest:g} hours": int(long.sum()),
    }
    return WeekHours(
        frame=frame,
        counted=len(chosen),
        left_out={reason: number for reason, number in left_out.items() if number},
        words=_describe(len(chosen), int((used & (end > start)).sum()), left_out),
        cautions=_caution(start[used], end[used]),
    )


def share_out(start: Floats, end: Floats) -> Floats:
    """The part of each incident that lies in each hour of the week, 168 a row; rows add up to 1.

    `start` and `end` are hours since a Monday's midnight, end not before start. With F_b(t) the time from that
    midnight to t that lies in hour b of a week, the part is `(F_b(end) - F_b(start)) / (end - start)`, or the hour
    of `start` whole where the two are the same.
    """
    length = (end - start)[:, None]
    hour = np.arange(HOURS_A_WEEK)

    def spent(t: Floats) -> Floats:
        weeks, within = np.divmod(t[:, None], HOURS_A_WEEK)
        return weeks + np.clip(within - hour, 0.0, 1.0)

    at_once = (np.floor(start)[:, None] % HOURS_A_WEEK == hour).astype(np.float64)
    parts: Floats = np.divide(spent(end) - spent(start), length, out=at_once, where=length > 0)
    return parts


def _hours(times: pd.Series) -> Floats:
    """Hours since midnight of a Monday (5 January 1970); NaN where missing."""
    stamps = pd.to_datetime(times)
    return as_floats((stamps - pd.Timestamp("1970-01-05")) / pd.Timedelta(hours=1))


def _describe(counted: int, spread: int, left_out: Mapping[str, int]) -> str:
    how = f"{spread:,} with a span of time shared out evenly over it (aoristic)" if spread else ""
    missing = [f"{number:,} {reason}" for reason, number in left_out.items() if number]
    without = f"left out {', '.join(missing)}" if missing else ""
    more = "; ".join(part for part in (how, without) if part)
    noun = "incident" if counted == 1 else "incidents"
    return f"{counted:,} {noun} by hour and weekday{': ' + more if more else ''}."


def _caution(start: Floats, end: Floats) -> tuple[str, ...]:
    if not start.size:
        return ()
    midnight = float(((start % HOURS_A_DAY == 0) & (end == start)).mean())
    if midnight <= _MIDNIGHTS:
        return ()
    return (
        f"{100 * midnight:.0f} % are recorded at midnight exactly, which often stands for a time that is not known: "
        "do not trust the hour after midnight.",
    )
