"""The one owner of stderr: errors, findings, notices and the last line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from segctl.cli import streams
from segctl.cli.cells import shown
from segctl.cli.context import Context
from segctl.cli.folding import folded
from segctl.model.diagnostics import Diagnostic, Severity, in_reading_order
from segctl.model.errors import Refused, SegctlError

GROUP_ABOVE = 20
_COLORS = {"error": "1;31", "refused": "1;31", "warning": "1;33", "note": "1;36", "hint": "32"}


def error(ctx: Context, problem: SegctlError) -> None:
    """Tell why the run cannot go on; findings that led there come first."""
    diagnostics(ctx, problem.diagnostics)
    word = "refused" if isinstance(problem, Refused) else "error"
    as_finding = Diagnostic(problem.code, Severity.ERROR, problem.message, problem.location, problem.why, problem.hint)
    _say(ctx, long_form(as_finding, ctx.root, color=ctx.terminal.err_color, word=word), as_finding)


def diagnostics(ctx: Context, findings: Iterable[Diagnostic], *, root: Path | None = None) -> None:
    """Tell findings in long form, in reading order; quiet tells errors only.

    Args:
        ctx: The call.
        findings: What was found.
        root: Folder that the findings' files are relative to; otherwise the project folder of the call.
    """
    told = [d for d in in_reading_order(findings) if d.severity is Severity.ERROR or not ctx.quiet]
    for finding, more in grouped(told):
        text = long_form(finding, root or ctx.root, color=ctx.terminal.err_color)
        # Findings with a place take several lines, so a blank one keeps them apart, as in `lint`.
        _say(ctx, text + more_line(finding, more) + ("\n" if finding.location else ""), finding)


def notice(ctx: Context, text: str) -> None:
    """Tell what a person wants to know after success: what changed, where it is recorded, the next command."""
    if not ctx.quiet:
        _say(ctx, shown(text))


def warning(ctx: Context, text: str, *, hint: str | None = None) -> None:
    """Tell something that did not stop the run but should be looked at."""
    if not ctx.quiet:
        tail = f"\n   {_paint('hint', 'hint', on=ctx.terminal.err_color)}: {shown(hint)}" if hint else ""
        _say(ctx, f"{_paint('warning', 'warning', on=ctx.terminal.err_color)}: {shown(text)}{tail}")


def stopped(ctx: Context, how: str) -> None:
    """Tell that a signal ended the call."""
    _say(ctx, f"{how}; what was committed stays, run the command again to go on")


def bug(ctx: Context, text: str) -> None:
    """Tell that something happened that never should."""
    first = _paint("bug", "error", on=ctx.terminal.err_color)
    _say(
        ctx, f"{first}: {shown(text)}\n   hint: this is a fault of segctl, not yours; send the report to its developers"
    )


def detail(ctx: Context, text: str, *, level: int = 1) -> None:
    """Tell what was read, decided or timed; only with `-v` (level 1) or `-vv` (level 2)."""
    if ctx.verbosity >= level:
        _say(ctx, shown(text))
    else:
        _log(ctx, text, "detail")


def summary(ctx: Context, findings: Sequence[Diagnostic], *, files: int | None = None) -> None:
    """The last line of a check: ``3 errors, 1 warning in 41 files (0.21 s)``."""
    if not ctx.quiet:
        _say(ctx, f"{summary_line(findings, files=files)} ({ctx.elapsed_s:.2f} s)")


def summary_line(findings: Sequence[Diagnostic], *, files: int | None = None) -> str:
    """``3 errors, 1 warning in 41 files``."""
    counts = Counter(d.severity for d in findings)
    parts = [_counted(counts[s], s.value) for s in Severity if counts[s] or s is Severity.ERROR]
    where = "" if files is None else f" in {_counted(files, 'file')}"
    return ", ".join(parts) + where


def long_form(finding: Diagnostic, root: Path, *, color: bool = False, word: str | None = None) -> str:
    """What, where with the source line, why, what to do, code; without the last line end.

    Args:
        finding: What was found.
        root: Folder that the file is relative to.
        color: Paint the words.
        word: First word instead of the severity, such as ``refused``.
    """
    first = word or finding.severity.value
    lines = [f"{_paint(f'{first}[{finding.code}]', first, on=color)}: {shown(finding.message)}"]
    if finding.location is not None:
        from segctl.cli import excerpt

        lines += excerpt.lines(finding.location, root, is_private=finding.is_private)
    if finding.why:
        lines.append(f"   why:  {shown(finding.why)}")
    if finding.hint:
        lines.append(f"   {_paint('hint', 'hint', on=color)}: {shown(finding.hint)}")
    return "\n".join(lines)


def concise_form(finding: Diagnostic) -> str:
    """One line in the layout that editors read: ``file:line:col: error SEG204: what (hint)``."""
    where = f"{finding.location}: " if finding.location else ""
    hint = f" ({finding.hint})" if finding.hint else ""
    return shown(f"{where}{finding.severity.value} {finding.code}: {finding.message}{hint}")


def grouped(findings: Sequence[Diagnostic]) -> list[tuple[Diagnostic, int]]:
    """The findings with how many more of the code stand behind the one shown last.

    A code that was found more than 20 times is shown three times.
    """
    counts = Counter(d.code for d in findings)
    seen: Counter[str] = Counter()
    kept = []
    for finding in findings:
        seen[finding.code] += 1
        is_many = counts[finding.code] > GROUP_ABOVE
        if not is_many or seen[finding.code] <= 3:
            is_last = is_many and seen[finding.code] == 3
            kept.append((finding, counts[finding.code] - 3 if is_last else 0))
    return kept


def more_line(finding: Diagnostic, more: int) -> str:
    """The line below a grouped code, empty when nothing was left out."""
    return f"\n   and {more:,} more {finding.code}; `-f concise` or `-f json` lists all" if more else ""


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _paint(text: str, word: str, *, on: bool) -> str:
    return f"\x1b[{_COLORS.get(word, '1')}m{text}\x1b[0m" if on else text


def _say(ctx: Context, text: str, finding: Diagnostic | None = None) -> None:
    streams.write_message(folded(text, ctx.terminal.err_width) + "\n")
    if finding is None:
        _log(ctx, text, "notice")
    else:
        _log(ctx, finding.message, finding.severity.value, finding)


def _log(ctx: Context, text: str, level: str, finding: Diagnostic | None = None) -> None:
    if ctx.log_file is None:
        return
    import json

    entry = {"time": ctx.moment.isoformat(), "verb": ctx.verb, "level": level, "message": text}
    if finding is not None:
        entry |= {"code": finding.code, "where": str(finding.location) if finding.location else ""}
    with ctx.log_file.open("a", encoding="utf-8", newline="\n") as stream:
        stream.write(streams.without_secrets(json.dumps(entry, ensure_ascii=False)) + "\n")
