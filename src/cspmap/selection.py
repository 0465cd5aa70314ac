"""The Selection: everything that a page shows, frozen, and round-tripped through the address of the page."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from cspmap.errors import MOST_QUOTED, SelectionError, UserError, quote_briefly
from cspmap.periods import Comparison, Span
from cspmap.sources.boundary_codes import list_briefly

if TYPE_CHECKING:
    from cspmap.store import Store

Scheme = Literal["quantile", "fisher-jenks", "equal-interval", "standard-deviation"]
Measure = Literal["rate", "count", "share", "change", "smoothed", "score", "decile", "fifth", "progress"]

MEASURES: tuple[Measure, ...] = get_args(Measure)
DEPRIVATION_MEASURES: tuple[Measure, ...] = ("score", "decile", "fifth")
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)
# All that can be asked for is named, but for the codes of many areas.
_MOST_OPTIONS = 30

COMPARISONS: tuple[Comparison, ...] = get_args(Comparison)


@dataclass(frozen=True)
class Selection:
    """What to show. `crimes` are keys of crime types or groups and `areas` codes of the level; empty means all.

    `comparison` is "previous", "last-year" or a span of its own. `chosen` is the area whose panel is open.
    `edition` is the year of the Indices of Deprivation, where the measure is one of deprivation.
    """

    span: Span
    level: str
    comparison: Comparison | Span = "last-year"
    crimes: tuple[str, ...] = ()
    measure: Measure = "rate"
    areas: tuple[str, ...] = ()
    chosen: str | None = None
    scheme: Scheme = "quantile"
    classes: int = 5
    edition: int | None = None

    @classmethod
    def default(cls, store: "Store") -> Self:
        """All crime in the latest twelve months loaded, on the first level."""
        return cls(
            span=Span.ending(store.months[-1], months=min(12, len(store.months))),
            level=store.partnership.layers[0].key,
            edition=max((item.year for item in store.partnership.deprivation), default=None),
        )

    @property
    def before(self) -> Span:
        """The span that the comparison is made with."""
        return self.comparison if isinstance(self.comparison, Span) else self.span.compare_with(self.comparison)

    def change(self, **values: Any) -> Self:
        """The same selection but for some fields; another level has other areas, so it drops the chosen ones."""
        if "level" in values and values["level"] != self.level:
            values = {"areas": (), "chosen": None, **values}
        return replace(self, **values)

    def to_query(self) -> dict[str, str]:
        """As parameters of a link; `from_query` reads them back exactly."""
        query = {
            "period": str(self.span),
            "compare": str(self.comparison),
            "crime": join_list(self.crimes),
            "level": self.level,
            "measure": self.measure,
            "areas": join_list(self.areas),
            "area": self.chosen or "",
            "scheme": self.scheme,
            "classes": str(self.classes),
            "edition": "" if self.edition is None else str(self.edition),
        }
        return {key: value for key, value in query.items() if value}

    @classmethod
    def from_query(cls, query: Mapping[str, str], store: "Store") -> Self:
        """Read a link's parameters; what it leaves out is as in `default`.

        Raises SelectionError, in one sentence, where the store does not hold what the link asks for.
        """
        asked = {key: text for key, text in query.items() if text.strip()}
        selection, partnership = cls.default(store), store.partnership
        measures = list_measures(store)
        editions = [str(item.year) for item in partnership.deprivation]
        loaded = Span(store.months[0], store.months[-1])
        values: dict[str, Any] = {}
        if "period" in asked:
            values["span"] = _parse_span("period", asked["period"], loaded)
        if "compare" in asked:
            text = asked["compare"]
            values["comparison"] = text if text in COMPARISONS else _parse_span("comparison", text, loaded)
        if "level" in asked:
            values["level"] = choose_held("level", asked["level"], [layer.key for layer in partnership.layers])
        if "crime" in asked:
            crimes = list(partnership.crime_names)
            values["crimes"] = tuple(choose_held("crime type", key, crimes) for key in _split(asked["crime"]))
        if "measure" in asked:
            values["measure"] = choose_held("measure", asked["measure"], measures)
        if "scheme" in asked:
            values["scheme"] = choose_held("class scheme", asked["scheme"], SCHEMES)
        if "classes" in asked:
            values["classes"] = int(choose_held("number of classes", asked["classes"], [str(k) for k in range(2, 10)]))
        if "edition" in asked:
            values["edition"] = int(choose_held("edition of the Indices of Deprivation", asked["edition"], editions))
        codes = store.codes(values.get("level", selection.level))
        if "areas" in asked:
            values["areas"] = tuple(choose_held("area", code, codes) for code in _split(asked["areas"]))
        if "area" in asked:
            values["chosen"] = choose_held("area", asked["area"], codes)
        return replace(selection, **values)


def list_measures(store: "Store") -> list[Measure]:
    """The measures that a store can show: those of deprivation and of targets only where it holds any."""
    left_out = (
        *(() if store.partnership.deprivation else DEPRIVATION_MEASURES),
        *(() if store.targets else ("progress",)),
    )
    return [measure for measure in MEASURES if measure not in left_out]


def join_list(values: Iterable[str]) -> str:
    """Several values as one parameter of a link; a comma inside a value, as a code may have, is kept apart."""
    return ",".join(value.replace("%", "%25").replace(",", "%2C") for value in values)


def _split(text: str) -> list[str]:
    parts = [part.replace("%2C", ",").replace("%25", "%") for part in text.split(",") if part]
    return list(dict.fromkeys(parts))


def _parse_span(name: str, text: str, loaded: Span) -> Span:
    try:
        span = Span.parse(text)
    except UserError as error:
        raise SelectionError(f"The {name} asked for cannot be read: {error}") from error
    if span.first not in loaded or span.last not in loaded:
        raise SelectionError(
            f"The {name} asked for is {span.words}, but {loaded.first.words} to {loaded.last.words} is loaded; "
            "choose months within that."
        )
    return span


def choose_held(name: str, value: str, allowed: Sequence[str]) -> Any:
    """A value that is asked for, by what it is called; raises SelectionError where it is not among those held."""
    if value in allowed:
        return value
    if not allowed:
        raise SelectionError(f"The {name} asked for is {quote_briefly(value)}, but none is held here; leave it out.")
    # Nothing that is held is as long as a value that somebody pasted, and comparing with that takes long.
    close = difflib.get_close_matches(value[:MOST_QUOTED], allowed, n=3)
    options = list_briefly(close or allowed, most=_MOST_OPTIONS)
    raise SelectionError(f"The {name} asked for is {quote_briefly(value)}, which is not held here; try {options}.")
