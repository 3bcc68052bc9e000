"""`segctl test --mutate`: the score of each segment's tests, and the changes that none notices."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from segctl.cli import messages, output
from segctl.cli.cells import counted
from segctl.cli.context import Context
from segctl.cli.progress import listener
from segctl.cli.results import Column, Result, Section
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.testing.mutants import Score
    from segctl.operations.testing.testing import Suite

SCORES = (
    Column("segment"),
    Column("cases", type="integer"),
    Column("mutants", "changes", type="integer"),
    Column("killed", "noticed", type="integer"),
    Column("survived", "not noticed", type="integer"),
    Column("score", type="share", bar=True),
)
SURVIVORS = (Column("place"), Column("change", "change that no case notices"))


def mutate_project(ctx: Context, suite: Suite, min_score: str | None) -> ExitCode | None:
    """Score the tests and write the result; 1 when a case fails or the score is too low."""
    from segctl.operations.testing.mutants import mutation_scores
    from segctl.operations.testing.testing import run_tests

    wanted = None if min_score is None else _share(min_score)
    outcome = run_tests(suite)
    if outcome.failed:
        _tell_failures(ctx, outcome)
        return ExitCode.FINDINGS
    scores = mutation_scores(suite, progress=listener(ctx))
    total, killed = sum(s.mutants for s in scores), sum(s.mutants - len(s.survivors) for s in scores)
    reached = killed / total if total else 1.0
    code = ExitCode.FINDINGS if wanted is not None and Decimal(killed) < wanted * total else ExitCode.OK
    _write(ctx, suite, scores, reached, code)
    if code and wanted is not None:
        shares = f"{100 * reached:.1f} %, wanted {float(100 * wanted):g} %"
        text = f"{killed:,} of {counted(total, 'changes')} are noticed: {shares}"
        messages.diagnostics(ctx, [Diagnostic("SEG533", Severity.ERROR, text)])
    return code or None


def _share(text: str) -> Decimal:
    try:
        found = Decimal(text.strip().removesuffix("%").strip())
    except InvalidOperation:
        found = Decimal(-1)
    if not (text.strip().endswith("%") and 0 <= found <= 100):
        raise UsageError("SEG103", f"`{text}` is no value of `--min-score`", hint="write a share such as `90%`")
    return found / 100


def _tell_failures(ctx: Context, outcome: object) -> None:
    from segctl.cli import testing_formats
    from segctl.operations.testing.testing import Outcome

    assert isinstance(outcome, Outcome)
    output.write_text(ctx, testing_formats.long_text(ctx, outcome))
    messages.notice(ctx, "cases fail, so nothing was mutated")


def _write(ctx: Context, suite: Suite, scores: Sequence[Score], reached: float, code: ExitCode) -> None:
    found = findings(scores)
    if ctx.format in ("github", "concise"):
        output.findings(ctx, "segctl/test-mutants/1", found, root=suite.root)
        return
    if ctx.format == "junit":
        from segctl.cli.testing_formats import mutants_junit

        output.write_text(ctx, mutants_junit(scores))
        return
    survivors = [(str(m.location) if m.location else None, m.words) for s in scores for m in s.survivors]
    facts = {"score": f"{100 * reached:.1f} %", "same": sum(s.same for s in scores)}
    sections = (Section("survivors", "Not noticed", SURVIVORS, survivors),) if survivors else ()
    result = Result(
        "segctl/test-mutants/1", SCORES, [_row(score) for score in scores], noun="segments",
        facts=facts if ctx.format != "table" else {"score": facts["score"]}, sections=sections, diagnostics=found,
        exit=code, reason="score" if code else None, notes=_notes(scores),
    )  # fmt: skip
    output.write(ctx, result)


def _row(score: Score) -> tuple[object, ...]:
    survived = len(score.survivors)
    return score.segment, score.cases, score.mutants, score.mutants - survived, survived, score.share


def _notes(scores: Sequence[Score]) -> list[str]:
    same = sum(score.same for score in scores)
    found = [f"{counted(same, 'changes')} left out that provably mean the same"] if same else []
    bare = [score.segment for score in scores if not score.cases]
    return [*found, *([f"without any case: {', '.join(bare)}"] if bare else [])]


def findings(scores: Sequence[Score]) -> list[Diagnostic]:
    """Each change that no case notices, where it was made."""
    return [
        Diagnostic("SEG532", Severity.WARNING, f"no case of `{score.segment}` notices: {m.words}", m.location)
        for score in scores
        for m in score.survivors
    ]
