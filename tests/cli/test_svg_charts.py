"""Charts: what is drawn is what the table says, at places that are true."""

from __future__ import annotations

import re

import pytest
from html_reading import Tree, problems

from segctl.cli.html_page import document
from segctl.cli.svg_charts import Series, heat, stacked
from segctl.cli.svg_forest import Interval, forest
from segctl.cli.svg_frame import STYLE, Drawing, Scale
from segctl.cli.svg_lines import lines

WORDS = ("The numbers as a table", "scrolls sideways")


def say(value: float) -> str:
    return f"{value:+.2f} %"


def whole(value: float) -> str:
    return f"{value:,.0f}"


INTERVALS = [
    Interval("mail against no mail", 0.5, 0.17, 0.8, look="good"),
    Interval("coupon", -0.3, -0.9, 0.2),
    Interval("without an end", 0.31, -0.21, None),
    Interval("nobody", None, note="nobody bought"),
]
DRAWINGS: dict[str, Drawing] = {
    "forest": forest("f", "Effect", "Two arms.", INTERVALS, heads=("arm", "effect", "from", "to"), say=say),
    "lines": lines(
        "l", "By week", "Four weeks.", ["w1", "w2", "w3", "w4"],
        [Series("control", [2.11, 2.22, 2.33, 2.44]),
         Series("mail", [2.9, 2.8, None, 2.6], [2, 2, None, 2], [3, 3, None, 3])],
        head="week", say=say,
    ),
    "stacked": stacked(
        "s", "Lifecycle", "Two months.", ["May", "June"], [Series("new", [10, 20]), Series("lost", [5, 0])],
        head="month", say=whole,
    ),
    "heat": heat(
        "h", "Cohorts", "Two cohorts.", ["May", "June"], [str(n) for n in range(12)],
        [[100 - n for n in range(12)], [90, 80, *[None] * 10]], head="cohort", across="months later", say=whole,
    ),
}  # fmt: skip


def page(*drawings: Drawing) -> str:
    figures = "".join(one.figure(WORDS) for one in drawings)
    return document("Charts", "en", f"<main><h1>Charts</h1>{figures}</main>", STYLE)


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_chart_has_a_name_a_description_and_the_same_numbers_as_a_table(name: str) -> None:
    assert problems(page(DRAWINGS[name])) == []


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_number_that_is_drawn_otherwise_is_found(name: str) -> None:
    drawing = DRAWINGS[name]
    cell = re.search(r"<td[^>]*><bdi>([+-]?\d[^<]*)</bdi>", drawing.table)
    assert cell is not None
    broken = Drawing(drawing.title, drawing.svg, drawing.table.replace(f">{cell[1]}<", ">77.77<"))

    assert any("numbers that" in problem for problem in problems(page(broken)))


def test_hostile_names_are_text() -> None:
    evil = "<script>alert(1)</script>"
    found = page(
        heat("h", evil, evil, [evil], [evil], [[1.0]], head=evil, across=evil, say=whole),
        forest("f", evil, evil, [Interval(evil, 1, 0, 2, evil)], heads=(evil, evil, evil, evil), say=say),
        lines("l", evil, evil, [evil], [Series(evil, [1.0])], head=evil, say=say),
        stacked("s", evil, evil, [evil], [Series(evil, [1.0])], head=evil, say=say),
    )

    assert "<script" not in found
    assert problems(found) == []


def test_the_line_at_zero_runs_through_no_words() -> None:
    (svg,) = Tree(DRAWINGS["forest"].svg).root.all("svg")
    lines = [one.attributes for one in svg.all("line") if one.attributes["class"] == "axis"]
    # Letters of 14 px reach 4 px below the line they stand on, and 11 px above it.
    words = [float(one.attributes["y"]) for one in svg.all("text")]

    assert len(lines) == sum(one.estimate is not None for one in INTERVALS)
    assert not any(float(of["y1"]) < y + 4 and y - 11 < float(of["y2"]) for of in lines for y in words)


def test_places_across_are_true() -> None:
    (svg,) = Tree(DRAWINGS["forest"].svg).root.all("svg")
    first = next(svg.all("circle")).attributes["cx"]
    scale = Scale(-0.9, 0.8)

    assert float(first.rstrip("%")) == pytest.approx(3 + 94 * (0.5 + 0.9) / 1.7, abs=0.01)
    assert scale.at(-0.9) == 3
    assert scale.at(0.8) == 97


def test_an_end_that_is_nowhere_reaches_the_edge_and_has_no_cap() -> None:
    root = Tree(DRAWINGS["forest"].svg).root
    group = next(g for g in root.all("g") if "without an end" in g.text)

    reach, *caps = group.all("line")
    assert reach.attributes["x2"] == "100.0%"
    assert len(caps) == 1
    assert "∞" in DRAWINGS["forest"].table


def test_parts_of_a_bar_stand_behind_one_another_to_the_width_of_the_longest() -> None:
    root = Tree(DRAWINGS["stacked"].svg).root
    bars = [one for one in root.all("rect") if one.attributes.get("height") == "18"]
    ends = [float(b.attributes["x"].rstrip("%")) + float(b.attributes["width"].rstrip("%")) for b in bars]

    assert ends == [50, 75, 100, 100]


def test_gaps_of_a_line_are_not_bridged() -> None:
    root = Tree(DRAWINGS["lines"].svg).root
    mail = [one for one in root.all("line") if one.attributes["class"] == "s1" and "%" in one.attributes["x1"]]

    assert len(mail) == 1


def test_whiskers_of_one_label_stand_beside_each_other() -> None:
    both = [Series("a", [1.0], [0.0], [2.0]), Series("b", [1.5], [0.5], [2.5])]
    root = Tree(lines("l", "t", "d", ["w"], both, head="week", say=say).svg).root
    places = [one.attributes["x1"] for one in root.all("line") if "whisker" in one.attributes["class"]]

    assert len(set(places)) == 2


def test_deeper_cells_hold_more() -> None:
    root = Tree(DRAWINGS["heat"].svg).root
    looks = {next(one.all("title")).text.split(": ")[1]: one.attributes["class"] for one in root.all("g")}

    assert looks["100"] == "h4"
    assert looks["80"] == "h4"
    assert heat("x", "t", "d", ["a"], ["b", "c"], [[0.0, 0.0]], head="h", say=whole).svg.count("h0") == 2


def test_wide_charts_scroll_and_can_be_reached_by_keyboard() -> None:
    assert 'tabindex="0"' in DRAWINGS["heat"].figure(WORDS)
    assert 'tabindex="0"' not in DRAWINGS["forest"].figure(WORDS)


def test_long_tables_are_closed_at_first() -> None:
    long = lines("l", "t", "d", [str(n) for n in range(40)], [Series("a", list(range(40)))], head="h", say=whole)

    assert "<details>" in long.figure(WORDS)
    assert "<details open>" in DRAWINGS["lines"].figure(WORDS)


def luminance(color: str) -> float:
    digits = color.lstrip("#")
    digits = "".join(c * 2 for c in digits) if len(digits) == 3 else digits
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_of_charts_have_contrast(theme: int) -> None:
    from segctl.cli.validation_page_style import STYLE as BASE

    def colors(style: str) -> dict[str, str]:
        return dict(re.findall(r"--(\w+):(#[0-9a-f]+)", style.split(":root {")[1 + theme].split("}", maxsplit=1)[0]))

    of = colors(BASE) | colors(STYLE)

    def contrast(one: str, two: str) -> float:
        high, low = sorted((luminance(of[one]), luminance(of[two])), reverse=True)
        return (high + 0.05) / (low + 0.05)

    assert all(contrast(f"h{n}", "ink" if n < 3 else "ink2") >= 4.5 for n in range(5))
    assert all(contrast(f"s{n}", "bg") >= 3 for n in range(6))
    assert all(contrast(f"s{n}", "mark") >= 3 for n in range(6))
    assert contrast("soft", "bg") >= 4.5
