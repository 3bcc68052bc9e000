"""Recognise people: which identifiers are one person."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from segctl.cli import messages, output
from segctl.cli.context import Context
from segctl.cli.options import SELECTION, TIME, Argument, Option, verb
from segctl.cli.progress import listener
from segctl.model.errors import UsageError

if TYPE_CHECKING:
    from segctl.model.project import Project
    from segctl.operations.dedupe.dedupe import Deduped
    from segctl.operations.dedupe.undo import Undone
    from segctl.state.workspace import Workspace

EXAMPLES = (
    ("segctl dedupe --dry-run", "What would be merged, and what is held back."),
    ("segctl dedupe", "Recognise people and record the new version."),
    ("segctl dedupe --report people.html", "Also as a page that anybody can read."),
    ("segctl dedupe undo last", "Take the newest run back."),
    ("segctl dedupe --review doubts.csv", "Doubtful pairs side by side, for a person to decide."),
)
EXITS = {4: "a profile would be too large; nothing was changed"}
SEE_ALSO = ("segctl help identity", "segctl explain --help", "segctl diff --help")
ACTIONS = ("run", "runs", "undo", "review", "together", "apart", "decisions")
SIZES = (output.Column("identifiers"), output.Column("profiles", type="integer", bar=True))
LINKS = (output.Column("key"), output.Column("links", type="integer", bar=True))
JUNK = (
    output.Column("key"), output.Column("value"), output.Column("identities", type="integer"), output.Column("reason"),
)  # fmt: skip
HELD = (
    output.Column("key"), output.Column("value"), output.Column("left"), output.Column("right"),
    output.Column("reason"),
)  # fmt: skip
LARGEST = (
    output.Column("profile_id"), output.Column("identifiers", type="integer"), output.Column("kinds", type="object"),
)  # fmt: skip
RUNS = (
    output.Column("run"), output.Column("at", type="time"), output.Column("what"),
    output.Column("profiles", type="integer"), output.Column("merged", type="integer"),
    output.Column("split", type="integer"), output.Column("held", type="integer"), output.Column("undid"),
)  # fmt: skip
DECISIONS = (
    output.Column("left"), output.Column("right"), output.Column("verdict"), output.Column("who"),
    output.Column("at", type="time"), output.Column("why"),
)  # fmt: skip
_SHOWN = 20
_BUCKETS = ((1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 10), (11, 20), (21, 50), (51, 10**9))


@verb(without=(*SELECTION, *TIME), formats=("table", "json", "ndjson", "csv", "parquet"))
def command(
    ctx: Context,
    action: Annotated[str, Argument("ACTION", help="What to do.", choices=ACTIONS)] = "run",
    what: Annotated[
        str | None, Argument("RUN|WHO", help="For undo a run or a person; for together and apart a person.")
    ] = None,
    other: Annotated[str | None, Argument("WHO", help="For together and apart the other person.")] = None,
    fuzzy: Annotated[
        bool, Option("--fuzzy", help="Also join people whose names, birthdays and addresses are alike; later runs too.")
    ] = False,
    no_fuzzy: Annotated[
        bool, Option("--no-fuzzy", help="Join by keys only; what only likeness joined comes apart.")
    ] = False,
    review: Annotated[
        str | None, Option("--review", metavar="FILE", help="Write doubtful pairs to a CSV or JSON file.")
    ] = None,
    report: Annotated[
        str | None,
        Option("--report", metavar="FILE", complete="files", help="Also write a page that anybody can read."),
    ] = None,
    decisions: Annotated[
        str | None,
        Option("--decisions", metavar="FILE", help="Read decisions from such a file first.", complete="files"),
    ] = None,
    who: Annotated[str | None, Option("--who", metavar="NAME", help="Who decides; recorded with a decision.")] = None,
    why: Annotated[str | None, Option("--why", metavar="TEXT", help="Why; recorded with a decision.")] = None,
    show_personal: Annotated[bool, Option("--show-personal", help="Show shared values and traits of people.")] = False,
) -> None:
    """Recognise people: identifiers that belong to one person become one profile.

    Events and records are never rewritten, so everything can be taken back: `undo` restores the profiles as they were,
    and the next `diff` names the merge as the cause of what moved. What a limit keeps apart is held for review. An
    earlier run whose profiles later ones have changed cannot be restored row by row: `undo` says so, decides apart
    what that run joined, and recognises everybody again.

    `runs` lists what was done, `review` asks for each doubtful pair, `together` and `apart` decide about two people,
    and `decisions` lists what was decided.
    """
    from segctl.operations.dedupe.session import open_for_dedupe

    with open_for_dedupe(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s) as (project, workspace):
        if action == "run":
            _run(
                ctx, project, workspace, fuzzy=fuzzy, no_fuzzy=no_fuzzy, review=review, decisions=decisions, who=who,
                personal=show_personal, report=report,
            )  # fmt: skip
        elif action == "review":
            from segctl.cli.review import review_pairs

            review_pairs(ctx, project, workspace, who=who, personal=show_personal)
        elif action in ("runs", "decisions"):
            (_list_runs if action == "runs" else _list_decisions)(ctx, project, workspace)
        elif what is None or (action != "undo" and other is None):
            hint = "segctl dedupe undo last" if action == "undo" else f"segctl dedupe {action} K1 K2"
            raise UsageError("SEG104", f"`dedupe {action}` needs to know whom", hint=hint)
        elif action == "undo":
            _undo(ctx, project, workspace, what, who, why)
        else:
            _decide(ctx, project, workspace, action, what, other or "", who=who, why=why)


def _run(
    ctx: Context,
    project: Project,
    workspace: Workspace,
    *,
    fuzzy: bool,
    no_fuzzy: bool,
    review: str | None,
    decisions: str | None,
    who: str | None,
    personal: bool,
    report: str | None,
) -> None:
    from segctl.operations.dedupe.answers import read_decisions, record
    from segctl.operations.dedupe.dedupe import dedupe
    from segctl.operations.dedupe.review import doubts, write_doubts

    if fuzzy and no_fuzzy:
        raise UsageError("SEG103", "`--fuzzy` and `--no-fuzzy` exclude each other", hint="give one of them")
    asked = fuzzy if fuzzy or no_fuzzy else None
    if decisions is not None:
        made = read_decisions(workspace, Path(decisions))
        if not ctx.dry_run:
            messages.notice(ctx, f"{record(workspace, made, now=ctx.now, who=who):,} decisions recorded")
    found = dedupe(project, workspace, now=ctx.now, fuzzy=asked, dry_run=ctx.dry_run, in_full=report is not None,
                   progress=listener(ctx))  # fmt: skip
    output.write(ctx, _report(ctx, found, personal=personal))
    for note in found.notes:
        messages.warning(ctx, note)
    if report is not None:
        _write_page(ctx, project, found, report, personal=personal)
    if review is not None:
        if ctx.dry_run:
            raise UsageError("SEG103", "`--review` needs a recorded run", hint="leave out `--dry-run`")
        pairs = doubts(project, workspace, now=ctx.now)
        write_doubts(pairs, Path(review))
        messages.notice(ctx, f"{len(pairs):,} doubtful pairs in {review}; it holds personal data")
        messages.notice(ctx, f"next: fill `verdict`, then segctl dedupe --decisions {review}")
    elif ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was recorded")
    elif found.run is None:
        messages.notice(ctx, "no profile has changed")
    else:
        held = "segctl dedupe review" if found.held.height else "segctl apply"
        messages.notice(ctx, f"undo it with segctl dedupe undo {found.run.id}; next: {held}")


def _write_page(ctx: Context, project: Project, found: Deduped, path: str, *, personal: bool) -> None:
    """Write the page beside what the call prints; others on the machine cannot read it."""
    from segctl.cli.identity_page import page
    from segctl.model.errors import LocalIOError
    from segctl.operations.dedupe.session import local

    text = page(
        found, name=project.name or "", language=project.language, at=local(project, ctx.now), personal=personal
    )
    try:
        Path(path).touch(mode=0o600)
        Path(path).write_bytes(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise LocalIOError("SEG607", f"cannot use `{path}`", why=error.strerror or str(error)) from error
    messages.notice(ctx, f"the page is in {path}")


def _report(ctx: Context, found: Deduped, *, personal: bool) -> output.Result:
    whole = ctx.format == "json"
    held = found.held if whole else found.held.head(_SHOWN)
    junk = found.junk if whole else found.junk.head(_SHOWN)
    facts: dict[str, Any] = {
        "run": found.run.id if found.run else "none (dry run)" if ctx.dry_run else "none (nothing changed)",
        "identifiers": found.subjects,
        "profiles_before": found.before,
        "profiles_after": found.after,
        "likeness": _likeness(found, whole=whole),
        **found.events,
        "held": found.held.height,
        "not_identifiers": found.junk.height,
    }
    shown = [(key, value if personal or key == "fuzzy" else masked(value), left, right, reason)
             for key, value, left, right, reason in held.iter_rows()]  # fmt: skip
    sections = [output.Section("links", "links by key", LINKS, list(found.links.items()))]
    if found.largest or whole:
        sections.append(output.Section("largest", "largest profiles", LARGEST, found.largest))
    if junk.height or whole:
        sections.append(output.Section("junk", "values that identify nobody", JUNK, list(junk.iter_rows())))
    if shown or whole:
        sections.append(output.Section("held", "held back", HELD, shown))
    notes = [f"{count:,} values of `{key}` are none of its kind" for key, count in sorted(found.invalid.items())]
    if found.held.height > len(shown):
        notes.append(f"{found.held.height - len(shown):,} more are held back; `--review FILE` writes them all")
    return output.Result(
        "segctl/dedupe/1", SIZES, found.sizes if whole else buckets(found.sizes), noun="sizes", is_report=True,
        facts=facts, sections=tuple(sections), notes=notes,
    )  # fmt: skip


def _likeness(found: Deduped, *, whole: bool) -> object:
    """Whether likeness joined people, and for readers also who says so."""
    choice = found.likeness
    is_on = choice is not None and choice.fuzzy
    if whole or choice is None:
        return is_on
    by = {"option": "", "default": "", "segctl.yaml": " (as segctl.yaml says)", "the last run": " (as in the last run)"}
    return f"{'yes' if is_on else 'no'}{by[choice.by]}"


def buckets(sizes: tuple[tuple[int, int], ...]) -> list[tuple[str, int]]:
    """Sizes together, so that a table stays short."""
    rows = []
    for low, high in _BUCKETS:
        profiles = sum(count for size, count in sizes if low <= size <= high)
        name = f"{low}" if low == high else f"{low} to {high}" if high < 10**9 else f"more than {low - 1}"
        rows += [(name, profiles)] if profiles else []
    return rows


def masked(value: str | None) -> str | None:
    """A shared value that one may recognise, but not read."""
    if value is None or len(value) < 3:
        return value and "***"
    name, at, domain = value.partition("@")
    if at:
        return f"{name[:1]}***@{domain}"
    return f"{value[:3]}***{value[-2:]}" if len(value) > 7 else f"{value[:1]}***"


def _undo(ctx: Context, project: Project, workspace: Workspace, what: str, who: str | None, why: str | None) -> None:
    from segctl.operations.dedupe.undo import undo

    found = undo(project, workspace, what, now=ctx.now, who=who, why=why, dry_run=ctx.dry_run)
    facts = {
        "undone": found.what,
        "run": found.run.id if found.run else "none (dry run)",
        "restored": found.is_exact,
        "changed_since": found.changed_since,
        "identifiers_moved_back": found.subjects,
        "profiles_more": found.profiles,
        "decided": found.decisions,
        "kept_apart": found.kept_apart,
    }
    output.write(ctx, output.Result("segctl/dedupe-undo/1", facts=facts, is_report=True))
    if found.kept_apart:
        messages.notice(ctx, f"{found.kept_apart:,} pairs that only the undone profile held back stay apart too")
    if not found.is_exact:
        messages.warning(ctx, _no_return(found))
    if ctx.dry_run:
        messages.notice(ctx, "dry run: nothing was recorded")
    elif found.is_exact:
        messages.notice(ctx, "the profiles are as they were, and the next dedupe leaves them so; next: segctl apply")
    else:
        messages.notice(ctx, "the next dedupe leaves it so; next: segctl apply")


def _no_return(found: Undone) -> str:
    """What an undo does where later runs have moved on."""
    count = found.changed_since
    several = f"{count:,} of its profiles were" if count > 1 else "one of its profiles was"
    return (
        f"{several} changed by later runs, so {found.what} cannot be taken back row by row:"
        " what it joined is decided apart, and everybody is recognised again"
    )


def _decide(
    ctx: Context, project: Project, workspace: Workspace, action: str, a: str, b: str, *, who: str | None,
    why: str | None,
) -> None:  # fmt: skip
    from segctl.operations.dedupe.decisions import decide

    verdict = "must" if action == "together" else "cannot"
    left, right = decide(
        workspace, a, b, verdict, now=ctx.now, who=who, why=why, rules=project.identity, dry_run=ctx.dry_run
    )
    facts = {"verdict": verdict, "left": left, "right": right}
    output.write(ctx, output.Result("segctl/dedupe-decision/1", facts=facts, is_report=True))
    told = "dry run: nothing was recorded" if ctx.dry_run else "recorded; it takes effect with the next segctl dedupe"
    messages.notice(ctx, told)


def _list_runs(ctx: Context, project: Project, workspace: Workspace) -> None:
    from segctl.operations.dedupe.session import local
    from segctl.state.identity import identity_runs

    rows = [
        (r.id, local(project, r.at), r.kind, r.counts.get("profiles"), r.counts.get("merged"), r.counts.get("split"),
         r.counts.get("held"), r.undone)
        for r in identity_runs(workspace)
    ]  # fmt: skip
    output.write(ctx, output.Result("segctl/dedupe-runs/1", RUNS, rows, noun="runs"))


def _list_decisions(ctx: Context, project: Project, workspace: Workspace) -> None:
    from datetime import datetime

    from segctl.operations.dedupe.session import ids_of, local
    from segctl.state.identity import decisions

    found = decisions(workspace)
    names = ids_of(workspace, [s for d in found for s in (d.subject_a, d.subject_b)])
    rows = [
        (names[d.subject_a], names[d.subject_b], d.verdict, d.who, local(project, datetime.fromisoformat(d.at)), d.why)
        for d in found
    ]
    output.write(ctx, output.Result("segctl/dedupe-decisions/1", DECISIONS, rows, noun="decisions"))
