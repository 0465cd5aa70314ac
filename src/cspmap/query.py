"""A Selection turned into small tidy frames, expressed once for any engine that Ibis speaks to.

The embedded engine is DuckDB over the store's Parquet files. Every expression here is plain Ibis, so that the
same tables on a server answer the same questions.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from cspmap.partnership import Denominator
from cspmap.periods import Month, Span
from cspmap.selection import Selection
from cspmap.store import Store

if TYPE_CHECKING:
    import ibis.expr.types as ir

TABLES = ("cube", "totals", "deprivation")


@dataclass(frozen=True)
class Coverage:
    """How complete a span is: months that are not loaded, and incidents that no area can be given.

    Counts are of the crime types selected. `unlocated` incidents carry no position; `unlocated_own` are those of them
    that a source of the partnership alone holds, so that they are part of its total. The others are the force's.
    """

    span: Span
    missing: tuple[Month, ...]
    recorded: int
    inside: int
    outside: int
    unlocated: int
    unlocated_own: int

    @property
    def loaded(self) -> int:
        """How many months of the span are loaded: two spans compare only where this is the same."""
        return len(self.span) - len(self.missing)

    @property
    def own(self) -> bool:
        """Whether all that has no position is the partnership's own."""
        return self.unlocated_own == self.unlocated

    @property
    def unlocated_share(self) -> float | None:
        """Share of all recorded incidents without a position; None where there are none."""
        return self.unlocated / self.recorded if self.recorded else None

    @property
    def total(self) -> int:
        """The partnership's incidents: those located inside it, and its own without a position."""
        return self.inside + self.unlocated_own


class Query:
    """Questions to one version of a store. Safe to share between threads: each question borrows a connection."""

    def __init__(self, store: Store) -> None:
        import duckdb

        self.store = store
        self._engine = duckdb.connect()
        with store.reading():
            for table in TABLES:
                self._engine.execute(f"CREATE TABLE {table} AS FROM read_parquet(?)", [str(store.table(table))])
            pattern = store.incidents.replace("'", "''")
            self._engine.execute(f"CREATE VIEW incidents AS FROM read_parquet('{pattern}')")
        # Read now, so that a later build that takes this version away leaves its counts and rates answering.
        self._areas, self._denominators = store.areas, store.denominators
        self._idle: list[Any] = []

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        import ibis

        try:
            backend = self._idle.pop()
        except IndexError:
            backend = ibis.duckdb.from_connection(self._engine.cursor())
        try:
            with self.store.reading():
                yield backend
        finally:
            self._idle.append(backend)

    @cached_property
    def _loaded(self) -> frozenset[Month]:
        return frozenset(self.store.months)

    def missing_months(self, span: Span) -> tuple[Month, ...]:
        """The months of a span that are not loaded."""
        return tuple(month for month in span if month not in self._loaded)

    def name_areas(self, level: str) -> dict[str, str]:
        """Names of a level's areas by code, in the order of their names."""
        named = self._areas[self._areas["layer"] == level].sort_values(["name", "code"])
        return dict(zip(named["code"], named["name"], strict=True))

    def crime_types(self, selection: Selection) -> tuple[str, ...]:
        """The crime types that a selection's types and groups come to, each once, in the partnership's order."""
        partnership = self.store.partnership
        groups = {group.key: group.types for group in partnership.crime_groups}
        chosen = {key for crime in selection.crimes for key in groups.get(crime, (crime,))}
        return tuple(kind.key for kind in partnership.crime_types if not chosen or kind.key in chosen)

    def denominator(self, selection: Selection) -> Denominator:
        """What the selection's rate is per: what all its crime types share, else the partnership's first."""
        partnership = self.store.partnership
        chosen = set(self.crime_types(selection))
        keys = {kind.denominator for kind in partnership.crime_types if kind.key in chosen}
        return partnership.find_denominator(keys.pop()) if len(keys) == 1 else partnership.denominators[0]

    def read_denominators(self, level: str) -> pd.DataFrame:
        """What rates are per in every area of a level. Columns: code, denominator (key), value, year, method."""
        held = self._denominators
        rows = held[held["layer"] == self.store.counted_level(level)]
        return rows.drop(columns="layer").reset_index(drop=True)

    def count_areas(self, selection: Selection) -> pd.DataFrame:
        """Every area of the level with its counts in the span and the one before, and its denominator.

        Columns: code, name, hectares, count, before, denominator, denominator_method. A count is missing (NA) only
        where no month of its span is loaded; an area without an incident counts 0.
        """
        level, areas = self.store.counted_level(selection.level), self._areas
        held = self.read_denominators(selection.level)
        per = held[held["denominator"] == self.denominator(selection).key].set_index("code")
        with self._connection() as engine:
            counts = self._count_spans(engine.table("cube"), selection, level).to_pandas().set_index("code")
        frame = areas[areas["layer"] == selection.level].drop(columns="layer").reset_index(drop=True)
        for column, span in (("count", selection.span), ("before", selection.before)):
            known = len(self.missing_months(span)) < len(span)
            found = counts[column].reindex(frame["code"]).fillna(0).astype("Int64")
            frame[column] = found.array if known else _nothing(len(frame))
        frame["denominator"] = per["value"].reindex(frame["code"]).to_numpy()
        frame["denominator_method"] = per["method"].reindex(frame["code"]).to_numpy()
        return frame

    def _count_spans(self, cube: "ir.Table", selection: Selection, level: str) -> "ir.Table":
        span, before = selection.span, selection.before
        inside = [cube.layer == level, cube.crime_type.isin(self.crime_types(selection))]
        return (
            cube.filter(*inside)
            .group_by("code")
            .agg(
                count=cube["count"].sum(where=_within(cube.month, span)),
                before=cube["count"].sum(where=_within(cube.month, before)),
            )
        )

    def count_coverage(self, selection: Selection, *, span: Span | None = None) -> Coverage:
        """How complete the selection's span (or another) is."""
        span = selection.span if span is None else span
        with self._connection() as engine:
            totals = engine.table("totals")
            row = (
                totals.filter(_within(totals.month, span), totals.crime_type.isin(self.crime_types(selection)))
                .agg(
                    recorded=totals.recorded.sum().coalesce(0),
                    inside=totals.inside.sum().coalesce(0),
                    outside=totals.outside.sum().coalesce(0),
                    unlocated=totals.unlocated.sum().coalesce(0),
                    unlocated_own=totals.unlocated.sum(where=totals.own).coalesce(0),
                )
                .to_pandas()
                .iloc[0]
            )
        counts = {str(name): int(count) for name, count in row.items()}
        return Coverage(span=span, missing=self.missing_months(span), **counts)

    def count_months(self, selection: Selection, span: Span, *, code: str | None = None) -> pd.DataFrame:
        """Counts by month over a span, of one area or (code None) of the whole partnership.

        Columns: month, count. One row a month; a month that is not loaded is NA.
        """
        types = self.crime_types(selection)
        with self._connection() as engine:
            if code is None:
                table = engine.table("totals")
                value = table.inside + table.own.ifelse(table.unlocated, 0)
                rows = table.filter(table.crime_type.isin(types), _within(table.month, span))
            else:
                table = engine.table("cube")
                value = table["count"]
                rows = table.filter(
                    table.layer == self.store.counted_level(selection.level),
                    table.code == code,
                    table.crime_type.isin(types),
                    _within(table.month, span),
                )
            counts = rows.group_by("month").agg(count=value.sum()).to_pandas().set_index("month")["count"]
        values = [counts.get(str(month), 0) if month in self._loaded else pd.NA for month in span]
        return pd.DataFrame({"month": [str(month) for month in span], "count": pd.array(values, dtype="Int64")})

    def count_types(self, selection: Selection, *, code: str | None = None) -> pd.DataFrame:
        """Counts by crime type in the span and the one before, of one area or of the whole partnership.

        Columns: crime_type (key), count, before. Every crime type has a row, whatever types are selected.
        """
        with self._connection() as engine:
            if code is None:
                table = engine.table("totals")
                value = table.inside + table.own.ifelse(table.unlocated, 0)
                rows = table
            else:
                table = engine.table("cube")
                value = table["count"]
                rows = table.filter(table.layer == self.store.counted_level(selection.level), table.code == code)
            counts = (
                rows.group_by("crime_type")
                .agg(
                    count=value.sum(where=_within(table.month, selection.span)),
                    before=value.sum(where=_within(table.month, selection.before)),
                )
                .to_pandas()
                .set_index("crime_type")
            )
        keys = [kind.key for kind in self.store.partnership.crime_types]
        frame: pd.DataFrame = counts.reindex(keys).fillna(0).astype("Int64")
        for column, span in (("count", selection.span), ("before", selection.before)):
            if len(self.missing_months(span)) == len(span):
                frame[column] = _nothing(len(frame))
        return frame.rename_axis("crime_type").reset_index()

    def list_locations(self, selection: Selection, *, code: str | None = None, most: int = 10) -> pd.DataFrame:
        """The street locations with the most incidents in the span. Columns: location, count, longitude, latitude.

        A location is a street name at one published point: two streets of one name stay apart.
        """
        level = self.store.counted_level(selection.level)
        with self._connection() as engine:
            table = engine.table("incidents")
            rows = table.filter(
                ~table.superseded,
                table.location.notnull(),
                table.longitude.notnull(),
                _within(table.month, selection.span),
                table.crime_type.isin(self.crime_types(selection)),
                table[f"in_{level}"] == code if code is not None else table[f"in_{level}"].notnull(),
            )
            frame: pd.DataFrame = (
                rows.group_by("location", "longitude", "latitude")
                .agg(count=rows.count())
                .order_by([_descending("count"), "location", "longitude", "latitude"])
                .limit(most)
                .select("location", "count", "longitude", "latitude")
                .to_pandas()
            )
        return frame

    def read_deprivation(self, level: str, edition: int) -> pd.DataFrame:
        """Deprivation of every area of a level in one edition of the Indices.

        Columns: code, score, decile, tenth, fifth, covered, method; `tenth` and `fifth` are the shares of residents
        who live in the most deprived tenth and fifth of England's LSOAs.
        """
        counted = self.store.counted_level(level)
        with self._connection() as engine:
            table = engine.table("deprivation")
            rows = table.filter(table.layer == counted, table.edition == edition)
            frame: pd.DataFrame = rows.drop("layer", "edition").order_by("code").to_pandas()
            return frame

    def count_cells(self, selection: Selection, by: Sequence[Literal["month", "crime_type"]]) -> pd.DataFrame:
        """Counts of every area of the level by month, crime type, both or neither, over the span: an extract.

        Columns: code, name, then those of `by`, then count. Every combination of areas, loaded months and selected
        crime types has a row, so that a zero is a zero; a missing month has none.
        """
        level = self.store.counted_level(selection.level)
        types = self.crime_types(selection)
        months = [str(month) for month in selection.span if month in self._loaded]
        with self._connection() as engine:
            cube = engine.table("cube")
            counts = (
                cube.filter(cube.layer == level, cube.crime_type.isin(types), _within(cube.month, selection.span))
                .group_by("code", *by)
                .agg(count=cube["count"].sum())
                .to_pandas()
            )
        named = self._areas.loc[self._areas["layer"] == selection.level, ["code", "name"]]
        if selection.areas:
            named = named[named["code"].isin(selection.areas)]
        cells = named
        for column, values in (("month", months), ("crime_type", types)):
            if column in by:
                cells = cells.merge(pd.DataFrame({column: pd.array(list(values), dtype="str")}), how="cross")
        cells = cells.merge(counts, how="left", on=["code", *by])
        cells["count"] = cells["count"].fillna(0).astype("Int64") if months else _nothing(len(cells))
        return cells[["code", "name", *by, "count"]]


def _nothing(length: int) -> Any:
    """A column of counts that nobody knows."""
    return pd.array([pd.NA] * length, dtype="Int64")


def _within(month: Any, span: Span) -> Any:
    return month.between(str(span.first), str(span.last))


def _descending(column: str) -> Any:
    import ibis

    return ibis.desc(column)
