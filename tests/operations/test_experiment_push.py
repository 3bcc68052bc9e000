"""Experiments in audiences and pushes: who is held out, what is written, and what never reaches a service."""

from __future__ import annotations

from pathlib import Path

import pytest
from experiment_world import experiment, world


def test_nobody_is_held_out_before_the_start(tmp_path: Path) -> None:
    shop = world(tmp_path)
    shop.declare(experiment())

    shop.push()

    assert len(shop.services.people()) == 40
    assert shop.record().is_empty()
