"""Print or install shell completion."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import PROJECT, SELECTION, TIME, Argument, Option, verb
from segctl.model.errors import Refused, UsageError

EXAMPLES = (
    ("segctl completion install", "Installs completion for the shell you use."),
    ("segctl completion show zsh > ~/.zfunc/_segctl", "Puts the script where you want it."),
)
SEE_ALSO = ("segctl help environment",)
SHELLS = ("bash", "zsh", "fish", "powershell")


@verb(without=(*SELECTION, *TIME, *PROJECT, "format", "json", "yes", "lock_wait"))
def command(
    ctx: Context,
    action: Annotated[str, Argument("install|show", help="What to do.", choices=("install", "show"))],
    shell: Annotated[
        str | None, Argument("SHELL", help="Which shell; otherwise the one in SHELL.", choices=SHELLS)
    ] = None,
    named: Annotated[
        str | None, Option("--shell", metavar="SHELL", help="The same as the argument.", choices=SHELLS)
    ] = None,
) -> None:
    """Print or install the completion of verbs, options, choices and names.

    `install` writes one file of its own, names it, and changes no other file.
    """
    from segctl.cli import scripts

    chosen = shell or named or _own_shell()
    script = scripts.SHELLS[chosen]()
    if action == "show":
        output.write_text(ctx, script)
        return
    path = _place(chosen)
    if path.exists() and scripts.MARK not in path.read_text("utf-8", "replace"):
        raise Refused("SEG113", f"`{path}` exists and is not ours", hint=f"segctl completion show {chosen}")
    if not ctx.dry_run:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, "utf-8", newline="\n")
    messages.notice(ctx, f"{'would write' if ctx.dry_run else 'wrote'} {path}")
    messages.notice(ctx, _next_step(chosen, path))


def _own_shell() -> str:
    name = Path(os.environ.get("SHELL", "")).name
    if name not in SHELLS:
        what = f"`{name}` is no shell segctl knows" if name else "the variable SHELL is not set"
        raise UsageError("SEG113", what, hint=f"name one: {', '.join(SHELLS)}")
    return name


def _place(shell: str) -> Path:
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    config = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return {
        "bash": data / "bash-completion" / "completions" / "segctl",
        "zsh": data / "zsh" / "site-functions" / "_segctl",
        "fish": config / "fish" / "completions" / "segctl.fish",
        "powershell": config / "powershell" / "segctl.ps1",
    }[shell]


def _next_step(shell: str, path: Path) -> str:
    return {
        "bash": f"next: open a new shell; without the bash-completion package add `source {path}` to ~/.bashrc",
        "zsh": f"next: `fpath=({path.parent} $fpath)` must stand before `compinit` in ~/.zshrc; open a new shell",
        "fish": "next: open a new shell",
        "powershell": f"next: add `. {path}` to the file that $PROFILE names; open a new shell",
    }[shell]
