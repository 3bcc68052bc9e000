"""Workflows: check, draw, test, simulate, run, watch, stop them."""

from __future__ import annotations

from typing import Annotated

from segctl.cli.context import Context
from segctl.cli.options import SELECTION, Argument, Language, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl workflow show cart_recovery --svg -o cart.svg", "A picture of the flow; `--mermaid` gives text."),
    (
        "segctl workflow simulate cart_recovery --from 2026-10-18 --until 2026-11-18",
        "Who would have got what, when; nobody is told anything.",
    ),
    ("segctl workflow run", "Handles what is due now and ends: for cron, after `segctl apply`."),
    ("segctl workflow run --follow", "Goes on until it is stopped, beside `segctl stream`."),
    ('segctl workflow pause cart_recovery --reason "wrong prices"', "Nobody begins, nobody is told anything."),
)
SEE_ALSO = ("segctl help workflows", "segctl ls workflows", "segctl stream --help", "segctl content --help")
EXITS = {1: "lint found errors, or a test failed", 5: "some people wait: a destination takes nothing, or it is unknown"}
ACTIONS = ("lint", "show", "test", "simulate", "run", "status", "pause", "resume", "resolve", "forget")
_OF = {
    "from": ("simulate",), "until": ("simulate",), "every": ("simulate", "run"), "follow": ("run",), "since": ("run",),
    "migrate": ("run",), "mermaid": ("show",), "svg": ("show",), "sent": ("resolve",), "not-sent": ("resolve",),
    "reason": ("pause", "resume"), "keyword": ("test",), "keep": ("forget",),
}  # fmt: skip


@verb(without=SELECTION, formats=("table", "json", "ndjson", "csv"))
def command(
    ctx: Context,
    action: Annotated[str | None, Argument("ACTION", help="What to do.", choices=ACTIONS)] = None,
    names: Annotated[
        list[str] | None, Argument("NAME", help="Workflows; all active ones otherwise.", complete="workflows")
    ] = None,
    begin: Annotated[
        str | None, Option("--from", metavar="TIME", help="With `simulate`: the first instant; else 30 days before.")
    ] = None,
    until: Annotated[
        str | None, Option("--until", metavar="TIME", help="With `simulate`: the last instant; else --as-of or now.")
    ] = None,
    every: Annotated[
        str | None,
        Option(
            "--every", metavar="DURATION", help="With `simulate`: between two looks, else 1 hour; with --follow 1s."
        ),
    ] = None,
    follow: Annotated[bool, Option("--follow", help="With `run`: go on until stopped.")] = False,
    since: Annotated[
        str | None,
        Option("--since", metavar="TIME", help="With `run`: a workflow that is new begins with changes after it."),
    ] = None,
    migrate: Annotated[
        bool, Option("--migrate", help="With `run`: who waits by an older version goes on by today's steps.")
    ] = False,
    mermaid: Annotated[bool, Option("--mermaid", help="With `show`: as Mermaid text.")] = False,
    svg: Annotated[bool, Option("--svg", help="With `show`: as an SVG drawing.")] = False,
    sent: Annotated[bool, Option("--sent", help="With `resolve`: the effect happened.")] = False,
    not_sent: Annotated[bool, Option("--not-sent", help="With `resolve`: it did not, and will not.")] = False,
    reason: Annotated[
        str | None, Option("--reason", metavar="TEXT", help="With `pause` and `resume`: kept on record.")
    ] = None,
    keyword: Annotated[
        str | None, Option("-k", "--keyword", metavar="TEXT", help="With `test`: cases with this in file or name.")
    ] = None,
    keep: Annotated[
        str | None, Option("--keep", metavar="DURATION", help="With `forget`: what ended since then stays.")
    ] = None,
    language: Language = None,
) -> ExitCode | None:
    """Check, draw, test, simulate, run and stop workflows.

    A workflow begins when a person enters or leaves a segment, has stayed in it, does something, or when the clock
    says so; then it waits, chooses ways, sends mails, fills audiences, opens tasks, until its end or an exit rule.
    Every message passes the gate of pushes at the moment it is sent: consent, suppression, caps, holdouts, quiet hours.

    `run` does what is due now: each effect once for a person, step and entry, whatever ends the process. `simulate`
    does the same for a past span on a virtual clock, without sending or recording. `status` tells who is where, what
    was done, and what nobody knows; `resolve` takes what you found out about that. `forget` lets go of what ended long
    ago, and keeps what is needed so that nobody gets anything twice.
    """
    if action is None:
        hint = "`segctl workflow status` tells how things stand, `segctl workflow run` does what is due"
        raise UsageError("SEG104", f"`segctl workflow` wants one of {', '.join(ACTIONS)}", hint=hint)
    given = {
        "from": begin, "until": until, "every": every, "follow": follow, "since": since, "migrate": migrate,
        "mermaid": mermaid, "svg": svg, "sent": sent, "not-sent": not_sent, "reason": reason, "keyword": keyword,
        "keep": keep,
    }  # fmt: skip
    for flag, value in given.items():
        if value and action not in _OF[flag]:
            hint = f"it goes with {' and '.join(f'`{one}`' for one in _OF[flag])}"
            raise UsageError("SEG692", f"`--{flag}` says nothing to `segctl workflow {action}`", hint=hint)
    from segctl.cli import workflow_view as view

    wanted = tuple(names or ())
    match action:
        case "lint":
            return view.write_lint(ctx, wanted)
        case "show":
            return view.write_show(ctx, wanted, mermaid=mermaid, svg=svg, language=language)
        case "test":
            return view.write_tests(ctx, wanted, keyword)
        case "simulate":
            view.write_simulation(ctx, wanted, begin, until, every)
        case "run":
            return view.write_run(ctx, wanted, since, every, follow=follow, migrate=migrate)
        case "status":
            return view.write_status(ctx, wanted)
        case "resolve":
            view.write_resolved(ctx, wanted, is_sent=sent, is_not=not_sent)
        case "forget":
            from segctl.cli.workflow_forgetting import write_forgotten

            write_forgotten(ctx, wanted, keep)
        case _:
            view.write_press(ctx, action, wanted, reason)
    return None
