"""What the report on control groups hides: campaigns, their sum, and everybody else against those held out."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from segctl.cli.report_control_story import hides_sum, is_small, programme_speech
from segctl.cli.report_speech import AbSpeech, Speech
from segctl.cli.small_experiments import told, told_check, told_metric
from segctl.cli.small_experiments import told_document as told_experiment

if TYPE_CHECKING:
    from segctl.operations.control_result import CampaignEffect, ControlReport, Programme


def without_small(report: ControlReport, least: int) -> ControlReport:
    """The report without whatever it does not tell when counts below `least` are small; 0 leaves all."""
    if not least:
        return report
    speech = Speech("en", least=least)
    is_open = not hides_sum(speech, report)
    return replace(
        report,
        campaigns=tuple(_campaign(speech, one) for one in report.campaigns),
        cumulative=report.cumulative if is_open else (),
        programmes=tuple(_programme(one, least, with_sum=is_open) for one in report.programmes),
    )


def _campaign(speech: Speech, one: CampaignEffect) -> CampaignEffect:
    kept = told(AbSpeech(one.report, speech.language, least=speech.least))
    if is_small(speech, one):
        return replace(one, report=kept, effect=None, money=None)
    return replace(one, report=kept)


def _programme(one: Programme, least: int, *, with_sum: bool) -> Programme:
    speech = programme_speech(one, "en", least)
    is_told = with_sum and not speech.hides_totals
    return replace(
        one,
        checks=tuple(told_check(speech, check) for check in one.checks),
        metrics=tuple(told_metric(speech, metric) for metric in one.metrics),
        money=one.money if is_told else None,
        gap=one.gap if is_told else None,
    )


def told_document(report: ControlReport, kept: ControlReport, least: int) -> dict[str, Any]:
    """The report as a document, as `without_small` leaves it; counts that it does not tell are None."""
    found = asdict(kept)
    if not least:
        return found
    for row, one, told_one in zip(found["campaigns"], report.campaigns, kept.campaigns, strict=True):
        row.update(hidden_sides(one, least))
        row["report"] = told_experiment(AbSpeech(one.report, "en", least=least), told_one.report)
    for row, part in zip(found["programmes"], report.programmes, strict=True):
        speech = programme_speech(part, "en", least)
        few = [name for name in ("held", "open", "contacted") if speech.is_small(getattr(part, name))]
        # The campaigns' sides tell everybody, and one side of everybody the other.
        row.update(dict.fromkeys({*few, *(("held", "open") if {"held", "open"} & {*few} else ())}))
    return found


def hidden_sides(one: CampaignEffect, least: int) -> dict[str, None]:
    """Columns of a campaign's row that are None: both sides where one of its arms is hidden."""
    return {"treated": None, "held": None} if least and is_small(Speech("en", least=least), one) else {}
