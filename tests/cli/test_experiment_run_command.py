"""`experiment start|status|stop|assign` as people call them, and what other pages say of a person's arm."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from segctl.cli import streams
from segctl.cli.main import main

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, email: {type: text, personal: true}}\nevents: {bought: {}}\n"
    "purposes: {service: {title: Service, basis: contract, channels: [email]}}\ncontact_points: {email: email}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land, email: mail}\n",
    "crm.csv": "\n".join(["nr,land,mail", *(f"{i},DE,c{i}@post.example" for i in range(30)), ""]),
    "segments/winback.yaml": "segment: winback\npurpose: service\nsend_to: [export]\n"
    "where: {trait: email, exists: true}\n",
    "destinations/export.yaml": "destination: export\nkind: file\npurposes: [service]\nchannel: email\n"
    "identify: {email: email}\nfields: {variant: experiment_arm}\n",
    "experiments/mail_test.yaml": "experiment: mail_test\nsegment: winback\nwindow: 14 days\n"
    "arms: {control: {weight: 1, send: nothing}, mail: {weight: 2}}\n"
    "metrics: {bought: {event: bought, role: primary}}\nsize: 20\n",
}
Said = tuple[int, str, str]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """One call of the program in this process; code, stdout and stderr."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))

    def made(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["segctl", *arguments])
        capfd.readouterr()
        code = main()
        out, err = capfd.readouterr()
        return code, out, err

    for verb in ("ingest", "apply"):
        assert made(verb)[0] == 0
    return made


def document(said: Said) -> Any:
    assert said[0] == 0, said[2]
    return json.loads(said[1])


def test_an_experiment_from_start_to_stop(
    call: Callable[..., Said], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    planned = document(call("experiment", "status", "--json"))
    assert [row["state"] for row in planned["data"]] == ["planned"]
    assert call("experiment", "stop")[0] == 4

    code, out, err = call("experiment", "start", "--dry-run")
    assert (code, "dry run: nothing was started" in err) == (0, True)
    code, out, err = call("experiment", "start", "--language", "de")
    assert (code, "next: segctl push winback --dry-run" in err) == (0, True)
    assert re.search(r"begonnen: .*Arm +verschickt +Personen.*control +nein", out, re.DOTALL)
    assert "SEG956" in call("experiment", "start")[2]

    code, out, err = call("report", "ab", "--as-of", "quatsch")
    assert (code, "SEG501" in err) == (2, True)
    code, out, err = call("push", "winback")
    assert code == 0
    assert "in an arm that is sent nothing (mail_test)" in " ".join(out.split())
    running = document(call("experiment", "status", "mail_test", "--json"))
    row = running["data"][0]
    assert (row["state"], row["units"], row["split"], row["is_full"]) == ("running", 30, "pass", True)
    table = " ".join(call("experiment", "status", "--language", "de")[1].split())
    assert "Experiment Stand Segment Einheiten Aufteilung Tage noch nächster Blick" in table
    assert "läuft winback 30 in Ordnung" in table
    assert "geplante Größe erreicht" in table
    assert re.search(r"Arm verschickt Anteil Einheiten Personen Zeitraum begonnen .* control nein 33,3 % \d+", table)
    assert "control  no" in call("experiment", "status", "--language", "en")[1]
    arms = {one["arm"]: one for one in running["sections"]["arms"]}
    assert sum(arm["exposed"] for arm in arms.values()) == 30

    ids = call("experiment", "assign", "-f", "ids", "--arm", "control")[1].split()
    told = (next((tmp_path / "out/export/winback").glob("*.csv"))).read_text("utf-8")
    assert len(ids) == arms["control"]["people"]
    assert "30 on record: 0 assigned now, 0 windows begun now" in call("experiment", "assign")[2]
    assert not any(f"c{person}@" in told for person in ids)
    assert "mail_test: control (nothing sent)" in call("profile", ids[0])[1]
    assert "mail_test: control (nothing sent)" in call("explain", "winback", ids[0])[1]
    assert f"control {len(ids)}, {len(ids)} exposed" in call("show", "experiment:mail_test")[1]
    assert document(call("experiment", "assign", "--check", "--json"))["exit"]["code"] == 0

    code, out, err = call("experiment", "stop", "mail_test", "--winner", "control", "--reason", "no effect")
    assert (code, "SEG961" in err, "`segctl pause winback`" in err) == (2, True, True)
    assert document(call("experiment", "status", "--json"))["data"][0]["state"] == "running"
    code, out, err = call("experiment", "stop", "mail_test", "--winner", "mail", "--reason", "more", "--language", "de")
    assert (code, "30 windows of `mail_test` are still open" in err) == (0, True)
    assert re.search(r"Sieger: mail.*Arm +Personen", out, re.DOTALL)
    stopped = document(call("experiment", "status", "--json"))["data"][0]
    assert (stopped["state"], stopped["winner"], stopped["reason"]) == ("stopped", "mail", "more")


def test_before_the_segment_was_evaluated_and_after_a_rename_the_next_step_is_told(
    call: Callable[..., Said], tmp_path: Path
) -> None:
    for name in ("segments/winback.yaml", "experiments/mail_test.yaml"):
        text = FILES[name].replace("winback", "new").replace("mail_test", "new_test")
        (tmp_path / name.replace("winback", "new").replace("mail_test", "new_test")).write_text(text, "utf-8")
    # A segment of another name that no run has seen.
    code, _, err = call("experiment", "start", "new_test")
    assert code == 0
    assert "next: segctl apply -s new\n" in err
    assert call("apply", "-s", "new")[0] == 0

    (tmp_path / "experiments/new_test.yaml").unlink()
    assert "add `salt: new_test` to it" in call("experiment", "status")[2]


def test_a_rename_that_no_run_has_seen_yet_keeps_what_is_on_record(call: Callable[..., Said], tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text(FILES["crm.csv"].replace("c3@post.example", ""), "utf-8")
    assert (call("ingest")[0], call("apply")[0]) == (0, 0)
    for name in ("segments/winback.yaml", "experiments/mail_test.yaml"):
        text = FILES[name].replace("segment: winback\n", "segment: back\n")
        (tmp_path / name).write_text(text.replace("purpose:", "formerly: [winback]\npurpose:"), "utf-8")

    assert [row["members"] for row in document(call("history", "back", "--json"))["data"]] == [30, 29]
    found = document(call("diff", "back", "--json"))
    assert [(row["segment"], row["left"], row["definition"]) for row in found["data"]] == [("back", 1, "same")]
    assert {row["segment"] for row in found["sections"]["leaves"]} == {"back"}
    moves = document(call("diff", "--moves", "--json"))["data"]
    assert [(row["segment"], row["profile_id"]) for row in moves] == [("back", "3")]
    figures = document(call("report", "segments", "--json"))["data"]
    assert [(row["segment"], row["members"]) for row in figures] == [("back", 29)]
    assert "next: segctl push back --dry-run" in call("experiment", "start")[2]


def test_a_broken_split_is_said_first(call: Callable[..., Said], tmp_path: Path) -> None:
    rows = [f"{at},{'mail' if at < 2 else 'control'}" for at in range(30)]
    (tmp_path / "arms.csv").write_text("\n".join(["id,arm", *rows, ""]), "utf-8")

    code, out, err = call("experiment", "assign", "--from", "arms.csv")
    assert code == 0
    assert err.startswith("error[SEG955]: the split of `mail_test` is not what its weights say (p ")

    code, out, err = call("experiment", "status")
    assert code == 1
    assert "error[SEG955]" in err
    assert "split is broken" in out
    status = json.loads(call("experiment", "status", "--json")[1])
    assert (status["exit"]["code"], status["diagnostics"][0]["code"]) == (1, "SEG955")
    assert status["data"][0]["split"] == "fail"
    checked = call("experiment", "assign", "--check")
    assert "is not what its weights say" in checked[2]
    assert "hash says" not in checked[2]
    assert re.search(r"split as declared +fail +[\d,]+ +< 0\.0001", checked[1])


def test_another_share_of_the_universal_holdout_is_said(call: Callable[..., Said], tmp_path: Path) -> None:
    text = FILES["segctl.yaml"] + "universal_holdout: {h2: {share: 20 %, from: 2020-01-01}}\n"
    (tmp_path / "segctl.yaml").write_text(text, "utf-8")
    assert "SEG973" not in call("push", "winback")[2]
    (tmp_path / "segctl.yaml").write_text(text.replace("20 %", "60 %"), "utf-8")

    said = [call("push", "winback")[2], call("experiment", "status")[2]]

    assert all("warning[SEG973]: the universal holdout `h2` now has a share of 60 %" in one for one in said)
    found = document(call("experiment", "status", "--json"))
    assert [one["code"] for one in found["diagnostics"]] == ["SEG973"]


def test_what_is_wrong_with_an_experiment_is_told(call: Callable[..., Said], tmp_path: Path) -> None:
    import polars as pl

    from segctl.state.assignments import DATASET
    from segctl.state.workspace import Workspace

    call("experiment", "start")
    call("push", "winback")
    with Workspace.open(tmp_path / ".segctl/dev") as workspace:
        rows = pl.read_parquet(workspace.files(f"{DATASET}mail_test")[0].path)
        other = rows.head(1).with_columns(
            arm=pl.when(pl.col("arm") == "mail").then(pl.lit("control")).otherwise(pl.lit("mail"))
        )
        workspace.commit("broken", add=[workspace.write(f"{DATASET}mail_test", other)])
    path = tmp_path / "experiments/mail_test.yaml"
    path.write_text(FILES["experiments/mail_test.yaml"].replace("14 days", "7 days"), "utf-8")

    code, _, err = call("experiment", "assign", "--check")
    assert code == 1
    assert "1 unit of `mail_test` is on record with two arms" in err
    err = call("experiment", "status")[2]
    assert "was changed while it runs: window; `winback` is not sent" in err
    assert call("push", "winback")[0] == 4
    assert "SEG957" in call("experiment", "assign")[2]
    assert "SEG510" in call("experiment", "start", "mail_tset")[2]
    assert "SEG961" in call("experiment", "stop", "mail_test", "--winner", "post")[2]


def test_on_a_terminal_somebody_says_whether_open_windows_are_given_up(
    call: Callable[..., Said], monkeypatch: pytest.MonkeyPatch
) -> None:
    call("experiment", "start")
    call("push", "winback")
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(streams, "is_terminal", lambda _: True)
    monkeypatch.setattr(streams, "read_line", lambda: "n")

    code, _, err = call("experiment", "stop")

    assert (code, "30 windows of `mail_test` are still open" in err, "SEG109" in err) == (4, True, True)
    assert call("experiment", "stop", "--yes")[0] == 0
