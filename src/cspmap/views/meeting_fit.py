"""What fits on a wall: the rule by which a screen's texts are cut, so that none ever scrolls.

Lengths are in the unit of the frame's style sheet (web/cspmap-meeting.css), of which a screen is 1920 wide and at least
1020 high below the framework's bar.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

BODY = 826
NOTICE = 40
PICTURE_WIDTH, GAP = 1104, 10
# Of the height beside the words: a map above, a chart or the actions below.
MAP_SHARE, CHART_SHARE = 0.62, 0.35
# The rule of a legend is drawn a tenth smaller, and must be read as well.
TEXT_SIZE = 29

_FIGURE, _SENTENCE, _BETWEEN, _SAID, _ABOUT = 138, 36, 9, 33, 30
_SENTENCE_LETTERS, _BOLD_LETTERS, _SAID_LETTERS = 54, 51, 58
_LONG_LINE = 125
# Of what was said last time; its heading and what is said today have one line each besides.
SAID_LINES = 4


@dataclass(frozen=True)
class Cut:
    """Sentences that are shown, and those that are left for whoever asks."""

    shown: tuple[str, ...]
    rest: tuple[str, ...]


def fit_sentences(sentences: Sequence[str], *, figures: int, said: int, notice: bool, beside: bool) -> Cut:
    """The sentences that fit between some figures and so many lines of what was said, whole ones only.

    The first is cut where it alone is too long. `beside` is whether they stand beside a picture; above a table there is
    room for two lines that are longer.
    """
    if not beside:
        told = tuple(cut_text(sentence, _LONG_LINE) for sentence in sentences[:2])
        return Cut(told, tuple(sentence for sentence in sentences if sentence not in told))
    height = BODY - NOTICE * notice - _FIGURE * math.ceil(figures / 2) - _SAID * (said + 2) - _ABOUT
    shown: list[str] = []
    rest: list[str] = []
    for sentence in sentences:
        letters = _SENTENCE_LETTERS if shown else _BOLD_LETTERS
        text = sentence if shown else cut_text(sentence, letters * max(1, height // _SENTENCE - 1))
        need = _count_lines(text, letters) * _SENTENCE + _BETWEEN
        fits = need <= height
        if fits:
            height -= need
            shown.append(text)
        if not fits or text != sentence:
            rest.append(sentence)
    return Cut(tuple(shown), tuple(rest))


def fit_said(texts: Sequence[str]) -> Cut:
    """What was said last time as it fits, and what is left of it."""
    short = [cut_text(text, 2 * _SAID_LETTERS - 6) for text in texts]
    lines, shown = SAID_LINES, 0
    for number, text in enumerate(short):
        lines -= _count_lines(text, _SAID_LETTERS)
        # Room for "and 2 more" unless this is the last of them.
        if lines < (number + 1 < len(short)):
            break
        shown = number + 1
    return Cut(tuple(short[:shown]), tuple(short[shown:]))


def count_said(cut: Cut) -> int:
    """How many lines that takes."""
    return sum(_count_lines(text, _SAID_LETTERS) for text in cut.shown) + bool(cut.rest)


def _count_lines(text: str, letters: int) -> int:
    """How many lines a text takes where words are not divided."""
    lines, used = 1, 0
    for word in text.split():
        size = len(word)
        if used and used + 1 + size > letters:
            lines, used = lines + 1, 0
        lines += size // letters
        used = used + 1 + size if used else size % letters if size > letters else size
    return lines


def cut_text(text: str, most: int) -> str:
    """A text without the end where it is long, between words where that can be."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    start = text[: most - 1]
    space = start.rfind(" ")
    return f"{start[:space] if space >= most // 2 else start}…"
