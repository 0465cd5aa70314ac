"""What the processes do that are started, and killed, by tests; light to import, as each of them does so."""

import os
from dataclasses import replace
from typing import Any

from cspmap.operations import Action, ConflictError, Operation, Operations

from .made import OCTANS

BATCH = 8


def save_for_ever(url: str, turn: int, told: Any) -> None:
    """Save one operation again and again and then a batch of new ones, telling each version that was confirmed."""
    operations = Operations.open(url)
    operation = operations.read_operation(OCTANS.id)
    for number in range(1_000_000):
        mine = replace(operation, notes=f"{turn} {number} " * 2_000)
        operation = operations.save_operation(mine, who="Ann")
        told.send(operation.version)
        batch = [Operation(f"{turn} {number}", notes="x" * 5_000) for _ in range(BATCH)]
        operations.import_operations(batch, who="Ann")


def open_and_save(url: str) -> None:
    Operations.open(url).save_operation(OCTANS, who="Ann")


def add_actions(url: str, number: int) -> None:
    operations = Operations.open(url)
    for turn in range(10):
        while True:
            opened = operations.read_operation(OCTANS.id)
            try:
                mine = replace(opened, actions=(*opened.actions, Action(f"{number} {turn}")))
                operations.save_operation(mine, who=str(os.getpid()))
                break
            except ConflictError:
                continue
