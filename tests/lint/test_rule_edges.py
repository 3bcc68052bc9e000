# ruff: noqa: E501 - one case a line
"""Where rules of practice must stay silent, and where they must still speak: one case for each decision in them."""

from __future__ import annotations

import pytest
from rule_examples import findings

HEAD = "segment: tested\nwhere:\n"
ALL = HEAD + "  all:\n"
ANY = HEAD + "  any:\n"
STAFF = "    - not: {segment: staff_members}\n"
BOUGHT = "    - {event: order_completed, within_last: 90 days}\n"

CASES = [
    # An exclusion that holds around the `any` anyway, or that every branch is, is not lost.
    ("SEG712", ALL + STAFF + "    - any:\n        - {trait: country, equals: DE}\n        - not: {segment: staff_members}\n", []),
    ("SEG712", ANY + STAFF + "    - not: {segment: good_customers}\n", []),
    ("SEG712", ANY + STAFF + BOUGHT + "  at_least: 2\n", []),
    ("SEG712", ANY + BOUGHT + "    - none: [{segment: staff_members}]\n", [5]),
    ("SEG712", ANY + BOUGHT + "    - {trait: newsletter, equals: false}\n", []),
    ("SEG712", HEAD + "  not:\n    any:\n      - {trait: country, equals: DE}\n      - not: {segment: staff_members}\n", []),
    # A value that is asked for, says what missing means, or can never be missing.
    ("SEG713", ALL + "    - {trait: country, exists: true}\n    - {trait: country, not_equals: DE}\n", []),
    ("SEG713", ALL + "    - {trait: city, exists: true}\n    - {trait: country, not_equals: DE}\n", [5]),
    ("SEG713", HEAD + "  {trait: order_count, not_equals: 3}\n", []),
    ("SEG713", HEAD + "  {trait: age, not_equals: 3}\n", [3]),
    ("SEG713", HEAD + "  not: {trait: order_count, above: 3}\n", []),
    ("SEG713", HEAD + "  not: {not: {trait: country, equals: DE}}\n", []),
    ("SEG713", HEAD + "  not: {trait: country, not_equals: DE}\n", []),
    ("SEG713", HEAD + "  none: [{trait: country, equals: DE}, {trait: country, exists: false}]\n", [3]),
    ("SEG713", HEAD + "  {trait: address.city, not_contains: a}\n", [3]),
    # `not` around a segment of several conditions is what people mean by it.
    ("SEG714", HEAD + "  not: {segment: good_customers}\n", []),
    ("SEG714", HEAD + "  not: {segment: staff_members}\n", [3]),
    ("SEG714", HEAD + "  segment: staff_members\n", []),
    ("SEG715", HEAD + "  {segment: other}\n# segments/other.yaml\nsegment: other\ntags: [veraltet]\nwhere: {trait: country, equals: DE}\n", [3]),
    ("SEG715", "status: draft\n" + HEAD + "  {segment: other}\n# segments/other.yaml\nsegment: other\nstatus: draft\nwhere: {trait: country, equals: DE}\n", []),
    ("SEG708", HEAD + '  {event: "*", latest: 3, count: {at_least: 1}}\n', [3]),
    ("SEG708", HEAD + '  start: first\n  sequence:\n    - {event: "*"}\n    - {then: {event: order_completed}}\n', [5]),
    ("SEG708", 'traits:\n  ever: {event: "*", count: {}}\n', [2]),
    ("SEG709", HEAD + "  sequence:\n    - {event: email_opened}\n    - {then: {event: order_completed}}\n", []),
    ("SEG709", HEAD + "  start: last\n  sequence:\n    - {event: email_opened}\n    - {then: {event: logged_in}}\n    - {then: {event: order_completed}}\n", []),
    ("SEG709", HEAD + "  sequence:\n    - {event: email_opened, within_last: 4 years}\n    - {then: {event: logged_in}}\n    - {then: {event: order_completed}}\n", [4]),
    ("SEG710", HEAD + "  {trait: city, matches: '^[A-Z]+$'}\n", []),
    ("SEG710", HEAD + "  {trait: city, matches: '^Bonn$'}\n", [3]),
    ("SEG717", "title: 0.4 %\n" + HEAD + "  {trait: return_rate, above: 1.5 %}\n", []),
    ("SEG717", HEAD + "  {sample: {percent: 0.1}}\n", [3]),
    ("SEG717", HEAD + "  {trait: country, equals: DE}\nkeep: {top: 0.05 %, by: points}\n", [4]),
    ("SEG717", HEAD + "  {trait: country, equals: DE}\nguards: {max_removed: 0.2 %}\n", [4]),
    ("SEG718", HEAD + "  {trait: points, between: [5, 5]}\n", []),
    ("SEG718", HEAD + "  {event: [logged_in, logged_in]}\n", [3]),
    ("SEG718", HEAD + "  {trait: country, in: [DE, de, D E]}\n", []),
    ("SEG720", "description: Tests of the new shop.\nowner: x\n" + HEAD + "  {trait: country, equals: DE}\n", []),
    ("SEG720", "description: tested\n" + HEAD + "  {trait: country, equals: DE}\n", [1]),
    ("SEG720", "owner: tbd\n" + HEAD + "  {trait: country, equals: DE}\n", [1]),
    ("SEG703", "traits:\n  one: {formula: order_count + 1}\n  two: {formula: one + 1}\n# segments/a.yaml\nsegment: a\nwhere: {trait: country, equals: DE}\nkeep: {top: 5, by: two}\n", []),
    ("SEG707", HEAD + "  {trait: country, equals: DE}\n", []),
    ("SEG702", "send_to: [klaviyo]\nstatus: paused\n" + HEAD + "  {trait: country, equals: DE}\n", [1]),
    ("SEG706", "# token: ghp_0123456789abcdefghijABCDEFGHIJ012345\n" + HEAD + "  {trait: country, equals: DE}\n", [1]),
    ("SEG705", "# from anna.muster@web.example\nowner: anna@shop.example\n" + HEAD + "  {trait: country, equals: DE}\n", [1]),
    ("SEG711", HEAD + "  {event: order_completed, where: {coupon: [" + ", ".join(f"c{n}" for n in range(101)) + "]}}\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "lines"), CASES)
def test_a_rule_speaks_where_it_must_and_nowhere_else(code: str, text: str, lines: list[int]) -> None:
    found = [d.location for d in findings(code, text) if d.location is not None]

    assert sorted(place.line for place in found) == lines


def test_sensitivity_goes_through_other_segments_and_computed_traits() -> None:
    project = "# segctl.yaml\nsegctl: 1\ntraits: {allergy: {type: text, sensitive: true}, weight: {type: integer, sensitive: true}}\n"
    text = (
        "# segments/a.yaml\nsegment: a\npurpose: health\nwhere: {trait: allergy, equals: nuts}\n"
        "# segments/b.yaml\nsegment: b\nwhere: {not: {segment: a}}\n"
        "# segments/c.yaml\nsegment: c\nwhere: {trait: double, above: 3}\n"
        "# traits/x.yaml\ntraits:\n  double: {formula: 2 * weight}\n"
    ) + project

    found = findings("SEG707", text)

    assert [d.location.file for d in found if d.location] == ["segments/b.yaml", "segments/c.yaml"]
