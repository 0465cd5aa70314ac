"""The filters of a page: widgets in, Selection out, with the page's address always telling the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from cspmap.periods import Comparison, Month, Span
from cspmap.query import Query
from cspmap.selection import SCHEMES, Scheme, Selection, list_measures
from cspmap.store import Store
from cspmap.views.words import COMPARISONS, MEASURE_NAMES

SCHEME_NAMES: dict[Scheme, str] = {
    "quantile": "Equal numbers of areas",
    "fisher-jenks": "Natural breaks",
    "equal-interval": "Equal steps",
    "standard-deviation": "Distance from the average",
}

CHOSEN_SPAN = "chosen"
_NAMED: dict[str, Comparison] = {name: name for name in COMPARISONS}

_ADDRESS, _STARTS, _GENERATION, _WIDGETS = "address", "starts", "generation", "widgets"


@dataclass(frozen=True)
class MapSettings:
    """How a viewer likes the map; a matter of taste, so not part of the Selection or its link."""

    labels: bool
    tiles: bool


def is_first_look() -> bool:
    """Whether this viewer has been shown no selection yet; to be called before the address is taken."""
    return _ADDRESS not in st.session_state


def take_address(store: Store, *, acted: bool) -> None:
    """Have the widgets follow the page's address where the viewer has changed it, or comes back from another page.

    `acted` where the viewer did something on the map. Whoever moves a widget or acts while the browser has yet to hear
    of the address that the last run gave sends the one before along: then the address is left alone.

    Raises SelectionError where the store does not hold what the address asks for.
    """
    query = st.query_params.to_dict()
    left = st.session_state.get(_WIDGETS)
    # The state of widgets goes when a viewer turns to another page, so whoever comes back has none.
    back = "compare" not in st.session_state
    if back or (st.session_state.get(_ADDRESS) != query and not acted and _read_widgets() == left):
        st.session_state.update(_set_widgets(Selection.from_query(query, store), store))
        st.session_state[_ADDRESS] = query


def give_address(selection: Selection) -> None:
    """Make the page's address tell the selection, so that a copied link opens the same view."""
    query = selection.to_query()
    st.session_state[_WIDGETS] = _read_widgets()
    if st.session_state.get(_ADDRESS) != query:
        st.session_state[_ADDRESS] = query
        st.query_params.from_dict(query)


def _read_widgets() -> dict[str, Any]:
    own = {_ADDRESS, _STARTS, _GENERATION, _WIDGETS}
    return {str(key): value for key, value in st.session_state.items() if key not in own}


def link_to(selection: Selection, *, page: str = "") -> str:
    """The whole address that opens this selection on the page that is shown, or on another of the dashboard's."""
    shown = (st.context.url or "").partition("?")[0]
    shown = shown if shown.count("/") > 2 else f"{shown}/"
    address = f"{shown.rpartition('/')[0]}/{page}" if page else shown
    return f"{address}?{urlencode(selection.to_query(), safe=',:')}"


def _set_widgets(selection: Selection, store: Store) -> Mapping[str, Any]:
    loaded = Span(store.months[0], store.months[-1])
    own = isinstance(selection.comparison, Span)
    before = selection.before if selection.before.last in loaded else selection.span
    first, last = max(before.first, loaded.first), min(before.last, loaded.last)
    return {
        _STARTS: {
            "period": (str(selection.span.first), str(selection.span.last)),
            "compare_span": (str(first), str(max(first, last))),
            f"areas-{selection.level}": list(selection.areas),
            "scheme": selection.scheme,
            "classes": selection.classes,
            "edition": selection.edition,
        },
        _GENERATION: st.session_state.get(_GENERATION, 0) + 1,
        "compare": CHOSEN_SPAN if own else selection.comparison,
        "crimes": list(selection.crimes),
        "level": selection.level,
        "measure": selection.measure,
        f"chosen-{selection.level}": selection.chosen,
    }


def choose_area(code: str | None) -> None:
    """Open an area of the level that is shown, or leave it (None); to be called before the filters are drawn."""
    st.session_state[f"chosen-{st.session_state['level']}"] = code


def choose_months_and_crimes(query: Query, *, width: int = 296) -> tuple[Span, tuple[str, ...]]:
    """Draw a period, at first the latest year, and the crimes, which the address keeps by itself; return both.

    `width` is that of the list of crimes, in pixels.
    """
    store, crimes = query.store, query.store.partnership.crime_names
    months = [str(month) for month in Span(store.months[0], store.months[-1])]
    latest = months[-min(12, len(months)) :]
    first, last = st.select_slider(
        "Period",
        months,
        (latest[0], latest[-1]),
        format_func=name_month,
        key="months",
        bind="query-params",
        width=210,
    )
    kinds = st.multiselect(
        "Crime",
        list(crimes),
        format_func=crimes.__getitem__,
        key="crime",
        bind="query-params",
        placeholder="All",
        width=width,
    )
    return Span(Month.parse(first), Month.parse(last)), tuple(kinds)


def choose_selection(query: Query, *, bar: DeltaGenerator, finder: DeltaGenerator) -> tuple[Selection, MapSettings]:
    """Draw the filters in the container `bar`, the search for an area in `finder`, and return what they say."""
    store, partnership = query.store, query.store.partnership
    months = [str(month) for month in Span(store.months[0], store.months[-1])]
    levels = {layer.key: layer.name for layer in partnership.layers}
    crimes = partnership.crime_names
    measures = list_measures(store)
    with bar:
        span = _choose_span("Period", months, key="period")
        compare = st.selectbox(
            "Compared with",
            [*_NAMED, CHOSEN_SPAN],
            key="compare",
            format_func=lambda key: COMPARISONS[_NAMED[key]] if key in _NAMED else "Chosen months",
            width=152,
        )
        comparison = _NAMED.get(compare) or _choose_span("Chosen months", months, key="compare_span")
        kinds = st.multiselect(
            "Crime", list(crimes), key="crimes", format_func=crimes.__getitem__, placeholder="All", width=296
        )
        level = st.selectbox("Level", list(levels), key="level", format_func=levels.__getitem__, width=132)
        measure = st.selectbox("Measure", measures, key="measure", format_func=MEASURE_NAMES.__getitem__, width=184)
        areas = query.name_areas(level)
        with st.popover("More", icon=":material/tune:"):
            more = _choose_more(areas, level, [item.year for item in partnership.deprivation])
    chosen = finder.selectbox(
        "Find an area",
        list(areas),
        key=f"chosen-{level}",
        index=None,
        format_func=areas.__getitem__,
        placeholder="Find an area",
        label_visibility="collapsed",
        width=190,
    )
    selection = Selection(
        span=span,
        comparison=comparison,
        crimes=tuple(kinds),
        level=level,
        measure=measure,
        chosen=chosen,
        areas=more[0],
        scheme=more[1],
        classes=more[2],
        edition=more[3],
    )
    return selection, more[4]


def _start(name: str, otherwise: Any = None) -> tuple[str, Any]:
    """The key of a widget and the value it starts from; a new address gets a new widget.

    For widgets that the framework lets nobody set afterwards: a slider of two ends must be told so by its value, and
    what is behind a closed popover does not hear of it.
    """
    return f"{name}-{st.session_state[_GENERATION]}", st.session_state[_STARTS].get(name, otherwise)


def _choose_span(label: str, months: Sequence[str], *, key: str) -> Span:
    key, value = _start(key)
    first, last = st.select_slider(
        label,
        months,
        value=value,
        key=key,
        format_func=name_month,
        width=210,
    )
    return Span(Month.parse(first), Month.parse(last))


def _choose_more(
    areas: Mapping[str, str], level: str, editions: Sequence[int]
) -> tuple[tuple[str, ...], Scheme, int, int | None, MapSettings]:
    key, some = _start(f"areas-{level}", ())
    shown = st.multiselect(
        "Only these areas", list(areas), some, key=key, format_func=areas.__getitem__, placeholder="All"
    )
    key, scheme = _start("scheme")
    scheme = st.selectbox(
        "Classes made by", SCHEMES, SCHEMES.index(scheme), key=key, format_func=SCHEME_NAMES.__getitem__
    )
    key, classes = _start("classes")
    classes = st.slider("Number of classes", 2, 9, classes, key=key)
    key, edition = _start("edition")
    if editions:
        latest = sorted(editions, reverse=True)
        edition = st.selectbox("Indices of Deprivation", latest, latest.index(edition), key=key)
    labels = st.toggle("Names on the map", value=True, key="labels")
    tiles = st.toggle(
        "Street map behind",
        key="tiles",
        help="Fetched from openstreetmap.org, which learns which part of the map you look at.",
    )
    return tuple(shown), scheme, classes, edition, MapSettings(labels, tiles)


def name_month(month: str) -> str:
    """ "2024-04" as people write it."""
    return Month.parse(month).words
