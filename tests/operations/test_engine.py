"""A store's tables on a real database server: the same answers as from the embedded engine."""

from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from cspmap.cli import main
from cspmap.engine import ENGINE_VARIABLE, EngineError, copy_tables, name_schema
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

from .conftest import PASSWORD, NewUrl, Server


def ask(query: Query) -> list[pd.DataFrame]:
    selection = Selection(Span.parse("2006-04..2007-03"), "ward", crimes=("robbery", "wounding"))
    return [
        query.count_areas(selection),
        query.count_months(selection, selection.span, code="luton-south"),
        query.count_types(selection, code="luton-dallow"),
        query.count_cells(selection, ["month", "crime_type"]),
        query.count_series("area", {"robbery": ["robbery"]}),
        query.list_locations(selection, code="luton-south"),
        query.count_points(selection, by=("month", "crime_type")),
        query.list_times(selection, code="luton-south").sort_values(
            ["occurred_from", "occurred_to"], ignore_index=True
        ),
    ]


def test_a_server_gives_the_same_answers(
    new_url: NewUrl, server: Server, example_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, store = new_url("postgresql"), open_store(example_store)
    ours = ask(Query(store))
    monkeypatch.setenv(ENGINE_VARIABLE, url)
    with pytest.raises(EngineError, match="does not hold version"):
        Query(store)
    said = CliRunner().invoke(main, ["load", "--store", str(example_store)])
    assert (said.exit_code, said.output) == (0, f"Version {store.version} is copied.\n")
    assert CliRunner().invoke(main, ["load", "--store", str(example_store)]).output.endswith("was there already.\n")
    for mine, theirs in zip(ours, ask(Query(store)), strict=True):
        pd.testing.assert_frame_equal(mine, theirs, check_dtype=False)
    # A copy that was broken off is no copy, and is made again.
    server.run(f'DROP TABLE "{name_schema(store.version)}".whole')
    with pytest.raises(EngineError, match="does not hold version"):
        Query(store)
    assert copy_tables(store, url)
    assert len(ask(Query(store))) == len(ours)


def test_a_server_that_does_not_answer_is_told_without_its_password(
    example_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ENGINE_VARIABLE, f"postgresql://postgres:{PASSWORD}@127.0.0.1:1/postgres")
    with pytest.raises(EngineError, match="does not answer") as caught:
        Query(open_store(example_store))
    assert PASSWORD not in str(caught.value)


def test_no_server_is_named(example_store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    said = CliRunner().invoke(main, ["load", "--store", str(example_store)])
    assert said.exit_code != 0
    assert "No server is named" in said.output
