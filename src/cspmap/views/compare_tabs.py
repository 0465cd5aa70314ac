"""The tabs of the comparison page."""

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from cspmap.exports.extract import write_csv
from cspmap.peers import (
    NO_TABLE,
    NOT_RECORDED_CRIME,
    Peers,
    compare_totals,
    find_loaded_year,
    list_offences,
    rate_loaded,
)
from cspmap.query import Query
from cspmap.views.compare_charts import draw_rates
from cspmap.views.compare_controls import PeerChoice, choose_areas, choose_peers
from cspmap.views.compare_files import tabulate_members, tabulate_offences, tabulate_ranked, tabulate_sources
from cspmap.views.compare_load import load_offences, load_peers, load_ranked
from cspmap.views.compare_tables import show_members, show_offences, show_ranked, show_totals
from cspmap.views.compare_words import (
    choose_digits,
    describe_beside,
    describe_source,
    describe_standing,
    describe_two_rates,
    describe_year_on_year,
    list_area_caveats,
    list_peer_caveats,
    list_reasons,
    list_source_caveats,
    name_among,
    summarise_places,
)
from cspmap.views.figures import load_figures
from cspmap.views.target_charts import compare_areas, draw_funnel
from cspmap.views.words import describe_missing, escape_markdown, format_rate, name_crimes

# More lines than these are no longer read one by one; the funnel then names what stands out.
MOST_LINES = 40


def take_peers(query: Query, *, every: bool = False) -> tuple[PeerChoice, Peers] | None:
    """What is chosen and the comparison; None, and what to do about it, where no recorded crime is loaded.

    `every` where every offence is shown whatever is chosen.
    """
    if not list_offences(query):
        st.info(escape_markdown(NO_TABLE), icon=":material/info:")
        return None
    choice = choose_peers(query, every=every)
    peers = load_peers(query, choice.offence, choice.among, choice.year)
    among = name_among(peers.among, query.store.partnership)
    what = "Every offence" if every else peers.offence.words
    heading = f"{what} in {query.store.partnership.place}, {peers.year.words}. {among}"
    st.markdown(f"**{escape_markdown(heading)}**")
    st.caption(escape_markdown(describe_source(peers, query.store.partnership)))
    return choice, peers


def show_group(query: Query) -> None:
    """Where the partnership stands in one offence, in words, as a chart and as a table."""
    taken = take_peers(query)
    if taken is None:
        return
    choice, peers = taken
    partnership = query.store.partnership
    st.write(escape_markdown(describe_standing(peers, partnership.place)))
    if choice.year == "latest":
        st.write(escape_markdown(describe_year_on_year(peers.line)))
    if peers.offence.total:
        asb = any(kind.key == NOT_RECORDED_CRIME for kind in partnership.crime_types)
        year = find_loaded_year(query, peers.year)
        told = describe_two_rates(rate_loaded(query, year), year.words, peers.offence.per, asb=asb)
        st.write(escape_markdown(told))
    chart = draw_rates(
        peers.members,
        title=f"Per 1,000 {peers.offence.per}",
        centre=(f"Mean {format_rate(peers.bounds.mean, digits=choose_digits(peers))}", peers.bounds.mean),
        own=str(peers.line["name"]),
        bounds=(peers.bounds.lower, peers.bounds.upper),
    )
    if len(chart.frame):
        chart.show()
        st.caption(
            "A dot is a rate, its line what chance alone leaves open. Shaded: within the bounds of the group. The "
            "diamond is the partnership."
        )
    show_members(peers)
    caveats = list_peer_caveats(peers, partnership)
    give_file(lambda: tabulate_members(peers, partnership), caveats, f"{peers.among}-{peers.year.last}")


def show_every_offence(query: Query) -> None:
    """The partnership's rate in every offence against the group's."""
    taken = take_peers(query, every=True)
    if taken is None:
        return
    choice, peers = taken
    offences = load_offences(query, choice.among, choice.year)
    st.write(f"{summarise_places(offences)} Some offences are part of others listed here.")
    show_offences(offences)
    partnership = query.store.partnership
    caveats = list_peer_caveats(peers, partnership)
    give_file(lambda: tabulate_offences(offences, peers, partnership), caveats, f"offences-{peers.year.last}")


def give_file(tabulate: Callable[[], pd.DataFrame], caveats: Sequence[str], name: str) -> None:
    """A comparison as a file, made when it is asked for, and everything that travels with it."""
    st.download_button(
        "CSV",
        lambda: write_csv(tabulate(), caveats),
        file_name=f"compared-{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )
    with st.expander("About these figures"):
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in caveats))


def show_funnel(query: Query) -> None:
    """The same partnerships by size: which differ by more than chance and the usual differences."""
    taken = take_peers(query)
    if taken is None:
        return
    _, peers = taken
    members = peers.members[peers.members["rate"].notna()]
    funnel = compare_areas(members["count"], members["people"], members["name"])
    if funnel.areas.empty:
        st.write("No partnership has a rate to compare.")
        return
    draw_funnel(funnel, per=peers.offence.per).show()
    st.caption(
        "Inside the dashed lines are 95 % of partnerships, inside the full ones 99.8 %, if they differ by chance and "
        "no more than these usually do. Expected at the rate of all together, so that large ones weigh more than in "
        "the mean."
    )


def show_sources(query: Query) -> None:
    """Recorded crime as published beside the incidents loaded for the same months, and why they differ."""
    found, partnership = compare_totals(query), query.store.partnership
    if not found:
        st.info(escape_markdown(NO_TABLE), icon=":material/info:")
        return
    police_uk = any(source.format == "police.uk" for source in partnership.incidents)
    st.markdown(f"**All recorded crime of {escape_markdown(partnership.place)}, by two sources**")
    for beside in found:
        st.write(escape_markdown(describe_beside(beside, partnership.place, police_uk=police_uk)))
    table = tabulate_sources(found, partnership)
    show_totals(table)
    st.markdown("**Why they differ**")
    whole = next((beside for beside in found if not beside.loaded.missing), None)
    reasons = list_reasons(whole, partnership, police_uk=police_uk)
    st.markdown("\n".join(f"- {escape_markdown(reason)}" for reason in reasons))
    caveats = list_source_caveats(found, partnership, police_uk=police_uk)
    give_file(lambda: table, caveats, f"sources-{found[0].span.last}")


def show_inside(query: Query) -> None:
    """The partnership's own areas beside each other over any months."""
    partnership = query.store.partnership
    selection = choose_areas(query)
    figures, areas = load_figures(query, selection), load_ranked(query, selection)
    layer, per = partnership.find_layer(selection.level), figures.per
    heading = f"{name_crimes(selection, partnership)} in {partnership.place}, {selection.span.words}"
    st.markdown(f"**{escape_markdown(f'{heading}: {layer.plural} beside each other')}**")
    missing = describe_missing(figures.now.missing, selection.span.words)
    if missing:
        st.markdown(f":orange-background[:material/warning: {escape_markdown(missing)}]")
    if NOT_RECORDED_CRIME in query.crime_types(selection):
        st.caption("With anti-social behaviour, which recorded crime on the other tabs leaves out.")
    rates = areas[areas["rate"].notna()]
    if rates.empty:
        st.write("No area has a rate to compare.")
        return
    if len(rates) <= MOST_LINES:
        withheld = int(areas["withheld"].sum())
        told = f"The {len(rates)} shown together" if withheld else "All together"
        whole = 1000 * rates["count"].astype(float).sum() / rates["denominator"].astype(float).sum()
        title = f"Per 1,000 {per.name}, {per.year}"
        draw_rates(rates, title=title, centre=(f"{told} {format_rate(whole)}", whole)).show()
        st.caption("A dot is a rate, its line what chance alone leaves open.")
    known = rates.set_index("code")
    funnel = compare_areas(known["count"].astype(float), known["denominator"].astype(float), known["name"])
    draw_funnel(funnel, per=per.name).show()
    st.caption(
        "Inside the dashed lines are 95 % of areas, inside the full ones 99.8 %, if areas differ by chance and no more "
        "than these usually do. Of many areas those outside the dashed lines are named."
    )
    show_ranked(areas, per=per.name)
    caveats = list_area_caveats(query, selection, figures)
    give_file(
        lambda: tabulate_ranked(areas, selection, partnership, figures),
        caveats,
        f"{selection.level}-{selection.span.first}-to-{selection.span.last}",
    )
