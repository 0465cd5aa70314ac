"""Focus areas: the figures of any area made of units, and the area that captures most within a budget."""

from cspmap.analysis.focus.figures import AreaFigures, describe_area
from cspmap.analysis.focus.job import SuggestionJob, start_suggestion
from cspmap.analysis.focus.search import Progress
from cspmap.analysis.focus.suggestion import SuggestedArea, Suggestion, suggest

__all__ = [
    "AreaFigures",
    "Progress",
    "SuggestedArea",
    "Suggestion",
    "SuggestionJob",
    "describe_area",
    "start_suggestion",
    "suggest",
]
