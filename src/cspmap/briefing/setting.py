"""What all screens of a meeting are made from: the selection, the levels, the boards, and what was kept before."""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from cspmap.analysis.change import change_table, poisson_change
from cspmap.analysis.targets import resolve
from cspmap.board import Board, list_weights, make_board
from cspmap.briefing.judging import Judged, judge_operation
from cspmap.briefing.screen import Entry, Line, Rating, TableFigure, TrendFigure
from cspmap.exports.area_figures import list_figure_caveats
from cspmap.exports.published import WITHHELD, publish
from cspmap.goals import Sharing, list_periods
from cspmap.operations import MeetingEntry, Operation
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import DEPRIVATION_MEASURES, Selection
from cspmap.views.choropleth import REAL, Choropleth, is_withheld, list_rows, shade_areas, state_rule
from cspmap.views.figures import Figures, load_figures
from cspmap.views.operation_words import format_day
from cspmap.views.tables import WORDS_OF_VERDICT
from cspmap.views.words import (
    describe_change,
    describe_unlocated,
    explain_incomparable,
    format_change,
    format_count,
    format_rate,
    join_words,
    name_comparison,
    name_crimes,
)

# What fits on a wall and can be read from the back of the room.
MOST_ROWS, MOST_AREAS_ON_MAP, MOST_NAMED = 14, 40, 3
TREND_MONTHS = 24
_STATUS = {"open": "Open", "done": "Done", "dropped": "Dropped"}


@dataclass(frozen=True, eq=False)
class Setting:
    """`level` is that of the areas that each get a screen, `map_level` that of maps; `today` the day of the meeting.

    `operations` are those that are not over, `entries` what was typed in at this meeting and those before.
    """

    query: Query
    selection: Selection
    level: str
    map_level: str
    today: date
    operations: tuple[Operation, ...] = ()
    entries: tuple[MeetingEntry, ...] = ()

    @cached_property
    def boards(self) -> tuple[Board, ...]:
        """The boards of the tables of targets that run in the selection's last month; else that which ended last."""
        return make_boards(self.query, self.selection, level=self.level)

    @cached_property
    def shared_months(self) -> dict[tuple[str, str | None, frozenset[str]], frozenset[str]]:
        """What `shared_months.withhold_shared` has worked out, by what it was asked for."""
        return {}

    @cached_property
    def _judged(self) -> dict[str, Judged]:
        return {}

    def judge(self, operation: Operation) -> Judged:
        """What became of an operation's aims; worked out once."""
        if operation.id not in self._judged:
            self._judged[operation.id] = judge_operation(self.query, operation)
        return self._judged[operation.id]

    def find_figures(self, level: str) -> Figures:
        """The figures of all areas of a level."""
        return load_figures(self.query, self.select(level))

    def select(self, level: str) -> Selection:
        """The selection on a level; what is compared and counted stays."""
        usual = self.selection.measure if self.selection.measure not in (*DEPRIVATION_MEASURES, "progress") else "rate"
        return self.selection.change(level=level, measure=usual, areas=(), chosen=None)

    @property
    def period(self) -> str:
        """What is counted when, compared with what, as a subtitle."""
        crimes = name_crimes(self.selection, self.query.store.partnership)
        return f"{crimes}, {self.selection.span.words}, compared with {self.selection.before.words}"

    def list_caveats(self, level: str) -> tuple[str, ...]:
        """What travels with the figures of a level's areas."""
        return tuple(list_figure_caveats(self.query, self.select(level), self.find_figures(level)))

    def describe_unlocated(self, level: str) -> str:
        """How many incidents no area can be given; empty where that would give a small total away."""
        figures = self.find_figures(level)
        return "" if figures.withheld_now else describe_unlocated(figures.now, self.query.store.partnership.place)

    def shade_areas(self, selection: Selection) -> Choropleth:
        """The areas of a selection's level by its measure, with the disclosure rule in the legend."""
        figures = self.find_figures(selection.level)
        shaded = shade_areas(figures.areas, selection, figures.per)
        return state_rule(shaded, self.query.store.partnership.disclosure)

    def list_withheld(self, selection: Selection) -> frozenset[str]:
        """The areas of a selection's level, by their codes, of which the disclosure rule withholds its measure."""
        areas = self.find_figures(selection.level).areas
        return frozenset(str(row["code"]) for row in list_rows(areas) if is_withheld(row, selection.measure))


def find_levels(query: Query) -> tuple[str, str]:
    """The level of the areas that a meeting goes through, and that of its maps.

    The areas: those that the partnership makes of others, else the level with the fewest (of two or more). Maps: the
    boundary layer where its names can be read on a wall, else the level with the most areas of which that holds.
    """
    partnership = query.store.partnership
    sizes = {layer.key: len(query.store.codes(layer.key)) for layer in partnership.layers if layer.figures_of is None}
    made = [layer.key for layer in partnership.layers if layer.made_of is not None]
    several = [key for key, size in sizes.items() if size > 1] or list(sizes)
    level = made[0] if made else min(several, key=sizes.__getitem__)
    readable = [key for key in several if sizes[key] <= MOST_AREAS_ON_MAP]
    if partnership.boundary in readable:
        return level, partnership.boundary
    return level, max(readable, key=sizes.__getitem__, default=level)


def make_boards(query: Query, selection: Selection, *, level: str) -> tuple[Board, ...]:
    """The boards of all tables that run in the selection's last month; else of that whose period ended last."""
    month, partnership = selection.span.last, query.store.partnership
    begun = []
    for printed in query.store.targets:
        table = resolve(printed, use="printed")
        spans = [span for span in list_periods(table, partnership) if span.first <= month]
        if spans:
            begun.append((table, spans[-1]))
    running = [pair for pair in begun if month in pair[1]]
    latest = [max(begun, key=lambda pair: pair[1].last)] if begun else []
    sharing = Sharing("baseline", list_weights(query, level)) if begun else None
    return tuple(
        make_board(query, table, level=level, span=span, as_at=min(span.last, month), sharing=sharing)
        for table, span in running or latest
        if sharing is not None
    )


def take_place(lines: pd.DataFrame, code: str) -> pd.DataFrame:
    """The lines of a board for one area ("": the whole), with those that it carries together with others."""
    return lines[[code in codes.split(",") for codes in lines.index.get_level_values("code")]]


def find_withheld(lines: pd.DataFrame) -> "pd.Series[bool]":
    """Which lines of a board the disclosure rule withholds."""
    return lines["status"] == WITHHELD


def as_rating(letter: object) -> Rating:
    """The letter of a rating; none where it cannot be said."""
    ratings: dict[object, Rating] = {"R": "R", "A": "A", "G": "G"}
    return ratings.get(letter, "")


def tell_change(setting: Setting, area: pd.Series | None, *, level: str) -> str:
    """How what is selected has changed in an area (None: in the whole), and what that is worth."""
    figures, selection = setting.find_figures(level), setting.select(level)
    if area is None:
        hidden = figures.withheld_now or figures.withheld_before
        judged = figures.verdict
        before, after = (float(each.total) if each.loaded else None for each in (figures.before, figures.now))
    else:
        hidden = bool(area[WITHHELD] or area[f"{WITHHELD}_before"])
        judged = area["verdict"] if "rounded" in area else None
        before, after = as_number(area["before"]), as_number(area["count"])
    why = "a count is withheld" if hidden else explain_incomparable(figures.now, figures.before)
    change = poisson_change(None if why else before, after)
    return describe_change(
        name_crimes(selection, setting.query.store.partnership),
        change.before,
        change.after,
        judged or change.verdict,
        name_comparison(selection),
        plural=len(selection.crimes) != 1,
        why=why,
    )


def as_number(value: Any) -> float | None:
    """A number of a table; None where it is missing."""
    return None if pd.isna(value) else float(value)


def list_type_changes(setting: Setting, *, level: str, code: str | None = None) -> list[str]:
    """Which crime types went up and which down by more than chance, the clearest first, and by what that is told.

    Where the disclosure rule rounds, that is judged before rounding.
    """
    selection, figures, published = setting.select(level), setting.find_figures(level), publish(setting.query)
    if explain_incomparable(figures.now, figures.before):
        return []
    types = list(setting.query.crime_types(selection))
    counts = published.count_types(selection, code=code).set_index("crime_type").reindex(types)
    hidden = counts[WITHHELD] | counts[f"{WITHHELD}_before"]
    if len(counts) < 2 or (counts["count"].isna() & ~hidden).all():
        return []
    if hidden.all():
        return ["How the crime types have changed is withheld, as their counts are small."]
    changes = counts.join(change_table(counts["before"], counts["count"])).sort_values("p", kind="stable")
    if published.rounds:
        true = setting.query.count_types(selection, code=code).set_index("crime_type").reindex(changes.index)
        changes["verdict"] = change_table(true["before"], true["count"])["verdict"]
    sentences = []
    for way in REAL:
        names = [_tell_type(setting, row) for row in _list_rows(changes[changes["verdict"] == way])]
        if names:
            more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
            listed = ", ".join(names[:MOST_NAMED]) + more if more else join_words(names)
            sentences.append(f"{way.capitalize()} by more than chance: {listed}.")
    if sentences:
        # What targets and priorities say of the same counts may be more cautious.
        return [*sentences, "That is by one test of the two totals; targets and priorities ask for two."]
    which = "No crime type whose counts are given" if hidden.any() else "No crime type"
    return [f"{which} has changed by more than chance would explain."]


def _list_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.reset_index().to_dict("records")]


def _tell_type(setting: Setting, row: dict[str, Any]) -> str:
    pair = f"{format_count(row['before'])} to {format_count(row['count'])}"
    told = pair if pd.isna(row["percent"]) else f"{format_change(row['percent'])}, {pair}"
    return f"{setting.query.store.partnership.name_crime(str(row['crime_type']))} ({told})"


def draw_trend(
    setting: Setting, *, level: str, code: str | None, name: str, withheld: frozenset[str] = frozenset()
) -> TrendFigure:
    """The latest two years month by month, beside the year before each; without months that are `withheld`."""
    selection, store = setting.select(level), setting.query.store
    last = selection.span.last
    span = Span(max(last - (TREND_MONTHS - 1), min(store.months[0], last)), last)
    crimes = name_crimes(selection, store.partnership)
    # Of one table, so that a month that is in both lines is withheld in both or in none.
    months = publish(setting.query).count_months(selection, Span(span.first - 12, last), code=code)
    months[WITHHELD] |= months["month"].isin(withheld) & months["count"].notna()
    months["count"] = months["count"].mask(months[WITHHELD])
    return TrendFigure(
        title=f"{crimes} a month",
        months=tuple(str(month) for month in span),
        lines=(_take_line("This month", months[12:]), _take_line("A year before", months[:-12], "dashed")),
        unit="incidents",
        alt=f"{crimes} in {name} by month, {span.first.words} to {span.last.words}, beside the same months a year "
        "before.",
    )


def _take_line(name: str, months: pd.DataFrame, style: Literal["solid", "dashed"] = "solid") -> Line:
    """A line of months with their counts, as `count_months` gives them."""
    return Line(
        name,
        tuple(None if pd.isna(value) else float(value) for value in months["count"]),
        style,
        frozenset(np.flatnonzero(months[WITHHELD]).tolist()),
    )


def tabulate_areas(setting: Setting, *, level: str, codes: Sequence[str] | None = None) -> TableFigure:
    """The areas of a level (or some of them), those with the most incidents first."""
    figures, layer = setting.find_figures(level), setting.query.store.partnership.find_layer(level)
    areas = figures.areas if codes is None else figures.areas[figures.areas["code"].isin(codes)]
    areas = areas.sort_values("count", ascending=False, kind="stable")
    return TableFigure(
        title=f"By {layer.name.casefold()}",
        columns=(layer.name, "Incidents", f"Per 1,000 {figures.per.name}", "Before", "Change", "What it is worth"),
        rows=tuple(map(_write_area, areas.to_dict("records"))),
        align=("left", "right", "right", "right", "right", "left"),
        most=MOST_ROWS,
        where="on the Explore page",
    )


def _write_area(row: Mapping[Hashable, Any]) -> tuple[str, ...]:
    hidden, gone = row[WITHHELD], row[f"{WITHHELD}_before"]
    return (
        str(row["name"]),
        write_count(row["count"], hidden=hidden),
        write_rate(row),
        write_count(row["before"], hidden=gone),
        WITHHELD if hidden or gone else format_change(row["percent"]),
        WITHHELD.capitalize() if hidden or gone else WORDS_OF_VERDICT[row["verdict"]],
    )


def write_count(count: float | None, *, hidden: bool) -> str:
    """A count in words, where it is not withheld."""
    return WITHHELD if hidden else format_count(count)


def write_rate(row: Any) -> str:
    """The rate of an area, a row of the figures' areas, in words."""
    if row[WITHHELD]:
        return WITHHELD
    return "not shown" if row["suppressed"] else format_rate(row["rate"])


def recall(entries: Sequence[MeetingEntry], today: date, *, subject: str | None = None) -> list[MeetingEntry]:
    """What was said before today about a subject (None: about any): all of the last time, and actions still open.

    The last time of a subject is the last meeting at which anything was said about it.
    """
    before = [entry for entry in entries if entry.said < today and subject in (None, entry.subject)]
    latest = {
        name: max(entry.said for entry in before if entry.subject == name) for name in {e.subject for e in before}
    }
    if subject is None and latest:
        # Across all subjects the last time is one day.
        latest = dict.fromkeys(latest, max(latest.values()))
    return [
        entry
        for entry in before
        if entry.said == latest[entry.subject] or (entry.kind == "action" and entry.status == "open")
    ]


def write_entry(entry: MeetingEntry) -> Entry:
    """What was said, in words."""
    return Entry(
        text=entry.text,
        owner=entry.owner,
        due=format_day(entry.due),
        status=_STATUS[entry.status] if entry.kind == "action" else "",
        said=format_day(entry.said),
        kind=entry.kind,
        about=entry.about,
    )


def recall_screen(setting: Setting, key: str) -> tuple[Entry, ...]:
    """What was said before about a screen's subject."""
    return tuple(map(write_entry, recall(setting.entries, setting.today, subject=key)))
