"""Chance in workflows: who is in the control group, and ways by weights; the same whenever it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

from segctl.stats.assignment import SEPARATOR, arm_of, bound, point

if TYPE_CHECKING:
    from segctl.model.workflows import Workflow


def is_control(workflow: Workflow, profile: str) -> bool:
    """Whether somebody is in the control group of a workflow, in each of their entries."""
    salt = SEPARATOR.join((workflow.name, "workflow control"))
    return bool(workflow.control) and point(salt, profile) < bound(workflow.control)


def own_arm(workflow: Workflow, step: str, arms: Iterable[tuple[str, Decimal]], profile: str) -> str:
    """The arm of somebody in a split by weights."""
    return arm_of(point(SEPARATOR.join((workflow.name, "workflow split", step)), profile), dict(arms))
