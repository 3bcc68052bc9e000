"""The program itself, several at a time and killed at any moment: an assigned unit never has two arms."""

from __future__ import annotations

import random
import subprocess
import time
from pathlib import Path

import polars as pl
import pytest
from end_to_end.program import PROGRAM, document, ok

from segctl.state.experiments import assignments
from segctl.state.workspace import Workspace

PEOPLE = 3_000
FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, email: {type: text, personal: true}}\nevents: {bought: {}}\n"
    "purposes: {service: {title: Service, basis: contract, channels: [email]}}\ncontact_points: {email: email}\n"
    "universal_holdout: {one: {share: 10 %, from: 2026-01-01}}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land, email: mail}\n",
    "segments/winback.yaml": "segment: winback\npurpose: service\nsend_to: [one, two]\n"
    "where: {trait: email, exists: true}\n",
    "experiments/mail_test.yaml": "experiment: mail_test\nsegment: winback\nstrata: [country]\nwindow: 14 days\n"
    "arms: {control: {weight: 30 %, send: nothing}, mail: {weight: 70 %}}\n"
    "metrics: {bought: {event: bought, role: primary}}\nsize: 1000\n",
    **{
        f"destinations/{name}.yaml": f"destination: {name}\nkind: file\npurposes: [service]\nchannel: email\n"
        "identify: {email: email}\nfields: {variant: experiment_arm}\n"
        for name in ("one", "two")
    },
}
COMMANDS = (
    ("push", "winback", "--to", "one"),
    ("push", "winback", "--to", "two"),
    ("experiment", "assign", "mail_test"),
)


def project(folder: Path) -> None:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    grow(folder, 500)
    ok("experiment", "start", "mail_test", cwd=folder)


def grow(folder: Path, people: int) -> None:
    lines = [f"{i},{'DE' if i % 3 else 'AT'},c{i}@post.example" for i in range(people)]
    (folder / "crm.csv").write_text("\n".join(["nr,land,mail", *lines, ""]), "utf-8")
    ok("ingest", cwd=folder)
    ok("apply", cwd=folder)


def started(folder: Path, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
    return subprocess.Popen([*PROGRAM, *command, "--lock-wait", "60s"], cwd=folder, stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)  # fmt: skip


def people_of_files(folder: Path) -> set[str]:
    """Everybody who ever stood in a file of a destination."""
    found = set[str]()
    for path in (folder / "out").rglob("*.csv"):
        lines = path.read_text("utf-8").splitlines()
        found |= {line.partition("@")[0].removeprefix("c") for line in lines[1:]}
    return found


def check(folder: Path, before: dict[str, str]) -> dict[str, str]:
    """Nobody has moved, nobody has two arms, and nobody who is held out was ever told."""
    with Workspace.open(folder / ".segctl/dev") as workspace:
        raw = pl.concat([pl.read_parquet(file.path) for file in workspace.files("assignments/mail_test")])
        universal = assignments(workspace, "universal:one")
    assert raw.select("unit", "arm").n_unique() == raw["unit"].n_unique()
    arms = dict(raw.select("profile_id", "arm").iter_rows())
    assert {person: arms.get(person) for person in before} == before
    held = set(universal.filter(pl.col("arm") == "held_out")["profile_id"])
    told = people_of_files(folder)
    assert not told & held
    assert {arms[person] for person in told} <= {"mail"}
    return arms


@pytest.mark.crash
def test_commands_side_by_side_that_are_killed_leave_one_arm_each(tmp_path: Path) -> None:
    project(tmp_path)
    chance, arms = random.Random(3), dict[str, str]()
    for number in range(12):
        grow(tmp_path, 500 + 200 * number)
        running = [started(tmp_path, command) for command in COMMANDS]
        for one in running:
            if chance.random() < 0.6:
                time.sleep(chance.uniform(0.2, 1.2))
                one.kill()
        for one in running:
            one.wait(120)
        if (tmp_path / ".segctl/dev/files/assignments").is_dir():
            arms = check(tmp_path, arms)

    for command in COMMANDS[:2]:
        ok(*command, cwd=tmp_path)
    final = check(tmp_path, arms)
    found = document("experiment", "assign", "mail_test", "--check", cwd=tmp_path)
    with Workspace.open(tmp_path / ".segctl/dev") as workspace:
        on_record = assignments(workspace, "mail_test")

    assert [row["result"] for row in found["data"][:4]] == ["dealt within strata", "ok", "ok", "ok"]
    assert on_record["exposed_at"].null_count() == 0
    assert people_of_files(tmp_path) == {person for person, arm in final.items() if arm == "mail"}
