"""What a plan of an experiment holds. Codes and numbers only; `cli/experiment_plan_words.py` has the sentences."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

from segctl.model.dataclass import dataclass

if TYPE_CHECKING:
    from segctl.model.experiments import Experiment, Metric
    from segctl.operations.experiment.basis import Basis, Clusters
    from segctl.stats.power import Figure
    from segctl.stats.run_time import RunTime
    from segctl.stats.sizing import Effect, Size

Verdict = Literal["no_baseline", "nobody", "open", "enough_now", "enough_later", "too_late", "hopeless"]
"""`open`: no effect was said, so that only what can be found is known; `too_late`: not by the planned end;
`hopeless`: not within `LONGEST_DAYS`."""
LONGEST_DAYS = 365


@dataclass(frozen=True, slots=True)
class Given:
    """What is said instead of what the data and the declaration say; None where nothing is.

    Attributes:
        figure: Of the first primary metric.
        units: There now.
        per_day: New units a day.
        effect: Relative, such as 0.2.
    """

    figure: Figure | None = None
    units: int | None = None
    per_day: float | None = None
    effect: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PlannedMetric:
    """A metric with what can be found of it.

    Attributes:
        figure: None when nothing is known of it.
        units: It was measured on; 0 when it was given.
        size: Needed to find the effect; None without an effect, and for guard-rails.
        at_hand: Smallest effect that the units there are now find.
        saving: Share of the units that its covariate saves (CUPED); with no declared one, what `before: 90 days` would.
        is_adjusted: Its declared covariate is reckoned with.
    """

    metric: Metric
    figure: Figure | None
    units: int
    size: Size | None
    at_hand: Effect | None
    saving: float | None
    is_adjusted: bool


@dataclass(frozen=True, slots=True)
class Split:
    """What another share of the control would mean.

    Attributes:
        control: Share of all units.
        total: Units needed; None without an effect, or when no number does.
        days: Until enough have taken part and their windows are complete; None when never.
        at_hand: Smallest relative effect that the units there are now find.
        is_declared: The split of the plan itself.
    """

    control: float
    total: int | None
    days: int | None
    at_hand: float | None
    is_declared: bool = False


@dataclass(frozen=True, slots=True)
class ExperimentPlan:
    """A plan.

    Attributes:
        experiment: With what was given instead put in.
        is_declared: It stands in a file; otherwise it was made of options.
        taking_part: Share of the units that layer, traffic and universal holdout leave, of those who can be reached.
        units: That could take part today.
        per_day: New ones a day, before `taking_part`, averaged over what is on record.
        tests: Comparisons between which the error rate is shared.
        inflation: Factor on the size for looking early.
        metrics: Primary ones first.
        run: Days until the effect can be found; None without an effect or baseline.
        at_end: What the planned size, or the planned end, finds.
        curve: Effects at sizes around those that matter, of the first metric.
        declared_arms: That its file has; None when it has none.
        told: People exposed to this experiment by now, in all arms; what was measured may be of them.
    """

    experiment: Experiment
    is_declared: bool
    as_of: datetime
    basis: Basis
    taking_part: float
    units: int
    per_day: float
    tests: int
    inflation: float
    window_days: float
    verdict: Verdict
    metrics: tuple[PlannedMetric, ...]
    run: RunTime | None
    at_end: Effect | None
    splits: tuple[Split, ...]
    curve: tuple[Effect, ...]
    declared_arms: int | None = None
    told: int = 0

    @property
    def first(self) -> PlannedMetric:
        """The metric that the plan is made for."""
        return self.metrics[0]

    @property
    def clusters(self) -> Clusters | None:
        """Of units that are several profiles."""
        return self.basis.clusters
