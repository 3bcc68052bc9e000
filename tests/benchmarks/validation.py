# ruff: noqa: T201 - a benchmark prints what it measures
"""Contracts: a million rows of 15 columns against 31 rules, from CSV to verdict and quarantine, beside the peers.

    python tests/benchmarks/validation.py [ROWS]

Everything runs on the same rows in one process. CPU seconds count all threads; wall time is printed beside them. The
peers are slower, so they get the first part of the rows: jsonschema-rs 50,000 and jsonschema 5,000, as dicts that are
ready (which flatters them) and with the making of the dicts. The verdicts on these rows are compared, too.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import numpy as np
import polars as pl

from segctl.connectors.files import detect, read
from segctl.quality.contract import Contract, TextForm, Verdict, compile_contract
from segctl.quality.schema_text import TextColumns

SEED = 20_261_121
BATCH_ROWS = 250_000
CONTRACT: dict[str, Any] = {
    "required": ["customer_id", "email", "country", "status", "created_at"],
    "additionalProperties": False,
    "properties": {
        "customer_id": {"type": "string", "pattern": "^C[0-9]{8}$"},
        "email": {"type": "string", "format": "email", "maxLength": 64},
        "first_name": {"minLength": 1, "maxLength": 40},
        "last_name": {"minLength": 1, "maxLength": 40},
        "phone": {"pattern": "^\\+49[0-9]{9,11}$"},
        "country": {"enum": ["DE", "AT", "CH", "FR", "NL"]},
        "zip": {"pattern": "^[0-9]{4,5}$"},
        "city": {"maxLength": 60},
        "birth_date": {"format": "date"},
        "created_at": {"format": "date-time"},
        "updated_at": {"format": "date-time"},
        "orders": {"type": "integer", "minimum": 0, "maximum": 10000},
        "revenue": {"type": "number", "minimum": 0, "multipleOf": 0.01},
        "status": {"enum": ["active", "inactive", "blocked"]},
        "newsletter": {"type": "boolean"},
    },
    "if": {"properties": {"country": {"const": "DE"}}, "required": ["country"]},
    "then": {"properties": {"zip": {"pattern": "^[0-9]{5}$"}}},
}
RULES = 31
"""Five required properties, 25 keywords on properties with the one behind `then`, and no further property."""


def customers(rows: int) -> pl.DataFrame:
    """Customers as text, with 0.4 % wrong cells in each of nine columns; some phones and names are missing."""
    rng = np.random.default_rng(SEED)
    number = pl.int_range(rows, eager=True)

    def pick(values: list[str]) -> pl.Series:
        return pl.Series(np.array(values)[rng.integers(0, len(values), rows)])

    day = pl.Series(rng.integers(-15_000, 13_000, rows)).cast(pl.Int32).cast(pl.Date)
    moment = pl.Series(rng.integers(1_577_836_800, 1_767_225_600, rows) * 1_000_000).cast(pl.Datetime("us"))
    euros, cents = pl.Series(rng.integers(0, 5_000, rows)), pl.Series(rng.integers(0, 100, rows))
    host = pick(["example.org", "web-post.de"])
    country = pick(["DE", "DE", "DE", "AT", "CH", "FR", "NL"])
    frame = pl.DataFrame({
        "customer_id": "C" + number.cast(pl.String).str.zfill(8),
        "email": pick(["anna", "ben", "eva"]) + "." + number.cast(pl.String) + "@" + host,
        "first_name": pick(["Anna", "Ben", "Carla", "Jörg", "Zoë"]),
        "last_name": pick(["Müller", "Schmidt", "O'Neil", "Weiß", "Yılmaz"]),
        "phone": "+49" + pl.Series(rng.integers(1_500_000_000, 1_799_999_999, rows)).cast(pl.String),
        "country": country,
        "zip": pl.Series(rng.integers(10_000, 99_999, rows)).cast(pl.String),
        "city": pick(["Berlin", "Köln", "Wien", "Zürich", "Lyon"]),
        "birth_date": day.cast(pl.String),
        "created_at": moment.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "updated_at": moment.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "orders": pl.Series(rng.integers(0, 60, rows)).cast(pl.String),
        "revenue": euros.cast(pl.String) + "." + cents.cast(pl.String).str.zfill(2),
        "status": pick(["active", "active", "inactive", "blocked"]),
        "newsletter": pick(["true", "false"]),
    })  # fmt: skip
    wrong = {
        "customer_id": "X1", "email": "jörg@example.org", "country": "XX", "zip": "12a45", "birth_date": "2023-02-30",
        "created_at": "2024-01-31 10:00", "orders": "-1", "revenue": "1.005", "status": "unknown",
    }  # fmt: skip
    for name, cell in wrong.items():
        at = pl.Series(rng.random(rows) < 0.004)
        frame = frame.with_columns(pl.when(at).then(pl.lit(cell)).otherwise(pl.col(name)).alias(name))
    missing = {"phone": 0.19, "last_name": 0.01}
    return frame.with_columns(
        pl.when(pl.Series(rng.random(rows) >= share)).then(pl.col(name)).alias(name) for name, share in missing.items()
    )


def timed(what: Callable[[], Any]) -> tuple[Any, float, float]:
    """A result with its CPU and wall seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = what()
    return found, time.process_time() - cpu, time.perf_counter() - wall


def checked(contract: Contract, path: Path) -> tuple[int, int, int, float]:
    """Rows, bad rows, reasons and the CPU seconds of the checks alone, of a CSV file read in batches."""
    rows = bad = reasons = 0
    seconds = 0.0
    parts: list[pl.DataFrame] = []
    for batch in read(path, None, detect(path), batch_rows=BATCH_ROWS):
        found: Verdict
        found, cpu, _ = timed(lambda frame=batch.frame: contract.of_text(frame, TextForm()))
        seconds += cpu
        rows += batch.frame.height
        bad += int(found.bad.sum())
        reasons += found.reasons.height
        parts.append(_quarantine(batch.frame, batch.lines, found))
    pl.concat(parts).write_parquet(path.with_suffix(".quarantine.parquet"))
    return rows, bad, reasons, seconds


def _quarantine(frame: pl.DataFrame, lines: pl.Series, found: Verdict) -> pl.DataFrame:
    grouped = found.reasons.group_by("row", maintain_order=True).agg(
        _reasons=pl.struct("pointer", "keyword", "expected", "value")
    )
    rows = frame.filter(found.bad).with_columns(line=lines.filter(found.bad))
    return pl.concat([rows, grouped.sort("row").select("_reasons")], how="horizontal")


def main(rows: int) -> int:
    """Measure, print, and leave with 1 when a bar is missed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        frame = customers(rows)
        frame.write_csv(path)
        contract, cpu_compile, _ = timed(lambda: compile_contract(CONTRACT))
        contract.of_text(frame.head(10))
        (seen, bad, reasons, checks), cpu, wall = timed(lambda: checked(contract, path))
        print(f"{seen:,} rows x {frame.width} columns, {RULES} rules, {path.stat().st_size / 1e6:.0f} MB of CSV")
        print(f"bad rows {bad:,}, reasons {reasons:,}; compiled in {cpu_compile * 1000:.0f} ms")
        print(f"{'checks alone':34}{seen / checks:14,.0f} rows/s CPU   {checks:.2f} s")
        print(
            f"{'CSV to verdict and quarantine':34}{seen / cpu:14,.0f} rows/s CPU   {cpu:.2f} s CPU, {wall:.2f} s wall"
        )
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{'peak memory, generator included':34}{peak:14,.0f} MB")
    ratios = [_beside(contract, frame, name, count, seen / checks, seen / cpu) for name, count in PEERS.items()]
    met = seen / checks >= 1e6 and ratios[0] >= 5 and ratios[1] >= 100
    print("bars: " + ("met" if met else "MISSED"), json.dumps({"rows_per_s": round(seen / checks), "times": ratios}))
    return 0 if met else 1


PEERS = {"jsonschema-rs": 50_000, "jsonschema": 5_000}


def _beside(contract: Contract, frame: pl.DataFrame, name: str, count: int, ours: float, ours_all: float) -> float:
    """How many times faster the checks alone are than a peer on ready dicts."""
    part = frame.head(count)
    columns = TextColumns(contract._types, TextForm(), contract._formatted)
    every = pl.int_range(part.height, eager=True)
    instances, making, _ = timed(lambda: columns.instances(columns.decode(part), part.columns, every))
    if name == "jsonschema":
        engine: Any = jsonschema.Draft202012Validator(
            CONTRACT, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
        )
    else:
        engine = jsonschema_rs.Draft202012Validator(CONTRACT, validate_formats=True)
    verdicts, cpu, _ = timed(lambda: [bool(list(engine.iter_errors(instance))) for instance in instances])
    same = sum(a == b for a, b in zip(verdicts, contract.of_text(part).bad, strict=True))
    ready, whole = part.height / cpu, part.height / (cpu + making)
    print(
        f"{name + ', all errors':34}{ready:14,.0f} rows/s CPU   ours {ours / ready:,.1f} times; with its dicts "
        f"{whole:,.0f} rows/s, ours from CSV {ours_all / whole:,.1f} times; same verdict {same:,} of {part.height:,}"
    )
    return round(ours / ready, 1)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
