"""Changing operations: the form, saving it, a change that met another, and the history of all of them."""

from dataclasses import fields, is_dataclass
from datetime import date
from typing import Any

import streamlit as st

from cspmap.errors import UserError
from cspmap.operations import (
    Action,
    Change,
    ConflictError,
    Decision,
    Operation,
    Operations,
    Outline,
    SurveyResult,
    Units,
    compare_operations,
    write_geojson,
)
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.views.focus_controls import show_fault
from cspmap.views.operation_form import edit_plan
from cspmap.views.operation_lists import edit_actions, edit_surveys
from cspmap.views.operation_merge import Difference, Take, list_differences, merge_operations
from cspmap.views.operation_state import (
    DRAFT_WHO,
    Conflict,
    Draft,
    ask_who,
    begin_draft,
    close_draft,
    hold_conflict,
    keep_typed,
    open_sheet,
    resume_draft,
    tell_later,
)
from cspmap.views.operation_words import STATUSES, describe_area, describe_goal, format_day
from cspmap.views.words import escape_markdown, format_moment

_TAKES: dict[Take, str] = {"mine": "Mine", "theirs": "Theirs", "both": "Both"}
_MOST_SHOWN = 1200


def show_draft(query: Query, operations: Operations, draft: Draft) -> None:
    """The form of what the viewer is changing, with a way to save it and one to let it go."""
    draft = resume_draft(draft)
    key = f"draft-{draft.number}"
    new = draft.base.version == 0
    heading = "New operation" if new else f"Change {draft.base.name}"
    st.subheader(escape_markdown(heading), anchor=False)
    changed: Operation | None = None
    try:
        if draft.part == "plan":
            changed = edit_plan(query, draft.start, key)
        elif draft.part == "actions":
            changed = edit_actions(draft.start, key)
        else:
            changed = edit_surveys(draft.start, key)
        keep_typed(changed)
    except UserError as error:
        show_fault(error)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = ask_who(DRAFT_WHO)
        saved = st.button("Save", icon=":material/save:", type="primary", key="save", disabled=changed is None)
        st.button("Cancel", on_click=close_draft, key="cancel")
    if saved and changed is not None:
        save(operations, draft.base, changed, who=who)


def save(operations: Operations, base: Operation, changed: Operation, *, who: str) -> None:
    """Save a change and show the operation; a fault is told, and a conflict kept for the viewer to decide."""
    try:
        kept = operations.save_operation(changed, who=who)
    except ConflictError as error:
        hold_conflict(base, error)
        st.rerun()
    except UserError as error:
        show_fault(error)
        return
    tell_later(f"{kept.name} is saved." if kept.version != base.version else "Nothing was changed.")
    open_sheet(kept.id)
    st.rerun()


def show_conflict(query: Query, operations: Operations, conflict: Conflict) -> None:
    """Both versions side by side, a choice for each thing in which they differ, and nothing lost meanwhile."""
    error = conflict.error
    mine, theirs = error.mine, error.theirs
    st.error(escape_markdown(str(error)), icon=":material/call_split:")
    st.write("Nothing of yours is lost: choose what to keep of each, then save. What is not kept of theirs stays in "
             "the history.")  # fmt: skip
    differences = list_differences(conflict.base, mine, theirs.operation)
    version = theirs.operation.version
    choices: dict[str, Take] = {}
    for each in differences:
        with st.container(border=True):
            choices[each.field] = _choose(query, each, who=theirs.who, key=f"conflict-{version}-{each.field}")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        who = ask_who("conflict")
        pressed = st.button("Save as chosen", icon=":material/save:", type="primary")
        st.download_button(
            "Mine as a file",
            write_geojson([mine]),
            file_name="my-version.geojson",
            mime="application/geo+json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.button("Let mine go", on_click=close_draft, icon=":material/delete:")
    if pressed:
        save(operations, theirs.operation, merge_operations(theirs.operation, differences, choices), who=who)


def _choose(query: Query, difference: Difference, *, who: str, key: str) -> Take:
    st.markdown(f"**{escape_markdown(difference.words.capitalize())}**")
    columns = st.columns(3)
    heads = ("Mine", f"{who}'s", "As you opened it")
    values = (difference.mine, difference.theirs, difference.opened)
    for column, head, value in zip(columns, heads, values, strict=True):
        with column:
            st.caption(escape_markdown(head))
            st.markdown(escape_markdown(show_value(query, value)).replace("\n", "  \n"))
    options = list(difference.choices)
    taken = st.radio(
        f"Which {difference.words} to keep",
        options,
        options.index(difference.proposed),
        key=key,
        format_func=_TAKES.__getitem__,
        horizontal=True,
    )
    return taken or difference.proposed


def show_value(query: Query, value: Any) -> str:
    """A field's value as plain text, lists by line."""
    if value is None or value in ("", ()):
        return "nothing"
    if isinstance(value, tuple):
        return "\n".join(show_value(query, item) for item in value)
    if isinstance(value, Units | Outline):
        text = describe_area(query, value)
        if isinstance(value, Outline):
            text += f" of {sum(len(ring) - 1 for polygon in value.polygons for ring in polygon):,} corners"
        return text
    if isinstance(value, Action):
        parts = (value.text, value.owner, f"due {format_day(value.due)}" if value.due else "", value.status)
        return ", ".join(filter(None, parts))
    if isinstance(value, Decision):
        return ", ".join(filter(None, (value.text, value.reason, format_day(value.made), value.made_by)))
    if isinstance(value, SurveyResult):
        asked = "" if value.sample_size is None else f", {value.sample_size:,} asked"
        return f"{value.measure}: {value.percent:g} % on {format_day(value.asked)}{asked}"
    if isinstance(value, date):
        return format_day(value)
    if isinstance(value, Span):
        return value.words
    if isinstance(value, float):
        return f"{value:g}"
    if is_dataclass(value):
        return describe_goal(query, value)  # type: ignore[arg-type]
    text = str(value)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def show_history(query: Query, operations: Operations, identifier: str) -> None:
    """Who changed what and when, the latest first, and every earlier version to be had again."""
    changes = operations.read_history(identifier)
    for number, change in enumerate(changes):
        earlier = changes[number + 1] if number + 1 < len(changes) else None
        head = f"{change.who}, {format_moment(change.saved_at.isoformat())}: {name_change(change, earlier)}"
        with st.expander(escape_markdown(head)):
            _show_change(query, change, earlier)
            if number and not change.removed:
                st.button(
                    "Take this version up again",
                    key=f"restore-{change.operation.version}",
                    on_click=_take_up,
                    args=(change.operation, changes[0].operation),
                    icon=":material/history:",
                )


def name_change(change: Change, earlier: Change | None) -> str:
    """What a version did, short: "began it", "changed lead and notes", "removed it"."""
    if change.removed:
        return "removed it"
    if earlier is None:
        return "began it"
    differences = compare_operations(earlier.operation, change.operation)
    return f"changed {', '.join(differences)}" if differences else "put it back"


def _show_change(query: Query, change: Change, earlier: Change | None) -> None:
    now = change.operation
    for item in fields(Operation):
        if item.name in ("id", "version"):
            continue
        value = getattr(now, item.name)
        before = None if earlier is None else getattr(earlier.operation, item.name)
        if value in (None, "", ()) if earlier is None else value == before:
            continue
        name = item.name.replace("_", " ").capitalize()
        told = STATUSES[value] if item.name == "status" else show_value(query, value)
        was = "" if earlier is None else f" (was: {show_value(query, before)})"
        st.markdown(f"- **{name}**: {escape_markdown(told + was).replace(chr(10), '; ')}")


def _take_up(version: Operation, latest: Operation) -> None:
    """Begin a change that makes an operation what it once was; it is saved like any other."""
    from dataclasses import replace

    begin_draft(replace(version, version=latest.version))
