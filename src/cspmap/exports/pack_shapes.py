"""What slides are put together from, in points: text, tables and charts that can be edited, and pictures.

A file of slides cannot carry its typeface, so the text is set in Arial, which is on every computer that opens one.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from cspmap.briefing.chart_drawing import is_known
from cspmap.briefing.screen import BarsFigure, Line, TableFigure, TrendFigure
from cspmap.briefing.svg import LINE_HEIGHT, break_text, clean_text, measure_text
from cspmap.exports.extract import neutralise
from cspmap.periods import Month
from cspmap.views.palettes import CATEGORICAL, OUTLINE
from cspmap.views.target_board import RATING_COLOURS
from cspmap.views.words import NOT_KNOWN

if TYPE_CHECKING:
    from pptx.slide import Slide

FONT, LANGUAGE = "Arial", "en-GB"
_MOST_MONTHS = 9
MUTED, GRID, HEAD = "#46525E", "#C9D1D9", CATEGORICAL[0]
# Of a table's cell, in points: above and below its text, and on either side of it.
_ABOVE, _ASIDE = 2.5, 5.0
# A table that needs less than the width is widened by this at most.
_MOST_STRETCH = 1.35
# "No Style, Table Grid" of every PowerPoint: plain, with lines.
_PLAIN_TABLE = "{5940675A-B579-460E-94D1-54222C63F5DA}"

Place = Literal["left", "right", "center"]


@dataclass(frozen=True)
class Box:
    """A place on a slide, in points from its upper left."""

    left: float
    top: float
    width: float
    height: float

    def emu(self) -> tuple[Any, Any, Any, Any]:
        """Left, top, width and height as the slide's file counts them."""
        from pptx.util import Pt

        return Pt(self.left), Pt(self.top), Pt(self.width), Pt(self.height)


def measure_height(text: str, width: float, size: float, *, bold: bool = False) -> float:
    """How high a paragraph comes out that is `width` wide."""
    return len(break_text(text, width, size, bold=bold)) * LINE_HEIGHT * size


def add_text(
    slide: "Slide",
    box: Box,
    paragraphs: Sequence[str],
    size: float,
    *,
    colour: str = OUTLINE,
    bold: bool = False,
    align: Place = "left",
    gap: float = 0.0,
    name: str = "",
) -> Any:
    """A text box of some paragraphs, `gap` apart, without margins."""
    shape = slide.shapes.add_textbox(*box.emu())
    if name:
        shape.name = name
    write_paragraphs(shape.text_frame, paragraphs, size, colour=colour, bold=bold, align=align, gap=gap)
    return shape


def write_paragraphs(
    frame: Any,
    paragraphs: Sequence[str],
    size: float,
    *,
    colour: str = OUTLINE,
    bold: bool = False,
    align: Place = "left",
    gap: float = 0.0,
) -> None:
    """Set the text of a shape, wrapped, without margins."""
    from pptx.enum.text import MSO_AUTO_SIZE, PP_ALIGN
    from pptx.util import Pt

    frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
    frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = 0
    for number, text in enumerate(paragraphs):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.alignment = getattr(PP_ALIGN, align.upper())
        paragraph.space_after = Pt(gap)
        write_run(paragraph, text, size, colour=colour, bold=bold)


def write_run(paragraph: Any, text: str, size: float, *, colour: str = OUTLINE, bold: bool = False) -> Any:
    """A piece of text in one look."""
    run = paragraph.add_run()
    run.text = clean_text(text)
    set_font(run.font, size, colour=colour, bold=bold)
    run._r.get_or_add_rPr().set("lang", LANGUAGE)
    return run


def set_font(font: Any, size: float, *, colour: str = OUTLINE, bold: bool = False) -> None:
    """Typeface, size in points, colour "#RRGGBB" and weight."""
    from pptx.util import Pt

    font.name, font.size, font.bold = FONT, Pt(size), bold
    font.color.rgb = read_colour(colour)


def read_colour(colour: str) -> Any:
    """A colour "#RRGGBB" as slides have it."""
    from pptx.dml.color import RGBColor

    read: Any = RGBColor.from_string
    return read(colour[1:])


def add_page_number(slide: "Slide", box: Box, number: int, total: int, size: float) -> None:
    """ "Page 3 of 12", whose 3 follows the slide where slides are moved."""
    from lxml import etree

    shape = add_text(slide, box, [f"of {total}"], size, colour=MUTED, align="right", name="Page number")
    paragraph = shape.text_frame.paragraphs[0]._p
    run = paragraph.findall("{*}r")[0]
    run.find("{*}t").text = f" of {total}"
    space = run.tag.partition("}")[0].removeprefix("{")
    before = etree.fromstring(etree.tostring(run))
    before.find("{*}t").text = "Page "
    field = etree.Element(f"{{{space}}}fld", {"id": "{B6F15528-21DE-4FAA-801E-634DDDAF4B2B}", "type": "slidenum"})
    field.append(etree.fromstring(etree.tostring(run.find("{*}rPr"))))
    etree.SubElement(field, f"{{{space}}}t").text = str(number)
    run.addprevious(before)
    run.addprevious(field)


def add_picture(slide: "Slide", box: Box, png: bytes, *, alt: str, name: str) -> None:
    """A picture, with what it shows in words."""
    shape = slide.shapes.add_picture(io.BytesIO(png), *box.emu())
    shape.name = name
    describe_shape(shape, alt)


def describe_shape(shape: Any, alt: str) -> None:
    """Give a shape the text that is read out in its place."""
    shape._element.xpath(".//p:cNvPr")[0].set("descr", clean_text(alt))


def add_letter(slide: "Slide", box: Box, letter: str) -> None:
    """The letter of a rating on its colour."""
    from pptx.enum.text import MSO_ANCHOR

    shape = add_text(slide, box, [letter], 0.6 * box.height, bold=True, align="center", name=f"Rating {letter}")
    shape.text_frame.vertical_anchor = MSO_ANCHOR.MIDDLE
    fill_shape(shape, fill=find_rating_colour(letter), line=OUTLINE)


def fill_shape(shape: Any, *, fill: str, line: str) -> None:
    """Ground and border of a shape."""
    from pptx.util import Pt

    shape.fill.solid()
    shape.fill.fore_color.rgb = read_colour(fill)
    shape.line.color.rgb = read_colour(line)
    shape.line.width = Pt(0.75)


def find_rating_colour(letter: str) -> str:
    """The colour behind the letter of a rating; grey where it is none of the three."""
    colours = {str(each): colour for each, colour in RATING_COLOURS.items()}
    return colours.get(letter.strip("()"), "#E4E7EB")


def share_widths(table: TableFigure, width: float, size: float) -> list[float]:
    """Widths of columns, `width` at most together: as their text asks for, and where that is too much, less of it.

    No column is so narrow that a word has to be broken, as long as there is room for that.
    """
    columns = [[title, *(row[place] for row in table.rows)] for place, title in enumerate(table.columns)]
    margins = 2 * _ASIDE + 2
    asked = [max(measure_text(cell, size, bold=True) for cell in cells) + margins for cells in columns]
    if sum(asked) <= width:
        more = min(_MOST_STRETCH, width / sum(asked))
        return [each * more for each in asked]
    words = [
        max((measure_text(word, size, bold=True) for cell in cells for word in cell.split()), default=0.0) + margins
        for cells in columns
    ]
    least = [min(word, width / len(columns)) for word in words]
    spare = (width - sum(least)) / (sum(asked) - sum(least))
    return [low + (high - low) * spare for low, high in zip(least, asked, strict=True)]


def measure_rows(table: TableFigure, widths: Sequence[float], size: float) -> list[float]:
    """The height of the heading and of every row."""

    def measure(cells: Sequence[str], *, bold: bool) -> float:
        lines = [
            max(len(break_text(cell, width - 2 * _ASIDE, size, bold=bold)), 1)
            for cell, width in zip(cells, widths, strict=True)
        ]
        return max(lines) * LINE_HEIGHT * size + 2 * _ABOVE

    return [measure(table.columns, bold=True), *(measure(row, bold=False) for row in table.rows)]


def add_table(
    slide: "Slide",
    left: float,
    top: float,
    table: TableFigure,
    rows: slice,
    *,
    widths: Sequence[float],
    heights: Sequence[float],
    size: float,
) -> None:
    """Some rows of a table under its heading, as a table of the slide's own. `heights` are of `measure_rows`."""
    from pptx.util import Pt

    shown = table.rows[rows]
    tall = heights[0] + sum(heights[1:][rows])
    box = Box(left, top, sum(widths), tall)
    shape = slide.shapes.add_table(len(shown) + 1, len(table.columns), *box.emu())
    shape.name = clean_text(table.title)[:200]
    describe_shape(shape, f"Table: {table.title}")
    grid: Any = shape.table
    grid._tbl.tblPr.find("{*}tableStyleId").text = _PLAIN_TABLE
    grid.first_row, grid.horz_banding = True, False
    for column, width in zip(grid.columns, widths, strict=True):
        column.width = Pt(width)
    for line, height in zip(grid.rows, [heights[0], *heights[1:][rows]], strict=True):
        line.height = Pt(height)
    for place, title in enumerate(table.columns):
        _fill_cell(grid.cell(0, place), title, size, table.align[place], fill=HEAD, colour="#FFFFFF", bold=True)
    for number, row in enumerate(shown, start=1):
        for place, text in enumerate(row):
            rated = place == table.rating and text
            fill = find_rating_colour(text) if rated else "#FFFFFF"
            _fill_cell(grid.cell(number, place), text, size, table.align[place], fill=fill, bold=bool(rated))


def _fill_cell(
    cell: Any, text: str, size: float, align: Place, *, fill: str, colour: str = OUTLINE, bold: bool = False
) -> None:
    from pptx.util import Pt

    write_paragraphs(cell.text_frame, [text], size, colour=colour, bold=bold, align=align)
    cell.margin_left = cell.margin_right = Pt(_ASIDE)
    cell.margin_top = cell.margin_bottom = Pt(_ABOVE)
    cell.fill.solid()
    cell.fill.fore_color.rgb = read_colour(fill)


def add_chart(slide: "Slide", box: Box, figure: TrendFigure | BarsFigure, size: float) -> None:
    """A chart of the slide's own, whose figures lie in it as a table; what is not known is left open there."""
    from pptx.chart import data as chart_data
    from pptx.enum.chart import XL_CHART_TYPE, XL_LEGEND_POSITION

    trend = isinstance(figure, TrendFigure)
    untyped: Any = chart_data
    data = untyped.CategoryChartData(number_format="#,##0.##")
    series = _list_series(figure)
    data.categories = _list_categories(figure)
    for name, values, _ in series:
        data.add_series(neutralise(clean_text(name)), [value if is_known(value) else None for value in values])
    kind = XL_CHART_TYPE.LINE_MARKERS if trend else XL_CHART_TYPE.BAR_CLUSTERED
    shape: Any = slide.shapes.add_chart(kind, *box.emu(), data)
    shape.name = clean_text(figure.title)[:200]
    describe_shape(shape, figure.alt)
    chart = shape.chart
    set_font(chart.font, size, colour=MUTED)
    chart.has_title = True
    frame = chart.chart_title.text_frame
    write_run(frame.paragraphs[0], _name_chart(figure), size + 1, bold=True)
    chart.chart_title.include_in_layout = False
    chart.has_legend = len(series) > 1
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.BOTTOM, False
        set_font(chart.legend.font, size)
    _dress_axes(chart, size, trend=trend)
    if all(value >= 0 for _, values, _ in series for value in values if is_known(value)):
        # Left to itself, PowerPoint may begin the axis higher, where a small change looks large.
        chart.value_axis.minimum_scale = 0
    if isinstance(figure, TrendFigure):
        _level_months(chart.category_axis, max(len(figure.months), 1))
    for place, (plotted, (_, _, line)) in enumerate(zip(chart.plots[0].series, series, strict=True)):
        _dress_series(plotted, line, place)
    if not trend:
        _dress_bars(chart.plots[0], size)


def _name_chart(figure: TrendFigure | BarsFigure) -> str:
    """Title and unit, and what it means where a line is open and not for want of a figure alone."""
    withheld = isinstance(figure, TrendFigure) and figure.withheld
    parts = [part for part in (figure.unit, "open where withheld or not known" if withheld else "") if part]
    return f"{figure.title} ({'; '.join(parts)})" if parts else figure.title


def _list_series(figure: TrendFigure | BarsFigure) -> list[tuple[str, Sequence[float | None], Line | None]]:
    if isinstance(figure, TrendFigure):
        ends = {"band-low": ", lower end", "band-high": ", upper end"}
        return [(f"{line.name}{ends.get(line.style, '')}", line.values, line) for line in figure.lines]
    others = [(figure.others_series, figure.others, None)] if figure.others else []
    return [(figure.series or figure.unit or "Value", figure.values, None), *others]


def _list_categories(figure: TrendFigure | BarsFigure) -> Sequence[date | str]:
    """Months as dates, which the axis of a slide's chart spaces and names by itself; bars by their names."""
    if isinstance(figure, TrendFigure):
        return [Month.parse(month).first_day for month in figure.months]
    known = (is_known(value) for value in figure.values)
    names = (name if there else f"{name} ({NOT_KNOWN})" for name, there in zip(figure.names, known, strict=True))
    return [neutralise(clean_text(name)) for name in names]


def _level_months(categories: Any, count: int) -> None:
    """Name every third month, or as few as stand clear of each other."""
    from lxml import etree

    step = next(each for each in (1, 2, 3, 6, 12, count) if count / each <= _MOST_MONTHS)
    categories.tick_labels.number_format, categories.tick_labels.number_format_is_linked = "mmm yy", False
    base = categories._element.find("{*}baseTimeUnit")
    base.set("val", "months")
    space = base.tag.partition("}")[0].removeprefix("{")
    # In the order that the format has.
    for name, value in (("majorTimeUnit", "months"), ("majorUnit", str(step))):
        base.addnext(etree.Element(f"{{{space}}}{name}", {"val": value}))


def _dress_axes(chart: Any, size: float, *, trend: bool) -> None:
    grid = read_colour(GRID)
    values, categories = chart.value_axis, chart.category_axis
    values.major_gridlines.format.line.color.rgb = grid
    values.format.line.fill.background()
    categories.format.line.color.rgb = read_colour(MUTED)
    for axis in (values, categories):
        set_font(axis.tick_labels.font, size, colour=MUTED)
    values.tick_labels.number_format, values.tick_labels.number_format_is_linked = "#,##0.##", False
    if not trend:
        # Bars run from the top as they are named, and their labels say the figures.
        categories.reverse_order = True
        values.visible = False
        values.has_major_gridlines = False


def _dress_series(series: Any, line: Line | None, place: int) -> None:
    from pptx.enum.chart import XL_MARKER_STYLE
    from pptx.enum.dml import MSO_LINE
    from pptx.util import Pt

    colour = read_colour(CATEGORICAL[place % len(CATEGORICAL) if line else 3 * place])
    if line is None:
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = colour
        return
    band = line.style.startswith("band")
    series.smooth = False
    series.format.line.color.rgb = read_colour(MUTED) if band else colour
    series.format.line.width = Pt(1 if band else 2.25)
    if line.style != "solid":
        series.format.line.dash_style = MSO_LINE.ROUND_DOT if band else MSO_LINE.DASH
        series.marker.style = XL_MARKER_STYLE.NONE
        return
    series.marker.style, series.marker.size = XL_MARKER_STYLE.CIRCLE, 5
    for looks in (series.marker.format.fill, series.marker.format.line.fill):
        looks.solid()
        looks.fore_color.rgb = colour


def _dress_bars(plot: Any, size: float) -> None:
    plot.gap_width, plot.overlap = 40, 0
    plot.has_data_labels = True
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = "#,##0.##", False
    set_font(plot.data_labels.font, size)
