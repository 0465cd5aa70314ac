"""Two changes to one operation put together: what each has changed since both opened it, and what only one can have."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from cspmap.operations import Operation

Take = Literal["mine", "theirs", "both"]

# Of these both can be kept, item by item.
_LISTS = ("goals", "comparison_areas", "actions", "decisions", "surveys")
_OWN = ("id", "version")


@dataclass(frozen=True)
class Difference:
    """A field in which two versions differ. `proposed` takes the side that has changed it, and both of a list."""

    field: str
    opened: Any
    mine: Any
    theirs: Any
    proposed: Take

    @property
    def words(self) -> str:
        """The field's name: "comparison areas"."""
        return self.field.replace("_", " ")

    @property
    def choices(self) -> tuple[Take, ...]:
        """What can be taken."""
        return ("mine", "theirs", "both") if self.field in _LISTS else ("mine", "theirs")

    def take(self, choice: Take) -> Any:
        """The value that a choice comes to. Both of a list: theirs, with what I added and without what I took out."""
        if choice != "both":
            return self.mine if choice == "mine" else self.theirs
        gone = [item for item in self.opened if item not in self.mine]
        kept = [item for item in self.theirs if item not in gone]
        return (*kept, *(item for item in self.mine if item not in self.opened and item not in kept))


def list_differences(opened: Operation, mine: Operation, theirs: Operation) -> tuple[Difference, ...]:
    """Every field in which mine and theirs differ, both having begun from `opened`."""
    found = []
    for item in fields(Operation):
        values = [getattr(version, item.name) for version in (opened, mine, theirs)]
        if item.name in _OWN or values[1] == values[2]:
            continue
        proposed: Take = "mine"
        if values[1] == values[0]:
            proposed = "theirs"
        elif values[2] != values[0] and item.name in _LISTS:
            proposed = "both"
        found.append(Difference(item.name, values[0], values[1], values[2], proposed))
    return tuple(found)


def merge_operations(theirs: Operation, differences: tuple[Difference, ...], choices: Mapping[str, Take]) -> Operation:
    """Theirs with every difference as chosen, to be saved as the version after theirs."""
    values = {each.field: each.take(choices.get(each.field, each.proposed)) for each in differences}
    return replace(theirs, **values)
