"""The pages Focus area and Operations on a store whose partnership withholds small counts, or rounds them."""

import re
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.cli import main
from cspmap.operations import OPERATIONS_VARIABLE, CrimeGoal, Operation, Operations, Units
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

ROOT = Path(__file__).resolve().parent.parent
RULES = {"suppress": "threshold = 5", "round": "base = 5"}
SPAN = "2006-10..2006-12"
WIGMORE = Operation(
    "Wigmore",
    status="ended",
    area=Units("ward", ("luton-wigmore",)),
    start=date(2006, 10, 1),
    end=date(2006, 12, 31),
    goals=(CrimeGoal((), -10.0), CrimeGoal(("robbery",), -10.0)),
)

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="module")
def ruled_stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The bundled example under either rule."""
    folder = tmp_path_factory.mktemp("ruled")
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, folder / name)
    file, stores = folder / "data" / "partnership.toml", {}
    text = file.read_text("utf-8")
    for rule, told in RULES.items():
        file.write_text(f'{text}\n[disclosure]\nrule = "{rule}"\n{told}\n', "utf-8")
        done = CliRunner().invoke(main, ["build", str(file), "--store", str(folder / rule)])
        assert done.exit_code == 0, done.output
        stores[rule] = folder / rule
    return stores


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ruled_stores: dict[str, Path]) -> OpenPage:
    """Runs a page on a store under a rule, with the parameters of a link; one operation is kept."""
    url = f"sqlite:///{tmp_path / 'operations.db'}"
    Operations.open(url).save_operation(WIGMORE, who="Sgt Ames")

    def run(page: str, rule: str, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(ruled_stores[rule]))
        monkeypatch.setenv(OPERATIONS_VARIABLE, url)
        shown = AppTest.from_file(str(ROOT / "pages" / f"{page}.py"), default_timeout=120)
        for key, value in query.items():
            shown.query_params[key] = value
        return shown.run()

    return run


def read_words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.subheader, *page.error, *page.warning]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def count_robbery(store: Path, code: str) -> int:
    query = Query(open_store(store))
    areas = query.count_areas(Selection(Span.parse(SPAN), "ward", crimes=("robbery",))).set_index("code")
    return int(areas["count"][code])


def test_a_small_focus_area_is_withheld(open_page: OpenPage, ruled_stores: dict[str, Path]) -> None:
    assert 0 < count_robbery(ruled_stores["suppress"], "luton-wigmore") < 5
    page = open_page("focus", "suppress", level="ward", crime="robbery", period=SPAN, areas="luton-wigmore")
    assert not page.exception
    words = read_words(page)
    assert {metric.label: metric.value for metric in page.metric}["Incidents"] == "withheld"
    assert "What it holds of robbery is withheld" in words
    assert "Holds " not in words
    assert "for use inside the partnership" not in words
    assert "Counts from 1 to 4 are withheld by the partnership's rule" in words
    (types,) = (table.value for table in page.dataframe)
    assert types[["count", "share"]].isna().all(axis=None)
    assert set(types["withheld"]) <= {"count", "both counts"}


def test_a_large_focus_area_is_shown_and_without_its_small_types(open_page: OpenPage) -> None:
    page = open_page("focus", "suppress", level="ward", period=SPAN, areas="luton-wigmore")
    assert not page.exception
    assert {metric.label: metric.value for metric in page.metric}["Incidents"] != "withheld"
    (types,) = (table.value for table in page.dataframe)
    assert not types["count"].between(1, 4).any()
    assert types["count"].isna().sum() > 1


def test_a_focus_area_is_rounded(open_page: OpenPage) -> None:
    page = open_page("focus", "round", level="ward", crime="robbery", period=SPAN, areas="luton-wigmore,luton-dallow")
    assert not page.exception
    value = str({metric.label: metric.value for metric in page.metric}["Incidents"])
    assert int(value.replace(",", "")) % 5 == 0
    (types,) = (table.value for table in page.dataframe)
    assert (types[["count", "before"]].dropna() % 5 == 0).all(axis=None)
    assert "rounded to the nearest 5" in read_words(page)


def test_a_sheet_that_rests_on_few_gives_no_figure(open_page: OpenPage) -> None:
    page = open_page("operations", "suppress", operation=WIGMORE.id)
    assert not page.exception
    words = read_words(page)
    assert "Robbery: Withheld, as a count that this rests on is from 1 to 4" in words
    assert "Recorded incidents: " in words
    page.selectbox(key="operation-goal").select(1).run()
    assert not page.exception
    assert len(page.dataframe) == len(page.table) == 0


def test_a_sheet_is_rounded(open_page: OpenPage) -> None:
    page = open_page("operations", "round", operation=WIGMORE.id)
    assert not page.exception
    for goal in (0, 1):
        page.selectbox(key="operation-goal").select(goal).run()
        counts: pd.DataFrame = page.dataframe[0].value
        assert (counts[["Before", "After"]] % 5 == 0).all(axis=None)
        measures = page.table[0].value
        assert not measures["Estimate"].str.contains("p ").any()
    headline = next(part.value for part in page.markdown if part.value.startswith("##### "))
    assert all(int(number.replace(",", "")) % 5 == 0 for number in re.findall(r"\d[\d,]*", headline))
