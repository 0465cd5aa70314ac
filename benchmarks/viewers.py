"""What a filter change costs while many look at once."""

import json
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import MEGABYTE, Server, make_environment
from benchmarks.screen import serve_naive, serve_ours
from benchmarks.setting import Benchmark, Setting
from benchmarks.table import Figure, Row

LOAD = Path(__file__).parent / "load.py"
VIEWERS, NAIVE_VIEWERS, SECONDS, SHARE = 30, 5, 40, 0.95
# Seconds that a viewer looks at what came before the next change: a brisk pace, and a restless one.
PAUSE, SHORT_PAUSE = 5.0, 2.5
TIMEOUT = 300


def measure_viewers(setting: Setting) -> list[Figure]:
    """95th percentile of a filter change, largest resident memory, processor time a run; then the naive page's."""
    ours, restless = load(serve_ours(setting), VIEWERS), load(serve_ours(setting), VIEWERS, pause=SHORT_PAUSE)
    naive = load(serve_naive(setting), NAIVE_VIEWERS)
    return [
        Figure.percentile(SHARE, ours.taken),
        Figure.percentile(SHARE, restless.taken),
        Figure.middle([ours.memory]),
        Figure.middle([ours.processor], [naive.processor]),
        Figure.percentile(SHARE, naive.taken),
        Figure.middle([naive.memory]),
    ]


@dataclass(frozen=True)
class Burden:
    """Milliseconds of every change, the server's largest resident memory in MB, its processor milliseconds a run."""

    taken: list[float]
    memory: float
    processor: float


def load(serving: AbstractContextManager[Server], viewers: int, *, pause: float = PAUSE) -> Burden:
    """Have a fresh server looked at by some viewers."""
    with serving as server:
        watch = MemoryWatch(server.pid)
        watch.start()
        try:
            result = subprocess.run(
                [sys.executable, str(LOAD), server.url, str(viewers), str(SECONDS), str(pause)],
                env=make_environment(),
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        finally:
            watch.done.set()
            watch.join()
    if result.returncode != 0:
        raise RuntimeError(f"the viewers failed: {result.stderr.strip()[-500:]}")
    taken: list[float] = json.loads(result.stdout)
    # Each viewer has loaded the page and warmed it up besides.
    return Burden(taken, watch.largest, 1000 * watch.processor / (len(taken) + 2 * viewers))


class MemoryWatch(threading.Thread):
    """Looks twice a second how much memory a process holds, and how many seconds of a processor it has taken."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.done = threading.Event()
        self.largest = self.processor = 0.0

    def run(self) -> None:
        import psutil

        process = psutil.Process(self.pid)
        begin = sum(process.cpu_times()[:2])
        while not self.done.wait(0.5):
            self.largest = max(self.largest, process.memory_info().rss / MEGABYTE)
            self.processor = sum(process.cpu_times()[:2]) - begin


BENCHMARKS = (
    Benchmark(
        name="viewers",
        rows=(
            Row(f"{VIEWERS} concurrent viewers, 95th percentile of a filter change", "ms", 150),
            Row(f"the same, each changing a filter every {SHORT_PAUSE:g} seconds", "ms"),
            Row("the same: memory of the server", "MB", 500),
            Row("the same: processor time of the server, each run", "ms"),
            Row(f"the naive page with only {NAIVE_VIEWERS} viewers, 95th percentile", "ms"),
            Row("the same: memory of the server", "MB"),
        ),
        how=f"{VIEWERS} sessions over the dashboard's web socket from one other process, each changing crime types, "
        f"measure or comparison about every {PAUSE:g} seconds for {SECONDS} seconds; from sending a change to the "
        "message that its run has finished, drawing in a browser not included; after one change a session that does "
        "not count. Memory is the largest resident size of the server's process; processor time is what one of these "
        f"runs takes of one core, however busy the machine is. The naive page has {NAIVE_VIEWERS} viewers, since it "
        f"runs one viewer after another, and {VIEWERS} would wait several times as long.",
        measure=measure_viewers,
    ),
)
