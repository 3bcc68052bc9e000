"""Lines of a stream through the ingest of a declared source: the same typing, contract, duplicates and quarantine.

What `segctl ingest` does to a file is done to each batch, with the same parts; what they gather becomes files at the
next checkpoint. Lines that were taken in before a crash go through again on the way back, which gives the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from segctl.model.sources import NumberForm
from segctl.operations.ingest.consents import ConsentSink
from segctl.operations.ingest.contract import Gate, gate_of, with_contract
from segctl.operations.ingest.events import EVENTS
from segctl.operations.ingest.inputs import input_note
from segctl.operations.ingest.links import LinkSink
from segctl.operations.ingest.quarantine import Quarantine
from segctl.operations.ingest.rows import owners, record_sink
from segctl.operations.ingest.subjects import Resolver
from segctl.operations.ingest.tracking import regions_of, whole_records
from segctl.operations.stream.events import GatheredEvents, StreamEvents
from segctl.operations.stream.future import without_future
from segctl.operations.stream.others import changed_by_others

if TYPE_CHECKING:
    import polars as pl

    from segctl.connectors.files import Detected
    from segctl.connectors.typing_values import Counts
    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.operations.ingest.records import RecordSink
    from segctl.state.files import NewFile
    from segctl.state.stream_log import RawLines
    from segctl.state.workspace import Workspace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
AHEAD = timedelta(hours=24)
"""An event later than this after its arrival goes to quarantine."""
_FORM = NumberForm()


@dataclass(slots=True)
class Taken:
    """What became of some lines.

    Attributes:
        events: New events in stored form, with ``subject`` and ``kind``.
        subjects: Subjects whose records, or whose consent, say something new.
        bad: Rows that went to quarantine.
        known: Rows that were known.
        needs_files: Something came that is evaluated from stored files alone.
        replaces: Stored events were corrected, so files change at once.
    """

    events: list[pl.DataFrame] = field(default_factory=list)
    subjects: set[int] = field(default_factory=set)
    bad: int = 0
    known: int = 0
    needs_files: bool = False
    replaces: bool = False


@dataclass(slots=True)
class Gathered:
    """What one intake has taken between two commits.

    Attributes:
        rows: By input, the rows taken and the bad ones among them.
        events: For a source of events.
        records: Files of records.
    """

    rows: dict[int, list[int]]
    quarantine: Quarantine
    links: LinkSink
    consents: ConsentSink | None
    events: GatheredEvents | None
    records: list[NewFile]


@dataclass(slots=True)
class Files:
    """What a checkpoint of one source commits.

    Attributes:
        add: New files.
        remove: Ids of stored files.
        within: Statements of the same transaction.
        read: Rows taken since the last.
        bad: Bad ones among them.
        owners: Subjects of all versions of the rows of tables that came.
        former: Likewise of events that were corrected.
        is_rewritten: Stored events are others now, or more than those that came.
    """

    add: list[NewFile] = field(default_factory=list)
    remove: list[int] = field(default_factory=list)
    within: list[Callable[[Any], None]] = field(default_factory=list)
    read: int = 0
    bad: int = 0
    owners: AbstractSet[int] = frozenset()
    former: AbstractSet[int] = frozenset()
    is_rewritten: bool = False


class Intake:
    """One part of a declared source, open between two checkpoints."""

    def __init__(self, workspace: Workspace, project: Project, source: Source, resolver: Resolver) -> None:
        self._workspace = workspace
        self._project = project
        self.source = source
        self._resolver = resolver
        self._regions = regions_of(source, project)
        self._events: StreamEvents | None = None
        self._records: RecordSink | None = None
        self._seen = 0
        self._begin(_EPOCH)

    def _begin(self, now: datetime) -> None:
        if self.source.holds_profiles:
            self._begin_records(now)
        elif self._events is None:
            self._events = StreamEvents(self._workspace, self.source, self._resolver)
        self._begin_gathering()

    def _begin_gathering(self) -> None:
        from segctl.connectors.typing_values import Counts

        name = self.source.name
        self._quarantine = Quarantine(self._workspace, name)
        self._links = LinkSink(self._workspace, name, self._resolver)
        self._consents: ConsentSink | None = None
        self._gate = self._gate_of()
        self._counts: Counts = Counts()
        self._rows: dict[int, list[int]] = {}
        self._current = 0

    def _begin_records(self, now: datetime) -> None:
        """Reads the versions that are stored, unless they are known: nobody but others has changed them since."""
        until = self._workspace.snapshot()
        if self._records is None or changed_by_others(self._workspace, self._records.dataset, self._seen, until):
            self._records = record_sink(self.source)(self._workspace, self.source, self._resolver, now)
        self._seen = until

    def _gate_of(self) -> Gate | None:
        if self.source.contract is None:
            return None
        # Checks speak of all rows together, and a stream has no end at which to judge them.
        return gate_of(replace(self.source, checks=()), self._project, previous={}, now=_EPOCH, others={})

    def take(self, raw: RawLines, shown: str) -> Taken:
        """Takes lines; what is new of them.

        Args:
            raw: Lines of one input.
            shown: What the input is called.
        """
        from segctl.connectors.streams.parsing import batch_of
        from segctl.connectors.typing_rows import type_batch

        self._begin_input(raw.input, shown)
        arrived = _EPOCH + timedelta(microseconds=raw.arrived)
        batch = batch_of(self.source, raw.lines, first_line=raw.first_line, file=shown, regions=self._regions)
        rows, bad = self._rows.setdefault(raw.input, [0, 0]), self._quarantine.rows
        rows[0] += batch.frame.height + len(batch.bad)
        self._quarantine.add_unread(batch.bad)
        taken = Taken()
        if batch.frame.height:
            typed = type_batch(self.source, batch.frame, batch.lines, _FORM, self._counts)
            if self._gate is not None:
                typed = with_contract(typed, batch, self._gate.judge(batch, _detected()))
            typed = without_future(self.source, typed, batch, arrived + AHEAD)
            self._take_rows(typed.rows, arrived, taken)
            self._take_consents(batch, typed, arrived, taken)
            self._links.add(typed)
            self._quarantine.add(whole_records(batch, typed.bad))
        taken.bad = self._quarantine.rows - bad
        rows[1] += taken.bad
        return taken

    def _take_rows(self, rows: pl.DataFrame, arrived: datetime, taken: Taken) -> None:
        if self._records is not None:
            sink = self._records
            sink.arrived_at = arrived
            before = sink.counts.new
            sink.add(rows)
            if sink.counts.new > before:
                taken.needs_files = True
                subjects = self._resolver.resolve(rows["id_type"], rows["value"])
                taken.subjects.update(subjects.drop_nulls().to_list())
        elif self._events is not None:
            before = self._events.counts.known
            fresh = self._events.take(rows)
            taken.known = self._events.counts.known - before
            taken.replaces = self._events.has_replaced
            if fresh.height:
                taken.events.append(fresh)

    def _take_consents(self, batch: Any, typed: Any, arrived: datetime, taken: Taken) -> None:  # noqa: ANN401 - batches are imported late
        if not self.source.consents:
            return
        if self._consents is None:
            self._consents = ConsentSink.of(self._workspace, self._project, self.source, arrived, dry_run=False)
        if self._consents is not None:
            self._consents.add(batch, typed, _FORM)
            rows = typed.rows
            if rows.height:
                taken.needs_files = True
                subjects = self._resolver.resolve(rows["id_type"], rows["value"])
                taken.subjects.update(subjects.drop_nulls().to_list())

    def _begin_input(self, number: int, shown: str) -> None:
        if number == self._current:
            return
        self._current = number
        if self._events is not None:
            self._events.begin_input(number)
        if self._records is not None:
            self._records.begin_file(number)
        self._links.begin_file(number)
        # No two inputs of a stream have the same bytes, so nothing of an earlier one is replaced in quarantine.
        self._quarantine.begin_file(shown, number, f"stream {number}")
        if self._gate is not None:
            self._gate.begin_file(shown, _FORM)

    @property
    def rewrites(self) -> bool:
        """Whether the next files take the place of stored ones."""
        return has_sessions(self.source) or (self._events is not None and self._events.has_replaced)

    def gathered(self) -> Gathered | None:
        """What came since the last time, None when nothing did; the intake goes on with nothing gathered."""
        if not self._rows:
            return None
        events = None if self._events is None else self._events.gathered()
        records = [] if self._records is None else self._records.parted()
        found = Gathered(self._rows, self._quarantine, self._links, self._consents, events, records)
        self._begin_gathering()
        return found

    def files(self, some: Gathered) -> Files:
        """What was gathered as files to commit; it may be called beside the work that goes on."""
        found = Files()
        add, remove = some.records, list[int]()
        if self._events is not None and some.events is not None:
            add, remove, found.former = self._events.files(some.events)
            add, remove = self._with_sessions(add, remove)
            found.is_rewritten = bool(some.events.replaced) or has_sessions(self.source)
        else:
            found.owners = owners(self._workspace, self.source, add)
        links, unlinked = some.links.finish()
        found.add, found.remove = [*add, *some.quarantine.pending_files(), *links], [*remove, *unlinked]
        found.within = [self._counted(number, *rows) for number, rows in some.rows.items()]
        if some.consents is not None:
            found.within.append(some.consents.write)
        found.read = sum(read for read, _ in some.rows.values())
        found.bad = sum(bad for _, bad in some.rows.values())
        return found

    def settled(self, some: Gathered, now: datetime) -> None:
        """The files were committed."""
        if self._events is not None and some.events is not None:
            self._events.settled(some.events)
        if self._records is not None:
            self._records.settled()
            # What came since is in no file yet, so it would be unknown to versions that are read now.
            if not self._rows:
                self._begin_records(now)

    def _counted(self, number: int, read: int, bad: int) -> Callable[[Any], None]:
        note = input_note(self.source, ("streamed",), (), known=0, form=("ndjson", ".", ""))
        return _finish(number, read, bad, note)

    def _with_sessions(self, add: list[NewFile], remove: list[int]) -> tuple[list[NewFile], list[int]]:
        tracking = self.source.tracking
        if tracking is None or tracking.sessions is None or not any(file.dataset == EVENTS for file in add):
            return add, remove
        from segctl.operations.ingest.sessions import session_changes

        found = session_changes(self._workspace, self._project, self.source, add, remove)
        return found.add, found.remove

    def ready(self) -> None:
        """Reads what is stored of known events now, and not in the middle of a batch."""
        if self._events is not None:
            self._events.ready()

    def discard(self) -> None:
        """Forgets what was gathered and not committed."""
        if self._events is not None:
            self._events.discard()
        if self._records is not None:
            self._records.discard()
        self._quarantine.discard()


def intakes(workspace: Workspace, project: Project, sources: Iterable[Source], resolver: Resolver) -> list[Intake]:
    """An intake for each part of the sources."""
    return [Intake(workspace, project, part, resolver) for source in sources for part in source.parts]


def _finish(number: int, read: int, bad: int, note: dict[str, Any]) -> Callable[[Any], None]:
    """Adds to what an input has given, inside the transaction of a checkpoint."""

    def update(db: Any) -> None:  # noqa: ANN401 - a connection of SQLite
        db.execute(
            "UPDATE inputs SET rows = coalesce(rows, 0) + ?, good = coalesce(good, 0) + ?, bad = coalesce(bad, 0) + ?,"
            " note = ?, seq = (SELECT max(seq) FROM commits) WHERE id = ?",
            (read, read - bad, bad, json.dumps(note, sort_keys=True), number),
        )

    return update


def _detected() -> Detected:
    from segctl.connectors.files import Detected

    return Detected("ndjson", encoding="utf-8")


def has_sessions(source: Source) -> bool:
    """Whether stored events of a source make sessions, which checkpoints compute."""
    return any(part.tracking is not None and part.tracking.sessions is not None for part in source.parts)
