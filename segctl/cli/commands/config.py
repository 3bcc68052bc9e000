"""Show settings with their origin, or validate them."""

from __future__ import annotations

import os
from typing import Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, SELECTION, SHARED, TIME, Argument, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl config show --origin", "Every setting and the place that set it."),
    ("segctl config validate", "Checks every file of the project."),
    ("segctl config validate -f github", "The same as annotations for a pipeline."),
)
EXITS = {1: "`validate` found errors"}
SEE_ALSO = ("segctl help files", "segctl help environment", "segctl lint --help")
FORMATS = ("table", "json", "ndjson", "csv", "concise", "github")


@verb(without=(*SELECTION, *CHANGES, *TIME), formats=FORMATS)
def command(
    ctx: Context,
    action: Annotated[str, Argument("show|validate", help="What to do.", choices=("show", "validate"))],
    origin: Annotated[bool, Option("--origin", help="Show where each value was set.")] = False,
) -> ExitCode | None:
    """Show the settings of the project, or check all of its files.

    An option wins over its variable, a variable over the environment's block, that over the rest of segctl.yaml.
    """
    if action == "validate":
        from segctl.operations.lint.lint import lint

        checked = lint(ctx.project, ctx.env)
        return output.findings(
            ctx, "segctl/config-validate/1", checked.diagnostics, files=len(checked.files), root=checked.root
        )
    if ctx.format in ("concise", "github"):
        raise UsageError("SEG104", f"`--format {ctx.format}` is for `validate`", hint="segctl config validate")
    from segctl.operations.config import settings

    # Only our own options: another SEGCTL_ variable may hold a secret.
    known = [p.declared.variable for p in SHARED.values() if isinstance(p.declared, Option) and p.declared.variable]
    environ = {name: os.environ[name] for name in known if os.environ.get(name)}
    found, findings = settings(ctx.project, env=ctx.env, environ=environ)
    messages.diagnostics(ctx, findings)
    columns = [output.Column("setting"), output.Column("value")] + ([output.Column("origin")] if origin else [])
    rows = [(s.name, s.value, s.origin)[: len(columns)] for s in found]
    output.write(ctx, output.Result("segctl/config/1", tuple(columns), rows))
    return None
