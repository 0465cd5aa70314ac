"""The ways of judging an operation that are tried out beside one another."""

from dataclasses import replace

from cspmap.analysis.change import ALPHA, e_test
from cspmap.analysis.evaluation import Effect, Noise, Periods, estimate_effect, wdd

WAYS = ("model", "model without drift", "WDD", "before against after")


def find_effects(area: Periods, others: Periods, noise: Noise) -> tuple[bool, ...]:
    """Whether each of the WAYS finds an effect, at 5 %."""
    return (
        is_found(estimate_effect(area, others, noise)),
        is_found(estimate_effect(area, others, replace(noise, drift=0.0))),
        is_found_by_difference(area, others),
        e_test(*area.totals) < ALPHA,
    )


def is_found(effect: Effect) -> bool:
    return effect.verdict in ("fell", "rose")


def is_found_by_difference(area: Periods, others: Periods) -> bool:
    """By the weighted displacement difference, the others weighted to the size of the area before."""
    inner, outer = area.totals, others.totals
    if not (inner[0] and outer[0]):
        return False
    found = wdd(inner, outer, control_weight=inner[0] / outer[0])
    return found.p is not None and found.p < ALPHA


def format_percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def format_row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def format_head(*cells: str) -> list[str]:
    return [format_row(*cells), format_row(*["---"] * len(cells))]
