"""What the page of operations is made from: the database, and counts that are worked out once and shared."""

from collections.abc import Sequence

import streamlit as st

from cspmap.errors import UserError
from cspmap.operation_results import GoalResult, OperationCounts, SheetChoice, judge_goals, read_counts
from cspmap.operation_shapes import draw_area, outline_shape
from cspmap.operations import Area, Operation, Operations, Outline, Units, find_url
from cspmap.query import Query


def open_operations(query: Query) -> Operations:
    """The database of a store's operations, looked over."""
    return Operations.open(find_url(query.store.root))


def load_counts(query: Query, operation: Operation) -> OperationCounts:
    """The counts of an operation; the same ones for as long as neither the store nor its places change."""
    places = Operation(
        "-",
        area=operation.area,
        buffer_metres=operation.buffer_metres,
        comparison_areas=operation.comparison_areas,
        id="0" * 32,
    )
    return _read(query, query.store.version, places)


@st.cache_resource(max_entries=32, show_spinner="Counting")
def _read(_query: Query, version: str, places: Operation) -> OperationCounts:
    return read_counts(_query, places)


def load_results(query: Query, operation: Operation, choice: SheetChoice) -> tuple[GoalResult, ...]:
    """What became of an operation's aims."""
    return _judge(query, query.store.version, operation, choice)


@st.cache_resource(max_entries=64, show_spinner="Judging")
def _judge(_query: Query, version: str, operation: Operation, choice: SheetChoice) -> tuple[GoalResult, ...]:
    return judge_goals(_query, load_counts(_query, operation), operation, choice)


def load_outline(query: Query, area: Area) -> Outline:
    """An area as an outline in longitude and latitude; raises UserError where the store does not hold it."""
    return _draw(query, query.store.version, area)


@st.cache_resource(max_entries=256, show_spinner=False)
def _draw(_query: Query, version: str, area: Area) -> Outline:
    return outline_shape(draw_area(_query, area))


def list_shapes(query: Query, operations: Sequence[Operation]) -> dict[str, Outline]:
    """Outlines of the operations that are made of units, by identifier; without those that the store does not hold."""
    shapes = {}
    for operation in operations:
        if isinstance(operation.area, Units):
            try:
                shapes[operation.id] = load_outline(query, operation.area)
            except UserError:
                continue
    return shapes
