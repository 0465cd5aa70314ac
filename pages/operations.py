"""Operations: every area of focus, what it is to reach, and whether it did."""

from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from cspmap.errors import UserError
from cspmap.operations import Operation, Operations, write_geojson
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.focus_controls import show_fault
from cspmap.views.map import draw_map, take_event
from cspmap.views.operation_changes import show_conflict, show_draft, show_history
from cspmap.views.operation_lists import show_actions, show_said, show_surveys
from cspmap.views.operation_load import list_shapes, open_operations
from cspmap.views.operation_map import draw_operations
from cspmap.views.operation_sheet import show_results
from cspmap.views.operation_state import (
    ask_who,
    begin_draft,
    open_sheet,
    read_conflict,
    read_draft,
    read_open,
    take_told,
    tell_later,
)
from cspmap.views.operation_words import STATUSES, describe_area, describe_goal, describe_time
from cspmap.views.pack_button import offer_pack
from cspmap.views.words import escape_markdown

MAP, MAP_HEIGHT = "operations-map", 470
MIME = "application/geo+json"


def show_page(query: Query) -> None:
    """The list, one sheet, a form, or two changes that met."""
    operations = open_operations(query)
    told = take_told()
    if told:
        st.success(escape_markdown(told), icon=":material/check:")
    conflict, draft = read_conflict(), read_draft()
    if conflict is not None:
        show_conflict(query, operations, conflict)
    elif draft is not None:
        show_draft(query, operations, draft)
    elif read_open():
        show_sheet(query, operations, read_open())
    else:
        show_list(query, operations)


def show_list(query: Query, operations: Operations) -> None:
    """All operations as a table and on one map."""
    kept = operations.list_operations()
    event = take_event(key=MAP)
    if event is not None and event.area in {operation.id for operation in kept}:
        open_sheet(event.area)
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {operation.id: operation.name for operation in kept}
        chosen = st.selectbox(
            "Open an operation",
            list(names),
            None,
            format_func=names.__getitem__,
            placeholder="Choose one" if kept else "None yet",
            width=320,
        )
        st.button("New operation", on_click=begin_draft, args=(Operation(""),), icon=":material/add:")
        offer_files(query, operations, kept)
    if chosen:
        open_sheet(chosen)
        st.rerun()
    if not kept:
        st.write("No operation is kept yet. Begin a new one here, save a focus area as one, or import a file.")
    left, right = st.columns([3, 2], gap="medium")
    with left:
        if kept:
            list_operations(query, kept)
    with right:
        draw_map(draw_operations(query, kept), key=MAP, height=MAP_HEIGHT)
    show_removed(operations)


def list_operations(query: Query, kept: tuple[Operation, ...]) -> None:
    """The table; a row that is chosen opens its sheet."""
    table = pd.DataFrame(
        {
            "No.": range(1, len(kept) + 1),
            "Operation": [each.name for each in kept],
            "Status": [STATUSES[each.status] for each in kept],
            "Lead": [each.lead for each in kept],
            "When": [describe_time(each) for each in kept],
            "Where": [describe_area(query, each.area) for each in kept],
            "Aims": ["; ".join(describe_goal(query, goal) for goal in each.goals) for each in kept],
            "Open actions": [sum(action.status == "open" for action in each.actions) for each in kept],
        }
    )
    event = st.dataframe(
        table, hide_index=True, width="stretch", on_select="rerun", selection_mode="single-row", key="operations-table"
    )
    st.caption("Tick a row, or choose a numbered outline on the map, to open its sheet.")
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(kept):
        open_sheet(kept[rows[0]].id)
        st.rerun()


def offer_files(query: Query, operations: Operations, kept: tuple[Operation, ...]) -> None:
    """All operations as a file, and others out of one."""
    st.download_button(
        "GeoJSON",
        lambda: write_geojson(kept, shapes=list_shapes(query, kept), entries=operations.entries.list_entries()),
        file_name="operations.geojson",
        mime=MIME,
        icon=":material/download:",
        on_click="ignore",
        disabled=not kept,
    )
    with st.popover("Import", icon=":material/upload:"):
        file = st.file_uploader("GeoJSON file of operations", ["geojson", "json"])
        who = ask_who("import")
        replace = st.toggle("Replace those that are here already and differ", help="They stay in the history.")
        if st.button("Import them", disabled=file is None) and file is not None:
            try:
                read = operations.import_file(file.getvalue(), name=file.name, who=who, replace_existing=replace)
            except UserError as error:
                show_fault(error)
            else:
                tell_later(f"{len(read)} imported.")
                st.rerun()


def show_removed(operations: Operations) -> None:
    """Operations that were taken off the list, to be looked at and put back."""
    removed = operations.list_operations(removed=True)
    if not removed:
        return
    with st.expander(f"Removed ({len(removed)})"):
        for operation in removed:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(escape_markdown(operation.name), width="stretch")
                st.button(
                    "Put back", key=f"put-back-{operation.id}", on_click=begin_draft, args=(operation,),
                    icon=":material/history:",
                )  # fmt: skip


def show_sheet(query: Query, operations: Operations, identifier: str) -> None:
    """One operation: what it is, how it went, who does what, and its history."""
    try:
        operation = operations.read_operation(identifier)
    except UserError as error:
        show_fault(error)
        st.button("All operations", on_click=open_sheet, args=("",), icon=":material/list:")
        if operations.read_history(identifier):
            show_history(query, operations, identifier)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(escape_markdown(operation.name), anchor=False, width="stretch")
        st.button("All operations", on_click=open_sheet, args=("",), icon=":material/list:")
        st.button("Change", on_click=begin_draft, args=(operation,), icon=":material/edit:")
        link = st.popover("Link", icon=":material/link:")
        offer_one(query, operations, operation)
        offer_pack(query, Selection.default(query.store), scopes={f"operation:{operation.id}": operation.name})
    lead = f"led by {operation.lead}" if operation.lead.strip() else ""
    facts = (STATUSES[operation.status], describe_time(operation), describe_area(query, operation.area), lead)
    st.markdown(escape_markdown(" · ".join(filter(None, facts))))
    if operation.aim.strip():
        st.markdown(f"**Aim:** {escape_markdown(operation.aim)}")
    tabs = st.tabs(["Results", "Actions", "Surveys", "Notes", "History"], key="sheet", bind="query-params")
    shown = (show_outcome, show_work, show_asked, show_notes, show_past)
    for tab, show in zip(tabs, shown, strict=True):
        if tab.open:
            with tab:
                show(query, operations, operation)
    # Last, as it tells what was chosen on the sheet.
    with link:
        st.caption("This address opens the same sheet.")
        st.code(link_here(), language=None, wrap_lines=True)


def show_outcome(query: Query, operations: Operations, operation: Operation) -> None:
    """Aims against results."""
    try:
        show_results(query, operation)
    except UserError as error:
        show_fault(error)


def show_work(query: Query, operations: Operations, operation: Operation) -> None:
    """Actions and decisions, and what meetings said."""
    show_actions(operation)
    show_said(operations.entries.list_entries(), operation)
    st.button("Change actions", on_click=begin_draft, args=(operation, "actions"), icon=":material/edit:")


def show_asked(query: Query, operations: Operations, operation: Operation) -> None:
    """What people said."""
    show_surveys(operation)
    st.button("Change survey figures", on_click=begin_draft, args=(operation, "surveys"), icon=":material/edit:")


def show_notes(query: Query, operations: Operations, operation: Operation) -> None:
    """Notes as typed."""
    st.text(operation.notes if operation.notes.strip() else "No notes yet.")


def show_past(query: Query, operations: Operations, operation: Operation) -> None:
    """Who changed what and when."""
    show_history(query, operations, operation.id)


def offer_one(query: Query, operations: Operations, operation: Operation) -> None:
    """One operation as a file, and taking it off the list."""
    with st.popover("More", icon=":material/more_horiz:"):
        st.download_button(
            "GeoJSON",
            lambda: write_geojson(
                [operation], shapes=list_shapes(query, [operation]), entries=operations.entries.list_entries()
            ),
            file_name="operation.geojson",
            mime=MIME,
            icon=":material/download:",
            on_click="ignore",
        )
        who = ask_who("remove")
        if st.button("Remove from the list", icon=":material/delete:", help="Its history stays, to be put back from."):
            try:
                operations.remove_operation(operation, who=who)
            except UserError as error:
                show_fault(error)
                return
            tell_later(f"{operation.name} is removed.")
            open_sheet("")
            st.rerun()


def link_here() -> str:
    """The whole address that opens what is shown."""
    return f"{(st.context.url or '').partition('?')[0]}?{urlencode(st.query_params.to_dict())}"


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
show_licences(opened)
with page, show_errors():
    show_page(opened)
settle_memory(opened.store.version)
