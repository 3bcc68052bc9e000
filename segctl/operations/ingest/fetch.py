"""A source that is no file: its records are fetched into a spool that survives a kill, then read like any NDJSON."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.errors import DataError, Refused, SegctlError, TemporaryError, UsageError
from segctl.model.secrets import masked_records
from segctl.operations.ingest.columns import refuse_missing
from segctl.state.bookmarks import Bookmark, bookmark, set_bookmark
from segctl.state.spool import Spool, SpoolState, found_spool, new_spool, spool_folder

if TYPE_CHECKING:
    import sqlite3

    from segctl.connectors.sources.base import Around, Connector, Page
    from segctl.model.fetching import Fetch
    from segctl.model.sources import Source
    from segctl.operations.ingest.source import SourceRun


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asked of a fetch.

    Attributes:
        since: Begin here instead of at the bookmark, as written.
        limit: Take so many records at most; the bookmark stays then, unless they are all there are.
    """

    since: str | None = None
    limit: int | None = None


EVERYTHING_NEW = Wishes()


def checked_limit(limit: int | None) -> int | None:
    """The limit, when it can be one.

    Raises:
        UsageError: It is less than one record.
    """
    if limit is not None and limit < 1:
        raise UsageError("SEG384", f"`--limit {limit}` is no number of records", hint="take at least 1")
    return limit


def refuse_files(sources: Iterable[Source], wishes: Wishes) -> None:
    """Raises `UsageError` when the wishes mean nothing to a source, since it reads files."""
    files = [source.name for source in sources if source.fetch is None]
    if files and wishes != EVERYTHING_NEW:
        hint = "name the sources that are fetched: `segctl ingest SOURCE --since …`"
        raise UsageError("SEG384", f"`{files[0]}` reads files; `--since` and `--limit` are for fetching", hint=hint)


def run_fetched(run: SourceRun, wishes: Wishes = EVERYTHING_NEW, *, around: Around | None = None) -> None:
    """Fetch what is new and commit it with the bookmark, or raise why not; what happened stands in the result.

    Raises:
        SegctlError: Nothing of the source was taken; pages that came are kept, and the next call goes on after them.
    """
    fetch = run.source.fetch
    assert fetch is not None
    _refuse_wishes(run.source, fetch, wishes)
    if run.full and not run.source.holds_profiles:
        # Everything is asked for again so that it is read as the declaration says now.
        run.source = replace(run.source, corrections_replace=True)
    connector = connected(run.source, fetch, around or _around(run))
    with run.workspace.lock(f"ingest/{run.source.name}"), _spool(run, fetch, wishes) as spool:
        _fill(run, connector, spool, wishes)
        if not run.dry_run:
            _hand_over(run, spool)
        _read(run, spool)


def connected(source: Source, fetch: Fetch, around: Around) -> Connector:
    """The connector of a source.

    Raises:
        UsageError: No package on this machine brings its kind.
    """
    from segctl.connectors.sources import connect

    try:
        return connect(fetch, around)
    except LookupError as error:
        hint = "install the package that brings it; it registers itself as an entry point of `segctl.connectors`"
        raise UsageError("SEG385", f"`{source.name}`: no connector for kind `{fetch.kind}`", hint=hint) from error


def place_digest(fetch: Fetch) -> str:
    """A short word that changes with what a fetch asks for."""
    return hashlib.sha256(f"{fetch.kind} {fetch.place}".encode()).hexdigest()[:16]


def _around(run: SourceRun) -> Around:
    from segctl.connectors.sources.base import Around

    project = run.project
    return Around(
        run.source.name, Path(project.root), run.now, note=run.progress.note, zone=project.timezone,
        workspace=Path(project.workspace),
    )  # fmt: skip


def _refuse_wishes(source: Source, fetch: Fetch, wishes: Wishes) -> None:
    if wishes.since is not None and not fetch.is_incremental:
        hint = "declare its `cursor`, or leave `--since` out"
        raise UsageError("SEG384", f"`{source.name}` has no cursor, so `--since` means nothing to it", hint=hint)
    is_part = wishes.since is not None or wishes.limit is not None
    if is_part and source.picture == "full":
        raise Refused(
            "SEG384",
            f"`{source.name}` is a full picture: with a part of it everybody else would be gone",
            hint="leave `--since` and `--limit` out, or try them with `picture: log`",
        )


@contextmanager
def _spool(run: SourceRun, fetch: Fetch, wishes: Wishes) -> Iterator[Spool]:
    """The spool to go on with, or a new one; a dry run's vanishes at the end."""
    name, place = run.source.name, place_digest(fetch)
    mark = bookmark(run.workspace, name)
    begins, is_whole = _beginning(run, mark, place)
    state = SpoolState(
        uuid.uuid4().hex,
        place,
        run.now.isoformat(),
        since=wishes.since,
        limit=wishes.limit,
        whole=is_whole,
        start=begins,
        cursor=begins,
    )
    if run.dry_run:
        with tempfile.TemporaryDirectory(prefix="segctl-") as passing:
            yield new_spool(Path(passing, "spool"), state)
        return
    folder = spool_folder(run.workspace, name)
    left = found_spool(folder)
    if left is not None and _goes_on(left.state, state, mark, run.source):
        run.result.notes.append(f"went on with the fetch begun {_shown(left.state)} ({_counted(left.state)})")
        yield left
        return
    if mark is not None and mark.place != place:
        run.result.notes.append("the declaration asks for other records than before, so everything was fetched again")
    yield new_spool(folder, state)


def _beginning(run: SourceRun, mark: Bookmark | None, place: str) -> tuple[Any, bool]:
    """The cursor from which a fetch asks for what is new, and whether it asks for everything."""
    is_known = mark is not None and mark.place == place and run.source.picture != "full"
    begins = mark.cursor if mark is not None and is_known and not run.full else None
    return begins, run.full or not is_known


def _hand_over(run: SourceRun, spool: Spool) -> None:
    """Give what came to the other parts of the declaration too, so that the service is asked once.

    A part that stands elsewhere, or that somebody is just ingesting, asks for itself.
    """
    state = spool.state
    for part in run.source.also:
        folder = spool_folder(run.workspace, part.name)
        with suppress(TemporaryError), run.workspace.lock(f"ingest/{part.name}"):
            begins, is_whole = _beginning(run, bookmark(run.workspace, part.name), state.place)
            left = found_spool(folder)
            is_free = left is None or not left.state.pages
            if is_free and state.is_complete and (begins, is_whole) == (state.start, state.whole):
                spool.copied(folder, uuid.uuid4().hex)


def _goes_on(left: SpoolState, wanted: SpoolState, mark: Bookmark | None, source: Source) -> bool:
    """Whether a spool on disk is the beginning of what is wanted."""
    if mark is not None and mark.fetch == left.fetch:
        return False  # committed, and killed before it was deleted
    if not left.pages:
        return False  # nothing came
    if left.refused is not None and left.refused == source.digest:
        return False  # the same declaration would refuse the same records
    same = (left.place, left.since, left.limit) == (wanted.place, wanted.since, wanted.limit)
    return same and (left.whole or not wanted.whole)


def _fill(run: SourceRun, connector: Connector, spool: Spool, wishes: Wishes) -> None:
    """Fetches until nothing follows, the limit is reached, or, in a dry run without one, a page is there."""
    from segctl.connectors.sources.base import PositionLostError

    if spool.state.is_complete:
        return
    try:
        try:
            _take_pages(run, connector, spool, wishes)
        except PositionLostError:
            run.result.notes.append("the service no longer knows where the fetch stood, so it began again")
            spool.save(replace(spool.state, bytes=0, records=0, pages=0, position=None, cursor=spool.state.start))
            _take_pages(run, connector, spool, wishes)
    except SegctlError as error:
        if spool.state.pages and not run.dry_run:
            kept = f"{_counted(spool.state)} are kept, and the next ingest goes on after them"
            error.hint = f"{error.hint}; {kept}" if error.hint else kept
        raise
    run.result.notes.append(f"fetched {_counted(spool.state)}")


def _take_pages(run: SourceRun, connector: Connector, spool: Spool, wishes: Wishes) -> None:
    from segctl.connectors.sources.base import Start

    state = spool.state
    left = None if wishes.limit is None else wishes.limit - state.records
    is_trial = run.dry_run and wishes.limit is None
    start = Start(state.position, state.cursor, wishes.since, left)
    has_begun = False
    with spool.writing() as appender:
        for page in _limited(connector.pages(start), left):
            if not has_begun:
                if page.columns is not None:
                    refuse_missing(run.source, page.columns, run.source.name)
                run.progress.start(f"fetch {run.source.name}", total=_expected(page, wishes), unit="records")
                has_begun = True
            is_last = page.position is None
            # What a service says may repeat a credential; no record on disk may.
            lines = masked_records(page.lines)
            appender.add(lines, page.count, position=page.position, cursor=page.cursor, is_complete=is_last)
            run.progress.advance(page.count)
            if is_last or is_trial:
                break
    if has_begun:
        run.progress.finish()
    if not spool.state.is_complete and not is_trial:
        spool.save(replace(spool.state, is_complete=True))


def _limited(pages: Iterator[Page], limit: int | None) -> Iterator[Page]:
    """The pages up to `limit` records; the page that reaches it is cut, and nothing follows it."""
    for page in pages:
        if limit is None or page.count < limit:
            yield page
            limit = None if limit is None else limit - page.count
            continue
        lines = b"".join(page.lines.splitlines(keepends=True)[:limit])
        yield replace(page, lines=lines, count=min(page.count, limit), position=None)
        return


def _expected(page: Page, wishes: Wishes) -> int | None:
    if page.total is None or wishes.limit is None:
        return page.total if wishes.limit is None else wishes.limit
    return min(page.total, wishes.limit)


def _read(run: SourceRun, spool: Spool) -> None:
    """Ingest the spool; its rows and the bookmark become visible together, then it is deleted."""
    state = spool.state
    mark = _moved(run, state)

    def within(db: sqlite3.Connection) -> None:
        set_bookmark(mark)(db)

    if state.records or run.source.picture == "full":
        try:
            shown = f"{run.source.name} fetched {_shown(state)}"
            run.read_given(spool.path, shown, within, {"whole": True} if _is_everything(state, run.source) else None)
        except DataError:
            if not run.dry_run:
                spool.save(replace(state, refused=run.source.digest))
            raise
    elif not run.dry_run:
        with run.workspace.transaction() as db:
            within(db)
    if not run.dry_run:
        spool.discard()


def _moved(run: SourceRun, state: SpoolState) -> Bookmark:
    """The bookmark after this fetch: a part of what there is must not hide the rest."""
    old = bookmark(run.workspace, run.source.name)
    kept = old.cursor if old is not None and old.place == state.place else None
    reached: Any = state.cursor
    if _was_cut(state) or (state.since is not None and kept is not None):
        reached = kept
    return Bookmark(run.source.name, state.place, reached, state.fetch)


def _shown(state: SpoolState) -> str:
    return datetime.fromisoformat(state.began).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _is_everything(state: SpoolState, source: Source) -> bool:
    """Whether the records of all earlier fetches came again."""
    has_cursor = source.fetch is not None and source.fetch.is_incremental
    return (state.whole or not has_cursor) and state.since is None and not _was_cut(state)


def _was_cut(state: SpoolState) -> bool:
    return state.limit is not None and state.records >= state.limit


def _counted(state: SpoolState) -> str:
    pages = "1 page" if state.pages == 1 else f"{state.pages:,} pages"
    records = "1 record" if state.records == 1 else f"{state.records:,} records"
    return f"{records} on {pages}"
