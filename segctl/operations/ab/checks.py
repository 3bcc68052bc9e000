"""Checks of who was compared: split, units in two arms, complete windows, looks, other experiments.

Levels: `fail` makes the figures unusable, `warn` is said beside the headline, `note` is worth knowing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from segctl.compile.zones import DAY, to_us
from segctl.operations.ab.parts import Check, Level

if TYPE_CHECKING:
    import polars as pl

    from segctl.operations.ab.design import Stage
    from segctl.operations.ab.trial import Trial
    from segctl.stats.srm import Epoch, GroupedSplit, SplitTest, Verdict

TORN = 0.01
"""Share of units in two arms that is warned of."""
ELSEWHERE, UNEVEN = 0.20, 0.01
"""Share of units in other running tests that is named; p under which their spread over the arms is uneven."""


def split(of: Trial) -> Check:
    """Do the arms have the sizes that their weights let expect: as assigned, as analysed, by stratum, epoch and day."""
    from segctl.stats.srm import split_by_group, split_test_of_epochs

    everybody = _assigned(of)
    if everybody.is_empty():
        return Check("split", "ok", "nobody")
    whole = split_test_of_epochs(_epochs(of, everybody))
    kept = split_test_of_epochs(_epochs(of, everybody.filter(standing="analysed")))
    days = everybody.with_columns(day=_local_day(of, everybody))
    groups = {
        "stratum": split_by_group(_grouped(of, everybody, "stratum")) if _has_strata(everybody) else None,
        "epoch": _by_epoch(of, everybody),
        "day": split_by_group(_grouped(of, days, "day")),
    }
    here = everybody.filter(standing="analysed")
    first = [_watched(of, everybody, whole), _watched(of, here, kept)]
    by_group = {name: _watched_groups(of, name, days, one) for name, one in groups.items() if one is not None}
    verdicts = [*first, *by_group.values()]
    level: Level = "fail" if "fail" in verdicts else "warn" if "warn" in verdicts else "ok"
    reasons = [("srm", first[0]), ("srm_analysed", first[1])]
    reasons += [(f"srm_{name}", verdict) for name, verdict in by_group.items()]
    reason = next((name for name, verdict in reasons if verdict == level), None) if level != "ok" else None
    figures = _split_figures(whole, kept, groups)
    return Check(
        "split", level, reason, figures, _split_rows(_all_arms(of, everybody), whole, kept), decides=level == "fail"
    )


def _watched(of: Trial, rows: pl.DataFrame, found: SplitTest) -> Verdict | None:
    """The verdict on a split; while it runs the one that may be asked for every day, as `experiment status` does.

    χ² alone, looked at daily, would sooner or later break a split that is in order; it warns.
    """
    from segctl.stats.srm import verdict_of

    days = rows.with_columns(day=_local_day(of, rows))
    if not _is_watched(of) or found.why is not None or found.verdict is None or days["day"].n_unique() < 2:
        return found.verdict
    last = verdict_of(_daily_p(of, days))
    return "warn" if last != "fail" and found.verdict == "fail" else last


def _watched_groups(of: Trial, name: str, days: pl.DataFrame, found: GroupedSplit) -> Verdict | None:
    """Likewise of groups that fail: those that grow from day to day are asked as all units are.

    A day is over, but days become more, and the first of few have easier bounds than Bonferroni's for all: the nth has
    1 / n(n + 1) of the error, which is no more than the whole however many come.
    """
    from segctl.stats.srm import FAIL

    is_broken = any(test.why is not None and test.verdict == "fail" for test in found.tests.values())
    if found.verdict != "fail" or is_broken or not _is_watched(of) or days["day"].n_unique() < 2:
        return found.verdict
    if name == "day":
        ps = [1.0 if test.p is None else test.p for test in found.tests.values()]
        fails = any(p * at * (at + 1) < FAIL for at, p in enumerate(ps, 1))
    else:
        parts = days.partition_by(name)
        fails = any(_daily_p(of, part) * len(parts) < FAIL for part in parts)
    return "fail" if fails else "warn"


def _is_watched(of: Trial) -> bool:
    """It runs, so that anybody may look on any day."""
    stopped = of.record.stopped if of.record is not None else None
    return of.record is not None and (stopped is None or stopped > of.as_of)


def _daily_p(of: Trial, days: pl.DataFrame) -> float:
    """The p of the split that may be asked for every day, after the last of them."""
    from segctl.stats.srm import split_looks

    several = days["day"].unique().sort().to_list()
    return split_looks([_epochs(of, days.filter(days["day"] <= day)) for day in several])[-1].p


def two_arms(of: Trial) -> Check:
    """Units that merges since the assignment put into two arms; they leave both alike. Of one arm they count once."""
    torn, everybody = of.units.counts("two_arms"), of.units.everybody.height
    number = sum(torn.values())
    share = number / everybody if everybody else 0.0
    within = of.units.merged
    level: Level = "warn" if share > TORN else "note" if number or within else "ok"
    rows = tuple({"arm": arm, "units": torn.get(arm, 0), "once": within.get(arm, 0)} for arm in of.arms)
    reason = "merged" if number else "merged_within" if within else None
    figures = {"units": number, "share": share, "once": sum(within.values())}
    return Check("two_arms", level, reason, figures, rows if reason else ())


def maturity(of: Trial) -> Check:
    """Units left out: windows that are not complete, exposures after the planned end; do the events reach as far."""
    young, unexposed, beyond = (of.units.counts(word) for word in ("young", "unexposed", "beyond"))
    last, until = of.units.analysed["last"].max(), of.data_until
    figures: dict[str, object] = {
        "young": sum(young.values()), "unexposed": sum(unexposed.values()), "beyond": sum(beyond.values()),
        "data_until": until, "windows_until": of.edge("last", newest=True),
    }  # fmt: skip
    rows = tuple({"arm": arm, "young": young.get(arm, 0), "unexposed": unexposed.get(arm, 0),
                  **({"beyond": beyond.get(arm, 0)} if beyond else {})} for arm in of.arms)  # fmt: skip
    # Data that ends a day or more before the windows do is probably not all there yet.
    if isinstance(last, int) and (until is None or to_us(until) < last - DAY):
        return Check("maturity", "warn", "data_ends_early", figures, rows)
    if beyond:
        return Check("maturity", "note", "beyond_and_left_out" if young or unexposed else "beyond_plan", figures, rows)
    if young or unexposed:
        return Check("maturity", "note", "left_out", figures, rows)
    return Check("maturity", "ok", None, figures)


def peeking(of: Trial, at: Stage) -> Check:
    """Looks that the design does not have; this one is not among those on record yet."""
    figures: dict[str, object] = {
        "looks": len(of.looks), "unplanned": at.unplanned, "design": of.experiment.looks,
        "first": of.looks[0].at if of.looks else None,
    }  # fmt: skip
    if at.stopped_after_look:
        return Check("peeking", "warn", "stopped_after_look", figures, decides=True)
    if at.is_early:
        reason = "before_end" if of.experiment.looks == "end" else "before_first_look"
        return Check("peeking", "warn", reason, figures, decides=True)
    if at.unplanned:
        return Check("peeking", "note", "looked_before", figures)
    return Check("peeking", "ok", None, figures)


def multiplicity(of: Trial) -> Check:
    """How many comparisons decide together."""
    primary = sum(metric.role == "primary" for metric in of.experiment.metrics)
    secondary = sum(metric.role == "secondary" for metric in of.experiment.metrics)
    arms = len(of.others)
    figures = {"arms": arms, "primary": primary, "tests": arms * primary, "secondary_tests": arms * secondary}
    several = arms * primary > 1
    return Check("multiplicity", "note" if several else "ok", "several_tests" if several else None, figures)


def interference(of: Trial) -> Check:
    """Units that are in other experiments which run now."""
    from segctl.stats.srm import homogeneity_p

    rows = []
    for name, inside in _elsewhere(of):
        counts = {arm: int(inside.get(arm, 0)) for arm in of.arms}
        table = [[counts[arm] for arm in of.arms], [of.analysed[arm] - counts[arm] for arm in of.arms]]
        share = sum(counts.values()) / max(sum(of.analysed.values()), 1)
        rows.append({"experiment": name, "units": sum(counts.values()), "share": share, "p": homogeneity_p(table)})
    rows = [row for row in rows if row["units"]]
    many = [row for row in rows if _number(row["share"]) > ELSEWHERE]
    uneven = [row for row in many if row["p"] is not None and _number(row["p"]) < UNEVEN]
    level: Level = "warn" if uneven else "note" if many else "ok"
    reason = "uneven" if uneven else "shared" if many else None
    return Check("interference", level, reason, {"experiments": len(rows)}, tuple(rows))


# --- Counting ---------------------------------------------------------------------------------------------
def _assigned(of: Trial) -> pl.DataFrame:
    """Units as assigned, counted: ``assigned``, ``epoch``, ``stratum``, ``arm``, ``standing``, ``units``.

    Those that merges tore apart are nobody's.
    """
    import polars as pl

    columns = ["assigned", "epoch", "stratum", "arm", "standing"]
    return of.units.everybody.filter(pl.col("standing") != "two_arms").group_by(columns).agg(pl.len().alias("units"))


def _has_strata(everybody: pl.DataFrame) -> bool:
    return everybody["stratum"].n_unique() > 1


def _local_day(of: Trial, everybody: pl.DataFrame) -> pl.Series:
    import polars as pl

    instants = everybody["assigned"].cast(pl.Datetime("us", "UTC"))
    return instants.dt.convert_time_zone(of.source.zone).dt.date().cast(pl.String)


def _epochs(of: Trial, rows: pl.DataFrame) -> list[Epoch]:
    """Units by arm and the weights that were in force for them."""
    import polars as pl

    found = rows.group_by("epoch", "arm").agg(pl.col("units").sum())
    counts = {(epoch, arm): int(units) for epoch, arm, units in found.iter_rows()}
    arms = _all_arms(of, rows)
    epochs: list[Epoch] = []
    for number in sorted({epoch for epoch, _ in counts}, key=lambda one: one or 0) or [1]:
        weights = _weights(of, number)
        epochs.append(([counts.get((number, arm), 0) for arm in arms], [weights.get(arm, 0.0) for arm in arms]))
    return epochs


def _all_arms(of: Trial, rows: pl.DataFrame) -> list[str]:
    """Declared arms, and arms on record that are declared no more."""
    return [*of.arms, *sorted(set(rows["arm"].unique()) - set(of.arms))]


def _weights(of: Trial, epoch: int | None) -> dict[str, float]:
    """The weights of an epoch; those declared now where none are on record."""
    found = [one for one in of.record.epochs if one.number == epoch] if of.record is not None else []
    weights = found[0].weights if found else {arm.name: arm.weight for arm in of.experiment.arms}
    return {arm: float(weight) for arm, weight in weights.items()}


def _grouped(of: Trial, rows: pl.DataFrame, by: str) -> dict[str, list[Epoch]]:
    parts = rows.with_columns(rows[by].fill_null("")).partition_by(by, as_dict=True)
    return {str(key[0]): _epochs(of, part) for key, part in sorted(parts.items())}


def _by_epoch(of: Trial, rows: pl.DataFrame) -> GroupedSplit | None:
    """Each change of weights for itself: what is too many before and too few after is no chance."""
    from segctl.stats.srm import split_by_group

    if rows["epoch"].n_unique() < 2:
        return None
    named = rows.with_columns(rows["epoch"].cast(rows["arm"].dtype).alias("weights"))
    return split_by_group(_grouped(of, named, "weights"))


def _split_figures(whole: SplitTest, kept: SplitTest, groups: dict[str, GroupedSplit | None]) -> dict[str, object]:
    found: dict[str, object] = {
        "p": whole.p, "log_p": whole.log_p, "chi2": whole.chi2, "df": whole.df, "p_analysed": kept.p,
        "excess": max((abs(one) for one in whole.excess), default=0.0), "units": sum(whole.counts),
    }  # fmt: skip
    for name, one in groups.items():
        if one is not None:
            found |= {f"{name}_p": one.p.get(one.worst) if one.worst is not None else None,
                      f"{name}_worst": one.worst, f"{name}_differs_p": one.differs_p}  # fmt: skip
    return found


def _split_rows(arms: Sequence[str], whole: SplitTest, kept: SplitTest) -> tuple[dict[str, object], ...]:
    columns = zip(arms, whole.counts, whole.expected, whole.excess, kept.counts, strict=False)
    return tuple(
        {"arm": arm, "units": units, "expected": expected, "excess": excess, "analysed": analysed}
        for arm, units, expected, excess, analysed in columns
    )


def _elsewhere(of: Trial) -> Sequence[tuple[str, dict[str, int]]]:
    """Other running experiments, and how many analysed units of each arm are in one."""
    import polars as pl

    from segctl.state.assignments import assignments
    from segctl.state.experiments import records

    found = []
    for name, record in records(of.session.workspace).items():
        if name == of.experiment.key or (record.stopped is not None and record.stopped <= of.as_of):
            continue
        rows = assignments(of.session.workspace, name, of.snapshot)
        positions = of.units.unit_of.gather(rows["subject"]).drop_nulls().unique()
        arms = of.units.analysed["arm"].gather(positions)
        found.append((name, dict(arms.to_frame().group_by("arm").agg(pl.len()).iter_rows())))
    return found


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
