"""A whole briefing, made in one go, so that all its figures are of one moment."""

from datetime import datetime

from cspmap.briefing.area_screen import PREFIX as AREA
from cspmap.briefing.area_screen import make_area
from cspmap.briefing.decision_screen import make_decisions
from cspmap.briefing.glance import make_glance
from cspmap.briefing.hotspot_screen import make_hotspots
from cspmap.briefing.operation_screen import PREFIX as OPERATION
from cspmap.briefing.operation_screen import choose_operations, make_operation
from cspmap.briefing.screen import Briefing, Screen
from cspmap.briefing.setting import Setting, find_levels
from cspmap.briefing.target_screen import make_targets
from cspmap.errors import SelectionError, quote_briefly
from cspmap.operations import Operations
from cspmap.query import Query
from cspmap.selection import Selection
from cspmap.views.operation_words import format_day
from cspmap.views.words import the

PARTNERSHIP = "partnership"
MOST_AREAS = 12


def make_briefing(
    query: Query,
    selection: Selection,
    *,
    operations: Operations | None,
    scope: str = PARTNERSHIP,
    as_at: datetime | None = None,
) -> Briefing:
    """All screens of a meeting, with the figures as they are now.

    `selection` says what is counted, when, and compared with what; targets are judged as at its last month.
    `operations` is the database that operations and what meetings said are kept in; None leaves both out. `scope` is
    "partnership", "area:CODE" (an area of the meeting's level, or of the selection's) or "operation:ID". `as_at` is
    the moment of the meeting (None: now); what was said on its day is not "last time".

    Raises SelectionError where there is no such area or month, UserError where there is no such operation.
    """
    moment = datetime.now().astimezone() if as_at is None else as_at
    setting = _set_out(query, selection, operations, moment)
    store = query.store
    if scope == PARTNERSHIP:
        title, screens = store.partnership.name, _make_all(setting)
    elif scope.startswith(AREA):
        title, screens = _make_for_area(setting, scope.removeprefix(AREA))
    elif scope.startswith(OPERATION) and operations is not None:
        operation = operations.read_operation(scope.removeprefix(OPERATION))
        title, screens = operation.name, [make_operation(setting, operation)]
        screens.append(make_decisions(setting.entries, setting.today, subjects=frozenset({scope})))
    else:
        raise SelectionError(
            f"A briefing cannot be made for {quote_briefly(scope)}; ask for partnership, area:CODE or operation:ID."
        )
    return Briefing(
        title=title,
        as_at=write_moment(moment),
        notice=store.partnership.notice,
        licences=store.partnership.licences,
        version=store.version,
        screens=tuple(screens),
    )


def write_moment(moment: datetime) -> str:
    """ "14:05 on 21 November 2026"."""
    return f"{moment:%H:%M} on {format_day(moment.date())}"


def _set_out(query: Query, selection: Selection, operations: Operations | None, moment: datetime) -> Setting:
    if len(query.missing_months(selection.span)) == len(selection.span):
        raise SelectionError(f"No month of {the(selection.span.words)} is loaded; choose another period.")
    level, map_level = find_levels(query)
    return Setting(
        query=query,
        selection=selection,
        level=level,
        map_level=map_level,
        today=moment.date(),
        operations=() if operations is None else tuple(choose_operations(operations.list_operations())),
        entries=() if operations is None else operations.entries.list_entries(),
    )


def _make_all(setting: Setting) -> list[Screen]:
    return [
        make_glance(setting),
        *(make_area(setting, code) for code in list_areas(setting)),
        *make_targets(setting),
        make_hotspots(setting),
        *(make_operation(setting, operation) for operation in setting.operations),
        make_decisions(setting.entries, setting.today),
    ]


def list_areas(setting: Setting) -> list[str]:
    """The areas that each get a screen, by their names; of many, those with the most incidents."""
    codes = list(setting.query.name_areas(setting.level))
    if len(codes) <= MOST_AREAS:
        return codes
    areas = setting.find_figures(setting.level).areas.sort_values("count", ascending=False, kind="stable")
    most = set(areas["code"].head(MOST_AREAS))
    return [code for code in codes if code in most]


def _make_for_area(setting: Setting, code: str) -> tuple[str, list[Screen]]:
    query = setting.query
    levels = [level for level in (setting.level, setting.selection.level) if code in query.name_areas(level)]
    if not levels:
        layer = query.store.partnership.find_layer(setting.level)
        raise SelectionError(
            f"There is no area {quote_briefly(code)} among the {layer.plural}; choose one of: "
            f"{', '.join(query.name_areas(setting.level))}."
        )
    level = levels[0]
    name = query.name_areas(level)[code]
    screens = [make_area(setting, code, level=level)]
    if level == setting.level:
        screens += make_targets(setting, code=code)
    subjects = frozenset(screen.key for screen in screens)
    screens.append(make_decisions(setting.entries, setting.today, subjects=subjects))
    return name, screens
