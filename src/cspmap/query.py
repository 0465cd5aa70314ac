"""A Selection turned into small tidy frames, expressed once for any engine that Ibis speaks to.

Every expression here is plain Ibis, so that the embedded engine and the same tables on a server (`engine`) answer the
same questions.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cspmap.engine import Tables, open_engine
from cspmap.partnership import Denominator
from cspmap.periods import Month, Span
from cspmap.selection import Selection
from cspmap.sources.deprivation import OVERALL
from cspmap.store import Store
from cspmap.totals import COUNTS, Coverage, Tally, Totals

if TYPE_CHECKING:
    import ibis.expr.types as ir

_NUMBER = re.compile("([0-9]+)")

# What else than by place incidents can be counted by.
PointColumn = Literal["month", "crime_type", "location"]


class Query:
    """Questions to one version of a store. Safe to share between threads: each question borrows a connection."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._engine = open_engine(store)
        # Read now: they are small, and a later build that takes this version away leaves them answering.
        self._areas, self._denominators = store.areas, store.denominators
        self._deprivation = store.read_table("deprivation")
        self._totals = Totals(store.read_table("totals"), [kind.key for kind in store.partnership.crime_types])
        self._listed: dict[tuple[str, str], tuple[dict[str, pd.Series], dict[str, pd.Series]]] = {}
        self._cubes: dict[str, Tally] = {}
        self._deprived: dict[tuple[str, int, str], pd.DataFrame] = {}

    @contextmanager
    def _connection(self) -> Iterator[Tables]:
        with self.store.reading(), self._engine.borrow() as tables:
            yield tables

    @cached_property
    def _loaded(self) -> frozenset[Month]:
        return frozenset(self.store.months)

    def missing_months(self, span: Span) -> tuple[Month, ...]:
        """The months of a span that are not loaded."""
        return tuple(month for month in span if month not in self._loaded)

    def name_areas(self, level: str) -> dict[str, str]:
        """Names of a level's areas by code, in the order of their names, Biscot 2 before Biscot 10."""
        return self._named[level]

    @cached_property
    def _named(self) -> dict[str, dict[str, str]]:
        columns = (self._areas[column].tolist() for column in ("layer", "code", "name"))
        named: dict[str, dict[str, str]] = {layer.key: {} for layer in self.store.partnership.layers}
        for layer, code, name in sorted(zip(*columns, strict=True), key=lambda row: (_order_name(row[2]), row[1])):
            named[layer][code] = name
        return named

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

    def count_people(self, selection: Selection) -> float | None:
        """Residents, or households, of the whole partnership; None where those of an area are not known."""
        return self._people.get(self.denominator(selection).key)

    @cached_property
    def _people(self) -> dict[str, float | None]:
        held = self.read_denominators(self.store.partnership.boundary)
        return {
            str(key): float(values.sum()) if values.notna().all() else None
            for key, values in held.groupby("denominator")["value"]
        }

    def count_areas(self, selection: Selection) -> pd.DataFrame:
        """Every area of the level with its counts in the span and the one before, and its denominator.

        Columns: code, name, hectares, count, before, denominator, denominator_method. A count is missing (NA) only
        where no month of its span is loaded; an area without an incident counts 0.
        """
        areas, per = self._list_areas(selection.level, self.denominator(selection).key)
        sums = {
            column: self._sum_months(self._count_cube(selection, span).sum(axis=(0, 1)), span)
            for column, span in (("count", selection.span), ("before", selection.before))
        }
        return pd.DataFrame({**areas, **sums, **per})

    def _sum_months(self, sums: NDArray[np.int64], span: Span) -> Any:
        """Sums over a span as a column, of what nobody knows where no month of it is loaded."""
        known = len(self.missing_months(span)) < len(span)
        return pd.array(sums, dtype="Int64") if known else _nothing(len(sums))

    def _count_cube(self, selection: Selection, span: Span) -> NDArray[np.int64]:
        """Counts of the selection's crime types by month, crime type and area of its level, in the areas' order."""
        return self._hold_cube(selection.level).count(span, self.crime_types(selection))

    def _hold_cube(self, level: str) -> Tally:
        """All counts of a level, read once: they are few, and asked for at every turn."""
        if level not in self._cubes:
            with self._connection() as engine:
                cube = engine.table("cube")
                rows = cube.filter(cube.layer == self.store.counted_level(level)).drop("layer").to_pandas()
            places = self._places[level]
            rows = rows[rows["code"].isin(places)]
            self._cubes[level] = Tally(
                rows["month"].tolist(),
                rows["crime_type"].tolist(),
                np.array([places[code] for code in rows["code"]], dtype=np.intp),
                rows["count"].to_numpy(np.int64),
                types=[kind.key for kind in self.store.partnership.crime_types],
                size=len(places),
            )
        return self._cubes[level]

    @cached_property
    def _places(self) -> dict[str, dict[str, int]]:
        """The place of every area among those of its level, by level and code."""
        places: dict[str, dict[str, int]] = {layer.key: {} for layer in self.store.partnership.layers}
        for layer, code in zip(self._areas["layer"].tolist(), self._areas["code"].tolist(), strict=True):
            places[layer][code] = len(places[layer])
        return places

    def _list_areas(self, level: str, denominator: str) -> tuple[dict[str, pd.Series], dict[str, pd.Series]]:
        """Columns code, name, hectares; and denominator, denominator_method. Not to be changed."""
        if (level, denominator) not in self._listed:
            areas = self._areas[self._areas["layer"] == level].reset_index(drop=True)
            held = self.read_denominators(level)
            per = held[held["denominator"] == denominator].set_index("code").reindex(areas["code"]).reset_index()
            self._listed[level, denominator] = (
                {name: areas[name] for name in ("code", "name", "hectares")},
                {"denominator": per["value"], "denominator_method": per["method"]},
            )
        return self._listed[level, denominator]

    def count_coverage(self, selection: Selection, *, span: Span | None = None) -> Coverage:
        """How complete the selection's span (or another) is."""
        span = selection.span if span is None else span
        counts = self._totals.count(span, self.crime_types(selection)).sum(axis=(0, 1)).tolist()
        return Coverage(span=span, missing=self.missing_months(span), **dict(zip(COUNTS, counts, strict=True)))

    def count_months(self, selection: Selection, span: Span, *, code: str | None = None) -> pd.DataFrame:
        """Counts by month over a span, of one area or (code None) of the whole partnership.

        Columns: month, count. One row a month; a month that is not loaded is NA.
        """
        if code is None:
            counts = self._totals.count_partnership(span, self.crime_types(selection))
        else:
            counts = self._count_cube(selection, span)[:, :, self._places[selection.level][code]]
        values = pd.array(counts.sum(axis=1), dtype="Int64")
        values[[month not in self._loaded for month in span]] = pd.NA
        return pd.DataFrame({"month": [str(month) for month in span], "count": values})

    def count_types(self, selection: Selection, *, code: str | None = None) -> pd.DataFrame:
        """Counts by crime type in the span and the one before, of one area or of the whole partnership.

        Columns: crime_type (key), count, before. Every crime type has a row, whatever types are selected.
        """
        keys = [kind.key for kind in self.store.partnership.crime_types]
        frame = pd.DataFrame({"crime_type": keys})
        for column, span in (("count", selection.span), ("before", selection.before)):
            if code is None:
                counts = self._totals.count_partnership(span, keys)
            else:
                place = self._places[selection.level][code]
                counts = self._hold_cube(selection.level).count(span, keys)[:, :, place]
            frame[column] = self._sum_months(counts.sum(axis=0), span)
        return frame

    def count_series(self, level: str, crimes: Mapping[str, Sequence[str]]) -> pd.DataFrame:
        """Monthly counts of several sets of crime types in every area of a level and, as code "", in the partnership.

        `crimes` are keys of crime types by a name for each set. Index: months "YYYY-MM" from the first loaded to the
        last. Columns: pairs of a set's name and a code. A month that is not loaded is NaN.
        """
        span = Span(self.store.months[0], self.store.months[-1])
        months = pd.Index([str(month) for month in span], name="month")
        cube = self._hold_cube(level)
        sums = [
            np.column_stack(
                [self._totals.count_partnership(span, keys).sum(axis=1), cube.count(span, keys).sum(axis=1)]
            ).astype(float)
            for keys in crimes.values()
        ]
        counts = np.concatenate(sums, axis=1)
        counts[[month not in self._loaded for month in span]] = np.nan
        columns = pd.MultiIndex.from_product([list(crimes), ["", *self._places[level]]], names=["crimes", "code"])
        return pd.DataFrame(counts, index=months, columns=columns)

    def list_locations(self, selection: Selection, *, code: str | None = None, most: int = 10) -> pd.DataFrame:
        """The street locations with the most incidents in the span. Columns: location, count, longitude, latitude.

        A location is a street name at one published point: two streets of one name stay apart.
        """
        with self._connection() as engine:
            table = engine.table("incidents")
            rows = table.filter(
                *self._incidents_inside(table, selection, code=code),
                table.location.notnull(),
                table.longitude.notnull(),
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

    def count_points(
        self,
        selection: Selection,
        *,
        span: Span | None = None,
        outline: Any = None,
        by: Sequence[PointColumn] = ("month",),
    ) -> pd.DataFrame:
        """How many incidents lie at each point inside the partnership, over the selection's span (or another).

        `outline` is a polygon in EPSG:27700 outside which points are left out. Columns: easting, northing (metres in
        EPSG:27700), those of `by`, count (a float, to be weighed with). One row a point and combination of `by`, in
        their order.
        """
        with self._connection() as engine:
            table = engine.table("incidents")
            where = [*self._incidents_inside(table, selection, span=span), *_near(table, outline)]
            rows = table.filter(*where, table.easting.notnull())
            keys = ["easting", "northing", *by]
            frame: pd.DataFrame = rows.group_by(keys).agg(count=rows.count()).order_by(keys).to_pandas()
        return _clip(frame, outline).astype({"count": "float64"})

    def list_times(self, selection: Selection, *, code: str | None = None, outline: Any = None) -> pd.DataFrame:
        """When each incident inside the partnership, an area of the level or an outline began and ended.

        `outline` as for `count_points`. Columns: occurred_from, occurred_to (local times, missing where the source
        gives none), one row an incident.
        """
        with self._connection() as engine:
            table = engine.table("incidents")
            where = [*self._incidents_inside(table, selection, code=code), *_near(table, outline)]
            columns = ["occurred_from", "occurred_to", "easting", "northing"]
            frame: pd.DataFrame = table.filter(*where).select(columns).to_pandas()
        return _clip(frame, outline)[["occurred_from", "occurred_to"]]

    def _incidents_inside(
        self, table: "ir.Table", selection: Selection, *, code: str | None = None, span: Span | None = None
    ) -> list["ir.BooleanValue"]:
        """What of the incidents a selection counts in any area of its level, or in one."""
        area = table[f"in_{self.store.counted_level(selection.level)}"]
        return [
            ~table.superseded,
            _within(table.month, selection.span if span is None else span),
            table.crime_type.isin(self.crime_types(selection)),
            area == code if code is not None else area.notnull(),
        ]

    def read_deprivation(self, level: str, edition: int, domain: str = OVERALL) -> pd.DataFrame:
        """Deprivation of every area of a level in one edition of the Indices, in all or by one domain.

        Columns: code, score, rank and decile (of LSOAs alone), tenth, fifth, fifth_2 to fifth_5, covered, method;
        `tenth` and `fifth` are the shares of residents who live in the most deprived tenth and fifth of England's
        LSOAs, `fifth_2` that in the second, and so on.
        """
        if (level, edition, domain) not in self._deprived:
            held = self._deprivation
            rows = held[
                (held["layer"] == self.store.counted_level(level))
                & (held["edition"] == edition)
                & (held["domain"] == domain)
            ]
            self._deprived[level, edition, domain] = rows.drop(columns=["layer", "edition", "domain"]).sort_values(
                "code", ignore_index=True
            )
        return self._deprived[level, edition, domain].copy()

    def list_domains(self, edition: int) -> list[str]:
        """The domains (keys of `sources.deprivation.DOMAINS`) that an edition's file has, the overall index first."""
        held = self._deprivation
        return list(held.loc[held["edition"] == edition, "domain"].unique())

    def count_cells(self, selection: Selection, by: Sequence[Literal["month", "crime_type"]]) -> pd.DataFrame:
        """Counts of every area of the level by month, crime type, both or neither, over the span: an extract.

        Columns: code, name, then those of `by`, then count. Every combination of areas, loaded months and selected
        crime types has a row, so that a zero is a zero; a missing month has none.
        """
        loaded = [month in self._loaded for month in selection.span]
        months = [str(month) for month, held in zip(selection.span, loaded, strict=True) if held]
        counts = self._count_cube(selection, selection.span)[loaded].transpose(2, 0, 1)
        for axis, column in ((2, "crime_type"), (1, "month")):
            if column not in by:
                counts = counts.sum(axis=axis, keepdims=True)
        named = self._areas.loc[self._areas["layer"] == selection.level, ["code", "name"]].reset_index(drop=True)
        if selection.areas:
            kept = named["code"].isin(selection.areas)
            named, counts = named[kept], counts[kept]
        cells = named
        # Rows in the order of the array: by area, then month, then crime type, whatever the order asked for.
        for column, values in (("month", months), ("crime_type", self.crime_types(selection))):
            if column in by:
                cells = cells.merge(pd.DataFrame({column: pd.array(list(values), dtype="str")}), how="cross")
        cells = cells.reset_index(drop=True)
        cells["count"] = pd.array(counts.ravel(), dtype="Int64") if months else _nothing(len(cells))
        return cells[["code", "name", *by, "count"]]


def _order_name(name: str) -> list[tuple[int, str]]:
    """What a name sorts by: letters whatever their case, numbers by their size."""
    parts = enumerate(_NUMBER.split(name.casefold()))
    return [(int(part), "") if place % 2 else (0, part) for place, part in parts]


def _nothing(length: int) -> Any:
    """A column of counts that nobody knows."""
    return pd.array([pd.NA] * length, dtype="Int64")


def _within(month: Any, span: Span) -> Any:
    return month.between(str(span.first), str(span.last))


def _near(table: "ir.Table", outline: Any) -> list["ir.BooleanValue"]:
    """The rectangle around an outline, if there is one."""
    if outline is None:
        return []
    west, south, east, north = outline.bounds
    return [table.easting.between(west, east), table.northing.between(south, north)]


def _clip(frame: pd.DataFrame, outline: Any) -> pd.DataFrame:
    """The rows whose point lies in an outline, if there is one."""
    if outline is None:
        return frame
    import shapely

    shapely.prepare(outline)
    return frame[shapely.intersects_xy(outline, frame["easting"], frame["northing"])].reset_index(drop=True)


def _descending(column: str) -> Any:
    import ibis

    return ibis.desc(column)
