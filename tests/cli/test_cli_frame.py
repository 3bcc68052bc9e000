"""The frame: verbs, options, near names, exit codes, streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli_process import PROGRAM, Finished, environment

Run = Callable[..., Finished]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(("shema",), "did you mean `segctl schema`?", id="a swallowed letter in a verb"),
        pytest.param(("aply",), "did you mean `segctl apply`?", id="another one"),
        pytest.param(("schema", "--outptu", "x"), "did you mean `--output`?", id="swapped letters in an option"),
        pytest.param(("schema", "-f", "jsn"), "did you mean `json`?", id="a wrong format"),
        pytest.param(("schema", "--color", "alway"), "did you mean `always`?", id="a wrong choice"),
        pytest.param(("help", "windwos"), "did you mean `segctl help windows`?", id="a wrong topic"),
        pytest.param(("schema", "segmnt"), "there is no schema `segmnt`", id="a wrong schema"),
        pytest.param(("-C", "x", "ls"), "options come after it", id="an option before the verb"),
        pytest.param(("schema", "a", "b"), "usage: segctl schema [NAME] [options]", id="one argument too many"),
        pytest.param(("completion",), "`install|show` is missing", id="an argument is missing"),
        pytest.param(("schema", "--output"), "`--output` needs a value", id="a value is missing"),
        pytest.param(("doctor", "--online"), "`segctl help doctor`", id="a value is missing, and where to look"),
        pytest.param(("plan", "--examples", "abc"), "`--examples`: `abc` is no whole number\n", id="no whole number"),
        pytest.param(("experiment", "plan", "--per-day", "x"), "`--per-day`: `x` is no number\n", id="no number"),
        pytest.param(("schema", "--timeout", "soon"), "no length of time", id="no length of time"),
    ],
)
def test_a_mistake_on_the_command_line_is_told_with_the_way_out(
    run: Run, arguments: tuple[str, ...], expected: str
) -> None:
    done = run(*arguments)

    assert done.code == 2
    assert done.out == ""
    assert expected in done.err
    assert done.err.startswith("error[SEG1")
    assert "Traceback" not in done.err


def test_no_arguments_is_short_help_on_stderr(run: Run) -> None:
    done = run()

    assert (done.code, done.out) == (2, "")
    assert "Usage: segctl VERB" in done.err


@pytest.mark.parametrize("spelling", [("schema", "--help"), ("schema", "-h"), ("help", "schema")])
def test_three_ways_to_ask_for_help_print_the_same_page(run: Run, spelling: tuple[str, ...]) -> None:
    done = run(*spelling)

    assert done.code == 0
    assert done.out == run("schema", "--help").out
    assert "Examples:" in done.out


@pytest.mark.parametrize("spelling", ["--version", "-V"])
def test_the_version_is_one_line(run: Run, spelling: str) -> None:
    from segctl import __version__

    assert run(spelling) == Finished(0, f"segctl {__version__}\n", "")


def test_the_versions_of_the_engines_come_as_json(run: Run) -> None:
    data = json.loads(run("--version", "--json").out)["data"]

    assert {"segctl", "python", "polars", "narwhals"} <= set(data)


def test_a_variable_stands_in_for_an_option(run: Run) -> None:
    done = run("schema", env={"SEGCTL_FORMAT": "csv"})

    assert done.out.startswith("name,command\n")


def test_an_option_wins_over_its_variable(run: Run) -> None:
    done = run("schema", "-f", "ids", env={"SEGCTL_FORMAT": "csv"})

    assert "command" not in done.out


def test_a_flag_variable_takes_zero_as_no(run: Run) -> None:
    assert run("schema", env={"SEGCTL_JSON": "0"}).out == run("schema").out
    assert run("schema", env={"SEGCTL_JSON": "1"}).out.startswith("{")


def test_parquet_needs_a_file(run: Run) -> None:
    done = run("ls", "segments", "-f", "parquet")

    assert done.code == 2
    assert "--output FILE" in done.err


def test_output_to_a_file_equals_a_redirect(run: Run, tmp_path: Path) -> None:
    through_pipe = run("schema", "-f", "json").out
    done = run("schema", "-f", "json", "-o", "out.json")

    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "out.json").read_text("utf-8") == through_pipe
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".out")] == []


def test_a_file_that_cannot_be_written_is_an_io_error_and_names_it(run: Run) -> None:
    done = run("schema", "-o", "missing/folder/out.csv")

    assert done.code == 74
    assert "error[SEG111]" in done.err
    assert "`missing/folder/out.csv`: the file does not exist" in done.err


def test_a_full_disk_is_an_io_error(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*PROGRAM, "help", "windows"], stdout=full, stderr=subprocess.PIPE, env=environment(tmp_path), check=False
        )

    assert done.returncode == 74
    assert b"the disk is full" in done.stderr


def test_a_full_disk_behind_output_is_an_io_error(run: Run) -> None:
    done = run("help", "windows", "-o", "/dev/full")

    assert done.code == 74
    assert "the disk is full" in done.err


def test_a_reader_that_goes_away_is_code_141_without_a_word(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*PROGRAM, "help", "windows"], stdout=writer, stderr=subprocess.PIPE, env=environment(tmp_path), check=False
    )
    os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_do_not_break_a_call(tmp_path: Path, closed: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$@" {closed}', "bash", *PROGRAM, "schema", "-o", "out.csv", "-f", "csv"],
        env=environment(tmp_path), cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "out.csv").read_bytes().startswith(b"name,command\n")


def test_data_for_a_closed_stdout_is_an_io_error(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", "-c", '"$@" >&-', "bash", *PROGRAM, "schema"],
        env=environment(tmp_path), cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip

    assert done.returncode == 74
    assert b"the stream is closed" in done.stderr


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_call_with_its_code(tmp_path: Path, number: signal.Signals, code: int) -> None:
    process = _waiting(tmp_path)

    process.send_signal(number)
    _, told = process.communicate(timeout=20)

    assert process.returncode == code
    assert b"what was committed stays" in told


def test_a_second_signal_ends_a_call_that_does_not_stop(tmp_path: Path) -> None:
    process = _waiting(tmp_path, stubborn=True)

    process.send_signal(signal.SIGINT)
    while not (tmp_path / "stopping").exists():
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode == -signal.SIGINT


def test_an_ignored_signal_stays_ignored(tmp_path: Path) -> None:
    process = _waiting(tmp_path, "--timeout", "1s", before="trap '' INT")

    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)

    assert process.returncode == 75


def test_a_time_limit_is_code_75(tmp_path: Path) -> None:
    process = _waiting(tmp_path, "--timeout", "200ms")

    _, told = process.communicate(timeout=20)

    assert process.returncode == 75
    assert b"error[SEG110]" in told


def _waiting(folder: Path, *options: str, stubborn: bool = False, before: str = ":") -> subprocess.Popen[bytes]:
    """A call that hangs, once it is surely under way; a stubborn one goes on hanging when it is stopped."""
    hang = "time.sleep(30)"
    if stubborn:
        hang = f"try:\n        {hang}\n    finally:\n        open('stopping', 'w').close()\n        {hang}"
    verb = folder / "hanging.py"
    verb.write_text(
        "import sys, time\nfrom segctl.cli import table, main\nfrom segctl.cli.options import verb\n"
        "@verb()\ndef command(ctx):\n    '''Hang.'''\n    open('started', 'w').close()\n"
        f"    {hang}\n"
        "table.COMMANDS['hang'] = table.Command('__main__:command', 'look', 'Hang')\n"
        "sys.modules['__main__'].command = command\nsys.exit(main.main())\n",
        "utf-8",
    )
    process = subprocess.Popen(
        ["bash", "-c", f'{before}; exec "$@"', "bash", PROGRAM[0], str(verb), "hang", *options],
        stderr=subprocess.PIPE,
        env=environment(folder),
        cwd=folder,
    )
    for _ in range(400):
        if (folder / "started").exists():
            break
        time.sleep(0.05)
    return process


BROKEN = (
    "import sys\nfrom segctl.cli import table, main\nfrom segctl.cli.options import verb\n"
    "from segctl.model import errors\nimport errno\n"
    "@verb()\ndef command(ctx):\n    '''Fail.'''\n    raise {problem}\n"
    "table.COMMANDS['fail'] = table.Command('__main__:command', 'look', 'Fail')\nsys.exit(main.main())\n"
)


@pytest.mark.parametrize(
    ("problem", "code", "told"),
    [
        ("errors.UsageError('SEG104', 'what')", 2, "error[SEG104]: what"),
        ("errors.DataError('SEG104', 'what', why='because')", 3, "why:  because"),
        ("errors.Refused('SEG104', 'what', hint='do')", 4, "refused[SEG104]: what"),
        ("errors.PartialFailure('SEG104', 'what')", 5, "error[SEG104]: what"),
        ("errors.IntegrityError('SEG104', 'what')", 6, "error[SEG104]: what"),
        ("errors.LocalIOError('SEG104', 'what')", 74, "error[SEG104]: what"),
        ("errors.TemporaryError('SEG104', 'what')", 75, "error[SEG104]: what"),
        ("OSError(errno.ENOSPC, 'No space', 'x.parquet')", 74, "`x.parquet`: the disk is full"),
        ("PermissionError(errno.EACCES, 'no', 'secret.csv')", 74, "`secret.csv`: permission denied"),
        ("RuntimeError('IO error: No space left on device (os error 28)')", 74, "the disk is full"),
        ("MemoryError", 74, "memory"),
        ("KeyboardInterrupt", 130, "interrupted"),
        ("BrokenPipeError", 141, ""),
        ("ZeroDivisionError('division by zero')", 70, "bug: ZeroDivisionError in `segctl fail`; the report is in "),
    ],
)
def test_every_failure_has_its_code_and_leaves_stdout_empty(tmp_path: Path, problem: str, code: int, told: str) -> None:
    script = tmp_path / "failing.py"
    script.write_text(BROKEN.format(problem=problem), "utf-8")

    done = subprocess.run(
        [PROGRAM[0], str(script), "fail"], capture_output=True, env=environment(tmp_path), cwd=tmp_path, check=False
    )

    assert done.returncode == code
    assert done.stdout == b""
    assert told in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_a_bug_leaves_a_report_without_the_arguments(tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(BROKEN.format(problem="ZeroDivisionError('x')"), "utf-8")

    subprocess.run(
        [PROGRAM[0], str(script), "fail", "--as-of", "anna@shop.example"],
        capture_output=True, env=environment(tmp_path), cwd=tmp_path, check=False,
    )  # fmt: skip

    (report,) = (tmp_path / "state" / "segctl").iterdir()
    assert "ZeroDivisionError" in report.read_text("utf-8")
    assert "anna@shop.example" not in report.read_text("utf-8")


def test_debugging_shows_the_traceback(tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(BROKEN.format(problem="errors.UsageError('SEG104', 'what')"), "utf-8")

    done = subprocess.run(
        [PROGRAM[0], str(script), "fail", "-vv"], capture_output=True, env=environment(tmp_path), check=False
    )

    assert b"Traceback" in done.stderr


def test_messages_go_to_the_log_file_as_json_lines(tmp_path: Path) -> None:
    script = tmp_path / "failing.py"
    script.write_text(BROKEN.format(problem="errors.UsageError('SEG104', 'what')"), "utf-8")

    subprocess.run(
        [PROGRAM[0], str(script), "fail", "--log-file", "log"],
        capture_output=True, env=environment(tmp_path), cwd=tmp_path, check=False,
    )  # fmt: skip

    (line,) = (tmp_path / "log").read_text("utf-8").splitlines()
    entry = json.loads(line)
    assert (entry["code"], entry["message"], entry["level"], entry["verb"]) == ("SEG104", "what", "error", "fail")
    assert entry["time"].endswith("+00:00")
