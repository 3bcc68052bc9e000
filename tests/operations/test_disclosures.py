"""Calls with `--show-personal` are on record, without the people they were about."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from end_to_end.program import ok, run

from segctl.operations.disclosures import FILE, record_disclosure

NOW = datetime(2026, 11, 22, 6, tzinfo=UTC)


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Where the record will be, in a project with a workspace."""
    (tmp_path / "segctl.yaml").write_text("segctl: 1\nname: shop\nidentifiers: {email: {class: known}}\n", "utf-8")
    folder = tmp_path / ".segctl" / "dev"
    folder.mkdir(parents=True)
    return folder / FILE


def test_a_call_is_recorded_and_nobody_s_address(record: Path) -> None:
    words = ["anna@post.example", "+49 151 123456", "--show-personal", "-f", "json"]
    for _ in range(2):
        record_disclosure(record.parents[2], "profile", words, env=None, now=NOW)

    first, second = map(json.loads, record.read_text("utf-8").splitlines())
    assert first == second
    assert (first["at"], first["verb"]) == ("2026-11-22T06:00:00+00:00", "profile")
    assert first["words"] == ["…", "…", "--show-personal", "-f", "json"]
    assert first["who"]
    assert record.stat().st_mode & 0o077 == 0


def test_without_a_workspace_there_is_nothing_to_record(record: Path) -> None:
    record.parent.rmdir()

    record_disclosure(record.parents[2], "profile", ["00005"], env=None, now=NOW)
    record_disclosure(Path("/"), "validate", ["data.csv"], env=None, now=NOW)

    assert not record.parent.exists()


def test_the_program_records_what_it_shows(tmp_path: Path) -> None:
    ok("init", ".", "--template", "minimal", cwd=tmp_path)
    ok("ingest", cwd=tmp_path)
    record = tmp_path / ".segctl" / "dev" / FILE

    hidden = run("show", "trait:country", cwd=tmp_path)
    before = record.exists()
    shown = run("show", "trait:country", "--show-personal", cwd=tmp_path)

    assert (hidden.returncode, shown.returncode, before) == (0, 0, False), hidden.stderr + shown.stderr
    assert json.loads(record.read_text("utf-8"))["words"] == ["trait:country", "--show-personal"]
