"""How a run of tests is shown: failures with every leaf for people, a table, annotations, JSON and JUnit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

from segctl.cli.cells import counted, shown, width
from segctl.cli.results import Column, Result
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.cli.context import Context
    from segctl.compile.trace import LeafTrace
    from segctl.operations.testing.mutants import Score
    from segctl.operations.testing.reasons import Explained
    from segctl.operations.testing.testing import CaseResult, Mismatch, Outcome

CASES = (
    Column("case"),
    Column("file"),
    Column("line", type="integer"),
    Column("result"),
    Column("segments", type="list"),
    Column("failures", type="list"),
)
_NO_XML = re.compile("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_ANSWERS = {True: "true", False: "false", None: "unknown"}


def long_text(ctx: Context, outcome: Outcome) -> str:
    """Every failure with what its leaves say, and the last line."""
    from segctl.cli import messages

    blocks = []
    for result in outcome.failed:
        for wrong in result.mismatches:
            # The lines below say more than the reason, which is for formats of one line.
            short = replace(diagnostic(wrong), why=None)
            head = messages.long_form(short, outcome.suite.root, color=ctx.terminal.out_color)
            blocks.append("\n".join([head, *_leaf_lines(ctx, wrong)]))
    return "\n\n".join([*blocks, summary(outcome)]) + "\n"


def diagnostic(wrong: Mismatch) -> Diagnostic:
    """A failed expectation as a finding, the deciding leaf in its reason."""
    who = f"`{wrong.profile}` in `{wrong.segment}`" if wrong.profile is not None else f"`{wrong.segment}`"
    found = f" is {wrong.found}" if wrong.code == "SEG530" else f": {wrong.found}"
    message = f"{wrong.case.name}: {who}{found}, expected {wrong.expected}"
    why = None if wrong.explained is None else reason(wrong.explained)
    return Diagnostic(wrong.code, Severity.ERROR, message, wrong.location, why=why)


def reason(why: Explained) -> str:
    """What decided, in one line: ``all[1] is false: the last … (2026-06-01, needs …)``."""
    if why.ended:
        return "the segment had ended (`expires`)"
    if not why.kept:
        return "the condition holds, but `keep` ranks others higher"
    return "; ".join(_decided(leaf, why) for leaf in why.deciding[:3]) or "no leaf alone decided"


def _decided(leaf: LeafTrace, why: Explained) -> str:
    seen = _values(leaf, why)
    place = f" ({why.file}:{leaf.line})" if why.file and leaf.line else ""
    return f"{leaf.text} is {_ANSWERS[leaf.answer]}{f': {seen}' if seen else ''}{place}"


def _values(leaf: LeafTrace, why: Explained) -> str:
    from segctl.compile.words_trace import TraceWords

    if leaf.missing is not None:
        return leaf.missing
    words = TraceWords(why.zone, why.language)
    return "; ".join(f"{value.name} {words.value(value.value, value.type)}" for value in leaf.values)


def _leaf_lines(ctx: Context, wrong: Mismatch) -> list[str]:
    """All leaves below a failure, those that decided marked by a word."""
    why = wrong.explained
    if why is None:
        return []
    deciding = {leaf.path for leaf in why.deciding} if why.kept and not why.ended else set()
    rows = [
        (
            "decided" if leaf.path in deciding else "",
            _ANSWERS[leaf.answer],
            leaf.path or "where",
            leaf.text,
            _values(leaf, why),
        )
        for leaf in why.trace.leaves
    ]
    if why.ended:
        rows.append(("decided", "false", "expires", "the segment had ended", ""))
    elif not why.kept:
        rows.append(("decided", "false", "keep", "others rank higher", ""))
    widths = [max(width(shown(row[i])) for row in rows) for i in range(3)]
    return [_leaf_line(ctx, row, widths) for row in rows]


def _leaf_line(ctx: Context, row: tuple[str, ...], widths: list[int]) -> str:
    head = "  ".join(shown(cell) + " " * (w - width(shown(cell))) for cell, w in zip(row, widths, strict=False))
    text, seen = shown(row[3]), shown(row[4])
    line = f"   {head}  {text}{f' — {seen}' if seen and ctx.terminal.unicode else f' - {seen}' if seen else ''}"
    room = ctx.terminal.width
    if not seen or room is None or width(line) <= room:
        return line
    return f"   {head}  {text}\n{' ' * (width(head) + 5)}{seen}"


def summary(outcome: Outcome) -> str:
    """``2 of 34 cases failed, 12 segments (0.31 s)``."""
    from segctl.operations.testing.testing import names_tested

    ran, failed = len(outcome.results), len(outcome.failed)
    told = f"{failed:,} of {counted(ran, 'cases')} failed" if failed else f"{counted(ran, 'cases')} passed"
    left = len(outcome.suite.cases) - ran
    skipped = f", {left:,} not run" if left else ""
    names = names_tested([result.case for result in outcome.results])
    return f"{told}{skipped}, {counted(len(names), 'segments')} tested ({outcome.seconds:.2f} s)"


def result_of(outcome: Outcome) -> Result:
    """The run as a table of cases, for JSON and its like."""
    code = ExitCode.FINDINGS if outcome.failed else ExitCode.OK
    return Result(
        "segctl/test/1",
        CASES,
        [_row(result) for result in outcome.results],
        noun="cases",
        facts={"cases": len(outcome.results), "failed": len(outcome.failed), "seconds": round(outcome.seconds, 3)},
        diagnostics=[diagnostic(wrong) for result in outcome.failed for wrong in result.mismatches],
        exit=code,
        reason="tests_failed" if code else None,
    )


def _row(result: CaseResult) -> dict[str, Any]:
    case = result.case
    return {
        "case": case.name,
        "file": case.file,
        "line": case.location.line if case.location else None,
        "result": "failed" if result.mismatches else "passed",
        "segments": [expected.segment for expected in case.expectations],
        "failures": [_failure(wrong) for wrong in result.mismatches],
    }


def _failure(wrong: Mismatch) -> dict[str, Any]:
    why = wrong.explained
    return {
        "code": wrong.code,
        "segment": wrong.segment,
        "profile": wrong.profile,
        "expected": wrong.expected,
        "found": wrong.found,
        "line": wrong.location.line if wrong.location else None,
        "decided": None if why is None else reason(why),
        "leaves": [] if why is None else [_leaf_record(leaf, why) for leaf in why.trace.leaves],
    }


def _leaf_record(leaf: LeafTrace, why: Explained) -> dict[str, Any]:
    return {
        "place": leaf.path or "where",
        "condition": leaf.text,
        "line": leaf.line,
        "answer": _ANSWERS[leaf.answer],
        "decided": leaf in why.deciding,
        "values": _values(leaf, why),
    }


# --- JUnit ------------------------------------------------------------------------------------------------
def junit(outcome: Outcome) -> str:
    """JUnit XML: a suite for each file, a case for each case; names do not change from run to run."""
    files: dict[str, list[CaseResult]] = {}
    for result in outcome.results:
        files.setdefault(result.case.file, []).append(result)
    body = "".join(_junit_suite(file, results) for file, results in files.items())
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="segctl test" tests="{len(outcome.results)}" failures="{len(outcome.failed)}">\n'
        f"{body}</testsuites>\n"
    )


def _junit_suite(file: str, results: Iterable[CaseResult]) -> str:
    listed = list(results)
    failed = sum(bool(result.mismatches) for result in listed)
    head = f'  <testsuite name={_attribute(file)} tests="{len(listed)}" failures="{failed}" errors="0">\n'
    return head + "".join(_junit_case(result) for result in listed) + "  </testsuite>\n"


def _junit_case(result: CaseResult) -> str:
    case = result.case
    place = f' file={_attribute(case.file)} line="{case.location.line if case.location else 1}"'
    name = case.file.removesuffix(".yaml").replace("/", ".")
    head = f"    <testcase classname={_attribute(name)} name={_attribute(case.name)}{place}"
    if not result.mismatches:
        return f"{head}/>\n"
    told = [diagnostic(wrong) for wrong in result.mismatches]
    body = "\n".join(f"{d.location}: {d.message}{f' ({d.why})' if d.why else ''}" for d in told)
    return (
        f"{head}>\n      <failure message={_attribute(told[0].message)}>{escape(_NO_XML.sub(' ', body))}</failure>\n"
        "    </testcase>\n"
    )


def mutants_junit(scores: Sequence[Score]) -> str:
    """JUnit XML: a case for each segment, which fails where a change of its definition is not noticed."""
    failed = sum(bool(score.survivors) for score in scores)
    head = f'tests="{len(scores)}" failures="{failed}"'
    body = "".join(_mutants_case(score) for score in scores)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="segctl test --mutate" {head}>\n  <testsuite name="mutants" {head} errors="0">\n'
        f"{body}  </testsuite>\n</testsuites>\n"
    )


def _mutants_case(score: Score) -> str:
    head = f'    <testcase classname="mutants" name={_attribute(score.segment)}'
    if not score.survivors:
        return f"{head}/>\n"
    body = "\n".join(f"{mutant.location}: {mutant.words}" for mutant in score.survivors)
    told = f"{len(score.survivors)} of {score.mutants} changes are not noticed"
    text = escape(_NO_XML.sub(" ", body))
    return f"{head}>\n      <failure message={_attribute(told)}>{text}</failure>\n    </testcase>\n"


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub(" ", text))
