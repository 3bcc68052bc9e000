"""Random definitions, written as YAML, come back from the binder as they were."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import strategies
import yaml_text
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.compile.definitions import load_definitions
from segctl.compile.references import references
from segctl.model import conditions as c
from segctl.model.diagnostics import has_errors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("project")


@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_written_definitions_are_read_as_they_were_meant(folder: Path, seed: int) -> None:
    meant = strategies.world(seed).definitions
    for name in ("segments", "traits"):
        (folder / name).mkdir(exist_ok=True)
        for file in (folder / name).iterdir():
            file.unlink()
    for name, segment in meant.segments.items():
        (folder / "segments" / f"{name}.yaml").write_text(yaml_text.segment(segment), encoding="utf-8")
    if meant.computed:
        (folder / "traits" / "all.yaml").write_text(yaml_text.traits_file(meant.computed), encoding="utf-8")

    for name in references(*(segment.where for segment in meant.segments.values())).lists:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()

    found, problems = load_definitions(replace(meant.project, root=str(folder)))

    assert not has_errors(problems), [p for p in problems if has_errors([p])]
    assert found.computed == meant.computed
    assert {name: without_digest(segment) for name, segment in found.segments.items()} == meant.segments


def without_digest(segment: c.SegmentDefinition) -> c.SegmentDefinition:
    return replace(segment, digest="")
