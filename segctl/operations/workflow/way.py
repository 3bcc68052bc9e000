"""One person on the way through a workflow, in the middle of a call of the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.state.workflows import ACTIVE

if TYPE_CHECKING:
    from segctl.compile.workflow_flow import Facts, Move, Standing
    from segctl.model.workflows import Workflow
    from segctl.operations.workflow.world import Someone
    from segctl.state.workflows import Instance


@dataclass(frozen=True, slots=True)
class Way:
    """One person on the way, in the middle of a call.

    Attributes:
        someone: The profile as it is now.
        move: Where they are and what comes next.
    """

    instance: Instance
    workflow: Workflow
    someone: Someone
    facts: Facts
    move: Move


def stands(one: Instance, at: Standing, wake: int | None = None) -> Instance:
    """The instance where somebody stands now."""
    return replace(one, step=at.step, reached=at.reached, wake=wake, state=ACTIVE)
