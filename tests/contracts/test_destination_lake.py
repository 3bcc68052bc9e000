"""A lakehouse: the suite on a Delta table and on Parquet folders, which other readers find as they should be."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import polars as pl
import pytest
from destination_suite import ROWS, DestinationSuite, World, batch, finished

from segctl.connectors.destinations.base import BatchRefusedError, NotNowError
from segctl.connectors.destinations.lake import Lake
from segctl.model.destinations import Destination
from segctl.model.errors import UsageError

deltalake = pytest.importorskip("deltalake")
TYPED = replace(
    ROWS[0],
    fields={
        "whole": 7, "real": 2.5, "exact": Decimal("19.99"), "yes": True, "day": date(2026, 2, 28), "none": None,
        "at": datetime(2026, 11, 22, 5, 30, tzinfo=UTC), "text": "ä\u20ac",
    },
)  # fmt: skip
FIELDS = tuple((name, name) for name in TYPED.fields)


class LakeSuite(DestinationSuite):
    kind: ClassVar[str] = "lake"
    format: ClassVar[str] = "delta"

    def options(self) -> dict[str, Any]:
        return {"path": "lake/members", "format": self.format}

    def was_told(self) -> int:
        return len(list(self.world.root.rglob("*")))


class TestDelta(LakeSuite):
    def people(self, audience: str) -> set[str]:
        frame = pl.read_delta(str(self.world.root / "lake" / "members"))
        return set(frame.filter(pl.col("segment") == audience)["email"])


class TestParquetFolders(LakeSuite):
    format: ClassVar[str] = "parquet"

    def people(self, audience: str) -> set[str]:
        duckdb = pytest.importorskip("duckdb")
        pattern = f"{self.world.root}/lake/members/*/*.parquet"
        found = duckdb.sql(
            f"SELECT email FROM read_parquet('{pattern}', hive_partitioning = true) WHERE segment = '{audience}'"
        )
        return {email for (email,) in found.fetchall()}


def lake(folder: Path, **options: Any) -> Lake:
    """The destination `lake`."""
    declared = Destination("lake", "lake", identify=(("email", "email"),), fields=FIELDS,
                           options={"path": "members", **options})  # fmt: skip
    return Lake(declared, World(folder).around())


@pytest.mark.parametrize("form", ["delta", "parquet"])
def test_values_keep_their_types(tmp_path: Path, form: str) -> None:
    members = lake(tmp_path, format=form)
    finished(members, batch((TYPED,), audience="winback"))
    finished(members, batch((replace(TYPED, key="z" * 32),), audience="Rück 1/2", id="b2"))

    [row] = members._members("winback").drop("segment", strict=False).to_dicts()

    assert row["exact"] == Decimal("19.990000000")
    assert {name: row[name] for name in TYPED.fields if name != "exact"} == {
        name: value for name, value in TYPED.fields.items() if name != "exact"
    }
    assert row["entered_at"] == datetime(2026, 11, 22, 6, tzinfo=UTC)
    assert row["push"] == "push-1"
    assert sorted((one.id, one.size) for one in members.audiences()) == [("Rück 1/2", 1), ("winback", 1)]


@pytest.mark.parametrize("form", ["delta", "parquet"])
def test_the_first_entry_is_remembered(tmp_path: Path, form: str) -> None:
    members = lake(tmp_path, format=form)
    finished(members, batch((TYPED,), audience="winback"))
    later = replace(batch((TYPED,), audience="winback", id="b2"), at=datetime(2026, 12, 1, tzinfo=UTC))

    finished(members, later)

    [row] = members._members("winback").to_dicts()
    assert (row["entered_at"].day, row["updated_at"].month) == (22, 12)


@pytest.mark.parametrize("form", ["delta", "parquet"])
def test_a_value_that_does_not_fit_refuses_its_batch(tmp_path: Path, form: str) -> None:
    members = lake(tmp_path, format=form)
    finished(members, batch((TYPED,), audience="winback"))
    bad = replace(TYPED, key="y" * 32, fields={**TYPED.fields, "whole": "Anna Muster"})

    with pytest.raises(BatchRefusedError) as caught:
        finished(members, batch((bad,), audience="winback", id="b2"))

    assert "Anna" not in caught.value.reason
    assert len(list(members.members("winback"))) == 1


def test_a_batch_is_one_commit(tmp_path: Path) -> None:
    members = lake(tmp_path)
    finished(members, batch(ROWS, audience="winback"))
    before = deltalake.DeltaTable(str(tmp_path / "members")).version()

    finished(members, batch(ROWS, "remove", audience="winback", id="b2"))

    assert deltalake.DeltaTable(str(tmp_path / "members")).version() == before + 1
    assert list(members.members("winback")) == []


def test_a_table_that_lacks_a_column_is_told_of(tmp_path: Path) -> None:
    finished(lake(tmp_path), batch((TYPED,), audience="winback"))
    declared = replace(lake(tmp_path).destination, fields=(*FIELDS, ("city", "city")))

    with pytest.raises(UsageError) as caught:
        finished(Lake(declared, World(tmp_path).around()), batch((TYPED,), audience="winback"))

    assert caught.value.code == "SEG906"
    assert "`city`" in caught.value.message


def test_a_storage_that_is_not_there_has_taken_nothing(tmp_path: Path) -> None:
    (tmp_path / "members").mkdir()
    (tmp_path / "members" / "_delta_log").mkdir()
    (tmp_path / "members" / "_delta_log" / "00000000000000000000.json").write_text("nonsense", "utf-8")

    with pytest.raises(NotNowError):
        finished(lake(tmp_path), batch(ROWS, audience="winback"))


def test_a_missing_package_is_named_whatever_is_asked_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = lake(tmp_path)
    monkeypatch.setitem(sys.modules, "deltalake", None)
    asked_for = (
        lambda: table.audience("winback", "winback"),
        lambda: table.send(batch(ROWS, audience="winback")),
        lambda: list(table.members("winback")),
        lambda: list(table.audiences()),
    )

    for ask in asked_for:
        with pytest.raises(UsageError) as caught:
            ask()
        assert caught.value.code == "SEG907"
        assert "segctl[lake]" in str(caught.value.hint)
