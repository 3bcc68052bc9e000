"""A plan of an experiment in sentences, German or English."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.cli.experiment_plan_texts import DE, EN, UNITS_DE
from segctl.cli.report_numbers import LIFT, Numbers, Shape, significant

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.experiment.plan_result import ExperimentPlan
    from segctl.stats.power import Figure
    from segctl.stats.sizing import Effect

_FEW = 10
"""Conversions, or tens of units, below which a baseline is rough."""
_WORTH_SAYING = 0.03
"""A covariate that saves less is not worth a sentence."""


class PlanWords:
    """The sentences of one plan."""

    def __init__(self, plan: ExperimentPlan, language: Language, local: Callable[[datetime], datetime]) -> None:
        self.plan = plan
        self.language: Language = language
        self._words = DE if language == "de" else EN
        self._n = Numbers(language)
        self._local = local
        unit = "profiles" if plan.experiment.same is None else "households"
        metric = plan.first.metric
        self._names = {
            "metric": f"`{metric.name}`",
            "units": self._words[unit],
            "units_n": self._words.get(f"{unit}_n", self._words[unit]),
            "there": self._n.count(plan.units),
            "daily": self._n.decimal(plan.per_day * plan.taking_part, 0 if plan.per_day >= 10 else 1),
            "before": self._value(plan.first.figure),
            "effect": "" if plan.experiment.effect is None else self._lift(float(plan.experiment.effect)),
            "power": self._n.share(float(plan.experiment.power), 0),
            "alpha": self._n.share(float(1 - plan.experiment.confidence)),
            "first": self._n.day(local(plan.basis.first)),
            "last": self._n.day(local(plan.basis.last)),
            "segment": plan.experiment.segment,
        }

    def heading(self, key: str) -> str:
        """Title of a table."""
        return self._say(key)

    def lines(self) -> list[str]:
        """What matters: what is needed, and whether it can be had."""
        found = [self._needed(), self._verdict(), self._at_end()]
        return [f"{line}." for line in found if line]

    def notes(self) -> list[str]:
        """Where the numbers come from."""
        found = [
            self._arms(),
            self._baseline(),
            self._say("told", told=self._n.count(self.plan.told)) if self.plan.told and self.plan.first.units else "",
            self._say("behind") if self.plan.basis.is_behind else "",
            self._rough(),
            self._taking_part(),
            self._arrivals(),
            self._comparisons(),
            self._looks(),
            *self._covariates(),
            self._clusters(),
            self._control(),
            self._times(),
            self._formula(),
            self._reach(),
        ]
        return [line for line in found if line]

    # --- What matters -------------------------------------------------------------------------------------
    def _needed(self) -> str:
        head, effect = self.plan.first, self.plan.experiment.effect
        if head.size is None or head.figure is None or effect is None:
            return ""
        if head.size.total is None:
            return self._say("impossible")
        after = head.figure.baseline * (1 + float(effect))
        return self._say("effect", after=self._value(head.figure, after), needed=self._n.count(head.size.total))

    def _verdict(self) -> str:
        plan, run = self.plan, self.plan.run
        found = plan.first.at_hand
        told = {
            "found": self._found(found),
            "enrol": self._n.count(run.enrol) if run is not None else "",
            "total": self._n.count(run.total) if run is not None else "",
        }
        if plan.verdict == "open":
            return self._say("open" if found is not None and found.absolute is not None else "open_nothing", **told)
        if plan.verdict == "hopeless":
            rest = "" if run is None else self._say("never" if run.total is None else "longer", **told)
            is_known = found is not None and found.absolute is not None
            return (self._say("hopeless", **told) if is_known else self._say("open_nothing")) + rest
        if plan.verdict == "too_late" and plan.at_end is not None and plan.experiment.end is not None:
            told["end"] = self._n.day(self._local(plan.experiment.end))
            told["reached"] = self._n.count(plan.at_end.total)
            told["found"] = self._found(plan.at_end)
        return self._say(plan.verdict, **told)

    def _at_end(self) -> str:
        plan = self.plan
        if plan.at_end is None or plan.experiment.size is None:
            return ""
        key = "size" if plan.at_end.absolute is not None else "size_nothing"
        return self._say(key, size=self._n.count(plan.experiment.size), found=self._found(plan.at_end))

    # --- Where it comes from ------------------------------------------------------------------------------
    def _baseline(self) -> str:
        head = self.plan.first
        if head.figure is None:
            return ""
        if not head.units:
            return self._say("given")
        window = self.plan.experiment.window
        word = UNITS_DE[window.unit] if self.language == "de" else window.unit
        return self._say("measured", then=self._n.count(head.units), window=f"{window.amount} {word}")

    def _arms(self) -> str:
        """Options may make another experiment of a declared one."""
        arms, declared = len(self.plan.experiment.arms), self.plan.declared_arms
        return "" if declared in (None, arms) else self._say("arms_differ", arms=str(arms), declared=str(declared))

    def _times(self) -> str:
        found = [
            one.metric.name for one in self.plan.metrics if one.metric.kind == "time" and one.metric.role != "primary"
        ]
        return self._say("times", metrics=", ".join(f"`{name}`" for name in found)) if found else ""

    def _rough(self) -> str:
        head = self.plan.first
        converted = (
            head.units * head.figure.baseline if head.metric.kind == "conversion" and head.figure else head.units
        )
        return self._say("rough") if head.units and min(head.units / 10, converted) < _FEW else ""

    def _taking_part(self) -> str:
        share = self.plan.taking_part
        if share == 1:
            return ""
        return self._say("taking", share=self._n.share(share), all=self._n.count(self.plan.basis.units))

    def _reach(self) -> str:
        basis = self.plan.basis
        if basis.reach is not None:
            return self._say("reach", share=self._n.share(basis.reach))
        return self._say("eligible") if basis.arrivals_from != "given" else ""

    def _arrivals(self) -> str:
        origin = self.plan.basis.arrivals_from
        return "" if origin == "nothing" else self._say(f"arrivals_{origin}")

    def _comparisons(self) -> str:
        tests, alpha = self.plan.tests, float(1 - self.plan.experiment.confidence)
        return "" if tests == 1 else self._say("tests", tests=str(tests), each=self._n.share(alpha / tests, 2))

    def _looks(self) -> str:
        looks = self.plan.experiment.looks
        if looks == "end":
            return ""
        factor = self._n.decimal(self.plan.inflation, 2)
        return self._say(f"looks_{looks}", looks=str(len(self.plan.experiment.look_shares)), factor=factor)

    def _covariates(self) -> list[str]:
        found = []
        for one in self.plan.metrics:
            if one.saving is None or (not one.is_adjusted and one.saving < _WORTH_SAYING):
                continue
            before = one.metric.before
            word = (
                ""
                if before is None
                else UNITS_DE[before.unit].removesuffix("n")
                if self.language == "de"
                else before.unit
            )
            length = "" if before is None else f"{before.amount} {word}"
            told = {"metric": f"`{one.metric.name}`", "saving": self._n.share(one.saving), "before": length}
            found.append(self._say("saves" if one.is_adjusted else "would", **told))
        return found

    def _clusters(self) -> str:
        found = self.plan.clusters
        if found is None or found.icc is None or found.design_effect is None:
            return ""
        return self._say(
            "clusters", size=self._n.decimal(found.mean_size, 1), same=str(self.plan.experiment.same),
            icc=self._n.decimal(found.icc, 2), effect=self._n.decimal(found.design_effect, 2),
        )  # fmt: skip

    def _control(self) -> str:
        weights = [float(arm.weight) for arm in self.plan.experiment.arms]
        share = weights[0] / sum(weights)
        if len(weights) != 2 or abs(share - 0.5) < 0.1:
            return ""
        from segctl.stats.factors import split_penalty

        return self._say("control", share=self._n.share(share, 0), factor=self._n.decimal(split_penalty(share), 1))

    def _formula(self) -> str:
        from segctl.stats.sizing import formula_of

        head = self.plan.first
        if head.figure is None:
            return ""
        key = "delta" if head.metric.kind == "ratio" else formula_of(head.figure)
        return self._say("formula", formula=self._say(key))

    # --- Pieces -------------------------------------------------------------------------------------------
    def _say(self, key: str, **values: str) -> str:
        text = self._words[key]
        return text.format(**(self._names | values)) if "{" in text else text

    def baseline(self, figure: Figure | None, unit: str | None) -> str | None:
        """What a metric is now: a rate in percent, a mean with its unit; None where nothing is known."""
        return None if figure is None else self._told(figure, figure.baseline, unit or "")

    def _value(self, figure: Figure | None, value: float | None = None) -> str:
        """A rate in percent, a mean with its unit."""
        if figure is None:
            return ""
        return self._told(figure, figure.baseline if value is None else value, self._unit)

    def _told(self, figure: Figure, known: float, unit: str) -> str:
        if not known:
            return "0 %" if not hasattr(figure, "sd") else self._n.shaped(0.0, Shape(1.0, unit), 0)
        if not hasattr(figure, "sd"):
            return self._n.shaped(known, Shape(100.0, "%"), max(1, significant(known * 100, 3)))
        return self._n.shaped(known, Shape(1.0, unit), max(0, significant(known, 4)))

    def _found(self, effect: Effect | None) -> str:
        """An effect as a percentage; of a control of 0 there is none, so in the figure's own unit."""
        if effect is None or effect.absolute is None or effect.relative is not None:
            return self._lift(effect.relative if effect is not None else None)
        if not hasattr(self.plan.first.figure, "sd"):
            return self._n.shaped(effect.absolute, Shape(100.0, self._say("points"), sign=True), 1)
        return self._n.shaped(effect.absolute, Shape(1.0, self._unit, sign=True), significant(effect.absolute, 2))

    @property
    def _unit(self) -> str:
        return self.plan.first.metric.unit or ""

    def _lift(self, relative: float | None) -> str:
        return self._n.shaped(relative, LIFT, 0 if relative is None or abs(relative) >= 0.1 else 1)
