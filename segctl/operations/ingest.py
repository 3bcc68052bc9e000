"""Read the files of declared sources into the workspace: all of a source in one commit, or nothing of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from segctl.model.diagnostics import Diagnostic, Severity, has_errors, in_reading_order
from segctl.model.errors import DataError, Refused, SegctlError, UsageError
from segctl.model.exits import ExitCode, worst
from segctl.operations.ingest_pipeline import ahead
from segctl.operations.progress import Progress, Silent

if TYPE_CHECKING:
    from segctl.connectors.files import Detected, ReadOptions
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.state.workspace import Workspace


@dataclass(slots=True)
class SourceResult:
    """What happened to one source.

    Attributes:
        source: Its name.
        files: Files that were read.
        skipped_files: Files that were read before and have not changed.
        read: Rows read.
        new: New events, or new record versions.
        bad: Rows in quarantine.
        duplicates: Rows that were known.
        conflicts: Events whose id is known with other content; the first stays.
        replaced: Events that a correction replaced (`corrections: replace`).
        unclaimed: Events without any identifier.
        skipped: Rows left out by `only`, or without a declared event.
        gone: People who are no longer in the full picture.
        new_subjects: Identifiers seen for the first time.
        ambiguous_times: Local times that came twice; `missing_times` those that no clock showed.
        dropped_elements: Missing elements taken out of lists.
        by_kind: New events by kind.
        kinds_skipped: Values of the kind column that are no declared event.
        detected: What was detected in each file, in words.
        reasons: Bad rows by (column, what was expected).
        examples: The first reasons, in words.
        notes: What else a person should know.
        commit: Number of the commit; None when there was none.
        error: Why nothing of it was taken.
    """

    source: str
    files: int = 0
    skipped_files: int = 0
    read: int = 0
    new: int = 0
    bad: int = 0
    duplicates: int = 0
    conflicts: int = 0
    replaced: int = 0
    unclaimed: int = 0
    skipped: int = 0
    gone: int = 0
    new_subjects: int = 0
    ambiguous_times: int = 0
    missing_times: int = 0
    dropped_elements: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    kinds_skipped: dict[str, int] = field(default_factory=dict)
    detected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    commit: int | None = None
    error: SegctlError | None = None

    @property
    def state(self) -> str:
        """``ingested``, ``unchanged`` or ``refused``."""
        if self.error is not None:
            return "refused"
        return "ingested" if self.files else "unchanged"


@dataclass(frozen=True, slots=True)
class IngestResult:
    """All sources of a call, in the order they were asked for."""

    sources: tuple[SourceResult, ...]
    dry_run: bool = False

    @property
    def exit(self) -> ExitCode:
        """The code to leave with."""
        return worst(source.error.exit_code for source in self.sources if source.error is not None)


@contextmanager
def open_for_ingest(
    start: Path, *, env: str | None = None, lock_wait_s: float = 0.0, dry_run: bool = False, create: bool = True
) -> Iterator[tuple[Project, Workspace]]:
    """The project found upwards from `start` and its workspace; a dry run without a workspace uses a passing one.

    Raises:
        UsageError: No project, or findings in its file; no workspace yet and `create` is false.
    """
    from segctl.compile.project import load_project
    from segctl.state.workspace import Workspace

    project, findings = load_project(start, env)
    _refuse(findings)
    with ExitStack() as stack:
        folder = Path(project.workspace)
        if dry_run and not (folder / "state.db").is_file():
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="segctl-")))
            create = True
        workspace = Workspace.open(folder, create=create, lock_wait_s=lock_wait_s)
        yield project, stack.enter_context(workspace)


def sources_of(project: Project) -> dict[str, Source]:
    """All declared sources by name.

    Raises:
        UsageError: With every finding in their files.
    """
    from segctl.compile.sources import load_sources

    sources, findings = load_sources(project)
    _refuse(findings)
    return sources


def _refuse(findings: list[Diagnostic]) -> None:
    if has_errors(findings):
        ordered = in_reading_order(findings)
        count = sum(1 for finding in ordered if finding.severity is Severity.ERROR)
        message = f"the declarations have {count} error{'' if count == 1 else 's'}; nothing was read"
        raise UsageError("SEG309", message, hint="`segctl lint` shows them again", diagnostics=ordered)


def chosen_sources(sources: dict[str, Source], names: Sequence[str]) -> list[Source]:
    """The named sources in the order given; all of them without names.

    Raises:
        UsageError: A name is no source, or there are none.
    """
    from segctl.compile.source_nodes import nearest

    if not sources:
        raise UsageError(
            "SEG307",
            "the project declares no sources",
            hint="try `segctl ingest --from data/orders.csv --as EVENT --save`, or write sources/orders.yaml",
        )
    for name in names:
        if name not in sources:
            raise UsageError("SEG308", f"`{name}` is not a source", hint=nearest(name, sources))
    return [sources[name] for name in dict.fromkeys(names)] if names else list(sources.values())


def ingest(
    project: Project,
    workspace: Workspace,
    sources: Iterable[Source],
    *,
    now: datetime,
    progress: Progress | None = None,
    dry_run: bool = False,
    accepts_empty: bool = False,
    batch_rows: int | None = None,
) -> IngestResult:
    """Reads what is new in the files of sources; a source that fails does not stop the others.

    Args:
        project: With its declared identifiers, traits and events.
        workspace: Open; nothing of it changes in a dry run.
        sources: Bound declarations.
        now: Arrival of what is read; aware.
        progress: Who is told.
        dry_run: All but the commit.
        accepts_empty: An empty full picture is meant: everybody is gone.
        batch_rows: Rows a batch, for tests.
    """
    results = []
    for source in sources:
        result = SourceResult(source.name)
        run = _Run(project, workspace, source, now, progress or Silent(), dry_run, accepts_empty, batch_rows, result)
        try:
            run.run()
        except SegctlError as error:
            result.error = error
        results.append(result)
    return IngestResult(tuple(results), dry_run)


@dataclass(frozen=True, slots=True)
class _Input:
    """A file to read."""

    path: Path
    shown: str
    digest: str
    size: int
    modified: float | None


@dataclass(slots=True)
class _Run:
    project: Project
    workspace: Workspace
    source: Source
    now: datetime
    progress: Progress
    dry_run: bool
    accepts_empty: bool
    batch_rows: int | None
    result: SourceResult
    _finished: list[Any] = field(default_factory=list)

    def run(self) -> None:
        with self.workspace.lock(f"ingest/{self.source.name}"):
            inputs = self._inputs()
            self.result.files = len(inputs)
            if inputs:
                self._read_all(inputs)

    def _inputs(self) -> list[_Input]:
        from segctl.connectors.files import expand

        found = [self._input(path) for path in expand(Path(self.project.root), self.source.paths)]
        fresh = [item for item in found if not self._is_known(item)]
        if self.source.picture == "full" and fresh:
            # Its files together are the picture, so one changed part means reading all.
            return found
        self.result.skipped_files = len(found) - len(fresh)
        return fresh

    def _input(self, path: Path) -> _Input:
        from segctl.connectors.files import digest
        from segctl.connectors.files.paths import unreadable
        from segctl.state.inputs import newest_input

        root = Path(self.project.root)
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        try:
            facts = path.stat()
        except OSError as error:
            raise unreadable(path, error) from error
        newest = newest_input(self.workspace, self.source.name, shown)
        if newest is not None and newest.size == facts.st_size and newest.modified == facts.st_mtime:
            return _Input(path, shown, newest.digest, facts.st_size, facts.st_mtime)
        return _Input(path, shown, digest(path), facts.st_size, facts.st_mtime)

    def _is_known(self, item: _Input) -> bool:
        from segctl.state.inputs import is_ingested, newest_input

        newest = newest_input(self.workspace, self.source.name, item.shown)
        if self.source.holds_profiles and newest is not None:
            # An older state of a file may come back, and a changed declaration may want other columns.
            return newest.digest == item.digest and newest.note.get("declaration") == self.source.digest
        return is_ingested(self.workspace, self.source.name, item.digest)

    def _read_all(self, inputs: list[_Input]) -> None:
        from segctl.connectors.typing_values import Counts
        from segctl.operations.ingest_events import EventSink
        from segctl.operations.ingest_quarantine import Quarantine
        from segctl.operations.ingest_records import RecordSink
        from segctl.operations.ingest_subjects import Resolver

        quarantine = Quarantine(self.workspace, self.source.name)
        resolver = Resolver(self.workspace, self.project, dry_run=self.dry_run)
        sink: EventSink | RecordSink
        if self.source.holds_profiles:
            sink = RecordSink(self.workspace, self.source, resolver, self.now)
        else:
            sink = EventSink(self.workspace, self.source, resolver)
        counts = Counts()
        self.progress.start(f"ingest {self.source.name}", total=sum(item.size for item in inputs), unit="bytes")
        try:
            for item in inputs:
                self._read_one(item, sink, quarantine, counts)
        finally:
            self.progress.finish()
        self._take_counts(quarantine, counts)
        self._commit(sink, quarantine)

    def _read_one(self, item: _Input, sink: Any, quarantine: Any, counts: Any) -> None:  # noqa: ANN401
        from segctl.connectors.files import detect, read
        from segctl.connectors.typing_rows import type_batch
        from segctl.model.sources import NumberForm
        from segctl.state.inputs import begin_input, finish_input

        options = read_options(self.source)
        detected = detect(item.path, options)
        self.result.detected[item.shown] = detected.why
        self._check_columns(detected, item.shown)
        form = NumberForm(detected.decimal or ".", detected.thousands or None)
        input_id = 0 if self.dry_run else begin_input(
            self.workspace, self.source.name, item.shown, digest=item.digest, size=item.size, modified=item.modified
        )  # fmt: skip
        sink.begin_file(input_id)
        quarantine.begin_file(item.shown, input_id, item.digest)
        rows_before, bad_before, done = self.result.read, quarantine.rows, 0
        sizes = {} if self.batch_rows is None else {"batch_rows": self.batch_rows}
        missing: set[str] | None = None
        for batch in ahead(read(item.path, options, detected, **sizes)):
            self.result.read += batch.frame.height + len(batch.bad)
            quarantine.add_unread(batch.bad)
            if batch.frame.height:
                typed = type_batch(self.source, batch.frame, batch.lines, form, counts)
                sink.add(typed.rows)
                quarantine.add(typed.bad)
                self._take_batch(sink, typed)
                missing = typed.missing if missing is None else missing & typed.missing
            self.progress.advance(batch.bytes_done - done)
            done = batch.bytes_done
        self._check_unchanged(item)
        self._note_missing(missing or set(), item.shown)
        bad = quarantine.rows - bad_before
        rows = self.result.read - rows_before
        note = {"detected": list(detected.why), "declaration": self.source.digest}
        self._finished.append(finish_input(input_id, rows=rows, good=rows - bad, bad=bad, note=note))

    def _take_batch(self, sink: Any, typed: Any) -> None:  # noqa: ANN401
        self.result.skipped += typed.skipped
        for kind, rows in typed.kinds_skipped.items():
            self.result.kinds_skipped[kind] = self.result.kinds_skipped.get(kind, 0) + rows
        if self.source.picture == "full" and typed.bad.height:
            sink.see(typed.bad_ids["id_type"], typed.bad_ids["value"])

    def _check_columns(self, detected: Detected, shown: str) -> None:
        """A column that the declaration names must be in the file, where a file says what it has."""
        from segctl.compile.source_nodes import nearest
        from segctl.model.sources import needed_columns

        if detected.format in ("json", "ndjson"):
            return
        known = set(detected.columns)
        for name in needed_columns(self.source):
            heads = {name.rsplit(".", cut)[0] for cut in range(name.count(".") + 1)}
            if not heads & known:
                raise DataError(
                    "SEG310",
                    f"`{shown}` has no column `{name}`, which the source `{self.source.name}` names",
                    hint=nearest(name, detected.columns),
                )

    def _note_missing(self, missing: set[str], shown: str) -> None:
        for name in sorted(missing):
            self.result.notes.append(f"{shown}: no row has `{name}`")

    def _check_unchanged(self, item: _Input) -> None:
        facts = item.path.stat()
        if (facts.st_size, facts.st_mtime) != (item.size, item.modified):
            raise DataError(
                "SEG311",
                f"`{item.shown}` changed while it was read; nothing of `{self.source.name}` was taken",
                hint="ingest again when whoever writes it is done",
            )

    def _take_counts(self, quarantine: Any, counts: Any) -> None:  # noqa: ANN401
        result = self.result
        result.bad = quarantine.rows
        result.reasons = quarantine.reasons
        result.examples = quarantine.examples
        result.ambiguous_times = counts.clock.ambiguous
        result.missing_times = counts.clock.missing
        result.dropped_elements = counts.dropped_elements

    def _commit(self, sink: Any, quarantine: Any) -> None:  # noqa: ANN401
        bad_files, stale = quarantine.finish()
        if self.source.max_bad_rows.is_exceeded(self.result.bad, self.result.read):
            if not self.dry_run:
                self.workspace.commit("quarantine", bad_files, stale, note={"source": self.source.name})
            raise too_many_bad(self.source, self.result)
        if self.source.picture == "full":
            self._mark_gone(sink, quarantine)
        add, remove = sink.finish() if not self.source.holds_profiles else (sink.finish(), [])
        self._count_sink(sink)
        if self.dry_run:
            for file in [*add, *bad_files]:
                file.path.unlink(missing_ok=True)
            return

        def within(db: Any) -> None:  # noqa: ANN401
            for finish in self._finished:
                finish(db)

        note = {"source": self.source.name, "rows": self.result.read, "new": self.result.new, "bad": self.result.bad}
        self.result.commit = self.workspace.commit(
            "ingest", [*add, *bad_files], [*remove, *stale], within=within, note=note
        )

    def _count_sink(self, sink: Any) -> None:  # noqa: ANN401
        result, counts = self.result, sink.counts
        result.new, result.duplicates = counts.new, counts.duplicates
        result.new_subjects = sink.resolver.new
        if self.source.holds_profiles:
            result.gone = counts.gone
            return
        result.unclaimed = counts.unclaimed
        result.by_kind = dict(sorted(counts.by_kind.items()))
        if self.source.corrections_replace:
            result.replaced = counts.conflicts
        else:
            result.conflicts = counts.conflicts

    def _mark_gone(self, sink: Any, quarantine: Any) -> None:  # noqa: ANN401
        if self.result.read == self.result.bad and not self.accepts_empty:
            raise Refused(
                "SEG314",
                f"the full picture of `{self.source.name}` is empty: everybody in it would be gone",
                hint="look at the file; if it is meant so, repeat with `--yes`",
            )
        if quarantine.unread:
            self.result.notes.append(
                f"{quarantine.unread} rows could not be read at all, so nobody was marked as gone this time"
            )
            return
        sink.mark_gone()


def read_options(source: Source) -> ReadOptions:
    """What a declaration fixes for the file readers."""
    from segctl.connectors.files import ReadOptions

    csv = source.csv
    return ReadOptions(
        format=source.format,
        delimiter=csv.delimiter,
        quote=csv.quote,
        encoding=csv.encoding,
        header=csv.header,
        skip_rows=csv.skip_rows or None,
        columns=csv.columns or None,
        decimal=csv.decimal,
        thousands=csv.thousands,
        records=source.records,
        # A small number counts the sheets.
        sheet=int(source.sheet) if source.sheet and source.sheet.isdigit() and len(source.sheet) < 4 else source.sheet,
    )


def too_many_bad(source: Source, result: SourceResult) -> DataError:
    """The error when a source has more bad rows than it may."""
    share = 100 * result.bad / max(result.read, 1)
    return DataError(
        "SEG312",
        f"`{source.name}`: {result.bad:,} of {result.read:,} rows are bad ({share:.1f} %), "
        f"limit {source.max_bad_rows}; nothing of it was taken",
        why="; ".join(result.examples[:3]) or None,
        hint=f"look with `segctl quarantine show {source.name}`, mend the file or the declaration, and ingest again",
    )
