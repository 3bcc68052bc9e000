"""One run of the load by one peer: `apply_peers.py PEER DATA FILES OUT` writes a Parquet of ids per segment."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from apply_segments import AS_OF, SEGMENTS, All, M, No, R, S, Some, T, Top

# --- DuckDB by hand: one SQL statement a segment over the delivered files ------------------------------------------
NOW = f"TIMESTAMPTZ '{AS_OF:%Y-%m-%d %H:%M:%S}+00'"


def literal(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, tuple):
        return "(" + ", ".join(map(literal, value)) + ")"
    return f"'{value}'" if isinstance(value, str) else f"DATE '{value}'"


class Sql:
    """One segment as one statement."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.metrics: dict[str, tuple[str, M]] = {}
        self.ctes: list[str] = []
        self.joins: list[str] = []

    def metric(self, m: M) -> str:
        key = repr((m.kind, m.fn, m.days, m.of, m.where))
        name, _ = self.metrics.setdefault(key, (f"m{len(self.metrics)}", m))
        return f"coalesce({name}, 0)" if m.fn in ("count", "sum", "distinct", "days") else name

    def condition(self, node: object) -> str:
        match node:
            case All(items):
                return "(" + " AND ".join(self.condition(i) for i in items) + ")"
            case Some(items, n) if n > 1:
                return "(" + " + ".join(f"(coalesce({self.condition(i)}, false))::int" for i in items) + f" >= {n})"
            case Some(items):
                return "(" + " OR ".join(self.condition(i) for i in items) + ")"
            case No(item):
                return f"(NOT {self.condition(item)})"
            case R(name):
                return self.condition(SEGMENTS[name][0])
            case T(trait, op, value):
                return f"{trait} {op} {literal(value)}"
            case M(fn="first" | "last"):
                return f"{self.metric(node)} >= {NOW} - INTERVAL {node.than} DAY"
            case M():
                limit = node.than
                if node.of == "value":
                    limit = (int(str(limit)) - 0.5) / 100 if node.op in (">=", "<") else 0
                return f"{self.metric(node)} {node.op} {literal(limit)}"
            case S():
                return self.sequence(node)
        raise TypeError(node)

    def sequence(self, s: S) -> str:
        name = f"s{len(self.joins)}"
        tie = f" AND a.{s.same} = b.{s.same}" if s.same else ""
        only = f" AND {s.where[0]} = {literal(s.where[1])}" if s.where else ""
        column = f", {s.same}" if s.same else ""
        self.ctes.append(
            f"{name} AS (SELECT DISTINCT a.profile_id, true AS {name} FROM "
            f"(SELECT profile_id, ts{column} FROM {self.source} WHERE event = '{s.a}' AND profile_id IS NOT NULL "
            f"AND ts > {NOW} - INTERVAL {s.days} DAY AND ts <= {NOW} - INTERVAL {s.hours} HOUR{only}) a "
            f"ASOF LEFT JOIN (SELECT profile_id, ts{column} FROM {self.source} WHERE event = '{s.b}' "
            f"AND profile_id IS NOT NULL AND ts > {NOW} - INTERVAL {s.days} DAY AND ts <= {NOW}) b "
            f"ON a.profile_id = b.profile_id{tie} AND a.ts <= b.ts "
            f"WHERE b.ts IS NULL OR b.ts > a.ts + INTERVAL {s.hours} HOUR)"
        )
        self.joins.append(name)
        return f"coalesce({name}, false)"

    def aggregate(self, name: str, m: M) -> str:
        tests = [f"event = '{m.kind}'"] if len({x.kind for _, x in self.metrics.values()}) > 1 else []
        tests += [f"ts > {NOW} - INTERVAL {m.days} DAY"] if m.days else []
        tests += [f"{m.where[0]} = {literal(m.where[1])}"] if m.where else []
        test = " AND ".join(tests) or "true"
        day = "(ts AT TIME ZONE 'Europe/Berlin')::date"
        value = {"count": "1", "first": "ts", "last": "ts", "days": day}.get(m.fn, m.of)
        case = f"CASE WHEN {test} THEN {value} END"
        function = {"count": f"count({case})", "distinct": f"count(DISTINCT {case})", "days": f"count(DISTINCT {case})",
                    "first": f"min({case})", "last": f"max({case})", "average": f"avg({case})",
                    "last_value": f"arg_max_null({m.of}, CASE WHEN {test} THEN ts END)"}  # fmt: skip
        return f"{function.get(m.fn, f'{m.fn}({case})')} AS {name}"

    def statement(self, condition: object, keep: Top | None) -> str:
        where = self.condition(condition)
        by = self.metric(keep.by) if keep else ""
        joins = ""
        if self.metrics:
            columns = ", ".join(self.aggregate(name, m) for name, m in self.metrics.values())
            kinds = ", ".join(sorted({f"'{m.kind}'" for _, m in self.metrics.values()}))
            widest = [m.days for _, m in self.metrics.values()]
            since = "" if None in widest else f" AND ts > {NOW} - INTERVAL {max(d for d in widest if d)} DAY"
            self.ctes.append(
                f"e AS (SELECT profile_id, {columns} FROM {self.source} WHERE event IN ({kinds}) "
                f"AND profile_id IS NOT NULL AND ts <= {NOW}{since} GROUP BY profile_id)"
            )
            joins += " LEFT JOIN e USING (profile_id)"
        joins += "".join(f" LEFT JOIN {name} USING (profile_id)" for name in self.joins)
        ctes = f"WITH {', '.join(self.ctes)} " if self.ctes else ""
        if keep is None:
            return f"{ctes}SELECT profile_id FROM profiles{joins} WHERE {where}"
        partition = f"PARTITION BY {keep.per} " if keep.per else ""
        ranked = (
            f"SELECT profile_id, row_number() OVER ({partition}ORDER BY round({by} * 100) DESC, profile_id::varchar) "
            f"AS r, count(*) OVER ({partition.strip()}) AS n FROM profiles{joins} WHERE {where}"
        )
        return f"{ctes}SELECT profile_id FROM ({ranked}) WHERE r <= greatest(1, ceil(n * {keep.percent} / 100))"


def run_duckdb(data: Path, files: Path, out: Path) -> None:
    import duckdb

    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"CREATE VIEW profiles AS SELECT * FROM read_parquet('{data}/profiles/*.parquet')")
    source = f"read_parquet('{data}/events/**/*.parquet', hive_partitioning = false)"
    for name, (condition, keep) in SEGMENTS.items():
        con.execute(f"COPY ({Sql(source).statement(condition, keep)}) TO '{out}/{name}.parquet' (FORMAT parquet)")


# --- Polars by hand: one lazy query a segment over the delivered files ----------------------------------------------
class Lazy:
    """One segment as one lazy query."""

    def __init__(self, data: Path) -> None:
        import polars as pl

        self.pl = pl
        self.events = pl.scan_parquet(data / "events/**/*.parquet", hive_partitioning=False).filter(
            pl.col("profile_id").is_not_null()
        )
        self.profiles = pl.scan_parquet(data / "profiles/*.parquet")
        self.metrics: dict[str, tuple[str, M]] = {}
        self.sequences: list[Any] = []

    def metric(self, m: M) -> Any:
        key = repr((m.kind, m.fn, m.days, m.of, m.where))
        name, _ = self.metrics.setdefault(key, (f"m{len(self.metrics)}", m))
        column = self.pl.col(name)
        return column.fill_null(0) if m.fn in ("count", "sum", "distinct", "days") else column

    def condition(self, node: object) -> Any:
        pl = self.pl
        match node:
            case All(items):
                return pl.all_horizontal(*[self.condition(i) for i in items])
            case Some(items, n) if n > 1:
                return pl.sum_horizontal(*[self.condition(i).cast(pl.Int32) for i in items]) >= n
            case Some(items):
                return pl.any_horizontal(*[self.condition(i) for i in items])
            case No(item):
                return ~self.condition(item)
            case R(name):
                return self.condition(SEGMENTS[name][0])
            case T(trait, op, value):
                return compared(pl.col(trait), op, value)
            case M(fn="first" | "last"):
                return self.metric(node) >= AS_OF - timedelta(days=int(str(node.than)))
            case M():
                limit = node.than
                if node.of == "value":
                    limit = (int(str(limit)) - 0.5) / 100 if node.op in (">=", "<") else 0
                return compared(self.metric(node), node.op, limit)
            case S():
                return self.sequence(node)
        raise TypeError(node)

    def sequence(self, s: S) -> Any:
        pl = self.pl
        since = AS_OF - timedelta(days=s.days)
        columns = ["profile_id", "ts"] + ([s.same] if s.same else [])
        base = self.events.filter((pl.col("ts") > since) & (pl.col("ts") <= AS_OF))
        first = base.filter((pl.col("event") == s.a) & (pl.col("ts") <= AS_OF - timedelta(hours=s.hours)))
        if s.where:
            first = first.filter(pl.col(s.where[0]) == s.where[1])
        then = base.filter(pl.col("event") == s.b).select(*columns, pl.col("ts").alias("next")).sort("ts")
        by = ["profile_id"] + ([s.same] if s.same else [])
        joined = first.select(columns).sort("ts").join_asof(
            then, left_on="ts", right_on="next", by=by, strategy="forward", check_sortedness=False
        )  # fmt: skip
        open_ = pl.col("next").is_null() | (pl.col("next") > pl.col("ts") + timedelta(hours=s.hours))
        name = f"s{len(self.sequences)}"
        self.sequences.append(joined.filter(open_).select("profile_id").unique().with_columns(pl.lit(True).alias(name)))
        return pl.col(name).fill_null(value=False)

    def aggregate(self, name: str, m: M) -> Any:
        pl = self.pl
        test = pl.col("event") == m.kind
        if m.days:
            test &= pl.col("ts") > AS_OF - timedelta(days=m.days)
        if m.where:
            test &= pl.col(m.where[0]) == m.where[1]
        value = pl.col(m.of or "ts").filter(test)
        day = pl.col("ts").dt.convert_time_zone("Europe/Berlin").dt.date().filter(test).n_unique()
        found = {"count": lambda: value.len(), "sum": lambda: value.sum(), "average": lambda: value.mean(),
                 "min": lambda: value.min(), "max": lambda: value.max(), "first": lambda: value.min(),
                 "last": lambda: value.max(), "distinct": lambda: value.drop_nulls().n_unique(), "days": lambda: day,
                 "last_value": lambda: value.sort_by(pl.col("ts").filter(test)).last()}[m.fn]  # fmt: skip
        return found().alias(name)

    def query(self, condition: object, keep: Top | None) -> Any:
        pl = self.pl
        where = self.condition(condition)
        by = self.metric(keep.by) if keep else None
        frame = self.profiles
        if self.metrics:
            kinds = sorted({m.kind for _, m in self.metrics.values()})
            rows = self.events.filter(pl.col("event").is_in(kinds) & (pl.col("ts") <= AS_OF))
            widest = [m.days for _, m in self.metrics.values()]
            if None not in widest:
                rows = rows.filter(pl.col("ts") > AS_OF - timedelta(days=max(d for d in widest if d)))
            grouped = rows.group_by("profile_id").agg(*[self.aggregate(n, m) for n, m in self.metrics.values()])
            frame = frame.join(grouped, on="profile_id", how="left")
        for sequence in self.sequences:
            frame = frame.join(sequence, on="profile_id", how="left")
        found = frame.filter(where)
        if keep is None:
            return found.select("profile_id")
        rank = (by * 100).round() if keep.by.fn == "sum" else by
        found = found.with_columns(rank.alias("rank"), pl.col("profile_id").cast(pl.String).alias("id"))
        found = found.sort("rank", "id", descending=[True, False])
        n, place = pl.len(), pl.int_range(pl.len())
        if keep.per:
            n, place = n.over(keep.per), place.over(keep.per)
        return found.filter(place < (n * keep.percent / 100).ceil().clip(1)).select("profile_id")


def compared(left: Any, op: str, right: Any) -> Any:
    if op == "in":
        return left.is_in(list(right))
    return {">=": left.__ge__, "<": left.__lt__, "=": left.__eq__}[op](right)


def run_polars(data: Path, files: Path, out: Path) -> None:
    for name, (condition, keep) in SEGMENTS.items():
        Lazy(data).query(condition, keep).collect().write_parquet(out / f"{name}.parquet")


# --- segctl ---------------------------------------------------------------------------------------------------------
def run_segctl(data: Path, files: Path, out: Path, engine: str = "polars") -> None:
    import polars as pl
    from apply_ir import lowered

    from segctl.compile.plan import plan
    from segctl.engines.base import EngineInput, EventPart
    from segctl.engines.profiles import RecordFile, profile_view

    parts = tuple(
        EventPart(
            p["path"], p["rows"], tuple(p["kinds"]), tuple(p["columns"]), is_sorted=True,
            min_ts=datetime.fromisoformat(p["min_ts"]), max_ts=datetime.fromisoformat(p["max_ts"]),
            max_abs=p["max_abs"],
        )
        for p in json.loads((files / "meta.json").read_text())
    )  # fmt: skip
    asked = plan(lowered())
    from apply_ir import TRAITS

    record = RecordFile(
        str(files / "records.parquet"), "crm", 1, tuple(pl.read_parquet_schema(files / "records.parquet"))
    )
    traits = {name: TRAITS[name] for name in asked.traits}
    subjects = pl.read_parquet(files / "subjects.parquet")
    profiles = profile_view([record], subjects, None, as_of=AS_OF, traits=traits, population=["known"], events=parts)
    if engine == "duckdb":
        from segctl.engines.duckdb_engine import DuckDBEngine as Engine
    else:
        from segctl.engines.polars_engine import PolarsEngine as Engine
    answers = Engine().evaluate(asked, EngineInput(profiles, parts), as_of=AS_OF, zone="Europe/Berlin").answers
    for name in SEGMENTS:
        found = answers.filter(pl.col(f"segment:{name}")).select(
            (pl.col("subject").cast(pl.Int64) + 1).alias("profile_id")
        )
        found.write_parquet(out / f"{name}.parquet")


if __name__ == "__main__":
    peer, *folders = sys.argv[1:]
    {"duckdb": run_duckdb, "polars": run_polars, "segctl": run_segctl}[peer](*map(Path, folders))
