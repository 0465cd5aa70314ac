"""Recorded crime by community safety partnership: ONS's police force area tables (C2 to C5), or a CSV file.

Of the workbook, C2 has the counts of the year, C3 their change, C4 rates and what they are per, C5 the counts of the
year before. Headers have line breaks that differ from table to table; names carry notes in brackets; figures that are
not given are marks such as [u] and [x]; partnerships stand below the total of their force, whose own cells are blank.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cspmap.codes import CSP
from cspmap.errors import Problem, SourceError, quote_briefly
from cspmap.peer_group import PeerGroup
from cspmap.sources.boundary_codes import list_briefly
from cspmap.sources.recorded_crime_csv import read_table
from cspmap.sources.recorded_crime_frame import NEGATIVE, Fault, RecordedCrime, make_frame
from cspmap.sources.workbook import Workbook

if TYPE_CHECKING:
    import pandas as pd

_SHEETS = {"count": "C2", "percent": "C3", "rate": "C4", "before": "C5"}
_IDENTITY = (
    "police force area code",
    "police force area name",
    "community safety partnership code",
    "community safety partnership name",
)
_LATER = ("local authority code", "local authority name")
_PEOPLE = {"population figures": "residents", "household figures": "households"}
_PER = re.compile(r"(?P<offence>.+?) \(per 1,000 (?P<per>population|household)s?\)")
_NOTE = re.compile(r"\s*\[note (\d+)\]", re.IGNORECASE)
_MARK = re.compile(r"\[[a-z]\d*\]", re.IGNORECASE)
_YEAR = re.compile(r"year ending ([A-Z][a-z]+) (\d{4})")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November")
_MARKS = {
    ("percent", "[u]"): "change not given, as the year before has fewer than 50",
    ("percent", "[x]"): "change not available",
    ("rate", "[x]"): "rate not available",
    ("rate", "[u1]"): "rate not given, as few people live there",
    ("count", "[x]"): "count not available",
    ("before", "[x]"): "count of the year before not available",
}
_WORDS = {"count": "count", "percent": "change", "rate": "rate", "before": "count of the year before"}
# A published change or rate that differs by more than this from that of the published counts is told: rates are per
# exact numbers of people, which are published to the nearest hundred.
_PERCENT_SLACK, _PEOPLE_SLACK = 0.01, 51.0

Key = tuple[str, str]


@dataclass
class _Sheet:
    """One table: cells by partnership and column, force totals by force and column, and its title.

    A partnership is known by its code or, where it has none (what is assigned to no partnership), by its name.
    """

    title: str
    names: dict[str, Key] = field(default_factory=dict)
    cells: dict[str, dict[str, str]] = field(default_factory=dict)
    totals: dict[str, dict[str, str]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    force_codes: dict[str, str] = field(default_factory=dict)
    repeated: list[str] = field(default_factory=list)


def read_recorded_crime(path: Path) -> RecordedCrime:
    """Read recorded crime by partnership: ONS's workbook (.xlsx), or a CSV file with a row a partnership and offence.

    Raises SourceError where it is neither, lacks a table, gives a partnership twice or not in every table, or has
    something other than numbers and marks among its figures. What does not add up is told in the result's `faults`.
    """
    if path.suffix.lower() not in {".xlsx", ".xlsm"}:
        return read_table(path)
    with Workbook(path) as book:
        notes = _read_notes(book)
        sheets = {kind: _read_sheet(book, path.name, f"Table {table}") for kind, table in _SHEETS.items()}
    problems = list(_check_sheets(path.name, sheets))
    numbers = {
        kind: {code: _parse_row(path.name, sheet, code, row, problems) for code, row in sheet.cells.items()}
        for kind, sheet in sheets.items()
    }
    if problems:
        raise SourceError(problems)
    frame = make_frame(_list_rows(sheets, numbers, notes), year=_find_year(path.name, sheets["count"].title))
    return RecordedCrime(frame, (*_reconcile(sheets, numbers), *_find_strangers(sheets), *_compare_published(frame)))


def _read_notes(book: Workbook) -> dict[str, str]:
    """The notes to the partnerships' tables by their numbers."""
    for sheet in book.sheets:
        if "csp" in sheet.casefold() and "note" in sheet.casefold():
            return {cells[0]: cells[1] for _, cells in book.read_rows(sheet) if len(cells) > 1 and cells[0].isdigit()}
    return {}


def _read_sheet(book: Workbook, file: str, name: str) -> _Sheet:
    """The table on the sheet of this name, whatever spaces stand about it."""
    found = next((sheet for sheet in book.sheets if sheet.strip().casefold() == name.casefold()), None)
    if found is None:
        what = f"it has no sheet {name!r} (its sheets are {list_briefly(list(book.sheets), most=20)})"
        raise SourceError([Problem(file, what, "give ONS's police force area tables with tables C2 to C5")])
    rows = book.read_rows(found)
    title = ""
    for _, cells in rows:
        header = [_tidy(cell).casefold() for cell in cells]
        title = title or _tidy(cells[0] if cells else "")
        if all(part in header for part in _IDENTITY):
            return _take_rows(rows, [_tidy(cell) for cell in cells], title)
    what = f"its sheet {name!r} has no row of headers with {_IDENTITY[2]!r}"
    raise SourceError([Problem(file, what, "check that it is complete")])


def _tidy(text: str) -> str:
    return " ".join(text.replace("_x000D_", " ").split())


def _take_rows(rows: Iterator[tuple[int, list[str]]], header: list[str], title: str) -> _Sheet:
    sheet = _Sheet(title)
    folded = [text.casefold() for text in header]
    places = [folded.index(part) for part in _IDENTITY]
    figures = {text: place for place, text in enumerate(header) if text and folded[place] not in (*_IDENTITY, *_LATER)}
    for _, cells in rows:
        force_code, force, code, name = (_tidy(cells[place]) for place in places)
        if not force_code and not name:
            continue
        numbers = _NOTE.findall(f"{force} {name}")
        force, name = _NOTE.sub("", force).strip(), _NOTE.sub("", name).strip()
        row = {_fold(text): cells[place].strip() for text, place in figures.items()}
        key = code or name
        if (key or force) in (sheet.cells if name else sheet.totals):
            sheet.repeated.append(key or f"the total of {force}")
        elif not name:
            sheet.totals[force], key = row, force
        else:
            sheet.cells[key], sheet.names[key], sheet.force_codes[key] = row, (name, force), force_code
        if numbers:
            sheet.notes.setdefault(key, []).extend(numbers)
    return sheet


def _fold(header: str) -> str:
    """A header as it is compared between tables: "Death or serious injury" whatever its line breaks."""
    return _NOTE.sub("", header).strip()


def _check_sheets(file: str, sheets: Mapping[str, _Sheet]) -> Iterator[Problem]:
    """No partnership twice in a table, none in one table alone, every offence in all of them."""
    known = set(sheets["count"].cells)
    for kind, table in _SHEETS.items():
        sheet = sheets[kind]
        if sheet.repeated:
            what = f"table {table} gives {list_briefly(sheet.repeated)} more than once"
            yield Problem(file, what, "keep one row for each partnership")
        if strange := sorted(known ^ set(sheet.cells)):
            what = f"tables C2 and {table} do not list the same partnerships ({list_briefly(strange)} in one alone)"
            yield Problem(file, what, "check that every table is complete")
        wrong = [code for code in sheet.cells if code != sheet.names[code][0] and not CSP.matches(code)]
        if wrong:
            yield Problem(file, f"table {table} has the codes {list_briefly(wrong)}", f"write {CSP.words} codes")
    offences = set(_list_offences(sheets["count"]))
    for kind in ("percent", "before"):
        if strange := sorted(offences ^ set(_list_offences(sheets[kind]))):
            what = f"tables C2 and {_SHEETS[kind]} do not have the same offences ({list_briefly(strange)} in one alone)"
            yield Problem(file, what, "check that every table is complete")
    if strange := sorted({offence for offence, _ in _list_rates(sheets["rate"]).values()} ^ offences):
        what = f"tables C2 and C4 do not have the same offences ({list_briefly(strange)} in one alone)"
        yield Problem(file, what, "check that every table is complete")


def _list_offences(sheet: _Sheet) -> list[str]:
    return list(next(iter(sheet.cells.values()), {}))


def _list_rates(sheet: _Sheet) -> dict[str, Key]:
    """The columns of rates: the offence of each and what it is per. Per population unless it says otherwise."""
    rates: dict[str, Key] = {}
    for column in _list_offences(sheet):
        if any(column.casefold().startswith(start) for start in _PEOPLE):
            continue
        match = _PER.fullmatch(column)
        per = "households" if match and match["per"] == "household" else "residents"
        rates[column] = (match["offence"] if match else column, per)
    return rates


def _parse_row(
    file: str, sheet: _Sheet, code: str, row: Mapping[str, str], problems: list[Problem]
) -> dict[str, float]:
    """The numbers of a row by column, NaN where a mark or nothing stands."""
    values: dict[str, float] = {}
    for column, text in row.items():
        try:
            values[column] = _to_number(text)
        except ValueError:
            what = f"{sheet.title.partition(':')[0]} has {quote_briefly(text)} for {sheet.names[code][0]}, {column}"
            problems.append(Problem(file, what, "correct it: a number or a mark such as [x] belongs there"))
            values[column] = float("nan")
    return values


def _find_year(file: str, title: str) -> str:
    """The last month of the year that a title is of, as YYYY-MM."""
    match = _YEAR.search(title)
    months = (*_MONTHS, "December")
    if match is None or match[1] not in months:
        what = f"the title of table C2 does not tell its year ({quote_briefly(title)})"
        raise SourceError([Problem(file, what, 'it should hold "year ending" and a month')])
    return f"{match[2]}-{months.index(match[1]) + 1:02d}"


def _list_rows(
    sheets: Mapping[str, _Sheet], numbers: Mapping[str, Mapping[str, Mapping[str, float]]], notes: Mapping[str, str]
) -> Iterator[dict[str, object]]:
    """A row a partnership, offence and what its rate is per, in the published order. What has no code has no rate."""
    counted, rated = sheets["count"], sheets["rate"]
    rates = _list_rates(rated)
    people = {
        per: next((column for column in _list_offences(rated) if column.casefold().startswith(start)), "")
        for start, per in _PEOPLE.items()
    }
    for code, (name, force) in counted.names.items():
        if not CSP.matches(code):
            continue
        told = [number for sheet in sheets.values() for key in (code, force) for number in sheet.notes.get(key, ())]
        noted = [f"published note: {notes[number].rstrip('.')}" for number in dict.fromkeys(told) if number in notes]
        for column, (offence, per) in rates.items():
            columns = {"count": offence, "before": offence, "percent": offence, "rate": column}
            figures = {kind: numbers[kind][code][place] for kind, place in columns.items()}
            marks = [
                _MARKS.get((kind, sheets[kind].cells[code][place].casefold()), f"{_WORDS[kind]} not given")
                for kind, place in columns.items()
                if figures[kind] != figures[kind]
            ]
            marks += [NEGATIVE] if min(figures["count"], figures["before"]) < 0 else []
            yield {
                "code": code,
                "name": name,
                "force": force,
                "offence": offence,
                "per": per,
                **figures,
                "people": numbers["rate"][code].get(people[per], float("nan")),
                "marks": "; ".join([*marks, *noted]),
            }


def _reconcile(
    sheets: Mapping[str, _Sheet], numbers: Mapping[str, Mapping[str, Mapping[str, float]]]
) -> Iterator[Fault]:
    """Where a force's partnerships, and what is assigned to none of them, are not its total."""
    for kind in ("count", "before"):
        sheet, table = sheets[kind], _SHEETS[kind]
        members: dict[str, list[str]] = {}
        for code, (_, force) in sheet.names.items():
            members.setdefault(force, []).append(code)
        for code, row in sheet.cells.items():
            if not any(row.values()):
                name, force = sheet.names[code]
                yield Fault(force, f"Table {table}: the row of {name} is blank: not known, not 0.")
        for force, codes in members.items():
            if force not in sheet.totals:
                words = f"{force} has no row of the force's total, so there is nothing to hold its parts against"
                yield Fault(force, f"Table {table}: {words}.")
                continue
            wrong = []
            for offence, text in sheet.totals[force].items():
                known = [numbers[kind][code][offence] for code in codes]
                found, total = sum(part for part in known if part == part), _to_number(text)
                if total == total and found != total:
                    wrong.append(f"{offence} {found:,.0f} against {total:,.0f}")
            if wrong:
                words = f"the parts of {force} are not its total: {list_briefly(wrong, most=30)}"
                yield Fault(force, f"Table {table}: {words}.")


def _find_strangers(sheets: Mapping[str, _Sheet]) -> Iterator[Fault]:
    """Partnerships that another table names or places otherwise, or that stand under a force of another code."""
    misplaced: dict[tuple[str, str], list[str]] = {}
    for kind, table in _SHEETS.items():
        names, codes = sheets[kind].names, sheets[kind].force_codes
        pairs = Counter((names[key][1], held) for key, held in codes.items())
        usual = {force: held for (force, held), _ in reversed(pairs.most_common())}
        for key, held in codes.items():
            name, force = names[key]
            if sheets["count"].names[key] != (name, force):
                yield Fault(force, f"Table {table} names {key} {name} of {force}, otherwise than table C2.")
            if held != usual[force]:
                where = f"{name} stands under {force} by its name and under {held} by its code: taken by its name."
                misplaced.setdefault((force, where), []).append(table)
    for (force, where), tables in misplaced.items():
        yield Fault(force, f"Table {', '.join(tables)}: {where}")


def _compare_published(frame: "pd.DataFrame") -> Iterator[Fault]:
    """Published changes and rates that are not those of the published counts."""
    percent = 100 * (frame["count"] - frame["before"]) / frame["before"].where(frame["before"] > 0)
    rates = 1000 * frame["count"] / frame["people"].where(frame["people"] > 0)
    slack = rates.abs() * _PEOPLE_SLACK / frame["people"] + 1e-6
    for table, words, wrong in (
        ("C3", "change", (percent - frame["percent"]).abs() > _PERCENT_SLACK),
        ("C4", "rate", (rates - frame["rate"]).abs() > slack),
    ):
        for row in frame[wrong].itertuples():
            yield Fault(
                str(row.force), f"Table {table}: the {words} of {row.name}, {row.offence}, is not that of its count."
            )


def _to_number(text: str) -> float:
    """The number that a cell holds, NaN where it is blank or a mark. Raises ValueError where it is anything else."""
    return float("nan") if not text or _MARK.fullmatch(text) else float(text.replace(",", ""))


def read_members(group: PeerGroup | None, own: str | None) -> "tuple[pd.DataFrame, list[str]]":
    """The partnership's own rows with those of its group and of all partnerships of its force, and notes on them.

    Without a group of the partnership file an empty table. Raises SourceError where the file lacks one of them.
    """
    if group is None or own is None:
        return make_frame([]), []
    read = read_recorded_crime(group.file)
    frame = read.frame
    codes = {own, *group.members}
    if absent := sorted(codes - set(frame["code"])):
        what = f"it has no partnership {list_briefly(absent)}"
        raise SourceError([Problem(group.file.name, what, "correct csp, or group, in the partnership file")])
    force = frame.loc[frame["code"] == own, "force"].iloc[0]
    kept = frame[frame["code"].isin(codes) | (frame["force"] == force)].reset_index(drop=True)
    concerned = set(kept["force"])
    return kept, [f"{group.file.name}: {fault.words}" for fault in read.faults if fault.force in concerned]
