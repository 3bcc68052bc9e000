"""The first questions of somebody new, asked in a small project."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from end_to_end.program import document, ok, run


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four people, and two runs between which everybody left, as was allowed for the second."""
    folder = tmp_path_factory.mktemp("project")
    ok("init", ".", "--template", "minimal", cwd=folder)
    segment = folder / "segments" / "buyers.yaml"
    segment.write_text(segment.read_text("utf-8") + "guards: {max_removed: 5 %}\n", "utf-8")
    ok("ingest", cwd=folder)
    ok("apply", "--as-of", "2026-10-15", cwd=folder)
    ok("apply", "--as-of", "2029-06-30", "--allow", "removed=100%", "--reason", "a long time", cwd=folder)
    return folder


def test_a_diff_tells_its_instants_to_the_second_in_the_zone_of_the_project(project: Path) -> None:
    told = ok("diff", cwd=project)

    assert told.splitlines()[0].endswith("as of 2026-10-15 23:59:59+02:00")


def test_the_instant_of_a_move_is_told_in_the_zone_of_the_project(project: Path) -> None:
    moves = document("diff", "--moves", cwd=project)["data"]

    assert {move["effective"] for move in moves} == {"2027-03-14T12:00:00+01:00", "2027-05-02T09:30:00+02:00"}


def test_a_broken_guard_is_told_in_percent(project: Path) -> None:
    done = run("diff", "--guards", cwd=project)

    assert done.returncode == 4
    assert done.stderr.startswith("refused[SEG519]: `buyers` would remove ")
    assert "(100.0 %), limit 5 %" in done.stderr


def test_a_definition_on_standard_input_is_counted(project: Path) -> None:
    text = (project / "segments" / "buyers.yaml").read_text("utf-8")

    piped = run("size", "-", "--as-of", "2026-10-15", "-f", "json", cwd=project, stdin=text)

    saved = document("size", "buyers", "--as-of", "2026-10-15", cwd=project)
    assert json.loads(piped.stdout)["facts"] == saved["facts"]
    assert run("size", "-", cwd=project, stdin="segment: [\n").stderr.count("--> stdin:") == 1


def test_states_are_the_same_words_in_every_list(project: Path) -> None:
    run_id = document("ls", "runs", cwd=project)["data"][0]["run"]
    lists = (("apply", "--dry-run", "--as-of", "2029-06-30"), ("history", "buyers"), ("show", f"run:{run_id}"))

    assert {row["state"] for words in lists for row in document(*words, cwd=project)["data"]} == {"in_force"}


def test_the_time_of_the_last_input_is_told_in_the_zone_of_the_project(project: Path) -> None:
    (listed, *_) = document("ls", "sources", cwd=project)["data"]
    (shown,) = document("show", "source:orders", cwd=project)["data"]

    assert listed["last_input"][-6:] in ("+01:00", "+02:00")
    assert listed["last_input"] == shown["seen"]


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        ("diff buyer", "did you mean `buyers`?"),
        ("show order_completed", "did you mean the event: `segctl show event:order_completed`?"),
        ("show country", "did you mean the trait: `segctl show trait:country`?"),
    ],
)
def test_a_name_that_is_no_segment_gets_the_nearest_way_out(project: Path, call: str, hint: str) -> None:
    done = run(*call.split(), cwd=project)

    assert done.returncode == 2
    assert hint in done.stderr


def test_until_says_in_words_that_nothing_will_change(project: Path) -> None:
    (who, *_) = document("diff", "--moves", cwd=project)["data"]

    told = ok("explain", "buyers", who["profile_id"], "--as-of", "2029-06-30", "--until", cwd=project)

    assert "if nothing else happens, the answer never changes\n" in told


def test_a_diff_in_which_no_condition_moved_has_no_empty_table(project: Path) -> None:
    newest = document("ls", "runs", cwd=project)["data"][0]["run"]

    call = ("diff", "--from", newest, "--to", newest)

    assert ok(*call, cwd=project).endswith("1 segment\n")
    assert document(*call, cwd=project)["sections"] == {"causes": [], "leaves": []}


def test_explain_hides_personal_values_wherever_they_would_stand(project: Path, tmp_path: Path) -> None:
    ok("init", ".", "--template", "shop", cwd=tmp_path)
    ok("ingest", "customers", "orders", cwd=tmp_path)

    explained = document("explain", "birthday_week", "00003", cwd=tmp_path)["data"]

    (leaf,) = [row for row in explained if "birth_date" in row["condition"]]
    assert (leaf["value"], leaf["missing"]) == ("birth_date = (personal)", "(personal)")


def test_a_time_at_the_end_of_the_calendar_is_explained(tmp_path: Path) -> None:
    ok("init", ".", "--template", "minimal", cwd=tmp_path)
    (tmp_path / "data" / "people.csv").write_text("customer_id,country,ends\n1,DE,9999-12-31 23:59:59+00:00\n", "utf-8")
    for name, old, new in (
        ("segctl.yaml", "signed_up: date", "ends: time"),
        ("sources/people.yaml", "signed_up: signed_up", "ends: ends"),
    ):
        path = tmp_path / name
        path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")
    (tmp_path / "segments" / "buyers.yaml").write_text(
        "segment: buyers\nwhere: {trait: ends, before: 2026-01-01}\n", "utf-8"
    )
    ok("ingest", "people", cwd=tmp_path)

    (leaf,) = document("explain", "buyers", "1", cwd=tmp_path)["data"]

    assert "9999-12-31 23:59:59+00:00" in leaf["missing"]


def test_findings_on_the_way_are_kept_apart_by_a_blank_line(tmp_path: Path) -> None:
    ok("init", ".", "--template", "minimal", cwd=tmp_path)
    (tmp_path / "segments" / "new.yaml").write_text(
        "segment: new\nwhere: {event: order_completed, count: {at_least: zwei}, wher: 1}\n", "utf-8"
    )

    told = run("apply", cwd=tmp_path).stderr

    assert "`zwei` is not an integer" in told
    assert told.count("\n\nerror[") == 2


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("lint segments/none.yaml", "there is no file `segments/none.yaml`"),
        ("lint nowhere", "`nowhere` holds no definition of the project"),
        ("ingest --from data/none.csv --as order_completed", "the folder `data` holds `orders.csv`, `people.csv`"),
        ("ingest --from none.csv --as order_completed", "the project folder holds `data`"),
    ],
)
def test_a_file_that_is_not_there_is_told_as_people_name_it(project: Path, call: str, said: str) -> None:
    done = run(*call.split(), cwd=project)

    assert done.returncode == 2
    assert said in done.stderr


def test_one_bad_row_is_told_in_the_singular(tmp_path: Path) -> None:
    ok("init", ".", cwd=tmp_path)

    told = run("ingest", "orders", "customers", cwd=tmp_path).stderr

    assert "orders: 1 bad row set aside (segctl quarantine show orders)\n" in told
    assert "customers: 3 bad rows set aside" in told
    (reason,) = document("quarantine", "show", "orders", cwd=tmp_path)["data"][0]["reasons"]
    assert {"column", "expected", "value", "reason"} <= set(reason)
    assert reason["value"] is None
    assert f"{reason['column']}: {reason['reason']}" in ok("quarantine", "show", "orders", cwd=tmp_path)


def test_a_plan_tells_causes_in_the_language_of_the_project(tmp_path: Path) -> None:
    ok("init", ".", cwd=tmp_path)
    ok("ingest", "customers", "orders", cwd=tmp_path)
    ok("apply", "-s", "new_customers", "--as-of", "2026-11-15", cwd=tmp_path)

    told = ok("plan", "new_customers", "--as-of", "2026-11-18", cwd=tmp_path)

    assert "Zeit vergangen: order_completed: das erste in den letzten 30 Tagen" in told
    assert "in the last" not in told
