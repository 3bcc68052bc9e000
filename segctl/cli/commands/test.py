"""Run the tests of segments, propose boundary cases, and find changes that no test notices."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import CHANGES, TIME, Argument, Option, verb
from segctl.model.errors import UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.operations.testing.testing import Outcome, Suite

EXAMPLES = (
    ("segctl test", "All cases under tests/; no data and no workspace are needed."),
    ("segctl test winback -k newsletter -x", "Some cases, up to the first that fails."),
    ("segctl test --generate winback -o tests/winback_bounds.yaml", "Proposes boundary cases to review."),
    ("segctl test --mutate --min-score 90%", "Changes the definitions and says which changes no case notices."),
)
EXITS = {1: "a case failed, or the score is below --min-score", 4: "the file of --generate exists already"}
SEE_ALSO = ("segctl help tests", "segctl explain --help", "segctl schema test")
FORMATS = ("table", "json", "ndjson", "junit", "github", "concise", "csv")
_PLACED = ("github", "concise")


@verb(without=(*CHANGES, *TIME), formats=FORMATS)
def command(
    ctx: Context,
    segments: Annotated[
        list[str] | None, Argument("SEGMENT", help="Only what is expected of these.", complete="segments")
    ] = None,
    keyword: Annotated[
        str | None,
        Option("-k", "--keyword", metavar="TEXT", help="Only cases with this in their file or name.", complete="cases"),
    ] = None,
    first: Annotated[bool, Option("-x", "--exit-first", help="End with the first case that fails.")] = False,
    coverage: Annotated[
        bool, Option("--coverage", help="Also say which answers of each leaf no case has seen.")
    ] = False,
    mutate: Annotated[
        bool, Option("--mutate", help="Change each definition a little; list the changes that no case notices.")
    ] = False,
    min_score: Annotated[
        str | None, Option("--min-score", metavar="SHARE", help="Leave with 1 when fewer changes are noticed, as 90%.")
    ] = None,
    generate: Annotated[
        bool, Option("--generate", help="Propose boundary cases for one SEGMENT as a test file.")
    ] = False,
    watch: Annotated[bool, Option("--watch", help="Run again whenever a file of the project changes.")] = False,
) -> ExitCode | None:
    """Run the tests of segments: who belongs in small worlds given in YAML, and why.

    Cases stand in `tests/*.yaml` (`segctl help tests`). They are evaluated by the engine that evaluates customers,
    at the instant they name. A failure shows what each leaf of the definition says, and which one decided.
    """
    _check(generate=generate, mutate=mutate, watch=watch, min_score=min_score, segments=segments)
    if generate:
        from segctl.cli.testing_generate import propose

        propose(ctx, (segments or [""])[0])
        return None
    if watch:
        from segctl.cli.testing_watch import watch_project

        return watch_project(ctx, lambda again: _once(again, segments, keyword, first=first, coverage=coverage))
    if mutate:
        from segctl.cli.testing_mutants import mutate_project

        return mutate_project(ctx, _suite(ctx, segments, keyword), min_score)
    return _once(ctx, segments, keyword, first=first, coverage=coverage)


def _check(*, generate: bool, mutate: bool, watch: bool, min_score: str | None, segments: list[str] | None) -> None:
    chosen = [flag for flag, is_on in (("--generate", generate), ("--mutate", mutate), ("--watch", watch)) if is_on]
    if len(chosen) > 1:
        raise UsageError("SEG537", f"`{chosen[0]}` and `{chosen[1]}` do not go together", hint="choose one of them")
    if min_score is not None and not mutate:
        raise UsageError("SEG537", "`--min-score` is about `--mutate`, which is not given", hint="add `--mutate`")
    if generate and len(segments or ()) != 1:
        raise UsageError("SEG537", "`--generate` takes one segment", hint="segctl test --generate winback")


def _suite(ctx: Context, segments: list[str] | None, keyword: str | None) -> Suite:
    from segctl.operations.testing.testing import load_suite

    selection = replace(ctx.selection, select=(*(segments or ()), *ctx.select))
    try:
        suite = load_suite(ctx.project, env=ctx.env, selection=selection, keyword=keyword)
    except UsageError as error:
        # Where findings become annotations, those in the form of tests have their place in a file too.
        if ctx.format in _PLACED and error.diagnostics:
            output.findings(ctx, "segctl/test/1", error.diagnostics)
        raise
    messages.diagnostics(ctx, suite.warnings, root=suite.root)
    if not suite.cases:
        what = "no case expects anything of them" if suite.found else "there are no cases under `tests/`"
        messages.warning(ctx, what, hint="`segctl test --generate SEGMENT` proposes some")
    return suite


def _once(
    ctx: Context, segments: list[str] | None, keyword: str | None, *, first: bool, coverage: bool
) -> ExitCode | None:
    from segctl.operations.testing.testing import run_tests

    outcome = run_tests(_suite(ctx, segments, keyword), first=first, leaves=coverage)
    if coverage and keyword is not None:
        messages.notice(ctx, "`--coverage` counts the cases that `-k` chose, not what the others have seen")
    _write(ctx, outcome, coverage=coverage)
    return ExitCode.FINDINGS if outcome.failed else None


def _write(ctx: Context, outcome: Outcome, *, coverage: bool) -> None:
    from segctl.cli import testing_formats as formats

    if ctx.format == "junit":
        output.write_text(ctx, formats.junit(outcome))
        return
    if ctx.format in _PLACED:
        found = [formats.diagnostic(wrong) for result in outcome.failed for wrong in result.mismatches]
        output.findings(ctx, "segctl/test/1", found, root=outcome.suite.root)
        return
    result = formats.result_of(outcome)
    if coverage:
        from segctl.cli.testing_coverage import with_coverage

        result = with_coverage(result, outcome)
    if ctx.format != "table":
        output.write(ctx, result)
        return
    if ctx.quiet and not ctx.asks and not outcome.failed:
        return
    text = formats.long_text(ctx, outcome)
    if coverage:
        from segctl.cli.testing_coverage import coverage_text

        text = f"{coverage_text(ctx, outcome)}\n{text}"
    output.write_text(ctx, text)
