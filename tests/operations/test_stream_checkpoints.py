"""Checkpoints beside a stream: lines go on while files are written, and no change is lost, doubled or misplaced."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from operations.streaming import PROJECT, SEGMENTS, SOURCE, Shop, line, write_project
from operations.test_stream import Killed
from operations.test_stream_others import READERS, others_consent, others_ingest, with_consent

from segctl.connectors import key_index
from segctl.operations.evaluation import evaluate
from segctl.operations.session import open_session
from segctl.operations.stream import checkpoint as stream_checkpoint
from segctl.operations.stream.checkpoint import go_through
from segctl.operations.stream.intake import Intake
from segctl.operations.stream.merging import Merging, merge
from segctl.operations.stream.open import Wish
from segctl.operations.stream.storing import store
from segctl.operations.stream.stream import Stream
from segctl.state import compaction_tails, stream_log
from segctl.state.memberships import members
from segctl.state.runs import newest_number, runs

ASKED = {name: SEGMENTS[name] for name in ("viewers", "buyers")}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(write_project(tmp_path / "shop", ASKED))


@contextmanager
def held(patch: pytest.MonkeyPatch, owner: object, name: str) -> Iterator[None]:
    """Somebody cannot go on inside the block."""
    may, real = threading.Event(), getattr(owner, name)

    def waits(*given: object, **named: object) -> object:
        may.wait(10)
        return real(*given, **named)

    with patch.context() as here:
        here.setattr(owner, name, waits)
        try:
            yield
        finally:
            may.set()


def begun(shop: Shop, stream: Stream) -> None:
    """A checkpoint that has begun with two views of ann."""
    shop.at(10)
    shop.write(line(1, "ann", 5), line(2, "ann", 9))
    stream.turn()
    stream.state.checkpoint_at = -1e9
    stream.turn()


def test_lines_go_on_while_files_are_written(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.stream() as stream:
        workspace = stream.state.workspace
        with held(monkeypatch, Intake, "files"):
            begun(shop, stream)
            shop.write(line(3, "bob", 9), line(4, "bob", 10), line(2, "ann", 9))
            stream.turn()
            said = [change.profile for change in shop.heard.changes]
            waiting = stream_log.waiting_lines(workspace)
        go_through(stream.state)
        run, left = runs(workspace)[0], stream_log.waiting_lines(workspace)
        recorded = members(workspace, "viewers", run).len()
        by_snapshot = evaluate(stream.state.session, list(ASKED), as_of=run.as_of, snapshot=run.snapshot)
        held_back = [change.profile for change in stream_log.changes_after(workspace, 0, pending=True)]

    assert (said, waiting, left) == (["ann", "bob"], 5, 3)
    assert (recorded, by_snapshot.frame["viewers"].sum(), held_back) == (1, 1, ["bob"])
    assert stream.state.metrics.known == 1
    assert shop.heard.members() == shop.members() == {"viewers": {"ann", "bob"}}


def test_lines_go_on_while_the_run_is_recorded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.stream() as stream:
        before = newest_number(stream.state.workspace)
        with held(monkeypatch, stream_checkpoint, "record"):
            begun(shop, stream)
            while stream.state.storing is not None:
                stream.turn(0.01)
            shop.write(line(3, "bob", 9), line(4, "bob", 10))
            stream.turn()
            then = newest_number(stream.state.workspace)
        go_through(stream.state)
        pending = [change.profile for change in stream_log.changes_after(stream.state.workspace, 0, pending=True)]
        after = newest_number(stream.state.workspace)

    assert [change.profile for change in shop.heard.changes] == ["ann", "bob"]
    assert (then, after, pending) == (before, before + 1, ["bob"])
    assert shop.members() == {"viewers": {"ann", "bob"}}


@pytest.mark.parametrize("moment", ["files", "record"])
def test_killed_while_a_checkpoint_is_under_way_nothing_is_lost_or_doubled(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def dies(*given: object, **named: object) -> None:
        raise Killed

    with monkeypatch.context() as power, suppress(Killed), shop.stream() as stream:
        owner = Intake if moment == "files" else stream_checkpoint
        power.setattr(owner, moment, dies)
        begun(shop, stream)
        shop.write(line(3, "bob", 9), line(4, "bob", 10))
        while True:
            stream.turn(0.01)

    with shop.stream() as stream:
        stream.turn()
        rows = sum(file.rows for file in stream.state.workspace.files("events"))

    assert [change.seq for change in shop.heard.distinct] == [1, 2]
    assert (rows, shop.members()) == (4, {"viewers": {"ann", "bob"}})


def differing(stream: Stream, *names: str) -> dict[str, tuple[int, int]]:
    """How many the newest run holds, and how many its snapshot gives, of each segment where that is not the same."""
    workspace = stream.state.workspace
    run = runs(workspace)[0]
    found = evaluate(stream.state.session, names, as_of=run.as_of, snapshot=run.snapshot).frame
    both = {name: (members(workspace, name, run).len(), int(found[name].sum())) for name in names}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def test_what_others_do_while_files_are_written_is_in_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = with_consent(tmp_path / "shop")
    with shop.stream() as stream:
        begun(shop, stream)
        go_through(stream.state)
        others_consent(shop, "ann", "grant")
        for _ in range(2):
            stream.turn()
        stood = shop.heard.members()
        with held(monkeypatch, Intake, "files"):
            shop.write(line(3, "bob", 9))
            stream.state.checkpoint_at = -1e9
            stream.turn()
            others_consent(shop, "ann", "withdraw")
        go_through(stream.state)
        by_consent = differing(stream, *READERS)
        with held(monkeypatch, Intake, "files"):
            shop.write(line(4, "cid", 9))
            stream.state.checkpoint_at = -1e9
            stream.turn()
            others_ingest(shop, line(5, "bob", 9), line(6, "bob", 9.5))
            stream.state.looked_at = 0
            stream.turn()
            is_seen = stream.state.checkpoint is not None and stream.state.seen > stream.state.checkpoint.seen
        go_through(stream.state)
        by_events = differing(stream, *READERS)

    assert (stood, is_seen) == ({"viewers": {"ann"}, "readers": {"ann"}}, True)
    assert (by_consent, by_events) == ({}, {})
    assert shop.heard.members() == shop.members() == {"viewers": {"ann", "bob"}}


def test_a_correction_that_comes_meanwhile_is_of_the_next_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop.folder / "sources" / "web.yaml").write_text(SOURCE + "corrections: replace\n")
    with shop.stream() as stream:
        with held(monkeypatch, Intake, "files"):
            begun(shop, stream)
        shop.write(line(2, "ann", -500))
        stream.turn()
        go_through(stream.state)
        by_correction = differing(stream, *ASKED)

    assert by_correction == {}
    assert [change.entered for change in shop.heard.changes] == [True, False]
    assert shop.members() == {}


def test_files_without_events_leave_nothing_behind_in_memory(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        kept = []
        for one in (line(1, "ann", 5), b'{"broken', b'{"broken', line(2, "ann", 9), b'{"broken'):
            shop.write(one)
            stream.turn()
            store(stream.state)
            kept.append(len(stream.state.here._evaluator._events._stored))

    assert kept == [1, 1, 1, 2, 2]


def in_small_files(shop: Shop, stream: Stream) -> None:
    """Nine files, with one view of each of nine, and a checkpoint that sees how many they are."""
    shop.at(10)
    for number in range(9):
        shop.write(line(number, f"u{number}", 5))
        stream.turn()
        store(stream.state)
    stream.state.checkpoint_at = -1e9
    stream.turn()
    go_through(stream.state)


def test_small_files_are_merged_while_it_runs(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.stream() as stream:
        workspace = stream.state.workspace
        with monkeypatch.context() as here:
            here.setattr(Merging, "begin", lambda _, session: merge(session))
            in_small_files(shop, stream)
        merged = workspace.files("events")
        monkeypatch.setattr(Merging, "take", lambda *_: True)
        stream.turn()
        kept = stream.state.here.events_taken()
        shop.write(line(20, "u3", 7), line(21, "u4", 7, "order"))
        stream.turn()

    assert [(file.rows, file.meta["sorted"]) for file in merged] == [(9, True)]
    assert kept == {"view": 9}
    assert shop.heard.members() == shop.members() == {"viewers": {"u3"}}


@pytest.mark.slow
def test_small_files_are_merged_by_a_process_of_its_own(shop: Shop) -> None:
    with shop.stream() as stream:
        in_small_files(shop, stream)
        until = time.monotonic() + 60
        while len(stream.state.workspace.files("events")) > 1:
            assert time.monotonic() < until
            stream.turn(0.05)
        shop.write(line(20, "u3", 7))
        stream.turn()

    assert shop.heard.members() == shop.members() == {"viewers": {"u3"}}


@pytest.mark.parametrize(
    ("program", "said"), [(shutil.which("false"), "exit code 1"), ("/nowhere", "No such file or directory")]
)
def test_a_merging_that_fails_is_told_once_and_ends_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, program: str, said: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(compaction_tails, "are_many", lambda _: True)
    told, large = list[str](), cast("Any", ("x" * 1_000_000,))
    with open_session(shop.folder, create=True) as session:
        merging = Merging()
        for _ in range(2):
            # More than a pipe holds, which nobody reads.
            merging.begin(replace(session, warnings=large))
            while not merging.take(told.append) and said.startswith("exit"):
                time.sleep(0.001)

    assert told == [f"small files could not be merged and stay as they are: {said}"]


def test_keys_that_outgrow_memory_while_others_become_files_are_known_after_a_restart(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = [line(number, "bob", 5) for number in range(10, 20)]
    with shop.stream() as stream:
        with held(monkeypatch, Intake, "files"):
            begun(shop, stream)
            with monkeypatch.context() as narrow:
                narrow.setattr(key_index, "MEMORY_KEYS", 5)
                shop.write(*later)
                stream.turn()
        go_through(stream.state)

    with shop.stream() as stream:
        shop.write(line(1, "ann", 5), *later)
        stream.turn()
        store(stream.state)
        rows, known = sum(file.rows for file in stream.state.workspace.files("events")), stream.state.metrics.known

    assert (rows, known) == (12, 11)


CRM = "source: crm\nkind: file\npath: crm/*.ndjson\nkey: {customer_id: nr}\nprofiles: {tier: tier, town: town}\n"


@pytest.mark.parametrize("empty", ["", "empty: keep\n"])
def test_records_that_come_while_others_become_files_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty: str
) -> None:
    where = "where: {all: [{trait: tier, equals: gold}, {trait: town, equals: Bonn}]}"
    folder = write_project(tmp_path / "shop", {"gold": where})
    (folder / "segctl.yaml").write_text(PROJECT + "traits: {tier: text, town: text}\n")
    (folder / "sources" / "crm.yaml").write_text(CRM + empty)
    shop, keeps = Shop(folder), bool(empty)
    shop.habits = replace(shop.habits, patience_s=0)
    crm = Wish(place=str(folder / "crm.ndjson"))

    def come(*cards: dict[str, str]) -> None:
        with Path(crm.place).open("ab") as file:
            file.write(b"".join(json.dumps(card).encode() + b"\n" for card in cards))

    with shop.stream(crm, source="crm") as stream:
        come({"nr": "ann", "tier": "gold", "town": "Bonn"}, {"nr": "bob", "tier": "gold", "town": ""})
        with held(monkeypatch, Intake, "files"):
            stream.turn()
            come({"nr": "bob", "tier": "", "town": "Bonn"}, {"nr": "ann", "tier": "gold", "town": "Bonn"})
            stream.turn()
            before = shop.heard.members()
        while stream.state.storing is not None or stream.state.records_since is not None:
            stream.turn(0.01)
        then, known = shop.heard.members(), stream.state.metrics
        waiting = stream_log.waiting_lines(stream.state.workspace)

    assert before == {}
    assert then == shop.members() == {"gold": {"ann", "bob"} if keeps else {"ann"}}
    assert (known.lines, waiting) == (4, 0)


@pytest.mark.parametrize("is_recording", [True, False])
def test_when_everybody_is_asked_a_run_that_is_being_recorded_is_waited_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, *, is_recording: bool
) -> None:
    with shop.stream() as stream:
        workspace, before = stream.state.workspace, newest_number(stream.state.workspace)
        with held(monkeypatch, *((stream_checkpoint, "record") if is_recording else (Intake, "files"))):
            begun(shop, stream)
            while is_recording and stream.state.storing is not None:
                stream.turn(0.01)
        stream.state.checkpoint_at = -1e9
        stream_checkpoint.renew(stream.state)
        after = newest_number(workspace)

    # What everybody was just asked for is a run, so that the next checkpoint has time.
    assert stream.state.checkpoint_at > 0
    assert stream.state.checkpoint is None
    assert (after - before, shop.members()) == (2 if is_recording else 1, {"viewers": {"ann"}})
