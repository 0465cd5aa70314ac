"""How far along targets of recorded crime are, whether they will be met, and whether being behind means anything."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.change import change_table
from cspmap.analysis.control_chart import find_signals, xmr_limits
from cspmap.analysis.measures import Floats
from cspmap.analysis.targets.month_model import Flags
from cspmap.analysis.targets.month_table import MonthTable, find_last_month, lay_out_months
from cspmap.analysis.targets.outturn import INTERVAL, project_outturn
from cspmap.analysis.targets.trajectory import PATHS, SEASON_MONTHS, compare_last_year, share_months, weigh_usual
from cspmap.analysis.targets.verdict import (
    THRESHOLDS,
    Line,
    Thresholds,
    describe_line,
    weigh_evidence,
    write_sentence,
)
from cspmap.errors import UserError
from cspmap.periods import Month, Span

# What the sentence of a target tells, under the same names as in its row.
TOLD = (
    *("status", "position", "evidence", "value", "actual", "expected", "last_year", "months_compared"),
    *("projected", "low", "high", "chance", "months_seen"),
)
ESTIMATES = ("expected", "projected", "low", "high")
# What is counted, or worked out from counts alone.
NUMBERS = ("actual", "expected", "last_year", "now_compared", "difference", "percent", "projected", "low", "high")
COLUMNS = (
    *("status", "rating", "words", "sentence"),
    *("value", "actual", "expected", "position"),
    *("last_year", "now_compared", "months_compared", "difference", "percent", "p", "change", "signal", "evidence"),
    *("projected", "low", "high", "chance"),
    *("months_seen", "months_missing", "months_to_come"),
)


def progress(
    targets: pd.DataFrame,
    counts: pd.DataFrame,
    *,
    as_at: Month | None = None,
    thresholds: Thresholds = THRESHOLDS,
    interval: float = INTERVAL,
    told: pd.DataFrame | None = None,
    whole: bool = False,
) -> pd.DataFrame:
    """The progress of every target: one row each, in the order and under the labels of `targets`.

    `targets` has one row a target, its index the target's own label, and the columns

    - first, last: the months, "YYYY-MM", that the target's count runs over (a year, or any other span)
    - value: the count to reach; missing where none is set
    - direction: "less" or "more", whichever is better
    - kind (optional): "below" asks for less than the value; every other kind for the value or better
    - path (optional): "seasonal" (the default) or "straight", the way `expected` takes (`trajectory.share_months`)

    `counts` has one row a month ("YYYY-MM") and one column a target, under the same label; a missing count, month or
    column is missing, never 0. `as_at` is the last month that should have been published (None: the last of which
    any count is known): up to it a month without a count is missing, after it months are still to come.

    Columns of the answer (NaN where not known):

    - status: "running"; "met" or "not met" once the whole period is known; "open" where months that have come are
      missing; "not started"; "too early" where too few months are known to project from; "not set"
    - rating: "G", "A" or "R" by the chance of meeting it (`thresholds`), or by the outturn once it is known. "?" where
      the period has not started or the verdict is open
    - words, sentence: the verdict in a few words, and with its figures
    - value, as given; actual, the known months' count; expected, what would be on course in those same months;
      position, "ahead", "on" (within half an incident) or "behind"
    - last_year and now_compared: the same months a year before beside the period's, only the `months_compared` that
      are known in both; difference, percent, p and change from the E-test (`change.change_table`)
    - signal: direction of the control chart's latest signal in the period, 1, -1 or 0; missing where fewer than 12
      months before the period are known. The chart is `control_chart.xmr` on counts adjusted for the season and
      the length of months, its limits those of the months before the period
    - evidence: what E-test and chart together say (`verdict.weigh_evidence`)
    - projected, low, high: the whole period's count and the range that should hold it with the chance `interval`;
      chance: of meeting the target (`outturn.project_outturn`). With months missing the range allows for what they
      may have been, and no chance is given
    - months_seen, months_missing, months_to_come

    `told` are the same counts rounded, where only those may be given away: every number is then of these, and status,
    rating, position, change, signal and evidence are still judged by `counts`. What would give a count back, p and the
    chance, is left out. With `whole`, estimates are told as whole numbers.

    Each row rests on that target's own months alone. Raises UserError where a target cannot be read; a target that
    nothing is known about is no error, its row says so.
    """
    if not 0 < interval < 1:
        raise UserError(f"The range must hold the outturn with a chance between 0 and 1, got {interval}.")
    _check_targets(targets)
    last = as_at or find_last_month(counts)
    parts = []
    for (first, final), group in targets.groupby(["first", "last"], sort=False):
        span = Span(Month.parse(str(first)), Month.parse(str(final)))
        table = lay_out_months(counts.reindex(columns=group.index), span, as_at=last)
        frame = _judge(table, group, thresholds=thresholds, interval=interval)
        past = None
        if told is not None:
            less, strict = _ask(group)
            past = (frame["actual"] > frame["value"]) | ((frame["actual"] == frame["value"]) & (less == strict))
            rounded = lay_out_months(told.reindex(columns=group.index), span, as_at=last)
            frame = frame.assign(**_measure(rounded, group, interval=interval)[list(NUMBERS)], p=np.nan, chance=np.nan)
        if whole:
            frame = frame.assign(**frame[list(ESTIMATES)].round())
        parts.append(_tell(frame, table, group, interval=interval, past=past))
    if not parts:
        return pd.DataFrame(columns=list(COLUMNS), index=targets.index)
    return pd.concat(parts).reindex(targets.index)


def _judge(table: MonthTable, targets: pd.DataFrame, *, thresholds: Thresholds, interval: float) -> pd.DataFrame:
    """The rows of targets that run over one period, without their words."""
    less, strict = _ask(targets)
    frame = _measure(table, targets, interval=interval)
    frame["status"] = _find_status(table, frame, less=less, strict=strict)
    frame["position"] = _find_position(frame, less=less)
    frame["evidence"] = [
        weigh_evidence(change, None if pd.isna(signal) else int(signal))
        for change, signal in zip(frame["change"], frame["signal"], strict=True)
    ]
    certain = {"met": 1.0, "not met": 0.0, "open": np.nan}
    frame["chance"] = [certain.get(s, chance) for s, chance in zip(frame["status"], frame["chance"], strict=True)]
    rated = frame["chance"].where(frame["status"].isin(["running", "met", "not met"]))
    frame["rating"] = [thresholds.rate(chance) for chance in rated]
    return frame


def _measure(table: MonthTable, targets: pd.DataFrame, *, interval: float) -> pd.DataFrame:
    """The figures of targets that run over one period, and what tests and chart make of them."""
    value = targets["value"].to_numpy(dtype=np.float64, na_value=np.nan)
    less, strict = _ask(targets)
    outturn = project_outturn(table)
    low, high = outturn.range(interval)
    usual = weigh_usual(table)
    shares = np.where(
        _column(targets, "path", "seasonal").eq("straight").to_numpy()[:, None],
        share_months(table, path="straight"),
        share_months(table, usual=usual),
    )
    expected = value * np.where(table.known, shares, 0.0).sum(axis=1)
    compared = compare_last_year(table)
    changes = change_table(compared["before"], compared["now"])
    return pd.DataFrame(
        {
            "value": value,
            "actual": outturn.seen,
            "expected": expected,
            "last_year": compared["before"],
            "now_compared": compared["now"],
            "months_compared": compared["months"],
            "difference": changes["difference"],
            "percent": changes["percent"],
            "p": changes["p"],
            "change": changes["verdict"],
            "signal": pd.Series(_find_signal(table, usual), index=targets.index).astype("Int8"),
            "projected": outturn.projected,
            "low": low,
            "high": high,
            "chance": outturn.chance(value, less=less, strict=strict),
            "months_seen": table.known.sum(axis=1),
            "months_missing": table.missing.sum(axis=1),
            "months_to_come": len(table.span) - table.elapsed,
        },
        index=targets.index,
    )


def _ask(targets: pd.DataFrame) -> tuple[Flags, Flags]:
    """Of each target whether less is better, and whether its number itself is not enough."""
    return (targets["direction"] == "less").to_numpy(), _column(targets, "kind", "").eq("below").to_numpy()


def _tell(
    frame: pd.DataFrame, table: MonthTable, targets: pd.DataFrame, *, interval: float, past: pd.Series | None
) -> pd.DataFrame:
    """The rows with their words."""
    less, strict = _ask(targets)
    months = tuple(table.span)
    settled = [None] * len(frame) if past is None else past.tolist()
    rows = zip(frame[list(TOLD)].to_dict("records"), less, strict, table.missing, settled, strict=True)
    lines = [
        Line(
            **{str(name): figure for name, figure in row.items()},
            less=bool(down),
            strict=bool(below),
            span=table.span,
            as_at=table.as_at,
            missing=[months[place] for place in np.flatnonzero(missing)],
            interval=interval,
            past=already,
        )
        for row, down, below, missing, already in rows
    ]
    frame["words"] = [describe_line(line) for line in lines]
    frame["sentence"] = [write_sentence(line) for line in lines]
    return frame[list(COLUMNS)]


def _find_status(table: MonthTable, frame: pd.DataFrame, *, less: Flags, strict: Flags) -> NDArray[np.str_]:
    actual, value = frame["actual"], frame["value"]
    met = np.where(
        less, (actual < value) | (~strict & (actual == value)), (actual > value) | (~strict & (actual == value))
    )
    return np.select(
        [
            value.isna(),
            np.full(len(frame), table.elapsed == 0),
            frame["months_missing"] > 0,
            (frame["months_to_come"] == 0) & met,
            frame["months_to_come"] == 0,
            frame["projected"].isna(),
        ],
        ["not set", "not started", "open", "met", "not met", "too early"],
        "running",
    )


def _find_position(frame: pd.DataFrame, *, less: Flags) -> NDArray[np.str_]:
    """Ahead or behind what would be on course in the known months; half an incident either way is on course."""
    over = (frame["actual"] - frame["expected"]).to_numpy()
    return np.select(
        [np.isnan(over) | (frame["months_seen"] == 0), np.abs(over) < 0.5, (over < 0) == less],
        ["not known", "on", "ahead"],
        "behind",
    )


def _find_signal(table: MonthTable, usual: Floats) -> Floats:
    """The direction of the latest signal in the period of each series' control chart; NaN where there is no chart."""
    adjusted = (table.counts / usual).T
    before = adjusted[: table.before]
    signs = sum(find_signals(adjusted, xmr_limits(before)).values(), np.zeros(adjusted.shape))
    inside = np.sign(signs[table.before :])
    latest = len(inside) - 1 - np.argmax(inside[::-1] != 0, axis=0)
    shown = inside[latest, np.arange(inside.shape[1])]
    return np.where(np.isfinite(before).sum(axis=0) >= SEASON_MONTHS, shown, np.nan)


def _column(targets: pd.DataFrame, name: str, otherwise: str) -> pd.Series:
    """An optional column of the targets, filled up."""
    return targets[name].fillna(otherwise) if name in targets else pd.Series(otherwise, index=targets.index)


def _check_targets(targets: pd.DataFrame) -> None:
    """Raise UserError for the first thing about the targets that cannot be read."""
    for column in ("first", "last", "value", "direction"):
        if column not in targets:
            raise UserError(f"The targets have no column {column!r}; give first, last, value and direction of each.")
    if targets.index.has_duplicates:
        twice = targets.index[targets.index.duplicated()][0]
        raise UserError(f"Two targets are labelled {twice!r}; give each a label of its own.")
    for column, allowed in {"direction": ("less", "more"), "path": PATHS}.items():
        given = _column(targets, column, allowed[0])
        strange = given[~given.isin(allowed)]
        if len(strange):
            raise UserError(
                f"The {column} of target {strange.index[0]!r} is {strange.iloc[0]!r}; "
                f"write {' or '.join(map(repr, allowed))}."
            )
