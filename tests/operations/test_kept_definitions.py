"""Definitions and lists of earlier runs, asked about new data."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from end_to_end.program import ok

from segctl.operations.evaluation import evaluate
from segctl.operations.kept_definitions import changed_files, session_of_run
from segctl.operations.session import Session, open_session

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\ntimezone: Europe/Berlin\nidentifiers: {nr: {class: known}}\n"
    "traits: {country: text}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {nr: nr}\nprofiles: {country: land}\n",
    "crm.csv": "nr,land\n1,DE\n2,DE\n3,AT\n",
    "segments/vip.yaml": "segment: vip\nwhere: {list: lists/vip.csv, identifier: nr}\nfresh: {crm: 1 day}\n",
    "segments/german.yaml": "segment: german\nwhere: {trait: country, equals: DE}\n",
    "lists/vip.csv": "1\n2\n",
}
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    ok("ingest", cwd=tmp_path)
    ok("apply", cwd=tmp_path)
    return tmp_path


def members(session: Session, name: str) -> list[str]:
    frame = evaluate(session, [name], as_of=NOW, snapshot=session.workspace.snapshot()).frame
    return frame.filter(frame[name])["subject"].to_list()


def test_an_old_rule_and_an_old_list_are_asked_about_new_data(shop: Path) -> None:
    (shop / "segments/german.yaml").write_text("segment: german\nwhere: {trait: country, equals: AT}\n")
    (shop / "lists/vip.csv").write_text("3\n")
    (shop / "crm.csv").write_text("nr,land\n1,DE\n2,AT\n3,DE\n")
    ok("ingest", cwd=shop)

    with open_session(shop) as session:
        from segctl.state.runs import runs

        then = session_of_run(session, runs(session.workspace)[0])
        assert then is not None
        assert (members(then, "german"), members(session, "german")) == ([0, 2], [1])
        assert (members(then, "vip"), members(session, "vip")) == ([0, 1], [2])


def test_what_a_run_evaluated_has_the_digest_it_recorded(shop: Path) -> None:
    with open_session(shop) as session:
        from segctl.state.runs import runs

        run = runs(session.workspace)[0]
        then = session_of_run(session, run)
        assert then is not None
        assert {name: segment.digest for name, segment in then.definitions.segments.items()} == run.definitions


def test_files_that_changed_between_two_runs_are_named(shop: Path) -> None:
    (shop / "segments/german.yaml").write_text("segment: german\nwhere: {trait: country, equals: AT}\n")
    (shop / "segments/vip.yaml").unlink()
    ok("apply", cwd=shop)

    with open_session(shop) as session:
        from segctl.state.runs import runs

        later, earlier = runs(session.workspace)
        assert changed_files(session.workspace, earlier, later) == ("segments/german.yaml", "segments/vip.yaml")


def test_a_list_goes_when_nothing_in_force_came_from_it(shop: Path) -> None:
    (shop / "segments/vip.yaml").unlink()
    ok("apply", cwd=shop)
    ok("apply", cwd=shop)

    with open_session(shop) as session:
        assert session.workspace.files("lists") == []


def test_a_text_is_kept_once(shop: Path) -> None:
    ok("apply", cwd=shop)

    with open_session(shop) as session:
        assert session.workspace.query("SELECT count(*) FROM texts")[0][0] == 4
        assert len(session.workspace.files("lists")) == 1
