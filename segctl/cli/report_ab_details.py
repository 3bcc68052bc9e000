"""Details of a report on an experiment: other ways to reckon, sub-segments, weeks, probabilities, weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli.report_ab_tables import bare, is_small
from segctl.cli.report_document import Curve, Grid, Words
from segctl.cli.report_numbers import LIFT, Shape
from segctl.cli.svg_charts import Series

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segctl.cli.report_document import Block
    from segctl.cli.report_speech import AbSpeech
    from segctl.operations.ab.parts import Belief, Effect, Group, Grouping, MetricReport
    from segctl.operations.ab.result import Allocation
    from segctl.stats.values import Comparison, Interval


def also(speech: AbSpeech) -> tuple[Block, ...]:
    """The same questions by other tests: only metrics that have some, and arms that are large enough to be shown."""
    found: list[Block] = []
    for metric in speech.report.metrics:
        rows = [row for effect in metric.effects for row in _ways(speech, metric, effect)]
        if rows:
            words = speech.words
            heads = (
                words["arm"],
                words["way"],
                words["difference"] + speech.in_unit(metric),
                words["lift"],
                words["p_head"],
            )
            caption = speech.say("also_caption", metric=speech.metric(metric.name))
            found.append(Grid(caption, heads, tuple(rows), (2, 3, 4)))
            if metric.correction:
                found.append(Words((speech.words["also_note"],), soft=True))
            found += _pooled(speech)
        lowered = [e.variance_reduction for e in metric.effects if e.variance_reduction is not None]
        if lowered:
            share = speech.n.share(max(lowered))
            told = speech.say("variance_reduction", metric=speech.metric(metric.name), share=share)
            found.append(Words((told,), soft=True))
    return tuple(found)


def _ways(speech: AbSpeech, metric: MetricReport, effect: Effect) -> Iterator[tuple[str, ...]]:
    small = is_small(speech, metric.arm(effect.arm)) or is_small(speech, metric.arm(speech.base))
    if small or (not effect.also and effect.compliance is None):
        return
    shape = bare(speech.differences(metric))
    if metric.correction:
        difference, p = _known(speech, effect.told, shape), speech.n.p(effect.p_adjusted)
        yield speech.arm(effect.arm), speech.words["also.main"], difference, speech.lift(effect.told_lift), p
    ways: dict[str, Comparison] = {"single" if metric.correction else "main": effect.compared, **effect.also}
    for name, compared in ways.items():
        way = speech.words.get(f"also.{name}", name.replace("_", " "))
        difference = _known(speech, compared.difference, shape)
        yield speech.arm(effect.arm), way, difference, speech.lift(compared.lift), speech.n.p(compared.p)
    if effect.compliance is not None:
        told = _known(speech, effect.compliance, shape)
        yield speech.arm(effect.arm), speech.words["also.compliance"], told, "", ""


def _known(speech: AbSpeech, of: Interval, shape: Shape) -> str:
    return speech.known(of, shape)


def groups(speech: AbSpeech, grouping: Grouping) -> tuple[Block, ...]:
    """Sub-segments of one kind, and whether the effect differs between them."""
    words, metric = speech.words, speech.report.metric(grouping.metric)
    by = words["strata"] if grouping.by == "strata" else grouping.by
    heads = (
        words["group"], words["arm"], speech.control, words["units_head"], words["difference"], words["lift"],
        words["p_head"], words["moved"],
    )  # fmt: skip
    hidden = speech.hidden_groups(grouping)
    caption = speech.say("groups_caption", metric=speech.metric(grouping.metric), by=by) + speech.in_unit(metric)
    if all(one.group in hidden for one in grouping.groups):
        return (Words((f"{caption}: {words['hidden_groups']}",)),)
    rows = tuple(_group(speech, metric, one, by, is_hidden=one.group in hidden) for one in grouping.groups)
    notes = []
    limit = 1 - speech.report.method.confidence
    for arm, p in grouping.differs.items():
        if p is not None:
            key = "differs_yes" if p < limit else "differs_no"
            notes.append(speech.say(key, arm=speech.arm(arm), p=speech.n.p(p)))
    notes += [speech.say("reversed", arm=speech.arm(arm)) for arm in grouping.reversed]
    if grouping.more:
        notes.append(speech.say("group_more", n=speech.n.count(grouping.more)))
    table = Grid(caption, heads, rows, (2, 3, 4, 5, 6))
    told = (Words(tuple(notes), soft=True),) if notes else ()
    return (table, *told)


def _pooled(speech: AbSpeech) -> tuple[Block, ...]:
    """That a table does not compare within strata, where the figures that decide do."""
    return (Words((speech.words["pooled_note"],), soft=True),) if speech.is_stratified else ()


def _group(speech: AbSpeech, metric: MetricReport, one: Group, by: str, *, is_hidden: bool) -> tuple[str, ...]:
    words = speech.words
    name = words["group_none"] if one.group is None else one.group
    if one.group in ("in", "out"):
        name = speech.say(f"group.{one.group}", by=by)
    if is_hidden or is_small(speech, metric.arm(one.arm)) or is_small(speech, metric.arm(speech.base)):
        return (name, speech.arm(one.arm), *[words["hidden"]] * 6)
    told = (name, speech.arm(one.arm), speech.count(one.n_control), speech.count(one.n_arm))
    difference = _known(speech, one.compared.difference, bare(speech.differences(metric)))
    moved = words["yes" if one.moved else "no"]
    return (*told, difference, speech.lift(one.compared.lift), speech.n.p(one.p_adjusted), moved)


def trend(speech: AbSpeech) -> tuple[Block, ...]:
    """The effect by week since exposure, a line for each arm."""
    found = speech.report.trend
    if found is None or not found.points:
        return ()
    metric = speech.report.metric(found.metric)
    if speech.hides_weeks():
        return ()
    shape = bare(speech.differences(metric))
    weeks = sorted({point.week for point in found.points})
    series = []
    for arm in dict.fromkeys(point.arm for point in found.points):
        by_week = {point.week: point.difference for point in found.points if point.arm == arm}
        ends = [(by_week[w].estimate, by_week[w].low, by_week[w].high) if w in by_week else (None,) * 3 for w in weeks]
        values, lows, highs = (tuple(column) for column in zip(*ends, strict=True))
        series.append(Series(speech.arm(arm), values, lows, highs))
    digits = max(speech.n.digits(point.difference, shape) for point in found.points)
    places = {"control": speech.control, "unit": speech.in_unit(metric), "metric": speech.metric(found.metric)}
    curve = Curve(
        "trend", speech.say("trend_caption", **places), speech.words["trend_desc"], tuple(str(week) for week in weeks),
        tuple(series), speech.words["week"], lambda value: speech.n.shaped(value, shape, digits),
        to=speech.words["between"],
    )  # fmt: skip
    notes = tuple(
        speech.say("trend_p", arm=speech.arm(arm), p=speech.n.p(p)) for arm, p in found.p.items() if p is not None
    )
    return (curve, *((Words(notes, soft=True),) if notes else ()))


def belief(speech: AbSpeech) -> tuple[Block, ...]:
    """Probabilities to be best and to beat the control, and what a wrong choice costs."""
    found: list[Block] = []
    for metric in speech.report.metrics:
        if metric.beliefs and not any(is_small(speech, one) for one in metric.arms):
            words = speech.words
            heads = (
                words["arm"], words["best"], speech.say("better", control=speech.control), words["loss"], words["lift"],
            )  # fmt: skip
            rows = tuple(_belief(speech, metric, one) for one in metric.beliefs)
            caption = speech.say("belief_caption", metric=speech.metric(metric.name))
            found.append(Grid(caption, heads, rows, (1, 2, 3, 4)))
    return (*found, Words((speech.words["belief_note"],), soft=True)) if found else ()


def _belief(speech: AbSpeech, metric: MetricReport, one: Belief) -> tuple[str, ...]:
    from segctl.cli.report_numbers import significant

    shape = speech.differences(metric)
    loss = Shape(shape.factor, shape.unit)
    digits = 2 if one.loss is None else significant(one.loss * loss.factor)
    return (
        speech.arm(one.arm), speech.chance(one.best), speech.chance(one.better),
        speech.n.shaped(one.loss, loss, digits), "" if one.lift is None else speech.n.interval(one.lift, LIFT),
    )  # fmt: skip


def allocation(speech: AbSpeech, found: Allocation) -> tuple[Block, ...]:
    """Weights for the next send, or why there are none."""
    words = speech.words
    if speech.hides_totals:
        return ()  # A weight comes from the figures of every arm.
    if found.why is not None or not found.weights:
        return (Words((speech.say("allocation_none", why=speech.why(found.why or "missing")),)),)
    heads = (words["arm"], words["weight"], words["best"])
    rows = tuple(
        (speech.arm(arm), speech.n.share(weight), speech.chance(found.best.get(arm)))
        for arm, weight in found.weights.items()
    )
    note = speech.say("explore", share=speech.n.share(found.explore, 0))
    return (Grid(words["allocation_caption"], heads, rows, (1, 2)), Words((note,), soft=True))
