"""Rules changed as text: what is added is there, all else stays, and the result reads as meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.definitions import bind_definitions
from segctl.compile.project import bind_project_text
from segctl.compile.rewrite import narrowed, swapped, widened, without
from segctl.compile.source import compose
from segctl.compile.words import describe
from segctl.model.conditions import All, SegmentDefinition

PROJECT = """
segctl: 1
name: shop
identifiers: {customer_id: {class: known}}
traits: {country: text, points: integer}
events: {order: {}, view: {}}
"""
FURTHER = "{event: order, within_last: 30 days}"
FORMS = {
    "flow": "segment: a\nwhere: {trait: country, equals: DE}  # Germans\nowner: me\n",
    "flow over lines": "segment: a\nwhere: {trait: country,\n  equals: DE}\nowner: me\n",
    "block": "segment: a\nwhere:\n  # Germans\n  trait: country\n  equals: DE\n\n# who asks\nowner: me\n",
    "all": "segment: a\nwhere:\n  all:\n    - {trait: country, equals: DE}  # Germans\n"
    "    - event: view\n      within_last: 7 days\n",
    "all in one line": "segment: a\nwhere: {all: [{trait: country, equals: DE}, {event: view}]}\n",
    "all beside the key": "segment: a\nwhere:\n  all:\n  - {trait: country, equals: DE}\n"
    "  - {event: view}\nowner: me\n",
    "any": "segment: a\nwhere:\n  any:\n    - {trait: country, equals: DE}\n    - {event: view}\n",
    "not": "where:\n    not:\n        any:\n            - {event: view}\n            - {event: order}\nsegment: a",
    "keep": "segment: a\nwhere: {event: view}\nkeep: {top: 5, by: points}\n",
}


def bound(text: str) -> SegmentDefinition:
    project, problems = bind_project_text(PROJECT, Path("/nowhere"))
    node, found = compose(text, "segments/a.yaml")
    assert node is not None, found
    assert [*found, *problems] == [], text
    definitions, problems = bind_definitions(project, [node], [])
    assert not problems, (text, problems)
    return definitions.segments["a"]


@pytest.mark.parametrize("form", FORMS)
def test_a_narrowed_rule_asks_for_the_old_one_and_for_the_new_condition(form: str) -> None:
    before = bound(FORMS[form])

    text = narrowed(FORMS[form], FURTHER)

    assert text is not None
    after = bound(text)
    assert isinstance(after.where, All)
    old = before.where.items if isinstance(before.where, All) else (before.where,)
    items = after.where.items
    if isinstance(items[0], All):  # a flow list is put into a list of its own
        items = (*items[0].items, *items[1:])
    assert items[:-1] == old
    assert describe(items[-1]) == describe(bound(f"segment: a\nwhere: {FURTHER}").where)
    assert (after.keep, after.owner) == (before.keep, before.owner)


@pytest.mark.parametrize("form", FORMS)
def test_comments_stay_in_a_narrowed_rule(form: str) -> None:
    text = narrowed(FORMS[form], FURTHER)

    assert text is not None
    comments = [line.partition("#")[2] for line in FORMS[form].splitlines() if "#" in line]
    assert [line.partition("#")[2] for line in text.splitlines() if "#" in line] == comments


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("{event: view, within_last: 7 days}", ("7 days", "14 days")),
        ("{any: [{event: view, within_last: 2 weeks}, {event: order, within_last: 10 days}]}", ("10 days", "20 days")),
        ("{event: view, within_last: 1 day}", ("1 day", "2 days")),
        ("{event: view, within_last: 1 calendar month}", ("1 calendar month", "2 calendar months")),
    ],
)
def test_the_shortest_window_becomes_twice_as_long(where: str, expected: tuple[str, str]) -> None:
    found = widened(f"segment: a\nwhere: {where}  # seen\n")

    assert found is not None
    assert found[1:] == expected
    assert f"within_last: {expected[1]}" in found[0]
    assert bound(found[0])


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("{trait: country, equals: DE}", id="no window"),
        pytest.param("{not: {event: view, within_last: 7 days}}", id="not"),
        pytest.param("{event: view, within_last: 7 days, count: {at_most: 2}}", id="at most"),
        pytest.param("{event: view, within_last: 7 days, count: 0}", id="none"),
        pytest.param("{trait: points, older_than: 7 days}", id="older"),
    ],
)
def test_a_window_that_lets_nobody_more_in_is_not_touched(where: str) -> None:
    assert widened(f"segment: a\nwhere: {where}\n") is None


def test_one_condition_of_a_list_goes_with_all_its_lines() -> None:
    text = FORMS["all"]

    assert without(text, 5) == "segment: a\nwhere:\n  all:\n    - {trait: country, equals: DE}  # Germans\n"
    assert without(text, 4) == "segment: a\nwhere:\n  all:\n    - event: view\n      within_last: 7 days\n"


@pytest.mark.parametrize("form", ["flow", "any", "all in one line"])
def test_what_is_no_condition_among_several_stays(form: str) -> None:
    assert without(FORMS[form], 4) is None


def test_two_names_change_places_wherever_both_stand() -> None:
    text = "priority:  # who first\n  mail: [vip, winback]\n  calls: [vip, cart]\n"

    assert swapped(text, "priority", "vip", "winback") == text.replace("[vip, winback]", "[winback, vip]")
    assert swapped(text, "priority", "cart", "winback") is None


def test_sisters_share_a_file_so_none_is_changed_alone() -> None:
    text = "segment: a_{x}\nfor_each: {x: [1, 2]}\nwhere: {event: view, within_last: 7 days}\n"

    assert (narrowed(text, FURTHER), widened(text)) == (None, None)
