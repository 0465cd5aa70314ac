"""The focus page without a browser: ticks, outlines, suggestions and saving, on the bundled example."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
import shapely
from shapely.geometry import mapping
from streamlit.testing.v1 import AppTest

from cspmap import workspace
from cspmap.analysis.focus import suggest
from cspmap.errors import UserError
from cspmap.exports.published import publish
from cspmap.focus_area import WHOLE, Aim, read_ground
from cspmap.operations import OPERATIONS_VARIABLE, Operations, Units
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.views import focus_save, focus_suggest
from cspmap.views.focus_load import list_targets
from cspmap.views.focus_map import format_weight, shade_units
from cspmap.views.focus_outline import read_drawing
from cspmap.views.focus_suggest import MOST_SEARCHES, Asked, Running
from cspmap.views.hand_over import FOCUS_OUTLINE
from cspmap.views.map import MapView, Picks, encode_view

ROOT = Path(__file__).resolve().parent.parent
LINK = {"level": "ward", "period": "2006-04..2007-03", "crime": "robbery"}
SPAN = Span.parse("2006-04..2007-03")
AIM = Aim(SPAN, ("robbery",))

OpenFocus = Callable[..., AppTest]


@pytest.fixture
def open_focus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example_store: Path) -> OpenFocus:
    """Runs the page on the example, with the parameters of a link; its operations are kept in a fresh database."""

    def run(store: Path = example_store, handed: Any = None, **query: str) -> AppTest:
        monkeypatch.setenv(workspace.STORE_VARIABLE, str(store))
        monkeypatch.setenv(OPERATIONS_VARIABLE, f"sqlite:///{tmp_path / 'operations.db'}")
        monkeypatch.setattr(focus_save, "OPERATIONS_PAGE", "pages/not-there.py")
        page = AppTest.from_file(str(ROOT / "pages" / "focus.py"), default_timeout=30)
        for key, value in query.items():
            page.query_params[key] = value
        if handed is not None:
            page.session_state[FOCUS_OUTLINE] = handed
        return page.run()

    return run


@pytest.fixture(scope="module")
def query(example_store: Path) -> Query:
    return Query(open_store(example_store))


def read_words(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.subheader, *page.error, *page.info, *page.success]
    return "\n".join(str(part.value) for part in parts).replace("\\", "")


def read_ticked(page: AppTest) -> list[str]:
    if "areas" not in page.query_params:
        return []
    told = page.query_params["areas"]
    return (told if isinstance(told, str) else told[0]).split(",")


def act(page: AppTest, **message: Any) -> AppTest:
    """Do something on the map, as the browser tells it."""
    page.session_state["focus-map"] = {**message, "nonce": f"{time.monotonic()}"}
    return page.run()


def find_button(page: AppTest, label: str) -> Any:
    return next(button for button in page.button if button.label == label)


def find_input(page: AppTest, label: str) -> Any:
    return next(one for one in page.number_input if one.label == label)


def find_text(page: AppTest, label: str) -> Any:
    return next(one for one in page.text_input if one.label == label)


def wait_for_answer(page: AppTest) -> AppTest:
    end = time.monotonic() + 30
    while "focus-job" in page.session_state:
        assert time.monotonic() < end, "no answer in time"
        time.sleep(0.1)
        page.run()
    return page


def test_the_page_opens_with_nothing_chosen(open_focus: OpenFocus) -> None:
    page = open_focus()
    assert not page.exception
    assert [heading.value for heading in page.subheader] == ["No hexagons chosen yet"]
    assert read_ticked(page) == []


def test_a_link_opens_its_area_with_the_figures_of_its_wards(open_focus: OpenFocus, query: Query) -> None:
    page = open_focus(**LINK, areas="luton-dallow,luton-south")
    assert not page.exception
    assert [heading.value for heading in page.subheader] == ["2 of 19 wards"]
    selection = Selection(SPAN, "ward", crimes=("robbery",))
    areas = query.count_areas(selection).set_index("code")
    counts = areas.loc[["luton-dallow", "luton-south"]]
    land = 100 * counts["hectares"].sum() / areas["hectares"].sum()
    metrics = {metric.label: str(metric.value) for metric in page.metric}
    assert metrics["Incidents"] == f"{counts['count'].sum():,}"
    assert metrics["km²"] == f"{counts['hectares'].sum() / 100:.2f}"
    share = 100 * counts["count"].sum() / query.count_coverage(selection).total
    assert f"Holds {share:.0f} % of robbery on {land:.0f} % of the land" in read_words(page)
    assert "In the year to March 2008, which it was not chosen by, it held " in read_words(page)
    assert {key: page.query_params[key] for key in LINK}.keys() == LINK.keys()
    assert read_ticked(page) == ["luton-dallow", "luton-south"]


def test_every_tab_of_the_panel_tells_something(open_focus: OpenFocus) -> None:
    page = open_focus(**LINK, areas="luton-dallow,luton-wigmore")
    told = {
        "Trend": "Robbery is ",
        "Place": "In several pieces; compactness ",
        "Targets": "for an area that it reaches into.",
    }
    for tab, words in told.items():
        page.session_state["focus-panel"] = tab
        page.run()
        assert not page.exception
        assert words in read_words(page), tab


def test_a_click_ticks_and_the_address_tells(open_focus: OpenFocus) -> None:
    page = open_focus(**LINK)
    act(page, picked=["luton-dallow"])
    assert read_ticked(page) == ["luton-dallow"]
    act(page, picked=["luton-south", "luton-dallow"])
    assert read_ticked(page) == ["luton-dallow", "luton-south"]
    assert [heading.value for heading in page.subheader] == ["2 of 19 wards"]
    # A click on the map of another level that comes late changes nothing.
    act(page, picked=["barnfield-01"])
    assert read_ticked(page) == ["luton-dallow", "luton-south"]
    find_button(page, "Untick all").click().run()
    assert read_ticked(page) == []


def test_each_level_keeps_its_ticks(open_focus: OpenFocus) -> None:
    page = open_focus(**LINK, areas="luton-dallow")
    page.selectbox[0].select("hexagon").run()
    assert read_ticked(page) == []
    page.selectbox[0].select("ward").run()
    assert read_ticked(page) == ["luton-dallow"]


def test_a_circle_drawn_ticks_what_lies_inside(open_focus: OpenFocus, query: Query) -> None:
    ground = read_ground(query, "ward")
    dallow = ground.units.set_index("code").to_crs(4326).geometry["luton-dallow"].centroid
    page = open_focus(**LINK)
    act(page, drawn={"type": "Circle", "centre": [dallow.x, dallow.y], "metres": 200})
    assert read_ticked(page) == ["luton-dallow"]
    assert "The drawing is smaller than what lies under it: Dallow" in read_words(page)
    # A message is told once.
    assert "smaller than what lies" not in read_words(page.run())
    act(page, drawn={"type": "Circle", "centre": [dallow.x, dallow.y], "metres": 50_000})
    assert len(read_ticked(page)) == 19
    assert "The drawing ticked 19" in read_words(page)


def test_a_drawn_circle_is_as_wide_as_asked() -> None:
    circle = read_drawing({"type": "Circle", "centre": [-0.42, 51.88], "metres": 1000})
    assert circle.area == pytest.approx(3.1416e6, rel=0.002)


@pytest.mark.parametrize(
    "drawn",
    [
        {"type": "Circle", "centre": [0.0], "metres": 5},
        {"type": "Circle", "centre": ["<b>", 1], "metres": 5},
        {"type": "Circle", "centre": [0.0, 51.0], "metres": -5},
        {"type": "Circle", "centre": [0.0, 51.0], "metres": float("inf")},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 1], [1, 0], [0, 0]]]},
        {"type": "Polygon", "coordinates": "none"},
        {},
    ],
)
def test_a_drawing_that_is_none_is_told(drawn: dict[str, Any]) -> None:
    with pytest.raises(UserError) as raised:
        read_drawing(drawn)
    assert str(raised.value).startswith("The drawing")


def test_an_outline_handed_over_takes_the_place_of_what_was_ticked(open_focus: OpenFocus, query: Query) -> None:
    ward = read_ground(query, "ward").units.to_crs(4326).set_index("code").geometry["luton-south"]
    handed = {"type": "Feature", "properties": {"name": "Hotspot 1"}, "geometry": mapping(ward)}
    page = open_focus(handed=handed, **LINK, areas="luton-wigmore")
    assert read_ticked(page) == ["luton-south"]
    assert "Hotspot 1 ticked South: the larger part lies inside." in read_words(page)
    assert FOCUS_OUTLINE not in page.session_state


def test_an_outline_is_pasted_and_its_faults_are_told(open_focus: OpenFocus, query: Query) -> None:
    units = read_ground(query, "ward").units.to_crs(4326).set_index("code").geometry
    page = open_focus(**LINK)
    page.text_area[0].input(json.dumps(mapping(shapely.union(units["luton-south"], units["luton-dallow"])))).run()
    find_button(page, "Tick the wards inside").click().run()
    assert read_ticked(page) == ["luton-dallow", "luton-south"]
    for text, fault in (
        ("{", "The text is not GeoJSON, as it cannot be read from line 1"),
        ('{"type": "Point", "coordinates": [0, 51]}', "The text has a Point for a geometry; draw a polygon."),
        (json.dumps(mapping(shapely.box(10, 51, 11, 52))), "The outline lies outside every area of this level"),
    ):
        page.text_area[0].input(text).run()
        find_button(page, "Tick the wards inside").click().run()
        assert not page.exception
        assert [error.value.replace("\\", "").startswith(fault) for error in page.error] == [True]
        assert read_ticked(page) == ["luton-dallow", "luton-south"]


def test_a_suggestion_is_the_best_and_is_ticked_when_taken(open_focus: OpenFocus, query: Query) -> None:
    page = open_focus(**LINK, areas="luton-wigmore")
    find_input(page, "At most").set_value(4)
    find_button(page, "Suggest an area").click().run()
    wait_for_answer(page)
    assert not page.exception
    ground = read_ground(query, "ward")
    weights = ground.weigh(Aim(SPAN, ("robbery",))).drop(WHOLE)
    best = suggest(ground.units, weights, 4, include=["luton-wigmore"], alternatives=2, contiguity=ground.contiguity)
    assert "Proven: no other area that keeps the rules is worth more." in read_words(page)
    assert len(page.radio[0].options) == len(best.areas)
    # Nothing is ticked before the viewer says so.
    assert read_ticked(page) == ["luton-wigmore"]
    find_button(page, "Tick this area").click().run()
    assert read_ticked(page) == sorted(best.areas[0].figures.codes)
    assert not page.radio
    # What was suggested need not be held by the next.
    assert [box.value for box in page.checkbox] == [False]


def test_an_answer_to_another_question_is_not_shown(open_focus: OpenFocus) -> None:
    page = open_focus(**LINK)
    find_button(page, "Suggest an area").click().run()
    wait_for_answer(page)
    assert page.radio
    page.multiselect[0].select("wounding").run()
    assert not page.radio
    page.multiselect[0].unselect("wounding").run()
    assert page.radio
    find_button(page, "Put away").click().run()
    assert not page.radio


def test_a_suggestion_that_cannot_be_is_told_why(open_focus: OpenFocus) -> None:
    page = open_focus(**LINK, areas="luton-dallow,luton-south,luton-farley")
    find_input(page, "At most").set_value(2)
    find_button(page, "Suggest an area").click().run()
    assert "The areas to include use more than the budget; raise it or drop one." in read_words(page)
    next(iter(page.checkbox)).uncheck()
    find_button(page, "Suggest an area").click().run()
    wait_for_answer(page)
    assert page.radio


def test_a_search_can_be_called_off(open_focus: OpenFocus) -> None:
    page = open_focus(period="2006-04..2007-03", crime="robbery")
    find_input(page, "At most").set_value(30)
    find_button(page, "Suggest an area").click().run()
    job = page.session_state["focus-job"].job
    find_button(page, "Cancel").click().run()
    assert job.done
    assert "focus-job" not in page.session_state
    assert not page.radio
    assert not page.error


class Search:
    """Stands for a search in another viewer's session."""

    def __init__(self) -> None:
        self.done = False

    def kill(self) -> None:
        self.done = True


@pytest.mark.parametrize(("done", "ago", "refused"), [(False, 0.0, True), (True, 0.0, False), (False, 60.0, False)])
def test_other_viewers_searches_leave_room_or_are_waited_for(
    open_focus: OpenFocus, monkeypatch: pytest.MonkeyPatch, done: bool, ago: float, refused: bool
) -> None:
    others = [Running(Asked("ward", AIM), cast(Any, Search()), time.monotonic() - ago) for _ in range(MOST_SEARCHES)]
    others[0].job.done = done  # type: ignore[misc]
    searches = list(others)
    monkeypatch.setattr(focus_suggest, "_list_searches", lambda: searches)
    page = open_focus(**LINK)
    find_button(page, "Suggest an area").click().run()
    assert ("Other viewers' searches keep this machine busy" in read_words(page)) is refused
    if not refused:
        wait_for_answer(page)
        assert page.radio
    # Whoever has gone is not worked for any longer.
    assert all(other.job.done for other in others) is (ago > 0)


def test_harm_weighs(open_focus: OpenFocus) -> None:
    page = open_focus(level="ward", period="2006-04..2007-03", crime="robbery,wounding", areas="luton-south")
    before = read_words(page)
    find_input(page, "Robbery").set_value(20.0).run()
    assert page.query_params["weights"] in ("robbery:20", ["robbery:20"])
    assert "of robbery and wounding (weighted) on" in read_words(page)
    assert "Weighted: Robbery 20; any other incident counts 1." in read_words(page)
    assert read_words(page) != before


def test_an_area_is_kept_as_an_operation(open_focus: OpenFocus, tmp_path: Path) -> None:
    page = open_focus(**LINK, areas="luton-dallow,luton-south")
    find_text(page, "Name of the operation").input("Octans *south*")
    find_button(page, "Save as an operation").click().run()
    assert "Who makes this change: is blank; fill it in." in read_words(page)
    find_text(page, "Your name").input("Sgt Ames")
    find_button(page, "Save as an operation").click().run()
    assert not page.error
    assert "Octans *south* is saved." in read_words(page)
    (kept,) = Operations.open(f"sqlite:///{tmp_path / 'operations.db'}").list_operations()
    assert (kept.name, kept.chosen_on, kept.status) == ("Octans *south*", SPAN, "draft")
    assert kept.area == Units("ward", ("luton-dallow", "luton-south"))


def test_a_bad_link_is_told_in_a_sentence(open_focus: OpenFocus) -> None:
    page = open_focus(level="ward", areas="nowhere")
    assert not page.exception
    assert "The area asked for is 'nowhere', which is not held here" in read_words(page)


def test_missing_months_and_hostile_names_are_told_as_they_are(
    open_focus: OpenFocus, awkward_store: Path, awkward_place: str
) -> None:
    page = open_focus(awkward_store, level="ward", period="2005-04..2006-03", areas="luton-dallow")
    assert not page.exception
    assert "is not known: no month of the year to March 2006 is loaded." in read_words(page)
    assert {metric.label: metric.value for metric in page.metric}["Incidents"] == "not known"
    assert [part.value for part in (*page.markdown, *page.caption) if awkward_place in part.value] == []
    find_button(page, "Suggest an area").click().run()
    assert "There is nothing to capture" in read_words(page)


def test_the_map_is_told_what_is_ticked_and_suggested(query: Query) -> None:
    aim = Aim(SPAN, ("robbery", "wounding"), (("robbery", 2.5),))
    ground = read_ground(query, "ward")
    areas, legend = shade_units(
        ground, aim, publish(query), what="robbery and wounding (weighted)", avoid=["luton-south"]
    )
    held, counts = ground.weigh(aim), ground.count(SPAN)[["robbery", "wounding"]].sum(axis=1)
    south = next(area for area in areas if area.code == "luton-south")
    assert south.mark == "✕"
    assert south.tooltip[0] == f"{counts['luton-south']:.0f} incidents"
    assert south.tooltip[1] == f"weighted {format_weight(held['luton-south'])}"
    assert legend.title == "Robbery and wounding (weighted), year to March 2007"
    # Every ward's value lies in the class that its colour says.
    for area in areas:
        assert isinstance(area.fill, int)
        ends = [float(end.replace(",", "")) for end in legend.classes[area.fill].label.split(" to ")]
        assert ends[0] - 0.05 <= held[area.code] <= ends[-1] + 0.05
    view = MapView("Luton", "wards.json", areas, legend, picks=Picks(("luton-south",), ("luton-dallow",), "1-2"))
    assert json.loads(encode_view(view))["picks"] == [["luton-south"], ["luton-dallow"], "1-2"]
    assert json.loads(encode_view(MapView("Luton", "wards.json", areas, legend)))["picks"] is None


def test_a_unit_of_nothing_and_one_of_nobody_knows_what_look_different(query: Query) -> None:
    ground = read_ground(query, "hexagon")
    areas, _ = shade_units(ground, Aim(SPAN, ("robbery",)), publish(query), what="robbery")
    counts = ground.count(SPAN)["robbery"]
    assert {area.code for area in areas if area.fill == "zero"} == {code for code in ground.codes if counts[code] == 0}
    gone, legend = shade_units(ground, Aim(Span.parse("2009-01"), ("robbery",)), publish(query), what="robbery")
    assert {area.fill for area in gone} == {"missing"}
    assert legend.classes == ()


def test_targets_touched_are_those_of_the_areas_reached_into(query: Query) -> None:
    ground = read_ground(query, "ward")
    # Luton's strategy makes its South of three wards, these two and Farley.
    touched = list_targets(query, ground, ["luton-south", "luton-dallow"], ["robbery"])
    hectares = query.store.areas.set_index(["layer", "code"])["hectares"]
    south = hectares["ward"].loc[["luton-south", "luton-dallow"]].sum() / hectares["area", "south"]
    own = touched[touched["table"] == "Luton targets 2005-08"]
    assert own["indicator"].tolist() == ["Robbery", "Total"]
    assert own["area"].tolist() == ["South", "South"]
    assert own["covered"].tolist() == pytest.approx([south] * 2, rel=1e-3)
    assert own["value"].tolist() == [195, 4499]
    assert list_targets(query, ground, ["luton-south"], []).empty
