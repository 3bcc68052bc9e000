"""Every number of a report on an experiment names its formula, what went in, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace

import pytest
from ab_world import BASKET, BOUGHT, EXPOSED, ORDERED, RETURNED, REVENUE, Event, experiment, orders, reported, world

from segctl.model.times import Duration
from segctl.operations.ab_formulas import FORMULAS, formula
from segctl.operations.ab_result import AbReport
from segctl.operations.ab_sources import explained
from segctl.stats.values import Comparison, Interval

ARMS = {"control": 300, "mail": 300}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> AbReport:
    """With everything that a report can hold."""
    metrics = (replace(BOUGHT, before=Duration(30, "days")), REVENUE, ORDERED, BASKET, RETURNED)
    events = orders(ARMS, {"control": 70, "mail": 110}, lambda at: 10_000_000 if at == 3 else 1000 + at)
    before = [Event(one.person, EXPOSED - (one.at - EXPOSED)) for one in events[::3]]
    declared = experiment(ARMS, metrics, looks="always", strata=("country",))
    session = world(
        tmp_path_factory.mktemp("shop"), ARMS, [*events, *before], declared=declared, strata=lambda at: str(at % 3)
    )
    return reported(session, by=["points"])


def test_every_interval_and_p_of_the_report_is_explained(report: AbReport) -> None:
    told = {(one.value, one.low, one.high) for one in explained(report)}

    parts = [report.metrics, report.money, report.groups, report.headline.extra]
    intervals = [one for part in parts for one in _all(part, Interval)]
    comparisons = [one for part in parts for one in _all(part, Comparison)]
    assert len(intervals) > 60
    assert [one for one in intervals if (one.estimate, one.low, one.high) not in told] == []
    assert [one.p for one in comparisons if (one.p, None, None) not in told] == []


def _all(value: object, kind: type) -> Iterator[object]:
    if isinstance(value, kind):
        yield value
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            # Revenue per unit is the difference of the metric, which is told there.
            yield from () if field.name == "per_unit" else _all(getattr(value, field.name), kind)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _all(one, kind)
    elif isinstance(value, tuple):
        for one in value:
            yield from _all(one, kind)


def test_every_number_has_a_formula_and_what_went_in(report: AbReport) -> None:
    for one in explained(report):
        assert formula(one.key) is not None, (one.path, one.key)
        assert one.formula == formula(one.key).text
        assert one.inputs or one.value is None or one.path.startswith("groups."), one.path


def test_paths_are_asked_for_by_their_parts(report: AbReport) -> None:
    (found,) = [one for one in explained(report, "bought.mail.lift") if one.path == "metrics.bought.mail.lift"]

    assert (found.key, found.source) == ("koopman", "Koopman, Biometrics 40 (1984) 513")
    assert (found.inputs["n_c"], found.inputs["x_c"], found.inputs["x_t"]) == (300, 70, 110)
    assert found.value == report.metric("bought").effects[0].compared.lift.estimate
    assert {one.path.split(".")[0] for one in explained(report, "money")} == {"money"}
    assert explained(report, "nothing.like.that") == ()


def test_formulas_have_no_line_ends() -> None:
    assert [name for name, one in FORMULAS.items() if not one.text or "\n" in one.text + one.source] == []
