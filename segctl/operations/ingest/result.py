"""What an ingest has to tell."""

from __future__ import annotations

from dataclasses import dataclass, field

from segctl.model.errors import SegctlError
from segctl.model.exits import ExitCode, worst


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
        read_again: Stored rows that were replaced because all of the source was read again.
        unclaimed: Events without any identifier.
        skipped: Rows left out by `only`, or without a declared event.
        gone: People who are no longer in the full picture.
        new_subjects: Identifiers seen for the first time.
        links: Pairs of identifiers that stood in one row for the first time.
        ambiguous_times: Local times that came twice; `missing_times` those that no clock showed.
        dropped_elements: Missing elements taken out of lists.
        sessions: Sessions of tracking events that are new or changed.
        by_kind: New events by kind.
        kinds_skipped: Values of the kind column that are no declared event.
        detected: What was detected in each file, in words.
        reasons: Bad rows by (column, what was expected).
        examples: The first reasons, in words.
        broken: Files that end before their end; nobody knows how many rows they lack.
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
    read_again: int = 0
    unclaimed: int = 0
    skipped: int = 0
    gone: int = 0
    new_subjects: int = 0
    links: int = 0
    ambiguous_times: int = 0
    missing_times: int = 0
    dropped_elements: int = 0
    sessions: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)
    kinds_skipped: dict[str, int] = field(default_factory=dict)
    detected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    reasons: dict[tuple[str, str], int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
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
        incomplete = (ExitCode.DATA for source in self.sources if source.broken)
        return worst([*(s.error.exit_code for s in self.sources if s.error is not None), *incomplete])
