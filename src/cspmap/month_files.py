"""One month of incidents as one Parquet file: assigned to every layer, repeated identifiers marked."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from cspmap.assign import NOWHERE, PointIndex
from cspmap.layers import LayerSet
from cspmap.periods import Month

_UNIQUE = {"incident_id", "id_hash"}

Hashes = npt.NDArray[np.uint64]
Flags = npt.NDArray[np.bool_]


@dataclass
class _SeenIds:
    """Incident identifiers of the later months, as sorted arrays of 64-bit hashes merged by size.

    Two of 20 million identifiers share a 64-bit hash with a probability of one in 100,000.
    """

    runs: list[Hashes] = field(default_factory=list)

    def mark(self, hashed: pa.ChunkedArray) -> Flags:
        """Which rows repeat a later record or a later row of their own month; then remember them all.

        A row without an identifier (null) repeats nothing.
        """
        hashes: Hashes = hashed.fill_null(0).to_numpy()
        repeated = np.zeros(len(hashes), dtype=bool)
        rows = np.flatnonzero(hashed.is_valid().to_numpy())[::-1]
        unique, last = np.unique(hashes[rows], return_index=True)
        kept = rows[last]
        repeated[rows] = True
        repeated[kept] = False
        # Looked up in their order, which is many times as fast among millions as in the order of the file.
        for run in self.runs:
            slots = np.searchsorted(run, unique)
            slots[slots == len(run)] = 0
            repeated[kept] |= run[slots] == unique
        if len(unique):
            self.runs.append(unique)
        while len(self.runs) > 1 and len(self.runs[-2]) < 2 * len(self.runs[-1]):
            self.runs[-2:] = [np.sort(np.concatenate(self.runs[-2:]), kind="stable")]
        return repeated


class MonthWriter:
    """Writes the files of a version's months, which must come latest first.

    So an identifier that has been seen already is a repeat of a later record, and of two the latest is kept.
    """

    def __init__(self, layers: LayerSet, engine: duckdb.DuckDBPyConnection) -> None:
        self._layers = layers
        self._engine = engine
        self._index = PointIndex(layers.read)
        self._seen = _SeenIds()

    def write(self, incidents: pa.Table, month: Month, file: Path) -> None:
        """Write a month's incidents (the columns of an incident table), with these columns more:

        easting, northing (metres in EPSG:27700, null where there is no position), in_LAYER for each layer (code of
        the area, null where it lies in none), id_hash, and superseded (whether a later record repeats it).
        """
        table = self._assign(incidents, month)
        hashed = self._hash_ids(incidents)
        table = table.append_column("id_hash", hashed)
        table = table.append_column("superseded", pa.array(self._seen.mark(hashed)))
        _write(table, file)

    def take_over(self, old: Path, new: Path) -> None:
        """Keep an unchanged month's file, unless a changed later month now supersedes other rows of it."""
        marks = pq.read_table(old, columns=["id_hash", "superseded"])
        repeated = self._seen.mark(marks["id_hash"])
        if np.array_equal(repeated, marks["superseded"].to_numpy()):
            _link(old, new)
            return
        table = pq.read_table(old)
        column = table.schema.get_field_index("superseded")
        _write(table.set_column(column, "superseded", pa.array(repeated)), new)

    def _assign(self, table: pa.Table, month: Month) -> pa.Table:
        """Add the position on the grid and the area of every layer."""
        longitude, latitude = table["longitude"].to_numpy(), table["latitude"].to_numpy()
        located = np.flatnonzero(~np.isnan(longitude))
        easting, northing, rows = self._index.locate(longitude[located], latitude[located])
        for name, values in (("easting", easting), ("northing", northing)):
            column = np.full(len(table), np.nan)
            column[located] = values
            table = table.append_column(name, pa.array(column, from_pandas=True))
        for layer, areas in self._layers.name_areas(rows, month).items():
            indices = np.full(len(table), NOWHERE, dtype=np.int32)
            indices[located] = areas.rows
            # As a dictionary they are written as they are, each code once.
            named = pa.DictionaryArray.from_arrays(pa.array(indices, mask=indices == NOWHERE), areas.codes)
            table = table.append_column(f"in_{layer}", named)
        return table

    def _hash_ids(self, incidents: pa.Table) -> pa.ChunkedArray:
        ids = self._engine.from_arrow(incidents.select(["incident_id"]))
        hashes = ids.project("CASE WHEN incident_id IS NOT NULL THEN hash(incident_id) END AS hash")
        return hashes.to_arrow_table()["hash"]


def _write(table: pa.Table, file: Path) -> None:
    """Write what pays: no dictionary of values that are each their own, and bounds of what is asked for alone.

    Without Arrow's own schema, texts are read as texts, whether they were written out of a dictionary or not.
    """
    repeating = [name for name in table.column_names if name not in _UNIQUE]
    pq.write_table(
        table, file, compression="zstd", use_dictionary=repeating, write_statistics=["month"], store_schema=False
    )


def _link(old: Path, new: Path) -> None:
    """The same file under a second name, or a copy where the file system has no such names."""
    try:
        os.link(old, new)
    except OSError:
        shutil.copyfile(old, new)
