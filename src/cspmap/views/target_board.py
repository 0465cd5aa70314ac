"""The progress board on a page: lines sorted by how far behind, letters by area, map of ratings and sheets."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
import streamlit as st

from cspmap.analysis.targets.verdict import Rating
from cspmap.board import Board
from cspmap.exports.published import WITHHELD
from cspmap.exports.target_tables import sort_lines
from cspmap.goals import WHOLE
from cspmap.views.map import AreaStyle, Legend, LegendClass
from cspmap.views.palettes import Special
from cspmap.views.words import escape_markdown, join_words

# Light enough for black letters and outlines; told apart by people with any colour vision, and by their letters.
RATING_COLOURS: dict[Rating, str] = {"G": "#9CCFBE", "A": "#F5DD90", "R": "#E58E73"}
RATING_WORDS: dict[Rating, str] = {
    "G": "G: likely to be met, or met",
    "A": "A: could go either way",
    "R": "R: unlikely to be met, or not met",
    "?": "?: cannot be said",
}
# What stands in place of the letter of a line that is withheld.
_HIDDEN = "w"
COLUMNS: dict[str, Any] = {
    "rating": st.column_config.TextColumn("Rating", width=60, pinned=True),
    "indicator": st.column_config.TextColumn("Indicator", pinned=True),
    "area": "Area",
    "value": st.column_config.NumberColumn("Target", format="localized"),
    "actual": st.column_config.NumberColumn("So far", format="localized"),
    "expected": st.column_config.NumberColumn("On course", format="localized"),
    "last_year": st.column_config.NumberColumn("Last year", format="localized"),
    "projected": st.column_config.NumberColumn("Heading for", format="localized"),
    "low": st.column_config.NumberColumn("At least", format="localized"),
    "high": st.column_config.NumberColumn("At most", format="localized"),
    "chance": st.column_config.NumberColumn("Chance of meeting it", format="percent"),
    "words": "In words",
    "how": "How the target came about",
    "document": "Document",
    "page": "Page",
}
FUNNEL_COLUMNS: dict[str, Any] = {
    "name": "Area",
    "people": st.column_config.NumberColumn("Residents", format="localized"),
    "count": st.column_config.NumberColumn("Incidents", format="localized"),
    "expected": st.column_config.NumberColumn("Expected", format="%.0f"),
    "ratio": st.column_config.NumberColumn("Against expected", format="%.0f"),
    "lower_998": st.column_config.NumberColumn("99.8 % from", format="%.0f"),
    "lower_95": st.column_config.NumberColumn("95 % from", format="%.0f"),
    "upper_95": st.column_config.NumberColumn("95 % to", format="%.0f"),
    "upper_998": st.column_config.NumberColumn("99.8 % to", format="%.0f"),
}


def summarise_ratings(lines: pd.DataFrame) -> str:
    """ "Of 11 targets 3 are green (G), 2 amber (A), 5 red (R) and 1 cannot be said (?)."."""
    counts = lines["rating"].mask(lines["status"] == WITHHELD, WITHHELD).value_counts()
    words = {"G": "green (G)", "A": "amber (A)", "R": "red (R)", "?": "not to be said (?)", WITHHELD: "withheld"}
    parts = [f"{counts[letter]} {word}" for letter, word in words.items() if counts.get(letter)]
    noun = "target" if len(lines) == 1 else "targets"
    return f"Of {len(lines)} {noun}: {join_words(parts)}."


def show_lines(lines: pd.DataFrame) -> None:
    """Lines of a board as a table."""
    table = sort_lines(lines)[list(COLUMNS)].round({"expected": 0, "projected": 0, "chance": 2})
    st.dataframe(
        _colour(table, ["rating"]),
        hide_index=True,
        column_config=COLUMNS,
        placeholder="–",
        height="content" if len(table) < 15 else 560,
    )


def show_letters(board: Board) -> None:
    """The ratings of all indicators (rows) in all areas (columns) by their letters; in brackets those of areas that
    carry a target together.
    """
    hidden = board.lines["status"] == WITHHELD
    ratings = zip(board.lines.index, board.lines["rating"].mask(hidden, _HIDDEN), strict=True)
    marks = {
        (label, code): f"({rating})" if "," in codes else rating
        for (label, codes), rating in ratings
        for code in codes.split(",")
    }
    places = [code for code in board.names if any(code == own for _, own in marks)]
    letters = pd.DataFrame(
        [[marks.get((label, code), "") for code in places] for label in board.indicators],
        index=pd.Index(board.indicators.values(), name="Indicator"),
        columns=[board.names[code] for code in places],
    )
    st.dataframe(_colour(letters, list(letters.columns)), height="content")
    if any("," in codes for codes in board.lines.index.get_level_values("code")):
        st.caption("In brackets: areas too small for a target each carry one together.")
    if hidden.any():
        st.caption(f"{_HIDDEN}: withheld, as a count behind it is small or would give a small one away.")


def _colour(table: pd.DataFrame, columns: Sequence[str]) -> "pd.io.formats.style.Styler":
    def paint(letter: object) -> str:
        colour = RATING_COLOURS.get(str(letter).strip("()"))  # type: ignore[call-overload]
        return f"background-color: {colour}; color: #0B1016; font-weight: 600" if colour else ""

    return table.style.map(paint, subset=list(columns))


def show_sheet(lines: pd.DataFrame, *, by: Literal["indicator", "area"]) -> None:
    """A paragraph for each line, the farthest behind first, under its indicator or area, with where it was printed."""
    told = sort_lines(lines).to_dict("records")
    sources = [_tell_source(line["how"], line["document"], line["page"]) for line in told]
    same = len(set(sources)) == 1
    for line, source in zip(told, sources, strict=True):
        heading = f"**{escape_markdown(read_letter(line))} · {escape_markdown(line[by])}**"
        with st.container(gap=None):
            st.markdown(f"{heading}: {escape_markdown(line['sentence'])}")
            if not same:
                st.caption(f"Target: {escape_markdown(source)}")
    if same:
        st.caption(f"{'Target' if len(told) == 1 else 'Each target'}: {escape_markdown(sources[0])}")


def read_letter(line: Mapping[Any, Any]) -> str:
    """The letter of a line's rating, or that it is withheld."""
    return "Withheld" if line["status"] == WITHHELD else str(line["rating"])


def _tell_source(how: str, document: str, page: str) -> str:
    source = ", ".join(part for part in (document, f"page {page}" if page else "") if part)
    return f"{how.removesuffix('.')}. {source}." if source else f"{how.removesuffix('.')}."


def warn(sentence: str) -> None:
    """Say above the figures what to know before anybody reads them, if there is anything."""
    if sentence:
        st.markdown(f":orange-background[:material/warning: {escape_markdown(sentence)}]")


def shade_ratings(board: Board, indicator: str) -> tuple[tuple[AreaStyle, ...], Legend]:
    """The map of one indicator's ratings: a letter on every area, its sentence on hovering."""
    letters = list(RATING_COLOURS)
    styles = []
    for code, line in board.lines.loc[indicator].drop(WHOLE, errors="ignore").iterrows():
        letter = "" if line["status"] == WITHHELD else str(line["rating"])
        fill: int | Special = letters.index(letter) if letter in letters else "missing" if letter else "suppressed"
        note = (str(line["area"]),) if "," in str(code) else ()
        styles += [AreaStyle(one, fill, (*note, str(line["sentence"])), letter) for one in str(code).split(",")]
    classes = tuple(LegendClass(colour, RATING_WORDS[letter]) for letter, colour in RATING_COLOURS.items())
    name = board.indicators[indicator]
    rule = "Rated by the chance of meeting the target: green from two in three, red below one in three."
    return tuple(styles), Legend(f"{name}, {board.span.words}", rule, classes)
