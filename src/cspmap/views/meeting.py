"""The frame of a meeting: its figures held as they were when it began, and what is typed in on it."""

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock
from typing import Any

import streamlit as st

from cspmap.briefing.making import make_briefing
from cspmap.briefing.screen import Briefing
from cspmap.errors import UserError
from cspmap.operations import MeetingEntry, Operations, read_entry
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.meeting_payload import Payload, add_said, encode_screens
from cspmap.views.operation_load import open_operations

KEY = "meeting"
# Of the page's address, what belongs to the frame; the rest is the selection.
FRAME_PARAMETERS = ("screen", "frozen", "dark", "play")
MOST_HELD = 24

_WEB = Path(__file__).parent / "web"
_ANSWER, _HELD, _FRESH = "meeting-answer", "meeting-held", "meeting-fresh"
_WHO, _DARK = "meeting-who", "meeting-dark"
# What the frame sends with an entry and is none of it.
_ABOUT = ("number", "who", "remove")


@dataclass(frozen=True, eq=False)
class Meeting:
    """A briefing as it was made at one moment, as the frame takes it, light and `dark`.

    `latest` is whether its period ends with the last month that was loaded then.
    """

    token: str
    selection: Selection
    latest: bool
    briefing: Briefing
    light: list[Payload]
    dark: list[Payload]


class Shelf:
    """The latest meetings of this server, so that a link and a reloaded page show the very same figures."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._held: OrderedDict[str, Meeting] = OrderedDict()

    def find(self, token: str, selection: Selection) -> Meeting | None:
        """The meeting of a token; None where it is not held, or is one about something else."""
        with self._lock:
            meeting = self._held.get(token)
            if meeting is None or meeting.selection != selection:
                return None
            self._held.move_to_end(token)
            return meeting

    def put(self, meeting: Meeting) -> None:
        """Hold a meeting; the one not asked for the longest makes room."""
        with self._lock:
            self._held[meeting.token] = meeting
            while len(self._held) > MOST_HELD:
                self._held.popitem(last=False)


@st.cache_resource(show_spinner=False)
def _find_shelf() -> Shelf:
    return Shelf()


def begin_meeting(query: Query, selection: Selection, operations: Operations) -> Meeting:
    """A meeting with the figures as they are now. All of it is drawn now: a later build may take the store away."""
    moment, store = datetime.now().astimezone(), query.store
    token = f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    briefing = make_briefing(query, selection, operations=operations, as_at=moment)
    light, dark = (encode_screens(briefing, store, dark=each) for each in (False, True))
    meeting = Meeting(token, selection, selection.span.last == store.months[-1], briefing, light, dark)
    _find_shelf().put(meeting)
    return meeting


def renew_selection(meeting: Meeting, query: Query) -> Selection:
    """What a meeting is about, when new figures are taken: a period that ended with the latest month does so again."""
    selection = meeting.selection
    if not meeting.latest:
        return selection
    return selection.change(span=Span.ending(query.store.months[-1], months=len(selection.span)))


def take_meeting(query: Query, operations: Operations) -> tuple[Meeting, str]:
    """The meeting that this viewer or the page's address has begun, else a new one; and what to say about that.

    Raises SelectionError where the store does not hold what the address asks for.
    """
    asked = {key: text for key, text in st.query_params.to_dict().items() if key not in FRAME_PARAMETERS}
    began, held = st.session_state.get(_HELD, (None, None))
    told, fresh = "", st.session_state.pop(_FRESH, False)
    if held is not None and fresh:
        held = begin_meeting(query, renew_selection(held, query), operations)
    elif held is None or asked not in (began, held.selection.to_query()):
        selection, token = Selection.from_query(asked, query.store), str(st.query_params.get("frozen", ""))
        held = _find_shelf().find(token, selection)
        if held is None:
            held = begin_meeting(query, selection, operations)
            if token:
                told = f"The figures of that link are no longer held here; these are as at {held.briefing.as_at}."
    st.session_state[_HELD] = (asked, held)
    return held, told


def show_meeting(query: Query) -> None:
    """The whole meeting. What the viewer does in it comes back as an event before the next run of this."""
    operations = open_operations(query)
    with st.spinner("Making the screens"):
        meeting, told = take_meeting(query, operations)
    briefing, dark = meeting.briefing, _is_dark()
    data = {
        "token": meeting.token,
        "asked": meeting.selection.to_query(),
        "title": briefing.title,
        "asAt": briefing.as_at,
        "notice": briefing.notice,
        "licences": " ".join([*briefing.licences, f"Store version {briefing.version}."]),
        "dark": dark,
        "who": st.session_state.get(_WHO, ""),
        "told": told,
        "answer": st.session_state.get(_ANSWER),
        "screens": add_said(
            meeting.dark if dark else meeting.light,
            operations.entries.list_entries(),
            date.today(),
            removals=operations.entries.list_removed(),
        ),
    }
    _mount(
        key=KEY,
        data=data,
        on_entry_change=lambda: _keep_entry(operations),
        on_fresh_change=lambda: st.session_state.update({_FRESH: True}),
        on_light_change=lambda: st.session_state.update({_DARK: st.session_state[KEY]["light"] == "dark"}),
    )


def _is_dark() -> bool:
    """Whether the room is dark: as the viewer has it, else as the link says."""
    return bool(st.session_state.get(_DARK, st.query_params.get("dark") == "1"))


def _keep_entry(operations: Operations) -> None:
    """Keep what was typed in, or that it is removed, and have the frame told whether it was."""
    given: Mapping[str, Any] = st.session_state[KEY]["entry"]
    number = str(given.get("number", ""))
    try:
        kept = save_given(operations, given, date.today())
    except UserError as error:
        st.session_state[_ANSWER] = {"number": number, "kept": False, "words": str(error)}
        return
    st.session_state[_WHO] = kept.who
    did = "Removed" if given.get("remove") else "Kept"
    st.session_state[_ANSWER] = {"number": number, "kept": True, "words": f"{did}: {kept.text[:60]}"}


def save_given(operations: Operations, given: Mapping[str, Any], today: date) -> MeetingEntry:
    """Keep what the frame sent, and return it: a new entry is of today, one that was there keeps its day.

    One that is to be removed is taken away, and its history kept. Raises UserError.
    """
    values, who = {key: value for key, value in given.items() if key not in _ABOUT}, str(given.get("who", ""))
    if not values.get("version"):
        values["said"] = today.isoformat()
    entry = read_entry(values)
    if given.get("remove"):
        operations.entries.remove_entry(entry, who=who)
        return replace(entry, who=who)
    return operations.entries.save_entry(entry, who=who)


_mount = st.components.v2.component(
    "cspmap-meeting",
    css=(_WEB / "cspmap-meeting.css").read_text("utf-8"),
    js=(_WEB / "cspmap-meeting.js").read_text("utf-8"),
)
