"""Every code that is raised is explained, and every explanation is complete."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from segctl.model import catalogue

PACKAGE = Path(__file__).resolve().parents[2] / "segctl"
CODE = re.compile(r"SEG\d{3}\Z")


@cache
def used_codes() -> dict[str, str]:
    """Codes that stand as texts in the source, outside of the catalogue, each with one place."""
    found: dict[str, str] = {}
    for path in PACKAGE.rglob("*.py"):
        if path.name.startswith("catalogue"):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.match(node.value):
                found.setdefault(node.value, f"{path.relative_to(PACKAGE)}:{node.lineno}")
    return dict(sorted(found.items()))


def test_every_code_in_use_is_explained() -> None:
    missing = {code: place for code, place in used_codes().items() if catalogue.entry(code) is None}

    assert missing == {}


def test_every_explained_code_is_in_use() -> None:
    assert sorted(set(catalogue.entries()) - set(used_codes())) == []


@pytest.mark.parametrize("code", catalogue.entries())
def test_an_explanation_has_title_cause_and_remedy(code: str) -> None:
    entry = catalogue.entries()[code]

    assert CODE.match(code)
    assert entry.title
    assert not entry.title.endswith(".")
    assert entry.cause.endswith((".", "?", "`"))
    assert entry.remedy.endswith((".", "?", "`"))


def test_no_code_is_explained_twice() -> None:
    from importlib import import_module

    parts = [import_module(name).ENTRIES for name in dict.fromkeys(p for ps in catalogue._PARTS.values() for p in ps)]

    assert sum(map(len, parts)) == len(catalogue.entries())
