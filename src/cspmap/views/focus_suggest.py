"""Suggestions on the focus page: the question, the search in a process of its own, and its answers."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from cspmap.analysis.focus import Suggestion, SuggestionJob, start_suggestion
from cspmap.analysis.focus.suggestion import By
from cspmap.errors import UserError
from cspmap.exports.published import Published
from cspmap.focus_area import WHOLE, Aim, FocusGround
from cspmap.focus_choice import FocusChoice
from cspmap.focus_published import publish_choices
from cspmap.views.focus_controls import keep_choice, show_fault, tick_units
from cspmap.views.focus_words import (
    describe_caught,
    describe_end,
    describe_later,
    describe_progress,
    describe_proof,
    format_share,
    tell_share,
)
from cspmap.views.shared_work import make_room
from cspmap.views.words import escape_markdown

SECONDS = 60.0
# Of all viewers together: each takes a core of the machine that draws everybody's pages.
MOST_SEARCHES = 2
_JOB, _ANSWER, _SHOWN, _OPEN = "focus-job", "focus-answer", "focus-shown", "focus-suggest-open"
_BUDGET, _BY, _HOLD, _AVOID = "focus-budget", "focus-by", "focus-hold", "focus-avoid"
_ROUND, _OTHERS, _TAKEN = "focus-round", "focus-others", "focus-taken"
_COMPACTNESS = {0.0: "Any shape", 0.1: "A little rounder", 0.3: "Rounder", 1.0: "Round above all"}
_USUAL_SHARE = 0.1


@dataclass(frozen=True)
class Asked:
    """What a suggestion was asked for: its answer is of no other aim and level."""

    level: str
    aim: Aim


@dataclass
class Running:
    """A search under way, and when its viewer last looked at it (seconds of a clock that only goes forward)."""

    asked: Asked
    job: SuggestionJob
    looked_at: float = field(default_factory=time.monotonic)


@st.cache_resource(show_spinner=False)
def _list_searches() -> list[Running]:
    """The searches of all viewers of this server."""
    return []


_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Answer:
    """What a search found, or the error that it met."""

    asked: Asked
    found: Suggestion | UserError


def read_avoided(ground: FocusGround) -> tuple[str, ...]:
    """The units that a suggestion is to avoid."""
    return tuple(st.session_state.get(f"{_AVOID}-{ground.level}", ()))


def offer_suggestion(ground: FocusGround, choice: FocusChoice, aim: Aim, units: str) -> None:
    """The rules of a suggestion in a popover, and the button that starts it."""
    with st.popover("Suggest", icon=":material/lightbulb:", key=_OPEN, on_change="rerun"):
        kinds: dict[By, str] = {"units": units, "km2": "km²"}
        if ground.residents is not None:
            kinds["residents"] = "residents"
        left, right = st.columns(2)
        by: By = right.selectbox("counted in", list(kinds), key=_BY, format_func=kinds.__getitem__)
        most, start, step = _limit(ground, by)
        left.number_input("At most", 0.0, most, start, step, key=f"{_BUDGET}-{ground.level}-{by}", format="%g")
        ticked = choice.selection.areas
        if ticked:
            st.checkbox(f"Must hold the {len(ticked)} ticked", _holds_by_itself(), key=_name_hold())
        st.multiselect(
            "Must not hold", list(ground.codes), key=f"{_AVOID}-{ground.level}", format_func=ground.names.__getitem__
        )
        st.select_slider("Shape", list(_COMPACTNESS), key=_ROUND, format_func=_COMPACTNESS.__getitem__)
        st.number_input("Others that differ", 0, 5, 2, key=_OTHERS, help="Each shares at most half with any before it.")
        st.button("Suggest an area", type="primary", on_click=_start, args=(ground, aim, by, ticked))


def _limit(ground: FocusGround, by: By) -> tuple[float, float, float]:
    """The most that a budget can be, what it starts from, and its step."""
    if by == "units":
        most, step = float(len(ground.codes)), 1.0
    elif by == "km2":
        most, step = float(ground.units.geometry.area.sum() / 1e6), 0.5
    else:
        assert ground.residents is not None
        most, step = float(ground.residents.sum()), 500.0
    start = max(step, round(_USUAL_SHARE * most / step) * step)
    return max(most, start), start, step


def _start(ground: FocusGround, aim: Aim, by: By, ticked: Sequence[str]) -> None:
    state, asked = st.session_state, Asked(ground.level, aim)
    stop_search()
    state[_OPEN] = False
    state.pop(_ANSWER, None)
    try:
        with _ONE_AT_A_TIME:
            make_room(_list_searches(), most=MOST_SEARCHES, noun="searches")
            job = start_suggestion(
                ground.units,
                ground.weigh(aim).drop(WHOLE),
                state[f"{_BUDGET}-{ground.level}-{by}"],
                by=by,
                residents=ground.residents,
                include=ticked if state.get(_name_hold()) else (),
                avoid=read_avoided(ground),
                compactness=state[_ROUND],
                alternatives=state[_OTHERS],
                contiguity=ground.contiguity,
                seconds=SECONDS,
            )
            state[_JOB] = Running(asked, job)
            _list_searches().append(state[_JOB])
    except UserError as error:
        state[_ANSWER] = Answer(asked, error)


def stop_search() -> None:
    """End a search that is under way, without an answer."""
    running: Running | None = st.session_state.pop(_JOB, None)
    if running is not None:
        running.job.kill()


def is_searching() -> bool:
    """Whether a search of this viewer is under way."""
    return _JOB in st.session_state


@st.fragment(run_every=0.5)
def follow_search(published: Published) -> None:
    """How far the search has come, looked at twice a second; the page is drawn anew when it is done."""
    running: Running | None = st.session_state.get(_JOB)
    if running is None:
        return
    running.looked_at = time.monotonic()
    if running.job.done:
        del st.session_state[_JOB]
        found: Suggestion | UserError
        try:
            found = running.job.result()
        except UserError as error:
            found = error
        st.session_state[_ANSWER] = Answer(running.asked, found)
        st.session_state.pop(_SHOWN, None)
        keep_choice()
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center"):
        told = describe_progress(running.job.progress, hides=published.hides)
        st.markdown(f":material/progress_activity: {escape_markdown(told)}")
        st.button("Take the best so far", on_click=running.job.stop)
        st.button("Cancel", on_click=stop_search)


def find_answer(level: str, aim: Aim) -> Suggestion | UserError | None:
    """The answer to what the page shows now; None where there is none, or it was another question's."""
    answer: Answer | None = st.session_state.get(_ANSWER)
    return answer.found if answer is not None and answer.asked == Asked(level, aim) else None


def read_suggested(level: str, aim: Aim) -> tuple[str, ...]:
    """The units of the suggested area that is being looked at."""
    found = find_answer(level, aim)
    if found is None or isinstance(found, UserError):
        return ()
    return found.areas[_read_shown(len(found.areas))].figures.codes


def show_answer(ground: FocusGround, choice: FocusChoice, aim: Aim, published: Published, *, what: str) -> None:
    """The suggested areas, one of them looked at, to be ticked or put away."""
    found = find_answer(ground.level, aim)
    if isinstance(found, UserError):
        show_fault(found)
    if found is None or isinstance(found, UserError):
        return
    before = choice.selection.before
    # Beside the ticked area, which the panel tells of.
    ticked = [choice.selection.areas] if choice.selection.areas else []
    sets = [*ticked, *(one.figures.codes for one in found.areas)]
    areas = publish_choices(ground, aim, sets, published, before=before)[len(ticked) :]
    with st.container(border=True):
        numbers = list(range(len(areas)))
        shown = _read_shown(len(areas))
        if len(areas) > 1:
            shown = st.radio(
                "Suggested areas",
                numbers,
                key=_SHOWN,
                format_func=lambda number: (
                    f"{number + 1}: {tell_share(areas[number].catch)} on "
                    f"{format_share(areas[number].figures.km2_share)} of the land"
                ),
            )
        area, one = areas[shown], found.areas[shown]
        proof = describe_proof(one, first=shown == 0, withheld=area.catch.withheld)
        words = [describe_caught(area, what), describe_later(area.later), proof]
        st.markdown(escape_markdown(" ".join(words)))
        end = describe_end(found, ground)
        if end:
            st.caption(escape_markdown(end))
        with st.container(horizontal=True):
            st.button("Tick this area", type="primary", on_click=_take, args=(ground.level, area.codes))
            st.button("Put away", on_click=_put_away)


def _read_shown(count: int) -> int:
    shown = st.session_state.get(_SHOWN, 0)
    return shown if isinstance(shown, int) and 0 <= shown < count else 0


def _take(level: str, codes: Sequence[str]) -> None:
    tick_units(level, codes)
    # The next question is not to start from this answer, unless the viewer says so. A new box, as one behind a closed
    # popover does not hear of it.
    st.session_state[_TAKEN] = st.session_state.get(_TAKEN, 0) + 1
    _put_away()


def _holds_by_itself() -> bool:
    """Whether a suggestion is to hold what is ticked unless the viewer says otherwise: not where it was suggested."""
    return not st.session_state.get(_TAKEN, 0)


def _name_hold() -> str:
    return f"{_HOLD}-{st.session_state.get(_TAKEN, 0)}"


def _put_away() -> None:
    st.session_state.pop(_ANSWER, None)
