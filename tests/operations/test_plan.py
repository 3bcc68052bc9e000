"""What `plan` says of changed definitions and data, and that a saved plan is carried out exactly or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from end_to_end.program import PROGRAM, document, ok, run

from segctl.model.errors import SegctlError
from segctl.operations.plan.file import read_plan

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, points: integer}\nenvironments: {dev: {}, prod: {}}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\npicture: full\n"
    "profiles: {country: land, points: punkte}\n",
    "crm.csv": "nr,land,punkte\n1,DE,10\n2,DE,20\n3,AT,30\n4,AT,40\n5,CH,50\n",
    "segments/german.yaml": "segment: german\nwhere: {trait: country, equals: DE}\n",
    "segments/rich.yaml": "segment: rich\nguards: {max_removed: 50 %}\nwhere: {trait: points, at_least: 30}\n",
    "segments/listed.yaml": "segment: listed\nwhere: {list: lists/vip.csv, identifier: customer_id}\n",
    "segments/over.yaml": "segment: over\nwhere: {all: [{segment: rich}, {not: {segment: german}}]}\n",
    "lists/vip.csv": "1\n3\n",
}
NEWER = "nr,land,punkte\n1,DE,10\n2,AT,20\n3,AT,30\n4,AT,5\n5,CH,50\n6,DE,60\n"


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one run in force."""
    folder = tmp_path_factory.mktemp("applied")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    ok("ingest", cwd=folder)
    ok("apply", cwd=folder)
    ok("plan", "-o", "untouched.json", cwd=folder)
    return folder


@pytest.fixture
def shop(applied: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    shutil.copytree(applied, tmp_path / "shop")
    return tmp_path / "shop"


def new_data(shop: Path) -> None:
    """Person 2 moves to Austria, 4 loses points, 6 is new."""
    (shop / "crm.csv").write_text(NEWER)
    ok("ingest", cwd=shop)


def redefine(shop: Path, name: str, old: str, new: str) -> None:
    """Another rule."""
    text = FILES[f"segments/{name}.yaml"]
    assert old in text
    (shop / f"segments/{name}.yaml").write_text(text.replace(old, new))


def planned(shop: Path, *arguments: str) -> dict[str, Any]:
    """The document of `plan`, whatever its exit."""
    done = run("plan", *arguments, "-f", "json", cwd=shop)
    assert done.returncode in (0, 1, 4, 5), done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def rows(found: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Segment → definition, before, entered, left, after."""
    keys = ("definition", "before", "entered", "left", "after")
    return {row["segment"]: tuple(row[key] for key in keys) for row in found["data"]}


def test_nothing_changes_when_nothing_has_changed(shop: Path) -> None:
    found = planned(shop, "--exit-code")

    assert all(row[0] == "same" and row[2:4] == (0, 0) for row in rows(found).values())
    assert found["exit"]["code"] == 0
    assert found["sections"]["definitions"] == found["sections"]["effects"] == found["sections"]["reasons"] == []


def test_rule_and_data_are_told_apart(shop: Path) -> None:
    redefine(shop, "german", "equals: DE", "in: [DE, CH]")
    new_data(shop)

    found = planned(shop, "--exit-code")

    # Before {1, 2}; the old rule on new data gives {1, 6}; the new rule on old data {1, 2, 5}; both {1, 5, 6}.
    assert rows(found)["german"] == ("changed", 2, 2, 1, 3)
    (effect,) = (e for e in found["sections"]["effects"] if e["segment"] == "german")
    assert effect == {
        "segment": "german", "old_old": 2, "old_new": 2, "new_old": 3, "new_new": 3,
        "rule_entered": 1, "rule_left": 0, "data_entered": 1, "data_left": 1,
    }  # fmt: skip
    assert rows(found)["rich"] == ("same", 3, 1, 1, 3)
    assert found["exit"]["code"] == 1
    assert [row["after"] for row in found["sections"]["definitions"] if row["segment"] == "german"] == [
        "country is one of DE, CH"
    ]


def test_everybody_who_moves_is_named_with_a_cause(shop: Path) -> None:
    new_data(shop)

    moves = json.loads(ok("plan", "rich", "--moves", "-f", "json", cwd=shop))["data"]

    assert [(m["profile_id"], m["change"]) for m in moves] == [("6", "entered"), ("4", "left")]
    assert "points" in moves[1]["cause"]
    assert sorted(ok("plan", "-f", "ids", cwd=shop).split()) == ["2", "4", "6"]


def test_what_is_new_renamed_and_removed_is_called_so(shop: Path) -> None:
    (shop / "segments/german.yaml").unlink()
    (shop / "segments/de.yaml").write_text(FILES["segments/german.yaml"].replace("german", "de\nformerly: [german]"))
    redefine(shop, "over", "{not: {segment: german}}", "{not: {segment: de}}")
    (shop / "segments/listed.yaml").unlink()
    (shop / "segments/fresh.yaml").write_text("segment: fresh\nwhere: {trait: country, equals: CH}\n")

    found = rows(planned(shop))

    assert found == {
        "de": ("renamed", 2, 0, 0, 2),
        "fresh": ("new", None, 1, 0, 1),
        "listed": ("removed", 2, 0, 2, 0),
        "over": ("same", 3, 0, 0, 3),
        "rich": ("same", 3, 0, 0, 3),
    }


def test_another_list_is_a_change_of_the_rule(shop: Path) -> None:
    (shop / "lists/vip.csv").write_text("1\n4\n5\n")

    found = planned(shop, "listed")

    (row,) = found["data"]
    assert (row["definition"], row["inputs"], row["entered"], row["left"]) == ("same", ["lists/vip.csv"], 2, 1)
    assert [(e["old_new"], e["rule_entered"], e["rule_left"]) for e in found["sections"]["effects"]] == [(2, 2, 1)]


def test_a_guard_refuses_with_numbers_and_may_be_allowed(shop: Path) -> None:
    redefine(shop, "rich", "at_least: 30", "at_least: 50")

    refused = run("plan", cwd=shop)
    allowed = run("plan", "--allow", "rich.removed=70%", "--reason", "agreed", cwd=shop)

    assert (refused.returncode, allowed.returncode) == (4, 0)
    assert "`rich` would remove 2 of 3 members (66.7 %), limit 50 %" in refused.stderr
    assert "`over`: it refers to `rich`" in refused.stderr


# --- Saved plans ------------------------------------------------------------------------------------------
def test_a_saved_plan_is_carried_out_once(shop: Path) -> None:
    redefine(shop, "german", "equals: DE", "in: [DE, AT]")
    shown = ok("plan", "-o", "plan.json", cwd=shop)
    assert "country is one of DE, AT" in shown

    first = document("apply", "plan.json", cwd=shop)
    again = run("apply", "plan.json", cwd=shop)
    then = planned(shop, "--exit-code")

    assert {row["segment"]: row["entered"] for row in first["data"]}["german"] == 2
    assert first["run"]["as_of"] == json.loads((shop / "plan.json").read_text())["plan"]["as_of"]
    assert again.returncode == 0
    assert "carried out before" in again.stderr
    assert then["exit"]["code"] == 0
    assert len(document("ls", "runs", cwd=shop)["data"]) == 2
    assert json.loads((shop / "plan.json").read_text())["plan"]["id"] in ok("show", "run:last", "-f", "json", cwd=shop)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(
            lambda shop: redefine(shop, "rich", "at_least: 30", "above: 30"), "`over` and `rich` mean", id="a rule"
        ),
        pytest.param(lambda shop: redefine(shop, "rich", "50 %", "90 %"), "guards or status of `rich`", id="a guard"),
        pytest.param(lambda shop: (shop / "segments/german.yaml").rename(shop / "german"), "SEG", id="a file"),
        pytest.param(lambda shop: (shop / "lists/vip.csv").write_text("9\n"), "the list `lists/vip.csv`", id="a list"),
        pytest.param(new_data, "new data came since (ingest", id="data"),
        pytest.param(lambda shop: ok("apply", cwd=shop), "came since", id="a run"),
    ],
)
def test_a_stale_plan_is_refused(shop: Path, change: Any, said: str) -> None:
    change(shop)

    done = run("apply", "untouched.json", cwd=shop)

    assert done.returncode == (4 if said != "SEG" else 2), done.stderr
    assert said in done.stderr


def test_compaction_and_a_what_if_do_not_make_a_plan_stale(shop: Path) -> None:
    ok("compact", cwd=shop)
    ok("apply", "--as-of", "2020-01-01", cwd=shop)

    assert run("apply", "untouched.json", cwd=shop).returncode == 0


@pytest.mark.parametrize(
    ("spoil", "code", "name"),
    [
        pytest.param(lambda text: text.replace('"snapshot": ', '"snapshot": 1'), 6, "SEG573", id="changed by hand"),
        pytest.param(lambda text: text.replace("segctl/plan/1", "segctl/plan/9"), 2, "SEG572", id="of another form"),
        pytest.param(lambda text: text[: len(text) // 2], 2, "SEG572", id="cut"),
        pytest.param(lambda _: "[1]", 2, "SEG572", id="something else"),
        pytest.param(lambda _: '{"schema": "segctl/plan/1", "plan": {}}', 6, "SEG573", id="empty"),
    ],
)
def test_a_spoilt_file_changes_nothing(applied: Path, tmp_path: Path, spoil: Any, code: int, name: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(spoil((applied / "untouched.json").read_text()))

    with pytest.raises(SegctlError) as caught:
        read_plan(file)

    assert (caught.value.exit_code, caught.value.code) == (code, name)


@pytest.mark.parametrize(
    ("change", "code", "name"),
    [
        pytest.param({"segments": ["nobody_has_it"]}, 2, "SEG572", id="a segment without a definition"),
        pytest.param({"snapshot": 99_999}, 4, "SEG570", id="data that are not here"),
        pytest.param(
            {"allowed": [{"guard": "max_removed", "limit": "NaN", "segment": None}]}, 2, "SEG572", id="no limit"
        ),
    ],
)
def test_a_forged_plan_is_refused(shop: Path, change: dict[str, Any], code: int, name: str) -> None:
    forged(shop, lambda made: made.update(change))

    done = run("apply", "other.json", cwd=shop)

    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert name in done.stderr


def forged(shop: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """`other.json`: a plan that was changed with care, so that its id fits."""
    found = json.loads((shop / "untouched.json").read_text())
    made = found["plan"]
    change(made)
    text = json.dumps({key: value for key, value in made.items() if key != "id"}, sort_keys=True)
    made["id"] = "p" + hashlib.sha256(text.encode()).hexdigest()[:12]
    (shop / "other.json").write_text(json.dumps(found))


def test_members_that_a_plan_does_not_promise_are_not_recorded(shop: Path) -> None:
    forged(shop, lambda made: made["members"].update(rich=made["members"]["german"]))

    done = run("apply", "other.json", cwd=shop)

    assert done.returncode == 4
    assert "SEG571" in done.stderr
    assert len(document("ls", "runs", cwd=shop)["data"]) == 1


def test_a_plan_settles_what_options_would_say(shop: Path) -> None:
    ok("ingest", "-e", "prod", cwd=shop)

    selected = run("apply", "untouched.json", "-s", "rich", cwd=shop)
    elsewhere = run("apply", "untouched.json", "-e", "prod", cwd=shop)
    named = run("apply", "rich", cwd=shop)

    assert (selected.returncode, elsewhere.returncode, named.returncode) == (2, 2, 2)
    assert "SEG548" in selected.stderr
    assert "--env dev" in elsewhere.stderr
    assert "segctl apply -s rich" in named.stderr


def test_a_plan_is_a_state_to_select_by(shop: Path) -> None:
    redefine(shop, "rich", "at_least: 30", "above: 30")

    assert ok("ls", "-s", "state:modified", "--state", "untouched.json", "-f", "ids", cwd=shop).split() == [
        "over",
        "rich",
    ]


def test_of_two_at_once_one_carries_it_out(shop: Path) -> None:
    redefine(shop, "german", "equals: DE", "in: [DE, AT]")
    ok("plan", "-o", "plan.json", cwd=shop)

    both = [subprocess.Popen([*PROGRAM, "apply", "plan.json"], cwd=shop, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=60)[1].decode() for process in both]

    assert [process.returncode for process in both] == [0, 0], said
    assert sum("carried out before" in text for text in said) == 1
    assert len(document("ls", "runs", cwd=shop)["data"]) == 2


@pytest.mark.slow
def test_a_killed_apply_is_done_or_not(shop: Path) -> None:
    redefine(shop, "german", "equals: DE", "in: [DE, AT]")
    ok("plan", "-o", "plan.json", cwd=shop)
    for wait_s in (0.2, 0.4, 0.6, 0.8, 1.0, 1.2):
        process = subprocess.Popen([*PROGRAM, "apply", "plan.json"], cwd=shop, stderr=subprocess.DEVNULL)
        time.sleep(wait_s)
        process.kill()
        process.wait()

    assert run("apply", "plan.json", cwd=shop).returncode == 0
    assert len(document("ls", "runs", cwd=shop)["data"]) == 2
    assert ok("show", "segment:german", "-f", "ids", cwd=shop).split() == ["1", "2", "3", "4"]


def test_the_file_names_nobody_when_asked(shop: Path) -> None:
    (shop / "crm.csv").write_text(NEWER.replace("6,DE,60", "person-six,DE,60"))
    ok("ingest", cwd=shop)

    with_examples = run("plan", "-o", "plan.json", cwd=shop)
    said = (shop / "plan.json").read_text()
    ok("plan", "-o", "without.json", "--examples", "0", cwd=shop)
    page = ok("plan", "-f", "markdown", cwd=shop)

    assert "names profiles by id" in with_examples.stderr
    assert "person-six" in said
    assert "person-six" not in (shop / "without.json").read_text() + page


def test_a_plan_before_the_first_run_and_without_segments(tmp_path: Path) -> None:
    for name in ("segctl.yaml", "sources/crm.yaml", "crm.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(FILES[name])
    ok("ingest", cwd=tmp_path)
    empty = run("plan", "-o", "plan.json", cwd=tmp_path)
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments/rich.yaml").write_text(FILES["segments/rich.yaml"])

    first = planned(tmp_path)

    assert empty.returncode == 0
    assert "nothing would change" in empty.stdout
    assert rows(first) == {"rich": ("new", None, 3, 0, 3)}
