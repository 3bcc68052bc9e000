"""Codes about selection and plans (SEG403–409, SEG545–549, SEG570–579)."""

from __future__ import annotations

from segctl.model.catalogue import Entry

ENTRIES: dict[str, Entry] = {
    "SEG403": Entry(
        "parts of a selection that have nothing in common",
        "Parts joined by a comma must all fit the same segment, and no segment fits them all.",
        "Separate the parts by a blank to mean either, or add `--allow-empty` where nothing is a good answer.",
        'segctl apply --select "tag:daily,status:draft"',
    ),
    "SEG404": Entry(
        "unknown value of a property in a selection",
        "`state:` is new, modified or unmodified; `result:` is ok, what_if or failed; `status:` is draft, active or "
        "paused.",
        "Write one of these.",
        'segctl apply --select "state:changed"',
    ),
    "SEG405": Entry(
        "no Git repository",
        "Comparing with a revision needs Git and a project that lies in a repository.",
        "Install Git, run inside a clone, or compare with a run or a plan file.",
    ),
    "SEG406": Entry(
        "unknown revision",
        "The repository has no branch, tag or commit of that name; in CI often because only one branch was fetched.",
        "Fetch it first (`git fetch origin main`), or name `origin/main`.",
        "segctl plan --against mian",
    ),
    "SEG407": Entry(
        "a revision without the project",
        "That revision has no segctl.yaml in the project's folder.",
        "Name a later revision, in which the project exists.",
    ),
    "SEG408": Entry(
        "a revision whose definitions have errors",
        "The definitions of that revision do not bind, so what they mean is not known.",
        "Compare with a revision without errors.",
    ),
    "SEG409": Entry(
        "a file that holds no state",
        "`--state` takes a run, a Git revision, or a file that `segctl plan -f json` has written.",
        "Write one with `segctl plan -f json -o FILE`.",
        "segctl ls --select state:modified --state segctl.yaml",
    ),
    "SEG545": Entry(
        "an allowance that makes no sense",
        "`--allow` sets a guard for one run: `removed` and `added` take a percentage, `min_size` and `max_size` a "
        "number.",
        "Write `removed=30%`, or `SEGMENT.min_size=10` for one segment only.",
        "segctl apply --allow removed=0.3",
    ),
    "SEG546": Entry(
        "another run came in between",
        "A run was recorded while this one was evaluated, so what was compared with is no longer in force.",
        "Run the command again.",
    ),
    "SEG547": Entry(
        "an allowance without a reason",
        "Whoever loosens a guard says why; the reason is recorded with the run.",
        'Add `--reason "…"`.',
        "segctl apply --allow removed=30%",
    ),
    "SEG548": Entry(
        "options that a saved plan has settled",
        "A plan says which segments, as of when, and what guards allow; `apply PLAN` does exactly that.",
        "Leave the option out, or make another plan.",
        "segctl apply plan.json --as-of yesterday",
    ),
    "SEG570": Entry(
        "a stale plan",
        "Definitions, guards, lists, data or the run in force are others than when the plan was made, so it might do "
        "something that nobody has looked at.",
        "Make a new plan and look at it.",
        "segctl apply plan.json",
    ),
    "SEG571": Entry(
        "the plan's members cannot be had again",
        "The evaluation gives other members than the plan promises: declarations in segctl.yaml, or the version of "
        "segctl, are others than when the plan was made.",
        "Make a new plan and look at it.",
    ),
    "SEG572": Entry(
        "no plan",
        "The file is none that `segctl plan -o FILE.json` or `segctl plan -f json` has written, or is of another form.",
        "Write one with `segctl plan -o plan.json`. Segments are chosen with `--select`.",
        "segctl apply winback",
    ),
    "SEG573": Entry(
        "a plan that was changed",
        "The digest in the file does not fit what the file says.",
        "Make a new plan. Limits of guards are set with `--allow`, segments with `--select`.",
    ),
    "SEG574": Entry(
        "a plan of another project or environment",
        "It was made for another `name:` or environment than the one that it is applied to.",
        "Name the environment with `--env`, or the project with `--project`.",
        "segctl apply plan.json --env prod",
    ),
    "SEG575": Entry(
        "a plan that only compares",
        "`plan --against` compares with definitions of another revision, not with the membership in force.",
        "Make one without `--against`.",
    ),
    "SEG576": Entry(
        "options of a test over the past that make no sense",
        "`--backtest` takes `--from`, `--to` and a step such as `--every week`, and compares with nothing.",
        "Write `segctl plan SEGMENT --backtest --from 2026-01-01 --to 2026-06-30 --every week`.",
        "segctl plan vip --backtest --every sometimes",
    ),
    "SEG577": Entry(
        "too many dates",
        "A test over the past evaluates everything at each date, and more than a thousand are almost always a mistake.",
        "Choose a longer step, or begin later.",
        "segctl plan vip --backtest --from 1990-01-01 --every day",
    ),
}
