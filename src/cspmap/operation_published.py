"""What the partnership's disclosure rule lets out of an operation's evaluation.

Where small counts are withheld, an evaluation with any such count behind it gives no figure at all: each of its
measures is worked out from the four or six counts, and would give one of them back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cspmap.analysis.disclosure import Flags
from cspmap.analysis.evaluation import Evaluation
from cspmap.analysis.evaluation.cautions import list_cautions
from cspmap.exports.published import WITHHELD, Published
from cspmap.periods import Month, Span
from cspmap.selection import Selection

if TYPE_CHECKING:
    from cspmap.partnership import Disclosure

# Incidents by month ("YYYY-MM", NaN where not loaded) of the parts of the town, of which no two overlap and which
# together are the whole: the area, the comparison, then any others.
Parts = Mapping[str, pd.Series]
# Of those parts that are made of whole areas of a level: that level and their codes.
Wholes = Mapping[str, tuple[str, tuple[str, ...]]]


def describe_withheld(rule: "Disclosure") -> str:
    """Why an evaluation gives no figures."""
    return (
        f"Withheld, as a count that this rests on is from 1 to {rule.threshold - 1}, or would give such a count away. "
        "Choose longer periods or more crime types."
    )


def withhold_sheet(
    sheet: Evaluation, parts: Parts, wholes: Wholes, crimes: Sequence[str], published: Published
) -> Evaluation | None:
    """What of an evaluation may be given out where small counts are withheld; None where one behind it is.

    The counts of `wholes` are those of areas whose own counts are shown on Explore, and keep to the same.
    """
    months = sheet.months
    if any(_is_withheld(parts, wholes, crimes, used, published) for used in (months.before, months.after)):
        return None
    if sheet.earlier_months and _is_withheld(parts, wholes, crimes, sheet.earlier_months, published):
        hindsight = replace(sheet.hindsight, rise=None)
        cautions = list_cautions(sheet.before, sheet.after, months, sheet.noise, hindsight)
        sheet = replace(sheet, earlier=None, earlier_months=(), hindsight=hindsight, cautions=cautions)
    return replace(sheet, course=_hide_months(sheet, parts, wholes, crimes, published))


def withhold_course(sheet: Evaluation) -> Evaluation:
    """An evaluation without any month of its course."""
    course = sheet.course.copy()
    course[WITHHELD] |= course["count"].notna() | course["expected"].notna()
    course[["count", "expected", "low", "high"]] = np.nan
    return replace(sheet, course=course)


def is_small(parts: Iterable[pd.Series], used: Sequence[str], threshold: int) -> bool:
    """Whether any part has fewer incidents over some months than are given out, and any."""
    return any(0 < part.loc[list(used)].sum() < threshold for part in parts)


def _is_withheld(
    parts: Parts, wholes: Wholes, crimes: Sequence[str], used: Sequence[str], published: Published
) -> bool:
    if is_small(parts.values(), used, published.rule.threshold):
        return True
    return any(
        published.flag_sums(_select(level, used, crimes), pd.Series(0, index=list(codes)))[0]
        for level, codes in wholes.values()
    )


def _select(level: str, months: Sequence[str], crimes: Sequence[str]) -> Selection:
    return Selection(Span(Month.parse(months[0]), Month.parse(months[-1])), level, crimes=tuple(crimes))


def _hide_months(
    sheet: Evaluation, parts: Parts, wholes: Wholes, crimes: Sequence[str], published: Published
) -> pd.DataFrame:
    """The course without what is withheld of it, and a column that says of which months that is any.

    What is expected of a month is the comparison's count of it but for a factor that the sheet tells, so that both are
    protected. The months of each time that has a sum on the sheet are protected together; where their sum would have
    to be withheld too, they all are.
    """
    course = sheet.course.copy()
    months = course["month"].tolist()
    rows = np.array([part.reindex(months).to_numpy(dtype=float) for part in parts.values()])
    rows = rows[[number < 2 or bool(np.nansum(row)) for number, row in enumerate(rows)]]
    gone, bare = np.zeros((2, len(months)), dtype=bool), False
    summed = []
    for run, has_sum in _divide(sheet, months, known=~np.isnan(rows).any(axis=0)):
        at = [months.index(month) for month in run]
        flags = published.protect(rows[:, at])[:2]
        gone[:, at] = flags[:, :-1]
        for number, name in enumerate(("area", "comparison")):
            if name in wholes:
                own = _flag_units(run, *wholes[name], crimes, published)
                gone[number, at] |= own[:-1]
                flags[number, -1] |= own[-1]
        if has_sum:
            summed += at
            bare = bare or bool(flags[:, -1].any())
    if bare:
        gone[:, summed] = True
    course.loc[gone[0], "count"] = np.nan
    course.loc[gone[1], ["expected", "low", "high"]] = np.nan
    course[WITHHELD] = gone[0] | gone[1]
    return course


def _flag_units(
    run: Sequence[str], level: str, codes: Sequence[str], crimes: Sequence[str], published: Published
) -> Flags:
    """Which months of a part, and whether their sum, is withheld beside the areas that the part is made of."""
    selection = _select(level, run, crimes)
    missing = published.query.missing_months(selection.span)
    loaded = [str(month) for month in selection.span if month not in missing]
    flags = published.flag_split(selection, codes, "month")
    return np.append(flags[:-1][[month in run for month in loaded]], flags[-1])


def _divide(sheet: Evaluation, months: Sequence[str], *, known: Flags) -> list[tuple[list[str], bool]]:
    """The months that are known, by which of the times that are summed up they are in, and whether in any."""
    times = [set(used) for used in (sheet.months.before, sheet.months.after, sheet.earlier_months)]
    kinds = {month: tuple(month in time for time in times) for month, held in zip(months, known, strict=True) if held}
    divided = []
    for kind in sorted(set(kinds.values())):
        inside = [month for month in kinds if kinds[month] == kind]
        if any(kind):
            divided.append((inside, True))
        else:
            runs = Span.find_runs(Month.parse(month) for month in inside)
            divided += [([str(month) for month in run], False) for run in runs]
    return divided
