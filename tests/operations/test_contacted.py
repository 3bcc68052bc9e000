"""Pushes as events: each accepted addition once, whatever crashes, and what segments make of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from audience_shop import NOW, FakeGate, shop, tell

from segctl.compile.definitions import bind_segment_text
from segctl.operations import contacted
from segctl.operations.audience.audience import audiences
from segctl.operations.evaluation import evaluate
from segctl.operations.session import Session

NOT_CONTACTED = "segment: rested\nwhere: {none: [{event: contacted, where: {channel: email}, within_last: 14 days}]}\n"


def people(count: int) -> list[dict[str, object]]:
    return [{"email": f"p{i}@post.example", "points": 1} for i in range(count)]


def events(session: Session) -> pl.DataFrame:
    parts = [pl.read_parquet(file.path) for file in session.workspace.files("events")]
    return pl.concat(parts) if parts else pl.DataFrame({"subject": []})


def members(session: Session, text: str) -> list[int]:
    segment, problems = bind_segment_text(text, "segments/x.yaml", session.definitions)
    assert segment is not None, problems
    session.definitions.segments[segment.name] = segment
    frame = evaluate(session, [segment.name], as_of=NOW, snapshot=session.workspace.snapshot()).frame
    return frame["subject"].filter(frame[segment.name]).to_list()


@pytest.fixture
def told(tmp_path: Path) -> Session:
    session = shop(tmp_path, people(4), {"winback": [0, 1]})
    (audience,) = audiences(session, FakeGate(), now=NOW)
    tell(session, audience, at=NOW - timedelta(days=3))
    return session


def test_each_accepted_addition_is_one_event(told: Session) -> None:
    found = events(told)

    assert contacted.record(told.workspace) == 0
    assert sorted(found["subject"]) == [0, 1]
    row = found.row(0, named=True)
    assert (row["kind"], row["source"], row["ts"]) == ("contacted", "push", NOW - timedelta(days=3))
    assert [row[f"{name}:t"] for name in ("destination", "segment", "purpose", "channel")] == [
        "mail", "winback", "newsletter", "email",
    ]  # fmt: skip


def test_a_segment_says_who_was_not_contacted_without_declaring_the_event(told: Session) -> None:
    assert members(told, NOT_CONTACTED) == [2, 3]


def test_being_contacted_is_no_event_of_the_persons_own(told: Session) -> None:
    from dataclasses import replace

    from segctl.model.project import EventKind

    project = replace(told.project, events=(EventKind("visited"),))
    session = replace(told, definitions=replace(told.definitions, project=project))

    assert members(session, 'segment: quiet\nwhere: {event: "*", count: 0}\n') == [0, 1, 2, 3]


def test_a_crash_between_ledger_and_event_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = shop(tmp_path, people(3), {"winback": [0, 1, 2]})
    (audience,) = audiences(session, FakeGate(), now=NOW)
    with monkeypatch.context() as patched:
        patched.setattr(session.workspace.__class__, "commit", _die)
        with pytest.raises(KeyboardInterrupt):
            tell(session, audience, at=NOW)
    assert events(session).height == 0

    assert contacted.record(session.workspace) == 3
    assert contacted.record(session.workspace) == 0
    assert events(session)["event_id"].n_unique() == 3


def _die(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_contact_keeps_nobody_in_the_population(told: Session) -> None:
    workspace = told.workspace
    gone = pl.DataFrame({"subject": pl.Series([0], dtype=pl.Int32), "gone": [True]})
    first = workspace.reserve("arrival", 1)
    frame = gone.with_columns(
        pl.lit(NOW).cast(pl.Datetime("us", "UTC")).alias("valid_from"), pl.lit(first, pl.Int64).alias("arrival")
    )
    workspace.commit("ingest", add=[workspace.write("records/crm", frame, {"columns": frame.columns})])

    # Who is in the population and has no points left would be among them.
    assert members(told, "segment: everybody\nwhere: {not: {trait: points, at_least: 99}}\n") == [1, 2, 3]
