"""Questions about the shop of the sample data, asked of the installed program."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.program import document, ok, run

AS_OF = "2026-11-18"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop, ingested, with two runs."""
    folder = tmp_path_factory.mktemp("shop")
    ok("init", ".", cwd=folder)
    ok("ingest", cwd=folder)
    ok("apply", "--as-of", "2026-11-15", cwd=folder)
    ok("apply", "--as-of", AS_OF, cwd=folder)
    return folder


def test_size_reads_a_condition_below_a_not_as_it_counts(shop: Path) -> None:
    (shop / "draft.yaml").write_text(
        "where: {all: [{event: order_completed}, {not: {trait: newsletter, equals: true}}]}"
    )

    found = document("size", "draft.yaml", "--as-of", AS_OF, cwd=shop)

    first, second = found["data"]
    assert second["condition"].startswith("nicht: ")
    assert second["alone"] + second["unknown"] <= found["facts"]["profiles"]
    assert second["left"] == found["facts"]["matched"] <= min(first["alone"], second["alone"])
    assert second["without"] == first["alone"]


def test_size_counts_a_segment_that_is_called_matched(shop: Path) -> None:
    (shop / "matched.yaml").write_text("segment: matched\nwhere: {event: order_completed}")

    facts = document("size", "matched.yaml", "--as-of", AS_OF, cwd=shop)["facts"]

    assert facts["members"] == facts["matched"] > 0


def test_size_and_apply_and_show_count_the_same(shop: Path) -> None:
    listed = {row["segment"]: row["members"] for row in document("ls", cwd=shop)["data"]}

    for name in ("winback", "vip", "cart_abandoners", "overdue"):
        counted = document("size", name, "--as-of", AS_OF, cwd=shop)["facts"]["members"]
        ids = ok("show", f"segment:{name}", "-f", "ids", cwd=shop).split()
        assert counted == listed[name] == len(ids)


def test_a_diff_leads_from_one_membership_to_the_other(shop: Path) -> None:
    runs = [row["run"] for row in document("ls", "runs", cwd=shop)["data"]]
    moves = document("diff", "winback", "--moves", cwd=shop)["data"]

    before = set(ok("show", "segment:winback", "--run", runs[1], "-f", "ids", cwd=shop).split())
    after = set(ok("show", "segment:winback", "-f", "ids", cwd=shop).split())

    assert after - before == {m["profile_id"] for m in moves if m["change"] == "entered"}
    assert before - after == {m["profile_id"] for m in moves if m["change"] == "left"}


@pytest.mark.parametrize("segment", ["winback", "cart_abandoners", "birthday_week", "viewed_not_bought", "vip"])
def test_explain_agrees_with_the_members_of_the_run(shop: Path, segment: str) -> None:
    members = ok("show", f"segment:{segment}", "-f", "ids", cwd=shop).split()
    others = [who for who in ("00001", "00002", "00500", "01999") if who not in members]

    for who, expected in [(members[0], True), (members[-1], True), *((who, False) for who in others)]:
        assert document("explain", segment, who, "--as-of", AS_OF, cwd=shop)["facts"]["member"] is expected


def test_what_the_answer_changes_to_is_the_answer_then(shop: Path) -> None:
    who = ok("show", "segment:cart_abandoners", "-f", "ids", cwd=shop).split()[0]
    until = document("explain", "cart_abandoners", who, "--as-of", AS_OF, "--until", cwd=shop)["facts"]["changes_at"]

    then = document("explain", "cart_abandoners", who, "--as-of", until, cwd=shop)

    assert then["facts"]["member"] is False


def test_explain_says_nothing_is_missing_below_a_not_that_holds(shop: Path) -> None:
    who = ok("show", "segment:cart_abandoners", "-f", "ids", cwd=shop).split()[0]

    rows = document("explain", "cart_abandoners", who, "--as-of", AS_OF, cwd=shop)["data"]

    assert [row["missing"] for row in rows] == [None] * len(rows)


def test_both_engines_find_the_same_members(shop: Path) -> None:
    polars, duckdb = (
        document("apply", "--as-of", AS_OF, "--dry-run", "--engine", engine, cwd=shop)["data"]
        for engine in ("polars", "duckdb")
    )

    assert polars == duckdb
    assert all(row["entered"] == row["left"] == 0 for row in duckdb)


def test_an_earlier_as_of_is_a_what_if(shop: Path) -> None:
    in_force = ok("show", "segment:winback", "-f", "ids", cwd=shop)

    told = document("apply", "--as-of", "2026-06-01", cwd=shop)

    assert told["run"]["status"] == "what_if"
    assert ok("show", "segment:winback", "-f", "ids", cwd=shop) == in_force


def test_personal_values_are_shown_on_request_only(shop: Path) -> None:
    refused = run("show", "segment:vip", "-f", "csv", "--columns", "email", cwd=shop)
    shown = ok("show", "segment:vip", "-f", "csv", "--columns", "email", "--show-personal", cwd=shop)
    timeline = ok("profile", "00005", cwd=shop) + ok("explain", "birthday_week", "00005", "--as-of", AS_OF, cwd=shop)

    assert refused.returncode == 4
    assert "@post.example" not in refused.stdout + refused.stderr + timeline
    assert "@post.example" in shown


def test_the_history_of_an_unknown_name_leads_to_a_known_one(shop: Path) -> None:
    mistyped = run("history", "winbak", cwd=shop)

    assert mistyped.returncode == 2
    assert "winback" in mistyped.stderr


def test_guards_of_a_definition_decide_the_exit_code(shop: Path) -> None:
    path = shop / "segments" / "winback.yaml"
    others = [line for line in path.read_text().splitlines() if not line.startswith("guards:")]
    path.write_text("\n".join([*others, "guards: {max_removed: 1 %}", ""]))

    refused = run("diff", "winback", "--guards", cwd=shop)

    assert refused.returncode == 4
    assert "would remove" in refused.stderr
