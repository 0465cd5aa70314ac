"""A briefing as the frame of a meeting (web/cspmap-meeting.js) takes it: texts that fit, pictures, what was said."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from cspmap.briefing.chart_drawing import draw_chart
from cspmap.briefing.decision_screen import KEY as DECISIONS
from cspmap.briefing.decision_screen import make_decisions
from cspmap.briefing.making import write_moment
from cspmap.briefing.map_drawing import draw_map
from cspmap.briefing.screen import BarsFigure, Briefing, Entry, Screen, TableFigure, TrendFigure
from cspmap.briefing.setting import recall, write_entry
from cspmap.exports.pack_tables import tabulate_chart
from cspmap.operations import MeetingEntry, Removal
from cspmap.operations.document import encode_value
from cspmap.store import Store
from cspmap.views.meeting_fit import (
    BODY,
    CHART_SHARE,
    GAP,
    MAP_SHARE,
    NOTICE,
    PICTURE_WIDTH,
    TEXT_SIZE,
    count_said,
    cut_text,
    fit_said,
    fit_sentences,
)

_TITLE, _SUBTITLE, _LABEL, _CELL = 62, 135, 26, 110
# Rows of a chart's table that fit below each other.
_MOST_ROWS = 13

Payload = dict[str, Any]


def encode_screens(briefing: Briefing, store: Store, *, dark: bool) -> list[Payload]:
    """The screens with their pictures: what is frozen for the meeting."""
    return [_encode_screen(screen, store, notice=bool(briefing.notice), dark=dark) for screen in briefing.screens]


def add_said(
    screens: Sequence[Payload], entries: Sequence[MeetingEntry], today: date, *, removals: Sequence[Removal] = ()
) -> list[Payload]:
    """The screens with what was said last time and today about each, as it stands now, and what was removed today."""
    return [
        {
            **(_replace_decisions(screen, entries, today) if screen["key"] == DECISIONS else screen),
            "said": {
                **_encode_said(screen["key"], entries, today),
                "removed": [
                    tell_removal(each)
                    for each in removals
                    if each.entry.subject == screen["key"] and each.removed_at.astimezone().date() == today
                ],
            },
        }
        for screen in screens
    ]


def _encode_screen(screen: Screen, store: Store, *, notice: bool, dark: bool) -> Payload:
    pictures = [each for each in (screen.map, screen.chart) if each is not None]
    beside = bool(pictures)
    said = count_said(fit_said([_tell_entry(words, status=True) for words in screen.last_time]))
    figures = min(len(screen.figures), 4)
    cut = fit_sentences(screen.sentences, figures=figures, said=said, notice=notice, beside=beside)
    body = float(BODY - NOTICE * notice)
    shared = screen.map is not None and screen.chart is not None
    map_height = body * MAP_SHARE if shared else body
    rest = body - map_height - GAP if shared else body * CHART_SHARE if screen.table else body
    return {
        "key": screen.key,
        "title": cut_text(screen.title, _TITLE),
        "subtitle": cut_text(screen.subtitle, _SUBTITLE),
        "figures": [
            [figure.value, cut_text(figure.label, _LABEL), cut_text(figure.note, _LABEL + 2), figure.rating]
            for figure in screen.figures[:4]
        ],
        "sentences": list(cut.shown),
        "rest": list(cut.rest),
        "caveats": list(screen.caveats),
        "map": screen.map
        and draw_map(screen.map, store, width=PICTURE_WIDTH, height=map_height, text_size=TEXT_SIZE, dark=dark),
        "mapAlt": screen.map and screen.map.alt,
        "chart": screen.chart
        and draw_chart(screen.chart, width=PICTURE_WIDTH, height=rest, text_size=TEXT_SIZE, dark=dark),
        "chartAlt": screen.chart and screen.chart.alt,
        "main": None if screen.map else screen.table and _encode_table(screen.table),
        "tables": [
            *([_encode_table(screen.table)] if screen.map and screen.table else []),
            *([_tabulate_chart(screen.chart)] if screen.chart else []),
        ],
    }


def _encode_table(whole: TableFigure) -> Payload:
    table = whole.cut()
    return {
        "title": table.title,
        "columns": list(table.columns),
        "rows": [[cut_text(cell, _CELL) for cell in row] for row in table.rows],
        "align": list(table.align),
        "rating": table.rating,
        "note": table.note,
        "most": max(1, len(table.rows)),
    }


def _tabulate_chart(chart: TrendFigure | BarsFigure) -> Payload:
    """The table behind a chart, a row a month or name."""
    return {**_encode_table(tabulate_chart(chart, write=_write_value)), "title": chart.title, "most": _MOST_ROWS}


def _write_value(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _replace_decisions(screen: Payload, entries: Sequence[MeetingEntry], today: date) -> Payload:
    """The screen of decisions as they are now: it holds words, which are not frozen."""
    made = make_decisions(entries, today)
    return {
        **screen,
        "figures": [[figure.value, figure.label, figure.note, ""] for figure in made.figures],
        "sentences": list(made.sentences),
        "main": made.table and _encode_table(made.table),
    }


def _encode_said(key: str, entries: Sequence[MeetingEntry], today: date) -> Payload:
    before = recall(entries, today, subject=key)
    now = [entry for entry in entries if entry.subject == key and entry.said >= today]
    last = fit_said(list(map(say_entry, before)))
    told = f"Today: {len(now)} typed in, {say_entry(now[-1])}" if now else "Today: nothing yet. A types something in."
    return {
        "last": list(last.shown),
        "more": f"and {len(last.rest)} more: press A" if last.rest else "",
        "when": write_entry(max(before, key=lambda entry: entry.said)).said if before else "",
        "today": told,
        "entries": [
            {"id": entry.id, "text": _tell_entry(write_entry(entry), status=False), "own": encode_value(entry)}
            for entry in (*now, *before)
        ],
    }


def say_entry(entry: MeetingEntry) -> str:
    """ "Action: Light the underpass (Council, by 1 February 2023, open)"."""
    return _tell_entry(write_entry(entry), status=True)


def tell_removal(removal: Removal) -> str:
    """ "Action: Light the underpass: removed by Sgt Ames at 14:05 on 21 November 2026"."""
    words = write_entry(removal.entry)
    when = write_moment(removal.removed_at.astimezone())
    return f"{words.kind.capitalize()}: {words.text}: removed by {removal.entry.who} at {when}"


def _tell_entry(words: Entry, *, status: bool) -> str:
    about = (words.owner, f"by {words.due}" if words.due else "", words.status.casefold() if status else words.said)
    told = ", ".join(filter(None, about))
    return f"{words.kind.capitalize()}: {words.text}{f' ({told})' if told else ''}"
