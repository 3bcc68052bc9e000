"""Pushes through the whole program, to a folder of files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from end_to_end.program import document, ok, run

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\n"
    "traits: {country: text, email: {type: text, personal: true}}\n"
    "purposes: {service: {title: Service, basis: contract, channels: [email]}}\ncontact_points: {email: email}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land, email: mail}\n",
    "crm.csv": "nr,land,mail\n1,DE,anna@example.org\n2,DE,bert@example.org\n3,AT,cora@example.org\n",
    "segments/german.yaml": "segment: german\npurpose: service\nsend_to: [export]\n"
    "where: {trait: country, equals: DE}\n",
    "destinations/export.yaml": "destination: export\nkind: file\npurposes: [service]\nchannel: email\n"
    "identify: {email: email}\nguards: {max_removed: 60 %}\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    ok("ingest", cwd=tmp_path)
    ok("apply", cwd=tmp_path)
    return tmp_path


def exported(shop: Path) -> str:
    files = (shop / "out/export/german").glob("*.csv")
    return max(files, key=lambda file: file.stat().st_mtime_ns).read_text("utf-8")


def narrowed(shop: Path, country: str) -> None:
    text = FILES["segments/german.yaml"].replace("DE", country)
    (shop / "segments/german.yaml").write_text(text, "utf-8")
    ok("apply", cwd=shop)


def test_a_push_delivers_once_and_a_dry_run_shows_the_requests(shop: Path) -> None:
    dry = document("push", "--all", "--dry-run", cwd=shop)
    assert not (shop / "out").exists()
    assert [row["calls"] for row in dry["sections"]["requests"]] == [1]
    assert "example.org" not in json.dumps(dry)

    first, again = document("push", "german", cwd=shop), document("push", "german", cwd=shop)

    assert (first["data"][0]["added"], again["data"][0]["added"], again["data"][0]["unchanged"]) == (2, 0, 2)
    assert {"anna@example.org", "bert@example.org"} <= set(exported(shop).replace("\n", ",").split(","))


def test_a_guard_refuses_and_nobody_is_sent_off_a_terminal_without_names(shop: Path) -> None:
    ok("push", "german", cwd=shop)
    narrowed(shop, "AT")

    nameless, refused = run("push", cwd=shop), run("push", "german", cwd=shop)
    allowed = run("push", "german", "--allow", "removed=100%", "--reason", "a new rule", cwd=shop)

    assert (nameless.returncode, refused.returncode, allowed.returncode) == (4, 4, 0)
    assert "SEG870" in nameless.stderr
    assert "would remove 2 of 2 members" in refused.stderr
    assert "cora@example.org" in exported(shop)
    assert "anna@example.org" not in exported(shop)


def test_a_saved_plan_is_pushed_exactly_or_not_at_all(shop: Path) -> None:
    ok("plan", "-o", "plan.json", cwd=shop)
    ok("pause", "export", "--reason", "look first", cwd=shop)
    stale = run("push", "plan.json", cwd=shop)
    ok("resume", "export", cwd=shop)

    done = run("push", "plan.json", cwd=shop)

    assert (stale.returncode, done.returncode) == (4, 0)
    assert "anna@example.org" in exported(shop)
    assert "carried out before" in run("push", "plan.json", cwd=shop).stderr
