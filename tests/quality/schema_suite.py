"""Schemas and instances for the tests of contracts: how JSON arrives, and what the reference says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import polars as pl

from segctl.connectors.files.json_columns import frame_and_doubts
from segctl.connectors.files.json_values import parse_record
from segctl.quality.contract import Contract, Verdict


def as_ndjson(contract: Contract, instances: list[dict[str, Any]]) -> Verdict:
    """The verdict about objects that come as lines of JSON, read by the product's own reader."""
    texts = [json.dumps(instance, ensure_ascii=False) for instance in instances]
    records = [parse_record(text) for text in texts]
    assert all(isinstance(record, dict) for record in records), records
    frame, doubtful = frame_and_doubts(records)
    if frame.width == 0:
        frame = pl.DataFrame({"column_1": pl.Series([None] * len(texts), dtype=pl.String)})
    return contract.of_json(frame, pl.Series("text", texts, dtype=pl.String), doubtful)


def reference(schema: Any, instances: list[Any], *, formats: bool) -> list[bool]:
    """True where the reference finds an instance bad."""
    engine = jsonschema_rs.Draft202012Validator(schema, validate_formats=formats, offline=True)
    return [not engine.is_valid(instance) for instance in instances]


def inside(schema: Any) -> Any:
    """A schema for objects whose property `v` is an instance of the given one."""
    if isinstance(schema, dict) and "$id" not in schema:
        schema = {"$id": "urn:segctl:inner", **schema}
    return {"$id": "urn:segctl:outer", "properties": {"v": schema}}


def suite_groups(folder: Path) -> Iterator[tuple[str, Any, list[Any], list[bool], bool]]:
    """Name, schema, instances, whether each is valid, and whether formats assert: one for each group of the suite."""
    for path in sorted(folder.rglob("*.json")):
        asserts = "format" in path.relative_to(folder).parts[:-1]
        for group in json.loads(path.read_text("utf-8")):
            tests = group["tests"]
            name = f"{path.relative_to(folder).as_posix()}: {group['description']}"
            yield name, group["schema"], [t["data"] for t in tests], [t["valid"] for t in tests], asserts
