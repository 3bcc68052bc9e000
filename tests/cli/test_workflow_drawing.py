"""The picture of a workflow: everything that it does is in it, for those who see it and those who do not."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from segctl.cli.workflow_drawing import mermaid, svg
from segctl.cli.workflow_view import shown
from segctl.compile.words_workflows import step_words
from segctl.model.workflows import Split, Workflow
from segctl.operations.session import bound_definitions

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
WORKFLOWS = bound_definitions(CONFIGS)[0].workflows
NAMESPACE = "{http://www.w3.org/2000/svg}"


def numbers(text: str) -> list[float]:
    return [float(part) for part in text.replace("M", " ").replace("C", " ").split()]


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=lambda one: one.name)
@pytest.mark.parametrize("language", ["de", "en"])
def test_the_drawing_says_what_it_shows(workflow: Workflow, language: str) -> None:
    root = ET.fromstring(svg(workflow, language))

    title, told = root.findtext(f"{NAMESPACE}title"), root.findtext(f"{NAMESPACE}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "wf-t wf-d"
    assert title == workflow.title
    assert told is not None
    for node in workflow.nodes:
        assert (node.title or step_words(node.body, language)) in told


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=lambda one: one.name)
def test_no_box_lies_on_another_and_all_lie_inside(workflow: Workflow) -> None:
    root = ET.fromstring(svg(workflow, "en"))
    width, height = float(root.get("width", 0)), float(root.get("height", 0))

    boxes = [
        tuple(float(box.get(key, 0)) for key in ("x", "y", "width", "height"))
        for box in root.iter(f"{NAMESPACE}rect") if "box" in (box.get("class") or "")
    ]  # fmt: skip
    assert len(boxes) >= len(workflow.nodes) + 1
    for number, (x, y, wide, high) in enumerate(boxes):
        assert 0 <= x <= x + wide <= width
        assert 0 <= y <= y + high <= height
        for x2, y2, wide2, high2 in boxes[:number]:
            assert x + wide <= x2 or x2 + wide2 <= x or y + high <= y2 or y2 + high2 <= y
    for edge in root.iter(f"{NAMESPACE}path"):
        if edge.get("marker-end"):
            points = numbers(edge.get("d", ""))
            # A way never leads through the box that it begins at, and always downwards.
            assert points[1] < points[-1]


@pytest.mark.parametrize("workflow", WORKFLOWS.values(), ids=lambda one: one.name)
def test_mermaid_names_every_step_and_way(workflow: Workflow) -> None:
    lines = mermaid(workflow, "en").splitlines()

    assert lines[0] == "flowchart TD"
    arrows = [line for line in lines if "-->" in line]
    open_ways = sum(
        len({to for _, to in node.ways}) if not isinstance(node.body, Split) else len(node.ways) - 1
        for node in workflow.nodes
        if "Stop" not in type(node.body).__name__
    )
    assert len(arrows) >= open_ways
    assert sum("[" in line or "{" in line for line in lines) >= len(workflow.nodes)


def test_texts_of_people_cannot_break_out_of_the_drawing() -> None:
    from dataclasses import replace

    workflow = WORKFLOWS["cart_recovery"]
    evil = '"]; <script>alert(1)</script>'
    nodes = (replace(workflow.nodes[0], title=evil), *workflow.nodes[1:])
    hostile = replace(workflow, nodes=nodes, title=evil)

    assert ET.fromstring(svg(hostile, "en")).findtext(f"{NAMESPACE}title") == evil
    assert "<script" not in mermaid(hostile, "en")
    assert mermaid(hostile, "en").splitlines()[2].count('"') == 2


def test_steps_are_shown_in_words() -> None:
    result = shown(WORKFLOWS["cart_recovery"], "en")

    assert [row[0] for row in result.rows] == [node.id for node in WORKFLOWS["cart_recovery"].nodes]
    assert result.facts["trigger"] == "enters cart_abandoners"
    assert result.notes == [
        "ends at any time when: order_completed",
        "ends at any time when: not (product_added in the last 3 days, then no order_completed)",
    ]
