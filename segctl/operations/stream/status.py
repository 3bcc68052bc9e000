"""How a stream does, for `segctl status`: what it wrote about itself, and whether it runs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from segctl.model.dataclass import dataclass
from segctl.state import stream_log
from segctl.state.stream_requests import is_streaming

if TYPE_CHECKING:
    from segctl.operations.stream.metrics import Metrics
    from segctl.state.workspace import Workspace

STATUS = "status"
"""Fact with the figures below, but for those that are counted when asked."""
EVERY_S = 5.0
"""How often a stream writes them."""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """One environment's stream.

    Attributes:
        is_running: A process holds its lock.
        at: When it last wrote its figures, UTC.
        lines_per_s: Lines taken in, over some seconds before; likewise the next.
        p50_ms: Latency from a line's arrival to the commit of its batch.
        p99_ms: Likewise.
        behind_s: For how long the next timer had been overdue.
        changes: Number of the last change.
        waiting_lines: Lines that stand in no file yet.
    """

    is_running: bool
    at: datetime
    lines_per_s: float
    p50_ms: float
    p99_ms: float
    behind_s: float
    changes: int
    waiting_lines: int

    @property
    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def written(metrics: Metrics, passed_s: float, lag_s: float, at: datetime) -> dict[str, Any]:
    """The fact that a stream keeps of itself."""
    return {
        "at": at.isoformat(timespec="seconds"),
        "lines_per_s": round(metrics.lines / max(passed_s, 0.001), 1),
        "p50_ms": round(metrics.latencies.quantile(0.5), 1),
        "p99_ms": round(metrics.latencies.quantile(0.99), 1),
        "behind_s": round(lag_s, 1),
    }


def stream_status(workspace: Workspace) -> StreamStatus | None:
    """How the stream does; None when there never was one."""
    found = stream_log.fact(workspace, STATUS)
    if found is None:
        return None
    return StreamStatus(
        is_running=is_streaming(workspace),
        at=datetime.fromisoformat(found["at"]),
        lines_per_s=found["lines_per_s"],
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
        behind_s=found["behind_s"],
        changes=stream_log.last_seq(workspace),
        waiting_lines=stream_log.waiting_lines(workspace),
    )
