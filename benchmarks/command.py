"""The command: choose benchmarks, run them, print the table."""

import argparse
import os
import platform
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from benchmarks import board, builds, extracts, focus, hotspots, pack, screen, size, viewers
from benchmarks.setting import Benchmark, NotRunError, Setting
from benchmarks.table import Figure, Outcome, format_report

BENCHMARKS = (
    *size.BENCHMARKS,
    *builds.BENCHMARKS,
    *screen.BENCHMARKS,
    *viewers.BENCHMARKS,
    *hotspots.BENCHMARKS,
    *focus.BENCHMARKS,
    *board.BENCHMARKS,
    *extracts.BENCHMARKS,
    *pack.BENCHMARKS,
)
PACKAGES = ("streamlit", "streamlit-folium", "pandas", "geopandas", "shapely", "pyarrow", "duckdb", "ibis-framework")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; exit code 1 where a benchmark failed (a missed budget is no failure)."""
    options = _parse(arguments)
    # So that being told to end still ends the servers and takes the temporary folder away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    facts = [*describe_machine(), f"{time.strftime('%d %B %Y, %H:%M', time.gmtime())} UTC"]
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="cspmap-benchmarks-") as folder:
        setting = Setting(Path(folder))
        for benchmark in BENCHMARKS:
            if options.only and benchmark.name not in options.only:
                continue
            outcomes.append(run_benchmark(benchmark, setting, asked=_is_asked(benchmark, options)))
    report = format_report(outcomes, [*facts, *note_load(outcomes)])
    print(report)
    if options.out:
        options.out.write_text(report, "utf-8")
    return int(any((outcome.reason or "").startswith(FAILED) for outcome in outcomes))


FAILED = "failed"


def describe_machine() -> list[str]:
    """Facts of this machine that the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return [
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB of memory, {platform.system()}",
        f"Python {platform.python_version()}, {versions}",
    ]


def note_load(outcomes: Sequence[Outcome]) -> list[str]:
    """A warning where other work has shared the machine; the benchmarks alone load it by little more than a core."""
    most, cores = max((outcome.load for outcome in outcomes), default=0), os.cpu_count() or 1
    if most <= 1.5 * cores:
        return []
    return [
        f"Other work shared the machine (load average up to {most:.1f} on {cores} cores): the times below are longer "
        "than on a quiet one"
    ]


def run_benchmark(benchmark: Benchmark, setting: Setting, *, asked: bool) -> Outcome:
    """What comes of one benchmark; where it is not `asked` for, that it is not."""
    load = os.getloadavg()[0]
    figures: tuple[Figure, ...] = ()
    reason = None
    if asked:
        print(f"{benchmark.name} ...", file=sys.stderr, flush=True)
        try:
            figures = tuple(benchmark.measure(setting))
        except NotRunError as error:
            reason = str(error)
        except Exception as error:
            # One that fails must not take the others' figures with it.
            traceback.print_exc()
            reason = f"{FAILED} ({str(error).strip().splitlines()[-1]})"
    else:
        reason = f"it is slow; add --{benchmark.flag}"
    return Outcome(benchmark.name, benchmark.rows, benchmark.how, load, figures, reason)


def _is_asked(benchmark: Benchmark, options: argparse.Namespace) -> bool:
    return benchmark.flag is None or bool(options.only) or bool(getattr(options, benchmark.flag))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what cspmap costs, beside its budgets and a naive way.")
    parser.add_argument(
        "--only",
        nargs="+",
        metavar="NAME",
        choices=[benchmark.name for benchmark in BENCHMARKS],
        help=f"only these: {', '.join(benchmark.name for benchmark in BENCHMARKS)}",
    )
    parser.add_argument("--large", action="store_true", help="also build a store of 20 million rows (minutes, 15 GB)")
    parser.add_argument("--install", action="store_true", help="also install the project afresh (needs a network)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the report there too, as Markdown")
    return parser.parse_args(arguments)
