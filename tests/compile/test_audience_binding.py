"""`priority`, `caps` and `holdout` of the project file: bound, checked against segments, and known by former names."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.audiences import with_audiences
from segctl.compile.definitions import bind_definitions
from segctl.compile.project import bind_project_text
from segctl.compile.source import compose
from segctl.model.audience import Cap
from segctl.model.project import Definitions
from segctl.model.times import Duration

HEAD = "segctl: 1\ntraits: {points: integer}\npurposes: {newsletter: {basis: consent, channels: [email]}}\n"
SEGMENTS = {"vip": "", "winback": "formerly: [comeback]", "kept": ""}


def bound(text: str) -> tuple[Definitions, list[str]]:
    project, problems = bind_project_text(HEAD + text, Path("shop"))
    nodes = [
        compose(f"segment: {name}\nwhere: {{trait: points, exists: true}}\n{more}", f"segments/{name}.yaml")[0]
        for name, more in SEGMENTS.items()
    ]
    definitions, _ = bind_definitions(project, [node for node in nodes if node is not None], [])
    definitions, further = with_audiences(definitions)
    return definitions, [one.code for one in (*problems, *further)]


def test_lists_caps_and_holdouts_are_bound() -> None:
    found, codes = bound(
        "priority: {mailings: [vip, winback]}\nholdout: [kept]\n"
        "caps: {week: {at_most: 3, within_last: 7 days, channel: email, purpose: newsletter}}\n"
    )

    assert codes == []
    assert [(one.name, one.segments) for one in found.project.priority] == [("mailings", ("vip", "winback"))]
    assert found.project.caps == (Cap("week", 3, Duration(7, "days"), "email", "newsletter"),)
    assert [one.name for one in found.project.holdout] == ["kept"]


def test_a_former_name_stands_for_the_segment_of_today() -> None:
    found, codes = bound("priority: {mailings: [comeback, vip]}\nholdout: [comeback]\n")

    assert codes == []
    assert found.project.priority[0].segments == ("winback", "vip")
    assert found.project.holdout[0].name == "winback"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("priority: {mailings: [vip]}", "SEG845"),
        ("priority: {mailings: [vip, wimback]}", "SEG847"),
        ("holdout: [nobody]", "SEG847"),
        ("priority: {a: [vip, winback], b: [winback, vip]}", "SEG848"),
        ("priority: {a: [vip, winback], b: [winback, kept], c: [kept, vip]}", "SEG848"),
        ("caps: {week: {at_most: 0, within_last: 7 days}}", "SEG230"),
        ("caps: {week: {at_most: 1, within_last: seven}}", "SEG233"),
        ("caps: {week: {at_most: 1}}", "SEG211"),
        ("caps: {week: {at_most: 1, within_last: 7 days, purpose: newsleter}}", "SEG846"),
        ("caps: {week: {at_most: 1, within_last: 7 days, channel: e-mail}}", "SEG212"),
        ("caps: {week: {at_most: 1, within_last: 7 days, color: red}}", "SEG210"),
    ],
)
def test_what_is_wrong_is_told(text: str, code: str) -> None:
    assert bound(f"{text}\n")[1] == [code]
