"""What the partnership's disclosure rule lets out of a query's counts: for pages, maps, tables and files alike.

Every count that is shown by area goes through here. Where the rule withholds small counts, a count that is withheld is
missing (NA) and a column of flags says so, to tell it from what is not known. Which counts are withheld depends on the
period, the crimes and the level alone, never on which of the areas are shown, so that pages and files agree.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal
from weakref import WeakKeyDictionary, ref

import numpy as np
import numpy.typing as npt
import pandas as pd

from cspmap.analysis.disclosure import Flags, add_totals, round_counts, suppress
from cspmap.analysis.part_sums import withhold_sums
from cspmap.analysis.sum_split import withhold_split
from cspmap.frames import add_columns
from cspmap.partnership import Disclosure
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.totals import COUNTS, Coverage

By = Literal["month", "crime_type"]

WITHHELD = "withheld"


class Published:
    """A query whose answers keep the partnership's disclosure rule. Safe to share between threads."""

    def __init__(self, query: Query) -> None:
        self._query = ref(query)
        self.rule: Disclosure = query.store.partnership.disclosure
        self._flag = lru_cache(maxsize=64)(self._work_out)

    @property
    def query(self) -> Query:
        """The query itself, which whoever asks holds: it goes, with its engine, when nobody does."""
        query = self._query()
        assert query is not None
        return query

    @property
    def hides(self) -> bool:
        """Whether small counts are withheld."""
        return self.rule.rule == "suppress"

    @property
    def rounds(self) -> bool:
        """Whether counts are rounded."""
        return self.rule.rule == "round"

    def count_areas(self, selection: Selection) -> pd.DataFrame:
        """As `Query.count_areas`, with columns withheld and withheld_before more."""
        frame = self.query.count_areas(selection)
        if not (self.hides or self.rounds):
            return add_columns(frame, **{WITHHELD: False, f"{WITHHELD}_before": False})
        for column, flag, span in (
            ("count", WITHHELD, selection.span),
            ("before", f"{WITHHELD}_before", selection.before),
        ):
            flags = np.zeros(len(frame), dtype=bool)
            if self.hides and frame[column].notna().any():
                flags = self.flag(selection, span=span)[self._find_rows(selection, frame["code"])]
            frame[column] = self.let_out(frame[column], flags)
            frame[flag] = flags
        return frame

    def count_cells(self, selection: Selection, by: Sequence[By]) -> pd.DataFrame:
        """As `Query.count_cells`, with a column withheld more."""
        cells = self.query.count_cells(selection.change(areas=()), by)
        flags = np.zeros(len(cells), dtype=bool)
        if self.hides and len(cells):
            found = self.flag(selection, by=by)[self._find_rows(selection, cells["code"].drop_duplicates())]
            flags = found[(slice(None), *[slice(0, -1)] * (found.ndim - 1))].ravel()
        cells["count"] = self.let_out(cells["count"], flags)
        cells[WITHHELD] = flags
        kept = cells["code"].isin(selection.areas) if selection.areas else pd.Series(True, index=cells.index)
        return cells[kept].reset_index(drop=True)

    def count_coverage(self, selection: Selection, *, span: Span | None = None) -> Coverage:
        """As `Query.count_coverage`; where the rule rounds, each of its counts is rounded."""
        coverage = self.query.count_coverage(selection, span=span)
        if not self.rounds:
            return coverage
        rounded = round_counts([getattr(coverage, name) for name in COUNTS], self.rule.base).tolist()
        return replace(coverage, **dict(zip(COUNTS, rounded, strict=True)))

    def count_months(self, selection: Selection, span: Span, *, code: str | None = None) -> pd.DataFrame:
        """As `Query.count_months`, with a column withheld more.

        The months of the period, of the one that it is compared with, and those of neither are protected apart, so
        that the sums over each of these are safe as well.
        """
        frame = add_columns(self.query.count_months(selection, span, code=code), **{WITHHELD: False})
        if self.hides:
            for months in self._divide(selection, span):
                frame.loc[frame["month"].isin(months), WITHHELD] = self._flag_months(selection, months, code)
        frame["count"] = self.let_out(frame["count"], frame[WITHHELD].to_numpy(dtype=bool))
        return frame

    def count_types(self, selection: Selection, *, code: str | None = None) -> pd.DataFrame:
        """As `Query.count_types`, with columns withheld and withheld_before more.

        Where small counts are withheld, only the crime types selected have a row: with the others, the sum over them
        could be had from that over all.
        """
        frame = self.query.count_types(selection, code=code)
        if self.hides:
            frame = frame[frame["crime_type"].isin(self.query.crime_types(selection))].reset_index(drop=True)
        for column, flag, span in (
            ("count", WITHHELD, selection.span),
            ("before", f"{WITHHELD}_before", selection.before),
        ):
            flags = np.zeros(len(frame), dtype=bool)
            if self.hides and frame[column].notna().any():
                flags = self.flag(selection, span=span, by=("crime_type",))[self._find_row(selection, code), :-1]
            frame[column] = self.let_out(frame[column], flags)
            frame[flag] = flags
        return frame

    def list_locations(self, selection: Selection, *, code: str | None = None, most: int = 10) -> pd.DataFrame:
        """As `Query.list_locations`, without those whose count is withheld, or whose rest would be."""
        if not self.hides:
            streets = self.query.list_locations(selection, code=code, most=most)
            if self.rounds:
                streets["count"] = round_counts(streets["count"].to_numpy(), self.rule.base)
                streets = streets[streets["count"] > 0]
            return streets
        flags = self.flag(selection)
        if flags[self._find_row(selection, code)]:
            return self.query.list_locations(selection, code=code, most=0)
        streets = self.query.list_locations(selection, code=code, most=most)
        streets = streets[streets["count"] >= self.rule.threshold]
        counts = self.query.count_areas(selection).set_index("code")["count"]
        rest = (counts.sum() if code is None else counts[code]) - streets["count"].sum()
        return streets.iloc[:-1] if 0 < rest < self.rule.threshold else streets

    def flag(self, selection: Selection, *, span: Span | None = None, by: Sequence[By] = ()) -> Flags:
        """Which counts by area, and by month and crime type where asked for, are withheld; as `suppress` lays it out.

        Along the months are those of the span that are loaded, along the types those selected.
        """
        key = Selection(
            span=selection.span if span is None else span,
            level=self.query.store.counted_level(selection.level),
            crimes=selection.crimes,
        )
        return self._flag(key, tuple(by))

    def protect(self, counts: npt.ArrayLike, *, groups: Sequence[int] | None = None) -> Flags:
        """Which counts of a table of one to three ways are withheld, laid out as `suppress` lays them out.

        For counts of anything but a level's areas, which `flag` answers for: cells, streets, the types and months of
        an outline. They are shown with their totals. What is missing (NaN) counts as nothing. Nothing is withheld
        where the rule withholds nothing.
        """
        known = np.nan_to_num(np.asarray(counts, dtype=float)).astype(np.int64).clip(min=0)
        if self.hides:
            return suppress(known, threshold=self.rule.threshold, groups=groups)
        return np.zeros(add_totals(known, groups=groups).shape, dtype=bool)

    def flag_sums(self, selection: Selection, parts: pd.Series) -> Flags:
        """Which sums over parts of a level's areas are withheld, beside the areas' own counts as `flag` has them.

        `parts` has by code the part (0 ...) of every area, -1 for none. One flag a part.
        """
        if not self.hides:
            return np.zeros(int(parts.max()) + 1, dtype=bool)
        cells = self.query.count_cells(selection.change(areas=()), ())
        codes, flags = cells["code"].tolist(), self.flag(selection)
        groups = self._group(selection, codes)
        if groups is not None:
            groups = [-1 if flags[len(codes) + group] else group for group in groups]
        counts = cells["count"].fillna(0).to_numpy(dtype=np.int64).clip(min=0)
        inside = parts.reindex(codes, fill_value=-1).tolist()
        return withhold_sums(counts, flags[: len(codes)], inside, threshold=self.rule.threshold, groups=groups)

    def flag_split(self, selection: Selection, codes: Sequence[str], by: By, *, span: Span | None = None) -> Flags:
        """Which counts of some of a level's areas together are withheld, split one way; that of their sum last.

        Along the months are those of the span that are loaded, along the types those selected. The counts are beside
        the areas' own as `flag` has them, and beside those of all areas.
        """
        asked = replace(selection, span=selection.span if span is None else span, areas=())
        cells = self.query.count_cells(asked, (by,))
        names = cells["code"].drop_duplicates()
        counts = cells["count"].fillna(0).to_numpy(dtype=np.int64).clip(min=0).reshape(len(names), -1)
        if not self.hides:
            return np.zeros(counts.shape[1] + 1, dtype=bool)
        inside, flags = names.isin(codes).to_numpy(), self.flag(asked, by=(by,))
        groups = self._group(asked, names.tolist())
        parts = np.where(inside, 0, -1).tolist()
        whole = add_totals(counts)[:-1]
        gone = [
            withhold_sums(
                whole[:, at],
                flags[: len(names), at],
                parts,
                threshold=self.rule.threshold,
                groups=groups and [-1 if flags[len(names) + group, at] else group for group in groups],
            )[0]
            for at in range(whole.shape[1])
        ]
        here, rest = (counts[side].sum(axis=0) for side in (inside, ~inside))
        return withhold_split(here, rest, gone, threshold=self.rule.threshold)

    def flag_months(self, selection: Selection, codes: Sequence[str], span: Span) -> Flags:
        """Which counts of some of a level's areas together are withheld by month of a span, as `count_months` does."""
        flags = pd.Series(False, index=[str(month) for month in span])
        missing = {str(month) for month in self.query.missing_months(span)}
        for months in self._divide(selection, span) if self.hides else []:
            loaded = [month for month in months if month not in missing]
            if loaded:
                run = Span.parse(f"{months[0]}..{months[-1]}")
                flags[loaded] = self.flag_split(selection, codes, "month", span=run)[:-1]
        return flags.to_numpy(dtype=bool)

    def let_out(self, counts: pd.Series, withheld: npt.ArrayLike = False) -> pd.Series:
        """Counts as they may be shown: missing where withheld, rounded where the rule rounds."""
        if self.hides:
            return counts.mask(np.broadcast_to(withheld, len(counts)))
        if not self.rounds:
            return counts
        known = counts.notna()
        rounded = counts.copy()
        rounded[known] = round_counts(counts[known].to_numpy(dtype=np.int64), self.rule.base)
        return rounded

    def _work_out(self, selection: Selection, by: tuple[By, ...]) -> Flags:
        cells = self.query.count_cells(selection, by)
        splits = [column for column in ("month", "crime_type") if column in by]
        shape = [cells["code"].nunique(), *(cells[column].nunique() for column in splits)]
        # A publisher's correction may be below zero, and tells of nobody.
        counts = cells["count"].fillna(0).to_numpy(dtype=np.int64).clip(min=0).reshape(shape)
        codes = cells["code"].drop_duplicates().tolist()
        return suppress(counts, threshold=self.rule.threshold, groups=self._group(selection, codes))

    def _group(self, selection: Selection, codes: Sequence[str]) -> list[int] | None:
        """Which area of the layer that is made of this one each unit counts in; None where there is no such layer.

        Units that are in none make up a group of their own: what is left of the total.
        """
        partnership = self.query.store.partnership
        made = next((layer.key for layer in partnership.layers if layer.made_of == selection.level), None)
        areas = [area for area in partnership.areas if area.layer == made]
        first, last = selection.span.first, selection.span.last
        active = [
            area
            for area in areas
            if (area.first is None or area.first <= last) and (area.last is None or area.last >= first)
        ]
        whole = all(
            (area.first is None or area.first <= first) and (area.last is None or area.last >= last) for area in active
        )
        if not active or not whole:
            return None
        names = self.query.name_areas(selection.level)
        numbers = {member.strip().casefold(): number for number, area in enumerate(active) for member in area.members}
        found = [numbers.get(code.casefold(), numbers.get(names[code].casefold(), len(active))) for code in codes]
        used = sorted(set(found))
        return [used.index(number) for number in found] if len(used) > 1 else None

    def _flag_months(self, selection: Selection, months: Sequence[str], code: str | None) -> npt.NDArray[np.bool_]:
        """Whether the counts of an area, or of all together, are withheld in each of some months that follow on."""
        span = Span.parse(f"{months[0]}..{months[-1]}")
        flags = np.zeros(len(months), dtype=bool)
        missing = self.query.missing_months(span)
        loaded = np.array([month not in missing for month in span])
        if loaded.any():
            flags[loaded] = self.flag(selection, span=span, by=("month",))[self._find_row(selection, code), :-1]
        return flags

    def _divide(self, selection: Selection, span: Span) -> list[list[str]]:
        """The months of a span in runs that are wholly within or without each of the selection's two periods."""
        kinds = {month: (month in selection.span, month in selection.before) for month in span}
        runs = [run for kind in set(kinds.values()) for run in Span.find_runs(m for m in span if kinds[m] == kind)]
        return [[str(month) for month in run] for run in runs]

    def _find_row(self, selection: Selection, code: str | None) -> int:
        """The row of an area in flags; the last, that of all together, where none is named."""
        return -1 if code is None else int(self._find_rows(selection, [code])[0])

    def _find_rows(self, selection: Selection, codes: Sequence[str] | pd.Series) -> npt.NDArray[np.intp]:
        """The rows of areas in flags, which are in the order of the level that is counted in."""
        areas = self.query.store.areas
        held = areas.loc[areas["layer"] == self.query.store.counted_level(selection.level), "code"]
        return np.asarray(pd.Index(held).get_indexer(pd.Index(codes)))


_PUBLISHED: "WeakKeyDictionary[Query, Published]" = WeakKeyDictionary()


def publish(query: Query) -> Published:
    """What the disclosure rule lets out of a query; shared by all who ask, for as long as one of them holds it."""
    return _PUBLISHED.get(query) or _PUBLISHED.setdefault(query, Published(query))


def hides_total(coverage: Coverage, rule: Disclosure) -> bool:
    """Whether the partnership's own count of a span is itself so small that it is withheld."""
    return rule.rule == "suppress" and any(0 < some < rule.threshold for some in (coverage.inside, coverage.total))


def give_share(coverage: Coverage, rule: Disclosure) -> float:
    """Share of recorded incidents without a location; NaN where there is none, or where it would tell of a few."""
    share = coverage.unlocated_share
    return float("nan") if share is None or hides_total(coverage, rule) else share


def describe_rule(rule: Disclosure) -> str:
    """The disclosure rule as it is stated beside every figure that keeps it; empty where there is none."""
    if rule.rule == "suppress":
        return (
            f"Counts from 1 to {rule.threshold - 1} are withheld by the partnership's rule, and others with them so "
            "that no total of the same level gives them back; rates, shares and changes of a withheld count are "
            "withheld too."
        )
    if rule.rule == "round":
        return (
            f"Counts are rounded to the nearest {rule.base} by the partnership's rule, each by itself, so that parts "
            f"may not add up to their total and 0 may stand for up to {(rule.base - 1) // 2}; rates, shares and "
            "changes are of rounded counts, but whether a change is more than chance was judged before rounding."
        )
    return ""
