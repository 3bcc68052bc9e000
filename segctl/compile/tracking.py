"""Binding of `tracking:`: a few lines become a source of events and, where there is something, one of profiles."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.source_nodes import nearest
from segctl.compile.source_rules import bind_target
from segctl.compile.timewords import Problem, parse_duration
from segctl.model.project import EventKind
from segctl.model.sources import Column, EventRule, Expression, Instants, Source, Target, TimeRule, columns_of
from segctl.model.tracking import (
    ADDRESSES,
    DEVICE,
    HIDDEN,
    IP,
    PAGE,
    SESSION_PROPERTIES,
    SHAPES,
    WITH_PROFILES,
    Sessions,
    Tracking,
)
from segctl.model.types import TEXT, Kind, ValueType

if TYPE_CHECKING:
    from segctl.compile.source_rules import Surroundings

KEYS = ("tracking", "properties", "sessions", "geo")
"""Keys that only sources of tracking records have."""
PROFILES_PART = "identify"
SESSION = "session"
_ITEM = "order_item"
_MICROSECONDS = TimeRule(format="epoch_us")
_EXACT_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
_GAP = "30 minutes"
_ADDRESSES = ("email", "phone")


def bind_tracking(source: Source, root: Mapping, around: Surroundings) -> Source:
    """The source with its event rule and, in `also`, the part that takes what is said about people."""
    reader = around.reader
    node = root.get("tracking")
    assert node is not None, "only called for tracking sources"
    shape = reader.choice(node, "`tracking`", SHAPES, SHAPES[0])
    _refuse_others(root, around)
    keys = source.key or _default_key(root, around)
    overrides = _overrides(root, around)
    geo = _geo(root, around)
    keeps_ip = any(_is_address(name) for value in overrides.values() for name in columns_of(value))
    if geo is not None and keeps_ip:
        place = root.get("properties") or root
        hint = "delete one: `geo` turns the address into a region and drops it"
        reader.error("SEG393", place, "the IP address is both dropped by `geo` and mapped", hint=hint)
    sessions = _sessions(root, around)
    names = _names(root, around)
    kinds = tuple(kind for kind in around.project.events if sessions is None or kind.name != sessions.kind)
    has_items = any(kind.name == _ITEM for kind in kinds)
    tracking = Tracking(shape, "events", names, has_items, sessions, geo, keeps_ip)
    rule = _rule(kinds, overrides, sessions, around)
    events = replace(source, key=keys, traits=(), events=(rule,), tracking=tracking)
    profiles = _profiles(source, root, around, shape)
    if profiles is None:
        return events
    about = replace(
        source,
        name=f"{source.name}/{PROFILES_PART}",
        key=keys,
        only=(),
        keeps_on_empty=True,
        record_time=Instants(Column("time"), _MICROSECONDS),
        traits=profiles,
        events=(),
        tracking=Tracking(shape, "profiles", (), mmdb=geo),
        corrections_replace=False,
        # A contract speaks of events; what is said about people has other columns.
        contract=None,
        checks=(),
        consents=(),
    )
    return replace(events, also=(about,))


def _refuse_others(root: Mapping, around: Surroundings) -> None:
    """Keys that say what a shape says already."""
    for name in ("record_time", "empty", "picture"):
        key = root.key(name)
        if key is not None:
            around.reader.error("SEG394", key, f"`{name}` is not for tracking records: their shape says it")


def _default_key(root: Mapping, around: Surroundings) -> tuple[tuple[str, Expression], ...]:
    """The project's first identifiers of each class; identifiers of the usual names win."""
    found: list[tuple[str, Expression]] = []
    for wanted, field in (("known", "user_id"), ("anonymous", "anonymous_id")):
        declared = [known for known in around.project.identifiers if known.identifier_class == wanted]
        # A user id is rarely an address; where nothing else is declared it is.
        names = [known.name for known in declared if not known.personal and known.name not in _ADDRESSES]
        names = names or [known.name for known in declared]
        if names:
            found.append((field if field in names else names[0], Column(field)))
    if not found:
        hint = "declare `identifiers: {user_id: {class: known}, anonymous_id: {class: anonymous}}` in segctl.yaml"
        around.reader.error(
            "SEG390", root, "segctl.yaml declares no identifiers, so nobody can be told apart", hint=hint
        )
    order = [identifier.name for identifier in around.project.identifiers]
    return tuple(sorted(found, key=lambda entry: order.index(entry[0])))


def _overrides(root: Mapping, around: Surroundings) -> dict[str, Expression]:
    """Properties that are read from elsewhere than the field or property of their name."""
    declared = {name for event in around.project.events for name, _ in event.properties}
    found: dict[str, Expression] = {}
    for name, value in around.reader.named(root.get("properties"), "`properties`"):
        if name.text not in declared:
            hint = nearest(name.text, declared)
            around.reader.error("SEG301", name, f"`{name.text}` is not a declared property of any event", hint=hint)
            continue
        target = bind_target(name, value, TEXT, around)
        if target is not None:
            found[name.text] = target.value
    return found


def _is_address(name: str) -> bool:
    return name.rpartition(".")[2].lower() in ADDRESSES


def _names(root: Mapping, around: Surroundings) -> tuple[tuple[str, str], ...]:
    node = root.get("events")
    if node is None:
        return ()
    if isinstance(node, ListNode) or not isinstance(node, Mapping):
        hint = "write `events: {Spin Result: spin_result}`: the sender's name, then the declared event"
        around.reader.error("SEG391", node, "`events` of tracking records maps names to declared events", hint=hint)
        return ()
    pairs = []
    declared = [kind.name for kind in around.project.events]
    for name, kind in node.entries:
        if not isinstance(kind, Scalar) or kind.text not in declared:
            shown = kind.text if isinstance(kind, Scalar) else ""
            hint = nearest(shown, declared)
            around.reader.error("SEG301", kind, f"`{shown}` is not a declared event", hint=hint)
            continue
        pairs.append((name.text, kind.text))
    return tuple(pairs)


def _geo(root: Mapping, around: Surroundings) -> str | None:
    node = around.reader.mapping(root.get("geo"), "`geo`", ("mmdb",))
    if node is None:
        return None
    path = around.reader.text(node.get("mmdb"), "`mmdb`")
    if path is None:
        around.reader.error("SEG300", node, "`geo` names no file", hint="write `geo: {mmdb: data/cities.mmdb}`")
    return path


def _sessions(root: Mapping, around: Surroundings) -> Sessions | None:
    node = root.get("sessions")
    declared = around.project.event(SESSION)
    if node is None:
        return None if declared is None else _checked(SESSION, _GAP, root, around)
    if isinstance(node, Scalar):
        if node.text in ("none", "off", "false", "no"):
            return None
        return _checked(SESSION, node.text, node, around)
    found = around.reader.mapping(node, "`sessions`", ("gap", "event"))
    if found is None:
        return None
    gap = around.reader.text(found.get("gap"), "`gap`") or _GAP
    kind = around.reader.text(found.get("event"), "`event`") or SESSION
    return _checked(kind, gap, node, around)


def _checked(kind: str, gap: str, node: Node, around: Surroundings) -> Sessions | None:
    event = around.project.event(kind)
    if event is None:
        hint = (
            f"add to `events` in segctl.yaml: `{kind}: {{properties: {{duration: integer, pages: integer, "
            "entry_page: text}}`"
        )
        around.reader.error("SEG392", node, f"sessions become events `{kind}`, which are not declared", hint=hint)
        return None
    length = parse_duration(gap)
    if isinstance(length, Problem) or length.calendar or length.unit not in _EXACT_SECONDS:
        around.reader.error("SEG304", node, f"`{gap}` is no gap between sessions", hint="write `gap: 30 minutes`")
        return None
    _check_session_properties(event, node, around)
    seconds = timedelta(seconds=length.amount * _EXACT_SECONDS[length.unit])
    return Sessions(kind, seconds // timedelta(microseconds=1))


def _check_session_properties(event: EventKind, node: Node, around: Surroundings) -> None:
    wanted: dict[str, tuple[Kind, ...]] = dict.fromkeys(SESSION_PROPERTIES, (Kind.INTEGER, Kind.NUMBER))
    wanted |= {"entry_page": (Kind.TEXT,), "exit_page": (Kind.TEXT,)}
    wanted |= {"started_at": (Kind.TIME,), "ended_at": (Kind.TIME,)}
    for name, of in event.properties:
        if name in wanted and of.kind not in wanted[name]:
            message = f"`{name}` of sessions is {wanted[name][0].value}, but `{event.name}` declares {of.kind.value}"
            around.reader.error("SEG392", node, message, hint=f"declare `{name}: {wanted[name][0].value}`")


def _rule(
    kinds: tuple[EventKind, ...], overrides: dict[str, Expression], sessions: Sessions | None, around: Surroundings
) -> EventRule:
    targets: list[Target] = []
    by_target: dict[tuple[str, ValueType], list[str]] = {}
    for kind in kinds:
        for name, of in kind.properties:
            by_target.setdefault((name, of), []).append(kind.name)
    for (name, of), names in by_target.items():
        if name == IP and name not in overrides:
            continue
        value = overrides.get(name, Column(name))
        rule = TimeRule(zone=around.project.timezone)
        targets.append(Target(name, of, value, rule, rounds=True, kinds=tuple(names)))
    every = tuple(kind.name for kind in kinds)
    if sessions is not None:
        values = dict(zip(HIDDEN, (Column("anonymous_id"), Column("path")), strict=True))
        targets += [Target(name, TEXT, values[name], kinds=every) for name in (DEVICE, PAGE)]
    return EventRule(
        time=Instants(Column("time"), _MICROSECONDS),
        kind_column=Column("kind"),
        kind_map=tuple((name, name) for name in every),
        identity=(Column("event_id"),),
        properties=tuple(targets),
    )


def _profiles(source: Source, root: Mapping, around: Surroundings, shape: str) -> tuple[Target, ...] | None:
    """Traits of the part about people: those named, or all that are declared; None when there is no such part."""
    node = root.get("profiles")
    word = node.text if isinstance(node, Scalar) else None
    if word in ("none", "off", "false", "no"):
        return None
    if shape not in WITH_PROFILES:
        if node is not None:
            around.reader.error("SEG394", node, f"records of `{shape}` say nothing about people")
        return None
    if node is None and shape != "segment":
        return None
    if node is None or word == "all":
        return tuple(_trait(name, of, around) for name, of in _declared_traits(around))
    return source.traits


def _declared_traits(around: Surroundings) -> list[tuple[str, ValueType]]:
    return [(trait.name, trait.type) for trait in around.project.traits]


def _trait(name: str, of: ValueType, around: Surroundings) -> Target:
    return Target(name, of, Column(f"traits.{name}"), TimeRule(zone=around.project.timezone), rounds=True)
