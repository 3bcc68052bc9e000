"""Mapped copies of event files: which columns the project's segments read, and building what is missing.

A copy makes reading the events of few profiles cheap. It can be made again at any time, so it is made where it pays
and left out where it cannot be made; nothing but time depends on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from segctl.compile import ir
from segctl.compile.plan import Node, Plan, parts, plan, roots
from segctl.model.errors import LocalIOError, TemporaryError, UsageError
from segctl.model.types import stored_column
from segctl.operations.evaluation import lowered_segments
from segctl.operations.progress import Progress, Silent

if TYPE_CHECKING:
    from segctl.operations.session import Session
    from segctl.state.files import NewFile, StoredFile
    from segctl.state.workspace import Workspace

WORTH_ROWS = 50_000
"""Of smaller files the few wanted rows are found quickly enough."""
Wanted = Mapping[str, frozenset[str]]


def wanted_columns(session: Session) -> dict[str, frozenset[str]]:
    """Event kind → stored columns of the properties that any segment of the project reads."""
    return columns_read(plan(lowered_segments(session, session.definitions.segments)))


def columns_read(asking: Plan) -> dict[str, frozenset[str]]:
    """Event kind → stored columns of the properties that a plan reads."""
    found: dict[str, set[str]] = {}
    nodes = [root for segment in asking.segments for root in roots(segment)]
    for node in [*nodes, *(output.ask for output in asking.outputs)]:
        _note(node, (), found)
    return {kind: frozenset(columns) for kind, columns in found.items()}


def build_copies(
    workspace: Workspace,
    wanted: Wanted,
    *,
    snapshot: int | None = None,
    rows_at_least: int = WORTH_ROWS,
    progress: Progress | None = None,
) -> int:
    """Builds the copies of sorted event files that are missing or lack columns, and of subjects; gives how many.

    If another process is building, or the disk is full, nothing is built: readers do without.

    Args:
        workspace: Where.
        wanted: As `wanted_columns` gives it; kinds that are not in it need no copy.
        snapshot: Whose files; the newest by default.
        rows_at_least: Smaller files get no copy.
        progress: Hears of rows that are copied.
    """
    from segctl.state.names import build_names, missing_names

    missing = _missing(workspace, wanted, snapshot, rows_at_least)
    if not missing and not missing_names(workspace):
        return 0
    from segctl.state.hot import LOCK, tidy

    listener = progress or Silent()
    try:
        with workspace.lock(LOCK):
            tidy(workspace)
            # Somebody may have built them while we waited.
            build_names(workspace, missing_names(workspace))
            missing = _missing(workspace, wanted, snapshot, rows_at_least)
            listener.start("hot columns", total=sum(file.rows for file, _ in missing), unit="rows")
            for file, columns in missing:
                _build(workspace, file, columns)
                listener.advance(file.rows)
            listener.finish()
    except (TemporaryError, LocalIOError):
        return 0
    return len(missing)


def copies_of(workspace: Workspace, files: Iterable[NewFile], wanted: Wanted) -> None:
    """Builds the copies of sorted files before their commit, for one who is to find them with it."""
    from segctl.state.hot import LOCK

    with suppress(TemporaryError, LocalIOError), workspace.lock(LOCK):
        for file in files:
            kind = next(iter(file.meta["kinds"]), "")
            if _is_worth_it(file, WORTH_ROWS) and kind in wanted:
                _build(workspace, file, frozenset((wanted[kind] & set(file.meta["columns"])) - {"ts", "source"}))


def copies_for(start: Path, workspace: Workspace, *, env: str | None, progress: Progress | None = None) -> int:
    """Builds the copies after files were sorted; nothing where definitions do not bind."""
    from segctl.operations.lists import ProjectLists
    from segctl.operations.session import Session, bound_definitions

    if not any(_is_worth_it(file, WORTH_ROWS) for file in workspace.files("events")):
        return 0
    try:
        definitions, _ = bound_definitions(start, env=env)
        session = Session(definitions, workspace, ProjectLists(Path(definitions.project.root)))
        wanted = wanted_columns(session)
    except UsageError:
        return 0
    return build_copies(workspace, wanted, progress=progress)


def _build(workspace: Workspace, file: StoredFile | NewFile, columns: frozenset[str]) -> None:
    """One copy, in place of those that it makes needless."""
    from segctl.engines.hot_file import FORMAT
    from segctl.engines.hot_write import write_hot
    from segctl.state.hot import discard, hot_path, hot_paths, place

    target = hot_path(workspace, file.path, columns, version=FORMAT)
    place(workspace, target, lambda aside: write_hot(file.path, aside, sorted(columns)))
    discard(path for path in hot_paths(workspace).get(file.path.stem, []) if path != target)


def _missing(
    workspace: Workspace, wanted: Wanted, snapshot: int | None, rows_at_least: int
) -> list[tuple[StoredFile, frozenset[str]]]:
    """Files that need a copy, with the columns it must have."""
    from segctl.state.hot import hot_paths

    known = hot_paths(workspace)
    found = []
    for file in workspace.files("events", snapshot):
        kind = next(iter(file.meta["kinds"]), "")
        if not _is_worth_it(file, rows_at_least) or kind not in wanted:
            continue
        columns = wanted[kind] & set(file.meta["columns"])
        held = [_columns_of(path, file) for path in known.get(file.path.stem, [])]
        if not any(there is not None and there >= columns for there in held):
            # What another selection of segments reads stays, lest two of them build it by turns.
            more = [there & set(file.meta["columns"]) for there in held if there is not None]
            found.append((file, frozenset(columns.union(*more) - {"ts", "source"})))
    return found


def _columns_of(path: Path, file: StoredFile) -> frozenset[str] | None:
    """Columns of a copy; None when it is torn or that of another file."""
    from segctl.engines.hot_file import HotFile, TornFile

    try:
        copy = HotFile(path)
    except (TornFile, OSError):
        return None
    return copy.columns if copy.source == file.path.name and copy.rows == file.rows else None


def _is_worth_it(file: StoredFile | NewFile, rows_at_least: int) -> bool:
    return bool(file.meta.get("sorted")) and len(file.meta["kinds"]) == 1 and file.rows >= rows_at_least


def _note(node: Node, kinds: tuple[str, ...], found: dict[str, set[str]]) -> None:
    """Notes the properties that are read below a node, whose events are of some kinds."""
    around = kinds
    if isinstance(node, ir.Metric | ir.Followed | ir.Step):
        kinds = node.kinds
        for kind in kinds:
            found.setdefault(kind, set())
    if isinstance(node, ir.EventProperty):
        _add(found, kinds, [stored_column(node.name, node.type)])
    for part in parts(node):
        _note(part, kinds, found)
    ties = [stored_column(name, of) for name, of in getattr(node, "same", ())]
    if ties:
        # Those that follow are tied to the events that they follow.
        _add(found, [*around, *kinds, *_kinds_below(node)], ties)


def _add(found: dict[str, set[str]], kinds: Iterable[str], columns: list[str]) -> None:
    for kind in kinds:
        found.setdefault(kind, set()).update(columns)


def _kinds_below(node: Node) -> Iterable[str]:
    yield from getattr(node, "kinds", ())
    for part in parts(node):
        yield from _kinds_below(part)
