"""What must be known before an evaluation is repeated, a sentence each."""

from dataclasses import dataclass

from cspmap.analysis.evaluation.model import Effect, Noise
from cspmap.analysis.evaluation.sentences import format_count
from cspmap.analysis.evaluation.spans import FEWEST_MONTHS, UsedMonths
from cspmap.periods import Month, Span

# Fewer areas than this tell little of how areas drift by themselves.
FEWEST_AREAS = 5
_LISTED = 4


@dataclass(frozen=True)
class Hindsight:
    """What the time before the start shows: the months that the area was chosen on, how far it had risen by the time
    before, and how far it had parted from its comparison within that time. None where not known.
    """

    chosen_on: Span | None
    rise: Effect | None
    halves: Effect | None


def list_cautions(before: Span, after: Span, months: UsedMonths, noise: Noise, hindsight: Hindsight) -> tuple[str, ...]:
    """All that apply, the gravest first."""
    found = [
        _warn_of_choice(after, hindsight),
        _warn_of_peak(before, hindsight),
        _warn_of_parting(hindsight.halves),
        _warn_of_missing(months.missing),
        _warn_of_short(months),
        _warn_of_seasons(months),
        _warn_of_few_areas(noise),
    ]
    return tuple(sentence for sentence in found if sentence)


def _warn_of_choice(after: Span, hindsight: Hindsight) -> str:
    """The very months that were to show an effect led to the choice."""
    chosen = hindsight.chosen_on
    if chosen is None or not any(month in after for month in chosen):
        return ""
    return (
        f"The area was chosen by its crime in {_name(chosen)}, and months of that are judged here as after the start. "
        "They are high because it was chosen by them, so this sheet cannot say whether the operation worked: judge "
        "later months, or choose by months before the start."
    )


def _warn_of_peak(before: Span, hindsight: Hindsight) -> str:
    """Regression to the mean."""
    chosen = hindsight.chosen_on
    if chosen is None or not any(month in before for month in chosen):
        return ""
    text = (
        f"The area was chosen for being high in {_name(chosen)}, which it is also judged against. What is chosen at "
        "its peak tends to fall by itself, so part of a fall may be no more than that."
    )
    rise = hindsight.rise
    if rise is not None and rise.verdict == "rose" and rise.difference is not None:
        text += f" By then it had {format_count(rise.difference)} more than its own past would lead one to expect."
    return text


def _warn_of_parting(halves: Effect | None) -> str:
    if halves is None or halves.verdict not in ("rose", "fell"):
        return ""
    way = "up" if halves.verdict == "rose" else "down"
    return (
        f"Within the time before, the area was already going {way} beside its comparison; another comparison may be "
        "fairer."
    )


def _warn_of_missing(missing: tuple[Month, ...]) -> str:
    if not missing:
        return ""
    shown = ", ".join(month.words for month in missing[:_LISTED])
    more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
    return f"Months that are not known everywhere are left out, not counted as zero: {shown}{more}."


def _warn_of_short(months: UsedMonths) -> str:
    least = min(len(months.before), len(months.after))
    if least >= FEWEST_MONTHS:
        return ""
    return f"One of the periods has only {least} month{'' if least == 1 else 's'}, which says little of its level."


def _warn_of_seasons(months: UsedMonths) -> str:
    seasons = [sorted({month[-2:] for month in part}) for part in (months.before, months.after)]
    if seasons[0] == seasons[1]:
        return ""
    return (
        "Before and after are not the same months of the year; the area is taken to have the same seasons as its "
        "comparison."
    )


def _warn_of_few_areas(noise: Noise) -> str:
    if noise.areas < 2:
        return (
            "With a single comparison area nobody knows how far areas drift apart by themselves; the bounds are "
            "narrower than they should be."
        )
    if noise.areas < FEWEST_AREAS:
        return (
            f"How far areas drift apart by themselves is learnt from only {noise.areas} of them; the bounds are wide."
        )
    return ""


def _name(span: Span) -> str:
    """A span inside a sentence: "the year to December 2022"."""
    return f"the {span.words}" if span.words.startswith("year ") else span.words
