"""Proposed tests as YAML that people read: one line a profile, events and values in short form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from segctl.compile.boundaries import Written
from segctl.compile.boundary_specs import Spec
from segctl.compile.testing import EVERYONE

_PLAIN = re.compile(r"[A-Za-zÀ-ɏ0-9_][^:#,\[\]{}\"'&*!|>%@`\n\t]*[^\s:#,\[\]{}\"'&*!|>%@`]|[A-Za-zÀ-ɏ_]")
_NO_TEXT = re.compile(r"(?i:true|false|null|~|yes|no|on|off)|[-+.0-9][-+.:0-9eE_]*")
_TIME = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d(:\d\d(\.\d+)?)?)?( [+-] \d+ \w+)?")


def flow(value: object, *, is_time: bool = False) -> str:
    """A value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{scalar(str(key))}: {flow(of, is_time=key == 'at')}" for key, of in value.items()) + "}"
        )
    if isinstance(value, str):
        return scalar(value)
    if isinstance(value, Sequence):
        return "[" + ", ".join(flow(item, is_time=is_time) for item in value) + "]"
    return scalar(str(value))


def scalar(text: str) -> str:
    """A text, in quotes where YAML would read something else."""
    if _TIME.fullmatch(text) and "#" not in text:
        return text
    if _PLAIN.fullmatch(text) and not _NO_TEXT.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


def body(spec: Spec, ambiguous: frozenset[str] = frozenset()) -> dict[str, Written]:
    """A profile as a mapping.

    Args:
        spec: What it is given.
        ambiguous: Names of traits that are events too.
    """
    found: dict[str, Written] = dict(spec.identifiers)
    for name, value in spec.traits.items():
        found[f"trait:{name}" if name in ambiguous else name] = value
    for kind, events in spec.events.items():
        if events:
            found[f"event:{kind}" if kind in ambiguous else kind] = _events(events)
    for table, rows in spec.rows.items():
        if rows:
            found[table] = dict(rows[0]) if len(rows) == 1 else [dict(row) for row in rows]
    if spec.consents:
        found["consents"] = [
            {"consent": purpose, "channel": channel, "status": status, **({} if at is None else {"at": at})}
            for (purpose, channel), (status, at) in spec.consents.items()
        ]
    if spec.records:
        found["records"] = [dict(record) for record in spec.records]
    return found


def _events(events: Sequence[Mapping[str, Written]]) -> Written:
    """One time, or a list; equal events at several instants share their properties."""
    groups: dict[str, list[Mapping[str, Written]]] = {}
    for event in events:
        rest = {key: value for key, value in event.items() if key != "at"}
        groups.setdefault(repr(rest), []).append(event)
    # Events of one form in a row are joined; the order of unequal ones may decide and stays as it is.
    if len(groups) > 1:
        joined: list[Written] = [_event(event) for event in events]
    else:
        times: list[Written] = [event["at"] for event in events]
        rest = {key: value for key, value in events[0].items() if key != "at"}
        joined = list(times) if not rest else [{"at": times if len(times) > 1 else times[0], **rest}]
    return joined[0] if len(joined) == 1 else joined


def _event(event: Mapping[str, Written]) -> Written:
    return event["at"] if len(event) == 1 else dict(event)


def profile_lines(profiles: Mapping[str, Spec], ambiguous: frozenset[str], indent: str) -> list[str]:
    """What everyone has, then one line for each profile; one that is given nothing more has no value."""
    bodies = {name: body(spec, ambiguous) for name, spec in profiles.items()}
    first = next(iter(bodies.values()), {})
    common = {k: v for k, v in first.items() if len(bodies) > 1 and all(b.get(k, b) == v for b in bodies.values())}
    lines = [f"{indent}{EVERYONE}: {flow(common)}"] if common else []
    for name, whole in bodies.items():
        own = {key: value for key, value in whole.items() if key not in common}
        lines.append(f"{indent}{name}: {flow(own)}" if own else f"{indent}{name}:")
    return lines


def names_line(word: str, names: Iterable[str], indent: str) -> list[str]:
    """``members: [anna, ben]``, folded where it is long; nothing where nobody is named."""
    listed = list(names)
    if not listed:
        return []
    lines, line = [], f"{indent}{word}: ["
    for number, name in enumerate(listed):
        part = name + ("" if number == len(listed) - 1 else ", ")
        if len(line) + len(part) > 110:
            lines.append(line.rstrip())
            line = f"{indent}  "
        line += part
    return [*lines, f"{line}]"]
