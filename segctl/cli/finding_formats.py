"""The formats of checks: long form for people, one line each for editors, annotations, and data."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable

from segctl.cli import messages
from segctl.cli.cells import encoded
from segctl.cli.context import Context
from segctl.cli.finding_places import repository_folder
from segctl.cli.finding_report import Report
from segctl.cli.formats import diagnostic_record
from segctl.model.diagnostics import Diagnostic, Severity

_GITHUB_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def _long(ctx: Context, report: Report) -> bytes:
    blocks = [
        messages.long_form(finding, report.root, color=ctx.terminal.out_color) + messages.more_line(finding, more)
        for finding, more in messages.grouped(report.findings)
    ]
    last = messages.summary_line(report.findings, files=report.files)
    return encoded("\n\n".join([*blocks, last]) + "\n")


def _concise(ctx: Context, report: Report) -> bytes:  # noqa: ARG001 - the interface of writers
    return encoded("".join(messages.concise_form(finding) + "\n" for finding in report.findings))


def _github(ctx: Context, report: Report) -> bytes:  # noqa: ARG001 - the interface of writers
    """Annotations; the worst come first, as only some of each kind are shown."""
    worst_first = sorted(report.findings, key=lambda d: list(Severity).index(d.severity))
    folder = repository_folder(report.root)
    lines = [_annotation(finding, folder) for finding in worst_first]
    return encoded("\n".join([*lines, messages.summary_line(report.findings, files=report.files)]) + "\n")


def _annotation(finding: Diagnostic, folder: str) -> str:
    place = finding.location
    properties = {"file": folder + place.file, "line": place.line, "col": place.column} if place else {}
    written = ",".join(f"{key}={_property(str(of))}" for key, of in (properties | {"title": finding.code}).items())
    text = finding.message if finding.hint is None else f"{finding.message}\n{finding.hint}"
    return f"::{_GITHUB_COMMANDS[finding.severity]} {written}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _json(ctx: Context, report: Report) -> bytes:  # noqa: ARG001 - the interface of writers
    document = {
        "schema": report.schema,
        "data": {
            "files": report.files,
            "summary": messages.summary_line(report.findings, files=report.files),
            "accepted": [diagnostic_record(finding) | {"reason": reason} for finding, reason in report.accepted],
        },
        "diagnostics": [diagnostic_record(finding) for finding in report.findings],
        "exit": {"code": int(report.code), "name": report.code.name.lower(), "reason": None},
    }
    return encoded(json.dumps(document, ensure_ascii=False, indent=2) + "\n")


def _ndjson(ctx: Context, report: Report) -> bytes:  # noqa: ARG001 - the interface of writers
    return encoded("".join(json.dumps(diagnostic_record(d), ensure_ascii=False) + "\n" for d in report.findings))


def _csv(ctx: Context, report: Report) -> bytes:  # noqa: ARG001 - the interface of writers
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", "line", "column", "severity", "code", "message", "why", "hint"])
    for record in map(diagnostic_record, report.findings):
        writer.writerow(
            [record[key] for key in ("file", "line", "column", "severity", "code", "message", "why", "hint")]
        )
    return encoded(text.getvalue())


def _gitlab(ctx: Context, report: Report) -> bytes:  # noqa: ARG001 - the interface of writers
    from segctl.cli.finding_reports import gitlab

    return encoded(gitlab(report))


def _sarif(ctx: Context, report: Report) -> bytes:  # noqa: ARG001 - the interface of writers
    from segctl.cli.finding_reports import sarif

    return encoded(sarif(report))


def _junit(ctx: Context, report: Report) -> bytes:  # noqa: ARG001 - the interface of writers
    from segctl.cli.finding_reports import junit

    return encoded(junit(report))


WRITERS: dict[str, Callable[[Context, Report], bytes]] = {
    "table": _long,
    "concise": _concise,
    "github": _github,
    "json": _json,
    "ndjson": _ndjson,
    "csv": _csv,
    "gitlab": _gitlab,
    "sarif": _sarif,
    "junit": _junit,
}
