"""A published scanning chart from a tidy file, CSV or XLSX: one row a category, a column for each printed heading.

`docs/indicator-file.md` describes the columns.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from cspmap.errors import Problem, SourceError
from cspmap.priorities import ChartRow, ScanningChart
from cspmap.sources.tabular import Columns, read_columns

# Every other column is a heading of the chart.
OWN = ("table", "category", "comment", "action", "document", "page")
_NEEDED = ("category", "action", "document", "page")
_MARKED = frozenset({"x", "yes"})


def read_scanning_chart(path: Path) -> ScanningChart:
    """Read a published chart, its rows and headings in the file's order.

    A category is marked under a heading by an X. Raises SourceError with every problem found, each with its line.
    """

    def find(header: Sequence[str]) -> Mapping[str, int] | None:
        folded = [text.casefold() for text in header]
        if not set(_NEEDED) <= set(folded):
            return None
        places = enumerate(zip(folded, header, strict=True))
        return {own if own in OWN else text: place for place, (own, text) in places if text}

    columns = read_columns(path, find, wanted="columns category, action, document and page", key=None)
    headings = tuple(name for name in columns.texts if name not in OWN)
    rows, problems = [], []
    if not headings:
        fix = "give a column for each heading, such as Increasing, with an X where a category is marked"
        problems.append(Problem(path.name, "it has no heading that a category could be marked under", fix))
    for row, line in enumerate(columns.lines):
        cells = {name: " ".join(texts[row].split()) for name, texts in columns.texts.items()}
        where = f"{columns.file}, line {line}"
        problems += [Problem(where, f"its {name} is empty", "fill it in") for name in _NEEDED if not cells[name]]
        fix = "write X where the category is marked, and nothing where not"
        problems += [
            Problem(where, f"it has {cells[name]!r} under {name!r}", fix)
            for name in headings
            if cells[name] and cells[name].casefold() not in _MARKED
        ]
        rows.append(_read_row(cells, headings))
    names = [row.category.casefold() for row in rows]
    for row, name in enumerate(names):
        if name and names.index(name) < row:
            where = f"{columns.file}, line {columns.lines[row]}"
            problems.append(Problem(where, f"it gives {rows[row].category} again", "keep one of them"))
    if problems:
        raise SourceError(problems)
    return ScanningChart(_find_title(columns) or path.stem, headings, tuple(rows))


def _read_row(cells: Mapping[str, str], headings: Sequence[str]) -> ChartRow:
    return ChartRow(
        category=cells["category"],
        marked=tuple(name for name in headings if cells[name]),
        comment=cells.get("comment", ""),
        action=cells["action"],
        document=cells["document"],
        page=cells["page"],
    )


def _find_title(columns: Columns) -> str:
    return next(filter(None, columns.texts.get("table", [])), "")
