"""`experiment plan`, `ls experiments`, `show experiment:NAME` and TAB, as people call them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cli_process import PROGRAM, Finished, environment
from hypothesis import given
from hypothesis import strategies as st

from segctl.cli import complete
from segctl.cli.experiment_plan_view import dealt

Run = Callable[..., Finished]
ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT = """experiment: buyers_mail
title: A mail to buyers
segment: buyers
arms:
  control: {weight: 20 %, send: nothing}
  mail: {weight: 80 %}
window: 14 days
metrics:
  bought: {event: order_completed, role: primary}
  revenue: {event: order_completed, sum: {of: value}, before: 90 days}
effect: +20 %
size: 1000
"""


def project_in(root: Path) -> Path:
    shutil.copytree(ROOT / "segctl" / "templates" / "minimal", root)
    (root / "experiments").mkdir()
    (root / "experiments" / "buyers_mail.yaml").write_text(EXPERIMENT, "utf-8")
    return root


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return project_in(tmp_path / "project")


@pytest.fixture(scope="module")
def ingested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("ingested")
    root = project_in(home / "project")
    subprocess.run([*PROGRAM, "ingest"], cwd=root, env=environment(home), capture_output=True, check=True)
    return root


@given(st.integers(0, 10**6), st.lists(st.integers(1, 100), min_size=1, max_size=6))
def test_units_of_the_arms_add_up_to_all(units: int, weights: list[float]) -> None:
    found = dealt(units, weights)

    assert sum(found) == units
    assert all(abs(one - units * weight / sum(weights)) < 1 for one, weight in zip(found, weights, strict=True))


def test_a_plan_of_the_data_is_written_as_text_and_as_json(run: Run, ingested: Path) -> None:
    project = ingested

    text = run("experiment", "plan", "--as-of", "2026-11-01", cwd=project)
    document = json.loads(run("experiment", "plan", "--as-of", "2026-11-01", "--json", cwd=project).out)
    german = run("experiment", "plan", "--as-of", "2026-11-01", "--language", "de", cwd=project).out

    assert text.code == 0, text.err
    assert text.err.count("SEG953") == 1
    # The newest order is of 26 October, and two weeks before it the window began.
    assert "`bought` was 0 % among the 2 profiles who were members on 2026-10-12" in text.out
    assert "die am 12.10.2026 Mitglied waren" in german
    assert document["schema"] == "segctl/experiment-plan/1"
    assert document["plan"]["experiment"] == "buyers_mail"
    assert document["plan"]["past_window"]["units"] == document["plan"]["members"] > 0
    assert [row["metric"] for row in document["data"]] == ["bought", "revenue"]
    assert {*document["sections"]} == {"arms", "splits", "curve"}


def test_a_plan_needs_no_data_where_everything_is_given(run: Run, project: Path) -> None:
    done = run(
        "experiment", "plan", "buyers_mail", "--baseline", "3%", "--members", "9000", "--per-day", "40",
        cwd=project,
    )  # fmt: skip

    assert done.code == 0, done.err
    # Fleiss, Levin, Paik 2003 for 0.03 and 0.036 with four treated for one of control, by hand: 8,873.2 of control.
    assert done.out.startswith(
        "To find +20 % in `bought` (3.00 % → 3.60 %) with 80 % power, 44,367 profiles are needed."
    )
    assert not (project / ".segctl").exists()
    curve = [line.split() for line in done.out.partition("what more units find")[2].splitlines()[3:10]]
    assert [float(line[1]) for line in curve] == sorted((float(line[1]) for line in curve), reverse=True)


def test_rows_are_the_metrics(run: Run, project: Path) -> None:
    done = run("experiment", "plan", "--baseline", "3%", "--members", "9000", "-f", "csv", cwd=project)

    assert [line.partition(",")[0] for line in done.out.splitlines()] == ["metric", "bought", "revenue"]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["buyer_mail"], "did you mean `buyers_mail`?"),
        (["--baseline", "3%", "--members", "-4"], "at least 1"),
        (["--baseline", "3%", "--members", "9", "--per-day", "nan"], "0 or more"),
    ],
)
def test_what_cannot_be_meant_is_told(run: Run, ingested: Path, options: list[str], told: str) -> None:
    done = run("experiment", "plan", *options, cwd=ingested)

    assert done.code == 2
    assert done.out == ""
    assert told in done.err
    assert "Traceback" not in done.err


def test_experiments_are_listed_shown_and_completed(run: Run, ingested: Path) -> None:
    project = ingested

    (row,) = json.loads(run("ls", "experiments", "--json", cwd=project).out)["data"]
    shown: dict[str, Any] = json.loads(run("show", "experiment:buyers_mail", "--json", cwd=project).out)

    assert (row["experiment"], row["segment"], row["state"]) == ("buyers_mail", "buyers", "planned")
    assert row["arms"] == ["control 20 % (nothing sent)", "mail 80 %"]
    assert shown["facts"]["effect"] == "+20 %"
    assert [one["measured"] for one in shown["data"]] == ["any order_completed", "sum of value of order_completed"]
    assert complete.names("experiments", str(project)) == [("buyers_mail", "A mail to buyers")]
    assert ("experiment:buyers_mail", "A mail to buyers") in complete.names("things", str(project))
    assert run("show", "experiment:other", cwd=project).code == 2


def test_findings_of_experiments_can_be_asked_for_by_file(run: Run, project: Path) -> None:
    broken = project / "experiments" / "other.yaml"
    broken.write_text(EXPERIMENT.replace("buyers_mail", "other").replace("segment: buyers", "segment: byers"), "utf-8")
    (project / "experiments" / "third.yml").write_text(EXPERIMENT, "utf-8")

    everything = json.loads(run("lint", "--json", cwd=project).out)
    all_of_them = json.loads(run("lint", "experiments", "--json", cwd=project).out)
    one = json.loads(run("lint", "experiments/buyers_mail.yaml", "--json", cwd=project).out)

    assert {found["code"] for found in all_of_them["diagnostics"]} == {"SEG941", "SEG953"}
    assert {"SEG941", "SEG207"} <= {found["code"] for found in everything["diagnostics"]}
    assert {found["code"] for found in one["diagnostics"]} == {"SEG953"}


def test_the_schema_with_the_names_of_the_project_knows_its_segments(run: Run, project: Path) -> None:
    schema = json.loads(run("schema", "experiment", "--project", cwd=project).out)

    assert schema["properties"]["segment"]["enum"] == ["buyers"]
    assert schema["properties"]["strata"]["items"]["enum"] == ["country", "signed_up"]


@pytest.mark.parametrize(("language", "row"), [("en", "4.56 %"), ("de", "4,56 %")])
def test_a_plan_speaks_one_language_in_lines_that_fit(run: Run, project: Path, language: str, row: str) -> None:
    done = run(
        "experiment", "plan", "buyers_mail", "--baseline", "4.56%", "--members", "900", "--language", language,
        cwd=project, env={"COLUMNS": "80"},
    )  # fmt: skip

    table = done.out[done.out.index("\nbought  ") + 1 :].splitlines()[0]
    assert row in table
    assert ("Kennzahl  Rolle" in done.out) == (language == "de")
    assert ("+142 %" in table, "0.0456" in done.out) == (True, False)
    assert max(map(len, done.out.splitlines()[:8])) <= 80
