"""`report ab`: one experiment with everything that is known of it, or the list of those that run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl import __version__
from segctl.model.errors import UsageError
from segctl.operations.ab import checks as ab_checks
from segctl.operations.ab import checks_metrics as ab_checks_metrics
from segctl.operations.ab.parts import ArmFacts
from segctl.operations.ab.promised import plan_kept
from segctl.operations.ab.result import AbReport, Method, RunningExperiment
from segctl.stats.effective import UNRELIABLE

if TYPE_CHECKING:
    from segctl.model.experiments import Experiment
    from segctl.operations.ab.contacts import Reached
    from segctl.operations.ab.design import Stage
    from segctl.operations.ab.parts import Check, MetricReport
    from segctl.operations.ab.trial import Trial
    from segctl.operations.session import Session

TESTS = {"conversion": "score", "mean": "welch", "ratio": "delta", "time": "welch"}


def report_ab(
    session: Session,
    name: str,
    *,
    now: datetime,
    by: Sequence[str] = (),
    command: str = "report ab",
    look: bool = True,
    clock: datetime | None = None,
) -> AbReport:
    """Report on an experiment as it stands.

    Args:
        session: Open project and workspace.
        name: Of the experiment, as declared.
        now: Events and assignments after it do not count.
        by: Traits and segments by whose groups the first primary metric is shown as well.
        command: That is put on record as having shown results.
        look: Put it on record, while there is more to come; False where nobody sees the figures.
        clock: When somebody looks; `now` when left out. A look is never later than that.

    Raises:
        UsageError: No such experiment, or something to group by that does not exist.
    """
    from segctl.operations.ab.trial import trial
    from segctl.state.experiments import add_look

    experiment = declared(session, name)
    of = trial(session, experiment, as_of=now)
    found = reported(of, by=by)
    # After a stop, looks at windows that are still getting complete cost as much as before.
    is_open = of.record is not None and (of.record.stopped is None or of.ripens)
    if look and is_open and any(arm.analysed for arm in found.arms):
        add_look(session.workspace, experiment.key, at=now if clock is None else min(now, clock), command=command)
    return found


def refuse_future(session: Session, at: datetime, *, clock: datetime) -> None:
    """Refuse to report as of a time that has not come, unless there are events of then, such as simulated ones.

    Windows would pass for complete, and a planned end for reached, on which nothing has happened yet.

    Raises:
        UsageError: The time lies ahead of the clock and of all events.
    """
    from segctl.operations.evaluation import event_part

    if at <= clock:
        return
    workspace = session.workspace
    newest = (event_part(file).max_ts for file in workspace.files("events", workspace.snapshot()))
    if not any(one is not None and one > clock for one in newest):
        raise UsageError(
            "SEG989", f"{session.local(at):%Y-%m-%d %H:%M} is in the future, and nothing is known of it",
            why="windows would count as complete that are still open, and a planned end as reached",
            hint="leave `--as-of` out; it is for times in the past, and for simulated events",
        )  # fmt: skip


def declared(session: Session, name: str) -> Experiment:
    """The experiment of that name.

    Raises:
        UsageError: There is none.
    """
    from segctl.compile.suggest import nearest

    known = session.definitions.experiments
    if name in known:
        return known[name]
    near = nearest(name, known)
    hint = f"did you mean `{near}`?" if near else "`segctl report ab` lists them"
    raise UsageError("SEG966", f"there is no experiment `{name}`", hint=hint)


def reported(of: Trial, *, by: Sequence[str] = ()) -> AbReport:
    """The whole report on an experiment that was read."""
    from segctl.operations.ab.contacts import reached
    from segctl.operations.ab.design import stage
    from segctl.operations.ab.grouped import groupings, trend
    from segctl.operations.ab.headline import headline
    from segctl.operations.ab.metrics import metric_reports
    from segctl.operations.ab.money import money_reports, with_compliance
    from segctl.operations.ab.outlook import allocation, beliefs, outlook

    at, contacts = stage(of), reached(of)
    metrics = with_compliance(of, metric_reports(of, at), contacts)
    metrics = tuple(
        replace(one, beliefs=beliefs(of, metric)) if metric.role == "primary" else one
        for metric, one in zip(of.experiment.metrics, metrics, strict=True)
    )
    groups, weeks, ahead = groupings(of, at, by), trend(of), outlook(of, at)
    checks = _checks(of, at, contacts, metrics)
    checks = (*checks, ab_checks_metrics.power(of, ahead), ab_checks_metrics.novelty(weeks))
    first = headline(of, at, metrics, checks)
    usable = first.state not in ("not_usable", "nothing_yet")
    claim = usable and first.state not in ("too_small", "too_early") and not _money_rests_on_few(of)
    return _assembled(
        of, at, checks, metrics, contacts,
        headline=first, money=money_reports(of, metrics, contacts, claim=claim), groups=groups, trend=weeks,
        allocation=allocation(of), next=ahead, usable=usable,
    )  # fmt: skip


def _money_rests_on_few(of: Trial) -> bool:
    """The interval of revenue is too narrow to promise a profit by."""
    revenue = next((one for one in of.experiment.metrics if one.is_money), None)
    worth = None if revenue is None else ab_checks_metrics.rests_on(of, revenue)
    return worth is not None and worth < UNRELIABLE


def _checks(of: Trial, at: Stage, contacts: Reached, metrics: Sequence[MetricReport]) -> tuple[Check, ...]:
    from segctl.operations.ab.contacts import contamination

    return (
        ab_checks.split(of),
        contamination(of, contacts),
        ab_checks.peeking(of, at),
        plan_kept(of.changes),
        ab_checks.maturity(of),
        ab_checks.two_arms(of),
        ab_checks.multiplicity(of),
        ab_checks_metrics.simpson(of),
        ab_checks_metrics.imbalance(of),
        ab_checks_metrics.outliers(of),
        ab_checks_metrics.baseline(metrics),
        ab_checks.interference(of),
    )


def _assembled(
    of: Trial,
    at: Stage,
    checks: tuple[Check, ...],
    metrics: tuple[MetricReport, ...],
    contacts: Reached,
    **parts: Any,  # noqa: ANN401 - the other attributes of the report by name
) -> AbReport:
    experiment, record = of.experiment, of.record
    return AbReport(
        experiment=experiment.name,
        title=experiment.title,
        hypothesis=experiment.hypothesis,
        segment=experiment.segment,
        unit=experiment.same or "profile",
        arms=_arms(of, contacts),
        control=experiment.control,
        window=str(experiment.window),
        as_of=of.as_of,
        began=of.edge("assigned"),
        last_exposed=of.edge("exposed", newest=True),
        started=record.started if record is not None else None,
        stopped=record.stopped if record is not None else None,
        stop_reason=record.reason if record is not None else None,
        winner=record.winner if record is not None else None,
        data_until=of.data_until,
        checks=checks,
        metrics=metrics,
        method=_method(of, at, metrics),
        **parts,
    )


def _arms(of: Trial, contacts: Reached) -> tuple[ArmFacts, ...]:
    from segctl.operations.ab.contacts import messages

    whole = sum(float(arm.weight) for arm in of.experiment.arms)
    assigned = dict(of.units.everybody.group_by("arm").len().iter_rows())
    standing = {word: of.units.counts(word) for word in ("young", "beyond", "two_arms", "unexposed")}
    return tuple(
        ArmFacts(
            arm.name, arm.name == of.experiment.control, arm.is_sent, float(arm.weight) / whole,
            int(assigned.get(arm.name, 0)), of.analysed[arm.name], standing["young"].get(arm.name, 0),
            standing["two_arms"].get(arm.name, 0), standing["unexposed"].get(arm.name, 0),
            of.profiles[arm.name], messages(of, contacts, arm.name) if arm.is_sent else None,
            None if arm.cost is None else float(arm.cost), arm.title, standing["beyond"].get(arm.name, 0),
        )
        for arm in of.experiment.arms
    )  # fmt: skip


def _method(of: Trial, at: Stage, metrics: Sequence[MetricReport]) -> Method:
    from segctl.operations.experiment.frozen import definition_of, frozen_digest

    experiment = of.experiment
    definition = frozen_digest(definition_of(of.declared or experiment))
    corrected = any(one.role == "primary" and one.correction for one in metrics)
    data = json.dumps([experiment.key, of.snapshot, of.as_of.isoformat(), definition])
    return Method(
        float(experiment.confidence), float(experiment.power), {one.name: TESTS[one.kind] for one in metrics},
        "holm" if corrected else None, experiment.looks, at.basis,
        tuple(float(share) for share in experiment.look_shares), at.looks[-1].number if at.looks else None,
        __version__, hashlib.sha256(data.encode()).hexdigest()[:16], definition[:16],
        of.record.digest[:16] if of.record is not None else None,
    )  # fmt: skip


# --- The list ---------------------------------------------------------------------------------------------
def running(session: Session, *, now: datetime) -> tuple[RunningExperiment, ...]:
    """Every experiment that is declared or on record; those that run first, then by name."""
    from segctl.state.experiments import records

    on_record = records(session.workspace)
    names = {one.key: one.name for one in session.definitions.experiments.values()}
    found = [_line(session, one.key, one.name, now) for one in session.definitions.experiments.values()]
    found += [_line(session, key, key, now) for key in on_record if key not in names]
    order = {"running": 0, "planned": 1, "stopped": 2}
    return tuple(sorted(found, key=lambda one: (order[one.state], one.experiment)))


def _line(session: Session, key: str, name: str, now: datetime) -> RunningExperiment:
    from segctl.operations.ab.trial import trial
    from segctl.state.assignments import assignment_counts
    from segctl.state.experiments import record

    experiment = session.definitions.experiments.get(name)
    found = record(session.workspace, key)
    counts = {arm: number for arm, (number, _) in assignment_counts(session.workspace, key).items()}
    is_over = found is not None and found.stopped is not None and found.stopped <= now
    state = "planned" if found is None and not counts else "stopped" if is_over else "running"
    began = found.started if found is not None else None
    share = None
    if experiment is not None and experiment.size is not None and counts:
        share = min(sum(trial(session, experiment, as_of=now).analysed.values()) / experiment.size, 1.0)
    elif experiment is not None and experiment.end is not None and began is not None and experiment.end > began:
        share = min(max((now - began) / (experiment.end - began), 0.0), 1.0)
    return RunningExperiment(
        name,
        experiment.title if experiment is not None else None,
        experiment.segment if experiment is not None else None,
        state,  # type: ignore[arg-type]  # one of the three words
        counts,
        began,
        experiment.end if experiment is not None else None,
        share,
        experiment is not None,
    )
