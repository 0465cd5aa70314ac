"""What building a store costs, in time and memory."""

import shutil
import sys
from pathlib import Path

from benchmarks.processes import Usage, command_line, run_process
from benchmarks.setting import RECENT, Benchmark, NotRunError, Setting
from benchmarks.table import Figure, Row

HERE = Path(__file__).parent
REPEATS, NAIVE_REPEATS = 5, 3
LARGE_ROWS, LARGE_MONTHS, SAMPLE_MONTHS = 20_000_000, 120, 6
FREE_BYTES = 15_000_000_000


def measure_build(setting: Setting) -> list[Figure]:
    """The 36 months of one force, all layers of real Luton."""
    partnership = setting.write_partnership("recent", RECENT)
    build(setting, partnership, setting.data, timeout=120)
    ours = [build(setting, partnership, setting.data, timeout=120) for _ in range(REPEATS)]
    naive = [build_naively(setting, setting.data / RECENT) for _ in range(NAIVE_REPEATS)]
    return summarise(ours, naive)


def measure_large_build(setting: Setting) -> list[Figure]:
    """Twenty million simulated rows; the naive way on one part in twenty, scaled."""
    free = shutil.disk_usage(setting.folder).free
    if free < FREE_BYTES:
        raise NotRunError(f"{free / 1e9:.0f} GB are free on the disk, and {FREE_BYTES / 1e9:.0f} GB are needed")
    archive = setting.folder / "large.zip"
    make = [sys.executable, str(HERE / "archive.py"), str(setting.data / "boundaries"), str(archive)]
    run_process([*make, str(LARGE_ROWS), str(LARGE_MONTHS)], timeout=1800)
    partnership = setting.write_partnership("large", archive)
    ours = build(setting, partnership, setting.data, timeout=1200)
    sample = build_naively(setting, archive, months=SAMPLE_MONTHS)
    scale = LARGE_MONTHS / SAMPLE_MONTHS
    archive.unlink()
    return summarise([ours], [Usage(sample.seconds * scale, sample.peak * scale)])


def build(setting: Setting, partnership: Path, data: Path, *, timeout: float) -> Usage:
    """`cspmap build` as a fresh process, into an empty store."""
    store = setting.folder / "measured-store"
    command = command_line("build", str(partnership), "--data", str(data), "--store", str(store))
    try:
        return run_process(command, timeout=timeout)
    finally:
        shutil.rmtree(store, ignore_errors=True)


def build_naively(setting: Setting, archive: Path, *, months: int | None = None) -> Usage:
    """The naive way as a fresh process."""
    out = setting.folder / "naive-store"
    out.mkdir(exist_ok=True)
    command = [sys.executable, str(HERE / "naive_build.py"), str(archive), str(setting.data / "boundaries"), str(out)]
    return run_process([*command, *([str(months)] if months else [])], timeout=900)


def summarise(ours: list[Usage], naive: list[Usage]) -> list[Figure]:
    """Time, then memory."""
    return [
        Figure.middle([usage.seconds for usage in ours], [usage.seconds for usage in naive]),
        Figure.middle([usage.peak for usage in ours], [usage.peak for usage in naive]),
    ]


BENCHMARKS = (
    Benchmark(
        name="build",
        rows=(
            Row("build the store, 36 months of one force (182,113 rows), all layers: time", "s", 3),
            Row("the same: peak memory", "MB", 600),
        ),
        how=f"`cspmap build` of real Luton as a fresh process into an empty folder, from start of the interpreter to "
        f"its end, and its peak resident memory; median of {REPEATS} after one that does not count. Naive way, median "
        f"of {NAIVE_REPEATS}: pandas.read_csv of every file of the same zip, pandas.concat, geopandas.sjoin with the "
        "same layers, groupby and count.",
        measure=measure_build,
    ),
    Benchmark(
        name="build-large",
        rows=(
            Row("build the store, 20 million rows, all layers: time", "s", 60),
            Row("the same: peak memory", "MB", 2000),
        ),
        how=f"the same command on a simulated bulk archive of {LARGE_MONTHS} months (seeded; identifiers, snap points, "
        "30 % anti-social behaviour, 3 % without location), once. Naive way: as above on the first "
        f"{SAMPLE_MONTHS} of the {LARGE_MONTHS} months, time and memory multiplied by {LARGE_MONTHS // SAMPLE_MONTHS}.",
        measure=measure_large_build,
        flag="large",
    ),
)
