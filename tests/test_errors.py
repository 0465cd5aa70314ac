import pickle

import pytest

from cspmap.errors import MOST_QUOTED, PartnershipError, Problem, ProblemsError, SourceError, UserError, quote_briefly


def test_a_problem_is_one_sentence_of_where_what_and_what_to_do() -> None:
    problem = Problem("wards.csv, row 3", "the code is blank", "fill it in")
    assert str(problem) == "wards.csv, row 3: the code is blank; fill it in."


def test_a_fix_that_asks_keeps_its_question_mark() -> None:
    assert str(Problem("a.toml", "there is no key 'nmae' here", "did you mean name?")).endswith("did you mean name?")


def test_all_problems_are_told_a_line_each() -> None:
    problems = [Problem("a", "is wrong", "mend it"), Problem("b", "is gone", "bring it back")]
    error = ProblemsError(problems)
    assert str(error) == "a: is wrong; mend it.\nb: is gone; bring it back."
    assert error.problems == tuple(problems)


def test_what_a_user_gave_is_repeated_on_one_line_and_not_at_length() -> None:
    assert quote_briefly("Ash") == "'Ash'"
    assert quote_briefly("two\nlines") == "'two\\nlines'"
    assert quote_briefly("x" * MOST_QUOTED) == f"'{'x' * MOST_QUOTED}'"
    assert quote_briefly("x" * 5000) == f"'{'x' * (MOST_QUOTED - 1)}…'"
    assert quote_briefly(7) == "'7'"


def test_no_problems_are_no_error() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        ProblemsError([])


@pytest.mark.parametrize("kind", [SourceError, PartnershipError])
def test_every_kind_is_a_user_error_and_travels_between_processes(kind: type[ProblemsError]) -> None:
    error = kind([Problem("a", "is wrong", "mend it")])
    assert isinstance(error, UserError)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.problems) == (kind, str(error), error.problems)
