"""Singer taps: small ones of our own for every turn a tap can take, and real ones where they are installed."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from segctl.connectors.sources import singer
from segctl.connectors.sources.base import Around, Page, Start
from segctl.connectors.sources.singer import SingerConnector
from segctl.model.errors import DataError, SegctlError, TemporaryError, UsageError
from segctl.model.fetching_singer import SingerFetch
from segctl.model.secrets import Secret, forget

TAP = """
import json, sys
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
config = json.load(open(options["--config"]))
state = json.load(open(options["--state"])) if "--state" in options else {"n": 0}
def say(**message): print(json.dumps(message), flush=True)
if "--discover" in sys.argv:
    say(streams=[{"tap_stream_id": s, "stream": s, "schema": {}, "metadata": []} for s in ("users", "orders")])
    sys.exit()
catalog = json.load(open(options["--catalog"]))
print("hello, this is a log", file=sys.stderr)
for entry in catalog["streams"]:
    own = next(row for row in entry["metadata"] if not row["breadcrumb"])
    if not own["metadata"]["selected"]:
        continue
    say(type="SCHEMA", stream=entry["stream"], schema={}, key_properties=["id"])
    for n in range(state["n"], config["rows"]):
        say(type="RECORD", stream=entry["stream"], record={"id": n, "name": "Grün", "key": config.get("key")})
        if n % config.get("state_every", 3) == 0:
            say(type="STATE", value={"n": n + 1})
    say(type="STATE", value={"n": config["rows"]})
"""


@pytest.fixture(autouse=True)
def _nothing_masked() -> Iterator[None]:
    yield
    forget()


@pytest.fixture
def notes() -> list[str]:
    return []


def tap(root: Path, notes: list[str], text: str = TAP, *, stream: str = "users", **declared: Any) -> SingerConnector:
    (root / "tap.py").write_text(text, encoding="utf-8")
    config = json.dumps(declared.pop("config", {"rows": 10}))
    fetch = SingerFetch((sys.executable, "tap.py"), stream, config, **declared)
    return SingerConnector(fetch, Around("tap", root, datetime(2026, 11, 21, tzinfo=UTC), note=notes.append))


def ids(pages: list[Page]) -> list[int]:
    return [json.loads(line)["id"] for page in pages for line in page.lines.splitlines()]


def test_records_come_with_the_state_behind_them(tmp_path: Path, notes: list[str]) -> None:
    first = list(tap(tmp_path, notes).pages(Start()))
    assert ids(first) == list(range(10))
    assert (first[-1].position, first[-1].cursor) == (None, {"n": 10})
    more = list(tap(tmp_path, notes, config={"rows": 12}).pages(Start(cursor=first[-1].cursor)))
    assert ids(more) == [10, 11]


def test_an_interrupted_tap_goes_on_behind_its_last_state(
    tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singer, "PAGE_RECORDS", 4)
    whole = list(tap(tmp_path, notes).pages(Start()))
    assert [page.count for page in whole] == [4, 4, 2]
    for broken_after in range(2):
        head = whole[: broken_after + 1]
        tail = list(tap(tmp_path, notes).pages(Start(position=head[-1].position, cursor=head[-1].cursor)))
        assert set(ids(head + tail)) == set(range(10)), "nothing is lost; what comes twice counts once later"
        assert tail[-1].cursor == {"n": 10}


def test_states_before_records_are_no_promise_for_later_ones(
    tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singer, "PAGE_RECORDS", 4)
    pages = list(tap(tmp_path, notes, config={"rows": 10, "state_every": 100}).pages(Start()))
    assert pages[0].position == pages[1].position == {"singer": {"n": 1}}


def test_secrets_reach_the_tap_and_nothing_else(
    tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAP_KEY", "s3cr3t-key-55")
    declared = {"config": {"rows": 1, "key": None}, "secrets": (("key", Secret("env", ("TAP_KEY",))),)}
    page = next(iter(tap(tmp_path, notes, **declared).pages(Start())))
    assert json.loads(page.lines)["key"] == "s3cr3t-key-55", "the tap had it; the driver masks what it sends back"
    failing = "import sys, json; sys.exit('bad key ' + json.load(open(sys.argv[2]))['key'])"
    with pytest.raises(DataError) as caught:
        list(tap(tmp_path, notes, failing, **declared).pages(Start()))
    assert "bad key ***" in str(caught.value.why)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys; sys.exit(3)", "ended with 3"),
        ("print('not json')", "does not write Singer messages"),
        ("print('[1]')", "does not write Singer messages"),
        ("import json; print(json.dumps({'type': 'RECORD', 'stream': 'users'}))", "does not write Singer messages"),
        ("import json; print(json.dumps({'type': 'BATCH', 'stream': 'users'}))", "does not write Singer messages"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "was ended by signal 9"),
        ('import sys; sys.stdout.write(\'{"type": "REC\'); sys.exit(4)', "ended with 4"),
    ],
)
def test_a_tap_that_fails_says_why(tmp_path: Path, notes: list[str], text: str, words: str) -> None:
    begin = "import sys\nif '--discover' in sys.argv: sys.exit(1)\n"
    with pytest.raises(DataError) as caught:
        list(tap(tmp_path, notes, begin + text).pages(Start()))
    assert caught.value.code == "SEG389"
    assert words in caught.value.message


def test_a_tap_that_hangs_is_stopped_with_its_children(tmp_path: Path, notes: list[str]) -> None:
    text = (
        "import subprocess, sys, time\nif '--discover' in sys.argv: sys.exit(1)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "open('pid', 'w').write(str(child.pid))\ntime.sleep(600)\n"
    )
    with pytest.raises(TemporaryError, match="wrote nothing"):
        list(tap(tmp_path, notes, text, idle_s=1.0).pages(Start()))
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(child)


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_a_reader_that_stops_early_ends_the_tap(
    tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(singer, "PAGE_RECORDS", 2)
    pages = tap(tmp_path, notes, config={"rows": 1_000_000}).pages(Start())
    assert next(pages).count == 2
    begun = time.monotonic()
    pages.close()
    assert time.monotonic() - begun < 5


def test_an_unknown_stream_or_program_is_named(tmp_path: Path, notes: list[str]) -> None:
    with pytest.raises(UsageError, match="no stream `user`") as caught:
        list(tap(tmp_path, notes, stream="user").pages(Start()))
    assert "`users`" in str(caught.value.hint)
    around = Around("tap", tmp_path, datetime(2026, 11, 21, tzinfo=UTC))
    with pytest.raises(UsageError, match="cannot be run"):
        list(SingerConnector(SingerFetch(("tap-of-nobody",), "users"), around).pages(Start()))


def test_a_small_tap_without_discovery_works(tmp_path: Path, notes: list[str]) -> None:
    text = (
        "import sys, json\nif '--discover' in sys.argv: sys.exit(2)\n"
        "for stream in ('users', 'orders'):\n"
        "    print(json.dumps({'type': 'RECORD', 'stream': stream, 'record': {'id': 1, 'x': 12345678901234567890}}))\n"
        'print(\'{"type": "RECORD", "stream": "users", "record": {"id": 2, "x": 0.12345678901234567891}}\')'
    )
    pages = list(tap(tmp_path, notes, text).pages(Start()))
    assert [json.loads(line)["x"] for line in pages[0].lines.splitlines()] == [
        "12345678901234567890",
        "0.12345678901234567891",
    ]
    assert "orders" in notes[-1]


def test_since_is_refused(tmp_path: Path, notes: list[str]) -> None:
    with pytest.raises(SegctlError, match="knows no `--since`"):
        list(tap(tmp_path, notes).pages(Start(since="2026-01-01")))


def test_a_try_shows_records(tmp_path: Path, notes: list[str]) -> None:
    trial = tap(tmp_path, notes).check(2)
    assert [probe.status for probe in trial.probes] == ["ok", "ok", "ok"]
    assert [record["id"] for record in trial.records] == [0, 1]
    assert tap(tmp_path, notes, "import sys; sys.exit(1)").check(2).probes[0].status == "problem"


def program(name: str) -> str:
    """A tap on the path, or in the folder that SEGCTL_TAPS names."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("SEGCTL_TAPS", ""), os.environ["PATH"]]))
    if found is None:
        pytest.skip(
            f"{name} is not installed: `pip install {name}` into an environment, and SEGCTL_TAPS=its bin folder"
        )
    return found


def test_the_real_tap_of_json_lines(tmp_path: Path, notes: list[str]) -> None:
    rows = [{"id": n, "name": f"Käufer {n}"} for n in range(20)]
    file = tmp_path / "users.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    config = json.dumps({"path": str(file), "stream_name": "users", "primary_keys": ["id"]})
    around = Around("tap", tmp_path, datetime(2026, 11, 21, tzinfo=UTC), note=notes.append)
    source = SingerConnector(SingerFetch((program("tap-jsonl"),), "users", config), around)
    first = list(source.pages(Start()))
    assert sorted(ids(first)) == list(range(20))
    assert "users" in first[-1].cursor["bookmarks"]
    again = list(source.pages(Start(cursor=json.loads(json.dumps(first[-1].cursor)))))
    assert set(ids(again)) <= set(range(20)), "it takes its own state back"


def test_the_real_tap_of_postgres(
    server: str, tmp_path: Path, notes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sa.create_engine(server)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE IF EXISTS people")
        connection.exec_driver_sql(
            "CREATE TABLE people AS SELECT n AS id, 'Käufer ' || n AS name FROM generate_series(0, 9) n"
        )
    url = engine.url
    engine.dispose()
    monkeypatch.setenv("PG_PASSWORD_OF_TAP", str(url.password))
    config = {"host": url.host, "port": url.port, "user": url.username, "database": url.database, "password": None}
    secrets = (("password", Secret("env", ("PG_PASSWORD_OF_TAP",))),)
    fetch = SingerFetch((program("tap-postgres"),), "public-people", json.dumps(config), secrets)
    around = Around("tap", tmp_path, datetime(2026, 11, 21, tzinfo=UTC), note=notes.append)
    assert sorted(ids(list(SingerConnector(fetch, around).pages(Start())))) == list(range(10))


def test_a_number_beyond_all_decimals_is_handed_on_as_it_is_written() -> None:
    assert singer._number("1e9999999999999999999") == "1e9999999999999999999"
    assert singer._number("2.5") == 2.5
