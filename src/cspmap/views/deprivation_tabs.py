"""The tabs of the deprivation page: chart, sentence, table and file of each question."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from cspmap.deprivation_view import (
    DeprivationChoice,
    DeprivationGround,
    DeprivationPicture,
    compare_editions,
    make_picture,
    read_ground,
)
from cspmap.exports.deprivation_files import tabulate_editions, tabulate_fifths, tabulate_picture
from cspmap.exports.extract import write_csv
from cspmap.partnership import Disclosure
from cspmap.query import Query
from cspmap.views.deprivation_charts import (
    draw_curve,
    draw_fifths,
    draw_scatter,
    name_points,
    shape_funnel,
)
from cspmap.views.deprivation_map import find_class
from cspmap.views.deprivation_words import (
    FIFTH_NAMES,
    STANDINGS,
    WITHHELD_WHOLE,
    describe_curve,
    describe_fifths,
    describe_standing,
    describe_worth,
    name_class,
)
from cspmap.views.palettes import bivariate_palette, faded_palette
from cspmap.views.tables import name_withheld
from cspmap.views.target_charts import draw_funnel
from cspmap.views.words import escape_markdown, join_words, name_crimes

MOST_TOLD = 6
_HEIGHT = 330


@st.cache_resource(max_entries=128, show_spinner=False)
def _make(_query: Query, version: str, choice: DeprivationChoice) -> DeprivationPicture:
    ground = _read_ground(_query, version, choice.level, choice.edition, choice.domain)
    return make_picture(_query, ground, choice)


@st.cache_resource(max_entries=64, show_spinner=False)
def _read_ground(_query: Query, version: str, level: str, edition: int, domain: str) -> DeprivationGround:
    return read_ground(_query, level, edition, domain)


def load_picture(query: Query, choice: DeprivationChoice) -> DeprivationPicture:
    """The picture of a choice, worked out once and shared by all viewers."""
    return _make(query, query.store.version, choice)


def list_columns(picture: DeprivationPicture) -> dict[str, Any]:
    """The columns of the table of areas, as far as this level and edition have them."""
    columns = {
        "name": st.column_config.TextColumn("Area", pinned=True),
        "class": st.column_config.TextColumn("Class"),
        "count": st.column_config.NumberColumn("Incidents", format="localized"),
        "rate": st.column_config.NumberColumn(f"Per 1,000 {picture.per.name}", format="%.1f"),
        "score": st.column_config.NumberColumn("Deprivation score", format="%.3g" if _small(picture) else "%.1f"),
        "rank": st.column_config.NumberColumn("Rank in England", format="localized"),
        "decile": st.column_config.NumberColumn("Decile"),
        "tenth": st.column_config.NumberColumn("In most deprived tenth", format="percent"),
        "fifth": st.column_config.NumberColumn("In most deprived fifth", format="percent"),
        "expected": st.column_config.NumberColumn("Usual for as deprived", format="%.0f"),
        "ratio": st.column_config.NumberColumn("Times usual", format="%.2f"),
        "worth": st.column_config.TextColumn("Evidence"),
        "hidden": st.column_config.TextColumn("Withheld"),
    }
    # Of an LSOA itself the shares are all or nothing, and say less than its decile.
    left_out = {"tenth", "fifth"} if picture.areas["decile"].notna().any() else {"rank", "decile"}
    if picture.areas["score"].isna().all():
        left_out.add("score")
    if not picture.areas["withheld"].any():
        left_out.add("hidden")
    return {name: column for name, column in columns.items() if name not in left_out}


def _small(picture: DeprivationPicture) -> bool:
    return bool(picture.areas["score"].abs().max() < 2)


def show_table(picture: DeprivationPicture, shown: Sequence[int]) -> None:
    """The areas of the classes that are shown, the most deprived first."""
    cells, gone = picture.crossed.cells, picture.areas["withheld"]
    named = [name_class(int(cell)) if cell >= 0 else "Not known" for cell in cells]
    areas = picture.areas.assign(
        worth=picture.areas["standing"].map(STANDINGS).mask(gone, "Withheld"),
        hidden=[name_withheld(flag, False) for flag in gone],
        **{"class": pd.Series(named, index=gone.index).mask(gone, "Withheld")},
    )
    if shown:
        areas = areas[[int(cell) in shown for cell in cells]]
    columns = list_columns(picture)
    table = areas.sort_values("deprived", ascending=False, kind="stable")[list(columns)]
    st.dataframe(table, hide_index=True, column_config=columns, height=_HEIGHT, placeholder="–")


def show_area(picture: DeprivationPicture, code: str | None) -> None:
    """What the map comes to for one area, or the areas that stand out most."""
    areas = picture.areas
    if code is not None:
        row = areas[areas["code"] == code].iloc[0]
        cell = find_class(picture, code)
        st.subheader(escape_markdown(str(row["name"])), anchor=False)
        st.caption(name_class(cell) if cell is not None else "Withheld" if row["withheld"] else "Class not known")
        st.write(escape_markdown(f"{describe_standing(row)} {describe_worth(row['standing'])}"))
        return
    st.markdown("**More or less than places as deprived usually see**")
    beyond = areas[areas["standing"].isin(["far more", "far fewer"])]
    beyond = beyond.sort_values("ratio", ascending=False, kind="stable")
    if beyond.empty and areas["withheld"].any():
        st.write("No area whose count is shown stands out: all are within what such areas usually differ by.")
        return
    if beyond.empty:
        st.write("No area stands out: all are within what such areas usually differ by.")
        return
    st.markdown(list_standings(beyond.iloc[:MOST_TOLD]))
    more = f"{len(beyond) - MOST_TOLD} more do. " if len(beyond) > MOST_TOLD else ""
    st.caption(f"{more}Of areas that differ as usual, 1 in 500 would stand out so.")


def list_standings(areas: pd.DataFrame) -> str:
    """A sentence on each of some areas, as a list."""
    return "\n".join(f"- {escape_markdown(describe_standing(row))}" for _, row in areas.iterrows())


def show_scatter(picture: DeprivationPicture, *, faded: bool, area: str | None) -> None:
    """Every area as a point, named where it stands out."""
    points = name_points(picture, colours=faded_palette() if faded else bivariate_palette(), area=area)
    if points.empty:
        st.write(f"No area has both figures.{count_withheld(picture)}")
        return
    draw_scatter(points, picture).show()
    st.caption(
        "Colours as on the map. Of many areas those are named that differ most from what is usual for places as "
        f"deprived.{count_withheld(picture)}"
    )


def count_withheld(picture: DeprivationPicture) -> str:
    """How many areas a chart leaves out as their count is withheld; empty where none is."""
    number = int(picture.areas["withheld"].sum())
    verb = "is" if number == 1 else "are"
    return f" {number} of {len(picture.areas)} {verb} left out: their counts are withheld." if number else ""


def show_fifths(query: Query, picture: DeprivationPicture, caveats: Sequence[str]) -> None:
    """Rates by fifth of England, with what is left open by chance."""
    st.write(escape_markdown(describe_fifths(picture)))
    draw_fifths(picture).show()
    table = picture.fifths.reset_index()
    table = table.assign(fifth=[FIFTH_NAMES[int(fifth) - 1] for fifth in table["fifth"]])
    columns = {
        "fifth": st.column_config.TextColumn("Fifth of England", pinned=True),
        "places": st.column_config.NumberColumn("LSOAs"),
        "people": st.column_config.NumberColumn(picture.per.name.capitalize(), format="localized"),
        "count": st.column_config.NumberColumn("Incidents", format="localized"),
        "rate": st.column_config.NumberColumn("Per 1,000", format="%.1f"),
        "low": st.column_config.NumberColumn("from", format="%.1f"),
        "high": st.column_config.NumberColumn("to", format="%.1f"),
        "usual": st.column_config.NumberColumn("Usual", format="%.1f", help="The rate without its extremes."),
    }
    if table["withheld"].any():
        table["hidden"] = [name_withheld(flag, False) for flag in table["withheld"]]
        columns["hidden"] = st.column_config.TextColumn("Withheld")
    st.dataframe(table[list(columns)].round({"people": 0}), hide_index=True, column_config=columns, placeholder="–")
    offer_csv(
        "fifths",
        picture,
        caveats,
        lambda: tabulate_fifths(picture, *_name(query, picture), rule=_rule(query)),
    )


def show_curve(picture: DeprivationPicture) -> None:
    """How unequally incidents fall, as a curve and in one figure."""
    if picture.withheld:
        st.write(WITHHELD_WHOLE)
        return
    st.write(escape_markdown(describe_curve(picture.curve, picture.per.name)))
    if picture.curve.incidents > 0:
        draw_curve(picture.curve, per=picture.per.name).show()
    st.caption(
        "LSOAs from the most deprived to the least. Above the dashed line, deprived places see more than their share; "
        "the index is minus twice the area between the two: 0 is even, −1 is everything in the most deprived place. "
        "Its range tells how far it hangs on a few places."
    )


def show_usual(picture: DeprivationPicture) -> None:
    """The funnel of areas beside what is usual for places as deprived, and a sentence on each that stands out."""
    funnel = shape_funnel(picture)
    if funnel.areas.empty:
        st.write(f"What is usual for places as deprived is not known for any area here.{count_withheld(picture)}")
        return
    draw_funnel(funnel, per="deprivation", expected="Incidents usual for places as deprived", height=430).show()
    st.caption(
        "Inside the dashed lines are 95 % of areas, inside the full ones 99.8 %, if areas differ by chance and no more "
        "than areas here usually do. Of many areas those outside the dashed lines are named."
        f"{count_withheld(picture)}"
    )
    beyond = picture.areas[~picture.areas["standing"].isin(["as usual", "not known"])]
    st.markdown(list_standings(beyond.sort_values("ratio")[::-1]) or "No area is outside the dashed lines.")


PLACED_BY = {
    "score": "score",
    "rank": "rank",
    "fifth": "the share of residents in England's most deprived fifth",
}


def show_editions(query: Query, picture: DeprivationPicture, caveats: Sequence[str]) -> None:
    """Where areas stand in each edition, side by side."""
    editions = compare_editions(query, picture.choice.level)
    st.write(
        "Where areas stand among each other in each edition, all domains together; 1 is the most deprived. Scores of "
        "two editions are on different scales and are not compared."
    )
    # A rank is that of the score: places by either are alike.
    if editions["kind"].isin(["score", "rank"]).any() and editions["kind"].eq("fifth").any():
        by = editions.groupby("edition")["kind"].first().map(PLACED_BY)
        told = "; ".join(f"those of {edition} go by {words}" for edition, words in by.items())
        warning = f"Places are not alike: {told}. A move between the editions may be no more than that."
        st.markdown(f":orange-background[:material/warning: {escape_markdown(warning)}]")
    changed = sorted(editions.loc[editions["place"].isna(), "name"])
    if changed:
        st.caption(
            escape_markdown(
                f"No place in an edition of other boundaries, as they changed since: {join_words(changed)}. All others "
                "kept theirs, and have the figures published for them."
            )
        )
    named = {"score": "score", "fifth": "in most deprived fifth", "place": "place"}
    wide = editions.pivot(index=["code", "name"], columns="edition", values=list(named))
    wide = wide.dropna(axis=1, how="all")
    columns: dict[str, Any] = {"name": st.column_config.TextColumn("Area", pinned=True)}
    table = pd.DataFrame({"name": wide.index.get_level_values("name")})
    for edition in sorted(editions["edition"].unique(), reverse=True):
        for figure in ("place", "score", "fifth"):
            if (figure, edition) in wide:
                key = f"{figure}-{edition}"
                table[key] = wide[figure, edition].to_numpy(dtype=float)
                form = {"place": "%d", "score": "%.1f", "fifth": "percent"}[figure]
                of = f" of {int(table[key].notna().sum())}" if figure == "place" else ""
                columns[key] = st.column_config.NumberColumn(f"{edition}: {named[figure]}{of}", format=form)
    first = list(columns)[1] if len(columns) > 1 else "name"
    st.dataframe(table.sort_values(first), hide_index=True, column_config=columns, height=_HEIGHT, placeholder="–")
    offer_csv("editions", picture, caveats, lambda: tabulate_editions(editions))


def offer_areas(query: Query, picture: DeprivationPicture, caveats: Sequence[str]) -> None:
    """The table of areas as a file."""
    offer_csv(
        "areas",
        picture,
        caveats,
        lambda: tabulate_picture(picture, *_name(query, picture), rule=_rule(query)),
    )


def offer_csv(what: str, picture: DeprivationPicture, caveats: Sequence[str], tabulate: Any) -> None:
    """A table as CSV, with the caveats in it."""
    choice = picture.choice
    st.download_button(
        "CSV",
        lambda: write_csv(tabulate(), caveats),
        file_name=f"deprivation-{choice.edition}-{what}-{choice.level}-{choice.span.first}-to-{choice.span.last}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"csv-{what}",
    )


def _rule(query: Query) -> Disclosure:
    return query.store.partnership.disclosure


def _name(query: Query, picture: DeprivationPicture) -> tuple[str, str]:
    partnership = query.store.partnership
    return partnership.place, name_crimes(picture.choice.selection, partnership)
