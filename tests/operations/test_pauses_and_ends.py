"""Pauses, ends and freshness of segments, through the whole program."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from end_to_end.program import document, ok, run

FILES = {
    "segctl.yaml": "segctl: 1\nname: shop\nidentifiers: {customer_id: {class: known}}\ntraits: {country: text}\n"
    "events:\n  bought: {}\n",
    "sources/crm.yaml": "source: crm\npath: crm.csv\nkey: {customer_id: nr}\nprofiles: {country: land}\n",
    "crm.csv": "nr,land\n1,DE\n2,DE\n3,AT\n",
    "segments/german.yaml": "segment: german\nsend_to: [mailer]\nguards: {max_removed: 10 %}\n"
    "where: {trait: country, equals: DE}\n",
    "segments/others.yaml": "segment: others\nwhere: {not: {segment: german}}\n",
}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    ok("ingest", cwd=tmp_path)
    ok("apply", cwd=tmp_path)
    return tmp_path


def write(shop: Path, head: str) -> None:
    text = FILES["segments/german.yaml"].replace("send_to:", f"{head}\nsend_to:")
    (shop / "segments/german.yaml").write_text(text, "utf-8")


def states(shop: Path, *arguments: str, exits: int = 0) -> dict[str, tuple[str, int]]:
    done = run("apply", "-f", "json", *arguments, cwd=shop)
    assert done.returncode == exits, done.stderr
    return {row["segment"]: (row["state"], row["members"]) for row in json.loads(done.stdout)["data"]}


def test_a_paused_segment_keeps_its_members_until_it_is_resumed(shop: Path) -> None:
    ok("pause", "german", "--reason", "wrong prices", cwd=shop)
    (shop / "segments/german.yaml").write_text("segment: german\nwhere: {trait: country, equals: AT}\n", "utf-8")

    assert states(shop) == {"others": ("in_force", 2)}
    rows = document("ls", cwd=shop)["data"]
    assert (rows[0]["segment"], rows[0]["status"], rows[0]["members"]) == ("german", "paused", 2)
    ok("resume", "german", cwd=shop)
    assert states(shop)["german"] == ("in_force", 1)


def test_a_pause_is_done_once_and_every_press_stays_on_record(shop: Path) -> None:
    for action in ("pause", "pause", "resume", "resume"):
        ok(action, "german", "destination:mailer", "--reason", "x", cwd=shop)
    ok("pause", "german", "--reason", "x", "--dry-run", cwd=shop)

    with sqlite3.connect(shop / ".segctl/dev/state.db") as db:
        found = db.execute("SELECT kind, name, action, reason FROM pauses ORDER BY id").fetchall()
    assert [row[:3] for row in found] == [
        ("segment", "german", "pause"), ("destination", "mailer", "pause"),
        ("segment", "german", "resume"), ("destination", "mailer", "resume"),
    ]  # fmt: skip


def test_while_all_is_paused_nothing_runs_and_nothing_is_removed(shop: Path) -> None:
    ok("pause", "--all", "--reason", "import is broken", cwd=shop)
    (shop / "segments/others.yaml").unlink()

    assert states(shop) == {}
    assert run("resume", "german", cwd=shop).returncode == 2
    ok("resume", "--all", cwd=shop)
    assert states(shop) == {"german": ("in_force", 2), "others": ("removed", 0)}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("pause",), "SEG580"),
        (("pause", "german", "--all", "--reason", "x"), "SEG580"),
        (("pause", "german"), "SEG581"),
        (("pause", "germn", "--reason", "x"), "SEG582"),
    ],
)
def test_mistakes_at_the_button(shop: Path, arguments: tuple[str, ...], code: str) -> None:
    done = run(*arguments, cwd=shop)

    assert done.returncode == 2
    assert code in done.stderr


def test_everybody_leaves_an_expired_segment_in_spite_of_guards(shop: Path) -> None:
    write(shop, "expires: 2020-01-01")

    found = states(shop)
    changes = document("diff", "--moves", "-s", "german", cwd=shop)["data"]

    assert found == {"german": ("expired", 0), "others": ("in_force", 3)}
    assert {row["cause"] for row in changes} == {"expired"}
    assert "german" not in states(shop)
    write(shop, "expires: 2999-01-01")
    assert states(shop)["german"] == ("in_force", 2)


def test_the_beginning_of_the_day_is_the_end(shop: Path) -> None:
    write(shop, "expires: 2999-01-02")

    assert states(shop, "--as-of", "2999-01-01T23:59:59Z", "--dry-run")["german"] == ("in_force", 2)
    assert states(shop, "--as-of", "2999-01-02T00:00:00Z", "--dry-run")["german"] == ("expired", 0)


@pytest.mark.parametrize("limit", ["bought: 1 day", "crm: 1 day"])
def test_a_stale_input_keeps_the_members_or_only_marks(shop: Path, limit: str) -> None:
    write(shop, f"fresh: {{{limit}}}")
    as_of = ("--as-of", "2999-01-01")

    assert states(shop, *as_of, exits=5) == {"german": ("failed", 2), "others": ("failed", 1)}
    assert run("plan", *as_of, cwd=shop).returncode == 4
    assert run("report", "health", cwd=shop).returncode == 1
    write(shop, f"fresh: {{{limit}, stale: mark}}")
    assert states(shop, *as_of)["german"] == ("in_force", 2)
    assert "stale" in document("show", "run:last", cwd=shop)["facts"]


def test_a_fresh_source_holds_nobody_back(shop: Path) -> None:
    write(shop, "fresh: {crm: 1 day}")

    assert states(shop)["german"] == ("in_force", 2)


def test_the_hint_at_old_data_names_what_helps(shop: Path) -> None:
    write(shop, "fresh: {bought: 1 day}")

    told = " ".join(run("apply", cwd=shop).stderr.split())

    assert "`segctl ingest`" in told
    assert "`stale: mark`" in told
    # No limit can be set for the age of data.
    assert "--allow" not in told


def test_explain_knows_that_a_segment_ends(shop: Path) -> None:
    write(shop, "expires: 2030-01-01")
    at = ("explain", "german", "1", "--until", "--as-of")

    before = document(*at, "2029-12-30", cwd=shop)["facts"]
    after = ok(*at, "2030-01-01", cwd=shop)

    assert (before["member"], before["changes_to"], before["changes_at"][:10]) == (True, "false", "2030-01-01")
    assert "the segment expired on 2030-01-01: nobody belongs to it any more" in " ".join(after.split())
    assert document(*at, "2030-01-01", cwd=shop)["facts"]["member"] is False


@pytest.mark.parametrize("mark", ["", ", stale: mark"])
def test_ls_marks_segments_of_old_data(shop: Path, mark: str) -> None:
    write(shop, f"fresh: {{bought: 1 day{mark}}}")
    run("apply", cwd=shop)

    done = run("ls", "-f", "json", cwd=shop)

    assert {row["segment"]: row["status"] for row in json.loads(done.stdout)["data"]} == {
        "german": "stale",
        "others": "active",
    }
    assert "stale: `german` asks for the event `bought` of the last 1 day" in " ".join(done.stderr.split())
    write(shop, "fresh: {crm: 1 day}")
    run("apply", cwd=shop)
    assert {row["status"] for row in document("ls", cwd=shop)["data"]} == {"active"}
