"""What of a running experiment may change, and what may not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from segctl.model.conditions.events import Count, EventSelection
from segctl.model.experiments import Arm, Experiment, LayerShare, Metric, Money
from segctl.model.times import Duration
from segctl.operations.experiment.frozen import changed, definition_of, frozen_digest

BOUGHT = Metric("bought", "conversion", EventSelection(("order",)), Count(), role="primary")
OPENED = Metric("opened", "conversion", EventSelection(("open",)), Count())
ARMS = (Arm("control", Decimal(1), is_sent=False), Arm("mail", Decimal(9), cost=Decimal("0.02")))
ONE = Experiment("x", "winback", ARMS, "control", (BOUGHT, OPENED), Duration(14, "days"), traffic=Decimal("0.2"))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"segment": "news"}, "segment"),
        ({"arms": (ARMS[0], replace(ARMS[1], is_sent=False))}, "arms"),
        ({"arms": (*ARMS, Arm("coupon", Decimal(1)))}, "arms"),
        ({"control": "mail"}, "control"),
        ({"same": "household"}, "unit"),
        ({"window": Duration(15, "days")}, "window"),
        ({"layer": LayerShare("mails")}, "layer"),
        ({"exclude": ("staff",)}, "exclude"),
        ({"strata": ("country",)}, "strata"),
        ({"looks": "always"}, "looks"),
        ({"confidence": Decimal("0.9")}, "confidence"),
        ({"metrics": (replace(BOUGHT, selection=EventSelection(("refund",))), OPENED)}, "primary metrics"),
        ({"metrics": (BOUGHT, replace(OPENED, role="primary"))}, "primary metrics"),
    ],
)
def test_what_is_compared_must_stay(changes: dict[str, Any], named: str) -> None:
    other = definition_of(replace(ONE, **changes))

    assert changed(definition_of(ONE), other) == (named,)
    assert frozen_digest(other) != frozen_digest(definition_of(ONE))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "y", "salt": "x"},
        {"arms": (ARMS[1], replace(ARMS[0], weight=Decimal(5)))},
        {"arms": (ARMS[0], replace(ARMS[1], cost=Decimal(3), title="Brief"))},
        {"metrics": (OPENED, replace(BOUGHT, title="gekauft"))},
        {"metrics": (BOUGHT, replace(OPENED, role="guardrail"))},
        {"traffic": Decimal(1), "end": datetime(2027, 1, 1, tzinfo=UTC), "size": 9000},
        {"money": Money(Decimal("0.4")), "title": "Post", "hypothesis": "mehr", "owner": "crm"},
    ],
)
def test_the_rest_may_change(changes: dict[str, Any]) -> None:
    other = definition_of(replace(ONE, **changes))

    assert changed(definition_of(ONE), other) == ()
    assert frozen_digest(other) == frozen_digest(definition_of(ONE))


def test_a_renamed_segment_is_the_same() -> None:
    now = definition_of(replace(ONE, segment="comeback", exclude=("team",)))
    then = definition_of(replace(ONE, exclude=("staff",)))

    assert changed(then, now, {"winback": "comeback", "staff": "team"}.__getitem__) == ()


def test_a_definition_on_record_is_plain_json_and_says_nothing_of_defaults() -> None:
    written = json.loads(json.dumps(definition_of(ONE)))

    assert written == definition_of(ONE)
    assert written["arms"][1] == {"is": "Arm", "name": "mail", "weight": "9", "cost": "0.02"}
    assert "confidence" not in written
    assert "location" not in written
