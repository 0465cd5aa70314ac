"""The incidents of a selection one by one, read and handed on in batches, so that any number of them fits in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cspmap.errors import SelectionError, UserError
from cspmap.periods import name_months
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.words import the

# As many decimals as a publisher gives: six of degrees, or five where the source has metres.
DEGREE_DECIMALS, METRE_DECIMALS = 6, 5

SCHEMA = pa.schema(
    [
        ("incident_id", pa.string()),
        ("month", pa.string()),
        ("crime_type", pa.string()),
        ("longitude", pa.float64()),
        ("latitude", pa.float64()),
        ("location", pa.string()),
        ("lsoa_code", pa.string()),
        ("area_code", pa.string()),
        ("area", pa.string()),
        ("outcome", pa.string()),
        ("occurred_from", pa.timestamp("s")),
        ("occurred_to", pa.timestamp("s")),
    ]
)
_AS_STORED = ("incident_id", "month", "location", "lsoa_code", "outcome", "occurred_from", "occurred_to")


@dataclass(frozen=True)
class IncidentRows:
    """Incidents of a selection in batches of SCHEMA, in the order of their months.

    They are those that the page counts: of the areas shown or, where all are, of the partnership, with its own that
    have no location. `total` is how many.
    """

    query: Query
    selection: Selection
    total: int

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        from pyarrow import dataset

        store, level = self.query.store, self.query.store.counted_level(self.selection.level)
        types = self.query.crime_types(self.selection)
        names = self.query.name_areas(level)
        decimals = dict(_list_decimals(self.query))
        wanted = ~dataset.field("superseded") & dataset.field("crime_type").isin(types)
        columns = [*_AS_STORED, "crime_type", "longitude", "latitude", f"in_{level}"]
        own = _list_own(self.query)
        with store.reading():
            for month in self.selection.span:
                if month not in store.months:
                    continue
                file = dataset.dataset(store.folder / "incidents" / f"{month}.parquet")
                here = wanted & self._place(dataset, own=str(month) in own)
                for batch in file.to_batches(columns=columns, filter=here):
                    if len(batch):
                        yield _shape(batch, f"in_{level}", names, self.query, decimals[str(month)])

    def _place(self, dataset: Any, *, own: bool) -> Any:
        """The condition on where an incident lies."""
        store = self.query.store
        if self.selection.areas:
            level = store.counted_level(self.selection.level)
            return dataset.field(f"in_{level}").isin(self.selection.areas)
        inside = dataset.field(f"in_{store.partnership.boundary}").is_valid()
        return inside | ~dataset.field("longitude").is_valid() if own else inside


def list_incidents(query: Query, selection: Selection) -> IncidentRows:
    """The incidents of a selection.

    Raises UserError where the partnership's disclosure rule lets no single ones out, SelectionError where no month is
    loaded.
    """
    rule = query.store.partnership.disclosure.rule
    if rule != "none":
        what = "withholds small counts" if rule == "suppress" else "rounds its counts"
        raise UserError(f"This partnership {what}, and single incidents would give them back; extract counts instead.")
    coverage = query.count_coverage(selection)
    if not coverage.loaded:
        loaded = name_months(query.store.months)
        raise SelectionError(f"No month of {the(selection.span.words)} is loaded, only {loaded}; ask for those.")
    total = coverage.total
    if selection.areas:
        counts = query.count_areas(selection).set_index("code")["count"]
        total = int(counts[list(selection.areas)].sum())
    return IncidentRows(query, selection, total)


def _list_own(query: Query) -> set[str]:
    """The months whose incidents are the partnership's own, so that those without a location are too."""
    months = query.store.read_table("months")
    return set(months.loc[months["own"].astype(bool), "month"])


def _list_decimals(query: Query) -> Iterator[tuple[str, int]]:
    """How many decimals of a degree the source of each month gives."""
    metres = {
        item.source for item in query.store.partnership.incidents if item.columns is not None and item.columns.easting
    }
    months = query.store.read_table("months")
    for month, source in zip(months["month"], months["source"], strict=True):
        yield month, METRE_DECIMALS if source in metres else DEGREE_DECIMALS


def _shape(batch: pa.RecordBatch, area: str, names: dict[str, str], query: Query, decimals: int) -> pa.RecordBatch:
    kinds = {kind.key: kind.name for kind in query.store.partnership.crime_types}
    columns: dict[str, Any] = {name: batch[name] for name in _AS_STORED}
    columns["crime_type"] = _rename(batch["crime_type"], kinds)
    columns["area_code"] = batch[area]
    columns["area"] = _rename(batch[area], names)
    for name in ("longitude", "latitude"):
        columns[name] = pc.round(batch[name], decimals)
    return pa.RecordBatch.from_arrays([columns[field.name].cast(field.type) for field in SCHEMA], schema=SCHEMA)


def _rename(keys: pa.Array, names: dict[str, str]) -> pa.Array:
    known = pa.array(list(names), pa.string())
    return pa.array(list(names.values()), pa.string()).take(pc.index_in(keys.cast(pa.string()), known))
