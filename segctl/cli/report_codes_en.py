"""English words for codes of reports: reasons, flags, checks; `report_codes_de` has the same keys."""

from __future__ import annotations

REASONS: dict[str, str] = {
    "empty_arm": "an arm has nobody in it",
    "one_unit": "an arm has a single unit",
    "zero_variance": "no unit differs from another",
    "no_conversions": "nobody did it in either arm",
    "all_converted": "everybody did it in both arms",
    "control_zero": "the control is zero",
    "control_all": "everybody in the control did it",
    "control_negative": "the control is below zero",
    "control_near_zero": "the control cannot be told from zero",
    "treatment_not_positive": "the arm is not above zero",
    "denominator_zero": "the denominators add up to zero",
    "no_covariate": "there is no figure from before",
    "no_cost": "no cost is declared",
    "nothing_sent": "nothing was sent",
    "no_margin": "no margin is declared",
    "effect_may_be_zero": "the effect may be zero",
    "no_effect": "there is no effect in this direction",
    "no_compliance": "the message reached both arms alike",
    "too_few": "there are too few",
    "windows_open": "nobody's window is complete",
    "nobody": "there is nobody",
    "one_arm": "there is nothing to compare with",
    "weight_zero": "somebody is in an arm that nobody should be in",
    "no_data": "nothing has been seen of an arm yet",
    "no_new_data": "nothing has come since the last look",
    "out_of_reach": "no number of people would do",
    "no_arrivals": "nobody is coming",
    "contradictory": "the effect changed over time",
    "missing": "a number that goes in is missing",
}
"""Why a number does not exist."""
FLAGS: dict[str, str] = {
    "small_counts": "fewer than 10 in an arm",
    "small_sample": "fewer than 30 units in an arm",
    "zero_conversions": "nobody in an arm",
    "empty_arm": "an arm is empty",
    "zero_variance": "no unit differs from another",
    "baseline_not_positive": "the control is not above zero",
    "baseline_near_zero": "the control cannot be told from zero",
    "outlier_dominates": "one unit decides",
    "allocation_differs_by_stratum": "the split differs between strata",
    "simpson_reversal": "the strata point the other way",
    "contamination": "the control was messaged",
    "covariate_useless": "what was before does not help",
    "srm_fail": "the split is broken",
    "srm_warn": "the split is doubtful",
    "all_converted": "everybody in an arm",
}
"""What a comparison warns of."""
CHECKS: dict[str, str] = {
    "split.nobody": "nobody is assigned",
    "split.srm": "the arms differ from their weights by up to {excess} people (p {p}); units: {units}",
    "split.srm_analysed": "assigned as planned, but those with complete windows are not (p {p_analysed})",
    "split.srm_stratum": "in stratum {stratum_worst} the arms differ from their weights (p {stratum_p})",
    "split.srm_epoch": "with the {epoch_worst}. weights the arms differ from them (p {epoch_p})",
    "split.srm_day": "on {day_worst} the arms differ from their weights (p {day_p})",
    "two_arms.merged_within": "{once} of those on record turned out to be somebody else of their arm and count once",
    "two_arms.merged": "{units} units ({share}) turned out to be in two arms and are left out of both",
    "maturity.data_ends_early": "data ends on {data_until}, windows on {windows_until}: events are probably missing",
    "maturity.left_out": "{young} have no complete window yet and {unexposed} were not reached; they are left out",
    "maturity.beyond_plan": "{beyond} were reached after the planned end and are left out, so that later looks decide "
    "nothing anew",
    "maturity.beyond_and_left_out": "{beyond} were reached after the planned end and are left out, so that later looks "
    "decide nothing anew; {young} have no complete window yet, {unexposed} were not reached",
    "peeking.stopped_after_look": "stopped before the planned end after results had been looked at ({unplanned} looks)",
    "peeking.before_end": "looked at before the planned end; looks on record: {looks}",
    "peeking.before_first_look": "looked at before the first planned look; looks on record: {looks}",
    "peeking.looked_before": "looked at {unplanned} times before it was planned, which no longer changes anything",
    "plan_kept.changed_since": "changed since the start: {changes}; this report goes by what was written down then",
    "multiplicity.several_tests": "{tests} comparisons decide, so p is corrected",
    "interference.uneven": "members of other experiments are spread unevenly over the arms",
    "interference.shared": "more than a fifth take part in another experiment too",
    "split.share_changed": "{share} of those on record are held out, and segctl.yaml says {declared}: set the old "
    "share again, or begin another generation",
    "contamination.controls_reached": "{reached} of {controls} in the control ({share}) got the message all the "
    "same; "
    "see what reached them below",
    "contamination.controls_stay": "{reached} of {controls} in the control ({share}) got the message or stand where "
    "it is sent from, {staying} of them because the destination takes nobody out; empty the audience there, and "
    "start anew",
    "contamination.told_after_stop": "pushes after the stop told everybody while {cut} windows were open; "
    "these are left out",
    "contamination.others_uneven": "other segments' messages reached control and arms unevenly",
    "contamination.others_reach_all": "other segments' messages reached both sides alike",
    "power.few_conversions": "only {conversions} in all arms together did it; a hundred are the least",
    "power.few_in_arm": "only {least} in an arm did it; ten are the least",
    "power.few_without": "all but {without} of an arm; ten who did not are the least",
    "power.rests_on_few": "the figure rests on few, as on {rests_on} equal values in an arm; twenty are the least",
    "power.nothing_shared": "arms that were not dealt in the same strata, or at the same time, cannot be compared",
    "power.few_units": "an arm has only {units} with a complete window",
    "power.mde_above_plan": "so many find a change of {mde} at best, planned was {planned}",
    "imbalance.differed_before": "the arms differed before anybody was messaged; what was before is taken into "
    "account "
    "below (CUPED)",
    "outliers.one_unit_outweighs": "single {people} outweigh an arm; see the result with large values cut",
    "outliers.rests_on_few": "a mean rests on few: as much as on {units} equal values; its interval is too narrow, "
    "cut large values (`cap`) or look at conversions",
    "outliers.rests_on_few_cut": "a mean rests on few, although large values are cut: as much as on {units} equal "
    "values; its interval is too narrow, look at conversions",
    "baseline.no_percentages": "the control cannot be told from zero, so there are no percentages",
    "novelty.effect_changes": "the effect changes over the weeks (p {p}); see the last week apart",
    "simpson.reversed": "the whole points the other way than the strata; the result within strata counts",
    "simpson.split_differs_by_stratum": "the split differs between strata (p {p}); the result within strata counts",
    "simpson.weights_changed": "the weights were changed on the way ({epochs} versions); the result within each counts",
}
"""What a check found, by its name and reason; places are its figures."""
HEADS: dict[str, str] = {
    "units": "Units",
    "once": "Merged within",
    "expected": "Expected",
    "excess": "Too many",
    "analysed": "Complete",
    "share": "Share",
    "controls": "Controls reached",
    "treated": "Others reached",
    "treated_share": "Their share",
    "is_own": "This campaign",
    "is_uneven": "Uneven",
    "young": "Window open",
    "beyond": "Beyond the plan",
    "unexposed": "Not reached",
    "largest": "Largest",
    "of_sum": "Of the sum",
    "of_variance": "Of the variance",
    "rests_on": "Rests on",
    "flag": "Why",
    "control": "Control",
    "value": "Value",
    "segment": "Segment",
    "p": "p",
    "arm": "Arm",
    "metric": "Metric",
    "experiment": "Experiment",
}
"""Heads of what a check lists."""
