"""Reports in a terminal and read aloud: nothing is cut, colour is never alone, plain is plain."""

from __future__ import annotations

import re

import pytest
from report_samples import AT, STATES, report

from segctl.cli import report_bars
from segctl.cli.cells import width
from segctl.cli.context import Context, Terminal
from segctl.cli.report_ab_story import document
from segctl.cli.report_document import Curve, Document, Forest, Grid, Heat, Lead, Section, Stack
from segctl.cli.report_view import text
from segctl.cli.svg_charts import Series
from segctl.cli.svg_forest import Interval
from segctl.model.project import Language
from segctl.operations.ab.result import State

CODES = re.compile(r"\x1b\[[\d;]*m")
SCREENS = {
    "terminal": Terminal(out=True, out_color=True),
    "pipe": Terminal(),
    "plain": Terminal(unicode=False),
}
TOKENS = (
    "0.0082",
    "+0.50",
    "(+0.17",
    "+0.80)",
    "−0.36",
    "90,000",
    "2,520",
    "+32,000",
    "unbroken_name_of_an_experiment",
)


def told(state: State = "more", language: Language = "en") -> Document:
    from dataclasses import replace

    return document(replace(report(state), experiment="unbroken_name_of_an_experiment"), language, anyway=True)


def drawn(kind: str, columns: int | None, told: Document, *, details: bool = True) -> str:
    from dataclasses import replace

    terminal = replace(SCREENS[kind], width=columns)
    return text(Context("report", AT, terminal=terminal), told, details=details)


def test_ranges_stay_on_one_line_where_there_is_room() -> None:
    lines = CODES.sub("", drawn("terminal", 80, told())).splitlines()

    assert any("+0.50 (+0.17 to +0.80)" in line for line in lines)
    assert not any(line.rstrip().endswith(" to") and "(" in line for line in lines if "──" not in line)


@pytest.mark.parametrize("columns", [20, 40, 80, 200, 400])
@pytest.mark.parametrize("kind", SCREENS)
def test_nothing_is_cut_at_any_width(kind: str, columns: int) -> None:
    found = CODES.sub("", drawn(kind, columns, told()))

    assert [token for token in TOKENS if token not in found] == []
    assert "…" not in found


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_lines_fit_the_terminal(columns: int) -> None:
    found = CODES.sub("", drawn("terminal", columns, told()))

    # What cannot be broken without losing a letter, such as a name, may stick out.
    wide = [line for line in found.splitlines() if width(line) > columns and len(line.split()) > 3]
    assert wide == []


@pytest.mark.parametrize("state", STATES)
def test_colour_says_nothing_alone(state: State) -> None:
    colored = drawn("terminal", 100, told(state))
    bare = text(Context("report", AT, terminal=Terminal(out=True, width=100)), told(state), details=True)

    def lines(found: str) -> list[str]:
        return [line.rstrip() for line in CODES.sub("", found).splitlines()]

    assert lines(colored) == lines(bare)
    assert set(CODES.findall(colored)) <= {
        f"\x1b[{code}m" for code in ("0", "1", "2", "31", "32", "1;31", "1;32", "1;33")
    }


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("columns", [20, 80])
def test_plain_has_neither_codes_nor_boxes_nor_bars(state: State, columns: int) -> None:
    found = drawn("plain", columns, told(state))

    assert re.findall("[\x1b\r\u2500-\u259f\u2800-\u28ff\u25a0-\u25ff]", found) == []


def test_read_aloud_every_number_has_its_name() -> None:
    table = Grid("Sizes", ("segment", "members", "share"), (("vip", "10", ""), ("new", "20", "5 %")))
    found = drawn("plain", None, Document("T", "de", (), (), (Section("s", "S", (table,)),)))

    assert found.splitlines()[3:] == [
        "Sizes", "Eintrag 1 von 2", "segment: vip", "members: 10", "Eintrag 2 von 2", "segment: new", "members: 20",
        "share: 5 %",
    ]  # fmt: skip


def test_the_first_screen_leaves_details_for_those_who_ask() -> None:
    short, long = (drawn("pipe", None, told(), details=asked) for asked in (False, True))

    assert "Bayesian" not in short
    assert "More with `--details`: " in short
    assert "Bayesian" in long
    assert short.index("How sure") < short.index("Can it be trusted") < short.index("Money") < short.index("Figures")


def test_a_heading_that_the_title_says_already_is_not_said_again() -> None:
    table = Grid("T", ("a", "b"), (("1", "2"),))
    found = drawn("pipe", None, Document("T", "en", (), (Lead("none", "x"),), (Section("s", "T", (table,)),)))

    assert found.splitlines().count("T") == 1


def test_a_number_and_its_percent_stay_together() -> None:
    lead = Lead("none", "with 95 % of it")
    found = drawn("pipe", 10, Document("T", "en", (), (lead,), ()))

    assert found.splitlines()[2:4] == ["with 95 %", "of it"]


@pytest.mark.parametrize("columns", range(60, 90, 3))
def test_a_range_in_a_table_keeps_its_unit(columns: int) -> None:
    rows = (("a name of some length", "another text that is long", "+47 (+6 bis +104) %"),) * 2
    table = Grid("T", ("first", "second", "third"), rows, (2,))
    found = drawn("pipe", columns, Document("T", "de", (), (), (Section("s", "S", (table,)),)))

    assert "+104) %" in found
    assert "\u00a0" not in found


# --- Bars -------------------------------------------------------------------------------------------------
def forest(*rows: Interval) -> Forest:
    return Forest("k", "t", "d", rows, ("a", "b", "c", "d"), lambda value: f"{value:+.0f}")


def test_bars_share_one_axis_with_zero_marked() -> None:
    lines = report_bars.lines(forest(Interval("a", 5, 0, 10), Interval("bb", -5, -10, 0)), 45, color=False)

    zero = lines[2].index("+0") + 1
    assert lines[0].index("├") in range(zero - 2, zero + 2)
    assert lines[1].rindex("┤") == lines[0].index("├")
    assert lines[2].split() == ["-10", "+0", "+10"]


def test_ends_that_are_nowhere_are_arrows() -> None:
    first, second, _ = report_bars.lines(forest(Interval("a", 5, None, 10), Interval("b", 5, 1, None)), 60, color=False)

    assert "←" in first
    assert "→" in second
    assert "┼" in first


def test_bars_of_what_does_not_exist_are_left_out() -> None:
    assert report_bars.lines(forest(Interval("a", None)), 60, color=False) == []
    assert len(report_bars.lines(forest(Interval("a", None), Interval("b", 1, 0, 2)), 60, color=False)) == 2


def test_a_name_too_long_for_the_side_gets_its_own_line() -> None:
    name = "a very long name of an arm that nobody wants to lose"
    lines = report_bars.lines(forest(Interval(name, 1, 0, 2)), 60, color=False)

    assert lines[0] == name


def test_grids_are_shaded_and_numbered() -> None:
    heat = Heat("k", "t", "d", ("1", "2"), ("a", "b"), ((100.0, 0.0), (50.0, None)), "r", lambda v: f"{v:.0f}", "c")

    lines = report_bars.lines(heat, 40, color=False)

    assert lines[1].split() == ["r", "↓", "a", "b"]
    assert lines[2].split() == ["1", "█", "100", "0"]
    assert lines[3].split() == ["2", "▒", "50"]
    assert report_bars.lines(heat, 10, color=False) == []


def test_stacks_are_as_long_as_their_numbers() -> None:
    stack = Stack("k", "t", "d", ("x", "y"), (Series("p", (30, 10)), Series("q", (10, 10))), "h", str)

    legend, one, two = report_bars.lines(stack, 43, color=False)

    assert legend == "█ p, ▓ q"
    assert (one.count("█"), one.count("▓")) == (30, 10)
    assert (two.count("█"), two.count("▓")) == (10, 10)


def test_curves_are_sparks_beside_their_table() -> None:
    curve = Curve("k", "t", "d", ("1", "2", "3"), (Series("up", (1, 2, 3)),), "week", lambda v: f"{v:.0f}")
    found = drawn("terminal", 60, Document("T", "en", (), (), (Section("s", "S", (curve,)),)))

    assert "up  ▁▅█" in CODES.sub("", found)
    assert "week" in found
