"""The official suite of JSON Schema 2020-12: every case has the verdict that the suite demands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from schema_suite import as_ndjson, inside, suite_groups

from segctl.quality.contract import compile_contract


@pytest.fixture(scope="module")
def groups(shared: Path) -> list[tuple[str, Any, list[Any], list[bool], bool]]:
    return list(suite_groups(shared / "datasets" / "json-schema-suite" / "tests"))


def test_each_case_inside_a_record_has_the_verdict_of_the_suite(groups: Any) -> None:
    wrong, exact, total = [], 0, 0
    for name, schema, instances, valid, formats in groups:
        contract = compile_contract(inside(schema), formats=formats)
        found = as_ndjson(contract, [{"v": instance} for instance in instances])
        exact += found.exact_rows
        total += len(instances)
        wrong += [(name, instance) for instance, ok, bad in zip(instances, valid, found.bad, strict=True) if ok == bad]

    assert wrong == []
    assert total > 900
    assert exact < total * 3 / 4, "hardly anything was compiled: 540 cases mix types and need the reference"


def test_each_case_alone_in_its_column_has_the_verdict_of_the_suite(groups: Any) -> None:
    wrong, exact, total = [], 0, 0
    for name, schema, instances, valid, formats in groups:
        contract = compile_contract(inside(schema), formats=formats)
        for instance, ok in zip(instances, valid, strict=True):
            found = as_ndjson(contract, [{"v": instance}])
            exact += found.exact_rows
            total += 1
            wrong += [(name, instance)] if ok == found.bad[0] else []

    assert wrong == []
    assert exact < total / 4, "hardly anything was compiled"


def test_cases_about_records_have_the_verdict_of_the_suite_as_rows(groups: Any) -> None:
    wrong, total = [], 0
    for name, schema, instances, valid, formats in groups:
        records = [(i, ok) for i, ok in zip(instances, valid, strict=True) if isinstance(i, dict)]
        if not records:
            continue
        found = as_ndjson(compile_contract(schema, formats=formats), [instance for instance, _ in records])
        total += len(records)
        wrong += [(name, i) for (i, ok), bad in zip(records, found.bad, strict=True) if ok == bad]

    assert wrong == []
    assert total > 150
