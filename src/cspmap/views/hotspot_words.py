"""Hotspots in plain words: the names of layers and places, and what a pointer says of a cell."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from cspmap.analysis.accuracy import Accuracy
from cspmap.analysis.snapping import CAVEAT
from cspmap.exports.published import WITHHELD, describe_rule, hides_total
from cspmap.hotspot_layers import HotspotLayer, LayerKey
from cspmap.hotspot_score import Score
from cspmap.partnership import Partnership
from cspmap.selection import Selection
from cspmap.totals import Coverage
from cspmap.views.words import (
    count_incidents,
    describe_missing,
    describe_unlocated,
    format_count,
    format_percent,
    format_rate,
    name_crimes,
    the,
)

LAYER_NAMES: dict[LayerKey, str] = {
    "expected": "Expected incidents",
    "density": "Density",
    "significance": "More than chance",
    "dual": "For its residents",
    "change": "Change",
    "persistence": "How long they last",
    "clusters": "Street clusters",
}

# What each layer answers, for whoever chooses among them.
LAYER_QUESTIONS: dict[LayerKey, str] = {
    "expected": "Where will the next incidents be? Each cell's own count, steadied by what lies around it.",
    "density": "Where do incidents crowd together? A smooth picture of the ground.",
    "significance": "Where are there more incidents than chance would put together? (Gi*)",
    "dual": "Where are incidents many for the people who live there?",
    "change": "Where have incidents become more or fewer by more than chance?",
    "persistence": "Which hotspots stay, come up, or are gone?",
    "clusters": "Which streets close to each other have more incidents than chance would bring together?",
}

TRAJECTORY_WORDS = {
    "persistent": "Persistent",
    "emerging": "Emerging",
    "intermittent": "On and off",
    "former": "Former",
    "never": "Never hot",
}

VERDICT_WORDS = {
    "up": "up, more than chance",
    "down": "down, more than chance",
    "normal variation": "within normal variation",
    "too few to say": "too few to say",
    "no incidents": "none in either period",
    "not known": "not known",
}


def name_place(row: Mapping[str, Any]) -> str:
    """ "Hotspot 2: South, Crawley". `row` is one of a layer's places."""
    area = row["area"]
    return f"Hotspot {row['rank']}" + (f": {area}" if isinstance(area, str) and area else "")


def name_street(row: Mapping[str, Any]) -> str:
    """The busiest street of a place; empty where none is known."""
    return str(row["street"]) if isinstance(row["street"], str) else ""


def name_hotspots(layer: HotspotLayer, partnership: Partnership, selection: Selection) -> str:
    """What the map shows, as its heading: "Burglary in Luton, year to April 2024: expected incidents"."""
    what = f"{name_crimes(selection, partnership)} in {partnership.place}, {selection.span.words}"
    against = f", compared with {the(layer.choice.before.words)}" if layer.choice.layer == "change" else ""
    return f"{what}{against}: {lower_first(LAYER_NAMES[layer.choice.layer])}"


def lower_first(words: str) -> str:
    """ "Burglary" as it stands inside a sentence; an abbreviation such as "ASB" stays."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def describe_hold(layer: HotspotLayer) -> str:
    """How much the hotspots hold: "6 hotspots hold 5,221 of 21,919 incidents (23.8 %) on 1.9 % of the area."."""
    places, number = layer.places, len(layer.places)
    if not layer.total:
        return "There are no incidents in this period."
    if not number:
        return f"No place stands out among {count_incidents(layer.total)}."
    area = 10_000 * float(places["hectares"].sum()) / float(layer.ground.cells.area.sum())
    noun, verb = ("hotspot", "holds") if number == 1 else ("hotspots", "hold")
    if pd.isna(layer.held):
        cover = "covers" if number == 1 else "cover"
        return (
            f"{number} {noun} {cover} {format_percent(100 * area)} of the area; how many of "
            f"{count_incidents(layer.total)} {'it' if number == 1 else 'they'} {verb} is withheld."
        )
    share = format_percent(100 * layer.held / layer.total)
    return (
        f"{number} {noun} {verb} {format_count(layer.held)} of {count_incidents(layer.total)} ({share}) "
        f"on {format_percent(100 * area)} of the area."
    )


def tell_number(value: float) -> str:
    """A count as it may be shown: "1,584"; NaN -> "withheld"."""
    return WITHHELD if pd.isna(value) else format_count(value)


def list_score(accuracy: Accuracy) -> dict[str, str]:
    """The figures of a score, by what they are called."""
    return {
        "caught": format_percent(100 * accuracy.hit_rate, digits=0),
        "PAI": format_rate(accuracy.pai),
        "PEI": format_rate(accuracy.pei, digits=2),
        "baseline": format_percent(100 * accuracy.baseline, digits=0),
    }


# The figures of a score, each with what a viewer sees above it and what it means.
SCORE_WORDS = {
    "caught": ("Caught", "Share of the later incidents that fell in the hotspots."),
    "baseline": ("Count alone", "What the cells with the most incidents of the same period caught in as much area."),
    "PAI": ("PAI", "Share caught over share of the area: 1 is what blind choice would catch."),
    "PEI": ("PEI", "Caught over the most that so much area could have caught: 1 is as good as hindsight."),
}


def describe_worse(accuracy: Accuracy) -> str:
    """What to say where plain counting would have done better; empty where it would not."""
    if not accuracy.baseline > accuracy.hit_rate:
        return ""
    shares = 100 * accuracy.baseline, 100 * accuracy.hit_rate
    # With a digit more where they would look the same.
    told = next(
        (
            pair
            for pair in ([format_percent(share, digits=digits) for share in shares] for digits in (0, 1))
            if len({*pair}) > 1
        ),
        None,
    )
    if told is None:
        return ""
    return (
        f"This time the cells with the most incidents of the period before would have caught more ({told[0]}) than "
        f"these hotspots did ({told[1]})."
    )


def hover_cell(layer: HotspotLayer, row: Mapping[str, Any]) -> tuple[str, ...]:
    """What a pointer says of one cell of a layer, under its name."""
    if pd.isna(row["count"]):
        return (f"count {WITHHELD}",)
    count = count_incidents(row["count"])
    match layer.choice.layer:
        case "expected":
            return count, f"expected: {format_rate(row['expected'])}"
        case "density":
            return count, f"{format_rate(row['score'])} per km² here"
        case "significance":
            around = f"{tell_number(row['around'])} with those around it"
            return count, around, _word_chance(row, exact=layer.rule.rule != "round")
        case "dual":
            known = not pd.isna(row["score"])
            return count, f"{format_rate(row['score'])} per 1,000 residents" if known else "too few residents"
        case "change":
            moved = f"{tell_number(row['before'])} to {tell_number(row['after'])}"
            return moved, VERDICT_WORDS[row["verdict"]]
        case "persistence":
            often = f"hot in {row['spans_hot']} spans" if row["spans_hot"] else ""
            return (count, TRAJECTORY_WORDS[row["trajectory"]], *([often] if often else []))
        case "clusters":
            return (count,)


def _word_chance(row: Mapping[str, Any], *, exact: bool) -> str:
    """Whether a cell is hot; with the figures of the test where they are `exact`ly those of the counts beside them."""
    if pd.isna(row["z"]):
        return "not known"
    side = "hot" if row["hot"] else "cold" if row["cold"] else "no more than chance"
    return f"{side} (z {row['z']:.1f}, q {format_q(row['q'])})" if exact else side


def format_q(q: float) -> str:
    """0.0312 -> "0.031", 0.00001 -> "under 0.001"."""
    return "under 0.001" if q < 0.001 else f"{q:.3f}"


def list_hotspot_caveats(
    layer: HotspotLayer,
    partnership: Partnership,
    selection: Selection,
    *,
    coverage: Coverage,
    score: Score,
    snapped: bool,
) -> list[str]:
    """Everything that travels with the hotspots of a page or a file, a sentence each."""
    sentences: Sequence[str] = (
        partnership.notice,
        f"{name_hotspots(layer, partnership, selection)}.",
        describe_hold(layer),
        layer.words,
        *layer.cautions,
        score.words,
        describe_missing(coverage.missing, selection.span.words),
        # With the share without a location a small total could be had back.
        "" if hides_total(coverage, partnership.disclosure) else describe_unlocated(coverage, partnership.place),
        CAVEAT if snapped else "",
        describe_rule(partnership.disclosure),
    )
    return [sentence for sentence in sentences if sentence]
