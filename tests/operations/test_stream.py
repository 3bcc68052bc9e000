"""Segments continuously: the end of a streamed day is what batch says of it, and no change is lost or doubled."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from operations.streaming import MORNING, SEGMENTS, SOURCE, Shop, by_batch, line, write_project

from segctl.model.errors import TemporaryError, UsageError
from segctl.operations.causes.words import kind_of
from segctl.operations.dedupe.dedupe import dedupe
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.pauses import press
from segctl.operations.session import open_session
from segctl.operations.stream import checkpoint as stream_checkpoint
from segctl.operations.stream import state as stream_state
from segctl.operations.stream.checkpoint import checkpoint
from segctl.operations.stream.open import Wish
from segctl.operations.stream.stream import Stream
from segctl.operations.stream.world import World
from segctl.state import stream_log, stream_requests
from segctl.state.inputs import inputs
from segctl.state.memberships import intervals
from segctl.state.runs import run_segments, runs

VIEWERS = {"viewers": SEGMENTS["viewers"]}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(write_project(tmp_path / "shop", VIEWERS))


def said(shop: Shop) -> list[tuple[str, str, str]]:
    return [
        (c.segment, c.profile, "entered" if c.entered else f"left ({kind_of(c.cause)})") for c in shop.heard.distinct
    ]


def test_an_event_lets_a_profile_enter_at_once_and_time_lets_it_leave_on_the_second(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "ann", 9))
        stream.turn()
        shop.at(64.99)
        stream.turn()
        before = said(shop)
        shop.at(65.5)
        stream.turn()

    assert before == [("viewers", "ann", "entered")]
    assert said(shop)[1:] == [("viewers", "ann", "left (time_passed)")]
    entered, left = shop.heard.distinct
    assert entered.cause == "event view 2026-11-20T08:09:00Z (web #e2)"
    assert entered.event_time == micros(9)
    assert micros(65) <= left.effective <= micros(65) + 1_000_000


def test_a_change_names_an_event_that_the_segment_reads(tmp_path: Path) -> None:
    segments = {
        "viewers": SEGMENTS["viewers"],
        "around": "where: {segment: viewers}",
        "spenders": "where: {trait: spend, at_least: 20 EUR}",
        "new": "where: {not: {event: order, count: {at_least: 1}}}",
    }
    shop = Shop(write_project(tmp_path / "shop", segments))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "ann", 7), line(3, "ann", 8), line(4, "ann", 9, "order"))
        shop.write(line(5, "bob", 9), line(6, "cid", 9))
        stream.turn()
    said = {(c.segment, c.profile): (c.cause.partition(" 2026")[0], c.event_time) for c in shop.heard.distinct}

    assert said["around", "ann"] == said["viewers", "ann"]
    assert said["viewers", "ann"][0] == "event view"
    assert said["spenders", "ann"] == ("event order", micros(9))
    assert said["new", "bob"] == ("profile new", micros(9))
    with open_session(shop.folder) as session:
        kept = {(s.segment, s.entered_cause) for s in intervals(session.workspace, range(3))}
    assert not {cause for segment, cause in kept if segment in ("viewers", "around") and "order" in cause}


def test_of_several_events_a_change_names_the_one_that_decided(tmp_path: Path) -> None:
    segments = {"viewers": SEGMENTS["viewers"], "buyers": SEGMENTS["buyers"]}
    shop = Shop(write_project(tmp_path / "shop", segments))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(*(line(n, "ann", n) for n in range(1, 9)))
        shop.write(*(line(f"o{n}", "ann", n + 0.5, "order", "10" if n == 0 else "30") for n in range(4)))
        shop.write(line(11, "bob", 5), line(12, "bob", 6))
        stream.turn()
    said = {(c.segment, c.profile): c.cause for c in shop.heard.distinct}

    assert said["viewers", "ann"] == "event view 2026-11-20T08:02:00Z (web #e2)"
    assert said["buyers", "ann"] == "event order 2026-11-20T08:02:30Z (web #eo2)"
    assert said["viewers", "bob"] == "event view 2026-11-20T08:06:00Z (web #e12)"


def test_the_members_at_the_start_are_no_changes_but_what_moved_while_nobody_streamed_is(shop: Shop) -> None:
    shop.at(10)
    with shop.stream() as stream:
        shop.write(line(1, "ann", 5), line(2, "ann", 9))
        stream.turn()
    shop.heard.changes.clear()
    shop.at(120)

    with shop.stream():
        pass

    assert said(shop) == [("viewers", "ann", "left (time_passed)")]


def test_time_that_was_missed_is_gone_through_in_order(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(*(line(n, who, minute) for n, (who, minute) in enumerate([("ann", 1), ("ann", 3), ("ann", 8)])))
        shop.write(line(8, "bob", 5), line(9, "bob", 5))
        stream.turn()
        asked: list[int] = []
        ask = World.ask
        monkeypatch.setattr(
            World, "ask", lambda world, who, at, **how: (asked.append(at), ask(world, who, at, **how))[1]
        )
        shop.at(80)
        stream.turn()

    assert said(shop)[2:] == [("viewers", "ann", "left (time_passed)"), ("viewers", "bob", "left (time_passed)")]
    assert asked == sorted(asked)
    assert len(asked) > 3


def test_a_late_event_counts_at_once(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(50)
        shop.write(line(1, "ann", 45))
        stream.turn()
        shop.write(line(2, "ann", 20))
        stream.turn()

    assert said(shop) == [("viewers", "ann", "entered")]
    assert shop.heard.changes[0].event_time == micros(20)


def test_an_event_from_ahead_counts_from_its_time_and_one_from_too_far_ahead_never(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.write(line(1, "ann", 30), line(2, "ann", 40), line(3, "bob", 60 * 25), line(4, "bob", 60 * 25))
        stream.turn()
        early = said(shop)
        shop.at(40.5)
        stream.turn()
        then = said(shop)
        shop.at(60 * 25.5)
        stream.turn()

    assert early == []
    assert then == [("viewers", "ann", "entered")]
    assert [change.profile for change in shop.heard.distinct] == ["ann", "ann"]
    assert stream.state.metrics.bad == 2


def test_somebody_of_whom_all_is_ahead_is_there_in_time_after_a_restart_too(tmp_path: Path) -> None:
    segments = {"new": "where: {not: {event: order, count: {at_least: 1}}}"}
    shop = Shop(write_project(tmp_path / "shop", segments))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "bob", 40))
        stream.turn()
    with shop.stream() as stream:
        shop.at(40.5)
        stream.turn()

    assert said(shop) == [("new", "ann", "entered"), ("new", "bob", "entered")]


def test_lines_that_are_no_events_harm_only_themselves(shop: Shop) -> None:
    bad = [
        b"{",
        b"[]",
        b"",
        b"\xff\xfe",
        b'{"id": "x", "user": "ann", "event": "view", "ts": "never"}',
        b'{"event": "other"}',
    ]
    with shop.stream() as stream:
        shop.at(10)
        shop.write(bad[0], line(1, "ann", 5), *bad[1:], line(2, "ann", 6))
        stream.turn()

    assert said(shop) == [("viewers", "ann", "entered")]
    assert stream.state.metrics.bad == 4


def test_an_event_that_is_known_changes_nothing(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(1, "ann", 5))
        stream.turn()
        checkpoint(stream.state)
        shop.write(line(1, "ann", 5))
        stream.turn()

    assert said(shop) == []
    assert stream.state.metrics.known == 2


def test_a_correction_replaces_the_event_in_files_and_in_memory(tmp_path: Path) -> None:
    buyers = {"buyers": SEGMENTS["buyers"]}
    shop = Shop(write_project(tmp_path / "shop", buyers, source=SOURCE + "corrections: replace\n"))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5, "order", "30"), line(2, "bob", 5, "order", "80"))
        stream.turn()
        shop.write(line(1, "ann", 5, "order", "60"), line(2, "bob", 5, "order", "40"))
        stream.turn()
        stream.turn()

    assert said(shop) == [
        ("buyers", "bob", "entered"),
        ("buyers", "ann", "entered"),
        ("buyers", "bob", "left (event_arrived)"),
    ]
    assert shop.members() == {"buyers": {"ann"}}


def test_events_without_an_id_are_told_apart_by_their_occurrence_across_checkpoints_and_restarts(
    tmp_path: Path,
) -> None:
    shop = Shop(write_project(tmp_path / "shop", VIEWERS, source=SOURCE.replace("    id: id\n", "")))
    same = line(1, "ann", 5)
    shop.at(10)
    with shop.stream() as stream:
        shop.write(same)
        stream.turn()
        checkpoint(stream.state)
        before = said(shop)
    with shop.stream() as stream:
        shop.write(same)
        stream.turn()
        then = said(shop)
    with shop.stream(Wish(place=str(shop.path), from_start=True)) as stream:
        stream.turn()

    assert (before, then) == ([], [("viewers", "ann", "entered")])
    assert stream.state.metrics.known == 2


def test_lines_of_another_source_that_wait_are_stored_and_never_dropped(shop: Shop) -> None:
    path = shop.folder / "sources" / "mail.yaml"
    path.write_text(SOURCE.replace("source: web", "source: mail").replace("data/", "mail/"))
    shop.at(10)
    with suppress(Killed), shop.stream() as stream:
        shop.write(line(1, "ann", 5), line(2, "ann", 9))
        stream.turn()
        raise Killed
    (shop.folder / "mail.ndjson").touch()
    web = (shop.folder / "sources" / "web.yaml").rename(shop.folder / "web")
    other = Wish(place=str(shop.folder / "mail.ndjson"))
    with pytest.raises(UsageError, match="lines of `web`"), shop.stream(other, source="mail"):
        pass
    web.rename(shop.folder / "sources" / "web.yaml")

    with shop.stream(other, source="mail") as stream:
        rows = sum(file.rows for file in stream.state.workspace.files("events"))

    assert rows == 2
    assert shop.members() == {"viewers": {"ann"}}


def test_read_from_the_start_again_everything_is_known(shop: Shop) -> None:
    shop.at(10)
    with shop.stream() as stream:
        shop.write(line(1, "ann", 5), line(2, "ann", 6))
        stream.turn()

    with shop.stream(Wish(place=str(shop.path), from_start=True)) as stream:
        stream.turn()

    assert (stream.state.metrics.lines, stream.state.metrics.events) == (2, 0)
    assert said(shop) == [("viewers", "ann", "entered")]


def test_a_second_stream_is_refused_and_so_is_an_ingest_of_its_source(shop: Shop) -> None:
    with shop.stream(), pytest.raises(TemporaryError, match="`stream` is locked by process"), shop.stream():
        pass
    with shop.stream(), pytest.raises(TemporaryError, match="ingest/web"):
        ingest_again(shop.folder)


def test_a_checkpoint_is_a_run_like_any_other(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "ann", 9))
        stream.turn()
        checkpoint(stream.state)
        workspace = stream.state.workspace
        newest = runs(workspace)[0]
        (entry,) = run_segments(workspace, newest)
        (stay,) = intervals(workspace, 0)

    assert (entry.segment, entry.size, entry.entered, entry.left) == ("viewers", 1, 1, 0)
    assert stay.entered_cause == "event view 2026-11-20T08:09:00Z (web #e2)"


def test_the_lines_of_a_checkpoint_stand_in_files_and_nowhere_else(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), b"{", line(2, "bob", 9))
        stream.turn()
        workspace = stream.state.workspace
        waiting = (stream_log.waiting_lines(workspace), sum(f.rows for f in workspace.files("events")))
        checkpoint(stream.state)
        stored = (stream_log.waiting_lines(workspace), sum(f.rows for f in workspace.files("events")))
        (entry,) = inputs(workspace, "web")

    assert waiting == (3, 0)
    assert stored == (0, 2)
    assert (entry.path, entry.rows, entry.good, entry.bad) == ("data/live.ndjson", 3, 2, 1)


def test_definitions_are_taken_over_while_it_runs(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "ann", 9), line(3, "bob", 9))
        stream.turn()
        (shop.folder / "segments" / "viewers.yaml").write_text(
            "segment: viewers\nwhere: {event: view, within_last: 1 hour, count: {at_least: 1}}\n"
        )
        number = stream_requests.ask(stream.state.workspace)
        stream.turn()
        answered = stream_requests.request(stream.state.workspace, number)
        shop.at(11)
        shop.write(line(4, "eve", 10.5))
        stream.turn()

    assert answered.is_done
    assert answered.error is None
    assert answered.run is not None
    assert [(c.profile, c.cause.partition(" ")[0]) for c in shop.heard.distinct] == [
        ("ann", "event"), ("bob", "definition"), ("eve", "event"),
    ]  # fmt: skip


def test_definitions_that_do_not_bind_leave_the_old_ones(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        (shop.folder / "segments" / "viewers.yaml").write_text("segment: viewers\nwhere: {no: thing}\n")
        number = stream_requests.ask(stream.state.workspace)
        stream.turn()
        answered = stream_requests.request(stream.state.workspace, number)
        shop.write(line(1, "ann", 5), line(2, "ann", 9))
        stream.turn()
        (shop.folder / "segments" / "viewers.yaml").write_text(f"segment: viewers\n{VIEWERS['viewers']}\n")

    assert answered.error is not None
    assert answered.error.startswith("SEG502")
    assert said(shop) == [("viewers", "ann", "entered")]


def test_what_another_command_ingests_counts_soon(shop: Shop) -> None:
    (shop.folder / "sources" / "mail.yaml").write_text(
        SOURCE.replace("source: web", "source: mail").replace("data/", "mail/")
    )
    (shop.folder / "mail").mkdir()
    (shop.folder / "mail" / "one.ndjson").write_bytes(line(1, "ann", 5) + b"\n" + line(2, "ann", 6))
    with shop.stream() as stream:
        shop.at(10)
        ingest_again(shop.folder, "mail")
        stream.turn()
        stream.turn()

    assert said(shop) == [("viewers", "ann", "entered")]
    assert shop.heard.changes[0].cause.endswith("(mail #e2)")
    assert shop.members() == {"viewers": {"ann"}}


def test_a_segment_that_is_paused_is_left_alone_from_the_next_checkpoint_on(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "ann", 9))
        stream.turn()
        press(stream.state.session, "pause", ["viewers"], everything=False, reason="a fair", now=shop.now)
        stream.state.checkpoint_at = -1e9
        stream.turn()
        shop.write(line(3, "bob", 9), line(4, "bob", 9))
        stream.turn()

    assert said(shop) == [("viewers", "ann", "entered")]
    assert shop.members() == {"viewers": {"ann"}}


def test_people_whom_dedupe_joins_are_one_person_to_the_stream(tmp_path: Path) -> None:
    source = SOURCE.replace("{customer_id: user}", "{customer_id: user, email: mail}")
    shop = Shop(write_project(tmp_path / "shop", VIEWERS, source=source))
    text = (
        (shop.folder / "segctl.yaml")
        .read_text()
        .replace("identifiers:", "identifiers:\n  email: {class: known, personal: true}")
    )
    (shop.folder / "segctl.yaml").write_text(text)
    both = line(3, "ann", 1).replace(b'"user"', b'"mail": "ann@example.org", "user"')
    by_mail = line(1, None, 30).replace(b'"user"', b'"mail": "ann@example.org", "user"')
    with shop.stream() as stream:
        shop.at(70)
        shop.write(both, by_mail, line(2, "ann", 50))
        stream.turn()
        checkpoint(stream.state)
        apart = said(shop)
        with open_session(shop.folder) as session:
            dedupe(session.project, session.workspace, now=shop.now)
        stream.turn()
        shop.at(91)
        stream.turn()

    assert apart == []
    (entered, left) = shop.heard.distinct
    assert (entered.entered, kind_of(entered.cause)) == (True, "merge")
    assert (left.profile, left.entered) == (entered.profile, False)


def test_a_clock_of_events_cannot_begin_before_the_run_in_force(shop: Shop) -> None:
    shop.at(10)
    with shop.stream():
        pass

    too_early = Wish(place=str(shop.path), clock="event", as_of=MORNING)
    with pytest.raises(UsageError, match="before the run in force"), shop.stream(too_early):
        pass


def test_a_wall_clock_that_was_set_back_a_little_stands_still(shop: Shop) -> None:
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5), line(2, "ann", 6))
        stream.turn()
    shop.at(9.99)
    with shop.stream() as stream:
        now = stream.state.clock.now
    shop.at(9)

    assert now == micros(10)
    with pytest.raises(UsageError, match="before the run in force") as refused, shop.stream():
        pass
    assert "2026-11-20T08:10:00Z: set it" in (refused.value.hint or "")


def test_a_recorded_day_is_played_by_its_own_clock(shop: Shop) -> None:
    shop.write(line(1, "ann", 5), line(2, "ann", 9), line(3, "bob", 90), line(4, "bob", 200))

    with shop.stream(Wish(place=str(shop.path), clock="event", once=True)) as stream:
        stream.run(lambda: False)

    assert said(shop) == [("viewers", "ann", "entered"), ("viewers", "ann", "left (time_passed)")]
    assert shop.members() == by_batch(shop.folder.parent / "batch", shop.path.read_bytes().split(b"\n")[:-1],
                                      MORNING + timedelta(minutes=200), VIEWERS)  # fmt: skip


def test_a_clock_of_events_goes_on_where_it_was_after_a_crash(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    wish = Wish(place=str(shop.path), clock="event")
    with shop.stream(replace(wish, once=True)):
        pass
    shop.write(line(1, "ann", 5), line(2, "ann", 9), line(3, "bob", 40))

    def dies(*given: object, **named: object) -> None:
        raise Killed

    def cut_off() -> None:
        with monkeypatch.context() as power, shop.stream(wish) as stream:
            stream.turn()
            power.setattr(stream_checkpoint, "record", dies)
            stream.finish()

    with pytest.raises(Killed):
        cut_off()
    with shop.stream(replace(wish, once=True)) as stream:
        stream.run(lambda: False)

    assert said(shop) == [("viewers", "ann", "entered")]


# --- Crashes and random histories ----------------------------------------------------------------------------
class Killed(BaseException):
    """The process is gone."""


def broken(monkeypatch: pytest.MonkeyPatch, where: str, dice: random.Random) -> Callable[[], None]:
    """Lets the next or a later call of something fail; gives what mends it."""
    module, name = {
        "before the transaction ends": (stream_log, "append"),
        "before anything is said": (stream_state.StreamState, "say"),
        "before files are committed": (stream_log, "forget_raw"),
        "before a run is recorded": (stream_checkpoint, "record"),
        "while a run is recorded": (stream_log, "mark_recorded"),
    }[where]
    real, left = getattr(module, name), [dice.randrange(3)]

    def fails(*given: object, **named: object) -> object:
        if left[0] == 0:
            raise Killed(where)
        left[0] -= 1
        return real(*given, **named)

    monkeypatch.setattr(module, name, fails)
    return lambda: monkeypatch.setattr(module, name, real)


WHERE = (
    "before the transaction ends", "before anything is said", "before files are committed",
    "before a run is recorded", "while a run is recorded",
)  # fmt: skip


def history(dice: random.Random, size: int) -> list[tuple[float, bytes]]:
    """Lines with the minute of their arrival: late ones, some from ahead, and some that come twice."""
    found: list[tuple[float, bytes]] = []
    for number in range(size):
        minute = 600 * number / size
        offset = dice.choice([0, 0, 0, -dice.random() * 300, dice.random() * 90, 60 * 30])
        kind = dice.choice(["view", "view", "order"])
        who = dice.choice(["ann", "bob", "cem", "dan", None])
        found.append((minute, line(number, who, minute + offset, kind, str(dice.randrange(5, 60)))))
        if dice.random() < 0.1:
            found.append((minute, dice.choice(found)[1]))
    return found


def counts(lines: list[tuple[float, bytes]]) -> list[bytes]:
    """The lines without those from more than a day ahead of their arrival."""
    return [one for minute, one in lines if instant(one) <= MORNING + timedelta(minutes=minute, days=1)]


def play(shop: Shop, lines: list[tuple[float, bytes]], dice: random.Random, patch: pytest.MonkeyPatch) -> None:
    """Streams the lines in random batches, with checkpoints, crashes and restarts at random between them."""
    waiting = list(lines)
    while waiting:
        mend = broken(patch, dice.choice(WHERE), dice) if dice.random() < 0.7 else lambda: None
        try:
            with shop.stream() as stream:
                for _ in range(dice.randrange(1, 4)):
                    taken, waiting = waiting[: (n := dice.randrange(1, 30))], waiting[n:]
                    if taken:
                        shop.at(taken[-1][0])
                        shop.write(*(one for _, one in taken))
                    stream.turn()
                    checked(stream, dice)
        except Killed:
            pass
        finally:
            mend()
    shop.at(660)
    with shop.stream() as stream:
        stream.turn()


def checked(stream: Stream, dice: random.Random) -> None:
    """A checkpoint perhaps: at once, or one that begins with the next turn and ends when it does."""
    chance = dice.random()
    if chance < 0.2:
        checkpoint(stream.state)
    elif chance < 0.5:
        stream.state.checkpoint_at = -1e9


def agrees(folder: Path, seed: int, patch: pytest.MonkeyPatch, size: int) -> None:
    dice = random.Random(seed)
    shop = Shop(write_project(folder / f"shop{seed}"))
    lines = history(dice, size)
    shop.at(0)
    with shop.stream():
        pass

    play(shop, lines, dice, patch)

    expected = by_batch(folder / f"batch{seed}", counts(lines), shop.now)
    assert expected
    assert shop.members() == expected
    assert shop.heard.members() == expected
    assert [c.seq for c in shop.heard.distinct] == list(range(1, len(shop.heard.distinct) + 1))


def test_random_histories_with_crashes_end_like_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    agrees(tmp_path, 1, monkeypatch, 60)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 22))
def test_more_random_histories_with_crashes_end_like_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    agrees(tmp_path, seed, monkeypatch, 200)


def micros(minutes: float) -> int:
    return int((MORNING + timedelta(minutes=minutes)).timestamp() * 1_000_000)


def instant(one: bytes) -> datetime:
    return datetime.fromisoformat(json.loads(one)["ts"])


def ingest_again(folder: Path, name: str = "web") -> None:
    with open_session(folder) as session:
        result = ingest(session.project, session.workspace, [sources_of(session.project)[name]], now=MORNING)
    for source in result.sources:
        if source.error is not None:
            raise source.error
