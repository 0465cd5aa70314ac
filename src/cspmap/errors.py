"""Errors that are shown to the user as plain sentences, never as a traceback."""

from collections.abc import Sequence
from dataclasses import dataclass

# Of what a user gave, a sentence repeats this much at most.
MOST_QUOTED = 60


def cut_short(text: str) -> str:
    """What a user gave, without the end where it is long."""
    return text if len(text) <= MOST_QUOTED else f"{text[: MOST_QUOTED - 1]}…"


def quote_briefly(value: object) -> str:
    """What a user gave, in quotation marks and on one line, without the end where it is long."""
    return repr(cut_short(str(value)))


class UserError(Exception):
    """Something the user can put right: the message says what is wrong, where, and what to do."""


@dataclass(frozen=True, order=True)
class Problem:
    """One fault found in an input.

    `where` names the file and, where it has them, the row or column; `what` says what is wrong there;
    `fix` what to do about it. Each is a phrase without a final stop; a fix may be a question, with its mark.
    """

    where: str
    what: str
    fix: str

    def __str__(self) -> str:
        stop = "" if self.fix.endswith("?") else "."
        return f"{self.where}: {self.what}; {self.fix}{stop}"


class ProblemsError(UserError):
    """All the faults of an input together, so that they can be put right in one go."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        if not problems:
            raise ValueError("ProblemsError needs at least one problem, got none")
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class SourceError(ProblemsError):
    """A source file cannot be read as what it is said to be."""


class PartnershipError(ProblemsError):
    """`partnership.toml` contradicts itself or names something that is not there."""


class StoreError(UserError):
    """There is no store where one is expected, or it cannot be read or written."""


class SelectionError(UserError):
    """A link or a command asks for something that the store does not hold."""
