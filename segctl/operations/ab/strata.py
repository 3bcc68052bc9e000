"""Strata: parts of the units within which alone arms may be compared, when their split differs from part to part.

The strata are those that the experiment is dealt in, and the times in which other weights were in force: who came while
many were sent the mail may be unlike those who came later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.operations.ab.samples import Key, Sample, sample_of, samples

if TYPE_CHECKING:
    from decimal import Decimal

    import polars as pl

    from segctl.model.experiments import Metric
    from segctl.operations.ab.trial import Trial
    from segctl.state.experiments import Epoch

DIFFERS = 0.001
"""P of arm by stratum under which the split differs."""


@dataclass(frozen=True, slots=True)
class Stratification:
    """How the arms lie in the strata.

    Attributes:
        samples: Metric → (arm, stratum) → its figures.
        differs_p: Of equal shares of the arms in all strata; None with one stratum.
        is_ramped: The weights changed on the way.
        blocks: Stratum of each unit, as column ``block`` beside the figures.
        reversed: Arms whose plain effect on the first primary metric has another sign than in every stratum.
    """

    samples: Mapping[str, Mapping[Key, Sample]]
    blocks: pl.Series
    differs_p: float | None
    is_ramped: bool
    reversed: tuple[str, ...]

    @property
    def decides(self) -> bool:
        """The plain comparison mixes unlike people, so that the stratified one counts."""
        return bool(self.reversed) or self.is_ramped or (self.differs_p is not None and self.differs_p < DIFFERS)


def stratification(of: Trial) -> Stratification | None:
    """The strata of the analysed units; None where there is one alone."""
    import polars as pl

    from segctl.operations.ab.compare import part_of
    from segctl.stats.srm import homogeneity_p
    from segctl.stats.strata import Stratum, over_strata
    from segctl.stats.values import Flag

    epochs = of.record.epochs if of.record is not None else ()
    is_ramped = len({_shares(one) for one in epochs}) > 1
    if not is_ramped and of.frame["stratum"].n_unique() < 2:
        return None
    parts = [pl.col("stratum").fill_null("")]
    parts += [pl.col("epoch").cast(pl.String)] if is_ramped else []
    frame = of.frame.with_columns(block=pl.concat_str(parts, separator=" / "))
    if frame["block"].n_unique() < 2:
        return None
    made = samples(frame, of.experiment.metrics, ["arm", "block"])
    main = made[of.primary.name]
    blocks = sorted({str(block) for _, block in main})
    table = [[main[arm, one].moments.n if (arm, one) in main else 0 for arm in of.arms] for one in blocks]
    turned = []
    for arm in of.others:
        strata = [Stratum(name, part_of(of.primary, one), part_of(of.primary, other))
                  for name, one, other in sides(main, of.primary, of.experiment.control, arm)]  # fmt: skip
        if Flag.SIMPSON_REVERSAL in over_strata(strata).flags:
            turned.append(arm)
    return Stratification(made, frame["block"], homogeneity_p(table), is_ramped, tuple(turned))


def _shares(epoch: Epoch) -> frozenset[tuple[str, Decimal]]:
    """1 : 1 and 50 : 50 are the same."""
    total = sum(epoch.weights.values())
    return frozenset((arm, weight / total) for arm, weight in epoch.weights.items() if weight)


def sides(made: Mapping[Key, Sample], metric: Metric, control: str, arm: str) -> tuple[tuple[str, Sample, Sample], ...]:
    """Control and arm of every stratum; those with fewer than two units on a side have no variance and are left out."""
    found = []
    for block in sorted({str(one) for _, one in made}):
        inside: dict[Key, Sample] = {(name,): sample for (name, of_block), sample in made.items() if of_block == block}
        one, other = sample_of(inside, metric, control), sample_of(inside, metric, arm)
        if min(one.moments.n, other.moments.n) > 1:
            found.append((block, one, other))
    return tuple(found)


def within(
    of: Trial, metric: Metric, frame: pl.DataFrame, by: str
) -> Callable[[str, Any], tuple[tuple[str, Sample, Sample], ...]]:
    """For an arm and a value of the column `by`: control and arm of every stratum; nothing unless strata decide.

    Args:
        of: The experiment.
        metric: What is compared.
        frame: Figures, with the columns `by` and ``block``.
        by: Column of the parts that are compared one by one.
    """
    if of.strata is None or not of.strata.decides:
        return lambda _arm, _part: ()
    parts: dict[Any, dict[Key, Sample]] = {}
    for (arm, part, block), sample in samples(frame, [metric], ["arm", by, "block"])[metric.name].items():
        parts.setdefault(part, {})[arm, block] = sample
    control, nobody = of.experiment.control, sample_of({}, metric, of.experiment.control)

    def inside(arm: str, part: str | None) -> tuple[tuple[str, Sample, Sample], ...]:
        known = parts.get(part, {})
        if len({block for one, block in known if one in (control, arm)}) < 2:
            return ()  # All of one stratum, such as where strata are the parts.
        # Sides that share no stratum are not compared, as in the whole.
        return sides(known, metric, control, arm) or (("", nobody, nobody),)

    return inside
