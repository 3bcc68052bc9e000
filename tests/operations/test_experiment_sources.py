"""Every number of a full report on an experiment can be explained: by a known formula, with its source and inputs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ab_world import BASKET, BOUGHT, EXPOSED, ORDERED, RETURNED, REVENUE, Event, experiment, orders, reported, world

from segctl.cli.report_explain import explained
from segctl.cli.report_formulas import FORMULAS
from segctl.model.times import Duration
from segctl.operations.ab.result import AbReport

ARMS = {"control": 300, "mail": 300, "coupon": 300}
PARTS = ("difference", "lift", "p")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> AbReport:
    """With everything that a report can hold."""
    metrics = (replace(BOUGHT, before=Duration(30, "days")), REVENUE, ORDERED, BASKET, RETURNED)
    events = orders(ARMS, {"control": 70, "mail": 110, "coupon": 90}, lambda at: 10_000_000 if at == 3 else 1000 + at)
    before = [Event(one.person, EXPOSED - (one.at - EXPOSED)) for one in events[::3]]
    declared = experiment(ARMS, metrics, looks="always", strata=("country",))
    session = world(
        tmp_path_factory.mktemp("shop"), ARMS, [*events, *before], declared=declared, strata=lambda at: str(at % 3)
    )
    return reported(session, by=["points"])


def test_every_part_of_the_report_is_explained(report: AbReport) -> None:
    names = {one.name for one in explained(report, "en")}

    wanted = {f"{m.name}.{arm.arm}.value" for m in report.metrics for arm in m.arms}
    wanted |= {
        f"{m.name}.{one.arm}.{part}" for m in report.metrics for one in m.effects for part in (*PARTS, *one.also)
    }
    wanted |= {f"{m.name}.{one.arm}.p_adjusted" for m in report.metrics if m.correction for one in m.effects}
    wanted |= {f"groups.{by.by}.{one.arm}.{one.group}.{part}"
               for by in report.groups for one in by.groups for part in (*PARTS, "p_adjusted")}  # fmt: skip
    wanted |= {f"groups.{by.by}.{arm}.{part}"
               for by in report.groups for arm in by.differs for part in ("differs", "stratified")}  # fmt: skip
    wanted |= {f"weeks.{arm}.p" for arm in ("mail", "coupon")} | {f"next.weight.{arm}" for arm in ("mail", "coupon")}
    wanted |= {f"money.{arm}.{part}" for arm in ("mail", "coupon") for part in ("revenue", "roi", "p_above", "cost")}
    wanted |= {"headline.extra", "next.mde", *(f"check.{check.name}" for check in report.checks)}
    assert len(wanted) > 150
    assert wanted - names == set()


def test_every_formula_is_known_and_has_a_source(report: AbReport) -> None:
    found = [one for one in explained(report, "en") if not one.name.startswith("check.")]

    assert sorted({one.method for one in found} - set(FORMULAS)) == []
    assert [one.name for one in found if not one.source or not (one.inputs or one.name.endswith("attributed"))] == []
