"""The disclosure rule on the counts behind targets: which lines, months and baselines may be shown, and how rounded."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from cspmap.analysis.disclosure import round_counts
from cspmap.exports.published import hides_total, publish
from cspmap.partnership import Disclosure
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection

# Where more than this share of the months' counts are small, no month is shown: what could be would be islands.
_DENSE = 0.2


class LineRule:
    """What may be shown of counts by sets of crime types (by key) and area of a level ("" is the whole)."""

    def __init__(self, query: Query, level: str, types: Mapping[str, Sequence[str]]) -> None:
        self._query, self._published = query, publish(query)
        self.rule: Disclosure = self._published.rule
        self._level, self._types = level, {key: tuple(chosen) for key, chosen in types.items()}
        self._flags: dict[Span, pd.DataFrame] = {}
        self._gone: dict[tuple[Span, str], frozenset[str]] = {}

    @property
    def hides(self) -> bool:
        """Whether small counts are withheld."""
        return self._published.hides

    @property
    def rounds(self) -> bool:
        """Whether counts are rounded."""
        return self._published.rounds

    def flag(self, span: Span) -> pd.DataFrame:
        """Which counts over a span are withheld: rows are the codes, "" first, columns the sets' keys.

        Areas and crime types are protected together. A set of several types, unless it is all of these, is withheld
        where one of them is: with the others it would give that one back. So is what Explore withholds of the set.
        """
        if span not in self._flags:
            self._flags[span] = self._work_out(span)
        return self._flags[span]

    def withholds(self, key: str, codes: Iterable[str], span: Span) -> bool:
        """Whether the count of some areas together is withheld: where that of one of them is."""
        if not self.hides:
            return False
        if (span, key) not in self._gone:
            flags = self.flag(span)[key]
            self._gone[span, key] = frozenset(flags.index[flags])
        return not self._gone[span, key].isdisjoint(codes)

    def withholds_sum(self, key: str, codes: Sequence[str], span: Span, *, area: str = "") -> bool:
        """Whether the sum over areas is withheld of which some may be: over all, or over those that make up `area`.

        `area` is the code of an area that the partnership makes of others, whose own count is then asked for.
        """
        if not self.withholds(key, codes, span):
            return False
        if set(codes) == set(self.flag(span).index) - {""}:
            return self.withholds(key, [""], span)
        made = next((each.layer for each in self._query.store.partnership.areas if each.code == area), None)
        if made is None:
            return True
        return LineRule(self._query, made, {key: self._types[key]}).withholds(key, [area], span)

    def flag_months(self, key: str, span: Span) -> pd.DataFrame:
        """Which counts by month of a span are withheld: rows are its months, columns the codes, "" first."""
        months, missing = [str(month) for month in span], self._query.missing_months(span)
        frame = pd.DataFrame(False, index=months, columns=["", *self._codes])
        loaded = [month for month, each in zip(months, span, strict=True) if each not in missing]
        if not self.hides or not loaded:
            return frame
        counts = self._counts[key].reindex(loaded)
        threshold = self.rule.threshold
        small = (counts.gt(0) & counts.lt(threshold))[["", *self._codes]]
        if not small.to_numpy().any():
            return frame
        if small[self._codes].to_numpy().mean() > _DENSE:
            frame.loc[loaded, self._codes] = True
        else:
            flags = self._published.flag(self._select([key]), span=span, by=("month",))
            frame.loc[loaded, self._codes] = flags[: len(self._codes), :-1].T
            frame.loc[loaded, ""] = flags[-1, :-1]
        # With those that have no location, the whole has counts of its own.
        frame.loc[loaded, ""] |= self._published.protect(counts[""])[:-1]
        return frame

    def round(self, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Counts as they are shown where the rule rounds; missing stays missing."""
        counts = np.array(values, dtype=np.float64)
        if self.rounds:
            known = np.isfinite(counts)
            counts[known] = round_counts(counts[known].astype(np.int64), self.rule.base)
        return counts

    def round_months(self, counts: pd.DataFrame, spans: Iterable[Span]) -> pd.DataFrame:
        """Monthly counts so rounded that from the start of each span they add up to rounded counts."""
        rounded = counts.copy()
        for span in spans:
            months = [str(month) for month in span if str(month) in counts.index]
            sums = self.round(counts.loc[months].fillna(0).cumsum())
            steps = pd.DataFrame(np.diff(sums, axis=0, prepend=0), index=months, columns=counts.columns)
            rounded.loc[months] = steps.where(counts.loc[months].notna())
        return rounded

    @cached_property
    def _counts(self) -> pd.DataFrame:
        return self._query.count_series(self._level, self._types)

    @cached_property
    def _codes(self) -> list[str]:
        """The areas' codes, as flags have them."""
        areas = self._query.store.areas
        return areas.loc[areas["layer"] == self._query.store.counted_level(self._level), "code"].tolist()

    def _select(self, keys: Iterable[str]) -> Selection:
        chosen = dict.fromkeys(kind for key in keys for kind in self._types[key])
        return Selection.default(self._query.store).change(level=self._level, crimes=tuple(chosen))

    def _work_out(self, span: Span) -> pd.DataFrame:
        flags = pd.DataFrame(False, index=["", *self._codes], columns=list(self._types))
        if not self.hides or len(self._query.missing_months(span)) == len(span):
            return flags
        everything = self._select(self._types)
        kinds = self._query.crime_types(everything)
        table = self._published.flag(everything, span=span, by=("crime_type",))
        table = np.concatenate([table[-1:], table[: len(self._codes)]])
        for place, kind in enumerate(kinds):
            table[0, place] |= self._hides_total(everything.change(crimes=(kind,)), span)
        for key, chosen in self._types.items():
            own = self._published.flag(self._select([key]), span=span)
            flag = np.concatenate([own[-1:], own[: len(self._codes)]])
            places = [kinds.index(kind) for kind in chosen]
            flag |= table[:, -1] if len(places) == len(kinds) > 1 else table[:, places].any(axis=1)
            flag[0] |= self._hides_total(self._select([key]), span)
            flags[key] = flag
        return flags

    def _hides_total(self, selection: Selection, span: Span) -> bool:
        return hides_total(self._query.count_coverage(selection, span=span), self.rule)


def rule_lines(query: Query, level: str, types: Mapping[str, Sequence[str]]) -> LineRule | None:
    """The disclosure rule on some counts; None where the partnership has none, and nothing need be asked."""
    return None if query.store.partnership.disclosure.rule == "none" else LineRule(query, level, types)
