"""One owner of stdout, one of stderr, one reader of the clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "segctl"
MODULES = sorted(PACKAGE.rglob("*.py"))
STREAMS = PACKAGE / "cli" / "streams.py"
DATA_WRITERS = {"cli/output.py", "cli/pages.py", "cli/main.py", "cli/complete.py"}
MESSAGE_WRITERS = {"cli/messages.py", "cli/pages.py", "cli/failures.py", "cli/questions.py", "cli/progress.py"}
CLOCKS = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}


@cache
def attributes(path: Path) -> tuple[tuple[str, int], ...]:
    """Every dotted name such as ``sys.stdout``, and every called plain name such as ``print``."""
    return tuple(_attributes(path))


def _attributes(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute):
            if (name := _dotted(node)) is not None:
                yield name, node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield f"{node.func.id}()", node.lineno


def _dotted(node: ast.expr) -> str | None:
    """The name as it stands there; None for an attribute of anything but names."""
    if isinstance(node, ast.Name):
        return node.id
    base = _dotted(node.value) if isinstance(node, ast.Attribute) else None
    return None if base is None else f"{base}.{node.attr}"


@pytest.mark.parametrize("path", [p for p in MODULES if p != STREAMS], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_nobody_else_touches_the_standard_streams(path: Path) -> None:
    forbidden = {"print()", "input()", "sys.stdout", "sys.stderr", "typer.echo", "typer.secho", "os.write"}
    forbidden |= {"typer.prompt", "typer.confirm", "sys.__stdout__", "sys.__stderr__"}

    assert [(name, line) for name, line in attributes(path) if name in forbidden] == []


def test_data_is_written_by_one_module_and_the_quick_answers() -> None:
    users = {str(p.relative_to(PACKAGE)) for p in MODULES for name, _ in attributes(p) if name == "streams.write_data"}

    assert users <= DATA_WRITERS


def test_messages_are_written_by_one_module_and_what_comes_before_it() -> None:
    users = {str(p.relative_to(PACKAGE)) for p in MODULES for n, _ in attributes(p) if n == "streams.write_message"}

    assert users <= MESSAGE_WRITERS


def test_only_the_entry_point_reads_the_clock() -> None:
    readers = {str(p.relative_to(PACKAGE)) for p in MODULES for name, _ in attributes(p) if name in CLOCKS}

    assert readers - {"cli/main.py"} == set()
