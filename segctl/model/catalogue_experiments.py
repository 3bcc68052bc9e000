"""Codes of declared experiments and of the universal holdout (SEG940–SEG954, SEG972–SEG974)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG940": Entry(
        "an experiment without a name, or declared twice",
        "Each file of `experiments/` declares one experiment. The name is part of the hash that deals the arms, so no "
        "two may share it.",
        "Write `experiment: NAME`, the name of the file without `.yaml`; `segctl help experiments` shows a whole one.",
        "segment: winback\narms: {…}",
        "experiment: winback_mail\nsegment: winback\narms: {…}",
    ),
    "SEG941": Entry(
        "an experiment on a segment that there is not",
        "`segment` and `exclude` name segments of the project. A segment that was renamed is found by its former name "
        "as long as its file says `formerly`.",
        "Correct the name; `segctl ls` lists the segments.",
        "segment: winbak",
        "segment: winback",
    ),
    "SEG942": Entry(
        "arms that cannot be dealt",
        "An experiment has two arms at least, one of them is sent something, and each has a weight above 0. Weights "
        "count against each other and need not add up to anything; percent that do not add up to 100 are pointed out, "
        "since `traffic` is what says how many take part.",
        "Give every arm a weight, all in percent or all as numbers, or none for equal parts.",
        "arms: {control: {weight: 10 %, send: nothing}, mail: {weight: 90}}",
        "arms: {control: {weight: 10 %, send: nothing}, mail: {weight: 90 %}}",
    ),
    "SEG943": Entry(
        "no control to compare with",
        "Every arm is compared with the control. It is the arm `control`, otherwise the only one with `send: nothing`; "
        "where both fail, `control` has to name it. An arm `control` that is sent something holds nobody out, which is "
        "pointed out unless `control` names it.",
        "Write `control: ARM`, with an arm that `arms` has; add `send: nothing` to a control that is held out.",
        "arms: {short: {weight: 50 %}, long: {weight: 50 %}}",
        "arms: {short: {weight: 50 %}, long: {weight: 50 %}}\ncontrol: short",
    ),
    "SEG944": Entry(
        "no metric decides",
        "Among several figures one is always the best. The primary metric is named before there are results.",
        "Write `role: primary` under the metric that decides.",
        "metrics: {bought: {event: order_completed}}",
        "metrics: {bought: {event: order_completed, role: primary}}",
    ),
    "SEG945": Entry(
        "a metric that cannot be compared between arms",
        "A metric is a share of units with an event, a measure that every unit has (`count`, `sum`, `distinct`, `days` "
        "…), a ratio of two such measures, or the time until the first event. Averages and shares exist only for units "
        "with events, and an arm that moves more people to buy would be compared on other people than the control. "
        "`before` needs a figure that there is before exposure, `cap` large values, `margin` a guard-rail.",
        "Use `ratio` and `over` instead of `average` and `share`; delete words that do not belong to this metric.",
        "basket: {event: order_completed, average: {of: value}}",
        "basket: {ratio: {event: order_completed, sum: {of: value}}, over: {event: order_completed, count: {}}}",
    ),
    "SEG946": Entry(
        "a range or share of units that there is not",
        "`range` of a layer goes from one share to a greater one within 0 % and 100 %; `traffic` is above 0 % and at "
        "most 100 %.",
        "Write `range: 0 % to 50 %` and `traffic: 20 %`.",
        "layer: {name: mailings, range: 50 % to 0 %}",
        "layer: {name: mailings, range: 0 % to 50 %}",
    ),
    "SEG947": Entry(
        "experiments of one layer that share units",
        "Experiments of one layer never have a unit in common; their ranges must not overlap while they run. A layer "
        "without `range` is taken whole. One that is over may stay in the project, and another take its range.",
        "Set the ranges apart, give one of the experiments another layer, or stop one before the other starts.",
        "layer: {name: mailings, range: 40 % to 100 %}",
        "layer: {name: mailings, range: 50 % to 100 %}",
    ),
    "SEG948": Entry(
        "experiments on one segment that nothing keeps apart",
        "Members may be in both at once. The arms are still dealt independently, but what one experiment does can "
        "change what the other finds.",
        "Give both one `layer` with ranges apart. If meeting is meant, or one of them is over, nothing is wrong.",
        "segment: winback",
        "segment: winback\nlayer: {name: mailings, range: 50 % to 100 %}",
    ),
    "SEG949": Entry(
        "an experiment that is not planned, or not so",
        "`size` or `end` says when the experiment is over, so that a look before is known to be early. `confidence` "
        "and `power` are shares from 50 % to below 100 %; `effect` is the smallest change that matters.",
        "Write `size: 12000` or `end: 2026-12-31`; `segctl experiment plan` reckons the size.",
        "effect: 0 %",
        "effect: +20 %\nsize: 12000",
    ),
    "SEG950": Entry(
        "planned looks out of order",
        "Planned looks are shares of the planned size or time, ascending, and the last is the end itself.",
        "Write `looks: [50 %, 100 %]`, or `looks: always` for any time.",
        "looks: [50 %, 25 %]",
        "looks: [25 %, 50 %, 100 %]",
    ),
    "SEG951": Entry(
        "a unit or stratum that is no stored trait",
        "Units and strata must be the same whenever they are asked for, so they are stored traits: a unit text or a "
        "whole number, a stratum also a truth value.",
        "Use `unit: profile`, or `unit: {same: TRAIT}` with a trait that segctl.yaml declares.",
        "unit: {same: houshold_id}",
        "unit: {same: household_id}",
    ),
    "SEG952": Entry(
        "a universal holdout that is not like this",
        "Each generation of the universal holdout has a share above 0 % and below 100 %, begins before it ends, and "
        "ends before the next begins. Those before stay in the file: their names are never used again.",
        "Let one end on the day the next begins: `to: 2026-07-01` and `from: 2026-07-01`.",
        "universal_holdout: {h1: {share: 5 %, from: 2026-01-01, to: 2026-08-01}, h2: {share: 5 %, from: 2026-07-01}}",
        "universal_holdout: {h1: {share: 5 %, from: 2026-01-01, to: 2026-07-01}, h2: {share: 5 %, from: 2026-07-01}}",
    ),
    "SEG953": Entry(
        "an experiment on a segment that goes nowhere",
        "The segment has no `send_to`, so that nobody is pushed and no exposure is recorded by a push; and no workflow "
        "splits by the experiment.",
        "Add `send_to` to the segment, or `split: {experiment: NAME}` to a workflow. If something else sends, "
        "`segctl experiment assign` gives the arms. The experiment of a use case is a choice, and may rest.",
        "segment: winback\nwhere: {…}",
        "segment: winback\nsend_to: [newsletter_service]\nwhere: {…}",
    ),
    "SEG954": Entry(
        "a destination that cannot tell the arms apart",
        "Several arms are sent something, but none of the destination's `fields` is `experiment_arm`: everybody "
        "would get the same there.",
        "Add `fields: {variant: experiment_arm}` to the destination; the field there is called `variant` then.",
        "destination: newsletter_service\nkind: mailchimp",
        "destination: newsletter_service\nkind: mailchimp\nfields: {variant: experiment_arm}",
    ),
    "SEG972": Entry(
        "a control that stays where it is told",
        "In the mode `update` a push changes fields and takes nobody out. A control that is at the destination when "
        "the experiment starts stays there, and whatever is sent from there goes to it too: it is no control.",
        "Use the mode `mirror` or `add` while the experiment runs, or let the sending service go by the field "
        "`experiment_arm` and call the control an arm that is sent something.",
        "destination: newsletter_service\nkind: mailchimp\nmode: update",
        "destination: newsletter_service\nkind: mailchimp\nmode: add",
    ),
    "SEG973": Entry(
        "another share of a universal holdout that has begun",
        "Who is on record keeps their side for as long as the generation lasts: somebody who was told things is no "
        "control. Another share holds for people who come later, so that old and new ones are dealt differently.",
        "Set the old share again, or let the generation end and begin another one, with a name of its own.",
        "universal_holdout: {h2: {share: 10 %, from: 2026-07-01}}",
        "universal_holdout: {h2: {share: 5 %, from: 2026-07-01, to: 2026-10-01}, h3: {share: 10 %, from: 2026-10-01}}",
    ),
}
