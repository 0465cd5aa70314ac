"""Comparisons as files: the figures of the page with what must travel with them in columns."""

from collections.abc import Sequence

import pandas as pd

from cspmap.exports.area_figures import Figures
from cspmap.exports.extract import RATE_DECIMALS, count_whole
from cspmap.partnership import Partnership
from cspmap.peers import Beside, Peers
from cspmap.selection import Selection
from cspmap.views.compare_words import name_among
from cspmap.views.words import name_crimes

_DIGITS_OF_P = 3
_RATES = ("rate", "low", "high", "mean", "lower", "upper")
_WHOLE = ("count", "before", "people")


def tabulate_members(peers: Peers, partnership: Partnership) -> pd.DataFrame:
    """A comparison of partnerships as a file: a row a partnership, the highest rate first.

    `rate_low` and `rate_high` are the 95 % interval of the rate, `rank_first` and `rank_last` the ranks that chance
    leaves open, `percent` the published change, empty where it is not given.
    """
    group = partnership.recorded_crime
    frame = peers.members.reset_index().assign(
        mean=peers.bounds.mean,
        lower=peers.bounds.lower,
        upper=peers.bounds.upper,
        offence=peers.offence.name,
        rate_per=f"1,000 {peers.offence.per}",
        year=str(peers.year),
        compared_with=name_among(peers.among, partnership),
        source="" if group is None else group.source,
    )
    return _round(frame).rename(
        columns={
            "low": "rate_low",
            "high": "rate_high",
            "first": "rank_first",
            "last": "rank_last",
            "lower": "lower_bound",
            "upper": "upper_bound",
            "mean": "mean_rate",
        }
    )


def tabulate_offences(offences: pd.DataFrame, peers: Peers, partnership: Partnership) -> pd.DataFrame:
    """The partnership's line in every offence (`peers.compare_offences`) as a file."""
    group = partnership.recorded_crime
    frame = offences.assign(
        year=str(peers.year),
        compared_with=name_among(peers.among, partnership),
        source="" if group is None else group.source,
    )
    return _round(frame).rename(
        columns={
            "low": "rate_low",
            "high": "rate_high",
            "lower": "lower_bound",
            "upper": "upper_bound",
            "mean": "mean_rate",
            "number": "rank_of",
        }
    )


def tabulate_sources(found: Sequence[Beside], partnership: Partnership) -> pd.DataFrame:
    """Recorded crime beside the incidents loaded for the same months as a file: a row a year.

    `difference` is incidents less recorded crime, `percent` that in per cent of recorded crime; both are empty unless
    all months are loaded. Incidents are all but anti-social behaviour; `without_location` are the force's anywhere.
    """
    group = partnership.recorded_crime
    hides = partnership.disclosure.rule == "suppress"
    frame = pd.DataFrame(
        {
            "period": [str(beside.span) for beside in found],
            "recorded_crime": [beside.recorded for beside in found],
            "incidents_loaded": [
                None if beside.withheld or not beside.loaded.loaded else beside.loaded.total for beside in found
            ],
            "months_loaded": [beside.loaded.loaded for beside in found],
            "months_missing": [len(beside.loaded.missing) for beside in found],
            "without_location": [beside.loaded.unlocated for beside in found],
            "difference": [beside.difference for beside in found],
            "percent": [beside.percent for beside in found],
            **({"withheld": [beside.withheld for beside in found]} if hides else {}),
            "source": "" if group is None else group.source,
        }
    )
    for column in ("recorded_crime", "incidents_loaded", "difference"):
        frame[column] = count_whole(pd.to_numeric(frame[column]))
    return frame.astype({"percent": float}).round({"percent": 2})


def tabulate_ranked(
    areas: pd.DataFrame, selection: Selection, partnership: Partnership, figures: Figures
) -> pd.DataFrame:
    """The partnership's own areas beside each other (`peers.rank_areas`) as a file: a row an area.

    Where the disclosure rule withholds counts, withheld and withheld_before say which; where it rounds, rounded_to how.
    """
    ranked = ["code", "name", "count", "denominator", "rate", "low", "high", "rank", "first", "last"]
    columns = [*ranked, "before", "percent", "p", "verdict"]
    frame = areas[columns].rename(columns={"denominator": "people"})
    frame = frame.assign(
        rate_per=f"1,000 {figures.per.name} ({figures.per.year})",
        population_method=areas["denominator_method"],
        period=str(selection.span),
        months_missing=len(figures.now.missing),
        compared_with=str(selection.before),
        months_missing_before=len(figures.before.missing),
        crimes=name_crimes(selection, partnership),
    )
    if partnership.disclosure.rule == "suppress":
        frame = frame.assign(withheld=areas["withheld"], withheld_before=areas["withheld_before"])
    elif partnership.disclosure.rule == "round":
        frame = frame.assign(rounded_to=partnership.disclosure.base)
    return _round(frame).rename(
        columns={"low": "rate_low", "high": "rate_high", "first": "rank_first", "last": "rank_last"}
    )


def _round(frame: pd.DataFrame) -> pd.DataFrame:
    """Counts whole, rates with as many decimals as an extract's, changes with two."""
    rounded = frame.copy()
    for column in (name for name in _WHOLE if name in rounded):
        rounded[column] = count_whole(rounded[column])
    decimals = dict.fromkeys(_RATES, RATE_DECIMALS) | dict.fromkeys(("percent", "percent_low", "percent_high"), 2)
    rounded = rounded.round({name: digits for name, digits in decimals.items() if name in rounded})
    if "p" in rounded:
        rounded["p"] = rounded["p"].map(lambda p: float(f"{p:.{_DIGITS_OF_P}g}"), na_action="ignore")
    return rounded
