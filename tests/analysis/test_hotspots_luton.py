"""Hotspots of real Luton: whole, equal to the peer library, and as good on later months as the documentation says."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cspmap.analysis.accuracy import measure_accuracy
from cspmap.analysis.hotspots import count_points, expected_count, gi_star, kernel_density, outline_hotspots
from cspmap.analysis.repeats import repeat_locations
from cspmap.build import build_store
from cspmap.periods import Span

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import hotspot_accuracy  # noqa: E402
from benchmarks.hotspot_accuracy import CRIMES, DEFAULT, PLAIN, Ground, Town, lay_ground, read_town  # noqa: E402

LAST_YEAR = Span.parse("2023-05..2024-04")


@pytest.fixture(scope="module")
def town(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Town:
    toml = ROOT / "docs" / "partnerships" / "luton.toml"
    return read_town(build_store(toml, data=shared_data, root=tmp_path_factory.mktemp("hotspots")).store)


@pytest.fixture(scope="module")
def ground(town: Town) -> Ground:
    return lay_ground(town)


def test_cells_are_the_town_and_hold_all_its_incidents(town: Town, ground: Ground) -> None:
    assert ground.cells.area.sum() / 10_000 == pytest.approx(4_335.9, abs=0.2)
    assert ground.cells.words == "hexagons of 250 m"
    assert len(town.incidents) == pytest.approx(65_663, abs=5)
    assert count_points(town.incidents, ground.cells).sum() == len(town.incidents)
    assert ground.residents.sum() == pytest.approx(226_973, rel=1e-3)


def test_density_holds_all_incidents_and_finds_the_town_centre(town: Town, ground: Ground) -> None:
    points = town.of((), LAST_YEAR)
    layer = kernel_density(points, ground.cells)
    assert (layer.frame["density"] * ground.cells.area).sum() == pytest.approx(len(points))
    x, y = (axis[layer.frame["score"].argmax()] for axis in ground.cells.centres)
    # Luton's town hall stands near 509200, 221300.
    assert np.hypot(x - 509_200, y - 221_300) < 500


def test_significance_is_that_of_the_peer_library(town: Town, ground: Ground) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from esda.getisord import G_Local
        from libpysal.weights import W

        counts = count_points(town.of(CRIMES["Burglary"], LAST_YEAR), ground.cells)
        lists = np.split(ground.neighbours.indices, ground.neighbours.starts[1:-1])
        weights = W({i: [int(j) for j in near if j != i] for i, near in enumerate(lists)}, silence_warnings=True)
        peer = G_Local(counts.to_numpy(), weights, transform="B", star=True, permutations=0)
    layer = gi_star(counts, ground.neighbours)
    assert layer.frame["z"].to_numpy() == pytest.approx(peer.Zs)
    assert 10 < layer.frame["hot"].sum() < 60
    assert not (layer.frame["hot"] & (layer.frame["p"] > 0.01)).any(), "the correction asks for more than p < 0.05"


def test_documented_scores_are_what_comes_out_and_the_default_is_the_best(town: Town, ground: Ground) -> None:
    page = hotspot_accuracy.OUT.read_text("utf-8")
    methods = {name: hotspot_accuracy.METHODS[name] for name in PLAIN}
    peis = {}
    for name, crimes in CRIMES.items():
        table = hotspot_accuracy.summarise(hotspot_accuracy.score_crime(town, ground, crimes, methods))
        peis[name] = table["pei"]
        section = page.split(f"## {name} (")[1].split("##")[0].splitlines()
        for line in hotspot_accuracy._write_table(table)[2:]:
            assert line in section
    assert pd.DataFrame(peis).mean(axis=1).idxmax() == DEFAULT
    assert f"**Best: {DEFAULT}.** It is the product's default" in page


def test_rounds_never_test_what_they_were_trained_on(town: Town, ground: Ground) -> None:
    rounds = hotspot_accuracy.list_rounds()
    months = [month for one in rounds for month in one.test]
    assert len(months) == len(set(months)) == 24
    for one in rounds:
        assert one.test.first == one.train.last + 1
        counts = count_points(town.of((), one.test), ground.cells)
        score = count_points(town.of((), one.train), ground.cells)
        table = measure_accuracy({"counts": score}, counts, ground.cells.area, train=one.train, test=one.test)
        assert (table["pai"] > 3).all()
        assert table["pei"].between(0.6, 1).all()


def test_hotspots_of_burglary_are_a_few_places(town: Town, ground: Ground) -> None:
    points = town.of(CRIMES["Burglary"], LAST_YEAR)
    layer, counts = expected_count(points, ground.cells), count_points(points, ground.cells)
    places = outline_hotspots(layer.frame, counts, ground.cells, ground.neighbours)
    assert 1 <= len(places) <= 20
    assert places["hectares"].sum() <= 0.0201 * 4_336
    assert places["share"].sum() == pytest.approx(counts[layer.frame["hot"].to_numpy()].sum() / counts.sum())
    assert places["share"].sum() > 0.15


def test_repeat_locations_know_the_break_in_the_list(town: Town) -> None:
    """Hardly a point of the old list is on the new one, so a span across it says nothing of single streets."""
    counts = town.incidents.assign(count=1, location="place")
    months = list(Span(hotspot_accuracy.FIRST, hotspot_accuracy.LAST))
    whole = repeat_locations(counts, months)
    assert whole.flagged
    assert str(whole.earlier) == "2022-07..2023-05"
    old, new = counts[counts["month"] < "2022-07"], counts[counts["month"] >= "2022-07"]
    shared = old[["easting", "northing"]].drop_duplicates().merge(new[["easting", "northing"]].drop_duplicates())
    assert len(shared) < 0.1 * old[["easting", "northing"]].drop_duplicates().shape[0]
    year = repeat_locations(counts[counts["month"] >= "2023-05"], list(LAST_YEAR))
    assert not year.flagged
    assert year.frame["cumulative_share"].iloc[-1] > 0.12
    assert year.frame["persists"].mean() > 0.5
