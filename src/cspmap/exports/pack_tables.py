"""The table behind every picture of a pack, so that what is shown can be read without seeing it."""

from collections.abc import Callable, Sequence

from cspmap.briefing.chart_drawing import format_value, is_known
from cspmap.briefing.map_drawing import read_outlines
from cspmap.briefing.screen import Align, BarsFigure, Entry, MapFigure, Screen, TableFigure, TrendFigure
from cspmap.periods import Month
from cspmap.store import Store
from cspmap.views.map import AreaStyle
from cspmap.views.words import NOT_KNOWN

LAST_TIME = "What was said before"


def tabulate_map(figure: MapFigure, store: Store) -> list[TableFigure]:
    """A table of the areas, and one of the places over them where there are any.

    A row an area: its name, its mark, its class in words and its figures. Areas that the map leaves out are counted
    in a note.
    """
    view = figure.view
    tables = [_tabulate_areas(figure, store)]
    if view.places:
        rows = tuple((place.mark, place.name, "; ".join(place.tooltip)) for place in view.places)
        tables.append(
            TableFigure(f"Marked on the map: {figure.alt}", ("Mark", "Place", "Figures"), rows, ("left",) * 3)
        )
    return tables


def _tabulate_areas(figure: MapFigure, store: Store) -> TableFigure:
    view = figure.view
    styles = {area.code: area for area in view.areas}
    marked = any(area.mark for area in view.areas)
    rows, left_out = [], 0
    for outline in sorted(read_outlines(store.web / f"{figure.level}.json"), key=lambda each: each.name.casefold()):
        style = styles.get(outline.code, AreaStyle(outline.code, "missing"))
        if style.fill == "left out":
            left_out += 1
            continue
        if isinstance(style.fill, int):
            label = view.legend.classes[style.fill].label
        else:
            label = figure.name_special(style.fill, [outline.code])
        rows.append((outline.name, *((style.mark,) if marked else ()), label, "; ".join(style.tooltip)))
    columns = ("Area", *(("Mark",) if marked else ()), "Class", "Figures")
    others = "1 other area is" if left_out == 1 else f"{left_out} other areas are"
    return TableFigure(
        view.legend.title,
        columns,
        tuple(rows),
        _align("left", len(columns)),
        rating=1 if marked else None,
        note=f"{others} left out of the map." if left_out else "",
    )


def tabulate_chart(figure: TrendFigure | BarsFigure, *, write: Callable[[float], str] = format_value) -> TableFigure:
    """A row a month or bar, a column a line. `write` puts a figure in words."""
    title = f"{figure.title} ({figure.unit})" if figure.unit else figure.title
    if isinstance(figure, TrendFigure):
        columns = ("Month", *(line.name for line in figure.lines))
        names = [Month.parse(month).words for month in figure.months]
        series = [line.write_values(write) for line in figure.lines]
    else:
        columns = ("Name", figure.series or figure.unit, *((figure.others_series,) if figure.others else ()))
        names = list(figure.names)
        bars = [figure.values, *((figure.others,) if figure.others else ())]
        series = [[write(value) if is_known(value) else NOT_KNOWN for value in values] for values in bars]
    rows = tuple(zip(names, *series, strict=True))
    return TableFigure(title, columns, rows, ("left", *_align("right", len(columns) - 1)))


def tabulate_entries(entries: Sequence[Entry]) -> TableFigure:
    """What was said before, a row each; columns that nobody filled in are left out."""
    fields = {
        "kind": "Kind",
        "text": "What",
        "about": "About",
        "owner": "Who",
        "due": "By when",
        "status": "How it stands",
        "said": "Said",
    }
    used = [field for field in fields if field == "text" or any(getattr(entry, field) for entry in entries)]
    rows = tuple(tuple(getattr(entry, field) for field in used) for entry in entries)
    return TableFigure(LAST_TIME, tuple(fields[field] for field in used), rows, _align("left", len(used)))


def list_map_tables(screen: Screen, store: Store) -> list[TableFigure]:
    """The tables behind a screen's map, but for those whose areas or places its own table names all."""
    if screen.map is None:
        return []
    return [table for table in tabulate_map(screen.map, store) if not _names_all(screen.table, table)]


def _names_all(own: TableFigure | None, behind: TableFigure) -> bool:
    """Whether a screen's own table has a row for everything in a table behind its map."""
    if own is None:
        return False
    told = {cell for row in own.rows for cell in row}
    # A place is known by its number.
    names = 0 if behind.columns[0] == "Mark" else behind.columns.index("Area")
    return all(row[names] in told for row in behind.rows)


def _align(side: Align, count: int) -> tuple[Align, ...]:
    return tuple([side] * count)
