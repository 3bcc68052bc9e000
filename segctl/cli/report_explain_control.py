"""`--explain` of the report on control groups: campaigns, their sum, and everything together, number by number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from segctl.cli.report_ab_story import is_told
from segctl.cli.report_document import Document
from segctl.cli.report_explain import Explained, effect_numbers, named, numbers_document, value_number
from segctl.cli.report_numbers import LIFT, Shape
from segctl.cli.report_speech import AbSpeech, NamedSpeech, Speech

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.ab.result import MoneyReport
    from segctl.operations.control_result import CampaignEffect, ControlReport, Programme
    from segctl.stats.values import Interval

_MONEY = ("revenue", "profit", "roi", "per_thousand")
_DATA = {"en": "Data: as of {at}.", "de": "Daten: Stand {at}."}


def explained(report: ControlReport, language: Language, asked: Sequence[str] = ()) -> list[Explained]:
    """The numbers that were asked for, or all; those that the report withholds are not among them.

    Args:
        report: What was found.
        language: Of values.
        asked: Names, or beginnings of names up to a point; all when empty.

    Raises:
        UsageError: There is no such number.
    """
    found = [number for one in report.campaigns for number in _campaign(one, language)]
    found += _sums(report, Speech(language))
    found += [number for one in report.programmes for number in _programme(one, report, language)]
    return named(found, asked)


def document(report: ControlReport, language: Language, numbers: Sequence[Explained]) -> Document:
    """The numbers as a report of their own."""
    speech = Speech(language)
    return numbers_document(
        speech.words["control_title"], language, numbers, _DATA[language].format(at=speech.n.moment(report.as_of))
    )


def _campaign(one: CampaignEffect, language: Language) -> Iterator[Explained]:
    speech, effect = AbSpeech(one.report, language), one.effect
    if effect is None or not is_told(one.report, anyway=False, early=True):
        return
    metric = one.report.metric(one.report.headline.metric or one.report.metrics[0].name)
    name, n = f"campaign.{one.experiment}", speech.n
    given = {"nt": n.count(one.treated), "mt": n.plain(effect.treatment), "nc": n.count(one.held),
             "mc": n.plain(effect.control)}  # fmt: skip
    told = speech.known(effect.difference, speech.differences(metric))
    yield Explained(f"{name}.difference", told, effect.difference.method, given, metric.events)
    yield Explained(f"{name}.lift", speech.lift(effect.lift), effect.lift.method, given, metric.events)
    yield Explained(f"{name}.p", n.p(effect.p), effect.test, given, metric.events)
    if one.money is not None:
        yield from _money(speech, one.money, name)


def _money(speech: Speech, one: MoneyReport, name: str) -> Iterator[Explained]:
    n, shape = speech.n, Shape(unit=one.currency or "", sign=True)
    given = {"units": n.count(one.units), "messages": n.count(one.messages),
             "difference": n.interval(one.per_unit, shape), "cost": n.plain(one.cost)}  # fmt: skip
    for key in _MONEY:
        of: Interval = getattr(one, key)
        if key == "revenue" or one.claim:
            yield Explained(f"{name}.{key}", speech.known(of, LIFT if key == "roi" else shape), key, given)
    yield Explained(f"{name}.cost", n.plain(one.cost), "cost", {"messages": n.count(one.messages)})


def _sums(report: ControlReport, speech: Speech) -> Iterator[Explained]:
    shape = Shape(unit=report.currency or "", sign=True)
    parts = {one.experiment: one.money for one in report.campaigns if one.money is not None}
    for point in report.cumulative:
        for key in ("revenue", "profit"):
            given = {name: speech.n.interval(getattr(parts[name], key), shape)
                     for name in point.campaigns if name in parts}  # fmt: skip
            yield Explained(f"sum.{point.day}.{key}", speech.known(getattr(point, key), shape), "sum", given)


def _programme(one: Programme, report: ControlReport, language: Language) -> Iterator[Explained]:
    arms = {value.arm: value.arm for metric in one.metrics for value in metric.arms}
    speech = NamedSpeech(language, least=0, unit="profile", arms=arms, base="held_out", metrics=one.metrics)
    name = f"programme.{one.generation}"
    for metric in one.metrics:
        for arm in metric.arms:
            yield value_number(speech, metric, arm, f"{name}.")
        for effect in metric.effects:
            yield from effect_numbers(speech, metric, effect, f"{name}.")
    if one.money is not None:
        yield from _money(speech, one.money, f"{name}.money")
    if one.gap is not None:
        given = {"campaigns": speech.n.listed(one.campaigns)}
        told = speech.known(one.gap, Shape(unit=report.currency or "", sign=True))
        yield Explained(f"{name}.gap", told, "gap", given)
