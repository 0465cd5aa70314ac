"""Every figure of a selection's areas, as the partnership's disclosure rule lets them out: for pages and for files."""

from dataclasses import dataclass

import pandas as pd

from cspmap.analysis.area_figures import compute_figures
from cspmap.analysis.change import Verdict, change_table, poisson_change
from cspmap.exports.published import describe_rule, hides_total, publish
from cspmap.frames import add_columns
from cspmap.partnership import Denominator
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.totals import Coverage
from cspmap.views.words import describe_unlocated, explain_incomparable, list_caveats


@dataclass(frozen=True)
class Figures:
    """`areas` is the table of `compute_figures`, with score, decile, tenth, fifth and covered of the edition chosen.

    Its columns withheld and withheld_before say which counts the disclosure rule withholds: those are missing, and so
    is all that would be worked out from them. `now` and `before` are how complete the two periods are, and whether the
    partnership's own count of each is `withheld_now` and `withheld_before`. Where the rule rounds, there is a column
    rounded, verdicts are of the counts before rounding (`verdict`: the partnership's), and p is left out. `per` is
    what the rates are per. Not to be changed.
    """

    areas: pd.DataFrame
    now: Coverage
    before: Coverage
    per: Denominator
    withheld_now: bool = False
    withheld_before: bool = False
    verdict: Verdict | None = None


def work_out_figures(query: Query, selection: Selection) -> Figures:
    """The figures of every area of the selection's level, whichever of them are shown."""
    published = publish(query)
    now, before = published.count_coverage(selection), published.count_coverage(selection, span=selection.before)
    comparable = not explain_incomparable(now, before)
    areas = compute_figures(
        published.count_areas(selection),
        total=now.total,
        comparable=comparable,
        smallest=query.store.partnership.smallest_denominator,
    )
    verdict = None
    if published.rounds:
        areas = areas.assign(
            rounded=True, p=float("nan"), verdict=_judge(query, selection, areas, comparable=comparable)
        )
        whole = (query.count_coverage(selection, span=span).total for span in (selection.before, selection.span))
        verdict = poisson_change(*whole).verdict if comparable else None
    if selection.edition is not None:
        deprivation = (
            query.read_deprivation(selection.level, selection.edition).drop(columns="method").set_index("code")
        )
        aligned = deprivation.reindex(areas["code"])
        areas = add_columns(areas, **{str(name): column.array for name, column in aligned.items()})
    return Figures(
        areas,
        now,
        before,
        query.denominator(selection),
        withheld_now=hides_total(now, published.rule),
        withheld_before=hides_total(before, published.rule),
        verdict=verdict,
    )


def _judge(query: Query, selection: Selection, areas: pd.DataFrame, *, comparable: bool) -> pd.Series:
    """What the areas' changes are worth, from counts before they were rounded: a rounding is no change.

    None in either period is told apart from very few by nothing.
    """
    if not comparable:
        return areas["verdict"]
    counts = query.count_areas(selection)
    known = [counts[column].astype("Float64").astype(float) for column in ("before", "count")]
    return change_table(*known)["verdict"].replace("no incidents", "too few to say")


def list_figure_caveats(query: Query, selection: Selection, figures: Figures) -> list[str]:
    """Everything that travels with the figures of the areas, a sentence each."""
    partnership = query.store.partnership
    sentences = list_caveats(
        selection,
        partnership,
        now=figures.now,
        before=figures.before,
        denominator=figures.per,
        methods=figures.areas["denominator_method"],
    )
    if figures.withheld_now:
        # With the share without a location it would give the count back.
        sentences.remove(describe_unlocated(figures.now, partnership.place))
    rule = describe_rule(partnership.disclosure)
    return [*sentences, rule] if rule else sentences
