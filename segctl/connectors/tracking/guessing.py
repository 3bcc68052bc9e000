"""Which shape a file's records have, and what a project would declare to take them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from segctl.connectors.files.json_columns import column
from segctl.connectors.tracking import shape_of
from segctl.connectors.tracking.base import Message, Record
from segctl.connectors.tracking.frames import frame_of
from segctl.connectors.tracking.vocabulary import PROPERTIES
from segctl.connectors.typing_guess import guess

_TYPES = ("track", "identify", "page", "screen", "group", "alias")
_KINDS_AT_MOST = 40
_NAMES_AT_MOST = 12
_SHARE = 0.05
"""A property that fewer events of its kind have is not proposed."""
_BY_KIND = {"event_id", "kind", "event_name", "user_id", "anonymous_id", "products"}


_IDS = {"id", "user_id", "anonymous_id"}


@dataclass(frozen=True, slots=True)
class Guess:
    """What a sample says.

    Attributes:
        events: Kind to its properties and their short types, the most frequent kind first.
        traits: Traits of people and their short types.
        rows: Events of each kind in the sample.
    """

    events: dict[str, dict[str, str]]
    traits: dict[str, str]
    rows: dict[str, int]


def shape_of_records(records: Iterable[Record]) -> str | None:
    """The shape that most of the records have; None when they have none of those that are known."""
    votes = Counter(shape for record in records if (shape := _shape(record)) is not None)
    return votes.most_common(1)[0][0] if votes else None


def _shape(record: Record) -> str | None:
    if "visitStartTime" in record or ("hit_type" in record and "full_visitor_id" in record):
        return "ga360"
    if "event_params" in record and "event_name" in record:
        return "ga4"
    if "collector_tstamp" in record:
        return "snowplow"
    if isinstance(record.get("events"), list) and ("client_id" in record or "app_instance_id" in record):
        return "ga4_mp"
    if str(record.get("type")).lower() in _TYPES or isinstance(record.get("batch"), list):
        return "segment"
    return "gtm" if "event_name" in record and "client_id" in record else None


def guessed(shape: str, records: Sequence[Record]) -> Guess:
    """Kinds, properties and traits that a sample of records of a shape holds."""
    found = shape_of(shape)
    events = [outcome for record in records for outcome in found.events(record) if isinstance(outcome, dict)]
    about = [] if found.profiles is None else [
        outcome for record in records for outcome in found.profiles(record) if isinstance(outcome, dict)
    ]  # fmt: skip
    rows = Counter(event["kind"] for event in events)
    kinds = {kind: _properties(kind, [e for e in events if e["kind"] == kind]) for kind, _ in _most(rows)}
    names = Counter(name for message in about for name, of in message["traits"].items() if _is_plain(of))
    often = [name for name, count in _most(names) if count >= _SHARE * len(about) and name not in _IDS]
    traits = {name: guess(column([message["traits"].get(name) for message in about]), name) for name in often}
    return Guess(kinds, traits, dict(rows))


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:_KINDS_AT_MOST]


def _properties(kind: str, events: list[Message]) -> dict[str, str]:
    """What the vocabulary says a kind has, as far as it is there, and what else stands there often."""
    known = PROPERTIES.get(kind, {})
    frame = frame_of(events, tuple(known))
    found = {name: of for name, of in known.items() if frame[name].null_count() < frame.height}
    names = Counter(name for event in events for name, of in event["properties"].items() if _is_plain(of))
    for name, count in _most(names):
        if len(found) >= _NAMES_AT_MOST or count < _SHARE * len(events):
            break
        if name not in found and name not in _BY_KIND:
            found[name] = guess(column([event["properties"].get(name) for event in events]), name)
    return found


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int | float) and value != ""
