"""What `explain` says of distances: how far the profile is from the nearest place, and how near it must be."""

from __future__ import annotations

from collections.abc import Iterator

from segctl.compile import ir
from segctl.compile.places.near import distance, place_of
from segctl.compile.plan import walk
from segctl.compile.trace_eval import Rows
from segctl.compile.trace_rows import TracedValue
from segctl.compile.words_places import metres_words
from segctl.compile.words_trace import TraceWords, dotted
from segctl.model.types import INTEGER, Kind, ValueType

_METRES = ValueType(INTEGER.kind, unit="m")
_KILOMETRES = ValueType(Kind.NUMBER, scale=1, unit="km")


def distances(rows: Rows, node: object, words: TraceWords) -> Iterator[TracedValue]:
    """The distance to the nearest place of each question below a predicate; nothing where the place is not known."""
    for near in dict.fromkeys(part for part in walk(node) if isinstance(part, ir.Near)):  # type: ignore[arg-type]  # predicates are nodes
        found = distance(near, _values(rows, near))
        if found is not None:
            metres, name = found
            said = words.say("distance", name)
            if metres < 1_000:
                yield TracedValue(f"{said} (m)", metres, _METRES)
            else:
                yield TracedValue(f"{said} (km)", round(metres / 100), _KILOMETRES)


def missing_distance(rows: Rows, node: ir.Near, words: TraceWords) -> str:
    """How far away the profile is and what is needed, or why that is not known."""
    values = _values(rows, node)
    found = distance(node, values)
    if found is not None:
        away = words.say("away", metres_words(found[0], words.language), found[1])
        return f"{away}, {words.say('le', metres_words(node.radius_mm // 1000, words.language))}"
    if place_of(node, values) is not None:
        return words.say("no_places")
    absent = [dotted(of) for of, value in zip(node.place, values, strict=True) if value is None]
    if absent and (values[0] is None or node.codes is None):
        return words.absent(absent)
    return words.say("no_place", " ".join(words.plain(value) for value in values if value is not None))


def _values(rows: Rows, node: ir.Near) -> list[object]:
    return [rows.value(of) for of in node.place]
