"""The form of an operation: widgets that start from how it was opened, and the operation that they make of it."""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from cspmap.errors import UserError
from cspmap.operations import Area, CrimeGoal, Goal, Operation, Outline, SurveyGoal, Units, read_outline
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.views.controls import name_month
from cspmap.views.operation_rows import choose_day, edit_rows
from cspmap.views.operation_words import STATUSES

_UNITS, _OUTLINE, _NONE = "Areas of a level", "An outline", "None yet"


def edit_plan(query: Query, base: Operation, key: str) -> Operation:
    """What is to be reached, where and when. Raises UserError where an outline cannot be read.

    It does so at the end: a widget that is not drawn loses what was typed in it.
    """
    faults: list[UserError] = []
    left, right = st.columns(2, gap="large")
    with left:
        name = st.text_input("Name", base.name.strip(), max_chars=200, key=f"{key}-name")
        aim = st.text_area("Aim", base.aim, max_chars=4000, key=f"{key}-aim", height=80)
        with st.container(horizontal=True):
            lead = st.text_input("Lead", base.lead, max_chars=200, key=f"{key}-lead", width=220)
            status = st.selectbox(
                "Status",
                list(STATUSES),
                list(STATUSES).index(base.status),
                key=f"{key}-status",
                format_func=STATUSES.__getitem__,
                width=140,
            )
        with st.container(horizontal=True):
            start = choose_day("Start", base.start, key=f"{key}-start")
            end = choose_day("End", base.end, key=f"{key}-end")
        chosen_on = _edit_chosen_on(query, base.chosen_on, key)
        notes = st.text_area("Notes", base.notes, max_chars=50_000, key=f"{key}-notes", height=100)
    with right:
        st.markdown("**Where**")
        area = _edit_area(query, base.area, f"{key}-area", faults)
        buffered = st.toggle("Look for displacement next door", base.buffer_metres is not None, key=f"{key}-buffered")
        buffer = None
        if buffered:
            buffer = st.number_input(
                "Buffer around it in metres",
                1.0,
                20_000.0,
                base.buffer_metres or 250.0,
                50.0,
                key=f"{key}-buffer",
                format="%g",
                help="How far from its edge the ring reaches that is looked at for displacement.",
                width=200,
            )
        st.markdown("**Measures of success in recorded crime**")
        crimes = edit_rows(
            f"{key}-crime",
            [goal for goal in base.goals if isinstance(goal, CrimeGoal)],
            lambda row, goal: _edit_crime_goal(query, row, goal, faults),
            add="Add crime types",
        )
        st.markdown("**Measures of success in surveys**")
        surveys = edit_rows(
            f"{key}-survey",
            [goal for goal in base.goals if isinstance(goal, SurveyGoal)],
            _edit_survey_goal,
            add="Add a survey measure",
        )
        st.markdown("**Areas to compare with**")
        others = edit_rows(
            f"{key}-other",
            base.comparison_areas,
            lambda row, other: _edit_area(query, other, row, faults),
            add="Add a comparison area",
        )
    if faults:
        raise faults[0]
    return replace(
        base,
        name=name.strip(),
        aim=aim,
        lead=lead,
        status=status,
        start=start,
        end=end,
        chosen_on=chosen_on,
        notes=notes,
        area=area,
        buffer_metres=buffer,
        goals=_keep_order(base.goals, (*crimes, *surveys)),
        comparison_areas=others,
    )


def _keep_order(before: Sequence[Goal], now: Sequence[Goal]) -> tuple[Goal, ...]:
    """Aims in the order that they had: a form that nobody has changed makes no change."""
    kept = [goal for goal in before if goal in now]
    return (*kept, *(goal for goal in now if goal not in kept))


def _edit_chosen_on(query: Query, start: Span | None, key: str) -> Span | None:
    """The months that the area was chosen by, where it was chosen for its crime."""
    known = st.toggle(
        "Chosen for its crime",
        start is not None,
        key=f"{key}-chosen",
        help="What is chosen at its peak falls by itself: the sheet then says so.",
    )
    if not known:
        return None
    loaded = Span(query.store.months[0], query.store.months[-1])
    given = start or Span.ending(loaded.last, months=min(12, len(loaded)))
    months = [str(month) for month in Span(min(loaded.first, given.first), max(loaded.last, given.last))]
    first, last = st.select_slider(
        "Chosen by the crime of",
        months,
        value=(str(given.first), str(given.last)),
        key=f"{key}-chosen-on",
        format_func=name_month,
    )
    return Span(Month.parse(first), Month.parse(last))


def _edit_area(query: Query, start: Area | None, key: str, faults: list[UserError]) -> Area | None:
    kinds = [_UNITS, _OUTLINE, _NONE]
    usual = _OUTLINE if isinstance(start, Outline) else _UNITS
    kind = st.segmented_control(
        "Made of", kinds, default=usual, key=f"{key}-kind", label_visibility="collapsed", required=True
    )
    if kind == _OUTLINE:
        return _edit_outline(start, key, faults)
    if kind == _UNITS:
        return _edit_units(query, start if isinstance(start, Units) else None, key)
    return None


def _edit_units(query: Query, start: Units | None, key: str) -> Units | None:
    partnership = query.store.partnership
    levels = {layer.key: layer.name for layer in partnership.layers if layer.figures_of is None}
    if start is not None and start.level not in levels:
        levels[start.level] = start.level
    usual = partnership.boundary if start is None else start.level
    level = st.selectbox(
        "Level", list(levels), list(levels).index(usual), key=f"{key}-level", format_func=levels.__getitem__, width=200
    )
    held = [layer.key for layer in partnership.layers]
    names = query.name_areas(level) if level in held else {}
    given = start.codes if start is not None and start.level == level else ()
    # What the store does not hold stays with the operation for as long as nobody takes it off.
    names = {**names, **{code: code for code in given if code not in names}}
    codes = st.multiselect("Areas", list(names), list(given), key=f"{key}-codes-{level}", format_func=names.__getitem__)
    if not codes:
        return None
    return (
        start if start is not None and start.level == level and set(codes) == set(given) else Units(level, tuple(codes))
    )


def _edit_outline(start: Area | None, key: str, faults: list[UserError]) -> Outline | None:
    """The outline that it has, or another out of a file or a text; what is wrong with that is added to `faults`."""
    kept = start if isinstance(start, Outline) else None
    if kept is not None:
        corners = sum(len(ring) - 1 for polygon in kept.polygons for ring in polygon)
        st.caption(f"A drawn outline of {corners:,} corners is kept. Another file takes its place.")
    file = st.file_uploader("Outline as GeoJSON in longitude and latitude", ["geojson", "json"], key=f"{key}-file")
    text = "" if file else st.text_area("or paste it", key=f"{key}-pasted", height=80)
    try:
        if file is not None:
            return read_outline(file.getvalue(), name=file.name)
        return read_outline(text, name="The text") if text.strip() else kept
    except UserError as error:
        faults.append(error)
        return None


def _edit_crime_goal(query: Query, key: str, start: CrimeGoal | None, faults: list[UserError]) -> CrimeGoal | None:
    names = query.store.partnership.crime_names
    given = () if start is None else start.crimes
    names = {**names, **{crime: crime for crime in given if crime not in names}}
    crimes = st.multiselect(
        "Crime types together",
        list(names),
        list(given),
        key=f"{key}-crimes",
        format_func=names.__getitem__,
        placeholder="All",
    )
    usual = -10.0 if start is None else start.change_percent
    with st.container(horizontal=True):
        ways = ["Down by", "Up by"]
        way = st.selectbox("Recorded", ways, int(usual > 0), key=f"{key}-way", width=140)
        size = st.number_input("Per cent", value=abs(usual), step=1.0, key=f"{key}-size", format="%g", width=130)
    if size < 0:
        # The box itself would take the last number for a wrong one, and say nothing.
        faults.append(UserError(f"An aim has {size:g} per cent; write 0 or more there, and choose down or up."))
        return start
    if way == "Down by":
        size = -min(size, 100.0)
    ordered = given if set(crimes) == set(given) else tuple(crimes)
    return CrimeGoal(ordered, size + 0.0)


def _edit_survey_goal(key: str, start: SurveyGoal | None) -> SurveyGoal | None:
    measure = st.text_input(
        "What was asked", "" if start is None else start.measure, max_chars=200, key=f"{key}-measure",
        placeholder="Confidence in the police",
    )  # fmt: skip
    with st.container(horizontal=True):
        ways = ["at least", "at most"]
        usual = 0 if start is None else ways.index(start.direction)
        way = st.selectbox("To come to", ways, usual, key=f"{key}-way", width=140)
        percent = st.number_input(
            "Per cent", 0.0, 100.0, 60.0 if start is None else start.percent, 1.0, key=f"{key}-percent", width=130
        )
    if not measure.strip():
        return None
    return SurveyGoal(measure.strip(), "at least" if way == "at least" else "at most", percent)
