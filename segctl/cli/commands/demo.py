"""Run the whole way on the packaged sample data."""

from __future__ import annotations

import shlex
from contextlib import chdir
from pathlib import Path
from typing import Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, OUTPUT, PROJECT, SELECTION, TIME, Argument, Option, verb
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl demo", "Into the folder segctl-demo."),
    ("segctl demo tour", "Into a folder of your choice, which must not hold a project yet."),
    ("segctl demo --live", "A day of the shop: a cart, a mail, an order (`segctl[live]`)."),
)
EXITS = {4: "the folder holds a project already"}
SEE_ALSO = ("segctl init --help", "segctl help sources")
STEPS = (
    "ingest",
    "lint",
    "apply --as-of 2026-11-15",
    "apply --as-of 2026-11-18",
    "ls segments",
    "diff cart_abandoners winback vip",
    "size segments/winback.yaml --as-of 2026-11-18",
    "explain winback 00005 --as-of 2026-11-18 --until",
    "consent import data/consents.csv",
    "suppress import data/bounces.csv",
    "push --all",
)
"""Every step works from inside the project; the as-of dates lie at the end of the sample data."""
_EXPECTED = {"consent import data/consents.csv": ExitCode.DATA}
"""The sample data are dirty on purpose: some rows are refused, and set aside."""


@verb(without=(*SELECTION, *CHANGES, *TIME, *OUTPUT, *PROJECT), formats=("table",))
def command(
    ctx: Context,
    folder: Annotated[
        str, Argument("DIR", help="A new folder; otherwise segctl-demo.", complete="folders")
    ] = "segctl-demo",
    live: Annotated[bool, Option("--live", help="A day of the shop on a virtual clock instead.")] = False,
) -> ExitCode | None:
    """Run the whole way on the packaged sample data, showing each command before its result.

    A German-speaking shop with 2,000 people and 60,000 events, dirty on purpose. Takes seconds; what it pushes are
    files inside the folder.

    With --live people visit the shop through a tracking library, leave their carts, and get a mail two hours later
    from a server on this machine, if they consented and are not in the control group; an order ends the journey. The
    collector, the stream and a run of the workflow are killed on the way, which changes nothing: who got what is held
    against the shop's own files at the end.
    """
    from segctl.cli import app
    from segctl.operations.init import create_project

    if live:
        from segctl.cli.demo_live import needed, play, variables

        needed()
    started = ctx.elapsed_s
    create_project(Path(folder), template="shop")
    where = shlex.quote(folder)
    output.write_text(ctx, f"$ segctl init {where}\nThe project is in {folder}; in there run:\n")
    if live:
        play(ctx, Path(folder), variables())
        messages.notice(
            ctx, f"the day took {ctx.elapsed_s - started:.1f} s; next: cd {where} && segctl workflow show cart_recovery"
        )
        return None
    for step in STEPS:
        output.write_text(ctx, f"\n$ segctl {step}\n")
        with chdir(folder):
            code = app.dispatch([*shlex.split(step), *_same_terminal(ctx)], ctx.now, [])
        if code and code != _EXPECTED.get(step):
            return ExitCode(code)
    messages.notice(
        ctx, f"the whole way took {ctx.elapsed_s - started:.1f} s; next: cd {where} && segctl show segment:vip"
    )
    return None


def _same_terminal(ctx: Context) -> list[str]:
    """Options of this call that hold for every step."""
    wanted = {"--quiet": ctx.quiet, "--plain": not ctx.terminal.out, "--no-progress": not ctx.terminal.progress}
    # What the steps print is what the demo is for, quiet or not.
    return ["--output", "-", *(option for option, is_set in wanted.items() if is_set)]
