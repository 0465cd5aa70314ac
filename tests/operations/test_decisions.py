"""The group's decisions: every change stays, the second of two who change one is told, and nobody's is lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cspmap.errors import ProblemsError, UserError
from cspmap.operations import Operation, Operations
from cspmap.operations.decisions import CategoryDecision, DecisionConflictError
from cspmap.periods import Span

YEAR = Span.parse("2007-04..2008-03")
ROBBERY = CategoryDecision("robbery", YEAR, "include", "Harm to young people", public_concern="yes")


def test_saved_and_read_back(operations: Operations, url: str) -> None:
    decisions = operations.decisions
    saved = decisions.save_decision(ROBBERY, who="Ann")
    assert (saved.version, saved.who) == (1, "Ann")
    assert saved.saved_at.endswith("+00:00")
    assert replace(saved, version=0, who="", saved_at="") == ROBBERY
    assert Operations.open(url).decisions.read_year(YEAR) == {"robbery": saved}
    assert decisions.read_year(YEAR.shift(12)) == {}
    assert operations.list_operations() == ()


def test_a_year_is_a_record_of_its_own(operations: Operations) -> None:
    decisions = operations.decisions
    decisions.save_decision(ROBBERY, who="Ann")
    later = decisions.save_decision(replace(ROBBERY, year=YEAR.shift(12), choice="exclude"), who="Ann")
    assert later.version == 1
    assert decisions.read_year(YEAR)["robbery"].choice == "include"
    assert decisions.read_year(YEAR.shift(12)) == {"robbery": later}
    operations.save_operation(Operation("Octans"), who="Ann")
    assert set(decisions.read_year(YEAR)) == {"robbery"}


def test_history_keeps_every_version(operations: Operations) -> None:
    decisions = operations.decisions
    first = decisions.save_decision(ROBBERY, who="Ann")
    second = decisions.save_decision(replace(first, choice="exclude", reason="Numbers are low"), who="Ben")
    assert decisions.read_history("robbery", YEAR) == (second, first)
    assert decisions.read_history("burglary", YEAR) == ()
    assert decisions.read_year(YEAR) == {"robbery": second}


def test_what_has_not_changed_is_not_kept_twice(operations: Operations) -> None:
    decisions = operations.decisions
    saved = decisions.save_decision(ROBBERY, who="Ann")
    assert decisions.save_decision(saved, who="Ben") == saved
    assert decisions.save_decision(ROBBERY, who="Cat") == saved
    assert len(decisions.read_history("robbery", YEAR)) == 1


def test_second_of_two_is_told_and_may_save_after_a_look(operations: Operations) -> None:
    decisions = operations.decisions
    theirs = decisions.save_decision(ROBBERY, who="Ben\nBond")
    mine = replace(ROBBERY, choice="exclude", reason="Low numbers")
    with pytest.raises(DecisionConflictError) as caught:
        decisions.save_decision(mine, who="Cat")
    assert caught.value.theirs == theirs
    assert str(caught.value).startswith("Ben Bond saved this category at ")
    assert decisions.read_year(YEAR) == {"robbery": theirs}
    saved = decisions.save_decision(replace(mine, version=theirs.version), who="Cat")
    assert [each.who for each in decisions.read_history("robbery", YEAR)] == ["Cat", "Ben\nBond"]
    assert saved.version == 2


def test_of_many_at_once_one_is_kept_and_the_others_are_told(operations: Operations) -> None:
    decisions = operations.decisions
    opened = decisions.save_decision(ROBBERY, who="Ann")

    def save(number: int) -> str:
        try:
            decisions.save_decision(replace(opened, reason=f"Reason {number}"), who=f"P{number}")
        except DecisionConflictError:
            return "told"
        return "kept"

    with ThreadPoolExecutor(6) as pool:
        ends = list(pool.map(save, range(6)))
    assert sorted(ends) == ["kept"] + ["told"] * 5
    assert len(decisions.read_history("robbery", YEAR)) == 2


@pytest.mark.parametrize(
    ("change", "who", "said"),
    [
        ({"reason": " "}, "Ann", "The decision: is to include, and has no reason; say why, for the record."),
        ({}, " ", "Your name: is blank; fill it in."),
        ({"reason": "a\0b"}, "Ann", "holds a character without a meaning"),
        ({"reason": "x" * 4001}, "Ann", "is 4,001 characters long"),
        ({"crime": ""}, "Ann", "The decision, crime: is blank"),
        ({"choice": "maybe"}, "Ann", "The decision, choice: is 'maybe'"),
        ({"public_concern": "X"}, "Ann", "The decision, public concern: is 'X'"),
    ],
)
def test_what_may_not_be_kept_is_told(operations: Operations, change: dict[str, str], who: str, said: str) -> None:
    with pytest.raises(ProblemsError) as caught:
        operations.decisions.save_decision(replace(ROBBERY, **change), who=who)  # type: ignore[arg-type]
    assert said in str(caught.value)
    assert operations.decisions.read_year(YEAR) == {}


def test_a_version_from_nowhere_is_refused(operations: Operations) -> None:
    with pytest.raises(UserError, match="not kept here any more"):
        operations.decisions.save_decision(replace(ROBBERY, version=3), who="Ann")


_ticked = st.sampled_from(["yes", "no", "as in the file"])


@given(
    choice=st.sampled_from(["include", "exclude", "open"]),
    reason=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=60),
    marks=st.lists(_ticked, min_size=4, max_size=4),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_anything_that_may_be_kept_comes_back(
    tmp_path_factory: pytest.TempPathFactory, choice: str, reason: str, marks: list[str]
) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('kept') / 'operations.db'}"
    decision = CategoryDecision("robbery", YEAR, choice, reason + " because", *marks)  # type: ignore[arg-type]
    saved = Operations.open(url).decisions.save_decision(decision, who="Zoë <b>")
    assert Operations.open(url).decisions.read_year(YEAR) == {"robbery": saved}
    assert replace(saved, version=0, who="", saved_at="") == decision
