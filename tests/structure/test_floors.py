"""Imports point down only; siblings are strangers; heavy packages have their floors. Read from the source itself."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "segctl"
SIBLINGS = ("engines", "connectors", "quality", "identity", "consent", "stats", "state", "content")
HEIGHT = {"model": 0, "compile": 1, **dict.fromkeys(SIBLINGS, 2), "operations": 3, "cli": 4}
HEAVY = {
    "polars",
    "narwhals",
    "duckdb",
    "numpy",
    "pyarrow",
    "requests",
    "rich",
    "fastexcel",
    "pydantic",
    "scipy",
    "jinja2",
}
OUTSIDE_ALLOWED = {"compile": {"yaml", "jsonschema"}, "model": set()}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


@cache
def imports(path: Path) -> tuple[tuple[str, ast.stmt, bool], ...]:
    """Every imported module with its statement, and whether it is loaded with the module itself."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, ast.stmt, bool]]:
    tree = ast.parse(path.read_text("utf-8"))
    lazy = {
        id(inner)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        or (isinstance(outer, ast.If) and ast.unparse(outer.test).endswith("TYPE_CHECKING"))
        for inner in ast.walk(outer)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            names = [node.module or ""]
            if node.module == "segctl":
                names = [f"segctl.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            yield name, node, id(node) not in lazy


def floor(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0]


def arrow_is_allowed(here: str, there: str) -> bool:
    if here == there:
        return True
    if here not in HEIGHT or there not in HEIGHT:
        return False
    return HEIGHT[there] < HEIGHT[here]


@pytest.mark.parametrize(
    "path", [p for p in modules() if floor(p) in HEIGHT], ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_imports_point_down_only(path: Path) -> None:
    for name, node, _ in imports(path):
        parts = name.split(".")
        if parts[0] == "segctl" and len(parts) > 1 and (PACKAGE / parts[1]).is_dir():
            assert arrow_is_allowed(floor(path), parts[1]), f"line {node.lineno} imports {name}"


def test_the_rule_itself_forbids_up_and_sideways() -> None:
    assert not arrow_is_allowed("compile", "engines")
    assert not arrow_is_allowed("engines", "state")
    assert not arrow_is_allowed("model", "compile")
    assert not arrow_is_allowed("state", "cli")
    assert arrow_is_allowed("operations", "state")


@pytest.mark.parametrize("name", ["model", "compile"])
def test_the_lower_floors_import_no_package_but_their_own_few(name: str) -> None:
    import sys

    allowed = OUTSIDE_ALLOWED[name] | {"segctl"} | set(sys.stdlib_module_names)
    for path in (PACKAGE / name).rglob("*.py"):
        outside = {module.split(".")[0] for module, _, _ in imports(path)} - allowed
        assert not outside, f"{path.relative_to(ROOT)} imports {sorted(outside)}"


@pytest.mark.parametrize("name", ["model", "compile", "operations", "cli"])
def test_heavy_packages_are_never_loaded_with_a_module_of_these_floors(name: str) -> None:
    for path in (PACKAGE / name).rglob("*.py"):
        heavy = {module.split(".")[0] for module, _, at_once in imports(path) if at_once} & HEAVY
        assert not heavy, f"{path.relative_to(ROOT)} imports {sorted(heavy)} at its head"


def test_the_entry_point_imports_nothing_at_its_head() -> None:
    for name in ("__init__.py", "cli/__init__.py", "cli/main.py"):
        at_once = [module for module, _, at_once in imports(PACKAGE / name) if at_once]
        assert at_once == [], name


def test_every_folder_is_a_known_floor() -> None:
    folders = {p.name for p in PACKAGE.iterdir() if p.is_dir() and any(p.glob("*.py"))}

    assert folders - {"__pycache__"} <= {*HEIGHT, "help", "templates"}
