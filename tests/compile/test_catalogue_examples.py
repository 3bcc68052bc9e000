"""Each code of the language is explained, and its example fires it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from builders import SEGMENTS, TRAITS, a_project

from segctl.compile.definitions import bind_definitions
from segctl.compile.source import compose
from segctl.model.catalogue import entries, entry
from segctl.model.diagnostics import Diagnostic

ROOT = Path(__file__).resolve().parents[2] / "segctl"
LANGUAGE = {code: found for code, found in entries().items() if code.startswith("SEG2")}


def fired_by(example: str) -> list[str]:
    """Codes of the problems in an example: a traits file or a segment file."""
    problems: list[Diagnostic] = []
    node, found = compose(example, "segments/tested.yaml")
    problems += found
    is_traits = example.startswith("traits:")
    extra = [compose(f"segment: {name}\n{text}", f"segments/{name}.yaml")[0] for name, text in SEGMENTS.items()]
    segments = [root for root in extra if root is not None] + ([node] if node is not None and not is_traits else [])
    traits = [compose(TRAITS, "traits/traits.yaml")[0]] + ([node] if is_traits else [])
    problems += bind_definitions(a_project(), segments, [root for root in traits if root is not None])[1]
    return [d.code for d in problems]


@pytest.mark.parametrize("code", [code for code in LANGUAGE if LANGUAGE[code].example])
def test_an_example_fires_its_code_and_nothing_else(code: str) -> None:
    assert set(fired_by(LANGUAGE[code].example)) == {code}


def test_every_code_that_the_compiler_raises_is_in_the_catalogue() -> None:
    files = [*(ROOT / "compile").rglob("*.py"), ROOT / "operations" / "lint" / "lint.py"]

    raised = {code for file in files for code in re.findall(r'"(SEG[12]\d\d)"', file.read_text(encoding="utf-8"))}

    assert raised
    assert sorted(code for code in raised if entry(code) is None) == []


def test_the_language_raises_every_code_of_its_catalogue() -> None:
    texts = [file.read_text(encoding="utf-8") for file in ROOT.rglob("*.py") if "catalogue" not in file.name]

    assert [code for code in LANGUAGE if not any(f'"{code}"' in text for text in texts)] == []


def test_every_explanation_has_a_title_a_cause_and_a_remedy() -> None:
    for code, found in LANGUAGE.items():
        assert found.title, code
        assert found.cause.endswith("."), code
        assert found.remedy.endswith("."), code
        assert not found.title.endswith("."), code
