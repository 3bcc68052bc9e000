"""Rows that mean the same to every decision have one shape, whatever order or remark stands in them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from segctl.consent.shapes import facts_of, parse_shape
from segctl.model.consent import ConsentEvent
from segctl.state import consents
from segctl.state.workspace import Workspace

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def shapes(folder: Path, events: list[ConsentEvent]) -> list[str]:
    with Workspace.open(folder / "ws", create=True) as workspace:
        consents.record_key(workspace, "k1", at=NOW)
        consents.append(workspace, events, recorded=NOW)
        return [row[-1] for row in consents.states(workspace)]


def event(number: int, **more: object) -> ConsentEvent:
    token = bytes([number]) * 16
    return ConsentEvent(f"e{number}", NOW, "email", token, token, "k1", "grant", **more)  # type: ignore[arg-type]  # of one row


def test_an_order_of_ones_own_makes_no_shape_of_ones_own(tmp_path: Path) -> None:
    facts = {"similar_goods_of": "shoes", "notice_at_collection": "yes", "opt_out_in_each": "true"}
    events = [event(n, facts={**facts, "sale_ref": f"order-{n}"}, reason=f"by mail of day {n}") for n in range(20)]

    found = shapes(tmp_path, events)

    assert len(set(found)) == 1
    assert facts_of(parse_shape(found[0])) == dict.fromkeys([*facts, "sale_ref"], "yes")


@pytest.mark.parametrize("word", ["no", "Nein", "0", "false", "", " no ", "\tno"])
def test_a_fact_that_is_none_stays_as_it_was_written(tmp_path: Path, word: str) -> None:
    (found,) = shapes(tmp_path, [event(1, facts={"sale_ref": word, "signals": "ad_user_data"})])

    assert facts_of(parse_shape(found)) == {"sale_ref": word, "signals": "ad_user_data"}


@pytest.mark.parametrize("reason", ["soft", "tcf_malformed", "tcf_denied"])
def test_a_reason_that_decides_stays(tmp_path: Path, reason: str) -> None:
    assert parse_shape(shapes(tmp_path, [event(1, reason=reason)])[0]).reason == reason
