"""Digests of what definitions mean: titles, comments, places and the order of keys do not change them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from segctl.compile.references import compared_fields, references
from segctl.model.conditions import ComputedTrait, SegmentCondition, SegmentDefinition
from segctl.model.consent import Purpose
from segctl.model.project import Project
from segctl.model.workflows import Workflow


def segment_digest(
    segment: SegmentDefinition, project: Project, *, segments: Mapping[str, str], computed: Mapping[str, str]
) -> str:
    """SHA-256 (hex) of a segment's condition and `keep` and of every definition they refer to.

    Args:
        segment: A bound segment.
        project: For the zone, and the events that ``*`` stands for.
        segments: Digests of the segments it refers to.
        computed: Digests of computed traits.
    """
    return _digest((segment.where, segment.keep), project, segments=segments, computed=computed)


def trait_digest(trait: ComputedTrait, project: Project, *, computed: Mapping[str, str]) -> str:
    """SHA-256 (hex) of how a trait is computed, and of every trait it is computed from."""
    parts = (trait.selection, trait.measure, trait.formula)
    return _digest(parts, project, segments={}, computed=computed)


def workflow_digest(workflow: Workflow, project: Project) -> str:
    """SHA-256 (hex) of what begins a workflow, its steps and what ends it; segments count by name alone."""
    nodes = tuple(replace(node, title=None) for node in workflow.nodes)
    parts = (
        workflow.trigger, nodes, workflow.when, workflow.exits, workflow.reentry, workflow.control, workflow.quiet,
        workflow.caps,
    )  # fmt: skip
    text = [f"zone={project.timezone}", *(_canonical(part, _ByName()) for part in parts)]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


class _ByName(dict[str, str]):
    """Digests where a name stands for itself."""

    def __missing__(self, name: str) -> str:
        return name


def _digest(
    parts: tuple[object, ...], project: Project, *, segments: Mapping[str, str], computed: Mapping[str, str]
) -> str:
    used = references(*parts)
    text = [f"zone={project.timezone}", *(_canonical(part, segments) for part in parts)]
    text += [f"{name}={computed[name]}" for name in sorted(used.traits) if name in computed]
    text += [_canonical(purpose, segments) for purpose in _purposes(used.purposes, project)]
    if used.purposes:
        text.append(_canonical(replace(project.consent, key=None), segments))
    if "*" in used.events:
        text.append(f"*={','.join(sorted(event.name for event in project.events))}")
    return hashlib.sha256("\n".join(text).encode()).hexdigest()


def _purposes(names: tuple[str, ...], project: Project) -> list[Purpose]:
    """What decides about a consent to these purposes: they, those that cover them, and those above them."""
    deciding = (
        purpose
        for purpose in project.purposes
        if any(purpose.name == name or name in purpose.covers or name.startswith(f"{purpose.name}.") for name in names)
    )
    return [replace(one, title=None, description=None) for one in sorted(deciding, key=lambda one: one.name)]


def _canonical(node: object, segments: Mapping[str, str]) -> str:
    if isinstance(node, SegmentCondition):
        # A renamed segment that means the same leaves those who refer to it unchanged.
        return f"segment({segments[node.segment]})"
    if isinstance(node, tuple):
        return f"({','.join(_canonical(item, segments) for item in node)})"
    names = compared_fields(type(node))
    if names:
        inner = ",".join(f"{name}={_canonical(getattr(node, name), segments)}" for name in names)
        return f"{type(node).__name__}({inner})"
    if isinstance(node, datetime):
        return node.isoformat()
    return f"{type(node).__name__}:{node!r}"
