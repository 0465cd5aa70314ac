"""The briefing pack, read back by others than what wrote it: python-pptx, the PDF's own objects, LibreOffice."""

import io
import re
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from cspmap.briefing.screen import (
    BarsFigure,
    Briefing,
    Entry,
    Figure,
    Line,
    MapFigure,
    Screen,
    TableFigure,
    TrendFigure,
)
from cspmap.cli import main
from cspmap.errors import UserError
from cspmap.exports.pack import PackFormat, write_pack
from cspmap.exports.pack_shapes import measure_rows, share_widths
from cspmap.exports.pack_tables import list_map_tables, tabulate_chart
from cspmap.operations import OPERATIONS_VARIABLE, Operation, Operations, Units, find_url
from cspmap.pack_job import PackJob, PackQuestion
from cspmap.store import Store, open_store
from cspmap.views.map import AreaStyle, Legend, LegendClass, MapView
from cspmap.views.target_board import RATING_COLOURS
from cspmap.views.words import NOT_KNOWN

pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")

HOSTILE = "=1+1 <b>#emph[x]</b> \" ' & $x$ \\ #panic() ]]> \x0b\x00"
SHOWN = "=1+1 <b>#emph[x]</b> \" ' & $x$ \\ #panic() ]]>"
NOTICE = "Example: no figure here is a real one."
LICENCE = "Contains public sector information licensed under the Open Government Licence v3.0."
CAVEATS = (NOTICE, "Rates are per 1,000 residents, 2005.", "12 incidents (4.1 %) have no location.")


@pytest.fixture(scope="module")
def store(example_store: Path) -> Store:
    return open_store(example_store)


def make_map(store: Store) -> MapFigure:
    codes = store.codes("ward")
    legend = Legend(
        "Burglary per 1,000", "Two classes.", (LegendClass("#F8EBB5", "3 to 9"), LegendClass("#2B6CA3", "10 to 31"))
    )
    areas = [AreaStyle(code, place % 2, (f"{place} incidents",), "R") for place, code in enumerate(codes[2:])]
    view = MapView("Luton", "", (AreaStyle(codes[0], "missing", ("no data",)), *areas), legend)
    return MapFigure(view, "ward", "Burglary by ward, highest in Dallow.")


def make_trend() -> TrendFigure:
    months = tuple(f"2007-{month:02d}" for month in range(1, 13))
    values = (10.0, 12.0, None, 8.0, 9.0, 0.0, 11.0, 7.0, 6.0, 12.0, 15.0, 14.0)
    lines = (Line("This year", values), Line("On course", tuple(map(float, range(12))), "dashed"))
    return TrendFigure("Burglary a month", months, lines, "incidents", "Burglary by month, none known in March.")


def make_table(rows: int) -> TableFigure:
    filled = tuple((f"Area {number}", str(number), "RAG"[number % 3]) for number in range(rows))
    return TableFigure("By area", ("Area", "Incidents", "Rating"), filled, ("left", "right", "left"), rating=2)


def make_briefing(store: Store, *screens: Screen) -> Briefing:
    whole = Screen(
        "partnership",
        "Luton at a glance",
        "Burglary, year to December 2007",
        (Figure("1,584", "incidents", "over 12 months"), Figure("16.2", "per 1,000 residents", "", "R")),
        ("Burglary is up 12 % on last year (34 to 38). That is within normal variation.",),
        make_map(store),
        make_trend(),
        make_table(6),
        (Entry("Patrol the High Street", "Sgt Ames", "3 April 2008", "Open", "1 March 2008"),),
        CAVEATS,
    )
    return Briefing("Luton CSP", "14:05 on 3 March 2008", NOTICE, (LICENCE,), "2008-03-abc", screens or (whole,))


def read_slides(data: bytes) -> list[Any]:
    return list(pptx.Presentation(io.BytesIO(data)).slides)


def list_texts(slide: Any) -> list[str]:
    texts = [shape.text_frame.text for shape in slide.shapes if shape.has_text_frame]
    cells = (cell for shape in slide.shapes if shape.has_table for row in shape.table.rows for cell in row.cells)
    return [*texts, *(cell.text for cell in cells)]


def read_objects(pdf: bytes) -> str:
    """A PDF with its compressed streams opened, as text: enough to find its tags."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    opened = [pdf]
    for stream in streams:
        try:
            opened.append(zlib.decompress(stream))
        except zlib.error:
            continue
    return b"\n".join(opened).decode("latin-1")


def read_pdf(data: bytes, tmp_path: Path) -> list[str]:
    """The text of each page as another program reads it."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine")
    file = tmp_path / "pack.pdf"
    file.write_bytes(data)
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, timeout=60)
    return done.stdout.decode("utf-8").removesuffix("\f").split("\f")


# ---- slides ----------------------------------------------------------------------------------------------------------


def test_slides_hold_text_table_and_chart_of_their_own(store: Store) -> None:
    front, glance, *others = read_slides(write_pack(make_briefing(store), store, "pptx"))
    assert front.shapes.title.text_frame.text == "Luton CSP"
    assert glance.shapes.title.text_frame.text == "Luton at a glance"
    texts = " | ".join(list_texts(glance))
    for told in ("Burglary is up 12 %", "1,584", "per 1,000 residents", "Burglary, year to December 2007"):
        assert told in texts
    # Above the table, which alone would leave its slide half empty.
    (chart,) = [shape.chart for shape in others[0].shapes if shape.has_chart]
    assert [series.name for series in chart.plots[0].series] == ["This year", "On course"]
    assert chart.plots[0].series[0].values[:4] == (10.0, 12.0, None, 8.0)
    assert 'dispBlanksAs val="gap"' in chart.part.blob.decode()
    (table,) = [
        shape.table for slide in others for shape in slide.shapes if shape.has_table and shape.name == "By area"
    ]
    assert [cell.text for cell in table.rows[0].cells] == ["Area", "Incidents", "Rating"]
    assert len(table.rows) == 7
    fills = {row.cells[2].text: str(row.cells[2].fill.fore_color.rgb) for row in list(table.rows)[1:]}
    assert fills == {letter: RATING_COLOURS[letter][1:] for letter in ("R", "A", "G")}


def test_every_slide_says_what_it_is_and_where_from(store: Store) -> None:
    slides = read_slides(write_pack(make_briefing(store), store, "pptx"))
    for number, slide in enumerate(slides, start=1):
        texts = list_texts(slide)
        assert slide.shapes.title.text_frame.text
        assert NOTICE in texts
        assert any(f"Page {number} of {len(slides)}" in text for text in texts)
        (sources,) = [text for text in texts if "Store version" in text]
        assert "As at 14:05 on 3 March 2008" in sources
        assert LICENCE in sources
        if number > 1:
            assert any("Rates are per 1,000 residents, 2005." in text for text in texts)


def test_every_picture_chart_and_table_is_described(store: Store) -> None:
    slides = read_slides(write_pack(make_briefing(store), store, "pptx"))
    described = {}
    for slide in slides:
        for shape in slide.shapes:
            if shape.has_chart or shape.has_table or shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.PICTURE:
                described[shape.name] = shape._element.xpath(".//p:cNvPr/@descr")
    assert described["Map"] == ["Burglary by ward, highest in Dallow."]
    assert described["Burglary a month"] == ["Burglary by month, none known in March."]
    assert all(texts and texts[0] for texts in described.values())


def test_a_table_stands_behind_the_map(store: Store) -> None:
    slides = read_slides(write_pack(make_briefing(store), store, "pptx"))
    behind = [slide for slide in slides if slide.shapes.title.text_frame.text.startswith("Behind the map")]
    cells = [text for slide in behind for text in list_texts(slide)]
    names = store.areas.loc[store.areas["layer"] == "ward", "name"]
    assert set(names) <= set(cells)
    assert {"no data", "3 to 9", "10 to 31"} <= set(cells)


def test_a_table_that_names_all_areas_is_not_repeated(store: Store) -> None:
    names = sorted(store.areas.loc[store.areas["layer"] == "ward", "name"])
    own = TableFigure("By ward", ("Ward",), tuple((name,) for name in names), ("left",))
    screen = Screen("a", "A", "", map=make_map(store), table=own)
    assert list_map_tables(screen, store) == []
    assert len(list_map_tables(replace(screen, table=None), store)) == 1


def test_a_long_table_goes_on_and_loses_no_row(store: Store) -> None:
    screen = Screen("a", "Areas", "", table=make_table(130), caveats=CAVEATS)
    slides = read_slides(write_pack(make_briefing(store, screen), store, "pptx"))
    tables = [shape for slide in slides for shape in slide.shapes if shape.has_table]
    assert len(tables) > 3
    names = [row.cells[0].text for table in tables for row in list(table.table.rows)[1:]]
    assert names == [f"Area {number}" for number in range(130)]
    for table in tables:
        assert [cell.text for cell in table.table.rows[0].cells] == ["Area", "Incidents", "Rating"]
    titles = [slide.shapes.title.text_frame.text for slide in slides]
    assert titles[:3] == ["Luton CSP", "Areas", "Areas (continued)"]


@pytest.mark.parametrize("rows", [21, 26, 34, 50])
def test_a_table_that_goes_on_has_about_as_many_rows_on_each_slide(store: Store, rows: int) -> None:
    screen = Screen("a", "Areas", "", table=make_table(rows), caveats=CAVEATS)
    slides = read_slides(write_pack(make_briefing(store, screen), store, "pptx"))
    sizes = [len(shape.table.rows) - 1 for slide in slides for shape in slide.shapes if shape.has_table]
    assert sum(sizes) == rows
    assert max(sizes) - min(sizes) <= len(sizes)


def test_a_short_table_stands_below_the_chart_and_a_long_one_leaves_it_beside_the_words(store: Store) -> None:
    whole = make_briefing(store).screens[0]
    for table, where in ((make_table(5), "Luton at a glance (continued)"), (make_table(22), "Luton at a glance")):
        slides = read_slides(write_pack(make_briefing(store, replace(whole, table=table)), store, "pptx"))
        (chart,) = [slide for slide in slides for shape in slide.shapes if shape.has_chart]
        assert chart.shapes.title.text_frame.text == where
        shapes = [shape for shape in chart.shapes if shape.has_chart or shape.has_table]
        if len(shapes) == 2:
            assert shapes[0].top + shapes[0].height <= shapes[1].top


def test_a_chart_names_what_is_withheld_in_its_title_and_leaves_it_out_of_its_workbook(store: Store) -> None:
    line = Line("This month", (12.0, None, None, 11.0), withheld=frozenset({1, 2}))
    trend = TrendFigure(
        "Robbery a month", ("2007-01", "2007-02", "2007-03", "2007-04"), (line,), "incidents", "By month."
    )
    screen = Screen("a", "Robbery", "", chart=trend, caveats=CAVEATS)
    slides = read_slides(write_pack(make_briefing(store, screen), store, "pptx"))
    (chart,) = [shape.chart for slide in slides for shape in slide.shapes if shape.has_chart]
    title = chart.chart_title.text_frame.text
    assert title == "Robbery a month (incidents; open where withheld or not known)"
    book = load_workbook(io.BytesIO(chart.part.chart_workbook.xlsx_part.blob))
    assert [row[1] for row in book["Sheet1"].iter_rows(min_row=2, values_only=True)] == [12, None, None, 11]
    assert [row[1] for row in tabulate_chart(trend).rows] == ["12", "withheld", "withheld", "11"]


def test_nothing_lies_outside_its_slide(store: Store) -> None:
    long = Screen(
        "a",
        "A title that goes on " * 8,
        "A subtitle that goes on as well " * 8,
        tuple(
            Figure("123,456,789", f"figure {number} of many", "with a note that is long " * 4, "A")
            for number in range(7)
        ),
        tuple(f"Sentence {number} says at some length what is to be said about it. " * 5 for number in range(20)),
        make_map(store),
        make_trend(),
        make_table(40),
        tuple(Entry(f"What was said {number} " * 10, "Somebody") for number in range(30)),
        ("A caveat that is long. " * 300,),
    )
    data = write_pack(make_briefing(store, long), store, "pptx")
    presentation = pptx.Presentation(io.BytesIO(data))
    for slide in presentation.slides:
        for shape in slide.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= presentation.slide_width + 1
            assert shape.top + shape.height <= presentation.slide_height + 1
    words = " ".join(text for slide in presentation.slides for text in list_texts(slide))
    assert all(f"Sentence {number} says" in words for number in range(20))
    assert words.split().count("caveat") == 300


def test_hostile_text_is_text_on_slides_and_in_their_workbooks(store: Store) -> None:
    trend = replace(make_trend(), title=HOSTILE, unit=HOSTILE, lines=(Line(HOSTILE, (1.0,) * 12),))
    bars = BarsFigure(HOSTILE, (HOSTILE, "B"), (1.0, None), HOSTILE, HOSTILE, HOSTILE, (2.0, 3.0), HOSTILE)
    screens = [
        Screen(
            "a", HOSTILE, HOSTILE, (Figure(HOSTILE, HOSTILE, HOSTILE),), (HOSTILE,), None, chart, None, (), (HOSTILE,)
        )
        for chart in (trend, bars)
    ]
    briefing = replace(make_briefing(store, *screens), title=HOSTILE, notice=HOSTILE, licences=(HOSTILE,))
    data = write_pack(briefing, store, "pptx")
    slides = read_slides(data)
    assert slides[1].shapes.title.text_frame.text == SHOWN
    with zipfile.ZipFile(io.BytesIO(data)) as whole:
        books = [name for name in whole.namelist() if name.endswith(".xlsx")]
        assert len(books) == 2
        for name in books:
            cells = [cell for row in load_workbook(io.BytesIO(whole.read(name))).active.iter_rows() for cell in row]
            assert not [cell for cell in cells if cell.data_type == "f"]


def test_bars_that_are_not_known_are_named_so(store: Store) -> None:
    bars = BarsFigure("Mix", ("A", "B"), (1.0, None), "%", "Mix of crime.")
    slides = read_slides(write_pack(make_briefing(store, Screen("a", "Mix", "", chart=bars)), store, "pptx"))
    (chart,) = [shape.chart for slide in slides for shape in slide.shapes if shape.has_chart]
    assert list(chart.plots[0].categories) == ["A", f"B ({NOT_KNOWN})"]
    assert chart.plots[0].series[0].values == (1.0, None)


# ---- print -----------------------------------------------------------------------------------------------------------


def test_print_is_tagged_a4_landscape_and_carries_its_typeface(store: Store) -> None:
    pdf = write_pack(make_briefing(store), store, "pdf")
    objects = read_objects(pdf)
    assert pdf.startswith(b"%PDF-1.7")
    assert re.search(r"/Marked true", objects)
    assert "/StructTreeRoot" in objects
    assert re.search(r"/Lang\s*\(en-GB\)", objects)
    assert "pdfuaid:part" in objects
    for tag in ("/H1", "/H2", "/Table", "/TH", "/TD", "/Figure", "/L"):
        assert f"/S {tag}" in objects.replace("/S/", "/S /"), tag
    assert objects.count("/Alt") >= 2
    boxes = set(re.findall(r"/MediaBox\s*\[\s*0 0 ([0-9.]+) ([0-9.]+)\s*\]", objects))
    assert {(round(float(width)), round(float(height))) for width, height in boxes} == {(842, 595)}
    assert "SourceSansPro" in objects
    assert "/FontFile" in objects
    assert "http" not in "".join(re.findall(r"/URI\s*\(([^)]*)\)", objects))


def test_every_printed_page_says_what_it_is_and_where_from(store: Store, tmp_path: Path) -> None:
    pages = read_pdf(write_pack(make_briefing(store), store, "pdf"), tmp_path)
    for number, page in enumerate(pages, start=1):
        text = " ".join(page.split())
        assert f"Page {number} of {len(pages)}" in text
        assert NOTICE in text
        assert "Store version 2008-03-abc." in text
    whole = " ".join(" ".join(pages).split())
    for told in ("Luton at a glance", "That is within normal variation.", "Patrol the High Street", "Sgt Ames"):
        assert told in whole
    # The table behind the chart, with the month that is not known.
    assert "March 2007" in whole
    assert NOT_KNOWN in whole
    names = store.areas.loc[store.areas["layer"] == "ward", "name"]
    assert all(whole.count(name) >= 1 for name in names)


def test_a_page_without_the_caveats_says_where_they_are(store: Store, tmp_path: Path) -> None:
    screen = Screen("a", "Areas", "", table=make_table(130), caveats=CAVEATS)
    pages = read_pdf(write_pack(make_briefing(store, screen), store, "pdf"), tmp_path)
    first = next(number for number, page in enumerate(pages, start=1) if "Rates are per 1,000" in page)
    later = [" ".join(page.split()) for page in pages[first:]]
    assert later
    assert all(f"on page {first}" in page and "Areas (continued)" in page for page in later)
    whole = " ".join(" ".join(pages).split())
    assert all(f"Area {number} " in whole for number in range(130))


def test_hostile_text_is_text_in_print(store: Store, tmp_path: Path) -> None:
    table = TableFigure(HOSTILE, (HOSTILE, "B"), ((HOSTILE, HOSTILE),), ("left", "left"), rating=1)
    trend = replace(make_trend(), title=HOSTILE, alt=HOSTILE, lines=(Line(HOSTILE, (1.0,) * 12),))
    screen = Screen("a", HOSTILE, HOSTILE, (Figure(HOSTILE, HOSTILE),), (HOSTILE,), None, trend, table, (), (HOSTILE,))
    briefing = replace(make_briefing(store, screen), title=HOSTILE, notice=HOSTILE, licences=(HOSTILE,))
    pdf = write_pack(briefing, store, "pdf")
    words = "".join("".join(read_pdf(pdf, tmp_path)).split())
    assert "#emph[x]" in words
    assert "#panic()" in words


def test_slides_open_in_libreoffice(store: Store, tmp_path: Path) -> None:
    if shutil.which("soffice") is None or shutil.which("pdftotext") is None:
        pytest.skip("LibreOffice is not on this machine")
    file = tmp_path / "pack.pptx"
    data = write_pack(make_briefing(store), store, "pptx")
    file.write_bytes(data)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path / "out"), str(file)]
    subprocess.run(command, check=True, capture_output=True, timeout=180)
    pages = read_pdf((tmp_path / "out" / "pack.pdf").read_bytes(), tmp_path)
    assert len(pages) == len(read_slides(data))
    assert "Luton at a glance" in pages[1]
    assert "Burglary a month" in pages[2]


# ---- tables ----------------------------------------------------------------------------------------------------------


def test_what_is_not_known_is_never_zero_in_the_table_behind_a_chart() -> None:
    table = tabulate_chart(make_trend())
    rows = {row[0]: row[1] for row in table.rows}
    assert rows["March 2007"] == NOT_KNOWN
    assert rows["June 2007"] == "0"


@pytest.mark.parametrize("width", [120.0, 400.0, 900.0])
def test_columns_fit_the_width(width: float) -> None:
    table = TableFigure("T", ("A", "B"), (("word " * 60, "1"), ("x" * 200, "")), ("left", "right"))
    widths = share_widths(table, width, 10)
    assert sum(widths) <= width + 1e-6
    assert min(widths) > 0
    assert len(measure_rows(table, widths, 10)) == 3


# ---- the process of its own, and the command -------------------------------------------------------------------------


def ask(store: Store, kind: PackFormat = "pdf", **values: Any) -> PackQuestion:
    selection = {"period": "2007-04..2008-03", "level": "ward"}
    return replace(PackQuestion(str(store.root), selection, "area:south", kind), **values)


def wait_for(check: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.05)


def test_a_pack_is_made_in_another_process_and_tells_how_far_it_is(store: Store) -> None:
    seen = []
    with PackJob(ask(store)) as job:
        while not job.done:
            seen.append(job.progress)
            time.sleep(0.02)
        assert job.result().startswith(b"%PDF-1.7")
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert len(set(shares)) > 2
    assert not Path(job._folder.name).exists()


def test_a_pack_is_called_off_at_once_and_leaves_nothing_behind(store: Store) -> None:
    job = PackJob(ask(store, "pptx", scope="partnership"))
    wait_for(lambda: job.progress[1] > 0 or job.done)
    begin = time.monotonic()
    job.kill()
    assert time.monotonic() - begin < 3
    assert job._worker._process.poll() is not None
    assert not Path(job._folder.name).exists()
    with pytest.raises(UserError, match="start it again"):
        job.result()


def test_what_cannot_be_packed_is_said_in_one_sentence(store: Store) -> None:
    with PackJob(ask(store, scope="area:nowhere")) as job, pytest.raises(UserError, match="nowhere"):
        job.result(timeout=120)
    with PackJob(replace(ask(store), store="/nowhere")) as job, pytest.raises(UserError, match="no store"):
        job.result(timeout=120)


def test_the_process_ends_with_the_one_that_asked(store: Store, tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from cspmap.pack_job import PackJob, PackQuestion\n"
        f"job = PackJob(PackQuestion({str(store.root)!r}, {{}}, 'partnership', 'pptx'))\n"
        "print(job._worker._process.pid, job._folder.name, flush=True)\n"
        "os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    pid, folder = done.stdout.split()
    wait_for(lambda: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2])
    wait_for(lambda: not Path(folder).exists())


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["pack", *arguments])


def test_the_command_writes_by_the_ending_of_the_file(store: Store, tmp_path: Path) -> None:
    out = tmp_path / "south.pdf"
    done = run("--store", str(store.root), "--area", "south", "--to", "2007-12", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"%PDF")
    pages = read_pdf(out.read_bytes(), tmp_path)
    assert "year to December 2007" in " ".join(" ".join(pages).split())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--out", "pack.doc"), "say which to write with --format"),
        (("--out", "pack.pdf", "--area", "a", "--operation", "b"), "leave --area or --operation out"),
        (("--out", "pack.pdf", "--area", "nowhere"), "nowhere"),
        (("--out", "pack.pdf", "--operation", "nobody"), "no such operation"),
    ],
)
def test_the_command_says_what_is_wrong(store: Store, arguments: tuple[str, ...], told: str, tmp_path: Path) -> None:
    done = run("--store", str(store.root), *arguments)
    assert done.exit_code == 1
    assert told in done.output
    assert not Path("pack.pdf").exists()


def test_the_pack_of_one_operation(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OPERATIONS_VARIABLE, f"sqlite:///{tmp_path}/operations.db")
    area = Units("ward", tuple(store.codes("ward")[:2]))
    kept = Operations.open(find_url(store.root))
    kept.save_operation(Operation("Octans", area=area, start=date(2007, 4, 2)), who="Sgt Ames")
    out = tmp_path / "octans.pptx"
    done = run("--store", str(store.root), "--operation", "Octans", "--out", str(out))
    assert done.exit_code == 0, done.output
    titles = [slide.shapes.title.text_frame.text for slide in read_slides(out.read_bytes())]
    assert titles[0] == "Octans"
    assert "Octans" in titles[1]
