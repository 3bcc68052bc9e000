"""Rows of the quarantine once more through today's declaration: what fits is ingested, the rest stays.

A row as it stood keeps its place in the file it came from. A mended row is not what that file holds: it gets an input
of its own, named after the file, so that a later reading of all files cannot take it away unnoticed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.operations.ingest.quarantine import Quarantine
from segctl.operations.ingest.result import SourceResult
from segctl.operations.progress import Progress, Silent
from segctl.operations.quarantine.batches import RowAgain, batches_again, form_of, number_form
from segctl.operations.quarantine.overtaken import with_raw, without_overtaken
from segctl.operations.quarantine.rows import EVERYTHING, ROW, Filter, files_of, record_of, rows_of, without

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files import Detected
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.operations.ingest.contract import Gate
    from segctl.state.inputs import IngestedInput
    from segctl.state.workspace import Workspace


@dataclass(slots=True)
class Replayed:
    """What became of the rows.

    Attributes:
        source: Whose rows.
        tried: Rows that were judged.
        left: Rows of the quarantine that are in it still, for one of these reasons or because nobody asked for them.
        bad: Tried rows that do not fit.
        overtaken: Of them, profile rows that newer values may have overtaken.
        unread: Rows without the form of a row: they wait until they are mended.
        refused: Rows of files that were refused as a whole, so that their good rows are not there either.
        unknown: Rows of the mended file that are no longer in quarantine.
        result: New, known and conflicting events or records, and reasons.
        commit: Number of the commit; None when nothing changed.
    """

    source: str
    tried: int = 0
    left: int = 0
    bad: int = 0
    overtaken: int = 0
    unread: int = 0
    refused: int = 0
    unknown: int = 0
    result: SourceResult = field(default_factory=lambda: SourceResult(""))
    commit: int | None = None

    @property
    def fits(self) -> int:
        """Rows that left the quarantine."""
        return self.tried - self.bad


def replay(
    project: Project,
    workspace: Workspace,
    source: Source,
    *,
    now: datetime,
    mended: Mapping[str, str] | None = None,
    wanted: Filter = EVERYTHING,
    progress: Progress | None = None,
    dry_run: bool = False,
) -> Replayed:
    """Try rows of one source again, in one commit, under the lock of its ingest.

    Args:
        project: With declared identifiers.
        workspace: Open.
        source: As declared today.
        now: Arrival of what fits; aware.
        mended: Rows by their name, as JSON text; only these are tried then. None tries all as they stood.
        wanted: Which of them.
        progress: Who is told.
        dry_run: All but the commit.

    Raises:
        Refused: People would be filed under other identifiers.
    """
    from segctl.operations.ingest.inputs import refuse_other_people
    from segctl.state.inputs import inputs

    with workspace.lock(f"ingest/{source.name}"):
        files = files_of(workspace, source.name, (source.name,))
        found = Replayed(source.name, result=SourceResult(source.name))
        if not files:
            found.unknown = len(mended or ())
            return found
        ledger = inputs(workspace, source.name)
        refuse_other_people(source, [entry for entry in ledger if "superseded" not in entry.note])
        chosen = _chosen(rows_of(files, wanted), ledger, mended, found)
        run = _Run(project, workspace, source, now, dry_run, found, ledger)
        if chosen:
            listener = progress or Silent()
            listener.start(f"replay {source.name}", total=sum(map(len, chosen.values())))
            run.all(chosen, listener)
            listener.finish()
        found.left = sum(file.rows for file in files) - found.fits
        return found


def _chosen(
    frame: pl.DataFrame, ledger: Sequence[IngestedInput], mended: Mapping[str, str] | None, found: Replayed
) -> dict[int, list[RowAgain]]:
    """Rows to try, by input; rows that cannot be tried are counted."""
    known = {entry.id for entry in ledger}
    chosen: dict[int, list[RowAgain]] = {}
    seen = set()
    for name, place, line, raw in frame.select(ROW, "ingest", "line", "raw").iter_rows():
        seen.add(name)
        text = raw if mended is None else mended.get(name)
        if text is None:
            continue
        if place not in known:
            found.refused += 1
        elif record_of(text) is None:
            found.unread += 1
        else:
            chosen.setdefault(place, []).append(RowAgain(line, text, raw))
    found.unknown = len(set(mended or ()) - seen)
    return dict(sorted(chosen.items()))


@dataclass(slots=True)
class _Run:
    project: Project
    workspace: Workspace
    source: Source
    now: datetime
    dry_run: bool
    found: Replayed
    ledger: Sequence[IngestedInput]
    _finished: list[Any] = field(default_factory=list)
    _tried: list[tuple[int, int]] = field(default_factory=list)

    def all(self, chosen: dict[int, list[RowAgain]], progress: Progress) -> None:
        """Judge, type and commit."""
        from segctl.connectors.typing_values import Counts
        from segctl.operations.ingest.links import LinkSink
        from segctl.operations.ingest.subjects import Resolver

        resolver = Resolver(self.workspace, self.project, dry_run=self.dry_run)
        quarantine = Quarantine(self.workspace, self.source.name)
        sink = self._sink(resolver)
        links = LinkSink(self.workspace, self.source.name, resolver)
        gate, counts = self._gate(), Counts()
        try:
            for place, rows in chosen.items():
                entry = next(each for each in self.ledger if each.id == place)
                for part in (
                    [row for row in rows if not row.is_mended],
                    [row for row in rows if row.is_mended],
                ):
                    if part:
                        self._part(entry, part, sink, links, quarantine, gate, counts)
                        progress.advance(len(part))
            self._commit(sink, links, quarantine)
        except BaseException:
            sink.discard()
            quarantine.discard()
            raise

    def _sink(self, resolver: Any) -> Any:  # noqa: ANN401 - sinks are imported when used
        from segctl.operations.ingest.events import EventSink
        from segctl.operations.ingest.rows import record_sink

        if self.source.holds_profiles:
            return record_sink(self.source)(self.workspace, self.source, resolver, self.now)
        return EventSink(self.workspace, self.source, resolver)

    def _gate(self) -> Gate | None:
        from dataclasses import replace

        from segctl.operations.ingest.contract import gate_of

        if self.source.contract is None:
            return None
        # A few rows are not the whole that checks speak of.
        return gate_of(replace(self.source, checks=()), self.project, previous={}, now=self.now, others={})

    def _part(
        self, entry: IngestedInput, rows: list[RowAgain], sink: Any, links: Any, quarantine: Quarantine,  # noqa: ANN401 - sinks are imported when used
        gate: Gate | None, counts: Any,  # noqa: ANN401 - sinks are imported when used
    ) -> None:  # fmt: skip
        from segctl.connectors.typing_rows import type_batch
        from segctl.operations.ingest.contract import with_contract
        from segctl.operations.ingest.tracking import take_left_out, whole_records

        detected = form_of(self.source, entry, rows)
        form = number_form(detected)
        own = self._input(entry, rows)
        self._begin(sink, own, entry)
        links.begin_file(own)
        quarantine.begin_file(entry.path, entry.id, entry.digest)
        if gate is not None:
            gate.begin_file(entry.path, form)
        bad: set[int] = set()

        def refuse(frame: pl.DataFrame) -> None:
            bad.update(frame["line"].to_list())
            quarantine.add(frame)

        self.found.tried += len(rows)
        self._tried += [(entry.id, row.line) for row in rows]
        for batch in batches_again(self.source, self.project, detected, rows):
            quarantine.add_unread(batch.bad)
            bad.update(each.line for each in batch.bad)
            take_left_out(batch, self.found.result)
            if not batch.frame.height:
                continue
            typed = type_batch(self.source, batch.frame, batch.lines, form, counts)
            if gate is not None:
                typed = with_contract(typed, batch, gate.judge(batch, detected))
            self.found.result.skipped += typed.skipped
            good, overtaken = without_overtaken(self.workspace, self.source, self.ledger, entry, typed.rows)
            self.found.overtaken += overtaken.height
            if overtaken.height:
                refuse(with_raw(overtaken, rows))
                if typed.linked.height:
                    typed.linked = typed.linked.join(good.select("row"), on="row", how="semi", maintain_order="left")
            sink.add(good)
            links.add(typed)
            refuse(whole_records(batch, typed.bad))
        self._account(entry, own, rows, len(bad), detected)

    def _input(self, entry: IngestedInput, rows: list[RowAgain]) -> int:
        """The number that the rows carry: their file's, or one of their own when the file does not hold them."""
        from segctl.state.inputs import begin_input

        if "superseded" not in entry.note and not rows[0].is_mended:
            return entry.id
        if self.dry_run:
            return 0
        text = "\n".join(f"{row.line} {row.raw}" for row in rows).encode()
        digest = hashlib.sha256(text).hexdigest()
        shown = f"{entry.path} ({'mended' if rows[0].is_mended else 'again'})"
        return begin_input(self.workspace, self.source.name, shown, digest=digest, size=len(text))

    def _begin(self, sink: Any, own: int, entry: IngestedInput) -> None:  # noqa: ANN401 - sinks are imported when used
        if self.source.holds_profiles or self.source.tracking is not None:
            sink.begin_file(own)
        else:
            sink.begin_file(own, self._ids_of(entry))

    def _ids_of(self, entry: IngestedInput) -> pl.Series:
        """Ids of the stored events that came from a file, mended ones of it included."""
        import polars as pl

        own = {entry.id, *(each.id for each in self.ledger if each.note.get("mended") == entry.id)}
        files = [file for file in self.workspace.files("events") if self.source.name in file.meta.get("sources", {})]
        is_own = (pl.col("source") == self.source.name) & pl.col("file_id").is_in(sorted(own))
        scans = [pl.scan_parquet(file.path).filter(is_own).select("event_id") for file in files]
        return pl.concat(scans).collect()["event_id"] if scans else pl.Series("event_id", [], dtype=pl.String)

    def _account(self, entry: IngestedInput, own: int, rows: list[RowAgain], bad: int, detected: Detected) -> None:
        from segctl.operations.ingest.inputs import input_note
        from segctl.state.inputs import finish_input, move_to_good

        self.found.bad += bad
        good = len(rows) - bad
        if own == entry.id:
            self._finished.append(move_to_good(entry.id, good))
            return
        written = (detected.format, detected.decimal, detected.thousands)
        note = {**input_note(self.source, (), (), known=0, form=written), "mended": entry.id}
        self._finished.append(finish_input(own, rows=good, good=good, bad=0, note=note))

    def _commit(self, sink: Any, links: Any, quarantine: Quarantine) -> None:  # noqa: ANN401 - sinks are imported when used
        import polars as pl

        from segctl.operations.ingest.source import SourceRun
        from segctl.operations.ingest.tracking import with_sessions

        found, result = self.found, self.found.result
        run = SourceRun(
            self.project, self.workspace, self.source, self.now, Silent(), self.dry_run, False, None, result
        )
        add, remove = with_sessions(run, *sink.finish())
        linked, unlinked = links.finish()
        _take_counts(found, sink, quarantine)
        places = pl.DataFrame(self._tried, schema={"ingest": pl.Int64, "line": pl.Int64}, orient="row")
        stored = files_of(self.workspace, self.source.name, (self.source.name,))
        kept, stale = without(self.workspace, stored, places)
        still = quarantine.pending_files()
        files = [*add, *linked, *kept, *still]
        if self.dry_run:
            self.workspace.discard(file.path for file in files)
            return

        def within(db: Any) -> None:  # noqa: ANN401 - a connection of SQLite
            for finish in self._finished:
                finish(db)

        note = {"source": self.source.name, "rows": found.tried, "new": result.new, "bad": found.bad}
        found.commit = self.workspace.commit("replay", files, [*remove, *unlinked, *stale], within=within, note=note)
        result.commit = found.commit


def _take_counts(found: Replayed, sink: Any, quarantine: Quarantine) -> None:  # noqa: ANN401 - sinks are imported when used
    result, counts = found.result, sink.counts
    result.read, result.bad = found.tried, found.bad
    result.reasons, result.examples = quarantine.reasons, quarantine.examples
    result.new, result.duplicates = counts.new, counts.duplicates
    result.new_subjects = sink.resolver.new
    result.conflicts = getattr(counts, "conflicts", 0)
    result.unclaimed = getattr(counts, "unclaimed", 0)
