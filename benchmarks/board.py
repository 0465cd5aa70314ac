"""Targets: the whole progress board, and a large table shared out both ways at once."""

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.setting import Benchmark, Setting
from benchmarks.table import Figure, Row
from cspmap.analysis.apportionment import apportion, apportion_table
from cspmap.analysis.targets.progress import progress
from cspmap.board import Board, find_period, list_weights, make_board
from cspmap.goals import Sharing
from cspmap.query import Query
from cspmap.store import open_store

LEVEL = "ward"
REPEATS = 15
AREAS, TYPES = 1000, 50
MILLISECONDS = 1000


def measure_board(setting: Setting) -> list[Figure]:
    """From the store to every verdict in words; naively, each line is judged by itself."""
    query = Query(open_store(setting.store))
    table = query.store.targets[0]
    span = find_period(query, table)
    assert span is not None

    def work_out() -> Board:
        sharing = Sharing("baseline", list_weights(query, LEVEL))
        return make_board(query, table, level=LEVEL, span=span, as_at=span.last - 4, sharing=sharing)

    board = work_out()
    areas, types = len(query.name_areas(LEVEL)), len(query.store.partnership.crime_types)
    if (areas, types) != (19, 14) or len(board.indicators) < types:
        raise RuntimeError(f"the board has {areas} areas and {types} crime types, not 19 and 14")
    asked = board.lines[["value", "direction"]].assign(first=str(span.first), last=str(span.last))

    def judge_each() -> pd.DataFrame:
        lines = (slice(place, place + 1) for place in range(len(asked)))
        return pd.concat(progress(asked[line], board.counts.iloc[:, line], as_at=board.as_at) for line in lines)

    if not judge_each()["sentence"].equals(board.lines["sentence"]):
        raise RuntimeError("lines judged by themselves say something else")
    return [Figure.middle(_time(work_out, REPEATS), _time(judge_each, 1))]


def measure_sharing(setting: Setting) -> list[Figure]:
    """A made table: uneven, a fifth of it zero."""
    random = np.random.default_rng(1)
    weights = random.gamma(0.5, 20, (AREAS, TYPES)) * (random.random((AREAS, TYPES)) > 0.2)
    rows, columns = (apportion(100_000, weights.sum(axis=axis)) for axis in (1, 0))

    def share() -> Any:
        return apportion_table(rows, columns, weights).cells

    cells = share()
    if not ((cells.sum(axis=1) == rows).all() and (cells.sum(axis=0) == columns).all()):
        raise RuntimeError("rows and columns do not add up")
    return [Figure.middle([taken / MILLISECONDS for taken in _time(share, REPEATS)])]


def _time(work: Callable[[], object], repeats: int) -> Sequence[float]:
    """Milliseconds of each run."""
    taken = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        taken.append(MILLISECONDS * (time.perf_counter() - begin))
    return taken


BENCHMARKS = (
    Benchmark(
        name="board",
        rows=(Row("the whole progress board, 19 wards by 14 crime types and all crime", "ms", 200),),
        how="real Luton with its example targets, eight months into the year: targets shared out to wards, every line "
        "projected, rated, tested and put in words, with nothing remembered from before but the store's counts by "
        f"month; median of {REPEATS}. Naive way, once: each line of the same board judged by itself, counts and "
        "targets given; it says the same.",
        measure=measure_board,
    ),
    Benchmark(
        name="sharing",
        rows=(Row(f"targets of {TYPES} crime types shared out to {AREAS:,} areas both ways", "s", 2),),
        how=f"a made table of gamma weights, a fifth of them zero, 100,000 in all: fitted to its totals and rounded so "
        f"that every row and column adds up; median of {REPEATS}.",
        measure=measure_sharing,
    ),
)
