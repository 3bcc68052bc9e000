"""One experiment with all that a report on it reads: declaration, record, looks, units, figures."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us, to_us
from segctl.model.dataclass import dataclass
from segctl.operations.ab.figures import EventSource, figures, kinds_read, stored_events
from segctl.operations.ab.promised import Change, as_started
from segctl.operations.ab.samples import Key, Sample, samples
from segctl.operations.ab.strata import Stratification, stratification
from segctl.operations.ab.units import Units, units

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.experiments import Experiment, Metric
    from segctl.operations.session import Session
    from segctl.state.experiments import ExperimentRecord, Look


@dataclass(frozen=True)
class Trial:
    """An experiment as it stands at an instant.

    Attributes:
        experiment: With size, end, effect, looks, confidence and power as they were at its start.
        record: None when it was never started.
        looks: At its results so far, oldest first, up to as_of.
        owners: Subject → subject of its profile; None when each is its own.
        snapshot: Which files are seen.
        declared: As its file says today; None for as `experiment`.
        changes: What of `experiment` the file says otherwise today.
        cut: When a push first told its people after the stop; windows that were open then do not count.
    """

    session: Session
    experiment: Experiment
    record: ExperimentRecord | None
    looks: tuple[Look, ...]
    units: Units
    source: EventSource
    owners: pl.Series | None
    as_of: datetime
    snapshot: int
    declared: Experiment | None = None
    changes: tuple[Change, ...] = ()
    cut: datetime | None = None

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Figures of the analysed units."""
        return figures(self.source, self.experiment.metrics, self.units, weekly=self.primary.name)

    @cached_property
    def samples(self) -> dict[str, dict[Key, Sample]]:
        """Metric → (arm,) → its figures."""
        return samples(self.frame, self.experiment.metrics, ["arm"])

    @cached_property
    def strata(self) -> Stratification | None:
        """How the arms lie in the strata; None with one stratum alone."""
        return stratification(self)

    @property
    def primary(self) -> Metric:
        """The metric of the headline."""
        return next(metric for metric in self.experiment.metrics if metric.role == "primary")

    @property
    def arms(self) -> tuple[str, ...]:
        """Names, the control first."""
        return tuple(arm.name for arm in self.experiment.arms)

    @property
    def others(self) -> tuple[str, ...]:
        """Arms that are compared with the control."""
        return tuple(name for name in self.arms if name != self.experiment.control)

    @cached_property
    def analysed(self) -> dict[str, int]:
        """Units by arm whose figures count."""
        found = dict(self.units.analysed.group_by("arm").len().iter_rows())
        return {arm: int(found.get(arm, 0)) for arm in self.arms}

    @cached_property
    def profiles(self) -> dict[str, int]:
        """Profiles by arm that belong to the analysed units."""
        import polars as pl

        counts = dict(self.units.analysed.group_by("arm").agg(pl.col("profiles").sum()).iter_rows())
        return {arm: int(counts.get(arm, 0)) for arm in self.arms}

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """Event kinds that the metrics read."""
        return kinds_read(self.experiment.metrics, self.source.lowering)

    @property
    def data_until(self) -> datetime | None:
        """Up to when there are events in the files of these kinds, at most as_of; None without any."""
        known = [part.max_ts for part in self.source.events if not set(self.kinds).isdisjoint(part.kinds)]
        newest = max((at for at in known if at is not None), default=None)
        return None if newest is None else min(newest, self.as_of)

    def complete_at(self, at: datetime) -> int:
        """Units whose windows were complete then."""
        last = self.units.analysed["last"]
        return int((last <= to_us(at)).sum())

    def open_at(self, at: datetime) -> int:
        """Units exposed until then whose windows were not complete; those that a push cut off never are."""
        import polars as pl

        included = self.units.everybody.filter(pl.col("standing").is_in(["analysed", "young"]))
        closed = to_us(at) if self.cut is None else min(to_us(at), to_us(self.cut) - 1)
        return included.filter(pl.col("exposed") <= to_us(at), pl.col("last") > closed).height

    @property
    def ripens(self) -> bool:
        """Windows are open that will be complete some day."""
        return self.cut is None and self.open_at(self.as_of) > 0

    def edge(self, column: str, *, newest: bool = False) -> datetime | None:
        """The first or last instant of a column of all units on record."""
        values = self.units.everybody[column].drop_nulls()
        found = values.max() if newest else values.min()
        return from_us(found) if isinstance(found, int) else None


def trial(session: Session, experiment: Experiment, *, as_of: datetime, watched_until: datetime | None = None) -> Trial:
    """The experiment as it stands, from the newest snapshot.

    Args:
        session: Open project and workspace.
        experiment: As declared.
        as_of: Events and assignments after it have not happened.
        watched_until: Everybody is watched until then, instead of for the experiment's window.
    """
    from segctl.operations.ab.contacts import told_after
    from segctl.state.assignments import assignments
    from segctl.state.experiments import looks, record
    from segctl.state.identity import canonical
    from segctl.state.subjects import subject_count

    workspace = session.workspace
    snapshot = workspace.snapshot()
    owners = canonical(workspace, snapshot)
    by_profile = experiment.same is None
    on_record = record(workspace, experiment.key)
    promised, changes = as_started(experiment, on_record)
    is_bounded = promised.looks != "always"
    assigned, cut = assignments(workspace, experiment.key, snapshot), None
    if on_record is not None and on_record.stopped is not None and on_record.stopped <= as_of:
        cut = told_after(
            session, experiment.segment, assigned["subject"], owners, stopped=on_record.stopped, as_of=as_of,
            snapshot=snapshot,
        )  # fmt: skip
    found = units(
        assigned,
        owners,
        subject_count(workspace, snapshot),
        window=watched_until or experiment.window,
        as_of=as_of,
        zone=session.project.timezone,
        by_profile=by_profile,
        cut=cut,
        size=promised.size if is_bounded else None,
        end=promised.end if is_bounded else None,
    )
    return Trial(
        session,
        promised,
        on_record,
        tuple(look for look in looks(workspace, experiment.key) if look.at <= as_of),
        found,
        stored_events(session, found.unit_of, as_of=as_of, snapshot=snapshot, by_profile=by_profile),
        owners,
        as_of,
        snapshot,
        experiment,
        changes,
        cut,
    )
