"""Incidents from data.police.uk's files or a force's own extract, as parts that are read one at a time."""

from cspmap.partnership import IncidentSource, Partnership
from cspmap.sources.extract import list_extract_parts
from cspmap.sources.incident_table import INCIDENT_SCHEMA, IncidentPart, MonthHolders
from cspmap.sources.police_uk import list_street_parts, note_unread_files

__all__ = ["INCIDENT_SCHEMA", "IncidentPart", "MonthHolders", "list_parts", "note_unread"]


def list_parts(source: IncidentSource, partnership: Partnership) -> list[IncidentPart]:
    """The files of a source, without reading a row of them.

    `source.file` is a file, a folder, a zip file or a pattern of the names of these. Raises SourceError where it
    holds no such files, one is damaged, or two are of the same force and month.
    """
    if source.format == "police.uk":
        return list_street_parts(source, partnership)
    return list_extract_parts(source, partnership)


def note_unread(source: IncidentSource) -> list[str]:
    """Plain notes on files of a source that look as if they were meant to be read, and are not."""
    return note_unread_files(source.file) if source.format == "police.uk" else []
