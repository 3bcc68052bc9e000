"""Mapped copies of event files hold the same rows, and readers that use them give the same answers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segctl.engines.base import EngineInput, EventPart
from segctl.engines.frames import polars_of
from segctl.engines.hot_file import HotFile, TornFile
from segctl.engines.hot_reader import HotReader
from segctl.engines.hot_write import write_hot
from segctl.engines.polars_reader import PolarsReader
from segctl.engines.reading import Scan, Subjects
from segctl.model.types import Kind, ValueType

_AT = datetime(2026, 1, 1, tzinfo=UTC)
_TYPES: dict[str, Any] = {
    "number:i": pl.Int64,
    "real:n": pl.Float64,
    "flag:b": pl.Boolean,
    "day:d": pl.Date,
    "moment:z": pl.Datetime("us", "UTC"),
    "text:t": pl.String,
    "tags:l": pl.List(pl.String),
    "place:s": pl.Struct({"city": pl.String, "floor": pl.Int64}),
    "parts:l": pl.List(pl.Struct({"sku": pl.String, "tags": pl.List(pl.Int64)})),
}
_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_values: dict[str, st.SearchStrategy[Any]] = {
    "number:i": st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 300),
    "real:n": st.floats(),
    "flag:b": st.booleans(),
    "day:d": st.dates(),
    "moment:z": st.datetimes(timezones=st.just(UTC)),
    "text:t": _text,
    "tags:l": st.lists(st.none() | _text, max_size=3),
    "place:s": st.fixed_dictionaries({"city": st.none() | _text, "floor": st.none() | st.integers(-5, 5)}),
    "parts:l": st.lists(
        st.none() | st.fixed_dictionaries({"sku": st.none() | _text, "tags": st.just([1, None])}), max_size=2
    ),
}  # fmt: skip


@st.composite
def _event_rows(draw: st.DrawFn) -> pl.DataFrame:
    row = st.fixed_dictionaries(
        {
            "subject": st.integers(0, 6),
            "ts": st.integers(0, 3).map(lambda hours: _AT + timedelta(hours=hours)),
            "source": st.sampled_from(["app", "shop"]),
            "event_id": _text,
            **{name: st.none() | values for name, values in _values.items()},
        }
    )
    rows = draw(st.lists(row, max_size=12))
    keys: dict[str, Any] = {
        "subject": pl.Int32,
        "ts": pl.Datetime("us", "UTC"),
        "source": pl.String,
        "event_id": pl.String,
    }
    return pl.DataFrame(rows, schema={**keys, **_TYPES}).sort(*keys)


@settings(max_examples=40, deadline=None)
@given(_event_rows(), st.sets(st.integers(0, 8)), st.sampled_from([256, 1024]))
def test_the_rows_of_some_subjects_are_those_of_the_event_file(
    tmp_path_factory: pytest.TempPathFactory, rows: pl.DataFrame, asked: set[int], piece: int
) -> None:
    folder = tmp_path_factory.mktemp("hot")
    rows = pl.concat([rows] * 30).sort("subject", "ts", "source", "event_id") if piece == 256 else rows
    rows.write_parquet(folder / "events.parquet")

    write_hot(folder / "events.parquet", folder / "copy.hot", list(_TYPES), piece=piece)

    copy = HotFile(folder / "copy.hot")
    at, own = copy.rows_of(np.asarray(sorted(asked), np.int32))
    found = [pl.Series("subject", own), *(copy.series(name, at) for name in ("ts", "source", *_TYPES))]
    wanted = rows.filter(pl.col("subject").is_in(list(asked))).select("subject", "ts", "source", *_TYPES)
    assert pl.DataFrame(found).equals(wanted)
    assert pl.DataFrame(found).schema == wanted.schema


def test_texts_beyond_a_dictionary_are_kept(tmp_path: Path) -> None:
    texts = [None if n % 7 == 0 else f"é{n}" for n in range(70_000)]
    rows = pl.DataFrame({"subject": range(70_000), "text:t": texts}, schema_overrides={"subject": pl.Int32})
    rows = rows.with_columns(pl.lit(_AT).alias("ts"), pl.lit("app").alias("source"), pl.lit("x").alias("event_id"))
    rows.write_parquet(tmp_path / "events.parquet")

    write_hot(tmp_path / "events.parquet", tmp_path / "copy.hot", ["text:t"], piece=16_384)

    copy = HotFile(tmp_path / "copy.hot")
    asked = np.asarray([0, 1, 16_384, 69_999], np.int32)
    assert copy.series("text:t", copy.rows_of(asked)[0]).to_list() == [texts[n] for n in asked]


def test_a_copy_cut_anywhere_is_no_copy(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {"subject": [1], "ts": [_AT], "source": ["app"], "event_id": ["x"], "number:i": [date.max.year]}
    )
    rows.cast({"subject": pl.Int32}).write_parquet(tmp_path / "events.parquet")
    write_hot(tmp_path / "events.parquet", tmp_path / "copy.hot", ["number:i"])
    whole = (tmp_path / "copy.hot").read_bytes()

    for size in (*range(0, len(whole), 37), len(whole) - 1):
        (tmp_path / "cut.hot").write_bytes(whole[:size])
        with pytest.raises(TornFile):
            HotFile(tmp_path / "cut.hot")


def test_events_at_one_instant_stand_in_order_of_source_and_id_across_files(tmp_path: Path) -> None:
    ids = ["order-0001-b", "order-0001-a", "order-0001-c", "order-0001", "x", "order-0001-aa"]
    files = {"cart": ids[:2], "order": ids[2:4], "view": ids[4:]}
    parts = [_part(tmp_path, kind, sorted(of), subject=at % 2) for at, (kind, of) in enumerate(files.items())]
    types = (("number", ValueType(Kind.INTEGER)),)
    wish = Scan(("cart", "order", "view"), types, Subjects(0, 1, (0,)), None, 2**62, order=True, kind=True)
    data = EngineInput(pl.DataFrame(), tuple(parts), canonical=pl.Series([0, 0], dtype=pl.Int32))

    plain = polars_of(PolarsReader(data).scan(wish).frame).collect().sort("subject", "ts", "source", "event_id")
    quick = polars_of(HotReader(data).scan(wish).frame).collect()

    assert quick.select("kind", "number:i").rows() == plain.select("kind", "number:i").rows()
    assert quick.sort("source", "event_id").rows() == quick.rows()


def _part(folder: Path, kind: str, ids: list[str], *, subject: int) -> EventPart:
    rows = pl.DataFrame({
        "subject": pl.Series([subject] * len(ids), dtype=pl.Int32),
        "ts": pl.Series([_AT] * len(ids), dtype=pl.Datetime("us", "UTC")),
        "source": ["shop"] * len(ids),
        "event_id": ids,
        "number:i": [len(one) for one in ids],
    })  # fmt: skip
    path = folder / f"{kind}.parquet"
    rows.write_parquet(path)
    hot = folder / f"{kind}.hot"
    write_hot(path, hot, ["number:i"])
    return EventPart(str(path), len(ids), (kind,), tuple(rows.columns), is_sorted=True, hot=str(hot))


def test_a_small_file_of_one_kind_stands_beside_a_tail_of_several(tmp_path: Path) -> None:
    common = {"subject": [1, 3], "ts": [_AT, _AT + timedelta(hours=1)], "source": ["app"] * 2, "event_id": ["b", "a"]}
    types = {"subject": pl.Int32, "ts": pl.Datetime("us", "UTC")}
    alone = pl.DataFrame({**common, "number:i": [7, 8]}, schema_overrides=types)
    tail = pl.DataFrame({**common, "kind": ["login", "order"], "number:i": [9, 10]}, schema_overrides=types)
    parts = []
    for name, frame, kinds in (("tail", tail, ("login", "order")), ("alone", alone, ("order",))):
        frame.write_parquet(tmp_path / f"{name}.parquet")
        parts.append(EventPart(str(tmp_path / f"{name}.parquet"), 2, kinds, tuple(frame.columns)))
    people = pl.DataFrame({"subject": [1, 2, 3]}, schema={"subject": pl.Int32})
    data = EngineInput(people, tuple(parts))
    whole = ValueType(Kind.INTEGER)
    for kinds, named in product((("order",), ("login",), ("login", "order")), (False, True)):
        wish = Scan(kinds, (("number", whole),), Subjects(3, 3, (3,)), None, 2**62, order=True, kind=named)
        found = [polars_of(reader.scan(wish).frame).collect() for reader in (HotReader(data), PolarsReader(data))]
        quick, plain = (rows.drop("source", "event_id").sort("ts", "number:i") for rows in found)
        assert quick.equals(plain)
        assert quick["number:i"].to_list() == ([] if kinds == ("login",) else [8, 10])
