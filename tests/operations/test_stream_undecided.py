"""Segments of a stream that stay as they were: a guard refuses what was said, or a value is missing."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
from operations.streaming import SEGMENTS, Shop, line, write_project

from segctl.operations.session import open_session
from segctl.operations.stream.checkpoint import checkpoint
from segctl.operations.stream.members import Members
from segctl.state.runs import SegmentState, run_segments, runs


def pair(who: str) -> list[bytes]:
    """Two views, which make a viewer."""
    return [line(f"{who}{number}", who, 5) for number in (1, 2)]


def test_what_a_guard_refuses_is_taken_back_and_said_again_once_it_is_allowed(tmp_path: Path) -> None:
    guarded = {"viewers": SEGMENTS["viewers"] + "\nguards: {max_size: 2}"}
    shop = Shop(write_project(tmp_path / "shop", guarded))
    with shop.stream() as stream:
        shop.at(10)
        shop.write(*pair("ann"), *pair("bob"))
        stream.turn()
        checkpoint(stream.state)
        shop.write(*pair("cem"))
        stream.turn()
    refused = shop.heard.members(), shop.members()
    for _ in range(2):
        with shop.stream():
            pass
    again = shop.heard.members(), len(shop.heard.changes)
    text = "segment: viewers\n" + SEGMENTS["viewers"]
    (shop.folder / "segments" / "viewers.yaml").write_text(text)
    with shop.stream():
        pass

    assert refused == ({"viewers": {"ann", "bob", "cem"}}, {"viewers": {"ann", "bob"}})
    assert again == ({"viewers": {"ann", "bob"}}, 4)
    assert shop.heard.members() == shop.members() == {"viewers": {"ann", "bob", "cem"}}


def test_who_lacks_a_value_that_must_not_be_missing_stays_what_he_was(tmp_path: Path) -> None:
    asks = {"tops": "where: {event: order, last_value: {of: value, at_least: 50 EUR}, missing: error}"}
    shop = Shop(write_project(tmp_path / "shop", asks))
    bare = json.loads(line(2, "ann", 9, "order"))
    del bare["value"]
    with shop.stream() as stream:
        shop.at(10)
        shop.write(line(1, "ann", 5, "order", "80"))
        stream.turn()
        checkpoint(stream.state)
        shop.write(json.dumps(bare).encode(), line(3, "bob", 9, "order", "70"))
        stream.turn()
        checkpoint(stream.state)
        failed = shop.members(), states(shop)
        shop.write(line(4, "ann", 9.5, "order", "20"))
        stream.turn()
        checkpoint(stream.state)

    assert failed[0] == {"tops": {"ann"}}
    assert failed[1] == (SegmentState.FAILED, "a value that must not be missing is missing for 1 profile")
    assert states(shop) == (SegmentState.IN_FORCE, None)
    assert [(c.profile, c.entered) for c in shop.heard.changes] == [("ann", True), ("bob", True), ("ann", False)]
    assert shop.members() == {"tops": {"bob"}}


def states(shop: Shop) -> tuple[SegmentState, str | None]:
    """How the one segment of a project fared in its newest run."""
    with open_session(shop.folder) as session:
        newest = max(runs(session.workspace), key=lambda run: run.number)
        (one,) = run_segments(session.workspace, newest)
    return one.state, one.reason


def test_nobody_moves_without_an_answer() -> None:
    members = Members(("a", "b"), 4)
    members.moved([1, 2], pl.DataFrame({"subject": [1, 2], "a": [True, False], "b": [True, True]}), ("a", "b"))

    unknown = pl.DataFrame({"subject": [1, 2, 3], "a": [None, None, True], "b": [False, True, True]})
    assert members.moved([1, 2, 3], unknown, ("a", "b")) == [(1, "b", False), (3, "a", True), (3, "b", True)]
    assert members.unknown == {"a": {1, 2}}

    known = pl.DataFrame({"subject": [2], "a": [True], "b": [True]})
    assert members.moved([1, 2], known, ("a", "b")) == [(1, "a", False), (2, "a", True)]
    assert members.unknown == {}
