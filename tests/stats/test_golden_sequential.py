"""Reference values of splits, looks, sizes and beliefs: every quantity of every case, flags included."""

from __future__ import annotations

from math import exp, log
from typing import Any

import pytest
from golden_frame import SEQUENTIAL, Adapter, Answer, case, case_ids, compared, problems

from segctl.stats import always_valid, bayes, credible, power, recursion, sequential, srm
from segctl.stats.posteriors import beta_posterior
from segctl.stats.thompson import Outcome, shares
from segctl.stats.values import Counts, Interval

KINDS = tuple(kind for kind in SEQUENTIAL if kind != "assignment")
"""Assignment has its own vectors and functions: `test_assignment.py`."""
SOURCE = "repeats another quantity under the name of its source"


def limits(prefix: str, interval: Interval) -> dict[str, object]:
    return {f"{prefix}.low": interval.low, f"{prefix}.high": interval.high}


def splits(case: dict[str, Any]) -> Answer:
    got: dict[str, object] = {}
    flags = set()
    for test in case["inputs"]["tests"]:
        found = srm.split_test(test["counts"], test["weights"])
        name = test["name"]
        got |= {f"{name}.chi2": found.chi2, f"{name}.p": found.p_chi2, f"{name}.p_exact": found.p_exact}
        got |= {f"{name}.verdict": found.verdict, f"{name}.p_gb": found.p_chi2}
        flags |= set(found.flags)
    return Answer(got, frozenset(flags))


def split_looks(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    looks = srm.split_looks(
        [[(counts, inputs["weights"])] for counts in inputs["looks"]], concentration=inputs["concentration"]
    )
    got: dict[str, object] = {}
    for at, look in enumerate(looks, 1):
        got |= {f"look{at}.log_bayes_factor": look.log_bayes_factor, f"look{at}.p": look.p}
    return Answer(got)


def looks_at_any_time(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    got: dict[str, object] = {}
    shown_so_far = []
    for at, look in enumerate(inputs["looks"], 1):
        if "tau" in look:
            ratio = always_valid.log_likelihood_ratio(
                look["diff"], 2 * look["sd"] ** 2 / look["n_per_arm"], look["tau"]
            )
            got |= {f"look{at}.lambda": exp(ratio), f"look{at}.p": exp(min(0.0, -ratio))}
            continue
        rho = always_valid.tuning(inputs["n_star"], alpha=inputs["alpha"])
        shown = always_valid.interval(
            look["effect"], look["se"], look["n"], planned=inputs["n_star"], alpha=inputs["alpha"]
        )
        shown_so_far.append(shown)
        got |= {
            f"look{at}.rho": rho,
            f"look{at}.halfwidth": (shown.high - shown.low) / 2,
            f"look{at}.p": exp(always_valid.log_p_of(look["effect"] / look["se"], look["n"], rho=rho)),
        }
    excluded = [at for at, common in enumerate(always_valid.running(shown_so_far), 1) if common.excludes(0)]
    return Answer(got | {"first_significant_look": next(iter(excluded), None)})


def planned_looks(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    alpha, shares_ = inputs["alpha_two_sided"], tuple(inputs["information"])
    uneven = tuple(inputs["unequal_information"])
    found = {
        "obf": sequential.constant_bounds(shares_, alpha=alpha, shape="obrien_fleming"),
        "pocock": sequential.constant_bounds(shares_, alpha=alpha, shape="pocock"),
        "lan_demets_obf": sequential.bounds(shares_, alpha=alpha),
        "lan_demets_pocock": sequential.bounds(shares_, alpha=alpha, spending="pocock"),
        "power_family_rho2": sequential.bounds(shares_, alpha=alpha, spending="power", power=2.0),
        "lan_demets_obf_unequal": sequential.bounds(uneven, alpha=alpha),
    }
    got: dict[str, object] = {
        f"{name}.z{at}": bound for name, bounds in found.items() for at, bound in enumerate(bounds, 1)
    }
    got |= {"obf.z5_check": found["obf"][-1], "pocock.z_check": found["pocock"][0]}
    for name, information in (("obf", shares_), ("pocock", shares_), ("lan_demets_obf_unequal", uneven)):
        got[f"{name}.alpha_two_sided"] = sum(recursion.crossings(found[name], information))
    return Answer(got)


def sizes_of_rates(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    base, alpha, wanted = inputs["baseline"], inputs["alpha"], inputs["power"]
    better, kappa = base * (1 + inputs["mde_relative"]), (1 - inputs["split_holdout"]) / inputs["split_holdout"]
    holdout = power.rates_size(base, better, kappa=kappa, alpha=alpha, power=wanted)
    figure = power.Rate(base)
    got = {
        "n_per_arm.equal": power.rates_size(base, better, alpha=alpha, power=wanted),
        "n_messaged.90_10": holdout * kappa,
        "n_holdout.90_10": holdout,
        "power.equal_20000": power.rates_power(base, better, n=20_000, alpha=alpha),
        "mde_absolute.equal_20000": power.mde_of(figure, n=20_000, alpha=alpha, power=wanted),
        "mde_absolute.90000_10000": power.mde_of(figure, n=10_000, kappa=9.0, alpha=alpha, power=wanted),
    }
    return Answer(got, not_offered={"n_per_arm.equal_cohen_h": "segctl has one formula for rates, and names it"})


def sizes_of_means(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    sd, difference, alpha, wanted = inputs["sd"], inputs["mde"], inputs["alpha"], inputs["power"]
    got = {
        "n_per_arm.equal": power.means_size(sd, difference, alpha=alpha, power=wanted),
        "n_per_arm.normal": power.normal_size(sd, difference, alpha=alpha, power=wanted),
        "power.90000_10000": power.means_power(sd, difference, n=10_000, kappa=9.0, alpha=alpha, either_way=True),
        "mde.90000_10000": power.mde_of(power.Mean(1.0, sd), n=10_000, kappa=9.0, alpha=alpha, power=wanted),
    }
    return Answer(got)


def two_beliefs(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    control, treatment = (
        beta_posterior(Counts(arm["n"], arm["conversions"]), tuple(inputs["prior"])) for arm in inputs["arms"]
    )
    found = bayes.versus(control, treatment, confidence=inputs["level"])
    got: dict[str, object] = {
        "prob_treatment_better": found.better,
        "expected_loss.choose_treatment": found.loss_treatment,
        "expected_loss.choose_control": found.loss_control,
        "posterior_mean_diff": found.difference.estimate,
    }
    got |= limits("lift_interval", found.lift)
    got |= limits("rate_interval.control", credible.belief_interval(control, confidence=inputs["level"]))
    got |= limits("rate_interval.treatment", credible.belief_interval(treatment, confidence=inputs["level"]))
    return Answer(got)


def beliefs_about_lift(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    (nc, xc), (nt, xt) = ((arm["n"], arm["conversions"]) for arm in inputs["arms"])
    pc, pt = xc / nc, xt / nt
    se = (pt * (1 - pt) / nt / pc**2 + pc * (1 - pc) / nc * pt**2 / pc**4) ** 0.5
    got: dict[str, object] = {}
    for name, prior in inputs["priors"].items():
        found = bayes.effect_belief(pt / pc - 1, se, prior=prior and (prior["mean"], prior["sd"]))
        got |= {
            f"{name}.posterior_mean": found.mean,
            f"{name}.posterior_sd": found.sd,
            f"{name}.prob_treatment_better": found.better,
            f"{name}.expected_loss.choose_treatment": found.loss_treatment,
            f"{name}.expected_loss.choose_control": found.loss_control,
        }
        got |= limits(f"{name}.interval", found.interval)
    return Answer(got)


def next_send(case: dict[str, Any]) -> Answer:
    inputs = case["inputs"]
    outcomes = [Outcome(arm["name"], arm["n"], conversions=arm["conversions"]) for arm in inputs["arms"]]
    prior = tuple(inputs["prior"])
    floored = shares(outcomes, explored=0.0, floor=inputs["floor"], prior=prior)
    two = shares(outcomes, explored=0.0, prior=prior, top_two=True)
    got: dict[str, object] = {}
    for at, (one, other) in enumerate(zip(floored, two, strict=True), 1):
        got |= {f"prob_best.{at}": one.best, f"weights_thompson_floor.{at}": one.weight}
        got[f"weights_top_two.{at}"] = other.weight
    return Answer(got)


ADAPTERS: dict[str, Adapter] = {
    "srm": splits,
    "srm_always_valid": split_looks,
    "always_valid": looks_at_any_time,
    "group_sequential": planned_looks,
    "power_proportions": sizes_of_rates,
    "power_means": sizes_of_means,
    "bayes_binomial": two_beliefs,
    "bayes_normal": beliefs_about_lift,
    "thompson": next_send,
}


def test_every_kind_has_an_adapter() -> None:
    assert set(ADAPTERS) == set(KINDS)


@pytest.mark.parametrize("name", case_ids(KINDS))
def test_reference_values_are_met(name: str) -> None:
    found = case(name)

    answer = ADAPTERS[found["kind"]](found)

    assert problems(found, answer) == []
    assert compared(found, answer) >= len(found["expected"]) - len(answer.not_offered)


@pytest.mark.parametrize("name", case_ids(["srm"]))
def test_the_logarithm_of_p_belongs_to_p(name: str) -> None:
    for test in case(name)["inputs"]["tests"]:
        found = srm.split_test(test["counts"], test["weights"])

        assert found.log_p == pytest.approx(log(found.p), rel=1e-9)
