"""The disclosure rule in a meeting and its pack: every figure is read back, and none gives a withheld one away."""

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from openpyxl import load_workbook
from scipy.optimize import linprog

from cspmap.briefing.making import make_briefing
from cspmap.briefing.screen import Briefing, Screen, TrendFigure
from cspmap.cli import main
from cspmap.exports.pack import PackFormat, write_pack
from cspmap.exports.published import WITHHELD, describe_rule
from cspmap.operations import CrimeGoal, Operation, Operations, Units
from cspmap.periods import Month, Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.store import open_store
from cspmap.views.meeting_payload import encode_screens

pptx = pytest.importorskip("pptx", reason="python-pptx is not installed")

ROOT = Path(__file__).resolve().parent.parent
THRESHOLD, BASE = 10, 5
MOMENT = datetime(2026, 11, 21, 14, 5)
ASKED = {"crime": "robbery", "period": "2008-01..2008-03"}
# With neither the year of the targets nor the months that the operations are judged by.
CROSSING = {"crime": "robbery", "period": "2006-12..2007-11"}
BEGUN = Month(2007, 4)
PAIR = re.compile(r"\(([0-9,]+) to ([0-9,]+)\)")


def build(folder: Path, rule: str) -> Query:
    """The example under a disclosure rule, built: what is worked out is kept by a store's version."""
    for name in ("data", "geo"):
        shutil.copytree(ROOT / name, folder / name)
    file = folder / "data" / "partnership.toml"
    file.write_text(f"{file.read_text('utf-8')}\n[disclosure]\n{rule}\n", "utf-8")
    done = CliRunner().invoke(main, ["build", str(file), "--store", str(folder / "store")])
    assert done.exit_code == 0, done.output
    return Query(open_store(folder / "store"))


@pytest.fixture(scope="module")
def operations(tmp_path_factory: pytest.TempPathFactory) -> Operations:
    kept = Operations.open(f"sqlite:///{tmp_path_factory.mktemp('operations') / 'operations.db'}")
    for name, area in (("Octans", "south"), ("Lyra", "west")):
        operation = Operation(
            name,
            goals=(CrimeGoal(("robbery",), -20),),
            status="running",
            start=date(2007, 4, 1),
            area=Units("area", (area,)),
        )
        kept.save_operation(operation, who="Sgt Ames")
    return kept


@dataclass
class Read:
    """A briefing, and its slides as another program reads them."""

    query: Query
    briefing: Briefing
    selection: Selection
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    charts: dict[str, dict[str, list[Any]]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)
    alts: list[str] = field(default_factory=list)


def read_pack(query: Query, operations: Operations, asked: dict[str, str] = ASKED) -> Read:
    """All of the slides, by the title of their subject."""
    selection = Selection.from_query(asked, query.store)
    briefing = make_briefing(query, selection, operations=operations, as_at=MOMENT)
    found = Read(query, briefing, selection)
    for slide in pptx.Presentation(io.BytesIO(write_pack(briefing, query.store, "pptx"))).slides:
        title = slide.shapes.title.text_frame.text.removesuffix(" (continued)")
        for shape in slide.shapes:
            found.alts += shape._element.xpath(".//p:cNvPr/@descr")
            if shape.has_text_frame:
                found.texts.setdefault(title, []).append(shape.text_frame.text)
            if shape.has_table:
                rows = [[cell.text for cell in row.cells] for row in shape.table.rows]
                found.tables.setdefault(f"{title}: {shape.name}", []).extend(rows[1:])
            if shape.has_chart:
                book = load_workbook(io.BytesIO(shape.chart.part.chart_workbook.xlsx_part.blob))
                assert book.sheetnames == ["Sheet1"]
                columns = list(book["Sheet1"].iter_cols(values_only=True))
                found.charts[title] = {str(column[0] or "month"): list(column[1:]) for column in columns}
    return found


@pytest.fixture(scope="module")
def hiding(tmp_path_factory: pytest.TempPathFactory, operations: Operations) -> Read:
    query = build(tmp_path_factory.mktemp("hiding"), f'rule = "suppress"\nthreshold = {THRESHOLD}')
    return read_pack(query, operations)


@pytest.fixture(scope="module")
def rounding(tmp_path_factory: pytest.TempPathFactory, operations: Operations) -> Read:
    return read_pack(build(tmp_path_factory.mktemp("rounding"), f'rule = "round"\nbase = {BASE}'), operations)


# ---- withheld --------------------------------------------------------------------------------------------------------


class Attack:
    """What a reader knows: sums of counts by area and month, and by ward and period, none of them below zero."""

    def __init__(self, query: Query, selection: Selection) -> None:
        partnership = query.store.partnership
        self.spans = {"now": selection.span, "before": selection.before}
        self.months = list(Span(selection.span.last - 35, selection.span.last))
        self.areas = query.name_areas("area")
        wards = {name: code for code, name in query.name_areas("ward").items()}
        self.members = {
            area.code: [wards[name] for name in area.members] for area in partnership.areas if area.layer == "area"
        }
        series = query.count_series("area", {"robbery": ["robbery"]})["robbery"]
        by_ward = query.count_series("ward", {"robbery": ["robbery"]})["robbery"]
        self.truth: dict[tuple[str, str], float] = {}
        for month in self.months:
            for code in self.areas:
                self.truth[code, str(month)] = float(series.loc[str(month), code])
            located = sum(float(series.loc[str(month), code]) for code in self.areas)
            self.truth["nowhere", str(month)] = float(series.loc[str(month), ""]) - located
        for code in wards.values():
            for name, span in self.spans.items():
                self.truth[code, name] = float(by_ward.loc[[str(month) for month in span], code].sum())
        self.names = list(self.truth)
        self.rows: list[np.ndarray] = []
        self.sums: list[float] = []
        for code, members in self.members.items():
            for name, span in self.spans.items():
                self._add([(ward, name) for ward in members], [(code, str(month)) for month in span], 0.0)

    def _add(self, plus: list[tuple[str, str]], minus: list[tuple[str, str]], total: float) -> None:
        row = np.zeros(len(self.names))
        for sign, cells in ((1.0, plus), (-1.0, minus)):
            for cell in cells:
                row[self.names.index(cell)] += sign
        told = float(row @ np.array(list(self.truth.values())))
        assert told == pytest.approx(total), f"{plus[:2]} is {told}, not {total} as is shown"
        self.rows.append(row)
        self.sums.append(total)

    def learn(self, code: str, months: list[str], shown: object) -> None:
        """What is shown of an area ("": of all) over some months; words such as "withheld" tell nothing."""
        if shown is None or (isinstance(shown, str) and not shown.replace(",", "").isdecimal()):
            return
        codes = [*self.areas, "nowhere"] if code == "" else [code]
        self._add([(one, month) for one in codes for month in months], [], float(str(shown).replace(",", "")))

    def find_range(self, cells: list[tuple[str, str]]) -> tuple[float, float]:
        """The least and the most that the sum of some cells can be."""
        wanted = np.zeros(len(self.names))
        wanted[[self.names.index(cell) for cell in cells]] = 1
        ends = []
        for sign in (1, -1):
            done = linprog(sign * wanted, A_eq=np.array(self.rows), b_eq=self.sums, bounds=(0, None), method="highs")
            ends.append(sign * float(done.fun) if done.fun is not None else np.inf)
        return ends[0], ends[1]


def list_months(span: Span) -> list[str]:
    return [str(month) for month in span]


def learn_all(read: Read) -> Attack:
    attack = Attack(read.query, read.selection)
    now, before = (list_months(attack.spans[name]) for name in ("now", "before"))
    place = read.query.store.partnership.place
    wards = {name: code for code, name in read.query.name_areas("ward").items()}
    glance = f"{place} at a glance"
    for title, code in ((glance, ""), *((name, code) for code, name in attack.areas.items())):
        series, texts = read.charts[title], read.texts[title]
        for name, back in (("This month", 0), ("A year before", 12)):
            for when, value in zip(series["month"], series[name], strict=True):
                attack.learn(code, [str(Month(when.year, when.month) - back)], value)
        words = " ".join(texts)
        for pair in PAIR.findall(words):
            attack.learn(code, before, pair[0])
            attack.learn(code, now, pair[1])
        (tile,) = (text for text in texts if text.split("\n")[1:2] == ["incidents"])
        attack.learn(code, now, tile.split("\n")[0])
        for row in read.tables[f"{title}: By ward"]:
            for name, shown in (("now", row[1]), ("before", row[3])):
                if shown != WITHHELD:
                    attack._add([(wards[row[0]], name)], [], float(shown.replace(",", "")))
    without = re.findall(r"([0-9,]+) incidents \([^)]*\) have no location", " ".join(read.texts[glance]))
    attack.learn("nowhere", now, without[0])
    year = Span(BEGUN, read.selection.span.last)
    for row in read.tables["Robbery: The farthest behind first"]:
        codes = {place: "", **{name: code for code, name in attack.areas.items()}}
        attack.learn(codes[row[1]], list_months(year), row[2])
    for number in re.findall(r"\(([0-9,]+) a year before\)", " ".join(read.texts["Robbery"])):
        attack.learn("", list_months(year.shift(-12)), number)
    series, so_far = read.charts["Robbery"], []
    for when, value in zip(series["month"], series["So far"], strict=True):
        so_far.append(f"{when:%Y-%m}")
        attack.learn("", so_far, value)
    for title, code in (("Octans", "south"), ("Lyra", "west")):
        series = read.charts.get(title, {"month": []})
        for when, value in zip(series["month"], series.get("Recorded", []), strict=True):
            if (code, f"{when:%Y-%m}") in attack.truth:
                attack.learn(code, [f"{when:%Y-%m}"], value)
    return attack


@pytest.mark.parametrize("asked", [ASKED, CROSSING])
def test_what_is_withheld_cannot_be_worked_out_from_all_that_the_slides_hold(
    hiding: Read, operations: Operations, asked: dict[str, str]
) -> None:
    attack = learn_all(hiding if asked is ASKED else read_pack(hiding.query, operations, asked))
    small = [cell for cell, count in attack.truth.items() if 0 < count < THRESHOLD and cell[0] != "nowhere"]
    assert len(small) > 50
    # Enough is shown for an attack to be worth trying.
    assert len(attack.rows) > 100
    known = []
    for cell in small:
        low, high = attack.find_range([cell])
        if high - low < 0.5:
            known.append(cell)
    assert known == []


def list_screens(read: Read, *starts: str) -> Iterator[Screen]:
    return (screen for screen in read.briefing.screens if screen.key.startswith(starts))


def count_wards(read: Read) -> dict[str, int]:
    """The wards' counts as they are."""
    counts = read.query.count_areas(read.selection.change(level="ward"))
    return {str(name): int(count) for name, count in zip(counts["name"], counts["count"], strict=True)}


def test_no_small_count_is_shown_and_what_rests_on_one_is_withheld_with_it(hiding: Read) -> None:
    counts = count_wards(hiding)
    seen = 0
    for screen in list_screens(hiding, "partnership", "area:"):
        for row in hiding.tables[f"{screen.title}: By ward"]:
            small = 0 < counts[row[0]] < THRESHOLD
            assert not small or row[1] == WITHHELD
            assert (row[1] == WITHHELD) == (row[2] == WITHHELD)
            if WITHHELD in (row[1], row[3]):
                seen += 1
                assert row[4:] == [WITHHELD, WITHHELD.capitalize()]
        assert screen.map is not None
        for area in screen.map.view.areas:
            hidden = area.code in screen.map.withheld
            assert area.fill in ("suppressed", "left out") if hidden else area.fill != "suppressed"
            assert not hidden or area.tooltip == (f"count {WITHHELD}",)
        for name, values in hiding.charts[screen.title].items():
            assert name == "month" or all(value is None or value == 0 or value >= THRESHOLD for value in values)
    assert seen > 10
    behind = [row for name, rows in hiding.tables.items() if name.startswith("Behind the map") for row in rows]
    for row in behind:
        assert row[-1] != f"count {WITHHELD}" or row[-2] == WITHHELD
    west = next(screen for screen in hiding.briefing.screens if screen.key == "area:west")
    assert "cannot be compared with last year: a count is withheld." in west.sentences[0]


def test_alternative_texts_hold_no_figure(hiding: Read, rounding: Read) -> None:
    for read in (hiding, rounding):
        assert len(read.alts) > 20
        assert not [
            alt for alt in read.alts if re.search(r"\d", re.sub(r"\b(?:per 1,000|20\d\d(?:-\d\d)?)\b", "", alt))
        ]


def test_the_wall_shows_what_the_slides_do_and_says_what_is_dotted(hiding: Read) -> None:
    screens = {each["key"]: each for each in encode_screens(hiding.briefing, hiding.query.store, dark=False)}
    west = screens["area:west"]
    assert ">Dotted: withheld<" in west["chart"]
    assert ">Shaded: not known<" not in west["chart"]
    assert f">{WITHHELD}<" in west["map"]
    assert ">too few to show<" not in west["map"]
    assert "Counts from 1 to 9 are withheld" in re.sub(r"</text><text[^>]*>", " ", west["map"])
    months = west["tables"][1]["rows"]
    for line, row in enumerate(months):
        for place, name in enumerate(("This month", "A year before"), start=1):
            value = hiding.charts["West"][name][line]
            assert row[place] == (WITHHELD if value is None else f"{value:,.0f}")


def test_every_screen_with_figures_states_the_rule(hiding: Read, rounding: Read) -> None:
    for read in (hiding, rounding):
        told = describe_rule(read.query.store.partnership.disclosure)
        assert read.briefing.notice == read.query.store.partnership.notice
        for screen in read.briefing.screens:
            assert told in screen.caveats or screen.key == "decisions", screen.key


@pytest.mark.parametrize("kind", ["hiding", "rounding"])
def test_print_holds_what_the_slides_hold(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    read: Read = request.getfixturevalue(kind)
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not on this machine")
    form: PackFormat = "pdf"
    (tmp_path / "pack.pdf").write_bytes(write_pack(read.briefing, read.query.store, form))
    command = ["pdftotext", "-layout", str(tmp_path / "pack.pdf"), "-"]
    text = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout.decode("utf-8")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    for rows in (rows for name, rows in read.tables.items() if name.endswith(": By ward")):
        for row in rows:
            assert any(" ".join(row[:4]) in line for line in lines), row
    for name, count in count_wards(read).items():
        if kind == "hiding" and 0 < count < THRESHOLD:
            # The names on a map stand beside the scale of a chart, which has no other figure after it.
            assert not [line for line in lines if re.search(rf"{name} {count} \S+ \S+ \S+", line)]


# ---- rounded ---------------------------------------------------------------------------------------------------------


def read_numbers(cells: list[str]) -> list[int]:
    return [int(cell.replace(",", "")) for cell in cells if cell.replace(",", "").isdecimal()]


def test_rounded_counts_are_multiples_everywhere(rounding: Read) -> None:
    wards = [row for name, rows in rounding.tables.items() if name.endswith(": By ward") for row in rows]
    places = [row for name, rows in rounding.tables.items() if name.startswith("Hotspots") for row in rows]
    targets = [row for name, rows in rounding.tables.items() if name.endswith("behind first") for row in rows]
    numbers = read_numbers([cell for row in wards for cell in (row[1], row[3])])
    numbers += read_numbers([row[3] for row in places if len(row) == 6])
    numbers += read_numbers([row[2] for row in targets])
    words = " ".join(text for title in rounding.texts for text in rounding.texts[title])
    numbers += read_numbers([number for pair in PAIR.findall(words) for number in pair])
    numbers += read_numbers(re.findall(r"([0-9,]+) incidents?\b", words))
    for series in rounding.charts.values():
        for name in ("This month", "A year before", "So far", "Recorded"):
            numbers += [int(value) for value in series.get(name, []) if value is not None]
    assert len(numbers) > 200
    assert [number for number in numbers if number % BASE] == []


def test_a_rounding_is_no_change_and_no_chance_is_given(rounding: Read, example_store: Path) -> None:
    true = make_briefing(Query(open_store(example_store)), rounding.selection, operations=None, as_at=MOMENT)
    for one, other in zip(list_screens(rounding, "partnership", "area:"), true.screens, strict=False):
        assert one.key == other.key
        assert one.table is not None
        assert other.table is not None
        worth = {row[0]: row[5] for row in other.table.rows}
        for row in one.table.rows:
            assert row[5] == worth[row[0]] or worth[row[0]] == "None in either period"
    assert not [figure for screen in rounding.briefing.screens for figure in screen.figures if "chance" in figure.label]


# ---- without a rule --------------------------------------------------------------------------------------------------


def test_without_a_rule_nothing_is_withheld_or_said_of_it(example_store: Path) -> None:
    query = Query(open_store(example_store))
    briefing = make_briefing(query, Selection.from_query(ASKED, query.store), operations=None, as_at=MOMENT)
    assert WITHHELD not in repr(encode_screens(briefing, query.store, dark=False))
    for screen in briefing.screens:
        assert screen.map is None or not screen.map.withheld
        assert not isinstance(screen.chart, TrendFigure) or not screen.chart.withheld
