"""Tables, records, charts and cells."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from cli_process import Finished

from segctl.cli import charts, formats, output, tables
from segctl.cli.cells import cell_text, json_value, shown, width
from segctl.cli.context import Context, Terminal
from segctl.cli.output import Column, Result, Section
from segctl.model.errors import UsageError

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PIPE = Context("size", NOW)
COLUMNS = (Column("segment"), Column("members", type="integer", bar=True), Column("share", type="share", digits=3))
ROWS = [("vip", 1_204, 0.06021), ("größe", None, 0.5), ("日本", 18_240, 1.0)]


def written(ctx: Context, result: Result) -> str:
    stream = io.BytesIO()
    columns, rows = output._columns_and_rows(result)
    formats.WRITERS[ctx.format](ctx, result, columns, rows, stream)
    return stream.getvalue().decode()


def at(width: int | None, **facts: bool) -> Context:
    return replace(PIPE, terminal=Terminal(width=width, **facts))


def test_a_table_off_a_terminal_is_aligned_and_counts_its_rows() -> None:
    assert written(PIPE, Result("s/1", COLUMNS, ROWS, noun="segments")) == (
        "segment  members  share\n"
        "-------  -------  -----\n"
        "vip         1204  0.060\n"
        "größe          -  0.500\n"
        "日本       18240  1.000\n"
        "3 segments\n"
    )


@pytest.mark.parametrize(
    ("noun", "line"),
    [
        ("segments", "1 segment"),
        ("properties", "1 property"),
        ("frequent values", "1 frequent value"),
        ("people", "1 person"),
    ],
)
def test_one_row_is_counted_in_the_singular(noun: str, line: str) -> None:
    assert written(PIPE, Result("s/1", COLUMNS, ROWS[:1], noun=noun)).endswith(f"\n{line}\n")


@pytest.mark.parametrize("out", [True, False], ids=["drawn", "plain"])
def test_a_folded_cell_of_a_tree_keeps_its_margin(out: bool) -> None:
    columns = (Column("condition"), Column("line", type="integer"))

    text = tables.table(at(24, out=out), columns, [("all", None), ("    newsletter is true now", 8)])

    assert [line.rstrip(" 8") for line in text.splitlines()[3:]] == ["    newsletter is", "    true now"]


def test_facts_that_are_measured_have_three_digits() -> None:
    text = written(PIPE, Result("s/1", facts={"filled": 0.9256965944272446, "timings": {"load": 0.44389599100031774}}))

    assert text == "filled: 0.926\ntimings: load: 0.444\n"


def test_what_is_too_wide_comes_as_records() -> None:
    assert written(at(20), Result("s/1", COLUMNS, ROWS[:2], noun="segments")) == (
        "segment: vip\nmembers: 1204\nshare: 0.060\n\nsegment: größe\nmembers: -\nshare: 0.500\n\n2 segments\n"
    )


@pytest.mark.parametrize("columns", [*range(18, 30), 400])
def test_a_drawn_table_is_never_wider_than_the_terminal_and_never_cut(columns: int) -> None:
    text = tables.table(at(columns, out=True), (COLUMNS[0], COLUMNS[2]), [(r[0], r[2]) for r in ROWS])

    assert all(word in text for word in ("segment", "share", "größe", "日本", "0.060"))
    assert max(width(line) for line in text.splitlines()) <= columns
    assert "…" not in text


def test_a_drawn_table_becomes_records_exactly_when_it_does_not_fit() -> None:
    narrow = (Column("ab"), Column("cd"))

    assert "ab: " not in tables.table(at(6, out=True), narrow, [("xx", "yy")])
    assert "ab: xx" in tables.table(at(5, out=True), narrow, [("xx", "yy")])


def test_extra_columns_go_first_when_room_is_short_and_are_named() -> None:
    columns = (Column("segment"), Column("members", type="integer"), Column("file", extra=True))

    text = tables.table(at(24), columns, [("winback", 58, "segments/winback.yaml")], noun="segments")

    assert text.splitlines()[2] == "winback       58"
    assert "no room for file" in text
    assert "segments/winback.yaml" in tables.table(at(80), columns, [("winback", 58, "segments/winback.yaml")])


@pytest.mark.parametrize("is_drawn", [False, True])
def test_long_names_are_folded_at_their_joints(is_drawn: bool) -> None:
    columns = (Column("segment"), Column("title"))
    text = tables.table(at(34, out=is_drawn), columns, [("winback_with_voucher_2026", "write/a/long/path.csv")])

    words = text.split()[4:]
    assert words == ["winback_with_", "write/a/long/", "voucher_2026", "path.csv"]


@pytest.mark.parametrize("is_drawn", [False, True])
def test_long_texts_are_folded_word_by_word_before_records_are_preferred(is_drawn: bool) -> None:
    columns = (Column("segment"), Column("title"))
    text = tables.table(at(40, out=is_drawn), columns, [("vip", "The best five per cent of every country")])

    assert "segment: " not in text
    assert max(width(line) for line in text.splitlines()) <= 40
    assert " ".join(line[9:].strip() for line in text.splitlines()[2:]) == "The best five per cent of every country"


def test_a_drawn_table_keeps_numbers_at_the_right_edge() -> None:
    columns = (Column("segment"), Column("entered", type="integer"), Column("state"))

    lines = tables.table(at(80, out=True), columns, [("a", 1, "x"), ("größe", 12, "y")]).splitlines()

    assert lines == [
        "segment  entered  state",
        "──────── ──────── ─────",
        "a              1  x",
        "größe         12  y",
    ]


def test_bars_of_a_drawn_table_start_in_one_column() -> None:
    columns = (Column("members", type="integer", bar=True), Column("x"))

    lines = tables.table(at(80, out=True), columns, [(5, "a"), (100, "b")]).splitlines()

    assert [line[:4] for line in lines[2:]] == ["  5 ", "100 "]
    assert lines[2].index("a") == lines[3].index("b")


def test_records_hold_no_charts() -> None:
    assert "members: 1204\n" in tables.table(at(10, out=True), COLUMNS, ROWS)


def test_bars_stand_beside_the_numbers_on_a_terminal_only() -> None:
    drawn = tables.table(at(80, out=True), COLUMNS, ROWS)

    assert "18240 ████████████" in drawn
    assert "█" not in tables.table(at(80), COLUMNS, ROWS)
    assert "█" not in tables.table(at(80, out=True, unicode=False), COLUMNS, ROWS)


def test_a_table_without_colour_holds_no_escape_codes() -> None:
    assert "\x1b" not in tables.table(at(80, out=True), COLUMNS, ROWS)
    assert "\x1b" in tables.table(at(80, out=True, out_color=True), COLUMNS, ROWS)


def test_long_tables_on_terminals_hold_the_same_cells() -> None:
    rows = [(str(i), i, 0.5) for i in range(tables.RICH_ROWS + 1)]

    text = tables.table(at(80, out=True), COLUMNS, rows)

    assert len(text.splitlines()) == len(rows) + 2


@pytest.mark.parametrize("name", ["table", "json", "ndjson", "csv", "ids"])
def test_half_a_character_is_escaped_and_breaks_nothing(name: str) -> None:
    text = written(replace(PIPE, format=name), Result("s/1", (Column("a"),), [("x\ud800y",)], ids_column="a"))

    assert "ud800" in text


def test_an_empty_table_says_so() -> None:
    assert tables.table(PIPE, COLUMNS, []) == "nothing found"
    assert tables.table(PIPE, COLUMNS, [], noun="segments") == "0 segments"


def test_control_characters_cannot_reach_a_terminal() -> None:
    text = written(PIPE, Result("s/1", (Column("a"),), [("x\x1b[31m\n\ty",)], facts={"k\x07": "v\r"}, notes=["n\x9b"]))

    assert "x\\x1b[31m\\n\\ty" in text
    assert not {c for c in text if ord(c) < 32} - {"\n"}
    assert "\x9b" not in text


def test_markup_of_rich_is_plain_text() -> None:
    text = tables.table(at(80, out=True, out_color=True), (Column("[bold]x"),), [("[red]no[/red] :smile:",)])

    assert "[red]no[/red] :smile:" in text
    assert "[bold]x" in text


def test_sections_and_facts_stand_around_the_table() -> None:
    more = Section("leaves", "Leaf by leaf", (Column("leaf"),), [("a",)])
    result = Result("s/1", COLUMNS, ROWS[:1], facts={"as of": NOW}, text=["  all"], sections=(more,), notes=["note"])

    blocks = written(PIPE, result).split("\n\n")

    assert blocks[0] == "as of: 2026-11-21 00:00:00+00:00"
    assert blocks[1] == "  all"
    assert blocks[3].startswith("Leaf by leaf\nleaf\n")
    assert blocks[4] == "note\n"


def test_csv_is_exact_and_tables_say_the_same_to_people() -> None:
    rows = [(True, Decimal("1.10"), date(2026, 2, 28), NOW, 0.1 + 0.2, [1, "ä"])]
    columns = tuple(Column(name) for name in "abcdef")

    table_cells = written(PIPE, Result("s/1", columns, rows)).splitlines()[2]
    csv_line = written(replace(PIPE, format="csv"), Result("s/1", columns, rows)).splitlines()[1]

    assert csv_line == 'true,1.10,2026-02-28,2026-11-21T00:00:00+00:00,0.30000000000000004,"[1, ""ä""]"'
    assert table_cells.split("  ") == [
        "true", "1.10", "2026-02-28", "2026-11-21 00:00:00+00:00", "0.30000000000000004", "1, ä",
    ]  # fmt: skip


def test_csv_quotes_as_rfc_4180_and_keeps_line_ends_in_values() -> None:
    text = written(
        replace(PIPE, format="csv"), Result("s/1", (Column("a"), Column("b")), [('x,"y"', "1\n2"), (None, "")])
    )

    assert text == 'a,b\n"x,""y""","1\n2"\n,\n'


def test_csv_of_many_rows_is_complete() -> None:
    rows = [(i,) for i in range(2_500)]

    assert written(replace(PIPE, format="csv"), Result("s/1", (Column("a"),), rows)) == "a\n" + "".join(
        f"{i}\n" for i in range(2_500)
    )


def test_a_json_document_names_schema_data_and_exit() -> None:
    result = Result("segctl/x/1", COLUMNS, ROWS, facts={"n": Decimal("0.10")}, run={"as_of": NOW}, ids_column="segment")

    document = json.loads(written(replace(PIPE, format="json"), result))

    assert document["schema"] == "segctl/x/1"
    assert document["data"][1] == {"segment": "größe", "members": None, "share": 0.5}
    assert document["facts"] == {"n": "0.10"}
    assert document["run"] == {"as_of": "2026-11-21T00:00:00+00:00"}
    assert document["exit"] == {"code": 0, "name": "ok", "reason": None}


def test_ndjson_is_one_object_a_line() -> None:
    lines = written(replace(PIPE, format="ndjson"), Result("s/1", COLUMNS, ROWS)).splitlines()

    assert [json.loads(line)["segment"] for line in lines] == ["vip", "größe", "日本"]


def test_ids_are_one_a_line_from_mappings_too() -> None:
    rows = [{"members": 1, "segment": "a"}, {"members": 2, "segment": "b"}]

    assert written(replace(PIPE, format="ids"), Result("s/1", COLUMNS, rows, ids_column="segment")) == "a\nb\n"


def test_a_result_without_ids_refuses_that_format() -> None:
    with pytest.raises(UsageError, match="no ids"):
        output.write(replace(PIPE, format="ids"), Result("s/1", COLUMNS, ROWS))


def test_a_frame_brings_its_own_columns(tmp_path: Path) -> None:
    frame = pl.DataFrame({"profile_id": ["a", "b"], "n": [1, None]})

    assert written(PIPE, Result("s/1", rows=frame)) == "profile id  n\n----------  -\na           1\nb           -\n"


def test_a_frame_survives_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame({"profile_id": ["a", "b"], "at": [NOW, None]})
    target = tmp_path / "members.parquet"

    output.write(replace(PIPE, format="parquet", output=target), Result("s/1", rows=frame))

    assert pl.read_parquet(target).equals(frame)


def test_rows_become_parquet_with_their_types(tmp_path: Path) -> None:
    target = tmp_path / "x.parquet"

    output.write(replace(PIPE, format="parquet", output=target), Result("s/1", COLUMNS, ROWS))

    assert pl.read_parquet(target).rows() == ROWS


def test_a_file_of_output_stays_as_it_was_when_writing_fails(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("before")

    def broken() -> object:
        yield ("a", 1, 0.1)
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        output.write(replace(PIPE, format="csv", output=target), Result("s/1", COLUMNS, broken()))

    assert target.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["x.csv"]


def test_a_replaced_file_keeps_its_permissions(tmp_path: Path) -> None:
    target = tmp_path / "x.csv"
    target.write_text("before")
    target.chmod(0o640)

    output.write(replace(PIPE, format="csv", output=target), Result("s/1", COLUMNS, ROWS))

    assert target.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("number", "whole", "expected"),
    [
        (0.0, 1.0, " " * 12),
        (1.0, 1.0, "█" * 12),
        (0.5, 1.0, "█" * 6 + " " * 6),
        (0.0001, 1.0, "▏" + " " * 11),
        (2.0, 1.0, "█" * 12),
        (None, 1.0, " " * 12),
        (1.0, 0.0, " " * 12),
    ],
)
def test_a_bar_has_twelve_columns(number: float | None, whole: float, expected: str) -> None:
    assert charts.bar(number, whole) == expected


def test_a_curve_has_one_character_a_number() -> None:
    assert charts.spark([0, 5, None, 10]) == "▁▅ █"
    assert charts.spark([3, 3]) == "▁▁"


def test_a_series_is_drawn_with_its_last_value() -> None:
    columns = (Column("sizes", type="series"),)

    assert "▁█ 9" in tables.table(at(80, out=True), columns, [([1, 9],)])
    assert "1, 9" in tables.table(PIPE, columns, [([1, 9],)])


@pytest.mark.parametrize(
    ("value", "expected"),
    [(float("nan"), None), (float("inf"), None), (Decimal("1.10"), "1.10"), (date(2026, 1, 2), "2026-01-02")],
)
def test_json_has_no_value_that_json_lacks(value: object, expected: object) -> None:
    assert json_value(value) == expected


def test_a_time_without_zone_is_told_as_utc() -> None:
    assert cell_text(datetime(2026, 1, 2, 3), Column("a")) == "2026-01-02T03:00:00+00:00"  # noqa: DTZ001 - meant


def test_names_of_all_scripts_stay_as_they_are() -> None:
    for name in ("Müller", "日本", "👩‍👧", "נעה", "a b", "naïve\u0301"):
        assert shown(name) == name
    assert shown("a\u202eb") == "a\\u202eb"


@pytest.mark.parametrize(("text", "columns"), [("abc", 3), ("日本", 4), ("e\u0301", 1), ("ＡＢ", 4)])
def test_width_counts_columns_not_characters(text: str, columns: int) -> None:
    assert width(text) == columns


def test_a_table_on_a_real_terminal_follows_its_width(on_terminal: Callable[..., Finished]) -> None:
    wide = on_terminal("doctor", columns=200)
    narrow = on_terminal("doctor", columns=20)

    assert "check: python" in narrow.out
    assert "check: python" not in wide.out
    assert "python" in wide.out
    assert wide.code == narrow.code == 1


@pytest.mark.parametrize(
    ("env", "option"),
    [
        ({"NO_COLOR": "1"}, ()),
        ({"TERM": "dumb"}, ()),
        ({}, ("--plain",)),
        ({}, ("--no-color",)),
        ({}, ("--color", "never")),
    ],
)
def test_without_colour_no_escape_code_reaches_the_terminal(
    on_terminal: Callable[..., Finished], env: dict[str, str], option: tuple[str, ...]
) -> None:
    assert "\x1b" not in on_terminal("doctor", *option, env=env, columns=200).out
    assert "\x1b" not in on_terminal("schema", "nothing", *option, env=env).out


def test_with_colour_the_terminal_gets_it(on_terminal: Callable[..., Finished]) -> None:
    assert "\x1b[" in on_terminal("doctor", columns=200).out
    assert "\x1b[1;31merror[SEG106]\x1b[0m" in on_terminal("schema", "nothing").out


def test_colour_can_be_forced_into_a_pipe(run: Callable[..., Finished]) -> None:
    assert "\x1b[" in run("schema", "nothing", env={"FORCE_COLOR": "1"}).err
    assert "\x1b[" not in run("schema", "nothing").err


def test_an_ascii_terminal_gets_ascii_decorations_and_escaped_messages(run: Callable[..., Finished]) -> None:
    done = run("schema", "größe", env={"LC_ALL": "C"})

    assert done.code == 2
    assert "gr\\xf6\\xdfe" in done.err
    assert done.err.isascii()
    assert run("help", "files", env={"LC_ALL": "C"}).out == run("help", "files").out


def test_values_of_records_are_folded_between_words_as_wide_as_the_terminal() -> None:
    columns = (*(Column(f"c{n}", type="integer") for n in range(9)), Column("words"))
    result = Result("s/1", columns, [(*range(9), "newsletter: true, tier: gold, city: Bad Oeynhausen")])

    assert written(at(24), result).endswith("c8: 8\nwords: newsletter: true,\n  tier: gold, city: Bad\n  Oeynhausen\n")
    assert written(at(None), result).count("\n") == 3
