"""The layout of the example's hexagons: a text drawn by hand, read into hexagons and written as HexJSON."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cspmap.errors import Problem, SourceError

# A cell of the drawing is four characters wide; a row that is shifted half a hexagon starts two further in.
_CELL = 4


@dataclass(frozen=True)
class Ward:
    """A ward of the drawing's legend: the letters that stand for it, its made-up code, name and area."""

    letters: str
    code: str
    name: str
    area: str


@dataclass(frozen=True)
class Hexagon:
    """One hexagon: made-up code ("dallow-03"), name ("Dallow 3"), ward, and HexJSON column and row (odd-r)."""

    code: str
    name: str
    ward: Ward
    q: int
    r: int


def read_layout(path: Path) -> list[Hexagon]:
    """Read the drawing: legend, empty line, rows from north to south. Hexagons come sorted by code.

    Within a ward they are numbered as one reads: row by row from the north, west to east. Raises SourceError with
    every pair of letters that the legend does not know and every pair off the lattice.
    """
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    gap = lines.index("")
    wards = {ward.letters: ward for ward in map(_read_ward, lines[:gap])}
    rows = [line for line in lines[gap:] if line.strip()]
    hexagons: list[Hexagon] = []
    problems: list[Problem] = []
    numbers: Counter[str] = Counter()
    for r, line in zip(reversed(range(len(rows))), rows, strict=True):
        for start, letters in _pairs(line):
            q, offset = divmod(start - (r % 2) * _CELL // 2, _CELL)
            if offset or letters not in wards:
                what = f"{letters!r} at character {start + 1} is off the lattice or not in the legend"
                problems.append(Problem(f"{path.name}, row {len(rows) - r} of the drawing", what, "move it"))
                continue
            ward = wards[letters]
            numbers[letters] += 1
            stem = ward.code.removeprefix("luton-")
            code, name = f"{stem}-{numbers[letters]:02d}", f"{ward.name} {numbers[letters]}"
            hexagons.append(Hexagon(code, name, ward, q, r))
    if problems:
        raise SourceError(problems)
    return sorted(hexagons, key=lambda hexagon: hexagon.code)


def format_hexjson(hexagons: Sequence[Hexagon]) -> str:
    """The hexagons as HexJSON, one a line, each with the code and the name of its ward."""
    entries = ",\n".join(f'"{hexagon.code}":{_compact(_entry(hexagon))}' for hexagon in hexagons)
    return f'{{"layout":"odd-r","hexes":{{\n{entries}\n}}}}\n'


def _entry(hexagon: Hexagon) -> dict[str, Any]:
    ward = hexagon.ward
    return {"n": hexagon.name, "q": hexagon.q, "r": hexagon.r, "ward": ward.code, "ward_name": ward.name}


def _compact(entry: dict[str, Any]) -> str:
    return json.dumps(entry, separators=(",", ":"))


def _read_ward(line: str) -> Ward:
    # Names may hold one space ("High Town"), columns lie at least two apart.
    letters, code, name, area = (part.strip() for part in line.split("  ") if part.strip())
    return Ward(letters, code, name, area)


def _pairs(line: str) -> Iterable[tuple[int, str]]:
    position = 0
    for pair in line.split():
        position = line.index(pair, position)
        yield position, pair
        position += len(pair)
