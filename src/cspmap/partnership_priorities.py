"""The `[priorities]` table of `partnership.toml`."""

from collections.abc import Callable
from pathlib import Path

from cspmap.errors import quote_briefly
from cspmap.priorities import MARKS, NO_PRIORITIES, Category, Priorities
from cspmap.toml_table import TomlTable

# More than this for one incident against another is a slip of the pen.
_MOST_HARM = 100_000


def read_priorities(table: TomlTable | None, find: Callable[[TomlTable], Path]) -> Priorities:
    """What the partnership sets about its priorities; nothing where there is no table.

    `find` is the file that a table names, reported where it is not there.
    """
    if table is None:
        return NO_PRIORITIES
    charts = []
    for each in table.tables("charts"):
        charts.append(find(each))
        each.finish()
    priorities = Priorities(
        categories=tuple(_read_category(each) for each in table.tables("categories")),
        harm_source=table.text("harm_source", ""),
        marks_source=table.text("marks_source", ""),
        charts=tuple(charts),
    )
    for key, given, noun in (
        ("harm_source", any(each.harm is not None for each in priorities.categories), "weights of harm"),
        ("marks_source", any(each.marks for each in priorities.categories), "marks"),
    ):
        if given and not table.has(key):
            table.report(f"there are {noun} and no {key}", f"say in {key} where they come from")
    table.finish()
    return priorities


def _read_category(table: TomlTable) -> Category:
    marks = table.texts("marks", ())
    category = Category(
        crime=table.text("crime"),
        harm=table.optional_number("harm", least=0, most=_MOST_HARM),
        marks=tuple(mark for mark in MARKS if mark in marks),
        offence=table.text("offence", ""),
    )
    for mark in marks:
        if mark not in MARKS:
            table.report(f"marks lists {quote_briefly(mark)}", f"name some of {', '.join(MARKS)}")
    table.finish()
    return category
