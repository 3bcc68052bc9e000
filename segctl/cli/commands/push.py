"""Send audiences to destinations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output, questions
from segctl.cli.context import Context
from segctl.cli.options import TIME, Allow, Argument, Option, Reason, verb
from segctl.cli.progress import listener
from segctl.model.errors import Refused, UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.push.push import Asked
    from segctl.operations.push.result import Outcome, Pushed
    from segctl.operations.push.work import Part
    from segctl.operations.session import Session

EXAMPLES = (
    ("segctl push", "List what would be sent everywhere, and ask."),
    ("segctl push winback --to mailer", "One segment to one destination."),
    ("segctl push plan.json", "Exactly what a plan of `segctl plan -o plan.json` says, or nothing."),
    ("segctl push --all --dry-run --json", "The exact requests, counts and cost; nothing is sent."),
    ("segctl push --retry-failed --preview", "What was not accepted so far, and why."),
)
EXITS = {
    4: "a guard, a backlog of removals or a missing confirmation refuses; people who withdrew were taken out",
    5: "some rows were not accepted, or somebody who withdrew is still there; a rerun continues",
    75: "a destination takes nothing now; run it again later",
}
SEE_ALSO = ("segctl help push", "segctl plan --help", "segctl apply --help", "segctl pause --help")


@verb(without=TIME, formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    names: Annotated[
        list[str], Argument("SEGMENT", help="Segments, or one file of `segctl plan -o`.", complete="segments")
    ] = (),  # type: ignore[assignment]  # a list arrives as a tuple
    to: Annotated[
        list[str], Option("--to", metavar="DEST", help="Only this destination. Repeatable.", complete="destinations")
    ] = (),  # type: ignore[assignment]  # likewise
    everything: Annotated[bool, Option("--all", help="Every segment and destination, without a question.")] = False,
    mode: Annotated[
        str | None,
        Option("--mode", metavar="MODE", help="Instead of the destination's own.", choices=("mirror", "add", "update")),
    ] = None,
    retry_failed: Annotated[bool, Option("--retry-failed", help="Only rows that were not accepted so far.")] = False,
    preview: Annotated[bool, Option("--preview", help="With --retry-failed: list these rows, send nothing.")] = False,
    confirm: Annotated[
        list[str],
        Option("--confirm", metavar="NAME", help="Segment of which many people may be taken out at once. Repeatable."),
    ] = (),  # type: ignore[assignment]  # likewise
    same_place: Annotated[
        list[str],
        Option(
            "--same-place",
            metavar="DEST",
            help="It points where it did, only spelled otherwise. Repeatable.",
            complete="destinations",
        ),
    ] = (),  # type: ignore[assignment]  # likewise
    show_personal: Annotated[
        bool, Option("--show-personal", help="With --dry-run: requests with the people in them.")
    ] = False,
    allow: Allow = (),  # type: ignore[assignment]  # likewise
    reason: Reason = None,
) -> ExitCode | None:
    """Bring destinations to what their audiences are.

    An audience is the membership in force behind the gate: identifier, consent, suppression, caps, holdout, priority.
    Only what differs from what the destination accepted is sent, removals first. Consent is asked again before each
    call; who withdraws meanwhile is taken out again at once. A push that was killed is continued by the next one.
    """
    from dataclasses import replace

    from segctl.operations.session import open_session
    from segctl.operations.universal_share import share_findings

    _refuse_nonsense(ctx, names, everything=everything, retry_failed=retry_failed, preview=preview)
    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        if len(names) == 1 and names[0].endswith(".json"):
            has_more = bool(to or ctx.select or ctx.exclude or mode or allow or reason or retry_failed or same_place)
            asked = _planned(session, names[0], has_more=has_more)
            if (before := _carried_out(session, asked)) is not None:
                messages.notice(ctx, f"the plan was carried out before, as the push {before}: nothing to do")
                return ExitCode.OK
        else:
            asked = _asked(ctx, session, names, to, mode, allow, reason, retries=retry_failed)
            asked = replace(asked, same_place=tuple(same_place))
        if preview:
            return _preview(ctx, session, asked)
        messages.diagnostics(ctx, share_findings(session, now=ctx.now))
        is_named = bool(names or ctx.select or everything or ctx.yes)
        return _pushed(ctx, session, asked, confirm, is_named=is_named, show_personal=show_personal)


def _refuse_nonsense(
    ctx: Context, names: Sequence[str], *, everything: bool, retry_failed: bool, preview: bool
) -> None:
    if preview and not retry_failed:
        raise UsageError(
            "SEG879", "`--preview` lists what `--retry-failed` would send",
            hint="write `segctl push --retry-failed --preview`, or `--dry-run` for what a push would send",
        )  # fmt: skip
    if everything and (names or ctx.select):
        raise UsageError("SEG878", "`--all` and names together", hint="write the names, or `--all`")
    is_named = names or ctx.select or everything or ctx.yes or ctx.dry_run or preview
    if not is_named and not ctx.terminal.interactive:
        raise Refused(
            "SEG870", "nobody can be asked what to push; nothing was sent",
            hint="name segments, or write `--all`; `--dry-run` shows what it would be",
        )  # fmt: skip


def _asked(
    ctx: Context,
    session: Session,
    names: Sequence[str],
    to: Sequence[str],
    mode: str | None,
    allow: list[str],
    reason: str | None,
    *,
    retries: bool,
) -> Asked:
    from dataclasses import replace

    from segctl.operations.apply import allowances
    from segctl.operations.push.push import Asked

    selection = replace(ctx.selection, select=(*names, *ctx.select))
    return Asked(
        selection=selection,
        to=tuple(to) or None,
        mode=mode,  # type: ignore[arg-type]  # one of the choices
        retries=retries,
        allowed=allowances(session, allow, reason),
        is_everything=not selection.select and not selection.exclude,
    )


def _planned(session: Session, path: str, *, has_more: bool) -> Asked:
    """What a saved plan says of a push.

    Raises:
        UsageError: No plan, one for something else, or options beside it.
    """
    from pathlib import Path

    from segctl.operations.plan.file import read_plan, refuse_elsewhere
    from segctl.operations.push.push import Asked

    if has_more:
        raise UsageError(
            "SEG876", f"`{path}` says already what is sent where, and what is allowed",
            hint="leave the other options out, or make another plan",
        )  # fmt: skip
    plan = read_plan(Path(path))
    refuse_elsewhere(session, plan)
    if not plan.push:
        raise UsageError("SEG877", f"`{path}` sends nothing", hint="none of its segments goes to a destination")
    return Asked(selection=plan.selection, allowed=plan.allowed, is_everything=False, plan=plan)


def _carried_out(session: Session, asked: Asked) -> str | None:
    """Id of the push that has done all of the plan."""
    from segctl.state.deliveries_log import pushes

    wanted = asked.plan.id if asked.plan is not None else None
    found = (one.id for one in pushes(session.workspace) if one.note.get("plan") == wanted and one.status == "ok")
    return next(found, None)


def _preview(ctx: Context, session: Session, asked: Asked) -> ExitCode:
    from segctl.cli import push_view
    from segctl.operations.selection import chosen
    from segctl.state.deliveries import failures

    names = None if asked.is_everything else set(chosen(session.definitions, asked.selection))
    found = [
        one for one in failures(session.workspace)
        if (asked.to is None or one.destination in asked.to) and (names is None or one.segment in names)
    ]  # fmt: skip
    output.write(ctx, push_view.failures(ctx, found))
    messages.notice(ctx, "next: segctl push --retry-failed" if found else "every row was accepted the last time")
    return ExitCode.OK


def _pushed(
    ctx: Context, session: Session, asked: Asked, confirm: Sequence[str], *, is_named: bool, show_personal: bool
) -> ExitCode:
    from segctl.cli import push_view
    from segctl.operations.push.push import push

    def agree(parts: Sequence[Part]) -> None:
        _agree(ctx, parts, confirm, is_named=is_named)

    done = push(session, asked, now=ctx.now, dry_run=ctx.dry_run, agree=agree, progress=listener(ctx))
    _tell(ctx, done)
    output.write(ctx, push_view.result(ctx, session, done, show_personal=show_personal))
    messages.notice(ctx, _last_word(ctx, done))
    return done.exit


def _agree(ctx: Context, parts: Sequence[Part], confirm: Sequence[str], *, is_named: bool) -> None:
    """Asks what has to be asked before anything is sent.

    Raises:
        Refused: The answer is no, or nobody can be asked.
    """
    from segctl.operations.push.limits import is_mass_removal

    if not is_named:
        questions.tell("this would be sent:")
        for part in parts:
            questions.tell(f"  {_in_words(part)}")
        questions.confirm(ctx, "send it?")
    for part in parts:
        if is_mass_removal(part) and part.segment not in confirm:
            _ask_for_name(ctx, part)


def _ask_for_name(ctx: Context, part: Part) -> None:
    before = part.delta.before if part.delta is not None else 0
    said = f"`{part.segment}` takes {len(part.leavers):,} of {before:,} people out of `{part.destination}`"
    if not ctx.terminal.interactive:
        raise Refused("SEG871", f"{said}; nothing was sent", hint=f"if that is right, `--confirm {part.segment}`")
    questions.typed(f"{said}; type its name to go on: ", part.segment)


def _in_words(part: Part) -> str:
    delta = part.delta
    adds, updates = (len(delta.adds), len(delta.updates)) if delta is not None and part.tells else (0, 0)
    why = part.refused or part.paused
    counts = f"{adds:,} added, {updates:,} updated, {part.removals:,} taken out"
    return f"{part.segment} to {part.destination}: {counts}{f' ({why})' if why else ''}"


def _tell(ctx: Context, done: Pushed) -> None:
    for name in done.unevaluated:
        messages.warning(ctx, f"`{name}` was never evaluated, so nobody belongs to it", hint="`segctl apply` first")
    for destination, error in done.errors.items():
        named = "" if error.message.startswith(f"`{destination}`") else f"`{destination}`: "
        messages.warning(ctx, f"{named}{error.message}", hint=error.hint)
    for one in done.outcomes:
        _tell_one(ctx, one, has_error=one.destination in done.errors)
    for note in done.notes:
        messages.notice(ctx, note)


def _tell_one(ctx: Context, one: Outcome, *, has_error: bool) -> None:
    said = f"`{one.segment}` to `{one.destination}`"
    count = one.counts
    if one.status == "refused":
        messages.error(ctx, Refused(
            "SEG874", f"{one.reason}; nobody was added, people who withdrew were taken out",
            hint=f"look with `segctl diff {one.segment} --moves`; if it is right, `--allow` with `--reason`",
        ))  # fmt: skip
    elif one.status == "stopped" and not has_error:
        messages.warning(ctx, f"{said}: {one.reason}", hint="run the same again later; it goes on where it ended")
    elif one.status == "paused":
        messages.warning(ctx, f"{said} is {one.reason}; only who leaves was told")
    if one.stuck:
        messages.warning(ctx, f"{said}: {one.stuck:,} people withdrew and cannot be taken out by segctl",
                         hint="take them out there by hand")  # fmt: skip
    if count["overtaken"]:
        messages.warning(ctx, f"{said}: {count['overtaken']:,} withdrew while they were told, and are taken out again")
    if count["removals_failed"]:
        messages.warning(ctx, f"{said}: {count['removals_failed']:,} removals were not acknowledged",
                         hint="the next push tries them first")  # fmt: skip
    if one.is_minimum_missed:
        messages.warning(ctx, f"{said}: so few people that the destination makes no usable audience of them")


def _last_word(ctx: Context, done: Pushed) -> str:
    if ctx.dry_run:
        return "dry run: nothing was sent"
    if done.id is None and done.errors:
        return "nothing was sent"
    if done.id is None:
        return "every destination is as its audience is: nothing to send"
    held = sum(one.counts["held"] + one.counts["invalid"] + one.counts["unknown"] for one in done.outcomes)
    if held:
        return f"{done.id} is recorded; {held:,} rows wait: segctl push --retry-failed --preview"
    return f"{done.id} is recorded; next: segctl plan"
