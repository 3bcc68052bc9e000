"""Large new files: the digest is made while they are read, and stands in the ledger all the same."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator

import pytest

from segctl.connectors.files.digests import DigestBeside
from segctl.operations.ingest import inputs as ingest_inputs
from segctl.operations.ingest.pipeline import worked
from segctl.state.inputs import inputs

ORDERS = """
path: "*.csv"
key: {customer_id: kunde}
max_bad_rows: 100 %
events:
  - event: order_completed
    time: zeit
    id: nr
    properties: {value: wert, order_id: nr}
"""
ROWS = "kunde,zeit,wert,nr\n7,2026-01-01,1,a\n8,2026-01-02,x,b\n"


@pytest.fixture(autouse=True)
def every_file_is_large(monkeypatch) -> None:
    monkeypatch.setattr(ingest_inputs, "LATE_DIGEST_BYTES", 0)


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """Names of the files whose digest was made late."""
    found: list[str] = []
    begin = DigestBeside.__init__

    def begun(self: DigestBeside, path) -> None:
        found.append(path.name)
        begin(self, path)

    monkeypatch.setattr(DigestBeside, "__init__", begun)
    return found


def test_the_ledger_holds_the_digest_and_knows_the_bytes_again(shop, made: list[str]) -> None:
    shop.source("orders", ORDERS)
    shop.file("a.csv", ROWS)

    first = shop.ingest("orders")
    shop.file("b.csv", ROWS)
    again = shop.ingest("orders")

    with shop.workspace() as workspace:
        digests = [entry.digest for entry in inputs(workspace, "orders")]
    assert digests == [hashlib.sha256(ROWS.encode()).hexdigest()]
    assert (first.new, first.bad, again.read, again.skipped_files) == (1, 1, 0, 2)
    assert made == ["a.csv"], "a copy has the size of a known input, so its bytes are gone through first"


def test_the_quarantine_of_a_refused_file_gives_way_to_its_next_reading(shop) -> None:
    shop.source("orders", ORDERS.replace("100 %", "0"))
    shop.file("a.csv", ROWS)
    refused = shop.ingest("orders")
    (shop.root / "a.csv").rename(shop.root / "b.csv")

    again = shop.ingest("orders")

    assert (refused.error.code, again.error.code) == ("SEG312", "SEG312")
    assert shop.rows("quarantine/orders")["file"].to_list() == ["b.csv"]


def test_a_file_that_changes_while_its_digest_is_made_is_not_taken(shop, monkeypatch) -> None:
    shop.source("orders", ORDERS)
    path = shop.file("a.csv", ROWS)
    result = DigestBeside.result

    def changed(self: DigestBeside) -> str:
        found = result(self)
        path.write_text(ROWS + "9,2026-01-01,1,c\n")
        return found

    monkeypatch.setattr(DigestBeside, "result", changed)
    found = shop.ingest("orders")

    assert found.error.code == "SEG311"
    assert shop.rows("events").is_empty()


def test_work_comes_in_order_and_fails_at_its_place() -> None:
    closed = []

    def numbers() -> Generator[int, None, None]:
        try:
            yield from range(9)
        finally:
            closed.append(True)

    def slow(number: int) -> int:
        time.sleep(0.01 if number % 2 == 0 else 0)
        if number == 5:
            raise ValueError(number)
        return number * number

    taken: list[tuple[int, int]] = []
    with pytest.raises(ValueError, match="5"):
        taken.extend(worked(numbers(), slow))

    assert taken == [(number, number * number) for number in range(5)]
    assert closed == [True]
    assert [square for _, square in worked(numbers(), str)] == [str(number) for number in range(9)]
