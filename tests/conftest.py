"""Fixtures every floor uses."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# CI asks the same examples every time, so that a red run means a change; new examples are for local runs.
# Nothing here is about time, which a busy machine would turn into failures.
settings.register_profile("local", deadline=None)
settings.register_profile("ci", derandomize=True, deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "local")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with data that is read, never committed; the test is skipped where it is missing."""
    folder = Path(os.environ.get("SEGCTL_SHARED", ROOT.parent / "shared"))
    if not (folder / "datasets").is_dir():
        pytest.skip("needs the shared data folder beside the checkout (or SEGCTL_SHARED)")
    return folder


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Fifteen thousand tests live to the end: no search for garbage looks through them while or after they are made."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: one that begins last is waited for by all other workers."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True, scope="module")
def kinds_as_they_ship() -> Iterator[None]:
    """Kinds of destinations that tests of one file bring along are gone for the next."""
    from segctl.connectors.destinations import DESTINATIONS

    before = dict(DESTINATIONS)
    yield
    DESTINATIONS.clear()
    DESTINATIONS.update(before)


def pytest_addoption(parser: pytest.Parser) -> None:
    """One flag for everything that is compared with a file."""
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew; then read the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a text with a file of the repository."""
    return Golden(update=bool(request.config.getoption("--update-golden")))


class Golden:
    """A text must equal a file; with `--update-golden` the file is written instead."""

    def __init__(self, *, update: bool) -> None:
        self._update = update

    def compare(self, text: str, path: Path) -> None:
        """Fail with the difference, or write the file."""
        if self._update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8", newline="\n")
        assert path.exists(), f"{path.name} is missing: run pytest --update-golden"
        assert text == path.read_text("utf-8"), f"{path.name} differs: run pytest --update-golden and read the diff"
