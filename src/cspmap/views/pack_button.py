"""The pack behind one button: format, how far it has come, a way to call it off, and the file.

It is made in a process of its own at a lower priority, so that no other viewer waits for it.
"""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import streamlit as st

from cspmap.errors import UserError
from cspmap.exports.pack import FORMAT_NAMES, MEDIA_TYPES, PACK_FORMATS, PackFormat
from cspmap.pack_job import PackJob, PackQuestion
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.shared_work import make_room
from cspmap.views.words import escape_markdown

# Of all viewers together: each takes a core of the machine that draws everybody's pages.
MOST_PACKS = 2
_JOB, _DONE, _OPEN, _FORMAT, _SCOPE = "pack-job", "pack-done", "pack-open", "pack-format", "pack-scope"
PARTNERSHIP = "partnership"


@dataclass
class Running:
    """A pack under way, and when its viewer last looked at it (seconds of a clock that only goes forward)."""

    job: PackJob
    looked_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Finished:
    """What became of a pack: the file, or the error that it met."""

    question: PackQuestion
    outcome: bytes | UserError


def offer_pack(query: Query, selection: Selection, *, scopes: Mapping[str, str] | None = None) -> None:
    """A popover that makes a pack of the selection's period and crimes.

    `scopes` are what it may be of, as `make_briefing` takes it, each with its name, the first the one that is set;
    None: of the whole partnership, and of the area that is open where there is one.
    """
    popover = st.popover("Pack", icon=":material/slideshow:", key=_OPEN, on_change="rerun")
    if not popover.open and _JOB not in st.session_state:
        return
    with popover:
        question = _choose(query, selection, scopes or _list_scopes(query, selection))
        if _JOB in st.session_state:
            _follow()
        else:
            _offer(question)


def _choose(query: Query, selection: Selection, scopes: Mapping[str, str]) -> PackQuestion:
    """What the pack is of and its format; not to be changed while one is under way."""
    busy = _JOB in st.session_state
    st.caption("The screens of the meeting as a file, with the tables behind its maps and charts.")
    scope = st.selectbox("Pack of", list(scopes), key=_SCOPE, format_func=scopes.__getitem__, disabled=busy)
    kind: PackFormat = st.segmented_control(
        "Format",
        PACK_FORMATS,
        default=PACK_FORMATS[0],
        key=_FORMAT,
        format_func=FORMAT_NAMES.__getitem__,
        required=True,
        disabled=busy,
    )
    return PackQuestion(str(query.store.root), selection.to_query(), scope, kind)


def _offer(question: PackQuestion) -> None:
    """The button that starts a pack, or its file where it is made already."""
    done: Finished | None = st.session_state.get(_DONE)
    if done is not None and done.question == question:
        if isinstance(done.outcome, bytes):
            _offer_file(question, done.outcome)
            return
        st.error(escape_markdown(str(done.outcome)), icon=":material/error:")
    st.button("Make the pack", type="primary", on_click=_start, args=(question,))


def _list_scopes(query: Query, selection: Selection) -> dict[str, str]:
    whole = {PARTNERSHIP: query.store.partnership.place}
    if selection.chosen is None:
        return whole
    return {**whole, f"area:{selection.chosen}": query.name_areas(selection.level)[selection.chosen]}


@st.fragment(run_every=0.5)
def _follow() -> None:
    """How far the pack has come, looked at twice a second; the page is drawn anew when it is done."""
    running: Running | None = st.session_state.get(_JOB)
    if running is None:
        # It was called off in this very run.
        st.rerun()
    running.looked_at = time.monotonic()
    if running.job.done:
        del st.session_state[_JOB]
        st.session_state[_DONE] = Finished(running.job.question, _take(running.job))
        st.rerun()
    step, share = running.job.progress
    st.progress(share, f"{escape_markdown(step)} …")
    st.button("Cancel", on_click=stop_pack, icon=":material/close:")


def _take(job: PackJob) -> bytes | UserError:
    try:
        return job.result()
    except UserError as error:
        return error


def _offer_file(question: PackQuestion, pack: bytes) -> None:
    scope = question.scope.replace(":", "-")
    period = question.selection["period"].replace("..", "-to-")
    st.download_button(
        f"Download {FORMAT_NAMES[question.format]}, {len(pack) / 1e6:.1f} MB",
        pack,
        file_name=f"pack-{scope}-{period}.{question.format}",
        mime=MEDIA_TYPES[question.format],
        icon=":material/download:",
        type="primary",
        on_click="ignore",
    )


@st.cache_resource(show_spinner=False)
def _list_packs() -> list[Running]:
    """The packs of all viewers of this server."""
    return []


_ONE_AT_A_TIME = threading.Lock()


def _start(question: PackQuestion) -> None:
    stop_pack()
    st.session_state.pop(_DONE, None)
    try:
        with _ONE_AT_A_TIME:
            make_room(_list_packs(), most=MOST_PACKS, noun="packs")
            running = Running(PackJob(question))
            _list_packs().append(running)
    except UserError as error:
        st.session_state[_DONE] = Finished(question, error)
    else:
        st.session_state[_JOB] = running


def stop_pack() -> None:
    """End a pack that is under way, without a file."""
    running: Running | None = st.session_state.pop(_JOB, None)
    if running is not None:
        running.job.kill()
