"""What the exact choice of a focus area costs, on real Luton."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd

from benchmarks.naive_focus import find_by_flow
from benchmarks.setting import Benchmark, Setting
from benchmarks.table import Figure, Row
from cspmap.analysis.contiguity import Contiguity, find_contiguity
from cspmap.analysis.focus import suggest
from cspmap.assign import assign_points
from cspmap.store import open_store

REPEATS = 5
NAIVE_SECONDS = 300
FIRST_MONTH = "2021-05"
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Question:
    """A layer, its recorded crime over three years, and how many units may be chosen."""

    layer: gpd.GeoDataFrame
    weights: pd.Series
    contiguity: Contiguity
    budget: int


def measure_focus(setting: Setting) -> list[Figure]:
    """The two questions that have a budget; the answers must be proven, and be those of the naive way."""
    figures = []
    for file, column, budget in (("luton-lsoa-2021", "LSOA21CD", 12), ("luton-oa-2011", "OA11CD", 40)):
        question = ask(setting, file, column, budget)
        ours, best = time_ours(question)
        naive, naive_best = time_naive(question)
        if naive_best is not None and naive_best != best:
            raise RuntimeError(f"{file}: {best:g} incidents captured, {naive_best:g} by the naive way")
        figures.append(Figure.middle(ours, [naive]))
    return figures


def ask(setting: Setting, file: str, column: str, budget: int) -> Question:
    """Incidents of the store, counted in a layer by where their point lies."""
    layer = gpd.read_file(setting.data / "boundaries" / f"{file}.geojson").to_crs(27700)
    layer = layer.rename(columns={column: "code"}).sort_values("code", ignore_index=True)
    folder = open_store(setting.store).folder / "incidents"
    months = [month for month in sorted(folder.glob("*.parquet")) if month.stem >= FIRST_MONTH]
    rows = pd.concat([pd.read_parquet(month, columns=["longitude", "latitude", "superseded"]) for month in months])
    rows = rows[~rows["superseded"] & rows["longitude"].notna()]
    points = gpd.GeoSeries.from_xy(rows["longitude"], rows["latitude"], crs=4326).to_crs(27700)
    inside = assign_points(points.x.to_numpy(), points.y.to_numpy(), layer)
    counts = np.bincount(inside[inside >= 0], minlength=len(layer))
    return Question(layer, pd.Series(counts, index=layer["code"]), find_contiguity(layer), budget)


def time_ours(question: Question) -> tuple[list[float], float]:
    """Seconds of `suggest`, finding the neighbours included, and what its area captures."""

    def run() -> float:
        (area,) = suggest(question.layer, question.weights, question.budget, seconds=NAIVE_SECONDS).areas
        if not area.proven:
            raise RuntimeError(f"the best {question.budget} areas are not proven")
        return area.figures.captured

    return [_time(run)[0] for _ in range(REPEATS)], run()


def time_naive(question: Question) -> tuple[float, float | None]:
    """The same by one flow through the whole graph, which has to fit into NAIVE_SECONDS; None where it does not."""

    def run() -> float | None:
        return find_by_flow(
            question.weights.to_numpy(dtype=np.float64),
            question.contiguity.neighbours,
            question.budget,
            seconds=NAIVE_SECONDS,
        )

    return _time(run)


def _time(work: Callable[[], Answer]) -> tuple[float, Answer]:
    begin = time.perf_counter()
    answer = work()
    return time.perf_counter() - begin, answer


BENCHMARKS = (
    Benchmark(
        name="focus",
        rows=(
            Row("exact focus area with proof, 125 LSOAs, budget 12", "s", 1),
            Row("exact focus area with proof, 589 output areas, budget 40", "s", 30),
        ),
        how="`suggest` on three years of Luton's recorded crime, from polygons and counts to the proven best area, in "
        f"this process; median of {REPEATS}. Naive way, once: one integer programme with a single-commodity flow "
        f"rooted at the heaviest chosen unit, solved by SciPy's HiGHS, ended after {NAIVE_SECONDS} s at the latest.",
        measure=measure_focus,
    ),
)
