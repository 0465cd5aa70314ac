"""An operation with everything in it."""

from datetime import date

from cspmap.operations import (
    Action,
    CrimeGoal,
    Decision,
    Operation,
    Outline,
    SurveyGoal,
    SurveyResult,
    Units,
)
from cspmap.periods import Month, Span

SQUARE = Outline(((((-0.5, 51.5), (-0.25, 51.5), (-0.25, 51.75), (-0.5, 51.75), (-0.5, 51.5)),),))

OCTANS = Operation(
    name="Octans",
    aim="Cut crime in High Town, raise trust, reduce fear.",
    goals=(CrimeGoal(("robbery", "burglary"), -20), SurveyGoal("Confidence in the police", "at least", 62.5)),
    lead="Insp. Áine O'Brien",
    status="running",
    start=date(2023, 1, 1),
    end=date(2023, 12, 31),
    area=Units("lsoa", ("E01015700", "E01015701")),
    buffer_metres=300,
    comparison_areas=(Units("lsoa", ("E01015720",)), SQUARE),
    chosen_on=Span(Month(2022, 1), Month(2022, 12)),
    notes="=cmd()|<script>alert(1)</script>\r\n\x00\t\u202e",
    actions=(
        Action("Light the underpass", "Council", date(2023, 2, 1), "done", date(2023, 1, 9)),
        Action("Visit every shop"),
    ),
    decisions=(Decision("Patrol after ten", "Robberies peak then", date(2023, 1, 9), "JAG"),),
    id="0c7a5c7a50c7a5c7a50c7a5c7a50c7a5",
    surveys=(SurveyResult("Confidence in the police", 58.1, date(2022, 11, 5), 412, "Taking everything …?", "Survey"),),
)
