"""A run that asks only those of whom something is new leaves the same on record as one that asks everybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from incremental_world import Shop

from segctl.operations.incremental import incremental


@pytest.fixture(autouse=True)
def however_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a small world something is soon new of most."""
    monkeypatch.setattr(incremental, "MOST_TOUCHED", 2.0)


def lived(folder: Path, seed: int, steps: int, *, wide: bool = False) -> int:
    """How many runs of a random history did not ask everybody."""
    shop = Shop(folder / "shop", seed, wide=wide)
    some = 0
    for number in range(steps):
        what = shop.happens() if number else "the beginning"
        expected = shop.beside(folder / "beside")
        done, found = shop.applied()
        about = f"seed {seed}, step {number}: {what}"
        for part, right in expected.items():
            assert found[part] == right, (about, part)
        assert wide or shop.found() == shop.expected(), about
        assert done.extent is not None
        some += not done.extent.is_full
    return some


@pytest.mark.parametrize("seed", [1])
def test_step_by_step_it_is_as_if_everybody_had_been_asked(tmp_path: Path, seed: int) -> None:
    assert lived(tmp_path, seed, 6) > 2


def test_consents_colleagues_and_what_must_not_be_missing(tmp_path: Path) -> None:
    assert lived(tmp_path, 3, 6, wide=True) > 2


@pytest.mark.slow
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_more_histories(tmp_path: Path, seed: int, *, wide: bool) -> None:
    assert lived(tmp_path, seed, 25, wide=wide) > 10
