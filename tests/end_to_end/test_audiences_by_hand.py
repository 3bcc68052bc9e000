"""From members to a file and back, as somebody does it: plan, apply, push, waterfall, drift, status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from end_to_end.program import ok, run

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {email: {type: text, personal: true}, points: integer}\n"
    "purposes: {news: {basis: consent, channels: [email]}}\ncontact_points: {email: email}\n"
    "priority: {mails: [vip, everybody]}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {email: mail, points: punkte}\n",
    "crm.csv": "nr,mail,punkte\n1,a@x.example,9\n2,b@x.example,1\n3,c@x.example,1\n4,,1\n5,e@x.example,1\n",
    "consents.csv": "email,purpose,channel,action,at,proof_ref,confirmed\n"
    + "".join(f"{who}@x.example,news,email,grant,2026-01-01T10:00:00Z,f-{who},true\n" for who in "abc"),
    "segments/vip.yaml": "segment: vip\npurpose: news\nsend_to: [files]\nwhere: {trait: points, at_least: 5}\n",
    "segments/everybody.yaml": "segment: everybody\npurpose: news\nsend_to: [files]\n"
    "where: {trait: points, at_least: 0}\n",
    "destinations/files.yaml": "destination: files\nkind: file\nchannel: email\npurposes: [news]\n"
    "identify: {email: email}\n",
}


def document(*arguments: str, cwd: Path, code: int = 0) -> dict[str, Any]:
    done = run(*arguments, "-f", "json", cwd=cwd)
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_way_of_an_audience(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    ok("ingest", cwd=tmp_path)
    ok("consent", "import", "consents.csv", cwd=tmp_path)

    ok("plan", "-q", "-o", "plan.json", cwd=tmp_path)
    planned = json.loads((tmp_path / "plan.json").read_text("utf-8"))["sections"]
    early = run("push", "plan.json", cwd=tmp_path)
    ok("apply", "plan.json", cwd=tmp_path)
    ok("push", "plan.json", cwd=tmp_path)

    left = {row["segment"]: (row["members"], row["consent"], row["priority"]) for row in planned["waterfall"]}
    assert left == {"everybody": (5, 3, 2), "vip": (1, 1, 1)}
    assert [(row["step"], row["people"], row["detail"]) for row in planned["dropped"] if row["step"] == "priority"] == [
        ("priority", 1, "vip"),
    ]  # fmt: skip
    assert early.returncode == 4
    assert "SEG851" in early.stderr
    assert run("show", "everybody", "--step", "consent", "-f", "ids", cwd=tmp_path).stdout.split() == ["5"]

    (sent,) = (tmp_path / "out" / "files" / "everybody").glob("*.csv")
    sent.write_text("email\nb@x.example\nfremd@x.example\n", "utf-8")
    drift = {row["segment"]: row for row in document("reconcile", "files", cwd=tmp_path, code=1)["data"]}
    assert (drift["everybody"]["missing"], drift["everybody"]["foreign"], drift["vip"]["state"]) == (1, 1, "ok")
    ok("reconcile", "files", "--apply", "--remove-foreign", "--yes", cwd=tmp_path)

    stands = document("status", "--prometheus", "segctl.prom", cwd=tmp_path)
    assert [(row["destination"], row["status"], row["people"]) for row in stands["data"]] == [("files", "ok", 3)]
    assert 'segctl_delivered_people{project="shop",environment="dev",destination="files",segment="everybody"} 2.0' in (
        tmp_path / "segctl.prom"
    ).read_text("utf-8")
    assert document("reconcile", "files", cwd=tmp_path)["exit"]["code"] == 0
