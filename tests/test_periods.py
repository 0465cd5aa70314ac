import calendar
from datetime import date

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cspmap.errors import UserError
from cspmap.periods import Comparison, Month, Span, name_months

months = st.builds(Month, st.integers(1950, 2150), st.integers(1, 12))
spans = st.builds(Span.ending, months, months=st.integers(1, 100))


@given(months)
def test_a_month_reads_back_from_its_text_and_its_number(month: Month) -> None:
    assert Month.parse(str(month)) == month
    assert Month.from_ordinal(month.ordinal) == month


@given(months, months)
def test_texts_sort_as_months_do(one: Month, other: Month) -> None:
    assert (str(one) < str(other)) == (one < other) == (one.ordinal < other.ordinal)


@given(months, st.integers(-500, 500))
def test_months_added_are_taken_away_again(month: Month, step: int) -> None:
    assert (month + step) - step == month
    assert (month + step).ordinal - month.ordinal == step


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2024", "'2024' is not a month; write it as YYYY-MM, such as 2024-04."),
        ("04/2024", "'04/2024' is not a month; write it as YYYY-MM, such as 2024-04."),
        ("2024-4", "'2024-4' is not a month; write it as YYYY-MM, such as 2024-04."),
        ("2024-13", "There is no month 13 of 2024; write it as YYYY-MM."),
        ("2024-00", "There is no month 0 of 2024; write it as YYYY-MM."),
        ("0204-01", "There is no month 1 of 204; write it as YYYY-MM."),
    ],
)
def test_what_is_no_month_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        Month.parse(text)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "year"),
    [("2005-03", "2004-05"), ("2005-04", "2005-06"), ("1999-12", "1999-00"), ("2009-01", "2008-09")],
)
def test_financial_years_run_from_april_to_march(text: str, year: str) -> None:
    assert Month.parse(text).financial_year == year


def test_words_and_first_day() -> None:
    month = Month.parse(" 2024-04 ")
    assert month.words == "April 2024"
    assert month.first_day == date(2024, 4, 1)


def test_words_are_english_whatever_the_locale_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calendar, "month_name", [""] + ["mois"] * 12)
    assert Month(2024, 4).words == "April 2024"


@given(spans)
def test_a_span_reads_back_from_its_text_and_holds_its_months(span: Span) -> None:
    assert Span.parse(str(span)) == span
    held = list(span)
    assert len(held) == len(span)
    assert (held[0], held[-1]) == (span.first, span.last)
    assert all(month in span for month in held)
    assert span.first - 1 not in span
    assert span.last + 1 not in span
    assert str(span.first) not in span


@given(spans, st.sampled_from(["previous", "last-year"]))
def test_a_comparison_is_as_long_and_clear_of_the_span(span: Span, comparison: Comparison) -> None:
    before = span.compare_with(comparison)
    assert len(before) == len(span)
    assert before.last < span.first


@given(spans)
def test_the_previous_span_touches_and_last_year_keeps_the_calendar_months(span: Span) -> None:
    assert span.compare_with("previous").last + 1 == span.first
    assert span.compare_with("last-year").first.month == span.first.month


@given(spans)
def test_up_to_a_year_last_year_is_exactly_a_year_before(span: Span) -> None:
    assume(len(span) <= 12)
    assert span.compare_with("last-year") == span.shift(-12)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2024-04..2024-04", "April 2024"),
        ("2024-04", "April 2024"),
        ("2023-05..2024-04", "year to April 2024"),
        ("2023-05..2023-06", "May 2023 to June 2023"),
        ("2021-05..2024-04", "May 2021 to April 2024"),
    ],
)
def test_spans_in_words(text: str, words: str) -> None:
    assert Span.parse(text).words == words


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("April 2024", "'April 2024' is not a period; write it as YYYY-MM..YYYY-MM."),
        ("2024-13", "There is no month 13 of 2024; write it as YYYY-MM."),
        ("x" * 5000, f"'{'x' * 59}…' is not a period; write it as YYYY-MM..YYYY-MM."),
        ("2024-04..2023-05", "The period ends (May 2023) before it starts (April 2024)."),
        ("2024-04..later", "'later' is not a month; write it as YYYY-MM, such as 2024-04."),
    ],
)
def test_what_is_no_period_is_refused(text: str, message: str) -> None:
    with pytest.raises(UserError) as error:
        Span.parse(text)
    assert str(error.value) == message


def test_runs_of_months() -> None:
    months = [Month(2023, 12), Month(2024, 1), Month(2023, 3), Month(2024, 1), Month(2023, 11)]
    assert Span.find_runs(months) == [Span(Month(2023, 3), Month(2023, 3)), Span(Month(2023, 11), Month(2024, 1))]
    assert Span.find_runs([]) == []


def test_months_in_words_are_named_by_their_runs() -> None:
    one, two, three = Month(2023, 3), Month(2023, 5), Month(2023, 6)
    assert name_months([one]) == "March 2023"
    assert name_months([three, one, two]) == "March 2023 and May 2023 to June 2023"
    assert name_months([one, two, Month(2024, 1)]) == "March 2023, May 2023 and January 2024"
    # A whole year is named by its ends too, since it stands among others.
    assert name_months(Span(Month(2023, 5), Month(2024, 4))) == "May 2023 to April 2024"
