"""Extracts: a year of every LSOA by month and type, and single incidents by the million."""

import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.processes import command_line, run_process
from benchmarks.setting import Benchmark, Setting
from benchmarks.table import Figure, Row
from cspmap.exports.files import write_extract
from cspmap.exports.request import Format, Request, What
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

LEVEL = "lsoa21"
ROWS, MONTHS = 1_000_000, 36
REPEATS = 5


def measure_year(setting: Setting) -> list[Figure]:
    """From the open store to the file, nothing remembered but the store's own tables."""
    out = setting.folder / "year"
    formats: tuple[Format, ...] = ("parquet", "xlsx")
    figures = []
    for kind in formats:
        times = []
        for _ in range(REPEATS):
            query = Query(open_store(setting.force_store))
            selection = Selection.default(query.store).change(level=LEVEL)
            times.append(_time(partial(_write, query, selection, "counts", kind, out)))
        figures.append(Figure.middle(times))
    return figures


def measure_incidents(setting: Setting) -> list[Figure]:
    """A made archive of a million incidents over the real LSOAs."""
    archive = setting.folder / "million.zip"
    boundaries = setting.data / "boundaries"
    run_process(
        [
            sys.executable,
            str(Path(__file__).with_name("archive.py")),
            str(boundaries),
            str(archive),
            str(ROWS),
            str(MONTHS),
        ],
        timeout=600,
    )
    toml = setting.write_partnership("million", archive)
    store = setting.folder / "million"
    run_process(command_line("build", str(toml), "--data", str(setting.data), "--store", str(store)), timeout=600)
    query = Query(open_store(store))
    months = query.store.months
    selection = Selection.default(query.store).change(span=Span(months[0], months[-1]), level=LEVEL)
    out = setting.folder / "incidents"
    formats: tuple[Format, ...] = ("parquet", "zip")
    return [
        Figure.middle([_time(partial(_write, query, selection, "incidents", kind, out)) for _ in range(3)])
        for kind in formats
    ]


def _write(query: Query, selection: Selection, what: What, kind: Format, out: Path) -> None:
    write_extract(query, Request(selection, what, ("month", "crime_type") if what == "counts" else (), kind), out)


def _time(work: Callable[[], object]) -> float:
    """Seconds of one run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


BENCHMARKS = (
    Benchmark(
        name="extract",
        rows=(
            Row("a year by month and type for every LSOA of a police force (417), to Parquet", "s", 2),
            Row("the same, to Excel", "s"),
        ),
        how=f"every LSOA of real Bedfordshire's police, with its readme; median of {REPEATS}.",
        measure=measure_year,
    ),
    Benchmark(
        name="incidents",
        rows=(
            Row(f"{ROWS:,} incidents of a made archive to Parquet", "s", 3),
            Row("the same to CSV, zipped", "s"),
        ),
        how=f"a made archive of {ROWS:,} rows over {MONTHS} months; those inside the partnership; median of 3.",
        measure=measure_incidents,
        flag="large",
    ),
)
