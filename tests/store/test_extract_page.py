"""Explore and its files at the same link: the same numbers, and nothing of what the disclosure rule keeps back."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.build import build_store
from cspmap.exports.files import write_extract
from cspmap.exports.published import publish
from cspmap.exports.request import FORMATS, Request, name_extract
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.views.extract_choice import make_file, refuse

from .test_extract_files import READERS, same

ROOT = Path(__file__).resolve().parents[2]
LINKS = (
    {"level": "ward"},
    {"level": "hexagon", "crime": "robbery", "period": "2007-10..2008-03"},
    {"level": "area", "crime": "violence,robbery", "compare": "previous", "areas": "south,east"},
)
# Few robberies, so that counts are withheld; Barnfield's is one of them.
FEW = {"level": "ward", "crime": "robbery", "period": "2008-01..2008-03"}


def open_explore(monkeypatch: pytest.MonkeyPatch, store: Path, **link: str) -> AppTest:
    monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
    page = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=60)
    for key, value in link.items():
        page.query_params[key] = value
    return page.run()


@pytest.fixture(scope="module", params=["suppress", "round"])
def ruled_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled example under a disclosure rule."""
    folder = tmp_path_factory.mktemp(request.param)
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, folder / name)
    file = folder / "data" / "partnership.toml"
    file.write_text(f'{file.read_text("utf-8")}\n[disclosure]\nrule = "{request.param}"\n', "utf-8")
    build_store(file, data=None, root=folder / "store")
    return folder / "store"


def check_files(page: AppTest, store: Path, link: dict[str, str], folder: Path) -> None:
    """Every figure of the table on the page is that of the file, in every format."""
    query = Query(open_store(store))
    selection = Selection.from_query(link, query.store)
    table = page.dataframe[-1].value.set_index("name")
    for kind in FORMATS:
        request = Request(selection, "areas", (), kind)
        path = folder / name_extract(request)
        write_extract(query, request, path)
        rows = {row["name"]: row for row in READERS[kind](path)}
        assert set(rows) == set(table.index)
        for name, row in rows.items():
            for column in ("count", "before"):
                assert same(row[column], table.loc[name, column]), (name, column)
            rate = table.loc[name, "rate"]
            assert same(row["rate"], round(rate, 3) if rate == rate else None)


@pytest.mark.parametrize("link", LINKS)
def test_every_number_of_a_link_is_that_of_its_files(
    link: dict[str, str], example_store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = open_explore(monkeypatch, example_store, **link)
    assert not page.exception
    check_files(page, example_store, link, tmp_path)


def test_a_rule_holds_on_the_page_as_in_its_files(
    ruled_store: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = open_explore(monkeypatch, ruled_store, **FEW, area="luton-barnfield")
    assert not page.exception
    check_files(page, ruled_store, FEW, tmp_path)
    query = Query(open_store(ruled_store))
    table = page.dataframe[-1].value.set_index("name")
    metrics = {metric.label: metric.value for metric in page.metric}
    said = "\n".join(str(part.value) for part in (*page.markdown, *page.caption)).replace("\\", "")
    if publish(query).hides:
        assert metrics["Incidents"] == metrics["per 1,000 residents"] == metrics["of Luton's"] == "withheld"
        assert "a count is withheld" in said
        assert "Counts from 1 to 4 are withheld" in said
        assert table.loc["Barnfield", "hidden"] == "both counts"
        assert not table["count"].dropna().between(1, 4).any()
    else:
        assert int(metrics["Incidents"]) % 5 == 0
        assert "Counts are rounded to the nearest 5" in said
        assert (table["count"] % 5 == 0).all()


@pytest.mark.parametrize("tab", ["Crime types", "Streets"])
def test_tabs_of_the_panel_keep_the_rule(ruled_store: Path, tab: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(workspace.STORE_VARIABLE, str(ruled_store))
    page = AppTest.from_file(str(ROOT / "pages" / "explore.py"), default_timeout=60)
    for key, value in {**FEW, "crime": "violence", "area": "luton-dallow"}.items():
        page.query_params[key] = value
    page.session_state["panel"] = tab
    page.run()
    assert not page.exception
    said = "\n".join(str(part.value) for part in (*page.markdown, *page.caption))
    hides = publish(Query(open_store(ruled_store))).hides
    if tab == "Streets":
        counts = page.dataframe[0].value["count"]
        assert (counts >= 5).all() if hides else (counts % 5 == 0).all()
        assert ("fewer than 5 incidents are not listed" in said) == hides


def test_what_is_not_given_is_said_before_it_is_asked_for(ruled_store: Path, example_store: Path) -> None:
    query = Query(open_store(ruled_store))
    incidents = Request(Selection.default(query.store), "incidents", (), "parquet")
    assert "extract counts instead" in refuse(query, incidents)
    assert refuse(query, Request(Selection.default(query.store), "rates", (), "xlsx")) == ""
    free = Query(open_store(example_store))
    assert refuse(free, Request(Selection.default(free.store), "incidents", (), "parquet")) == ""
    content: Any = make_file(free, Request(Selection.default(free.store), "counts", ("month",), "xlsx"))
    assert content[:2] == b"PK"
