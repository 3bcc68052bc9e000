"""Findings for people, editors and pipelines; notices; progress; questions."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cli_process import Finished

from segctl.cli import excerpt, finding_formats, messages, output, progress, questions, streams
from segctl.cli.context import Context, Terminal, terminal_facts
from segctl.cli.deadline import parse_span
from segctl.model.diagnostics import Diagnostic, Location, Severity
from segctl.model.errors import Refused, UsageError
from segctl.model.exits import ExitCode
from segctl.operations.progress import Silent

NOW = datetime(2026, 11, 21, tzinfo=UTC)
CTX = Context("lint", NOW)
FINDING = Diagnostic(
    "SEG204",
    Severity.ERROR,
    "`contry` is not a declared trait",
    Location("segments/winback.yaml", 2, 10, 6),
    why="conditions may use only declared traits",
    hint="did you mean `country`?",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "winback.yaml").write_text("segment: winback\nwhere:  {contry: DE}\n", "utf-8")
    return tmp_path


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was written to stderr."""
    found: list[str] = []
    monkeypatch.setattr(streams, "write_message", found.append)
    return found


def test_a_finding_in_long_form_shows_the_source_line(folder: Path) -> None:
    assert messages.long_form(FINDING, folder).split("\n") == [
        "error[SEG204]: `contry` is not a declared trait",
        "  --> segments/winback.yaml:2:10",
        "   |",
        " 2 | where:  {contry: DE}",
        "   |          ^^^^^^",
        "   why:  conditions may use only declared traits",
        "   hint: did you mean `country`?",
    ]


def test_a_finding_in_one_line_reads_like_a_compiler_message() -> None:
    assert messages.concise_form(FINDING) == (
        "segments/winback.yaml:2:10: error SEG204: `contry` is not a declared trait (did you mean `country`?)"
    )


@pytest.mark.parametrize(
    ("content", "place", "line", "carets"),
    [
        pytest.param("a: größe", Location("f", 1, 4, 5), "a: größe", "   ^^^^^", id="umlauts are one column"),
        pytest.param("日本: x", Location("f", 1, 5, 1), "日本: x", "      ^", id="wide characters are two"),
        pytest.param("\tx", Location("f", 1, 2, 1), " x", " ^", id="a tab is one column"),
        pytest.param("ab", Location("f", 1, 2, 99), "ab", " ^", id="no carets beyond the end"),
        pytest.param("ab", Location("f", 1, 99, 1), "ab", "  ^", id="a column beyond the end"),
        pytest.param("\ufeffab", Location("f", 1, 1, 2), "ab", "^^", id="a byte order mark"),
        pytest.param("a\x1b[31mb", Location("f", 1, 1, 1), "a\\x1b[31mb", "^", id="escape codes are shown as text"),
    ],
)
def test_carets_stand_below_what_is_meant(
    tmp_path: Path, content: str, place: Location, line: str, carets: str
) -> None:
    (tmp_path / "f").write_text(content, "utf-8")

    assert excerpt.lines(place, tmp_path)[2:] == [f" 1 | {line}", f"   | {carets}"]


def test_a_very_long_line_is_shown_around_the_place(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x" * 100_000 + "HERE" + "y" * 100_000, "utf-8")

    shown = excerpt.lines(Location("f", 1, 100_001, 4), tmp_path)

    assert len(shown[2]) < 2 * excerpt.AROUND + 20
    at = shown[2].index("HERE")
    assert shown[3][at : at + 4] == "^^^^"


@pytest.mark.parametrize("name", ["missing", "a_folder", "pipe", "\x00"])
def test_a_place_that_cannot_be_read_is_named_without_its_line(tmp_path: Path, name: str) -> None:
    import os

    (tmp_path / "a_folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    assert len(excerpt.lines(Location(name, 1, 1), tmp_path)) == 1


def test_the_summary_counts_in_words() -> None:
    warning = replace(FINDING, severity=Severity.WARNING)

    assert messages.summary_line([FINDING] * 3 + [warning], files=41) == "3 errors, 1 warning in 41 files"
    assert messages.summary_line([], files=1) == "0 errors in 1 file"


def test_more_than_twenty_of_one_code_are_grouped() -> None:
    many = [replace(FINDING, location=Location("f", n)) for n in range(1, 22)]

    grouped = messages.grouped(many)

    assert [more for _, more in grouped] == [0, 0, 18]
    assert len(messages.grouped(many[:20])) == 20


@pytest.mark.parametrize(
    ("findings", "fail_on", "code"),
    [
        ([], Severity.ERROR, ExitCode.OK),
        ([FINDING], Severity.ERROR, ExitCode.FINDINGS),
        ([replace(FINDING, severity=Severity.WARNING)], Severity.ERROR, ExitCode.OK),
        ([replace(FINDING, severity=Severity.WARNING)], Severity.WARNING, ExitCode.FINDINGS),
        ([replace(FINDING, severity=Severity.NOTE)], Severity.WARNING, ExitCode.OK),
    ],
)
def test_the_code_of_a_check_depends_on_the_mildest_severity_that_counts(
    tmp_path: Path, findings: list[Diagnostic], fail_on: Severity, code: ExitCode
) -> None:
    ctx = replace(CTX, output=tmp_path / "out")

    assert output.findings(ctx, "segctl/lint/1", findings, fail_on=fail_on) == code


def report(*findings: Diagnostic) -> finding_formats.Report:
    return finding_formats.Report("segctl/lint/1", findings, 2, Path(), ExitCode.FINDINGS)


def test_annotations_escape_and_come_worst_first() -> None:
    warning = replace(FINDING, severity=Severity.WARNING, location=Location("a,b:c", 1), hint=None, message="50 %\nx")

    lines = finding_formats.WRITERS["github"](CTX, report(warning, FINDING)).decode().splitlines()

    error = "::error file=segments/winback.yaml,line=2,col=10,title=SEG204::`contry` is not a declared trait"
    assert lines == [
        f"{error}%0A{FINDING.hint}",
        "::warning file=a%2Cb%3Ac,line=1,col=1,title=SEG204::50 %25%0Ax",
        "1 error, 1 warning in 2 files",
    ]


def test_findings_as_json_hold_place_and_exit() -> None:
    document = json.loads(finding_formats.WRITERS["json"](CTX, report(FINDING)))

    assert document["diagnostics"][0]["line"] == 2
    assert document["exit"]["code"] == 1
    assert document["data"]["summary"] == "1 error in 2 files"


def test_findings_in_every_format_end_with_a_line_end() -> None:
    assert all(write(CTX, report(FINDING)).endswith(b"\n") for write in finding_formats.WRITERS.values())


def test_quiet_tells_errors_only(told: list[str]) -> None:
    quiet = replace(CTX, verbosity=-1)

    messages.notice(quiet, "done")
    messages.warning(quiet, "hm")
    messages.diagnostics(quiet, [replace(FINDING, severity=Severity.WARNING)])
    messages.summary(quiet, [])
    assert told == []
    messages.diagnostics(quiet, [FINDING])
    assert len(told) == 1


def test_details_need_to_be_asked_for(told: list[str]) -> None:
    messages.detail(CTX, "read 3 files")
    assert told == []
    messages.detail(replace(CTX, verbosity=1), "read 3 files")
    messages.detail(replace(CTX, verbosity=1), "very fine", level=2)
    assert told == ["read 3 files\n"]


def test_a_refusal_says_so(told: list[str]) -> None:
    messages.error(CTX, Refused("SEG108", "too many", hint="look"))

    assert told == ["refused[SEG108]: too many\n   hint: look\n"]


def test_findings_that_led_to_an_error_come_before_it(told: list[str]) -> None:
    messages.error(CTX, UsageError("SEG121", "cannot go on", diagnostics=(FINDING,)))

    assert [text.partition(":")[0] for text in told] == ["error[SEG204]", "error[SEG121]"]


# --- Progress --------------------------------------------------------------------------------------------
class Ticks:
    """A monotonic clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


def test_quiet_shows_no_progress() -> None:
    assert isinstance(progress.listener(replace(CTX, verbosity=-1)), Silent)


def test_off_a_terminal_a_short_task_is_one_line(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = Ticks(monkeypatch)
    listener = progress.listener(CTX)

    listener.start("reading orders", total=60_000)
    for _ in range(60):
        ticks.now += 0.01
        listener.advance(1_000)
    listener.finish()

    assert told == ["reading orders: 60,000 rows in 0.6 s (100,000 rows/s)\n"]


@pytest.mark.parametrize(
    ("done", "unit", "told_as"),
    [
        (1, "segments", "1 segment"), (2_500, "rows", "2,500 rows"), (999, "bytes", "999 bytes"),
        (251_302, "bytes", "251 kB"), (999_499, "bytes", "999 kB"), (999_500, "bytes", "1.0 MB"),
        (12_345_678, "bytes", "12.3 MB"), (10**12, "bytes", "1.0 TB"),
    ],
)  # fmt: skip
def test_amounts_are_told_in_units_that_are_read_at_a_glance(
    told: list[str], monkeypatch: pytest.MonkeyPatch, done: int, unit: str, told_as: str
) -> None:
    ticks = Ticks(monkeypatch)
    listener = progress.listener(CTX)

    listener.start("work", unit=unit)
    listener.advance(done)
    ticks.now += 0.4
    listener.finish()

    assert told == [f"work: {told_as} in 0.4 s\n"]


def test_off_a_terminal_a_long_task_tells_every_tenth(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = Ticks(monkeypatch)
    listener = progress.listener(CTX)

    listener.start("reading", total=100)
    for _ in range(100):
        ticks.now += 1.0
        listener.advance(1)
    listener.finish()

    assert len(told) == 10
    assert told[0] == "reading: 10 %, 10 of 100 rows, about 90 s left\n"


def test_without_a_total_a_line_comes_every_half_minute(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = Ticks(monkeypatch)
    listener = progress.listener(CTX)

    listener.start("reading", unit="bytes")
    for _ in range(65):
        ticks.now += 1.0
        listener.advance(1)

    assert told == ["reading: 30 bytes\n", "reading: 60 bytes\n"]


def test_on_a_terminal_a_bar_appears_after_half_a_second_and_leaves_its_line(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(streams, "_write_message", drawn.append)
    ticks = Ticks(monkeypatch)
    listener = progress.listener(replace(CTX, terminal=Terminal(err=True, progress=True)))

    listener.start("reading", total=100)
    listener.advance(1)
    assert drawn == []
    ticks.now += 0.6
    listener.advance(1)
    assert any("reading" in text for text in drawn)
    listener.finish()

    assert told == ["reading: 2 rows in 0.6 s (3 rows/s)\n"]


def test_another_message_takes_the_bar_away_first(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(streams, "_write_message", drawn.append)
    ticks = Ticks(monkeypatch)
    listener = progress.Bar(replace(CTX, terminal=Terminal(err=True, progress=True)))
    listener.start("reading", total=100)
    ticks.now += 0.6
    listener.advance(1)

    messages.notice(CTX, "found a byte order mark")

    assert listener._live is None
    assert drawn[-1] == "found a byte order mark\n"
    assert "\x1b[?25h" in "".join(drawn)  # the cursor is shown again


# --- Questions, spans, terminals ---------------------------------------------------------------------------
@pytest.mark.parametrize(("typed", "is_yes"), [("y", True), ("Yes", True), ("ja", True), ("", False), ("n", False)])
def test_only_a_clear_yes_is_a_yes(told: list[str], monkeypatch: pytest.MonkeyPatch, typed: str, is_yes: bool) -> None:
    monkeypatch.setattr(streams, "read_line", lambda: typed)
    ctx = replace(CTX, terminal=Terminal(interactive=True))

    if is_yes:
        questions.confirm(ctx, "Remove 3 files?")
    else:
        with pytest.raises(Refused, match="nothing was changed"):
            questions.confirm(ctx, "Remove 3 files?")
    assert told == ["Remove 3 files? [y/N] "]


def test_nobody_is_asked_without_a_terminal() -> None:
    with pytest.raises(Refused, match="nobody can be asked"):
        questions.confirm(CTX, "Remove?")
    questions.confirm(replace(CTX, yes=True), "Remove?")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90", 90), ("90s", 90), ("1.5m", 90), ("2 hours", 7200), ("1 day", 86_400), ("250ms", 0.25), ("0", 0)],
)
def test_a_length_of_time_is_seconds(text: str, seconds: float) -> None:
    assert parse_span(text, "--timeout") == seconds


@pytest.mark.parametrize("text", ["", "soon", "-1", "1 fortnight", "s", "1e3", "٣"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="no length of time"):
        parse_span(text, "--timeout")


@pytest.mark.parametrize(
    ("environ", "color", "no_color", "expected"),
    [
        ({}, "auto", False, False),
        ({"FORCE_COLOR": "1"}, "auto", False, True),
        ({"FORCE_COLOR": "0"}, "auto", False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": "1"}, "always", False, True),
        ({"FORCE_COLOR": "1"}, "auto", True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, "auto", False, False),
        ({"NO_COLOR": ""}, "always", False, True),
    ],
)
def test_who_wins_about_colour(environ: dict[str, str], color: str, no_color: bool, expected: bool) -> None:
    facts = terminal_facts(environ, plain=False, color=color, no_color=no_color, no_progress=False, no_input=False)

    assert facts.err_color is expected


@pytest.mark.parametrize(("columns", "expected"), [("20", 20), ("400", 400), ("0", None), ("x", None), ("", None)])
def test_the_width_off_a_terminal_is_that_of_columns(columns: str, expected: int | None) -> None:
    facts = terminal_facts(
        {"COLUMNS": columns}, plain=False, color="auto", no_color=False, no_progress=False, no_input=False
    )

    assert facts.width == expected


def test_a_person_is_asked_on_a_terminal_but_not_in_a_pipeline(on_terminal: Callable[..., Finished]) -> None:
    script = (
        "import os, sys\nfrom segctl.cli.context import terminal_facts\n"
        "f = terminal_facts(os.environ, plain=False, color='auto', no_color=False, no_progress=False, no_input=False)\n"
        "os.write(1, f'interactive={f.interactive} progress={f.progress} out={f.out}'.encode())"
    )
    import sys

    here = on_terminal(program=[sys.executable, "-c", script]).out
    pipeline = on_terminal(program=[sys.executable, "-c", script], env={"CI": "true"}).out

    assert here == "interactive=True progress=True out=True"
    assert pipeline.startswith("interactive=False")


@pytest.mark.parametrize("color", [False, True])
def test_a_message_is_folded_between_words_where_the_terminal_ends(told: list[str], color: bool) -> None:
    ctx = replace(CTX, terminal=Terminal(err=True, err_color=color, err_width=30))

    messages.warning(ctx, "a column of the file does not fit its type", hint="mend the file, or write `--allow-empty`")

    lines = re.sub(r"\x1b\[[0-9;]*m", "", "".join(told)).split("\n")
    assert lines == [
        "warning: a column of the file",
        "does not fit its type",
        "   hint: mend the file, or",
        "   write `--allow-empty`",
        "",
    ]


def test_off_a_terminal_and_in_the_log_a_message_is_one_line(told: list[str], tmp_path: Path) -> None:
    text = "word " * 60 + "end"

    messages.notice(CTX, text)
    messages.notice(replace(CTX, log_file=tmp_path / "log", terminal=Terminal(err=True, err_width=40)), text)

    assert told[0] == text + "\n"
    assert told[1].count("\n") == 8
    assert json.loads((tmp_path / "log").read_text("utf-8"))["message"] == text


def test_what_marks_a_line_of_a_file_stays_below_it(told: list[str], folder: Path) -> None:
    ctx = replace(CTX, project=folder, terminal=Terminal(err=True, err_width=22))

    messages.diagnostics(ctx, [FINDING], root=folder)

    assert " 2 | where:  {contry: DE}\n   |          ^^^^^^\n" in told[0]
    assert "  --> segments/winback.yaml:2:10\n" in told[0]


@pytest.mark.parametrize(("columns", "found"), [("", 97), ("60", 60)])
def test_the_width_of_messages_is_that_of_their_own_terminal(
    monkeypatch: pytest.MonkeyPatch, columns: str, found: int
) -> None:
    monkeypatch.setattr(streams, "is_terminal", lambda descriptor: descriptor == streams.STDERR)
    monkeypatch.setattr("os.get_terminal_size", lambda descriptor: os.terminal_size((95 + descriptor, 24)))
    facts = {"plain": False, "color": "auto", "no_color": False, "no_progress": False, "no_input": False}

    assert terminal_facts({"COLUMNS": columns}, **facts).err_width == found
    monkeypatch.setattr(streams, "is_terminal", lambda _: False)
    assert terminal_facts({"COLUMNS": columns}, **facts).err_width is None
