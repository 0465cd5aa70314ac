"""The printed numbers of a table of targets, and how they add up over indicators and over areas."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Literal, TypeAlias

from cspmap.analysis.targets.faults import Fault, Figure, name_place
from cspmap.periods import Span
from cspmap.targets import Target, TargetTable, name_period

# Which figure of which indicator (key) and area (name), of which period.
Cell: TypeAlias = tuple[Figure, str, str, Span]
Way: TypeAlias = Literal["indicator-sum", "area-sum"]
WAYS: tuple[Way, Way] = ("indicator-sum", "area-sum")
# Of where a fault comes from, in its sentence; `carried_from` has all.
_MOST_NAMED = 4


class PrintedFigures:
    """The printed numbers of a table by cell. A cell may be the sum of others in two ways: of indicators, of areas."""

    def __init__(self, table: TargetTable) -> None:
        self._indicators = {indicator.key: indicator for indicator in table.indicators}
        self._areas = {area.name: area for area in table.areas}
        self._printed: dict[Cell, Decimal] = {}
        for target in table.targets:
            key, area = target.indicator.key, target.area.name
            if target.baseline is not None and target.baseline_period is not None:
                self._printed.setdefault(("baseline", key, area, target.baseline_period), target.baseline)
            if target.value is not None:
                self._printed.setdefault(("target", key, area, target.due), target.value)

    def find(self, target: Target, period: Span | None) -> Decimal | None:
        """The printed figure of a target's indicator and area for a period: its baseline, or what was due then."""
        key, area = target.indicator.key, target.area.name
        if period is None:
            return None
        baseline = self._printed.get(("baseline", key, area, period))
        return self._printed.get(("target", key, area, period)) if baseline is None else baseline

    def find_faults(self, way: Way) -> Iterator[Fault]:
        """The cells that differ from the sum of their parts, in the order of the table."""
        for cell, printed in self._printed.items():
            total = self._add_parts(cell, way)
            if total is None or total == printed:
                continue
            figure, key, area, period = cell
            origins = tuple(dict.fromkeys((at[1], at[2]) for _, at in self._find_origins(cell, way)))
            yield Fault(
                kind=way,
                indicator=key,
                area=area,
                period=period,
                figure=figure,
                printed=printed,
                recomputed=total,
                sentence=self._write_sentence(cell, way, total, origins),
                carried_from=origins,
            )

    def recompute(self, target: Target) -> Target:
        """A target with its number and baseline summed up from their parts, where all of them are printed."""
        key, area, period = target.indicator.key, target.area.name, target.baseline_period
        value, baseline = target.value, target.baseline
        if value is not None:
            value = self._sum_up(("target", key, area, target.due))
        if baseline is not None and period is not None:
            baseline = self._sum_up(("baseline", key, area, period))
        return replace(target, value=value, baseline=baseline)

    def _sum_up(self, cell: Cell) -> Decimal:
        """A number from the smallest parts it is printed in; over areas first, where the two ways differ."""
        for way in reversed(WAYS):
            if self._add_parts(cell, way) is not None:
                return sum((self._sum_up(part) for part in self._list_parts(cell, way)), Decimal(0))
        return self._printed[cell]

    def _list_parts(self, cell: Cell, way: Way) -> list[Cell]:
        """The cells that a cell should be the sum of, one way or the other."""
        figure, key, area, period = cell
        if self._indicators[key].unit != "count":
            return []
        if way == "indicator-sum":
            return [(figure, part, area, period) for part in self._indicators[key].parts]
        return [(figure, key, part, period) for part in self._areas[area].parts]

    def _add_parts(self, cell: Cell, way: Way) -> Decimal | None:
        """The sum of a cell's parts; None where it has none, or not all of them are printed."""
        parts = self._list_parts(cell, way)
        if not parts or not all(part in self._printed for part in parts):
            return None
        return sum((self._printed[part] for part in parts), Decimal(0))

    def _find_gap(self, cell: Cell, way: Way) -> Decimal | None:
        """By how much a printed cell is above the sum of its parts; None where that cannot be told."""
        total = self._add_parts(cell, way)
        return None if total is None or cell not in self._printed else self._printed[cell] - total

    def _find_origins(self, cell: Cell, way: Way) -> list[tuple[Way, Cell]]:
        """The faults in their own right that a fault follows from; none where it is one itself.

        Where a sum of indicators is printed for an area and for the areas it is made of, four sorts of sum are checked,
        of which any three imply the fourth. The cell's own sum of areas is taken to be the one implied, unless it
        holds: then it is the cell's sum of indicators.
        """
        across, down = self._list_parts(cell, "indicator-sum"), self._list_parts(cell, "area-sum")
        if not across or not down:
            return []
        other: Way = "area-sum" if way == "indicator-sum" else "indicator-sum"
        checks: list[tuple[Way, Cell]] = [(other, cell)]
        checks += [("indicator-sum", part) for part in down]
        checks += [("area-sum", part) for part in across]
        gaps = [self._find_gap(at, check) for check, at in checks]
        if None in gaps or (way == "indicator-sum" and gaps[0] != 0):
            return []
        origins: list[tuple[Way, Cell]] = []
        for (check, at), gap in zip(checks, gaps, strict=True):
            if gap != 0:
                origins.extend(self._find_origins(at, check) or [(check, at)])
        return origins

    def _write_sentence(self, cell: Cell, way: Way, total: Decimal, origins: Sequence[tuple[str, str]]) -> str:
        figure, key, area, period = cell
        printed, noun = self._printed[cell], "parts" if way == "indicator-sum" else "areas"
        sentence = (
            f"{name_place(self._indicators[key].name, area)}, {figure} {name_period(period)}: {printed:,} is printed, "
            f"and its {noun} add up to {total:,}, {abs(printed - total):,} {'fewer' if total < printed else 'more'}."
        )
        if origins:
            named = [name_place(self._indicators[one].name, where) for one, where in origins[:_MOST_NAMED]]
            rest = f" and {len(origins) - _MOST_NAMED} more" if len(origins) > _MOST_NAMED else ""
            sentence += f" Carried from {'; '.join(named)}{rest}."
        return sentence
