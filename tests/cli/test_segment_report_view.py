"""The report on segments as text, page, rows: the same numbers everywhere, whole at any width, small counts hidden."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from segctl.cli import formats
from segctl.cli.report_markdown import markdown
from segctl.cli.report_page import page
from segctl.cli.report_view import text as as_text
from segctl.cli.segment_rows import COLUMNS, SECTIONS, long_result, result
from segctl.cli.segment_view import document
from segctl.cli.segment_words import words
from segctl.operations.segment_report.alike import Alike, Estimate
from segctl.operations.segment_report.values import (
    Cohort,
    Cohorts,
    Contacts,
    Figures,
    Lifecycle,
    Lift,
    Neighbour,
    Point,
    Reach,
    RfmCell,
    SegmentFigures,
    SegmentsReport,
)

AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def points(*sizes: int) -> tuple[Point, ...]:
    days = [AT - timedelta(weeks=len(sizes) - 1 - week) for week in range(len(sizes))]
    return tuple(
        Point(f"r{i}", at, at.date(), size, 3, 2) for i, (at, size) in enumerate(zip(days, sizes, strict=True))
    )


def report(**changes: Any) -> SegmentsReport:
    """Two segments: one with everything that can be known, one nobody knows anything of."""
    rate = Estimate(0.25, 0.01)
    full = SegmentFigures(
        "winback", "Rückgewinnung", 1200, 0.3, points(1000, 1100, 1200), 300, 100, 0.05, 0.01, "after",
        Figures(1100, 275, 5500.5, 90_000.0, 330), (Figures(1000, 200, 4000.0, 60_000.0, 250),), True,
        Alike(1100, 2900, rate, Estimate(0.111, 0.01), rate, rate),
        (Reach("mail", "email", 1200, 900, 850, {("consent", "no_consent", None): 300}),),
        Contacts({"mail": 700}, 690, 3, 13.8, 650), (Lift("coupon", "bought", "mail", 0.2, 0.05, 0.4, 0.95, 0.01),),
        (Neighbour("empty", 4, 0.0033, 0.003),),
        {"new": 10, "active": 400, "back": 90, "at_risk": 300, "lost": 400},
    )  # fmt: skip
    empty = SegmentFigures("empty", None, None, None, (), 0, 0, None, None, "before", None)
    made = SegmentsReport(
        as_of=AT, window=timedelta(days=30), since=AT - timedelta(days=30), unit="EUR",
        declared=("conversion", "revenue", "engagement"), profiles=4000,
        everybody=Figures(3900, 400, 9000.0, 150_000.0, 800), segments=(full, empty),
        cohorts=Cohorts((Cohort(date(2026, 9, 1), 200, (200, 50, 4), (900.0, 100.0, 7.5)),
                         Cohort(date(2026, 10, 1), 100, (100, 20), (400.0, 60.0))), is_complete=False),
        lifecycle=Lifecycle(60, 180, "gaps", {"new": 30, "active": 500, "back": 90, "at_risk": 400, "lost": 600}, 2380,
                            {("active", "at_risk"): 120, (None, "new"): 30, ("lost", "back"): 3}),
        rfm=(RfmCell(5, 5, 80, 4000.0), RfmCell(5, 1, 3, 20.0), RfmCell(1, 1, 300, 900.0)),
    )  # fmt: skip
    return replace(made, **changes)


def context(width: int | None = None, *, drawn: bool = False) -> Any:
    terminal = SimpleNamespace(out=drawn, unicode=drawn, width=width, out_color=False)
    return SimpleNamespace(terminal=terminal, format="table", plain=not drawn, dry_run=False)


def told(language: Any = "en", *, least: int = 0, width: int | None = None, drawn: bool = False) -> str:
    made = document(report(), language, "Europe/Berlin", least=least, with_curves=drawn)
    return as_text(context(width, drawn=drawn), made, details=True)


def test_the_first_lines_say_what_matters() -> None:
    lines = told().splitlines()

    assert lines[:2] == ["Segments", "as of 2026-11-22, 4,000 people, window 2026-10-23 to 2026-11-22"]
    assert lines[3].startswith("Members of `winback` converted most: 25.0 %; everybody 10.3 %.")
    assert "600 of 1,620 buyers are lost" in told()


@pytest.mark.parametrize("width", [80, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    found = told("de", width=width, drawn=True)

    assert max(map(len, found.splitlines())) <= width
    assert "▁" in found
    assert "winback" in found


def test_read_aloud_every_number_stands_beside_its_name() -> None:
    found = told("de")

    assert "Segment: winback\nMitglieder: 1.200\nAnteil: 30,0 %" in found
    assert not set("░▒▓█▁▂▃▄▅▆▇─") & set(found)


def test_every_word_is_there_in_both_languages_with_the_same_fields() -> None:
    english, german = words("en"), words("de")

    assert english.keys() == german.keys()
    for name, text in english.items():
        assert set(re.findall(r"\{(\w+)", text)) == set(re.findall(r"\{(\w+)", german[name])), name


def test_page_text_and_markdown_hold_the_same_figures() -> None:
    made = document(report(), "en", "Europe/Berlin")
    html, plain = page(made, name="shop", at=AT), as_text(context(), made, details=True)

    for figure in ("25.0 %", "11.1 %", "5.00 EUR", "1,200", "+20.0", "(+5.0 … +40.0) %", "13.80 EUR", "850"):
        assert figure in html, figure
        assert figure in plain, figure
        assert figure in markdown(made), figure
    assert "<script" not in html


def test_json_has_a_section_a_table_with_every_column() -> None:
    stream = io.BytesIO()
    made = result(report())

    formats.WRITERS["json"](context(), made, made.columns, made.rows, stream)

    found = json.loads(stream.getvalue())
    assert found["schema"] == "segctl/report-segments/1"
    assert list(found["sections"]) == list(SECTIONS)
    assert [list(row) for row in found["data"]] == [[column.name for column in COLUMNS]] * 2
    assert found["data"][0]["conversion"] == 0.25
    assert found["sections"]["cohorts"][1] == {
        "month": "2026-09-01", "months_later": 1, "people": 50, "share": 0.25, "revenue": 100.0,
    }  # fmt: skip
    assert found["facts"]["lifecycle"]["never"] == 2380


def test_csv_has_every_number_of_json_on_a_row_of_its_own() -> None:
    stream = io.BytesIO()
    made = long_result(report())

    formats.WRITERS["csv"](context(), made, made.columns, made.rows, stream)

    rows = list(csv.DictReader(io.StringIO(stream.getvalue().decode(), newline="")))
    known = {(row["part"], row["segment"], row["key"], row["figure"]): row["value"] for row in rows}
    assert len(known) == len(rows)
    assert known["segments", "winback", "", "members"] == "1200"
    assert known["reach", "winback", "mail/email", "reachable"] == "850"
    assert known["cohorts", "", "2026-10-01/1", "people"] == "20"
    assert known["moves", "", "-/new", "people"] == "30"
    assert sum(row["part"] == "rfm" for row in rows) == 2 * len(report().rfm or ())
    assert sum(row["part"] == "runs" for row in rows) == 3 * 3


def test_counts_of_few_people_are_told_nowhere() -> None:
    text = told(least=5)
    made = document(report(), "en", "Europe/Berlin", least=5)
    html = page(made, name="shop", at=AT)
    rows = json.dumps([[str(v) for v in row] for row in long_result(report(), least=5).rows])

    assert "reacted: <5" in text
    assert "0.4 %" not in text  # 3 of 690
    assert "2 %" not in re.findall(r"2026-09.*", text)[0]  # 4 of 200
    for hidden in ('"7.5"', '"20.0"', '"0.02"', '"0.0033"'):
        assert hidden not in rows
    assert "&lt;5" in html
    assert "Counts below 5 are not told; “hidden” are also numbers" in text


@pytest.mark.parametrize(("everybody", "of_others"), [(278, 3 / 2800), (400, 0.4 / 2900), (276, 0.05)])
def test_others_do_not_bring_back_what_few_did(everybody: int, of_others: float) -> None:
    first, second = report().segments
    assert first.alike is not None
    alike = replace(first.alike, conversion_of_others=Estimate(of_others, 0.001))
    made = report(
        everybody=Figures(3900, everybody, 9000.0, 150_000.0, 800), segments=(replace(first, alike=alike), second)
    )
    shown = dict(zip((column.name for column in COLUMNS), next(iter(result(made, least=10).rows)), strict=True))
    all_told = dict(zip((column.name for column in COLUMNS), next(iter(result(report(), least=10).rows)), strict=True))

    assert (shown["conversion_of_others"], shown["per_person_of_others"]) == (None, None)
    assert all_told["conversion_of_others"] == 0.111
    lines = markdown(document(made, "en", "Europe/Berlin", least=10)).splitlines()
    assert [line.split(" | ")[-1] for line in lines if line.startswith("| winback | 1,100 |")] == ["hidden |"]


def test_where_nothing_is_declared_the_report_says_how_to() -> None:
    bare = report(declared=(), everybody=None, cohorts=None, lifecycle=None, rfm=None,
                  proposal="reports:\n  conversion: {event: bought}\n")  # fmt: skip

    found = as_text(context(), document(bare, "en", "Europe/Berlin"))

    assert "Nothing says what success is" in found
    assert "`  conversion: {event: bought}`" in found
    assert "Retention" not in found


def test_members_of_today_are_marked_as_looking_back() -> None:
    now = replace(report().segments[0], basis="before", alike=None)

    found = as_text(context(), document(report(segments=(now,)), "en", "Europe/Berlin"))

    assert "segment: winback*" in found
    assert "looking back" in found
    assert "converted most" not in found
