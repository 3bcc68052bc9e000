"""Workflow files bound: what they say, and what is told of mistakes with place, reason and remedy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import time
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest
import yaml
from builders import definitions_of
from jsonschema import Draft202012Validator

from segctl.compile.definition_files import DefinitionFile
from segctl.compile.definitions import scope_of
from segctl.compile.source import compose
from segctl.compile.workflows import bind_workflow_text, bind_workflows
from segctl.model.destinations import Destination
from segctl.model.diagnostics import Diagnostic
from segctl.model.project import Definitions
from segctl.model.times import Duration
from segctl.model.workflows import END, Act, Branch, Quiet, Reentry, Split, Stop, Wait, WaitFor, WaitUntil, Workflow

SCHEMA = Path(__file__).resolve().parents[2] / "segctl/compile/schemas/workflow.json"
STEPS = "steps: [{mail: hello, to: mailer}]\n"
HEAD = "workflow: w\npurpose: newsletter\ntrigger: {entered: vip}\n"


@cache
def definitions() -> Definitions:
    from dataclasses import replace

    found, problems = definitions_of({"vip": "where: {trait: points, at_least: 1}"})
    assert problems == []
    places = {
        "mailer": Destination("mailer", "smtp", ("newsletter",)),
        "ads": Destination("ads", "meta", ("newsletter",), audiences=(("vip", "Best"),)),
        "other": Destination("other", "smtp", ("service",)),
    }
    return replace(found, destinations=places)


def bound(text: str) -> tuple[Workflow | None, list[Diagnostic]]:
    node, found = compose(text, "workflows/w.yaml")
    files: Mapping[str, DefinitionFile] = {"workflows/w.yaml": DefinitionFile("workflows/w.yaml", text.encode(), node)}
    workflows, more = bind_workflows(definitions(), files, scope_of(definitions()))
    return workflows.get("w"), [*found, *more]


def right(text: str) -> Workflow:
    workflow, found = bound(text)
    assert found == []
    assert workflow is not None
    errors = list(Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).iter_errors(yaml.safe_load(text)))
    assert errors == []
    return workflow


def test_a_workflow_says_who_how_often_and_when() -> None:
    workflow = right(
        HEAD
        + STEPS
        + "title: T\nreentry: 7 days\ncontrol: 10 %\nstatus: draft\n"
        'quiet: {from: "21:00", to: "8:30", days: [sunday, sa]}\n'.replace("sa]", "samstag]")
        + "caps: {two: {at_most: 2, within_last: 7 days}}\nwhen: {segment: vip}\n"
    )

    assert workflow.reentry == Reentry("after", Duration(7, "days"))
    assert workflow.control == Decimal("0.1")
    assert workflow.quiet == Quiet(time(21), time(8, 30), (6, 7))
    assert [cap.at_most for cap in workflow.caps] == [2]
    assert workflow.purpose == "newsletter"
    assert workflow.status == "draft"


def test_steps_know_where_each_way_leads() -> None:
    workflow = right(
        HEAD
        + """
steps:
  - wait: 2 hours
  - name: clicks
    wait: {for: {event: order_completed}, at_most: 2 days}
    reached: [{stop: clicked}]
  - branch:
      - when: {segment: vip}
        then: [{mail: hello, to: mailer, name: best}]
    else: [{wait: {until: "09:00", days: [monday]}}]
  - split: {a: 30 %, b: 70 %}
    then: {a: [{add: Audience, to: mailer}]}
"""
    )

    ways = {node.id: dict(node.ways) for node in workflow.nodes}
    assert ways == {
        "1": {"next": "clicks"},
        "clicks": {"reached": "clicks.reached.1", "timeout": "3"},
        "clicks.reached.1": {"next": END},
        "3": {"1": "best", "else": "3.else.1"},
        "best": {"next": "4"},
        "3.else.1": {"next": "4"},
        "4": {"a": "4.a.1", "b": END, "else": END},
        "4.a.1": {"next": END},
    }
    kinds = [type(node.body) for node in workflow.nodes]
    assert kinds == [Wait, WaitFor, Stop, Branch, Act, WaitUntil, Split, Act]


def test_titles_and_comments_leave_the_version_as_it_is() -> None:
    one, other = right(HEAD + STEPS), right(f"# why\ntitle: T\n{HEAD}{STEPS}")

    assert one.digest == other.digest
    assert one.digest != right(HEAD + STEPS + "reentry: always\n").digest


def test_a_kept_version_binds_again() -> None:
    workflow = right(HEAD + STEPS)

    again = bind_workflow_text(workflow.text, "w", definitions(), scope_of(definitions()))

    assert again is not None
    assert again.digest == workflow.digest
    assert bind_workflow_text(b"workflow: w\n", "w", definitions(), scope_of(definitions())) is None


PROBLEMS = [
    ("purpose: newsletter\ntrigger: {entered: vip}\n" + STEPS, "SEG670", "no `workflow`"),
    (HEAD.replace("entered", "enters") + STEPS, "SEG671", "not a kind of trigger"),
    (HEAD.replace("{entered: vip}", "{entered: vip, left: vip}") + STEPS, "SEG671", "several kinds"),
    (HEAD.replace("{entered: vip}", "{every: week, segment: vip}") + STEPS, "SEG671", "on which day"),
    (HEAD.replace("{entered: vip}", "{every: month, day: 32, segment: vip}") + STEPS, "SEG671", "no month"),
    (HEAD.replace("{entered: vip}", "{stayed: vip}") + STEPS, "SEG211", "no `for`"),
    (HEAD.replace("vip", "vups") + STEPS, "SEG676", "no segment `vups`"),
    (HEAD + "steps: [{delay: 2 hours}]\n", "SEG672", "not a kind of step"),
    (HEAD + "steps: [{wait: 2 hours, stop: x}]\n", "SEG672", "several kinds"),
    (HEAD + "steps: [{wait: soon}]\n", "SEG233", "soon"),
    (HEAD + "steps: [{wait: 2 calendar days}]\n", "SEG233", "not from midnight"),
    (HEAD + "steps: [{mail: hello, to: nobody}]\n", "SEG676", "no destination `nobody`"),
    (HEAD + "steps: [{mail: hello}]\n", "SEG211", "no `to`"),
    (HEAD + "steps: [{mail: hello, to: mailer, name: a}, {mail: hello, to: mailer, name: a}]\n", "SEG673", "twice"),
    (HEAD + "steps: [{split: {a: 50 %, b: 60 %}, then: {a: []}}]\n", "SEG674", "together are 100 %"),
    (HEAD + "steps: [{split: {a: 50 %, b: 50 %}, then: {c: []}}]\n", "SEG674", "no arm `c`"),
    (HEAD + "steps: [{split: {experiment: none}, then: {c: []}}]\n", "SEG676", "no experiment"),
    (HEAD + "steps: [{set: {points_: 3}}]\n", "SEG677", "not a stored trait"),
    (HEAD + STEPS + 'quiet: {from: "21:00"}\n', "SEG675", "both `from` and `to`"),
    (HEAD + STEPS + 'quiet: {from: "25:00", to: "8:00"}\n', "SEG675", "not a time of day"),
    (HEAD + STEPS + "reentry: never\n", "SEG675", "coming again"),
    (HEAD + STEPS + "control: 100 %\n", "SEG674", "everybody"),
    (HEAD + STEPS + "exit: {bought: {evnt: order_completed}}\n", "SEG211", "neither `event` nor `when`"),
    (HEAD.replace("purpose: newsletter\n", "") + STEPS, "SEG678", "has no purpose"),
    (HEAD + "steps: [{mail: hello, to: other}]\n", "SEG678", "not declared for the purpose"),
    (HEAD + "steps: [{wait: 2 hours}]\n", "SEG680", "does nothing"),
    (HEAD + "steps: [{mail: hello, to: mailer}, {stop: x}, {mail: hello, to: mailer}]\n", "SEG681", "no way leads"),
    (HEAD + STEPS + "step: x\n", "SEG210", "`step` is not a key"),
]


@pytest.mark.parametrize(("text", "code", "message"), PROBLEMS)
def test_a_mistake_is_told_with_its_place(text: str, code: str, message: str) -> None:
    _, found = bound(text)

    assert [(one.code, message in one.message) for one in found] == [(code, True)]
    assert found[0].location is not None
    assert found[0].hint or found[0].why


def test_an_audience_that_a_push_fills_is_refused() -> None:
    from dataclasses import replace

    now = definitions()
    vip = replace(now.segments["vip"], send_to=("ads",))
    sent = replace(now, segments={**now.segments, "vip": vip})
    text = HEAD + "steps: [{add: Best, to: ads}]\n"
    node, _ = compose(text, "workflows/w.yaml")

    files = {"workflows/w.yaml": DefinitionFile("workflows/w.yaml", b"", node)}
    _, found = bind_workflows(sent, files, scope_of(sent))

    assert [one.code for one in found] == ["SEG679"]


@pytest.mark.parametrize(
    "text", ["[]", "x", "workflow:", "workflow: w\nsteps: x\ntrigger: []", "workflow: w\nsteps: [[]]"]
)
def test_no_file_makes_a_traceback(text: str) -> None:
    workflow, found = bound(text)

    assert workflow is None
    assert found
