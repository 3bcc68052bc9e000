"""Nasty random data: values, instants on the edges of windows and clock changes, people and their events.

Everything comes from one seeded `random.Random`, so an example is one integer: fast, and repeatable by hand.
"""

from __future__ import annotations

import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from oracle_data import Event, Profile, Record
from oracle_windows import Clock, instant_of, shifted

from segctl.model import times as t
from segctl.model.identity import IdentityRules, Survival, Survivorship
from segctl.model.project import EventKind, IdentifierType, Project, StoredTrait
from segctl.model.types import BOOLEAN, DATE, INTEGER, TEXT, TIME, Kind, ValueType

US = timedelta(microseconds=1)
ZONES = (
    "Europe/Berlin",
    "Europe/Berlin",
    "UTC",
    "America/New_York",
    "Asia/Kathmandu",
    "America/Santiago",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
)
AS_OF = (
    "2026-11-21 12:00",
    "2026-03-29 03:00",
    "2026-03-30 00:00",
    "2026-10-25 02:30",
    "2026-10-26 01:00",
    "2024-02-29 12:00",
    "2024-03-01 00:00",
    "2025-02-28 23:59:59.999999",
    "2026-03-31 10:00",
    "2026-01-01 00:00",
    "2025-12-31 23:59:59",
    "2026-09-06 12:00",
    "2026-09-05 23:30",
    "2026-11-01 00:30",
    "2026-04-05 01:45",
    "2027-02-28 08:00",
)
TEXTS = tuple(
    dict.fromkeys(
        unicodedata.normalize("NFC", text)
        for text in (
            "",
            " ",
            "a",
            "A",
            "ä",
            "Ä",
            "ss",
            "ß",
            "SS",
            "i",
            "I",
            "İ",
            "ı",
            "i̇",
            "%",
            "_",
            "a%b",
            "a_b",
            "\\",
            "'",
            '"',
            "''",
            "x'y",
            "null",
            "😀",
            "😀a",
            "ﬁ",
            "fi",
            "Straße",
            "STRASSE",
            "ſ",
            "ǰ",
            "a\nb",
            "ab",
            "aab",
            "é",
            "Σς",
            "σσ",
        )
    )
)
COMMON_TEXTS = ("a", "A", "b", "ß", "SS", "")
INTEGERS = (0, 1, 1, 2, 2, 3, 5, 10, -1, 2**53 + 1, 2**62, 2**62 + 1, -(2**62), 2**63 - 1)
DIGITS = (0, 1, 10, 20, 30, 100, 150, 9990, -1, -250, 2**62, 2**62 + 1, -(2**62))
EXACT = tuple(
    t.Duration(n, unit)
    for n, unit in (
        (1, "days"),
        (2, "days"),
        (7, "days"),
        (1, "hours"),
        (2, "hours"),
        (36, "hours"),
        (30, "minutes"),
        (90, "seconds"),
        (1, "weeks"),
    )
)
CALENDRIC = tuple(
    t.Duration(n, unit) for n, unit in ((1, "months"), (3, "months"), (13, "months"), (1, "years"), (4, "years"))
)
CALENDAR = tuple(
    t.Duration(n, unit, calendar=True)
    for n, unit in (
        (1, "days"),
        (2, "days"),
        (7, "days"),
        (1, "weeks"),
        (2, "weeks"),
        (1, "months"),
        (2, "months"),
        (1, "years"),
    )
)
MONEY = ValueType(Kind.MONEY, scale=2, unit="EUR")
NUMBER = ValueType(Kind.NUMBER, scale=6)
ITEM = ValueType(Kind.STRUCT, fields=(("sku", TEXT), ("quantity", INTEGER)))
TEXT_LIST, ITEMS = ValueType(Kind.LIST, element=TEXT), ValueType(Kind.LIST, element=ITEM)
INTEGER_LIST = ValueType(Kind.LIST, element=INTEGER)
PLACE = ValueType(Kind.STRUCT, fields=(("city", TEXT), ("floor", INTEGER), ("rent", MONEY)))
MAKER = ValueType(Kind.STRUCT, fields=(("country", TEXT), ("since", DATE), ("place", PLACE)))
BOX = ValueType(
    Kind.STRUCT,
    fields=(("sku", TEXT), ("packed", TIME), ("due", DATE), ("maker", MAKER), ("tags", TEXT_LIST), ("parts", ITEMS)),
)
BOXES = ValueType(Kind.LIST, element=BOX)
SHELF = ValueType(Kind.STRUCT, fields=(("floor", INTEGER), ("boxes", BOXES), ("place", PLACE)))
PROPERTY_TYPES = (TEXT, TEXT, INTEGER, MONEY, NUMBER, BOOLEAN, DATE, TIME, TEXT_LIST, ITEMS, PLACE, BOXES, SHELF)
TRAITS = {
    "city": TEXT,
    "tier": TEXT,
    "points": INTEGER,
    "score": NUMBER,
    "balance": MONEY,
    "vip": BOOLEAN,
    "born": DATE,
    "due": DATE,
    "seen": TIME,
    "until": TIME,
    "tags": TEXT_LIST,
    "sizes": INTEGER_LIST,
    "items": ITEMS,
    "place": PLACE,
    "boxes": BOXES,
    "shelf": SHELF,
}
SOURCES = ("web", "app", "Web", "ä")


class Dice:
    """Random choices about one example: its zone, its as_of and the instants that matter there."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.beside = Random(seed)  # for what came later: the other choices of an example stay what they were
        self.zone = ZoneInfo(self.one(ZONES))
        self.as_of = instant_of(datetime.fromisoformat(self.one(AS_OF)), self.zone)
        self.clock = Clock(self.as_of, self.zone)
        self.edges = [*self._edges()]

    def one(self, options: Any) -> Any:
        """One of a sequence."""
        return options[self.random.randrange(len(options))]

    def some(self, options: Any, least: int = 1, most: int = 3) -> list[Any]:
        """A few different ones, in their order."""
        count = min(len(options), self.random.randint(least, most))
        return [options[i] for i in sorted(self.random.sample(range(len(options)), count))]

    def chance(self, share: float) -> bool:
        """True that often."""
        return self.random.random() < share

    def _edges(self) -> list[datetime]:
        back = [shifted(self.as_of, length, -1, self.zone) for length in (*EXACT, *CALENDRIC)]
        starts = [self.clock.calendar_start(length) for length in CALENDAR]
        ends = [self.clock.calendar_end(length) + US for length in CALENDAR[:4]]
        return [self.as_of, *back, *starts, *ends]

    def instant(self, near: list[datetime] | None = None) -> datetime:
        """An instant: on or beside the edge of a window, at another event or some length after it, or anywhere."""
        if near and self.chance(0.5):
            base = self.one(near)
            return base if self.chance(0.5) else base + self.wobble() + self.exact_length()
        if self.chance(0.6):
            return self.one(self.edges) + self.wobble()
        return self.as_of - timedelta(seconds=self.random.randint(-3 * 86_400, 120 * 86_400))

    def wobble(self) -> timedelta:
        """Nothing, or a microsecond to either side."""
        return self.one((timedelta(0), timedelta(0), US, -US))

    def exact_length(self) -> timedelta:
        """One of the exact durations."""
        length = self.one(EXACT)
        return timedelta(seconds=length.amount * t.EXACT_SECONDS[length.unit])

    def day(self) -> date:
        """A date near today, on its anniversary, or a leap day."""
        today = self.clock.today
        near = today + timedelta(days=self.random.randint(-9, 9))
        if self.chance(0.5):
            return near
        if self.chance(0.2):
            return date(self.one((1996, 2000, 2024)), 2, self.one((28, 29)))
        year = self.random.randint(1950, 2029)
        return date(year, near.month, min(near.day, 28))

    def text(self) -> str:
        """Mostly from few, so that values meet."""
        return self.one(COMMON_TEXTS) if self.chance(0.7) else self.one(TEXTS)

    def value(self, of: ValueType, missing: float = 0.15) -> Any:
        """A value of a type in the field's own domain, or None."""
        if self.chance(missing):
            return None
        match of.kind:
            case Kind.TEXT:
                return self.text()
            case Kind.INTEGER:
                return self.one(INTEGERS[:9]) if self.chance(0.8) else self.one(INTEGERS)
            case Kind.MONEY | Kind.NUMBER:
                digits = self.one(DIGITS[:9]) if self.chance(0.85) else self.one(DIGITS)
                return Decimal(
                    digits * (1 if of.kind is Kind.MONEY else self.one((1, 10**4)) if abs(digits) < 10**4 else 1)
                ).scaleb(-of.scale)
            case Kind.BOOLEAN:
                return self.chance(0.5)
            case Kind.DATE:
                return self.day()
            case Kind.TIME:
                return self.instant()
            case Kind.LIST:
                assert of.element is not None
                elements = (self.value(of.element, 0) for _ in range(self.random.randint(0, 3)))
                return list(elements)
            case Kind.STRUCT:
                return {name: self.value(inner, 0.25) for name, inner in of.fields}
            case Kind.REAL:
                return self.one(
                    [Decimal(x) for x in ("0", "0.5", "1", "1.5", "2", "-1", "0.3333333333333333", "7", "30", "0.6")]
                )


def project(dice: Dice) -> Project:
    """Random traits and event kinds; kinds share property names, now and then with another type."""
    names = dice.some(tuple(TRAITS), 8, len(TRAITS))
    shared = {f"p{i}": dice.one(PROPERTY_TYPES) for i in range(7)} | {"p0": TEXT, "p1": MONEY}
    kinds = []
    for kind in dice.some(("order", "visit", "mail", "cart"), 2, 4):
        properties = {name: shared[name] for name in dice.some(tuple(shared), 2, 6)} | {"p0": TEXT}
        if dice.chance(0.25):
            properties[dice.one(tuple(properties))] = dice.one((INTEGER, TEXT, NUMBER))
        kinds.append(EventKind(kind, tuple(properties.items())))
    return Project(
        root="/random",
        name="random",
        timezone=dice.zone.key,
        identifiers=(IdentifierType("customer_id"), IdentifierType("email", personal=True)),
        traits=tuple(StoredTrait(name, TRAITS[name]) for name in names),
        events=tuple(kinds),
        identity=IdentityRules(survivorship=survivorship(Random(f"{names} {dice.as_of}"), names)),
    )


def survivorship(random: Random, names: list[str]) -> tuple[tuple[str, Survivorship], ...]:
    """Rules for some traits, of those that fit their types; drawn apart, so that other choices stay as they are."""
    found = []
    for name in names:
        kind = TRAITS[name].kind
        rules: list[Survival] = ["latest", "first"]
        rules += ["all"] if kind is Kind.LIST else ["longest"] if kind is Kind.TEXT else []
        rules += [] if kind in (Kind.LIST, Kind.STRUCT) else ["most_frequent", "least_permissive"]
        rule = random.choice(rules)
        ordered = rule == "least_permissive" and kind is Kind.TEXT
        order = tuple(random.sample(COMMON_TEXTS, 3)) if ordered else ()
        sources = tuple(random.sample(("crm", "shop", "other"), random.choice((0, 0, 1, 2))))
        if random.random() < 0.6:
            found.append((name, Survivorship(rule, sources, order)))
    return tuple(found)


def people(dice: Dice, of: Project) -> tuple[Profile, ...]:
    """Profiles with versions of their traits; some own two subjects, some have no record at all."""
    made, subject, arrival = [], 0, 0
    for number in range(dice.random.randint(1, 8)):
        subjects = (subject, subject + 1) if dice.chance(0.15) else (subject,)
        subject += len(subjects)
        records = []
        for source in dice.some(("crm", "shop"), 0 if dice.chance(0.1) else 1, 2):
            for version in range(dice.one((1, 1, 1, 2, 3, 4))):
                arrival += 1
                traits = {x.name: dice.value(x.type) for x in of.traits if dice.chance(0.9)}
                start = None if version == 0 and dice.chance(0.7) else dice.instant()
                gone = version > 0 and dice.chance(0.1)
                records.append(Record(source, arrival, {} if gone else traits, start, gone, dice.one(subjects)))
        name = f"{dice.one(('', 'ä', 'customer_id:', 'Z'))}{dice.one((number, 100 - number))}x{number}"
        identifiers = (("customer_id", name), *((("email", f"{number}@x"),) if dice.chance(0.5) else ()))
        made.append(Profile(name, subjects, tuple(records), identifiers))
    return tuple(made)


def events(dice: Dice, of: Project, profiles: tuple[Profile, ...]) -> tuple[Event, ...]:
    """Events with ties, also beyond as_of and of subjects nobody knows; ids are unique within their source."""
    made: list[Event] = []
    taken: set[tuple[str, str]] = set()
    subjects = [s for p in profiles for s in p.subjects]
    for subject in [*subjects, max(subjects) + 1]:
        near: list[datetime] = []
        for _ in range(dice.one((0, 0, 1, 2, 3, 4, 6, 9))):
            kind = dice.one(of.events)
            ts = dice.instant(near)
            near.append(ts)
            source, event_id = (
                dice.one(SOURCES[:2]) if dice.chance(0.8) else dice.one(SOURCES),
                dice.one(("1", "2", "10", "a", "A", "ä", "😀", "z")),
            )
            while (source, event_id) in taken:
                event_id += dice.one(("", "0", "b", "B"))
            taken.add((source, event_id))
            properties = {name: dice.value(x) for name, x in kind.properties if dice.chance(0.95)}
            made.append(Event(subject, kind.name, ts.astimezone(UTC), source, event_id, properties))
    dice.random.shuffle(made)
    return tuple(made)
