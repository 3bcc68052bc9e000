"""Reports on an experiment that tests look at: three arms, three metrics, money, groups, weeks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from segctl.operations.ab.parts import (
    ArmFacts,
    ArmValue,
    Belief,
    Check,
    Effect,
    Group,
    Grouping,
    MetricReport,
    Trend,
    TrendPoint,
)
from segctl.operations.ab.result import AbReport, Allocation, Headline, Method, MoneyReport, Next, State
from segctl.stats.values import Comparison, Interval, Why

AT = datetime(2026, 3, 30, 12, tzinfo=UTC)
STATES: tuple[State, ...] = (
    "more", "fewer", "no_difference", "too_early", "too_small", "guardrail", "not_usable", "nothing_yet",
)  # fmt: skip


def interval(estimate: float | None, low: float | None, high: float | None, method: str = "mee") -> Interval:
    return Interval(estimate, low, high, 0.95, method)


def rates(
    control: float, treatment: float, difference: tuple[float, float, float], lift: tuple[float, float, float], p: float
) -> Comparison:
    return Comparison(
        control, treatment, interval(*difference), interval(*lift, method="koopman"), p, None, "pooled_z", 2.9, 0.0017
    )


BOUGHT = MetricReport(
    "bought", "conversion", "primary", "higher",
    (
        ArmValue("control", 10_000, interval(0.023, 0.0203, 0.0261, "wilson"), 230, 230.0),
        ArmValue("mail", 90_000, interval(0.028, 0.0269, 0.0291, "wilson"), 2520, 2520.0),
        ArmValue("coupon", 40_000, interval(0.0225, 0.021, 0.024, "wilson"), 900, 900.0),
    ),
    (
        Effect(
            "mail", rates(0.023, 0.028, (0.005, 0.0017, 0.008), (0.217, 0.07, 0.39), 0.0041),
            p_adjusted=0.0082, verdict="better",
            also={"newcombe": rates(0.023, 0.028, (0.005, 0.0016, 0.0081), (0.217, 0.07, 0.39), 0.0041)},
        ),
        Effect(
            "coupon", rates(0.023, 0.0225, (-0.0005, -0.0036, 0.0024), (-0.02, -0.15, 0.11), 0.74),
            p_adjusted=0.74, verdict="none",
        ),
    ),
    "primary", 2, "holm",
    beliefs=(
        Belief("control", 0.0001, None, 0.0051),
        Belief("mail", 0.9997, 0.9997, 0.00001, interval(0.217, 0.07, 0.39)),
        Belief("coupon", 0.0002, 0.38, 0.0055, interval(-0.02, -0.15, 0.11)),
    ),
    title="purchases",
)  # fmt: skip
REVENUE = MetricReport(
    "revenue", "mean", "secondary", "higher",
    (
        ArmValue("control", 10_000, interval(1.84, 1.5, 2.18, "t"), 230, 18_400.0, sd=17.0),
        ArmValue("mail", 90_000, interval(2.19, 2.05, 2.33, "t"), 2520, 197_100.0, sd=21.0),
        ArmValue("coupon", 40_000, interval(1.9, 1.7, 2.1, "t"), 900, 76_000.0, sd=20.0),
    ),
    (
        Effect(
            "mail",
            Comparison(1.84, 2.19, interval(0.35, -0.08, 0.78, "welch"), interval(0.19, -0.04, 0.46, "fieller"), 0.11,
                       None, "welch"),
            p_adjusted=0.11, verdict="none", variance_reduction=0.083,
            also={"cuped": Comparison(1.84, 2.19, interval(0.36, -0.05, 0.77, "cuped"),
                                      interval(0.19, -0.03, 0.45, "fieller"), 0.09, None, "cuped")},
        ),
        Effect(
            "coupon",
            Comparison(1.84, 1.9, interval(0.06, -0.33, 0.45, "welch"),
                       Interval(0.03, None, None, 0.95, "fieller", None, Why.CONTROL_NEAR_ZERO), 0.77, None, "welch"),
            p_adjusted=0.77, verdict="none",
        ),
    ),
    "secondary", 2, None, unit="EUR", is_money=True,
)  # fmt: skip
RETURNS = MetricReport(
    "returns", "conversion", "guardrail", "lower",
    (
        ArmValue("control", 10_000, interval(0.004, 0.003, 0.0055, "wilson"), 40),
        ArmValue("mail", 90_000, interval(0.0041, 0.0037, 0.0045, "wilson"), 369),
        ArmValue("coupon", 40_000, interval(0.0042, 0.0036, 0.0049, "wilson"), 168),
    ),
    (
        Effect("mail", rates(0.004, 0.0041, (0.0001, -0.0014, 0.0013), (0.02, -0.26, 0.45), 0.88), p_adjusted=0.88,
               verdict="none", held="held"),
        Effect("coupon", rates(0.004, 0.0042, (0.0002, -0.0013, 0.0015), (0.05, -0.25, 0.48), 0.79), p_adjusted=0.79,
               verdict="none", held="open"),
    ),
    "guardrail", 2, "holm",
)  # fmt: skip
CHECKS = (
    Check("split", "ok", None, {"p": 0.99}),
    Check("contamination", "ok", None, {"controls": 10_000, "reached": 0, "share": 0.0}),
    Check("peeking", "ok"),
    Check("multiplicity", "note", "several_tests", {"arms": 2, "primary": 1, "tests": 2, "secondary_tests": 2}),
    Check(
        "outliers", "warn", "one_unit_outweighs", {},
        ({"metric": "revenue", "arm": "mail", "largest": 900.0, "of_sum": 0.12, "of_variance": 0.3},),
    ),
    Check("novelty", "ok", None, {"p": 0.2, "weeks": 2}),
)  # fmt: skip


def money(arm: str, units: int, profit: tuple[float, float, float], *, claim: bool = True) -> MoneyReport:
    return MoneyReport(
        arm, "revenue", units, units, interval(0.35, -0.08, 0.78), interval(31_500, -7_270, 70_270), 2_600.0,
        interval(*profit), interval(3.85, -2.12, 9.81), interval(0.072, 0.072, 0.072), 0.1, interval(140, -32, 312),
        interval(5.78, 3.6, 17.0), 197_100.0, "EUR", claim,
    )  # fmt: skip


GROUPS = Grouping(
    "country", "bought",
    (
        Group("mail", "DE", 6_000, 54_000, rates(0.023, 0.029, (0.006, 0.002, 0.0095), (0.26, 0.08, 0.45), 0.003),
              0.006, True),
        Group("mail", "AT", 3, 27, rates(0.03, 0.0271, (-0.003, -0.01, 0.02), (-0.1, -0.41, 0.93), 0.81), 0.81, False),
        Group("mail", None, 997, 8_973, rates(0.03, 0.027, (-0.003, -0.013, 0.007), (-0.1, -0.4, 0.4), 0.6), 0.8,
              False),
    ),
    {"mail": 0.4}, more=2,
)  # fmt: skip
TREND = Trend(
    "bought",
    tuple(
        TrendPoint(arm, week, 0.01, 0.012, interval(d, d - 0.002, d + 0.002))
        for arm, found in (("mail", (0.003, 0.0015)), ("coupon", (-0.0002, -0.0003)))
        for week, d in enumerate(found, 1)
    ),
    {"mail": 0.2, "coupon": None},
)
_HEADS: dict[str, Headline] = {
    "more": Headline("more", is_good=True),
    "fewer": Headline("fewer", control=230, value=180, difference=interval(-50, -80, -17),
                      lift=interval(-0.217, -0.34, -0.07), extra=interval(-450, -718, -153), is_good=False),
    "no_difference": Headline("no_difference", value=236, difference=interval(6, -25, 36), ruled_out=36.0, p=0.7,
                              lift=interval(0.03, -0.1, 0.17)),
    "too_early": Headline("too_early", basis="always", leaning="more", difference=interval(50, 3, 98)),
    "too_small": Headline("too_small", control=30, value=70, difference=interval(40, -30, 130), p=0.34,
                          lift=Interval(None, None, None, 0.95, "koopman", None, Why.CONTROL_ZERO)),
    "guardrail": Headline("guardrail", reasons=("returns",), is_good=True),
    "not_usable": Headline("not_usable", reasons=("split", "contamination")),
    "nothing_yet": Headline("nothing_yet"),
}  # fmt: skip


def report(state: State = "more") -> AbReport:
    """The report with the headline of a state."""
    head = _HEADS[state]
    if state != "nothing_yet":
        given = {"metric": "bought", "arm": "mail", "control": 230, "value": 280, "p": 0.0082,
                 "difference": interval(50, 17, 80), "lift": interval(0.217, 0.07, 0.39),
                 "extra": interval(450, 153, 718)}  # fmt: skip
        missing = {name: value for name, value in given.items() if getattr(head, name) is None}
        head = replace(head, per=10_000, **missing)
    return AbReport(
        "spring_mail", "Spring mail", "A mail brings more people back.", "lapsed_buyers", "profile",
        (
            ArmFacts("control", True, False, 0.1, 10_000, 10_000),
            ArmFacts("mail", False, True, 0.6, 90_000, 90_000, messages=90_000, cost=0.02),
            ArmFacts("coupon", False, True, 0.3, 40_000, 40_000, messages=40_000, cost=0.02, title="Mail with coupon"),
        ),
        "control", "14 days", AT, AT - timedelta(28), AT - timedelta(14), None, None, None, AT, head, CHECKS,
        (BOUGHT, REVENUE, RETURNS),
        (money("mail", 90_000, (10_000, -5_500, 25_500)), money("coupon", 40_000, (-40, -6_280, 6_200))),
        (GROUPS,), TREND,
        Allocation({"mail": 0.9, "coupon": 0.1}, {"mail": 0.9997, "coupon": 0.0003}, 0.1, ("control",)),
        Next(True, 140_000, 140_000, AT, 0.12, 0.0028, 0.2, 60_000, 0, end_of_windows=AT + timedelta(3)),
        Method(0.95, 0.8, {"bought": "pooled_z", "revenue": "welch"}, "holm", "end", "fixed", (), None, "0.6.0",
               "ab12cd34ef567890", "1234567890abcdef"),
        usable=state != "not_usable",
    )  # fmt: skip
