"""Vendors' own libraries, none of them ours, send to a collector, and their events are counted once each.

They are installed into a folder of their own where npm and pip can reach a registry; `SEGCTL_CLIENTS` names one that
is ready (``node_modules``, ``py`` and ``hooks`` inside).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from listening import KEYS, collecting, ingested, lines, run, write_project

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent / "collector_clients"
NODE = ("@segment/analytics-node@3", "@rudderstack/rudder-sdk-node@3", "@snowplow/node-tracker@4")
PYTHON = ("segment-analytics-python>=2.3,<3", "rudder-sdk-python>=2.1,<3", "snowplow-tracker>=1.1,<2")


HOOKS = ("stripe>=12,<17", "standardwebhooks>=1,<2", "hubspot-api-client>=12,<13")


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if ready := os.environ.get("SEGCTL_CLIENTS"):
        return Path(ready)
    folder = tmp_path_factory.mktemp("clients")
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not there")
    wanted = ([npm, "install", "--no-fund", "--no-audit", "--prefix", str(folder), *NODE],
              [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "py"), *PYTHON],
              [sys.executable, "-m", "pip", "install", "-q", "--target", str(folder / "hooks"), *HOOKS])  # fmt: skip
    for command in wanted:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"cannot install the libraries: {done.stderr[-200:]}")
    return folder


def test_events_of_segments_rudderstacks_and_snowplows_libraries_for_node_are_taken(
    clients: Path, tmp_path: Path
) -> None:
    root = write_project(tmp_path / "p", ("web", "snow"))

    with collecting(root) as collector:
        command = ["node", str(HERE / "clients.mjs"), str(clients), collector.url, KEYS["SHOP_KEY"], KEYS["SNOW_KEY"]]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        said = collector.stop()

    assert done.returncode == 0, done.stderr
    assert said["sections"]["refused"] == []
    # Segment: product, page, screen and group; RudderStack: order and product; Snowplow by POST and by GET: three each.
    assert ingested(root) == {
        "page_viewed": 3, "screen_viewed": 1, "group_joined": 1, "product_viewed": 4, "order_completed": 1,
        "signed_up": 2,
    }  # fmt: skip
    assert "node@example.com" in run(root, "profile", "node-1", "--show-personal").stdout


def test_events_of_segments_rudderstacks_and_snowplows_libraries_for_python_are_taken(
    clients: Path, tmp_path: Path
) -> None:
    root = write_project(tmp_path / "p", ("web", "snow"))

    with collecting(root) as collector:
        command = [sys.executable, str(HERE / "clients.py"), collector.url, KEYS["SHOP_KEY"], KEYS["SNOW_KEY"]]
        environment = {**os.environ, "PYTHONPATH": str(clients / "py")}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
        said = collector.stop()

    assert done.returncode == 0, done.stderr
    assert said["sections"]["refused"] == []
    assert ingested(root) == {
        "page_viewed": 3, "screen_viewed": 1, "group_joined": 1, "product_viewed": 3, "order_completed": 1,
        "signed_up": 2,
    }  # fmt: skip
    assert all("writeKey" not in line["body"] for line in lines(root))


def test_what_vendors_libraries_sign_is_taken_and_nothing_that_was_changed(clients: Path, tmp_path: Path) -> None:
    root = write_project(tmp_path / "p", ("payments", "svix", "crm"))

    with collecting(root) as collector:
        secrets = [KEYS[name] for name in ("STRIPE_SECRET", "SVIX_SECRET", "HUBSPOT_SECRET")]
        command = [sys.executable, str(HERE / "hooks.py"), collector.url, *secrets]
        environment = {**os.environ, "PYTHONPATH": str(clients / "hooks")}
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
        collector.stop()

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "stripe": 200, "stripe changed": 401, "standard": 200, "standard changed": 401, "hubspot": 200,
        "hubspot changed": 401,
    }  # fmt: skip
    assert ingested(root) == {"signed_up": 2, "payment": 1}
