"""What people said when asked, beside what an operation is to reach."""

from dataclasses import dataclass

from cspmap.analysis.evaluation import SurveyChange, SurveyMeasure, compare_surveys, measure_survey
from cspmap.operations import Operation, SurveyGoal, SurveyResult


@dataclass(frozen=True)
class SurveyStanding:
    """A measure that people were asked for: its waves in order, and how far the latest is from the first and the aim.

    `measures` are the waves' figures with their margin of error, None where the size of the sample is not known.
    `reached` is whether the latest meets the aim, None without one; `clear` whether that is beyond its margin.
    """

    measure: str
    waves: tuple[SurveyResult, ...]
    measures: tuple[SurveyMeasure | None, ...]
    change: SurveyChange | None
    goal: SurveyGoal | None
    reached: bool | None
    clear: bool


def list_surveys(operation: Operation) -> tuple[SurveyStanding, ...]:
    """Every measure that has an aim or a figure, in the order of the aims, then by name."""
    goals = {goal.measure: goal for goal in operation.goals if isinstance(goal, SurveyGoal)}
    others = sorted({result.measure for result in operation.surveys} - goals.keys())
    return tuple(_stand(operation, measure, goals.get(measure)) for measure in (*goals, *others))


def _stand(operation: Operation, measure: str, goal: SurveyGoal | None) -> SurveyStanding:
    waves = tuple(sorted((each for each in operation.surveys if each.measure == measure), key=lambda each: each.asked))
    measures = tuple(
        None if wave.sample_size is None else measure_survey(wave.percent, wave.sample_size) for wave in waves
    )
    change = None
    if len(waves) > 1 and measures[0] is not None and measures[-1] is not None:
        change = compare_surveys(measures[0], measures[-1])
    reached, clear = None, False
    if goal is not None and waves:
        upwards = goal.direction == "at least"
        percent, latest = waves[-1].percent, measures[-1]
        reached = percent >= goal.percent if upwards else percent <= goal.percent
        clear = latest is not None and not latest.low <= goal.percent <= latest.high
    return SurveyStanding(measure, waves, measures, change, goal, reached, clear)
