"""What reports on experiments hide: their counts for the rule of `small_counts`, and what is left for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

from segctl.cli.small_counts import Ledger, Unit

if TYPE_CHECKING:
    from segctl.cli.report_speech import AbSpeech, NamedSpeech
    from segctl.operations.ab.parts import ArmFacts, ArmValue, Check, Grouping, MetricReport, Trend
    from segctl.operations.ab.result import AbReport

_RANKS = {"primary": 6.0, "secondary": 5.0, "guardrail": 4.0}
_STANDING = ("analysed", "young", "excluded", "unexposed", "beyond")
_NEXT = ("reached", "planned", "mde", "mde_points", "needed", "missing", "per_day", "days")


def small_values(metrics: Iterable[MetricReport], arms: Iterable[ArmFacts], least: int) -> frozenset[Unit]:
    """Figures that are hidden: (metric, arm) with all that is reckoned, ("events", metric, arm) the count alone."""
    to = Ledger(least)
    for arm in arms:
        to.told(("analysed", arm.name), arm.analysed, rank=9)
    metrics = tuple(metrics)
    for metric in metrics:
        for one in metric.arms:
            unit, rank = (metric.name, one.arm), _RANKS.get(metric.role, 4.0)
            n, events = ("n", *unit), ("events", *unit)
            to.told(n, one.n, unit=unit, rank=rank)
            to.sum(("analysed", one.arm), n)
            if one.events is not None:
                is_rate = metric.kind == "conversion"
                to.told(events, one.events, unit=unit if is_rate else events, rank=rank if is_rate else 1.0)
                to.sum(n, events)
    _alike(to, metrics, least)
    return to.hidden()


def _alike(to: Ledger, metrics: tuple[MetricReport, ...], least: int) -> None:
    """Two figures that differ by few: who has the one may be among those who have the other."""
    for one, other in combinations(metrics, 2):
        for arm in {value.arm for value in one.arms} & {value.arm for value in other.arms}:
            for key in ("n", "events"):
                names = [(key, metric.name, arm) for metric in (one, other)]
                counts = [to.people(name) for name in names]
                if None not in counts and 0 < abs((counts[0] or 0) - (counts[1] or 0)) < least:
                    to.sum(*sorted(names, key=lambda name: -(to.people(name) or 0)))


def small_groups(metric: MetricReport, grouping: Grouping, base: str, least: int) -> frozenset[str | None]:
    """Groups that are hidden in all arms, which share their control; those that are not shown are in the rest."""
    to = Ledger(least)
    sides = {(one.group, base): (one.n_control, one.events_control) for one in grouping.groups}
    sides |= {(one.group, one.arm): (one.n_arm, one.events_arm) for one in grouping.groups}
    arms = dict.fromkeys(arm for _, arm in sides)
    for arm in arms:
        whole = metric.arm(arm)
        _side(to, (arm,), (whole.n, whole.events), None)
    for (group, arm), counts in sides.items():
        _side(to, (arm, group), counts, ("group", group))
    for arm in arms:
        parts = [(arm, group) for group, of in sides if of == arm]
        for key in ("n", "events", "without"):
            to.sum((key, arm), *((key, *part) for part in parts))
    hidden = to.hidden()
    return frozenset(one.group for one in grouping.groups if ("group", one.group) in hidden)


def _side(to: Ledger, name: tuple[str | None, ...], counts: tuple[int, int | None], unit: Unit | None) -> None:
    rank = 0.0 if unit is not None else 9.0
    to.told(("n", *name), counts[0], unit=unit, rank=rank)
    if counts[1] is not None:
        to.told(("events", *name), counts[1], unit=unit, rank=rank)
        to.sum(("n", *name), ("events", *name), rest=("without", *name))


# --- For machines ---------------------------------------------------------------------------------------------
def told(speech: AbSpeech) -> AbReport:
    """The report without whatever it does not tell, for numbers one by one; all of it where nothing is small."""
    report = speech.report
    if not speech.least:
        return report
    gone = {one.name: {arm.arm for arm in one.arms if speech.is_small_arm(arm)} for one in report.metrics}
    head = report.headline
    if speech.hides_totals or (head.metric is not None and {head.arm, report.control} & gone.get(head.metric, set())):
        head = replace(head, control=None, value=None, difference=None, lift=None, extra=None, ruled_out=None, p=None)
    after = report.next
    if speech.hides_totals:
        after = replace(after, **{name: None for name in _NEXT if name != "reached"})  # type: ignore[arg-type]  # by name
    return replace(
        report,
        headline=head,
        next=after,
        metrics=tuple(told_metric(speech, one) for one in report.metrics),
        money=tuple(one for one in report.money if not {one.arm, report.control} & gone.get(one.metric, set())),
        groups=tuple(_groups(speech, one) for one in report.groups),
        trend=_weeks(speech),
        allocation=None if speech.hides_totals else report.allocation,
        checks=tuple(told_check(speech, one) for one in report.checks),
    )


def told_check(speech: NamedSpeech, check: Check) -> Check:
    """A check without figures where one of them is too small."""
    from segctl.cli.report_checks import hides

    return replace(check, figures={}, rows=()) if hides(speech, check) else check


def told_metric(speech: NamedSpeech, metric: MetricReport) -> MetricReport:
    """A metric without the arms that are hidden, and without what a single unit of the others has."""
    if not speech.least:
        return metric
    gone = {one.arm for one in metric.arms if speech.is_small_arm(one)}
    arms = tuple(
        replace(one, largest=None, largest_share=None,
                events=None if ("events", metric.name, one.arm) in speech.small else one.events)
        for one in metric.arms if one.arm not in gone
    )  # fmt: skip
    effects = tuple(one for one in metric.effects if not {one.arm, speech.base} & gone)
    return replace(metric, arms=arms, effects=effects, beliefs=() if gone else metric.beliefs)


def _groups(speech: AbSpeech, grouping: Grouping) -> Grouping:
    hidden = speech.hidden_groups(grouping)
    if not hidden:
        return grouping
    kept = tuple(one for one in grouping.groups if one.group not in hidden)
    return replace(grouping, groups=kept, differs={}, stratified={}, reversed=())


def _weeks(speech: AbSpeech) -> Trend | None:
    found = speech.report.trend
    if found is None or speech.hides_weeks():
        return None
    return replace(found, points=tuple(replace(one, events_control=None, events=None) for one in found.points))


def told_document(speech: AbSpeech, report: AbReport) -> dict[str, Any]:
    """The report as a document, as `told` leaves it; counts of arms that would give others away are None."""
    found = asdict(report)
    if not speech.least:
        return found
    to = Ledger(speech.least)
    for arm in report.arms:
        to.told((arm.name, "assigned"), arm.assigned, rank=8)
        for name in _STANDING:
            to.told((arm.name, name), getattr(arm, name), rank=9 if name == "analysed" else 1)
        to.sum((arm.name, "assigned"), *((arm.name, name) for name in _STANDING))
        for name in ("profiles", "messages"):
            to.told((arm.name, name), getattr(arm, name))
            pair = sorted(((arm.name, "analysed"), (arm.name, name)), key=lambda one: -(to.people(one) or 0))
            to.sum(*pair)
    hidden = to.hidden()
    few = {arm.arm for metric in speech.report.metrics for arm in metric.arms if speech.is_small(arm.n)}
    for arm in found["arms"]:
        for name in ("assigned", *_STANDING, "profiles", "messages"):
            if (arm["name"], name) in hidden or arm["name"] in few:
                arm[name] = None
    if speech.hides_totals:
        found["next"]["reached"] = None
    return found


def hidden_arm(metric: MetricReport, one: ArmValue, control: str, *, is_few: bool) -> Mapping[str, Any]:
    """The row of an arm whose figures are hidden."""
    return {
        "metric": metric.name, "role": metric.role, "kind": metric.kind, "arm": one.arm,
        "is_control": one.arm == control, "n": None if is_few else one.n, "unit": metric.unit, "why": "suppressed",
    }  # fmt: skip
