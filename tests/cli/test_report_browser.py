"""Pages of reports in headless Chromium, judged by axe-core: where both are there (`SEGCTL_AXE`), else skipped.

`SEGCTL_AXE` names a folder in which `npm install axe-core puppeteer-core` was run; Chromium is Debian's, or the program
that `SEGCTL_CHROMIUM` names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from report_samples import AT, report
from test_report_explain import control
from test_svg_charts import DRAWINGS
from test_svg_charts import page as charts

from segctl.cli.report_ab_story import document
from segctl.cli.report_control_story import document as control_document
from segctl.cli.report_page import page
from segctl.operations.ab.result import State

AXE = os.environ.get("SEGCTL_AXE", "")
CHROMIUM = os.environ.get("SEGCTL_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
TRIAGED = {"color-contrast"}
"""What axe cannot decide: it sees no background behind text of drawings and beside signs. The colours themselves are
measured in `test_svg_charts` and `test_validation_page`."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (AXE and (Path(AXE) / "node_modules" / "axe-core").is_dir()),
        reason="SEGCTL_AXE names no folder with axe-core and puppeteer-core",
    ),
    pytest.mark.skipif(not (CHROMIUM and shutil.which("node")), reason="no Chromium or no node"),
]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What the browser says of each page in each circumstance."""
    folder = tmp_path_factory.mktemp("pages")
    states: tuple[tuple[State, str], ...] = (("more", "de"), ("not_usable", "en"), ("nothing_yet", "de"))
    links = [("index.html", "Berichte"), ("more.html", "Spring mail")]
    for state, language in states:
        told = document(report(state), "de" if language == "de" else "en", anyway=True, least=5)
        text = page(told, name="shop", at=AT, links=links, here="more.html")
        (folder / f"{state}.html").write_text(text, "utf-8")
    (folder / "control.html").write_text(page(control_document(control(), "de"), name="shop", at=AT), "utf-8")
    (folder / "charts.html").write_text(charts(*DRAWINGS.values()), "utf-8")
    files = [str(path) for path in sorted(folder.glob("*.html"))]
    script = Path(__file__).with_name("axe_pages.js")
    done = subprocess.run(
        ["node", str(script), AXE, str(CHROMIUM), *files], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_axe_finds_nothing(seen: list[dict[str, Any]]) -> None:
    assert len(seen) == 5 * 8
    assert {(one["file"], one["way"]): one["violations"] for one in seen if one["violations"]} == {}


def test_the_circumstances_are_those_that_were_asked_for(seen: list[dict[str, Any]]) -> None:
    assert all(one["isPaper"] == (one["way"] == "paper") for one in seen)
    assert all(one["isForced"] == (one["way"] == "forced colours") for one in seen)


def test_what_axe_cannot_decide_is_known(seen: list[dict[str, Any]]) -> None:
    assert {found[0] for one in seen for found in one["incomplete"]} <= TRIAGED


def test_nothing_is_wider_than_its_window(seen: list[dict[str, Any]]) -> None:
    assert [(one["file"], one["way"], one["wide"]) for one in seen if one["wide"] > one["room"]] == []


def test_nothing_is_asked_of_anybody_else(seen: list[dict[str, Any]]) -> None:
    assert all(len(one["requests"]) == 1 for one in seen)


def test_what_has_the_focus_is_seen(seen: list[dict[str, Any]]) -> None:
    stops = [stop for one in seen for stop in one["stops"]]

    assert {stop["name"] for stop in stops} >= {"A", "SUMMARY", "DIV"}
    assert [stop["html"] for stop in stops if not stop["seen"]] == []
    assert [stop["html"] for stop in stops if stop["name"] == "SUMMARY" and stop["height"] < 24] == []
