"""Binding of what columns mean: expressions, times, targets, event rules."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from segctl.compile.arithmetic import FormulaError, parse_formula
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.source_nodes import Reader, nearest
from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Location
from segctl.model.project import Project
from segctl.model.sources import (
    Ambiguous,
    Column,
    EventRule,
    Expression,
    Instants,
    MissingTime,
    NumberForm,
    Target,
    TimeRule,
)
from segctl.model.types import Kind, ValueType

VALUE_KEYS = ("column", "formula")
TIME_KEYS = ("format", "zone", "ambiguous", "missing")
TARGET_KEYS = (*VALUE_KEYS, *TIME_KEYS, "separator", "round", "decimal", "thousands")
EVENT_KEYS = ("event", "time", "id", "properties", "each")
EPOCHS = ("epoch_s", "epoch_ms", "epoch_us")
_SIGNS = {"comma": ",", "point": ".", "blank": " "}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a rule's reading depends on."""

    reader: Reader
    project: Project


def bind_expression(node: Node, reader: Reader) -> Expression | None:
    """A column name, or ``{column: …}`` or ``{formula: …}`` among other keys."""
    if isinstance(node, Scalar):
        text = reader.text(node, "a column")
        return None if text is None else Column(text)
    if not isinstance(node, Mapping):
        reader.error("SEG300", node, "this must be a column or `{formula: …}`")
        return None
    column, formula = node.get("column"), node.get("formula")
    if (column is None) == (formula is None):
        reader.error("SEG300", node, "say either `column` or `formula`")
        return None
    if column is not None:
        text = reader.text(column, "`column`")
        return None if text is None else Column(text)
    return _formula(cast("Node", formula), reader)


def _formula(node: Node, reader: Reader) -> Expression | None:
    text = reader.text(node, "`formula`")
    if text is None:
        return None
    try:
        return parse_formula(text)
    except FormulaError as error:
        place = node.location
        quoted = isinstance(node, Scalar) and not node.is_plain
        at = Location(place.file, place.line, place.column + error.position + quoted, 1)
        hint = "names with blanks or signs stand in backticks: `` `unit price` * quantity ``"
        reader.error("SEG302", at, f"the formula cannot be read: {error}", hint=hint)
        return None


def bind_time_rule(node: Node, around: Surroundings) -> TimeRule:
    """The reading rule beside a column; the project's zone is the default for local times."""
    default = TimeRule(zone=around.project.timezone)
    if not isinstance(node, Mapping):
        return default
    reader = around.reader
    format_node = node.get("format")
    form = reader.text(format_node, "`format`") or "auto"
    if form != "auto" and form not in EPOCHS and "%" not in form and format_node is not None:
        hint = 'write `auto`, `epoch_s`, `epoch_ms`, `epoch_us` or a pattern such as `"%d.%m.%Y %H:%M"`'
        reader.error("SEG304", format_node, f"`{form}` is no time format", hint=hint)
        form = "auto"
    ambiguous = reader.choice(node.get("ambiguous"), "`ambiguous`", ("first", "second", "reject"), "first")
    missing = reader.choice(node.get("missing"), "`missing`", ("shift_forward", "reject"), "shift_forward")
    zone = reader.zone(node.get("zone"), default.zone)
    return TimeRule(form, zone, cast("Ambiguous", ambiguous), cast("MissingTime", missing))


def bind_instants(node: Node, what: str, around: Surroundings) -> Instants | None:
    """An event's time or a record's time."""
    if isinstance(node, Mapping):
        around.reader.mapping(node, what, (*VALUE_KEYS, *TIME_KEYS))
    value = bind_expression(node, around.reader)
    return None if value is None else Instants(value, bind_time_rule(node, around))


def bind_target(name: Scalar, node: Node, value_type: ValueType, around: Surroundings) -> Target | None:
    """One trait or property with its column and reading rules."""
    reader = around.reader
    if isinstance(node, Mapping):
        reader.mapping(node, f"`{name.text}`", TARGET_KEYS)
    value = bind_expression(node, reader)
    if value is None:
        return None
    target = Target(name.text, value_type, value, bind_time_rule(node, around))
    if not isinstance(node, Mapping):
        return target
    return replace(
        target,
        numbers=bind_numbers(node, reader),
        separator=_separator(node, value_type, reader),
        rounds=bool(reader.truth(node.get("round"), "`round`")),
    )


def bind_numbers(node: Mapping, reader: Reader) -> NumberForm | None:
    """`decimal` and `thousands` of a mapping; None when neither is said.

    One of the two says the other: ``thousands: "."`` means that the comma is decimal.
    """
    decimal = reader.sign(node.get("decimal"), "`decimal`", names=_SIGNS)
    thousands = reader.sign(node.get("thousands"), "`thousands`", names=_SIGNS)
    if decimal is None and thousands is None:
        return None
    if decimal is not None and decimal == thousands:
        reader.error("SEG304", node, "`decimal` and `thousands` are the same sign")
    if decimal is None:
        decimal = "," if thousands == "." else "."
    return NumberForm(decimal, thousands)


def _separator(node: Mapping, value_type: ValueType, reader: Reader) -> str | None:
    given = node.get("separator")
    text = reader.text(given, "`separator`")
    if given is not None and value_type.kind is not Kind.LIST:
        reader.error("SEG304", given, "only lists have a `separator`")
    return text


def bind_event_rule(node: Node, around: Surroundings) -> EventRule | None:
    """One item of `events`."""
    reader = around.reader
    found = reader.mapping(node, "an event rule", EVENT_KEYS)
    if found is None:
        return None
    time_node = found.get("time")
    if time_node is None:
        reader.error("SEG300", node, "the event rule has no `time`", hint="name the column: `time: created_at`")
        return None
    time = bind_instants(time_node, "`time`", around)
    rule = _kinds(found, around)
    if time is None or rule is None:
        return None
    identity = _identity(found.get("id"), reader)
    rule = replace(rule, time=time, identity=identity, each=reader.text(found.get("each"), "`each`"))
    return replace(rule, properties=_properties(found.get("properties"), rule.kinds, around), location=node.location)


_NO_TIME = Instants(Column(""))


def _kinds(node: Mapping, around: Surroundings) -> EventRule | None:
    reader, project = around.reader, around.project
    event = node.get("event")
    if event is None:
        reader.error(
            "SEG300", node, "the event rule has no `event`", hint=nearest("", [e.name for e in project.events])
        )
        return None
    if isinstance(event, Scalar):
        known = _declared_event(event, around)
        return EventRule(_NO_TIME, known) if known is not None else None
    found = reader.mapping(event, "`event`", ("column", "formula", "map", "others"))
    column = None if found is None else bind_expression(found, reader)
    if found is None or column is None:
        return None
    keeps = reader.choice(found.get("others"), "`others`", ("skip", "keep"), "skip") == "keep"
    pairs = []
    for value, kind in reader.named(found.get("map"), "`map`"):
        known = _declared_event(kind, around) if isinstance(kind, Scalar) else None
        if known is not None:
            pairs.append((value.text, known))
    if found.get("map") is None:
        pairs = [(kind.name, kind.name) for kind in project.events]
    return EventRule(_NO_TIME, kind_column=column, kind_map=tuple(pairs), keeps_others=keeps)


def _declared_event(node: Scalar, around: Surroundings) -> str | None:
    if around.project.event(node.text) is not None:
        return node.text
    hint = nearest(node.text, [kind.name for kind in around.project.events])
    around.reader.error("SEG301", node, f"`{node.text}` is not a declared event", hint=hint)
    return None


def _identity(node: Node | None, reader: Reader) -> tuple[Expression, ...]:
    if node is None:
        return ()
    items = node.items if isinstance(node, ListNode) else (node,)
    found = [bind_expression(item, reader) for item in items]
    return tuple(expression for expression in found if expression is not None)


def _properties(node: Node | None, kinds: tuple[str, ...], around: Surroundings) -> tuple[Target, ...]:
    declared = {kind: dict(event.properties) for kind in kinds if (event := around.project.event(kind)) is not None}
    targets: list[Target] = []
    for name, value in around.reader.named(node, "`properties`"):
        by_type: dict[ValueType, list[str]] = {}
        for kind, properties in declared.items():
            if name.text in properties:
                by_type.setdefault(properties[name.text], []).append(kind)
        if not by_type:
            known = sorted({property_ for properties in declared.values() for property_ in properties})
            of = f"`{kinds[0]}`" if len(kinds) == 1 else "these events"
            hint = nearest(name.text, known)
            around.reader.error("SEG301", name, f"`{name.text}` is not a declared property of {of}", hint=hint)
        for value_type, of_kinds in by_type.items():
            target = bind_target(name, value, value_type, around)
            if target is not None:
                targets.append(replace(target, kinds=tuple(of_kinds)))
    return tuple(targets)


def bind_traits(node: Node | None, around: Surroundings) -> tuple[Target, ...]:
    """The entries of `profiles`."""
    targets = []
    for name, value in around.reader.named(node, "`profiles`"):
        trait = around.project.trait(name.text)
        if trait is None:
            hint = nearest(name.text, [trait.name for trait in around.project.traits])
            around.reader.error("SEG301", name, f"`{name.text}` is not a declared trait", hint=hint)
            continue
        target = bind_target(name, value, trait.type, around)
        if target is not None:
            targets.append(target)
    return tuple(targets)


def bind_key(node: Node | None, around: Surroundings) -> tuple[tuple[str, Expression], ...]:
    """The entries of `key` in the project's order of identifiers."""
    order = [identifier.name for identifier in around.project.identifiers]
    found: dict[str, Expression] = {}
    for name, value in around.reader.named(node, "`key`"):
        if name.text not in order:
            hint = nearest(name.text, order)
            around.reader.error("SEG301", name, f"`{name.text}` is not a declared identifier", hint=hint)
            continue
        expression = bind_expression(value, around.reader)
        if expression is not None:
            found[name.text] = expression
    return tuple((name, found[name]) for name in order if name in found)
