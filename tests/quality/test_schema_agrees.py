"""Compiled contracts and the reference agree on random contracts and rows, however the rows arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import polars as pl
import pytest
from schema_random import contract, records, text_frame, typed_frame
from schema_suite import as_ndjson, reference

from segctl.quality.contract import Contract, TextForm, UnusableContractError, Verdict, compile_contract
from segctl.quality.schema_instances import instances_of_types
from segctl.quality.schema_slots import plain_frame
from segctl.quality.schema_text import TextColumns

PAIRS = 150
Arrival = Callable[[Contract, Random], tuple[list[Any], Verdict]]


def by_json(contract: Contract, rng: Random) -> tuple[list[Any], Verdict]:
    rows = records(rng)
    return rows, as_ndjson(contract, rows)


def by_text(contract: Contract, rng: Random) -> tuple[list[Any], Verdict]:
    frame = text_frame(rng)
    columns = TextColumns(contract._types, TextForm(), contract._formatted)
    rows = pl.int_range(frame.height, eager=True)
    return columns.instances(columns.decode(frame), frame.columns, rows), contract.of_text(frame)


def by_types(contract: Contract, rng: Random) -> tuple[list[Any], Verdict]:
    frame = typed_frame(rng)
    reading = contract._reading()
    meanings = {name: reading.null(f"/{name}") for name in frame.columns}
    return instances_of_types(plain_frame(frame), meanings, reading.null), contract.of_types(frame)


def disagreements(arrive: Arrival, seeds: range) -> Iterator[tuple[int, Any, Any]]:
    """Seeds whose rows have another verdict than the reference's, with contract and row."""
    for seed in seeds:
        rng = Random(seed)
        schema = contract(rng)
        try:
            compiled = compile_contract(schema)
        except UnusableContractError:
            continue
        rows, found = arrive(compiled, rng)
        wanted = reference(schema, rows, formats=True)
        yield from ((seed, schema, row) for row, bad, want in zip(rows, found.bad, wanted, strict=True) if bad != want)
        if set(found.reasons["row"]) != set(found.bad.arg_true()):
            yield seed, schema, "reasons"


@pytest.mark.parametrize("arrive", [by_json, by_text, by_types])
def test_random_rows_have_the_verdict_of_the_reference(arrive: Arrival) -> None:
    assert list(disagreements(arrive, range(PAIRS))) == []


@pytest.mark.slow
@pytest.mark.parametrize("arrive", [by_json, by_text, by_types])
def test_many_random_rows_have_the_verdict_of_the_reference(arrive: Arrival) -> None:
    assert list(disagreements(arrive, range(PAIRS, 20_000))) == []


@pytest.mark.parametrize("arrive", [by_json, by_text, by_types])
def test_most_random_rows_are_decided_without_the_reference(arrive: Arrival) -> None:
    total = exact = bad = 0
    for seed in range(40):
        rng = Random(seed)
        try:
            compiled = compile_contract(contract(rng))
        except UnusableContractError:
            continue
        rows, found = arrive(compiled, rng)
        total, exact, bad = total + len(rows), exact + found.exact_rows, bad + int(found.bad.sum())

    assert exact < total * 0.7
    assert 0.1 < bad / total < 0.9
