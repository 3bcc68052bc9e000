"""The best we could write by hand in DuckDB: all fifty segments in one statement over the workspace's own files.

    python apply_best.py WORK OUT      writes OUT/members.parquet: subject and one Boolean column per segment
    python apply_best.py scan DATA     only reads the needed columns of the delivered files, with Polars

One pass over each event kind with a CASE per metric, as-of joins for the sequences, windows for `keep`.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path

from apply_peers import NOW, Sql, literal
from apply_segments import SEGMENTS, M, R, S, T, Top

COLUMNS = {"value": '"value:n2"', "category": '"category:t"', "device": '"device:t"',
           "product_id": '"product_id:i"', "quantity": '"quantity:i"'}  # fmt: skip
CODES = {"birth_date": "d", "newsletter_optin": "b"}
NEEDED = ["profile_id", "event", "ts", "value", "category", "device", "product_id", "quantity"]


class Best(Sql):
    """All segments as one statement; metrics are shared and grouped by kind."""

    def __init__(self, sources: dict[str, str]) -> None:
        super().__init__("")
        self.sources = sources

    def condition(self, node: object) -> str:
        match node:
            case R(name):
                return name
            case T(trait, op, value):
                return f'"{trait}:{CODES.get(trait, "t")}" {op} {literal(value)}'
            case M(fn="average", of="value"):
                return f"{self.metric(node)} {node.op} {node.than}"
            case M() if node.of == "value":
                return f"{self.metric(node)} {node.op} {literal(node.than)}"
        return super().condition(node)

    def sequence(self, s: S) -> str:
        name = f"s{len(self.joins)}"
        same = COLUMNS[s.same] if s.same else ""
        tie = f" AND a.{same} = b.{same}" if same else ""
        only = f" AND {COLUMNS[s.where[0]]} = {literal(s.where[1])}" if s.where else ""
        column = f", {same}" if same else ""
        self.ctes.append(
            f"{name} AS (SELECT DISTINCT a.subject, true AS {name} FROM "
            f"(SELECT subject, ts{column} FROM {self.sources[s.a]} WHERE ts > {NOW} - INTERVAL {s.days} DAY "
            f"AND ts <= {NOW} - INTERVAL {s.hours} HOUR{only}) a "
            f"ASOF LEFT JOIN (SELECT subject, ts{column} FROM {self.sources[s.b]} "
            f"WHERE ts > {NOW} - INTERVAL {s.days} DAY AND ts <= {NOW}) b "
            f"ON a.subject = b.subject{tie} AND a.ts <= b.ts "
            f"WHERE b.ts IS NULL OR b.ts > a.ts + INTERVAL {s.hours} HOUR)"
        )
        self.joins.append(name)
        return f"coalesce({name}, false)"

    def script(self, records: str) -> str:
        """The statement."""
        asked = {name: self.condition(condition) for name, (condition, _) in SEGMENTS.items()}
        ranks = {name: self.metric(top.by) for name, (_, top) in SEGMENTS.items() if top is not None}
        by_kind: dict[str, list[tuple[str, M]]] = defaultdict(list)
        for name, m in self.metrics.values():
            by_kind[m.kind].append((name, m))
        kinds = []
        for kind, metrics in by_kind.items():
            widest = [m.days for _, m in metrics]
            since = "" if None in widest else f" AND ts > {NOW} - INTERVAL {max(d for d in widest if d)} DAY"
            columns = ", ".join(self.aggregate(name, _stored(m)) for name, m in metrics)
            columns = columns.replace(f"event = '{kind}'", "true")
            rows = f"{self.sources[kind]} WHERE ts <= {NOW}{since}"
            kinds.append(f"e_{kind} AS (SELECT subject, {columns} FROM {rows} GROUP BY subject)")
        joins = "".join(f" LEFT JOIN e_{kind} USING (subject)" for kind in by_kind)
        joins += "".join(f" LEFT JOIN {name} USING (subject)" for name in self.joins)
        tests = ", ".join(f"coalesce({test}, false) AS {name}" for name, test in asked.items())
        values = "".join(f", {value} AS rank_{name}" for name, value in ranks.items())
        kept = ", ".join(_kept(name, top) if top else name for name, (_, top) in SEGMENTS.items())
        ctes = ", ".join([*self.ctes, *kinds])
        inner = f'SELECT subject, "country:t" AS country, {tests}{values} FROM {records}{joins}'
        return f"WITH {ctes}, found AS ({inner}) SELECT subject, {kept} FROM found"


def _stored(m: M) -> M:
    where = (COLUMNS[m.where[0]], m.where[1]) if m.where else None
    return M(m.kind, m.fn, m.days, m.op, m.than, COLUMNS.get(m.of or "", m.of), where)


def _kept(name: str, top: Top) -> str:
    group = f"{name}, {top.per}" if top.per else name
    order = f"ORDER BY rank_{name} DESC, (subject + 1)::varchar"
    limit = f"greatest(1, ceil(count(*) OVER (PARTITION BY {group}) * {top.percent} / 100))"
    has_group = f" AND {top.per} IS NOT NULL" if top.per else ""
    return f"{name}{has_group} AND row_number() OVER (PARTITION BY {group} {order}) <= {limit} AS {name}"


def run(work: Path, out: Path) -> None:
    """Evaluate over the newest files of a compacted workspace."""
    import json
    import sqlite3

    import duckdb

    db = sqlite3.connect(work / ".segctl" / "dev" / "state.db")
    folder = work / ".segctl" / "dev"
    files: dict[str, list[str]] = defaultdict(list)
    records = []
    for dataset, path, meta in db.execute("SELECT dataset, path, meta FROM files WHERE removed IS NULL"):
        if dataset == "events":
            (kind,) = json.loads(meta)["kinds"]
            files[kind].append(str(folder / path))
        elif dataset.startswith("records/"):
            records.append(str(folder / path))
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    sources = {kind: f"read_parquet({paths}, union_by_name = true)" for kind, paths in files.items()}
    statement = Best(sources).script(f"read_parquet({records})")
    con.execute(f"COPY ({statement}) TO '{out}/members.parquet' (FORMAT parquet)")


def scan(data: Path) -> None:
    """Only read."""
    import polars as pl

    pl.scan_parquet(data / "events/**/*.parquet", hive_partitioning=False).select(NEEDED).collect()


if __name__ == "__main__":
    if sys.argv[1] == "scan":
        scan(Path(sys.argv[2]))
    else:
        run(Path(sys.argv[1]), Path(sys.argv[2]))
