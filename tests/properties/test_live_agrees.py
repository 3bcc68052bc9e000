"""Few profiles answer as everybody does: rows from mapped copies, and plans that are built once."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeVar

import numpy as np
import polars as pl
import pytest
import strategies
from case_tools import Case
from cases import CASES
from engine_tools import engine_input
from oracle_data import World

from segctl.compile.lower import lower_segment
from segctl.compile.plan import Output, Plan, plan
from segctl.compile.zones import to_us
from segctl.engines.array_plan import ArrayPlan
from segctl.engines.base import EngineInput, EventPart
from segctl.engines.evaluation import working_columns
from segctl.engines.hot_memory import GrowingRows, HeldRows
from segctl.engines.hot_reader import own_subjects
from segctl.engines.hot_write import write_hot
from segctl.engines.next_change_events import event_kinds
from segctl.engines.polars_engine import PolarsEngine
from segctl.engines.prepared import PreparedPlan, TooLarge, preparable
from segctl.engines.prepared_rows import FewRows, Kept
from segctl.model.types import stored_column
from segctl.operations.live.evaluation import late_segments

P = TypeVar("P", PreparedPlan, ArrayPlan)
START, MANY = (int(os.environ.get(f"SEGCTL_PROPERTY_{name}", n)) for name, n in (("START", "0"), ("EXAMPLES", "20000")))
_EACH = int(os.environ.get("SEGCTL_PROPERTY_EACH", "12"))
"""Every so many cases are asked: others differ little in what is read."""
_STEPS = (timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=40), timedelta(days=-3))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES[::_EACH]])
def test_few_profiles_answer_a_case_as_everybody_does(case: Case) -> None:
    check(case.world(), 1)


def test_few_profiles_answer_random_worlds_as_everybody_does() -> None:
    for seed in range(3):
        check(strategies.world(seed, segments=3), seed)


@pytest.mark.slow
def test_few_profiles_agree_on_many_more_examples() -> None:
    for seed in range(START, START + MANY):
        check(strategies.world(seed, segments=3), seed)


def check(world: World, seed: int) -> None:
    """Mapped copies and prepared plans give what the engine gives of everybody."""
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        data = engine_input(world, Path(folder), seed)
        asking = _asking(world)
        subjects = data.profiles.get_column("subject").to_list()
        some = sorted(random.sample(subjects, random.randint(0, len(subjects))))
        mapped = replace(data, events=tuple(_with_copy(part) for part in data.events))
        _check_copies(asking, world, data, mapped, some)
        _check_prepared(asking, world, mapped, some, random)
        _check_arrays(asking, world, mapped, some, random)


def _asking(world: World) -> Plan:
    lists = {name: sorted(texts) for name, texts in world.lists.items()}
    lowered = [lower_segment(one, world.definitions, lists=lists) for one in world.definitions.segments.values()]
    outputs = [Output(f"leaf:{one.name}:{leaf.path}", leaf.predicate) for one in lowered for leaf in one.leaves]
    return plan(lowered, outputs)


def _with_copy(part: EventPart) -> EventPart:
    if not part.is_sorted or len(part.kinds) != 1:
        return part
    write_hot(Path(part.path), Path(f"{part.path}.hot"), [name for name in part.columns if ":" in name], piece=256)
    return replace(part, hot=f"{part.path}.hot")


def _check_copies(asking: Plan, world: World, data: EngineInput, mapped: EngineInput, some: list[int]) -> None:
    zone = world.project.timezone
    plain = PolarsEngine().evaluate(asking, data, as_of=world.as_of, zone=zone, only=some)
    quick = PolarsEngine().evaluate(asking, mapped, as_of=world.as_of, zone=zone, only=some)
    assert quick.failed == plain.failed
    assert quick.answers.to_dicts() == plain.answers.to_dicts()


def _check_prepared(asking: Plan, world: World, data: EngineInput, some: list[int], random: Random) -> None:
    """One prepared plan at several instants, of which any whose form differs has one of its own."""
    quick = _quick(asking)
    columns = working_columns(quick, data.profiles.columns)
    kinds = event_kinds(quick)
    rows = FewRows({kind: of for kind, of in _stores(world, data, random).items() if kind in kinds}, data.canonical)
    prepared: PreparedPlan | None = None
    # Beside arrays it is asked again at all instants.
    for step in _STEPS[::3]:
        as_of = world.as_of + step
        if prepared is None or not prepared.holds(as_of):
            prepared = _plan_of(PreparedPlan, quick, data.profiles.clear().select(columns), world, is_safe=False)
            prepared = prepared if prepared.holds(as_of) else None
        if prepared is None:
            continue
        profiles = data.profiles.filter(pl.col("subject").is_in(some)).select(columns)
        own = own_subjects(np.asarray(some, np.int32), data.canonical)
        try:
            found = prepared.answers(profiles, rows, own, as_of).rename({"next:change": "due"})
        except TooLarge:
            continue
        zone = world.project.timezone
        wanted = PolarsEngine().evaluate(quick, data, as_of=as_of, zone=zone, only=some, due=True)
        names = [name for name in wanted.answers.columns if name in found.columns]
        assert set(wanted.answers.columns) <= set(found.columns)
        assert found.select(names).to_dicts() == wanted.answers.select(names).to_dicts(), (as_of, step)


def _check_arrays(asking: Plan, world: World, data: EngineInput, some: list[int], random: Random) -> None:
    """The same in arrays; and for some of the segments the same answers, and no later next change than of all."""
    quick = _quick(asking)
    columns = working_columns(quick, data.profiles.columns)
    kinds = event_kinds(quick)
    rows = FewRows({kind: of for kind, of in _stores(world, data, random).items() if kind in kinds}, data.canonical)
    own = own_subjects(np.asarray(some, np.int32), data.canonical)
    profiles = data.profiles.filter(pl.col("subject").is_in(some)).select(columns)
    is_safe = random.random() < 0.8
    arrays: ArrayPlan | None = None
    for step in _STEPS:
        as_of = world.as_of + step
        if arrays is None or not arrays.holds(as_of):
            arrays = _plan_of(ArrayPlan, quick, profiles.clear(), world, is_safe=is_safe)
            arrays = arrays if arrays.holds(as_of) else None
        if arrays is None:
            continue
        subjects = profiles.get_column("subject").to_numpy()
        try:
            still = arrays.still(profiles, as_of)
            found = arrays.answers(subjects, lambda: profiles, lambda: still, rows, own, as_of)  # noqa: B023 - called at once
            found = found.rename({"next:change": "due"})
        except TooLarge:
            continue
        zone = world.project.timezone
        wanted = PolarsEngine().evaluate(quick, data, as_of=as_of, zone=zone, only=some, due=True)
        names = [name for name in wanted.answers.columns if name in found.columns]
        assert set(wanted.answers.columns) <= set(found.columns)
        assert found.select(names).to_dicts() == wanted.answers.select(names).to_dicts(), (as_of, step)
        few = random.sample([one.name for one in quick.segments], random.randint(0, len(quick.segments)))
        part = arrays.answers(subjects, lambda: profiles, lambda: still, rows, own, as_of, few)  # noqa: B023 - called at once
        part = part.rename({"next:change": "due"})
        named = [name for name in part.columns if name != "due"]
        assert set(named) == {"subject", *(f"segment:{name}" for name in few)}
        assert part.select(named).to_dicts() == found.select(named).to_dicts()
        assert (part["due"] >= found["due"]).all()


def _quick(asking: Plan) -> Plan:
    """What prepared plans have room for."""
    late = late_segments(asking.segments)
    segments, outputs = preparable(asking)
    return plan(
        [one for one in asking.segments if one.name in segments and one.name not in late],
        [one for one in asking.outputs if one.name in outputs],
    )


def _plan_of(made: type[P], quick: Plan, nobody: pl.DataFrame, world: World, *, is_safe: bool) -> P:
    year = 366 * 86_400_000_000
    reach = (to_us(world.as_of) - 120 * year, to_us(world.as_of) + 120 * year)
    return made(
        quick, dict(nobody.schema), as_of=world.as_of, zone=world.project.timezone, reach=reach,
        sum_is_safe=lambda *_: is_safe,
    )  # fmt: skip


def _stores(world: World, data: EngineInput, random: Random) -> dict[str, list[Kept]]:
    """Sorted files mapped or held, tails held or growing piece by piece."""
    from segctl.engines.hot_file import opened

    stores: dict[str, list[Kept]] = {}
    for part in data.events:
        copy = opened(part)
        if copy is not None and random.random() < 0.7:
            stores.setdefault(part.kinds[0], []).append((copy, part.path))
            continue
        rows = pl.read_parquet(part.path)
        rows = rows if "kind" in rows.columns else rows.with_columns(pl.lit(part.kinds[0]).alias("kind"))
        for (kind,), of in rows.partition_by("kind", as_dict=True, include_key=False).items():
            stores.setdefault(str(kind), []).append((_held(of, random), ""))
    for trait in world.project.traits:
        names = {name: stored_column(name, trait.type) for name in ("old", "new")}
        stores[f"trait:{trait.name}"] = [(HeldRows(data.changes[trait.name].rename(names)), "")]
    for table in world.project.related:
        names = {name: stored_column(name, of) for name, of in table.properties}
        stores[f"related:{table.name}"] = [(HeldRows(data.related[table.name].rename(names)), "")]
    return stores


def _held(rows: pl.DataFrame, random: Random) -> HeldRows | GrowingRows:
    if random.random() < 0.5:
        return HeldRows(rows)
    tail = GrowingRows()
    for at in range(0, rows.height, 3):
        tail.add(rows.slice(at, 3))
    return tail
