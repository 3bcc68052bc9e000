"""Check definitions without touching data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from segctl.cli import output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, FINDING_FORMATS, SELECTION, TIME, Argument, verb
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl lint", "All files of the project, all problems at once."),
    ("segctl lint segments/winback.yaml -f concise", "One file, one line a finding."),
)
EXITS = {1: "errors were found"}
SEE_ALSO = ("segctl help conditions", "segctl size --help")


@verb(without=(*SELECTION, *CHANGES, *TIME), formats=FINDING_FORMATS)
def command(
    ctx: Context,
    paths: Annotated[
        list[str] | None,
        Argument("PATH", help="Files or folders; otherwise the whole project.", complete="files"),
    ] = None,
) -> ExitCode:
    """Check definitions without touching data: form, names, types.

    Reads `segctl.yaml` and everything under `segments`, `traits` and `sources`. Warnings alone leave with 0.
    """
    from segctl.operations.lint import lint

    found = lint(ctx.project, ctx.env, [Path(path) for path in paths or ()], now=ctx.now)
    return output.findings(ctx, "segctl/lint/1", found.diagnostics, files=len(found.files), root=found.root)
