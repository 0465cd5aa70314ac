"""What is wrong in a table of targets, one fault at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeAlias

import pandas as pd

from cspmap.periods import Span
from cspmap.targets import TargetTable, name_period

FaultKind: TypeAlias = Literal[
    "indicator-sum", "area-sum", "percentage", "unprinted-baseline", "implied-sum", "worse-than-baseline", "heading"
]
Figure: TypeAlias = Literal["baseline", "target", "percent", "heading"]

COLUMNS = (
    *("kind", "indicator", "area", "figure", "period"),
    *("printed", "recomputed", "difference", "carried_from", "sentence"),
)


@dataclass(frozen=True)
class Fault:
    """One place where a table does not agree with itself.

    - indicator-sum: a sum of indicators and its printed parts; area-sum: an area and the areas it is made of
    - percentage: a printed percentage and the printed numbers
    - unprinted-baseline: a percentage that holds on a period whose figure is not printed, and not on the baseline that
      is; `implied` is what the figure would be
    - implied-sum: such figures, as the percentages of an indicator and of its parts imply them
    - worse-than-baseline: a target on the wrong side of its printed baseline
    - heading: a period printed otherwise than it must be; `indicator` and `area` are empty, as it stands over many

    `indicator` is a key and `area` a name. `recomputed` is what follows from the rest of the table, for
    worse-than-baseline the baseline; it and `printed` are None for a heading. `carried_from` names the (indicator,
    area) of the faults that this one follows from; it is empty for a fault in its own right.
    """

    kind: FaultKind
    indicator: str
    area: str
    period: Span
    figure: Figure
    printed: Decimal | None
    recomputed: Decimal | None
    sentence: str
    implied: Decimal | None = None
    carried_from: tuple[tuple[str, str], ...] = ()

    @property
    def difference(self) -> Decimal | None:
        """By how much the printed figure is above the recomputed one."""
        return None if self.printed is None or self.recomputed is None else self.printed - self.recomputed


def tabulate_faults(faults: Sequence[Fault], table: TargetTable) -> pd.DataFrame:
    """Faults as a table, one row each, with indicators by name and periods in short: texts, Decimals and None."""
    names = {indicator.key: indicator.name for indicator in table.indicators}
    rows = [
        {
            "kind": fault.kind,
            "indicator": names.get(fault.indicator, ""),
            "area": fault.area,
            "figure": fault.figure,
            "period": name_period(fault.period),
            "printed": fault.printed,
            "recomputed": fault.recomputed,
            "difference": fault.difference,
            "carried_from": "; ".join(name_place(names[indicator], area) for indicator, area in fault.carried_from),
            "sentence": fault.sentence,
        }
        for fault in faults
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype="object")


def name_place(indicator: str, area: str) -> str:
    """An indicator and an area in words."""
    return f"{indicator}, {area or 'the whole'}"
