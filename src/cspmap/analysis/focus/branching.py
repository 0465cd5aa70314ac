"""Which unit to decide next, so that both ways the bound falls soon."""

import numpy as np

from cspmap.analysis.focus.programme import Box, Programme, Relaxed

# How often a unit is tried both ways before its average fall is trusted, how many are tried, and after how many
# in a row without a better one the trying ends.
_TRUSTED, _TRIED, _PATIENCE = 6, 12, 5
_LEAST_FALL = 1e-6


class _Falls:
    """By how much the bound fell, for each unit of share, where a unit was decided one way."""

    def __init__(self) -> None:
        self._sums: dict[int, tuple[float, int]] = {}

    def note(self, unit: int, fall: float) -> None:
        total, times = self._sums.get(unit, (0.0, 0))
        self._sums[unit] = (total + fall, times + 1)

    def times(self, unit: int) -> int:
        return self._sums.get(unit, (0.0, 0))[1]

    def expect(self, unit: int) -> float:
        """The average of the unit; of all units where it has never been tried."""
        total, times = self._sums.get(unit, (0.0, 0))
        if times:
            return total / times
        return float(np.mean([total / times for total, times in self._sums.values()])) if self._sums else 1.0


class Branching:
    """Divides the areas around one root; what it learns from a division helps with the next."""

    def __init__(self, programme: Programme) -> None:
        self._programme = programme
        weights = np.array(programme.problem.weights)
        self._heft = 0.2 + weights / max(float(weights.max()), _LEAST_FALL)
        self._out, self._in = _Falls(), _Falls()

    def divide(self, solution: Relaxed, target: float, box: Box) -> list[tuple[Box, float]]:
        """Smaller boxes that together hold every area of `box` worth `target`, each with its bound.

        One only where a unit turns out to be decided; none where no area is worth that much.
        """
        best: tuple[int, float, float] | None = None
        best_score, failures = -1.0, 0
        for unit in self._rank(solution)[:_TRIED]:
            share = float(solution.x[unit])
            if min(self._out.times(unit), self._in.times(unit)) >= _TRUSTED:
                out = into = solution.value
                score = self._score(unit, share)
            else:
                out, into = (self._try(unit, value, box) for value in (0, 1))
                if out < target or into < target:
                    kept = [(box.set(unit, value), bound) for value, bound in ((0, out), (1, into)) if bound >= target]
                    return [(part, min(bound, solution.value)) for part, bound in kept]
                # A fall beyond the target is worth no more than one to it.
                falls = [min(solution.value - bound, solution.value - target) for bound in (out, into)]
                self._out.note(unit, falls[0] / share)
                self._in.note(unit, falls[1] / (1 - share))
                score = max(falls[0], _LEAST_FALL) * max(falls[1], _LEAST_FALL)
            if score > best_score:
                best, best_score, failures = (unit, out, into), score, 0
            else:
                failures += 1
                if failures >= _PATIENCE:
                    break
        assert best is not None, "a solution without fractions is not divided"
        unit, out, into = best
        return [(box.set(unit, 0), out), (box.set(unit, 1), into)]

    def _try(self, unit: int, value: int, box: Box) -> float:
        found = self._programme.probe(unit, value, box)
        return -np.inf if found is None else found

    def _rank(self, solution: Relaxed) -> list[int]:
        """The fractional units, the most promising first."""

        def promise(unit: int) -> float:
            score = self._score(unit, float(solution.x[unit]))
            return score if self._out.times(unit) else score * float(self._heft[unit])

        return sorted(solution.fractional, key=lambda unit: (-promise(unit), unit))

    def _score(self, unit: int, share: float) -> float:
        out, into = self._out.expect(unit) * share, self._in.expect(unit) * (1 - share)
        return max(out, _LEAST_FALL) * max(into, _LEAST_FALL)
