"""What was decided last time and today, and what is still to be done, from every screen."""

from collections.abc import Sequence
from datetime import date

from cspmap.briefing.screen import Figure, Screen, TableFigure
from cspmap.briefing.setting import recall, write_entry
from cspmap.operations import MeetingEntry
from cspmap.views.operation_words import format_day

KEY = "decisions"
MOST_ENTRIES = 6


def make_decisions(entries: Sequence[MeetingEntry], today: date, *, subjects: frozenset[str] | None = None) -> Screen:
    """The last screen: what is said today, all of last time and all actions still open, of some subjects or of all."""
    own = [entry for entry in entries if subjects is None or entry.subject in subjects]
    before = recall(own, today)
    said = [*(entry for entry in own if entry.said >= today), *before]
    opened = [entry for entry in said if entry.kind == "action" and entry.status == "open"]
    late = [entry for entry in opened if entry.due is not None and entry.due < today]
    # What is of today first, then what is overdue, then what else is open, then what was decided and done.
    ordered = sorted(said, key=lambda entry: (entry.said < today, entry not in late, entry not in opened))
    table = TableFigure(
        title="Decisions and actions",
        columns=("What", "About", "Owner", "Due", "Status", "Said"),
        rows=tuple(_list_cells(entry, late=entry in late, today=today) for entry in ordered),
        align=("left",) * 6,
        most=MOST_ENTRIES,
        where="on the screens they are about",
    )
    last = max((entry.said for entry in before), default=None)
    if last is not None:
        told = f"The last meeting at which anything was typed in was on {format_day(last)}."
    else:
        told = "Nothing was typed in at a meeting before today."
    note = f"{len(late)} overdue" if late else ""
    noun = "open action" if len(opened) == 1 else "open actions"
    return Screen(
        key=KEY,
        title="Decisions and actions",
        subtitle="What we said, and what is still to be done",
        figures=(Figure(str(len(opened)), noun, note),) if said else (),
        sentences=(told,),
        table=table if said else None,
        last_time=tuple(write_entry(entry) for entry in before if entry.subject == KEY),
    )


def _list_cells(entry: MeetingEntry, *, late: bool, today: date) -> tuple[str, ...]:
    words = write_entry(entry)
    status = f"{words.status}, overdue" if late else words.status or "Decided"
    return words.text, words.about, words.owner, words.due, status, "Today" if entry.said >= today else words.said
