"""Fixtures every floor uses."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with data that is read, never committed; the test is skipped where it is missing."""
    folder = Path(os.environ.get("SEGCTL_SHARED", ROOT.parent / "shared"))
    if not (folder / "datasets").is_dir():
        pytest.skip("needs the shared data folder beside the checkout (or SEGCTL_SHARED)")
    return folder
