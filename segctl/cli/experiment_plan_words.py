"""A plan of an experiment in sentences, German or English."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from segctl.cli.report_numbers import LIFT, Numbers, Shape, significant

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.experiment_plan_result import ExperimentPlan
    from segctl.stats.power import Figure

_EN = {
    "effect": "To find {effect} in {metric} ({before} → {after}) with {power} power, {needed} {units} are needed",
    "impossible": "{effect} in {metric} ({before}) cannot be found with any number of {units}",
    "enough_now": "The {there} there are now are enough: a decision after {total} days",
    "enough_later": "There are {there} now and about {daily} come a day: enough after {enrol} days, a decision after "
    "{total} days",
    "too_late": "There are {there} now and about {daily} come a day: a decision after {total} days, which is after the "
    "planned end on {end}; by then {reached} {units} find {found} at best",
    "hopeless": "This is hopeless: with {there} {units} the smallest effect you can find is {found}",
    "longer": ", and enough would have come after {total} days only",
    "never": ", and too few come",
    "open": "With the {there} {units} there are now the smallest effect you can find is {found}",
    "open_nothing": "With the {there} {units} there are now no effect can be found",
    "nobody": "Nobody could take part now, and nobody is on record who comes; `--members` says how many there will be",
    "no_baseline": "Nothing is known of {metric}: nobody was a member on {first}; `--baseline 3%` says what it is now",
    "size": "The planned size of {size} {units} finds {found} at best",
    "size_nothing": "The planned size of {size} {units} finds no effect",
    "measured": "{metric} was {before} among the {then} {units} who were members on {first}, in the {window} after it",
    "given": "{metric} was given as {before}",
    "taking": "Reach, layer, traffic and universal holdout leave {share} of {all} {units}: {there}",
    "reach": "A push would reach {share} of the members: identifier, consent and suppression keep the others out",
    "arrivals_runs": "About {daily} {units} come a day, by the runs on record",
    "arrivals_window": "About {daily} {units} come a day: so many are members now and were none a window ago",
    "arrivals_given": "About {daily} {units} come a day, as given",
    "tests": "{tests} comparisons share the error rate of {alpha}: each is judged at {each} (Bonferroni)",
    "looks_planned": "{looks} planned looks need {factor} times the units of one at the end (Lan-DeMets, "
    "O'Brien-Fleming)",
    "looks_always": "Looking at any time needs {factor} times the units of one look at the end (always valid)",
    "saves": "The {before} before explain {saving} of the differences in {metric}: so many fewer {units} do (CUPED)",
    "would": "`before: 90 days` at {metric} would save {saving} of the {units} (CUPED)",
    "clusters": "A unit is {size} profiles by `{same}`; they are alike by {icc}, so that units need {effect} times the "
    "profiles that profiles alone would",
    "control": "A control of {share} needs {factor} times the units of one of 50 %",
    "formula": "Formula: {formula}; two-sided, error rate {alpha}, power {power}",
    "fleiss": "two rates by Fleiss, Levin, Paik 2003",
    "noncentral_t": "two means by Student's t (noncentral)",
    "delta": "ratio of sums by the delta method, then two means by Student's t (noncentral)",
    "metrics": "metrics",
    "arms": "arms",
    "splits": "other shares of the control",
    "curve": "what more units find: {metric}",
    "profiles": "profiles",
    "households": "units",
    "eligible": "Who cannot be reached is still in these numbers: `segctl show {segment} --waterfall` counts them",
}
_DE = {
    "effect": "Um bei {metric} {effect} zu finden ({before} → {after}), mit {power} Power, braucht es {needed} {units}",
    "impossible": "{effect} bei {metric} ({before}) lässt sich mit keiner Zahl von {units_n} finden",
    "enough_now": "Die {there}, die es jetzt gibt, reichen: Entscheidung nach {total} Tagen",
    "enough_later": "Jetzt gibt es {there}, und am Tag kommen etwa {daily}: genug nach {enrol} Tagen, Entscheidung "
    "nach {total} Tagen",
    "too_late": "Jetzt gibt es {there}, und am Tag kommen etwa {daily}: Entscheidung nach {total} Tagen, also nach dem "
    "geplanten Ende am {end}; bis dahin finden {reached} {units} bestenfalls {found}",
    "hopeless": "Das ist aussichtslos: Mit {there} {units_n} ist der kleinste Effekt, den man finden kann, {found}",
    "longer": "; genug wären erst nach {total} Tagen da",
    "never": "; und es kommen zu wenige dazu",
    "open": "Mit den {there} {units_n}, die es jetzt gibt, ist der kleinste Effekt, den man finden kann, {found}",
    "open_nothing": "Mit den {there} {units_n}, die es jetzt gibt, lässt sich kein Effekt finden",
    "nobody": "Jetzt könnte niemand teilnehmen, und niemand ist verzeichnet, der dazukommt; `--members` sagt, wie "
    "viele es sein werden",
    "no_baseline": "Über {metric} ist nichts bekannt: Niemand war am {first} Mitglied; `--baseline 3%` sagt, was "
    "jetzt gilt",
    "size": "Die geplante Größe von {size} {units_n} findet bestenfalls {found}",
    "size_nothing": "Die geplante Größe von {size} {units_n} findet keinen Effekt",
    "measured": "{metric} lag bei {before} unter den {then} {units_n}, die am {first} Mitglied waren, in den {window} "
    "danach",
    "given": "{metric} ist mit {before} angegeben",
    "taking": "Erreichbarkeit, Ebene, Anteil und allgemeine Kontrollgruppe lassen {share} von {all} {units_n} übrig: "
    "{there}",
    "reach": "Ein Versand würde {share} der Mitglieder erreichen: Adresse, Einwilligung und Sperren halten die anderen "
    "heraus",
    "arrivals_runs": "Am Tag kommen etwa {daily} {units}, nach den verzeichneten Läufen",
    "arrivals_window": "Am Tag kommen etwa {daily} {units}: so viele sind jetzt Mitglied und waren es vor einem "
    "Fenster nicht",
    "arrivals_given": "Am Tag kommen etwa {daily} {units}, wie angegeben",
    "tests": "{tests} Vergleiche teilen sich die Irrtumswahrscheinlichkeit von {alpha}: jeder gilt bei {each} "
    "(Bonferroni)",
    "looks_planned": "{looks} geplante Blicke brauchen {factor}-mal so viele {units} wie einer am Ende (Lan-DeMets, "
    "O'Brien-Fleming)",
    "looks_always": "Jederzeit hinsehen braucht {factor}-mal so viele {units} wie ein Blick am Ende (jederzeit gültig)",
    "saves": "Die {before} davor erklären {saving} der Unterschiede bei {metric}; um so viel weniger {units} reichen "
    "(CUPED)",
    "would": "`before: 90 days` bei {metric} würde {saving} der {units} sparen (CUPED)",
    "clusters": "Eine Einheit sind {size} Profile nach `{same}`; sie gleichen sich zu {icc}, Einheiten brauchen daher "
    "{effect}-mal so viele Profile wie Profile allein",
    "control": "Eine Kontrollgruppe von {share} braucht {factor}-mal so viele {units} wie eine von 50 %",
    "formula": "Formel: {formula}; zweiseitig, Irrtumswahrscheinlichkeit {alpha}, Power {power}",
    "fleiss": "zwei Anteile nach Fleiss, Levin, Paik 2003",
    "noncentral_t": "zwei Mittelwerte mit Students t (nichtzentral)",
    "delta": "Verhältnis von Summen mit der Delta-Methode, dann zwei Mittelwerte mit Students t (nichtzentral)",
    "metrics": "Kennzahlen",
    "arms": "Arme",
    "splits": "andere Anteile der Kontrollgruppe",
    "curve": "was mehr Einheiten finden: {metric}",
    "profiles": "Profile",
    "households": "Einheiten",
    "profiles_n": "Profilen",
    "households_n": "Einheiten",
    "eligible": "Wer nicht erreichbar ist, steckt noch in diesen Zahlen: `segctl show {segment} --waterfall` zählt sie",
}
_UNITS_DE = {
    "seconds": "Sekunden", "minutes": "Minuten", "hours": "Stunden", "days": "Tagen", "weeks": "Wochen",
    "months": "Monaten", "years": "Jahren",
}  # fmt: skip
_WORTH_SAYING = 0.03
"""A covariate that saves less is not worth a sentence."""


class PlanWords:
    """The sentences of one plan."""

    def __init__(self, plan: ExperimentPlan, language: Language, local: Callable[[datetime], datetime]) -> None:
        self.plan = plan
        self.language: Language = language
        self._words = _DE if language == "de" else _EN
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
            self._baseline(), self._taking_part(), self._arrivals(), self._comparisons(), self._looks(),
            *self._covariates(), self._clusters(), self._control(), self._formula(),
            self._reach(),
        ]  # fmt: skip
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
            "found": self._lift(found.relative if found is not None else None),
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
            told["found"] = self._lift(plan.at_end.relative)
        return self._say(plan.verdict, **told)

    def _at_end(self) -> str:
        plan = self.plan
        if plan.at_end is None or plan.experiment.size is None:
            return ""
        key = "size" if plan.at_end.absolute is not None else "size_nothing"
        return self._say(key, size=self._n.count(plan.experiment.size), found=self._lift(plan.at_end.relative))

    # --- Where it comes from ------------------------------------------------------------------------------
    def _baseline(self) -> str:
        head = self.plan.first
        if head.figure is None:
            return ""
        if not head.units:
            return self._say("given")
        window = self.plan.experiment.window
        word = _UNITS_DE[window.unit] if self.language == "de" else window.unit
        return self._say("measured", then=self._n.count(head.units), window=f"{window.amount} {word}")

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
                else _UNITS_DE[before.unit].removesuffix("n")
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

    def _value(self, figure: Figure | None, value: float | None = None) -> str:
        """A rate in percent, a mean with its unit."""
        if figure is None:
            return ""
        known = figure.baseline if value is None else value
        if not hasattr(figure, "sd"):
            return self._n.shaped(known, Shape(100.0, "%"), max(1, significant(known * 100, 3)))
        return self._n.shaped(known, Shape(1.0, self.plan.first.metric.unit or ""), max(0, significant(known, 4)))

    def _lift(self, relative: float | None) -> str:
        return self._n.shaped(relative, LIFT, 0 if relative is None or abs(relative) >= 0.1 else 1)
