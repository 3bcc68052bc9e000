"""How a validation is shown: the first screen for people, and JUnit for test reports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from segctl.cli.cells import counted
from segctl.cli.results import Column, Result, Section

if TYPE_CHECKING:
    from segctl.operations.validate_report import SourceReport, ValidationReport
    from segctl.quality.tally import RuleCount

SOURCES = (
    Column("source"),
    Column("rows", type="integer"),
    Column("bad", type="integer", bar=True),
    Column("share", type="share"),
    Column("limit"),
    Column("verdict"),
)
RULES = (
    Column("source"),
    Column("where"),
    Column("expected"),
    Column("rows", title="bad rows", type="integer"),
    Column("lines", title="for example in line"),
    Column("values", title="which hold"),
    Column("keyword", extra=True),
    Column("pointer", extra=True),
)
TOGETHER = (Column("source"), Column("rows", type="integer"), Column("rules", title="fail together"))
CHECKS = (
    Column("source"),
    Column("check"),
    Column("found"),
    Column("wanted"),
    Column("last_run"),
    Column("verdict"),
    Column("lines", title="for example in line", extra=True),
)
_MOST_GROUPS = 5
_NO_XML = re.compile("[\x00-\x1f\ud800-\udfff\ufffe\uffff]")


def result_of(report: ValidationReport, *, personal: bool, is_whole: bool = False) -> Result:
    """The report as tables: sources, broken rules, rules that fail together, checks.

    Args:
        report: What was found.
        personal: Values may be shown.
        is_whole: Every group of rules that fail together; otherwise the most frequent, and how many more there are.
    """
    rules = tuple(c for c in RULES if personal or c.name != "values")
    sections = (
        Section("rules", "Broken rules, most bad rows first", rules, _rules(report, personal=personal)),
        Section(
            "told", "Broken rules that are told only; their rows are taken", rules, _told(report, personal=personal)
        ),
        Section(
            "together",
            "Rules that fail in the same rows, often with one cause",
            TOGETHER,
            _together(report, None if is_whole else _MOST_GROUPS),
        ),
        Section("checks", "Checks of the whole", CHECKS, _checks(report)),
    )
    return Result(
        "segctl/validate/1",
        SOURCES,
        [_source(source) for source in report.sources],
        noun="sources",
        sections=tuple(section for section in sections if section.rows),
        diagnostics=report.findings,
        notes=_notes(report, personal=personal),
        is_report=True,
        exit=report.exit,
        reason="findings" if report.exit == 1 else None,
    )


def rules_of(report: ValidationReport, *, personal: bool) -> Result:
    """One row for each broken rule, for spreadsheets and streams."""
    columns = tuple(c for c in RULES if personal or c.name != "values")
    return Result("segctl/validate/1", columns, _rules(report, personal=personal), noun="rules", exit=report.exit)


def _source(report: SourceReport) -> tuple[object, ...]:
    share = report.bad / report.rows if report.rows else 0.0
    return report.source, report.rows, report.bad, share, str(report.limit), report.verdict


def _rules(report: ValidationReport, *, personal: bool) -> list[tuple[object, ...]]:
    return [_rule(source.source, rule, personal=personal) for source in report.sources for rule in source.rules]


def _told(report: ValidationReport, *, personal: bool) -> list[tuple[object, ...]]:
    return [_rule(source.source, rule, personal=personal) for source in report.sources for rule in source.told]


def _rule(source: str, rule: RuleCount, *, personal: bool) -> tuple[object, ...]:
    from segctl.operations.validate_report import place_words

    lines = ", ".join(str(example.line) for example in rule.examples)
    values = (", ".join("nothing" if e.value is None else e.value for e in rule.examples),) if personal else ()
    return source, place_words(rule.pointer), rule.expected, rule.rows, lines, *values, rule.keyword, rule.pointer


def _together(report: ValidationReport, most: int | None) -> list[tuple[object, ...]]:
    from segctl.operations.validate_report import place_words

    return [
        (source.source, rows, ", ".join(f"{place_words(pointer)} ({keyword})" for pointer, keyword in rules))
        for source in report.sources
        for rules, rows in source.together[:most]
    ]


def _checks(report: ValidationReport) -> list[tuple[object, ...]]:
    return [
        (source.source, check.check.name, check.observed, check.wanted, check.previous,
         "ok" if check.passed else "broken" if check.check.severity == "error" else "warning",
         ", ".join(map(str, check.lines)))
        for source in report.sources
        for check in source.checks
    ]  # fmt: skip


def _notes(report: ValidationReport, *, personal: bool) -> list[str]:
    found = [f"{source.source}: {note}" for source in report.sources for note in source.notes]
    for source in report.sources:
        if len(source.together) > _MOST_GROUPS:
            more = len(source.together) - _MOST_GROUPS
            found.append(f"{source.source}: {counted(more, 'groups')} of rules more fail together; JSON has them all")
        if source.exact_rows:
            found.append(
                f"{source.source}: {counted(source.exact_rows, 'rows')} needed the slower exact check{_why(source)}"
            )
    bare = [s.source for s in report.sources if not s.has_contract and s.files and s.error is None]
    if bare:
        found.append(f"without a contract only the types of columns are checked: {', '.join(bare)}")
    if any(source.rules or source.told for source in report.sources) and not personal:
        found.append("values are hidden, since they can be personal data; --show-personal shows them")
    if any(source.bad for source in report.sources):
        found.append(
            "nothing was changed: `segctl ingest` sets these rows aside, `segctl quarantine show SOURCE` lists them"
        )
    return found


def _why(source: SourceReport) -> str:
    from segctl.operations.validate_report import place_words

    first = [f"{place_words(pointer)} ({keyword}) {rows:,}" for (pointer, keyword), rows in source.exact[:3]]
    return f": {', '.join(first)}" if first else ""


def junit(report: ValidationReport) -> str:
    """JUnit XML: a suite for the definitions, and one for each source with a case for each rule and each check."""
    suites = [] if report.definition_files is None else [_definitions(report)]
    return junit_suites("segctl validate", [*suites, *(_suite(source) for source in report.sources)])


def junit_suites(name: str, suites: Sequence[tuple[str, Sequence[tuple[str, str | None]]]]) -> str:
    """JUnit XML of suites with their cases: the name of each, and why it failed when it did."""
    written = [_written(suite, cases) for suite, cases in suites]
    failed = sum(f for _, _, f in written)
    total = sum(cases for _, cases, _ in written)
    body = "\n".join(text for text, _, _ in written)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name={_attribute(name)} tests="{total}" failures="{failed}" errors="0">\n{body}\n</testsuites>\n'
    )


def _suite(report: SourceReport) -> tuple[str, list[tuple[str, str | None]]]:
    from segctl.operations.validate_report import place_words, rows_in_words

    error = report.error.message if report.error is not None else None
    bad = f"{report.bad} of {report.rows} rows are bad, limit {report.limit}"
    cases = [("bad rows within the limit", error or (bad if report.is_over else None))]
    cases += [
        (
            f"{place_words(rule.pointer)}: {rule.keyword}",
            f"{rows_in_words(rule.rows)}, expected {rule.expected}" if report.is_over else None,
        )
        for rule in report.rules
    ]
    cases += [
        (
            result.check.name,
            None if result.passed or result.check.severity == "warn" else f"{result.told}, wanted {result.wanted}",
        )
        for result in report.checks
    ]
    return report.source, cases


def _definitions(report: ValidationReport) -> tuple[str, list[tuple[str, str | None]]]:
    """Findings in the files of the project: without them a pipeline would see nothing but green, and exit 1."""
    from segctl.model.diagnostics import Severity

    cases = [
        (f"{found.code} {found.location or ''}".strip(), found.message if found.severity is Severity.ERROR else None)
        for found in report.findings
    ]
    return "definitions", cases or [("no findings", None)]


def _written(suite: str, cases: Sequence[tuple[str, str | None]]) -> tuple[str, int, int]:
    lines = [_case(suite, name, failure) for name, failure in cases]
    failed = sum(failure is not None for _, failure in cases)
    head = f'  <testsuite name={_attribute(suite)} tests="{len(cases)}" failures="{failed}" errors="0">'
    return "\n".join([head, *lines, "  </testsuite>"]), len(cases), failed


def _case(suite: str, name: str, failure: str | None) -> str:
    head = f"    <testcase classname={_attribute(suite)} name={_attribute(name)}"
    return f"{head}/>" if failure is None else f"{head}><failure message={_attribute(failure)}/></testcase>"


def _attribute(text: str) -> str:
    # XML has no place for most control characters and for halves of characters, not even escaped.
    return quoteattr(_NO_XML.sub(" ", text))
