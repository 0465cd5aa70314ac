"""What a filter change costs while many look at once."""

import json
import subprocess
import sys
import threading
from contextlib import AbstractContextManager
from pathlib import Path

from benchmarks.processes import MEGABYTE, Server, make_environment
from benchmarks.screen import serve_naive, serve_ours
from benchmarks.setting import Benchmark, Setting
from benchmarks.table import Figure, Row

LOAD = Path(__file__).parent / "load.py"
VIEWERS, NAIVE_VIEWERS, SECONDS, SHARE = 30, 5, 30, 0.95
TIMEOUT = 300


def measure_viewers(setting: Setting) -> list[Figure]:
    """95th percentile of a filter change, and the server's largest resident memory."""
    ours, memory = load(serve_ours(setting), VIEWERS)
    naive, naive_memory = load(serve_naive(setting), NAIVE_VIEWERS)
    return [Figure.percentile(SHARE, ours, naive), Figure(memory, memory, memory, naive_memory)]


def load(serving: AbstractContextManager[Server], viewers: int) -> tuple[list[float], float]:
    """Milliseconds of every change, and the largest resident memory in MB."""
    with serving as server:
        watch = MemoryWatch(server.pid)
        watch.start()
        try:
            result = subprocess.run(
                [sys.executable, str(LOAD), server.url, str(viewers), str(SECONDS)],
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
    return taken, watch.largest


class MemoryWatch(threading.Thread):
    """Looks twice a second how much memory a process holds."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid = pid
        self.done = threading.Event()
        self.largest = 0.0

    def run(self) -> None:
        import psutil

        process = psutil.Process(self.pid)
        while not self.done.wait(0.5):
            self.largest = max(self.largest, process.memory_info().rss / MEGABYTE)


BENCHMARKS = (
    Benchmark(
        name="viewers",
        rows=(
            Row(f"{VIEWERS} concurrent viewers, 95th percentile of a filter change", "ms", 150),
            Row("the same: memory of the server", "MB", 500),
        ),
        how=f"{VIEWERS} sessions over the dashboard's web socket from one other process, each changing crime types, "
        f"measure or comparison every 2 to 3 seconds for {SECONDS} seconds; from sending a change to the message that "
        "its run has finished, drawing in a browser not included; after one change a session that does not count. "
        f"Memory is the largest resident size of the server's process. Naive way: the naive page with {NAIVE_VIEWERS} "
        f"viewers, since {VIEWERS} of them would wait longer than anybody measures.",
        measure=measure_viewers,
    ),
)
