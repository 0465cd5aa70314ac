"""How hotspots last: persistent, emerging, former and intermittent cells over rolling spans."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import ceil
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.analysis.hotspots.layer import Hotspots, join_sentences
from cspmap.errors import UserError
from cspmap.periods import Month, Span

Trajectory: TypeAlias = Literal["persistent", "emerging", "former", "intermittent", "never"]
TRAJECTORIES: tuple[Trajectory, ...] = get_args(Trajectory)

# The share of spans in which a persistent cell is hot, and the share of the latest in which a former one is not.
LASTING, RECENT = 0.75, 1 / 3
FEWEST_SPANS = 3


def trajectory(hot: Mapping[Span, pd.Series], *, lasting: float = LASTING) -> Hotspots:
    """What has become of every cell that was hot in any of several spans.

    `hot` gives for each span whether each cell, by code, was hot in it. With the spans in the order of their months,
    a cell is the first of these that fits:

    - never: hot in none
    - persistent: hot in the latest span and in at least `lasting` of all
    - emerging: hot in the latest span, and in every span since it first was, but not in the first
    - former: hot in none of the latest third of the spans (rounded up)
    - intermittent: hot on and off, as all others are

    Frame: code, spans_hot (how many), first_hot and last_hot ("YYYY-MM", the last month of that span; missing where
    never), trajectory, score (spans_hot, and a half more where the latest is among them), hot (persistent or
    emerging). Spans that overlap share incidents, so a single burst makes a cell hot in several of them.

    Raises UserError where fewer than three spans are given, or their cells differ.
    """
    if len(hot) < FEWEST_SPANS:
        raise UserError(
            f"How hotspots last can be told from {FEWEST_SPANS} spans or more, got {len(hot)}; load more months."
        )
    spans = sorted(hot, key=lambda span: span.first)
    codes = hot[spans[0]].index
    if not all(hot[span].index.equals(codes) for span in spans):
        raise UserError("The spans are not counted in the same cells; count all of them in one grid.")
    flags = np.column_stack([hot[span].to_numpy(dtype=bool) for span in spans])
    number, now, ever = flags.sum(axis=1), flags[:, -1], flags.any(axis=1)
    first, last = flags.argmax(axis=1), len(spans) - 1 - flags[:, ::-1].argmax(axis=1)
    unbroken = number == len(spans) - first
    recent = ceil(RECENT * len(spans))
    kinds = np.select(
        [
            ~ever,
            now & (number >= lasting * len(spans)),
            now & unbroken,
            ~flags[:, -recent:].any(axis=1),
        ],
        ["never", "persistent", "emerging", "former"],
        "intermittent",
    )
    ends = np.array([str(span.last) for span in spans], dtype=object)
    frame = pd.DataFrame(
        {
            "code": codes,
            "spans_hot": number,
            "first_hot": _where(ever, ends[first]),
            "last_hot": _where(ever, ends[last]),
            "trajectory": kinds,
            "score": number + 0.5 * now,
            "hot": np.isin(kinds, ["persistent", "emerging"]),
        }
    )
    return Hotspots(frame, _describe(spans, lasting, recent))


def roll_spans(loaded: Sequence[Month], *, length: int = 12, step: int = 3) -> tuple[list[Span], list[Span]]:
    """Spans of `length` months, one every `step`, back from the latest month loaded.

    Returns those of which every month is loaded, earliest first, and those left out since one is missing: a span
    with a month missing would look quieter than it was.
    """
    if not loaded:
        return [], []
    held = set(loaded)
    latest, earliest = max(held), min(held)
    spans = []
    span = Span.ending(latest, months=length)
    while span.first >= earliest:
        spans.append(span)
        span = span.shift(-step)
    spans.reverse()
    whole = [span for span in spans if held.issuperset(span)]
    return whole, [span for span in spans if span not in whole]


def _where(known: Any, values: NDArray[np.object_]) -> pd.Series:
    return pd.Series(values, dtype="str").where(known)


def _describe(spans: Sequence[Span], lasting: float, recent: int) -> str:
    lengths = sorted({len(span) for span in spans})
    months = f"{lengths[0]}" if len(lengths) == 1 else f"{lengths[0]} to {lengths[-1]}"
    steps = {after.first.ordinal - before.first.ordinal for before, after in pairwise(spans)}
    return join_sentences(
        f"{len(spans)} spans of {months} months, from {spans[0].first.words} to {spans[-1].last.words}.",
        f"Persistent: hot in the latest and in at least {100 * lasting:g} % of them. "
        "Emerging: hot ever since it first was, but not in the first. "
        f"Former: not hot in the latest {recent}. Intermittent: on and off.",
        f"Spans with a month missing are left out, so up to {max(steps)} months lie between one and the next."
        if len(steps) > 1
        else "",
    )
