"""Deprivation, Priorities, Perceptions and Compare under a rule on small counts, as they open on the example."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.build import build_store
from cspmap.exports.published import publish
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store

ROOT = Path(__file__).resolve().parent.parent
YEAR = Span.parse("2007-04..2008-03")
# Few robberies in any hexagon; many in the town.
FEW = {"level": "Hexagon", "crime": "Robbery"}

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="module", params=["suppress", "round"])
def ruled_store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled example under a disclosure rule."""
    folder = tmp_path_factory.mktemp(request.param)
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, folder / name)
    file = folder / "data" / "partnership.toml"
    rule = f'\n[disclosure]\nrule = "{request.param}"\n'
    file.write_text(file.read_text("utf-8") + rule, "utf-8")
    build_store(file, data=None, root=folder / "store")
    return folder / "store"


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OpenPage:
    """Runs a page on a store, with the parameters of a link and operations of its own."""
    monkeypatch.setenv("CSPMAP_OPERATIONS", f"sqlite:///{tmp_path / 'operations.db'}")

    def run(name: str, store: Path, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=120)
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception
        return page

    return run


def read_words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.subheader, *page.error]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def read_tables(page: AppTest) -> list[pd.DataFrame]:
    frames = [part.value for part in page.dataframe]
    return [frame if isinstance(frame, pd.DataFrame) else frame.data for frame in frames]


def select(query: Query, level: str = "hexagon", crimes: tuple[str, ...] = ("robbery",)) -> Selection:
    return Selection.default(query.store).change(span=YEAR, level=level, crimes=crimes)


@pytest.mark.parametrize("tab", ["Map", "Scatter", "By fifth", "Who it falls on", "More or less than usual"])
def test_deprivation_keeps_the_rule(ruled_store: Path, tab: str, open_page: OpenPage) -> None:
    page, query = open_page("deprivation", ruled_store, tab=tab, **FEW), Query(open_store(ruled_store))
    words, hides = read_words(page), publish(query).hides
    assert "Small counts are shown here as they are" not in words
    assert ("Counts from 1 to 4 are withheld" if hides else "Counts are rounded to the nearest 5") in words
    true = query.count_areas(select(query)).set_index("name")["count"]
    for table in read_tables(page):
        if not hides:
            assert (table["count"].dropna() % 5 == 0).all()
            continue
        assert not table["count"].dropna().between(1, 4).any()
        if "name" in table:
            hidden = table[table["hidden"] == "count"]
            assert set(true.index[true.between(1, 4)]) <= set(hidden["name"])
            assert hidden[["count", "rate", "expected", "ratio"]].isna().all().all()
            assert set(hidden["class"]) == set(hidden["worth"]) == {"Withheld"}
    if hides:
        few = set(true.index[true.between(1, 4)])
        # Of no area whose count is withheld is anything said, such as how it stands.
        assert not [name for name in few if re.search(rf"\b{re.escape(name)} saw ", words)]
        left_out = tab in ("Scatter", "More or less than usual")
        assert ("are left out: their counts are withheld" in words) == left_out


def test_an_area_that_is_withheld_says_so_when_it_is_opened(ruled_store: Path, open_page: OpenPage) -> None:
    query = Query(open_store(ruled_store))
    true = query.count_areas(select(query))
    code = str(true.loc[true["count"].between(1, 4), "code"].iloc[0])
    page = open_page("deprivation", ruled_store, **FEW)
    page.session_state["deprivation-map"] = {"area": code, "nonce": "1-2"}
    page.run()
    assert not page.exception
    if publish(query).hides:
        assert "its count is withheld by the partnership's rule on small counts" in read_words(page)
    else:
        assert f"{true.loc[true['code'] == code, 'name'].item()} saw" in read_words(page)


def test_priorities_keep_the_rule(ruled_store: Path, open_page: OpenPage) -> None:
    page, query = open_page("priorities", ruled_store), Query(open_store(ruled_store))
    words, table = read_words(page), read_tables(page)[0]
    if publish(query).hides:
        assert "Counts from 1 to 4 are withheld" in words
        assert not table["Incidents"].dropna().between(1, 4).any()
    else:
        assert "Counts are rounded to the nearest 5" in words
        assert (table["Incidents"] % 5 == 0).all()


def test_perceptions_keep_the_rule(ruled_store: Path, open_page: OpenPage) -> None:
    page = open_page("perceptions", ruled_store, tab="Beside recorded crime")
    query, words = Query(open_store(ruled_store)), read_words(page)
    told = [int(text.replace(",", "")) for text in re.findall(r"in the same months: ([\d,]+) incidents", words)]
    assert told
    if publish(query).hides:
        assert "Counts from 1 to 4 are withheld" in words
        assert min(told) >= 5
    else:
        assert all(count % 5 == 0 for count in told)


def test_own_areas_keep_the_rule(ruled_store: Path, open_page: OpenPage) -> None:
    page, query = open_page("compare", ruled_store, tab="Own areas", **FEW), Query(open_store(ruled_store))
    (table,) = read_tables(page)
    if publish(query).hides:
        hidden = table[table["hidden"].isin(["count", "both counts"])]
        assert len(hidden)
        assert hidden[["count", "rate", "low", "high", "rank", "percent"]].isna().all().all()
        assert not any(table[column].between(1, 4).any() for column in ("count", "before"))
    else:
        assert (table["count"] % 5 == 0).all()


@pytest.mark.parametrize(
    ("name", "link", "said"),
    [
        ("deprivation", {"tab": "Maps"}, "The tab asked for is 'Maps'"),
        ("deprivation", {"domain": "Wealth"}, "The domain asked for is 'Wealth'"),
        ("deprivation", {"edition": "2015"}, "The edition asked for is '2015'"),
        ("deprivation", {"crime": "Arson"}, "The crime type asked for is 'Arson'"),
        ("deprivation", {"shown": "Everything"}, "The class asked for is 'Everything'"),
        ("compare", {"offence": "Arson"}, "The offence asked for is 'Arson'"),
        ("compare", {"with": "Everybody"}, "The comparison asked for is 'Everybody'"),
        ("compare", {"tab": "Own areas", "level": "Borough"}, "The level asked for is 'Borough'"),
        ("priorities", {"tab": "Rank"}, "The tab asked for is 'Rank'"),
        ("perceptions", {"tab": "Beside recorded crime", "subject": "Litter"}, "The subject asked for is 'Litter'"),
    ],
)
def test_a_link_that_asks_for_what_is_not_held_is_told(
    name: str, link: dict[str, str], said: str, open_page: OpenPage, example_store: Path
) -> None:
    assert said in read_words(open_page(name, example_store, **link))
