"""Take files of consents, withdrawals, bounces and complaints into the ledger.

What denies is written first, then what gives, in transactions of a few thousand rows: whenever the process ends, the
ledger holds whole rows and allows nobody whom the rest of the file denies. The same file again adds only what is
missing. Rows that cannot be taken stand in a report with the reason, whole, so that they can be mended.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from segctl.compile.suggest import did_you_mean
from segctl.model.consent import DENYING, GIVEN, ConsentEvent
from segctl.model.dataclass import dataclass
from segctl.model.errors import DataError, LocalIOError, UsageError
from segctl.operations.consent.columns import COLUMNS, BadRow, Reading, column_of, events_of
from segctl.operations.consent.files import FileRow, rows_of_file
from segctl.operations.consent.keys import keyring, keyring_for_writing

if TYPE_CHECKING:
    from segctl.consent.tokens import Keyring
    from segctl.model.project import Project
    from segctl.operations.session import Session

_BATCH = 4_000
_CHECKED = ("at", "kind", "action", "purpose", "channel")
Shape = Callable[[Mapping[str, str]], Mapping[str, str]]
"""A row of a file by its headers → by our columns, without empty ones."""
Effect = Literal["consent", "unconfirmed", "without proof", "denial", "use", "known"]


@dataclass(slots=True)
class Imported:
    """What became of a file.

    Attributes:
        rows: Rows read.
        effects: Effect → rows of the ledger.
        actions: Action → new rows of the ledger.
        undated: Denials without a time that could be read; they hold from now on.
        unread: Headers of columns that were not read.
        bad: Reason → rows that were not taken.
        report: The file they stand in, None when there are none.
    """

    rows: int = 0
    effects: Counter[str] = field(default_factory=Counter)
    actions: Counter[str] = field(default_factory=Counter)
    undated: int = 0
    unread: tuple[str, ...] = ()
    bad: Counter[str] = field(default_factory=Counter)
    report: Path | None = None

    @property
    def added(self) -> int:
        """New rows of the ledger."""
        return sum(self.actions.values())


def import_file(
    session: Session,
    path: Path | None,
    data: bytes | None = None,
    *,
    mapped: Mapping[str, str],
    fixed: Mapping[str, str],
    source: str | None,
    report: Path | None,
    now: datetime,
    shape: Shape | None = None,
    dry_run: bool = False,
) -> Imported:
    """Take a file into the ledger.

    Args:
        session: Open project and workspace.
        path: CSV or NDJSON, perhaps gzipped; None with `data`.
        data: Its content, when it came from standard input.
        mapped: Header → column.
        fixed: Column → value of rows that have none.
        source: Where the rows come from; otherwise the file's name.
        report: File for bad rows; otherwise one in the workspace.
        now: The instant of the call.
        shape: Makes our columns of a row's own, instead of going by its headers.
        dry_run: Read and count, and write nothing.

    Raises:
        UsageError: No such file or column.
        DataError: It cannot be read as a table at all.
    """
    ring = keyring(session.project, session.workspace) if dry_run else _writing(session, now)
    checked_columns(mapped.values(), "--map")
    checked_columns(fixed, "--set")
    name = source or (path.name if path is not None else "standard input")
    found = Imported()
    bad: dict[int, tuple[FileRow, str]] = {}
    reading: Reading | None = None
    for denying in (True, False):
        header: list[str] = []
        rows = rows_of_file(path, data, header)
        reading = _reading(session, ring, mapped, fixed, name, now)
        made = _made(rows, reading, shape or _by_headers(mapped), found, bad, first=denying)
        part = ((row, event) for row, event in made if (event.action in DENYING) == denying)
        _write(session, part, reading, found, bad, dry_run=dry_run)
        found.unread = tuple(one for one in header if shape is None and column_of(one, mapped) is None)
    if shape is None:
        _refuse_nothing(found, header, mapped, fixed, bad)
    if bad and not dry_run:
        found.report = _report(session, [bad[line] for line in sorted(bad)], header, report, name, now)
    found.bad = Counter(reason for _, reason in bad.values())
    return found


def _writing(session: Session, now: datetime) -> Keyring:
    return keyring_for_writing(session.project, session.workspace, now=now)


def checked_columns(names: Iterable[str], option: str) -> None:
    """Do nothing, unless one of the names is no column.

    Raises:
        UsageError: With the nearest column.
    """
    for name in names:
        if name not in COLUMNS:
            hint = did_you_mean(name, COLUMNS) or "`segctl help consent` lists the columns"
            raise UsageError("SEG812", f"`{option}`: `{name}` is no column of consents", hint=hint)


def _reading(
    session: Session, ring: Keyring, mapped: Mapping[str, str], fixed: Mapping[str, str], source: str, now: datetime
) -> Reading:
    return reading_of(session.project, ring, mapped=mapped, fixed=fixed, source=source, now=now)


def reading_of(
    project: Project,
    ring: Keyring,
    *,
    source: str,
    now: datetime,
    mapped: Mapping[str, str] = MappingProxyType({}),
    fixed: Mapping[str, str] = MappingProxyType({}),
) -> Reading:
    """What rows about consent are read with.

    Args:
        project: Whose purposes.
        ring: The keys of the ledger.
        source: For rows that name none.
        now: The instant of the call.
        mapped: Header → column.
        fixed: Column → value of rows that have none.
    """
    from segctl.consent.tokens import Keyring

    country = project.identity.country
    oldest = Keyring(ring.keys[:1])

    def normal(kind: str, value: str) -> str | None:
        if kind != "phone" or value.startswith("+"):
            return value
        from segctl.operations.gate import phones

        return phones([value], None, country)[0]

    def token(kind: str, value: str) -> tuple[bytes, bytes] | None:
        written = normal(kind, value)
        return None if written is None else ring.newest_pair(kind, written)

    def id_token(kind: str, value: str) -> bytes | None:
        written = normal(kind, value)
        pair = None if written is None else oldest.newest_pair(kind, written)
        return None if pair is None else pair[0]

    return Reading(project, mapped, fixed, token, id_token, ring.newest[0], source, now)


def _made(
    rows: Iterable[FileRow],
    reading: Reading,
    shape: Shape,
    found: Imported,
    bad: dict[int, tuple[FileRow, str]],
    *,
    first: bool,
) -> Iterator[tuple[FileRow, ConsentEvent]]:
    """Rows of the ledger; what is wrong with rows of the file goes to `bad`, once."""
    for row in rows:
        found.rows += first
        if row.fault is not None:
            bad[row.line] = (row, row.fault)
            continue
        try:
            events = events_of(shape(row.values), reading)
        except BadRow as error:
            bad[row.line] = (row, str(error))
            continue
        found.undated += sum(first and e.action in DENYING and e.at == reading.now for e in events)
        yield from ((row, event) for event in events)


def _by_headers(mapped: Mapping[str, str]) -> Shape:
    columns: dict[str, str | None] = {}

    def shaped(values: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for header, text in values.items():
            if header not in columns:
                columns[header] = column_of(header, mapped)
            name = columns[header]
            if name is not None and text:
                found[name] = text
        return found

    return shaped


def _write(
    session: Session,
    made: Iterator[tuple[FileRow, ConsentEvent]],
    reading: Reading,
    found: Imported,
    bad: dict[int, tuple[FileRow, str]],
    *,
    dry_run: bool,
) -> None:
    from segctl.state.consents import append, known_events

    while batch := list(islice(made, _BATCH)):
        events = [event for _, event in batch]
        if dry_run:
            known = known_events(session.workspace, [event.event_id for event in events])
            seen = set(known)
            numbers = [int(e.event_id not in seen and not seen.add(e.event_id)) for e in events]  # type: ignore[func-returns-value]  # adds while it asks
        else:
            numbers = append(session.workspace, events, recorded=reading.now)
        others = _with_other_content(session, [e for e, n in zip(events, numbers, strict=True) if not n])
        for (row, event), number in zip(batch, numbers, strict=True):
            if number:
                found.actions[event.action] += 1
                found.effects[_effect(event, session)] += 1
            elif event.event_id in others:
                bad[row.line] = (row, "its `event_id` is on record with other content")
            else:
                found.effects["known"] += 1


def _with_other_content(session: Session, events: Sequence[ConsentEvent]) -> set[str]:
    """Ids that are on record for something else: taken for known, a withdrawal would be lost."""
    from segctl.state.consents import stored_events

    named = {event.event_id: event for event in events if not event.event_id.startswith("row-")}
    stored = stored_events(session.workspace, list(named))
    return {
        name
        for name, event in named.items()
        if (old := stored.get(name)) is not None
        and (any(getattr(old, part) != getattr(event, part) for part in _CHECKED[1:]) or _is_other_time(old, event))
    }


def _is_other_time(old: ConsentEvent, new: ConsentEvent) -> bool:
    return old.at != new.at and new.action not in DENYING


def _effect(event: ConsentEvent, session: Session) -> Effect:
    if event.action in DENYING:
        return "denial"
    if event.action not in GIVEN:
        return "use"
    has_proof = event.proof_ref or event.proof_hash or event.facts.get("sale_ref")
    needs_confirming = event.channel in session.project.consent.double_opt_in
    if event.action == "request" or (event.action == "grant" and needs_confirming and not event.is_confirmed):
        return "unconfirmed"
    return "consent" if has_proof else "without proof"


def _refuse_nothing(
    found: Imported,
    header: Sequence[str],
    mapped: Mapping[str, str],
    fixed: Mapping[str, str],
    bad: Mapping[int, tuple[FileRow, str]],
) -> None:
    """A file of which no row can be taken has the wrong columns: better to say so than to report each row."""
    columns = {column_of(one, mapped) for one in header} | set(fixed)
    if not header or not found.rows or len(bad) < found.rows:
        return
    missing = [name for name in ("at", "action", "purpose") if name not in columns]
    points = not columns & {"email", "phone", "postal", "device", "account"}
    if points or missing:
        what = "contact point" if points else " and ".join(f"`{name}`" for name in missing)
        raise DataError(
            "SEG813",
            f"the file has no column for {what}; nothing was recorded",
            why=f"its columns are {', '.join(f'`{one}`' for one in header[:12])}",
            hint="`--map email='E-Mail'` names a column, `--set purpose=newsletter` a value for every row",
        )


def _report(
    session: Session,
    bad: Sequence[tuple[FileRow, str]],
    header: Sequence[str],
    path: Path | None,
    source: str,
    now: datetime,
) -> Path:
    """The rows that were not taken, as they stood, with line and reason; readable by the owner alone."""
    if path is None:
        folder = session.workspace.folder / "rejected"
        safe = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in source)
        path = folder / f"{safe[:80]}.{now:%Y%m%dT%H%M%S}.csv"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(["line", "reason_refused", *header])
            for row, reason in bad:
                cells = [row.values.get(one, "") for one in header] if row.fault is None else [row.raw]
                writer.writerow([row.line, reason, *cells])
    except OSError as error:
        raise LocalIOError(
            "SEG814", f"the report of refused rows cannot be written to `{path}`", why=error.strerror,
            hint="name another file with `--rejected FILE` and import again: what was recorded stays as it is",
        ) from error  # fmt: skip
    return path
