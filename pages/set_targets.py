"""Set targets: what was printed, whether it adds up, and next year's targets tried out."""

import pandas as pd
import streamlit as st

from cspmap.analysis.target_methods import compare_methods
from cspmap.board import list_weights
from cspmap.exports.extract import write_csv
from cspmap.exports.published import describe_rule
from cspmap.exports.target_tables import describe_draft_rule, tabulate_reconciliation
from cspmap.goals import keep_outside
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.sources.target_file import tabulate_targets
from cspmap.targets import TargetTable
from cspmap.views.boards import read_table
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.target_controls import METHODS, choose_table
from cspmap.views.target_tables import FAULT_COLUMNS, METHOD_COLUMNS, show_draft, show_printed
from cspmap.views.words import escape_markdown, join_words
from cspmap.what_if import count_baseline, draft_targets, even_baseline, flag_baseline, set_reduction

MOST_ENDS, MOST_FAULTS = 36, 12


def show_published(query: Query) -> None:
    """A table of targets as printed, and everything in which it does not agree with itself."""
    number = choose_table(query)
    table = query.store.targets[number]
    faults = tabulate_reconciliation(table)
    st.subheader("Does it add up?", anchor=False)
    if len(faults):
        one = len(faults) == 1
        st.write(f"{len(faults)} {'place' if one else 'places'} where the printed table does not agree with itself.")
        told = [escape_markdown(sentence) for sentence in faults["sentence"].head(MOST_FAULTS)]
        left = len(faults) - len(told)
        st.markdown("\n".join(f"- {sentence}" for sentence in [*told, *([f"And {left} more, below."] if left else [])]))
        with st.expander("The same as a table"):
            st.dataframe(faults, hide_index=True, column_config=FAULT_COLUMNS, placeholder="–")
    elif any(number is not None for target in table.targets for number in (target.value, target.baseline)):
        st.write("Every figure agrees with the others.")
    else:
        st.write("It states percentages alone: there are no figures that could disagree.")
    with st.container(horizontal=True):
        offer_file("Use as printed", table, f"targets-{number + 1}-printed.csv")
        if len(faults):
            recomputed = read_table(query, number, "recomputed")
            offer_file("Use as recomputed", recomputed, f"targets-{number + 1}-recomputed.csv")
    st.subheader("As printed", anchor=False)
    show_printed(table.targets)


def offer_file(label: str, table: TargetTable, name: str) -> None:
    """A targets file that loads back as the very table."""
    st.download_button(
        label,
        lambda: write_csv(tabulate_targets(table)),
        file_name=name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


@st.fragment
@show_errors()
def try_out(query: Query) -> None:
    """Next year's targets: percentages, a method and a level in; a file of targets out."""
    partnership = query.store.partnership
    ends = list(reversed(query.store.months))[:MOST_ENDS]
    levels = {layer.key: layer.name for layer in partnership.layers}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        end = st.selectbox(
            "Baseline: the year to",
            ends,
            key="to",
            bind="query-params",
            format_func=lambda month: month.words,
            width=190,
        )
        level = st.selectbox(
            "Level",
            list(levels),
            len(levels) - 1,
            key="layer",
            bind="query-params",
            format_func=levels.__getitem__,
            width=150,
        )
        method = st.selectbox(
            "Shared out to areas",
            list(METHODS),
            key="method",
            bind="query-params",
            format_func=METHODS.__getitem__,
            width=250,
        )
        usual = st.number_input(
            "Reduction, %", 0.0, 100.0, 10.0, 1.0, key="percent", bind="query-params", format="%.1f", width=150
        )
    span = Span.ending(end, months=12)
    baseline = count_baseline(query, level, span)
    withheld = flag_baseline(query, level, span)
    counts = baseline.loc[""].astype(int)
    hidden = [] if withheld is None else [key for key in counts.index if withheld[key].loc[""]]
    recorded = counts.index[(counts.to_numpy() > 0) & ~counts.index.isin(hidden)]
    names = {kind.key: kind.name for kind in partnership.crime_types if kind.key in recorded}
    start = pd.DataFrame({"crime": pd.Series(names), "baseline": counts, "percent": usual}).loc[list(names)]
    left, right = st.columns([2, 3], gap="medium")
    with left:
        st.markdown("**Reduction by crime type** (click a percentage to change it)")
        chosen = st.data_editor(
            start,
            hide_index=True,
            disabled=["crime", "baseline"],
            key=f"percents-{end}-{usual}",
            column_config={
                "crime": "Crime",
                "baseline": st.column_config.NumberColumn(span.last.words, format="localized", width="small"),
                "percent": st.column_config.NumberColumn("Reduction, %", min_value=0, max_value=100, width="small"),
            },
        )
        if hidden:
            left_out = join_words(partnership.name_crime(key) for key in hidden)
            st.caption(escape_markdown(f"Left out, as their count is withheld: {left_out}."))
    percents = {str(key): float(percent) for key, percent in chosen["percent"].fillna(0).items()}
    figures = list_weights(query, level)
    due = span.shift(12)
    title = f"Draft targets, {due.words}"
    table = draft_targets(
        query,
        baseline,
        figures,
        title=title,
        level=level,
        span=span,
        due=due,
        percents=percents,
        method=method,
        withheld=withheld,
    )
    with right:
        st.markdown(f"**{escape_markdown(title)}**, {METHODS[method][0].lower()}{METHODS[method][1:]}")
        show_draft(table)
        if (baseline.loc[""] > baseline.drop("").sum())[list(percents)].any():
            st.caption(
                "The areas have less than the whole: incidents without a location keep their own share of its target."
            )
        rule = partnership.disclosure
        for sentence in filter(None, (describe_rule(rule), describe_draft_rule(rule))):
            st.caption(sentence)
        offer_file("Targets file", table, f"draft-targets-{due.first}-to-{due.last}-{level}.csv")
    compare(query, baseline, figures, percents, level, withheld=withheld)


def compare(
    query: Query,
    baseline: pd.DataFrame,
    figures: pd.DataFrame,
    percents: dict[str, float],
    level: str,
    *,
    withheld: pd.DataFrame | None,
) -> None:
    """One crime type's target by every method, side by side."""
    st.subheader("Methods side by side", anchor=False)
    names = {key: query.store.partnership.name_crime(key) for key in percents}
    key = st.selectbox("Crime", list(names), format_func=names.__getitem__, width=320)
    areas = query.name_areas(level)
    counts = even_baseline(baseline.loc[list(areas), [key]], withheld)[key]
    whole = float(baseline[key].loc[""])
    total = keep_outside(set_reduction(whole, percents[key]), float(counts.sum()), [whole])
    compared = compare_methods(
        total, figures.loc[list(areas)].assign(count=counts, name=list(areas.values())), methods=list(METHODS)
    )
    frame = compared.frame.assign(name=list(areas.values()))
    if withheld is not None:
        frame["count"] = frame["count"].mask(withheld.loc[list(areas), key])
    columns = ["name", *compared.frame.columns]
    st.dataframe(frame[columns], hide_index=True, column_config=METHOD_COLUMNS, placeholder="–")
    for refused, why in compared.refused.items():
        st.caption(escape_markdown(f"{METHODS[refused]}: {why}"))


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
show_licences(opened)
with page:
    published, draft = st.tabs(["Published targets", "Try out next year's"], key="part", bind="query-params")
    if published.open:
        with published, show_errors():
            if opened.store.targets:
                show_published(opened)
            else:
                st.write(
                    "No targets are loaded. Name a file of them in partnership.toml: docs/target-file.md says how."
                )
    if draft.open:
        with draft, show_errors():
            try_out(opened)
settle_memory(opened.store.version)
