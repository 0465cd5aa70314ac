"""The commands of focus areas."""

import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from cspmap.cli_parts import OUT, STORE, open_chosen, write_out
from cspmap.errors import UserError, quote_briefly

if TYPE_CHECKING:
    from cspmap.analysis.focus import Progress
    from cspmap.store import Store


@click.group()
def focus() -> None:
    """Choose an area to focus on."""


@focus.command("suggest")
@STORE
@click.option("--level", help="Level of the units, such as lsoa21. Default: the partnership's first.")
@click.option("--crime", multiple=True, help="Key of a crime type or group; may be given several times. Default: all.")
@click.option(
    "--weight",
    multiple=True,
    metavar="CRIME=NUMBER",
    help="What an incident of a crime type counts, such as burglary=3; may be given several times. Default: 1.",
)
@click.option("--from", "first", metavar="YYYY-MM", help="First month. Default: a year up to the last.")
@click.option("--to", "last", metavar="YYYY-MM", help="Last month. Default: the latest loaded.")
@click.option("--budget", type=float, required=True, help="How much the area may hold at most, in what --by says.")
@click.option(
    "--by",
    type=click.Choice(["units", "residents", "km2"]),
    default="units",
    show_default=True,
    help="What the budget is counted in.",
)
@click.option("--include", multiple=True, metavar="CODE", help="Unit that it must hold; may be given several times.")
@click.option("--avoid", multiple=True, metavar="CODE", help="Unit that it must not hold; may be given several times.")
@click.option(
    "--compactness", type=float, default=0.0, show_default=True, help="What a round shape is worth: 0.1 little, 1 much."
)
@click.option(
    "--alternatives", type=click.IntRange(0, 9), default=0, show_default=True, help="How many others that differ."
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60.0,
    show_default=True,
    help="Longest time to search; Ctrl+C ends it.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "json", "geojson"]),
    default="csv",
    show_default=True,
    help="What to write.",
)
@OUT
def suggest_area(
    store: Path | None,
    level: str | None,
    crime: tuple[str, ...],
    weight: tuple[str, ...],
    first: str | None,
    last: str | None,
    budget: float,
    by: str,
    include: tuple[str, ...],
    avoid: tuple[str, ...],
    compactness: float,
    alternatives: int,
    seconds: float,
    kind: str,
    out: Path | None,
) -> None:
    """Suggest the area in one piece that holds the most within a budget.

    What it holds, also of later months, and whether another could hold more go to standard error.

    Example: cspmap focus suggest --level ward --crime robbery --budget 3 --out area.csv
    """
    from cspmap.analysis.focus import suggest
    from cspmap.exports.extract import write_csv
    from cspmap.exports.published import publish
    from cspmap.focus_area import WHOLE, Aim, read_ground
    from cspmap.focus_published import publish_choices
    from cspmap.periods import Month, Span
    from cspmap.query import Query
    from cspmap.selection import Selection, join_list
    from cspmap.views.focus_files import summarise_area, tabulate_units, write_outlines
    from cspmap.views.focus_words import (
        describe_caught,
        describe_end,
        describe_later,
        describe_proof,
        list_focus_caveats,
        name_aim,
    )

    query = Query(open_chosen(store))
    partnership, published = query.store.partnership, publish(query)
    selection = Selection.from_query({"level": level or "", "crime": join_list(crime)}, query.store)
    end = Month.parse(last) if last else selection.span.last
    start = Month.parse(first) if first else Span.ending(end, months=len(selection.span)).first
    selection = selection.change(span=Span(start, end))
    ground = read_ground(query, selection.level)
    aim = Aim(selection.span, query.crime_types(selection), _read_weights(weight, query.store))
    with _stop_on_interrupt() as stopped, _tell_progress(hides=published.hides) as tell:
        found = suggest(
            ground.units,
            ground.weigh(aim).drop(WHOLE),
            budget,
            by=cast(Any, by),
            residents=ground.residents,
            include=include,
            avoid=avoid,
            compactness=compactness,
            alternatives=alternatives,
            contiguity=ground.contiguity,
            seconds=seconds,
            should_stop=stopped.is_set,
            on_progress=tell,
        )
    what = name_aim(aim, selection, partnership)
    sets = [area.figures.codes for area in found.areas]
    areas = publish_choices(ground, aim, sets, published, before=selection.before)
    caveats = list_focus_caveats(areas[0], aim, partnership, what=what, coverage=published.count_coverage(selection))
    if kind == "csv":
        text = write_csv(tabulate_units(ground, aim, areas, published), caveats)
    else:
        told = [
            {
                **summarise_area(area),
                "proven": one.proven,
                # Of a few incidents, by how much another might be better would tell how many they are.
                "gap": None if area.catch.withheld else round(one.gap, 2 if published.rounds else 6),
            }
            for area, one in zip(areas, found.areas, strict=True)
        ]
        if kind == "geojson":
            text = write_outlines(ground, told, caveats)
        else:
            whole = {"caveats": caveats, "ended": found.ended, "areas": told}
            text = json.dumps(whole, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    write_out(text, out)
    for number, (area, one) in enumerate(zip(areas, found.areas, strict=True), 1):
        proof = describe_proof(one, first=number == 1, withheld=area.catch.withheld)
        words = (describe_caught(area, what), describe_later(area.later), proof)
        click.echo(f"Area {number}, {len(area.codes)} of {len(ground.codes)}: {' '.join(words)}", err=True)
    for sentence in filter(None, (describe_end(found, ground), *caveats)):
        click.echo(sentence, err=True)


def _read_weights(given: tuple[str, ...], store: "Store") -> tuple[tuple[str, float], ...]:
    from cspmap.focus_choice import read_weight

    pairs = dict(read_weight(*_split_weight(text), store) for text in given)
    return tuple(pairs.items())


def _split_weight(text: str) -> tuple[str, str]:
    key, sign, number = text.partition("=")
    if not sign:
        raise UserError(f"{quote_briefly(text)} is not a weight; write it as CRIME=NUMBER, such as burglary=3.")
    return key, number


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """Ctrl+C ends the search with the best area so far; a second one ends the command."""
    stopped = threading.Event()
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _tell_progress(*, hides: bool) -> Iterator[Any]:
    """A line on standard error that is written over; silent where that is not a terminal."""
    from cspmap.views.focus_words import describe_progress

    seen = sys.stderr.isatty()

    def tell(progress: "Progress") -> None:
        if seen:
            click.echo(f"\r\033[K{describe_progress(progress, hides=hides)}", err=True, nl=False)

    yield tell
    if seen:
        click.echo("\r\033[K", err=True, nl=False)
