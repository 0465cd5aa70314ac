"""The disclosure rule on hotspots: nothing that is shown of them tells a count that the partnership withholds."""

import csv
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.analysis.aoristic import week_hours
from cspmap.analysis.disclosure import round_counts
from cspmap.analysis.repeats import repeat_locations
from cspmap.cli import main
from cspmap.errors import SelectionError, UserError
from cspmap.exports.hotspot_files import tabulate_hotspots
from cspmap.exports.published import describe_rule, publish
from cspmap.hotspot_ground import BY_RULE, CellChoice, Ground, Recorded, lay_ground, read_points
from cspmap.hotspot_layers import LAYERS, HotspotChoice, HotspotLayer, LayerKey, make_layer, start_tally
from cspmap.hotspot_score import _is_safe, score_layer
from cspmap.partnership import Disclosure
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.store import Store, open_store
from cspmap.views.hotspot_frames import play_layer
from cspmap.views.hotspot_load import select
from cspmap.views.hotspot_map import draw_places
from cspmap.views.hotspot_panel import find_chosen
from cspmap.views.hotspot_picture import paint_density
from cspmap.views.hotspot_rule import fill_withheld, keep_hours, keep_repeats, list_safe
from cspmap.views.hotspot_shading import shade_cells
from cspmap.views.hotspot_words import LAYER_NAMES, describe_hold

ROOT = Path(__file__).resolve().parent.parent
YEAR = Span.parse("2006-04..2007-03")
ROBBERY = ("robbery",)
THRESHOLD, BASE = 5, 5
HIDDEN = [name for name in LAYERS if name != "clusters"]

Made = tuple[Ground, Recorded]


def keep(store: Path, **rule: Any) -> Query:
    opened = open_store(store)
    return Query(Store(opened.root, opened.version, replace(opened.partnership, disclosure=Disclosure(**rule))))


def lay(query: Query) -> Made:
    recorded = read_points(query)
    return lay_ground(query, recorded, BY_RULE), recorded


@pytest.fixture(scope="module")
def open_made(example_store: Path) -> Made:
    return lay(Query(open_store(example_store)))


@pytest.fixture(scope="module")
def hiding(example_store: Path) -> Made:
    return lay(keep(example_store, rule="suppress", threshold=THRESHOLD))


@pytest.fixture(scope="module")
def rounding(example_store: Path) -> Made:
    return lay(keep(example_store, rule="round", base=BASE))


def choose(made: Made, layer: LayerKey, crimes: tuple[str, ...] = ROBBERY, **values: Any) -> HotspotLayer:
    return make_layer(made[0], of(made, crimes), HotspotChoice(YEAR, crimes, layer, **values))


def of(made: Made, crimes: tuple[str, ...]) -> Recorded:
    return made[1].of(crimes) if crimes else made[1]


def read_numbers(words: str) -> list[float]:
    """The counts of incidents that a sentence names."""
    return [float(number.replace(",", "")) for number in re.findall(r"([\d,.]+) incidents?\b", words)]


# ---- counts by cell -------------------------------------------------------------------------------------------------


def test_without_a_rule_points_and_counts_are_as_recorded(open_made: Made) -> None:
    ground, recorded = open_made
    tally = start_tally(ground, recorded, HotspotChoice(YEAR))
    assert not tally.ruled
    assert tally.during(YEAR).equals(recorded.during(YEAR))
    counted = tally.count(YEAR)
    assert counted.shown is counted.taken is counted.judged
    assert (counted.shown == tally.read(YEAR)).all()
    assert not counted.withheld.any()
    layer = choose(open_made, "expected")
    assert "withheld" not in layer.frame
    assert layer.held == layer.places["count"].sum()


@pytest.mark.parametrize("crimes", [(), ROBBERY, ("domestic-burglary",)])
def test_small_cells_are_withheld_and_their_average_stands_for_them(hiding: Made, crimes: tuple[str, ...]) -> None:
    tally = start_tally(hiding[0], of(hiding, crimes), HotspotChoice(YEAR, crimes))
    true, counted = tally.read(YEAR), tally.count(YEAR)
    small = (true > 0) & (true < THRESHOLD)
    assert small.any()
    assert counted.withheld[small].all()
    assert np.isnan(counted.shown[counted.withheld]).all()
    assert (counted.shown[~counted.withheld] == true[~counted.withheld]).all()
    assert len(set(counted.taken[counted.withheld])) == 1
    assert counted.taken.sum() == pytest.approx(true.sum()) == counted.total
    x, y = hiding[0].middles
    assert (hiding[0].cells.find(x, y) == np.arange(len(true))).all()


def test_own_units_are_withheld_as_on_every_other_page(example_store: Path) -> None:
    query = keep(example_store, rule="suppress", threshold=40)
    recorded = read_points(query)
    choice = HotspotChoice(YEAR, ROBBERY, cells=CellChoice(level="ward"))
    ground = lay_ground(query, recorded, choice.cells)
    layer = make_layer(ground, recorded.of(ROBBERY), choice)
    areas = publish(query).count_areas(select(query, choice).change(level="ward")).set_index("code")
    assert layer.frame["withheld"].any()
    assert layer.frame["withheld"].tolist() == areas["withheld"][layer.frame["code"]].tolist()


def hide_and_swap(made: Made, crimes: tuple[str, ...], span: Span) -> Recorded:
    """The same incidents with those of each two withheld cells changed for each other: nothing published differs."""
    ground, recorded = made[0], of(made, crimes)
    tally = start_tally(ground, recorded, HotspotChoice(span, crimes))
    held = np.flatnonzero(tally.count(span).withheld)
    other = np.arange(len(ground.cells))
    other[held] = held[::-1]
    points = recorded.points.copy()
    x, y = (points[name].to_numpy(dtype=float) for name in ("easting", "northing"))
    inside = points["month"].between(str(span.first), str(span.last)).to_numpy()
    cell = ground.cells.find(x, y)
    moved = inside & (other[cell] != cell)
    east, north = ground.middles
    points.loc[moved, "easting"], points.loc[moved, "northing"] = east[other[cell[moved]]], north[other[cell[moved]]]
    return Recorded(points, recorded.months, recorded.snapped)


@pytest.mark.parametrize("crimes", [(), ROBBERY])
@pytest.mark.parametrize("name", [name for name in HIDDEN if name != "persistence"])
def test_what_is_shown_does_not_hang_on_what_is_withheld(hiding: Made, name: LayerKey, crimes: tuple[str, ...]) -> None:
    ground, swapped = hiding[0], hide_and_swap(hiding, crimes, YEAR)
    one = choose(hiding, name, crimes)
    other = make_layer(ground, swapped, HotspotChoice(YEAR, crimes, name))
    assert not of(hiding, crimes).points.equals(swapped.points)
    assert shade_cells(one) == shade_cells(other)
    assert draw_places(one) == draw_places(other)
    assert (one.words, one.cautions, describe_hold(one)) == (other.words, other.cautions, describe_hold(other))
    assert one.places.drop(columns="geometry").equals(other.places.drop(columns="geometry"))
    if name == "density":
        assert paint_density(one, of(hiding, crimes)) == paint_density(other, swapped)


@pytest.mark.parametrize("crimes", [(), ROBBERY])
@pytest.mark.parametrize("name", HIDDEN)
def test_no_small_count_is_in_hover_colour_or_file(hiding: Made, name: LayerKey, crimes: tuple[str, ...]) -> None:
    layer = choose(hiding, name, crimes)
    gone = layer.frame["withheld"].to_numpy()
    areas, legend = shade_cells(layer)
    assert gone.any()
    for area, hidden, count in zip(areas, gone, layer.frame["count"], strict=True):
        if hidden:
            assert area.fill == "suppressed"
            assert area.mark == ""
        if np.isnan(count):
            assert area.tooltip == ("count withheld",)
        assert not [number for number in read_numbers(" ".join(area.tooltip)) if 0 < number < THRESHOLD]
    assert "Counts from 1 to 4 are withheld" in legend.rule
    recorded = of(hiding, crimes)
    table = tabulate_hotspots(layer, score_layer(layer, recorded), name=name, crimes="x")
    assert (table["count"].dropna() >= THRESHOLD).all() or (table["count"].dropna() == 0).any()
    assert not table["count"].between(1, THRESHOLD - 1).any()
    assert table["withheld"].tolist() == table["count"].isna().tolist()
    assert table.loc[table["withheld"], ["share", "peak", "street"]].isna().all(axis=None)


def test_what_hotspots_are_found_from_is_said(hiding: Made, rounding: Made) -> None:
    for name in HIDDEN:
        hidden, rounded = (" ".join(choose(made, name).cautions) for made in (hiding, rounding))
        assert ("their average" in hidden) == (name != "change")
        assert ("no change is told" in hidden) == (name == "change")
        assert ("found from rounded counts" in rounded) == (name not in ("significance", "change"))


def test_a_place_shows_its_count_where_every_cell_does(hiding: Made) -> None:
    layer = choose(hiding, "density")
    true = start_tally(hiding[0], of(hiding, ROBBERY), layer.choice).read(YEAR)
    assert layer.place_of is not None
    for number, count in enumerate(layer.places["count"]):
        inside = layer.place_of == number
        hidden = layer.frame["withheld"][inside].any()
        assert np.isnan(count) if hidden else count == true[inside].sum()
    assert layer.places["count"].isna().any()
    assert np.isnan(layer.held)
    assert "is withheld." in describe_hold(layer)
    gone = layer.places[layer.places["count"].isna()].iloc[0]
    chosen = find_chosen(layer, gone["code"])
    assert chosen is not None
    assert np.isnan(chosen.count)
    assert np.isnan(chosen.share)


def test_steps_keep_the_rule_too(hiding: Made) -> None:
    layer, recorded = choose(hiding, "expected"), of(hiding, ROBBERY)
    played = play_layer(layer, recorded, months=6)
    assert "withheld" in played.legend.rule
    last = played.frames.fills[-1]
    tally = start_tally(hiding[0], recorded, layer.choice)
    gone = tally.count(Span.ending(YEAR.last, months=6)).withheld
    assert {last[number] for number in np.flatnonzero(gone)} == {"suppressed"}
    few = play_layer(layer, recorded.of([]), months=1).frames.fills[0]
    assert set(few) <= {"zero", "suppressed"}


def test_street_clusters_and_a_small_total_are_withheld_with_a_reason(hiding: Made) -> None:
    with pytest.raises(UserError, match=r"most of which have fewer than 5 incidents; choose another layer"):
        choose(hiding, "clusters")
    ground, recorded = hiding
    few = Recorded(recorded.during(YEAR).head(3), recorded.months, recorded.snapped)
    assert 0 < few.points["count"].sum() < THRESHOLD
    with pytest.raises(SelectionError, match=r"are withheld: there are fewer than 5 incidents"):
        make_layer(ground, few, HotspotChoice(YEAR))


# ---- the score ------------------------------------------------------------------------------------------------------


def test_a_score_is_exact_or_withheld(open_made: Made, hiding: Made) -> None:
    everything, few = choose(hiding, "expected", ()), choose(hiding, "expected")
    own = score_layer(everything, hiding[1]).own
    assert own is not None
    tally = start_tally(hiding[0], hiding[1], everything.choice)
    later = tally.read(own.test)
    assert own.hits == later[everything.frame["hot"]].sum()
    assert own.incidents == later.sum()
    assert np.isnan(own.pei)
    score = score_layer(few, of(hiding, ROBBERY))
    if score.own is None:
        assert score.withheld
        assert "is withheld: so few are recorded" in score.words


@given(st.lists(st.integers(0, 9), min_size=4, max_size=12), st.data())
def test_what_hot_cells_caught_leaves_every_withheld_count_open(counts: list[int], data: Any) -> None:
    true, size = np.array(counts, dtype=float), len(counts)
    hot = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    last = np.array(data.draw(st.lists(st.integers(0, 9), min_size=size, max_size=size)), dtype=float)
    gone = (true > 0) & (true < THRESHOLD)

    class Fake:
        ground = type("G", (), {"cells": type("C", (), {"area": np.ones(size)})})
        published = type("P", (), {"rule": Disclosure(rule="suppress", threshold=THRESHOLD)})

        def read(self, span: Span) -> Any:
            return true

        def count(self, span: Span) -> Any:
            return type("Counted", (), {"total": true.sum(), "withheld": gone})

    if not _is_safe(hot, last, Fake(), YEAR):  # type: ignore[arg-type]
        return
    # Last period's highest cells, whole and in part, as much as the hot ones cover.
    order = sorted(set(last.tolist()), reverse=True)
    left, weight = float(hot.sum()), np.zeros(size)
    for value in order:
        block = last == value
        weight[block] = min(1.0, left / block.sum())
        left -= min(left, float(block.sum()))
    for cell in np.flatnonzero(gone):
        same = gone & (hot == hot[cell]) & (weight == weight[cell])
        others = np.flatnonzero(same & (np.arange(size) != cell))
        assert others.size, "one incident can be moved to another withheld cell without any sum telling"
        assert true[same].sum() >= THRESHOLD


# ---- rounding -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crimes", [(), ROBBERY])
@pytest.mark.parametrize("name", LAYERS)
def test_rounded_counts_are_multiples_everywhere(rounding: Made, name: LayerKey, crimes: tuple[str, ...]) -> None:
    layer = choose(rounding, name, crimes)
    areas, legend = shade_cells(layer)
    assert (layer.frame["count"] % BASE == 0).all()
    assert (layer.places["count"] % BASE == 0).all()
    assert layer.total % BASE == layer.held % BASE == 0
    assert layer.places["rank"].tolist() == list(range(1, len(layer.places) + 1))
    assert layer.places["count"].is_monotonic_decreasing
    assert "rounded to the nearest 5" in legend.rule
    for area in areas:
        assert all(number % BASE == 0 for number in read_numbers(area.tooltip[0]))
        assert "z " not in " ".join(area.tooltip[1:]) or name != "significance"
    if name == "change":
        assert all(int(part) % BASE == 0 for area in areas for part in re.findall(r"\d+", area.tooltip[0]))
        assert layer.frame[["p", "q"]].isna().all(axis=None)
    if name == "significance":
        assert layer.places["peak"].isna().all()
        assert (layer.frame["around"] % BASE == 0).all()
    score = score_layer(layer, of(rounding, crimes)).shown
    assert score is not None
    assert score.hits % BASE == score.incidents % BASE == score.baseline_hits % BASE == 0
    table = tabulate_hotspots(layer, score_layer(layer, of(rounding, crimes)), name=name, crimes="x")
    assert set(table["rounded_to"]) <= {BASE}


def test_chance_is_judged_before_rounding(open_made: Made, rounding: Made) -> None:
    for name in ("significance", "change"):
        exact, rounded = (choose(made, name, ()) for made in (open_made, rounding))
        assert exact.frame["hot"].tolist() == rounded.frame["hot"].tolist()


def test_a_place_is_rounded_by_itself(open_made: Made, rounding: Made) -> None:
    exact, rounded = (choose(made, "clusters", ()) for made in (open_made, rounding))
    counts = dict(zip(exact.places["code"], exact.places["count"], strict=True))
    for code, count in zip(rounded.places["code"], rounded.places["count"], strict=True):
        assert count == round_counts([counts[code]], BASE)[0]


# ---- other tables ---------------------------------------------------------------------------------------------------


def test_streets_leave_no_small_rest_in_any_cell(hiding: Made) -> None:
    ground = hiding[0]
    layer = choose(hiding, "expected", ())
    query = ground.query
    streets = query.count_points(select(query, layer.choice), by=("location",))
    listed = list_safe(streets, layer, publish(query))
    assert listed.any()
    assert (streets["count"][listed] >= THRESHOLD).all()
    cell = ground.cells.find(streets["easting"].to_numpy(), streets["northing"].to_numpy())
    assert not layer.frame["withheld"].to_numpy()[cell[listed]].any()
    rest = np.bincount(cell[~listed], weights=streets["count"][~listed], minlength=len(ground.cells))
    for number in np.unique(cell[listed]):
        assert rest[number] == 0 or rest[number] >= THRESHOLD


def test_repeat_locations_keep_the_rule(hiding: Made, rounding: Made) -> None:
    for made in (hiding, rounding):
        ground = made[0]
        query, layer = ground.query, choose(made, "expected", ("domestic-burglary",))
        counts = query.count_points(select(query, layer.choice), by=("month", "location"))
        found = repeat_locations(counts, list(YEAR))
        kept = keep_repeats(found, counts, layer, publish(query))
        frame = kept.frame
        assert "months" not in frame
        parts = frame[["count", "count_earlier", "count_later"]]
        if made is hiding:
            assert len(frame) < len(found.frame)
            assert not ((parts > 0) & (parts < THRESHOLD)).any(axis=None)
            assert frame.loc[frame["count_earlier"].isna(), ["count_later", "p", "persists"]].isna().all(axis=None)
            assert frame["count_earlier"].isna().eq(frame["count_later"].isna()).all()
        else:
            assert (parts % BASE == 0).all(axis=None)
            assert frame["p"].isna().all()


@given(st.lists(st.tuples(st.integers(0, 167), st.integers(0, 3)), min_size=1, max_size=300))
def test_hours_of_few_are_withheld(times: list[tuple[int, int]]) -> None:
    start = pd.to_datetime("2024-01-01") + pd.to_timedelta([hour for hour, _ in times], unit="h")
    end = start + pd.to_timedelta([length for _, length in times], unit="h")
    hours = week_hours(pd.DataFrame({"occurred_from": start, "occurred_to": end}))

    class Hiding:
        hides, rounds, rule = True, False, Disclosure(rule="suppress", threshold=THRESHOLD)

        def protect(self, counts: Any) -> Any:
            from cspmap.analysis.disclosure import suppress

            return suppress(counts.astype(int), threshold=THRESHOLD)

        def let_out(self, counts: pd.Series, withheld: Any) -> pd.Series:
            return counts.mask(withheld)

    kept = keep_hours(hours, Hiding())  # type: ignore[arg-type]
    if isinstance(kept, str):
        assert "Withheld" in kept
        return
    shown = kept.frame["weight"].dropna()
    assert ((shown < 1e-9) | (shown >= THRESHOLD)).all()


@given(st.lists(st.integers(0, 40), min_size=1, max_size=12), st.data())
def test_the_average_stands_for_what_is_withheld(counts: list[int], data: Any) -> None:
    gone = np.array(data.draw(st.lists(st.booleans(), min_size=len(counts), max_size=len(counts))))
    shown = pd.Series(pd.array(counts, dtype="Int64")).mask(gone)
    filled = fill_withheld(shown, sum(counts))
    assert filled.sum() == pytest.approx(sum(counts))
    assert filled[~gone].tolist() == [float(count) for count, hidden in zip(counts, gone, strict=True) if not hidden]


# ---- the page and the command ---------------------------------------------------------------------------------------

OpenPage = Callable[..., AppTest]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The bundled example under either rule."""
    built = {}
    for rule in ("suppress", "round"):
        folder = tmp_path_factory.mktemp(rule)
        for name in ("data", "geo"):
            shutil.copytree(ROOT / name, folder / name)
        file = folder / "data" / "partnership.toml"
        file.write_text(f'{file.read_text("utf-8")}\n[disclosure]\nrule = "{rule}"\n', "utf-8")
        done = CliRunner().invoke(main, ["build", str(file), "--store", str(folder / "store")])
        assert done.exit_code == 0, done.output
        built[rule] = folder / "store"
    return built


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> OpenPage:
    def run(store: Path, **query: str | list[str]) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        page = AppTest.from_file(str(ROOT / "pages" / "hotspots.py"), default_timeout=120)
        for key, value in query.items():
            page.query_params[key] = value
        return page.run()

    return run


def read_words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.subheader, *page.error, *page.metric]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def read_charts(page: AppTest) -> list[pd.DataFrame]:
    """The data of every chart on the page."""
    charts = []
    for chart in page.get("vega_lite_chart"):
        data = chart.proto.data.data or chart.proto.datasets[0].data.data
        charts.append(pa.ipc.open_stream(data).read_all().to_pandas())
    return charts


def check_counts(page: AppTest, *, multiple: int | None) -> None:
    """Every count on the page is one that the rule lets out."""
    tables = [*(table.value for table in page.dataframe), *read_charts(page)]
    for table in tables:
        for name in [column for column in table if column in ("count", "weight", "count_earlier", "count_later")]:
            known = pd.to_numeric(table[name], errors="coerce").dropna()
            if multiple:
                assert (known % multiple == 0).all(), name
            else:
                assert not ((known > 1e-9) & (known < THRESHOLD)).any(), name
    # How many a cluster needs, and the average of those withheld, are nobody's counts.
    words = re.sub(r"at least \d+ incidents|had [\d.]+ incidents, their average", "", read_words(page))
    for number in read_numbers(words):
        if multiple:
            assert number % multiple == 0
        else:
            assert not 0 < number < THRESHOLD


PLACES = [{"tab": tab} for tab in ("Repeat locations", "Concentration", "Days and hours", "About these figures")]
PANELS = [{"about": tab} for tab in ("Crime types", "Streets", "Trend", "Areas")]


@pytest.mark.parametrize("rule", ["suppress", "round"])
@pytest.mark.parametrize("tab", [*PLACES, *PANELS], ids=lambda tab: next(iter(tab.values())))
def test_every_tab_keeps_the_rule(rule: str, tab: dict[str, str], open_page: OpenPage, stores: dict[str, Path]) -> None:
    query = Query(open_store(stores[rule]))
    if "about" not in tab:
        page = open_page(stores[rule], crime="Robbery", **tab)
        assert not page.exception
        check_counts(page, multiple=BASE if rule == "round" else None)
        if tab["tab"] == "About these figures":
            assert describe_rule(query.store.partnership.disclosure) in read_words(page)
            assert "as they are" not in read_words(page)
        return
    choice = HotspotChoice(Span.parse("2007-04..2008-03"), ROBBERY)
    recorded = read_points(query)
    layer = make_layer(lay_ground(query, recorded, BY_RULE), recorded.of(ROBBERY), choice)
    known = layer.places[layer.places["count"].notna()]["code"].iloc[0]
    hidden = layer.frame.loc[layer.frame["count"].isna(), "code"].tolist()[:1]
    for code in [known, *hidden]:
        page = open_page(stores[rule], crime="Robbery", at=code, tab="Days and hours", **tab)
        assert not page.exception
        check_counts(page, multiple=BASE if rule == "round" else None)
        if code in hidden:
            assert {metric.value for metric in page.metric[:2]} == {"withheld"}
            assert tab["about"] == "Areas" or "Withheld, as there are too few incidents." in read_words(page)


def test_own_areas_keep_the_rule_in_their_panel(open_page: OpenPage, stores: dict[str, Path]) -> None:
    query, code = Query(open_store(stores["suppress"])), "luton-dallow"
    for tab in PANELS[:3]:
        page = open_page(stores["suppress"], crime="Robbery", cells="Own wards", at=code, **tab)
        assert not page.exception
        check_counts(page, multiple=None)
    trend = open_page(stores["suppress"], crime="Robbery", cells="Own wards", at=code, about="Trend")
    (chart,) = [one for one in read_charts(trend) if "month" in one]
    span = Span.parse("2007-04..2008-03")
    own = publish(query).count_months(select(query, HotspotChoice(span, ROBBERY)).change(level="ward"), span, code=code)
    shown = chart.set_index("month")["withheld"][own["month"]]
    assert shown[own["withheld"].to_numpy()].all(), "what is withheld on Explore is withheld here"


@pytest.mark.parametrize("rule", ["suppress", "round"])
@pytest.mark.parametrize("name", LAYER_NAMES.values())
def test_every_layer_of_the_page_keeps_the_rule(
    rule: str, name: str, open_page: OpenPage, stores: dict[str, Path]
) -> None:
    page = open_page(stores[rule], crime="Robbery", layer=name)
    assert not page.exception
    check_counts(page, multiple=BASE if rule == "round" else None)
    if rule == "suppress" and name == "Street clusters":
        assert "Street clusters are withheld" in read_words(page)


@pytest.mark.parametrize("rule", ["suppress", "round"])
def test_the_command_keeps_the_rule(rule: str, stores: dict[str, Path]) -> None:
    told = ["--crime", "robbery", "--from", "2006-04", "--to", "2007-03"]
    done = CliRunner().invoke(main, ["hotspots", "--store", str(stores[rule]), *told])
    assert done.exit_code == 0, done.output
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    counts = [int(row["count"]) for row in rows if row["count"]]
    if rule == "round":
        assert all(count % BASE == 0 for count in counts)
    else:
        assert not [count for count in counts if 0 < count < THRESHOLD]
        assert [row["withheld"] == "True" for row in rows] == [row["count"] == "" for row in rows]
    assert describe_rule(open_store(stores[rule]).partnership.disclosure) in done.stderr
