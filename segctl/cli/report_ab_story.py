"""A report on an experiment in words, in the order of what a reader needs: answer, trust, money, figures, next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from segctl.cli import report_ab_details as details
from segctl.cli import report_ab_tables as tables
from segctl.cli import report_checks
from segctl.cli.report_document import Block, Document, Section, Words
from segctl.cli.report_headline import lead
from segctl.cli.report_speech import AbSpeech

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.ab.parts import Check
    from segctl.operations.ab.result import AbReport


def document(
    report: AbReport, language: Language, *, anyway: bool = False, early: bool = True, least: int = 0
) -> Document:
    """The whole report.

    Args:
        report: What was found.
        language: Of the words.
        anyway: Numbers of an experiment that cannot be used are told too.
        early: Likewise of one whose planned end is not reached; False where nobody asked for them.
        least: Counts of people below it are told as small, and nothing that is reckoned from them.
    """
    speech = AbSpeech(report, language, least=least)
    sections = [Section("checks", speech.words["checks"], report_checks.blocks(speech, _checks(report)))]
    if is_told(report, anyway=anyway, early=early):
        sections += _numbers(speech)
    if report.began is not None and report.headline.state != "not_usable":
        sections.append(Section("next", speech.words["next"], (tables.further(speech),)))
    return Document(
        title=speech.say("title", name=report.title or report.experiment),
        language=language,
        facts=tuple(_facts(speech)),
        lead=(lead(speech, anyway=anyway, early=early), *_asides(speech)),
        sections=tuple(one for one in sections if one.blocks),
        foot=tuple(_method(speech)),
    )


def is_told(report: AbReport, *, anyway: bool, early: bool) -> bool:
    """Whether there are figures that may be shown."""
    if report.headline.state == "too_early":
        return early
    return report.headline.state != "nothing_yet" and (report.usable or anyway)


def _checks(report: AbReport) -> Sequence[Check]:
    """All; only what is broken while there is nothing to look at."""
    if report.headline.state != "nothing_yet":
        return report.checks
    return [one for one in report.checks if one.level == "fail"]


def _numbers(speech: AbSpeech) -> list[Section]:
    report, words = speech.report, speech.words
    by = [block for one in report.groups for block in details.groups(speech, one)]
    dealt = () if report.allocation is None else details.allocation(speech, report.allocation)
    return [
        Section("money", words["money"], tables.money(speech)),
        Section("metrics", words["metrics"], tables.figures(speech, report.metrics)),
        Section("groups", words["groups"], tuple(by)),
        Section("money-more", words["money_more"], tables.money(speech, more=True), is_detail=True),
        Section("trend", words["trend"], details.trend(speech), is_detail=True),
        Section("belief", words["belief"], details.belief(speech), is_detail=True),
        Section("allocation", words["allocation"], dealt, is_detail=True),
        Section("also", words["also"], details.also(speech), is_detail=True),
    ]


def _facts(speech: AbSpeech) -> Iterator[str]:
    report, n = speech.report, speech.n
    if report.title:
        yield report.experiment
    yield speech.say("segment", name=report.segment)
    if report.began is None:
        yield speech.words["planned"]
    else:
        last = report.stopped or report.as_of
        first = n.day(report.began)
        yield first if first == n.day(last) else speech.say("dates", first=first, last=n.day(last))
    yield speech.say("window", window=speech.window(report.window))
    if report.stopped is not None:
        key = "stopped_why" if report.stop_reason else "stopped"
        yield speech.say(key, day=n.day(report.stopped), why=report.stop_reason or "")


def _asides(speech: AbSpeech) -> tuple[Block, ...]:
    lines = []
    if speech.report.hypothesis:
        lines.append(speech.say("hypothesis", text=speech.report.hypothesis))
    if speech.report.winner:
        lines.append(speech.say("winner", arm=speech.arm(speech.report.winner)))
    return (Words(tuple(lines), soft=True),) if lines else ()


def _method(speech: AbSpeech) -> Iterator[str]:
    report, method, n = speech.report, speech.report.method, speech.n
    tests = {name: speech.words.get(f"test.{test}", test) for name, test in method.tests.items()}
    named = ", ".join(f"{speech.metric(name)}: {test}" for name, test in tests.items())
    correction = speech.words.get(f"correction.{method.correction or 'none'}", method.correction or "")
    yield speech.say(
        "tests", tests=named or n.count(None), confidence=n.share(method.confidence, 0), correction=correction
    )
    yield speech.say(
        f"looks.{method.looks}", look=n.count(method.look), looks=str(len(method.look_shares)),
        shares=", ".join(n.share(share, 0) for share in method.look_shares),
    )  # fmt: skip
    yield speech.say(
        "as_of", at=n.moment(report.as_of), until=n.day(report.data_until), version=method.segctl,
        data=method.data[:12], definition=method.definition[:12],
    )  # fmt: skip
    if method.definition_at_start not in (None, method.definition):
        yield speech.say("changed", before=str(method.definition_at_start)[:12])
    if speech.least:
        yield speech.say("small_why", k=str(speech.least))
    yield speech.say("explain_hint", name=report.experiment)
