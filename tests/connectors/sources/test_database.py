"""Rows of PostgreSQL and SQLite: values, cursors, interruptions, and words about what is wrong."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from segctl.connectors.sources.base import Around, Page, PositionLostError, Start
from segctl.connectors.sources.database import DatabaseConnector
from segctl.connectors.sources.database_values import as_json, kept, restored
from segctl.model.errors import SegctlError, TemporaryError, UsageError
from segctl.model.fetching_database import DatabaseFetch
from segctl.model.secrets import Secret, forget

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _nothing_masked() -> Iterator[None]:
    yield
    forget()


def connector(root: Path, **declared: Any) -> DatabaseConnector:
    return DatabaseConnector(DatabaseFetch(**declared), Around("pos", root, NOW, zone="Europe/Berlin"))


def rows_of(pages: list[Page]) -> list[dict[str, Any]]:
    return [json.loads(line) for page in pages for line in page.lines.splitlines()]


def filled(path: Path, rows: int = 25) -> Path:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE sales (id INTEGER, name TEXT, changed INTEGER)")
        db.executemany("INSERT INTO sales VALUES (?, ?, ?)", [(n, f"Käufer {n}", n // 4) for n in range(rows)])
    return path


def test_all_rows_come_in_batches(tmp_path: Path) -> None:
    filled(tmp_path / "pos.db")
    pages = list(connector(tmp_path, url="sqlite:///pos.db", table="sales", batch=10).pages(Start()))
    assert [page.count for page in pages] == [10, 10, 5]
    assert [row["id"] for row in rows_of(pages)] == list(range(25))
    assert rows_of(pages)[3]["name"] == "Käufer 3"


def test_a_later_fetch_asks_for_what_is_new_and_for_ties(tmp_path: Path) -> None:
    path = filled(tmp_path / "pos.db")
    source = connector(tmp_path, url="sqlite:///pos.db", table="sales", cursor="changed")
    cursor = list(source.pages(Start()))[-1].cursor
    with sqlite3.connect(path) as db:
        db.executemany("INSERT INTO sales VALUES (?, 'x', ?)", [(100, 6), (101, 7), (102, None)])
    found = {row["id"] for row in rows_of(list(source.pages(Start(cursor=json.loads(json.dumps(cursor))))))}
    assert found == {24, 100, 101, 102}, "a tie of the last value, a greater one, and one without value"


def test_an_interrupted_fetch_goes_on_at_its_position(tmp_path: Path) -> None:
    filled(tmp_path / "pos.db")
    source = connector(tmp_path, url="sqlite:///pos.db", table="sales", cursor="changed", batch=6)
    for broken_after in range(4):
        whole = list(source.pages(Start()))
        head = whole[: broken_after + 1]
        tail = list(source.pages(Start(position=head[-1].position, cursor=head[-1].cursor)))
        assert {row["id"] for row in rows_of(head + tail)} == set(range(25))
        assert tail[-1].cursor == whole[-1].cursor


def test_without_a_cursor_an_interrupted_fetch_begins_again(tmp_path: Path) -> None:
    filled(tmp_path / "pos.db")
    with pytest.raises(PositionLostError):
        next(connector(tmp_path, url="sqlite:///pos.db", table="sales").pages(Start(position=["x"])))


def test_a_sqlite_file_is_neither_made_nor_changed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no database file"):
        list(connector(tmp_path, url="sqlite:///pos.db", table="sales").pages(Start()))
    assert not (tmp_path / "pos.db").exists()
    filled(tmp_path / "pos.db")
    with pytest.raises(SegctlError):
        list(connector(tmp_path, url="sqlite:///pos.db", query="DELETE FROM sales RETURNING *").pages(Start()))
    assert len(rows_of(list(connector(tmp_path, url="sqlite:///pos.db", table="sales").pages(Start())))) == 25


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"table": "salse"}, "no such table"),
        ({"table": "sales", "cursor": "chnged"}, "no such column|no column `chnged`"),
        ({"query": "SELECT * FORM sales"}, "syntax error"),
    ],
)
def test_what_the_database_does_not_take_is_said_in_its_words(tmp_path: Path, declared: Any, words: str) -> None:
    filled(tmp_path / "pos.db")
    with pytest.raises(SegctlError) as caught:
        list(connector(tmp_path, url="sqlite:///pos.db", **declared).pages(Start()))
    assert caught.value.code == "SEG387"
    # Trying again would help nobody.
    assert isinstance(caught.value, UsageError)
    assert re.search(words, f"{caught.value.message} {caught.value.why}")


def test_since_is_read_as_the_column_is(tmp_path: Path) -> None:
    filled(tmp_path / "pos.db")
    source = connector(tmp_path, url="sqlite:///pos.db", table="sales", cursor="changed")
    assert {row["id"] for row in rows_of(list(source.pages(Start(since="6"))))} == {24}
    with pytest.raises(UsageError, match="whole numbers"):
        list(source.pages(Start(since="yesterday")))


def test_postgres_gives_every_value_without_loss(server: str, tmp_path: Path) -> None:
    run(server, "CREATE SCHEMA IF NOT EXISTS shop", "DROP TABLE IF EXISTS shop.all_kinds")
    run(
        server,
        """CREATE TABLE shop.all_kinds AS SELECT 12345678901234567890.123456789::numeric AS amount,
        9007199254740993::bigint AS long, true AS yes, NULL::text AS nothing, 'Müller 👍🏽 "x"'::text AS name,
        '2026-03-29 02:30:00+02'::timestamptz AS at, '2026-03-29 02:30:00'::timestamp AS local,
        '2024-02-29'::date AS day, ARRAY['a', NULL, 'ü'] AS list, '{"a": {"b": [1, 2.5]}}'::jsonb AS tree,
        'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS id, '\\xff00'::bytea AS raw, 'NaN'::float8 AS no_number""",
    )
    row = rows_of(list(connector(tmp_path, url=server, table="shop.all_kinds").pages(Start())))[0]
    assert row["amount"] == "12345678901234567890.123456789"
    assert row["long"] == "9007199254740993"
    assert (row["yes"], row["nothing"], row["name"]) == (True, None, 'Müller 👍🏽 "x"')
    assert datetime.fromisoformat(row["at"]) == datetime(2026, 3, 29, 0, 30, tzinfo=UTC)
    assert (row["local"], row["day"]) == ("2026-03-29T02:30:00", "2024-02-29")
    assert (row["list"], row["tree"]) == (["a", None, "ü"], {"a": {"b": [1, 2.5]}})
    assert (row["id"], row["raw"], row["no_number"]) == ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "ff00", "nan")


def test_postgres_by_time_with_late_transactions(server: str, tmp_path: Path) -> None:
    run(server, "DROP TABLE IF EXISTS sales", "CREATE TABLE sales (id int, changed timestamptz)")
    run(
        server,
        "INSERT INTO sales SELECT n, '2026-11-01Z'::timestamptz + n * interval '1 s' FROM generate_series(1, 100) n",
    )
    source = connector(tmp_path, url=server, table="sales", cursor="changed", overlap_s=10.0, batch=30)
    cursor = list(source.pages(Start()))[-1].cursor
    run(server, "INSERT INTO sales VALUES (999, '2026-11-01 00:01:35Z'), (1000, '2999-01-01Z')")
    assert {r["id"] for r in rows_of(list(source.pages(Start(cursor=cursor))))} == {*range(90, 101), 999, 1000}
    ahead = list(source.pages(Start(cursor=cursor)))[-1].cursor
    assert restored(ahead) == NOW, "a row dated far ahead does not end all further news"
    since = rows_of(list(source.pages(Start(since="2026-11-01T00:01:40Z"))))
    assert {row["id"] for row in since} == {100, 1000}


def test_a_query_may_hold_casts_colons_and_percent_signs(server: str, tmp_path: Path) -> None:
    query = "SELECT '12:30'::text AS clock, '50 %' AS share, n FROM generate_series(1, 3) AS n WHERE 'a:b' LIKE 'a%'"
    rows = rows_of(list(connector(tmp_path, url=server, query=query).pages(Start())))
    assert [row["n"] for row in rows] == [1, 2, 3]
    assert (rows[0]["clock"], rows[0]["share"]) == ("12:30", "50 %")


def test_two_columns_of_one_name_are_refused(server: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="two columns are called `id`"):
        list(connector(tmp_path, url=server, query="SELECT 1 AS id, 2 AS id").pages(Start()))


def test_a_refused_query_is_told_once(server: str, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from segctl.connectors.sources.base import Around, Start;"
        "from segctl.connectors.sources.database import DatabaseConnector;"
        "from segctl.model.fetching_database import DatabaseFetch; from segctl.model.errors import SegctlError\n"
        "from datetime import datetime, UTC\n"
        "found = DatabaseConnector(DatabaseFetch(url=sys.argv[1], table='absent'), Around('pos', Path('.'), "
        "datetime.now(UTC)))\n"
        "try: list(found.pages(Start()))\n"
        "except SegctlError as error: print(error.code)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, server], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert (done.stdout, done.stderr) == ("SEG387\n", "")


def test_a_wrong_password_is_said_and_never_shown(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POS_PASSWORD", "ganz-falsch-91")
    url = sa.make_url(server).set(password=None).render_as_string()
    source = connector(tmp_path, url=url, password=Secret("env", ("POS_PASSWORD",)), table="sales")
    with pytest.raises(UsageError, match="refuses who asks") as caught:
        list(source.pages(Start()))
    assert "password" in str(caught.value.why)
    trial = source.check(3)
    assert trial.probes[0].status == "problem"
    for text in (repr(trial), f"{caught.value.message} {caught.value.why} {caught.value.hint}"):
        assert "ganz-falsch-91" not in text


def test_a_database_that_is_not_there_is_no_reason_to_try_again(server: str, tmp_path: Path) -> None:
    url = sa.make_url(server).set(database="shpo").render_as_string(hide_password=False)
    with pytest.raises(UsageError, match="refuses who asks") as caught:
        list(connector(tmp_path, url=url, table="sales").pages(Start()))
    assert caught.value.why == 'database "shpo" does not exist'


def test_the_servers_own_hint_is_told(server: str, tmp_path: Path) -> None:
    run(server, "CREATE TABLE hinted (updated_at INTEGER)")
    with pytest.raises(UsageError) as caught:
        list(connector(tmp_path, url=server, query="SELECT hinted.updated_t FROM hinted").pages(Start()))
    assert 'Perhaps you meant to reference the column "hinted.updated_at"' in str(caught.value.why)


def test_nobody_answers(tmp_path: Path) -> None:
    with pytest.raises(TemporaryError, match="cannot be reached"):
        list(connector(tmp_path, url="postgresql://x@127.0.0.1:1/x", table="t", timeout_s=1.0).pages(Start()))


def test_a_missing_driver_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="driver for `oracle\\+cx_oracle`"):
        list(connector(tmp_path, url="oracle+cx_oracle://x@h/x", table="t").pages(Start()))


def test_a_try_shows_some_rows_and_the_cursor(tmp_path: Path) -> None:
    filled(tmp_path / "pos.db")
    trial = connector(tmp_path, url="sqlite:///pos.db", table="sales", cursor="changed").check(2)
    assert [probe.status for probe in trial.probes] == ["ok", "ok", "ok"]
    assert [record["id"] for record in trial.records] == [0, 1]
    none = connector(tmp_path, url="sqlite:///pos.db", table="sales").check(2)
    assert none.probes[-1].status == "note"


@pytest.mark.parametrize(
    "value",
    [
        7,
        Decimal("1.50"),
        "Zürich",
        date(2026, 3, 29),
        datetime.fromisoformat("2026-03-29 02:30"),
        NOW + timedelta(hours=1),
    ],
)
def test_a_cursor_keeps_value_and_type(value: Any) -> None:
    assert restored(json.loads(json.dumps(kept(value)))) == value


def test_values_beyond_json_are_texts() -> None:
    assert as_json(2**53) == 2**53
    assert as_json(2**53 + 1) == str(2**53 + 1)
    assert as_json({"a": (Decimal("NaN"), b"\xc3\xbc")}) == {"a": ["NaN", "ü"]}


def test_exact_numbers_are_numbers_where_json_has_the_same() -> None:
    found = [as_json(Decimal(text)) for text in ("0.10", "-19.90", "1E+3", "7", "10.00")]
    assert json.dumps(found) == "[0.1, -19.9, 1000, 7, 10]"
    assert as_json(Decimal("12345678901234567.89")) == "12345678901234567.89"
    assert as_json(Decimal(2**53 + 1)) == str(2**53 + 1)


def test_place_changes_with_what_is_asked_for() -> None:
    fetch = DatabaseFetch(url="sqlite:///a.db", table="t")
    assert fetch.place != replace(fetch, table="u").place
    assert fetch.place == replace(fetch, batch=5, password=Secret("env", ("X",))).place


def run(url: str, *statements: str) -> None:
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()
