"""The first sentences of a report on an experiment: what happened, how sure, what it earned, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli.report_ab_tables import hides, is_small
from segctl.cli.report_document import Lead, Look
from segctl.cli.report_numbers import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segctl.cli.report_speech import AbSpeech
    from segctl.operations.ab.parts import MetricReport
    from segctl.operations.ab.result import Headline
    from segctl.stats.values import Interval

_WITHOUT_MONEY = ("too_early", "too_small")
_TOLD = ("more", "fewer")
_CHOICES = {"earned": "do_roll_out", "lost": "do_loses", "open": "do_unsure"}
_FURTHER = {"no_difference": "do_cost", "guardrail": "do_guardrail", "not_usable": "do_mend"}


def lead(speech: AbSpeech, *, anyway: bool, early: bool = True) -> Lead:
    """The headline and the sentences below it.

    Args:
        speech: Of the report.
        anyway: The numbers of an experiment that cannot be used are shown.
        early: Likewise of one whose planned end is not reached.
    """
    head = speech.report.headline
    if head.state == "nothing_yet":
        return Lead("none", _nothing(speech), tuple(_steps(speech, head, anyway=anyway)))
    if head.state == "not_usable":
        key = "not_usable_anyway" if anyway else "not_usable"
        return Lead("bad", speech.say(key, why=_broken(speech, head)), tuple(_steps(speech, head, anyway=anyway)))
    if head.state == "too_early" and not early:
        hint = speech.say("early_hint", name=speech.report.experiment)
        text = speech.say("too_early_hidden", metric=speech.metric(head.metric))
        return Lead("warn", text, (*_steps(speech, head, anyway=anyway), hint))
    if head.metric is None or head.arm is None or head.value is None or head.control is None:
        why = speech.why(head.difference.why if head.difference is not None else "missing")
        text = speech.say("no_value", metric=speech.metric(head.metric), why=why)
        return Lead("none", text, tuple(_steps(speech, head, anyway=anyway)))
    metric = speech.report.metric(head.metric)
    if any(is_small(speech, metric.arm(name)) for name in (head.arm, speech.base)):
        return Lead("warn", speech.say("small_hidden", metric=speech.metric(head.metric)))
    more = [
        *_certainty(speech, head, metric),
        *_unsettled(speech, head),
        *_earned(speech, head),
        *_steps(speech, head, anyway=anyway),
    ]
    return Lead(_look(head), _first(speech, head, metric), tuple(more))


def _look(head: Headline) -> Look:
    if head.state == "guardrail":
        return "bad"
    if head.state in _TOLD:
        return "good" if head.is_good else "bad"
    return "warn" if head.state in ("too_early", "too_small") else "none"


def _shape(speech: AbSpeech, metric: MetricReport, *, sign: bool = False) -> Shape:
    """Counts per so many people for conversions, else the metric's unit."""
    return Shape(unit="" if metric.kind == "conversion" else speech.unit(metric), sign=sign)


def _first(speech: AbSpeech, head: Headline, metric: MetricReport) -> str:
    key = "less" if head.state == "fewer" and metric.kind != "conversion" else head.state
    shape = _shape(speech, metric)
    places = {
        "metric": speech.metric(head.metric), "arm": speech.arm(head.arm), "control": speech.control,
        "value": speech.beside(head.value, head.difference, shape),
        "base": speech.beside(head.control, head.difference, shape), "per": speech.per(head.per),
    }  # fmt: skip
    if head.state == "guardrail":
        places["guardrails"] = _guardrails(speech, head)
    return speech.say(key, **places)


def _nothing(speech: AbSpeech) -> str:
    if not any(arm.assigned for arm in speech.report.arms):
        return speech.say("nobody")
    if not _is_told(speech):
        assigned = sum(arm.assigned for arm in speech.report.arms)
        return speech.say("untold", n=speech.count(assigned), people=speech.people)
    return speech.say("nothing_yet", window=speech.window(speech.report.window))


def _broken(speech: AbSpeech, head: Headline) -> str:
    told = []
    for name in head.reasons:
        key = f"broken.{name}"
        check = speech.words.get(f"check.{name}", name)
        told.append(speech.words[key] if key in speech.words else speech.say("broken.other", check=check))
    return speech.n.listed(told) or speech.say("broken.other", check="?")


def _guardrails(speech: AbSpeech, head: Headline) -> str:
    return speech.n.listed(speech.say("quoted", text=speech.metric(name)) for name in head.reasons)


def _alike(speech: AbSpeech, head: Headline) -> str:
    return speech.n.listed(speech.arm(name) for name in (head.arm, *head.rivals))


def _unsettled(speech: AbSpeech, head: Headline) -> Iterator[str]:
    """Arms that are as good, and guard-rails that neither held nor failed."""
    if head.state not in _TOLD:
        return
    if head.rivals:
        yield speech.say("alike", arms=_alike(speech, head), control=speech.control)
    effects = [(one.name, one.effect(head.arm or "")) for one in speech.report.metrics]
    names = [name for name, effect in effects if effect is not None and effect.held == "open"]
    if head.is_good and names:
        told = speech.n.listed(speech.say("quoted", text=speech.metric(name)) for name in names)
        yield speech.say("guardrail_open", guardrails=told, arm=speech.arm(head.arm))


def _certainty(speech: AbSpeech, head: Headline, metric: MetricReport) -> Iterator[str]:
    n, shape, per = speech.n, _shape(speech, metric, sign=True), speech.per(head.per)
    confidence = n.share(speech.report.method.confidence, 0)
    if head.state == "no_difference" and head.ruled_out is not None:
        most = speech.beside(head.ruled_out, head.difference, _shape(speech, metric))
        yield speech.say("ruled_out", most=most, per=per, confidence=confidence)
    if head.difference is not None and head.difference.estimate is not None:
        if not _has_ends(head.difference):
            estimate = speech.beside(head.difference.estimate, None, shape)
            yield speech.say("no_range", difference=estimate, per=per, why=speech.why(head.difference.why or "too_few"))
            return
        places = {"difference": n.interval(head.difference, shape), "per": per, "confidence": confidence}
        places["p"] = speech.say("p", p=n.p(head.p))
        if head.lift is not None and head.lift.estimate is not None and _has_ends(head.lift):
            yield speech.say("sure_lift", lift=speech.lift(head.lift), control=speech.control, **places)
        else:
            yield speech.say("sure", **places)
            if head.lift is not None and head.lift.why:
                yield speech.say("no_lift", why=speech.why(head.lift.why))
    if head.basis != "fixed":
        yield speech.words[f"wide_{head.basis}"]
    if head.leaning is not None:
        yield speech.words[f"leaning_{head.leaning}"]
    if head.state in (*_TOLD, "guardrail") and head.extra is not None and head.extra.estimate is not None:
        arm = next((one for one in speech.report.arms if one.name == head.arm), None)
        yield speech.say(
            "extra" if metric.kind == "conversion" else "extra_sum",
            extra=n.interval(head.extra, shape), metric=speech.metric(head.metric), arm=speech.arm(head.arm),
            n=n.count(arm.analysed if arm else None), people=speech.people,
        )  # fmt: skip
    if metric.better == "lower":
        yield speech.words["lower_better"]


def _has_ends(of: Interval) -> bool:
    return of.is_bounded or of.unbounded is not None


def _earned(speech: AbSpeech, head: Headline) -> Iterator[str]:
    for money in speech.report.money:
        if hides(speech, money):
            continue
        if money.claim and head.state not in _WITHOUT_MONEY and money.profit.estimate is not None:
            shape = Shape(unit=money.currency or "", sign=True)
            profit = speech.n.interval(money.profit, shape)
            yield speech.say(verdict(money.profit), arm=speech.arm(money.arm), profit=profit)


def verdict(profit: Interval) -> str:
    """``earned``, ``lost`` or ``open``, by which side of zero the whole range lies on."""
    if profit.low is not None and profit.low > 0:
        return "earned"
    return "lost" if profit.high is not None and profit.high < 0 else "open"


def _steps(speech: AbSpeech, head: Headline, *, anyway: bool) -> Iterator[str]:
    """What to do, one sentence for each state; the same for good and bad news."""
    after, day, count = speech.report.next, speech.n.day, speech.n.count
    if head.state in _TOLD:
        key = _choice(speech, head) if head.is_good else "do_not"
    elif head.state == "too_early":
        key = "do_wait_open" if after.planned_end is None else "do_wait"
    elif head.state == "too_small":
        is_told = after.missing and after.per_day and not speech.hides_totals
        key = "do_more" if is_told else "do_more_open"
    elif head.state == "nothing_yet":
        key = _begin(speech)
    else:
        key = _FURTHER[head.state]
    if key == "do_windows" and after.end_of_windows is None:
        return
    end = after.planned_end if key == "do_wait" else after.end_of_windows
    yield speech.say(
        key, arm=speech.arm(head.arm), people=speech.people, missing=count(after.missing), day=day(end),
        guardrails=_guardrails(speech, head), name=speech.report.experiment, arms=_alike(speech, head),
        segment=speech.report.segment,
    )  # fmt: skip
    if key == "do_mend" and not anyway:
        yield speech.say("do_anyway")


def _begin(speech: AbSpeech) -> str:
    """What comes before there is anything to look at."""
    if speech.report.started is None and speech.report.began is None:
        return "do_start"
    return "do_windows" if _is_told(speech) else "do_push"


def _is_told(speech: AbSpeech) -> bool:
    """Whether anybody who is assigned was exposed."""
    return any(arm.assigned > arm.unexposed for arm in speech.report.arms)


def _choice(speech: AbSpeech, head: Headline) -> str:
    money = next((one for one in speech.report.money if one.arm == head.arm and one.claim), None)
    key = _CHOICES[verdict(money.profit)] if money is not None else "do_roll_out"
    return "do_alike" if key == "do_roll_out" and head.rivals else key
