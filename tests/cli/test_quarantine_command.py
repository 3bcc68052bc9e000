"""`segctl quarantine`: the way of a bad row from the first look to the mended file and out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from cli_process import Finished

PROJECT = (
    "segctl: 1\nname: shop\nlanguage: {}\nidentifiers: {{customer_id: {{class: known}}}}\ntraits: {{points: integer}}\n"
)
SOURCE = "source: crm\npath: crm.csv\nkey: {customer_id: id}\nprofiles: {points: punkte}\nmax_bad_rows: 90 %\n"
Run = Callable[..., Finished]


@pytest.fixture
def project(run: Run, tmp_path: Path) -> Path:
    (tmp_path / "sources").mkdir()
    (tmp_path / "segctl.yaml").write_text(PROJECT.format("de"))
    (tmp_path / "sources" / "crm.yaml").write_text(SOURCE)
    (tmp_path / "crm.csv").write_text("id,punkte\n1,5\n2,viele\n3,mehr\n,7\n")
    assert run("ingest", cwd=tmp_path).code == 0
    return tmp_path


def test_the_list_fits_a_narrow_terminal(run: Run, project: Path) -> None:
    done = run("quarantine", "ls", cwd=project)

    lines = done.out.splitlines()
    assert lines[0].split() == ["source", "rows", "files", "since", "top", "reasons"]
    assert lines[2].split()[:3] == ["crm", "3", "1"]
    assert lines[2].endswith("punkte: `points`: it does not fit (2), key: no key column holds a value (1)")
    assert max(map(len, lines)) < 120


def test_the_whole_way(run: Run, project: Path) -> None:
    [listed] = json.loads(run("quarantine", "ls", "-f", "json", cwd=project).out)["data"]
    assert (listed["source"], listed["rows"], listed["files"]) == ("crm", 3, 1)
    assert listed["since"]
    assert len(listed["reasons"]) == 2

    done = run("quarantine", "export", "crm", "-o", "bad.csv", cwd=project)
    text = (project / "bad.csv").read_text("utf-8-sig")
    assert done.code == 0
    assert text.startswith("segctl_row;segctl_file;segctl_line;segctl_reasons;id;punkte\n")
    (project / "bad.csv").write_text(text.replace("viele", "12"), encoding="utf-8")

    replayed = run("quarantine", "replay", "crm", "bad.csv", "-f", "json", cwd=project)
    [row] = json.loads(replayed.out)["data"]
    assert (row["tried"], row["fit"], row["new"], row["still_bad"], row["in_quarantine"]) == (3, 1, 1, 2, 2)
    assert "12" in run("profile", "2", cwd=project).out

    refused = run("quarantine", "discard", "crm", "--reason", "punkte", cwd=project)
    assert (refused.code, "SEG108" in refused.err) == (4, True)
    [dropped] = json.loads(run("quarantine", "discard", "crm", "--line", "4", "--yes", "-f", "json", cwd=project).out)[
        "data"
    ]
    assert (dropped["discarded"], dropped["in_quarantine"]) == (1, 1)


def test_show_is_never_cut_silently_and_hides_values(run: Run, project: Path) -> None:
    done = run("quarantine", "show", "crm", "--limit", "1", cwd=project)
    assert "1 of 3 rows are shown" in done.err
    assert "viele" not in done.out + done.err
    assert "personal" in done.err
    only = run("quarantine", "show", "crm", "--reason", "punkte", "--file", "crm.*", "-f", "json", cwd=project)
    assert [row["line"] for row in json.loads(only.out)["data"]] == [3, 4]


def test_formats_follow_the_name_of_the_file(run: Run, project: Path) -> None:
    run("quarantine", "export", "crm", "-o", "bad.ndjson", cwd=project)
    run("quarantine", "export", "crm", "-o", "bad.parquet", cwd=project)
    lines = (project / "bad.ndjson").read_text("utf-8").splitlines()
    assert [json.loads(line)["row"]["punkte"] for line in lines] == ["viele", "mehr", "7"]
    assert pl.read_parquet(project / "bad.parquet")["segctl_line"].to_list() == [3, 4, 5]
    wrong = run("quarantine", "export", "crm", "-o", "bad.pdf", cwd=project)
    assert (wrong.code, "SEG619" in wrong.err) == (2, True)
    (project / "segctl.yaml").write_text(PROJECT.format("en"))
    assert run("quarantine", "export", "crm", cwd=project).out.startswith("\ufeffsegctl_row,segctl_file,")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("replay",), "SEG315"),
        (("replay", "crn"), "SEG308"),
        (("replay", "crm", "nowhere.csv"), "SEG618"),
        (("show", "crm", "--line", "x"), "SEG617"),
        (("discard", "crm", "crm.csv", "--yes"), "SEG617"),
    ],
)
def test_mistakes_change_nothing(run: Run, project: Path, arguments: tuple[str, ...], code: str) -> None:
    done = run("quarantine", *arguments, cwd=project)

    assert (done.code, code in done.err) == (2, True), done.err
    assert json.loads(run("quarantine", "-f", "json", cwd=project).out)["data"][0]["rows"] == 3


def test_a_replay_says_that_checks_of_the_whole_did_not_judge_it(run: Run, project: Path) -> None:
    (project / "sources" / "crm.yaml").write_text(SOURCE + "checks:\n  - unique: [id]\n")
    run("quarantine", "export", "crm", "-o", "bad.csv", cwd=project)
    text = (project / "bad.csv").read_text("utf-8-sig")
    (project / "bad.csv").write_text(text.replace("viele", "12"), encoding="utf-8")

    done = run("quarantine", "replay", "crm", "bad.csv", cwd=project)

    assert done.code == 0
    assert "`checks` of `crm` speak of the whole" in done.err
