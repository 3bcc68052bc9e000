"""The validation as one page for people: no script, nothing from elsewhere, readable by screen readers and on paper."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from segctl.cli.html_page import document
from segctl.cli.validation_page_words import WORDS, number, percent, said

if TYPE_CHECKING:
    from segctl.operations.validate_report import SourceReport, ValidationReport
    from segctl.quality.checks_results import CheckResult
    from segctl.quality.tally import RuleCount

_SHOWN = 200
# Signs that turn the direction of writing round, or that nobody sees.
_HOSTILE = re.compile("[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_MARKS = {"good": "✓", "warn": "!", "bad": "✗", "none": "–"}
_LOOKS = {"ok": "good", "within the limit": "warn", "not judged": "none"}
_CODE = re.compile(r"`([^`]*)`")


def page(report: ValidationReport, *, name: str, language: str, at: datetime, personal: bool) -> str:
    """The whole page.

    Args:
        report: What was found.
        name: Of the project; may be empty.
        language: ``de`` or ``en``; otherwise ``en``.
        at: When, in the zone of the project.
        personal: Values may be shown.
    """
    return _Page(language if language in WORDS else "en", personal=personal).whole(report, name, at)


def plain(text: str, most: int = _SHOWN) -> str:
    """Any text as harmless HTML: nothing in it is markup, turns the line round or hides; long ones are cut."""
    return _harmless(text if len(text) <= most else f"{text[:most]}…")


def _harmless(text: str) -> str:
    return escape(_HOSTILE.sub(lambda sign: f"‹U+{ord(sign[0]):04X}›", text), quote=True)


class _Page:
    def __init__(self, language: str, *, personal: bool) -> None:
        self.language = language
        self.words = WORDS[language]
        self.personal = personal

    def whole(self, report: ValidationReport, name: str, at: datetime) -> str:
        words = self.words
        title = f"{words['title']}: {plain(name)}" if name else words["title"]
        when = at.strftime("%d.%m.%Y %H:%M %Z" if self.language == "de" else "%Y-%m-%d %H:%M %Z")
        shown = "personal" if self.personal else "hidden"
        has_rules = any(source.rules or source.told for source in report.sources)
        body = [
            f"<header><h1>{title}</h1>",
            f'<p class="soft">{words["made"].format(at=plain(when))} · segctl validate</p>',
            self._lead(report),
            f'<p class="soft">{self._coded(words[shown])}</p>' if has_rules else "",
            "</header><main>",
            self._summary(report) if report.sources else "",
            self._findings(report),
            *(self._source(source, number) for number, source in enumerate(report.sources, start=1)),
            "</main>",
        ]
        return document(title, self.language, "\n".join(part for part in body if part))

    def _lead(self, report: ValidationReport) -> str:
        from segctl.model.diagnostics import Severity

        refused = sum(source.is_refused for source in report.sources)
        errors = sum(finding.severity is Severity.ERROR for finding in report.findings)
        parts = [self.words["definitions"].format(n=errors)] if errors else []
        if refused:
            parts.append(self.words["bad"].format(n=refused, all=len(report.sources)))
        look = "bad" if parts else "good"
        return f'<p class="lead {look}">{_MARKS[look]} {" ".join(parts) or self.words["good"]}</p>'

    def _summary(self, report: ValidationReport) -> str:
        words = self.words
        rows = []
        for at, source in enumerate(report.sources, start=1):
            cells = (
                f'<th scope="row" role="rowheader"><a href="#s{at}">{plain(source.source)}</a></th>'
                + self._cell("rows", number(source.rows, self.language), "n")
                + self._cell("bad_rows", number(source.bad, self.language), "n")
                + self._cell("share", percent(source.bad, source.rows, self.language), "n")
                + self._cell("limit", plain(str(source.limit)), "n")
                + f'<td role="cell">{self._verdict(source)}</td>'
            )
            rows.append(f'<tr role="row">{cells}</tr>')
        heads = [("source", ""), ("rows", "n"), ("bad_rows", "n"), ("share", "n"), ("limit", "n"), ("verdict", "")]
        return f"<section><h2>{words['summary']}</h2>{self._table('summary', heads, rows)}</section>"

    def _cell(self, label: str, inner: str, look: str = "") -> str:
        return f'<td role="cell" class="{look}" data-label="{self.words[label]}">{inner}</td>'

    def _table(self, name: str, heads: list[tuple[str, str]], rows: list[str], columns: str = "") -> str:
        head = "".join(
            f'<th scope="col" role="columnheader" class="{look}">{self.words[key]}</th>' for key, look in heads
        )
        return (
            f'<table role="table" class="{name}">{columns}<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
            f'<tbody role="rowgroup">{"".join(rows)}</tbody></table>'
        )

    def _badge(self, look: str, text: str) -> str:
        return f'<span class="badge {look}"><span aria-hidden="true">{_MARKS[look]}</span> {text}</span>'

    def _verdict(self, source: SourceReport) -> str:
        return self._badge(_LOOKS.get(source.verdict, "bad"), self.words.get(source.verdict, plain(source.verdict)))

    def _findings(self, report: ValidationReport) -> str:
        if not report.findings:
            return ""
        lines = [
            f"<li><code>{plain(found.code)}</code> {plain(found.message)}"
            + (f' <span class="soft">{plain(str(found.location))}</span>' if found.location else "")
            + (f"<br>{plain(found.hint)}" if found.hint else "")
            + "</li>"
            for found in report.findings
        ]
        return f"<section><h2>{self.words['findings']}</h2><ul>{''.join(lines)}</ul></section>"

    def _source(self, source: SourceReport, at: int) -> str:
        words = self.words
        parts = [
            f'<section class="source" id="s{at}" aria-labelledby="h{at}">',
            f'<div class="head"><h2 id="h{at}"><bdi>{plain(source.source)}</bdi></h2>{self._verdict(source)}</div>',
            self._files(source),
        ]
        if source.error is not None:
            parts.append(f"<p>{plain(source.error.message)}</p>")
        elif source.files and not source.rules and not source.told and not source.broken:
            parts.append(f"<p>{words['none']}</p>")
        parts += [f"<p>{plain(note)}</p>" for note in source.notes]
        parts += [
            self._rules(source.rules, "rules"),
            self._rules(source.told, "told"),
            self._together(source),
            self._checks(source),
            self._next(source),
            "</section>",
        ]
        return "\n".join(part for part in parts if part)

    def _files(self, source: SourceReport) -> str:
        if not source.files:
            return ""
        names = ", ".join(f"<bdi>{plain(name)}</bdi>" for name in source.files)
        rows = self.words["bar"].format(n=number(source.bad, self.language), all=number(source.rows, self.language))
        return f'<p class="soft">{self.words["files"]}: {names} · {self.words["bad_rows"]}: {rows}</p>'

    def _rules(self, rules: Sequence[RuleCount], title: str) -> str:
        if not rules:
            return ""
        most = max(rule.rows for rule in rules)
        rows = [self._rule(rule, most) for rule in rules]
        heads = [("rule", ""), ("bad_rows", ""), ("examples", "")]
        columns = '<colgroup><col class="c1"><col class="c2"><col></colgroup>'
        return f"<h3>{self.words[title]}</h3>{self._table('rules', heads, rows, columns)}"

    def _rule(self, rule: RuleCount, most: int) -> str:
        width = max(1, round(100 * rule.rows / most))
        examples = "".join(f"<li>{self._example(example)}</li>" for example in rule.examples)
        return (
            f'<tr role="row"><th scope="row" role="rowheader"><span class="where"><bdi>{self._place(rule.pointer)}'
            f'</bdi></span><br><span class="soft"><bdi>{self._coded(said(rule.expected, self.language))}</bdi></span>'
            f'</th><td role="cell" data-label="{self.words["bad_rows"]}">{number(rule.rows, self.language)}'
            f'<span class="bar" aria-hidden="true"><span style="width:{width}%"></span></span></td>'
            f'<td role="cell"><ul class="plain">{examples}</ul></td></tr>'
        )

    def _example(self, example: object) -> str:
        from segctl.quality.tally import Example

        assert isinstance(example, Example)
        file = f"<bdi>{plain(example.file)}</bdi>, " if example.file else ""
        where = file + self.words["line"].format(n=number(example.line, self.language))
        if not self.personal or example.value is None:
            return where
        return f"{where}: {self.words['holds'].format(value=f'<code><bdi>{plain(example.value, 80)}</bdi></code>')}"

    def _place(self, pointer: str) -> str:
        from segctl.operations.validate_report import place_words

        place = place_words(pointer)
        return self.words["the row"] if place == "the row" else plain(place)

    def _together(self, source: SourceReport) -> str:
        if not source.together:
            return ""
        lines = []
        for rules, rows in source.together:
            names = " + ".join(f"<bdi>{self._place(at)}</bdi> <code>{plain(keyword)}</code>" for at, keyword in rules)
            lines.append(f"<li>{names}: {number(rows, self.language)}</li>")
        return f"<h3>{self.words['together']}</h3><ul>{''.join(lines)}</ul>"

    def _checks(self, source: SourceReport) -> str:
        if not source.checks:
            return ""
        heads = [("check", ""), ("found", ""), ("wanted", ""), ("last", ""), ("verdict", "")]
        rows = [self._check(result) for result in source.checks]
        return f"<h3>{self.words['checks']}</h3>{self._table('checks', heads, rows)}"

    def _check(self, result: CheckResult) -> str:
        look = "good" if result.passed else "bad" if result.check.severity == "error" else "warn"
        word = self.words[{"good": "passed", "bad": "broken", "warn": "warning"}[look]]
        lines = ", ".join(number(line, self.language) for line in result.lines)
        where = f" ({self.words['line'].format(n=lines)})" if lines else ""
        return (
            f'<tr role="row"><th scope="row" role="rowheader"><bdi>{plain(result.check.name)}</bdi></th>'
            + self._cell("found", plain(said(result.observed, self.language)) + where)
            + self._cell("wanted", plain(said(result.wanted, self.language)))
            + self._cell("last", plain(result.previous) if result.previous is not None else "–")
            + f'<td role="cell">{self._badge(look, word)}</td></tr>'
        )

    def _next(self, source: SourceReport) -> str:
        steps = []
        if source.error is not None:
            steps.append("do_error")
        elif source.is_over:
            steps.append("do_over")
        elif source.bad:
            steps.append("do_set")
        if source.bad and source.error is None:
            steps += ["do_show", "do_mend"]
        if any(result.check.severity == "error" for result in source.broken):
            steps.append("do_check")
        if not source.has_contract and source.files and source.error is None:
            steps.append("do_bare")
        if not steps:
            return ""
        # The name goes in after the text was made code, so that a backtick in it ends nothing.
        lines = "".join(
            f"<li>{self._coded(self.words[step]).replace('{s}', plain(source.source))}</li>" for step in steps
        )
        return f"<h3>{self.words['next']}</h3><ul>{lines}</ul>"

    def _coded(self, text: str) -> str:
        """Backticks as code."""
        return _CODE.sub(r"<code>\1</code>", _harmless(text))
