"""The gate before evaluation: objectors are nowhere; moves by consent have their cause; a run keeps what it knew."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from test_consent_states import CRM, PROJECT, Row, written

from segctl.compile import ir
from segctl.compile.plan import Output
from segctl.compile.selection import Selection
from segctl.compile.zones import from_us, shifted, to_us
from segctl.model.errors import Refused
from segctl.model.times import Duration
from segctl.model.types import TEXT
from segctl.operations.apply import apply
from segctl.operations.causes.words import kind_of, say
from segctl.operations.consent.gate import outside
from segctl.operations.evaluation import evaluate
from segctl.operations.explain import explain
from segctl.operations.ingest.ingest import ingest, sources_of
from segctl.operations.plan.file import SCHEMA, read_plan, refuse_stale, saved_form
from segctl.operations.plan.plan import plan
from segctl.operations.session import Session, open_session
from segctl.operations.size import size

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MAILS = ("anna@post.example", "ben@post.example", "cleo@post.example")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """Three people with one address each, and a fourth without; segments of readers and of all."""
    rows = ["nr,email,since,mail,other,phone,person", *(f"c{n},,2026-01-01,{m},,,c{n}" for n, m in enumerate(MAILS))]
    files = {
        "segctl.yaml": PROJECT,
        "sources/crm.yaml": CRM,
        "crm.csv": "\n".join([*rows, "c3,,2026-01-01,,,,c3", ""]),
        "segments/readers.yaml": "segment: readers\nwhere: {consent: news, channel: email}\n",
        "segments/everybody.yaml": "segment: everybody\nwhere: {trait: person, exists: true}\n",
        "segments/best.yaml": "segment: best\nwhere: {trait: person, exists: true}\nkeep: {top: 1, by: rank}\n",
        "traits/rank.yaml": "traits:\n  rank: {formula: 1 + 0}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with open_session(tmp_path, create=True) as opened:
        ingest(opened.project, opened.workspace, sources_of(opened.project).values(), now=NOW - 100 * DAY)
        yield opened


def said(session: Session, mail: str, action: str, at: datetime, *, purpose: str | None = "news") -> None:
    channel = None if purpose is None else "email"
    written(session, [Row(mail, action, purpose, channel, at, confirmed=True)], recorded=at)


def members(session: Session, name: str, as_of: datetime = NOW, *, engine: str = "polars") -> list[str]:
    person = Output("value:person", ir.StoredTrait("person", TEXT))
    snapshot = session.workspace.snapshot()
    frame = evaluate(session, [name], as_of=as_of, snapshot=snapshot, engine=engine, outputs=[person]).frame
    return sorted(frame.filter(frame[name])["value:person"])


def run(session: Session, as_of: datetime) -> dict[tuple[str, str], tuple[bool, str | None, datetime]]:
    """(segment, profile) → whether it entered, the cause and its instant, of a new run."""
    from segctl.state.memberships import intervals
    from segctl.state.subjects import Subjects

    before = {(s.segment, s.entered_at, s.left_at) for n in range(4) for s in intervals(session.workspace, (n,))}
    apply(session, as_of=as_of, started=as_of)
    ids = dict(Subjects(session.workspace).table().select("subject", "profile_id").collect().iter_rows())
    found = {}
    for subject, name in ids.items():
        for stay in intervals(session.workspace, (subject,)):
            if (stay.segment, stay.entered_at, stay.left_at) not in before:
                left = stay.left_at is not None
                at, cause = (stay.left_at, stay.left_cause) if left else (stay.entered_at, stay.entered_cause)
                assert at is not None
                found[stay.segment, name] = (not left, cause, at)
    return found


@pytest.mark.parametrize("action", ["object_profiling", "restrict", "erase"])
@pytest.mark.parametrize("engine", ["polars", "duckdb"])
def test_who_objects_is_in_no_segment_and_no_count(session: Session, action: str, engine: str) -> None:
    assert members(session, "everybody", engine=engine) == ["c0", "c1", "c2", "c3"]

    said(session, "Anna+News@Post.example", action, NOW - DAY, purpose=None)

    assert members(session, "everybody", engine=engine) == ["c1", "c2", "c3"]
    assert members(session, "best", engine=engine) == ["c1"]
    # It does not matter which instant is asked about: the work is done today.
    assert members(session, "everybody", NOW - 90 * DAY, engine=engine) == ["c1", "c2", "c3"]
    assert size(session, "everybody", as_of=NOW).profiles == 3


def test_a_marketing_objection_keeps_nobody_out(session: Session) -> None:
    said(session, MAILS[0], "object_marketing", NOW - DAY, purpose=None)

    assert members(session, "everybody") == ["c0", "c1", "c2", "c3"]


def test_a_restriction_that_ends_brings_the_person_back(session: Session) -> None:
    run(session, NOW - 5 * DAY)
    said(session, MAILS[1], "restrict", NOW - 4 * DAY, purpose=None)
    gone = run(session, NOW - 3 * DAY)
    said(session, MAILS[1], "unrestrict", NOW - 2 * DAY, purpose=None)
    back = run(session, NOW - DAY)

    for found, entered, words in (
        (gone, False, "consent profiling: allowed → refused"),
        (back, True, "consent profiling: refused → allowed"),
    ):
        moved = found["everybody", "c1"]
        assert moved[:2] == (entered, words)
        assert kind_of(moved[1]) == "consent"
    assert (
        say("consent profiling: allowed → refused", language="de") == "Einwilligung profiling: erlaubt → nicht erlaubt"
    )


def test_one_objecting_point_of_a_merged_profile_is_enough(session: Session) -> None:
    import polars as pl

    from segctl.state.identity import write_canonical

    said(session, MAILS[2], "object_profiling", NOW - DAY, purpose=None)
    assert outside(session, session.workspace.snapshot()).len() == 1
    new, replaced = write_canonical(session.workspace, pl.Series([0, 1, 0, 3], dtype=pl.Int32))
    session.workspace.commit("identity", [new], replaced)

    assert members(session, "everybody") == ["c1", "c3"]


def test_a_withdrawal_is_the_cause_of_leaving_at_its_own_instant(session: Session) -> None:
    said(session, MAILS[0], "grant", NOW - 10 * DAY)
    entered = run(session, NOW - 9 * DAY)
    at = NOW - 8 * DAY
    said(session, MAILS[0], "withdraw", at)
    left = run(session, NOW - 7 * DAY)

    assert entered["readers", "c0"][0] is True
    assert left["readers", "c0"] == (False, "consent news by email: confirmed → withdrawn", at)


def test_a_consent_that_grows_stale_moves_by_time(session: Session) -> None:
    said(session, MAILS[0], "grant", NOW - 70 * DAY)
    assert run(session, NOW - 69 * DAY)["readers", "c0"][0] is True

    found = run(session, NOW)

    assert found["readers", "c0"][0] is False
    assert kind_of(found["readers", "c0"][1]) == "time_passed"
    # When it grew stale, not the instant of the run.
    stale = shifted(to_us(NOW - 70 * DAY), Duration(60, "days"), 1, session.project.timezone)
    assert found["readers", "c0"][2] == from_us(stale) != NOW


def test_a_consent_that_ends_or_leaves_a_window_does_so_at_its_own_instant(session: Session) -> None:
    root = Path(session.project.root)
    windowed = "segment: lately\nwhere: {consent: news, channel: email, within_last: 48 hours}\n"
    (root / "segments/lately.yaml").write_text(windowed)
    (root / "segments/lost.yaml").write_text("segment: lost\nwhere: {consent: news, channel: email, status: expired}\n")
    with open_session(root) as opened:
        at, until = NOW - 10 * DAY, NOW - 5 * DAY - timedelta(minutes=7)
        ends = zip(MAILS, (until, None, NOW + DAY), strict=True)
        rows = [Row(mail, "grant", "news", "email", at, confirmed=True, expires=end) for mail, end in ends]
        written(opened, rows, recorded=at)
        run(opened, at + timedelta(hours=1))
        found = run(opened, NOW)

    assert {key: (of[0], of[2]) for key, of in found.items()} == {
        ("readers", "c0"): (False, until),
        ("lost", "c0"): (True, until),
        ("lately", "c0"): (False, at + 2 * DAY),
        ("lately", "c1"): (False, at + 2 * DAY),
        ("lately", "c2"): (False, at + 2 * DAY),
    }
    assert {kind_of(of[1]) for of in found.values()} == {"time_passed"}


def test_plan_shows_the_cause_and_changes_nothing(session: Session) -> None:
    said(session, MAILS[0], "grant", NOW - 10 * DAY)
    run(session, NOW - 9 * DAY)
    said(session, MAILS[0], "withdraw", NOW - 8 * DAY)

    found = plan(session, as_of=NOW, selection=Selection())

    assert "consent" in repr(found)
    assert members(session, "readers") == []


def test_a_saved_plan_is_stale_after_a_withdrawal(session: Session) -> None:
    said(session, MAILS[0], "grant", NOW - 10 * DAY)
    run(session, NOW - 9 * DAY)
    path = session.root / "plan.json"
    made = saved_form(session, plan(session, as_of=NOW, selection=Selection()))
    path.write_text(json.dumps({"schema": SCHEMA, "plan": made}))
    refuse_stale(session, read_plan(path))

    said(session, MAILS[0], "withdraw", NOW - 8 * DAY)

    with pytest.raises(Refused, match="stale") as refused:
        refuse_stale(session, read_plan(path))
    assert "consent" in str(refused.value.why)


def test_a_run_is_explained_by_what_it_knew(session: Session) -> None:
    said(session, MAILS[0], "grant", NOW - 10 * DAY)
    first = apply(session, as_of=NOW - 5 * DAY, started=NOW - 5 * DAY).run
    # The word of a withdrawal of six days ago comes only now.
    written(session, [Row(MAILS[0], "withdraw", "news", "email", NOW - 6 * DAY)], recorded=NOW)
    assert first is not None

    assert explain(session, "readers", "c0", as_of=NOW, run=first.id).member
    assert not explain(session, "readers", "c0", as_of=NOW - 5 * DAY).member
    assert explain(session, "readers", "c0", as_of=NOW - 7 * DAY).member


def test_explain_tells_when_a_consent_runs_out(session: Session) -> None:
    said(session, MAILS[0], "grant", NOW - 10 * DAY)

    found = explain(session, "readers", "c0", as_of=NOW, until=True)

    assert found.member
    assert found.flip is not None
    assert (found.flip.at, found.flip.answer) == (NOW + 50 * DAY, False)


def test_explain_says_why_nothing_is_said(session: Session) -> None:
    said(session, MAILS[0], "object_profiling", NOW - DAY, purpose=None)

    found = explain(session, "readers", "c0", as_of=NOW)

    assert (found.in_population, found.outside) == (False, "objected_profiling")
    assert explain(session, "readers", "c1", as_of=NOW).outside is None


def test_tokens_are_made_once_for_a_file(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    from segctl.consent.tokens import Keyring

    said(session, MAILS[0], "grant", NOW - DAY)
    assert members(session, "readers") == ["c0"]
    asked: list[object] = []
    monkeypatch.setattr(Keyring, "points", lambda *args: asked.append(args) or [])

    assert members(session, "readers") == ["c0"]

    assert asked == []
    folder = session.workspace.folder / "cache/points"
    for path in folder.iterdir():
        path.write_bytes(b"torn")
    monkeypatch.undo()
    assert members(session, "readers") == ["c0"]
