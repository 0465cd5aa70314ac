"""Focus areas under the disclosure rule: nothing that is withheld is shown, nor to be had from what is."""

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from cspmap.cli import main
from cspmap.exports.published import WITHHELD, publish
from cspmap.focus_area import WHOLE, Aim, FocusGround, catch, describe_choice, read_ground, trace_months
from cspmap.focus_published import (
    WEIGHTED,
    WITHHELD_WEIGHTED,
    publish_choice,
    publish_choices,
    publish_months,
    publish_units,
)
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.choropleth import Choropleth
from cspmap.views.focus_files import summarise_area, tabulate_units
from cspmap.views.focus_map import shade_units
from cspmap.views.focus_words import (
    describe_caught,
    describe_later,
    describe_progress,
    describe_proof,
    list_focus_caveats,
)

from .made import Made
from .test_published import keep

THRESHOLD, BASE = 5, 5
SPAN = Span.parse("2023-10..2023-11")
BEFORE = SPAN.shift(-12)
LEVELS = ("lsoa21", "ward")
AIMS = (
    Aim(SPAN, ("robbery",)),
    Aim(SPAN, ("burglary", "robbery", "vehicle-crime")),
    Aim(SPAN, ("burglary", "drugs"), (("drugs", 2.5),)),
)


@pytest.fixture(scope="module")
def hiding(query: Query) -> Query:
    return keep(query, rule="suppress", threshold=THRESHOLD)


@pytest.fixture(scope="module")
def rounding(query: Query) -> Query:
    return keep(query, rule="round", base=BASE)


def list_cases(query: Query) -> Iterator[tuple[FocusGround, Aim, tuple[str, ...]]]:
    """Sets of up to three units, all but one and all, for every aim on two levels."""
    for level in LEVELS:
        ground = read_ground(query, level)
        sets = [codes for size in (1, 2, 3) for codes in itertools.combinations(ground.codes, size)]
        for aim in AIMS:
            for codes in [*sets[:: 9 if level == "lsoa21" else 4], ground.codes[1:], ground.codes]:
                yield ground, aim, codes


def is_told(shown: list[Any], hidden: list[Any]) -> bool:
    """Whether any hidden set of cells adds up from shown ones: sets of numbers as vectors, by linear algebra."""
    known = np.array(shown, dtype=float).reshape(len(shown), -1)
    rank = np.linalg.matrix_rank(known) if len(shown) else 0
    return any(np.linalg.matrix_rank(np.vstack([known, row])) == rank for row in hidden)


def test_without_a_rule_all_is_as_counted(query: Query) -> None:
    published = publish(query)
    for ground, aim, codes in itertools.islice(list_cases(query), 0, None, 3):
        area = publish_choice(ground, aim, codes, published, before=BEFORE)
        true = describe_choice(ground, aim, codes, before=BEFORE)
        assert (area.catch, area.later, area.count, area.verdict) == (true.catch, true.later, true.count, None)
        assert area.types.equals(true.types)
        units = publish_units(ground, aim, published)
        assert units[WEIGHTED].equals(ground.weigh(aim).drop(WHOLE)[list(ground.codes)].rename(WEIGHTED))
        assert list(tabulate_units(ground, aim, [area], published).columns)[-1] == "period"
        months = publish_months(ground, aim, codes, SPAN, Selection(SPAN, ground.level), published)
        assert months.equals(trace_months(ground, aim, codes, SPAN))
        assert WITHHELD not in summarise_area(area)


def test_an_area_does_not_give_its_units_away(query: Query, hiding: Query) -> None:
    """The units, the sum of all, and the area's: no unit that is withheld is a sum or difference of what is shown."""
    published, seen = publish(hiding), set()
    for ground, aim, codes in list_cases(query):
        area, units = (
            publish_choice(ground, aim, codes, published, before=BEFORE),
            publish_units(ground, aim, published),
        )
        true = ground.count(SPAN)[list(aim.types)].sum(axis=1)[list(ground.codes)]
        assert units[WITHHELD][true.between(1, THRESHOLD - 1)].all()
        assert units["count"].isna().tolist() == units[WITHHELD].tolist()
        inside = np.array([code in codes for code in ground.codes], dtype=float)
        shown = [row for row, gone in zip(np.eye(len(units)), units[WITHHELD], strict=True) if not gone]
        whole = (
            [np.ones(len(units))]
            if not publish(hiding).flag(Selection(SPAN, ground.level, crimes=aim.types))[-1]
            else []
        )
        hidden = [row for row, gone in zip(np.eye(len(units)), units[WITHHELD], strict=True) if gone]
        if not area.withheld:
            assert not is_told([*shown, *whole, inside], hidden)
            assert area.count == true[list(codes)].sum()
            assert not 0 < area.count < THRESHOLD
            assert not 0 < true.sum() - area.count < THRESHOLD
        seen.add(area.withheld)
    assert seen == {True, False}


def test_areas_that_overlap_do_not_give_their_units_away_together(query: Query, hiding: Query) -> None:
    published, kept_apart, chance = publish(hiding), 0, random.Random(4)
    ground = read_ground(query, "lsoa21")
    triples = list(itertools.combinations(ground.codes, 3))
    for aim in (AIMS[0], Aim(SPAN, ("burglary", "robbery"))):
        gone = publish_units(ground, aim, published)[WITHHELD].to_numpy()
        units = np.eye(len(gone))
        for _ in range(16):
            sets = chance.sample(triples, 3)
            areas = publish_choices(ground, aim, sets, published, before=BEFORE)
            alone = [publish_choice(ground, aim, codes, published, before=BEFORE) for codes in sets]
            told = [area for area in areas if not area.catch.withheld]
            rows = [np.isin(ground.codes, area.codes).astype(float) for area in told]
            assert not is_told([*units[~gone], *rows, np.ones(len(gone))], list(units[gone]))
            assert areas[0].catch == alone[0].catch
            assert all(one.catch.withheld >= other.catch.withheld for one, other in zip(areas, alone, strict=True))
            kept_apart += sum(one.catch != other.catch for one, other in zip(areas, alone, strict=True))
    assert kept_apart


def test_types_and_months_of_an_area_do_not_give_one_away(query: Query, hiding: Query) -> None:
    published = publish(hiding)
    for ground, aim, codes in itertools.islice(list_cases(query), 0, None, 3):
        true = describe_choice(ground, aim, codes, before=BEFORE)
        area = publish_choice(ground, aim, codes, published, before=BEFORE)
        small = true.types["count"].between(1, THRESHOLD - 1)
        assert area.types.loc[small, WITHHELD].all()
        gone = area.types[WITHHELD]
        assert area.types.loc[gone, ["count", "share"]].isna().all(axis=None)
        assert area.withheld or gone.sum() != 1
        if not area.withheld and gone.any():
            assert true.types.loc[gone, "count"].sum() >= THRESHOLD
        if aim.weighted and gone.any():
            assert area.catch.withheld
        if area.catch.withheld:
            assert (area.catch.captured, area.catch.share, area.figures.share) == (None, None, None)
        selection = Selection(SPAN, ground.level, crimes=aim.types)
        span = Span.parse("2022-10..2024-04")
        months = publish_months(ground, aim, codes, span, selection, published).set_index("month")
        counts = trace_months(ground, aim, codes, span).set_index("month")["count"]
        assert months.loc[counts.between(1, THRESHOLD - 1).fillna(False), WITHHELD].all()
        assert not months.loc[counts.isna(), WITHHELD].any()
        inside = months.loc[str(SPAN.first) : str(SPAN.last), WITHHELD]
        assert area.withheld or inside.sum() != 1


def test_one_unit_is_withheld_where_explore_withholds_it(query: Query, hiding: Query) -> None:
    published = publish(hiding)
    for level in LEVELS:
        ground = read_ground(query, level)
        for aim in AIMS[:2]:
            selection = Selection(SPAN, level, crimes=aim.types)
            flags = published.count_areas(selection).set_index("code")[WITHHELD]
            for code in ground.codes:
                area = publish_choice(ground, aim, [code], published, before=BEFORE)
                types = published.count_types(selection, code=code).set_index("crime_type")[WITHHELD]
                assert area.withheld >= flags[code]
                assert (area.types.set_index("crime_type")[WITHHELD] >= types[list(aim.types)]).all()


def test_no_text_map_or_file_tells_what_is_withheld(query: Query, hiding: Query) -> None:
    published = publish(hiding)
    for ground, aim, codes in itertools.islice(list_cases(query), 0, None, 2):
        area, units = (
            publish_choice(ground, aim, codes, published, before=BEFORE),
            publish_units(ground, aim, published),
        )
        styles, legend = shade_units(ground, aim, published, what="crime")
        assert "Counts from 1 to 4 are withheld" in legend.rule
        assert not Choropleth(styles, legend).empty or units[WITHHELD_WEIGHTED].any()
        for style in styles:
            assert (style.fill == "suppressed") == units.loc[style.code, WITHHELD_WEIGHTED]
            assert (style.tooltip[0] == "count withheld") == units.loc[style.code, WITHHELD]
            if aim.weighted:
                assert (style.tooltip[1] == "weighted withheld") == units.loc[style.code, WITHHELD_WEIGHTED]
        table = tabulate_units(ground, aim, [area], published)
        assert table["count"].isna().tolist() == table[WITHHELD].tolist()
        summary = summarise_area(area)
        assert (WITHHELD in summary) == area.catch.withheld
        assert not area.catch.withheld or (summary["captured"], summary["share"]) == (None, None)
        told = f"{describe_caught(area, 'crime')} {describe_later(area.later)}"
        assert ("What it holds of crime is withheld" in told) == area.catch.withheld
        assert area.later is None or area.later.withheld == ("by, is withheld." in told)
        caveats = list_focus_caveats(
            area, aim, hiding.store.partnership, what="crime",
            coverage=published.count_coverage(Selection(SPAN, ground.level, crimes=aim.types)),
        )  # fmt: skip
        assert any("Counts from 1 to 4 are withheld" in line for line in caveats)


def test_a_search_does_not_tell_how_good_it_is() -> None:
    from cspmap.analysis.focus import Progress

    progress = Progress(area=1, value=3.0, bound=4.0, seconds=2.0)
    assert describe_progress(progress, hides=True) == "Looking for the best area; 2 s."


def test_rounded_counts_are_multiples_everywhere(query: Query, rounding: Query) -> None:
    published = publish(rounding)
    for ground, aim, codes in itertools.islice(list_cases(query), 1, None, 3):
        area = publish_choice(ground, aim, codes, published, before=BEFORE)
        true = catch(ground, aim, codes, SPAN)
        assert area.count is not None
        assert area.count % BASE == 0
        for column in ("count", "before"):
            assert (area.types[column].dropna() % BASE == 0).all()
        units = publish_units(ground, aim, published)
        assert (units["count"] % BASE == 0).all()
        step = 2.5 if aim.weighted else 1
        assert ((units[WEIGHTED] / (BASE * step / (5 if aim.weighted else 1))) % 1 == 0).all()
        assert area.catch.captured is not None
        assert aim.weighted or area.catch.captured % BASE == 0
        assert area.catch.share is None or 0 <= area.catch.share <= 1
        assert true.captured is not None
        months = publish_months(ground, aim, codes, SPAN, Selection(SPAN, ground.level, crimes=aim.types), published)
        assert (months["count"] % BASE == 0).all()
        table = tabulate_units(ground, aim, [area], published)
        assert set(table["rounded_to"]) == {BASE}
        assert isinstance(table, pd.DataFrame)
        styles, legend = shade_units(ground, aim, published, what="crime")
        assert "Counts are rounded to the nearest 5." in legend.rule
        assert not any(style.fill in ("zero", "suppressed") for style in styles)


def test_a_verdict_is_of_true_counts(query: Query, rounding: Query) -> None:
    ground, aim = read_ground(query, "ward"), Aim(Span.parse("2024-01..2024-04"), ("burglary", "robbery"))
    from cspmap.analysis.change import poisson_change

    before = Span.parse("2023-01..2023-04")
    area = publish_choice(ground, aim, ["w1", "w2"], publish(rounding), before=before)
    true = describe_choice(ground, aim, ["w1", "w2"], before=before)
    assert area.verdict == poisson_change(true.before, true.count).verdict


@pytest.mark.parametrize(("rule", "told"), [("suppress", "threshold = 5"), ("round", "base = 5")])
def test_the_command_keeps_the_rule(full: Made, tmp_path: Any, rule: str, told: str) -> None:
    """On a store whose partnership file has the rule."""
    text = full.toml.read_text("utf-8")
    file = full.folder / f"{rule}.toml"
    file.write_text(f'{text}\n[disclosure]\nrule = "{rule}"\n{told}\n', "utf-8")
    store = tmp_path / "store"
    run = CliRunner()
    built = run.invoke(main, ["build", str(file), "--store", str(store)])
    assert built.exit_code == 0, built.output
    asked = ["focus", "suggest", "--store", str(store), "--level", "lsoa21", "--crime", "robbery", "--budget", "2"]
    months = ["--from", "2023-10", "--to", "2023-11", "--format", "json"]
    said = run.invoke(main, [*asked, *months])
    assert said.exit_code == 0, said.output
    (area,) = json.loads(said.stdout)["areas"]
    if rule == "round":
        assert area["captured"] % 5 == 0
        assert "Counts are rounded to the nearest 5" in said.stderr
    else:
        assert area["captured"] is None or area["captured"] >= 5
        assert area["captured"] is not None or (area["withheld"], area["gap"]) == (True, None)
        assert "Counts from 1 to 4 are withheld" in said.stderr


def test_proof_of_few_is_told_without_a_number() -> None:
    from dataclasses import dataclass

    @dataclass(frozen=True)
    class Unproven:
        proven: bool = False
        words: str = "another area might be worth up to 33.3 % more."

    told = describe_proof(Unproven(), first=True, withheld=True)  # type: ignore[arg-type]
    assert told == "The search ended early: another area might be worth more."
