"""What an experiment promised when it started: how many, until when, how sure and when it may be looked at.

A report goes by that. Whoever has seen figures and then moves the end, the size or the rules of looking has other
odds of being wrong than the report would say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.operations.ab.parts import Check

if TYPE_CHECKING:
    from segctl.model.experiments import Experiment
    from segctl.state.experiments import ExperimentRecord


@dataclass(frozen=True, slots=True)
class Change:
    """One part of the declaration that is another since the start.

    Attributes:
        part: As the file calls it.
        then: As written down at the start; None for nothing. Likewise `now`.
    """

    part: str
    then: str | None
    now: str | None


def as_started(experiment: Experiment, record: ExperimentRecord | None) -> tuple[Experiment, tuple[Change, ...]]:
    """The experiment with what it promised at its start, and what its file says otherwise today."""
    if record is None or record.definition.get("is") != "Experiment":
        return experiment, ()
    promised = _promised(record.definition)
    changes = tuple(
        Change(part, _told(then), _told(now))
        for part, then in promised.items()
        if then != (now := getattr(experiment, part))
    )
    return (replace(experiment, **promised), changes) if changes else (experiment, ())


def plan_kept(changes: tuple[Change, ...]) -> Check:
    """Whether the file still says what it said at the start."""
    if not changes:
        return Check("plan_kept", "ok", None)
    told = ", ".join(f"{one.part} {one.then or '–'} → {one.now or '–'}" for one in changes)
    rows = tuple({"part": one.part, "then": one.then, "now": one.now} for one in changes)
    return Check("plan_kept", "note", "changed_since", {"changes": told}, rows)


def _promised(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The parts from a definition on record, which leaves defaults out."""
    end, effect, size = (definition.get(name) for name in ("end", "effect", "size"))
    return {
        "size": size,
        "end": None if end is None else datetime.fromisoformat(end),
        "effect": None if effect is None else Decimal(effect),
        "looks": definition.get("looks", "end"),
        "look_shares": tuple(Decimal(one) for one in definition.get("look_shares", ())),
        "confidence": Decimal(definition.get("confidence", "0.95")),
        "power": Decimal(definition.get("power", "0.8")),
    }


def _told(value: object) -> str | None:
    if value is None or value == ():
        return None
    if isinstance(value, tuple):
        return " ".join(f"{one.normalize():f}" for one in value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.date().isoformat() if isinstance(value, datetime) else str(value)
