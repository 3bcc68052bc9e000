"""The first primary metric in sub-segments and week by week after exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from segctl.operations.ab.compare import compared, judged, part_of
from segctl.operations.ab.groups import MOST_GROUPS, STRATA, group_of_units
from segctl.operations.ab.parts import Group, Grouping, Trend, TrendPoint
from segctl.operations.ab.samples import Key, Pair, Sample, sample_of, samples
from segctl.operations.ab.strata import within
from segctl.stats.multiplicity import benjamini_hochberg
from segctl.stats.strata import Stratum, over_strata
from segctl.stats.values import Comparison, Flag

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from segctl.model.experiments import Metric
    from segctl.operations.ab.design import Stage
    from segctl.operations.ab.trial import Trial
    from segctl.stats.trend import Measured

    Array = NDArray[np.float64]


# --- Sub-segments -----------------------------------------------------------------------------------------
def groupings(of: Trial, at: Stage, by: Sequence[str]) -> tuple[Grouping, ...]:
    """Sub-segments by the experiment's strata, where it has some, and by what is asked for.

    Each pays for looks as the whole does, and is compared within strata where these decide.
    """
    wanted = ([STRATA] if of.experiment.strata else []) + [name for name in by if name != STRATA]
    found = [_grouping(of, at, name, group_of_units(of, name)) for name in dict.fromkeys(wanted)]
    return _adjusted(found, 1 - float(of.experiment.confidence))


def _adjusted(found: Sequence[Grouping], alpha: float) -> tuple[Grouping, ...]:
    """Benjamini and Hochberg over all that was grouped by: whoever asks often enough finds something."""
    of_groups = iter(benjamini_hochberg([group.compared.p for one in found for group in one.groups]))
    differs = iter(benjamini_hochberg([p for one in found for p in one.differs.values()]))
    return tuple(
        replace(
            one,
            groups=tuple(
                replace(group, p_adjusted=p, moved=p is not None and p < alpha)
                for group, p in zip(one.groups, islice(of_groups, len(one.groups)), strict=True)
            ),
            differs=dict(zip(one.differs, islice(differs, len(one.differs)), strict=True)),
        )
        for one in found
    )


def _grouping(of: Trial, at: Stage, by: str, values: pl.Series) -> Grouping:
    """Every group, each arm against the control."""
    import polars as pl

    metric = of.primary
    frame = of.frame.with_columns(values.alias("group"))
    frame = frame if of.strata is None else frame.with_columns(of.strata.blocks)
    sizes = frame.group_by("group").agg(pl.len()).sort("len", "group", descending=[True, False], nulls_last=True)
    kept = sizes["group"].to_list()[:MOST_GROUPS]
    shown = frame.filter(pl.col("group").is_in(kept, nulls_equal=True))
    made = samples(shown, [metric], ["arm", "group"])[metric.name]
    confidence = float(of.experiment.confidence)
    inside = within(of, metric, shown, "group")
    rows = [(arm, group, *_two(of, made, metric, arm, group)) for arm in of.others for group in kept]
    found = [
        (arm, group, c, t, judged(of, at, metric, arm, Pair(c, t, inside(arm, group)))) for arm, group, c, t in rows
    ]
    groups = tuple(
        Group(arm, group, c.moments.n, t.moments.n, one, one.p, moved=False, events_control=c.events,
              events_arm=t.events)
        for arm, group, c, t, one in found
    )  # fmt: skip
    combined = {arm: over_strata(_strata(metric, rows, arm), confidence=confidence) for arm in of.others}
    return Grouping(
        by, metric.name, groups,
        differs={arm: _differs([one for name, *_, one in found if name == arm]) for arm in of.others},
        stratified={arm: one.post_stratified for arm, one in combined.items()},
        reversed=tuple(arm for arm, one in combined.items() if Flag.SIMPSON_REVERSAL in one.flags),
        more=max(sizes.height - len(kept), 0),
    )  # fmt: skip


def _two(of: Trial, made: Mapping[Key, Sample], metric: Metric, arm: str, group: str | None) -> tuple[Sample, Sample]:
    inside: dict[Key, Sample] = {(name,): sample for (name, of_group), sample in made.items() if of_group == group}
    return sample_of(inside, metric, of.experiment.control), sample_of(inside, metric, arm)


def _strata(metric: Metric, rows: Sequence[tuple[str, str | None, Sample, Sample]], arm: str) -> list[Stratum]:
    return [
        Stratum(group or "", part_of(metric, control), part_of(metric, treatment))
        for name, group, control, treatment in rows
        if name == arm
    ]


def _differs(effects: Sequence[Comparison]) -> float | None:
    """P of one effect in all groups."""
    from segctl.stats.trend import heterogeneity

    return heterogeneity({str(at): _measured(one) for at, one in enumerate(effects)}).p


def _measured(one: Comparison) -> Measured:
    from segctl.stats.trend import Measured

    return Measured(one.difference.estimate, one.se)


# --- Weeks ------------------------------------------------------------------------------------------------
def trend(of: Trial) -> Trend | None:
    """The effect within each week after exposure; None for windows below two weeks."""
    import polars as pl

    from segctl.stats.trend import trend as tested

    metric, frame = of.primary, of.frame
    columns = [name for name in frame.columns if name.startswith(f"{metric.name}/week/")]
    if not columns or frame.is_empty():
        return None
    weeks = [replace(metric, name=name, before=None) for name in columns]
    weekly = samples(frame, weeks, ["arm"])
    parted = frame if of.strata is None else frame.with_columns(of.strata.blocks, pl.lit("").alias("whole"))
    inside = {week.name: within(of, week, parted, "whole") for week in weeks}
    points, p = [], {}
    for arm in of.others:
        found = []
        for number, week in enumerate(weeks, 1):
            control, treatment = (sample_of(weekly[week.name], metric, one) for one in (of.experiment.control, arm))
            both = Pair(control, treatment, inside[week.name](arm, ""))
            one = compared(metric, both, confidence=float(of.experiment.confidence))
            found.append(one)
            points.append(
                TrendPoint(arm, number, one.control, one.treatment, one.difference, control.events, treatment.events)
            )
        p[arm] = tested([_measured(one) for one in found], covariance=_of_differences(of, parted, columns, arm)).p
    return Trend(metric.name, tuple(points), p)


def _of_differences(of: Trial, frame: pl.DataFrame, columns: Sequence[str], arm: str) -> list[list[float]] | None:
    """Covariance of the weekly differences: the same units are seen in each; over strata where these decide."""
    import numpy as np

    is_parted = of.strata is not None and of.strata.decides
    parts = frame.partition_by("block") if is_parted else [frame]
    spread = [(_spread(part, columns, of.experiment.control), _spread(part, columns, arm)) for part in parts]
    known = [(n + m, one + other) for (n, one), (m, other) in spread if one is not None and other is not None]
    if not known:
        return None
    units = sum(n for n, _ in known)
    total = sum(((n / units) ** 2 * both for n, both in known), start=np.zeros((len(columns), len(columns))))
    found: list[list[float]] = total.tolist()
    return found


def _spread(frame: pl.DataFrame, columns: Sequence[str], arm: str) -> tuple[int, Array | None]:
    """Units of an arm, and the covariance of their weekly means."""
    import numpy as np

    rows = frame.filter(arm=arm).select(columns).to_numpy()
    return len(rows), np.cov(rows, rowvar=False).reshape(len(columns), -1) / len(rows) if len(rows) > 1 else None
