"""The partnership at a glance: how much, where, since when, which targets, and what is still to be done."""

from cspmap.analysis.measures import rate
from cspmap.briefing.screen import Figure, MapFigure, Screen
from cspmap.briefing.setting import (
    Setting,
    draw_trend,
    find_withheld,
    list_type_changes,
    recall_screen,
    tabulate_areas,
    take_place,
    tell_change,
    write_count,
)
from cspmap.briefing.shared_months import withhold_shared
from cspmap.exports.published import WITHHELD
from cspmap.goals import WHOLE
from cspmap.views.map import MapView
from cspmap.views.target_board import summarise_ratings
from cspmap.views.words import (
    describe_duration,
    describe_missing,
    format_rate,
    name_view,
)

KEY = "partnership"


def make_glance(setting: Setting) -> Screen:
    """The first screen."""
    query, level = setting.query, setting.map_level
    partnership, figures, selection = query.store.partnership, setting.find_figures(level), setting.select(level)
    now, before, hidden = figures.now, figures.before, figures.withheld_now
    total = now.total if now.loaded else None
    people = query.count_people(selection)
    value = rate(now.total, people) if people is not None and now.loaded else None
    layer = partnership.find_layer(level)
    choropleth = setting.shade_areas(selection)
    sentences = (
        tell_change(setting, None, level=level),
        *list_type_changes(setting, level=level),
        *_list_boards(setting),
        describe_missing(now.missing, now.span.words),
        describe_missing(before.missing, before.span.words),
    )
    return Screen(
        key=KEY,
        title=f"{partnership.place} at a glance",
        subtitle=setting.period,
        figures=(
            Figure(write_count(total, hidden=hidden), "incidents"),
            Figure(WITHHELD if hidden else format_rate(value), f"per 1,000 {figures.per.name}", describe_duration(now)),
            *list_target_figures(setting, WHOLE),
            *_count_actions(setting),
        ),
        sentences=tuple(filter(None, sentences)),
        map=MapFigure(
            MapView(
                place=partnership.place,
                layer="",
                areas=choropleth.areas,
                legend=choropleth.legend,
                labels=True,
            ),
            level,
            f"Map of {layer.plural}: {name_view(selection, partnership)}. The table behind it has the same figures.",
            setting.list_withheld(selection),
        ),
        chart=draw_trend(
            setting,
            level=level,
            code=None,
            name=partnership.place,
            withheld=withhold_shared(setting, level=level, code=None, crimes=query.crime_types(selection)),
        ),
        table=tabulate_areas(setting, level=level),
        last_time=recall_screen(setting, KEY),
        caveats=setting.list_caveats(level),
    )


def list_target_figures(setting: Setting, code: str) -> list[Figure]:
    """How many targets of an area ("": the whole) have which rating, a figure for each board that has any."""
    figures = []
    for board in setting.boards:
        lines = take_place(board.lines, code)
        if (lines["rating"] != "?").any():
            hidden = find_withheld(lines)
            counts = lines.loc[~hidden, "rating"].value_counts()
            letters = " ".join(f"{counts[letter]}{letter}" for letter in "RAG?" if counts.get(letter))
            noun = "target" if len(lines) == 1 else "targets"
            note = f"by {board.span.last.words}{f', {hidden.sum()} {WITHHELD}' if hidden.any() else ''}"
            figures.append(Figure(letters, f"of {len(lines)} {noun}", note))
    return figures[:1]


def _list_boards(setting: Setting) -> list[str]:
    """What the boards come to, a sentence each."""
    if not setting.boards:
        return ["No targets are loaded that have begun."]
    told = []
    for board in setting.boards:
        whole = take_place(board.lines, WHOLE)
        lines = whole if len(whole) else board.lines
        if (lines["rating"] != "?").any() or find_withheld(lines).any():
            told.append(f"{board.table.title}. {summarise_ratings(lines)}")
    return told


def _count_actions(setting: Setting) -> list[Figure]:
    """Actions that are still open, of operations and of meetings; none where there never was one."""
    kept = [action for operation in setting.operations for action in operation.actions]
    said = [entry for entry in setting.entries if entry.kind == "action"]
    if not kept and not said:
        return []
    due = [*(each.due for each in kept if each.status == "open"), *(each.due for each in said if each.status == "open")]
    late = sum(day is not None and day < setting.today for day in due)
    return [
        Figure(str(len(due)), "open actions" if len(due) != 1 else "open action", f"{late} overdue" if late else "")
    ]
