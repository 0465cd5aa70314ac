"""The lists that grow while an operation runs: actions, decisions and survey figures, each changed as a list."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import pandas as pd
import streamlit as st

from cspmap.operation_surveys import list_surveys
from cspmap.operations import (
    Action,
    ActionStatus,
    Decision,
    MeetingEntry,
    Operation,
    SurveyGoal,
    SurveyResult,
    name_subject,
)
from cspmap.views.operation_rows import choose_day, edit_rows
from cspmap.views.operation_words import describe_survey, describe_wave, format_day
from cspmap.views.words import escape_markdown

ACTION_STATUSES: dict[ActionStatus, str] = {"open": "Open", "done": "Done", "dropped": "Dropped"}
_DAY = "DD/MM/YYYY"


def show_actions(operation: Operation) -> None:
    """Actions, the open ones first, and decisions."""
    if operation.actions:
        order = list(ACTION_STATUSES)
        actions = sorted(operation.actions, key=lambda each: (order.index(each.status), each.due or date.max))
        st.dataframe(
            pd.DataFrame(
                {
                    "Action": [each.text for each in actions],
                    "Owner": [each.owner for each in actions],
                    "Due": [each.due for each in actions],
                    "Status": [ACTION_STATUSES[each.status] for each in actions],
                    "Agreed": [each.raised for each in actions],
                }
            ),
            hide_index=True,
            width="stretch",
            placeholder="–",
            column_config={name: st.column_config.DateColumn(format=_DAY) for name in ("Due", "Agreed")},
        )
    else:
        st.write("No actions yet.")
    if operation.decisions:
        st.markdown("**Decisions**")
        for decision in operation.decisions:
            about = ", ".join(filter(None, (format_day(decision.made), decision.made_by)))
            why = f" Because: {decision.reason}" if decision.reason.strip() else ""
            st.markdown(f"- {escape_markdown(decision.text + why)} {f'({escape_markdown(about)})' if about else ''}")


def show_said(entries: Sequence[MeetingEntry], operation: Operation) -> None:
    """Actions and decisions that were typed in at meetings, the latest meeting's first, and by whom."""
    said = [entry for entry in entries if entry.subject == name_subject(operation.id)]
    if not said:
        return
    st.markdown("**Said in meetings**")
    st.dataframe(
        pd.DataFrame(
            {
                "Meeting": [entry.said for entry in said],
                "What": [entry.text for entry in said],
                "Kind": [entry.kind.capitalize() for entry in said],
                "Owner": [entry.owner for entry in said],
                "Due": [entry.due for entry in said],
                # A decision has no use for one.
                "Status": [ACTION_STATUSES[entry.status] if entry.kind == "action" else "" for entry in said],
                "Typed in by": [entry.who for entry in said],
            }
        ),
        hide_index=True,
        width="stretch",
        placeholder="–",
        column_config={name: st.column_config.DateColumn(format=_DAY) for name in ("Meeting", "Due")},
    )
    st.caption("They are changed on the operation's screen in the meeting.")


def show_surveys(operation: Operation) -> None:
    """What people said when asked, with the margin of error and the aims."""
    standings = list_surveys(operation)
    if not standings:
        st.write("No survey figures yet. Confidence and fear of crime are entered by hand, with how many were asked.")
        return
    for standing in standings:
        st.markdown(f"- {escape_markdown(describe_survey(standing))}")
    rows = [
        {
            "Measure": standing.measure,
            "Asked": wave.asked,
            "Result": describe_wave(wave, None if measure is None else measure.margin),
            "Sample": wave.sample_size,
            "Question": wave.question,
            "Source": wave.source,
        }
        for standing in standings
        for wave, measure in zip(standing.waves, standing.measures, strict=True)
    ]
    if rows:
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            width="stretch",
            placeholder="not known",
            column_config={"Asked": st.column_config.DateColumn(format=_DAY)},
        )
        st.caption("± is the margin of error (Wilson, 95 %) of a simple random sample; a quota sample's is larger.")


def edit_actions(base: Operation, key: str) -> Operation:
    """Actions and decisions."""
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Actions**")
        actions = edit_rows(f"{key}-action", base.actions, _edit_action, add="Add an action")
    with right:
        st.markdown("**Decisions**")
        decisions = edit_rows(f"{key}-decision", base.decisions, _edit_decision, add="Add a decision")
    return replace(base, actions=actions, decisions=decisions)


def edit_surveys(base: Operation, key: str) -> Operation:
    """Survey figures."""
    measures = sorted(
        {goal.measure for goal in base.goals if isinstance(goal, SurveyGoal)} | {each.measure for each in base.surveys}
    )
    if measures:
        st.caption(escape_markdown(f"Measures so far, to be written the same each time: {', '.join(measures)}."))
    surveys = edit_rows(
        f"{key}-result",
        base.surveys,
        lambda row, start: _edit_result(row, start, measures[0] if len(measures) == 1 else ""),
        add="Add a survey figure",
    )
    return replace(base, surveys=surveys)


def _edit_action(key: str, start: Action | None) -> Action | None:
    given = start or Action("", raised=date.today())
    text = st.text_input("Action", given.text, max_chars=4000, key=f"{key}-text")
    with st.container(horizontal=True):
        owner = st.text_input("Owner", given.owner, max_chars=200, key=f"{key}-owner", width=180)
        due = choose_day("Due", given.due, key=f"{key}-due")
        status = st.selectbox(
            "Status",
            list(ACTION_STATUSES),
            list(ACTION_STATUSES).index(given.status),
            key=f"{key}-status",
            format_func=ACTION_STATUSES.__getitem__,
            width=120,
        )
    if not text.strip():
        return None
    return replace(given, text=text, owner=owner, due=due, status=status)


def _edit_decision(key: str, start: Decision | None) -> Decision | None:
    given = start or Decision("", made=date.today())
    text = st.text_input("Decision", given.text, max_chars=4000, key=f"{key}-text")
    reason = st.text_input("Why", given.reason, max_chars=4000, key=f"{key}-reason")
    with st.container(horizontal=True):
        made = choose_day("Made", given.made, key=f"{key}-made")
        made_by = st.text_input("By", given.made_by, max_chars=200, key=f"{key}-by", width=180)
    if not text.strip():
        return None
    return replace(given, text=text, reason=reason, made=made, made_by=made_by)


def _edit_result(key: str, start: SurveyResult | None, measure: str) -> SurveyResult | None:
    given = start or SurveyResult(measure, 50.0, date.today())
    named = st.text_input("What was asked", given.measure, max_chars=200, key=f"{key}-measure")
    with st.container(horizontal=True):
        percent = st.number_input("Per cent", 0.0, 100.0, given.percent, 1.0, key=f"{key}-percent", width=130)
        asked = choose_day("Asked around", given.asked, key=f"{key}-asked")
        sample = st.number_input(
            "How many were asked",
            1,
            10_000_000,
            given.sample_size,
            key=f"{key}-sample",
            width=180,
            placeholder="not known",
        )
    question = st.text_input("Question as put", given.question, max_chars=4000, key=f"{key}-question")
    source = st.text_input("Source", given.source, max_chars=4000, key=f"{key}-source")
    if not named.strip() or asked is None:
        return None
    return replace(
        given,
        measure=named.strip(),
        percent=percent,
        asked=asked,
        sample_size=sample,
        question=question,
        source=source,
    )
