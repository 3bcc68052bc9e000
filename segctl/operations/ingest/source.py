"""One source: read what is new in its files, and commit all of it or nothing."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import DataError, Refused
from segctl.operations.ingest.columns import check_columns
from segctl.operations.ingest.consents import ConsentSink
from segctl.operations.ingest.contract import Gate, gate_of, refuse_broken_checks, with_contract
from segctl.operations.ingest.inputs import (
    InputFile,
    Reading,
    check_unchanged,
    input_note,
    known_late,
    may_wait,
    reading_of,
)
from segctl.operations.ingest.pipeline import ahead, worked
from segctl.operations.ingest.quarantine import too_many_bad
from segctl.operations.ingest.result import SourceResult
from segctl.operations.ingest.tracking import (
    batches_of,
    may_land,
    shape_options,
    take_left_out,
    whole_records,
    with_sessions,
)
from segctl.operations.progress import Progress

if TYPE_CHECKING:
    from segctl.connectors.files import Detected, RawBatch, ReadOptions
    from segctl.connectors.typing_rows import TypedBatch
    from segctl.connectors.typing_values import Counts
    from segctl.model.project import Project
    from segctl.model.sources import NumberForm, Source
    from segctl.operations.ingest.links import LinkSink
    from segctl.operations.ingest.quarantine import Quarantine
    from segctl.state.files import NewFile
    from segctl.state.workspace import Workspace


@dataclass(slots=True)
class SourceRun:
    """One source of one call: `run` reads what is new and commits it, or raises why not."""

    project: Project
    workspace: Workspace
    source: Source
    now: datetime
    progress: Progress
    dry_run: bool
    accepts_empty: bool
    batch_rows: int | None
    result: SourceResult
    full: bool = False
    _reading: Reading = field(default_factory=lambda: Reading(()))
    _finished: list[Any] = field(default_factory=list)
    _landed: list[NewFile] = field(default_factory=list)
    _links: LinkSink | None = None
    _gate: Gate | None = None
    _consents: ConsentSink | None = None

    def run(self) -> None:
        """Read and commit under the source's lock; what happened stands in `result`.

        Raises:
            SegctlError: Nothing of the source was taken.
        """
        with self.workspace.lock(f"ingest/{self.source.name}"):
            self.read(self._found())

    def read(self, reading: Reading) -> None:
        """Read what was found to be new and commit it, or raise; the caller holds the source's lock."""
        self._reading = reading
        self.result.skipped_files = reading.skipped
        self.result.notes += reading.notes
        self.result.files = len(reading.files)
        if reading.files:
            self._read_all(reading.files)
        self.result.broken += reading.broken

    def read_given(
        self, path: Path, shown: str, within: Callable[[Any], None], note: dict[str, Any] | None = None
    ) -> None:
        """Read one file and commit it, whatever the declaration's paths say; the caller holds the source's lock.

        Args:
            path: The file, of the declared format.
            shown: What it is called in messages and on record.
            within: Runs in the transaction of the commit.
            note: Kept of it in the ledger.

        Raises:
            SegctlError: Nothing of the source was taken.
        """
        self.result.files = 1
        self._finished.append(within)
        self._read_all((replace(self._input(path), shown=shown, note=note or {}),))

    def _found(self) -> Reading:
        from segctl.connectors.files import expand

        found = [self._input(path) for path in expand(Path(self.project.root), self.source.paths)]
        return reading_of(self.workspace, self.source, found, full=self.full, accepts_loss=self.accepts_empty)

    def _input(self, path: Path) -> InputFile:
        from segctl.connectors.files import digest
        from segctl.connectors.files.paths import unreadable
        from segctl.state.inputs import newest_input

        root = Path(self.project.root)
        shown = path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
        path = existing(path)
        try:
            facts = path.stat()
        except OSError as error:
            raise unreadable(path, error) from error
        newest = newest_input(self.workspace, self.source.name, shown)
        if newest is not None and newest.size == facts.st_size and newest.modified == facts.st_mtime:
            return InputFile(path, shown, newest.digest, facts.st_size, facts.st_mtime)
        is_late = may_wait(self.workspace, self.source.name, facts.st_size)
        return InputFile(path, shown, "" if is_late else digest(path), facts.st_size, facts.st_mtime)

    def _read_all(self, inputs: tuple[InputFile, ...]) -> None:
        from segctl.connectors.typing_values import Counts
        from segctl.operations.ingest.again import Afresh
        from segctl.operations.ingest.events import EventSink
        from segctl.operations.ingest.links import LinkSink
        from segctl.operations.ingest.quarantine import Quarantine
        from segctl.operations.ingest.records import RecordSink
        from segctl.operations.ingest.rows import record_sink
        from segctl.operations.ingest.subjects import Resolver

        quarantine = Quarantine(self.workspace, self.source.name)
        resolver = Resolver(self.workspace, self.project, dry_run=self.dry_run)
        self._links = LinkSink(self.workspace, self.source.name, resolver)
        sink: EventSink | RecordSink
        if self.source.holds_profiles:
            sink = record_sink(self.source)(
                self.workspace, self.source, resolver, self.now, is_afresh=self._reading.is_afresh
            )
        else:
            afresh = Afresh(self._reading.kept) if self._reading.is_afresh else None
            sink = EventSink(self.workspace, self.source, resolver, afresh)
        counts = Counts()
        self._gate = self._gate_of()
        self._consents = ConsentSink.of(self.workspace, self.project, self.source, self.now, dry_run=self.dry_run)
        self.progress.start(f"ingest {self.source.name}", total=sum(item.size for item in inputs), unit="bytes")
        try:
            for item in inputs:
                self._read_one(item, sink, quarantine, counts)
            self.progress.finish()
            self._take_counts(quarantine, counts)
            self._commit(sink, quarantine)
        except BaseException:
            sink.discard()
            quarantine.discard()
            self.workspace.discard(file.path for file in self._landed)
            raise

    def _read_one(self, item: InputFile, sink: Any, quarantine: Any, counts: Any) -> None:  # noqa: ANN401 - sinks are imported when used
        from segctl.connectors.files import detect
        from segctl.model.sources import NumberForm
        from segctl.state.inputs import begin_input, finish_input, note_digest

        options = shape_options(self.source, read_options(self.source))
        detected = detect(item.path, options) if item.rows is None else item.rows.detected
        self.result.detected[item.shown] = detected.why
        check_columns(self.source, detected, item.shown)
        form = NumberForm(detected.decimal or ".", detected.thousands or None)
        input_id = 0 if self.dry_run else begin_input(
            self.workspace, self.source.name, item.shown, digest=item.digest, size=item.size, modified=item.modified
        )  # fmt: skip
        sink.begin_file(input_id)
        if self._links is not None:
            self._links.begin_file(input_id)
        quarantine.begin_file(item.shown, input_id, item.digest)
        if self._gate is not None:
            self._gate.begin_file(item.shown, form)
        rows_before, bad_before = self.result.read, quarantine.rows
        broken_before, known_before = len(quarantine.broken), sink.counts.duplicates
        sizes = {} if self.batch_rows is None else {"batch_rows": self.batch_rows}
        given = None if item.rows is None else item.rows.batches(**sizes)
        with known_late(item) as with_digest:
            batches = given or batches_of(self.source, self.project, item.path, options, detected, **sizes)
            missing = self._take_all(batches, detected, form, (sink, quarantine, counts))
            item = with_digest()
        if item.rows is None:
            check_unchanged(item, self.source.name)
            if not self.dry_run:
                note_digest(self.workspace, input_id, item.digest)
            quarantine.know_digest(item.digest)
            self._land(item)
        self.result.notes += [f"{item.shown}: no row has `{name}`" for name in sorted(missing)]
        bad = quarantine.rows - bad_before
        rows = self.result.read - rows_before
        known = sink.counts.duplicates - known_before
        written = (detected.format, form.decimal, form.thousands or "")
        note = input_note(self.source, detected.why, quarantine.broken[broken_before:], known=known, form=written)
        self._finished.append(finish_input(input_id, rows=rows, good=rows - bad, bad=bad, note=note | item.note))

    def _take_all(
        self, batches: Iterator[RawBatch], detected: Detected, form: NumberForm, into: tuple[Any, Quarantine, Counts]
    ) -> set[str]:
        """Hands the typed rows of a file to sink, quarantine and counts; returns the columns that no batch had."""
        from segctl.connectors.typing_rows import type_batch
        from segctl.connectors.typing_values import Counts

        (sink, quarantine, counts), gate, done = into, self._gate, 0
        missing: set[str] | None = None

        def made(batch: RawBatch) -> tuple[TypedBatch, Counts] | None:
            own = Counts()
            return (type_batch(self.source, batch.frame, batch.lines, form, own), own) if batch.frame.height else None

        for batch, found in worked(ahead(batches), made):
            self.result.read += batch.frame.height + len(batch.bad)
            quarantine.add_unread(batch.bad)
            take_left_out(batch, self.result)
            if found is not None:
                typed = found[0]
                counts.add(found[1])
                if gate is not None:
                    typed = with_contract(typed, batch, gate.judge(batch, detected))
                sink.add(typed.rows)
                if self._consents is not None:
                    self._consents.add(batch, typed, form)
                if self._links is not None:
                    self._links.add(typed)
                quarantine.add(whole_records(batch, typed.bad))
                self._take_batch(sink, typed)
                missing = typed.missing if missing is None else missing & typed.missing
            self.progress.advance(batch.bytes_done - done)
            done = batch.bytes_done
        return missing or set()

    def _gate_of(self) -> Gate | None:
        if self.source.contract is None and not self.source.checks:
            return None
        from segctl.compile.sources import load_sources
        from segctl.state.checked import last_facts

        others = load_sources(self.project)[0] if any(check.other for check in self.source.checks) else {}
        previous = last_facts(self.workspace, self.source.name)
        return gate_of(self.source, self.project, previous=previous, now=self.now, others=others)

    def _land(self, item: InputFile) -> None:
        from segctl.operations.ingest.landed import LARGEST_BYTES, land

        if self.dry_run or self.project.keep_landed_days <= 0 or not may_land(self.source):
            return
        if item.size > LARGEST_BYTES:
            limit = LARGEST_BYTES // 1024**2
            self.result.notes.append(f"{item.shown} is larger than {limit} MB, so no copy of it is kept")
            return
        name = self.source.name
        self._landed += land(self.workspace, name, item.path, shown=item.shown, digest=item.digest, now=self.now)

    def _take_batch(self, sink: Any, typed: Any) -> None:  # noqa: ANN401 - sinks are imported when used
        self.result.skipped += typed.skipped
        for kind, rows in typed.kinds_skipped.items():
            self.result.kinds_skipped[kind] = self.result.kinds_skipped.get(kind, 0) + rows
        if self.source.picture == "full" and typed.bad.height:
            sink.see(typed.bad_ids)

    def _take_counts(self, quarantine: Any, counts: Any) -> None:  # noqa: ANN401 - sinks are imported when used
        result = self.result
        result.bad = quarantine.rows
        result.reasons = quarantine.reasons
        result.examples = quarantine.examples
        result.broken = quarantine.broken
        result.ambiguous_times = counts.clock.ambiguous
        result.missing_times = counts.clock.missing
        result.dropped_elements = counts.dropped_elements

    def _commit(self, sink: Any, quarantine: Any) -> None:  # noqa: ANN401 - sinks are imported when used
        from segctl.operations.ingest.again import Afresh
        from segctl.state.inputs import supersede_inputs

        is_everything = self.source.picture == "full" or self._reading.is_everything
        bad_files, stale = quarantine.finish(is_everything=is_everything)
        if self.source.max_bad_rows.is_exceeded(self.result.bad, self.result.read):
            if not self.dry_run:
                self.workspace.commit("quarantine", bad_files, stale, note={"source": self.source.name})
            raise too_many_bad(self.source, self.result)
        if self._gate is not None:
            self._judge_whole(self._gate, bad_files, stale)
        if self.source.picture == "full":
            self._mark_gone(sink, quarantine)
        add, remove = with_sessions(self, *sink.finish())
        afresh = Afresh(self._reading.kept) if self._reading.is_afresh else None
        links, unlinked = self._links.finish(afresh) if self._links is not None else ([], [])
        self._count_sink(sink)
        self.result.notes += self._consents.notes() if self._consents is not None else []
        self.result.links = sum(file.rows for file in links)
        if self.dry_run:
            for file in [*add, *bad_files, *links]:
                file.path.unlink(missing_ok=True)
            return

        def within(db: Any) -> None:  # noqa: ANN401 - a connection of SQLite
            if self._reading.is_afresh:
                supersede_inputs(db, self.source.name, kept=self._reading.kept)
            for finish in self._finished:
                finish(db)
            if self._consents is not None:
                self._consents.write(db)

        note = {"source": self.source.name, "rows": self.result.read, "new": self.result.new, "bad": self.result.bad}
        if self._gate is not None and self._gate.checks is not None:
            note["checks"] = self._gate.facts()
        self.result.commit = self.workspace.commit(
            "ingest", [*add, *bad_files, *links, *self._landed], [*remove, *stale, *unlinked], within=within, note=note
        )

    def _judge_whole(self, gate: Gate, bad_files: list[NewFile], stale: list[int]) -> None:
        """Notes about all rows together, or the refusal of the source; what is bad stays to be looked at."""
        self.result.notes += [*gate.notes(), *gate.told_notes()]
        try:
            self.result.notes += refuse_broken_checks(self.source, gate.results())
        except DataError:
            if not self.dry_run:
                self.workspace.commit("quarantine", bad_files, stale, note={"source": self.source.name})
            raise

    def _count_sink(self, sink: Any) -> None:  # noqa: ANN401 - sinks are imported when used
        result, counts = self.result, sink.counts
        result.new, result.duplicates = counts.new, counts.duplicates
        result.new_subjects = sink.resolver.new
        result.read_again = counts.read_again
        if self.source.holds_profiles:
            result.gone = counts.gone
            if counts.unclaimed:
                result.notes.append(f"{counts.unclaimed:,} rows name nobody, so they count for no profile")
            return
        result.unclaimed = counts.unclaimed
        result.by_kind = dict(sorted(counts.by_kind.items()))
        if self.source.corrections_replace:
            result.replaced = counts.conflicts
        else:
            result.conflicts = counts.conflicts

    def _mark_gone(self, sink: Any, quarantine: Any) -> None:  # noqa: ANN401 - sinks are imported when used
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


@cache
def _standard_input() -> Path:
    """Standard input as a file that lives as long as the process: it is read once, and looked at twice."""
    from segctl.connectors.files.paths import spool

    path = spool()
    atexit.register(path.unlink, missing_ok=True)
    return path


def existing(path: Path) -> Path:
    """The file to read for a path; ``-`` is standard input."""
    return _standard_input() if str(path) == "-" else path


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
