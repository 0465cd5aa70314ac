"""An effect in words that can be repeated: what it is, within which bounds, and what cannot be said."""

from cspmap.analysis.evaluation.model import Effect


def describe_effect(crime: str, effect: Effect, *, rate_ratio: float | None) -> str:
    """What became of one crime in an area, in a sentence.

    `rate_ratio` is the area's own incidents a month after over those before (None where there were none before): what
    fell by more than expected really fell.
    """
    if effect.verdict == "not known":
        return f"{crime}: not known, as {effect.reason}."
    if effect.expected is None or effect.difference is None or effect.low is None:
        return f"{crime}: {format_count(effect.after)}, and none before, so that nothing could be expected."
    if effect.verdict == "too few to tell":
        return f"{crime}: too few to tell ({_compare(effect)}; even a halving would not have stood out)."
    if effect.verdict == "no clear change":
        return f"{crime}: no clear effect. There were {_compare(effect)}; the true effect may be {_reach(effect)}."
    number = format_count(abs(effect.difference))
    bounds = f"(between {_bounds(effect)})" if effect.high is not None else "(with no upper bound)"
    if effect.verdict == "fell":
        really = rate_ratio is not None and rate_ratio < 1
        change = f"fell by {number} more than expected" if really else f"came out {number} below what was expected"
    else:
        really = rate_ratio is None or rate_ratio > 1
        change = f"rose by {number} more than expected" if really else f"came out {number} above what was expected"
    return f"{crime} {change} {bounds}."


def describe_buffer(effect: Effect, buffer: Effect) -> str:
    """What became of the streets next door, in a sentence; empty where there is nothing to tell."""
    if buffer.verdict == "not known":
        return f"Whether any moved next door is not known, as {buffer.reason}."
    if buffer.verdict == "rose" and buffer.difference is not None:
        more = f"Next door there were {format_count(buffer.difference)} more than expected"
        bounds = f" (between {_bounds(buffer)})" if buffer.high is not None else ""
        return f"{more}{bounds}: some may have moved there." if effect.verdict == "fell" else f"{more}{bounds}."
    if buffer.verdict == "fell" and buffer.difference is not None:
        return (
            f"Next door there were {format_count(-buffer.difference)} fewer than expected (between {_bounds(buffer)})."
        )
    if effect.verdict != "fell" or effect.difference is None:
        return ""
    if buffer.verdict == "too few to tell":
        return "Too few next door to tell whether any moved there."
    if buffer.high is None or buffer.high >= -effect.difference:
        return "No sign that it moved next door, but so much comes and goes there that it cannot be ruled out."
    return "No sign that it moved next door."


def format_count(value: float) -> str:
    """A number of incidents: "31", "1,584"; "under 1" where it is too small to be one."""
    return "under 1" if 0 < value < 0.5 else f"{value:,.0f}"


def _compare(effect: Effect) -> str:
    assert effect.expected is not None
    return f"{format_count(effect.after)}, where {format_count(effect.expected)} were expected"


def _bounds(effect: Effect) -> str:
    """The interval of a clear effect, the smaller size first: "12 and 50"."""
    assert effect.low is not None
    assert effect.high is not None
    near, far = sorted((abs(effect.low), abs(effect.high)))
    return f"{format_count(near)} and {format_count(far)}"


def _reach(effect: Effect) -> str:
    """The interval of an effect that is not clear: "anything from 20 fewer to 12 more"."""
    assert effect.low is not None
    more = "any number" if effect.high is None else format_count(effect.high)
    return f"anything from {format_count(-effect.low)} fewer to {more} more"
