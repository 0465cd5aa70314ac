"""Any operation that may be kept."""

from dataclasses import replace
from datetime import date

from hypothesis import strategies as st

from cspmap.operations import (
    Action,
    Area,
    CrimeGoal,
    Decision,
    MeetingEntry,
    Operation,
    Outline,
    SurveyGoal,
    SurveyResult,
    Units,
    find_problems,
    name_subject,
)
from cspmap.periods import Month, Span


def _texts(most: int) -> st.SearchStrategy[str]:
    # Any text, and often what databases, pages and spreadsheets stumble over.
    awkward = st.sampled_from(
        ["\x00", "'; DROP TABLE cspmap_records; --", "<b>", "=1+1", "{}", "%s", "?", "e\u0301", "👩‍👧"]
    )
    return st.lists(st.text(max_size=most // 4) | awkward, max_size=3).map("".join).map(lambda text: text[:most])


def _filled(most: int) -> st.SearchStrategy[str]:
    return _texts(most).filter(lambda text: bool(text.strip()))


_DATES = st.dates(date(1900, 1, 1), date(2200, 12, 31))
_PERCENTS = st.floats(0, 100)


def _between(least: float, most: float) -> st.SearchStrategy[list[float]]:
    return st.lists(st.floats(least, most), min_size=6, max_size=6, unique=True).map(sorted)


@st.composite
def outlines(draw: st.DrawFn) -> Outline:
    """A rectangle, perhaps with a hole, perhaps with another rectangle to the east of it."""

    def draw_ring(west: float, east: float, south: float, north: float) -> tuple[tuple[float, float], ...]:
        return ((west, south), (east, south), (east, north), (west, north), (west, south))

    x, y = draw(_between(-180, 180)), draw(_between(-90, 90))
    rings = [draw_ring(x[0], x[3], y[0], y[3])]
    if draw(st.booleans()):
        rings.append(draw_ring(x[1], x[2], y[1], y[2]))
    polygons = [tuple(rings)]
    if draw(st.booleans()):
        polygons.append((draw_ring(x[4], x[5], y[4], y[5]),))
    return Outline(tuple(polygons))


_CODES = st.lists(_filled(20), min_size=1, max_size=5, unique=True).map(tuple)
areas: st.SearchStrategy[Area] = st.builds(Units, level=_filled(20), codes=_CODES) | outlines()
_GOALS = st.builds(CrimeGoal, st.lists(_filled(20), max_size=3).map(tuple), st.floats(-100, 1000)) | st.builds(
    SurveyGoal, _filled(50), st.sampled_from(["at least", "at most"]), _PERCENTS
)
_ACTIONS = st.builds(
    Action,
    text=_filled(200),
    owner=_texts(50),
    due=st.none() | _DATES,
    status=st.sampled_from(["open", "done", "dropped"]),
    raised=st.none() | _DATES,
)
_DECISIONS = st.builds(Decision, _filled(200), _texts(200), st.none() | _DATES, _texts(50))
_SURVEYS = st.builds(
    SurveyResult, _filled(50), _PERCENTS, _DATES, st.none() | st.integers(1, 10_000_000), _texts(200), _texts(200)
)
_SPANS = st.tuples(st.integers(1900 * 12, 2200 * 12), st.integers(0, 11)).map(
    lambda pair: Span(Month.from_ordinal(pair[0]), Month.from_ordinal(pair[0] + pair[1]))
)


def _order_dates(operation: Operation) -> Operation:
    start, end = operation.start, operation.end
    return replace(operation, start=end, end=start) if start and end and end < start else operation


def _few(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=3).map(tuple)


any_operations: st.SearchStrategy[Operation] = (
    st.builds(
        Operation,
        name=_filled(200),
        aim=_texts(400),
        goals=_few(_GOALS),
        lead=_texts(200),
        status=st.sampled_from(["draft", "running", "ended", "judged", "cancelled"]),
        start=st.none() | _DATES,
        end=st.none() | _DATES,
        area=st.none() | areas,
        buffer_metres=st.none() | st.floats(1, 20_000),
        comparison_areas=_few(areas),
        chosen_on=st.none() | _SPANS,
        notes=_texts(2_000),
        actions=_few(_ACTIONS),
        decisions=_few(_DECISIONS),
        surveys=_few(_SURVEYS),
        id=st.uuids().map(lambda number: number.hex),
        version=st.integers(0, 1_000),
    )
    .map(_order_dates)
    .filter(lambda operation: not find_problems(operation))
)


_SAID = st.builds(
    MeetingEntry,
    subject=st.just(""),
    text=_filled(4_000).filter(lambda text: "\0" not in text),
    said=_DATES,
    kind=st.sampled_from(["action", "decision"]),
    about=_texts(200).map(lambda text: text.replace("\0", "")),
    owner=_texts(200).map(lambda text: text.replace("\0", "")),
    due=st.none() | _DATES,
    status=st.sampled_from(["open", "done", "dropped"]),
    who=_filled(200).filter(lambda text: "\0" not in text and bool(text.strip())),
    version=st.just(1),
)


@st.composite
def said_of(draw: st.DrawFn, operation: Operation) -> list[MeetingEntry]:
    """What meetings may have said of an operation."""
    return [replace(entry, subject=name_subject(operation.id)) for entry in draw(st.lists(_SAID, max_size=3))]
