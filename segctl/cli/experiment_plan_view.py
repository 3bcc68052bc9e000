"""What `segctl experiment plan` writes: sentences, tables and the curve of effects against sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.experiment_plan_words import PlanWords
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.model.project import Definitions, Language
    from segctl.operations.experiment.options import Said
    from segctl.operations.experiment.plan_result import ExperimentPlan
    from segctl.operations.session import Session
    from segctl.stats.power import Figure

METRICS = (
    output.Column("metric"),
    output.Column("role"),
    output.Column("baseline", type="number", digits=4),
    output.Column("sd", type="number", digits=4, extra=True),
    output.Column("unit", extra=True),
    output.Column("measured_on", "measured on", type="integer", extra=True),
    output.Column("needed", type="integer"),
    output.Column("smallest_now", "smallest now", type="share"),
    output.Column("covariate_saves", "covariate saves", type="share", extra=True),
    output.Column("formula", extra=True),
)
ARMS = (
    output.Column("arm"),
    output.Column("sent", type="boolean"),
    output.Column("share", type="share"),
    output.Column("units", "units needed", type="integer"),
    output.Column("units_now", "units now", type="integer"),
)
SPLITS = (
    output.Column("control", type="share"),
    output.Column("units", "units needed", type="integer"),
    output.Column("days", type="integer"),
    output.Column("smallest_now", "smallest now", type="share"),
    output.Column("declared", "this plan", type="boolean"),
)
CURVE = (
    output.Column("units", type="integer"),
    output.Column("smallest", "smallest effect", type="share", bar=True),
    output.Column("absolute", type="number", digits=4, extra=True),
)


def write_plan(ctx: Context, said: Said, *, members: int | None, per_day: float | None, language: str | None) -> None:
    """Plan an experiment and write the plan; no data are needed where everything is given."""
    from segctl.operations.session import bound_definitions, open_session

    if said.baseline is not None and members is not None:
        definitions, warnings = bound_definitions(ctx.project, env=ctx.env)
        messages.diagnostics(ctx, warnings, root=Path(definitions.project.root))
        found = _plan(ctx, definitions, None, said, members, per_day)
    else:
        with open_session(ctx.project, env=ctx.env) as session:
            messages.diagnostics(ctx, session.warnings, root=session.root)
            definitions = session.definitions
            found = _plan(ctx, definitions, session, said, members, per_day)
    zone = ZoneInfo(definitions.project.timezone)
    spoken: Language = "de" if (language or definitions.project.language) == "de" else "en"
    words = PlanWords(found, spoken, lambda at: at.astimezone(zone))
    result = _result(found, words, spoken)
    output.write(ctx, _told(ctx, result, found, words, spoken) if ctx.format == "table" else result)


def _plan(
    ctx: Context,
    definitions: Definitions,
    session: Session | None,
    said: Said,
    members: int | None,
    per_day: float | None,
) -> ExperimentPlan:
    from segctl.operations.experiment.options import experiment_of, given_effect, given_figure
    from segctl.operations.experiment.plan import experiment_plan, plan_without_data
    from segctl.operations.experiment.plan_result import Given
    from segctl.operations.session import instant

    project = definitions.project
    if (members is not None and members < 1) or not 0 <= (per_day or 0.0) < 1e9:
        raise UsageError("SEG104", "`--members` is at least 1, and `--per-day` 0 or more")
    as_of = instant(ctx.as_of, ctx.now, project.timezone)
    experiment, is_declared = experiment_of(definitions, said)
    given = Given(given_figure(said, project), members, per_day, given_effect(said, project))
    if session is None:
        found = plan_without_data(project, experiment, as_of=as_of, given=given, is_declared=is_declared)
    else:
        found = experiment_plan(session, experiment, as_of=as_of, now=ctx.now, given=given, is_declared=is_declared)
    arms = len(definitions.experiments[experiment.name].arms) if is_declared else None
    return replace(found, declared_arms=arms)


def _result(found: ExperimentPlan, words: PlanWords, language: Language) -> output.Result:
    sections = (
        output.Section("arms", words.heading("arms"), ARMS, _arms(found)),
        output.Section("splits", words.heading("splits"), SPLITS, _splits(found)),
        output.Section("curve", words.heading("curve"), CURVE, _curve(found)),
    )
    return output.Result(
        "segctl/experiment-plan/1",
        METRICS,
        _metrics(found),
        text=words.lines(),
        sections=tuple(section for section in sections if section.rows),
        notes=words.notes(),
        document={"language": language, "plan": _document(found)},
    )


def _told(
    ctx: Context, made: output.Result, found: ExperimentPlan, words: PlanWords, language: Language
) -> output.Result:
    """The same for people: rates in percent, numbers and heads in their language, sentences that fit."""
    from dataclasses import replace

    from segctl.cli.experiment_plan_tables import fitted, spoken

    shown = [
        (*row[:2], words.baseline(one.figure, one.metric.unit), *row[3:])
        for row, one in zip(_metrics(found), found.metrics, strict=True)
    ]
    columns, rows = spoken(ctx, METRICS, shown, language)
    sections = []
    for section in made.sections:
        heads, cells = spoken(ctx, section.columns, section.rows, language)
        sections.append(replace(section, columns=heads, rows=cells))
    return replace(
        made, columns=columns, rows=rows, sections=tuple(sections), text=fitted(ctx, made.text),
        notes=fitted(ctx, made.notes),
    )  # fmt: skip


def _metrics(found: ExperimentPlan) -> list[tuple[Any, ...]]:
    return [
        (
            one.metric.name, one.metric.role, _baseline(one.figure), _sd(one.figure), one.metric.unit, one.units,
            None if one.size is None else one.size.total, None if one.at_hand is None else one.at_hand.relative,
            one.saving if one.is_adjusted else None, None if one.size is None else one.size.formula,
        )
        for one in found.metrics
    ]  # fmt: skip


def _arms(found: ExperimentPlan) -> list[tuple[Any, ...]]:
    weights = [float(arm.weight) for arm in found.experiment.arms]
    size = found.first.size
    needed = size.arms if size is not None and size.arms else (None,) * len(weights)
    return [
        (arm.name, arm.is_sent, weight / sum(weights), units, now)
        for arm, weight, units, now in zip(
            found.experiment.arms, weights, needed, dealt(found.units, weights), strict=True
        )
    ]


def dealt(units: int, weights: Sequence[float]) -> list[int]:
    """Whole units of each arm that add up to all; the largest remainders are rounded up, earlier arms first.

    >>> dealt(48, [0.2, 0.4, 0.4])
    [10, 19, 19]
    """
    exact = [units * weight / sum(weights) for weight in weights]
    found = [int(one) for one in exact]
    for at in sorted(range(len(exact)), key=lambda one: found[one] - exact[one])[: units - sum(found)]:
        found[at] += 1
    return found


def _splits(found: ExperimentPlan) -> list[tuple[Any, ...]]:
    return [(one.control, one.total, one.days, one.at_hand, one.is_declared) for one in found.splits]


def _curve(found: ExperimentPlan) -> list[tuple[Any, ...]]:
    return [(round(one.total), one.relative, one.absolute) for one in found.curve]


def _baseline(figure: Figure | None) -> float | None:
    return None if figure is None else figure.baseline


def _sd(figure: Figure | None) -> float | None:
    return getattr(figure, "sd", None)


def _document(found: ExperimentPlan) -> dict[str, Any]:
    """Everything that a sentence was made of, for JSON."""
    experiment = found.experiment
    return {
        "experiment": experiment.name if found.is_declared else None,
        "segment": experiment.segment,
        "unit": experiment.same or "profile",
        "as_of": found.as_of,
        "verdict": found.verdict,
        "declared_arms": found.declared_arms,
        "told_already": found.told,
        "metric": found.first.metric.name,
        "effect": experiment.effect,
        "confidence": experiment.confidence,
        "power": experiment.power,
        "comparisons": found.tests,
        "looks": experiment.looks,
        "look_shares": list(experiment.look_shares),
        "looks_factor": found.inflation,
        "window": str(experiment.window),
        "past_window": {"from": found.basis.first, "to": found.basis.last, "units": found.basis.then},
        "data_end_early": found.basis.is_behind,
        "members": found.basis.members,
        "units": found.basis.units,
        "reach": found.basis.reach,
        "taking_part": found.taking_part,
        "units_taking_part": found.units,
        "units_per_day": found.per_day,
        "units_per_day_from": found.basis.arrivals_from,
        "run": None if found.run is None else asdict(found.run),
        "at_end": None if found.at_end is None else asdict(found.at_end),
        "clusters": None if found.clusters is None else asdict(found.clusters),
    }
