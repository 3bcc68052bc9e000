"""Which files a source's path names, their digests, and what the system refuses."""

from __future__ import annotations

import hashlib
import io
import os
import sys
from pathlib import Path

import pytest

from segctl.connectors.files import STDIN, ReadOptions, detect, digest, expand, read, spool
from segctl.model.catalogue import entry
from segctl.model.errors import DataError, LocalIOError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ["data/day10.csv", "data/day9.csv", "data/.hidden.csv", "data/sub/x.csv", "data/.git/y.csv", "[1].csv"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("a\n1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        ("data/*.csv", ["data/day9.csv", "data/day10.csv"]),
        ("data", ["data/day9.csv", "data/day10.csv", "data/sub/x.csv"]),
        ("data/**/*.csv", ["data/day9.csv", "data/day10.csv", "data/sub/x.csv"]),
        (["data/day10.csv", "data/*.csv"], ["data/day10.csv", "data/day9.csv"]),
        ("data/.hidden.csv", ["data/.hidden.csv"]),
        ("[1].csv", ["[1].csv"]),
        ("data/s*", ["data/sub/x.csv"]),
    ],
)
def test_patterns_name_files_in_natural_order_without_hidden_ones(folder, patterns, expected):
    assert [path.relative_to(folder).as_posix() for path in expand(folder, patterns)] == expected


def test_an_absolute_pattern_is_read_as_it_is(folder):
    assert expand(Path("/nowhere"), str(folder / "data" / "day*.csv")) == [
        folder / "data/day9.csv",
        folder / "data/day10.csv",
    ]


def test_standard_input_is_a_dash(folder):
    assert expand(folder, "-") == [Path(STDIN)]


@pytest.mark.parametrize("pattern", ["data/nothing*.csv", "missing/a.csv", "data/dya9.csv", "empty"])
def test_a_pattern_that_names_nothing_is_an_error_that_says_what_is_there(folder, pattern):
    (folder / "empty").mkdir()

    with pytest.raises(UsageError) as refused:
        expand(folder, pattern)

    assert refused.value.code == "SEG340"
    assert f"`{pattern}`" in refused.value.message
    assert refused.value.why


def test_the_digest_is_that_of_the_bytes(folder):
    assert digest(folder / "[1].csv") == hashlib.sha256(b"a\n1\n").hexdigest()


def test_standard_input_is_spooled(tmp_path):
    path = spool(io.BytesIO(b"a,b\n1,2\n"), tmp_path)

    assert detect(path).columns == ("a", "b")


def test_a_closed_standard_input_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    assert spool(folder=tmp_path).read_bytes() == b""


def test_a_folder_is_not_read_as_a_file(folder):
    with pytest.raises(UsageError) as refused:
        detect(folder / "data")

    assert refused.value.code == "SEG341"


@pytest.mark.parametrize("call", [detect, digest])
def test_a_vanished_file_is_a_local_error(tmp_path, call):
    with pytest.raises(LocalIOError) as refused:
        call(tmp_path / "gone.csv")

    assert refused.value.code == "SEG342"


def test_a_file_that_vanishes_after_detection_is_a_local_error(folder):
    path = folder / "data/day9.csv"
    found = detect(path)
    path.unlink()

    with pytest.raises(LocalIOError):
        list(read(path, None, found))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_forbidden_file_is_a_local_error(folder):
    path = folder / "data/day9.csv"
    path.chmod(0)

    with pytest.raises(LocalIOError) as refused:
        detect(path)

    assert "chmod" in str(refused.value.hint)


def test_a_device_is_refused():
    with pytest.raises(UsageError) as refused:
        detect(Path("/dev/null"))

    assert refused.value.code == "SEG341"


@pytest.mark.parametrize(
    ("start", "code"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "SEG343"),
        (b"\x89PNG\r\n\x1a\n", "SEG343"),
        (b"\n<!DOCTYPE html>\n<html>", "SEG343"),
        (b"SQLite format 3\x00", "SEG343"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), "SEG352"),
    ],
)
def test_other_kinds_of_files_are_refused_by_name(tmp_path, start, code):
    path = tmp_path / "data.csv"
    path.write_bytes(start)

    with pytest.raises(DataError) as refused:
        detect(path)

    assert refused.value.code == code


def test_a_format_that_contradicts_the_bytes_is_refused(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"PAR1" + bytes(20) + b"PAR1")

    with pytest.raises(DataError) as refused:
        detect(path, ReadOptions(format="csv"))

    assert refused.value.code == "SEG343"


def test_an_unknown_format_is_refused(folder):
    with pytest.raises(UsageError) as refused:
        detect(folder / "[1].csv", ReadOptions(format="xml"))

    assert "`ndjson`" in str(refused.value.hint)


def test_every_code_that_readers_use_is_explained():
    root = Path(__file__).parents[3] / "segctl/connectors/files"
    used = {
        word for path in root.glob("*.py") for word in path.read_text(encoding="utf-8").split('"') if word[:4] == "SEG3"
    }

    assert len(used) > 20
    assert [code for code in sorted(used) if entry(code) is None] == []
