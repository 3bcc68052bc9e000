"""The live demo from begin to end: `pytest tests/end_to_end/test_live_day.py -m slow`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("segment.analytics")


@pytest.mark.slow
def test_a_day_of_the_shop_ends_as_told_although_three_processes_are_killed(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "segctl", "demo", "--live", "--plain"]

    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, timeout=900, check=False)

    # The program itself holds mails, their products and changes against the story.
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("kill -9") == 3
    assert "mails: 1  the same with both, and orders in the afternoon" in done.stdout
    assert "mails: 0  the same; withdrew consent" in done.stdout
