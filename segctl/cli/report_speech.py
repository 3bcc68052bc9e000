"""What all parts of a report on an experiment need to speak: words, numbers and names in one language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli import report_codes_de, report_codes_en, report_words_de, report_words_en
from segctl.cli.report_numbers import LIFT, NUMBER, PERCENT, Numbers, Shape, significant
from segctl.cli.small_counts import is_small
from segctl.cli.small_experiments import small_groups, small_values

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from segctl.model.project import Language
    from segctl.operations.ab.parts import ArmFacts, ArmValue, Grouping, MetricReport
    from segctl.operations.ab.result import AbReport
    from segctl.stats.values import Interval

_TABLES = {"de": (report_words_de, report_codes_de), "en": (report_words_en, report_codes_en)}


class Speech:
    """Words and numbers of one language.

    Attributes:
        least: Counts above 0 and below it are told as small, and nothing that is reckoned from them; 0 tells all.
    """

    def __init__(self, language: Language, *, least: int = 0) -> None:
        words, table = _TABLES[language]
        self.words: dict[str, str] = words.WORDS
        self.reasons: dict[str, str] = table.REASONS
        self.flags: dict[str, str] = table.FLAGS
        self.checks: dict[str, str] = table.CHECKS
        self.heads: dict[str, str] = table.HEADS
        self.language: Language = language
        self.n = Numbers(language)
        self.least = least

    def say(self, key: str, **values: str) -> str:
        """The text of a key with its places filled."""
        text = self.words[key]
        return text.format(**values) if values else text

    def why(self, code: object) -> str:
        """Why a number does not exist; a code without words as it is."""
        return self.reasons.get(str(code), str(code).replace("_", " "))

    def flag(self, code: object) -> str:
        """What a comparison warns of."""
        return self.flags.get(str(code), str(code).replace("_", " "))

    def count(self, value: int | None) -> str:
        """A count of people, small ones as ``<5``."""
        return self.say("small", k=str(self.least)) if self.is_small(value) else self.n.count(value)

    def is_small(self, *counts: int | None) -> bool:
        """Whether one of them could tell about somebody."""
        return is_small(self.least, *counts)

    def is_small_arm(self, one: ArmValue) -> bool:
        """Whether an arm's figures could tell about somebody: who did something, or who alone did not."""
        rest = None if one.events is None else one.n - one.events
        return self.is_small(one.n, one.events, rest)

    def chance(self, value: float | None) -> str:
        """A probability that never claims certainty; nothing when there is none."""
        if value is None:
            return ""
        if value > 0.999:
            return f">{self.n.share(0.999)}"
        return f"<{self.n.share(0.001)}" if value < 0.001 else self.n.share(value)

    def undefined(self, of: Interval | None) -> str:
        """Why an interval has no estimate, in brackets; nothing when it has."""
        return f"({self.why(of.why)})" if of is not None and of.estimate is None and of.why else ""

    def known(self, of: Interval, shape: Shape) -> str:
        """An interval as far as it exists, and why there is no more of it."""
        told = "" if of.estimate is None else self.n.interval(of, shape)
        reason = f"({self.why(of.why)})" if of.why is not None and not of.is_bounded else ""
        return " ".join(part for part in (told, reason) if part) or self.n.count(None)

    def lift(self, of: Interval | None) -> str:
        """A lift, or why there is none."""
        if of is not None and of.why is not None and of.unbounded is None and not of.is_bounded:
            return f"({self.why(of.why)})"
        return self.n.interval(of, LIFT)

    def name(self, kind: str, name: str) -> str:  # noqa: ARG002 - reports that know more names have their own
        """What a thing of a kind, such as ``arm``, is called."""
        return name

    def window(self, written: str) -> str:
        """A length such as ``14 days``; German as after `von`."""
        from typing import get_args

        from segctl.compile.words_times import length_words
        from segctl.model.times import Duration, Unit

        amount, _, unit = written.partition(" ")
        named = next((name for name in get_args(Unit) if unit in (name, name[:-1])), None)
        if not amount.isdigit() or named is None:
            return written
        return length_words(Duration(int(amount), named), self.language)


class NamedSpeech(Speech):
    """Words about arms, metrics and units that have names.

    Attributes:
        base: Name of the control; `control` is what it is called.
        people: What is compared, in the plural; `person` in the singular.
        small: What is hidden, as in `small_values`.
        hides_totals: Figures of an arm are hidden, so nothing that all arms are summed up in is told either.
    """

    def __init__(
        self, language: Language, *, least: int, unit: str, arms: Mapping[str, str], base: str,
        metrics: Iterable[MetricReport], standing: Iterable[ArmFacts] = (),
    ) -> None:  # fmt: skip
        super().__init__(language, least=least)
        self._arms, self.base = dict(arms), base
        self._metrics = {one.name: one for one in metrics}
        is_person = unit == "profile"
        self.people = self.words["people"] if is_person else self.say("units", unit=unit)
        self.person = self.words["person"] if is_person else self.say("one_unit", unit=unit)
        self.control = self.arm(base)
        self.small = small_values(self._metrics.values(), standing, least) if least else frozenset()
        known = ((metric.name, one) for metric in self._metrics.values() for one in metric.arms)
        self._few = [one for name, one in known if (name, one.arm) in self.small]
        self.hides_totals = any(self.is_small_arm(one) for metric in self._metrics.values() for one in metric.arms)

    def is_small_arm(self, one: ArmValue) -> bool:
        """Whether an arm's figures could tell about somebody, or give away some that do."""
        return super().is_small_arm(one) or one in self._few

    def name(self, kind: str, name: str) -> str:
        """Titles of arms and metrics."""
        return self.arm(name) if kind == "arm" else self.metric(name) if kind == "metric" else name

    def arm(self, name: str | None) -> str:
        """An arm's title, or its name."""
        known = self._arms.get(name or "", name or "")
        return self.words["control_arm"] if known == "control" else known

    def metric(self, name: str | None) -> str:
        """A metric's title, or its name."""
        found = self._metrics.get(name or "")
        return (found.title if found else None) or name or ""

    def per(self, per: int) -> str:
        """``per 10,000 people`` or ``per person``."""
        if per == 1:
            return self.say("each", person=self.person)
        return self.say("per", n=self.n.count(per), people=self.people)

    def unit(self, metric: MetricReport) -> str:
        """What the metric's values are in."""
        return self.words["days"] if metric.kind == "time" else metric.unit or ""

    def values(self, metric: MetricReport) -> Shape:
        """How its values are written."""
        if metric.kind == "conversion":
            return PERCENT
        unit = self.unit(metric)
        return Shape(unit=unit) if unit else NUMBER

    def differences(self, metric: MetricReport) -> Shape:
        """How its differences are written; those of rates in points, which are no percentages of anything."""
        if metric.kind == "conversion":
            return Shape(100.0, self.words["points"], sign=True)
        return Shape(unit=self.unit(metric), sign=True)

    def in_unit(self, metric: MetricReport) -> str:
        """Behind a heading: what the differences are in, as `` (points)``."""
        unit = self.differences(metric).unit
        return f" ({unit})" if unit else ""

    def beside(self, value: float | None, interval: Interval | None, shape: Shape) -> str:
        """A value with as many digits as an interval beside it allows."""
        if value is None:
            return self.n.count(None)
        known = interval is not None and (interval.low is not None or interval.high is not None)
        digits = (
            self.n.digits(interval, shape)
            if known and interval
            else significant(value * shape.factor, 3)
            if value
            else 0
        )
        return self.n.shaped(value, shape, digits)


class AbSpeech(NamedSpeech):
    """Words of a report on one experiment.

    Attributes:
        is_stratified: The figures that decide compare within strata; other ways to reckon the same do not.
    """

    def __init__(self, report: AbReport, language: Language, *, least: int = 0) -> None:
        arms = {one.name: one.title or one.name for one in report.arms}
        super().__init__(
            language, least=least, unit=report.unit, arms=arms, base=report.control, metrics=report.metrics,
            standing=report.arms,
        )  # fmt: skip
        self.report = report
        standing = (n for one in report.arms for n in (one.assigned, one.analysed, one.profiles))
        self.is_stratified = any("pooled" in effect.also for one in report.metrics for effect in one.effects)
        self.hides_totals = self.hides_totals or self.is_small(*standing)

    def hidden_groups(self, grouping: Grouping) -> frozenset[str | None]:
        """Groups with small counts, and others that would give these away; all where the whole arm is hidden."""
        if not self.least:
            return frozenset()
        metric = self.report.metric(grouping.metric)
        arms = {one.arm for one in grouping.groups}
        if all(self.is_small_arm(metric.arm(arm)) for arm in arms) or self.is_small_arm(metric.arm(self.base)):
            return frozenset(one.group for one in grouping.groups)
        return small_groups(metric, grouping, self.base, self.least)

    def hides_weeks(self) -> bool:
        """Whether a week's figures would tell about few: who did something in it, did not, or did in no other one."""
        found = self.report.trend
        if found is None or not self.least:
            return False
        metric = self.report.metric(found.metric)
        if any(self.is_small_arm(one) for one in metric.arms):
            return True
        weeks: dict[str, dict[int, int]] = {}
        for one in found.points:
            for arm, did, value in ((one.arm, one.events, one.value), (self.base, one.events_control, one.control)):
                if did is not None:
                    weeks.setdefault(arm, {})[one.week] = did
                elif value is not None and metric.kind == "conversion":
                    weeks.setdefault(arm, {})[one.week] = round(metric.arm(arm).n * value)
        return any(self._gives_few(metric.arm(arm), list(did.values())) for arm, did in weeks.items())

    def _gives_few(self, whole: ArmValue, weeks: Sequence[int]) -> bool:
        counts = [*weeks, *(whole.n - did for did in weeks)]
        if whole.events is not None:
            # Less than all by few: these did it in the other weeks alone; or, without one week, in that one alone.
            parts = (sum(weeks), *weeks, *(sum(weeks) - did for did in weeks))
            counts += [abs(whole.events - part) for part in parts]
        return self.is_small(*counts)
