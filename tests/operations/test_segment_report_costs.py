"""What messages of a segment cost: that of the arm while its experiment runs, else that of the destination."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from ab_world import DAY, EXPOSED, world

from segctl.operations.segment_report.reach import _costs
from segctl.state.experiments import end

HOUR = timedelta(hours=1)
ARMS = {"control": 2, "mail": 3}
"""People 0 and 1, and 2 to 4; a mail of the arm costs 0.05."""


def told(*rows: tuple[int, datetime, str, str]) -> pl.DataFrame:
    columns = {
        "subject": pl.Int32(),
        "ts": pl.Datetime("us", "UTC"),
        "segment": pl.String(),
        "destination": pl.String(),
    }
    return pl.DataFrame(list(rows), schema=columns, orient="row")


def test_a_message_of_an_arm_costs_what_the_experiment_says(tmp_path: Path) -> None:
    session = world(tmp_path, ARMS, [])
    end(session.workspace, "mail_test", at=EXPOSED + 2 * DAY)
    doings: Any = SimpleNamespace(session=session, snapshot=session.workspace.snapshot(), owners=None)
    rows = told(
        *((person, EXPOSED + HOUR, "winback", "post") for person in (2, 3, 4)),
        (0, EXPOSED + HOUR, "winback", "post"),  # the control has no price of its own
        (2, EXPOSED - DAY, "winback", "post"),
        (2, EXPOSED + 3 * DAY, "winback", "post"),
        (2, EXPOSED + HOUR, "news", "post"),
        (3, EXPOSED + HOUR, "winback", "free"),
        (0, EXPOSED + HOUR, "quiet", "free"),
    )

    found = dict(_costs(doings, rows, {"post": 0.5}))

    assert found == {"winback": pytest.approx(4 * 0.05 + 3 * 0.5), "news": 0.5}
    assert dict(_costs(doings, rows, {})) == {"winback": pytest.approx(4 * 0.05)}
