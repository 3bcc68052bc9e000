"""Which files of a source are to be read, and what becomes of the rows that came before."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import DataError, Refused

if TYPE_CHECKING:
    from segctl.connectors.tables.base import TablePart
    from segctl.model.sources import Source
    from segctl.state.inputs import IngestedInput
    from segctl.state.workspace import Workspace

LATE_DIGEST_BYTES = 64 * 1024 * 1024
"""From this size on the digest of new bytes is made while they are read."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file of a source as it lies there now.

    Attributes:
        shown: Its path as the user writes it.
        digest: Hex SHA-256 of its bytes; empty while it is not known, since no earlier input had this size.
        modified: Seconds since the epoch by the file system.
        rows: What gives its rows when it is no file but a part of a table.
        note: What the ledger keeps of it besides.
    """

    path: Path
    shown: str
    digest: str
    size: int
    modified: float | None
    rows: TablePart | None = None
    note: dict[str, Any] = field(default_factory=dict)


def may_wait(workspace: Workspace, source: str, size: int) -> bool:
    """Whether the digest of a large file can wait: bytes of a size that no input had are new."""
    from segctl.state.inputs import has_input_of

    return size >= LATE_DIGEST_BYTES and not has_input_of(workspace, source, size)


@contextmanager
def known_late(item: InputFile) -> Iterator[Callable[[], InputFile]]:
    """What gives a file with its digest, which is made meanwhile when nobody knows it."""
    from segctl.connectors.files.digests import DigestBeside

    if item.digest:
        yield lambda: item
        return
    beside = DigestBeside(item.path)
    try:
        yield lambda: replace(item, digest=beside.result())
    finally:
        beside.cancel()


def check_unchanged(item: InputFile, source: str) -> None:
    """A file is after reading, and after its digest was made, as it was found.

    Raises:
        DataError: It is not.
    """
    facts = item.path.stat()
    if (facts.st_size, facts.st_mtime) != (item.size, item.modified):
        raise DataError(
            "SEG311",
            f"`{item.shown}` changed while it was read; nothing of `{source}` was taken",
            hint="ingest again when whoever writes it is done",
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What an ingest of a source has to do.

    Attributes:
        files: To be read, in order.
        skipped: Files that are known and unchanged.
        is_afresh: All of the source is read again, and what came from it before is replaced.
        kept: Numbers of earlier inputs whose rows stay although all is read again, since nobody can read them again.
        broken: Files that are skipped and known to end before their end, each with the line and why.
        notes: What a person should know.
        is_everything: No row of an earlier input counts any more, so none of them stays in quarantine.
    """

    files: tuple[InputFile, ...]
    skipped: int = 0
    is_afresh: bool = False
    kept: frozenset[int] = frozenset()
    broken: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    is_everything: bool = False


def reading_of(
    workspace: Workspace, source: Source, found: Sequence[InputFile], *, full: bool, accepts_loss: bool
) -> Reading:
    """What to read of the files that are there.

    Args:
        workspace: With the ledger of earlier inputs.
        source: Whose files.
        found: All of them.
        full: Read all again and replace what came from the source.
        accepts_loss: Rows of files that are no longer there may go when all is read again.

    Raises:
        Refused: People would move to other profiles, or rows would be lost, and nobody has agreed.
    """
    from segctl.state.inputs import inputs

    earlier = [entry for entry in inputs(workspace, source.name) if "superseded" not in entry.note]
    if source.holds_profiles and not full:
        # Mended rows lie in no file, so they make no picture and no newest state of one.
        earlier = [entry for entry in earlier if "mended" not in entry.note]
    if not full:
        refuse_other_people(source, earlier)
    if source.holds_profiles:
        return _profiles(source, found, earlier, full=full, accepts_loss=accepts_loss)
    return _events(source, found, earlier, full=full, accepts_loss=accepts_loss)


def _profiles(
    source: Source, found: Sequence[InputFile], earlier: Sequence[IngestedInput], *, full: bool, accepts_loss: bool
) -> Reading:
    if full:
        gone = _gone(found, earlier)
        if gone and source.picture == "log" and not accepts_loss:
            raise _rows_would_go(source, gone)
        return Reading(tuple(found), is_afresh=True)
    newest = {entry.path: entry for entry in earlier}
    digests = {entry.digest for entry in earlier}
    known: list[InputFile] = []
    for item in found:
        last = newest.get(_stored_path(item))
        # An older state of a file may come back, and a changed declaration may want other columns.
        is_same = last is not None and (last.digest, last.note.get("declaration")) == (item.digest, source.digest)
        if is_same or (last is None and item.digest in digests):
            known.append(item)
    # The files of a full picture are one picture, so one changed or missing part means reading all.
    if source.picture == "full" and (len(known) < len(found) or _lacks_a_part(found, earlier)):
        return Reading(tuple(found))
    return _without(found, known, earlier)


def _events(
    source: Source, found: Sequence[InputFile], earlier: Sequence[IngestedInput], *, full: bool, accepts_loss: bool
) -> Reading:
    by_digest = {entry.digest: entry for entry in earlier}
    known = [item for item in found if item.digest in by_digest]
    outdated = [item for item in known if by_digest[item.digest].note.get("declaration") != source.digest]
    if not full and not outdated:
        return _without(found, known, earlier)
    gone = _gone(found, earlier)
    ids = ids_digest(source)
    is_matchable = all(ids == e.note.get("ids") or source.digest == e.note.get("declaration") for e in gone)
    if is_matchable:
        kept = frozenset(entry.id for entry in gone)
        return Reading(tuple(found), is_afresh=True, kept=kept, notes=_reasons(outdated, gone, full=full))
    if not full:
        note = (
            f"the declaration has changed since {outdated[0].shown} was read, but {_named(gone)} cannot be read again, "
            f"so what was read stays as it was; `segctl ingest {source.name} --full --yes` reads anew what is there "
            "and drops the rest"
        )
        return _without(found, known, earlier, note)
    if not accepts_loss:
        raise _rows_would_go(source, gone)
    return Reading(tuple(found), is_afresh=True)


def _without(
    found: Sequence[InputFile], known: Sequence[InputFile], earlier: Sequence[IngestedInput], *notes: str
) -> Reading:
    """The files that are not known yet; an incomplete one stays a finding as long as it lies there."""
    by_digest = {entry.digest: entry for entry in earlier}
    skipped = {item.shown for item in known}
    fresh = tuple(item for item in found if item.shown not in skipped)
    broken = [line for item in known for line in by_digest[item.digest].note.get("broken", ())]
    return Reading(fresh, len(known), broken=tuple(dict.fromkeys(broken)), notes=notes)


def _reasons(outdated: Sequence[InputFile], gone: Sequence[IngestedInput], *, full: bool) -> tuple[str, ...]:
    notes = []
    if not full:
        notes.append(f"the declaration has changed since {outdated[0].shown} was read, so all was read again")
    if gone:
        notes.append(f"{_named(gone)} cannot be read again; their events stay as they were read")
    return tuple(notes)


def _gone(found: Sequence[InputFile], earlier: Sequence[IngestedInput]) -> list[IngestedInput]:
    """Earlier inputs with good rows whose bytes are no longer among the files."""
    there = {item.digest for item in found}
    return [e for e in earlier if e.digest not in there and e.good and not _is_completed(e, earlier, there)]


def _is_completed(entry: IngestedInput, earlier: Sequence[IngestedInput], there: set[str]) -> bool:
    """Whether a whole file has taken the place of an incomplete one, and held all its rows."""
    later = [other for other in earlier if other.path == entry.path and other.id > entry.id and other.digest in there]
    return "broken" in entry.note and any(other.note.get("known", 0) >= (entry.good or 0) for other in later)


def _lacks_a_part(found: Sequence[InputFile], earlier: Sequence[IngestedInput]) -> bool:
    """Whether a file of the last picture is no longer there, so that its people may be gone."""
    last = max((entry.commit or 0 for entry in earlier), default=0)
    return bool({entry.digest for entry in earlier if entry.commit == last} - {item.digest for item in found})


def _stored_path(item: InputFile) -> str:
    from segctl.state.inputs import printable

    return printable(item.shown)


def _named(entries: Sequence[IngestedInput]) -> str:
    names = list(dict.fromkeys(entry.path for entry in entries))
    shown = ", ".join(names[:_SHOWN]) + (" and others" if len(names) > _SHOWN else "")
    return f"{len(entries)} earlier state{'' if len(entries) == 1 else 's'} of {shown}"


def _rows_would_go(source: Source, gone: Sequence[IngestedInput]) -> Refused:
    rows = sum(entry.good or 0 for entry in gone)
    return Refused(
        "SEG356",
        f"`--full` would drop up to {rows:,} rows of `{source.name}` that cannot be read again; nothing was changed",
        why=f"{_named(gone)} {'is' if len(gone) == 1 else 'are'} no longer there",
        hint="put the files back, or repeat with `--yes` when what lies there holds all that counts",
    )


def refuse_other_people(source: Source, earlier: Sequence[IngestedInput]) -> None:
    """A row must not change the identifier it is filed under only because the order of identifiers did."""
    now = [name for name, _ in source.key]
    before = next((entry.note["key"] for entry in reversed(earlier) if "key" in entry.note), now)
    if not moves_people(before, now):
        return
    raise Refused(
        "SEG357",
        f"`{source.name}`: its rows would now be filed under other identifiers; nothing was read",
        why=f"rows were filed under the first of {', '.join(before)} that they have; now it would be {', '.join(now)}",
        hint=f"put the order under `identifiers:` back, or read all again under the new one: "
        f"`segctl ingest {source.name} --full`",
    )


def moves_people(before: Sequence[str], now: Sequence[str]) -> bool:
    """Whether a row that has several identifiers may be filed under another one than before.

    >>> moves_people(["customer_id"], ["customer_id", "email"]), moves_people(["customer_id"], ["email", "customer_id"])
    (False, True)
    """
    common = [name for name in now if name in before]
    in_order = common == [name for name in before if name in now]
    return not in_order or list(now[: len(common)]) != common


def ids_digest(source: Source) -> str:
    """What event ids are made of: as long as it is the same, the same row gets the same id."""
    rules = [(rule.identity, rule.id_space, rule.each) for rule in source.events]
    # An event without a declared id is known by its content, which depends on the whole declaration.
    if not all(identity for identity, _, _ in rules):
        return source.digest
    return hashlib.sha256(repr(rules).encode()).hexdigest()


def input_note(
    source: Source, detected: Iterable[str], broken: Iterable[str], *, known: int, form: Sequence[str] = ()
) -> dict[str, Any]:
    """What the ledger remembers of a file that was read.

    Args:
        source: Whose file.
        detected: What was found out about the file, in words.
        broken: Where it ends before its end.
        known: Rows that had come before.
        form: Format, decimal sign and grouping sign, for rows that are taken from quarantine later.
    """
    note: dict[str, Any] = {
        "detected": list(detected),
        "declaration": source.digest,
        "key": [name for name, _ in source.key],
        "ids": ids_digest(source),
        "known": known,
        # Inputs without this word were read before links between identifiers were kept.
        "links": True,
        **({"form": list(form)} if form else {}),
    }
    incomplete = list(broken)
    return {**note, "broken": incomplete} if incomplete else note
