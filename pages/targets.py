"""Targets: how far along each is, whether it will be met, and whether being behind means anything."""

import pandas as pd
import streamlit as st

from cspmap.analysis.targets.verdict import CALIBRATION
from cspmap.board import Board, list_weights
from cspmap.exports.extract import write_csv
from cspmap.exports.published import WITHHELD
from cspmap.exports.target_tables import (
    WITNESSES,
    describe_chance,
    describe_months,
    list_board_caveats,
    list_unmeasured,
    tabulate_board,
)
from cspmap.goals import WHOLE
from cspmap.partnership import Denominator
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.targets import TargetTable
from cspmap.views.assets import layer_url
from cspmap.views.boards import load_board, read_table
from cspmap.views.choropleth import Choropleth, state_rule
from cspmap.views.dashboard import begin_page, load_query, settle_memory, show_errors, show_licences
from cspmap.views.map import MapView, draw_map, take_event
from cspmap.views.pack_button import offer_pack
from cspmap.views.target_board import (
    FUNNEL_COLUMNS,
    read_letter,
    shade_ratings,
    show_letters,
    show_lines,
    show_sheet,
    summarise_ratings,
    warn,
)
from cspmap.views.target_charts import compare_areas, draw_funnel, draw_trajectory, trace_line
from cspmap.views.target_controls import choose_board, choose_indicator, choose_place, choose_table, take_place
from cspmap.views.target_tables import show_printed
from cspmap.views.words import escape_markdown, join_words

MAP_HEIGHT, MOST_LETTERS = 460, 30


@st.fragment
@show_errors()
def follow_targets(query: Query) -> None:
    """Choices, verdicts, map, charts and sheets of one table of targets."""
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filters")
    with bar:
        number = choose_table(query)
    table = query.store.targets[number]
    disagrees = read_table(query, number, "recomputed") != table
    choice = choose_board(query, number, disagrees=disagrees, bar=bar)
    if choice is None:
        place = escape_markdown(query.store.partnership.place)
        st.write(f"Recorded crime of {place} measures none of these targets. They stand as printed:")
        show_printed(table.targets)
        return
    board = load_board(query, choice)
    place = query.store.partnership.place
    heading = f"{table.title}: {place} by the end of {choice.span.last.words}, as at {choice.as_at.words}"
    whole = take_area(board.lines, WHOLE)
    st.markdown(f"**{escape_markdown(heading)}.** {summarise_ratings(whole if len(whole) else board.lines)}")
    warn(describe_months(query, board.span, board.as_at))
    tabs = st.tabs(["Board", "Map", "Trajectories", "One area", "Funnel"], key="tab", bind="query-params")
    for tab, show in zip(tabs, (show_board, show_map, show_trajectories, show_area, show_funnel), strict=True):
        if tab.open:
            with tab:
                show(query, board)


def show_board(query: Query, board: Board) -> None:
    """The whole first, then every area by letters and by lines, then what recorded crime does not measure."""
    whole = take_area(board.lines, WHOLE)
    if len(whole):
        show_lines(whole)
    areas = board.lines.drop(WHOLE, level="code", errors="ignore")
    if len(areas):
        if board.lines.index.get_level_values("code").nunique() <= MOST_LETTERS:
            show_letters(board)
        st.markdown("**Every area**, the farthest behind first")
        show_lines(areas)
    st.caption(escape_markdown(f"{describe_chance(board.lines)} {WITNESSES}"))
    caveats = list_board_caveats(board, query)
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            lambda: write_csv(tabulate_board(board), caveats),
            file_name=f"targets-{board.level}-{board.span.first}-to-{board.as_at}.csv",
            mime="text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        selection = Selection.default(query.store)
        offer_pack(query, selection.change(span=Span.ending(board.as_at, months=len(selection.span))))
    show_unmeasured(query, board.table)
    with st.expander("About these figures"):
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))


def show_unmeasured(query: Query, table: TargetTable) -> None:
    """The targets that recorded crime does not measure, if there are any."""
    unmeasured = list_unmeasured(query, table)
    if unmeasured:
        st.markdown("**Not measured by recorded crime**, and so as printed")
        show_printed([target for target in table.targets if target.indicator in unmeasured])


def show_map(query: Query, board: Board) -> None:
    """The ratings of one indicator on the map, and the sentences behind them."""
    event = take_event(key="rating-map")
    if event is not None:
        take_place(board, event.area)
    with st.container(horizontal=True):
        indicator, code = choose_indicator(board), choose_place(board)
    lines = board.lines.loc[[indicator]]
    if len(lines) == len(take_area(lines, WHOLE)):
        st.write("No area has a target for this.")
        return
    shaded = state_rule(Choropleth(*shade_ratings(board, indicator)), board.rule)
    view = MapView(
        place=query.store.partnership.place,
        layer=layer_url(query.store.web / f"{board.level}.json"),
        areas=shaded.areas,
        legend=shaded.legend,
        selected=code or None,
    )
    draw_map(view, key="rating-map", height=MAP_HEIGHT)
    show_sheet(take_area(lines, code) if code else lines, by="area")
    st.caption(escape_markdown(f"{describe_chance(lines)} {WITNESSES}"))


def show_trajectories(query: Query, board: Board) -> None:
    """The way to every target of one area, month by month."""
    lines = take_area(board.lines, choose_place(board))
    columns = st.columns(3)
    for place, label in enumerate(lines.index):
        line = lines.loc[[label]].iloc[0].to_dict()
        with columns[place % len(columns)]:
            st.markdown(f"**{read_letter(line)} · {escape_markdown(line['indicator'])}**")
            draw_trajectory(trace_line(board, label)).show()
    if len(board.withheld) and board.withheld[list(lines.index)].to_numpy().any():
        st.caption(
            "Dotted months: withheld, as the count is small or would give a small one away. Where there are any, the "
            "lines run straight between the figures of the board."
        )
    st.caption(
        "Counts added up from the start of the period. Full line: so far. Dashed orange: on course for the target, "
        "which is shared over the months as they usually share a year. Dotted grey: last year. Dotted dark with its "
        f"band: where the months so far point, and the range that should hold it four times in five. {CALIBRATION}"
    )


def show_area(query: Query, board: Board) -> None:
    """One area's own sheet."""
    code = choose_place(board)
    lines = take_area(board.lines, code)
    st.subheader(escape_markdown(board.names[code]), anchor=False)
    st.write(summarise_ratings(lines))
    show_sheet(lines, by="indicator")
    st.caption(escape_markdown(WITNESSES))


def show_funnel(query: Query, board: Board) -> None:
    """Areas beside each other: which differ by more than chance and the usual differences between areas."""
    indicator = choose_indicator(board)
    lines = board.lines.loc[indicator].drop(WHOLE, errors="ignore")
    lines = lines[~lines.index.str.contains(",")]
    hidden = lines["status"] == WITHHELD
    if hidden.any():
        st.caption(f"Left out, as withheld: {escape_markdown(join_words(lines.loc[hidden, 'area']))}.")
    lines = lines[~hidden]
    weights, per = list_weights(query, board.level), find_denominator(query, board, indicator)
    funnel = compare_areas(lines["actual"].astype(float), weights[per.key].reindex(lines.index), lines["area"])
    if funnel.areas.empty or not lines["months_seen"].max():
        st.write("No area has a count to compare.")
        return
    draw_funnel(funnel, per=per.name).show()
    st.caption(
        f"{escape_markdown(board.indicators[indicator])}, {board.span.first.words} to {board.as_at.words}. "
        "Inside the dashed lines are 95 % of areas, inside the full ones 99.8 %, if areas differ by chance and no more "
        f"than these areas usually do. Expected at the rate of all areas together by {per.name}, {per.year}. "
        "Of many areas those outside the dashed lines are named."
    )
    columns = {**FUNNEL_COLUMNS, "people": st.column_config.NumberColumn(per.name.capitalize(), format="localized")}
    st.dataframe(funnel.areas, hide_index=True, column_config=columns)


def find_denominator(query: Query, board: Board, indicator: str) -> Denominator:
    """What an indicator's crimes happen to, such as households; the partnership's first where they differ."""
    crimes = next(each.crimes for each in board.table.indicators if each.key == indicator)
    return query.denominator(Selection.default(query.store).change(crimes=crimes))


def take_area(lines: pd.DataFrame, code: str) -> pd.DataFrame:
    """The lines of one area, with those that it carries together with others."""
    return lines[[code in codes.split(",") for codes in lines.index.get_level_values("code")]]


with show_errors():
    opened = load_query()
begin_page(opened)
page = st.container()
show_licences(opened)
with page, show_errors():
    if opened.store.targets:
        follow_targets(opened)
    else:
        st.write("No targets are loaded. Name a file of them in partnership.toml (docs/target-file.md).")
settle_memory(opened.store.version)
