"""`segctl report ab`: one experiment, its numbers explained, or the list of all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.cli import output
from segctl.cli.report_asked import moment, write
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from segctl.cli.context import Context
    from segctl.cli.report_asked import Asked
    from segctl.cli.report_document import Document
    from segctl.cli.report_speech import AbSpeech
    from segctl.model.project import Language
    from segctl.operations.ab.parts import ArmValue, MetricReport
    from segctl.operations.ab.result import AbReport, RunningExperiment
    from segctl.operations.session import Session

LIST = (
    output.Column("experiment"),
    output.Column("title"),
    output.Column("state"),
    output.Column("segment"),
    output.Column("arms", type="object"),
    output.Column("began", type="time"),
    output.Column("ends", type="time"),
    output.Column("done", type="share", bar=True),
)
_REAL = (
    "value", "value_low", "value_high", "sd", "difference", "difference_low", "difference_high", "lift", "lift_low",
    "lift_high", "p", "p_adjusted", "log_p", "se", "df",
)  # fmt: skip
ROWS = (
    output.Column("metric"),
    output.Column("role"),
    output.Column("kind"),
    output.Column("arm"),
    output.Column("is_control", type="boolean"),
    output.Column("n", type="integer"),
    output.Column("events", type="integer"),
    *(output.Column(name, type="number") for name in _REAL),
    output.Column("test"),
    output.Column("basis"),
    output.Column("verdict"),
    output.Column("held"),
    output.Column("flags", type="list"),
    output.Column("why"),
    output.Column("unit"),
)
EXPLAINED = (
    output.Column("number"),
    output.Column("value"),
    output.Column("formula"),
    output.Column("inputs", type="object"),
    output.Column("source"),
)


def run(ctx: Context, session: Session, asked: Asked) -> ExitCode:
    """Report on the experiment that was named, or list all."""
    asked.only("names", "by", "anyway", "explain", "details", "least", "html", "markdown")
    language = session.language(asked.language)
    if not asked.names:
        return _list(ctx, session, asked, language)
    if len(asked.names) > 1 and not asked.explain:
        raise UsageError(
            "SEG988", f"`{asked.names[1]}` stands behind the experiment `{asked.names[0]}`",
            hint="name one experiment; names of numbers stand behind `--explain`",
        )  # fmt: skip
    found = local(session, session_report(ctx, session, asked))
    if asked.explain:
        return _explain(ctx, session, asked, found, language)
    from segctl.cli.report_ab_story import document

    least = asked.least or 0
    told = document(found, language, anyway=asked.anyway, least=least)
    code = ExitCode.FINDINGS if found.headline.state == "not_usable" and not asked.anyway else ExitCode.OK
    write(ctx, session, asked, told, lambda: result(withheld(found, anyway=asked.anyway), code, least=least))
    return code


def session_report(ctx: Context, session: Session, asked: Asked) -> AbReport:
    """The report on the experiment that was named, as of the call's time."""
    from segctl.operations.ab.ab import report_ab

    return report_ab(session, asked.names[0], now=moment(ctx, session), by=asked.by, clock=ctx.now)


def local(session: Session, found: AbReport) -> AbReport:
    """With instants in the project's zone, for showing."""
    moments = ("as_of", "began", "started", "last_exposed", "stopped", "data_until")
    here = {name: None if (at := getattr(found, name)) is None else session.local(at) for name in moments}
    after = found.next
    ends = {
        name: None if (at := getattr(after, name)) is None else session.local(at)
        for name in ("planned_end", "end_of_windows")
    }
    changes: dict[str, Any] = {**here, "next": replace(after, **ends)}  # type: ignore[arg-type]  # instants by name
    return replace(found, **changes)


def withheld(found: AbReport, *, anyway: bool) -> AbReport:
    """Without its numbers, where these cannot be used and were not asked for all the same."""
    if found.usable or anyway:
        return found
    head = replace(
        found.headline, control=None, value=None, difference=None, lift=None, extra=None, ruled_out=None, p=None
    )
    return replace(found, headline=head, metrics=(), money=(), groups=(), trend=None, allocation=None)


def result(found: AbReport, code: ExitCode, *, least: int = 0) -> output.Result:
    """For machines: a row for each metric and arm; everything else in the document. None of it tells small counts."""
    from segctl.cli.report_speech import AbSpeech
    from segctl.cli.small_experiments import told, told_document

    speech = AbSpeech(found, "en", least=least)
    kept = told(speech)
    document = {"report": told_document(speech, kept)} | ({"suppressed_below": least} if least else {})
    return output.Result(
        "segctl/report-ab/1", ROWS, list(_rows(speech, kept)), noun="figures", document=document,
        run={"as_of": found.as_of}, exit=code, reason="not_usable" if code else None,
    )  # fmt: skip


def _rows(speech: AbSpeech, kept: AbReport) -> Iterator[Mapping[str, Any]]:
    from segctl.cli.small_experiments import hidden_arm

    found = speech.report
    for whole, metric in zip(found.metrics, kept.metrics, strict=True):
        shown = {one.arm: one for one in metric.arms}
        for value in whole.arms:
            one = shown.get(value.arm)
            if one is None:
                yield hidden_arm(metric, value, found.control, is_few=speech.is_small(value.n))
                continue
            yield {
                "metric": metric.name, "role": metric.role, "kind": metric.kind, "arm": one.arm,
                "is_control": one.arm == found.control, "n": one.n, "events": one.events, "sd": one.sd,
                "unit": metric.unit, **_limits("value", one), **_effect(metric, one),
            }  # fmt: skip


def _limits(name: str, one: ArmValue) -> dict[str, Any]:
    return {name: one.value.estimate, f"{name}_low": one.value.low, f"{name}_high": one.value.high}


def _effect(metric: MetricReport, one: ArmValue) -> dict[str, Any]:
    effect = metric.effect(one.arm)
    if effect is None:
        return {"why": one.value.why}
    of = effect.compared
    found: dict[str, Any] = {"p": of.p, "p_adjusted": effect.p_adjusted, "log_p": of.log_p, "se": of.se, "df": of.df}
    for name, interval in (("difference", effect.told), ("lift", effect.told_lift)):
        found |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    why = of.why or of.difference.why or of.lift.why
    found |= {"test": of.test, "basis": effect.basis, "verdict": effect.verdict, "held": effect.held}
    return found | {"flags": [str(flag) for flag in of.flags], "why": why}


def _explain(ctx: Context, session: Session, asked: Asked, found: AbReport, language: Language) -> ExitCode:
    from segctl.cli.report_explain import document, explained
    from segctl.cli.report_formulas import formula
    from segctl.cli.report_speech import AbSpeech
    from segctl.cli.small_experiments import told as without_small

    kept = without_small(AbSpeech(withheld(found, anyway=asked.anyway), language, least=asked.least or 0))
    numbers = explained(kept, language, asked.names[1:])
    told = document(found, language, numbers)
    rows = [(one.name, one.value, formula(one.method, language), dict(one.inputs), one.source) for one in numbers]
    write(
        ctx, session, asked, told,
        lambda: output.Result("segctl/report-ab-numbers/1", EXPLAINED, rows, noun="numbers", ids_column="number"),
    )  # fmt: skip
    return ExitCode.OK


# --- The list ---------------------------------------------------------------------------------------------
def _list(ctx: Context, session: Session, asked: Asked, language: Language) -> ExitCode:
    from segctl.operations.ab.ab import running

    least = asked.least or 0
    found = running(session, now=ctx.now)
    rows = [
        (one.experiment, one.title, one.state, one.segment,
         dict.fromkeys(one.arms) if least else one.arms, one.began, one.ends, None if least else one.share)
        for one in found
    ]  # fmt: skip
    told = list_document(session, found, language, least=least)
    write(
        ctx, session, asked, told,
        lambda: output.Result("segctl/report-ab-list/1", LIST, rows, noun="experiments", ids_column="experiment"),
    )  # fmt: skip
    return ExitCode.OK


def list_document(
    session: Session, found: Sequence[RunningExperiment], language: Language, *, least: int = 0
) -> Document:
    """The list of experiments in words.

    With `least` it tells no counts: beside an experiment's own report, who was assigned gives away who was left out.
    """
    from segctl.cli.report_document import Document, Grid, Section, Words
    from segctl.cli.report_speech import Speech

    speech = Speech(language, least=least)
    words, n = speech.words, speech.n
    if not found:
        return Document(words["list_title"], language, (), (Words((words["list_none"],)),), ())
    heads = tuple(words[key] for key in ("experiment", "state", "segment_head", "arms", "began", "ends", "done"))
    rows = []
    for one in found:
        state = words[f"run.{one.state}"] + ("" if one.is_declared else f" ({words['gone']})")
        arms = ", ".join(arm if least else f"{arm} {n.count(units)}" for arm, units in one.arms.items())
        began, ends = (n.day(None if at is None else session.local(at)) for at in (one.began, one.ends))
        # The share of a planned size is one of all arms together.
        done = words["hidden"] if least else n.share(one.share, 0)
        rows.append((one.experiment, state, one.segment or "", arms, began, ends, done))
    grid = Grid(words["list_title"], heads, tuple(rows), (6,))
    section = Section("experiments", words["list_title"], (grid,))
    return Document(words["list_title"], language, (), (), (section,), (words["list_next"],))
