"""Experiments: plan, start, watch, stop, and who is in which arm."""

from __future__ import annotations

from typing import Annotated

from segctl.cli.context import Context
from segctl.cli.options import FORMATS, SELECTION, Argument, Language, Option, verb
from segctl.model.exits import ExitCode

EXAMPLES = (
    ("segctl experiment plan winback_mail", "How many people it needs, how long it takes, what it can find."),
    (
        "segctl experiment plan --segment winback --event order_completed --effect 20%",
        "The same for an experiment that nobody has declared yet.",
    ),
    ("segctl experiment start winback_mail", "From now on pushes of its segment hold its control out."),
    ("segctl experiment assign winback_mail -f csv -o arms.csv", "Without a push: for those who send by other means."),
    ('segctl experiment stop winback_mail --winner coupon --reason "+12 %"', "Everybody gets the coupon."),
)
SEE_ALSO = ("segctl help experiments", "segctl help assignment", "segctl report --help", "segctl ls experiments")
ACTIONS = ("plan", "start", "status", "stop", "assign")

Segment = Annotated[
    str | None, Option("--segment", metavar="NAME", help="With `plan`: without an experiment.", complete="segments")
]
Event = Annotated[
    str | None, Option("--event", metavar="NAME", help="With --segment: the event that counts.", complete="events")
]
Baseline = Annotated[
    str | None,
    Option("--baseline", metavar="SHARE", help="The rate now, or with --sd the mean, instead of the data."),
]
Effect = Annotated[str | None, Option("--effect", metavar="SHARE", help="Smallest change that matters: 20%.")]
Split = Annotated[str | None, Option("--split", metavar="WEIGHTS", help="Of the arms, the control first: 10/45/45.")]
Looks = Annotated[str | None, Option("--looks", metavar="WHEN", help="end, always, or a number of planned looks.")]
PerDay = Annotated[float | None, Option("--per-day", metavar="N", help="Who come a day, instead of the data.")]
Winner = Annotated[str | None, Option("--winner", metavar="ARM", help="With `stop`: the arm that everybody gets.")]
Sent = Annotated[
    bool, Option("--sent", help="With `assign`: they are told now by other means, so their window begins.")
]
Source = Annotated[
    str | None,
    Option(
        "--from",
        metavar="FILE",
        help="With `assign`: an experiment dealt elsewhere; columns id, arm, exposed_at; - reads standard input.",
    ),
]


@verb(without=SELECTION, formats=FORMATS)
def command(
    ctx: Context,
    action: Annotated[str, Argument("ACTION", help="What to do.", choices=ACTIONS)] = "plan",
    name: Annotated[
        str | None, Argument("NAME", help="An experiment; not needed when there is one.", complete="experiments")
    ] = None,
    segment: Segment = None,
    event: Event = None,
    window: Annotated[str | None, Option("--window", metavar="DURATION", help="From exposure; else 14 days.")] = None,
    baseline: Baseline = None,
    sd: Annotated[str | None, Option("--sd", metavar="N", help="Deviation of the mean between units.")] = None,
    effect: Effect = None,
    power: Annotated[str | None, Option("--power", metavar="SHARE", help="To find it; else 80 %.")] = None,
    confidence: Annotated[str | None, Option("--confidence", metavar="SHARE", help="Of intervals; else 95 %.")] = None,
    arms: Annotated[str | None, Option("--arms", metavar="N", help="So many arms of equal weight.")] = None,
    split: Split = None,
    looks: Looks = None,
    members: Annotated[int | None, Option("--members", metavar="N", help="There now, instead of the data.")] = None,
    per_day: PerDay = None,
    winner: Winner = None,
    reason: Annotated[str | None, Option("--reason", metavar="TEXT", help="With `stop`: why; kept on record.")] = None,
    arm: Annotated[str | None, Option("--arm", metavar="ARM", help="With `assign`: only its people.")] = None,
    sent: Sent = False,
    source: Source = None,
    check: Annotated[bool, Option("--check", help="With `assign`: look at who is on record; assign nobody.")] = False,
    language: Language = None,
) -> ExitCode | None:
    """Plan, start, watch and stop experiments.

    `plan` reckons from the project's own data: what the metrics were in the last window among those who were members
    at its begin, how many members there are, and how many come. It tells how many are needed for the effect that
    matters, the smallest effect that can be found, and what other splits would cost. Nothing is recorded.

    `start` writes the definition down; from then on a push of the segment assigns its people before anybody is told,
    and holds out those whose arm is sent nothing. `status` tells how it goes, `stop` ends it. `assign` assigns without
    a push and writes who is in which arm; with `--check` it looks whether that is right, and with `--from` it takes
    over who was in which arm of an experiment that was dealt elsewhere.
    """
    if action == "assign" and source is not None:
        from segctl.cli.experiment_import_view import write_import

        write_import(ctx, name, source, is_sent=sent)
        return None
    if action != "plan":
        return _run(ctx, action, name, winner, reason, arm, is_sent=sent, is_check=check, language=language)
    from segctl.cli.experiment_plan_view import write_plan
    from segctl.operations.experiment.options import Said

    said = Said(name, segment, event, window, baseline, sd, effect, power, confidence, arms, split, looks)
    write_plan(ctx, said, members=members, per_day=per_day, language=language)
    return None


def _run(
    ctx: Context,
    action: str,
    name: str | None,
    winner: str | None,
    reason: str | None,
    arm: str | None,
    *,
    is_sent: bool,
    is_check: bool,
    language: str | None,
) -> ExitCode | None:
    from segctl.cli import experiment_view as view

    if action == "start":
        view.write_start(ctx, name, language)
    elif action == "status":
        return view.write_status(ctx, name, language)
    elif action == "stop":
        view.write_stop(ctx, name, winner, reason, language)
    elif is_check:
        return view.write_check(ctx, name)
    else:
        view.write_assign(ctx, name, arm, is_sent=is_sent)
    return None
