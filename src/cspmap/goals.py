"""What a table of targets asks of each area by a period: as printed, on the way to it, or shared out to the areas.

A target that a document prints for an area stands as printed. What it prints for the whole alone is shared out to the
areas of a level by a method that the partnership chooses, so that the parts add up to the whole.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from cspmap.analysis.apportionment import apportion
from cspmap.analysis.target_methods import POOL, MethodKey, share_target
from cspmap.analysis.targets.trajectory import draw_milestones
from cspmap.errors import UserError
from cspmap.line_rule import LineRule
from cspmap.partnership import Partnership
from cspmap.periods import Span
from cspmap.targets import Indicator, Target, TargetArea, TargetTable, name_period

Origin = Literal["printed", "worked out", "on the way", "shared out"]
WHOLE = ""
# Between the names of areas that carry one target together, in a file of targets.
TOGETHER = " + "
WITHHELD_TARGET = "withheld: it would be worked out from a count that is small, or would give a small one away"
EVENED = ", those whose count is withheld taken as equal"
_TIE = 1e-9


@dataclass(frozen=True)
class Goal:
    """What is asked of one indicator in one area over one span.

    `members` are the codes of the areas that it is asked of together: `WHOLE` for the partnership, one for an area, and
    more where areas too small to carry a target of their own carry one together. `value` is None where none can be
    told, and `baseline` where it is not printed and not all of its months are loaded. `how` says in words how the value
    came about; `target` is what was printed, of the area itself or of the whole that was shared out. `withheld` where
    the disclosure rule withholds the value, as a small count would be behind it.
    """

    indicator: Indicator
    members: tuple[str, ...]
    area: str
    span: Span
    value: float | None
    baseline: float | None
    baseline_span: Span | None
    origin: Origin
    how: str
    target: Target
    withheld: bool = False


def list_measured(table: TargetTable, partnership: Partnership) -> tuple[Indicator, ...]:
    """The indicators that the partnership's recorded crime measures.

    They are counts of crime types that it has, with a target for the whole or one of its community areas.
    """
    known, areas = partnership.crime_names, {area.name.casefold() for area in partnership.areas}
    here = {
        target.indicator
        for target in table.targets
        if is_whole(target.area, partnership) or target.area.name.casefold() in areas
    }
    return tuple(
        indicator
        for indicator in table.indicators
        if indicator in here
        and indicator.crimes
        and indicator.unit == "count"
        and all(key in known for key in indicator.crimes)
    )


def is_whole(area: TargetArea, partnership: Partnership) -> bool:
    """Whether a printed area is the partnership as a whole: without a name, or by its own."""
    return area.name.casefold() in ("", partnership.place.casefold(), partnership.name.casefold())


def list_periods(table: TargetTable, partnership: Partnership) -> tuple[Span, ...]:
    """The periods that goals can be told for: those printed, and the years on the way to them; the earliest first."""
    measured = list_measured(table, partnership)
    targets = [target for target in table.targets if target.indicator in measured]
    periods = {span for target in targets for span in _list_years(target)}
    return tuple(sorted(periods, key=lambda span: (span.last, span.first)))


def _list_years(target: Target) -> list[Span]:
    """The years after a target's baseline up to its own; its own period alone where it is no whole years later."""
    due, start = target.due, target.baseline_period
    if start is None or not len(due) == len(start) == 12:
        return [due]
    months = due.first.ordinal - start.first.ordinal
    return [start.shift(month) for month in range(12, months + 1, 12)] if months > 0 == months % 12 else [due]


@dataclass(frozen=True)
class Sharing:
    """How what is printed for a whole is shared out to the areas of a level.

    `figures` are what the method goes by, for every area by its code (`analysis.target_methods`). Areas whose share
    would be below `least` carry one target together.
    """

    method: MethodKey
    figures: pd.DataFrame
    least: float = 5.0


def set_goals(
    table: TargetTable,
    partnership: Partnership,
    *,
    areas: Mapping[str, str],
    span: Span,
    counts: pd.DataFrame,
    sharing: Sharing,
    rule: LineRule | None = None,
) -> list[Goal]:
    """The goals of a table for one period: of every measured indicator that of the whole, then that of each area.

    `areas` are the names of a level's areas by code. A printed target of an area stands. Wards of a printed area share
    out that area's; areas of which nothing is printed share out the whole's. `counts` are the monthly counts by
    indicator key and area (`Query.count_series`), from which baselines are taken where none is printed.

    Where the partnership has a disclosure `rule`, nothing is worked out from a count that it withholds: a target is
    shared out to such areas in equal parts of what they have together. Where it rounds, rounded counts are gone by.
    """
    setting = _Setting(partnership, areas, span, counts, sharing, rule)
    measured = list_measured(table, partnership)
    return [
        goal
        for indicator in measured
        for goal in setting.set_indicator([target for target in table.targets if target.indicator == indicator])
    ]


@dataclass(frozen=True)
class _Setting:
    partnership: Partnership
    areas: Mapping[str, str]
    span: Span
    counts: pd.DataFrame
    sharing: Sharing
    rule: LineRule | None = None
    # Of the counts over a span, by indicator and area: NaN unless all of its months are loaded.
    sums: dict[Span, dict[Any, float]] = field(default_factory=dict)

    def set_indicator(self, targets: Sequence[Target]) -> Iterator[Goal]:
        """The goals of one indicator, from all its targets: the whole's, then each area's, those together last."""
        asked = [target for target in targets if self.span in _list_years(target)]
        if not asked:
            return
        # A target of this very period before one that it is only on the way to.
        due = min((target.due for target in asked), key=lambda span: (span != self.span, span.last))
        printed = [target for target in asked if target.due == due]
        whole = next((target for target in printed if is_whole(target.area, self.partnership)), None)
        if whole is not None:
            yield self._set(whole, (WHOLE,))
        printed = [target for target in printed if target is not whole]
        own = _keep_most([(target, self._find(target.area.name)) for target in printed])
        made = _keep_most([(target, self._list_members(target)) for target in printed])
        # At the level of the areas, that of South has the ward South in it: the areas themselves reach further.
        if _reach(own) >= _reach(made):
            goals = [self._set(target, codes) for target, codes in own]
        else:
            goals = [goal for target, codes in made for goal in self._share_out(target, codes)]
        if whole is not None and not goals:
            goals = self._share_out(whole, tuple(self.areas))
        order = list(self.areas)
        yield from sorted(goals, key=lambda goal: (len(goal.members) > 1, order.index(goal.members[0])))

    def _set(self, target: Target, members: Sequence[str]) -> Goal:
        """What a printed target asks of some areas together by the period."""
        start = target.baseline_period
        baseline = (
            float(target.baseline) if target.baseline is not None else self._measure(target.indicator, members, start)
        )
        value, origin, how = _find_value(target, baseline)
        if target.due != self.span and value is not None:
            origin = "on the way"
            if baseline is None:
                value, how = None, f"not known: what the way to {value:,.0f} starts from is not known"
            else:
                how = f"on the straight line to {value:,.0f} by {name_period(target.due)}"
                years = _list_years(target)
                value = float(round(draw_milestones(baseline, value, len(years))[years.index(self.span)]))
        withheld = value is None and target.baseline is None and self._withholds(target.indicator, members, start)
        if withheld:
            how = WITHHELD_TARGET
        area = self._name(members)
        return Goal(
            target.indicator, tuple(members), area, self.span, value, baseline, start, origin, how, target, withheld
        )

    def _share_out(self, target: Target, codes: Sequence[str]) -> list[Goal]:
        """A printed target shared out to some areas of the level, so that they add up to it.

        What the whole counts and no area does, for want of a location, keeps its own share of the whole's target.
        """
        of_all = is_whole(target.area, self.partnership)
        whole, base = self._set(target, [WHOLE] if of_all else codes), self._find_base(target, codes)
        named = target.area.name or self.partnership.place
        refused = f"{named}'s target cannot be shared out"
        withheld = whole.withheld or (base is not None and self._withholds_sum(target, codes, base))
        if whole.value is None or base is None or withheld:
            how = f"{refused}: what it starts from is {'withheld' if withheld else 'not known'}."
            return [self._share(target, (one,), None, how, withheld=withheld) for one in codes]
        counts, uneven = self._weigh(target.indicator, codes, base)
        over = self._find_base(target, [WHOLE]) if of_all else None
        everything = None if over is None else self._weigh(target.indicator, [WHOLE], over)[0]
        amount, words = _find_most(whole)
        total = keep_outside(amount, sum(counts), everything)
        figures = self._figures if len(codes) == len(self.areas) else self._figures.loc[list(codes)]
        try:
            shared = share_target(
                total, figures.assign(count=counts), method=self.sharing.method, least=self.sharing.least
            )
        except UserError as error:
            return [self._share(target, (one,), None, f"{refused}: {error}") for one in codes]
        left = amount - total
        less = f", less {left:,} for incidents without a location," if left else ""
        how = f"{named}'s {words}{less} shared out {shared.words}{EVENED if uneven else ''}"
        members: dict[str, list[str]] = {}
        for one, carrier in shared.frame["carried_by"].items():
            if one != POOL:
                members.setdefault(carrier, []).append(str(one))
        return [self._share(target, tuple(members[str(by)]), float(value), how) for by, value in shared.targets.items()]

    @cached_property
    def _figures(self) -> pd.DataFrame:
        """What the method goes by, with the names of the areas, in their order."""
        names = pd.Series(self.areas)
        return self.sharing.figures.reindex(names.index).assign(name=names)

    def _share(
        self, target: Target, members: tuple[str, ...], value: float | None, how: str, *, withheld: bool = False
    ) -> Goal:
        """The share of one area, or of several too small to carry one each."""
        start = target.baseline_period
        names = ", ".join(self.areas[code] for code in members)
        return Goal(
            indicator=target.indicator,
            members=members,
            area=self._name(members),
            span=self.span,
            value=value,
            baseline=self._measure(target.indicator, members, start),
            baseline_span=start,
            origin="shared out",
            how=f"{how}; too small for a target each: {names}" if len(members) > 1 else how,
            target=target,
            withheld=withheld,
        )

    def _name(self, members: Sequence[str]) -> str:
        if len(members) > 1:
            return f"{len(members)} small areas together"
        return self.areas.get(members[0], self.partnership.place)

    def _find_base(self, target: Target, codes: Sequence[str]) -> Span | None:
        """What areas are weighed over: the target's baseline; where that is not loaded, the year before the period."""
        for span in (target.baseline_period, Span.ending(self.span.first - 1, months=12)):
            if all(self._count(target.indicator, [code], span) is not None for code in codes):
                return span
        return None

    def _weigh(self, indicator: Indicator, codes: Sequence[str], span: Span) -> tuple[list[float], bool]:
        """The areas' counts over a span to share out by, and whether some that are withheld are taken as equal."""
        counts = [self._count(indicator, [code], span) or 0.0 for code in codes]
        if self.rule is None:
            return counts, False
        flags = self.rule.flag(span).loc[list(codes), indicator.key].to_numpy()
        return even_out(self.rule.round(counts), flags).tolist(), bool(flags.any())

    def _measure(self, indicator: Indicator, codes: Sequence[str], span: Span | None) -> float | None:
        """The count of some areas together over a span, as it may be shown; None unless all of it is loaded."""
        count = None if self._withholds(indicator, codes, span) else self._count(indicator, codes, span)
        return count if count is None or self.rule is None else float(self.rule.round(count))

    def _count(self, indicator: Indicator, codes: Sequence[str], span: Span | None) -> float | None:
        """The count of some areas together over a span; None unless all of its months are loaded."""
        if span is None:
            return None
        if span not in self.sums:
            months = self.counts.reindex([str(month) for month in span])
            self.sums[span] = months.sum(min_count=len(span)).to_dict()
        count = sum(self.sums[span].get((indicator.key, code), math.nan) for code in codes)
        return None if math.isnan(count) else float(count)

    def _withholds(self, indicator: Indicator, codes: Sequence[str], span: Span | None) -> bool:
        """Whether the disclosure rule withholds what `_count` gives."""
        return self.rule is not None and span is not None and self.rule.withholds(indicator.key, codes, span)

    def _withholds_sum(self, target: Target, codes: Sequence[str], span: Span) -> bool:
        """Whether it withholds what the areas that share a target have together."""
        named = target.area.name.casefold()
        area = next((each.code for each in self.partnership.areas if each.name.casefold() == named), "")
        return self.rule is not None and self.rule.withholds_sum(target.indicator.key, codes, span, area=area)

    def _find(self, name: str) -> tuple[str, ...]:
        """The areas of the level by this name, or by such of several together; none if the level lacks one of them."""
        codes = {own.casefold(): code for code, own in self.areas.items()}
        parts = [name] if name.casefold() in codes else name.split(TOGETHER)
        found = [codes.get(part.casefold()) for part in parts]
        return () if None in found else tuple(code for code in found if code is not None)

    def _list_members(self, target: Target) -> tuple[str, ...]:
        """The areas of the level that a printed area is made of; none where it is made of those of another level."""
        members = {
            member.strip().casefold()
            for area in self.partnership.areas
            if area.name.casefold() == target.area.name.casefold() and area.last is None
            for member in area.members
        }
        return tuple(code for code, own in self.areas.items() if {own.casefold(), code.casefold()} & members)


_Found: TypeAlias = Sequence[tuple[Target, tuple[str, ...]]]


def _keep_most(found: _Found) -> _Found:
    """What was found of a level for some printed areas; nothing unless it is most of them: a ward may bear the name
    of an area.
    """
    there = [(target, codes) for target, codes in found if codes]
    return there if 2 * len(there) > len(found) else []


def _reach(found: _Found) -> int:
    """How many areas of a level some targets are for."""
    return sum(len(codes) for _, codes in found)


def even_out(counts: npt.ArrayLike, withheld: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Whole numbers with those `withheld` in equal parts of their sum, which what is shown and its total give anyway.

    Nothing made from these tells more than is shown. The first few have one more where the sum does not divide evenly.
    """
    evened, flags = np.array(counts, dtype=np.float64), np.asarray(withheld, dtype=bool)
    if flags.any():
        evened[flags] = apportion(round(float(evened[flags].sum())), np.ones(np.count_nonzero(flags)))
    return evened


def keep_outside(total: int, inside: float, whole: Sequence[float] | None) -> int:
    """What of a whole's target is for its areas: in proportion to what of its count (`whole`, one number) they hold."""
    beyond = max(whole[0] - inside, 0.0) if whole else 0.0
    return int(apportion(total, [inside, beyond])[0]) if beyond else total


def _find_most(goal: Goal) -> tuple[int, str]:
    """The whole number that a goal allows, and that in words: below 1,840 is 1,839."""
    value = goal.value or 0.0
    if goal.origin == "printed" and goal.target.kind == "below":
        return max(math.ceil(value) - 1, 0), f"{max(math.ceil(value) - 1, 0):,} (below {value:,.0f})"
    return math.floor(value), f"{value:,.0f}"


def _find_value(target: Target, baseline: float | None) -> tuple[float | None, Origin, str]:
    """What a target asks by its own period, how it came about, and that in words.

    A percentage of a baseline is rounded to the whole number that is the harder to reach.
    """
    if target.value is not None:
        return float(target.value), "printed", "as printed"
    if target.kind == "hold":
        return baseline, "worked out", "no worse than the baseline"
    own = target.percent_on in (None, target.baseline_period)
    if target.percent is None or baseline is None or not own:
        return None, "worked out", "not known: no number is printed, and what the percentage is of is not known"
    less = target.indicator.direction == "less"
    exact = baseline * (1 + (-1 if less else 1) * float(target.percent) / 100)
    value = math.floor(exact + _TIE) if less else math.ceil(exact - _TIE)
    return float(value), "worked out", f"{target.percent} % {'below' if less else 'above'} {baseline:,.0f}"
