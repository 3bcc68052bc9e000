"""Check definitions without touching data, and mend what is safe to mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import FINDING_FORMATS, TIME, Argument, Option, verb
from segctl.model.diagnostics import Severity
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.lint.result import LintResult

EXAMPLES = (
    ("segctl lint", "All files of the project, all problems at once."),
    ("segctl lint segments/winback.yaml -f concise", "One file, one line a finding."),
    ('segctl lint -s "state:modified+" --state main', "What a branch changed and what rests on it."),
    ("segctl lint --diff", "Shows what --fix would change, and changes nothing."),
    ("segctl lint --fail-on warning -f github", "In a pipeline: annotations, and 1 on warnings too."),
)
EXITS = {1: "errors were found, or what --fail-on says; with --diff: there is something to mend"}
SEE_ALSO = ("segctl help rules", "segctl help conditions", "segctl size --help")


@verb(without=("yes", "lock_wait", *TIME), formats=FINDING_FORMATS)
def command(
    ctx: Context,
    paths: Annotated[
        list[str] | None,
        Argument("PATH", help="Files or folders; otherwise the whole project.", complete="files"),
    ] = None,
    fix: Annotated[
        bool, Option("--fix", help="Mend what cannot change who is a member; comments and order stay.")
    ] = False,
    diff: Annotated[bool, Option("--diff", help="Print what --fix would change, as a patch; change nothing.")] = False,
    fail_on: Annotated[
        str,
        Option(
            "--fail-on",
            metavar="LEVEL",
            choices=("error", "warning", "note"),
            help="The mildest finding that leaves with 1.",
        ),
    ] = "error",
    exit_zero: Annotated[bool, Option("--exit-zero", help="Leave with 0 where findings would leave with 1.")] = False,
) -> ExitCode:
    """Check definitions without touching data: form, names, types, meaning and practice.

    Reads `segctl.yaml` and everything under `segments`, `traits`, `sources`, `destinations` and `tests`. Rules have
    levels in `segctl.yaml` and waivers in comments: `segctl help rules`. Warnings alone leave with 0.
    """
    from segctl.operations.lint.lint import lint
    from segctl.operations.selection import selected_files

    wanted = [Path(path) for path in paths or ()]
    if ctx.selection:
        wanted += selected_files(ctx.project, ctx.env, ctx.selection)
        if not wanted:
            return output.findings(ctx, "segctl/lint/1", (), files=())

    def look(contents: Mapping[str, bytes] | None = None) -> LintResult:
        return lint(ctx.project, ctx.env, wanted, now=ctx.now, contents=contents)

    if diff and fix:
        raise UsageError(
            "SEG104", "`--fix` and `--diff` exclude each other", hint="look with `--diff`, then use `--fix`"
        )
    if diff:
        code = _show_diff(ctx, look)
    else:
        found = _mended(ctx, look) if fix else look()
        code = output.findings(
            ctx, "segctl/lint/1", found.diagnostics, files=found.files, root=found.root, fail_on=Severity(fail_on),
            accepted=found.accepted,
        )  # fmt: skip
    return ExitCode.OK if exit_zero and code == ExitCode.FINDINGS else code


def _mended(ctx: Context, look: Callable[[Mapping[str, bytes]], LintResult]) -> LintResult:
    """What is left after safe repairs, which are told on the way."""
    from segctl.operations.lint.fix import fixed, write

    found = fixed(look)
    written = found.changes if ctx.dry_run else write(found.result.root, found.changes)
    word = "would mend" if ctx.dry_run else "mended"
    for change in written:
        for edit in change.edits:
            done = (
                f"`{edit.old.strip()[:60]}` → `{edit.new.strip()[:60]}`"
                if edit.new
                else f"`{edit.old.strip()}` deleted"
            )
            messages.notice(ctx, f"{word} {change.path}:{edit.location.line}: {done}")
    left = [change.path for change in found.changes if change not in written]
    if left:
        messages.warning(ctx, f"left alone, since it was changed just now: {', '.join(left)}", hint="run it again")
    return look({}) if ctx.dry_run or left else found.result


def _show_diff(ctx: Context, look: Callable[[Mapping[str, bytes]], LintResult]) -> ExitCode:
    """Print the patch that `--fix` would make."""
    from difflib import unified_diff

    from segctl.operations.lint.fix import fixed

    changes = fixed(look).changes
    for change in changes:
        before, after = (text.decode("utf-8").splitlines(keepends=True) for text in (change.before, change.after))
        patch = unified_diff(before, after, f"a/{change.path}", f"b/{change.path}")
        output.write_text(ctx, "".join(line if line.endswith("\n") else f"{line}\n" for line in patch))
    return ExitCode.FINDINGS if changes else ExitCode.OK
