"""A chosen area kept as an operation."""

import streamlit as st

from cspmap.errors import UserError
from cspmap.focus_choice import FocusChoice
from cspmap.operations import Operation, Operations, Units, find_url
from cspmap.query import Query
from cspmap.views.focus_controls import show_fault
from cspmap.views.operation_state import PARAMETER, ask_who, tell_later
from cspmap.views.words import escape_markdown
from cspmap.workspace import find_dashboard

OPERATIONS_PAGE = "pages/operations.py"


def offer_save(query: Query, choice: FocusChoice) -> None:
    """A form that keeps the ticked units as an operation, under a name and by somebody."""
    codes = choice.selection.areas
    if not codes:
        st.caption("Choose an area first.")
        return
    with st.form("focus-save", border=False):
        name = st.text_input("Name of the operation", max_chars=200, key="focus-name")
        who = ask_who("focus")
        pressed = st.form_submit_button("Save as an operation", icon=":material/save:", type="primary")
    if pressed:
        operation = Operation(name.strip(), area=Units(choice.selection.level, codes), chosen_on=choice.selection.span)
        try:
            saved = Operations.open(find_url(query.store.root)).save_operation(operation, who=who)
        except UserError as error:
            show_fault(error)
            return
        told = f"{saved.name} is saved."
        if (find_dashboard() / OPERATIONS_PAGE).is_file():
            tell_later(told)
            st.switch_page(OPERATIONS_PAGE, query_params={PARAMETER: saved.id})
        st.success(escape_markdown(told), icon=":material/check:")
