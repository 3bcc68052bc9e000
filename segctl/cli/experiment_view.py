"""What `segctl experiment start|status|stop|assign` write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.experiment_status_words import keyed, said, titled
from segctl.cli.report_numbers import Numbers
from segctl.model.diagnostics import Severity
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from datetime import datetime

    from segctl.model.project import Language
    from segctl.operations.experiment.check import Checked
    from segctl.operations.experiment.run import Stopped
    from segctl.operations.experiment.status import ExperimentStatus
    from segctl.operations.session import Session
    from segctl.stats.srm import SplitTest

STATUS = (
    output.Column("experiment"),
    output.Column("state"),
    output.Column("segment"),
    output.Column("units", type="integer"),
    output.Column("split"),
    output.Column("days_left", "days left", type="number", digits=0),
    output.Column("next_look", "next look"),
    output.Column("last_look", "last look", extra=True),
    output.Column("note"),
)
FURTHER = (
    output.Column("title"),
    output.Column("started", type="time"),
    output.Column("stopped", type="time"),
    output.Column("reason"),
    output.Column("winner"),
    output.Column("split_p", type="number"),
    output.Column("split_p_daily", type="number"),
    output.Column("epochs", type="integer"),
    output.Column("size", type="integer"),
    output.Column("is_full", type="boolean"),
    output.Column("end", type="time"),
    output.Column("looks", type="integer"),
    output.Column("next_look_at", type="time"),
    output.Column("next_look_units", type="integer"),
)
ARMS = (
    output.Column("experiment"),
    output.Column("arm"),
    output.Column("sent", type="boolean"),
    output.Column("share", type="share"),
    output.Column("units", type="integer"),
    output.Column("people", type="integer"),
    output.Column("exposed", "window begun", type="integer"),
)
ONE_ARM = (output.Column("arm"), output.Column("sent", type="boolean"), output.Column("people", type="integer"))
ASSIGNED = (
    output.Column("profile_id"),
    output.Column("arm"),
    output.Column("unit", extra=True),
    output.Column("stratum", extra=True),
    output.Column("assigned_at", type="time", extra=True),
    output.Column("exposed_at", type="time", extra=True),
    output.Column("epoch", type="integer", extra=True),
)
CHECKS = (
    output.Column("check"),
    output.Column("result"),
    output.Column("count", type="integer"),
    output.Column("p", type="number", digits=4),
)
_SHOWN = 20


def write_start(ctx: Context, name: str | None, language: str | None = None) -> None:
    """Start an experiment, and tell what the next push will do."""
    from segctl.operations.experiment.assign import is_evaluated
    from segctl.operations.experiment.run import start
    from segctl.operations.session import open_session

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        done = start(session, named(session, name), now=ctx.now, dry_run=ctx.dry_run)
        at, is_known = session.local(done.at), is_evaluated(session, done.segment)
        tongue = _words(ctx, session, language)
    rows = [(arm, arm not in done.silent, 0) for arm in done.arms]
    facts = {
        "experiment": done.name, "segment": done.segment, "started": at.isoformat(timespec="seconds"),
        "destinations": ", ".join(done.destinations) or said("none", tongue), "definition": done.digest[:16],
    }  # fmt: skip
    columns: tuple[output.Column, ...] = ONE_ARM
    if ctx.format == "table":
        columns, rows = titled(_as_words(ONE_ARM), tongue), _sent_in_words(rows, tongue)
    output.write(
        ctx,
        output.Result(
            "segctl/experiment-start/1", columns, rows, noun="arms", is_report=True, facts=keyed(facts, tongue),
            run={"dry_run": ctx.dry_run},
        ),
    )  # fmt: skip
    if ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was started")
        return
    for to, people in done.there.items():
        if to in done.staying:
            hint = "take them out by hand, or start when the audience there is empty"
            messages.warning(ctx, f"`{to}` takes nobody out: who is held out stays there", hint=hint)
            continue
        messages.notice(ctx, f"{people:,} people of `{done.segment}` are at `{to}`: who is held out leaves")
    if not is_known:
        messages.notice(ctx, f"nobody knows yet who is in `{done.segment}`; next: segctl apply -s {done.segment}")
        return
    after = f"segctl push {done.segment} --dry-run" if done.destinations else f"segctl experiment assign {done.name}"
    messages.notice(ctx, f"nobody is assigned yet: that happens before the first push; next: {after}")


def write_stop(
    ctx: Context, name: str | None, winner: str | None, reason: str | None, language: str | None = None
) -> None:
    """Stop an experiment, and tell what that means."""
    from segctl.operations.experiment.run import stop
    from segctl.operations.session import open_session

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        asked = named(session, name)
        _ask_open(ctx, stop(session, asked, winner=winner, reason=reason, now=ctx.now, dry_run=True))
        done = stop(session, asked, winner=winner, reason=reason, now=ctx.now, dry_run=ctx.dry_run)
        at, tongue = session.local(done.at), _words(ctx, session, language)
    facts = {"experiment": done.name, "segment": done.segment, "stopped": at.isoformat(timespec="seconds"),
             "winner": done.winner, "reason": done.reason}  # fmt: skip
    output.write(
        ctx,
        output.Result(
            "segctl/experiment-stop/1", titled((ONE_ARM[0], ONE_ARM[2]), tongue), list(done.people.items()),
            noun="arms", is_report=True, facts=keyed({key: value for key, value in facts.items() if value}, tongue),
            run={"dry_run": ctx.dry_run},
        ),
    )  # fmt: skip
    if ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was stopped")
    else:
        messages.notice(ctx, f"nobody is held out for it any more; next: segctl report ab {done.name}")


def _ask_open(ctx: Context, planned: Stopped) -> None:
    """Windows that are still open are lost with the next push; on a terminal somebody says whether that is meant."""
    from segctl.cli.questions import confirm

    if not planned.open_windows:
        return
    text = (
        f"{planned.open_windows:,} windows of `{planned.name}` are still open; the next push of `{planned.segment}` "
        "tells everybody, and windows that are open then are left out of its report"
    )
    if ctx.terminal.interactive and not ctx.dry_run and not ctx.yes:
        confirm(ctx, f"{text}; stop?")
        return
    hint = f"`segctl pause {planned.segment}` until they are complete keeps them"
    messages.warning(ctx, text, hint=hint)


def write_status(ctx: Context, name: str | None, language: str | None = None) -> ExitCode:
    """How experiments stand; 1 when the split of one that runs is broken."""
    from segctl.operations.experiment.check import split_finding
    from segctl.operations.experiment.status import experiment_statuses
    from segctl.operations.session import open_session
    from segctl.operations.universal_share import share_findings

    with open_session(ctx.project, env=ctx.env) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        found = experiment_statuses(session, now=ctx.now, name=name)
        changed = tuple(share_findings(session, now=ctx.now))
        tongue = session.language(language)
        local = session.local
    is_table = ctx.format == "table"
    arms = [(one.name, arm.name, arm.is_sent, arm.share, arm.units, arm.people, arm.exposed)
            for one in found for arm in one.arms]  # fmt: skip
    troubles = [one.trouble for one in found if one.trouble is not None]
    broken = [
        split_finding(one.name, _split_p(one), is_failed=True)
        for one in found if one.state == "running" and one.verdict == "fail"
    ]  # fmt: skip
    code = ExitCode.FINDINGS if broken else ExitCode.OK
    # No other figure counts then, so it comes before them.
    messages.diagnostics(ctx, broken)
    output.write(
        ctx,
        output.Result(
            "segctl/experiment-status/1",
            titled(STATUS, tongue) if is_table else (*STATUS, *FURTHER),
            [_row(one, local, tongue, is_table=is_table) for one in found],
            noun="experiments",
            sections=(_arms(arms, tongue, is_table=is_table),) if arms else (),
            notes=() if found else ("segctl help experiments shows how to declare one",),
            diagnostics=(*broken, *changed),
            exit=code,
        ),
    )
    messages.diagnostics(ctx, changed)
    for trouble in troubles:
        messages.warning(ctx, f"{trouble.why}; `{trouble.segment}` is not sent", hint=trouble.remedy)
    return code


def _arms(rows: list[tuple[Any, ...]], language: Language, *, is_table: bool) -> output.Section:
    if not is_table:
        return output.Section("arms", "arms", ARMS, rows)
    share = Numbers(language).share
    told = [(*row[:3], share(row[3]), *row[4:]) for row in _sent_in_words(rows, language, at=2)]
    return output.Section("arms", said("arms", language), titled(_as_words(ARMS), language), told)


def _words(ctx: Context, session: Session, language: str | None) -> Language:
    """The language of a table; formats for machines keep their words."""
    return session.language(language) if ctx.format == "table" else "en"


def _as_words(columns: Sequence[output.Column]) -> list[output.Column]:
    return [replace(one, type="text") if one.name == "sent" else one for one in columns]


def _sent_in_words(rows: Iterable[tuple[Any, ...]], language: Language, *, at: int = 1) -> list[tuple[Any, ...]]:
    return [(*row[:at], said("yes" if row[at] else "no", language), *row[at + 1 :]) for row in rows]


def write_assign(ctx: Context, name: str | None, arm: str | None, *, is_sent: bool) -> None:
    """Assign who is not on record yet, and write who is in which arm."""
    from segctl.operations.experiment.assign import assign
    from segctl.operations.session import open_session

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        asked = named(session, name)
        found = assign(session, asked, now=ctx.now, is_sent=is_sent, arm=arm, dry_run=ctx.dry_run)
    is_cut = ctx.format == "table" and ctx.output is None and found.people.height > _SHOWN
    people = found.people.head(_SHOWN) if is_cut else found.people
    output.write(
        ctx,
        output.Result(
            "segctl/experiment-assign/1",
            ASSIGNED if ctx.format != "ids" else ASSIGNED[:1],
            people,
            noun="people",
            ids_column="profile_id",
            notes=(f"the first {_SHOWN} of {found.people.height:,}; --format csv writes all",) if is_cut else (),
            run={"dry_run": ctx.dry_run},
            document={"experiment": asked, "new": found.new, "exposed": found.exposed, "silent": list(found.silent)},
        ),
    )
    what = "would be assigned" if ctx.dry_run else "assigned now"
    silent = "".join(f"; nothing is sent to `{one}`" for one in found.silent)
    whom = "on record" if arm is None else f"on record in `{arm}`"
    of = f"{found.people.height:,} {whom}" + (" then" if ctx.dry_run else "")
    messages.notice(ctx, f"{of}: {found.new:,} {what}, {found.exposed:,} windows begun now{silent}")


def write_check(ctx: Context, name: str | None) -> ExitCode:
    """Is what is on record right; 1 when something is not."""
    from segctl.operations.experiment.check import check
    from segctl.operations.session import open_session

    with open_session(ctx.project, env=ctx.env) as session:
        found = check(session, named(session, name))
    is_bad = any(one.severity in (Severity.ERROR, Severity.WARNING) for one in found.findings)
    code = ExitCode.FINDINGS if is_bad else ExitCode.OK
    facts = {"experiment": found.name, "units": found.units, "people": found.profiles, "exposed": found.exposed}
    rows = _checks(found)
    if ctx.format == "table":
        rows = [(*row[:3], None if row[3] is None else Numbers("en").p(row[3])) for row in rows]
    output.write(
        ctx,
        output.Result(
            "segctl/experiment-check/1", CHECKS, rows, noun="checks", facts=facts,
            diagnostics=found.findings, exit=code,
        ),
    )  # fmt: skip
    messages.diagnostics(ctx, found.findings)
    return code


def named(session: Session, name: str | None) -> str:
    """The experiment that is meant; the only one when none is named."""
    known = session.definitions.experiments
    if name is not None:
        return name
    if len(known) == 1:
        return next(iter(known))
    hint = "`segctl ls experiments` lists them" if known else "`segctl help experiments` shows how to declare one"
    said = f"which of {len(known)} experiments?" if known else "the project declares no experiment"
    raise UsageError("SEG104", said, hint=hint)


def _row(
    one: ExperimentStatus, local: Callable[[datetime], datetime], language: Language, *, is_table: bool
) -> tuple[Any, ...]:
    words: Language = language if is_table else "en"

    def shown(at: datetime | None) -> object:
        return None if at is None else local(at).strftime("%Y-%m-%d %H:%M") if is_table else local(at)

    look = one.next_look
    due: object = None
    if look is not None:
        due = shown(look.at)
        if look.is_due:
            due = said("now", words)
        elif look.at is None:
            due = said("at {} units", words, Numbers(words).count(look.units))
    left = None if one.days_left is None else round(one.days_left, 1)
    verdict = None if one.verdict is None else said(one.verdict, words)
    row = (one.name, said(one.state, words), one.segment, one.units, verdict, left, due, shown(one.last_look),
           _note(one, words))  # fmt: skip
    if is_table:
        return row
    times = (None if at is None else local(at) for at in (one.started, one.stopped))
    return (
        *row, one.title, *times, one.reason, one.winner, None if one.split is None else one.split.p,
        None if one.watched is None else one.watched.p, one.epochs,
        one.size, one.is_full, None if one.end is None else local(one.end), one.looks,
        None if look is None or look.at is None else local(look.at), None if look is None else look.units,
    )  # fmt: skip


def _note(one: ExperimentStatus, language: Language) -> str | None:
    """The one thing to know about it."""
    if one.state == "running" and one.verdict == "fail":
        return said("split is broken", language)
    if one.trouble is not None:
        return said("changed: not sent" if one.trouble.code == "SEG957" else "not sent", language)
    if one.winner is not None:
        return said("winner: {}", language, one.winner)
    if one.state == "running" and one.is_full:
        return said("planned size reached", language)
    return None


def _split_p(one: ExperimentStatus) -> float | None:
    """The p that its verdict rests on."""
    if one.split is None or one.watched is None:
        return None if one.split is None else one.split.p
    return one.watched.p


def _checks(found: Checked) -> list[tuple[Any, ...]]:
    def counted(words: str, count: int) -> tuple[Any, ...]:
        return (words, "ok" if not count else "wrong", count, None)

    dealt = ("arms are those of the hashes", "dealt within strata", None, None)
    rows = [
        dealt if found.is_dealt else counted("arms are those of the hashes", found.differing),
        *([("dealt elsewhere", "not hashed", found.imported, None)] if found.imported else []),
        counted("inside traffic and layer", found.outside),
        counted("one arm for each unit", found.two_arms),
        ("one arm for each person", "ok" if not found.merged else "merged", found.merged, None),
        _split("split as declared", found.split),
    ]
    for by, group in found.groups.items():
        p = None if group.worst is None else group.p.get(group.worst)
        rows.append((f"split by {by}", group.verdict or "too few", len(group.tests), p))
    return rows


def _split(words: str, split: SplitTest | None) -> tuple[Any, ...]:
    if split is None or split.verdict is None:
        return (words, "nobody yet", 0, None)
    return (words, split.verdict, sum(split.counts), split.p)
