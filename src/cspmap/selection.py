"""The Selection: everything that a page shows, frozen, and round-tripped through the address of the page."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

from cspmap.errors import SelectionError, UserError
from cspmap.periods import Comparison, Span

if TYPE_CHECKING:
    from cspmap.store import Store

Scheme = Literal["quantile", "fisher-jenks", "equal-interval", "standard-deviation"]
Measure = Literal["rate", "count", "share", "change", "smoothed", "score", "decile", "fifth"]

MEASURES: tuple[Measure, ...] = get_args(Measure)
DEPRIVATION_MEASURES: tuple[Measure, ...] = ("score", "decile", "fifth")
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)


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
            "crime": ",".join(self.crimes),
            "level": self.level,
            "measure": self.measure,
            "areas": ",".join(self.areas),
            "area": self.chosen or "",
            "scheme": self.scheme,
            "classes": str(self.classes),
            "edition": "" if self.edition is None else str(self.edition),
        }
        return {key: value for key, value in query.items() if value}

    @classmethod
    def from_query(cls, query: Mapping[str, str], store: "Store") -> Self:
        """Read a link's parameters; what it leaves out is as in `default`.

        Raises SelectionError, naming the parameter, where the store does not hold what the link asks for.
        """
        selection = cls.default(store)
        partnership = store.partnership
        crimes = list(partnership.crime_names)
        values: dict[str, Any] = {}
        if "period" in query:
            values["span"] = span = _parse_span("period", query["period"])
            if not (store.months[0] <= span.first and span.last <= store.months[-1]):
                raise SelectionError(
                    f"The link's period is {span.words}, but {store.months[0].words} to {store.months[-1].words} "
                    "is loaded; choose a period within that."
                )
        if "compare" in query:
            text = query["compare"]
            named = text in get_args(Comparison)
            values["comparison"] = text if named else _parse_span("compare", text)
        if "level" in query:
            values["level"] = _choose("level", query["level"], [layer.key for layer in partnership.layers])
        if "crime" in query:
            values["crimes"] = tuple(_choose("crime", key, crimes) for key in _split(query["crime"]))
        for name, allowed in (("measure", MEASURES), ("scheme", SCHEMES)):
            if name in query:
                values[name] = _choose(name, query[name], allowed)
        if "classes" in query:
            values["classes"] = int(_choose("classes", query["classes"], [str(k) for k in range(2, 10)]))
        if "edition" in query:
            editions = [str(item.year) for item in partnership.deprivation]
            values["edition"] = int(_choose("edition", query["edition"], editions))
        codes = store.codes(values.get("level", selection.level))
        if "areas" in query:
            values["areas"] = tuple(_choose("areas", code, codes) for code in _split(query["areas"]))
        if "area" in query:
            values["chosen"] = _choose("area", query["area"], codes)
        return replace(selection, **values)


def _split(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _parse_span(name: str, text: str) -> Span:
    try:
        return Span.parse(text)
    except UserError as error:
        raise SelectionError(f"The link's {name} cannot be read: {error}") from error


def _choose(name: str, value: str, allowed: Iterable[str]) -> Any:
    options = list(allowed)
    if value not in options:
        close = difflib.get_close_matches(value, options, n=3) or options[:6]
        raise SelectionError(f"The link's {name} is {value!r}, which is not held here; try {', '.join(close)}.")
    return value
