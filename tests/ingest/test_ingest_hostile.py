"""Hostile and broken files: a finding, never a lost row, never a traceback."""

from __future__ import annotations

import gzip
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from segctl.model.errors import TemporaryError, UsageError
from segctl.model.exits import ExitCode
from segctl.operations.ingest.ingest import IngestResult
from segctl.operations.ingest.pipeline import ahead
from segctl.operations.ingest.propose import propose
from segctl.operations.ingest.save import save_proposal
from segctl.operations.quarantine.quarantine import bad_rows, summaries
from segctl.state.integrity import lost_files
from segctl.state.workspace import Workspace

ORDERS = """
path: [orders*]
key: {customer_id: kunde}
max_bad_rows: 100 %
events:
  - event: order_completed
    time: zeit
    id: nr
    properties: {value: wert}
"""
HEADER = "kunde,zeit,wert,nr\n"


def test_ragged_lines_nul_bytes_and_open_quotes_are_findings_with_their_line(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file(
        "orders.csv", HEADER + '1,2026-01-01,1,a\n1,2026\n1,2026-01-01,1\x00,b\n1,2026-01-01,1,c\n1,"2026-01-01,1,d\n'
    )

    found = shop.ingest("orders")

    rows = shop.rows("quarantine/orders").sort("line")
    assert found.new == 2
    assert found.new + found.bad == found.read
    assert {3, 4, 6} <= set(rows["line"].to_list())


def test_a_number_beyond_all_decimals_is_one_bad_row(shop) -> None:
    shop.source("orders", ORDERS)
    wert = ["1.5", "1e9999999999999999999", "2"]
    row = '{{"kunde": "1", "zeit": "2026-01-01T10:00:00Z", "wert": {}, "nr": "o{}"}}\n'
    shop.file("orders.ndjson", "".join(row.format(one, number) for number, one in enumerate(wert)))

    found = shop.ingest("orders")

    assert (found.new, found.bad) == (2, 1)
    assert shop.rows("quarantine/orders")["line"].to_list() == [2]


def test_a_truncated_gzip_keeps_what_was_whole_and_says_so(shop) -> None:
    rng = random.Random(1)
    lines = "".join(f"{rng.random()},2026-01-01,1,{i}\n" for i in range(5000))
    whole = gzip.compress((HEADER + lines).encode())
    shop.source("orders", ORDERS)
    shop.file("orders.csv.gz", whole[: len(whole) // 2])

    found = shop.ingest("orders")

    assert found.bad >= 1
    assert 0 < found.new < 5000
    assert found.new + found.bad == found.read
    assert [text.partition(":")[0] for text in found.broken] == ["orders.csv.gz"]
    assert "breaks off" in found.broken[0]


def test_an_incomplete_file_is_never_a_success_however_few_rows_are_bad(shop) -> None:
    lines = "".join(f"c{i},2026-01-01,1,{i}\n" for i in range(5000))
    shop.source("orders", ORDERS)
    shop.file("orders.csv.gz", gzip.compress((HEADER + lines).encode())[:-8])

    found = shop.ingest("orders")

    assert found.error is None
    assert found.bad == 1
    assert IngestResult((found,)).exit is ExitCode.DATA


def test_a_whole_file_with_bad_rows_within_the_limit_is_a_success(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "c1,2026-01-01,1,1\nc2,2026-01-01\n")

    found = shop.ingest("orders")

    assert found.bad == 1
    assert IngestResult((found,)).exit is ExitCode.OK


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(gzip.compress(b""), id="gzip of nothing"),
        pytest.param(gzip.compress(HEADER.encode())[:10], id="gzip cut before its content"),
    ],
)
def test_a_file_without_columns_is_called_empty(shop, content: bytes) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", content)

    found = shop.ingest("orders")

    assert found.error is not None
    assert "empty" in found.error.message


@pytest.mark.parametrize("content", ["", HEADER, "\n\n\n", "\ufeff" + HEADER])
def test_files_without_rows_are_no_error_or_a_clear_one(shop, content: str) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", content)

    found = shop.ingest("orders")

    assert found.new == 0
    assert found.error is None or found.error.code.startswith("SEG3")


def test_a_file_that_is_missing_is_named(shop) -> None:
    shop.source("orders", ORDERS)

    found = shop.ingest("orders")

    assert found.error is not None
    assert int(found.error.exit_code) == 2
    assert "orders*" in found.error.message


def test_quarantine_can_be_looked_at(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "1,2026-01-01,viel,a\n1,2026-01-01,mehr,b\n1,nie,1,c\n")
    shop.ingest("orders")

    with shop.workspace() as workspace:
        (summary,) = summaries(workspace)
        rows = bad_rows(workspace, "orders")
        with pytest.raises(UsageError, match="not a source"):
            bad_rows(workspace, "order", known=["orders"])

    assert (summary.source, summary.rows, summary.files) == ("orders", 3, 1)
    assert "wert" in summary.most_frequent
    assert [row["line"] for row in rows] == [2, 3, 4]
    assert "viel" in rows[0]["reasons"]


def test_a_second_ingest_of_the_same_source_is_told_to_come_back(shop) -> None:
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "1,2026-01-01,1,a\n")

    with shop.workspace() as workspace, workspace.lock("ingest/orders"):
        found = shop.ingest("orders")

    assert isinstance(found.error, TemporaryError)


def test_a_proposal_is_saved_and_read(shop) -> None:
    from segctl.compile.project import load_project

    shop.file(
        "kunden.csv",
        "Kundennr;Name;Geboren;Umsatz;PLZ;Aktiv\n007;Jürgen;01.02.1980;1.234,50;01067;ja\n008;Eva;03.04.1990;2,00;10115;nein\n",
    )
    project, _ = load_project(shop.root)

    proposal = propose(project, "kunden.csv", "profiles")
    said, is_complete = save_proposal(project, proposal)

    assert proposal.traits == {"name": "text", "geboren": "date", "umsatz": "money", "plz": "text", "aktiv": "boolean"}
    assert is_complete, said
    assert shop.ingest("kunden").new == 2
    rows = shop.rows("records/kunden").sort("who")
    assert rows.select("who", "geboren:d", "umsatz:n2", "plz:t", "aktiv:b").row(0) == (
        "007",
        datetime(1980, 2, 1, tzinfo=UTC).date(),
        123450,
        "01067",
        True,
    )
    with pytest.raises(UsageError, match="there already"):
        save_proposal(project, proposal)


def test_a_proposal_finds_the_time_even_in_epochs(shop) -> None:
    from segctl.compile.project import load_project

    shop.file("clicks.csv", "user_id,event_id,ts,section\n7,a,1700000000,home\n8,b,1700000001,cart\n")
    project, _ = load_project(shop.root)

    proposal = propose(project, "clicks.csv", "page_viewed")

    assert proposal.declarations == ""
    assert proposal.source is not None
    assert proposal.source.events[0].time.rule.format == "epoch_s"
    assert proposal.source.key[0][0] == "customer_id"
    with pytest.raises(UsageError, match="names no column"):
        propose(project, "clicks.csv", "page_viewed", key=("customer_id=usr",))
    with pytest.raises(UsageError, match="no column"):
        propose(project, "clicks.csv", "page_viewed", time="when")


def test_reading_ahead_keeps_order_and_hands_errors_on() -> None:
    def broken():
        yield from range(3)
        raise ValueError("halt")

    assert list(ahead(iter(range(100)))) == list(range(100))
    with pytest.raises(ValueError, match="halt"):
        list(ahead(broken()))
    items = ahead(iter(range(10**9)))
    assert next(items) == 0
    items.close()


_CHILD = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from segctl.compile.project import load_project
from segctl.compile.sources import load_sources
from segctl.operations.ingest.ingest import ingest
from segctl.state.workspace import Workspace
project, _ = load_project(Path(sys.argv[1]))
sources, _ = load_sources(project)
with Workspace.open(Path(project.workspace), create=True) as workspace:
    print("ready", flush=True)
    found = ingest(project, workspace, [sources["orders"]], now=datetime.now(UTC), batch_rows=2000)
    print("done", found.sources[0].new, flush=True)
"""


def _killed(shop, rounds: int, seed: int) -> None:
    rows = 60_000
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "".join(f"{i % 5000},2026-01-01,{i},{i}\n" for i in range(rows)))
    shop.rows("events")  # the workspace is there, so that only ingest is hit
    rng = random.Random(seed)
    for _ in range(rounds):
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(shop.root)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        time.sleep(rng.uniform(0, 0.8))
        child.send_signal(signal.SIGKILL)
        output = child.communicate()[0]
        have = shop.rows("events").height
        assert have in ({rows} if "done" in output else {0, rows})
    shop.ingest("orders")
    events = shop.rows("events")
    assert events.height == rows
    assert events["event_id"].n_unique() == rows
    assert events["value:n2"].sum() == sum(range(rows)) * 100
    assert events["subject"].n_unique() == 5000


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_ingest_leaves_all_or_nothing_and_a_rerun_completes_it(shop) -> None:
    _killed(shop, rounds=3, seed=7)


@pytest.mark.crash
def test_many_killed_ingests_leave_all_or_nothing(shop) -> None:
    _killed(shop, rounds=60, seed=11)


def test_the_shared_data_gives_the_known_sums(shared: Path, shop) -> None:
    file = shared / "datasets" / "online_retail" / "online_retail.parquet"
    shop.source(
        "lines",
        f"""
path: {file}
key: {{customer_id: CustomerID}}
events:
  - event: order_completed
    time: {{column: InvoiceDate, zone: Europe/London}}
    properties: {{order_id: InvoiceNo, value: {{formula: "Quantity * UnitPrice", round: true}}}}
""",
    )

    found = shop.ingest("lines")

    clean = shop.rows("events").filter(~pl.col("order_id:t").str.starts_with("C"), pl.col("value:n2") > 0)
    assert (found.read, found.unclaimed, found.new) == (541_909, 135_080, 406_829)
    assert clean["who"].n_unique() == 4338
    assert clean["order_id:t"].n_unique() == 18532


def test_landed_bytes_are_kept_whole_and_not_longer_than_declared(shop) -> None:
    shop.source("orders", ORDERS)
    first = HEADER + "1,2026-01-01,1,ä\n"
    shop.file("orders.csv", first)
    shop.ingest("orders")
    kept = shop.rows("landed/orders").sort("offset")
    assert b"".join(kept["bytes"].to_list()) == first.encode()

    shop.calls += 24 * 40
    shop.file("orders.csv", first + "1,2026-01-01,1,b\n")
    shop.ingest("orders")

    assert (
        b"".join(shop.rows("landed/orders").sort("offset")["bytes"].to_list())
        == (first + "1,2026-01-01,1,b\n").encode()
    )


def test_landed_bytes_of_a_source_at_rest_go_with_the_ingest_of_any_other(shop) -> None:
    shop.source("orders", ORDERS)
    shop.source("others", ORDERS.replace("orders", "others"))
    shop.file("orders.csv", HEADER + "1,2026-01-01,1,a\n")
    shop.file("others.csv", HEADER + "1,2026-01-01,1,b\n")
    shop.ingest("orders")
    places = list((shop.root / ".segctl/dev/files/landed").rglob("*.parquet"))
    shop.calls += 24 * 29
    shop.ingest("others")
    assert [path.exists() for path in places] == [True]

    shop.calls += 24 * 2
    shop.ingest("others")

    assert shop.rows("landed/orders").is_empty()
    assert [path.exists() for path in places] == [False]
    assert shop.rows("landed/others").height == 1


def test_nothing_lands_when_the_project_keeps_nothing(shop) -> None:
    project = shop.root / "segctl.yaml"
    project.write_text(project.read_text() + "keep_landed: 0 days\n")
    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "1,2026-01-01,1,a\n")

    assert shop.ingest("orders").new == 1
    assert shop.rows("landed/orders").is_empty()


def test_a_refused_source_leaves_no_files_behind(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segctl.operations.ingest.events.FILE_ROWS", 1)
    shop.source("orders", ORDERS.replace("100 %", "0"))
    shop.file("orders.csv", HEADER + "1,2026-01-01,1,a\n2,2026-01-01,1,c\n1,nie,1,b\n")

    shop.ingest("orders", batch_rows=1)

    folder = shop.root / ".segctl" / "dev" / "files"
    names = {path.relative_to(folder).parts[0] for path in folder.rglob("*") if path.is_file()}
    assert names == {"quarantine", "subjects"}


def test_a_dry_run_that_is_refused_leaves_no_rows_behind(shop) -> None:
    shop.source("orders", ORDERS.replace("100 %", "0"))
    shop.file("orders.csv", HEADER + "1,2026-01-01,1,a\n1,nie,1,b\n")
    shop.workspace().close()

    assert shop.ingest("orders", dry_run=True).error is not None

    assert [path for path in (shop.root / ".segctl" / "dev").glob("files/**/*") if path.is_file()] == []


def test_a_signal_that_arrives_during_the_commit_takes_no_committed_file(shop, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = Workspace.commit

    def interrupted(workspace: Workspace, kind: str, *args: Any, **options: Any) -> int:
        number = commit(workspace, kind, *args, **options)
        if kind == "ingest":
            raise KeyboardInterrupt
        return number

    shop.source("orders", ORDERS)
    shop.file("orders.csv", HEADER + "1,2026-01-01,1,a\n2,2026-01-01,1,c\n1,nie,1,b\n")
    monkeypatch.setattr(Workspace, "commit", interrupted)

    with pytest.raises(KeyboardInterrupt):
        shop.ingest("orders")

    assert shop.rows("events").height == 2
    with shop.workspace() as workspace:
        assert lost_files(workspace)[1] == []


def test_bytes_of_a_parquet_file_that_are_no_text_are_set_aside(shop) -> None:
    frame = pl.DataFrame(
        {
            "kunde": pl.Series([b"c1", b"c2", b"c3"], dtype=pl.Binary),
            "zeit": ["2026-01-01"] * 3,
            "nr": ["a", "b", "c"],
            "wert": [1.0, 2.0, float("inf")],
            "gutschein": pl.Series([b"ok", b"\xff\xfe", None], dtype=pl.Binary),
            "bilder": pl.Series([[b"\x89PNG"]] * 3, dtype=pl.List(pl.Binary)),
        }
    )
    shop.source("orders", ORDERS.replace("properties: {", "properties: {coupon: gutschein, "))
    frame.write_parquet(shop.root / "orders.parquet")

    found = shop.ingest("orders")

    assert found.new + found.bad == 3
    assert shop.rows("events")["who"].to_list() == ["c1"]
    assert 2 in shop.rows("quarantine/orders")["line"].to_list()
