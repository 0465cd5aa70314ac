"""The group's part of the scanning chart: marks, decision and reason a category, kept with who and when."""

from dataclasses import replace
from typing import Any, get_args

import pandas as pd
import streamlit as st

from cspmap.board import spell_out
from cspmap.errors import UserError
from cspmap.operations.decisions import CategoryDecision, Choice, DecisionConflictError, Decisions, Ticked
from cspmap.periods import Span
from cspmap.priorities import MARKS
from cspmap.query import Query
from cspmap.scanning import is_marked
from cspmap.views.focus_controls import show_fault
from cspmap.views.operation_state import ask_who, take_told, tell_later
from cspmap.views.perception_tabs import load_beside
from cspmap.views.perception_words import describe_said
from cspmap.views.priority_words import CHOICES, CRITERION_NAMES, list_sentences
from cspmap.views.words import escape_markdown, format_moment

_CHOICES: tuple[Choice, ...] = get_args(Choice)
_TICKED: tuple[Ticked, ...] = get_args(Ticked)
_BASE, _CONFLICT = "priority-base", "priority-conflict"


def show_decisions(query: Query, decisions: Decisions, chart: pd.DataFrame, year: Span) -> None:
    """One category at a time: its sentence, what the group sets of it, and every change made to that."""
    told = take_told()
    if told:
        st.success(escape_markdown(told), icon=":material/check:")
    sentences = {key: (name, words) for key, name, words in list_sentences(chart)}
    chosen = st.selectbox(
        "Category to decide on", list(sentences), format_func=lambda key: sentences[key][0], key="decide", width=320
    )
    if chosen is None:
        return
    st.markdown(escape_markdown(sentences[chosen][1]))
    for sentence in list_said(query, chosen):
        st.caption(escape_markdown(sentence))
    base = _find_base(decisions, chosen, year)
    changed = _draw_form(query, base)
    conflict: DecisionConflictError | None = st.session_state.get(_CONFLICT)
    who = ask_who("priority")
    with st.container(horizontal=True):
        if st.button("Save", icon=":material/save:", type="primary", key="priority-save"):
            _save(decisions, changed, who=who)
        if conflict is not None:
            over = replace(changed, version=conflict.theirs.version)
            if st.button("Save mine after theirs", icon=":material/call_merge:", key="priority-over"):
                _save(decisions, over, who=who)
            st.button("Let mine go", icon=":material/delete:", key="priority-drop", on_click=_forget)
    if conflict is not None:
        st.error(escape_markdown(str(conflict)), icon=":material/call_split:")
        st.markdown(f"Theirs: {escape_markdown(describe_decision(conflict.theirs))}")
    show_history(decisions, chosen, year)


def list_said(query: Query, crime: str) -> list[str]:
    """What people said of a category when asked, for whoever judges whether concern is high: a sentence a reading."""
    found = load_beside(query, query.store.version)
    if found.empty:
        return []
    types = set(spell_out((crime,), query.store.partnership))
    place = query.store.partnership.place
    return [
        f"What people said: {describe_said(row, place)}"
        for row in found.to_dict("records")
        if types & set(row["crimes"])
    ]


def _find_base(decisions: Decisions, crime: str, year: Span) -> CategoryDecision:
    """The decision as it was when this viewer began to look at it; the latest for another category or year."""
    held: CategoryDecision | None = st.session_state.get(_BASE)
    if held is None or (held.crime, held.year) != (crime, year):
        held = decisions.read_year(year).get(crime, CategoryDecision(crime, year))
        st.session_state[_BASE] = held
        st.session_state.pop(_CONFLICT, None)
    return held


def _forget() -> None:
    """Let go of what was not saved, and look again at what is kept."""
    st.session_state.pop(_BASE, None)
    st.session_state.pop(_CONFLICT, None)


def _draw_form(query: Query, base: CategoryDecision) -> CategoryDecision:
    key = f"{base.year}-{base.crime}-{base.version}"
    ticked: dict[str, Any] = {}
    with st.container(horizontal=True):
        for mark in MARKS:
            listed = is_marked(query, base.crime, mark, {})
            in_file = f"As in the file ({'not set' if listed is None else 'yes' if listed else 'no'})"
            given = st.segmented_control(
                CRITERION_NAMES[mark],
                _TICKED,
                default=base.find_mark(mark),
                format_func=lambda value, said=in_file: said if value == _TICKED[-1] else value.title(),
                key=f"{mark}-{key}",
            )
            ticked[mark] = given or _TICKED[-1]
    choice = st.segmented_control(
        "Decision", _CHOICES, default=base.choice, format_func=CHOICES.__getitem__, key=f"choice-{key}"
    )
    reason = st.text_area("Reason, for the record", base.reason, max_chars=4000, key=f"reason-{key}", height=80)
    return replace(base, choice=choice or "open", reason=reason.strip(), **ticked)


def _save(decisions: Decisions, changed: CategoryDecision, *, who: str) -> None:
    """Save and look at the chart again; a fault is told, and what was typed in stays."""
    try:
        kept = decisions.save_decision(changed, who=who)
    except DecisionConflictError as error:
        st.session_state[_CONFLICT] = error
    except UserError as error:
        show_fault(error)
        return
    else:
        _forget()
        tell_later("Saved." if kept.version != changed.version else "Nothing was changed.")
    st.rerun()


def show_history(decisions: Decisions, crime: str, year: Span) -> None:
    """Who set what and when, the latest first."""
    history = decisions.read_history(crime, year)
    if not history:
        st.caption("Nothing has been set for this category and year yet.")
        return
    lines = [
        f"- {escape_markdown(f'{each.who}, {format_moment(each.saved_at)}: {describe_decision(each)}')}"
        for each in history
    ]
    with st.expander(f"What was set, and when ({len(history)})"):
        st.markdown("\n".join(lines))


def describe_decision(decision: CategoryDecision) -> str:
    """A decision in a line: "Include (numbers keep rising). National target: yes."."""
    reason = f" ({' '.join(decision.reason.split())})" if decision.reason else ""
    marks = [
        f" {CRITERION_NAMES[mark]}: {decision.find_mark(mark)}."
        for mark in MARKS
        if decision.find_mark(mark) != "as in the file"
    ]
    return f"{CHOICES[decision.choice]}{reason}.{''.join(marks)}"
