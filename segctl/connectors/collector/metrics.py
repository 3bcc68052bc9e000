"""What the collector counts, as text that Prometheus reads."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

_COMMIT_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
_PREFIX = "segctl_collector"


@dataclass(slots=True)
class Metrics:
    """Counts since the start.

    Attributes:
        accepted: (source, key) → requests that are on disk.
        volume: (source, key) → bytes of their lines.
        refused: (status, reason) → requests that were not accepted.
        repeated: Source → signed requests that were there already.
        commits: Upper bound in seconds → group commits; the last bound is infinity.
        commit_s: Their seconds together.
        connections: Open now.
    """

    accepted: Counter[tuple[str, str]] = field(default_factory=Counter)
    volume: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[int, str]] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)
    commits: Counter[float] = field(default_factory=Counter)
    commit_s: float = 0.0
    connections: int = 0

    def committed(self, seconds: float) -> None:
        """Counts one group commit."""
        self.commits[next((bound for bound in _COMMIT_S if seconds <= bound), float("inf"))] += 1
        self.commit_s += seconds

    def text(self) -> bytes:
        """All of it in Prometheus' text form."""
        lines: list[str] = []
        _family(lines, "accepted_requests_total", "counter", "Requests that are on disk.")
        lines += [_sample("accepted_requests_total", n, source=s, key=k) for (s, k), n in sorted(self.accepted.items())]
        _family(lines, "accepted_bytes_total", "counter", "Bytes of their lines.")
        lines += [_sample("accepted_bytes_total", n, source=s, key=k) for (s, k), n in sorted(self.volume.items())]
        _family(lines, "refused_requests_total", "counter", "Requests that were not accepted.")
        lines += [
            _sample("refused_requests_total", n, status=str(status), reason=reason)
            for (status, reason), n in sorted(self.refused.items())
        ]
        _family(lines, "repeated_requests_total", "counter", "Signed requests that were there already.")
        lines += [_sample("repeated_requests_total", n, source=s) for s, n in sorted(self.repeated.items())]
        _family(lines, "connections", "gauge", "Open connections.")
        lines.append(_sample("connections", self.connections))
        _family(lines, "commit_seconds", "histogram", "Time of a group commit, written and flushed.")
        done = 0
        for bound in (*_COMMIT_S, float("inf")):
            done += self.commits[bound]
            lines.append(_sample("commit_seconds_bucket", done, le="+Inf" if bound == float("inf") else f"{bound:g}"))
        lines += [_sample("commit_seconds_sum", round(self.commit_s, 6)), _sample("commit_seconds_count", done)]
        return ("\n".join(lines) + "\n").encode()


def _family(lines: list[str], name: str, kind: str, told: str) -> None:
    lines += [f"# HELP {_PREFIX}_{name} {told}", f"# TYPE {_PREFIX}_{name} {kind}"]


def _sample(name: str, value: float, **labels: str) -> str:
    # Values of labels are names of the project's own; none holds a quote or a backslash.
    inside = ",".join(f'{label}="{of}"' for label, of in labels.items())
    return f"{_PREFIX}_{name}{'{' + inside + '}' if inside else ''} {value}"
