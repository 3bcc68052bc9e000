"""What quick commands may load: seen in the process itself, since a graph of imports cannot see what is deferred."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from segctl.cli.table import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
ENGINES = {"polars", "narwhals", "duckdb", "numpy", "pyarrow", "fastexcel"}
HEAVY = ENGINES | {
    "rich",
    "pydantic",
    "requests",
    "jsonschema",
    "scipy",
    "asyncio",
    "sqlite3",
    "yaml",
    "urllib.request",
}
REPORT = (
    "import atexit, os, sys\n"
    "atexit.register(lambda: os.write(2, ('\\nLOADED ' + ' '.join(sys.modules)).encode()))\n"
    "from segctl.cli.main import main\nsys.argv[0] = 'segctl'\nsys.exit(main())"
)


def loaded(*arguments: str, cwd: Path | None = None) -> set[str]:
    """Names of the modules in the process when it ended."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT, *arguments],
        capture_output=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        cwd=cwd or ROOT / "configs",
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    return set(done.stderr.decode().rpartition("LOADED ")[2].split())


def test_the_version_loads_next_to_nothing() -> None:
    ours = {name for name in loaded("--version") if name.startswith("segctl")}

    assert ours == {"segctl", "segctl.cli", "segctl.cli.main", "segctl.cli.streams"}
    assert not loaded("--version") & {"dataclasses", "typing", "re", "json", "typer", "inspect"}


def test_help_loads_neither_engines_nor_the_parser() -> None:
    found = loaded("--help")

    assert not found & (HEAVY | {"typer"})
    assert not [name for name in found if name.startswith("segctl.cli.commands.")]


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_of_a_verb_loads_that_verb_alone(verb: str) -> None:
    found = loaded(verb, "--help")

    assert not found & (HEAVY | {"typer"})
    assert {n for n in found if n.startswith("segctl.cli.commands.")} == {f"segctl.cli.commands.{verb}"}


@pytest.mark.parametrize("kind", ["segments", "things", "topics"])
def test_a_tab_press_loads_only_the_standard_library(kind: str) -> None:
    found = loaded("__complete", kind, "")

    assert not found & (HEAVY | {"typer", "dataclasses", "inspect"})
    # Names of sister segments are spelled by the language's own rule, when the index is made again.
    assert {n for n in found if n.startswith("segctl.")} - {"segctl.compile", "segctl.compile.suggest"} == {
        "segctl.cli", "segctl.cli.main", "segctl.cli.streams", "segctl.cli.complete",
    }  # fmt: skip


@pytest.mark.parametrize("arguments", [("lint",), ("config", "show"), ("schema",), ("help", "windows")])
def test_checks_of_definitions_load_no_engine(arguments: tuple[str, ...]) -> None:
    assert not loaded(*arguments) & (ENGINES | {"rich", "pydantic", "requests"})


def test_the_report_itself_sees_an_engine() -> None:
    assert loaded("doctor") & ENGINES
