"""Findings for other programs: GitLab's Code Quality, SARIF 2.1.0 and JUnit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from segctl.cli.finding_places import fingerprints, repository_folder
from segctl.cli.finding_report import Report
from segctl.cli.validation_formats import junit_suites
from segctl.model import catalogue
from segctl.model.diagnostics import Diagnostic, Severity

_GITLAB = {Severity.ERROR: "major", Severity.WARNING: "minor", Severity.NOTE: "info"}
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def gitlab(report: Report) -> str:
    """A Code Quality report: a JSON list; its paths begin at the root of the repository."""
    folder = repository_folder(report.root)
    entries = [
        {
            "description": _described(finding),
            "check_name": finding.code,
            "fingerprint": name,
            "severity": _GITLAB[finding.severity],
            "location": {
                "path": folder + (finding.location.file if finding.location is not None else "segctl.yaml"),
                "lines": {"begin": finding.location.line if finding.location is not None else 1},
            },
        }
        for finding, name in zip(report.findings, fingerprints(report.findings, report.root), strict=True)
    ]
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"


def sarif(report: Report) -> str:
    """SARIF 2.1.0 with the explanation of every code, and waived findings as suppressed ones."""
    from segctl import __version__

    accepted = [finding for finding, _ in report.accepted]
    codes = sorted({finding.code for finding in (*report.findings, *accepted)})
    driver = {
        "name": "segctl",
        "version": __version__,
        "rules": [_rule(code, report.findings) for code in codes],
    }
    results = _results(report.findings, report, codes)
    for result, (_, reason) in zip(_results(accepted, report, codes), report.accepted, strict=True):
        results.append(result | {"suppressions": [{"kind": "inSource", "justification": reason}]})
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _rule(code: str, findings: Sequence[Diagnostic]) -> dict[str, Any]:
    entry = catalogue.entry(code)
    level = next((_level(finding) for finding in findings if finding.code == code), "warning")
    if entry is None:
        return {"id": code, "defaultConfiguration": {"level": level}}
    text = f"{entry.cause}\n\n{entry.remedy}"
    shown = [f"{title}:\n\n```yaml\n{code.strip()}\n```" for title, code in
             (("Example", entry.example), ("Better", entry.better)) if code]  # fmt: skip
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "fullDescription": {"text": entry.cause},
        "help": {"text": text, "markdown": "\n\n".join([text, *shown])},
        "defaultConfiguration": {"level": level},
    }


def _results(findings: Sequence[Diagnostic], report: Report, codes: list[str]) -> list[dict[str, Any]]:
    folder = repository_folder(report.root)
    names = fingerprints(findings, report.root)
    return [_result(finding, name, folder, codes) for finding, name in zip(findings, names, strict=True)]


def _result(finding: Diagnostic, name: str, folder: str, codes: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": codes.index(finding.code),
        "level": _level(finding),
        "message": {"text": _described(finding)},
        "partialFingerprints": {"segctl/v1": name},
    }
    place = finding.location
    if place is not None:
        region = {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.line,
            "endColumn": place.column + place.length,
        }
        artifact = {"uri": quote(folder + place.file), "uriBaseId": "%SRCROOT%"}
        found["locations"] = [{"physicalLocation": {"artifactLocation": artifact, "region": region}}]
    return found


def _level(finding: Diagnostic) -> str:
    return finding.severity.value


def junit(report: Report) -> str:
    """JUnit XML: a suite for each file, red where the exit code is."""
    mildest = list(Severity).index(report.fail_on)
    suites: dict[str, list[tuple[str, str | None]]] = {path: [] for path in report.paths}
    for finding in report.findings:
        is_red = list(Severity).index(finding.severity) <= mildest
        place = finding.location
        name = f"{finding.code} in line {place.line}, column {place.column}" if place is not None else finding.code
        failure = f"{finding.severity.value}: {_described(finding)}" if is_red else None
        suites.setdefault(place.file if place is not None else "project", []).append((name, failure))
    ready = [(file, cases or [("no findings", None)]) for file, cases in sorted(suites.items())]
    return junit_suites(
        report.schema.rpartition("/")[0].replace("/", " "), ready or [("project", [("no findings", None)])]
    )


def _described(finding: Diagnostic) -> str:
    """The finding in one line with what to do."""
    return finding.message if finding.hint is None else f"{finding.message}; {finding.hint}"
