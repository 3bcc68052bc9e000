"""Reference values of frequentist statistics: every quantity of every case, flags included."""

from __future__ import annotations

from typing import Any

import pytest
from golden_frame import Adapter, Answer, case, case_ids, dataset, problems

from segctl.stats import rate_intervals, score_intervals
from segctl.stats.exact import boschloo, fisher_p
from segctl.stats.multiplicity import adjust, benjamini_hochberg, bonferroni, holm, simultaneous_confidence
from segctl.stats.rates import compare_rates, omnibus, unpooled_z
from segctl.stats.values import Counts, Interval


def limits(prefix: str, interval: Interval) -> dict[str, object]:
    """Both limits; and the interval's name itself, which cases ask for where there is none."""
    got: dict[str, object] = {f"{prefix}.low": interval.low, f"{prefix}.high": interval.high}
    return got if interval.is_bounded else {**got, prefix: None}


def two_rates(control: Counts, treatment: Counts, alpha: float) -> tuple[dict[str, object], frozenset[str]]:
    level = 1 - alpha
    found = compare_rates(control, treatment, confidence=level)
    z_unpooled, p_unpooled = unpooled_z(control, treatment)
    got: dict[str, object] = {
        "rate.control": found.control,
        "rate.treatment": found.treatment,
        "diff": found.difference.estimate,
        "lift": found.lift.estimate,
        "z_pooled": found.statistic,
        "p_pooled": found.p,
        "z_unpooled": z_unpooled,
        "p_unpooled": p_unpooled,
        "p_fisher": fisher_p(control, treatment).p,
        "p_boschloo": boschloo(control, treatment).p,
        "lift_se_delta": rate_intervals.lift_se(control, treatment),
    }
    for name, arm in (("control", control), ("treatment", treatment)):
        got |= limits(f"rate_ci_wilson.{name}", rate_intervals.wilson(arm, confidence=level))
    shown = {
        "diff_ci_wald": rate_intervals.wald(control, treatment, confidence=level),
        "diff_ci_newcombe": rate_intervals.newcombe(control, treatment, confidence=level),
        "diff_ci_agresti_caffo": rate_intervals.agresti_caffo(control, treatment, confidence=level),
        "diff_ci_score": found.difference,
        "diff_ci_mn": score_intervals.miettinen_nurminen(control, treatment, confidence=level),
        "lift_ci_katz": rate_intervals.katz(control, treatment, confidence=level),
        "lift_ci_koopman": found.lift,
        "lift_ci_delta": rate_intervals.linear_delta(control, treatment, confidence=level),
        "lift_ci_delta_t": rate_intervals.linear_delta(control, treatment, confidence=level, student=True),
    }
    for name, interval in shown.items():
        got |= limits(name, interval)
    return got, frozenset(found.flags)


def proportions(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    if "comparisons" not in inputs:
        arms = {arm["name"]: Counts(arm["n"], arm["conversions"]) for arm in inputs["arms"]}
        control = arms.pop(inputs["control"])
        got, flags = two_rates(control, *arms.values(), inputs["alpha"])
        return Answer(got, flags)
    frame = dataset(inputs["dataset"], inputs["sha256"])
    column, metric = inputs["arm_column"], inputs["metric"]
    arms = {}
    for name, label in inputs["arms"].items():
        rows = frame.filter(frame[column] == label)
        arms[name] = Counts(rows.height, int(rows[metric].sum()))
        assert inputs["counts"][name] == {"n": arms[name].n, "conversions": arms[name].conversions}
    got, flags = {}, frozenset()
    for treatment, control in inputs["comparisons"]:
        prefix = treatment if control == inputs["control"] else f"{treatment}_vs_{control}"
        values, raised = two_rates(arms[control], arms[treatment], inputs["alpha"])
        got |= {f"{prefix}.{name}": value for name, value in values.items()}
        flags |= raised
    return Answer(got, flags)


def multi_arm(case: dict[str, Any]) -> Answer:
    inputs, alpha = case["inputs"], case["inputs"]["alpha"]
    arms = {arm["name"]: Counts(arm["n"], arm["conversions"]) for arm in inputs["arms"]}
    whole = omnibus(list(arms.values()))
    control = arms.pop(inputs["control"])
    found = {name: compare_rates(control, arm, confidence=1 - alpha) for name, arm in arms.items()}
    ps = [comparison.p for comparison in found.values()]
    got: dict[str, object] = {"omnibus.chi2": whole.chi2, "omnibus.p": whole.p}
    tables = {"p_pooled": ps, "p_holm": holm(ps), "p_bh": benjamini_hochberg(ps), "p_bonferroni": bonferroni(ps)}
    for table, values in tables.items():
        got |= {f"{table}.{name}": p for name, p in zip(found, values, strict=True)}
    wide = simultaneous_confidence(1 - alpha, len(arms))
    for name, arm in arms.items():
        got |= limits(f"diff_ci_newcombe_bonf.{name}", rate_intervals.newcombe(control, arm, confidence=wide))
    names = list(found)
    got["significant_holm"] = [names[place] for place in adjust(ps, "holm").rejected(alpha)]
    return Answer(got, frozenset(flag for comparison in found.values() for flag in comparison.flags))


def multiplicity(case: dict[str, Any]) -> Answer:
    inputs, got = case["inputs"], {}
    methods = {
        "holm": "holm",
        "hochberg": "hochberg",
        "bonferroni": "bonferroni",
        "bh": "bh",
        "by": "by",
        "bh_scipy": "bh",
    }
    for name, method in methods.items():
        found = adjust(inputs["p"], method)
        got |= {f"{name}.{place}": p for place, p in enumerate(found.p, 1)}
        got[f"rejected.{name}"] = [place + 1 for place in found.rejected(inputs["alpha"])]
    return Answer(got)


ADAPTERS: dict[str, Adapter] = {
    "proportions": proportions,
    "proportions_table": proportions,
    "multi_arm_proportions": multi_arm,
    "multiplicity": multiplicity,
}


@pytest.mark.parametrize("name", case_ids(ADAPTERS))
def test_every_quantity_and_flag_of_a_case_is_as_in_other_programs(name: str) -> None:
    wanted = case(name)

    answer = ADAPTERS[wanted["kind"]](wanted)

    assert problems(wanted, answer) == []
