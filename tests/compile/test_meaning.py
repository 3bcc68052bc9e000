"""What two definitions mean differently."""

from __future__ import annotations

import pytest
from builders import TRAITS, definitions

from segctl.compile.meaning import MeaningChange, meaning_changes

Change = tuple[str | None, str | None]


def changes(old: str, new: str) -> list[Change]:
    """Differences of one segment's condition."""
    before, after = (definitions({"vip": f"where: {text}"}) for text in (old, new))
    return [(c.before, c.after) for c in meaning_changes("vip", before, after)]


DE = "{trait: country, equals: DE}"
ORDERS = "{event: order_completed, within_last: 30 days, count: {at_least: 2}}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param(DE, "{trait: country,   equals: 'DE'} # a comment", [], id="other text, same meaning"),
        pytest.param(DE, "{trait: country, equals: AT}", [("country is DE", "country is AT")], id="a value"),
        pytest.param(
            f"{{all: [{DE}, {ORDERS}]}}",
            f"{{all: [{DE}, {ORDERS.replace('30 days', '90 days')}]}}",
            [
                (
                    "order_completed, in the last 30 days: count at least 2",
                    "order_completed, in the last 90 days: count at least 2",
                )
            ],
            id="a window",
        ),
        pytest.param(
            f"{{all: [{DE}]}}",
            f"{{all: [{DE}, {ORDERS}]}}",
            [(None, "order_completed, in the last 30 days: count at least 2")],
            id="a leaf more",
        ),
        pytest.param(f"{{all: [{DE}, {ORDERS}]}}", f"{{all: [{ORDERS}]}}", [("country is DE", None)], id="a leaf less"),
        pytest.param(
            f"{{all: [{DE}, {ORDERS}]}}", f"{{any: [{DE}, {ORDERS}]}}", [("all of:", "any of:")], id="all, any"
        ),
        pytest.param(
            f"{{all: [{ORDERS}, {DE}]}}",
            f"{{all: [{ORDERS}, {{not: {DE}}}]}}",
            [("country is DE", "not: country is DE")],
            id="below a not",
        ),
        pytest.param(
            "{trait: country, in: [A, B, C, D, E, F, G, H]}",
            "{trait: country, in: [A, B, C, D, E, F, G, X]}",
            [
                (
                    "country is one of A, B, C, D, E, F … (8): H",
                    "country is one of A, B, C, D, E, F … (8): X",
                )
            ],
            id="a value that words cut off",
        ),
        pytest.param(
            "{sample: {percent: 10, salt: a}}",
            "{sample: {percent: 10, salt: b}}",
            [("sample of 10 %", "sample of 10 %, with other details")],
            id="something that words do not say",
        ),
    ],
)
def test_lines_that_differ(old: str, new: str, expected: list[Change]) -> None:
    assert changes(old, new) == expected


def test_what_it_rests_on_is_named() -> None:
    where = "where: {all: [{trait: return_rate, above: 10 %}, {segment: other}]}"
    fewer = TRAITS.replace("{event: order_refunded,", "{event: order_refunded, within_last: 1 year,")
    before = definitions({"vip": where, "other": f"where: {DE}"})
    after = definitions({"vip": where, "other": "where: {trait: country, equals: AT}"}, fewer)

    found = meaning_changes("vip", before, after)

    assert [(c.part, c.after) for c in found] == [
        ("trait", "`return_rate` is computed otherwise"),
        ("segment", "`other` means something else"),
    ]


def test_settings_are_told_apart_from_meaning() -> None:
    before = definitions({"vip": f"guards: {{max_removed: 20 %}}\nwhere: {DE}"})
    after = definitions({"vip": f"guards: {{max_removed: 30 %, min_size: 5}}\nstatus: paused\nwhere: {DE}"})

    assert meaning_changes("vip", before, after) == (
        MeaningChange("setting", "status: active", "status: paused"),
        MeaningChange("setting", "guards: max_removed 20 %", "guards: max_removed 30 %, min_size 5"),
    )
    assert before.segments["vip"].digest == after.segments["vip"].digest


def test_keep_is_part_of_the_meaning() -> None:
    before = definitions({"vip": f"where: {DE}\nkeep: {{top: 10, by: points}}"})
    after = definitions({"vip": f"where: {DE}\nkeep: {{top: 20 %, by: points}}"})

    assert [(c.before, c.after) for c in meaning_changes("vip", before, after)] == [
        ("keep the top 10 by points", "keep the top 20 % by points")
    ]


def test_words_speak_german_too() -> None:
    before, after = (definitions({"vip": f"where: {{trait: country, equals: {of}}}"}) for of in ("DE", "AT"))

    assert meaning_changes("vip", before, after, "de")[0].after == "country ist AT"
