"""Distances in words, and what `explain` says of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from segctl.compile.lower import lower_segment
from segctl.compile.trace import ProfileRow, trace
from segctl.compile.words_places import metres_words
from segctl.model import conditions as c
from segctl.model.places import PostalSpot
from segctl.model.project import Definitions, Language, Project, StoredTrait
from segctl.model.types import TEXT

NEAR = c.NearCondition(
    (PostalSpot("80331", "DE"),), None, c.Distance(Decimal(10), "km"), c.PostalPlace(c.PlaceTrait("zip"), None, "DE")
)


@pytest.mark.parametrize(
    ("metres", "language", "words"),
    [(850, "de", "850 m"), (12_380, "de", "12,4 km"), (12_380, "en", "12.4 km"), (30_000, "de", "30 km"),
     (505_629, "de", "506 km"), (99_960, "en", "100 km")],
)  # fmt: skip
def test_a_distance_in_words(metres: int, language: Language, words: str) -> None:
    assert metres_words(metres, language) == words


@pytest.mark.parametrize(
    ("code", "answer", "values", "missing"),
    [
        ("80331", True, ["Entfernung von 80331 München (m)"], None),
        ("82152", False, ["Entfernung von 80331 München (km)"], "12,3 km von 80331 München, nötig ist höchstens 10 km"),
        ("99999", None, [], "`99999` ist kein bekannter Ort"),
        (None, None, [], "`zip` fehlt"),
    ],
)
def test_explain_says_how_far_it_is(code: str | None, answer: bool | None, values: list[str], missing: str) -> None:
    definitions = Definitions(Project("/x", "x", traits=(StoredTrait("zip", TEXT),)), {}, {})
    lowered = lower_segment(c.SegmentDefinition("near", NEAR), definitions, language="de")

    told = trace(
        lowered, ProfileRow("a", {"zip": code}), [], as_of=datetime(2026, 1, 1, tzinfo=UTC), zone="UTC", members={},
        language="de",
    )  # fmt: skip

    assert told.leaves[0].text == "höchstens 10 km von 80331 (DE) entfernt"
    assert told.leaves[0].answer is answer
    assert [value.name for value in told.leaves[0].values if value.name != "zip"] == values
    assert told.leaves[0].missing == missing
