"""Small counts stay hidden: another world, in which a hidden count is another one, has the same report."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from report_samples import report as ab_report
from test_report_explain import control
from test_segment_report_view import context, points
from test_segment_report_view import report as segments_report

from segctl.cli.report_ab import list_document
from segctl.cli.report_ab import result as ab_result
from segctl.cli.report_ab_story import document as ab_document
from segctl.cli.report_control import result as control_result
from segctl.cli.report_control_story import document as control_document
from segctl.cli.report_explain import explained
from segctl.cli.report_explain_control import explained as explained_control
from segctl.cli.report_health import without_small as without_small_health
from segctl.cli.report_markdown import markdown
from segctl.cli.report_speech import AbSpeech
from segctl.cli.report_view import text as as_text
from segctl.cli.segment_rows import long_result, result
from segctl.cli.segment_view import document as segments_document
from segctl.cli.small_control import without_small as without_small_control
from segctl.cli.small_counts import Ledger
from segctl.cli.small_experiments import told as without_small
from segctl.model.exits import ExitCode
from segctl.operations.ab.parts import Check
from segctl.operations.ab.result import AbReport
from segctl.operations.health.health import Examined, HealthFinding, SegmentHealth
from segctl.operations.segment_report.values import (
    STAGES,
    Contacts,
    Figures,
    Lifecycle,
    Neighbour,
    Reach,
    RfmCell,
    SegmentsReport,
)

LEAST = 5


# --- The rule -------------------------------------------------------------------------------------------------
def _follows(rows: list[dict[str, int]], told: set[str]) -> set[str]:
    """Names whose value the told ones and the relations fix: no direction that keeps the rest moves them."""
    unknown = sorted({name for row in rows for name in row} - told)
    matrix = np.array([[row.get(name, 0) for name in unknown] for row in rows], float)
    rank = np.linalg.matrix_rank
    units = np.eye(len(unknown))
    return told | {
        name for name, unit in zip(unknown, units, strict=True) if rank(matrix) == rank(np.vstack([matrix, unit]))
    }


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 6) | st.integers(0, 90), min_size=3, max_size=3), min_size=2, max_size=4))
def test_no_small_cell_of_a_table_follows_from_its_margins_and_told_cells(table: list[list[int]]) -> None:
    cells = {f"{r},{c}": n for r, row in enumerate(table) for c, n in enumerate(row)}
    sums = {f"row {r}": [f"{r},{c}" for c in range(3)] for r in range(len(table))}
    sums |= {f"column {c}": [f"{r},{c}" for r in range(len(table))] for c in range(3)}
    sums |= {"all": [f"row {r}" for r in range(len(table))], "all again": [f"column {c}" for c in range(3)]}
    counts = dict(cells)
    for name, parts in sums.items():
        counts[name] = sum(counts[part] for part in parts)
    ledger = Ledger(LEAST)
    for name, people in counts.items():
        ledger.told(name, people, rank=float(name not in cells))
    for name, parts in sums.items():
        ledger.sum(name, *parts)

    hidden = ledger.hidden()

    small = {name for name, people in counts.items() if 0 < people < LEAST}
    rows = [{name: -1, **dict.fromkeys(parts, 1)} for name, parts in sums.items()]
    nobody = {name for name, people in counts.items() if not people}
    assert not _follows(rows, (set(counts) - hidden) | nobody) & small
    if not small:
        assert not hidden


def _parts(**counts: int) -> frozenset[Any]:
    ledger = Ledger(LEAST)
    for name, people in counts.items():
        ledger.told(name, people)
    ledger.told("all", sum(counts.values()), rank=9)
    ledger.sum("all", *counts)
    return ledger.hidden()


def test_parts_that_are_large_or_nobody_are_told() -> None:
    assert _parts(a=0, b=5, c=70) == frozenset()
    assert _parts(a=0, b=3, c=9, d=70) == {"b", "c"}


def test_hidden_parts_are_together_neither_few_nor_one_each() -> None:
    assert _parts(a=2, b=2, c=6, d=60) == {"a", "b", "c"}
    assert _parts(a=1, b=1, c=1, d=1, e=1, f=60) == frozenset("abcdef")


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


def _apart(few: int) -> SegmentsReport:
    """Two segments without a common member have everybody but a few."""
    made = segments_report()
    first = replace(made.segments[0], size=1200 - few, share=0.3 - few / 4000, points=(), neighbours=())
    return replace(made, segments=(first, replace(made.segments[1], size=2800, share=0.7)))


def _never(few: int) -> SegmentsReport:
    """Everybody but a few bought once, by each way to count them."""
    made = segments_report()
    assert made.lifecycle is not None
    assert made.cohorts is not None
    now = made.lifecycle.now | {"new": 60 - few, "lost": 2950}
    cells = (RfmCell(5, 5, 2000, 10.0), RfmCell(1, 1, 2000 - few, 900.0))
    rows = (replace(made.cohorts.rows[0], people=2000, active=(2000, 50)),
            replace(made.cohorts.rows[1], people=2000 - few, active=(2000 - few, 50)))  # fmt: skip
    return replace(made, lifecycle=replace(made.lifecycle, now=now, never=few), rfm=cells,
                   cohorts=replace(made.cohorts, rows=rows))  # fmt: skip


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
    "a month with few first buyers": (_cohorts, (4, 1616), (3, 1617)),
    "few others who converted": (_everybody, (275,), (276,)),
    "few members of one segment alone": (
        lambda both: _segment(neighbours=(Neighbour("empty", both, both / 1200, both / 2000),)), (1197,), (1198,)),
    "few with a reason": (
        lambda few: _segment(reach=(Reach("mail", "email", 1200, 900, 850, {
            ("consent", "no_consent", None): 300, ("cap", "day", None): few, ("cap", "week", None): 50 - few}),)),
        (2,), (3,)),
    "few who objected": (
        lambda few: _segment(reach=(Reach("mail", "email", 1200, 900, 850, {
            ("consent", "no_consent", None): 300 - few, ("consent", "objected", None): few,
            ("cap", "day", None): 3, ("cap", "week", None): 47}),)), (2,), (3,)),
    "few who are no members": (
        lambda few: _segment(size=4000 - few, share=1 - few / 4000, points=points(3000, 4000 - few)), (2,), (3,)),
    "few members more with a run that nobody left": (
        lambda few: _segment(points=(*points(1000, 1200 - few)[:2],
                                     replace(points(1, 1200)[1], run="now", entered=few, left=0)), entered=few, left=0),
        (2,), (3,)),
    "few members more than those of a narrower rule": (
        lambda few: replace(segments_report(), segments=(
            replace(segments_report().segments[0], neighbours=(Neighbour("empty", 1200 - few, 1 - few / 1200, 0.9),)),
            replace(segments_report().segments[1], size=1200 - few, share=0.3))), (2,), (3,)),
    "few whom no segment has": (_apart, (2,), (3,)),
    "few who never bought": (_never, (2,), (3,)),
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
                                                    RfmCell(1, 1, 1590, 700.0))), (3,), (4,)),
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


def _world(people: list[tuple[int, ...]]) -> tuple[SegmentsReport, dict[str, set[int]]]:
    """A report made of people: which of three segments each is in, whether converted, and a stage; and its sets."""
    made, everybody = segments_report(), set(range(len(people)))
    sets = {name: {i for i in everybody if people[i][at]} for at, name in enumerate("abc")}
    bought = {i for i in everybody if people[i][3]}
    segments = []
    for name, members in sets.items():
        near = tuple(Neighbour(other, len(members & of), len(members & of) / len(members), 0.5)
                     for other, of in sets.items() if other != name and members & of)  # fmt: skip
        stages = {stage: sum(people[i][4] == at for i in members) for at, stage in enumerate(STAGES)}
        segments.append(replace(
            made.segments[1], segment=name, size=len(members), share=len(members) / len(people),
            window=Figures(len(members), len(members & bought)), neighbours=near, stages=stages,
        ))  # fmt: skip
    now = {stage: sum(one[4] == at for one in people) for at, stage in enumerate(STAGES)}
    never = sum(one[4] == len(STAGES) for one in people)
    cycle = Lifecycle(60, 180, "gaps", now, never, {})
    whole = replace(
        made, profiles=len(people), everybody=Figures(len(people), len(bought)), segments=tuple(segments),
        cohorts=None, rfm=None, lifecycle=cycle, declared=("conversion",),
    )  # fmt: skip
    return whole, {**sets, "*": everybody, "bought": bought}


def _numbers(report: SegmentsReport) -> dict[tuple[str, ...], int]:
    """Counts that the data for machines tell, by what they count."""
    made = result(report, least=LEAST)
    found: dict[tuple[str, ...], int | None] = {("all",): made.facts["profiles"], ("never", "*"): (
        made.facts["lifecycle"]["never"])}  # fmt: skip
    found |= {(name, "*"): made.facts["everybody"][name] for name in ("people", "converted")}
    columns = [column.name for column in made.columns]
    for values in made.rows:
        row = dict(zip(columns, values, strict=True))
        found |= {(name, row["segment"]): row[name] for name in ("members", "people", "converted")}
    for section in made.sections:
        if section.name == "overlap":
            found |= {("both", *sorted(row[:2])): row[2] for row in section.rows}
        if section.name == "stages":
            found |= {(row[1], row[0] or "*"): row[2] for row in section.rows}
    return {name: count for name, count in found.items() if count is not None}


@pytest.mark.parametrize("seed", range(24))
def test_no_difference_of_told_counts_is_a_count_of_few(seed: int) -> None:
    chance = random.Random(seed)
    shares = chance.choices((0.02, 0.3, 0.6, 0.97), k=4)
    stages = chance.choices((1, 4, 30), k=6)
    people = [(*(chance.random() < share for share in shares), chance.choices(range(6), stages)[0]) for _ in range(80)]
    people[0] = (True, True, True, *people[0][3:])
    if seed % 4 == 0:  # Three segments that share nobody are everybody, or nearly.
        cut = chance.choices(range(3), chance.choices((1, 30), k=3), k=80)
        people = [(*(at == own for at in range(3)), *one[3:]) for own, one in zip(cut, people, strict=True)]
    report, sets = _world(people)
    told = _numbers(report)
    who: dict[tuple[str, ...], set[int]] = {("all",): sets["*"]}
    for name in "abc*":
        who |= {("members", name): sets[name], ("people", name): sets[name]}
        who[("converted", name)] = sets[name] & sets["bought"]
        who |= {(stage, name): {i for i in sets[name] if people[i][4] == at}
                for at, stage in enumerate((*STAGES, "never"))}  # fmt: skip
        who |= {("both", *sorted((name, other))): sets[name] & sets[other] for other in "abc"}

    assert all(len(who[name]) == count for name, count in told.items())
    assert not any(0 < count < LEAST for count in told.values())
    for whole in told:
        for parts in _parts_of(whole, told):
            left = set(who[whole]).difference(*(who[part] for part in parts))
            apart = sum(len(who[part]) for part in parts) == len(set().union(*(who[part] for part in parts)))
            if apart and all(who[part] <= who[whole] for part in parts):
                assert not 0 < len(left) < LEAST, (whole, parts)


def _parts_of(whole: tuple[str, ...], told: Iterable[tuple[str, ...]]) -> Iterator[Sequence[tuple[str, ...]]]:
    """What a reader takes from a count: another that lies within it, and all of a kind that make it up."""
    sizes = [one for one in told if one[0] in ("all", "members", "people")]
    of_it = [one for one in told if one != whole and (one[-1] == whole[-1] or whole[-1] in one or whole == ("all",))]
    if whole in sizes:
        yield from ([one] for one in {*sizes, *of_it} - {whole})
        members = [one for one in sizes if one[0] == "members" and one != whole]
        yield from (several for n in (2, 3) for several in combinations(members, n))
        stages = [one for one in of_it if one[0] in (*STAGES, "never") and (one[-1] == whole[-1] or one[-1] == "*")]
        yield stages
    elif whole[-1] == "*":
        yield from ([one] for one in told if one[0] == whole[0] and one != whole)


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
    made, data = ab_document(report, "en", least=least), ab_result(report, ExitCode.OK, least=least)
    numbers = explained(without_small(AbSpeech(report, "en", least=least)), "en")
    return "\n".join((
        as_text(context(), made, details=True), markdown(made), str([list(row.items()) for row in data.rows]),
        json.dumps(data.document, default=str), str([(one.name, one.value, one.inputs) for one in numbers]),
    ))  # fmt: skip


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
    counts = ((1000, 40), (1000, 2), (8000, 188))
    groups = tuple(replace(one, n_control=n, n_arm=9 * n, events_control=number, events_arm=12 * number)
                   for one, (n, number) in zip(grouping.groups, counts, strict=True))  # fmt: skip
    whole = replace(made, groups=(replace(grouping, groups=groups, more=0),))
    (section,) = [one for one in ab_document(whole, "en", least=LEAST).sections if one.key == "groups"]

    assert [row[2] for row in section.blocks[0].rows] == ["hidden", "hidden", "8,000"]


def test_weeks_with_few_who_did_anything_are_hidden() -> None:
    made = ab_report()
    assert made.trend is not None
    few = replace(made.trend, points=tuple(replace(one, control=2 / 10_000) for one in made.trend.points))

    assert "trend" not in {one.key for one in ab_document(replace(made, trend=few), "en", least=LEAST).sections}
    assert "trend" in {one.key for one in ab_document(made, "en", least=LEAST).sections}


@pytest.mark.parametrize(("everybody", "is_told"), [(400, True), (278, False)])
def test_health_tells_no_rates_that_bring_back_what_few_others_did(everybody: int, is_told: bool) -> None:
    made = segments_report(everybody=Figures(3900, everybody, 9000.0, 150_000.0, 800))
    values = {"people": 1100, "others": 2900, "rate": 0.25, "rate_of_others": 0.04, "per_person": 5.0,
              "per_person_of_others": 2.0, "unit": "EUR"}  # fmt: skip
    found = HealthFinding("not_paying", "watch", "25.0 % against 4.0 %", "narrow it", values, 0.01)
    one = SegmentHealth("winback", (found,), 1200, None, None, None, None, 3, None, None)

    (told,) = without_small_health(Examined((one,), made), "en", LEAST)
    assert (told.findings[0] == found) is is_told
    assert is_told or (told.findings[0].values["rate"], told.findings[0].p) == (None, None)
    assert is_told or "25.0" not in told.findings[0].reason


@pytest.mark.parametrize(
    ("weeks", "is_told"),
    [((2000, 1000), True), ((2517, 40), False), ((2000, 517), False), ((2500, 523), True), ((2480, 43), False),
     ((2000, 3), False), ((0, 1000), True)],
)  # fmt: skip
@pytest.mark.parametrize("counted", [True, False])
def test_weeks_that_leave_few_of_all_are_hidden(weeks: tuple[int, int], is_told: bool, counted: bool) -> None:
    made = ab_report()
    assert made.trend is not None
    of_mail = [one for one in made.trend.points if one.arm == "mail"]
    points = tuple(replace(one, value=did / 90_000, events=did if counted else None)
                   for one, did in zip(of_mail, weeks, strict=True))  # fmt: skip
    whole = replace(made, trend=replace(made.trend, points=points))

    shown = ab_result(whole, ExitCode.OK, least=LEAST).document["report"]["trend"]
    assert (shown is not None) is is_told
    assert shown is None or {one["events"] for one in shown["points"]} == {None}


def test_weeks_of_a_mean_with_few_who_did_anything_are_hidden() -> None:
    made = ab_report()
    assert made.trend is not None
    points = tuple(replace(one, control=0.003, events_control=1) for one in made.trend.points)
    whole = replace(made, trend=replace(made.trend, metric="revenue", points=points))

    assert ab_result(made, ExitCode.OK, least=LEAST).document["report"]["trend"] is not None
    assert ab_result(whole, ExitCode.OK, least=LEAST).document["report"]["trend"] is None


@pytest.mark.parametrize(("least", "arms"), [(0, "control 10,003, mail 90,000"), (LEAST, "control, mail")])
def test_the_list_of_experiments_tells_no_counts_beside_which_few_follow(least: int, arms: str) -> None:
    one = SimpleNamespace(
        experiment="coupon", state="running", is_declared=True, segment="vip", began=None, ends=None, share=0.5,
        arms={"control": 10_003, "mail": 90_000},
    )  # fmt: skip
    (section,) = list_document(SimpleNamespace(), [one], "en", least=least).sections

    (row,) = section.blocks[0].rows
    assert (row[3], row[6]) == (arms, "hidden" if least else "50 %")


def test_all_campaigns_together_do_not_bring_back_a_hidden_arm() -> None:
    def of(n: int) -> str:
        made = control()
        first = made.campaigns[0]
        shown = replace(first, report=_few(n), treated=90_000 + n)
        whole = replace(made, campaigns=(shown, *made.campaigns[1:]))
        data = control_result(whole, least=LEAST)
        numbers = explained_control(without_small_control(whole, LEAST), "en")
        told = (list(data.rows), json.dumps(data.document, default=str), [(one.name, one.inputs) for one in numbers])
        return markdown(control_document(whole, "en", least=LEAST)) + "\n".join(map(str, told))

    assert of(2) == of(3)
    assert not {"90,002", "90,003"} & set(of(2).split())
    assert "is not told" in of(2)
