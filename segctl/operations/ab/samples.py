"""Figures of many units as the counts and moments that statistics take, by arm and by whatever else is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from segctl.model.dataclass import dataclass
from segctl.stats.moments import nothing, of_spread
from segctl.stats.values import Counts, Moments

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.experiments import Metric


BELOW_BEFORE = "below_before"


@dataclass(frozen=True, slots=True)
class Sample:
    """One metric of some units.

    Attributes:
        counts: Of conversions; None for other kinds.
        moments: ``value``; ``below`` of ratios; ``before`` where there is a covariate, of ratios its numerator, and
            `BELOW_BEFORE` its denominator.
        largest: Of one unit: the greatest, or a negative one that lies farther out; None without units.
        among: Of times: mean of those who had the event; None without any.
        events: Units that converted, had the event or have a value other than 0; None for ratios.
    """

    moments: Moments
    counts: Counts | None = None
    largest: float | None = None
    among: float | None = None
    events: int | None = None


Key = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The two sides of a comparison.

    Attributes:
        strata: The same sides stratum by stratum, where only units of one stratum may be compared.
    """

    control: Sample
    treatment: Sample
    strata: tuple[tuple[str, Sample, Sample], ...] = ()

    @property
    def n(self) -> int:
        """Units of both sides."""
        return self.control.moments.n + self.treatment.moments.n

    @property
    def events(self) -> float | None:
        """Units of both that did anything; None where nobody counts them."""
        if self.control.events is None or self.treatment.events is None:
            return None
        return float(self.control.events + self.treatment.events)


def samples(frame: pl.DataFrame, metrics: Sequence[Metric], by: Sequence[str]) -> dict[str, dict[Key, Sample]]:
    """Metric → values of the columns `by` → its figures; one pass for all metrics.

    Args:
        frame: As of `ab_figures.figures`, perhaps with capped columns.
        metrics: Whose figures stand in it.
        by: Columns that group, the arm among them.
    """
    wanted = {metric.name: _figures_of(metric) for metric in metrics}
    asked = [piece for metric in metrics for piece in (*_pieces(metric.name, wanted[metric.name]), *_extra(metric))]
    made: dict[str, dict[Key, Sample]] = {metric.name: {} for metric in metrics}
    for key, part in _parts(frame, by):
        row = part.select(asked).row(0, named=True)
        for metric in metrics:
            made[metric.name][key] = _sample(metric, wanted[metric.name], part.height, row)
    return made


def _parts(frame: pl.DataFrame, by: Sequence[str]) -> list[tuple[Key, pl.DataFrame]]:
    """The rows by the columns, in order of their values; units stand by arm already, so arms are slices."""
    if frame.is_empty():
        return []
    if list(by) != ["arm"]:
        parts = frame.partition_by(by, as_dict=True).items()
        return sorted(parts, key=lambda part: [(value is not None, value) for value in part[0]])
    arms = frame["arm"].rle().struct.unnest()
    ends = arms["len"].cum_sum()
    return [
        ((arm,), frame.slice(end - size, size)) for size, arm, end in zip(arms["len"], arms["value"], ends, strict=True)
    ]


def sample_of(known: Mapping[Key, Sample], metric: Metric, arm: str) -> Sample:
    """The figures of an arm; of nobody where it has no units."""
    if (arm,) in known:
        return known[arm,]
    return Sample(nothing(0, names_of(metric)), Counts(0, 0) if metric.kind == "conversion" else None)


def capped(frame: pl.DataFrame, metric: Metric, percentile: float) -> tuple[pl.DataFrame, float | None]:
    """The metric's values cut to a percentile of all units together, and that percentile; None without values.

    Where most units have nothing, so that the percentile is 0, it is that of the units with a value. Negative values
    are cut to as small a share of their own.
    """
    import polars as pl

    values = frame[metric.name]
    limit = values.quantile(percentile / 100, interpolation="equiprobable")
    if limit is not None and limit <= 0:
        limit = values.filter(values > 0).quantile(percentile / 100, interpolation="equiprobable")
    if limit is None:
        return frame, None
    below = values.filter(values < 0)
    least = below.quantile(1 - percentile / 100, interpolation="equiprobable") if len(below) else None
    return frame.with_columns(pl.col(metric.name).clip(least, limit)), float(limit)


def names_of(metric: Metric) -> tuple[str, ...]:
    """Figures of the metric's moments, in their order."""
    return tuple(_figures_of(metric))


def _figures_of(metric: Metric) -> dict[str, str]:
    """Figure of the moments → column."""
    found = {"value": metric.name}
    if metric.kind == "ratio":
        found["below"] = f"{metric.name}/below"
    if metric.before is not None and metric.kind != "time":
        found["before"] = f"{metric.name}/before"
        if metric.kind == "ratio":
            found[BELOW_BEFORE] = f"{metric.name}/before/below"
    return found


def _pieces(name: str, figures: Mapping[str, str]) -> list[pl.Expr]:
    """Means and covariances of the figures of a metric."""
    import polars as pl

    columns = list(figures.items())
    found = [pl.col(column).mean().alias(f"{name}:{figure}") for figure, column in columns]
    for at, (one, first) in enumerate(columns):
        found.append(pl.col(first).var().alias(f"{name}:{one}:{one}"))
        found += [pl.cov(first, second).alias(f"{name}:{one}:{other}") for other, second in columns[at + 1 :]]
    return found


def _extra(metric: Metric) -> list[pl.Expr]:
    import polars as pl

    name, value = metric.name, pl.col(metric.name)
    if metric.kind == "time":
        did = pl.col(f"{name}/did") > 0
        return [did.sum().alias(f"{name}:events"), value.filter(did).mean().alias(f"{name}:among")]
    low, high, mean = value.min(), value.max(), value.mean()
    is_low = (low < 0) & (mean - low > high - mean)  # Such as returns that nobody else has.
    found = [pl.when(is_low).then(low).otherwise(high).alias(f"{name}:largest")]
    return [*found, (value != 0).sum().alias(f"{name}:events")] if metric.kind != "ratio" else found


def _sample(metric: Metric, figures: Mapping[str, str], n: int, row: Mapping[str, float | None]) -> Sample:
    names, name = tuple(figures), metric.name
    means = {figure: row[f"{name}:{figure}"] or 0.0 for figure in names}
    covariances = {(one, other): row[f"{name}:{one}:{other}"] or 0.0
                   for at, one in enumerate(names) for other in names[at:]}  # fmt: skip
    events = row.get(f"{name}:events")
    known = None if events is None else int(events)
    counts = Counts(n, known or 0) if metric.kind == "conversion" else None
    moments = of_spread(n, means, covariances)
    return Sample(moments, counts, row.get(f"{name}:largest"), row.get(f"{name}:among"), known)
