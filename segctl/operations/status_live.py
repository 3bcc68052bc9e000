"""How what goes on by itself does, for `segctl status`: workflows, and the collector."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.model.errors import SegctlError, TemporaryError

if TYPE_CHECKING:
    from segctl.operations.session import Session


@dataclass(frozen=True, slots=True)
class WorkflowsStatus:
    """All workflows together; counts are people, but for the first two.

    Attributes:
        running: Workflows that are handled; `stopped` are paused.
        waiting: On the way.
        unknown: Effects of which nobody knows whether they happened.
        troubled: Whom a destination fails, so that they are tried again.
        at: When a workflow was last handled, UTC; None when none ever was.
    """

    running: int
    stopped: int
    waiting: int
    unknown: int
    troubled: int
    at: datetime | None

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class CollectorStatus:
    """The collector of an environment.

    Attributes:
        is_running: A process holds its lock.
        at: When it last wrote, UTC; None when nothing ever came.
        files: Of accepted requests that are kept; `bytes` is their size.
    """

    is_running: bool
    at: datetime | None
    files: int
    bytes: int

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def workflows_status(session: Session) -> WorkflowsStatus | None:
    """How workflows do; None for a project that has none."""
    from segctl.operations.workflow.status import status
    from segctl.state.workflows import Books

    found = status(session)
    if not found:
        return None
    places = Books(session.workspace).places()
    last = max((place.at for place in places.values()), default=None)
    troubled = session.workspace.query("SELECT count(*) FROM workflow_troubles")[0][0]
    return WorkflowsStatus(
        running=sum(one.state == "running" for one in found),
        stopped=sum(one.state == "paused" for one in found),
        waiting=sum(one.waiting for one in found),
        unknown=sum(one.unknown for one in found),
        troubled=troubled,
        at=None if last is None else datetime.fromtimestamp(last / 1e6, UTC),
    )


def collector_status(session: Session) -> CollectorStatus | None:
    """How the collector does; None where no source takes requests and none ever came."""
    from segctl.connectors.collector.files import collected_files, collector_folder
    from segctl.operations.ingest.ingest import sources_of
    from segctl.operations.listen import LOCK
    from segctl.operations.listen_keys import collectors

    folder = collector_folder(Path(session.project.workspace))
    names = collected_files(folder)
    try:
        takes = bool(collectors(sources_of(session.project)))
    except SegctlError:
        takes = True
    if not names and not takes:
        return None
    stats = [(folder / name).stat() for name in names if (folder / name).exists()]
    newest = max((one.st_mtime for one in stats), default=None)
    return CollectorStatus(
        is_running=_is_held(session, LOCK),
        at=None if newest is None else datetime.fromtimestamp(newest, UTC),
        files=len(stats),
        bytes=sum(one.st_size for one in stats),
    )


def _is_held(session: Session, resource: str) -> bool:
    try:
        with session.workspace.lock(resource):
            return False
    except TemporaryError:
        return True
