"""Planning an experiment: how many units, the smallest effect they can find, and how one buys the other."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, inf

from segctl.model.dataclass import dataclass
from segctl.stats.always_valid import critical, tuning
from segctl.stats.power import Figure, Mean, mde_of, size_of
from segctl.stats.sequential import Spending, cost_of_looks
from segctl.stats.special import normal_quantile
from segctl.stats.values import Why


@dataclass(frozen=True, slots=True)
class Design:
    """What is planned: who is compared, how strictly, and what else changes the size.

    Attributes:
        weights: Of the arms, the control first; relative to each other.
        alpha: Two-sided, for all comparisons together.
        power: To find the effect in each arm.
        comparisons: Between which α is shared (Bonferroni); None for arms − 1.
        variance: Factor on the variance: 1 − ρ² of a covariate × design effect of clusters.
        inflation: Factor on the size for looking early: `inflation_planned` or `inflation_always`.
    """

    weights: tuple[float, ...]
    alpha: float = 0.05
    power: float = 0.8
    comparisons: int | None = None
    variance: float = 1.0
    inflation: float = 1.0

    @property
    def tests(self) -> int:
        """Comparisons between which α is shared."""
        return self.comparisons or max(len(self.weights) - 1, 1)

    @property
    def each(self) -> float:
        """The α of one comparison."""
        return self.alpha / self.tests

    @property
    def share(self) -> float:
        """The control's share of all units."""
        return self.weights[0] / sum(self.weights)

    @property
    def kappas(self) -> tuple[float, ...]:
        """Units of each other arm for one of control."""
        return tuple(weight / self.weights[0] for weight in self.weights[1:])

    @property
    def factor(self) -> float:
        """By what a simple comparison's size is multiplied."""
        return self.variance * self.inflation


@dataclass(frozen=True, slots=True)
class Size:
    """Units that are needed.

    Attributes:
        total: In all arms together; None when no number would do, with `why`.
        arms: By arm, in the order of the design, rounded up.
        formula: ``fleiss`` for rates, ``noncentral_t`` for means and ratios.
    """

    total: int | None
    arms: tuple[int, ...]
    formula: str
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """An effect that can be found.

    Attributes:
        total: Units in all arms together.
        absolute: In the figure's unit (a rate 0–1); None when none is possible, with `why`.
        relative: In terms of the control; None also when the control is 0 or below.
    """

    total: float
    absolute: float | None
    relative: float | None
    why: Why | None = None


def formula_of(figure: Figure) -> str:
    """Name of the formula that a figure is planned by."""
    return "noncentral_t" if isinstance(figure, Mean) else "fleiss"


def needed(figure: Figure, design: Design, *, relative: float | None = None, absolute: float | None = None) -> Size:
    """Units that find an effect in every arm with the design's power.

    Args:
        figure: What is measured.
        design: Arms, α, power.
        relative: The effect in terms of the control, such as 0.1 for +10 %; or
        absolute: in the figure's unit.
    """
    difference = absolute if absolute is not None else (relative or 0.0) * figure.baseline
    controls = [
        size_of(figure, difference, kappa=kappa, alpha=design.each, power=design.power) for kappa in design.kappas
    ]
    control = max(controls, default=inf) * design.factor
    if control == inf:
        return Size(None, (), formula_of(figure), Why.OUT_OF_REACH)
    arms = tuple(ceil(round(control * weight / design.weights[0], 6)) for weight in design.weights)
    return Size(sum(arms), arms, formula_of(figure))


def findable(figure: Figure, design: Design, total: float, *, down: bool = False) -> Effect:
    """The smallest effect that this many units find in every arm with the design's power (MDE).

    Args:
        figure: What is measured.
        design: Arms, α, power.
        total: Units in all arms together.
        down: A decrease.
    """
    n = total * design.share / design.factor
    found = [
        mde_of(figure, n=n, kappa=kappa, alpha=design.each, power=design.power, down=down) for kappa in design.kappas
    ]
    known = [value for value in found if value is not None]
    if not known or len(known) < len(found):
        return Effect(total, None, None, Why.OUT_OF_REACH)
    absolute = max(known, key=abs)
    return Effect(total, absolute, absolute / figure.baseline if figure.baseline > 0 else None)


def curve(figure: Figure, design: Design, totals: Iterable[float], *, down: bool = False) -> tuple[Effect, ...]:
    """`findable` at several sizes: what more units buy."""
    return tuple(findable(figure, design, total, down=down) for total in totals)


def sizes_around(total: float, *, points: int = 13, span: float = 8.0) -> tuple[int, ...]:
    """Sizes for a curve: from a part of `total` to a multiple of it, each as many times the one before."""
    steps = [span ** (2 * at / (points - 1) - 1) for at in range(points)]
    return tuple(sorted({max(2, round(total * step)) for step in steps}))


# --- What looking early costs -----------------------------------------------------------------------------
def inflation_planned(
    looks: tuple[float, ...], *, alpha: float, power: float, spending: Spending = "obrien_fleming"
) -> float:
    """Factor on the size for planned looks at these shares of the whole, so that the power stays."""
    return cost_of_looks(looks, alpha=alpha, beta=1 - power, spending=spending).inflation


def inflation_always(*, alpha: float, power: float) -> float:
    """Factor on the size for looking on any day, so that the last look alone has the power.

    Earlier looks add a little power that is not counted.
    """
    reached, needed_z = normal_quantile(power), normal_quantile(1 - alpha / 2)
    edge = critical(1.0, rho=tuning(1.0, alpha=alpha), alpha=alpha)
    return float(((edge + reached) / (needed_z + reached)) ** 2)
