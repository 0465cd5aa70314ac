"""The briefing pack: from the question to the file, in a process of its own as the pages make it."""

import time

from benchmarks.setting import Benchmark, Setting
from benchmarks.table import Figure, Row
from cspmap.exports.pack import PackFormat
from cspmap.pack_job import PackJob, PackQuestion

REPEATS = 3
SECONDS = 120.0


def measure_slides(setting: Setting) -> list[Figure]:
    """PowerPoint, of the whole partnership."""
    return [_measure(setting, "pptx")]


def measure_print(setting: Setting) -> list[Figure]:
    """PDF, of the whole partnership."""
    return [_measure(setting, "pdf")]


def _measure(setting: Setting, kind: PackFormat) -> Figure:
    taken = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        with PackJob(PackQuestion(str(setting.store), {}, "partnership", kind)) as job:
            pack = job.result(timeout=SECONDS)
        taken.append(time.perf_counter() - begin)
        if not pack.startswith((b"PK", b"%PDF")):
            raise RuntimeError(f"the pack is no {kind}")
    return Figure.middle(taken)


_HOW = (
    "real Luton, all subjects of its meeting (24 pages, 35 slides; the budget is for 12 pages): a fresh process "
    f"opens the store, works out every figure, draws the maps and charts and writes the file; median of {REPEATS}."
)

BENCHMARKS = (
    Benchmark("pack-slides", (Row("a pack of the whole partnership as PowerPoint", "s", 15),), _HOW, measure_slides),
    Benchmark("pack-print", (Row("a pack of the whole partnership as PDF", "s", 15),), _HOW, measure_print),
)
