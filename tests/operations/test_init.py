"""New projects from templates."""

from __future__ import annotations

from pathlib import Path

import pytest

from segctl.compile.definitions import load_definitions
from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.model.errors import Refused, UsageError
from segctl.operations.init import PACKS, TEMPLATES, create_project


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("pack", PACKS)
def test_every_template_binds_without_a_finding(tmp_path: Path, template: str, pack: str) -> None:
    create_project(tmp_path, template=template, pack=pack)

    project, findings = load_project(tmp_path, None)
    _, more = load_definitions(project)
    _, of_sources = load_sources(project)

    assert [*findings, *more, *of_sources] == []


def test_packs_bring_their_environments(tmp_path: Path) -> None:
    create_project(tmp_path, template="minimal", pack="enterprise")

    project, findings = load_project(tmp_path, "staging")

    assert not findings
    assert project.environment == "staging"
    assert project.keep_landed_days == 90


def test_nothing_is_overwritten_and_nothing_is_written_beside_it(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    mine = tmp_path / "segments" / "buyers.yaml"
    mine.write_text("mine")

    with pytest.raises(Refused, match=r"segments/buyers\.yaml"):
        create_project(tmp_path, template="minimal")

    assert mine.read_text() == "mine"
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [mine]


def test_a_dry_run_names_the_files_and_writes_none(tmp_path: Path) -> None:
    created = create_project(tmp_path / "new", template="b2b", dry_run=True)

    assert "segctl.yaml" in created.files
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("bad", [{"template": "shopp"}, {"pack": "huge"}])
def test_unknown_names_list_the_known_ones(tmp_path: Path, bad: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        create_project(tmp_path, **bad)

    assert caught.value.hint
