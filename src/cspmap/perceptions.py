"""What people said when asked, with its margin of error, and what stands beside it: recorded crime, and targets."""

from collections.abc import Sequence
from itertools import pairwise

import pandas as pd

from cspmap.analysis.survey import SurveyMeasure, compare_surveys, measure_published, measure_survey
from cspmap.analysis.targets.measured import progress_measured
from cspmap.board import spell_out
from cspmap.exports.published import WITHHELD, hides_total, publish
from cspmap.exports.scan_rows import list_withheld
from cspmap.goals import is_whole
from cspmap.indicators import IndicatorTable, Measure, Reading
from cspmap.periods import Span
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.targets import Target, TargetArea, TargetTable, name_period

# Why recorded crime of a period is not told: it is the sum of its months, which are shown too.
RECORDED_WITHHELD = "it, or a count of its months, is withheld by the partnership's rule on small counts"


def measure_reading(reading: Reading) -> SurveyMeasure | None:
    """A survey's figure with its 95 % interval; None where neither its sample size nor its margin is known."""
    if reading.measure.kind != "survey" or reading.measure.unit != "percent" or reading.value is None:
        return None
    if reading.margin is not None:
        return measure_published(float(reading.value), float(reading.margin), reading.sample)
    return None if reading.sample is None else measure_survey(float(reading.value), reading.sample)


def list_readings(tables: Sequence[IndicatorTable]) -> pd.DataFrame:
    """Every reading of some tables, a row each in their order.

    Columns: table, topic, indicator (its key), name, answer, area, period (as `name_period`, "" where not known),
    first, last (its months), value, unit, kind, direction, sample, margin (95 %, in points), low, high, margin_words;
    before (the reading before it of the same indicator, answer and area), before_period, change (value less before),
    change_words; question, survey, document, page, note.
    """
    rows = []
    for table in tables:
        earlier = _find_earlier(table)
        rows += [_list_cells(table, reading, earlier.get(id(reading))) for reading in table.readings]
    return pd.DataFrame(rows)


def _list_cells(table: IndicatorTable, reading: Reading, before: Reading | None) -> dict[str, object]:
    measure, measured = reading.measure, measure_reading(reading)
    value = None if reading.value is None else float(reading.value)
    change = None if before is None or value is None else value - float(before.value or 0)
    return {
        "table": table.title,
        "topic": measure.topic,
        "indicator": measure.key,
        "name": measure.name,
        "answer": reading.answer,
        "area": reading.area,
        "period": _name(reading.period),
        "first": None if reading.period is None else str(reading.period.first),
        "last": None if reading.period is None else str(reading.period.last),
        "value": value,
        "unit": measure.unit,
        "kind": measure.kind,
        "direction": measure.direction,
        "sample": reading.sample,
        "margin": None if measured is None else measured.margin,
        "low": None if measured is None else measured.low,
        "high": None if measured is None else measured.high,
        "margin_words": _describe_margin(reading, measured),
        "before": None if before is None or before.value is None else float(before.value),
        "before_period": "" if before is None else _name(before.period),
        "change": change,
        "change_words": "" if before is None or change is None else _weigh_change(before, reading),
        "question": measure.question,
        "survey": reading.survey,
        "document": reading.document,
        "page": reading.page,
        "note": reading.note,
    }


def _find_earlier(table: IndicatorTable) -> dict[int, Reading]:
    """The reading before each reading that has one, by the identity of the later."""
    series: dict[object, list[Reading]] = {}
    for reading in table.readings:
        if reading.period is not None and reading.value is not None:
            series.setdefault((reading.measure.key, reading.answer, reading.area), []).append(reading)
    found = {}
    for readings in series.values():
        # By their ends: that of a survey is when its fieldwork was over.
        ordered = sorted(readings, key=lambda reading: reading.period.last)  # type: ignore[union-attr]
        found.update({id(later): former for former, later in pairwise(ordered)})
    return found


def _describe_margin(reading: Reading, measured: SurveyMeasure | None) -> str:
    """What is known of how far a figure may be off, for a cell."""
    if reading.measure.kind == "record":
        return "none: counted, not asked"
    if reading.value is None:
        return ""
    if measured is None:
        return "not known: no sample size"
    asked = "" if reading.sample is None else f", {reading.sample:,} asked"
    return f"± {measured.margin:.1f} points{asked}"


def _weigh_change(before: Reading, now: Reading) -> str:
    """Whether a change is more than the margins of error of both readings would explain, for a cell."""
    if now.measure.kind == "record" or now.measure.unit != "percent":
        return ""
    one, other = measure_reading(before), measure_reading(now)
    if one is None or other is None:
        return "not known whether it is more than the margin of error"
    verdict = compare_surveys(one, other).verdict
    return verdict if verdict == "within the margin of error" else f"{verdict} by more than the margin of error"


def _name(span: Span | None) -> str:
    return "" if span is None else name_period(span)


def list_beside(query: Query) -> pd.DataFrame:
    """Readings of the partnership that have recorded crime of the same subject beside them, a row each.

    Columns: those of `list_readings`; crimes (keys of crime types) and crime_words; recorded, the incidents of the same
    period, NaN unless all its months are loaded and the disclosure rule shows each; and recorded_words, why it is not
    known.
    """
    partnership = query.store.partnership
    rows = []
    for table in query.store.indicators:
        frame = list_readings([table])
        for reading, row in zip(table.readings, frame.to_dict("records"), strict=True):
            measure = reading.measure
            known = all(key in partnership.crime_names for key in measure.crimes)
            if not measure.crimes or not known or measure.kind == "record" or reading.value is None:
                continue
            if is_whole(TargetArea(reading.area), partnership):
                rows.append(row | _count_recorded(query, measure, reading.period))
    return pd.DataFrame(rows)


def _count_recorded(query: Query, measure: Measure, period: Span | None) -> dict[str, object]:
    partnership = query.store.partnership
    found: dict[str, object] = {
        "crimes": spell_out(measure.crimes, partnership),
        "crime_words": ", ".join(partnership.name_crime(key) for key in measure.crimes),
        "recorded": float("nan"),
        "recorded_words": "",
    }
    if period is None:
        return found | {"recorded_words": "the year of the survey is not known"}
    selection = Selection.default(query.store).change(crimes=measure.crimes)
    coverage = publish(query).count_coverage(selection, span=period)
    months = publish(query).count_months(selection, Span(query.store.months[0], query.store.months[-1]))
    inside = months[months["month"].between(str(period.first), str(period.last))]
    types = list_withheld(query, period) & set(query.crime_types(selection))
    if types or inside[WITHHELD].any() or hides_total(coverage, publish(query).rule):
        return found | {"recorded_words": RECORDED_WITHHELD}
    if coverage.missing:
        missing = len(coverage.missing)
        some = "1 of its months is" if missing == 1 else f"{missing} of its months are"
        return found | {"recorded_words": f"{some} not loaded" if coverage.loaded else "no month of it is loaded"}
    return found | {"recorded": float(coverage.total)}


def judge_targets(targets: Sequence[TargetTable], tables: Sequence[IndicatorTable]) -> pd.DataFrame:
    """The targets of indicators that are asked or returned now and then, held against their readings.

    A target is measured by the readings of the indicator with its key in its area. Columns: indicator, area, due, then
    those of `analysis.targets.measured.progress_measured`; document and page are the target's. Targets of recorded
    crime are not among them.
    """
    named = {measure.key for table in tables for measure in table.measures}
    asked = [
        target
        for table in targets
        for target in table.targets
        if target.indicator.key in named and not target.indicator.crimes and target.value is not None
    ]
    if not asked:
        return pd.DataFrame()
    readings = pd.concat([_take_readings(number, target, tables) for number, target in enumerate(asked)])
    frame = pd.DataFrame(
        {
            "value": [None if target.value is None else float(target.value) for target in asked],
            "direction": [target.indicator.direction for target in asked],
            "due": [str(target.due.last) for target in asked],
            "unit": [target.indicator.unit for target in asked],
        }
    )
    judged = progress_measured(frame, readings)
    return (
        pd.DataFrame(
            {
                "indicator": [target.indicator.name for target in asked],
                "area": [target.area.name for target in asked],
                "due": [name_period(target.due) for target in asked],
            }
        )
        .join(judged)
        .assign(document=[each.document for each in asked], page=[each.page for each in asked])
    )


def _take_readings(label: int, target: Target, tables: Sequence[IndicatorTable]) -> pd.DataFrame:
    rows = [
        {
            "target": label,
            "month": str(reading.period.last),
            "value": float(reading.value),
            "sample": reading.sample,
            "margin": None if reading.margin is None else float(reading.margin),
        }
        for table in tables
        for reading in table.readings
        if reading.measure.key == target.indicator.key
        and reading.area.casefold() == target.area.name.casefold()
        and reading.period is not None
        and reading.value is not None
    ]
    return pd.DataFrame(rows, columns=["target", "month", "value", "sample", "margin"])
