"""The rule by which texts are cut for a wall: nothing is too long, and nothing gets lost."""

from hypothesis import given
from hypothesis import strategies as st

from cspmap.views.meeting_fit import count_said, cut_text, fit_said, fit_sentences

TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=400), max_size=9)


def test_short_texts_stay_and_long_ones_end_between_words() -> None:
    assert cut_text("Light the underpass", 19) == "Light the underpass"
    assert cut_text("Light the underpass", 18) == "Light the…"
    assert cut_text("Lightheunderpassnow", 10) == "Lightheun…"
    assert cut_text("Light \n the\tunderpass", 30) == "Light the underpass"


@given(st.text(max_size=300), st.integers(5, 200))
def test_a_cut_text_is_never_longer_than_asked(text: str, most: int) -> None:
    assert len(cut_text(text, most)) <= most


@given(TEXTS, st.integers(0, 4), st.integers(0, 5), st.booleans(), st.booleans())
def test_every_sentence_is_shown_or_left_for_who_asks(
    sentences: list[str], figures: int, said: int, notice: bool, beside: bool
) -> None:
    cut = fit_sentences(sentences, figures=figures, said=said, notice=notice, beside=beside)
    if beside:
        assert set(sentences) <= {*cut.shown, *cut.rest}
        # At most nine lines stand beside four figures and what was said last time.
        if figures == 4 and said >= 4 and notice:
            assert sum(len(text) for text in cut.shown) <= 9 * 54
    assert len(cut.shown) <= len(sentences)
    assert bool(sentences) == bool(cut.shown)


def test_a_sentence_that_is_too_long_makes_room_for_the_next() -> None:
    cut = fit_sentences(["Short.", "word " * 150, "Short too."], figures=4, said=4, notice=True, beside=True)
    assert cut.shown == ("Short.", "Short too.")
    assert cut.rest == ("word " * 150,)
    assert fit_sentences(["word " * 300], figures=4, said=4, notice=True, beside=True).shown[0].endswith("…")


def test_what_is_left_above_a_table_can_still_be_asked_for() -> None:
    cut = fit_sentences(["word " * 60, "Two.", "Three."], figures=0, said=0, notice=False, beside=False)
    assert (len(cut.shown), cut.rest) == (2, ("word " * 60, "Three."))


@given(TEXTS)
def test_what_was_said_takes_four_lines_at_most(texts: list[str]) -> None:
    cut = fit_said(texts)
    assert count_said(cut) <= 4
    assert len(cut.shown) + len(cut.rest) == len(texts)
    assert bool(cut.shown) == bool(texts)
