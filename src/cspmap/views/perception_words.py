"""What people said, in sentences: each figure with its margin of error, or that nobody knows it."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from cspmap.views.words import join_words

NOT_PRINTED = "not printed"
# What stands wherever a survey and recorded crime are seen together.
APART = (
    "They do not measure the same. A survey asks how people see their area, recorded crime counts what the police "
    "recorded; either can move without the other."
)


def format_value(value: float | None, unit: str) -> str:
    """45, "percent" -> "45 %"; -15, "change" -> "−15 %"; 693, "count" -> "693"; missing -> "not printed"."""
    if value is None or pd.isna(value):
        return NOT_PRINTED
    text = f"{abs(value):,.2f}".rstrip("0").rstrip(".")
    if unit == "change":
        return f"{'+' if value > 0 else '−' if value < 0 else ''}{text} %"
    return f"{text} %" if unit == "percent" else text


def name_series(row: Mapping[Any, Any]) -> str:
    """What a figure is of: "Litter (very or fairly big problem)", with the area where that matters."""
    answer = str(row["answer"])
    return f"{row['name']} ({answer[:1].lower()}{answer[1:]})" if answer else str(row["name"])


def describe_series(rows: pd.DataFrame) -> str:
    """One series of `perceptions.list_readings` in a sentence: its latest figure, and how that came about.

    "Litter: 37 % in 2008, from 51 % in 2006 and 62 % in 2003. Not known whether the last change is more than ..."
    """
    known = rows[rows["value"].notna()].sort_values("last", kind="stable")
    first = rows.iloc[0]
    name = name_series(first.to_dict())
    if known.empty:
        return f"{name}: no figure is printed."
    latest = known.iloc[-1]
    when = f" in {latest['period']}" if latest["period"] else ", the year not printed"
    margin = f" ({latest['margin_words']})" if pd.notna(latest["margin"]) else ""
    earlier = known.iloc[-2::-1].to_dict("records") if len(known) > 1 else []
    before = [f"{format_value(row['value'], row['unit'])} in {row['period']}" for row in earlier]
    since = f", from {join_words(before)}" if before else ""
    worth = str(latest["change_words"])
    last = f" The last change is {worth}." if worth and not worth.startswith("not known") else ""
    return f"{name}: {format_value(latest['value'], latest['unit'])}{when}{margin}{since}.{last}"


def describe_margins(rows: pd.DataFrame) -> str:
    """What is known of the margins of error of some readings, once for all of them."""
    asked = rows[(rows["kind"] == "survey") & rows["value"].notna()]
    if asked.empty:
        return ""
    unknown = int(asked["margin"].isna().sum())
    if not unknown:
        return "Ranges are 95 % margins of error; a change is told from chance by the margins of both figures."
    which = "None of these figures has" if unknown == len(asked) else f"{unknown} of {len(asked)} figures have"
    return (
        f"{which} a known margin of error, for no sample size is printed; whether a change in them is more than chance "
        "is not known."
    )


def describe_questions(rows: pd.DataFrame) -> list[str]:
    """The wording of each question that was put to people, where it is printed."""
    asked = rows[(rows["kind"] == "survey")].drop_duplicates("indicator")
    known = [f"{row['name']}: asked as “{row['question']}”" for _, row in asked.iterrows() if row["question"]]
    if len(asked) and not known:
        return ["The wording of the question is not printed."]
    return known


def list_sources(rows: pd.DataFrame) -> list[str]:
    """Where the readings are from: document and page, or the survey; each once."""
    found = dict.fromkeys(
        ", ".join(part for part in (row["document"] or row["survey"], _page(str(row["page"]))) if part)
        for _, row in rows.iterrows()
    )
    return list(found)


def _page(page: str) -> str:
    return f"page {page}" if page[:1].isdigit() else page


def describe_said(row: Mapping[Any, Any], place: str) -> str:
    """ "Litter (very or fairly big problem): 37 % in Luton in 2008." for one reading."""
    when = f" in {row['period']}" if row["period"] else " in a year that is not printed"
    return f"{name_series(row)}: {format_value(row['value'], str(row['unit']))} in {place}{when}."


def describe_beside(row: Mapping[Any, Any], place: str) -> str:
    """One reading, and what was recorded of the same subject in the same months."""
    said = describe_said(row, place)
    if pd.isna(row["recorded"]):
        return f"{said} Recorded {row['crime_words']}: not known beside it, as {row['recorded_words']}."
    return f"{said} Recorded {row['crime_words']} in the same months: {row['recorded']:,.0f} incidents."
