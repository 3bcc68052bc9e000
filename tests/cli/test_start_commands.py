"""config, doctor and schema, as a person uses them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from cli_process import Finished

from segctl.state.workspace import Workspace

Run = Callable[..., Finished]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a setting in each kind of place."""
    root = tmp_path / "shop"
    (root / "segments").mkdir(parents=True)
    (root / "segctl.yaml").write_text(
        "segctl: 1\nname: shop\ntimezone: Europe/Berlin\n\nidentifiers:\n  customer_id: {class: known}\n"
        "traits:\n  country: text\nenvironments:\n  prod:\n    workspace: work\n",
        "utf-8",
    )
    (root / "segments" / "germans.yaml").write_text(
        "segment: germans\ntitle: Germans\nwhere: {trait: country, equals: DE}\n", "utf-8"
    )
    return root


def origins(text: str) -> dict[str, str]:
    return {row["setting"]: row["origin"] for row in json.loads(text)["data"]}


def test_every_setting_names_the_place_that_set_it(project: Path, run: Run) -> None:
    done = run("config", "show", "--origin", "--json", "--env", "prod", cwd=project)

    found = origins(done.out)
    assert found["timezone"] == "segctl.yaml:3"
    assert found["workspace"] == "segctl.yaml:11"
    assert found["language"] == "built-in"
    assert found["environment"] == "option"


def test_a_variable_is_named_as_the_origin(project: Path, run: Run) -> None:
    done = run(
        "config", "show", "--origin", "--json", env={"SEGCTL_ENV": "prod", "SEGCTL_SHOP_TOKEN": "secret"}, cwd=project
    )

    assert origins(done.out)["environment"] == "variable SEGCTL_ENV"
    assert "secret" not in done.out


def test_without_origin_there_are_two_columns(project: Path, run: Run) -> None:
    assert run("config", "show", "-f", "csv", cwd=project).out.startswith("setting,value\n")


def test_a_valid_project_has_no_findings(project: Path, run: Run) -> None:
    done = run("config", "validate", cwd=project)

    assert (done.code, done.out) == (0, "0 errors in 2 files\n")


def test_findings_are_told_with_their_source_line_from_a_folder_below_too(project: Path, run: Run) -> None:
    (project / "segments" / "germans.yaml").write_text(
        "segment: germans\nwhere: {trait: contry, equals: DE}\n", "utf-8"
    )

    done = run("config", "validate", cwd=project / "segments")

    assert done.code == 1
    assert "  --> segments/germans.yaml:2:16\n" in done.out
    assert " 2 | where: {trait: contry, equals: DE}\n   |                ^^^^^^\n" in done.out
    assert "did you mean `country`?" in done.out
    assert "1 error" in done.out.splitlines()[-1]


def test_findings_as_one_line_each_are_for_validate_only(project: Path, run: Run) -> None:
    assert run("config", "show", "-f", "concise", cwd=project).code == 2
    assert run("config", "validate", "-f", "concise", cwd=project) == Finished(0, "", "")


def test_no_project_is_a_usage_error(run: Run) -> None:
    for arguments in (("config", "show"), ("ls", "segments"), ("apply",), ("lint",)):
        done = run(*arguments)
        assert (done.code, done.out) == (2, "")
        assert "error[SEG105]" in done.err


def test_an_unknown_environment_names_the_nearest(project: Path, run: Run) -> None:
    done = run("config", "show", "--env", "prodd", cwd=project)

    assert done.code == 2
    assert "error[SEG122]" in done.err
    assert "prod" in done.err.partition("hint:")[2]


def test_the_doctor_finds_nothing_in_the_way_of_a_good_project(project: Path, run: Run) -> None:
    done = run("doctor", "--json", cwd=project)

    checks = {row["check"]: row["status"] for row in json.loads(done.out)["data"]}
    assert done.code == 0
    assert {"python", "polars", "project", "workspace", "disk", "clock"} <= set(checks)
    assert set(checks.values()) <= {"ok", "note"}
    assert sorted(p.name for p in project.iterdir()) == ["segctl.yaml", "segments"]


@pytest.mark.parametrize("lose", [Path.unlink, lambda path: shutil.rmtree(path.parents[1])], ids=["file", "folder"])
def test_the_doctor_finds_stored_data_that_were_lost(project: Path, run: Run, lose: Callable[[Path], None]) -> None:
    with Workspace.open(project / "work" / "prod", create=True) as workspace:
        workspace.commit("test", [workspace.write("events", pl.DataFrame({"subject": [1, 2, 3]}))])
    sound = run("doctor", "--json", cwd=project)
    lose(next(project.rglob("*.parquet")))

    done = run("doctor", "--json", cwd=project)

    assert "stored data" in sound.out
    assert sound.code == 0
    problems = {row["check"]: row["detail"] for row in json.loads(done.out)["data"] if row["status"] == "problem"}
    assert done.code == 1
    assert "1 of 1 files are missing" in problems["stored data"]


def test_the_doctor_says_what_is_in_the_way(run: Run) -> None:
    done = run("doctor", "--json")

    problems = {row["check"]: row["hint"] for row in json.loads(done.out)["data"] if row["status"] == "problem"}
    assert done.code == 1
    assert list(problems) == ["project"]
    assert "segctl init" in problems["project"]


def test_a_schema_is_printed_byte_for_byte(run: Run) -> None:
    shipped = Path(__file__).resolve().parents[2] / "segctl" / "compile" / "schemas"

    assert run("schema", "segment").out == (shipped / "segment.json").read_text("utf-8")
    assert run("schema", "-f", "ids").out.split() == sorted(p.stem for p in shipped.glob("*.json"))


def test_a_proposal_is_data_where_data_is_asked_for(project: Path, run: Run) -> None:
    (project / "till.csv").write_text("customer_id;at;total\n1;2026-01-05;12,50\n", "utf-8")

    done = run("ingest", "--from", "till.csv", "--as", "till_sale", "-f", "json", cwd=project)

    found = json.loads(done.out)
    (proposal,) = found["data"]
    assert (found["schema"], proposal["source"]) == ("segctl/proposal/1", "till")
    assert "  - event: till_sale\n" in proposal["declaration"]
    assert "total: money" in proposal["lacking"]
