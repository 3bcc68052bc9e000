"""Seconds that `report ab` takes beside one scan of the columns it needs.

    python tests/benchmarks/report.py PROJECT [--rounds 3]

PROJECT has the shop of `make_events.py` ingested (1M profiles, 50M events; see `product_project.py`); it stays as it
is.
An experiment with four arms and ten metrics, some with a covariate, is made beside it with everybody in it.
Limit: 1.5 times the scan and 2 s.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from segctl.operations.ab.ab import report_ab
from segctl.operations.experiment.frozen import definition_of, frozen_digest
from segctl.operations.session import Session, open_session
from segctl.state.assignments import record_assignments, schema
from segctl.state.experiments import Epoch, begin
from segctl.state.subjects import Subjects

NAME = "bench_test"
EXPERIMENT = f"""experiment: {NAME}
segment: bench_people
arms:
  control: {{weight: 1, send: nothing}}
  mail: {{weight: 1, cost: 0.02}}
  coupon: {{weight: 1, cost: 0.05}}
  letter: {{weight: 1, cost: 0.7}}
window: 90 days
metrics:
  bought: {{event: order_completed, role: primary}}
  revenue: {{event: order_completed, sum: {{of: value}}, money: true, before: 90 days, cap: 99.5}}
  orders: {{event: order_completed, count: {{}}, before: 90 days}}
  basket: {{ratio: {{event: order_completed, sum: {{of: value}}}}, over: {{event: order_completed, count: {{}}}}}}
  refunds: {{event: order_refunded, role: guardrail, better: lower, margin: 10 %}}
  carts: {{event: add_to_cart, count: {{}}}}
  views: {{event: product_view, count: {{}}}}
  days: {{event: product_view, days: {{}}}}
  mobile: {{event: product_view, where: {{device: mobile}}, count: {{}}}}
  until: {{event: order_completed, time: first}}
size: 1000
"""
SEGMENT = "segment: bench_people\nwhere: {event: page_view, count: {at_least: 1}}\n"
KINDS = ("add_to_cart", "order_completed", "order_refunded", "product_view")
COLUMNS = ("subject", "ts", "value:n2", "device:t")


def main() -> None:
    """Print the scan and the report, best of some rounds each, and what the limit is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.project.parent) as folder:
        root = Path(folder)
        _copied(asked.project, root)
        with open_session(root) as session:
            now = _planted(session)
            scans = [_timed(lambda: _scan(session)) for _ in range(asked.rounds)]
            reports = [_timed(lambda: report_ab(session, NAME, now=now, look=False)) for _ in range(asked.rounds)]
        scan, report = min(scans, key=lambda one: one[1]), min(reports, key=lambda one: one[1])
        limit = 1.5 * scan[1] + 2
        _say(f"{'':10} {'wall':>8} {'CPU':>8}")
        _say(f"{'scan':10} {scan[0]:7.2f}s {scan[1]:7.2f}s")
        _say(
            f"{'report':10} {report[0]:7.2f}s {report[1]:7.2f}s   limit {limit:.2f}s CPU, {1.5 * scan[0] + 2:.2f}s wall"
        )
        _say(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB at most")
        command = ("report", "ab", NAME, "--as-of", now.isoformat(), "--json")
        program = [sys.executable, "-c", "import sys; from segctl.cli.main import main; sys.exit(main())", *command]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        took = _timed(lambda: subprocess.run(program, cwd=root, check=True, stdout=subprocess.DEVNULL))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        _say(f"{'command':10} {took[0]:7.2f}s {cpu:7.2f}s   {after.ru_maxrss / 1e3:,.0f} MB")


def _copied(project: Path, root: Path) -> None:
    """The project with its files linked: they never change, and what is written goes into new ones."""

    def copy(source: str, target: str) -> None:
        if ".db" in Path(source).name:
            shutil.copy2(source, target)
        else:
            os.link(source, target)

    for name in ("segctl.yaml", "sources", "traits"):
        path = project / name
        if path.is_dir():
            shutil.copytree(path, root / name)
        else:
            shutil.copy2(path, root / name)
    shutil.copytree(project / ".segctl", root / ".segctl", copy_function=copy)
    for name, text in (("experiments/bench_test.yaml", EXPERIMENT), ("segments/bench_people.yaml", SEGMENT)):
        (root / name).parent.mkdir()
        (root / name).write_text(text)


def _planted(session: Session) -> datetime:
    """Everybody in one of four arms, exposed in five weekly pushes; the time when all windows are complete."""
    newest = max(file.meta["max_ts"] for file in session.workspace.files("events"))
    now = datetime.fromtimestamp(newest / 1e6, UTC)
    first = now - timedelta(days=120)
    people = Subjects(session.workspace).table().select("subject", "profile_id").collect()
    arms = ("control", "mail", "coupon", "letter")
    at = pl.lit(first).cast(pl.Datetime("us", "UTC")) + pl.duration(days=7 * (pl.col("subject") // 4 % 5))
    rows = people.with_columns(
        experiment=pl.lit(NAME), unit=pl.col("profile_id"), stratum=pl.lit(None, pl.String), epoch=pl.lit(1, pl.Int32),
        arm=(pl.col("subject") % 4).replace_strict(dict(enumerate(arms)), return_dtype=pl.String),
        assigned_at=at, exposed_at=at, push=pl.lit(None, pl.String),
    ).select(schema().keys())  # fmt: skip
    declared = session.definitions.experiments[NAME]
    definition = definition_of(declared)
    epoch = Epoch(1, first, {arm.name: arm.weight for arm in declared.arms})
    begin(session.workspace, NAME, definition=definition, digest=frozen_digest(definition), at=first, epoch=epoch)
    record_assignments(session.workspace, {NAME: rows})
    _say(f"{rows.height:,} units, {sum(file.rows for file in session.workspace.files('events')):,} events")
    return now


def _scan(session: Session) -> None:
    """Every needed column of every needed kind, read once."""
    for file in session.workspace.files("events"):
        if set(file.meta["kinds"]).isdisjoint(KINDS):
            continue
        columns = [name for name in COLUMNS if name in file.meta["columns"]]
        rows = pl.scan_parquet(file.path, glob=False, hive_partitioning=False)
        rows.select(pl.col(name).max() for name in columns).collect(engine="streaming")


def _timed(work: Callable[[], Any]) -> tuple[float, float]:
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - the report


if __name__ == "__main__":
    main()
