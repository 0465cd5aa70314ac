"""One operation's sheet: aims against results, the months, next door, and what must be known before repeating it."""

from collections.abc import Mapping
from contextlib import suppress

import streamlit as st

from cspmap.analysis.evaluation import ProposedSpans
from cspmap.errors import UserError
from cspmap.exports.extract import write_csv
from cspmap.exports.published import WITHHELD
from cspmap.operation_results import (
    GoalResult,
    OperationCounts,
    SheetChoice,
    find_months,
    list_comparisons,
    match_units,
    propose_months,
)
from cspmap.operation_surveys import list_surveys
from cspmap.operations import Operation
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.views.controls import name_month
from cspmap.views.map import draw_map
from cspmap.views.operation_charts import draw_course
from cspmap.views.operation_load import load_counts, load_results
from cspmap.views.operation_map import draw_operation
from cspmap.views.operation_words import (
    AGAINST,
    describe_aim,
    describe_survey,
    list_sheet_caveats,
    tabulate_counts,
    tabulate_measures,
)
from cspmap.views.words import escape_markdown

MAP_HEIGHT = 360


def show_results(query: Query, operation: Operation) -> None:
    """Everything of the sheet that is worked out. Raises UserError where nothing can be."""
    counts = load_counts(query, operation)
    if operation.start is None:
        st.info("Nothing to judge yet: give it a start under Change.", icon=":material/event:")
        draw_map(draw_operation(query, operation, counts, ()), key="operation-map", height=MAP_HEIGHT)
        return
    choice = choose_sheet(query, operation)
    results = load_results(query, operation, choice)
    left, right = st.columns([3, 2], gap="large")
    with left:
        for result in results:
            show_headline(result)
        for standing in list_surveys(operation):
            st.markdown(f"- {escape_markdown(describe_survey(standing))}")
        result = _choose_result(results)
        if result.sheet is not None:
            st.markdown(f"**{escape_markdown(result.crime)}**, month by month in the area")
            draw_course(result.sheet.course, choice.after).show()
            told = (
                "Points: recorded. Dashed: expected, had the area gone the way of its comparison, with the range that "
                "should hold a month 19 times in 20. Green ground: the months judged. Grey ground: missing, not zero."
            )
            hidden = WITHHELD in result.sheet.course and result.sheet.course[WITHHELD].any()
            st.caption(f"{told} Dotted ground: withheld." if hidden else told)
    with right:
        draw_map(
            draw_operation(query, operation, counts, _list_alike(query, operation, counts, choice, result)),
            key="operation-map",
            height=MAP_HEIGHT,
        )
        if result.sheet is not None:
            for caution in result.sheet.cautions:
                st.markdown(f":orange-background[:material/warning: {escape_markdown(caution)}]")
            show_counts(result)
    if result.sheet is not None:
        show_measures(query, operation, counts, choice, result)


def show_headline(result: GoalResult) -> None:
    """An aim and what became of it, large enough to be read aloud from the back of a room."""
    if result.sheet is None:
        st.markdown(f"- {escape_markdown(f'{result.crime}: {result.fault}')}")
        return
    st.markdown(f"##### {escape_markdown(result.sheet.headline)}")
    st.markdown(escape_markdown(describe_aim(result)))


def show_counts(result: GoalResult) -> None:
    """What was recorded in the area, next door and in the comparison."""
    assert result.sheet is not None
    columns = {name: st.column_config.NumberColumn(format="localized") for name in ("Before", "After")}
    columns |= {name: st.column_config.NumberColumn(format="%.1f") for name in ("A month before", "A month after")}
    st.markdown(f"**{escape_markdown(result.crime)}**, as recorded")
    st.dataframe(tabulate_counts(result.sheet), hide_index=True, column_config=columns, width="stretch")


def show_measures(
    query: Query, operation: Operation, counts: OperationCounts, choice: SheetChoice, result: GoalResult
) -> None:
    """Every measure on one table, the file of it and how it came about."""
    sheet = result.sheet
    assert sheet is not None
    caveats = list_sheet_caveats(query, counts, operation, choice)
    measures = tabulate_measures(sheet)
    moved = ", and did it move next door" if sheet.buffer_effect is not None else ""
    st.markdown(f"**{escape_markdown(result.crime)}**: did it work{moved}")
    # One that wraps, so that all of its columns are seen on a phone as well.
    st.table(measures.map(escape_markdown), hide_index=True)
    st.download_button(
        "CSV",
        lambda: write_csv(measures.assign(crime=result.crime), [*sheet.cautions, *caveats]),
        file_name="operation-measures.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander("About these figures"):
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))


def choose_sheet(query: Query, operation: Operation) -> SheetChoice:
    """The months before and after, and against what: as proposed, until the viewer or a link says otherwise.

    Raises UserError where there is no before and after to choose from, or a link's cannot be read.
    """
    loaded = Span(query.store.months[0], query.store.months[-1])
    try:
        proposed = propose_months(operation, query.store.months)
    except UserError as error:
        proposed = divide_months(operation, loaded, error)
        st.warning(escape_markdown(f"{error} Or choose the months yourself."), icon=":material/warning:")
    asked = {name: st.query_params.get(name, "") for name in ("before", "after", "against")}
    usual = SheetChoice(proposed.before, proposed.after, list_comparisons(operation)[0])
    start = _start(operation, f"{usual}", asked, usual, loaded)
    key = f"sheet-{operation.id}-{operation.version}"
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        before = _choose_span("Before", loaded, start.before, f"{key}-before")
        after = _choose_span("After", loaded, start.after, f"{key}-after")
        options = list(list_comparisons(operation))
        against = st.selectbox(
            "Compared with",
            options,
            options.index(start.against),
            key=f"{key}-against",
            format_func=AGAINST.__getitem__,
            width=230,
        )
    choice = SheetChoice(before, after, against or start.against)
    _give_address(choice, usual)
    if choice.before == usual.before and choice.after == usual.after:
        st.caption(escape_markdown(f"Proposed: {proposed.words}"))
    return choice


def divide_months(operation: Operation, loaded: Span, error: UserError) -> ProposedSpans:
    """All that is loaded, before and since the start, where nothing can be proposed; raises `error` where it is one."""
    first = find_months(operation.start, operation.end)[0] if operation.start else loaded.first
    if not loaded.first < first <= loaded.last:
        raise error
    return ProposedSpans(Span(loaded.first, first - 1), Span(first, loaded.last), (), "All that is loaded.")


def _start(
    operation: Operation, proposal: str, asked: Mapping[str, str], usual: SheetChoice, loaded: Span
) -> SheetChoice:
    """What the widgets start from, the same for as long as the session shows this version of the operation.

    A slider of two ends must be told its start by its value, which must not change under the viewer's hand.
    """
    held = f"sheet-start-{operation.id}-{operation.version}-{proposal}"
    if held not in st.session_state:
        spans = [
            _clip(Span.parse(asked[name]), loaded) if asked[name] else getattr(usual, name)
            for name in ("before", "after")
        ]
        wanted = asked["against"]
        against = wanted if wanted in list_comparisons(operation) else usual.against
        st.session_state[held] = SheetChoice(spans[0], spans[1], against)
    start: SheetChoice = st.session_state[held]
    return start


def _clip(span: Span, loaded: Span) -> Span:
    """The part of a span that is loaded, or the whole of what is."""
    first, last = max(span.first, loaded.first), min(span.last, loaded.last)
    return Span(first, last) if first <= last else loaded


def _choose_span(label: str, loaded: Span, start: Span, key: str) -> Span:
    within = Span(min(loaded.first, start.first), max(loaded.last, start.last))
    first, last = st.select_slider(
        label,
        [str(month) for month in within],
        value=(str(start.first), str(start.last)),
        key=key,
        format_func=name_month,
        width=250,
    )
    return Span(Month.parse(first), Month.parse(last))


def _give_address(choice: SheetChoice, usual: SheetChoice) -> None:
    """Keep in the address what differs from the proposal."""
    for name in ("before", "after", "against"):
        value = str(getattr(choice, name))
        if value == str(getattr(usual, name)):
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def _choose_result(results: tuple[GoalResult, ...]) -> GoalResult:
    """Which aim the chart and the tables are about."""
    if len(results) == 1:
        return results[0]
    number = st.selectbox(
        "Chart and tables for", range(len(results)), key="operation-goal", format_func=lambda at: results[at].crime
    )
    return results[number or 0]


def _list_alike(
    query: Query, operation: Operation, counts: OperationCounts, choice: SheetChoice, result: GoalResult
) -> tuple[str, ...]:
    # Beside what the places most alike have, a count that is withheld could be guessed.
    if choice.against != "alike" or result.withheld:
        return ()
    with suppress(UserError):
        crimes = () if result.goal is None else result.goal.crimes
        return match_units(query, counts, operation, choice.before, crimes).proposed
    return ()
