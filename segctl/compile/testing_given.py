"""Given profiles: traits, identifiers, events and later records, checked against what the project declares."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from collections.abc import Mapping as Lookup
from datetime import datetime
from decimal import Decimal
from functools import partial

from segctl.compile.bind import forms
from segctl.compile.bind.literals import literal, report_problem
from segctl.compile.bind.scope import Scope, describe_type, shown
from segctl.compile.source import ListNode, Mapping, Node, Scalar
from segctl.compile.testing import GivenConsent, GivenEvent, GivenProfile, GivenRecord, GivenRow
from segctl.compile.testing_consents import CONSENTS, bind_consents
from segctl.compile.testing_times import given_day, given_instant
from segctl.compile.timewords import Problem
from segctl.compile.zones import from_us
from segctl.model.dataclass import dataclass
from segctl.model.types import EXACT, Kind, ValueType

RECORDS = "records"
_KINDS = ("trait", "event", "identifier", "related")
_MOST_EVENTS = 10_000

Entries = tuple[tuple[Scalar, Node], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """What binding a profile needs: the names in reach, and the case's instant."""

    scope: Scope
    as_of: datetime

    @property
    def zone(self) -> str:
        """The project's."""
        return self.scope.project.timezone


def bind_profile(name: str, entries: Iterable[tuple[Scalar, Node]], place: Place) -> GivenProfile:
    """One profile; problems are reported and what they concern is left out.

    Args:
        name: Short name.
        entries: Keys and values; of a key that comes again the last one counts.
        place: Where it stands.
    """
    traits: dict[str, object] = {}
    identifiers: dict[str, str] = {}
    events: list[GivenEvent] = []
    records: list[GivenRecord] = []
    rows: list[GivenRow] = []
    consents: list[GivenConsent] = []
    for key, node in {key.text: (key, node) for key, node in entries}.values():
        kind, word = _kind_of(key, place.scope)
        if kind == "trait":
            traits[word] = given_value(node, place.scope.traits[word], place)
        if kind in ("identifier", "both"):
            written = _identifier(node, place.scope)
            identifiers |= {} if written is None else {word: written}
        if kind == "both":
            traits[word] = given_value(node, place.scope.traits[word], place)
        if kind == "event":
            events += bind_events(word, node, place)
        if kind == "related":
            rows += _rows(word, node, place)
        if kind == RECORDS:
            records += _records(node, place)
        if kind == CONSENTS:
            consents += bind_consents(node, place.scope, partial(instant, place=place))
    ordered = tuple(sorted(records, key=lambda record: record.at))
    return GivenProfile(name, traits, identifiers, tuple(events), ordered, tuple(rows), tuple(consents))


def _kind_of(key: Scalar, scope: Scope) -> tuple[str | None, str]:
    """What a key of a profile names: ``trait``, ``event``, ``identifier``, ``both`` (trait and identifier)."""
    kind, colon, word = key.text.strip().partition(":")
    word = word.strip() if colon else kind
    identifiers = {one.name for one in scope.project.identifiers}
    declared: tuple[tuple[str, Collection[str]], ...] = (
        ("trait", scope.traits), ("event", scope.events), ("identifier", identifiers),
        ("related", {table.name for table in scope.project.related}),
    )  # fmt: skip
    found = [of for of, known in declared if word in known]
    if colon and kind in _KINDS:
        found = [of for of in found if of == kind]
    elif word in (RECORDS, CONSENTS) and not found:
        return word, word
    if len(found) > 1 and found != ["trait", "identifier"]:
        hint = " or ".join(f'`"{of}:{word}"`' for of in found)
        both = " and ".join("a related table" if of == "related" else one_of_a_kind(of) for of in found)
        scope.error("SEG559", f"{shown(word)} is {both}", key.location, hint=f"write {hint}")
        return None, word
    if not found:
        _report_unknown(word, key, scope)
        return None, word
    return ("both" if "trait" in found and "identifier" in found else found[0]), word


def one_of_a_kind(word: str) -> str:
    """``a trait``, ``an event``."""
    return f"an {word}" if word[0] in "aei" else f"a {word}"


def _report_unknown(word: str, key: Scalar, scope: Scope) -> None:
    if word in scope.computed:
        hint = "give the events and traits that it is computed from"
        scope.error("SEG556", f"{shown(word)} is computed, so it cannot be given", key.location, hint=hint)
        return
    identifiers = (one.name for one in scope.project.identifiers)
    tables = (table.name for table in scope.project.related)
    known = (*scope.traits, *scope.events, *identifiers, *tables, RECORDS, CONSENTS)
    message = f"{shown(word)} is neither a trait nor an event nor an identifier"
    scope.error("SEG550", message, key.location, hint=scope.meant(word, known, otherwise="declare it in segctl.yaml"))


def _identifier(node: Node, scope: Scope) -> str | None:
    written = forms.text(node, scope, "an identifier")
    return None if written is None else unicodedata.normalize("NFC", written)


# --- Values -----------------------------------------------------------------------------------------------
def given_value(node: Node, of: ValueType, place: Place) -> object:
    """A value in physical form, None where nothing is written; relative times are allowed for dates and times."""
    if isinstance(node, Scalar) and node.is_null and node.comment is None:
        return None
    match of.kind:
        case Kind.LIST if of.element is not None:
            element = of.element
            listed = forms.items(node, place.scope, f"a {describe_type(of)}", least=0)
            return None if listed is None else [given_value(item, element, place) for item in listed]
        case Kind.STRUCT:
            return _struct(node, of, place)
        case Kind.DATE | Kind.TIME:
            return _moment(node, of, place)
    found = literal(node, of, place.scope)
    if of.kind in EXACT and isinstance(found, int | Decimal):
        return int(Decimal(found).scaleb(of.scale))
    return float(found) if of.kind is Kind.REAL and isinstance(found, int | Decimal) else found


def _struct(node: Node, of: ValueType, place: Place) -> object:
    found = forms.mapping(node, place.scope, "a struct")
    if found is None or not forms.check_keys(found, [name for name, _ in of.fields], place.scope, "the struct"):
        return None
    return {
        name: None if (inner := found.get(name)) is None else given_value(inner, field, place)
        for name, field in of.fields
    }


def _moment(node: Node, of: ValueType, place: Place) -> object:
    if of.kind is Kind.TIME:
        us = instant(node, place)
        return None if us is None else from_us(us)
    written = forms.text(node, place.scope, "a date such as `1990-02-28` or `3 days ago`")
    if written is None or not isinstance(node, Scalar):
        return None
    found = given_day(written, place.as_of, place.zone)
    if isinstance(found, Problem):
        report_problem(found, node, place.scope, "SEG232")
        return None
    return found


def instant(node: Node, place: Place) -> int | None:
    """The instant a node says, in microseconds."""
    written = forms.text(node, place.scope, "a time such as `3 days ago` or `2026-06-16 08:00`")
    if written is None or not isinstance(node, Scalar):
        return None
    found = given_instant(written, place.as_of, place.zone)
    if isinstance(found, Problem):
        report_problem(found, node, place.scope, "SEG232")
        return None
    return found


# --- Events -----------------------------------------------------------------------------------------------
def bind_events(kind: str, node: Node, place: Place) -> list[GivenEvent]:
    """The events under a kind: a time, `{at: …, PROPERTY: …}`, or a list of such."""
    listed = node.items if isinstance(node, ListNode) else (node,)
    events = [event for item in listed for event in _event(kind, item, place)]
    if len(events) > _MOST_EVENTS:
        place.scope.error("SEG212", f"more than {_MOST_EVENTS:,} events of one kind", node.location)
    return events


def _event(kind: str, node: Node, place: Place) -> list[GivenEvent]:
    if isinstance(node, Scalar):
        at = instant(node, place)
        return [] if at is None else [GivenEvent(kind, at)]
    found = forms.mapping(node, place.scope, "an event", hint="write `3 days ago` or `{at: 3 days ago, …}`")
    when = None if found is None else forms.required(found, "at", place.scope, "the event", example="at: 3 days ago")
    if found is None or when is None:
        return []
    values = _properties(f"`{kind}`", dict(place.scope.events[kind].properties), found, place)
    times = [instant(item, place) for item in (when.items if isinstance(when, ListNode) else (when,))]
    return [GivenEvent(kind, at, values) for at in times if at is not None]


def _properties(owner: str, declared: Lookup[str, ValueType], node: Mapping, place: Place) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, value in node.entries:
        word = key.text.removeprefix("property:")
        if key.text == "at":
            continue
        if word not in declared:
            message = f"{shown(word)} is not a property of {owner}"
            hint = place.scope.meant(word, tuple(declared))
            place.scope.error("SEG221", message, key.location, hint=hint)
            continue
        found = given_value(value, declared[word], place)
        values |= {} if found is None else {word: found}
    return values


def _rows(table: str, node: Node, place: Place) -> list[GivenRow]:
    """The rows under a related table: one mapping of properties, or a list of such."""
    declared = place.scope.project.table(table)
    found = []
    for item in node.items if isinstance(node, ListNode) else (node,):
        row = forms.mapping(item, place.scope, f"a row of `{table}`", hint="write `{PROPERTY: …}`")
        if row is not None and declared is not None:
            found.append(GivenRow(table, _properties(f"`{table}`", dict(declared.properties), row, place)))
    return found


# --- Records ----------------------------------------------------------------------------------------------
def _records(node: Node, place: Place) -> list[GivenRecord]:
    hint = "write `[{at: 30 days ago, tier: gold}]`"
    listed = forms.items(node, place.scope, "`records`", hint=hint, least=0) or ()
    found = (_record(item, place, hint) for item in listed)
    return [record for record in found if record is not None]


def _record(node: Node, place: Place, hint: str) -> GivenRecord | None:
    found = forms.mapping(node, place.scope, "a record", hint=hint)
    when = None if found is None else forms.required(found, "at", place.scope, "the record", example="at: 3 days ago")
    if found is None or when is None:
        return None
    at = instant(when, place)
    traits: dict[str, object] = {}
    for key, value in found.entries:
        word = key.text.removeprefix("trait:")
        if key.text == "at":
            continue
        if word not in place.scope.traits:
            _report_unknown(word, key, place.scope)
            continue
        traits[word] = given_value(value, place.scope.traits[word], place)
    return None if at is None else GivenRecord(at, traits)
