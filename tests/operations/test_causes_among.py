"""Causes of moves that depend on everybody: scores, and numbers of colleagues."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from test_causes import FIRST, PROJECT, SECOND, Shop

from segctl.compile import ir
from segctl.compile.plan import Output, Plan, plan
from segctl.compile.selection import Selection
from segctl.engines.base import EngineInput
from segctl.engines.polars_engine import PolarsEngine
from segctl.model.types import DATE, INTEGER, TEXT, ValueType
from segctl.operations.apply import apply
from segctl.operations.causes.beside import settled, social_nodes, values_today
from segctl.operations.session import open_session

RECORDS = "nr,land,tier,secret,since\n" + "".join(f"{i},DE,silver,x,2026-01-01\n" for i in range(1, 7))
ORDERS = "what,id,nr,at,value\n" + "".join(f"order,o{i},{i},2026-11-01T10:00:00Z,{10 * i}\n" for i in range(1, 7))
SCORES = """traits:
  spend: {event: order, sum: {of: value}}
  spend_score: {score: spend, groups: 3, best: high}
"""
ARRIVED, OTHERS = "event order 2026-11-13 11:00:00+01:00 (shop #n1)", "displaced by others"
AROUND = "others moved"
RECENCY = "traits:\n  last_order: {event: order, last: time}\n  recency: {formula: days_since(last_order)}\n"


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path)
    shop.write("traits/all.yaml", SCORES)
    shop.write("crm1.csv", RECORDS)
    shop.write("shop1.csv", ORDERS)
    return shop


@pytest.mark.parametrize("second", [SECOND, FIRST])
def test_who_is_overtaken_is_displaced_by_others(shop: Shop, second: str) -> None:
    shop.segment("top", "where: {trait: spend_score, at_least: 3}")
    shop.segment("low", "where: {trait: spend_score, at_most: 1}")
    shop.run(FIRST)
    # The fifth orders as well, which alone would have kept it where it was.
    shop.orders("order,n1,1,2026-11-10T10:00:00Z,500", "order,n5,5,2026-11-10T10:00:00Z,1")
    shop.run(second)

    found = {pair[:2]: line for pair, (line, _) in shop.moves().items()}

    late = "late event: order 2026-11-10 11:00:00+01:00 (shop #n1)"
    assert found == {("top", "1"): late, ("top", "5"): OTHERS, ("low", "1"): late, ("low", "3"): AROUND}


def test_an_own_event_moves_through_a_score(shop: Shop) -> None:
    shop.segment("top", "where: {trait: spend_score, at_least: 3}")
    shop.run(FIRST)
    shop.orders("order,n0,1,2026-11-13T09:00:00Z,5", "order,n1,1,2026-11-13T10:00:00Z,500")
    shop.run(SECOND)

    assert shop.moves() == {
        ("top", "1", "entered"): (ARRIVED, "11-13T11:00"),
        ("top", "5", "left"): (OTHERS, "11-16T13:00"),
    }


def test_a_window_that_passed_moves_through_a_score(shop: Shop) -> None:
    shop.write("traits/all.yaml", SCORES.replace("event: order,", "event: order, within_last: 14 days,"))
    shop.write("shop1.csv", ORDERS.replace("order,o6,6,2026-11-01", "order,o6,6,2026-10-30"))
    shop.segment("top", "where: {trait: spend_score, at_least: 3}")
    shop.run(FIRST)
    shop.run("2026-11-14T12:00:00Z")

    found = {(who, change): line for (_, who, change), (line, _) in shop.moves().items()}

    assert str(found.pop(("6", "left"))).startswith("time passed")
    assert set(found.values()) <= {AROUND}


def test_a_score_over_days_since_ages_with_everybody_else(shop: Shop) -> None:
    shop.write(
        "traits/all.yaml",
        RECENCY + "  recency_score: {score: recency, groups: 3, best: low}\n",
    )
    days = {1: "10-30", 2: "11-01", 3: "11-01", 4: "11-04", 5: "11-05", 6: "11-06"}
    rows = [f"order,o{i},{i},2026-{day}T10:00:00Z,1" for i, day in days.items()]
    shop.write("shop1.csv", "\n".join(["what,id,nr,at,value", *rows, ""]))
    shop.segment("cold", "where: {all: [{trait: recency_score, at_most: 1}, {event: order, within_last: 15 days}]}")
    shop.run(FIRST)
    shop.run("2026-11-15T12:00:00Z")

    # Beside the others as they stood then, and as they aged with it, it was one of the coldest all the time.
    assert shop.moves() == {("cold", "1", "left"): ("time passed: order, in the last 15 days", "11-14T11:00")}


def test_the_best_by_days_since_age_with_everybody_else(shop: Shop) -> None:
    shop.write("traits/all.yaml", RECENCY)
    days = {1: "10-30", 2: "11-01", 3: "11-01", 4: "11-04", 5: "11-05", 6: "11-06"}
    rows = [f"order,o{i},{i},2026-{day}T10:00:00Z,1" for i, day in days.items()]
    shop.write("shop1.csv", "\n".join(["what,id,nr,at,value", *rows, ""]))
    shop.segment("cold", "where: {event: order, within_last: 15 days}\nkeep: {top: 1, by: recency}")
    shop.run(FIRST)
    shop.run("2026-11-15T12:00:00Z")

    found = {(who, change): line for (_, who, change), (line, _) in shop.moves().items()}
    # Of the second and the third, who are equal, the lower id is kept: nothing is known that was not known before.
    assert found == {("1", "left"): "time passed: order, in the last 15 days", ("2", "entered"): "time passed"}


def test_a_segment_that_keeps_the_best_and_was_not_asked_for_then_is_ranked_among_everybody(shop: Shop) -> None:
    shop.segment("best", "where: {event: order}\nkeep: {top: 1, by: spend}")
    shop.segment("asked", "where: {segment: best}")
    shop.ingest(FIRST)
    at = datetime.fromisoformat(FIRST)
    with open_session(shop.root) as session:
        apply(session, as_of=at, started=at, selection=Selection(select=("asked",)))
    shop.orders("order,n1,1,2026-11-13T10:00:00Z,500")
    shop.run(SECOND)

    found = {pair: line for pair, (line, _) in shop.moves().items() if pair[0] == "asked"}
    assert found == {("asked", "1", "entered"): "segment best", ("asked", "6", "left"): "segment best"}


def test_colleagues_move_one_another(shop: Shop) -> None:
    shop.write("segctl.yaml", PROJECT + "related:\n  mates: {same: country, others_only: true}\n")
    shop.write("crm1.csv", RECORDS.replace("1,DE", "1,AT").replace("2,DE", "2,AT"))
    shop.write("shop1.csv", "what,id,nr,at,value\nvisit,v,2,2026-11-10T10:00:00Z,\n")
    shop.segment("lively", "where: {related: mates, where: {event: order}, count: {at_least: 1}}")
    shop.run(FIRST)
    shop.orders("order,n1,1,2026-11-13T10:00:00Z,500", "visit,n2,2,2026-11-13T10:00:00Z,")
    shop.run(SECOND)

    assert shop.moves() == {("lively", "2", "entered"): ("colleagues changed", "11-16T13:00")}


# --- One of many with another value -----------------------------------------------------------------------
NOW = datetime(2026, 11, 1, tzinfo=UTC)


def _answers(asking: Plan, data: EngineInput) -> pl.DataFrame:
    return PolarsEngine().evaluate(asking, data, as_of=NOW, zone="UTC").answers


def _beside_others(node: ir.Score | ir.Colleagues, everybody: pl.DataFrame, changed: pl.DataFrame) -> list[object]:
    """What each changed profile gets, with all others as they are."""
    ids = everybody.select("subject", "profile_id")
    asking = plan((), [Output("found", node)])
    today = values_today(
        social_nodes(asking),
        lambda outputs: _answers(plan((), outputs), EngineInput(everybody, ())).join(ids, on="subject"),
    )
    replayed, data = settled(asking, EngineInput(changed, ()), today, _answers)
    return _answers(replayed, data)["found"].to_list()


def _one_by_one(node: ir.Score | ir.Colleagues, everybody: pl.DataFrame, changed: pl.DataFrame) -> list[object]:
    found = []
    for row in changed.iter_slices(1):
        subject = row.item(0, "subject")
        mixed = pl.concat([everybody.filter(pl.col("subject") != subject), row]).sort("subject")
        answers = _answers(plan((), [Output("found", node)]), EngineInput(mixed, ()))
        found.append(answers.filter(pl.col("subject") == subject).item(0, "found"))
    return found


@pytest.mark.parametrize("of", [INTEGER, DATE], ids=["numbers", "dates"])
@pytest.mark.parametrize("seed", range(3))
def test_a_changed_profile_beside_all_others_gets_what_a_whole_evaluation_gives(of: ValueType, seed: int) -> None:
    rng = random.Random(seed)

    def people(size: int, first: int) -> pl.DataFrame:
        numbers = [rng.choice([None, *range(4)]) for _ in range(size)]
        days = [None if n is None else date(2026, 1, 1) + timedelta(days=n) for n in numbers]
        return pl.DataFrame(
            {
                "subject": range(first, first + size),
                "profile_id": [f"p{n}" for n in range(first, first + size)],
                "value": numbers if of == INTEGER else days,
                "firm": [rng.choice([None, "a", "b"]) for _ in range(size)],
            },
            schema={"subject": pl.Int32, "profile_id": pl.String, "firm": pl.String}
            | {"value": pl.Int64 if of == INTEGER else pl.Date},
        ).select("subject", "profile_id", "value", "firm")

    everybody = people(9, 0)
    # Some of them have other values now, and one is new.
    changed = people(5, 5)
    value, firm = ir.StoredTrait("value", of), ir.StoredTrait("firm", TEXT)
    nodes: list[ir.Score | ir.Colleagues] = [
        ir.Score(value, rng.randint(2, 5), "high"),
        ir.Score(value, rng.randint(2, 5), "low", firm),
        ir.Colleagues(firm, ir.Exists(value), others_only=True),
        ir.Colleagues(firm, ir.Exists(value)),
    ]
    for node in nodes:
        assert _beside_others(node, everybody, changed) == _one_by_one(node, everybody, changed), node
