"""A workflow file: what begins it, who, how often, when nobody is written to; its steps are in `workflows_steps`."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from segctl.compile.bind import forms
from segctl.compile.bind.audiences import caps
from segctl.compile.bind.conditions import bind_condition
from segctl.compile.bind.experiments_values import share
from segctl.compile.bind.scope import Scope, shown
from segctl.compile.bind.workflows_steps import Binding, Known, bind_signal, bind_steps
from segctl.compile.bind.workflows_times import EVERY_KEYS, length, quiet, reentry, schedule, unknown
from segctl.compile.source import Mapping, Node, Scalar
from segctl.compile.suggest import one_of
from segctl.model.workflows import ExitRule, Trigger, Workflow

WORKFLOW_KEYS = (
    "workflow", "title", "description", "owner", "status", "purpose", "trigger", "when", "reentry", "control", "quiet",
    "caps", "exit", "steps",
)  # fmt: skip
TRIGGERS: dict[str, tuple[str, ...]] = {
    "entered": ("entered", "edits"),
    "left": ("left", "edits"),
    "stayed": ("stayed", "for", "edits"),
    "event": ("event", "where"),
    "every": EVERY_KEYS,
}
_SYNONYMS = {
    "name": "workflow", "journey": "workflow", "campaign": "workflow", "start": "trigger", "on": "trigger",
    "condition": "when", "conditions": "when", "if": "when", "re_entry": "reentry", "holdout": "control",
    "control_group": "control", "quiet_hours": "quiet", "exits": "exit", "goal": "exit", "step": "steps",
    "flow": "steps", "actions": "steps",
}  # fmt: skip
_TRIGGER_SYNONYMS = {
    "enters": "entered", "enter": "entered", "joined": "entered", "leaves": "left", "exited": "left",
    "on": "day", "stays": "stayed", "held": "stayed", "schedule": "every", "cron": "every", "events": "event",
}  # fmt: skip
_TRIGGER = "write `{entered: SEGMENT}`"


def bind_workflow(node: Node, scope: Scope, known: Known) -> Workflow | None:
    """One file; None when something in it is wrong, which is then reported."""
    root = forms.mapping(node, scope, "a workflow", hint="begin with `workflow: NAME`")
    if root is None:
        return None
    before = len(scope.diagnostics)
    forms.check_keys(root, WORKFLOW_KEYS, scope, "a workflow", synonyms=_SYNONYMS)
    name = _name(root, scope)
    around = _around(root, scope, known)
    binding = Binding(name or "", scope, _with_purpose(known, around.get("purpose")))
    trigger_node = forms.required(root, "trigger", scope, "the workflow", example="trigger: {entered: SEGMENT}")
    trigger = None if trigger_node is None else _trigger(trigger_node, scope)
    exits = _exits(root.get("exit"), binding)
    steps = forms.required(root, "steps", scope, "the workflow", example="steps: [{wait: 2 hours}, …]")
    if steps is not None:
        bind_steps(steps, binding)
    failed = any(one.severity == "error" for one in scope.diagnostics[before:])
    if failed or name is None or trigger is None or not binding.nodes:
        return None
    place = (root.get("workflow") or root).location
    return Workflow(name, trigger, tuple(binding.nodes), exits=exits, **around, location=place)


def _with_purpose(known: Known, purpose: str | None) -> Known:
    return Known(known.destinations, known.experiments, known.purposes, purpose)


def _name(root: Mapping, scope: Scope) -> str | None:
    node = root.get("workflow")
    if node is None:
        message = "the workflow has no `workflow`, which is its name"
        scope.error("SEG670", message, root.location, hint=f"add `workflow: {Path(root.location.file).stem}`")
        return None
    name = forms.name(node, scope, "a workflow's name")
    if name is not None and Path(node.location.file).stem != name:
        message = f"the workflow `{name}` stands in a file of another name"
        scope.warn("SEG218", message, node.location, hint=f"rename the file to `{name}.yaml`")
    return name


# --- What begins it -----------------------------------------------------------------------------------------
def _trigger(node: Node, scope: Scope) -> Trigger | None:
    found = forms.mapping(node, scope, "`trigger`", hint=_TRIGGER)
    if found is None:
        return None
    kinds = [key for key, _ in found.entries if key.text in TRIGGERS]
    if len(kinds) != 1:
        _report_trigger(found, kinds, scope)
        return None
    kind = kinds[0].text
    if not forms.check_keys(found, TRIGGERS[kind], scope, f"the trigger `{kind}`", synonyms=_TRIGGER_SYNONYMS):
        return None
    if kind == "event":
        signal = bind_signal(found, Binding("", scope, Known({}, {}, ())))
        return None if signal is None else Trigger("event", selection=signal.selection, location=found.location)
    segment_node = found.get("segment" if kind == "every" else kind)
    if segment_node is None:
        forms.required(found, "segment", scope, "the trigger", example="segment: NAME")
        return None
    segment = _segment(segment_node, scope)
    if kind == "every":
        return schedule(found, segment, scope, found.location)
    edits_node = found.get("edits")
    edits = None if edits_node is None else forms.flag(edits_node, scope, "`edits`")
    long = None
    if kind == "stayed":
        for_node = forms.required(found, "for", scope, "the trigger `stayed`", example="for: 7 days")
        long = None if for_node is None else length(for_node, scope, "`for`")
        if long is None:
            return None
    return None if segment is None else Trigger(kind, segment, long, edits=bool(edits), location=found.location)  # type: ignore[arg-type]  # a key of `TRIGGERS`


def _report_trigger(node: Mapping, kinds: list[Scalar], scope: Scope) -> None:
    if kinds:
        message = f"the trigger has several kinds: {one_of(key.text for key in kinds)}"
        scope.error("SEG671", message, kinds[1].location, hint="make a workflow for each")
        return
    own = node.entries[0][0] if node.entries else None
    otherwise = f"a trigger is one of {one_of(TRIGGERS)}"
    hint = scope.meant(own.text, tuple(TRIGGERS), _TRIGGER_SYNONYMS, otherwise=otherwise) if own else otherwise
    what = f"{shown(own.text)} is not a kind of trigger" if own is not None else "the trigger is empty"
    scope.error("SEG671", what, own.location if own is not None else node.location, hint=hint)


def _segment(node: Node, scope: Scope) -> str | None:
    written = forms.text(node, scope, "a segment's name")
    if written is None or written in scope.segments:
        return written
    unknown(node, "segment", scope.segments, scope, "SEG676")
    return None


# --- Who, how often, when -----------------------------------------------------------------------------------
def _around(root: Mapping, scope: Scope, known: Known) -> dict[str, Any]:
    """What stands beside trigger, exits and steps, by attribute of `Workflow`; what is wrong is left out."""
    found: dict[str, Any] = {}
    for key in ("title", "description", "owner"):
        if (node := root.get(key)) is not None:
            found[key] = forms.text(node, scope, f"`{key}`")
    if (node := root.get("status")) is not None:
        found["status"] = forms.choice(node, ("draft", "active", "paused"), scope, "status") or "active"
    if (node := root.get("purpose")) is not None:
        found["purpose"] = forms.text(node, scope, "a purpose")
        if found["purpose"] is not None and found["purpose"] not in known.purposes:
            unknown(node, "purpose", known.purposes, scope, "SEG676")
    if (node := root.get("when")) is not None:
        found["when"] = bind_condition(node, scope, salt=root.location.file)
    if (node := root.get("reentry")) is not None and (again := reentry(node, scope)) is not None:
        found["reentry"] = again
    if (node := root.get("control")) is not None:
        found["control"] = _control(node, scope)
    if (node := root.get("quiet")) is not None:
        found["quiet"] = quiet(node, scope)
    if root.get("caps") is not None:
        found["caps"] = caps(root, scope.project.purposes, scope)
    return found


def _control(node: Node, scope: Scope) -> Decimal:
    found = share(node, scope, "`control`", code="SEG674")
    if found is not None and found >= 1:
        scope.error("SEG674", "everybody would be in the control group", node.location, hint="write `control: 10 %`")
    return found or Decimal(0)


def _exits(node: Node | None, binding: Binding) -> tuple[ExitRule, ...]:
    if node is None:
        return ()
    hint = "write `bought: {event: order_completed}`"
    found = forms.mapping(node, binding.scope, "`exit`", hint=hint)
    rules = []
    for key, value in found.entries if found is not None else ():
        if forms.name(key, binding.scope, "an exit's name") is None:
            continue
        signal = bind_signal(value, binding)
        if signal is not None:
            rules.append(ExitRule(key.text, signal, key.location))
    return tuple(rules)
