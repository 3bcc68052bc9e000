"""Heads of segment files, read without binding."""

from __future__ import annotations

from pathlib import Path

from segctl.compile.definitions import load_definitions
from segctl.compile.headers import segment_headers
from segctl.compile.project import load_project
from segctl.operations.init import create_project


def test_heads_say_what_the_bound_definitions_say(tmp_path: Path) -> None:
    create_project(tmp_path)
    project, _ = load_project(tmp_path, None)

    heads, unreadable = segment_headers(project)

    bound = load_definitions(project)[0].segments
    assert unreadable == 0
    assert {n: (h.title, h.status, h.owner, h.tags, h.location.file) for n, h in heads.items()} == {
        n: (d.title, d.status, d.owner, d.tags, d.location.file if d.location else None) for n, d in bound.items()
    }


def test_a_wrong_condition_hides_no_head_and_a_broken_file_is_counted(tmp_path: Path) -> None:
    create_project(tmp_path, template="minimal")
    (tmp_path / "segments" / "odd.yaml").write_text("segment: odd\nowner:\nwhere: {trait: nothing, equals: 1}\n")
    (tmp_path / "segments" / "broken.yaml").write_text("segment: [\n")
    (tmp_path / "segments" / "nameless.yaml").write_text("title: x\n")
    (tmp_path / "segments" / ".hidden.yaml").write_text("segment: hidden\n")

    heads, unreadable = segment_headers(load_project(tmp_path, None)[0])

    assert list(heads) == ["buyers", "odd"]
    assert heads["odd"].owner is None
    assert unreadable == 2


def test_of_two_files_with_one_name_lists_and_checks_take_the_same(tmp_path: Path) -> None:
    create_project(tmp_path, template="minimal")
    for folder in ("a", "a-b"):
        (tmp_path / "segments" / folder).mkdir()
        text = f"segment: twice\ntitle: {folder}\nwhere: {{sample: {{percent: 5}}}}\n"
        (tmp_path / "segments" / folder / "twice.yaml").write_text(text)
    project, _ = load_project(tmp_path, None)

    assert segment_headers(project)[0]["twice"].title == load_definitions(project)[0].segments["twice"].title
