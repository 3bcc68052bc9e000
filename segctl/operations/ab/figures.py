"""Figures per unit: what each metric measures of the events in a unit's window, and the same before exposure.

Columns of a metric ``m``: ``m`` its value (1 or 0 for conversions; for times the days until the event, and the whole
window for those without one); ``m/below`` of ratios; ``m/before`` and ``m/before/below`` of covariates; ``m/did`` of
times: 1 for who had the event; ``m/week/1`` … the value within single weeks, where asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.compile.lower_events import Lowering
from segctl.compile.zones import DAY
from segctl.model.conditions.events import Count, Measure
from segctl.model.dataclass import dataclass
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from segctl.compile import ir
    from segctl.compile.plan import Node
    from segctl.engines.base import EventPart
    from segctl.engines.exposures import Figure, Phase
    from segctl.model.conditions.events import EventSelection
    from segctl.model.experiments import Metric
    from segctl.model.times import Duration
    from segctl.operations.ab.units import Units
    from segctl.operations.session import Session

AFTER = "after"
_WEEK = 7 * DAY
MOST_WEEKS = 12
"""Longer windows are shown by the first weeks alone."""


@dataclass(frozen=True)
class EventSource:
    """Where figures come from.

    Attributes:
        lowering: Knows the project's names.
        events: All parts of a snapshot.
        as_of: Events after it do not count.
        zone: The project's.
        values: Gives values of nodes that ask of the profile, by ``subject``, which is the unit's position; None where
            units have several profiles, so that no event can be compared with a trait.
    """

    lowering: Lowering
    events: tuple[EventPart, ...]
    as_of: datetime
    zone: str
    values: Callable[[dict[Node, str]], pl.DataFrame] | None = None


def stored_events(
    session: Session, unit_of: pl.Series, *, as_of: datetime, snapshot: int, by_profile: bool
) -> EventSource:
    """Events of a workspace.

    Args:
        session: Open project and workspace.
        unit_of: Subject → position of its unit.
        as_of: Events after it do not count.
        snapshot: Which files are seen.
        by_profile: Profiles are the unit.
    """
    from segctl.operations.evaluation import event_part

    def values(names: dict[Node, str]) -> pl.DataFrame:
        from segctl.compile.plan import Output
        from segctl.operations.evaluation import evaluate

        outputs = [Output(name, node) for node, name in names.items()]  # type: ignore[arg-type]  # what tests compare with are expressions and predicates
        found = evaluate(session, (), as_of=as_of, snapshot=snapshot, outputs=outputs).frame
        placed = found.with_columns(subject=unit_of.gather(found["subject"])).drop_nulls("subject")
        return placed.select("subject", *names.values()).unique("subject", keep="first", maintain_order=True)

    parts = tuple(event_part(file) for file in session.workspace.files("events", snapshot))
    lowering = Lowering(session.definitions, session.lists)
    return EventSource(lowering, parts, as_of, session.project.timezone, values if by_profile else None)


def figures(source: EventSource, metrics: Sequence[Metric], units: Units, *, weekly: str | None = None) -> pl.DataFrame:
    """One row per analysed unit in their order: columns of `Units.analysed`, then those of every metric, Float64.

    Args:
        source: The events.
        metrics: What is measured.
        units: Of whom, and when each was exposed.
        weekly: Name of the metric that is also wanted week by week.

    Raises:
        UsageError: A metric compares with traits of a profile, and units have several.
    """
    import polars as pl

    from segctl.engines.exposures import unit_figures

    phases = _phases(metrics, units.analysed, source.zone, is_weekly=weekly is not None)
    wanted = [one for metric in metrics for one in _wanted(metric, source.lowering, phases, weekly)]
    if source.values is None:
        _refuse_traits(wanted)
    found = unit_figures(
        wanted,
        [phase for phase in phases if any(figure.phase == phase.name for figure in wanted)],
        units.unit_of,
        units.analysed["exposed"],
        source.events,
        as_of=source.as_of,
        zone=source.zone,
        profile_values=source.values,
    )
    asked = {figure.name: figure.metric for figure in wanted}
    columns = [column for metric in metrics for column in _finished(metric, asked)]
    measured = units.analysed.hstack(found).select(*units.analysed.columns, *columns)
    return measured.with_columns(pl.col(measured.columns[units.analysed.width :]).cast(pl.Float64))


def kinds_read(metrics: Sequence[Metric], lowering: Lowering) -> tuple[str, ...]:
    """Event kinds that any of the metrics reads, by name."""
    selections = [metric.selection for metric in metrics]
    selections += [metric.below[0] for metric in metrics if metric.below is not None]
    return tuple(sorted({kind for one in selections for kind in lowering.kinds(one.events)}))


# --- What is asked of the engine --------------------------------------------------------------------------
def _phases(metrics: Sequence[Metric], analysed: pl.DataFrame, zone: str, *, is_weekly: bool) -> list[Phase]:
    from segctl.engines.exposures import Phase, later

    exposed, length = analysed["exposed"], analysed["last"] - analysed["exposed"]
    found = [Phase(AFTER, 0, _even(length))]
    for before in dict.fromkeys(metric.before for metric in metrics if metric.before is not None):
        back = later(exposed, before, zone, back=True) - exposed
        found.append(Phase(_before(before), _even(back), -1))
    shortest = length.min()
    number = min(MOST_WEEKS, shortest // _WEEK) if is_weekly and isinstance(shortest, int) else 0
    for week in range(1, number + 1 if number > 1 else 1):
        # The instant between two weeks belongs to the later one, the window's last instant to the last week.
        end = week * _WEEK
        found.append(Phase(f"week {week}", end - _WEEK, _even(end - (end < length).cast(int))))
    return found


def _even(lengths: pl.Series) -> int | pl.Series:
    """One number where all units have the same."""
    first = lengths.first()
    return first if isinstance(first, int) and lengths.min() == lengths.max() else lengths


def _before(length: Duration) -> str:
    return f"before {length}"


def _wanted(metric: Metric, lowering: Lowering, phases: Sequence[Phase], weekly: str | None) -> list[Figure]:
    from segctl.engines.exposures import Figure

    name, measure = metric.name, Count() if metric.kind == "conversion" else metric.measure
    above = _lowered(lowering, metric.selection, measure)
    found = [Figure(name, above, AFTER)]
    below = None if metric.below is None else _lowered(lowering, *metric.below)
    found += [] if below is None else [Figure(f"{name}/below", below, AFTER)]
    if metric.before is not None:
        phase = _before(metric.before)
        found.append(Figure(f"{name}/before", above, phase))
        found += [] if below is None else [Figure(f"{name}/before/below", below, phase)]
    if weekly == name and metric.kind in ("conversion", "mean"):
        weeks = [phase.name for phase in phases if phase.name.startswith("week ")]
        found += [Figure(f"{name}/{week.replace(' ', '/')}", above, week) for week in weeks]
    return found


def _lowered(lowering: Lowering, selection: EventSelection, measure: Measure) -> ir.Metric:
    return lowering.metric(selection, measure)


def _refuse_traits(wanted: Sequence[Figure]) -> None:
    from segctl.engines.exposures import asks_profiles

    asking = [figure.name.partition("/")[0] for figure in wanted if asks_profiles(figure.metric)]
    if asking:
        raise UsageError(
            "SEG965",
            f"the metric `{asking[0]}` compares events with a trait, and a unit has several profiles",
            hint="test a property of the event, or make profiles the unit",
        )


# --- What the engine's answer means -----------------------------------------------------------------------
def _finished(metric: Metric, asked: dict[str, ir.Metric]) -> list[pl.Expr]:
    """The columns of a metric in its unit."""
    import polars as pl

    name = metric.name
    mine = [column for column in asked if column == name or column.startswith(f"{name}/")]
    if metric.kind == "conversion":
        return [(pl.col(column) > 0).cast(pl.Float64).alias(column) for column in mine]
    if metric.kind == "time":
        reached = ((pl.col(name) - pl.col("exposed")) / float(DAY)).alias(name)
        whole = (pl.col("last") - pl.col("exposed")) / float(DAY)
        did = pl.col(name).is_not_null().cast(pl.Float64).alias(f"{name}/did")
        return [pl.coalesce(reached, whole).alias(name), did]
    return [_in_unit(column, asked[column]) for column in mine]


def _in_unit(column: str, metric: ir.Metric) -> pl.Expr:
    """Stored whole numbers as numbers with their digits."""
    import polars as pl

    value = pl.col(column).cast(pl.Float64)
    scale = 10.0**metric.type.scale
    return (value / scale if scale != 1 else value).alias(column)
