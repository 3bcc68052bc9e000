"""Sessions of a tracking source, kept in step with its events: late ones prolong, join or move sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segctl.model.tracking import DEVICE, END, PAGE
from segctl.model.types import TEXT, TIME, Kind, ValueType, stored_column
from segctl.operations.ingest.again import without_rows
from segctl.operations.ingest.events import EVENTS, events_meta
from segctl.state.files import NewFile, StoredFile

if TYPE_CHECKING:
    import polars as pl

    from segctl.model.project import Project
    from segctl.model.sources import Source
    from segctl.model.tracking import Sessions
    from segctl.state.workspace import Workspace

PAGES = ("page_viewed", "screen_viewed")
_ROWS_AT_ONCE = 2_000_000
_DEVICE, _PAGE, _END = stored_column(DEVICE, TEXT), stored_column(PAGE, TEXT), stored_column(END, TIME)


@dataclass(frozen=True, slots=True)
class SessionChanges:
    """What a commit does about sessions.

    Attributes:
        add: All files to add, those of the events included.
        remove: Ids of all files to remove.
        sessions: Sessions that are new or changed.
    """

    add: list[NewFile]
    remove: list[int]
    sessions: int


def session_changes(
    workspace: Workspace, project: Project, source: Source, add: list[NewFile], remove: list[int]
) -> SessionChanges:
    """The commit of a source's new events, completed by the sessions they change.

    Args:
        workspace: With the stored events.
        project: Its declared session event says which properties there are.
        source: With a sessions declaration.
        add: Files that the commit adds, event files among them.
        remove: Ids of files that the commit removes; their events are gone, or stand in `add` again.
    """
    import polars as pl

    tracking = source.tracking
    assert tracking is not None, "only called for tracking sources"
    assert tracking.sessions is not None, "only called with sessions"
    stored = [file for file in workspace.files(EVENTS) if source.name in file.meta.get("sources", {source.name: 0})]
    gone = set(remove)
    book = _Book(workspace, project, source.name, tracking.sessions,
                 [file for file in stored if file.id not in gone], [f for f in add if f.dataset == EVENTS])  # fmt: skip
    is_whole = any(file.id in gone for file in stored)
    frames = [book.changed(part, is_whole=is_whole) for part in book.parts(is_whole=is_whole)]
    new = pl.concat([frame for frame, _ in frames], how="diagonal")
    old = pl.concat([ids for _, ids in frames])
    add, remove = _without(workspace, source.name, old, book, add, remove)
    if new.height:
        new = new.sort("ts", "event_id")
        add = [*add, workspace.write(EVENTS, new, events_meta(new))]
    return SessionChanges(add, remove, new.height)


@dataclass(frozen=True, slots=True)
class _Book:
    workspace: Workspace
    project: Project
    source: str
    sessions: Sessions
    stored: list[StoredFile]
    fresh: list[NewFile]

    @property
    def files(self) -> list[StoredFile | NewFile]:
        """All event files that the commit leaves."""
        return [*self.stored, *self.fresh]

    def parts(self, *, is_whole: bool) -> list[tuple[int, int]]:
        """Shares of the visitors, each small enough for memory."""
        count = 1 + sum(file.rows for file in (self.files if is_whole else self.fresh)) // _ROWS_AT_ONCE
        return [(number, count) for number in range(count)]

    def changed(self, part: tuple[int, int], *, is_whole: bool) -> tuple[pl.DataFrame, pl.Series]:
        """Session rows to store for a share of the visitors, and ids of stored ones that go."""
        import polars as pl

        from segctl.connectors.sessions import hulls, sessions_of

        fresh = self._rows(self.fresh, part).collect()
        known = self._known(part)
        if is_whole:
            events = pl.concat([fresh, self._rows(self.stored, part).collect()], how="diagonal")
        else:
            known = known.join(fresh.select("visitor").unique(), on="visitor", how="semi")
            spans = hulls(fresh, known, gap_us=self.sessions.gap_us)
            events = pl.concat([fresh, self._earlier(spans, part)], how="diagonal")
            known = _within(known, spans)
        found = self._stored_form(sessions_of(self._ranked(events), gap_us=self.sessions.gap_us))
        known = known.select(name for name in known.columns if name not in ("visitor", "ended"))
        shared = [name for name in found.columns if name in known.columns]
        lacking = [name for name in found.columns if name not in known.columns]
        same = known.join(found, on=shared, how="semi", nulls_equal=True)
        if lacking:
            # Sessions stored before a property was declared are written anew.
            same = same.head(0)
        new = found.join(same.select("event_id"), on="event_id", how="anti", maintain_order="left")
        old = known.join(same.select("event_id"), on="event_id", how="anti")
        return new, old["event_id"]

    def _rows(self, files: Sequence[StoredFile | NewFile], part: tuple[int, int]) -> pl.LazyFrame:
        """Events of the source that are no sessions."""
        import polars as pl

        return self._scan(files, part).filter(pl.col("kind") != self.sessions.kind)

    def _scan(
        self, files: Sequence[StoredFile | NewFile], part: tuple[int, int], *, extra: tuple[str, ...] = ()
    ) -> pl.LazyFrame:
        import polars as pl

        wanted = ("subject", "ts", "event_id", "file_id", "line")
        number, count = part
        frames = []
        for file in files:
            has = set(file.meta["columns"])
            texts = {name: pl.col(name) if name in has else pl.lit(None, dtype=pl.String) for name in (_DEVICE, _PAGE)}
            frame = pl.scan_parquet(file.path).filter(pl.col("source") == self.source)
            columns = [name for name in extra if name in has and name not in (_DEVICE, _PAGE)]
            # After compaction a file holds one kind, and says so beside its rows.
            kind = pl.col("kind") if "kind" in has else pl.lit(next(iter(file.meta["kinds"]))).alias("kind")
            frames.append(frame.select(*wanted, kind, *columns, device=texts[_DEVICE], page=texts[_PAGE]))
        if not frames:
            empty = {"subject": pl.Int32(), "ts": pl.Datetime("us", "UTC"), "event_id": pl.String(),
                     "kind": pl.String(), "file_id": pl.Int32(), "line": pl.Int64(), "device": pl.String(),
                     "page": pl.String()}  # fmt: skip
            frames = [pl.LazyFrame(schema=empty)]
        visitor = pl.coalesce("d:" + pl.col("device"), "s:" + pl.col("subject").cast(pl.String))
        found = pl.concat(frames, how="diagonal").with_columns(visitor=visitor)
        return found if count == 1 else found.filter(pl.col("visitor").hash(7) % count == number)

    def _known(self, part: tuple[int, int]) -> pl.DataFrame:
        """Stored sessions with all their columns, ``visitor`` and ``ended``."""
        import polars as pl

        files = [file for file in self.files if self.sessions.kind in file.meta.get("kinds", {})]
        extra = tuple(dict.fromkeys(name for file in files for name in file.meta["columns"] if ":" in name))
        found = self._scan(files, part, extra=extra).filter(pl.col("kind") == self.sessions.kind).collect()
        if _END not in found.columns:
            found = found.with_columns(pl.col("ts").alias(_END))
        return found.with_columns(pl.col("device").alias(_DEVICE), ended=pl.col(_END)).drop("device", "page", "kind")

    def _earlier(self, spans: pl.DataFrame, part: tuple[int, int]) -> pl.DataFrame:
        """Stored events within the spans."""
        import polars as pl

        if spans.is_empty() or not self.stored:
            return self._rows([], part).collect()
        low, high = spans["low"].to_physical().min(), spans["high"].to_physical().max()
        files = [file for file in self.stored if _overlaps(file, low, high)]
        rows = self._rows(files, part).join(spans.lazy(), on="visitor", how="inner")
        return rows.filter(pl.col("ts").is_between(pl.col("low"), pl.col("high"))).drop("low", "high").collect()

    def _ranked(self, events: pl.DataFrame) -> pl.DataFrame:
        """Events with the rank of the identifier that claims them, and whether they show a page."""
        import polars as pl

        from segctl.state.subjects import Subjects

        order = {identifier.name: rank for rank, identifier in enumerate(self.project.identifiers)}
        asked = events.lazy().select("subject").unique()
        table = Subjects(self.workspace).table().select("subject", "id_type")
        types = table.join(asked, on="subject", how="semi").collect()
        rank = pl.col("id_type").replace_strict(order, default=len(order), return_dtype=pl.UInt32)
        ranked = events.join(types.select("subject", rank=rank), on="subject", how="left", maintain_order="left")
        return ranked.with_columns(pl.col("rank").fill_null(len(order)), is_page=pl.col("kind").is_in(PAGES))

    def _stored_form(self, sessions: pl.DataFrame) -> pl.DataFrame:
        """Sessions as rows of event files."""
        import polars as pl

        event = self.project.event(self.sessions.kind)
        columns = [] if event is None else [_property(name, of) for name, of in event.properties]
        return sessions.select(
            "subject",
            "ts",
            pl.lit(self.source).alias("source"),
            "event_id",
            pl.lit(self.sessions.kind).alias("kind"),
            "file_id",
            "line",
            pl.col("device").alias(_DEVICE),
            pl.col("ended").alias(_END),
            *(column for column in columns if column is not None),
        )


def _property(name: str, of: ValueType) -> pl.Expr | None:
    """The stored column of a session's property; None for names that sessions do not know."""
    import polars as pl

    length = (pl.col("ended") - pl.col("ts")).dt.total_microseconds()
    plain = {"pages": pl.col("pages"), "events": pl.col("events")}
    column, factor = stored_column(name, of), int(10**of.scale)
    if name == "duration":
        return (length * factor // 1_000_000).alias(column)
    if name in plain:
        return (plain[name] * factor).alias(column)
    others = {"entry_page": Kind.TEXT, "exit_page": Kind.TEXT, "started_at": Kind.TIME, "ended_at": Kind.TIME}
    if others.get(name) is not of.kind:
        return None
    return pl.col({"started_at": "ts", "ended_at": "ended"}.get(name, name)).alias(column)


def _within(known: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    inside = known.join(spans, on="visitor", how="inner", maintain_order="left")
    return inside.filter((pl.col("ts") >= pl.col("low")) & (pl.col("ended") <= pl.col("high"))).drop("low", "high")


def _overlaps(file: StoredFile, low: Any, high: Any) -> bool:  # noqa: ANN401 - microseconds, or None in empty frames
    least, most = file.meta.get("min_ts"), file.meta.get("max_ts")
    return least is None or most is None or (least <= high and most >= low)


def _without(
    workspace: Workspace, source: str, event_ids: pl.Series, book: _Book, add: list[NewFile], remove: list[int]
) -> tuple[list[NewFile], list[int]]:
    """The commit without these sessions: files that hold one are written anew."""
    import polars as pl

    if event_ids.is_empty():
        return add, remove
    add, remove = list(add), list(remove)
    gone = (pl.col("source") == source) & pl.col("event_id").is_in(event_ids.implode())
    for file in book.files:
        if book.sessions.kind not in file.meta.get("kinds", {}):
            continue
        rest, rows = without_rows(workspace, file, gone)
        if not rows:
            continue
        if isinstance(file, NewFile):
            add.remove(file)
            file.path.unlink(missing_ok=True)
        else:
            remove.append(file.id)
        add += rest
    return add, remove
