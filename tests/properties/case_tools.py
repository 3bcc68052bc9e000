"""Short words for writing language cases: people, events, conditions, and the project they share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from oracle_data import Answer, Event, Profile, Record, World

from segctl.model import conditions as c
from segctl.model import times as t
from segctl.model.project import Definitions, EventKind, IdentifierType, Project, StoredTrait
from segctl.model.types import BOOLEAN, DATE, INTEGER, REAL, TEXT, TIME, Kind, ValueType

MONEY = ValueType(Kind.MONEY, scale=2, unit="EUR")
ITEM = ValueType(Kind.STRUCT, fields=(("sku", TEXT), ("quantity", INTEGER)))
ITEMS = ValueType(Kind.LIST, element=ITEM)
TRAITS = {
    "country": TEXT, "name": TEXT, "tier": TEXT, "points": INTEGER, "balance": MONEY, "vip": BOOLEAN,
    "born": DATE, "seen": TIME, "limit_at": TIME, "interests": ValueType(Kind.LIST, element=TEXT),
    "address": ValueType(Kind.STRUCT, fields=(("city", TEXT), ("zip", TEXT))), "items": ITEMS,
}  # fmt: skip
EVENTS = {
    "order": {"value": MONEY, "order_id": TEXT, "quantity": INTEGER, "category": TEXT, "coupon": TEXT, "items": ITEMS},
    "cart": {"product": TEXT, "cart_id": TEXT, "value": MONEY},
    "mail_sent": {"mailing": TEXT},
    "mail_opened": {"mailing": TEXT},
    "visit": {"page": TEXT, "until": TIME},
}


def shop(zone: str = "Europe/Berlin") -> Project:
    """The project all cases share."""
    return Project(
        root="/shop",
        name="shop",
        timezone=zone,
        identifiers=(IdentifierType("customer_id"), IdentifierType("email", personal=True)),
        traits=tuple(StoredTrait(name, of) for name, of in TRAITS.items()),
        events=tuple(EventKind(name, tuple(properties.items())) for name, properties in EVENTS.items()),
    )


def at(text: str, zone: str = "Europe/Berlin") -> datetime:
    """``2026-11-20 10:00`` in the zone (of two the first), or in UTC with a ``Z`` at its end."""
    if text.endswith("Z"):
        return datetime.fromisoformat(text[:-1]).replace(tzinfo=UTC)
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def person(profile_id: str, *, identifiers: tuple[tuple[str, str], ...] = (), **traits: Any) -> Profile:
    """A profile whose traits are valid from the beginning; its subject is its letter's place in the alphabet."""
    subject = ord(profile_id[0]) - ord("a")
    return Profile(profile_id, (subject,), (Record("crm", subject + 1, traits, subject=subject),), identifiers)


def event(whose: str, kind: str, when: str | datetime, **properties: Any) -> Event:
    """An event; `event_id` and `source` may be given among the properties."""
    source, event_id = properties.pop("source", "web"), properties.pop("event_id", None)
    ts = at(when) if isinstance(when, str) else when
    return Event(ord(whose) - ord("a"), kind, ts, source, event_id or f"{kind}-{ts.isoformat()}", properties)


NOON = at("2026-11-21 12:00")


@dataclass(frozen=True)
class Case:
    """One sentence of the language with data that would break it.

    `expected` holds the answer of `where` for each person; `members` those kept, where `keep` matters.
    """

    name: str
    where: c.Condition
    expected: Mapping[str, Answer]
    people: tuple[Profile, ...] = ()
    events: tuple[Event, ...] = ()
    as_of: datetime = NOON
    zone: str = "Europe/Berlin"
    computed: tuple[c.ComputedTrait, ...] = ()
    keep: c.Keep | None = None
    members: str | None = None
    segments: tuple[c.SegmentDefinition, ...] = ()
    lists: Mapping[tuple[str, str | None], frozenset[str]] = field(default_factory=dict)

    def world(self) -> World:
        """The case as the oracle reads it; people not named have no traits."""
        named = {p.profile_id for p in self.people}
        people = self.people + tuple(person(p) for p in self.expected if p not in named)
        segments = {s.name: s for s in (*self.segments, c.SegmentDefinition("case", self.where, self.keep))}
        definitions = Definitions(shop(self.zone), segments, {x.name: x for x in self.computed})
        return World(definitions, people, self.events, self.as_of, self.lists)


def passes(operator: c.ValueOperator, *operands: c.Operand, ignore_case: bool = False) -> c.ValueTest:
    """One operator."""
    return c.ValueTest(operator, operands, ignore_case)


def trait(name: str, operator: c.ValueOperator, *operands: c.Operand, **more: Any) -> c.TraitCondition:
    """A test of a trait; dotted names reach into structs."""
    first, *path = name.split(".")
    return c.TraitCondition(
        first, passes(operator, *operands, ignore_case=more.pop("ignore_case", False)), tuple(path), **more
    )


def count(
    kinds: str, operator: c.ValueOperator = "at_least", *operands: c.Operand, **selection: Any
) -> c.EventCondition:
    """A count of events, at least one unless said otherwise."""
    return measured(
        kinds, c.Count(selection.pop("followed_by", None)), passes(operator, *(operands or (1,))), **selection
    )


def measured(kinds: str, measure: c.Measure, of: c.Test, **selection: Any) -> c.EventCondition:
    """A measure over events; kinds are separated by blanks."""
    missing = selection.pop("missing", None)
    return c.EventCondition(c.EventSelection(tuple(kinds.split()), **selection), measure, of, missing)


def where(**tests: Any) -> tuple[c.PropertyTest, ...]:
    """Property tests: a plain value means equals; ``time_month`` stands for ``time.month``."""
    return tuple(
        c.PropertyTest(
            name.replace("time_", "time."),
            value if isinstance(value, c.ValueTest | t.Window) else c.ValueTest("equals", (value,)),
        )
        for name, value in tests.items()
    )


def step(kinds: str, within: t.Duration | None = None, *, negative: bool = False, **more: Any) -> c.Step:
    """One step of a sequence."""
    return c.Step(tuple(kinds.split()), more.get("where", ()), negative, more.get("window"), within)


def no(kinds: str, within: t.Duration | None = None, **more: Any) -> c.Step:
    """`then_not`."""
    return step(kinds, within, negative=True, **more)


def sequence(*steps: c.Step, start: Any = "any", same: str = "") -> c.SequenceCondition:
    """Steps in time order."""
    return c.SequenceCondition(steps, start, tuple(same.split()))


def days(n: int) -> t.Duration:
    """Exact days."""
    return t.Duration(n, "days")


def hours(n: int) -> t.Duration:
    """Exact hours."""
    return t.Duration(n, "hours")


def calendar(n: int, unit: Any = "days") -> t.Duration:
    """Calendar units."""
    return t.Duration(n, unit, calendar=True)


def last(n: int, unit: Any = "days") -> t.WithinLast:
    """`within_last` of exact units or of months and years."""
    return t.WithinLast(t.Duration(n, unit))


def euro(text: str) -> Decimal:
    """Money with two digits."""
    return Decimal(text).quantize(Decimal("0.01"))


def metric(name: str, of: ValueType, kinds: str, measure: c.Measure, **selection: Any) -> c.ComputedTrait:
    """A trait made from events."""
    return c.ComputedTrait(name, of, c.EventSelection(tuple(kinds.split()), **selection), measure)


def formula(name: str, of: c.Formula) -> c.ComputedTrait:
    """A trait made from traits."""
    return c.ComputedTrait(name, REAL, formula=of)


def day(text: str) -> date:
    """A calendar day."""
    return date.fromisoformat(text)
