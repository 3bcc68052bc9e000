"""Plans of experiments: what the data say, what follows from it by known formulas, and what options change."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from ab_world import BASKET, BOUGHT, ORDERED, PROJECT, RETURNED, REVENUE, Event, write
from audience_shop import shop

from segctl.cli import experiment_plan_texts
from segctl.cli.experiment_plan_words import PlanWords
from segctl.compile.definitions import bind_segment_text
from segctl.model.conditions.events import EventSelection
from segctl.model.errors import UsageError
from segctl.model.experiments import Arm, Better, Experiment, LayerShare, Metric, UniversalHoldout
from segctl.model.times import Duration
from segctl.operations.experiment.basis import _spread, basis
from segctl.operations.experiment.options import Said, experiment_of, given_effect, given_figure
from segctl.operations.experiment.plan import experiment_plan, plan_without_data
from segctl.operations.experiment.plan_result import ExperimentPlan, Given
from segctl.operations.session import Session
from segctl.stats.power import Mean, Rate

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PEOPLE, BUYERS, BEFORE = 400, 60, 90
"""Everybody; those who bought in the last two weeks; those who had bought in the 90 days before that."""
DAY = timedelta(days=1)
METRICS = (BOUGHT, replace(REVENUE, before=Duration(90, "days")), ORDERED, BASKET, RETURNED)


def planted() -> list[Event]:
    """Persons 0 to 59 buy in the window, for 10, 20 … EUR; 30 to 119 bought before; person 0 also today, too late."""
    found = [Event(at, NOW - 3 * DAY, 1000 * (1 + at % 5)) for at in range(BUYERS)]
    found += [Event(at, NOW - 40 * DAY, 1000 * (1 + at % 3)) for at in range(30, 30 + BEFORE)]
    found += [Event(0, NOW + timedelta(hours=1), 99_999), Event(1, NOW - 14 * DAY, 99_999)]
    return [*found, *(Event(at, NOW - 2 * DAY, 500, "order_refunded") for at in range(5))]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    rows: list[dict[str, Any]] = [{"points": at, "first_name": f"h{at // 2}"} for at in range(PEOPLE)]
    segments = {"some": "", "nobody": "expires: 2020-01-01"}
    found = shop(tmp_path_factory.mktemp("plan"), rows, {"winback": range(PEOPLE)}, project=PROJECT, segments=segments)
    write(found, planted())
    nowhere = {name: replace(one, send_to=()) for name, one in found.definitions.segments.items()}
    yield replace(found, definitions=replace(found.definitions, segments=nowhere))
    found.workspace.close()


def experiment(*weights: int, **changes: Any) -> Experiment:
    names = ("control", "mail", "coupon", "letter")
    arms = tuple(Arm(names[at], Decimal(weight), is_sent=at > 0) for at, weight in enumerate(weights or (1, 1)))
    made = Experiment("mail_test", "some", arms, "control", METRICS, Duration(14, "days"), effect=Decimal("0.2"))
    return replace(made, **changes)


def planned(session: Session, one: Experiment | None = None, **given: Any) -> ExperimentPlan:
    return experiment_plan(session, one or experiment(), as_of=NOW, now=NOW, given=Given(**given))


def fleiss(control: float, treatment: float, kappa: float, alpha: float = 0.05, power: float = 0.8) -> float:
    """Units of control; Fleiss, Levin, Paik 2003, by hand."""
    z_alpha, z_power = NormalDist().inv_cdf(1 - alpha / 2), NormalDist().inv_cdf(power)
    pooled = (control + kappa * treatment) / (1 + kappa)
    null = ((1 + 1 / kappa) * pooled * (1 - pooled)) ** 0.5
    real = (control * (1 - control) + treatment * (1 - treatment) / kappa) ** 0.5
    return float(((z_alpha * null + z_power * real) / (treatment - control)) ** 2)


# --- What the data say ------------------------------------------------------------------------------------
def test_metrics_are_measured_in_the_window_before_now(session: Session) -> None:
    found = {one.metric.name: one for one in planned(session).metrics}
    values = np.array([10.0 * (1 + at % 5) if at < BUYERS else 0 for at in range(PEOPLE)])
    before = np.array([10.0 * (1 + at % 3) if 30 <= at < 30 + BEFORE else 0 for at in range(PEOPLE)])
    # Person 1's order at the very instant of exposure counts, as it does in reports.
    values[1] += 999.99
    in_window = found["revenue"].figure
    assert isinstance(in_window, Mean)

    assert found["bought"].figure == Rate(BUYERS / PEOPLE)
    assert in_window.baseline == pytest.approx(values.mean())
    assert in_window.sd == pytest.approx(values.std(ddof=1))
    assert found["revenue"].saving == pytest.approx(np.corrcoef(values, before)[0, 1] ** 2)
    assert (found["revenue"].is_adjusted, found["orders"].is_adjusted) == (True, False)
    assert found["orders"].saving is not None
    assert found["returned"].figure == Rate(5 / PEOPLE)
    assert found["basket"].figure is not None
    assert found["basket"].figure.baseline == pytest.approx(values.sum() / 61)
    assert {one.units for one in found.values()} == {PEOPLE}


def test_who_could_take_part_is_counted(session: Session) -> None:
    found = basis(session, experiment(), as_of=NOW, now=NOW)

    assert (found.members, found.units, found.then) == (PEOPLE, PEOPLE, PEOPLE)
    assert (found.arrivals, found.arrivals_from) == ((), "nothing")
    assert (found.last - found.first, found.reach, found.clusters) == (14 * DAY, None, None)


def test_days_that_nobody_delivered_are_no_days_without_orders(session: Session) -> None:
    later = NOW + 30 * DAY

    found = experiment_plan(session, experiment(), as_of=later, now=later)

    # The newest of the events is the order an hour after.
    assert (found.basis.is_behind, found.basis.last) == (True, NOW + timedelta(hours=1))
    assert found.first.figure == Rate(BUYERS / PEOPLE)
    assert any("2026-11-22" in note for note in PlanWords(found, "en", lambda at: at).notes())
    assert not planned(session).basis.is_behind


def test_members_are_those_of_the_begin_of_the_window(session: Session) -> None:
    """Who is quiet now has bought nothing lately; who was quiet two weeks ago may have bought since."""
    text = "segment: quiet\nwhere: {none: [{event: order_completed, within_last: 14 days}]}"
    quiet, problems = bind_segment_text(text, "segments/quiet.yaml", session.definitions)
    assert quiet is not None, problems
    known = replace(session.definitions, segments={**session.definitions.segments, "quiet": quiet})

    found = planned(replace(session, definitions=known), experiment(segment="quiet"))

    assert found.basis.members == PEOPLE - BUYERS
    # Person 1 bought at that very instant.
    assert found.basis.then == PEOPLE - 1
    assert found.first.figure == Rate((BUYERS - 1) / (PEOPLE - 1))


def test_who_is_in_an_excluded_segment_takes_no_part(session: Session) -> None:
    assert planned(session, experiment(exclude=("winback",))).basis.members == 0


def test_who_has_no_value_of_the_unit_is_one_alone(session: Session) -> None:
    found = planned(session, experiment(same="phone"))

    assert (found.basis.units, found.basis.then) == (PEOPLE, PEOPLE)
    assert found.clusters is not None
    assert found.clusters.mean_size == 1


def test_households_are_units_and_tell_what_they_cost(session: Session) -> None:
    found = planned(session, experiment(same="first_name")).clusters
    # Neighbours buy together except at the edge, so what one does the other does.
    assert found is not None
    assert found.icc is not None
    assert found.design_effect is not None

    assert planned(session, experiment(same="first_name")).basis.units == PEOPLE / 2
    assert found.mean_size == 2
    assert found.icc == pytest.approx(1, abs=0.01)
    assert found.design_effect == pytest.approx(2, abs=0.02)


def test_who_entered_is_spread_over_the_days_between_runs() -> None:
    runs = [(NOW - 14 * DAY, 900), (NOW - 7 * DAY, 70), (NOW, 14)]

    assert _spread(runs, NOW) == (10.0,) * 7 + (2.0,) * 7
    assert _spread(runs[1:2], NOW) == ()
    assert _spread([(NOW - DAY, 900), (NOW, 14)], NOW) == ()
    assert _spread([(NOW - 300 * DAY, 900), (NOW - 200 * DAY, 14)], NOW) == ()


# --- What follows -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("weights", [(1, 1), (1, 9), (1, 4)])
def test_the_size_is_that_of_the_formula(session: Session, weights: tuple[int, int]) -> None:
    found = planned(session, experiment(*weights)).first
    control = fleiss(0.15, 0.18, weights[1] / weights[0])

    assert found.size is not None
    assert found.size.arms[0] == pytest.approx(control, abs=1)
    assert found.size.total == pytest.approx(control * sum(weights) / weights[0], abs=2)
    assert found.size.formula == "fleiss"


def test_several_arms_share_the_error_rate(session: Session) -> None:
    found = planned(session, experiment(1, 1, 1))

    assert found.tests == 2
    assert found.first.size is not None
    assert found.first.size.arms[0] == pytest.approx(fleiss(0.15, 0.18, 1, alpha=0.025), abs=1)


@pytest.mark.parametrize("changes", [
    {"looks": "always"}, {"looks": "planned", "look_shares": tuple(Decimal(at) / 4 for at in (1, 2, 3, 4))},
])  # fmt: skip
def test_looking_early_costs_units(session: Session, changes: dict[str, Any]) -> None:
    plain, early = planned(session), planned(session, experiment(**changes))

    assert plain.first.size is not None
    assert early.first.size is not None
    assert early.first.size.total == pytest.approx(plain.first.size.total * early.inflation, abs=2)
    assert early.inflation > 1.01


def test_what_the_units_there_find_is_what_they_would_be_needed_for(session: Session) -> None:
    found = planned(session).first.at_hand
    assert found is not None
    assert found.relative is not None

    again = planned(session, experiment(effect=Decimal(str(found.relative))))

    assert again.first.size is not None
    assert again.first.size.total == pytest.approx(PEOPLE, abs=2)


def test_a_covariate_saves_its_share(session: Session) -> None:
    with_it = planned(session, experiment(metrics=(replace(METRICS[1], role="primary"),))).first
    without = planned(session, experiment(metrics=(replace(REVENUE, role="primary"),))).first
    assert with_it.size is not None
    assert without.size is not None
    assert with_it.saving is not None

    assert with_it.size.total == pytest.approx(without.size.total * (1 - with_it.saving), rel=0.001)


def test_a_smaller_control_needs_more_of_everybody(session: Session) -> None:
    found = planned(session, experiment(metrics=(replace(REVENUE, role="primary"),))).splits
    by_share = {round(one.control, 2): one.total or 0 for one in found}

    assert [one.control for one in found if one.is_declared] == [0.5]
    assert by_share[0.05] / by_share[0.5] == pytest.approx(5.3, abs=0.05)
    assert sorted(by_share.values(), reverse=True) == list(by_share.values())
    effects = [one.at_hand or 0 for one in found]
    assert effects == sorted(effects, reverse=True)


def test_the_curve_falls(session: Session) -> None:
    effects = [one.relative for one in planned(session).curve if one.relative is not None]

    assert len(effects) >= 10
    assert effects == sorted(effects, reverse=True)


def test_layer_traffic_and_universal_holdout_leave_a_part(session: Session) -> None:
    one = experiment(layer=LayerShare("m", Decimal("0.5"), Decimal(1)), traffic=Decimal("0.4"))
    held = (
        UniversalHoldout("h1", Decimal("0.3"), NOW - 90 * DAY, NOW - DAY),
        UniversalHoldout("h2", Decimal("0.1"), NOW - DAY),
    )
    known = replace(session.definitions, project=replace(session.project, universal_holdouts=held))

    found = planned(replace(session, definitions=known), one)

    assert found.taking_part == pytest.approx(0.5 * 0.4 * 0.9)
    assert found.units == 72


def test_other_metrics_fall_where_a_fall_is_looked_for(session: Session) -> None:
    def signs(effect: str, better: Better) -> list[bool]:
        metrics = (BOUGHT, replace(ORDERED, better=better), replace(REVENUE, role="guardrail", better="lower"))
        found = planned(session, experiment(effect=Decimal(effect), metrics=metrics)).metrics
        return [one.at_hand is not None and (one.at_hand.relative or 0) < 0 for one in found]

    # The guard-rail goes its own way: lower is better.
    assert signs("-0.2", "higher") == [True, True, True]
    assert signs("0.2", "higher") == [False, False, True]
    assert signs("0.2", "lower") == [False, True, True]


def test_of_times_beside_the_primary_metric_no_size_is_said(session: Session) -> None:
    soon = Metric("soon", "time", BOUGHT.selection, BOUGHT.measure, better="lower")
    found = planned(session, experiment(metrics=(BOUGHT, soon)))

    assert found.metrics[1].figure is not None
    assert (found.metrics[1].size, found.metrics[1].at_hand) == (None, None)
    assert any(note.startswith("`soon`: who does nothing") for note in PlanWords(found, "en", lambda at: at).notes())


def test_what_is_no_plan_of_the_declared_experiment_is_said(session: Session) -> None:
    plan = planned(session)

    notes = PlanWords(replace(plan, declared_arms=3, told=12), "en", lambda at: at).notes()

    assert "This is a plan of 2 arms; the experiment declares 3" in notes
    assert any("12 people were exposed to it" in note for note in notes)
    same = PlanWords(replace(plan, declared_arms=2), "en", lambda at: at).notes()
    assert not any("declares" in note or "exposed" in note for note in same)


def test_guard_rails_are_not_planned_for(session: Session) -> None:
    found = {one.metric.name: one for one in planned(session).metrics}

    assert found["returned"].size is None
    assert found["returned"].at_hand is not None
    assert found["returned"].at_hand.absolute is None or found["returned"].at_hand.absolute < 0


# --- The verdict ------------------------------------------------------------------------------------------
CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("open", {"effect": None}, {}),
    ("enough_now", {}, {"units": 50_000}),
    ("enough_later", {}, {"per_day": 100.0}),
    ("too_late", {"end": NOW + 20 * DAY}, {"per_day": 100.0}),
    ("hopeless", {}, {}),
    ("hopeless", {}, {"per_day": 1.0}),
    ("hopeless", {"effect": Decimal(20)}, {"per_day": 100.0}),
    ("no_baseline", {"segment": "nobody"}, {}),
    ("nobody", {"segment": "nobody"}, {"figure": Rate(0.1)}),
]  # fmt: skip


@pytest.mark.parametrize(("verdict", "changes", "given"), CASES)
def test_the_verdict(session: Session, verdict: str, changes: dict[str, Any], given: dict[str, Any]) -> None:
    assert planned(session, experiment(**changes), **given).verdict == verdict


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(("verdict", "changes", "given"), CASES)
def test_every_verdict_has_its_sentence(
    session: Session, language: Any, verdict: str, changes: dict[str, Any], given: dict[str, Any]
) -> None:
    plan = planned(session, experiment(same="first_name" if verdict == "hopeless" else None, **changes), **given)
    words = PlanWords(plan, language, lambda at: at)

    told = [*words.lines(), *words.notes()]

    assert told
    assert not any("{" in line or "None" in line for line in told), told
    assert words.lines()[0].endswith(".")


def test_a_hopeless_plan_says_what_could_be_found(session: Session) -> None:
    told = " ".join(PlanWords(planned(session), "en", lambda at: at).lines())

    assert "This is hopeless: with 400 profiles the smallest effect you can find is +" in told
    assert "+20 % in `bought` (15.0 % → 18.0 %)" in told


def test_both_languages_have_the_same_sentences() -> None:
    german = {key.removesuffix("_n") for key in experiment_plan_texts.DE}

    assert german == set(experiment_plan_texts.EN)


def test_of_a_control_of_nothing_an_effect_has_no_percentage(session: Session) -> None:
    # Nobody logs a refund of the second metric's kind, so the rate is 0: only points can be told.
    clicked = replace(BOUGHT, selection=EventSelection(("contacted",)))
    found = planned(session, experiment(metrics=(clicked,), effect=None))

    (line,) = PlanWords(found, "en", lambda at: at).lines()

    assert found.first.figure == Rate(0.0)
    assert re.search(r"the smallest effect you can find is \+\d+\.\d points", line)
    assert any("rough" in note for note in PlanWords(found, "en", lambda at: at).notes())


def test_the_planned_size_and_end_say_what_they_find(session: Session) -> None:
    size = planned(session, experiment(size=2000)).at_end
    end = planned(session, experiment(end=NOW + 34 * DAY), per_day=80.0).at_end

    assert size is not None
    assert end is not None
    # 20 days of 80 and the 400 there are; those who come later are not watched for two weeks.
    assert (size.total, end.total) == (2000, 2000)
    assert size == end


# --- Options ----------------------------------------------------------------------------------------------
def test_options_stand_in_for_a_declaration(session: Session) -> None:
    said = Said(segment="some", event="order_completed", split="10/45/45", power="90%", confidence="99 %", looks="3",
                window="30 days")  # fmt: skip

    found, is_declared = experiment_of(session.definitions, said)

    assert not is_declared
    assert [(arm.name, arm.weight) for arm in found.arms] == [("control", 10), ("arm_1", 45), ("arm_2", 45)]
    assert (found.power, found.confidence, found.window) == (Decimal("0.9"), Decimal("0.99"), Duration(30, "days"))
    assert (found.looks, len(found.look_shares)) == ("planned", 3)
    assert found.metrics[0].selection.events == ("order_completed",)


def test_a_rate_or_a_mean_can_be_given_where_there_are_no_data(session: Session) -> None:
    said = Said(segment="nobody", baseline="3 %", effect="+20%")
    one, _ = experiment_of(session.definitions, said)
    figure = given_figure(said, session.project)

    found = planned(session, one, figure=figure, effect=given_effect(said, session.project), units=100_000)

    assert figure == Rate(0.03)
    assert given_figure(Said(baseline="12.50", sd="40"), session.project) == Mean(12.5, 40.0)
    assert found.verdict == "enough_now"
    assert found.first.size is not None
    assert found.first.size.arms[0] == pytest.approx(fleiss(0.03, 0.036, 1), abs=1)


def test_where_everything_is_given_no_data_are_asked_for(session: Session) -> None:
    given = Given(Rate(0.15), units=PEOPLE, effect=Decimal("0.2"))

    found = plan_without_data(session.project, experiment(effect=None), as_of=NOW, given=given)

    with_data = planned(session)
    assert found.first.size == with_data.first.size
    assert found.curve == with_data.curve
    assert [one.figure for one in found.metrics[1:]] == [None] * 4


@pytest.mark.parametrize(
    "said",
    [
        Said(),
        Said(name="mail_test"),
        Said(segment="some"),
        Said(segment="sone", event="order_completed"),
        Said(segment="some", event="order_completd"),
        Said(segment="some", name="x"),
        Said(segment="some", baseline="3", split="1"),
        Said(segment="some", baseline="3 %", split="0/1"),
        Said(segment="some", baseline="3 %", split="a/1"),
        Said(segment="some", baseline="3 %", arms="1"),
        Said(segment="some", baseline="3 %", arms="-3"),
        Said(segment="some", baseline="3 %", arms="3", split="1/1"),
        Said(segment="some", baseline="3 %", power="10 %"),
        Said(segment="some", baseline="3 %", confidence="1,5"),
        Said(segment="some", baseline="3 %", looks="1"),
        Said(segment="some", baseline="3 %", looks="now"),
        Said(segment="some", baseline="3 %", window="soon"),
        Said(segment="some", baseline="3 %", window="2 calendar weeks"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(session: Session, said: Said) -> None:
    with pytest.raises(UsageError) as told:
        experiment_of(session.definitions, said)

    assert told.value.code in ("SEG104", "SEG510")


@pytest.mark.parametrize(
    "said",
    [Said(baseline="130 %"), Said(baseline="often"), Said(sd="3"), Said(baseline="3", sd="-1"), Said(effect="0 %"),
     Said(effect="much"), Said(effect="-100 %"), Said(effect="20")],
)  # fmt: skip
def test_figures_that_cannot_be_are_refused(session: Session, said: Said) -> None:
    def asked() -> None:
        given_figure(said, session.project)
        given_effect(said, session.project)

    with pytest.raises(UsageError) as told:
        asked()
    assert told.value.code == "SEG104"


def test_the_only_experiment_need_not_be_named(session: Session, tmp_path: Path) -> None:
    one = replace(session.definitions, experiments={"mail_test": experiment()})
    two = replace(one, experiments={"mail_test": experiment(), "other": replace(experiment(), name="other")})

    assert experiment_of(one, Said())[0].name == "mail_test"
    with pytest.raises(UsageError, match="which of 2 experiments"):
        experiment_of(two, Said())
    with pytest.raises(UsageError, match="there is no experiment `othr`"):
        experiment_of(two, Said(name="othr"))
