"""The definitions and lists of earlier runs, so that an old rule can be asked about new data.

`apply` keeps the text of every definition file and list by digest (`keep_definitions`), and its run remembers which
(note ``kept``). `session_of_run` binds them again: a `Session` over the same workspace whose definitions, settings
and lists are those of the run, which every operation takes like today's:

    then = session_of_run(session, run)
    if then is not None:
        old_rule_on_new_data = evaluate(then, ["vip"], as_of=now, snapshot=session.workspace.snapshot())
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.compile.definitions import bind_definitions
from segctl.compile.files import definition_files, source_names
from segctl.compile.project import FILE, bind_project_text
from segctl.compile.source import Node, compose
from segctl.model.errors import DataError, SegctlError
from segctl.operations.lists import ProjectLists, list_digest

if TYPE_CHECKING:
    from segctl.model.project import Definitions
    from segctl.operations.session import Session
    from segctl.state.files import StoredFile
    from segctl.state.runs import Run
    from segctl.state.workspace import Workspace

LISTS = "lists"
NOTE = "kept"


def keep_definitions(session: Session) -> str | None:
    """Keeps what the project's files say now, and the lists that were read.

    Returns:
        What `session_of_run` finds them by, for the run's note; None when a file went away meanwhile.
    """
    from segctl.state.texts import keep_texts, text_digest

    found = _said_now(session)
    if found is None:
        return None
    texts, summary = found
    keep_texts(session.workspace, [*texts, summary])
    _keep_lists(session)
    return text_digest(summary)


def says_the_same(session: Session, run: Run) -> bool:
    """The project's files say what they said when the run kept them."""
    from segctl.state.texts import text_digest

    found = None if run.note.get(NOTE) is None else _said_now(session)
    return found is not None and text_digest(found[1]) == run.note[NOTE]


def _said_now(session: Session) -> tuple[list[bytes], bytes] | None:
    """Texts of the project's files, and what tells them from others; None when a file went away meanwhile."""
    from segctl.state.texts import text_digest

    root = Path(session.project.root)
    paths = [FILE, *(path for folder in ("segments", "traits") for path in definition_files(session.project, folder))]
    try:
        texts = {path: (root / path).read_bytes() for path in paths}
    except OSError:
        return None
    about = {
        "files": {path: text_digest(text) for path, text in texts.items()},
        "sources": list(source_names(session.project)),
    }
    return list(texts.values()), json.dumps(about, sort_keys=True).encode()


def session_of_run(session: Session, run: Run) -> Session | None:
    """The session as the run had it: its definitions and lists over today's workspace.

    Lists that were not kept are read from the project. None when the run kept nothing, or what it kept cannot be
    bound any more. A definition that does not bind is not among the segments.
    """
    about = _about(session.workspace, run)
    if about is None:
        return None
    try:
        definitions = _bound(session, about)
    except SegctlError:
        return None
    kept = _kept_lists(session.workspace)
    wanted = {name: digest for lists in run.note.get("lists", {}).values() for name, digest in lists.items()}
    lists = _ListsOfRun(Path(session.project.root), {n: kept[d] for n, d in wanted.items() if d in kept})
    return replace(session, definitions=definitions, lists=lists, warnings=())


def changed_files(workspace: Workspace, earlier: Run, later: Run) -> tuple[str, ...] | None:
    """Definition files that differ between two runs, by path; None when one of them kept nothing."""
    old, new = _about(workspace, earlier), _about(workspace, later)
    if old is None or new is None:
        return None
    paths = sorted(old["files"].keys() | new["files"].keys())
    return tuple(path for path in paths if old["files"].get(path) != new["files"].get(path))


def settings_digest(workspace: Workspace, kept: str | None) -> str | None:
    """Digest of the project file that was kept, None when none was."""
    found = None if kept is None else _summary(workspace, kept)
    return None if found is None else found["files"].get(FILE)


def _about(workspace: Workspace, run: Run) -> dict[str, Any] | None:
    kept = run.note.get(NOTE)
    return None if kept is None else _summary(workspace, kept)


def _summary(workspace: Workspace, kept: str) -> dict[str, Any] | None:
    from segctl.state.texts import kept_texts

    text = kept_texts(workspace, [kept]).get(kept)
    found: dict[str, Any] | None = None if text is None else json.loads(text)
    return found


def _bound(session: Session, about: Mapping[str, Any]) -> Definitions:
    from segctl.state.texts import kept_texts

    texts = kept_texts(session.workspace, about["files"].values())
    files = {path: texts[digest] for path, digest in about["files"].items() if digest in texts}
    today = session.project
    bound, _ = bind_project_text(files[FILE], Path(today.root), today.environment)
    project = replace(bound, workspace=today.workspace)
    segments, traits = (_composed(files, folder) for folder in ("segments", "traits"))
    return bind_definitions(project, segments, traits, inputs=tuple(about["sources"]))[0]


def _composed(files: Mapping[str, bytes], folder: str) -> list[Node]:
    nodes = [compose(text, path)[0] for path, text in sorted(files.items()) if path.startswith(f"{folder}/")]
    return [node for node in nodes if node is not None]


# --- Lists ------------------------------------------------------------------------------------------------
class _ListsOfRun(ProjectLists):
    """Lists as a run read them, where they were kept."""

    def __init__(self, root: Path, kept: Mapping[str, StoredFile]) -> None:
        super().__init__(root)
        self._kept = kept

    def content(self, name: str) -> bytes:
        """The bytes as they were."""
        file = self._kept.get(name)
        if file is None:
            return super().content(name)
        try:
            return zlib.decompress(file.path.read_bytes())
        except (OSError, zlib.error) as error:
            raise DataError("SEG516", f"the list `{name}` cannot be read as it was") from error


def _keep_lists(session: Session) -> None:
    """Keeps lists that are not kept yet, and lets go of those that no membership in force came from."""
    from segctl.state.files import NewFile

    workspace = session.workspace
    kept, needed = _kept_lists(workspace), set(session.lists.digests.values()) | _in_force(workspace)
    add = []
    for name, digest in sorted(session.lists.digests.items()):
        content = session.lists.content(name) if digest not in kept else b""
        if digest in kept or list_digest(content) != digest:
            continue
        path = workspace.new_file(LISTS, ".list")
        path.write_bytes(zlib.compress(content, 6))
        add.append(NewFile(path, LISTS, 0, {"digest": digest, "name": name}))
    remove = [file.id for digest, file in kept.items() if digest not in needed]
    if add or remove:
        workspace.commit(LISTS, add, remove)


def _kept_lists(workspace: Workspace) -> dict[str, StoredFile]:
    return {file.meta["digest"]: file for file in workspace.files(LISTS)}


def _in_force(workspace: Workspace) -> set[str]:
    """Digests of the lists that runs in force have read."""
    rows: Iterable[Any] = workspace.query(
        "SELECT DISTINCT r.note FROM runs r JOIN segments s ON s.in_force = r.number WHERE s.alive"
    )
    noted = [json.loads(row["note"]).get("lists", {}) for row in rows]
    return {digest for lists in noted for of in lists.values() for digest in of.values()}
