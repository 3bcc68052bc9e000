"""Distances: sentences about places with hand-made answers."""

from __future__ import annotations

from decimal import Decimal

from case_tools import Case, person
from strategies_places import LISTS

from segctl.model import conditions as c
from segctl.model.places import CsvFile, PointSpot, PostalSpot, Spot

MUNICH = PostalSpot("80331", "DE")
BY_CODE = c.PostalPlace(c.PlaceTrait("address", ("zip",)), c.PlaceTrait("country"))
IN_GERMANY = c.PostalPlace(c.PlaceTrait("address", ("zip",)), c.PlaceTrait("country"), "DE")


def near(amount: str, unit: c.LengthUnit, *spots: Spot, **more: object) -> c.NearCondition:
    """Within a distance of Munich, or of the given places."""
    place = more.pop("place", BY_CODE)
    return c.NearCondition(spots or (MUNICH,), more.pop("file", None), c.Distance(Decimal(amount), unit), place, **more)  # type: ignore[arg-type]  # by name


def living(*places: tuple[str | None, str | None]) -> tuple:
    """People a, b, c … at a postal code and in a country."""
    return tuple(
        person(chr(97 + i), country=country, address={"city": None, "zip": code})
        for i, (code, country) in enumerate(places)
    )


def case(name: str, condition: c.Condition, answers: str, *places: tuple[str | None, str | None]) -> Case:
    """Answers as letters: + true, - false, ? unknown."""
    letters = {"+": True, "-": False, "?": None}
    people = living(*places)
    expected = {p.profile_id: letters[x] for p, x in zip(people, answers, strict=True)}
    return Case(name, condition, expected, people, lists=LISTS)


CASES = [
    # Krailling lies 12.3 km from Munich's centre, Berlin 505.6 km.
    case("near is within the radius", near("30", "km"), "++-", ("80331", "DE"), ("82152", "DE"), ("10115", "DE")),
    case("the same place is nought metres away", near("1", "m"), "+-", ("80331", "DE"), ("80333", "DE")),
    case("the radius is included, in whole metres", near("12.271", "km"), "+", ("82152", "DE")),
    case("one metre less is too near", near("12.270", "km"), "-", ("82152", "DE")),
    case("a mile is 1609.344 m", near("7.63", "miles"), "+", ("82152", "DE")),
    case("a missing code is unknown", near("30", "km"), "??", (None, "DE"), ("", "DE")),
    case("an unknown code is unknown", near("30", "km"), "??", ("99999", "DE"), ("nonsense", "DE")),
    case("not near is unknown where near is", c.Not(near("30", "km")), "-?+",
         ("80331", "DE"), (None, None), ("8001", "CH")),
    case("`missing` decides before a not", c.Not(near("30", "km", missing="no_match")), "+-",
         (None, None), ("80331", "DE")),
    case("a missing country is unknown", near("30", "km"), "?", ("80331", None)),
    case("a missing country is the project's", near("30", "km", place=IN_GERMANY), "++",
         ("80331", None), ("80331", " ")),
    case("an unknown country is no missing one", near("30", "km", place=IN_GERMANY), "?", ("80331", "Absurdistan")),
    case("a prefix tells the country", near("30", "km"), "+?", ("D-80331", None), ("D-80331", "AT")),
    case("codes are read as people write them", near("30", "km"), "++++",
         ("D-80331", "DE"), (" 803 31 ", "Deutschland"), ("DE-80331", "de"), ("80331.0", "Germany")),
    case("lost zeros come back", near("5", "km", PostalSpot("01067", "DE")), "++", ("1067", "DE"), ("D-1067", None)),
    case("the same digits lie elsewhere abroad", near("50", "km", PostalSpot("8001", "CH")), "+-?",
         ("8001", "CH"), ("1010", "AT"), ("8001", "DE")),
    case("a point is a place", near("2", "km", PointSpot(Decimal("48.1345"), Decimal("11.571"))), "+", ("80331", "DE")),
    case("one of several places is enough", near("2", "km", file=CsvFile("stores.csv")), "++-",
         ("8001", "CH"), ("80331", "DE"), ("10115", "DE")),
    case("a table of one's own replaces the other", near("30", "km", codes=CsvFile("codes.csv")), "+?",
         ("82152", "DE"), ("80333", "DE")),
]  # fmt: skip
