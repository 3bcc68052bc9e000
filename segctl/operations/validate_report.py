"""What a validation found, as values: the text, JUnit and HTML of it are made from these."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.model.diagnostics import Diagnostic, Location, Severity, has_errors
from segctl.model.errors import SegctlError
from segctl.model.exits import ExitCode, worst
from segctl.model.sources import Limit

if TYPE_CHECKING:
    from segctl.connectors.tables.base import TablePart
    from segctl.model.sources import Source
    from segctl.operations.ingest.contract import Gate
    from segctl.quality.checks_results import CheckResult
    from segctl.quality.tally import RuleCount


@dataclass(frozen=True, slots=True)
class FileToCheck:
    """A file and what it is called in reports; `rows` where they are not to be read from the path."""

    path: Path
    shown: str
    rows: TablePart | None = None


@dataclass(frozen=True, slots=True)
class SourceReport:
    """One source, or one file.

    Attributes:
        source: Its name.
        limit: Bad rows it may have.
        files: What was read, as shown.
        rows: Rows judged, unreadable ones included.
        bad: Rows that are bad.
        rules: Broken rules, those with most bad rows first, each with three examples.
        told: Broken rules that make no row bad, likewise.
        together: Groups of rules that are broken by the same rows, as (pointer, keyword), with these rows.
        checks: What the checks of the whole found.
        exact_rows: Rows that only the reference could decide.
        exact: What made that necessary, as (pointer, keyword), with its rows; the most frequent first.
        has_contract: Whether a contract was there to judge by.
        notes: What else a person should know.
        error: Why it could not be judged.
    """

    source: str
    limit: Limit
    files: tuple[str, ...] = ()
    rows: int = 0
    bad: int = 0
    rules: tuple[RuleCount, ...] = ()
    told: tuple[RuleCount, ...] = ()
    together: tuple[tuple[tuple[tuple[str, str], ...], int], ...] = ()
    checks: tuple[CheckResult, ...] = ()
    exact_rows: int = 0
    exact: tuple[tuple[tuple[str, str], int], ...] = ()
    has_contract: bool = False
    notes: tuple[str, ...] = ()
    error: SegctlError | None = None

    @property
    def is_over(self) -> bool:
        """More rows are bad than may be."""
        return self.limit.is_exceeded(self.bad, self.rows)

    @property
    def broken(self) -> tuple[CheckResult, ...]:
        """Checks that are not kept."""
        return tuple(result for result in self.checks if not result.passed)

    @property
    def is_refused(self) -> bool:
        """Whether an ingest would take nothing of it."""
        return self.error is not None or self.is_over or any(r.check.severity == "error" for r in self.broken)

    @property
    def verdict(self) -> str:
        """One word or two for people."""
        if self.error is not None:
            return "cannot be read"
        if self.is_over:
            return "too many bad rows"
        if self.is_refused:
            return "a check is broken"
        if self.bad or self.broken:
            return "within the limit"
        return "not judged" if not self.files else "ok"


@dataclass(frozen=True, slots=True)
class ValidationReport:
    """All that was looked at.

    Attributes:
        root: Folder that files are relative to.
        sources: One entry for each source or file.
        findings: Of the definitions; empty when only data was asked for.
        definition_files: How many files with definitions were read.
    """

    root: Path
    sources: tuple[SourceReport, ...]
    findings: tuple[Diagnostic, ...] = ()
    definition_files: int | None = None

    @property
    def exit(self) -> ExitCode:
        """The code to leave with: what cannot be read is worse than what is found in it."""
        codes = [source.error.exit_code for source in self.sources if source.error is not None]
        has_findings = has_errors(self.findings) or any(source.is_refused for source in self.sources)
        return worst([*codes, ExitCode.FINDINGS if has_findings else ExitCode.OK])

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything as findings with a place, for editors and continuous integration."""
        return (*self.findings, *(found for source in self.sources for found in _diagnostics(source)))


def place_words(pointer: str) -> str:
    """A place in a row as people write it: the column, or the path of names."""
    return pointer[1:].replace("/*", "[]").replace("/", ".").replace("~1", "/").replace("~0", "~") or "the row"


def rows_in_words(rows: int) -> str:
    """A number of rows."""
    return f"{rows:,} row" if rows == 1 else f"{rows:,} rows"


def _diagnostics(report: SourceReport) -> list[Diagnostic]:
    if report.error is not None:
        error = report.error
        return [Diagnostic(error.code, Severity.ERROR, error.message, error.location, error.why, error.hint)]
    severity = Severity.ERROR if report.is_over else Severity.WARNING
    found = [_rule_finding(rule, severity) for rule in report.rules]
    found += [_rule_finding(rule, Severity.WARNING) for rule in report.told]
    if report.is_over:
        said = f"`{report.source}`: {report.bad:,} of {report.rows:,} rows are bad, limit {report.limit}"
        found.insert(0, Diagnostic("SEG437", Severity.ERROR, said, Location(report.files[0]) if report.files else None))
    for result in report.broken:
        level = Severity.ERROR if result.check.severity == "error" else Severity.WARNING
        said = f"`{report.source}` breaks `{result.check.name}`: {result.told}, wanted {result.wanted}"
        found.append(Diagnostic("SEG435", level, said, result.check.location))
    return found


def _rule_finding(rule: RuleCount, severity: Severity) -> Diagnostic:
    first = rule.examples[0] if rule.examples else None
    lines = ", ".join(str(example.line) for example in rule.examples)
    said = f"`{place_words(rule.pointer)}`: expected {rule.expected}; {rows_in_words(rule.rows)} (`{rule.keyword}`)"
    where = Location(first.file, first.line) if first else None
    return Diagnostic("SEG436", severity, said, where, hint=f"see lines {lines}" if rule.rows > 1 and lines else None)


def report_of(source: Source, gate: Gate, files: tuple[str, ...]) -> SourceReport:
    """The report of a source whose rows have passed the gate."""
    tally = gate.tally
    return SourceReport(
        source=source.name,
        limit=source.max_bad_rows,
        files=files,
        rows=tally.rows,
        bad=tally.bad,
        rules=tuple(tally.rules()),
        told=tuple(tally.told()),
        together=tuple(tally.together()),
        checks=tuple(gate.results()),
        exact_rows=tally.exact_rows,
        exact=tuple(sorted(tally.exact.items(), key=lambda item: (-item[1], item[0]))),
        has_contract=source.contract is not None,
        notes=tuple(gate.notes()),
    )
