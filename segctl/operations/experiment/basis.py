"""What the data know before an experiment: how many could take part, how many come, and what metrics look like.

Metrics are measured as the report will measure them, on who was a member one window ago, as if all of them had been
exposed then. Who is a member now would not do: many segments are made of what did or did not happen lately.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from segctl.compile.zones import from_us, shifted, to_us
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError
from segctl.model.times import Duration

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.model.experiments import Experiment, Metric
    from segctl.operations.session import Session
    from segctl.stats.power import Figure

    Column = NDArray[np.float64]

TRIED = Duration(90, "days")
"""Length before exposure that is tried as a covariate where a metric declares none."""
_NO_COVARIATE = ("time",)
_PAST = timedelta(days=90)
_LEAST_PAST = timedelta(days=7)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MetricBasis:
    """A metric as it was in the past window.

    Attributes:
        figure: Its rate, or mean and deviation between units; None without units, or denominators of a ratio.
        units: That it is measured on.
        correlation: With the same figure before the window; None where it has none, or nothing varies.
    """

    metric: Metric
    figure: Figure | None
    units: int
    correlation: float | None = None


@dataclass(frozen=True, slots=True)
class Clusters:
    """Units that are several profiles.

    Attributes:
        mean_size: Profiles of a unit.
        icc: Correlation of the first metric within units; None when it cannot be told.
        design_effect: Variance by units in terms of that by profiles; None likewise.
    """

    mean_size: float
    icc: float | None
    design_effect: float | None


@dataclass(frozen=True, slots=True)
class Basis:
    """What is known before an experiment.

    Attributes:
        members: Of the segment now, without those excluded; `units` those they are dealt as.
        arrivals: New units on each past day, the newest last.
        arrivals_from: ``runs`` on record, ``window``: who is a member now and was none a window ago, or ``nothing``.
        metrics: In the order of the experiment.
        first: When the past window began; it ended at `last`.
        is_behind: The data end before the begin of the experiment, and the past window with them.
        then: Units that were members at its begin.
        reach: Share of the members whom a push would reach: those with identifier and consent, not suppressed; None
            where the segment goes nowhere or no run has evaluated it.
    """

    members: int
    units: int
    arrivals: tuple[float, ...]
    arrivals_from: str
    metrics: tuple[MetricBasis, ...]
    first: datetime
    last: datetime
    then: int
    clusters: Clusters | None = None
    reach: float | None = None
    is_behind: bool = False


@dataclass(frozen=True, slots=True)
class _Past:
    """Where and when figures are measured; everybody is exposed at `first` and watched until `last`."""

    session: Session
    first: datetime
    last: datetime
    snapshot: int


def basis(session: Session, experiment: Experiment, *, as_of: datetime, now: datetime) -> Basis:
    """What the workspace knows of an experiment's segment, metrics and units.

    Args:
        session: Open project and workspace.
        experiment: As declared, or made of options.
        as_of: Begin of the experiment that is planned, and end of the past window.
        now: When consent is asked for.
    """
    snapshot = session.workspace.snapshot()
    last = _data_end(session, as_of, snapshot)
    first = from_us(shifted(to_us(last), experiment.window, -1, session.project.timezone))
    past = _Past(session, first, last, snapshot)
    today = _members(session, experiment, as_of, snapshot)
    then = _members(session, experiment, first, snapshot)
    known, origin = _arrivals(past, experiment, today, then, as_of)
    return Basis(
        members=today.height,
        units=today["unit"].n_unique(),
        arrivals=known,
        arrivals_from=origin,
        metrics=_measured(past, experiment.metrics, then, by_profile=experiment.same is None),
        first=first,
        last=last,
        is_behind=last < as_of,
        then=then["unit"].n_unique(),
        clusters=None if experiment.same is None else _clusters(past, experiment, then),
        reach=_reach(session, experiment.segment, now),
    )


def _data_end(session: Session, as_of: datetime, snapshot: int) -> datetime:
    """The newest event, where that is more than a day ago: nobody did anything in days that nobody has delivered."""
    from segctl.model.contacted import CONTACTED
    from segctl.operations.evaluation import event_part

    parts = [event_part(file) for file in session.workspace.files("events", snapshot)]
    ends = [part.max_ts for part in parts if part.max_ts is not None and set(part.kinds) - {CONTACTED}]
    newest = min(max(ends, default=as_of), as_of)
    return newest if as_of - newest > _DAY else as_of


def _members(session: Session, experiment: Experiment, as_of: datetime, snapshot: int) -> pl.DataFrame:
    """One row per profile that could take part then: ``subject``, ``unit``; who has no value of it is one alone."""
    import polars as pl

    from segctl.compile.lower import lower_trait
    from segctl.compile.plan import Output
    from segctl.operations.evaluation import evaluate
    from segctl.operations.experiment.arms import ALONE

    asked = [experiment.segment, *experiment.exclude]
    unit = experiment.same
    outputs = [] if unit is None else [Output("unit", lower_trait(unit, session.definitions, lists=session.lists))]
    frame = evaluate(session, asked, as_of=as_of, snapshot=snapshot, outputs=outputs).frame
    if experiment.segment not in frame.columns:
        return pl.DataFrame(schema={"subject": pl.Int32, "unit": pl.String})
    taking = pl.col(experiment.segment)
    for name in experiment.exclude:
        taking &= ~pl.col(name) if name in frame.columns else pl.lit(value=True)
    alone = pl.col("subject").cast(pl.String)
    named = alone if unit is None else pl.col("unit").cast(pl.String).fill_null(ALONE + alone)
    return frame.filter(taking).select("subject", named.alias("unit")).drop_nulls()


def _reach(session: Session, segment: str, now: datetime) -> float | None:
    from segctl.compile.selection import Selection
    from segctl.operations.segment_report.reach import reach

    if not session.definitions.segments[segment].send_to:
        return None
    try:
        found = reach(session, Selection((segment,), allow_empty=True), now=now).get(segment, ())
    except UsageError:
        # What a push needs is not there yet, such as the members of a holdout.
        return None
    return max((one.allowed / one.members for one in found if one.members), default=None)


# --- Who comes --------------------------------------------------------------------------------------------
def _arrivals(
    past: _Past, experiment: Experiment, now: pl.DataFrame, then: pl.DataFrame, as_of: datetime
) -> tuple[tuple[float, ...], str]:
    from segctl.state.memberships import history, in_force

    session = past.session
    known = in_force(session.workspace, experiment.segment) is not None
    runs = history(session.workspace, experiment.segment) if known else []
    entered = [(run.as_of, run.entered) for run in runs if run.state == "in_force" and run.as_of <= as_of]
    daily = _spread(entered, as_of)
    # Runs count profiles, experiments units.
    per_profile = now["unit"].n_unique() / now.height if now.height else 1.0
    if daily:
        return tuple(number * per_profile for number in daily), "runs"
    days = max(1, round((as_of - past.first) / _DAY))
    newcomers = now.join(then, on="unit", how="anti")["unit"].n_unique() if then.height else 0
    return ((newcomers / days,) * days, "window") if newcomers else ((), "nothing")


def _spread(entered: Sequence[tuple[datetime, int]], as_of: datetime) -> tuple[float, ...]:
    """Who entered from run to run, spread over the days between; empty when too little is on record."""
    since = as_of - _PAST
    steps = [(a, b, n) for (a, _), (b, n) in pairwise(entered) if b > a >= since]
    if not steps or steps[-1][1] - steps[0][0] < _LEAST_PAST:
        return ()
    days = [0.0] * round((steps[-1][1] - steps[0][0]) / _DAY)
    for begin, end, number in steps:
        from_day, to_day = (
            min((at - steps[0][0]) // _DAY, len(days) - 1) for at in (begin, end - timedelta(seconds=1))
        )
        for day in range(from_day, to_day + 1):
            days[day] += number / (to_day - from_day + 1)
    return tuple(days)


# --- What metrics look like -------------------------------------------------------------------------------
def _measured(
    past: _Past, metrics: Sequence[Metric], members: pl.DataFrame, *, by_profile: bool
) -> tuple[MetricBasis, ...]:
    # A plan made of options may say what nothing in the data measures.
    if not members.height or not all(metric.selection.events for metric in metrics):
        return tuple(MetricBasis(metric, None, 0) for metric in metrics)
    tried = [m if m.before or m.kind in _NO_COVARIATE else replace(m, before=TRIED) for m in metrics]
    rows = _figures(past, tried, members, by_profile=by_profile)
    return tuple(_metric_basis(metric, rows) for metric in metrics)


def _figures(past: _Past, metrics: Sequence[Metric], members: pl.DataFrame, *, by_profile: bool) -> pl.DataFrame:
    """Figures as the report has them."""
    import polars as pl

    from segctl.operations.ab.figures import figures, stored_events
    from segctl.operations.ab.units import units
    from segctl.state.identity import canonical
    from segctl.state.subjects import subject_count

    at = pl.lit(past.first).cast(pl.Datetime("us", "UTC"))
    assigned = members.with_columns(
        arm=pl.lit("all"), stratum=pl.lit(None, pl.String), epoch=pl.lit(1, pl.Int32), assigned_at=at, exposed_at=at
    )
    session, snapshot, last = past.session, past.snapshot, past.last
    workspace, zone = session.workspace, session.project.timezone
    found = units(
        assigned, canonical(workspace, snapshot), subject_count(workspace, snapshot), window=last, as_of=last,
        zone=zone, by_profile=by_profile,
    )  # fmt: skip
    events = stored_events(session, found.unit_of, as_of=last, snapshot=snapshot, by_profile=by_profile)
    return figures(events, metrics, found)


def _metric_basis(metric: Metric, rows: pl.DataFrame) -> MetricBasis:
    from segctl.stats.moments import of_rows
    from segctl.stats.power import Mean, Rate, ratio_figure

    name = metric.name
    value = _capped(rows[name].to_numpy(), metric)
    before = rows[f"{name}/before"].to_numpy() if f"{name}/before" in rows.columns else None
    if metric.kind == "conversion":
        return MetricBasis(metric, Rate(float(value.mean())), len(value), _correlation(value, before))
    if metric.kind != "ratio":
        moments = of_rows({"value": value})
        sd = (moments.covariance() or 0.0) ** 0.5
        return MetricBasis(metric, Mean(moments.means[0], sd), len(value), _correlation(value, before))
    below = rows[f"{name}/below"].to_numpy()
    figure = ratio_figure(of_rows({"value": value, "below": below}))
    lined = None if figure is None else value - figure.baseline * below
    earlier = None
    if before is not None:
        under = rows[f"{name}/before/below"].to_numpy()
        earlier = before - (before.sum() / under.sum() if under.sum() else 0.0) * under
    return MetricBasis(metric, figure, len(value), None if lined is None else _correlation(lined, earlier))


def _capped(value: Column, metric: Metric) -> Column:
    """The values with those above the percentile cut to it, as the report cuts them."""
    import numpy as np

    if metric.cap is None or metric.kind not in ("mean", "ratio"):
        return value
    return np.minimum(value, np.quantile(value, float(metric.cap) / 100, method="inverted_cdf"))


def _correlation(value: Column, before: Column | None) -> float | None:
    import numpy as np

    if before is None or len(value) < 3 or not value.std() or not before.std():
        return None
    return float(np.corrcoef(value, before)[0, 1])


# --- Units of several profiles ----------------------------------------------------------------------------
def _clusters(past: _Past, experiment: Experiment, members: pl.DataFrame) -> Clusters:
    """How alike the profiles of a unit are in the first metric that is no ratio."""
    import polars as pl

    from segctl.stats.factors import design_effect_of, icc_of

    metric = next((m for m in experiment.metrics if m.kind != "ratio"), None)
    size = members.height / members["unit"].n_unique() if members.height else 1.0
    if metric is None or not members.height:
        return Clusters(size, None, None)
    single = members.with_columns(unit=pl.col("subject").cast(pl.String))
    rows = _figures(past, [replace(metric, before=None)], single, by_profile=True)
    value = pl.col(metric.name)
    grouped = (
        rows.join(members.rename({"subject": "person", "unit": "cluster"}), on="person", how="inner")
        .group_by("cluster")
        .agg(pl.len(), value.sum().alias("sum"), (value * value).sum().alias("square"))
    )
    parts = [grouped[name].to_list() for name in ("len", "sum", "square")]
    return Clusters(size, icc_of(*parts), design_effect_of(*parts))
