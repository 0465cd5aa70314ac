"""The map drawn as SVG: the page's fills, patterns and marks, the right shape, and a legend with nothing left out."""

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cspmap.briefing.map_drawing import draw_map, read_outlines
from cspmap.briefing.map_labels import Named, break_name, place_labels
from cspmap.briefing.screen import MapFigure
from cspmap.exports.pack_tables import tabulate_map
from cspmap.store import Store, open_store
from cspmap.views.map import SPECIAL_WORDS, AreaStyle, Legend, LegendClass, MapView, Picks, Picture, Place
from cspmap.views.palettes import OUTLINE, ordered_palette

SVG = "{http://www.w3.org/2000/svg}"
COLOURS = ordered_palette(3)
LEGEND = Legend(
    "Burglary per 1,000 households, year to March 2008",
    "Three classes with as many areas in each.",
    tuple(
        LegendClass(colour, label) for colour, label in zip(COLOURS, ("3 to 9", "10 to 14", "15 to 31"), strict=True)
    ),
)


@pytest.fixture(scope="module")
def store(example_store: Path) -> Store:
    return open_store(example_store)


def make_view(store: Store, **values: object) -> MapView:
    codes = store.codes("ward")
    areas = tuple(AreaStyle(code, place % 3) for place, code in enumerate(codes))
    return replace(MapView("Luton", "../layers/ward.json?v=1", areas, LEGEND), **values)  # type: ignore[arg-type]


def draw(view: MapView, store: Store, *, width: float = 700, height: float = 460, dark: bool = False) -> str:
    figure = MapFigure(view, "ward", "Burglary by ward, highest in Dallow.")
    return draw_map(figure, store, width=width, height=height, text_size=12, dark=dark)


def read_texts(svg: str) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def list_area_fills(svg: str) -> list[str]:
    return re.findall(r'fill="([^"]+)" fill-rule="evenodd"', svg)


def read_corners(svg: str) -> list[tuple[float, float]]:
    paths = re.findall(r'<path d="([^"]+)" fill="[^"]+" fill-rule', svg)
    return [(float(x), float(y)) for path in paths for x, y in re.findall(r"(-?[0-9.]+),(-?[0-9.]+)", path)]


def test_areas_have_the_colours_of_their_classes(store: Store) -> None:
    fills = list_area_fills(draw(make_view(store), store))
    assert len(fills) == len(store.codes("ward"))
    order = {code: place for place, code in enumerate(store.codes("ward"))}
    outlines = read_outlines(store.web / "ward.json")
    assert fills == [COLOURS[order[each.code] % 3] for each in outlines]


def test_the_legend_names_classes_and_only_what_occurs(store: Store) -> None:
    words = " ".join(read_texts(draw(make_view(store), store)))
    for text in (LEGEND.title, LEGEND.rule, *(each.label for each in LEGEND.classes)):
        assert text in words
    assert not any(words_ in words for words_ in SPECIAL_WORDS.values())
    assert re.search(r"[125]0* (k?m)\b", words)


def test_missing_zero_and_suppressed_look_different(store: Store) -> None:
    codes = store.codes("ward")
    areas = (AreaStyle(codes[0], "zero"), AreaStyle(codes[1], "suppressed"), AreaStyle(codes[2], 0))
    svg = draw(make_view(store, areas=areas), store)
    fills = list_area_fills(svg)
    assert len(set(fills)) == 4
    # Areas that the view does not name are missing, and hatched.
    assert sum(fill.endswith("-hatch)") for fill in fills) == len(codes) - 3
    words = read_texts(svg)
    assert {SPECIAL_WORDS["missing"], SPECIAL_WORDS["zero"], SPECIAL_WORDS["suppressed"]} <= set(words)


def test_the_shape_is_that_of_the_ground(store: Store) -> None:
    """Beside the national grid, in which a metre is a metre both ways."""
    west, south, east, north = store.read_layer("ward").total_bounds
    corners = read_corners(draw(make_view(store), store))
    across = max(x for x, _ in corners) - min(x for x, _ in corners)
    down = max(y for _, y in corners) - min(y for _, y in corners)
    # The grid is turned by a degree here, and outlines are simplified.
    assert across / down == pytest.approx((east - west) / (north - south), rel=0.03)


@pytest.mark.parametrize(("width", "height"), [(700, 460), (300, 600), (1400, 300), (200, 200)])
def test_all_lies_on_the_picture(store: Store, width: float, height: float) -> None:
    svg = draw(make_view(store), store, width=width, height=height)
    corners = read_corners(svg)
    assert 0 <= min(x for x, _ in corners) <= max(x for x, _ in corners) <= width
    assert 0 <= min(y for _, y in corners) <= max(y for _, y in corners) <= height
    assert " ".join(read_texts(svg)).count(LEGEND.rule.split()[-1]) == 1


def test_marks_stand_on_areas_even_where_names_do_not_fit(store: Store) -> None:
    areas = tuple(AreaStyle(code, 0, mark="R") for code in store.codes("ward"))
    named = read_texts(draw(make_view(store, areas=areas), store))
    plain = read_texts(draw(make_view(store, areas=areas, labels=False), store))
    assert named.count("R") == plain.count("R") == len(areas)
    assert "Dallow" in named
    assert "Dallow" not in plain


def test_every_ward_has_its_name_or_a_number_with_a_key_where_there_is_room(store: Store) -> None:
    names = {each.name for each in read_outlines(store.web / "ward.json")}
    for width, height in ((510, 300), (430, 245), (700, 460)):
        listed = read_texts(draw(make_view(store), store, width=width, height=height))
        texts = " ".join(listed)
        numbers = [
            int(number) for number in re.findall(r"\b(\d+) (?=[A-Z])", " ".join(listed[listed.index("15 to 31") + 1 :]))
        ]
        assert numbers == list(range(1, len(numbers) + 1))
        # As they stand in the key, on the map as well.
        assert {str(number) for number in numbers} <= set(listed)
        assert [name for name in names if name not in texts and name.split()[0] not in texts] == []
    small = read_texts(draw(make_view(store), store, width=200, height=200))
    assert not [text for text in small if re.match(r"\d+ [A-Z]", text)]
    # Of what is left out, and beside places with numbers of their own, nothing is numbered.
    point = {"type": "Point", "coordinates": [-0.43, 51.9]}
    places = (Place("1", "Street", point, (-0.43, 51.9), mark="1"),)
    grey = tuple(AreaStyle(code, "left out") for code in store.codes("ward"))
    for view in (make_view(store, places=places), make_view(store, areas=grey)):
        assert not [
            text for text in read_texts(draw(view, store, width=430, height=245)) if re.match(r"\d+ [A-Z]", text)
        ]


def test_what_the_rule_withholds_is_named_apart_from_what_is_too_few_to_show(store: Store) -> None:
    codes = store.codes("ward")
    areas = tuple(AreaStyle(code, "suppressed" if place < 2 else 0) for place, code in enumerate(codes))
    for withheld, words in (
        ((), "too few to show"),
        (codes[:2], "withheld"),
        (codes[:1], "withheld, or too few to show"),
    ):
        figure = MapFigure(make_view(store, areas=areas), "ward", "Wards.", frozenset(withheld))
        texts = read_texts(draw_map(figure, store, width=700, height=460, text_size=12))
        assert words in " ".join(texts)
        assert len([text for text in texts if "withheld" in text or "too few" in text]) == 1
        (table,) = tabulate_map(figure, store)
        told = [row[1] for row in table.rows if row[1] in ("withheld", "too few to show")]
        assert sorted(told) == sorted(["withheld"] * len(withheld) + ["too few to show"] * (2 - len(withheld)))


def test_chosen_and_ticked_areas_have_lines_around_them(store: Store) -> None:
    codes = store.codes("ward")
    svg = draw(make_view(store, selected=codes[0], picks=Picks(tuple(codes[1:3]), (codes[4],))), store)
    assert svg.count('stroke="#801650"') == 2 + 1
    assert svg.count('stroke="#F46A25"') == 1 + 1
    assert {"chosen", "suggested"} <= set(read_texts(svg))


def test_places_have_outlines_points_and_plates(store: Store) -> None:
    ring = [[-0.42, 51.88], [-0.40, 51.88], [-0.40, 51.90], [-0.42, 51.88]]
    places = (
        Place("1", "Hotspot", {"type": "Polygon", "coordinates": [ring]}, (-0.41, 51.885), mark="1"),
        Place("2", "Street", {"type": "Point", "coordinates": [-0.43, 51.9]}, (-0.43, 51.9), mark="2"),
    )
    svg = draw(make_view(store, places=places), store)
    assert {"1", "2"} <= set(read_texts(svg))
    assert "<circle" in svg


def test_a_picture_is_carried_along_and_never_fetched(store: Store) -> None:
    bounds = (51.85, -0.5, 51.93, -0.35)
    kept = draw(make_view(store, picture=Picture("data:image/png;base64,AAAA", bounds)), store)
    assert "data:image/png;base64,AAAA" in kept
    fetched = draw(make_view(store, picture=Picture("https://example.org/a.png", bounds)), store)
    assert "example.org" not in fetched


def test_lines_of_another_level_are_drawn_over_the_areas(store: Store) -> None:
    svg = draw(make_view(store, lines="../layers/area.json?v=1"), store)
    names = {each.name for each in read_outlines(store.web / "area.json")}
    assert names & set(read_texts(svg))
    assert svg.count('stroke-opacity="0.65"') == len(read_outlines(store.web / "area.json"))


def test_hostile_texts_are_text_and_nothing_is_asked_for(store: Store) -> None:
    hostile = '"><script>alert(1)</script><image href="https://example.org/x"/>'
    legend = Legend(hostile, hostile, (LegendClass("#FFFFFF", hostile),) * 3)
    areas = tuple(AreaStyle(code, 0, mark="<b>") for code in store.codes("ward"))
    svg = draw(make_view(store, legend=legend, areas=areas, attribution=hostile), store)
    assert "<script" not in svg
    assert "<b>" not in svg
    assert {element.tag for element in ElementTree.fromstring(svg).iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "g", "defs", "pattern", "rect", "path", "circle", "text", "line")
    }
    assert not [
        url for url in re.findall(r"https?://[^\s\"'<&]+", re.sub("<text.*?</text>", "", svg)) if "w3.org" not in url
    ]


def test_dark_ground_has_light_words_and_the_same_areas(store: Store) -> None:
    light, dark = (draw(make_view(store), store, dark=dark) for dark in (False, True))
    assert list_area_fills(light) == list_area_fills(dark)
    assert "#F3F5F7" in dark
    assert "#F3F5F7" not in light


def test_two_pictures_on_one_page_do_not_share_patterns(store: Store) -> None:
    one = draw(make_view(store), store)
    other = draw(make_view(store, selected=store.codes("ward")[0]), store)
    ids = [set(re.findall(r'id="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0].isdisjoint(ids[1])


def test_long_names_break_at_the_space_nearest_the_middle() -> None:
    assert break_name("Bramingham Park East") == ["Bramingham", "Park East"]
    assert break_name("South") == ["South"]


BOX = st.tuples(st.floats(0, 400), st.floats(0, 300))


@settings(max_examples=60)
@given(
    st.lists(st.builds(Named, BOX, st.text(max_size=20), st.sampled_from(["", "R"]), st.floats(0, 200)), max_size=30)
)
def test_labels_do_not_overlap(named: list[Named]) -> None:
    drawn = place_labels(named, size=12, ink=OUTLINE, halo="#FFFFFF", within=(400, 300)).drawn
    spots = [re.findall(r'<text x="([0-9.-]+)" y="([0-9.-]+)" font-size="([0-9.]+)"', label) for label in drawn]
    places = [(float(x), float(y)) for label in spots for x, y, _ in label]
    # Lines of names are 14 apart, whichever area they belong to, unless they are beside each other.
    assert len(set(places)) == len(places)
    assert all(0 <= x <= 400 and 0 <= y <= 300 for x, y in places)
