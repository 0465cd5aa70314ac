"""The naive way to the best contiguous set of units: one integer programme in which a flow reaches each of them."""

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

Floats = NDArray[np.float64]


def find_by_flow(
    weights: Floats, neighbours: tuple[tuple[int, ...], ...], budget: int, *, seconds: float
) -> float | None:
    """The weight of the best set of at most `budget` units; None where it is not proven within `seconds`.

    Variables: x (unit chosen), r (unit is the root, the heaviest chosen), f (flow over each step between neighbours).
    The root gets as much as there are units chosen, each chosen unit keeps one.
    """
    size = len(weights)
    arcs = [(unit, other) for unit in range(size) for other in neighbours[unit]]
    flows = len(arcs)
    total = 3 * size + flows  # x, r, what enters at the root, f
    rank = np.empty(size, dtype=int)
    rank[np.lexsort((np.arange(size), -weights))] = np.arange(size)
    rows: list[tuple[dict[int, float], float, float]] = [
        (dict.fromkeys(range(size), 1.0), 1, budget),
        ({size + unit: 1.0 for unit in range(size)}, 1, 1),
    ]
    balance: list[dict[int, float]] = [{unit: -1.0, 2 * size + unit: 1.0} for unit in range(size)]
    for number, (unit, other) in enumerate(arcs):
        flow = 3 * size + number
        balance[unit][flow], balance[other][flow] = -1.0, 1.0
        rows.append(({flow: 1.0, other: -float(budget)}, -np.inf, 0))
    rows += [(row, 0, 0) for row in balance]
    for unit in range(size):
        rows.append(({2 * size + unit: 1.0, size + unit: -float(budget)}, -np.inf, 0))
        heavier = {size + other: -1.0 for other in range(size) if rank[other] <= rank[unit]}
        rows.append(({**heavier, unit: 1.0}, -np.inf, 0))
    entries = [(number, column, value) for number, (row, _, _) in enumerate(rows) for column, value in row.items()]
    at, columns, values = zip(*entries, strict=True)
    matrix = coo_array((values, (at, columns)), shape=(len(rows), total)).tocsr()
    solved = milp(
        np.concatenate([-weights, np.zeros(total - size)]),
        integrality=np.concatenate([np.ones(2 * size), np.zeros(size + flows)]),
        bounds=Bounds(0, np.concatenate([np.ones(2 * size), np.full(size + flows, budget)])),
        constraints=LinearConstraint(matrix, [low for _, low, _ in rows], [high for _, _, high in rows]),
        options={"time_limit": seconds, "mip_rel_gap": 0},
    )
    return round(-float(solved.fun)) if solved.status == 0 else None
