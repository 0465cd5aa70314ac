"""Single incidents as files of every format, written batch by batch as they are read."""

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc

from cspmap.exports.extract import FORMULA_STARTS
from cspmap.exports.incident_rows import SCHEMA, IncidentRows
from cspmap.exports.readme import tabulate_readme, write_readme
from cspmap.exports.request import Format
from cspmap.exports.workbook import write_workbook
from cspmap.exports.zipped import enter

Readme = Mapping[str, str]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
# Rows that a GeoPackage takes at a time.
_CHUNK = 100_000
_TEXTS = tuple(field.name for field in SCHEMA if field.type == pa.string())


def _write_csv(rows: IncidentRows, readme: Readme, path: Path) -> None:
    with path.open("wb") as stream:
        _stream_csv(rows, stream)


def _write_zip(rows: IncidentRows, readme: Readme, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as archive:
        entry = enter("incidents.csv")
        with archive.open(entry, "w", force_zip64=True) as stream:
            stream.write(_BYTE_ORDER_MARK)
            _stream_csv(rows, stream)
        archive.writestr(enter("README.txt"), _BYTE_ORDER_MARK + write_readme(readme).encode())


def _stream_csv(rows: IncidentRows, stream: IO[bytes]) -> None:
    from pyarrow import csv

    with csv.CSVWriter(stream, SCHEMA) as writer:
        for batch in rows:
            writer.write_batch(_neutralise(batch))


def _neutralise(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Texts that a spreadsheet would take for a formula with an apostrophe before them."""
    arrays = {name: batch[name] for name in batch.schema.names}
    for name in _TEXTS:
        starts = pc.is_in(pc.utf8_slice_codeunits(batch[name], 0, 1), pa.array(FORMULA_STARTS))
        arrays[name] = pc.if_else(starts, pc.binary_join_element_wise("'", batch[name], ""), batch[name])
    return pa.RecordBatch.from_arrays(list(arrays.values()), schema=batch.schema)


def _write_workbook(rows: IncidentRows, readme: Readme, path: Path) -> None:
    write_workbook(path, SCHEMA.names, _list_values(rows), rows.total, readme)


def _list_values(rows: IncidentRows) -> Iterator[tuple[Any, ...]]:
    for batch in rows:
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


def _write_parquet(rows: IncidentRows, readme: Readme, path: Path) -> None:
    _stream_parquet(rows, path, SCHEMA.with_metadata({b"readme": write_readme(readme).encode()}), _keep)


def _keep(batch: pa.RecordBatch) -> list[pa.Array]:
    return list(batch.columns)


def _stream_parquet(
    rows: IncidentRows, path: Path, schema: pa.Schema, shape: Callable[[pa.RecordBatch], list[pa.Array]]
) -> None:
    import pyarrow.parquet as pq

    repeating = [name for name in SCHEMA.names if name != "incident_id"]
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=repeating) as writer:
        for batch in rows:
            writer.write_batch(pa.RecordBatch.from_arrays(shape(batch), schema=schema))


def _write_geoparquet(rows: IncidentRows, readme: Readme, path: Path) -> None:
    """As GeoParquet 1.0 lays down: points as WKB, described in the file's metadata."""
    from pyproj import CRS

    column = {"encoding": "WKB", "geometry_types": ["Point"], "crs": CRS.from_epsg(4326).to_json_dict()}
    described = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": column}}
    metadata = {b"geo": json.dumps(described).encode(), b"readme": write_readme(readme).encode()}
    schema = SCHEMA.append(pa.field("geometry", pa.binary())).with_metadata(metadata)
    _stream_parquet(rows, path, schema, lambda batch: [*batch.columns, pa.array(_draw(batch), pa.binary())])


def _draw(batch: pa.RecordBatch) -> list[bytes | None]:
    """The point of each incident as WKB, None where it has none."""
    import shapely

    longitude, latitude = (batch[name].to_numpy(zero_copy_only=False) for name in ("longitude", "latitude"))
    points: list[bytes] = shapely.to_wkb(shapely.points(longitude, latitude)).tolist()
    return [point if known else None for point, known in zip(points, batch["longitude"].is_valid(), strict=True)]


def _write_geopackage(rows: IncidentRows, readme: Readme, path: Path) -> None:
    import geopandas as gpd
    import pyogrio
    import shapely

    def write(batches: list[pa.RecordBatch], *, append: bool) -> None:
        frame = pa.Table.from_batches(batches, schema=SCHEMA).to_pandas()
        points = shapely.points(frame["longitude"], frame["latitude"])
        points[frame["longitude"].isna()] = None
        placed = gpd.GeoDataFrame(frame, geometry=points, crs="EPSG:4326")
        pyogrio.write_dataframe(placed, path, driver="GPKG", layer="extract", geometry_type="Point", append=append)

    begun = False
    held: list[pa.RecordBatch] = []
    for batch in rows:
        held.append(batch)
        if sum(len(one) for one in held) >= _CHUNK:
            write(held, append=begun)
            begun, held = True, []
    if held or not begun:
        write(held, append=begun)
    add_readme_layer(readme, path)


def add_readme_layer(readme: Readme, path: Path) -> None:
    """Add the readme to a GeoPackage as a table of its own, without geometry."""
    import pyogrio

    pyogrio.write_dataframe(tabulate_readme(readme), path, driver="GPKG", layer="readme")


def _write_geojson(rows: IncidentRows, readme: Readme, path: Path) -> None:
    head = json.dumps({"type": "FeatureCollection", "readme": dict(readme)}, ensure_ascii=False)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write(f'{head[:-1]}, "features": [')
        separator = "\n"
        for batch in rows:
            for record in batch.to_pylist():
                at = (record["longitude"], record["latitude"])
                point = None if at[0] is None else {"type": "Point", "coordinates": at}
                feature = {"type": "Feature", "properties": record, "geometry": point}
                stream.write(separator + json.dumps(feature, ensure_ascii=False, default=str, separators=(",", ":")))
                separator = ",\n"
        stream.write("\n]}\n")


INCIDENT_WRITERS: Mapping[Format, Callable[[IncidentRows, Readme, Path], None]] = {
    "csv": _write_csv,
    "zip": _write_zip,
    "xlsx": _write_workbook,
    "geojson": _write_geojson,
    "gpkg": _write_geopackage,
    "parquet": _write_parquet,
    "geoparquet": _write_geoparquet,
}
