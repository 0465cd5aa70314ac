"""The quality report of a store as tables and sentences."""

import pandas as pd

from cspmap.periods import Month, Span
from cspmap.store import Store
from cspmap.views.words import format_count, format_percent, join_words


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
    return table.set_index("month").reindex(months).rename_axis("month").reset_index()


def summarise_quality(months: pd.DataFrame) -> list[str]:
    """The quality report in sentences, from the table of `list_months`."""
    loaded = months.dropna(subset="recorded")
    rows, recorded = int(loaded["rows"].sum()), int(loaded["recorded"].sum())
    sentences = [f"{format_count(rows)} rows were read for {len(loaded)} months."]
    repeated = int(loaded["repeated"].sum())
    if repeated:
        sentences.append(f"{format_count(repeated)} repeated crime identifiers were dropped, the latest record kept.")
    unlocated = int(loaded["unlocated"].sum())
    if recorded:
        worst = loaded.sort_values("unlocated_percent").iloc[-1]
        sentences.append(
            f"{format_count(unlocated)} incidents ({format_percent(100 * unlocated / recorded)}) have no location; "
            f"at most {format_percent(worst['unlocated_percent'])} in a month ({Month.parse(worst['month']).words})."
        )
    outside = int(loaded["outside"].sum())
    if outside:
        sentences.append(f"{format_count(outside)} lie outside the partnership and are not counted.")
    compared, disagree = int(loaded["lsoa_compared"].sum()), int(loaded["lsoa_disagree"].sum())
    if compared:
        sentences.append(
            f"The published LSOA is another than that of the point for {format_count(disagree)} of "
            f"{format_count(compared)} incidents ({format_percent(100 * disagree / compared)}): points lie on streets, "
            "and streets are borders. Areas are counted by the point."
        )
    vintages = sorted(loaded["lsoa_vintage"].dropna().unique())
    if len(vintages) > 1:
        named = join_words(name.replace("lsoa", "20") for name in vintages)
        sentences.append(f"LSOA codes of different vintages were published ({named}); each month is read by its own.")
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
            "Made from": layer.file.name
            if layer.file
            else f"{store.partnership.find_layer(layer.made_of or '').plural}",
        }
        for layer in store.partnership.layers
    ]
    return pd.DataFrame(rows)
