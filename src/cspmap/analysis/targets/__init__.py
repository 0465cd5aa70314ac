"""Targets: whether their tables add up, how far along they are, and whether being behind means anything."""

from cspmap.analysis.targets.faults import Fault, tabulate_faults
from cspmap.analysis.targets.progress import progress
from cspmap.analysis.targets.reconciliation import reconcile, resolve

__all__ = ["Fault", "progress", "reconcile", "resolve", "tabulate_faults"]
