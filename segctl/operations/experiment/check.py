"""Is what is on record of an experiment what its hashes say, and is the split as declared?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.operations.experiment.assign import is_personal
from segctl.operations.experiment.run import recorded_experiment
from segctl.operations.experiment.status import counted_epochs

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.session import Session
    from segctl.state.experiments import ExperimentRecord
    from segctl.stats.srm import GroupedSplit, SplitTest

By = Literal["epoch", "stratum", "day"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found about the assignments of one experiment; counts are units unless they say profiles.

    Attributes:
        imported: Dealt elsewhere, so that neither arms nor shares are held against the hashes.
        differing: Whose stored arm is not what the hash says (never counted where arms are dealt within strata).
        outside: Who lie outside the traffic or the range of the layer that was in force.
        two_arms: With rows of two arms on record.
        merged: Profiles of today, merged of people in different arms: the older assignment counts for delivery.
        split: Over all epochs; None when nobody is assigned.
        groups: The split by epoch, stratum and day of assignment, where there are several.
        findings: What is wrong, for messages.
    """

    name: str
    units: int
    profiles: int
    exposed: int
    is_dealt: bool
    imported: int
    differing: int
    outside: int
    two_arms: int
    merged: int
    split: SplitTest | None
    groups: dict[By, GroupedSplit]
    findings: tuple[Diagnostic, ...]


def check(session: Session, name: str) -> Checked:
    """Look at everybody who was ever assigned to an experiment.

    Raises:
        UsageError: No such experiment.
        Refused: It was never started.
    """
    import polars as pl

    from segctl.state.assignments import DATASET, assignments, imported_units
    from segctl.stats.srm import split_test_of_epochs

    record = recorded_experiment(session, name)
    frame = assignments(session.workspace, record.name)
    raw = [pl.read_parquet(one.path, columns=["unit", "arm"], glob=False, hive_partitioning=False)
           for one in session.workspace.files(f"{DATASET}{record.name}")]  # fmt: skip
    arms = pl.concat(raw).unique() if raw else frame.select("unit", "arm")
    units = frame.unique("unit", keep="first", maintain_order=True)
    hashed = units.filter(~pl.col("unit").is_in(imported_units(session.workspace, record.name).implode()))
    found = Checked(
        name=name,
        units=units.height,
        profiles=frame.height,
        exposed=frame["exposed_at"].count(),
        is_dealt=bool(record.definition.get("strata")),
        imported=units.height - hashed.height,
        differing=_differing(session, record, hashed),
        outside=_outside(session, record, hashed),
        two_arms=arms.height - arms["unit"].n_unique(),
        merged=_merged(session, frame),
        split=split_test_of_epochs(counted_epochs(frame, record.epochs)) if units.height else None,
        groups=dict(_groups(session, record, units)),
        findings=(),
    )
    return replace(found, findings=tuple(_findings(found)))


def _differing(session: Session, record: ExperimentRecord, units: pl.DataFrame) -> int:
    """Units whose arm is another one than that of their hash by the weights until then."""
    from segctl.stats.assignment import allocation_after, arms_of, arms_salt, points

    if record.definition.get("strata"):
        return 0
    salt, count = arms_salt(session.project.name, record.name), 0
    for at, epoch in enumerate(record.epochs, start=1):
        mine = units.filter(units["epoch"] == epoch.number)
        divided = allocation_after([one.weights for one in record.epochs[:at]])
        said = arms_of(points(salt, mine["unit"].to_list()), divided)
        count += sum(arm != have for arm, have in zip(said, mine["arm"], strict=True))
    return count


def _outside(session: Session, record: ExperimentRecord, units: pl.DataFrame) -> int:
    """Units that should not have come in by the shares of their time."""
    import numpy as np

    from segctl.stats.assignment import bound, layer_salt, points, traffic_salt, within

    count = 0
    for epoch in record.epochs:
        names = units.filter(units["epoch"] == epoch.number)["unit"].to_list()
        inside = np.ones(len(names), dtype=np.bool_)
        if epoch.traffic < 1:
            places = points(traffic_salt(session.project.name, record.name), names)
            inside &= places < np.uint64(bound(epoch.traffic))
        if epoch.layer is not None:
            inside &= within(points(layer_salt(session.project.name, epoch.layer), names), epoch.low, epoch.high)
        count += int((~inside).sum())
    return count


def _merged(session: Session, frame: pl.DataFrame) -> int:
    """Profiles of today with people of several arms in them."""
    import polars as pl

    from segctl.state.identity import canonical

    owners = canonical(session.workspace)
    if owners is None or frame.is_empty():
        return 0
    today = frame.select(owners.gather(frame["subject"]).alias("profile"), "arm")
    return today.group_by("profile").agg(pl.col("arm").n_unique()).filter(pl.col("arm") > 1).height


def _groups(session: Session, record: ExperimentRecord, units: pl.DataFrame) -> Iterator[tuple[By, GroupedSplit]]:
    import polars as pl

    from segctl.stats.srm import split_by_group

    zone = session.project.timezone
    day = pl.col("assigned_at").dt.convert_time_zone(zone).dt.date().cast(pl.String)
    by: tuple[tuple[By, pl.Expr], ...] = (
        ("epoch", pl.col("epoch").cast(pl.String)), ("stratum", pl.col("stratum")), ("day", day),
    )  # fmt: skip
    for name, key in by:
        named = units.with_columns(key.alias("group")).filter(pl.col("group").is_not_null())
        parts = named.partition_by("group", as_dict=True, maintain_order=True)
        if len(parts) > 1:
            is_named = name != "stratum" or not is_personal(session, record.definition.get("strata", ()))
            yield name, split_by_group({
                str(group) if is_named else f"#{number}": counted_epochs(part, record.epochs)
                for number, ((group,), part) in enumerate(parts.items(), start=1)
            })  # fmt: skip


def _findings(found: Checked) -> Iterator[Diagnostic]:
    wrong = (
        (found.two_arms, "on record with two arms"),
        (found.differing, "in another arm than the hash says"),
        (found.outside, "on record outside the traffic or layer of its time"),
    )
    hint = "nobody may write to the workspace but segctl; a changed `name` of the project changes every hash"
    for count, what in wrong:
        if count:
            units = "1 unit of `{}` is" if count == 1 else f"{count:,} units of `{{}}` are"
            yield Diagnostic("SEG963", Severity.ERROR, f"{units.format(found.name)} {what}", hint=hint)
    if found.merged:
        share = found.merged / max(1, found.profiles)
        yield Diagnostic(
            "SEG964", Severity.WARNING if share > 0.01 else Severity.NOTE,
            f"{found.merged:,} of the people of `{found.name}` were in different arms before they were merged",
            why="the older assignment counts for what they are sent; reports leave them out",
        )  # fmt: skip
    if found.split is not None and found.split.verdict in ("fail", "warn"):
        yield _mismatch(found, "as a whole", found.split.verdict == "fail", found.split.p)
    for by, group in found.groups.items():
        if group.verdict in ("fail", "warn"):
            yield _mismatch(found, f"by {by} (worst: {group.worst})", group.verdict == "fail",
                            None if group.worst is None else group.p.get(group.worst))  # fmt: skip


def _mismatch(found: Checked, where: str, is_failed: bool, p: float | None) -> Diagnostic:
    return split_finding(found.name, p, is_failed=is_failed, where=f" {where}")


def split_finding(name: str, p: float | None, *, is_failed: bool, where: str = "") -> Diagnostic:
    """That a split is not as declared, for messages.

    Args:
        name: Of the experiment.
        p: Of the split, None when an arm of weight 0 has units.
        is_failed: An error rather than a warning.
        where: Which part of it, with a blank before.
    """
    said = "" if p is None else f" (p {p:.2g})"
    return Diagnostic(
        "SEG955", Severity.ERROR if is_failed else Severity.WARNING,
        f"the split of `{name}`{where} is not what its weights say{said}",
        why="units were lost or added in some arms, so no figure of the experiment can be trusted",
        hint="look for what treats the arms differently before they are counted",
    )  # fmt: skip
