"""Which arms one person is in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class PersonArm:
    """One assignment of a person.

    Attributes:
        experiment: As declared today; ``universal:`` and a generation for the universal holdout.
        segment: Of the experiment, as it began; None for the universal holdout.
        is_sent: False for an arm that is told nothing.
        is_running: It decides what the person is sent.
    """

    experiment: str
    segment: str | None
    arm: str
    is_sent: bool
    is_running: bool
    assigned_at: datetime
    exposed_at: datetime | None

    def __str__(self) -> str:
        silent = "" if self.is_sent else " (nothing sent)"
        return f"{self.experiment}: {self.arm}{silent}{'' if self.is_running else ', ended'}"


def arms_of_person(session: Session, subjects: Sequence[int], *, now: datetime | None = None) -> tuple[PersonArm, ...]:
    """Every arm of a person, oldest assignment first; several of one experiment when people were merged.

    Args:
        session: Open project and workspace.
        subjects: All that were merged into the person.
        now: For the generation of the universal holdout; None when any that is on record counts as running.
    """
    import polars as pl

    from segctl.state.assignments import DATASET, assigned_names, assignments
    from segctl.state.experiments import records

    names = assigned_names(session.workspace)
    known = records(session.workspace) if names else {}
    today = {one.key: one.name for one in session.definitions.experiments.values()}
    found = []
    for name in names:
        files = [file.path for file in session.workspace.files(f"{DATASET}{name}")]
        mine = pl.scan_parquet(files, glob=False, hive_partitioning=False).filter(pl.col("subject").is_in(subjects))
        if mine.select(pl.len()).collect().item() == 0:
            continue
        rows = assignments(session.workspace, name).filter(pl.col("subject").is_in(subjects))
        record = known.get(name)
        silent = _silent(record.definition["arms"]) if record is not None else {"held_out"}
        is_running = record.state == "running" if record is not None else _holds(session, name, now)
        segment = None if record is None else str(record.definition["segment"])
        found += [
            PersonArm(today.get(name, name), segment, arm, arm not in silent, is_running, at, exposed)
            for arm, at, exposed in rows.select("arm", "assigned_at", "exposed_at").iter_rows()
        ]
    return tuple(sorted(found, key=lambda one: (one.assigned_at, one.experiment)))


def arms_in_segment(session: Session, segment: str, profile_id: str, *, now: datetime) -> tuple[PersonArm, ...]:
    """Of a profile's arms those that decide whether it is sent anything of a segment."""
    from segctl.operations.experiment.running import today_called
    from segctl.operations.people import find_person
    from segctl.state.assignments import assigned_names

    if not assigned_names(session.workspace):
        return ()
    _, subjects = find_person(session.workspace, profile_id, rules=session.project.identity)
    segments = session.definitions.segments
    return tuple(
        one for one in arms_of_person(session, subjects, now=now)
        if one.segment is None or today_called(segments, one.segment) == segment
    )  # fmt: skip


def _silent(arms: Sequence[dict[str, object]]) -> set[object]:
    return {arm["name"] for arm in arms if not arm.get("is_sent", True)}


def _holds(session: Session, name: str, now: datetime | None) -> bool:
    from segctl.operations.audience.experiments import generation_of
    from segctl.state.experiments import UNIVERSAL

    if now is None:
        return True
    one = generation_of(session.project.universal_holdouts, now)
    return one is not None and name == f"{UNIVERSAL}{one.name}"
