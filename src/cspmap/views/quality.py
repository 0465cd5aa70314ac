"""The quality report of a store as tables and sentences."""

import pandas as pd

from cspmap.partnership import Layer, Partnership
from cspmap.periods import Month, Span
from cspmap.store import Store
from cspmap.views.words import count_incidents, format_count, format_percent, join_words

_SUMMED = ("rows", "repeated", "recorded", "outside", "unlocated", "lsoa_compared", "lsoa_disagree")
_MIXED = "both"
# LSOAs are drawn anew after a census.
_CENSUSES = {"lsoa11": "2011", "lsoa21": "2021", "mixed": _MIXED}


def list_months(store: Store) -> pd.DataFrame:
    """Every month from the first loaded to the last; a missing month has a row without figures.

    The columns of the store's `months` table, and unlocated_percent (of incidents recorded) and disagree_percent (of
    incidents whose published LSOA can be held against that of their point).
    """
    table = store.read_table("months")
    table["unlocated_percent"] = 100 * table["unlocated"] / table["recorded"]
    compared = table["lsoa_compared"].where(table["lsoa_compared"] > 0)
    table["disagree_percent"] = 100 * table["lsoa_disagree"] / compared
    months = [str(month) for month in Span(store.months[0], store.months[-1])]
    table["lsoa_vintage"] = table["lsoa_vintage"].map(_CENSUSES)
    return table.set_index("month").reindex(months).rename_axis("month").reset_index()


def summarise_quality(months: pd.DataFrame) -> list[str]:
    """The quality report in sentences, from the table of `list_months`."""
    loaded = months.dropna(subset="recorded")
    sums = {name: int(loaded[name].sum()) for name in _SUMMED}
    months_read = "1 month" if len(loaded) == 1 else f"{len(loaded)} months"
    return [
        f"{format_count(sums['rows'])} rows were read for {months_read}.",
        *_describe_repeated(sums["repeated"]),
        *_describe_unlocated(loaded, sums["unlocated"], sums["recorded"]),
        *_describe_outside(sums["outside"]),
        *_describe_disagreement(sums["lsoa_disagree"], sums["lsoa_compared"]),
        *_describe_vintages(set(loaded["lsoa_vintage"].dropna())),
    ]


def _describe_repeated(repeated: int) -> list[str]:
    if not repeated:
        return []
    what = "1 repeated crime identifier was" if repeated == 1 else f"{repeated:,} repeated crime identifiers were"
    return [f"{what} dropped, the latest record kept."]


def _describe_unlocated(loaded: pd.DataFrame, unlocated: int, recorded: int) -> list[str]:
    if not recorded:
        return []
    if not unlocated:
        return ["No incident was published without a location."]
    worst = loaded.dropna(subset="unlocated_percent").sort_values("unlocated_percent").iloc[-1]
    return [
        f"{count_incidents(unlocated)} ({format_percent(100 * unlocated / recorded)}) "
        f"{'has' if unlocated == 1 else 'have'} no location; at most {format_percent(worst['unlocated_percent'])} "
        f"in a month ({Month.parse(worst['month']).words})."
    ]


def _describe_outside(outside: int) -> list[str]:
    if not outside:
        return []
    verbs = "lies outside the partnership and is" if outside == 1 else "lie outside the partnership and are"
    return [f"{count_incidents(outside)} {verbs} not counted."]


def _describe_disagreement(disagree: int, compared: int) -> list[str]:
    if not compared:
        return []
    return [
        f"The published LSOA differs from that of the point for {format_count(disagree)} of "
        f"{count_incidents(compared)} ({format_percent(100 * disagree / compared)}): points lie on streets, "
        "and streets are borders. Areas are counted by the point."
    ]


def _describe_vintages(vintages: set[str]) -> list[str]:
    years = sorted(vintages - {_MIXED})
    sentences = []
    if len(years) > 1:
        sentences.append(
            f"LSOA codes of different censuses were published ({join_words(years)}); each month is read by its own."
        )
    if _MIXED in vintages:
        sentences.append(
            "Some months mix LSOA codes of 2011 and 2021; these are not held against the LSOA of the point."
        )
    return sentences


def list_levels(store: Store) -> pd.DataFrame:
    """The levels with how many areas and hectares each has, and how the areas came about."""
    hectares = store.areas.groupby("layer")["hectares"]
    sizes, sums = hectares.size().to_dict(), hectares.sum().to_dict()
    rows = [
        {
            "Level": layer.name,
            "Areas": sizes[layer.key],
            "Hectares": round(sums[layer.key], 1),
            "Made from": _name_origin(layer, store.partnership),
        }
        for layer in store.partnership.layers
    ]
    return pd.DataFrame(rows)


def _name_origin(layer: Layer, partnership: Partnership) -> str:
    return layer.file.name if layer.file else partnership.find_layer(layer.made_of or "").plural
