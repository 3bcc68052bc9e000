"""Experiments of one layer: of those that run, no two have a range in common."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from experiment_world import experiment, world

from segctl.model.errors import Refused
from segctl.model.experiments import Experiment, LayerShare
from segctl.operations.experiment.run import stop

FIRST = replace(experiment("first"), layer=LayerShare("mailings", Decimal(0), Decimal("0.5")))
SAME = replace(experiment("second"), layer=LayerShare("mailings", Decimal("0.4"), Decimal("0.6")))
BESIDE = replace(experiment("second"), layer=LayerShare("mailings", Decimal("0.5"), Decimal(1)))
ELSEWHERE = replace(experiment("second"), layer=LayerShare("calls", Decimal(0), Decimal(1)))


def test_a_range_that_a_running_experiment_has_is_refused(tmp_path: Path) -> None:
    shop = world(tmp_path, 4)
    shop.declare(FIRST, SAME)
    shop.start("first")

    with pytest.raises(
        Refused, match=r"`second` and `first`, which runs, share a range of the layer `mailings`"
    ) as told:
        shop.start("second")

    assert told.value.code == "SEG947"
    assert "segctl experiment stop first" in (told.value.hint or "")


def test_the_range_of_one_that_is_over_is_free(tmp_path: Path) -> None:
    shop = world(tmp_path, 4)
    shop.declare(FIRST, SAME)
    shop.start("first")
    stop(shop.session, "first", now=shop.now)

    shop.start("second")


@pytest.mark.parametrize("other", [BESIDE, ELSEWHERE, experiment("second")])
def test_what_has_nothing_in_common_runs_at_once(tmp_path: Path, other: Experiment) -> None:
    shop = world(tmp_path, 4)
    shop.declare(FIRST, other)

    shop.start("first", "second")
