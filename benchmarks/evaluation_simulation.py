"""Try the judging of operations out: python benchmarks/evaluation_simulation.py.

Simulates operations whose effect is known, and operations that do nothing; then, where the real open data is beside the
checkout, pretends operations that never were in real Luton, and judges a real ward. Writes the sections of
docs/evaluation.md that lie between its marks; what it has no data for stays as it was.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.evaluation_luton import read_town, write_example, write_placebos
from benchmarks.evaluation_ways import WAYS, find_effects, format_head, format_percent, format_row, is_found
from benchmarks.setting import NotRunError, Setting
from cspmap.analysis.evaluation import Periods, estimate_effect, measure_noise

OUT = Path(__file__).resolve().parents[1] / "docs" / "evaluation.md"
SECTIONS = ("simulation", "placebos", "example")
REPEATS = 2_000
SEED = 20_260
BEFORE = tuple(f"2022-{month:02d}" for month in range(1, 13))
AFTER = tuple(f"2023-{month:02d}" for month in range(1, 13))


@dataclass(frozen=True)
class World:
    """What a simulated town is like, and what an operation does in it.

    `units` of the focus area and `others` to compare it with have about `level` incidents a month each, with a season
    and a trend in common. Months scatter with a variance of `scatter` x their mean (negative binomial). The logarithm
    of each unit's level drifts by itself: from one year to the next with a variance of `drift`, and from month to
    month, wandering off, with a variance of `wander`. The operation multiplies the area by `effect`.
    """

    units: int
    others: int
    level: float
    scatter: float = 1.0
    drift: float = 0.0
    wander: float = 0.0
    effect: float = 1.0


@dataclass(frozen=True)
class Outcome:
    """Shares (0 to 1) of simulated operations in which each of the WAYS found an effect, the model's interval held the
    true one, and it said that there was too little to tell; and the median width of its intervals, in points.
    """

    found: tuple[float, ...]
    covered: float
    too_few: float
    width: float


WORLDS = (
    World(1, 18, 50),
    World(1, 18, 50, scatter=1.5),
    World(1, 18, 50, scatter=1.5, drift=0.01),
    World(1, 18, 50, scatter=1.5, wander=0.002),
    World(1, 18, 5, scatter=1.2, drift=0.02),
    World(1, 18, 0.5, drift=0.02),
    World(1, 5, 20, scatter=1.3, drift=0.02),
    World(8, 100, 15, scatter=1.5, drift=0.05),
    World(8, 100, 3, scatter=1.2, drift=0.05),
    World(8, 100, 0.3, drift=0.1),
)
WITH_EFFECT = (WORLDS[2], WORLDS[4], WORLDS[8])
EFFECTS = (0.9, 0.8, 0.6, 1.3)


def simulate(world: World, rng: np.random.Generator) -> tuple[Periods, Periods]:
    """Monthly counts before and after in the units of the focus area, and in the others."""
    size = world.units + world.others
    levels = world.level * rng.lognormal(0, 0.6, size)
    season = 1 + 0.15 * np.sin(np.arange(24) / 6 * np.pi + rng.uniform(0, 2 * np.pi))
    mean = np.outer(season * np.linspace(1, rng.uniform(0.85, 1.15), 24), levels)
    mean *= np.exp(np.cumsum(rng.normal(0, np.sqrt(world.wander), mean.shape), axis=0))
    mean[12:] *= np.exp(rng.normal(0, np.sqrt(world.drift), size))
    mean[12:, : world.units] *= world.effect
    if world.scatter > 1:
        mean = rng.gamma(mean / (world.scatter - 1), world.scatter - 1)
    counts = pd.DataFrame(rng.poisson(mean), index=[*BEFORE, *AFTER], columns=range(size))
    area, others = counts.iloc[:, : world.units], counts.iloc[:, world.units :]
    return Periods.cut(area, BEFORE, AFTER), Periods.cut(others, BEFORE, AFTER)


def try_out(world: World, *, repeats: int = REPEATS, seed: int = SEED) -> Outcome:
    """Judge so many simulated operations."""
    rng = np.random.default_rng(seed)
    truth = 100 * (world.effect - 1)
    found, covered, too_few, widths = [], 0, 0, []
    for _ in range(repeats):
        area, others = simulate(world, rng)
        noise = measure_noise(others)
        effect = estimate_effect(area, others, noise)
        low = -np.inf if effect.percent_low is None else effect.percent_low
        high = np.inf if effect.percent_high is None else effect.percent_high
        found.append(find_effects(area, others, noise))
        covered += low <= truth <= high
        too_few += effect.verdict == "too few to tell"
        widths.append(high - low)
        assert is_found(effect) == found[-1][0]
    shares = tuple(np.mean(np.array(found), axis=0).tolist())
    return Outcome(shares, covered / repeats, too_few / repeats, float(np.median(widths)))


def write_simulation(repeats: int = REPEATS) -> str:
    """The two tables: nothing done, and something done."""
    error = 100 * np.sqrt(0.05 * 0.95 / repeats)
    town = ("units: area, others", "a month each", "scatter", "drift", "wander")
    lines = [
        f"{repeats:,} operations a row, so that 5 % is known to {error:.1f} points either way (one standard error). "
        "Intervals are of 95 %.",
        "",
        "Nothing done: how often an effect is found all the same. 5 % is what was promised.",
        "",
        *format_head(*town, *WAYS, "too few to tell"),
    ]
    for world in WORLDS:
        outcome = try_out(world, repeats=repeats)
        shares = [format_percent(share) for share in (*outcome.found, outcome.too_few)]
        lines.append(format_row(*describe_world(world), *shares))
    lines += [
        "",
        "Something done: how often the model's interval holds the true effect (95 % is what was promised), and how "
        "often it finds one.",
        "",
        *format_head(*town, "true effect", "interval holds it", "found", "width of the interval"),
    ]
    for world in (replace(each, effect=effect) for each in WITH_EFFECT for effect in EFFECTS):
        outcome = try_out(world, repeats=repeats)
        truth = f"{100 * (world.effect - 1):+.0f} %".replace("-", "−")
        shares = [format_percent(share) for share in (outcome.covered, outcome.found[0])]
        lines.append(format_row(*describe_world(world), truth, *shares, f"{outcome.width:.0f} points"))
    return "\n".join(lines)


def describe_world(world: World) -> tuple[str, ...]:
    numbers = (world.level, world.scatter, world.drift, world.wander)
    return (f"{world.units}, {world.others}", *(f"{number:g}" for number in numbers))


def replace_section(text: str, name: str, section: str) -> str:
    """The text with what lies between the marks of a section replaced. Raises ValueError where there are none."""
    start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"{re.escape(start)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"there is no section {name} to write")
    return pattern.sub(lambda _: f"{start}\n\n{section}\n\n{end}", text)


def write_sections(only: Sequence[str], repeats: int) -> Iterator[tuple[str, str]]:
    """The name and text of each of the sections asked for that can be written."""
    if "simulation" in only:
        yield "simulation", write_simulation(repeats)
    if not set(only) - {"simulation"}:
        return
    with tempfile.TemporaryDirectory(prefix="cspmap-evaluation-") as folder:
        try:
            town = read_town(Setting(Path(folder)))
        except NotRunError as error:
            print(f"Left as they were, as {error}: placebos, example.", file=sys.stderr)
            return
    if "placebos" in only:
        yield "placebos", write_placebos(town)
    if "example" in only:
        yield "example", write_example(town)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Try the judging of operations out and write docs/evaluation.md.")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=SECTIONS, help="only these sections")
    parser.add_argument("--repeats", type=int, default=REPEATS, help="simulated operations a row")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FILE", help="file whose sections are replaced")
    options = parser.parse_args(arguments)
    text = options.out.read_text("utf-8")
    for name, section in write_sections(options.only, options.repeats):
        text = replace_section(text, name, section)
    options.out.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
