"""Reference values of frequentist statistics: every quantity of every case, flags included."""

from __future__ import annotations

from math import inf
from pathlib import Path
from typing import Any

import pytest
from golden_frame import (
    FOLDER,
    FREQUENTIST,
    HASHES,
    SEQUENTIAL,
    Adapter,
    Answer,
    case,
    case_ids,
    compared,
    dataset,
    problems,
)

from segctl.stats import rate_intervals, score_intervals
from segctl.stats.compliance import compliance, of_conversions
from segctl.stats.cuped import cuped
from segctl.stats.effects import effect_of, fieller, linear_delta, log_delta
from segctl.stats.exact import boschloo, fisher_p
from segctl.stats.means import compare_means, estimate, variance
from segctl.stats.moments import of_rows, of_spread, of_sums
from segctl.stats.money import Cost, worth
from segctl.stats.multiplicity import adjust, benjamini_hochberg, bonferroni, holm, simultaneous_confidence
from segctl.stats.rates import compare_rates, omnibus, unpooled_z
from segctl.stats.ratios import compare_ratios, linearised
from segctl.stats.regression import ancova, lin
from segctl.stats.strata import Stratum, mantel_haenszel, over_strata
from segctl.stats.values import Counts, Interval, Moments


def rows_of(inputs: dict[str, Any]) -> dict[str, Any]:
    """The rows of each arm of a data set."""
    frame = dataset(inputs["dataset"], inputs["sha256"])
    return {name: frame.filter(frame[inputs["arm_column"]] == label) for name, label in inputs["arms"].items()}


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
    arms = {name: Counts(rows.height, int(rows[inputs["metric"]].sum())) for name, rows in rows_of(inputs).items()}
    assert inputs["counts"] == {name: {"n": arm.n, "conversions": arm.conversions} for name, arm in arms.items()}
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


def named_moments(arm: dict[str, Any]) -> Moments:
    if "values" in arm:
        return of_rows({"value": arm["values"]})
    if "numerator" in arm:
        return of_rows({"value": arm["numerator"], "below": arm["denominator"]})
    return of_spread(arm["n"], {"value": arm["mean"]}, {("value", "value"): arm["sd"] ** 2})


def two_means(control: Moments, treatment: Moments, level: float) -> tuple[dict[str, object], frozenset[str]]:
    found = compare_means(control, treatment, confidence=level)
    one, other = estimate(control), estimate(treatment)
    assert one is not None
    assert other is not None
    effect = effect_of(one, other)
    got: dict[str, object] = {
        "mean.control": found.control,
        "mean.treatment": found.treatment,
        "sd.control": variance(control) ** 0.5,
        "sd.treatment": variance(treatment) ** 0.5,
        "diff": found.difference.estimate,
        "se": found.se,
        "df": found.df,
        "t": found.statistic,
        "p": found.p,
        "lift": found.lift.estimate,
    }
    got |= limits("diff_ci", found.difference)
    got |= limits("lift_ci_delta_t", linear_delta(effect, confidence=level))
    got |= limits("lift_ci_log_t", log_delta(one, other, confidence=level))
    got |= limits("lift_ci_fieller_z", fieller(effect, confidence=level, df=inf))
    return got, frozenset(found.flags)


def means(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    level = 1 - inputs["alpha"]
    if "comparisons" not in inputs:
        arms = {arm["name"]: named_moments(arm) for arm in inputs["arms"]}
        control = arms.pop(inputs["control"])
        got, flags = two_means(control, *arms.values(), level)
        return Answer(got, flags, {"p_mann_whitney": "a rank test answers another question than revenue does"})
    rows = rows_of(inputs)
    arms = {name: of_rows({"value": frame[inputs["metric"]].to_numpy()}) for name, frame in rows.items()}
    got, flags = {}, frozenset()
    for treatment, control in inputs["comparisons"]:
        values, raised = two_means(arms[control], arms[treatment], level)
        got |= {f"{treatment}.{name}": value for name, value in values.items()}
        flags |= raised
    return Answer(got, flags)


def ratio(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    level = 1 - inputs["alpha"]
    arms = {arm["name"]: named_moments(arm) for arm in inputs["arms"]}
    control, treatment = arms.pop(inputs["control"]), *arms.values()
    found = compare_ratios(control, treatment, confidence=level)
    one, other = (estimate(moved) for arm in (control, treatment) if (moved := linearised(arm)))
    assert one is not None
    assert other is not None
    got: dict[str, object] = {
        "ratio.control": found.control,
        "ratio.treatment": found.treatment,
        "se.control": one.variance**0.5,
        "se.treatment": other.variance**0.5,
        "diff": found.difference.estimate,
        "se": found.se,
        "p": found.p,
        "lift": found.difference.estimate / found.control,
    }
    got |= limits("diff_ci", found.difference)
    got |= limits("lift_ci_delta_t", linear_delta(effect_of(one, other), confidence=level))
    return Answer(got, frozenset(found.flags))


def with_covariate(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    level = 1 - inputs["alpha"]
    if "comparison" in inputs:
        rows = rows_of(inputs)
        treatment, control = (rows[name] for name in inputs["comparison"])
        columns = [
            frame[name].to_numpy() for frame in (control, treatment) for name in (inputs["metric"], inputs["covariate"])
        ]
    else:
        arms = {arm["name"]: arm for arm in inputs["arms"]}
        columns = [arms[name][part] for name in ("control", "treatment") for part in ("values", "covariate")]
    yc, xc, yt, xt = columns
    found = cuped(of_rows({"value": yc, "before": xc}), of_rows({"value": yt, "before": xt}), confidence=level)
    one, each = (form(yc, xc, yt, xt, confidence=level) for form in (ancova, lin))
    got: dict[str, object] = {
        "theta": found.slopes[0],
        "diff": found.adjusted.difference.estimate,
        "se": found.adjusted.se,
        "p": found.adjusted.p,
        "unadjusted.diff": found.plain.difference.estimate,
        "unadjusted.se": found.plain.se,
        "unadjusted.p": found.plain.p,
        "variance_reduction": found.reduction,
        "ancova.diff": one.difference.estimate,
        "ancova.se_hc2": one.se,
        "lin.diff": each.difference.estimate,
        "lin.se_hc2": each.se,
    }
    return Answer(got | limits("diff_ci", found.adjusted.difference), frozenset(found.adjusted.flags))


def roi(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    arms = {}
    for arm in inputs["arms"]:
        squares = {("value", "value"): arm["revenue_sum_squares"]}
        arms[arm["name"]] = of_sums(arm["n"], {"value": arm["revenue_sum"]}, squares)
    control = arms.pop(inputs["control"])
    ((name, treatment),) = arms.items()
    found = compare_means(control, treatment, confidence=1 - inputs["alpha"])
    cost = Cost(treatment.n, inputs["cost_per_message"], inputs["fixed_cost"], inputs["margin"])
    money = worth(found, treatment.n, cost)
    got: dict[str, object] = {
        f"revenue_per_recipient.{inputs['control']}": found.control,
        f"revenue_per_recipient.{name}": found.treatment,
        "incremental_revenue_per_recipient": money.per_unit.estimate,
        "p": found.p,
        "incremental_revenue": money.revenue.estimate,
        "cost": money.cost,
        "incremental_profit": money.profit.estimate,
        "roi": money.roi.estimate,
        "attributed_revenue_naive": money.attributed,
    }
    got |= limits("incremental_revenue_per_recipient_ci", money.per_unit)
    got |= limits("incremental_revenue_ci", money.revenue) | limits("roi_ci", money.roi)
    return Answer(got, frozenset(found.flags))


def simpson(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    strata = [
        Stratum(part["name"], *(Counts(part[arm]["n"], part[arm]["conversions"]) for arm in ("control", "treatment")))
        for part in inputs["strata"]
    ]
    if "stratum_column" in inputs:
        assert strata == strata_of(inputs)
    found = over_strata(strata)
    sparse = mantel_haenszel([(part.control, part.treatment) for part in strata])
    got: dict[str, object] = {
        "diff_pooled": found.pooled,
        "diff_mantel_haenszel": sparse.difference.estimate,
        "diff_mantel_haenszel_se": sparse.se,
        "diff_post_stratified": found.post_stratified.difference.estimate,
        "cmh.statistic": sparse.statistic,
        "cmh.p": sparse.p,
        "odds_ratio_mh": sparse.odds_ratio,
    }
    got |= {f"diff_stratum.{place}": difference for place, difference in enumerate(found.differences, 1)}
    return Answer(got, frozenset(found.flags))


def strata_of(inputs: dict[str, Any]) -> list[Stratum]:
    """The strata counted again from the rows themselves."""
    treatment, control = (rows_of(inputs)[name] for name in inputs["comparison"])
    column, metric = inputs["stratum_column"], inputs["metric"]

    def counts(frame: Any, name: str) -> Counts:
        rows = frame.filter(frame[column] == name)
        return Counts(rows.height, int(rows[metric].sum()))

    names = sorted(control[column].unique())
    return [Stratum(name, counts(control, name), counts(treatment, name)) for name in names]


def noncompliance(case: dict[str, Any]) -> Answer:
    parts = ("n", "conversions", "messaged", "conversions_of_messaged")
    arms = {arm["name"]: of_conversions(*(arm[part] for part in parts)) for arm in case["inputs"]["arms"]}
    control = arms.pop(case["inputs"]["control"])
    found = compliance(control, *arms.values())
    got: dict[str, object] = {
        "itt": found.itt,
        "messaged_rate.control": found.control_messaged,
        "messaged_rate.treatment": found.treatment_messaged,
        "compliance_difference": found.treatment_messaged - found.control_messaged,
        "cace": found.cace.estimate,
        "cace_se_robust": found.se,
        "naive_as_treated": found.as_treated,
    }
    return Answer(got, frozenset(found.flags))


ADAPTERS: dict[str, Adapter] = {
    "proportions": proportions,
    "proportions_table": proportions,
    "multi_arm_proportions": multi_arm,
    "means": means,
    "ratio": ratio,
    "cuped": with_covariate,
    "multiplicity": multiplicity,
    "roi": roi,
    "simpson": simpson,
    "noncompliance": noncompliance,
}


@pytest.mark.parametrize("name", case_ids(ADAPTERS))
def test_every_quantity_and_flag_of_a_case_is_as_in_other_programs(name: str) -> None:
    wanted = case(name)

    answer = ADAPTERS[wanted["kind"]](wanted)

    assert problems(wanted, answer) == []


def test_every_kind_of_reference_values_has_one_adapter_somewhere() -> None:
    import test_golden_sequential

    hashed = (Path(__file__).parent / "test_assignment.py").read_text("utf-8")

    assert set(ADAPTERS) == set(FREQUENTIST)
    assert set(test_golden_sequential.ADAPTERS) == set(SEQUENTIAL)
    assert {case(path.stem)["kind"] for path in FOLDER.glob("*.json")} <= {*FREQUENTIST, *SEQUENTIAL, *HASHES}
    assert [name for name in case_ids(HASHES) if f'"{name}"' not in hashed] == []


def test_nearly_every_reference_value_is_really_compared(shared: Path) -> None:
    """A count from outside, so that no pattern of what is not offered can hide a gap."""
    cases = [case(name) for name in case_ids(ADAPTERS)]

    held = sum(compared(wanted, ADAPTERS[wanted["kind"]](wanted)) for wanted in cases)

    assert len(cases) >= 18
    assert held >= 519


def test_a_wrong_number_a_gap_and_a_missing_flag_are_found() -> None:
    wanted = {
        "expected": {"a": {"value": 1.0, "rtol": 1e-9, "atol": 0}, "b": {"value": None}, "c": {"value": 2.0}},
        "expect_flags": ["x"],
        "forbid_flags": ["y"],
    }

    found = problems(wanted, Answer({"a": 1.1, "b": 0.0}, frozenset({"y"})))

    assert [text.split()[0].strip(":") for text in found] == ["a", "b", "c", "flag", "flag"]
