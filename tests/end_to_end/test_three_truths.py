"""A newcomer's experiment on the sample shop, three times over: no effect, an effect, arms that somebody broke."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from end_to_end.program import ok, run

SEGMENT = """
segment: subscribers
description: Everybody who may be sent the newsletter.
owner: crm@shop.example
purpose: newsletter
send_to: [mailing_files]
guards: {max_removed: 60 %}
where: {consent: newsletter, channel: email}
"""
EXPERIMENT = """
experiment: autumn
hypothesis: The mail brings more orders.
segment: subscribers
arms:
  control: {weight: 50 %, send: nothing}
  mail: {weight: 50 %, cost: 0.02}
window: 14 days
metrics:
  bought: {event: order_completed, role: primary}
  revenue: {event: order_completed, sum: {of: value}, unit: EUR, money: true}
effect: +60 %
size: 800
money: {margin: 40 %, fixed: 100, currency: EUR}
"""
LATER = "2026-12-31"
"""A day on which every window is over."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample shop with one segment in force and one experiment that is planned and not begun."""
    folder = tmp_path_factory.mktemp("truths") / "shop"
    ok("init", str(folder), "--template", "shop", cwd=folder.parent)
    (folder / "segments" / "subscribers.yaml").write_text(SEGMENT, "utf-8")
    (folder / "experiments" / "autumn.yaml").write_text(EXPERIMENT, "utf-8")
    ok("ingest", "customers", "orders", "-q", cwd=folder)
    # One row of the sample names nobody; it is refused, and the others count.
    assert run("consent", "import", "data/consents.csv", "-q", cwd=folder).returncode == 3
    ok("apply", "-s", "subscribers", "-q", cwd=folder)
    return folder


def copied(shop: Path, to: Path) -> Path:
    shutil.copytree(shop, to)
    ok("experiment", "start", "autumn", "-q", cwd=to)
    return to


def simulated(folder: Path, truth: str) -> None:
    script = ["data/simulate_responses.py", "people.csv", "--truth", truth, "--begin", "2026-11-20T09:00:00+00:00"]
    subprocess.run([sys.executable, *script], cwd=folder, check=True, capture_output=True)
    ok("ingest", "orders", "-q", cwd=folder)


def report(folder: Path, *arguments: str, code: int = 0) -> dict[str, Any]:
    done = run("report", *arguments, "--as-of", LATER, "-f", "json", cwd=folder)
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize(("truth", "states"), [("effect", {"more"}), ("none", {"no_difference", "too_small"})])
def test_what_is_planted_is_what_is_reported(truth: str, states: set[str], shop: Path, tmp_path: Path) -> None:
    folder = copied(shop, tmp_path / "shop")
    ok("push", "subscribers", "--yes", "-q", cwd=folder)
    ok("experiment", "assign", "autumn", "-f", "csv", "-o", "people.csv", "-q", cwd=folder)
    (sent,) = (folder / "out" / "mailing_files" / "subscribers").glob("*.csv")
    arms = dict(line.split(",")[:2] for line in (folder / "people.csv").read_text("utf-8").splitlines()[1:])
    told = sum(arm == "mail" for arm in arms.values())
    simulated(folder, truth)

    found = report(folder, "ab", "autumn")["report"]
    headline = found["headline"]
    assert len(sent.read_text("utf-8-sig").splitlines()) - 1 == told < len(arms)
    assert headline["state"] in states
    difference = headline["difference"]
    assert (difference["low"] > 0) == (truth == "effect")
    planted = 0.14 * headline["per"] if truth == "effect" else 0
    assert difference["low"] < planted < difference["high"]
    assert ok("experiment", "assign", "autumn", "--check", "-q", cwd=folder) is not None

    in_all = report(folder, "control", "all")
    assert "autumn" in json.dumps(in_all)
    assert ok("report", "health", "-q", cwd=folder) is not None
    page = tmp_path / "report.html"
    ok("report", "ab", "autumn", "--as-of", LATER, "--html", str(page), "-q", cwd=folder)
    assert "<svg" in page.read_text("utf-8")


def test_arms_that_somebody_broke_are_not_usable(shop: Path, tmp_path: Path) -> None:
    folder = copied(shop, tmp_path / "shop")
    ok("experiment", "assign", "autumn", "--dry-run", "-f", "csv", "-o", "people.csv", "-q", cwd=folder)
    simulated(folder, "broken")
    ok("experiment", "assign", "autumn", "--from", "data/assignments_broken.csv", "-q", cwd=folder)

    found = report(folder, "ab", "autumn", code=1)["report"]
    assert found["headline"]["state"] == "not_usable"
    assert [one["level"] for one in found["checks"] if one["name"] == "split"] == ["fail"]
    said = run("report", "ab", "autumn", "--as-of", LATER, "--language", "en", cwd=folder).stdout
    assert "profit" not in said.lower()
