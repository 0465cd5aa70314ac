"""Neighbours of a layer, from squares whose borders are known by sight."""

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import Polygon, box, union_all

from cspmap.analysis.contiguity import find_contiguity
from cspmap.errors import UserError


def layer(shapes: Mapping[str, Polygon], crs: int | None = 27700) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"code": list(shapes)}, geometry=list(shapes.values()), crs=crs)


# a b     a and c, b and c share borders; a and b too; d meets b at a corner; e lies alone.
# c c d
SHAPES = {
    "a": box(0, 100, 100, 200),
    "b": box(100, 100, 200, 200),
    "c": box(0, 0, 200, 100),
    "d": box(200, 0, 300, 100),
    "e": box(900, 900, 1000, 1000),
}


def test_neighbours_share_a_border() -> None:
    found = find_contiguity(layer(SHAPES))
    assert found.codes == ("a", "b", "c", "d", "e")
    assert found.neighbours == ((1, 2), (0, 2), (0, 1, 3), (2,), ())
    assert found.borders == ((100.0, 100.0), (100.0, 100.0), (100.0, 100.0, 100.0), (100.0,), ())
    assert found.outlines == (400.0, 400.0, 600.0, 400.0, 400.0)


def test_corners_count_where_asked_for() -> None:
    found = find_contiguity(layer(SHAPES), rule="corner")
    assert found.neighbours[1] == (0, 2, 3)
    assert found.borders[1] == (100.0, 100.0, 0.0)


def test_islands_and_parts() -> None:
    found = find_contiguity(layer(SHAPES))
    assert found.islands == ("e",)
    assert found.parts == (("a", "b", "c", "d"), ("e",))
    assert found.is_connected(["a", "c", "d"])
    assert not found.is_connected(["a", "d"])
    assert not found.is_connected([])


def test_outline_of_areas_together() -> None:
    found = find_contiguity(layer(SHAPES))
    assert found.measure_outline(["a", "b", "c"]) == 800
    assert found.measure_outline(["a", "e"]) == 800


def test_a_hole_is_part_of_the_outline() -> None:
    ring = {f"{x}{y}": box(x, y, x + 10, y + 10) for x in (0, 10, 20) for y in (0, 10, 20)}
    found = find_contiguity(layer(ring))
    assert found.measure_outline([code for code in ring if code != "1010"]) == 120 + 40


def test_borders_shorter_than_a_metre_are_corners() -> None:
    shapes = {"a": box(0, 0, 10, 10), "b": box(10, 9.5, 20, 20), "c": box(-10, 8.5, 0, 20)}
    assert find_contiguity(layer(shapes)).neighbours == ((2,), (), (0,))


def test_slivers_that_overlap_still_count_as_a_border() -> None:
    shapes = {"a": box(0, 0, 10, 10), "b": box(9.99, 0, 20, 10)}
    found = find_contiguity(layer(shapes))
    assert found.borders[0] == pytest.approx((10,), abs=0.05)


@pytest.mark.parametrize(("crs", "got"), [(None, "none"), (4326, "WGS 84")])
def test_other_coordinates_are_refused(crs: int | None, got: str) -> None:
    with pytest.raises(UserError, match=f"EPSG:27700\\), got {got}"):
        find_contiguity(layer(SHAPES, crs=crs))


@given(st.integers(1, 5), st.integers(1, 5), st.data())
def test_outlines_agree_with_the_united_shapes(width: int, height: int, data: st.DataObject) -> None:
    cells = {f"{x}-{y}": box(10 * x, 10 * y, 10 * x + 10, 10 * y + 10) for x in range(width) for y in range(height)}
    found = find_contiguity(layer(cells))
    for place, beside in enumerate(found.neighbours):
        assert place not in beside
        assert all(place in found.neighbours[other] for other in beside)
    chosen = data.draw(st.sets(st.sampled_from(sorted(cells)), min_size=1))
    united = union_all([cells[code] for code in chosen])
    assert found.measure_outline(chosen) == pytest.approx(united.length)
    # United squares that touch at corners only stay in several parts.
    assert found.is_connected(chosen) == (united.buffer(-0.01).geom_type == "Polygon")
    assert sum(len(part) for part in found.parts) == len(cells)
    assert np.isclose(sum(found.outlines), 40 * len(cells))
