"""A whole meeting by keyboard in a real browser at both projector sizes: nothing scrolls or overlaps, all is read."""

import re
import shutil
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from cspmap.operations import Action, CrimeGoal, MeetingEntry, Operation, Operations, Units, find_url

from .conftest import Server, ServeStore
from .test_explore_browser import wait_until

pytestmark = pytest.mark.browser

PROJECTORS = [(1280, 720, 16.0), (1920, 1080, 24.0)]
NOVEMBER = {"period": "2006-12..2007-11"}
TODAY = date.today()
LAST = TODAY - timedelta(days=28)
HOSTILE = "<img src=x onerror=alert(1)> & $co$"
LONG = "Write to all the traders of the arcade about lighting and shutters, and ask the college to do the same " * 3

# What on a screen holds something that could be too large for it.
BOXES = (
    ".meeting",
    ".screen",
    ".body",
    ".left",
    ".right",
    ".figures",
    ".sentences",
    ".said",
    ".table",
    ".picture",
    ".strip",
    ".foot",
)
# Of every box that is seen: how far its content is too large, each way.
FIND_SCROLLED = """
(boxes) => {
  const all = [];
  const walk = (node) => {
    if (node.shadowRoot) walk(node.shadowRoot);
    for (const child of node.children ?? []) { all.push(child); walk(child); }
  };
  walk(document.body);
  const faults = [];
  for (const one of all) {
    if (!boxes.some((box) => one.matches(box)) || !one.getClientRects().length) continue;
    const wide = one.scrollWidth - one.clientWidth, high = one.scrollHeight - one.clientHeight;
    if (wide > 1 || high > 1) faults.push(`${one.className} by ${wide}, ${high}`);
  }
  const page = document.documentElement;
  if (page.scrollHeight > page.clientHeight + 1 || page.scrollWidth > page.clientWidth + 1) faults.push('the page');
  return faults;
}
"""
# Blocks of a screen that lie over each other, or beyond the window.
FIND_OVERLAPS = """
(meeting) => {
  const names = ['.head .notice', '.head h1', '.head .as-at', '.head .subtitle', '.figures li', '.sentences li',
    '.said', '.picture', '.table', '.strip'];
  const blocks = names.flatMap((name) => [...meeting.querySelectorAll(name)].map((one) => {
    const box = one.getBoundingClientRect();
    return { name: `${name} ${one.textContent.slice(0, 20)}`, box };
  })).filter(({ box }) => box.width && box.height);
  const faults = [];
  for (const { name, box } of blocks) {
    if (box.left < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1) faults.push(`${name} is cut off`);
  }
  for (let one = 0; one < blocks.length; one += 1) {
    for (let other = one + 1; other < blocks.length; other += 1) {
      const a = blocks[one].box, b = blocks[other].box;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && high > 1) faults.push(`${blocks[one].name} over ${blocks[other].name}`);
    }
  }
  return faults;
}
"""
# The smallest text that is seen, in pixels of the screen, and what it says.
FIND_SMALLEST = """
(meeting) => {
  const texts = document.createTreeWalker(meeting, NodeFilter.SHOW_TEXT);
  let smallest = [Infinity, ''];
  while (texts.nextNode()) {
    const text = texts.currentNode, parent = text.parentElement;
    if (!text.textContent.trim() || parent.closest('.unseen, title, desc, style, option')) continue;
    if (!parent.getClientRects().length || getComputedStyle(parent).visibility === 'hidden') continue;
    const svg = parent.ownerSVGElement;
    const scale = svg ? svg.getScreenCTM().a : 1;
    const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
    if (size < smallest[0]) smallest = [size, text.textContent];
  }
  return smallest;
}
"""
FIND_UNNAMED = """
(meeting) => [...meeting.querySelectorAll('button, select, input, textarea, [role=img], [role=dialog], table')].filter(
  (one) => !(one.getAttribute('aria-label') || one.labels?.[0]?.textContent || one.textContent.trim())
).map((one) => one.outerHTML.slice(0, 80))
"""


@dataclass(frozen=True)
class Room:
    """A served store of its own, and the database beside it."""

    server: Server
    operations: Operations


@pytest.fixture(scope="module")
def room(serve_store: ServeStore, example_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The example with two operations, and with what was said four weeks ago."""
    store = tmp_path_factory.mktemp("meeting") / "store"
    shutil.copytree(example_store, store)
    kept = Operations.open(find_url(store))
    actions = tuple(Action(f"{LONG} {number}", "Council", TODAY + timedelta(days=number - 2)) for number in range(7))
    octans = Operation(
        "Octans",
        aim="Cut crime in the town centre, raise trust, reduce fear.",
        goals=(CrimeGoal(("robbery",), -20), CrimeGoal(("criminal-damage",), -10)),
        lead="Insp. Áine O'Brien",
        status="running",
        start=date(2007, 4, 1),
        area=Units("area", ("south",)),
        buffer_metres=300,
        actions=actions,
    )
    kept.save_operation(octans, who="Sgt Ames")
    kept.save_operation(Operation(f"{HOSTILE} {LONG}"[:200].strip()), who="Sgt Ames")
    for subject, about in (("partnership", "Luton at a glance"), ("area:south", "South"), ("hotspots", "Hotspots")):
        for text, kind in ((LONG, "action"), (HOSTILE, "decision"), ("Bring the figures", "action")):
            entry = MeetingEntry(subject, text, LAST, "action", about, "Council", TODAY - timedelta(days=1))
            kept.entries.save_entry(replace(entry, kind=kind), who="Sgt Ames")  # type: ignore[arg-type]
    return Room(serve_store(store), kept)


def open_meeting(page: Page, server: Server, **query: str) -> Locator:
    page.goto(f"{server.url}/meeting?{urlencode({**NOVEMBER, **query})}")
    meeting = page.locator(".meeting")
    expect(meeting.locator("h1")).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    return meeting


def read_address(page: Page) -> dict[str, str]:
    return {key: values[0] for key, values in parse_qs(urlsplit(page.url).query).items()}


def count_screens(meeting: Locator) -> int:
    return meeting.locator(".bar option").count()


def check_screen(page: Page, meeting: Locator, least: float) -> None:
    """Nothing scrolls, nothing lies over anything else, and the smallest text can be read at the back."""
    title = meeting.locator("h1").inner_text()
    scrolled: list[str] = page.evaluate(FIND_SCROLLED, list(BOXES))
    assert scrolled == [], title
    overlaps: list[str] = meeting.evaluate(FIND_OVERLAPS)
    assert overlaps == [], title
    size, text = meeting.evaluate(FIND_SMALLEST)
    assert size >= least - 0.01, f"{title}: {text!r} is {size:.1f} px"
    unnamed: list[str] = meeting.evaluate(FIND_UNNAMED)
    assert unnamed == [], title


def hide_bar(page: Page, meeting: Locator) -> None:
    if "with-bar" in (meeting.get_attribute("class") or ""):
        page.keyboard.press("b")
    expect(meeting).not_to_have_class(re.compile("with-bar"))


# ---- a whole meeting -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height", "least"), PROJECTORS)
def test_a_whole_meeting_by_keyboard(width: int, height: int, least: float, page: Page, room: Room) -> None:
    page.set_viewport_size({"width": width, "height": height})
    meeting = open_meeting(page, room.server)
    as_at = meeting.locator(".as-at").inner_text()
    assert re.fullmatch(r"as at \d\d:\d\d on \d+ [A-Z][a-z]+ \d{4}", as_at)
    number, seen = count_screens(meeting), []
    for place in range(number):
        hide_bar(page, meeting)
        expect(meeting.locator(".foot")).to_contain_text(f"{place + 1} of {number}")
        expect(meeting.locator(".as-at")).to_have_text(as_at)
        expect(meeting.locator(".notice")).to_be_visible()
        check_screen(page, meeting, least)
        seen.append(read_address(page)["screen"])
        behind = meeting.locator(".picture").count()
        for _ in range(behind):
            page.keyboard.press("t")
            expect(meeting.locator(".picture")).to_have_count(0)
            expect(meeting.get_by_role("table").first).to_be_visible()
            check_screen(page, meeting, least)
        if behind:
            page.keyboard.press("t")
            expect(meeting.locator(".picture")).to_have_count(behind)
        page.keyboard.press("b")
        check_screen(page, meeting, least)
        page.keyboard.press("ArrowRight")
    kinds = [key.partition(":")[0] for key in seen]
    assert list(dict.fromkeys(kinds)) == ["partnership", "area", "target", "hotspots", "operation", "decisions"]
    assert len(set(seen)) == number == len(seen)
    # Beyond the last there is nothing; back, home and numbers go where they say.
    expect(meeting.locator("h1")).to_have_text("Decisions and actions")
    page.keyboard.press("ArrowLeft")
    assert read_address(page)["screen"] == seen[-2]
    page.keyboard.press("Home")
    expect(meeting.locator("h1")).to_have_text("Luton at a glance")
    page.keyboard.press("4")
    assert read_address(page)["screen"] == seen[3]
    page.keyboard.press("1")
    page.keyboard.press("5")
    assert read_address(page)["screen"] == seen[14]
    page.keyboard.press("1")
    expect(meeting.locator("h1")).to_have_text("Luton at a glance")
    for digit in str(number + 1):
        page.keyboard.press(digit)
    expect(meeting.get_by_role("alert")).to_have_text(f"There is no screen {number + 1}; there are {number}.")
    page.keyboard.press("End")
    assert read_address(page)["screen"] == "decisions"


@pytest.mark.parametrize(("width", "height", "least"), PROJECTORS)
def test_the_same_in_the_dark(width: int, height: int, least: float, page: Page, room: Room) -> None:
    page.set_viewport_size({"width": width, "height": height})
    meeting = open_meeting(page, room.server, screen="area:south")
    light = meeting.locator(".picture svg").first.inner_html()
    page.keyboard.press("d")
    expect(meeting).to_have_class(re.compile("dark"))
    expect(meeting).to_have_css("background-color", "rgb(11, 16, 22)")
    picture = meeting.locator(".picture svg").first
    wait_until(page, picture.inner_html, lambda drawn: drawn != light)
    expect(meeting.locator("h1")).to_have_text("South")
    hide_bar(page, meeting)
    check_screen(page, meeting, least)
    assert read_address(page)["dark"] == "1"
    again = open_meeting(page, room.server, screen="area:south", dark="1")
    expect(again).to_have_class(re.compile("dark"))
    assert again.locator(".picture svg").first.inner_html() != light


# ---- panels ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height", "least"), PROJECTORS)
def test_what_opens_over_a_screen_fits_and_closes(
    width: int, height: int, least: float, page: Page, room: Room
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    meeting = open_meeting(page, room.server, screen="area:south")
    for key, title in (("i", "About these figures"), ("?", "Keys"), ("a", "Actions and decisions: South")):
        page.keyboard.press(key)
        panel = meeting.get_by_role("dialog", name=title)
        expect(panel).to_be_visible()
        assert panel.evaluate("one => one.scrollHeight - one.clientHeight") <= 1, title
        size, text = panel.evaluate(FIND_SMALLEST)
        assert size >= least, text
        assert meeting.evaluate(FIND_UNNAMED) == []
        page.keyboard.press("Escape")
        expect(panel).to_have_count(0)
    page.keyboard.press("i")
    about = meeting.get_by_role("dialog").inner_text()
    assert "Open Government Licence" in about
    assert "have no location" in about


def test_every_control_is_reached_by_keyboard(page: Page, room: Room) -> None:
    meeting = open_meeting(page, room.server)
    hide_bar(page, meeting)
    meeting.get_by_role("button", name="Back one screen").focus()
    expect(meeting).to_have_class(re.compile("with-bar"))
    names = []
    for _ in range(12):
        names.append(
            page.evaluate(
                """() => { let one = document.activeElement;
                while (one.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
                return one.getAttribute('aria-label'); }"""
            )
        )
        page.keyboard.press("Tab")
    assert names[:4] == ["Back one screen", "Next screen", "Home, the first screen", "Go to a screen"]
    assert len(set(names)) == 12
    meeting.get_by_role("combobox", name="Go to a screen").select_option("5")
    assert read_address(page)["screen"] == "area:west"
    meeting.get_by_role("button", name="Home, the first screen").click()
    expect(meeting.locator("h1")).to_have_text("Luton at a glance")


# ---- typed in --------------------------------------------------------------------------------------------------------


def test_what_is_typed_in_is_kept_and_comes_back(page: Page, room: Room) -> None:
    meeting = open_meeting(page, room.server, screen="area:west")
    expect(meeting.locator(".said")).to_contain_text("Last time we said: nothing about this")
    figures = meeting.locator(".figures").inner_text()
    page.keyboard.press("a")
    page.keyboard.type(f"Light the underpass {HOSTILE}")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Council")
    page.keyboard.press("Tab")
    meeting.get_by_label("By when").fill((TODAY + timedelta(days=20)).isoformat())
    meeting.get_by_label("Your name").fill("Sgt Ames")
    page.keyboard.press("Enter")
    expect(meeting.get_by_role("alert")).to_contain_text("Kept: Light the underpass")
    panel = meeting.get_by_role("dialog")
    expect(panel.locator(".entries li")).to_contain_text([f"Light the underpass {HOSTILE}"])
    expect(meeting.get_by_label("What was agreed")).to_have_value("")
    expect(meeting.get_by_label("Your name")).to_have_value("Sgt Ames")
    (kept,) = (entry for entry in room.operations.entries.list_entries() if entry.subject == "area:west")
    assert (kept.text, kept.owner, kept.who, kept.said) == (
        f"Light the underpass {HOSTILE}", "Council", "Sgt Ames", TODAY,
    )  # fmt: skip
    page.keyboard.press("Escape")
    expect(meeting.locator(".said")).to_contain_text("Today: 1 typed in")
    assert meeting.locator(".figures").inner_text() == figures
    page.keyboard.press("End")
    expect(meeting.get_by_role("table").get_by_text("Today").first).to_be_visible()
    hide_bar(page, meeting)
    check_screen(page, meeting, 16)
    # Next time, four weeks on.
    versions = room.operations.entries.list_versions(kept.id)
    room.operations.entries.save_entry(replace(versions[0], said=LAST), who="Clock")
    again = open_meeting(page, room.server, screen="area:west")
    expect(again.locator(".said")).to_contain_text("Last time we said (")
    expect(again.locator(".said")).to_contain_text("Action: Light the underpass")


def test_an_action_is_done_and_of_two_who_change_it_the_second_is_told(page: Page, room: Room) -> None:
    meeting = open_meeting(page, room.server, screen="hotspots")
    page.keyboard.press("a")
    meeting.get_by_label("Your name").fill("Sgt Ames")
    status = meeting.get_by_role("combobox", name="Status of Action: Bring the figures")
    shown = next(
        entry
        for entry in room.operations.entries.list_entries()
        if (entry.subject, entry.text) == ("hotspots", "Bring the figures")
    )
    theirs = room.operations.entries.save_entry(replace(shown, owner="PC Bell"), who="PC Bell")
    status.select_option("done")
    expect(meeting.get_by_role("alert")).to_contain_text("PC Bell changed 'Bring the figures' after it was shown here")
    expect(status).to_have_value("open")
    assert room.operations.entries.list_versions(shown.id)[0] == theirs
    status.select_option("done")
    expect(meeting.get_by_role("alert")).to_contain_text("Kept: Bring the figures")
    latest = room.operations.entries.list_versions(shown.id)[0]
    assert (latest.status, latest.owner, latest.who, latest.said) == ("done", "PC Bell", "Sgt Ames", LAST)


def test_what_cannot_be_kept_stays_in_the_form(page: Page, room: Room) -> None:
    meeting = open_meeting(page, room.server, screen="area:east")
    page.keyboard.press("a")
    page.keyboard.type("Patrol")
    meeting.get_by_label("Your name").fill(" ")
    meeting.get_by_role("button", name="Keep it").click()
    expect(meeting.get_by_role("alert")).to_contain_text("Type in your name first")
    expect(meeting.get_by_label("What was agreed")).to_have_value("Patrol")
    # Keys that switch screens are letters and spaces while something is typed in.
    meeting.get_by_label("What was agreed").press_sequentially(" 1 t")
    expect(meeting.get_by_label("What was agreed")).to_have_value(re.compile("1 t"))
    assert read_address(page)["screen"] == "area:east"


def test_what_is_typed_in_and_not_sent_outlasts_other_screens_and_a_reload(page: Page, room: Room) -> None:
    meeting = open_meeting(page, room.server, screen="area:north")
    page.keyboard.press("a")
    page.keyboard.type("Half a sentence")
    meeting.get_by_label("Kind").select_option("decision")
    meeting.get_by_label("Your name").fill("Sgt Ames")
    page.keyboard.press("Escape")
    expect(meeting.locator(".said")).to_contain_text("Something is typed in and not kept yet.")
    hide_bar(page, meeting)
    check_screen(page, meeting, 16)
    # Another subject has its own.
    page.keyboard.press("ArrowRight")
    expect(meeting.locator("h1")).to_have_text("South")
    page.keyboard.press("a")
    expect(meeting.get_by_label("What was agreed")).to_have_value("")
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    page.reload()
    meeting = page.locator(".meeting")
    expect(meeting.locator(".said")).to_contain_text("Something is typed in and not kept yet.", timeout=60_000)
    page.keyboard.press("a")
    expect(meeting.get_by_label("What was agreed")).to_have_value("Half a sentence")
    expect(meeting.get_by_label("Kind")).to_have_value("decision")
    expect(meeting.get_by_label("Your name")).to_have_value("Sgt Ames")
    meeting.get_by_role("button", name="Keep it").click()
    expect(meeting.get_by_role("alert")).to_contain_text("Kept: Half a sentence")
    expect(meeting.get_by_label("What was agreed")).to_have_value("")
    # It is kept once, and gone from the form.
    page.reload()
    expect(meeting.locator(".said")).to_contain_text("Today: 1 typed in", timeout=60_000)
    page.keyboard.press("a")
    expect(meeting.get_by_label("What was agreed")).to_have_value("")
    kept = [each for each in room.operations.entries.list_entries() if each.text == "Half a sentence"]
    assert [(each.subject, each.kind, each.who) for each in kept] == [("area:north", "decision", "Sgt Ames")]


def test_an_entry_is_removed_by_keyboard_and_the_record_keeps_it(page: Page, room: Room) -> None:
    entry = MeetingEntry("area:central", "Typed in by mistake", TODAY, about="Central")
    kept = room.operations.entries.save_entry(entry, who="Sgt Ames")
    meeting = open_meeting(page, room.server, screen="area:central")
    expect(meeting.locator(".said")).to_contain_text("Typed in by mistake")
    page.keyboard.press("a")
    meeting.get_by_label("Your name").fill("PC Bell")
    meeting.get_by_role("button", name="Remove Action: Typed in by mistake").focus()
    page.keyboard.press("Enter")
    sure = meeting.get_by_role("button", name="Yes, remove Action: Typed in by mistake")
    expect(sure).to_be_focused()
    expect(meeting.get_by_role("alert")).to_contain_text("Entered by mistake? Press again to remove it.")
    assert room.operations.entries.list_removed() == ()
    page.keyboard.press("Enter")
    expect(meeting.get_by_role("alert")).to_contain_text("Removed: Typed in by mistake")
    expect(meeting.locator(".entries .removed")).to_contain_text("removed by PC Bell at ")
    expect(sure).to_have_count(0)
    page.keyboard.press("Escape")
    expect(meeting.locator(".said")).to_contain_text("Today: nothing yet")
    (removal,) = room.operations.entries.list_removed()
    assert (removal.entry.id, removal.entry.who) == (kept.id, "PC Bell")
    assert len(room.operations.entries.list_versions(kept.id)) == 2


# ---- links, figures that stay, a wall --------------------------------------------------------------------------------


def test_a_link_opens_the_same_screen_with_the_same_figures(page: Page, room: Room) -> None:
    meeting = open_meeting(page, room.server, crime="robbery")
    expect(meeting.locator(".subtitle")).to_contain_text("Robbery")
    page.keyboard.press("3")
    title, as_at = meeting.locator("h1").inner_text(), meeting.locator(".as-at").inner_text()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    again = page.locator(".meeting")
    expect(again.locator("h1")).to_have_text(title)
    expect(again.locator(".subtitle")).to_contain_text("Robbery")
    expect(again.locator(".as-at")).to_have_text(as_at)
    asked = read_address(page)
    assert (asked["screen"], asked["crime"]) == ("area:east", "robbery")
    assert page.url == address


def test_new_figures_are_taken_only_when_asked_for(page: Page, room: Room) -> None:
    meeting = open_meeting(page, room.server, screen="area:north")
    token = read_address(page)["frozen"]
    meeting.get_by_role("button", name="Take new figures").click()
    panel = meeting.get_by_role("dialog", name="Take new figures?")
    panel.get_by_role("button", name="Take new figures").click()
    expect(meeting.get_by_role("alert")).to_contain_text("New figures, as at ", timeout=60_000)
    expect(meeting.locator("h1")).to_have_text("North")
    assert read_address(page)["frozen"] != token


def test_a_wall_moves_on_by_itself_and_space_holds_it(page: Page, room: Room) -> None:
    meeting = open_meeting(page, room.server, play="3")
    hide_bar(page, meeting)
    expect(meeting.locator(".foot")).to_contain_text("space stops it")
    expect(meeting.locator("h1")).to_have_text("Central")
    page.keyboard.press(" ")
    hide_bar(page, meeting)
    expect(meeting.locator(".foot")).to_contain_text("? for the keys")
    title = meeting.locator("h1").inner_text()
    page.wait_for_timeout(3600)
    expect(meeting.locator("h1")).to_have_text(title)
    expect(meeting.get_by_role("button", name="Play or pause")).to_have_attribute("aria-pressed", "false")


def test_full_screen_leaves_out_the_framework(page: Page, room: Room) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    meeting = open_meeting(page, room.server)
    page.keyboard.press("f")
    page.wait_for_function("document.fullscreenElement !== null")
    hide_bar(page, meeting)
    box: Any = meeting.bounding_box()
    assert (box["y"], box["width"]) == (0, page.evaluate("innerWidth"))
    check_screen(page, meeting, 16)


def test_on_a_phone_it_scrolls_downwards_only(page: Page, room: Room) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    meeting = open_meeting(page, room.server, screen="area:south")
    assert meeting.evaluate("one => one.scrollWidth - one.clientWidth") <= 1
    size, text = meeting.evaluate(FIND_SMALLEST)
    assert size >= 16, text
    meeting.get_by_role("button", name="Next screen").click()
    expect(meeting.locator("h1")).to_have_text("West")
    meeting.get_by_role("button", name="Actions and decisions").click()
    panel = meeting.get_by_role("dialog")
    assert panel.evaluate("one => one.scrollWidth - one.clientWidth") <= 1


def test_explore_hands_its_selection_over(page: Page, room: Room) -> None:
    page.goto(f"{room.server.url}/?{urlencode({**NOVEMBER, 'crime': 'robbery', 'level': 'ward'})}")
    expect(page.frame_locator("iframe").locator("path[data-code][aria-label]").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Link").click()
    # The bar at the top has a link of the same name, without the selection.
    address = page.get_by_test_id("stPopoverBody").get_by_role("link", name="Meeting").get_attribute("href")
    assert address
    page.goto(address)
    expect(page.locator(".meeting .subtitle")).to_contain_text(
        "Robbery, year to November 2007, compared with year to November 2006", timeout=60_000
    )
