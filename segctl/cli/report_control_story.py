"""The report on control groups in words: what all campaigns earned, each of them, and everything together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from segctl.cli import report_ab_tables as tables
from segctl.cli import report_checks
from segctl.cli.report_ab_story import is_told
from segctl.cli.report_document import Block, Curve, Document, Forest, Grid, Lead, Look, Section, Words
from segctl.cli.report_headline import verdict
from segctl.cli.report_numbers import LIFT, NUMBER, Shape
from segctl.cli.report_speech import AbSpeech, NamedSpeech, Speech
from segctl.cli.svg_charts import Series
from segctl.cli.svg_forest import Interval as Bar

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.control_result import CampaignEffect, ControlReport, Programme
    from segctl.stats.values import Interval

_BARE_LIFT = Shape(LIFT.factor, "", sign=True)
_LOOKS: dict[str, Look] = {"earned": "good", "lost": "bad", "open": "none"}


def document(report: ControlReport, language: Language, *, early: bool = True, least: int = 0) -> Document:
    """The whole report.

    Args:
        report: What was found.
        language: Of the words.
        early: Effects of campaigns whose planned end is not reached are told too.
        least: Counts of people below it are told as small.
    """
    speech = Speech(language, least=least)
    sections = [Section("campaigns", speech.words["campaigns"], _campaigns(speech, report, early=early))]
    sections += [_programme(language, one, report, least, at) for at, one in enumerate(report.programmes)]
    sections.append(Section("cumulative", speech.words["cumulative"], _cumulative(speech, report)))
    sections.append(Section("skipped", speech.words["skipped"], _skipped(speech, report)))
    foot = [speech.words["control_method"], *([speech.say("small_why", k=str(least))] if least else [])]
    return Document(
        title=speech.words["control_title"],
        language=language,
        facts=(speech.n.moment(report.as_of),),
        lead=(_lead(speech, report),),
        sections=tuple(one for one in sections if one.blocks),
        foot=tuple(foot),
    )


def _lead(speech: Speech, report: ControlReport) -> Lead:
    waits = any(reason != "no_unsent_control" for reason in report.skipped.values())
    if not report.campaigns and not report.programmes and not waits:
        return Lead("warn", speech.words["control_none"], (speech.words["control_do"],))
    more = (*_left_out(speech, report), *_together(speech, report))
    if hides_sum(speech, report):
        return Lead("none", speech.words["control_total_hidden"], more)
    total = report.cumulative[-1].profit if report.cumulative else None
    if total is None or total.estimate is None:
        return Lead("none", speech.words["control_total_none"], more)
    key = verdict(total)
    profit = speech.n.interval(total, Shape(unit=report.currency or "", sign=True))
    return Lead(_LOOKS[key], speech.say(f"control_total_{key}", profit=profit), more)


def hides_sum(speech: Speech, report: ControlReport) -> bool:
    """Whether a campaign of the sum is hidden, so that the sum would bring it back."""
    summed = {name for point in report.cumulative for name in point.campaigns}
    return any(one.experiment in summed and is_small(speech, one) for one in report.campaigns)


def _left_out(speech: Speech, report: ControlReport) -> Iterator[str]:
    """How many campaigns the sum does not hold, and why."""
    reasons = Counter(reason for reason in report.skipped.values() if reason != "no_unsent_control")
    if reasons:
        why = "; ".join(f"{_reason(speech, reason)}: {speech.n.count(number)}" for reason, number in reasons.items())
        yield speech.say("control_left_out", n=speech.n.count(reasons.total()), why=why)


def _together(speech: Speech, report: ControlReport) -> Iterator[str]:
    """What everything together earned, by each generation of the universal holdout."""
    for one in report.programmes:
        if any(speech.is_small_arm(arm) for metric in one.metrics for arm in metric.arms):
            continue
        if one.money is not None and one.money.claim and one.money.profit.estimate is not None:
            profit = speech.n.interval(one.money.profit, Shape(unit=one.money.currency or "", sign=True))
            key = f"programme_{verdict(one.money.profit)}"
            yield speech.say(key, generation=one.generation, profit=profit)


def _campaigns(speech: Speech, report: ControlReport, *, early: bool) -> tuple[Block, ...]:
    if not report.campaigns:
        return ()
    words = speech.words
    heads = (
        words["campaign"], words["answer"], words["told"], words["held"], words["lift"], words["p_head"],
        words["profit"],
    )  # fmt: skip
    rows = tuple(_campaign(speech, one, early=early) for one in report.campaigns)
    grid = Grid(words["campaigns_caption"], heads, rows, (2, 3, 4, 5, 6))
    shown = [one for one in report.campaigns if _is_shown(speech, one, early=early) and one.effect is not None]
    if not shown:
        return (grid,)
    lifts = [one.effect.lift for one in shown if one.effect is not None]
    digits = max((speech.n.digits(lift, LIFT) for lift in lifts if lift.is_bounded), default=0)
    bars = Forest(
        "campaign-lifts", words["control_forest"], words["control_forest_desc"],
        tuple(_bar(speech, one, lift) for one, lift in zip(shown, lifts, strict=True)),
        (words["campaign"], words["lift"], words["from"], words["to"]),
        lambda value: speech.n.shaped(value, _BARE_LIFT, digits),
        open_end=words["no_end"], to=words["between"],
    )  # fmt: skip
    return (grid, bars)


def _is_shown(speech: Speech, one: CampaignEffect, *, early: bool) -> bool:
    return is_told(one.report, anyway=False, early=early) and not is_small(speech, one)


def is_small(speech: Speech, one: CampaignEffect) -> bool:
    """Whether an arm of the campaign is hidden in its own report: all arms together would bring it back."""
    return bool(speech.least) and AbSpeech(one.report, speech.language, least=speech.least).hides_totals


def _campaign(speech: Speech, one: CampaignEffect, *, early: bool) -> tuple[str, ...]:
    state = speech.words[f"state.{one.report.headline.state}"]
    is_hidden = is_small(speech, one)
    treated, held = (
        speech.words["hidden"] if is_hidden and not speech.is_small(n) else speech.count(n)
        for n in (one.treated, one.held)
    )
    told = (one.report.title or one.experiment, state, treated, held)
    if not _is_shown(speech, one, early=early) or one.effect is None:
        return (*told, "", "", "")
    profit = "" if one.money is None else speech.n.count(None)
    if one.money is not None and one.money.claim:
        profit = tables.amount(speech, one.money, one.money.profit, sign=True)
    return (*told, speech.lift(one.effect.lift), speech.n.p(one.effect.p), profit)


def _bar(speech: Speech, one: CampaignEffect, lift: Interval) -> Bar:
    name = one.report.title or one.experiment
    if lift.estimate is None or not (lift.is_bounded or lift.unbounded):
        return Bar(name, None, note=speech.why(lift.why))
    look = "even" if not lift.excludes(0.0) else "good" if one.report.headline.is_good else "bad"
    return Bar(name, lift.estimate, lift.low, lift.high, look=look)


def programme_speech(one: Programme, language: Language, least: int) -> NamedSpeech:
    """Words about everybody else and those held out."""
    arms = sorted({value.arm for metric in one.metrics for value in metric.arms})
    words = Speech(language).words
    named = {name: words["held_arm"] if name == "held_out" else words["open_arm"] for name in arms}
    return NamedSpeech(language, least=least, unit="profile", arms=named, base="held_out", metrics=one.metrics)


def _programme(language: Language, one: Programme, report: ControlReport, least: int, at: int) -> Section:
    speech = programme_speech(one, language, least)
    n, is_few = speech.n, speech.is_small(one.held, one.open)
    lines = [
        speech.say(
            "programme_lead", begin=n.day(one.begin), until=n.day(one.until), generation=one.generation,
            open=speech.words["hidden"] if is_few else n.count(one.open), held=speech.count(one.held),
        )
    ]  # fmt: skip
    if one.contacted:
        lines.append(speech.say("programme_contacted", n=speech.count(one.contacted)))
    hides_money = speech.hides_totals or hides_sum(speech, report)
    if one.gap is not None and one.gap.estimate is not None and not hides_money:
        lines.append(speech.say("gap", gap=n.interval(one.gap, Shape(unit=report.currency or "", sign=True))))
    blocks: list[Block] = [Words(tuple(lines)), *report_checks.blocks(speech, one.checks)]
    blocks += tables.figures(speech, one.metrics, key=f"programme-{at}")
    if one.money is not None and not hides_money:
        caption = speech.say("money_caption", control=speech.control, metric=speech.metric(one.money.metric))
        heads = (speech.words["figure"], speech.words["open_arm"])
        blocks.append(Grid(caption, heads, tuple(tables.returns(speech, [one.money])), (1,)))
        if not one.money.claim:
            blocks.append(Words((speech.words["no_claim"],), soft=True))
    return Section(f"programme-{at}", f"{speech.words['programme']}: {one.generation}", tuple(blocks))


def _cumulative(speech: Speech, report: ControlReport) -> tuple[Block, ...]:
    known = [one for one in report.cumulative if one.profit.estimate is not None]
    if not known or hides_sum(speech, report):
        return ()
    digits = max(speech.n.digits(one.profit, NUMBER) for one in known)
    unit = f" ({report.currency})" if report.currency else ""
    ends = [(one.profit.estimate, one.profit.low, one.profit.high) for one in known]
    values, lows, highs = (tuple(column) for column in zip(*ends, strict=True))
    return (
        Curve(
            "cumulative-profit", speech.say("cumulative_title", unit=unit), speech.words["cumulative_desc"],
            tuple(speech.n.day(one.day) for one in known),
            (Series(speech.words["profit"], values, lows, highs),), speech.words["day"],
            lambda value: speech.n.decimal(value, digits, sign=True), to=speech.words["between"],
        ),
    )  # fmt: skip


def _skipped(speech: Speech, report: ControlReport) -> tuple[Block, ...]:
    lines = tuple(_why(speech, report))
    return (Words(lines),) if lines else ()


def _why(speech: Speech, report: ControlReport) -> Iterator[str]:
    for name, reason in report.skipped.items():
        yield speech.say("skipped_line", name=name, why=_reason(speech, reason))


def _reason(speech: Speech, reason: str) -> str:
    return speech.words.get(f"skip.{reason}") or speech.words.get(f"state.{reason}") or speech.why(reason)
