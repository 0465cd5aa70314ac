"""An extract as a file of any format, with its readme: a sheet, a layer, a member, metadata or a file beside it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from cspmap.exports.area_figures import work_out_figures
from cspmap.exports.area_table import tabulate_areas
from cspmap.exports.extract import extract_counts, write_csv, write_geojson
from cspmap.exports.incident_files import INCIDENT_WRITERS, add_readme_layer
from cspmap.exports.incident_rows import SCHEMA, list_incidents
from cspmap.exports.readme import list_caveats, make_readme, write_readme
from cspmap.exports.request import Format, Request
from cspmap.exports.workbook import write_workbook
from cspmap.exports.zipped import zip_texts
from cspmap.query import Query
from cspmap.views.words import name_crimes

if TYPE_CHECKING:
    import geopandas as gpd

# Excel takes a file without it for one in the writer's own code page, and shows "Ynys MÃ´n"; other readers skip it.
BYTE_ORDER_MARK = "\ufeff"
_RATES = ("population", "rate", "rate_per", "population_method")


def write_extract(query: Query, request: Request, path: Path) -> dict[str, str]:
    """Write an extract to `path` and return its readme.

    Incidents are read and written in batches. Raises UserError where the extract is not allowed, or is too long for
    its format.
    """
    if request.what == "incidents":
        rows = list_incidents(query, request.selection)
        readme = make_readme(query, request, SCHEMA.names)
        INCIDENT_WRITERS[request.format](rows, readme, path)
        return readme
    frame = tabulate(query, request)
    readme = make_readme(query, request, list(frame.columns))
    _WRITERS[request.format](_Table(query, request, frame, readme), path)
    return readme


def tabulate(query: Query, request: Request) -> pd.DataFrame:
    """The figures of an extract as a table: all of them but single incidents."""
    selection, partnership = request.selection, query.store.partnership
    if request.what == "areas":
        figures = work_out_figures(query, selection)
        return tabulate_areas(
            figures.areas,
            selection,
            now=figures.now,
            before=figures.before,
            per=figures.per,
            crimes=name_crimes(selection, partnership),
            notice=partnership.notice,
            rule=partnership.disclosure,
        ).reset_index(drop=True)
    frame = extract_counts(query, selection, by=request.split)
    return frame if request.what == "rates" else frame.drop(columns=[name for name in _RATES if name in frame])


@dataclass(frozen=True)
class _Table:
    query: Query
    request: Request
    frame: pd.DataFrame
    readme: Mapping[str, str]

    @property
    def caveats(self) -> list[str]:
        return list_caveats(self.query, self.request)

    def place(self) -> "gpd.GeoDataFrame":
        """The table with the areas' outlines, in EPSG:27700."""
        layer = self.query.store.read_layer(self.request.selection.level)
        return layer[["code", "geometry"]].merge(self.frame, on="code")[[*self.frame.columns, "geometry"]]


def _write_csv(table: _Table, path: Path) -> None:
    path.write_text(write_csv(table.frame, table.caveats), "utf-8")


def _write_zip(table: _Table, path: Path) -> None:
    texts = {
        "figures.csv": BYTE_ORDER_MARK + write_csv(table.frame),
        "README.txt": BYTE_ORDER_MARK + write_readme(table.readme),
    }
    path.write_bytes(zip_texts(texts))


def _write_json(table: _Table, path: Path) -> None:
    rows = json.loads(table.frame.to_json(orient="records"))
    text = json.dumps({"caveats": table.caveats, "rows": rows}, ensure_ascii=False, indent=1)
    path.write_text(f"{text}\n", "utf-8")


def _write_geojson(table: _Table, path: Path) -> None:
    layer = table.query.store.read_layer(table.request.selection.level)
    path.write_text(write_geojson(table.frame, layer, table.caveats, readme=table.readme), "utf-8")


def _write_workbook(table: _Table, path: Path) -> None:
    columns = table.frame.astype(object).where(table.frame.notna(), None)
    write_workbook(path, list(columns.columns), columns.itertuples(index=False), len(columns), table.readme)


def _write_geopackage(table: _Table, path: Path) -> None:
    import pyogrio

    pyogrio.write_dataframe(table.place(), path, driver="GPKG", layer="extract", description=write_readme(table.readme))
    add_readme_layer(table.readme, path)


def _write_parquet(table: _Table, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    made = pa.Table.from_pandas(table.frame, preserve_index=False)
    metadata = {**(made.schema.metadata or {}), b"readme": write_readme(table.readme).encode()}
    pq.write_table(made.replace_schema_metadata(metadata), path, compression="zstd")


def _write_geoparquet(table: _Table, path: Path) -> None:
    import pyarrow.parquet as pq

    buffer = BytesIO()
    table.place().to_parquet(buffer, index=False)
    made = pq.read_table(buffer)
    metadata = {**(made.schema.metadata or {}), b"readme": write_readme(table.readme).encode()}
    pq.write_table(made.replace_schema_metadata(metadata), path, compression="zstd")


_WRITERS: Mapping[Format, Callable[[_Table, Path], None]] = {
    "csv": _write_csv,
    "zip": _write_zip,
    "xlsx": _write_workbook,
    "json": _write_json,
    "geojson": _write_geojson,
    "gpkg": _write_geopackage,
    "parquet": _write_parquet,
    "geoparquet": _write_geoparquet,
}
