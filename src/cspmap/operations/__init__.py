"""Operations: areas of focus with their goals, actions and decisions, kept with every change ever made to them.

    operations = Operations.open(find_url(store))
    operation = operations.save_operation(Operation("Octans", area=Units("ward", ("E05002268",))), who="Sgt Ames")

`docs/operations.md` tells where they are kept and how.
"""

import os
from pathlib import Path
from urllib.parse import quote

from cspmap.operations.checks import find_problems
from cspmap.operations.database import OperationsError
from cspmap.operations.entries import (
    Entries,
    EntryConflictError,
    EntryKind,
    MeetingEntry,
    Removal,
    name_subject,
    read_entry,
)
from cspmap.operations.geojson import read_geojson, read_outline, write_geojson, write_outline
from cspmap.operations.ledger import ConflictError, Operations
from cspmap.operations.operation import (
    Action,
    ActionStatus,
    Area,
    Change,
    CrimeGoal,
    Decision,
    Goal,
    Operation,
    Outline,
    Status,
    SurveyGoal,
    SurveyResult,
    Units,
    compare_operations,
)

__all__ = [
    "Action",
    "ActionStatus",
    "Area",
    "Change",
    "ConflictError",
    "CrimeGoal",
    "Decision",
    "Entries",
    "EntryConflictError",
    "EntryKind",
    "Goal",
    "MeetingEntry",
    "Operation",
    "Operations",
    "OperationsError",
    "Outline",
    "Removal",
    "Status",
    "SurveyGoal",
    "SurveyResult",
    "Units",
    "compare_operations",
    "find_problems",
    "find_url",
    "name_subject",
    "read_entry",
    "read_geojson",
    "read_outline",
    "write_geojson",
    "write_outline",
]

OPERATIONS_VARIABLE = "CSPMAP_OPERATIONS"


def find_url(store: Path) -> str:
    """Where a store's operations are kept: what CSPMAP_OPERATIONS names, else a file beside the store's folder.

    Beside it and not inside, as a store may be deleted and built again; and by its name, as two may lie together.
    """
    file = Path(os.path.normpath(store.absolute()))
    beside = file.with_name(f"{file.name}-operations.db")
    return os.environ.get(OPERATIONS_VARIABLE) or f"sqlite:///{quote(beside.as_posix())}"
