"""The scanning chart as a file: scores with every part they are made of, and the group's decision beside them."""

from collections.abc import Mapping

import pandas as pd

from cspmap.analysis.priorities import CRITERIA, Criterion
from cspmap.partnership import Disclosure
from cspmap.partnership_parts import NO_RULE
from cspmap.periods import Span
from cspmap.views.priority_words import list_sentences

_FIRST = ("rank", "category", "name", "score", "weight_known", "sentence", "choice", "reason", "set_by", "set_at")
# Tenths of an incident and thousandths of a chance: more digits would promise what counts cannot keep.
_DECIMALS = {"score": 1, "weight_known": 3, "share": 4, "rate": 3, "peers": 3, "percent": 1, "p": 4, "projected": 1}
_WHOLE = ("count", "last_year", "now_compared", "low", "high", "months_seen", "months_missing", "months_compared")
_RANKS = ("peers_rank", "peers_number")


def tabulate_chart(
    chart: pd.DataFrame, year: Span, weights: Mapping[Criterion, float], *, rule: Disclosure = NO_RULE
) -> pd.DataFrame:
    """The rows of `scanning.rank_categories` as a file, the highest score first.

    Columns: those of `_FIRST`, the figures behind them (`share` from 0 to 1, `rate` per 1,000 of `per` in
    `year_of_per`, `peers` the rate over the mean of similar partnerships, `harm` the weight of one incident, `rise` the
    chance that the next twelve months hold more), the marks (empty where nobody has set one), for each criterion a part
    from 0 to 1 (`part_volume` ...), its weight (`weight_volume` ...) and the points that it gives (`points_volume` ...,
    which add up to the score), and the year. What is not known is empty. Where the disclosure `rule` withholds counts,
    withheld and withheld_change say which; where it rounds them, rounded_to says how.
    """
    sentences = {key: sentence for key, _, sentence in list_sentences(chart)}
    frame = chart.rename(columns={"known": "weight_known", "who": "set_by", "saved_at": "set_at"})
    frame = frame.reset_index(names="category").assign(sentence=[sentences[str(key)] for key in chart.index])
    parts = {f"part_{name}": 3 for name in CRITERIA}
    points = {f"points_{name}": 2 for name in CRITERIA}
    frame = frame.round({**_DECIMALS, **parts, **points, "rise": 3})
    frame = frame.assign(**{f"weight_{name}": weights.get(name, 0.0) for name in CRITERIA})
    for name in (*_WHOLE, *_RANKS):
        frame[name] = pd.to_numeric(frame[name]).astype("Float64").round().astype("Int64")
    frame["year"] = str(year)
    if rule.rule == "round":
        frame["rounded_to"] = rule.base
    return frame[[*_FIRST, *(column for column in frame if column not in _FIRST)]]
