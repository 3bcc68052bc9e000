"""Read source files into the workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from segctl.cli import messages, output
from segctl.cli.cells import counted
from segctl.cli.context import Context
from segctl.cli.options import SELECTION, TIME, Argument, Option, verb
from segctl.cli.progress import listener
from segctl.model.diagnostics import Diagnostic, Severity
from segctl.model.errors import DataError, UsageError
from segctl.model.exits import ExitCode

if TYPE_CHECKING:
    from segctl.model.errors import SegctlError
    from segctl.model.project import Project
    from segctl.operations.ingest.ingest import IngestResult, SourceResult
    from segctl.operations.ingest.propose import Proposal

EXAMPLES = (
    ("segctl ingest", "Read what is new in all declared sources."),
    ("segctl ingest orders --dry-run", "What would be taken of one source, without taking it."),
    ("segctl ingest orders --full", "Read all of a source again, and replace what came from it."),
    ("segctl ingest --from data/orders.csv --as order_completed --save", "A first try: propose a declaration."),
    ("segctl ingest --from web.jsonl --as tracking --save", "Events of Segment, Google Analytics, Snowplow …"),
)
EXITS = {
    3: "a source has more bad rows than it may, so nothing of it was taken; or a file breaks off",
    4: "a full picture is empty, or `--full` would drop rows that cannot be read again, and `--yes` was not given",
    75: "another ingest of the same source is running (see `--lock-wait`), or a service is away for now",
}
SEE_ALSO = ("segctl quarantine --help", "segctl help sources", "segctl help rest", "segctl help tracking")
COLUMNS = (
    output.Column("source"),
    output.Column("files", type="integer"),
    output.Column("read", type="integer"),
    output.Column("new", type="integer", bar=True),
    output.Column("known", type="integer"),
    output.Column("bad", type="integer"),
    output.Column("left_out", type="integer"),
    output.Column("new_identifiers", type="integer"),
    output.Column("state"),
)


@verb(without=(*SELECTION, *TIME), formats=("table", "json", "ndjson", "csv", "parquet"))
def command(
    ctx: Context,
    sources: Annotated[list[str], Argument("SOURCE", help="Declared sources; all without.", complete="sources")] = [],  # noqa: B006 - never changed
    path: Annotated[
        str | None, Option("--from", metavar="PATH", help="A file without a declaration; - is stdin.", complete="files")
    ] = None,
    kind: Annotated[
        str | None, Option("--as", metavar="profiles|tracking|EVENT", help="What its rows are.", complete="events")
    ] = None,
    key: Annotated[list[str], Option("--key", metavar="TYPE=COLUMN", help="Who a row is about. Repeatable.")] = [],  # noqa: B006 - never changed
    time: Annotated[str | None, Option("--time", metavar="COLUMN", help="When an event happened.")] = None,
    save: Annotated[bool, Option("--save", help="Write the proposed declaration to sources/.")] = False,
    full: Annotated[
        bool, Option("--full", help="Read everything of the sources again and replace what came from them.")
    ] = False,
    since: Annotated[
        str | None, Option("--since", metavar="TIME", help="Fetch from here on, whatever was fetched before.")
    ] = None,
    limit: Annotated[int | None, Option("--limit", metavar="N", help="Fetch at most so many records.")] = None,
) -> ExitCode | None:
    """Read the files of declared sources into the workspace.

    Unchanged files are skipped and known records change nothing. Rows that do not fit go to quarantine with every
    reason; above a source's `max_bad_rows` nothing of it is taken.

    After a change of a declaration, event files are read again by themselves where that loses nothing. --full
    does so always: all files of the sources are read, and what came from them before is replaced in one step.

    A source that is fetched (`kind: rest`, `database` or `singer`) goes on where its last fetch ended; one that was
    interrupted goes on after its last whole page. --full asks it for everything; nothing that it no longer has is
    dropped. A dry run fetches one page, or --limit records.

    With --from and --as a declaration is proposed from the data and printed; --save writes it down.
    """
    _keep_memory()
    from segctl.operations.ingest.fetch import Wishes, checked_limit, refuse_files
    from segctl.operations.ingest.ingest import chosen_sources, ingest, open_for_ingest, sources_of

    if path is not None:
        return _first_try(ctx, path, kind, tuple(key), time, save=save)
    if kind is not None or key or time is not None or save:
        raise UsageError(
            "SEG315", "`--as`, `--key`, `--time` and `--save` belong to `--from`", hint="add `--from PATH`"
        )
    wishes = Wishes(since, checked_limit(limit))
    with open_for_ingest(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s, dry_run=ctx.dry_run) as (
        project,
        workspace,
    ):
        declared = sources_of(project)
        chosen = chosen_sources(declared, tuple(sources))
        refuse_files(chosen, wishes)
        found = ingest(
            project,
            workspace,
            chosen,
            now=ctx.now,
            progress=listener(ctx),
            dry_run=ctx.dry_run,
            accepts_empty=ctx.yes,
            full=full,
            wishes=wishes,
        )
    return _report(ctx, found)


def _keep_memory() -> None:
    """Polars keeps the memory of one batch for the next: giving it back and asking again is a tenth of a long run."""
    import os

    # Its allocator reads this when it is loaded.
    os.environ.setdefault("_RJEM_MALLOC_CONF", "dirty_decay_ms:20000,muzzy_decay_ms:20000")


def _first_try(
    ctx: Context, path: str, kind: str | None, key: tuple[str, ...], time: str | None, *, save: bool
) -> ExitCode | None:
    from segctl.operations.ingest.ingest import ingest, open_for_ingest
    from segctl.operations.ingest.propose import propose

    if kind is None:
        raise UsageError(
            "SEG315", "`--from` needs `--as`", hint="say `--as profiles`, or the event: `--as order_completed`"
        )
    with open_for_ingest(ctx.project, env=ctx.env, lock_wait_s=ctx.lock_wait_s, dry_run=ctx.dry_run) as (
        project,
        workspace,
    ):
        proposal = propose(project, path, kind, key=key, time=time)
        for line in proposal.notes:
            messages.notice(ctx, line)
        if not _is_declared(ctx, project, proposal, save=save and not ctx.dry_run):
            _write_proposal(ctx, proposal)
            return None
        for line in proposal.yaml.splitlines():
            messages.notice(ctx, f"  {line}")
        chosen = [] if proposal.source is None else proposal.source.parts
        found = ingest(
            proposal.project,
            workspace,
            chosen,
            now=ctx.now,
            progress=listener(ctx),
            dry_run=ctx.dry_run,
            accepts_empty=ctx.yes,
        )
    return _report(ctx, found)


def _write_proposal(ctx: Context, proposal: Proposal) -> None:
    if ctx.format == "table":
        output.write_text(ctx, proposal.yaml)
        return
    row = (proposal.name, proposal.yaml, proposal.declarations)
    columns = tuple(output.Column(name) for name in ("source", "declaration", "lacking"))
    output.write(ctx, output.Result("segctl/proposal/1", columns, [row], noun="proposals"))


def _is_declared(ctx: Context, project: Project, proposal: Proposal, *, save: bool) -> bool:
    """Whether the proposal can be ingested; says what lacks, or what was added."""
    from segctl.operations.ingest.save import save_proposal

    if save:
        said, is_complete = save_proposal(project, proposal)
        for line in said:
            messages.notice(ctx, line)
        return is_complete and proposal.source is not None
    if proposal.declarations:
        messages.notice(ctx, "nothing was read: segctl.yaml lacks what this needs; `--save` adds it:")
        for line in proposal.declarations.splitlines():
            messages.notice(ctx, f"  {line}")
    return not proposal.declarations and proposal.source is not None


def _report(ctx: Context, found: IngestResult) -> ExitCode | None:
    for source in found.sources:
        _tell(ctx, source)
    rows = [_row(source) for source in found.sources]
    output.write(
        ctx,
        output.Result(
            "segctl/ingest/1",
            COLUMNS,
            rows,
            noun="sources",
            is_report=True,
            facts={"dry_run": True} if found.dry_run else {},
            run={"dry_run": found.dry_run, "sources": [_facts(source) for source in found.sources]},
            diagnostics=[_finding(source.error) for source in found.sources if source.error is not None],
            exit=found.exit,
            reason=_reason(found),
        ),
    )
    if not found.exit and not found.dry_run:
        messages.notice(ctx, "next: segctl apply")
    return found.exit or None


def _finding(error: SegctlError) -> Diagnostic:
    return Diagnostic(error.code, Severity.ERROR, error.message, error.location, error.why, error.hint)


def _reason(found: IngestResult) -> str | None:
    if any(source.error is not None for source in found.sources):
        return "sources_refused"
    return "files_incomplete" if found.exit else None


def _row(source: SourceResult) -> tuple[object, ...]:
    known = source.duplicates + source.conflicts
    left_out = source.unclaimed + source.skipped
    return (source.source, source.files, source.read, source.new, known, source.bad, left_out, source.new_subjects,
            source.state)  # fmt: skip


def _tell(ctx: Context, source: SourceResult) -> None:
    name = source.source
    if source.error is not None:
        messages.error(ctx, source.error)
        return
    for shown, facts in source.detected.items():
        messages.detail(ctx, f"{name}: {shown}: {'; '.join(facts)}")
    for line in told(source):
        messages.notice(ctx, f"{name}: {line}")
    for broken in source.broken:
        hint = "copy or export the file again, then ingest it: rows that are already known change nothing"
        messages.error(ctx, DataError("SEG367", f"`{name}`: {broken}; the rows before were taken", hint=hint))


def told(source: SourceResult) -> list[str]:
    """What a person should know about a source, one sentence each."""
    lines = list(source.notes)
    if source.bad:
        lines.append(f"{counted(source.bad, 'bad rows')} set aside (segctl quarantine show {source.source})")
        lines += [f"  {example}" for example in source.examples]
    others = (
        (
            source.conflicts,
            "events have a known id and other content; the first stays, unless the source says `corrections: replace`",
        ),
        (source.replaced, "events were replaced by corrections"),
        (source.sessions, "sessions are new or changed"),
        (source.read_again, "stored rows were replaced, since all of the source was read again"),
        (source.unclaimed, "events name nobody and were left out"),
        (source.gone, "people or rows are gone from the full picture"),
        (source.ambiguous_times, "local times came twice when the clocks went back; the declared rule decided"),
        (source.missing_times, "local times were skipped when the clocks went forward; the declared rule decided"),
        (source.dropped_elements, "missing elements were taken out of lists"),
    )
    lines += [f"{number:,} {_of_one(text) if number == 1 else text}" for number, text in others if number]
    if source.kinds_skipped:
        most = sorted(source.kinds_skipped.items(), key=lambda item: (-item[1], item[0]))[:5]
        shown = ", ".join(f"`{kind}` ({rows:,})" for kind, rows in most)
        lines.append(f"{len(source.kinds_skipped)} kinds are no declared events and were left out: {shown}")
    return lines


def _of_one(text: str) -> str:
    """A sentence about several as one about one."""
    noun, _, rest = text.partition(" ")
    for many, one in (("have", "has"), ("were", "was"), ("are", "is"), ("name", "names"), ("came", "came")):
        rest = rest.replace(f"{many} ", f"{one} ", 1) if rest.startswith(f"{many} ") else rest
    return f"{noun.removesuffix('s')} {rest}"


def _facts(source: SourceResult) -> dict[str, object]:
    plain = {name: getattr(source, name) for name in source.__slots__ if name not in ("error", "reasons")}
    plain["state"] = source.state
    plain["reasons"] = [
        {"column": column, "expected": expected, "rows": rows} for (column, expected), rows in source.reasons.items()
    ]
    return plain
