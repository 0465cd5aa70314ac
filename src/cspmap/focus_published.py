"""What the partnership's disclosure rule lets out of focus areas: of units, of a chosen area, of its months.

An area made of units is shown beside the counts of the units themselves, so that it is withheld also where it would,
less the units that are shown, give back one that is not. Which units are suggested is worked out from all counts.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cspmap.analysis.change import poisson_change
from cspmap.exports.published import WITHHELD, Published
from cspmap.focus_area import WHOLE, Aim, Catch, ChosenArea, FocusGround, describe_choice, trace_months
from cspmap.periods import Span
from cspmap.selection import Selection

WEIGHTED = "weighted"
WITHHELD_WEIGHTED = f"{WITHHELD}_{WEIGHTED}"


def publish_units(ground: FocusGround, aim: Aim, published: Published) -> pd.DataFrame:
    """What each unit holds of an aim, by code. Columns: count, weighted, withheld and withheld_weighted.

    What is weighted is withheld where the count of any crime type is: by weights that are chosen for it, it would tell
    that one.
    """
    counts = ground.count(aim.span).loc[list(ground.codes), list(aim.types)]
    units = pd.DataFrame(
        {
            "count": counts.sum(axis=1, min_count=len(aim.types)),
            WEIGHTED: aim.weigh(counts),
            WITHHELD: False,
            WITHHELD_WEIGHTED: False,
        }
    )
    if published.hides and units["count"].notna().any():
        selection = _select(ground, aim)
        units[WITHHELD] = published.flag(selection)[: len(units)]
        units[WITHHELD_WEIGHTED] = units[WITHHELD]
        if aim.weighted:
            types = published.flag(selection, by=("crime_type",))[: len(units)]
            units[WITHHELD_WEIGHTED] |= np.asarray(types.any(axis=1))
        units["count"] = units["count"].mask(units[WITHHELD])
        units[WEIGHTED] = units[WEIGHTED].mask(units[WITHHELD_WEIGHTED])
    if published.rounds:
        units["count"] = published.let_out(units["count"])
        units[WEIGHTED] = aim.weigh(_round(published, counts)) if aim.weighted else units["count"]
    return units


def publish_choice(
    ground: FocusGround, aim: Aim, codes: Collection[str], published: Published, *, before: Span
) -> ChosenArea:
    """The figures of a set of units, as `describe_choice`, and what the rule lets out of them."""
    area = describe_choice(ground, aim, codes, before=before)
    if published.hides:
        return _withhold(ground, aim, area, published, before)
    return _round_area(ground, aim, area, published) if published.rounds else area


def publish_choices(
    ground: FocusGround, aim: Aim, sets: Sequence[Collection[str]], published: Published, *, before: Span
) -> list[ChosenArea]:
    """The figures of several sets of units that are shown together, which may overlap, as `publish_choice`.

    What one holds is withheld where it would, beside what those before it hold, give a withheld unit away.
    """
    areas = [publish_choice(ground, aim, codes, published, before=before) for codes in sets]
    if not published.hides:
        return areas
    told: dict[Span, list[frozenset[str]]] = {}
    return [_keep_apart(ground, aim, area, published, told) for area in areas]


def _keep_apart(
    ground: FocusGround, aim: Aim, area: ChosenArea, published: Published, told: dict[Span, list[frozenset[str]]]
) -> ChosenArea:
    """An area beside those that are `told` already, by span, which it joins where it may."""
    hidden = {}
    for name, part in (("catch", area.catch), ("later", area.later)):
        if part is None or part.captured is None:
            continue
        before = told.setdefault(part.span, [])
        if before and _tells(ground, aim, [*before, frozenset(area.codes)], part.span, published):
            hidden[name] = _hide_catch(part, True)
        else:
            before.append(frozenset(area.codes))
    caught = hidden.get("catch")
    if caught is not None:
        figures = replace(area.figures, captured=float("nan"), share=None)
        area = replace(area, figures=figures, catch=caught, count=None, withheld=True)
    return replace(area, later=hidden["later"]) if "later" in hidden else area


def _tells(ground: FocusGround, aim: Aim, sets: Sequence[frozenset[str]], span: Span, published: Published) -> bool:
    """Whether the sums over sets of units that overlap may give one away: as if each part of them were told."""
    inside = [tuple(code in each for each in sets) for code in ground.codes]
    numbers = {kind: number for number, kind in enumerate(sorted({kind for kind in inside if any(kind)}))}
    parts = pd.Series([numbers.get(kind, -1) for kind in inside], index=list(ground.codes))
    kinds = [(key,) for key in aim.types] if aim.weighted else [aim.types]
    return any(published.flag_sums(Selection(span, ground.level, crimes=kind), parts).any() for kind in kinds)


def publish_months(
    ground: FocusGround, aim: Aim, codes: Sequence[str], span: Span, selection: Selection, published: Published
) -> pd.DataFrame:
    """As `trace_months`, and where small counts are withheld with a column withheld more.

    `selection` has the two periods that the months are shown beside.
    """
    months = trace_months(ground, aim, codes, span)
    if not published.hides:
        return months.assign(count=published.let_out(months["count"]))
    flags = published.flag_months(selection, codes, span)
    return months.assign(count=published.let_out(months["count"], flags), **{WITHHELD: flags})


def _select(ground: FocusGround, aim: Aim, span: Span | None = None) -> Selection:
    return Selection(aim.span if span is None else span, ground.level, crimes=aim.types)


def _withhold(ground: FocusGround, aim: Aim, area: ChosenArea, published: Published, before: Span) -> ChosenArea:
    types, whole = area.types.copy(), {}
    for column, flag, span in (("count", WITHHELD, aim.span), ("before", f"{WITHHELD}_before", before)):
        whole[flag] = False
        if types[column].notna().any():
            gone = _flag_types(ground, aim, area, published, span)
            types[flag], whole[flag] = gone[list(aim.types)].to_numpy(), bool(gone[WHOLE])
            types[column] = types[column].mask(types[flag])
    types["share"] = types["share"].mask(types[WITHHELD])
    caught = _hide_catch(
        area.catch, bool(types[WITHHELD].any()) or whole[WITHHELD] if aim.weighted else whole[WITHHELD]
    )
    later = area.later
    if later is not None and later.captured is not None:
        gone = _flag_types(ground, aim, area, published, later.span)
        later = _hide_catch(later, bool(gone.any()) if aim.weighted else bool(gone[WHOLE]))
    return replace(
        area,
        figures=replace(area.figures, captured=float("nan"), share=None) if caught.withheld else area.figures,
        catch=caught,
        later=later,
        types=types,
        count=None if whole[WITHHELD] else area.count,
        before=None if whole[f"{WITHHELD}_before"] else area.before,
        withheld=whole[WITHHELD],
        withheld_before=whole[f"{WITHHELD}_before"],
    )


def _flag_types(ground: FocusGround, aim: Aim, area: ChosenArea, published: Published, span: Span) -> pd.Series:
    """Which counts of an area over a span are withheld, by crime type and, as WHOLE, of all together."""
    selection = _select(ground, aim, span)
    flags = published.flag_split(selection, area.codes, "crime_type")
    return pd.Series(flags, index=[*published.query.crime_types(selection), WHOLE])


def _hide_catch(catch: Catch, withheld: bool) -> Catch:
    return replace(catch, captured=None, share=None, withheld=True) if withheld else catch


def _round_area(ground: FocusGround, aim: Aim, area: ChosenArea, published: Published) -> ChosenArea:
    whole = _round(published, ground.count(aim.span).loc[[WHOLE], list(aim.types)]).to_numpy()[0]
    types = area.types.copy()
    types["count"], types["before"] = published.let_out(types["count"]), published.let_out(types["before"])
    types["share"] = types["count"].to_numpy() / np.where(whole > 0, whole, np.nan)
    caught = _round_catch(ground, aim, area, published, area.catch)
    later = None if area.later is None else _round_catch(ground, aim, area, published, area.later)
    totals = published.let_out(pd.Series([area.before, area.count], dtype=float))
    verdict = poisson_change(area.before, area.count).verdict
    return replace(
        area,
        figures=replace(
            area.figures, captured=float("nan") if caught.captured is None else caught.captured, share=caught.share
        ),
        catch=caught,
        later=later,
        types=types,
        count=None if area.count is None else float(totals[1]),
        before=None if area.before is None else float(totals[0]),
        # None in either period is told apart from very few by nothing.
        verdict="too few to say" if verdict == "no incidents" else verdict,
    )


def _round_catch(ground: FocusGround, aim: Aim, area: ChosenArea, published: Published, catch: Catch) -> Catch:
    """A catch of counts that are each rounded: by type where they are weighted, else all together."""
    if catch.captured is None:
        return catch
    counts = ground.count(catch.span)[list(aim.types)]
    held = pd.DataFrame([counts.loc[list(area.codes)].sum(), counts.loc[WHOLE]])
    if aim.weighted:
        captured, total = aim.weigh(_round(published, held))
    else:
        captured, total = published.let_out(held.sum(axis=1))
    return replace(catch, captured=float(captured), share=float(captured / total) if total else None, rounded=True)


def _round(published: Published, counts: pd.DataFrame) -> pd.DataFrame:
    return counts.apply(published.let_out)
