"""Extracts as files: each opened by a reader that had no part in writing it, each number that of the page."""

import csv
import io
import json
import math
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
from click.testing import CliRunner

from cspmap.cli import main
from cspmap.errors import UserError
from cspmap.exports import workbook
from cspmap.exports.area_figures import work_out_figures
from cspmap.exports.files import tabulate, write_extract
from cspmap.exports.incident_rows import SCHEMA, list_incidents
from cspmap.exports.request import FORMATS, Format, Request, What, make_command, name_extract
from cspmap.exports.workbook import write_workbook
from cspmap.partnership import Disclosure
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import Store

from .made import WARDS, Made

SPAN = Span.parse("2023-07..2023-10")
LEVELS = ("lsoa21", "ward", "hex", "area")
Rows = list[dict[str, Any]]


def read_csv_file(path: Path) -> Rows:
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def read_zip_file(path: Path) -> Rows:
    with zipfile.ZipFile(path) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".csv")]
        data = archive.read(name)
    assert data.startswith(b"\xef\xbb\xbf"), "Excel takes it for another encoding"
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def read_workbook(path: Path) -> Rows:
    rows = openpyxl.load_workbook(path)["Figures"].iter_rows(values_only=True)
    names = next(rows)
    return [dict(zip(cast(Any, names), row, strict=True)) for row in rows]


def read_places(path: Path) -> Rows:
    frame = pyogrio.read_dataframe(path, layer="extract" if path.suffix == ".gpkg" else None)
    return cast(Rows, pd.DataFrame(frame.drop(columns="geometry")).to_dict("records"))


def read_parquet(path: Path) -> Rows:
    return cast(Rows, [{k: v for k, v in row.items() if k != "geometry"} for row in pq.read_table(path).to_pylist()])


READERS: Mapping[Format, Callable[[Path], Rows]] = {
    "csv": read_csv_file,
    "zip": read_zip_file,
    "xlsx": read_workbook,
    "json": lambda path: cast(Rows, json.loads(path.read_text("utf-8"))["rows"]),
    "geojson": read_places,
    "gpkg": read_places,
    "parquet": read_parquet,
    "geoparquet": read_parquet,
}


def read_readme(path: Path, kind: Format) -> str:
    """The readme that goes with a file, as text; of CSV and JSON, the caveats."""
    if kind == "zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read("README.txt").decode("utf-8-sig")
    if kind == "xlsx":
        return "\n".join(" ".join(map(str, row)) for row in openpyxl.load_workbook(path)["About"].values)
    if kind == "gpkg":
        return "\n".join(pyogrio.read_dataframe(path, layer="readme").astype(str).agg(" ".join, axis=1))
    if kind in ("parquet", "geoparquet"):
        return str(pq.read_schema(path).metadata[b"readme"].decode())
    return path.read_text("utf-8")


def select(query: Query, level: str = "ward", **values: Any) -> Selection:
    return Selection.default(query.store).change(**{"span": SPAN, "level": level, **values})


def same(found: Any, expected: Any) -> bool:
    """Whether a cell says the same, however its format says it."""
    if pd.isna(expected):
        return found == "" or bool(pd.isna(found))
    if isinstance(expected, str):
        return str(found) == expected
    if isinstance(expected, bool):
        return str(found) == str(expected)
    return math.isclose(float(found), float(expected), rel_tol=1e-9, abs_tol=1e-9)


def check_same(rows: Rows, frame: pd.DataFrame) -> None:
    assert len(rows) == len(frame)
    order = [name for name in ("code", "month", "crime_type") if name in frame]
    rows = sorted(rows, key=lambda row: [row[name] for name in order])
    expected = frame.sort_values(order).astype(object).to_dict("records")
    for found, wanted in zip(rows, expected, strict=True):
        for name, value in wanted.items():
            assert same(found[str(name)], value), (name, found[str(name)], value)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("level", LEVELS)
def test_every_number_is_the_pages_own_on_every_level_in_every_format(
    query: Query, level: str, kind: Format, tmp_path: Path
) -> None:
    selection = select(query, level, crimes=("acquisitive",))
    figures = work_out_figures(query, selection).areas.set_index("code")
    asked: tuple[tuple[What, tuple[Any, ...]], ...] = (("areas", ()), ("rates", ()), ("counts", ("month",)))
    for what, by in asked:
        request = Request(selection, what, by, kind)
        path = tmp_path / name_extract(request)
        write_extract(query, request, path)
        rows = READERS[kind](path)
        check_same(rows, tabulate(query, request))
        counts: dict[str, float] = {}
        for row in rows:
            if not same(row["count"], None):
                counts[row["code"]] = counts.get(row["code"], 0) + int(float(row["count"]))
        assert counts == figures["count"].to_dict()
        if what == "areas":
            assert [round(float(row["rate"]), 3) for row in sorted(rows, key=lambda row: row["code"])] == [
                round(rate, 3) for rate in figures["rate"].sort_index()
            ]


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "json"])
@pytest.mark.parametrize("areas", [(), ("w2", "w3")])
def test_incidents_are_as_many_as_the_page_counts_and_as_published(
    query: Query, kind: Format, areas: tuple[str, ...], tmp_path: Path
) -> None:
    selection = select(query, crimes=("burglary", "drugs"), areas=areas)
    path = tmp_path / name_extract(Request(selection, "incidents", (), kind))
    write_extract(query, Request(selection, "incidents", (), kind), path)
    rows = READERS[kind](path)
    counted = query.count_areas(selection).set_index("code")["count"]
    total = counted[list(areas)].sum() if areas else query.count_coverage(selection).total
    assert len(rows) == total == list_incidents(query, selection).total
    by_ward = pd.Series([row["area_code"] for row in rows]).value_counts()
    for code in areas or WARDS:
        assert by_ward[code] == counted[code]
    assert {row["crime_type"] for row in rows} == {"Burglary", "Drugs"}
    for row in rows:
        for name in ("longitude", "latitude"):
            assert len(repr(float(row[name])).partition(".")[2]) <= 6


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in ("csv", "json")])
@pytest.mark.parametrize("what", ["rates", "areas", "incidents"])
def test_the_readme_goes_with_it(query: Query, what: What, kind: Format, tmp_path: Path) -> None:
    request = Request(select(query), what, (), kind)
    path = tmp_path / name_extract(request)
    write_extract(query, request, path)
    told = read_readme(path, kind)
    for words in (
        "July 2023 to October 2023",
        "August 2023",
        "have no location",
        "Made up for tests.",
        query.store.version,
        "Level ward",
        "No count is withheld or rounded.",
        f"cspmap extract --store STORE --what {what} --level ward --from 2023-07 --to 2023-10",
        *(("1,000 residents, 2022",) if what != "incidents" else ("no day or time is given",)),
    ):
        assert words in told, words


def test_the_command_makes_the_same_file_again(full: Made, query: Query, tmp_path: Path) -> None:
    selection = select(query, crimes=("burglary",), areas=("w1", "w3"), comparison="previous")
    for what, by, kind in (("counts", ("month",), "zip"), ("areas", (), "geojson"), ("incidents", (), "parquet")):
        request = Request(selection, cast(Any, what), cast(Any, by), cast(Any, kind))
        write_extract(query, request, tmp_path / "page")
        words = make_command(request, query).replace("STORE", str(full.root)).split()[1:]
        words[-1] = str(tmp_path / "again")
        said = CliRunner().invoke(main, words)
        assert said.exit_code == 0, said.output
        assert (tmp_path / "again").read_bytes() == (tmp_path / "page").read_bytes()
    assert "Made again by" in (tmp_path / "again.readme.txt").read_text("utf-8")


def test_texts_are_texts_in_a_workbook(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["=1+1", 2, None], ["http://example.org", 2.5, True], ["+44", -1, False], ["Môn", 0, None]]
    write_workbook(tmp_path / "x.xlsx", ["name", "count", "flag"], rows, len(rows), {"About": "=HYPERLINK()"})
    book = openpyxl.load_workbook(tmp_path / "x.xlsx")
    cells = [cell for row in book["Figures"].iter_rows(min_row=2) for cell in row]
    assert [cell.value for cell in cells[::3]] == ["=1+1", "http://example.org", "+44", "Môn"]
    assert {cell.data_type for cell in cells[::3]} == {"s"}
    assert not [cell for cell in cells if cell.hyperlink]
    assert book["About"]["B1"].data_type == "s"
    assert book["Figures"].freeze_panes == "A2"


def test_more_rows_than_a_sheet_holds_are_refused_with_a_way_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 3)
    with pytest.raises(UserError, match=r"holds 2 rows at most, and this extract has 3; ask for parquet"):
        write_workbook(tmp_path / "x.xlsx", ["n"], [[1], [2], [3]], 3, {})


@pytest.mark.parametrize("kind", ["csv", "zip"])
def test_formulas_in_incidents_are_neutralised(query: Query, kind: Format, tmp_path: Path) -> None:
    from cspmap.exports import incident_files

    class Hostile:
        def __iter__(self) -> Any:
            for batch in list_incidents(query, select(query)):
                names = batch.schema.names
                yield batch.set_column(
                    names.index("location"), SCHEMA.field("location"), ["=cmd|' /C calc'!A0"] * len(batch)
                )

    incident_files.INCIDENT_WRITERS[kind](cast(Any, Hostile()), {}, tmp_path / f"x.{kind}")
    rows = READERS[kind](tmp_path / f"x.{kind}")
    assert {row["location"] for row in rows} == {"'=cmd|' /C calc'!A0"}


def test_withheld_is_told_from_missing_and_from_zero_in_every_format(query: Query, tmp_path: Path) -> None:
    store = query.store
    ruled = replace(store.partnership, disclosure=Disclosure("suppress", threshold=5))
    hiding = Query(Store(store.root, store.version, ruled))
    selection = select(hiding, "lsoa21", crimes=("robbery", "bicycle-theft"))
    for kind in FORMATS:
        request = Request(selection, "counts", ("month",), kind)
        path = tmp_path / name_extract(request)
        write_extract(hiding, request, path)
        rows = READERS[kind](path)
        looks = {
            (
                "withheld" if str(row["withheld"]) == "True" else "missing" if same(row["count"], None) else "shown",
                same(row["count"], None),
            )
            for row in rows
        }
        assert ("withheld", True) in looks
        assert ("missing", True) in looks
        assert ("withheld", False) not in looks
        assert {row["month"] for row in rows if same(row["count"], None) and str(row["withheld"]) != "True"} == {
            "2023-08"
        }
        assert "Counts from 1 to 4 are withheld" in read_readme(path, kind)


@pytest.mark.parametrize(
    ("what", "by", "kind", "said"),
    [("areas", ("month",), "csv", "is not split"), ("incidents", (), "json", "Incidents are not given as JSON")],
)
def test_what_does_not_go_together_is_said(query: Query, what: What, by: Any, kind: Format, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Request(select(query), what, by, kind)


def test_a_file_that_cannot_be_printed_asks_for_a_name(full: Made) -> None:
    said = CliRunner().invoke(main, ["extract", "--store", str(full.root), "--format", "xlsx"])
    assert said.exit_code == 1
    assert said.stderr == "A file of format xlsx cannot be printed; name a file for it with --out.\n"


def test_a_refused_extract_leaves_nothing_behind(full: Made, tmp_path: Path) -> None:
    out = tmp_path / "x.gpkg"
    words = ["extract", "--store", str(full.root), "--from", "2023-08", "--to", "2023-08", "--format", "gpkg"]
    said = CliRunner().invoke(main, [*words, "--out", str(out)])
    assert said.exit_code == 1
    assert "No month of August 2023 is loaded" in said.stderr
    assert list(tmp_path.iterdir()) == []
