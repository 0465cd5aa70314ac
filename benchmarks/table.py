"""What was measured, as a Markdown table with a sentence on how."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

HEADINGS = ("what", "measured", "lowest to highest", "budget", "met?", "naive way", "ratio")


@dataclass(frozen=True)
class Row:
    """One line of the table; `budget` is None where there is none."""

    what: str
    unit: Literal["s", "ms", "MB"]
    budget: float | None = None


@dataclass(frozen=True)
class Figure:
    """What was measured for a row, in its unit: once or several times, and the naive way in the same run."""

    value: float
    low: float
    high: float
    naive: float | None = None

    @classmethod
    def middle(cls, values: Sequence[float], naive: Sequence[float] = ()) -> "Figure":
        """The median of what was measured."""
        return cls(median(values), min(values), max(values), median(naive) if naive else None)

    @classmethod
    def percentile(cls, share: float, values: Sequence[float], naive: Sequence[float] = ()) -> "Figure":
        """The smallest value that at least `share` of the values do not exceed."""
        return cls(_percentile(share, values), min(values), max(values), _percentile(share, naive) if naive else None)


@dataclass(frozen=True)
class Outcome:
    """What came of a benchmark: a figure a row, or why there is none. `load` is the load average before it began."""

    name: str
    rows: tuple[Row, ...]
    how: str
    load: float
    figures: tuple[Figure, ...] = ()
    reason: str | None = None


def format_report(outcomes: Sequence[Outcome], facts: Sequence[str]) -> str:
    """The whole report: facts of the machine, the table, how each line was measured."""
    lines = [
        "# Benchmarks",
        "",
        "Written by `python benchmarks/run.py`. Each line stands beside its budget and, where there is one, beside a "
        "naive way of doing the same, measured in the same run; the ratio says how many times as much that way costs.",
        "",
        *(f"- {fact}" for fact in facts),
        "",
        _join(HEADINGS),
        _join("---" for _ in HEADINGS),
        *(_join(cells) for outcome in outcomes for cells in _list_cells(outcome)),
        "",
        "## How each was measured",
        "",
        *(f"- **{outcome.name}** (load average before: {outcome.load:.2f}): {outcome.how}" for outcome in outcomes),
    ]
    return "\n".join(lines) + "\n"


def _list_cells(outcome: Outcome) -> list[tuple[str, ...]]:
    if outcome.reason is not None:
        reason = f"not measured: {outcome.reason}"
        return [(row.what, reason, "", _format_budget(row), "", "", "") for row in outcome.rows]
    return [
        (
            row.what,
            format_amount(figure.value, row.unit),
            "" if figure.low == figure.high else f"{_round(figure.low)} to {format_amount(figure.high, row.unit)}",
            _format_budget(row),
            "" if row.budget is None else "yes" if figure.value <= row.budget else "**no**",
            "" if figure.naive is None else format_amount(figure.naive, row.unit),
            "" if figure.naive is None else f"{_round(figure.naive / figure.value)}",
        )
        for row, figure in zip(outcome.rows, outcome.figures, strict=True)
    ]


def _format_budget(row: Row) -> str:
    return "" if row.budget is None else format_amount(row.budget, row.unit)


def format_amount(value: float, unit: str) -> str:
    """A value with its unit, to three significant figures: "1.48 s", "12,300 MB"."""
    return f"{_round(value)} {unit}"


def _round(value: float) -> str:
    digits = 2 - math.floor(math.log10(abs(value))) if value else 0
    text = f"{round(value, digits):,.{max(0, digits)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percentile(share: float, values: Sequence[float]) -> float:
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _join(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
