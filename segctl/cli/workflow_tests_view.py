"""What `segctl workflow test` writes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.cli import messages, output
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.cli.context import Context

CASES = (
    output.Column("case"),
    output.Column("workflow"),
    output.Column("result"),
    output.Column("file", extra=True),
)


def write_outcome(ctx: Context, names: Sequence[str], keyword: str | None) -> ExitCode | None:
    """Runs the cases, tells what is not as expected, and which passed."""
    from segctl.operations.workflow.testing import load_suite, run_cases

    suite = load_suite(ctx.project, names, keyword, env=ctx.env)
    messages.diagnostics(ctx, suite.warnings)
    results = run_cases(suite)
    wrong = [one for _, found in results for one in found]
    findings = [
        Diagnostic(
            "SEG689", Severity.ERROR, f"{one.case.name}: `{one.profile}`: {one.expected}", one.location,
            why=f"what happened: {one.found}",
        )
        for one in wrong
    ]  # fmt: skip
    messages.diagnostics(ctx, findings)
    rows = [(case.name, case.workflow, "failed" if found else "passed", case.file) for case, found in results]
    failed = sum(bool(found) for _, found in results)
    code = ExitCode.FINDINGS if failed else ExitCode.OK
    facts = {"cases": len(rows), "failed": failed}
    output.write(
        ctx,
        output.Result(
            "segctl/workflow-test/1", CASES, rows, noun="cases", facts=facts, diagnostics=findings, is_report=True,
            exit=code,
        ),
    )  # fmt: skip
    if not rows:
        messages.notice(ctx, "there are no cases; `segctl help workflows` shows their form")
    return code or None
