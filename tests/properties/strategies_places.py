"""Random worlds in which people live somewhere, and conditions on distances."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import strategies
from oracle_data import Event, Profile, World
from strategies_data import Dice, events, people, project

from segctl.compile.places.files import WHOLE_FILE
from segctl.model import conditions as c
from segctl.model.places import CsvFile, NearDefaults, PlaceList, PointSpot, PostalSpot, Spot
from segctl.model.project import Definitions, StoredTrait
from segctl.model.types import INTEGER, TEXT, Kind, ValueType

DEGREES, COARSE = ValueType(Kind.NUMBER, scale=7), ValueType(Kind.NUMBER, scale=2)
HOME = ValueType(Kind.STRUCT, fields=(("latitude", DEGREES), ("longitude", DEGREES), ("zip", TEXT)))
PLACE_TRAITS = {
    "code": TEXT, "number": INTEGER, "country": TEXT, "north": DEGREES, "east": DEGREES, "home": HOME, "coarse": COARSE,
}  # fmt: skip
CODES = (
    "80331", "D-80331", " 803 31 ", "d80331", "DE-80331", "82152", "01067", "1067", "D-1067", "10115", "8001", "1010",
    "A-1010", "CH-8001", "AT 1010", "99999", "", " ", "D-", "8033", "080331", "x", "80331 München", "5020", "9490",
)  # fmt: skip
COUNTRIES = ("DE", "de", " Deutschland ", "AT", "Österreich", "CH", "ch", "", " ", "Absurdistan", "Germany", "D")
NORTHS = ("48.1345", "48.13451", "48.2", "47.3721", "-48.1345", "90", "-90", "0", "89.9999995", "91", "52.5323")
EASTS = ("11.571", "11.57105", "11.7", "8.5417", "180", "-180", "179.99", "-179.99", "0", "181", "13.3846")
STORES = "name,latitude,longitude,postal_code,country\nA,48.1345,11.571,,\nB,,,D-1067,\nC,,,8001,CH\nD,-90,12,,\n"
SOME_CODES = (
    "postal_code,latitude,longitude,country\n80331,48.1345,11.571,DE\n82152,48.1034,11.4124,DE\n01067,51.05,13.72,DE\n"
    "10115,52.5323,13.3846,DE\n1010,48.2077,16.3705,AT\n8001,47.3721,8.5417,CH\n"
)
LISTS = {("stores.csv", WHOLE_FILE): frozenset({STORES}), ("codes.csv", WHOLE_FILE): frozenset({SOME_CODES})}
LENGTHS = tuple(
    c.Distance(Decimal(amount), unit)  # type: ignore[arg-type]  # units by name
    for amount, unit in (
        ("1", "m"), ("500", "m"), ("5", "km"), ("13", "km"), ("12.271", "km"), ("30", "km"), ("35", "miles"),
        ("361", "km"), ("505.629", "km"), ("504.9", "km"), ("1000", "km"), ("20015", "km"),
    )
)  # fmt: skip


class Traveller(strategies.Author):
    """Writes conditions on distances among others."""

    def leaf(self) -> c.Condition:
        """A leaf of any kind, often on a distance."""
        return self.near() if self.dice.chance(0.5) else super().leaf()

    def near(self) -> c.NearCondition:
        """One place or declared ones, and one way to tell where people are."""
        dice, near = self.dice, self.project.near
        spots: tuple[Spot, ...] = ()
        declared = None
        if dice.chance(0.3):
            declared = dice.one(self.project.places)
        else:
            spots = (self.spot(),)
        return c.NearCondition(
            spots if declared is None else declared.spots,
            None if declared is None else declared.file,
            dice.one(LENGTHS),
            self.place(),
            None if declared is None else declared.name,
            near.codes,
            near.country,
            self.missing(),
        )

    def spot(self) -> Spot:
        """A point or a postal code that is known."""
        if self.dice.chance(0.5):
            return PostalSpot(
                *self.dice.one((("80331", "DE"), ("01067", "DE"), ("8001", "CH"), ("1010", "AT"), ("82152", "DE")))
            )
        north, east = self.dice.one([x for x in NORTHS if x != "91"]), self.dice.one([x for x in EASTS if x != "181"])
        return PointSpot(Decimal(north), Decimal(east))

    def place(self) -> c.PostalPlace | c.PointPlace:
        """Traits that tell where people are."""
        default = self.project.near.country
        match self.dice.random.randrange(8):
            case 0 | 1:
                return c.PostalPlace(c.PlaceTrait("code"), c.PlaceTrait("country"), default)
            case 2:
                return c.PostalPlace(c.PlaceTrait("code"), None, self.dice.one((default, "AT", "DE")))
            case 3:
                return c.PostalPlace(c.PlaceTrait("number"), c.PlaceTrait("country"), default)
            case 4:
                return c.PostalPlace(c.PlaceTrait("home", ("zip",)), None, default)
            case 5:
                fields = (c.PlaceTrait("home", ("latitude",)), c.PlaceTrait("home", ("longitude",)))
                return c.PointPlace(*fields)
            case 6 if "last_code" in self.computed:
                return c.PostalPlace(c.PlaceTrait("last_code"), c.PlaceTrait("country"), default)
        return c.PointPlace(c.PlaceTrait("north"), c.PlaceTrait(self.dice.one(("east", "east", "coarse"))))


def place_value(dice: Dice, name: str) -> Any:
    """A value of one of the traits of places."""
    match name:
        case "code" | "zip":
            return dice.one(CODES)
        case "number":
            return dice.one((80331, 1067, 8001, 1010, 0, -1, 99999))
        case "country":
            return dice.one(COUNTRIES)
        case "north" | "latitude":
            return Decimal(dice.one(NORTHS))
        case "east" | "longitude":
            return Decimal(dice.one(EASTS))
        case "coarse":
            return Decimal(dice.one(("11.57", "8.54", "-179.99")))
    return {field: None if dice.chance(0.1) else place_value(dice, field) for field, _ in HOME.fields}


def settled(dice: Dice, profile: Profile) -> Profile:
    """The same person, living somewhere."""
    records = []
    for record in profile.records:
        lives = {name: place_value(dice, name) for name in PLACE_TRAITS if name in record.traits and dice.chance(0.93)}
        records.append(
            replace(record, traits={k: v for k, v in record.traits.items() if k not in PLACE_TRAITS} | lives)
        )
    return replace(profile, records=tuple(records))


def world(seed: int, segments: int = 2) -> World:
    """One example in which people live somewhere."""
    dice = Dice(seed)
    stored = tuple(StoredTrait(name, of) for name, of in PLACE_TRAITS.items())
    of = project(dice)
    of = replace(
        of,
        traits=(*of.traits, *stored),
        places=(
            PlaceList("stores", file=CsvFile("stores.csv")),
            PlaceList("offices", (PostalSpot("80331", "DE", "M"), PointSpot(Decimal("52.5"), Decimal("13.4"), "B"))),
        ),
        near=NearDefaults(country="DE", codes=dice.one((None, CsvFile("codes.csv"), CsvFile("codes.csv")))),
    )
    author = Traveller(dice, of)
    posted = [kind.name for kind in of.events if kind.property_type("p0") == TEXT]
    if posted and dice.chance(0.5):
        kinds = (dice.one(posted),)
        author.computed["last_code"] = c.ComputedTrait(
            "last_code", TEXT, c.EventSelection(kinds), c.EdgeValue("last", "p0")
        )
    for number in range(segments):
        author.segments[f"s{number}"] = c.SegmentDefinition(f"s{number}", author.condition(), author.keep())
    profiles = tuple(settled(dice, profile) for profile in people(dice, of))
    happened = tuple(sent(dice, event) for event in events(dice, of, profiles))
    definitions = Definitions(of, author.segments, author.computed)
    return World(definitions, profiles, happened, dice.as_of, {**strategies.LISTS, **LISTS})


def sent(dice: Dice, event: Event) -> Event:
    """The same event, now and then sent to a postal code."""
    if "p0" not in event.properties or not isinstance(event.properties["p0"], str) or dice.chance(0.4):
        return event
    return replace(event, properties={**event.properties, "p0": dice.one(CODES)})
