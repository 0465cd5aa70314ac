"""What the page of operations remembers of a viewer: which operation is open, who they are, what they are changing."""

from dataclasses import dataclass, replace

import streamlit as st

from cspmap.operations import ConflictError, Operation

PARAMETER = "operation"
# Of the box for the name under a form.
DRAFT_WHO = "draft"
_WHO, _DRAFT, _TYPED, _CONFLICT, _TOLD, _GENERATION = (
    "operation-who",
    "operation-draft",
    "operation-typed",
    "operation-conflict",
    "operation-told",
    "operation-generation",
)
# Of the page's address, what belongs to one operation's sheet.
_SHEET = ("before", "after", "against", "sheet")


@dataclass(frozen=True)
class Draft:
    """An operation that a viewer is changing: as it was opened, and which part of it.

    `start` is what the form starts from, the same but where the viewer had left the page; `number` tells forms apart.
    """

    base: Operation
    part: str
    number: int
    start: Operation


@dataclass(frozen=True)
class Conflict:
    """A change that somebody else's came before: as the operation was opened, and the error with both versions."""

    base: Operation
    error: ConflictError


def read_open() -> str:
    """The identifier of the operation that is open; empty where the list is."""
    return str(st.query_params.get(PARAMETER, ""))


def open_sheet(identifier: str) -> None:
    """Open an operation, or the list (""). To be called from a callback, or followed by a rerun."""
    close_draft()
    for name in (PARAMETER, *_SHEET):
        st.query_params.pop(name, None)
    if identifier:
        st.query_params[PARAMETER] = identifier


def read_draft() -> Draft | None:
    """What the viewer is changing."""
    draft: Draft | None = st.session_state.get(_DRAFT)
    return draft


def begin_draft(base: Operation, part: str = "plan") -> None:
    """Begin to change an operation as it is now; a new one begins as it is given."""
    st.session_state[_GENERATION] = st.session_state.get(_GENERATION, 0) + 1
    st.session_state[_DRAFT] = Draft(base, part, st.session_state[_GENERATION], base)
    st.session_state.pop(_TYPED, None)


def keep_typed(changed: Operation) -> None:
    """Keep what stands in the form, which the framework forgets when the viewer turns to another page."""
    st.session_state[_TYPED] = changed


def resume_draft(draft: Draft) -> Draft:
    """The draft, or where the viewer is back from another page, one whose form starts from what was typed."""
    typed: Operation | None = st.session_state.get(_TYPED)
    # The form has this box in every part; it is forgotten with the others.
    if typed is None or f"who-{DRAFT_WHO}" in st.session_state:
        return draft
    begin_draft(draft.base, draft.part)
    begun: Draft = st.session_state[_DRAFT]
    resumed = replace(begun, start=typed)
    st.session_state[_DRAFT] = resumed
    return resumed


def close_draft() -> None:
    """Change no more, and let go of a conflict."""
    st.session_state.pop(_DRAFT, None)
    st.session_state.pop(_TYPED, None)
    st.session_state.pop(_CONFLICT, None)


def read_conflict() -> Conflict | None:
    """The change that is held up by somebody else's."""
    conflict: Conflict | None = st.session_state.get(_CONFLICT)
    return conflict


def hold_conflict(base: Operation, error: ConflictError) -> None:
    """Keep a change that could not be saved until the viewer has decided about it."""
    st.session_state.pop(_DRAFT, None)
    st.session_state[_CONFLICT] = Conflict(base, error)


def ask_who(key: str) -> str:
    """Who the viewer is, asked once and remembered for the session."""
    given: str = st.text_input(
        "Your name",
        st.session_state.get(_WHO, ""),
        max_chars=200,
        key=f"who-{key}",
        help="Kept with every change. A record among colleagues, no proof of identity.",
        width=260,
    ).strip()
    st.session_state[_WHO] = given
    return given


def tell_later(sentence: str) -> None:
    """Have a sentence told on the next run."""
    st.session_state[_TOLD] = sentence


def take_told() -> str:
    """What is to be told, once."""
    return str(st.session_state.pop(_TOLD, ""))
