"""Show what apply would do."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from segctl.cli import messages, output
from segctl.cli.backtest_view import over_time, refuse_others
from segctl.cli.context import Context
from segctl.cli.options import Allow, Argument, Option, Reason, verb
from segctl.cli.options import Language as LanguageOption
from segctl.cli.progress import listener
from segctl.model.dataclass import dataclass
from segctl.model.errors import Refused, UsageError
from segctl.model.exits import ExitCode, worst

if TYPE_CHECKING:
    from segctl.model.project import Language
    from segctl.operations.plan.plan import Plan
    from segctl.operations.session import Session

EXAMPLES = (
    ("segctl plan", "Changed definitions, who would enter and leave, and why."),
    ("segctl plan -o plan.json && segctl apply plan.json", "Save it, look at it, and do exactly that."),
    ("segctl plan --against main -f markdown", "What a branch changes, for a merge request."),
    ("segctl plan --with proposals", "What the changed files of a folder would do, before they are taken over."),
    ("segctl plan vip --backtest --from 2026-01-01 --every month", "The rule of today over the past."),
)
EXITS = {
    1: "with --exit-code: somebody would move, or a definition has changed",
    4: "a guard refuses a change",
    5: "some segments cannot be evaluated",
}
SEE_ALSO = ("segctl help plan", "segctl apply --help", "segctl diff --help", "segctl help select")


@verb(without=("yes", "dry_run"), formats=("table", "json", "markdown", "ndjson", "csv", "ids", "parquet"))
def command(
    ctx: Context,
    segments: Annotated[list[str], Argument("SEGMENT", help="Only these segments.", complete="segments")] = (),  # type: ignore[assignment]  # a list arrives as a tuple
    against: Annotated[
        str | None, Option("--against", metavar="REV", help="Compare with the definitions of a Git revision.")
    ] = None,
    with_: Annotated[
        str | None,
        Option("--with", metavar="DIR", help="As if the files of DIR stood in the project.", complete="folders"),
    ] = None,
    moves: Annotated[bool, Option("--moves", help="One row per profile that would move, instead of counts.")] = False,
    everything: Annotated[bool, Option("--all", help="Show segments that stay as they are too.")] = False,
    examples: Annotated[
        int | None, Option("--examples", metavar="N", help="Profiles named for each reason; otherwise 3.")
    ] = None,
    backtest: Annotated[bool, Option("--backtest", help="Evaluate the rules over past dates instead.")] = False,
    from_: Annotated[
        str | None, Option("--from", metavar="TIME", help="First date of --backtest; otherwise twelve steps back.")
    ] = None,
    to: Annotated[str | None, Option("--to", metavar="TIME", help="Last date of --backtest; otherwise now.")] = None,
    every: Annotated[
        str | None, Option("--every", metavar="STEP", help="Of --backtest: day, week, 2 weeks, month; otherwise week.")
    ] = None,
    exit_code: Annotated[bool, Option("--exit-code", help="Exit 1 when there are changes.")] = False,
    allow: Allow = (),  # type: ignore[assignment]  # a list arrives as a tuple
    reason: Reason = None,
    engine: Annotated[
        str, Option("--engine", metavar="NAME", help="What evaluates.", choices=("polars", "duckdb"))
    ] = "polars",
    language: LanguageOption = None,
) -> ExitCode | None:
    """Show what apply would do: changed definitions, who would enter and leave and why, and what guards say.

    Nothing is recorded. For changed definitions the effect of the rule and the effect of the data are told apart.
    With `--backtest` the rules of today are evaluated over past dates, with all that is known today of that time.
    `-o FILE.json` saves the plan, and `segctl apply FILE.json` does exactly that or refuses. The file names a few
    profiles by id as examples; `--examples 0` leaves them out, and so does `-f markdown` by itself.
    """
    selected = replace(ctx, select=(*segments, *ctx.select))
    if backtest:
        refuse_others({"--against": against, "--with": with_, "--moves": moves, "--exit-code": exit_code,
                       "--as-of": ctx.as_of, "--allow": allow, "--examples": examples,
                       "--all": everything})  # fmt: skip
        return over_time(selected, from_, to, every or "week", engine=engine)
    if from_ or to or every:
        raise UsageError("SEG576", "`--from`, `--to` and `--every` belong to `--backtest`", hint="add `--backtest`")
    wants_moves = moves or ctx.format == "ids"
    if examples is not None and not 0 <= examples <= 1000:
        raise UsageError("SEG103", f"`--examples {examples}`: a number from 0 to 1000")
    asked = 0 if ctx.format == "markdown" else 3
    options: dict[str, Any] = {
        "engine": engine, "examples": asked if examples is None else examples, "with_moves": wants_moves,
        "language": language,
    }  # fmt: skip
    if against is not None and with_ is not None:
        raise UsageError("SEG104", "`--against` and `--with` exclude one another", hint="compare one after the other")
    found = _planned(selected, against, with_, (allow, reason), options)
    code = _code(found.plan, exit_code=exit_code)
    if wants_moves:
        _write_moves(ctx, found.plan, code)
    else:
        _write(ctx, found, code, everything=everything)
    _tell(ctx, found.plan, with_)
    return code


@dataclass(frozen=True, slots=True)
class _Found:
    """A plan with what is shown and kept of it."""

    plan: Plan
    facts: dict[str, Any]
    saved: dict[str, Any]
    language: Language
    zone: str


def _planned(
    ctx: Context,
    against: str | None,
    with_: str | None,
    allowed: tuple[list[str], str | None],
    options: dict[str, Any],
) -> _Found:
    from segctl.operations.apply import allowances
    from segctl.operations.overlay import open_overlaid
    from segctl.operations.plan.against import open_comparison, plan_against
    from segctl.operations.plan.file import saved_form
    from segctl.operations.plan.plan import plan
    from segctl.operations.session import instant, open_session

    with ExitStack() as stack:
        has_data = True
        if with_ is not None:
            session = stack.enter_context(open_overlaid(ctx.project, Path(with_), env=ctx.env))
        elif against is None:
            session = stack.enter_context(open_session(ctx.project, env=ctx.env))
        else:
            session, has_data = stack.enter_context(open_comparison(ctx.project, ctx.env))
        messages.diagnostics(ctx, session.warnings, root=session.root)
        common = {
            "as_of": instant(ctx.as_of, ctx.now, session.project.timezone),
            "selection": ctx.selection,
            "allowed": allowances(session, *allowed),
            "progress": listener(ctx),
            **options,
        }
        if against is None:
            found = plan(session, now=ctx.now, **common)
        else:
            found = plan_against(session, against, has_data=has_data, **common)
        language = session.language(options["language"])
        return _Found(found, _facts(session, found), saved_form(session, found), language, session.project.timezone)


def _facts(session: Session, found: Plan) -> dict[str, Any]:
    entered, left = (sum(getattr(s, side) for s in found.segments) for side in ("entered", "left"))
    last = "nothing: no run is in force"
    if found.against is not None:
        last = f"{found.against[0]} ({found.against[1][:9]})"
    elif found.last is not None:
        last = f"{found.last.id} as of {session.local(found.last.as_of).isoformat(sep=' ', timespec='seconds')}"
    facts = {
        "environment": session.project.environment,
        "as_of": session.local(found.as_of),
        "compared_with": last,
    }
    if found.profiles is None:
        return facts
    facts |= {"paused": sorted(found.paused)} if found.paused else {}
    return facts | {"profiles": found.profiles, "would_enter": entered, "would_leave": left}


def _code(found: Plan, *, exit_code: bool) -> ExitCode:
    codes = [ExitCode.REFUSED] if found.refused else []
    codes += [ExitCode.PARTIAL] if any(s.reason for s in found.segments) else []
    codes += [ExitCode.FINDINGS] if exit_code and found.has_changes else []
    return worst(codes)


def _write_moves(ctx: Context, found: Plan, code: ExitCode) -> None:
    from segctl.cli.plan_view import MOVES

    if ctx.format == "markdown":
        raise UsageError("SEG104", "`--moves` has no form in markdown", hint="choose another `--format`")
    rows: Any = found.moves
    rows = rows.unique("profile_id", maintain_order=True) if ctx.format == "ids" else rows
    output.write(
        ctx, output.Result("segctl/plan-moves/1", MOVES, rows, noun="moves", ids_column="profile_id", exit=code)
    )


def _write(ctx: Context, found: _Found, code: ExitCode, *, everything: bool) -> None:
    from segctl.cli import plan_markdown, plan_view

    if ctx.format == "markdown":
        output.write_text(ctx, plan_markdown.page(found.plan, found.facts, language=found.language, zone=found.zone))
        return

    def result(shown: Context, *, everything: bool) -> output.Result:
        made = plan_view.result(
            shown, found.plan, found.facts, language=found.language, zone=found.zone, everything=everything
        )
        reason = "guard" if found.plan.refused else None
        return replace(made, document={"plan": found.saved}, exit=code, reason=reason)

    if not _is_saved(ctx):
        output.write(ctx, result(ctx, everything=everything))
        return
    file, screen = replace(ctx, format="json"), replace(ctx, output=None)
    output.write(file, result(file, everything=True))
    if not ctx.quiet:
        output.write(screen, result(screen, everything=everything))
    if any(one.examples for one in found.plan.reasons):
        messages.notice(ctx, f"{ctx.output} names profiles by id as examples; `--examples 0` leaves them out")


def _is_saved(ctx: Context) -> bool:
    """A `.json` file is the plan, and people still see it as a table."""
    return ctx.output is not None and ctx.output.suffix == ".json" and ctx.format == "table"


def _tell(ctx: Context, found: Plan, with_: str | None) -> None:
    from segctl.cli.commands.apply import tell_paused

    for warning in found.warnings:
        messages.warning(ctx, warning)
    tell_paused(ctx, found.paused, found.everything)
    for segment in found.segments:
        if segment.reason:
            messages.warning(ctx, f"`{segment.segment}` cannot be evaluated: {segment.reason}")
        if segment.refused:
            hint = (
                f"see who with `segctl plan {segment.segment} --moves`; if it is right, `apply --allow` with a reason"
            )
            text = segment.refused if segment.broken else f"`{segment.segment}`: {segment.refused}"
            messages.error(ctx, Refused("SEG519", text, hint=hint))
    for push in found.pushes:
        if push.refused:
            messages.warning(ctx, f"push: {push.refused}", hint="`segctl help audiences`")
    if found.profiles is None:
        messages.notice(ctx, "there are no data here, so definitions were compared and nobody was counted")
    if ctx.output is not None and ctx.output.suffix == ".json" and found.against is None:
        messages.notice(ctx, f"nothing was changed; next: segctl apply {ctx.output}")
    elif found.against is None:
        following = "segctl plan -o plan.json, or segctl apply" if with_ is None else f"cp -R {with_}/. ."
        messages.notice(ctx, f"nothing was changed; next: {following}")
