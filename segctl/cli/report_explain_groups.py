"""`--explain` of what stands beside the main figures: sub-segments, weeks, weights for the next send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segctl.cli.report_speech import AbSpeech
    from segctl.operations.ab.parts import Group, Grouping

Number = tuple[str, str, str, Mapping[str, str], tuple[str, ...]]
"""Name, value in words, key of the formula, what goes in, and the kinds of events that were read."""


def numbers(speech: AbSpeech) -> Iterator[Number]:
    """Everything that the report says of parts of the people or of the time."""
    for grouping in speech.report.groups:
        yield from _grouping(speech, grouping)
    yield from _weeks(speech)
    yield from _weights(speech)
    yield from _extra(speech)


def _grouping(speech: AbSpeech, grouping: Grouping) -> Iterator[Number]:
    metric, n = speech.report.metric(grouping.metric), speech.n
    shape = speech.differences(metric)
    for one in grouping.groups:
        name = f"groups.{grouping.by}.{one.arm}.{one.group}"
        given = _sides(speech, one)
        compared = one.compared
        told = speech.known(compared.difference, shape)
        yield f"{name}.difference", told, compared.difference.method, given, metric.events
        yield f"{name}.lift", speech.lift(compared.lift), compared.lift.method, given, metric.events
        yield f"{name}.p", n.p(compared.p), compared.test, given, metric.events
        family = {"p": n.p(compared.p), "m": n.count(len(grouping.groups))}
        yield f"{name}.p_adjusted", n.p(one.p_adjusted), "bh", family, metric.events
    for arm, p in grouping.differs.items():
        inputs = {
            str(one.group): n.interval(one.compared.difference, shape) for one in grouping.groups if one.arm == arm
        }
        yield f"groups.{grouping.by}.{arm}.differs", n.p(p), "cochran_q", inputs, metric.events
    for arm, stratified in grouping.stratified.items():
        inputs = {str(one.group): n.count(one.n_control + one.n_arm) for one in grouping.groups if one.arm == arm}
        told = speech.known(stratified.difference, shape)
        yield f"groups.{grouping.by}.{arm}.stratified", told, "post_stratified", inputs, metric.events


def _sides(speech: AbSpeech, one: Group) -> dict[str, str]:
    given = {"nc": one.n_control, "mc": one.compared.control, "nt": one.n_arm, "mt": one.compared.treatment}
    return {key: speech.n.plain(value) for key, value in given.items() if value is not None}


def _weeks(speech: AbSpeech) -> Iterator[Number]:
    trend = speech.report.trend
    if trend is None:
        return
    metric = speech.report.metric(trend.metric)
    shape = speech.differences(metric)
    for arm, p in trend.p.items():
        told = {str(one.week): speech.n.interval(one.difference, shape) for one in trend.points if one.arm == arm}
        yield f"weeks.{arm}.p", speech.n.p(p), "trend", told, metric.events


def _weights(speech: AbSpeech) -> Iterator[Number]:
    found = speech.report.allocation
    if found is None:
        return
    for arm, weight in found.weights.items():
        inputs = {"P": speech.chance(found.best.get(arm)), "e": speech.n.share(found.explore, 0)}
        yield f"next.weight.{arm}", speech.n.share(weight), "thompson", inputs, ()


def _extra(speech: AbSpeech) -> Iterator[Number]:
    first = speech.report.headline
    if first.extra is None or first.metric is None:
        return
    units = next((arm.analysed for arm in speech.report.arms if arm.name == first.arm), None)
    events = speech.report.metric(first.metric).events
    yield "headline.extra", speech.n.interval(first.extra), "extra", {"nt": speech.n.count(units)}, events
