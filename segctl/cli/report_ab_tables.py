"""Tables of a report on an experiment: figures by metric and arm, money, and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli.report_document import Forest, Grid, Words
from segctl.cli.report_numbers import LIFT, Shape, significant
from segctl.cli.svg_forest import Interval as Bar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from segctl.cli.report_document import Block
    from segctl.cli.report_speech import AbSpeech, NamedSpeech, Speech
    from segctl.operations.ab.parts import ArmValue, Effect, MetricReport
    from segctl.operations.ab.result import MoneyReport
    from segctl.stats.values import Interval

_BAR_LOOKS: dict[str, str] = {"better": "good", "worse": "bad"}


def figures(speech: NamedSpeech, metrics: Sequence[MetricReport], *, key: str = "forest") -> tuple[Block, ...]:
    """One table a metric with its arms, and the intervals of those that decide as bars."""
    found: list[Block] = []
    for metric in metrics:
        found.append(_metric(speech, metric))
        if metric.role == "primary" and (bars := _bars(speech, metric, key)) is not None:
            found.append(bars)
    return tuple(found)


def _metric(speech: NamedSpeech, metric: MetricReport) -> Grid:
    words = speech.words
    heads = (
        words["arm"], words["units_head"], words["events"], words["value"],
        words["difference"], words["lift"], words["p_head"],
    )  # fmt: skip
    shape = speech.values(metric)
    known = [one.value for one in metric.arms if one.value.is_bounded and not is_small(speech, one)]
    digits = max((speech.n.digits(of, shape) for of in known), default=2)
    rows = tuple(_arm(speech, metric, one, digits) for one in metric.arms)
    about = [words[f"role.{metric.role}"]]
    about += [f"{speech.arm(e.arm)} {words[f'held.{e.held}']}" for e in metric.effects if e.held is not None]
    if unit := speech.differences(metric).unit:
        about.append(speech.say("difference_in", unit=unit))
    if metric.correction:
        about.append(words["p_adjusted"])
    return Grid(f"{speech.metric(metric.name)} ({'; '.join(about)})", heads, rows, (1, 2, 3, 4, 5, 6))


def _arm(speech: NamedSpeech, metric: MetricReport, one: ArmValue, digits: int) -> tuple[str, ...]:
    effect = metric.effect(one.arm)
    control = metric.arm(speech.base)
    hidden = speech.words["hidden"]
    is_hidden = is_small(speech, one)
    value = hidden if is_hidden else _value(speech, metric, one, digits)
    # Whether anybody of a few did something is a figure of these few too.
    is_few = speech.is_small(one.n) or (is_hidden and not speech.is_small(one.events))
    is_few = is_few or ("events", metric.name, one.arm) in speech.small
    events = hidden if is_few else speech.count(one.events)
    told = (speech.arm(one.arm), speech.count(one.n), events, value)
    if effect is None:
        return (*told, "", "", "")
    if is_small(speech, one) or is_small(speech, control):
        return (*told, hidden, hidden, hidden)
    difference = speech.known(effect.told, bare(speech.differences(metric)))
    return (*told, difference, speech.lift(effect.told_lift), speech.n.p(effect.p_adjusted))


def is_small(speech: NamedSpeech, one: ArmValue) -> bool:
    """Whether an arm's figures could tell about somebody."""
    return speech.is_small_arm(one)


def _value(speech: NamedSpeech, metric: MetricReport, one: ArmValue, digits: int) -> str:
    if one.value.estimate is None:
        return speech.undefined(one.value) or speech.n.count(None)
    return speech.n.shaped(one.value.estimate, speech.values(metric), digits)


def _bars(speech: NamedSpeech, metric: MetricReport, key: str) -> Forest | None:
    control = metric.arm(speech.base)
    effects = [e for e in metric.effects if not is_small(speech, metric.arm(e.arm)) and not is_small(speech, control)]
    if not any(effect.told.is_bounded or effect.told.unbounded for effect in effects):
        return None  # An axis without a bar.
    words, shape = speech.words, bare(speech.differences(metric))
    digits = max((speech.n.digits(e.told, shape) for e in effects), default=2)
    return Forest(
        key=f"{key}-{metric.name}",
        title=speech.say(
            "forest", control=speech.control, unit=speech.in_unit(metric), metric=speech.metric(metric.name)
        ),
        description=speech.say("forest_desc", control=speech.control),
        rows=tuple(_bar(speech, effect) for effect in effects),
        heads=(words["arm"], words["difference"], words["from"], words["to"]),
        say=lambda value: speech.n.shaped(value, shape, digits),
        open_end=words["no_end"],
        to=words["between"],
    )


def _bar(speech: NamedSpeech, effect: Effect) -> Bar:
    of = effect.told
    low = of.low if of.unbounded not in ("low", "both") else None
    high = of.high if of.unbounded not in ("high", "both") else None
    if of.estimate is None or (low is None and high is None and of.unbounded is None):
        return Bar(speech.arm(effect.arm), None, note=speech.why(of.why))
    return Bar(speech.arm(effect.arm), of.estimate, low, high, look=_BAR_LOOKS.get(effect.verdict, "even"))


def bare(shape: Shape) -> Shape:
    """Without the unit, which stands in the heading."""
    return Shape(shape.factor, "", shape.sign)


def money(speech: AbSpeech, *, more: bool = False) -> tuple[Block, ...]:
    """What each arm brought, arms side by side; nothing without a metric of money.

    Args:
        speech: Of the report.
        more: The figures that a first look does not need.
    """
    found: list[Block] = []
    for metric in dict.fromkeys(one.metric for one in speech.report.money):
        reports = [one for one in speech.report.money if one.metric == metric and not hides(speech, one)]
        if not reports:
            continue
        caption = speech.say("money_caption", control=speech.control, metric=speech.metric(metric))
        rows = _costs(speech, reports) if more else returns(speech, reports)
        heads = (speech.words["figure"], *(speech.arm(one.arm) for one in reports))
        found.append(Grid(caption, heads, tuple(rows), tuple(range(1, len(heads)))))
        notes = [speech.words["no_claim"]] if not more and not all(one.claim for one in reports) else []
        if not more and any(one.attributed is not None for one in reports):
            notes.append(speech.words["attributed_note"])
        if notes:
            found.append(Words(tuple(notes), soft=True))
    return tuple(found)


def hides(speech: AbSpeech, one: MoneyReport) -> bool:
    """Whether the money of an arm rests on so few that it is not told."""
    metric = speech.report.metric(one.metric)
    return any(is_small(speech, metric.arm(arm)) for arm in (one.arm, speech.base))


def returns(speech: Speech, reports: Sequence[MoneyReport]) -> list[tuple[str, ...]]:
    """More revenue, attributed revenue, cost, profit and return, a column for each report."""
    words, nothing = speech.words, speech.n.count(None)
    rows = [(words["revenue"], *(amount(speech, one, one.revenue, sign=True) for one in reports))]
    if any(one.attributed is not None for one in reports):
        rows.append((words["attributed"], *(_plain(speech, one, one.attributed) for one in reports)))
    rows.append((words["cost"], *(_plain(speech, one, one.cost) for one in reports)))
    profits = (amount(speech, one, one.profit, sign=True) if one.claim else nothing for one in reports)
    returned = (speech.known(one.roi, LIFT) if one.claim else nothing for one in reports)
    return [*rows, (words["profit"], *profits), (words["roi"], *returned)]


def _costs(speech: AbSpeech, reports: Sequence[MoneyReport]) -> list[tuple[str, ...]]:
    words = speech.words
    rows = [
        (
            speech.say("break_even", person=speech.person),
            *(amount(speech, one, one.break_even) for one in reports),
        ),
        (words["p_above"], *(speech.n.p(one.p_above) for one in reports)),
        (words["per_thousand"], *(amount(speech, one, one.per_thousand, sign=True) for one in reports)),
    ]
    if any(one.cost_per_extra is not None for one in reports):
        name = speech.say("cost_per_extra", metric=speech.metric(speech.report.headline.metric))
        rows.append((name, *(amount(speech, one, one.cost_per_extra) for one in reports)))
    return rows


def _plain(speech: Speech, one: MoneyReport, value: float | None) -> str:
    if value is None:
        return speech.n.count(None)
    digits = 0 if abs(value) >= 100 else 2
    return speech.n.shaped(value, Shape(unit=one.currency or ""), digits)


def amount(speech: Speech, one: MoneyReport, of: Interval | None, *, sign: bool = False) -> str:
    """An amount of money with its range, or why there is none."""
    if of is None:
        return speech.n.count(None)
    return speech.known(of, Shape(unit=one.currency or "", sign=sign))


def further(speech: AbSpeech) -> Words:
    """Is it enough, and what is missing."""
    if speech.hides_totals:
        return Words((speech.words["hidden_totals"],))
    return Words(tuple(_further(speech)))


def _further(speech: AbSpeech) -> Iterator[str]:
    after, n, people = speech.report.next, speech.n, speech.people
    if after.planned is not None:
        yield speech.say("reached", n=n.count(after.reached), people=people, planned=n.count(after.planned))
    else:
        yield speech.say("reached_open", n=n.count(after.reached), people=people)
    if after.mde is not None:
        power = n.share(speech.report.method.power, 0)
        primary = next((one for one in speech.report.metrics if one.name == speech.report.headline.metric), None)
        # Beside an effect that is declared as a change, points would be the same thing in another unit.
        if after.mde_points is not None and primary is not None and after.effect is None:
            shape = speech.differences(primary)
            points = n.shaped(after.mde_points, shape, significant(after.mde_points * shape.factor))
            yield speech.say("mde_points", mde=n.share(after.mde), points=points, power=power)
        else:
            yield speech.say("mde", mde=n.share(after.mde), power=power)
    if after.effect is not None and after.missing is not None:
        effect = n.shaped(after.effect, LIFT, 0)
        if after.missing and after.needed is not None:
            yield speech.say("missing", effect=effect, needed=n.count(after.needed), missing=n.count(after.missing))
            if after.days is not None and after.per_day is not None:
                yield speech.say("days_left", rate=n.count(after.per_day), days=n.count(after.days))
            elif after.per_day is None and after.reached:
                yield speech.say("one_go")
            elif after.is_over or not after.per_day:
                yield speech.say("nobody_comes")
        elif not after.missing:
            yield speech.say("enough", effect=effect)
    if after.planned_end is not None and not after.is_over:
        yield speech.say("planned_end", day=n.day(after.planned_end))
    if after.why is not None:
        yield speech.say("next_none", why=speech.why(after.why))
