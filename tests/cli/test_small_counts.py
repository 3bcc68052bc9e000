"""Small counts stay hidden: another world, in which a hidden count is another one, has the same report."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import report as ab_report
from test_report_explain import control
from test_segment_report_view import context
from test_segment_report_view import report as segments_report

from segctl.cli.report_ab_story import document as ab_document
from segctl.cli.report_control_story import document as control_document
from segctl.cli.report_markdown import markdown
from segctl.cli.report_view import text as as_text
from segctl.cli.segment_rows import long_result, result
from segctl.cli.segment_view import document as segments_document
from segctl.cli.small_counts import Small
from segctl.operations.ab.parts import Check
from segctl.operations.ab.result import AbReport
from segctl.operations.segment_report.values import Contacts, Neighbour, Reach, RfmCell, SegmentsReport

LEAST = 5


# --- Parts of a sum -------------------------------------------------------------------------------------------
@settings(max_examples=300)
@given(st.lists(st.integers(0, 12) | st.integers(0, 400), min_size=2, max_size=8))
def test_no_hidden_part_is_what_the_told_ones_leave_of_the_sum(parts: list[int]) -> None:
    small, known = Small(LEAST), dict(enumerate(parts))

    hidden = small.among(known)

    assert hidden >= {at for at, n in known.items() if 0 < n < LEAST}
    total = sum(parts)
    if 0 < total < LEAST:
        return  # The sum itself is hidden then.
    for at in hidden:
        others = [other for other in hidden if other != at]
        worlds = [known | {at: known[at] + d, other: known[other] - d} for other in others for d in range(-5, 6) if d]
        assert any(min(world.values()) >= 0 for world in worlds)
        assert sum(known[other] for other in hidden) >= LEAST


def test_parts_that_are_large_or_nobody_are_told() -> None:
    assert Small(LEAST).among({"a": 0, "b": 5, "c": 70}) == frozenset()
    assert Small(0).among({"a": 1, "b": 5}) == frozenset()
    assert Small(LEAST).among({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 60}) == frozenset("abcdef")


# --- Segments -------------------------------------------------------------------------------------------------
def _segment(**changes: Any) -> SegmentsReport:
    made = segments_report()
    return replace(made, segments=(replace(made.segments[0], **changes), made.segments[1]))


def _moved(entered: int, left: int) -> SegmentsReport:
    """The last run moved so many; all runs together 300 and 100."""
    first = segments_report().segments[0]
    points = (*first.points[:1], replace(first.points[1], entered=300 - entered, left=100 - left),
              replace(first.points[2], entered=entered, left=left))  # fmt: skip
    return _segment(points=points)


def _lifecycle(new: int, active: int) -> SegmentsReport:
    made = segments_report()
    assert made.lifecycle is not None
    now = made.lifecycle.now | {"new": new, "active": active, "back": 60}
    return replace(made, lifecycle=replace(made.lifecycle, now=now, moved={}))


def _outside(few: int) -> SegmentsReport:
    """All new buyers are members but a few."""
    made = _segment(stages={"new": 300 - few, "active": 700, "back": 100})
    assert made.lifecycle is not None
    now = made.lifecycle.now | {"new": 300, "active": 900}
    return replace(made, lifecycle=replace(made.lifecycle, now=now, moved={}))


def _cohorts(first: int, second: int) -> SegmentsReport:
    made = segments_report()
    assert made.cohorts is not None
    rows = (replace(made.cohorts.rows[0], people=first, active=(first, 1)),
            replace(made.cohorts.rows[1], people=second, active=(second, 9)))  # fmt: skip
    return replace(made, cohorts=replace(made.cohorts, rows=rows))


def _everybody(converted: int) -> SegmentsReport:
    """All who converted are members but two or three."""
    made = segments_report()
    first, everybody = made.segments[0], made.everybody
    assert first.window is not None
    assert everybody is not None
    return replace(made, everybody=replace(everybody, converted=278),
                   segments=(replace(first, window=replace(first.window, converted=converted)),))  # fmt: skip


WORLDS: dict[str, tuple[Callable[..., SegmentsReport], tuple[Any, ...], tuple[Any, ...]]] = {
    "a run that moved few": (_moved, (3, 2), (4, 3)),
    "a run that few left": (_moved, (90, 2), (91, 3)),
    "few new buyers": (_lifecycle, (3, 60), (4, 59)),
    "a month with few first buyers": (_cohorts, (4, 60), (3, 61)),
    "few others who converted": (_everybody, (275,), (276,)),
    "few members of one segment alone": (
        lambda both: _segment(neighbours=(Neighbour("empty", both, both / 1200, both / 2000),)), (1197,), (1198,)),
    "few with a reason": (
        lambda few: _segment(reach=(Reach("mail", "email", 1200, 900, 850, {
            ("consent", "no_consent", None): 308, ("cap", "day", None): few, ("cap", "week", None): 42 - few}),)),
        (2,), (3,)),
    "few whom nothing reaches": (
        lambda few: _segment(reach=(Reach("mail", "email", 1200, 1200 - few, 850, {}),)), (2,), (3,)),
    "few who reacted": (lambda few: _segment(contacts=Contacts({"mail": 700}, 690, few, 13.8, 650)), (3,), (2,)),
    "few messages of a place that cost": (
        lambda few: _segment(contacts=Contacts({"mail": few, "letter": 40}, 43, 20, few * 0.7 + 40, 43)), (3,), (4,)),
    "few who did not react": (lambda few: _segment(contacts=Contacts({"mail": 700}, 690, 650 - few, 1.0, 650)),
                              (3,), (2,)),
    "few who have not bought": (
        lambda few: _segment(stages={"new": 200 - few, "active": 700, "back": 300}), (3,), (2,)),
    "few of a stage who are no members": (_outside, (3,), (2,)),
    "few in a stage": (lambda few: _segment(stages={"new": few, "active": 700, "back": 500 - few}), (3,), (2,)),
    "few in a cell": (
        lambda few: replace(segments_report(), rfm=(RfmCell(5, 5, few, few * 10.0), RfmCell(5, 4, 30 - few, 100.0),
                                                    RfmCell(1, 1, 90, 700.0))), (3,), (4,)),
}  # fmt: skip


def told(report: SegmentsReport, least: int) -> str:
    """Everything that is told of it, in every format."""
    made = segments_document(report, "en", "Europe/Berlin", least=least)
    rows = [[str(cell) for cell in row] for row in long_result(report, least=least).rows]
    whole = result(report, least=least)
    sections = [[section.name, [list(map(str, row)) for row in section.rows]] for section in whole.sections]
    return "\n".join((
        as_text(context(), made, details=True), markdown(made), json.dumps(rows), json.dumps(sections),
        json.dumps([list(map(str, row)) for row in whole.rows]), str(whole.facts),
    ))  # fmt: skip


@pytest.mark.parametrize("name", WORLDS)
def test_segments_are_told_alike_whatever_a_hidden_count_is(name: str) -> None:
    make, one, other = WORLDS[name]

    assert told(make(*one), LEAST) == told(make(*other), LEAST)
    assert told(make(*one), 0) != told(make(*other), 0)


# --- Experiments ----------------------------------------------------------------------------------------------
def _few(n: int, events: int = 0) -> AbReport:
    """An experiment whose third arm has few people; all that sums up arms follows."""
    made = ab_report()
    metrics = tuple(
        replace(metric, arms=(*metric.arms[:2], replace(metric.arms[2], n=n, events=events))) for metric in made.metrics
    )
    arms = (*made.arms[:2], replace(made.arms[2], assigned=n, analysed=n, profiles=n, messages=n))
    split = Check("split", "warn", "srm", {"p": 0.004 + n / 1e5, "units": 100_000 + n},
                  ({"arm": "coupon", "units": n, "expected": 100.0 + n, "excess": 9.0, "analysed": n},))  # fmt: skip
    size = Check("power", "warn", "few_in_arm", {"conversions": 2750 + events, "least": events, "units": n, "mde": 0.1})
    coupon = replace(made.money[1], units=n, cost=2.5 * n, profit=replace(made.money[1].profit, estimate=-1.0 * n))
    ahead = replace(
        made.next, reached=100_000 + n, needed=200_000, missing=100_000 - n, per_day=10.0 + n, is_over=False
    )
    groups = tuple(
        replace(one, groups=tuple(group if group.arm == "mail" else replace(group, n_arm=n) for group in one.groups))
        for one in made.groups
    )
    return replace(made, arms=arms, metrics=metrics, checks=(split, size, *made.checks[2:]), next=ahead,
                   money=(made.money[0], coupon), groups=groups)  # fmt: skip


def _told(report: AbReport, least: int) -> str:
    made = ab_document(report, "en", least=least)
    return as_text(context(), made, details=True) + markdown(made)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, LEAST - 1), st.integers(1, LEAST - 1), st.integers(0, 4), st.integers(0, 4))
def test_an_experiment_is_told_alike_however_few_are_in_an_arm(one: int, other: int, some: int, more: int) -> None:
    first, second = _few(one, min(some, one)), _few(other, min(more, other))

    assert _told(first, LEAST) == _told(second, LEAST)


def test_without_hiding_it_is_told_how_few_there_are() -> None:
    assert _told(_few(2), 0) != _told(_few(3), 0)
    assert "100,002" in _told(_few(2), 0)


def test_nobody_of_a_few_is_a_figure_of_these_few() -> None:
    found = next(line for line in markdown(ab_document(_few(3), "en", least=LEAST)).splitlines() if "Mail with" in line)

    assert found.split("|")[2:5] == [" &lt;5 ", " hidden ", " hidden "]


@pytest.mark.parametrize("few", [3, 4])
def test_a_group_is_not_what_the_others_leave_of_an_arm(few: int) -> None:
    made = ab_report()
    (grouping,) = made.groups
    groups = (replace(grouping.groups[0], n_control=10_000 - few), replace(grouping.groups[1], n_control=few))
    whole = replace(made, groups=(replace(grouping, groups=groups, more=0),))
    (section,) = [one for one in ab_document(whole, "en", least=LEAST).sections if one.key == "groups"]

    assert [str(block.lines) for block in section.blocks] == [
        "('bought by country (points): hidden, too few people in them.',)".replace("bought", "purchases")
    ]


def test_groups_with_few_who_did_anything_are_hidden() -> None:
    made = ab_report()
    (grouping,) = made.groups
    groups = tuple(replace(one, n_control=1000, n_arm=9000, events_control=number, events_arm=50)
                   for one, number in zip(grouping.groups, (40, 2, 40), strict=True))  # fmt: skip
    whole = replace(made, groups=(replace(grouping, groups=groups, more=0),))
    (section,) = [one for one in ab_document(whole, "en", least=LEAST).sections if one.key == "groups"]

    assert [row[2] for row in section.blocks[0].rows] == ["hidden", "hidden", "1,000"]


def test_weeks_with_few_who_did_anything_are_hidden() -> None:
    made = ab_report()
    assert made.trend is not None
    few = replace(made.trend, points=tuple(replace(one, control=2 / 10_000) for one in made.trend.points))

    assert "trend" not in {one.key for one in ab_document(replace(made, trend=few), "en", least=LEAST).sections}
    assert "trend" in {one.key for one in ab_document(made, "en", least=LEAST).sections}


def test_all_campaigns_together_do_not_bring_back_a_hidden_arm() -> None:
    def of(n: int) -> str:
        made = control()
        first = made.campaigns[0]
        shown = replace(first, report=_few(n), treated=90_000 + n)
        return markdown(control_document(replace(made, campaigns=(shown, *made.campaigns[1:])), "en", least=LEAST))

    assert of(2) == of(3)
    assert not {"90,002", "90,003"} & set(of(2).split())
    assert "is not told" in of(2)
