"""What `pause` and `resume` share: press the button, and tell what it meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segctl.cli import messages, output

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.state.pauses import Action

COLUMNS = (
    output.Column("kind"),
    output.Column("name"),
    output.Column("state"),
    output.Column("changed", type="boolean"),
    output.Column("since", type="time"),
    output.Column("who"),
    output.Column("reason"),
)


def press_and_tell(ctx: Context, action: Action, names: list[str], reason: str | None, *, everything: bool) -> None:
    """Press the button and write what it meant; `resume` does the same."""
    from segctl.operations.pauses import press
    from segctl.operations.session import open_session

    with open_session(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as session:
        messages.diagnostics(ctx, session.warnings, root=session.root)
        done = press(session, action, names, everything=everything, reason=reason, now=ctx.now, dry_run=ctx.dry_run)
        state = "paused" if action == "pause" else "running"
        rows = [
            (one.kind, one.name or None, state, one.is_new, session.local(one.pause.at), one.pause.who,
             one.pause.reason)
            for one in done
        ]  # fmt: skip
        environment = session.project.environment
    output.write(
        ctx,
        output.Result(
            f"segctl/{action}/1", COLUMNS, rows, noun="things", is_report=True,
            facts={"environment": environment}, run={"dry_run": ctx.dry_run},
        ),
    )  # fmt: skip
    if ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was changed")
    elif not any(one.is_new for one in done):
        messages.notice(
            ctx, f"nothing to do: {'all of it is paused already' if action == 'pause' else 'none is paused'}"
        )
    elif action == "pause":
        messages.notice(ctx, "it is skipped from the next apply on; next: segctl resume, when the reason is gone")
    else:
        messages.notice(ctx, "it runs again; next: segctl plan, then segctl apply")
